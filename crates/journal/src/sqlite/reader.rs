//! Answers for pages and programs that only look, each from a connection of its own that cannot write.

use super::ahead::Behind;
use super::connection::{self, DATABASE_FILE, Role, WAL_FILE, failed};
use super::{Tail, named, outbox_row, signed, status, unsigned};
use crate::{
    ChainHash, ClosedCase, EntryKind, Head, OutboxFilter, OutboxRecord, Page, Quarantine, QuarantineRecord, QuarantineRow, QuarantineTotal,
    READ_DEADLINE, READ_ROWS_MAX, Reader, Record, STAMPS_FROM, Stamped, StoreError, Usage,
};
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Idle connections kept for the next question.
const CONNECTIONS_KEPT: usize = 4;
/// Steps of SQLite's machine between two looks at the deadline: some 50 µs.
const STEPS_PER_LOOK: i32 = 1_000;
/// Rows searched for one page.
const SEARCH_ROWS_MAX: i64 = 50_000;
const RECORD: &str = "SELECT seq, kind, format, key, subject, at, bytes, hash FROM journal";

/// Readers on the folder of an [`crate::SqliteStore`], in the engine's process or in another one.
pub struct SqliteReader {
    dir: PathBuf,
    idle: Mutex<Vec<Timed>>,
    /// In the engine's process: what was committed is waited for.
    behind: Option<Behind>,
}

/// A connection that gives up at its deadline.
struct Timed {
    connection: Connection,
    epoch: Instant,
    /// Microseconds after `epoch`.
    deadline: Arc<AtomicU64>,
}

impl Timed {
    fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut connection = connection::open(dir, Role::Reader)?;
        let epoch = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let limit = Arc::clone(&deadline);
        let is_over = move || micros(epoch) > limit.load(Ordering::Relaxed);
        connection.progress_handler(STEPS_PER_LOOK, Some(is_over)).map_err(failed)?;
        Ok(Self { connection, epoch, deadline })
    }
    fn start(&self, allowed: std::time::Duration) {
        let allowed = u64::try_from(allowed.as_micros()).unwrap_or(u64::MAX);
        self.deadline.store(micros(self.epoch).saturating_add(allowed), Ordering::Relaxed);
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl SqliteReader {
    /// Whether an engine has ever kept a store in `dir`.
    pub fn exists(dir: &Path) -> bool {
        dir.join(DATABASE_FILE).is_file()
    }
    /// Opens readers on the store in `dir`, which must exist.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let first = Timed::open(dir)?;
        Ok(Self { dir: dir.to_owned(), idle: Mutex::new(vec![first]), behind: None })
    }

    /// Waits before every answer until the database has what was committed.
    pub(super) fn behind(self, behind: Behind) -> Self {
        Self { behind: Some(behind), ..self }
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.ask_within(READ_DEADLINE, question)
    }

    pub(super) fn ask_within<T>(
        &self,
        allowed: std::time::Duration,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if let Some(behind) = &self.behind {
            behind.catch_up();
        }
        let idle = self.idle.lock().expect("nothing panics while it holds this lock").pop();
        let timed = match idle {
            Some(timed) => timed,
            None => Timed::open(&self.dir)?,
        };
        timed.start(allowed);
        // A connection that failed is not used again.
        let answer = question(&timed.connection).map_err(failed)?;
        let mut idle = self.idle.lock().expect("nothing panics while it holds this lock");
        if idle.len() < CONNECTIONS_KEPT {
            idle.push(timed);
        }
        Ok(answer)
    }

    /// Searches at most [`SEARCH_ROWS_MAX`] rows of `sql` (bound to where to start) for those of `kinds`.
    fn search(&self, sql: &str, start: i64, kinds: &[EntryKind], limit: usize, step: i64) -> Result<Page<Record>, StoreError> {
        let limit = limit.min(READ_ROWS_MAX);
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![start, SEARCH_ROWS_MAX])?;
            let (mut rows, mut searched, mut last) = (Vec::new(), 0, None);
            while let Some(row) = found.next()? {
                if rows.len() == limit {
                    return Ok(Page { rows, next: last });
                }
                searched += 1;
                last = Some(unsigned(row.get::<_, i64>(0)? + step));
                if kinds.is_empty() || kinds.contains(&named(row, 1, EntryKind::parse)?) {
                    rows.push(record(row)?);
                }
            }
            Ok(Page { rows, next: if searched == SEARCH_ROWS_MAX { last } else { None } })
        })
    }
}

impl Reader for SqliteReader {
    fn timeline(&self, case: &str, from: u64, limit: usize) -> Result<Page<Record>, StoreError> {
        let limit = limit.min(READ_ROWS_MAX);
        self.ask(|connection| {
            let mut rows: Vec<Record> = connection
                .prepare_cached(&format!("{RECORD} WHERE subject = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"))?
                .query_map(params![case, signed(from), signed(limit as u64) + 1], record)?
                .collect::<rusqlite::Result<_>>()?;
            // One more was asked for than is given, to know whether there are more.
            let next = rows.get(limit).map(|row| row.seq);
            rows.truncate(limit);
            Ok(Page { rows, next })
        })
    }

    fn entries(&self, kinds: &[EntryKind], from: u64, limit: usize) -> Result<Page<Record>, StoreError> {
        self.search(&format!("{RECORD} WHERE seq >= ?1 ORDER BY seq LIMIT ?2"), signed(from), kinds, limit, 1)
    }

    fn newest(&self, kinds: &[EntryKind], before: Option<u64>, limit: usize) -> Result<Page<Record>, StoreError> {
        let before = before.map_or(i64::MAX, signed);
        self.search(&format!("{RECORD} WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"), before, kinds, limit, 0)
    }

    fn oldest(&self, limit: usize) -> Result<Vec<Stamped>, StoreError> {
        let limit = signed(limit.min(READ_ROWS_MAX) as u64);
        self.ask(|connection| {
            let mut rows: Vec<Stamped> = connection
                .prepare_cached("SELECT seq, hash, at FROM journal ORDER BY seq LIMIT ?1")?
                .query_map([limit], |row| {
                    Ok(Stamped { seq: unsigned(row.get(0)?), hash: ChainHash(row.get(1)?), at: Timestamp(row.get(2)?) })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let Some(last) = rows.last() else { return Ok(rows) };
            let mut next = last.at;
            if next < STAMPS_FROM {
                next = connection
                    .prepare_cached("SELECT at FROM journal WHERE seq > ?1 AND seq <= ?1 + ?3 AND at >= ?2 ORDER BY seq LIMIT 1")?
                    .query_row(params![signed(last.seq), STAMPS_FROM.0, SEARCH_ROWS_MAX], |row| row.get(0).map(Timestamp))
                    .optional()?
                    // None is as young as can be.
                    .unwrap_or(Timestamp::MAX);
            }
            for row in rows.iter_mut().rev() {
                if row.at < STAMPS_FROM {
                    row.at = next;
                }
                next = row.at;
            }
            Ok(rows)
        })
    }

    fn entry(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.ask(|connection| connection.prepare_cached(&format!("{RECORD} WHERE key = ?1"))?.query_row([key], record).optional())
    }

    fn outbox(&self, filter: &OutboxFilter, limit: usize) -> Result<Vec<OutboxRecord>, StoreError> {
        const ROWS: &str = "SELECT key, subject, bytes, at, status, attempts, answer, words, updated, position FROM outbox
                            WHERE position < ?1 AND (?2 IS NULL OR subject = ?2) AND (?3 IS NULL OR person = ?3)";
        let OutboxFilter { person, case, before } = filter;
        // The optimiser cannot see which of the two is given, so it is told.
        let ordered = match (person, case) {
            (_, Some(_)) => format!("{ROWS} AND subject = ?2 ORDER BY position DESC LIMIT ?4"),
            (Some(_), None) => format!("{ROWS} AND person = ?3 ORDER BY position DESC LIMIT ?4"),
            (None, None) => format!("{ROWS} ORDER BY position DESC LIMIT ?4"),
        };
        let limit = signed(limit.min(READ_ROWS_MAX) as u64);
        self.ask(|connection| {
            connection
                .prepare_cached(&ordered)?
                .query_map(params![before.map_or(i64::MAX, signed), case, person, limit], |row| {
                    Ok(OutboxRecord {
                        row: outbox_row(row)?,
                        status: status(row, 4)?,
                        attempts: row.get(5)?,
                        answer: row.get(6)?,
                        words: row.get(7)?,
                        updated: Timestamp(row.get(8)?),
                        position: unsigned(row.get(9)?),
                    })
                })?
                .collect()
        })
    }

    fn quarantine(&self, source: Option<&str>, limit: usize) -> Result<Quarantine, StoreError> {
        let limit = signed(limit.min(READ_ROWS_MAX) as u64);
        self.ask(|connection| {
            let rows = connection
                .prepare_cached(
                    "SELECT source, topic, reason, detail, at, bytes, length FROM quarantine
                     WHERE (?1 IS NULL OR source = ?1) ORDER BY position DESC LIMIT ?2",
                )?
                .query_map(params![source, limit], |row| {
                    let kept = QuarantineRow {
                        source: row.get(0)?,
                        topic: row.get(1)?,
                        reason: row.get(2)?,
                        detail: row.get(3)?,
                        at: Timestamp(row.get(4)?),
                        bytes: row.get(5)?,
                    };
                    Ok(QuarantineRecord { row: kept, length: unsigned(row.get(6)?) })
                })?
                .collect::<rusqlite::Result<_>>()?;
            let totals = connection
                .prepare_cached(
                    "SELECT source, reason, count, first_at, last_at FROM quarantine_totals
                     WHERE (?1 IS NULL OR source = ?1) ORDER BY source, reason",
                )?
                .query_map(params![source], |row| {
                    Ok(QuarantineTotal {
                        source: row.get(0)?,
                        reason: row.get(1)?,
                        count: unsigned(row.get(2)?),
                        first: Timestamp(row.get(3)?),
                        last: Timestamp(row.get(4)?),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Quarantine { rows, totals })
        })
    }

    fn closed_cases(&self, enterprises: Option<&[String]>, before: Option<Timestamp>, limit: usize) -> Result<Vec<ClosedCase>, StoreError> {
        let limit = limit.min(READ_ROWS_MAX);
        self.ask(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT subject, enterprise, at, bytes FROM closed_cases WHERE at < ?1 ORDER BY at DESC, subject DESC")?;
            let mut found = statement.query([before.unwrap_or(Timestamp::MAX).0])?;
            let mut cases: Vec<ClosedCase> = Vec::new();
            while let Some(row) = found.next()? {
                let case = closed_case(row)?;
                // Pages are cut by time, so those closed at one moment stay together.
                if cases.len() >= limit && cases.last().is_none_or(|last| last.at != case.at) {
                    break;
                }
                if enterprises.is_none_or(|list| list.contains(&case.enterprise)) {
                    cases.push(case);
                }
            }
            Ok(cases)
        })
    }

    fn closed_case(&self, case: &str) -> Result<Option<ClosedCase>, StoreError> {
        self.ask(|connection| {
            connection
                .prepare_cached("SELECT subject, enterprise, at, bytes FROM closed_cases WHERE subject = ?1")?
                .query_row([case], closed_case)
                .optional()
        })
    }

    fn state(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.ask(|connection| rows_from(connection, "SELECT key, bytes FROM state WHERE key >= ?1 ORDER BY key", prefix))
    }

    fn soft(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.ask(|connection| rows_from(connection, "SELECT key, bytes FROM soft WHERE key >= ?1 ORDER BY key", prefix))
    }

    fn head(&self) -> Result<Head, StoreError> {
        let tail = self.ask(Tail::read)?;
        Ok(Head { seq: unsigned(tail.last_seq), hash: tail.head })
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let size = |name: &str| std::fs::metadata(self.dir.join(name)).map_or(0, |file| file.len());
        let pending_bytes = size(WAL_FILE);
        Ok(Usage { bytes: size(DATABASE_FILE) + pending_bytes, pending_bytes })
    }
}

/// Rows of a question by key, as long as their keys start with `prefix`.
fn rows_from(connection: &Connection, sql: &str, prefix: &str) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([prefix])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        rows.push((key, row.get(1)?));
    }
    Ok(rows)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: unsigned(row.get(0)?),
        kind: named(row, 1, EntryKind::parse)?,
        format: row.get(2)?,
        key: row.get(3)?,
        subject: row.get(4)?,
        at: Timestamp(row.get(5)?),
        bytes: row.get(6)?,
        hash: ChainHash(row.get(7)?),
    })
}

fn closed_case(row: &Row<'_>) -> rusqlite::Result<ClosedCase> {
    Ok(ClosedCase { case: row.get(0)?, enterprise: row.get(1)?, at: Timestamp(row.get(2)?), bytes: row.get(3)? })
}
