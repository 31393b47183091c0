//! Pure: rules and escalation as one step. The live engine, `watchfire test`, backtest, suggest and replay all drive this.
//!
//! What the rules say about an input is handed to escalation at once, and an act that escalation has judged and allowed goes on to the
//! rules. [`Pipeline::step`] appends both in the order in which the journal keeps them. It reads no clock and does no IO: whoever drives
//! it stamps every input with a `now` that never runs backwards and serves [`Pipeline::next_deadline`] in time. Around it the live engine
//! keeps journal, metrics and outlets; a simulated run keeps only what it wants to know.

use escalation::Escalation;
use model::{
    Act, ActAnswer, ActKind, AlarmEffect, Attempt, BesideEvent, BesideEventKind, CaseId, CaseTimer, Change, EscalationEffect,
    EscalationInput, Plant, Timestamp, WindowKind,
};
use rules::{Reload, Rules, StaleReload};
use std::fmt;
use std::sync::Arc;

/// Prefix of the rules' state rows.
const RULES: &str = "rules/";
/// Prefix of the escalation's state rows.
const ESCALATION: &str = "escalation/";

/// A state row as the store keeps it: key and bytes.
pub type Row = (String, Vec<u8>);

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// To the rules: a reading, a link, a fault of our own, the end of a backlog.
    Rules(rules::Input<'a>),
    /// A person acted.
    Act(&'a Act),
    /// What became of a message.
    Attempt(&'a Attempt),
    /// Time has passed.
    Timeout,
}

/// What follows, in the order in which the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The rules said it.
    Alarm(AlarmEffect),
    /// It follows for cases, messages and sirens.
    Case(EscalationEffect),
}

/// A state row that cannot be read.
#[derive(Debug)]
pub enum RestoreError {
    /// One of the rules.
    Rules(rules::RestoreError),
    /// One of the cases.
    Escalation(escalation::RestoreError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(error) => error.fmt(f),
            Self::Escalation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RestoreError {}

/// All alarms and all cases of one plant.
#[derive(Debug)]
pub struct Pipeline {
    rules: Rules,
    escalation: Escalation,
    /// Buffers that keep their room: most readings say nothing, and those that do are to cost no allocation of their own.
    said: Vec<AlarmEffect>,
    follows: Vec<EscalationEffect>,
}

impl Pipeline {
    /// Starts with nothing known.
    pub fn new(plant: Arc<Plant>, now: Timestamp) -> Self {
        Self::of(Rules::new(Arc::clone(&plant), now), Escalation::new(plant))
    }

    /// Continues after a restart from the rows of the store. Causes no transition; not listening until a link is up. What people were
    /// owed between `down_since` and `now` runs with the first step.
    pub fn restore(plant: Arc<Plant>, hard: &[Row], soft: &[Row], down_since: Timestamp, now: Timestamp) -> Result<Self, RestoreError> {
        let rules = Rules::restore(Arc::clone(&plant), &owned(hard, RULES), &owned(soft, RULES), now).map_err(RestoreError::Rules)?;
        let escalation = Escalation::restore(plant, &owned(hard, ESCALATION), down_since, now).map_err(RestoreError::Escalation)?;
        Ok(Self::of(rules, escalation))
    }

    fn of(rules: Rules, escalation: Escalation) -> Self {
        Self { rules, escalation, said: Vec::new(), follows: Vec::new() }
    }

    /// Takes one input at `now` and appends what follows.
    pub fn step(&mut self, input: &Input<'_>, now: Timestamp, out: &mut Vec<Effect>) {
        match input {
            Input::Rules(input) => self.rules(input, now, out),
            Input::Act(act) => {
                let from = out.len();
                self.escalation(&EscalationInput::Act(act), now, out);
                if concerns_rules(&act.what) && is_done(act, &out[from..]) {
                    self.rules(&rules::Input::Act(act), now, out);
                }
            }
            Input::Attempt(attempt) => self.escalation(&EscalationInput::Attempt(attempt), now, out),
            Input::Timeout => {
                if self.rules.next_deadline().is_some_and(|due| due <= now) {
                    self.rules(&rules::Input::Timeout, now, out);
                }
                if self.escalation.next_deadline().is_some_and(|due| due <= now) {
                    self.escalation(&EscalationInput::Timeout, now, out);
                }
            }
        }
    }

    /// Goes on under another configuration from `now` on and appends what that causes; see [`Rules::reload`]. Gives back what is left of
    /// the rules of before, for whoever has the time to free it. Nothing has changed where it is refused.
    pub fn reload(&mut self, reload: Reload, now: Timestamp, out: &mut Vec<Effect>) -> Result<Box<Rules>, StaleReload> {
        if !Arc::ptr_eq(self.rules.plant(), reload.from()) {
            return Err(StaleReload);
        }
        // What is due is due under the configuration of before.
        self.step(&Input::Timeout, now, out);
        let plant = Arc::clone(reload.to());
        let mut said = std::mem::take(&mut self.said);
        let before = self.rules.reload(reload, now, &mut said)?;
        // What is retired belongs to equipment and cases that only the configuration of before may know.
        let (mut retired, mut raised): (Vec<_>, Vec<_>) = said.drain(..).partition(is_retired);
        self.said = said;
        self.tell(&mut retired, now, out);
        self.escalation.reload(plant, now, &mut self.follows);
        self.follow(now, out);
        self.tell(&mut raised, now, out);
        Ok(before)
    }

    /// Hands on what the rules said, which stands before what follows from it.
    fn tell(&mut self, said: &mut Vec<AlarmEffect>, now: Timestamp, out: &mut Vec<Effect>) {
        if !said.is_empty() {
            self.escalation.step(&EscalationInput::Alarms(said), now, &mut self.follows);
            out.extend(said.drain(..).map(Effect::Alarm));
            self.follow(now, out);
        }
    }

    /// When `step` is due if nothing arrives before. It may turn out to be early.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.rules.next_deadline().into_iter().chain(self.escalation.next_deadline()).min()
    }

    /// Whether the cases may have the rules look at an alarm by `now`. A reminder or a climb does not.
    pub fn looks_at_alarms(&self, now: Timestamp) -> bool {
        self.escalation.next_wake().is_some_and(|due| due <= now)
    }

    fn rules(&mut self, input: &rules::Input<'_>, now: Timestamp, out: &mut Vec<Effect>) {
        let mut said = std::mem::take(&mut self.said);
        self.rules.step(input, now, &mut said);
        self.tell(&mut said, now, out);
        self.said = said;
    }

    fn escalation(&mut self, input: &EscalationInput<'_>, now: Timestamp, out: &mut Vec<Effect>) {
        self.escalation.step(input, now, &mut self.follows);
        self.follow(now, out);
    }

    /// Takes up what escalation said.
    fn follow(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        let from = out.len();
        out.extend(self.follows.drain(..).map(Effect::Case));
        // Acknowledgements that ran out are the rules' to take back; what they say of it comes back here, and takes back no more.
        let unseen = |effect: &Effect| match effect {
            Effect::Case(EscalationEffect::Unacknowledge(episodes)) => episodes.clone(),
            _ => Vec::new(),
        };
        let unseen: Vec<_> = out[from..].iter().flat_map(unseen).collect();
        let worked_on = |effect: &Effect| match effect {
            Effect::Case(EscalationEffect::Beside(BesideEvent { what: BesideEventKind::WindowEnded { window, .. }, .. }))
                if window.kind == WindowKind::UnderTest && window.in_force() =>
            {
                self.escalation.tags_of(&window.scope)
            }
            _ => Vec::new(),
        };
        let worked_on: Vec<_> = out[from..].iter().flat_map(worked_on).collect();
        if !unseen.is_empty() {
            self.rules(&rules::Input::AcknowledgementExpired(&unseen), now, out);
        }
        if !worked_on.is_empty() {
            self.rules(&rules::Input::WorkEnded(&worked_on), now, out);
        }
    }

    /// The alarms, to read.
    pub fn alarms(&self) -> &Rules {
        &self.rules
    }

    /// For whoever lets readings wait that change nothing.
    pub fn passage(&mut self) -> rules::Passage<'_> {
        self.rules.passage()
    }

    /// The cases, to read.
    pub fn cases(&self) -> &Escalation {
        &self.escalation
    }

    /// Gives each calculated tag that has a new value since the last call; see [`Rules::drain_calculated`].
    pub fn drain_calculated(&mut self, then: impl FnMut(model::TagIndex, model::ReadingRecord)) {
        self.rules.drain_calculated(then);
    }

    /// Hard rows changed since the last call; none deletes.
    pub fn drain_changed(&mut self, out: &mut Vec<(String, Option<Vec<u8>>)>) {
        prefixed(RULES, out, |rows| self.rules.drain_changed(rows));
        prefixed(ESCALATION, out, |rows| self.escalation.drain_changed(rows));
    }

    /// Checkpoint rows of what changed since the last call.
    pub fn drain_soft(&mut self, out: &mut Vec<Row>) {
        let mut rows = Vec::new();
        self.rules.drain_soft(&mut rows);
        out.extend(rows.into_iter().map(|(key, bytes)| (format!("{RULES}{key}"), bytes)));
    }

    /// The whole list of obligations of every case where it changed since the last call.
    pub fn drain_timers(&mut self, out: &mut Vec<(CaseId, Vec<CaseTimer>)>) {
        self.escalation.drain_timers(out);
    }
}

fn is_retired(effect: &AlarmEffect) -> bool {
    matches!(effect, AlarmEffect::Transition(transition) if transition.change == Change::Retired)
}

/// Rows that the store may take before a change comes into force; see [`Reload::rows`].
pub fn rows_of(reload: &mut Reload, number: u64) -> Vec<Row> {
    reload.rows(number).into_iter().map(|(key, bytes)| (format!("{RULES}{key}"), bytes)).collect()
}

/// The case a state row is of, by its key.
pub fn case_of_row(key: &str) -> Option<CaseId> {
    key.strip_prefix(ESCALATION)?.strip_prefix("case/").map(CaseId::new)
}

/// Whether the rules have something to do with an act that was allowed.
const fn concerns_rules(what: &ActKind) -> bool {
    matches!(what, ActKind::Acknowledge { .. } | ActKind::Check { .. })
}

fn is_done(act: &Act, effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Case(EscalationEffect::Answer(id, ActAnswer::Done { .. })) if *id == act.id))
}

fn owned(rows: &[Row], owner: &str) -> Vec<Row> {
    rows.iter().filter_map(|(key, bytes)| Some((key.strip_prefix(owner)?.to_owned(), bytes.clone()))).collect()
}

fn prefixed(owner: &str, out: &mut Vec<(String, Option<Vec<u8>>)>, drain: impl FnOnce(&mut Vec<(String, Option<Vec<u8>>)>)) {
    let mut rows = Vec::new();
    drain(&mut rows);
    out.extend(rows.into_iter().map(|(key, bytes)| (format!("{owner}{key}"), bytes)));
}
