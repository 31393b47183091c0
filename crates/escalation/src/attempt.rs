//! What became of a message: reached, or the next channel, or the duty phone, or the next tier at once.

use crate::record::{Record, RoundPerson};
use crate::tell::{Moment, Want, climbs, kind_of, next_channel};
use model::plant::ChannelKind;
use model::{
    Attempt, AttemptResult, Audience, CaseEvent, CaseEventKind, CaseStep, ChannelId, EscalationEffect, Plant, Purpose, Tier, Timestamp,
};

impl Record {
    /// Takes one result of one message of this case and says whether it changed anything: one of a round already replaced
    /// does not.
    pub fn attempt(&mut self, plant: &Plant, attempt: &Attempt, now: Timestamp, out: &mut Vec<EscalationEffect>) -> bool {
        let Some(at) = self.round_of(&attempt.key).filter(|_| !self.is_closed()) else { return false };
        let channel = &attempt.key.channel;
        let round = &mut self.work.rounds[at];
        let Some(person) = round.people.iter().position(|other| other.person == attempt.key.recipient) else { return false };
        let Some(tried) = round.people[person].tried.iter().position(|(other, _)| other == channel) else { return false };
        let has_receipts = plant.channel(channel).is_some_and(|channel| channel.has_receipts);
        match attempt.result {
            AttemptResult::Retrying => false,
            AttemptResult::Accepted if has_receipts => false,
            AttemptResult::Accepted | AttemptResult::Delivered => {
                let counts = round.platform_only || kind_of(plant, channel) != Some(ChannelKind::Platform);
                if counts {
                    self.reached(plant, at, now, out);
                }
                counts
            }
            AttemptResult::Failed => {
                round.people[person].tried[tried].1 = true;
                self.next_way(plant, at, person, now, out);
                true
            }
        }
    }

    /// Somebody of the round's tier was reached.
    fn reached(&mut self, plant: &Plant, round: usize, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let round = &mut self.work.rounds[round];
        round.reached = true;
        let tier = round.tier;
        if !climbs(round.purpose) {
            return;
        }
        let keys: Vec<String> = std::iter::once(&round.announcement).chain(&round.covers).cloned().collect();
        for at in keys.iter().filter_map(|key| self.announcement(key)).collect::<Vec<_>>() {
            self.set_told(plant, at, tier, now);
        }
        let Some(progress) = self.tier(plant, tier) else { return };
        if progress.reached.replace(progress.reached.unwrap_or(now)).is_none() {
            if tier == Tier::ENTERPRISE && self.case.step == CaseStep::Opened {
                self.case.step = CaseStep::Notified;
            }
            out.push(EscalationEffect::Event(CaseEvent { tier: Some(tier), ..self.event(now, CaseEventKind::Reached) }));
        }
    }

    /// A channel of a person failed for good: their next one, then the duty phone, then the tier is passed.
    fn next_way(&mut self, plant: &Plant, at: usize, person: usize, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(announcement) = self.announcement(&self.work.rounds[at].announcement) else { return };
        let (tier, purpose) = (self.work.rounds[at].tier, self.work.rounds[at].purpose);
        if self.signed(announcement, tier) && matches!(purpose, Purpose::Announce | Purpose::Passed | Purpose::Remind) {
            return;
        }
        let barred = self.barred(announcement, tier, purpose);
        self.other_channels(plant, at, person, barred, now, out);
        if self.work.rounds[at].people.iter().any(|person| self.hopeful(plant, at, person)) {
            return;
        }
        // 待调试 pages its integrator and nobody else.
        if self.case.announcements[announcement].audience == Audience::Integrator {
            return;
        }
        let Some(body) = plant.responsible_body(&self.case.enterprise, tier) else { return };
        if !self.work.rounds[at].people.iter().any(|person| person.person == body.duty_phone) {
            let duty_phone = body.duty_phone.clone();
            let channels = self.channels_for(plant, &self.work.rounds[at], &duty_phone, now);
            for channel in &channels {
                out.extend(self.message_again(&self.work.rounds[at], &duty_phone, channel, now).map(EscalationEffect::Notify));
            }
            let tried = channels.into_iter().map(|channel| (channel, false)).collect();
            if climbs(purpose) {
                self.work.told.insert((tier, duty_phone.clone()));
            }
            self.work.rounds[at].people.push(RoundPerson { person: duty_phone, tried });
            let joined = self.work.rounds[at].people.len() - 1;
            self.other_channels(plant, at, joined, barred, now, out);
            if self.hopeful(plant, at, &self.work.rounds[at].people[joined]) {
                return;
            }
        }
        let round = &self.work.rounds[at];
        let keys: Vec<String> = std::iter::once(&round.announcement).chain(&round.covers).cloned().collect();
        let reached_before = self.work.rounds.iter().any(|other| {
            other.reached && other.tier == tier && keys.iter().any(|key| other.announcement == *key || other.covers.contains(key))
        });
        if climbs(purpose) && !reached_before {
            let mut wants: Vec<Want> = Vec::new();
            self.pass(plant, &keys, tier, now, &mut wants, out);
            self.tell(plant, Moment { at: now, delayed: false }, wants, out);
        }
    }

    /// Tries a person's remaining channels, one at a time, until one may still get through.
    fn other_channels(
        &mut self,
        plant: &Plant,
        at: usize,
        person: usize,
        barred: Option<ChannelKind>,
        now: Timestamp,
        out: &mut Vec<EscalationEffect>,
    ) {
        while !self.hopeful(plant, at, &self.work.rounds[at].people[person]) {
            let to = &self.work.rounds[at].people[person];
            let Some(channel) = next_channel(plant, &to.person, &to.tried, barred) else { return };
            out.extend(self.message_again(&self.work.rounds[at], &to.person, &channel, now).map(EscalationEffect::Notify));
            self.work.rounds[at].people[person].tried.push((channel, false));
        }
    }

    fn hopeful(&self, plant: &Plant, at: usize, person: &RoundPerson) -> bool {
        let platform_only = self.work.rounds[at].platform_only;
        person.hopeful(|channel: &ChannelId| platform_only || kind_of(plant, channel).is_some_and(|kind| kind != ChannelKind::Platform))
    }
}
