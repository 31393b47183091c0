//! What a remedy is in a setpoint list: which cell it is written in, what else has that cell, and whether `check` takes the row.

use super::Remedy;
use model::Condition;
use model::plant::{ConditionRule, Tag};

/// Whether a change of one condition changes the other: a list has one 回差 and one 恢复延时 per row, and one 报警延时 for 低报 and 高报.
pub(super) const fn shares_cell(remedy: Remedy, one: Condition, other: Condition) -> bool {
    const fn is_of_row(condition: Condition) -> bool {
        matches!(condition, Condition::LowLow | Condition::Low | Condition::High | Condition::HighHigh)
    }
    const fn is_inner(condition: Condition) -> bool {
        matches!(condition, Condition::Low | Condition::High)
    }
    match remedy {
        Remedy::Deadband(_) | Remedy::OffDelay(_) => is_of_row(one) && is_of_row(other),
        Remedy::OnDelay(_) => is_inner(one) && is_inner(other),
        Remedy::Setpoint(_) => false,
    }
}

/// Whether it can be written into the list: it takes nothing from a condition that shares the cell, none of them depends on other tags,
/// and `check` does not refuse the row.
pub(super) fn may_be_written(tag: &Tag, condition: Condition, remedy: Remedy) -> bool {
    let loosens = |rule: &ConditionRule| match remedy {
        Remedy::Deadband(width) => width >= rule.deadband,
        Remedy::OffDelay(length) => length >= rule.off_delay,
        Remedy::OnDelay(length) => length >= rule.on_delay,
        Remedy::Setpoint(_) => true,
    };
    // A limit that depends on the operating mode is not one number, and what suppresses it is on other tags.
    let depends =
        |rule: &ConditionRule| rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty() || !extra.suppressed_by.is_empty());
    let mut changed = tag.conditions.iter().filter(|rule| is_changed(rule.condition, condition, remedy));
    if !changed.all(|rule| loosens(rule) && !depends(rule)) {
        return false;
    }
    let mut rules = tag.conditions.to_vec();
    change(&mut rules, condition, remedy);
    is_in_order(tag, &rules)
}

/// As `check` judges the limits of a row: their order, range and interlock, and that each can return before the one inside it.
fn is_in_order(tag: &Tag, rules: &[ConditionRule]) -> bool {
    const ORDER: [Condition; 4] = [Condition::LowLow, Condition::Low, Condition::High, Condition::HighHigh];
    let limits: Vec<&ConditionRule> = ORDER.iter().filter_map(|condition| rules.iter().find(|rule| rule.condition == *condition)).collect();
    // Without the binary dust of a difference of decimal numbers.
    let tidy = |number: f64| (number * 1e9).round() / 1e9;
    let is_apart = |pair: &[&ConditionRule]| {
        let (low, high) = (pair[0], pair[1]);
        let gap = tidy(high.setpoint - low.setpoint);
        gap > 0.0
            && match (low.condition.is_high_side(), high.condition.is_high_side()) {
                (true, _) => high.deadband <= gap,
                (_, false) => low.deadband <= gap,
                (false, true) => low.deadband.max(high.deadband) < gap,
            }
    };
    let returns = |rule: &&ConditionRule| {
        tag.range.is_none_or(|(low, high)| {
            let room = tidy(if rule.condition.is_high_side() { rule.setpoint - low } else { high - rule.setpoint });
            rule.setpoint >= low && rule.setpoint <= high && (room <= 0.0 || rule.deadband < room)
        })
    };
    let comes_before = |interlock: f64| match (limits.first(), limits.last()) {
        (Some(lowest), Some(highest)) => {
            let guards_low_side = !lowest.condition.is_high_side() && interlock <= lowest.setpoint;
            guards_low_side || !highest.condition.is_high_side() || highest.setpoint <= interlock
        }
        _ => true,
    };
    limits.windows(2).all(is_apart) && limits.iter().all(returns) && tag.interlock.is_none_or(comes_before)
}

fn is_changed(condition: Condition, of: Condition, remedy: Remedy) -> bool {
    condition == of || shares_cell(remedy, of, condition)
}

/// Writes a remedy of one condition, and with it of those that share the cell.
pub(super) fn change(rules: &mut [ConditionRule], condition: Condition, remedy: Remedy) {
    for rule in rules.iter_mut().filter(|rule| is_changed(rule.condition, condition, remedy)) {
        match remedy {
            Remedy::Deadband(width) => rule.deadband = width,
            Remedy::OffDelay(length) => rule.off_delay = length,
            Remedy::OnDelay(length) => rule.on_delay = length,
            Remedy::Setpoint(limit) => rule.setpoint = limit,
        }
    }
}
