//! One commit: the writes of the transaction.

use super::connection::failed;
use super::{Digested, STREAM, Tail, signed, status};
use crate::chain::Link;
use crate::{ActRecord, Batch, Entry, OutboxRow, OutboxUpdate, QuarantineRow, StoreError};
use model::bounds::{QUARANTINE_BYTES_MAX, QUARANTINE_PER_SOURCE_MAX};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Deserialize;

/// Pairs of source and reason that quarantined payloads are counted by; what comes after is counted as [`OTHER`], so that
/// invented topics cannot fill the disk.
const QUARANTINE_TOTALS_MAX: i64 = 2_000;
const OTHER: &str = "other";

/// Why a transaction was given up.
pub(super) enum Refused {
    /// The key of a batch, given by its place, exists with other content.
    Conflict {
        batch: usize,
        key: String,
    },
    Store(StoreError),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(failed(error))
    }
}

/// Writes the batches behind `tail` in one transaction and gives the new tail once it is on the disk.
pub(super) fn write(connection: &mut Connection, batches: &[Digested<'_>], tail: &Tail) -> Result<Tail, Refused> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut next = *tail;
    for (at, Digested { batch, digest }) in batches.iter().enumerate() {
        next = Tail { last_now: next.last_now.max(Some(batch.now.0)), batch: next.batch + 1, digest: Some(*digest), ..next };
        if let Some(key) = contents(&transaction, batch, &mut next)? {
            return Err(Refused::Conflict { batch: at, key: key.to_owned() });
        }
    }
    let written = transaction
        .prepare_cached(
            "UPDATE meta SET last_seq = ?1, head = ?2, last_now = ?3, batch = ?4, digest = ?5, clean_stop = 0
             WHERE batch = ?6",
        )?
        .execute(params![next.last_seq, next.head.0, next.last_now, next.batch, next.digest, tail.batch])?;
    if written != 1 {
        return Err(Refused::Store(StoreError::Fatal("somebody else has written to this store".to_owned())));
    }
    transaction.commit()?;
    Ok(next)
}

/// Writes all that a batch holds, in the order in which its parts are to be taken; or gives the first key that exists with other content.
fn contents<'a>(connection: &Connection, batch: &'a Batch, tail: &mut Tail) -> rusqlite::Result<Option<&'a str>> {
    for entry in &batch.entries {
        if !append(connection, entry, tail)? {
            return Ok(entry.key.as_deref());
        }
    }
    rows(connection, batch)?;
    for case in &batch.supersede {
        connection
            .prepare_cached(
                "UPDATE outbox SET status = 'superseded', updated = ?2 WHERE subject = ?1 AND status IN ('waiting', 'retrying')",
            )?
            .execute(params![case, batch.now.0])?;
    }
    for row in &batch.outbox {
        if !insert_notification(connection, row)? {
            return Ok(Some(&row.key));
        }
    }
    for update in &batch.outbox_updates {
        update_notification(connection, update)?;
    }
    for act in &batch.acts {
        if !insert_act(connection, act)? {
            return Ok(Some(&act.id));
        }
    }
    for row in &batch.quarantine {
        quarantine(connection, row)?;
    }
    Ok(None)
}

/// False where the key exists with other content; so do the next ones.
fn append(connection: &Connection, entry: &Entry, tail: &mut Tail) -> rusqlite::Result<bool> {
    let Entry { kind, format, key, subject, at, bytes } = entry;
    let link = Link {
        stream: STREAM,
        seq: tail.last_seq + 1,
        kind: kind.name(),
        format: (*format).into(),
        key: key.as_deref(),
        subject: subject.as_deref(),
        at: at.0,
        bytes,
        prev: tail.head,
    };
    let hash = link.hash();
    let added = connection
        .prepare_cached(
            "INSERT INTO journal (seq, stream, kind, format, key, subject, at, bytes, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING",
        )?
        .execute(params![
            link.seq, link.stream, link.kind, link.format, link.key, link.subject, link.at, link.bytes, link.prev.0, hash.0
        ])?;
    if added == 1 {
        tail.last_seq = link.seq;
        tail.head = hash;
        return Ok(true);
    }
    connection.prepare_cached("SELECT 1 FROM journal WHERE key = ?1 AND kind = ?2 AND format = ?3 AND bytes = ?4")?.exists(params![
        link.key,
        link.kind,
        link.format,
        link.bytes
    ])
}

/// State, checkpoint, timers and closed cases: what is simply replaced.
fn rows(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    for (key, bytes) in &batch.state {
        match bytes {
            Some(bytes) => {
                put(connection, "INSERT INTO state VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = excluded.bytes", key, bytes)?
            }
            None => {
                connection.prepare_cached("DELETE FROM state WHERE key = ?1")?.execute([key])?;
            }
        }
    }
    for (key, bytes) in &batch.soft {
        put(connection, "INSERT INTO soft VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = excluded.bytes", key, bytes)?;
    }
    for (owner, timers) in &batch.timers {
        connection.prepare_cached("DELETE FROM timers WHERE owner = ?1")?.execute([owner])?;
        let mut insert = connection.prepare_cached("INSERT INTO timers VALUES (?1, ?2, ?3, ?4)")?;
        for (position, timer) in timers.iter().enumerate() {
            insert.execute(params![owner, signed(position as u64), timer.due.0, timer.kind])?;
        }
    }
    for closed in &batch.closed {
        connection
            .prepare_cached(
                "INSERT INTO closed_cases VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET enterprise = excluded.enterprise, at = excluded.at, bytes = excluded.bytes",
            )?
            .execute(params![closed.case, closed.enterprise, closed.at.0, closed.bytes])?;
    }
    Ok(())
}

fn put(connection: &Connection, sql: &str, key: &str, bytes: &[u8]) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(params![key, bytes]).map(drop)
}

/// All that the store reads inside a notification: to whom it goes, so that a person's messages can be listed.
#[derive(Deserialize)]
struct Addressed {
    key: Recipient,
}
#[derive(Deserialize)]
struct Recipient {
    recipient: String,
}

fn insert_notification(connection: &Connection, row: &OutboxRow) -> rusqlite::Result<bool> {
    let person = serde_json::from_slice::<Addressed>(&row.bytes).ok().map(|notification| notification.key.recipient);
    let added = connection
        .prepare_cached(
            "INSERT INTO outbox (key, subject, person, at, bytes, status, attempts, answer, words, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0, '', '', ?4) ON CONFLICT (key) DO NOTHING",
        )?
        .execute(params![row.key, row.case, person, row.at.0, row.bytes])?;
    if added == 1 {
        return Ok(true);
    }
    connection
        .prepare_cached("SELECT 1 FROM outbox WHERE key = ?1 AND subject = ?2 AND bytes = ?3")?
        .exists(params![row.key, row.case, row.bytes])
}

fn update_notification(connection: &Connection, update: &OutboxUpdate) -> rusqlite::Result<()> {
    let before =
        connection.prepare_cached("SELECT status FROM outbox WHERE key = ?1")?.query_row([&update.key], |row| status(row, 0)).optional()?;
    let Some(before) = before else {
        // A receipt for something we never sent is the other side's mistake and changes nothing.
        tracing::warn!(key = update.key, "news of an unknown notification");
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE outbox SET status = ?2, attempts = max(attempts, ?3), updated = ?6,
             answer = CASE WHEN ?4 = '' THEN answer ELSE ?4 END, words = CASE WHEN ?5 = '' THEN words ELSE ?5 END WHERE key = ?1",
        )?
        .execute(params![update.key, before.after(update.status).name(), update.attempts, update.answer, update.words, update.at.0])
        .map(drop)
}

pub(super) fn find_act(connection: &Connection, id: &str) -> rusqlite::Result<Option<ActRecord>> {
    connection
        .prepare_cached("SELECT id, request, answer FROM acts WHERE id = ?1")?
        .query_row([id], |row| Ok(ActRecord { id: row.get(0)?, request: row.get(1)?, answer: row.get(2)? }))
        .optional()
}

fn insert_act(connection: &Connection, act: &ActRecord) -> rusqlite::Result<bool> {
    let added = connection.prepare_cached("INSERT INTO acts VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING")?.execute(params![
        act.id,
        act.request,
        act.answer
    ])?;
    // The first answer stands even where a repeat would have been answered otherwise.
    Ok(added == 1 || find_act(connection, &act.id)?.is_some_and(|first| first.request == act.request))
}

fn quarantine(connection: &Connection, row: &QuarantineRow) -> rusqlite::Result<()> {
    let (source, reason) = counted_as(connection, &row.source, &row.reason)?;
    connection
        .prepare_cached(
            "INSERT INTO quarantine_totals VALUES (?1, ?2, 1, ?3, ?3)
             ON CONFLICT DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)",
        )?
        .execute(params![source, reason, row.at.0])?;
    let kept = &row.bytes[..row.bytes.len().min(QUARANTINE_BYTES_MAX)];
    connection
        .prepare_cached("INSERT INTO quarantine (source, topic, reason, detail, at, length, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![source, row.topic, row.reason, row.detail, row.at.0, signed(row.bytes.len() as u64), kept])?;
    connection
        .prepare_cached(
            "DELETE FROM quarantine WHERE source = ?1
             AND position <= (SELECT position FROM quarantine WHERE source = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![source, signed(QUARANTINE_PER_SOURCE_MAX as u64)])
        .map(drop)
}

fn counted_as<'a>(connection: &Connection, source: &'a str, reason: &'a str) -> rusqlite::Result<(&'a str, &'a str)> {
    let known =
        connection.prepare_cached("SELECT 1 FROM quarantine_totals WHERE source = ?1 AND reason = ?2")?.exists(params![source, reason])?;
    let full = || -> rusqlite::Result<bool> {
        let count: i64 = connection.prepare_cached("SELECT count(*) FROM quarantine_totals")?.query_row([], |row| row.get(0))?;
        Ok(count >= QUARANTINE_TOTALS_MAX)
    };
    Ok(if known || !full()? { (source, reason) } else { (OTHER, OTHER) })
}
