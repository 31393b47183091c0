//! State rows: what is written with every change, and how a start makes the same escalation of them again.

use crate::record::Record;
use crate::siren::Zone;
use crate::{AlarmNow, Escalation};
use model::{AlarmId, BodyId, Condition, Plant, TagId, Timestamp};
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// A state row that cannot be read: the store is damaged or of another version, and starting on it would forget people.
#[derive(Debug)]
pub struct RestoreError {
    /// Which row.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state row `{}`: {}", self.key, self.reason)
    }
}

impl std::error::Error for RestoreError {}

impl Escalation {
    /// Takes up again from the state rows of the store. What fell due between `down_since`, the last journaled `now`, and
    /// `now` is overdue: the next step runs it at once, the recipients of every missed step in one go, red first, none
    /// skipped, marked as delayed by the outage. Rows of other owners are passed over.
    pub fn restore(plant: Arc<Plant>, state: &[(String, Vec<u8>)], down_since: Timestamp, now: Timestamp) -> Result<Self, RestoreError> {
        let mut this = Self::new(plant);
        for (key, bytes) in state {
            if key.starts_with("case/") {
                let mut record: Record = read(key, bytes)?;
                if record.case.announcements.len() != record.work.climbs.len() {
                    return Err(RestoreError { key: key.clone(), reason: "announcements and climbs differ in number".to_owned() });
                }
                record.drained = record.case.timers.clone();
                this.cases.insert(record.case.id.clone(), record);
            } else if key.starts_with("input/") {
                let alarm: AlarmNow = read(key, bytes)?;
                this.alarms.insert(alarm.of.alarm.clone(), alarm);
            } else if key.starts_with("siren/") {
                let zone: Zone = read(key, bytes)?;
                this.zones.insert((zone.siren.enterprise.clone(), zone.siren.zone.clone()), zone);
            } else if let Some(enterprise) = key.strip_prefix("number/") {
                this.numbers.insert(BodyId::new(enterprise), read(key, bytes)?);
            }
        }
        this.index();
        if down_since < now {
            this.missed_until = Some(now);
        }
        Ok(this)
    }

    /// Rebuilds what follows from the cases.
    fn index(&mut self) {
        let mut closed = Vec::new();
        for (id, record) in &self.cases {
            if record.is_closed() {
                closed.push((record.case.closed, id.clone()));
            } else {
                self.open.insert((record.case.enterprise.clone(), record.case.equipment.clone()), id.clone());
            }
            if let Some(timer) = record.case.timers.first() {
                self.due.insert((timer.due, id.clone()));
                self.armed.insert(id.clone(), timer.due);
            }
        }
        closed.sort();
        self.closed = closed.into_iter().map(|(_, id)| id).collect();
    }

    /// The row of a key as it stands now; `None` where there is nothing any more.
    pub(crate) fn row(&self, key: &str) -> Option<Vec<u8>> {
        let (kind, name) = key.split_once('/')?;
        match kind {
            "case" => self.cases.get(&name.into()).map(write),
            "number" => self.numbers.get(&BodyId::new(name)).map(write),
            "siren" => {
                let (enterprise, zone) = name.split_once('/')?;
                self.zones.get(&(enterprise.into(), zone.into())).map(write)
            }
            "input" => {
                let (condition, tag) = name.split_once('@')?;
                self.alarms.get(&AlarmId { tag: TagId::parse(tag)?, condition: Condition::parse(condition)? }).map(write)
            }
            _ => None,
        }
    }
}

fn read<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, RestoreError> {
    serde_json::from_slice(bytes).map_err(|error| RestoreError { key: key.to_owned(), reason: error.to_string() })
}

fn write<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("state holds only text keys, so it has a JSON form")
}
