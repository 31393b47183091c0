//! From the start of the process to the SUBSCRIBE at the broker, after kill -9 with 10,000 tags in the store; and memory at 1,000 tags.
//!
//! The broker is a scripted one in this process, so the time is read where the bytes arrive. Before each kill every tag has
//! reported and a hundred alarms stand. Beside it: a bare rumqttc client with nothing to restore.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};
use support::load::Load;
use support::plant::{NORMAL, Plant, TOXIC, payload};
use support::process::{Consumer, Folder, Mosquitto, Settings, get, spawn_bare, spawn_engine};
use support::wire::ScriptedBroker;
use support::{Table, at, free_port, millis, quick_or, until};

const ALARMS: usize = 100;
const LARGE: Plant = Plant { tags: 10_000, zones: ALARMS };
const SMALL: Plant = Plant { tags: 1_000, zones: 64 };
/// The checkpoint comes every 5 s; the kill comes after at least one.
const CHECKPOINT: Duration = Duration::from_millis(5_500);

fn main() {
    support::bare::run_if_asked();
    restart();
    memory();
}

fn restart() {
    let mut table = Table::new(&["what", "ratio", "subscribed ms", "min", "max", "ready ms", "bare ms", "n"]);
    let folder = Folder::new(LARGE);
    let broker = ScriptedBroker::start();
    let data = folder.data("data");
    let mut fresh = Vec::new();
    let mut after_kill = Vec::new();
    let mut ready = Vec::new();
    let mut bare = Vec::new();
    for round in 0..quick_or(2, 12) {
        let http = free_port();
        let began = Instant::now();
        let mut engine = spawn_engine(&folder.config, &data, Some(broker.port), 0, http);
        let mut subscribed = broker.subscribed();
        let times = if round == 0 { &mut fresh } else { &mut after_kill };
        times.push(subscribed.at - began);
        until("the engine to be ready", || (get(http, "/health/ready")?.0 == 200).then_some(()));
        ready.push(began.elapsed());
        if round < 2 {
            let mut buffer = Vec::new();
            let readings: Vec<_> = (0..LARGE.tags)
                .map(|tag| {
                    payload(&mut buffer, if tag < ALARMS { TOXIC } else { NORMAL }, round);
                    (LARGE.topic(tag), buffer.clone())
                })
                .collect();
            subscribed.deliver(&readings);
            std::thread::sleep(CHECKPOINT);
        }
        engine.kill();
        let began = Instant::now();
        let mut client = spawn_bare(Some(broker.port), 0, free_port());
        bare.push(broker.subscribed().at - began);
        client.kill();
    }
    ready.remove(0);
    for times in [&mut after_kill, &mut ready, &mut bare] {
        times.sort();
    }
    let row = |what: &str, times: &[Duration], ready: &str| {
        let half = at(times, 0.5);
        let ratio = format!("{:.1}", half.as_secs_f64() / at(&bare, 0.5).as_secs_f64());
        let n = times.len().to_string();
        [what.to_owned(), ratio, millis(half), millis(times[0]), millis(at(times, 1.0)), ready.to_owned(), millis(at(&bare, 0.5)), n]
    };
    table.row(&row("empty store, 10,000 tags", &fresh, "-"));
    table.row(&row("after kill -9, 10,000 tags, 100 alarms standing", &after_kill, &millis(at(&ready, 0.5))));
    table.print("Start to SUBSCRIBE at the broker, beside a bare client");
}

fn memory() {
    let mut table = Table::new(&["path", "ratio", "RSS MiB", "peak MiB", "bare RSS MiB"]);
    for (path, external) in [("Mosquitto as deployed", true), ("built-in broker", false)] {
        let [engine, bare] = [true, false].map(|engine| {
            let folder = Folder::new(SMALL);
            let mosquitto = external.then(|| Mosquitto::start(Settings::Deployed));
            let (mqtt, listen) = (mosquitto.as_ref().map(|mosquitto| mosquitto.port), free_port());
            let consumer =
                if engine { Consumer::engine(&folder.config, &folder.data("data"), mqtt, listen) } else { Consumer::bare(mqtt, listen) };
            let mut load = Load::start(mqtt.unwrap_or(listen), SMALL, 16);
            load.steady(1_000, 1, quick_or(Duration::from_secs(2), Duration::from_secs(15)));
            [consumer.process.memory(false), consumer.process.memory(true)]
        });
        let mib = |value: f64| format!("{value:.1}");
        table.row(&[path.to_owned(), format!("{:.1}", engine[0] / bare[0]), mib(engine[0]), mib(engine[1]), mib(bare[0])]);
    }
    table.print("Memory at 1,000 tags under 1,000 readings/s and an alarm a second, beside a bare loop");
}
