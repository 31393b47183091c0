//! What a reading goes through: the quick way for nothing new, else deadlines, order, the gateway's clock, and its conditions.

use crate::Rules;
use crate::clock::{Seen, Verdict};
use crate::effects::Said;
use crate::tag::{Newest, Order};
use model::{Cause, Condition, Duration, Quality, Reading, ReadingRecord, Signal, TagIndex, Timestamp};

impl Rules {
    /// The usual case, decided without touching anything but the newest reading: a good, newer, timely value inside the quiet band.
    pub(crate) fn is_nothing_new(&mut self, reading: &Reading) -> bool {
        let now = self.now;
        let Some(tag) = self.tags.get_mut(reading.tag.at()) else { return false };
        let (Some((low, high)), Some(newest)) = (tag.quiet, tag.newest) else { return false };
        let Some(gateway) = self.member_of[reading.tag.at()] else { return false };
        let gateway = &mut self.gateways[gateway];
        let receive = reading.receive_time.min(now);
        let quick = reading.value > low
            && reading.value < high
            && reading.value != 0.0
            && reading.quality == Quality::Good
            && reading.source_time > newest.time
            && reading.source_time <= now
            && receive.since(reading.source_time).abs() <= self.plant.policies.late_after.min(self.plant.policies.clock_skew_max)
            && gateway.verdict.is_none()
            && !gateway.lost
            && tag.kept.is_empty()
            && gateway.evidence.is_clean()
            && gateway.first_heard.is_some()
            && self.gone.is_empty()
            && self.unsound.is_empty();
        if !quick || self.next_deadline().is_some_and(|due| due <= now) {
            return false;
        }
        let heard = self.listening.at(now);
        let tag = &mut self.tags[reading.tag.at()];
        tag.newest = Some(Newest { time: reading.source_time, record: ReadingRecord::from(reading), ahead: None });
        tag.revision += 1;
        tag.heard = heard;
        tag.granted = Duration::ZERO;
        tag.advanced = heard;
        if let Some(gateway) = self.member_of[reading.tag.at()] {
            self.gateways[gateway].last_current = heard;
            self.gateways[gateway].soft_changed = true;
        }
        true
    }

    pub(crate) fn reading(&mut self, reading: &Reading, said: &mut Vec<Said>) {
        let index = reading.tag;
        // A gateway's own tag and the engine's have no readings; whoever sends one is not believed.
        let known = self.plant.tags.get(index.at()).is_some_and(|tag| !matches!(tag.signal, Signal::Gateway | Signal::System));
        if !known {
            return self.fire_due(said);
        }
        let in_service = self.plant.tag(index).in_service;
        let (corrected, _, order) = self.order(reading);
        if in_service && matches!(order, Order::Newer | Order::InDoubt) {
            let time = corrected.min(self.now);
            self.with_tag(index, said, |tag, view, scene| tag.fire_proven(time, view, scene));
        }
        self.fire_due(said);
        if !in_service {
            return self.show_only(reading);
        }
        // Deadlines may have moved the newest reading on.
        let (corrected, receive, order) = self.order(reading);
        if order == Order::Duplicate {
            return;
        }
        if let Some(gateway) = self.member_of[index.at()] {
            let newest = self.tags[index.at()].newest.map_or(Timestamp::MIN, |newest| newest.time);
            let seen = Seen {
                source: reading.source_time,
                receive,
                straggler: order == Order::Straggler,
                plain_straggler: reading.source_time.min(self.now) < newest,
            };
            self.gateways[gateway].soft_changed = true;
            let changed = self.observe_clock(gateway, &seen, said);
            let current = receive.since(corrected).abs() <= self.plant.policies.clock_skew_max;
            if !changed && order == Order::Newer && current {
                self.gateways[gateway].last_current = self.listening.at(self.now);
                if !self.tags[index.at()].kept.is_empty() {
                    self.kept_is_history(gateway, index, said);
                }
            }
        }
        self.hear(index, reading, said);
        self.place(reading, said);
        if let Some(gateway) = self.member_of[index.at()] {
            self.note_back(gateway, index);
            self.look_for_return(gateway, said);
            if self.tags[index.at()].fall.is_some_and(|(_, since)| since == self.now) {
                self.look_for_loss(gateway, self.now, said);
            }
        }
    }

    /// The corrected source time of a reading, its receive time, and where it stands to its tag's newest.
    pub(crate) fn order(&self, reading: &Reading) -> (Timestamp, Timestamp, Order) {
        let receive = reading.receive_time.min(self.now);
        let verdict = self.member_of[reading.tag.at()].and_then(|gateway| self.gateways[gateway].verdict);
        let corrected = Verdict::read(verdict, reading.source_time, receive);
        let on_receive_time = verdict == Some(Verdict::Receive);
        let skew_max = self.plant.policies.clock_skew_max;
        let order = self.tags[reading.tag.at()].order(corrected, reading, on_receive_time, self.now, skew_max);
        (corrected, receive, order)
    }

    /// Out of service: evaluated for nothing, kept for display.
    fn show_only(&mut self, reading: &Reading) {
        let time = reading.source_time.min(self.now);
        let tag = &mut self.tags[reading.tag.at()];
        if tag.newest.is_none_or(|newest| time >= newest.time) {
            tag.newest = Some(Newest { time, record: ReadingRecord::from(reading), ahead: None });
            tag.revision += 1;
            if let Some(gateway) = self.plant.tag(reading.tag).gateway.and_then(|gateway| self.gateways.get_mut(gateway)) {
                gateway.soft_changed = true;
            }
        }
    }

    /// Something came from the tag, so it is not silent. A bad reading is no data: it ends the silence but not its alarm.
    fn hear(&mut self, index: TagIndex, reading: &Reading, said: &mut Vec<Said>) {
        let heard = self.listening.at(self.now);
        let stale_after = self.plant.tag(index).stale_after;
        let straggler = self.order(reading).2 == Order::Straggler;
        let tag = &mut self.tags[index.at()];
        if let Some(gateway) = self.member_of[index.at()] {
            // Where the whole gateway sends stragglers its clock may have stepped back; where it has gone on, the tag has not.
            let state = &mut self.gateways[gateway];
            if straggler && state.last_current.since(tag.advanced) > self.plant.gateways[gateway].interval.times(2) {
                return;
            }
            state.first_heard.get_or_insert(heard);
        }
        if !straggler {
            tag.advanced = heard;
        }
        tag.heard = heard;
        tag.granted = Duration::ZERO;
        tag.silent = false;
        if tag.registered_silence.is_none() && stale_after > Duration::ZERO {
            self.timers.set_silence(index, &mut tag.registered_silence, Some(heard + stale_after));
        }
        let is_bad = reading.quality == Quality::Bad || !reading.value.is_finite();
        let record = ReadingRecord::from(reading);
        if is_bad {
            return;
        }
        if let Some(place) = self.plant.tag(index).conditions.iter().position(|rule| rule.condition == Condition::Stale)
            && self.tags[index.at()].slots[place].state.is_active()
        {
            // Silence is about our hearing it, whatever time it speaks of.
            let at = self.now;
            self.with_tag(index, said, |tag, _, scene| {
                tag.slots[place].return_to_normal(&scene.tag().conditions[place], at, Cause::Reading(record), None, scene);
            });
        }
    }
}
