//! Every file of the fuzzing corpora through what its target checks.

mod common;
#[path = "../../../fuzz/src/payload.rs"]
mod payload;
#[path = "../../../fuzz/src/topic.rs"]
mod topic;

use model::{Plant, Timestamp};
use std::path::Path;

fn each(corpus: &str, check: fn(&Plant, Timestamp, &[u8])) {
    let plant = common::plant();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(corpus);
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} is nearly empty", folder.display());
    for file in files {
        eprintln!("{}", file.display());
        check(&plant, common::RECEIVED, &std::fs::read(&file).expect("a file"));
    }
}

#[test]
fn payloads() {
    each("payload", payload::check);
}

#[test]
fn topics() {
    each("topic", topic::check);
}
