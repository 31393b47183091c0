//! The climb: what falls due for an announcement nobody has signed, and for a case nobody handles.
//!
//! All clocks of an announcement start when it is announced. The enterprise's 签收 ends the climb to tiers not yet told;
//! tiers already told are reminded until they sign for themselves; a missed deadline is told upward whoever has signed.

use crate::record::Record;
use crate::tell::{Moment, Want};
use model::{
    AnnounceMode, Audience, CaseAnnouncement, CaseEvent, CaseEventKind, CaseStep, CaseTimerKind, Duration, EscalationEffect, Level, Plant,
    Purpose, Tier, Timestamp,
};

impl Record {
    /// Starts the clocks of an announcement and gathers who is told at once.
    pub fn begin_climb(&mut self, plant: &Plant, at: usize, wants: &mut Vec<Want>) {
        let announcement = &self.case.announcements[at];
        let (level, from, sign_by) = (announcement.level, announcement.at, announcement.sign_by);
        let (key, mode) = (self.work.climbs[at].key.clone(), self.work.climbs[at].mode);
        let policy = plant.policies.level(level);
        let audience = self.case.announcements[at].audience;
        if audience == Audience::Integrator {
            wants.push(Want { announcement: key, tier: Tier::ENTERPRISE, purpose: Purpose::Announce, repeat: 0 });
        } else if !self.signed(at, Tier::ENTERPRISE) {
            for rule in policy.tell.iter().filter(|rule| audience.is_everyone() || rule.tier == Tier::ENTERPRISE) {
                // Come and gone before it could be told: the enterprise first, the tiers above once it has not answered.
                let after = if mode == AnnounceMode::LateReturned && rule.tier != Tier::ENTERPRISE {
                    rule.after.max(policy.sign_within)
                } else {
                    rule.after
                };
                if after <= Duration::ZERO {
                    wants.push(Want { announcement: key.clone(), tier: rule.tier, purpose: Purpose::Announce, repeat: 0 });
                } else if plant.responsible_body(&self.case.enterprise, rule.tier).is_some() {
                    self.add_timer(from + after, CaseTimerKind::Tell { key: key.clone(), tier: rule.tier });
                }
            }
            self.add_timer(sign_by, CaseTimerKind::Sign { key });
        }
        self.arm_handling();
    }

    /// Sets the handling deadline to the earliest that stands, and its timer with it.
    pub fn arm_handling(&mut self) {
        // What nobody above the enterprise is told of has nowhere to climb.
        let climbing = self.work.climbs.iter().zip(&self.case.announcements).filter(|(_, one)| one.audience.is_everyone());
        let open = climbing.map(|(climb, _)| climb).filter(|climb| !climb.handled && !climb.waiting).map(|climb| climb.handle_by);
        let earliest = open.chain(self.work.rework_by).min();
        // A deadline already missed keeps the timer of its next step.
        if earliest == self.case.handle_by && self.has_timer(|kind| *kind == CaseTimerKind::Handle) {
            return;
        }
        self.drop_timers(|kind| *kind == CaseTimerKind::Handle);
        if let Some(due) = earliest {
            self.add_timer(due, CaseTimerKind::Handle);
        }
        self.case.handle_by = earliest;
    }

    /// Fires one obligation that is due; `now` keeps an engine that comes late from reminding twice at once.
    pub fn fire(
        &mut self,
        plant: &Plant,
        kind: &CaseTimerKind,
        moment: Moment,
        now: Timestamp,
        wants: &mut Vec<Want>,
        out: &mut Vec<EscalationEffect>,
    ) {
        match kind {
            CaseTimerKind::Wait { key } => self.wait_over(plant, key, wants),
            CaseTimerKind::Tell { key, tier } => {
                if let Some(at) = self.announcement(key)
                    && !self.signed(at, Tier::ENTERPRISE)
                    && !self.work.climbs[at].tried.contains(tier)
                {
                    wants.push(Want { announcement: key.clone(), tier: *tier, purpose: Purpose::Announce, repeat: 0 });
                }
            }
            CaseTimerKind::Sign { key } => self.sign_due(key, moment, wants, out),
            CaseTimerKind::Remind { key } => self.remind_due(plant, key, moment, now, wants, out),
            CaseTimerKind::Handle => self.handle_due(plant, moment, now, wants, out),
            // Channels are tried in parallel and a failure is reported, so nothing waits for an answer.
            CaseTimerKind::Answer { .. } => {}
        }
    }

    /// The wait of a data fault ends: told if it still stands, forgotten if not.
    fn wait_over(&mut self, plant: &Plant, key: &str, wants: &mut Vec<Want>) {
        let Some(at) = self.announcement(key).filter(|at| self.work.climbs[*at].waiting) else { return };
        if self.stands(&self.case.announcements[at].key.alarm) {
            self.work.climbs[at].waiting = false;
            self.begin_climb(plant, at, wants);
        } else if !self.signed(at, Tier::ENTERPRISE) {
            self.drop_announcement(at);
            self.settle_acceptance();
        } else {
            // The enterprise took it before it was told; it stays on record as taken, with its handling still to be done.
            self.work.climbs[at].waiting = false;
            self.arm_handling();
        }
    }

    fn sign_due(&mut self, key: &str, moment: Moment, wants: &mut Vec<Want>, out: &mut Vec<EscalationEffect>) {
        let Some(at) = self.announcement(key).filter(|at| !self.signed(*at, Tier::ENTERPRISE)) else { return };
        self.case.announcements[at].sign_missed = true;
        let event = self.event(moment.at, CaseEventKind::SignMissed { key: key.to_owned() });
        out.push(EscalationEffect::Event(CaseEvent { tier: Some(Tier::ENTERPRISE), ..event }));
        for tier in self.work.climbs[at].tried.iter().filter(|tier| **tier > Tier::ENTERPRISE) {
            wants.push(Want { announcement: key.to_owned(), tier: *tier, purpose: Purpose::SignMissed, repeat: 0 });
        }
    }

    fn remind_due(
        &mut self,
        plant: &Plant,
        key: &str,
        moment: Moment,
        now: Timestamp,
        wants: &mut Vec<Want>,
        out: &mut Vec<EscalationEffect>,
    ) {
        let Some(at) = self.announcement(key) else { return };
        let unsigned: Vec<Tier> = self.work.climbs[at].tried.iter().copied().filter(|tier| !self.signed(at, *tier)).collect();
        if !unsigned.is_empty() {
            self.case.announcements[at].reminded += 1;
            let count = self.case.announcements[at].reminded;
            out.push(EscalationEffect::Event(self.event(moment.at, CaseEventKind::Reminded { key: key.to_owned(), count })));
            for tier in unsigned {
                wants.push(Want { announcement: key.to_owned(), tier, purpose: Purpose::Remind, repeat: count });
            }
        }
        if self.may_be_reminded(at) {
            self.arm_reminder(plant, at, now);
        }
    }

    /// Whether a tier told of it has not signed, or one may still be told.
    pub fn may_be_reminded(&self, at: usize) -> bool {
        let key = &self.work.climbs[at].key;
        self.work.climbs[at].tried.iter().any(|tier| !self.signed(at, *tier))
            || self.has_timer(|kind| matches!(kind, CaseTimerKind::Tell { key: of, .. } if of == key))
    }

    /// Handling is overdue: those told hear of it and one more tier does; it comes again until somebody handles it.
    fn handle_due(&mut self, plant: &Plant, moment: Moment, now: Timestamp, wants: &mut Vec<Want>, out: &mut Vec<EscalationEffect>) {
        let Some(by) = self.case.handle_by else { return };
        let Some(at) = self.overdue_handling(by) else { return };
        self.work.handle_missed += 1;
        let event = self.event(moment.at, CaseEventKind::HandleMissed);
        out.push(EscalationEffect::Event(CaseEvent { tier: Some(Tier::ENTERPRISE), ..event }));
        let announcement = self.work.climbs[at].key.clone();
        let mut tiers: Vec<Tier> = self.work.climbs.iter().flat_map(|climb| climb.tried.iter().copied()).collect();
        tiers.sort();
        tiers.dedup();
        let highest = tiers.last().copied().unwrap_or(Tier::ENTERPRISE);
        tiers.extend(self.head().and_then(|head| self.next_tier(plant, head, highest)));
        for tier in tiers {
            let repeat = self.work.handle_missed - 1;
            wants.push(Want { announcement: announcement.clone(), tier, purpose: Purpose::HandleMissed, repeat });
        }
        let within = plant.policies.level(self.case.announcements[at].level).handle_within.max(Duration::from_mins(1));
        let steps = now.since(by).0.max(0) / within.0 + 1;
        self.drop_timers(|kind| *kind == CaseTimerKind::Handle);
        self.add_timer(by + within.times(steps), CaseTimerKind::Handle);
    }

    fn overdue_handling(&self, by: Timestamp) -> Option<usize> {
        self.work.climbs.iter().position(|climb| !climb.handled && !climb.waiting && climb.handle_by == by).or_else(|| self.head())
    }

    /// A new announcement, its clocks counted from `from`.
    pub fn deadlines(plant: &Plant, level: Level, from: Timestamp) -> (Timestamp, Timestamp) {
        let policy = plant.policies.level(level);
        (from + policy.sign_within, from + policy.handle_within)
    }

    /// A further announcement opens again what had been reported or reviewed: it is to be accepted, checked and handled too.
    pub fn reopen(&mut self) {
        if matches!(self.case.step, CaseStep::Reported | CaseStep::Reviewed) {
            self.case.step = CaseStep::Notified;
        }
    }

    /// 已签收 once the enterprise has signed everything.
    pub fn settle_acceptance(&mut self) {
        let signed = self.case.announcements.iter().any(|one| !one.signed.is_empty());
        if signed && matches!(self.case.step, CaseStep::Opened | CaseStep::Notified) && self.accepted() {
            self.case.step = CaseStep::Accepted;
        }
    }

    /// Whether the enterprise has signed everything there is to sign.
    pub fn accepted(&self) -> bool {
        let all = |one: &CaseAnnouncement| one.signed.iter().any(|signature| signature.tier == Tier::ENTERPRISE);
        self.case.announcements.iter().all(all)
    }
}
