//! `watchfire check`: names every fault of a configuration at once.

use crate::lang::{is_colored, lang, say, table};
use anyhow::{anyhow, bail};
use config::{Lang, Loaded};
use model::{Level, SYSTEM_ENTERPRISE, TagId, Tier, Timestamp};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire check                         the folder config
  watchfire check /etc/watchfire/plant    another one
  watchfire --lang zh check config        in Chinese
  watchfire check config --json | jq '.faults[] | .code'
  watchfire check --explain hongxin/LIA-101   what a tag has, and where each value was written

Exit status: 0 no faults (there may be warnings), 1 faults found, 2 could not run.";

/// Arguments of `watchfire check`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder
    #[arg(env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    dir: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Say of one tag what it has and where each value was written: in its row, its class or the policy
    #[arg(long, value_name = "ENTERPRISE/TAG")]
    explain: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let now = crate::clock::Scale::REAL.wall();
    let loaded = match config::load_at(&args.dir, Some(civil_date(now))) {
        Ok(loaded) => loaded,
        Err(faults) => {
            if args.json {
                let report = serde_json::json!({ "ok": false, "faults": faults.to_json(lang()), "left_off": faults.left_off() });
                println!("{report}");
            } else {
                eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
                let errors = faults.faults().iter().filter(|fault| fault.severity == config::Severity::Error).count();
                println!("{}", say(&format!("错误:{errors} 处"), &format!("faults: {errors}")));
            }
            return Ok(ExitCode::from(1));
        }
    };
    if let Err(reason) = super::channels::try_out(&loaded) {
        if args.json {
            let file = args.dir.join("server.toml").display().to_string();
            let fault = serde_json::json!({ "severity": "error", "code": "would-not-start", "file": file, "text": reason });
            println!("{}", serde_json::json!({ "ok": false, "faults": [fault], "left_off": 0 }));
        } else {
            eprintln!("{}: {}: {reason}", say("错误", "error"), args.dir.join("server.toml").display());
            println!("{}", say("错误:1 处", "faults: 1"));
        }
        return Ok(ExitCode::from(1));
    }
    if let Some(tag) = &args.explain {
        return explain(args, tag, civil_date(now));
    }
    if args.json {
        println!("{}", report(&loaded));
    } else {
        eprint!("{}", config::render(&loaded.warnings, lang(), is_colored(&std::io::stderr())));
        println!("{}", summary(&loaded));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says of one tag what it has and where that was written. The configuration has been found without faults.
fn explain(args: &Args, tag: &str, today: (i16, i8, i8)) -> anyhow::Result<ExitCode> {
    let Some(id) = tag.split_once('/').map(|(enterprise, tag)| TagId::new(enterprise, tag)) else {
        bail!("{tag}: {}", say("写成 企业/位号", "write it as enterprise/tag"));
    };
    let environment = |name: &str| std::env::var(name).ok();
    let options = config::Options { today: Some(today), environment: &environment };
    let explained = config::explain(&config::Files::read(&args.dir), &options, &id).map_err(|faults| anyhow!("{faults}"))?;
    let Some(explanation) = explained else {
        bail!("{tag}: {}", say("设定值表里没有这个位号", "no setpoint list has this tag"));
    };
    if args.json {
        println!("{}", explanation.to_json(lang()));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", explanation.tag);
    let mut rows = table([say("项目", "what"), say("值", "value"), say("写在", "written in")]);
    for fact in &explanation.facts {
        rows.add_row([fact.what.get(lang()), &fact.value, fact.from.get(lang())]);
    }
    println!("{rows}");
    Ok(ExitCode::SUCCESS)
}

/// Today where the configuration is judged: China's civil date, which is what calibration dates are written in.
pub fn civil_date(now: Timestamp) -> (i16, i8, i8) {
    let offset = jiff::tz::offset(8);
    let date = jiff::Timestamp::from_microsecond(now.0).map(|now| offset.to_datetime(now).date()).unwrap_or_default();
    (date.year(), date.month(), date.day())
}

struct Counts {
    enterprises: usize,
    gateways: usize,
    tags: usize,
    /// Process limits by level, blue first.
    levels: [usize; 4],
}

impl Counts {
    fn of(loaded: &Loaded) -> Self {
        let plant = &loaded.plant;
        let bodies = plant.bodies.iter().filter(|body| body.tier == Tier::ENTERPRISE && body.id.as_str() != SYSTEM_ENTERPRISE);
        Self {
            enterprises: bodies.count(),
            gateways: plant.gateways.len(),
            tags: plant.tags.iter().filter(|tag| tag.is_measured()).count(),
            levels: config::level_shares(plant),
        }
    }
    fn limits(&self) -> usize {
        self.levels.iter().sum()
    }
}

fn report(loaded: &Loaded) -> serde_json::Value {
    let counts = Counts::of(loaded);
    serde_json::json!({
        "ok": true, "version": loaded.plant.version, "enterprises": counts.enterprises, "tags": counts.tags, "gateways": counts.gateways,
        "limits": counts.limits(),
        "levels": { "blue": counts.levels[0], "yellow": counts.levels[1], "orange": counts.levels[2], "red": counts.levels[3] },
        "warnings": config::to_json(&loaded.warnings, lang()),
        "files": loaded.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
    })
}

fn summary(loaded: &Loaded) -> String {
    let counts = Counts::of(loaded);
    let Counts { enterprises, gateways, tags, .. } = counts;
    let (limits, warnings) = (counts.limits(), loaded.warnings.len());
    let share = |level: &Level| {
        let count = counts.levels[level.at()];
        let percent = 100.0 * count as f64 / limits.max(1) as f64;
        format!("{} {count} ({percent:.1} %)", say(level.name_zh(), level.name()))
    };
    let shares: Vec<_> = Level::ALL.iter().rev().map(share).collect();
    let version = &loaded.plant.version;
    match lang() {
        Lang::Zh => format!(
            "无错误,{warnings} 处警告:{enterprises} 家企业,{gateways} 台网关,{tags} 个位号,{limits} 个限值\n限值分级:{}\n规则版本:{version}",
            shares.join(",")
        ),
        Lang::En => format!(
            "no faults, {warnings} {}: {enterprises} enterprises, {gateways} gateways, {tags} tags, {limits} limits\n\
             limits by level: {}\nrules version: {version}",
            if warnings == 1 { "warning" } else { "warnings" },
            shares.join(", ")
        ),
    }
}
