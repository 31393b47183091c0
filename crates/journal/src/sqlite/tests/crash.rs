//! The process is killed, the power is cut: what was committed is there, once.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Set in the child: the folder it works on.
const CHILD: &str = "WATCHFIRE_JOURNAL_CHILD";

/// Commits numbered batches for ever and says each number once it is committed.
fn commit_for_ever(mut store: impl Store) -> ! {
    let last: u64 = store.load().unwrap().hard.first().map_or(0, |(_, bytes)| String::from_utf8_lossy(bytes).parse().unwrap());
    if last > 0 {
        // The outcome of this one may have been unknown to the killed one.
        store.commit(&numbered(last)).unwrap();
    }
    for number in last + 1.. {
        store.commit(&numbered(number)).unwrap();
        println!("committed {number}");
    }
    unreachable!("there is always a next number")
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_doubles_nothing() {
    if let Some(dir) = std::env::var_os(CHILD) {
        commit_for_ever(SqliteStore::open(Path::new(&dir)).unwrap());
    }
    kill_again_and_again("a_kill_at_any_moment_loses_nothing_and_doubles_nothing");
}

#[test]
fn nor_does_one_behind_the_log() {
    if let Some(dir) = std::env::var_os(CHILD) {
        commit_for_ever(AheadStore::open(Path::new(&dir)).unwrap());
    }
    kill_again_and_again("nor_does_one_behind_the_log");
}

fn kill_again_and_again(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..10_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("sqlite::tests::crash::{test}"), "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        for line in lines {
            // The last line may be a half one.
            let Some(number) = line.unwrap().strip_prefix("committed ").and_then(|number| number.parse::<u64>().ok()) else { continue };
            acknowledged = acknowledged.max(number);
            heard += 1;
            // The child runs on meanwhile, so this is somewhere in the middle of a later commit; what it still said is read on.
            if heard == 7 + (round * 31) % 90 {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(heard > 0, "round {round}: the child committed nothing");
        let rows = check(dir.path(), acknowledged);
        assert!(rows.is_some(), "round {round}");
    }
}

/// Every batch up to `acknowledged` is there once, at most one more is, and state and journal agree.
fn check(dir: &Path, acknowledged: u64) -> Option<u64> {
    // Takes up what the log has, if there is one.
    let mut store = AheadStore::open(dir).unwrap();
    let snapshot = store.load().unwrap();
    assert!(!snapshot.clean_stop);
    let last: u64 = String::from_utf8_lossy(&snapshot.hard.first()?.1).parse().unwrap();
    assert!((acknowledged..=acknowledged + 1).contains(&last), "{acknowledged} acknowledged, {last} found");
    assert_eq!(snapshot.last_seq, last * 2);
    assert_eq!(snapshot.last_now, Some(Timestamp::from_secs(signed(last))));
    let reader = SqliteReader::open(dir).unwrap();
    let rows = reader.entries(&[], 0, usize::MAX).unwrap().rows;
    for (row, number) in rows.iter().zip((1..=last).flat_map(|number| [number, number])) {
        assert_eq!(row.bytes, format!(r#"{{"number":{number}}}"#).into_bytes());
    }
    let report = verify(dir, |_, _| {}).unwrap();
    assert!(report.is_intact() && report.rows == last * 2, "{report:?}");
    Some(last)
}
