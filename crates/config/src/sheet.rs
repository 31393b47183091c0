//! CSV with places (RFC 4180), one pass, a record at a time.
//!
//! The `csv` crate tells where a record begins but not where a quoted field does, and a fault has to mark the cell; so the
//! forty lines are here. A quote inside an unquoted field stands for itself, which is what 表格软件 write for `4"管线`.

use crate::source::{Place, Source};
use std::borrow::Cow;

/// What a cell is besides its text. A cell of a .csv is text, unless its quotes are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Text,
    /// A number: harmless for a limit, but a code has lost the zeros before it.
    Number,
    /// Covered by a merged cell, whose text it has.
    Merged,
    /// An error value, or a formula without a value.
    Failed,
    /// Of a .csv: the quote that begins it is never closed, so it holds the rest of the file.
    Unclosed,
    /// Of a .csv: something stands between its closing quote and the next comma, and is not in its text.
    Followed,
}

/// One cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) place: Place<'a>,
    pub(crate) kind: Kind,
}

/// The records of a list, one at a time; the cells' slice is used again for the next.
pub(crate) struct Records<'a> {
    source: &'a Source,
    at: usize,
    cells: Vec<Cell<'a>>,
    /// How many of the source's kinds are behind.
    kinds: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, at: 0, cells: Vec::new(), kinds: 0 }
    }

    /// The next record that is not empty.
    pub(crate) fn next(&mut self) -> Option<&[Cell<'a>]> {
        while self.next_or_empty()? {}
        Some(&self.cells)
    }

    /// Reads one record, and says whether it is empty.
    fn next_or_empty(&mut self) -> Option<bool> {
        let bytes = self.source.text.as_bytes();
        if self.at >= bytes.len() {
            return None;
        }
        self.cells.clear();
        loop {
            let kind = self.source.kind(self.at, &mut self.kinds);
            let (cell, next) = cell(self.source, self.at);
            let kind = if kind == Kind::Text { cell.kind } else { kind };
            self.cells.push(Cell { kind, ..cell });
            self.at = next;
            if bytes.get(next) != Some(&b',') {
                break;
            }
            self.at += 1;
            if self.at == bytes.len() {
                self.cells.push(Cell { text: Cow::Borrowed(""), place: self.source.place(self.at..self.at), kind: Kind::Text });
                break;
            }
        }
        self.at += usize::from(bytes.get(self.at) == Some(&b'\r'));
        self.at += usize::from(bytes.get(self.at) == Some(&b'\n'));
        Some(self.cells.iter().all(|cell| cell.text.trim().is_empty()))
    }
}

/// Every record that is not empty, as plain text.
pub(crate) fn rows(source: &Source) -> Vec<Vec<String>> {
    let mut records = Records::new(source);
    let mut rows = Vec::new();
    while let Some(cells) = records.next() {
        rows.push(cells.iter().map(|cell| cell.text.to_string()).collect());
    }
    rows
}

/// Writes a cell as .csv has it.
pub(crate) fn quoted_into(text: &str, out: &mut String) {
    if text.contains(['"', ',', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
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
        let is_closed = at < bytes.len();
        let inner = &text[start + 1..at.min(text.len())];
        let inner = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        // A line end within a cell is one character, whoever wrote the file.
        let inner = if inner.contains('\r') { Cow::Owned(inner.replace("\r\n", "\n").replace('\r', "\n")) } else { inner };
        let place = source.place(start..(at + 1).min(text.len()));
        let closed = (at + 1).min(text.len());
        let mut next = closed;
        // What follows the closing quote belongs to no cell.
        while !ends(next) {
            next += 1;
        }
        let kind = match text[closed..next].trim() {
            _ if !is_closed => Kind::Unclosed,
            "" => Kind::Text,
            _ => Kind::Followed,
        };
        return (Cell { text: inner, place, kind }, next);
    }
    let mut at = start;
    while !ends(at) {
        at += 1;
    }
    let inner = &text[start..at];
    let lead = inner.len() - inner.trim_start().len();
    let place = source.place(start + lead.min(inner.len())..start + lead + inner.trim().len());
    (Cell { text: Cow::Borrowed(inner), place, kind: Kind::Text }, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let source = Source::new("a.csv".into(), text.to_owned());
        rows(&source)
    }

    #[test]
    fn quotes_line_ends_and_trailing_commas_are_read_as_spreadsheets_write_them() {
        assert_eq!(all("a,b\r\nc,\"d,\"\"e\"\"\n\"\n\n,,\n4\"x,"), [vec!["a", "b"], vec!["c", "d,\"e\"\n"], vec!["4\"x", ""]]);
        assert_eq!(all("\"never closed"), [vec!["never closed"]]);
        assert_eq!(all("\"a\"b,c"), [vec!["a", "c"]]);
    }
}
