//! What a message says beyond its notification: looked up at the moment of sending, by whoever holds the plant.

use model::plant::Rationale;
use model::{Notification, Quality, Signal, Timestamp};
use std::sync::Arc;

/// Looks up what a message needs at the moment it is sent. Called from the notifier's tasks: must be quick and must not block.
pub trait Facts: Send + Sync {
    /// The facts for a notification; none where the tag has left the configuration, and then the message is worded from the
    /// notification alone.
    fn facts(&self, notification: &Notification) -> Option<MessageFacts>;
}

/// The newest reading of the tag, as the engine holds it at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurrentValue {
    /// None where the payload's value could not be read.
    pub value: Option<f64>,
    /// Its quality.
    pub quality: Quality,
    /// The tag's time of it.
    pub source_time: Timestamp,
    /// The tag or its gateway is silent: this is the last value, not the present one.
    pub stale: bool,
}

/// What one message says. Holds no person's name or number.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageFacts {
    /// Short name of the enterprise.
    pub enterprise: String,
    /// Name of the equipment or area.
    pub equipment: String,
    /// Name 名称 of the tag.
    pub tag_name: String,
    /// What it measures.
    pub signal: Signal,
    /// Its unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// What 0 and 1 are called, for a discrete signal.
    pub labels: Option<[String; 2]>,
    /// The value at the moment of sending; none where the tag never had one.
    pub current: Option<CurrentValue>,
    /// Case number 单号 for people.
    pub number: String,
    /// The alarm still stands (active, latched or faulted).
    pub still_standing: bool,
    /// Raises folded into the announcement.
    pub folded: u32,
    /// For a gateway: how many tags its loss explains; else 0.
    pub members: u32,
    /// When handling is due.
    pub handle_by: Option<Timestamp>,
    /// What the limit's rationalisation says; none where nobody wrote it.
    pub rationale: Option<Arc<Rationale>>,
    /// The page of the case below the public address, such as `/cases/…`, already percent-encoded.
    pub link: Option<String>,
}

impl MessageFacts {
    /// What the notification itself says, for a tag nobody can look up any more: a message with an id in it beats none.
    pub fn bare(notification: &Notification) -> Self {
        let tag = &notification.alarm.tag;
        Self {
            enterprise: tag.enterprise.to_string(),
            equipment: String::new(),
            tag_name: String::new(),
            signal: Signal::Other,
            unit: String::new(),
            decimals: 1,
            labels: None,
            current: None,
            number: notification.key.case.to_string(),
            still_standing: true,
            folded: 0,
            members: 0,
            handle_by: None,
            rationale: None,
            link: None,
        }
    }
}
