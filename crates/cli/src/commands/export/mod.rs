//! `watchfire export`: what somebody else wants to have as a file.

mod limits;
mod readings;

use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire export limits --enterprise hongxin --format xlsx --out limits.xlsx   a setpoint list as a workbook

Exit status: 0 written, 1 faults found, 2 could not run.";

/// Arguments of `watchfire export`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Give back the setpoint lists, as CSV or as a workbook
    Limits(limits::Args),
    /// Give out readings of the history, as a table or as lines of JSON
    Readings(readings::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Limits(args) => limits::run(args),
        What::Readings(args) => readings::run(args),
    }
}
