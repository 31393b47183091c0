//! An MQTT client that reads from somebody else's broker (Mosquitto, EMQX, NATS) and keeps coming back.
//!
//! One loop serves both protocol versions; what differs is behind [`Wire`]. rumqttc does the protocol, and this loop is built
//! around what it does not do:
//!
//! - Every connection gets an event loop of its own, thrown away when it ends. rumqttc could reconnect by itself, but then
//!   queued acks, buffered messages, a stashed publish and half a SUBSCRIBE of the old connection live on into the new one.
//! - SUBSCRIBE goes out on every connection, whatever the broker says about our session, and the source is up only once the
//!   broker has granted QoS 1. A missing or lesser answer ends the connection.
//! - The loop does nothing but poll and pass on. It waits for no reader (see [`crate::sink`]) and never cancels a poll except to
//!   give the connection up.
//! - A poll that does not return for [`Timing::silence_max`] means a dead peer: rumqttc itself can hang in a flush.
//! - A connection that ends soon after it was up counts as a failed attempt, so that two clients with one client id cost a
//!   bounded rate of reconnects and not a busy loop.
//! - A packet that rumqttc cannot read (a topic that is not UTF-8, on 3.1.1) ends every connection it is sent on, and a
//!   persistent session sends it for ever. What came before it is still passed on, and after [`UNREADABLE_MAX`] times the
//!   session is thrown away, loudly.

use crate::ack::{AckWriter, InOrder};
use crate::address::{AddressError, BrokerAddress, TlsFiles};
use crate::sink::Handoff;
use crate::wire_v4::WireV4;
use crate::wire_v5::WireV5;
use crate::{Clock, Item, Sink, Source, SourceEvent, SourceId, topic};
use bytes::Bytes;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Which MQTT an external broker is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 3.1.1: every broker, NATS included.
    V311,
    /// MQTT 5.
    V5,
}

/// How long things may take on a connection.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Interval of pings; 5 s is the least the client library takes.
    pub keep_alive: Duration,
    /// TCP, TLS and CONNACK together, in whole seconds.
    pub connect: Duration,
    /// From the CONNACK to the SUBACK.
    pub suback: Duration,
    /// Without any sign of life from the client library the connection is dead.
    pub silence_max: Duration,
    /// First pause before a new attempt; it doubles from there.
    pub backoff_min: Duration,
    /// Longest pause.
    pub backoff_max: Duration,
    /// A connection must have been up this long for the next pause to be short again.
    pub settled: Duration,
    /// At shutdown, to write out the acks already given.
    pub farewell: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            suback: Duration::from_secs(5),
            silence_max: Duration::from_secs(15),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(3),
            settled: Duration::from_secs(10),
            farewell: Duration::from_secs(1),
        }
    }
}

/// What a source for an external broker needs.
#[derive(Clone)]
pub struct MqttSettings {
    /// The source's number.
    pub source: SourceId,
    /// The broker.
    pub address: BrokerAddress,
    /// Certificates for `mqtts://`.
    pub tls: TlsFiles,
    /// Must be the same at every start and used by nobody else: the broker keeps our messages under it while we are away.
    pub client_id: String,
    /// What to subscribe to; [`topic::FILTER`] for the native format.
    pub filters: Vec<String>,
    /// Receive times.
    pub clock: Clock,
    /// Time limits.
    pub timing: Timing,
}

impl MqttSettings {
    /// Everything native and default for one broker.
    pub fn new(source: SourceId, address: BrokerAddress, client_id: impl Into<String>, clock: Clock) -> Self {
        Self {
            source,
            address,
            tls: TlsFiles::default(),
            client_id: client_id.into(),
            filters: vec![topic::FILTER.to_owned()],
            clock,
            timing: Timing::default(),
        }
    }
}

/// An external broker as a [`Source`].
pub struct MqttSource {
    settings: Connect,
    clock: Clock,
    protocol: Protocol,
    name: String,
}

/// What a [`Wire`] needs to connect.
pub(crate) struct Connect {
    pub source: SourceId,
    pub address: BrokerAddress,
    pub tls: Option<Arc<rustls::ClientConfig>>,
    pub client_id: String,
    pub filters: Vec<String>,
    pub timing: Timing,
}

impl MqttSource {
    /// Checks the settings and reads the certificate files; connects to nothing yet.
    pub fn new(settings: MqttSettings, protocol: Protocol) -> Result<Self, AddressError> {
        let MqttSettings { source, address, tls, client_id, filters, clock, timing } = settings;
        let tls = tls.client_config(&address)?;
        let name = address.to_string();
        Ok(Self { settings: Connect { source, address, tls, client_id, filters, timing }, clock, protocol, name })
    }
}

impl Source for MqttSource {
    fn id(&self) -> SourceId {
        self.settings.source
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn start(self: Box<Self>, sink: Sink, shutdown: CancellationToken) -> JoinHandle<()> {
        let Self { settings, clock, protocol, .. } = *self;
        let handoff = Handoff::new(sink);
        let reader = Reader { settings, clock, handoff, shutdown, told: None };
        match protocol {
            Protocol::V311 => tokio::spawn(reader.run::<WireV4>()),
            Protocol::V5 => tokio::spawn(reader.run::<WireV5>()),
        }
    }
}

/// One connection of one protocol version.
pub(crate) trait Wire: Send + Sized + 'static {
    /// Prepares a connection; the first [`Wire::poll`] makes it. Also the way for its acks. `discard` asks the broker to forget
    /// our session.
    fn open(settings: &Connect, discard: bool) -> (Self, impl AckWriter);
    /// The next thing that happened. What was read before a fault is passed on before the fault; then the connection is over.
    fn poll(&mut self) -> impl Future<Output = Result<Heard, Fault>> + Send;
    /// Queues one SUBSCRIBE for all filters at QoS 1; false when the queue did not take it.
    fn subscribe(&self, filters: &[String]) -> bool;
    /// Queues a DISCONNECT behind the acks.
    fn disconnect(&self) -> bool;
}

/// What a wire heard.
pub(crate) enum Heard {
    /// CONNACK.
    Connected { session_present: bool },
    /// SUBACK, with the lesser of the grants or what was refused.
    Granted(Result<u8, String>),
    /// PUBLISH.
    Message { topic: Bytes, payload: Bytes, packet_id: u16, qos: u8, retained: bool, duplicate: bool },
    /// Housekeeping.
    Nothing,
}

/// What ended a connection, as the library saw it.
pub(crate) struct Fault {
    pub reason: String,
    /// The broker sent a packet that the library cannot read.
    pub unreadable: bool,
}

/// Why a connection ended.
enum End {
    Lost(String),
    /// Lost to a packet that cannot be read. It will come again with the session.
    Unreadable(String),
    Shutdown,
    EngineGone,
}

struct Reader {
    settings: Connect,
    clock: Clock,
    handoff: Handoff,
    shutdown: CancellationToken,
    /// The reason last told while down.
    told: Option<String>,
}

impl Reader {
    async fn run<W: Wire>(mut self) {
        let shutdown = self.shutdown.clone();
        let mut pause = self.settings.timing.backoff_min;
        let mut short_lived = 0_u32;
        let mut unreadable = 0_u32;
        loop {
            let mut up_since = None;
            let discard = unreadable >= UNREADABLE_MAX;
            let reason = match self.connection::<W>(&mut up_since, discard).await {
                End::Lost(reason) => {
                    unreadable = 0;
                    reason
                }
                End::Unreadable(reason) => {
                    unreadable += 1;
                    reason
                }
                End::Shutdown | End::EngineGone => return,
            };
            let Timing { settled, backoff_min, backoff_max, .. } = self.settings.timing;
            short_lived = match up_since {
                Some(since) if since.elapsed() >= settled => {
                    pause = backoff_min;
                    0
                }
                Some(_) => short_lived + 1,
                None => short_lived,
            };
            let reason = match short_lived {
                0..TAKEOVER_SUSPECTED => reason,
                _ => format!("{reason}; ended soon after it was up, {short_lived} times running: does another client use this client id?"),
            };
            if !self.down(reason).await {
                return;
            }
            // Half to all of the pause: engines that lost one broker do not come back in step.
            let jittered = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(jittered) => {}
            }
            pause = (pause * 2).min(backoff_max);
        }
    }

    /// Runs one connection to its end. On return none of its acks can reach the broker any more.
    async fn connection<W: Wire>(&mut self, up_since: &mut Option<Instant>, discard: bool) -> End {
        let (mut wire, writer) = W::open(&self.settings, discard);
        let acks = InOrder::new(writer);
        let end = self.listen(&mut wire, &acks, up_since, discard).await;
        if matches!(end, End::Shutdown) {
            let farewell = self.settings.timing.farewell;
            // Acks already given leave first; what is cut off is only a duplicate after the restart.
            let _ = tokio::time::timeout(farewell, say_farewell(&mut wire)).await;
        }
        acks.close();
        end
    }

    async fn listen<W: Wire>(&mut self, wire: &mut W, acks: &Arc<InOrder>, up_since: &mut Option<Instant>, discard: bool) -> End {
        let Timing { suback, silence_max, .. } = self.settings.timing;
        let shutdown = self.shutdown.clone();
        let mut stop = pin!(shutdown.cancelled());
        let mut given_up = pin!(acks.abandoned().cancelled());
        let mut last_heard = Instant::now();
        let mut suback_due: Option<Instant> = None;
        let mut guard = pin!(sleep_until(last_heard + silence_max));
        let mut session = None;
        loop {
            let heard = {
                let mut poll = pin!(wire.poll());
                loop {
                    tokio::select! {
                        biased;
                        () = &mut stop => return End::Shutdown,
                        () = &mut given_up => return End::Lost("a message was given up unacknowledged; asking for it again".to_owned()),
                        heard = &mut poll => break heard,
                        () = &mut guard => {
                            let now = Instant::now();
                            if suback_due.is_some_and(|due| due <= now) {
                                return End::Lost(format!("no SUBACK within {suback:?}"));
                            }
                            if now >= last_heard + silence_max {
                                return End::Lost(format!("no sign of life for {silence_max:?}"));
                            }
                            // Rearmed only here, not with every message.
                            let due = last_heard + silence_max;
                            guard.as_mut().reset(suback_due.map_or(due, |suback| suback.min(due)));
                        }
                    }
                }
            };
            last_heard = Instant::now();
            match heard {
                Err(Fault { reason, unreadable: false }) => return End::Lost(reason),
                Err(Fault { reason, unreadable: true }) => return End::Unreadable(reason),
                Ok(Heard::Nothing) => {}
                Ok(Heard::Connected { .. }) if discard => {
                    let reason = "the broker kept sending a packet that cannot be read, so what it held for us was thrown away";
                    return End::Lost(reason.to_owned());
                }
                Ok(Heard::Connected { session_present }) => {
                    session = Some(session_present);
                    if !wire.subscribe(&self.settings.filters) {
                        return End::Lost("SUBSCRIBE could not be queued".to_owned());
                    }
                    let due = last_heard + suback;
                    suback_due = Some(due);
                    guard.as_mut().reset(due);
                }
                Ok(Heard::Granted(Err(refused))) => return End::Lost(format!("subscription refused: {refused}")),
                Ok(Heard::Granted(Ok(0))) => return End::Lost("subscription granted at QoS 0 only, where messages may be lost".to_owned()),
                Ok(Heard::Granted(Ok(_))) => {
                    suback_due = None;
                    if up_since.is_none() {
                        *up_since = Some(last_heard);
                        self.told = None;
                        let up = SourceEvent::Up { source: self.settings.source, session_present: session.unwrap_or(false) };
                        if let Some(end) = self.pass_on(up).await {
                            return end;
                        }
                    }
                }
                Ok(Heard::Message { topic, payload, packet_id, qos, retained, duplicate }) => {
                    let ack = acks.handle(packet_id, qos);
                    // Our own command to a siren, come back with the wide filter.
                    if topic::is_siren(&topic) {
                        ack.ack();
                        continue;
                    }
                    let received = (self.clock)();
                    let source = self.settings.source;
                    let item = Item { source, topic, payload, received, qos, retained, duplicate, publisher: None, forged: false, ack };
                    if let Some(end) = self.pass_on(SourceEvent::Message(item)).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Hands an event on. Some when there is no use in going on: an engine that stops may have stopped reading before us.
    async fn pass_on(&self, event: SourceEvent) -> Option<End> {
        tokio::select! {
            biased;
            taken = self.handoff.push(event) => (!taken).then_some(End::EngineGone),
            () = self.shutdown.cancelled() => Some(End::Shutdown),
        }
    }

    /// Tells the engine we are blind, once per reason. False when there is no use in going on.
    async fn down(&mut self, reason: String) -> bool {
        if self.told.as_ref() == Some(&reason) {
            return true;
        }
        tracing::warn!(broker = %self.settings.address, %reason, "MQTT source down");
        self.told = Some(reason.clone());
        self.pass_on(SourceEvent::Down { source: self.settings.source, reason }).await.is_none()
    }
}

/// So many connections running that end soon after they were up suggest a second client with our client id.
const TAKEOVER_SUSPECTED: u32 = 3;
/// So many connections running that end with a packet the library cannot read, and the broker is asked to forget our session.
/// What else it held for us goes with it, and shows as gaps; but the plant would stay unseen for as long as the packet is there.
const UNREADABLE_MAX: u32 = 20;

async fn say_farewell<W: Wire>(wire: &mut W) {
    if !wire.disconnect() {
        return;
    }
    // What still arrives is not acknowledged, so the broker keeps it for the next start. It is read all the same until the
    // broker hangs up: closing first, with the broker about to write, would reset the connection and take our last acks with it.
    while wire.poll().await.is_ok() {}
}
