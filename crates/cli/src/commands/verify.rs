//! `watchfire verify`: walks the journal's hash chain.

use super::status::require_journal;
use crate::lang::{lang, say};
use config::Lang;
use indicatif::{ProgressBar, ProgressStyle};
use journal::VerifyReport;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire verify                                 the folder watchfire-data
  watchfire verify --data /var/lib/watchfire
  watchfire verify --json | jq -r .head            the hash to write down elsewhere

It only reads, and may run beside the engine. A chain that is whole shows that nobody edited single rows; whether all of it was
computed anew shows only in a comparison with a hash kept elsewhere.

Exit status: 0 unbroken, 1 broken, 2 could not run.";

/// Arguments of `watchfire verify`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let ahead = require_journal(&args.data)?;
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}").expect("a valid template");
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new(0).with_style(style) };
    let report = journal::verify(&args.data, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if args.json {
        let bad = report.first_bad.as_ref().map(|bad| serde_json::json!({ "seq": bad.seq, "why": bad.why.name() }));
        let json = serde_json::json!({
            "ok": report.is_intact(), "rows": report.rows, "head": report.head.to_string(), "first_bad": bad,
            "indexes_intact": report.indexes_intact, "guards_intact": report.guards_intact, "anchors": report.anchors,
            "commits_ahead": ahead,
        });
        println!("{json}");
    } else {
        println!("{}", words(&report));
    }
    Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn words(report: &VerifyReport) -> String {
    let VerifyReport { rows, head, anchors, .. } = report;
    let mut lines = Vec::new();
    match (&report.first_bad, lang()) {
        (Some(bad), Lang::Zh) => lines.push(format!("链条断在第 {} 行:{}", bad.seq, bad.why)),
        (Some(bad), Lang::En) => lines.push(format!("the chain breaks at row {}: {}", bad.seq, bad.why)),
        (None, Lang::Zh) => lines.push(format!("链条完好:{rows} 行,与 {anchors} 个锚点一致\n链头 {head}")),
        (None, Lang::En) => lines.push(format!("the chain is unbroken: {rows} rows, in agreement with {anchors} anchors\nhead {head}")),
    }
    if !report.indexes_intact {
        lines.push(say("索引不完整:时间线可能缺行", "an index is incomplete: timelines may lack rows").to_owned());
    }
    if !report.guards_intact {
        lines.push(say("禁止修改日志的触发器被改动过", "the triggers that refuse edits were changed").to_owned());
    }
    lines.join("\n")
}
