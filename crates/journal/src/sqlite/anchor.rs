//! The anchor: where the journal ended a moment ago, in a file of its own.
//!
//! The chain proves that nothing before its head was changed; it cannot prove that the head is the newest there was. The anchor
//! beside the database shows a journal that was cut off or put back to an older copy. It lies in the same folder, so it holds
//! against accidents and against the hurried, not against somebody who rewrites both: for that, keep its text elsewhere.

use super::cut::{Announcement, Begin};
use super::verify::is_damage;
use super::{STREAM, Tail, signed, unsigned};
use crate::{ChainHash, StoreError};
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const ANCHOR_FILE: &str = "journal.head";
const ANCHOR_FILE_NEW: &str = "journal.head.new";

/// A place of the journal that was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Which row.
    pub seq: u64,
    /// Its hash then.
    pub hash: ChainHash,
    /// When that row happened, where it was written down too.
    pub at: Option<Timestamp>,
}

impl Anchor {
    /// Lines: what it is, the row, its hash, and when it happened in microseconds since 1970.
    pub fn to_text(self) -> String {
        let at = self.at.map_or_else(String::new, |at| format!("{}\n", at.0));
        format!("watchfire/journal/{STREAM}\n{}\n{}\n{at}", self.seq, self.hash)
    }
    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == format!("watchfire/journal/{STREAM}")).then_some(())?;
        let (seq, hash) = (lines.next()?.parse().ok()?, ChainHash::parse(lines.next()?)?);
        let at = lines.next().map(str::parse).transpose().ok()?.map(Timestamp);
        lines.next().is_none().then_some(Self { seq, hash, at })
    }
    /// The journal's end as the database records it.
    fn of_end(connection: &Connection) -> rusqlite::Result<Self> {
        let Tail { last_seq, head, .. } = Tail::read(connection)?;
        let at = connection.prepare_cached("SELECT at FROM journal WHERE seq = ?1")?.query_row([last_seq], |row| row.get(0)).optional()?;
        Ok(Self { seq: unsigned(last_seq), hash: head, at: at.map(Timestamp) })
    }
}

/// The anchor that stands beside the journal in `dir`, if there is one.
pub fn anchor(dir: &Path) -> Result<Option<Anchor>, StoreError> {
    let path = dir.join(ANCHOR_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => Anchor::parse(&text)
            .map(Some)
            .ok_or_else(|| StoreError::Version(format!("{} is not an anchor of this journal", path.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Fatal(format!("{}: {error}", path.display()))),
    }
}

/// Says how the journal contradicts an anchor.
pub(super) fn contradiction(connection: &Connection, anchor: &Anchor) -> rusqlite::Result<Option<String>> {
    if anchor.seq == 0 {
        return Ok(None);
    }
    let begin = Begin::read(connection)?;
    if begin.after > 0 {
        let said = Announcement::find(connection, begin.after)?.filter(|said| said.explains(begin));
        let Some(said) = said else {
            return Ok(Some(format!("the journal begins at row {}, and no row of it says why", begin.after + 1)));
        };
        let is_gone = anchor.seq < begin.after && anchor.at.is_none_or(|at| said.covers(at));
        if is_gone || (anchor.seq, anchor.hash) == (begin.after, begin.hash) {
            return Ok(None);
        }
    }
    let found: Option<ChainHash> = connection
        .prepare_cached("SELECT hash FROM journal WHERE seq = ?1")?
        .query_row([signed(anchor.seq)], |row| row.get(0).map(ChainHash))
        .optional()?;
    Ok(match found {
        Some(hash) if hash == anchor.hash => None,
        Some(_) => Some(format!("row {} of the journal is not the one that was anchored", anchor.seq)),
        None => Some(format!("the journal once reached row {} and no longer does: cut off, or an older copy", anchor.seq)),
    })
}

/// Writes the anchor file, from the engine's thread at a clean stop and from the checkpointer's in between.
pub(super) struct Anchoring {
    dir: PathBuf,
    /// What was written last; `Err` when the file contradicts the journal. It is evidence then and is left alone.
    last: Mutex<Result<Option<Anchor>, String>>,
}

impl Anchoring {
    pub fn start(dir: &Path, connection: &Connection) -> Result<Self, StoreError> {
        // Rows that cannot be read are evidence as well, and no reason not to start.
        let contradiction = |anchor: &Anchor| match contradiction(connection, anchor) {
            Err(error) if is_damage(&error) => Ok(Some(format!("rows of the journal cannot be read: {error}"))),
            found => found.map_err(super::failed),
        };
        let recorded = Anchor::of_end(connection).map_err(super::failed)?;
        let last = match anchor(dir) {
            Ok(anchor) => match (contradiction(&recorded)?, anchor.as_ref().map(contradiction).transpose()?.flatten()) {
                (None, None) => Ok(anchor),
                (Some(why), _) | (None, Some(why)) => Err(why),
            },
            Err(StoreError::Version(why)) => Err(why),
            Err(error) => return Err(error),
        };
        if let Err(why) = &last {
            tracing::error!(why, "the journal is not what it was: run `watchfire verify`");
        }
        Ok(Self { dir: dir.to_owned(), last: Mutex::new(last) })
    }
    /// Why the anchor is no longer written.
    pub fn contradiction(&self) -> Option<String> {
        self.last.lock().expect("nothing panics while it holds this lock").as_ref().err().cloned()
    }
    /// Writes down where the journal ends, if that is news. What `connection` sees is on the disk already.
    pub fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut last = self.last.lock().expect("nothing panics while it holds this lock");
        let Ok(written) = &mut *last else { return Ok(()) };
        let anchor = Anchor::of_end(connection).map_err(super::failed)?;
        if written.is_some_and(|written| written.seq >= anchor.seq) {
            return Ok(());
        }
        replace(&self.dir, &anchor.to_text()).map_err(|error| StoreError::Fatal(format!("{ANCHOR_FILE}: {error}")))?;
        *written = Some(anchor);
        Ok(())
    }
}

/// A power cut leaves the old text or the new one, never a half.
fn replace(dir: &Path, text: &str) -> std::io::Result<()> {
    let new = dir.join(ANCHOR_FILE_NEW);
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, dir.join(ANCHOR_FILE))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_read_back_and_nothing_else_is() {
        let anchor = Anchor { seq: 17, hash: ChainHash([0xab; 32]), at: Some(Timestamp(-5)) };
        assert_eq!(Anchor::parse(&anchor.to_text()), Some(anchor));
        let timeless = Anchor { at: None, ..anchor };
        assert_eq!(Anchor::parse(&timeless.to_text()), Some(timeless));
        for text in ["", "watchfire/journal/main\n17\n", "watchfire/journal/other\n17\nab", "watchfire/journal/main\nx\n00\n"] {
            assert_eq!(Anchor::parse(text), None, "{text:?}");
        }
        assert_eq!(Anchor::parse(&format!("{}more\n", anchor.to_text())), None);
    }
}
