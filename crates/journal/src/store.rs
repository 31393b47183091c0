//! The two sides of the store: [`Store`], the engine's one writer, and [`Reader`], for pages and programs that only look.
//!
//! Neither trait knows SQL, files or connections, so that PostgreSQL can stand behind them as SQLite does.

use crate::{ActRecord, Batch, ChainHash, ClosedCase, Entry, EntryKind, OutboxRow, OutboxStatus, TimerRow};
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Why the store did not do what was asked: one variant per thing the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Whether it was committed is unknown or it was not: commit the same batch again.
    #[error("the store could not finish, try the same again: {0}")]
    Retry(String),
    /// Nothing later may be trusted to this process (a failed fsync, I/O, a damaged file): stop, let the supervisor start anew.
    #[error("the store has failed: {0}")]
    Fatal(String),
    /// The disk is full: nothing of the batch was committed. Hold the acks, raise a system alarm, commit the same batch again.
    #[error("the disk that holds the store is full")]
    Full,
    /// Another engine works on this store: refuse to start.
    #[error("another engine holds the store: {0}")]
    Locked(String),
    /// Written by another version, or not by this program: tell the operator, do not touch it.
    #[error("the store does not fit this program: {0}")]
    Version(String),
    /// A reader's question took longer than [`READ_DEADLINE`]: ask for less.
    #[error("the question took too long to answer; ask for less")]
    Deadline,
}

/// How long a reader's question may take. A reader that stays longer keeps the write-ahead log from being emptied.
pub const READ_DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);
/// Rows a reader gives in one answer, whatever was asked for.
pub const READ_ROWS_MAX: usize = 10_000;

/// How a store is, besides what it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Keys that came a second time with other content since the store was opened: what carried them was set aside.
    pub conflicts: u64,
    /// Commits that are durable and cannot be read yet.
    pub behind: u64,
    /// How long the oldest of them has been so.
    pub waits: Option<std::time::Duration>,
    /// Why these cannot be worked in for now. Commits are taken as long as there is room for them.
    pub trouble: Option<String>,
    /// Why the newest [`Store::cut`] deleted nothing.
    pub uncut: Option<String>,
}

/// All an engine needs to go on where the last one stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The newest `now` that was committed: time goes on from there and never before it.
    pub last_now: Option<Timestamp>,
    /// Hard state rows, by key.
    pub hard: Vec<(String, Vec<u8>)>,
    /// Soft state rows, by key.
    pub soft: Vec<(String, Vec<u8>)>,
    /// Timers by owner, each owner's in the order they were given.
    pub timers: Vec<(String, Vec<TimerRow>)>,
    /// Notifications not known to be sent, oldest first, with their status and attempts. One that was being sent when the engine
    /// died is among them: it is sent again under the same key.
    pub outbox_open: Vec<(OutboxRow, OutboxStatus, u32)>,
    /// The last engine stopped by [`Store::mark_clean_stop`] and committed nothing after it.
    pub clean_stop: bool,
    /// The newest journal row; 0 when there is none.
    pub last_seq: u64,
    /// Its hash.
    pub chain_head: ChainHash,
}

/// The engine's one writer.
pub trait Store: Send {
    /// Makes the whole batch durable or nothing of it, and answers only when it is on the disk.
    ///
    /// Committing the batch that was committed last once more changes nothing, also after the store was opened
    /// anew: that is how an unknown outcome is resolved. An empty batch is no commit.
    ///
    /// A key that exists with other content is a fault of ours: what carries it is left out, a row of kind [`EntryKind::System`]
    /// says so in its place, and [`Health::conflicts`] counts it.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;
    /// Reads all that the last engine left.
    fn load(&mut self) -> Result<Snapshot, StoreError>;
    /// The first answer to the act of this id.
    fn act_answer(&mut self, id: &str) -> Result<Option<ActRecord>, StoreError>;
    /// The engine stops in good order: nothing is in hand. Holds until the next commit or the next opening.
    fn mark_clean_stop(&mut self, now: Timestamp) -> Result<(), StoreError>;
    /// Deletes a piece of the journal whose announcement has been committed, and with it what else ended before its newest row:
    /// notifications, answers to acts, closed cases, quarantine. Nobody waits for it and no alarm depends on it: it may happen later,
    /// and where it cannot be done the rows stay and [`Health::uncut`] says why.
    fn cut(&mut self, piece: &Piece);
    /// How it is. Answers at once.
    fn health(&self) -> Health;
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub seq: u64,
    /// What it records.
    pub kind: EntryKind,
    /// Version of the format of `bytes`.
    pub format: u16,
    /// Its identity.
    pub key: Option<String>,
    /// The case it belongs to.
    pub subject: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// JSON.
    pub bytes: Vec<u8>,
    /// Its hash.
    pub hash: ChainHash,
}

/// No journal is older (2026-11-24): an earlier stamp is of a clock that nobody had set, and says nothing about a row's age.
pub const STAMPS_FROM: Timestamp = Timestamp(1_795_478_400_000_000);

/// A row's place, for those who ask how old the journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Its place.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
    /// When it happened. A row stamped before [`STAMPS_FROM`] is taken to be as old as the next one that is not.
    pub at: Timestamp,
}

/// Rows from the journal's beginning on that are past their retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The last of them.
    pub through: u64,
    /// Its hash: what the row after it names as the one before.
    pub hash: ChainHash,
    /// How many.
    pub rows: u64,
    /// When the first of them happened.
    pub oldest: Timestamp,
    /// When the last of them happened.
    pub newest: Timestamp,
}

/// What a row of kind [`EntryKind::Cut`] says.
#[derive(Serialize, Deserialize)]
struct Announced {
    through: u64,
    hash: String,
    rows: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl Piece {
    /// The row that must be in the chain before the piece may go: without it the journal's beginning was cut off by somebody else.
    pub fn announcement(&self, now: Timestamp) -> Entry {
        let Self { through, hash, rows, oldest, newest } = *self;
        let said = Announced { through, hash: hash.to_string(), rows, oldest, newest };
        let bytes = serde_json::to_vec(&said).expect("our own types serialise");
        Entry { kind: EntryKind::Cut, format: 1, key: Some(Self::key(through)), subject: None, at: now, bytes }
    }
    /// The key of the row that announces the piece that ends there.
    pub(crate) fn key(through: u64) -> String {
        format!("cut:{through}")
    }
    /// The piece that such a row announced.
    pub(crate) fn announced(bytes: &[u8]) -> Option<Self> {
        let Announced { through, hash, rows, oldest, newest } = serde_json::from_slice(bytes).ok()?;
        Some(Self { through, hash: ChainHash::parse(&hash)?, rows, oldest, newest })
    }
}

/// Some rows, and where the next page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, at most as many as were asked for.
    pub rows: Vec<T>,
    /// Ask again from here; `None` at the end. A page may be short or empty and have a next one: how much is searched for one
    /// answer is bounded too.
    pub next: Option<u64>,
}

/// A notification with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its place in the order of coming into being: where the next older page starts.
    pub position: u64,
    /// The notification.
    pub row: OutboxRow,
    /// Where it is.
    pub status: OutboxStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// What the other side said last.
    pub answer: String,
    /// The very words sent.
    pub words: String,
    /// When the last news of it came.
    pub updated: Timestamp,
}

/// Which notifications. Every part that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// To this person.
    pub person: Option<String>,
    /// Of this case.
    pub case: Option<String>,
    /// Older than this position.
    pub before: Option<u64>,
}

/// A quarantined payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRecord {
    /// The payload, cut to the bound.
    pub row: crate::QuarantineRow,
    /// Its whole length in bytes.
    pub length: u64,
}

/// How many payloads of one source were quarantined for one reason, kept or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineTotal {
    /// The source.
    pub source: String,
    /// The reason.
    pub reason: String,
    /// So many.
    pub count: u64,
    /// The first.
    pub first: Timestamp,
    /// The newest.
    pub last: Timestamp,
}

/// What is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// Newest first.
    pub rows: Vec<QuarantineRecord>,
    /// By source and reason.
    pub totals: Vec<QuarantineTotal>,
}

/// Where the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The newest row; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
}

/// How much room the store takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in all.
    pub bytes: u64,
    /// Of them not yet worked in (write-ahead log): growing without end means a reader holds on to an old state.
    pub pending_bytes: u64,
}

/// For those who only look. Blocking: call it from a thread that may block. Answers come from committed state only.
pub trait Reader: Send + Sync {
    /// What the journal holds of a case, oldest first, from row `from` on.
    fn timeline(&self, case: &str, from: u64, limit: usize) -> Result<Page<Record>, StoreError>;
    /// Journal rows of these kinds (all when empty) from row `from` on, oldest first.
    fn entries(&self, kinds: &[EntryKind], from: u64, limit: usize) -> Result<Page<Record>, StoreError>;
    /// Journal rows of these kinds (all when empty) before row `before` (`None`: from the end), newest first.
    fn newest(&self, kinds: &[EntryKind], before: Option<u64>, limit: usize) -> Result<Page<Record>, StoreError>;
    /// The journal's oldest rows.
    fn oldest(&self, limit: usize) -> Result<Vec<Stamped>, StoreError>;
    /// The row with this key.
    fn entry(&self, key: &str) -> Result<Option<Record>, StoreError>;
    /// Notifications, newest first.
    fn outbox(&self, filter: &OutboxFilter, limit: usize) -> Result<Vec<OutboxRecord>, StoreError>;
    /// The newest quarantined payloads, of one source or of all, and the totals.
    fn quarantine(&self, source: Option<&str>, limit: usize) -> Result<Quarantine, StoreError>;
    /// Cases closed before `before` (`None`: up to now), newest first; of these enterprises only, where given.
    fn closed_cases(&self, enterprises: Option<&[String]>, before: Option<Timestamp>, limit: usize) -> Result<Vec<ClosedCase>, StoreError>;
    /// One closed case.
    fn closed_case(&self, case: &str) -> Result<Option<ClosedCase>, StoreError>;
    /// Hard state rows whose key starts with `prefix`, by key.
    fn state(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;
    /// Checkpoint rows whose key starts with `prefix`, by key.
    fn soft(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;
    /// Where the journal ends: what to write down elsewhere as an anchor.
    fn head(&self) -> Result<Head, StoreError>;
    /// How much room the store takes.
    fn usage(&self) -> Result<Usage, StoreError>;
}
