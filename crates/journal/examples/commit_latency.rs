//! How long a commit takes, beside a bare write and fdatasync of as many bytes in the same folder and the same run.
//!
//! `cargo run --release -p watchfire-journal --example commit_latency [folder] [commits] [pause in µs]`

use model::Timestamp;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use watchfire_journal::{Batch, Entry, EntryKind, OutboxRow, SqliteStore, Store, TimerRow};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().map_or_else(|| std::env::temp_dir().join("watchfire-commit-latency"), PathBuf::from);
    let commits: i64 = arguments.next().map_or(Ok(5_000), |number| number.parse())?;
    let pause = Duration::from_micros(arguments.next().map_or(Ok(1_000), |number| number.parse())?);
    std::fs::create_dir_all(&dir)?;

    // What a commit of one alarm writes to the log: some eight pages of 4 KiB.
    let block = vec![7_u8; 8 * 4_120];
    let mut file = File::create(dir.join("bare"))?;
    report("bare write + fdatasync, 33 kB", commits, pause, |_| {
        file.write_all(&block)?;
        file.sync_data()?;
        Ok(())
    })?;
    std::fs::remove_file(dir.join("bare"))?;

    let store_dir = dir.join("store");
    let start = Instant::now();
    let mut store = SqliteStore::open(&store_dir)?;
    println!("{:<34} {:>8.0} µs", "open", start.elapsed().as_secs_f64() * 1e6);
    report("commit: one transition, its state", commits, pause, |number| {
        store.commit(&transition(number))?;
        Ok(())
    })?;
    report("commit: an announced alarm", commits, pause, |number| {
        store.commit(&announced(commits + number))?;
        Ok(())
    })?;
    drop(store);
    let start = Instant::now();
    let mut store = SqliteStore::open(&store_dir)?;
    let rows = store.load()?.last_seq;
    println!("{:<34} {:>8.0} µs", "open and load", start.elapsed().as_secs_f64() * 1e6);
    let start = Instant::now();
    let intact = watchfire_journal::verify(&store_dir, |_, _| {})?.is_intact();
    println!("{:<34} {:>8.0} rows/s, intact: {intact}", "verify", rows as f64 / start.elapsed().as_secs_f64());
    drop(store);
    std::fs::remove_dir_all(&store_dir)?;
    Ok(())
}

fn report(
    what: &str,
    times: i64,
    pause: Duration,
    mut work: impl FnMut(i64) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut taken = Vec::new();
    for number in 0..times {
        let start = Instant::now();
        work(number)?;
        taken.push(start.elapsed().as_secs_f64() * 1e6);
        std::thread::sleep(pause);
    }
    taken.sort_by(f64::total_cmp);
    let at = |part: f64| taken[((taken.len() - 1) as f64 * part) as usize];
    println!("{what:<34} p50 {:>6.0}  p99 {:>6.0}  p99.9 {:>6.0}  max {:>6.0} µs", at(0.5), at(0.99), at(0.999), at(1.0));
    Ok(())
}

fn transition(number: i64) -> Batch {
    let at = Timestamp::from_millis(1_764_000_000_000 + number);
    let tag = format!("ent-{:02}/TI-{:03}", number % 30, number % 671);
    let entry = Entry {
        kind: EntryKind::Transition,
        format: 1,
        key: Some(format!("high-high@{tag}!{}/0", at.0)),
        subject: None,
        at,
        bytes: vec![b'x'; 450],
    };
    Batch { now: at, entries: vec![entry], state: vec![(format!("rules/{tag}"), Some(vec![b'x'; 300]))], ..Batch::default() }
}

fn announced(number: i64) -> Batch {
    let mut batch = transition(number);
    let case = format!("case-{}", number % 500);
    let about = |kind| Entry { kind, key: None, subject: Some(case.clone()), format: 1, at: batch.now, bytes: vec![b'x'; 350] };
    let more = [about(EntryKind::Announcement), about(EntryKind::Case), about(EntryKind::Case), about(EntryKind::Notification)];
    batch.entries.extend(more);
    batch.state.push((format!("escalation/{case}"), Some(vec![b'x'; 2_500])));
    let timer = |secs: i64| TimerRow { due: batch.now + model::Duration::from_secs(secs), kind: r#"{"timer":"sign"}"#.to_owned() };
    batch.timers.push((case.clone(), vec![timer(60), timer(300), timer(600)]));
    for person in ["li", "wang"] {
        let bytes = format!(r#"{{"key":{{"recipient":"{person}"}},"filler":"{}"}}"#, "x".repeat(400)).into_bytes();
        batch.outbox.push(OutboxRow { key: format!("{case}|{number}|{person}"), case: case.clone(), bytes, at: batch.now });
    }
    batch
}
