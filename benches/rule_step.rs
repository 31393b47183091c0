//! What one reading costs in the rules, in memory: nanoseconds per step, at 1,000, 10,000 and 100,000 tags.
//!
//! Every tag speaks once a second of plant time. Beside it in the same run, over the same readings: a bare loop that looks the tag up,
//! checks that the reading is newer, stores its time, and compares the value with a band. The rows that change something show what an
//! alarm costs; the last rows take the reading from its topic and payload, as it comes from a broker.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use ingest::{Decoded, Decoder};
use model::{Duration, Quality, Reading, TagIndex, Timestamp};
use rules::{Input, Rules};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::plant::{CLEAR, NORMAL, Plant, TOXIC, payload};
use support::{Table, quick_or};

fn main() {
    let mut table = Table::new(&["what", "tags", "ratio", "ns/reading", "bare ns"]);
    for tags in [1_000, 10_000, 100_000] {
        bench(tags, &mut table);
    }
    table.print("One reading in the rules, beside a bare loop");
}

/// The same steps for ever: a fixed generator needs no crate.
fn shuffled(count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for at in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order
}

/// Readings in memory at a time: few enough to stay in the cache beside the state, so that what is measured is not their way there.
const READINGS: usize = 10_000;

/// The median of five: nanoseconds per call.
fn measure(per_run: usize, mut run: impl FnMut()) -> f64 {
    median((0..quick_or(2, 5)).map(|_| time(per_run, &mut run)).collect())
}

/// Nanoseconds per call of one run.
fn time(per_run: usize, mut run: impl FnMut()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_nanos() as f64 / per_run as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Readings of a plant in which every tag speaks once a second.
struct Feed {
    order: Vec<u32>,
    next: usize,
    now: Timestamp,
    every: Duration,
    random: u64,
}

impl Feed {
    fn new(order: Vec<u32>, start: Timestamp) -> Self {
        let every = Duration((1_000_000 / order.len() as i64).max(1));
        Self { order, next: 0, now: start, every, random: 0x9E37_79B9_7F4A_7C15 }
    }

    fn reading(&mut self, value: f64) -> Reading {
        self.now += self.every;
        self.next = (self.next + 1) % self.order.len();
        let tag = TagIndex(self.order[self.next]);
        Reading { tag, source_time: self.now, receive_time: self.now, value, quality: Quality::Good, sequence: Some(self.next as u64) }
    }

    /// The next readings, each a little beside [`NORMAL`].
    fn fill(&mut self, readings: &mut Vec<Reading>) {
        readings.clear();
        for _ in 0..READINGS {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let reading = self.reading(NORMAL + (self.random >> 60) as f64 * 0.1);
            readings.push(reading);
        }
    }
}

/// What the rules are held against: 24 bytes per tag.
#[derive(Clone)]
struct Bare {
    time: i64,
    low: f64,
    high: f64,
}

/// Looks the tag up, checks and stores its time, compares the value with a band.
fn bare_loop(states: &mut [Bare], readings: &[Reading]) -> u64 {
    let mut crossed = 0;
    for reading in readings {
        let state = &mut states[reading.tag.at()];
        if reading.source_time.0 > state.time {
            state.time = reading.source_time.0;
            crossed += u64::from(reading.value >= state.high || reading.value <= state.low);
        }
    }
    crossed
}

fn bench(tags: usize, table: &mut Table) {
    let dir = tempfile::tempdir().unwrap();
    let shape = Plant { tags, zones: (tags / 10).min(500) };
    let loaded = config::load(&shape.write(dir.path())).unwrap_or_else(|_| panic!("the plant is sound"));
    let plant = Arc::new(loaded.plant);
    // Tags in sorted order, the system's own among them: by name.
    let index = |tag: usize| {
        let topic = shape.topic(tag);
        let mut names = topic.split('/').skip(2);
        plant.find_tag(names.next().unwrap(), names.next().unwrap()).unwrap().0
    };
    let shuffled: Vec<u32> = shuffled(tags).into_iter().map(|tag| index(tag as usize)).collect();
    let mut sorted = shuffled.clone();
    sorted.sort_unstable();
    let start = Timestamp::from_secs(1_764_000_000);
    let mut row = |what: &str, ns: f64, bare: f64| {
        table.row(&[what.to_owned(), tags.to_string(), format!("{:.1}", ns / bare), format!("{ns:.1}"), format!("{bare:.1}")]);
    };
    let mut bare = 0.0;
    for (order, name) in [(sorted, "in order"), (shuffled.clone(), "at random")] {
        let (base, step, run) = nothing_changes(&plant, Feed::new(order, start));
        row(&format!("changes nothing, a step each, tags {name}"), step, base);
        row(&format!("changes nothing, in one run, tags {name}"), run, base);
        bare = base;
    }

    let (detectors, _): (Vec<u32>, Vec<u32>) = shuffled.iter().partition(|tag| plant.tag(TagIndex(**tag)).signal.is_gas());
    let rounds = quick_or(200_000, 2_000_000) / tags;
    let (mut rules, mut out, mut rows) = (Rules::new(plant.clone(), start), Vec::new(), Vec::new());
    let mut feed = Feed::new(shuffled, start);
    for _ in 0..3 * tags {
        let reading = feed.reading(NORMAL);
        rules.step(&Input::Reading(reading), reading.receive_time, &mut out);
    }
    feed.order.clone_from(&detectors);
    let mut sweep = |rules: &mut Rules, value: f64| {
        for _ in 0..feed.order.len() {
            let reading = feed.reading(black_box(value));
            rules.step(&Input::Reading(reading), reading.receive_time, &mut out);
        }
        out.clear();
    };
    // All detectors in gas: each further reading is held against a standing alarm.
    sweep(&mut rules, TOXIC);
    let inside = measure(rounds * detectors.len(), || (0..rounds).for_each(|_| sweep(&mut rules, TOXIC)));
    row("the alarm stands", inside, bare);
    sweep(&mut rules, CLEAR);
    rules.drain_changed(&mut rows);
    let changes = (rounds / 20).max(1);
    let change = measure(changes * 2 * detectors.len(), || {
        for _ in 0..changes {
            sweep(&mut rules, TOXIC);
            sweep(&mut rules, CLEAR);
            // As the engine does with every commit.
            rows.clear();
            rules.drain_changed(&mut rows);
        }
    });
    row("raises or returns two alarms, with their rows", change, bare);

    whole(&shape, &plant, tags, table);
}

/// The bare loop, a step for each reading, and one run over all of them, in turns over readings in memory: nanoseconds per reading.
fn nothing_changes(plant: &Arc<model::Plant>, mut feed: Feed) -> (f64, f64, f64) {
    let mut rules = Rules::new(plant.clone(), feed.now);
    let mut states = vec![Bare { time: 0, low: 5.0, high: 25.0 }; plant.tags.len()];
    let (mut readings, mut out) = (Vec::with_capacity(READINGS), Vec::new());
    let warm_up = 3 * feed.order.len().div_ceil(READINGS);
    let (mut bare, mut step, mut run) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..warm_up + quick_or(100, 1_000) {
        feed.fill(&mut readings);
        let base = time(READINGS, || {
            black_box(bare_loop(&mut states, black_box(&readings)));
        });
        let singly = time(READINGS, || {
            for reading in black_box(&readings) {
                rules.step(&Input::Reading(*reading), reading.receive_time, &mut out);
            }
        });
        feed.fill(&mut readings);
        let at_once = time(READINGS, || rules.run(black_box(&readings), &mut out));
        if turn >= warm_up {
            bare.push(base);
            step.push(singly);
            run.push(at_once);
        }
    }
    assert!(out.is_empty(), "a normal reading changes nothing");
    (median(bare), median(step), median(run))
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Claimed {
    Good,
    Uncertain,
    Bad,
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "what is not compared is read too")]
struct Payload {
    ts: i64,
    value: f64,
    quality: Claimed,
    seq: u64,
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "only read")]
struct Named<'a> {
    tag: &'a str,
    ts: i64,
    value: f64,
    quality: Claimed,
    seq: u64,
}

/// Readings in a batch.
const BATCH: usize = 100;

/// The topic and payload of a batch of the first topic's enterprise.
fn batch(topics: &[String], payload: &[u8]) -> (String, Vec<u8>) {
    let (enterprise, _) = topics[0].rsplit_once('/').unwrap();
    let names = topics.iter().filter_map(|topic| topic.strip_prefix(enterprise)?.strip_prefix('/'));
    let fields = std::str::from_utf8(&payload[1..]).unwrap();
    let elements: Vec<String> = names.take(BATCH).map(|tag| format!("{{\"tag\":\"{tag}\",{fields}")).collect();
    (enterprise.to_owned(), format!("[{}]", elements.join(",")).into_bytes())
}

/// Two ways to do the same in turns, so that what else the machine does disturbs both: the median nanoseconds per call.
fn in_turns<A, B>(mut one: impl FnMut() -> A, mut other: impl FnMut() -> B) -> (f64, f64) {
    let calls = 1_000;
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..quick_or(100, 1_000) {
        ones.push(time(calls, || (0..calls).for_each(|_| drop(one()))));
        others.push(time(calls, || (0..calls).for_each(|_| drop(other()))));
    }
    (median(ones), median(others))
}

/// From topic and payload to the rules' verdict, beside a hash map, serde_json and a comparison.
fn whole(shape: &Plant, plant: &Arc<model::Plant>, tags: usize, table: &mut Table) {
    let topics: Vec<String> = shuffled(tags).into_iter().map(|tag| shape.topic(tag as usize)).collect();
    let start = Timestamp::from_millis(i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
    let (mut bytes, mut buffer) = (Vec::new(), Vec::new());
    payload(&mut buffer, NORMAL, 17);
    bytes.extend(&buffer);
    let rounds = quick_or(100_000, 1_000_000) / tags;
    // The payload's time is its 13 digits after `{"ts":`; written in place, so that writing it costs next to nothing.
    let stamp = |bytes: &mut [u8], mut millis: i64| {
        for digit in bytes[6..19].iter_mut().rev() {
            *digit = b'0' + (millis % 10) as u8;
            millis /= 10;
        }
    };
    let mut map: HashMap<String, (i64, f64, f64)> = topics.iter().map(|topic| (topic.clone(), (0, 5.0, 25.0))).collect();
    let (mut millis, mut crossed) = (start.as_millis(), 0_u64);
    let bare = measure(rounds * tags, || {
        for _ in 0..rounds {
            millis += 1_000;
            stamp(&mut bytes, millis);
            for topic in &topics {
                let reading: Payload = serde_json::from_slice(black_box(&bytes)).unwrap();
                let state = map.get_mut(topic.as_str()).unwrap();
                if reading.ts > state.0 {
                    state.0 = reading.ts;
                    crossed += u64::from(reading.value >= state.2 || reading.value <= state.1);
                }
            }
        }
    });
    black_box(crossed);
    let (mut rules, mut decoded, mut out) = (Rules::new(plant.clone(), start), Decoded::default(), Vec::new());
    let decoder = Decoder::new(plant);
    let mut row = |what: &str, ns: f64, bare: f64| {
        table.row(&[what.to_owned(), tags.to_string(), format!("{:.2}", ns / bare), format!("{ns:.1}"), format!("{bare:.1}")]);
    };
    let (decode, read) = in_turns(
        || decoder.decode(plant, topics[0].as_bytes(), black_box(&bytes), start, black_box(&mut decoded)),
        || black_box(serde_json::from_slice::<Payload>(black_box(&bytes)).unwrap()),
    );
    row("payload of one topic, decoded; serde_json into a struct", decode, read);
    let (batch_topic, batch) = batch(&topics, &bytes);
    let (decode, read) = in_turns(
        || decoder.decode(plant, batch_topic.as_bytes(), black_box(&batch), start, black_box(&mut decoded)),
        || black_box(serde_json::from_slice::<Vec<Named>>(black_box(&batch)).unwrap()),
    );
    assert_eq!(decoded.readings.len(), BATCH);
    row("batch of 100, decoded; serde_json into structs", decode / BATCH as f64, read / BATCH as f64);
    let mut millis = start.as_millis();
    let engine = measure(rounds * tags, || {
        for _ in 0..rounds {
            millis += 1_000;
            stamp(&mut bytes, millis);
            let now = Timestamp::from_millis(millis);
            for topic in &topics {
                decoder.decode(plant, topic.as_bytes(), black_box(&bytes), now, &mut decoded);
                for reading in &decoded.readings {
                    rules.step(&Input::Reading(*reading), now, &mut out);
                }
            }
        }
    });
    assert!(out.is_empty(), "a normal reading changes nothing");
    row("topic and payload, changes nothing", engine, bare);
}
