//! `watchfire`: one binary for everything.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;
use watchfire::commands::{backtest, check, demo, export, plan, publish, replay, run, status, suggest, test, user, verify, who};

/// Watchfire 烽燧: from an MQTT reading to an alarm, to the person who must answer, to a closed case.
///
/// It stands beside the plant's own gas detection (GDS) and trip system (SIS), never in place of them.
#[derive(Parser)]
#[command(name = "watchfire", version, max_term_width = 100)]
struct Args {
    /// Language of messages: zh or en (default from LANG)
    #[arg(long, global = true, value_name = "LANG", value_parser = ["zh", "en"])]
    lang: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything with a simulated county and a scripted three minutes
    Demo(demo::Args),
    /// Run the engine on a configuration
    Run(run::Args),
    /// Check a configuration and name every fault with file, line and column
    Check(check::Args),
    /// Run a configuration over recorded readings and compare it with another
    Backtest(backtest::Args),
    /// Suggest the least changes that would quieten the worst alarms, each proved; changes nothing
    Suggest(suggest::Args),
    /// Live the journal again from the history and name the first transition that differs
    Replay(replay::Args),
    /// Run the scenario files of a configuration: readings in, expected alarms and messages out
    Test(test::Args),
    /// Say what a new configuration would change, and apply it
    Plan(plan::Args),
    /// Say who would be told of a tag's alarm, when and by which channel
    Who(who::Args),
    /// Replay a recorded file to a broker
    Publish(publish::Args),
    /// Write setpoint lists to files
    Export(export::Args),
    /// Walk the journal's hash chain and name the first broken row
    Verify(verify::Args),
    /// Show what stands: alarms, cases, timers, undelivered messages
    Status(status::Args),
    /// Add, list and change logins
    User(user::Args),
}

/// What a shell sees of a program that writes to a closed pipe.
const CLOSED_PIPE: u8 = 128 + 13;

/// A reader that has seen enough (`| head`) ends a command without a word, as it ends other programs. Never the engine: a log that
/// nobody reads must not stop it.
fn end_quietly_at_a_closed_pipe() {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_closed_pipe = |said: &str| said.starts_with("failed printing to std") && said.contains("Broken pipe");
        if panic.payload_as_str().is_some_and(is_closed_pipe) {
            std::process::exit(CLOSED_PIPE.into());
        }
        otherwise(panic);
    }));
}

fn main() -> ExitCode {
    let matches = Args::command().get_matches();
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    watchfire::lang::choose(args.lang.as_deref());
    if !matches!(args.command, Command::Run(_) | Command::Demo(_)) {
        end_quietly_at_a_closed_pipe();
    }
    let result = match &args.command {
        Command::Demo(args) => demo::run(args),
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Suggest(args) => suggest::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Test(args) => test::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Who(args) => who::run(args),
        Command::Publish(args) => publish::run(args).map(|()| ExitCode::SUCCESS),
        Command::Export(args) => export::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Status(args) => status::run(args),
        Command::User(args) => user::run(args),
    };
    result.unwrap_or_else(|error| {
        // Printed once, here; 2 says that the command could not do its work.
        eprintln!("watchfire: {error:#}");
        ExitCode::from(2)
    })
}
