//! The history of readings: every one, good, uncertain, bad and late, as it was measured, received and taken by the engine.
//!
//! It lives in `history.db`, apart from the journal, with a thread of its own that is at most a second behind: what the engine
//! promises of alarms never waits for it. Readings first go to a tail, as they came; from there, some hundred per tag at a time,
//! into compressed chunks, and small chunks into larger ones. A chunk carries a summary, so that a trend over a year decodes
//! nothing and a backtest skips what cannot change anything.
//!
//! What is missing is said: readings that were lost (by a crash, by a disk that was full or too slow, by damage) leave a [`Gap`].
//! A damaged chunk is reported and skipped, never believed and never a panic.
//!
//! The unit of compression is a *group*: up to [`GROUP_TAGS_MAX`] tags of one gateway. They are sent together, so their times are
//! stored once. All chunks of a group over one stretch of time are a *segment*; retention takes whole segments.

mod chunk;
mod column;
mod lean;
mod queue;
mod reader;
mod store;
mod stored;
mod survey;
mod tail;
mod tape;
#[cfg(test)]
mod tests;
mod trend;
mod writer;

pub use chunk::{CHUNK_READINGS_MAX, PART_READINGS, Part, Summary, View};
pub use queue::{HistoryQueue, News};
pub use reader::{Chunk, Damaged, HistoryReader, Visit};
pub use store::GROUP_TAGS_MAX;
pub use stored::Unreadable;
pub use survey::{BLOCK_READINGS, Survey};
pub use tape::Tape;
pub use trend::{Point, Trend};
pub use writer::{HistoryFile, HistoryWriter, Retention};

use model::{Plant, Reading, TagId, Timestamp};

/// The file, in the folder of the journal.
pub const HISTORY_FILE: &str = "history.db";

/// A reading as the engine took it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryReading {
    /// As ingest gave it.
    pub reading: Reading,
    /// The engine's `now` when it evaluated the reading.
    pub taken: Timestamp,
    /// Which of the readings taken at that same `now` it was: `(taken, rank)` is the order in which the engine took them.
    pub rank: u32,
    /// Whether its tag was under test (检维修/标定) then.
    pub under_test: bool,
}

/// What readings name by index. A plant is one; so is any list of tags with what they are sent through.
pub trait Tags: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// The tag at an index.
    fn id(&self, at: usize) -> &TagId;
    /// What it is sent through: tags of one name are stored together.
    fn sent_through(&self, at: usize) -> String;
}

impl Tags for Plant {
    fn count(&self) -> usize {
        self.tags.len()
    }
    fn id(&self, at: usize) -> &TagId {
        &self.tags[at].id
    }
    fn sent_through(&self, at: usize) -> String {
        let tag = &self.tags[at];
        let gateway = self.gateway_of(tag).map_or("", |gateway| gateway.id.as_str());
        format!("{}/{gateway}", tag.id.enterprise)
    }
}

impl Tags for Vec<(TagId, String)> {
    fn count(&self) -> usize {
        self.len()
    }
    fn id(&self, at: usize) -> &TagId {
        &self[at].0
    }
    fn sent_through(&self, at: usize) -> String {
        self[at].1.clone()
    }
}

/// Why readings are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// They came faster than they could be written, or could not be written at all.
    Overflow,
    /// The process or the machine ended without a stop.
    Crash,
    /// What was stored is damaged.
    Damage,
}

impl GapReason {
    const ALL: [Self; 3] = [Self::Overflow, Self::Crash, Self::Damage];
    /// The name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Crash => "crash",
            Self::Damage => "damage",
        }
    }
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Overflow => "写入不及",
            Self::Crash => "异常中断",
            Self::Damage => "存储损坏",
        }
    }
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// A span, in the engine's time, of which readings are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// From here on.
    pub from: Timestamp,
    /// Up to and including here.
    pub to: Timestamp,
    /// How many are missing, where that is known.
    pub lost: Option<u64>,
    /// Why.
    pub why: GapReason,
}

/// What is wrong with stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of the history is damaged: {0}")]
pub struct Damage(pub(crate) &'static str);
