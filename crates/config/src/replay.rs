//! `replay.toml`: how the columns of a recorded file become readings, for `watchfire publish`.

use crate::fault::{Faults, Sink, text};
use crate::source::{At, Files, Source};
use crate::suggest;
use crate::table::{Table, with_document};
use crate::values::duration;
use model::{BodyId, Duration, Quality, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;

/// Columns that a recorded file may have.
const COLUMNS_MAX: i64 = 100_000;

/// How a recorded file is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Whose tags they are.
    pub enterprise: BodyId,
    /// How the file is written.
    pub format: Format,
    /// Which columns become which tags, in the order of the file.
    pub columns: Vec<ReplayColumn>,
    /// Source time of the first row.
    pub start: Timestamp,
    /// From one row to the next.
    pub interval: Duration,
    /// Quality of every reading.
    pub quality: Quality,
}

/// How a recorded file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Numbers between blanks, a row per line, no heads.
    Whitespace,
    /// Values between delimiters.
    Csv {
        /// The delimiter.
        delimiter: u8,
        /// Whether the first line holds the heads.
        header: bool,
    },
}

/// One column of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayColumn {
    /// Which.
    pub column: ColumnRef,
    /// The tag, without its enterprise.
    pub tag: String,
    /// reading = recorded value × scale + offset.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
}

/// A column by its place or by its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnRef {
    /// From 1.
    Number(usize),
    /// By its head.
    Name(String),
}

/// Loads a mapping file.
pub fn load_replay(path: &Path) -> Result<Replay, Faults> {
    read_replay(&Files::read_one(path))
}

/// Reads a mapping from the one file in `files`.
pub fn read_replay(files: &Files) -> Result<Replay, Faults> {
    let mut sink = Sink::default();
    let sources = files.decode(&mut sink);
    let replay = sources.values().next().and_then(|source| read(source, &mut sink));
    sink.finish()?;
    Ok(replay.expect("where nothing was read there is an error, and errors were returned above"))
}

fn read(source: &Source, sink: &mut Sink) -> Option<Replay> {
    with_document(source, sink, |file, sink| {
        file.renamed(&[("columns", "column"), ("period", "interval"), ("begin", "start")]);
        let enterprise = file.required_string("enterprise", sink);
        let format = read_format(file, sink);
        let start = file.required_string("start", sink).and_then(|start| read_time(&start, sink));
        let interval = duration(file, "interval", (Duration::from_millis(1), Duration::from_mins(366 * 24 * 60)), sink);
        let interval = file.required("interval", interval, sink);
        let quality = match file.string("quality", sink) {
            None => Some(Quality::Good),
            Some(written) => match written.value.as_str() {
                "good" => Some(Quality::Good),
                "uncertain" => Some(Quality::Uncertain),
                "bad" => Some(Quality::Bad),
                _ => {
                    let fault = written.place.error("unknown-name", text("不认识的质量", "unknown quality"));
                    sink.push(fault.suggest_some(suggest::one_of(["good", "uncertain", "bad"])));
                    None
                }
            },
        };
        let heads = matches!(format, None | Some(Format::Csv { header: true, .. }));
        let mut tags = BTreeSet::new();
        let columns = file.tables("column", sink, |table, sink| read_column(table, heads, &mut tags, sink));
        let columns = file.required("column", columns, sink);
        Some(Replay {
            enterprise: BodyId::new(enterprise?.value),
            format: format?,
            columns: columns?,
            start: start?,
            interval: interval?.value,
            quality: quality?,
        })
    })
}

fn read_time(written: &At<'_, String>, sink: &mut Sink) -> Option<Timestamp> {
    match written.value.parse::<jiff::Timestamp>() {
        Ok(time) => Some(Timestamp(time.as_microsecond())),
        Err(_) => {
            let fault = written.place.error("time", text("不是带时区的时间", "not a time with its offset from UTC"));
            sink.push(fault.suggest("例如 \"2025-01-06T08:00:00+08:00\"", "such as \"2025-01-06T08:00:00+08:00\""));
            None
        }
    }
}

fn read_format(file: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Format> {
    let format = file.required_string("format", sink);
    let delimiter = file.string("delimiter", sink);
    let header = file.bool("header", sink).is_some_and(|header| header.value);
    let format = format?;
    match format.value.as_str() {
        "whitespace" => Some(Format::Whitespace),
        "csv" => match delimiter.as_ref().map_or(",", |delimiter| &delimiter.value).as_bytes() {
            [one] if one.is_ascii() && !one.is_ascii_alphanumeric() => Some(Format::Csv { delimiter: *one, header }),
            _ => {
                let place = delimiter.map_or(format.place, |delimiter| delimiter.place);
                sink.push(place.error("delimiter", text("分隔符是一个字符", "a delimiter is one character")));
                None
            }
        },
        _ => {
            let fault = format.place.error("unknown-name", text("不认识的格式", "unknown format"));
            sink.push(fault.suggest_some(suggest::one_of(["whitespace", "csv"])));
            None
        }
    }
}

fn read_column(table: &mut Table<'_, '_>, heads: bool, tags: &mut BTreeSet<String>, sink: &mut Sink) -> Option<ReplayColumn> {
    const ANY: (f64, f64) = (-1e12, 1e12);
    let number = table.integer("column", (1, COLUMNS_MAX), sink);
    let number = if table.has("head") { number } else { table.required("column", number, sink) };
    let head = table.string("head", sink);
    if let Some(head) = head.as_ref().filter(|_| !heads) {
        let fault = head.place.error("no-heads", text("文件没有表头", "the file has no heads"));
        sink.push(fault.suggest("用 `column` 写列号,或写 `header = true`", "use `column` with a number, or `header = true`"));
    }
    let tag = table.required_string("tag", sink)?;
    if !tags.insert(tag.value.clone()) {
        let fault = text(format!("位号 `{}` 写了两次", tag.value), format!("tag `{}` stands twice", tag.value));
        sink.push(tag.place.error("duplicate-tag", fault));
    }
    let scale = table.number("scale", ANY, sink).map_or(1.0, |scale| scale.value);
    let offset = table.number("offset", ANY, sink).map_or(0.0, |offset| offset.value);
    let head = head.map(|head| ColumnRef::Name(head.value));
    let column = head.or(number.map(|number| ColumnRef::Number(number.value as usize)));
    Some(ReplayColumn { column: column?, tag: tag.value, scale, offset })
}
