//! The file that makes a commit durable with one write and one sync: records one after the other in room that was set aside.
//!
//! A record names its number, the batch before it and itself, so what is read back is what was written, in order and without a
//! gap: a torn record, one of an earlier round or one of another folder ends the reading. When the database has everything, the
//! next record is written over the first. The file never grows and never shrinks, so that no sync has to write where it ends,
//! and a full disk does not take its room away (unless its file system copies what is written over, as Btrfs and ZFS do).

use super::super::create_private;
use super::super::wire::{self, Digest};
use crate::{Batch, StoreError};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// The log in its folder.
pub(super) const LOG_FILE: &str = "watchfire.ahead";
/// Its room: some 2,000 announced alarms that the database does not have yet.
pub(super) const LOG_BYTES: u64 = 16 << 20;
/// How a record begins: a name, and the version of the format.
const MAGIC: [u8; 4] = *b"WFA1";
/// The name alone.
const NAME: [u8; 3] = *b"WFA";
/// Magic, checksum, length of the batch, number, digest of the batch before, its own.
const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 32 + 32;
/// The checksum is over everything behind it.
const SUMMED_FROM: usize = 8;
/// What a file's blocks are counted in.
const BLOCK_BYTES: u64 = 512;
/// What most records have room in.
const RECORD_BYTES: usize = 16 << 10;

/// A commit of the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    /// Counted over all commits of the store.
    pub number: u64,
    /// Of the batch before it.
    pub before: Digest,
    pub digest: Digest,
    pub batch: Batch,
}

/// Writes a record, and gives the batch's digest.
pub(super) fn record(number: u64, before: Digest, batch: &Batch) -> (Vec<u8>, Digest) {
    let mut out = Vec::with_capacity(RECORD_BYTES);
    out.resize(HEAD_BYTES, 0);
    wire::put(batch, &mut out);
    let digest = wire::digest(&out[HEAD_BYTES..]);
    let length = (out.len() - HEAD_BYTES) as u64;
    out[..4].copy_from_slice(&MAGIC);
    out[8..16].copy_from_slice(&length.to_le_bytes());
    out[16..24].copy_from_slice(&number.to_le_bytes());
    out[24..56].copy_from_slice(&before);
    out[56..88].copy_from_slice(&digest);
    let sum = crc32fast::hash(&out[SUMMED_FROM..]);
    out[4..8].copy_from_slice(&sum.to_le_bytes());
    (out, digest)
}

/// Reads a record, given the whole of it and nothing else.
pub(super) fn read(bytes: &[u8]) -> Option<Record> {
    let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let digest = |at: usize| bytes.get(at..)?.first_chunk().copied();
    let sum = u32::from_le_bytes(*bytes.get(MAGIC.len()..)?.first_chunk()?);
    if crc32fast::hash(bytes.get(SUMMED_FROM..)?) != sum {
        return None;
    }
    let body = bytes.get(HEAD_BYTES..)?;
    let record = Record { number: number(16)?, before: digest(24)?, digest: digest(56)?, batch: wire::get(body)? };
    (wire::digest(body) == record.digest).then_some(record)
}

/// How long the record is that begins so.
fn length_of(head: &[u8; HEAD_BYTES]) -> Option<u64> {
    let length = u64::from_le_bytes(*head.get(SUMMED_FROM..)?.first_chunk()?);
    if head.starts_with(&MAGIC) { length.checked_add(HEAD_BYTES as u64) } else { None }
}

/// What stands in a log.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// From the start, each following the one before.
    pub records: Vec<Record>,
    /// Where the last of them ends.
    pub end: u64,
    /// A later one is whole where one before it is not: that is no torn end.
    pub damaged: bool,
}

/// The log, open for writing.
pub(super) struct Log {
    file: File,
    at: u64,
}

impl Log {
    /// Opens the log of a folder, making it where it is missing. What stands before `at` is not written over until [`Log::rewind`].
    pub fn open(dir: &Path, at: u64) -> Result<Self, StoreError> {
        let path = dir.join(LOG_FILE);
        let unusable = |error: std::io::Error| failed(&path, &error);
        create_private(&path).map_err(unusable)?;
        let file = OpenOptions::new().write(true).open(&path).map_err(unusable)?;
        if set_aside(&file, LOG_BYTES).map_err(unusable)? {
            file.sync_all().and_then(|()| File::open(dir)?.sync_all()).map_err(unusable)?;
        }
        Ok(Self { file, at })
    }

    /// Whether a record of so many bytes has room behind the others.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.at + bytes as u64 <= LOG_BYTES
    }
    /// Starts anew at the beginning. Only when nothing that stands in the log is needed any more.
    pub fn rewind(&mut self) {
        self.at = 0;
    }
    /// Appends a record; it is on the disk when this returns. After [`StoreError::Full`] the same may be tried again; after another
    /// error nothing may be trusted: the kernel may have thrown the pages away, and another sync would not say so.
    pub fn append(&mut self, record: &[u8]) -> Result<(), StoreError> {
        self.file.write_all_at(record, self.at).map_err(|error| failed(Path::new(LOG_FILE), &error))?;
        self.file.sync_data().map_err(|error| StoreError::Fatal(format!("{LOG_FILE}: {error}")))?;
        self.at += record.len() as u64;
        Ok(())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Fatal(format!("{}: {error}", path.display())),
    }
}

/// What stands in the log of a folder; nothing where there is none.
pub(super) fn look(dir: &Path) -> Result<Found, StoreError> {
    let path = dir.join(LOG_FILE);
    match File::open(&path) {
        Ok(file) => contents(&file, &path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::default()),
        Err(error) => Err(failed(&path, &error)),
    }
}

fn contents(file: &File, path: &Path) -> Result<Found, StoreError> {
    let piece = |at: u64| piece(file, at).map_err(|error| failed(path, &error));
    let mut found = Found::default();
    loop {
        let follows =
            |record: &Record| found.records.last().is_none_or(|last| (record.number, record.before) == (last.number + 1, last.digest));
        match piece(found.end)? {
            Piece::Record(record, next) if follows(&record) => {
                found.records.push(*record);
                found.end = next;
            }
            Piece::Broken(next) => {
                let wanted = found.records.last().map_or(0, |last| last.number + 2);
                found.damaged = matches!(piece(next)?, Piece::Record(record, _) if record.number == wanted);
                return Ok(found);
            }
            Piece::OfAnotherVersion => {
                return Err(StoreError::Version("the log of commits was written by another version of this program".to_owned()));
            }
            Piece::Record(..) | Piece::None => return Ok(found),
        }
    }
}

/// What stands at one place of a log.
enum Piece {
    /// A whole record, and where the next one would be.
    Record(Box<Record>, u64),
    /// Something that begins as one.
    Broken(u64),
    OfAnotherVersion,
    None,
}

fn piece(file: &File, at: u64) -> std::io::Result<Piece> {
    let end = file.metadata()?.len().min(LOG_BYTES);
    let mut head = [0; HEAD_BYTES];
    if at + HEAD_BYTES as u64 > end {
        return Ok(Piece::None);
    }
    file.read_exact_at(&mut head, at)?;
    if at == 0 && head.starts_with(&NAME) && !head.starts_with(&MAGIC) {
        return Ok(Piece::OfAnotherVersion);
    }
    let Some(length) = length_of(&head).filter(|length| *length <= end - at) else { return Ok(Piece::None) };
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, at)?;
    Ok(read(&bytes).map_or(Piece::Broken(at + length), |record| Piece::Record(Box::new(record), at + length)))
}

/// Gives the file its room where it does not have it, and leaves what stands in it; says whether it had to. Its length tells nothing:
/// a copied file may have holes.
pub(super) fn set_aside(file: &File, room: u64) -> std::io::Result<bool> {
    let metadata = file.metadata()?;
    if metadata.len() >= room && metadata.blocks() * BLOCK_BYTES >= room {
        return Ok(false);
    }
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, room) {
        Ok(()) => Ok(true),
        // Not every file system can.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = vec![0; 1 << 20];
            let mut at = metadata.len();
            while at < room {
                let piece = zeros.len().min(usize::try_from(room - at).unwrap_or(usize::MAX));
                file.write_all_at(&zeros[..piece], at)?;
                at += piece as u64;
            }
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::full;

    /// Records of these numbers, each behind the one before it.
    fn chained(numbers: impl IntoIterator<Item = u64>) -> Vec<Vec<u8>> {
        let of = |number: u64| full(number.cast_signed());
        numbers.into_iter().map(|number| record(number, record(0, Digest::default(), &of(number - 1)).1, &of(number)).0).collect()
    }
    fn found(bytes: &[u8]) -> Found {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        contents(&file, Path::new(LOG_FILE)).unwrap()
    }
    fn numbers(bytes: &[u8]) -> Vec<u64> {
        found(bytes).records.into_iter().map(|record| record.number).collect()
    }

    #[test]
    fn records_are_read_back_in_order() {
        let records = chained(5..9);
        assert_eq!(numbers(&records.concat()), [5, 6, 7, 8]);
        assert_eq!(read(&records[0]).unwrap().batch, full(5));
    }

    #[test]
    fn a_torn_record_ends_the_reading_wherever_it_is_torn() {
        let records = chained(5..7);
        let whole = records.concat();
        for cut in (records[0].len()..whole.len()).step_by(3) {
            assert_eq!(numbers(&whole[..cut]), [5]);
            let mut torn = whole.clone();
            torn[cut] ^= 0x10;
            assert_eq!((numbers(&torn), found(&torn).damaged), (vec![5], false), "byte {cut}");
        }
    }

    #[test]
    fn a_whole_record_behind_a_broken_one_is_no_torn_end() {
        let records = chained(5..8);
        let mut bytes = records.concat();
        bytes[records[0].len() + HEAD_BYTES + 3] ^= 1;
        assert_eq!((numbers(&bytes), found(&bytes).damaged), (vec![5], true));
        let mut other = records.concat();
        other[3] = b'2';
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&other, 0).unwrap();
        assert!(matches!(contents(&file, Path::new(LOG_FILE)), Err(StoreError::Version(_))));
    }

    #[test]
    fn what_an_earlier_round_left_behind_is_not_read() {
        // The next round's first record lies over the first of the one before, of which the second is whole.
        let (old, new) = (chained(5..8), chained(8..9));
        assert_eq!(old[0].len(), new[0].len());
        let mut file = old.concat();
        file[..new[0].len()].copy_from_slice(&new[0]);
        assert_eq!(numbers(&file), [8]);
        // Nor one of the right number that follows another batch.
        let stranger = record(9, [99; 32], &full(9)).0;
        assert_eq!(numbers(&[new[0].clone(), stranger].concat()), [8]);
    }

    #[test]
    fn the_file_has_its_room_from_the_start_and_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let size = || std::fs::metadata(dir.path().join(LOG_FILE)).unwrap().len();
        let mut log = Log::open(dir.path(), 0).unwrap();
        assert_eq!((look(dir.path()).unwrap().records.len(), size()), (0, LOG_BYTES));
        let records = chained(1..3);
        for record in &records {
            log.append(record).unwrap();
        }
        assert_eq!(size(), LOG_BYTES);
        drop(log);
        let found = look(dir.path()).unwrap();
        assert_eq!((found.records.len(), found.end), (2, records.concat().len() as u64));
        // A crash while it was made.
        OpenOptions::new().write(true).open(dir.path().join(LOG_FILE)).unwrap().set_len(records[0].len() as u64 + 10).unwrap();
        drop(Log::open(dir.path(), 0).unwrap());
        assert_eq!(look(dir.path()).unwrap().records.len(), 1);
        assert_eq!(size(), LOG_BYTES);
    }
}
