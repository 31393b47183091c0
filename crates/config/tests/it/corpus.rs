//! Every file of the fuzzing corpora, every list of `dirt/` and some hundred seeded changes of them, through what their target checks.

#[path = "../../../../fuzz/src/config.rs"]
mod config;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// Where the changes begin; a fault tells the changed text, so nobody needs to find it again by its number.
const SEED: u64 = 0x5eed_2026;
/// Changed files of one target.
const CHANGED: usize = 300;
/// What may stand where it is not expected.
const SCRAPS: [&str; 34] = [
    "\"",
    "\"\"\"",
    "'",
    "\n",
    ",",
    "=",
    "[",
    "]",
    "{",
    "}",
    "#",
    ".",
    "-",
    " ",
    "0",
    "-1",
    "9e999",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "true",
    "\"\"",
    "é",
    "【",
    "＃",
    "\u{0}",
    "\u{feff}",
    "99999d",
    "24:00",
    "9999-12-31",
    "[[step]]\n",
];
/// What may stand where another number did.
const NUMBERS: [&str; 16] =
    ["0", "-0.0", "1", "2", "7", "24", "60", "0.5", "-1", "1e-320", "1e12", "1e308", "9e999", "nan", "-inf", "18446744073709551616"];

/// The files of a folder that end so, in the order of their names.
fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("it can be read")).collect()
}

/// Runs `check` over the files of a folder that end so; there are ten at least, and one of them is read.
fn each(folder: &str, ending: &str, check: impl Fn(&[u8]) -> bool) {
    let files = files(folder, ending);
    let read = files.iter().filter(|bytes| told(bytes, &check)).count();
    assert!(files.len() >= 10 && read >= 1, "{folder}: {} files, {read} read", files.len());
}

/// Whether it was read; what failed is said before it is passed on.
fn told(bytes: &[u8], check: impl Fn(&[u8]) -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(|| check(bytes))).unwrap_or_else(|panic| {
        eprintln!("failed on {:?}", String::from_utf8_lossy(bytes));
        resume_unwind(panic)
    })
}

/// SplitMix64: the same changes on every machine and with every version of a crate.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
    fn stretch(&mut self, length: usize, longest: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        from..(from + self.below(longest + 1)).min(length)
    }
    /// One or two changes: a number, one bit, or a stretch cut, doubled, moved, taken from another file or replaced by a scrap.
    fn change(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(2) {
            let at = self.stretch(bytes.len(), 24);
            if self.below(2) == 0 {
                self.change_number(&mut bytes, at.start);
                continue;
            }
            let new = match self.below(6) {
                0 => Vec::new(),
                1 => bytes[at.clone()].repeat(2),
                2 => bytes[self.stretch(bytes.len(), 40)].to_vec(),
                3 => other[self.stretch(other.len(), 80)].to_vec(),
                4 => SCRAPS[self.below(SCRAPS.len())].as_bytes().to_vec(),
                _ => bytes[at.clone()].iter().map(|byte| byte ^ (1 << self.below(8))).take(1).collect(),
            };
            let kept = if self.below(2) == 0 { at.start..at.start } else { at };
            bytes.splice(kept, new);
        }
        bytes
    }
    /// Another number where the first one after `at` stands.
    fn change_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let Some(begin) = bytes[at..].iter().position(u8::is_ascii_digit).map(|found| at + found) else { return };
        let length = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        bytes.splice(begin..begin + length, NUMBERS[self.below(NUMBERS.len())].bytes());
    }
}

/// Runs `check` over a corpus and over changes of its files, half of them of files that are read: the others mostly stay refused.
fn each_and_changed(corpus: &str, check: impl Fn(&[u8]) -> bool) {
    let folder = format!("../../fuzz/corpus/{corpus}");
    each(&folder, "", &check);
    let files = files(&folder, "");
    let read: Vec<_> = files.iter().filter(|bytes| check(bytes)).collect();
    let mut chance = Chance(SEED);
    for _ in 0..CHANGED / 2 {
        for of in [read[chance.below(read.len())], &files[chance.below(files.len())]] {
            let other = &files[chance.below(files.len())];
            told(&chance.change(of, other), &check);
        }
    }
}

#[test]
fn every_list_of_the_corpus_is_answered() {
    each_and_changed("list", |bytes| config::list("acme.csv", bytes));
    each("tests/it/dirt", ".csv", |bytes| config::list("acme.csv", bytes));
}

#[test]
fn every_workbook_of_the_corpus_is_answered() {
    each("../../fuzz/corpus/workbook", "", |bytes| config::list("acme.xlsx", bytes));
    each("tests/it/dirt", ".xlsx", |bytes| config::list("acme.xlsx", bytes));
}

#[test]
fn every_class_file_of_the_corpus_is_answered() {
    each_and_changed("classes", config::classes);
}

#[test]
fn every_rules_file_of_the_corpus_is_answered() {
    each_and_changed("rules", config::rules);
}

#[test]
fn every_organisation_of_the_corpus_is_answered() {
    each_and_changed("organisation", config::organisation);
}

#[test]
fn every_scenario_of_the_corpus_is_answered() {
    each_and_changed("scenario", config::scenario);
}
