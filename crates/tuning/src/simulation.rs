//! A plant on simulated time: deadlines served in order, messages answered, restarts and reloads from the rows that a store would hold.
//!
//! Channels answer at once: accepted where a channel has no receipts, delivered where it has them, failed where it is said to fail. What a
//! carrier's budget or a slow gateway would do to a message is the notifier's business and not simulated.

use crate::rows::Rows;
use config::scenario::Failing;
use model::{Attempt, AttemptResult, Duration, EscalationEffect, Notification, Plant, Reading, SYSTEM_ENTERPRISE, Timestamp, bounds};
use pipeline::{Effect, Input, Pipeline, RestoreError};
use rules::{Reload, StaleReload};
use std::collections::VecDeque;
use std::sync::Arc;

/// A pipeline with a clock of its own and the rows of a store.
#[derive(Debug)]
pub struct Simulation {
    plant: Arc<Plant>,
    pipeline: Pipeline,
    now: Timestamp,
    seen: Vec<Effect>,
    failing: Vec<Failing>,
    rows: Rows,
    /// Never where no rows are kept.
    checkpoint_due: Timestamp,
    keeps_rows: bool,
}

impl Simulation {
    /// Begins with nothing known, listening.
    pub fn new(plant: Arc<Plant>, now: Timestamp) -> Self {
        let pipeline = Pipeline::new(Arc::clone(&plant), now);
        let checkpoint_due = now + bounds::CHECKPOINT_EVERY;
        Self { plant, pipeline, now, seen: Vec::new(), failing: Vec::new(), rows: Rows::default(), checkpoint_due, keeps_rows: true }
    }

    /// One that is never restarted, and so writes no rows: for months of readings.
    pub fn without_rows(plant: Arc<Plant>, now: Timestamp) -> Self {
        Self { keeps_rows: false, checkpoint_due: Timestamp::MAX, ..Self::new(plant, now) }
    }

    /// The plant in force.
    pub fn plant(&self) -> &Arc<Plant> {
        &self.plant
    }
    /// The time.
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// Alarms and cases, to read.
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
    /// What has followed since the last call.
    pub fn take_seen(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.seen)
    }
    /// Puts back what was looked at early, in order.
    pub(crate) fn put_back(&mut self, first: Vec<Effect>, then: Vec<Effect>) {
        let later = std::mem::replace(&mut self.seen, first);
        self.seen.extend(then);
        self.seen.extend(later);
    }
    /// Persons and kinds of channel that nothing gets through to.
    pub fn set_failing(&mut self, failing: Vec<Failing>) {
        self.failing = failing;
    }

    /// Serves every deadline up to `until`, each at its own time, and stands there.
    pub fn advance(&mut self, until: Timestamp) {
        while self.serve_first(until) {}
        self.now = self.now.max(until);
    }

    /// Serves the first deadline up to `until`; false when there is none.
    pub(crate) fn serve_first(&mut self, until: Timestamp) -> bool {
        let due = self.next_due().unwrap_or(Timestamp::MAX);
        let next = due.min(self.checkpoint_due);
        if next > until {
            return false;
        }
        self.now = self.now.max(next);
        if due <= self.checkpoint_due {
            self.step(&Input::Timeout);
        } else {
            self.checkpoint();
        }
        true
    }

    /// When the first deadline is due. It may turn out to be early.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.pipeline.next_deadline()
    }

    /// Whether the cases may have the rules look at an alarm by `now`.
    pub(crate) fn looks_at_alarms(&self, now: Timestamp) -> bool {
        self.pipeline.looks_at_alarms(now)
    }

    /// For readings that wait.
    pub(crate) fn passage(&mut self) -> rules::Passage<'_> {
        self.pipeline.passage()
    }

    /// Takes one input now, and answers every message that follows.
    pub fn step(&mut self, input: &Input<'_>) {
        let from = self.seen.len();
        self.pipeline.step(input, self.now, &mut self.seen);
        if self.seen.len() > from || self.keeps_rows {
            self.answer(from);
        }
    }

    /// Answers every message among what has followed since place `from`.
    fn answer(&mut self, from: usize) {
        let mut sent: VecDeque<Notification> = messages(&self.seen[from..]);
        while let Some(message) = sent.pop_front() {
            let attempt = self.attempt(&message);
            let from = self.seen.len();
            self.pipeline.step(&Input::Attempt(&attempt), self.now, &mut self.seen);
            sent.extend(messages(&self.seen[from..]));
        }
        if self.keeps_rows {
            self.rows.commit(&mut self.pipeline);
        }
    }

    /// Whether anything has followed since it was last taken.
    pub const fn has_seen(&self) -> bool {
        !self.seen.is_empty()
    }

    /// A reading arrives now.
    pub fn reading(&mut self, reading: Reading) {
        self.step(&Input::Rules(rules::Input::Reading(reading)));
    }

    /// The broker's link comes up or goes down, as the engine tells it.
    pub fn link(&mut self, up: bool) {
        self.step(&Input::Rules(rules::Input::Link { up }));
    }

    /// One of the engine's own alarms.
    pub fn system(&mut self, name: &str, active: bool, detail: &str) {
        if let Some(tag) = self.plant.find_tag(SYSTEM_ENTERPRISE, name) {
            self.step(&Input::Rules(rules::Input::System { tag, active, detail }));
        }
    }

    /// Stops and starts the engine. A clean stop writes a checkpoint; a killed one loses what came after the last.
    pub fn restart(&mut self, clean: bool) -> Result<(), RestoreError> {
        if clean {
            self.checkpoint();
        }
        self.pipeline = self.rows.restore(Arc::clone(&self.plant), self.now, self.now)?;
        self.link(true);
        self.step(&Input::Rules(rules::Input::Drained));
        Ok(())
    }

    /// Another configuration comes into force while the engine runs.
    pub fn reload(&mut self, plant: Arc<Plant>) -> Result<(), StaleReload> {
        let from = self.seen.len();
        let reload = Reload::prepare(&self.plant, Arc::clone(&plant));
        self.pipeline.reload(reload, self.now, &mut self.seen)?;
        self.plant = plant;
        self.answer(from);
        Ok(())
    }

    fn attempt(&self, message: &Notification) -> Attempt {
        let channel = self.plant.channel(&message.key.channel);
        let fails = self.failing.iter().any(|failing| match failing {
            Failing::Person(person) => *person == message.key.recipient,
            Failing::Channel(kind) => channel.is_some_and(|channel| channel.kind == *kind),
        });
        let result = match channel {
            _ if fails => AttemptResult::Failed,
            Some(channel) if channel.has_receipts => AttemptResult::Delivered,
            _ => AttemptResult::Accepted,
        };
        Attempt { key: message.key.clone(), number: 1, result, words: String::new(), answer: String::new() }
    }

    fn checkpoint(&mut self) {
        self.rows.checkpoint(&mut self.pipeline);
        self.checkpoint_due = self.now + bounds::CHECKPOINT_EVERY.max(Duration::from_micros(1));
    }
}

fn messages(effects: &[Effect]) -> VecDeque<Notification> {
    let of = |effect: &Effect| match effect {
        Effect::Case(EscalationEffect::Notify(message)) => Some(message.clone()),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}
