//! The broker built in: for one site, and for trying things out. MQTT 3.1.1 and 5 on one port.
//!
//! A gateway's PUBACK here means what it means nowhere else: evaluated, and committed where anything changed. The broker asks
//! us about every PUBLISH before it answers it ([`hook`]), and we let it answer once the engine has acknowledged the item. The
//! price is one message in flight per connection.
//!
//! What the library could do wrong for a plant is kept from it: nobody is anonymous unless the port is for this machine only;
//! its own rate and size limits are off, because it would answer them with acks we did not give; a message on a topic its sender
//! may not use is acknowledged, quarantined and reaches no subscriber, since a refusal would come as an MQTT 5 answer even to
//! a 3.1.1 gateway; nothing a gateway sends is retained; a last will, which nobody asks us about, is looked at in the CONNECT.
//! It stores nothing on disk: the journal is the truth, and what was not acknowledged is the gateway's to send again.
//!
//! The broker runs on a runtime of its own. That is also how it is stopped: an unacknowledged PUBLISH must not be answered, and
//! a connection waiting in our hook can only be taken away from under it.

mod auth;
mod hook;

use crate::address::Secret;
use crate::{BrokerAddress, Clock, Sink, SourceEvent, SourceId, topic};
use auth::Door;
use bytes::Bytes;
use hook::Hook;
use model::BodyId;
use model::bounds::PAYLOAD_BYTES_MAX;
use mqtt5::QoS;
use mqtt5::broker::MqttBroker;
use mqtt5::broker::config::{AuthConfig, BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::router::MessageRouter;
use mqtt5::packet::publish::PublishPacket;
use rustls::crypto::ring;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Largest packet taken: a payload of the allowed size with its topic and properties. Larger ones end their connection.
const PACKET_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + (128 << 10);
/// Gateways and sirens connected at once.
const CLIENTS_MAX: usize = 10_000;
/// Messages kept for a siren that is away. Its wanted state is sent again every 10 s anyway.
const QUEUED_PER_CLIENT_MAX: usize = 100;
/// Bytes kept for it.
const QUEUED_BYTES_PER_CLIENT_MAX: usize = 1 << 20;
/// A session of a client that is away is kept this long.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);
/// The engine's own user name, for a notifier that reaches the sirens over the socket.
const ENGINE_USER: &str = "_engine";
/// Passwords shorter than this are refused: there is no lock-out, since gateways behind one address would lock each other out.
const SECRET_BYTES_MIN: usize = 8;

/// How the built-in broker is to run.
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// The source's number.
    pub source: SourceId,
    /// Where it listens. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Who may come in. Empty is allowed on loopback only, and lets everybody of this machine in.
    pub credentials: Vec<GatewayCredential>,
    /// Receive times.
    pub clock: Clock,
}

/// One gateway's or siren's way in.
#[derive(Clone, Debug)]
pub struct GatewayCredential {
    /// User name, unique.
    pub username: String,
    /// Password.
    pub secret: Secret,
    /// The one enterprise it may speak for and listen to.
    pub enterprise: BodyId,
}

/// Why the broker did not start. All are for the operator to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another program listens there.
    #[error("port {} is in use on {}: another broker, or another watchfire? Listen elsewhere, or use that broker by its mqtt:// address", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {why}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why not.
        why: io::Error,
    },
    /// Open to the network without a single credential.
    #[error(
        "the built-in broker may listen beyond this machine ({0}) only with credentials per gateway: anybody could forge or silence an alarm"
    )]
    OpenToAll(SocketAddr),
    /// A credential cannot be used.
    #[error("credential `{username}`: {why}")]
    Credential {
        /// Whose.
        username: String,
        /// Why not.
        why: &'static str,
    },
    /// The library refuses.
    #[error("the built-in broker does not start: {0}")]
    Broker(String),
}

/// The running broker. Dropped, it is gone at once, and what it had not acknowledged stays unacknowledged.
pub struct EmbeddedBroker {
    /// Taken out only by drop.
    runtime: Option<Runtime>,
    router: Arc<MessageRouter>,
    local: SocketAddr,
    engine_secret: Secret,
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedBroker({})", self.local)
    }
}

impl EmbeddedConfig {
    /// Whether the broker could start: the port is opened and closed again.
    pub fn try_open(&self) -> Result<(), EmbeddedError> {
        let listen = self.listen;
        if self.credentials.is_empty() && !listen.ip().is_loopback() {
            return Err(EmbeddedError::OpenToAll(listen));
        }
        check(&self.credentials)?;
        std::net::TcpListener::bind(listen).map(drop).map_err(|why| match why.kind() {
            io::ErrorKind::AddrInUse => EmbeddedError::PortInUse(listen),
            _ => EmbeddedError::Listen { listen, why },
        })
    }
}

impl EmbeddedBroker {
    /// Starts listening. Blocks until the port is open (some milliseconds), inside a tokio runtime or outside.
    pub fn start(config: EmbeddedConfig, sink: Sink) -> Result<Self, EmbeddedError> {
        // The library reports a failed bind as text only, so the port is tried here first.
        config.try_open()?;
        let EmbeddedConfig { source, listen, credentials, clock } = config;
        let engine_secret = random_secret()?;
        let door = Arc::new(Door::new(credentials, engine_secret.clone()));
        let hook = Arc::new(Hook::new(source, clock, sink.clone(), door.clone()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("watchfire-broker")
            .enable_all()
            .build()
            .map_err(|why| EmbeddedError::Listen { listen, why })?;
        let (opened, open) = std::sync::mpsc::channel();
        let settings = settings(listen, hook);
        runtime.spawn(async move {
            let mut broker = match MqttBroker::with_config(settings).await {
                Ok(broker) => broker.with_auth_provider(door),
                Err(why) => return drop(opened.send(Err(EmbeddedError::Broker(why.to_string())))),
            };
            let (router, local) = (broker.router(), broker.local_addr().unwrap_or(listen));
            // Bound already: a connection made from here on waits in the backlog.
            if opened.send(Ok((router, local))).is_err() || !sink.send(SourceEvent::Up { source, session_present: true }).await {
                return;
            }
            let ended = broker.run().await;
            let reason = ended.err().map_or_else(|| "the built-in broker stopped".to_owned(), |why| why.to_string());
            sink.send(SourceEvent::Down { source, reason }).await;
        });
        match open.recv() {
            Ok(Ok((router, local))) => Ok(Self { runtime: Some(runtime), router, local, engine_secret }),
            Ok(Err(why)) => {
                runtime.shutdown_background();
                Err(why)
            }
            Err(_) => {
                runtime.shutdown_background();
                Err(EmbeddedError::Broker("it stopped while starting".to_owned()))
            }
        }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Publishes as the engine, the only one who may command sirens. Returns once every connected subscriber has it queued.
    pub async fn publish(&self, topic: &str, payload: impl Into<Bytes>, qos: u8, retain: bool) {
        let qos = match qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        };
        let mut message = PublishPacket::new(topic, payload.into(), qos);
        message.retain = retain;
        self.router.route_message(&message, None).await;
    }

    /// An address with the engine's own login, for a client in this process that is to publish siren commands over the socket.
    /// The password is made anew at every start and goes nowhere else.
    pub fn engine_address(&self) -> BrokerAddress {
        let ip = match self.local.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let host = SocketAddr::new(ip, self.local.port());
        let host = host.to_string();
        let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host).to_owned();
        BrokerAddress { host, port: self.local.port(), tls: false, login: Some((ENGINE_USER.to_owned(), self.engine_secret.clone())) }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not the library's own shutdown: that waits for connections which wait for us.
            runtime.shutdown_background();
        }
    }
}

fn check(credentials: &[GatewayCredential]) -> Result<(), EmbeddedError> {
    let mut names = BTreeSet::new();
    for GatewayCredential { username, secret, enterprise } in credentials {
        let why = if username.is_empty() {
            "the user name is empty"
        } else if username == ENGINE_USER {
            "this name is the engine's own"
        } else if !names.insert(username) {
            "the user name stands twice"
        } else if secret.expose().len() < SECRET_BYTES_MIN {
            "the password is shorter than 8 bytes"
        } else if enterprise.as_str().is_empty() || enterprise.as_str() == model::SYSTEM_ENTERPRISE {
            "no gateway speaks for this enterprise"
        } else {
            continue;
        };
        return Err(EmbeddedError::Credential { username: username.clone(), why });
    }
    Ok(())
}

fn settings(listen: SocketAddr, hook: Arc<Hook>) -> BrokerConfig {
    let mut storage = StorageConfig::new();
    storage.backend = StorageBackend::Memory;
    storage.max_queued_messages_per_client = QUEUED_PER_CLIENT_MAX;
    storage.max_queued_bytes_per_client = QUEUED_BYTES_PER_CLIENT_MAX;
    BrokerConfig::default()
        .with_bind_address(listen)
        .with_max_clients(CLIENTS_MAX)
        .with_max_packet_size(PACKET_BYTES_MAX)
        .with_session_expiry(SESSION_EXPIRY)
        .with_storage(storage)
        .with_sys_topics_enabled(false)
        // The library wants a password file or this; the door takes its place before the first connection is accepted.
        .with_auth(AuthConfig::new().with_allow_anonymous(true))
        .with_event_handler(hook)
}

fn random_secret() -> Result<Secret, EmbeddedError> {
    let mut bytes = [0; 24];
    ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| EmbeddedError::Broker("the system gives no random numbers".to_owned()))?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// Whether a publisher bound to `enterprise` (or to none) may publish on `topic`. Sirens are the engine's alone.
fn may_publish(enterprise: Option<&BodyId>, topic: &str) -> bool {
    if topic::is_siren(topic.as_bytes()) {
        return false;
    }
    let Some(enterprise) = enterprise else { return true };
    let Some(rest) = topic.strip_prefix(topic::PREFIX).and_then(|rest| rest.strip_prefix('/')) else { return false };
    is_level(rest.split('/').next().unwrap_or(rest), enterprise)
}

/// Whether a level of a topic or filter, as it stands or percent-encoded, names the enterprise.
fn is_level(level: &str, enterprise: &BodyId) -> bool {
    topic::decode(level.as_bytes()).is_some_and(|id| id == enterprise.as_str())
}
