//! Who is told of what was loosened: the tier above each enterprise, old and new value, one message per person and channel.

use config::{Difference, Line};
use console::VersionJson;
use model::plant::{Body, ChannelKind, Person, Plant};
use model::{AlarmId, BodyId, ChannelId, Condition, Level, LimitChange, Notification, NotificationKey, PersonId, Purpose, Tier, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The messages of a change; none where nothing wanted a ticket.
pub fn of(plant: &Plant, difference: &Difference, version: &VersionJson, at: Timestamp) -> Vec<Notification> {
    // What is everybody's, such as a deadline, is told to everybody above the enterprises.
    let everybody = BodyId::new(model::SYSTEM_ENTERPRISE);
    let mut by_enterprise: BTreeMap<&BodyId, Vec<&Line>> = BTreeMap::new();
    for line in difference.lines.iter().filter(|line| line.needs_ticket()) {
        by_enterprise.entry(line.enterprise.as_ref().unwrap_or(&everybody)).or_default().push(line);
    }
    let mut told = Vec::new();
    for (enterprise, mut lines) in by_enterprise {
        let above: Vec<&Body> = match *enterprise == everybody {
            true => plant.bodies.iter().filter(|body| body.tier > Tier::ENTERPRISE).collect(),
            false => plant.chain(enterprise).nth(1).into_iter().collect(),
        };
        lines.sort_by_key(|line| Reverse((line.level, line.hazard)));
        let Some(worst) = lines.first() else { continue };
        let tag = worst.tag.clone().unwrap_or_else(|| model::TagId::new(enterprise.as_str(), worst.item.name()));
        let alarm = AlarmId { tag, condition: worst.condition.unwrap_or(Condition::System) };
        let (level, change) = (worst.level.unwrap_or(Level::Blue), change(worst, &lines, version));
        for body in above {
            let message = |reached| message(enterprise, body.tier, (level, &alarm, &change), version, reached, at);
            told.extend(on_duty(plant, body, at).into_iter().map(message));
        }
    }
    once(told)
}

/// The messages of a start that took the folder without anybody's consent: to every tier above the enterprises.
pub fn of_start(plant: &Plant, version: &VersionJson, before: &str, at: Timestamp) -> Vec<Notification> {
    let enterprise = BodyId::new(model::SYSTEM_ENTERPRISE);
    let alarm = AlarmId { tag: model::TagId::new(model::SYSTEM_ENTERPRISE, "start"), condition: Condition::System };
    let change = LimitChange {
        what_zh: "原配置用不了,整套换成文件夹里的".to_owned(),
        what_en: "the whole configuration, as the one before cannot be used,".to_owned(),
        old_zh: before.to_owned(),
        new_zh: version.version.clone(),
        old_en: before.to_owned(),
        new_en: version.version.clone(),
        count: 1,
        others: Vec::new(),
        ticket: "无/none".to_owned(),
    };
    let above = plant.bodies.iter().filter(|body| body.tier > Tier::ENTERPRISE);
    let to_all_of = |body: &Body| -> Vec<Notification> {
        let message = |reached| message(&enterprise, body.tier, (Level::Red, &alarm, &change), version, reached, at);
        on_duty(plant, body, at).into_iter().map(message).collect()
    };
    once(above.flat_map(to_all_of).collect())
}

/// Who is on duty for two bodies is told once.
fn once(mut told: Vec<Notification>) -> Vec<Notification> {
    let mut keys = BTreeSet::new();
    told.retain(|one| keys.insert(one.key.to_string()));
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
    (level, alarm, change): (Level, &AlarmId, &LimitChange),
    version: &VersionJson,
    (recipient, channel): (PersonId, ChannelId),
    at: Timestamp,
) -> Notification {
    let name = format!("config:{}:{enterprise}:{}", version.version, at.0);
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
        level,
        alarm: alarm.clone(),
        setpoint: None,
        value: None,
        raised_at: at,
        sign_by: at,
        late: false,
        delayed_by_outage: false,
        audience: model::Audience::Everyone,
        at,
        change: Some(change.clone()),
    }
}

/// Lines told beside the first; more are in the plan and in the journal.
const OTHERS_MAX: usize = 20;

fn change(line: &Line, lines: &[&Line], version: &VersionJson) -> LimitChange {
    let other = |line: &&Line| {
        let tag = line.tag.as_ref().map_or_else(String::new, |tag| format!("{} ", tag.tag));
        let [zh, en] = in_words(line);
        (format!("{tag}{} {}→{}", zh.what, zh.old, zh.new), format!("{tag}{} {} -> {}", en.what, en.old, en.new))
    };
    let [zh, en] = in_words(line);
    LimitChange {
        what_zh: zh.what,
        what_en: en.what,
        old_zh: zh.old,
        new_zh: zh.new,
        old_en: en.old,
        new_en: en.new,
        count: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        others: lines.iter().skip(1).take(OTHERS_MAX).map(other).collect(),
        ticket: version.ticket.clone(),
    }
}

/// A line in one language.
struct InWords {
    what: String,
    old: String,
    new: String,
}

/// In Chinese and in English.
fn in_words(line: &Line) -> [InWords; 2] {
    let unit = |value| with_unit(value, &line.unit);
    let (zh, en) = (line.condition.map(Condition::name_zh), line.condition.map(Condition::name));
    [
        InWords { what: words(zh, line.item.name_zh()), old: unit(line.old.zh()), new: unit(line.new.zh()) },
        InWords { what: words(en, line.item.name()), old: unit(line.old.en()), new: unit(line.new.en()) },
    ]
}

fn words(condition: Option<&str>, item: &str) -> String {
    condition.map_or_else(|| item.to_owned(), |condition| format!("{condition} {item}"))
}

fn with_unit(value: String, unit: &str) -> String {
    if unit.is_empty() { value } else { format!("{value} {unit}") }
}
