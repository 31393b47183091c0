//! What the pages are told of operating modes 工况 and of suppression by design 设计抑制.
//!
//! The rules decide both, from the values of calculated tags. To ask them about every condition of a county after each reading would be
//! slow, so they are asked only where one of those tags says something else than before; raises in between change only what is listed.

use super::Engine;
use console::{LiveMode, LiveSuppressed, SuppressedBy};
use model::{AlarmId, AlarmState, EquipmentIndex, Plant, Quality, ReadingRecord, TagId, TagIndex, Timestamp};
use rules::AlarmView;
use std::collections::{BTreeMap, BTreeSet};

/// A condition suppressed by design, as it was last shown.
struct Shown {
    /// None where it began before this start.
    since: Option<Timestamp>,
    by: Vec<SuppressedBy>,
}

/// What was last shown, and what may change it.
#[derive(Default)]
pub(super) struct Steering {
    /// What the calculated tags that are a mode or suppress something last said, as far as the rules hear it: the nearest whole number of
    /// a good value.
    said: BTreeMap<TagIndex, Option<Option<i64>>>,
    /// Equipment with more than one mode, its tags, and its mode as last shown.
    moded: Vec<(EquipmentIndex, Vec<TagIndex>, Option<u8>)>,
    /// The modes as last shown.
    modes: Vec<LiveMode>,
    suppressed: BTreeMap<AlarmId, Shown>,
}

impl Steering {
    pub fn of(plant: &Plant) -> Self {
        let mut steering = Self::default();
        for (place, equipment) in (0u32..).zip(&plant.equipment) {
            if let Some(modes) = &equipment.modes {
                steering.said.insert(modes.tag, None);
                steering.moded.push((EquipmentIndex(place), Vec::new(), None));
            }
        }
        for (place, tag) in (0u32..).zip(&plant.tags) {
            if let Ok(at) = steering.moded.binary_search_by_key(&tag.equipment, |(equipment, ..)| *equipment) {
                steering.moded[at].1.push(TagIndex(place));
            }
            for name in tag.conditions.iter().filter_map(|rule| rule.extra.as_ref()).flat_map(|extra| &extra.suppressed_by) {
                steering.said.extend(plant.find_tag(tag.id.enterprise.as_str(), name).map(|by| (by, None)));
            }
        }
        steering
    }

    /// Another configuration: since when something is suppressed is still known.
    pub fn reload(&mut self, plant: &Plant) {
        let suppressed = std::mem::take(&mut self.suppressed);
        *self = Self { suppressed, ..Self::of(plant) };
    }

    /// Whether a calculated tag is a mode or suppresses something, and says something else than before.
    pub fn is_news(&mut self, tag: TagIndex, record: &ReadingRecord) -> bool {
        let now = Some(record.value.filter(|_| record.quality == Quality::Good).map(|value| value.round() as i64));
        self.said.get_mut(&tag).is_some_and(|said| std::mem::replace(said, now) != now)
    }

    /// Whether one of these alarms is listed as suppressed.
    pub fn lists(&self, alarms: &BTreeSet<AlarmId>) -> bool {
        !self.suppressed.is_empty() && alarms.iter().any(|alarm| self.suppressed.contains_key(alarm))
    }
}

impl Engine {
    /// Modes and suppression by design as they are; `anew` where a mode or a suppression may have begun or ended at `at`. Alarms that are not
    /// normal and for which one did are added to `alarms`; the tags of which something else holds than was shown are given as well.
    pub(super) fn steered(&mut self, anew: bool, at: Option<Timestamp>, alarms: &mut BTreeSet<AlarmId>) -> (console::Steered, Vec<TagId>) {
        let rules = self.pipeline.alarms();
        let known = || self.steering.suppressed.keys().filter_map(|id| rules.alarm(id));
        let views: Vec<AlarmView> = if anew { rules.suppressed().collect() } else { known().collect() };
        let mut before = std::mem::take(&mut self.steering.suppressed);
        let mut restated = BTreeSet::new();
        let mut suppressed = Vec::with_capacity(views.len());
        for view in views {
            let by = self.suppressed_by(&view);
            let was = before.remove(&view.alarm);
            let since = was.as_ref().map_or(at, |was| was.since);
            if was.is_none_or(|was| was.by != by) {
                restated.insert(view.alarm.tag.clone());
                alarms.extend((view.state != AlarmState::Normal).then(|| view.alarm.clone()));
            }
            self.steering.suppressed.insert(view.alarm.clone(), Shown { since, by: by.clone() });
            let AlarmView { alarm, level, state, untold, .. } = view;
            suppressed.push(LiveSuppressed { alarm, level, state, since, untold, by });
        }
        for ended in before.into_keys() {
            restated.insert(ended.tag.clone());
            let stands = self.pipeline.alarms().alarm(&ended).is_some_and(|view| view.state != AlarmState::Normal);
            alarms.extend(stands.then_some(ended));
        }
        if anew {
            self.steering.modes = self.modes(alarms, &mut restated);
        }
        (console::Steered { modes: self.steering.modes.clone(), suppressed }, restated.into_iter().collect())
    }

    fn modes(&mut self, alarms: &mut BTreeSet<AlarmId>, restated: &mut BTreeSet<TagId>) -> Vec<LiveMode> {
        let (rules, plant) = (self.pipeline.alarms(), &self.plant);
        let mut modes = Vec::with_capacity(self.steering.moded.len());
        for (equipment, tags, shown) in &mut self.steering.moded {
            // Of its tags only those that have limits by mode follow it; the others stay in the ordinary one.
            let mode = tags.iter().map(|tag| rules.mode(*tag)).max().unwrap_or(0);
            if shown.replace(mode) != Some(mode) {
                restated.extend(tags.iter().map(|tag| plant.tag(*tag).id.clone()));
                for tag in tags.iter().map(|tag| plant.tag(*tag)) {
                    let by_mode = tag.conditions.iter().filter(|rule| rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty()));
                    let ids = by_mode.map(|rule| AlarmId { tag: tag.id.clone(), condition: rule.condition });
                    alarms.extend(ids.filter(|id| rules.alarm(id).is_some_and(|view| view.state != AlarmState::Normal)));
                }
            }
            let of = &plant.equipment[equipment.at()];
            modes.push(LiveMode { enterprise: of.enterprise.clone(), equipment: of.id.clone(), mode });
        }
        modes
    }

    /// What suppresses an alarm by design, found as the rules find it: a mode without a limit for it, and calculated tags that are 1.
    pub(super) fn suppressed_by(&self, view: &AlarmView) -> Vec<SuppressedBy> {
        let tag = self.plant.tag(view.tag);
        let Some(extra) = tag.rule(view.alarm.condition).and_then(|rule| rule.extra.as_ref()).filter(|_| view.suppressed) else {
            return Vec::new();
        };
        let rules = self.pipeline.alarms();
        let mode = rules.mode(view.tag);
        let names = self.plant.equipment_of(tag).and_then(|equipment| equipment.modes.as_ref()).map(|modes| &modes.names);
        let name = names.and_then(|names| names.get(usize::from(mode)));
        let by_mode = name.filter(|_| extra.modes.iter().any(|limit| limit.mode == mode && limit.limit.is_none()));
        let by_tag = extra.suppressed_by.iter().filter_map(|name| self.plant.find_tag(tag.id.enterprise.as_str(), name)).filter(|by| {
            let newest = rules.newest(*by).filter(|newest| newest.quality == Quality::Good);
            newest.and_then(|newest| newest.value).is_some_and(|value| value >= 0.5)
        });
        let by_tag = by_tag.map(|by| SuppressedBy::Tag(self.plant.tag(by).id.clone()));
        by_mode.cloned().map(SuppressedBy::Mode).into_iter().chain(by_tag).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_county() -> Plant {
        config::load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"))).expect("the sample county").plant
    }

    fn record(value: f64) -> ReadingRecord {
        let at = Timestamp::from_secs(1);
        ReadingRecord { value: Some(value), quality: Quality::Good, source_time: at, receive_time: at, sequence: None }
    }

    #[test]
    fn the_rules_are_asked_again_only_where_a_mode_or_a_suppressing_tag_says_something_else() {
        let plant = sample_county();
        let tripped = plant.find_tag("bixi", "C-301停机").expect("the compressor's suppression");
        let mode = plant.equipment.iter().find_map(|equipment| equipment.modes.as_ref()).expect("an equipment with modes").tag;
        let mut steering = Steering::of(&plant);
        for tag in [tripped, mode] {
            assert!(steering.is_news(tag, &record(0.0)), "the first value");
            assert!(!steering.is_news(tag, &record(0.0)) && !steering.is_news(tag, &record(0.02)), "the same again");
            assert!(steering.is_news(tag, &record(1.0)));
            let unknown = ReadingRecord { quality: Quality::Bad, ..record(1.0) };
            assert!(steering.is_news(tag, &unknown), "a bad value suppresses nothing");
        }
        let measured = plant.find_tag("bixi", "TIA-301").expect("what the suppression is calculated from");
        assert!(!steering.is_news(measured, &record(20.0)), "nothing hangs on it but through a calculated tag");
    }

    #[test]
    fn the_tags_of_an_equipment_with_modes_are_restated_with_it_and_no_others() {
        let plant = sample_county();
        let steering = Steering::of(&plant);
        assert!(!steering.moded.is_empty());
        for (equipment, tags, _) in &steering.moded {
            assert_eq!(tags.len(), plant.tags.iter().filter(|tag| tag.equipment == *equipment).count());
        }
    }
}
