//! Files and folders that only this user may read: they hold logins, phone numbers and what happened in a plant.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes a folder, and those above it, for this user alone; one that is there already is left as it is.
pub fn make_private(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Writes a file for this user alone.
pub fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file)?.write_all(bytes)
}
