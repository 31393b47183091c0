//! How many QoS 1 readings a second are taken for good, without a growing backlog, and what they cost.
//!
//! Through Mosquitto the gateways stay at most some thousand readings ahead of what the engine says it has evaluated, so that the broker's
//! queue neither runs dry nor grows; through the built-in broker an ack is that word. No reading changes anything. Beside it, in the
//! same run: a bare rumqttc loop with manual acks, and the library of the built-in broker with a hook that answers at once.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::load::Load;
use support::plant::Plant;
use support::process::{Consumer, Folder, Mosquitto, Settings};
use support::{Table, free_port, quick_or};

const PLANT: Plant = Plant { tags: 1_000, zones: 0 };
/// Connections at the built-in broker, which takes one reading of each at a time.
const GATEWAYS: usize = 16;
/// Mosquitto reads one packet of each connection in turn, so the acks of one reader keep up with one writer at full speed, not more.
const GATEWAYS_MOSQUITTO: usize = 1;
/// Unacknowledged readings of one gateway.
const WINDOW: u64 = 100;
/// Readings in Mosquitto's hands or on their way.
const AHEAD: u64 = 8_000;
/// How often the consumer is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(20);

struct Run {
    /// Readings evaluated a second.
    rate: f64,
    /// CPU seconds per million readings, of the consumer and of Mosquitto.
    cpu: [f64; 2],
    /// MiB at the end and at the highest.
    memory: [f64; 2],
}

fn main() {
    support::bare::run_if_asked();
    let mut table = Table::new(&[
        "path",
        "ratio",
        "readings/s",
        "bare readings/s",
        "CPU s/M",
        "bare CPU s/M",
        "Mosquitto s/M",
        "RSS MiB",
        "peak MiB",
        "bare RSS MiB",
    ]);
    for (path, external) in [("Mosquitto as deployed", true), ("built-in broker", false)] {
        // Alternating, so that a busy minute of the machine falls on both.
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..quick_or(1, 3) {
            for (engine, runs) in [true, false].into_iter().zip(&mut runs) {
                runs.push(run(external, engine));
            }
        }
        let [engine, bare] = runs.map(|mut runs| {
            runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            runs.swap_remove(runs.len() / 2)
        });
        let mosquitto = if external { format!("{:.1}", engine.cpu[1]) } else { "-".to_owned() };
        table.row(&[
            path.to_owned(),
            format!("{:.2}", engine.rate / bare.rate),
            format!("{:.0}", engine.rate),
            format!("{:.0}", bare.rate),
            format!("{:.2}", engine.cpu[0]),
            format!("{:.2}", bare.cpu[0]),
            mosquitto,
            format!("{:.1}", engine.memory[0]),
            format!("{:.1}", engine.memory[1]),
            format!("{:.1}", bare.memory[0]),
        ]);
    }
    table.print("Sustained QoS 1 readings, beside a bare loop over the same client or broker");
}

fn run(external: bool, engine: bool) -> Run {
    let folder = Folder::new(PLANT);
    let mosquitto = external.then(|| Mosquitto::start(Settings::Deployed));
    let (mqtt, listen) = (mosquitto.as_ref().map(|mosquitto| mosquitto.port), free_port());
    let consumer = if engine { Consumer::engine(&folder.config, &folder.data("data"), mqtt, listen) } else { Consumer::bare(mqtt, listen) };
    let consumer = Arc::new(consumer);
    let mut load = Load::start(mqtt.unwrap_or(listen), PLANT, if external { GATEWAYS_MOSQUITTO } else { GATEWAYS });
    let (evaluated, done) = (Arc::new(AtomicU64::new(consumer.evaluated())), Arc::new(AtomicBool::new(false)));
    let asking = {
        let (consumer, evaluated, done) = (consumer.clone(), evaluated.clone(), done.clone());
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                evaluated.store(consumer.evaluated(), Ordering::Relaxed);
                std::thread::sleep(if external { ASK_EVERY } else { ASK_EVERY * 50 });
            }
        })
    };
    let mut flow = |length| {
        if external {
            load.flat_out(length, WINDOW, AHEAD, || evaluated.load(Ordering::Relaxed));
        } else {
            load.flat_out(length, WINDOW, u64::MAX, || 0);
        }
    };
    flow(quick_or(Duration::from_millis(500), Duration::from_secs(2)));
    let cpu = || [consumer.process.cpu_seconds(), mosquitto.as_ref().map_or(0.0, |mosquitto| mosquitto.process.cpu_seconds())];
    let (began, count, before) = (Instant::now(), consumer.evaluated(), cpu());
    flow(quick_or(Duration::from_secs(2), Duration::from_secs(8)));
    let (length, count, after) = (began.elapsed(), consumer.evaluated() - count, cpu());
    done.store(true, Ordering::Relaxed);
    asking.join().unwrap();
    let per_million = |at: usize| (after[at] - before[at]) / count as f64 * 1e6;
    Run {
        rate: count as f64 / length.as_secs_f64(),
        cpu: [per_million(0), per_million(1)],
        memory: [consumer.process.memory(false), consumer.process.memory(true)],
    }
}
