//! The store as the engine has it: a commit is durable with one write to a log, and the database follows a moment later.
//!
//! What a siren waits for is one sync of the disk, not a transaction of some thirty pages. Behind it a thread works the commits into
//! the database in their order, several in one transaction where they come quickly, and those who read wait for it: nothing that was
//! answered is ever missing from an answer. A start takes up what a crash left in the log before anything else is read.
//!
//! It also means that a database that hangs or has no room for more does not stop an alarm: [`LOG_BYTES`] of them go on, and
//! [`Health::trouble`] says why they are not in the database. Once the log is full, or where a batch is larger than it, a commit waits
//! for the database itself.

mod log;

use super::connection::{self, Role, failed};
use super::wire::Digest;
use super::{Digested, SqliteReader, SqliteStore, commit, create_private};
use crate::{ActRecord, Batch, Health, Piece, Snapshot, Store, StoreError};
use log::{Found, LOG_BYTES, LOG_FILE, Log, Record};
use model::Timestamp;
use rusqlite::Connection;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a commit stays out of the database when nobody asks for it: what it let out is to leave first.
const FOLLOW_AFTER: Duration = Duration::from_millis(2);
/// Commits of one transaction.
const GROUP_MAX: usize = 256;
/// The first pause after a transaction failed; it doubles.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_secs(1);
/// How long a commit waits for room in the log before it says so.
const ROOM_PATIENCE: Duration = Duration::from_secs(1);
/// A start does what is not needed for it so long afterwards: it makes the database's own log start anew, and sets room aside.
const SETTLE_AFTER: Duration = Duration::from_secs(1);
/// How often it looks then whether the log can start anew.
const ANEW_EVERY: Duration = Duration::from_millis(250);
/// Room that is given back when a start finds a full disk and commits in the log: the database needs some to take them.
const RESERVE_FILE: &str = "watchfire.reserve";
const RESERVE_BYTES: u64 = 2 * LOG_BYTES;
/// Commits of one transaction then, so that little room is needed at a time.
const GROUP_SMALL: usize = 4;
/// How long who reads waits for what is behind, before getting what there is.
const READ_PATIENCE: Duration = Duration::from_secs(2);

/// [`SqliteStore`] behind a log.
pub struct AheadStore {
    /// None where the disk has no room for one: every commit waits for the database then.
    log: Option<Log>,
    /// The newest commit that is durable.
    last: Position,
    /// A batch that waits for the database itself, and may be given again.
    unlogged: Option<Digest>,
    acts: Connection,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    contradiction: Option<String>,
    dir: PathBuf,
    // Until the thread has ended and the log is closed: another engine must not begin to read before.
    _lock: File,
}

/// How many commits there were, and what names the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub number: u64,
    pub digest: Digest,
}

/// What the engine's thread, the one that follows and those who read have in common.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// In the order of the commits; each leaves when the database has it.
    jobs: VecDeque<Job>,
    /// Number of the newest commit that was queued.
    queued: u64,
    /// Number of the newest commit that the database has.
    followed: u64,
    /// What the database has needs nothing that this process has not synced itself. Until then the log keeps what a start found in it:
    /// the kernel shows what the engine before has written, and whether it is on the disk nobody knows.
    settled: bool,
    /// The log is full of what the start found: it is to be settled now.
    settle_now: bool,
    /// Somebody waits for the database.
    hurry: bool,
    stop: bool,
    /// Why the last transaction failed, until one succeeds.
    trouble: Option<StoreError>,
    /// Why there will be none any more.
    failure: Option<StoreError>,
    conflicts: u64,
    /// A piece of the journal is to be deleted; one at a time.
    cutting: bool,
    uncut: Option<String>,
}

enum Job {
    Batch(Arc<Queued>),
    /// Asked of the database once it has all that was queued before.
    Ask(Question),
}

type Question = Box<dyn FnOnce(&mut SqliteStore) + Send>;

/// A commit on its way to the database.
struct Queued {
    number: u64,
    /// As the log has it, if it does.
    record: Vec<u8>,
    /// Of it, for those who ask meanwhile.
    acts: Vec<ActRecord>,
    since: Instant,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }
    /// Waits until `done` or an error, for so long at most; the error where there is one, `Ok(false)` where time ran out.
    fn wait(&self, patience: Duration, done: impl Fn(&Queue) -> bool) -> Result<bool, StoreError> {
        let mut queue = self.queue();
        queue.hurry = true;
        self.changed.notify_all();
        let waiting = |queue: &mut Queue| !done(queue) && queue.failure.is_none() && queue.trouble.is_none();
        let (queue, _) = self.changed.wait_timeout_while(queue, patience, waiting).expect("nothing panics while it holds this lock");
        match queue.failure.as_ref().or(queue.trouble.as_ref()) {
            _ if done(&queue) => Ok(true),
            Some(error) => Err(error.clone()),
            None => Ok(false),
        }
    }
}

/// Lets those who read in the engine's process see all that was committed before they asked.
#[derive(Clone)]
pub(super) struct Behind(Arc<Shared>);

impl Behind {
    /// Waits until the database has what was committed before; not for long, and not for one that is in trouble.
    pub fn catch_up(&self) {
        let wanted = self.0.queue().queued;
        // Old answers are better than none.
        drop(self.0.wait(READ_PATIENCE, |queue| queue.followed >= wanted));
    }
}

impl AheadStore {
    /// Opens the store in `dir` as [`SqliteStore::open`] does, and works in what a crash left in the log.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut store = SqliteStore::open(dir)?;
        let found = log::look(dir)?;
        let mut end = found.end;
        let complaint = match fault(&found, store.position()?) {
            Some(why) => {
                end = 0;
                Some(put_away(dir, &why)?)
            }
            None => {
                take_up(&mut store, &found.records, dir)?;
                None
            }
        };
        let log = match Log::open(dir, end) {
            Ok(log) => Some(log),
            // An engine on a full disk still sounds alarms where the database has room.
            Err(StoreError::Full) => {
                tracing::warn!("no room for the log of commits: every commit waits for the database");
                None
            }
            Err(error) => return Err(error),
        };
        let last = store.position()?;
        let contradiction: Vec<_> = complaint.into_iter().chain(store.contradiction()).collect();
        let lock = store.lock.try_clone().map_err(|error| StoreError::Fatal(format!("the lock file: {error}")))?;
        let acts = connection::open(dir, Role::Reader)?;
        let queue = Queue { queued: last.number, followed: last.number, settled: end == 0, ..Queue::default() };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new() });
        let (following, followed_in) = (Arc::clone(&shared), dir.to_owned());
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || follow(store, &followed_in, &following))
            .map_err(|error| StoreError::Fatal(format!("no thread for the database: {error}")))?;
        Ok(Self {
            log,
            last,
            unlogged: None,
            acts,
            shared,
            thread: Some(thread),
            contradiction: (!contradiction.is_empty()).then(|| contradiction.join("; ")),
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// As [`SqliteStore::contradiction`] was when the store was opened, or what is wrong with the log.
    pub fn contradiction(&self) -> Option<String> {
        self.contradiction.clone()
    }

    /// Readers that see every commit that was answered before they are asked. Those of another process may miss the newest.
    pub fn reader(&self) -> Result<SqliteReader, StoreError> {
        Ok(SqliteReader::open(&self.dir)?.behind(Behind(Arc::clone(&self.shared))))
    }

    /// Asks the database behind all that was committed.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut SqliteStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        let job = Job::Ask(Box::new(move |store| drop(sender.send(question(store)))));
        {
            let mut queue = self.shared.queue();
            queue.jobs.push_back(job);
            queue.hurry = true;
            self.shared.changed.notify_all();
        }
        loop {
            match answer.recv_timeout(RETRY_FIRST) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(StoreError::Fatal("the thread of the database has ended".to_owned())),
                Err(RecvTimeoutError::Timeout) => {
                    let queue = self.shared.queue();
                    if let Some(error) = queue.failure.as_ref().or(queue.trouble.as_ref()) {
                        return Err(error.clone());
                    }
                }
            }
        }
    }

    /// Puts a commit on its way to the database.
    fn enqueue(&self, number: u64, mut record: Vec<u8>, batch: &Batch) {
        // What waits is bounded by the log's room, so it must not take more than it has there.
        record.shrink_to_fit();
        let queued = Queued { number, record, acts: batch.acts.clone(), since: Instant::now() };
        let mut queue = self.shared.queue();
        queue.queued = number;
        let wake = queue.jobs.is_empty();
        queue.jobs.push_back(Job::Batch(Arc::new(queued)));
        drop(queue);
        if wake {
            self.shared.changed.notify_all();
        }
    }

    /// Makes room at the beginning of the log: everything in it must be in the database.
    fn rewind(&mut self) -> Result<(), StoreError> {
        let last = self.last.number;
        self.shared.queue().settle_now = true;
        if !self.shared.wait(ROOM_PATIENCE, |queue| queue.followed >= last && queue.settled)? {
            return Err(StoreError::Retry("the log of commits is full and the database does not follow".to_owned()));
        }
        if let Some(log) = &mut self.log {
            log.rewind();
        }
        Ok(())
    }

    /// Has the database itself make a batch durable.
    fn commit_unlogged(&mut self, next: Position, record: Vec<u8>, batch: &Batch) -> Result<(), StoreError> {
        let Position { number, digest } = next;
        // Given again, it is still on its way.
        if self.unlogged != Some(digest) {
            self.rewind()?;
            self.enqueue(number, record, batch);
            self.unlogged = Some(digest);
        }
        if !self.shared.wait(ROOM_PATIENCE, |queue| queue.followed >= number)? {
            return Err(StoreError::Retry("the database takes long".to_owned()));
        }
        self.unlogged = None;
        self.last = next;
        Ok(())
    }
}

impl Store for AheadStore {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let followed = {
            let queue = self.shared.queue();
            if let Some(failure) = &queue.failure {
                return Err(failure.clone());
            }
            queue.settled.then_some(queue.followed)
        };
        if batch.is_empty() {
            return Ok(());
        }
        let number = self.last.number + 1;
        let (record, digest) = log::record(number, self.last.digest, batch);
        if digest == self.last.digest {
            return Ok(());
        }
        let next = Position { number, digest };
        let has_room = match &mut self.log {
            Some(log) if record.len() as u64 <= LOG_BYTES => {
                if followed == Some(self.last.number) {
                    log.rewind();
                }
                log.has_room(record.len())
            }
            _ => return self.commit_unlogged(next, record, batch),
        };
        if !has_room {
            self.rewind()?;
        }
        if let Some(log) = &mut self.log
            && let Err(error) = log.append(&record)
        {
            if error != StoreError::Full {
                self.shared.queue().failure = Some(error.clone());
            }
            return Err(error);
        }
        self.enqueue(number, record, batch);
        self.last = next;
        Ok(())
    }

    fn load(&mut self) -> Result<Snapshot, StoreError> {
        self.ask(SqliteStore::load)
    }

    fn act_answer(&mut self, id: &str) -> Result<Option<ActRecord>, StoreError> {
        let waiting = self.shared.queue().jobs.iter().find_map(|job| match job {
            Job::Batch(queued) => queued.acts.iter().find(|act| act.id == id).cloned(),
            Job::Ask(_) => None,
        });
        // The database's answer was there first.
        match commit::find_act(&self.acts, id).map_err(failed)? {
            Some(first) => Ok(Some(first)),
            None => Ok(waiting),
        }
    }

    fn mark_clean_stop(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.ask(move |store| store.mark_clean_stop(now))
    }

    fn cut(&mut self, piece: &Piece) {
        let (piece, shared) = (*piece, Arc::clone(&self.shared));
        let mut queue = self.shared.queue();
        if self.log.is_none() {
            queue.uncut = Some("there is no log of commits, and every commit would wait for it".to_owned());
            return;
        }
        // It is asked again.
        if queue.cutting || queue.failure.is_some() || queue.trouble.is_some() {
            return;
        }
        queue.cutting = true;
        queue.jobs.push_back(Job::Ask(Box::new(move |store| {
            store.cut(&piece);
            let mut queue = shared.queue();
            (queue.cutting, queue.uncut) = (false, store.health().uncut);
        })));
        drop(queue);
        self.shared.changed.notify_all();
    }

    fn health(&self) -> Health {
        let queue = self.shared.queue();
        Health {
            conflicts: queue.conflicts,
            behind: queue.queued - queue.followed,
            waits: queue.jobs.iter().find_map(|job| match job {
                Job::Batch(queued) => Some(queued.since.elapsed()),
                Job::Ask(_) => None,
            }),
            trouble: queue.failure.as_ref().or(queue.trouble.as_ref()).map(ToString::to_string),
            uncut: queue.uncut.clone(),
        }
    }
}

impl Drop for AheadStore {
    fn drop(&mut self) {
        self.shared.queue().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the store panicked");
        }
    }
}

/// How many commits of a folder's log its database does not have and the next start takes up.
pub fn commits_ahead(dir: &Path) -> Result<usize, StoreError> {
    let found = log::look(dir)?;
    let last = super::Tail::read(&connection::open(dir, Role::Reader)?).map_err(failed)?.position();
    if fault(&found, last).is_some() {
        return Ok(0);
    }
    Ok(missing(&found.records, last).count())
}

/// The numbers of the commits that stand in a folder's log.
#[cfg(test)]
pub(super) fn numbers_in_log(dir: &Path) -> Vec<u64> {
    log::look(dir).unwrap().records.iter().map(|record| record.number).collect()
}

fn missing(records: &[Record], last: Position) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |record| record.number > last.number)
}

/// Why what stands in the log cannot be of this database, or is not all that stood there.
fn fault(found: &Found, last: Position) -> Option<String> {
    let same = found.records.iter().find(|record| record.number == last.number);
    let next = missing(&found.records, last).next();
    if same.is_some_and(|record| record.digest != last.digest)
        || next.is_some_and(|record| (record.number, record.before) != (last.number + 1, last.digest))
    {
        return Some("the log of commits does not continue this database, of which an older copy may have been put back".to_owned());
    }
    let end = found.records.last().map_or(0, |record| record.number);
    found.damaged.then(|| format!("the log of commits is damaged behind commit {end}"))
}

/// Keeps a log that cannot be worked in, as evidence, and says so.
fn put_away(dir: &Path, why: &str) -> Result<String, StoreError> {
    let aside = (1..).map(|number| dir.join(format!("{LOG_FILE}.{number}"))).find(|path| !path.exists()).unwrap_or_default();
    let moved = std::fs::rename(dir.join(LOG_FILE), &aside).and_then(|()| File::open(dir)?.sync_all());
    moved.map_err(|error| StoreError::Fatal(format!("{LOG_FILE} cannot be put away: {error}")))?;
    let complaint = format!("{why}; it is kept as {}", aside.display());
    tracing::error!(complaint);
    Ok(complaint)
}

/// Works the records into the database that it does not have.
fn take_up(store: &mut SqliteStore, records: &[Record], dir: &Path) -> Result<(), StoreError> {
    let last = store.position()?;
    let missing: Vec<_> = missing(records, last).collect();
    if missing.is_empty() {
        return Ok(());
    }
    tracing::info!(commits = missing.len(), "working in what the log has and the database does not");
    let mut by_groups = |most: usize| {
        let last = store.position()?.number;
        for group in missing.chunks(most) {
            let group: Vec<_> = group
                .iter()
                .filter(|record| record.number > last)
                .map(|record| Digested { batch: Cow::Borrowed(&record.batch), digest: record.digest })
                .collect();
            store.commit_all(group)?;
            if most < GROUP_MAX {
                store.start_wal_anew()?;
            }
        }
        Ok(())
    };
    let result = match by_groups(GROUP_MAX) {
        Err(StoreError::Full) if std::fs::remove_file(dir.join(RESERVE_FILE)).is_ok() => {
            tracing::error!("the disk is full: the room kept for this is given back");
            by_groups(GROUP_SMALL)
        }
        result => result,
    };
    store.clean_stop = false;
    result
}

/// Sets room aside for a start on a full disk, where there is some.
fn reserve(dir: &Path) {
    let path = dir.join(RESERVE_FILE);
    let made = create_private(&path)
        .and_then(|()| OpenOptions::new().write(true).open(&path))
        .and_then(|file| log::set_aside(&file, RESERVE_BYTES));
    if let Err(error) = made {
        tracing::warn!(%error, "no room is kept for a start on a full disk");
        // Half of it is of no use, and a full disk has other uses for it.
        drop(std::fs::remove_file(&path));
    }
}

/// What the thread of the database does next.
enum Next {
    /// Commits in their order; they stay in the queue until the database has them.
    Batches(Vec<Arc<Queued>>),
    Ask(Question),
    /// Do what the start has left for later.
    Settle,
    Stop,
}

impl Shared {
    /// Waits for something to do. `settle_at` is when the start is to be settled, until it is.
    fn next(&self, settle_at: Option<Instant>) -> Next {
        let mut queue = self.queue();
        loop {
            let now = Instant::now();
            if settle_at.is_some_and(|at| at <= now || std::mem::take(&mut queue.settle_now)) {
                return Next::Settle;
            }
            let due = match queue.jobs.front() {
                Some(Job::Batch(first)) if !queue.hurry && !queue.stop => first.since + FOLLOW_AFTER,
                Some(_) => now,
                None if queue.stop => return Next::Stop,
                None => {
                    queue.hurry = false;
                    queue = match settle_at {
                        Some(at) => self.changed.wait_timeout(queue, at - now).map(|(queue, _)| queue).ok(),
                        None => self.changed.wait(queue).ok(),
                    }
                    .expect("nothing panics while it holds this lock");
                    continue;
                }
            };
            if due > now {
                queue = self.changed.wait_timeout(queue, due - now).expect("nothing panics while it holds this lock").0;
                continue;
            }
            let batch = |job: &Job| match job {
                Job::Batch(queued) => Some(Arc::clone(queued)),
                Job::Ask(_) => None,
            };
            let batches: Vec<_> = queue.jobs.iter().map_while(batch).take(GROUP_MAX).collect();
            return match queue.jobs.pop_front_if(|job| matches!(job, Job::Ask(_))) {
                Some(Job::Ask(question)) => Next::Ask(question),
                _ => Next::Batches(batches),
            };
        }
    }
}

/// Works in what is queued until told to stop, and then what is left.
fn follow(mut store: SqliteStore, dir: &Path, shared: &Shared) {
    let mut pause = RETRY_FIRST;
    let mut settle_at = Some(Instant::now() + SETTLE_AFTER);
    loop {
        let group = match shared.next(settle_at) {
            Next::Batches(group) => group,
            Next::Ask(question) => {
                question(&mut store);
                continue;
            }
            Next::Settle => {
                let settled = shared.queue().settled
                    || store.start_wal_anew().unwrap_or_else(|error| {
                        tracing::warn!(%error, "the database's own log does not start anew; trying again");
                        false
                    });
                settle_at = (!settled).then(|| Instant::now() + ANEW_EVERY);
                if settled {
                    reserve(dir);
                    shared.queue().settled = true;
                    shared.changed.notify_all();
                }
                continue;
            }
            Next::Stop => return,
        };
        let result = work_in(&mut store, &group);
        let mut queue = shared.queue();
        match result {
            Ok(()) => {
                drop(queue.jobs.drain(..group.len()));
                queue.followed = group.last().map_or(queue.followed, |last| last.number);
                (queue.trouble, queue.conflicts) = (None, store.health().conflicts);
                pause = RETRY_FIRST;
                shared.changed.notify_all();
            }
            Err(error @ (StoreError::Retry(_) | StoreError::Full)) => {
                tracing::error!(%error, behind = queue.queued - queue.followed, "the database does not follow; trying again");
                queue.trouble = Some(error);
                shared.changed.notify_all();
                if queue.stop {
                    // The log has it.
                    return;
                }
                let stopped = shared.changed.wait_timeout_while(queue, pause, |queue| !queue.stop);
                stopped.expect("nothing panics while it holds this lock").0.hurry = true;
                pause = (pause * 2).min(RETRY_MAX);
            }
            Err(error) => {
                tracing::error!(%error, "the database has failed");
                queue.failure = Some(error);
                shared.changed.notify_all();
                return;
            }
        }
    }
}

fn work_in(store: &mut SqliteStore, group: &[Arc<Queued>]) -> Result<(), StoreError> {
    let read = |queued: &Arc<Queued>| {
        let Record { batch, digest, .. } = log::read(&queued.record)?;
        Some(Digested { batch: Cow::Owned(batch), digest })
    };
    let batches: Option<Vec<_>> = group.iter().map(read).collect();
    store.commit_all(batches.ok_or_else(|| StoreError::Fatal("a commit of ours cannot be read back".to_owned()))?)
}
