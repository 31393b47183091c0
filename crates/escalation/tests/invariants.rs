//! Whatever happens in whatever order: nobody is forgotten, nothing is said twice, nothing closes or falls by itself.
//!
//! `World` checks after every input: the auditor finds nothing, no message key twice, a level never falls, a closed case
//! owes nothing, one open case per equipment, a refusal changes nothing, rows and timers are the case's. Here histories are
//! made for it, every short one and random long ones, each compared with its twin that is killed after every input. What
//! is due when is worked out a second time, from the policy and the signatures alone.

mod common;

use common::plant::county;
use common::world::{World, short_time};
use model::*;
use proptest::prelude::*;

/// What may happen at the tank and at the gas detectors.
const WORDS: [&str; 51] = [
    "raise LIA-101 high",
    "raise LIA-101 high-high",
    "raise TIA-101 high",
    "raise SA-101 discrete",
    "raise GT-1 high-high",
    "raise GT-2 high-high",
    "raise GT-3 high-high",
    "raise LIA-101 stale",
    "raise LIA-101 bad-quality",
    "return LIA-101 high",
    "return LIA-101 high-high",
    "return TIA-101 high",
    "return SA-101 discrete",
    "return GT-1 high-high",
    "return GT-3 high-high",
    "return LIA-101 stale",
    "return LIA-101 bad-quality",
    "latch GT-2 high-high",
    "straggler TIA-101 high-high @-40m",
    "acknowledge wang tank",
    "acknowledge wang area",
    "accept wang tank",
    "accept wang area",
    "accept zhou tank",
    "accept xu area",
    "check wang tank real",
    "check wang area real field",
    "handle wang tank",
    "handle wang area",
    "report wang tank",
    "report wang area",
    "review zhou tank",
    "review xu area",
    "give-back zhou tank",
    "close li tank",
    "close zhou tank",
    "close xu area",
    "remind zhou tank",
    "supervise xu tank",
    "reset wang z1",
    "result wang sms failed",
    "result wang voice failed",
    "result hx-phone voice failed",
    "result zhou sms accepted",
    "shelve wang LIA-101/high 30m",
    "shelve zhou GT-3/high-high 20m",
    "test wang LIA-101,TIA-101 1h",
    "test wang area:area 1h",
    "out-of-service wang SA-101 40m",
    "confirm-window li now",
    "end li now",
];

/// Plays a history at its times, skipping what could not happen, and returns what was said.
fn play(history: &[(i64, &str)], killed: bool) -> World {
    let mut world = World::new(county(), killed);
    let mut secs = 0;
    for (gap, words) in history {
        secs += gap;
        let time = format!("{secs}s");
        world.until(common::world::START + Duration::from_secs(secs));
        if world.can(words) {
            world.run(&time, words);
            owed(&world);
        }
    }
    world
}

/// Every unsigned announcement of an open case: told to whom its policy says by now, and with a reminder or a step to come.
fn owed(world: &World) {
    let policies = &world.plant.policies;
    for case in world.escalation.cases().filter(|case| case.step != CaseStep::Closed) {
        let everyones = case.announcements.iter().filter(|one| one.audience.is_everyone());
        for one in everyones.filter(|one| !one.signed.iter().any(|signature| signature.tier == Tier::ENTERPRISE)) {
            let policy = policies.level(one.level);
            let key = one.key.to_string();
            let late = world.now.since(one.at);
            for rule in policy.tell.iter().filter(|rule| late >= rule.after.max(policy.sign_within)) {
                let tried =
                    world.sent.iter().any(|sent| sent.key.tier == rule.tier && (sent.key.announcement == key || covers(case, sent, one)));
                assert!(tried, "{} not told of {key} at {}", rule.tier.0, short_time(world.now));
            }
            assert_eq!(one.sign_missed, late >= policy.sign_within, "{key} at {}", short_time(world.now));
            let named = |timer: &CaseTimer| match &timer.kind {
                CaseTimerKind::Wait { key: of } | CaseTimerKind::Sign { key: of } | CaseTimerKind::Remind { key: of } => *of == key,
                CaseTimerKind::Tell { key: of, .. } => *of == key,
                CaseTimerKind::Handle | CaseTimerKind::Answer { .. } => false,
            };
            let finished =
                policy.remind_every.is_none() && late >= policy.tell.iter().map(|rule| rule.after).max().expect("tells somebody");
            assert!(finished || case.timers.iter().any(named), "{key} has nothing to come at {}", short_time(world.now));
        }
    }
}

/// Whether a message at the same moment, of no lower level, spoke for this announcement too.
fn covers(case: &Case, sent: &Notification, one: &CaseAnnouncement) -> bool {
    sent.key.case == case.id && sent.level >= one.level && one.told.iter().any(|(tier, at)| *tier == sent.key.tier && *at == sent.at)
}

/// Once the causes are gone, the right people doing the right things in order close every case, whatever came before.
fn can_be_finished(world: &mut World) {
    let time = short_time(world.now);
    world.calm(&time);
    for place in ["tank", "area"] {
        if let Some(case) = open_case(world, place) {
            // What only the enterprise was told of, the enterprise closes.
            let own = !case.announcements.is_empty() && case.announcements.iter().all(|one| !one.audience.is_everyone());
            let closer = match case.level {
                _ if own => "li",
                Level::Blue | Level::Yellow => "li",
                Level::Orange => "zhou",
                Level::Red => "xu",
            };
            if case.episodes.iter().any(|episode| episode.state.needs_acknowledgement()) {
                world.run(&time, &format!("acknowledge wang {place}"));
            }
            if !case.announcements.is_empty() || matches!(case.step, CaseStep::Opened | CaseStep::Notified) {
                world.run(&time, &format!("accept wang {place}"));
            }
            if !case.announcements.is_empty() {
                world.run(&time, &format!("accept {closer} {place}"));
            }
            world.run(&time, &format!("check wang {place} real field"));
            if world.case(place).episodes.iter().any(|episode| episode.state.needs_acknowledgement()) {
                world.run(&time, &format!("acknowledge wang {place}"));
            }
            if !matches!(world.case(place).step, CaseStep::Reported | CaseStep::Reviewed) {
                world.run(&time, &format!("handle wang {place}"));
                world.run(&time, &format!("report wang {place}"));
            }
            if world.case(place).step == CaseStep::Reported {
                world.run(&time, &format!("review {closer} {place}"));
            }
            assert!(world.escalation.may(&case.id, &world.actor(closer)).contains(&"close"), "the page offers it");
            world.run(&time, &format!("close {closer} {place}"));
            let closed = world.escalation.case(&case.id).is_none_or(|case| case.closed.is_some());
            assert!(closed, "{place} cannot be closed: {:?}", world.transcript.last());
        }
    }
    assert!(world.escalation.cases().all(|case| case.timers.is_empty()), "nothing is owed when every case is closed");
    assert!(world.escalation.sirens().iter().all(|siren| !siren.sound && !siren.light), "and no siren is wanted");
}

fn open_case(world: &World, place: &str) -> Option<Case> {
    world.escalation.cases().find(|case| case.equipment.as_str() == place && case.closed.is_none()).cloned()
}

fn same_when_killed(history: &[(i64, &str)]) {
    let (mut through, mut killed) = (play(history, false), play(history, true));
    can_be_finished(&mut through);
    can_be_finished(&mut killed);
    assert_eq!(through.transcript, killed.transcript, "killed after every input it says something else");
    assert!(through.rows == killed.rows, "killed after every input its rows differ");
}

#[test]
fn every_history_of_four_inputs_holds() {
    let words = [
        "raise LIA-101 high",
        "raise LIA-101 high-high",
        "return LIA-101 high",
        "raise LIA-101 stale",
        "accept wang tank",
        "accept zhou tank",
        "acknowledge wang tank",
        "check wang tank real",
        "handle wang tank",
        "result wang sms failed",
        "close li tank",
    ];
    for number in 0..words.len().pow(4) {
        let mut rest = number;
        let history: Vec<(i64, &str)> = (0..4)
            .map(|at| {
                let word = words[rest % words.len()];
                rest /= words.len();
                // Gaps that meet the deadlines of yellow and orange exactly.
                ([0, 300, 600, 1800][at], word)
            })
            .collect();
        can_be_finished(&mut play(&history, false));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_hold_and_a_kill_changes_nothing(
        history in prop::collection::vec((prop_oneof![Just(0i64), 1..120i64, Just(180), Just(300), 1..3000i64], prop::sample::select(WORDS.to_vec())), 1..60)
    ) {
        same_when_killed(&history);
    }
}
