//! `watchfire export`: what somebody else wants to have as a file.

mod limits;

use std::process::ExitCode;

/// Arguments of `watchfire export`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Give back the setpoint lists, as CSV or as a workbook
    Limits(limits::Args),
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Limits(args) => limits::run(args),
    }
}
