//! `watchfire who`: who would be told of a tag's alarm, when and by which channel, before the night shift finds out.

use crate::lang::{lang, say};
use anyhow::{Context, bail};
use comfy_table::{Table, presets};
use model::{Condition, TagId, Timestamp};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `watchfire who`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The tag, written enterprise/tag
    tag: String,
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// At this time (RFC 3339, such as 2026-03-01T03:00:00+08:00); now where not given
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Only this condition, such as high-high
    #[arg(long, value_name = "NAME")]
    condition: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plant = match config::load(&args.config) {
        Ok(loaded) => loaded.plant,
        Err(faults) => {
            eprint!("{}", faults.render(lang(), std::io::stderr().is_terminal()));
            return Ok(ExitCode::from(1));
        }
    };
    let id = TagId::parse(&args.tag).with_context(|| format!("`{}` is no tag; write enterprise/tag", args.tag))?;
    let Some(index) = plant.tag_index(&id) else { bail!("no tag {id} in {}", args.config.display()) };
    let tag = plant.tag(index);
    let at = match &args.at {
        Some(text) => Timestamp(text.parse::<jiff::Timestamp>().with_context(|| format!("`{text}` is no RFC 3339 time"))?.as_microsecond()),
        None => crate::clock::Scale::REAL.wall(),
    };
    let wanted = match &args.condition {
        Some(name) => Some(Condition::parse(name).with_context(|| format!("no condition `{name}`"))?),
        None => None,
    };
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        say("条件", "condition"),
        say("等级", "level"),
        say("时间", "after"),
        say("单位", "body"),
        say("人员", "people"),
        say("渠道", "channels"),
    ]);
    for rule in tag.conditions.iter().filter(|rule| wanted.is_none_or(|condition| condition == rule.condition)) {
        let policy = plant.policies.level(rule.level);
        for tell in &policy.tell {
            let Some(body) = plant.responsible_body(&id.enterprise, tell.tier) else { continue };
            let kinds = if plant.is_quiet(at) { &tell.by_quiet } else { &tell.by };
            let people = plant.on_duty(body, at);
            let people = if people.is_empty() { vec![body.duty_phone.clone()] } else { people };
            table.add_row([
                say(rule.condition.name_zh(), rule.condition.name()).to_owned(),
                say(rule.level.name_zh(), rule.level.name()).to_owned(),
                if tell.after.0 == 0 { say("立即", "at once").to_owned() } else { format!("{} min", tell.after.as_secs() / 60) },
                body.name.clone(),
                people
                    .iter()
                    .map(|person| plant.person(person).map_or_else(|| person.to_string(), |known| known.name.clone()))
                    .collect::<Vec<_>>()
                    .join(", "),
                kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect::<Vec<_>>().join(", "),
            ]);
        }
    }
    println!("{id} {}", tag.name);
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}
