//! Pure: alarms, human acts, what became of messages and time go in; cases 处置单, notifications and siren states come out.
//!
//! One equipment or area has one open case. What the rules announce is told at once to whom the policy of its level names,
//! and climbs from the enterprise to the township or park to the county until the enterprise signs. Nothing closes a
//! case people were told of but a person's 办结, and return to normal never does.
//!
//! [`Escalation::step`] is the only way anything changes. It reads no clock and does no IO: the engine stamps each input
//! with a `now` that never runs backwards, deadlines due by then fire first (at a tie the deadline goes first, each stamped
//! with its own due time), then the input is applied. [`Escalation::next_deadline`] says when to come back without one.
//! Obligations are data in the case, so a restart loses none: what fell due while the engine was down runs in one go at
//! the first step after it, red first, marked as delayed.
//!
//! It never sends, words or repeats a message (the notifier does, by stable key), never judges a reading (the rules do) and
//! never sees a person's name or number.

mod acts;
mod alarms;
mod attempt;
mod audit;
mod beside;
mod chatter;
mod civil;
mod climb;
mod close;
mod held;
mod record;
mod restore;
mod siren;
mod tell;
mod window;

pub use restore::RestoreError;

use crate::beside::{Wake, Wakes};
use crate::chatter::{Chatter, FirstOut, Starts};
use crate::held::Held;
use crate::record::Record;
use crate::siren::Zone;
use crate::tell::{Moment, Want};
use model::{
    ActId, AlarmId, AlarmState, BodyId, Case, CaseId, CaseTimer, CaseTimerKind, EpisodeRef, EquipmentId, EscalationEffect, EscalationInput,
    Level, Plant, Siren, TagId, Timestamp, Window, ZoneId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Closed cases kept in memory and in the state; the journal keeps them all.
pub const CLOSED_CASES_MAX: usize = 500;

/// An alarm that is not normal, as the rules last said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlarmNow {
    /// Its current episode.
    pub of: EpisodeRef,
    /// Level of its condition.
    pub level: Level,
    /// Its state.
    pub state: AlarmState,
    /// The setpoint it was raised by.
    pub setpoint: Option<f64>,
    /// The case that lists it; none while it is only recorded.
    pub case: Option<CaseId>,
    /// What of it was told to fewer people than its policy names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Fresh announcements of this episode so far.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub anew: u32,
    /// When its acknowledgement runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_until: Option<Timestamp>,
    /// So often it ran out in this episode.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub acknowledgement_expired: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Cases numbered for one enterprise on one civil day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Numbers {
    /// Days since 1970 in civil time.
    pub day: i64,
    /// Cases opened on it.
    pub used: u32,
}

/// All cases, sirens and what they still owe to people.
#[derive(Clone, Debug)]
pub struct Escalation {
    plant: Arc<Plant>,
    cases: BTreeMap<CaseId, Record>,
    /// The one open case per equipment or area.
    open: BTreeMap<(BodyId, EquipmentId), CaseId>,
    /// Closed cases still kept, oldest first.
    closed: VecDeque<CaseId>,
    alarms: BTreeMap<AlarmId, AlarmNow>,
    zones: BTreeMap<(BodyId, ZoneId), Zone>,
    numbers: BTreeMap<BodyId, Numbers>,
    /// The earliest obligation of each case that has one.
    due: Wakes<CaseId>,
    changed: BTreeSet<String>,
    retimed: BTreeSet<CaseId>,
    /// 搁置, 停用, 检维修: filed and not ended.
    windows: BTreeMap<ActId, Window>,
    chatters: BTreeMap<AlarmId, Chatter>,
    starts: BTreeMap<BodyId, Starts>,
    firsts: BTreeMap<(BodyId, EquipmentId), FirstOut>,
    /// When each alarm was first raised, ever: its limit has been seen to work.
    proven: BTreeMap<AlarmId, Timestamp>,
    /// Deadlines of what stands beside the cases.
    wakes: Wakes<Wake>,
    /// Obligations due until then were missed because the engine was down.
    missed_until: Option<Timestamp>,
    /// When the engine started: what is held back may be held back by another configuration. None once that has been looked at.
    unreviewed: Option<Timestamp>,
}

impl Escalation {
    /// No cases yet.
    pub fn new(plant: Arc<Plant>) -> Self {
        let mut this = Self::empty(plant);
        this.arm_commissioning(None);
        this
    }

    fn empty(plant: Arc<Plant>) -> Self {
        Self {
            plant,
            cases: BTreeMap::new(),
            open: BTreeMap::new(),
            closed: VecDeque::new(),
            alarms: BTreeMap::new(),
            zones: BTreeMap::new(),
            numbers: BTreeMap::new(),
            due: Wakes::default(),
            changed: BTreeSet::new(),
            retimed: BTreeSet::new(),
            windows: BTreeMap::new(),
            chatters: BTreeMap::new(),
            starts: BTreeMap::new(),
            firsts: BTreeMap::new(),
            proven: BTreeMap::new(),
            wakes: Wakes::default(),
            missed_until: None,
            unreviewed: None,
        }
    }

    /// Fires what is due, then applies one input at `now`, and appends what follows in order.
    pub fn step(&mut self, input: &EscalationInput<'_>, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        self.fire_due(now, out);
        if self.unreviewed.take().is_some() {
            self.review(now, out);
        }
        match input {
            EscalationInput::Alarms(effects) => self.alarms(effects, now, out),
            EscalationInput::Act(act) => self.act(act, now, out),
            EscalationInput::Attempt(attempt) => {
                let plant = Arc::clone(&self.plant);
                let record = self.cases.get_mut(&attempt.key.case);
                if record.is_some_and(|record| record.attempt(&plant, attempt, now, out)) {
                    self.settle(&attempt.key.case);
                }
            }
            EscalationInput::Timeout => {}
        }
    }

    /// Goes on under another configuration. Cases keep their clocks and what was promised to people; what is told from now on follows the
    /// new one. Hand over first what the change retires, since only the old one knows where that belongs.
    pub fn reload(&mut self, plant: Arc<Plant>, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        self.plant = plant;
        self.arm_commissioning(Some(now));
        self.review(now, out);
    }

    /// Holds what is told to fewer people against the configuration in force.
    fn review(&mut self, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let moment = Moment { at: now, delayed: false };
        self.review_windows(moment, out);
        // What 待调试 held back and no longer does is told as new.
        self.raise_anew(moment, out);
    }

    /// When `step` is due if nothing arrives before.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due).into_iter().chain(self.next_wake()).min()
    }

    /// When it may take back an acknowledgement if nothing arrives before: no other deadline of its own concerns an alarm's state.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(due, _)| *due).into_iter().chain(self.unreviewed).min()
    }

    /// State rows changed since the last call, `None` for those to delete.
    pub fn drain_changed(&mut self, out: &mut Vec<(String, Option<Vec<u8>>)>) {
        for key in std::mem::take(&mut self.changed) {
            let bytes = self.row(&key);
            out.push((key, bytes));
        }
    }

    /// The complete list of obligations of every case where it changed since the last call.
    pub fn drain_timers(&mut self, out: &mut Vec<(CaseId, Vec<CaseTimer>)>) {
        for id in std::mem::take(&mut self.retimed) {
            match self.cases.get_mut(&id) {
                Some(record) if record.drained != record.case.timers => {
                    record.drained = record.case.timers.clone();
                    out.push((id, record.drained.clone()));
                }
                _ => {}
            }
        }
    }

    /// Every case kept, open or closed, by id.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values().map(|record| &record.case)
    }

    /// One case.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.cases.get(id).map(|record| &record.case)
    }

    /// The wanted state of every zone ever used.
    pub fn sirens(&self) -> Vec<Siren> {
        self.zones.values().map(|zone| zone.siren.clone()).collect()
    }

    /// The equipment or area of a tag; a tag that left the configuration stands for itself.
    fn place(&self, tag: &TagId) -> EquipmentId {
        self.plant
            .tag_index(tag)
            .and_then(|index| self.plant.equipment_of(self.plant.tag(index)))
            .map_or_else(|| EquipmentId::new(&*tag.tag), |equipment| equipment.id.clone())
    }

    fn fire_due(&mut self, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let missed_until = self.missed_until.take();
        if let Some(until) = missed_until {
            let mut missed: Vec<_> = self.due.by(until).cloned().collect();
            missed.sort_by_cached_key(|(due, id)| (std::cmp::Reverse(self.cases.get(id).map(|record| record.case.level)), *due));
            for (_, id) in missed {
                self.fire_case(&id, until, Moment { at: now, delayed: true }, now, out);
            }
        }
        loop {
            let case = self.due.first().filter(|(due, _)| *due <= now).cloned();
            let wake: Option<(Timestamp, Wake)> = self.wakes.first().filter(|(due, _)| *due <= now).cloned();
            match (case, wake) {
                // At a tie what stands beside goes first: a window that ends now holds nothing any more.
                (case, Some((due, wake))) if case.as_ref().is_none_or(|(of_case, _)| due <= *of_case) => {
                    let missed = missed_until.is_some_and(|until| due <= until);
                    let moment = if missed { Moment { at: now, delayed: true } } else { Moment { at: due, delayed: false } };
                    self.wake(due, wake, moment, out);
                }
                (Some((due, id)), _) => self.fire_case(&id, due, Moment { at: due, delayed: false }, now, out),
                (None, _) => break,
            }
        }
    }

    /// Fires a case's obligations due by `until`, those they bring about included, and tells everything in one go.
    fn fire_case(&mut self, id: &CaseId, until: Timestamp, moment: Moment, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let plant = Arc::clone(&self.plant);
        let (mut begun, mut waited, mut withdrawn) = (Vec::new(), false, false);
        if let Some(record) = self.cases.get_mut(id) {
            let mut wants = Vec::new();
            loop {
                let later = record.case.timers.partition_point(|timer| timer.due <= until);
                if later == 0 {
                    break;
                }
                for timer in record.case.timers.drain(..later).collect::<Vec<_>>() {
                    record.fire(&plant, &timer.kind, moment, now, &mut wants, out);
                    if let CaseTimerKind::Wait { key } = &timer.kind {
                        waited = true;
                        begun.extend(record.announcement(key).map(|at| record.case.announcements[at].clone()));
                    }
                }
            }
            record.tell(&plant, moment, wants, out);
            withdrawn = waited && record.withdraw(moment.at, out);
        }
        if withdrawn {
            self.put_away(id, out);
        } else {
            self.settle(id);
        }
        // The wait is over: only now is it announced, on site too.
        let mut zones = BTreeSet::new();
        for one in begun {
            if one.audience.is_everyone() && self.alarms.get(&one.key.alarm).is_some_and(|alarm| alarm.state.is_standing()) {
                self.sound(&one.key.alarm, id, one.level, &mut zones);
            }
        }
        for zone in &zones {
            self.settle_zone(zone, out);
        }
    }

    /// Tells what one input wants told of several cases.
    fn tell_all(&mut self, wants: BTreeMap<CaseId, Vec<Want>>, moment: Moment, out: &mut Vec<EscalationEffect>) {
        let plant = Arc::clone(&self.plant);
        for (id, wants) in wants {
            if let Some(record) = self.cases.get_mut(&id) {
                record.tell(&plant, moment, wants, out);
            }
            self.settle(&id);
        }
    }

    /// After a case changed: its row, its timers and its place among the deadlines.
    fn settle(&mut self, id: &CaseId) {
        let due = self.cases.get(id).and_then(|record| record.case.timers.first()).map(|timer| timer.due);
        self.due.set(id.clone(), due);
        self.changed.insert(format!("case/{id}"));
        self.retimed.insert(id.clone());
    }

    /// Takes the states of zones that changed to the siren commands.
    fn settle_zone(&mut self, at: &(BodyId, ZoneId), out: &mut Vec<EscalationEffect>) {
        if let Some(zone) = self.zones.get_mut(at) {
            out.extend(zone.settle().map(EscalationEffect::Siren));
            self.changed.insert(format!("siren/{}/{}", at.0, at.1));
        }
    }
}
