//! `cargo xtask test`: everything CI runs, in one command; `cargo xtask bench`: every number we promise.
//!
//! Installs by apt-get what the tests need where it can (as root on Debian) and says so; elsewhere it says what to install.
//! The last line is `N passed, N failed`.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs what CI runs.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Format, clippy with warnings denied, unit, property and end-to-end tests with real Mosquitto, page and browser tests
    Test {
        /// Leave out the page and browser tests (no Node or Chromium needed)
        #[arg(long)]
        no_web: bool,
    },
    /// All benchmarks, each beside its baseline
    Bench {
        /// Shorter runs
        #[arg(long)]
        quick: bool,
    },
}

/// A program the tests drive and the Debian package that has it.
const TOOLS: [(&str, &str); 2] = [("mosquitto", "mosquitto"), ("mosquitto_sub", "mosquitto-clients")];
/// The same for the browser tests.
const WEB_TOOLS: [(&str, &str); 1] = [("chromium", "chromium")];

fn main() -> anyhow::Result<()> {
    match Args::parse().what {
        What::Test { no_web } => test(no_web),
        What::Bench { quick } => bench(quick),
    }
}

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

fn test(no_web: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    let root = root()?;
    let mut tools: Vec<_> = TOOLS.to_vec();
    if !no_web {
        tools.extend(WEB_TOOLS);
    }
    provide(&tools)?;
    if !no_web && !on_path("npm") {
        bail!("npm is missing: install Node.js 20.19 or later, or run `cargo xtask test --no-web`");
    }

    // Whatever a developer's shell says: what is tested has the pages in it, or, without Node, says that it has none.
    let cargo = |root: &Path| {
        let mut command = cargo(root);
        if no_web {
            command.env("WATCHFIRE_SKIP_WEB", "1")
        } else {
            command.env_remove("WATCHFIRE_SKIP_WEB")
        };
        command
    };
    let mut tally = Tally::default();
    step(&mut tally, "format", cargo(&root).args(["fmt", "--all", "--check"]))?;
    step(
        &mut tally,
        "clippy",
        cargo(&root).args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings", "-D", "clippy::unwrap_used"]),
    )?;
    counted(&mut tally, "tests", cargo(&root).args(["test", "--workspace", "--no-fail-fast"]))?;
    if !no_web {
        let web = root.join("crates/console/web");
        step(&mut tally, "npm ci", Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&web))?;
        step(&mut tally, "page check", Command::new("npm").args(["run", "--silent", "check"]).current_dir(&web))?;
        step(&mut tally, "page unit tests", Command::new("npm").args(["run", "--silent", "test"]).current_dir(&web))?;
        step(&mut tally, "page build", Command::new("npm").args(["run", "--silent", "build"]).current_dir(&web))?;
        counted(&mut tally, "browser, mock engine", Command::new("npm").args(["run", "--silent", "test:browser"]).current_dir(&web))?;
        // The tests have built it already, with its pages; alone this would be built here.
        step(&mut tally, "program", cargo(&root).args(["build", "--bin", "watchfire"]))?;
        let mut real = Command::new("npm");
        real.args(["run", "--silent", "test:real"]).current_dir(&web).env("WATCHFIRE_BIN", program(&root));
        counted(&mut tally, "browser, real engine and embedded pages", &mut real)?;
    }
    println!("took {:.0} s", began.elapsed().as_secs_f64());
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn bench(quick: bool) -> anyhow::Result<()> {
    let root = root()?;
    provide(&TOOLS)?;
    let mut command = cargo(&root);
    command.args(["bench", "--benches", "-p", "watchfire", "-p", "watchfire-config"]);
    if quick {
        command.env("WATCHFIRE_BENCH_QUICK", "1");
    }
    if !command.status()?.success() {
        bail!("a benchmark could not run");
    }
    Ok(())
}

/// A step that is one test: it passes or fails.
fn step(tally: &mut Tally, name: &str, command: &mut Command) -> anyhow::Result<()> {
    let began = Instant::now();
    println!("== {name}");
    let passed = command.status().with_context(|| format!("{name}: cannot start {command:?}"))?.success();
    println!("== {name}: {} in {:.0} s", if passed { "ok" } else { "FAILED" }, began.elapsed().as_secs_f64());
    if passed {
        tally.passed += 1
    } else {
        tally.failed += 1
    }
    Ok(())
}

/// A step that counts its own tests: `test result: …` lines of cargo, or a line `N passed, N failed`.
fn counted(tally: &mut Tally, name: &str, command: &mut Command) -> anyhow::Result<()> {
    let began = Instant::now();
    println!("== {name}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{name}: cannot start {command:?}"))?;
    let output = child.stdout.take().context("the output was asked for")?;
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        let result = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")).map_or(line.as_str(), |(_, counts)| counts);
        if let Some((p, f)) = counts(result) {
            passed += p;
            failed += f;
        }
    }
    let status = child.wait()?;
    if !status.success() && failed == 0 {
        // It did not even get to its tests.
        failed = 1;
    }
    println!("== {name}: {passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    tally.passed += passed;
    tally.failed += failed;
    Ok(())
}

/// Reads `12 passed; 0 failed; …` and `12 passed, 0 failed`.
fn counts(text: &str) -> Option<(u64, u64)> {
    let (passed, rest) = text.trim().split_once(" passed")?;
    let failed = rest.trim_start_matches([';', ',', ' ']).split_once(" failed")?.0;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

fn provide(tools: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> = tools.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !on_path("apt-get") {
        bail!("missing: {list}; install them with this machine's package manager");
    }
    println!("== installing with apt-get: {list}");
    let update = Command::new("apt-get").args(["update", "-qq"]).status();
    let install =
        Command::new("apt-get").args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing).arg("fonts-noto-cjk").status();
    match (update, install) {
        (Ok(update), Ok(install)) if update.success() && install.success() => Ok(()),
        _ => bail!("could not install; run as root: apt-get update && apt-get install -y {list}"),
    }
}

fn on_path(program: &str) -> bool {
    // Debian keeps daemons such as mosquitto in sbin, which is not on everybody's path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).any(|folder| folder.join(program).is_file())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Where cargo puts the program.
fn program(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    target.join("debug").join(format!("watchfire{}", std::env::consts::EXE_SUFFIX))
}

fn root() -> anyhow::Result<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(Path::to_path_buf).context("the workspace is two folders above xtask")
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn both_runners_are_counted() {
        assert_eq!(counts("12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"), Some((12, 1)));
        assert_eq!(counts("7 passed, 0 failed"), Some((7, 0)));
        assert_eq!(counts("took 3 s"), None);
    }
}
