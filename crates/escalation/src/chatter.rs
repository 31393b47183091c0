//! Chattering, floods and first-out: what the number and order of alarms say. All are found, shown and counted; none
//! acknowledges, ends or hides an alarm.

use crate::Escalation;
use crate::alarms::Heard;
use crate::beside::{Wake, noted};
use model::{AlarmId, BesideEventKind, BodyId, Change, Condition, EquipmentId, EscalationEffect, Timestamp, Transition, bounds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// The newest raises of one alarm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chatter {
    /// On the tag's time, as many as decide.
    raises: VecDeque<Timestamp>,
    /// It chatters since.
    pub since: Option<Timestamp>,
    /// Raises since it began to.
    pub count: u32,
    /// When it counts as calm.
    pub calm: Timestamp,
}

/// The newest announcements of one enterprise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Starts {
    /// When, as many as decide.
    times: VecDeque<Timestamp>,
    /// A flood since.
    pub flood_since: Option<Timestamp>,
    /// Announcements in it.
    pub flood_count: u32,
}

impl Starts {
    /// The oldest announcement that counts.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.times.front().copied()
    }
}

/// The present disturbance of one equipment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FirstOut {
    /// What it began with.
    pub alarm: AlarmId,
    /// On the tag's time.
    raised_at: Timestamp,
    /// Another one followed, so that it matters which was first.
    followed: bool,
    /// What stands of it.
    #[serde(skip)]
    pub standing: BTreeSet<AlarmId>,
}

impl Escalation {
    /// Takes a transition into account.
    pub(crate) fn observe(&mut self, transition: &Transition, now: Timestamp, heard: &mut Heard, out: &mut Vec<EscalationEffect>) {
        if transition.change == Change::Raised {
            self.raised(transition, now, out);
            let id = &transition.key.alarm;
            if !self.proven.contains_key(id) {
                self.proven.insert(id.clone(), transition.at);
                self.changed.insert(format!("proven/{id}"));
            }
        }
        if tells_a_cause(transition.key.alarm.condition) {
            self.order(transition, now, heard, out);
        }
    }

    fn raised(&mut self, transition: &Transition, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let id = &transition.key.alarm;
        let policy = &self.plant.policies.beside;
        let needed = (policy.chattering_raises.max(2) as usize).min(bounds::RAISES_KEPT_MAX);
        let one = self.chatters.entry(id.clone()).or_default();
        one.raises.push_back(transition.at);
        if one.raises.len() > needed {
            one.raises.pop_front();
        }
        // Stragglers may come in any order: what counts is the time between the oldest and the newest of them.
        let (oldest, newest) = (one.raises.iter().min(), one.raises.iter().max());
        let dense = oldest.zip(newest).is_some_and(|(oldest, newest)| newest.since(*oldest) <= policy.chattering_within);
        one.calm = now + policy.chattering_calm.max(policy.chattering_within);
        if one.since.is_some() {
            one.count += 1;
            out.push(EscalationEffect::Marked(id.clone()));
        } else if one.raises.len() == needed && dense {
            one.since = Some(now);
            one.count = needed as u32;
            out.push(noted(now, BesideEventKind::ChatteringBegan { alarm: id.clone(), count: one.count }));
            out.push(EscalationEffect::Marked(id.clone()));
        }
        self.wakes.set(Wake::Chattering(id.clone()), Some(one.calm));
        self.changed.insert(format!("chatter/{id}"));
    }

    /// No raise for long enough.
    pub(crate) fn calmed(&mut self, id: &AlarmId, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(one) = self.chatters.remove(id) else { return };
        self.changed.insert(format!("chatter/{id}"));
        if one.since.is_some() {
            out.push(noted(now, BesideEventKind::ChatteringEnded { alarm: id.clone(), count: one.count }));
            out.push(EscalationEffect::Marked(id.clone()));
        }
    }

    /// An announcement the operators of an enterprise have to read.
    pub(crate) fn started(&mut self, enterprise: &BodyId, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let (begins, _) = self.flood_bounds(enterprise, now);
        let starts = self.starts.entry(enterprise.clone()).or_default();
        starts.times.push_back(now);
        while starts.times.len() > begins + 1 {
            starts.times.pop_front();
        }
        let within = self.plant.policies.beside.flood_within;
        while starts.times.front().is_some_and(|first| *first + within <= now) {
            starts.times.pop_front();
        }
        if starts.flood_since.is_some() {
            starts.flood_count += 1;
        } else if starts.times.len() > begins {
            starts.flood_since = Some(now);
            starts.flood_count = starts.times.len() as u32;
            out.push(noted(now, BesideEventKind::FloodBegan { enterprise: enterprise.clone(), count: starts.flood_count }));
        }
        let oldest = starts.times.front().map(|first| *first + within);
        self.wakes.set(Wake::Flood(enterprise.clone()), oldest);
        self.changed.insert(format!("flood/{enterprise}"));
    }

    /// The oldest announcement no longer counts.
    pub(crate) fn flood_grows_old(&mut self, enterprise: &BodyId, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let (_, ends) = self.flood_bounds(enterprise, now);
        let within = self.plant.policies.beside.flood_within;
        let Some(starts) = self.starts.get_mut(enterprise) else { return };
        starts.times.retain(|time| *time + within > now);
        if starts.flood_since.is_some() && starts.times.len() < ends {
            let count = std::mem::take(&mut starts.flood_count);
            starts.flood_since = None;
            out.push(noted(now, BesideEventKind::FloodEnded { enterprise: enterprise.clone(), count }));
        }
        let oldest = starts.times.front().map(|first| *first + within);
        if oldest.is_none() && starts.flood_since.is_none() {
            self.starts.remove(enterprise);
        }
        self.wakes.set(Wake::Flood(enterprise.clone()), oldest);
        self.changed.insert(format!("flood/{enterprise}"));
    }

    /// A flood begins above and ends below so many announcements, by the operators on duty.
    fn flood_bounds(&self, enterprise: &BodyId, now: Timestamp) -> (usize, usize) {
        let on_duty = self.plant.body(enterprise).map_or(1, |body| self.plant.on_duty(body, now).len().max(1));
        let policy = &self.plant.policies.beside;
        let begins = (policy.flood_starts_above as usize).saturating_mul(on_duty).clamp(1, bounds::RAISES_KEPT_MAX);
        (begins, (policy.flood_ends_below as usize).saturating_mul(on_duty).clamp(1, begins))
    }

    /// Keeps which alarm of an equipment came first, by the tags' own time.
    fn order(&mut self, transition: &Transition, now: Timestamp, heard: &mut Heard, out: &mut Vec<EscalationEffect>) {
        let id = &transition.key.alarm;
        let place = (id.tag.enterprise.clone(), self.place(&id.tag));
        if !transition.to.is_standing() {
            if let Some(first) = self.firsts.get_mut(&place) {
                first.standing.remove(id);
                if first.standing.is_empty() {
                    self.firsts.remove(&place);
                    self.changed.insert(first_key(&place));
                }
            }
            return;
        }
        let raised = transition.change == Change::Raised;
        let first = self.firsts.entry(place.clone()).or_insert_with(|| FirstOut {
            alarm: id.clone(),
            raised_at: transition.at,
            followed: false,
            standing: BTreeSet::new(),
        });
        let joins = first.standing.insert(id.clone()) && raised;
        let others = first.standing.iter().any(|other| *other != first.alarm) || first.followed;
        let earlier = joins && transition.at < first.raised_at;
        if earlier {
            out.push(EscalationEffect::Marked(std::mem::replace(&mut first.alarm, id.clone())));
            first.raised_at = transition.at;
        }
        if others && (earlier || !first.followed) {
            first.followed = true;
            let what = BesideEventKind::FirstOut { alarm: first.alarm.clone(), raised_at: first.raised_at };
            out.push(noted(now, what));
            out.push(EscalationEffect::Marked(first.alarm.clone()));
        }
        if joins {
            heard.ordered.insert(place.clone());
            self.changed.insert(first_key(&place));
        }
    }

    /// A case says which alarm its disturbance began with.
    pub(crate) fn name_first_out(&mut self, place: &(BodyId, EquipmentId), heard: &mut Heard) {
        let Some(first) = self.firsts.get(place).filter(|first| first.followed) else { return };
        let Some(case) = self.open.get(place) else { return };
        let Some(record) = self.cases.get_mut(case) else { return };
        let settled = record.case.first_out.as_ref().is_some_and(|alarm| !first.standing.contains(alarm));
        if !settled && record.case.first_out.as_ref() != Some(&first.alarm) {
            record.case.first_out = Some(first.alarm.clone());
            heard.wants.entry(case.clone()).or_default();
        }
    }

    /// Whether a disturbance of more than one alarm began with this one.
    pub(crate) fn is_first_out(&self, alarm: &AlarmId) -> bool {
        let place = (alarm.tag.enterprise.clone(), self.place(&alarm.tag));
        self.firsts.get(&place).is_some_and(|first| first.followed && first.alarm == *alarm)
    }
}

/// The row of an equipment's disturbance.
pub(crate) fn first_key(place: &(BodyId, EquipmentId)) -> String {
    format!("first/{}/{}", place.0, place.1)
}

/// Whether a condition can be what a disturbance began with: the process, not its data and not the engine.
pub(crate) const fn tells_a_cause(condition: Condition) -> bool {
    !condition.is_data_fault() && !matches!(condition, Condition::Inhibited | Condition::System)
}
