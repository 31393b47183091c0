//! A journal whose beginning is past its retention: what `verify` says of it, and what a damaged page does to the engine.

use super::*;
use crate::contract::piece;
use std::fs;

const ROWS: u64 = 40;

fn reader(dir: &Path) -> SqliteReader {
    SqliteReader::open(dir).unwrap()
}

/// Announces and deletes the first so many rows.
fn cut(store: &mut SqliteStore, rows: usize) {
    let piece = piece(&reader(store.dir()), rows);
    let now = Timestamp::from_secs(1_000);
    store.commit(&Batch { now, entries: vec![piece.announcement(now)], ..Batch::default() }).unwrap();
    store.cut(&piece);
}

/// [`ROWS`] rows, then two pieces cut: the second takes up the first's announcement.
fn twice_cut() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    for number in 1..=ROWS / 2 {
        store.commit(&numbered(number)).unwrap();
    }
    cut(&mut store, 15);
    cut(&mut store, 15);
    assert_eq!(store.health().uncut, None);
    store.mark_clean_stop(Timestamp::from_secs(2_000)).unwrap();
    dir
}

fn raw(dir: &Path) -> Connection {
    let raw = Connection::open(dir.join(connection::DATABASE_FILE)).unwrap();
    raw.execute_batch("DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; DROP TRIGGER journal_no_replace").unwrap();
    raw
}

fn first_bad(dir: &Path) -> Option<(u64, Fault)> {
    verify(dir, |_, _| {}).unwrap().first_bad.map(|bad| (bad.seq, bad.why))
}

#[test]
fn what_is_left_is_intact_and_guarded_as_before() {
    let dir = twice_cut();
    let mut told = Vec::new();
    let report = verify(dir.path(), |done, all| told.push((done, all))).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.first, report.rows, report.anchors, told.last()), (31, 12, 1, Some(&(12, 12))));
    let refusal = raw_delete(dir.path());
    assert!(refusal.contains("append-only"), "{refusal}");
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.contradiction(), None);
    cut(&mut store, 5);
    store.commit(&numbered(100)).unwrap();
    assert!(verify(dir.path(), |_, _| {}).unwrap().is_intact());
}

fn raw_delete(dir: &Path) -> String {
    Connection::open(dir.join(connection::DATABASE_FILE)).unwrap().execute("DELETE FROM journal", []).unwrap_err().to_string()
}

#[test]
fn anchors_of_rows_that_are_gone_are_counted_apart_and_the_last_of_them_still_tells() {
    let dir = twice_cut();
    let gone = Anchor { seq: 7, hash: ChainHash([7; 32]) };
    let report = verify_against(dir.path(), &[gone], |_, _| {}).unwrap();
    assert_eq!((report.is_intact(), report.anchors, report.anchors_past), (true, 1, 1));
    let at_the_edge = Anchor { seq: 30, hash: ChainHash([7; 32]) };
    let report = verify_against(dir.path(), &[at_the_edge], |_, _| {}).unwrap();
    assert_eq!(report.first_bad, Some(Bad { seq: 30, why: Fault::Rewritten }));
    // An old anchor beside the journal is no contradiction, and is written anew.
    let old = Anchor { seq: 7, hash: ChainHash([7; 32]) };
    fs::write(dir.path().join("journal.head"), old.to_text()).unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.contradiction(), None);
    store.mark_clean_stop(Timestamp::from_secs(3_000)).unwrap();
    assert_eq!(anchor(dir.path()).unwrap().unwrap().seq, ROWS + 2);
}

#[test]
fn a_beginning_cut_off_by_somebody_else_is_seen() {
    // The rows alone; with the record of where the journal begins; at a place that was announced once and is not the beginning now.
    for (change, wanted) in [
        ("DELETE FROM journal WHERE seq <= 35", (31, Fault::Missing)),
        ("DELETE FROM journal WHERE seq <= 35; UPDATE meta SET first_seq = 36", (36, Fault::Unannounced)),
        ("UPDATE meta SET first_seq = 1", (1, Fault::Missing)),
        ("UPDATE meta SET first_seq = 16", (16, Fault::Missing)),
        ("UPDATE meta SET first_seq = 35", (31, Fault::Displaced)),
        ("UPDATE journal SET prev = zeroblob(31) WHERE seq = 31", (31, Fault::Edited)),
        ("DELETE FROM journal WHERE kind = 'cut' AND seq = 42", (42, Fault::Truncated)),
    ] {
        let dir = twice_cut();
        raw(dir.path()).execute_batch(change).unwrap();
        assert_eq!(first_bad(dir.path()), Some(wanted), "{change}");
    }
}

#[test]
fn nothing_goes_that_is_not_whole() {
    for change in [
        "DELETE FROM journal WHERE seq = 3",
        "UPDATE journal SET hash = zeroblob(32) WHERE seq = 5",
        "UPDATE journal SET seq = -1 WHERE seq = 1",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(dir.path()).unwrap();
        for number in 1..=ROWS / 2 {
            store.commit(&numbered(number)).unwrap();
        }
        let piece = piece(&reader(dir.path()), 5);
        let now = Timestamp::from_secs(1_000);
        store.commit(&Batch { now, entries: vec![piece.announcement(now)], ..Batch::default() }).unwrap();
        let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
        let guards: Vec<String> = raw
            .prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        raw.execute_batch("DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; DROP TRIGGER journal_no_replace").unwrap();
        raw.execute_batch(change).unwrap();
        guards.iter().for_each(|guard| raw.execute_batch(guard).unwrap());
        let count = || raw.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).unwrap();
        let before = count();
        store.cut(&piece);
        assert!(store.health().uncut.is_some(), "{change}");
        assert_eq!(count(), before, "{change}");
        store.commit(&numbered(100)).unwrap();
    }
}

#[test]
fn a_damaged_page_among_the_oldest_rows_stops_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    for number in 1..=2_000 {
        store.commit(&numbered(number)).unwrap();
    }
    store.load().unwrap();
    let piece = piece(&reader(dir.path()), 200);
    let now = Timestamp::from_secs(4_000);
    store.commit(&Batch { now, entries: vec![piece.announcement(now)], ..Batch::default() }).unwrap();
    drop(store);
    let file = dir.path().join(connection::DATABASE_FILE);
    // So that the file has all of it.
    drop(SqliteStore::open(dir.path()).unwrap());
    let (mut bytes, mut damaged) = (fs::read(&file).unwrap(), 0);
    for page in bytes.chunks_mut(4096).skip(1) {
        // A leaf of a table: what once held the row may hold its bytes still.
        if page[0] == 0x0d && page.windows(12).any(|window| window == br#"{"number":3}"#) {
            page.fill(0xa5);
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    fs::write(&file, bytes).unwrap();

    let mut store = AheadStore::open(dir.path()).unwrap();
    assert!(reader(dir.path()).oldest(200).is_err(), "who looks for the oldest is told");
    store.cut(&piece);
    store.commit(&numbered(9_000)).unwrap();
    store.load().unwrap();
    assert!(store.health().uncut.is_some_and(|why| why.contains("malformed")), "{:?}", store.health());
    drop(store);
    // And neither does the next start end on it.
    let mut store = AheadStore::open(dir.path()).unwrap();
    store.commit(&numbered(9_001)).unwrap();
    store.load().unwrap();
    assert_eq!(store.health().trouble, None);
}
