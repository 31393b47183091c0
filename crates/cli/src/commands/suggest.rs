//! `watchfire suggest`: for the alarms that call most often, the least change that a backtest proves. It changes nothing.

use super::backtest::{Against, Record, difference_words, progress};
use super::moment::span;
use crate::lang::{lang, say, table};
use config::Lang;
use model::{Condition, Duration, TagIndex};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tuning::backtest::{Comparison, Difference};
use tuning::suggest::{Held, NUISANCE_MIN, Proof, Remedy, Suggestion, applied, prove, suggest};

const EXAMPLES: &str = "Examples:
  watchfire suggest                                  the ten worst alarms of the history of watchfire-data, as it is in force
  watchfire suggest --worst 30 --from 2026-03-01T00:00:00+08:00
  watchfire suggest --config config/tep --file d13_te.dat --map config/tep/replay.toml

It changes nothing. No suggestion loses or delays an alarm that was found to be real, lets it go untold or lowers it: what does so
together with the others is left out. A gas limit, 高高报 or 低低报 is never made later or higher. Every suggestion loosens (放宽): it goes through `plan`, a ticket and a second person where those are needed.

Exit status: 0 done, 1 the configuration has faults, 2 could not run.";

/// Arguments of `watchfire suggest`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder, instead of the version in force of the data folder; where that has none, or a recorded file is read, the
    /// folder of WATCHFIRE_CONFIG or `config`
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// The data folder whose history is read
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// A recorded file instead of a history
    #[arg(long, requires = "map", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Mapping of the recorded file, as for `publish`
    #[arg(long, requires = "file", value_name = "FILE")]
    map: Option<PathBuf>,
    /// From this time on, such as 2026-03-01T00:00:00+08:00, or "2026-03-01 00:00" on the plant's clock
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
    let data = args.file.is_none().then_some(args.data.as_path());
    let Some(against) = Against::find(args.config.as_deref(), data)? else { return Ok(ExitCode::from(1)) };
    let plant = Arc::clone(&against.plant);
    let span = span(args.from.as_deref(), args.to.as_deref(), &plant)?;
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
    let looked_at = worst.len();
    let real = record.real();
    let mut found: Vec<Suggestion> = Vec::new();
    for ((index, condition), _) in worst {
        let readings = record.readings_of(&plant.tag(index).id)?;
        // One tag may get two, each proved with the other in place; a cell of the list is written once.
        let base = applied(&plant, &found);
        let one = suggest(&base, index, condition, &readings, &real, record.to);
        found.extend(one.filter(|one| !found.iter().any(|other| other.shares_cell(one))));
    }
    // Together they are held against the real alarms once more, by the whole chain over the whole record.
    let Proof { suggestions: found, left_out, together, held } =
        prove(&plant, found, &real, |tried| record.compare(&plant, tried, &bar, None))?;
    bar.finish_and_clear();
    let on_record: usize = real.values().map(Vec::len).sum();
    if args.json {
        let figures = (&together.figures.0, &together.figures.1);
        let broken = |broken: &[Difference]| -> Vec<_> {
            let one =
                |one: &Difference| json!({ "kind": one.kind(), "tag": one.alarm().tag.to_string(), "condition": one.alarm().condition });
            broken.iter().map(one).collect()
        };
        let left_out: Vec<_> = left_out.iter().map(|(one, why)| json!({ "suggestion": one, "breaks": broken(why) })).collect();
        println!(
            "{}",
            json!({ "source": against.source(), "suggestions": found, "left_out": left_out, "real_alarms_on_record": on_record,
                "raised": raised(&together), "looked_at": looked_at, "real_alarms_held": held.real, "real_alarms_broken": broken(&held.broken), "before": figures.0, "after": figures.1 })
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}: {}", say("组态", "configuration"), against.words());
    if found.is_empty() {
        println!("{}", nothing(looked_at, left_out.len()));
    } else {
        println!("{}", suggested(&found));
    }
    for (one, why) in &left_out {
        let reason: Vec<_> = why.iter().map(|one| difference_words(one, &plant)).collect();
        let (tag, remedy, reason) = (&one.alarm.tag, words(one), reason.join("; "));
        let (zh, en) = (
            format!("已去掉 {tag} {remedy}:合在一起会动到真实报警:{reason}"),
            format!("left out {tag} {remedy}: together they would touch real alarms: {reason}"),
        );
        println!("{}", say(&zh, &en));
    }
    if found.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", proof(&together, &held));
    if held.real == 0 {
        println!(
            "{}",
            say(
                "注意:这段读数里没有核实为真实的报警,什么都没有保护。",
                "Note: no alarm of these readings was found real, so none protects anything."
            )
        );
    }
    if on_record > held.real {
        let more = on_record - held.real;
        let (zh, en) = (
            format!("另有 {more} 次真实报警不在这段读数里,或这个组态不起报,没有对照。"),
            format!("{more} more real alarms are not in these readings, or this configuration does not raise them: not held against."),
        );
        println!("{}", say(&zh, &en));
    }
    Ok(ExitCode::SUCCESS)
}

/// The table of suggestions.
fn suggested(found: &[Suggestion]) -> comfy_table::Table {
    let mut rows = table([
        say("位号", "tag"),
        say("条件", "condition"),
        say("建议(放宽)", "suggestion (loosens)"),
        say("起报次数", "times raised"),
        say("其中真实", "of them real"),
    ]);
    for one in found {
        let condition = say(one.alarm.condition.name_zh(), one.alarm.condition.name());
        let alarms = format!("{} -> {}", one.before, one.after);
        rows.add_row([one.alarm.tag.to_string(), condition.to_owned(), words(one), alarms, one.real.to_string()]);
    }
    rows
}

/// Why nothing is suggested.
fn nothing(looked_at: usize, left_out: usize) -> String {
    let (zh, en) = match (looked_at, left_out) {
        (0, _) => (
            format!("没有可建议的:这段读数里没有限值报警起报过 {NUISANCE_MIN} 次或更多。"),
            format!("Nothing to suggest: no limit was raised {NUISANCE_MIN} times or more in these readings."),
        ),
        (_, 0) => (
            format!(
                "没有可建议的:看了起报最多的 {looked_at} 个报警,没有哪一处允许的改动既能明显减少起报,又不动真实报警\
                 (气体限值、高高报、低低报不会推迟或抬高)。"
            ),
            format!(
                "Nothing to suggest: of the {looked_at} alarms raised most often, none has a change that may be made, is worth it, and leaves \
                 every real alarm as it is (gas limits, 高高报 and 低低报 are never made later or higher)."
            ),
        ),
        (_, left_out) => (
            format!("没有可建议的:有 {left_out} 处改动能减少起报,但会动到真实报警。"),
            format!("Nothing to suggest: {left_out} changes would have raised less, but would touch real alarms."),
        ),
    };
    say(&zh, &en).to_owned()
}

/// How often anything was raised, before and after: with what people were not told of, unlike [`tuning::kpi::Figures::alarms`].
fn raised(together: &Comparison) -> (usize, usize) {
    (together.answered.0.episodes.len(), together.answered.1.episodes.len())
}

/// What the run of all suggestions together says of the real alarms.
fn proof(together: &Comparison, held: &Held) -> String {
    let (before, after) = (together.figures.0.alarms, together.figures.1.alarms);
    let (all_before, all_after) = raised(together);
    let (real, broken) = (held.real, held.broken.len());
    let (kept_zh, kept_en) = match (real, broken) {
        // What was never held against anything is not said to hold.
        (0, _) => (String::new(), String::new()),
        (_, 0) => {
            let zh = format!("核实为真实的报警 {real} 次,一次不少、一次不晚、照样告知、等级不降。");
            (zh, format!(" {real} alarms were real: none lost, none later, none untold, none lowered."))
        }
        _ => {
            let zh = format!("核实为真实的报警 {real} 次,其中 {broken} 处保不住。");
            (zh, format!(" {real} alarms were real: {broken} of them do not hold."))
        }
    };
    match lang() {
        Lang::Zh => format!(
            "合在一起回测:全部报警起报 {all_before} -> {all_after} 次,其中告知到人 {before} -> {after} 次(其余只记录或并入别的告知,\
             表里数的是起报)。{kept_zh}没有改动任何东西。"
        ),
        Lang::En => format!(
            "backtested together: all alarms were raised {all_before} -> {all_after} times, as the table counts; people were told of \
             {before} -> {after} of them (annunciations), the rest was only recorded or folded into another.{kept_en} Nothing was changed."
        ),
    }
}

fn words(one: &Suggestion) -> String {
    let names: Vec<_> = one.with.iter().map(|condition| say(condition.name_zh(), condition.name())).collect();
    if names.is_empty() {
        return change_words(one);
    }
    let (names, change) = (names.join(say("、", ", ")), change_words(one));
    let (zh, en) = (format!("{change}(同一格:{names})"), format!("{change} (same cell: {names})"));
    say(&zh, &en).to_owned()
}

fn change_words(one: &Suggestion) -> String {
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
