//! Finds what of the journal is past its retention, and tells the engine, which alone may say so in the chain.
//!
//! What is old is a question to a clock, and a clock can be wrong: set years ahead by a battery or a time server, it would make a
//! whole journal old at once. No look at a clock can tell that from an engine that stood still for years. So the edge before which rows
//! go also starts at the oldest row at every start and moves at most [`PACE`] times as fast as the engine runs: whatever the clock says,
//! a year of journal is there for seven weeks, in which a plant that is years ahead has long been put right.

use crate::clock::{EngineClock, Scale};
use crate::engine::EngineInput;
use journal::{Piece, Reader, Stamped, StoreError};
use model::bounds::JOURNAL_PIECE_ROWS;
use model::{Duration, Timestamp};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Days of journal that may go in a day.
const PACE: i64 = 7;
/// The first look comes when the start is long over.
const FIRST_AFTER: std::time::Duration = std::time::Duration::from_secs(300);
/// A piece a minute is 288,000 rows a day, far more than come.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// After a look that failed.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Looks for rows past their retention.
pub struct Retention {
    reader: Arc<dyn Reader>,
    keep: Duration,
    clock: Arc<EngineClock>,
    wall: Scale,
    /// Stamp of the oldest row at the first look, and when that was.
    began: Option<(Timestamp, Instant)>,
}

impl Retention {
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
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let Ok((retention, found)) = looked.await else { return };
            self = retention;
            pause = LOOK_EVERY;
            match found {
                Ok(Some(piece)) => {
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
        let Some(first) = oldest.first() else { return Ok(None) };
        let (began, at) = *self.began.get_or_insert_with(|| (first.at, Instant::now()));
        let ran = Duration((at.elapsed().as_secs_f64() * 1e6 * self.clock.factor()) as i64);
        let edge = edge(self.clock.now().min(self.wall.wall()), self.keep, began, ran);
        Ok(piece(&oldest, edge, JOURNAL_PIECE_ROWS))
    }
}

/// Rows stamped before it are past their retention.
fn edge(now: Timestamp, keep: Duration, began: Timestamp, ran: Duration) -> Timestamp {
    let paced = Timestamp(began.0.saturating_add(ran.0.saturating_mul(PACE)));
    (now - keep).min(paced)
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
        let edge = edge(NOW, days(365), NOW - days(400), days(100));
        let piece = super::piece(&oldest[..3], edge, 3).unwrap();
        assert_eq!((piece.through, piece.rows, piece.newest), (7, 3, NOW - days(366)));
        for (rows, whole) in [(&oldest[..4], 4), (&oldest[..], 6), (&oldest[..3], 4), (&oldest[..0], 3)] {
            assert_eq!(super::piece(rows, edge, whole), None);
        }
    }

    #[test]
    fn a_clock_set_ten_years_ahead_empties_no_journal() {
        // A year of rows, a week of running under the wrong clock, with as many restarts as one likes: each begins at the oldest row.
        let (mut oldest, wrong) = (NOW - days(365), NOW + days(3_650));
        for _ in 0..7 {
            oldest = edge(wrong, days(365), oldest, DAY);
        }
        assert_eq!(oldest, NOW - days(365 - 49), "49 days of rows and no more");
    }

    #[test]
    fn a_shorter_retention_is_reached_in_weeks() {
        assert_eq!(edge(NOW, days(30), NOW - days(365), days(48)), NOW - days(30));
        assert!(edge(NOW, days(30), NOW - days(365), days(40)) < NOW - days(30));
    }
}
