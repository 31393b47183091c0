//! Whether a start could open what a configuration wants opened: the addresses, the gateways' logins.

use config::Server;
use ingest::{EmbeddedConfig, GatewayCredential, SourceId};
use model::{Plant, Timestamp};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

/// What the command line says over `server.toml`; the same at the next start.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// An external broker.
    pub mqtt: Option<String>,
    /// Where the built-in broker listens.
    pub listen: Option<SocketAddr>,
    /// Where the pages listen.
    pub http: Option<SocketAddr>,
    /// The gateways' logins.
    pub gateways: Option<PathBuf>,
}

impl Ways {
    /// The external broker, where there is one.
    pub fn mqtt<'a>(&'a self, server: &'a Server) -> Option<&'a str> {
        self.mqtt.as_deref().or(server.mqtt.url.as_deref())
    }

    /// Where the pages listen.
    pub fn http(&self, server: &Server) -> SocketAddr {
        self.http.unwrap_or(server.http.listen)
    }

    /// Where the built-in broker listens, unless there is an external one.
    pub fn built_in(&self, server: &Server) -> Option<SocketAddr> {
        self.mqtt(server).is_none().then(|| self.listen.unwrap_or(server.embedded.listen))
    }

    /// The gateways' logins at the built-in broker.
    pub fn credentials(&self, plant: &Plant) -> anyhow::Result<Vec<GatewayCredential>> {
        self.gateways.as_ref().map_or_else(|| Ok(Vec::new()), |file| crate::commands::channels::gateway_credentials(file, plant))
    }

    /// Opens the addresses and closes them again; says what a start would fail on. A port that `held`, this very program, listens on is
    /// free at the next start.
    pub fn try_open(&self, server: &Server, plant: &Plant, held: Option<&Server>) -> Result<(), String> {
        let held: Vec<u16> = held
            .map_or_else(Vec::new, |held| self.built_in(held).into_iter().chain([self.http(held)]).map(|address| address.port()).collect());
        let free = |address: SocketAddr| {
            let port = if held.contains(&address.port()) { 0 } else { address.port() };
            SocketAddr::new(address.ip(), port)
        };
        let http = self.http(server);
        let _pages = TcpListener::bind(free(http)).map_err(|error| format!("http.listen {http}: {error}"))?;
        if let Some(listen) = self.built_in(server) {
            let credentials = self.credentials(plant).map_err(|error| format!("{error:#}"))?;
            let broker = EmbeddedConfig { source: SourceId(0), listen: free(listen), credentials, clock: Arc::new(|| Timestamp(0)) };
            broker.try_open().map_err(|error| format!("embedded.listen {listen}: {error}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_taken_and_a_login_without_its_enterprise_are_found_before_a_start_fails_on_them() {
        let shipped = config::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/tep"))).expect("it is shipped");
        let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let taken = other.local_addr().expect("it is bound");
        let any = SocketAddr::new(taken.ip(), 0);
        let mut server = shipped.server;
        (server.http.listen, server.embedded.listen) = (any, any);
        let ways = Ways::default();
        assert_eq!(ways.try_open(&server, &shipped.plant, None), Ok(()));
        server.http.listen = taken;
        let error = ways.try_open(&server, &shipped.plant, None).expect_err("it is taken");
        assert!(error.contains(&format!("http.listen {taken}")), "{error}");
        assert_eq!(ways.try_open(&server, &shipped.plant, Some(&server)), Ok(()), "the port is this program's own");
        assert_eq!(
            Ways { http: Some(any), ..Ways::default() }.try_open(&server, &shipped.plant, None),
            Ok(()),
            "the command line says another"
        );
        (server.http.listen, server.embedded.listen) = (any, taken);
        assert!(ways.try_open(&server, &shipped.plant, None).is_err_and(|error| error.contains("embedded.listen")));
        server.embedded.listen = any;
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("gateways.toml");
        std::fs::write(&file, "gw01 = { secret = \"s3cret-of-8\", enterprise = \"pet\" }").expect("a disk");
        let ways = Ways { gateways: Some(file), ..Ways::default() };
        assert!(ways.try_open(&server, &shipped.plant, None).is_err_and(|error| error.contains("no enterprise pet")));
    }
}
