//! What many tags say alike is kept once: data sheets and lists of conditions.
//!
//! A list of a hundred thousand tags has some hundreds of different sheets. They are shared as soon as a tag is made, not at the end:
//! what is freed between things that stay leaves holes that nobody can use.

use model::Shared;
use model::plant::{ConditionRule, DataSheet, Tag};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// All that was said so far.
#[derive(Default)]
pub(crate) struct Alike {
    sheets: Kept<DataSheet>,
    conditions: Kept<Vec<ConditionRule>>,
}

impl Alike {
    /// Lets a tag share what another one says too. Of what it shares already nothing is looked at.
    pub fn keep(&mut self, tag: &mut Tag) {
        if !Shared::has_others(&tag.conditions) {
            tag.conditions.shrink_to_fit();
        }
        self.sheets.keep(&mut tag.sheet, hash_sheet);
        self.conditions.keep(&mut tag.conditions, |rules, hash| rules.iter().for_each(|rule| hash_rule(rule, hash)));
    }
}

/// Values by the hash of most of what they hold.
struct Kept<T>(HashMap<u64, Vec<Shared<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: PartialEq> Kept<T> {
    fn keep(&mut self, one: &mut Shared<T>, hash: impl FnOnce(&T, &mut DefaultHasher)) {
        // What was kept is held here too.
        if Shared::has_others(one) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        hash(one, &mut hasher);
        let kept = self.0.entry(hasher.finish()).or_default();
        match kept.iter().find(|other| *other == one) {
            Some(other) => *one = other.clone(),
            None => kept.push(one.clone()),
        }
    }
}

fn hash_sheet(sheet: &DataSheet, hash: &mut DefaultHasher) {
    let DataSheet { signal, unit, decimals, range, zone, medium, sample_interval, stale_after, interlock, basis, in_service, .. } = sheet;
    (signal, unit, decimals, zone, medium, sample_interval, stale_after, basis, in_service).hash(hash);
    (range.map(|(low, high)| (low.to_bits(), high.to_bits())), interlock.map(f64::to_bits), sheet.warm_up).hash(hash);
    sheet.calculation.as_ref().map(|calculation| &calculation.text).hash(hash);
}

fn hash_rule(rule: &ConditionRule, hash: &mut DefaultHasher) {
    (rule.condition, rule.setpoint.to_bits(), rule.deadband.to_bits(), rule.on_delay, rule.off_delay, rule.level).hash(hash);
}
