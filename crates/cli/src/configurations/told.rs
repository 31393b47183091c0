//! Who is told of what was loosened: the tier above each enterprise, old and new value, one message per person and channel.

use config::{Difference, Line};
use console::VersionJson;
use model::plant::{Body, ChannelKind, Person, Plant};
use model::{BodyId, ChannelId, LimitChange, Notification, NotificationKey, PersonId, Purpose, Tier, Timestamp};
use std::collections::BTreeMap;

/// The messages of a change; none where nothing wanted a ticket.
pub fn of(plant: &Plant, difference: &Difference, version: &VersionJson, at: Timestamp) -> Vec<Notification> {
    let mut by_enterprise: BTreeMap<&BodyId, Vec<&Line>> = BTreeMap::new();
    for line in difference.lines.iter().filter(|line| line.needs_ticket()) {
        // What is everybody's is told to nobody in particular: the county itself has confirmed it.
        if let Some(enterprise) = &line.enterprise {
            by_enterprise.entry(enterprise).or_default().push(line);
        }
    }
    let mut told = Vec::new();
    for (enterprise, lines) in by_enterprise {
        let Some(above) = plant.chain(enterprise).nth(1) else { continue };
        let Some(worst) = lines.iter().max_by_key(|line| (line.level, line.hazard)) else { continue };
        for (recipient, channel) in on_duty(plant, above, at) {
            told.push(message(enterprise, above.tier, worst, lines.len(), version, (recipient, channel), at));
        }
    }
    told
}

/// The messages of a start that took the folder without anybody's consent: to every tier above the enterprises.
pub fn of_start(plant: &Plant, version: &VersionJson, before: &str, at: Timestamp) -> Vec<Notification> {
    let tag = model::TagId::new(model::SYSTEM_ENTERPRISE, "start");
    let whole = Line {
        enterprise: None,
        tag: Some(tag.clone()),
        condition: None,
        of: String::new(),
        item: config::Item::Tag,
        old: config::Value::None,
        new: config::Value::None,
        unit: String::new(),
        direction: config::Direction::Unclear,
        level: Some(model::Level::Red),
        hazard: model::Hazard::None,
    };
    let mut told = Vec::new();
    for body in plant.bodies.iter().filter(|body| body.tier > Tier::ENTERPRISE) {
        for reached in on_duty(plant, body, at) {
            let mut one = message(&tag.enterprise, body.tier, &whole, 1, version, reached, at);
            if let Some(change) = &mut one.change {
                (change.what_zh, change.what_en) =
                    ("原配置用不了,整套换成文件夹里的".to_owned(), "the whole configuration, as the one before cannot be used,".to_owned());
                (change.old_zh, change.old_en) = (before.to_owned(), before.to_owned());
                (change.new_zh, change.new_en) = (version.version.clone(), version.version.clone());
                change.ticket = "无/none".to_owned();
            }
            told.push(one);
        }
    }
    told
}

/// Who of a body is to be told, and by what. Nobody is called at night for a number; it is read.
fn on_duty(plant: &Plant, body: &Body, at: Timestamp) -> Vec<(PersonId, ChannelId)> {
    let mut people = plant.on_duty(body, at);
    if people.is_empty() {
        people.push(body.duty_phone.clone());
    }
    let channels = |person: &Person| {
        let read = person.channels.iter().filter_map(|id| plant.channel(id)).filter(|channel| channel.kind != ChannelKind::Voice);
        read.map(|channel| (person.id.clone(), channel.id.clone())).collect::<Vec<_>>()
    };
    people.iter().filter_map(|id| plant.person(id)).flat_map(channels).collect()
}

fn message(
    enterprise: &BodyId,
    tier: Tier,
    line: &Line,
    count: usize,
    version: &VersionJson,
    (recipient, channel): (PersonId, ChannelId),
    at: Timestamp,
) -> Notification {
    let name = format!("config:{}:{enterprise}:{}", version.version, at.0);
    let tag = line.tag.clone().unwrap_or_else(|| model::TagId::new(enterprise.as_str(), line.item.name()));
    Notification {
        key: NotificationKey {
            case: name.as_str().into(),
            announcement: name,
            tier,
            purpose: Purpose::LimitsLoosened,
            recipient,
            channel,
            repeat: 0,
        },
        level: line.level.unwrap_or(model::Level::Blue),
        alarm: model::AlarmId { tag, condition: line.condition.unwrap_or(model::Condition::System) },
        setpoint: None,
        value: None,
        raised_at: at,
        sign_by: at,
        late: false,
        delayed_by_outage: false,
        audience: model::Audience::Everyone,
        at,
        change: Some(LimitChange {
            what_zh: words(line.condition.map(model::Condition::name_zh), line.item.name_zh()),
            what_en: words(line.condition.map(model::Condition::name), line.item.name()),
            old_zh: with_unit(line.old.zh(), &line.unit),
            new_zh: with_unit(line.new.zh(), &line.unit),
            old_en: with_unit(line.old.en(), &line.unit),
            new_en: with_unit(line.new.en(), &line.unit),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            ticket: version.ticket.clone(),
        }),
    }
}

fn words(condition: Option<&str>, item: &str) -> String {
    condition.map_or_else(|| item.to_owned(), |condition| format!("{condition} {item}"))
}

fn with_unit(value: String, unit: &str) -> String {
    if unit.is_empty() { value } else { format!("{value} {unit}") }
}
