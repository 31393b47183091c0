//! Opening a connection the one way that keeps the promise, and what SQLite's errors mean to us.

use crate::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::path::Path;
use std::time::Duration;

/// The database in its folder.
pub(super) const DATABASE_FILE: &str = "watchfire.db";
/// Its write-ahead log.
pub(super) const WAL_FILE: &str = "watchfire.db-wal";
/// Below this, SQLite can lose commits when one connection checkpoints while another writes.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long a connection waits for another one's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What is left of the write-ahead log's file after it was worked in.
const WAL_KEPT_BYTES: i64 = 64 << 20;
/// Prepared statements kept per connection; more than there are.
const STATEMENTS_KEPT: usize = 64;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The engine's: commits, never checkpoints by itself (a commit would wait for it).
    Writer,
    /// Works the write-ahead log into the database and never waits for anybody.
    Checkpointer,
    /// Only looks.
    Reader,
}

pub(super) fn open(dir: &Path, role: Role) -> Result<Connection, StoreError> {
    open_file(&dir.join(DATABASE_FILE), role)
}

pub(crate) fn open_file(path: &Path, role: Role) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::Version(format!("SQLite {} can lose commits; 3.51.3 is the oldest that does not", rusqlite::version())));
    }
    let access = match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Role::Checkpointer => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Role::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // Each connection stays with one thread at a time, so SQLite need not lock it.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    configure(&connection, role)?;
    Ok(connection)
}

/// Sets every pragma and reads it back: a setting that SQLite silently did not take is a promise silently not kept.
pub(super) fn configure(connection: &Connection, role: Role) -> Result<(), StoreError> {
    be_patient(connection, role)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(failed)?;
    if role == Role::Writer {
        // Answers with the mode it chose; a file system without shared memory would choose another one.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).map_err(failed)?;
    }
    for (name, value) in settings(role) {
        connection.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_row).map_err(failed)?;
    }
    for (name, wanted) in read_back(role) {
        let found = match connection.pragma_query_value(None, name, text) {
            Err(rusqlite::Error::QueryReturnedNoRows) => "nothing".to_owned(),
            found => found.map_err(failed)?,
        };
        if found != wanted {
            return Err(StoreError::Fatal(format!("SQLite did not take {name} = {wanted}: it is {found}")));
        }
    }
    Ok(())
}

/// Lets a connection wait for another one's lock as its role may.
pub(super) fn be_patient(connection: &Connection, role: Role) -> Result<(), StoreError> {
    connection.busy_timeout(patience(role)).map_err(failed)
}

fn patience(role: Role) -> Duration {
    if role == Role::Checkpointer { Duration::ZERO } else { BUSY_TIMEOUT }
}

fn settings(role: Role) -> Vec<(&'static str, i64)> {
    let mut settings = vec![
        // FULL. With NORMAL a power cut takes back every commit since the last checkpoint.
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("mmap_size", 0),
        // In memory.
        ("temp_store", 2),
        ("wal_autocheckpoint", 0),
    ];
    match role {
        Role::Writer | Role::Checkpointer => settings.push(("journal_size_limit", WAL_KEPT_BYTES)),
        Role::Reader => settings.push(("query_only", 1)),
    }
    settings
}

fn read_back(role: Role) -> Vec<(&'static str, String)> {
    let mut wanted = vec![("journal_mode", "wal".to_owned()), ("busy_timeout", patience(role).as_millis().to_string())];
    wanted.extend(settings(role).into_iter().map(|(name, value)| (name, value.to_string())));
    wanted
}

/// Some pragmas answer a setting with the new value, others with nothing.
fn no_row(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

fn text(row: &rusqlite::Row<'_>) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(0)? {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => String::new(),
    })
}

/// Sorts an error by what the caller does next.
pub(crate) fn failed(error: rusqlite::Error) -> StoreError {
    let Some(code) = error.sqlite_error() else {
        return StoreError::Fatal(error.to_string());
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Retry(error.to_string()),
        ErrorCode::DiskFull => StoreError::Full,
        // The write-ahead log's index could not grow: a full disk, met outside of a write.
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full,
        ErrorCode::OperationInterrupted => StoreError::Deadline,
        ErrorCode::NotADatabase => StoreError::Version(error.to_string()),
        // Among them a failed fsync: the kernel has thrown the pages away, a second fsync would lie.
        _ => StoreError::Fatal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn errors_are_sorted_by_what_the_engine_does_next() {
        assert!(matches!(failed(coded(ffi::SQLITE_BUSY)), StoreError::Retry(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_BUSY_SNAPSHOT)), StoreError::Retry(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_FULL)), StoreError::Full));
        assert!(matches!(failed(coded(ffi::SQLITE_IOERR_SHMSIZE)), StoreError::Full));
        assert!(matches!(failed(coded(ffi::SQLITE_IOERR_FSYNC)), StoreError::Fatal(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_IOERR_WRITE)), StoreError::Fatal(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_CORRUPT)), StoreError::Fatal(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_NOTADB)), StoreError::Version(_)));
        assert!(matches!(failed(coded(ffi::SQLITE_INTERRUPT)), StoreError::Deadline));
    }

    #[test]
    fn every_pragma_is_taken_by_every_role() {
        let dir = tempfile::tempdir().unwrap();
        for role in [Role::Writer, Role::Checkpointer, Role::Reader] {
            let connection = open(dir.path(), role).unwrap();
            for (name, wanted) in read_back(role) {
                let found: String = connection.pragma_query_value(None, name, text).unwrap();
                assert_eq!(found, wanted, "{name} of {role:?}");
            }
        }
        // The ones that everything rests on, spelt out.
        let writer = open(dir.path(), Role::Writer).unwrap();
        let of = |name| writer.pragma_query_value(None, name, text).unwrap();
        assert_eq!((of("journal_mode").as_str(), of("synchronous").as_str()), ("wal", "2"));
    }

    #[test]
    fn a_setting_that_was_not_taken_is_noticed() {
        let memory = Connection::open_in_memory().unwrap();
        let refusal = configure(&memory, Role::Writer).unwrap_err();
        assert!(matches!(&refusal, StoreError::Fatal(why) if why.contains("journal_mode")), "{refusal}");
    }

    #[test]
    fn a_reader_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), Role::Writer).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(open(dir.path(), Role::Reader).unwrap().execute_batch("INSERT INTO t VALUES (1)").is_err());
    }
}
