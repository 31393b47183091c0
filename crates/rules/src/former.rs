//! Limits that were in force before: a late reading is judged by the limits of its own time.
//!
//! A change of the configuration takes effect at one instant. What was measured before it and arrives after it (a backlog, a straggler)
//! is held against the conditions of then, and the transition names the version of then. A condition that did not exist then says
//! nothing about such a reading; one that exists no more has no state to change. Only tags whose conditions changed have an entry.

use model::plant::{ConditionRule, Tag};
use model::{RuleVersion, TagIndex, Timestamp, bounds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The conditions of a tag up to a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Former {
    /// In force before this instant, on the tag's time.
    pub until: Timestamp,
    /// The version they belong to.
    pub rules: RuleVersion,
    /// None while it was out of service.
    pub conditions: Vec<ConditionRule>,
}

/// What was in force at `time`, of a list that begins with the oldest; none where that is what is in force now.
pub(crate) fn at(former: &[Former], time: Timestamp) -> Option<&Former> {
    former.iter().find(|former| time < former.until)
}

/// A condition of a tag as it was; none where the tag did not have it.
pub(crate) fn rule<'a>(tag: &'a Tag, former: Option<&'a Former>, place: usize) -> Option<&'a ConditionRule> {
    let now = &tag.conditions[place];
    match former {
        None => Some(now),
        Some(former) => former.conditions.iter().find(|rule| rule.condition == now.condition),
    }
}

/// The former conditions of all tags that had others.
#[derive(Debug, Default)]
pub(crate) struct Formers {
    tags: BTreeMap<TagIndex, Vec<Former>>,
    dirty: BTreeSet<TagIndex>,
}

impl Formers {
    /// Those of one tag, oldest first.
    pub fn of(&self, tag: TagIndex) -> &[Former] {
        self.tags.get(&tag).map_or(&[], Vec::as_slice)
    }
    /// From when on its present conditions are in force; none where they always were.
    pub fn since(&self, tag: TagIndex) -> Option<Timestamp> {
        if self.tags.is_empty() {
            return None;
        }
        self.of(tag).last().map(|former| former.until)
    }
    /// Puts the conditions of before on record; the oldest go where there are too many.
    pub fn push(&mut self, tag: TagIndex, former: Former) {
        let list = self.tags.entry(tag).or_default();
        if list.len() == bounds::RULE_VERSIONS_KEPT_MAX {
            list.remove(0);
        }
        list.push(former);
        self.dirty.insert(tag);
    }
    /// Takes a stored list.
    pub fn set(&mut self, tag: TagIndex, list: Vec<Former>) {
        self.tags.insert(tag, list);
    }
    /// The same under the indexes of another plant. Those of dropped tags are given back, for their rows to be deleted.
    pub fn moved(&mut self, moves: &[Option<TagIndex>]) -> (Self, Vec<TagIndex>) {
        let (mut here, mut dropped) = (Self::default(), Vec::new());
        for (tag, list) in std::mem::take(&mut self.tags) {
            match moves[tag.at()] {
                Some(to) => {
                    here.tags.insert(to, list);
                }
                None => dropped.push(tag),
            }
        }
        here.dirty = self.dirty.iter().filter_map(|tag| moves[tag.at()]).collect();
        (here, dropped)
    }
    /// Those whose row is to be written, which it then is.
    pub fn take_changed(&mut self) -> BTreeSet<TagIndex> {
        std::mem::take(&mut self.dirty)
    }
}
