//! At high rates the engine lets readings gather for a moment instead of being woken by each.
//!
//! A broker that hands over one reading at a time wakes the engine for it, and the ack of each wakes the broker: at tens of
//! thousands of readings a second both spend more on waking one another than on the readings. A pause of [`PAUSE`] lets them
//! come by the dozen. Below [`FROM_RATE`] nothing is ever paused for, so an alarm of an ordinary plant pays nothing; above
//! it, one pause, a fraction of what its commit takes.

use std::time::{Duration, Instant};

/// From so many inputs a second on.
const FROM_RATE: u32 = 25_000;
/// How long inputs gather.
pub(super) const PAUSE: Duration = Duration::from_micros(100);
/// The rate is that of the last stretch of this length, so that one burst of a gateway is no high rate.
const STRETCH: Duration = Duration::from_millis(20);

/// Knows whether inputs come fast.
pub(super) struct Pace {
    since: Instant,
    taken: u32,
    is_fast: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, taken: 0, is_fast: false }
    }
    /// So many inputs were taken.
    pub(super) fn took(&mut self, inputs: u32) {
        self.taken = self.taken.saturating_add(inputs);
    }
    /// Whether the next inputs are worth a pause. Asked when none waits.
    pub(super) fn is_fast(&mut self, now: Instant) -> bool {
        let length = now.saturating_duration_since(self.since);
        if length >= STRETCH {
            self.is_fast = f64::from(self.taken) >= f64::from(FROM_RATE) * length.as_secs_f64();
            (self.since, self.taken) = (now, 0);
        }
        self.is_fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rate_that_lasts_is_fast_and_silence_ends_it() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.took(1_000);
        assert!(!pace.is_fast(start + Duration::from_millis(1)), "one burst");
        assert!(pace.is_fast(start + Duration::from_millis(20)), "1,000 in 20 ms");
        pace.took(100);
        assert!(pace.is_fast(start + Duration::from_millis(30)), "until the stretch is over");
        assert!(!pace.is_fast(start + Duration::from_millis(50)), "100 in 30 ms");
        pace.took(1_000);
        assert!(!pace.is_fast(start + Duration::from_secs(10)), "1,000 in 10 s");
    }
}
