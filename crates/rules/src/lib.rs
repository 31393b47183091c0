//! Pure: readings in, alarm transitions out. The same function for live run, replay, backtest, simulation and tests.
//!
//! [`Rules`] decides when an alarm of ISA-18.2 is raised, returns, latches, and when people are to be told of it. It knows no broker, no
//! database and no clock: the engine stamps every input with `now`, which never runs backwards, and asks for the next deadline. It
//! does not know who is told, by which channel, or what they answered; that is `escalation`.
//!
//! Two stages. A tag's own conditions read only that tag's state (`tag`, `slot`, `judge`), so a backtest may run tag by tag. What looks
//! across tags comes second: a gateway's loss and its clock (`gateway`, `clock`). They never raise or clear a process alarm; they decide
//! what has to wait, and what a source time means.
//!
//! The order within one step is the promise everything else rests on: first the on_delays that the reading's own time proves, then
//! every deadline due by `now`, each stamped with its own due time, and only then the input. At a tie the deadline goes first.

mod band;
mod bygone;
mod clock;
mod deadlines;
mod effects;
mod former;
mod gates;
mod gateway;
mod judge;
mod late;
mod listening;
mod motion;
mod passage;
mod reading;
mod reload;
mod row;
mod second;
mod silence;
mod slot;
mod state;
mod straggler;
mod tag;
mod timers;
mod view;

pub use passage::{BLOCK, Columns, Outline, Passage};
pub use reload::{Reload, StaleReload};
pub use state::RestoreError;
pub use view::AlarmView;

use crate::bygone::Bygone;
use crate::effects::{Said, Scene};
use crate::former::Formers;
use crate::gates::Gateways;
use crate::gateway::GatewayState;
use crate::listening::Listening;
use crate::row::{ALONE, Rows, TagView};
use crate::second::Second;
use crate::silence::Silence;
use crate::slot::Pending;
use crate::tag::{GatewayView, TagState};
use crate::timers::{Timer, Timers};
use model::{
    Act, ActKind, AlarmEffect, AlarmState, Cause, Condition, Duration, EpisodeRef, Plant, Reading, SYSTEM_ENTERPRISE, TagIndex, Timestamp,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A reading arrived.
    Reading(Reading),
    /// A person acted, already judged by `escalation`. Acknowledge and Check matter here.
    Act(&'a Act),
    /// We began or ceased to hear the broker. While down, silence clocks stand still, and one alarm says so.
    Link {
        /// Whether we hear it.
        up: bool,
    },
    /// A tag nobody configured arrived for a known enterprise.
    UnknownTag {
        /// Index into [`Plant::gateways`].
        gateway: usize,
        /// As the gateway calls it.
        tag: &'a str,
    },
    /// The engine's self-diagnosis, on its tag `_system/<name>`.
    System {
        /// Which.
        tag: TagIndex,
        /// Whether the fault stands.
        active: bool,
        /// What it saw.
        detail: &'a str,
    },
    /// A device says whether its own output is inhibited. Whether a window explains that is `escalation`'s business.
    Inhibit {
        /// Whose.
        tag: TagIndex,
        /// Whether it is.
        active: bool,
    },
    /// The acknowledgements of these episodes ran out, `escalation` says: they are unacknowledged again.
    AcknowledgementExpired(&'a [EpisodeRef]),
    /// Work on these tags (检维修/标定) has ended, `escalation` says: where it may have left another sensor, that has to warm up.
    WorkEnded(&'a [TagIndex]),
    /// After a restart: subscribed and the backlog drained. Overdue deadlines may fire from now on.
    Drained,
    /// Time has passed.
    Timeout,
}

/// All alarms of one plant.
#[derive(Debug)]
pub struct Rules {
    plant: Arc<Plant>,
    now: Timestamp,
    /// Before this, a reading inside its tag's band needs no closer look.
    wake: Timestamp,
    /// See [`Self::next_deadline`]; the greatest time where nothing is due.
    next: Timestamp,
    /// The greatest age that neither is late nor speaks of a wrong clock, in microseconds.
    timely: u64,
    /// Listening time minus our clock, since the last closer look.
    listened: Duration,
    tags: Rows,
    gateways: Gateways,
    broker: Option<TagIndex>,
    timers: Timers,
    silence: Silence,
    listening: Listening,
    /// Names what is written, so that the newer of two stored forms is known.
    revision: u64,
    /// Deadlines may fire.
    drained: bool,
    dirty: BTreeSet<TagIndex>,
    gone: Vec<state::Gone>,
    unsound: Vec<(TagIndex, usize)>,
    /// Tags with something to tell that a suppression, no longer configured, held back.
    freed: Vec<TagIndex>,
    second: Second,
    recovery: Option<TagIndex>,
    faulted: BTreeSet<(TagIndex, u8)>,
    fault_told: bool,
    said: Vec<Said>,
    looks_closely: bool,
    /// What was in force before, for readings of before.
    formers: Formers,
    /// Episodes of conditions that have left the configuration.
    bygone: Bygone,
}

impl Rules {
    /// Starts with nothing known: every alarm normal, no tag seen, listening.
    pub fn new(plant: Arc<Plant>, now: Timestamp) -> Self {
        let mut member_of = vec![ALONE; plant.tags.len()];
        let gateways: Vec<_> = plant.gateways.iter().map(|gateway| GatewayState::new(&plant, gateway)).collect();
        for (at, gateway) in gateways.iter().enumerate() {
            for member in gateway.members(&plant.gateways[at]) {
                member_of[member.at()] = at as u32;
            }
        }
        let plant_tag = |name| plant.find_tag(SYSTEM_ENTERPRISE, name);
        let mut rules = Self {
            now,
            wake: Timestamp::MIN,
            next: Timestamp::MAX,
            timely: u64::try_from(plant.policies.late_after.min(plant.policies.clock_skew_max).0).unwrap_or(0).min(row::WAITED_MAX),
            listened: Duration::ZERO,
            tags: Rows::new(member_of),
            gateways: Gateways::new(gateways),
            broker: plant_tag("broker"),
            timers: Timers::default(),
            silence: Silence::new(Arc::clone(&plant)),
            listening: Listening::up(now),
            revision: 0,
            drained: true,
            dirty: BTreeSet::new(),
            gone: Vec::new(),
            unsound: Vec::new(),
            freed: Vec::new(),
            second: Second::new(&plant),
            recovery: plant_tag("recovery"),
            faulted: BTreeSet::new(),
            fault_told: false,
            said: Vec::new(),
            looks_closely: false,
            formers: Formers::default(),
            bygone: Bygone::default(),
            plant,
        };
        rules.set_wake();
        rules
    }

    /// Looks at every reading closely, for tests that hold the quick way against the long one.
    #[doc(hidden)]
    pub fn look_closely(&mut self) {
        self.looks_closely = true;
        self.set_wake();
    }

    /// Takes one input at `now` and appends what it causes, in order (time, tag, condition).
    ///
    /// Serve [`Self::next_deadline`] in time also where nothing arrives, in a backtest too.
    #[inline]
    pub fn step(&mut self, input: &Input<'_>, now: Timestamp, out: &mut Vec<AlarmEffect>) {
        if let Input::Reading(reading) = input {
            let latest = self.now.max(now);
            if self.quick_way().take(reading, latest) {
                self.now = latest;
                return;
            }
        }
        self.step_closely(input, now, out);
    }

    /// Takes readings in their order, each at the time it was received: as many [`Self::step`]s, only faster.
    pub fn run(&mut self, readings: &[Reading], out: &mut Vec<AlarmEffect>) {
        let mut rest = readings.iter();
        while let Some(reading) = self.run_quickly(&mut rest) {
            self.step_closely(&Input::Reading(*reading), reading.receive_time, out);
        }
    }

    /// Goes on to the first reading that is not to be had the quick way, and gives that back.
    fn run_quickly<'a>(&mut self, readings: &mut std::slice::Iter<'a, Reading>) -> Option<&'a Reading> {
        let mut now = self.now;
        let mut way = self.quick_way();
        let closer = readings.find(|reading| {
            let quick = reading.receive_time >= now && way.take(reading, reading.receive_time);
            if quick {
                now = reading.receive_time;
            }
            !quick
        });
        self.now = now;
        closer
    }

    #[inline(never)]
    fn step_closely(&mut self, input: &Input<'_>, now: Timestamp, out: &mut Vec<AlarmEffect>) {
        if let Input::Reading(reading) = input {
            let latest = self.now.max(now);
            if self.put_off_wake(latest) && self.quick_way().take(reading, latest) {
                self.now = latest;
                return;
            }
        }
        self.hold_silence_over_a_stall(now);
        self.now = self.now.max(now);
        let mut said = std::mem::take(&mut self.said);
        self.settle_restart(&mut said);
        if let Input::Reading(reading) = input {
            self.reading(reading, &mut said);
        } else {
            self.fire_due(&mut said);
            match input {
                Input::Act(act) => self.act(act, &mut said),
                Input::Link { up } => self.link(*up, &mut said),
                Input::UnknownTag { gateway, tag } => self.unknown_tag(*gateway, tag, &mut said),
                Input::System { tag, active, detail } => self.system(*tag, *active, detail, &mut said),
                Input::Inhibit { tag, active } => self.inhibit(*tag, *active, &mut said),
                Input::AcknowledgementExpired(episodes) => self.acknowledgement_expired(episodes, &mut said),
                Input::WorkEnded(tags) => self.work_ended(tags, &mut said),
                Input::Drained => {
                    self.drained = true;
                    self.fire_due(&mut said);
                }
                Input::Reading(_) | Input::Timeout => {}
            }
        }
        self.run_second(&mut said);
        self.tell_faults(&mut said);
        effects::release(&mut said, out);
        self.said = said;
        self.set_wake();
    }

    /// An alarm whose rule failed says nothing any more, so the engine says it of itself.
    fn tell_faults(&mut self, said: &mut Vec<Said>) {
        if self.fault_told != self.faulted.is_empty() {
            return;
        }
        self.fault_told = !self.fault_told;
        let Some(recovery) = self.recovery else { return };
        match self.faulted.first() {
            Some((index, place)) => {
                let tag = self.plant.tag(*index);
                let alarm = format!("{}@{}", tag.conditions[usize::from(*place)].condition, tag.id);
                let detail = format!("报警规则故障 {alarm} · the rule of {alarm} failed");
                self.raise_own(recovery, Condition::System, self.now, detail, &[], said);
            }
            None => {
                let detail = "故障报警已确认,重新判断 · faulted alarms were seen and are judged afresh".to_owned();
                self.return_own(recovery, Condition::System, self.now, detail, said);
            }
        }
    }

    fn act(&mut self, act: &Act, said: &mut Vec<Said>) {
        let cause = || Cause::Act { act: act.id.clone(), person: act.by.person.clone() };
        match &act.what {
            ActKind::Acknowledge { episodes } => self.for_episodes(episodes, said, |tag, place, scene| {
                tag.slots[place].acknowledge(&scene.tag().conditions[place], cause(), scene);
            }),
            ActKind::Check { episodes, field: Some(_), .. } => self.for_episodes(episodes, said, |tag, place, scene| {
                let over_range = tag.newest.is_some_and(|newest| judge::is_gas_over_range(scene.tag(), newest.record.value));
                let rule = &scene.tag().conditions[place];
                let by_rule = rule.extra.as_ref().is_some_and(|extra| extra.latching);
                let slot = &mut tag.slots[place];
                if slot.latched && !(slot.state.is_active() && (over_range || by_rule)) {
                    slot.release(rule, cause(), scene);
                }
            }),
            _ => {}
        }
    }

    pub(crate) fn inhibit(&mut self, tag: TagIndex, active: bool, said: &mut Vec<Said>) {
        let teller = self.tells_of_inhibit(tag);
        let id = self.plant.tag(tag).id.clone();
        let (mut detail, mut members) = ("设备报告处于抑制状态 · the device says it is inhibited".to_owned(), Vec::new());
        if teller != tag {
            // The gateway tells of all its members: the first raises, the last to be free again returns.
            let Some(gateway) = self.plant.tag(tag).gateway else { return };
            let state = &mut self.gateways[gateway.at()];
            state.changed |= if active { state.inhibited.insert(tag) } else { state.inhibited.remove(&tag) };
            if !active && !state.inhibited.is_empty() {
                return;
            }
            detail = format!(
                "{0} 报告处于抑制状态(同一网关的其他设备不另报) · {0} says it is inhibited (others of its gateway are not told apart)",
                id.tag
            );
            members.push(id);
        }
        if active {
            self.raise_own(teller, Condition::Inhibited, self.now, detail, &members, said);
        } else {
            self.return_own(teller, Condition::Inhibited, self.now, "抑制解除 · no longer inhibited".to_owned(), said);
        }
    }

    /// Whether a device has said that it is inhibited, where its gateway tells of it.
    pub fn says_inhibited(&self, tag: TagIndex) -> bool {
        let gateway = self.plant.tag(tag).gateway;
        gateway.is_some_and(|gateway| self.gateways[gateway.at()].inhibited.contains(&tag))
    }

    /// Whether a gateway is to tell that a tag's device is inhibited.
    pub(crate) fn is_told_by(&self, tag: TagIndex, gateway: usize) -> bool {
        self.plant.tag(tag).in_service && self.tells_of_inhibit(tag) == self.plant.gateways[gateway].tag
    }

    /// The tag whose alarm tells that a tag's device is inhibited: its own, or its gateway's.
    pub fn tells_of_inhibit(&self, tag: TagIndex) -> TagIndex {
        let of = self.plant.tag(tag);
        let has_own = of.conditions.iter().any(|rule| rule.condition == Condition::Inhibited);
        of.gateway.filter(|_| !has_own).map_or(tag, |gateway| self.plant.gateways[gateway.at()].tag)
    }

    fn acknowledgement_expired(&mut self, episodes: &[EpisodeRef], said: &mut Vec<Said>) {
        self.for_episodes(episodes, said, |tag, place, scene| {
            let cause = slot::deadline(scene.now, tag.newest.map(|newest| newest.record));
            tag.slots[place].unacknowledge(&scene.tag().conditions[place], cause, scene);
        });
    }

    fn work_ended(&mut self, tags: &[TagIndex], said: &mut Vec<Said>) {
        for index in tags {
            let tag = self.plant.tag(*index);
            let until = self.now + tag.warm_up;
            if tag.in_service && until > self.now {
                self.with_tag(*index, said, |tag, _, _| {
                    tag.warm_until = tag.warm_until.max(Some(until));
                    tag.changed = true;
                });
            }
        }
    }

    /// Runs `then` for each episode that is the present one of its alarm; an act covers no others.
    fn for_episodes(&mut self, episodes: &[EpisodeRef], said: &mut Vec<Said>, then: impl Fn(&mut TagState, usize, &mut Scene<'_>)) {
        for EpisodeRef { alarm, episode } in episodes {
            let Some((index, place)) = self.find(alarm) else { continue };
            if self.tag(index).slot(place).episode == Some(*episode) {
                self.with_tag(index, said, |tag, _, scene| then(tag, place, scene));
            }
        }
    }

    fn link(&mut self, up: bool, said: &mut Vec<Said>) {
        if up && !self.listening.is_up() {
            self.listening.set(true, self.now);
            self.grant_time_to_report(self.now, None);
        } else if !up {
            self.listening.set(false, self.now);
        }
        if let Some(broker) = self.broker {
            let detail = if up {
                "消息服务器已连接 · broker connected"
            } else {
                "消息服务器断开,收不到数据 · broker connection lost"
            };
            self.system(broker, !up, detail, said);
        }
    }

    /// A tag whose clock stood just before its end gets two sample times, or less where `enough` is, to report before it counts as
    /// silent. No more than two in one silence, however often we begin to listen: else a link that flaps, restart upon restart or stall
    /// upon stall would hide a dead sensor.
    pub(crate) fn grant_time_to_report(&mut self, now: Timestamp, enough: Option<Duration>) {
        let plant = Arc::clone(&self.plant);
        for (at, tag) in plant.tags.iter().enumerate() {
            let index = TagIndex(at as u32);
            let most = tag.sample_interval.times(2).min(tag.stale_after);
            let view = self.tags.view(index);
            if view.rest.silent || view.newest().is_none() {
                continue;
            }
            let wanted = self.listening.floor(now, tag.stale_after, enough.map_or(most, |enough| enough.min(most))).since(view.heard());
            let grant = wanted.min(most - view.granted());
            if grant > Duration::ZERO {
                let mut state = self.tags.open(index, tag.conditions.len());
                state.heard += grant;
                state.granted = state.granted + grant;
                self.close(index, state);
                if let Some(gateway) = tag.gateway {
                    self.gateways.soft_changed(gateway.at());
                }
            }
        }
    }

    fn system(&mut self, index: TagIndex, active: bool, detail: &str, said: &mut Vec<Said>) {
        let now = self.now;
        let Some(tag) = self.plant.tags.get(index.at()) else { return };
        let Some(place) = tag.conditions.iter().position(|rule| rule.condition == Condition::System) else { return };
        if !active {
            return self.return_own(index, Condition::System, now, detail.to_owned(), said);
        }
        let on_delay = tag.conditions[place].on_delay;
        if on_delay <= Duration::ZERO {
            return self.raise_own(index, Condition::System, now, detail.to_owned(), &[], said);
        }
        self.with_tag(index, said, |tag, _, _| {
            let slot = &mut tag.slots[place];
            if !slot.state.is_active() && slot.pending.is_none() {
                slot.pending = Some(Pending { since: now, receive: now, deadline: now + on_delay, late: false, value: None });
                slot.changed = true;
            }
        });
    }

    /// Runs `then` on one tag and takes up what it changed: deadlines, rows to write, the quiet band.
    pub(crate) fn with_tag<R>(
        &mut self,
        index: TagIndex,
        said: &mut Vec<Said>,
        then: impl FnOnce(&mut TagState, GatewayView, &mut Scene<'_>) -> R,
    ) -> R {
        let plant = Arc::clone(&self.plant);
        let view = self.gateway_view(index);
        let former = self.formers.of(index);
        let mut scene = Scene { now: self.now, plant: &plant, index, former, judged_by: None, bygone: &self.bygone, said };
        let mut tag = self.tags.open(index, scene.tag().conditions.len());
        let result = then(&mut tag, view, &mut scene);
        self.close(index, tag);
        result
    }

    /// One tag, to read.
    pub(crate) fn tag(&self, index: TagIndex) -> TagView<'_> {
        self.tags.view(index)
    }

    fn gateway_view(&self, index: TagIndex) -> GatewayView {
        self.tags.gateway(index).map_or_else(GatewayView::default, |gateway| {
            let state = &self.gateways[gateway];
            let doubt = if state.verdict.is_none() { state.evidence.doubt() } else { None };
            GatewayView { window: state.window, lost: state.lost && !state.back.contains(&index), doubt }
        })
    }

    /// Puts a tag back that was taken out to be changed.
    fn close(&mut self, index: TagIndex, mut tag: TagState) {
        for (place, slot) in tag.slots.iter_mut().enumerate() {
            if std::mem::take(&mut slot.changed) {
                tag.changed = true;
                let place = place as u8;
                if slot.state == AlarmState::Faulted {
                    self.faulted.insert((index, place));
                } else {
                    self.faulted.remove(&(index, place));
                }
                let pending = slot.pending.as_ref().map(|pending| pending.deadline);
                self.timers.set(Timer::OnDelay(index, place), &mut slot.registered[0], pending);
                self.timers.set(Timer::Hold(index, place), &mut slot.registered[1], slot.hold.due());
                let again = slot.realarm_due(&self.plant.tag(index).conditions[usize::from(place)]);
                self.timers.set(Timer::Realarm(index, place), &mut slot.registered[2], again);
            }
        }
        self.timers.set(Timer::Kept(index), &mut tag.registered_kept, tag.kept_due);
        if std::mem::take(&mut tag.changed) {
            self.dirty.insert(index);
        }
        let newest = tag.newest.map_or(Timestamp::MIN, |newest| newest.time);
        let may_be_of_before = self.formers.of(index).changed_after(newest);
        let band = if self.second.feeds(index) || may_be_of_before { None } else { band::of(self.plant.tag(index), &tag, self.now) };
        self.second.touch(index);
        let listens = tag.newest.is_some() && !tag.silent && self.silence.watches(index);
        if self.tags.close(index, tag, band, listens) {
            self.silence.began(index, self.tag(index).heard());
        }
    }

    /// What the next reading has to be held against before it may go the quick way. After a restart the first step looks closely.
    fn set_wake(&mut self) {
        self.next = self.first_deadline().unwrap_or(Timestamp::MAX);
        let closely = self.looks_closely
            || !self.listening.is_up()
            || !self.unsound.is_empty()
            || !self.freed.is_empty()
            || self.gone.iter().any(state::Gone::stands);
        self.wake = if closely { Timestamp::MIN } else { self.next };
        self.listened = self.listening.at(self.now).since(self.now);
    }

    /// Looks again at silence clocks whose shared entry has come, as the long way would. True when nothing but those was due.
    fn put_off_wake(&mut self, now: Timestamp) -> bool {
        if self.wake == Timestamp::MIN || now < self.wake {
            return false;
        }
        self.look_at_silence(now);
        self.set_wake();
        now < self.wake
    }
}

fn engine_cause(detail: String) -> Cause {
    Cause::Engine { detail }
}
