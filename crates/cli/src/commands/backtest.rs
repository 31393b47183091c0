//! `watchfire backtest`: what a configuration would have done with readings that were taken, compared with another one.

mod tape;
#[cfg(test)]
mod tests;

pub use tape::HistoryTape;

use super::moment::span;
use super::publish;
use crate::configurations::Kept;
use crate::engine::VERSIONS;
use crate::lang::{is_colored, lang, say, table};
use anyhow::{Context, anyhow, bail};
use config::Files;
use console::VersionJson;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use journal::history::{HistoryReader, Visit};
use journal::{EntryKind, Reader, SqliteReader, StoreError};
use model::{
    Act, ActAnswer, ActId, ActKind, Announcement, BodyId, CaseEvent, CaseEventKind, CaseId, Duration, Outcome, Plant, Reading,
    SYSTEM_ENTERPRISE, TagId, TagIndex, Tier, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tuning::backtest::{Answers, Comparison, Difference, MedianTimes, Run, RunResult, Taken, Tally, compare, later};
use tuning::kpi::Episode;
use tuning::passage::Passed;
use tuning::report::{self, Subject, Trace};
use tuning::suggest::Real;

/// Rows of the journal read in one go.
const PAGE: usize = 5_000;
/// Differences on the terminal; the page and `--json` have more.
const SHOWN_MAX: usize = 30;
/// Curves kept for the page.
const TRACES_MAX: usize = 2_000;
/// Enterprises named where one was asked for that there is not.
const KNOWN_SHOWN_MAX: usize = 12;
/// The bar tells no time before so much has been done, in so many seconds: the first stretch reads what later ones have in memory.
const TELLING: (f32, f64) = (0.05, 1.0);

const EXAMPLES: &str = "Examples:
  watchfire backtest new-limits                           the history of watchfire-data, against what is in force there
  watchfire backtest new-limits --from 2026-03-01T00:00:00+08:00 --html report.html
  watchfire backtest config/tep-damped --against config/tep --file d13_te.dat --map config/tep/replay.toml

Nothing changes and nobody is told. Where the alarm is the same, people do again what they did; elsewhere the enterprise answers
in its median time, or nobody answers: both are shown.

Exit status: 0 compared, 1 a configuration has faults, 2 could not run.";

/// Arguments of `watchfire backtest`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder to try
    #[arg(value_name = "DIR")]
    tried: PathBuf,
    /// The configuration folder to compare with, instead of the version in force of the data folder; where that has none, or a recorded
    /// file is read, the folder of WATCHFIRE_CONFIG or `config`
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
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
    /// Only the readings of this enterprise; may be given more than once
    #[arg(long, value_name = "ENTERPRISE")]
    enterprise: Vec<String>,
    /// With little right to the processor, and its progress in numbers
    #[arg(long, hide = true)]
    in_background: bool,
    /// Write a page that shows limits, values and alarms
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// What is recorded of a stretch of time.
pub(super) struct Record {
    pub(super) tags: Vec<TagId>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    source: Source,
    people: PeopleRecord,
    gaps: Vec<(Timestamp, Timestamp)>,
    pub(super) notes: Vec<String>,
}

enum Source {
    History(Box<HistoryReader>),
    Rows(Vec<Taken>),
}

/// What people did.
#[derive(Default)]
struct PeopleRecord {
    acts: Vec<(Timestamp, Act)>,
    cases: BTreeSet<CaseId>,
    times: MedianTimes,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let data = args.file.is_none().then_some(args.data.as_path());
    let (Some(against), Some(after)) = (Against::find(args.against.as_deref(), data)?, load(&args.tried)) else {
        return Ok(ExitCode::from(1));
    };
    let before = &against.plant;
    let span = span(args.from.as_deref(), args.to.as_deref(), &after)?;
    let mut record = Record::open(args.file.as_deref().zip(args.map.as_deref()), &args.data, span)?;
    if !args.enterprise.is_empty() {
        record.check_enterprises(&args.enterprise, [before.as_ref(), after.as_ref()])?;
        record.keep_only(&args.enterprise);
    }
    let bar = progress(args.json);
    if args.in_background {
        stand_back(&bar);
    }
    let began = Instant::now();
    let mut traces = BTreeMap::new();
    let comparison = record.compare(before, &after, &bar, args.html.is_some().then_some(&mut traces))?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let names = (against.words(), args.tried.display().to_string());
    record.note(&comparison);
    if let Some(path) = &args.html {
        keep_what_matters(&mut traces, &comparison);
        let subject = Subject { before: (&names.0, before), after: (&names.1, &after), traces: &traces, notes: &record.notes };
        std::fs::write(path, report::html(&comparison, &subject, lang())).with_context(|| path.display().to_string())?;
    }
    if args.json {
        println!("{}", json(&comparison, &against, &after, &record.notes, seconds));
    } else {
        println!("{}: {}", say("对照", "compared with"), names.0);
        show(&comparison, &after, &record.notes, seconds);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a trial is held against.
pub(super) struct Against {
    pub(super) plant: Arc<Plant>,
    place: Place,
}

enum Place {
    /// The data folder says that this version is in force.
    InForce {
        data: PathBuf,
        version: String,
    },
    Folder(PathBuf),
}

impl Against {
    /// The folder that was given, or what is in force of the data folder: whoever edits the configuration folder in place would compare
    /// its next version with itself. Without either, the configuration folder. None where it has faults, which are told.
    pub(super) fn find(given: Option<&Path>, data: Option<&Path>) -> anyhow::Result<Option<Self>> {
        if given.is_none()
            && let Some(data) = data
            && let Some((version, files)) = in_force(data)?
        {
            let place = Place::InForce { data: data.to_owned(), version };
            return Ok(load_files(&files).map(|plant| Self { plant, place }));
        }
        let own = || std::env::var_os("WATCHFIRE_CONFIG").map_or_else(|| PathBuf::from("config"), PathBuf::from);
        let folder = given.map_or_else(own, Path::to_owned);
        Ok(load(&folder).map(|plant| Self { plant, place: Place::Folder(folder) }))
    }

    /// Where it comes from, in words.
    pub(super) fn words(&self) -> String {
        match &self.place {
            Place::InForce { data, version } => {
                let (data, short) = (data.display(), version.get(..12).unwrap_or(version));
                let (zh, en) = (format!("{data} 的在用组态 {short}"), format!("the version in force of {data}, {short}"));
                say(&zh, &en).to_owned()
            }
            Place::Folder(folder) => {
                let folder = folder.display();
                let (zh, en) = (format!("目录 {folder}"), format!("the folder {folder}"));
                say(&zh, &en).to_owned()
            }
        }
    }

    /// Where it comes from, for programs. Whoever asked over the API need not know our folders.
    pub(super) const fn source(&self) -> &'static str {
        match self.place {
            Place::InForce { .. } => "in-force",
            Place::Folder(_) => "folder",
        }
    }
}

/// The version in force of a data folder, with its files, where they are kept.
fn in_force(data: &Path) -> anyhow::Result<Option<(String, Files)>> {
    if !SqliteReader::exists(data) {
        return Ok(None);
    }
    let rows = SqliteReader::open(data)?.state(VERSIONS)?;
    let versions: Vec<VersionJson> = rows.first().map(|(_, bytes)| serde_json::from_slice(bytes)).transpose()?.unwrap_or_default();
    let newest = versions.into_iter().next_back();
    Ok(newest.and_then(|newest| Kept::of(data).files(&newest.version).map(|files| (newest.version, files))))
}

/// A configuration folder; its faults are told.
pub(super) fn load(folder: &Path) -> Option<Arc<Plant>> {
    load_files(&Files::read(folder))
}

fn load_files(files: &Files) -> Option<Arc<Plant>> {
    match tuning::scenario::load(files) {
        Ok(loaded) => Some(Arc::new(loaded.plant)),
        Err(faults) => {
            eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
            None
        }
    }
}

impl Record {
    /// Opens a recorded file, or the history and the journal of a data folder.
    pub(super) fn open(
        file: Option<(&Path, &Path)>,
        data: &Path,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
    ) -> anyhow::Result<Self> {
        match file {
            Some((file, map)) => Self::of_file(file, map, from, to),
            None => Self::of_history(data, from, to),
        }
    }

    fn of_file(file: &Path, map: &Path, from: Option<Timestamp>, to: Option<Timestamp>) -> anyhow::Result<Self> {
        let replay = config::load_replay(map).map_err(|faults| anyhow!("{}", faults.render(lang(), is_colored(&std::io::stderr()))))?;
        let rows = publish::read(file, &replay, None)?;
        let wanted = |at: Timestamp| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
        let taken = |place: usize, at: Timestamp, value: f64| {
            let reading =
                Reading { tag: TagIndex(place as u32), source_time: at, receive_time: at, value, quality: replay.quality, sequence: None };
            Taken { reading, at, under_test: false }
        };
        let all = rows.iter().flat_map(|row| row.iter().enumerate().map(|(place, message)| taken(place, message.at, message.value)));
        let readings: Vec<Taken> = all.filter(|taken| wanted(taken.at)).collect();
        let (Some(first), Some(last)) = (readings.first().map(|taken| taken.at), readings.last().map(|taken| taken.at)) else {
            bail!("{}: {}", file.display(), say("这段时间没有读数", "no readings in this span"));
        };
        Ok(Self {
            tags: replay.columns.iter().map(|column| TagId::new(replay.enterprise.clone(), &column.tag)).collect(),
            from: first,
            to: last + replay.interval,
            source: Source::Rows(readings),
            people: PeopleRecord::default(),
            gaps: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn of_history(data: &Path, from: Option<Timestamp>, to: Option<Timestamp>) -> anyhow::Result<Self> {
        let reader =
            HistoryReader::open(data)?.with_context(|| format!("{}: {}", data.display(), say("没有读数历史", "no history of readings")))?;
        let Some((first, last)) = reader.span()? else {
            bail!("{}: {}", data.display(), say("历史里还没有读数", "the history holds no readings yet"));
        };
        let (from, to) = (from.unwrap_or(first).max(first), to.unwrap_or(Timestamp::MAX).min(last + Duration::from_micros(1)));
        let mut gaps: Vec<(Timestamp, Timestamp)> = reader.gaps(from, to)?.iter().map(|gap| (gap.from, gap.to)).collect();
        let mut notes = Vec::new();
        if !gaps.is_empty() {
            let (zh, en) = (format!("历史里有 {} 处缺数", gaps.len()), format!("the history has {} recorded gaps", gaps.len()));
            notes.push(say(&zh, &en).to_owned());
        }
        let (people, stops) = if SqliteReader::exists(data) { PeopleRecord::read(&SqliteReader::open(data)?)? } else { Default::default() };
        gaps.extend(stops.into_iter().filter(|(begin, end)| *end >= from && *begin < to));
        gaps.sort();
        Ok(Self { tags: reader.tags()?, from, to, source: Source::History(Box::new(reader)), people, gaps, notes })
    }

    /// An enterprise that neither configuration nor the readings know would compare nothing with nothing. One that is known and has no
    /// readings is noted.
    fn check_enterprises(&mut self, wanted: &[String], plants: [&Plant; 2]) -> anyhow::Result<()> {
        let recorded = positions(&self.tags);
        let configured = plants.into_iter().flat_map(|plant| &plant.bodies).filter(|body| body.tier == Tier::ENTERPRISE);
        let known: BTreeSet<&str> = configured.map(|body| body.id.as_str()).chain(recorded.iter().map(BodyId::as_str)).collect();
        for name in wanted {
            if !known.contains(name.as_str()) {
                let near = config::nearest_first(name, known.iter().copied());
                let more = if near.len() > KNOWN_SHOWN_MAX { format!(" … + {}", near.len() - KNOWN_SHOWN_MAX) } else { String::new() };
                let near = &near[..near.len().min(KNOWN_SHOWN_MAX)];
                let (zh, en) = (
                    format!("没有企业 `{name}`;有 {}{more}", near.join("、")),
                    format!("there is no enterprise `{name}`; there are {}{more}", near.join(", ")),
                );
                bail!("{}", say(&zh, &en));
            }
            if !recorded.iter().any(|body| body.as_str() == name) {
                let (zh, en) = (format!("没有 {name} 的读数"), format!("there are no readings of {name}"));
                self.notes.push(say(&zh, &en).to_owned());
            }
        }
        Ok(())
    }

    /// Leaves out the readings of other enterprises.
    fn keep_only(&mut self, enterprises: &[String]) {
        let wanted = |tag: &TagId| enterprises.iter().any(|enterprise| enterprise == tag.enterprise.as_str());
        match &mut self.source {
            // Their places among the tags stand.
            Source::Rows(rows) => rows.retain(|taken| self.tags.get(taken.reading.tag.at()).is_some_and(wanted)),
            Source::History(_) => self.tags.retain(wanted),
        }
    }

    /// Runs both configurations under both assumptions over the record.
    pub(super) fn compare(
        &mut self,
        before: &Arc<Plant>,
        after: &Arc<Plant>,
        bar: &ProgressBar,
        traces: Option<&mut BTreeMap<TagId, Trace>>,
    ) -> anyhow::Result<Comparison> {
        if let Source::History(_) = &self.source {
            // What was calculated is calculated anew.
            let is_calculated = |plant: &Plant, tag: &TagId| plant.tag_index(tag).map(|index| plant.tag(index).calculation.is_some());
            self.tags.retain(|tag| {
                let mut roles = [before, after].into_iter().filter_map(|plant| is_calculated(plant, tag)).peekable();
                roles.peek().is_none() || roles.any(|is_calculated| !is_calculated)
            });
        }
        let answered = || Answers::After(self.people.times.clone());
        let mut runs = [
            Run::new(Arc::clone(before), &self.tags, answered(), self.from),
            Run::new(Arc::clone(after), &self.tags, answered(), self.from),
            Run::new(Arc::clone(before), &self.tags, Answers::Never, self.from),
            Run::new(Arc::clone(after), &self.tags, Answers::Never, self.from),
        ];
        runs.iter_mut().for_each(|run| run.set_recorded(self.people.cases.clone()));
        let (from, to) = (self.from, self.to);
        let beside = Beside { acts: &self.people.acts, gaps: &self.gaps, from };
        let drawn = match &mut self.source {
            Source::Rows(rows) => in_order(&mut runs, rows, beside, &self.tags, (from, to), traces.is_some(), bar),
            Source::History(reader) => {
                let tape = reader.tape(&self.tags, from, to)?;
                by_tape(&mut runs, HistoryTape::new(tape, self.tags.len(), (from, to), traces.is_some()), beside, (from, to), bar)?
            }
        };
        let [old, new, old_unanswered, new_unanswered] = runs.map(|run| run.finish(to));
        if let Some(traces) = traces {
            traces.extend(self.tags.iter().cloned().zip(drawn).filter_map(|(tag, trace)| Some((tag, trace?))));
        }
        Ok(compare((old, new), (old_unanswered, new_unanswered), &positions(&self.tags), (from, to)))
    }

    /// Alarms that people found to be real: the source time of their first reading.
    pub(super) fn real(&self) -> Real {
        let mut real = Real::new();
        for (_, act) in &self.people.acts {
            if let ActKind::Check { episodes, outcome: Outcome::Real, .. } = &act.what {
                for episode in episodes {
                    real.entry(episode.alarm.clone()).or_default().push(episode.episode.since);
                }
            }
        }
        for times in real.values_mut() {
            times.sort();
            times.dedup();
        }
        real
    }

    /// Every reading of one tag, in the order in which they were taken.
    pub(super) fn readings_of(&mut self, tag: &TagId) -> anyhow::Result<Vec<Taken>> {
        let mut readings = Vec::new();
        match &mut self.source {
            Source::Rows(rows) => readings.extend(rows.iter().filter(|taken| self.tags.get(taken.reading.tag.at()) == Some(tag))),
            Source::History(reader) => reader.merged::<StoreError>(std::slice::from_ref(tag), self.from, self.to, |row| {
                readings.push(Taken { reading: row.reading, at: row.taken, under_test: row.under_test });
                Ok(Visit::Continue(()))
            })?,
        }
        Ok(readings)
    }

    fn note(&mut self, comparison: &Comparison) {
        let RunResult { left_out, unknown, acts_same, acts_moot, readings, .. } = &comparison.answered.1;
        let mut say_both = |zh: String, en: String| self.notes.push(say(&zh, &en).to_owned());
        say_both(
            format!("读数 {readings} 个;人员操作按原样 {acts_same} 次,无从对应 {acts_moot} 次"),
            format!("{readings} readings; acts done again {acts_same}, with nothing to act on {acts_moot}"),
        );
        let Passed { singly, looked_at, unread } = comparison.answered.1.passed;
        if singly + looked_at + unread > 0 {
            say_both(
                format!("其中凭块摘要即知无变化 {unread} 个,凭数值 {looked_at} 个,逐个判断 {singly} 个"),
                format!(
                    "of them told to change nothing by the summary of their chunk {unread}, by their values {looked_at}; judged one by one {singly}"
                ),
            );
        }
        if *unknown > 0 {
            say_both(
                format!("{unknown} 个读数的位号不在试算的组态里"),
                format!("{unknown} readings of tags that the tried configuration lacks"),
            );
        }
        let tuning::backtest::LeftOut { under_test, commissioning, drills } = left_out;
        if under_test + commissioning + drills > 0 {
            say_both(
                format!("未计入:检维修/标定 {under_test},待调试 {commissioning},演练 {drills}"),
                format!("left out: under test {under_test}, commissioning {commissioning}, drills {drills}"),
            );
        }
    }
}

/// Every reading of a recorded file, in the order of time.
fn in_order(
    runs: &mut [Run; 4],
    rows: &[Taken],
    mut beside: Beside<'_>,
    tags: &[TagId],
    (from, to): (Timestamp, Timestamp),
    draws: bool,
    bar: &ProgressBar,
) -> Vec<Option<Trace>> {
    let mut drawn: Vec<Option<Trace>> = vec![None; tags.len()];
    bar.reset();
    bar.set_length(rows.len() as u64);
    let mut catch_up = |runs: &mut [Run; 4], until: Timestamp| {
        while let Some(next) = beside.next(until) {
            runs.iter_mut().for_each(|run| match next {
                Between::Act(act, at) => run.act(act, at),
                Between::Gap(begin, end) => run.gap(begin, end.min(until)),
            });
        }
    };
    for (count, taken) in (0_u64..).zip(rows) {
        catch_up(runs, taken.at);
        runs.iter_mut().for_each(|run| run.reading(taken));
        if draws && let Some(trace) = drawn.get_mut(taken.reading.tag.at()) {
            trace.get_or_insert_with(|| Trace::new(from, to)).add(taken.reading.source_time, taken.reading.value);
        }
        if count.is_multiple_of(16_384) {
            bar.set_position(count);
        }
    }
    catch_up(runs, to);
    drawn
}

/// The history, each tag at its own pace.
fn by_tape(
    runs: &mut [Run; 4],
    mut tape: HistoryTape<'_>,
    mut beside: Beside<'_>,
    (from, to): (Timestamp, Timestamp),
    bar: &ProgressBar,
) -> Result<Vec<Option<Trace>>, StoreError> {
    let count = tape.count()?;
    // One bar may go over several comparisons.
    bar.reset();
    bar.set_length(count);
    // The count is an estimate where a chunk lies across an end.
    let told = |passed: u64| bar.set_position(passed.min(count));
    let mut now = from;
    while let Some(next) = beside.next(to) {
        let (Between::Act(_, at) | Between::Gap(at, _)) = next;
        tape.pass(runs, now, at, count, told)?;
        now = now.max(at);
        match next {
            Between::Act(act, at) => runs.iter_mut().for_each(|run| run.act_beside(&mut tape, act, at)),
            Between::Gap(begin, end) => {
                let end = tape.next_taken(begin)?.unwrap_or(to).min(end);
                runs.iter_mut().for_each(|run| run.gap_beside(&mut tape, begin, end));
            }
        }
        tape.check()?;
    }
    tape.pass(runs, now, to, count, told)?;
    bar.set_position(count);
    Ok(tape.into_drawn())
}

/// Acts and gaps, which come between the readings.
struct Beside<'r> {
    acts: &'r [(Timestamp, Act)],
    gaps: &'r [(Timestamp, Timestamp)],
    from: Timestamp,
}

/// One of them.
#[derive(Clone, Copy)]
enum Between<'r> {
    Act(&'r Act, Timestamp),
    /// From here to there.
    Gap(Timestamp, Timestamp),
}

impl<'r> Beside<'r> {
    /// The next that comes before a reading taken at `now`, and not before all readings.
    fn next(&mut self, now: Timestamp) -> Option<Between<'r>> {
        loop {
            let act = self.acts.split_first().filter(|((at, _), _)| *at < now);
            let gap = self.gaps.split_first().filter(|((begin, _), _)| *begin < now);
            match (act, gap) {
                (act, Some(((begin, end), rest))) if act.is_none_or(|((at, _), _)| begin <= at) => {
                    self.gaps = rest;
                    if *end > self.from {
                        // One that lasts when the readings begin is over with the first of them, whenever that was taken.
                        return Some(Between::Gap((*begin).max(self.from - Duration::from_micros(1)), *end));
                    }
                }
                (Some(((at, act), rest)), _) => {
                    self.acts = rest;
                    if *at >= self.from {
                        return Some(Between::Act(act, *at));
                    }
                }
                (None, _) => return None,
            }
        }
    }
}

type Stops = Vec<(Timestamp, Timestamp)>;

impl PeopleRecord {
    /// The acts that were allowed, how long each enterprise took to sign, and when the engine was down.
    fn read(journal: &SqliteReader) -> anyhow::Result<(Self, Stops)> {
        let kinds = [EntryKind::Act, EntryKind::Answer, EntryKind::Announcement, EntryKind::Case, EntryKind::Config];
        let (mut acts, mut done, mut announced, mut signed, mut stops) =
            (Vec::new(), BTreeSet::new(), BTreeMap::new(), Vec::new(), Vec::new());
        let mut cases = BTreeSet::new();
        let mut next = Some(0);
        while let Some(from) = next {
            let page = journal.entries(&kinds, from, PAGE)?;
            for row in &page.rows {
                match row.kind {
                    EntryKind::Act => acts.push((row.at, serde_json::from_slice::<Act>(&row.bytes)?)),
                    EntryKind::Answer => {
                        let id = row.key.as_deref().and_then(|key| key.strip_prefix("answer:")).map(ActId::new);
                        if matches!(serde_json::from_slice(&row.bytes)?, ActAnswer::Done { .. }) {
                            done.extend(id);
                        }
                    }
                    EntryKind::Announcement => {
                        let one: Announcement = serde_json::from_slice(&row.bytes)?;
                        announced.insert(one.key.raise().to_string(), (one.key.alarm.tag.enterprise.clone(), one.now));
                    }
                    EntryKind::Case => {
                        let event: CaseEvent = serde_json::from_slice(&row.bytes)?;
                        if let CaseEventKind::Accepted { keys } = &event.what
                            && event.tier == Some(Tier::ENTERPRISE)
                        {
                            let since = |key| {
                                announced.get(key).map(|(enterprise, at): &(BodyId, Timestamp)| (enterprise.clone(), event.at.since(*at)))
                            };
                            signed.extend(keys.iter().filter_map(since));
                            cases.insert(event.case);
                        }
                    }
                    _ => {
                        let start: serde_json::Value = serde_json::from_slice(&row.bytes)?;
                        let down_since = start.get("down_since").and_then(serde_json::Value::as_i64);
                        stops.extend(down_since.map(|since| (Timestamp(since), row.at)));
                    }
                }
            }
            next = page.next;
        }
        acts.retain(|(_, act)| done.contains(&act.id));
        Ok((Self { acts, cases, times: MedianTimes::of(signed) }, stops))
    }
}

/// The enterprises whose tags were read.
fn positions(tags: &[TagId]) -> Vec<BodyId> {
    let mut bodies: Vec<BodyId> = tags.iter().map(|tag| tag.enterprise.clone()).collect();
    bodies.dedup();
    bodies.retain(|body| body.as_str() != SYSTEM_ENTERPRISE);
    bodies.sort();
    bodies.dedup();
    bodies
}

/// A bar of readings: its length is told once they are counted, and it stands at how many lie behind, unread ones included. A chunk that
/// is being passed counts by how far the runs have come in its time, and each of the four runs for a quarter: a short history has one
/// chunk of each tag, which all end with it, so that whole chunks would stand at nothing until everything is over. The time left is what
/// was needed so far, carried on.
pub(super) fn progress(quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        if let Some(seconds) = seconds_left(state.fraction(), state.elapsed().as_secs_f64()) {
            // What cannot be drawn is not missed.
            let _ = write!(out, "{:#}", HumanDuration(std::time::Duration::from_secs(seconds)));
        }
    };
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {percent} % {human_pos}/{human_len} {left}").expect("a valid template");
    ProgressBar::with_draw_target(None, target).with_style(style.with_key("left", left))
}

/// How long the rest takes at the pace so far; none before that is known.
fn seconds_left(done: f32, elapsed: f64) -> Option<u64> {
    let (done_min, elapsed_min) = TELLING;
    let done_part = f64::from(done);
    (done >= done_min && done < 1.0 && elapsed >= elapsed_min).then(|| (elapsed * (1.0 - done_part) / done_part).ceil() as u64)
}

/// Leaves the processor to the engine that asked, and tells it how far this is.
fn stand_back(bar: &ProgressBar) {
    // Where even that is not allowed it is as right as everybody.
    let _ = rustix::process::nice(19);
    let bar = bar.clone();
    std::thread::spawn(move || {
        while !bar.is_finished() {
            eprintln!("{}", bar.position() * 100 / bar.length().unwrap_or(0).max(1));
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    });
}

/// Keeps the curves of tags that differ, then of those that alarm.
fn keep_what_matters(traces: &mut BTreeMap<TagId, Trace>, comparison: &Comparison) {
    let differ = comparison.differences.iter().map(|difference| &difference.alarm().tag);
    let alarm = comparison.answered.1.episodes.iter().map(|episode| &episode.alarm.tag);
    let wanted: BTreeSet<&TagId> = differ.chain(alarm).take(TRACES_MAX).collect();
    traces.retain(|tag, _| wanted.contains(tag));
}

fn show(comparison: &Comparison, plant: &Plant, notes: &[String], seconds: f64) {
    println!("{} – {}", report::civil(comparison.from, plant), report::civil(comparison.to, plant));
    let (before, after) = (say("原来", "before"), say("试算", "tried"));
    let mut rows = table(["ISA-18.2 / EEMUA 191", before, after]);
    let old = report::figure_rows(&comparison.figures.0, lang());
    for ((name, old), (_, new)) in old.into_iter().zip(report::figure_rows(&comparison.figures.1, lang())) {
        rows.add_row([name, &old, &new]);
    }
    println!("{rows}");
    println!("{}", say("消息 / 其中语音电话", "messages / of them voice calls"));
    let answered = say("中位时间签收", "signed in median time");
    let unanswered = say("无人签收", "nobody answers");
    let mut rows = table(["", &format!("{answered}: {before}"), after, &format!("{unanswered}: {before}"), after]);
    let runs = runs(comparison);
    let people: BTreeSet<_> = runs.iter().flat_map(|run| run.people.keys()).collect();
    for id in people {
        let name = plant.person(id).map_or(id.as_str(), |person| person.name.as_str());
        let of = |run: &RunResult| run.people.get(id).copied().unwrap_or_default();
        let cells = runs.map(|run| format!("{} / {}", of(run).messages, of(run).calls));
        rows.add_row(std::iter::once(name.to_owned()).chain(cells));
    }
    let county = runs.map(|run| run.county.to_string());
    rows.add_row(std::iter::once(say("上报县局", "reach the county").to_owned()).chain(county));
    println!("{rows}");
    for difference in comparison.differences.iter().take(SHOWN_MAX) {
        println!("{}", difference_words(difference, plant));
    }
    let count = comparison.differences.len();
    if count > SHOWN_MAX {
        println!("… + {}", count - SHOWN_MAX);
    }
    println!("{}", report::tally_words(&Tally::of(&comparison.differences), lang()));
    for note in notes {
        println!("{note}");
    }
    println!("{seconds:.2} s");
}

fn runs(comparison: &Comparison) -> [&RunResult; 4] {
    [&comparison.answered.0, &comparison.answered.1, &comparison.unanswered.0, &comparison.unanswered.1]
}

pub(super) fn difference_words(difference: &Difference, plant: &Plant) -> String {
    let alarm = difference.alarm();
    let condition = say(alarm.condition.name_zh(), alarm.condition.name());
    let mark = match difference {
        Difference::Gained(_) | Difference::NewlyTold { .. } => "+",
        Difference::Lost(_) | Difference::NoLongerTold { .. } => "-",
        Difference::Moved { .. } | Difference::LevelChanged { .. } => "~",
    };
    let at = report::shown_at(difference).map_or_else(String::new, |at| report::civil(at, plant));
    format!("{mark} {at} {} {condition} {}", alarm.tag, report::what_differs(difference, lang()))
}

fn json(comparison: &Comparison, against: &Against, after: &Plant, notes: &[String], seconds: f64) -> serde_json::Value {
    let difference = |difference: &Difference| {
        let (old, new) = difference.sides();
        let minutes = old.zip(new).map(|(old, new)| later(old, new).as_secs_f64() / 60.0);
        let raised = |side: Option<&Episode>| side.map(|episode| episode.raised.as_millis());
        let level = |side: Option<&Episode>| side.map(|episode| episode.level);
        serde_json::json!({ "kind": difference.kind(), "tag": difference.alarm().tag.to_string(),
            "condition": difference.alarm().condition, "before": raised(old), "after": raised(new), "minutes_later": minutes,
            "level_before": level(old), "level_after": level(new) })
    };
    let people = |run: &RunResult| {
        serde_json::json!({ "people": run.people.iter().map(|(id, burden)| (id.to_string(), burden)).collect::<BTreeMap<_, _>>(),
            "county": run.county, "alarms": run.episodes.len(), "readings": run.readings, "left_out": run.left_out })
    };
    let Tally { gained, lost, moved, no_longer_told, newly_told, level_changed } = Tally::of(&comparison.differences);
    serde_json::json!({
        "from": comparison.from.as_millis(), "to": comparison.to.as_millis(), "seconds": seconds,
        "before": { "rules": against.plant.version, "source": against.source(), "figures": comparison.figures.0,
            "answered": people(&comparison.answered.0), "unanswered": people(&comparison.unanswered.0) },
        "after": { "rules": after.version, "figures": comparison.figures.1,
            "answered": people(&comparison.answered.1), "unanswered": people(&comparison.unanswered.1) },
        "gained": gained, "lost": lost, "moved": moved,
        "no_longer_told": no_longer_told, "newly_told": newly_told, "level_changed": level_changed,
        "differences": comparison.differences.iter().map(difference).collect::<Vec<_>>(), "notes": notes,
    })
}
