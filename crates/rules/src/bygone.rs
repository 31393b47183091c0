//! Which episodes there were of conditions that have left the configuration.
//!
//! An episode is named by the time it began. A tag that is taken out and comes back may say once more what it said before (a broker that
//! keeps the last message, a backlog sent again): that is another episode, and under a name given before nobody would be told of it. So
//! what names the next one outlives its condition. The list is bounded; of what falls out of it the newest time and the highest count are
//! kept for all together, so that a name never comes back, though an episode may carry a count it did not need.

use crate::slot::Slot;
use model::{Condition, TagId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Tags that left, each on record with its own episodes.
const TAGS_MAX: usize = 4096;

/// The names one condition has given to its episodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// Newest time any episode began at.
    pub newest_since: Timestamp,
    /// Episodes that began no later than an earlier one.
    pub reopened: u32,
}

impl Given {
    fn and(self, other: Self) -> Self {
        Self { newest_since: self.newest_since.max(other.newest_since), reopened: self.reopened.max(other.reopened) }
    }
}

/// One tag of which conditions have left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Left {
    /// When the last of them did.
    at: Timestamp,
    conditions: BTreeMap<Condition, Given>,
}

/// Episodes of conditions that have left the configuration.
#[derive(Debug, Default)]
pub(crate) struct Bygone {
    tags: BTreeMap<TagId, Left>,
    order: BTreeSet<(Timestamp, TagId)>,
    /// Of those that fell out of the list.
    fallen: Option<Given>,
    /// Rows to be written or deleted; none for that of the fallen ones.
    dirty: BTreeSet<Option<TagId>>,
}

impl Bygone {
    /// The names that a condition of a tag may have given before it left.
    pub fn given(&self, tag: &TagId, condition: Condition) -> Option<Given> {
        self.tags.get(tag).and_then(|left| left.conditions.get(&condition)).copied().or(self.fallen)
    }

    /// A condition has left the configuration.
    pub fn left(&mut self, tag: &TagId, condition: Condition, slot: &Slot, at: Timestamp) {
        if let Some(newest_since) = slot.newest_since {
            let given = Given { newest_since, reopened: slot.reopened };
            self.set(tag.clone(), Left { at, conditions: BTreeMap::from([(condition, given)]) });
            self.dirty.insert(Some(tag.clone()));
        }
    }

    /// Takes a tag up, together with what is on record of it.
    pub fn set(&mut self, tag: TagId, left: Left) {
        let entry = self.tags.entry(tag.clone()).or_insert(Left { at: left.at, conditions: BTreeMap::new() });
        self.order.remove(&(entry.at, tag.clone()));
        entry.at = entry.at.max(left.at);
        self.order.insert((entry.at, tag));
        for (condition, given) in left.conditions {
            entry.conditions.entry(condition).and_modify(|known| *known = known.and(given)).or_insert(given);
        }
        while self.tags.len() > TAGS_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            let left = self.tags.remove(&oldest);
            left.into_iter().flat_map(|left| left.conditions.into_values()).for_each(|given| self.set_fallen(given));
            self.dirty.extend([None, Some(oldest)]);
        }
    }

    /// Takes up what is on record of those that fell out of the list.
    pub fn set_fallen(&mut self, given: Given) {
        self.fallen = Some(self.fallen.map_or(given, |fallen| fallen.and(given)));
    }

    /// Those whose row is to be written, which it then is.
    pub fn take_changed(&mut self) -> BTreeSet<Option<TagId>> {
        std::mem::take(&mut self.dirty)
    }

    /// One tag; none where its row is to be deleted.
    pub fn of(&self, tag: &TagId) -> Option<&Left> {
        self.tags.get(tag)
    }

    /// Those that fell out of the list.
    pub fn fallen(&self) -> Option<Given> {
        self.fallen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(newest_since: i64, reopened: u32) -> Slot {
        Slot { newest_since: Some(Timestamp(newest_since)), reopened, ..Slot::NEW }
    }

    #[test]
    fn what_falls_out_of_the_list_still_gives_no_name_twice() {
        const FALLING: usize = 9;
        let mut bygone = Bygone::default();
        let tag = |at: usize| TagId::new("hx", format!("T{at:05}"));
        // Neither by name nor by their episodes in the order in which they leave.
        let leaving: Vec<TagId> = (0..TAGS_MAX + FALLING).map(|at| tag((at * 4093 + 4000) % (TAGS_MAX + FALLING))).collect();
        let high = |at: usize| Given { newest_since: Timestamp((at as i64 * 7919) % 5000), reopened: at as u32 * 5 % 7 };
        let low = |at: usize| Given { newest_since: Timestamp((at as i64 * 6007) % 5000), reopened: at as u32 * 3 % 8 };
        let both = |at: usize| [(Condition::High, high(at)), (Condition::Low, low(at))];
        for (at, tag) in leaving.iter().enumerate() {
            if at == TAGS_MAX {
                assert_eq!(bygone.fallen(), None);
                assert_eq!(bygone.take_changed().len(), TAGS_MAX);
            }
            for (condition, given) in both(at) {
                bygone.left(tag, condition, &slot(given.newest_since.0, given.reopened), Timestamp(at as i64));
            }
        }
        assert_eq!((bygone.tags.len(), bygone.order.len()), (TAGS_MAX, TAGS_MAX));
        let fell = || (0..FALLING).flat_map(both).map(|(_, given)| given);
        let newest_since = fell().map(|given| given.newest_since).max();
        let reopened = fell().map(|given| given.reopened).max();
        let fallen = newest_since.zip(reopened).map(|(newest_since, reopened)| Given { newest_since, reopened });
        for (at, tag) in leaving.iter().enumerate() {
            let own = both(at).map(|(condition, given)| (condition, Some(given)));
            let expected = if at < FALLING { own.map(|(condition, _)| (condition, fallen)) } else { own };
            assert_eq!(expected.map(|(condition, _)| (condition, bygone.given(tag, condition))), expected, "{tag}");
        }
        let rows = [None].into_iter().chain(leaving[..FALLING].iter().chain(&leaving[TAGS_MAX..]).cloned().map(Some));
        assert_eq!(bygone.take_changed(), rows.collect(), "those that fell, those that came and the one row of all that fell");
        assert!(leaving[..FALLING].iter().all(|tag| bygone.of(tag).is_none()));
    }

    #[test]
    fn what_leaves_again_is_the_last_to_fall_out_of_the_list() {
        let mut bygone = Bygone::default();
        let tag = |at: usize| TagId::new("hx", format!("T{at:05}"));
        (0..TAGS_MAX).for_each(|at| bygone.left(&tag(at), Condition::High, &slot(10, 0), Timestamp(at as i64)));
        bygone.left(&tag(0), Condition::High, &slot(5, 3), Timestamp(TAGS_MAX as i64));
        bygone.left(&tag(TAGS_MAX), Condition::High, &slot(20, 0), Timestamp(TAGS_MAX as i64));
        assert_eq!(bygone.of(&tag(1)), None);
        assert_eq!(bygone.given(&tag(0), Condition::High), Some(Given { newest_since: Timestamp(10), reopened: 3 }));
    }
}
