//! Between the engine and the history's writer: the engine never waits, never allocates for long and never learns of SQL.
//!
//! Readings gather in a vector of the engine's own and are handed over once per batch, under a lock that nobody holds for longer
//! than it takes to move a vector. When the writer cannot keep up, readings beyond the bound are given up, counted, and recorded
//! as a gap: the promise of alarms goes before the promise of history.

use super::{Gap, GapReason, HistoryReading, Tags};
use model::{Reading, TagIndex, Timestamp, bounds::HISTORY_QUEUE_MAX};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Room that is kept between two writes; what a burst needed beyond it is given back.
const ROOM_KEPT: usize = 65_536;

/// What the engine is to know of the writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Why nothing is written at present.
    pub failing: Option<String>,
    /// Readings lost since the start.
    pub lost: u64,
    /// Readings are being lost now.
    pub losing: bool,
    /// Gaps that were recorded since the last question.
    pub gaps: Vec<Gap>,
}

/// The engine's end.
pub struct HistoryQueue {
    rows: Vec<HistoryReading>,
    tags: Arc<dyn Tags>,
    last: Option<Timestamp>,
    rank: u32,
    under_test: BTreeSet<TagIndex>,
    shared: Arc<Shared>,
}

/// Readings by the tags whose indices they carry.
pub(super) type Batches = VecDeque<(Arc<dyn Tags>, Vec<HistoryReading>)>;

/// What both ends see.
#[derive(Default)]
pub(super) struct Shared {
    slot: Mutex<Slot>,
    wake: Condvar,
    news: Mutex<News>,
}

#[derive(Default)]
struct Slot {
    batches: Batches,
    waiting: usize,
    lost: Option<Gap>,
    stop: bool,
}

impl Shared {
    // Nothing panics while it holds one of the locks, and readings are worth keeping in any case.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Waits until `until` or the stop, whichever is first; true at the stop.
    pub fn wait(&self, until: Instant) -> bool {
        let mut slot = self.slot();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if slot.stop || left == Duration::ZERO {
                return slot.stop;
            }
            slot = self.wake.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
    /// Takes what waits, and leaves `spare` in its place for what comes next.
    pub fn take(&self, mut spare: Vec<HistoryReading>) -> (Batches, Option<Gap>) {
        spare.clear();
        spare.shrink_to(ROOM_KEPT);
        let mut slot = self.slot();
        let slot = &mut *slot;
        slot.waiting = 0;
        let taken = std::mem::take(&mut slot.batches);
        if let Some((tags, _)) = taken.back() {
            slot.batches.push_back((tags.clone(), spare));
        }
        (taken, slot.lost.take())
    }
    pub fn stop(&self) {
        self.slot().stop = true;
        self.wake.notify_all();
    }
}

impl HistoryQueue {
    pub(super) fn new(tags: Arc<dyn Tags>, shared: Arc<Shared>) -> Self {
        Self { rows: Vec::new(), tags, last: None, rank: 0, under_test: BTreeSet::new(), shared }
    }

    /// A queue whose writer does not exist: for an engine that keeps no history, such as one under test.
    pub fn none(tags: Arc<dyn Tags>) -> Self {
        let shared = Shared::default();
        shared.slot().stop = true;
        Self::new(tags, Arc::new(shared))
    }

    /// Keeps a reading that the engine took at `now`. Costs a few nanoseconds and shares nothing yet.
    pub fn push(&mut self, reading: &Reading, now: Timestamp) {
        self.rank = if self.last == Some(now) { self.rank.saturating_add(1) } else { 0 };
        self.last = Some(now);
        let under_test = !self.under_test.is_empty() && self.under_test.contains(&reading.tag);
        self.rows.push(HistoryReading { reading: *reading, taken: now, rank: self.rank, under_test });
    }

    /// Hands over what was kept since the last time. Once per batch, after its commit.
    pub fn hand_over(&mut self) {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else { return };
        let (from, to) = (first.taken, last.taken);
        let mut slot = self.shared.slot();
        if slot.stop {
            drop(slot);
            return self.rows.clear();
        }
        if slot.waiting + self.rows.len() > HISTORY_QUEUE_MAX {
            let lost = slot.lost.get_or_insert(Gap { from, to, lost: Some(0), why: GapReason::Overflow });
            (lost.to, lost.lost) = (to, lost.lost.map(|lost| lost + self.rows.len() as u64));
            drop(slot);
            let mut news = self.shared.news();
            (news.losing, news.lost) = (true, news.lost + self.rows.len() as u64);
            return self.rows.clear();
        }
        slot.waiting += self.rows.len();
        match slot.batches.back_mut() {
            Some((tags, rows)) if same(tags, &self.tags) => {
                if rows.is_empty() && self.rows.len() > rows.capacity() / 2 {
                    std::mem::swap(rows, &mut self.rows);
                } else {
                    rows.append(&mut self.rows);
                }
            }
            _ => slot.batches.push_back((self.tags.clone(), std::mem::take(&mut self.rows))),
        }
    }

    /// Whether readings of a tag are marked as under test (检维修/标定) from here on.
    pub fn set_under_test(&mut self, tag: TagIndex, under_test: bool) {
        if under_test {
            self.under_test.insert(tag);
        } else {
            self.under_test.remove(&tag);
        }
    }

    /// From here on readings name tags by their indices in these: those of a plant that was reloaded. Which are under
    /// test is to be said anew.
    pub fn set_tags(&mut self, tags: Arc<dyn Tags>) {
        self.hand_over();
        self.under_test.clear();
        self.tags = tags;
    }

    /// What became known of the writer since the last question.
    pub fn news(&self) -> News {
        let mut news = self.shared.news();
        let told = news.clone();
        news.gaps.clear();
        news.losing = false;
        told
    }
}

/// Whether two are one and the same, not only equal.
pub(super) fn same(one: &Arc<dyn Tags>, other: &Arc<dyn Tags>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
