//! Configurations that are or were in force, kept as files by their content hash, so that a way back needs nothing of the old folder.

use crate::folder::make_private;
use config::Files;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of kept configurations in the data folder.
#[derive(Clone, Debug)]
pub struct Kept {
    dir: PathBuf,
}

impl Kept {
    /// In a data folder.
    pub fn of(data: &Path) -> Self {
        Self { dir: data.join("configurations") }
    }

    /// In another folder of it, for a while.
    pub(super) fn beside(data: &Path, name: &str) -> Self {
        Self { dir: data.join(name) }
    }

    /// Where a version is kept.
    pub(super) fn folder(&self, version: &str) -> PathBuf {
        self.dir.join(version)
    }

    /// Keeps files under their content hash. They are on disk when this returns: nothing comes into force that a restart could not read.
    pub fn keep(&self, files: &Files) -> io::Result<String> {
        let version = files.digest();
        let place = self.dir.join(&version);
        if place.is_dir() {
            return Ok(version);
        }
        // Written beside and renamed: a folder that is there is whole.
        let fresh = self.dir.join(format!(".{version}.new"));
        if fresh.exists() {
            std::fs::remove_dir_all(&fresh)?;
        }
        make_private(&fresh)?;
        for (path, bytes) in files.iter() {
            let file = fresh.join(path);
            if let Some(folder) = file.parent() {
                make_private(folder)?;
            }
            crate::folder::write_private(&file, bytes)?;
            std::fs::File::open(&file)?.sync_all()?;
        }
        std::fs::rename(&fresh, &place)?;
        std::fs::File::open(&self.dir)?.sync_all()?;
        Ok(version)
    }

    /// The files of a version, if it is kept. Their names in faults are those of the kept folder.
    pub fn files(&self, version: &str) -> Option<Files> {
        let plain = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let place = self.dir.join(version);
        (plain && place.is_dir()).then(|| Files::read(&place))
    }

    /// Forgets all but these.
    pub fn prune(&self, versions: &[&str]) {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !versions.iter().any(|version| name.to_str() == Some(version))
                && let Err(error) = std::fs::remove_dir_all(entry.path())
            {
                tracing::warn!(%error, folder = %entry.path().display(), "an old configuration cannot be removed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_by_its_content_and_nothing_else_is() {
        let data = tempfile::tempdir().expect("a folder");
        let kept = Kept::of(data.path());
        let files = Files::from_memory([("people.toml", "# one"), ("enterprises/hx.csv", "a,b")]);
        let version = kept.keep(&files).expect("a disk");
        assert_eq!(kept.keep(&files).expect("a disk"), version);
        assert_eq!(kept.files(&version).expect("kept").digest(), version);
        assert!(kept.files("../accounts").is_none() && kept.files("").is_none() && kept.files("00ff").is_none());
        let other = kept.keep(&Files::from_memory([("people.toml", "# two")])).expect("a disk");
        kept.prune(&[other.as_str()]);
        assert!(kept.files(&version).is_none() && kept.files(&other).is_some());
    }
}
