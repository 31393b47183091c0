//! The engine itself stands still, and what came meanwhile waits in its queue.
mod common;
use common::*;
use model::{AlarmEffect, Condition, Duration, Quality, Reading, Signal, TagIndex, Timestamp};
use watchfire_rules::{Input, Rules};

#[test]
fn an_engine_that_stood_still_makes_no_tag_stale_but_silence_after_it_does() {
    let mut made = tag("hx", "T", Signal::Level);
    made.stale_after = Duration::from_secs(15);
    made.conditions = vec![rule(Condition::Stale, 0.0)];
    let plant = plant(vec![made], &[], Duration::from_secs(5), "r1");
    let mut rules = Rules::new(plant, ZERO);
    let reading = |secs: i64| {
        let time = ZERO + Duration::from_secs(secs);
        Reading { tag: TagIndex(6), source_time: time, receive_time: time, value: 50.0, quality: Quality::Good, sequence: None }
    };
    let mut out = Vec::new();
    let mut step = |input: Input<'_>, secs: i64| {
        out.clear();
        rules.step(&input, ZERO + Duration::from_secs(secs), &mut out);
        let said: Vec<String> = out.iter().map(|effect: &AlarmEffect| describe(effect, false)).collect();
        (said, rules.next_deadline())
    };
    step(Input::Reading(reading(0)), 0);
    // Stopped for an hour; the readings of that hour are served after it.
    assert_eq!(step(Input::Timeout, 3600).0, Vec::<String>::new());
    for secs in (5..3600).step_by(5) {
        assert_eq!(step(Input::Reading(reading(secs)), 3600).0, Vec::<String>::new());
    }
    let (_, due) = step(Input::Timeout, 3601);
    assert!(due.is_some_and(|due: Timestamp| due <= ZERO + Duration::from_secs(3615)));
    assert_eq!(step(Input::Timeout, 3615).0, ["stale raised 3615s", "announce stale"]);
}
