//! What a configuration would have done with readings that were taken, and how that differs from another one.
//!
//! Readings go through the same pipeline as in the plant, at the times at which the engine took them, with every deadline at its own
//! time. What people did is done again where the alarm is the same (the act names its episode or case, and escalation judges it); elsewhere
//! one of two assumptions stands, and a comparison shows both: the enterprise answers in its median time, or nobody answers.
//!
//! Alarms of tags under test, of tags still commissioned (待调试), and what was found to be a drill are left out and counted.

use crate::kpi::{Episode, Figures, figures};
use crate::passage::{Next, Passed, Tape, Waiting};
use crate::people::People;
use crate::simulation::Simulation;
use model::plant::{ChannelKind, Plant};
use model::{
    Act, ActAnswer, ActKind, AlarmEffect, AlarmId, AlarmState, BodyId, CaseEventKind, CaseId, Change, Duration, EpisodeRef,
    EscalationEffect, Level, Notification, Outcome, PersonId, Purpose, Reading, Signal, TagId, TagIndex, Tier, Timestamp, TransitionKey,
};
use pipeline::{Effect, Input};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A reading as an engine took it. Its tag is a place in the list of tags that the run was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// The reading.
    pub reading: Reading,
    /// When the engine took it.
    pub at: Timestamp,
    /// Its tag was under test.
    pub under_test: bool,
}

/// How people answer what they did not answer on record.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// In the enterprise's median time.
    After(MedianTimes),
    /// Nobody answers.
    Never,
}

/// How long an enterprise takes to sign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MedianTimes {
    by_enterprise: BTreeMap<BodyId, Duration>,
}

impl MedianTimes {
    /// Where nothing is on record.
    pub const UNKNOWN: Duration = Duration::from_mins(3);

    /// From signatures on record: how long each took.
    pub fn of(signed: impl IntoIterator<Item = (BodyId, Duration)>) -> Self {
        let mut times: BTreeMap<BodyId, Vec<Duration>> = BTreeMap::new();
        for (enterprise, time) in signed {
            times.entry(enterprise).or_default().push(time);
        }
        let median = |mut times: Vec<Duration>| {
            times.sort();
            times[times.len() / 2]
        };
        Self { by_enterprise: times.into_iter().map(|(enterprise, times)| (enterprise, median(times))).collect() }
    }
    /// Of one enterprise.
    pub fn of_enterprise(&self, enterprise: &BodyId) -> Option<Duration> {
        self.by_enterprise.get(enterprise).copied()
    }
    pub(crate) fn of_or_unknown(&self, enterprise: &BodyId) -> Duration {
        self.of_enterprise(enterprise).unwrap_or(Self::UNKNOWN)
    }
}

/// One configuration at work on one stretch of readings under one assumption.
#[derive(Debug)]
pub struct Run {
    simulation: Simulation,
    people: People,
    /// Per tag of the readings, its place in this plant.
    places: Vec<Option<TagIndex>>,
    episodes: Vec<Episode>,
    /// Episodes that stand, by alarm: place in `episodes`.
    standing: BTreeMap<AlarmId, usize>,
    announced_of: BTreeMap<String, usize>,
    under_test_at: BTreeMap<TagId, Timestamp>,
    /// Alarms that do not count, by when they were raised.
    left_out: BTreeMap<(AlarmId, Timestamp), Why>,
    /// By alarm and when it was raised: what is found to be a drill takes its messages along.
    messages: BTreeMap<(AlarmId, Timestamp), Messages>,
    result: RunResult,
    /// Where it goes by tapes.
    waiting: Option<Waiting>,
    keeps_said: bool,
}

/// Why an alarm does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Why {
    UnderTest,
    Commissioning,
    Drill,
}

/// What was sent for one alarm.
#[derive(Debug, Default)]
struct Messages {
    people: BTreeMap<PersonId, Burden>,
    /// Announcements that the county was told of.
    county: BTreeSet<String>,
}

/// What a run gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// Alarms from raise to return, in order of their raise.
    pub episodes: Vec<Episode>,
    /// By person.
    pub people: BTreeMap<PersonId, Burden>,
    /// Announcements that reached the county.
    pub county: usize,
    /// Readings that went in.
    pub readings: u64,
    /// How they went in, where not each was taken in the order of time.
    pub passed: Passed,
    /// Readings of tags that this configuration does not have.
    pub unknown: u64,
    /// Acts on record done again.
    pub acts_same: usize,
    /// Acts on record that had nothing to act on.
    pub acts_moot: usize,
    /// What was left out.
    pub left_out: LeftOut,
    /// Of that, the alarms of tags still commissioned: they were raised, and only the integrator was told.
    pub commissioned: Vec<Episode>,
    /// All that was said, where that was asked for.
    pub said: Vec<Effect>,
}

/// What a person would have got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Burden {
    /// Messages of all kinds, calls included, the page not.
    pub messages: usize,
    /// Voice calls.
    pub calls: usize,
}

/// Alarms not counted, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Their tag was under test.
    pub under_test: usize,
    /// Their tag was still commissioned.
    pub commissioning: usize,
    /// They were a drill.
    pub drills: usize,
}

impl Run {
    /// Begins at `from`. `tags` are those that readings name by index.
    pub fn new(plant: Arc<Plant>, tags: &[TagId], answers: Answers, from: Timestamp) -> Self {
        let measured = |index: &TagIndex| !matches!(plant.tag(*index).signal, Signal::Gateway | Signal::System);
        let places = tags.iter().map(|tag| plant.tag_index(tag).filter(measured)).collect();
        Self {
            simulation: Simulation::without_rows(plant, from),
            people: People::new(answers),
            places,
            episodes: Vec::new(),
            standing: BTreeMap::new(),
            announced_of: BTreeMap::new(),
            under_test_at: BTreeMap::new(),
            left_out: BTreeMap::new(),
            messages: BTreeMap::new(),
            result: RunResult::default(),
            waiting: None,
            keeps_said: false,
        }
    }

    /// Cases that people worked on in truth: what they did is handed in by [`Self::act`], and nothing is assumed.
    pub fn set_recorded(&mut self, cases: BTreeSet<CaseId>) {
        self.people.set_recorded(cases);
    }

    /// Keeps all that is said, to be held against another run.
    #[doc(hidden)]
    pub fn keep_said(&mut self) {
        self.keeps_said = true;
    }

    /// Takes one reading. They come in the order in which the engine took them.
    pub fn reading(&mut self, taken: &Taken) {
        let Some(place) = self.places.get(taken.reading.tag.at()).copied().flatten() else {
            self.result.unknown += 1;
            return;
        };
        self.result.readings += 1;
        self.pass_time(taken.at);
        if taken.under_test {
            let tag = self.simulation.plant().tag(place).id.clone();
            self.under_test_at.insert(tag, taken.at);
        }
        self.simulation.reading(Reading { tag: place, ..taken.reading });
        self.look();
    }

    /// Does an act on record again.
    pub fn act(&mut self, act: &Act, at: Timestamp) {
        self.pass_time(at);
        if let ActKind::Check { episodes, outcome: Outcome::Drill, .. } = &act.what {
            episodes.iter().for_each(|drill| self.leave_out_drill(drill, at));
        }
        self.simulation.step(&Input::Act(act));
        let effects = self.simulation.take_seen();
        let done = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Case(EscalationEffect::Answer(id, ActAnswer::Done { .. })) if *id == act.id));
        *(if done { &mut self.result.acts_same } else { &mut self.result.acts_moot }) += 1;
        self.take(effects);
    }

    /// A stretch without readings that is no silence of theirs: the engine was down, or its history has a gap.
    pub fn gap(&mut self, from: Timestamp, to: Timestamp) {
        self.pass_time(from);
        self.simulation.step(&Input::Rules(rules::Input::Link { up: false }));
        self.pass_time(to);
        self.simulation.step(&Input::Rules(rules::Input::Link { up: true }));
        self.look();
    }

    /// Goes on over all readings taken up to `until`, with the same results as if [`Self::reading`] took each in the order of time; only
    /// what may change something is, the others wait (see [`crate::passage`]). Acts and gaps come between, by [`Self::act_beside`] and
    /// [`Self::gap_beside`].
    pub fn pass(&mut self, tape: &mut impl Tape, until: Timestamp) {
        self.with_waiting(tape, |run, waiting, tape| run.go_on(waiting, tape, until));
    }

    /// As [`Self::act`], after all readings taken up to `at`.
    pub fn act_beside(&mut self, tape: &mut impl Tape, act: &Act, at: Timestamp) {
        self.with_waiting(tape, |run, waiting, tape| {
            run.go_on(waiting, tape, at);
            waiting.all_until(at);
            waiting.prepare(at, &mut run.simulation.passage(), tape);
            waiting.prepare_standing(&mut run.simulation.passage(), tape);
            run.act(act, at);
            waiting.settle(&mut run.simulation.passage(), tape);
        });
    }

    /// As [`Self::gap`], after all readings taken up to `from`; none is taken until `to`.
    pub fn gap_beside(&mut self, tape: &mut impl Tape, from: Timestamp, to: Timestamp) {
        self.with_waiting(tape, |run, waiting, tape| {
            run.go_on(waiting, tape, from);
            waiting.all_until(from);
            waiting.prepare_all(&mut run.simulation.passage(), tape);
            run.gap(from, to);
            waiting.look_all(&mut run.simulation.passage(), tape);
        });
    }

    /// The number of the piece of its tape that a tag is at: none before it is needed any more.
    pub fn piece(&self, tag: usize) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.piece(tag))
    }

    fn with_waiting<T: Tape>(&mut self, tape: &mut T, then: impl FnOnce(&mut Self, &mut Waiting, &mut T)) {
        let mut waiting = self.waiting.take().unwrap_or_else(|| {
            let (tags, gateways) = (self.simulation.plant().tags.len(), self.simulation.plant().gateways.len());
            Waiting::new(self.places.clone(), tags, gateways, &mut self.simulation.passage(), tape)
        });
        then(self, &mut waiting, tape);
        self.waiting = Some(waiting);
    }

    fn go_on(&mut self, waiting: &mut Waiting, tape: &mut impl Tape, until: Timestamp) {
        loop {
            let first = waiting.first().filter(|first| *first <= until);
            // At a tie the deadline goes first.
            if let Some(due) = self.next_due().filter(|due| *due <= first.unwrap_or(until)) {
                let now = due.max(self.simulation.now());
                waiting.prepare(now, &mut self.simulation.passage(), tape);
                if self.simulation.looks_at_alarms(now) || self.people.next().is_some_and(|turn| turn <= now) {
                    waiting.prepare_standing(&mut self.simulation.passage(), tape);
                }
                self.serve(due);
                waiting.settle(&mut self.simulation.passage(), tape);
            } else if first.is_some() {
                if let Next::Reading(tag, taken, moment) = waiting.pop(&mut self.simulation.passage(), tape) {
                    self.reading(&taken);
                    waiting.taken(tag, moment, &mut self.simulation.passage(), tape);
                }
            } else {
                return;
            }
        }
    }

    /// Goes on to the end.
    pub fn finish(mut self, to: Timestamp) -> RunResult {
        self.pass_time(to);
        if let Some(waiting) = &self.waiting {
            let Passed { singly: _, looked_at, unread } = waiting.passed;
            self.result.readings += looked_at + unread;
            self.result.unknown += waiting.unknown;
            self.result.passed = waiting.passed;
        }
        let counts = &mut self.result.left_out;
        for mut episode in self.episodes {
            match self.left_out.get(&(episode.alarm.clone(), episode.raised)) {
                None => self.result.episodes.push(episode),
                Some(Why::UnderTest) => counts.under_test += 1,
                Some(Why::Drill) => counts.drills += 1,
                Some(Why::Commissioning) => {
                    counts.commissioning += 1;
                    episode.announced = None;
                    self.result.commissioned.push(episode);
                }
            }
        }
        for (_, messages) in self.messages.into_iter().filter(|(episode, _)| !self.left_out.contains_key(episode)) {
            self.result.county += messages.county.len();
            for (person, burden) in messages.people {
                let sum = self.result.people.entry(person).or_default();
                sum.messages += burden.messages;
                sum.calls += burden.calls;
            }
        }
        self.result
    }

    fn pass_time(&mut self, until: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.serve(due);
        }
        self.simulation.advance(until);
    }

    /// When the first deadline or the first turn of a person is due.
    fn next_due(&self) -> Option<Timestamp> {
        self.simulation.next_due().into_iter().chain(self.people.next()).min()
    }

    /// Serves the one that is due, and takes up at its own time what follows: somebody may be called by it.
    fn serve(&mut self, due: Timestamp) {
        if !self.simulation.serve_first(due) {
            self.simulation.advance(due);
            self.people.act(&mut self.simulation);
        }
        self.look();
    }

    fn look(&mut self) {
        if self.simulation.has_seen() {
            let effects = self.simulation.take_seen();
            self.take(effects);
        }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        if self.keeps_said {
            self.result.said.extend_from_slice(&effects);
        }
        for effect in effects {
            match effect {
                Effect::Alarm(AlarmEffect::Transition(transition)) => self.transition(&transition),
                Effect::Case(EscalationEffect::Notify(message)) => self.message(&message),
                Effect::Case(EscalationEffect::Event(event)) => {
                    let fresh = matches!(event.what, CaseEventKind::Opened { .. } | CaseEventKind::Announced { .. });
                    if fresh && let Some(case) = self.simulation.pipeline().cases().case(&event.case) {
                        let told: Vec<_> = case.announcements.iter().map(|one| (one.key.clone(), one.level, one.at)).collect();
                        self.people.called(case, event.at);
                        for (key, level, at) in told {
                            self.told(&key, level, at);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The announcement of an episode is what an operator was called for: at its level, which a neighbour may have raised, and for a data
    /// fault at the end of its wait.
    fn told(&mut self, key: &TransitionKey, level: Level, at: Timestamp) {
        // What was withheld while it was raised may be announced anew, under another step.
        if let Some(place) = self.announced_of.get(&key.raise().to_string()) {
            let episode = &mut self.episodes[*place];
            if episode.announced.is_none() {
                (episode.announced, episode.level) = (Some(at), episode.level.max(level));
            }
        }
    }

    fn transition(&mut self, transition: &model::Transition) {
        let alarm = &transition.key.alarm;
        if alarm.tag.enterprise.as_str() == model::SYSTEM_ENTERPRISE {
            return;
        }
        match transition.change {
            Change::Raised => {
                let place = self.episodes.len();
                self.standing.insert(alarm.clone(), place);
                self.announced_of.insert(transition.key.raise().to_string(), place);
                self.episodes.push(Episode {
                    alarm: alarm.clone(),
                    level: transition.level,
                    raised: transition.at,
                    returned: None,
                    announced: None,
                });
                self.leave_out(alarm, transition.at);
            }
            Change::Returned | Change::Retired | Change::Faulted => {
                if let Some(place) = self.standing.remove(alarm) {
                    let episode = &mut self.episodes[place];
                    episode.returned = Some(transition.at);
                    // A data fault that is gone before its wait ends was told to nobody.
                    episode.announced = episode.announced.filter(|at| *at <= transition.now);
                }
            }
            // A latched alarm released, an acknowledgement: it ended before or still stands.
            _ => debug_assert!(transition.to != AlarmState::Faulted),
        }
    }

    fn leave_out(&mut self, alarm: &AlarmId, raised: Timestamp) {
        let plant = self.simulation.plant();
        let tag = plant.tag_index(&alarm.tag).map(|index| plant.tag(index));
        let stale_after = tag.map_or(Duration::ZERO, |tag| tag.stale_after);
        let now = self.simulation.now();
        let tested = self.under_test_at.get(&alarm.tag).is_some_and(|at| now.since(*at) <= stale_after);
        let commissioned = tag.and_then(|tag| tag.commissioning.as_ref()).is_some_and(|commissioning| now < commissioning.until);
        let why = if tested { Some(Why::UnderTest) } else { commissioned.then_some(Why::Commissioning) };
        self.left_out.extend(why.map(|why| ((alarm.clone(), raised), why)));
    }

    /// Leaves out the alarm that was found to be a drill, and no other of its tag. Under other limits it began at another moment: then it
    /// is the first that stood between its beginning on record and when it was found to be one.
    fn leave_out_drill(&mut self, drill: &EpisodeRef, found: Timestamp) {
        let key = TransitionKey { alarm: drill.alarm.clone(), episode: drill.episode, step: 0 };
        let began = drill.episode.since;
        let stood = |episode: &Episode| {
            episode.alarm == drill.alarm && episode.raised <= found && episode.returned.is_none_or(|returned| returned >= began)
        };
        let place = self.announced_of.get(&key.to_string()).copied().or_else(|| self.episodes.iter().position(stood));
        if let Some(place) = place {
            let raised = self.episodes[place].raised;
            self.left_out.entry((key.alarm, raised)).or_insert(Why::Drill);
        }
    }

    fn message(&mut self, message: &Notification) {
        let episode = (message.alarm.clone(), message.raised_at);
        if self.left_out.contains_key(&episode) {
            return;
        }
        let kind = self.simulation.plant().channel(&message.key.channel).map(|channel| channel.kind);
        let messages = self.messages.entry(episode).or_default();
        if message.key.tier == Tier::COUNTY && matches!(message.key.purpose, Purpose::Announce | Purpose::Passed) {
            messages.county.insert(message.key.announcement.clone());
        }
        if kind != Some(ChannelKind::Platform) {
            let burden = messages.people.entry(message.key.recipient.clone()).or_default();
            burden.messages += 1;
            burden.calls += usize::from(kind == Some(ChannelKind::Voice));
        }
    }
}

/// One alarm before and after.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// It would have been raised now, and was not before.
    Gained(Episode),
    /// It was raised before, and would not be now.
    Lost(Episode),
    /// It would have been raised, or told, at another time.
    Moved {
        /// Before.
        before: Episode,
        /// After.
        after: Episode,
    },
    /// People were told of it before; now it would be recorded, and nobody told.
    NoLongerTold {
        /// Before.
        before: Episode,
        /// After.
        after: Episode,
    },
    /// It was recorded before, and nobody told; now people would be.
    NewlyTold {
        /// Before.
        before: Episode,
        /// After.
        after: Episode,
    },
    /// It would have been of another level.
    LevelChanged {
        /// Before.
        before: Episode,
        /// After.
        after: Episode,
    },
}

impl Difference {
    /// Which alarm.
    pub const fn alarm(&self) -> &AlarmId {
        match self {
            Self::Gained(episode)
            | Self::Lost(episode)
            | Self::Moved { after: episode, .. }
            | Self::NoLongerTold { after: episode, .. }
            | Self::NewlyTold { after: episode, .. }
            | Self::LevelChanged { after: episode, .. } => &episode.alarm,
        }
    }
    /// The alarm before, and after.
    pub const fn sides(&self) -> (Option<&Episode>, Option<&Episode>) {
        match self {
            Self::Gained(episode) => (None, Some(episode)),
            Self::Lost(episode) => (Some(episode), None),
            Self::Moved { before, after }
            | Self::NoLongerTold { before, after }
            | Self::NewlyTold { before, after }
            | Self::LevelChanged { before, after } => (Some(before), Some(after)),
        }
    }
    /// Its word for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Gained(_) => "gained",
            Self::Lost(_) => "lost",
            Self::Moved { .. } => "moved",
            Self::NoLongerTold { .. } => "no-longer-told",
            Self::NewlyTold { .. } => "newly-told",
            Self::LevelChanged { .. } => "level-changed",
        }
    }
    /// Whether it takes something from people: the alarm itself, word of it, or some of its weight. Where it is later, `Moved` says by how
    /// much.
    pub fn takes(&self) -> bool {
        match self {
            Self::Lost(_) | Self::NoLongerTold { .. } => true,
            Self::LevelChanged { before, after } => after.level < before.level,
            Self::Moved { before, after } => later(before, after) > Duration::ZERO,
            Self::Gained(_) | Self::NewlyTold { .. } => false,
        }
    }
}

/// How much later an alarm is raised, or, raised at the same moment, told.
pub fn later(before: &Episode, after: &Episode) -> Duration {
    match (before.announced, after.announced) {
        (Some(old), Some(new)) if before.raised == after.raised => new.since(old),
        _ => after.raised.since(before.raised),
    }
}

/// How many alarms differ, by how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// See [`Difference::Gained`].
    pub gained: usize,
    /// See [`Difference::Lost`].
    pub lost: usize,
    /// See [`Difference::Moved`].
    pub moved: usize,
    /// See [`Difference::NoLongerTold`].
    pub no_longer_told: usize,
    /// See [`Difference::NewlyTold`].
    pub newly_told: usize,
    /// See [`Difference::LevelChanged`].
    pub level_changed: usize,
}

impl Tally {
    /// Of some differences. An alarm may differ in more than one way.
    pub fn of(differences: &[Difference]) -> Self {
        let mut tally = Self::default();
        for difference in differences {
            *match difference {
                Difference::Gained(_) => &mut tally.gained,
                Difference::Lost(_) => &mut tally.lost,
                Difference::Moved { .. } => &mut tally.moved,
                Difference::NoLongerTold { .. } => &mut tally.no_longer_told,
                Difference::NewlyTold { .. } => &mut tally.newly_told,
                Difference::LevelChanged { .. } => &mut tally.level_changed,
            } += 1;
        }
        tally
    }
}

/// Before and after side by side.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// Alarms that differ, in order of time.
    pub differences: Vec<Difference>,
    /// Figures before and after.
    pub figures: (Figures, Figures),
    /// Under the assumption that the enterprise answers in its median time.
    pub answered: (RunResult, RunResult),
    /// Under the assumption that nobody answers.
    pub unanswered: (RunResult, RunResult),
}

/// Compares two configurations over the same readings. What is raised does not depend on who answers, except where an alarm latches; the
/// alarms compared are those of the runs in which somebody answers.
pub fn compare(
    answered: (RunResult, RunResult),
    unanswered: (RunResult, RunResult),
    positions: &[BodyId],
    (from, to): (Timestamp, Timestamp),
) -> Comparison {
    let differences = of_runs(&answered.0, &answered.1, to);
    let of = |result: &RunResult| figures(&result.episodes, positions, from, to);
    Comparison { from, to, differences, figures: (of(&answered.0), of(&answered.1)), answered, unanswered }
}

/// A tag that is commissioned on one side only has the same alarms there, and people are not told of them; on both sides it is left out.
fn of_runs(before: &RunResult, after: &RunResult, end: Timestamp) -> Vec<Difference> {
    let all = |run: &RunResult| {
        let mut all: Vec<Episode> = run.episodes.iter().chain(&run.commissioned).cloned().collect();
        all.sort_by_key(|episode| episode.raised);
        all
    };
    let names = |run: &RunResult| -> BTreeSet<_> { run.commissioned.iter().map(|one| (one.alarm.clone(), one.raised)).collect() };
    let (commissioned_before, commissioned_after) = (names(before), names(after));
    let left_out =
        |side: Option<&Episode>, commissioned: &BTreeSet<_>| side.is_none_or(|one| commissioned.contains(&(one.alarm.clone(), one.raised)));
    let mut found = differences(&all(before), &all(after), end);
    found.retain(|difference| {
        let (old, new) = difference.sides();
        !(left_out(old, &commissioned_before) && left_out(new, &commissioned_after))
    });
    found
}

/// Matches episodes of the same alarm that overlap in time; what is left on one side is gained or lost.
pub fn differences(before: &[Episode], after: &[Episode], end: Timestamp) -> Vec<Difference> {
    let mut by_alarm: BTreeMap<&AlarmId, (Vec<&Episode>, Vec<&Episode>)> = BTreeMap::new();
    for episode in before {
        by_alarm.entry(&episode.alarm).or_default().0.push(episode);
    }
    for episode in after {
        by_alarm.entry(&episode.alarm).or_default().1.push(episode);
    }
    let mut found = Vec::new();
    for (before, after) in by_alarm.values() {
        let mut taken = vec![false; after.len()];
        let mut next = 0;
        for old in before {
            // Both lists are in order of time, so the search goes on where the last one ended.
            while next < after.len() && after[next].returned.unwrap_or(end) < old.raised {
                next += 1;
            }
            let overlaps = |new: &Episode| new.raised <= old.returned.unwrap_or(end) && old.raised <= new.returned.unwrap_or(end);
            match (next..after.len()).find(|at| !taken[*at] && overlaps(after[*at])) {
                Some(at) => {
                    taken[at] = true;
                    found.extend(between(old, after[at]));
                }
                None => found.push(Difference::Lost((*old).clone())),
            }
        }
        found.extend(after.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(new, _)| Difference::Gained((*new).clone())));
    }
    found.sort_by(|a, b| (time(a), a.alarm()).cmp(&(time(b), b.alarm())));
    found
}

/// How one alarm differs.
fn between(old: &Episode, new: &Episode) -> Vec<Difference> {
    let (before, after) = (|| old.clone(), || new.clone());
    let mut found = Vec::new();
    match (old.announced, new.announced) {
        (Some(_), None) => found.push(Difference::NoLongerTold { before: before(), after: after() }),
        (None, Some(_)) => found.push(Difference::NewlyTold { before: before(), after: after() }),
        _ => {}
    }
    // One that nobody is told of any more has lost more than its level.
    if old.level != new.level && (old.announced.is_none() || new.announced.is_some()) {
        found.push(Difference::LevelChanged { before: before(), after: after() });
    }
    if later(old, new) != Duration::ZERO {
        found.push(Difference::Moved { before: before(), after: after() });
    }
    found
}

fn time(difference: &Difference) -> Option<Timestamp> {
    let (before, after) = difference.sides();
    before.or(after).map(|episode| episode.raised)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Condition, Level};

    fn episode(raised: i64, returned: Option<i64>) -> Episode {
        let alarm = AlarmId { tag: TagId::new("hx", "A"), condition: Condition::High };
        let at = Timestamp::from_secs;
        Episode { alarm, level: Level::Blue, raised: at(raised), returned: returned.map(at), announced: Some(at(raised)) }
    }

    #[test]
    fn overlapping_alarms_moved_and_the_others_were_gained_or_lost() {
        let before = [episode(0, Some(10)), episode(100, Some(110)), episode(200, None)];
        let after = [episode(5, Some(10)), episode(50, Some(60)), episode(200, None)];
        let found = differences(&before, &after, Timestamp::from_secs(300));
        assert_eq!(
            found,
            [
                Difference::Moved { before: before[0].clone(), after: after[0].clone() },
                Difference::Gained(after[1].clone()),
                Difference::Lost(before[1].clone()),
            ]
        );
        assert_eq!(differences(&before, &before, Timestamp::from_secs(300)), []);
    }

    #[test]
    fn three_short_alarms_that_become_one_are_one_moved_or_same_and_two_lost() {
        let before = [episode(0, Some(10)), episode(20, Some(30)), episode(40, Some(50))];
        let after = [episode(0, Some(50))];
        let found = differences(&before, &after, Timestamp::from_secs(300));
        assert_eq!(found, [Difference::Lost(before[1].clone()), Difference::Lost(before[2].clone())]);
    }

    #[test]
    fn the_median_time_is_the_enterprises_own() {
        let signed =
            [("a", 60), ("a", 300), ("a", 120), ("b", 30)].map(|(enterprise, s)| (BodyId::new(enterprise), Duration::from_secs(s)));
        let times = MedianTimes::of(signed);
        assert_eq!(times.of_enterprise(&"a".into()), Some(Duration::from_secs(120)));
        assert_eq!(times.of_or_unknown(&"c".into()), MedianTimes::UNKNOWN);
    }
}
