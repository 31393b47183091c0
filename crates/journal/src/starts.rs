//! The state that each start took up, kept so that `replay` can live on behind a crash.
//!
//! A crash loses up to a second of readings, and nobody can live through that again. What the engine took up after it is known whole: the
//! rows that the store gave it. They are put away here, one compressed file per start, while the engine already runs. They are no part of
//! any promise: one that could not be written is missing, one that is damaged is found to be so by its checksum, and either costs nothing
//! but what `replay` can compare. A file that is there is whole, since it is written beside its place and then renamed.
//!
//! A file holds the state rows and the place in the journal that they stand on, nothing else.

use crate::sqlite::{create_private, wire};
use crate::{Batch, ChainHash, Snapshot};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use model::Timestamp;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The files' folder in the data folder.
const FOLDER: &str = "starts";
/// What is written and not yet in its place.
const FRESH: &str = "fresh";
/// The format, as the first byte says.
const FORMAT: u8 = 1;
/// Rows that are written in one piece.
const PIECE_ROWS: usize = 512;
/// Starts that are kept. Of more, the one goes that was followed by the next the soonest, so that an engine that is started again and
/// again does not push out what can be lived again for days.
const KEPT_MAX: usize = 32;

/// What a start took up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartState {
    /// The newest row of the journal then.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
    /// The newest `now` that had been committed.
    pub at: Timestamp,
    /// Hard state rows, by key.
    pub hard: Vec<(String, Vec<u8>)>,
    /// Soft state rows, by key.
    pub soft: Vec<(String, Vec<u8>)>,
}

/// A start whose state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStart {
    /// The newest row of the journal then.
    pub seq: u64,
    /// The newest `now` that had been committed.
    pub at: Timestamp,
    file: PathBuf,
}

impl KeptStart {
    fn of(file: PathBuf) -> Option<Self> {
        let (seq, at) = file.file_name()?.to_str()?.strip_suffix(".gz")?.split_once('_')?;
        Some(Self { seq: seq.parse().ok()?, at: Timestamp(at.parse().ok()?), file })
    }

    /// Reads the state; an error of [`ErrorKind::InvalidData`] where the file is damaged.
    pub fn read(&self) -> Result<StartState> {
        let damaged = || Error::new(ErrorKind::InvalidData, "the file is damaged");
        let mut bytes = Vec::new();
        let read = GzDecoder::new(File::open(&self.file)?).read_to_end(&mut bytes);
        // What the decoder says of bytes that are none of its own is of no use to anybody.
        read.map_err(|error| if error.raw_os_error().is_some() { error } else { damaged() })?;
        let state = get(&bytes).filter(|state| (state.seq, state.at) == (self.seq, self.at));
        state.ok_or_else(damaged)
    }
}

/// Starts whose state is kept in a data folder, oldest first.
pub fn kept_starts(dir: &Path) -> Result<Vec<KeptStart>> {
    let entries = match fs::read_dir(dir.join(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut kept: Vec<_> = entries.filter_map(|entry| KeptStart::of(entry.ok()?.path())).collect();
    kept.sort_by_key(|start| (start.seq, start.at));
    Ok(kept)
}

/// Keeps what a start took up, and forgets the starts of before `oldest` and those beyond [`KEPT_MAX`].
pub fn keep_start(dir: &Path, snapshot: Snapshot, oldest: Timestamp) -> Result<()> {
    forget(dir, oldest)?;
    // A first start has taken up nothing.
    let Some(at) = snapshot.last_now.filter(|_| snapshot.last_seq > 0) else { return Ok(()) };
    let Snapshot { last_seq: seq, chain_head: hash, hard, soft, .. } = snapshot;
    put(dir, StartState { seq, hash, at, hard, soft }).inspect_err(|_| {
        // On a full disk half a file takes the room of what matters more.
        let _ = fs::remove_file(dir.join(FOLDER).join(FRESH));
    })?;
    forget(dir, oldest)
}

fn forget(dir: &Path, oldest: Timestamp) -> Result<()> {
    let (old, mut kept): (Vec<_>, Vec<_>) = kept_starts(dir)?.into_iter().partition(|start| start.at < oldest);
    let surplus = std::iter::from_fn(|| (kept.len() > KEPT_MAX).then(|| kept.remove(shortest(&kept)))).collect::<Vec<_>>();
    old.iter().chain(&surplus).try_for_each(|start| fs::remove_file(&start.file))
}

/// Which of the starts was followed by the next the soonest.
fn shortest(kept: &[KeptStart]) -> usize {
    let lives = kept.windows(2).map(|pair| pair[1].at.since(pair[0].at));
    lives.enumerate().min_by_key(|(_, life)| *life).map_or(0, |(at, _)| at)
}

fn put(dir: &Path, state: StartState) -> Result<()> {
    let folder = dir.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let (fresh, place) = (folder.join(FRESH), folder.join(format!("{:020}_{}.gz", state.seq, state.at.0)));
    if place.exists() {
        // Taken up before, by an engine that committed nothing.
        return Ok(());
    }
    create_private(&fresh)?;
    let file = OpenOptions::new().write(true).truncate(true).open(&fresh)?;
    let mut gzip = GzEncoder::new(file, Compression::fast());
    gzip.write_all(&[FORMAT])?;
    gzip.write_all(&state.seq.to_le_bytes())?;
    gzip.write_all(&state.at.0.to_le_bytes())?;
    gzip.write_all(&state.hash.0)?;
    // A piece at a time: the rows of a large plant are not held twice, and each is let go once it is written.
    let mut bytes = Vec::new();
    let mut piece = |batch: &Batch| {
        bytes.clear();
        wire::put(batch, &mut bytes);
        gzip.write_all(&(bytes.len() as u64).to_le_bytes())?;
        gzip.write_all(&bytes)
    };
    let (mut hard, mut soft) = (state.hard.into_iter(), state.soft.into_iter());
    while !hard.as_slice().is_empty() {
        let rows = hard.by_ref().take(PIECE_ROWS).map(|(key, bytes)| (key, Some(bytes)));
        piece(&Batch { state: rows.collect(), ..Batch::default() })?;
    }
    while !soft.as_slice().is_empty() {
        piece(&Batch { soft: soft.by_ref().take(PIECE_ROWS).collect(), ..Batch::default() })?;
    }
    gzip.finish()?.sync_all()?;
    fs::rename(&fresh, &place)?;
    File::open(&folder)?.sync_all()
}

fn get(bytes: &[u8]) -> Option<StartState> {
    let (format, rest) = bytes.split_first()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    let (hash, mut rest) = rest.split_first_chunk()?;
    let (seq, at, hash) = (u64::from_le_bytes(*seq), Timestamp(i64::from_le_bytes(*at)), ChainHash(*hash));
    let mut state = StartState { seq, hash, at, hard: Vec::new(), soft: Vec::new() };
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk()?;
        let (piece, behind) = behind.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let batch = wire::get(piece)?;
        state.hard.extend(batch.state.into_iter().filter_map(|(key, bytes)| Some((key, bytes?))));
        state.soft.extend(batch.soft);
        rest = behind;
    }
    (*format == FORMAT).then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(seq: u64, at: i64) -> Snapshot {
        let row = |text: &str| (format!("{text}/{seq}"), text.repeat(2).into_bytes());
        Snapshot {
            last_now: Some(Timestamp::from_secs(at)),
            hard: vec![row("hard"), row("harder")],
            soft: vec![row("soft")],
            timers: Vec::new(),
            outbox_open: Vec::new(),
            clean_stop: false,
            last_seq: seq,
            chain_head: ChainHash([7; 32]),
        }
    }
    fn seqs(dir: &Path) -> Vec<u64> {
        kept_starts(dir).unwrap().iter().map(|start| start.seq).collect()
    }

    #[test]
    fn a_start_is_read_back_as_it_was_and_by_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        assert!(kept_starts(dir.path()).unwrap().is_empty());
        let hard = (0..2 * PIECE_ROWS + 3).map(|number| (format!("hard/{number}"), number.to_string().into_bytes())).collect();
        let wanted = Snapshot { hard, ..snapshot(40, 9) };
        for _ in 0..2 {
            keep_start(dir.path(), wanted.clone(), Timestamp::MIN).unwrap();
        }
        keep_start(dir.path(), Snapshot { last_seq: 0, ..snapshot(0, 0) }, Timestamp::MIN).unwrap();
        let kept = kept_starts(dir.path()).unwrap();
        assert_eq!((kept.len(), kept[0].seq, kept[0].at), (1, 40, Timestamp::from_secs(9)));
        let state = kept[0].read().unwrap();
        assert_eq!((state.seq, state.hash, state.at), (40, wanted.chain_head, Timestamp::from_secs(9)));
        assert_eq!((state.hard, state.soft), (wanted.hard, wanted.soft));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir.path().join(FOLDER)), mode(&kept[0].file)), (0o700, 0o600));
    }

    #[test]
    fn damage_is_found_and_never_believed() {
        let dir = tempfile::tempdir().unwrap();
        keep_start(dir.path(), snapshot(40, 9), Timestamp::MIN).unwrap();
        let kept = kept_starts(dir.path()).unwrap().remove(0);
        let (whole, state) = (fs::read(&kept.file).unwrap(), kept.read().unwrap());
        let mut found = 0;
        // The ten bytes before are what gzip says of the file's time and maker.
        for at in 10..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            fs::write(&kept.file, bytes).unwrap();
            match kept.read() {
                Ok(read) => assert_eq!(read, state, "byte {at}: a bit of no meaning"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidData, "byte {at}");
                    found += 1;
                }
            }
            fs::write(&kept.file, &whole[..at]).unwrap();
            assert_eq!(kept.read().map_err(|error| error.kind()), Err(ErrorKind::InvalidData), "{at} bytes");
        }
        assert!(found * 2 > whole.len(), "{found} of {}", whole.len());
        fs::write(&kept.file, &whole).unwrap();
        assert_eq!(kept.read().unwrap(), state);
        // One that was renamed is not what its name says.
        let other = kept.file.with_file_name("00000000000000000041_9000000.gz");
        fs::rename(&kept.file, &other).unwrap();
        assert!(KeptStart::of(other).unwrap().read().is_err());
    }

    #[test]
    fn they_are_bounded_and_those_that_lived_longest_stay() {
        let dir = tempfile::tempdir().unwrap();
        // Days apart; then again and again, an hour apart.
        for day in 0..10_u32 {
            keep_start(dir.path(), snapshot(u64::from(day) + 1, i64::from(day) * 86_400), Timestamp::MIN).unwrap();
        }
        for hour in 0..60_u32 {
            keep_start(dir.path(), snapshot(u64::from(hour) + 100, 9 * 86_400 + i64::from(hour) * 3_600), Timestamp::MIN).unwrap();
        }
        let kept = seqs(dir.path());
        assert_eq!(kept.len(), KEPT_MAX);
        assert!((1..10).all(|seq| kept.contains(&seq)) && kept.contains(&159), "{kept:?}");
        // What is older than the readings is of no use.
        keep_start(dir.path(), snapshot(200, 12 * 86_400), Timestamp::from_secs(5 * 86_400)).unwrap();
        assert_eq!(seqs(dir.path())[0], 6);
    }
}
