//! The thread that writes the history: what came in, twice a second; then chunks, in what is left of the half second.
//!
//! It never stops the engine and is never waited for but at the end. A disk that is full or a file that cannot be opened is told
//! (a system alarm is made of it) and tried again; what comes meanwhile waits in the queue up to its bound.

use super::queue::{Batches, HistoryQueue, Shared, same};
use super::store::HistoryStore;
use super::{Gap, GapReason, HistoryReading, Tags};
use crate::StoreError;
use model::{Duration as Length, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often readings are written: the history is this much behind, and a little more.
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// A file that failed is tried again after this long.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How often it is put down up to when the history is whole: what a crash may make a gap of though nothing is missing.
const WHOLE_EVERY: Length = Length::from_secs(5);
/// How often it is looked for readings that are old enough to go.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// How long readings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(pub Length);

/// A history written in one go, without an engine: recorded files, benches, tests.
pub struct HistoryFile(HistoryStore);

impl HistoryFile {
    /// Opens the history in `dir` or makes it; readings will name tags by their indices in `tags`.
    pub fn open(dir: &Path, tags: Arc<dyn Tags>) -> Result<Self, StoreError> {
        let (mut store, _) = HistoryStore::open(dir)?;
        store.set_tags(tags)?;
        Ok(Self(store))
    }
    /// Adds readings, in the order in which they were taken; [`HistoryReading::taken`] never falls.
    pub fn append(&mut self, rows: &[HistoryReading]) -> Result<(), StoreError> {
        self.0.append(rows)?;
        while self.0.work()? {}
        self.0.tidy(false)
    }
    /// Records that readings are missing.
    pub fn note_gap(&mut self, gap: &Gap) -> Result<(), StoreError> {
        self.0.note_gap(gap)
    }
    /// Makes chunks of all there is and closes the file.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.0.settle()?;
        self.0.close()
    }
}

/// The writer, running. Dropping it writes what waits and ends in good order.
pub struct HistoryWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl HistoryWriter {
    /// Starts the writer on the history in `dir`. If the last one did not stop by itself, a gap is recorded that ends at `now`.
    pub fn start(dir: &Path, tags: Arc<dyn Tags>, retention: Retention, now: Timestamp) -> Result<(Self, HistoryQueue), StoreError> {
        let shared = Arc::new(Shared::default());
        let work = Work {
            dir: dir.to_owned(),
            shared: shared.clone(),
            retention,
            started: now,
            opened_before: false,
            store: None,
            tags: None,
            pending: Batches::new(),
            lost: None,
            whole: None,
            whole_noted: None,
            spare: Vec::new(),
            forgotten: None,
        };
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || work.run())
            .map_err(|error| StoreError::Fatal(format!("no thread for the history: {error}")))?;
        Ok((Self { shared: shared.clone(), thread: Some(thread) }, HistoryQueue::new(tags, shared)))
    }
}

impl Drop for HistoryWriter {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history's writer panicked");
        }
    }
}

struct Work {
    dir: PathBuf,
    shared: Arc<Shared>,
    retention: Retention,
    started: Timestamp,
    opened_before: bool,
    store: Option<HistoryStore>,
    /// Those the store knows.
    tags: Option<Arc<dyn Tags>>,
    /// Taken from the queue and not yet written.
    pending: Batches,
    lost: Option<Gap>,
    /// Up to when the history is whole once `pending` and `lost` are written.
    whole: Option<Timestamp>,
    whole_noted: Option<Timestamp>,
    spare: Vec<HistoryReading>,
    forgotten: Option<Instant>,
}

impl Work {
    fn run(mut self) {
        loop {
            let mut next = Instant::now() + WRITE_EVERY;
            let result = self.write().and_then(|()| self.tidy(next));
            if let Err(error) = result {
                self.fail(&error);
                next = Instant::now() + RETRY_AFTER;
            }
            if self.shared.wait(next) {
                break;
            }
        }
        // Twice: what a failed write left over comes before what has gathered since.
        let written = self.write().and_then(|()| self.write());
        if let Err(error) = written.and_then(|()| self.store.take().map_or(Ok(()), HistoryStore::close)) {
            tracing::error!(%error, "the history was not written to its end");
        }
    }

    fn fail(&mut self, error: &StoreError) {
        let text = format!("{}: {error}", self.dir.join(super::HISTORY_FILE).display());
        let mut news = self.shared.news();
        if news.failing.as_deref() != Some(&text) {
            tracing::error!(text, "the history is not written");
            news.failing = Some(text);
        }
        drop(news);
        // A full disk and a busy file can be tried again as they are; anything else is opened anew.
        if !matches!(error, StoreError::Full | StoreError::Retry(_)) {
            self.store = None;
        }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let mut store = match self.store.take() {
            Some(store) => store,
            None => self.open()?,
        };
        let result = self.write_to(&mut store);
        self.store = Some(store);
        result
    }

    fn open(&mut self) -> Result<HistoryStore, StoreError> {
        let (mut store, broken_off) = HistoryStore::open(&self.dir)?;
        self.tags = None;
        // Opened anew by this process nothing is lost: what was not written is still here.
        if let Some(from) = broken_off.filter(|_| !self.opened_before) {
            let gap = Gap { from, to: self.started.max(from), lost: None, why: GapReason::Crash };
            store.note_gap(&gap)?;
            self.shared.news().gaps.push(gap);
        }
        self.opened_before = true;
        Ok(store)
    }

    fn write_to(&mut self, store: &mut HistoryStore) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            let (batches, lost, whole) = self.shared.take(std::mem::take(&mut self.spare));
            self.pending = batches;
            self.whole = whole;
            self.lost = self.lost.or(lost);
        }
        while let Some((tags, rows)) = self.pending.front() {
            if !rows.is_empty() && self.tags.as_ref().is_none_or(|known| !same(known, tags)) {
                store.set_tags(tags.clone())?;
                self.tags = Some(tags.clone());
            }
            store.append(rows)?;
            if let Some((_, rows)) = self.pending.pop_front() {
                self.spare = rows;
            }
        }
        if let Some(gap) = self.lost {
            store.note_gap(&gap)?;
            self.shared.news().gaps.push(gap);
            self.lost = None;
        }
        if let Some(whole) = self.whole
            && self.whole_noted.is_none_or(|noted| whole.since(noted) >= WHOLE_EVERY)
        {
            store.note_whole(whole)?;
            self.whole_noted = Some(whole);
        }
        self.shared.news().failing = None;
        Ok(())
    }

    /// Chunks and retention, until the next write is due.
    fn tidy(&mut self, until: Instant) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        while Instant::now() < until && store.work()? {}
        if self.forgotten.is_none_or(|at| at.elapsed() >= FORGET_EVERY)
            && let Some(last) = store.last_taken()
        {
            let mut more = true;
            while more && Instant::now() < until {
                more = store.forget(last - self.retention.0)?;
            }
            if !more {
                self.forgotten = Some(Instant::now());
            }
        }
        store.tidy(false)
    }
}
