//! What only the SQLite store promises: the lock, the settings, tampering found, power and disk failing.

use super::*;
use crate::Reader;
use crate::contract::{self, Place};

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(self.0.path()).unwrap())
    }
    fn reader(&self) -> Box<dyn Reader> {
        Box::new(SqliteReader::open(self.0.path()).unwrap())
    }
}

#[test]
fn sqlite_keeps_the_contract() {
    contract::run(&mut || Box::new(Folder(tempfile::tempdir().unwrap())));
}
