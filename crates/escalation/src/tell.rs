//! Who hears of it, on what, at one moment.
//!
//! Everything a case has to say at one moment is gathered as wants and told together: highest level first, and nobody gets
//! two messages on one channel for one case at one moment. What a message covers besides its own announcement is
//! remembered, so a tier that cannot be reached is passed for all of it.

use crate::record::{Record, Round, RoundPerson, timer_key};
use model::plant::{Body, ChannelKind, TellRule};
use model::{
    AnnounceMode, Audience, CaseAnnouncement, CaseEvent, CaseEventKind, CaseTimerKind, ChannelId, EscalationEffect, Level, Notification,
    NotificationKey, PersonId, Plant, Purpose, Tier, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// From this reminder on the duty phone is called too.
const DUTY_PHONE_FROM_REMINDER: u32 = 2;
/// From this level on the responsible people of the enterprise are copied.
const COPIED_FROM: Level = Level::Orange;
/// 办结 is news, not an alarm: it wakes nobody.
const CLOSED_BY: [ChannelKind; 3] = [ChannelKind::Platform, ChannelKind::App, ChannelKind::Sms];

/// When something is told, and whether an outage delayed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// When.
    pub at: Timestamp,
    /// Told after its time because the engine was down.
    pub delayed: bool,
}

/// One tier is to hear of one announcement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Want {
    /// Raise key text.
    pub announcement: String,
    /// Which tier.
    pub tier: Tier,
    /// Why.
    pub purpose: Purpose,
    /// Which repeat.
    pub repeat: u32,
}

/// What has gone out to one tier in this moment.
#[derive(Default)]
struct Said {
    sent: BTreeSet<(PersonId, ChannelId)>,
    first: Option<(String, Purpose)>,
}

impl Record {
    /// Tells everything wanted at one moment; a tier where nobody has any channel is passed at once.
    pub fn tell(&mut self, plant: &Plant, moment: Moment, mut wants: Vec<Want>, out: &mut Vec<EscalationEffect>) {
        let mut said: BTreeMap<Tier, Said> = BTreeMap::new();
        while !wants.is_empty() {
            wants.sort_by_cached_key(|want| {
                let at = self.announcement(&want.announcement);
                let level = at.map(|at| self.case.announcements[at].level);
                (want.tier, std::cmp::Reverse(level), urgency(want.purpose), at, want.repeat)
            });
            for want in std::mem::take(&mut wants) {
                self.tell_one(plant, moment, &want, said.entry(want.tier).or_default(), &mut wants, out);
            }
        }
    }

    fn tell_one(
        &mut self,
        plant: &Plant,
        moment: Moment,
        want: &Want,
        said: &mut Said,
        wants: &mut Vec<Want>,
        out: &mut Vec<EscalationEffect>,
    ) {
        let Some(at) = self.announcement(&want.announcement) else { return };
        let Some(body) = plant.responsible_body(&self.case.enterprise, want.tier) else { return };
        if climbs(want.purpose) && !self.work.climbs[at].tried.contains(&want.tier) {
            self.mark_told(plant, at, want.tier, moment.at, out);
        }
        let level = self.case.announcements[at].level;
        let (kinds, platform_only) = self.kinds(plant, at, want, moment.at);
        let barred = self.barred(at, want.tier, want.purpose);
        let mut people = Vec::new();
        let (mut heard, mut shared) = (false, false);
        for person in self.recipients(plant, body, level, want, moment.at, barred) {
            let mut tried = Vec::new();
            for channel in first_channels(plant, &person, &kinds, barred) {
                heard = true;
                if said.sent.insert((person.clone(), channel.clone())) {
                    out.push(EscalationEffect::Notify(self.message(at, want, &person, &channel, moment)));
                    tried.push((channel, false));
                } else {
                    shared = true;
                }
            }
            if climbs(want.purpose) && heard {
                self.work.told.insert((want.tier, person.clone()));
            }
            if !tried.is_empty() {
                people.push(RoundPerson { person, tried });
            }
        }
        if shared {
            self.cover(said, want);
        }
        if !people.is_empty() {
            said.first.get_or_insert_with(|| (want.announcement.clone(), want.purpose));
            self.push_round(Round {
                announcement: want.announcement.clone(),
                covers: Vec::new(),
                tier: want.tier,
                purpose: want.purpose,
                repeat: want.repeat,
                delayed: moment.delayed,
                platform_only,
                reached: false,
                people,
            });
        } else if !heard && climbs(want.purpose) {
            self.pass(plant, std::slice::from_ref(&want.announcement), want.tier, moment.at, wants, out);
        }
    }

    /// The message already sent to this tier at this moment speaks for this announcement too.
    fn cover(&mut self, said: &Said, want: &Want) {
        let Some((announcement, purpose)) = &said.first else { return };
        let round = self
            .work
            .rounds
            .iter_mut()
            .find(|round| round.announcement == *announcement && round.purpose == *purpose && round.tier == want.tier);
        if let Some(round) = round
            && round.announcement != want.announcement
            && !round.covers.contains(&want.announcement)
        {
            round.covers.push(want.announcement.clone());
        }
    }

    /// A tier hears of an announcement for the first time: from now on it is reminded.
    fn mark_told(&mut self, plant: &Plant, at: usize, tier: Tier, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let key = self.work.climbs[at].key.clone();
        self.work.climbs[at].tried.push(tier);
        self.set_told(plant, at, tier, now);
        self.drop_timers(|kind| matches!(kind, CaseTimerKind::Tell { key: of, tier: to } if *of == key && *to == tier));
        self.arm_reminder(plant, at, now);
        out.push(EscalationEffect::Event(CaseEvent { tier: Some(tier), ..self.event(now, CaseEventKind::Told { key }) }));
    }

    /// Puts a tier on record as told.
    pub fn set_told(&mut self, plant: &Plant, at: usize, tier: Tier, now: Timestamp) {
        let told = &mut self.case.announcements[at].told;
        if !told.iter().any(|(other, _)| *other == tier) {
            told.push((tier, now));
        }
        if let Some(progress) = self.tier(plant, tier) {
            progress.told.get_or_insert(now);
        }
    }

    /// Keeps a reminder to come, on the grid that starts at the announcement, as long as somebody may have to be reminded.
    pub fn arm_reminder(&mut self, plant: &Plant, at: usize, now: Timestamp) {
        let announcement = &self.case.announcements[at];
        if announcement.audience < Audience::Enterprise {
            return;
        }
        let Some(every) = plant.policies.level(announcement.level).remind_every.filter(|every| every.0 > 0) else { return };
        let key = self.work.climbs[at].key.clone();
        if self.has_timer(|kind| matches!(kind, CaseTimerKind::Remind { key: of } if *of == key)) {
            return;
        }
        let gone = now.since(announcement.at).0.max(0) / every.0;
        self.add_timer(announcement.at + every.times(gone + 1), CaseTimerKind::Remind { key });
    }

    /// Nobody of a tier could be reached for these announcements: the next one is told now, and told why.
    pub fn pass(
        &mut self,
        plant: &Plant,
        keys: &[String],
        tier: Tier,
        now: Timestamp,
        wants: &mut Vec<Want>,
        out: &mut Vec<EscalationEffect>,
    ) {
        let mut said = false;
        for key in keys {
            let Some(at) = self.announcement(key) else { continue };
            if self.signed(at, tier) || self.work.climbs[at].passed.contains(&tier) {
                continue;
            }
            self.work.climbs[at].passed.push(tier);
            // Reaching nobody never counts as told; it stays among the tried, so reminders keep trying.
            self.case.announcements[at].told.retain(|(told, _)| *told != tier);
            let told = self.case.announcements.iter().flat_map(|one| &one.told).filter(|(told, _)| *told == tier).map(|told| told.1).min();
            if let Some(progress) = self.tier(plant, tier) {
                progress.passed = true;
                progress.told = told;
            }
            if !std::mem::replace(&mut said, true) {
                out.push(EscalationEffect::Event(CaseEvent { tier: Some(tier), ..self.event(now, CaseEventKind::Passed) }));
            }
            if !self.signed(at, Tier::ENTERPRISE)
                && let Some(next) = self.next_tier(plant, at, tier)
            {
                wants.push(Want { announcement: key.clone(), tier: next, purpose: Purpose::Passed, repeat: 0 });
            }
        }
    }

    /// The next tier above that the announcement's policy tells and that has a body.
    pub fn next_tier(&self, plant: &Plant, at: usize, above: Tier) -> Option<Tier> {
        if !self.case.announcements[at].audience.is_everyone() {
            return None;
        }
        let policy = plant.policies.level(self.case.announcements[at].level);
        let tiers = policy.tell.iter().map(|rule| rule.tier).filter(|tier| *tier > above);
        tiers.filter(|tier| plant.responsible_body(&self.case.enterprise, *tier).is_some()).min()
    }

    fn rule<'a>(&self, plant: &'a Plant, at: usize, tier: Tier) -> Option<&'a TellRule> {
        [self.case.announcements[at].level, self.case.level]
            .into_iter()
            .find_map(|level| plant.policies.level(level).tell.iter().find(|rule| rule.tier == tier))
    }

    /// The kinds of channel the policy allows now, and whether it names the platform only.
    fn kinds(&self, plant: &Plant, at: usize, want: &Want, now: Timestamp) -> (Vec<ChannelKind>, bool) {
        if want.purpose == Purpose::Closed {
            return (CLOSED_BY.to_vec(), false);
        }
        let Some(rule) = self.rule(plant, at, want.tier) else { return (Vec::new(), false) };
        // No list of its own for the night means the night is as the day.
        let quiet = plant.is_quiet(now) && !rule.by_quiet.is_empty();
        let kinds = if quiet { &rule.by_quiet } else { &rule.by };
        (kinds.clone(), !kinds.is_empty() && kinds.iter().all(|kind| *kind == ChannelKind::Platform))
    }

    /// A kind of channel that must not be used even as a last resort.
    pub fn barred(&self, at: usize, tier: Tier, purpose: Purpose) -> Option<ChannelKind> {
        let returned_late = self.work.climbs[at].mode == AnnounceMode::LateReturned && tier == Tier::ENTERPRISE;
        (purpose == Purpose::Closed || returned_late).then_some(ChannelKind::Voice)
    }

    fn recipients(
        &self,
        plant: &Plant,
        body: &Body,
        level: Level,
        want: &Want,
        now: Timestamp,
        barred: Option<ChannelKind>,
    ) -> Vec<PersonId> {
        if want.purpose == Purpose::Closed {
            return self.work.told.iter().filter(|(tier, _)| *tier == want.tier).map(|(_, person)| person.clone()).collect();
        }
        let announcement = self.announcement(&want.announcement).map(|at| &self.case.announcements[at]);
        if let Some(commissioning) = announcement.filter(|one| one.audience == Audience::Integrator).and_then(|one| integrator(plant, one))
        {
            return vec![commissioning];
        }
        let mut people = plant.on_duty(body, now);
        // Somebody on duty who has no way to be reached does not keep the duty phone from ringing.
        people.retain(|person| next_channel(plant, person, &[], barred).is_some());
        if people.is_empty() || (want.purpose == Purpose::Remind && want.repeat >= DUTY_PHONE_FROM_REMINDER) {
            people.push(body.duty_phone.clone());
        }
        if want.tier == Tier::ENTERPRISE && level >= COPIED_FROM && matches!(want.purpose, Purpose::Announce | Purpose::Supervise) {
            people.extend(body.responsible.iter().cloned());
        }
        let mut seen = BTreeSet::new();
        people.retain(|person| seen.insert(person.clone()));
        people
    }

    fn message(&self, at: usize, want: &Want, person: &PersonId, channel: &ChannelId, moment: Moment) -> Notification {
        let announcement = &self.case.announcements[at];
        Notification {
            key: NotificationKey {
                case: self.case.id.clone(),
                announcement: want.announcement.clone(),
                tier: want.tier,
                purpose: want.purpose,
                recipient: person.clone(),
                channel: channel.clone(),
                repeat: want.repeat,
            },
            level: announcement.level,
            alarm: announcement.key.alarm.clone(),
            setpoint: announcement.setpoint,
            value: announcement.value,
            raised_at: announcement.raised_at,
            sign_by: announcement.sign_by,
            late: announcement.late,
            delayed_by_outage: moment.delayed,
            audience: announcement.audience,
            change: None,
            at: moment.at,
        }
    }

    /// Sends a round's message on one more channel, or to one more person.
    pub fn message_again(&self, round: &Round, person: &PersonId, channel: &ChannelId, now: Timestamp) -> Option<Notification> {
        let at = self.announcement(&round.announcement)?;
        let want = Want { announcement: round.announcement.clone(), tier: round.tier, purpose: round.purpose, repeat: round.repeat };
        Some(self.message(at, &want, person, channel, Moment { at: now, delayed: round.delayed }))
    }

    /// The channels a round's purpose would use for a person who joins it now.
    pub fn channels_for(&self, plant: &Plant, round: &Round, person: &PersonId, now: Timestamp) -> Vec<ChannelId> {
        let Some(at) = self.announcement(&round.announcement) else { return Vec::new() };
        let want = Want { announcement: round.announcement.clone(), tier: round.tier, purpose: round.purpose, repeat: round.repeat };
        let (kinds, _) = self.kinds(plant, at, &want, now);
        first_channels(plant, person, &kinds, self.barred(at, round.tier, round.purpose))
    }

    /// An event of this case that no person did.
    pub fn event(&self, at: Timestamp, what: CaseEventKind) -> CaseEvent {
        CaseEvent { case: self.case.id.clone(), at, what, act: None, by: None, tier: None, comment: String::new() }
    }

    /// Ends what an announcement still owes to tiers that have not been told.
    pub fn stop_climb(&mut self, at: usize) {
        let key = self.work.climbs[at].key.clone();
        self.drop_timers(|kind| timer_key(kind) == Some(&key) && matches!(kind, CaseTimerKind::Tell { .. } | CaseTimerKind::Sign { .. }));
    }
}

/// Who commissions the tag of an announcement.
fn integrator(plant: &Plant, announcement: &CaseAnnouncement) -> Option<PersonId> {
    let tag = plant.tag(plant.tag_index(&announcement.key.alarm.tag)?);
    tag.commissioning.as_ref().map(|one| one.integrator.clone())
}

/// What is said first where one moment has several things to say: news, then what was missed, then reminders.
const fn urgency(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::Announce => 0,
        Purpose::Passed => 1,
        Purpose::SignMissed => 2,
        Purpose::HandleMissed => 3,
        Purpose::Supervise => 4,
        Purpose::Return => 5,
        Purpose::Remind => 6,
        Purpose::Closed => 7,
        // Not about a case, and never said by one.
        Purpose::LimitsLoosened => 8,
    }
}

/// Whether a message of this purpose makes its recipients people who were told of the alarm.
pub(crate) const fn climbs(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Announce | Purpose::Passed | Purpose::Remind | Purpose::SignMissed | Purpose::HandleMissed)
}

/// What a channel does to a person; one that is no longer configured does nothing.
pub(crate) fn kind_of(plant: &Plant, channel: &ChannelId) -> Option<ChannelKind> {
    plant.channel(channel).map(|channel| channel.kind)
}

/// All allowed channels of a person, or else the next best: somebody who has no allowed channel is still to be reached.
fn first_channels(plant: &Plant, person: &PersonId, kinds: &[ChannelKind], barred: Option<ChannelKind>) -> Vec<ChannelId> {
    let Some(person) = plant.person(person) else { return Vec::new() };
    let usable = |channel: &&ChannelId| kind_of(plant, channel).is_some_and(|kind| Some(kind) != barred);
    let is = |channel: &ChannelId, wanted: &[ChannelKind]| kind_of(plant, channel).is_some_and(|kind| wanted.contains(&kind));
    let mut channels: Vec<ChannelId> = Vec::new();
    for channel in person.channels.iter().filter(usable) {
        if is(channel, kinds) && !channels.contains(channel) {
            channels.push(channel.clone());
        }
    }
    if channels.is_empty() {
        let mut rest: Vec<_> = person.channels.iter().filter(usable).collect();
        rest.sort_by_key(|channel| is(channel, &[ChannelKind::Platform]));
        channels.extend(rest.into_iter().next().cloned());
    }
    channels
}

/// The next channel of a person after those tried: the page last, because nobody may be looking at it.
pub(crate) fn next_channel(
    plant: &Plant,
    person: &PersonId,
    tried: &[(ChannelId, bool)],
    barred: Option<ChannelKind>,
) -> Option<ChannelId> {
    let mut rest: Vec<_> = plant
        .person(person)?
        .channels
        .iter()
        .filter(|channel| !tried.iter().any(|(other, _)| other == *channel))
        .filter_map(|channel| Some((kind_of(plant, channel)?, channel)))
        .filter(|(kind, _)| Some(*kind) != barred)
        .collect();
    rest.sort_by_key(|(kind, _)| *kind == ChannelKind::Platform);
    rest.first().map(|(_, channel)| (*channel).clone())
}
