//! The history for those who only look: chunk by chunk of one tag, of all tags, or reading by reading in the order of the engine.
//!
//! Each question is answered from one state of the file, so a chunk is never seen twice while the writer makes larger ones. A
//! chunk is handed out with its summary; its readings are decoded when they are asked for.

use super::chunk::{Columns, Summary, View};
use super::stored::{Pool, STORED, Stored, Unreadable, checked};
use super::tape::Tape;
use super::trend::{self, Trend};
use super::{Damage, Gap, GapReason, HISTORY_FILE, HistoryReading, tail};
use crate::StoreError;
use crate::sqlite::connection::{self, Role, failed};
use model::{TagId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// Whether to go on to the next chunk or reading.
pub type Visit = ControlFlow<()>;

/// A reader of the history in one folder, in the engine's process or in another one. One thread at a time; open more for more.
pub struct HistoryReader {
    connection: Connection,
    pool: Pool,
    damaged: Vec<Damaged>,
}

/// What could not be read and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Whose readings; none where that is not known either.
    pub tag: Option<TagId>,
    /// First `now` at which one was taken.
    pub from: Timestamp,
    /// Last.
    pub to: Timestamp,
    /// What is wrong.
    pub why: Damage,
}

/// Some thousand readings of one tag.
pub struct Chunk<'a> {
    /// Whose.
    pub tag: &'a TagId,
    /// What is known without decoding. It covers the whole chunk, also where only a part of it was asked for.
    pub summary: &'a Summary,
    from: Timestamp,
    to: Timestamp,
    held: Held<'a>,
}

enum Held<'a> {
    Stored { connection: &'a Connection, pool: &'a mut Pool, stored: &'a Stored },
    Tail(View<'a>),
}

impl Chunk<'_> {
    /// Whether all its readings were asked for, so that the summary is exactly theirs.
    pub fn is_whole(&self) -> bool {
        self.summary.first_taken >= self.from && self.summary.last_taken < self.to
    }
    /// The readings that were asked for. A damaged chunk is to be skipped.
    pub fn read(&mut self) -> Result<View<'_>, Unreadable> {
        let view = match &mut self.held {
            Held::Stored { connection, pool, stored } => pool.view(connection, stored)?,
            Held::Tail(view) => *view,
        };
        Ok(view.between(self.from, self.to))
    }
}

/// The chunks a question is about: as the engine took them, or as they were measured.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Taken(Timestamp, Timestamp),
    Measured(Timestamp, Timestamp),
}

impl Asked {
    const fn condition(self) -> &'static str {
        match self {
            Self::Taken(..) => "first_taken < ?3 AND last_taken >= ?2",
            Self::Measured(..) => "first_source < ?3 AND last_source >= ?2",
        }
    }
    const fn bounds(self) -> (Timestamp, Timestamp) {
        match self {
            Self::Taken(from, to) | Self::Measured(from, to) => (from, to),
        }
    }
    /// What of a chunk is handed out.
    const fn clip(self) -> (Timestamp, Timestamp) {
        match self {
            Self::Taken(from, to) => (from, to),
            Self::Measured(..) => (Timestamp::MIN, Timestamp::MAX),
        }
    }
}

impl HistoryReader {
    /// Opens the history in `dir`; none when no engine has kept one there.
    pub fn open(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(HISTORY_FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let connection = connection::open_file(&path, Role::Reader)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'chunks'", [], |row| row.get(0)).map_err(failed)?;
        // Between making the file and its tables there is a moment.
        Ok((tables > 0).then(|| Self { connection, pool: Pool::default(), damaged: Vec::new() }))
    }

    /// Tags that ever had a reading, by id.
    pub fn tags(&self) -> Result<Vec<TagId>, StoreError> {
        let tags: Result<Vec<TagId>, _> = self
            .connection
            .prepare_cached("SELECT enterprise, tag FROM tags ORDER BY enterprise, tag")
            .and_then(|mut statement| statement.query_map([], tag_id)?.collect());
        let mut tags = tags.map_err(failed)?;
        tags.sort();
        Ok(tags)
    }

    /// The first and the last `now` at which a stored reading was taken.
    pub fn span(&self) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        let of = |sql: &str| -> Result<Option<Timestamp>, StoreError> {
            self.connection.query_row(sql, [], |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp))).map_err(failed)
        };
        let first = of("SELECT min(at) FROM (SELECT min(first_taken) AS at FROM segments UNION ALL SELECT min(first_taken) FROM tail)")?;
        let last = of("SELECT max(at) FROM (SELECT max(last_taken) AS at FROM segments UNION ALL SELECT max(last_taken) FROM tail)")?;
        Ok(first.zip(last))
    }

    /// Recorded gaps that reach into `[from, to)`, earliest first.
    pub fn gaps(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Gap>, StoreError> {
        let sql = "SELECT first_at, last_at, lost, why FROM gaps WHERE first_at < ?2 AND last_at >= ?1 ORDER BY first_at, id";
        let gap = |row: &rusqlite::Row<'_>| {
            let lost: Option<i64> = row.get(2)?;
            // An unknown reason is one of a later program; that readings are missing is what matters.
            let why = GapReason::parse(row.get_ref(3)?.as_str()?).unwrap_or(GapReason::Damage);
            Ok(Gap { from: Timestamp(row.get(0)?), to: Timestamp(row.get(1)?), lost: lost.map(i64::unsigned_abs), why })
        };
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.query_map([from.0, to.0], gap)?.collect()).map_err(failed)
    }

    /// What the questions so far met with and left out.
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    /// The chunks of one tag with readings taken in `[from, to)`, in the order in which they were taken.
    pub fn chunks<E: From<StoreError>>(
        &mut self,
        tag: &TagId,
        from: Timestamp,
        to: Timestamp,
        mut visit: impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<(), E> {
        self.asked(tag, Asked::Taken(from, to), &mut visit)
    }

    /// The chunks of one tag with readings measured in `[from, to)`, whole: which of their readings were is for the caller to look.
    pub fn measured<E: From<StoreError>>(
        &mut self,
        tag: &TagId,
        from: Timestamp,
        to: Timestamp,
        mut visit: impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<(), E> {
        self.asked(tag, Asked::Measured(from, to), &mut visit)
    }

    /// All chunks with readings taken in `[from, to)`. Tags that are sent together come together, each one's chunks in the order
    /// in which they were taken: so their times are decoded once for all of them.
    pub fn scan<E: From<StoreError>>(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        mut visit: impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<(), E> {
        let Self { connection, pool, damaged } = self;
        let state = connection.unchecked_transaction().map_err(failed)?;
        let mut look = Look { connection: &state, pool, damaged, asked: Asked::Taken(from, to) };
        let mut groups: BTreeMap<i64, BTreeMap<i64, TagId>> = BTreeMap::new();
        for (id, group, tag) in members(&state).map_err(failed)? {
            groups.entry(group).or_default().insert(id, tag);
        }
        for (group, tags) in groups {
            let segments: Result<Vec<i64>, _> = state
                .prepare_cached("SELECT id FROM segments WHERE grp = ?1 AND first_taken < ?3 AND last_taken >= ?2 ORDER BY id")
                .and_then(|mut statement| statement.query_map([group, from.0, to.0], |row| row.get(0))?.collect());
            for segment in segments.map_err(failed)? {
                for (id, tag) in &tags {
                    let Some(stored) = Stored::find(&state, *id, segment).map_err(failed)? else { continue };
                    if stored.first_taken < to && stored.last_taken >= from && look.stored(tag, &stored, &mut visit)?.is_break() {
                        return Ok(());
                    }
                }
            }
            let tail = look.tail(group)?;
            for (id, tag) in &tags {
                if let Some(columns) = tail.get(id)
                    && look.gathered(tag, columns, &mut visit)?.is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All readings of `tags` taken in `[from, to)` in the order in which the engine took them; the index of a reading is its tag's
    /// place in `tags`.
    pub fn merged<E: From<StoreError>>(
        &mut self,
        tags: &[TagId],
        from: Timestamp,
        to: Timestamp,
        mut visit: impl FnMut(&HistoryReading) -> Result<Visit, E>,
    ) -> Result<(), E> {
        self.tape(tags, from, to)?.merge(&mut visit)
    }

    /// All readings of `tags` taken in `[from, to)`, each tag to be gone through at its own pace.
    pub fn tape(&mut self, tags: &[TagId], from: Timestamp, to: Timestamp) -> Result<Tape<'_>, StoreError> {
        let Self { connection, pool, damaged } = self;
        let state = connection.unchecked_transaction().map_err(failed)?;
        Tape::new(state, pool, damaged, tags, (from, to))
    }

    /// Lowest, highest and last values of a tag measured in `[from, to)`, in at most `points` points.
    pub fn trend(&mut self, tag: &TagId, from: Timestamp, to: Timestamp, points: usize) -> Result<Trend, StoreError> {
        let mut buckets = trend::Buckets::new(from, to, points);
        self.asked(tag, Asked::Measured(from, to), &mut |chunk: &mut Chunk<'_>| {
            buckets.add(chunk)?;
            Ok::<_, StoreError>(Visit::Continue(()))
        })?;
        Ok(buckets.finish())
    }

    fn asked<E: From<StoreError>>(
        &mut self,
        tag: &TagId,
        asked: Asked,
        visit: &mut impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<(), E> {
        let Self { connection, pool, damaged } = self;
        let state = connection.unchecked_transaction().map_err(failed)?;
        let mut look = Look { connection: &state, pool, damaged, asked };
        let place: Option<(i64, i64)> = state
            .prepare_cached("SELECT id, grp FROM tags WHERE enterprise = ?1 AND tag = ?2")
            .and_then(|mut statement| {
                statement.query_row(params![tag.enterprise.as_str(), tag.tag], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(failed)?;
        let Some((id, group)) = place else { return Ok(()) };
        let (from, to) = asked.bounds();
        let sql = format!("SELECT {STORED} FROM chunks WHERE tag = ?1 AND {} ORDER BY segment", asked.condition());
        let mut statement = state.prepare_cached(&sql).map_err(failed)?;
        let mut rows = statement.query([id, from.0, to.0]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let stored = Stored::read(row).map_err(failed)?;
            if look.stored(tag, &stored, visit)?.is_break() {
                return Ok(());
            }
        }
        if let Some(columns) = look.tail(group)?.get(&id) {
            let _ = look.gathered(tag, columns, visit)?;
        }
        Ok(())
    }
}

/// One question.
pub(super) struct Look<'a> {
    pub connection: &'a Connection,
    pub pool: &'a mut Pool,
    pub damaged: &'a mut Vec<Damaged>,
    pub asked: Asked,
}

impl Look<'_> {
    fn stored<E: From<StoreError>>(
        &mut self,
        tag: &TagId,
        stored: &Stored,
        visit: &mut impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<Visit, E> {
        let made;
        let summary = match &stored.summary {
            Ok(summary) => summary,
            // What it said can be made again from the readings.
            Err(_) => match self.pool.view(self.connection, stored) {
                Ok(view) => {
                    made = Summary::of(view);
                    let Some(summary) = &made else { return Ok(Visit::Continue(())) };
                    summary
                }
                Err(Unreadable::Damage(why)) => {
                    note(self.damaged, Damaged { tag: Some(tag.clone()), from: stored.first_taken, to: stored.last_taken, why });
                    return Ok(Visit::Continue(()));
                }
                Err(Unreadable::Store(error)) => return Err(error.into()),
            },
        };
        let (from, to) = self.asked.clip();
        let held = Held::Stored { connection: self.connection, pool: self.pool, stored };
        visit(&mut Chunk { tag, summary, from, to, held })
    }

    /// The readings of a group that are in no chunk yet.
    pub fn tail(&mut self, group: i64) -> Result<BTreeMap<i64, Columns>, StoreError> {
        let mut tail = BTreeMap::new();
        let sql = "SELECT first_taken, last_taken, crc, bytes FROM tail WHERE grp = ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query([group]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if let Err(why) = checked(row, 2, 3).and_then(|bytes| tail::get(bytes, &mut tail)) {
                let time = |column| row.get(column).map(Timestamp).map_err(failed);
                note(self.damaged, Damaged { tag: None, from: time(0)?, to: time(1)?, why });
            }
        }
        Ok(tail)
    }

    fn gathered<E: From<StoreError>>(
        &mut self,
        tag: &TagId,
        columns: &Columns,
        visit: &mut impl FnMut(&mut Chunk<'_>) -> Result<Visit, E>,
    ) -> Result<Visit, E> {
        let (from, to) = self.asked.clip();
        let view = columns.view();
        let Some(summary) = Summary::of(view) else { return Ok(Visit::Continue(())) };
        if summary.first_taken >= to || summary.last_taken < from {
            return Ok(Visit::Continue(()));
        }
        visit(&mut Chunk { tag, summary: &summary, from, to, held: Held::Tail(view) })
    }
}

/// The same chunk may be met more than once.
pub(super) fn note(damaged: &mut Vec<Damaged>, one: Damaged) {
    if !damaged.contains(&one) {
        damaged.push(one);
    }
}

pub(super) fn members(connection: &Connection) -> rusqlite::Result<Vec<(i64, i64, TagId)>> {
    let mut statement = connection.prepare_cached("SELECT enterprise, tag, id, grp FROM tags")?;
    let rows = statement.query_map([], |row| Ok((row.get(2)?, row.get(3)?, tag_id(row)?)))?;
    rows.collect()
}

fn tag_id(row: &rusqlite::Row<'_>) -> rusqlite::Result<TagId> {
    Ok(TagId::new(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))
}
