//! On-site sirens 现场声光: which zones are wanted to sound and to shine.
//!
//! A siren follows the alarm, not the message: it is wanted from the announcement until no alarm that sounds it stands, or
//! a named person at the enterprise resets it. The light stays until the case is closed. Sending the state again and again
//! until the device agrees is the notifier's work.

use model::{AlarmId, BodyId, CaseId, Level, Siren, ZoneId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Zone {
    /// The state wanted.
    pub siren: Siren,
    /// Standing alarms that sound it, not reset since their announcement, with their levels.
    #[serde(with = "pairs")]
    pub sounding: BTreeMap<AlarmId, Level>,
    /// Open cases that lit it, with the level at which they did.
    #[serde(with = "pairs")]
    pub lit: BTreeMap<CaseId, Level>,
}

/// JSON object keys must be text, alarm ids are not: a map is kept as a list of pairs.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }
    pub fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Zone {
    /// A zone never used before: silent and dark.
    pub fn new(enterprise: BodyId, zone: ZoneId) -> Self {
        let siren = Siren { enterprise, zone, sound: false, light: false, version: 0, level: None };
        Self { siren, sounding: BTreeMap::new(), lit: BTreeMap::new() }
    }

    /// An alarm of a case is announced here.
    pub fn sound(&mut self, alarm: &AlarmId, case: &CaseId, level: Level) {
        let sounding = self.sounding.entry(alarm.clone()).or_insert(level);
        *sounding = level.max(*sounding);
        let lit = self.lit.entry(case.clone()).or_insert(level);
        *lit = level.max(*lit);
    }

    /// The wanted state that follows, with the next version if it differs from before.
    pub fn settle(&mut self) -> Option<Siren> {
        let wanted = Siren {
            sound: !self.sounding.is_empty(),
            light: !self.sounding.is_empty() || !self.lit.is_empty(),
            level: self.sounding.values().chain(self.lit.values()).max().copied(),
            ..self.siren.clone()
        };
        if wanted == self.siren {
            return None;
        }
        self.siren = Siren { version: self.siren.version + 1, ..wanted };
        Some(self.siren.clone())
    }
}
