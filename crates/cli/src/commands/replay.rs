//! `watchfire replay`: lives a data folder again, from its history and the acts of its journal, and compares transition by transition.

use super::backtest::load;
use super::status::require_journal;
use crate::lang::{lang, say};
use anyhow::{Context, bail};
use config::Lang;
use indicatif::{ProgressBar, ProgressStyle};
use journal::history::{Gap, HistoryReader, Visit};
use journal::{EntryKind, Reader, SqliteReader};
use model::{Act, Attempt, Timestamp, Transition};
use std::path::PathBuf;
use std::process::ExitCode;
use tuning::backtest::Taken;
use tuning::replay::{Fed, Recorded, Replay, Report};

/// Rows of the journal read in one go.
const PAGE: usize = 5_000;

const EXAMPLES: &str = "Examples:
  watchfire replay --data /var/lib/watchfire --config /etc/watchfire/plant
  watchfire replay --json | jq .first_difference

It starts at the store's first row and goes on to the first recorded gap of the history, to the first row that was made under other
rules than those of the folder, or to the end. It only reads, and may run beside the engine.

Exit status: 0 every transition is the same byte for byte, 1 one is not, 2 could not run.";

/// Arguments of `watchfire replay`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// The configuration folder that was in force
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What the journal says went in and came out.
struct Journaled {
    fed: Vec<(Timestamp, Fed)>,
    transitions: Vec<Recorded>,
    /// Where other rules came into force.
    other_rules: Option<Timestamp>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    require_journal(&args.data)?;
    let Some(plant) = load(&args.config) else { return Ok(ExitCode::from(1)) };
    let journaled = Journaled::read(&SqliteReader::open(&args.data)?, &plant.version)?;
    let Some(mut reader) = HistoryReader::open(&args.data)? else {
        bail!("{}: {}", args.data.display(), say("没有读数历史", "no history of readings"));
    };
    let (first, last) = reader.span()?.with_context(|| say("历史里还没有读数", "the history holds no readings yet"))?;
    let from = journaled.fed.first().map_or(first, |(at, _)| (*at).min(first));
    let gap = reader.gaps(from, last)?.into_iter().next();
    let whole = last + model::Duration::from_micros(1);
    let to = gap.map(|gap| gap.from).into_iter().chain(journaled.other_rules).chain([whole]).min().unwrap_or(whole);
    let tags = reader.tags()?;
    let before = |at: &Timestamp| *at < to;
    let recorded = journaled.transitions.into_iter().filter(|one| before(&one.now)).collect();
    let mut replay = Replay::new(plant, &tags, recorded, from);
    let mut fed = journaled.fed.into_iter().filter(|(at, _)| before(at)).peekable();
    let bar = bar(args.json, from, to);
    reader.merged::<anyhow::Error>(&tags, from, to, |row| {
        while let Some((at, what)) = fed.next_if(|(at, _)| *at < row.taken) {
            replay.feed(&what, at)?;
        }
        replay.reading(&Taken { reading: row.reading, at: row.taken, under_test: row.under_test });
        bar.set_position(u64::try_from(row.taken.since(from).as_secs()).unwrap_or(0));
        Ok(if replay.has_parted() { Visit::Break(()) } else { Visit::Continue(()) })
    })?;
    for (at, what) in fed {
        if !replay.has_parted() {
            replay.feed(&what, at)?;
        }
    }
    let report = replay.finish(to);
    bar.finish_and_clear();
    if args.json {
        let json = serde_json::json!({ "ok": report.first_difference.is_none(), "same": report.same, "readings": report.readings,
            "from": from.as_millis(), "to": to.as_millis(), "first_difference": report.first_difference });
        println!("{json}");
    } else {
        println!("{}", words(&report, gap.filter(|gap| gap.from == to)));
    }
    Ok(ExitCode::from(u8::from(report.first_difference.is_some())))
}

impl Journaled {
    fn read(journal: &SqliteReader, rules: &model::RuleVersion) -> anyhow::Result<Self> {
        let kinds = [EntryKind::Act, EntryKind::Attempt, EntryKind::Transition, EntryKind::Config, EntryKind::System];
        let (mut read, mut next) = (Self { fed: Vec::new(), transitions: Vec::new(), other_rules: None }, Some(0));
        while let Some(from) = next {
            let page = journal.entries(&kinds, from, PAGE)?;
            for row in page.rows {
                match row.kind {
                    EntryKind::Act => read.fed.push((row.at, Fed::Act(Box::new(serde_json::from_slice::<Act>(&row.bytes)?)))),
                    EntryKind::Attempt => read.fed.push((row.at, Fed::Attempt(Box::new(serde_json::from_slice::<Attempt>(&row.bytes)?)))),
                    EntryKind::Transition => {
                        let transition: Transition = serde_json::from_slice(&row.bytes)?;
                        if transition.rules != *rules {
                            read.other_rules.get_or_insert(row.at);
                        }
                        read.transitions.push(Recorded { now: transition.now, bytes: row.bytes, transition });
                    }
                    _ => read.start_or_stop(&serde_json::from_slice(&row.bytes)?, row.at, rules),
                }
            }
            next = page.next;
        }
        Ok(read)
    }

    fn start_or_stop(&mut self, row: &serde_json::Value, at: Timestamp, rules: &model::RuleVersion) {
        match row.get("event").and_then(serde_json::Value::as_str) {
            Some("start") => {
                if row.get("rules").and_then(serde_json::Value::as_str).is_some_and(|version| version != rules.as_str()) {
                    self.other_rules.get_or_insert(at);
                }
                let clean = row.get("clean_stop_before").and_then(serde_json::Value::as_bool).unwrap_or(false);
                let down_since = row.get("down_since").and_then(serde_json::Value::as_i64).map(Timestamp);
                self.fed.push((at, Fed::Start { clean, down_since }));
            }
            Some("stop") => self.fed.push((at, Fed::Stop)),
            _ => {}
        }
    }
}

fn bar(quiet: bool, from: Timestamp, to: Timestamp) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {percent} % {eta}").expect("a valid template");
    ProgressBar::new(u64::try_from(to.since(from).as_secs()).unwrap_or(0)).with_style(style)
}

fn words(report: &Report, gap: Option<Gap>) -> String {
    let Report { same, readings, first_difference } = report;
    let mut lines = Vec::new();
    match lang() {
        Lang::Zh => lines.push(format!("{readings} 个读数,{same} 次报警变化逐字节一致")),
        Lang::En => lines.push(format!("{readings} readings, {same} transitions the same byte for byte")),
    }
    if let Some(difference) = first_difference {
        let nothing = || say("没有", "nothing").to_owned();
        lines.push(say("第一处不同:", "the first that differs:").to_owned());
        lines.push(format!("  {} {}", say("日志", "journal"), difference.recorded.clone().unwrap_or_else(nothing)));
        lines.push(format!("  {} {}", say("重放", "replay "), difference.replayed.clone().unwrap_or_else(nothing)));
    }
    if let Some(gap) = gap {
        let why = say(gap.why.name_zh(), gap.why.name());
        lines.push(format!("{}: {why}", say("到历史的缺口为止", "up to a recorded gap of the history")));
    }
    lines.join("\n")
}
