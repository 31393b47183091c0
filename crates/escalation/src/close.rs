//! 办结: everything that must be true before a case may be closed, and what ends with it.

use crate::record::Record;
use crate::tell::{Moment, Want};
use crate::{CLOSED_CASES_MAX, Escalation};
use model::{
    Act, Actor, BodyId, CaseEvent, CaseEventKind, CaseId, CaseStep, Condition, EscalationEffect, Purpose, Refusal, TagId, Tier, Timestamp,
    TransitionKey, ZoneId,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why a case was closed by nobody.
const WITHDRAWN: &str = "数据故障在等待期内恢复，未通知任何人 (data fault returned within its wait, nobody was told)";

impl Escalation {
    /// The tier that closes a case: by the policy of its highest level; where no body has that tier, the next above it.
    ///
    /// What only the enterprise was told of, because of a test or 待调试, the enterprise closes.
    pub(crate) fn closing_tier(&self, record: &Record) -> Tier {
        let announcements = &record.case.announcements;
        if !announcements.is_empty() && announcements.iter().all(|one| !one.audience.is_everyone()) {
            return Tier::ENTERPRISE;
        }
        let wanted = self.plant.policies.level(record.case.level).closed_by;
        let tiers: Vec<Tier> = self.plant.chain(&record.case.enterprise).map(|body| body.tier).collect();
        tiers.iter().copied().find(|tier| *tier >= wanted).or(tiers.last().copied()).unwrap_or(wanted)
    }

    /// Everything that speaks against closing.
    pub(crate) fn judge_close(&self, record: &Record, by: &Actor, shown: &[TransitionKey]) -> Vec<Refusal> {
        let mut reasons = Vec::new();
        let needed = self.closing_tier(record);
        if by.tier != needed {
            reasons.push(Refusal::WrongTier { needed });
        }
        if record.case.handled_by.contains(&by.person) {
            reasons.push(Refusal::SamePerson);
        }
        let from_check = [CaseStep::Checked, CaseStep::Handling, CaseStep::Reported, CaseStep::Reviewed];
        let steps = if record.is_short() { &from_check[..] } else { &from_check[3..] };
        reasons.extend(record.at_step(steps));
        let shown: BTreeSet<String> = shown.iter().map(TransitionKey::to_string).collect();
        for key in shown.iter().filter(|key| record.announcement(key).is_none()) {
            reasons.push(Refusal::NoSuchAnnouncement { key: key.clone() });
        }
        for at in 0..record.case.announcements.len() {
            let key = &record.work.climbs[at].key;
            if !shown.contains(key) {
                reasons.push(Refusal::NotShown { key: key.clone() });
            }
            for tier in BTreeSet::from([Tier::ENTERPRISE, needed]) {
                if !record.signed(at, tier) {
                    reasons.push(Refusal::NotSigned { tier, key: key.clone() });
                }
            }
        }
        for episode in &record.case.episodes {
            let alarm = &episode.of.alarm;
            if episode.state.is_latched() {
                reasons.push(Refusal::Latched { alarm: alarm.clone() });
            } else if episode.state.is_standing() {
                reasons.push(Refusal::AlarmStands { alarm: alarm.clone() });
            }
            // A data fault that stands has said so already.
            let said = alarm.condition.is_data_fault() && episode.state.is_standing();
            if !said && self.input_is_bad(&alarm.tag) {
                reasons.push(Refusal::InputBad { alarm: alarm.clone() });
            }
            if episode.state.needs_acknowledgement() {
                reasons.push(Refusal::NotAcknowledged { alarm: alarm.clone() });
            }
            if episode.outcome.is_none() {
                reasons.push(Refusal::NotChecked { alarm: alarm.clone() });
            }
        }
        reasons
    }

    /// Whether a tag's value is bad or silent now, by itself or with its gateway: then nobody knows whether an alarm is gone.
    fn input_is_bad(&self, tag: &TagId) -> bool {
        let stands = |tag: &TagId, condition: Condition| {
            let alarm = model::AlarmId { tag: tag.clone(), condition };
            self.alarms.get(&alarm).is_some_and(|alarm| alarm.state.is_standing())
        };
        let gateway = self.plant.tag_index(tag).and_then(|index| self.plant.gateway_of(self.plant.tag(index)));
        let gateway = gateway.map(|gateway| &self.plant.tag(gateway.tag).id);
        stands(tag, Condition::BadQuality)
            || stands(tag, Condition::Stale)
            || stands(tag, Condition::GatewayLost)
            || gateway.is_some_and(|gateway| stands(gateway, Condition::GatewayLost))
    }

    /// Closes: all obligations end, nothing unsent goes out any more, and those who were told of it hear that it is over.
    pub(crate) fn close(&mut self, id: &CaseId, act: &Act, comment: &str, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let plant = Arc::clone(&self.plant);
        let Some(record) = self.cases.get_mut(id) else { return };
        record.case.step = CaseStep::Closed;
        record.case.closed = Some(now);
        record.case.timers.clear();
        record.work.rounds.clear();
        out.push(record.did(act, now, CaseEventKind::Closed, comment));
        out.push(EscalationEffect::Supersede(id.clone()));
        if let Some(announcement) = record.head().map(|at| record.work.climbs[at].key.clone()) {
            let tiers: BTreeSet<Tier> = record.work.told.iter().map(|(tier, _)| *tier).collect();
            let want = |tier| Want { announcement: announcement.clone(), tier, purpose: Purpose::Closed, repeat: 0 };
            record.tell(&plant, Moment { at: now, delayed: false }, tiers.into_iter().map(want).collect(), out);
            record.work.rounds.clear();
        }
        self.put_away(id, out);
    }

    /// What follows when a case has been closed: its place is free for another, its light goes out.
    pub(crate) fn put_away(&mut self, id: &CaseId, out: &mut Vec<EscalationEffect>) {
        self.open.retain(|_, open| open != id);
        self.settle(id);
        let dark: Vec<(BodyId, ZoneId)> =
            self.zones.iter_mut().filter_map(|(at, zone)| zone.lit.remove(id).is_some().then(|| at.clone())).collect();
        for zone in &dark {
            self.settle_zone(zone, out);
        }
        self.keep_closed(id);
    }

    /// Keeps the newest closed cases; what falls out stays in the journal.
    fn keep_closed(&mut self, id: &CaseId) {
        self.closed.push_back(id.clone());
        while self.closed.len() > CLOSED_CASES_MAX {
            if let Some(oldest) = self.closed.pop_front() {
                self.cases.remove(&oldest);
                self.changed.insert(format!("case/{oldest}"));
            }
        }
    }
}

impl Record {
    /// Closes a case that nobody was told of and nobody touched, because all it held were data faults that returned within
    /// their wait. Return to normal never closes a case people know of; left open, this one would be a chore for every
    /// glitch of a line, with nobody to remind of it. The record keeps what happened and why it ended.
    pub(crate) fn withdraw(&mut self, now: Timestamp, out: &mut Vec<EscalationEffect>) -> bool {
        let untouched = self.case.step == CaseStep::Opened && self.case.supervised_by.is_none();
        let stands = self.case.episodes.iter().any(|episode| episode.state.is_standing());
        if !untouched || stands || !self.case.announcements.is_empty() || !self.case.timers.is_empty() {
            return false;
        }
        self.case.step = CaseStep::Closed;
        self.case.closed = Some(now);
        let event = self.event(now, CaseEventKind::Closed);
        out.push(EscalationEffect::Event(CaseEvent { comment: WITHDRAWN.to_owned(), ..event }));
        true
    }
}
