//! How readings get in: MQTT sources behind one trait, the native payload decoder, and the reasons for quarantine.
//!
//! A gateway's message is ours the moment the broker may forget it, that is with our PUBACK. So the one rule of this crate is
//! that nothing is acknowledged before its [`AckHandle`] says so, and the engine says so only after the commit that the
//! message depends on. An ack belongs to the connection its message came on and dies with it: a late one can never
//! acknowledge another message that happens to carry the same packet id.
//!
//! Architecture invariants: only this crate knows MQTT and payload formats; it knows no rules, no cases and no store. It keeps
//! nothing across a restart (the broker's session and the journal do). It never publishes through an ingest connection.
//! Time comes in through a [`Clock`], read once per message; [`std::time::Instant`] and tokio timers only drive
//! keep-alive and back-off. Decoding is a function of (plant, topic, payload, receive time).

mod ack;
mod address;
mod client;
mod decode;
mod embedded;
mod item;
mod lookup;
mod quick;
mod reject;
mod scan;
mod sink;
pub mod topic;
mod wire_v4;
mod wire_v5;

pub use ack::AckHandle;
pub use address::{AddressError, BrokerAddress, Secret, TlsFiles};
pub use client::{MqttSettings, MqttSource, Protocol, Timing};
pub use decode::{Decoded, Decoder};
pub use embedded::{EmbeddedBroker, EmbeddedConfig, EmbeddedError, GatewayCredential};
pub use item::{Clock, Item, Publisher, Source, SourceEvent, SourceId};
pub use reject::{Reject, RejectReason};
pub use sink::Sink;
