//! `watchfire verify`: walks the journal's hash chain.

use super::status::{civil, require_journal};
use crate::clock::Scale;
use crate::lang::{lang, say};
use anyhow::Context;
use config::Lang;
use indicatif::{ProgressBar, ProgressStyle};
use journal::{Anchor, Outside, VerifyReport};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire verify                                 the folder watchfire-data
  watchfire verify --data /var/lib/watchfire
  watchfire verify --json | jq -r .head            the hash to write down elsewhere
  watchfire verify --anchor kept/journal.head      against a copy of the anchor that was kept elsewhere

It only reads, and may run beside the engine. A chain that is whole shows that nobody edited single rows; whether all of it was
computed anew shows only in a comparison with an anchor (`journal.head` of the data folder) kept elsewhere. Where rows are past their
retention the journal begins later, and a row of the chain says so; without it the beginning was cut off.

Exit status: 0 unbroken, 1 broken, 2 could not run.";

/// Arguments of `watchfire verify`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Compare also with this copy of the anchor `journal.head`; may be given several times
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
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
    let anchors = args.anchor.iter().map(|file| read_anchor(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let outside = Outside { anchors, now: Scale::REAL.wall() };
    let report = journal::verify(&args.data, &outside, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if args.json {
        let bad = report.first_bad.as_ref().map(|bad| serde_json::json!({ "seq": bad.seq, "why": bad.why.name() }));
        let json = serde_json::json!({
            "ok": report.is_intact(), "first": report.first,
            "past": report.past.map(|(newest, at)| serde_json::json!({ "newest": newest, "announced": at })), "rows": report.rows, "head": report.head.to_string(), "first_bad": bad,
            "indexes_intact": report.indexes_intact, "guards_intact": report.guards_intact, "anchors": report.anchors,
            "anchors_past": report.anchors_past, "commits_ahead": ahead,
        });
        println!("{json}");
    } else {
        println!("{}", words(&report));
    }
    Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn read_anchor(file: &Path) -> anyhow::Result<Anchor> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let what = say(
        "不是锚点文件:应为数据目录里 journal.head 的副本(名称、行号、哈希、时间,各一行)",
        "is no anchor: expected a copy of `journal.head` of a data folder (a line each: what it is, the row, its hash, its time)",
    );
    Anchor::parse(&text).with_context(|| format!("{}: {what}", file.display()))
}

fn words(report: &VerifyReport) -> String {
    let VerifyReport { first, past, rows, head, anchors, anchors_past, .. } = report;
    let mut lines = Vec::new();
    match (&report.first_bad, lang()) {
        (Some(bad), Lang::Zh) => lines.push(format!("链条断在第 {} 行:{}", bad.seq, bad.why)),
        (Some(bad), Lang::En) => lines.push(format!("the chain breaks at row {}: {}", bad.seq, bad.why)),
        (None, Lang::Zh) => lines.push(format!("链条完好:{rows} 行,与 {anchors} 个锚点一致\n链头 {head}")),
        (None, Lang::En) => lines.push(format!("the chain is unbroken: {rows} rows, in agreement with {anchors} anchors\nhead {head}")),
    }
    // Where it breaks nothing of this is known.
    if let (Some((newest, at)), None) = (past, &report.first_bad) {
        let (newest, at) = (civil(*newest), civil(*at));
        let zh = format!("从第 {first} 行开始:之前的(到 {newest})已过保留期,{at} 的公告如此说");
        let en = format!("it begins at row {first}: those before (up to {newest}) are past their retention, as a row of {at} says");
        lines.push(say(&zh, &en).to_owned());
    }
    if *anchors_past > 0 {
        let zh = format!("{anchors_past} 个锚点早于现存的第一行,无从比较");
        let en = format!("{anchors_past} anchors are of rows before the first: nothing to compare them with");
        lines.push(say(&zh, &en).to_owned());
    }
    if !report.indexes_intact {
        lines.push(say("索引不完整:时间线可能缺行", "an index is incomplete: timelines may lack rows").to_owned());
    }
    if !report.guards_intact {
        lines.push(say("禁止修改日志的触发器被改动过", "the triggers that refuse edits were changed").to_owned());
    }
    lines.join("\n")
}
