//! To whom an announcement is told, what a window or 待调试 held back, and the fresh announcement when that ends.

use crate::Escalation;
use crate::alarms::Heard;
use crate::beside::{Wake, noted};
use crate::tell::Moment;
use model::plant::Commissioning;
use model::{
    ActId, AlarmId, AlarmState, AnnounceMode, Announcement, Audience, BesideEventKind, CaseEvent, CaseEventKind, CaseId, Condition,
    EscalationEffect, Level, TagId, Timestamp, TransitionKey, Window,
};
use serde::{Deserialize, Serialize};

/// An announcement of a standing alarm that was told to fewer people than its policy names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// Its level.
    level: Level,
    /// The tag's time of the raise.
    raised_at: Timestamp,
    /// The value when raised.
    value: Option<f64>,
    /// To whom it was told.
    to: Audience,
}

impl Escalation {
    /// Who is told of what an alarm announces at `now`, and the window that says so.
    pub(crate) fn audience(&self, alarm: &AlarmId, now: Timestamp) -> (Audience, Option<ActId>) {
        let life = if self.commissioning(&alarm.tag, now).is_some() { Audience::Integrator } else { Audience::Everyone };
        let windows = self.windows.values().filter(|window| window.in_force() && self.covers(&window.scope, alarm));
        // A device that is worked on says so of itself: a window of any kind explains it, and nobody has to be told.
        let explained = alarm.condition == Condition::Inhibited;
        let told = |window: &Window| if explained { Audience::Nobody } else { window.kind.audience() };
        match windows.map(|window| (told(window), &window.id)).min() {
            Some((audience, id)) if audience <= life => (audience, Some(id.clone())),
            _ => (life, None),
        }
    }

    /// 待调试 of a tag at `now`.
    pub(crate) fn commissioning(&self, tag: &TagId, now: Timestamp) -> Option<&Commissioning> {
        let tag = self.plant.tag(self.plant.tag_index(tag)?);
        tag.commissioning.as_ref().filter(|commissioning| now < commissioning.until)
    }

    /// The next end of a commissioning after `after`.
    pub(crate) fn arm_commissioning(&mut self, after: Option<Timestamp>) {
        let ends = self.plant.tags.iter().filter_map(|tag| tag.commissioning.as_ref()).map(|one| one.until);
        let next = ends.filter(|end| after.is_none_or(|after| *end > after)).min();
        self.wakes.set(Wake::Commissioning, next);
    }

    /// Counts what is told to fewer people, and remembers it for the time when nothing holds it any more.
    pub(crate) fn hold(
        &mut self,
        announcement: &Announcement,
        to: Audience,
        by: Option<ActId>,
        now: Timestamp,
        out: &mut Vec<EscalationEffect>,
    ) {
        let id = &announcement.key.alarm;
        if let Some(alarm) = self.alarms.get_mut(id).filter(|_| announcement.mode != AnnounceMode::LateReturned) {
            let Announcement { level, at, value, .. } = *announcement;
            alarm.held = Some(Held { level, raised_at: at, value, to });
            self.changed.insert(format!("input/{id}"));
        }
        self.count_held(&announcement.key, to, by, now, out);
    }

    /// The visible count of what is held.
    pub(crate) fn count_held(
        &mut self,
        key: &TransitionKey,
        to: Audience,
        by: Option<ActId>,
        now: Timestamp,
        out: &mut Vec<EscalationEffect>,
    ) {
        if let Some(window) = by.as_ref().and_then(|id| self.windows.get_mut(id)) {
            window.held += 1;
            self.changed.insert(format!("window/{}", window.id));
        }
        out.push(noted(now, BesideEventKind::Held { key: key.clone(), to, window: by }));
        out.push(EscalationEffect::Marked(key.alarm.clone()));
    }

    /// A data fault nobody has been told of yet falls under a window that has begun meanwhile.
    pub(crate) fn withhold_waiting(&mut self, window: &Window, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let mut waiting: Vec<(CaseId, String, Announcement)> = Vec::new();
        for (id, record) in &self.cases {
            for (one, climb) in record.case.announcements.iter().zip(&record.work.climbs) {
                if climb.waiting && self.covers(&window.scope, &one.key.alarm) && window.kind.audience() < one.audience {
                    let announcement = Announcement {
                        key: one.key.clone(),
                        level: one.level,
                        at: one.raised_at,
                        now,
                        mode: climb.mode,
                        value: one.value,
                        members: Vec::new(),
                        standing: true,
                    };
                    waiting.push((id.clone(), climb.key.clone(), announcement));
                }
            }
        }
        for (case, key, announcement) in waiting {
            let to = window.kind.audience();
            if let Some(record) = self.cases.get_mut(&case)
                && let Some(at) = record.announcement(&key)
            {
                if to == Audience::Nobody {
                    record.drop_announcement(at);
                    record.settle_acceptance();
                } else {
                    record.case.announcements[at].audience = to;
                }
                let emptied = to == Audience::Nobody && record.withdraw(now, out);
                if emptied { self.put_away(&case, out) } else { self.settle(&case) }
            }
            self.hold(&announcement, to, Some(window.id.clone()), now, out);
        }
    }

    /// Announces as new what stands and was told to fewer people than it would be now.
    pub(crate) fn raise_anew(&mut self, moment: Moment, out: &mut Vec<EscalationEffect>) {
        let wider = |(id, alarm): (&AlarmId, &crate::AlarmNow)| {
            let held = alarm.held.filter(|_| alarm.state.is_standing())?;
            (self.audience(id, moment.at).0 > held.to).then(|| id.clone())
        };
        let due: Vec<AlarmId> = self.alarms.iter().filter_map(wider).collect();
        self.announce_again(&due, moment, out);
    }

    /// Fresh announcements of standing alarms; those acknowledged before are unacknowledged again.
    pub(crate) fn announce_again(&mut self, alarms: &[AlarmId], moment: Moment, out: &mut Vec<EscalationEffect>) {
        let (mut heard, mut unseen) = (Heard::default(), Vec::new());
        for id in alarms {
            // What it is now, where the configuration has made it worse meanwhile.
            let configured = self.configured_level(id);
            let Some(alarm) = self.alarms.get_mut(id) else { continue };
            let key = TransitionKey { alarm: id.clone(), episode: alarm.of.episode, step: 0 }.anew(alarm.anew);
            alarm.anew += 1;
            let held = alarm.held.take();
            let announcement = Announcement {
                key,
                level: held.map_or(alarm.level, |held| held.level).max(configured),
                at: held.map_or(alarm.of.episode.since, |held| held.raised_at),
                now: moment.at,
                mode: AnnounceMode::Normal,
                value: held.and_then(|held| held.value),
                members: Vec::new(),
                standing: true,
            };
            if matches!(alarm.state, AlarmState::Acknowledged | AlarmState::LatchedAcknowledged) {
                unseen.push(alarm.of.clone());
            }
            self.changed.insert(format!("input/{id}"));
            let to = self.audience(id, moment.at).0;
            out.push(noted(moment.at, BesideEventKind::RaisedAnew { key: announcement.key.clone(), to }));
            self.announce(&announcement, true, moment.at, &mut heard, out);
        }
        self.finish(heard, moment, out);
        if !unseen.is_empty() {
            out.push(EscalationEffect::Unacknowledge(unseen));
        }
    }

    fn configured_level(&self, id: &AlarmId) -> Level {
        let tag = self.plant.tag_index(&id.tag).map(|index| self.plant.tag(index));
        let rule = tag.and_then(|tag| tag.rule(id.condition));
        rule.map_or(Level::Blue, |rule| rule.level)
    }

    /// When the acknowledgement of an alarm runs out.
    pub(crate) fn acknowledgement_end(&self, alarm: &AlarmId, acknowledged: Timestamp) -> Option<Timestamp> {
        use model::plant::AcknowledgementEnd;
        match self.plant.policies.beside.acknowledgement_end {
            AcknowledgementEnd::Never => None,
            AcknowledgementEnd::After(time) => Some(acknowledged + time),
            AcknowledgementEnd::ShiftChange => self.plant.next_shift_change(self.plant.body(&alarm.tag.enterprise)?, acknowledged),
        }
    }

    /// Who comes on duty has not seen it: it is unacknowledged again, shown and counted. People are told again only where
    /// the policy says so.
    pub(crate) fn acknowledgement_ran_out(&mut self, id: &AlarmId, moment: Moment, out: &mut Vec<EscalationEffect>) {
        let Some(alarm) = self.alarms.get_mut(id) else { return };
        alarm.acknowledged_until = None;
        alarm.acknowledgement_expired += 1;
        let (of, count, case) = (alarm.of.clone(), alarm.acknowledgement_expired, alarm.case.clone());
        self.changed.insert(format!("input/{id}"));
        if let Some(case) = case {
            let what = CaseEventKind::AcknowledgementExpired { alarm: id.clone() };
            let event = CaseEvent { case, at: moment.at, what, act: None, by: None, tier: None, comment: String::new() };
            out.push(EscalationEffect::Event(event));
        }
        out.push(noted(moment.at, BesideEventKind::AcknowledgementExpired { of: of.clone(), count }));
        out.push(EscalationEffect::Marked(id.clone()));
        if self.plant.policies.beside.acknowledgement_tells_again {
            self.announce_again(std::slice::from_ref(id), moment, out);
        } else {
            out.push(EscalationEffect::Unacknowledge(vec![of]));
        }
    }
}
