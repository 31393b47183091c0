//! What must not matter: that a reading comes twice, which tag's reading comes first, whether tags are run one by one or in time.
//!
//! And what may matter only one way: readings of one tag out of order may lose accuracy, never an exceedance, and never page twice.

mod common;
use common::*;
use model::plant::{Plant, Tag};
use model::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

const TAGS: [&str; 3] = ["A", "B", "C"];

/// One reading: of which tag, at which second, its value.
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
    let tag = plant.find_tag("hx", TAGS[tag])?;
    let time = at(second);
    Some(Reading { tag, source_time: time, receive_time: time, value, quality: Quality::Good, sequence: None })
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

/// A second of its own for every reading of one tag, values around the limits.
fn history() -> impl Strategy<Value = Vec<Sent>> {
    let value =
        prop_oneof![4 => Just(50.0), 4 => Just(22.0), 2 => Just(82.0), 1 => Just(95.0), 2 => Just(77.5), 1 => Just(15.0), 1 => Just(5.0)];
    prop::collection::vec((0..TAGS.len(), 1..4_i64, value), 1..60).prop_map(|steps| {
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
    fn duplicates_change_nothing(sent in history(), again in prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize), 0..20)) {
        let plant = whole();
        let once = in_time(&sent);
        let end = sent.last().map_or(0, |sent| sent.1) + 100;
        // A repeat comes right behind the first, or a little later while it is still the newest of its tag.
        let mut twice = once.clone();
        for (index, times) in again {
            let original = once[index.index(once.len())];
            let place = twice.iter().position(|other| *other == original).expect("it is there");
            for _ in 0..times {
                twice.insert(place + 1, original);
            }
        }
        prop_assert_eq!(said(run(&plant, &once, end)), said(run(&plant, &twice, end)));
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
            let left = reordered.iter().any(|effect| match effect {
                AlarmEffect::Transition(transition) => transition.key.alarm == alarm,
                AlarmEffect::LateExceedance(row) => row.alarm == alarm,
                AlarmEffect::Announce(_) => false,
            });
            prop_assert!(!exceeded || left, "an exceedance of {} left no trace", alarm);
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
