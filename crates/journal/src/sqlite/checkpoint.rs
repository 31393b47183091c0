//! Works the write-ahead log into the database, so that no commit has to wait for it and a start after a crash is quick.
//!
//! The thread looks at how many commits there were, works them in without stopping anybody (PASSIVE), and makes the log start
//! anew when it has grown long or nobody writes (RESTART, TRUNCATE; both stop writers for as long as it takes, so only when
//! there is next to nothing left to do). It also writes the anchor. Its clock is only for when to work; no stamp comes from it.

use super::anchor::Anchoring;
use super::connection::{self, Role, failed};
use crate::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the thread looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Commits that are worth a checkpoint at once; fewer wait for [`CHECKPOINT_AFTER`].
const CHECKPOINT_COMMITS: u64 = 200;
/// How long commits stay only in the log.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(2);
/// Quiet for so long, the log is emptied.
const IDLE_AFTER: Duration = Duration::from_secs(5);
/// Pages in the log above which it is made to start anew: 16 MiB, read in some 20 ms at a start after a crash.
const LOG_PAGES_MAX: i64 = 4096;
/// Times one look tries to find the moment between two commits for that.
const RESTART_TRIES: u32 = 20;
const RESTART_PAUSE: Duration = Duration::from_millis(1);
/// A look that failed (the disk is full) is not repeated before.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How far the anchor may lie behind.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// What the thread and the writer share.
struct Shared {
    commits: AtomicU64,
    stop: Mutex<bool>,
    wake: Condvar,
    failure: Mutex<Option<String>>,
    anchoring: Anchoring,
}

/// The thread, seen from the writer.
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub fn start(dir: &Path) -> Result<Self, StoreError> {
        let connection = connection::open(dir, Role::Checkpointer)?;
        let shared = Arc::new(Shared {
            commits: AtomicU64::new(0),
            stop: Mutex::new(false),
            wake: Condvar::new(),
            failure: Mutex::new(None),
            anchoring: Anchoring::start(dir, &connection)?,
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || run(&connection, &for_thread))
            .map_err(|error| StoreError::Fatal(format!("no thread for checkpoints: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }
    /// Counts a commit. Wakes nobody: a commit is not the moment to compete with.
    pub fn committed(&self) {
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
    }
    /// Why nothing may be committed any more: a failed checkpoint is a failed fsync of the database itself.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.lock().expect("nothing panics while it holds this lock").clone()
    }
    pub fn anchoring(&self) -> &Anchoring {
        &self.shared.anchoring
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        *self.shared.stop.lock().expect("nothing panics while it holds this lock") = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointer panicked");
        }
    }
}

fn run(connection: &Connection, shared: &Shared) {
    let mut work = Work::new(Instant::now());
    loop {
        let stop = shared.stop.lock().expect("nothing panics while it holds this lock");
        let (stop, _) = shared.wake.wait_timeout_while(stop, LOOK_EVERY, |stop| !*stop).expect("nothing panics while it holds this lock");
        if *stop {
            return;
        }
        drop(stop);
        let result = work.look(connection, shared.commits.load(Ordering::Relaxed), Instant::now());
        let result = result.and_then(|anchor_due| if anchor_due { shared.anchoring.write(connection) } else { Ok(()) });
        match result {
            Ok(()) => {}
            Err(StoreError::Fatal(why)) => {
                tracing::error!(why, "checkpoint failed: the store is not to be trusted");
                *shared.failure.lock().expect("nothing panics while it holds this lock") = Some(why);
                return;
            }
            // The log keeps what was committed; a later look tries again.
            Err(error) => {
                tracing::warn!(%error, "checkpoint put off");
                work.not_before = Instant::now() + RETRY_AFTER;
            }
        }
    }
}

/// What was done so far, and so what is to be done next.
struct Work {
    /// Commits known to be in the database.
    worked_in: u64,
    /// Since when there are more.
    behind_since: Option<Instant>,
    last_commit: Instant,
    seen: u64,
    emptied: bool,
    anchored: Instant,
    not_before: Instant,
}

impl Work {
    fn new(now: Instant) -> Self {
        // Not emptied: what a crash left in the log is worked in as well.
        Self { worked_in: 0, behind_since: None, last_commit: now, seen: 0, emptied: false, anchored: now, not_before: now }
    }

    /// Does what is due, and says whether the anchor is.
    fn look(&mut self, connection: &Connection, commits: u64, now: Instant) -> Result<bool, StoreError> {
        if commits != self.seen {
            self.seen = commits;
            self.last_commit = now;
            self.emptied = false;
        }
        if now < self.not_before {
            return Ok(false);
        }
        if commits > self.worked_in {
            let since = *self.behind_since.get_or_insert(now);
            if commits - self.worked_in >= CHECKPOINT_COMMITS || now.duration_since(since) >= CHECKPOINT_AFTER {
                let log = checkpoint(connection, "PASSIVE")?;
                if log.pages > LOG_PAGES_MAX {
                    restart(connection)?;
                }
                if !log.busy && log.worked_in >= log.pages {
                    self.worked_in = commits;
                    self.behind_since = None;
                }
            }
        } else if !self.emptied && now.duration_since(self.last_commit) >= IDLE_AFTER {
            self.emptied = truncate(connection)?;
        }
        let due = now.duration_since(self.anchored) >= ANCHOR_EVERY;
        if due {
            self.anchored = now;
        }
        Ok(due)
    }
}

struct Log {
    busy: bool,
    pages: i64,
    worked_in: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> Result<Log, StoreError> {
    let sql = match mode {
        "RESTART" => "PRAGMA wal_checkpoint(RESTART)",
        "TRUNCATE" => "PRAGMA wal_checkpoint(TRUNCATE)",
        _ => "PRAGMA wal_checkpoint(PASSIVE)",
    };
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| Ok(Log { busy: row.get(0)?, pages: row.get(1)?, worked_in: row.get(2)? })))
        .map_err(failed)
}

fn restart(connection: &Connection) -> Result<(), StoreError> {
    for _ in 0..RESTART_TRIES {
        if !checkpoint(connection, "RESTART")?.busy {
            return Ok(());
        }
        std::thread::sleep(RESTART_PAUSE);
    }
    tracing::warn!("a reader holds on to the write-ahead log; it grows on");
    Ok(())
}

/// Works everything in and empties the log; false where somebody holds it.
pub(super) fn truncate(connection: &Connection) -> Result<bool, StoreError> {
    Ok(!checkpoint(connection, "TRUNCATE")?.busy)
}

/// Works in what can be without waiting for anybody: before a clean stop, so that the next start has nothing to do.
pub(super) fn passive(connection: &Connection) -> Result<(), StoreError> {
    checkpoint(connection, "PASSIVE").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, SqliteStore, Store};
    use model::Timestamp;

    /// A store whose own checkpointer is out of the way, and what the tests move by hand.
    struct Bench {
        dir: tempfile::TempDir,
        store: Connection,
        connection: Connection,
        work: Work,
        start: Instant,
        commits: u64,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            drop(SqliteStore::open(dir.path()).unwrap());
            let store = connection::open(dir.path(), Role::Writer).unwrap();
            let connection = connection::open(dir.path(), Role::Checkpointer).unwrap();
            let start = Instant::now();
            Self { dir, store, connection, work: Work::new(start), start, commits: 0 }
        }
        fn commit(&mut self, times: u64) {
            for _ in 0..times {
                self.commits += 1;
                self.store.execute("INSERT INTO soft VALUES (?1, zeroblob(20000))", [self.commits.to_string()]).unwrap();
            }
        }
        fn look(&mut self, seconds: u64) -> bool {
            self.work.look(&self.connection, self.commits, self.start + Duration::from_secs(seconds)).unwrap()
        }
        fn log_bytes(&self) -> u64 {
            std::fs::metadata(self.dir.path().join(connection::WAL_FILE)).unwrap().len()
        }
    }

    #[test]
    fn few_commits_wait_and_many_are_worked_in_at_once() {
        let mut bench = Bench::new();
        bench.commit(10);
        bench.look(0);
        assert_eq!(bench.work.worked_in, 0);
        bench.look(1);
        assert_eq!(bench.work.worked_in, 0);
        bench.look(2);
        assert_eq!(bench.work.worked_in, 10, "after CHECKPOINT_AFTER");
        bench.commit(CHECKPOINT_COMMITS);
        bench.look(2);
        assert_eq!(bench.work.worked_in, bench.commits, "CHECKPOINT_COMMITS wait for nothing");
    }

    #[test]
    fn the_log_is_emptied_when_nobody_writes() {
        let mut bench = Bench::new();
        bench.commit(10);
        bench.look(0);
        bench.look(2);
        assert!(bench.log_bytes() > 0);
        bench.look(4);
        assert!(bench.log_bytes() > 0, "not yet quiet for IDLE_AFTER");
        bench.look(5);
        assert_eq!(bench.log_bytes(), 0);
    }

    #[test]
    fn the_log_starts_anew_before_it_is_long_and_a_reader_only_delays_it() {
        let mut bench = Bench::new();
        let reader = connection::open(bench.dir.path(), Role::Reader).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM soft").unwrap();
        for _ in 0..5 {
            bench.commit(CHECKPOINT_COMMITS);
            bench.look(0);
        }
        let held = bench.log_bytes();
        assert!(held > u64::try_from(LOG_PAGES_MAX).unwrap() * 4096, "{held}: the reader still needs its old state");
        reader.execute_batch("COMMIT").unwrap();
        for _ in 0..20 {
            bench.commit(CHECKPOINT_COMMITS);
            bench.look(0);
        }
        assert!(bench.log_bytes() < held * 2, "{} after {held}", bench.log_bytes());
    }

    #[test]
    fn the_anchor_is_due_once_a_minute_and_a_failed_look_is_put_off() {
        let mut bench = Bench::new();
        assert!(!bench.look(59));
        assert!(bench.look(60));
        assert!(!bench.look(61));
        assert!(bench.look(120));
        bench.work.not_before = bench.start + Duration::from_secs(200);
        assert!(!bench.look(199));
        assert!(bench.look(200));
    }

    #[test]
    fn a_failed_checkpoint_stops_the_engine() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(dir.path()).unwrap();
        let batch = |now| Batch { now: Timestamp(now), soft: vec![("x".to_owned(), vec![])], ..Batch::default() };
        store.commit(&batch(1)).unwrap();
        *store.checkpointer.shared.failure.lock().unwrap() = Some("fsync failed".to_owned());
        assert!(matches!(store.commit(&batch(2)), Err(StoreError::Fatal(why)) if why == "fsync failed"));
    }
}
