//! What limits may stand beside one another. How high a gas limit may be is for [`crate::gas`].

use crate::fault::{Fault, Sink, text};
use crate::heads::Column;
use crate::setpoints::{Deadband, LIMIT_COLUMNS, Row, tidy};
use crate::source::At;
use model::Signal;

/// Indexes into [`Row::limits`].
pub(crate) const LOW: usize = 1;
pub(crate) const HIGH: usize = 2;
pub(crate) const HIGH_HIGH: usize = 3;

/// The limits that a row has, lowest first.
pub(crate) fn of<'r, 'a>(row: &'r Row<'a>) -> Vec<(usize, &'r At<'a, f64>)> {
    row.limits.iter().enumerate().filter_map(|(at, limit)| Some((at, limit.as_ref()?))).collect()
}

/// Checks the limits of one row.
pub(crate) fn check(row: &Row<'_>, sink: &mut Sink) {
    let limits = of(row);
    if matches!(row.signal, Signal::StaticEarthing | Signal::Switch) {
        for (_, limit) in &limits {
            let fault = text("开关量没有高低限", "a discrete signal has no limits");
            sink.push(limit.place.error("limit-on-discrete", fault).suggest("用“报警状态”列", "use the column 报警状态 (alarm state)"));
        }
        return;
    }
    order(&limits, sink);
    range(row, &limits, sink);
    deadband(row, &limits, sink);
    interlock(row, &limits, sink);
}

pub(crate) fn name(at: usize) -> (&'static str, &'static str) {
    (LIMIT_COLUMNS[at].name(), LIMIT_COLUMNS[at].name_en())
}

/// The name of a limit, or beyond them of the alarm state.
pub(crate) fn name_or_state(at: usize) -> (&'static str, &'static str) {
    if at < LIMIT_COLUMNS.len() { name(at) } else { (Column::AlarmState.name(), Column::AlarmState.name_en()) }
}

fn order(limits: &[(usize, &At<'_, f64>)], sink: &mut Sink) {
    for pair in limits.windows(2) {
        let ((lower, low), (upper, high)) = (pair[0], pair[1]);
        if low.value >= high.value {
            let ((lower_zh, lower_en), (upper_zh, upper_en)) = (name(lower), name(upper));
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

fn range(row: &Row<'_>, limits: &[(usize, &At<'_, f64>)], sink: &mut Sink) {
    let Some((low, high)) = row.range else { return };
    for (at, limit) in limits.iter().filter(|(_, limit)| limit.value < low || limit.value > high) {
        let (zh, en) = name(*at);
        let fault = text(
            format!("{zh} {} 在量程 {low} 到 {high} 之外", limit.value),
            format!("{en} {} lies outside the range {low} to {high}", limit.value),
        );
        sink.push(limit.place.error("limit-outside-range", fault));
    }
}

fn deadband(row: &Row<'_>, limits: &[(usize, &At<'_, f64>)], sink: &mut Sink) {
    let Some(deadband) = &row.deadband else { return };
    let of = |limit: &At<'_, f64>| deadband.value.of(limit.value);
    let wide = |fault: Fault, gap: f64| fault.suggest(format!("回差要小于 {gap}"), format!("the deadband must be below {gap}"));
    if matches!(deadband.value, Deadband::Value(value) if value < 0.0) {
        sink.push(deadband.place.error("deadband", text("回差不能是负数", "a deadband is not negative")));
        return;
    }
    for pair in limits.windows(2) {
        let ((lower, low), (upper, high)) = (pair[0], pair[1]);
        let gap = tidy(high.value - low.value);
        // On one side the outer limit returns before the inner one; between low and high there must be left a value at which
        // both have returned.
        let (deadband_here, too_wide) = if lower >= HIGH {
            (of(high), of(high) > gap)
        } else if upper < HIGH {
            (of(low), of(low) > gap)
        } else {
            let wider = of(low).max(of(high));
            (wider, wider >= gap)
        };
        if gap > 0.0 && too_wide {
            let ((lower_zh, lower_en), (upper_zh, upper_en)) = (name(lower), name(upper));
            let fault = text(
                format!("回差 {deadband_here} 比{lower_zh}和{upper_zh}的间隔 {gap} 还宽"),
                format!("deadband {deadband_here} is wider than the gap {gap} between {lower_en} and {upper_en}"),
            );
            sink.push(wide(deadband.place.error("deadband", fault), gap));
            return;
        }
    }
    let Some((low, high)) = row.range else { return };
    let upper = limits.iter().find(|(at, _)| *at >= HIGH).map(|(_, limit)| (tidy(limit.value - low), of(limit)));
    let lower = limits.iter().rev().find(|(at, _)| *at < HIGH).map(|(_, limit)| (tidy(high - limit.value), of(limit)));
    if let Some((room, _)) = upper.into_iter().chain(lower).find(|(room, deadband)| *room > 0.0 && deadband >= room) {
        let fault = text("按这个回差,报警在量程内永远不会恢复", "with this deadband the alarm could never return within the range");
        sink.push(wide(deadband.place.error("deadband", fault), room));
    }
}

fn interlock(row: &Row<'_>, limits: &[(usize, &At<'_, f64>)], sink: &mut Sink) {
    let (Some(interlock), Some((lowest_at, lowest))) = (&row.interlock, limits.first()) else { return };
    // An interlock at or below the lowest low limit guards the low side.
    let low_side = *lowest_at < HIGH && interlock.value <= lowest.value;
    let Some((at, highest)) = limits.last().filter(|(at, _)| *at >= HIGH) else { return };
    if !low_side && highest.value > interlock.value {
        let (zh, en) = name(*at);
        let fault = text(
            format!("{zh} {} 高于联锁值 {},联锁先动作", highest.value, interlock.value),
            format!("{en} {} is above the interlock {}: the trip comes first", highest.value, interlock.value),
        );
        let bound = interlock.value;
        sink.push(highest.place.error("above-interlock", fault).suggest(
            format!("{zh}要低于联锁值 {bound},留出处置时间"),
            format!("keep {en} below the interlock {bound}, with time to respond"),
        ));
    }
}
