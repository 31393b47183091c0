//! `watchfire who`: who would be told of a tag's alarm, when and by which channel, before the night shift finds out.
//!
//! The answer comes from the escalation itself: an alarm is raised at the time asked for, nobody signs, and what it would send
//! is listed. So rosters that change on the way, quiet hours and people without a channel count as they would in the night.

use super::moment::{moment, offset};
use crate::lang::{is_colored, lang, say, table};
use anyhow::{Context, bail};
use escalation::Escalation;
use model::plant::{ConditionRule, Person, Tag};
use model::{
    AlarmEffect, AlarmId, AlarmState, AnnounceMode, Announcement, Cause, Change, Condition, Duration, Episode, EscalationEffect,
    EscalationInput, Notification, PersonId, Plant, Purpose, TagId, Tier, Timestamp, Transition, TransitionKey,
};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const EXAMPLES: &str = "Examples:
  watchfire who hongxin/LIA-101                           if it alarmed now
  watchfire who hongxin/LIA-101 --at \"2026-03-01 03:00\"   at night, in the plant's civil time
  watchfire who hongxin/LIA-101 --condition high-high     of one condition only
  watchfire who _system/broker                            of one of the engine's own alarms

Exit status: 0 listed, 1 the configuration has faults, 2 could not run.";

/// Arguments of `watchfire who`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The tag, written enterprise/tag
    tag: String,
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// At this time: 2026-03-01T03:00:00+08:00, or "2026-03-01 03:00" in the plant's civil time; now where not given
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Only this condition, such as high-high
    #[arg(long, value_name = "NAME")]
    condition: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// One tier told of one condition.
struct Told {
    after: Duration,
    tier: Tier,
    body: String,
    purpose: Purpose,
    /// With their channels, in the order in which they are told.
    people: Vec<(Person, Vec<String>)>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plant = match config::load(&args.config) {
        Ok(loaded) => Arc::new(loaded.plant),
        Err(faults) => {
            eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
            return Ok(ExitCode::from(1));
        }
    };
    let id = TagId::parse(&args.tag).with_context(|| {
        let (zh, en) = (format!("`{}` 不是位号;写成 企业/位号", args.tag), format!("`{}` is no tag; write enterprise/tag", args.tag));
        say(&zh, &en).to_owned()
    })?;
    let Some(index) = plant.tag_index(&id) else {
        let folder = args.config.display();
        bail!("{}", say(&format!("{folder} 里没有位号 {id}"), &format!("no tag {id} in {folder}")));
    };
    let tag = plant.tag(index);
    let at = match &args.at {
        Some(written) => moment(written, &plant)?,
        None => crate::clock::Scale::REAL.wall(),
    };
    let mut rules: Vec<&ConditionRule> = tag.conditions.iter().collect();
    if let Some(name) = &args.condition {
        let Some(wanted) = Condition::parse(name) else {
            let known = Condition::ALL.map(|condition| condition.name()).join(", ");
            bail!("{}", say(&format!("没有条件 `{name}`;可以写 {known}"), &format!("no condition `{name}`; there are {known}")));
        };
        rules.retain(|rule| rule.condition == wanted);
        if rules.is_empty() {
            bail!("{}", say(&format!("{id} 没有条件 {name}"), &format!("{id} has no condition {name}")));
        }
    }
    let told: Vec<_> = rules.into_iter().map(|rule| (rule, told(&plant, &id, rule, at))).collect();
    if args.json {
        println!("{}", report(&plant, tag, at, &told));
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table([
        say("条件", "condition"),
        say("等级", "level"),
        say("起报后", "after"),
        say("单位", "body"),
        say("人员:渠道", "people: channels"),
    ]);
    for (rule, told) in &told {
        for told in told {
            let people: Vec<_> = told.people.iter().map(|(person, by)| format!("{}: {}", person.name, by.join(" "))).collect();
            rows.add_row([
                say(rule.condition.name_zh(), rule.condition.name()).to_owned(),
                say(rule.level.name_zh(), rule.level.name()).to_owned(),
                after(told.after),
                told.body.clone(),
                people.join("\n"),
            ]);
        }
    }
    println!("{id} {} @ {}{}", tag.name, civil(at, &plant), if plant.is_quiet(at) { say("(夜间)", " (quiet hours)") } else { "" });
    println!("{rows}");
    println!(
        "{}",
        say("假定没有人签收;企业签收后,还没告知的上级不再告知。", "As if nobody signed; the enterprise's 签收 stops the climb.")
    );
    Ok(ExitCode::SUCCESS)
}

fn after(after: Duration) -> String {
    match after.as_secs() {
        0 => say("立即", "at once").to_owned(),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        _ => after.to_string(),
    }
}

/// Raises one condition and lets nobody answer, until the last tier has been told.
fn told(plant: &Arc<Plant>, tag: &TagId, rule: &ConditionRule, at: Timestamp) -> Vec<Told> {
    let key =
        TransitionKey { alarm: AlarmId { tag: tag.clone(), condition: rule.condition }, episode: Episode { since: at, count: 0 }, step: 0 };
    let raised = Transition {
        key: key.clone(),
        change: Change::Raised,
        from: AlarmState::Normal,
        to: AlarmState::Unacknowledged,
        at,
        now: at,
        level: rule.level,
        setpoint: Some(rule.setpoint),
        late: false,
        suppressed: false,
        cause: Cause::Engine { detail: String::new() },
        rules: plant.version.clone(),
    };
    let announced =
        Announcement { key, level: rule.level, at, now: at, mode: AnnounceMode::Normal, value: None, members: Vec::new(), standing: true };
    let last = plant.policies.level(rule.level).tell.iter().map(|tell| tell.after).max().unwrap_or(Duration::ZERO);
    let until = at + plant.policies.data_fault_wait + last;
    let (mut escalation, mut effects) = (Escalation::new(plant.clone()), Vec::new());
    escalation.step(&EscalationInput::Alarms(&[AlarmEffect::Transition(raised), AlarmEffect::Announce(announced)]), at, &mut effects);
    while let Some(due) = escalation.next_deadline().filter(|due| *due <= until) {
        escalation.step(&EscalationInput::Timeout, due, &mut effects);
    }
    let mut told: Vec<Told> = Vec::new();
    for effect in effects {
        if let EscalationEffect::Notify(message) = effect
            && matches!(message.key.purpose, Purpose::Announce | Purpose::Passed)
        {
            note(plant, &mut told, &message, at);
        }
    }
    told
}

fn note(plant: &Plant, told: &mut Vec<Told>, message: &Notification, raised: Timestamp) {
    let Notification { key, alarm, at, .. } = message;
    let place = told.iter().position(|told| told.tier == key.tier).unwrap_or_else(|| {
        let body = plant.responsible_body(&alarm.tag.enterprise, key.tier).map_or_else(String::new, |body| body.name.clone());
        told.push(Told { after: at.since(raised), tier: key.tier, body, purpose: key.purpose, people: Vec::new() });
        told.len() - 1
    });
    let people = &mut told[place].people;
    let channel = key.channel.to_string();
    match people.iter_mut().find(|(person, _)| person.id == key.recipient) {
        Some((_, channels)) => channels.push(channel),
        None => people.push((known(plant, &key.recipient), vec![channel])),
    }
}

fn known(plant: &Plant, id: &PersonId) -> Person {
    plant.person(id).cloned().unwrap_or_else(|| Person {
        id: id.clone(),
        name: id.to_string(),
        body: model::BodyId::new(""),
        channels: Vec::new(),
        is_duty_phone: false,
    })
}

fn report(plant: &Plant, tag: &Tag, at: Timestamp, told: &[(&ConditionRule, Vec<Told>)]) -> serde_json::Value {
    let person = |(person, channels): &(Person, Vec<String>)| serde_json::json!({ "person": person.id, "name": person.name, "duty_phone": person.is_duty_phone, "channels": channels });
    let tier = |told: &Told| {
        serde_json::json!({ "after_s": told.after.as_secs(), "tier": told.tier, "body": told.body, "why": told.purpose.name(),
            "people": told.people.iter().map(person).collect::<Vec<_>>() })
    };
    let conditions: Vec<_> = told
        .iter()
        .map(|(rule, told)| {
            serde_json::json!({ "condition": rule.condition, "level": rule.level, "told": told.iter().map(tier).collect::<Vec<_>>() })
        })
        .collect();
    serde_json::json!({ "tag": tag.id.to_string(), "name": tag.name, "at": at.as_millis(),
        "quiet_hours": plant.is_quiet(at), "conditions": conditions })
}

fn civil(at: Timestamp, plant: &Plant) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| "?".to_owned(), |at| offset(plant).to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string())
}
