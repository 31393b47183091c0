//! Who is told of what was loosened: the tier above each enterprise, old and new value, one message per person and channel.

use config::{Difference, Line};
use console::VersionJson;
use model::plant::{ChannelKind, Plant};
use model::{BodyId, LimitChange, Notification, NotificationKey, Purpose, Tier, Timestamp};
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
        let mut people = plant.on_duty(above, at);
        if people.is_empty() {
            people.push(above.duty_phone.clone());
        }
        let channels = people.iter().filter_map(|id| plant.person(id)).flat_map(|person| {
            // Nobody is called at night for a number; it is read.
            let kinds = person.channels.iter().filter_map(|id| plant.channel(id)).filter(|channel| channel.kind != ChannelKind::Voice);
            kinds.map(|channel| (person.id.clone(), channel.id.clone()))
        });
        for (recipient, channel) in channels {
            told.push(message(enterprise, above.tier, worst, lines.len(), version, (recipient, channel), at));
        }
    }
    told
}

fn message(
    enterprise: &BodyId,
    tier: Tier,
    line: &Line,
    count: usize,
    version: &VersionJson,
    (recipient, channel): (model::PersonId, model::ChannelId),
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
