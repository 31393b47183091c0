//! The schema and how it grows: numbered SQL files, each applied once and remembered with its hash.

use super::connection::failed;
use crate::StoreError;
use crate::chain::ChainHash;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

/// `WtFi`: tells our files from any other program's.
const APPLICATION_ID: i32 = 0x5774_4669;

/// One step of a schema.
pub(crate) struct Migration {
    /// For people who look into the file.
    pub name: &'static str,
    /// What is done.
    pub sql: &'static str,
}

/// In order; a released one never changes.
const MIGRATIONS: [Migration; 1] = [Migration { name: "0001_journal", sql: include_str!("sql/0001_journal.sql") }];

impl Migration {
    fn hash(&self) -> String {
        ChainHash(Sha256::digest(self.sql).into()).to_string()
    }
}

/// Brings a database to this program's schema, or refuses one that is newer, changed or not ours.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    apply(connection, APPLICATION_ID, &MIGRATIONS)
}

/// Applies what is missing of a schema to a database with this mark.
pub(crate) fn apply(connection: &mut Connection, mark: i32, migrations: &[Migration]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let application: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 {
        transaction.pragma_update(None, "application_id", mark).map_err(failed)?;
        transaction
            .execute_batch("CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT")
            .map_err(failed)?;
    } else if application != mark {
        return Err(StoreError::Version("the database was not made by this program".to_owned()));
    }
    let newest: Option<i64> = transaction.query_row("SELECT max(version) FROM schema_migrations", [], |row| row.get(0)).map_err(failed)?;
    if newest.unwrap_or(0) > as_version(migrations.len()) {
        return Err(StoreError::Version(format!(
            "its schema has version {}, this program knows {}",
            newest.unwrap_or(0),
            migrations.len()
        )));
    }
    for (at, migration) in migrations.iter().enumerate() {
        let version = as_version(at + 1);
        let applied: Option<String> = transaction
            .query_row("SELECT sha256 FROM schema_migrations WHERE version = ?1", [version], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        match applied {
            Some(hash) if hash == migration.hash() => {}
            Some(_) => return Err(StoreError::Version(format!("its migration {} is not the one this program has", migration.name))),
            None => {
                transaction.execute_batch(migration.sql).map_err(failed)?;
                transaction
                    .execute("INSERT INTO schema_migrations VALUES (?1, ?2, ?3)", params![version, migration.name, migration.hash()])
                    .map_err(failed)?;
                transaction.pragma_update(None, "user_version", version).map_err(failed)?;
            }
        }
    }
    transaction.commit().map_err(failed)
}

fn as_version(count: usize) -> i64 {
    i64::try_from(count).expect("there are few migrations")
}

/// Whether the journal's table, its indexes and its guards against edits stand as the migrations made them.
pub(super) fn guards_intact(connection: &Connection) -> rusqlite::Result<bool> {
    let wanted = Connection::open_in_memory()?;
    for migration in &MIGRATIONS {
        wanted.execute_batch(migration.sql)?;
    }
    Ok(journal_objects(&wanted)? == journal_objects(connection)?)
}

fn journal_objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
    connection
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'journal' ORDER BY type, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration { name: "0001_a", sql: "CREATE TABLE a (x)" };

    fn refused(result: Result<(), StoreError>) -> String {
        match result {
            Err(StoreError::Version(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn migrations_are_applied_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, APPLICATION_ID, &[FIRST]).unwrap();
        let both = [FIRST, Migration { name: "0002_b", sql: "ALTER TABLE a ADD COLUMN y" }];
        apply(&mut connection, APPLICATION_ID, &both).unwrap();
        apply(&mut connection, APPLICATION_ID, &both).unwrap();
        connection.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).unwrap();
        assert_eq!(connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 2);
        assert!(refused(apply(&mut connection, APPLICATION_ID, &[FIRST])).contains("version 2"), "a newer store is left alone");
    }

    #[test]
    fn a_changed_migration_and_a_strange_database_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, APPLICATION_ID, &[FIRST]).unwrap();
        assert!(
            refused(apply(&mut connection, APPLICATION_ID, &[Migration { name: "0001_a", sql: "CREATE TABLE b (x)" }])).contains("0001_a")
        );
        let mut strange = Connection::open_in_memory().unwrap();
        strange.execute_batch("CREATE TABLE theirs (x)").unwrap();
        refused(migrate(&mut strange));
    }

    #[test]
    fn a_failing_migration_leaves_the_database_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, APPLICATION_ID, &[FIRST]).unwrap();
        assert!(
            apply(&mut connection, APPLICATION_ID, &[FIRST, Migration { name: "0002_b", sql: "CREATE TABLE c (x); CREATE TABLE a (x)" }])
                .is_err()
        );
        assert!(connection.prepare("SELECT x FROM c").is_err());
        apply(&mut connection, APPLICATION_ID, &[FIRST]).unwrap();
    }
}
