//! The band of a tag: strictly inside it a good, newer, timely reading changes nothing but the newest value.
//!
//! It is worked out whenever a tag has been looked at closely, from its limits and from what stands. A condition whose verdict hangs on
//! more than the value at hand has no band, and neither has a tag in which a delay runs or anything is still to be told: there every reading
//! is looked at. In doubt there is none; a band too narrow costs time, one too wide costs alarms.

use crate::slot::{Hold, Slot};
use crate::tag::{Fall, TagState};
use model::plant::{ConditionRule, Tag};
use model::{AlarmState, Condition, Duration, Timestamp};

/// Both ends excluded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Band {
    pub low: f64,
    pub high: f64,
}

impl Band {
    const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
    /// Zero, of either sign.
    const ZERO: Self = Self { low: 0.0_f64.next_down(), high: 0.0_f64.next_up() };

    /// Whether a value lies inside.
    pub fn contains(&self, value: f64) -> bool {
        self.low < value && value < self.high
    }

    const fn above(low: f64) -> Self {
        Self { low, ..Self::ALL }
    }
    const fn below(high: f64) -> Self {
        Self { high, ..Self::ALL }
    }
    const fn and(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }
}

/// The band of a tag as it stands, if it has one. That its newest reading is a plain one is `row`'s business, and that its conditions have
/// been in force for longer than that is the caller's: else a reading of before may still come.
pub(crate) fn of(tag: &Tag, state: &TagState, now: Timestamp) -> Option<Band> {
    if state.silent || state.warm_until.is_some() || !state.kept.is_empty() || !state.marks.is_empty() {
        return None;
    }
    if state.granted != Duration::ZERO || state.advanced != state.heard {
        return None;
    }
    let mut band = match state.fall {
        None => Band::ALL,
        // What stays at zero is no news, once the instant is over in which it fell.
        Some((Fall::Zero, since)) if since < now => Band::ZERO,
        Some(_) => return None,
    };
    if let Some((low, high)) = tag.range {
        band = band.and(Band { low, high });
    }
    for (rule, slot) in tag.conditions.iter().zip(&state.slots) {
        band = band.and(still(rule, slot)?);
    }
    Some(band)
}

/// Where a good value leaves one condition as it is.
fn still(rule: &ConditionRule, slot: &Slot) -> Option<Band> {
    if slot.state == AlarmState::Faulted || slot.pending.is_some() || slot.returning.is_some() || slot.hold != Hold::None {
        return None;
    }
    if rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty()) {
        return None;
    }
    let band = match (rule.condition, slot.state.is_active()) {
        (Condition::High | Condition::HighHigh, false) => Band::below(rule.setpoint),
        (Condition::Low | Condition::LowLow, false) => Band::above(rule.setpoint),
        // Held as long as it is not clear, the end of the deadband included.
        (Condition::High | Condition::HighHigh, true) => Band::above((rule.setpoint - rule.deadband).next_down()),
        (Condition::Low | Condition::LowLow, true) => Band::below((rule.setpoint + rule.deadband).next_up()),
        (Condition::Discrete, active) if (rule.setpoint >= 0.5) == active => Band::above(0.5_f64.next_down()),
        (Condition::Discrete, _) => Band::below(0.5),
        // A good value inside the range is what returns them.
        (Condition::OutOfRange | Condition::BadQuality | Condition::Stale, active) => return (!active).then_some(Band::ALL),
        // Not judged by a reading.
        (Condition::GatewayLost | Condition::UnknownTag | Condition::WrongClock | Condition::Inhibited | Condition::System, _) => Band::ALL,
        // A kind that has no band: every reading is looked at.
        _ => return None,
    };
    Some(band)
}
