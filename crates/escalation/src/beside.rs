//! What stands beside the alarms' state: when it wakes, how it is shown, and what a restart makes of it.
//!
//! Windows, expiring acknowledgements, chattering, floods and first-out are state rows like the cases, each with its own
//! deadline. A deadline that passed while the engine was down runs at the first step after it, marked as delayed.

use crate::Escalation;
use crate::tell::Moment;
use model::{ActId, AlarmId, BesideEvent, BesideEventKind, BodyId, EscalationEffect, Flood, Marks, Timestamp, Window, WindowKind};
use std::collections::{BTreeMap, BTreeSet};

/// Something beside the cases that has a deadline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wake {
    /// A window ends.
    Window(ActId),
    /// The commissioning of some tags ends.
    Commissioning,
    /// An acknowledgement runs out.
    Acknowledgement(AlarmId),
    /// An alarm may have calmed down.
    Chattering(AlarmId),
    /// The announcements of an enterprise grow old.
    Flood(BodyId),
}

/// Deadlines, each thing with one at most.
#[derive(Clone, Debug)]
pub(crate) struct Wakes<K> {
    queue: BTreeSet<(Timestamp, K)>,
    at: BTreeMap<K, Timestamp>,
}

impl<K> Default for Wakes<K> {
    fn default() -> Self {
        Self { queue: BTreeSet::new(), at: BTreeMap::new() }
    }
}

impl<K: Clone + Ord> Wakes<K> {
    /// Sets, moves or takes away a deadline.
    pub fn set(&mut self, wake: K, due: Option<Timestamp>) {
        if let Some(before) = self.at.remove(&wake) {
            self.queue.remove(&(before, wake.clone()));
        }
        if let Some(due) = due {
            self.at.insert(wake.clone(), due);
            self.queue.insert((due, wake));
        }
    }

    /// When something wakes.
    pub fn due(&self, wake: &K) -> Option<Timestamp> {
        self.at.get(wake).copied()
    }

    /// The earliest.
    pub fn first(&self) -> Option<&(Timestamp, K)> {
        self.queue.first()
    }

    /// Those due by `until`, earliest first.
    pub fn by(&self, until: Timestamp) -> impl Iterator<Item = &(Timestamp, K)> {
        self.queue.iter().take_while(move |(due, _)| *due <= until)
    }
}

impl Escalation {
    /// One deadline beside the cases has come.
    pub(crate) fn wake(&mut self, due: Timestamp, wake: Wake, moment: Moment, out: &mut Vec<EscalationEffect>) {
        self.wakes.set(wake.clone(), None);
        match wake {
            Wake::Window(id) => self.end_window(&id, None, "", moment, out),
            Wake::Commissioning => {
                self.arm_commissioning(Some(due));
                self.raise_anew(moment, out);
            }
            Wake::Acknowledgement(alarm) => self.acknowledgement_ran_out(&alarm, moment, out),
            Wake::Chattering(alarm) => self.calmed(&alarm, moment.at, out),
            Wake::Flood(enterprise) => self.flood_grows_old(&enterprise, moment.at, out),
        }
    }

    /// The windows not yet ended, those that wait for a confirmation among them.
    pub fn windows(&self) -> impl Iterator<Item = &Window> {
        self.windows.values()
    }

    /// One window.
    pub fn window(&self, id: &ActId) -> Option<&Window> {
        self.windows.get(id)
    }

    /// The enterprises whose operators get more alarms than they can read.
    pub fn floods(&self) -> impl Iterator<Item = Flood> {
        self.starts.iter().filter_map(|(enterprise, starts)| {
            Some(Flood { enterprise: enterprise.clone(), since: starts.flood_since?, count: starts.flood_count })
        })
    }

    /// When an alarm was first raised, ever, on its tag's time: its limit has been seen to work.
    pub fn proven(&self, alarm: &AlarmId) -> Option<Timestamp> {
        self.proven.get(alarm).copied()
    }

    /// Every alarm ever raised, with when it first was.
    pub fn proven_alarms(&self) -> impl Iterator<Item = (&AlarmId, Timestamp)> {
        self.proven.iter().map(|(alarm, at)| (alarm, *at))
    }

    /// What stands beside an alarm's state at `now`.
    pub fn marks(&self, alarm: &AlarmId, now: Timestamp) -> Marks {
        let mut marks = Marks {
            commissioning: self.commissioning(&alarm.tag, now).is_some(),
            first_out: self.is_first_out(alarm),
            chattering: self.chatters.get(alarm).filter(|one| one.since.is_some()).map_or(0, |one| one.count),
            acknowledgement_expired: self.alarms.get(alarm).map_or(0, |one| one.acknowledgement_expired),
            ..Marks::default()
        };
        for window in self.windows.values().filter(|window| window.in_force() && self.covers(&window.scope, alarm)) {
            match window.kind {
                WindowKind::Shelved => marks.shelved = true,
                WindowKind::OutOfService => marks.out_of_service = true,
                WindowKind::UnderTest => marks.under_test = true,
            }
        }
        marks
    }
}

/// An event that no person did.
pub(crate) fn noted(at: Timestamp, what: BesideEventKind) -> EscalationEffect {
    EscalationEffect::Beside(BesideEvent { at, what, act: None, by: None })
}
