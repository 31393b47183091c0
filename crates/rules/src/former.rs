//! Limits that were in force before: a late reading is judged by the limits of its own time.
//!
//! A change of the configuration takes effect at one instant. What was measured before it and arrives after it (a backlog, a straggler)
//! is held against the conditions of then, and the transition names the version of then. A condition that did not exist then says
//! nothing about such a reading; one that exists no more has no state to change.
//!
//! Of each change only what differed is kept: what it does not name stood as it did at the next. With a hundred thousand tags that is
//! megabytes, so its rows can be written before it comes into force, and one short row then brings all of them into effect.

use model::plant::{ConditionRule, Plant, Tag};
use model::{Condition, RuleVersion, TagId, TagIndex, Timestamp, bounds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Key of the row that lists the changes, and beginning of the keys of what they changed.
const LIST: &str = "rules/changes";
const PART: &str = "rules/changes/";
/// Tags of one part, of some hundred bytes each: a commit of one is to hold nobody up.
const PART_TAGS: usize = 250;

/// A condition as it was before a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Was {
    Rule(ConditionRule),
    /// The tag did not have it, or was out of service.
    Absent(Condition),
}

impl Was {
    fn condition(&self) -> Condition {
        match self {
            Self::Rule(rule) => rule.condition,
            Self::Absent(condition) => *condition,
        }
    }
    /// Holds what it has alike with the present rule but once.
    fn share(&mut self, tag: &Tag) {
        let Self::Rule(rule) = self else { return };
        if let Some(now) = tag.conditions.iter().find(|now| now.condition == rule.condition) {
            let shared = ConditionRule { setpoint: rule.setpoint, deadband: rule.deadband, terms: now.terms.clone() };
            if decides_alike(rule, &shared) {
                *rule = shared;
            }
        }
    }
}

/// What a change of the configuration changes: of each tag the conditions that were others.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// By tag of the new configuration, in order.
    tags: Vec<(TagIndex, Box<[Was]>)>,
    /// Tags that are in the new one no more: if they ever come back, what was in force for them is nothing to them.
    gone: Vec<TagId>,
    /// Under which number its rows were handed out, and how many.
    written: Option<(u64, u32)>,
}

impl Before {
    /// A tag that is in both configurations; they come in the order of the new one.
    pub fn add(&mut self, index: TagIndex, before: &Tag, after: &Tag) {
        let in_force = |tag: &Tag| if tag.in_service { tag.conditions.clone() } else { Vec::new().into() };
        let (before, after) = (in_force(before), in_force(after));
        if before == after {
            return;
        }
        let has_not = |rules: &[ConditionRule], condition| rules.iter().all(|rule| rule.condition != condition);
        let changed = before.iter().filter(|rule| !after.iter().any(|other| decides_alike(rule, other))).cloned().map(Was::Rule);
        let new = after.iter().map(|rule| rule.condition).filter(|condition| has_not(&before, *condition)).map(Was::Absent);
        let was: Box<[Was]> = changed.chain(new).collect();
        if !was.is_empty() {
            self.tags.push((index, was));
        }
    }

    /// A tag that is gone.
    pub fn left(&mut self, tag: &TagId) {
        self.gone.push(tag.clone());
    }

    /// Its rows, to be asked for once; no other change may have this number.
    pub fn rows(&mut self, id: u64, plant: &Plant) -> Vec<(String, Vec<u8>)> {
        let gone = std::mem::take(&mut self.gone);
        let named = self.tags.iter().map(|(index, was)| (&plant.tag(*index).id, Some(&**was)));
        let all: Vec<_> = named.chain(gone.iter().map(|tag| (tag, None))).collect();
        let parts = (0..).zip(all.chunks(PART_TAGS));
        let rows = parts.map(|(number, tags)| {
            let tags: BTreeMap<_, _> = tags.iter().copied().collect();
            (part(id, number), serde_json::to_vec(&tags).expect("text keys and finite numbers only"))
        });
        let rows: Vec<_> = rows.collect();
        self.written = Some((id, rows.len() as u32));
        rows
    }

    /// The keys of the rows that were handed out.
    fn keys(&self) -> impl Iterator<Item = String> + use<> {
        let (id, parts) = self.written.unwrap_or_default();
        (0..parts).map(move |number| part(id, number))
    }
}

/// Whether two rules differ in nothing but what they tell people.
fn decides_alike(one: &ConditionRule, other: &ConditionRule) -> bool {
    one == other || {
        let mut other = other.clone();
        other.rationale.clone_from(&one.rationale);
        *one == other
    }
}

fn part(id: u64, number: u32) -> String {
    format!("{PART}{id}/{number}")
}

/// A change that was made.
#[derive(Debug)]
struct Change {
    /// What it changed was in force before this instant, on the tag's time.
    until: Timestamp,
    /// The version that was.
    rules: RuleVersion,
    before: Before,
}

impl Change {
    fn of(&self, tag: TagIndex) -> Option<&[Was]> {
        let place = self.before.tags.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
        Some(&self.before.tags[place].1)
    }
}

/// One change in the row that lists them.
#[derive(Serialize, Deserialize)]
struct Listed {
    id: u64,
    until: Timestamp,
    rules: RuleVersion,
    parts: u32,
}

/// What was in force for one tag before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Former<'a> {
    /// Oldest first.
    changes: &'a [Change],
    tag: TagIndex,
}

impl<'a> Former<'a> {
    /// Always the same.
    pub const fn none(tag: TagIndex) -> Self {
        Self { changes: &[], tag }
    }
    /// What was in force at `time`; none where that is what is in force now.
    pub fn at(&self, time: Timestamp) -> Option<Then<'a>> {
        let later = self.changes.partition_point(|change| change.until <= time);
        let place = (later..self.changes.len()).find(|at| self.changes[*at].of(self.tag).is_some())?;
        Some(Then { of: Self { changes: &self.changes[place..], tag: self.tag } })
    }
    /// Whether a reading of `time` or later may be of before some change.
    pub fn changed_after(&self, time: Timestamp) -> bool {
        self.changes.iter().rev().take_while(|change| change.until > time).any(|change| change.of(self.tag).is_some())
    }
}

/// What was in force for one tag at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then<'a> {
    /// Its first change names the tag.
    of: Former<'a>,
}

impl<'a> Then<'a> {
    /// The version.
    pub fn rules(self) -> &'a RuleVersion {
        &self.of.changes[0].rules
    }
    fn rule(self, now: &'a ConditionRule) -> Option<&'a ConditionRule> {
        let mut all = self.of.changes.iter().flat_map(|change| change.of(self.of.tag).unwrap_or_default());
        match all.find(|was| was.condition() == now.condition) {
            None => Some(now),
            Some(Was::Rule(rule)) => Some(rule),
            Some(Was::Absent(_)) => None,
        }
    }
}

/// A condition of a tag as it was; none where the tag did not have it.
pub(crate) fn rule<'a>(tag: &'a Tag, then: Option<Then<'a>>, place: usize) -> Option<&'a ConditionRule> {
    let now = &tag.conditions[place];
    then.map_or(Some(now), |then| then.rule(now))
}

/// What was in force before each of the newest changes.
#[derive(Debug, Default)]
pub(crate) struct Formers {
    /// Oldest first.
    changes: Vec<Change>,
    /// The row that lists them is to be written.
    changed: bool,
    /// Rows to be deleted.
    fallen: Vec<String>,
}

impl Formers {
    /// That of one tag.
    pub fn of(&self, tag: TagIndex) -> Former<'_> {
        Former { changes: &self.changes, tag }
    }

    /// Takes over what was in force before, under the indexes of another plant, which comes into force at `until` after that of `rules`.
    /// Where there are too many changes the oldest are left to it.
    pub fn succeed(&mut self, earlier: &mut Self, moves: &[Option<TagIndex>], before: Before, until: Timestamp, rules: &RuleVersion) {
        std::mem::swap(self, earlier);
        let is_same = (0..).map(TagIndex).zip(moves).all(|(was, to)| *to == Some(was));
        let mut lost = false;
        for change in self.changes.iter_mut().filter(|_| !is_same) {
            change.before.tags.retain_mut(|(tag, _)| {
                let to = moves[tag.at()];
                *tag = to.unwrap_or(*tag);
                lost |= to.is_none();
                to.is_some()
            });
        }
        if before.tags.is_empty() && !lost {
            return self.fallen.extend(before.keys());
        }
        self.changes.push(Change { until, rules: rules.clone(), before });
        self.changed = true;
        let mut tags: usize = self.changes.iter().map(|change| change.before.tags.len()).sum();
        let mut too_many = 0;
        while self.changes.len() - too_many > bounds::FORMER_CHANGES_MAX
            || tags > bounds::FORMER_TAGS_MAX && self.changes.len() - too_many > 1
        {
            tags -= self.changes[too_many].before.tags.len();
            too_many += 1;
        }
        earlier.changes.extend(self.changes.drain(..too_many));
        self.fallen.extend(earlier.changes.iter().flat_map(|change| change.before.keys()));
    }

    /// Appends the rows that changed since the last call; none deletes.
    pub fn drain(&mut self, plant: &Plant, out: &mut Vec<(String, Option<Vec<u8>>)>) {
        // First, since a number may come again.
        out.extend(self.fallen.drain(..).map(|key| (key, None)));
        if std::mem::take(&mut self.changed) {
            let mut next = self.changes.iter().filter_map(|change| change.before.written).map(|(id, _)| id + 1).max().unwrap_or(0);
            for change in self.changes.iter_mut().filter(|change| change.before.written.is_none()) {
                next = next.max(u64::try_from(change.until.0).unwrap_or(0));
                out.extend(change.before.rows(next, plant).into_iter().map(|(key, bytes)| (key, Some(bytes))));
                next += 1;
            }
            let listed = self.changes.iter().filter_map(|change| {
                let (id, parts) = change.before.written?;
                Some(Listed { id, until: change.until, rules: change.rules.clone(), parts })
            });
            let list = serde_json::to_vec(&listed.collect::<Vec<_>>()).expect("our own types serialise");
            out.push((LIST.to_owned(), Some(list)));
        }
    }
}

/// By tag what was in force; none of one that is gone.
type Part = BTreeMap<TagId, Option<Box<[Was]>>>;

/// The rows of a store, to be read again.
#[derive(Default)]
pub(crate) struct Stored {
    list: Vec<Listed>,
    parts: BTreeMap<(u64, u32), Part>,
    /// Rows of no change of ours.
    strange: Vec<String>,
}

impl Stored {
    /// Takes a row in, if it is one of these.
    pub fn take(&mut self, key: &str, bytes: &[u8]) -> Result<(), serde_json::Error> {
        if key == LIST {
            self.list = serde_json::from_slice(bytes)?;
        } else if let Some(name) = key.strip_prefix(PART) {
            match name.split_once('/').and_then(|(id, number)| Some((id.parse().ok()?, number.parse().ok()?))) {
                Some(part) => {
                    self.parts.insert(part, serde_json::from_slice(bytes)?);
                }
                None => self.strange.push(key.to_owned()),
            }
        }
        Ok(())
    }

    /// What was in force before, for the tags of a plant. Rows of a change that never came are to be deleted.
    pub fn of(mut self, plant: &Plant) -> Formers {
        let mut changes: Vec<Change> = Vec::new();
        let mut has_strangers = false;
        for Listed { id, until, rules, parts } in self.list {
            let mut before = Before { written: Some((id, parts)), ..Before::default() };
            for (tag, was) in (0..parts).filter_map(|number| self.parts.remove(&(id, number))).flatten() {
                let Some(index) = plant.tag_index(&tag) else {
                    has_strangers |= was.is_some();
                    continue;
                };
                match was {
                    Some(mut was) => {
                        was.iter_mut().for_each(|was| was.share(plant.tag(index)));
                        before.tags.push((index, was));
                    }
                    None => changes.iter_mut().for_each(|earlier| earlier.before.tags.retain(|(tag, _)| *tag != index)),
                }
            }
            before.tags.sort_unstable_by_key(|(tag, _)| *tag);
            changes.push(Change { until, rules, before });
        }
        self.strange.extend(self.parts.into_keys().map(|(id, number)| part(id, number)));
        if has_strangers {
            // Written anew without the tags that are not there: one that comes by their name later is another.
            self.strange.extend(changes.iter().flat_map(|change| change.before.keys()));
            changes.iter_mut().for_each(|change| change.before.written = None);
        }
        Formers { changes, changed: has_strangers, fallen: self.strange }
    }
}
