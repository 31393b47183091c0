//! `watchfire export limits`: the setpoint lists, as they are or in the other format, losing nothing.

use crate::lang::{is_colored, lang, say};
use anyhow::{Context, bail};
use config::{Files, ListFormat};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire export limits --enterprise hongxin                                  the list as it is, to the terminal
  watchfire export limits --enterprise hongxin --format xlsx --out limits.xlsx  as a workbook
  watchfire export limits --format csv --out lists/                             all of them, into a folder

Without --format a list is given back byte for byte. Exit status: 0 written, 1 a list has faults, 2 could not run.";

/// Arguments of `watchfire export limits`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The configuration folder
    #[arg(long, env = "WATCHFIRE_CONFIG", default_value = "config", value_name = "DIR")]
    config: PathBuf,
    /// Only this enterprise's list
    #[arg(long, value_name = "ID")]
    enterprise: Option<String>,
    /// The format to write; without it that of each list
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// The file to write, or a folder for several lists
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Format {
    /// UTF-8, for every spreadsheet
    Csv,
    /// A workbook
    Xlsx,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let files = Files::read(&args.config);
    let enterprises = match &args.enterprise {
        Some(one) => vec![one.clone()],
        None => config::listed_enterprises(&files),
    };
    if enterprises.is_empty() {
        let dir = args.config.join("enterprises");
        bail!("{}: {}", dir.display(), say("没有设定值表", "there are no setpoint lists"));
    }
    let format = args.format.map(|format| match format {
        Format::Csv => ListFormat::Csv,
        Format::Xlsx => ListFormat::Xlsx,
    });
    // Every list is ready before the first is written: a fault in the last leaves no half export behind.
    let mut lists = Vec::new();
    for enterprise in &enterprises {
        match config::export_list(&files, enterprise, format) {
            Ok(list) => lists.push(list),
            Err(faults) => {
                eprint!("{}", faults.render(lang(), is_colored(&std::io::stderr())));
                return Ok(ExitCode::from(1));
            }
        }
    }
    let Some(out) = &args.out else {
        let [list] = &lists[..] else {
            bail!(
                "{}",
                say(
                    "有几张表:用 --enterprise 指定一家,或用 --out 指定文件夹",
                    "there are several lists: name one with --enterprise, or a folder with --out"
                )
            );
        };
        let mut stdout = std::io::stdout();
        if list.name.ends_with(".xlsx") && stdout.is_terminal() {
            bail!("{}", say("工作簿不能写到终端:用 --out 指定文件", "a workbook is not for a terminal: name a file with --out"));
        }
        stdout.write_all(&list.bytes)?;
        return Ok(ExitCode::SUCCESS);
    };
    if lists.len() > 1 {
        std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    }
    for list in &lists {
        let path = config::write_list(list, out).with_context(|| out.display().to_string())?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
