//! Stragglers: readings older than their tag's newest. History only, but no exceedance gets lost in it.
//!
//! A straggler beyond a limit may also be the first word of a clock that stepped back. So it is kept: as history, with one row for the
//! excursion, as soon as its tag sends something current; as a raise on corrected time, once the clock is found wrong; and as a
//! raise on receive time when neither has come after `late_hold`. In doubt: page.

use crate::Rules;
use crate::effects::Said;
use crate::former::{self, Then};
use crate::judge::Finding;
use crate::judge::{Judged, find, is_told_though_returned, lower_of_side};
use crate::slot::{Hold, Slot};
use crate::tag::{Order, by_mode, mode_at};
use model::plant::Tag;
use model::{AlarmEffect, AnnounceMode, Duration, LateExceedance, Quality, Reading, ReadingRecord, TagIndex, Timestamp, TransitionKey};

/// Stragglers kept per tag; a fuller list is taken as raises at once.
const KEPT_MAX: usize = 64;
/// Fewer kept stragglers do not show whether they are a backlog.
const BACKLOG_MIN: usize = 4;

impl Rules {
    /// Takes a straggler in. `time` is the tag's time of it.
    pub(crate) fn straggler(&mut self, reading: &Reading, time: Timestamp, receive: Timestamp, said: &mut Vec<Said>) {
        let index = reading.tag;
        let tag = self.plant.tag(index);
        let judged = Judged::new(tag, reading, time, receive, false);
        let state = self.tag(index);
        let then = self.formers.of(index).at(time);
        let mode = mode_at(&state.rest.former_modes, state.rest.mode, time);
        let tells = !unrecorded(tag, (then, mode), |place| state.slot(place), &judged).is_empty();
        let Some(gateway) = self.tags.gateway(index) else {
            return self.exceedance_row(index, &judged, said);
        };
        if !tells && state.rest.kept.is_empty() {
            return;
        }
        let due = state.rest.kept_due.unwrap_or(self.now + self.plant.policies.late_hold);
        self.gateways[gateway].kept.insert(index);
        self.with_tag(index, said, |tag, _, _| {
            // A redelivery of one that is kept already.
            let content = |record: &ReadingRecord| (record.source_time, record.value, record.quality);
            if !tag.kept.iter().any(|kept| content(kept) == content(&judged.record)) {
                tag.kept.push(judged.record);
                tag.kept_due = Some(due);
                tag.changed = true;
            }
        });
        if self.tag(index).rest.kept.len() >= KEPT_MAX {
            self.kept_due(index, self.now, said);
        }
    }

    /// The tag has sent something current, so its clock is right and what was kept is history.
    pub(crate) fn kept_is_history(&mut self, gateway: usize, index: TagIndex, said: &mut Vec<Said>) {
        self.gateways[gateway].kept.remove(&index);
        let verdict = self.gateways[gateway].verdict;
        for record in self.take_kept(index, said) {
            let receive = record.receive_time.min(self.now);
            let time = crate::clock::Verdict::read(verdict, record.source_time, receive).min(self.now);
            let judged = Judged::new(self.plant.tag(index), &record.reading(index), time, receive, false);
            self.exceedance_row(index, &judged, said);
        }
    }

    /// The clock has been found wrong (or right again): what was kept is judged by the new reading of it.
    pub(crate) fn judge_kept(&mut self, index: TagIndex, said: &mut Vec<Said>) {
        for record in self.take_kept(index, said) {
            self.place(&record.reading(index), said);
        }
    }

    /// Neither has come in time: a raise, judged on receive time and told if it stands. Only what is plainly a backlog is history.
    pub(crate) fn kept_due(&mut self, index: TagIndex, due: Timestamp, said: &mut Vec<Said>) {
        if let Some(gateway) = self.tags.gateway(index) {
            let interval = self.plant.gateways[gateway].interval;
            if is_backlog(&self.tag(index).rest.kept, interval) {
                return self.kept_is_history(gateway, index, said);
            }
            self.gateways[gateway].kept.remove(&index);
        }
        for record in self.take_kept(index, said) {
            let reading = record.reading(index);
            let receive = record.receive_time.min(self.now);
            let newest = self.tag(index).newest().map_or(receive, |newest| newest.time);
            let judged = Judged::new(self.plant.tag(index), &reading, receive.max(newest), receive, true);
            self.with_tag(index, said, |tag, view, scene| {
                tag.fire_proven(judged.time, view, scene);
                tag.apply(&judged, judged.time, view, scene);
            });
        }
        self.with_tag(index, said, |tag, _, scene| {
            for (slot, rule) in tag.slots.iter_mut().zip(&scene.tag().conditions) {
                if matches!(slot.hold, Hold::Late { .. }) && slot.state.is_standing() {
                    slot.announce(rule, AnnounceMode::LateConfirmed, due, &[], scene);
                }
            }
        });
    }

    fn take_kept(&mut self, index: TagIndex, said: &mut Vec<Said>) -> Vec<ReadingRecord> {
        self.with_tag(index, said, |tag, _, _| {
            tag.kept_due = None;
            tag.changed = true;
            std::mem::take(&mut tag.kept)
        })
    }

    /// Makes the one row for a straggler beyond a limit outside any recorded episode, at the highest limit of its side.
    fn exceedance_row(&mut self, index: TagIndex, judged: &Judged, said: &mut Vec<Said>) {
        self.with_tag(index, said, |state, _, scene| {
            let tag = scene.tag();
            scene.judge_as_of(judged.time);
            let mode = mode_at(&state.former_modes, state.mode, judged.time);
            let places = unrecorded(tag, (scene.judged_by, mode), |place| &state.slots[place], judged);
            for place in &places {
                let Some(rule) = scene.rule(*place) else { continue };
                let rule = &*by_mode(rule, mode);
                let slot = &mut state.slots[*place];
                slot.changed = true;
                if slot.spans.extend_late(judged.time, tag.stale_after) {
                    continue;
                }
                slot.spans.record_late(judged.time);
                // The lower limit of the side is told by the higher one.
                let told_by_higher = places.iter().any(|other| lower_of_side(tag.conditions[*other].condition) == Some(rule.condition));
                if told_by_higher {
                    continue;
                }
                let opens_case = is_told_though_returned(tag, rule.condition).then(|| TransitionKey {
                    alarm: scene.alarm(rule.condition),
                    episode: slot.open_episode(rule, judged.time, scene),
                    step: 0,
                });
                let row = LateExceedance {
                    alarm: scene.alarm(rule.condition),
                    level: rule.level,
                    setpoint: Some(rule.setpoint),
                    reading: judged.record,
                    now: scene.now,
                    opens_case,
                };
                scene.say(judged.time, rule.condition, AlarmEffect::LateExceedance(row));
            }
        });
    }

    /// Gives a reading its place by the clock verdict in force and applies it, or keeps it as a straggler.
    pub(crate) fn place(&mut self, reading: &Reading, said: &mut Vec<Said>) {
        let (corrected, receive, order) = self.order(reading);
        let time = corrected.min(self.now);
        match order {
            Order::Duplicate => {}
            Order::Straggler => self.straggler(reading, time, receive, said),
            Order::Newer | Order::InDoubt => {
                let late = receive.since(time) > self.plant.policies.late_after;
                let mut judged = Judged::new(self.plant.tag(reading.tag), reading, time, receive, late);
                if order == Order::InDoubt && judged.quality == Quality::Good {
                    judged.quality = Quality::Uncertain;
                }
                self.with_tag(reading.tag, said, |tag, view, scene| {
                    tag.fire_proven(time, view, scene);
                    tag.apply(&judged, corrected, view, scene);
                });
            }
        }
    }
}

/// Late data come in order and faster than they were measured; a wrong clock goes at the pace of ours, an erratic one in no order.
fn is_backlog(kept: &[ReadingRecord], interval: Duration) -> bool {
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else { return false };
    let in_order = kept.windows(2).all(|pair| pair[0].source_time <= pair[1].source_time);
    kept.len() >= BACKLOG_MIN
        && in_order
        && outruns(last.source_time.since(first.source_time), last.receive_time.since(first.receive_time), interval)
}

/// Whether more time was measured than has passed, by a margin no wrong clock makes.
pub(crate) fn outruns(measured: Duration, passed: Duration, interval: Duration) -> bool {
    measured > passed.times(2) + interval.times(2)
}

/// Conditions that a reading is beyond, by the limits and the operating mode of then, at a time none of their episodes covers.
fn unrecorded<'a>(tag: &Tag, (then, mode): (Option<Then<'_>>, u8), slot: impl Fn(usize) -> &'a Slot, judged: &Judged) -> Vec<usize> {
    let beyond = |place: usize| {
        let rule = former::rule(tag, then, place);
        rule.is_some_and(|rule| matches!(find(&by_mode(rule, mode), judged), Finding::Beyond | Finding::OverRange))
    };
    (0..tag.conditions.len())
        .filter(|place| {
            let condition = tag.conditions[*place].condition;
            (condition.is_limit() || condition.is_state()) && beyond(*place)
        })
        .filter(|place| {
            let slot = slot(*place);
            let in_present = slot.state.is_active() && slot.episode.is_some_and(|episode| episode.since <= judged.time);
            let in_pending = slot.pending.as_ref().is_some_and(|pending| pending.since <= judged.time);
            !in_present && !in_pending && !slot.spans.covers(judged.time)
        })
        .collect()
}
