//! `watchfire replay`: lives a data folder again, from its history and the acts of its journal, and compares transition by transition.

use super::backtest::load;
use super::moment::instant;
use super::status::require_journal;
use crate::configurations::Kept;
use crate::engine::VERSIONS;
use crate::lang::{lang, say};
use anyhow::{Context, bail};
use config::{Lang, Server};
use console::VersionJson;
use indicatif::{ProgressBar, ProgressStyle};
use journal::history::{Gap, HistoryReader, Visit};
use journal::{ChainHash, EntryKind, KeptStart, Reader, Record, SqliteReader};
use model::{Act, Attempt, Duration, Plant, TagId, Timestamp, Transition};
use pipeline::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tuning::backtest::Taken;
use tuning::replay::{Difference, Fed, Recorded, Replay, Report};

/// Rows of the journal read in one go.
const PAGE: usize = 5_000;
/// A crash may lose as much of what says when a tag was first seen.
const FIRST_SEEN_WITHIN: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "Examples:
  watchfire replay --data /var/lib/watchfire
  watchfire replay --data /var/lib/watchfire --from 2026-03-01T00:00:00+08:00 --to 2026-03-02T00:00:00+08:00
  watchfire replay --data /var/lib/watchfire --state /backup/watchfire-2026-02-28 --from 2026-03-01T00:00:00+08:00
  watchfire replay --json | jq .first_difference

It starts at the folder's first row, or with --from on the nearest state before that: the engine keeps what each start took up, and --state
names copies of the folder made while the engine was stopped. Before --from it lives everything and compares nothing. It takes up each
configuration where the journal says that it came into force. Nobody can live through a recorded gap of the history, such as a crash
leaves: it goes on with the next start, and says which stretches were compared and which gaps lie between. It only reads, and may run
beside the engine.

Exit status: 0 every transition is the same byte for byte, 1 one is not, 2 could not run, or not over the span asked for.";

/// Arguments of `watchfire replay`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// A configuration folder that was in force, for one that the data folder keeps no more; may be given more than once
    #[arg(long, env = "WATCHFIRE_CONFIG", value_name = "DIR")]
    config: Vec<PathBuf>,
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

/// Why a stretch ends before the end.
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
    let asked = (args.from.as_deref().map(instant).transpose()?, args.to.as_deref().map(instant).transpose()?);
    let journal = SqliteReader::open(&args.data)?;
    let mut given = Vec::new();
    for folder in &args.config {
        match load(folder) {
            Some(plant) => given.push(plant),
            None => return Ok(ExitCode::from(1)),
        }
    }
    let configurations = Configurations::of(&args.data, &journal, given)?;
    let Some(reader) = HistoryReader::open(&args.data)? else {
        bail!("{}: {}", args.data.display(), say("没有读数历史", "no history of readings"));
    };
    let (first, last) = reader.span()?.with_context(|| say("历史里还没有读数", "the history holds no readings yet"))?;
    let readings_from = readings_from(&journal, first, last - configurations.readings_kept())?;
    let mut origins = Origins::of(args, &journal, readings_from)?;
    // A running engine's history is a little behind its journal; a stopped one's is whole.
    let whole = newest(&journal)?.filter(is_stop).map_or(last, |stop| stop.at + Duration::from_micros(1));
    let mut origin = origins.first(asked.0, !args.state.is_empty())?;
    let wanted = (asked.0.map_or(origin.begin, |from| from.max(origin.begin)), asked.1.map_or(whole, |to| to.min(whole)));
    let mut lives = Lives { tags: reader.tags()?, reader, journal: &journal, configurations, wanted, is_quiet: args.json };
    let mut compared = Compared { wanted, is_asked: asked.0.is_some() || asked.1.is_some(), ..Compared::default() };
    loop {
        let (stretch, ended_by) = lives.live(origin)?;
        let has_parted = stretch.report.first_difference.is_some();
        compared.stretches.push(stretch);
        match ended_by {
            // Behind it the next start that took up a state is lived on.
            Some(EndedBy::Gap(gap)) if !has_parted => match origins.behind(gap.to)?.filter(|next| next.begin < wanted.1) {
                Some(next) => {
                    compared.gaps.push((gap, next.begin));
                    origin = next;
                }
                None => {
                    compared.ended_by = Some(EndedBy::Gap(gap));
                    break;
                }
            },
            ended_by => {
                compared.ended_by = ended_by;
                break;
            }
        }
    }
    compared.unreadable = origins.unreadable;
    compared.stretches.retain(|stretch| stretch.from < stretch.to);
    compared.gaps.retain(|(gap, _)| gap.to > wanted.0);
    if args.json {
        println!("{}", compared.json());
    } else {
        println!("{}", compared.words());
    }
    Ok(compared.exit())
}

fn newest(journal: &SqliteReader) -> anyhow::Result<Option<Record>> {
    Ok(journal.newest(&[], None, 1)?.rows.into_iter().next())
}

/// Since when the history has every reading: `kept_from`, unless everything since the first reading ever is still there.
fn readings_from(journal: &SqliteReader, first: Timestamp, kept_from: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let rows = journal.soft(crate::engine::POINTS)?;
    let seen = rows.iter().filter_map(|(_, bytes)| Some(serde_json::from_slice::<crate::engine::PointRow>(bytes).ok()?.first_seen)).min();
    Ok(seen.filter(|seen| *seen + FIRST_SEEN_WITHIN < first).map(|_| first.max(kept_from)))
}

/// Where a life can begin.
struct Origin {
    place: Place,
    /// The last row of the journal it stands on.
    seq: u64,
    /// When its engine started.
    begin: Timestamp,
    /// Hard and soft rows.
    rows: (Vec<Row>, Vec<Row>),
}

enum Place {
    /// Nothing was known.
    Beginning,
    /// A copy of the folder, made while its engine was stopped.
    Copy(PathBuf),
    /// The engine kept what it took up.
    Start,
}

/// Where it may turn out that one can.
struct Candidate {
    /// The newest `now` it stands on.
    at: Timestamp,
    seq: u64,
    begin: Timestamp,
    source: Source,
}

enum Source {
    Copy(PathBuf),
    Kept(KeptStart),
}

struct Origins<'j> {
    journal: &'j SqliteReader,
    readings_from: Option<Timestamp>,
    /// In the order in which the engine started on them.
    candidates: Vec<Candidate>,
    /// When the starts were whose state cannot be read, and why.
    unreadable: Vec<(Timestamp, String)>,
}

impl<'j> Origins<'j> {
    fn of(args: &Args, journal: &'j SqliteReader, readings_from: Option<Timestamp>) -> anyhow::Result<Self> {
        let mut origins = Self { journal, readings_from, candidates: Vec::new(), unreadable: Vec::new() };
        for folder in &args.state {
            origins.add_copy(folder)?;
        }
        for kept in journal::kept_starts(&args.data)? {
            origins.add(kept.at, kept.seq, Source::Kept(kept))?;
        }
        origins.candidates.sort_by_key(|candidate| candidate.begin);
        Ok(origins)
    }

    fn add_copy(&mut self, folder: &Path) -> anyhow::Result<()> {
        require_journal(folder)?;
        let copy = SqliteReader::open(folder)?;
        let (head, place) = (copy.head()?, folder.display());
        let Some(stop) = newest(&copy)?.filter(is_stop) else {
            bail!("{place}: {}", say("引擎没有停下,不能作起点", "its engine had not stopped, so it is no state to start on"));
        };
        if !self.continues(head.seq, head.hash)? {
            bail!("{place}: {}", say("不是这个数据目录以前的样子", "is not what this data folder was before"));
        }
        self.add(stop.at, head.seq, Source::Copy(folder.to_owned()))
    }

    /// Adds it where the journal has all that followed, and the history every reading.
    fn add(&mut self, at: Timestamp, seq: u64, source: Source) -> anyhow::Result<()> {
        let begin = self.journal.entries(&[], seq + 1, 1)?.rows.first().filter(|row| row.seq == seq + 1).map(|row| row.at);
        if let Some(begin) = begin.filter(|begin| self.readings_from.is_none_or(|from| from <= *begin)) {
            self.candidates.push(Candidate { at, seq, begin, source });
        }
        Ok(())
    }

    /// Whether the journal has this row.
    fn continues(&self, seq: u64, hash: ChainHash) -> anyhow::Result<bool> {
        let rows = self.journal.entries(&[], seq, 1)?.rows;
        Ok(seq == 0 || rows.first().is_some_and(|row| (row.seq, row.hash) == (seq, hash)))
    }

    /// The newest that is no later than `from`; without that, the newest copy that was named, or else the earliest of all.
    fn first(&mut self, from: Option<Timestamp>, has_copies: bool) -> anyhow::Result<Origin> {
        let is_copy = |candidate: &Candidate| matches!(candidate.source, Source::Copy(_));
        let fits = |candidate: &Candidate| from.map_or_else(|| has_copies && is_copy(candidate), |from| candidate.at <= from);
        while let Some(at) = self.candidates.iter().rposition(fits) {
            if let Some(origin) = self.load(at)? {
                return Ok(origin);
            }
        }
        if self.readings_from.is_none() {
            return self.beginning();
        }
        let earliest = match from {
            None => self.behind(Timestamp::MIN)?,
            Some(_) => None,
        };
        earliest.with_context(|| self.no_beginning())
    }

    /// The next that began no earlier than `at`.
    fn behind(&mut self, at: Timestamp) -> anyhow::Result<Option<Origin>> {
        while let Some(next) = self.candidates.iter().position(|candidate| candidate.begin >= at) {
            if let Some(origin) = self.load(next)? {
                return Ok(Some(origin));
            }
        }
        Ok(None)
    }

    fn beginning(&self) -> anyhow::Result<Origin> {
        let first = self.journal.entries(&[], 0, 1)?.rows.into_iter().next();
        let first = first.with_context(|| say("日志是空的", "the journal is empty"))?;
        if first.seq > 1 {
            // What stood at its first row nobody knows any more.
            let (zh, en) = ("日志的开头已过保留期", "the journal's beginning is past its retention");
            bail!("{}: {}", say(zh, en), self.no_beginning());
        }
        Ok(Origin { place: Place::Beginning, seq: 0, begin: first.at, rows: Default::default() })
    }

    /// Takes a candidate and reads its rows; none where they cannot be read.
    fn load(&mut self, at: usize) -> anyhow::Result<Option<Origin>> {
        let Candidate { seq, begin, source, .. } = self.candidates.remove(at);
        let (place, rows) = match source {
            Source::Copy(folder) => {
                let copy = SqliteReader::open(&folder)?;
                let rows = (copy.state("")?, copy.soft("")?);
                (Place::Copy(folder), rows)
            }
            Source::Kept(kept) => {
                let why = match kept.read() {
                    Ok(state) if self.continues(seq, state.hash)? => {
                        return Ok(Some(Origin { place: Place::Start, seq, begin, rows: (state.hard, state.soft) }));
                    }
                    Ok(_) => say("不是这个日志的", "it is of another journal").to_owned(),
                    Err(error) => error.to_string(),
                };
                self.unreadable.push((begin, why));
                return Ok(None);
            }
        };
        Ok(Some(Origin { place, seq, begin, rows }))
    }

    fn no_beginning(&self) -> String {
        let (zh, en) = ("最早的读数已过保留期", "the earliest readings are past their retention");
        let earliest = self.candidates.first().map(|candidate| civil(candidate.begin));
        match (lang(), earliest) {
            (Lang::Zh, Some(earliest)) => {
                format!("{zh},从头重放不了;最早的起点是 {earliest} 的启动(--from 不能更早),或用 --state 指定停机时做的备份")
            }
            (Lang::Zh, None) => format!("{zh},从头重放不了,也没有可作起点的启动;用 --state 指定停机时做的备份"),
            (Lang::En, Some(earliest)) => format!(
                "{en}, so it cannot start at the beginning; the earliest state to start on is that of the start at {earliest}, which --from \
                 must not precede, or name a backup with --state"
            ),
            (Lang::En, None) => {
                format!("{en}, so it cannot start at the beginning, and no start is kept to begin with; name a backup with --state")
            }
        }
    }
}

/// A state that is passed over.
fn unreadable(begin: Timestamp, why: &str) -> String {
    let begin = civil(begin);
    match lang() {
        Lang::Zh => format!("注意:{begin} 启动时留存的状态不能用({why}),跳过它"),
        Lang::En => format!("note: the state kept of the start at {begin} cannot be used ({why}) and is passed over"),
    }
}

/// What is needed to live one stretch after the other.
struct Lives<'j> {
    journal: &'j SqliteReader,
    reader: HistoryReader,
    tags: Vec<TagId>,
    configurations: Configurations,
    /// What is to be compared.
    wanted: (Timestamp, Timestamp),
    is_quiet: bool,
}

impl Lives<'_> {
    /// Lives from an origin up to the first gap of the history, or to the end.
    fn live(&mut self, origin: Origin) -> anyhow::Result<(Stretch, Option<EndedBy>)> {
        let Origin { place, seq, begin, rows } = origin;
        let from = self.wanted.0.max(begin);
        let gap = self.reader.gaps(begin, self.wanted.1)?.into_iter().find(|gap| gap.from >= begin || gap.to > begin);
        let until = gap.map_or(self.wanted.1, |gap| gap.from.min(self.wanted.1));
        let journaled = Journaled::read(self.journal, seq + 1, until, &mut self.configurations)?;
        let Some((_, Fed::Start { plant, .. })) = journaled.fed.first().cloned() else { return Err(journaled.cannot_begin()) };
        let unknown = journaled.unknown_rules.map(|(rules, at)| EndedBy::UnknownRules(rules, at));
        let ended_by = gap.map(EndedBy::Gap).into_iter().chain(unknown).filter(|end| end.at() < self.wanted.1).min_by_key(EndedBy::at);
        let to = ended_by.as_ref().map_or(self.wanted.1, EndedBy::at);

        let mut replay = Replay::new(plant, &self.tags, journaled.transitions, rows, (begin, from));
        let mut fed = journaled.fed.into_iter().filter(|(at, _)| *at < to).peekable();
        let bar = bar(self.is_quiet, begin, to);
        self.reader.merged::<anyhow::Error>(&self.tags, begin, to, |row| {
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
        Ok((Stretch { place, begin, from, to, report }, ended_by))
    }
}

/// The configurations that were in force, by their rules.
struct Configurations {
    kept: Kept,
    versions: Vec<VersionJson>,
    given: Vec<Arc<Plant>>,
    loaded: BTreeMap<String, Option<Arc<Plant>>>,
}

impl Configurations {
    fn of(data: &Path, journal: &SqliteReader, given: Vec<Arc<Plant>>) -> anyhow::Result<Self> {
        let rows = journal.state(VERSIONS)?;
        let versions = rows.first().map(|(_, bytes)| serde_json::from_slice(bytes)).transpose()?.unwrap_or_default();
        Ok(Self { kept: Kept::of(data), versions, given, loaded: BTreeMap::new() })
    }

    /// How long readings are kept, by the newest configuration.
    fn readings_kept(&self) -> Duration {
        let newest = self.versions.last().and_then(|version| self.kept.files(&version.version));
        let loaded = newest.and_then(|files| tuning::scenario::load(&files).ok());
        loaded.map_or_else(Server::default, |loaded| loaded.server).history.readings
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
        plant.into_iter().chain(self.given.iter().cloned()).find(|plant| plant.version.as_str() == rules)
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
    /// From row `first` on, up to the first of `until` or later.
    fn read(journal: &SqliteReader, first: u64, until: Timestamp, configurations: &mut Configurations) -> anyhow::Result<Self> {
        let kinds = [EntryKind::Act, EntryKind::Attempt, EntryKind::Transition, EntryKind::Config, EntryKind::System];
        let mut read = Self { fed: Vec::new(), transitions: Vec::new(), unknown_rules: None };
        let mut next = Some(first);
        while let Some(from) = next {
            let page = journal.entries(&kinds, from, PAGE)?;
            for row in page.rows {
                if row.at >= until && !read.fed.is_empty() {
                    return Ok(read);
                }
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

/// A moment as `--from` takes it, in China's civil time like everything else.
fn civil(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.display_with_offset(jiff::tz::offset(8)).to_string())
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

/// What was compared without a break.
struct Stretch {
    place: Place,
    /// When it begins to live; it compares from `from` on.
    begin: Timestamp,
    from: Timestamp,
    to: Timestamp,
    report: Report,
}

impl Stretch {
    /// Something happened in it.
    fn is_anything(&self) -> bool {
        self.report.readings > 0 || self.report.same > 0 || self.report.first_difference.is_some()
    }

    fn json(&self) -> serde_json::Value {
        let Report { same, readings, .. } = &self.report;
        let state = match &self.place {
            Place::Beginning => None,
            Place::Copy(folder) => Some(folder.display().to_string()),
            Place::Start => Some("start".to_owned()),
        };
        serde_json::json!({ "begin": self.begin.as_millis(), "state": state, "from": self.from.as_millis(), "to": self.to.as_millis(),
            "same": same, "readings": readings })
    }

    fn words(&self) -> [String; 2] {
        let Report { same, readings, .. } = &self.report;
        let (from, to, begin) = (civil(self.from), civil(self.to), civil(self.begin));
        let place = match &self.place {
            Place::Beginning => say("数据的开头", "the folder's beginning").to_owned(),
            Place::Copy(folder) => folder.display().to_string(),
            Place::Start => say("引擎启动时留存的状态", "the state that a start of the engine took up").to_owned(),
        };
        match lang() {
            Lang::Zh => [format!("比较了 {from} 到 {to},起点:{place}({begin})"), format!("{readings} 个读数,{same} 次报警变化逐字节一致")],
            Lang::En => [
                format!("compared {from} to {to}, started at {place} ({begin})"),
                format!("{readings} readings, {same} transitions the same byte for byte"),
            ],
        }
    }
}

/// The outcome.
#[derive(Default)]
struct Compared {
    wanted: (Timestamp, Timestamp),
    /// Somebody asked for just this span.
    is_asked: bool,
    stretches: Vec<Stretch>,
    /// Between them, each with when the next one begins.
    gaps: Vec<(Gap, Timestamp)>,
    /// Why the last one ends before the end.
    ended_by: Option<EndedBy>,
    /// When the starts were whose state cannot be read, and why.
    unreadable: Vec<(Timestamp, String)>,
}

impl Compared {
    fn is_anything(&self) -> bool {
        self.stretches.iter().any(Stretch::is_anything)
    }

    /// Less was compared than was asked for.
    fn is_cut(&self) -> bool {
        let is_whole = matches!(&self.stretches[..], [one] if (one.from, one.to) == self.wanted);
        matches!(self.ended_by, Some(EndedBy::UnknownRules(..))) || self.is_asked && !is_whole
    }

    fn first_difference(&self) -> Option<&Difference> {
        self.stretches.iter().find_map(|stretch| stretch.report.first_difference.as_ref())
    }

    fn exit(&self) -> ExitCode {
        match self.first_difference() {
            Some(_) => ExitCode::from(1),
            None if self.is_cut() || !self.is_anything() => ExitCode::from(2),
            None => ExitCode::SUCCESS,
        }
    }

    fn json(&self) -> serde_json::Value {
        let difference = self.first_difference();
        let gap = |(gap, next): &(Gap, Timestamp)| serde_json::json!({ "from": gap.from.as_millis(), "to": gap.to.as_millis(), "why": gap.why.name(), "next": next.as_millis() });
        let gaps: Vec<_> = self.gaps.iter().map(gap).collect();
        serde_json::json!({ "ok": difference.is_none() && self.is_anything() && !self.is_cut(),
            "same": self.stretches.iter().map(|stretch| stretch.report.same).sum::<usize>(),
            "readings": self.stretches.iter().map(|stretch| stretch.report.readings).sum::<u64>(),
            "from": self.wanted.0.as_millis(), "to": self.stretches.last().map_or(self.wanted.0, |last| last.to).as_millis(),
            "stretches": self.stretches.iter().map(Stretch::json).collect::<Vec<_>>(), "gaps": gaps,
            "unreadable_starts": self.unreadable.iter().map(|(at, _)| at.as_millis()).collect::<Vec<_>>(),
            "ended_by": self.ended_by.as_ref().map(EndedBy::name), "first_difference": difference })
    }

    fn words(&self) -> String {
        let mut lines: Vec<String> = self.unreadable.iter().map(|(begin, why)| unreadable(*begin, why)).collect();
        let mut gaps = self.gaps.iter().peekable();
        for stretch in self.stretches.iter().filter(|stretch| stretch.is_anything()) {
            while let Some((gap, _)) = gaps.next_if(|(_, next)| *next <= stretch.begin) {
                lines.push(not_compared(gap));
            }
            lines.extend(stretch.words());
        }
        lines.extend(gaps.map(|(gap, _)| not_compared(gap)));
        if !self.is_anything() {
            lines.push(
                say("什么也没有比较:这段时间里没有可比的", "nothing was compared: there is nothing to compare in this span").to_owned(),
            );
        }
        if let Some(difference) = self.first_difference() {
            let nothing = || say("没有", "nothing").to_owned();
            lines.push(say("第一处不同:", "the first that differs:").to_owned());
            lines.push(format!("  {} {}", say("日志", "journal"), difference.recorded.clone().unwrap_or_else(nothing)));
            lines.push(format!("  {} {}", say("重放", "replay "), difference.replayed.clone().unwrap_or_else(nothing)));
        }
        lines.extend(self.ended_by.as_ref().map(EndedBy::words));
        lines.join("\n")
    }
}

fn not_compared(gap: &Gap) -> String {
    let (why, from, to) = (say(gap.why.name_zh(), gap.why.name()), civil(gap.from), civil(gap.to));
    match lang() {
        Lang::Zh => format!("历史的缺口,没有比较:{why} {from} – {to}"),
        Lang::En => format!("a recorded gap of the history, not compared: {why} {from} – {to}"),
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
