//! What the engine is measured against: the same client or broker with nothing behind it. No store, no delays, no cases: a value
//! beyond the limit sounds the siren, one below it stops it. Run as a process of its own, like the engine.

use super::plant::{CLEAR, TOXIC};
use mqtt5::broker::config::{AuthConfig, BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::{BrokerEventHandler, ClientPublishEvent, MqttBroker, PublishAction};
use mqtt5::packet::publish::PublishPacket;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, QoS};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Set for a child process that is to be a bare loop.
pub const AS: &str = "WATCHFIRE_BENCH_AS";
/// The limit.
const LIMIT: f64 = (TOXIC + CLEAR) / 2.0;

/// Becomes the bare loop where this process was started as one; does not return then.
pub fn run_if_asked() {
    let Ok(text) = std::env::var(AS) else { return };
    let mut words = text.split(' ');
    let kind = words.next().unwrap();
    let [port, ask] = [(); 2].map(|()| words.next().unwrap().parse::<u16>().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let counter = Arc::new(AtomicU64::new(0));
    match kind {
        "loop" => runtime.block_on(client(port, ask, counter)),
        _ => runtime.block_on(hook(port, ask, counter)),
    }
    std::process::exit(0);
}

/// Answers every connection with the count.
fn answer(ask: u16, counter: Arc<AtomicU64>) {
    let listener = TcpListener::bind(("127.0.0.1", ask)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = write!(stream, "{}", counter.load(Ordering::Relaxed));
        }
    });
}

#[derive(Deserialize)]
struct Reading {
    value: f64,
}

/// The newest side of the limit per topic.
#[derive(Default)]
struct Limits(HashMap<String, bool>);

impl Limits {
    /// The siren's topic and command, where the reading changes it.
    fn judge(&mut self, topic: &str, payload: &[u8]) -> Option<(String, Vec<u8>)> {
        let above = serde_json::from_slice::<Reading>(payload).ok()?.value >= LIMIT;
        match self.0.get_mut(topic) {
            Some(before) if *before == above => return None,
            Some(before) => *before = above,
            None => {
                self.0.insert(topic.to_owned(), above);
                if !above {
                    return None;
                }
            }
        }
        let topic = topic.replace("GT-", "siren/SL-");
        Some((topic, format!("{{\"sound\":{above},\"light\":{above},\"level\":\"red\"}}").into_bytes()))
    }
}

fn connect(port: u16, client_id: &str, clean: bool) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", port);
    options.set_clean_session(clean).set_manual_acks(true).set_inflight(100).set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut events) = AsyncClient::new(options, 65_535);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    (client, events)
}

/// rumqttc with manual acks, alarms on a connection of their own.
async fn client(port: u16, ask: u16, counter: Arc<AtomicU64>) {
    let (sirens, mut siren_events) = connect(port, "bare-sirens", true);
    tokio::spawn(async move { while siren_events.poll().await.is_ok() {} });
    let (reader, mut events) = connect(port, "bare", false);
    reader.try_subscribe("watchfire/v1/+/+", QoS::AtLeastOnce).unwrap();
    let mut limits = Limits::default();
    while let Ok(event) = events.poll().await {
        match event {
            Event::Incoming(Packet::Publish(publish)) => {
                if let Some((topic, command)) = limits.judge(&publish.topic, &publish.payload) {
                    sirens.try_publish(topic, QoS::AtLeastOnce, false, command).unwrap();
                }
                reader.try_ack(&publish).unwrap();
                counter.fetch_add(1, Ordering::Relaxed);
            }
            Event::Incoming(Packet::SubAck(_)) => answer(ask, counter.clone()),
            _ => {}
        }
    }
}

struct Hook {
    limits: Mutex<Limits>,
    router: OnceLock<Arc<MessageRouter>>,
    counter: Arc<AtomicU64>,
}

impl BrokerEventHandler for Hook {
    fn on_client_publish<'a>(&'a self, event: ClientPublishEvent) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(async move {
            let command = self.limits.lock().unwrap().judge(&event.topic, &event.payload);
            if let (Some((topic, command)), Some(router)) = (command, self.router.get()) {
                router.route_message(&PublishPacket::new(topic, command, mqtt5::QoS::AtLeastOnce), None).await;
            }
            self.counter.fetch_add(1, Ordering::Relaxed);
            PublishAction::Continue
        })
    }
}

/// The library of the built-in broker with a hook that answers at once.
async fn hook(port: u16, ask: u16, counter: Arc<AtomicU64>) {
    let hook = Arc::new(Hook { limits: Mutex::default(), router: OnceLock::new(), counter: counter.clone() });
    let mut storage = StorageConfig::new();
    storage.backend = StorageBackend::Memory;
    let config = BrokerConfig::default()
        .with_bind_address(([127, 0, 0, 1], port))
        .with_storage(storage)
        .with_sys_topics_enabled(false)
        .with_auth(AuthConfig::new().with_allow_anonymous(true))
        .with_event_handler(hook.clone());
    let mut broker = MqttBroker::with_config(config).await.unwrap();
    let _ = hook.router.set(broker.router());
    answer(ask, counter);
    let _ = broker.run().await;
}
