//! The file that makes a commit durable with one write and one sync: records one after the other in room that was set aside.
//!
//! A record names its number, the batch before it and itself, so what is read back is what was written, in order and without a
//! gap: a torn record, one of an earlier round or one of another folder ends the reading. When the database has everything, the
//! next record is written over the first. The file never grows and never shrinks, so that no sync has to write where it ends,
//! and a full disk does not take its room away.

use super::super::create_private;
use super::super::wire::{self, Digest};
use crate::{Batch, StoreError};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The log in its folder.
pub(super) const LOG_FILE: &str = "watchfire.ahead";
/// Its room: some 2,000 announced alarms that the database does not have yet.
pub(super) const LOG_BYTES: u64 = 16 << 20;
/// How a record begins, its format's version included.
const MAGIC: [u8; 4] = *b"WFA1";
/// Magic, checksum, length of the batch, number, digest of the batch before, its own.
const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 32 + 32;
/// The checksum is over everything behind it.
const SUMMED_FROM: usize = 8;
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
    Some(Record { number: number(16)?, before: digest(24)?, digest: digest(56)?, batch: wire::get(bytes.get(HEAD_BYTES..)?)? })
}

/// How long the record is that begins so.
fn length_of(head: &[u8; HEAD_BYTES]) -> Option<u64> {
    let length = u64::from_le_bytes(*head.get(SUMMED_FROM..)?.first_chunk()?);
    if head.starts_with(&MAGIC) { length.checked_add(HEAD_BYTES as u64) } else { None }
}

/// The log, open for writing.
pub(super) struct Log {
    file: File,
    at: u64,
}

impl Log {
    /// Opens the log of a folder, making it where it is missing, and gives what stands in it.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Record>), StoreError> {
        let path = dir.join(LOG_FILE);
        let unusable = |error: std::io::Error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Fatal(format!("{}: {error}", path.display())),
        };
        create_private(&path).map_err(unusable)?;
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(unusable)?;
        let records = contents(&file).map_err(unusable)?;
        if file.metadata().map_err(unusable)?.len() < LOG_BYTES {
            set_aside(&file).map_err(unusable)?;
            file.sync_all().and_then(|()| File::open(dir)?.sync_all()).map_err(unusable)?;
        }
        Ok((Self { file, at: 0 }, records))
    }

    /// Whether a record of so many bytes has room behind the others.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.at + bytes as u64 <= LOG_BYTES
    }
    /// Starts anew at the beginning. Only when nothing that stands in the log is needed any more.
    pub fn rewind(&mut self) {
        self.at = 0;
    }
    /// Appends a record; it is on the disk when this returns. After an error nothing may be trusted: the kernel may have thrown
    /// the pages away, and another sync would not say so.
    pub fn append(&mut self, record: &[u8]) -> std::io::Result<()> {
        self.file.write_all_at(record, self.at)?;
        self.file.sync_data()?;
        self.at += record.len() as u64;
        Ok(())
    }
}

/// What stands in the log of a folder; nothing where there is none.
pub(super) fn look(dir: &Path) -> std::io::Result<Vec<Record>> {
    match File::open(dir.join(LOG_FILE)) {
        Ok(file) => contents(&file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// All records from the start that follow each other.
fn contents(file: &File) -> std::io::Result<Vec<Record>> {
    let end = file.metadata()?.len().min(LOG_BYTES);
    let (mut records, mut at) = (Vec::<Record>::new(), 0);
    loop {
        let mut head = [0; HEAD_BYTES];
        if at + HEAD_BYTES as u64 > end {
            return Ok(records);
        }
        file.read_exact_at(&mut head, at)?;
        let Some(length) = length_of(&head).filter(|length| *length <= end - at) else { return Ok(records) };
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, at)?;
        let follows = |record: &Record| records.last().is_none_or(|last| (record.number, record.before) == (last.number + 1, last.digest));
        let Some(record) = read(&bytes).filter(follows) else { return Ok(records) };
        records.push(record);
        at += length;
    }
}

/// Gives the file its room, and leaves what stands in it.
fn set_aside(file: &File) -> std::io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, LOG_BYTES) {
        Ok(()) => Ok(()),
        // Not every file system can.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = vec![0; 1 << 20];
            let mut at = file.metadata()?.len();
            while at < LOG_BYTES {
                let piece = zeros.len().min(usize::try_from(LOG_BYTES - at).unwrap_or(usize::MAX));
                file.write_all_at(&zeros[..piece], at)?;
                at += piece as u64;
            }
            Ok(())
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
    fn numbers(bytes: &[u8]) -> Vec<u64> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        contents(&file).unwrap().into_iter().map(|record| record.number).collect()
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
            assert_eq!(numbers(&torn), [5], "byte {cut}");
        }
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
        let (mut log, found) = Log::open(dir.path()).unwrap();
        assert_eq!((found.len(), size()), (0, LOG_BYTES));
        let records = chained(1..3);
        for record in &records {
            log.append(record).unwrap();
        }
        assert_eq!(size(), LOG_BYTES);
        drop(log);
        assert_eq!(Log::open(dir.path()).unwrap().1.len(), 2);
        assert_eq!(look(dir.path()).unwrap().len(), 2);
        // A crash while it was made.
        OpenOptions::new().write(true).open(dir.path().join(LOG_FILE)).unwrap().set_len(records[0].len() as u64 + 10).unwrap();
        assert_eq!(Log::open(dir.path()).unwrap().1.len(), 1);
        assert_eq!(size(), LOG_BYTES);
    }
}
