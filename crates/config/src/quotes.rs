//! Quotes that swallow what stands after them.
//!
//! A `"` at the beginning of a cell that is closed late, or never, makes text of whole rows: their tags would be missing and
//! everything else right. So a cell of several lines is read only where people write several lines, and where none of the lines
//! looks like a row.

use crate::cell;
use crate::fault::{Fault, text};
use crate::heads::{Column, Heads, LIMIT_RATIONALE, RATIONALE};
use crate::sheet::{Cell, Kind, Records};
use crate::source::{Place, Source};

/// Commas in a line from which on it may be a row of a list whose heads are not known; no list has fewer columns that must be there.
const COMMAS_OF_A_ROW: usize = 6;
/// Characters of a cell that are shown in what to write instead.
const SHOWN_CHARS_MAX: usize = 24;

/// What is wrong with the quotes of a row. Where the heads are not known yet, a cell of several lines may stand anywhere.
pub(crate) fn fault(cells: &[Cell<'_>], heads: Option<&Heads>) -> Option<Fault> {
    cells.iter().enumerate().find_map(|(at, cell)| {
        let column = || heads.and_then(|heads| heads.column(at)).filter(|column| !is_free(*column));
        let is_list = !cell.place.source().is_workbook();
        match cell.kind {
            Kind::Unclosed => Some(unclosed(cell)),
            Kind::Followed => Some(followed(cell)),
            _ if !cell.text.contains('\n') => None,
            // The first line is what was left of the cell's own row.
            _ if is_list && cell.text.lines().skip(1).any(|line| looks_like_a_row(line, heads)) => Some(swallowed(cell)),
            _ if cell.text.trim().contains('\n') => column().map(|column| several_lines(cell, column)),
            _ => None,
        }
    })
}

/// The first fault of a whole list, whatever its heads are.
pub(crate) fn fault_of(source: &Source) -> Option<Fault> {
    let mut records = Records::new(source);
    while let Some(cells) = records.next() {
        if let Some(fault) = fault(cells, None) {
            return Some(fault);
        }
    }
    None
}

/// Columns whose text is for people, who may write several lines.
fn is_free(column: Column) -> bool {
    let is_text = |columns: &[Column; 4]| columns[..3].contains(&column);
    matches!(column, Column::Name | Column::Area | Column::EquipmentKind | Column::Medium | Column::Basis | Column::Remark)
        || is_text(&RATIONALE)
        || LIMIT_RATIONALE.iter().any(is_text)
}

/// Commas alone stand in sentences too, numbers and empty cells between them hardly ever; a third of a row's cells are no sentence.
fn looks_like_a_row(line: &str, heads: Option<&Heads>) -> bool {
    let commas = heads.map_or(COMMAS_OF_A_ROW, |heads| COMMAS_OF_A_ROW.min(heads.width().saturating_sub(1)).max(heads.width() / 3));
    let is_cell = |part: &str| {
        let part = part.trim();
        cell::is_none(part) || part.parse::<f64>().is_ok()
    };
    let parts: Vec<&str> = line.trim_end().trim_end_matches(',').split(',').collect();
    line.matches(',').count() >= commas && parts.into_iter().any(is_cell)
}

/// The lines after the one in which the cell begins, where there are any.
fn lines_after(place: Place<'_>) -> Option<[String; 2]> {
    let (first, last) = (place.line() + 1, place.last_line());
    match last.checked_sub(first)? {
        0 => Some([format!("第 {first} 行"), format!("line {first}")]),
        _ => Some([format!("第 {first} 到 {last} 行"), format!("lines {first} to {last}")]),
    }
}

/// What the cell probably holds: what stands before the next comma.
fn meant<'c>(cell: &'c Cell<'_>) -> &'c str {
    let part = cell.text.split([',', '\n']).next().unwrap_or_default().trim();
    part.char_indices().nth(SHOWN_CHARS_MAX).map_or(part, |(end, _)| &part[..end])
}

/// Where the quote is, rather than all that it holds.
fn how_to_mend(fault: Fault, cell: &Cell<'_>) -> Fault {
    match meant(cell) {
        "" => fault.suggest("删去这个 `\"`", "remove this `\"`"),
        meant => fault.suggest(
            format!("删去这个 `\"`,写 {meant};要留引号就在这一格末尾关上:\"{meant}\""),
            format!("remove this `\"` and write {meant}, or close it where the cell ends: \"{meant}\""),
        ),
    }
}

fn unclosed(cell: &Cell<'_>) -> Fault {
    let (zh, en) = match lines_after(cell.place) {
        Some([zh, en]) => (
            format!("这个引号没有关上:{zh}都成了这一格的文字,一个位号也没有读到"),
            format!("this quote is never closed: {en} became text of this cell, and no tag in them was read"),
        ),
        None => (
            "这个引号没有关上,后面的都成了这一格的文字".to_owned(),
            "this quote is never closed: the rest of the line became text of this cell".to_owned(),
        ),
    };
    how_to_mend(cell.place.error("unclosed-quote", text(zh, en)), cell)
}

fn swallowed(cell: &Cell<'_>) -> Fault {
    let [zh, en] = lines_after(cell.place).unwrap_or_default();
    let last = cell.place.last_line();
    let fault = text(
        format!("这个引号到第 {last} 行才关上:{zh}像是位号行,却成了这一格的文字,没有读到"),
        format!(
            "this quote is closed only in line {last}: {en} look like rows of the list, but became text of this cell and were not read"
        ),
    );
    how_to_mend(cell.place.error("swallowed-rows", fault), cell)
}

fn followed(cell: &Cell<'_>) -> Fault {
    let fault = text(
        "关上的引号后面还有字,到下一个逗号为止都没有读到",
        "something stands behind the closing quote of this cell; up to the next comma it was not read",
    );
    let fault = match lines_after(cell.place) {
        Some([zh, en]) => text(format!("{};{zh}也成了这一格的文字", fault.zh), format!("{}, and {en} became text of this cell", fault.en)),
        None => fault,
    };
    cell.place.error("text-after-quote", fault).suggest(
        "删去多余的 `\"`;文字里的引号要写两遍:\"4\"\"管线\"",
        "remove the `\"` that is too many; a quote within a text is written twice: \"4\"\" pipe\"",
    )
}

fn several_lines(cell: &Cell<'_>, column: Column) -> Fault {
    let (zh, en) = (column.name(), column.name_en());
    let fault = text(format!("`{zh}` 这一格里有换行"), format!("there is a line break in this cell of `{en}`"));
    if cell.place.source().is_workbook() {
        return cell.place.error("line-break", fault).suggest("写在一行里", "write it in one line");
    }
    let [lines_zh, lines_en] = lines_after(cell.place).unwrap_or_default();
    let fault = text(format!("{}:{lines_zh}成了它的文字", fault.zh), format!("{}: its quote holds {lines_en} as well", fault.en));
    cell.place
        .error("line-break", fault)
        .suggest("写在一行里;引号若是多余的,就删去这个 `\"`", "write it in one line; remove this `\"` if it is one too many")
}
