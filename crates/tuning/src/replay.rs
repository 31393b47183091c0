//! Whether what was journaled follows from what was recorded: the same transitions, byte for byte.
//!
//! Readings come from the history in the order in which the engine took them; acts, results of messages, starts and stops from the journal.
//! What the engine did on time's account alone it did a little after it was due: the journal's own `now`s say when. Transitions of the
//! engine's own alarms are not compared, since what it saw of itself (a broker, a disk, a clock) is recorded only as those transitions; a
//! broker's loss among them is taken as the link's.

use crate::backtest::Taken;
use model::{
    Act, AlarmEffect, Attempt, Change, Condition, Duration, Plant, Reading, SYSTEM_ENTERPRISE, TagId, TagIndex, Timestamp, Transition,
};
use pipeline::{Effect, Input, Pipeline, RestoreError};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A deadline that the engine served this late at most was served on time.
const SERVED_WITHIN: Duration = Duration::from_secs(2);

/// What went into the engine beside the readings, in the order of the journal.
#[derive(Clone, Debug)]
pub enum Fed {
    /// The engine started, after a clean stop or not.
    Start {
        /// The stop before was clean, or there was none.
        clean: bool,
        /// Since when it was down.
        down_since: Option<Timestamp>,
    },
    /// It wrote its last checkpoint and stopped.
    Stop,
    /// A person acted.
    Act(Box<Act>),
    /// What became of a message.
    Attempt(Box<Attempt>),
}

/// A journaled transition.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The engine's `now`.
    pub now: Timestamp,
    /// What the journal holds.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub transition: Transition,
}

impl Recorded {
    fn is_own(&self) -> bool {
        is_own(&self.transition)
    }
}

fn is_own(transition: &Transition) -> bool {
    transition.key.alarm.tag.enterprise.as_str() == SYSTEM_ENTERPRISE || transition.key.alarm.condition == Condition::UnknownTag
}

/// How a replay ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Transitions that are the same.
    pub same: usize,
    /// Readings that went in.
    pub readings: u64,
    /// The first that is not.
    pub first_difference: Option<Difference>,
}

/// Where replay and journal part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The engine's `now`.
    pub at: Timestamp,
    /// What the journal holds; none where it ends.
    pub recorded: Option<String>,
    /// What the replay said; none where it said nothing.
    pub replayed: Option<String>,
}

/// One engine's life, lived again.
#[derive(Debug)]
pub struct Replay {
    plant: Arc<Plant>,
    pipeline: Pipeline,
    places: Vec<Option<TagIndex>>,
    recorded: VecDeque<Recorded>,
    /// When the engine evaluated something on record, in order.
    ticks: VecDeque<Timestamp>,
    /// When the broker was lost and heard again.
    links: VecDeque<(Timestamp, bool)>,
    hard: BTreeMap<String, Vec<u8>>,
    soft: BTreeMap<String, Vec<u8>>,
    now: Timestamp,
    report: Report,
}

impl Replay {
    /// Begins with nothing known. `tags` are those that readings name by index.
    pub fn new(plant: Arc<Plant>, tags: &[TagId], recorded: Vec<Recorded>, from: Timestamp) -> Self {
        let mut ticks: Vec<Timestamp> = recorded.iter().map(|one| one.now).collect();
        ticks.dedup();
        let links = recorded.iter().filter(|one| &*one.transition.key.alarm.tag.tag == "broker" && one.is_own());
        let links = links.filter_map(|one| match one.transition.change {
            Change::Raised => Some((one.now, false)),
            Change::Returned => Some((one.now, true)),
            _ => None,
        });
        Self {
            pipeline: Pipeline::new(Arc::clone(&plant), from),
            places: tags.iter().map(|tag| plant.tag_index(tag)).collect(),
            links: links.collect(),
            ticks: ticks.into(),
            recorded: recorded.into_iter().filter(|one| !one.is_own()).collect(),
            hard: BTreeMap::new(),
            soft: BTreeMap::new(),
            now: from,
            report: Report::default(),
            plant,
        }
    }

    /// Whether they have parted.
    pub const fn has_parted(&self) -> bool {
        self.report.first_difference.is_some()
    }

    /// Takes a reading.
    pub fn reading(&mut self, taken: &Taken) {
        let Some(tag) = self.places.get(taken.reading.tag.at()).copied().flatten() else { return };
        self.report.readings += 1;
        self.pass_time(taken.at);
        self.step(&Input::Rules(rules::Input::Reading(Reading { tag, ..taken.reading })), taken.at);
    }

    /// Takes something else.
    pub fn feed(&mut self, fed: &Fed, at: Timestamp) -> Result<(), RestoreError> {
        self.pass_time(at);
        match fed {
            Fed::Start { down_since, .. } => {
                let rows =
                    |rows: &BTreeMap<String, Vec<u8>>| rows.iter().map(|(key, bytes)| (key.clone(), bytes.clone())).collect::<Vec<_>>();
                let down_since = down_since.unwrap_or(at);
                self.pipeline = Pipeline::restore(Arc::clone(&self.plant), &rows(&self.hard), &rows(&self.soft), down_since, at)?;
                self.now = at;
                self.step(&Input::Rules(rules::Input::Link { up: true }), at);
                self.step(&Input::Rules(rules::Input::Drained), at);
            }
            Fed::Stop => {
                let mut soft = Vec::new();
                self.pipeline.drain_soft(&mut soft);
                self.soft.extend(soft);
            }
            Fed::Act(act) => self.step(&Input::Act(act), at),
            Fed::Attempt(attempt) => self.step(&Input::Attempt(attempt), at),
        }
        Ok(())
    }

    /// Goes on to the end.
    pub fn finish(mut self, to: Timestamp) -> Report {
        self.pass_time(to);
        if let Some(left) = self.recorded.pop_front().filter(|left| left.now <= to && !self.has_parted()) {
            let recorded = Some(String::from_utf8_lossy(&left.bytes).into_owned());
            self.report.first_difference = Some(Difference { at: left.now, recorded, replayed: None });
        }
        self.report
    }

    /// Serves what was due before `until`, at the time at which the engine did.
    fn pass_time(&mut self, until: Timestamp) {
        loop {
            let link = self.links.front().map(|(at, _)| *at).filter(|at| *at < until);
            let due = self.pipeline.next_deadline().filter(|due| *due < until);
            match (link, due) {
                (Some(at), due) if due.is_none_or(|due| at <= due) => {
                    let up = self.links.pop_front().is_some_and(|(_, up)| up);
                    self.step(&Input::Rules(rules::Input::Link { up }), at);
                }
                (_, Some(due)) => {
                    while self.ticks.front().is_some_and(|tick| *tick < due) {
                        self.ticks.pop_front();
                    }
                    let tick = self.ticks.front().copied().filter(|tick| *tick < until && tick.since(due) <= SERVED_WITHIN);
                    self.step(&Input::Timeout, tick.unwrap_or(due));
                }
                (_, None) => return,
            }
        }
    }

    fn step(&mut self, input: &Input<'_>, now: Timestamp) {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        self.pipeline.step(input, self.now, &mut effects);
        if effects.is_empty() {
            return;
        }
        let mut changed = Vec::new();
        self.pipeline.drain_changed(&mut changed);
        for (key, bytes) in changed {
            match bytes {
                Some(bytes) => self.hard.insert(key, bytes),
                None => self.hard.remove(&key),
            };
        }
        for effect in &effects {
            if let Effect::Alarm(AlarmEffect::Transition(transition)) = effect
                && !is_own(transition)
                && !self.has_parted()
            {
                self.compare(transition);
            }
        }
    }

    fn compare(&mut self, transition: &Transition) {
        let replayed = serde_json::to_vec(transition).unwrap_or_default();
        match self.recorded.pop_front() {
            Some(recorded) if recorded.bytes == replayed => self.report.same += 1,
            recorded => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                self.report.first_difference =
                    Some(Difference { at: self.now, recorded: recorded.map(|one| text(&one.bytes)), replayed: Some(text(&replayed)) });
            }
        }
    }
}
