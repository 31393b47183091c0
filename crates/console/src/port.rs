//! What the console needs of the rest: somebody who takes acts, somebody who reads the records. Implemented where it is wired.

use crate::Message;
use model::{Act, ActAnswer, Actor, Attempt, BodyId, Case, CaseEvent, CaseId, Notification, Timestamp, Transition};
use std::future::Future;
use std::pin::Pin;

/// The engine did not take the act or is gone. The act may or may not come to be done: sending it again with its id is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine did not answer")]
pub struct EngineBusy;

/// An act on its way.
pub type ActFuture<'a> = Pin<Box<dyn Future<Output = Result<ActAnswer, EngineBusy>> + Send + 'a>>;

/// The engine as the console sees it.
pub trait Engine: Send + Sync {
    /// Sends an act; answers after its commit. A repeat of its id gets the first answer.
    fn act(&self, act: Act) -> ActFuture<'_>;
    /// Names of the acts this actor may do to this case now. Cheap: asked for every case shown.
    fn may(&self, case: &Case, actor: &Actor) -> Vec<String>;
    /// Whether it can do its work.
    fn ready(&self) -> Readiness;
}

/// Whether the engine can do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Subscribed and the store is well.
    pub ready: bool,
    /// What is missing, in words for operations.
    pub reasons: Vec<String>,
}

/// The records cannot be read now.
#[derive(Debug, thiserror::Error)]
#[error("the records cannot be read: {0}")]
pub struct RecordsError(pub String);

/// One line of a case's history, as journaled.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a few hundred at most live at a time, for one answer")]
pub enum TimelineEntry {
    /// Something happened to the case.
    Event(CaseEvent),
    /// An alarm of the case changed.
    Transition(Transition),
    /// A message came into being.
    Notification(Notification),
    /// A message was tried, or its receipt came.
    Attempt {
        /// What became of it.
        attempt: Attempt,
        /// When it was journaled.
        at: Timestamp,
    },
}

/// One quarantined payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// From which source.
    pub source: String,
    /// On which topic.
    pub topic: String,
    /// The enterprise it was sent for, where the topic or the sender says so; without one only county and admin see the row.
    pub enterprise: Option<BodyId>,
    /// Reason code.
    pub reason: String,
    /// What exactly, in words.
    pub detail: String,
    /// When it was received.
    pub at: Timestamp,
    /// Its first bytes.
    pub payload: Vec<u8>,
}

/// Quarantined payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuarantineList {
    /// Counted in all, those past the bound too.
    pub total: u64,
    /// Newest first.
    pub rows: Vec<QuarantineRow>,
}

/// The records, read. Blocking: called off the async threads, never from the engine's.
pub trait Records: Send + Sync {
    /// What happened to a case, oldest first.
    fn timeline(&self, case: &CaseId) -> Result<Vec<TimelineEntry>, RecordsError>;
    /// A case that is no longer in memory.
    fn case(&self, case: &CaseId) -> Result<Option<Case>, RecordsError>;
    /// Closed cases, newest first.
    fn closed_cases(&self, limit: usize) -> Result<Vec<Case>, RecordsError>;
    /// Messages, newest first.
    fn messages(&self, limit: usize) -> Result<Vec<Message>, RecordsError>;
    /// Quarantined payloads, newest first.
    fn quarantine(&self, limit: usize) -> Result<QuarantineList, RecordsError>;
}
