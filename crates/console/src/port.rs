//! What the console needs of the rest: somebody who takes acts, somebody who reads the records. Implemented where it is wired.

use crate::{
    Account, ApplyRequestJson, BacktestJson, BacktestRequestJson, ConfigChangeJson, ConfigJson, ConfirmRequestJson, Message, PlanJson,
    PlanRequestJson,
};
use model::{Act, ActAnswer, Actor, Attempt, BodyId, Case, CaseEvent, CaseId, Notification, TagId, Timestamp, Transition};
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

/// Some readings of one tag that follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrendPoint {
    /// Source time of the first.
    pub from: Timestamp,
    /// Source time of the last.
    pub to: Timestamp,
    /// How many.
    pub count: u32,
    /// Of them bad or without a value.
    pub bad: u32,
    /// Lowest value; none when all are bad.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Newest value.
    pub last: Option<f64>,
}

/// A span of which readings are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryGap {
    /// From here on, in the engine's time.
    pub from: Timestamp,
    /// Up to here.
    pub to: Timestamp,
    /// How many, where that is known.
    pub lost: Option<u64>,
    /// Why, for programs.
    pub why: &'static str,
    /// Why, in Chinese.
    pub why_zh: &'static str,
}

/// What a tag measured over a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// Earliest first.
    pub points: Vec<TrendPoint>,
    /// Readings that are known to be missing.
    pub gaps: Vec<HistoryGap>,
    /// Stored chunks that are damaged and left out.
    pub damaged: u32,
}

/// The records, read. Blocking: called off the async threads, never from the engine's.
pub trait Records: Send + Sync {
    /// What happened to a case, oldest first.
    fn timeline(&self, case: &CaseId) -> Result<Vec<TimelineEntry>, RecordsError>;
    /// A case that is no longer in memory.
    fn case(&self, case: &CaseId) -> Result<Option<Case>, RecordsError>;
    /// Closed cases, newest first.
    fn closed_cases(&self, limit: usize) -> Result<Vec<Case>, RecordsError>;
    /// Messages, newest first, and of older ones those that are no reminders, as many again at most.
    fn messages(&self, limit: usize) -> Result<Vec<Message>, RecordsError>;
    /// Quarantined payloads, newest first.
    fn quarantine(&self, limit: usize) -> Result<QuarantineList, RecordsError>;
    /// What a tag measured in `[from, to)` by source time, in at most `points` points.
    fn trend(&self, tag: &TagId, from: Timestamp, to: Timestamp, points: usize) -> Result<Trend, RecordsError>;
}

/// A configuration on its way.
pub type PlanFuture<'a> = Pin<Box<dyn Future<Output = Result<PlanJson, TuningError>> + Send + 'a>>;

/// Whoever plans and applies configurations. It decides who may: an admin, or an enterprise for its own; a township or county confirms.
pub trait Tuning: Send + Sync {
    /// What is in force, was, and is to come, as far as this login may see it.
    fn overview(&self, by: &Account) -> ConfigJson;
    /// What a version changed when it came into force at `since` (the newest time by default), as far as this login may see it. Reads the
    /// journal, so it is called off the async threads.
    fn change(&self, version: &str, since: Option<i64>, by: &Account) -> Result<ConfigChangeJson, TuningError>;
    /// What a change would do.
    fn plan(&self, request: PlanRequestJson, by: Account) -> PlanFuture<'_>;
    /// Applies it, or puts it before the second person.
    fn apply(&self, request: ApplyRequestJson, by: Account) -> PlanFuture<'_>;
    /// The second person's answer.
    fn confirm(&self, request: ConfirmRequestJson, by: Account) -> PlanFuture<'_>;
    /// Begins to try a plan on the history of readings, one at a time, and answers at once.
    fn backtest(&self, request: BacktestRequestJson, by: &Account) -> Result<BacktestJson, TuningError>;
    /// How far that is, and its result.
    fn backtest_of(&self, id: &str, by: &Account) -> Result<BacktestJson, TuningError>;
}

/// Somebody who could confirm a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondPerson {
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Their login, where whoever asks may know it.
    pub login: Option<String>,
}

/// Why a configuration was not planned or applied. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code())]
pub enum TuningError {
    /// No such plan or version.
    NoSuchPlan,
    /// No version is known from before the one in force.
    NothingBefore,
    /// This login may not change what the plan touches.
    Forbidden,
    /// The plan touches what is not this login's: these enterprises, or none where it is what is everybody's.
    NotOwn(Vec<String>),
    /// A file's name is none inside the folder.
    BadPath,
    /// A file's base64 cannot be read.
    BadBase64,
    /// Ticket or reason are too long or hold what is no text.
    WordsTooLong,
    /// 放宽 on red, orange or a major hazard 一/二级: ticket, reason and second person are needed.
    TicketNeeded,
    /// The second person named has no township or county login that oversees what the plan touches; these have one.
    SecondUnfit(Vec<SecondPerson>),
    /// Somebody else than the second person named.
    NotTheSecond,
    /// The author cannot be the second person.
    SamePerson,
    /// Another configuration came into force since the plan was made.
    Stale,
    /// The plan has faults.
    Refused,
    /// The second person declined the plan.
    Declined,
    /// The plan waits for its second person, for whom its words must stay what they are.
    Waits,
    /// The plan changes nothing, or is applied already.
    NothingToApply,
    /// A backtest is running already.
    BacktestRuns,
    /// The journal cannot be read now.
    Unreadable,
    /// The engine or its store did not take it.
    Busy,
}

impl TuningError {
    /// The code in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPlan => "not-found",
            Self::NothingBefore => "nothing-before",
            Self::Forbidden | Self::NotOwn(_) => "forbidden",
            Self::BadPath => "bad-path",
            Self::BadBase64 => "bad-base64",
            Self::WordsTooLong => "words-too-long",
            Self::TicketNeeded => "ticket-needed",
            Self::SecondUnfit(_) => "second-unfit",
            Self::NotTheSecond => "not-the-second",
            Self::SamePerson => "same-person",
            Self::Stale => "plan-stale",
            Self::Refused => "config-refused",
            Self::Declined => "plan-declined",
            Self::Waits => "plan-waits",
            Self::NothingToApply => "nothing-to-apply",
            Self::BacktestRuns => "backtest-runs",
            Self::Unreadable => "records-unavailable",
            Self::Busy => "engine-busy",
        }
    }
}
