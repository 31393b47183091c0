//! A backtest tag by tag and one in order of time agree, and readings of other tags in between change nothing.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use config::Lang;
use model::{Condition, Duration, Level, Plant, Quality, Reading, TagId, TagIndex, Timestamp};
use std::path::Path;
use std::sync::Arc;
use watchfire_tuning::backtest::{Answers, Run, Taken};
use watchfire_tuning::kpi::{Episode, figures};
use watchfire_tuning::suggest;

const START: Timestamp = Timestamp::from_secs(1_772_416_800);
const TAGS: [(&str, f64, f64); 5] =
    [("LIA-101", 80.0, 6.0), ("LIA-102", 82.0, 4.0), ("TIA-201", 38.0, 3.0), ("PIA-201", 1.4, 0.2), ("GC-101", 25.0, 15.0)];

fn plant() -> Arc<Plant> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    Arc::new(config::load(&folder).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))).plant)
}

/// A walk around each tag's limit, the same for the same seed.
fn readings(seed: u64) -> Vec<Taken> {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let mut values = TAGS.map(|(_, limit, width)| limit - width);
    let mut list = Vec::new();
    for step in 0..4_000_i64 {
        for (place, (_, limit, width)) in TAGS.iter().enumerate() {
            values[place] += (random() - 0.5) * width * 0.4 + (limit - values[place]) * 0.02;
            let at = START + Duration::from_secs(5 * step) + Duration::from_millis(100 * place as i64);
            let quality = if random() < 0.01 { Quality::Uncertain } else { Quality::Good };
            let reading =
                Reading { tag: TagIndex(place as u32), source_time: at, receive_time: at, value: values[place], quality, sequence: None };
            list.push(Taken { reading, at, under_test: false });
        }
    }
    list
}

fn of_limits(mut episodes: Vec<Episode>) -> Vec<(model::AlarmId, Timestamp, Option<Timestamp>)> {
    episodes.retain(|episode| episode.alarm.condition.is_limit());
    let mut list: Vec<_> = episodes.into_iter().map(|episode| (episode.alarm, episode.raised, episode.returned)).collect();
    list.sort();
    list
}

#[test]
fn tag_by_tag_and_in_order_of_time_agree() {
    let plant = plant();
    let tags = TAGS.map(|(tag, ..)| TagId::new("hongxin", tag));
    for seed in 0..8 {
        let readings = readings(seed);
        let end = START + Duration::from_secs(5 * 4_000);
        let mut run = Run::new(plant.clone(), &tags, Answers::Never, START);
        readings.iter().for_each(|taken| run.reading(taken));
        let in_order = of_limits(run.finish(end).episodes);
        let mut by_tag = Vec::new();
        for (place, tag) in tags.iter().enumerate() {
            let own: Vec<Taken> = readings.iter().filter(|taken| taken.reading.tag.at() == place).copied().collect();
            by_tag.extend(suggest::episodes(&plant, plant.tag_index(tag).unwrap(), None, &own, end));
        }
        assert!(in_order.len() > 20, "seed {seed}: the walk crosses its limits, {} times", in_order.len());
        assert_eq!(in_order, of_limits(by_tag), "seed {seed}");
    }
}

#[test]
fn duplicates_and_the_order_of_tags_within_a_moment_change_nothing() {
    let plant = plant();
    let tags = TAGS.map(|(tag, ..)| TagId::new("hongxin", tag));
    let end = START + Duration::from_secs(5 * 4_000);
    let result = |readings: &[Taken]| {
        let mut run = Run::new(plant.clone(), &tags, Answers::Never, START);
        readings.iter().for_each(|taken| run.reading(taken));
        let result = run.finish(end);
        (of_limits(result.episodes), result.people, result.county)
    };
    let once = readings(3);
    let twice: Vec<Taken> = once.iter().flat_map(|taken| [*taken, *taken]).collect();
    assert_eq!(result(&once), result(&twice));
    // All of a step taken at one moment, in one order and in the other.
    let together = |backwards: bool| {
        let mut list = once.clone();
        for step in list.chunks_mut(TAGS.len()) {
            let at = step[0].at;
            step.iter_mut().for_each(|taken| (taken.at, taken.reading.receive_time, taken.reading.source_time) = (at, at, at));
            if backwards {
                step.reverse();
            }
        }
        list
    };
    assert_eq!(result(&together(false)), result(&together(true)));
}

#[test]
fn an_alarm_that_its_neighbour_made_red_counts_as_red_and_a_fault_told_to_nobody_does_not_count() {
    let plant = plant();
    let tags = ["GC-101", "GC-102", "LIA-101"].map(|tag| TagId::new("hongxin", tag));
    let mut run = Run::new(plant, &tags, Answers::Never, START);
    for second in (0..180).step_by(2) {
        let at = START + Duration::from_secs(second);
        let second_detector = if second < 60 { 3.0 } else { 55.0 };
        // The level is silent for two minutes: a fault, and over before anybody is told of it.
        let level = (second == 0 || second >= 120).then_some(50.0);
        for (place, value) in [Some(55.0), Some(second_detector), level].into_iter().enumerate() {
            let Some(value) = value else { continue };
            let tag = TagIndex(place as u32);
            let reading = Reading { tag, source_time: at, receive_time: at, value, quality: Quality::Good, sequence: None };
            run.reading(&Taken { reading, at, under_test: false });
        }
    }
    let to = START + Duration::from_secs(180);
    let episodes = run.finish(to).episodes;
    assert!(episodes.iter().any(|episode| episode.alarm.condition == Condition::Stale && episode.returned.is_some()));
    let figures = figures(&episodes, &["hongxin".into()], START, to);
    assert_eq!((figures.alarms, figures.most_in_stretch, figures.by_level[Level::Red.at()]), (4, 4, 1), "{:?}", figures.by_level);
}
