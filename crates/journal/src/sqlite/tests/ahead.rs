//! What the log adds: commits that wait for no database, and a database that lacks nothing all the same.

use super::*;
use crate::contract::full;
use crate::{OutboxFilter, OutboxRow};
use std::path::Path;

/// The log's file.
const LOG: &str = "watchfire.ahead";

/// The readers are those of another process, so what they are asked for must be there already: the scenarios load before they read.
#[test]
fn the_store_behind_the_log_keeps_the_contract() {
    contract::run(&mut || Box::new(Folder::new(|dir| Box::new(AheadStore::open(dir).unwrap()))));
}

/// Somebody who writes to the database, so that nothing else is written to it until this is dropped.
fn hold(dir: &Path) -> Connection {
    let raw = Connection::open(dir.join(connection::DATABASE_FILE)).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    raw
}

/// The folder as a crash now would leave it. SQLite's shared memory is not part of it: a start makes it anew.
fn copy(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in [connection::DATABASE_FILE, connection::WAL_FILE, LOG] {
        std::fs::copy(dir.join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// A folder as a crash leaves it that comes when only the log has these first commits.
fn crashed_with(commits: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    let _held = hold(dir.path());
    for number in 1..=commits {
        store.commit(&numbered(number)).unwrap();
    }
    copy(dir.path())
}

#[test]
fn a_commit_waits_for_no_database_and_is_there_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    assert_eq!(store.load().unwrap().last_seq, 2);
    let held = hold(dir.path());
    for number in 2..=400 {
        store.commit(&numbered(number)).unwrap();
    }
    assert_eq!(store.health().behind, 399);
    let crashed = copy(dir.path());
    assert_eq!(commits_ahead(crashed.path()).unwrap(), 399);
    let mut next = AheadStore::open(crashed.path()).unwrap();
    // The outcome of the last one may have been unknown.
    next.commit(&numbered(400)).unwrap();
    next.commit(&numbered(401)).unwrap();
    let snapshot = next.load().unwrap();
    assert_eq!((snapshot.last_seq, snapshot.clean_stop), (802, false));
    assert_eq!((commits_ahead(crashed.path()).unwrap(), next.health()), (0, Health::default()));
    let rows = SqliteReader::open(crashed.path()).unwrap().entries(&[], 0, usize::MAX).unwrap().rows;
    for (row, number) in rows.iter().zip((1..=401).flat_map(|number| [number, number])) {
        assert_eq!(row.bytes, format!(r#"{{"number":{number}}}"#).into_bytes());
    }
    assert!(verify(crashed.path(), |_, _| {}).unwrap().is_intact());
    drop(held);
    assert_eq!(store.load().unwrap().last_seq, 800, "and the one that did not crash goes on as well");
}

#[test]
fn a_crash_at_every_commit_finds_all_up_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    for number in 1..=60 {
        store.commit(&numbered(number)).unwrap();
        if number % 7 == 0 {
            // Some in the database, some in both, some in the log alone.
            std::thread::sleep(Duration::from_micros(700 * (number % 5)));
        }
        let crashed = copy(dir.path());
        let mut next = AheadStore::open(crashed.path()).unwrap();
        assert_eq!(next.load().unwrap().last_seq, number * 2);
        assert!(verify(crashed.path(), |_, _| {}).unwrap().is_intact());
    }
}

#[test]
fn those_who_read_in_the_engine_see_all_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    let reader = store.reader().unwrap();
    for number in 1..=100 {
        store.commit(&Batch { acts: full(signed(number)).acts, ..numbered(number) }).unwrap();
        if number % 2 == 0 {
            assert_eq!(reader.head().unwrap().seq, number * 2);
        }
        assert_eq!(store.act_answer(&format!("act{number}")).unwrap().unwrap().answer, b"done");
    }
    // One that is held up is not waited for for ever.
    let held = hold(dir.path());
    store.commit(&numbered(101)).unwrap();
    assert_eq!(reader.head().unwrap().seq, 200);
    drop(held);
    assert_eq!(store.load().unwrap().last_seq, 202);
}

#[test]
fn commits_of_one_transaction_are_taken_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    let held = hold(dir.path());
    let row = |key: &str| OutboxRow { key: key.to_owned(), case: "c".to_owned(), bytes: b"{}".to_vec(), at: Timestamp(1) };
    store.commit(&Batch { outbox: vec![row("first")], ..numbered(1) }).unwrap();
    // Supersedes the first, not its own: as one batch it would supersede neither.
    store.commit(&Batch { supersede: vec!["c".to_owned()], outbox: vec![row("second")], ..numbered(2) }).unwrap();
    let timers =
        |count: i64| vec![("c".to_owned(), (0..count).map(|due| TimerRow { due: Timestamp(due), kind: "k".to_owned() }).collect())];
    store.commit(&Batch { timers: timers(3), state: vec![("last".to_owned(), None)], ..numbered(3) }).unwrap();
    store.commit(&Batch { timers: timers(1), ..numbered(4) }).unwrap();
    drop(held);
    let snapshot = store.load().unwrap();
    assert_eq!(snapshot.outbox_open.iter().map(|open| open.0.key.as_str()).collect::<Vec<_>>(), ["second"]);
    assert_eq!((snapshot.timers[0].1.len(), snapshot.hard[0].1.as_slice()), (1, &b"4"[..]));
    let reader = store.reader().unwrap();
    assert_eq!(reader.outbox(&OutboxFilter::default(), 9).unwrap().len(), 2);
}

#[test]
fn a_full_log_holds_the_commit_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    let held = hold(dir.path());
    let large = |number| Batch { soft: vec![("soft".to_owned(), vec![7; 1 << 20])], ..numbered(number) };
    for number in 1..=15 {
        store.commit(&large(number)).unwrap();
    }
    assert!(matches!(store.commit(&large(16)), Err(StoreError::Retry(_))));
    drop(held);
    store.commit(&large(16)).unwrap();
    assert_eq!(store.load().unwrap().last_seq, 32);
    for number in 17..=60 {
        store.commit(&large(number)).unwrap();
    }
    assert_eq!(store.load().unwrap().last_seq, 120);
}

#[test]
fn a_batch_larger_than_the_log_is_durable_when_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    let huge = Batch { soft: vec![("soft".to_owned(), vec![7; 17 << 20])], ..numbered(2) };
    store.commit(&huge).unwrap();
    assert_eq!(SqliteReader::open(dir.path()).unwrap().head().unwrap().seq, 4, "in the database itself");
    store.commit(&huge).unwrap();
    store.commit(&numbered(3)).unwrap();
    let crashed = copy(dir.path());
    assert_eq!(AheadStore::open(crashed.path()).unwrap().load().unwrap().last_seq, 6);
    // Its outcome unknown and the database held up, it is given again.
    let held = hold(dir.path());
    let again = Batch { now: Timestamp::from_secs(9), ..huge };
    assert!(matches!(store.commit(&again), Err(StoreError::Retry(_))));
    assert!(matches!(store.commit(&again), Err(StoreError::Retry(_))));
    drop(held);
    while store.commit(&again).is_err() {}
    assert_eq!(store.load().unwrap().last_seq, 6 + 1, "once: its keyed row was known");
}

#[test]
fn a_log_that_does_not_continue_the_database_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    store.load().unwrap();
    let older = copy(dir.path());
    store.commit(&numbered(2)).unwrap();
    store.load().unwrap();
    let held = hold(dir.path());
    store.commit(&numbered(3)).unwrap();
    std::fs::copy(dir.path().join(LOG), older.path().join(LOG)).unwrap();
    drop((held, store));
    let mut store = AheadStore::open(older.path()).unwrap();
    assert_eq!(store.load().unwrap().last_seq, 2, "the third must not stand where the second is missing");
    assert!(older.path().join("watchfire.ahead.1").is_file());
    assert!(store.contradiction().is_some_and(|why| why.contains("does not continue")), "people are told");
    store.commit(&numbered(2)).unwrap();
    drop(store);
    assert_eq!(AheadStore::open(older.path()).unwrap().load().unwrap().last_seq, 4);
}

#[test]
fn a_log_with_a_hole_is_kept_and_told() {
    use std::os::unix::fs::FileExt;
    let crashed = crashed_with(3);
    let log = std::fs::OpenOptions::new().read(true).write(true).open(crashed.path().join(LOG)).unwrap();
    // Within the second record.
    let mut byte = [0];
    log.read_exact_at(&mut byte, 600).unwrap();
    log.write_all_at(&[byte[0] ^ 1], 600).unwrap();
    let store = AheadStore::open(crashed.path()).unwrap();
    assert!(store.contradiction().is_some_and(|why| why.contains("damaged")));
    assert!(crashed.path().join("watchfire.ahead.1").is_file());
}

#[test]
fn the_log_is_not_written_over_before_the_database_is_known_to_be_on_the_disk() {
    let crashed = crashed_with(5);
    // Somebody reads, so the database's own log cannot start anew: it may hold what an engine before wrote and never synced.
    let raw = Connection::open(crashed.path().join(connection::DATABASE_FILE)).unwrap();
    raw.execute_batch("BEGIN; SELECT count(*) FROM meta").unwrap();
    let mut store = AheadStore::open(crashed.path()).unwrap();
    for number in 6..=9 {
        store.commit(&numbered(number)).unwrap();
        assert_eq!(store.load().unwrap().last_seq, number * 2);
    }
    let numbers = || super::super::ahead::numbers_in_log(crashed.path());
    assert_eq!(numbers(), (1..=9).collect::<Vec<_>>());
    raw.execute_batch("COMMIT").unwrap();
    let mut number = 10;
    while numbers()[0] == 1 {
        store.commit(&numbered(number)).unwrap();
        store.load().unwrap();
        number += 1;
        std::thread::sleep(Duration::from_millis(20));
        assert!(number < 500, "it never starts anew");
    }
}

#[test]
fn another_engine_is_refused_until_the_one_before_is_gone_altogether() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    store.load().unwrap();
    Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap().execute("UPDATE meta SET batch = batch + 1", []).unwrap();
    store.commit(&numbered(2)).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Fatal(_))), "the thread of the database has ended");
    assert!(matches!(AheadStore::open(dir.path()).map(drop), Err(StoreError::Locked(_))));
    drop(store);
    drop(AheadStore::open(dir.path()).unwrap());
}

#[test]
fn a_clean_stop_leaves_nothing_to_be_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    store.mark_clean_stop(Timestamp::from_secs(5)).unwrap();
    drop(store);
    assert_eq!(commits_ahead(dir.path()).unwrap(), 0);
    assert!(AheadStore::open(dir.path()).unwrap().load().unwrap().clean_stop);
}

#[test]
fn a_database_that_has_failed_stops_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    store.load().unwrap();
    let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    raw.execute("UPDATE meta SET batch = batch + 1", []).unwrap();
    store.commit(&numbered(2)).unwrap();
    assert!(matches!(store.load(), Err(StoreError::Fatal(_))));
    assert!(matches!(store.commit(&numbered(3)), Err(StoreError::Fatal(_))));
    assert!(store.health().trouble.is_some());
}
