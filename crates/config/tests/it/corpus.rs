//! Every file of the fuzzing corpora, and every list of `dirt/`, through what its target checks.

#[path = "../../../../fuzz/src/config.rs"]
mod config;

use std::path::Path;

/// Runs `check` over the files of a folder that end so, and says how many there were.
fn each(folder: &str, ending: &str, check: impl Fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("it can be listed").path();
        if path.to_string_lossy().ends_with(ending) {
            check(&std::fs::read(&path).expect("it can be read"));
            count += 1;
        }
    }
    count
}

#[test]
fn every_list_of_the_corpus_is_answered() {
    assert!(each("../../fuzz/corpus/list", "", |bytes| config::list("acme.csv", bytes)) >= 10);
    assert!(each("tests/it/dirt", ".csv", |bytes| config::list("acme.csv", bytes)) >= 10);
}

#[test]
fn every_workbook_of_the_corpus_is_answered() {
    assert!(each("../../fuzz/corpus/workbook", "", |bytes| config::list("acme.xlsx", bytes)) >= 10);
    assert!(each("tests/it/dirt", ".xlsx", |bytes| config::list("acme.xlsx", bytes)) >= 10);
}

#[test]
fn every_class_file_of_the_corpus_is_answered() {
    assert!(each("../../fuzz/corpus/classes", "", config::classes) >= 10);
}
