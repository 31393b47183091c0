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
use super::{Digested, SqliteReader, SqliteStore, commit};
use crate::{ActRecord, Batch, Health, Snapshot, Store, StoreError};
use log::{LOG_BYTES, LOG_FILE, Log, Record};
use model::Timestamp;
use rusqlite::Connection;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::Path;
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
    /// Somebody waits for the database.
    hurry: bool,
    stop: bool,
    /// Why the last transaction failed, until one succeeds.
    trouble: Option<StoreError>,
    /// Why there will be none any more.
    failure: Option<StoreError>,
    conflicts: u64,
}

enum Job {
    Batch(Arc<Queued>),
    /// Asked of the database once it has all that was queued before.
    Ask(Box<dyn FnOnce(&mut SqliteStore) + Send>),
}

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
        let log = match Log::open(dir) {
            Ok((log, records)) => {
                take_up(&mut store, records, dir)?;
                Some(log)
            }
            // An engine on a full disk still sounds alarms where the database has room.
            Err(StoreError::Full) => {
                tracing::warn!("no room for the log of commits: every commit waits for the database");
                take_up(&mut store, log::look(dir).map_err(|error| StoreError::Fatal(format!("{LOG_FILE}: {error}")))?, dir)?;
                None
            }
            Err(error) => return Err(error),
        };
        let (last, contradiction) = (store.position()?, store.contradiction());
        let acts = connection::open(dir, Role::Reader)?;
        let shared = Arc::new(Shared::default());
        (shared.queue().queued, shared.queue().followed) = (last.number, last.number);
        let following = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || follow(store, &following))
            .map_err(|error| StoreError::Fatal(format!("no thread for the database: {error}")))?;
        Ok(Self { log, last, unlogged: None, acts, shared, thread: Some(thread), contradiction })
    }

    /// As [`SqliteStore::contradiction`] was when the store was opened.
    pub fn contradiction(&self) -> Option<String> {
        self.contradiction.clone()
    }

    /// Readers that see every commit that was answered before they are asked. Those of another process may miss the newest.
    pub fn reader(&self, dir: &Path) -> Result<SqliteReader, StoreError> {
        Ok(SqliteReader::open(dir)?.behind(Behind(Arc::clone(&self.shared))))
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
                Err(_) => {
                    let queue = self.shared.queue();
                    if let Some(error) = queue.failure.as_ref().or(queue.trouble.as_ref()) {
                        return Err(error.clone());
                    }
                }
            }
        }
    }

    /// Puts a commit on its way to the database.
    fn enqueue(&self, number: u64, record: Vec<u8>, batch: &Batch) {
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
        if !self.shared.wait(ROOM_PATIENCE, |queue| queue.followed >= last)? {
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
            queue.followed
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
                if followed == self.last.number {
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
            let failure = StoreError::Fatal(format!("{LOG_FILE}: {error}"));
            self.shared.queue().failure = Some(failure.clone());
            return Err(failure);
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

    fn health(&self) -> Health {
        let queue = self.shared.queue();
        Health {
            conflicts: queue.conflicts,
            behind: queue.queued - queue.followed,
            trouble: queue.failure.as_ref().or(queue.trouble.as_ref()).map(ToString::to_string),
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

/// How many commits of a folder's log its database does not have: what the next start takes up.
pub fn commits_ahead(dir: &Path) -> Result<usize, StoreError> {
    let records = log::look(dir).map_err(|error| StoreError::Fatal(format!("{LOG_FILE}: {error}")))?;
    let number = super::Tail::read(&connection::open(dir, Role::Reader)?).map_err(failed)?.position().number;
    Ok(records.iter().filter(|record| record.number > number).count())
}

/// Works the records into the database that it does not have.
fn take_up(store: &mut SqliteStore, records: Vec<Record>, dir: &Path) -> Result<(), StoreError> {
    let last = store.position()?;
    let missing: Vec<_> = records.into_iter().filter(|record| record.number > last.number).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    if (first.number, first.before) != (last.number + 1, last.digest) {
        // Kept as evidence; the anchor beside the journal tells people of an older copy put back.
        let aside = dir.join(format!("{LOG_FILE}.{}", first.number));
        tracing::error!(aside = %aside.display(), "the log of commits does not continue this database (an older copy?) and is set aside");
        return std::fs::copy(dir.join(LOG_FILE), &aside).map(drop).or_else(|error| {
            tracing::error!(%error, "and could not be copied");
            Ok(())
        });
    }
    tracing::info!(commits = missing.len(), "working in what the log has and the database does not");
    for group in missing.chunks(GROUP_MAX) {
        let group: Vec<_> = group.iter().map(|record| Digested { batch: Cow::Borrowed(&record.batch), digest: record.digest }).collect();
        store.commit_all(&group)?;
    }
    store.clean_stop = false;
    Ok(())
}

/// Works in what is queued until told to stop, and then what is left.
fn follow(mut store: SqliteStore, shared: &Shared) {
    let mut pause = RETRY_FIRST;
    loop {
        let next = {
            let mut queue = shared.queue();
            loop {
                let at = match queue.jobs.front() {
                    Some(Job::Batch(first)) if !queue.hurry && !queue.stop => first.since + FOLLOW_AFTER,
                    Some(_) => break,
                    None if queue.stop => return,
                    None => {
                        queue.hurry = false;
                        queue = shared.changed.wait(queue).expect("nothing panics while it holds this lock");
                        continue;
                    }
                };
                let left = at.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                queue = shared.changed.wait_timeout(queue, left).expect("nothing panics while it holds this lock").0;
            }
            let group: Vec<_> = queue
                .jobs
                .iter()
                .map_while(|job| match job {
                    Job::Batch(queued) => Some(Arc::clone(queued)),
                    Job::Ask(_) => None,
                })
                .take(GROUP_MAX)
                .collect();
            match queue.jobs.front() {
                Some(Job::Ask(_)) => Err(queue.jobs.pop_front()),
                _ => Ok(group),
            }
        };
        let group = match next {
            Ok(group) => group,
            Err(job) => {
                if let Some(Job::Ask(question)) = job {
                    question(&mut store);
                }
                continue;
            }
        };
        let result = group
            .iter()
            .map(|queued| {
                let Record { batch, digest, .. } = log::read(&queued.record)?;
                Some(Digested { batch: Cow::Owned(batch), digest })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| StoreError::Fatal("a commit of ours cannot be read back".to_owned()))
            .and_then(|batches| store.commit_all(&batches));
        let mut queue = shared.queue();
        match result {
            Ok(()) => {
                drop(queue.jobs.drain(..group.len()));
                queue.followed = group.last().map_or(queue.followed, |last| last.number);
                (queue.trouble, queue.conflicts) = (None, store.health().conflicts);
                pause = RETRY_FIRST;
                shared.changed.notify_all();
            }
            Err(error @ StoreError::Fatal(_)) => {
                tracing::error!(%error, "the database has failed");
                queue.failure = Some(error);
                shared.changed.notify_all();
                return;
            }
            Err(error) => {
                tracing::error!(%error, behind = queue.queued - queue.followed, "the database does not follow; trying again");
                queue.trouble = Some(error);
                shared.changed.notify_all();
                if queue.stop {
                    // The log has it.
                    return;
                }
                let (mut queue, _) =
                    shared.changed.wait_timeout_while(queue, pause, |queue| !queue.stop).expect("nothing panics while it holds this lock");
                queue.hurry = true;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}
