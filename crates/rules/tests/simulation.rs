//! Long random histories: late and repeated readings, stragglers, clocks that step, restarts with and without a checkpoint, a link that
//! comes and goes, people who acknowledge. Whatever happens: nothing panics, no key comes twice, states change legally, every high-high,
//! low-low and gas alarm is told exactly once, and an exceedance always leaves a raise or a row.

mod common;
use common::random::{Op, Run, op};
use model::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use watchfire_rules::Rules;

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
