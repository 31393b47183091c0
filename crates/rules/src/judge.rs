//! What one reading says about one condition: limits, range, quality. No state, no time.
//!
//! A limit is reached at the setpoint itself (high: at or above). The deadband only widens what does not yet count as clear; it never
//! helps to raise. Only a good reading clears. A finite value outside the measuring range is a reading of uncertain quality: it
//! raises the limits it passes. A gas detector over range is believed whatever quality it claims.

use crate::effects::Scene;
use model::plant::{ConditionRule, Tag};
use model::{Condition, Quality, Reading, ReadingRecord, Timestamp};

/// A reading with everything that was decided about it before a condition sees it.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The tag's time of it.
    pub time: Timestamp,
    /// When it came, never after `now`.
    pub receive: Timestamp,
    /// Quality as the conditions may use it.
    pub quality: Quality,
    /// Finite and outside the measuring range.
    pub out_of_range: bool,
    /// A gas detector above its range, whatever quality it claims.
    pub gas_over_range: bool,
    /// Older than `late_after` on arrival.
    pub late: bool,
    /// As the journal keeps it.
    pub record: ReadingRecord,
}

impl Judged {
    pub fn new(tag: &Tag, reading: &Reading, time: Timestamp, receive: Timestamp, late: bool) -> Self {
        let record = ReadingRecord::from(reading);
        let out_of_range = is_out_of_range(tag, record.value);
        let quality = match (record.value, reading.quality) {
            (None, _) | (_, Quality::Bad) => Quality::Bad,
            (_, Quality::Uncertain) => Quality::Uncertain,
            (_, Quality::Good) if out_of_range => Quality::Uncertain,
            (_, Quality::Good) => Quality::Good,
        };
        Self { time, receive, quality, out_of_range, gas_over_range: is_gas_over_range(tag, record.value), late, record }
    }
}

impl Judged {
    /// The value a tag holds, judged anew at the time of the scene.
    pub fn held(tag: &Tag, record: &ReadingRecord, scene: &Scene<'_>) -> Self {
        let reading = record.reading(scene.index);
        Self::new(tag, &reading, scene.now, scene.now, false)
    }
}

/// Whether a value lies outside the tag's measuring range.
pub(crate) fn is_out_of_range(tag: &Tag, value: Option<f64>) -> bool {
    matches!((tag.range, value), (Some((low, high)), Some(value)) if value < low || value > high)
}

/// A gas detector above its measuring range: its element may be flooded, so whatever it says next is not believed either.
pub(crate) fn is_gas_over_range(tag: &Tag, value: Option<f64>) -> bool {
    tag.signal.is_gas() && matches!((tag.range, value), (Some((_, high)), Some(value)) if value > high)
}

/// What a reading says about a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// At or beyond the limit.
    Beyond,
    /// A gas detector over range: raises without delay and latches.
    OverRange,
    /// Neither beyond nor clear: it ends a wait to raise (if good) and a wait to return.
    Between,
    /// Clear of limit and deadband, on good evidence.
    Clear,
    /// Nothing can be concluded.
    Nothing,
}

/// What a value says that is not beyond: only a good one is clear of limit and deadband.
pub(crate) const fn cleared(clear: bool, quality: Quality) -> Finding {
    match (clear, quality) {
        (false, _) => Finding::Between,
        (true, Quality::Good) => Finding::Clear,
        (true, _) => Finding::Nothing,
    }
}

/// Judges a reading by a rule.
pub(crate) fn find(rule: &ConditionRule, reading: &Judged) -> Finding {
    let bad = reading.quality == Quality::Bad;
    let clear = |clear: bool| cleared(clear, reading.quality);
    match rule.condition {
        condition if condition.is_limit() => {
            if reading.gas_over_range && condition.is_high_side() {
                return Finding::OverRange;
            }
            match reading.record.value {
                Some(value) if !bad => match () {
                    () if is_beyond(rule, value) => Finding::Beyond,
                    () => clear(if condition.is_high_side() {
                        value < rule.setpoint - rule.deadband
                    } else {
                        value > rule.setpoint + rule.deadband
                    }),
                },
                _ => Finding::Nothing,
            }
        }
        condition if condition.is_state() => match reading.record.value {
            Some(value) if !bad => match () {
                () if is_beyond(rule, value) => Finding::Beyond,
                () => clear(true),
            },
            _ => Finding::Nothing,
        },
        Condition::OutOfRange => match () {
            // A detector that is over range and calls itself bad is still over range.
            () if reading.out_of_range && (!bad || reading.gas_over_range) => Finding::Beyond,
            () if bad => Finding::Nothing,
            () => clear(true),
        },
        Condition::BadQuality => match () {
            () if bad => Finding::Beyond,
            () => clear(true),
        },
        // Not judged by the value of a reading: by its movement (see `motion`), or by no reading at all.
        _ => Finding::Nothing,
    }
}

/// Whether a value is at or beyond a limit, or a discrete signal in its alarm state.
pub(crate) fn is_beyond(rule: &ConditionRule, value: f64) -> bool {
    match rule.condition {
        Condition::High | Condition::HighHigh | Condition::Deviation => value >= rule.setpoint,
        Condition::Low | Condition::LowLow => value <= rule.setpoint,
        // A discrete value travels as 0 or 1; some gateways send it as a float with noise.
        Condition::Discrete | Condition::Voted | Condition::Compound => (value >= 0.5) == (rule.setpoint >= 0.5),
        _ => false,
    }
}

/// The next lower limit of the same side: raised with it, whatever its own delay.
pub(crate) const fn lower_of_side(condition: Condition) -> Option<Condition> {
    match condition {
        Condition::HighHigh => Some(Condition::High),
        Condition::LowLow => Some(Condition::Low),
        _ => None,
    }
}

/// Told to the enterprise even when it came and went before it could be told.
pub(crate) fn is_told_though_returned(tag: &Tag, condition: Condition) -> bool {
    match condition {
        Condition::HighHigh | Condition::LowLow => true,
        Condition::High | Condition::Voted | Condition::Compound => tag.signal.is_gas(),
        _ => false,
    }
}
