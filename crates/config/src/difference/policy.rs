//! Policies: who is told, when, by what, and how long things may take.

use super::{Direction, Item, Line, Value, more_of};
use model::plant::{BesidePolicy, ChannelKind, LevelPolicy, Policies, TellRule, Tier};
use model::{Duration, Hazard, Level};
use std::collections::BTreeSet;

fn line(level: Level, of: String, item: Item, old: Value, new: Value, direction: Direction) -> Line {
    Line {
        enterprise: None,
        tag: None,
        condition: None,
        of,
        item,
        old,
        new,
        unit: String::new(),
        direction,
        level: Some(level),
        hazard: Hazard::None,
    }
}

pub(super) fn compare(old: &Policies, new: &Policies, lines: &mut Vec<Line>) {
    if old == new {
        return;
    }
    for (before, after) in old.levels.iter().zip(&new.levels) {
        of_level(before, after, lines);
    }
    // What holds for every level holds for red.
    let mut say = |item, from: Value, to: Value, direction| {
        if from != to {
            lines.push(line(Level::Red, String::new(), item, from, to, direction));
        }
    };
    let lengths = [
        (Item::DataFaultWait, old.data_fault_wait, new.data_fault_wait),
        (Item::FoldWithin, old.fold_within, new.fold_within),
        (Item::LateHold, old.late_hold, new.late_hold),
    ];
    for (item, before, after) in lengths {
        say(item, Value::Length(before), Value::Length(after), Direction::more_is_looser(&before, &after));
    }
    let hours = |(from, to): (u16, u16)| Value::Text(format!("{:02}:{:02}–{:02}:{:02}", from / 60, from % 60, to / 60, to % 60));
    say(Item::Quiet, hours(old.quiet), hours(new.quiet), more_of(&minutes(old.quiet), &minutes(new.quiet)).reversed());
    let windows = |policies: &Policies| {
        let beside = &policies.beside;
        let mut longest = beside.shelved_max.to_vec();
        longest.extend([beside.out_of_service_max, beside.test_max]);
        longest
    };
    let shown = |policies: &Policies| Value::Text(windows(policies).iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let both = (windows(old), windows(new));
    let longer = both.0.iter().zip(&both.1).fold(Direction::Neutral, |way, (one, other)| way.and(Direction::more_is_looser(one, other)));
    say(Item::WindowsMax, shown(old), shown(new), longer);
    let rest = |policies: &Policies| {
        let (shelved_max, out_of_service_max, test_max) = Default::default();
        let beside = BesidePolicy { shelved_max, out_of_service_max, test_max, ..policies.beside.clone() };
        Value::Text(format!(
            "{} {} {}% {} {} {beside:?}",
            policies.late_after, policies.clock_skew_max, policies.gateway_lost_percent, policies.gateway_lost_min, policies.siren_expiry
        ))
    };
    say(Item::OtherOfPolicy, rest(old), rest(new), Direction::Unclear);
}

fn of_level(old: &LevelPolicy, new: &LevelPolicy, lines: &mut Vec<Line>) {
    let mut say = |of: String, item, from: Value, to: Value, direction| {
        if from != to {
            lines.push(line(new.level, of, item, from, to, direction));
        }
    };
    let none = String::new;
    let length = |length: Option<Duration>| length.map_or(Value::None, Value::Length);
    let sign = Direction::more_is_looser(&old.sign_within, &new.sign_within);
    say(none(), Item::SignWithin, Value::Length(old.sign_within), Value::Length(new.sign_within), sign);
    let never = Duration(i64::MAX);
    let remind = Direction::more_is_looser(&old.remind_every.unwrap_or(never), &new.remind_every.unwrap_or(never));
    say(none(), Item::RemindEvery, length(old.remind_every), length(new.remind_every), remind);
    let handle = Direction::more_is_looser(&old.handle_within, &new.handle_within);
    say(none(), Item::HandleWithin, Value::Length(old.handle_within), Value::Length(new.handle_within), handle);
    let tier = |tier: Tier| Value::Text(tier.0.to_string());
    say(none(), Item::ClosedBy, tier(old.closed_by), tier(new.closed_by), Direction::more_is_tighter(&old.closed_by, &new.closed_by));
    let tiers: BTreeSet<Tier> = old.tell.iter().chain(&new.tell).map(|rule| rule.tier).collect();
    for tier in tiers {
        let of = |policy: &LevelPolicy| policy.tell.iter().find(|rule| rule.tier == tier).cloned();
        let (before, after) = (of(old), of(new));
        let name = tier.0.to_string();
        let when = |rule: &Option<TellRule>| rule.as_ref().map(|rule| rule.after);
        let later = Direction::more_is_looser(&when(&before).unwrap_or(never), &when(&after).unwrap_or(never));
        say(name.clone(), Item::TellAfter, length(when(&before)), length(when(&after)), later);
        if let (Some(before), Some(after)) = (&before, &after) {
            let channels = [(Item::TellBy, &before.by, &after.by), (Item::TellByQuiet, &before.by_quiet, &after.by_quiet)];
            for (item, one, other) in channels {
                say(name.clone(), item, kinds(one), kinds(other), more_of(&set(one), &set(other)));
            }
        }
    }
}

fn kinds(kinds: &[ChannelKind]) -> Value {
    let name = |kind: &ChannelKind| match kind {
        ChannelKind::Platform => "platform",
        ChannelKind::App => "app",
        ChannelKind::Sms => "sms",
        ChannelKind::Voice => "voice",
        ChannelKind::Webhook => "webhook",
    };
    Value::text(kinds.iter().map(name).collect::<Vec<_>>().join(" "))
}

fn set(kinds: &[ChannelKind]) -> BTreeSet<ChannelKind> {
    kinds.iter().copied().collect()
}

/// The minutes of the day in quiet hours; at midnight they may wrap.
fn minutes((from, to): (u16, u16)) -> BTreeSet<u16> {
    if from <= to { (from..to).collect() } else { (from..1440).chain(0..to).collect() }
}
