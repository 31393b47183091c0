//! What must not matter: that a reading comes twice, which tag's reading comes first, whether tags are run one by one or in time.
//!
//! And what may matter only one way: readings of one tag out of order may lose accuracy, never an exceedance, and never page twice.
//!
//! Two plants: one of limits with deadbands and delays, and one of what looks at more than one value or tag (rates, steps, flat lines, votes,
//! deviations, limits by operating mode). Where a condition looks at several tags at once, their order among themselves is what it is about,
//! so only tags that no condition looks at together may change places. And a rate is of the readings in their order: out of order it may be
//! another one, so of the second plant rates, steps and flat lines are not held to the last promise.

mod common;
use common::*;
use model::plant::{ConditionRule, Plant, Tag};
use model::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

const TAGS: [&str; 3] = ["A", "B", "C"];

/// What looks at more than one value or tag. Nothing arrives at the very moment at which a tag falls silent.
const JOINED: &str = "
    tag T temperature, alone, range 0..100, high 80, deadband 2, on-delay 5s, off-delay 5s, high-high 90, rate-up 200 over 12s, spike 40 within 4s, stale 31s
    tag G toxic, alone, range 0..100, high 25, deadband 2, on-delay 3s, high-high 50, latching, bad-quality, stale 31s
    tag L level, alone, low 20, deadband 2, low-low 10, off-delay 4s, rate-down 200 over 12s, frozen flat 20s, stale 31s
    tag A,B,C toxic, alone, range 0..100, high-high 90, bad-quality, stale 31s
    tag N level, alone
    tag P temperature, alone, high 80, deadband 2, on-delay 3s, mode 1 limit 94, mode 2 off, high-high 97, stale 31s
    tag S switch, alone, discrete 1, on-delay 4s, stale 31s
    calc V truth, voted 1, on-delay 3s := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)
    calc D deviation 40, deadband 5 := abs([A] - [B])
    calc M := if [N] >= 80 then 1 else if [N] >= 50 then 0 else 2
    modes M";
const JOINED_TAGS: [&str; 9] = ["T", "G", "L", "A", "B", "C", "N", "P", "S"];
/// Which of them one condition looks at together.
const TOGETHER: [usize; 9] = [0, 1, 2, 3, 3, 3, 4, 4, 5];
/// Tags of one history: all of them, or a few that have to do with one another, so that it happens often that they do.
const CASTS: [&[usize]; 5] = [&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 1, 2, 8], &[3, 4, 5], &[3, 4], &[6, 7, 7]];

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
    tags[0].conditions = vec![limit(Condition::High, 80.0, 5, 5), limit(Condition::HighHigh, 90.0, 0, 0)].into();
    tags[1].conditions = vec![limit(Condition::High, 25.0, 0, 10), limit(Condition::HighHigh, 50.0, 0, 0)].into();
    tags[2].conditions = vec![limit(Condition::Low, 20.0, 3, 0), limit(Condition::LowLow, 10.0, 0, 4)].into();
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

/// One episode: on the tag's time, and as our clock saw it.
struct Stood {
    since: Timestamp,
    until: Timestamp,
    raised: Timestamp,
    returned: Timestamp,
}

fn episodes(effects: &[AlarmEffect], alarm: &AlarmId) -> Vec<Stood> {
    let mut episodes: Vec<Stood> = Vec::new();
    for effect in effects {
        let AlarmEffect::Transition(Transition { key, change, at, now, .. }) = effect else { continue };
        match (change, episodes.last_mut()) {
            _ if key.alarm != *alarm => {}
            (Change::Raised, _) => {
                episodes.push(Stood { since: key.episode.since, until: Timestamp::MAX, raised: *now, returned: Timestamp::MAX });
            }
            (Change::Returned, Some(last)) => (last.until, last.returned) = (*at, *now),
            _ => {}
        }
    }
    episodes
}

fn is_beyond(rule: &ConditionRule, value: f64) -> bool {
    match rule.condition {
        Condition::Discrete => value >= 0.5,
        condition if condition.is_high_side() => value >= rule.setpoint,
        _ => value <= rule.setpoint,
    }
}

/// The limit that takes this one along, whatever its delay.
fn higher_of_side(condition: Condition) -> Option<Condition> {
    match condition {
        Condition::High => Some(Condition::HighHigh),
        Condition::Low => Some(Condition::LowLow),
        _ => None,
    }
}

/// A limit as it is in force until the first second, on our clock, at which another mode may be named; and that which all modes have in
/// common, for ever.
fn limits_in_force(rule: &ConditionRule, received: &[(i64, Sent)]) -> Vec<(ConditionRule, i64)> {
    let modes = rule.extra.as_ref().map_or(&[][..], |extra| &extra.modes);
    let Some(widest) = modes.iter().filter_map(|mode| Some(mode.limit?.setpoint)).reduce(f64::max) else {
        return vec![(rule.clone(), i64::MAX)];
    };
    let names_another = |sent: &Sent| JOINED_TAGS[sent.0] == "N" && sent.2 >= 80.0;
    let another_from = received.iter().find(|(_, sent)| names_another(sent)).map_or(i64::MAX, |(second, _)| *second);
    vec![(rule.clone(), another_from), (ConditionRule { setpoint: widest, ..rule.clone() }, i64::MAX)]
}

/// Every value that was beyond a limit, or in the state that is the alarm, for the whole delay on the tag's own time. Where it came in
/// its order, its alarm stands when the delay has run on our clock; where it was overtaken, it lies in an episode or in the excursion of a row.
fn every_exceedance_leaves_a_trace(plant: &Plant, received: &[(i64, Sent)], effects: &[AlarmEffect]) -> Result<(), TestCaseError> {
    for (number, name) in JOINED_TAGS.iter().enumerate() {
        let tag = plant.tag(plant.find_tag("hx", name).expect("configured"));
        let own: Vec<_> = received.iter().filter(|(_, sent)| sent.0 == number).collect();
        let is_overtaken = |place: usize| own[..place].iter().any(|(_, before)| before.1 > own[place].1.1);
        for rule in tag.conditions.iter().filter(|rule| rule.condition.is_limit() || rule.condition == Condition::Discrete) {
            let alarm = AlarmId { tag: tag.id.clone(), condition: rule.condition };
            let episodes = episodes(effects, &alarm);
            let higher = higher_of_side(rule.condition);
            let higher = tag.conditions.iter().find(|rule| Some(rule.condition) == higher);
            // Where both limits of a side are passed, the row of the higher one speaks for the lower one.
            let speaks = |of: Condition| of == rule.condition || higher.is_some_and(|higher| of == higher.condition);
            let rows = effects.iter().filter_map(|effect| match effect {
                AlarmEffect::LateExceedance(row) if row.alarm.tag == tag.id && speaks(row.alarm.condition) => Some(row.reading.source_time),
                _ => None,
            });
            let mut excursions: BTreeSet<Timestamp> = rows.collect();
            for (_, (_, sent)) in own.iter().enumerate().filter(|(place, (_, sent))| is_beyond(rule, sent.2) && is_overtaken(*place)) {
                let time = at(sent.1);
                if excursions.iter().any(|one| one.since(time).abs() <= tag.stale_after) {
                    excursions.insert(time);
                }
            }
            for (limit, another_from) in limits_in_force(rule, received) {
                for (place, (second, sent)) in own.iter().enumerate().filter(|(_, (_, sent))| is_beyond(&limit, sent.2)) {
                    let taken_along = higher.is_some_and(|higher| is_beyond(higher, sent.2));
                    let delay = if taken_along { 0 } else { rule.on_delay.0 / 1_000_000 };
                    let mut within = own.iter().map(|(_, other)| other).filter(|other| (sent.1..sent.1 + delay).contains(&other.1));
                    let lasted = within.all(|other| other.2.is_nan() || is_beyond(&limit, other.2)) && second + delay < another_from;
                    let time = at(sent.1);
                    let traced = if is_overtaken(place) {
                        excursions.contains(&time) || episodes.iter().any(|one| one.since <= time && time <= one.until)
                    } else {
                        episodes.iter().any(|one| one.raised <= at(second + delay) && one.returned >= at(*second))
                    };
                    prop_assert!(traced || !(taken_along || lasted), "{} at {}s left no trace of {}", sent.2, sent.1, alarm);
                }
            }
        }
    }
    Ok(())
}

/// What is known of a tag, whatever overtook what.
#[derive(Clone, Copy)]
struct Known {
    /// Its newest reading.
    time: i64,
    value: f64,
    /// When anything last came of it.
    heard: i64,
}

/// What is known of all tags right behind one of the readings.
struct Moment {
    second: i64,
    known: BTreeMap<&'static str, Known>,
}

impl Moment {
    /// The good values among those of some tags that were heard of late.
    fn values(&self, names: &[&str], heard_within: i64) -> Vec<f64> {
        let known = names.iter().filter_map(|name| self.known.get(name)).filter(|known| self.second - known.heard <= heard_within);
        known.map(|known| known.value).filter(|value| !value.is_nan()).collect()
    }
    /// How far A and B are apart, where both are known.
    fn apart(&self, heard_within: i64) -> Option<f64> {
        let [a, b] = self.values(&["A", "B"], heard_within)[..] else { return None };
        Some((a - b).abs())
    }
}

fn moments(received: &[(i64, Sent)]) -> Vec<Moment> {
    let mut known: BTreeMap<&'static str, Known> = BTreeMap::new();
    let take = |(second, (tag, time, value)): &(i64, Sent)| {
        let of = known.entry(JOINED_TAGS[*tag]).or_insert(Known { time: i64::MIN, value: f64::NAN, heard: *second });
        if *time > of.time {
            (of.time, of.value) = (*time, *value);
        }
        of.heard = *second;
        Moment { second: *second, known: known.clone() }
    };
    received.iter().map(take).collect()
}

/// The vote and the deviation: once the tags say so, raised at the end of the delay at the latest, and standing until they say otherwise.
fn what_tags_say_together_stands(received: &[(i64, Sent)], effects: &[AlarmEffect]) -> Result<(), TestCaseError> {
    const VOTERS: [&str; 3] = ["A", "B", "C"];
    // What is silent says neither yes nor no; whether it is still heard matters only where it would have to say something.
    const HEARD_WITHIN: i64 = 30;
    const EVER: i64 = i64::MAX;
    let count = |values: Vec<f64>, yes: bool| values.into_iter().filter(|value| (*value >= 50.0) == yes).count();
    // One of whom nothing is known lowers the number of votes that is needed, to one at least.
    let is_voted = |moment: &Moment| {
        let unknown = VOTERS.len() - moment.values(&VOTERS, EVER).len();
        count(moment.values(&VOTERS, HEARD_WITHIN), true) >= 2_usize.saturating_sub(unknown).max(1)
    };
    let is_outvoted = |moment: &Moment| count(moment.values(&VOTERS, EVER), false) >= 2;
    let is_apart = |moment: &Moment| moment.apart(HEARD_WITHIN).is_some_and(|apart| apart >= 40.0);
    let is_close = |moment: &Moment| moment.apart(EVER).is_some_and(|apart| apart < 35.0);
    let moments = moments(received);
    let stands = |name: &str, condition, delay: i64, says: &dyn Fn(&Moment) -> bool, says_otherwise: &dyn Fn(&Moment) -> bool| {
        let alarm = AlarmId { tag: TagId::new("hx", name), condition };
        let episodes = episodes(effects, &alarm);
        for (place, moment) in moments.iter().enumerate().filter(|(_, moment)| says(moment)) {
            let from = moment.second + delay;
            let until = moments[place..].iter().find(|moment| says_otherwise(moment)).map_or(i64::MAX, |moment| moment.second);
            let covers = |one: &Stood| one.raised <= at(from) && (one.returned == Timestamp::MAX || one.returned >= at(until));
            prop_assert!(until < from || episodes.iter().any(covers), "{} did not stand from {}s to {}s", alarm, from, until);
        }
        Ok(())
    };
    stands("V", Condition::Voted, 3, &is_voted, &is_outvoted)?;
    stands("D", Condition::Deviation, 0, &is_apart, &is_close)
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
    history_of(&[&[0, 1, 2]], value)
}

/// The same for the plant of what looks at more than one, bad readings among them.
fn joined_history() -> impl Strategy<Value = Vec<Sent>> {
    let value = prop_oneof![
        4 => Just(50.0),
        4 => Just(22.0),
        2 => Just(82.0),
        2 => Just(95.0),
        1 => Just(98.0),
        1 => Just(77.5),
        1 => Just(15.0),
        1 => Just(1.0),
        1 => Just(0.0),
        1 => Just(f64::NAN)
    ];
    history_of(&CASTS, value)
}

fn history_of(casts: &'static [&[usize]], value: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Sent>> {
    let steps = prop::collection::vec((any::<prop::sample::Index>(), 1..4_i64, value), 1..60);
    (prop::sample::select(casts), steps).prop_map(|(cast, steps)| {
        let mut second = 0;
        let step = |(tag, after, value): (prop::sample::Index, i64, f64)| {
            second += after;
            (*tag.get(cast), second, value)
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
    fn reordering_within_a_tag_loses_no_exceedance_no_vote_no_deviation_and_no_limit_by_mode(sent in joined_history(), late in prop::collection::vec(0..8_i64, 60)) {
        let plant = set_up(JOINED);
        let end = sent.last().map_or(0, |sent| sent.1) + 200;
        let mut received: Vec<_> = sent.iter().zip(&late).map(|(sent, late)| (sent.1 + late, *sent)).collect();
        received.sort_by_key(|(second, _)| *second);
        let reordered = run(&plant, &received, end);
        every_exceedance_leaves_a_trace(&plant, &received, &reordered)?;
        what_tags_say_together_stands(&received, &reordered)?;
        let mut told = BTreeSet::new();
        for effect in &reordered {
            match effect {
                AlarmEffect::Announce(Announcement { key, .. }) => prop_assert!(told.insert(key.clone()), "told twice: {}", key),
                AlarmEffect::Transition(Transition { key, at, change: Change::Raised, .. }) => {
                    prop_assert!(key.episode.since <= *at, "raised before it began: {}", key);
                }
                _ => {}
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
