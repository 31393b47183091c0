//! What must not matter: that a reading comes twice, which tag's reading comes first, whether tags are run one by one or in time.
//!
//! And what may matter only one way: readings of one tag out of order may lose accuracy, never an exceedance, and never page twice.
//!
//! Two plants: one of limits with deadbands and delays, and one of what looks at more than one value or tag (rates, steps, flat lines, votes,
//! deviations, limits by operating mode). Where a condition looks at several tags at once, their order among themselves is what it is about,
//! so only tags that no condition looks at together may change places. And a rate is of the readings in their order: out of order it may be
//! another one, so of the second plant only limits are held to the last promise.

mod common;
use common::*;
use model::plant::{Plant, Tag};
use model::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

const TAGS: [&str; 3] = ["A", "B", "C"];

/// What looks at more than one value or tag. Nothing arrives at the very moment at which a tag falls silent.
const JOINED: &str = "
    tag T temperature, alone, range 0..100, high 80, deadband 2, on-delay 5s, off-delay 5s, high-high 90, rate-up 200 over 12s, spike 40 within 4s, stale 31s
    tag G toxic, alone, range 0..100, high 25, deadband 2, on-delay 3s, high-high 50, latching, bad-quality
    tag L level, alone, low 20, deadband 2, low-low 10, off-delay 4s, rate-down 200 over 12s, frozen flat 20s, stale 31s
    tag A,B,C toxic, alone, range 0..100, high-high 90, bad-quality, stale 31s
    tag N level, alone
    tag P temperature, alone, high 80, deadband 2, on-delay 3s, mode 1 limit 94, mode 2 off, high-high 95
    tag S switch, alone, discrete 1, on-delay 4s
    calc V truth, voted 1, on-delay 3s := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)
    calc D deviation 40, deadband 5 := abs([A] - [B])
    calc M := if [N] >= 80 then 1 else if [N] >= 50 then 0 else 2
    modes M";
const JOINED_TAGS: [&str; 9] = ["T", "G", "L", "A", "B", "C", "N", "P", "S"];
/// Which of them one condition looks at together.
const TOGETHER: [usize; 9] = [0, 1, 2, 3, 3, 3, 4, 4, 5];

/// One reading: of which tag, at which second, its value; none is a bad reading.
type Sent = (usize, i64, f64);

fn tags() -> Vec<Tag> {
    let signals = [Signal::Temperature, Signal::Toxic, Signal::Level];
    let mut tags: Vec<Tag> = TAGS.iter().zip(signals).map(|(name, signal)| tag("hx", name, signal)).collect();
    let limit = |condition, setpoint, on: i64, off: i64| {
        let mut rule = rule(condition, setpoint);
        (rule.deadband, rule.on_delay, rule.off_delay) = (2.0, Duration::from_secs(on), Duration::from_secs(off));
        rule
    };
    let data = || [Condition::BadQuality, Condition::Stale].map(|condition| rule(condition, 0.0));
    tags[0].conditions = vec![limit(Condition::High, 80.0, 5, 5), limit(Condition::HighHigh, 90.0, 0, 0)];
    tags[1].conditions = vec![limit(Condition::High, 25.0, 0, 10), limit(Condition::HighHigh, 50.0, 0, 0)];
    tags[2].conditions = vec![limit(Condition::Low, 20.0, 3, 0), limit(Condition::LowLow, 10.0, 0, 4)];
    for tag in &mut tags {
        tag.conditions.extend(data());
        tag.stale_after = Duration::from_secs(30);
    }
    tags
}

fn whole() -> Arc<Plant> {
    plant(tags(), &[], Duration::from_secs(5), "r1")
}

fn at(second: i64) -> Timestamp {
    ZERO + Duration::from_secs(second)
}

fn reading(plant: &Plant, (tag, second, value): Sent) -> Option<Reading> {
    let joined = plant.find_tag("hx", "V").is_some();
    let tag = plant.find_tag("hx", if joined { JOINED_TAGS[tag] } else { TAGS[tag] })?;
    let time = at(second);
    let quality = if value.is_nan() { Quality::Bad } else { Quality::Good };
    Some(Reading { tag, source_time: time, receive_time: time, value, quality, sequence: None })
}

/// Runs readings, each received at a second of its own choice, and serves deadlines in time until everything has run out.
fn run(plant: &Arc<Plant>, received: &[(i64, Sent)], end: i64) -> Vec<AlarmEffect> {
    let mut rules = Rules::new(Arc::clone(plant), ZERO);
    let mut out = Vec::new();
    for (second, sent) in received {
        let Some(mut reading) = reading(plant, *sent) else { continue };
        reading.receive_time = at(*second);
        serve(&mut rules, at(*second), &mut out);
        rules.step(&Input::Reading(reading), at(*second), &mut out);
    }
    serve(&mut rules, at(end), &mut out);
    rules.step(&Input::Timeout, at(end), &mut out);
    out
}

fn in_time(sent: &[Sent]) -> Vec<(i64, Sent)> {
    sent.iter().map(|sent| (sent.1, *sent)).collect()
}

/// What was said, without the order among effects of one moment.
fn said(mut effects: Vec<AlarmEffect>) -> Vec<String> {
    let mut said: Vec<String> = effects.drain(..).map(|effect| format!("{effect:?}")).collect();
    said.sort();
    said
}

/// How often people are told of an alarm.
fn pages(effects: &[AlarmEffect], alarm: &AlarmId) -> usize {
    effects.iter().filter(|effect| matches!(effect, AlarmEffect::Announce(announcement) if announcement.key.alarm == *alarm)).count()
}

/// Whether an alarm was raised, or an exceedance recorded beside it.
fn leaves_a_trace(effects: &[AlarmEffect], alarm: &AlarmId) -> bool {
    effects.iter().any(|effect| match effect {
        AlarmEffect::Transition(transition) => transition.key.alarm == *alarm,
        AlarmEffect::LateExceedance(row) => row.alarm == *alarm,
        AlarmEffect::Announce(_) => false,
    })
}

/// Repeats come right behind the first: with none, and with as many as `again` says.
fn same_with_repeats(plant: &Arc<Plant>, sent: &[Sent], again: &[usize]) -> Result<(), TestCaseError> {
    let once = in_time(sent);
    let end = sent.last().map_or(0, |sent| sent.1) + 100;
    let repeated = once.iter().zip(again).flat_map(|(sent, times)| std::iter::repeat_n(*sent, times + 1));
    let twice: Vec<_> = repeated.collect();
    prop_assert_eq!(said(run(plant, &once, end)), said(run(plant, &twice, end)));
    Ok(())
}

/// A second of its own for every reading of one tag, values around the limits.
fn history() -> impl Strategy<Value = Vec<Sent>> {
    let value =
        prop_oneof![4 => Just(50.0), 4 => Just(22.0), 2 => Just(82.0), 1 => Just(95.0), 2 => Just(77.5), 1 => Just(15.0), 1 => Just(5.0)];
    history_of(TAGS.len(), value)
}

/// The same for the plant of what looks at more than one, bad readings among them.
fn joined_history() -> impl Strategy<Value = Vec<Sent>> {
    let value = prop_oneof![
        4 => Just(50.0),
        4 => Just(22.0),
        2 => Just(82.0),
        2 => Just(95.0),
        1 => Just(77.5),
        1 => Just(15.0),
        1 => Just(1.0),
        1 => Just(f64::NAN)
    ];
    history_of(JOINED_TAGS.len(), value)
}

fn history_of(tags: usize, value: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Sent>> {
    prop::collection::vec((0..tags, 1..4_i64, value), 1..60).prop_map(|steps| {
        let mut second = 0;
        let step = |(tag, after, value)| {
            second += after;
            (tag, second, value)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn duplicates_change_nothing(sent in history(), again in prop::collection::vec(0..3_usize, 60)) {
        same_with_repeats(&whole(), &sent, &again)?;
    }

    #[test]
    fn duplicates_change_no_rate_no_vote_and_no_mode(sent in joined_history(), again in prop::collection::vec(0..3_usize, 60)) {
        same_with_repeats(&set_up(JOINED), &sent, &again)?;
    }

    #[test]
    fn the_order_of_tags_that_nothing_looks_at_together_changes_nothing(sent in joined_history(), seed in any::<u64>()) {
        let plant = set_up(JOINED);
        let end = sent.last().map_or(0, |sent| sent.1) + 100;
        let arrival = |second: i64| (second + 4) / 5 * 5;
        let ordered: Vec<_> = sent.iter().map(|sent| (arrival(sent.1), *sent)).collect();
        let mut shuffled = ordered.clone();
        let rank = |tag: usize| (seed >> (TOGETHER[tag] * 8)) & 0xFF;
        shuffled.sort_by_key(|(second, sent)| (*second, rank(sent.0)));
        prop_assert_eq!(said(run(&plant, &ordered, end)), said(run(&plant, &shuffled, end)));
    }

    #[test]
    fn reordering_within_a_tag_loses_no_exceedance_of_a_voter_nor_of_a_limit_by_mode(sent in joined_history(), late in prop::collection::vec(0..8_i64, 60)) {
        let plant = set_up(JOINED);
        let end = sent.last().map_or(0, |sent| sent.1) + 200;
        let mut received: Vec<_> = sent.iter().zip(&late).map(|(sent, late)| (sent.1 + late, *sent)).collect();
        received.sort_by_key(|(second, _)| *second);
        let reordered = run(&plant, &received, end);
        for (tag, setpoint) in [("T", 90.0), ("A", 90.0), ("B", 90.0), ("C", 90.0), ("P", 95.0)] {
            let alarm = AlarmId { tag: TagId::new("hx", tag), condition: Condition::HighHigh };
            let exceeded = sent.iter().any(|(at, _, value)| JOINED_TAGS[*at] == tag && *value >= setpoint);
            prop_assert!(!exceeded || leaves_a_trace(&reordered, &alarm), "an exceedance of {} left no trace", alarm);
        }
        let mut told = BTreeSet::new();
        for effect in &reordered {
            if let AlarmEffect::Announce(announcement) = effect {
                prop_assert!(told.insert(announcement.key.clone()), "told twice: {}", announcement.key);
            }
        }
    }

    #[test]
    fn the_order_of_tags_within_a_moment_changes_nothing(sent in history(), seed in any::<u64>()) {
        let plant = whole();
        let end = sent.last().map_or(0, |sent| sent.1) + 100;
        // Five seconds arrive at once, in the order of time or with the tags shuffled, each tag's own order kept.
        let arrival = |second: i64| (second + 4) / 5 * 5;
        let ordered: Vec<_> = sent.iter().map(|sent| (arrival(sent.1), *sent)).collect();
        let mut shuffled = ordered.clone();
        let rank = |tag: usize| (seed >> (tag * 8)) & 0xFF;
        shuffled.sort_by_key(|(second, sent)| (*second, rank(sent.0)));
        prop_assert_eq!(said(run(&plant, &ordered, end)), said(run(&plant, &shuffled, end)));
    }

    #[test]
    fn tag_by_tag_and_in_time_agree(sent in history()) {
        let end = sent.last().map_or(0, |sent| sent.1) + 100;
        let together = said(run(&whole(), &in_time(&sent), end));
        let singly = tags().into_iter().enumerate().flat_map(|(at, tag)| {
            let own: Vec<_> = sent.iter().filter(|sent| sent.0 == at).map(|sent| (sent.1, *sent)).collect();
            // Alone, so that no gateway of one tag is lost with it.
            let name = tag.id.tag.to_string();
            run(&plant(vec![tag], &[name], Duration::from_secs(5), "r1"), &own, end)
        });
        let singly = said(singly.collect());
        // The gateway's loss is of the second stage: it looks across tags, so only the whole plant has it, and what it explains is not
        // told there. What happened to the tags is the same.
        let of_tags = |said: Vec<String>| -> Vec<String> {
            said.into_iter().filter(|text| text.starts_with("Transition") && !text.contains("hx/~GW")).collect()
        };
        prop_assert_eq!(of_tags(together), of_tags(singly));
    }

    #[test]
    fn reordering_within_a_tag_loses_no_exceedance_and_pages_nobody_twice(sent in history(), late in prop::collection::vec(0..8_i64, 60)) {
        let plant = whole();
        let end = sent.last().map_or(0, |sent| sent.1) + 200;
        let mut received: Vec<_> = sent.iter().zip(&late).map(|(sent, late)| (sent.1 + late, *sent)).collect();
        received.sort_by_key(|(second, _)| *second);
        let reordered = run(&plant, &received, end);
        // Beyond a limit without a delay, whatever overtook it: a raise or a row.
        for (name, condition, beyond) in
            [(0, Condition::HighHigh, 90.0..f64::MAX), (1, Condition::HighHigh, 50.0..f64::MAX), (2, Condition::LowLow, f64::MIN..10.1)]
        {
            let exceeded = sent.iter().any(|(tag, _, value)| *tag == name && beyond.contains(value));
            let alarm = AlarmId { tag: TagId::new("hx", TAGS[name]), condition };
            prop_assert!(!exceeded || leaves_a_trace(&reordered, &alarm), "an exceedance of {} left no trace", alarm);
        }
        // Nobody is told more than once of one episode, nor of one that the readings do not hold.
        let mut told = BTreeSet::new();
        for effect in &reordered {
            if let AlarmEffect::Announce(announcement) = effect {
                prop_assert!(told.insert(announcement.key.clone()), "told twice: {}", announcement.key);
                let alarm = &announcement.key.alarm;
                let tag = TAGS.iter().position(|name| *name == &*alarm.tag.tag);
                let limits = plant.tag_index(&alarm.tag).map(|index| plant.tag(index).conditions.clone()).unwrap_or_default();
                let rule = limits.iter().find(|rule| rule.condition == alarm.condition && rule.condition.is_limit());
                if let (Some(tag), Some(rule)) = (tag, rule) {
                    let is_beyond = |value: f64| if alarm.condition.is_high_side() { value >= rule.setpoint } else { value <= rule.setpoint };
                    prop_assert!(sent.iter().any(|sent| sent.0 == tag && is_beyond(sent.2)), "paged out of nothing: {}", announcement.key);
                }
            }
        }
    }

    /// Where no delay runs and the tag goes on sending. With a delay, the reading that ends or cancels it may come too late to do so, and then in doubt people are told.
    #[test]
    fn reordering_within_a_tag_adds_no_page(sent in history(), ranks in prop::collection::vec(any::<u8>(), 60)) {
        let plant = whole();
        let end = sent.last().map_or(0, |sent| sent.1) + 200;
        // Ten seconds arrive at once, in the order of time or in any; every tag goes on sending.
        let bundled = sent.iter().map(|(tag, second, value)| ((second + 4) / 5 * 10, (*tag, second * 2, *value)));
        let normal = |second| [50.0, 20.0, 50.0].into_iter().enumerate().map(move |(tag, value)| (second, (tag, second, value)));
        let mut ordered: Vec<_> = bundled.chain((11..end * 2).step_by(20).flat_map(normal)).collect();
        ordered.sort_by_key(|(received, sent)| (*received, sent.1));
        let mut ranked: Vec<_> = ordered.iter().zip(ranks.iter().cycle()).collect();
        ranked.sort_by_key(|((second, _), rank)| (*second, **rank));
        let reordered: Vec<_> = ranked.into_iter().map(|(received, _)| *received).collect();
        let (before, after) = (run(&plant, &ordered, end * 2), run(&plant, &reordered, end * 2));
        for tag in ["A", "B"] {
            let alarm = AlarmId { tag: TagId::new("hx", tag), condition: Condition::HighHigh };
            prop_assert!(pages(&after, &alarm) <= pages(&before, &alarm), "more pages of {}", alarm);
        }
    }
}
