//! The embedded store: SQLite in a folder of its own.
//!
//! One connection writes, another works the write-ahead log into the database, every reader has its own. Only the SQLite built
//! into this program may open the live files: two versions of the library on one write-ahead log damage it. Nor may this program
//! open the database as a mere file: closing it would let go of the locks that SQLite holds on it.

mod ahead;
mod anchor;
mod checkpoint;
mod commit;
pub(crate) mod connection;
mod cut;
mod reader;
pub(crate) mod schema;
#[cfg(test)]
mod tests;
mod verify;
pub(crate) mod wire;

pub use ahead::{AheadStore, commits_ahead};
pub use anchor::{Anchor, anchor};
pub use cut::ACT_KEY;
pub use reader::SqliteReader;
pub use verify::{Bad, Fault, Outside, VerifyReport, verify};

use crate::{ActRecord, Batch, ChainHash, Health, OutboxRow, OutboxStatus, Piece, Snapshot, Store, StoreError, TimerRow};
use checkpoint::Checkpointer;
use commit::Refused;
use connection::{Role, failed};
use model::Timestamp;
use rusqlite::{Connection, Row};
use std::borrow::Cow;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::Digest;

/// The journal has streams so that enterprises can be parted over several engines later; this store has one.
const STREAM: &str = "main";
/// Held as long as the engine lives: two engines on one store would send everything twice.
const LOCK_FILE: &str = "watchfire.lock";
/// A dying engine, or a child it was about to start, lets go of the lock a moment after it is gone.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// Keys set aside from one commit before the store is called broken.
const CONFLICTS_MAX: u64 = 2 * model::bounds::BATCH_INPUTS_MAX as u64;

/// The engine's writer on a folder with an SQLite database.
pub struct SqliteStore {
    // Fields are dropped in this order: the checkpointer stops before the connection closes, the lock is let go last.
    checkpointer: Checkpointer,
    connection: Connection,
    dir: PathBuf,
    /// Known after the first question and after each commit; unknown after an error.
    tail: Option<Tail>,
    /// As the last engine left it.
    clean_stop: bool,
    /// Set by the first failure after which nothing may be trusted.
    broken: Option<String>,
    /// Keys that came twice with different content.
    conflicts: u64,
    /// Why the newest piece of the journal was not deleted.
    uncut: Option<String>,
    lock: File,
}

/// The end of the journal and the last batch, as committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tail {
    last_seq: i64,
    head: ChainHash,
    last_now: Option<i64>,
    batch: i64,
    digest: Option<Digest>,
}

impl Tail {
    fn position(&self) -> ahead::Position {
        ahead::Position { number: unsigned(self.batch), digest: self.digest.unwrap_or_default() }
    }
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached("SELECT last_seq, head, last_now, batch, digest FROM meta")?.query_row([], |row| {
            Ok(Self {
                last_seq: row.get(0)?,
                head: ChainHash(row.get(1)?),
                last_now: row.get(2)?,
                batch: row.get(3)?,
                digest: Digest::try_from(row.get_ref(4)?.as_blob()?).ok(),
            })
        })
    }
}

impl SqliteStore {
    /// Opens the store in `dir`, making both where they are missing; refuses when another engine holds it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let unusable = |error: std::io::Error| StoreError::Fatal(format!("{}: {error}", dir.display()));
        // Names of people are not in here, but what happened in a plant is nobody else's business either.
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable)?;
        let lock = lock(dir)?;
        create_private(&dir.join(connection::DATABASE_FILE)).map_err(unusable)?;
        let mut connection = connection::open(dir, Role::Writer)?;
        schema::migrate(&mut connection)?;
        // A new file is there after a power cut only when its folder is on the disk too.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(unusable)?;
        let clean_stop = connection.query_row("SELECT clean_stop FROM meta", [], |row| row.get(0)).map_err(failed)?;
        if clean_stop {
            match connection.execute("UPDATE meta SET clean_stop = 0", []).map_err(failed) {
                // An engine on a full disk still sounds alarms; the first commit takes the mark away as well.
                Ok(_) | Err(StoreError::Full) => {}
                Err(error) => return Err(error),
            }
        }
        if !schema::guards_intact(&connection).map_err(failed)? {
            tracing::error!("the journal's guards against edits are not as they were made: run `watchfire verify`");
        }
        let checkpointer = Checkpointer::start(dir)?;
        Ok(Self { checkpointer, connection, dir: dir.to_owned(), tail: None, clean_stop, broken: None, conflicts: 0, uncut: None, lock })
    }

    /// Where the store is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the engine is to raise a system alarm about: the journal contradicts its own recorded end or the anchor beside it, so
    /// it was changed, cut off or put back to an older copy. The anchor is evidence then and is not written again until somebody
    /// takes it away.
    pub fn contradiction(&self) -> Option<String> {
        self.checkpointer.anchoring().contradiction()
    }

    /// How many commits there were, and what names the last.
    fn position(&mut self) -> Result<ahead::Position, StoreError> {
        self.guarded(|store| Ok(store.tail()?.position()))
    }

    fn tail(&mut self) -> Result<Tail, StoreError> {
        match self.tail {
            Some(tail) => Ok(tail),
            None => {
                let tail = Tail::read(&self.connection).map_err(failed)?;
                self.tail = Some(tail);
                Ok(tail)
            }
        }
    }

    /// Commits several batches in their order, all of them or none: what one sync costs is paid once. A first one that was the last
    /// to be committed is passed over.
    fn commit_all(&mut self, mut batches: Vec<Digested<'_>>) -> Result<(), StoreError> {
        self.guarded(|store| {
            let tail = store.tail()?;
            batches.retain(|given| !given.batch.is_empty());
            if batches.first().is_some_and(|first| tail.digest == Some(first.digest)) {
                batches.remove(0);
            }
            let mut conflicts = 0;
            while !batches.is_empty() {
                match commit::write(&mut store.connection, &batches, &tail) {
                    Ok(tail) => {
                        store.tail = Some(tail);
                        store.checkpointer.committed();
                        break;
                    }
                    Err(Refused::Conflict { batch, key }) if conflicts < CONFLICTS_MAX * batches.len() as u64 => {
                        tracing::error!(%key, "an identity came twice with different content; the second is recorded as a fault");
                        conflicts += 1;
                        batches[batch].batch.to_mut().set_aside(&key);
                    }
                    Err(Refused::Conflict { key, .. }) => {
                        return Err(StoreError::Fatal(format!(
                            "{conflicts} keys of one commit exist with other content, {key} among them"
                        )));
                    }
                    Err(Refused::Store(error)) => return Err(error),
                }
            }
            store.conflicts += conflicts;
            Ok(())
        })
    }

    /// Works everything in the write-ahead log into the database and makes the log start anew; false where somebody reads it. Waits
    /// for nobody.
    fn start_wal_anew(&mut self) -> Result<bool, StoreError> {
        self.guarded(|store| {
            store.connection.busy_timeout(Duration::ZERO).map_err(failed)?;
            let done = checkpoint::truncate(&store.connection);
            connection::be_patient(&store.connection, Role::Writer)?;
            match done {
                Err(StoreError::Retry(_)) => Ok(false),
                done => done,
            }
        })
    }

    /// Runs `work`; after a failure forgets what it believed to know, and after a fatal one does nothing more.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(why) = self.broken.clone().or_else(|| self.checkpointer.failure()) {
            return Err(StoreError::Fatal(why));
        }
        let result = work(self);
        if let Err(error) = &result {
            self.tail = None;
            // SQLite ends the transaction itself on some errors and not on others.
            if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
                self.broken = Some("a failed transaction could not be ended".to_owned());
            }
            if let StoreError::Fatal(why) = error {
                self.broken = Some(why.clone());
            }
        }
        result
    }
}

impl Store for SqliteStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.commit_all(vec![Digested::of(Cow::Borrowed(batch))])
    }

    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.guarded(|store| {
            let tail = store.tail()?;
            load(&store.connection, &tail, store.clean_stop).map_err(failed)
        })
    }

    fn act_answer(&mut self, id: &str) -> Result<Option<ActRecord>, StoreError> {
        self.guarded(|store| commit::find_act(&store.connection, id).map_err(failed))
    }

    fn mark_clean_stop(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.guarded(|store| {
            store.tail = None;
            store
                .connection
                .execute("UPDATE meta SET clean_stop = 1, last_now = max(coalesce(last_now, ?1), ?1)", [now.0])
                .map_err(failed)?;
            // Neither is part of the promise: the next start does without.
            let tidied = checkpoint::passive(&store.connection).and_then(|()| store.checkpointer.anchoring().write(&store.connection));
            if let Err(error) = tidied {
                tracing::warn!(%error, "the store was not tidied at the stop");
            }
            Ok(())
        })
    }

    fn cut(&mut self, piece: &Piece) {
        let done = self.guarded(|store| {
            let done = cut::cut(&mut store.connection, piece)?;
            store.checkpointer.committed();
            Ok(done)
        });
        self.uncut = done.unwrap_or_else(|error| Err(error.to_string())).err();
    }

    fn health(&self) -> Health {
        Health { conflicts: self.conflicts, uncut: self.uncut.clone(), ..Health::default() }
    }
}

/// A batch and what names it.
struct Digested<'a> {
    batch: Cow<'a, Batch>,
    digest: Digest,
}

impl<'a> Digested<'a> {
    fn of(batch: Cow<'a, Batch>) -> Self {
        let mut bytes = Vec::new();
        wire::put(&batch, &mut bytes);
        Self { digest: wire::digest(&bytes), batch }
    }
}

fn load(connection: &Connection, tail: &Tail, clean_stop: bool) -> rusqlite::Result<Snapshot> {
    let rows = |sql: &str| -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
        connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let mut timers: Vec<(String, Vec<TimerRow>)> = Vec::new();
    let mut statement = connection.prepare("SELECT owner, due, kind FROM timers ORDER BY owner, position")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let owner: String = row.get(0)?;
        let timer = TimerRow { due: Timestamp(row.get(1)?), kind: row.get(2)? };
        match timers.last_mut() {
            Some((last, list)) if *last == owner => list.push(timer),
            _ => timers.push((owner, vec![timer])),
        }
    }
    let outbox_open = connection
        .prepare("SELECT key, subject, bytes, at, status, attempts FROM outbox WHERE status IN ('waiting', 'retrying') ORDER BY position")?
        .query_map([], |row| Ok((outbox_row(row)?, status(row, 4)?, row.get(5)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Snapshot {
        last_now: tail.last_now.map(Timestamp),
        hard: rows("SELECT key, bytes FROM state ORDER BY key")?,
        soft: rows("SELECT key, bytes FROM soft ORDER BY key")?,
        timers,
        outbox_open,
        clean_stop,
        last_seq: unsigned(tail.last_seq),
        chain_head: tail.head,
    })
}

/// Makes the database for this user alone, whatever the folder and the umask allow; its log takes after it.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// Takes the instance lock, or says who has it.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK_FILE);
    let unusable = |error: std::io::Error| StoreError::Fatal(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
    let mut patience = LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if patience.is_zero() => {
                let mut holder = String::new();
                // Only for the message; an unreadable one changes nothing.
                let _ = file.take(64).read_to_string(&mut holder);
                return Err(StoreError::Locked(format!("{} ({})", dir.display(), holder.trim())));
            }
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(LOCK_PAUSE);
                patience = patience.saturating_sub(LOCK_PAUSE);
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
    // Who holds it is only for the message of the next one; a full disk is no reason not to start.
    if let Err(error) = file.set_len(0).and_then(|()| writeln!(file, "process {}", std::process::id())) {
        tracing::warn!(%error, "the lock file does not say who holds it");
    }
    Ok(file)
}

/// The first four columns of every question for notifications.
fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow { key: row.get(0)?, case: row.get(1)?, bytes: row.get(2)?, at: Timestamp(row.get(3)?) })
}

fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<OutboxStatus> {
    named(row, column, OutboxStatus::parse)
}

/// Reads a stored name; an unknown one is a damaged row.
fn named<T>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let name = row.get_ref(column)?.as_str()?;
    parse(name).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, format!("unknown name {name}").into())
    })
}

/// Row numbers and counts are never negative; SQLite knows only signed ones.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
