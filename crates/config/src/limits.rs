//! What limits may stand beside one another, and how high a gas limit may be.

use crate::fault::{Fault, Sink, text};
use crate::policies::GasBounds;
use crate::setpoints::{LIMIT_COLUMNS, Row};
use crate::source::At;
use model::Signal;
use std::collections::BTreeSet;

/// Indexes into [`Row::limits`].
const LOW: usize = 1;
const HIGH: usize = 2;
const HIGH_HIGH: usize = 3;

/// Checks the limits of one row.
pub(crate) fn check(row: &Row<'_>, gas: &GasBounds, unbounded: &mut BTreeSet<(String, String)>, sink: &mut Sink) {
    let limits: Vec<(usize, &At<'_, f64>)> = row.limits.iter().enumerate().filter_map(|(at, limit)| Some((at, limit.as_ref()?))).collect();
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
    if row.signal.is_gas() {
        gas_bounds(row, &limits, gas, unbounded, sink);
    }
}

fn name(at: usize) -> (&'static str, &'static str) {
    (LIMIT_COLUMNS[at].name(), LIMIT_COLUMNS[at].name_en())
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
    let wide = |fault: Fault, gap: f64| fault.suggest(format!("回差要小于 {gap}"), format!("the deadband must be below {gap}"));
    if deadband.value < 0.0 {
        sink.push(deadband.place.error("deadband", text("回差不能是负数", "a deadband is not negative")));
        return;
    }
    for pair in limits.windows(2) {
        let ((lower, low), (upper, high)) = (pair[0], pair[1]);
        let gap = tidy(high.value - low.value);
        // Between low and high there must be left a value at which both have returned.
        let too_wide = if lower < HIGH && upper >= HIGH { deadband.value >= gap } else { deadband.value > gap };
        if gap > 0.0 && too_wide {
            let ((lower_zh, lower_en), (upper_zh, upper_en)) = (name(lower), name(upper));
            let fault = text(
                format!("回差 {} 比{lower_zh}和{upper_zh}的间隔 {gap} 还宽", deadband.value),
                format!("deadband {} is wider than the gap {gap} between {lower_en} and {upper_en}", deadband.value),
            );
            sink.push(wide(deadband.place.error("deadband", fault), gap));
            return;
        }
    }
    let Some((low, high)) = row.range else { return };
    let upper = limits.iter().find(|(at, _)| *at >= HIGH).map(|(_, limit)| tidy(limit.value - low));
    let lower = limits.iter().rev().find(|(at, _)| *at < HIGH).map(|(_, limit)| tidy(high - limit.value));
    if let Some(room) = upper.into_iter().chain(lower).find(|room| *room > 0.0 && deadband.value >= *room) {
        let fault = text("按这个回差,报警在量程内永远不会恢复", "with this deadband the alarm could never return within the range");
        sink.push(wide(deadband.place.error("deadband", fault), room));
    }
}

/// The difference of two decimal numbers without the binary dust.
fn tidy(number: f64) -> f64 {
    (number * 1e9).round() / 1e9
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

fn gas_bounds(
    row: &Row<'_>,
    limits: &[(usize, &At<'_, f64>)],
    gas: &GasBounds,
    unbounded: &mut BTreeSet<(String, String)>,
    sink: &mut Sink,
) {
    if limits.is_empty() && row.in_service {
        let fault = text("气体探测器没有任何报警设定值", "a gas detector without any limit");
        sink.push(row.tag.place.warning("gas-without-limits", fault));
    }
    let mut at_most = |at: usize, bound: f64| {
        let Some(limit) = row.limits[at].as_ref().filter(|limit| limit.value > bound) else { return };
        let (zh, en) = name(at);
        let unit = &row.unit;
        let fault = text(
            format!("{zh} {} {unit} 超过上限 {bound} {unit}", limit.value),
            format!("{en} {} {unit} is above the upper bound {bound} {unit}", limit.value),
        );
        sink.push(limit.place.error("gas-bound", fault).suggest(
            "上限写在 policies.toml 的 [gas_bounds],核对依据后再改",
            "the bounds stand in [gas_bounds] of policies.toml; change them only with their source in hand",
        ));
    };
    match row.signal {
        Signal::Combustible => {
            let lel = gas.lel.iter().find(|(media, _)| media.contains(&row.medium)).map(|(_, percent)| *percent);
            let scale = match (row.unit.as_str(), lel) {
                ("%LEL", _) => 1.0,
                ("%VOL", Some(lel)) => lel / 100.0,
                ("%VOL", None) => {
                    let fault = text(
                        format!("%VOL 的可燃气体要知道 `{}` 的爆炸下限才能核对", row.medium),
                        format!("a combustible gas in %VOL cannot be checked without the LEL of `{}`", row.medium),
                    );
                    sink.push(row.tag.place.error("lel-unknown", fault).suggest(
                        "在 policies.toml 的 [gas_bounds] lel 里写上,或用 %LEL",
                        "add it to `lel` in [gas_bounds] of policies.toml, or use %LEL",
                    ));
                    return;
                }
                // A line of sight is judged by its own rule, which is not among the bounds.
                _ => return,
            };
            if let Some((high, high_high)) = gas.combustible_lel {
                at_most(HIGH, tidy(high * scale));
                at_most(HIGH_HIGH, tidy(high_high * scale));
            }
        }
        Signal::Oxygen => {
            let Some((low, high)) = gas.oxygen else { return };
            let rich = row.limits[HIGH].as_ref().filter(|limit| limit.value > high);
            let poor = row.limits[LOW].as_ref().filter(|limit| limit.value < low);
            for limit in rich.into_iter().chain(poor) {
                let fault = text(
                    format!("氧气设定值宜在 {low} 到 {high} %VOL 之间"),
                    format!("oxygen limits should lie between {low} and {high} %VOL"),
                );
                sink.push(limit.place.warning("gas-bound", fault));
            }
        }
        Signal::Toxic => {
            let fits = |bound: &&crate::policies::ToxicBound| bound.unit == row.unit && bound.media.contains(&row.medium);
            match gas.toxic.iter().find(fits) {
                Some(bound) => {
                    at_most(HIGH, bound.high);
                    at_most(HIGH_HIGH, bound.high_high);
                }
                None if unbounded.insert((row.medium.clone(), row.unit.clone())) => {
                    let fault = text(
                        format!("policies.toml 的 [gas_bounds] 里没有介质 `{}`({})的上限,没有核对", row.medium, row.unit),
                        format!(
                            "[gas_bounds] of policies.toml has no bound for `{}` in {}; the limits were not checked",
                            row.medium, row.unit
                        ),
                    );
                    sink.push(row.tag.place.warning("gas-bound-unknown", fault));
                }
                None => {}
            }
        }
        _ => {}
    }
}
