//! Gateways: one case for a dead one instead of one per tag, and the clock they stamp their readings with.
//!
//! This is the second stage: it looks across the tags of a gateway and changes no process alarm. When enough of them fall silent, go
//! bad or go to exactly zero within two intervals, the gateway is lost; the announcements that waited for that verdict are explained by
//! it. What does not fit the pattern never waits. When the gateway comes back, whatever still stands is told after all.

use crate::clock::{Evidence, Ruling, Seen, Verdict};
use crate::effects::Said;
use crate::row::TagView;
use crate::slot::{Hold, Raise};
use crate::tag::Fall;
use crate::timers::Timer;
use crate::{Rules, engine_cause};
use model::plant::Gateway;
use model::{Condition, Duration, Plant, TagId, TagIndex, Timestamp};
use std::collections::BTreeSet;

/// A gateway whose interval is not stated is taken to send this often.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The unknown-tag alarm returns when none has come for this long.
const UNKNOWN_TAG_QUIET: Duration = Duration::from_mins(10);

/// The state of one gateway.
#[derive(Debug, Default)]
pub(crate) struct GatewayState {
    /// How its clock is read, if that is wrong.
    pub verdict: Option<Verdict>,
    pub evidence: Evidence,
    /// Its loss stands.
    pub lost: bool,
    /// Listening time of its loss.
    pub lost_since: Timestamp,
    /// The tags its loss lists.
    pub lost_members: Vec<TagIndex>,
    /// Tags that were good after its loss: it does not explain what they do from then on.
    pub back: BTreeSet<TagIndex>,
    /// Those of its members that are in service; none where all are.
    pub in_service: Option<Vec<TagIndex>>,
    /// Two of its intervals, where it has a loss condition.
    pub window: Option<Duration>,
    /// Listening time when first heard.
    pub first_heard: Option<Timestamp>,
    /// Listening time of its last current reading, the quick ones not among them (see `gates`).
    pub last_current: Timestamp,
    /// Its checkpoint row is no longer true.
    pub soft_changed: bool,
    /// Tags with kept stragglers.
    pub kept: BTreeSet<TagIndex>,
    /// Members that say they are inhibited and have no condition of their own for it.
    pub inhibited: BTreeSet<TagIndex>,
    pub unknown_last: Option<Timestamp>,
    pub registered_unknown: Option<Timestamp>,
    pub changed: bool,
    pub has_row: bool,
}

impl GatewayState {
    pub fn new(plant: &Plant, gateway: &Gateway) -> Self {
        let serves = |member: &TagIndex| plant.tag(*member).in_service;
        let all_serve = gateway.members.iter().all(serves);
        let in_service = (!all_serve).then(|| gateway.members.iter().copied().filter(serves).collect());
        let state = Self { in_service, ..Self::default() };
        let own = plant.tags.get(gateway.tag.at()).filter(|tag| tag.in_service);
        let can_be_lost = own.is_some_and(|tag| tag.conditions.iter().any(|rule| rule.condition == Condition::GatewayLost))
            && state.members(gateway).len() >= plant.policies.gateway_lost_min.max(1) as usize;
        let window = can_be_lost.then(|| gateway.interval.max(INTERVAL_MIN).times(2));
        Self { window, ..state }
    }

    /// The state of before, at the gateway that this one is new for.
    pub fn succeed(&mut self, before: Self) {
        let in_service = self.in_service.take();
        *self = Self { in_service, window: self.window, ..before };
    }

    /// Tags in service that arrive through `gateway`, whose state this is.
    pub fn members<'a>(&'a self, gateway: &'a Gateway) -> &'a [TagIndex] {
        self.in_service.as_deref().unwrap_or(&gateway.members)
    }

    /// Whether a good and timely reading leaves it as it is.
    pub fn is_plain(&self) -> bool {
        self.verdict.is_none() && !self.lost && self.evidence.is_clean() && self.first_heard.is_some()
    }

    /// Whether a tag has been good since the loss.
    fn is_back(&self, tag: TagView<'_>) -> bool {
        tag.rest.fall.is_none() && !tag.rest.silent && tag.heard() > self.lost_since
    }
}

impl Rules {
    /// Tags in service that arrive through a gateway.
    pub(crate) fn members(&self, gateway: usize) -> &[TagIndex] {
        self.gateways[gateway].members(&self.plant.gateways[gateway])
    }

    /// Decides whether a gateway is lost, after one of its tags fell out at `at`.
    pub(crate) fn look_for_loss(&mut self, gateway: usize, at: Timestamp, said: &mut Vec<Said>) {
        let state = &self.gateways[gateway];
        let Some(window) = state.window else { return };
        if state.lost {
            return self.look_for_relapse(gateway, window, at, said);
        }
        let heard_now = self.listening.at(self.now);
        let (mut falling, mut counted, mut fresh) = (0_u32, 0_u32, false);
        for member in self.members(gateway) {
            let tag = self.tag(*member);
            match tag.rest.fall {
                Some((_, since)) if at.since(since) <= window => {
                    falling += 1;
                    counted += 1;
                    fresh = true;
                }
                // Out before: it has no part in what happens now.
                Some((Fall::Bad | Fall::Silent, _)) => {}
                // Never seen: it may not even be wired yet, and says nothing about the gateway.
                _ if tag.newest().is_none() => {}
                // Not heard lately, though not yet due: it cannot speak for the gateway.
                _ if heard_now.since(tag.heard()) > window => {}
                _ => counted += 1,
            }
        }
        let policies = &self.plant.policies;
        let enough = u64::from(falling) * 100 >= u64::from(counted) * u64::from(policies.gateway_lost_percent);
        if fresh && enough && falling >= policies.gateway_lost_min {
            self.lose(gateway, falling, at, said);
        }
    }

    fn lose(&mut self, gateway: usize, falling: u32, at: Timestamp, said: &mut Vec<Said>) {
        let state = &self.gateways[gateway];
        let (heard_now, window) = (self.listening.at(self.now), state.window.unwrap_or(Duration::ZERO));
        let members: Vec<TagIndex> = self
            .members(gateway)
            .iter()
            .copied()
            .filter(|member| {
                let tag = self.tag(*member);
                tag.newest().is_some() && (tag.rest.fall.is_some() || heard_now.since(tag.heard()) > window)
            })
            .collect();
        let names: Vec<TagId> = members.iter().map(|member| self.plant.tag(*member).id.clone()).collect();
        let all = self.members(gateway).iter().filter(|member| self.tag(**member).newest().is_some()).count();
        let detail = format!("{falling}/{all} 个位号同时断数、坏值或归零 · {falling} of {all} tags silent, bad or exactly zero together");
        let own = self.plant.gateways[gateway].tag;
        self.raise_own(own, Condition::GatewayLost, at, detail, &names, said);
        let state = &mut self.gateways[gateway];
        state.lost = true;
        state.lost_since = heard_now;
        state.lost_members = members;
        state.back.clear();
        state.changed = true;
        for member in self.members(gateway).to_vec() {
            self.explain(member, said);
        }
    }

    /// What waited for the verdict over the gateway need not be told while its loss stands.
    fn explain(&mut self, member: TagIndex, said: &mut Vec<Said>) {
        self.with_tag(member, said, |tag, _, _| {
            for slot in &mut tag.slots {
                if matches!(slot.hold, Hold::Verdict { .. } | Hold::Explained { due: Some(_) }) {
                    slot.hold = Hold::Explained { due: None };
                    slot.changed = true;
                }
            }
        });
    }

    /// Tags that were back before their gateway was fall out again together: its loss explains them once more. One that falls out
    /// alone is told.
    fn look_for_relapse(&mut self, gateway: usize, window: Duration, at: Timestamp, said: &mut Vec<Said>) {
        let state = &self.gateways[gateway];
        let (mut falling, mut counted) = (Vec::new(), 0_u64);
        for member in state.lost_members.iter().filter(|member| state.back.contains(member)) {
            match self.tag(*member).rest.fall {
                Some((_, since)) if at.since(since) <= window => falling.push(*member),
                Some(_) => continue,
                None => {}
            }
            counted += 1;
        }
        let policies = &self.plant.policies;
        let enough = falling.len() as u64 * 100 >= counted * u64::from(policies.gateway_lost_percent);
        if enough && falling.len() >= policies.gateway_lost_min as usize {
            for member in falling {
                self.gateways[gateway].back.remove(&member);
                self.explain(member, said);
            }
            self.gateways[gateway].changed = true;
        }
    }

    /// Keeps that a tag of a lost gateway is good again. One that its loss does not list may still be on its way out within the window.
    pub(crate) fn note_back(&mut self, gateway: usize, index: TagIndex) {
        let state = &self.gateways[gateway];
        let leaving = || {
            let since_loss = self.listening.at(self.now).since(state.lost_since);
            state.window.is_some_and(|window| since_loss <= window) && !state.lost_members.contains(&index)
        };
        if state.lost && state.is_back(self.tag(index)) && !state.back.contains(&index) && !leaving() {
            let state = &mut self.gateways[gateway];
            state.back.insert(index);
            state.changed = true;
        }
    }

    /// Decides whether a lost gateway is back: most of the tags it took along are good again.
    pub(crate) fn look_for_return(&mut self, gateway: usize, said: &mut Vec<Said>) {
        let state = &self.gateways[gateway];
        if !state.lost {
            return;
        }
        // After a change of configuration none of those may be left; then any will do.
        let took = if state.lost_members.is_empty() { self.members(gateway) } else { &state.lost_members };
        let seen = took.iter().map(|member| self.tag(*member)).filter(|tag| tag.newest().is_some());
        let (all, back) = seen.fold((0, 0), |(all, back), tag| (all + 1, back + u32::from(state.is_back(tag))));
        if back * 2 <= all {
            return;
        }
        let detail = format!("{back}/{all} 个位号恢复 · {back} of {all} tags are good again");
        let own = self.plant.gateways[gateway].tag;
        self.return_own(own, Condition::GatewayLost, self.now, detail, said);
        let due = self.now + self.gateways[gateway].window.unwrap_or(Duration::ZERO);
        let state = &mut self.gateways[gateway];
        state.lost = false;
        state.lost_members.clear();
        state.back.clear();
        state.changed = true;
        // What the loss explained and still stands in a while is news of its own.
        for member in self.members(gateway).to_vec() {
            self.with_tag(member, said, |tag, _, _| {
                for slot in &mut tag.slots {
                    if slot.hold == (Hold::Explained { due: None }) {
                        slot.hold = Hold::Explained { due: Some(due) };
                        slot.changed = true;
                    }
                }
            });
        }
    }

    /// Takes a reading as evidence for its gateway's clock. True when the clock is read differently from now on.
    pub(crate) fn observe_clock(&mut self, gateway: usize, seen: &Seen, said: &mut Vec<Said>) -> bool {
        let interval = self.plant.gateways[gateway].interval;
        let skew_max = self.plant.policies.clock_skew_max;
        let state = &mut self.gateways[gateway];
        let ruling = state.evidence.observe(state.verdict, seen, interval, skew_max);
        let verdict = match ruling {
            Ruling::Unchanged => return false,
            Ruling::Wrong(verdict) => Some(verdict),
            Ruling::Right => None,
        };
        let before = std::mem::replace(&mut state.verdict, verdict);
        state.changed = true;
        let own = self.plant.gateways[gateway].tag;
        match (before, verdict) {
            (None, Some(verdict)) => self.raise_own(own, Condition::WrongClock, self.now, verdict.detail(), &[], said),
            (Some(_), None) => {
                let detail = "网关时钟恢复正常 · gateway clock is right again".to_owned();
                self.return_own(own, Condition::WrongClock, self.now, detail, said);
            }
            _ => {}
        }
        let followed = match (before, verdict) {
            (Some(Verdict::Offset(before)), Some(Verdict::Offset(now))) => (now - before).abs() <= skew_max,
            _ => false,
        };
        self.shift(gateway, verdict, followed, said);
        for tag in std::mem::take(&mut self.gateways[gateway].kept) {
            self.judge_kept(tag, said);
        }
        true
    }

    /// Moves what was timed by the wrong clock to corrected time, so that delays go on where they are. What was ahead of us by the old
    /// way of reading it says nothing any more. Where a drift is only `followed`, times are corrected already and stay as they are.
    fn shift(&mut self, gateway: usize, verdict: Option<Verdict>, followed: bool, said: &mut Vec<Said>) {
        let (now, interval) = (self.now, self.plant.gateways[gateway].interval.max(INTERVAL_MIN));
        let skew_max = self.plant.policies.clock_skew_max;
        // Only times the wrong clock gave: those as far from their receive time as it is.
        let moved = move |time: Timestamp, receive: Timestamp| {
            let distance = receive.since(time);
            match verdict {
                Some(Verdict::Offset(offset)) if (distance - offset).abs() <= interval => (time + offset).min(receive),
                Some(Verdict::Receive) if distance.abs() > skew_max => receive.min(now),
                _ => time,
            }
        };
        for member in self.members(gateway).to_vec() {
            self.with_tag(member, said, |tag, _, scene| {
                tag.marks.clear();
                let Some(newest) = &mut tag.newest else { return };
                newest.ahead = None;
                if followed {
                    return;
                }
                newest.time = newest.time.max(moved(newest.time, newest.record.receive_time.min(now)));
                // How a value moved by the old times says nothing by the new ones, and a warm-up begins anew.
                tag.motion = None;
                let newest = tag.newest.map(|newest| newest.time);
                tag.warm_until = tag.warm_until.and(newest).map(|newest| newest + scene.tag().warm_up);
                for slot in &mut tag.slots {
                    if let Some(pending) = &mut slot.pending {
                        pending.since = moved(pending.since, pending.receive);
                        slot.changed = true;
                    }
                    if let Some(returning) = &mut slot.returning {
                        returning.since = moved(returning.since, returning.receive);
                        slot.changed = true;
                    }
                }
            });
        }
    }

    /// A tag nobody configured.
    pub(crate) fn unknown_tag(&mut self, gateway: usize, name: &str, said: &mut Vec<Said>) {
        let Some(own) = self.plant.gateways.get(gateway).map(|gateway| gateway.tag) else { return };
        let now = self.now;
        let state = &mut self.gateways[gateway];
        state.unknown_last = Some(now);
        let mut registered = state.registered_unknown;
        self.gateways.soft_changed(gateway);
        if registered.is_none() {
            self.timers.set(Timer::UnknownTag(gateway as u32), &mut registered, Some(now + UNKNOWN_TAG_QUIET));
            self.gateways[gateway].registered_unknown = registered;
        }
        self.raise_own(own, Condition::UnknownTag, now, format!("未知位号 {name} · unknown tag {name}"), &[], said);
    }

    /// Returns the unknown-tag alarm, unless one came meanwhile.
    pub(crate) fn unknown_tag_due(&mut self, gateway: usize, due: Timestamp, said: &mut Vec<Said>) {
        let state = &mut self.gateways[gateway];
        let wanted = state.unknown_last.map(|last| last + UNKNOWN_TAG_QUIET).filter(|again| *again > due);
        let mut registered = state.registered_unknown;
        self.timers.set(Timer::UnknownTag(gateway as u32), &mut registered, wanted);
        let state = &mut self.gateways[gateway];
        state.registered_unknown = registered;
        if wanted.is_none() {
            state.unknown_last = None;
            self.gateways.soft_changed(gateway);
            let own = self.plant.gateways[gateway].tag;
            self.return_own(own, Condition::UnknownTag, due, "不再出现未知位号 · no unknown tag any more".to_owned(), said);
        }
    }

    /// Takes up the unknown-tag alarm's clock after a restart.
    pub(crate) fn resume_unknown(&mut self, gateway: usize, now: Timestamp) {
        let last = *self.gateways[gateway].unknown_last.get_or_insert(now);
        let mut registered = None;
        self.timers.set(Timer::UnknownTag(gateway as u32), &mut registered, Some(last + UNKNOWN_TAG_QUIET));
        self.gateways[gateway].registered_unknown = registered;
    }

    /// Raises a condition that the engine itself has found, on a tag without readings.
    pub(crate) fn raise_own(
        &mut self,
        own: TagIndex,
        condition: Condition,
        at: Timestamp,
        detail: String,
        members: &[TagId],
        said: &mut Vec<Said>,
    ) {
        self.with_tag(own, said, |tag, _, scene| {
            let Some(place) = scene.tag().conditions.iter().position(|rule| rule.condition == condition) else { return };
            let slot = &mut tag.slots[place];
            if !slot.state.is_active() && slot.state != model::AlarmState::Faulted {
                let raise = Raise { since: at, at, cause: engine_cause(detail), value: None, late: false };
                slot.raise(&scene.tag().conditions[place], raise, Hold::None, members, scene);
            }
        });
    }

    /// Returns such a condition.
    pub(crate) fn return_own(&mut self, own: TagIndex, condition: Condition, at: Timestamp, detail: String, said: &mut Vec<Said>) {
        self.with_tag(own, said, |tag, _, scene| {
            let Some(place) = scene.tag().conditions.iter().position(|rule| rule.condition == condition) else { return };
            let slot = &mut tag.slots[place];
            slot.cancel_pending();
            slot.return_to_normal(&scene.tag().conditions[place], at, engine_cause(detail), None, scene);
        });
    }
}
