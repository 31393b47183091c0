//! The one place where the engine reads a clock.
//!
//! `now` never runs backwards: it starts at the wall clock (never before the last journaled `now`), is carried on by the
//! monotonic clock, and is slewed towards the wall clock by at most [`SLEW_PER_SECOND`]. A wall clock that stepped by more
//! than [`STEP_MAX`] is not followed at once: it is a system alarm, and running countdowns keep their length.
//!
//! The demo runs the same clock faster: wall and monotonic time are both scaled from one epoch, so that every process of the
//! demo, and one that was killed and started again, reads the same time.

use model::{Duration, Timestamp};
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A difference to the wall clock above this is a step and an alarm.
pub const STEP_MAX: Duration = Duration::from_secs(1);
/// `now` approaches the wall clock by at most this much in a second: too little to bend a countdown.
pub const SLEW_PER_SECOND: Duration = Duration::from_millis(5);

/// A clock that runs `factor` times as fast since `epoch`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Real and shown time are the same here.
    pub epoch: Timestamp,
    /// Shown seconds per real second.
    pub factor: f64,
}

impl Scale {
    /// Plain time.
    pub const REAL: Self = Self { epoch: Timestamp(0), factor: 1.0 };

    /// The wall clock on this scale.
    pub fn wall(self) -> Timestamp {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        if self.factor == 1.0 {
            return Timestamp(real);
        }
        self.epoch + Duration(((real - self.epoch.0) as f64 * self.factor) as i64)
    }
}

struct Base {
    now: Timestamp,
    at: Instant,
    last: Timestamp,
}

/// The engine's clock, shared with ingest (receive times) and the notifier.
pub struct EngineClock {
    scale: Scale,
    base: Mutex<Base>,
}

impl EngineClock {
    /// Starts at the wall clock, but never before `not_before`.
    pub fn start(scale: Scale, not_before: Option<Timestamp>) -> Self {
        let now = not_before.map_or_else(|| scale.wall(), |earliest| scale.wall().max(earliest));
        Self { scale, base: Mutex::new(Base { now, at: Instant::now(), last: now }) }
    }
    /// The engine's time.
    pub fn now(&self) -> Timestamp {
        let mut base = self.base();
        let carried = base.now + self.scaled(base.at.elapsed());
        base.last = base.last.max(carried);
        base.last
    }
    /// How far the wall clock is ahead of `now`; slews `now` a little towards it. Called about once a second.
    pub fn slew(&self) -> Duration {
        let now = self.now();
        let offset = self.scale.wall().since(now);
        let mut base = self.base();
        let elapsed = self.scaled(base.at.elapsed());
        let bound = Duration((SLEW_PER_SECOND.0 as f64 * elapsed.as_secs_f64().min(2.0)) as i64);
        let correction = Duration(offset.0.clamp(-bound.0, bound.0));
        base.now = base.now + elapsed + correction;
        base.at = Instant::now();
        offset
    }
    /// The instant of the operating system's clock at which `due` comes; none when it is too far to matter.
    pub fn instant_of(&self, due: Timestamp) -> Option<Instant> {
        let wait = due.since(self.now());
        if wait <= Duration::ZERO {
            return Some(Instant::now());
        }
        let real = Duration((wait.0 as f64 / self.scale.factor) as i64);
        Instant::now().checked_add(real.to_std())
    }
    /// Shown seconds per real second.
    pub fn factor(&self) -> f64 {
        self.scale.factor
    }
    fn scaled(&self, real: std::time::Duration) -> Duration {
        let micros = i64::try_from(real.as_micros()).unwrap_or(i64::MAX);
        if self.scale.factor == 1.0 { Duration(micros) } else { Duration((micros as f64 * self.scale.factor) as i64) }
    }
    fn base(&self) -> std::sync::MutexGuard<'_, Base> {
        // Nothing here panics while it holds the lock, and a clock must go on in any case.
        self.base.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_starts_before_the_last_journaled_now() {
        let future = Scale::REAL.wall() + Duration::from_mins(60);
        let clock = EngineClock::start(Scale::REAL, Some(future));
        assert!(clock.now() >= future);
    }

    #[test]
    fn slewing_back_never_lets_now_run_backwards() {
        let clock = EngineClock::start(Scale::REAL, Some(Scale::REAL.wall() + Duration::from_mins(60)));
        let mut last = clock.now();
        for _ in 0..1_000 {
            assert!(clock.slew() < Duration::ZERO, "the wall clock is behind");
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_scaled_clock_reads_the_same_in_two_processes() {
        let scale = Scale { epoch: Scale::REAL.wall() - Duration::from_secs(10), factor: 10.0 };
        let one = EngineClock::start(scale, None);
        let two = EngineClock::start(scale, None);
        assert!(two.now().since(one.now()).abs() < Duration::from_secs(5));
        assert!(one.now().since(scale.epoch) >= Duration::from_secs(99));
    }
}
