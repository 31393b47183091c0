//! What one commit carries: everything that must become durable together before an ack, a message or a siren may leave.

use model::Timestamp;
use std::fmt;

/// What a journal row records. The text names are stored and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// An alarm transition.
    Transition,
    /// The word that people are to be told of a raise.
    Announcement,
    /// A straggler beyond a limit.
    LateExceedance,
    /// A human act as it was sent.
    Act,
    /// The answer to a human act.
    Answer,
    /// Something that happened to a case.
    Case,
    /// A notification put into the outbox.
    Notification,
    /// What became of an attempt to send one.
    Attempt,
    /// A siren's wanted state.
    Siren,
    /// A configuration that came into force.
    Config,
    /// The engine about itself: start, stop, gaps, clock steps.
    System,
    /// A payload that could not be read or assigned.
    Quarantine,
    /// What happened beside alarms and cases: windows, chattering, floods.
    Beside,
    /// Rows past their retention that are deleted from the journal's beginning.
    Cut,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Transition,
        Self::Announcement,
        Self::LateExceedance,
        Self::Act,
        Self::Answer,
        Self::Case,
        Self::Notification,
        Self::Attempt,
        Self::Siren,
        Self::Config,
        Self::System,
        Self::Quarantine,
        Self::Beside,
        Self::Cut,
    ];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transition => "transition",
            Self::Announcement => "announcement",
            Self::LateExceedance => "late-exceedance",
            Self::Act => "act",
            Self::Answer => "answer",
            Self::Case => "case",
            Self::Notification => "notification",
            Self::Attempt => "attempt",
            Self::Siren => "siren",
            Self::Config => "config",
            Self::System => "system",
            Self::Quarantine => "quarantine",
            Self::Beside => "beside",
            Self::Cut => "cut",
        }
    }
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row to be appended to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it records.
    pub kind: EntryKind,
    /// Version of the format of `bytes`.
    pub format: u16,
    /// Its identity where it has one, unique in the whole journal: the first content under a key stands, the same content again
    /// is a repeat and adds nothing, other content is set aside as a fault.
    pub key: Option<String>,
    /// The case it belongs to: how a timeline finds it.
    pub subject: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// JSON, stored and hashed as it stands.
    pub bytes: Vec<u8>,
}

/// Everything one commit makes durable, or nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The engine's time. It is part of the content by which a repeated batch is recognised, so two batches that really are
    /// two differ in it or in their rows.
    pub now: Timestamp,
    /// Journal rows, in order.
    pub entries: Vec<Entry>,
    /// Hard state rows by key, prefixed with their owner (`rules/…`, `escalation/…`); `None` deletes.
    pub state: Vec<(String, Option<Vec<u8>>)>,
    /// Soft state rows: the checkpoint.
    pub soft: Vec<(String, Vec<u8>)>,
    /// Per owner (a case id) all the timers it has from now on; an empty list leaves it none.
    pub timers: Vec<(String, Vec<TimerRow>)>,
    /// New notifications, inserted as claimed by the running engine.
    pub outbox: Vec<OutboxRow>,
    /// What became of notifications.
    pub outbox_updates: Vec<OutboxUpdate>,
    /// Acts with the answers their senders get.
    pub acts: Vec<ActRecord>,
    /// Payloads that could not be read or assigned.
    pub quarantine: Vec<QuarantineRow>,
    /// Cases whose notifications not yet sent are not to be sent any more. Applied before `outbox`: a notification that the
    /// same batch brings (the word that the case is closed) is still to be sent.
    pub supersede: Vec<String>,
    /// Cases closed now, kept for the pages after their hard state is gone.
    pub closed: Vec<ClosedCase>,
}

impl Batch {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.state.is_empty()
            && self.soft.is_empty()
            && self.timers.is_empty()
            && self.outbox.is_empty()
            && self.outbox_updates.is_empty()
            && self.acts.is_empty()
            && self.quarantine.is_empty()
            && self.supersede.is_empty()
            && self.closed.is_empty()
    }
    /// Takes out all that carries this key and puts a row in its place that keeps what the entries said: the key exists with other
    /// content, which is a fault of ours, and the rest must not suffer for it.
    pub(crate) fn set_aside(&mut self, key: &str) {
        let of_key = |entry: &Entry| entry.key.as_deref() == Some(key);
        let content: Vec<_> =
            self.entries.iter().filter(|entry| of_key(entry)).map(|entry| String::from_utf8_lossy(&entry.bytes)).collect();
        let fault = serde_json::json!({ "fault": "key-conflict", "key": key, "content": content });
        let bytes = fault.to_string().into_bytes();
        self.entries.retain(|entry| !of_key(entry));
        self.outbox.retain(|row| row.key != key);
        self.acts.retain(|act| act.id != key);
        self.entries.push(Entry { kind: EntryKind::System, format: 1, key: None, subject: None, at: self.now, bytes });
    }
    /// Empties it for the next round, keeping what it has allocated.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.state.clear();
        self.soft.clear();
        self.timers.clear();
        self.outbox.clear();
        self.outbox_updates.clear();
        self.acts.clear();
        self.quarantine.clear();
        self.supersede.clear();
        self.closed.clear();
    }
}

/// One obligation with a due time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRow {
    /// When.
    pub due: Timestamp,
    /// What, as JSON.
    pub kind: String,
}

/// A notification on its way to the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The notification key's text: a repeat with the same bytes is the same notification.
    pub key: String,
    /// Of which case.
    pub case: String,
    /// The notification, as JSON.
    pub bytes: Vec<u8>,
    /// When it came into being.
    pub at: Timestamp,
}

/// Where a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutboxStatus {
    /// Claimed by the engine that made it; nothing is known of it yet.
    Waiting,
    /// The channel took it.
    Accepted,
    /// A receipt says the person got it.
    Delivered,
    /// Failed; the same channel will be tried again.
    Retrying,
    /// Failed for good on this channel.
    Failed,
    /// Not to be sent any more.
    Superseded,
}

impl OutboxStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Waiting, Self::Accepted, Self::Delivered, Self::Retrying, Self::Failed, Self::Superseded];

    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
    /// Still to be sent: what a start takes up again.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Retrying)
    }
    /// What a row of this status becomes on word of `news`. Receipts come late and out of order, so what has reached a person
    /// is never unsaid, and a row that is not to be sent any more is not brought back by the failure of an attempt then under way.
    #[must_use]
    pub const fn after(self, news: Self) -> Self {
        match (self, news) {
            (Self::Delivered, _) => Self::Delivered,
            // It went out all the same: the record says so.
            (Self::Superseded, Self::Accepted | Self::Delivered) => news,
            (Self::Superseded, _) => Self::Superseded,
            // Only rows not yet sent can be superseded, and nothing becomes unknown again.
            (Self::Accepted | Self::Failed, Self::Superseded) | (_, Self::Waiting) => self,
            _ => news,
        }
    }
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxUpdate {
    /// Which.
    pub key: String,
    /// The news; see [`OutboxStatus::after`] for what it makes of the row.
    pub status: OutboxStatus,
    /// Attempts so far. Never falls.
    pub attempts: u32,
    /// What the other side said; empty leaves the former answer.
    pub answer: String,
    /// The very words sent; empty (a receipt) leaves the former words.
    pub words: String,
    /// When.
    pub at: Timestamp,
}

/// An act with its first answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRecord {
    /// The act's id.
    pub id: String,
    /// The act as it was sent, to tell a repeat from another act under the same id.
    pub request: Vec<u8>,
    /// The answer its sender gets, now and on every repeat.
    pub answer: Vec<u8>,
}

/// A payload that could not be read or assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Where it came from, as precisely as is known: broker, enterprise or gateway. Rows are bounded per source.
    pub source: String,
    /// Its topic.
    pub topic: String,
    /// Why, as a short stable name: it is counted by source and reason.
    pub reason: String,
    /// Why, in words for the integrator.
    pub detail: String,
    /// When it was received.
    pub at: Timestamp,
    /// The payload. Kept up to [`model::bounds::QUARANTINE_BYTES_MAX`] bytes; its whole length is recorded.
    pub bytes: Vec<u8>,
}

/// A closed case as the pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedCase {
    /// Which.
    pub case: String,
    /// Whose: who may see it is decided from this.
    pub enterprise: String,
    /// When it was closed.
    pub at: Timestamp,
    /// The case, as JSON.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_differ() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::parse(kind.name()), Some(kind));
        }
        for status in OutboxStatus::ALL {
            assert_eq!(OutboxStatus::parse(status.name()), Some(status));
        }
        assert_eq!(EntryKind::parse("Transition"), None);
    }

    #[test]
    fn what_reached_a_person_is_never_unsaid() {
        for news in OutboxStatus::ALL {
            assert_eq!(OutboxStatus::Delivered.after(news), OutboxStatus::Delivered);
            assert_ne!(OutboxStatus::Accepted.after(news), OutboxStatus::Superseded);
        }
        assert_eq!(OutboxStatus::Superseded.after(OutboxStatus::Retrying), OutboxStatus::Superseded);
        assert_eq!(OutboxStatus::Superseded.after(OutboxStatus::Delivered), OutboxStatus::Delivered);
        assert_eq!(OutboxStatus::Failed.after(OutboxStatus::Delivered), OutboxStatus::Delivered, "a late receipt");
        assert_eq!(OutboxStatus::Accepted.after(OutboxStatus::Failed), OutboxStatus::Failed, "a receipt that says no");
        for status in OutboxStatus::ALL {
            assert_eq!(status.after(OutboxStatus::Waiting), status);
        }
    }
}
