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
    /// Of the batch in hand, from before the tags were others.
    earlier: Vec<(Arc<dyn Tags>, Vec<HistoryReading>)>,
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
    /// Everything taken up to then has been handed over.
    whole: Option<Timestamp>,
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
    /// Takes what waits, and leaves `spare` in its place for what comes next. Also says up to when that is everything.
    pub fn take(&self, mut spare: Vec<HistoryReading>) -> (Batches, Option<Gap>, Option<Timestamp>) {
        spare.clear();
        spare.shrink_to(ROOM_KEPT);
        let mut slot = self.slot();
        let slot = &mut *slot;
        slot.waiting = 0;
        let taken = std::mem::take(&mut slot.batches);
        if let Some((tags, _)) = taken.back() {
            slot.batches.push_back((tags.clone(), spare));
        }
        (taken, slot.lost.take(), slot.whole)
    }
    /// Takes over what the engine hands over, or counts it as lost.
    fn give(&self, tags: &Arc<dyn Tags>, rows: &mut Vec<HistoryReading>) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
        let (from, to, count) = (first.taken, last.taken, rows.len());
        let mut slot = self.slot();
        if slot.waiting + count > HISTORY_QUEUE_MAX {
            let lost = slot.lost.get_or_insert(Gap { from, to, lost: Some(0), why: GapReason::Overflow });
            (lost.to, lost.lost) = (to, lost.lost.map(|lost| lost + count as u64));
            drop(slot);
            let mut news = self.news();
            (news.losing, news.lost) = (true, news.lost + count as u64);
            return rows.clear();
        }
        slot.waiting += count;
        match slot.batches.back_mut() {
            Some((known, waiting)) if same(known, tags) => {
                if waiting.is_empty() && count > waiting.capacity() / 2 {
                    std::mem::swap(waiting, rows);
                } else {
                    waiting.append(rows);
                }
            }
            _ => slot.batches.push_back((tags.clone(), std::mem::take(rows))),
        }
    }
    pub fn stop(&self) {
        self.slot().stop = true;
        self.wake.notify_all();
    }
}

impl HistoryQueue {
    pub(super) fn new(tags: Arc<dyn Tags>, shared: Arc<Shared>) -> Self {
        Self { rows: Vec::new(), tags, earlier: Vec::new(), last: None, rank: 0, under_test: BTreeSet::new(), shared }
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
        for (tags, mut rows) in std::mem::take(&mut self.earlier) {
            self.shared.give(&tags, &mut rows);
        }
        self.shared.give(&self.tags, &mut self.rows);
    }

    /// Says that the engine is alive and has taken nothing up to `now` that was not handed over. An enterprise may be silent for hours:
    /// without this a crash would make a gap of all of them.
    pub fn note_alive(&self, now: Timestamp) {
        if self.rows.is_empty() && self.earlier.is_empty() {
            self.shared.slot().whole = Some(now);
        }
    }

    /// Readings of these tags, and of no others, are marked as under test (检维修/标定) from here on.
    pub fn set_under_test(&mut self, tags: impl IntoIterator<Item = TagIndex>) {
        self.under_test = tags.into_iter().collect();
    }

    /// Whether readings of a tag are marked as under test.
    pub fn is_under_test(&self, tag: TagIndex) -> bool {
        self.under_test.contains(&tag)
    }

    /// From here on readings name tags by their indices in these: those of a plant that was reloaded. Which are under test is to
    /// be said anew.
    pub fn set_tags(&mut self, tags: Arc<dyn Tags>) {
        let before = std::mem::replace(&mut self.tags, tags);
        if !self.rows.is_empty() {
            self.earlier.push((before, std::mem::take(&mut self.rows)));
        }
        self.under_test.clear();
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
