//! The change to another configuration while everything runs on.
//!
//! Every alarm, latch, running delay and silence clock goes on under its tag and condition. What is stated for a changed rule:
//!
//! - An alarm that stands stays standing, whatever its limit is now; the next reading judges it. Only a condition that is gone, or a tag
//!   that is gone or 停用, ends it, with a [`Change::Retired`](model::Change::Retired) that people see.
//! - A running on_delay goes on from its own beginning: due at since + the new delay, but not before now. It ends early only where the
//!   newest value, still good, is not beyond the new limit.
//! - The newest value is held against the new limit at once, since a tag that reports changes only may say nothing for hours. It may
//!   raise, never clear.
//! - Readings of before the change are judged by the limits of before it (see `former`).
//! - What is calculated otherwise, or from what is, has no value and no window any more but what its inputs hold now, and that is judged
//!   like any other held value.
//! - A value measured in another unit says nothing by the new limits: the next reading does.
//!
//! [`Reload::prepare`] does what needs both plants and no state; it may take its time elsewhere. [`Rules::reload`] then moves the state over.

use crate::band::{self, Band};
use crate::effects::{self, Said, Scene};
use crate::former::Before;
use crate::gateway::GatewayState;
use crate::judge::{Finding, Judged, find};
use crate::motion::Motion;
use crate::row::Rows;
use crate::slot::{Hold, Outcome, Raise, Slot, deadline};
use crate::state::Gone;
use crate::tag::{GatewayView, Newest, TagState};
use crate::{Input, Rules, second};
use model::plant::{ConditionRule, Plant, Tag};
use model::{AlarmEffect, AlarmId, AlarmState, Condition, Duration, TagIndex, Timestamp};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A change of configuration, prepared.
#[derive(Debug)]
pub struct Reload {
    from: Arc<Plant>,
    fresh: Box<Rules>,
    /// By tag of before, its place now.
    moves: Vec<Option<TagIndex>>,
    /// By tag of before, how it comes over.
    ways: Vec<Way>,
    /// By gateway of before, its place now.
    gateways: Vec<Option<usize>>,
    /// What was in force, for readings of before.
    before: Before,
}

/// How a tag comes over.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// It is judged just as it was.
    Alike,
    /// It is judged otherwise, but where nothing stands and its value is inside this band nothing becomes of that.
    Inside(Band),
    /// It is judged otherwise, or gone.
    Anew,
}

/// The change was prepared from another configuration than the one in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleReload;

impl std::fmt::Display for StaleReload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another configuration is in force than the one this change was prepared from")
    }
}

impl std::error::Error for StaleReload {}

impl Reload {
    /// Prepares the change from one plant to another.
    pub fn prepare(from: &Arc<Plant>, to: Arc<Plant>) -> Self {
        let moves = places(&from.tags, &to.tags, |one, other| one.id.cmp(&other.id));
        let gateways = places(&from.gateways, &to.gateways, |one, other| (&one.enterprise, &one.id).cmp(&(&other.enterprise, &other.id)));
        let moves: Vec<_> = moves.into_iter().map(|to| to.map(|at| TagIndex(at as u32))).collect();
        let fresh = Box::new(Rules::new(Arc::clone(&to), Timestamp(0)));
        let mut before = Before::default();
        let way = |(was, place): (TagIndex, &Option<TagIndex>)| {
            let old = from.tag(was);
            let Some(place) = *place else {
                before.left(&old.id);
                return Way::Anew;
            };
            if judges_alike(old, to.tag(place)) {
                return Way::Alike;
            }
            before.add(place, old, to.tag(place));
            let calculates = [old, to.tag(place)].iter().any(|tag| tag.calculation.is_some()) || fresh.second.feeds(place);
            let means = || second::own_meaning(from, was) == second::own_meaning(&to, place);
            match band_of_quiet(old, to.tag(place)) {
                Some(band) if !calculates && means() => Way::Inside(band),
                _ => Way::Anew,
            }
        };
        let ways = (0..).map(TagIndex).zip(&moves).map(way).collect();
        Self { from: Arc::clone(from), fresh, moves, ways, gateways, before }
    }
    /// Rows that the store may take before the change comes into force, one by one, so that the commit of the change is a short one: what
    /// was in force before it. Without the change they are nothing. Where nobody asks for them, the commit of the change has them. To be
    /// asked for once; `number` is one that no other change of this store ever had.
    pub fn rows(&mut self, number: u64) -> Vec<(String, Vec<u8>)> {
        self.before.rows(number, &self.fresh.plant)
    }
    /// The configuration it was prepared from.
    pub fn from(&self) -> &Arc<Plant> {
        &self.from
    }
    /// By tag of the one before, its place in the new one.
    pub fn moves(&self) -> &[Option<TagIndex>] {
        &self.moves
    }
    /// Tags that are there before and after and are not judged alike, by their place before and after.
    pub fn changed(&self) -> impl Iterator<Item = (TagIndex, TagIndex)> + '_ {
        let both = self.moves.iter().zip(&self.ways).enumerate();
        both.filter(|(_, (_, way))| **way != Way::Alike).filter_map(|(at, (to, _))| Some((TagIndex(at as u32), (*to)?)))
    }
    /// The configuration that comes into force.
    pub fn to(&self) -> &Arc<Plant> {
        &self.fresh.plant
    }
}

/// Whether nothing differs but where the plant lists what the tag stands on and is calculated from.
fn judges_alike(before: &Tag, after: &Tag) -> bool {
    let same_places = || {
        let mut after = after.clone();
        (after.equipment, after.gateway) = (before.equipment, before.gateway);
        if after.calculation.is_some() && before.formula() == after.formula() {
            after.calculation.clone_from(&before.calculation);
        }
        after
    };
    before == after || *before == same_places()
}

/// The band inside which a tag that is judged otherwise now says nothing, as long as nothing stands.
fn band_of_quiet(before: &Tag, after: &Tag) -> Option<Band> {
    let is_watched = |tag: &Tag| tag.stale_after > Duration::ZERO;
    if !before.in_service || !after.in_service || is_watched(before) != is_watched(after) {
        return None;
    }
    let quiet = TagState { slots: vec![Slot::NEW; after.conditions.len()], ..TagState::default() };
    band::of(after, &quiet, Timestamp::MIN)
}

/// For each element of one sorted list, its place in the other.
fn places<T>(from: &[T], to: &[T], order: impl Fn(&T, &T) -> Ordering) -> Vec<Option<usize>> {
    let mut next = 0;
    from.iter()
        .map(|one| {
            while next < to.len() && order(&to[next], one) == Ordering::Less {
                next += 1;
            }
            (next < to.len() && order(&to[next], one) == Ordering::Equal).then_some(next)
        })
        .collect()
}

/// What has to be judged after all came over.
struct Moved {
    /// Tags whose value or mode is another one now: all of their conditions.
    anew: BTreeSet<TagIndex>,
    /// Tags that are judged otherwise, by their place before and after: what differs.
    judged: Vec<(TagIndex, TagIndex)>,
    /// Tags whose device says it is inhibited, and of which somebody else is to tell now.
    inhibited: Vec<TagIndex>,
    /// Gateways that have no such device any more.
    free: Vec<usize>,
}

impl Rules {
    /// Goes on under another configuration from `now` on and appends what that causes. Gives back what is left of before, for whoever has
    /// the time to free it. Nothing has changed where it is refused.
    pub fn reload(&mut self, reload: Reload, now: Timestamp, out: &mut Vec<AlarmEffect>) -> Result<Box<Rules>, StaleReload> {
        if !Arc::ptr_eq(&self.plant, &reload.from) {
            return Err(StaleReload);
        }
        // What is due by now was due under the limits of before.
        self.step(&Input::Timeout, now, out);
        let Reload { from, mut fresh, moves, ways, gateways, before } = reload;
        std::mem::swap(self, &mut *fresh);
        let Moved { anew, judged, inhibited, free } = self.take_over(&mut fresh, &from, &moves, &ways, &gateways, before);
        let mut said = std::mem::take(&mut self.said);
        for (was, index) in judged.iter().filter(|(_, index)| !anew.contains(index)) {
            let before = from.tag(*was);
            let rules: &[ConditionRule] = if before.in_service { &before.conditions } else { &[] };
            self.rejudge(*index, rules, &mut said);
        }
        anew.iter().for_each(|index| self.rejudge(*index, &[], &mut said));
        for gateway in free {
            let (own, detail) =
                (self.plant.gateways[gateway].tag, "抑制的设备已不属于该网关 · the inhibited device is no longer of this gateway");
            self.return_own(own, Condition::Inhibited, self.now, detail.to_owned(), &mut said);
        }
        inhibited.into_iter().for_each(|tag| self.inhibit(tag, true, &mut said));
        // What reads a tag that changed is worked out again, out of service included: its value is not believed any more.
        judged.iter().map(|(_, index)| *index).chain(anew).for_each(|tag| self.second.touch(tag));
        self.run_second(&mut said);
        self.settle_restart(&mut said);
        self.tell_faults(&mut said);
        effects::release(&mut said, out);
        self.said = said;
        self.set_wake();
        Ok(fresh)
    }

    /// Moves all state over from the rules of before. Whoever adds a field has to say here what becomes of it.
    fn take_over(
        &mut self,
        before: &mut Rules,
        from: &Plant,
        moves: &[Option<TagIndex>],
        ways: &[Way],
        to_gateway: &[Option<usize>],
        changed: Before,
    ) -> Moved {
        let Rules {
            plant: _,
            now,
            wake: _,
            next: _,
            timely: _,
            listened: _,
            tags,
            gateways,
            broker: _,
            timers: _,
            silence: _,
            listening,
            revision,
            drained,
            dirty,
            gone,
            unsound,
            freed,
            second,
            recovery: _,
            faulted: _,
            fault_told,
            said,
            looks_closely,
            formers,
            bygone,
        } = before;
        (self.now, self.listening, self.revision, self.drained) = (*now, *listening, *revision, *drained);
        (self.fault_told, self.looks_closely, self.said) = (*fault_told, *looks_closely, std::mem::take(said));
        (self.gone, self.bygone) = (std::mem::take(gone), std::mem::take(bygone));
        let place = |tag: TagIndex| moves[tag.at()];
        self.freed = freed.iter().filter_map(|tag| place(*tag)).collect();
        // Tags whose value of before means nothing now, as a start on other formulas holds it too.
        let moved = (0..).map(TagIndex).zip(moves).filter_map(|(was, to)| Some((was, (*to)?)));
        let void: BTreeSet<TagIndex> = moved
            // What is measured, and alike or inside its band, has the same unit.
            .filter(|(was, to)| ways[was.at()] == Way::Anew || self.plant.tag(*to).calculation.is_some())
            .filter(|(was, to)| second.meaning(from, *was) != self.second.meaning(&self.plant, *to))
            .map(|(_, to)| to)
            .collect();
        let calculated: BTreeMap<TagIndex, TagIndex> = second.tags().filter_map(|tag| Some((place(tag)?, tag))).collect();
        let mut anew = BTreeSet::new();
        for index in self.second.tags().collect::<Vec<_>>() {
            match calculated.get(&index).filter(|_| !void.contains(&index)) {
                Some(before) => self.second.resume(index, second.windows(*before)),
                None => drop(anew.insert(index)),
            }
        }

        let (mut inhibited, mut free) = (Vec::new(), Vec::new());
        for (at, to) in to_gateway.iter().enumerate() {
            let old = std::mem::take(&mut gateways[at]);
            let here = old.inhibited.iter().filter_map(|tag| place(*tag));
            inhibited.extend(here.filter(|tag| to.is_none_or(|to| !self.is_told_by(*tag, to)) && self.plant.tag(*tag).in_service));
            let Some(to) = *to else {
                let gateway = &from.gateways[at];
                self.gone.extend(old.has_row.then(|| Gone::gateway_row(gateway)));
                continue;
            };
            let inhibited: BTreeSet<_> =
                old.inhibited.iter().filter_map(|tag| place(*tag)).filter(|tag| self.is_told_by(*tag, to)).collect();
            if inhibited.is_empty() && !old.inhibited.is_empty() {
                free.push(to);
            }
            let unknown = old.registered_unknown.is_some();
            let own = self.plant.tag(self.plant.gateways[to].tag);
            let can_be_lost = own.in_service && own.conditions.iter().any(|rule| rule.condition == Condition::GatewayLost);
            self.gateways[to].succeed(GatewayState {
                lost: old.lost && can_be_lost,
                lost_members: old.lost_members.iter().filter_map(|tag| place(*tag)).collect(),
                back: old.back.iter().filter_map(|tag| place(*tag)).collect(),
                inhibited,
                kept: BTreeSet::new(),
                registered_unknown: None,
                ..old
            });
            if unknown {
                self.resume_unknown(to, self.now);
            }
        }

        self.formers.succeed(formers, moves, changed, self.now, &from.version);

        let mut judged = Vec::new();
        let mut written: BTreeSet<TagIndex> = dirty.iter().filter_map(|tag| place(*tag)).collect();
        for (at, to) in moves.iter().enumerate() {
            let index = TagIndex(at as u32);
            let old = from.tag(index);
            match *to {
                Some(to) => {
                    // Its row is in the checkpoint of its gateway.
                    let stays = match (old.gateway, self.plant.tag(to).gateway) {
                        (Some(before), Some(now)) => to_gateway[before.at()] == Some(now.at()),
                        (before, now) => before.is_none() && now.is_none(),
                    };
                    if !stays {
                        written.insert(to);
                        self.plant.tag(to).gateway.into_iter().for_each(|gateway| self.gateways.soft_changed(gateway.at()));
                    }
                    if self.adopt(to, tags, index, ways[at], &void) {
                        continue;
                    }
                    let told = |rule: &ConditionRule| rule.condition == Condition::Inhibited;
                    let says = old.conditions.iter().position(told).is_some_and(|place| tags.view(index).slot(place).state.is_active());
                    if says && self.plant.tag(to).in_service && self.tells_of_inhibit(to) != to {
                        inhibited.push(to);
                    }
                    let (state, is_alike) = (tags.open(index, old.conditions.len()), ways[at] == Way::Alike);
                    self.move_tag(old, to, state, is_alike, void.contains(&to));
                    if !is_alike {
                        written.insert(to);
                        judged.push((index, to));
                    }
                }
                None => {
                    let state = tags.open(index, old.conditions.len());
                    for (rule, slot) in old.conditions.iter().zip(state.slots) {
                        self.bygone.left(&old.id, rule.condition, &slot, self.now);
                        if slot.state != AlarmState::Normal {
                            self.gone.push(Gone::alarm(AlarmId { tag: old.id.clone(), condition: rule.condition }, slot));
                        }
                    }
                    self.gone.push(Gone::tag_row(&old.id));
                }
            }
        }
        for index in self.second.tags().filter(|index| anew.contains(index)).collect::<Vec<_>>() {
            self.calculate_anew(index);
            let inputs = self.plant.tag(index).inputs().iter();
            written.extend(inputs.chain([&index]));
        }
        let modes: Vec<u8> = (0..self.tags.len() as u32).map(|at| self.mode(TagIndex(at))).collect();
        self.resume_second();
        anew.extend((0..).map(TagIndex).zip(modes).filter(|(index, mode)| self.mode(*index) != *mode).map(|(index, _)| index));
        self.dirty = written;
        // Rows that contradict themselves are faulted at the first step, which comes before any change.
        debug_assert!(unsound.is_empty(), "a step came first");
        for gateway in 0..self.gateways.len() {
            self.gateways.reopen(gateway);
        }
        Moved { anew, judged, inhibited, free }
    }

    /// Takes over a tag of which its row says everything and that says nothing by its new conditions either. False where it has to be
    /// opened for that.
    fn adopt(&mut self, to: TagIndex, tags: &Rows, index: TagIndex, way: Way, void: &BTreeSet<TagIndex>) -> bool {
        // A tag that something is newly calculated from is closed anew, so that each of its readings is looked at.
        if tags.is_boxed(index) || self.second.feeds(to) || void.contains(&to) {
            return false;
        }
        match way {
            Way::Alike => {}
            Way::Inside(band) if tags.is_inside(index, band) && !self.looks_closely => {}
            Way::Inside(_) | Way::Anew => return false,
        }
        if let Some(heard) = self.tags.adopt(to, tags, index, way == Way::Alike) {
            self.silence.began(to, heard);
        }
        true
    }

    /// Moves a tag of which something stands, or which is judged otherwise, or whose value is `void`.
    fn move_tag(&mut self, old: &Tag, to: TagIndex, was: TagState, alike: bool, void: bool) {
        let plant = Arc::clone(&self.plant);
        let new = plant.tag(to);
        let heard_by = self.now + new.sample_interval.times(2);
        let still_explained = self.tags.gateway(to).is_some_and(|gateway| self.gateways[gateway].lost);
        let mut state = self.tags.open(to, new.conditions.len());
        // Of what is measured before and after, it is known when it was heard, whatever it said.
        let heard = !void || (old.calculation.is_none() && new.calculation.is_none());
        if heard {
            state.newest = if void { was.newest.map(Newest::voided) } else { was.newest };
            (state.heard, state.granted, state.advanced) = (was.heard, was.granted, was.advanced);
        }
        if new.in_service {
            state.mode = was.mode;
            // The names of other modes may stand in another order now.
            state.former_modes = if alike { was.former_modes } else { Vec::new() };
        }
        if new.in_service && heard {
            (state.silent, state.fall, state.kept_due) = (was.silent, was.fall, was.kept_due);
            (state.kept, state.marks) = (was.kept, was.marks);
            state.warm_until = was.warm_until;
            // A window of another length is filled anew, as after a restart.
            state.motion = match was.motion {
                _ if void => None,
                motion if alike => motion,
                motion => motion.and_then(|motion| Motion::resume(new, motion.row())),
            };
        }
        for (rule, mut slot) in old.conditions.iter().zip(was.slots) {
            let place = new.conditions.iter().position(|other| other.condition == rule.condition);
            match place {
                Some(place) if new.in_service => {
                    slot.registered = Default::default();
                    slot.changed = true;
                    // Only the return of the gateway that explains it would end the wait.
                    if slot.hold == (Hold::Explained { due: None }) && !still_explained {
                        slot.hold = Hold::Explained { due: Some(heard_by) };
                    }
                    state.slots[place] = slot;
                }
                _ => {
                    self.bygone.left(&old.id, rule.condition, &slot, self.now);
                    if slot.state != AlarmState::Normal {
                        self.gone.push(Gone::alarm(AlarmId { tag: old.id.clone(), condition: rule.condition }, slot));
                    }
                }
            }
        }
        if let (Some(gateway), false) = (self.tags.gateway(to), state.kept.is_empty()) {
            self.gateways[gateway].kept.insert(to);
        }
        self.close(to, state);
    }

    /// Holds the newest value of a tag against its new conditions.
    fn rejudge(&mut self, index: TagIndex, before: &[ConditionRule], said: &mut Vec<Said>) {
        if self.plant.tag(index).in_service {
            self.with_tag(index, said, |tag, view, scene| tag.rejudge(before, view, scene));
        }
    }
}

impl TagState {
    fn rejudge(&mut self, before: &[ConditionRule], view: GatewayView, scene: &mut Scene<'_>) {
        let tag = scene.tag();
        let held = self.newest.filter(|newest| !self.silent && !newest.is_void()).map(|newest| Judged::held(tag, &newest.record, scene));
        let newest = self.newest.map(|newest| newest.record);
        let time = self.newest.map_or(Timestamp::MIN, |newest| newest.time);
        for (at, rule) in tag.conditions.iter().enumerate() {
            if before.contains(rule) {
                continue;
            }
            let rule = &*self.by_mode(rule);
            let finding = match &held {
                _ if rule.condition == Condition::Stale && self.silent => Finding::Beyond,
                Some(held) => find(rule, held),
                None => Finding::Nothing,
            };
            // A cold detector may raise and may not clear, here as ever.
            let is_warm = self.warm_until.is_none_or(|until| time >= until);
            let good = is_warm && held.as_ref().is_some_and(|held| held.quality == model::Quality::Good);
            let slot = &mut self.slots[at];
            let pending = slot.pending.clone();
            if slot.rejudge(rule, finding, good, newest.and_then(|newest| newest.value), time, scene.now) == Outcome::Raise {
                let raise = Raise {
                    since: pending.as_ref().map_or(scene.now, |pending| pending.since),
                    at: scene.now,
                    cause: deadline(scene.now, newest),
                    value: pending.as_ref().map_or(newest.and_then(|newest| newest.value), |pending| pending.value),
                    late: pending.as_ref().is_some_and(|pending| pending.late),
                };
                self.raise(at, raise, view, scene);
            }
        }
        self.changed = true;
    }
}
