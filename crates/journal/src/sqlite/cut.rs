//! Deletes rows past their retention from the journal's beginning, a piece in one transaction.
//!
//! Nothing of what stands here is needed for an alarm, so what cannot be read is a reason to leave the piece alone and never one to end
//! the process. A piece goes only whole, only from the beginning, and only where a later row of the chain says so: `verify` begins at the
//! row after it and finds that word.

use super::connection::failed;
use super::{signed, unsigned};
use crate::{EntryKind, OutboxStatus, Piece, StoreError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// Rows deleted of each of the other tables with one piece: more than come into being beside as many journal rows.
const BESIDE_ROWS_MAX: i64 = 500;
/// What the key of an act's row in the journal begins with; the act's id follows.
pub const ACT_KEY: &str = "act:";
/// The guard that is lifted for the one transaction.
const GUARD: &str = "journal_no_delete";

/// Row number of the journal's first row, or of the next one where it is empty.
pub(super) fn first_seq(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT first_seq FROM meta")?.query_row([], |row| row.get(0))
}

/// Deletes the piece, or says why it stays. An error is one of the disk, as of any other commit.
pub(super) fn cut(connection: &mut Connection, piece: &Piece) -> Result<Result<(), String>, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let stays = match delete(&transaction, piece) {
        Ok(Ok(())) => return transaction.commit().map(Ok).map_err(failed),
        Ok(Err(why)) => why.to_owned(),
        Err(error) => error.to_string(),
    };
    drop(transaction);
    match connection.is_autocommit() {
        true => Ok(Err(format!("rows through {} stay: {stays}", piece.through))),
        false => Err(StoreError::Fatal("a failed transaction could not be ended".to_owned())),
    }
}

fn delete(connection: &Connection, piece: &Piece) -> rusqlite::Result<Result<(), &'static str>> {
    let (first, through) = (first_seq(connection)?, signed(piece.through));
    if through < first {
        // Gone already.
        return Ok(Ok(()));
    }
    if let Err(why) = is_whole(connection, piece, first)? {
        return Ok(Err(why));
    }
    let guard: Option<String> =
        connection.query_row("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1", [GUARD], |row| row.get(0)).optional()?;
    if let Some(guard) = &guard {
        connection.execute_batch(&format!("DROP TRIGGER {GUARD}"))?;
        beside(connection, piece)?;
        connection.execute("DELETE FROM journal WHERE seq <= ?1", [through])?;
        connection.execute_batch(guard)?;
        connection.execute("UPDATE meta SET first_seq = ?1", [through + 1])?;
        return Ok(Ok(()));
    }
    Ok(Err("the guard against deletions is gone: run `watchfire verify`"))
}

/// Whether the piece is all there is from the beginning through its last row, and the chain has announced it.
fn is_whole(connection: &Connection, piece: &Piece, first: i64) -> rusqlite::Result<Result<(), &'static str>> {
    let (lowest, rows): (Option<i64>, i64) =
        connection.query_row("SELECT min(seq), count(*) FROM journal WHERE seq <= ?1", [signed(piece.through)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if lowest != Some(first) || unsigned(rows) != piece.rows || signed(piece.through) - first + 1 != rows {
        return Ok(Err("there are other rows than were announced"));
    }
    let last: Option<Vec<u8>> =
        connection.query_row("SELECT hash FROM journal WHERE seq = ?1", [signed(piece.through)], |row| row.get(0)).optional()?;
    if last.as_deref() != Some(piece.hash.0.as_slice()) {
        return Ok(Err("its last row is not the one that was announced"));
    }
    let announced: Option<Vec<u8>> = connection
        .query_row(
            "SELECT bytes FROM journal WHERE key = ?1 AND kind = ?2 AND seq > ?3",
            params![Piece::key(piece.through), EntryKind::Cut.name(), signed(piece.through)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(match announced.as_deref().and_then(Piece::announced) {
        Some(announced) if announced == (piece.through, piece.hash) => Ok(()),
        _ => Err("no row of the journal announces it"),
    })
}

/// What is not chained and ended before the piece's newest row. Each table is in the order of time, so its beginning is enough.
fn beside(connection: &Connection, piece: &Piece) -> rusqlite::Result<()> {
    let open = [OutboxStatus::Waiting, OutboxStatus::Retrying].map(OutboxStatus::name);
    connection.execute(
        "DELETE FROM acts WHERE id IN
         (SELECT substr(key, length(?2) + 1) FROM journal WHERE seq <= ?1 AND kind = ?3 AND substr(key, 1, length(?2)) = ?2)",
        params![signed(piece.through), ACT_KEY, EntryKind::Act.name()],
    )?;
    connection.execute(
        "DELETE FROM outbox WHERE position IN (SELECT position FROM outbox ORDER BY position LIMIT ?1)
         AND updated < ?2 AND status NOT IN (?3, ?4)",
        params![BESIDE_ROWS_MAX, piece.newest.0, open[0], open[1]],
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
