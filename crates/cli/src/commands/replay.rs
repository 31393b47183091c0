//! `watchfire replay`: lives a data folder again, from its history and the acts of its journal, and compares transition by transition.

use super::backtest::{load, moment};
use super::status::require_journal;
use crate::configurations::Kept;
use crate::engine::VERSIONS;
use crate::lang::{lang, say};
use anyhow::{Context, bail};
use config::Lang;
use console::VersionJson;
use indicatif::{ProgressBar, ProgressStyle};
use journal::history::{Gap, HistoryReader, Visit};
use journal::{EntryKind, Reader, Record, SqliteReader};
use model::{Act, Attempt, Duration, Plant, Timestamp, Transition};
use pipeline::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tuning::backtest::Taken;
use tuning::replay::{Fed, Recorded, Replay, Report};

/// Rows of the journal read in one go.
const PAGE: usize = 5_000;
/// A crash may lose as much of what says when a tag was first seen.
const FIRST_SEEN_WITHIN: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "Examples:
  watchfire replay --data /var/lib/watchfire
  watchfire replay --data /var/lib/watchfire --from 2026-03-01T00:00:00+08:00 --to 2026-03-02T00:00:00+08:00
  watchfire replay --data /var/lib/watchfire --state /backup/watchfire-2026-02-28 --from 2026-03-01T00:00:00+08:00
  watchfire replay --json | jq .first_difference

It starts at the folder's first row, or on the state of the nearest copy of the folder, made while the engine was stopped, that --state
names and that is no later than --from. Before --from it lives everything and compares nothing. It takes up each configuration where the
journal says that it came into force, and ends at the first recorded gap of the history. It only reads, and may run beside the engine.

Exit status: 0 every transition is the same byte for byte, 1 one is not, 2 could not run, or not over the span asked for.";

/// Arguments of `watchfire replay`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// A configuration folder that was in force, for one that the data folder keeps no more
    #[arg(long, env = "WATCHFIRE_CONFIG", value_name = "DIR")]
    config: Option<PathBuf>,
    /// A copy of the data folder, made while the engine was stopped, whose state to start on; may be given more than once
    #[arg(long, value_name = "DIR")]
    state: Vec<PathBuf>,
    /// Compare from this time on, such as 2026-03-01T00:00:00+08:00
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Compare up to this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// A state to start on.
#[derive(Default)]
struct Snapshot {
    folder: Option<PathBuf>,
    /// The last row of the journal it stands on.
    seq: u64,
    at: Option<Timestamp>,
    hard: Vec<Row>,
    soft: Vec<Row>,
}

/// Why it ends before the end.
enum EndedBy {
    Gap(Gap),
    /// These rules came into force, and nobody has them.
    UnknownRules(String, Timestamp),
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if require_journal(&args.data)? > 0 {
        let (zh, en) = (
            "日志还缺这些提交,无法逐条比对:先启动引擎一次",
            "the journal lacks these commits, and nothing can be compared: start the engine once",
        );
        bail!("{}", say(zh, en));
    }
    let (from, to) = (args.from.as_deref().map(moment).transpose()?, args.to.as_deref().map(moment).transpose()?);
    let journal = SqliteReader::open(&args.data)?;
    let snapshot = Snapshot::nearest(&args.state, &journal, from)?;
    let given = match &args.config {
        None => None,
        Some(folder) => match load(folder) {
            Some(plant) => Some(plant),
            None => return Ok(ExitCode::from(1)),
        },
    };
    let newest = journal.newest(&[], None, 1)?.rows.into_iter().next();
    let journaled = Journaled::read(&journal, snapshot.seq + 1, &mut Configurations::of(&args.data, &journal, given)?)?;
    let Some(mut reader) = HistoryReader::open(&args.data)? else {
        bail!("{}: {}", args.data.display(), say("没有读数历史", "no history of readings"));
    };
    let (first, last) = reader.span()?.with_context(|| say("历史里还没有读数", "the history holds no readings yet"))?;
    let Some((begin, Fed::Start { plant, .. })) = journaled.fed.first().cloned() else { return Err(journaled.cannot_begin()) };
    if snapshot.folder.is_none() {
        require_beginning(&journal, first)?;
    }

    // A running engine's history is a little behind its journal; a stopped one's is whole.
    let whole = newest.filter(is_stop).map_or(last, |stop| stop.at + Duration::from_micros(1));
    let (wanted_from, wanted_to) = (from.map_or(begin, |from| from.max(begin)), to.map_or(whole, |to| to.min(whole)));
    let gap = reader.gaps(begin, wanted_to)?.into_iter().find(|gap| gap.from >= begin || gap.to > begin);
    let unknown = journaled.unknown_rules.map(|(rules, at)| EndedBy::UnknownRules(rules, at));
    let ended_by = gap.map(EndedBy::Gap).into_iter().chain(unknown).filter(|end| end.at() < wanted_to).min_by_key(EndedBy::at);
    let to = ended_by.as_ref().map_or(wanted_to, EndedBy::at);
    let is_cut = ended_by.as_ref().is_some_and(|end| args.from.is_some() || args.to.is_some() || matches!(end, EndedBy::UnknownRules(..)));

    let tags = reader.tags()?;
    let mut replay = Replay::new(plant, &tags, journaled.transitions, (snapshot.hard, snapshot.soft), (begin, wanted_from));
    let mut fed = journaled.fed.into_iter().filter(|(at, _)| *at < to).peekable();
    let bar = bar(args.json, begin, to);
    reader.merged::<anyhow::Error>(&tags, begin, to, |row| {
        while let Some((at, what)) = fed.next_if(|(at, _)| *at < row.taken) {
            replay.feed(&what, at)?;
        }
        replay.reading(&Taken { reading: row.reading, at: row.taken, under_test: row.under_test });
        bar.set_position(u64::try_from(row.taken.since(begin).as_secs()).unwrap_or(0));
        Ok(if replay.has_parted() { Visit::Break(()) } else { Visit::Continue(()) })
    })?;
    for (at, what) in fed {
        if !replay.has_parted() {
            replay.feed(&what, at)?;
        }
    }
    let report = replay.finish(to);
    bar.finish_and_clear();
    let compared = Compared { begin, from: wanted_from, to, report, ended_by, state: snapshot.folder, is_cut };
    if args.json {
        println!("{}", compared.json());
    } else {
        println!("{}", compared.words());
    }
    Ok(compared.exit())
}

impl Snapshot {
    /// The newest of these copies of the folder that is no later than `from`; the folder's beginning where there is none.
    fn nearest(folders: &[PathBuf], journal: &SqliteReader, from: Option<Timestamp>) -> anyhow::Result<Self> {
        let mut nearest = Self::default();
        for folder in folders {
            let snapshot = Self::of(folder, journal)?;
            let fits = from.is_none_or(|from| snapshot.at.is_some_and(|at| at <= from));
            if fits && snapshot.at > nearest.at {
                nearest = snapshot;
            }
        }
        Ok(nearest)
    }

    fn of(folder: &Path, journal: &SqliteReader) -> anyhow::Result<Self> {
        require_journal(folder)?;
        let copy = SqliteReader::open(folder)?;
        let (head, place) = (copy.head()?, folder.display());
        let last = copy.newest(&[], None, 1)?.rows.into_iter().next();
        let Some(stop) = last.filter(is_stop) else {
            bail!("{place}: {}", say("引擎没有停下,不能作起点", "its engine had not stopped, so it is no state to start on"));
        };
        if journal.entries(&[], head.seq, 1)?.rows.first().is_none_or(|row| row.seq != head.seq || row.hash != head.hash) {
            bail!("{place}: {}", say("不是这个数据目录以前的样子", "is not what this data folder was before"));
        }
        let (hard, soft) = (copy.state("")?, copy.soft("")?);
        Ok(Self { folder: Some(folder.to_owned()), seq: head.seq, at: Some(stop.at), hard, soft })
    }
}

/// Without a copy to start on, everything since the first reading ever must still be there.
fn require_beginning(journal: &SqliteReader, first: Timestamp) -> anyhow::Result<()> {
    let rows = journal.soft(crate::engine::POINTS)?;
    let seen = rows.iter().filter_map(|(_, bytes)| Some(serde_json::from_slice::<crate::engine::PointRow>(bytes).ok()?.first_seen)).min();
    if seen.is_some_and(|seen| seen + FIRST_SEEN_WITHIN < first) {
        let zh = "最早的读数已过保留期,从头重放不了;用 --state 指定停机时做的备份";
        let en = "the earliest readings are past their retention, so it cannot start at the beginning; name a backup with --state";
        bail!("{}", say(zh, en));
    }
    Ok(())
}

/// The configurations that were in force, by their rules.
struct Configurations {
    kept: Kept,
    versions: Vec<VersionJson>,
    given: Option<Arc<Plant>>,
    loaded: BTreeMap<String, Option<Arc<Plant>>>,
}

impl Configurations {
    fn of(data: &Path, journal: &SqliteReader, given: Option<Arc<Plant>>) -> anyhow::Result<Self> {
        let rows = journal.state(VERSIONS)?;
        let versions = rows.first().map(|(_, bytes)| serde_json::from_slice(bytes)).transpose()?.unwrap_or_default();
        Ok(Self { kept: Kept::of(data), versions, given, loaded: BTreeMap::new() })
    }

    /// What was in force at a start: the newest version of these rules by then.
    fn at_start(&mut self, rules: &str, at: Timestamp) -> Option<Arc<Plant>> {
        let fits = |version: &&VersionJson| version.rules == rules && version.since <= at.as_millis();
        let version = self.versions.iter().rev().find(fits).map(|version| version.version.clone());
        self.find(rules, &version.unwrap_or_default())
    }

    fn find(&mut self, rules: &str, version: &str) -> Option<Arc<Plant>> {
        let kept = &self.kept;
        let load = || {
            let loaded = tuning::scenario::load(&kept.files(version)?).ok()?;
            Some(Arc::new(loaded.plant))
        };
        let plant = self.loaded.entry(version.to_owned()).or_insert_with(load).clone();
        plant.into_iter().chain(self.given.clone()).find(|plant| plant.version.as_str() == rules)
    }
}

/// What the journal says went in and came out.
struct Journaled {
    fed: Vec<(Timestamp, Fed)>,
    transitions: Vec<Recorded>,
    /// Rules came into force that nobody has; nothing was read from there on.
    unknown_rules: Option<(String, Timestamp)>,
}

/// What a row says of the engine itself.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    event: String,
    #[serde(default)]
    rules: String,
    #[serde(default)]
    version: String,
    down_since: Option<Timestamp>,
    #[serde(default)]
    up: bool,
}

fn event_of(row: &Record) -> serde_json::Result<Event> {
    serde_json::from_slice(&row.bytes)
}

/// The engine stopped in good order with it.
fn is_stop(row: &Record) -> bool {
    row.kind == EntryKind::System && event_of(row).is_ok_and(|event| event.event == "stop")
}

impl Journaled {
    fn read(journal: &SqliteReader, first: u64, configurations: &mut Configurations) -> anyhow::Result<Self> {
        let kinds = [EntryKind::Act, EntryKind::Attempt, EntryKind::Transition, EntryKind::Config, EntryKind::System];
        let mut read = Self { fed: Vec::new(), transitions: Vec::new(), unknown_rules: None };
        let mut next = Some(first);
        while let Some(from) = next {
            let page = journal.entries(&kinds, from, PAGE)?;
            for row in page.rows {
                read.row(row, configurations)?;
                if read.unknown_rules.is_some() {
                    return Ok(read);
                }
            }
            next = page.next;
        }
        Ok(read)
    }

    fn row(&mut self, row: Record, configurations: &mut Configurations) -> anyhow::Result<()> {
        let fed = match row.kind {
            EntryKind::Act => Fed::Act(Box::new(serde_json::from_slice::<Act>(&row.bytes)?)),
            EntryKind::Attempt => Fed::Attempt(Box::new(serde_json::from_slice::<Attempt>(&row.bytes)?)),
            EntryKind::Transition => {
                let transition: Transition = serde_json::from_slice(&row.bytes)?;
                self.transitions.push(Recorded { now: transition.now, bytes: row.bytes, transition });
                return Ok(());
            }
            EntryKind::Config | EntryKind::System => {
                let event = event_of(&row)?;
                match event.event.as_str() {
                    "start" | "applied" => {
                        let is_start = event.event == "start";
                        let plant = match is_start {
                            true => configurations.at_start(&event.rules, row.at),
                            false => configurations.find(&event.rules, &event.version),
                        };
                        match plant {
                            Some(plant) if is_start => Fed::Start { plant, down_since: event.down_since },
                            Some(plant) => Fed::Applied(plant),
                            None => {
                                self.unknown_rules = Some((event.rules, row.at));
                                return Ok(());
                            }
                        }
                    }
                    "stop" => Fed::Stop,
                    "link" => Fed::Link { up: event.up },
                    "drained" => Fed::Drained,
                    _ => return Ok(()),
                }
            }
            _ => return Ok(()),
        };
        self.fed.push((row.at, fed));
        Ok(())
    }

    fn cannot_begin(&self) -> anyhow::Error {
        match &self.unknown_rules {
            Some((rules, at)) => anyhow::anyhow!("{}", unknown_rules(rules, *at)),
            None => {
                anyhow::anyhow!("{}", say("日志里没有启动记录,没有起点", "the journal names no start, so there is nothing to begin with"))
            }
        }
    }
}

fn unknown_rules(rules: &str, at: Timestamp) -> String {
    let at = civil(at);
    match lang() {
        Lang::Zh => format!("{at} 起生效的规则 {rules} 既没有留存,也不是 --config 给的;此后没有比较"),
        Lang::En => {
            format!("the rules {rules}, in force from {at}, are neither kept nor those of --config; nothing is compared from there on")
        }
    }
}

/// A moment as `--from` takes it.
fn civil(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

impl EndedBy {
    const fn at(&self) -> Timestamp {
        match self {
            Self::Gap(gap) => gap.from,
            Self::UnknownRules(_, at) => *at,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Gap(gap) => {
                let why = say(gap.why.name_zh(), gap.why.name());
                format!("{}: {why} {} – {}", say("到历史的缺口为止", "up to a recorded gap of the history"), civil(gap.from), civil(gap.to))
            }
            Self::UnknownRules(rules, at) => unknown_rules(rules, *at),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Gap(_) => "gap",
            Self::UnknownRules(..) => "unknown-rules",
        }
    }
}

/// The outcome.
struct Compared {
    begin: Timestamp,
    from: Timestamp,
    to: Timestamp,
    report: Report,
    ended_by: Option<EndedBy>,
    state: Option<PathBuf>,
    /// Less was compared than was asked for.
    is_cut: bool,
}

impl Compared {
    /// There was a span, and something happened in it.
    fn is_anything(&self) -> bool {
        self.from < self.to && (self.report.readings > 0 || self.report.same > 0 || self.report.first_difference.is_some())
    }

    fn exit(&self) -> ExitCode {
        match self.report.first_difference {
            Some(_) => ExitCode::from(1),
            None if self.is_cut || !self.is_anything() => ExitCode::from(2),
            None => ExitCode::SUCCESS,
        }
    }

    fn json(&self) -> serde_json::Value {
        let Report { same, readings, first_difference } = &self.report;
        serde_json::json!({ "ok": first_difference.is_none() && self.is_anything() && !self.is_cut, "same": same, "readings": readings,
            "begin": self.begin.as_millis(), "state": self.state, "from": self.from.as_millis(), "to": self.to.as_millis(),
            "ended_by": self.ended_by.as_ref().map(EndedBy::name), "first_difference": first_difference })
    }

    fn words(&self) -> String {
        let Report { same, readings, first_difference } = &self.report;
        let mut lines = Vec::new();
        let start =
            self.state.as_ref().map_or_else(|| say("数据的开头", "the folder's beginning").to_owned(), |dir| dir.display().to_string());
        if self.is_anything() {
            let (from, to) = (civil(self.from), civil(self.to));
            match lang() {
                Lang::Zh => {
                    lines.push(format!("比较了 {from} 到 {to},起点:{start}({})", civil(self.begin)));
                    lines.push(format!("{readings} 个读数,{same} 次报警变化逐字节一致"));
                }
                Lang::En => {
                    lines.push(format!("compared {from} to {to}, started at {start} ({})", civil(self.begin)));
                    lines.push(format!("{readings} readings, {same} transitions the same byte for byte"));
                }
            }
        } else {
            lines.push(
                say("什么也没有比较:这段时间里没有可比的", "nothing was compared: there is nothing to compare in this span").to_owned(),
            );
        }
        if let Some(difference) = first_difference {
            let nothing = || say("没有", "nothing").to_owned();
            lines.push(say("第一处不同:", "the first that differs:").to_owned());
            lines.push(format!("  {} {}", say("日志", "journal"), difference.recorded.clone().unwrap_or_else(nothing)));
            lines.push(format!("  {} {}", say("重放", "replay "), difference.replayed.clone().unwrap_or_else(nothing)));
        }
        lines.extend(self.ended_by.as_ref().map(EndedBy::words));
        lines.join("\n")
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
