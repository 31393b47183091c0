//! What limits may stand beside one another. How high a gas limit may be is for [`crate::gas`].

use crate::fault::{Fault, Sink, text};
use crate::heads::Column;
use crate::setpoints::{Deadband, LIMIT_COLUMNS, Row, tidy};
use crate::source::{At, Place};
use model::{Condition, Signal};

/// Indexes into [`Row::limits`].
pub(crate) const LOW: usize = 1;
pub(crate) const HIGH: usize = 2;
pub(crate) const HIGH_HIGH: usize = 3;

/// The conditions of the four limits, in the same order.
pub(crate) const KINDS: [Condition; 4] = [Condition::LowLow, Condition::Low, Condition::High, Condition::HighHigh];

/// One limit among those that it stands beside.
#[derive(Clone, Copy)]
pub(crate) struct Limit<'a> {
    /// Place in [`KINDS`].
    pub(crate) at: usize,
    pub(crate) value: f64,
    pub(crate) place: Place<'a>,
    pub(crate) deadband: f64,
    pub(crate) deadband_place: Place<'a>,
}

/// The limits that a row has, lowest first.
pub(crate) fn of<'a>(row: &Row<'a>) -> Vec<Limit<'a>> {
    let limits = row.limits.iter().enumerate().filter_map(|(at, limit)| Some((at, limit.as_ref()?)));
    let with_deadband = |(at, limit): (usize, &At<'a, f64>)| {
        let (value, place) = (limit.value, limit.place);
        let deadband = row.deadband.as_ref();
        let deadband_place = deadband.map_or(place, |deadband| deadband.place);
        Limit { at, value, place, deadband: deadband.map_or(0.0, |deadband| deadband.value.of(value)), deadband_place }
    };
    limits.map(with_deadband).collect()
}

/// Checks the limits of one row.
pub(crate) fn check(row: &Row<'_>, sink: &mut Sink) {
    let limits = of(row);
    if matches!(row.signal, Signal::StaticEarthing | Signal::Switch) {
        for limit in &limits {
            let fault = text("开关量没有高低限", "a discrete signal has no limits");
            sink.push(limit.place.error("limit-on-discrete", fault).suggest("用“报警状态”列", "use the column 报警状态 (alarm state)"));
        }
        return;
    }
    range(row, &limits, sink);
    if let Some(deadband) = row.deadband.as_ref().filter(|deadband| matches!(deadband.value, Deadband::Value(value) if value < 0.0)) {
        sink.push(deadband.place.error("deadband", text("回差不能是负数", "a deadband is not negative")));
    }
    check_beside(&limits, row.range, row.interlock.as_ref().map(|interlock| interlock.value), sink);
}

/// Checks limits of a tag, lowest first, against one another, its range and its interlock, wherever they are written.
pub(crate) fn check_beside(limits: &[Limit<'_>], range: Option<(f64, f64)>, above: Option<f64>, sink: &mut Sink) {
    order(limits, sink);
    deadband(limits, range, sink);
    interlock(limits, above, sink);
}

pub(crate) fn name(at: usize) -> (&'static str, &'static str) {
    (LIMIT_COLUMNS[at].name(), LIMIT_COLUMNS[at].name_en())
}

/// The name of a limit, or beyond them of the alarm state.
pub(crate) fn name_or_state(at: usize) -> (&'static str, &'static str) {
    if at < LIMIT_COLUMNS.len() { name(at) } else { (Column::AlarmState.name(), Column::AlarmState.name_en()) }
}

fn order(limits: &[Limit<'_>], sink: &mut Sink) {
    for pair in limits.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        if low.value >= high.value {
            let ((lower_zh, lower_en), (upper_zh, upper_en)) = (name(low.at), name(high.at));
            let fault = text(
                format!("{upper_zh} {} 不大于{lower_zh} {}", high.value, low.value),
                format!("{upper_en} {} is not above {lower_en} {}", high.value, low.value),
            );
            sink.push(
                high.place
                    .error("limits-out-of-order", fault)
                    .suggest("应为 低低报 < 低报 < 高报 < 高高报", "the order is LL < L < H < HH"),
            );
        }
    }
}

fn range(row: &Row<'_>, limits: &[Limit<'_>], sink: &mut Sink) {
    let Some((low, high)) = row.range else { return };
    for limit in limits.iter().filter(|limit| limit.value < low || limit.value > high) {
        let (zh, en) = name(limit.at);
        let fault = text(
            format!("{zh} {} 在量程 {low} 到 {high} 之外", limit.value),
            format!("{en} {} lies outside the range {low} to {high}", limit.value),
        );
        sink.push(limit.place.error("limit-outside-range", fault));
    }
}

fn deadband(limits: &[Limit<'_>], range: Option<(f64, f64)>, sink: &mut Sink) {
    let wide = |fault: Fault, gap: f64| fault.suggest(format!("回差要小于 {gap}"), format!("the deadband must be below {gap}"));
    for pair in limits.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        let gap = tidy(high.value - low.value);
        // On one side the outer limit returns before the inner one; between low and high there must be left a value at which
        // both have returned.
        let (wider, too_wide) = if low.at >= HIGH {
            (high, high.deadband > gap)
        } else if high.at < HIGH {
            (low, low.deadband > gap)
        } else {
            let wider = if high.deadband > low.deadband { high } else { low };
            (wider, wider.deadband >= gap)
        };
        if gap > 0.0 && too_wide {
            let ((lower_zh, lower_en), (upper_zh, upper_en)) = (name(low.at), name(high.at));
            let here = wider.deadband;
            let fault = text(
                format!("回差 {here} 比{lower_zh}和{upper_zh}的间隔 {gap} 还宽"),
                format!("deadband {here} is wider than the gap {gap} between {lower_en} and {upper_en}"),
            );
            sink.push(wide(wider.deadband_place.error("deadband", fault), gap));
            return;
        }
    }
    let Some((low, high)) = range else { return };
    let upper = limits.iter().find(|limit| limit.at >= HIGH).map(|limit| (tidy(limit.value - low), limit));
    let lower = limits.iter().rev().find(|limit| limit.at < HIGH).map(|limit| (tidy(high - limit.value), limit));
    if let Some((room, limit)) = upper.into_iter().chain(lower).find(|(room, limit)| *room > 0.0 && limit.deadband >= *room) {
        let fault = text("按这个回差,报警在量程内永远不会恢复", "with this deadband the alarm could never return within the range");
        sink.push(wide(limit.deadband_place.error("deadband", fault), room));
    }
}

fn interlock(limits: &[Limit<'_>], interlock: Option<f64>, sink: &mut Sink) {
    let (Some(interlock), Some(lowest)) = (interlock, limits.first()) else { return };
    // An interlock at or below the lowest low limit guards the low side.
    let low_side = lowest.at < HIGH && interlock <= lowest.value;
    let Some(highest) = limits.last().filter(|limit| limit.at >= HIGH) else { return };
    if !low_side && highest.value > interlock {
        let (zh, en) = name(highest.at);
        let fault = text(
            format!("{zh} {} 高于联锁值 {interlock},联锁先动作", highest.value),
            format!("{en} {} is above the interlock {interlock}: the trip comes first", highest.value),
        );
        sink.push(highest.place.error("above-interlock", fault).suggest(
            format!("{zh}要低于联锁值 {interlock},留出处置时间"),
            format!("keep {en} below the interlock {interlock}, with time to respond"),
        ));
    }
}
