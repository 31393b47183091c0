//! Long random histories: late and repeated readings, stragglers, clocks that step, restarts with and without a checkpoint, a link that
//! comes and goes, people who acknowledge. Whatever happens: nothing panics, no key comes twice, states change legally, every high-high,
//! low-low and gas alarm is told exactly once, and an exceedance always leaves a raise or a row.

mod common;
use common::*;
use model::plant::Plant;
use model::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

#[derive(Clone, Debug)]
enum Op {
    Pass(i64),
    Send { tag: usize, value: f64, quality: Quality, shift: i64 },
    SendAll { value: f64 },
    Repeat { back: usize },
    ClockTo(i64),
    StuckAt(i64),
    Restart { lossy: bool },
    Link(bool),
    Acknowledge(usize),
    FieldCheck(usize),
    UnknownTag,
}

const TAGS: [&str; 5] = ["A", "B", "C", "D", "E"];

fn county() -> Arc<Plant> {
    let secs = Duration::from_secs;
    let mut tags: Vec<_> = TAGS
        .iter()
        .zip([Signal::Temperature, Signal::Toxic, Signal::Level, Signal::Switch, Signal::Pressure])
        .map(|(name, signal)| tag("hx", name, signal))
        .collect();
    for tag in &mut tags {
        tag.stale_after = secs(15);
        // No grace for silent tags after a restart, so that a restarted run can be held against one that went on.
        tag.sample_interval = Duration::ZERO;
        tag.range = Some((0.0, 100.0));
        tag.conditions = [Condition::BadQuality, Condition::Stale, Condition::OutOfRange].map(|condition| rule(condition, 0.0)).to_vec();
    }
    let limit = |condition, setpoint, on: i64, off: i64| {
        let mut rule = rule(condition, setpoint);
        (rule.deadband, rule.on_delay, rule.off_delay) = (2.0, secs(on), secs(off));
        rule
    };
    tags[0].conditions.extend([limit(Condition::High, 80.0, 10, 5), limit(Condition::HighHigh, 90.0, 0, 0)]);
    tags[1].conditions.extend([limit(Condition::High, 25.0, 3, 6), limit(Condition::HighHigh, 50.0, 0, 6)]);
    tags[2].conditions.extend([limit(Condition::Low, 20.0, 0, 0), limit(Condition::LowLow, 10.0, 0, 0)]);
    tags[3].conditions.push(rule(Condition::Discrete, 1.0));
    tags[4].conditions.extend([limit(Condition::HighHigh, 90.0, 8, 0)]);
    plant(tags, &[], secs(5), "r1")
}

fn op() -> impl Strategy<Value = Op> {
    let value = prop_oneof![
        Just(50.0),
        Just(15.0),
        Just(0.0),
        Just(5.0),
        Just(81.0),
        Just(79.0),
        Just(95.0),
        Just(130.0),
        Just(1.0),
        Just(f64::NAN),
        Just(-5.0)
    ];
    let quality = prop_oneof![6 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let shift = prop_oneof![
        8 => Just(0_i64),
        2 => -20_000..0_i64,
        1 => -4_000_000..0_i64,
        1 => 0..200_000_i64,
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ];
    let offset = prop_oneof![Just(0_i64), Just(-28_800_000), Just(28_800_000), Just(-40_000), Just(40_000), Just(-1_700_000_000_000)];
    prop_oneof![
        6 => (0..8_000_i64).prop_map(Op::Pass),
        1 => (8_000..100_000_i64).prop_map(Op::Pass),
        10 => (0..5_usize, value.clone(), quality, shift).prop_map(|(tag, value, quality, shift)| Op::Send { tag, value, quality, shift }),
        4 => value.prop_map(|value| Op::SendAll { value }),
        2 => (0..4_usize).prop_map(|back| Op::Repeat { back }),
        1 => offset.clone().prop_map(Op::ClockTo),
        1 => offset.prop_map(Op::StuckAt),
        1 => any::<bool>().prop_map(|lossy| Op::Restart { lossy }),
        1 => any::<bool>().prop_map(Op::Link),
        2 => (0..8_usize).prop_map(Op::Acknowledge),
        1 => (0..8_usize).prop_map(Op::FieldCheck),
        1 => Just(Op::UnknownTag),
    ]
}

struct Run {
    plant: Arc<Plant>,
    rules: Rules,
    store: Store,
    now: Timestamp,
    /// The gateway's clock minus ours, in milliseconds; or where it stands.
    offset: i64,
    stuck: Option<Timestamp>,
    sent: Vec<Reading>,
    effects: Vec<AlarmEffect>,
    acts: u32,
}

impl Run {
    fn new() -> Self {
        let plant = county();
        let rules = Rules::new(Arc::clone(&plant), ZERO);
        let (offset, stuck, sent, effects, acts) = (0, None, Vec::new(), Vec::new(), 0);
        Self { plant, rules, store: Store::default(), now: ZERO, offset, stuck, sent, effects, acts }
    }

    fn pass(&mut self, millis: i64) {
        self.now += Duration::from_millis(millis);
        serve(&mut self.rules, self.now, &mut self.effects);
        self.step(Input::Timeout);
    }

    fn step(&mut self, input: Input<'_>) {
        self.rules.step(&input, self.now, &mut self.effects);
        // An input may make something due at once; the engine's loop comes straight back for it.
        if self.rules.next_deadline().is_some_and(|due| due <= self.now) {
            self.rules.step(&Input::Timeout, self.now, &mut self.effects);
        }
        self.store.commit(&mut self.rules);
        assert!(self.rules.next_deadline().is_none_or(|due| due > self.now), "a deadline that is due was not served");
    }

    fn send(&mut self, tag: usize, value: f64, quality: Quality, shift: i64) {
        let clock = self.stuck.unwrap_or(self.now + Duration::from_millis(self.offset));
        let source_time = match shift {
            i64::MIN => Timestamp::MIN,
            i64::MAX => Timestamp::MAX,
            _ => clock + Duration::from_millis(shift),
        };
        let tag = self.plant.find_tag("hx", TAGS[tag]).expect("a tag");
        let reading = Reading { tag, source_time, receive_time: self.now, value, quality, sequence: None };
        self.sent.push(reading);
        self.step(Input::Reading(reading));
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Pass(millis) => self.pass(*millis),
            Op::Send { tag, value, quality, shift } => self.send(*tag, *value, *quality, *shift),
            Op::SendAll { value } => (0..TAGS.len()).for_each(|tag| self.send(tag, *value, Quality::Good, 0)),
            Op::Repeat { back } => {
                if let Some(mut reading) = self.sent.len().checked_sub(back + 1).map(|at| self.sent[at]) {
                    reading.receive_time = self.now;
                    self.step(Input::Reading(reading));
                }
            }
            Op::ClockTo(offset) => (self.offset, self.stuck) = (*offset, None),
            Op::StuckAt(offset) => self.stuck = Some(self.now + Duration::from_millis(*offset)),
            Op::Restart { lossy } => {
                if !lossy {
                    self.store.checkpoint(&mut self.rules);
                }
                self.rules = self.store.restore(&self.plant, self.now);
                self.step(Input::Link { up: true });
                self.step(Input::Drained);
            }
            Op::Link(up) => self.step(Input::Link { up: *up }),
            Op::Acknowledge(which) | Op::FieldCheck(which) => {
                let Some(view) = self.rules.alarms().nth(*which) else { return };
                let Some(episode) = view.episode else { return };
                self.acts += 1;
                let act = act(self.acts, matches!(op, Op::FieldCheck(_)), EpisodeRef { alarm: view.alarm, episode });
                self.step(Input::Act(&act));
            }
            Op::UnknownTag => self.step(Input::UnknownTag { gateway: 0, tag: "X" }),
        }
    }
}

fn is_told_always(alarm: &AlarmId) -> bool {
    matches!(alarm.condition, Condition::HighHigh) || (&*alarm.tag.tag == "B" && alarm.condition == Condition::High)
}

fn hold_invariants(run: &Run) {
    let mut keys = BTreeSet::new();
    let mut states: BTreeMap<AlarmId, (AlarmState, u32, Option<Episode>)> = BTreeMap::new();
    let mut told: BTreeMap<TransitionKey, u32> = BTreeMap::new();
    for effect in &run.effects {
        match effect {
            AlarmEffect::Transition(transition) => {
                assert!(keys.insert(transition.key.clone()), "one key twice: {}", transition.key);
                let (state, step, episode) = states.entry(transition.key.alarm.clone()).or_default();
                assert_eq!(transition.from, *state, "{}", transition.key);
                if transition.change == Change::Raised {
                    assert!(!state.is_active());
                    (*step, *episode) = (0, Some(transition.key.episode));
                }
                assert_eq!(transition.key.step, *step, "{}", transition.key);
                assert_eq!(Some(transition.key.episode), *episode, "{}", transition.key);
                assert_ne!(transition.to, AlarmState::Faulted);
                assert!(transition.at <= transition.now, "nothing happens in the future: {}", transition.key);
                *step += 1;
                *state = transition.to;
            }
            AlarmEffect::Announce(announcement) => {
                assert!(keys.contains(&announcement.key), "told before it was raised: {}", announcement.key);
                *told.entry(announcement.key.clone()).or_default() += 1;
            }
            AlarmEffect::LateExceedance(row) => {
                if let Some(key) = &row.opens_case {
                    assert!(keys.insert(key.clone()), "one key twice: {key}");
                }
            }
        }
    }
    assert!(told.values().all(|times| *times == 1), "told more than once: {told:?}");
    for key in keys.iter().filter(|key| key.step == 0 && is_told_always(&key.alarm)) {
        let by_row =
            run.effects.iter().any(|effect| matches!(effect, AlarmEffect::LateExceedance(row) if row.opens_case.as_ref() == Some(key)));
        assert!(by_row || told.contains_key(key), "never told: {key}");
    }
}

/// The first exceedance of a tag must have left something.
fn hold_no_alarm_lost(run: &Run) {
    for (name, condition, limit) in [("A", Condition::HighHigh, 90.0), ("B", Condition::HighHigh, 50.0)] {
        let tag = run.plant.find_tag("hx", name).expect("a tag");
        let exceeded = run.sent.iter().any(|reading| reading.tag == tag && reading.value >= limit && reading.quality != Quality::Bad);
        let left = run.effects.iter().any(|effect| match effect {
            AlarmEffect::Transition(transition) => transition.key.alarm.condition == condition && &*transition.key.alarm.tag.tag == name,
            AlarmEffect::LateExceedance(row) => row.alarm.condition == condition && &*row.alarm.tag.tag == name,
            AlarmEffect::Announce(_) => false,
        });
        assert!(!exceeded || left, "an exceedance of {name} left no trace");
    }
}

fn views(rules: &Rules) -> Vec<watchfire_rules::AlarmView> {
    rules.alarms().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_invariants_hold(ops in prop::collection::vec(op(), 1..80)) {
        let mut run = Run::new();
        for op in &ops {
            run.apply(op);
        }
        // Every hold runs out, whatever was in doubt.
        run.apply(&Op::Link(true));
        for _ in 0..8 {
            run.pass(10_000);
        }
        hold_invariants(&run);
        hold_no_alarm_lost(&run);
        // What is stored is what stands.
        run.store.checkpoint(&mut run.rules);
        let restored = run.store.restore(&run.plant, run.now);
        prop_assert_eq!(views(&restored), views(&run.rules));
        for at in 0..run.plant.tags.len() {
            let index = TagIndex(at as u32);
            prop_assert_eq!(restored.newest(index), run.rules.newest(index));
        }
    }

    #[test]
    fn a_run_is_decided_by_its_inputs(ops in prop::collection::vec(op(), 1..60)) {
        let effects = || {
            let mut run = Run::new();
            ops.iter().for_each(|op| run.apply(op));
            run.effects
        };
        prop_assert_eq!(effects(), effects());
    }

    /// Stop and start, with everything written down, between any two inputs: the run goes on as if nothing had been.
    #[test]
    fn restarts_change_nothing(ops in prop::collection::vec(op(), 1..60)) {
        // A restart ends a blindness, so histories with a link are left out.
        let ops: Vec<_> = ops.into_iter().filter(|op| !matches!(op, Op::Restart { .. } | Op::Link(_))).collect();
        let effects = |restart: bool| {
            let mut run = Run::new();
            for op in &ops {
                run.apply(op);
                if restart {
                    run.apply(&Op::Restart { lossy: false });
                }
            }
            run.effects
        };
        prop_assert_eq!(effects(true), effects(false));
    }
}
