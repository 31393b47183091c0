//! A chunk as it lies in the file, and how its pieces are read: checksum first, then bounds, then the numbers.

use super::Damage;
use super::chunk::{self, Arrivals, Own, Scratch, Summary, Times, View};
use crate::StoreError;
use crate::sqlite::connection::failed;
use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// Decoded times, and decoded arrivals, kept for the next tags of the same messages.
const KEPT: usize = 8;

/// Why a chunk was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is damaged: skip it, the others are sound.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A row of the chunks.
pub(super) struct Stored {
    pub first_taken: Timestamp,
    pub last_taken: Timestamp,
    pub summary: Result<Summary, Damage>,
    times: i64,
    arrivals: i64,
    own: i64,
}

/// The columns of [`Stored::read`], in order.
pub(super) const STORED: &str = "first_taken, last_taken, summary, times, arrivals, own";

impl Stored {
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            first_taken: Timestamp(row.get(0)?),
            last_taken: Timestamp(row.get(1)?),
            summary: row.get_ref(2)?.as_blob().map_err(|_| Damage("its summary is no blob")).and_then(Summary::get),
            times: row.get(3)?,
            arrivals: row.get(4)?,
            own: row.get(5)?,
        })
    }
    pub fn find(connection: &Connection, tag: i64, segment: i64) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(&format!("SELECT {STORED} FROM chunks WHERE tag = ?1 AND segment = ?2"))?
            .query_row(params![tag, segment], Self::read)
            .optional()
    }
}

/// Decoded pieces, their memory used again and again.
#[derive(Default)]
pub(super) struct Pool {
    times: Kept<Times>,
    arrivals: Kept<Arrivals>,
    own: Own,
    scratch: Scratch,
}

/// The last few of one kind by the ids they are stored under, the oldest first.
struct Kept<T>(Vec<(i64, Arc<T>)>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> Kept<T> {
    /// The place of a piece, decoded now if it is not there.
    fn get(&mut self, id: i64, decode: impl FnOnce(&mut T) -> Result<(), Unreadable>) -> Result<usize, Unreadable> {
        if let Some(at) = self.0.iter().position(|(of, _)| *of == id) {
            return Ok(at);
        }
        let mut memory = if self.0.len() < KEPT { Arc::default() } else { self.0.remove(0).1 };
        // What somebody else still holds is left to him.
        if Arc::get_mut(&mut memory).is_none() {
            memory = Arc::default();
        }
        decode(Arc::get_mut(&mut memory).expect("nobody else holds it"))?;
        self.0.push((id, memory));
        Ok(self.0.len() - 1)
    }
}

/// All columns of a chunk, those shared with other tags held together with them.
pub(super) struct Decoded {
    times: Arc<Times>,
    arrivals: Arc<Arrivals>,
    own: Own,
}

impl Decoded {
    pub fn view(&self) -> View<'_> {
        chunk::view(&self.times, &self.arrivals, &self.own)
    }
    /// The memory of what is no longer needed.
    pub fn into_own(self) -> Own {
        self.own
    }
}

impl Pool {
    /// All readings of a chunk.
    pub fn view(&mut self, connection: &Connection, stored: &Stored) -> Result<View<'_>, Unreadable> {
        let (times, arrivals) = self.shared(connection, stored)?;
        let Self { times: all_times, arrivals: all_arrivals, own, scratch } = self;
        piece(connection, stored.own, |bytes| chunk::get_own(bytes, scratch, own))?;
        Ok(chunk::joined(&all_times.0[times].1, &all_arrivals.0[arrivals].1, own)?)
    }

    /// The same to keep, in the memory of `own`.
    pub fn decode(&mut self, connection: &Connection, stored: &Stored, mut own: Own) -> Result<Decoded, Unreadable> {
        let (times, arrivals) = self.shared(connection, stored)?;
        piece(connection, stored.own, |bytes| chunk::get_own(bytes, &mut self.scratch, &mut own))?;
        let (times, arrivals) = (Arc::clone(&self.times.0[times].1), Arc::clone(&self.arrivals.0[arrivals].1));
        chunk::joined(&times, &arrivals, &own)?;
        Ok(Decoded { times, arrivals, own })
    }

    /// The places of what its tag shares with others.
    fn shared(&mut self, connection: &Connection, stored: &Stored) -> Result<(usize, usize), Unreadable> {
        let Self { times: all_times, arrivals, scratch, .. } = self;
        let times = all_times.get(stored.times, |into| piece(connection, stored.times, |bytes| chunk::get_times(bytes, scratch, into)))?;
        let of = &all_times.0[times].1;
        let arrivals = arrivals
            .get(stored.arrivals, |into| piece(connection, stored.arrivals, |bytes| chunk::get_arrivals(bytes, scratch, of, into)))?;
        Ok((times, arrivals))
    }
}

fn piece(connection: &Connection, id: i64, get: impl FnOnce(&[u8]) -> Result<(), Damage>) -> Result<(), Unreadable> {
    let mut statement = connection.prepare_cached("SELECT crc, bytes FROM pieces WHERE id = ?1").map_err(failed)?;
    let mut rows = statement.query([id]).map_err(failed)?;
    let row = rows.next().map_err(failed)?.ok_or(Damage("a piece of it is missing"))?;
    Ok(checked(row, 0, 1).and_then(get)?)
}

/// Stored bytes, if they are the ones that were written.
pub(super) fn checked<'r>(row: &'r Row<'_>, crc: usize, bytes: usize) -> Result<&'r [u8], Damage> {
    let wanted: u32 = row.get(crc).map_err(|_| Damage("its checksum is no number"))?;
    let bytes = row.get_ref(bytes).ok().and_then(|bytes| bytes.as_blob().ok()).ok_or(Damage("it is no blob"))?;
    if crc32fast::hash(bytes) == wanted { Ok(bytes) } else { Err(Damage("its checksum does not fit")) }
}
