//! The content hash of rules and limits, which every transition names.
//!
//! It covers what decides: conditions, what they stand on, and policies. Names, people and channels are left out: a new
//! colleague is not a new rule.

use model::plant::Plant;
use model::{Condition, RuleVersion};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Hex digits of the hash that are kept; enough to tell any two versions of one site apart.
const DIGITS: usize = 16;

#[derive(Serialize)]
struct Content<'a> {
    tag: String,
    signal: model::Signal,
    unit: &'a str,
    range: Option<(f64, f64)>,
    equipment: &'a str,
    area: bool,
    hazard: model::Hazard,
    gateway: Option<&'a str>,
    sample_interval: model::Duration,
    stale_after: model::Duration,
    in_service: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_up: Option<model::Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calculation: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    modes: &'a [String],
    conditions: &'a [model::plant::ConditionRule],
}

/// A hash, and the room for one value's JSON: a hash of every few bytes by themselves costs more than the bytes.
struct Hash(Sha256, Vec<u8>);

impl Hash {
    fn add(&mut self, value: &impl Serialize) {
        self.1.clear();
        serde_json::to_writer(&mut self.1, value).expect("plain data always has a JSON form, and memory takes any bytes");
        self.1.push(b'\n');
        self.0.update(&self.1);
    }
}

/// The version of a plant.
pub(crate) fn of(plant: &Plant) -> RuleVersion {
    let mut hash = Hash(Sha256::new(), Vec::new());
    hash.add(&plant.policies);
    hash.add(&Condition::ALL);
    for tag in &plant.tags {
        let equipment = &plant.equipment[tag.equipment.at()];
        hash.add(&Content {
            tag: tag.id.to_string(),
            signal: tag.signal,
            unit: &tag.unit,
            range: tag.range,
            equipment: equipment.id.as_str(),
            area: equipment.is_area,
            hazard: equipment.hazard,
            gateway: plant.gateway_of(tag).map(|gateway| gateway.id.as_str()),
            sample_interval: tag.sample_interval,
            stale_after: tag.stale_after,
            in_service: tag.in_service,
            warm_up: (tag.warm_up > model::Duration::ZERO).then_some(tag.warm_up),
            calculation: tag.calculation.as_ref().map(|calculation| calculation.text.as_str()),
            modes: equipment.modes.as_ref().map_or(&[], |modes| &modes.names),
            conditions: &tag.conditions,
        });
    }
    let hex: String = hash.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    RuleVersion::new(&hex[..DIGITS])
}
