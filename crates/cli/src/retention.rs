//! Finds what of the journal is past its retention, and tells the engine, which alone may say so in the chain.
//!
//! What is old is a question to a clock, and a clock can be wrong: set years ahead by a battery or a time server, it would make a
//! whole journal old at once. No look at a clock can tell that from an engine that stood still for years. So in a day of running no more
//! than a [`SHARE_A_DAY`]th of the rows goes that there were at the start, whatever the clock says: emptying a journal takes weeks, in
//! which a plant that is years ahead has long been put right, and a shorter retention or a long standstill is made good in weeks too.

use crate::clock::{EngineClock, Scale};
use crate::engine::EngineInput;
use journal::{Piece, Reader, Stamped, StoreError};
use model::bounds::JOURNAL_PIECE_ROWS;
use model::{Duration, Timestamp};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// A retention of 30 days, the shortest there is, needs a thirtieth a day.
const SHARE_A_DAY: u64 = 25;
/// The first look comes when the start is long over.
const FIRST_AFTER: std::time::Duration = std::time::Duration::from_secs(300);
/// Where nothing is past its retention.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// After a piece: so 1.7 million rows can go in a day.
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_secs(5);
/// After a look that failed.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(3_600);

/// The journal at the first look.
#[derive(Clone, Copy)]
struct Began {
    first: u64,
    rows: u64,
    at: Instant,
}

impl Began {
    /// The last row that may be gone after the engine has run for so long.
    fn may_reach(&self, ran: std::time::Duration) -> u64 {
        self.first - 1 + (self.rows as f64 * ran.as_secs_f64() / 86_400.0) as u64 / SHARE_A_DAY
    }
}

/// Looks for rows past their retention.
pub struct JournalRetention {
    reader: Arc<dyn Reader>,
    keep: Duration,
    clock: Arc<EngineClock>,
    wall: Scale,
    began: Option<Began>,
}

impl JournalRetention {
    /// Of the journal that `reader` reads; rows are kept for `keep`.
    pub fn new(reader: Arc<dyn Reader>, keep: Duration, clock: Arc<EngineClock>, wall: Scale) -> Self {
        Self { reader, keep, clock, wall, began: None }
    }

    /// Tells the engine of a piece at a time until it stops.
    pub async fn watch(mut self, queue: flume::Sender<EngineInput>, shutdown: CancellationToken) {
        let mut pause = FIRST_AFTER;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause.div_f64(self.clock.factor())) => {}
            }
            let looking = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let Ok((looked, found)) = looking.await else { return };
            self = looked;
            pause = LOOK_EVERY;
            match found {
                Ok(Some(piece)) => {
                    pause = AGAIN_AFTER;
                    if queue.send_async(EngineInput::Past(piece)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "the oldest rows of the journal cannot be read; they stay");
                    pause = RETRY_AFTER;
                }
            }
        }
    }

    fn look(&mut self) -> Result<Option<Piece>, StoreError> {
        let oldest = self.reader.oldest(JOURNAL_PIECE_ROWS)?;
        let (Some(first), head) = (oldest.first(), self.reader.head()?) else { return Ok(None) };
        let rows = (head.seq + 1).saturating_sub(first.seq);
        let began = *self.began.get_or_insert_with(|| Began { first: first.seq, rows, at: Instant::now() });
        let reach = began.may_reach(began.at.elapsed().mul_f64(self.clock.factor()));
        let edge = self.clock.now().min(self.wall.wall()) - self.keep;
        Ok(piece(&oldest, edge, JOURNAL_PIECE_ROWS).filter(|piece| piece.through <= reach))
    }
}

/// The oldest rows, where there are `whole` of them and all are stamped before the edge: a row that announces less would add more than it
/// takes away.
fn piece(oldest: &[Stamped], edge: Timestamp, whole: usize) -> Option<Piece> {
    let (first, last) = (oldest.first()?, oldest.last()?);
    let is_past = oldest.len() == whole && oldest.iter().all(|row| row.at < edge);
    is_past.then_some(Piece { through: last.seq, hash: last.hash, rows: oldest.len() as u64, oldest: first.at, newest: last.at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::ChainHash;

    const DAY: Duration = Duration::from_mins(24 * 60);
    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn days(count: i64) -> Duration {
        Duration(DAY.0 * count)
    }

    fn rows(ages: &[i64]) -> Vec<Stamped> {
        let row = |(seq, age): (u64, &i64)| Stamped { seq, hash: ChainHash([0; 32]), at: NOW - days(*age) };
        (5..).zip(ages).map(row).collect()
    }

    #[test]
    fn what_is_older_than_the_retention_goes_and_nothing_behind_a_younger_row() {
        let oldest = rows(&[400, 380, 366, 365, 200, 390]);
        let edge = NOW - days(365);
        let piece = super::piece(&oldest[..3], edge, 3).unwrap();
        assert_eq!((piece.through, piece.rows, piece.newest), (7, 3, NOW - days(366)));
        for (rows, whole) in [(&oldest[..4], 4), (&oldest[..], 6), (&oldest[..3], 4), (&oldest[..0], 3)] {
            assert_eq!(super::piece(rows, edge, whole), None);
        }
    }

    #[test]
    fn whatever_the_clock_says_a_journal_is_emptied_in_weeks() {
        let day = std::time::Duration::from_secs(86_400);
        let began = Began { first: 5_001, rows: 100_000, at: Instant::now() };
        assert_eq!(began.may_reach(std::time::Duration::ZERO), 5_000, "nothing at once");
        assert_eq!(began.may_reach(day), 9_000);
        assert_eq!(began.may_reach(25 * day), 105_000);
        // A restart every day takes a part of what is left, so it takes longer still.
        let left = (0..25).fold(100_000, |rows, _| rows - (Began { first: 1, rows, at: began.at }).may_reach(day));
        assert!(left > 30_000, "{left}");
        // And what comes in a day goes in a day, with the shortest retention too.
        let month = Began { first: 1, rows: 30 * 1_000, at: began.at };
        assert!(month.may_reach(day) > 1_000);
    }
}
