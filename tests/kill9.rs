//! The promise: from the moment the engine has received a QoS 1 reading, no transition is lost and none is doubled.
//!
//! The engine is killed with -9 at random moments under 1,000 readings a second with alarms going on and off. The record of
//! what was published is the publisher's own, and the expectation is made from it by a few lines that know nothing of the
//! engine. The broker is a real Mosquitto whose session outlives the kills.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use model::{Change, Condition};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{Engine, Mosquitto, root, summary, until, watchfire};

/// Tags of config/tep with the high and high-high limits they have there.
const TAGS: [(&str, f64, f64); 3] = [("XMEAS-7", 2895.0, 3000.0), ("XMEAS-9", 150.0, 175.0), ("XMEAS-8", 100.0, 114.4)];
const RATE: u32 = 1_000;

/// One published reading.
#[derive(Clone, Copy)]
struct Published {
    tag: usize,
    ts_ms: i64,
    value: f64,
}

fn rounds() -> u32 {
    std::env::var("WATCHFIRE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// A small generator: the same seed gives the same run of values.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Publishes until told to stop; returns what it published once all of it is acknowledged.
fn publish(port: u16, stop: &AtomicBool, seed: u64) -> Vec<Published> {
    let mut options = MqttOptions::new("kill9-publisher", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30)).set_inflight(1_000);
    let (client, mut connection) = Client::new(options, 10_000);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let counter = acknowledged.clone();
    let poll = std::thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::PubAck(_))) => {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) | Err(_) => return,
                Ok(_) => {}
            }
        }
    });
    let mut random = Random(seed);
    let mut record: Vec<Published> = Vec::new();
    let mut last = [0_i64; TAGS.len()];
    // 0 clear, 1 beyond high, 2 beyond high-high; stays for a few dozen readings.
    let mut place = [0_u64; TAGS.len()];
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let due = began + Duration::from_secs(1) * record.len() as u32 / RATE;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let tag = record.len() % TAGS.len();
        if random.below(25) == 0 {
            place[tag] = random.below(3);
        }
        let (name, high, high_high) = TAGS[tag];
        let value = match place[tag] {
            0 => high - 1.0 - random.below(10) as f64,
            1 => high + random.below(4) as f64,
            _ => high_high + random.below(4) as f64,
        };
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        // A little in the past: a burst counts its stamps up, and a stamp of the future would be cut to the engine's time.
        let ts_ms = (now_ms - 5_000).max(last[tag] + 1);
        last[tag] = ts_ms;
        let payload = format!("{{\"ts\":{ts_ms},\"value\":{value},\"quality\":\"good\",\"seq\":{}}}", record.len());
        client.publish(format!("watchfire/v1/tep/{name}"), QoS::AtLeastOnce, false, payload).unwrap();
        record.push(Published { tag, ts_ms, value });
    }
    until("the broker to acknowledge everything", || (acknowledged.load(Ordering::Relaxed) >= record.len() as u64).then_some(()));
    client.disconnect().unwrap();
    poll.join().unwrap();
    record
}

fn expected(record: &[Published]) -> Vec<(String, Condition, Change, i64)> {
    let mut list = Vec::new();
    for (tag, (name, high, high_high)) in TAGS.iter().enumerate() {
        for (condition, limit) in [(Condition::High, *high), (Condition::HighHigh, *high_high)] {
            let mut on = false;
            for reading in record.iter().filter(|reading| reading.tag == tag) {
                if (reading.value >= limit) != on {
                    on = !on;
                    list.push((
                        format!("tep/{name}"),
                        condition,
                        if on { Change::Raised } else { Change::Returned },
                        reading.ts_ms * 1_000,
                    ));
                }
            }
        }
    }
    list.sort_by(|a, b| (&a.0, a.1, a.3, a.2 == Change::Returned).cmp(&(&b.0, b.1, b.3, b.2 == Change::Returned)));
    list
}

#[test]
fn killed_at_random_moments_the_engine_loses_and_doubles_nothing() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    eprintln!("seed {seed}, {} kills", rounds());
    let broker = Mosquitto::start();
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(&root().join("config/tep"), data.path(), Some(&broker.url()), &[]);
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = {
        let (stop, port) = (stop.clone(), broker.port);
        std::thread::spawn(move || publish(port, &stop, seed))
    };
    let mut random = Random(seed.rotate_left(17) | 1);
    for _ in 0..rounds() {
        std::thread::sleep(Duration::from_millis(20 + random.below(500)));
        engine.kill();
        engine.restart();
    }
    stop.store(true, Ordering::Relaxed);
    let record = publisher.join().unwrap();
    let expected = expected(&record);
    assert!(expected.len() > rounds() as usize, "only {} transitions in {} readings prove little", expected.len(), record.len());
    engine.wait_ready();
    let began = Instant::now();
    while summary(&engine.transitions()).len() < expected.len() && began.elapsed() < support::PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    engine.stop();
    let seen = summary(&engine.transitions());
    let lost: Vec<_> = expected.iter().filter(|row| !seen.contains(row)).collect();
    let extra: Vec<_> = seen.iter().filter(|row| !expected.contains(row)).collect();
    assert!(lost.is_empty() && extra.is_empty(), "lost {lost:?}, invented {extra:?} of {}", expected.len());
    assert_eq!(seen.len(), expected.len(), "some transition is there twice");
    eprintln!("{} readings, {} transitions: 0 lost, 0 doubled", record.len(), seen.len());
    let verify = watchfire(&["verify", "--data", &data.path().display().to_string()]);
    assert!(verify.status.success(), "the chain is unbroken: {}", String::from_utf8_lossy(&verify.stdout));
}
