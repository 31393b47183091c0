//! From a reading to its siren, with the durable commit in between.
//!
//! The clock runs from just before the write of the causing reading to the moment in which the siren's controller has the command;
//! both ends are this process. 1,000 tags behind 16 gateways; an alarm is a toxic gas reading above high-high, so it makes two
//! transitions, and its return makes two more. Beside it, through the same broker in the same run: a bare loop that compares the
//! value with the limit and commands the siren, and stores nothing.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::Duration;
use support::load::{Load, Steady};
use support::plant::Plant;
use support::process::{Consumer, Folder, Mosquitto, Settings};
use support::{Table, at, free_port, millis, quick_or};

const GATEWAYS: usize = 16;
/// Detectors that see gas again and again: their cases are open, and what is raised again is counted there.
const AGAIN: Plant = Plant { tags: 1_000, zones: 64 };
/// So many that each sees gas once: every alarm opens a case and is told to three tiers.
const FIRST: Plant = Plant { tags: 1_000, zones: 1_000 };
const MOSQUITTO: &str = "Mosquitto as it comes";
const DEPLOYED: &str = "Mosquitto as deployed";
const BUILT_IN: &str = "built-in broker";
/// The path, the plant, readings a second, and alarms a second.
const RUNS: [(&str, Plant, u32, u32); 8] = [
    (BUILT_IN, AGAIN, 1_000, 20),
    (BUILT_IN, AGAIN, 10_000, 50),
    (BUILT_IN, FIRST, 10_000, 50),
    (MOSQUITTO, AGAIN, 1_000, 20),
    (MOSQUITTO, AGAIN, 10_000, 50),
    (DEPLOYED, AGAIN, 1_000, 20),
    (DEPLOYED, AGAIN, 10_000, 50),
    (DEPLOYED, FIRST, 10_000, 50),
];

struct Run {
    steady: Steady,
    /// CPU seconds per million readings.
    cpu: f64,
}

fn main() {
    support::bare::run_if_asked();
    let mut table = Table::new(&[
        "path",
        "readings/s",
        "alarms/s",
        "p50 ratio",
        "p99 ratio",
        "p50 ms",
        "p99 ms",
        "max ms",
        "bare p50",
        "bare p99",
        "bare max",
        "n",
        "missing",
        "CPU s/M",
        "bare CPU s/M",
    ]);
    for (path, plant, rate, alarms) in RUNS {
        let [engine, bare] = [true, false].map(|engine| run(path, plant, engine, rate, alarms));
        let of = |run: &Run, part| at(&run.steady.latencies, part);
        let ratio = |part| format!("{:.2}", of(&engine, part).as_secs_f64() / of(&bare, part).as_secs_f64());
        let kind = if plant.zones > AGAIN.zones { " a case each" } else { "" };
        let mut row = vec![path.to_owned(), rate.to_string(), format!("{alarms}{kind}"), ratio(0.5), ratio(0.99)];
        for run in [&engine, &bare] {
            row.extend([0.5, 0.99, 1.0].map(|part| millis(of(run, part))));
        }
        row.extend([engine.steady.latencies.len().to_string(), engine.steady.missing.to_string()]);
        row.extend([&engine, &bare].map(|run| format!("{:.1}", run.cpu)));
        table.row(&row);
    }
    table.print("Reading to siren command, durable commit in between, beside a bare loop");
}

fn run(path: &str, plant: Plant, engine: bool, rate: u32, alarms: u32) -> Run {
    let folder = Folder::new(plant);
    let mosquitto = match path {
        MOSQUITTO => Some(Mosquitto::start(Settings::Stock)),
        DEPLOYED => Some(Mosquitto::start(Settings::Deployed)),
        _ => None,
    };
    let (mqtt, listen) = (mosquitto.as_ref().map(|mosquitto| mosquitto.port), free_port());
    let consumer = if engine { Consumer::engine(&folder.config, &folder.data("data"), mqtt, listen) } else { Consumer::bare(mqtt, listen) };
    let mut load = Load::start(mqtt.unwrap_or(listen), plant, GATEWAYS);
    // Caches, branch predictors, the store's first pages.
    load.steady(rate, alarms, quick_or(Duration::from_millis(500), Duration::from_secs(3)));
    let before = consumer.process.cpu_seconds();
    let steady = load.steady(rate, alarms, quick_or(Duration::from_secs(2), Duration::from_secs(16)));
    let cpu = (consumer.process.cpu_seconds() - before) / steady.sent as f64 * 1e6;
    Run { steady, cpu }
}
