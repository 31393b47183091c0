//! Silence clocks: when a tag will have been silent for its stale time.
//!
//! Every reading starts its tag's clock anew, so moving a deadline with each would cost more than all the rest. The clocks of neighbouring
//! tags share one entry instead, which may be too early: whoever takes it looks at those tags again. So a busy plant pays one look per
//! neighbourhood and stale time, and the order in which tags fall silent is exact all the same.

use crate::row::Rows;
use model::{Duration, Plant, TagIndex, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tags that share an entry.
const NEIGHBOURS: usize = 64;

/// The silence clocks of all tags, in listening time.
#[derive(Debug)]
pub(crate) struct Silence {
    plant: Arc<Plant>,
    /// By neighbourhood: no clock of its tags ends before this.
    entries: Vec<Option<(Timestamp, TagIndex)>>,
    order: BTreeSet<(Timestamp, TagIndex)>,
}

impl Silence {
    pub fn new(plant: Arc<Plant>) -> Self {
        Self { entries: vec![None; plant.tags.len().div_ceil(NEIGHBOURS)], order: BTreeSet::new(), plant }
    }

    /// Whether a tag can fall silent at all.
    pub fn watches(&self, tag: TagIndex) -> bool {
        self.stale_after(tag).is_some()
    }

    /// After which a tag is silent; none where it never is.
    pub fn stale_after(&self, tag: TagIndex) -> Option<Duration> {
        let tag = self.plant.tag(tag);
        (tag.in_service && tag.stale_after > Duration::ZERO).then_some(tag.stale_after)
    }

    /// When the clock of a tag that was last heard at `heard` ends. It has one, or is not asked for.
    fn end(&self, tag: TagIndex, heard: Timestamp) -> (Timestamp, TagIndex) {
        (heard + self.plant.tag(tag).stale_after, tag)
    }

    /// Appends the tags whose clock has ended at `heard`.
    pub fn ended(&self, heard: Timestamp, rows: &Rows, out: &mut Vec<TagIndex>) {
        for (_, tag) in self.order.iter().take_while(|(end, _)| *end <= heard) {
            let from = tag.at() / NEIGHBOURS * NEIGHBOURS;
            let clocks = rows.listening(from..rows.len().min(from + NEIGHBOURS));
            let ends = clocks.map(|(at, last)| self.end(TagIndex(at as u32), last));
            out.extend(ends.filter(|(end, _)| *end <= heard).map(|(_, tag)| tag));
        }
    }

    /// The first entry: no clock ends before it.
    pub fn first(&self) -> Option<(Timestamp, TagIndex)> {
        self.order.first().copied()
    }

    /// A tag's clock has begun to run.
    pub fn began(&mut self, tag: TagIndex, heard: Timestamp) {
        let end = self.end(tag, heard);
        let neighbourhood = tag.at() / NEIGHBOURS;
        if self.entries[neighbourhood].is_none_or(|entry| end < entry) {
            self.set(neighbourhood, Some(end));
        }
    }

    /// Looks at the tags of the first entry again, and gives it back if a clock has truly ended at it.
    pub fn look_again(&mut self, rows: &Rows) -> Option<(Timestamp, TagIndex)> {
        let entry = self.first()?;
        let neighbourhood = entry.1.at() / NEIGHBOURS;
        self.set(neighbourhood, self.next_in(neighbourhood, rows));
        (self.entries[neighbourhood] == Some(entry)).then_some(entry)
    }

    /// When the first clock of a neighbourhood ends.
    fn next_in(&self, neighbourhood: usize, rows: &Rows) -> Option<(Timestamp, TagIndex)> {
        let from = neighbourhood * NEIGHBOURS;
        let to = rows.len().min(from + NEIGHBOURS);
        rows.listening(from..to).map(|(at, heard)| self.end(TagIndex(at as u32), heard)).min()
    }

    fn set(&mut self, neighbourhood: usize, wanted: Option<(Timestamp, TagIndex)>) {
        let entry = &mut self.entries[neighbourhood];
        if *entry != wanted {
            if let Some(old) = entry.take() {
                self.order.remove(&old);
            }
            self.order.extend(wanted);
            *entry = wanted;
        }
    }
}
