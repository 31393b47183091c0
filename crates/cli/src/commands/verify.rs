//! `watchfire verify`: walks the journal's hash chain.

use crate::lang::say;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `watchfire verify`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The data folder
    #[arg(long, default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}").expect("a valid template");
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new(0).with_style(style) };
    let report = journal::verify(&args.data, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if args.json {
        let bad = report.first_bad.as_ref().map(|bad| serde_json::json!({ "seq": bad.seq, "why": bad.why.to_string() }));
        println!("{}", serde_json::json!({ "rows": report.rows, "head": report.head.to_string(), "first_bad": bad }));
    } else {
        match &report.first_bad {
            Some(bad) => println!("{} {}: {}", say("链条断在第", "the chain breaks at row"), bad.seq, bad.why),
            None => println!("{}: {} {}, {} {}", say("完好", "unbroken"), report.rows, say("行", "rows"), say("链头", "head"), report.head),
        }
    }
    Ok(if report.first_bad.is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
