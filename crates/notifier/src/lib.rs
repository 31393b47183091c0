//! Outbox to channels: the last step between an alarm and a telephone that rings.
//!
//! The engine hands over each [`Notification`](model::Notification) after the transaction that holds it is committed (and, at
//! boot, those still open). A channel words it with the value of that very moment, sends it, and reports every attempt as a
//! [`model::Attempt`], which the engine journals and escalation reads: a channel that gives up is itself news, because then
//! the recipient's next channel is tried. [`SirenDriver`] does the same for the on-site sound and light, over a broker
//! connection of its own.
//!
//! Architecture invariants: this crate has no store and writes no alarm state. Nothing is dropped in silence: whatever is not
//! sent (budget spent, queue full, template broken) is reported as [`Failed`](model::AttemptResult::Failed) with the reason.
//! A call whose end is unknown is made again with the same key, so people may get a message twice and never not at all.
//! Only the body of a webhook call holds a telephone number; logs, answers, `Debug` and errors hold `138****1234`.
//!
//! Time comes in as [`Clock`] for what people read and for budgets; waiting uses tokio's timer, divided by the factor by which
//! a demonstration runs faster.

mod budget;
mod channel;
mod civil;
mod contacts;
mod facts;
mod mqtt;
mod notifier;
mod queue;
mod siren;
mod webhook;
mod words;
mod worker;

pub use channel::{Budget, ChannelConfig, Driver, Form, Lang, Retry, Secret, WebhookConfig};
pub use contacts::{Contacts, Phone, mask_phones};
pub use facts::{CurrentValue, Facts, MessageFacts};
pub use mqtt::MqttSirenPublisher;
pub use notifier::{ChannelStatus, Clock, Notifier, NotifierConfig, Report};
pub use siren::{SirenCommand, SirenConfig, SirenDriver, SirenPublish, Urgency};
pub use words::Templates;

/// Why the notifier could not start. All are for the operator to mend before an alarm depends on them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifierError {
    /// The contacts file could not be read.
    #[error("contacts {path}: {reason}")]
    Contacts {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A message or body template has a fault.
    #[error("template {name}: {reason}")]
    Template {
        /// Which one, such as `zh-short` or `channel sms`.
        name: String,
        /// What is wrong with it, with the line.
        reason: String,
    },
    /// A channel cannot work as configured.
    #[error("channel {channel}: {reason}")]
    Channel {
        /// Which one.
        channel: model::ChannelId,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}
