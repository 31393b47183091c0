//! What is written down, and how it is read again after a restart.
//!
//! Hard rows are written in the transaction of the change that made them: alarm, running delay, latch, held announcement, clock verdict,
//! and with each the tag's newest reading, so that a redelivered reading that made a change is known again. Soft rows (newest readings,
//! silence clocks, evidence) are checkpoints: losing the last ones may delay a data fault, never raise, clear or repeat one. The newer
//! of the two is told by the revision, which goes up with every writing.
//!
//! Reading them back causes no transition. What stood and is no longer configured is retired at the first step.

use crate::Rules;
use crate::bygone::Left;
use crate::clock::{Evidence, Verdict};
use crate::effects::Said;
use crate::former::{Former, Stored};
use crate::listening::Listening;
use crate::motion::{Motion, MotionRow};
use crate::row::TagView;
use crate::second::UNSTATED;
use crate::slot::Slot;
use crate::tag::{Fall, FormerMode, Newest, TagState};
use expr::WindowParts;
use model::{
    AlarmEffect, AlarmId, AlarmState, Change, Condition, Duration, Episode, Level, Plant, Quality, ReadingRecord, TagId, TagIndex,
    Timestamp, Transition, TransitionKey,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

const TAG: &str = "rules/tag/";
const GATEWAY: &str = "rules/gateway/";
/// Of all that are on record no more one by one.
const BYGONE_FALLEN: &str = "rules/bygone";
const BYGONE: &str = "rules/bygone/";
const SOFT_LISTENING: &str = "rules/soft/listening";
const SOFT_GATEWAY: &str = "rules/soft/gateway/";
const SOFT_CALCULATED: &str = "rules/soft/calculated";

/// A stored row that cannot be read: the store was written by something else or is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    /// The row's key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rules state row `{}`: {}", self.key, self.reason)
    }
}

impl std::error::Error for RestoreError {}

/// Hard state of one tag.
#[derive(Serialize, Deserialize)]
struct TagRow {
    revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Newest>,
    heard: Timestamp,
    #[serde(default, skip_serializing_if = "is_zero")]
    granted: Duration,
    advanced: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    silent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fall: Option<(Fall, Timestamp)>,
    slots: BTreeMap<Condition, Slot>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<ReadingRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept_due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    marks: Vec<ReadingRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    motion: Option<MotionRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warm_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_modes: Vec<FormerMode>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowParts>,
    /// What its value means; see [`crate::second::Second::meaning`].
    #[serde(default)]
    meaning: u32,
}

/// Hard state of one gateway.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct GatewayRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost_members: Vec<TagId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    back: Vec<TagId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inhibited: Vec<TagId>,
    lost_since: Timestamp,
}

/// One tag in a checkpoint, as an array to keep it short: revision, time, source time, receive time, value, quality, sequence, ahead,
/// heard, advanced, silent, fall, granted, meaning.
#[derive(Serialize, Deserialize)]
struct SoftTag(
    u64,
    Timestamp,
    Timestamp,
    Timestamp,
    Option<f64>,
    Quality,
    Option<u64>,
    Option<Timestamp>,
    Timestamp,
    Timestamp,
    bool,
    Option<(Fall, Timestamp)>,
    #[serde(default)] Duration,
    #[serde(default)] u32,
);

/// The checkpoint of all calculated tags.
#[derive(Default, Serialize, Deserialize)]
struct SoftCalculatedRow {
    revision: u64,
    tags: BTreeMap<String, SoftCalculated>,
}

/// One calculated tag in a checkpoint.
#[derive(Serialize, Deserialize)]
struct SoftCalculated {
    newest: Newest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    motion: Option<MotionRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowParts>,
    #[serde(default)]
    meaning: u32,
}

/// The checkpoint of one gateway and its tags.
#[derive(Serialize, Deserialize)]
struct SoftGatewayRow {
    evidence: Evidence,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_heard: Option<Timestamp>,
    last_current: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown_last: Option<Timestamp>,
    tags: BTreeMap<String, SoftTag>,
    /// How those move that have a condition on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    motions: BTreeMap<String, MotionRow>,
}

/// An alarm that stood and is no longer configured.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The row to delete when its tag is gone altogether.
    row: Option<String>,
    alarm: Option<(AlarmId, Slot)>,
}

impl Gone {
    /// An alarm that is to be retired.
    pub fn alarm(alarm: AlarmId, slot: Slot) -> Self {
        Self { row: None, alarm: Some((alarm, slot)) }
    }
    /// The row of a tag that is gone.
    pub fn tag_row(tag: &TagId) -> Self {
        Self { row: Some(format!("{TAG}{tag}")), alarm: None }
    }
    /// The row of a gateway that is gone.
    pub fn gateway_row(gateway: &model::plant::Gateway) -> Self {
        Self { row: Some(format!("{GATEWAY}{}/{}", gateway.enterprise, gateway.id)), alarm: None }
    }
    /// An alarm that is still to be retired.
    pub fn stands(&self) -> bool {
        self.alarm.is_some()
    }
}

impl Rules {
    /// Continues after a restart. Causes no transition; not listening until [`crate::Input::Link`], deadlines wait for
    /// [`crate::Input::Drained`]. Rows of others are ignored.
    pub fn restore(
        plant: Arc<Plant>,
        hard: &[(String, Vec<u8>)],
        soft: &[(String, Vec<u8>)],
        now: Timestamp,
    ) -> Result<Self, RestoreError> {
        let mut rules = Self::new(plant, now);
        rules.drained = false;
        let listened = soft.iter().find(|(key, _)| key == SOFT_LISTENING).map(|(key, bytes)| parse(key, bytes)).transpose()?;
        rules.listening = Listening::down(listened.unwrap_or(Timestamp(0)), now);
        let mut revisions = vec![0; rules.tags.len()];
        let (mut forgotten, mut anew, mut former) = (BTreeSet::new(), BTreeSet::new(), Stored::default());
        for (key, bytes) in hard {
            if let Some(name) = key.strip_prefix(TAG) {
                let row: TagRow = parse(key, bytes)?;
                rules.revision = rules.revision.max(row.revision);
                if let Some(index) = TagId::parse(name).and_then(|id| rules.plant.tag_index(&id)) {
                    revisions[index.at()] = row.revision;
                }
                forgotten.extend(rules.take_tag(key, name, row, &mut anew)?);
            } else if let Some(name) = key.strip_prefix(GATEWAY) {
                let row: GatewayRow = parse(key, bytes)?;
                match rules.find_gateway(name) {
                    Some(at) => {
                        let state = &mut rules.gateways[at];
                        state.verdict = row.verdict;
                        state.has_row = true;
                        state.lost_since = row.lost_since;
                        state.lost_members = row.lost_members.iter().filter_map(|id| rules.plant.tag_index(id)).collect();
                        state.back = row.back.iter().filter_map(|id| rules.plant.tag_index(id)).collect();
                        let inhibited = row.inhibited.iter().filter_map(|id| rules.plant.tag_index(id));
                        let inhibited = inhibited.filter(|tag| rules.is_told_by(*tag, at)).collect();
                        rules.gateways[at].inhibited = inhibited;
                    }
                    None => rules.gone.push(Gone { row: Some(key.clone()), alarm: None }),
                }
            } else if let Some(name) = key.strip_prefix(BYGONE) {
                let tag = TagId::parse(name).ok_or_else(|| unnamed(key))?;
                rules.bygone.set(tag, parse::<Left>(key, bytes)?);
            } else if key == BYGONE_FALLEN {
                rules.bygone.set_fallen(parse(key, bytes)?);
            } else {
                former.take(key, bytes).map_err(|error| unreadable(key, &error))?;
            }
        }
        rules.formers = former.of(&rules.plant);
        for (key, bytes) in soft {
            if let Some(name) = key.strip_prefix(SOFT_GATEWAY) {
                let row: SoftGatewayRow = parse(key, bytes)?;
                rules.revision = row.tags.values().map(|tag| tag.0).fold(rules.revision, u64::max);
                if let Some(at) = rules.find_gateway(name) {
                    rules.take_soft(at, row, &mut revisions, &mut anew);
                }
            }
        }
        if let Some((key, bytes)) = soft.iter().find(|(key, _)| key == SOFT_CALCULATED) {
            rules.take_soft_calculated(parse(key, bytes)?, &revisions, &mut anew);
        }
        rules.resume(now);
        for index in rules.second.tags().filter(|index| anew.contains(index) && rules.tag(*index).newest().is_none()).collect::<Vec<_>>() {
            rules.calculate_anew(index);
        }
        rules.resume_second();
        forgotten.extend(anew);
        rules.dirty = forgotten;
        rules.set_wake();
        Ok(rules)
    }

    /// Appends the hard rows that changed since the last call; none deletes.
    pub fn drain_changed(&mut self, out: &mut Vec<(String, Option<Vec<u8>>)>) {
        self.revision += 1;
        for index in std::mem::take(&mut self.dirty) {
            let tag = self.plant.tag(index);
            let windows = if tag.calculation.is_some() { self.second.windows(index) } else { Vec::new() };
            let row = tag_row(self.revision, self.tag(index), tag, windows, self.second.meaning(&self.plant, index));
            out.push((format!("{TAG}{}", tag.id), Some(bytes(&row))));
        }
        for (at, gateway) in self.plant.gateways.iter().enumerate() {
            let state = self.gateways.for_writing(at);
            if std::mem::take(&mut state.changed) {
                let key = format!("{GATEWAY}{}/{}", gateway.enterprise, gateway.id);
                let id = |member: &TagIndex| self.plant.tag(*member).id.clone();
                let row = GatewayRow {
                    verdict: state.verdict,
                    lost_members: state.lost_members.iter().map(id).collect(),
                    back: state.back.iter().map(id).collect(),
                    inhibited: state.inhibited.iter().map(id).collect(),
                    lost_since: state.lost_since,
                };
                let needed = row.verdict.is_some() || !row.lost_members.is_empty() || !row.inhibited.is_empty();
                if needed {
                    out.push((key, Some(bytes(&row))));
                } else if state.has_row {
                    out.push((key, None));
                }
                state.has_row = needed;
            }
        }
        self.formers.drain(&self.plant, out);
        for tag in self.bygone.take_changed() {
            out.push(match tag {
                Some(tag) => (format!("{BYGONE}{tag}"), self.bygone.of(&tag).map(bytes)),
                None => (BYGONE_FALLEN.to_owned(), self.bygone.fallen().as_ref().map(bytes)),
            });
        }
        // A row is deleted only once its alarms have been retired.
        self.gone.retain_mut(|gone| {
            if gone.alarm.is_none() {
                out.extend(gone.row.take().map(|key| (key, None)));
            }
            gone.alarm.is_some()
        });
    }

    /// Appends the checkpoint rows of gateways that sent something since the last call.
    pub fn drain_soft(&mut self, out: &mut Vec<(String, Vec<u8>)>) {
        self.revision += 1;
        let listened = self.listening.at(self.now);
        out.push((SOFT_LISTENING.to_owned(), bytes(&listened)));
        for (at, gateway) in self.plant.gateways.iter().enumerate() {
            if !self.gateways.take_soft_changed(at) {
                continue;
            }
            let motion = |member: &TagIndex| {
                let motion = self.tag(*member).rest.motion.as_ref()?;
                Some((self.plant.tag(*member).id.to_string(), motion.row()))
            };
            let state = &self.gateways[at];
            let tags = gateway
                .members
                .iter()
                .filter_map(|member| {
                    let tag = self.tag(*member);
                    let newest = tag.newest()?;
                    let record = newest.record;
                    let row = SoftTag(
                        self.revision,
                        newest.time,
                        record.source_time,
                        record.receive_time,
                        record.value,
                        record.quality,
                        record.sequence,
                        newest.ahead,
                        tag.heard(),
                        tag.advanced(),
                        tag.rest.silent,
                        tag.rest.fall,
                        tag.granted(),
                        self.second.meaning(&self.plant, *member),
                    );
                    Some((self.plant.tag(*member).id.to_string(), row))
                })
                .collect();
            let row = SoftGatewayRow {
                evidence: state.evidence.clone(),
                first_heard: state.first_heard,
                last_current: self.gateways.last_current(at),
                unknown_last: state.unknown_last,
                tags,
                motions: gateway.members.iter().filter_map(motion).collect(),
            };
            out.push((format!("{SOFT_GATEWAY}{}/{}", gateway.enterprise, gateway.id), bytes(&row)));
        }
        self.drain_soft_calculated(out);
    }

    /// Appends the checkpoint of the calculated tags, if there are any.
    fn drain_soft_calculated(&self, out: &mut Vec<(String, Vec<u8>)>) {
        let tags: BTreeMap<_, _> = self
            .second
            .tags()
            .filter_map(|index| {
                let view = self.tag(index);
                let motion = view.rest.motion.as_ref().map(|motion| motion.row());
                let (windows, meaning) = (self.second.windows(index), self.second.meaning(&self.plant, index));
                let row = SoftCalculated { newest: view.newest()?, motion, windows, meaning };
                Some((self.plant.tag(index).id.to_string(), row))
            })
            .collect();
        if !tags.is_empty() {
            out.push((SOFT_CALCULATED.to_owned(), bytes(&SoftCalculatedRow { revision: self.revision, tags })));
        }
    }

    /// Whether a stored value still means what it meant: of one unit, and measured or calculated by the same formulas.
    fn means(&self, index: TagIndex, stored: u32) -> bool {
        stored == UNSTATED || stored == self.second.meaning(&self.plant, index)
    }

    fn take_soft_calculated(&mut self, row: SoftCalculatedRow, revisions: &[u64], anew: &mut BTreeSet<TagIndex>) {
        self.revision = self.revision.max(row.revision);
        for (id, soft) in row.tags {
            let Some(index) = TagId::parse(&id).and_then(|id| self.plant.tag_index(&id)) else { continue };
            if self.plant.tag(index).calculation.is_none() || row.revision < revisions[index.at()] {
                continue;
            }
            if !self.means(index, soft.meaning) {
                anew.insert(index);
                continue;
            }
            let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
            tag.newest = Some(soft.newest);
            tag.motion = soft.motion.and_then(|row| Motion::resume(self.plant.tag(index), row));
            self.tags.close(index, tag, None, false);
            self.second.resume(index, soft.windows);
        }
    }

    fn find_gateway(&self, name: &str) -> Option<usize> {
        let (enterprise, id) = name.split_once('/')?;
        self.plant.gateways.binary_search_by(|gateway| (gateway.enterprise.as_str(), gateway.id.as_str()).cmp(&(enterprise, id))).ok()
    }

    /// Names the tag if a part of its row is not taken up: the row is to be written anew, lest a running delay come back with its condition.
    /// What is calculated otherwise now goes into `anew` and takes up no value.
    fn take_tag(&mut self, key: &str, name: &str, row: TagRow, anew: &mut BTreeSet<TagIndex>) -> Result<Option<TagIndex>, RestoreError> {
        let id = TagId::parse(name).ok_or_else(|| unnamed(key))?;
        let index = self.plant.tag_index(&id);
        let in_service = index.is_some_and(|index| self.plant.tag(index).in_service);
        let (mut state, mut forgotten) = (TagState::default(), None);
        if let Some(index) = index {
            state = self.tags.open(index, self.plant.tag(index).conditions.len());
        }
        for (condition, slot) in row.slots {
            let place = index.and_then(|index| self.plant.tag(index).conditions.iter().position(|rule| rule.condition == condition));
            match (index, place) {
                (Some(index), Some(place)) if in_service => {
                    if !slot.is_sound() {
                        self.unsound.push((index, place));
                    }
                    state.slots[place] = slot;
                }
                _ => {
                    self.bygone.left(&id, condition, &slot, self.now);
                    if slot.state == AlarmState::Normal {
                        forgotten = index;
                    } else {
                        self.gone.push(Gone::alarm(AlarmId { tag: id.clone(), condition }, slot));
                    }
                }
            }
        }
        let Some(index) = index else {
            self.gone.push(Gone { row: Some(key.to_owned()), alarm: None });
            return Ok(None);
        };
        let means = self.means(index, row.meaning);
        if !means && self.plant.tag(index).calculation.is_some() {
            anew.insert(index);
            self.tags.close(index, state, None, false);
            return Ok(forgotten);
        }
        state.newest = if means { row.newest } else { row.newest.map(Newest::voided) };
        state.heard = row.heard;
        state.granted = row.granted;
        state.advanced = row.advanced;
        if in_service {
            state.silent = row.silent;
            state.fall = row.fall;
            state.kept = row.kept;
            state.kept_due = row.kept_due;
            state.marks = row.marks;
            state.motion = row.motion.filter(|_| means).and_then(|row| Motion::resume(self.plant.tag(index), row));
            state.warm_until = row.warm_until;
            state.former_modes = row.former_modes;
            self.second.resume(index, row.windows);
        }
        self.tags.close(index, state, None, false);
        Ok(forgotten)
    }

    /// Takes a checkpoint row. `revisions` are those of the rows taken so far, by tag: one that has moved is in those of two gateways.
    fn take_soft(&mut self, at: usize, mut row: SoftGatewayRow, revisions: &mut [u64], anew: &mut BTreeSet<TagIndex>) {
        let state = &mut self.gateways[at];
        state.evidence = row.evidence;
        state.first_heard = row.first_heard;
        state.last_current = row.last_current;
        state.unknown_last = row.unknown_last;
        for (id, soft) in row.tags {
            let Some(index) = TagId::parse(&id).and_then(|id| self.plant.tag_index(&id)) else { continue };
            let SoftTag(revision, time, source_time, receive_time, value, quality, sequence, ahead, heard, ..) = soft;
            let SoftTag(.., advanced, silent, fall, granted, meaning) = soft;
            if self.plant.tag(index).calculation.is_some() {
                anew.insert(index);
                continue;
            }
            if self.tag(index).newest().is_none() || revision >= revisions[index.at()] {
                revisions[index.at()] = revision.max(revisions[index.at()]);
                let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
                let newest = Newest { time, record: ReadingRecord { source_time, receive_time, value, quality, sequence }, ahead };
                let means = self.means(index, meaning);
                tag.newest = Some(if means { newest } else { newest.voided() });
                (tag.heard, tag.granted, tag.advanced, tag.silent, tag.fall) = (heard, granted, advanced, silent, fall);
                tag.motion = row.motions.remove(&id).filter(|_| means).and_then(|row| Motion::resume(self.plant.tag(index), row));
                self.tags.close(index, tag, None, false);
            }
        }
    }

    /// Registers what runs on, without firing anything.
    fn resume(&mut self, now: Timestamp) {
        let listened = self.listening.at(now);
        for at in 0..self.tags.len() {
            let index = TagIndex(at as u32);
            let mut tag = self.tags.open(index, self.plant.tag(index).conditions.len());
            // A hard row may be newer than the checkpoint of the clock; nobody was heard after it.
            tag.heard = tag.heard.min(listened);
            tag.advanced = tag.advanced.min(listened);
            for slot in &mut tag.slots {
                slot.changed = true;
            }
            if let (Some(gateway), false) = (self.tags.gateway(index), tag.kept.is_empty()) {
                self.gateways[gateway].kept.insert(index);
            }
            self.close(index, tag);
        }
        self.dirty.clear();
        self.fault_told = !self.faulted.is_empty();
        for at in 0..self.gateways.len() {
            let state = &mut self.gateways[at];
            state.lost_since = state.lost_since.min(listened);
            state.last_current = state.last_current.min(listened);
            let own = self.plant.gateways[at].tag;
            let stands = |rules: &Self, condition| {
                let alarm = AlarmId { tag: rules.plant.tag(own).id.clone(), condition };
                rules.find(&alarm).is_some_and(|(index, place)| rules.tag(index).slot(place).state.is_active())
            };
            self.gateways[at].lost = stands(self, Condition::GatewayLost);
            if self.members(at).iter().any(|member| self.tag(*member).newest().is_some()) {
                self.gateways[at].first_heard.get_or_insert(listened);
            }
            if stands(self, Condition::UnknownTag) {
                self.resume_unknown(at, now);
            }
        }
    }

    /// Says, at the first step after a restart, what the rows told: alarms that stood when the configuration lost them are retired,
    /// those whose rows contradict themselves are faulted.
    pub(crate) fn settle_restart(&mut self, said: &mut Vec<Said>) {
        self.tell_freed(said);
        for (index, place) in std::mem::take(&mut self.unsound) {
            self.with_tag(index, said, |tag, _, scene| {
                let detail = "保存的状态自相矛盾 · its stored state contradicts itself".to_owned();
                tag.slots[place].fault(&scene.tag().conditions[place], detail, scene);
            });
        }
        if self.gone.is_empty() {
            return;
        }
        let plant = Arc::clone(&self.plant);
        for gone in &mut self.gone {
            let Some((alarm, slot)) = gone.alarm.take() else { continue };
            let transition = Transition {
                key: TransitionKey {
                    alarm: alarm.clone(),
                    episode: slot.episode.unwrap_or(Episode { since: slot.raised_at, count: 0 }),
                    step: slot.step,
                },
                change: Change::Retired,
                from: slot.state,
                to: AlarmState::Normal,
                at: self.now,
                now: self.now,
                level: slot.level.unwrap_or(Level::Blue),
                setpoint: None,
                late: slot.late,
                suppressed: false,
                cause: crate::engine_cause("位号、限值或条件已不在组态中 · no longer configured".to_owned()),
                rules: plant.version.clone(),
            };
            let index = plant.tag_index(&alarm.tag).unwrap_or(TagIndex(u32::MAX));
            if index.at() < self.tags.len() {
                self.dirty.insert(index);
            }
            let bygone = &self.bygone;
            let mut scene =
                crate::effects::Scene { now: self.now, plant: &plant, index, former: Former::none(index), judged_by: None, bygone, said };
            scene.say(self.now, alarm.condition, AlarmEffect::Transition(transition));
        }
        self.gone.retain(|gone| gone.row.is_some());
    }
}

fn tag_row(revision: u64, state: TagView<'_>, tag: &model::plant::Tag, windows: Vec<WindowParts>, meaning: u32) -> TagRow {
    TagRow {
        revision,
        newest: state.newest(),
        heard: state.heard(),
        granted: state.granted(),
        advanced: state.advanced(),
        silent: state.rest.silent,
        fall: state.rest.fall,
        slots: state.slots().map(|(place, slot)| (tag.conditions[place].condition, slot.clone())).collect(),
        kept: state.rest.kept.clone(),
        kept_due: state.rest.kept_due,
        marks: state.rest.marks.clone(),
        motion: state.rest.motion.as_ref().map(|motion| motion.row()),
        warm_until: state.rest.warm_until,
        former_modes: state.rest.former_modes.clone(),
        windows,
        meaning,
    }
}

fn is_zero(length: &Duration) -> bool {
    *length == Duration::ZERO
}

fn unnamed(key: &str) -> RestoreError {
    RestoreError { key: key.to_owned(), reason: "its tag has no name".to_owned() }
}

fn bytes(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows hold text keys and finite numbers only")
}

fn parse<'a, T: Deserialize<'a>>(key: &str, bytes: &'a [u8]) -> Result<T, RestoreError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(key, &error))
}

fn unreadable(key: &str, error: &serde_json::Error) -> RestoreError {
    RestoreError { key: key.to_owned(), reason: error.to_string() }
}
