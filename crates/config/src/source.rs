//! Files as text with places in them. Nothing else in this crate touches the disk.

use crate::cores;
use crate::fault::{Fault, Severity, Sink, Text, text};
use crate::sheet::Kind;
use crate::workbook;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The largest file that is read; a setpoint list of 100,000 tags has about 25 MB.
pub const FILE_BYTES_MAX: usize = 64 << 20;

/// Bytes of the content hash that are kept.
const DIGEST_BYTES: usize = 8;

/// One file's text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
    /// For the text of a workbook's list: where it stands in the workbook.
    pub(crate) grid: Option<Grid>,
    /// It could not be read, which has been told.
    pub(crate) is_refused: bool,
}

/// Which sheet and rows of a workbook a text was made of.
#[derive(Debug)]
pub(crate) struct Grid {
    sheet: String,
    /// Where each row's text begins, and its number in the sheet.
    rows: Vec<(usize, u32)>,
    /// Cells that are more than their text, by where they begin.
    kinds: Vec<(usize, Kind)>,
}

impl Grid {
    /// Both lists in the order of the text.
    pub(crate) fn new(sheet: String, rows: Vec<(usize, u32)>, kinds: Vec<(usize, Kind)>) -> Self {
        Self { sheet, rows, kinds }
    }
    /// Where the row that holds `at` begins, and its number.
    fn row(&self, at: usize) -> (usize, u32) {
        let next = self.rows.partition_point(|(begin, _)| *begin <= at);
        next.checked_sub(1).and_then(|row| self.rows.get(row)).copied().unwrap_or((0, 1))
    }
}

/// `C` for the third column.
fn column_letters(column: usize) -> String {
    let mut letters = String::new();
    let mut left = column;
    while left > 0 {
        letters.insert(0, char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    letters
}

impl Source {
    pub(crate) fn new(path: PathBuf, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, lines, grid: None, is_refused: false }
    }
    /// Nothing, of what could not be read and has been told so.
    pub(crate) fn refused(path: PathBuf) -> Self {
        Self { is_refused: true, ..Self::new(path, String::new()) }
    }
    /// The text of a workbook's list.
    pub(crate) fn of_grid(path: PathBuf, text: String, grid: Grid) -> Self {
        Self { grid: Some(grid), ..Self::new(path, text) }
    }
    /// Whether its text was made of a workbook's cells.
    pub(crate) fn is_workbook(&self) -> bool {
        self.grid.is_some()
    }
    /// What the cell that begins at `at` is besides its text. `behind` moves on with the reader, who asks in order.
    pub(crate) fn kind(&self, at: usize, behind: &mut usize) -> Kind {
        let Some(grid) = &self.grid else { return Kind::Text };
        while grid.kinds.get(*behind).is_some_and(|(begin, _)| *begin < at) {
            *behind += 1;
        }
        grid.kinds.get(*behind).filter(|(begin, _)| *begin == at).map_or(Kind::Text, |(_, kind)| *kind)
    }
    pub(crate) fn place(&self, span: Range<usize>) -> Place<'_> {
        Place { source: self, start: span.start, end: span.end, beyond: 0 }
    }
    /// The start of the file, for what is wrong with it as a whole.
    pub(crate) fn top(&self) -> Place<'_> {
        self.place(0..0)
    }
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    source: &'a Source,
    start: usize,
    end: usize,
    /// How many cells further than the one that holds `start`: of a row that ends before them.
    beyond: usize,
}

impl<'a> Place<'a> {
    /// The file.
    pub(crate) fn source(self) -> &'a Source {
        self.source
    }
    /// The line, from 1; of a workbook's list the row.
    pub(crate) fn line(self) -> usize {
        if let Some(grid) = &self.source.grid {
            return grid.row(self.start).1 as usize;
        }
        self.source.lines.partition_point(|begin| *begin <= self.start).max(1)
    }
    /// The line in which it ends, from 1. For a file that is no workbook.
    pub(crate) fn last_line(self) -> usize {
        self.source.lines.partition_point(|begin| *begin < self.end.max(self.start + 1)).max(1)
    }
    /// A part of a quoted value, where that stands in the file as it is; else the whole of it.
    pub(crate) fn inside(self, value: &str, part: Range<usize>) -> Self {
        let written = self.source.text.get(self.start..self.end).unwrap_or_default();
        match written.find(value).filter(|_| !value.is_empty()) {
            Some(begin) => Self { start: self.start + begin + part.start, end: self.start + begin + part.end, ..self },
            None => self,
        }
    }
    /// So many cells after this one, which is the last of its row.
    pub(crate) fn beyond(self, cells: usize) -> Self {
        Self { start: self.end, beyond: cells, ..self }
    }
    /// Begins where the other does.
    pub(crate) fn begins_with(self, other: Place<'_>) -> bool {
        std::ptr::eq(self.source, other.source) && (self.start, self.beyond) == (other.start, other.beyond)
    }
    /// The place as a fault would show it.
    pub(crate) fn show(self) -> String {
        self.note("", text("", "")).place()
    }
    pub(crate) fn error(self, code: &'static str, text: Text) -> Fault {
        self.fault(Severity::Error, code, text)
    }
    pub(crate) fn warning(self, code: &'static str, text: Text) -> Fault {
        self.fault(Severity::Warning, code, text)
    }
    pub(crate) fn note(self, code: &'static str, text: Text) -> Fault {
        self.fault(Severity::Note, code, text)
    }
    fn fault(self, severity: Severity, code: &'static str, text: Text) -> Fault {
        let Source { path, text: all, lines, grid, is_refused: _ } = self.source;
        let floor = |at: usize| (0..=at.min(all.len())).rev().find(|at| all.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = (floor(self.start), floor(self.end));
        let line = lines.partition_point(|begin| *begin <= start).max(1) - 1;
        let begin = lines[line];
        let stop = lines.get(line + 1).map_or(all.len(), |next| next - 1);
        let source_line = all[begin..stop].trim_end_matches('\r');
        let from = (start - begin).min(source_line.len());
        // A mark over several lines is cut to the first; an empty one still points at something.
        let to = (end.max(start) - begin).min(source_line.len()).max(from);
        let cell = grid.as_ref().map(|grid| {
            let (begin, row) = grid.row(start);
            (grid.sheet.as_str(), row as usize, sheet_column(&all[begin..start]) + self.beyond)
        });
        Fault {
            severity,
            code,
            file: path.clone(),
            line: cell.map_or(line + 1, |(_, row, _)| row),
            column: cell.map_or_else(|| source_line[..from].chars().count() + 1, |(_, _, column)| column),
            cell: cell.map(|(sheet, row, column)| format!("{sheet}!{}{row}", column_letters(column))),
            text,
            suggestion: None,
            source_line: source_line.to_owned(),
            mark: from..to,
        }
    }
}

/// The column, from 1, of what follows the part of a row in .csv.
fn sheet_column(before: &str) -> usize {
    let mut quoted = false;
    let commas = before.bytes().filter(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    commas.count() + 1
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<'a, T> {
    pub(crate) value: T,
    pub(crate) place: Place<'a>,
}

/// What a setpoint list may be.
const LISTS: [&str; 2] = ["csv", "xlsx"];

pub(crate) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|have| have.eq_ignore_ascii_case(extension))
}

/// The files of one configuration, read but not understood.
///
/// From a folder, or from memory: a change that an engineer proposes over the API is checked before it touches the disk.
#[derive(Clone, Debug, Default)]
pub struct Files {
    root: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
    unreadable: Vec<(PathBuf, Text)>,
    /// Files among the lists that are no lists.
    strangers: Vec<PathBuf>,
}

impl Files {
    /// Files by their path within the configuration folder.
    pub fn from_memory(files: impl IntoIterator<Item = (impl Into<PathBuf>, impl Into<Vec<u8>>)>) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect(), ..Self::default() }
    }

    /// One file's bytes as they were read.
    pub fn get(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The same files, but for this one.
    pub fn set(&mut self, path: impl Into<PathBuf>, bytes: Vec<u8>) {
        self.files.insert(path.into(), bytes);
    }

    /// The same files without this one.
    pub fn remove(&mut self, path: &Path) {
        self.files.remove(path);
    }

    /// Reads the `.toml` files of `dir` and the `.csv` and `.xlsx` files of `dir/enterprises`. What cannot be read becomes a fault later.
    pub fn read(dir: &Path) -> Self {
        let mut files = Self { root: dir.to_owned(), ..Self::default() };
        files.read_folder(Path::new(""), &["toml"]);
        if dir.join("enterprises").is_dir() {
            files.read_folder(Path::new("enterprises"), &LISTS);
        }
        files
    }

    fn read_folder(&mut self, within: &Path, extensions: &[&str]) {
        let dir = self.root.join(within);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable.push((dir, text(format!("文件夹打不开:{error}"), format!("the folder cannot be opened: {error}"))));
                return;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let path = within.join(&name);
            // Editors and 表格软件 leave `.x.swp` and `~$x.xlsx` behind.
            let hidden = name.to_string_lossy().starts_with(['.', '~']);
            if hidden || entry.path().is_dir() {
                continue;
            }
            if extensions.iter().any(|extension| has_extension(&path, extension)) {
                self.read_file(path);
            } else if extensions == LISTS {
                self.strangers.push(path);
            }
        }
    }

    /// One file by its own path.
    pub(crate) fn read_one(path: &Path) -> Self {
        let mut files = Self::default();
        files.read_file(path.to_owned());
        files
    }

    fn read_file(&mut self, path: PathBuf) {
        let full = self.root.join(&path);
        let size = std::fs::metadata(&full).map(|data| data.len());
        match size.and_then(|size| if size > FILE_BYTES_MAX as u64 { Ok(Err(size)) } else { std::fs::read(&full).map(Ok) }) {
            Ok(Ok(bytes)) => {
                self.files.insert(path, bytes);
            }
            Ok(Err(size)) => self.unreadable.push((
                full,
                text(
                    format!("文件太大({size} 字节,上限 {FILE_BYTES_MAX})"),
                    format!("the file is too large ({size} bytes, at most {FILE_BYTES_MAX})"),
                ),
            )),
            Err(error) => {
                self.unreadable.push((full, text(format!("文件读不了:{error}"), format!("the file cannot be read: {error}"))));
            }
        }
    }

    /// Each file by its path within the folder.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice()))
    }

    /// Names these files by their content: the same files always have the same name, and others never do.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (path, bytes) in &self.files {
            let path = path.to_string_lossy();
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        hash.finalize().iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The paths of the files, as they are shown in faults.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.keys().map(|path| self.root.join(path))
    }

    /// Decodes everything.
    pub(crate) fn decode(&self, sink: &mut Sink) -> BTreeMap<PathBuf, Source> {
        for (path, why) in &self.unreadable {
            sink.push(Source::new(path.clone(), String::new()).top().error("unreadable", why.clone()));
        }
        let files: Vec<_> = self.files.iter().collect();
        let bytes = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let decoded = cores::each(&files, bytes, sink, |(path, bytes), sink| decode(self.root.join(path), path, bytes, sink));
        self.files.keys().cloned().zip(decoded).collect()
    }

    /// Decodes one of the files.
    pub(crate) fn decode_one(&self, path: &Path, sink: &mut Sink) -> Source {
        let bytes = self.bytes(path).unwrap_or_default();
        decode(self.root.join(path), path, bytes, sink)
    }
    /// The content of one of the files.
    pub(crate) fn bytes(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }
    /// The setpoint lists, by enterprise.
    pub(crate) fn lists(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.keys().filter(|path| path.parent() == Some(Path::new("enterprises")))
    }

    /// A list saved in another format would silently be missing.
    pub(crate) fn check_strangers(&self, sink: &mut Sink) {
        for path in &self.strangers {
            let source = Source::new(self.root.join(path), String::new());
            let fault = source.top().error(
                "not-a-list",
                text("设定值表是 .csv 或 .xlsx 文件,这个没有读取", "a setpoint list is a .csv or .xlsx file; this one was not read"),
            );
            sink.push(fault.suggest("用表格软件另存为 .xlsx 或“CSV UTF-8”", "save it as .xlsx or `CSV UTF-8`"));
        }
    }

    /// A file that is not there, to hang the fault on.
    pub(crate) fn missing(&self, path: &str) -> Source {
        Source::new(self.root.join(path), String::new())
    }
}

/// What to do with a list that is no .csv as it is read here.
pub(crate) const AS_CSV: (&str, &str) =
    ("用表格软件另存为“CSV UTF-8(逗号分隔)”或 .xlsx", "save it as a CSV with commas, in UTF-8 or GB18030, or as .xlsx");

/// UTF-16, by its byte order mark or by the zeros that every second byte of plain letters is.
fn utf_16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return (encoding != encoding_rs::UTF_8).then_some(encoding);
    }
    let begin = &bytes[..bytes.len().min(1024)];
    let zeros = |odd: usize| begin.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    // Between Chinese letters there are few of them, commas and digits only; and 一, a zero and a letter, is the other way round.
    let enough = begin.len() / 32;
    let (even, odd) = (zeros(0), zeros(1));
    if odd > enough && odd > 4 * even {
        Some(encoding_rs::UTF_16LE)
    } else if even > enough && even > 4 * odd {
        Some(encoding_rs::UTF_16BE)
    } else {
        None
    }
}

/// UTF-8 with or without a byte order mark; a setpoint list may also be GB18030, which is what 表格软件 saves in China.
fn decode(full: PathBuf, path: &Path, bytes: &[u8], sink: &mut Sink) -> Source {
    if has_extension(path, "xlsx") {
        return workbook::read(full, bytes, sink);
    }
    if let Some(encoding) = utf_16(bytes) {
        let (decoded, _) = encoding.decode_with_bom_removal(bytes);
        let source = Source::new(full, decoded.into_owned());
        let fault = source.top().error("encoding", text("这个文件是 UTF-16 编码(“Unicode 文本”)", "this file is UTF-16 (`Unicode text`)"));
        let list = has_extension(path, "csv");
        sink.push(if list {
            fault.suggest(AS_CSV.0, AS_CSV.1)
        } else {
            fault.suggest("用编辑器另存为 UTF-8", "save it again as UTF-8")
        });
        // What could be read goes on, so that nothing else is said to be missing; a list's cells are judged once it is a .csv.
        return if list { Source { is_refused: true, ..source } } else { source };
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Source::new(full, text.to_owned());
    }
    let (decoded, broken) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    let source = Source::new(full, decoded.into_owned());
    let sheet = has_extension(path, "csv");
    if broken {
        let at = source.text.find('\u{fffd}').unwrap_or(0);
        let fault = source.place(at..at + 3).error("encoding", text("既不是 UTF-8 也不是 GB18030", "neither UTF-8 nor GB18030"));
        sink.push(fault.suggest("用表格软件另存为“CSV UTF-8”", "save it again as `CSV UTF-8`"));
    } else if !sheet {
        let fault = source.top().error("encoding", text("不是 UTF-8 编码", "not UTF-8"));
        sink.push(fault.suggest("用编辑器另存为 UTF-8", "save it again as UTF-8"));
    }
    source
}
