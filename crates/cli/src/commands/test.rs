//! `watchfire test`: scenario files beside the configuration, run on simulated time with the code that decides in the plant.

use crate::lang::{is_colored, lang, say, table};
use anyhow::Context;
use config::{Files, Lang};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use tuning::scenario::{Comparison, Report};

const EXAMPLES: &str = "Examples:
  watchfire test                                     every scenario in config/tests
  watchfire test /etc/watchfire/plant                of another folder
  watchfire test config/tests/level-high.toml        one file, on the folder above its own
  watchfire test config --json | jq '.scenarios[] | select(.passed | not)'

A scenario (see config/tests and config/README.md):
  title = \"V-101 液位高报:30 s 延时\"
  enterprise = \"hongxin\"
  [[step]]
  at = \"0s\"
  signal = { \"LIA-101\" = 81 }
  [[step]]
  at = \"+30s\"
  alarms = [\"LIA-101 high raised at 30s\"]
  told = [\"enterprise blue platform app\"]

Exit status: 0 all passed, 1 a scenario failed or has faults, 2 could not run.";

/// Arguments of `watchfire test`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder, whose scenarios are in its folder `tests`, or one scenario file
    #[arg(env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    dir: PathBuf,
    /// The configuration folder, where the scenarios are elsewhere
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (folder, scenarios) = find(args)?;
    let files = Files::read(&folder);
    let plant = match tuning::scenario::load(&files) {
        Ok(loaded) => Arc::new(loaded.plant),
        Err(faults) => {
            eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
            return Ok(ExitCode::from(1));
        }
    };
    let began = Instant::now();
    let (mut passed, mut failed, mut checks, mut results) = (0, 0, 0, Vec::new());
    for path in &scenarios {
        let began = Instant::now();
        match config::scenario::load(path, &plant) {
            Ok(scenario) => {
                let report = tuning::scenario::run(&scenario, &plant, &files);
                let millis = began.elapsed().as_secs_f64() * 1e3;
                checks += report.checks;
                *(if report.is_passed() { &mut passed } else { &mut failed }) += 1;
                if args.json {
                    results.push(json(&report, millis));
                } else {
                    show(&report, millis);
                }
            }
            Err(faults) => {
                failed += 1;
                if args.json {
                    results
                        .push(serde_json::json!({ "file": path.display().to_string(), "passed": false, "faults": faults.to_json(lang()) }));
                } else {
                    println!("✗ {}", path.display());
                    print!("{}", faults.render(lang(), is_colored(&std::io::stdout())));
                }
            }
        }
    }
    let millis = began.elapsed().as_secs_f64() * 1e3;
    if args.json {
        let report = serde_json::json!({ "ok": failed == 0, "passed": passed, "failed": failed, "checks": checks, "millis": millis, "scenarios": results });
        println!("{report}");
    } else {
        match lang() {
            Lang::Zh => println!("通过 {passed} 个,未通过 {failed} 个;比对 {checks} 处;{millis:.0} ms"),
            Lang::En => println!("{passed} passed, {failed} failed; {checks} expectations compared; {millis:.0} ms"),
        }
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// The configuration folder, and the scenario files in order of name.
fn find(args: &Args) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
    let is_file = args.dir.is_file();
    let above =
        || args.dir.parent().and_then(Path::parent).map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let folder = match (&args.config, is_file) {
        (Some(folder), _) => folder.clone(),
        (None, true) => above().unwrap_or(Path::new(".")).to_owned(),
        (None, false) => args.dir.clone(),
    };
    if is_file {
        return Ok((folder, vec![args.dir.clone()]));
    }
    let tests = args.dir.join("tests");
    let entries = std::fs::read_dir(&tests).with_context(|| format!("{}: {}", tests.display(), say("打不开", "cannot be opened")))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    if files.is_empty() {
        anyhow::bail!("{}: {}", tests.display(), say("没有 .toml 测试文件", "holds no scenario (.toml)"));
    }
    Ok((folder, files))
}

fn show(report: &Report, millis: f64) {
    if report.is_passed() {
        println!("✓ {} ({} ms) {}", report.title, millis.round(), report.file.display());
        return;
    }
    println!("✗ {}", report.title);
    for failure in &report.failures {
        println!("  {}:{} @ {}: {}", report.file.display(), failure.line, failure.at, failure.subject.get(lang()));
        println!("{}", side_by_side(failure));
    }
}

fn side_by_side(failure: &Comparison) -> comfy_table::Table {
    let mut rows = table(["", say("应当", "expected"), say("实际", "seen")]);
    for row in &failure.rows {
        let seen = row.seen.as_ref().map_or("—", |seen| seen.get(lang()));
        rows.add_row([if row.agrees { "" } else { "✗" }, row.expected.as_deref().unwrap_or("—"), seen]);
    }
    rows
}

fn json(report: &Report, millis: f64) -> serde_json::Value {
    let failure = |failure: &Comparison| {
        let row = |row: &tuning::scenario::Pair| serde_json::json!({ "expected": row.expected, "seen": row.seen.as_ref().map(|seen| seen.get(lang())), "agrees": row.agrees });
        serde_json::json!({ "line": failure.line, "at": failure.at, "subject": failure.subject.get(lang()),
            "rows": failure.rows.iter().map(row).collect::<Vec<_>>() })
    };
    serde_json::json!({ "file": report.file.display().to_string(), "title": report.title, "passed": report.is_passed(),
        "steps": report.steps, "checks": report.checks, "millis": millis,
        "failures": report.failures.iter().map(failure).collect::<Vec<_>>() })
}
