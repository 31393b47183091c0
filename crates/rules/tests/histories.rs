//! Every short history against what must always hold.
//!
//! The scenarios say what happens in cases somebody thought of. Here every history of a few inputs from a small alphabet is run, and
//! the record of each is held against the stated invariants: no raise without an exceedance, no return without good evidence, every
//! exceedance that lasts raises exactly once, states change only as ISA-18.2 allows, every raise is told exactly once, a restart at any
//! point changes nothing, and a redelivery changes nothing.

mod common;
use common::*;
use model::plant::Plant;
use model::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

const SETPOINT: f64 = 80.0;
const DEADBAND: f64 = 2.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Reading(f64, Quality),
    /// The last reading once more.
    Again,
    Acknowledge,
    Timeout,
}
use Event::{Acknowledge, Again, Timeout};
use Quality::{Bad, Good, Uncertain};

/// One input after `after` seconds.
type Step = (i64, Event);

#[derive(Clone, Copy)]
struct Limits {
    on_delay: i64,
    off_delay: i64,
    high_high: Option<f64>,
    alone: bool,
}

fn plant_of(limits: Limits) -> Arc<Plant> {
    let mut tank = tag("hx", "T", Signal::Level);
    // No grace after a restart, so that a restarted run can be held against one that went on.
    tank.sample_interval = Duration::ZERO;
    tank.stale_after = Duration::from_secs(13);
    let mut high = rule(Condition::High, SETPOINT);
    high.deadband = DEADBAND;
    high.on_delay = Duration::from_secs(limits.on_delay);
    high.off_delay = Duration::from_secs(limits.off_delay);
    tank.conditions = vec![high, rule(Condition::BadQuality, 0.0), rule(Condition::Stale, 0.0)].into();
    if let Some(setpoint) = limits.high_high {
        tank.conditions.push(rule(Condition::HighHigh, setpoint));
    }
    let alone = if limits.alone { vec!["T".to_owned()] } else { Vec::new() };
    plant(vec![tank], &alone, Duration::from_secs(5), "r1")
}

/// What was put in, with its time, and what came out.
#[derive(Default)]
struct Record {
    readings: Vec<(Timestamp, f64, Quality)>,
    effects: Vec<AlarmEffect>,
    end: Timestamp,
}

/// How a run is disturbed.
#[derive(Clone, Copy, PartialEq)]
enum Disturbance {
    None,
    /// Stop and start before the step of this number, with everything written down.
    RestartAt(usize),
    /// Killed before this step: the last checkpoint is the one at the start, and the broker sends everything once more.
    KilledAt(usize),
}

fn run(plant: &Arc<Plant>, history: &[Step], disturbance: Disturbance) -> Record {
    let index = plant.find_tag("hx", "T").expect("the tag");
    let mut rules = Rules::new(Arc::clone(plant), ZERO);
    let mut store = Store::default();
    let mut record = Record::default();
    let mut sent: Vec<Reading> = Vec::new();
    let mut now = ZERO;
    for (number, (after, event)) in history.iter().enumerate() {
        match disturbance {
            Disturbance::RestartAt(at) if at == number => {
                store.commit(&mut rules);
                store.checkpoint(&mut rules);
                rules = store.restore(plant, now);
                rules.step(&Input::Link { up: true }, now, &mut record.effects);
                rules.step(&Input::Drained, now, &mut record.effects);
            }
            Disturbance::KilledAt(at) if at == number => {
                rules = store.restore(plant, now);
                rules.step(&Input::Link { up: true }, now, &mut record.effects);
                for reading in &sent {
                    let mut again = *reading;
                    again.receive_time = now;
                    rules.step(&Input::Reading(again), now, &mut record.effects);
                }
                rules.step(&Input::Drained, now, &mut record.effects);
            }
            _ => {}
        }
        now += Duration::from_secs(*after);
        serve(&mut rules, now, &mut record.effects);
        match event {
            Event::Reading(value, quality) => {
                let reading = Reading { tag: index, source_time: now, receive_time: now, value: *value, quality: *quality, sequence: None };
                rules.step(&Input::Reading(reading), now, &mut record.effects);
                sent.push(reading);
                record.readings.push((now, *value, *quality));
            }
            Again => {
                if let Some(last) = sent.last() {
                    let before = record.effects.len();
                    serve(&mut rules, now + Duration(1), &mut record.effects);
                    let deadlines = record.effects.len() - before;
                    let mut again = *last;
                    again.receive_time = now;
                    rules.step(&Input::Reading(again), now, &mut record.effects);
                    assert_eq!(record.effects.len() - before, deadlines, "a duplicate changed something: {history:?}");
                }
            }
            Acknowledge => {
                let alarm = AlarmId { tag: TagId::new("hx", "T"), condition: Condition::High };
                if let Some(episode) = rules.alarm(&alarm).and_then(|alarm| alarm.episode) {
                    rules.step(&Input::Act(&act(number as u32, false, EpisodeRef { alarm, episode })), now, &mut record.effects);
                }
            }
            Timeout => rules.step(&Input::Timeout, now, &mut record.effects),
        }
        store.commit(&mut rules);
    }
    record.end = now;
    record
}

fn transitions(record: &Record, condition: Condition) -> Vec<&Transition> {
    record
        .effects
        .iter()
        .filter_map(|effect| match effect {
            AlarmEffect::Transition(transition) if transition.key.alarm.condition == condition => Some(transition),
            _ => None,
        })
        .collect()
}

/// What must hold for every record.
fn hold_invariants(record: &Record, limits: Limits, history: &[Step]) {
    let on_delay = Duration::from_secs(limits.on_delay);
    let beyond = |value: f64, quality| quality != Bad && value >= SETPOINT;
    let clears = |value: f64, quality| quality == Good && value < SETPOINT - DEADBAND;
    let ends_wait = |value: f64, quality| quality == Good && value < SETPOINT;
    let high = transitions(record, Condition::High);
    let taken_along =
        |at: Timestamp| transitions(record, Condition::HighHigh).iter().any(|other| other.change == Change::Raised && other.at == at);

    for transition in &high {
        let at = transition.at;
        let since = transition.key.episode.since;
        match transition.change {
            Change::Raised => {
                let first = record.readings.iter().any(|(time, value, quality)| *time == since && beyond(*value, *quality));
                assert!(first, "raised without an exceedance: {history:?}");
                let interrupted =
                    record.readings.iter().any(|(time, value, quality)| *time > since && *time < at && ends_wait(*value, *quality));
                assert!(!interrupted, "raised although the wait had ended: {history:?}");
                assert!(at == since + on_delay || taken_along(at), "raised at the wrong time: {history:?}");
            }
            Change::Returned => {
                let proven = record.readings.iter().any(|(time, value, quality)| *time == at && clears(*value, *quality));
                assert!(proven, "returned without good evidence: {history:?}");
            }
            _ => {}
        }
    }
    every_exceedance_raises_once(record, &high, on_delay, limits, history, beyond, ends_wait);
    legal_states(record, history);
    told_once(record, history);
}

fn every_exceedance_raises_once(
    record: &Record,
    high: &[&Transition],
    on_delay: Duration,
    limits: Limits,
    history: &[Step],
    beyond: impl Fn(f64, Quality) -> bool,
    ends_wait: impl Fn(f64, Quality) -> bool,
) {
    let active_at = |time: Timestamp| {
        let mut active = false;
        for transition in high.iter().filter(|transition| transition.at < time) {
            match transition.change {
                Change::Raised => active = true,
                Change::Returned => active = false,
                _ => {}
            }
        }
        active
    };
    let mut from = 0;
    while from < record.readings.len() {
        let (since, value, quality) = record.readings[from];
        from += 1;
        if !beyond(value, quality) || active_at(since) {
            continue;
        }
        let end = record.readings[from..].iter().find(|(_, value, quality)| ends_wait(*value, *quality)).map(|(time, ..)| *time);
        let raised = high.iter().filter(|transition| transition.change == Change::Raised && transition.key.episode.since == since).count();
        if end.unwrap_or(record.end) >= since + on_delay {
            assert_eq!(raised, 1, "an exceedance from {since:?} that lasted was raised {raised} times: {history:?}");
        } else {
            assert!(raised == 0 || limits.high_high.is_some(), "an exceedance that did not last was raised: {history:?}");
        }
        // The rest of the stretch belongs to the same wait.
        while from < record.readings.len() && end.is_none_or(|end| record.readings[from].0 < end) {
            from += 1;
        }
    }
}

fn legal_states(record: &Record, history: &[Step]) {
    let mut keys = BTreeSet::new();
    for condition in Condition::ALL {
        let (mut state, mut step, mut episode) = (AlarmState::Normal, 0, None);
        for transition in transitions(record, condition) {
            assert!(keys.insert(transition.key.clone()), "one key twice: {history:?}");
            assert_eq!(transition.from, state, "a transition from a state it was not in: {history:?}");
            if transition.change == Change::Raised {
                step = 0;
                episode = Some(transition.key.episode);
                assert!(!state.is_active(), "raised twice: {history:?}");
            }
            assert_eq!(transition.key.step, step, "steps do not count on: {history:?}");
            assert_eq!(Some(transition.key.episode), episode, "a transition of another episode: {history:?}");
            assert_ne!(transition.to, AlarmState::Faulted, "faulted: {history:?}");
            step += 1;
            state = transition.to;
        }
    }
}

fn told_once(record: &Record, history: &[Step]) {
    for (at, effect) in record.effects.iter().enumerate() {
        if let AlarmEffect::Transition(transition) = effect
            && transition.change == Change::Raised
        {
            let told = |effect: &&AlarmEffect| matches!(effect, AlarmEffect::Announce(announcement) if announcement.key == transition.key);
            assert_eq!(record.effects.iter().filter(told).count(), 1, "a raise is told once: {history:?}");
            assert!(record.effects.get(at + 1).as_ref().is_some_and(told), "and at once: {history:?}");
        }
    }
}

/// Calls `then` with every history of exactly `length` steps.
fn every_history(alphabet: &[Step], length: usize, mut then: impl FnMut(&[Step])) {
    let mut places = vec![0; length];
    loop {
        let history: Vec<Step> = places.iter().map(|place| alphabet[*place]).collect();
        then(&history);
        let Some(turn) = places.iter().rposition(|place| *place + 1 < alphabet.len()) else { return };
        places[turn] += 1;
        places[turn + 1..].fill(0);
    }
}

const WIDE: [Step; 13] = [
    (1, Event::Reading(81.0, Good)),
    (6, Event::Reading(81.0, Good)),
    (1, Event::Reading(79.0, Good)),
    (6, Event::Reading(79.0, Good)),
    (1, Event::Reading(70.0, Good)),
    (6, Event::Reading(70.0, Good)),
    (1, Event::Reading(95.0, Bad)),
    (6, Event::Reading(81.0, Uncertain)),
    (1, Event::Reading(70.0, Uncertain)),
    (0, Event::Reading(82.0, Good)),
    (5, Timeout),
    (0, Acknowledge),
    (1, Again),
];

const NARROW: [Step; 7] = [
    (5, Event::Reading(81.0, Good)),
    (1, Event::Reading(79.0, Good)),
    (5, Event::Reading(70.0, Good)),
    (1, Event::Reading(70.0, Bad)),
    (1, Event::Reading(80.0, Uncertain)),
    (5, Timeout),
    (0, Acknowledge),
];

#[test]
fn every_history_of_four_inputs_keeps_the_invariants() {
    for (on_delay, off_delay) in [(0, 0), (5, 0), (0, 5), (5, 6)] {
        let limits = Limits { on_delay, off_delay, high_high: None, alone: false };
        let plant = plant_of(limits);
        every_history(&WIDE, 4, |history| {
            // Two readings of one instant are a matter of their own.
            if history.iter().zip(history.iter().skip(1)).any(|(_, next)| next.0 == 0 && matches!(next.1, Event::Reading(..))) {
                return;
            }
            hold_invariants(&run(&plant, history, Disturbance::None), limits, history);
        });
    }
}

#[test]
fn every_history_of_six_inputs_keeps_the_invariants() {
    let limits = Limits { on_delay: 6, off_delay: 6, high_high: None, alone: false };
    let plant = plant_of(limits);
    every_history(&NARROW, 6, |history| hold_invariants(&run(&plant, history, Disturbance::None), limits, history));
}

#[test]
fn two_limits_keep_the_invariants() {
    let limits = Limits { on_delay: 6, off_delay: 0, high_high: Some(90.0), alone: false };
    let plant = plant_of(limits);
    let mut alphabet = NARROW.to_vec();
    alphabet.push((1, Event::Reading(95.0, Good)));
    every_history(&alphabet, 5, |history| hold_invariants(&run(&plant, history, Disturbance::None), limits, history));
}

#[test]
fn a_restart_at_any_point_changes_nothing() {
    let limits = Limits { on_delay: 6, off_delay: 5, high_high: Some(90.0), alone: false };
    let plant = plant_of(limits);
    let mut alphabet = WIDE.to_vec();
    alphabet.push((1, Event::Reading(95.0, Good)));
    every_history(&alphabet, 4, |history| {
        let expected = run(&plant, history, Disturbance::None).effects;
        for at in 1..history.len() {
            assert_eq!(run(&plant, history, Disturbance::RestartAt(at)).effects, expected, "restarted before step {at}: {history:?}");
        }
    });
}

#[test]
fn a_kill_and_a_redelivery_of_everything_lose_and_double_no_limit_transition() {
    let limits = Limits { on_delay: 6, off_delay: 0, high_high: Some(90.0), alone: false };
    let plant = plant_of(limits);
    let mut alphabet = NARROW.to_vec();
    alphabet.push((1, Event::Reading(95.0, Good)));
    let keys = |record: &Record| {
        let mut keys: Vec<_> = [Condition::High, Condition::HighHigh]
            .into_iter()
            .flat_map(|condition| transitions(record, condition))
            .map(|transition| (transition.key.clone(), transition.change, transition.to, transition.at))
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        keys
    };
    every_history(&alphabet, 4, |history| {
        let expected = keys(&run(&plant, history, Disturbance::None));
        for at in 1..history.len() {
            assert_eq!(keys(&run(&plant, history, Disturbance::KilledAt(at))), expected, "killed before step {at}: {history:?}");
        }
    });
}

#[test]
fn the_quiet_band_is_only_a_short_cut() {
    // A tag without a gateway never takes the short cut.
    let limits = Limits { on_delay: 6, off_delay: 5, high_high: Some(90.0), alone: false };
    let (short, long) = (plant_of(limits), plant_of(Limits { alone: true, ..limits }));
    every_history(&WIDE, 4, |history| {
        let expected = run(&long, history, Disturbance::None).effects;
        assert_eq!(run(&short, history, Disturbance::None).effects, expected, "{history:?}");
    });
}
