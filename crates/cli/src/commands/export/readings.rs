//! `watchfire export readings`: what was measured, every reading as it came, for whoever wants to look at it with other tools.
//!
//! It reads the history beside a running engine. Nothing is left out quietly: gaps that reach into the span and chunks that are
//! damaged are said at the end, and the exit status says it too.

use crate::lang::say;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use journal::history::{Chunk, HistoryReader, Unreadable, View};
use journal::{StoreError, history::Gap};
use model::{Quality, TagId, TagIndex, Timestamp};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "Examples:
  watchfire export readings --tag hongxin/LIA-101 > lia.csv
  watchfire export readings --tag hongxin/LIA-101 --tag hongxin/TIA-101 \\
      --from 2026-03-01T00:00:00+08:00 --to 2026-03-08T00:00:00+08:00 --format jsonl --out march.jsonl
  watchfire export readings --out all.csv                     every tag, everything that is kept

Columns: tag, when it was measured, when it was received, when the engine took it (all UTC, to the microsecond), value (empty where
it could not be read), quality, the gateway's sequence number, and whether the tag was under test. Tag by tag, each in the order in
which the engine took its readings; late and repeated ones are among them.

Exit status: 0 written, 1 written but readings are missing (gaps or damage, listed), 2 could not run.";

/// Arguments of `watchfire export readings`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The data folder
    #[arg(long, env = "WATCHFIRE_DATA", default_value = "watchfire-data", value_name = "DIR")]
    data: PathBuf,
    /// Only this tag, written enterprise/tag; may be given more than once
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Measured at this time or later, such as 2026-03-01T00:00:00+08:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Timestamp>,
    /// Measured before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// How a reading is written
    #[arg(long, value_enum, default_value = "csv", value_name = "FORMAT")]
    format: Format,
    /// The file to write; the terminal without it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq)]
enum Format {
    /// A table with a head line
    Csv,
    /// A JSON object per line
    Jsonl,
}

/// What stops an export.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] std::io::Error),
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(mut reader) = HistoryReader::open(&args.data)? else {
        let folder = args.data.display();
        let zh = format!("{folder} 里没有历史数据;用 --data 指定引擎的数据目录");
        bail!("{}", say(&zh, &format!("{folder} holds no history; name the engine's folder with --data")));
    };
    let (from, to) = (args.from.unwrap_or(Timestamp::MIN), args.to.unwrap_or(Timestamp::MAX));
    if from >= to {
        bail!("{}", say("--from 必须早于 --to", "--from must be before --to"));
    }
    let tags = tags(args, &reader)?;
    let mut out: Box<dyn Write> = match &args.out {
        Some(path) => Box::new(std::fs::File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(std::io::stdout()),
    };
    let mut writer = ReadingWriter { out: BufWriter::with_capacity(1 << 16, &mut out), format: args.format, from, to, written: 0, lost: 0 };
    match write(&mut reader, &tags, &mut writer) {
        // Whoever reads may have seen enough.
        Err(Stopped::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        result => result?,
    }
    let (written, lost) = (writer.written, writer.lost + reader.damaged().len() as u64);
    drop(writer);
    let gaps = reader.gaps(from, to)?;
    report(written, lost, &gaps);
    Ok(if lost == 0 && gaps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn tags(args: &Args, reader: &HistoryReader) -> anyhow::Result<Vec<TagId>> {
    let known = reader.tags()?;
    if args.tag.is_empty() {
        return Ok(known);
    }
    let wanted = args.tag.iter().map(|written| {
        let id = TagId::parse(written).filter(|id| known.binary_search(id).is_ok());
        id.with_context(|| {
            let zh = format!("历史数据里没有位号 `{written}`;写成 企业/位号");
            say(&zh, &format!("the history has no tag `{written}`; write enterprise/tag")).to_owned()
        })
    });
    wanted.collect()
}

fn write(reader: &mut HistoryReader, tags: &[TagId], writer: &mut ReadingWriter<impl Write>) -> Result<(), Stopped> {
    let (from, to) = (writer.from, writer.to);
    // Counted from summaries, so that the bar knows how far it is.
    let mut total = 0;
    for tag in tags {
        reader.measured::<StoreError>(tag, from, to, |chunk| {
            total += u64::from(chunk.summary.all.count);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    // The template is a constant of ours.
    let style = ProgressStyle::with_template("{bar:40} {percent}% {per_sec} {eta}").expect("a valid template");
    let bar = ProgressBar::new(total).with_style(style);
    writer.head()?;
    for tag in tags {
        reader.measured::<Stopped>(tag, from, to, |chunk| {
            writer.chunk(chunk)?;
            bar.inc(chunk.summary.all.count.into());
            Ok(ControlFlow::Continue(()))
        })?;
    }
    bar.finish_and_clear();
    Ok(writer.out.flush()?)
}

struct ReadingWriter<W: Write> {
    out: BufWriter<W>,
    format: Format,
    from: Timestamp,
    to: Timestamp,
    written: u64,
    /// Chunks that were damaged.
    lost: u64,
}

impl<W: Write> ReadingWriter<W> {
    fn head(&mut self) -> std::io::Result<()> {
        match self.format {
            Format::Csv => writeln!(self.out, "tag,source_time,receive_time,taken,value,quality,sequence,under_test"),
            Format::Jsonl => Ok(()),
        }
    }
    fn chunk(&mut self, chunk: &mut Chunk<'_>) -> Result<(), Stopped> {
        let tag = chunk.tag.to_string();
        match chunk.read() {
            Ok(view) => self.readings(&tag, view)?,
            Err(Unreadable::Damage(_)) => self.lost += 1,
            Err(Unreadable::Store(error)) => return Err(error.into()),
        }
        Ok(())
    }
    fn readings(&mut self, tag: &str, view: View<'_>) -> std::io::Result<()> {
        for at in 0..view.len() {
            let row = view.reading(at, TagIndex(0));
            let reading = row.reading;
            if reading.source_time < self.from || reading.source_time >= self.to {
                continue;
            }
            self.written += 1;
            let times = [reading.source_time, reading.receive_time, row.taken].map(written);
            let value = reading.value.is_finite().then_some(reading.value);
            match self.format {
                Format::Csv => {
                    csv_field(&mut self.out, tag)?;
                    write!(self.out, ",{},{},{},", times[0], times[1], times[2])?;
                    if let Some(value) = value {
                        write!(self.out, "{value}")?;
                    }
                    write!(self.out, ",{},", name(reading.quality))?;
                    if let Some(sequence) = reading.sequence {
                        write!(self.out, "{sequence}")?;
                    }
                    writeln!(self.out, ",{}", row.under_test)?;
                }
                Format::Jsonl => {
                    let json = serde_json::json!({
                        "tag": tag, "source_time": times[0], "receive_time": times[1], "taken": times[2], "value": value,
                        "quality": name(reading.quality), "sequence": reading.sequence, "under_test": row.under_test,
                    });
                    writeln!(self.out, "{json}")?;
                }
            }
        }
        Ok(())
    }
}

/// A 位号 may hold anything, and a spreadsheet must not take it for a formula.
fn csv_field(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula || text.contains([',', '"', '\n', '\r']) {
        let guard = if formula { "'" } else { "" };
        return write!(out, "\"{guard}{}\"", text.replace('"', "\"\""));
    }
    out.write_all(text.as_bytes())
}

const fn name(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Uncertain => "uncertain",
        Quality::Bad => "bad",
    }
}

fn written(at: Timestamp) -> String {
    // A time beyond the calendar is a number of microseconds.
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |time| format!("{time:.6}"))
}

fn time(written: &str) -> Result<Timestamp, String> {
    let at = written.parse::<jiff::Timestamp>();
    at.map(|at| Timestamp(at.as_microsecond())).map_err(|_| {
        let zh = "不是带时区的时间;例如 2026-03-01T00:00:00+08:00";
        say(zh, "no time with its offset; write it like 2026-03-01T00:00:00+08:00").to_owned()
    })
}

fn report(readings: u64, lost: u64, gaps: &[Gap]) {
    eprintln!("{}", say(&format!("{readings} 条读数"), &format!("{readings} readings")));
    if lost > 0 {
        let zh = format!("{lost} 个数据块损坏,其中的读数缺失");
        eprintln!("{}", say(&zh, &format!("{lost} chunks are damaged; their readings are missing")));
    }
    for gap in gaps {
        let (from, to) = (written(gap.from), written(gap.to));
        let count = gap.lost.map_or_else(|| "?".to_owned(), |lost| lost.to_string());
        let zh = format!("缺失 {from} — {to},{count} 条:{}", gap.why.name_zh());
        eprintln!("{}", say(&zh, &format!("missing {from} to {to}, {count} readings: {}", gap.why.name())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::history::{GapReason, HistoryFile, HistoryReading};
    use model::Reading;
    use std::sync::Arc;

    fn exported(dir: &std::path::Path, format: Format, from: i64, to: i64) -> (String, u64) {
        let mut reader = HistoryReader::open(dir).unwrap().unwrap();
        let tags = reader.tags().unwrap();
        let mut bytes = Vec::new();
        let mut writer =
            ReadingWriter { out: BufWriter::new(&mut bytes), format, from: Timestamp(from), to: Timestamp(to), written: 0, lost: 0 };
        write(&mut reader, &tags, &mut writer).unwrap();
        let written = writer.written;
        drop(writer);
        (String::from_utf8(bytes).unwrap(), written)
    }

    fn history() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let tags = vec![(TagId::new("hongxin", "=1+1,\"罐\""), "g".to_owned()), (TagId::new("hongxin", "P-101A/B"), "g".to_owned())];
        let mut file = HistoryFile::open(dir.path(), Arc::new(tags)).unwrap();
        let row = |tag, at: i64, value, quality, sequence| HistoryReading {
            reading: Reading {
                tag: TagIndex(tag),
                source_time: Timestamp(at),
                receive_time: Timestamp(at + 250),
                value,
                quality,
                sequence,
            },
            taken: Timestamp(at + 300),
            rank: 0,
            under_test: tag == 1,
        };
        let start = 1_764_000_000_000_000;
        file.append(&[
            row(1, start, 83.2, Quality::Good, Some(17)),
            row(0, start + 1_000_000, f64::NAN, Quality::Bad, None),
            row(1, start + 2_000_000, 0.1 + 0.2, Quality::Uncertain, Some(18)),
        ])
        .unwrap();
        file.note_gap(&Gap { from: Timestamp(start), to: Timestamp(start + 5), lost: None, why: GapReason::Crash }).unwrap();
        file.finish().unwrap();
        dir
    }

    #[test]
    fn a_table_has_every_reading_as_it_came_and_no_formula() {
        let dir = history();
        let (text, written) = exported(dir.path(), Format::Csv, i64::MIN, i64::MAX);
        assert_eq!(written, 3);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "tag,source_time,receive_time,taken,value,quality,sequence,under_test",
                "\"hongxin/=1+1,\"\"罐\"\"\",2025-11-24T16:00:01.000000Z,2025-11-24T16:00:01.000250Z,2025-11-24T16:00:01.000300Z,,bad,,false",
                "hongxin/P-101A/B,2025-11-24T16:00:00.000000Z,2025-11-24T16:00:00.000250Z,2025-11-24T16:00:00.000300Z,83.2,good,17,true",
                "hongxin/P-101A/B,2025-11-24T16:00:02.000000Z,2025-11-24T16:00:02.000250Z,2025-11-24T16:00:02.000300Z,0.30000000000000004,uncertain,18,true",
            ]
        );
        let (text, written) = exported(dir.path(), Format::Csv, 1_764_000_000_000_001, 1_764_000_002_000_000);
        assert_eq!((written, text.lines().count()), (1, 2), "measured between the two times only");
        let mut field = Vec::new();
        csv_field(&mut field, "=cmd").unwrap();
        assert_eq!(field, b"\"'=cmd\"");
    }

    #[test]
    fn lines_of_json_say_the_same() {
        let dir = history();
        let (text, _) = exported(dir.path(), Format::Jsonl, i64::MIN, i64::MAX);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!((&lines[0]["value"], &lines[0]["quality"], &lines[0]["sequence"]), (&().into(), &"bad".into(), &().into()));
        assert_eq!((&lines[1]["value"], &lines[1]["sequence"], &lines[1]["under_test"]), (&83.2.into(), &17.into(), &true.into()));
    }

    #[test]
    fn a_time_needs_its_offset() {
        assert_eq!(time("2025-11-25T00:00:00+08:00"), Ok(Timestamp(1_764_000_000_000_000)));
        assert!(time("2025-11-25 00:00").is_err() && time("yesterday").is_err());
    }
}
