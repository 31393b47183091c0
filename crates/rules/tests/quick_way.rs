//! The quick way, by which most readings go, against the long one: whatever happens, both say the same at the same time, ask for the same
//! deadlines, and leave the same rows.

mod common;
use common::random::{Op, Run, calm_op, county_from, op};
use common::*;
use model::*;
use proptest::prelude::*;
use std::sync::Arc;
use watchfire_rules::Rules;

/// What a run said and wrote, step by step. The lower end of the measuring ranges decides whether zero is a value like others.
fn run(ops: &[Op], low: f64, closely: bool) -> Vec<String> {
    let mut run = Run::of(county_from(low));
    let mut told = 0;
    let mut log = Vec::new();
    for op in ops {
        if closely {
            run.rules.look_closely();
        }
        run.apply(op);
        for effect in &run.effects[told..] {
            log.push(format!("{effect:?}"));
        }
        told = run.effects.len();
        log.push(format!("{op:?}: next {:?}", run.rules.next_deadline()));
    }
    log.extend(rows(&mut run.rules, &mut run.store));
    log
}

/// All rows as text.
fn rows(rules: &mut Rules, store: &mut Store) -> Vec<String> {
    store.commit(rules);
    store.checkpoint(rules);
    store.hard.iter().chain(&store.soft).map(|(key, bytes)| format!("{key}: {}", String::from_utf8_lossy(bytes))).collect()
}

fn stalling(op: impl Strategy<Value = Op>) -> impl Strategy<Value = Op> {
    prop_oneof![12 => op, 1 => (0..30_000_i64).prop_map(Op::Stall)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_a_quiet_day(ops in prop::collection::vec(stalling(calm_op()), 1..200), low in prop_oneof![Just(0.0), Just(-10.0)]) {
        prop_assert_eq!(run(&ops, low, false), run(&ops, low, true));
    }

    #[test]
    fn on_a_wild_day(ops in prop::collection::vec(stalling(op()), 1..80), low in prop_oneof![Just(0.0), Just(-10.0)]) {
        prop_assert_eq!(run(&ops, low, false), run(&ops, low, true));
    }

    /// Many readings in one go are as many steps.
    #[test]
    fn a_run_is_its_steps(
        sent in prop::collection::vec((0..5_usize, prop_oneof![9 => 20.0..24.0, 1 => -20.0..120.0], 0..900_i64, prop_oneof![9 => Just(0_i64), 1 => -70_000..70_i64]), 1..300),
    ) {
        let plant = county_from(-10.0);
        let mut now = ZERO;
        let readings: Vec<Reading> = sent
            .iter()
            .map(|(tag, value, after, shift)| {
                now += Duration::from_millis(*after);
                let tag = plant.find_tag("hx", common::random::TAGS[*tag]).expect("a tag");
                let source_time = now + Duration::from_millis(*shift);
                Reading { tag, source_time, receive_time: now, value: *value, quality: Quality::Good, sequence: None }
            })
            .collect();
        let (mut at_once, mut singly) = (Rules::new(Arc::clone(&plant), ZERO), Rules::new(plant, ZERO));
        let (mut said, mut expected) = (Vec::new(), Vec::new());
        at_once.run(&readings, &mut said);
        for reading in &readings {
            singly.step(&watchfire_rules::Input::Reading(*reading), reading.receive_time, &mut expected);
        }
        prop_assert_eq!(said, expected);
        prop_assert_eq!(rows(&mut at_once, &mut Store::default()), rows(&mut singly, &mut Store::default()));
    }
}
