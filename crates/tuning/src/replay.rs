//! Whether what was journaled follows from what was recorded: the same transitions, byte for byte.
//!
//! Readings come from the history in the order in which the engine took them; acts, results of messages, links, starts, stops and
//! configurations from the journal. What the engine did on time's account alone it did a little after it was due: the journal's own `now`s
//! say when. While it was down it did nothing. Transitions of the engine's own alarms are not compared, since what it saw of itself (a
//! broker, a disk, a clock, a device's word at its gateway) is recorded only as those transitions; a device's inhibit bit, too, comes from the transition that it caused.

use crate::backtest::Taken;
use crate::rows::Rows;
use model::{
    Act, AlarmEffect, AlarmId, Attempt, Change, Condition, Duration, Plant, Reading, SYSTEM_ENTERPRISE, Signal, TagId, TagIndex, Timestamp,
    Transition,
};
use pipeline::{Effect, Input, Pipeline, RestoreError, Row};
use rules::{Reload, StaleReload};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;

/// A deadline that the engine served this late at most was served on time.
const SERVED_WITHIN: Duration = Duration::from_secs(2);

/// What went into the engine beside the readings, in the order of the journal.
#[derive(Clone, Debug)]
pub enum Fed {
    /// The engine started, on the rows that it had left.
    Start {
        /// What was in force from then on.
        plant: Arc<Plant>,
        /// Since when it was down; none at its very first start.
        down_since: Option<Timestamp>,
    },
    /// It wrote its last checkpoint and stopped.
    Stop,
    /// It began or ceased to hear the broker.
    Link {
        /// Whether it hears it.
        up: bool,
    },
    /// The backlog after a start was drained.
    Drained,
    /// Another configuration came into force.
    Applied(Arc<Plant>),
    /// A person acted.
    Act(Box<Act>),
    /// What became of a message.
    Attempt(Box<Attempt>),
}

/// Why a life cannot be lived on.
#[derive(Debug)]
pub enum Broken {
    /// Its rows cannot be read.
    Rows(RestoreError),
    /// A configuration does not follow the one before it.
    Configuration(StaleReload),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(error) => error.fmt(f),
            Self::Configuration(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}

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

fn is_own(plant: &Plant, transition: &Transition) -> bool {
    let AlarmId { tag, condition } = &transition.key.alarm;
    let of_gateway = || plant.tag_index(tag).is_some_and(|tag| plant.tag(tag).signal == Signal::Gateway);
    tag.enterprise.as_str() == SYSTEM_ENTERPRISE
        || *condition == Condition::UnknownTag
        || (*condition == Condition::Inhibited && of_gateway())
}

/// How a replay ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Transitions of the span that are the same.
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
    /// The tags that readings name by index, and where each is in the plant in force.
    tags: Vec<TagId>,
    places: Vec<Option<TagIndex>>,
    recorded: VecDeque<Recorded>,
    /// When the engine evaluated something on record, in order.
    ticks: VecDeque<Timestamp>,
    /// When a device said that it is inhibited, and that it is no longer.
    inhibits: VecDeque<(Timestamp, TagId, bool)>,
    rows: Rows,
    now: Timestamp,
    is_down: bool,
    from: Timestamp,
    report: Report,
}

impl Replay {
    /// Begins at `begin` on what is left in a store's hard and soft `rows`, or with nothing known where there are none, and compares from
    /// `from` on. `tags` are those that readings name by index, `recorded` is all that was journaled since `begin`.
    pub fn new(
        plant: Arc<Plant>,
        tags: &[TagId],
        recorded: Vec<Recorded>,
        rows: (Vec<Row>, Vec<Row>),
        (begin, from): (Timestamp, Timestamp),
    ) -> Self {
        let mut ticks: Vec<Timestamp> = recorded.iter().map(|one| one.now).collect();
        ticks.dedup();
        let of_devices = |one: &&Recorded| one.transition.key.alarm.condition == Condition::Inhibited && !is_own(&plant, &one.transition);
        let inhibits = recorded.iter().filter(of_devices);
        let inhibits = inhibits.filter_map(|one| {
            let active = match one.transition.change {
                Change::Raised => true,
                Change::Returned => false,
                _ => return None,
            };
            Some((one.now, one.transition.key.alarm.tag.clone(), active))
        });
        let mut replay = Self {
            pipeline: Pipeline::new(Arc::clone(&plant), begin),
            tags: tags.to_vec(),
            places: Vec::new(),
            inhibits: inhibits.collect(),
            ticks: ticks.into(),
            recorded: recorded.into_iter().filter(|one| one.now >= from && !is_own(&plant, &one.transition)).collect(),
            rows: Rows::of(rows),
            now: begin,
            is_down: false,
            from,
            report: Report::default(),
            plant,
        };
        replay.find_places();
        replay
    }

    /// Whether they have parted.
    pub const fn has_parted(&self) -> bool {
        self.report.first_difference.is_some()
    }

    /// Takes a reading.
    pub fn reading(&mut self, taken: &Taken) {
        let Some(tag) = self.places.get(taken.reading.tag.at()).copied().flatten() else { return };
        self.report.readings += u64::from(taken.at >= self.from);
        self.pass_time(taken.at, false);
        self.step(&Input::Rules(rules::Input::Reading(Reading { tag, ..taken.reading })), taken.at);
    }

    /// Takes something else.
    pub fn feed(&mut self, fed: &Fed, at: Timestamp) -> Result<(), Broken> {
        // Nothing was served while it was down.
        let awake_until = match fed {
            Fed::Start { down_since, .. } => down_since.map_or(at, |since| since.min(at)),
            // It looked once more before it stopped, which serves nothing itself.
            Fed::Stop => at + Duration::from_micros(1),
            _ => at,
        };
        self.pass_time(awake_until, matches!(fed, Fed::Stop));
        match fed {
            Fed::Start { plant, down_since } => {
                // What the store held when the engine went down.
                self.rows.commit(&mut self.pipeline);
                self.plant = Arc::clone(plant);
                self.pipeline = self.rows.restore(Arc::clone(plant), down_since.unwrap_or(at), at).map_err(Broken::Rows)?;
                (self.now, self.is_down) = (at, false);
                self.find_places();
            }
            Fed::Stop => {
                self.rows.checkpoint(&mut self.pipeline);
                self.is_down = true;
            }
            Fed::Applied(plant) => self.apply(plant, at).map_err(Broken::Configuration)?,
            Fed::Link { up } => self.step(&Input::Rules(rules::Input::Link { up: *up }), at),
            Fed::Drained => self.step(&Input::Rules(rules::Input::Drained), at),
            Fed::Act(act) => self.step(&Input::Act(act), at),
            Fed::Attempt(attempt) => self.step(&Input::Attempt(attempt), at),
        }
        Ok(())
    }

    /// Goes on to the end.
    pub fn finish(mut self, to: Timestamp) -> Report {
        self.pass_time(to, false);
        if let Some(left) = self.recorded.pop_front().filter(|left| left.now < to && !self.has_parted()) {
            let recorded = Some(String::from_utf8_lossy(&left.bytes).into_owned());
            self.report.first_difference = Some(Difference { at: left.now, recorded, replayed: None });
        }
        self.report
    }

    fn find_places(&mut self) {
        // What was calculated is calculated anew.
        let measured = |tag: &TagIndex| self.plant.tag(*tag).calculation.is_none();
        self.places = self.tags.iter().map(|tag| self.plant.tag_index(tag).filter(measured)).collect();
    }

    fn apply(&mut self, plant: &Arc<Plant>, at: Timestamp) -> Result<(), StaleReload> {
        self.now = self.now.max(at);
        let mut effects = Vec::new();
        self.pipeline.reload(Reload::prepare(&self.plant, Arc::clone(plant)), self.now, &mut effects)?;
        self.plant = Arc::clone(plant);
        self.find_places();
        self.look(&effects);
        Ok(())
    }

    /// Serves what was due before `until`, at the time at which the engine did. Where it `stops` then, it has left nothing for later.
    fn pass_time(&mut self, until: Timestamp, stops: bool) {
        while !self.is_down {
            let inhibit = self.inhibits.front().map(|(at, ..)| *at).filter(|at| *at < until);
            // What came due while it was down was served once it was up again.
            let due = self.pipeline.next_deadline().map(|due| due.max(self.now)).filter(|due| *due < until);
            match (inhibit, due) {
                (Some(at), due) if due.is_none_or(|due| at <= due) => {
                    let Some((_, tag, active)) = self.inhibits.pop_front() else { return };
                    if let Some(tag) = self.plant.tag_index(&tag) {
                        self.step(&Input::Rules(rules::Input::Inhibit { tag, active }), at);
                    }
                }
                (_, Some(due)) => {
                    while self.ticks.front().is_some_and(|tick| *tick < due) {
                        self.ticks.pop_front();
                    }
                    match self.ticks.front().copied().filter(|tick| tick.since(due) <= SERVED_WITHIN) {
                        // What came in first was looked at first, and served what was due with it, or left it for later.
                        Some(tick) if tick >= until && !stops => return,
                        Some(tick) if tick >= until => self.step(&Input::Timeout, due),
                        tick => self.step(&Input::Timeout, tick.unwrap_or(due)),
                    }
                }
                (_, None) => return,
            }
        }
    }

    fn step(&mut self, input: &Input<'_>, now: Timestamp) {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        self.pipeline.step(input, self.now, &mut effects);
        self.look(&effects);
    }

    fn look(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Alarm(AlarmEffect::Transition(transition)) = effect
                && !is_own(&self.plant, transition)
                && !self.has_parted()
                && self.now >= self.from
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
