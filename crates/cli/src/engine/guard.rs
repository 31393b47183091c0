//! Keeps one poisonous input from stopping the park.
//!
//! Data never panics the core; should it do so all the same, the process ends (it is started again within seconds) and the
//! broker delivers the same message again. After an unclean end the first inputs are therefore stepped one at a time, each
//! noted in a file before it is evaluated. One that was in hand at two crashes is not evaluated a third time.
//!
//! The note is for the end of a process, which the kernel outlives, so nobody waits for the disk: a sync for each would hold a whole park's
//! readings back for seconds just when everybody wants to know how things stand.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// After an unclean end inputs are noted one by one for this long: by then every gateway has come back and sent again.
const SINGLE_STEPS_FOR: Duration = Duration::from_secs(30);
/// But no more of them than this, so that a backlog is not slowed down for long.
const SINGLE_STEPS_MAX: u32 = 2_000;
/// In hand at this many crashes: quarantined.
const CRASHES_MAX: u32 = 2;
/// Nothing in hand, as long as a note: digest, a blank, one digit, a line's end.
const NOTHING: &[u8; 19] = b"                  \n";

/// Watches over the first inputs after an unclean end.
pub struct Guard {
    path: PathBuf,
    /// Opened with the first note.
    file: Option<File>,
    until: Instant,
    left: u32,
    noted: bool,
    suspect: Option<(u64, u32)>,
}

impl Guard {
    /// Reads what was in hand when the process last ended.
    pub fn open(data: &Path, clean_stop: bool) -> Self {
        let path = data.join("in-hand");
        let suspect = (!clean_stop).then(|| std::fs::read_to_string(&path).ok()).flatten().and_then(|text| {
            let (digest, crashes) = text.trim().split_once(' ')?;
            Some((u64::from_str_radix(digest, 16).ok()?, crashes.parse().ok()?))
        });
        Self {
            path,
            file: None,
            until: Instant::now() + SINGLE_STEPS_FOR,
            left: if clean_stop { 0 } else { SINGLE_STEPS_MAX },
            noted: suspect.is_some(),
            suspect,
        }
    }

    /// Whether inputs are taken one at a time for now.
    pub fn one_at_a_time(&self) -> bool {
        self.left > 0 && Instant::now() < self.until
    }

    /// Notes an input before it is evaluated; true when it must not be.
    pub fn before(&mut self, topic: &[u8], payload: &[u8]) -> bool {
        // A known suspect is looked for as long as the process lives: its gateway may come back late.
        if !self.one_at_a_time() && self.suspect.is_none() {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        let digest = digest(topic, payload);
        let crashes = match self.suspect {
            Some((suspect, crashes)) if suspect == digest => crashes,
            _ => 0,
        };
        if crashes >= CRASHES_MAX {
            return true;
        }
        self.note(digest, crashes + 1);
        false
    }

    /// The input in hand is evaluated: whatever ends the process now (a full disk, an operator) is not its fault.
    pub fn after_evaluation(&mut self) {
        if std::mem::take(&mut self.noted) {
            // Left behind it would accuse an innocent input; the next note overwrites it in any case.
            self.write(NOTHING);
        }
    }

    fn note(&mut self, digest: u64, crashes: u32) {
        self.noted = true;
        self.write(format!("{digest:016x} {crashes}\n").as_bytes());
    }

    fn write(&mut self, note: &[u8]) {
        let open = || {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.path)?;
            file.set_len(NOTHING.len() as u64).map(|()| file)
        };
        let written = match self.file.take().map_or_else(open, Ok) {
            Ok(file) => file.write_all_at(note, 0).map(|()| self.file = Some(file)),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.path.display(), "could not note the input in hand");
            // An older note would accuse an innocent input.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

// SipHash with fixed keys: the same input has the same digest in the next process.
fn digest(topic: &[u8], payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    payload.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_in_hand_at_two_crashes_is_not_evaluated_a_third_time() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let mut guard = Guard::open(dir.path(), false);
            assert!(!guard.before(b"t", b"innocent"));
            assert!(!guard.before(b"t", b"poison"), "evaluated, and the process dies here");
        }
        let mut guard = Guard::open(dir.path(), false);
        assert!(!guard.before(b"t", b"innocent"), "only the suspect is refused");
        let mut guard = Guard { suspect: Some((digest(b"t", b"poison"), 2)), ..guard };
        assert!(guard.before(b"t", b"poison"));
    }

    #[test]
    fn one_that_was_evaluated_is_no_suspect() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let mut guard = Guard::open(dir.path(), false);
            assert!(guard.suspect.is_none());
            assert!(!guard.before(b"t", b"innocent"));
            guard.after_evaluation();
        }
        assert_eq!(std::fs::read(dir.path().join("in-hand")).unwrap(), NOTHING);
    }

    #[test]
    fn after_a_clean_stop_nothing_is_stepped_singly() {
        let dir = tempfile::tempdir().unwrap();
        let mut guard = Guard::open(dir.path(), true);
        assert!(!guard.one_at_a_time());
        assert!(!guard.before(b"t", b"x"));
        assert!(!dir.path().join("in-hand").exists());
    }
}
