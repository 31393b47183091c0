//! The journal of a running engine, lived again: over a change of limits, over a stop longer than a stale time, over any span.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

#[path = "support/park.rs"]
mod park;
mod support;

use journal::{EntryKind, Reader};
use model::{Change, Condition, Timestamp};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Engine, until, watchfire};

/// Publishes readings of now, one after the other, each acknowledged.
fn publish(port: u16, readings: &[(&str, f64)]) {
    let mut options = MqttOptions::new("replay-gateway", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 10);
    for (tag, value) in readings {
        client.publish(format!("watchfire/v1/hx/{tag}"), QoS::AtLeastOnce, false, format!("{{\"value\":{value}}}")).unwrap();
        let acknowledged = |event: Result<Event, _>| matches!(event.unwrap(), Event::Incoming(Packet::PubAck(_)));
        assert!(connection.iter().any(acknowledged));
    }
}

fn said(engine: &Engine, tag: &str, condition: Condition, change: Change) -> bool {
    let is = |one: &model::Transition| (&*one.key.alarm.tag.tag, one.key.alarm.condition, one.change) == (tag, condition, change);
    engine.transitions().iter().any(is)
}

fn replay(data: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let data = data.display().to_string();
    let output = watchfire(&[&["replay", "--json", "--data", &data], more].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), serde_json::from_str(&said).unwrap_or(Value::String(said)))
}

fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).unwrap().to_string()
}

#[test]
fn a_journal_is_lived_again_over_other_limits_a_long_stop_and_any_span() {
    let dir = tempfile::tempdir().unwrap();
    let config = park::write_config(dir.path(), 9);
    let (data, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros().to_string();
    let mut engine = Engine::start(&config, &data, None, &["--time-factor", "20", "--time-epoch", &epoch]);
    publish(engine.mqtt, &[("LIA-101", 50.0), ("LIA-102", 50.0), ("TIA-101", 40.0)]);

    // Other limits come into force, and for a while nothing is raised under them.
    let list = config.join("enterprises/hx.csv");
    let original = std::fs::read_to_string(&list).unwrap();
    std::fs::write(
        &list,
        original.replace(
            "LIA-101,1#罐液位,V-101,常压储罐,339900000001,三级,甲醇,液位,%,/,0,100,10,15,80,90",
            "LIA-101,1#罐液位,V-101,常压储罐,339900000001,三级,甲醇,液位,%,/,0,100,10,15,70,90",
        ),
    )
    .unwrap();
    assert!(Command::new("kill").args(["-HUP", &engine.pid().to_string()]).status().unwrap().success());
    until("the change to come into force", || {
        let rows = engine.journal().entries(&[EntryKind::Config], 0, 100).unwrap().rows;
        rows.iter().any(|row| String::from_utf8_lossy(&row.bytes).contains("\"applied\"")).then_some(())
    });
    publish(engine.mqtt, &[("LIA-101", 60.0), ("LIA-101", 75.0), ("LIA-102", 50.0)]);
    assert!(said(&engine, "LIA-101", Condition::High, Change::Raised));
    engine.stop();
    assert!(Command::new("cp").arg("-a").args([&data, &copy]).status().unwrap().success());

    // Down for forty seconds of plant time; a tag is stale after fifteen.
    std::thread::sleep(Duration::from_secs(2));
    engine.restart();
    engine.wait_ready();
    until("the silence to be told", || said(&engine, "LIA-102", Condition::Stale, Change::Raised).then_some(()));
    publish(engine.mqtt, &[("LIA-101", 50.0), ("LIA-102", 50.0)]);
    std::thread::sleep(Duration::from_millis(1_500));
    let running = replay(&data, &[]);
    assert_eq!(running.0, Some(0), "beside a running engine: {}", running.1);
    engine.stop();

    let limits = engine.transitions().into_iter().filter(|one| one.key.alarm.tag.enterprise.as_str() == "hx").collect::<Vec<_>>();
    let (status, whole) = replay(&data, &[]);
    assert_eq!((status, &whole["ok"], whole["same"].as_u64()), (Some(0), &true.into(), Some(limits.len() as u64)), "{whole}");
    assert_eq!(whole["readings"], 8);

    // A span, from the beginning and on the copy made while it was stopped.
    let rows = engine.journal().entries(&[EntryKind::Config], 0, 100).unwrap().rows;
    let started = rows.last().unwrap().at;
    let of_span = limits.iter().filter(|one| one.now >= started).count() as u64;
    let from = written(started);
    for more in [&["--from", &*from][..], &["--from", &from, "--state", &copy.display().to_string()]] {
        let (status, span) = replay(&data, more);
        assert_eq!((status, span["same"].as_u64(), span["readings"].as_u64()), (Some(0), Some(of_span), Some(2)), "{span}");
    }
    let (status, early) = replay(&data, &["--to", &from]);
    assert_eq!((status, early["same"].as_u64()), (Some(0), Some(limits.len() as u64 - of_span)), "{early}");
    let (status, nothing) = replay(&data, &["--from", "2031-01-01T00:00:00Z"]);
    assert_eq!((status, &nothing["ok"]), (Some(2), &false.into()), "{nothing}");

    // Without the rules that were in force nothing is compared, and that is no success.
    std::fs::remove_dir_all(data.join("configurations")).unwrap();
    let (status, said) = replay(&data, &[]);
    assert_eq!(status, Some(2), "{said}");
    let folder = config.display().to_string();
    assert_eq!(replay(&data, &["--config", &folder]).0, Some(2), "the folder holds the rules of later");
    std::fs::write(&list, original).unwrap();
    let (status, first) = replay(&data, &["--config", &folder]);
    assert_eq!((status, &first["ended_by"]), (Some(2), &"unknown-rules".into()), "{first}");
    assert!(first["same"].as_u64().unwrap() > 0, "up to the change they are the same: {first}");
}

/// Waits until the states of so many starts are kept, and gives their files, oldest first.
fn kept_starts(data: &Path, count: usize) -> Vec<std::path::PathBuf> {
    until("the state of the start to be kept", || {
        let entries = std::fs::read_dir(data.join("starts")).ok()?;
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|file| file.extension().is_some()).collect();
        files.sort();
        (files.len() == count).then_some(files)
    })
}

#[test]
fn a_life_goes_on_behind_a_crash_on_the_state_that_the_next_start_took_up() {
    let dir = tempfile::tempdir().unwrap();
    let config = park::write_config(dir.path(), 9);
    let data = dir.path().join("data");
    let mut engine = Engine::start(&config, &data, None, &[]);
    // Each reading is in the history a second later, and so is everything before it.
    let lives = [
        &[("LIA-101", 50.0), ("LIA-102", 50.0), ("LIA-101", 85.0)][..],
        &[("LIA-101", 92.0), ("TIA-101", 40.0), ("LIA-102", 12.0)],
        &[("LIA-101", 50.0), ("LIA-102", 50.0), ("TIA-101", 50.0)],
    ];
    for (crashes, readings) in lives.iter().enumerate() {
        if crashes > 0 {
            engine.kill();
            engine.restart();
            engine.wait_ready();
            kept_starts(&data, crashes);
        }
        publish(engine.mqtt, readings);
        std::thread::sleep(Duration::from_millis(1_200));
        publish(engine.mqtt, &[("TI-001", 60.0)]);
        std::thread::sleep(Duration::from_millis(1_200));
    }
    engine.stop();
    let alarms: Vec<_> = engine.transitions().into_iter().filter(|one| one.key.alarm.tag.enterprise.as_str() == "hx").collect();
    let within = |stretch: &Value| {
        let (from, to) = (stretch["from"].as_i64().unwrap(), stretch["to"].as_i64().unwrap());
        alarms.iter().filter(|one| (from..to).contains(&one.now.as_millis())).count() as u64
    };

    // Of each life everything but the second before the crash.
    let (status, whole) = replay(&data, &[]);
    assert_eq!((status, &whole["ok"], &whole["first_difference"]), (Some(0), &true.into(), &Value::Null), "{whole}");
    let stretches = whole["stretches"].as_array().unwrap();
    assert_eq!((stretches.len(), whole["gaps"].as_array().unwrap().len()), (3, 2), "{whole}");
    for stretch in stretches {
        assert_eq!(stretch["same"].as_u64().unwrap(), within(stretch), "{whole}");
    }
    assert_eq!((&stretches[0]["state"], &stretches[1]["state"]), (&Value::Null, &"start".into()));
    // The returns of the third life are of alarms that were raised in the first and the second.
    assert!(within(&stretches[0]) >= 1 && within(&stretches[1]) >= 3 && within(&stretches[2]) >= 3, "{whole}");
    let said = String::from_utf8(watchfire(&["replay", "--lang", "en", "--data", &data.display().to_string()]).stdout).unwrap();
    assert!(said.contains("not compared: crash") && said.contains("that a start of the engine took up"), "{said}");
    assert!(said.contains("+08:00") && !said.contains("Z "), "plant time, as everywhere: {said}");

    // A span behind a crash is whole; one over it is not.
    let begin = |life: usize| written(Timestamp::from_millis(stretches[life]["begin"].as_i64().unwrap() + 1));
    let (status, span) =
        replay(&data, &["--from", &begin(1), "--to", &written(Timestamp::from_millis(stretches[1]["to"].as_i64().unwrap()))]);
    assert_eq!((status, span["same"].as_u64()), (Some(0), Some(within(&stretches[1]))), "{span}");
    let (status, span) = replay(&data, &["--from", &begin(2)]);
    assert_eq!((status, span["same"].as_u64()), (Some(0), Some(within(&stretches[2]))), "{span}");
    let (status, span) = replay(&data, &["--from", &begin(1)]);
    assert_eq!((status, &span["ok"], span["stretches"].as_array().unwrap().len()), (Some(2), &false.into(), 2), "{span}");

    // A damaged state is told and passed over, and what it would have begun is not compared.
    let file = kept_starts(&data, 2).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&file, bytes).unwrap();
    let (status, rest) = replay(&data, &[]);
    assert_eq!((status, rest["unreadable_starts"].as_array().unwrap().len()), (Some(0), 1), "{rest}");
    let left: Vec<_> = rest["stretches"].as_array().unwrap().iter().map(|stretch| &stretch["begin"]).collect();
    assert_eq!(left, [&stretches[0]["begin"], &stretches[2]["begin"]], "{rest}");
    let said = String::from_utf8(watchfire(&["replay", "--lang", "en", "--data", &data.display().to_string()]).stdout).unwrap();
    assert!(said.contains("cannot be used") && said.contains("passed over"), "{said}");
}
