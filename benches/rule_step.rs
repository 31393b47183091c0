//! What one reading costs in the rules, in memory: nanoseconds per step, at 1,000, 10,000 and 100,000 tags.
//!
//! Tags come in random order, each once a second of plant time. Beside it in the same run: a bare loop that looks the tag up, checks
//! that the reading is newer, stores its time, and compares the value with a band. The rows that change something show what an
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

/// The median of five: nanoseconds per call.
fn measure(per_run: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..quick_or(2, 5))
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_nanos() as f64 / per_run as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct World {
    rules: Rules,
    now: Timestamp,
    every: Duration,
    effects: usize,
    out: Vec<model::AlarmEffect>,
}

impl World {
    fn step(&mut self, tag: u32, value: f64) {
        self.now += self.every;
        let now = self.now;
        let reading = Reading { tag: TagIndex(tag), source_time: now, receive_time: now, value, quality: Quality::Good, sequence: None };
        self.rules.step(&Input::Reading(reading), now, &mut self.out);
        if !self.out.is_empty() {
            self.effects += self.out.len();
            self.out.clear();
        }
    }
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
    let order: Vec<u32> = shuffled(tags).into_iter().map(|tag| index(tag as usize)).collect();
    let (detectors, others): (Vec<u32>, Vec<u32>) = order.iter().partition(|tag| plant.tag(TagIndex(**tag)).signal.is_gas());
    let start = Timestamp::from_secs(1_764_000_000);
    let every = Duration((1_000_000 / tags as i64).max(1));
    let mut world = World { rules: Rules::new(plant.clone(), start), now: start, every, effects: 0, out: Vec::new() };
    let rounds = quick_or(200_000, 2_000_000) / tags;
    for _ in 0..3 {
        order.iter().for_each(|tag| world.step(*tag, NORMAL));
    }

    // The bare loop: 24 bytes per tag.
    #[derive(Clone)]
    struct Bare {
        time: i64,
        low: f64,
        high: f64,
    }
    let mut bare = vec![Bare { time: 0, low: 5.0, high: 25.0 }; plant.tags.len()];
    let (mut now, mut crossed) = (start.0, 0_u64);
    let bare_quiet = measure(rounds * tags, || {
        for _ in 0..rounds {
            for tag in &order {
                now += every.0;
                let state = &mut bare[*tag as usize];
                let value = black_box(NORMAL);
                if now > state.time {
                    state.time = now;
                    crossed += u64::from(value >= state.high || value <= state.low);
                }
            }
        }
    });
    black_box(crossed);
    let mut row = |what: &str, ns: f64, bare: f64| {
        table.row(&[what.to_owned(), tags.to_string(), format!("{:.1}", ns / bare), format!("{ns:.1}"), format!("{bare:.1}")]);
    };
    let quiet = measure(rounds * tags, || {
        for _ in 0..rounds {
            order.iter().for_each(|tag| world.step(*tag, black_box(NORMAL)));
        }
    });
    assert_eq!(world.effects, 0, "a normal reading changes nothing");
    row("changes nothing", quiet, bare_quiet);

    // All detectors in gas: each further reading is held against a standing alarm.
    detectors.iter().for_each(|tag| world.step(*tag, TOXIC));
    let mut rows = Vec::new();
    let inside = measure(rounds * detectors.len(), || {
        for _ in 0..rounds {
            detectors.iter().for_each(|tag| world.step(*tag, black_box(TOXIC)));
        }
    });
    row("the alarm stands", inside, bare_quiet);
    detectors.iter().for_each(|tag| world.step(*tag, CLEAR));
    world.rules.drain_changed(&mut rows);
    let changes = (rounds / 20).max(1);
    let change = measure(changes * 2 * detectors.len(), || {
        for _ in 0..changes {
            for value in [TOXIC, CLEAR] {
                detectors.iter().for_each(|tag| world.step(*tag, value));
            }
            // As the engine does with every commit.
            rows.clear();
            world.rules.drain_changed(&mut rows);
        }
    });
    row("raises or returns two alarms, with their rows", change, bare_quiet);
    black_box(others.len());

    whole(&shape, &plant, tags, table);
}

/// From topic and payload to the rules' verdict, beside a hash map, serde_json and a comparison.
fn whole(shape: &Plant, plant: &Arc<model::Plant>, tags: usize, table: &mut Table) {
    #[derive(serde::Deserialize)]
    struct Payload {
        ts: i64,
        value: f64,
    }
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
    table.row(&[
        "topic and payload, changes nothing".to_owned(),
        tags.to_string(),
        format!("{:.1}", engine / bare),
        format!("{engine:.1}"),
        format!("{bare:.1}"),
    ]);
}
