//! One tag: its newest reading, the order of what arrives, and its own conditions. Reads no other tag's state.
//!
//! A tag's time is min(source time, `now`), source time being corrected where the gateway's clock is known to be wrong. A reading newer
//! than the newest advances the tag however old it is. Source times ahead of `now` all become `now`, so there their order is taken
//! from the source times as sent; one that looks older by those may raise but not clear, since it may be a redelivery.

use crate::effects::Scene;
use crate::judge::{Finding, Judged, find, lower_of_side};
use crate::motion::Motion;
use crate::row::TagView;
use crate::slot::{Hold, Outcome, Pending, Raise, Slot, deadline};
use model::plant::{ConditionRule, Tag};
use model::{AnnounceMode, Cause, Condition, Duration, Quality, Reading, ReadingRecord, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Change-making readings ahead of our clock that are remembered, to know their redelivery.
const MARKS_MAX: usize = 8;

/// The newest reading.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Newest {
    /// The tag's time.
    pub time: Timestamp,
    /// As received.
    pub record: ReadingRecord,
    /// Its corrected source time where that was ahead of `now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Timestamp>,
}

impl Newest {
    /// It was measured in another unit: known is when, not what. No reading is ever without a value and yet not bad.
    pub fn voided(self) -> Self {
        Self { record: ReadingRecord { value: None, quality: Quality::Uncertain, ..self.record }, ..self }
    }
    pub fn is_void(&self) -> bool {
        self.record.value.is_none() && self.record.quality == Quality::Uncertain
    }
}

/// Operating modes of before that are kept: a late reading is judged by the limits of its own time.
const FORMER_MODES_MAX: usize = 8;

/// A mode left for a shorter time was not left: its source was bad for a reading.
const FLAP_MAX: Duration = Duration::from_secs(5);

/// An operating mode that was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FormerMode {
    /// In force before this instant, on the tag's time.
    pub until: Timestamp,
    pub mode: u8,
}

/// The operating mode at `time`, where `now` is the present one.
pub(crate) fn mode_at(former: &[FormerMode], now: u8, time: Timestamp) -> u8 {
    former.iter().find(|former| time < former.until).map_or(now, |former| former.mode)
}

/// A rule as an operating mode has it.
pub(crate) fn by_mode(rule: &ConditionRule, mode: u8) -> Cow<'_, ConditionRule> {
    let other = rule.extra.as_ref().filter(|_| mode != 0);
    match other.and_then(|extra| extra.modes.iter().find(|limit| limit.mode == mode)?.limit) {
        None => Cow::Borrowed(rule),
        Some(limit) => {
            let mut rule = ConditionRule { setpoint: limit.setpoint, deadband: limit.deadband, ..rule.clone() };
            (rule.on_delay, rule.off_delay) = (limit.on_delay, limit.off_delay);
            Cow::Owned(rule)
        }
    }
}

fn has_modes(rule: &ConditionRule) -> bool {
    rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty())
}

/// How a tag fell out, as its gateway's loss sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fall {
    Zero,
    Bad,
    Silent,
}

/// Where a reading stands to its tag's newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Newer,
    /// Newer by our clock, older by its own: both were ahead of us.
    InDoubt,
    Duplicate,
    Straggler,
}

/// What a tag may know of its gateway.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GatewayView {
    /// Two of its intervals, where a verdict over it is possible at all.
    pub window: Option<Duration>,
    /// Its loss stands, and the tag has not been good since.
    pub lost: bool,
    /// Its clock's stretch of doubt.
    pub doubt: Option<u32>,
}

impl TagView<'_> {
    /// Where a reading stands, by its corrected source time.
    pub fn order(&self, corrected: Timestamp, reading: &Reading, on_receive_time: bool, now: Timestamp, skew_max: Duration) -> Order {
        let Some(newest) = self.newest() else { return Order::Newer };
        let record = ReadingRecord::from(reading);
        let time = corrected.min(now);
        let known = &newest.record;
        let same = known.source_time == record.source_time
            && (newest.is_void() || known.value == record.value && known.quality == record.quality)
            && known.sequence == record.sequence;
        // A stuck clock says the same thing at the same time for ever: on receive time that is a new reading.
        if same && !on_receive_time {
            return Order::Duplicate;
        }
        if time < newest.time {
            return Order::Straggler;
        }
        if let Some(ahead) = newest.ahead
            && corrected < ahead
            && ahead.since(corrected) <= skew_max
        {
            let marked = self
                .rest
                .marks
                .iter()
                .any(|mark| mark.source_time == record.source_time && mark.value == record.value && mark.quality == record.quality);
            return if marked { Order::Duplicate } else { Order::InDoubt };
        }
        // At one time the gateway's own count decides, where it sends one: a redelivery must not look like news.
        if time == newest.time
            && known.source_time == record.source_time
            && matches!((record.sequence, known.sequence), (Some(this), Some(newest)) if this < newest)
        {
            return Order::Straggler;
        }
        Order::Newer
    }
}

/// The state of one tag, opened to be changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagState {
    pub newest: Option<Newest>,
    /// Listening time when last heard.
    pub heard: Timestamp,
    /// How far `heard` was moved on since, to give the tag time to report.
    pub granted: Duration,
    /// Listening time when it last advanced. What comes later from a gateway that has gone on is no sign of life.
    pub advanced: Timestamp,
    /// Silent for its stale time.
    pub silent: bool,
    pub fall: Option<(Fall, Timestamp)>,
    /// One per condition of the tag, in its order.
    pub slots: Vec<Slot>,
    /// Stragglers kept until it is clear whether the gateway's clock is wrong.
    pub kept: Vec<ReadingRecord>,
    pub kept_due: Option<Timestamp>,
    pub marks: Vec<ReadingRecord>,
    pub registered_kept: Option<Timestamp>,
    /// How its value moves, where a condition asks for that.
    pub motion: Option<Box<Motion>>,
    /// The tag's time until which its readings may raise but not clear.
    pub warm_until: Option<Timestamp>,
    /// The operating mode of its equipment, by which its limits are chosen; 0 is the ordinary one.
    pub mode: u8,
    /// Those before it, oldest first.
    pub former_modes: Vec<FormerMode>,
    pub changed: bool,
}

impl TagState {
    pub fn is_bad(&self) -> bool {
        self.newest.is_some_and(|newest| newest.record.value.is_none() || newest.record.quality == Quality::Bad)
    }

    /// The rule by which a condition is judged now: its own, or that of the operating mode.
    pub fn in_force<'r>(&self, tag: &'r Tag, at: usize) -> Cow<'r, ConditionRule> {
        self.by_mode(&tag.conditions[at])
    }

    /// A rule as the operating mode has it.
    pub fn by_mode<'r>(&self, rule: &'r ConditionRule) -> Cow<'r, ConditionRule> {
        by_mode(rule, self.mode)
    }

    /// A rule as the operating mode of then has it.
    fn by_mode_at<'r>(&self, rule: &'r ConditionRule, time: Timestamp) -> Cow<'r, ConditionRule> {
        by_mode(rule, mode_at(&self.former_modes, self.mode, time))
    }

    /// Another operating mode begins at `at`: other limits are in force. What the newest value is beyond by them is raised at once, for
    /// it may stay for long; a return waits for the next reading. A wait to raise goes on by the new delay, or ends.
    pub fn enter_mode(&mut self, mode: u8, at: Timestamp, view: GatewayView, scene: &mut Scene<'_>) {
        if self.mode == mode {
            return;
        }
        let tag = scene.tag();
        let has_modes = |place: usize| has_modes(&tag.conditions[place]);
        if (0..tag.conditions.len()).any(has_modes) {
            let waits = self.slots.iter().any(|slot| slot.pending.is_some());
            let was_short = |last: &FormerMode| (Duration::ZERO..FLAP_MAX.min(tag.sample_interval)).contains(&at.since(last.until));
            if !waits && self.former_modes.last().is_some_and(|last| last.mode == mode && was_short(last)) {
                // No reading is likely to be of the moment between.
                self.former_modes.pop();
            } else {
                if self.former_modes.len() == FORMER_MODES_MAX {
                    self.former_modes.remove(0);
                }
                self.former_modes.push(FormerMode { until: at, mode: self.mode });
            }
            self.changed = true;
        }
        self.mode = mode;
        self.hold_against_mode(at, view, scene);
    }

    /// Holds the newest value against the limits of the mode that began at `at`.
    fn hold_against_mode(&mut self, at: Timestamp, view: GatewayView, scene: &mut Scene<'_>) {
        let tag = scene.tag();
        let has_modes = |place: usize| has_modes(&tag.conditions[place]);
        let Some(newest) = self.newest.filter(|_| !self.is_bad() && !self.silent) else {
            // No data is no evidence against a wait, but its end is that of the new mode.
            for place in (0..tag.conditions.len()).filter(|place| has_modes(*place)) {
                if !self.has_ended_before(tag, place) {
                    let on_delay = self.in_force(tag, place).on_delay;
                    self.slots[place].delay_by(on_delay, scene.now);
                }
            }
            return;
        };
        let record = newest.record;
        let time = newest.time.max(at);
        let late = scene.now.since(time) > scene.plant.policies.late_after;
        let mut judged = Judged::new(tag, &record.reading(scene.index), time, scene.now, late);
        // May raise, never clears: the value is no new evidence.
        judged.quality = Quality::Uncertain;
        for place in (0..tag.conditions.len()).filter(|place| has_modes(*place)) {
            let rule = self.in_force(tag, place);
            let finding = find(&rule, &judged);
            let has_ended = self.has_ended_before(tag, place);
            let slot = &mut self.slots[place];
            if slot.pending.is_some() {
                // What the mode of then has brought to its end stands, whatever is in force now.
                if has_ended {
                    continue;
                }
                // A movement is judged by the next reading, and doubt ends no wait.
                if finding == Finding::Beyond || rule.condition.is_movement() || record.quality != Quality::Good {
                    slot.delay_by(rule.on_delay, scene.now);
                } else {
                    slot.cancel_pending();
                }
            } else if slot.apply(&rule, finding, &judged, view.doubt, scene) == Outcome::Raise {
                let raise = Raise { since: time, at: time, cause: Cause::Reading(record), value: record.value, late };
                self.raise(place, raise, view, scene);
            }
        }
    }

    /// When a wait ended in an operating mode that is over; none where it lasts into the present one.
    fn ended_before(&self, tag: &Tag, at: usize, pending: &Pending) -> Option<Timestamp> {
        let since = self.former_modes.iter().filter(|former| pending.since < former.until);
        let mut ends = since.map(|former| (pending.due(by_mode(&tag.conditions[at], former.mode).on_delay), former.until));
        ends.find(|(due, until)| due <= until).map(|(due, _)| due)
    }

    fn has_ended_before(&self, tag: &Tag, at: usize) -> bool {
        self.slots[at].pending.as_ref().is_some_and(|pending| self.ended_before(tag, at, pending).is_some())
    }

    /// When a wait ends.
    fn due(&self, tag: &Tag, at: usize, pending: &Pending) -> Timestamp {
        self.ended_before(tag, at, pending).unwrap_or_else(|| pending.due(self.in_force(tag, at).on_delay))
    }

    /// Fires the on_delays that a reading at `time` proves.
    pub fn fire_proven(&mut self, time: Timestamp, view: GatewayView, scene: &mut Scene<'_>) {
        loop {
            let tag = scene.tag();
            let next = (0..self.slots.len())
                .filter_map(|at| self.slots[at].pending.as_ref().map(|pending| (self.due(tag, at, pending), at)))
                .min();
            match next {
                Some((due, at)) if due <= time => self.fire(at, view, scene),
                _ => return,
            }
        }
    }

    /// An on_delay has ended.
    pub fn fire(&mut self, at: usize, view: GatewayView, scene: &mut Scene<'_>) {
        let Some(pending) = self.slots[at].pending.clone() else { return };
        let due = self.due(scene.tag(), at, &pending);
        let cause = deadline(due, self.newest.map(|newest| newest.record));
        let raise = Raise { since: pending.since, at: due, cause, value: pending.value, late: pending.late };
        self.raise(at, raise, view, scene);
        self.confirm(due, scene);
    }

    /// Applies a reading that advances the tag.
    pub fn apply(&mut self, reading: &Judged, corrected: Timestamp, view: GatewayView, scene: &mut Scene<'_>) {
        let mut warmed = reading.clone();
        warmed.quality = self.warm(scene.tag(), reading);
        let reading = &warmed;
        self.note_fall(reading, scene.now);
        let ahead = match self.newest {
            Some(Newest { ahead: Some(ahead), .. }) if reading.quality != Quality::Good && corrected < ahead => Some(ahead),
            _ => (corrected > scene.now).then_some(corrected),
        };
        if ahead.is_none() {
            self.marks.clear();
        }
        self.newest = Some(Newest { time: reading.time, record: reading.record, ahead });
        let before = self.slots.iter().any(|slot| slot.changed);
        scene.judge_as_of(reading.time);
        let tag = scene.tag();
        self.motion = self.motion.take().or_else(|| Motion::of(tag));
        if let Some(motion) = &mut self.motion {
            motion.take(tag, reading);
        }
        let mode_began = self.former_modes.last().map(|former| former.until).filter(|began| reading.time < *began);
        let of_before = Judged { quality: reading.quality.max(Quality::Uncertain), ..reading.clone() };
        for at in 0..tag.conditions.len() {
            let Some(rule) = scene.rule(at) else { continue };
            let finding_of = |rule: &ConditionRule, reading: &Judged| match &self.motion {
                Some(motion) if rule.condition.is_movement() => motion.find(rule, reading),
                _ => find(rule, reading),
            };
            let of_now = self.by_mode(rule);
            let rule = self.by_mode_at(rule, reading.time);
            let mut finding = finding_of(&rule, reading);
            let mut reading = reading;
            // Measured before the mode in force began, it raises by the limits of then; that it is over now it only shows where those of
            // now say so too.
            let is_before_raise =
                self.slots[at].episode.is_some_and(|episode| self.slots[at].state.is_active() && reading.time < episode.since);
            if mode_began.is_some() && (is_before_raise || finding != finding_of(&of_now, reading)) {
                reading = &of_before;
                finding = finding_of(&rule, reading);
            }
            self.announce_explained(at, finding, reading, scene);
            if self.slots[at].apply(&rule, finding, reading, view.doubt, scene) == Outcome::Raise {
                let cause = Cause::Reading(reading.record);
                let raise = Raise { since: reading.time, at: reading.time, cause, value: reading.record.value, late: reading.late };
                self.raise(at, raise, view, scene);
            }
        }
        scene.judged_by = None;
        // Of a backlog the first reading of the mode in force decides.
        if let Some(began) = mode_began.filter(|_| !reading.late) {
            // It lasted into the mode in force, as if it had come before that began.
            self.hold_against_mode(began, view, scene);
        }
        self.confirm(reading.time, scene);
        if ahead.is_some() && !before && self.slots.iter().any(|slot| slot.changed) {
            if self.marks.len() == MARKS_MAX {
                self.marks.remove(0);
            }
            self.marks.push(reading.record);
        }
    }

    /// The quality by which conditions are judged: within the warm-up after power-up, a new sensor or bad quality, good is uncertain.
    fn warm(&mut self, tag: &Tag, reading: &Judged) -> Quality {
        if reading.quality == Quality::Bad || tag.warm_up <= Duration::ZERO {
            return reading.quality;
        }
        let was_out = self.newest.is_none() || self.is_bad() || matches!(self.fall, Some((Fall::Bad | Fall::Silent, _)));
        if was_out {
            self.warm_until = Some(reading.time + tag.warm_up);
            // Forgotten in a restart, it would let a cold detector clear.
            self.changed = true;
        }
        match self.warm_until {
            Some(until) if reading.time < until => Quality::Uncertain,
            _ => {
                self.warm_until = None;
                reading.quality
            }
        }
    }

    /// Raises a condition and the lower limits of its side with it.
    pub fn raise(&mut self, at: usize, raise: Raise, view: GatewayView, scene: &mut Scene<'_>) {
        let tag = scene.tag();
        let rule = self.by_mode_at(scene.rule(at).unwrap_or(&tag.conditions[at]), raise.at);
        if let Some(lower) = lower_of_side(rule.condition).and_then(|lower| tag.conditions.iter().position(|rule| rule.condition == lower))
        {
            let slot = &self.slots[lower];
            if !slot.state.is_active() && slot.state != model::AlarmState::Faulted {
                let pending = slot.pending.clone();
                let also = Raise {
                    // A wait that another mode or configuration began may be of later than the reading.
                    since: pending.as_ref().map_or(raise.since, |pending| pending.since.min(raise.since)),
                    at: raise.at,
                    cause: raise.cause.clone(),
                    value: raise.value,
                    late: raise.late,
                };
                let hold = self.hold(lower, also.late, view, scene);
                let rule = self.by_mode_at(scene.rule(lower).unwrap_or(&tag.conditions[lower]), raise.at);
                self.slots[lower].raise(&rule, also, hold, &[], scene);
            }
        }
        let hold = self.hold(at, raise.late, view, scene);
        self.slots[at].raise(&rule, raise, hold, &[], scene);
    }

    /// Whether the announcement of a raise has to wait, and for what.
    fn hold(&self, at: usize, late: bool, view: GatewayView, scene: &Scene<'_>) -> Hold {
        if self.slots[at].suppressed {
            return Hold::Suppressed;
        }
        if late {
            return Hold::Late { due: scene.now + scene.plant.policies.late_hold, doubt: view.doubt };
        }
        let (Some(window), Some((fall, since))) = (view.window, self.fall) else { return Hold::None };
        let fits = match scene.tag().conditions[at].condition {
            Condition::Stale | Condition::BadQuality => true,
            Condition::OutOfRange | Condition::Frozen => fall == Fall::Zero,
            Condition::Low | Condition::LowLow | Condition::RateDown | Condition::Spike => {
                fall == Fall::Zero && !scene.tag().signal.is_gas()
            }
            _ => false,
        };
        let due = since + window;
        match () {
            () if !fits => Hold::None,
            () if view.lost => Hold::Explained { due: None },
            () if due > scene.now => Hold::Verdict { due },
            () => Hold::None,
        }
    }

    /// A low alarm that the gateway's loss explained is told once the tag itself is heard to be low.
    fn announce_explained(&mut self, at: usize, finding: Finding, reading: &Judged, scene: &mut Scene<'_>) {
        let rule = &scene.tag().conditions[at];
        let alive = matches!(finding, Finding::Beyond | Finding::Between) && reading.record.value != Some(0.0);
        let slot = &mut self.slots[at];
        if alive && matches!(slot.hold, Hold::Explained { .. }) && slot.state.is_active() && rule.condition.is_limit() {
            slot.announce(rule, AnnounceMode::Normal, reading.time, &[], scene);
        }
    }

    /// Announces late raises that the newest reading confirms: current, not bad, and the alarm still stands.
    pub fn confirm(&mut self, time: Timestamp, scene: &mut Scene<'_>) {
        let Some(newest) = self.newest else { return };
        if self.is_bad() || self.silent || scene.now.since(newest.time) > scene.plant.policies.late_after {
            return;
        }
        let tag = scene.tag();
        for (slot, rule) in self.slots.iter_mut().zip(&tag.conditions) {
            let confirmable = rule.condition.has_setpoint() || rule.condition.is_state() || rule.condition == Condition::OutOfRange;
            if matches!(slot.hold, Hold::Late { .. }) && slot.state.is_standing() && confirmable {
                slot.announce(rule, AnnounceMode::LateConfirmed, time, &[], scene);
            }
        }
    }

    /// Keeps how the tag fell out: to exactly zero, to bad. Old data say nothing about now.
    fn note_fall(&mut self, reading: &Judged, now: Timestamp) {
        let before = self.newest.and_then(|newest| newest.record.value);
        let fall = match (reading.quality, reading.record.value) {
            _ if reading.late => return,
            (Quality::Bad, _) => match self.fall {
                Some((Fall::Bad | Fall::Silent, since)) => Some((Fall::Bad, since)),
                _ => Some((Fall::Bad, now)),
            },
            (_, Some(0.0)) => match self.fall {
                Some((Fall::Zero, since)) => Some((Fall::Zero, since)),
                _ => before.is_some_and(|before| before != 0.0).then_some((Fall::Zero, now)),
            },
            _ => None,
        };
        self.fall = fall;
    }
}
