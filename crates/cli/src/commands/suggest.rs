//! `watchfire suggest`: for the alarms that call most often, the least change that a backtest proves. It changes nothing.

use super::backtest::{Record, load, moment, progress};
use crate::lang::{lang, say, table};
use config::Lang;
use model::{Condition, Duration, TagIndex};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tuning::suggest::{NUISANCE_MIN, Remedy, Suggestion, applied, suggest};

const EXAMPLES: &str = "Examples:
  watchfire suggest                                  the ten worst alarms of the history of watchfire-data
  watchfire suggest --worst 30 --from 2026-03-01T00:00:00+08:00
  watchfire suggest --config config/tep --file d13_te.dat --map config/tep/replay.toml

It changes nothing. No suggestion loses or delays an alarm that was found to be real, and a gas limit, 高高报 or 低低报 is never
made later or higher. Every suggestion loosens (放宽): it goes through `plan`, a ticket and a second person where those are needed.

Exit status: 0 done, 1 the configuration has faults, 2 could not run.";

/// Arguments of `watchfire suggest`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// The data folder whose history is read
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// A recorded file instead of a history
    #[arg(long, requires = "map", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Mapping of the recorded file, as for `publish`
    #[arg(long, requires = "file", value_name = "FILE")]
    map: Option<PathBuf>,
    /// From this time on, such as 2026-03-01T00:00:00+08:00
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How many of the worst alarms are looked at
    #[arg(long, default_value = "10", value_name = "N")]
    worst: usize,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(plant) = load(&args.config) else { return Ok(ExitCode::from(1)) };
    let span = (args.from.as_deref().map(moment).transpose()?, args.to.as_deref().map(moment).transpose()?);
    let mut record = Record::open(args.file.as_deref().zip(args.map.as_deref()), &args.data, span)?;
    let bar = progress(args.json);
    let today = record.compare(&plant, &plant, &bar, None)?;
    let mut counts: BTreeMap<(TagIndex, Condition), usize> = BTreeMap::new();
    for episode in today.answered.0.episodes.iter().filter(|episode| episode.alarm.condition.is_limit()) {
        if let Some(index) = plant.tag_index(&episode.alarm.tag) {
            *counts.entry((index, episode.alarm.condition)).or_default() += 1;
        }
    }
    let mut worst: Vec<_> = counts.into_iter().filter(|(_, count)| *count >= NUISANCE_MIN).collect();
    worst.sort_by_key(|(at, count)| (std::cmp::Reverse(*count), *at));
    worst.truncate(args.worst);
    let real = record.real();
    let mut found = Vec::new();
    for ((index, condition), _) in worst {
        let readings = record.readings_of(&plant.tag(index).id)?;
        found.extend(suggest(&plant, index, condition, &readings, &real, record.to));
    }
    // Together they are proved once more, by the whole chain over the whole record.
    let tried = Arc::new(applied(&plant, &found));
    let together = record.compare(&plant, &tried, &bar, None)?;
    bar.finish_and_clear();
    let real_count: usize = real.values().map(Vec::len).sum();
    if args.json {
        let figures = (&together.figures.0, &together.figures.1);
        println!(
            "{}",
            serde_json::json!({ "suggestions": found, "real_alarms_on_record": real_count, "before": figures.0, "after": figures.1 })
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table([
        say("位号", "tag"),
        say("条件", "condition"),
        say("建议(放宽)", "suggestion (loosens)"),
        say("报警", "alarms"),
        say("其中真实", "of them real"),
    ]);
    for one in &found {
        let condition = say(one.alarm.condition.name_zh(), one.alarm.condition.name());
        let alarms = format!("{} -> {}", one.before, one.after);
        rows.add_row([one.alarm.tag.to_string(), condition.to_owned(), words(one), alarms, one.real.to_string()]);
    }
    println!("{rows}");
    let (before, after) = (together.figures.0.alarms, together.figures.1.alarms);
    match lang() {
        Lang::Zh => {
            println!("合在一起回测:起报 {before} -> {after};核实为真实的报警在案 {real_count} 次,一次不少、一次不晚。没有改动任何东西。")
        }
        Lang::En => println!(
            "backtested together: {before} -> {after} annunciations; {real_count} alarms on record were real, none lost, none later. Nothing was changed."
        ),
    }
    if real_count == 0 {
        println!(
            "{}",
            say("注意:没有核实结论在案,什么都没有保护。", "Note: no alarm on record was found real, so none protects anything.")
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn words(one: &Suggestion) -> String {
    let seconds = |micros: f64| Duration(micros as i64).as_secs_f64();
    match (one.remedy, lang()) {
        (Remedy::Deadband(to), Lang::Zh) => format!("回差 {} -> {to}", one.now),
        (Remedy::Deadband(to), Lang::En) => format!("deadband {} -> {to}", one.now),
        (Remedy::OffDelay(to), Lang::Zh) => format!("恢复延时 {} s -> {} s", seconds(one.now), to.as_secs_f64()),
        (Remedy::OffDelay(to), Lang::En) => format!("off-delay {} s -> {} s", seconds(one.now), to.as_secs_f64()),
        (Remedy::OnDelay(to), Lang::Zh) => format!("报警延时 {} s -> {} s", seconds(one.now), to.as_secs_f64()),
        (Remedy::OnDelay(to), Lang::En) => format!("on-delay {} s -> {} s", seconds(one.now), to.as_secs_f64()),
        (Remedy::Setpoint(to), Lang::Zh) => format!("限值 {} -> {to}", one.now),
        (Remedy::Setpoint(to), Lang::En) => format!("limit {} -> {to}", one.now),
    }
}
