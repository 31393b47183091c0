//! The engine: one thread, one ordered queue of inputs, one transaction per batch.
//!
//! A batch is what is there: the engine evaluates everything that waits in its queue (readings, acts, answers of channels,
//! link state), commits all effects in one durable transaction, and only then lets anything out: acknowledgements to the
//! broker, siren commands, messages, live events, answers to people. It never waits to fill a batch; what arrives during the
//! commit is the next one. (Only above the rates of any ordinary plant are readings let gather for a tenth of a millisecond,
//! see [`pace`].) An input is evaluated once: a commit that fails is tried again with the same batch.
//!
//! `now` is read once per input, here and nowhere else. Evaluating and committing on one thread was chosen over a pipeline
//! of two because a commit costs about one sync of the disk, an order of magnitude less than anybody would notice, and because it
//! makes "nothing leaves before its commit" a matter of statement order.

mod evaluate;
mod guard;
mod history;
mod pace;
mod past;
mod points;
mod release;
mod reload;
mod steered;

use crate::allowed::Allowed;
use crate::clock::EngineClock;
use crate::metrics::Metrics;
use console::LiveView;
use ingest::{AckHandle, Decoded, Decoder, SourceEvent};
use journal::history::HistoryQueue;
use journal::{Batch, EntryKind, Snapshot, Store, StoreError};
use model::{
    Act, ActAnswer, ActId, AlarmId, Attempt, CaseEvent, CaseId, Condition, Duration, Notification, Plant, Siren, TagIndex, Timestamp,
    bounds,
};
use pipeline::{Input, Pipeline};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

pub use guard::Guard;
pub use points::{POINTS, PointRow};
pub use reload::{Change, StartRecord, VERSIONS};

/// After a source came up, overdue on-delays wait for its backlog, this long at most.
const DRAIN_MAX: std::time::Duration = std::time::Duration::from_secs(2);
/// A source that sent nothing for this long after it came up has no backlog.
const DRAIN_QUIET: std::time::Duration = std::time::Duration::from_millis(100);
/// Evaluation of one batch ends after this long, whatever waits.
const BATCH_TIME_MAX: std::time::Duration = std::time::Duration::from_millis(50);
/// The way to the sirens may be down this long before it is an alarm.
const SIREN_LINK_PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);
/// A commit may stay out of the database this long before it is an alarm.
const STORE_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
/// How often the wall clock is compared.
const CLOCK_CHECK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
/// A failed commit is tried again after this long, doubling up to [`COMMIT_RETRY_MAX`].
const COMMIT_RETRY_FIRST: std::time::Duration = std::time::Duration::from_millis(20);
/// The longest pause between two tries of one commit.
const COMMIT_RETRY_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Everything that can enter the engine.
pub enum EngineInput {
    /// From a broker.
    Source(SourceEvent),
    /// A person's act, answered after its commit.
    Act {
        /// The act.
        act: Act,
        /// Where the answer goes.
        reply: tokio::sync::oneshot::Sender<ActAnswer>,
    },
    /// What became of a notification.
    Attempt(Attempt),
    /// The engine's own diagnosis.
    System {
        /// Name of the system tag.
        name: &'static str,
        /// Whether it stands.
        active: bool,
        /// What was seen.
        detail: String,
    },
    /// Rows of a change that is to come, answered after their commit: few at a time, since readings wait for it.
    Rows {
        /// Of the pipeline; none deletes.
        rows: Vec<(String, Option<Vec<u8>>)>,
        /// Where that is told.
        reply: tokio::sync::oneshot::Sender<()>,
    },
    /// Another configuration comes into force.
    Reload(Box<Change>),
    /// Rows of the journal are past their retention, or it cannot be said which.
    Past(Result<journal::Piece, String>),
    /// Stop after committing what is there.
    Stop,
}

/// Where committed effects go. Called on the engine's thread, only after the commit.
pub trait Outlets: Send {
    /// A siren's wanted state changed.
    fn siren(&mut self, siren: &Siren);
    /// A message is to be sent; `attempts` were made before.
    fn notify(&mut self, notification: &Notification, attempts: u32);
    /// Messages of this case not yet sent are not to be sent any more.
    fn supersede(&mut self, case: &CaseId);
    /// Whether a siren command handed over now would leave.
    fn sirens_connected(&self) -> bool;
    /// The engine is alive and its store takes commits. Called at least once a second then, and not otherwise.
    fn alive(&self);
}

/// What the engine is made of.
pub struct Parts {
    /// Configuration.
    pub plant: Arc<Plant>,
    /// The store, opened.
    pub store: Box<dyn Store>,
    /// The clock, started no earlier than the store's last `now`.
    pub clock: Arc<EngineClock>,
    /// The read model of the pages.
    pub view: Arc<LiveView>,
    /// Sirens and messages.
    pub outlets: Box<dyn Outlets>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Guards against an input that crashes the process twice.
    pub guard: Guard,
    /// Names of the sources by their number.
    pub sources: Vec<String>,
    /// Acts allowed, for the pages.
    pub allowed: Arc<Allowed>,
    /// The broker is our own: when it ends, so does the process.
    pub built_in_broker: bool,
    /// What the start took, where the store does not know it yet.
    pub taken: Option<StartRecord>,
    /// Where readings go once they are taken.
    pub history: HistoryQueue,
}

/// The engine's state between two batches.
pub struct Engine {
    plant: Arc<Plant>,
    pipeline: Pipeline,
    effects: Vec<pipeline::Effect>,
    store: Box<dyn Store>,
    clock: Arc<EngineClock>,
    view: Arc<LiveView>,
    outlets: Box<dyn Outlets>,
    metrics: Arc<Metrics>,
    guard: Guard,
    sources: Vec<String>,
    allowed: Arc<Allowed>,
    built_in_broker: bool,
    history: HistoryQueue,
    history_failing: bool,
    history_lost: u64,
    /// At least the number of the journal's newest row: the order of what the pages are told, also over a restart.
    journaled: u64,
    store_failing: bool,
    conflicts: u64,
    uncut: Option<String>,
    /// Devices that say they are inhibited while a test is filed for them, and whose gateway would tell of it.
    inhibited_under_test: BTreeSet<TagIndex>,
    /// Why it cannot be said which rows of the journal are past their retention.
    unread: Option<String>,
    past_stays: Option<past::Stay>,
    sirens_lost: Option<Instant>,
    sirens_failing: bool,
    decoder: Decoder,
    decoded: Decoded,
    now: Timestamp,
    batch: Batch,
    pending: Pending,
    links: BTreeMap<String, bool>,
    drain: Option<Drain>,
    last_checkpoint: Timestamp,
    last_clock_check: Instant,
    clock_stepped: bool,
    audit_failing: bool,
    pace: pace::Pace,
    points: points::Points,
    steering: steered::Steering,
    stopping: bool,
}

/// What waits for the commit of the batch in hand.
#[derive(Default)]
struct Pending {
    acks: Vec<AckHandle>,
    replies: Vec<(tokio::sync::oneshot::Sender<ActAnswer>, ActAnswer)>,
    answers: BTreeMap<ActId, (Vec<u8>, ActAnswer)>,
    kept: Vec<tokio::sync::oneshot::Sender<()>>,
    sirens: Vec<Siren>,
    outgoing: Vec<Outgoing>,
    attempts: Vec<Attempt>,
    events: Vec<CaseEvent>,
    alarms: BTreeSet<model::AlarmId>,
    cases: BTreeSet<CaseId>,
    /// Windows or floods changed.
    beside: bool,
    /// A mode or a suppression by design may have begun or ended.
    steered: bool,
    link: Option<(String, bool, Timestamp)>,
    past: Option<journal::Piece>,
    reload: Option<reload::Committed>,
}

/// For the notifier, in the order in which it came to be.
enum Outgoing {
    Notify(Box<Notification>),
    Supersede(CaseId),
}

/// The wait for the backlog after a start or a reconnect. Before the broker has granted the subscription only its longest time counts.
struct Drain {
    since: Instant,
    last_input: Option<Instant>,
}

impl Drain {
    fn ends(&self) -> Instant {
        let longest = self.since + DRAIN_MAX;
        self.last_input.map_or(longest, |at| longest.min(at + DRAIN_QUIET))
    }
}

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store refused.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A state row does not fit the code; nothing was changed.
    #[error("state rows of the store cannot be read: {0}")]
    State(String),
}

impl Engine {
    /// Restores the engine from its store. Restart itself causes no transition; what is overdue runs with the first input.
    pub fn start(parts: Parts, snapshot: &Snapshot) -> Result<Self, StartError> {
        let Parts { plant, store, clock, view, outlets, metrics, guard, sources, allowed, built_in_broker, taken, history } = parts;
        let now = clock.now();
        let pipeline = Pipeline::restore(plant.clone(), &snapshot.hard, &snapshot.soft, snapshot.last_now.unwrap_or(now), now)
            .map_err(|error| StartError::State(error.to_string()))?;
        // Only a change is told to the rules, so what stood before the restart must be known.
        let stands = |name| {
            let tag = plant.find_tag(model::SYSTEM_ENTERPRISE, name).map(|index| plant.tag(index).id.clone());
            let alarm = tag.and_then(|tag| pipeline.alarms().alarm(&AlarmId { tag, condition: Condition::System }));
            alarm.is_some_and(|view| view.state.is_active())
        };
        let points = points::Points::restore(&plant, &snapshot.soft, &view);
        let (clock_stepped, audit_failing, sirens_failing) = (stands("clock"), stands("notifier"), stands("sirens"));
        let (history_failing, store_failing) = (stands("history"), stands("database"));
        let mut engine = Self {
            steering: steered::Steering::of(&plant),
            decoder: Decoder::new(&plant),
            plant,
            pipeline,
            effects: Vec::new(),
            store,
            clock,
            view,
            outlets,
            metrics,
            guard,
            sources,
            allowed,
            built_in_broker,
            history,
            history_failing,
            history_lost: 0,
            journaled: snapshot.last_seq,
            store_failing,
            conflicts: 0,
            uncut: None,
            inhibited_under_test: BTreeSet::new(),
            unread: None,
            past_stays: None,
            sirens_lost: None,
            sirens_failing,
            decoded: Decoded::default(),
            now,
            batch: Batch::default(),
            pending: Pending::default(),
            links: BTreeMap::new(),
            // A broker that does not come back must not hold an overdue alarm for longer than this.
            drain: Some(Drain { since: Instant::now(), last_input: None }),
            last_checkpoint: now,
            last_clock_check: Instant::now(),
            clock_stepped,
            audit_failing,
            pace: pace::Pace::new(Instant::now()),
            points,
            stopping: false,
        };
        engine.mark_under_test();
        engine.note_start(snapshot);
        engine.show_restored();
        engine.resume_outbox(snapshot);
        if let Some(taken) = taken {
            engine.record_start(taken);
        }
        Ok(engine)
    }

    /// Runs until [`EngineInput::Stop`]. Ends early only when the store is beyond retrying: no acknowledgement leaves then.
    pub fn run(mut self, inbox: &flume::Receiver<EngineInput>) -> Result<(), StoreError> {
        // What came due while we were down is owed to people before anything else.
        self.tick();
        self.commit()?;
        loop {
            match self.wait(inbox) {
                Ok(input) => {
                    self.take(input);
                    // Take what is already there, never wait for more.
                    let (began, mut taken) = (Instant::now(), 1);
                    for _ in 1..bounds::BATCH_INPUTS_MAX {
                        // A siren waits for nothing but the commit, and a huge payload for nobody's turn twice.
                        // And nothing is evaluated under a plant that the pages do not show yet.
                        let enough = !self.pending.sirens.is_empty() || self.pending.reload.is_some() || began.elapsed() >= BATCH_TIME_MAX;
                        if self.stopping || enough || self.guard.one_at_a_time() {
                            break;
                        }
                        match inbox.try_recv() {
                            Ok(input) => self.take(input),
                            Err(_) => break,
                        }
                        taken += 1;
                    }
                    self.pace.took(taken);
                }
                Err(flume::RecvTimeoutError::Timeout) => {}
                Err(flume::RecvTimeoutError::Disconnected) => self.stopping = true,
            }
            self.tick();
            self.commit()?;
            if self.stopping {
                self.note_stop();
                self.checkpoint();
                self.commit()?;
                return self.store.mark_clean_stop(self.now);
            }
        }
    }

    fn wait(&mut self, inbox: &flume::Receiver<EngineInput>) -> Result<EngineInput, flume::RecvTimeoutError> {
        // The common case under load: something is there already.
        if let Ok(input) = inbox.try_recv() {
            return Ok(input);
        }
        // The built-in broker takes one reading per connection at a time: its gateways would wait with us.
        if !self.built_in_broker && self.pace.is_fast(Instant::now()) {
            std::thread::sleep(pace::PAUSE);
            if let Ok(input) = inbox.try_recv() {
                return Ok(input);
            }
        }
        let checkpoint = self.last_checkpoint + bounds::CHECKPOINT_EVERY;
        let due = self.pipeline.next_deadline().map_or(checkpoint, |due| due.min(checkpoint));
        let mut until = Instant::now() + CLOCK_CHECK_EVERY;
        if let Some(at) = self.clock.instant_of(due) {
            until = until.min(at);
        }
        if let Some(drain) = &self.drain {
            until = until.min(drain.ends());
        }
        inbox.recv_deadline(until)
    }

    /// Everything that time brings: deadlines, the end of the backlog, the clock check, the checkpoint.
    fn tick(&mut self) {
        self.advance();
        if self.drain.as_ref().is_some_and(|drain| drain.ends() <= Instant::now()) {
            self.drain = None;
            self.entry(EntryKind::System, None, None, &serde_json::json!({ "event": "drained" }));
            self.feed(&Input::Rules(rules::Input::Drained));
        }
        if self.pipeline.next_deadline().is_some_and(|due| due <= self.now) {
            self.feed(&Input::Timeout);
        }
        if self.last_clock_check.elapsed() >= CLOCK_CHECK_EVERY {
            self.last_clock_check = Instant::now();
            self.check_clock();
            self.check_sirens();
            self.check_history();
            self.check_store();
            self.check_inhibited();
        }
        if self.now.since(self.last_checkpoint) >= bounds::CHECKPOINT_EVERY {
            self.checkpoint();
        }
    }

    fn advance(&mut self) {
        self.now = self.now.max(self.clock.now());
    }

    fn check_clock(&mut self) {
        let offset = self.clock.slew();
        let limit = Duration((crate::clock::STEP_MAX.0 as f64 * self.clock.factor()) as i64);
        let stepped = if self.clock_stepped { offset.abs() > Duration(limit.0 / 2) } else { offset.abs() > limit };
        if stepped != self.clock_stepped {
            self.clock_stepped = stepped;
            self.system("clock", stepped, &format!("wall clock is {:.1} s off the engine's time", offset.as_secs_f64()));
        }
    }

    fn check_sirens(&mut self) {
        self.sirens_lost = if self.outlets.sirens_connected() { None } else { self.sirens_lost.or_else(|| Some(Instant::now())) };
        let failing = self.sirens_lost.is_some_and(|since| since.elapsed() >= SIREN_LINK_PATIENCE);
        if failing != self.sirens_failing && (failing || self.sirens_lost.is_none()) {
            self.sirens_failing = failing;
            self.system("sirens", failing, if failing { "no connection to the sirens" } else { "connected to the sirens" });
        }
    }

    /// Asks how the store is. A database that does not take what is durable stops no alarm, until there is no room for more.
    fn check_store(&mut self) {
        let journal::Health { conflicts, behind, waits, trouble, uncut } = self.store.health();
        self.note_uncut(uncut);
        self.metrics.key_conflicts.inc_by(conflicts - self.conflicts);
        self.conflicts = conflicts;
        self.metrics.store_behind.set(i64::try_from(behind).unwrap_or(i64::MAX));
        let failing = waits.is_some_and(|waits| waits >= STORE_PATIENCE);
        if failing != self.store_failing {
            self.store_failing = failing;
            let why = trouble.unwrap_or_else(|| "it does not answer".to_owned());
            let detail = match failing {
                true => format!("commits are on the disk and the database does not take them ({behind}): {why}"),
                false => "the database takes every commit".to_owned(),
            };
            self.system("database", failing, &detail);
        }
    }

    fn checkpoint(&mut self) {
        self.last_checkpoint = self.now;
        self.pipeline.drain_soft(&mut self.batch.soft);
        self.points.drain(&mut self.batch.soft);
        let violations = self.pipeline.cases().audit(self.now);
        for violation in &violations {
            tracing::error!(%violation, "an open case has no next action");
            self.metrics.audit_violations.inc();
        }
        let failing = !violations.is_empty();
        if failing != self.audit_failing {
            self.audit_failing = failing;
            self.system("notifier", failing, &format!("open cases without a next action: {}", violations.join("; ")));
        }
    }

    fn system(&mut self, name: &str, active: bool, detail: &str) {
        let Some(tag) = self.system_tag(name) else { return };
        self.feed(&Input::Rules(rules::Input::System { tag, active, detail }));
    }

    fn system_tag(&self, name: &str) -> Option<TagIndex> {
        self.plant.find_tag(model::SYSTEM_ENTERPRISE, name)
    }
}
