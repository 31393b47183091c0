//! What is wrong with a file, where, and what to write instead, in both languages.
//!
//! A fault carries the offending line with it, so it can be shown long after the file was read and a page can show it
//! without access to the disk. Rendering is for people (a terminal), JSON for programs; both say the same words.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Errors kept in detail, and as many warnings; more are only counted. A list with more is one mistake repeated on every line.
pub const FAULTS_MAX: usize = 1_000;
/// The part of a long line that is shown, in characters either side of the mark.
const LINE_CHARS_AROUND_MAX: usize = 100;

/// The language of a text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}

/// One sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// 中文
    pub zh: String,
    /// English
    pub en: String,
}

impl Text {
    /// The sentence in a language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Makes a text of both languages.
pub(crate) fn text(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Read differently from how it is written (full-width digits and the like); nothing to do.
    Note,
    /// It runs, but somebody should look.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How bad.
    pub severity: Severity,
    /// Stable name of the kind of fault, such as `limits-out-of-order`.
    pub code: &'static str,
    /// The file, as reached from where the folder was named.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// In a workbook `Sheet1!C7`; `line` and `column` are then row and column of the sheet.
    pub cell: Option<String>,
    /// What is wrong.
    pub text: Text,
    /// What to write instead.
    pub suggestion: Option<Text>,
    /// The offending line without its end.
    pub source_line: String,
    /// The bytes of `source_line` that are marked.
    pub mark: Range<usize>,
}

impl Fault {
    /// Says what to write instead.
    pub(crate) fn suggest(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.suggestion = Some(text(zh, en));
        self
    }
    /// Says what to write instead, where that is known.
    pub(crate) fn suggest_some(mut self, suggestion: Option<Text>) -> Self {
        self.suggestion = suggestion.or(self.suggestion);
        self
    }
    /// Leaves out the line, which holds what must not be shown.
    pub(crate) fn without_line(mut self) -> Self {
        self.source_line.clear();
        self.mark = 0..0;
        self
    }
    /// `file:line:column`, in a workbook `file.xlsx:Sheet1!C7`.
    pub fn place(&self) -> String {
        match &self.cell {
            Some(cell) => format!("{}:{cell}", self.file.display()),
            None => format!("{}:{}:{}", self.file.display(), self.line, self.column),
        }
    }
    /// One line: the place and the text.
    pub fn one_line(&self, lang: Lang) -> String {
        format!("{}: {}", self.place(), self.text.get(lang))
    }

    fn render_into(&self, lang: Lang, renderer: &Renderer, out: &mut String) {
        let level = match (self.severity, lang) {
            (Severity::Error, Lang::Zh) => Level::ERROR.with_name("错误"),
            (Severity::Warning, Lang::Zh) => Level::WARNING.with_name("警告"),
            (Severity::Note, Lang::Zh) => Level::NOTE.with_name("提示"),
            (Severity::Error, Lang::En) => Level::ERROR,
            (Severity::Warning, Lang::En) => Level::WARNING,
            (Severity::Note, Lang::En) => Level::NOTE,
        };
        let help = match lang {
            Lang::Zh => Level::HELP.with_name("建议"),
            Lang::En => Level::HELP,
        };
        let (shown, mark) = self.window();
        // The place stands in the title as file:line:column, which terminals and editors make a link of; the snippet
        // repeats only the line, because its own column would count from where a long line was cut.
        let title = self.one_line(lang);
        let mut group = Group::with_title(level.primary_title(title).id(self.code));
        if !shown.is_empty() {
            group = group.element(Snippet::source(shown).line_start(self.line).fold(false).annotation(AnnotationKind::Primary.span(mark)));
        }
        if let Some(suggestion) = &self.suggestion {
            group = group.element(help.message(suggestion.get(lang)));
        }
        out.push_str(&renderer.render(&[group]));
        out.push('\n');
    }

    /// The part of the line that is shown, and the mark within it.
    fn window(&self) -> (String, Range<usize>) {
        let line = &self.source_line;
        let before = line[..self.mark.start].char_indices().rev().nth(LINE_CHARS_AROUND_MAX).map(|(at, _)| at);
        let after = line[self.mark.end..].char_indices().nth(LINE_CHARS_AROUND_MAX).map(|(at, _)| self.mark.end + at);
        let start = before.unwrap_or(0);
        let end = after.unwrap_or(line.len());
        let lead = if before.is_some() { "…" } else { "" };
        let tail = if after.is_some() { "…" } else { "" };
        let shown = format!("{lead}{}{tail}", &line[start..end]);
        (shown, self.mark.start - start + lead.len()..self.mark.end - start + lead.len())
    }
}

/// All faults of one loading, in the order of files and lines.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    left_off: usize,
}

#[derive(Serialize)]
struct FaultJson<'a> {
    severity: Severity,
    code: &'a str,
    file: String,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'a str>,
    source_line: &'a str,
}

impl Faults {
    /// The faults, errors and warnings alike.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
    /// How many more there were than are kept.
    pub fn left_off(&self) -> usize {
        self.left_off
    }
    /// For a terminal: every fault with its place, the line, a mark and a suggestion.
    pub fn render(&self, lang: Lang, color: bool) -> String {
        let mut out = render(&self.faults, lang, color);
        if self.left_off > 0 {
            out.push_str(&match lang {
                Lang::Zh => format!("另有 {} 处未列出。\n", self.left_off),
                Lang::En => format!("{} more are not listed.\n", self.left_off),
            });
        }
        out
    }
    /// For a program: an array of objects.
    pub fn to_json(&self, lang: Lang) -> serde_json::Value {
        to_json(&self.faults, lang)
    }
}

/// Renders any list of faults, such as the warnings of a configuration that is in force.
pub fn render(faults: &[Fault], lang: Lang, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for fault in faults {
        fault.render_into(lang, &renderer, &mut out);
    }
    out
}

/// Any list of faults as an array of objects.
pub fn to_json(faults: &[Fault], lang: Lang) -> serde_json::Value {
    let list: Vec<_> = faults
        .iter()
        .map(|fault| FaultJson {
            severity: fault.severity,
            code: fault.code,
            file: fault.file.display().to_string(),
            line: fault.line,
            column: fault.column,
            cell: fault.cell.as_deref(),
            text: fault.text.get(lang),
            suggestion: fault.suggestion.as_ref().map(|suggestion| suggestion.get(lang)),
            source_line: &fault.source_line,
        })
        .collect();
    serde_json::to_value(list).expect("texts and numbers always have a JSON form")
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Lang::default(), false))
    }
}

impl std::error::Error for Faults {}

/// Gathers faults while files are read; nothing stops at the first.
#[derive(Default)]
pub(crate) struct Sink {
    faults: Vec<Fault>,
    left_off: usize,
    errors: usize,
    /// Faults that are no errors; bounded apart, so that a thousand warnings cannot hide the error.
    others: usize,
}

impl Sink {
    pub(crate) fn push(&mut self, fault: Fault) {
        let count = if fault.severity == Severity::Error { &mut self.errors } else { &mut self.others };
        *count += 1;
        if *count <= FAULTS_MAX {
            self.faults.push(fault);
        } else {
            self.left_off += 1;
        }
    }
    /// For what one place says of many tags.
    pub(crate) fn push_once(&mut self, fault: Fault) {
        // A list without any rationalisation has a hundred thousand of them: places are compared first.
        let is_known = |other: &Fault| (other.line, other.column) == (fault.line, fault.column) && *other == fault;
        if !self.faults.iter().any(is_known) {
            self.push(fault);
        }
    }
    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }
    /// For the fault that another must already have explained.
    pub(crate) fn push_if_clean(&mut self, fault: Fault) {
        if self.errors == 0 {
            self.push(fault);
        }
    }
    /// One that goes on from here on another thread; [`Self::take_in`] brings back what it gathered.
    pub(crate) fn beside(&self) -> Self {
        Self { errors: self.errors, others: self.others, ..Self::default() }
    }
    /// Takes in what one [`Self::beside`] has gathered that began where `begin` stood.
    pub(crate) fn take_in(&mut self, gathered: Self, begin: &Self) {
        let listed = gathered.faults.len();
        let listed_errors = gathered.faults.iter().filter(|fault| fault.severity == Severity::Error).count();
        gathered.faults.into_iter().for_each(|fault| self.push(fault));
        self.errors += gathered.errors - begin.errors - listed_errors;
        self.others += gathered.others - begin.others - (listed - listed_errors);
        self.left_off += gathered.left_off;
    }
    /// The warnings when there is no error, else everything.
    pub(crate) fn finish(mut self) -> Result<Vec<Fault>, Faults> {
        self.faults.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        if self.errors > 0 {
            return Err(Faults { faults: self.faults, left_off: self.left_off });
        }
        if let Some(last) = self.faults.last().filter(|_| self.left_off > 0) {
            let (zh, en) = (format!("另有 {} 处未列出", self.left_off), format!("{} more are not listed", self.left_off));
            let more = Fault { code: "more", text: text(zh, en), suggestion: None, ..last.clone() };
            self.faults.push(more);
        }
        Ok(self.faults)
    }
}
