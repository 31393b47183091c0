//! State rows: what is written with every change, and how a start makes the same escalation of them again.

use crate::beside::Wake;
use crate::chatter::tells_a_cause;
use crate::record::Record;
use crate::siren::Zone;
use crate::{AlarmNow, Escalation};
use model::{AlarmId, BodyId, Condition, Plant, TagId, Timestamp, Window};
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
        let mut this = Self::empty(plant);
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
            } else if key.starts_with("window/") {
                let window: Window = read(key, bytes)?;
                this.windows.insert(window.id.clone(), window);
            } else if let Some(alarm) = key.strip_prefix("proven/") {
                let alarm = alarm_of(alarm).ok_or_else(|| unnamed(key))?;
                this.proven.insert(alarm, read(key, bytes)?);
            } else if let Some(alarm) = key.strip_prefix("chatter/") {
                let alarm = alarm_of(alarm).ok_or_else(|| unnamed(key))?;
                this.chatters.insert(alarm, read(key, bytes)?);
            } else if let Some(enterprise) = key.strip_prefix("flood/") {
                this.starts.insert(BodyId::new(enterprise), read(key, bytes)?);
            } else if let Some(place) = key.strip_prefix("first/") {
                let (enterprise, equipment) = place.split_once('/').ok_or_else(|| unnamed(key))?;
                this.firsts.insert((enterprise.into(), equipment.into()), read(key, bytes)?);
            }
        }
        this.index();
        this.index_beside(down_since);
        this.unreviewed = Some(now);
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
            self.due.set(id.clone(), record.case.timers.first().map(|timer| timer.due));
        }
        closed.sort();
        self.closed = closed.into_iter().map(|(_, id)| id).collect();
    }

    /// Rebuilds the deadlines of what stands beside the cases, and what stands of each disturbance.
    fn index_beside(&mut self, down_since: Timestamp) {
        let windows = self.windows.values().map(|window| (Wake::Window(window.id.clone()), window.until));
        let alarms = self.alarms.iter().filter_map(|(id, alarm)| Some((Wake::Acknowledgement(id.clone()), alarm.acknowledged_until?)));
        let chatters = self.chatters.iter().map(|(id, one)| (Wake::Chattering(id.clone()), one.calm));
        let within = self.plant.policies.beside.flood_within;
        let floods = self.starts.iter().map(|(id, one)| (Wake::Flood(id.clone()), one.oldest().map_or(down_since, |at| at + within)));
        let wakes: Vec<(Wake, Timestamp)> = windows.chain(alarms).chain(chatters).chain(floods).collect();
        for (wake, due) in wakes {
            self.wakes.set(wake, Some(due));
        }
        self.arm_commissioning(Some(down_since));
        let standing = self.alarms.iter().filter(|(id, alarm)| alarm.state.is_standing() && tells_a_cause(id.condition));
        for id in standing.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            let place = (id.tag.enterprise.clone(), self.place(&id.tag));
            if let Some(first) = self.firsts.get_mut(&place) {
                first.standing.insert(id);
            }
        }
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
            "input" => self.alarms.get(&alarm_of(name)?).map(write),
            "window" => self.windows.get(&name.into()).map(write),
            "proven" => self.proven.get(&alarm_of(name)?).map(write),
            "chatter" => self.chatters.get(&alarm_of(name)?).map(write),
            "flood" => self.starts.get(&BodyId::new(name)).map(write),
            "first" => {
                let (enterprise, equipment) = name.split_once('/')?;
                self.firsts.get(&(enterprise.into(), equipment.into())).map(write)
            }
            _ => None,
        }
    }
}

/// Reads what [`AlarmId`] writes.
fn alarm_of(text: &str) -> Option<AlarmId> {
    let (condition, tag) = text.split_once('@')?;
    Some(AlarmId { tag: TagId::parse(tag)?, condition: Condition::parse(condition)? })
}

fn unnamed(key: &str) -> RestoreError {
    RestoreError { key: key.to_owned(), reason: "the key names nothing known".to_owned() }
}

fn read<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, RestoreError> {
    serde_json::from_slice(bytes).map_err(|error| RestoreError { key: key.to_owned(), reason: error.to_string() })
}

fn write<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("state holds only text keys, so it has a JSON form")
}
