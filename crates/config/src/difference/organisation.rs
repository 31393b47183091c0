//! Bodies, people, gateways and channels.

use super::{Direction, Item, Line, Value, pairs};
use model::plant::{Body, Gateway, Plant, Shift, Tier};
use model::{BodyId, Condition, Hazard, Level};

fn line(enterprise: Option<BodyId>, of: &str, item: Item, old: Value, new: Value, direction: Direction) -> Line {
    Line {
        enterprise,
        tag: None,
        condition: None,
        of: of.to_owned(),
        item,
        old,
        new,
        unit: String::new(),
        direction,
        // Whom a red alarm reaches is as weighty as a red limit.
        level: Some(Level::Red),
        hazard: Hazard::None,
    }
}

pub(super) fn compare(old: &Plant, new: &Plant, lines: &mut Vec<Line>) {
    pairs(&old.bodies, &new.bodies, |body| &body.id, |before, after| body(before, after, lines));
    pairs(
        &old.gateways,
        &new.gateways,
        |gateway| (&gateway.enterprise, &gateway.id),
        |before, after| {
            if let (Some(before), Some(after)) = (before, after)
                && before.interval != after.interval
            {
                let direction = Direction::more_is_looser(&before.interval, &after.interval);
                let change = (Value::Length(before.interval), Value::Length(after.interval));
                let enterprise = Some(after.enterprise.clone());
                let mut line = line(enterprise, after.id.as_str(), Item::GatewayInterval, change.0, change.1, direction);
                line.level = lost_level(old, before).max(lost_level(new, after));
                lines.push(line);
            }
        },
    );
    let mut say = |item, from: String, to: String, direction| {
        if from != to {
            lines.push(line(None, "", item, Value::text(from), Value::text(to), direction));
        }
    };
    pairs(
        &old.people,
        &new.people,
        |person| &person.id,
        |before, after| {
            if before != after {
                let known = |side: Option<&model::plant::Person>| {
                    side.map(|person| {
                        let channels: Vec<&str> = person.channels.iter().map(model::ChannelId::as_str).collect();
                        format!("{} {} [{}]", person.id, person.body, channels.join(" "))
                    })
                };
                let (before, after) = (known(before), known(after));
                say(Item::People, before.clone().unwrap_or_default(), after.unwrap_or_default(), Direction::Neutral);
            }
        },
    );
    let channels = |plant: &Plant| plant.channels.iter().map(|channel| channel.id.to_string()).collect::<Vec<_>>().join(" ");
    say(Item::Channels, channels(old), channels(new), Direction::Neutral);
    say(Item::CivilTime, old.utc_offset.to_string(), new.utc_offset.to_string(), Direction::Unclear);
    if old.tiers != new.tiers {
        let tiers = |plant: &Plant| plant.tiers.iter().map(|tier| tier.zh.as_str()).collect::<Vec<_>>().join(" ");
        lines.push(line(None, "", Item::Body, Value::text(tiers(old)), Value::text(tiers(new)), Direction::Unclear));
    }
}

/// The level at which this gateway's loss is told.
fn lost_level(plant: &Plant, gateway: &Gateway) -> Option<Level> {
    let rules = plant.tags.get(gateway.tag.at()).map(|tag| &tag.conditions)?;
    rules.iter().find(|rule| rule.condition == Condition::GatewayLost).map(|rule| rule.level)
}

fn body(old: Option<&Body>, new: Option<&Body>, lines: &mut Vec<Line>) {
    let Some(id) = old.or(new).map(|body| &body.id) else { return };
    let enterprise = old.or(new).filter(|body| body.tier == Tier::ENTERPRISE).map(|body| body.id.clone());
    let mut say = |item, from: Value, to: Value, direction| {
        if from != to {
            lines.push(line(enterprise.clone(), id.as_str(), item, from, to, direction));
        }
    };
    let (Some(before), Some(after)) = (old, new) else {
        let name = |side: Option<&Body>| Value::text(side.map_or("", |body| &body.name));
        let direction = if old.is_some() { Direction::Looser } else { Direction::Tighter };
        return say(Item::Body, name(old), name(new), direction);
    };
    let place = |body: &Body| Value::text(format!("{} {} {}", body.name, body.tier.0, body.parent.as_ref().map_or("", BodyId::as_str)));
    let stands = (before.tier, &before.parent) == (after.tier, &after.parent);
    say(Item::Body, place(before), place(after), if stands { Direction::Neutral } else { Direction::Unclear });
    say(Item::Roster, Value::text(duty(before)), Value::text(duty(after)), Direction::Neutral);
}

/// Who answers for a body and when, short enough to read.
fn duty(body: &Body) -> String {
    let shift = |shift: &Shift| {
        let days: String = shift.days.iter().zip('1'..='7').filter(|(on, _)| **on).map(|(_, day)| day).collect();
        let people: Vec<&str> = shift.people.iter().map(model::PersonId::as_str).collect();
        format!("{days} {:02}:{:02}–{:02}:{:02} {}", shift.from / 60, shift.from % 60, shift.to / 60, shift.to % 60, people.join(" "))
    };
    let mut parts: Vec<String> = body.roster.iter().map(shift).collect();
    parts.push(body.duty_phone.to_string());
    parts.extend(body.responsible.iter().map(ToString::to_string));
    parts.join("; ")
}
