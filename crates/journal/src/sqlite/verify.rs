//! Walks the journal's chain and names the first row that breaks it.
//!
//! Only looks, also while the engine runs: it reads in short stretches, so that it never keeps the write-ahead log from being
//! emptied. What it can and cannot prove stands at the head of the `chain` module.

use super::anchor::{Anchor, anchor};
use super::connection::{self, DATABASE_FILE, Role, failed};
use super::cut::{Announcement, Begin};
use super::{Tail, schema, signed, unsigned};
use crate::chain::{ChainHash, Link};
use crate::{EntryKind, Piece, StoreError};
use model::{Duration, Timestamp};
use rusqlite::{CachedStatement, Connection, Row, TransactionBehavior, params};
use std::fmt;
use std::path::Path;

/// How far the clock of a machine may be behind that of the engine.
const CLOCKS_DIFFER: Duration = Duration::from_mins(24 * 60);
/// Rows read in one stretch.
const STRETCH_ROWS: usize = 5_000;

/// What is wrong at the first row that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The row's content is not what was hashed.
    Edited,
    /// The row is gone, others follow.
    Missing,
    /// The row is whole but does not follow from the one before: moved, inserted, or the one before was replaced.
    Displaced,
    /// The journal ends before it: its end was cut off, or this is an older copy.
    Truncated,
    /// The row stands behind the recorded end.
    Unrecorded,
    /// The chain is whole, but here it is not the one that was written down: it was computed anew.
    Rewritten,
    /// The journal begins here, and no row of the chain says that those before are past their retention.
    Unannounced,
    /// The file is damaged here.
    Unreadable,
}

impl Fault {
    /// The name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Displaced => "displaced",
            Self::Truncated => "truncated",
            Self::Unrecorded => "unrecorded",
            Self::Rewritten => "rewritten",
            Self::Unannounced => "unannounced",
            Self::Unreadable => "unreadable",
        }
    }
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Edited => "内容被改动",
            Self::Missing => "记录缺失",
            Self::Displaced => "顺序被改动或被插入",
            Self::Truncated => "末尾被截断或为旧副本",
            Self::Unrecorded => "超出已登记的末尾",
            Self::Rewritten => "整链被重算",
            Self::Unannounced => "开头被删除且无删除公告",
            Self::Unreadable => "文件损坏，无法读取",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first row that breaks the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Which.
    pub seq: u64,
    /// How.
    pub why: Fault,
}

/// What a walk over the journal found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of the first row: above 1 where those before are past their retention, as the chain says.
    pub first: u64,
    /// When the newest of those before happened, and when it was said that they go.
    pub past: Option<(Timestamp, Timestamp)>,
    /// Rows that were found in order.
    pub rows: u64,
    /// The hash of the last of them: compare it with one written down elsewhere.
    pub head: ChainHash,
    /// The first that was not.
    pub first_bad: Option<Bad>,
    /// Every row is found by its key and its case, so a timeline shows all there is.
    pub indexes_intact: bool,
    /// The triggers that refuse edits stand as they were made.
    pub guards_intact: bool,
    /// Anchors the journal was compared with.
    pub anchors: usize,
    /// Anchors of rows that are past their retention: nothing is left to compare them with.
    pub anchors_past: usize,
}

impl VerifyReport {
    /// Nothing at all was found.
    pub fn is_intact(&self) -> bool {
        self.first_bad.is_none() && self.indexes_intact && self.guards_intact
    }
}

/// What [`verify`] compares a journal with besides what lies in its folder: what a forger could not reach.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Anchors that were kept elsewhere.
    pub anchors: Vec<Anchor>,
    /// The present: who says that rows are past their retention did not write that tomorrow.
    pub now: Timestamp,
}

/// Verifies the journal in `dir` against its own head, the anchor beside it and what is known outside. `progress` is told rows done and
/// rows in all.
pub fn verify(dir: &Path, outside: &Outside, mut progress: impl FnMut(u64, u64)) -> Result<VerifyReport, StoreError> {
    if !dir.join(DATABASE_FILE).exists() {
        return Err(StoreError::Version(format!("{} holds no journal", dir.display())));
    }
    // Before the walk: the engine may be running, and the journal's end only grows.
    let mut anchors = outside.anchors.clone();
    anchors.extend(anchor(dir)?);
    anchors.sort_by_key(|anchor| anchor.seq);
    let mut connection = connection::open(dir, Role::Reader)?;
    let mut walk = Walk { begin: None, said: None, last: 0, head: ChainHash::START, anchors: &anchors, indexes_intact: true };
    let first_bad = loop {
        match stretch(&mut connection, &mut walk, &mut progress)? {
            Step::More => {}
            Step::End => break None,
            Step::Bad(bad) => break Some(bad),
        }
    };
    let guards_intact = schema::guards_intact(&connection).map_err(failed)?;
    let Walk { begin, said, last, head, indexes_intact, .. } = walk;
    let begin = begin.unwrap_or(Begin::START);
    let gone = || anchors.iter().filter(|anchor| anchor.seq < begin.after);
    let is_explained = |said: &Announcement| {
        said.explains(begin) && said.at <= outside.now + CLOCKS_DIFFER && gone().all(|anchor| anchor.at.is_none_or(|at| said.covers(at)))
    };
    let first_bad = match first_bad {
        None if begin.after > 0 && !said.as_ref().is_some_and(is_explained) => Some(Bad { seq: begin.after + 1, why: Fault::Unannounced }),
        first_bad => first_bad,
    };
    let anchors_past = gone().count();
    Ok(VerifyReport {
        first: begin.after + 1,
        past: said.map(|said| (said.piece.newest, said.at)),
        rows: last.saturating_sub(begin.after),
        head,
        first_bad,
        indexes_intact,
        guards_intact,
        anchors: anchors.len() - anchors_past,
        anchors_past,
    })
}

struct Walk<'a> {
    /// Known from the first stretch on.
    begin: Option<Begin>,
    /// The row that says why it begins there.
    said: Option<Announcement>,
    /// The last row that was in order.
    last: u64,
    head: ChainHash,
    /// Those still ahead, nearest first.
    anchors: &'a [Anchor],
    indexes_intact: bool,
}

enum Step {
    More,
    End,
    Bad(Bad),
}

/// Reads one stretch in one transaction; the last one compares with the head as of the same moment.
fn stretch(connection: &mut Connection, walk: &mut Walk<'_>, progress: &mut impl FnMut(u64, u64)) -> Result<Step, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(failed)?;
    let unreadable = |walk: &Walk<'_>| Ok(Step::Bad(Bad { seq: walk.last + 1, why: Fault::Unreadable }));
    let tail = Tail::read(&transaction).map_err(failed)?;
    let begin = match walk.begin {
        Some(begin) => begin,
        None => {
            let begin = match Begin::read(&transaction) {
                Err(error) if is_damage(&error) => return unreadable(walk),
                begin => begin.map_err(failed)?,
            };
            (walk.last, walk.head) = (begin.after, begin.hash);
            while let Some((anchor, ahead)) = walk.anchors.split_first()
                && anchor.seq <= begin.after
            {
                if anchor.seq == begin.after && anchor.seq > 0 && anchor.hash != begin.hash {
                    return Ok(Step::Bad(Bad { seq: begin.after, why: Fault::Rewritten }));
                }
                walk.anchors = ahead;
            }
            *walk.begin.insert(begin)
        }
    };
    let mut statement = transaction
        .prepare_cached(
            "SELECT seq, stream, kind, format, key, subject, at, bytes, prev, hash FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .map_err(failed)?;
    // The first stretch starts below any number, so that a row slipped in before the first is met.
    let after = if walk.last == begin.after { i64::MIN } else { signed(walk.last) };
    let mut found = statement.query(params![after, signed(STRETCH_ROWS as u64)]).map_err(failed)?;
    let mut indexes = Indexes::prepare(&transaction);
    let mut read = 0;
    loop {
        let row = match found.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) if is_damage(&error) => return unreadable(walk),
            Err(error) => return Err(failed(error)),
        };
        read += 1;
        if let Some(bad) = walk.row(row, &tail) {
            return Ok(Step::Bad(bad));
        }
        walk.indexes_intact &= indexes.as_mut().is_ok_and(|indexes| indexes.find(row).unwrap_or(false));
    }
    progress(walk.last - begin.after, unsigned(tail.last_seq).max(walk.last) - begin.after);
    if read == STRETCH_ROWS {
        return Ok(Step::More);
    }
    Ok(walk.end(&tail).map_or(Step::End, Step::Bad))
}

impl Walk<'_> {
    fn row(&mut self, row: &Row<'_>, tail: &Tail) -> Option<Bad> {
        let expected = self.last + 1;
        let bad = |seq, why| Some(Bad { seq, why });
        let seq = row.get::<_, i64>(0).unwrap_or(i64::MIN);
        if seq > signed(expected) {
            return bad(expected, Fault::Missing);
        }
        if seq < signed(expected) {
            return bad(unsigned(seq), Fault::Displaced);
        }
        // A column of another type than was written cannot be what was hashed.
        let Ok((hash, computed, prev)) = hashes(row, seq) else { return bad(expected, Fault::Edited) };
        if computed != hash {
            return bad(expected, Fault::Edited);
        }
        if prev != self.head {
            return bad(expected, Fault::Displaced);
        }
        if seq > tail.last_seq {
            return bad(expected, Fault::Unrecorded);
        }
        while let Some((anchor, ahead)) = self.anchors.split_first()
            && anchor.seq <= expected
        {
            if anchor.seq == expected && anchor.hash != hash {
                return bad(expected, Fault::Rewritten);
            }
            self.anchors = ahead;
        }
        if row.get_ref(2).is_ok_and(|kind| kind.as_bytes() == Ok(EntryKind::Cut.name().as_bytes())) {
            self.note_announcement(row);
        }
        self.last = expected;
        self.head = hash;
        None
    }

    /// Keeps the row where it announces the rows before the beginning.
    fn note_announcement(&mut self, row: &Row<'_>) {
        let piece = row.get::<_, Vec<u8>>(7).ok().and_then(|bytes| Piece::announced(&bytes));
        if let (Some(piece), Some(begin), Ok(at)) = (piece, self.begin, row.get(6))
            && piece.through == begin.after
        {
            self.said = Some(Announcement { piece, at: Timestamp(at) });
        }
    }

    fn end(&self, tail: &Tail) -> Option<Bad> {
        let furthest = self.anchors.last().map_or(0, |anchor| anchor.seq).max(unsigned(tail.last_seq));
        if furthest > self.last {
            return Some(Bad { seq: self.last + 1, why: Fault::Truncated });
        }
        (tail.head != self.head).then_some(Bad { seq: self.last, why: Fault::Rewritten })
    }
}

/// Finds each row as readers do. Row by row and not by SQLite's own check, which would read the whole journal in one go and keep
/// the write-ahead log from being emptied meanwhile.
struct Indexes<'c> {
    by_key: CachedStatement<'c>,
    by_subject: CachedStatement<'c>,
}

impl<'c> Indexes<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            by_key: connection.prepare_cached("SELECT 1 FROM journal INDEXED BY journal_key WHERE key = ?1 AND seq = ?2")?,
            by_subject: connection.prepare_cached("SELECT 1 FROM journal INDEXED BY journal_subject WHERE subject = ?1 AND seq = ?2")?,
        })
    }
    fn find(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let seq: i64 = row.get(0)?;
        let found =
            |statement: &mut CachedStatement<'_>, text: Option<&str>| text.map_or(Ok(true), |text| statement.exists(params![text, seq]));
        Ok(found(&mut self.by_key, row.get_ref(4)?.as_str_or_null()?)? && found(&mut self.by_subject, row.get_ref(5)?.as_str_or_null()?)?)
    }
}

/// The stored hash, the one its content has, and the stored hash of the row before.
pub(super) fn hashes(row: &Row<'_>, seq: i64) -> rusqlite::Result<(ChainHash, ChainHash, ChainHash)> {
    let prev = ChainHash(row.get(8)?);
    let link = Link {
        stream: row.get_ref(1)?.as_str()?,
        seq,
        kind: row.get_ref(2)?.as_str()?,
        format: row.get(3)?,
        key: row.get_ref(4)?.as_str_or_null()?,
        subject: row.get_ref(5)?.as_str_or_null()?,
        at: row.get(6)?,
        bytes: row.get_ref(7)?.as_blob()?,
        prev,
    };
    Ok((ChainHash(row.get(9)?), link.hash(), prev))
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::SystemIoFailure))
}
