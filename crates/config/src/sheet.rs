//! CSV with places (RFC 4180), one pass, a record at a time.
//!
//! The `csv` crate tells where a record begins but not where a quoted field does, and a fault has to mark the cell; so the
//! forty lines are here. A quote inside an unquoted field stands for itself, which is what 表格软件 write for `4"管线`.

use crate::source::{Place, Source};
use std::borrow::Cow;

/// One cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) place: Place<'a>,
}

/// Calls `each` with the cells of every record that is not empty; the slice is used again for the next.
pub(crate) fn records<'a>(source: &'a Source, mut each: impl FnMut(&[Cell<'a>])) {
    let text = source.text.as_str();
    let bytes = text.as_bytes();
    let mut cells = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (cell, next) = cell(source, at);
        cells.push(cell);
        at = next;
        let more = bytes.get(at) == Some(&b',');
        at += usize::from(more);
        if more && at < bytes.len() {
            continue;
        }
        if more {
            cells.push(Cell { text: Cow::Borrowed(""), place: source.place(at..at) });
        }
        if cells.iter().any(|cell| !cell.text.trim().is_empty()) {
            each(&cells);
        }
        cells.clear();
        at += usize::from(bytes.get(at) == Some(&b'\r'));
        at += usize::from(bytes.get(at) == Some(&b'\n'));
    }
}

/// The cell at `start` and the offset of what ended it: a comma, a line end or the end.
fn cell(source: &Source, start: usize) -> (Cell<'_>, usize) {
    let text = source.text.as_str();
    let bytes = text.as_bytes();
    let ends = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b',' | b'\n' | b'\r'));
    if bytes.get(start) == Some(&b'"') {
        let mut at = start + 1;
        let mut doubled = false;
        while at < bytes.len() {
            if bytes[at] == b'"' {
                if bytes.get(at + 1) != Some(&b'"') {
                    break;
                }
                doubled = true;
                at += 1;
            }
            at += 1;
        }
        let inner = &text[start + 1..at.min(text.len())];
        let inner = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        let place = source.place(start..(at + 1).min(text.len()));
        let mut next = (at + 1).min(text.len());
        // What follows the closing quote belongs to no cell.
        while !ends(next) {
            next += 1;
        }
        return (Cell { text: inner, place }, next);
    }
    let mut at = start;
    while !ends(at) {
        at += 1;
    }
    let inner = &text[start..at];
    let lead = inner.len() - inner.trim_start().len();
    let place = source.place(start + lead.min(inner.len())..start + lead + inner.trim().len());
    (Cell { text: Cow::Borrowed(inner), place }, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let source = Source::new("a.csv".into(), text.to_owned());
        let mut rows = Vec::new();
        records(&source, |cells| rows.push(cells.iter().map(|cell| cell.text.to_string()).collect()));
        rows
    }

    #[test]
    fn quotes_line_ends_and_trailing_commas_are_read_as_spreadsheets_write_them() {
        assert_eq!(all("a,b\r\nc,\"d,\"\"e\"\"\n\"\n\n,,\n4\"x,"), [vec!["a", "b"], vec!["c", "d,\"e\"\n"], vec!["4\"x", ""]]);
        assert_eq!(all("\"never closed"), [vec!["never closed"]]);
        assert_eq!(all("\"a\"b,c"), [vec!["a", "c"]]);
    }
}
