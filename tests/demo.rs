//! `watchfire demo` plays its script to the end, on the sample county, through real sockets, a kill -9 included.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::{Command, Stdio};
use support::{Process, free_port, root, transitions, until};

/// Plant time runs this much faster: the script takes a minute and a half.
const FACTOR: &str = "20";

fn demo(data: &std::path::Path, more: &[&str]) -> Process {
    let config = root().join("config");
    let address = || format!("127.0.0.1:{}", free_port());
    let child = Command::new(env!("CARGO_BIN_EXE_watchfire"))
        .args(["--lang", "en", "demo", "--config"])
        .arg(config)
        .arg("--data")
        .arg(data)
        .args(["--http", &address(), "--listen", &address(), "--phones", &address(), "--factor", FACTOR])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Process(child.unwrap())
}

#[test]
fn the_script_plays_to_its_end_and_ctrl_c_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let mut played = demo(dir.path(), &["--once"]);
    let output = std::io::read_to_string(played.0.stdout.take().unwrap()).unwrap();
    let status = played.0.wait().unwrap();
    let error = std::io::read_to_string(played.0.stderr.take().unwrap()).unwrap();
    assert!(status.success(), "{output}\n{error}");
    for line in ["120 tags, one case", "cases it made: 1", "restarted and ready after", "the script is over"] {
        assert!(output.contains(line), "no `{line}` in\n{output}");
    }
    assert_eq!(output.matches("\n  closed ").count(), 4, "four cases are closed\n{output}");
    let reader = journal::SqliteReader::open(dir.path()).unwrap();
    let before = transitions(&reader).len();
    assert!(before > 120, "{before} transitions");
    drop(reader);

    // Again on the same folder: it goes on where it was, and Ctrl-C ends it in good order.
    let mut again = demo(dir.path(), &["--by-hand"]);
    let reader = journal::SqliteReader::open(dir.path()).unwrap();
    until("the second run's first alarm", || (transitions(&reader).len() > before).then_some(()));
    assert!(Command::new("kill").args(["-INT", &again.0.id().to_string()]).status().unwrap().success());
    let status = until("the demo to stop", || again.0.try_wait().unwrap());
    assert!(status.success());
    let report = journal::verify(dir.path(), &journal::Outside { anchors: Vec::new(), now: model::Timestamp::MAX }, |_, _| {}).unwrap();
    assert!(report.first_bad.is_none(), "{report:?}");
}

#[test]
fn an_engine_that_died_is_said_at_once_and_ends_the_demo() {
    use std::io::BufRead as _;
    let dir = tempfile::tempdir().unwrap();
    let mut played = demo(dir.path(), &["--by-hand"]);
    let mut said = std::io::BufReader::new(played.0.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("Ctrl-C stops")), "it starts");
    let demo = played.0.id().to_string();
    let is_engine = |pid: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // pid (name) state parent
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&demo)
    };
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let engine: Vec<String> = processes.filter(is_engine).collect();
    assert_eq!(engine.len(), 1, "the demo has one child");
    let began = std::time::Instant::now();
    assert!(Command::new("kill").args(["-9", &engine[0]]).status().unwrap().success());
    let status = until("the demo to end", || played.0.try_wait().unwrap());
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "at once");
    assert_eq!(status.code(), Some(2));
    let error = std::io::read_to_string(played.0.stderr.take().unwrap()).unwrap();
    assert!(error.contains("the engine ended: signal: 9") && error.contains("engine.log"), "{error}");
}

#[test]
fn a_taken_port_is_said_with_the_option_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_watchfire"))
        .args(["--lang", "en", "demo", "--config"])
        .arg(root().join("config"))
        .arg("--data")
        .arg(dir.path())
        .args(["--http", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&address) && text.contains("--http"), "{text}");
}
