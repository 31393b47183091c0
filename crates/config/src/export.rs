//! A setpoint list given back: byte for byte in its own format, cell by cell in the other.
//!
//! Nothing is calculated and nothing dropped: order, columns of the enterprise's own, titles, and the text of every number
//! stay (`1.40` does not become `1.4`). What a .csv cannot hold is lost only on the way from .xlsx: formulas give their
//! values, merged cells the same text in each, and colours go. A number cell is written only where it reads back as the
//! same text; every other cell is text, so that no spreadsheet makes a number of a code.

use crate::cell::half_width_tag;
use crate::fault::{Faults, Sink, text};
use crate::heads::{Column, Heads};
use crate::quotes;
use crate::sheet::{quoted_into, rows};
use crate::source::{Files, Source, has_extension};
use crate::suggest;
use crate::workbook::{HEAD_ROWS_MAX, plain_number};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, XlsxError};
use std::path::{Path, PathBuf};

/// What a setpoint list may be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// UTF-8 with a byte order mark, by which spreadsheets know it.
    Csv,
    /// A workbook of one sheet.
    Xlsx,
}

impl ListFormat {
    /// How a file's name ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
    fn of(path: &Path) -> Self {
        if has_extension(path, "xlsx") { Self::Xlsx } else { Self::Csv }
    }
}

/// A list as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedList {
    /// Its name, such as `hongxin.csv`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The enterprises that have a list, in order.
pub fn listed_enterprises(files: &Files) -> Vec<String> {
    let mut names: Vec<_> = files.lists().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    names.dedup();
    names
}

/// Gives back one enterprise's list; without a format, as it is.
pub fn export_list(files: &Files, enterprise: &str, format: Option<ListFormat>) -> Result<ExportedList, Faults> {
    let mut sink = Sink::default();
    let Some(path) = files.lists().find(|path| path.file_stem().is_some_and(|stem| stem == enterprise)).cloned() else {
        let known = listed_enterprises(files);
        let missing = files.missing(&format!("enterprises/{enterprise}.csv"));
        let fault = text(format!("没有企业 `{enterprise}` 的设定值表"), format!("there is no setpoint list of `{enterprise}`"));
        let near = suggest::meant(enterprise, known.iter().map(String::as_str));
        sink.push(missing.top().error("no-list", fault).suggest_some(near));
        return Err(refused(sink));
    };
    let bytes = files.bytes(&path).unwrap_or_default();
    let own = ListFormat::of(&path);
    let wanted = format.unwrap_or(own);
    let name = format!("{enterprise}.{}", wanted.extension());
    if format.is_none() || (own, wanted) == (ListFormat::Xlsx, ListFormat::Xlsx) {
        return Ok(ExportedList { name, bytes: bytes.to_vec() });
    }
    let source = files.decode_one(&path, &mut sink);
    if (own, wanted) == (ListFormat::Csv, ListFormat::Xlsx) {
        // A workbook would make one cell of what a wrong quote holds, and nobody could tell any more.
        quotes::fault_of(&source).into_iter().for_each(|fault| sink.push(fault));
    }
    if sink.errors() > 0 {
        return Err(refused(sink));
    }
    let bytes = match (own, wanted) {
        (ListFormat::Csv, ListFormat::Csv) => with_mark(&source.text),
        (_, ListFormat::Csv) => csv(&rows(&source)),
        (_, ListFormat::Xlsx) => match xlsx(&source) {
            Ok(bytes) => bytes,
            Err(error) => {
                let fault = text(format!("写不成 .xlsx:{error}"), format!("it cannot be written as .xlsx: {error}"));
                sink.push(source.top().error("workbook", fault));
                return Err(refused(sink));
            }
        },
    };
    Ok(ExportedList { name, bytes })
}

/// Writes a list to a folder or under a name, through a file beside it, so that a list is never half there.
pub fn write_list(list: &ExportedList, to: &Path) -> std::io::Result<PathBuf> {
    let path = if to.is_dir() { to.join(&list.name) } else { to.to_owned() };
    let beside = path.with_extension("tmp~");
    std::fs::write(&beside, &list.bytes)?;
    std::fs::rename(&beside, &path)?;
    Ok(path)
}

fn refused(sink: Sink) -> Faults {
    sink.finish().err().unwrap_or_default()
}

fn with_mark(text: &str) -> Vec<u8> {
    ["\u{feff}", text].concat().into_bytes()
}

/// Changes one cell of an enterprise's list, in whichever format that is; from then on it is a .csv. Says whether it has such a row and
/// column.
pub fn set_cell(files: &mut Files, enterprise: &str, tag: &str, head: &str, content: &str) -> bool {
    let Some(path) = files.lists().find(|path| path.file_stem().is_some_and(|stem| stem == enterprise)).cloned() else { return false };
    let mut rows = rows(&files.decode_one(&path, &mut Sink::default()));
    if change_cell(&mut rows, tag, head, content).is_none() {
        return false;
    }
    files.remove(&path);
    files.set(path.with_extension(ListFormat::Csv.extension()), csv(&rows));
    true
}

fn change_cell(rows: &mut [Vec<String>], tag: &str, head: &str, content: &str) -> Option<()> {
    let at = rows.iter().take(HEAD_ROWS_MAX).position(|row| Heads::are_in(row.iter().map(|cell| cell.trim())))?;
    let (above, below) = rows.split_at_mut(at + 1);
    let heads = above.last()?;
    let wanted = Column::parse(head);
    let is_wanted = |cell: &str| cell == head || (wanted.is_some() && Column::parse(cell) == wanted);
    let column = heads.iter().position(|cell| is_wanted(cell.trim()))?;
    let tags = heads.iter().position(|cell| Column::parse(cell.trim()) == Some(Column::Tag))?;
    let row = below.iter_mut().find(|row| row.get(tags).is_some_and(|cell| half_width_tag(cell.trim()) == tag))?;
    if row.len() <= column {
        row.resize(column + 1, String::new());
    }
    content.clone_into(&mut row[column]);
    Some(())
}

fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    let mut out = String::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            quoted_into(cell, &mut out);
        }
        out.push_str("\r\n");
    }
    with_mark(&out)
}

/// Columns whose cells may be numbers in a workbook.
fn is_number(column: Column) -> bool {
    matches!(
        column,
        Column::Serial
            | Column::RangeLow
            | Column::RangeHigh
            | Column::LowLow
            | Column::Low
            | Column::High
            | Column::HighHigh
            | Column::Interlock
            | Column::Deadband
            | Column::OnDelay
            | Column::HighHighDelay
            | Column::LowLowDelay
            | Column::OffDelay
            | Column::Sample
            | Column::RespondWithin
            | Column::LowLowRespondWithin
            | Column::LowRespondWithin
            | Column::HighRespondWithin
            | Column::HighHighRespondWithin
    )
}

/// The narrowest and widest column of a workbook, in characters.
const WIDTHS: (usize, usize) = (6, 40);
/// The longest text that a spreadsheet's cell holds, in UTF-16 units.
const CELL_UNITS_MAX: usize = 32_767;

fn xlsx(source: &Source) -> Result<Vec<u8>, XlsxError> {
    let rows = rows(source);
    let head = rows.iter().take(HEAD_ROWS_MAX).position(|row| Heads::are_in(row.iter().map(|cell| cell.trim()))).unwrap_or(0);
    let numbers: Vec<bool> = rows.get(head).into_iter().flatten().map(|cell| Column::parse(cell.trim()).is_some_and(is_number)).collect();
    let mut book = Workbook::new();
    // The same list gives the same bytes, so no clock stands in them.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    let sheet = book.add_worksheet();
    sheet.set_name("设定值表")?;
    let as_text = Format::new().set_num_format("@");
    let as_head = Format::new().set_num_format("@").set_bold().set_text_wrap().set_align(FormatAlign::Center);
    let mut widths: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let (line, place) = (at as u32, column as u16);
            let number = numbers.get(column).is_some_and(|is| *is && at > head).then(|| exact(cell)).flatten();
            match number {
                Some(number) => sheet.write_number(line, place, number)?,
                None if cell.encode_utf16().count() > CELL_UNITS_MAX => return Err(XlsxError::MaxStringLengthExceeded),
                None => sheet.write_string_with_format(line, place, cell, if at == head { &as_head } else { &as_text })?,
            };
            if widths.len() <= column {
                widths.resize(column + 1, WIDTHS.0);
            }
            widths[column] = widths[column].max(width(cell)).min(WIDTHS.1);
        }
    }
    for (column, width) in widths.into_iter().enumerate() {
        sheet.set_column_width(column as u16, width as f64 + 1.0)?;
    }
    sheet.set_freeze_panes(head as u32 + 1, 1)?;
    book.save_to_buffer()
}

/// The number of a cell whose text a spreadsheet gives back unchanged.
fn exact(cell: &str) -> Option<f64> {
    let number: f64 = cell.parse().ok()?;
    (number.is_finite() && plain_number(number) == cell).then_some(number)
}

/// A Chinese character is as wide as two digits.
fn width(cell: &str) -> usize {
    cell.lines().map(|line| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()).max().unwrap_or(0)
}
