//! What many tags say alike is kept once: data sheets, lists of conditions, and the terms of those whose limits differ.
//!
//! A list of a hundred thousand tags has some hundreds of different sheets. They are shared as soon as a tag is made, not at the end:
//! what is freed between things that stay leaves holes that nobody can use.

use model::Shared;
use model::plant::{ConditionRule, DataSheet, Tag, Terms};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// All that was said so far.
#[derive(Default)]
pub(crate) struct Alike {
    sheets: Kept<DataSheet>,
    conditions: Kept<Vec<ConditionRule>>,
    terms: Kept<Terms>,
}

impl Alike {
    /// Lets a tag share what another one says too. Of what it shares already nothing is looked at.
    pub fn keep(&mut self, tag: &mut Tag) {
        self.sheets.keep(&mut tag.sheet, hash_sheet, |_| {});
        let terms = &mut self.terms;
        self.conditions.keep(
            &mut tag.conditions,
            |rules, hash| hash_rules(rules, hash),
            |rules| {
                rules.shrink_to_fit();
                rules.iter_mut().for_each(|rule| terms.keep(&mut rule.terms, hash_terms, |_| {}));
            },
        );
    }
}

/// Values by the hash of most of what they hold.
struct Kept<T>(HashMap<u64, Vec<Shared<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + PartialEq> Kept<T> {
    /// Makes `one` that which was kept of the same, or keeps it as it is `made` to stay.
    fn keep(&mut self, one: &mut Shared<T>, hash: impl FnOnce(&T, &mut DefaultHasher), made: impl FnOnce(&mut T)) {
        // What was kept is held here too.
        if Shared::has_others(one) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        hash(one, &mut hasher);
        let kept = self.0.entry(hasher.finish()).or_default();
        match kept.iter().find(|other| *other == one) {
            Some(other) => *one = other.clone(),
            None => {
                made(one);
                kept.push(one.clone());
            }
        }
    }
}

fn hash_sheet(sheet: &DataSheet, hash: &mut DefaultHasher) {
    let DataSheet { signal, unit, decimals, range, zone, medium, sample_interval, stale_after, interlock, basis, in_service, .. } = sheet;
    (signal, unit, decimals, zone, medium, sample_interval, stale_after, basis, in_service).hash(hash);
    (range.map(|(low, high)| (low.to_bits(), high.to_bits())), interlock.map(f64::to_bits), sheet.warm_up).hash(hash);
    sheet.calculation.as_ref().map(|calculation| &calculation.text).hash(hash);
}

fn hash_rules(rules: &[ConditionRule], hash: &mut DefaultHasher) {
    for rule in rules {
        (rule.setpoint.to_bits(), rule.deadband.to_bits()).hash(hash);
        hash_terms(&rule.terms, hash);
    }
}

fn hash_terms(terms: &Terms, hash: &mut DefaultHasher) {
    (terms.condition, terms.on_delay, terms.off_delay, terms.level, terms.siren).hash(hash);
}
