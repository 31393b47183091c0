//! What time brings: on_delays, silence, announcements that need not wait any longer.

use crate::Rules;
use crate::effects::Said;
use crate::slot::{Hold, Raise, deadline};
use crate::tag::Fall;
use crate::timers::Timer;
use model::{AlarmState, AnnounceMode, Condition, Duration, Timestamp};

/// A deadline served later than this means that the engine stood still. Its queue then gets as long to be served.
const STALL_MAX: Duration = Duration::from_secs(2);

impl Rules {
    /// Returns when `step(Input::Timeout, …)` is due if nothing arrives before. It may turn out to be early.
    #[inline]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        (self.next != Timestamp::MAX).then_some(self.next)
    }

    /// The same, looked up.
    pub(crate) fn first_deadline(&self) -> Option<Timestamp> {
        let due = self.timers.next().filter(|_| self.drained).map(|(due, _)| due);
        due.into_iter().chain(self.first_silence()).min()
    }

    fn first_silence(&self) -> Option<Timestamp> {
        self.silence.first().and_then(|(heard, _)| self.listening.when(heard))
    }

    /// A silence that is served much too late was not heard to be one: the engine itself stood still (a stalled disk, a stopped process),
    /// and what came meanwhile still waits in its queue. That time does not count as listening. Until the deadline nothing was due, so
    /// the engine may well have listened, and that does count.
    pub(crate) fn hold_silence_over_a_stall(&mut self, now: Timestamp) {
        let Some(due) = self.first_silence().filter(|due| now.since(*due) > STALL_MAX) else { return };
        self.listening.skip(now.since(self.now.max(due)));
        self.grant_time_to_report(now, Some(STALL_MAX));
    }

    /// Moves silence entries that are due by `now` to where a clock truly ends, unless anything else is due or the engine stood still.
    pub(crate) fn look_at_silence(&mut self, now: Timestamp) {
        let due = self.timers.next().filter(|_| self.drained).map_or(Timestamp::MAX, |(due, _)| due);
        while let Some(entry) = self.first_silence().filter(|entry| *entry <= now) {
            if due <= now || now.since(entry) > STALL_MAX || self.silence.look_again(&self.tags).is_some() {
                return;
            }
        }
    }

    /// Fires every deadline due by `now`, in order.
    pub(crate) fn fire_due(&mut self, said: &mut Vec<Said>) {
        while let Some(next) = self.first_deadline().filter(|next| *next <= self.now) {
            let silent = self.first_silence() == Some(next);
            match self.timers.next() {
                // What raises goes before what tells.
                Some((due, timer)) if self.drained && due == next && !(silent && matches!(timer, Timer::Hold(..))) => {
                    self.fire(due, timer, said);
                }
                _ => self.fire_silence(next, said),
            }
        }
    }

    fn fire(&mut self, due: Timestamp, timer: Timer, said: &mut Vec<Said>) {
        match timer {
            Timer::OnDelay(index, place) => self.with_tag(index, said, |tag, view, scene| tag.fire(usize::from(place), view, scene)),
            Timer::Kept(index) => self.kept_due(index, due, said),
            Timer::UnknownTag(gateway) => self.unknown_tag_due(gateway as usize, due, said),
            Timer::Hold(index, place) => {
                let wrong_clock = self.tags.gateway(index).is_some_and(|gateway| self.gateways[gateway].verdict.is_some());
                self.with_tag(index, said, |tag, view, scene| {
                    let rule = &scene.tag().conditions[usize::from(place)];
                    let slot = &mut tag.slots[usize::from(place)];
                    match slot.hold {
                        Hold::Verdict { .. } | Hold::Explained { .. } if view.lost => slot.hold = Hold::Explained { due: None },
                        Hold::Verdict { .. } | Hold::Explained { .. } => slot.announce(rule, AnnounceMode::Normal, due, &[], scene),
                        Hold::Late { .. } if slot.state.is_standing() => slot.announce(rule, AnnounceMode::LateConfirmed, due, &[], scene),
                        // Released by a field check before anybody was told.
                        Hold::Late { .. } => slot.announce(rule, AnnounceMode::LateReturned, due, &[], scene),
                        Hold::Returned { doubt, .. } if wrong_clock || view.doubt == Some(doubt) => {
                            slot.announce(rule, AnnounceMode::LateReturned, due, &[], scene);
                        }
                        Hold::Returned { .. } | Hold::None => slot.hold = Hold::None,
                        // Ends with its suppression, not with time.
                        Hold::Suppressed => {}
                    }
                    slot.changed = true;
                });
            }
            Timer::Realarm(index, place) => self.with_tag(index, said, |tag, _, scene| {
                let rule = &scene.tag().conditions[usize::from(place)];
                let newest = tag.newest.map(|newest| newest.record);
                tag.slots[usize::from(place)].realarm(rule, due, newest, scene);
            }),
        }
    }

    fn fire_silence(&mut self, due: Timestamp, said: &mut Vec<Said>) {
        let Some((_, index)) = self.silence.look_again(&self.tags) else { return };
        self.with_tag(index, said, |tag, view, scene| {
            tag.silent = true;
            tag.fall = Some((Fall::Silent, due));
            tag.changed = true;
            let Some(place) = scene.tag().conditions.iter().position(|rule| rule.condition == Condition::Stale) else { return };
            let slot = &tag.slots[place];
            if !slot.state.is_active() && slot.state != AlarmState::Faulted {
                let newest = tag.newest.map(|newest| newest.record);
                let value = newest.and_then(|newest| newest.value);
                tag.raise(place, Raise { since: due, at: due, cause: deadline(due, newest), value, late: false }, view, scene);
            }
        });
        if let Some(gateway) = self.tags.gateway(index) {
            self.gateways.soft_changed(gateway);
            self.look_for_loss(gateway, due, said);
        }
    }
}
