//! What the rules say becomes cases: opened, folded, raised in level, and announcements that climb.
//!
//! One equipment or area has one open case. A condition raised again within `fold_within` of its last announcement is
//! folded in with a count; every other raise the rules announce is an announcement of its own. What one input announces for
//! one case is told in one message at the highest level. Raises that are not announced (members of a lost gateway, held
//! late ones) are listed where they belong and told to nobody.

use crate::beside::Wake;
use crate::record::{ClimbState, Record};
use crate::siren::Zone;
use crate::tell::{Moment, Want};
use crate::{AlarmNow, Escalation};
use model::{
    AlarmEffect, AlarmId, AlarmState, AnnounceMode, Announcement, Audience, BodyId, Case, CaseAnnouncement, CaseEpisode, CaseEvent,
    CaseEventKind, CaseId, CaseStep, CaseTimerKind, Change, Condition, EpisodeRef, EquipmentId, EscalationEffect, LateExceedance, Level,
    Plant, TagId, Timestamp, Transition, TransitionKey, ZoneId, bounds,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something people are to be told of, whether the rules announced it or a straggler showed it.
struct News {
    key: TransitionKey,
    level: Level,
    /// The tag's time of the raise.
    raised_at: Timestamp,
    mode: AnnounceMode,
    value: Option<f64>,
    setpoint: Option<f64>,
    /// A straggler may lie before the announcement it belongs to.
    straggler: bool,
    /// To whom it is told.
    audience: Audience,
    /// Announced as new although its episode was raised before: it is folded into nothing.
    fresh: bool,
}

/// What one input brings about, gathered until all of it has been read.
#[derive(Default)]
pub(crate) struct Heard {
    /// Cases that changed, and what they want told.
    pub wants: BTreeMap<CaseId, Vec<Want>>,
    /// Siren zones that may have changed.
    zones: BTreeSet<(BodyId, ZoneId)>,
    /// Standing alarms that belong to no case yet.
    unplaced: Vec<AlarmId>,
    /// Alarms that ceased to stand within this input: whatever is said of them now, they sound nothing.
    gone: BTreeSet<AlarmId>,
    /// Equipment whose order of alarms changed.
    pub ordered: BTreeSet<(BodyId, EquipmentId)>,
}

impl Escalation {
    /// Takes all that the rules said about one input.
    pub(crate) fn alarms(&mut self, effects: &[AlarmEffect], now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let mut heard = Heard::default();
        for effect in effects {
            match effect {
                AlarmEffect::Transition(transition) => self.transition(transition, now, &mut heard, out),
                AlarmEffect::Announce(announcement) => self.announce(announcement, false, now, &mut heard, out),
                AlarmEffect::LateExceedance(exceedance) => self.exceedance(exceedance, now, &mut heard, out),
            }
        }
        for alarm in std::mem::take(&mut heard.unplaced) {
            self.list_with_gateway(&alarm, &mut heard);
        }
        self.finish(heard, Moment { at: now, delayed: false }, out);
    }

    /// Says all that was gathered. Sirens first: they are the nearest to the danger.
    pub(crate) fn finish(&mut self, mut heard: Heard, moment: Moment, out: &mut Vec<EscalationEffect>) {
        for place in std::mem::take(&mut heard.ordered) {
            self.name_first_out(&place, &mut heard);
        }
        for zone in &heard.zones {
            self.settle_zone(zone, out);
        }
        self.tell_all(heard.wants, moment, out);
    }

    fn transition(&mut self, transition: &Transition, now: Timestamp, heard: &mut Heard, out: &mut Vec<EscalationEffect>) {
        let id = &transition.key.alarm;
        let of = EpisodeRef { alarm: id.clone(), episode: transition.key.episode };
        let before = self.alarms.get(id).cloned();
        let continues = before.as_ref().is_some_and(|alarm| alarm.of == of);
        let case = if continues {
            before.as_ref().and_then(|alarm| alarm.case.clone())
        } else {
            if let Some(before) = &before {
                self.supersede_episode(before, heard);
            }
            self.open.get(&(id.tag.enterprise.clone(), self.place(&id.tag))).cloned()
        };
        let kept = before.as_ref().filter(|_| continues);
        let acknowledged = matches!(transition.to, AlarmState::Acknowledged | AlarmState::LatchedAcknowledged);
        let acknowledged_until = if acknowledged {
            let newly = transition.change == Change::Acknowledged;
            kept.filter(|_| !newly).map_or_else(|| self.acknowledgement_end(id, now), |before| before.acknowledged_until)
        } else {
            None
        };
        self.wakes.set(Wake::Acknowledgement(id.clone()), acknowledged_until);
        let alarm = AlarmNow {
            held: kept.and_then(|before| before.held).filter(|_| transition.to.is_standing()),
            anew: kept.map_or(0, |before| before.anew),
            acknowledged_until,
            acknowledgement_expired: kept.map_or(0, |before| before.acknowledgement_expired),
            of,
            level: before.as_ref().filter(|_| continues).map_or(transition.level, |before| before.level.max(transition.level)),
            state: transition.to,
            setpoint: transition.setpoint.or(before.as_ref().filter(|_| continues).and_then(|before| before.setpoint)),
            case,
        };
        if let Some(case) = &alarm.case {
            self.list(case, &alarm, heard);
            let stood = before.filter(|_| continues).is_some_and(|before| before.state.is_standing());
            if stood && !transition.to.is_standing() && transition.change != Change::Acknowledged {
                out.push(EscalationEffect::Event(event(case, now, CaseEventKind::AlarmReturned { alarm: id.clone() })));
            }
        } else if transition.to.is_standing() {
            heard.unplaced.push(id.clone());
        }
        if !transition.to.is_standing() {
            self.quieten(id, heard);
            heard.gone.insert(id.clone());
        }
        self.observe(transition, now, heard, out);
        self.changed.insert(format!("input/{id}"));
        if transition.to == AlarmState::Normal {
            self.alarms.remove(id);
        } else {
            self.alarms.insert(id.clone(), alarm);
        }
    }

    /// A new episode began before the old one was settled: what is left of the old one is its acknowledgement.
    fn supersede_episode(&mut self, before: &AlarmNow, heard: &mut Heard) {
        let Some(case) = &before.case else { return };
        let state = if before.state.needs_acknowledgement() { AlarmState::ReturnedUnacknowledged } else { AlarmState::Normal };
        let ended = AlarmNow { state, ..before.clone() };
        self.list(case, &ended, heard);
    }

    /// Lists an episode in a case, or brings its state up to date there.
    fn list(&mut self, case: &CaseId, alarm: &AlarmNow, heard: &mut Heard) {
        if let Some(record) = self.cases.get_mut(case).filter(|record| !record.is_closed()) {
            record.list(alarm);
            heard.wants.entry(case.clone()).or_default();
        }
    }

    /// A standing alarm nobody announced, on a member of a lost gateway whose case is open, is listed there.
    fn list_with_gateway(&mut self, id: &AlarmId, heard: &mut Heard) {
        if !fits_gateway_loss(id.condition) || self.alarms.get(id).is_none_or(|alarm| alarm.case.is_some()) {
            return;
        }
        let plant = Arc::clone(&self.plant);
        let gateway = plant.tag_index(&id.tag).and_then(|index| plant.gateway_of(plant.tag(index)));
        let Some(gateway) = gateway else { return };
        let lost = AlarmId { tag: plant.tag(gateway.tag).id.clone(), condition: Condition::GatewayLost };
        let case = self.alarms.get(&lost).filter(|alarm| alarm.state.is_standing()).and_then(|alarm| alarm.case.clone());
        if let Some(case) = case {
            self.assign(id, &case, heard);
        }
    }

    /// Makes an alarm belong to a case.
    fn assign(&mut self, id: &AlarmId, case: &CaseId, heard: &mut Heard) {
        let Some(alarm) = self.alarms.get_mut(id) else { return };
        if alarm.case.as_ref() == Some(case) {
            return;
        }
        let elsewhere = alarm.case.replace(case.clone());
        let alarm = alarm.clone();
        self.changed.insert(format!("input/{id}"));
        if let Some(elsewhere) = elsewhere
            && let Some(record) = self.cases.get_mut(&elsewhere)
        {
            record.case.episodes.retain(|episode| episode.of != alarm.of);
            heard.wants.entry(elsewhere).or_default();
        }
        self.list(case, &alarm, heard);
    }

    pub(crate) fn announce(
        &mut self,
        announcement: &Announcement,
        fresh: bool,
        now: Timestamp,
        heard: &mut Heard,
        out: &mut Vec<EscalationEffect>,
    ) {
        let id = &announcement.key.alarm;
        // One that is said again on purpose, such as a re-alarm of the rules, has a step of its own.
        let fresh = fresh || announcement.key.step > 0;
        let (audience, window) = self.audience(id, now);
        let said_before = !fresh && self.alarms.get(id).is_some_and(|alarm| alarm.held.is_some());
        if !audience.is_everyone() && !said_before {
            self.hold(announcement, audience, window, now, out);
        }
        if audience == Audience::Nobody {
            return;
        }
        let standing = announcement.standing && announcement.mode != AnnounceMode::LateReturned;
        let level = if standing { self.level_with_neighbours(id, announcement.level) } else { announcement.level };
        let setpoint = self.alarms.get(id).and_then(|alarm| alarm.setpoint).or_else(|| self.configured_setpoint(id));
        let news = News {
            key: announcement.key.clone(),
            level,
            raised_at: announcement.at,
            mode: announcement.mode,
            value: announcement.value,
            setpoint,
            straggler: false,
            audience,
            // A re-alarm is there to be heard, however short its wait is beside the time of folding.
            fresh: fresh || announcement.key.step > 0,
        };
        let Some(case) = self.news(&news, now, heard, out) else { return };
        if audience >= Audience::Enterprise {
            self.started(&id.tag.enterprise, now, out);
        }
        if let Some(alarm) = self.alarms.get_mut(id) {
            alarm.level = alarm.level.max(level);
        }
        self.assign(id, &case, heard);
        self.list_announced(&case, &news, heard);
        for member in &announcement.members {
            let alarms = AlarmId { tag: member.clone(), condition: Condition::LowLow }..=AlarmId {
                tag: member.clone(),
                condition: Condition::System,
            };
            let free = self.alarms.range(alarms).filter(|(id, alarm)| alarm.case.is_none() && fits_gateway_loss(id.condition));
            for id in free.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
                self.assign(&id, &case, heard);
            }
        }
        let waiting = self.cases.get(&case).is_some_and(|record| record.waits(id));
        if standing && audience.is_everyone() && !waiting && !heard.gone.contains(id) {
            self.sound(id, &case, level, &mut heard.zones);
        }
    }

    fn exceedance(&mut self, exceedance: &LateExceedance, now: Timestamp, heard: &mut Heard, out: &mut Vec<EscalationEffect>) {
        let alarm = &exceedance.alarm;
        let (audience, window) = self.audience(alarm, now);
        if let Some(key) = exceedance.opens_case.as_ref().filter(|_| !audience.is_everyone()) {
            self.count_held(key, audience, window, now, out);
        }
        let case = match exceedance.opens_case.as_ref().filter(|_| audience > Audience::Nobody) {
            Some(key) => {
                let news = News {
                    key: key.raise(),
                    level: exceedance.level,
                    raised_at: exceedance.reading.source_time.min(now),
                    mode: AnnounceMode::LateReturned,
                    value: exceedance.reading.value,
                    setpoint: exceedance.setpoint,
                    straggler: true,
                    audience,
                    fresh: false,
                };
                let case = self.news(&news, now, heard, out);
                if let Some(case) = &case {
                    self.list_announced(case, &news, heard);
                }
                case
            }
            None => self.open.get(&(alarm.tag.enterprise.clone(), self.place(&alarm.tag))).cloned(),
        };
        if let Some(case) = case {
            out.push(EscalationEffect::Event(event(&case, now, CaseEventKind::LateExceedance { alarm: alarm.clone() })));
        }
    }

    /// Opens a case or adds to the open one; the case it belongs to, or none where it was said before.
    fn news(&mut self, news: &News, now: Timestamp, heard: &mut Heard, out: &mut Vec<EscalationEffect>) -> Option<CaseId> {
        let plant = Arc::clone(&self.plant);
        let tag = &news.key.alarm.tag;
        let key = news.key.to_string();
        let place = (tag.enterprise.clone(), self.place(tag));
        let case = match self.open.get(&place) {
            Some(case) => case.clone(),
            None if self.cases.contains_key(&CaseId::new(&key)) => return None,
            None => self.open_case(&key, place, news.level, now, heard, out),
        };
        let record = self.cases.get_mut(&case)?;
        let opened_by_this = record.case.announcements.is_empty() && record.case.id.as_str() == key;
        if record.announcement(&key).is_some() {
            return None;
        }
        let wanted = heard.wants.entry(case.clone()).or_default();
        if record.case.level < news.level {
            record.case.level = news.level;
            out.push(EscalationEffect::Event(record.event(now, CaseEventKind::LevelRose { level: news.level })));
        }
        if let Some(into) = record.fold(&plant, news).filter(|_| !news.fresh) {
            let one = &mut record.case.announcements[into];
            one.folded += 1;
            one.last_raised_at = one.last_raised_at.max(news.raised_at);
            let what = CaseEventKind::Folded { key, into: record.work.climbs[into].key.clone(), count: one.folded };
            out.push(EscalationEffect::Event(record.event(now, what)));
            return Some(case);
        }
        // A data fault is told only after the wait; its clocks start then.
        let wait = plant.policies.data_fault_wait;
        let waiting = news.key.alarm.condition.is_data_fault() && wait.0 > 0;
        let at = if waiting { now + wait } else { now };
        let (sign_by, handle_by) = Record::deadlines(&plant, news.level, at);
        let added = record.push_announcement(
            CaseAnnouncement {
                key: news.key.clone(),
                level: news.level,
                at,
                raised_at: news.raised_at,
                value: news.value,
                setpoint: news.setpoint,
                late: news.mode != AnnounceMode::Normal,
                folded: 0,
                last_raised_at: news.raised_at,
                sign_by,
                sign_missed: false,
                signed: Vec::new(),
                told: Vec::new(),
                reminded: 0,
                audience: news.audience,
            },
            ClimbState { key: key.clone(), mode: news.mode, waiting, handle_by, handled: false, tried: Vec::new(), passed: Vec::new() },
        );
        if !opened_by_this {
            out.push(EscalationEffect::Event(record.event(now, CaseEventKind::Announced { key: key.clone(), level: news.level })));
        }
        record.reopen();
        if waiting {
            record.add_timer(at, CaseTimerKind::Wait { key });
        } else {
            record.begin_climb(&plant, added, wanted);
        }
        Some(case)
    }

    fn open_case(
        &mut self,
        key: &str,
        place: (BodyId, EquipmentId),
        level: Level,
        now: Timestamp,
        heard: &mut Heard,
        out: &mut Vec<EscalationEffect>,
    ) -> CaseId {
        let id = CaseId::new(key);
        let number = self.next_number(&place.0, now);
        let case = Case {
            id: id.clone(),
            number,
            enterprise: place.0.clone(),
            equipment: place.1.clone(),
            level,
            step: CaseStep::Opened,
            opened: now,
            closed: None,
            announcements: Vec::new(),
            episodes: Vec::new(),
            tiers: Vec::new(),
            handled_by: Vec::new(),
            supervised_by: None,
            returned_count: 0,
            handle_by: None,
            timers: Vec::new(),
            first_out: None,
        };
        self.cases.insert(id.clone(), Record { case, work: crate::record::Work::default(), drained: Vec::new() });
        self.open.insert(place.clone(), id.clone());
        out.push(EscalationEffect::Event(event(&id, now, CaseEventKind::Opened { level })));
        // What was only recorded on this equipment so far belongs to its case from now on.
        let here = |alarm: &AlarmId| alarm.tag.enterprise == place.0 && self.place(&alarm.tag) == place.1;
        let free = self.alarms.iter().filter(|(alarm, now)| now.case.is_none() && here(alarm));
        for alarm in free.map(|(alarm, _)| alarm.clone()).collect::<Vec<_>>() {
            self.assign(&alarm, &id, heard);
        }
        id
    }

    /// Lists the episode of an announcement even where the alarm is normal again.
    fn list_announced(&mut self, case: &CaseId, news: &News, heard: &mut Heard) {
        let of = EpisodeRef { alarm: news.key.alarm.clone(), episode: news.key.episode };
        let listed = self.cases.get(case).is_some_and(|record| record.case.episodes.iter().any(|episode| episode.of == of));
        if !listed {
            let level = news.level;
            let gone = AlarmNow {
                of,
                level,
                state: AlarmState::Normal,
                setpoint: None,
                case: None,
                held: None,
                anew: 0,
                acknowledged_until: None,
                acknowledgement_expired: 0,
            };
            self.list(case, &gone, heard);
        }
    }

    /// The level, raised where another detector of the area stands in the same condition.
    fn level_with_neighbours(&self, id: &AlarmId, level: Level) -> Level {
        let Some(tag) = self.plant.tag_index(&id.tag).map(|index| self.plant.tag(index)) else { return level };
        let rule = tag.rule(id.condition);
        let Some(raised) = rule.and_then(|rule| rule.level_when_two) else { return level };
        let neighbour = |other: &TagId| {
            *other != id.tag && self.plant.tag_index(other).is_some_and(|index| self.plant.tag(index).equipment == tag.equipment)
        };
        let two = self
            .alarms
            .values()
            .any(|alarm| alarm.of.alarm.condition == id.condition && alarm.state.is_standing() && neighbour(&alarm.of.alarm.tag));
        if two { level.max(raised) } else { level }
    }

    fn configured_setpoint(&self, id: &AlarmId) -> Option<f64> {
        let tag = self.plant.tag(self.plant.tag_index(&id.tag)?);
        tag.rule(id.condition).filter(|_| id.condition.is_limit()).map(|rule| rule.setpoint)
    }

    /// Sounds the zone of an alarm that wants it: red, a gas upper limit, or what policy adds.
    pub(crate) fn sound(&mut self, id: &AlarmId, case: &CaseId, level: Level, zones: &mut BTreeSet<(BodyId, ZoneId)>) {
        let Some(tag) = self.plant.tag_index(&id.tag).map(|index| self.plant.tag(index)) else { return };
        let rule = tag.rule(id.condition);
        if level < Level::Red && !rule.is_some_and(|rule| rule.siren) {
            return;
        }
        let zone = tag.zone.clone().or_else(|| self.plant.equipment_of(tag).and_then(|equipment| equipment.zone.clone()));
        let Some(zone) = zone else { return };
        let at = (id.tag.enterprise.clone(), zone);
        self.zones.entry(at.clone()).or_insert_with(|| Zone::new(at.0.clone(), at.1.clone())).sound(id, case, level);
        zones.insert(at);
    }

    /// An alarm no longer stands: it sounds no siren any more.
    fn quieten(&mut self, id: &AlarmId, heard: &mut Heard) {
        for (at, zone) in &mut self.zones {
            if zone.sounding.remove(id).is_some() {
                heard.zones.insert(at.clone());
            }
        }
    }
}

impl Record {
    /// The announcement a raise is folded into: the newest of its condition that was told not longer than `fold_within` ago
    /// on the tag's time, at no lower level. One told late by message only does not swallow an alarm that is there now.
    fn fold(&self, plant: &Plant, news: &News) -> Option<usize> {
        let within = plant.policies.fold_within;
        (0..self.case.announcements.len()).rev().find(|&at| {
            let (one, climb) = (&self.case.announcements[at], &self.work.climbs[at]);
            let told = climb.mode != AnnounceMode::LateReturned || news.mode == AnnounceMode::LateReturned;
            // Folding starts at the announcement: one told late was told later than its raise says.
            let from = if climb.mode == AnnounceMode::Normal { one.raised_at } else { one.raised_at.max(one.at) };
            let earliest = if news.straggler { one.raised_at - within } else { one.raised_at };
            let in_time = earliest <= news.raised_at && news.raised_at <= from + within;
            one.key.alarm == news.key.alarm && one.level >= news.level && one.audience >= news.audience && told && in_time
        })
    }

    /// Lists an episode, or brings its state and level up to date.
    fn list(&mut self, alarm: &AlarmNow) {
        if let Some(episode) = self.case.episodes.iter_mut().find(|episode| episode.of == alarm.of) {
            episode.state = alarm.state;
            episode.level = episode.level.max(alarm.level);
            return;
        }
        if self.case.episodes.len() >= bounds::CASE_EPISODES_MAX {
            self.make_room_for_episode();
        }
        self.case.episodes.push(CaseEpisode { of: alarm.of.clone(), level: alarm.level, state: alarm.state, outcome: None });
    }

    /// Drops the oldest episode nobody owes anything on, or else the oldest that has returned. A standing one is never
    /// dropped: each alarm stands in one episode at most, so there are no more of those than conditions configured.
    fn make_room_for_episode(&mut self) {
        let settled = |episode: &CaseEpisode| episode.state == AlarmState::Normal && episode.outcome.is_some();
        let returned = |episode: &CaseEpisode| !episode.state.is_standing();
        let episodes = &self.case.episodes;
        if let Some(at) = episodes.iter().position(settled).or_else(|| episodes.iter().position(returned)) {
            self.case.episodes.remove(at);
        }
    }
}

/// Whether a member's own alarm is one that the loss of its gateway explains.
const fn fits_gateway_loss(condition: Condition) -> bool {
    condition.is_data_fault() || matches!(condition, Condition::Low | Condition::LowLow)
}

fn event(case: &CaseId, at: Timestamp, what: CaseEventKind) -> CaseEvent {
    CaseEvent { case: case.clone(), at, what, act: None, by: None, tier: None, comment: String::new() }
}
