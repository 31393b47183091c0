//! One durable commit of what an alarm writes, beside a bare append and fdatasync of as many bytes on the same disk in the same run.
//!
//! The two alternate, commit by commit with a pause, so that a busy disk is busy for both. `WATCHFIRE_BENCH_DIR` names another disk.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use journal::{AheadStore, Batch, Entry, EntryKind, OutboxRow, Store, TimerRow};
use model::{Duration, Timestamp};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;
use support::{Table, at, quick_or};

/// About what such a commit holds.
const BARE_BYTES: usize = 4_096;
/// Between two commits, as between two alarms of a busy plant.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(1);

fn main() {
    let dir = tempfile::tempdir_in(support::process::disk()).unwrap();
    let mut table =
        Table::new(&["commit of", "p50 ratio", "p99 ratio", "p50 µs", "p99 µs", "max µs", "bare p50", "bare p99", "bare max", "n"]);
    run(dir.path(), "one transition and its state", transition, &mut table);
    run(dir.path(), "an announced alarm: case, timers, two messages", announced, &mut table);
    table.print("Durable commit, beside a bare append and fdatasync");
}

fn run(dir: &Path, what: &str, batch: impl Fn(i64) -> Batch, table: &mut Table) {
    let place = dir.join(what.len().to_string());
    std::fs::create_dir_all(&place).unwrap();
    let mut store = AheadStore::open(&place).unwrap();
    // Allocated beforehand, as the log of commits is.
    let mut file: File = OpenOptions::new().create(true).truncate(true).write(true).open(place.join("bare")).unwrap();
    let block = vec![7_u8; BARE_BYTES];
    let count = quick_or(200, 3_000);
    for _ in 0..count {
        file.write_all(&block).unwrap();
    }
    file.sync_all().unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let (mut commits, mut bare) = (Vec::new(), Vec::new());
    for number in 0..count {
        let batch = batch(number);
        let began = Instant::now();
        store.commit(&batch).unwrap();
        commits.push(began.elapsed());
        std::thread::sleep(PAUSE);
        let began = Instant::now();
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
        bare.push(began.elapsed());
        std::thread::sleep(PAUSE);
    }
    commits.sort();
    bare.sort();
    let ratio = |part| format!("{:.2}", at(&commits, part).as_secs_f64() / at(&bare, part).as_secs_f64());
    let mut row = vec![what.to_owned(), ratio(0.5), ratio(0.99)];
    for times in [&commits, &bare] {
        row.extend([0.5, 0.99, 1.0].map(|part| at(times, part).as_micros().to_string()));
    }
    row.push(count.to_string());
    table.row(&row);
}

fn transition(number: i64) -> Batch {
    let at = Timestamp::from_millis(1_764_000_000_000 + number);
    let tag = format!("ent-{:02}/TI-{:03}", number % 30, number % 671);
    let key = Some(format!("transition:high-high@{tag}!{}/0", at.0));
    let entry = Entry { kind: EntryKind::Transition, format: 1, key, subject: None, at, bytes: vec![b'x'; 450] };
    Batch { now: at, entries: vec![entry], state: vec![(format!("rules/{tag}"), Some(vec![b'x'; 300]))], ..Batch::default() }
}

fn announced(number: i64) -> Batch {
    let mut batch = transition(number);
    let case = format!("case-{}", number % 500);
    let about = |kind| Entry { kind, key: None, subject: Some(case.clone()), format: 1, at: batch.now, bytes: vec![b'x'; 350] };
    batch.entries.extend([EntryKind::Announcement, EntryKind::Case, EntryKind::Case, EntryKind::Notification].map(about));
    batch.state.push((format!("escalation/{case}"), Some(vec![b'x'; 2_500])));
    let timer = |secs| TimerRow { due: batch.now + Duration::from_secs(secs), kind: r#"{"timer":"sign"}"#.to_owned() };
    batch.timers.push((case.clone(), [60, 300, 600].map(timer).to_vec()));
    for person in ["li", "wang"] {
        let bytes = format!(r#"{{"key":{{"recipient":"{person}"}},"filler":"{}"}}"#, "x".repeat(400)).into_bytes();
        batch.outbox.push(OutboxRow { key: format!("{case}|{number}|{person}"), case: case.clone(), bytes, at: batch.now });
    }
    batch
}
