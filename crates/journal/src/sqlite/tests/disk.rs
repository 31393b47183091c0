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
        Ok(_) => false,
        Err(StoreError::Full) => true,
        Err(other) => panic!("batch {number}: {other:?}"),
    });
    let full = full.expect("2 MiB hold no 100 batches of 100 kB");
    assert!(matches!(store.commit(&large(full)), Err(StoreError::Full)), "still full");
    assert_eq!(store.load().unwrap().last_seq, (full - 1) * 2, "nothing of it stays, and what was there is");
    let reader = SqliteReader::open(&at).unwrap();
    assert_eq!(reader.head().unwrap().seq, (full - 1) * 2, "pages are served meanwhile");
    fs::remove_file(&filler).unwrap();
    assert_eq!(store.commit(&large(full)).unwrap().last_seq, full * 2);
    drop((store, reader));
    let mut store = SqliteStore::open(&at).unwrap();
    assert_eq!(store.load().unwrap().last_seq, full * 2);
    assert!(verify(&at, |_, _| {}).unwrap().is_intact());
}

#[test]
fn a_power_cut_takes_nothing_that_was_committed() {
    let parent = tempfile::tempdir().unwrap();
    let (disk, copy) = (parent.path().join("disk"), parent.path().join("copy"));
    fs::File::create(&disk).unwrap().set_len(32 << 20).unwrap();
    match Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk).status() {
        Ok(made) if made.success() => {}
        other => return skipped::<()>(&format!("mkfs.ext4: {other:?}")).unwrap_or(()),
    }
    let at = parent.path().join("on");
    let Some(mounted) = Mounted::new(&at, &["-o", "loop", disk.to_str().unwrap()]) else { return };
    let mut store = SqliteStore::open(&at).unwrap();
    for number in 1..=50 {
        store.commit(&numbered(number)).unwrap();
    }
    // What has reached the disk under the file system, without what the kernel still keeps for it.
    fs::copy(&disk, &copy).unwrap();
    drop(store);
    drop(mounted);
    let after = parent.path().join("after");
    let _mounted = Mounted::new(&after, &["-o", "loop", copy.to_str().unwrap()]).expect("the first one was mounted");
    let mut store = SqliteStore::open(&after).unwrap();
    assert_eq!(store.load().unwrap().last_seq, 100);
    assert!(verify(&after, |_, _| {}).unwrap().is_intact());
}
