//! A journal whose beginning is past its retention: what `verify` says of it, and what a damaged page does to the engine.

use super::*;
use crate::contract::piece;
use std::fs;

const ROWS: u64 = 40;
const DAY: i64 = 86_400;
/// When the pieces are cut: long after all rows.
const LATER: Timestamp = Timestamp::from_secs(400 * DAY);

fn reader(dir: &Path) -> SqliteReader {
    SqliteReader::open(dir).unwrap()
}

fn announce(store: &mut dyn Store, piece: &Piece) {
    store.commit(&Batch { now: LATER, entries: vec![piece.announcement(LATER)], ..Batch::default() }).unwrap();
}

/// Announces and deletes the first so many rows.
fn cut(store: &mut SqliteStore, rows: usize) {
    let piece = stamped(piece(&reader(store.dir()), rows));
    announce(store, &piece);
    store.cut(&piece);
}

/// The rows of these tests are older than any credible stamp, so they have that of none.
fn stamped(piece: Piece) -> Piece {
    Piece { oldest: Timestamp::from_secs(1), newest: Timestamp::from_secs(20), ..piece }
}

fn filled(dir: &Path) -> SqliteStore {
    let mut store = SqliteStore::open(dir).unwrap();
    for number in 1..=ROWS / 2 {
        store.commit(&numbered(number)).unwrap();
    }
    store
}

/// [`ROWS`] rows, then two pieces cut: the second takes up the first's announcement, which is row 41.
fn twice_cut() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    cut(&mut store, 15);
    store.commit(&Batch { now: LATER, ..numbered(50) }).unwrap();
    cut(&mut store, 26);
    assert_eq!(store.health().uncut, None);
    store.mark_clean_stop(LATER).unwrap();
    dir
}

/// The forger's connection.
fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join(connection::DATABASE_FILE)).unwrap()
}

/// Changes the journal behind its guards, which stand again afterwards.
fn forge(dir: &Path, change: impl FnOnce(&Connection)) {
    let raw = raw(dir);
    let guards: Vec<(String, String)> = raw
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    guards.iter().for_each(|(name, _)| raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    change(&raw);
    guards.iter().for_each(|(_, sql)| raw.execute_batch(sql).unwrap());
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
    assert_eq!((report.first, report.rows, report.anchors, told.last()), (42, 3, 1, Some(&(3, 3))));
    let refusal = raw(dir.path()).execute("DELETE FROM journal", []).unwrap_err().to_string();
    assert!(refusal.contains("append-only"), "{refusal}");
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.contradiction(), None);
    store.commit(&numbered(100)).unwrap();
    assert!(verify(dir.path(), |_, _| {}).unwrap().is_intact());
}

#[test]
fn a_piece_announced_before_a_crash_goes_afterwards_without_another_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    let first = stamped(piece(&reader(dir.path()), 15));
    announce(&mut store, &first);
    drop(store);
    assert!(verify(dir.path(), |_, _| {}).unwrap().is_intact());
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let again = stamped(piece(&reader(dir.path()), 15));
    store.commit(&Batch { now: LATER + model::Duration(1), entries: vec![again.announcement(LATER)], ..Batch::default() }).unwrap();
    store.cut(&again);
    assert_eq!((store.health().uncut, store.health().conflicts), (None, 0));
    let report = verify(dir.path(), |_, _| {}).unwrap();
    assert_eq!((report.is_intact(), report.first, report.rows), (true, 16, 26));
}

#[test]
fn anchors_of_rows_that_are_gone_are_counted_apart_and_the_last_of_them_still_tells() {
    let dir = twice_cut();
    let gone = Anchor { seq: 7, hash: ChainHash([7; 32]), at: Some(Timestamp::from_secs(4)) };
    let report = verify_with(dir.path(), &[gone], |_, _| {}).unwrap();
    assert_eq!((report.is_intact(), report.anchors, report.anchors_past), (true, 1, 1));
    let at_the_edge = Anchor { seq: 41, hash: ChainHash([7; 32]), at: None };
    let report = verify_with(dir.path(), &[at_the_edge], |_, _| {}).unwrap();
    assert_eq!(report.first_bad, Some(Bad { seq: 41, why: Fault::Rewritten }));
    // An old anchor beside the journal is no contradiction, and is written anew.
    fs::write(dir.path().join("journal.head"), gone.to_text()).unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.contradiction(), None);
    store.mark_clean_stop(LATER).unwrap();
    assert_eq!(anchor(dir.path()).unwrap().unwrap().seq, ROWS + 4);
    drop(store);
    // One that is younger than what was announced is: rows went that nobody spoke of.
    let young = Anchor { at: Some(Timestamp::from_secs(21)), ..gone };
    assert_eq!(verify_with(dir.path(), &[young], |_, _| {}).unwrap().first_bad, Some(Bad { seq: 42, why: Fault::Unannounced }));
    fs::write(dir.path().join("journal.head"), young.to_text()).unwrap();
    assert!(SqliteStore::open(dir.path()).unwrap().contradiction().is_some());
}

#[test]
fn a_beginning_cut_off_by_somebody_else_is_seen() {
    // The rows alone; with the record of where the journal begins; at a place that was announced once and is not the beginning now.
    for (change, wanted) in [
        ("DELETE FROM journal WHERE seq <= 43", (42, Fault::Missing)),
        ("DELETE FROM journal WHERE seq <= 43; UPDATE meta SET first_seq = 44", (44, Fault::Unannounced)),
        ("UPDATE meta SET first_seq = 1", (1, Fault::Missing)),
        ("UPDATE meta SET first_seq = 16", (16, Fault::Missing)),
        ("UPDATE meta SET first_seq = 43", (42, Fault::Displaced)),
        ("UPDATE journal SET prev = zeroblob(31) WHERE seq = 42", (42, Fault::Edited)),
        ("DELETE FROM journal WHERE kind = 'cut' AND seq = 44", (44, Fault::Truncated)),
    ] {
        let dir = twice_cut();
        forge(dir.path(), |raw| raw.execute_batch(change).unwrap());
        assert_eq!(first_bad(dir.path()), Some(wanted), "{change}");
    }
    let dir = twice_cut();
    forge(dir.path(), |raw| raw.execute_batch("DELETE FROM journal; UPDATE meta SET first_seq = last_seq + 1").unwrap());
    assert!(SqliteStore::open(dir.path()).unwrap().contradiction().is_some_and(|why| why.contains("no row of it says why")));
}

#[test]
fn a_forged_announcement_is_believed_by_nobody_outside() {
    // Somebody hides the first 30 rows, the newest of them of the 15th second, behind a row of his own: he has to choose.
    let forged = |newest: Timestamp, at: Timestamp| {
        let dir = tempfile::tempdir().unwrap();
        let mut store = filled(dir.path());
        let piece = Piece { oldest: Timestamp::from_secs(1), newest, ..piece(&reader(dir.path()), 30) };
        store.commit(&Batch { now: at, entries: vec![piece.announcement(at)], ..Batch::default() }).unwrap();
        drop(store);
        fs::remove_file(dir.path().join("journal.head")).ok();
        forge(dir.path(), |raw| raw.execute_batch("DELETE FROM journal WHERE seq <= 30; UPDATE meta SET first_seq = 31").unwrap());
        dir
    };
    let kept = Anchor { seq: 20, hash: ChainHash([1; 32]), at: Some(Timestamp::from_secs(10)) };
    let seen = |dir: &Path, now: Timestamp| {
        let report = super::super::verify(dir, &Outside { anchors: vec![kept], now }, |_, _| {}).unwrap();
        report.first_bad.map(|bad| bad.why)
    };
    let (now, month) = (Timestamp::from_secs(100), model::bounds::HISTORY_KEPT_MIN);
    // They were young when he said it; it is not yet the day he says; they were younger than he says.
    let young = forged(Timestamp::from_secs(15), now);
    assert_eq!(seen(young.path(), now), Some(Fault::Unannounced));
    let tomorrow = forged(Timestamp::from_secs(15), Timestamp::from_secs(15) + month);
    assert_eq!(seen(tomorrow.path(), now), Some(Fault::Unannounced));
    let old = forged(now - month - month, now);
    assert_eq!(seen(old.path(), now), Some(Fault::Unannounced));
    // A month later the second would be a retention like any other.
    assert_eq!(seen(tomorrow.path(), now + month), None);
}

#[test]
fn nothing_goes_that_is_not_whole_and_no_trace_of_a_forger() {
    for change in [
        "DELETE FROM journal WHERE seq = 3",
        "UPDATE journal SET hash = zeroblob(32) WHERE seq = 5",
        "UPDATE journal SET bytes = x'7b7d' WHERE seq = 2",
        "UPDATE journal SET bytes = x'7b7d' WHERE seq = 6",
        "UPDATE journal SET prev = zeroblob(32) WHERE seq = 6",
        "UPDATE journal SET seq = -1 WHERE seq = 1",
        "DELETE FROM journal WHERE seq <= 2; UPDATE meta SET first_seq = 3",
        "DROP INDEX journal_subject",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = filled(dir.path());
        let piece = stamped(piece(&reader(dir.path()), 5));
        announce(&mut store, &piece);
        forge(dir.path(), |raw| raw.execute_batch(change).unwrap());
        let count = || raw(dir.path()).query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).unwrap();
        let before = count();
        store.cut(&piece);
        assert!(store.health().uncut.is_some(), "{change}");
        assert_eq!(count(), before, "{change}");
        store.commit(&numbered(100)).unwrap();
    }
}

#[test]
fn a_busy_database_leaves_the_piece_for_another_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = filled(dir.path());
    let piece = stamped(piece(&reader(dir.path()), 5));
    announce(&mut store, &piece);
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let mut other = raw(dir.path());
    let holding = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    store.cut(&piece);
    assert!(store.health().uncut.is_some_and(|why| why.contains("locked")));
    drop(holding);
    store.cut(&piece);
    assert_eq!((store.health().uncut, reader(dir.path()).oldest(1).unwrap()[0].seq), (None, 6));
}

#[test]
fn a_damaged_page_among_the_oldest_rows_stops_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = AheadStore::open(dir.path()).unwrap();
    for number in 1..=2_000 {
        store.commit(&numbered(number)).unwrap();
    }
    store.load().unwrap();
    let piece = stamped(piece(&reader(dir.path()), 200));
    announce(&mut store, &piece);
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

#[test]
fn a_start_behind_a_cut_does_not_end_on_damaged_oldest_rows() {
    // The leaf itself, and a page that a long row goes on in.
    for long in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = filled(dir.path());
        if long {
            let mut batch = Batch { now: LATER, ..numbered(60) };
            batch.entries.truncate(1);
            batch.entries[0].bytes = format!(r#"{{"long":"{}"}}"#, "x".repeat(20_000)).into_bytes();
            store.commit(&batch).unwrap();
        }
        cut(&mut store, if long { 40 } else { 15 });
        assert_eq!(store.health().uncut, None);
        store.mark_clean_stop(LATER).unwrap();
        drop(store);
        let file = dir.path().join(connection::DATABASE_FILE);
        let (mut bytes, mut damaged) = (fs::read(&file).unwrap(), 0);
        for page in bytes.chunks_mut(4096).skip(1) {
            let is_leaf = page[0] == 0x0d && page.windows(13).any(|window| window == br#"{"number":10}"#);
            let goes_on = page.ends_with(&[b'x'; 2_000]);
            if if long { goes_on } else { is_leaf } {
                page.fill(0xa5);
                damaged += 1;
            }
        }
        assert!(damaged > 0, "{long}");
        fs::write(&file, bytes).unwrap();
        let mut store = AheadStore::open(dir.path()).unwrap();
        assert!(store.contradiction().is_some_and(|why| why.contains("cannot be read")), "{long}: {:?}", store.contradiction());
        store.commit(&Batch { now: LATER + model::Duration(1), ..numbered(9_000) }).unwrap();
        store.load().unwrap();
        assert_eq!(store.health().trouble, None);
    }
}
