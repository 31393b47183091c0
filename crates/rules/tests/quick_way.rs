//! The quick way, by which most readings go, against the long one: whatever happens, both say the same at the same time, ask for the same
//! deadlines, and leave the same rows.

mod common;
use common::random::{Op, Run, calm_op, op};
use proptest::prelude::*;

/// What a run said and wrote, step by step.
fn run(ops: &[Op], closely: bool) -> Vec<String> {
    let mut run = Run::new();
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
    run.store.checkpoint(&mut run.rules);
    for (key, bytes) in run.store.hard.iter().chain(&run.store.soft) {
        log.push(format!("{key}: {}", String::from_utf8_lossy(bytes)));
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_a_quiet_day(ops in prop::collection::vec(calm_op(), 1..200)) {
        prop_assert_eq!(run(&ops, false), run(&ops, true));
    }

    #[test]
    fn on_a_wild_day(ops in prop::collection::vec(op(), 1..80)) {
        prop_assert_eq!(run(&ops, false), run(&ops, true));
    }
}
