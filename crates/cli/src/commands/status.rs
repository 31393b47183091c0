//! `watchfire status`: what stands, from the store alone; works while the engine runs and when it does not.

use crate::lang::say;
use comfy_table::{Table, presets};
use journal::{OutboxFilter, Reader, SqliteReader};
use model::{Case, CaseTimer, Timestamp};
use std::path::PathBuf;
use std::process::ExitCode;

/// Newest messages looked through for those still to be sent.
const OUTBOX_ROWS: usize = 2_000;

/// Arguments of `watchfire status`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let reader = SqliteReader::open(&args.data)?;
    let cases: Vec<Case> = reader
        .state("escalation/case/")?
        .iter()
        .filter_map(|(_, bytes)| serde_json::from_slice::<serde_json::Value>(bytes).ok())
        .filter_map(|row| serde_json::from_value::<Case>(row.get("case").cloned().unwrap_or(row)).ok())
        .filter(|case| case.closed.is_none())
        .collect();
    let waiting = reader.outbox(&OutboxFilter::default(), OUTBOX_ROWS)?.into_iter().filter(|row| row.status.is_open()).count();
    let head = reader.head()?;
    let usage = reader.usage()?;
    if args.json {
        let list: Vec<_> = cases
            .iter()
            .map(|case| {
                serde_json::json!({ "id": case.id, "number": case.number, "enterprise": case.enterprise, "equipment": case.equipment,
                    "level": case.level, "step": case.step, "opened": case.opened.as_millis(), "next": next(case).map(|timer| timer.due.as_millis()) })
            })
            .collect();
        let report = serde_json::json!({ "cases": list, "messages_waiting": waiting, "journal_rows": head.seq, "head": head.hash.to_string(), "bytes": usage.bytes });
        println!("{report}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        say("单号", "case"),
        say("等级", "level"),
        say("企业", "enterprise"),
        say("设备", "equipment"),
        say("环节", "step"),
        say("下一时限", "next"),
    ]);
    for case in &cases {
        table.add_row([
            case.number.clone(),
            say(case.level.name_zh(), case.level.name()).to_owned(),
            case.enterprise.to_string(),
            case.equipment.to_string(),
            case.step.name().to_owned(),
            next(case).map_or_else(|| "-".to_owned(), |timer| civil(timer.due)),
        ]);
    }
    println!("{table}");
    println!(
        "{} {}, {} {}, {} {}, {:.1} MiB",
        cases.len(),
        say("件未办结", "open cases"),
        waiting,
        say("条消息待发", "messages waiting"),
        head.seq,
        say("行日志", "journal rows"),
        usage.bytes as f64 / f64::from(1 << 20)
    );
    Ok(ExitCode::SUCCESS)
}

fn next(case: &Case) -> Option<&CaseTimer> {
    case.timers.iter().min()
}

fn civil(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(
        |_| "?".to_owned(),
        |at| at.in_tz("Asia/Shanghai").map_or_else(|_| at.to_string(), |civil| civil.strftime("%m-%d %H:%M:%S").to_string()),
    )
}
