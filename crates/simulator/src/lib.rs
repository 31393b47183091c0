//! A plant that behaves: tanks, detectors, gateways, faults, phones and people, for the demo, benches and tests.
//!
//! It knows the engine only from outside: gateways are real MQTT clients on a socket, people act through the HTTP API with
//! their own logins, phones are an HTTP server that the notifier's webhooks reach. Nothing here is linked into what decides.

mod gateway;
mod people;
mod phones;
mod physics;

pub use gateway::{Fleet, FleetError};
pub use people::{Desk, DeskError};
pub use phones::{Call, Phones};
pub use physics::{County, Fault};

use model::Timestamp;
use std::sync::Arc;

/// The clock of the simulated county, possibly faster than ours.
#[derive(Clone)]
pub struct SimulatedClock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    factor: f64,
}

impl SimulatedClock {
    /// A clock that runs `factor` times as fast as ours.
    pub fn new(now: Arc<dyn Fn() -> Timestamp + Send + Sync>, factor: f64) -> Self {
        Self { now, factor }
    }
    /// The county's time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }
    /// How long we wait for `simulated` to pass there.
    pub fn real(&self, simulated: model::Duration) -> std::time::Duration {
        simulated.to_std().div_f64(self.factor)
    }
}
