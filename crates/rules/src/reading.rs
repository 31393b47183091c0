//! What a reading goes through: the quick way for nothing new, else deadlines, order, the gateway's clock, and its conditions.

use crate::Rules;
use crate::clock::{Seen, Verdict};
use crate::effects::Said;
use crate::gates::Gate;
use crate::row::Row;
use crate::tag::{Newest, Order};
use model::{Cause, Condition, Duration, Quality, Reading, ReadingRecord, TagIndex, Timestamp};

/// The usual case, decided by one row and one gate: a good, newer, timely value inside the tag's band, while nothing is due.
///
/// It must do just what the long way would; tests hold one against the other.
pub(crate) struct QuickWay<'a> {
    rows: &'a mut [Row],
    gates: &'a mut [Gate],
    wake: Timestamp,
    /// The greatest age that neither is late nor speaks of a wrong clock, in microseconds.
    timely: u64,
    /// Listening time minus our clock.
    listened: Duration,
}

impl QuickWay<'_> {
    /// Takes a reading in at `now` and says true, or leaves all as it is.
    ///
    /// What a reading costs is the number of instructions here, so none is wasted.
    #[inline(always)]
    pub fn take(&mut self, reading: &Reading, now: Timestamp) -> bool {
        let Some(row) = self.rows.get_mut(reading.tag.at()) else { return false };
        let Some(gate) = self.gates.get_mut(row.gateway as usize) else { return false };
        let quick = now < self.wake
            && is_timely(self.timely, reading.source_time.0, reading.receive_time.0, now.0)
            && reading.source_time > row.time
            && gate.is_open()
            && row.keeps(reading.value)
            && reading.quality == Quality::Good;
        if quick {
            let heard = Timestamp(now.0.wrapping_add(self.listened.0));
            row.advance(reading, reading.receive_time.0.wrapping_sub(reading.source_time.0) as u32, heard);
            gate.pass(heard);
        }
        quick
    }
}

/// Whether a reading is neither late nor speaks of a wrong clock. A sum that wraps is too great an age.
#[inline(always)]
pub(crate) fn is_timely(timely: u64, source: i64, receive: i64, now: i64) -> bool {
    now.wrapping_sub(source) as u64 <= timely && now.wrapping_sub(receive) as u64 <= timely
}

impl Rules {
    /// The quick way as it stands until the next closer look.
    #[inline(always)]
    pub(crate) fn quick_way(&mut self) -> QuickWay<'_> {
        QuickWay { gates: self.gateways.gates(), rows: self.tags.rows_mut(), wake: self.wake, timely: self.timely, listened: self.listened }
    }

    pub(crate) fn reading(&mut self, reading: &Reading, said: &mut Vec<Said>) {
        let index = reading.tag;
        // A gateway's own tag, the engine's and a calculated one have no readings; whoever sends one is not believed.
        let known = self.plant.tags.get(index.at()).is_some_and(model::plant::Tag::is_measured);
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
            return self.show_only(reading, said);
        }
        // Deadlines may have moved the newest reading on.
        let (corrected, receive, order) = self.order(reading);
        if order == Order::Duplicate {
            return;
        }
        if let Some(gateway) = self.tags.gateway(index) {
            let newest = self.tag(index).newest().map_or(Timestamp::MIN, |newest| newest.time);
            let seen = Seen {
                source: reading.source_time,
                receive,
                straggler: order == Order::Straggler,
                plain_straggler: reading.source_time.min(self.now) < newest,
            };
            self.gateways.soft_changed(gateway);
            let changed = self.observe_clock(gateway, &seen, said);
            let current = receive.since(corrected).abs() <= self.plant.policies.clock_skew_max;
            if !changed && order == Order::Newer && current {
                self.gateways[gateway].last_current = self.listening.at(self.now);
                if !self.tag(index).rest.kept.is_empty() {
                    self.kept_is_history(gateway, index, said);
                }
            }
        }
        self.hear(index, reading, said);
        self.place(reading, said);
        if let Some(gateway) = self.tags.gateway(index) {
            self.note_back(gateway, index);
            self.look_for_return(gateway, said);
            if self.tag(index).rest.fall.is_some_and(|(_, since)| since == self.now) {
                self.look_for_loss(gateway, self.now, said);
            }
            self.gateways.reopen(gateway);
        }
    }

    /// The corrected source time of a reading, its receive time, and where it stands to its tag's newest.
    pub(crate) fn order(&self, reading: &Reading) -> (Timestamp, Timestamp, Order) {
        let receive = reading.receive_time.min(self.now);
        let verdict = self.tags.gateway(reading.tag).and_then(|gateway| self.gateways[gateway].verdict);
        let corrected = Verdict::read(verdict, reading.source_time, receive);
        let on_receive_time = verdict == Some(Verdict::Receive);
        let skew_max = self.plant.policies.clock_skew_max;
        let order = self.tag(reading.tag).order(corrected, reading, on_receive_time, self.now, skew_max);
        (corrected, receive, order)
    }

    /// Out of service: evaluated for nothing, kept for display.
    fn show_only(&mut self, reading: &Reading, said: &mut Vec<Said>) {
        let time = reading.source_time.min(self.now);
        if self.tag(reading.tag).newest().is_none_or(|newest| time >= newest.time) {
            self.with_tag(reading.tag, said, |tag, _, _| {
                tag.newest = Some(Newest { time, record: ReadingRecord::from(reading), ahead: None });
            });
            if let Some(gateway) = self.plant.tag(reading.tag).gateway {
                self.gateways.soft_changed(gateway.at());
            }
        }
    }

    /// Something came from the tag, so it is not silent. A bad reading is no data: it ends the silence but not its alarm.
    fn hear(&mut self, index: TagIndex, reading: &Reading, said: &mut Vec<Said>) {
        let (now, heard) = (self.now, self.listening.at(self.now));
        let straggler = self.order(reading).2 == Order::Straggler;
        if let Some(gateway) = self.tags.gateway(index) {
            // Where the whole gateway sends stragglers its clock may have stepped back; where it has gone on, the tag has not.
            let ahead = self.gateways.last_current(gateway).since(self.tag(index).advanced());
            if straggler && ahead > self.plant.gateways[gateway].interval.times(2) {
                return;
            }
            self.gateways[gateway].first_heard.get_or_insert(heard);
        }
        let is_bad = reading.quality == Quality::Bad || !reading.value.is_finite();
        self.with_tag(index, said, |tag, _, scene| {
            if !straggler {
                tag.advanced = heard;
            }
            tag.heard = heard;
            tag.granted = Duration::ZERO;
            tag.silent = false;
            let stale = scene.tag().conditions.iter().position(|rule| rule.condition == Condition::Stale);
            if let Some(place) = stale.filter(|place| !is_bad && tag.slots[*place].state.is_active()) {
                // Silence is about our hearing it, whatever time it speaks of.
                let cause = Cause::Reading(ReadingRecord::from(reading));
                tag.slots[place].return_to_normal(&scene.tag().conditions[place], now, cause, None, scene);
            }
        });
    }
}
