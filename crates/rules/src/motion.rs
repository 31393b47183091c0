//! How a value moves: what rate of change, spike and frozen are judged by.
//!
//! It is kept per tag, of the readings that advance it, by their own times; a straggler is no part of it. A rate needs a window that is
//! at least half known, so neither a restart nor the first readings after a gap raise one. Frozen is judged by readings, not by time:
//! a tag that sends nothing is silent, which is another condition. Bad readings neither move nor stand still.

use crate::judge::{Finding, Judged, cleared};
use expr::{Sample, Window, WindowParts};
use model::plant::{ConditionRule, Method, Tag};
use model::{Condition, Duration, Quality, Timestamp};
use serde::{Deserialize, Serialize};

/// Flat readings needed besides the time, so that two lone readings are no line.
const FLAT_READINGS_MIN: u32 = 3;

/// A stretch within a tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    since: Timestamp,
    low: f64,
    high: f64,
    count: u32,
}

/// What is known of a tag's movement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Motion {
    /// For rising and for falling: each has its own window.
    rates: [Option<Window>; 2],
    before: Option<(Timestamp, f64, Option<u64>)>,
    /// The newest reading with a value, whatever came after it: what the next one may send again.
    known: Option<(Timestamp, f64, Option<u64>)>,
    /// From the reading before to the newest, where that was recent enough.
    step: Option<f64>,
    flat: Option<Flat>,
    zero_since: Option<Timestamp>,
    /// Readings on end that sent the one before them again.
    resent: u32,
}

/// As it is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MotionRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    up: Option<WindowParts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    down: Option<WindowParts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<(Timestamp, f64, Option<u64>)>,
    /// Where it is not the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<(Timestamp, f64, Option<u64>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flat: Option<Flat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_zero")]
    resent: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

const RATES: [Condition; 2] = [Condition::RateUp, Condition::RateDown];

impl Motion {
    /// What a tag with a condition on its movement begins with; none for all others.
    pub fn of(tag: &Tag) -> Option<Box<Self>> {
        tag.conditions.iter().any(|rule| rule.condition.is_movement()).then(|| {
            let rates = RATES.map(|condition| {
                let rule = tag.rule(condition)?;
                let Method::Rate { window } = rule.method() else { return None };
                Some(Window::new(window.as_micros()))
            });
            Box::new(Self { rates, ..Self::default() })
        })
    }

    /// As it is stored.
    pub fn row(&self) -> MotionRow {
        let parts = |at: usize| self.rates[at].as_ref().map(Window::parts);
        let Self { before, flat, zero_since, resent, .. } = *self;
        let known = self.known.filter(|_| before.is_none());
        MotionRow { up: parts(0), down: parts(1), before, known, flat, zero_since, resent }
    }

    /// Goes on from what was stored, as far as the tag still has those conditions.
    pub fn resume(tag: &Tag, row: MotionRow) -> Option<Box<Self>> {
        let mut motion = Self::of(tag)?;
        for (window, parts) in motion.rates.iter_mut().zip([row.up, row.down]) {
            if let (Some(window), Some(parts)) = (window, parts) {
                window.resume(parts);
            }
        }
        (motion.before, motion.flat, motion.zero_since, motion.resent) = (row.before, row.flat, row.zero_since, row.resent);
        motion.known = row.known.or(row.before);
        Some(motion)
    }

    /// Takes a reading in that advances its tag.
    pub fn take(&mut self, tag: &Tag, reading: &Judged) {
        let value = reading.record.value.filter(|_| reading.quality != Quality::Bad);
        let sample = value.map_or(Sample::BAD, |value| Sample::new(value, expr::Quality::Good));
        // A value holds until the next one, but no longer than silence takes to be noticed.
        let held = self.before.filter(|_| tag.stale_after > Duration::ZERO).map(|(time, ..)| time + tag.stale_after);
        for window in self.rates.iter_mut().flatten() {
            if let Some(end) = held.filter(|end| *end < reading.time) {
                window.push(end.as_micros(), Sample::BAD);
            }
            window.push(reading.time.as_micros(), sample);
        }
        let Some(value) = value else {
            (self.before, self.step) = (None, None);
            return;
        };
        let tolerance = tag.conditions.iter().find_map(|rule| match rule.method() {
            Method::Frozen { tolerance, .. } => Some(tolerance),
            _ => None,
        });
        // What was not heard was not still: after a silence, or once a wrong clock is found out, stillness is counted anew.
        let silence = self.before.map_or(Duration::ZERO, |(time, ..)| reading.time.since(time));
        if tag.stale_after > Duration::ZERO && silence > tag.stale_after {
            (self.flat, self.zero_since) = (None, None);
        }
        self.take_flat(reading.time, value, tolerance.unwrap_or(0.0));
        self.zero_since = if value == 0.0 { self.zero_since.or(Some(reading.time)) } else { None };
        let within = tag.conditions.iter().find_map(|rule| match rule.method() {
            Method::Step { within } => Some(within),
            _ => None,
        });
        if let Some((time, known, sequence)) = self.known {
            let again = sequence.is_some() && sequence == reading.record.sequence && known == value && time < reading.time;
            self.resent = if again { self.resent.saturating_add(1) } else { 0 };
        }
        if let Some((time, before, _)) = self.before {
            self.step = within.filter(|within| reading.time.since(time) <= *within).map(|_| (value - before).abs());
        }
        self.before = Some((reading.time, value, reading.record.sequence));
        self.known = self.before;
    }

    fn take_flat(&mut self, time: Timestamp, value: f64, tolerance: f64) {
        if let Some(flat) = &mut self.flat {
            let (low, high) = (flat.low.min(value), flat.high.max(value));
            if high - low <= tolerance {
                (flat.low, flat.high) = (low, high);
                flat.count = flat.count.saturating_add(1);
                return;
            }
        }
        self.flat = Some(Flat { since: time, low: value, high: value, count: 1 });
    }

    /// What the movement says about a condition, after [`Self::take`] of the same reading.
    pub fn find(&self, rule: &ConditionRule, reading: &Judged) -> Finding {
        if reading.quality == Quality::Bad {
            return Finding::Nothing;
        }
        let measured = match (rule.condition, rule.method()) {
            (Condition::RateUp, _) => self.rate(0),
            (Condition::RateDown, _) => self.rate(1).map(|rate| -rate),
            (Condition::Spike, _) => self.step,
            (Condition::Frozen, method) => {
                return if self.is_frozen(method, reading.time) { Finding::Beyond } else { cleared(true, reading.quality) };
            }
            _ => None,
        };
        match measured {
            None => Finding::Nothing,
            Some(measured) if measured >= rule.setpoint => Finding::Beyond,
            Some(measured) => cleared(measured < rule.setpoint - rule.deadband, reading.quality),
        }
    }

    /// Per minute.
    fn rate(&self, at: usize) -> Option<f64> {
        let rate = self.rates[at].as_ref()?.rate();
        (rate.quality != expr::Quality::Bad).then_some(rate.value * 60.0)
    }

    fn is_frozen(&self, method: Method, time: Timestamp) -> bool {
        let Method::Frozen { flat_for, zero_for, resent, .. } = method else { return false };
        let flat = self.flat.filter(|flat| flat.count >= FLAT_READINGS_MIN);
        let flat = flat.zip(flat_for).is_some_and(|(flat, least)| time.since(flat.since) >= least);
        let zero = self.zero_since.zip(zero_for).is_some_and(|(since, least)| time.since(since) >= least);
        let again = resent.is_some_and(|least| self.resent >= least);
        flat || zero || again
    }
}
