//! The disk is full, or the power goes: file systems of our own, for which these tests must be root.

use super::*;
use std::fs;
use std::process::Command;

/// A mounted file system; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None`, and says so loudly, where this user may not mount.
    fn new(at: &Path, arguments: &[&str]) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => skipped(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }
}

fn skipped<T>(why: &str) -> Option<T> {
    eprintln!("NOT TESTED, this user cannot mount a file system: {why}");
    None
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !std::thread::panicking() {
            assert!(unmounted.unwrap().success(), "{} stays mounted", self.0.display());
        }
    }
}

#[test]
fn a_full_disk_refuses_the_batch_and_takes_it_once_there_is_room() {
    let parent = tempfile::tempdir().unwrap();
    let at = parent.path().join("small");
    let Some(_mounted) = Mounted::new(&at, &["-t", "tmpfs", "-o", "size=2M", "tmpfs"]) else { return };
    let mut store = SqliteStore::open(&at).unwrap();
    store.commit(&numbered(1)).unwrap();
    let filler = at.join("filler");
    fs::write(&filler, vec![0; 1 << 20]).unwrap();
    let large = |number| Batch { soft: vec![(format!("soft-{number}"), vec![7; 100_000])], ..numbered(number) };
    let full = (2..100).find(|number| match store.commit(&large(*number)) {
        Ok(()) => false,
        Err(StoreError::Full) => true,
        Err(other) => panic!("batch {number}: {other:?}"),
    });
    let full = full.expect("2 MiB hold no 100 batches of 100 kB");
    assert!(matches!(store.commit(&large(full)), Err(StoreError::Full)), "still full");
    assert_eq!(store.load().unwrap().last_seq, (full - 1) * 2, "nothing of it stays, and what was there is");
    let reader = SqliteReader::open(&at).unwrap();
    assert_eq!(reader.head().unwrap().seq, (full - 1) * 2, "pages are served meanwhile");
    fs::remove_file(&filler).unwrap();
    store.commit(&large(full)).unwrap();
    assert_eq!(store.load().unwrap().last_seq, full * 2);
    drop((store, reader));
    let mut store = SqliteStore::open(&at).unwrap();
    assert_eq!(store.load().unwrap().last_seq, full * 2);
    assert!(verify(&at, |_, _| {}).unwrap().is_intact());
}

#[test]
fn a_full_disk_stops_no_commit_while_the_log_has_room() {
    let parent = tempfile::tempdir().unwrap();
    let at = parent.path().join("small");
    let Some(_mounted) = Mounted::new(&at, &["-t", "tmpfs", "-o", "size=56M", "tmpfs"]) else { return };
    let mut store = AheadStore::open(&at).unwrap();
    let reader = store.reader().unwrap();
    store.commit(&numbered(1)).unwrap();
    assert_eq!(reader.head().unwrap().seq, 2);
    let filler = at.join("filler");
    // The room for a start like the one below is kept first.
    while !at.join("watchfire.reserve").is_file() || fs::metadata(at.join("watchfire.reserve")).unwrap().len() < 32 << 20 {
        std::thread::sleep(Duration::from_millis(1));
    }
    // As much as there is.
    let _ = fs::write(&filler, vec![0; 56 << 20]);
    // What the database will need for all of them is little.
    let large = |number| Batch { soft: vec![("soft".to_owned(), vec![7; 100_000])], ..numbered(number) };
    let full = (2..1_000).find(|number| match store.commit(&large(*number)) {
        Ok(()) => false,
        Err(StoreError::Full) => true,
        Err(other) => panic!("batch {number}: {other:?}"),
    });
    let full = full.expect("16 MiB hold no 1,000 batches of 100 kB");
    assert!((150..=180).contains(&full), "{full}: all of the log's room was to be had, and no more");
    assert!(store.health().trouble.is_some_and(|why| why.contains("full")) && store.health().behind > 100);
    assert!(reader.head().unwrap().seq < full * 2, "pages are served meanwhile");
    assert!(matches!(store.load(), Err(StoreError::Full)));
    drop((store, reader));
    // The disk is as full as before, and the engine starts.
    let mut store = AheadStore::open(&at).unwrap();
    assert_eq!(store.load().unwrap().last_seq, (full - 1) * 2, "nothing that was answered is gone");
    assert!(!at.join("watchfire.reserve").exists());
    drop(store);
    fs::remove_file(&filler).unwrap();
    let mut store = AheadStore::open(&at).unwrap();
    store.commit(&large(full)).unwrap();
    assert_eq!(store.load().unwrap().last_seq, full * 2);
    assert_eq!(store.health(), Health::default());
    assert!(verify(&at, |_, _| {}).unwrap().is_intact());
}

#[test]
fn a_power_cut_takes_nothing_that_was_committed() {
    cut_the_power(|at| Box::new(SqliteStore::open(at).unwrap()), |_| ());
}

#[test]
fn nor_does_one_before_the_database_has_it() {
    // While somebody else writes, the database gets nothing.
    let hold = |at: &Path| {
        let raw = Connection::open(at.join(connection::DATABASE_FILE)).unwrap();
        raw.execute_batch("BEGIN IMMEDIATE").unwrap();
        raw
    };
    cut_the_power(|at| Box::new(AheadStore::open(at).unwrap()), hold);
}

fn cut_the_power<H>(open: impl Fn(&Path) -> Box<dyn Store>, hold: impl Fn(&Path) -> H) {
    let parent = tempfile::tempdir().unwrap();
    let (disk, copy) = (parent.path().join("disk"), parent.path().join("copy"));
    fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
    match Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk).status() {
        Ok(made) if made.success() => {}
        other => return skipped::<()>(&format!("mkfs.ext4: {other:?}")).unwrap_or(()),
    }
    let at = parent.path().join("on");
    let Some(mounted) = Mounted::new(&at, &["-o", "loop", disk.to_str().unwrap()]) else { return };
    let mut store = open(&at);
    let held = hold(&at);
    for number in 1..=50 {
        store.commit(&numbered(number)).unwrap();
    }
    // What has reached the disk under the file system, without what the kernel still keeps for it.
    fs::copy(&disk, &copy).unwrap();
    drop(held);
    drop(store);
    drop(mounted);
    let after = parent.path().join("after");
    let _mounted = Mounted::new(&after, &["-o", "loop", copy.to_str().unwrap()]).expect("the first one was mounted");
    let mut store = open(&after);
    assert_eq!(store.load().unwrap().last_seq, 100);
    assert!(verify(&after, |_, _| {}).unwrap().is_intact());
}
