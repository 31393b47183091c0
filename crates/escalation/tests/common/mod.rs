//! Scenarios in operator words: lines with `>` go in, the others must come out, in that order and no others.
//!
//! Every scenario runs twice: once uninterrupted, once with the engine killed and restored from its state rows after every
//! single input. Both must say the same. After every input the invariants of `world.rs` are checked.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod plant;
pub mod say;
pub mod world;

use world::World;

/// Runs a scenario against the sample county.
#[track_caller]
pub fn check(scenario: &str) {
    check_on(plant::county(), scenario);
}

/// Runs a scenario against a plant.
#[track_caller]
pub fn check_on(plant: std::sync::Arc<model::Plant>, scenario: &str) {
    let wanted: Vec<&str> = scenario
        .lines()
        .map(|line| line.split("  #").next().expect("well-formed test data").trim())
        .filter(|line| !line.is_empty())
        .collect();
    for killed in [false, true] {
        let mut world = World::new(plant.clone(), killed);
        for line in wanted.iter().filter_map(|line| line.split_once(" > ")) {
            world.run(line.0, line.1);
        }
        // What happens beside alarms and cases is written down with `~` where a scenario is about it.
        let beside = wanted.iter().any(|line| line.contains(" ~ "));
        let got: Vec<String> = world.transcript.into_iter().filter(|line| beside || !line.contains(" ~ ")).collect();
        let differs = (0..wanted.len().max(got.len())).find(|at| wanted.get(*at).copied() != got.get(*at).map(String::as_str));
        if let Some(at) = differs {
            let shown = got.join("\n");
            panic!(
                "killed at every step: {killed}; line {at}\n  wanted: {:?}\n  got:    {:?}\nwhole transcript:\n{shown}\n",
                wanted.get(at),
                got.get(at)
            );
        }
    }
}
