//! What is wrong with a text, where, and what to write instead.

use std::fmt;
use std::ops::Range;

/// The first thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The bytes of the text that are meant.
    pub at: Range<usize>,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
    /// What to write instead, in both.
    pub help: Option<(String, String)>,
}

impl Fault {
    pub(crate) fn new(at: Range<usize>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { at, zh: zh.into(), en: en.into(), help: None }
    }
    pub(crate) fn help(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.help = Some((zh.into(), en.into()));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}: {} · {}", self.at.start, self.at.end, self.zh, self.en)?;
        if let Some((zh, en)) = &self.help {
            write!(f, " ({zh} · {en})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
