//! Tags and their conditions.

use super::bearing::{Bearings, Role, Weight, hazard_of};
use super::{Direction, Item, Line, Value, pairs};
use model::plant::{ConditionExtra, ConditionRule, DataSheet, Equipment, Plant, Tag, Terms};
use model::{Condition, Hazard, Level};

/// A tag with what it stands on.
#[derive(Clone, Copy)]
struct Side<'a> {
    plant: &'a Plant,
    tag: &'a Tag,
}

impl<'a> Side<'a> {
    fn equipment(self) -> Option<&'a Equipment> {
        self.plant.equipment_of(self.tag)
    }
    fn hazard(self) -> Hazard {
        hazard_of(self.plant, self.tag)
    }
    /// The operating modes of its place, and the tag that names the present one.
    fn modes(self) -> String {
        let modes = self.equipment().and_then(|equipment| equipment.modes.as_ref());
        modes.map_or_else(String::new, |modes| format!("{} = {}", self.plant.tag(modes.tag).id.tag, modes.names.join(" ")))
    }
    fn has_limits_by_mode(self) -> bool {
        self.tag.conditions.iter().any(|rule| rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty()))
    }
    fn gateway(self) -> &'a str {
        self.plant.gateway_of(self.tag).map_or("", |gateway| gateway.id.as_str())
    }
    /// The limits in one line, or else the formula, for a tag that comes or goes.
    fn limits(self) -> String {
        let shown = |rule: &&ConditionRule| rule.condition.has_setpoint() || rule.condition == Condition::Discrete;
        let limits: Vec<String> =
            self.tag.conditions.iter().filter(shown).map(|rule| format!("{} {}", rule.condition, rule.setpoint)).collect();
        match &self.tag.calculation {
            _ if !limits.is_empty() => limits.join(", "),
            Some(calculation) => format!("{} = {}", self.tag.name, calculation.text),
            None => self.tag.name.to_string(),
        }
    }
}

pub(super) fn top_level(tag: &Tag) -> Option<Level> {
    tag.conditions.iter().map(highest).max()
}

pub(super) fn highest(rule: &ConditionRule) -> Level {
    rule.level_when_two.map_or(rule.level, |two| two.max(rule.level))
}

pub(super) fn compare(old: &Plant, new: &Plant, lines: &mut Vec<Line>) {
    let (bearings, bearings_then) = (Bearings::of(old), Bearings::of(new));
    let pen = |one: Side<'_>, other: Side<'_>| {
        let reach = bearings.weight(&one.tag.id).max(bearings_then.weight(&one.tag.id));
        Pen::new(one, other, reach)
    };
    pairs(
        &old.tags,
        &new.tags,
        |tag| &tag.id,
        |before, after| match (before, after) {
            (Some(before), Some(after)) => {
                let sides = (Side { plant: old, tag: before }, Side { plant: new, tag: after });
                both(sides.0, sides.1, || pen(sides.0, sides.1), lines);
            }
            (Some(gone), None) => {
                let side = Side { plant: old, tag: gone };
                let direction = match comes(bearings.role(&gone.id, new)).reversed() {
                    // It had alarms of its own.
                    Direction::Neutral if gone.in_service && !gone.conditions.is_empty() => Direction::Looser,
                    direction => direction,
                };
                lines.push(pen(side, side).line(Item::Tag, Value::text(side.limits()), Value::None, direction));
            }
            (None, Some(come)) => {
                let side = Side { plant: new, tag: come };
                let direction = comes(bearings_then.role(&come.id, old));
                lines.push(pen(side, side).line(Item::Tag, Value::None, Value::text(side.limits()), direction));
            }
            (None, None) => {}
        },
    );
}

/// Which way a tag goes that comes. One that acts only on alarms that come with it takes nothing away.
const fn comes(role: Option<(Role, bool)>) -> Direction {
    match role {
        None => Direction::Tighter,
        Some((Role::Suppression, true)) => Direction::Looser,
        Some((Role::Mode, true)) => Direction::Unclear,
        Some((_, false)) => Direction::Neutral,
    }
}

/// Writes the lines of one tag.
struct Pen {
    stem: Line,
    /// What its readings bear on besides its own conditions.
    reach: Weight,
}

impl Pen {
    fn new(old: Side<'_>, new: Side<'_>, reach: Weight) -> Self {
        Self {
            stem: Line {
                enterprise: Some(new.tag.id.enterprise.clone()),
                tag: Some(new.tag.id.clone()),
                condition: None,
                of: String::new(),
                item: Item::Tag,
                old: Value::None,
                new: Value::None,
                unit: String::new(),
                direction: Direction::Neutral,
                level: top_level(old.tag).max(top_level(new.tag)),
                hazard: old.hazard().max(new.hazard()),
            },
            reach,
        }
    }
    fn line(&self, item: Item, old: Value, new: Value, direction: Direction) -> Line {
        let mut line = Line { item, old, new, direction, ..self.stem.clone() };
        if decides_readings(item) {
            let Weight { level, hazard } = self.reach.max(Weight { level: line.level, hazard: line.hazard });
            (line.level, line.hazard) = (level, hazard);
        }
        line
    }
}

/// Whether what others are given of a tag hangs on it, and so their alarms.
const fn decides_readings(item: Item) -> bool {
    matches!(
        item,
        Item::Tag
            | Item::Service
            | Item::Signal
            | Item::Unit
            | Item::Range
            | Item::SampleInterval
            | Item::StaleAfter
            | Item::WarmUp
            | Item::Calculation
            | Item::OtherOfTag
    )
}

fn both(old: Side<'_>, new: Side<'_>, pen: impl FnOnce() -> Pen, lines: &mut Vec<Line>) {
    let (before, after) = (old.tag, new.tag);
    let (here, there) = (old.equipment(), new.equipment());
    let same_place = here.map(|place| (&place.id, place.hazard)) == there.map(|place| (&place.id, place.hazard));
    let moved = before.equipment != after.equipment || before.gateway != after.gateway;
    let same_but_index =
        || before == &Tag { equipment: before.equipment, gateway: before.gateway, ..after.clone() } && old.gateway() == new.gateway();
    let same_place = same_place && old.modes() == new.modes();
    if same_place && (if moved { same_but_index() } else { before == after && old.gateway() == new.gateway() }) {
        return;
    }
    let pen = pen();
    let mut say = |item, from: Value, to: Value, direction| {
        if from != to {
            lines.push(pen.line(item, from, to, direction));
        }
    };
    say(
        Item::Service,
        Value::Flag(before.in_service),
        Value::Flag(after.in_service),
        Direction::more_is_tighter(&before.in_service, &after.in_service),
    );
    let signal = Direction::more_is_tighter(&before.signal.is_gas(), &after.signal.is_gas());
    let signal = if signal == Direction::Neutral { Direction::Unclear } else { signal };
    say(Item::Signal, Value::text(before.signal.name_zh()), Value::text(after.signal.name_zh()), signal);
    say(Item::Unit, Value::text(&before.unit), Value::text(&after.unit), Direction::Unclear);
    say(Item::Range, range(before), range(after), range_direction(before.range, after.range));
    let longer = |old: &model::Duration, new: &model::Duration| Direction::more_is_looser(old, new);
    say(
        Item::SampleInterval,
        Value::Length(before.sample_interval),
        Value::Length(after.sample_interval),
        longer(&before.sample_interval, &after.sample_interval),
    );
    say(
        Item::StaleAfter,
        Value::Length(before.stale_after),
        Value::Length(after.stale_after),
        longer(&before.stale_after, &after.stale_after),
    );
    let place = |side: Option<&Equipment>| Value::text(side.map_or("", |place| place.id.as_str()));
    say(Item::Equipment, place(here), place(there), Direction::Neutral);
    say(
        Item::Hazard,
        Value::text(hazard_zh(old.hazard())),
        Value::text(hazard_zh(new.hazard())),
        Direction::more_is_tighter(&old.hazard(), &new.hazard()),
    );
    let by_mode = old.has_limits_by_mode() || new.has_limits_by_mode();
    let modes = if by_mode { Direction::Unclear } else { Direction::Neutral };
    say(Item::Modes, Value::text(old.modes()), Value::text(new.modes()), modes);
    let zone = |tag: &Tag| Value::text(tag.zone.as_ref().map_or("", |zone| zone.as_str()));
    let zoned = match (&before.zone, &after.zone) {
        (Some(_), None) => Direction::Looser,
        (None, Some(_)) => Direction::Tighter,
        _ => Direction::Unclear,
    };
    say(Item::Zone, zone(before), zone(after), zoned);
    say(
        Item::WarmUp,
        Value::Length(before.warm_up),
        Value::Length(after.warm_up),
        Direction::more_is_tighter(&before.warm_up, &after.warm_up),
    );
    let commissioned = match (&before.commissioning, &after.commissioning) {
        (None, Some(_)) => Direction::Looser,
        (Some(_), None) => Direction::Tighter,
        (Some(one), Some(other)) if one.integrator == other.integrator => Direction::more_is_looser(&one.until, &other.until),
        _ => Direction::Unclear,
    };
    let commissioning = |tag: &Tag| {
        Value::text(tag.commissioning.as_ref().map_or_else(String::new, |life| format!("{} {:?}", life.integrator, life.until)))
    };
    say(Item::Commissioning, commissioning(before), commissioning(after), commissioned);
    let calculation = |tag: &Tag| Value::text(tag.calculation.as_ref().map_or("", |calculation| &calculation.text));
    say(Item::Calculation, calculation(before), calculation(after), Direction::Unclear);
    say(Item::Gateway, Value::text(old.gateway()), Value::text(new.gateway()), Direction::Neutral);
    say(Item::Shown, Value::text(shown(before)), Value::text(shown(after)), Direction::Neutral);
    if rest(before) != rest(after) {
        lines.push(pen.line(Item::OtherOfTag, Value::text("…"), Value::text("…"), Direction::Unclear));
    }
    conditions(&pen, old, new, lines);
}

fn conditions(pen: &Pen, old: Side<'_>, new: Side<'_>, lines: &mut Vec<Line>) {
    let (mut before, mut after) = (old.tag.conditions.iter().collect::<Vec<_>>(), new.tag.conditions.iter().collect::<Vec<_>>());
    before.sort_by_key(|rule| rule.condition);
    after.sort_by_key(|rule| rule.condition);
    pairs(
        &before,
        &after,
        |rule| rule.condition,
        |one, other| match (one, other) {
            (Some(one), Some(other)) => rule(pen, one, other, &old.tag.unit, &new.tag.unit, lines),
            (Some(gone), None) => lines.push(whole(pen, gone, &old.tag.unit, Direction::Looser)),
            (None, Some(come)) => lines.push(whole(pen, come, &new.tag.unit, Direction::Tighter)),
            (None, None) => {}
        },
    );
}

/// A condition that comes or goes.
fn whole(pen: &Pen, rule: &ConditionRule, unit: &str, direction: Direction) -> Line {
    let judges = rule.condition.has_setpoint() || rule.condition == Condition::Discrete;
    let value = if judges { Value::Number(rule.setpoint) } else { Value::Flag(true) };
    let (old, new) = if direction == Direction::Looser { (value, Value::None) } else { (Value::None, value) };
    Line {
        condition: Some(rule.condition),
        unit: if judges { unit.to_owned() } else { String::new() },
        level: Some(highest(rule)),
        ..pen.line(Item::Condition, old, new, direction)
    }
}

fn rule(pen: &Pen, old: &ConditionRule, new: &ConditionRule, old_unit: &str, new_unit: &str, lines: &mut Vec<Line>) {
    if old == new {
        return;
    }
    let unit = if old_unit == new_unit { new_unit } else { "" };
    let mut say = |item, from: Value, to: Value, unit: &str, direction| {
        // What is too long to show stands as an ellipsis on both sides.
        if from != to || from == Value::text("…") {
            lines.push(Line {
                condition: Some(new.condition),
                unit: unit.to_owned(),
                level: Some(highest(old).max(highest(new))),
                ..pen.line(item, from, to, direction)
            });
        }
    };
    let limit = match new.condition {
        Condition::Low | Condition::LowLow => Direction::more_is_tighter(&old.setpoint, &new.setpoint),
        condition if condition.has_setpoint() => Direction::more_is_looser(&old.setpoint, &new.setpoint),
        _ => Direction::Unclear,
    };
    say(Item::Setpoint, Value::Number(old.setpoint), Value::Number(new.setpoint), unit, limit);
    // It holds a raised alarm longer, so one that comes and goes is told seldomer.
    let deadband = Direction::more_is_looser(&old.deadband, &new.deadband);
    say(Item::Deadband, Value::Number(old.deadband), Value::Number(new.deadband), unit, deadband);
    let delays = [(Item::OnDelay, old.on_delay, new.on_delay), (Item::OffDelay, old.off_delay, new.off_delay)];
    for (item, before, after) in delays {
        say(item, Value::Length(before), Value::Length(after), "", Direction::more_is_looser(&before, &after));
    }
    say(Item::Level, Value::Level(old.level), Value::Level(new.level), "", Direction::more_is_tighter(&old.level, &new.level));
    let two = |rule: &ConditionRule| rule.level_when_two.map_or(Value::None, Value::Level);
    say(Item::LevelWhenTwo, two(old), two(new), "", Direction::more_is_tighter(&old.level_when_two, &new.level_when_two));
    say(Item::Siren, Value::Flag(old.siren), Value::Flag(new.siren), "", Direction::more_is_tighter(&old.siren, &new.siren));
    if old.rationale != new.rationale {
        say(Item::Rationale, Value::text("…"), Value::text("…"), "", Direction::Neutral);
    }
    let (before, after) = (old.extra.as_deref().cloned().unwrap_or_default(), new.extra.as_deref().cloned().unwrap_or_default());
    say(
        Item::Latching,
        Value::Flag(before.latching),
        Value::Flag(after.latching),
        "",
        Direction::more_is_tighter(&before.latching, &after.latching),
    );
    let never = model::Duration(i64::MAX);
    let again = Direction::more_is_looser(&before.realarm_after.unwrap_or(never), &after.realarm_after.unwrap_or(never));
    let length = |length: Option<model::Duration>| length.map_or(Value::None, Value::Length);
    say(Item::RealarmAfter, length(before.realarm_after), length(after.realarm_after), "", again);
    let fewer: std::collections::BTreeSet<_> = before.suppressed_by.iter().collect();
    let more: std::collections::BTreeSet<_> = after.suppressed_by.iter().collect();
    let names = |extra: &ConditionExtra| Value::text(extra.suppressed_by.join(" "));
    say(Item::SuppressedBy, names(&before), names(&after), "", super::more_of(&fewer, &more).reversed());
    if rest_of_rule(old) != rest_of_rule(new) {
        say(Item::OtherOfCondition, Value::text("…"), Value::text("…"), "", Direction::Unclear);
    }
}

fn range(tag: &Tag) -> Value {
    tag.range.map_or(Value::None, |(low, high)| Value::Text(format!("{low}–{high}")))
}

/// A wider range says later that a value is out of it; none never does.
fn range_direction(old: Option<(f64, f64)>, new: Option<(f64, f64)>) -> Direction {
    match (old, new) {
        (Some(old), Some(new)) => Direction::more_is_tighter(&old.0, &new.0).and(Direction::more_is_looser(&old.1, &new.1)),
        (Some(_), None) => Direction::Looser,
        (None, Some(_)) => Direction::Tighter,
        (None, None) => Direction::Neutral,
    }
}

fn shown(tag: &Tag) -> String {
    let interlock = Value::number(tag.interlock).en();
    let labels = tag.labels.as_ref().map(|labels| labels.join("/")).unwrap_or_default();
    format!("{} · {} · {} · {interlock} · {labels} · {}", tag.name, tag.medium, tag.decimals, tag.basis)
}

/// A tag without everything that has a line of its own: what is left is compared as a whole, so that no setting is ever missed.
fn rest(tag: &Tag) -> Tag {
    let bare = Tag::new(tag.id.clone(), model::Signal::Other);
    Tag {
        name: bare.name,
        equipment: bare.equipment,
        gateway: bare.gateway,
        sheet: rest_of_sheet(&tag.sheet).into(),
        conditions: bare.conditions,
        ..tag.clone()
    }
}

#[expect(clippy::needless_update, reason = "what is yet to come is compared")]
fn rest_of_sheet(sheet: &DataSheet) -> DataSheet {
    let bare = DataSheet::new(model::Signal::Other);
    DataSheet {
        signal: bare.signal,
        unit: bare.unit,
        decimals: bare.decimals,
        range: bare.range,
        zone: bare.zone,
        medium: bare.medium,
        sample_interval: bare.sample_interval,
        stale_after: bare.stale_after,
        labels: bare.labels,
        interlock: bare.interlock,
        basis: bare.basis,
        in_service: bare.in_service,
        warm_up: bare.warm_up,
        commissioning: bare.commissioning,
        calculation: bare.calculation,
        ..sheet.clone()
    }
}

fn rest_of_rule(rule: &ConditionRule) -> ConditionRule {
    let bare = ConditionRule::new(rule.condition, 0.0, Level::Blue);
    let extra = rule.extra.as_deref().cloned().unwrap_or_default();
    let terms = Terms {
        on_delay: bare.on_delay,
        off_delay: bare.off_delay,
        level: bare.level,
        level_when_two: bare.level_when_two,
        siren: bare.siren,
        rationale: bare.rationale.clone(),
        extra: Some(Box::new(ConditionExtra { latching: false, realarm_after: None, suppressed_by: Vec::new(), ..extra })),
        ..Terms::clone(&rule.terms)
    };
    ConditionRule { setpoint: bare.setpoint, deadband: bare.deadband, terms: terms.into() }
}

const fn hazard_zh(hazard: Hazard) -> &'static str {
    match hazard {
        Hazard::None => "",
        Hazard::Fourth => "四级",
        Hazard::Third => "三级",
        Hazard::Second => "二级",
        Hazard::First => "一级",
    }
}
