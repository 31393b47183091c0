//! Somebody with write access to the file changes the journal; `verify` names the first row that is not as it was.

use super::*;
use crate::contract::random::Random;
use std::fs;

const ROWS: u64 = 40;

/// A journal of [`ROWS`] rows after a clean stop, with its anchor.
fn recorded() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    for number in 1..=ROWS / 2 {
        store.commit(&numbered(number)).unwrap();
    }
    store.mark_clean_stop(Timestamp::from_secs(1_000)).unwrap();
    drop(store);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "database, lock, anchor: the log is worked in");
    dir
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
    }
    to
}

/// The forger's connection: the triggers are no obstacle to one who can write.
fn raw(dir: &Path) -> Connection {
    let raw = Connection::open(dir.join(connection::DATABASE_FILE)).unwrap();
    raw.execute_batch("DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; DROP TRIGGER journal_no_replace").unwrap();
    raw
}

fn first_bad(dir: &Path) -> Option<(u64, Fault)> {
    let report = verify(dir, |_, _| {}).unwrap();
    assert!(!report.guards_intact, "the dropped triggers are noticed too");
    report.first_bad.map(|bad| (bad.seq, bad.why))
}

/// Changes something at random and says what must be found.
fn forge(raw: &Connection, random: &mut Random) -> (String, (u64, Fault)) {
    let seq = 1 + random.below(ROWS);
    let run = |sql: &str| raw.execute_batch(sql).unwrap();
    match random.below(8) {
        0 => {
            let bytes: Vec<u8> = raw.query_row("SELECT bytes FROM journal WHERE seq = ?1", [signed(seq)], |row| row.get(0)).unwrap();
            let (mut forged, at) = (bytes.clone(), random.below(bytes.len() as u64) as usize);
            forged[at] ^= 1 << random.below(8);
            raw.execute("UPDATE journal SET bytes = ?2 WHERE seq = ?1", rusqlite::params![signed(seq), forged]).unwrap();
            (format!("bit of byte {at} of row {seq}"), (seq, Fault::Edited))
        }
        1 => {
            let change = [
                "kind = 'act'",
                "format = format + 1",
                "key = 'forged' || seq",
                "subject = NULL",
                "subject = 'elsewhere'",
                "at = at - 3600000000",
                "stream = 'other'",
                "bytes = x''",
                "prev = CAST(zeroblob(31) || x'01' AS BLOB)",
                "hash = zeroblob(32)",
                "hash = zeroblob(31)",
            ][random.below(11) as usize];
            run(&format!("UPDATE journal SET {change} WHERE seq = {seq}"));
            (format!("{change} of row {seq}"), (seq, Fault::Edited))
        }
        2 => {
            run(&format!("DELETE FROM journal WHERE seq = {seq}"));
            (format!("row {seq} deleted"), (seq, if seq == ROWS { Fault::Truncated } else { Fault::Missing }))
        }
        3 => {
            let other = 1 + (seq + random.below(ROWS - 1)) % ROWS;
            run(&format!(
                "UPDATE journal SET seq = -1 WHERE seq = {seq}; UPDATE journal SET seq = {seq} WHERE seq = {other};
                 UPDATE journal SET seq = {other} WHERE seq = -1"
            ));
            (format!("rows {seq} and {other} swapped"), (seq.min(other), Fault::Edited))
        }
        4 => {
            run(&format!("UPDATE journal SET seq = -seq WHERE seq >= {seq}; UPDATE journal SET seq = 1 - seq WHERE seq < 0"));
            insert(raw, signed(seq));
            // The forged row is whole and follows from the one before: it is the row it pushed away that no longer fits.
            (format!("a row inserted at {seq}"), if seq == ROWS { (ROWS, Fault::Rewritten) } else { (seq + 1, Fault::Edited) })
        }
        5 => {
            insert(raw, signed(ROWS) + 1);
            ("a row appended".to_owned(), (ROWS + 1, Fault::Unrecorded))
        }
        6 => {
            // The end is cut off and the record of the end with it: the anchor alone knows.
            run(&format!("DELETE FROM journal WHERE seq >= {seq}"));
            record_end(raw);
            (format!("cut off at {seq}, with the recorded end"), (seq, Fault::Truncated))
        }
        _ => {
            // All hashes from here on are computed anew and the end is recorded: the anchor alone knows.
            run(&format!("UPDATE journal SET bytes = CAST(bytes || x'20' AS BLOB) WHERE seq = {seq}"));
            rehash(raw);
            record_end(raw);
            (format!("rewritten from {seq}, with the recorded end"), (ROWS, Fault::Rewritten))
        }
    }
}

/// Inserts a row that is whole in itself and names the right row before.
fn insert(raw: &Connection, seq: i64) {
    let prev: Option<[u8; 32]> = raw.query_row("SELECT max(hash) FROM journal WHERE seq = ?1 - 1", [seq], |row| row.get(0)).unwrap();
    let prev = ChainHash(prev.unwrap_or([0; 32]));
    let link = crate::chain::Link { stream: STREAM, seq, kind: "act", format: 1, key: None, subject: None, at: 0, bytes: b"{}", prev };
    raw.execute(
        "INSERT INTO journal VALUES (?1, 'main', 'act', 1, NULL, NULL, 0, ?2, ?3, ?4)",
        rusqlite::params![seq, b"{}", prev.0, link.hash().0],
    )
    .unwrap();
}

fn rehash(raw: &Connection) {
    let mut prev = ChainHash::START;
    for seq in 1..=signed(ROWS) {
        let hash = raw
            .query_row("SELECT kind, format, key, subject, at, bytes FROM journal WHERE seq = ?1", [seq], |row| {
                let link = crate::chain::Link {
                    stream: STREAM,
                    seq,
                    kind: row.get_ref(0)?.as_str()?,
                    format: row.get(1)?,
                    key: row.get_ref(2)?.as_str_or_null()?,
                    subject: row.get_ref(3)?.as_str_or_null()?,
                    at: row.get(4)?,
                    bytes: row.get_ref(5)?.as_blob()?,
                    prev,
                };
                Ok(link.hash())
            })
            .unwrap();
        raw.execute("UPDATE journal SET prev = ?2, hash = ?3 WHERE seq = ?1", rusqlite::params![seq, prev.0, hash.0]).unwrap();
        prev = hash;
    }
}

fn record_end(raw: &Connection) {
    raw.execute_batch(
        "UPDATE meta SET last_seq = (SELECT coalesce(max(seq), 0) FROM journal),
                         head = coalesce((SELECT hash FROM journal ORDER BY seq DESC LIMIT 1), zeroblob(32))",
    )
    .unwrap();
}

#[test]
fn an_untouched_journal_is_intact() {
    let dir = recorded();
    let mut told = Vec::new();
    let report = verify(dir.path(), |done, all| told.push((done, all))).unwrap();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.rows, report.anchors, told.last()), (ROWS, 1, Some(&(ROWS, ROWS))));
    let at = Some(Timestamp::from_secs(signed(ROWS / 2)));
    assert_eq!(Some(Anchor { seq: ROWS, hash: report.head, at }), anchor(dir.path()).unwrap());
}

#[test]
fn two_hundred_random_forgeries_are_found_at_the_right_row() {
    let untouched = recorded();
    let mut random = Random::new(2);
    for round in 0..200 {
        let dir = copy(untouched.path());
        let raw = raw(dir.path());
        let (what, wanted) = forge(&raw, &mut random);
        drop(raw);
        assert_eq!(first_bad(dir.path()), Some(wanted), "forgery {round}: {what}");
    }
}

#[test]
fn only_an_anchor_kept_elsewhere_shows_a_forger_who_reaches_everything() {
    let dir = recorded();
    let row = SqliteReader::open(dir.path()).unwrap().entries(&[], 20, 1).unwrap().rows.remove(0);
    let kept = Anchor { seq: 20, hash: row.hash, at: Some(row.at) };
    let raw = raw(dir.path());
    raw.execute_batch("UPDATE journal SET bytes = x'7b7d' WHERE seq = 7").unwrap();
    rehash(&raw);
    record_end(&raw);
    drop(raw);
    fs::remove_file(dir.path().join("journal.head")).unwrap();
    assert_eq!(first_bad(dir.path()), None, "the chain alone cannot know");
    let report = verify_with(dir.path(), &[kept], |_, _| {}).unwrap();
    assert_eq!(report.first_bad, Some(Bad { seq: 20, why: Fault::Rewritten }));
    let later = Anchor { seq: ROWS + 5, ..kept };
    let report = verify_with(dir.path(), &[later], |_, _| {}).unwrap();
    assert_eq!(report.first_bad, Some(Bad { seq: ROWS + 1, why: Fault::Truncated }));
}

#[test]
fn an_older_copy_put_back_is_told_at_the_start_and_the_anchor_kept_as_evidence() {
    let old = recorded();
    let dir = copy(old.path());
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.contradiction(), None);
    store.commit(&numbered(1_000)).unwrap();
    store.mark_clean_stop(Timestamp::from_secs(2_000)).unwrap();
    drop(store);
    let written = anchor(dir.path()).unwrap();
    assert_eq!(written.unwrap().seq, ROWS + 2);
    fs::copy(old.path().join(connection::DATABASE_FILE), dir.path().join(connection::DATABASE_FILE)).unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    assert!(store.contradiction().unwrap().contains("42"), "{:?}", store.contradiction());
    // The engine runs on: an alarm system that refuses to start is the worse failure.
    for number in 2_000..2_005 {
        store.commit(&numbered(number)).unwrap();
    }
    store.mark_clean_stop(Timestamp::from_secs(3_000)).unwrap();
    assert_eq!(anchor(dir.path()).unwrap(), written);
    let report = verify(dir.path(), |_, _| {}).unwrap();
    assert_eq!(report.first_bad, Some(Bad { seq: ROWS + 2, why: Fault::Rewritten }));
}

#[test]
fn a_changed_end_is_told_at_the_start() {
    for change in ["DELETE FROM journal WHERE seq = 40", "UPDATE journal SET hash = zeroblob(32) WHERE seq = 40"] {
        let dir = recorded();
        fs::remove_file(dir.path().join("journal.head")).unwrap();
        raw(dir.path()).execute_batch(change).unwrap();
        let store = SqliteStore::open(dir.path()).unwrap();
        assert!(store.contradiction().is_some_and(|why| why.contains("40")), "{change}: {:?}", store.contradiction());
    }
}

#[test]
fn rows_before_the_first_and_an_empty_journal_are_seen() {
    let dir = recorded();
    let raw = raw(dir.path());
    insert(&raw, -3);
    drop(raw);
    assert_eq!(first_bad(dir.path()), Some((0, Fault::Displaced)));
    let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    raw.execute_batch("DELETE FROM journal").unwrap();
    drop(raw);
    assert_eq!(first_bad(dir.path()), Some((1, Fault::Truncated)));
}

#[test]
fn an_index_that_hides_a_row_is_seen() {
    let dir = recorded();
    let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    // The index loses one row of a case: a timeline would not show it.
    raw.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX journal_subject ON journal (subject) WHERE subject IS NOT NULL AND seq <> 7'
         WHERE name = 'journal_subject';
         PRAGMA writable_schema = RESET; REINDEX journal_subject",
    )
    .unwrap();
    raw.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX journal_subject ON journal (subject) WHERE subject IS NOT NULL'
         WHERE name = 'journal_subject'; PRAGMA writable_schema = RESET",
    )
    .unwrap();
    drop(raw);
    let report = verify(dir.path(), |_, _| {}).unwrap();
    assert_eq!((report.first_bad, report.indexes_intact, report.guards_intact), (None, false, true));
}

#[test]
fn damage_to_the_file_is_reported_and_not_a_panic() {
    let untouched = recorded();
    let file = untouched.path().join(connection::DATABASE_FILE);
    let pages = fs::metadata(&file).unwrap().len() / 4096;
    let mut found = 0;
    for page in 1..pages {
        let dir = copy(untouched.path());
        let path = dir.path().join(connection::DATABASE_FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[page as usize * 4096..][..4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        match verify(dir.path(), |_, _| {}) {
            Ok(report) => found += usize::from(!report.is_intact()),
            Err(StoreError::Fatal(_)) => found += 1,
            Err(other) => panic!("page {page}: {other:?}"),
        }
    }
    // The pages of the journal and its indexes are a few of all; damage to the others is not the chain's business.
    assert!(found >= 3, "{found} of {pages}");
}

#[test]
fn verifying_beside_a_running_engine_finds_nothing_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        let verifying = scope.spawn(|| {
            let mut rows = 0;
            while rows < 600 {
                let report = verify(dir.path(), |_, _| {}).unwrap();
                assert!(report.is_intact() && report.rows >= rows, "{report:?}");
                rows = report.rows;
            }
        });
        for number in 1..=300 {
            store.commit(&numbered(number)).unwrap();
        }
        verifying.join().unwrap();
    });
}
