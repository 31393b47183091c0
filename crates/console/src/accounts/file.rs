//! The file of accounts: read as a whole, written beside itself and renamed after an fsync, readable by its owner only.

use super::{AccountsError, Stored};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

pub(super) const FILE_NAME: &str = "accounts.json";
pub(super) const LOCK_NAME: &str = "accounts.lock";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    accounts: BTreeMap<String, Stored>,
}

/// By what a changed file is recognised; none while there is no file.
pub(super) type Stamp = Option<(SystemTime, u64)>;

/// A file for its owner's eyes.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn stamp(path: &Path) -> io::Result<Stamp> {
    match fs::metadata(path) {
        Ok(data) => Ok(Some((data.modified()?, data.len()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn read(folder: &Path) -> Result<(BTreeMap<String, Stored>, Stamp), AccountsError> {
    let path = folder.join(FILE_NAME);
    let at = |source| AccountsError::Io { path: path.clone(), source };
    // The stamp is taken first: a change between the two is then seen at the next look.
    let stamp = stamp(&path).map_err(at)?;
    if stamp.is_none() {
        return Ok((BTreeMap::new(), None));
    }
    let bytes = fs::read(&path).map_err(at)?;
    let unreadable = |reason| AccountsError::Unreadable { path: path.clone(), reason };
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if document.format != FORMAT {
        return Err(unreadable(format!("format {} (this version reads {FORMAT})", document.format)));
    }
    Ok((document.accounts, stamp))
}

pub(super) fn write(folder: &Path, accounts: &BTreeMap<String, Stored>) -> Result<Stamp, AccountsError> {
    let path = folder.join(FILE_NAME);
    let fresh = folder.join("accounts.json.new");
    let at = |source| AccountsError::Io { path: path.clone(), source };
    let document = Document { format: FORMAT, accounts: accounts.clone() };
    let bytes = serde_json::to_vec_pretty(&document).map_err(|error| at(io::Error::other(error)))?;
    let mut file = private().write(true).create(true).truncate(true).open(&fresh).map_err(at)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(at)?;
    fs::rename(&fresh, &path).map_err(at)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
    stamp(&path).map_err(at)
}
