//! `watchfire check`: names every fault of a configuration at once.

use crate::lang::{lang, say};
use model::Level;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `watchfire check`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The configuration folder
    #[arg(default_value = "config", value_name = "DIR")]
    dir: PathBuf,
    /// Print faults as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = match config::load(&args.dir) {
        Ok(loaded) => loaded,
        Err(faults) => {
            if args.json {
                println!("{}", faults.to_json(lang()));
            } else {
                eprint!("{}", faults.render(lang(), std::io::stderr().is_terminal()));
            }
            return Ok(ExitCode::from(1));
        }
    };
    let plant = &loaded.plant;
    let enterprises =
        plant.bodies.iter().filter(|body| body.tier == model::Tier::ENTERPRISE && body.id.as_str() != model::SYSTEM_ENTERPRISE).count();
    let measured = plant.tags.iter().filter(|tag| !matches!(tag.signal, model::Signal::Gateway | model::Signal::System)).count();
    let limits: usize = plant.tags.iter().map(|tag| tag.conditions.iter().filter(|rule| !rule.condition.is_data_fault()).count()).sum();
    let by_level = Level::ALL.map(|level| {
        plant.tags.iter().flat_map(|tag| &tag.conditions).filter(|rule| !rule.condition.is_data_fault() && rule.level == level).count()
    });
    if args.json {
        let warnings: serde_json::Value = config::to_json(&loaded.warnings, lang());
        let report = serde_json::json!({
            "ok": true, "version": plant.version, "enterprises": enterprises, "tags": measured, "gateways": plant.gateways.len(),
            "limits": limits, "levels": { "blue": by_level[0], "yellow": by_level[1], "orange": by_level[2], "red": by_level[3] },
            "warnings": warnings,
        });
        println!("{report}");
        return Ok(ExitCode::SUCCESS);
    }
    eprint!("{}", config::render(&loaded.warnings, lang(), std::io::stderr().is_terminal()));
    println!(
        "{}: {enterprises} {}, {} {}, {measured} {}, {limits} {}",
        say("无错误", "no faults"),
        say("家企业", "enterprises"),
        plant.gateways.len(),
        say("台网关", "gateways"),
        say("个位号", "tags"),
        say("个限值", "limits"),
    );
    let share = |count: usize| 100.0 * count as f64 / limits.max(1) as f64;
    let line: Vec<String> = Level::ALL
        .iter()
        .rev()
        .map(|level| format!("{} {:.1} %", say(level.name_zh(), level.name()), share(by_level[level.at()])))
        .collect();
    println!("{}: {}", say("限值分级占比", "share of limits by level"), line.join(", "));
    println!("{}: {}", say("规则版本", "rules version"), plant.version);
    Ok(ExitCode::SUCCESS)
}
