//! Gateways: one real MQTT client each, sending all its tags every interval, QoS 1.

use crate::{County, Fault, SimulatedClock};
use model::{BodyId, Duration, TagId, TagIndex, Timestamp, topic};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// A gateway sends a batch above this many tags, single readings below.
const SINGLE_TAGS_MAX: usize = 6;
/// Messages a gateway may have on their way; what it reads beyond that is dropped, as small gateways do.
const IN_FLIGHT_MAX: u16 = 100;
/// A lost connection is tried again after this long.
const RECONNECT_AFTER: std::time::Duration = std::time::Duration::from_millis(50);

/// Why the fleet could not start.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The broker's address does not parse.
    #[error("`{0}` is no broker address; write mqtt://host:port")]
    Address(String),
    /// No such tag.
    #[error("no tag {0} in the plant")]
    NoSuchTag(TagId),
    /// No such gateway.
    #[error("no gateway {0} at {1}")]
    NoSuchGateway(String, String),
}

/// All gateways of a county.
pub struct Fleet {
    county: Arc<Mutex<County>>,
    clock: SimulatedClock,
    cut: BTreeMap<(String, String), Arc<AtomicBool>>,
    sent: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    shutdown: CancellationToken,
}

impl Fleet {
    /// Connects every gateway to `mqtt` (`mqtt://host:port`) and lets it send. `credentials` gives the user name and secret of
    /// a gateway by enterprise, where the broker asks for one.
    pub fn start(
        county: County,
        mqtt: &str,
        clock: SimulatedClock,
        credentials: &BTreeMap<String, (String, String)>,
    ) -> Result<Self, FleetError> {
        let (host, port) = mqtt
            .strip_prefix("mqtt://")
            .and_then(|rest| rest.trim_end_matches('/').rsplit_once(':'))
            .and_then(|(host, port)| Some((host.to_owned(), port.parse::<u16>().ok()?)))
            .ok_or_else(|| FleetError::Address(mqtt.to_owned()))?;
        let plant = county.plant().clone();
        let county = Arc::new(Mutex::new(county));
        let shutdown = CancellationToken::new();
        let (sent, acknowledged) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut cut = BTreeMap::new();
        for (number, gateway) in plant.gateways.iter().enumerate() {
            let is_cut = Arc::new(AtomicBool::new(false));
            cut.insert((gateway.enterprise.to_string(), gateway.id.to_string()), is_cut.clone());
            let mut options = MqttOptions::new(format!("sim-{}-{}", gateway.enterprise, gateway.id), host.clone(), port);
            options.set_keep_alive(std::time::Duration::from_secs(10)).set_inflight(IN_FLIGHT_MAX);
            if let Some((username, secret)) = credentials.get(gateway.enterprise.as_str()) {
                options.set_credentials(username, secret);
            }
            let worker = Gateway {
                enterprise: gateway.enterprise.clone(),
                members: gateway.members.iter().map(|tag| (*tag, plant.tag(*tag).id.tag.to_string())).collect(),
                interval: gateway.interval,
                // Gateways do not send in step.
                offset: Duration(gateway.interval.0 * number as i64 / plant.gateways.len().max(1) as i64),
                county: county.clone(),
                clock: clock.clone(),
                cut: is_cut,
                sent: sent.clone(),
                acknowledged: acknowledged.clone(),
                sequence: 0,
            };
            tokio::spawn(worker.run(options, shutdown.clone()));
        }
        Ok(Self { county, clock, cut, sent, acknowledged, shutdown })
    }

    /// Lays a fault over a tag.
    pub fn fault(&self, enterprise: &str, tag: &str, fault: Fault) -> Result<(), FleetError> {
        let mut county = self.county();
        let index = find(&county, enterprise, tag)?;
        county.set_fault(index, fault, self.clock.now());
        Ok(())
    }

    /// Takes a fault away; the value eases back within `over`.
    pub fn mend(&self, enterprise: &str, tag: &str, over: Duration) -> Result<(), FleetError> {
        let mut county = self.county();
        let index = find(&county, enterprise, tag)?;
        county.clear_fault(index, self.clock.now(), over);
        Ok(())
    }

    /// Cuts a gateway's line, or joins it again.
    pub fn set_cut(&self, enterprise: &str, gateway: &str, cut: bool) -> Result<(), FleetError> {
        let line = self
            .cut
            .get(&(enterprise.to_owned(), gateway.to_owned()))
            .ok_or_else(|| FleetError::NoSuchGateway(gateway.to_owned(), enterprise.to_owned()))?;
        line.store(cut, Ordering::Relaxed);
        Ok(())
    }

    /// Messages handed to the sockets, and messages the broker acknowledged.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.acknowledged.load(Ordering::Relaxed))
    }

    /// Hangs up.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    fn county(&self) -> std::sync::MutexGuard<'_, County> {
        self.county.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop();
    }
}

fn find(county: &County, enterprise: &str, tag: &str) -> Result<TagIndex, FleetError> {
    county.plant().find_tag(enterprise, tag).ok_or_else(|| FleetError::NoSuchTag(TagId::new(enterprise, tag)))
}

struct Gateway {
    enterprise: BodyId,
    members: Vec<(TagIndex, String)>,
    interval: Duration,
    offset: Duration,
    county: Arc<Mutex<County>>,
    clock: SimulatedClock,
    cut: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    sequence: u64,
}

impl Gateway {
    async fn run(mut self, options: MqttOptions, shutdown: CancellationToken) {
        let (client, mut connection) = AsyncClient::new(options, usize::from(IN_FLIGHT_MAX));
        let mut network = connection.network_options();
        network.set_tcp_nodelay(true);
        connection.set_network_options(network);
        let (cut, acknowledged, ended) = (self.cut.clone(), self.acknowledged.clone(), shutdown.clone());
        tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    () = ended.cancelled() => return,
                    event = connection.poll() => event,
                };
                match event {
                    Ok(Event::Incoming(Packet::PubAck(_))) => {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(RECONNECT_AFTER).await,
                }
                while cut.load(Ordering::Relaxed) && !ended.is_cancelled() {
                    tokio::time::sleep(RECONNECT_AFTER).await;
                }
            }
        });
        let mut next = self.clock.now() + self.offset;
        loop {
            let wait = self.clock.real(next.since(self.clock.now()));
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let now = self.clock.now();
            // A process that was stopped for a while does not send the rounds it missed.
            next = (next + self.interval).max(now);
            if self.cut.load(Ordering::Relaxed) {
                continue;
            }
            for (topic, payload) in self.round(now) {
                if client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok() {
                    self.sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn round(&mut self, now: Timestamp) -> Vec<(String, Vec<u8>)> {
        self.sequence += 1;
        let mut county = self.county.lock().unwrap_or_else(PoisonError::into_inner);
        let readings: Vec<(&str, serde_json::Value)> = self
            .members
            .iter()
            .map(|(index, tag)| {
                let (value, good) = county.read(*index, now);
                let quality = if good { "good" } else { "bad" };
                (tag.as_str(), serde_json::json!({ "ts": now.as_millis(), "value": value, "quality": quality, "seq": self.sequence }))
            })
            .collect();
        county.tick(now);
        drop(county);
        if readings.len() <= SINGLE_TAGS_MAX {
            return readings
                .into_iter()
                .map(|(tag, reading)| (topic::of_tag(&TagId::new(self.enterprise.clone(), tag)), reading.to_string().into_bytes()))
                .collect();
        }
        let batch: Vec<serde_json::Value> = readings
            .into_iter()
            .map(|(tag, mut reading)| {
                reading["tag"] = tag.into();
                reading
            })
            .collect();
        vec![(topic::of_batch(&self.enterprise), serde_json::Value::Array(batch).to_string().into_bytes())]
    }
}
