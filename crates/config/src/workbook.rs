//! A setpoint list in an .xlsx workbook, turned into the same text that a .csv would be, so that one reader judges both.
//!
//! A cell becomes what a person sees in it: 0.8 shown as 80 % is read as `80%`, a serial shown as a date as that date, a code
//! with a format of zeros with its zeros; so what people call the value and what is read never differ. What the text cannot
//! say (the cell is a number, it is part of a merged one, its formula has no value) stands beside it in the [`Grid`], as do
//! the sheet and row that a fault names. Nothing is calculated: a formula counts by the value saved with it.
//!
//! The file is not trusted: it is unpacked once only to see how large it becomes, cells are streamed, and nothing is sized by
//! what the file claims to hold.

use crate::fault::{Sink, Text, text};
use crate::heads::Heads;
use crate::sheet::{Kind, quoted_into};
use crate::source::{Grid, Source};
use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use std::io::{Cursor, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// The largest workbook once unpacked; one of 100,000 tags has about 150 MB.
pub const WORKBOOK_BYTES_MAX: u64 = 512 << 20;
/// Columns of a list; a cell beyond is a slip that would otherwise be missed.
const COLUMNS_MAX: u32 = 512;
/// Rows of a sheet.
const ROWS_MAX: u32 = 1 << 20;
/// Cells that merged ones may stand for.
const MERGED_CELLS_MAX: usize = 1_000_000;
/// A list's heads stand in one of its first rows, below a title.
pub(crate) const HEAD_ROWS_MAX: usize = 10;
/// From here on a number has more digits than a spreadsheet keeps.
const EXACT_MAX: f64 = 1e15;

type Book<'b> = Xlsx<Cursor<&'b [u8]>>;

/// Reads the list of a workbook. A workbook with a fault gives an empty text, whose fault has been told.
pub(crate) fn read(path: PathBuf, bytes: &[u8], sink: &mut Sink) -> Source {
    // Where arithmetic is checked, the reader panics on a reference out of order (`C9:A1`, `A0`); where it is not, it wraps, and
    // what it then gives is refused by the bounds below. Either way it is a fault of the file.
    let read = catch_unwind(AssertUnwindSafe(|| list(bytes)));
    match read.unwrap_or_else(|_| Err(Refusal::damaged("a reference out of order"))) {
        Ok(List { grid, text: csv, others }) => {
            let source = Source::of_grid(path, csv, grid);
            if !others.is_empty() {
                let names = others.join("、");
                let (zh, en) = (format!("这些工作表没有读取:{names}"), format!("these sheets were not read: {names}"));
                sink.push(source.top().note("other-sheets", text(zh, en)));
            }
            source
        }
        Err(Refusal { code, what, instead }) => {
            let source = Source::refused(path);
            sink.push(source.top().error(code, what).suggest_some(Some(instead)));
            source
        }
    }
}

/// Why a workbook is not read, and what to do about it.
struct Refusal {
    code: &'static str,
    what: Text,
    instead: Text,
}

impl Refusal {
    fn damaged(why: impl std::fmt::Display) -> Self {
        Self {
            code: "workbook",
            what: text(format!("工作簿读不了:{why}"), format!("the workbook cannot be read: {why}")),
            instead: text(
                "用表格软件打开,另存为 .xlsx 或“CSV UTF-8”",
                "open it in a spreadsheet and save it again as .xlsx or `CSV UTF-8`",
            ),
        }
    }
}

impl From<XlsxError> for Refusal {
    fn from(error: XlsxError) -> Self {
        Self::damaged(error)
    }
}

struct List {
    grid: Grid,
    text: String,
    /// Visible sheets that hold something and were not read.
    others: Vec<String>,
}

fn list(bytes: &[u8]) -> Result<List, Refusal> {
    let Unpacked { formulas, merged } = unpacked(bytes)?;
    let mut book = Xlsx::new(Cursor::new(bytes))?;
    let sheets = book.sheets_metadata().iter();
    let visible = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    let names: Vec<String> = visible.map(|sheet| sheet.name.clone()).collect();
    let (mut lists, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let top = Cells::read(&mut book, &name, Some(HEAD_ROWS_MAX))?;
        if top.rows().any(|row| Heads::are_in(row.iter().map(|cell| top.text(cell)))) {
            lists.push(name);
        } else if !top.cells.is_empty() {
            others.push(name);
        }
    }
    // A single sheet without heads is still the list; its faults say what is missing in it.
    let name = match &lists[..] {
        [] if others.len() == 1 => others.remove(0),
        [] => return Err(no_list(&others)),
        [one] => one.clone(),
        several => return Err(several_lists(several)),
    };
    let mut cells = Cells::read(&mut book, &name, None)?;
    if formulas {
        cells.mark_formulas(&mut book, &name)?;
    }
    if merged {
        cells.fill_merged(&book.merge_cells_by_sheet_name(&name)?)?;
    }
    let (grid, text) = cells.into_text(name)?;
    Ok(List { grid, text, others })
}

fn no_list(others: &[String]) -> Refusal {
    let names = others.join("、");
    Refusal {
        code: "no-list-in-workbook",
        what: text(
            format!("没有一个工作表的前 {HEAD_ROWS_MAX} 行里有设定值表的表头({names})"),
            format!("no sheet has the heads of a setpoint list in its first {HEAD_ROWS_MAX} rows ({names})"),
        ),
        instead: text(
            "表头要有 位号、设备位号、信号类型、网关",
            "the heads are 位号, 设备位号, 信号类型, 网关 and others (or tag, equipment, signal, gateway)",
        ),
    }
}

fn several_lists(names: &[String]) -> Refusal {
    let names = names.join("、");
    Refusal {
        code: "several-lists",
        what: text(format!("几个工作表都像设定值表:{names}"), format!("several sheets look like setpoint lists: {names}")),
        instead: text("一家企业一张表:合并成一个,或把旧的隐藏", "one enterprise has one list: join them, or hide the old ones"),
    }
}

/// What stands in a workbook's sheets, to be looked for in passes of their own.
#[derive(Clone, Copy, Default)]
struct Unpacked {
    formulas: bool,
    merged: bool,
}

/// Unpacks everything once to see that it stays within bounds, and what is in it.
fn unpacked(bytes: &[u8]) -> Result<Unpacked, Refusal> {
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Refusal::damaged("它有密码,或者其实是 .xls / it has a password, or is an .xls"));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(Refusal::damaged)?;
    let mut left = WORKBOOK_BYTES_MAX;
    let mut found = Unpacked::default();
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(Refusal::damaged)?;
        // Pictures and the like are never unpacked by the reader.
        let name = part.name().map_err(Refusal::damaged)?.into_owned();
        if !name.ends_with(".xml") && !name.ends_with(".rels") {
            continue;
        }
        let looks = name.starts_with("xl/worksheets/").then_some(&mut found);
        let size = scan(part.take(left + 1), looks).map_err(Refusal::damaged)?;
        left = left.checked_sub(size).ok_or_else(too_large)?;
    }
    Ok(found)
}

fn too_large() -> Refusal {
    let max = WORKBOOK_BYTES_MAX >> 20;
    Refusal {
        code: "workbook",
        what: text(format!("工作簿解开后超过 {max} MiB"), format!("unpacked, the workbook has more than {max} MiB")),
        instead: text("删去与设定值表无关的内容", "remove what does not belong to the list"),
    }
}

/// The length of a part. Of a sheet it is noted whether it may have formulas or merged cells.
fn scan(mut part: impl Read, mut looks: Option<&mut Unpacked>) -> std::io::Result<u64> {
    /// What every region of merged cells is named, with whatever prefix.
    const MERGED: &[u8] = b"mergeCell";
    let mut buffer = vec![0; 1 << 16];
    // What is looked for may begin at the end of one read and end in the next.
    let (mut size, mut kept) = (0, 0);
    loop {
        let length = part.read(&mut buffer[kept..])?;
        if length == 0 {
            return Ok(size);
        }
        size += length as u64;
        let read = &buffer[..kept + length];
        if let Some(found) = &mut looks {
            // `<f>`, `<f t=…>` or `<x:f>`; an `f` in a text only costs another look.
            found.formulas |= memchr::memchr_iter(b'f', read).any(|at| matches!(read.get(at + 1), Some(b'>' | b' ' | b'/')));
            found.merged |= memchr::memchr_iter(b'm', read).any(|at| read[at..].starts_with(MERGED));
        }
        let from = read.len().saturating_sub(MERGED.len() - 1);
        kept = read.len() - from;
        buffer.copy_within(from..from + kept, 0);
    }
}

#[derive(Clone)]
struct CellAt {
    row: u32,
    column: u32,
    /// Within [`Cells::all`].
    text: Range<u32>,
    kind: Kind,
}

/// The cells of one sheet that hold something, in the order of rows and columns.
struct Cells {
    cells: Vec<CellAt>,
    all: String,
}

impl Cells {
    /// Streams a sheet, the first `rows_max` rows that hold something or all of it.
    fn read(book: &mut Book<'_>, name: &str, rows_max: Option<usize>) -> Result<Self, Refusal> {
        let mut read = Self { cells: Vec::new(), all: String::new() };
        let mut reader = book.worksheet_cells_reader(name)?;
        let mut shown = Vec::new();
        let formats: Vec<Shown> = reader.styles().iter().map(Shown::of).collect();
        let (mut rows, mut row) = (0, None);
        while let Some((cell, style)) = reader.next_cell_with_style_id()? {
            let (at, column) = cell.get_position();
            if row != Some(at) {
                row = Some(at);
                rows += 1;
                if rows_max.is_some_and(|max| rows > max) {
                    break;
                }
            }
            shown.clear();
            let kind = show(cell.get_value(), formats.get(style).copied().unwrap_or_default(), &mut shown);
            read.push(at, column, &String::from_utf8_lossy(&shown), kind)?;
        }
        // A writer may leave rows out of order; the reader gives them as they stand.
        read.cells.sort_by_key(|cell| (cell.row, cell.column));
        Ok(read)
    }

    fn push(&mut self, row: u32, column: u32, text: &str, kind: Kind) -> Result<(), Refusal> {
        if text.trim().is_empty() {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            return Err(Refusal::damaged(format!("column {column} > {COLUMNS_MAX}")));
        }
        if row >= ROWS_MAX {
            return Err(Refusal::damaged(format!("row {row} > {ROWS_MAX}")));
        }
        let start = self.all.len() as u32;
        self.all.push_str(text);
        self.cells.push(CellAt { row, column, text: start..self.all.len() as u32, kind });
        Ok(())
    }

    fn text(&self, cell: &CellAt) -> &str {
        &self.all[cell.text.start as usize..cell.text.end as usize]
    }
    fn rows(&self) -> impl Iterator<Item = &[CellAt]> {
        self.cells.chunk_by(|a, b| a.row == b.row)
    }
    fn at(&self, row: u32, column: u32) -> Result<usize, usize> {
        self.cells.binary_search_by_key(&(row, column), |cell| (cell.row, cell.column))
    }

    /// A formula that was saved without its value would read as an empty cell, which means "no limit".
    fn mark_formulas(&mut self, book: &mut Book<'_>, name: &str) -> Result<(), Refusal> {
        let mut reader = book.worksheet_cells_reader(name)?;
        let mut missing = Vec::new();
        while let Some(cell) = reader.next_formula()? {
            let (row, column) = cell.get_position();
            if !cell.get_value().is_empty() && self.at(row, column).is_err() {
                missing.push((row, column, format!("={}", cell.get_value())));
            }
        }
        for (row, column, formula) in missing {
            self.push(row, column, &formula, Kind::Failed)?;
        }
        self.cells.sort_by_key(|cell| (cell.row, cell.column));
        Ok(())
    }

    /// A merged cell's value stands for all the cells it covers, in rows that hold something of their own.
    fn fill_merged(&mut self, regions: &[calamine::Dimensions]) -> Result<(), Refusal> {
        let rows: Vec<u32> = self.rows().map(|row| row[0].row).collect();
        let mut filled = Vec::new();
        for region in regions {
            let Ok(first) = self.at(region.start.0, region.start.1) else { continue };
            let text = self.cells[first].text.clone();
            let from = rows.partition_point(|row| *row < region.start.0);
            for row in rows[from..].iter().take_while(|row| **row <= region.end.0) {
                for column in region.start.1..=region.end.1.min(COLUMNS_MAX - 1) {
                    if self.at(*row, column).is_err() {
                        filled.push(CellAt { row: *row, column, text: text.clone(), kind: Kind::Merged });
                    }
                    if filled.len() > MERGED_CELLS_MAX {
                        return Err(Refusal::damaged(format!("> {MERGED_CELLS_MAX} merged cells")));
                    }
                }
            }
        }
        self.cells.extend(filled);
        self.cells.sort_by_key(|cell| (cell.row, cell.column));
        self.cells.dedup_by_key(|cell| (cell.row, cell.column));
        Ok(())
    }

    /// The text as a .csv would have it, a row a line, and where its parts stand in the sheet.
    fn into_text(self, sheet: String) -> Result<(Grid, String), Refusal> {
        let mut out = String::with_capacity(self.all.len() * 2);
        let (mut rows, mut kinds) = (Vec::new(), Vec::new());
        for row in self.rows() {
            rows.push((out.len(), row[0].row + 1));
            let mut column = 0;
            for cell in row {
                out.extend(std::iter::repeat_n(',', (cell.column - column) as usize));
                column = cell.column;
                if cell.kind != Kind::Text {
                    kinds.push((out.len(), cell.kind));
                }
                quoted_into(self.text(cell), &mut out);
            }
            out.push('\n');
            if out.len() as u64 > WORKBOOK_BYTES_MAX {
                return Err(too_large());
            }
        }
        Ok((Grid::new(sheet, rows, kinds), out))
    }
}

/// How a number of a cell is shown, as far as it changes what a person reads.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
enum Shown {
    #[default]
    General,
    Percent,
    /// So many digits before the point at least, and after it exactly.
    Fixed(usize, usize),
}

impl Shown {
    fn of(style: &calamine::Style) -> Self {
        let Some(format) = &style.number_format else { return Self::General };
        Self::of_code(&format.format_code)
    }
    fn of_code(code: &str) -> Self {
        // What stands in quotes or behind a backslash is text; the first part is that of positive numbers.
        let mut plain = String::new();
        let mut chars = code.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => drop(chars.by_ref().find(|c| *c == '"')),
                '\\' | '_' | '*' => drop(chars.next()),
                '[' => drop(chars.by_ref().find(|c| *c == ']')),
                ';' => break,
                c => plain.push(c),
            }
        }
        let plain = plain.trim();
        if plain.contains('%') {
            return Self::Percent;
        }
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let digits = whole.trim_start_matches(['#', ',']);
        let zeros = |part: &str| part.len() <= 20 && part.bytes().all(|byte| byte == b'0');
        if !digits.is_empty() && zeros(digits) && zeros(fraction) { Self::Fixed(digits.len(), fraction.len()) } else { Self::General }
    }
}

/// Writes what a person sees in a cell.
fn show(value: &DataRef<'_>, format: Shown, out: &mut Vec<u8>) -> Kind {
    use std::io::Write;
    let number = |value: f64, out: &mut Vec<u8>| {
        out.extend_from_slice(number(value, format).as_bytes());
        if format == Shown::Percent { Kind::Text } else { Kind::Number }
    };
    // Writing into a vector cannot fail.
    match value {
        DataRef::Empty => Kind::Text,
        DataRef::String(text) => out.write_all(text.as_bytes()).map_or(Kind::Text, |()| Kind::Text),
        DataRef::SharedString(text) => out.write_all(text.as_bytes()).map_or(Kind::Text, |()| Kind::Text),
        DataRef::Bool(value) => out.write_all(if *value { b"TRUE" } else { b"FALSE" }).map_or(Kind::Text, |()| Kind::Text),
        DataRef::Int(value) => number(*value as f64, out),
        DataRef::Float(value) => number(*value, out),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            out.extend_from_slice(format!("{year}-{month:02}-{day:02}").as_bytes());
            if (hour, minute, second) != (0, 0, 0) {
                out.extend_from_slice(format!(" {hour:02}:{minute:02}:{second:02}").as_bytes());
            }
            Kind::Text
        }
        DataRef::DateTime(duration) => number(duration.as_f64(), out),
        DataRef::DateTimeIso(text) => {
            out.extend_from_slice(text.strip_suffix("T00:00:00").unwrap_or(text).as_bytes());
            Kind::Text
        }
        DataRef::DurationIso(text) => {
            out.extend_from_slice(text.as_bytes());
            Kind::Text
        }
        DataRef::Error(error) => {
            out.extend_from_slice(error.to_string().as_bytes());
            Kind::Failed
        }
    }
}

/// How a spreadsheet shows a number without a format.
pub(crate) fn plain_number(value: f64) -> String {
    number(value, Shown::General)
}

/// A number with the fifteen digits that spreadsheets keep, in the cell's format where that loses nothing.
fn number(value: f64, format: Shown) -> String {
    let kept = |value: f64| format!("{value:.14e}").parse::<f64>().unwrap_or(value);
    let value = kept(value);
    if value.abs() >= EXACT_MAX {
        return format!("{value:E}");
    }
    match format {
        Shown::Percent => format!("{}%", kept(value * 100.0)),
        Shown::Fixed(whole, fraction) => {
            let width = whole + if fraction > 0 { fraction + 1 } else { 0 } + usize::from(value < 0.0);
            let shown = format!("{value:0width$.fraction$}");
            if shown.parse() == Ok(value) { shown } else { format!("{value}") }
        }
        Shown::General => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_reads_as_a_person_sees_it() {
        for (value, code, want) in [
            (0.8, "0%", "80%"),
            (0.125, "0.0%", "12.5%"),
            (80.0, "0\"%\"", "80"),
            (1.4, "0.00", "1.40"),
            (1.456, "0.0", "1.456"),
            (39_900_101_001.0, "000000000000", "039900101001"),
            (0.1 + 0.2, "General", "0.3"),
            (-0.3, "0.00", "-0.30"),
            (1234.5, "#,##0.00", "1234.50"),
            (330_521_001_001_000_000.0, "0", "3.30521001001E17"),
            (80.0, "0.0_);(0.0)", "80.0"),
            (20.0, "[Red]0", "20"),
        ] {
            assert_eq!(number(value, Shown::of_code(code)), want, "{value} as {code}");
        }
    }
}
