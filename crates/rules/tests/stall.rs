//! The engine itself stands still, and what came meanwhile waits in its queue.
mod common;
use common::*;
use model::{AlarmEffect, Condition, Duration, Quality, Reading, Signal, TagIndex, Timestamp};
use watchfire_rules::{Input, Rules};

/// A tag that is stale after 15 s, in steps of milliseconds.
struct Stalling {
    rules: Rules,
}

impl Stalling {
    fn new() -> Self {
        let mut made = tag("hx", "T", Signal::Level);
        made.stale_after = Duration::from_secs(15);
        made.conditions = vec![rule(Condition::Stale, 0.0)].into();
        Self { rules: Rules::new(plant(vec![made], &[], Duration::from_secs(5), "r1"), ZERO) }
    }
    fn step(&mut self, input: &Input<'_>, millis: i64) -> Vec<String> {
        let mut out = Vec::new();
        self.rules.step(input, ZERO + Duration::from_millis(millis), &mut out);
        out.iter().map(|effect: &AlarmEffect| describe(effect, false)).collect()
    }
}

fn reading(secs: i64) -> Input<'static> {
    let time = ZERO + Duration::from_secs(secs);
    // Behind the engine's own tags.
    let tag = TagIndex(model::plant::SYSTEM_TAGS.len() as u32);
    Input::Reading(Reading { tag, source_time: time, receive_time: time, value: 50.0, quality: Quality::Good, sequence: None })
}

const NOTHING: [String; 0] = [];

#[test]
fn an_engine_that_stood_still_makes_no_tag_stale_but_silence_after_it_does() {
    let mut stalling = Stalling::new();
    stalling.step(&reading(0), 0);
    // Stopped for an hour; the readings of that hour are served after it.
    assert_eq!(stalling.step(&Input::Timeout, 3_600_000), NOTHING);
    for secs in (5..3600).step_by(5) {
        assert_eq!(stalling.step(&reading(secs), 3_600_000 + secs / 2), NOTHING);
    }
    stalling.step(&Input::Timeout, 3_602_000);
    let due = stalling.rules.next_deadline();
    assert!(due.is_some_and(|due: Timestamp| due <= ZERO + Duration::from_secs(3617)), "{due:?}");
    assert_eq!(stalling.step(&Input::Timeout, 3_617_000), ["stale raised 3616797ms", "announce stale"]);
}

#[test]
fn a_short_stall_on_a_quiet_plant_costs_a_silence_no_more_than_its_length_and_the_time_to_serve_the_queue() {
    let mut stalling = Stalling::new();
    stalling.step(&reading(0), 0);
    // Nothing was due before 15 s, so all that time was listened to.
    assert_eq!(stalling.step(&Input::Timeout, 17_100), NOTHING);
    assert_eq!(stalling.step(&Input::Timeout, 19_099), NOTHING);
    assert_eq!(stalling.step(&Input::Timeout, 19_100), ["stale raised 19100ms", "announce stale"]);
}

#[test]
fn stall_upon_stall_does_not_hide_a_silent_tag() {
    let mut stalling = Stalling::new();
    stalling.step(&reading(0), 0);
    // Each stall begins when the silence is due. Two sample times in all are given to report.
    for millis in [17_100, 21_200, 25_300, 29_400, 33_500] {
        assert_eq!(stalling.step(&Input::Timeout, millis), NOTHING);
    }
    assert_eq!(stalling.step(&Input::Timeout, 37_600), ["stale raised 37600ms", "announce stale"]);
}
