//! Finds what of the journal is past its retention, and tells the engine, which alone may say so in the chain.
//!
//! What is old is a question to a clock, and a clock can be wrong: set years ahead by a battery or a time server, it would make a
//! whole journal old at once. No look at a clock can tell that from an engine that stood still for years. So in a day of running no more
//! than a [`SHARE_A_DAY`]th of all rows goes, whatever the clock says: emptying a journal takes weeks, in
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
const SHARE_A_DAY: f64 = 25.0;
/// The first look comes when the start is long over.
const FIRST_AFTER: std::time::Duration = std::time::Duration::from_secs(300);
/// Where nothing is past its retention.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// After a piece: so 1.7 million rows can go in a day.
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_secs(5);
/// After a look that failed.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(3_600);

/// How far the rows may go that are past their retention.
#[derive(Clone, Copy)]
struct Pace {
    /// The first row at the first look.
    first: u64,
    /// Rows that may have gone since.
    allowed: f64,
    looked: Instant,
}

impl Pace {
    /// Allows a share of all rows for the time in which the engine `ran` since the last look, and saves no more of it than a day's. Now
    /// the journal has so many `rows` from `first` on.
    fn go_on(&mut self, first: u64, rows: u64, ran: std::time::Duration) {
        let a_day = rows as f64 / SHARE_A_DAY;
        let most = first.saturating_sub(self.first) as f64 + a_day.max(JOURNAL_PIECE_ROWS as f64);
        self.allowed = (self.allowed + a_day * ran.as_secs_f64() / 86_400.0).min(most);
    }
    /// The last row that may be gone.
    fn reach(&self) -> u64 {
        self.first - 1 + self.allowed as u64
    }
}

/// Looks for rows past their retention.
pub struct JournalRetention {
    reader: Arc<dyn Reader>,
    keep: Duration,
    clock: Arc<EngineClock>,
    wall: Scale,
    pace: Option<Pace>,
    /// Where the last piece ended that the engine was told of, and how long to wait where it is the same again.
    told: (u64, std::time::Duration),
}

impl JournalRetention {
    /// Of the journal that `reader` reads; rows are kept for `keep`.
    pub fn new(reader: Arc<dyn Reader>, keep: Duration, clock: Arc<EngineClock>, wall: Scale) -> Self {
        Self { reader, keep, clock, wall, pace: None, told: (0, AGAIN_AFTER) }
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
            let past = match found {
                Ok(None) => continue,
                Ok(Some(piece)) => {
                    // One that did not go the last time is asked for less and less often.
                    let waited = if piece.through == self.told.0 { (self.told.1 * 2).min(RETRY_AFTER) } else { AGAIN_AFTER };
                    self.told = (piece.through, waited);
                    pause = waited;
                    Ok(piece)
                }
                Err(error) => {
                    pause = RETRY_AFTER;
                    Err(format!("the oldest rows of the journal cannot be read: {error}"))
                }
            };
            if queue.send_async(EngineInput::Past(past)).await.is_err() {
                return;
            }
        }
    }

    fn look(&mut self) -> Result<Option<Piece>, StoreError> {
        let oldest = self.reader.oldest(JOURNAL_PIECE_ROWS)?;
        let (Some(first), head) = (oldest.first(), self.reader.head()?) else { return Ok(None) };
        let rows = (head.seq + 1).saturating_sub(first.seq);
        let now = Instant::now();
        let pace = self.pace.get_or_insert(Pace { first: first.seq, allowed: 0.0, looked: now });
        pace.go_on(first.seq, rows, now.duration_since(pace.looked).mul_f64(self.clock.factor()));
        pace.looked = now;
        let reach = pace.reach();
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
        let fresh = |first| Pace { first, allowed: 0.0, looked: Instant::now() };
        let mut pace = fresh(5_001);
        assert_eq!(pace.reach(), 5_000, "nothing at once");
        pace.go_on(5_001, 100_000, day);
        assert_eq!(pace.reach(), 9_000);
        // What was not used is not saved for the day on which the clock goes wrong.
        for _ in 0..100 {
            pace.go_on(5_001, 100_000, day);
        }
        assert_eq!(pace.reach(), 9_000);
        // What goes makes it slower, and so do restarts.
        let left = (0..25).fold(100_000, |rows, _| {
            let mut pace = fresh(1);
            pace.go_on(1, rows, day);
            rows - pace.reach()
        });
        assert!(left > 30_000, "{left}");
    }

    #[test]
    fn what_comes_in_a_day_goes_in_a_day_however_small_it_began() {
        let hour = std::time::Duration::from_secs(3_600);
        // A thousand rows a day, kept for 30 days, from an empty journal on.
        let mut pace = Pace { first: 1, allowed: 0.0, looked: Instant::now() };
        let (mut first, mut head) = (1_u64, 30_u64);
        for past in (0..400 * 24_u64).map(|hour| (hour * 1_000 / 24).saturating_sub(30_000)) {
            head += 1_000 / 24;
            pace.go_on(first, head + 1 - first, hour);
            while first + 49 <= pace.reach().min(past) {
                first += 50;
            }
        }
        assert!(head - first < 33_000, "{} rows are kept", head - first);
    }
}
