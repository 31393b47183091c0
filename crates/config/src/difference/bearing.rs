//! What a tag decides beyond its own conditions: the alarms that it suppresses, whose limits it chooses as the mode of their equipment,
//! or that are worked out of it, at first hand or through other calculated tags.
//!
//! A suppression has no condition of its own, and neither has a formula half way to a red vote; judged by themselves they would bear on
//! nothing, and a red alarm could be silenced by one without anybody's consent.

use super::tag::{highest, top_level};
use model::plant::{ConditionRule, Plant, Tag};
use model::{Condition, Hazard, Level, TagId};
use std::collections::BTreeMap;

/// The highest level and the highest hazard that something bears on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weight {
    pub(super) level: Option<Level>,
    pub(super) hazard: Hazard,
}

impl Weight {
    pub(super) fn max(self, other: Self) -> Self {
        Self { level: self.level.max(other.level), hazard: self.hazard.max(other.hazard) }
    }
}

/// What a calculated tag is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Suppresses alarms by design.
    Suppression,
    /// Says which limits of other alarms hold.
    Mode,
}

/// What the tags of one plant bear on.
pub(super) struct Bearings<'a> {
    plant: &'a Plant,
    /// By place of the tag.
    weights: BTreeMap<usize, Weight>,
    /// By place of a suppression or a mode: the alarms that it acts on.
    acts_on: BTreeMap<usize, (Role, Vec<Alarm<'a>>)>,
}

type Alarm<'a> = (&'a TagId, Condition);

impl<'a> Bearings<'a> {
    pub(super) fn of(plant: &'a Plant) -> Self {
        let mut made = Self { plant, weights: BTreeMap::new(), acts_on: BTreeMap::new() };
        for tag in &plant.tags {
            for rule in tag.conditions.iter() {
                made.add_actors(tag, rule);
            }
        }
        made.carry_to_inputs();
        made
    }

    fn add_actors(&mut self, tag: &'a Tag, rule: &ConditionRule) {
        let Some(extra) = &rule.extra else { return };
        let weight = Weight { level: Some(highest(rule)), hazard: hazard_of(self.plant, tag) };
        let suppressions = extra.suppressed_by.iter().filter_map(|name| self.plant.find_tag(tag.id.enterprise.as_str(), name));
        let modes = || Some(self.plant.equipment_of(tag)?.modes.as_ref()?.tag);
        let mode = if extra.modes.is_empty() { None } else { modes() };
        let actors = suppressions.map(|at| (at, Role::Suppression)).chain(mode.map(|at| (at, Role::Mode)));
        for (at, role) in actors {
            self.acts_on.entry(at.at()).or_insert_with(|| (role, Vec::new())).1.push((&tag.id, rule.condition));
            let known = self.weights.entry(at.at()).or_default();
            *known = known.max(weight);
        }
    }

    /// What is read bears on all that its readers bear on. Again until nothing moves: readers may themselves be read.
    fn carry_to_inputs(&mut self) {
        let readers: Vec<(usize, &Tag)> = self.plant.tags.iter().enumerate().filter(|(_, tag)| tag.calculation.is_some()).collect();
        loop {
            let mut moved = false;
            for (at, reader) in &readers {
                let own = top_level(reader).map(|level| Weight { level: Some(level), hazard: hazard_of(self.plant, reader) });
                let weight = self.weights.get(at).copied().unwrap_or_default().max(own.unwrap_or_default());
                for input in reader.calculation.iter().flat_map(|calculation| &calculation.inputs) {
                    let known = self.weights.entry(input.at()).or_default();
                    let more = known.max(weight);
                    moved |= more != *known;
                    *known = more;
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// What a tag bears on besides its own conditions; nothing where it is not in this plant.
    pub(super) fn weight(&self, tag: &TagId) -> Weight {
        let at = self.plant.tag_index(tag);
        at.and_then(|at| self.weights.get(&at.at())).copied().unwrap_or_default()
    }

    /// What a suppression or a mode is, and whether one of the alarms that it acts on is in the other plant too; none for other tags.
    pub(super) fn role(&self, tag: &TagId, other: &Plant) -> Option<(Role, bool)> {
        let (role, alarms) = self.acts_on.get(&self.plant.tag_index(tag)?.at())?;
        let is_there = |(tag, condition): &Alarm<'_>| {
            other.tag_index(tag).is_some_and(|at| other.tag(at).conditions.iter().any(|rule| rule.condition == *condition))
        };
        Some((*role, alarms.iter().any(is_there)))
    }
}

pub(super) fn hazard_of(plant: &Plant, tag: &Tag) -> Hazard {
    plant.equipment_of(tag).map_or(Hazard::None, |equipment| equipment.hazard)
}
