//! What only the SQLite store promises: one engine at a time, tampering found, nothing lost to a kill, a power cut or a full disk.

mod ahead;
mod crash;
mod cut;
mod disk;
mod tamper;

use super::*;
use crate::contract::{self, Place};
use crate::{Entry, EntryKind, Reader};

/// A folder of its own, and how a store is opened in it.
struct Folder {
    dir: tempfile::TempDir,
    open: fn(&Path) -> Box<dyn Store>,
}

impl Folder {
    fn new(open: fn(&Path) -> Box<dyn Store>) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), open }
    }
}

impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        (self.open)(self.dir.path())
    }
    fn reader(&self) -> Box<dyn Reader> {
        Box::new(SqliteReader::open(self.dir.path()).unwrap())
    }
}

/// Verifies with nothing known outside.
fn verify(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<VerifyReport, StoreError> {
    verify_with(dir, &[], progress)
}

fn verify_with(dir: &Path, anchors: &[Anchor], progress: impl FnMut(u64, u64)) -> Result<VerifyReport, StoreError> {
    super::verify(dir, &Outside { anchors: anchors.to_vec(), now: Timestamp::MAX }, progress)
}

/// A batch of one keyed row, one row without a key and a state row, all telling their number.
fn numbered(number: u64) -> Batch {
    let entry = |key: Option<String>| Entry {
        kind: EntryKind::Transition,
        format: 1,
        key,
        subject: Some(format!("case-{}", number % 3)),
        at: Timestamp::from_secs(signed(number)),
        bytes: format!(r#"{{"number":{number}}}"#).into_bytes(),
    };
    Batch {
        now: Timestamp::from_secs(signed(number)),
        entries: vec![entry(Some(format!("key-{number}"))), entry(None)],
        state: vec![("last".to_owned(), Some(number.to_string().into_bytes()))],
        ..Batch::default()
    }
}

#[test]
fn sqlite_keeps_the_contract() {
    contract::run(&mut || Box::new(Folder::new(|dir| Box::new(SqliteStore::open(dir).unwrap()))));
}

#[test]
fn a_second_engine_on_one_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(dir.path()).unwrap();
    match SqliteStore::open(dir.path()).map(drop) {
        Err(StoreError::Locked(why)) => assert!(why.contains(&std::process::id().to_string()), "{why}"),
        other => panic!("not refused: {other:?}"),
    }
    // Looking is allowed meanwhile.
    SqliteReader::open(dir.path()).unwrap().head().unwrap();
    drop(first);
    SqliteStore::open(dir.path()).unwrap();
}

#[test]
fn the_journal_refuses_to_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    for sql in [
        "UPDATE journal SET bytes = x'00'",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 1",
        "REPLACE INTO journal SELECT seq, stream, 'act', format, key, subject, at, bytes, prev, hash FROM journal WHERE seq = 2",
    ] {
        let refusal = raw.execute(sql, []).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{sql}: {refusal}");
    }
    assert!(verify(dir.path(), |_, _| {}).unwrap().is_intact());
}

#[test]
fn somebody_elses_write_stops_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    let raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    raw.execute("UPDATE meta SET batch = batch + 1", []).unwrap();
    assert!(matches!(store.commit(&numbered(2)), Err(StoreError::Fatal(_))));
    // And it stays stopped: what the disk holds is no longer known to this process.
    assert!(matches!(store.commit(&numbered(2)), Err(StoreError::Fatal(_))));
    assert!(matches!(store.load(), Err(StoreError::Fatal(_))));
}

#[test]
fn a_busy_store_is_tried_again_without_doubling() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    store.commit(&numbered(1)).unwrap();
    let mut raw = Connection::open(dir.path().join(connection::DATABASE_FILE)).unwrap();
    let holding = raw.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    assert!(matches!(store.commit(&numbered(2)), Err(StoreError::Retry(_))));
    drop(holding);
    store.commit(&numbered(2)).unwrap();
    assert_eq!(store.load().unwrap().last_seq, 4);
}

#[test]
fn a_database_that_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(connection::DATABASE_FILE);
    std::fs::write(&file, "not a database at all, but long enough to be looked at as one").unwrap();
    assert!(matches!(SqliteStore::open(dir.path()).map(drop), Err(StoreError::Version(_))));
    std::fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(SqliteStore::open(dir.path()).map(drop), Err(StoreError::Version(_))));
    assert!(matches!(verify(&dir.path().join("nowhere"), |_, _| {}), Err(StoreError::Version(_))));
}

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let _store = SqliteStore::open(dir.path()).unwrap();
    let reader = SqliteReader::open(dir.path()).unwrap();
    const ENDLESS: &str = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
    let answer = reader.ask_within(Duration::from_millis(20), |connection| connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(answer, Err(StoreError::Deadline)));
    assert_eq!(reader.head().unwrap().seq, 0, "the next question is answered");
}

#[test]
fn many_readers_see_only_whole_commits_while_the_engine_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let reader = SqliteReader::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0;
                    while seen < 200 {
                        let rows = reader.newest(&[], None, 1).unwrap().rows;
                        let seq = rows.first().map_or(0, |row| row.seq);
                        assert!(seq >= seen && seq % 2 == 0, "a half commit or a step back: {seq} after {seen}");
                        seen = seq;
                    }
                })
            })
            .collect();
        for number in 1..=100 {
            store.commit(&numbered(number)).unwrap();
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(reader.timeline("case-0", 0, 1_000).unwrap().rows.len(), 66);
}

#[test]
fn a_long_search_is_cut_into_pages() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let entry = numbered(1).entries.remove(1);
    let mut batch = Batch { entries: vec![entry.clone(); 60_000], ..Batch::default() };
    batch.entries.push(Entry { kind: EntryKind::Siren, ..entry });
    store.commit(&batch).unwrap();
    let reader = SqliteReader::open(dir.path()).unwrap();
    let first = reader.entries(&[EntryKind::Siren], 0, 10).unwrap();
    assert!(first.rows.is_empty());
    let second = reader.entries(&[EntryKind::Siren], first.next.unwrap(), 10).unwrap();
    assert_eq!((second.rows[0].seq, second.next), (60_001, None));
    assert_eq!(reader.newest(&[], None, usize::MAX).unwrap().rows.len(), crate::READ_ROWS_MAX);
    let usage = reader.usage().unwrap();
    assert!(usage.pending_bytes > 0 && usage.bytes > usage.pending_bytes);
}

#[test]
fn nobody_else_can_read_the_store() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("a/b");
    drop(SqliteStore::open(&dir).unwrap());
    assert_eq!(mode(&dir), 0o700);
    // Also in a folder that somebody has opened to all.
    std::fs::set_permissions(parent.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut store = SqliteStore::open(parent.path()).unwrap();
    store.commit(&numbered(1)).unwrap();
    assert_eq!(mode(&parent.path().join(connection::DATABASE_FILE)), 0o600);
    assert_eq!(mode(&parent.path().join(connection::WAL_FILE)), 0o600);
}
