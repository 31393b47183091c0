//! The file of the history as its one writer sees it: the tail grows with every write, and what fills up is made into chunks.
//!
//! Making chunks is work for idle moments and is done a tag at a time ([`HistoryStore::work`]), so that the tail is never late.
//! Four segments of one level become one of the next as long as no chunk gets longer than [`CHUNK_READINGS_MAX`]: every reading
//! is compressed three times or so, and a tag that speaks once a minute ends in long chunks too. What a job made becomes visible,
//! and what it was made from goes away, in one transaction.

use super::chunk::{self, Arrivals, CHUNK_READINGS_MAX, Columns, Summary, Times};
use super::stored::{Pool, Stored, Unreadable, checked};
use super::{Damage, Gap, GapReason, HISTORY_FILE, HistoryReading, Tags, tail};
use crate::StoreError;
use crate::sqlite::connection::{self, Role, failed};
use crate::sqlite::schema::{self, Migration};
use model::{TagId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// `WtFh`: tells a history from a journal and from any other program's file.
const APPLICATION_ID: i32 = 0x5774_4668;
/// In order; a released one never changes.
const MIGRATIONS: [Migration; 2] = [
    Migration { name: "0001_history", sql: include_str!("sql/0001_history.sql") },
    Migration { name: "0002_whole_until", sql: include_str!("sql/0002_whole_until.sql") },
];
/// Tags of one group.
pub const GROUP_TAGS_MAX: usize = 128;
/// A group's tail is made into chunks at so many readings …
const TAIL_READINGS_MAX: u64 = 32_768;
/// … or so many rows.
const TAIL_ROWS_MAX: u64 = 1_024;
/// Segments of one level that become one of the next.
const MERGED: usize = 4;
/// Pages in the write-ahead log worth working in: 4 MiB.
const LOG_PAGES: i64 = 1_024;
/// Different times, and different arrivals, of one group that are looked through for the same again.
const SHARED_KEPT: usize = 8;

/// The writer's side of the file.
pub(super) struct HistoryStore {
    connection: Connection,
    /// The groups that still take tags, by what they are sent through, with how many they have.
    groups: BTreeMap<String, (i64, usize)>,
    tags: Arc<dyn Tags>,
    /// By the index of the tag; none before its first reading.
    places: Vec<Option<Place>>,
    tails: BTreeMap<i64, Tail>,
    buckets: BTreeMap<i64, Vec<(i64, HistoryReading)>>,
    job: Option<Job>,
    last_taken: Option<Timestamp>,
}

/// Where a tag's readings go.
#[derive(Clone, Copy)]
struct Place {
    tag: i64,
    group: i64,
}

/// How much of a group waits to be made into chunks.
#[derive(Clone, Copy, Default)]
struct Tail {
    rows: u64,
    readings: u64,
}

/// Chunks in the making.
struct Job {
    group: i64,
    /// The last row of the tail that goes in.
    tail_to: Option<i64>,
    tail: BTreeMap<i64, Columns>,
    segments: Vec<i64>,
    level: i64,
    tags: Vec<i64>,
    made: Vec<Made>,
    pieces: Pieces,
    damaged: Vec<Gap>,
    readings: usize,
    pool: Pool,
}

struct Made {
    tag: i64,
    summary: Summary,
    times: usize,
    arrivals: usize,
    own: usize,
}

/// The pieces of a job. Times and arrivals that some tag had before are stored once.
#[derive(Default)]
struct Pieces {
    bytes: Vec<Vec<u8>>,
    times: Vec<(Times, usize)>,
    arrivals: Vec<(usize, Arrivals, usize)>,
}

impl Pieces {
    fn add(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> usize {
        let mut bytes = Vec::new();
        put(&mut bytes);
        self.bytes.push(bytes);
        self.bytes.len() - 1
    }
    fn times(&mut self, columns: &Columns) -> usize {
        if let Some((_, piece)) = self.times.iter().find(|(times, _)| *times == columns.times) {
            return *piece;
        }
        let piece = self.add(|out| chunk::put_times(&columns.times, out));
        keep_some(&mut self.times, (columns.times.clone(), piece));
        piece
    }
    fn arrivals(&mut self, times: usize, columns: &Columns) -> usize {
        if let Some((.., piece)) = self.arrivals.iter().find(|(of, arrivals, _)| *of == times && *arrivals == columns.arrivals) {
            return *piece;
        }
        let piece = self.add(|out| chunk::put_arrivals(&columns.times, &columns.arrivals, out));
        keep_some(&mut self.arrivals, (times, columns.arrivals.clone(), piece));
        piece
    }
}

fn keep_some<T>(kept: &mut Vec<T>, new: T) {
    if kept.len() == SHARED_KEPT {
        kept.remove(0);
    }
    kept.push(new);
}

impl HistoryStore {
    /// Opens the file in `dir` or makes it. Also says up to when it is known to be whole if the last writer did not stop by itself.
    pub fn open(dir: &Path) -> Result<(Self, Option<Timestamp>), StoreError> {
        let path = dir.join(HISTORY_FILE);
        crate::sqlite::create_private(&path).map_err(|error| StoreError::Fatal(format!("{}: {error}", path.display())))?;
        let mut connection = connection::open_file(&path, Role::Writer)?;
        schema::apply(&mut connection, APPLICATION_ID, &MIGRATIONS)?;
        let mut store = Self {
            connection,
            groups: BTreeMap::new(),
            tags: Arc::new(Vec::new()),
            places: Vec::new(),
            tails: BTreeMap::new(),
            buckets: BTreeMap::new(),
            job: None,
            last_taken: None,
        };
        store.load().map_err(failed)?;
        let state = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp)));
        let (clean, whole): (bool, _) =
            store.connection.query_row("SELECT clean_stop, whole_until FROM meta", [], state).map_err(failed)?;
        store.connection.execute("UPDATE meta SET clean_stop = 0", []).map_err(failed)?;
        let broken_off = if clean { None } else { store.last_taken.max(whole) };
        Ok((store, broken_off))
    }

    fn load(&mut self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        // Of groups of one name the last one still takes tags.
        let sql = "SELECT name, groups.id, count(*) FROM groups JOIN tags ON grp = groups.id GROUP BY groups.id ORDER BY groups.id";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.groups.insert(row.get(0)?, (row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs() as usize));
        }
        let mut statement = connection.prepare("SELECT grp, count(*), sum(readings), max(last_taken) FROM tail GROUP BY grp")?;
        let mut rows = statement.query([])?;
        let mut last: Option<i64> = None;
        while let Some(row) = rows.next()? {
            self.tails
                .insert(row.get(0)?, Tail { rows: row.get::<_, i64>(1)?.cast_unsigned(), readings: row.get::<_, i64>(2)?.cast_unsigned() });
            last = last.max(row.get(3)?);
        }
        let of_segments: Option<i64> = connection.query_row("SELECT max(last_taken) FROM segments", [], |row| row.get(0))?;
        self.last_taken = last.max(of_segments).map(Timestamp);
        Ok(())
    }

    /// From here on readings name tags by their indices in these.
    pub fn set_tags(&mut self, tags: Arc<dyn Tags>) -> Result<(), StoreError> {
        let place = |row: &rusqlite::Row<'_>| Ok(Place { tag: row.get(0)?, group: row.get(1)? });
        let mut find = self.connection.prepare_cached("SELECT id, grp FROM tags WHERE enterprise = ?1 AND tag = ?2").map_err(failed)?;
        let mut find = |id: &TagId| find.query_row(params![id.enterprise.as_str(), id.tag], place).optional();
        let places: rusqlite::Result<_> = (0..tags.count()).map(|at| find(tags.id(at))).collect();
        self.places = places.map_err(failed)?;
        self.tags = tags;
        Ok(())
    }

    /// Writes readings in the order in which they were taken; on an error nothing of them is written.
    pub fn append(&mut self, rows: &[HistoryReading]) -> Result<(), StoreError> {
        let Some(last) = rows.last() else { return Ok(()) };
        self.know_tags(rows)?;
        self.buckets.values_mut().for_each(Vec::clear);
        for row in rows {
            // A reading of no known tag is none of ours: the engine makes them from its own plant.
            if let Some(Some(place)) = self.places.get(row.reading.tag.at()) {
                self.buckets.entry(place.group).or_default().push((place.tag, *row));
            }
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        for (group, rows) in &self.buckets {
            for rows in rows.chunks(tail::ROW_READINGS_MAX) {
                insert_tail(&transaction, *group, rows).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)?;
        for (group, rows) in self.buckets.iter().filter(|(_, rows)| !rows.is_empty()) {
            let tail = self.tails.entry(*group).or_default();
            tail.rows += rows.len().div_ceil(tail::ROW_READINGS_MAX) as u64;
            tail.readings += rows.len() as u64;
        }
        self.last_taken = self.last_taken.max(Some(last.taken));
        Ok(())
    }

    /// Gives tags that are met for the first time their ids and groups.
    fn know_tags(&mut self, rows: &[HistoryReading]) -> Result<(), StoreError> {
        let mut new: Vec<usize> =
            rows.iter().map(|row| row.reading.tag.at()).filter(|at| matches!(self.places.get(*at), Some(None))).collect();
        new.sort_unstable();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let mut groups = self.groups.clone();
        let mut placed = Vec::new();
        for at in new {
            let (id, name) = (self.tags.id(at), self.tags.sent_through(at));
            let group = match groups.get_mut(&name) {
                Some((group, tags)) if *tags < GROUP_TAGS_MAX => {
                    *tags += 1;
                    *group
                }
                _ => {
                    transaction.execute("INSERT INTO groups (name) VALUES (?1)", [&name]).map_err(failed)?;
                    let group = transaction.last_insert_rowid();
                    groups.insert(name, (group, 1));
                    group
                }
            };
            transaction
                .execute("INSERT INTO tags (enterprise, tag, grp) VALUES (?1, ?2, ?3)", params![id.enterprise.as_str(), id.tag, group])
                .map_err(failed)?;
            placed.push((at, Place { tag: transaction.last_insert_rowid(), group }));
        }
        transaction.commit().map_err(failed)?;
        self.groups = groups;
        for (at, place) in placed {
            self.places[at] = Some(place);
        }
        Ok(())
    }

    /// Does a little of what is to be done, some milliseconds of work; false when there is nothing.
    pub fn work(&mut self) -> Result<bool, StoreError> {
        let Some(mut job) = self.job.take() else {
            let due = |tail: &Tail| tail.readings >= TAIL_READINGS_MAX || tail.rows >= TAIL_ROWS_MAX;
            let Some(group) = self.tails.iter().find(|(_, tail)| due(tail)).map(|(group, _)| *group) else { return Ok(false) };
            self.job = Some(self.begin(group)?);
            return Ok(true);
        };
        match job.tags.pop() {
            Some(tag) => {
                self.encode(&mut job, tag)?;
                self.job = Some(job);
            }
            None => self.finish(&job)?,
        }
        Ok(true)
    }

    /// Gathers what becomes the next segment of a group: its tail, and older segments of one level with it.
    fn begin(&self, group: i64) -> Result<Job, StoreError> {
        let mut job = Job {
            group,
            tail_to: None,
            tail: BTreeMap::new(),
            segments: Vec::new(),
            level: 0,
            tags: Vec::new(),
            made: Vec::new(),
            pieces: Pieces::default(),
            damaged: Vec::new(),
            readings: 0,
            pool: Pool::default(),
        };
        self.gather_tail(&mut job).map_err(failed)?;
        self.gather_segments(&mut job).map_err(failed)?;
        let mut tags: Vec<i64> = job.tail.keys().copied().collect();
        for segment in &job.segments {
            let mut statement = self.connection.prepare_cached("SELECT tag FROM chunks WHERE segment = ?1").map_err(failed)?;
            let found = statement.query_map([segment], |row| row.get(0)).and_then(Iterator::collect::<rusqlite::Result<Vec<i64>>>);
            tags.extend(found.map_err(failed)?);
        }
        tags.sort_unstable_by(|a, b| b.cmp(a));
        tags.dedup();
        job.tags = tags;
        Ok(job)
    }

    fn gather_tail(&self, job: &mut Job) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, first_taken, last_taken, readings, crc, bytes FROM tail WHERE grp = ?1 ORDER BY id")?;
        let mut rows = statement.query([job.group])?;
        let mut readings = 0;
        while let Some(row) = rows.next()? {
            let count: i64 = row.get(3)?;
            // What would make a chunk too long waits for the next time.
            let longest = job.tail.values().map(Columns::len).max().unwrap_or(0);
            let count = count.unsigned_abs();
            if job.tail_to.is_some() && (readings + count > TAIL_READINGS_MAX || longest as u64 + count > CHUNK_READINGS_MAX as u64) {
                break;
            }
            if let Err(damage) = checked(row, 4, 5).and_then(|bytes| tail::get(bytes, &mut job.tail)) {
                job.damaged.push(damaged(row.get(1)?, row.get(2)?, Some(count), damage));
            }
            readings += count;
            job.tail_to = Some(row.get(0)?);
        }
        job.readings = job.tail.values().map(Columns::len).max().unwrap_or(0);
        Ok(())
    }

    fn gather_segments(&self, job: &mut Job) -> rusqlite::Result<()> {
        let mut statement =
            self.connection.prepare_cached("SELECT id, level, readings FROM segments WHERE grp = ?1 ORDER BY id DESC LIMIT 64")?;
        let newest: Vec<(i64, i64, i64)> =
            statement.query_map([job.group], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<rusqlite::Result<_>>()?;
        let mut older = newest.as_slice();
        while let Some((same, rest)) = older.split_at_checked(MERGED - 1)
            && same.iter().all(|(_, level, _)| *level == job.level)
        {
            let together = same.iter().map(|(_, _, readings)| readings.unsigned_abs() as usize).sum::<usize>() + job.readings;
            if together > CHUNK_READINGS_MAX {
                break;
            }
            job.segments.extend(same.iter().map(|(id, ..)| *id));
            job.readings = together;
            job.level += 1;
            older = rest;
        }
        job.segments.sort_unstable();
        Ok(())
    }

    /// Makes the chunk of one tag.
    fn encode(&self, job: &mut Job, tag: i64) -> Result<(), StoreError> {
        let mut all = Columns::default();
        for segment in &job.segments {
            let Some(stored) = Stored::find(&self.connection, tag, *segment).map_err(failed)? else { continue };
            match job.pool.view(&self.connection, &stored) {
                Ok(view) => all.append(view),
                Err(Unreadable::Store(error)) => return Err(error),
                Err(Unreadable::Damage(damage)) => {
                    let lost = stored.summary.map(|summary| summary.all.count.into()).ok();
                    job.damaged.push(damaged(stored.first_taken.0, stored.last_taken.0, lost, damage));
                }
            }
        }
        if let Some(columns) = job.tail.remove(&tag) {
            all.append(columns.view());
        }
        let Some(summary) = Summary::of(all.view()) else { return Ok(()) };
        let times = job.pieces.times(&all);
        let arrivals = job.pieces.arrivals(times, &all);
        let own = job.pieces.add(|out| chunk::put_own(&all, out));
        job.made.push(Made { tag, summary, times, arrivals, own });
        Ok(())
    }

    fn finish(&mut self, job: &Job) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        insert_segment(&transaction, job).map_err(failed)?;
        if let Some(to) = job.tail_to {
            transaction.execute("DELETE FROM tail WHERE grp = ?1 AND id <= ?2", [job.group, to]).map_err(failed)?;
        }
        for segment in &job.segments {
            delete_segment(&transaction, *segment).map_err(failed)?;
        }
        for gap in &job.damaged {
            insert_gap(&transaction, gap).map_err(failed)?;
        }
        let tail = transaction
            .query_row("SELECT count(*), coalesce(sum(readings), 0) FROM tail WHERE grp = ?1", [job.group], |row| {
                Ok(Tail { rows: row.get::<_, i64>(0)?.cast_unsigned(), readings: row.get::<_, i64>(1)?.cast_unsigned() })
            })
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.tails.insert(job.group, tail);
        Ok(())
    }

    /// Makes chunks of all there is, however little: for those who measure, and before a file is handed on.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        while self.work()? {}
        let groups: Vec<i64> = self.tails.iter().filter(|(_, tail)| tail.rows > 0).map(|(group, _)| *group).collect();
        for group in groups {
            while self.tails.get(&group).is_some_and(|tail| tail.rows > 0) {
                self.job = Some(self.begin(group)?);
                while self.job.is_some() {
                    self.work()?;
                }
            }
        }
        Ok(())
    }

    /// Deletes one segment all of which is older than `before`, or the rest that is; false when nothing was left to do.
    pub fn forget(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        if self.job.is_some() {
            return Ok(false);
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let segment: Option<i64> = transaction
            .query_row("SELECT id FROM segments WHERE last_taken < ?1 LIMIT 1", [before.0], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        let Some(segment) = segment else {
            transaction.execute("DELETE FROM tail WHERE last_taken < ?1", [before.0]).map_err(failed)?;
            transaction.execute("DELETE FROM gaps WHERE last_at < ?1", [before.0]).map_err(failed)?;
            transaction.commit().map_err(failed)?;
            return Ok(false);
        };
        delete_segment(&transaction, segment).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(true)
    }

    /// Records that readings are missing.
    pub fn note_gap(&mut self, gap: &Gap) -> Result<(), StoreError> {
        insert_gap(&self.connection, gap).map_err(failed)
    }

    /// Records that everything taken up to then is written.
    pub fn note_whole(&mut self, until: Timestamp) -> Result<(), StoreError> {
        self.connection.execute("UPDATE meta SET whole_until = ?1", [until.0]).map(drop).map_err(failed)
    }

    /// Newest `now` at which a stored reading was taken.
    pub fn last_taken(&self) -> Option<Timestamp> {
        self.last_taken
    }

    #[cfg(test)]
    pub fn count(&self, sql: &str) -> i64 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Works the write-ahead log into the file where that is worth it.
    pub fn tidy(&self, whatever_there_is: bool) -> Result<(), StoreError> {
        let pages = |row: &rusqlite::Row<'_>| row.get::<_, i64>(1);
        let log = self.connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], pages).map_err(failed)?;
        if log >= LOG_PAGES || whatever_there_is {
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(failed)?;
        }
        Ok(())
    }

    /// Everything that was handed over is written.
    pub fn close(self) -> Result<(), StoreError> {
        self.connection.execute("UPDATE meta SET clean_stop = 1", []).map_err(failed)?;
        self.tidy(true)
    }
}

fn insert_tail(transaction: &Transaction<'_>, group: i64, rows: &[(i64, HistoryReading)]) -> rusqlite::Result<()> {
    let (first, last) = (rows[0].1.taken, rows[rows.len() - 1].1.taken);
    let bytes = tail::put(rows);
    transaction
        .prepare_cached("INSERT INTO tail (grp, readings, first_taken, last_taken, crc, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![group, rows.len() as i64, first.0, last.0, crc32fast::hash(&bytes), bytes])
        .map(drop)
}

fn insert_segment(transaction: &Transaction<'_>, job: &Job) -> rusqlite::Result<()> {
    let first = job.made.iter().map(|made| made.summary.first_taken).min();
    let last = job.made.iter().map(|made| made.summary.last_taken).max();
    let Some((first, last)) = first.zip(last) else { return Ok(()) };
    let readings = job.made.iter().map(|made| made.summary.all.count).max().unwrap_or(0);
    transaction.execute(
        "INSERT INTO segments (grp, level, readings, first_taken, last_taken) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![job.group, job.level, readings, first.0, last.0],
    )?;
    let segment = transaction.last_insert_rowid();
    let mut insert = transaction.prepare_cached("INSERT INTO pieces (segment, crc, bytes) VALUES (?1, ?2, ?3)")?;
    let pieces = job.pieces.bytes.iter().map(|bytes| insert.insert(params![segment, crc32fast::hash(bytes), bytes]));
    let pieces: Vec<i64> = pieces.collect::<rusqlite::Result<_>>()?;
    let mut insert = transaction.prepare_cached("INSERT INTO chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    for made in &job.made {
        let Made { tag, summary, times, arrivals, own } = made;
        insert.execute(params![
            tag,
            segment,
            summary.first_taken.0,
            summary.last_taken.0,
            summary.all.first_source.0,
            summary.all.last_source.0,
            summary.put(),
            pieces[*times],
            pieces[*arrivals],
            pieces[*own]
        ])?;
    }
    Ok(())
}

fn delete_segment(transaction: &Transaction<'_>, segment: i64) -> rusqlite::Result<()> {
    for sql in ["DELETE FROM chunks WHERE segment = ?1", "DELETE FROM pieces WHERE segment = ?1", "DELETE FROM segments WHERE id = ?1"] {
        transaction.prepare_cached(sql)?.execute([segment])?;
    }
    Ok(())
}

fn insert_gap(connection: &Connection, gap: &Gap) -> rusqlite::Result<()> {
    let Gap { from, to, lost, why } = gap;
    let lost = lost.map(|lost| i64::try_from(lost).unwrap_or(i64::MAX));
    connection
        .execute("INSERT INTO gaps (first_at, last_at, lost, why) VALUES (?1, ?2, ?3, ?4)", params![from.0, to.0, lost, why.name()])
        .map(drop)
}

fn damaged(from: i64, to: i64, lost: Option<u64>, damage: Damage) -> Gap {
    tracing::error!(%damage, from, to, "part of the history is lost");
    Gap { from: Timestamp(from), to: Timestamp(to), lost, why: GapReason::Damage }
}
