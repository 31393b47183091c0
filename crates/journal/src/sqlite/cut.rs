//! Deletes rows past their retention from the journal's beginning, a piece in one transaction.
//!
//! Nothing of what stands here is needed for an alarm, so what cannot be read is a reason to leave the piece alone and never one to end
//! the process. What was forged must not age out either: a piece goes only whole, only from a beginning that is the first row or was
//! announced, only where its chain is unbroken through the row after it, and only where a later row announces it.

use super::connection::failed;
use super::verify::hashes;
use super::{schema, signed, unsigned};
use crate::{ChainHash, EntryKind, OutboxStatus, Piece, StoreError};
use model::{Timestamp, bounds};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, ffi, params};

/// Rows deleted of each of the other tables with one piece. A notification, an act and a closed case have journal rows of their own, so they
/// are no more in the long run; quarantine is bounded by source.
const BESIDE_ROWS_MAX: i64 = 50;
/// Rows looked at for them: some of the oldest may still be needed.
const BESIDE_LOOK_MAX: i64 = 1_000;
/// What the key of an act's row in the journal begins with; the act's id follows.
pub const ACT_KEY: &str = "act:";
/// The guard that is lifted for the one transaction.
const GUARD: &str = "journal_no_delete";

/// Where the journal begins: behind a row that is past its retention, or behind none.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    pub after: u64,
    pub hash: ChainHash,
}

impl Begin {
    pub const START: Self = Self { after: 0, hash: ChainHash::START };

    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let first: i64 = connection.prepare_cached("SELECT first_seq FROM meta")?.query_row([], |row| row.get(0))?;
        if first <= 1 {
            return Ok(Self::START);
        }
        // Where that row is missing there is nothing to follow from, and a walk says that it is missing.
        let prev: Option<Vec<u8>> =
            connection.prepare_cached("SELECT prev FROM journal WHERE seq = ?1")?.query_row([first], |row| row.get(0)).optional()?;
        Ok(Self { after: unsigned(first - 1), hash: ChainHash(prev.and_then(|prev| prev.try_into().ok()).unwrap_or_default()) })
    }
}

/// The row that says which rows are past their retention.
pub(super) struct Announcement {
    pub piece: Piece,
    pub at: Timestamp,
}

impl Announcement {
    /// Of the piece that ends with row `through`, by its key.
    pub fn find(connection: &Connection, through: u64) -> rusqlite::Result<Option<Self>> {
        let found: Option<(Vec<u8>, i64)> = connection
            .prepare_cached("SELECT bytes, at FROM journal WHERE key = ?1 AND kind = ?2 AND seq > ?3")?
            .query_row(params![Piece::key(through), EntryKind::Cut.name(), signed(through)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.and_then(|(bytes, at)| Some(Self { piece: Piece::announced(&bytes)?, at: Timestamp(at) })))
    }

    /// Whether it speaks of rows that no retention would have kept, up to this beginning.
    pub fn explains(&self, begin: Begin) -> bool {
        let Self { piece, at } = self;
        (piece.through, piece.hash) == (begin.after, begin.hash) && at.since(piece.newest) >= bounds::HISTORY_KEPT_MIN
    }

    /// Whether a row that happened then may be among those that are gone.
    pub fn covers(&self, at: Timestamp) -> bool {
        at <= self.piece.newest
    }
}

/// Deletes the piece, or says why it stays. An error is one of the disk, as of any other commit.
pub(super) fn cut(connection: &mut Connection, piece: &Piece) -> Result<Result<(), String>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let stays = match delete(&transaction, piece) {
        Ok(Ok(())) => return transaction.commit().map(Ok).map_err(failed),
        Ok(Err(why)) => why.to_owned(),
        Err(error) if is_of_writing(&error) => return Err(failed(error)),
        Err(error) => error.to_string(),
    };
    drop(transaction);
    match connection.is_autocommit() {
        true => Ok(Err(format!("rows through {} stay: {stays}", piece.through))),
        false => Err(StoreError::Fatal("a failed transaction could not be ended".to_owned())),
    }
}

/// After a failed write or sync nothing may be trusted, whatever it was for.
fn is_of_writing(error: &rusqlite::Error) -> bool {
    let codes = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_TRUNCATE];
    error.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

fn delete(connection: &Connection, piece: &Piece) -> rusqlite::Result<Result<(), &'static str>> {
    let begin = Begin::read(connection)?;
    if piece.through <= begin.after {
        // Gone already.
        return Ok(Ok(()));
    }
    if let Err(why) = is_whole(connection, piece, begin)? {
        return Ok(Err(why));
    }
    let guard: Option<String> =
        connection.query_row("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1", [GUARD], |row| row.get(0)).optional()?;
    let (Some(guard), true) = (guard, schema::guards_intact(connection)?) else {
        return Ok(Err("the guards against edits are not as they were made: run `watchfire verify`"));
    };
    let through = signed(piece.through);
    connection.execute_batch(&format!("DROP TRIGGER {GUARD}"))?;
    beside(connection, piece)?;
    connection.execute("DELETE FROM journal WHERE seq <= ?1", [through])?;
    connection.execute_batch(&guard)?;
    connection.execute("UPDATE meta SET first_seq = ?1", [through + 1])?;
    Ok(Ok(()))
}

/// Whether the piece is all there is from the beginning through its last row, whole and announced, as the beginning itself is.
fn is_whole(connection: &Connection, piece: &Piece, begin: Begin) -> rusqlite::Result<Result<(), &'static str>> {
    let explained = |begin: Begin| -> rusqlite::Result<bool> {
        Ok(Announcement::find(connection, begin.after)?.is_some_and(|said| said.explains(begin)))
    };
    if begin.after > 0 && !explained(begin)? {
        return Ok(Err("no row of the journal says why it begins where it does: run `watchfire verify`"));
    }
    if !explained(Begin { after: piece.through, hash: piece.hash })? {
        return Ok(Err("no row of the journal announces it"));
    }
    let mut statement = connection.prepare_cached(
        "SELECT seq, stream, kind, format, key, subject, at, bytes, prev, hash FROM journal WHERE seq <= ?1 ORDER BY seq",
    )?;
    let mut found = statement.query([signed(piece.through) + 1])?;
    let mut last = begin;
    while let Some(row) = found.next()? {
        let seq: i64 = row.get(0)?;
        let is_next = seq == signed(last.after) + 1 && last.after - begin.after <= piece.rows;
        let Ok((hash, computed, prev)) = hashes(row, seq) else { return Ok(Err(BROKEN)) };
        if !is_next || computed != hash || prev != last.hash || (last.after == piece.through && last.hash != piece.hash) {
            return Ok(Err(BROKEN));
        }
        last = Begin { after: unsigned(seq), hash };
    }
    Ok(if last.after == piece.through + 1 && last.after - begin.after == piece.rows + 1 { Ok(()) } else { Err(BROKEN) })
}

const BROKEN: &str = "they are not the rows that were announced, or the chain is broken there: run `watchfire verify`";

/// What is not chained and ended before the piece's newest row. Each table is in the order of time, so its beginning is enough.
fn beside(connection: &Connection, piece: &Piece) -> rusqlite::Result<()> {
    let open = [OutboxStatus::Waiting, OutboxStatus::Retrying].map(OutboxStatus::name);
    connection.execute(
        "DELETE FROM acts WHERE id IN
         (SELECT substr(key, length(?2) + 1) FROM journal WHERE seq <= ?1 AND kind = ?3 AND substr(key, 1, length(?2)) = ?2)",
        params![signed(piece.through), ACT_KEY, EntryKind::Act.name()],
    )?;
    connection.execute(
        "DELETE FROM outbox WHERE position IN (
             SELECT position FROM (SELECT position, updated, status FROM outbox ORDER BY position LIMIT ?1)
             WHERE updated < ?2 AND status NOT IN (?3, ?4) ORDER BY position LIMIT ?5)",
        params![BESIDE_LOOK_MAX, piece.newest.0, open[0], open[1], BESIDE_ROWS_MAX],
    )?;
    connection.execute(
        "DELETE FROM closed_cases WHERE subject IN (SELECT subject FROM closed_cases WHERE at < ?2 ORDER BY at LIMIT ?1)",
        params![BESIDE_ROWS_MAX, piece.newest.0],
    )?;
    connection
        .execute(
            "DELETE FROM quarantine WHERE position IN (SELECT position FROM quarantine ORDER BY position LIMIT ?1) AND at < ?2",
            params![BESIDE_ROWS_MAX, piece.newest.0],
        )
        .map(drop)
}
