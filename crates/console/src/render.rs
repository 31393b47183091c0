//! From the words of `model` to the JSON of the API, for one login: names filled in, "answered" and allowed acts as seen from
//! its tier.

use crate::access::Viewer;
use crate::json::{
    AlarmJson, AlarmRefJson, AnnouncementJson, CaseEpisodeJson, CaseJson, CaseTierJson, CountsJson, EpisodeJson, KeyJson, LimitsJson,
    LinkJson, MeJson, MessageJson, NamedPersonJson, NextJson, OutcomeJson, OverviewJson, PersonJson, RationaleJson, SignatureJson, TagJson,
    TierJson, ToldJson, WorstJson,
};
use crate::routes::App;
use crate::{LiveAlarm, LiveView, Message, Steered, words};
use model::plant::{Equipment, Person, Plant, Signal, Tag};
use model::{
    AlarmId, BodyId, Case, CaseAnnouncement, CaseTimerKind, Condition, Episode, EquipmentId, GatewayIndex, Level, PersonId, Quality, TagId,
    TagIndex, Tier, TransitionKey, Window,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

/// Makes JSON for one login.
pub(crate) struct Render<'a> {
    pub app: &'a App,
    pub viewer: &'a Viewer,
}

impl Render<'_> {
    /// The configuration as this login was let in under it: one answer is all of one plant.
    pub fn plant(&self) -> &Arc<Plant> {
        &self.viewer.plant
    }

    pub fn me(&self) -> MeJson {
        let account = &self.viewer.account;
        MeJson {
            person: account.person.to_string(),
            name: self.person_name(&account.person),
            username: account.username.clone(),
            role: account.role,
            body: account.body.as_ref().map(ToString::to_string),
            body_name: account.body.as_ref().map(|body| body_name(self.plant(), body)),
            tier: self.viewer.tier.map(|tier| tier.0),
        }
    }

    pub fn overview(&self) -> OverviewJson {
        let view = &self.app.view;
        let (seq, alarms, cases) = view.standing();
        let mut counts = CountsJson::default();
        let mut unanswered = 0;
        for case in cases.iter().filter(|case| self.viewer.sees(&case.enterprise)) {
            match case.level {
                Level::Red => counts.red += 1,
                Level::Orange => counts.orange += 1,
                Level::Yellow => counts.yellow += 1,
                Level::Blue => counts.blue += 1,
            }
            unanswered += usize::from(!answered(case, self.viewer.eyes()));
        }
        let seen = alarms.iter().filter(|alarm| self.viewer.sees(&alarm.id.tag.enterprise));
        let standing: Vec<_> = seen.filter(|alarm| alarm.state.is_standing()).collect();
        let gateways = self.troubled_gateways(&alarms);
        let explained = standing.iter().filter(|alarm| self.is_explained(alarm, &gateways)).count();
        let blind: Vec<_> = standing.iter().filter(|alarm| says_no_data(alarm.id.condition)).map(|alarm| &alarm.id.tag).collect();
        let (mut tags, mut tags_bad, mut tags_never_seen) = (0, 0, 0);
        for (index, tag) in self.tags().filter(|(_, tag)| is_measured(tag) && tag.in_service) {
            tags += 1;
            let value = view.value(self.plant(), index);
            tags_never_seen += usize::from(value.is_none() && view.first_seen(self.plant(), index).is_none());
            let bad = value.is_some_and(|value| value.quality == Quality::Bad);
            // The alarms are in the order of their tags.
            tags_bad += usize::from(bad || blind.binary_search(&&tag.id).is_ok());
        }
        let (suppressed, suppressed_standing) = self.suppressed_counts();
        OverviewJson {
            now: self.app.now(),
            seq,
            demo: self.app.settings.demo,
            time_factor: self.app.settings.time_factor,
            scene: self.app.settings.scene.read().unwrap_or_else(PoisonError::into_inner).clone(),
            link: view.links().into_iter().map(|(source, up, since)| LinkJson { source, up, since: since.as_millis() }).collect(),
            counts,
            unanswered,
            standing_alarms: standing.len() - explained,
            explained_alarms: explained,
            suppressed,
            suppressed_standing,
            tags,
            tags_bad,
            windows: self.window_counts(),
            floods: self.floods(),
            tags_never_seen,
            tiers: (0u8..)
                .zip(&self.plant().tiers)
                .map(|(tier, name)| TierJson { tier, zh: name.zh.clone(), en: name.en.clone() })
                .collect(),
            utc_offset_ms: self.plant().utc_offset.as_micros() / 1_000,
        }
    }

    /// Gateways that have an alarm of their own, by their place in the plant.
    fn troubled_gateways(&self, alarms: &[Arc<LiveAlarm>]) -> BTreeSet<GatewayIndex> {
        let own = alarms.iter().filter(|alarm| is_of_gateway(alarm.id.condition));
        own.filter_map(|alarm| self.gateway(&alarm.id)).collect()
    }

    /// Whether nobody was told of an alarm because one of its gateway explains it. The pages fold by the same rule. An upper
    /// limit is never explained by a gateway, and what was kept from being told by design has that for its reason.
    fn is_explained(&self, alarm: &LiveAlarm, gateways: &BTreeSet<GatewayIndex>) -> bool {
        let by_design = alarm.marks.suppressed || alarm.marks.untold > 0;
        let explained = |gateway| gateways.contains(&gateway);
        !alarm.told && !by_design && !alarm.id.condition.is_high_side() && self.gateway(&alarm.id).is_some_and(explained)
    }

    fn gateway(&self, alarm: &AlarmId) -> Option<GatewayIndex> {
        self.plant().tag_index(&alarm.tag).and_then(|index| self.plant().tag(index).gateway)
    }

    /// The tags this login sees, by id. Tags of one enterprise stand together, so it is asked once per enterprise.
    pub fn tags(&self) -> impl Iterator<Item = (TagIndex, &Tag)> {
        let mut last: Option<(&BodyId, bool)> = None;
        (0u32..).map(TagIndex).zip(&self.plant().tags).filter(move |(_, tag)| match last {
            Some((enterprise, sees)) if *enterprise == tag.id.enterprise => sees,
            _ => {
                let sees = self.viewer.sees(&tag.id.enterprise);
                last = Some((&tag.id.enterprise, sees));
                sees
            }
        })
    }

    pub fn case(&self, case: &Case) -> CaseJson {
        let plant = self.plant();
        let actor = self.viewer.actor().filter(|_| case.closed.is_none());
        CaseJson {
            id: case.id.to_string(),
            number: case.number.clone(),
            enterprise: case.enterprise.to_string(),
            enterprise_name: body_name(plant, &case.enterprise),
            equipment: case.equipment.to_string(),
            equipment_name: equipment_name(plant, &case.enterprise, &case.equipment),
            level: case.level,
            step: case.step,
            opened: case.opened.as_millis(),
            closed: case.closed.map(|at| at.as_millis()),
            handle_by: case.handle_by.map(|at| at.as_millis()),
            answered: answered(case, self.viewer.eyes()),
            supervised: case.supervised_by.is_some(),
            returned_count: case.returned_count,
            announcements: case.announcements.iter().map(|announcement| self.announcement(announcement)).collect(),
            episodes: case
                .episodes
                .iter()
                .map(|episode| CaseEpisodeJson {
                    alarm: alarm_ref(&episode.of.alarm),
                    episode: self::episode(episode.of.episode),
                    condition_zh: episode.of.alarm.condition.name_zh(),
                    level: episode.level,
                    state: episode.state,
                    outcome: episode.outcome.as_ref().map(|(outcome, person, at)| OutcomeJson {
                        outcome: *outcome,
                        zh: outcome.name_zh(),
                        person: person.to_string(),
                        name: self.person_name(person),
                        at: at.as_millis(),
                    }),
                })
                .collect(),
            tiers: case
                .tiers
                .iter()
                .map(|progress| CaseTierJson {
                    tier: progress.tier.0,
                    body: progress.body.to_string(),
                    body_name: body_name(plant, &progress.body),
                    told: progress.told.map(|at| at.as_millis()),
                    reached: progress.reached.map(|at| at.as_millis()),
                    passed: progress.passed,
                })
                .collect(),
            first_out: case.first_out.as_ref().map(alarm_ref),
            next: next(case),
            acts: actor.map(|actor| self.app.engine.may(case, &actor)).unwrap_or_default(),
        }
    }

    fn announcement(&self, of: &CaseAnnouncement) -> AnnouncementJson {
        let plant = self.plant();
        let alarm = &of.key.alarm;
        let tag = plant.tag_index(&alarm.tag).map(|index| plant.tag(index));
        let text = words::announcement(plant, alarm, of.value, of.setpoint);
        AnnouncementJson {
            key: key(&of.key),
            key_text: of.key.to_string(),
            text_zh: text.zh,
            text_en: text.en,
            tag: alarm.tag.to_string(),
            tag_name: tag.map_or_else(|| alarm.tag.tag.to_string(), |tag| tag.name.to_string()),
            condition: alarm.condition,
            level: of.level,
            at: of.at.as_millis(),
            raised_at: of.raised_at.as_millis(),
            value: of.value,
            setpoint: of.setpoint,
            unit: tag.map_or_else(String::new, |tag| tag.unit.clone()),
            rationale: tag.and_then(|tag| rationale(tag, alarm.condition)),
            late: of.late,
            folded: of.folded,
            sign_by: of.sign_by.as_millis(),
            sign_missed: of.sign_missed,
            reminded: of.reminded,
            audience: of.audience,
            signed: of
                .signed
                .iter()
                .map(|signature| SignatureJson {
                    tier: signature.tier.0,
                    person: signature.person.to_string(),
                    name: self.person_name(&signature.person),
                    at: signature.at.as_millis(),
                })
                .collect(),
            told: of.told.iter().map(|(tier, at)| ToldJson { tier: tier.0, at: at.as_millis() }).collect(),
        }
    }

    pub fn alarm(&self, alarm: &LiveAlarm) -> AlarmJson {
        let plant = self.plant();
        let tag = plant.tag_index(&alarm.id.tag).map(|index| plant.tag(index));
        let equipment = tag.and_then(|tag| plant.equipment_of(tag));
        AlarmJson {
            tag: alarm.id.tag.to_string(),
            condition: alarm.id.condition,
            condition_zh: alarm.id.condition.name_zh(),
            level: alarm.level,
            state: alarm.state,
            since: alarm.since.as_millis(),
            value: alarm.value,
            setpoint: alarm.setpoint,
            unit: tag.map_or_else(String::new, |tag| tag.unit.clone()),
            rationale: tag.and_then(|tag| rationale(tag, alarm.id.condition)),
            late: alarm.late,
            episode: episode(alarm.episode),
            case: alarm.case.as_ref().map(ToString::to_string),
            marks: alarm.marks,
            suppressed_by: self.suppressed_by(&alarm.suppressed_by),
            told: alarm.told,
            gateway: tag.and_then(|tag| plant.gateway_of(tag)).map(|gateway| plant.tag(gateway.tag).id.to_string()),
            enterprise_name: body_name(plant, &alarm.id.tag.enterprise),
            equipment_name: equipment.map_or_else(String::new, |equipment| equipment.name.to_string()),
            tag_name: tag.map_or_else(|| alarm.id.tag.tag.to_string(), |tag| tag.name.to_string()),
        }
    }

    pub fn tag(&self, index: TagIndex, tag: &Tag, beside: &TagBeside) -> TagJson {
        let plant = self.plant();
        let equipment = plant.equipment_of(tag);
        let value = self.app.view.value(self.plant(), index);
        let mode = equipment.and_then(|equipment| self.mode_of(equipment, &beside.steered));
        TagJson {
            tag: tag.id.to_string(),
            enterprise: tag.id.enterprise.to_string(),
            enterprise_name: body_name(plant, &tag.id.enterprise),
            name: tag.name.to_string(),
            signal: signal_name(tag.signal),
            signal_zh: tag.signal.name_zh(),
            unit: tag.unit.clone(),
            decimals: tag.decimals,
            equipment: equipment.map_or_else(String::new, |equipment| equipment.id.to_string()),
            equipment_name: equipment.map_or_else(String::new, |equipment| equipment.name.to_string()),
            gateway: plant.gateway_of(tag).map(|gateway| gateway.id.to_string()),
            range: tag.range,
            labels: tag.labels.clone(),
            in_service: tag.in_service,
            marks: self.tag_marks(&beside.windows, tag),
            basis: tag.basis.clone(),
            limits: limits(tag, 0),
            limits_in_force: limits(tag, mode.as_ref().map_or(0, |(place, _)| *place)),
            mode: mode.map(|(_, mode)| mode),
            suppressed: beside.steered.suppressed_of(&tag.id).map(|one| one.alarm.condition).collect(),
            value: value.and_then(|value| value.value),
            quality: value.map(|value| value.quality),
            source_time: value.map(|value| value.source_time.as_millis()),
            receive_time: value.map(|value| value.receive_time.as_millis()),
            worst: beside.worst.get(&tag.id).map(|alarm| WorstJson {
                condition: alarm.id.condition,
                level: alarm.level,
                state: alarm.state,
            }),
        }
    }

    /// Whether this login may see a message: what it says belongs to an enterprise it oversees, and its recipient is not above.
    pub fn sees_message(&self, message: &Message) -> bool {
        let notification = &message.notification;
        self.viewer.sees(&notification.alarm.tag.enterprise) && self.viewer.sees_person(&notification.key.recipient)
    }

    pub fn message(&self, message: &Message) -> MessageJson {
        let notification = &message.notification;
        let key = &notification.key;
        let case = self.app.view.case(&key.case);
        let answered = case.as_ref().is_some_and(|case| {
            case.closed.is_some()
                || case.announcements.iter().any(|announcement| {
                    announcement.signed.iter().any(|signature| signature.tier == key.tier)
                        && announcement.key.to_string() == key.announcement
                })
        });
        let said = words::answer(&message.answer);
        MessageJson {
            key: key.to_string(),
            case: key.case.to_string(),
            case_number: case.map(|case| case.number.clone()),
            person: key.recipient.to_string(),
            channel: key.channel.to_string(),
            channel_kind: self.plant().channel(&key.channel).map(|channel| channel.kind),
            purpose: key.purpose,
            level: notification.level,
            at: notification.at.as_millis(),
            words: message.words.clone(),
            status: message.status,
            answer: message.answer.clone(),
            answer_zh: said.zh,
            answer_en: said.en,
            attempts: message.attempts,
            answered,
            repeat: key.repeat,
        }
    }

    pub fn person(&self, id: &PersonId) -> PersonJson {
        let plant = self.plant();
        let person = plant.person(id);
        let body = person.and_then(|person| plant.body(&person.body));
        PersonJson {
            person: id.to_string(),
            name: self.person_name(id),
            body_name: body.map_or_else(String::new, |body| body.name.clone()),
            tier: body.map(|body| body.tier.0),
            duty_phone: person.is_some_and(|person| person.is_duty_phone),
            phone: self.app.settings.phones.get(id).cloned(),
        }
    }

    /// The people of one enterprise, or all whom this login sees, who can be named.
    pub fn people(&self, enterprise: Option<&str>) -> Vec<NamedPersonJson> {
        let wanted = |person: &&Person| {
            !person.is_duty_phone
                && enterprise.is_none_or(|enterprise| person.body.as_str() == enterprise)
                && self.viewer.sees_person(&person.id)
        };
        let named = |person: &Person| NamedPersonJson {
            id: person.id.to_string(),
            name: person.name.clone(),
            body: person.body.to_string(),
            body_name: body_name(self.plant(), &person.body),
        };
        self.plant().people.iter().filter(wanted).map(named).collect()
    }

    pub fn person_name(&self, id: &PersonId) -> String {
        self.plant().person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }
}

/// What is shown with tags and belongs to many of them.
pub(crate) struct TagBeside {
    worst: BTreeMap<TagId, Arc<LiveAlarm>>,
    windows: Vec<Arc<Window>>,
    steered: Arc<Steered>,
}

impl TagBeside {
    pub fn now(view: &LiveView) -> Self {
        let (_, alarms, _) = view.standing();
        let (_, windows, _) = view.beside();
        Self { worst: worst_by_tag(alarms), windows, steered: view.steered() }
    }
}

/// The setpoints of a tag in a mode of its equipment. A condition that means nothing in it keeps its own: its raises are recorded by that.
fn limits(tag: &Tag, mode: u8) -> LimitsJson {
    let limit = |of: Condition| {
        let rule = tag.rule(of)?;
        let other = rule.extra.as_ref().and_then(|extra| extra.modes.iter().find(|limit| limit.mode == mode)?.limit);
        Some(other.map_or(rule.setpoint, |limit| limit.setpoint))
    };
    LimitsJson {
        low_low: limit(Condition::LowLow),
        low: limit(Condition::Low),
        high: limit(Condition::High),
        high_high: limit(Condition::HighHigh),
    }
}

/// The worst standing or unseen alarm per tag.
fn worst_by_tag(alarms: Vec<Arc<LiveAlarm>>) -> BTreeMap<TagId, Arc<LiveAlarm>> {
    let mut worst: BTreeMap<_, Arc<LiveAlarm>> = BTreeMap::new();
    let rank = |alarm: &LiveAlarm| (alarm.state.is_standing(), alarm.level, alarm.state.needs_acknowledgement());
    for alarm in alarms {
        let entry = worst.entry(alarm.id.tag.clone()).or_insert_with(|| alarm.clone());
        if rank(&alarm) > rank(entry) {
            *entry = alarm;
        }
    }
    worst
}

/// Whether a tier has signed everything of a case it was told of. The enterprise counts as told once the wait of a data fault
/// is over, whether or not a message reached anybody: the page is a way of telling it.
pub(crate) fn answered(case: &Case, tier: Tier) -> bool {
    let waits = |text: &str| case.timers.iter().any(|timer| matches!(&timer.kind, CaseTimerKind::Wait { key } if key == text));
    let passed = case.tiers.iter().any(|progress| progress.tier == tier && progress.passed);
    case.closed.is_some()
        || case.announcements.iter().all(|announcement| {
            let signed = announcement.signed.iter().any(|signature| signature.tier == tier);
            let told = passed
                || announcement.told.iter().any(|(told, _)| *told == tier)
                || (tier == Tier::ENTERPRISE && !waits(&announcement.key.to_string()));
            signed || !told
        })
}

/// The obligation that comes next, for the countdown.
pub(crate) fn next(case: &Case) -> Option<NextJson> {
    let worded = case.timers.iter().filter_map(|timer| {
        let (what, tier) = match &timer.kind {
            CaseTimerKind::Wait { .. } => ("wait", None),
            CaseTimerKind::Tell { tier, .. } => ("tell", Some(tier.0)),
            CaseTimerKind::Sign { .. } => ("sign", Some(Tier::ENTERPRISE.0)),
            CaseTimerKind::Remind { .. } => ("remind", None),
            CaseTimerKind::Handle => ("handle", None),
            // A retry on another channel is the notifier's business, not a deadline of people.
            CaseTimerKind::Answer { .. } => return None,
        };
        Some((timer.due, NextJson { at: timer.due.as_millis(), what, tier }))
    });
    worded.min_by_key(|(due, _)| *due).map(|(_, next)| next)
}

pub(crate) fn body_name(plant: &Plant, id: &BodyId) -> String {
    plant.body(id).map_or_else(|| id.to_string(), |body| body.name.clone())
}

fn equipment_name(plant: &Plant, enterprise: &BodyId, id: &EquipmentId) -> String {
    let by = |equipment: &Equipment| (&equipment.enterprise, &equipment.id).cmp(&(enterprise, id));
    plant.equipment.binary_search_by(by).map_or_else(|_| id.to_string(), |at| plant.equipment[at].name.to_string())
}

/// A tag of the plant itself, not a gateway's or the engine's own.
pub(crate) fn is_measured(tag: &Tag) -> bool {
    !matches!(tag.signal, Signal::Gateway | Signal::System)
}

/// An alarm a gateway has of itself.
/// What the rationalisation of a tag's condition says.
fn rationale(tag: &Tag, condition: Condition) -> Option<RationaleJson> {
    let rule = tag.rule(condition)?;
    rule.rationale.as_ref().map(|rationale| RationaleJson {
        cause: rationale.cause.clone(),
        consequence: rationale.consequence.clone(),
        response: rationale.response.clone(),
        respond_within_s: rationale.time_to_respond.map(|within| within.as_secs()),
    })
}

fn is_of_gateway(condition: Condition) -> bool {
    matches!(condition, Condition::GatewayLost | Condition::WrongClock)
}

fn says_no_data(condition: Condition) -> bool {
    matches!(condition, Condition::Stale | Condition::BadQuality)
}

fn signal_name(signal: Signal) -> String {
    // A unit variant always serialises to its name.
    serde_json::to_value(signal).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn alarm_ref(alarm: &AlarmId) -> AlarmRefJson {
    AlarmRefJson { tag: alarm.tag.to_string(), condition: alarm.condition }
}

fn episode(episode: Episode) -> EpisodeJson {
    EpisodeJson { since: episode.since.as_micros(), count: episode.count }
}

fn key(key: &TransitionKey) -> KeyJson {
    KeyJson { alarm: alarm_ref(&key.alarm), episode: episode(key.episode), step: key.step }
}
