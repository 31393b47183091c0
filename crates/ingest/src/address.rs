//! Where a broker is and how to get in: `mqtt://` and `mqtts://` URLs, certificates, passwords.

use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// A password. Does not print, compares in constant time and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(zeroize::Zeroizing<String>);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(zeroize::Zeroizing::new(text.into()))
    }
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
    pub(crate) fn is(&self, claimed: &[u8]) -> bool {
        bool::from(self.0.as_bytes().ct_eq(claimed))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a broker's address cannot be used. All are faults of the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither `mqtt://` nor `mqtts://`.
    #[error("a broker's address begins with mqtt:// or mqtts://")]
    Scheme,
    /// No host.
    #[error("the broker's address names no host")]
    Host,
    /// The port is not a number of 1 to 65535.
    // No fault quotes the address: where the `@host` was forgotten, the password stands in the port's place.
    #[error("the port is not a number of 1 to 65535; write mqtt://user:password@host:port")]
    Port,
    /// Something follows the port.
    #[error("a broker's address ends after the port; write mqtt://user:password@host:port")]
    Trailing,
    /// User name or password is not UTF-8 once its `%xx` are decoded.
    #[error("user name or password is not UTF-8")]
    Credentials,
    /// Certificate files given for a plain connection.
    #[error("certificates are given, but the address says mqtt:// and not mqtts://")]
    TlsFilesWithoutTls,
    /// A client certificate without its key, or the other way round.
    #[error("a client certificate and its key go together")]
    HalfClientCertificate,
    /// An IPv6 address in brackets cannot be checked against a certificate by the client library.
    #[error("mqtts:// wants a host name, or an IPv4 address, that stands in the broker's certificate")]
    TlsHost,
    /// A certificate or key file could not be read.
    #[error("{}: {why}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// No usable root certificate in the system's store.
    #[error("the system has no usable root certificates; name a CA file")]
    NoRoots,
    /// The TLS library refuses what the files hold.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A broker's address with the credentials to use there.
#[derive(Clone)]
pub struct BrokerAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) login: Option<(String, Secret)>,
}

impl BrokerAddress {
    /// Reads `mqtt[s]://[user[:password]@]host[:port]`. `%xx` in user name and password are decoded. The port is 1883, or 8883
    /// with TLS, where none is given.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let (tls, rest) = match (url.strip_prefix("mqtt://"), url.strip_prefix("mqtts://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(AddressError::Scheme),
        };
        // The last one: a password may hold an `@` that somebody forgot to encode.
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let login = match login {
            Some(login) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                Some((decode(user)?, Secret::new(decode(password)?)))
            }
            None => None,
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        if place.contains(['/', '?', '#']) {
            return Err(AddressError::Trailing);
        }
        let host_end =
            if place.starts_with('[') { place.find(']').ok_or(AddressError::Host)? + 1 } else { place.find(':').unwrap_or(place.len()) };
        let (host, port) = place.split_at(host_end);
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        if tls && host.starts_with('[') {
            return Err(AddressError::TlsHost);
        }
        let port = match port.strip_prefix(':') {
            Some(text) => text.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port)?,
            None if port.is_empty() => {
                if tls {
                    8883
                } else {
                    1883
                }
            }
            None => return Err(AddressError::Port),
        };
        Ok(Self { host: host.to_owned(), port, tls, login })
    }
    /// User name and password, for a client of the caller's own.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(user, password)| (user.as_str(), password.expose()))
    }
    /// What an MQTT 3.1.1 client of the caller's own needs to connect: place, login, and for `mqtts://` the system's root
    /// certificates. Everything else stands at the library's defaults.
    pub fn client_options(&self, client_id: impl Into<String>) -> Result<MqttOptions, AddressError> {
        Ok(self.options_over(TlsFiles::default().client_config(self)?, client_id))
    }
    /// The same over a TLS configuration made before.
    pub(crate) fn options_over(&self, tls: Option<Arc<ClientConfig>>, client_id: impl Into<String>) -> MqttOptions {
        let mut options = MqttOptions::new(client_id, &self.host, self.port);
        if let Some((user, password)) = &self.login {
            options.set_credentials(user, password.expose());
        }
        if let Some(tls) = tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
        }
        options
    }
}

impl fmt::Display for BrokerAddress {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "mqtts://" } else { "mqtt://" })?;
        if let Some((user, _)) = &self.login {
            write!(f, "{user}@")?;
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decode(text: &str) -> Result<String, AddressError> {
    percent_encoding::percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| AddressError::Credentials)
}

/// Certificate files for `mqtts://`, PEM. Empty means the system's root certificates and no client certificate.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// The CA that signed the broker's certificate, instead of the system's roots.
    pub ca: Option<PathBuf>,
    /// Our certificate chain, where the broker wants one.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl TlsFiles {
    /// Makes the TLS configuration for `address`; none for a plain one.
    pub(crate) fn client_config(&self, address: &BrokerAddress) -> Result<Option<Arc<ClientConfig>>, AddressError> {
        if !address.tls {
            let given = self.ca.is_some() || self.certificate.is_some() || self.key.is_some();
            return if given { Err(AddressError::TlsFilesWithoutTls) } else { Ok(None) };
        }
        let mut roots = rustls::RootCertStore::empty();
        match &self.ca {
            Some(path) => {
                for certificate in certificates(path)? {
                    roots.add(certificate)?;
                }
            }
            // What the system's store holds in unusable entries is the system's business as long as some are usable.
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            return Err(AddressError::NoRoots);
        }
        // The provider is named here, so nothing depends on what the process has installed as its default.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let config = match (&self.certificate, &self.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|why| unreadable(key, why))?;
                config.with_client_auth_cert(chain, key)?
            }
            _ => return Err(AddressError::HalfClientCertificate),
        };
        Ok(Some(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, AddressError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match chain {
        Ok(chain) if chain.is_empty() => Err(unreadable(path, "holds no PEM certificate")),
        Ok(chain) => Ok(chain),
        Err(why) => Err(unreadable(path, why)),
    }
}

fn unreadable(path: &Path, why: impl ToString) -> AddressError {
    AddressError::File { path: path.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let parts = |url: &str| {
            let address = BrokerAddress::parse(url).unwrap();
            let login = address.login.as_ref().map(|(user, password)| format!("{user}:{}", password.expose()));
            (address.host, address.port, address.tls, login)
        };
        assert_eq!(parts("mqtt://broker"), ("broker".into(), 1883, false, None));
        assert_eq!(parts("mqtts://broker/"), ("broker".into(), 8883, true, None));
        assert_eq!(parts("mqtt://[::1]:1884"), ("[::1]".into(), 1884, false, None));
        assert_eq!(parts("mqtt://a%40b:p%3Aw@10.0.0.1:99"), ("10.0.0.1".into(), 99, false, Some("a@b:p:w".into())));
        assert_eq!(parts("mqtt://u:p@ss@h"), ("h".into(), 1883, false, Some("u:p@ss".into())));
    }

    #[test]
    fn a_faulty_address_says_what_is_wrong() {
        let fault = |url: &str| BrokerAddress::parse(url).unwrap_err().to_string();
        assert_eq!(fault("tcp://h"), "a broker's address begins with mqtt:// or mqtts://");
        assert_eq!(fault("mqtt://"), "the broker's address names no host");
        for wrong in ["mqtt://h:0", "mqtt://h:x", "mqtt://h:65536", "mqtt://[::1]1883"] {
            assert_eq!(fault(wrong), "the port is not a number of 1 to 65535; write mqtt://user:password@host:port");
        }
        assert_eq!(fault("mqtt://h/topic"), "a broker's address ends after the port; write mqtt://user:password@host:port");
        assert!(fault("mqtts://[::1]").contains("certificate"));
        let plain = BrokerAddress::parse("mqtt://h").unwrap();
        let files = TlsFiles { ca: Some("ca.pem".into()), ..TlsFiles::default() };
        assert!(matches!(files.client_config(&plain), Err(AddressError::TlsFilesWithoutTls)));
        let encrypted = BrokerAddress::parse("mqtts://h").unwrap();
        assert!(files.client_config(&encrypted).unwrap_err().to_string().starts_with("ca.pem: "));
    }

    #[test]
    fn a_client_of_the_callers_own_gets_place_login_and_encryption() {
        let options = |url: &str| BrokerAddress::parse(url).unwrap().client_options("id").unwrap();
        let plain = options("mqtt://user:p%40s/s@broker:1884/");
        assert_eq!((plain.client_id(), plain.broker_address()), ("id".to_owned(), ("broker".to_owned(), 1884)));
        let login = plain.credentials().unwrap();
        assert_eq!((login.username.as_str(), login.password.as_str()), ("user", "p@s/s"));
        assert!(matches!(plain.transport(), Transport::Tcp));
        assert!(options("mqtt://broker").credentials().is_none());
        match BrokerAddress::parse("mqtts://broker").unwrap().client_options("id") {
            Ok(options) => assert!(matches!(options.transport(), Transport::Tls(TlsConfiguration::Rustls(_)))),
            // A host without certificates is told so, and does not panic.
            Err(error) => assert!(matches!(error, AddressError::NoRoots), "{error}"),
        }
    }

    #[test]
    fn a_faulty_address_never_shows_its_password() {
        for url in ["mqtt://user:geheim", "mqtt://user:geheim@h:x", "mqtt://user:1/geheim", "user:geheim@h", "mqtt://user:geheim@"] {
            let error = BrokerAddress::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_password_never_prints() {
        let address = BrokerAddress::parse("mqtt://user:topsecret@h").unwrap();
        assert_eq!(format!("{address} {address:?} {:?}", address.login), "mqtt://user@h:1883 mqtt://user@h:1883 Some((\"user\", ***))");
        assert!(Secret::new("a").is(b"a") && !Secret::new("a").is(b"b") && !Secret::new("a").is(b"ab"));
    }
}
