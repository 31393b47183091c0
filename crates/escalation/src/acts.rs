//! What people may do to a case, and what it does.
//!
//! An act is judged whole before anything changes: a refused one says every reason and leaves no trace. It covers exactly
//! the announcements or episodes its sender was shown. Acknowledging and releasing a latch are recorded here; the alarm's
//! state is the rules' business and comes back as their transitions.

use crate::Escalation;
use crate::record::Record;
use crate::tell::{Moment, Want};
use model::plant::Body;
use model::{
    Act, ActAnswer, ActKind, Actor, AlarmId, AlarmState, BodyId, CaseEvent, CaseEventKind, CaseId, CaseStep, EpisodeRef, EscalationEffect,
    FieldCheck, Level, Outcome, PersonId, Plant, Purpose, Refusal, Signature, Tier, Timestamp, TransitionKey, ZoneId, bounds,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Escalation {
    /// Judges an act, does it if nothing speaks against it, and answers.
    pub(crate) fn act(&mut self, act: &Act, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let mut reasons: Vec<Refusal> = Vec::new();
        for reason in self.judge(&act.by, &act.what, now) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let answer = if reasons.is_empty() {
            self.apply(act, now, out);
            ActAnswer::Done { now }
        } else {
            ActAnswer::Refused { now, reasons }
        };
        out.push(EscalationEffect::Answer(act.id.clone(), answer));
    }

    /// The names of the acts this actor could do on the case now, in the order of the work.
    pub fn may(&self, case: &CaseId, actor: &Actor) -> Vec<&'static str> {
        let Some(record) = self.cases.get(case).filter(|record| !record.is_closed()) else { return Vec::new() };
        let (case, comment) = (case.clone(), "-".to_owned());
        let announcements: Vec<TransitionKey> = record.case.announcements.iter().map(|one| one.key.clone()).collect();
        let unsigned = record.case.announcements.iter().filter(|one| !one.signed.iter().any(|signature| signature.tier == actor.tier));
        let unsigned: Vec<TransitionKey> = unsigned.map(|one| one.key.clone()).collect();
        let episodes = |wanted: &dyn Fn(AlarmState) -> bool| -> Vec<EpisodeRef> {
            record.case.episodes.iter().filter(|episode| wanted(episode.state)).map(|episode| episode.of.clone()).collect()
        };
        // A field check is the actor's to name, so the button shows wherever one would do.
        let field = record.case.episodes.first().map(|_| FieldCheck { person: actor.person.clone(), at: Timestamp::MIN, reading: 0.0 });
        let acts = [
            ActKind::Acknowledge { episodes: episodes(&AlarmState::needs_acknowledgement) },
            ActKind::Accept { case: case.clone(), announcements: unsigned },
            ActKind::Check { case: case.clone(), episodes: episodes(&|_| true), outcome: Outcome::Real, field, comment: comment.clone() },
            ActKind::Handle { case: case.clone(), comment: comment.clone() },
            ActKind::Report { case: case.clone(), comment: comment.clone() },
            ActKind::Review { case: case.clone(), comment: comment.clone() },
            ActKind::Return { case: case.clone(), comment: comment.clone() },
            ActKind::Close { case: case.clone(), announcements, comment: comment.clone() },
            ActKind::Remind { case: case.clone(), comment: comment.clone() },
            ActKind::Supervise { case, comment },
        ];
        // Whether the person is known matters where one is named by hand, not for a button.
        let allowed = |act: &&ActKind| self.judge(actor, act, Timestamp::MAX).iter().all(|reason| *reason == Refusal::NoSuchPerson);
        acts.iter().filter(allowed).map(ActKind::name).collect()
    }

    /// Everything that speaks against an act.
    fn judge(&self, by: &Actor, what: &ActKind, now: Timestamp) -> Vec<Refusal> {
        match what {
            ActKind::Silence { .. } => Vec::new(),
            ActKind::Acknowledge { episodes } => self.judge_acknowledge(by, episodes),
            ActKind::ResetSiren { enterprise, zone } => self.judge_reset(by, enterprise, zone),
            ActKind::Accept { case, announcements } => self.on_case(by, case, |record, _| record.judge_shown(announcements)),
            ActKind::Check { case, episodes, outcome, field, .. } => self.on_case(by, case, |record, reasons| {
                require_tier(by, Tier::ENTERPRISE, reasons);
                record.judge_check(&self.plant, episodes, *outcome, field.as_ref(), now)
            }),
            ActKind::Handle { case, comment } => self.on_case(by, case, |record, reasons| {
                require_tier(by, Tier::ENTERPRISE, reasons);
                require_comment(comment, reasons);
                record.at_step(&[CaseStep::Checked, CaseStep::Handling, CaseStep::Returned])
            }),
            ActKind::Report { case, comment } => self.on_case(by, case, |record, reasons| {
                require_tier(by, Tier::ENTERPRISE, reasons);
                require_comment(comment, reasons);
                record.at_step(&[CaseStep::Handling])
            }),
            ActKind::Review { case, .. } => self.on_case(by, case, |record, reasons| {
                require_tier_from(by, self.closing_tier(record), reasons);
                record.at_step(&[CaseStep::Reported])
            }),
            ActKind::Return { case, comment } => self.on_case(by, case, |record, reasons| {
                require_tier_from(by, self.closing_tier(record), reasons);
                require_comment(comment, reasons);
                record.at_step(&[CaseStep::Reported, CaseStep::Reviewed])
            }),
            ActKind::Close { case, announcements, .. } => self.on_case(by, case, |record, _| self.judge_close(record, by, announcements)),
            ActKind::Remind { case, .. } => self.on_case(by, case, |_, reasons| {
                require_tier_from(by, Tier::TOWNSHIP, reasons);
                Vec::new()
            }),
            ActKind::Supervise { case, comment } => self.on_case(by, case, |_, reasons| {
                require_tier_from(by, Tier::TOWNSHIP, reasons);
                require_comment(comment, reasons);
                Vec::new()
            }),
            ActKind::Shelve { .. }
            | ActKind::Unshelve { .. }
            | ActKind::OutOfService { .. }
            | ActKind::BackInService { .. }
            | ActKind::BeginTest { .. }
            | ActKind::EndTest { .. }
            | ActKind::ConfirmWindow { .. } => self.judge_window(by, what, now),
        }
    }

    /// The checks every act on a case shares, then its own.
    fn on_case(&self, by: &Actor, case: &CaseId, own: impl FnOnce(&Record, &mut Vec<Refusal>) -> Vec<Refusal>) -> Vec<Refusal> {
        let Some(record) = self.cases.get(case).filter(|record| !record.is_closed()) else { return vec![Refusal::NoSuchCase] };
        if !self.has_say(by, &record.case.enterprise) {
            // Who has no say is told nothing of the case.
            return vec![Refusal::OutsideJurisdiction];
        }
        let mut reasons = Vec::new();
        let more = own(record, &mut reasons);
        reasons.extend(more);
        reasons
    }

    /// Whether the actor is of the tier they claim and their body stands above the enterprise, or is it.
    pub(crate) fn has_say(&self, by: &Actor, enterprise: &BodyId) -> bool {
        self.plant.body(&by.body).is_some_and(|body: &Body| body.tier == by.tier) && self.plant.oversees(&by.body, enterprise)
    }

    fn judge_acknowledge(&self, by: &Actor, episodes: &[EpisodeRef]) -> Vec<Refusal> {
        if episodes.is_empty() {
            return vec![Refusal::NoSuchEpisode];
        }
        let judge = |of: &EpisodeRef| {
            if !self.has_say(by, &of.alarm.tag.enterprise) {
                Some(Refusal::OutsideJurisdiction)
            } else if self.alarms.get(&of.alarm).is_some_and(|alarm| alarm.of == *of) || self.case_listing(of).is_some() {
                None
            } else {
                Some(Refusal::NoSuchEpisode)
            }
        };
        episodes.iter().filter_map(judge).collect()
    }

    fn judge_reset(&self, by: &Actor, enterprise: &BodyId, zone: &ZoneId) -> Vec<Refusal> {
        if !self.has_say(by, enterprise) {
            return vec![Refusal::OutsideJurisdiction];
        }
        let mut reasons = Vec::new();
        require_tier(by, Tier::ENTERPRISE, &mut reasons);
        require_named(&self.plant, by, &mut reasons);
        let of_tag = |tag: &model::plant::Tag| tag.id.enterprise == *enterprise && tag.zone.as_ref() == Some(zone);
        let of_equipment = |one: &model::plant::Equipment| one.enterprise == *enterprise && one.zone.as_ref() == Some(zone);
        let known = self.zones.contains_key(&(enterprise.clone(), zone.clone()))
            || self.plant.tags.iter().any(of_tag)
            || self.plant.equipment.iter().any(of_equipment);
        if !known {
            reasons.push(Refusal::NoSuchZone);
        }
        reasons
    }

    /// The open case that lists an episode.
    fn case_listing(&self, of: &EpisodeRef) -> Option<CaseId> {
        let listed = |id: &CaseId| self.cases.get(id).is_some_and(|record| record.case.episodes.iter().any(|episode| episode.of == *of));
        let current = self.alarms.get(&of.alarm).and_then(|alarm| alarm.case.clone());
        let own = self.open.get(&(of.alarm.tag.enterprise.clone(), self.place(&of.alarm.tag))).cloned();
        current.into_iter().chain(own).find(listed).or_else(|| self.open.values().find(|id| listed(id)).cloned())
    }

    fn apply(&mut self, act: &Act, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let plant = Arc::clone(&self.plant);
        match &act.what {
            ActKind::Silence { .. } => {}
            ActKind::Acknowledge { episodes } => self.acknowledge(act, episodes, now, out),
            ActKind::ResetSiren { enterprise, zone } => {
                let at = (enterprise.clone(), zone.clone());
                if let Some(zone) = self.zones.get_mut(&at) {
                    zone.sounding.clear();
                }
                self.settle_zone(&at, out);
            }
            ActKind::Close { case, comment, .. } => self.close(case, act, comment, now, out),
            ActKind::Accept { case, announcements } => {
                self.change(case, |record| record.accept(&plant, act, announcements, now, out));
            }
            ActKind::Check { case, episodes, outcome, field, comment } => self.change(case, |record| {
                record.check(act, episodes, *outcome, now);
                let alarms = alarms_of(episodes);
                let what = CaseEventKind::Checked { outcome: *outcome, alarms, field: field.clone() };
                out.push(record.did(act, now, what, comment));
            }),
            ActKind::Handle { case, comment } => self.change(case, |record| {
                record.handled(&act.by.person);
                record.case.step = CaseStep::Handling;
                for climb in &mut record.work.climbs {
                    climb.handled = true;
                }
                record.work.rework_by = None;
                record.arm_handling();
                out.push(record.did(act, now, CaseEventKind::Handling, comment));
            }),
            ActKind::Report { case, comment } => self.change(case, |record| {
                record.handled(&act.by.person);
                record.case.step = CaseStep::Reported;
                out.push(record.did(act, now, CaseEventKind::Reported, comment));
            }),
            ActKind::Review { case, comment } => self.change(case, |record| {
                record.case.step = CaseStep::Reviewed;
                out.push(record.did(act, now, CaseEventKind::Reviewed, comment));
            }),
            ActKind::Return { case, comment } => self.change(case, |record| record.give_back(&plant, act, comment, now, out)),
            ActKind::Remind { case, comment } => self.change(case, |record| record.remind_by_hand(&plant, act, comment, now, out)),
            ActKind::Supervise { case, comment } => self.change(case, |record| {
                record.case.supervised_by = Some(act.by.person.clone());
                record.work.supervised += 1;
                out.push(record.did(act, now, CaseEventKind::Supervised, comment));
                let repeat = record.work.supervised - 1;
                record.tell_enterprise(&plant, Purpose::Supervise, repeat, now, out);
            }),
            ActKind::Shelve { .. }
            | ActKind::Unshelve { .. }
            | ActKind::OutOfService { .. }
            | ActKind::BackInService { .. }
            | ActKind::BeginTest { .. }
            | ActKind::EndTest { .. }
            | ActKind::ConfirmWindow { .. } => self.apply_window(act, now, out),
        }
    }

    fn change(&mut self, case: &CaseId, how: impl FnOnce(&mut Record)) {
        if let Some(record) = self.cases.get_mut(case) {
            how(record);
        }
        self.settle(case);
    }

    fn acknowledge(&mut self, act: &Act, episodes: &[EpisodeRef], now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let mut by_case: BTreeMap<CaseId, Vec<EpisodeRef>> = BTreeMap::new();
        for of in episodes {
            if let Some(case) = self.case_listing(of) {
                by_case.entry(case).or_default().push(of.clone());
            }
        }
        for (case, episodes) in by_case {
            let past: Vec<EpisodeRef> =
                episodes.iter().filter(|of| self.alarms.get(&of.alarm).is_none_or(|alarm| alarm.of != **of)).cloned().collect();
            self.change(&case, |record| {
                // The rules know only an alarm's current episode; an earlier one that returned unseen is settled here.
                for episode in record.case.episodes.iter_mut().filter(|episode| past.contains(&episode.of)) {
                    if episode.state == AlarmState::ReturnedUnacknowledged {
                        episode.state = AlarmState::Normal;
                    }
                }
                out.push(record.did(act, now, CaseEventKind::Acknowledged { alarms: alarms_of(&episodes) }, ""));
            });
        }
    }
}

impl Record {
    /// Every announcement named must be one of the case, and one must be named unless the case has none: a data fault that
    /// returned within its wait leaves a case nobody was told of, and somebody has to be able to finish it.
    fn judge_shown(&self, announcements: &[TransitionKey]) -> Vec<Refusal> {
        let untold = self.case.announcements.is_empty() && matches!(self.case.step, CaseStep::Opened | CaseStep::Notified);
        if announcements.is_empty() && !untold {
            return vec![Refusal::NoSuchAnnouncement { key: String::new() }];
        }
        let keys = announcements.iter().map(TransitionKey::to_string);
        keys.filter(|key| self.announcement(key).is_none()).map(|key| Refusal::NoSuchAnnouncement { key }).collect()
    }

    pub(crate) fn at_step(&self, steps: &[CaseStep]) -> Vec<Refusal> {
        if steps.contains(&self.case.step) { Vec::new() } else { vec![Refusal::WrongStep { at: self.case.step }] }
    }

    fn judge_check(
        &self,
        plant: &Plant,
        episodes: &[EpisodeRef],
        outcome: Outcome,
        field: Option<&FieldCheck>,
        now: Timestamp,
    ) -> Vec<Refusal> {
        let mut reasons = Vec::new();
        if matches!(self.case.step, CaseStep::Opened | CaseStep::Notified) {
            reasons.push(Refusal::WrongStep { at: self.case.step });
        }
        if episodes.is_empty() {
            reasons.push(Refusal::NoSuchEpisode);
        }
        // Somebody who exists was there, before now, and read a number.
        let proven = field.is_some_and(|field| field.reading.is_finite() && field.at <= now);
        if field.is_some_and(|field| plant.person(&field.person).is_none_or(|person| person.is_duty_phone)) {
            reasons.push(Refusal::NoSuchPerson);
        }
        for of in episodes {
            let Some(episode) = self.case.episodes.iter().find(|episode| episode.of == *of) else {
                reasons.push(Refusal::NoSuchEpisode);
                continue;
            };
            if episode.state.is_latched() && !proven {
                reasons.push(Refusal::Latched { alarm: of.alarm.clone() });
            }
            let gas = plant.tag_index(&of.alarm.tag).is_some_and(|index| plant.tag(index).signal.is_gas());
            if gas && outcome == Outcome::False && !proven {
                reasons.push(Refusal::FieldCheckNeeded { alarm: of.alarm.clone() });
            }
        }
        reasons
    }

    /// 签收 of the announcements named, by the actor's tier.
    fn accept(&mut self, plant: &Plant, act: &Act, announcements: &[TransitionKey], now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let tier = act.by.tier;
        let keys: Vec<String> = announcements.iter().map(TransitionKey::to_string).collect();
        for at in keys.iter().filter_map(|key| self.announcement(key)).collect::<Vec<_>>() {
            if !self.signed(at, tier) {
                self.case.announcements[at].signed.push(Signature { tier, person: act.by.person.clone(), at: now });
            }
            if tier == Tier::ENTERPRISE {
                self.stop_climb(at);
            }
            if !self.may_be_reminded(at) {
                let key = self.work.climbs[at].key.clone();
                self.drop_timers(|kind| matches!(kind, model::CaseTimerKind::Remind { key: of } if *of == key));
            }
        }
        self.tier(plant, tier);
        let untold = self.case.announcements.is_empty() && tier == Tier::ENTERPRISE;
        if untold {
            self.case.step = CaseStep::Accepted;
        }
        self.settle_acceptance();
        out.push(self.did(act, now, CaseEventKind::Accepted { keys }, ""));
    }

    /// 核实: the outcome of each episode named.
    fn check(&mut self, act: &Act, episodes: &[EpisodeRef], outcome: Outcome, now: Timestamp) {
        for episode in self.case.episodes.iter_mut().filter(|episode| episodes.contains(&episode.of)) {
            episode.outcome = Some((outcome, act.by.person.clone(), now));
        }
        if self.case.step == CaseStep::Accepted {
            self.case.step = CaseStep::Checked;
        }
    }

    /// 退回: to be handled again, with a deadline of its own, and the enterprise is told.
    fn give_back(&mut self, plant: &Plant, act: &Act, comment: &str, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        self.case.step = CaseStep::Returned;
        self.case.returned_count += 1;
        self.work.rework_by = Some(now + plant.policies.level(self.case.level).handle_within);
        self.arm_handling();
        out.push(self.did(act, now, CaseEventKind::Returned, comment));
        self.tell_enterprise(plant, Purpose::Return, self.case.returned_count - 1, now, out);
    }

    /// 催办 by a person counts on from the reminders of the policy, so its messages are told apart from theirs.
    fn remind_by_hand(&mut self, plant: &Plant, act: &Act, comment: &str, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let unsigned = (0..self.case.announcements.len()).filter(|at| !self.signed(*at, Tier::ENTERPRISE));
        let most = unsigned.max_by_key(|at| (self.case.announcements[*at].level, std::cmp::Reverse(*at)));
        let Some(at) = most.or_else(|| self.head()) else {
            out.push(self.did(act, now, CaseEventKind::Reminded { key: String::new(), count: 0 }, comment));
            return;
        };
        self.case.announcements[at].reminded += 1;
        let (key, count) = (self.work.climbs[at].key.clone(), self.case.announcements[at].reminded);
        out.push(self.did(act, now, CaseEventKind::Reminded { key: key.clone(), count }, comment));
        let want = Want { announcement: key, tier: Tier::ENTERPRISE, purpose: Purpose::Remind, repeat: count };
        self.tell(plant, Moment { at: now, delayed: false }, vec![want], out);
    }

    fn tell_enterprise(&mut self, plant: &Plant, purpose: Purpose, repeat: u32, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(announcement) = self.head().map(|at| self.work.climbs[at].key.clone()) else { return };
        let want = Want { announcement, tier: Tier::ENTERPRISE, purpose, repeat };
        self.tell(plant, Moment { at: now, delayed: false }, vec![want], out);
    }

    fn handled(&mut self, person: &PersonId) {
        if !self.case.handled_by.contains(person) {
            self.case.handled_by.push(person.clone());
        }
    }

    /// The event of an act on this case.
    pub(crate) fn did(&self, act: &Act, now: Timestamp, what: CaseEventKind, comment: &str) -> EscalationEffect {
        EscalationEffect::Event(CaseEvent {
            act: Some(act.id.clone()),
            by: Some(act.by.person.clone()),
            tier: Some(act.by.tier),
            comment: comment.chars().take(bounds::COMMENT_CHARS_MAX).collect(),
            ..self.event(now, what)
        })
    }

    /// Whether the case may be finished in one step from its check: never above blue, or told to nobody above the enterprise
    /// because of a test or 待调试, or told to nobody at all.
    pub(crate) fn is_short(&self) -> bool {
        self.case.level == Level::Blue || self.case.announcements.iter().all(|one| !one.audience.is_everyone())
    }
}

fn alarms_of(episodes: &[EpisodeRef]) -> Vec<AlarmId> {
    episodes.iter().map(|of| of.alarm.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn require_tier(by: &Actor, needed: Tier, reasons: &mut Vec<Refusal>) {
    if by.tier != needed {
        reasons.push(Refusal::WrongTier { needed });
    }
}

fn require_tier_from(by: &Actor, needed: Tier, reasons: &mut Vec<Refusal>) {
    if by.tier < needed {
        reasons.push(Refusal::WrongTier { needed });
    }
}

/// A duty phone is nobody in particular; somebody has to stand for having silenced something.
pub(crate) fn require_named(plant: &Plant, by: &Actor, reasons: &mut Vec<Refusal>) {
    if plant.person(&by.person).is_none_or(|person| person.is_duty_phone) {
        reasons.push(Refusal::NoSuchPerson);
    }
}

pub(crate) fn require_comment(comment: &str, reasons: &mut Vec<Refusal>) {
    if comment.trim().is_empty() {
        reasons.push(Refusal::CommentNeeded);
    }
}
