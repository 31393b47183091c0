//! `watchfire status`: what stands, from the store alone; works while the engine runs and when it does not.

use crate::lang::{lang, say, table};
use anyhow::{Context, bail};
use config::Lang;
use journal::{OutboxFilter, Reader, SqliteReader};
use model::{AlarmState, Case, CaseStep, CaseTimer, EpisodeRef, Level, Timestamp, Window};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Messages asked for at once.
const OUTBOX_PAGE: usize = 1_000;
/// Newest messages looked through for those still to be sent.
const OUTBOX_ROWS_MAX: usize = 100_000;

const EXAMPLES: &str = "Examples:
  watchfire status                                 the folder watchfire-data
  watchfire status --data /var/lib/watchfire
  watchfire status --points                        per tag: first seen, last value, limits seen to work
  watchfire status --points --wide | less -S       every column of it on a narrow terminal
  watchfire status --json | jq '.cases[] | select(.level == \"red\")'

It reads the store alone and may run beside the engine. Times in JSON are milliseconds since 1970 (UTC).

Exit status: 0 shown, 2 could not run.";

/// Arguments of `watchfire status`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    /// List per tag when it was first seen, its last value and range, and which limits have been seen to work
    #[arg(long)]
    points: bool,
    /// With --points, every column whatever the width of the terminal
    #[arg(long, requires = "points")]
    wide: bool,
    /// The configuration folder, for --points
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
}

/// A row of an alarm that is not normal.
#[derive(Deserialize)]
struct AlarmRow {
    of: EpisodeRef,
    level: Level,
    state: AlarmState,
}

/// A running engine has its commits in the database within this.
const FOLLOWS_WITHIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Says plainly that there is nothing to read yet, and which option names another folder; and on stderr, what stands there that cannot
/// be read yet. Gives how many commits that are.
pub(super) fn require_journal(data: &Path) -> anyhow::Result<usize> {
    if SqliteReader::exists(data) {
        let mut ahead = journal::commits_ahead(data)?;
        if ahead > 0 {
            std::thread::sleep(FOLLOWS_WITHIN);
            ahead = ahead.min(journal::commits_ahead(data)?);
        }
        if ahead > 0 {
            let zh = format!("注意:另有 {ahead} 次提交已落盘、尚未并入数据库,这里看不到;引擎下次启动时并入");
            let en = format!(
                "note: {ahead} more commits are on the disk and not in the database, and are not shown here; the engine's next start takes them up"
            );
            eprintln!("{}", say(&zh, &en));
        }
        return Ok(ahead);
    }
    let folder = data.display();
    let zh = format!("{folder} 里没有数据:引擎还没在这里运行过;用 --data 指定引擎的数据目录");
    let en = format!("{folder} holds no data: no engine has run there; name the engine's folder with --data");
    bail!("{}", say(&zh, &en))
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    require_journal(&args.data)?;
    if args.points {
        return super::points::run(&args.data, &args.config, args.json, args.wide);
    }
    let reader = SqliteReader::open(&args.data)?;
    // A case's row holds more, which is the escalation's own.
    let mut cases: Vec<Case> = rows(&reader, "escalation/case/")?;
    cases.retain(|case| case.closed.is_none());
    cases.sort_by(|a, b| (b.level, a.opened, &a.id).cmp(&(a.level, b.opened, &b.id)));
    let mut alarms: Vec<AlarmRow> = rows(&reader, "escalation/input/")?;
    alarms.retain(|alarm| alarm.state.is_standing() || alarm.state.needs_acknowledgement());
    alarms.sort_by(|a, b| (b.level, &a.of.alarm).cmp(&(a.level, &b.of.alarm)));
    let waiting = messages_waiting(&reader)?;
    let mut windows: Vec<Window> = rows(&reader, "escalation/window/")?;
    windows.sort_by_key(|window| window.until);
    let (head, usage) = (reader.head()?, reader.usage()?);
    let rows_kept = (head.seq + 1).saturating_sub(reader.oldest(1)?.first().map_or(1, |row| row.seq));
    if args.json {
        let report = serde_json::json!({
            "cases": cases.iter().map(case_json).collect::<Vec<_>>(),
            "alarms": alarms.iter().map(alarm_json).collect::<Vec<_>>(),
            "windows": windows, "messages_waiting": waiting, "journal_rows": rows_kept, "head": head.hash.to_string(), "bytes": usage.bytes,
        });
        println!("{report}");
        return Ok(ExitCode::SUCCESS);
    }
    if !cases.is_empty() {
        println!("{}", case_table(&cases));
    }
    if !windows.is_empty() {
        println!("{}", window_table(&windows));
    }
    let (open, standing, rows, mebibytes) = (cases.len(), alarms.len(), rows_kept, usage.bytes as f64 / f64::from(1 << 20));
    println!(
        "{}",
        match lang() {
            Lang::Zh => format!("{open} 件未办结,{standing} 个报警未恢复或未确认,{waiting} 条消息待发,{rows} 行日志,{mebibytes:.1} MiB"),
            Lang::En => format!(
                "{open} open cases, {standing} alarms standing or unacknowledged, {waiting} messages waiting, {rows} journal rows, \
                 {mebibytes:.1} MiB"
            ),
        }
    );
    Ok(ExitCode::SUCCESS)
}

/// A row that cannot be read is an error: a status that leaves it out would say less stands than does.
fn rows<T: DeserializeOwned>(reader: &SqliteReader, prefix: &str) -> anyhow::Result<Vec<T>> {
    let rows = reader.state(prefix)?;
    rows.iter().map(|(key, bytes)| serde_json::from_slice(bytes).with_context(|| format!("state row `{key}` cannot be read"))).collect()
}

fn messages_waiting(reader: &SqliteReader) -> anyhow::Result<usize> {
    let (mut waiting, mut seen, mut filter) = (0, 0, OutboxFilter::default());
    while seen < OUTBOX_ROWS_MAX {
        let page = reader.outbox(&filter, OUTBOX_PAGE)?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.position);
        seen += page.len();
        waiting += page.iter().filter(|row| row.status.is_open()).count();
    }
    Ok(waiting)
}

fn case_json(case: &Case) -> serde_json::Value {
    serde_json::json!({
        "id": case.id, "number": case.number, "enterprise": case.enterprise, "equipment": case.equipment, "level": case.level,
        "step": case.step, "opened": case.opened.as_millis(), "handle_by": case.handle_by.map(Timestamp::as_millis),
        "announcements": case.announcements.len(), "next": next(case).map(|timer| timer.due.as_millis()),
    })
}

fn alarm_json(alarm: &AlarmRow) -> serde_json::Value {
    let id = &alarm.of.alarm;
    serde_json::json!({ "tag": id.tag.to_string(), "condition": id.condition, "level": alarm.level, "state": alarm.state,
        "since": alarm.of.episode.since.as_millis() })
}

fn case_table(cases: &[Case]) -> comfy_table::Table {
    let mut rows = table([
        say("单号", "case"),
        say("等级", "level"),
        say("企业", "enterprise"),
        say("设备", "equipment"),
        say("环节", "step"),
        say("下一时限", "next"),
    ]);
    for case in cases {
        rows.add_row([
            case.number.clone(),
            say(case.level.name_zh(), case.level.name()).to_owned(),
            case.enterprise.to_string(),
            case.equipment.to_string(),
            say(step_zh(case.step), case.step.name()).to_owned(),
            next(case).map_or_else(|| "-".to_owned(), |timer| civil(timer.due)),
        ]);
    }
    rows
}

/// What is shelved, out of service or under test: who answers for it, until when, and what it has held back.
fn window_table(windows: &[Window]) -> comfy_table::Table {
    let mut rows = table([
        say("类别", "window"),
        say("企业", "enterprise"),
        say("责任人", "owner"),
        say("原因", "reason"),
        say("到", "until"),
        say("拦下", "held"),
        say("生效", "in force"),
    ]);
    for window in windows {
        rows.add_row([
            say(window.kind.name_zh(), window.kind.name()).to_owned(),
            window.enterprise.to_string(),
            window.owner.to_string(),
            window.reason.clone(),
            civil(window.until),
            window.held.to_string(),
            if window.in_force() { say("是", "yes") } else { say("待确认", "to be confirmed") }.to_owned(),
        ]);
    }
    rows
}

const fn step_zh(step: CaseStep) -> &'static str {
    match step {
        CaseStep::Opened => "已立单",
        CaseStep::Notified => "已通知",
        CaseStep::Accepted => "已签收",
        CaseStep::Checked => "已核实",
        CaseStep::Handling => "处置中",
        CaseStep::Reported => "已反馈",
        CaseStep::Reviewed => "已复核",
        CaseStep::Returned => "已退回",
        CaseStep::Closed => "已办结",
    }
}

fn next(case: &Case) -> Option<&CaseTimer> {
    case.timers.iter().min()
}

/// The same where room is scarce.
pub(super) fn civil_short(at: Timestamp) -> String {
    let text = civil(at);
    text.strip_suffix(" +08:00").map_or_else(|| text.clone(), str::to_owned)
}

/// In China's civil time, which the text says: the store knows no plant.
pub(super) fn civil(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map_or_else(|_| "?".to_owned(), |at| jiff::tz::offset(8).to_datetime(at).strftime("%m-%d %H:%M:%S +08:00").to_string())
}
