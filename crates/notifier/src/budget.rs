//! How often one callee was reached: what may still be spent, and what is kept for red.
//!
//! Pure: time comes in. Windows slide, because carriers' windows do.

use crate::channel::Budget;
use model::{Duration, Level, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Calls by callee within the last 24 hours.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    by_callee: BTreeMap<String, VecDeque<Timestamp>>,
}

impl Spent {
    const MINUTE: Duration = Duration::from_mins(1);
    const HOUR: Duration = Duration::from_mins(60);
    const DAY: Duration = Duration::from_mins(24 * 60);

    /// Whether a message of `level` may go to `callee` at `now`.
    pub(crate) fn allows(&mut self, budget: &Budget, callee: &str, level: Level, now: Timestamp) -> bool {
        let Some(times) = self.by_callee.get_mut(callee) else { return true };
        while times.front().is_some_and(|at| now.since(*at) >= Self::DAY) {
            times.pop_front();
        }
        if times.is_empty() {
            self.by_callee.remove(callee);
            return true;
        }
        let windows = [(budget.per_minute, Self::MINUTE), (budget.per_hour, Self::HOUR), (budget.per_day, Self::DAY)];
        windows.into_iter().all(|(limit, window)| {
            let Some(limit) = limit else { return true };
            let used = times.iter().rev().take_while(|at| now.since(**at) < window).count();
            used < usable(limit, budget.reserve_percent, level) as usize
        })
    }
    /// Takes back a call that never reached the carrier.
    pub(crate) fn refund(&mut self, callee: &str, at: Timestamp) {
        if let Some(times) = self.by_callee.get_mut(callee)
            && let Some(place) = times.iter().rposition(|other| *other == at)
        {
            times.remove(place);
        }
    }
    /// Counts one call; failed ones count too, as carriers count them.
    pub(crate) fn spend(&mut self, callee: &str, at: Timestamp) {
        let times = self.by_callee.entry(callee.to_owned()).or_default();
        let place = times.partition_point(|other| *other <= at);
        times.insert(place, at);
    }
}

/// What `level` may use of `limit`. A limit so small that the reserve would leave nothing still allows one.
fn usable(limit: u32, reserve_percent: u8, level: Level) -> u32 {
    if level == Level::Red {
        return limit;
    }
    let reserve = (u64::from(limit) * u64::from(reserve_percent.clamp(Budget::RESERVE_MIN, 100))).div_ceil(100) as u32;
    limit.saturating_sub(reserve).max(limit.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: i64) -> Timestamp {
        Timestamp::from_secs(n * 60)
    }

    #[test]
    fn the_reserve_is_left_for_red() {
        let mut spent = Spent::default();
        for minute in 0..3 {
            assert!(spent.allows(&Budget::VOICE, "a", Level::Orange, minutes(minute)));
            spent.spend("a", minutes(minute));
        }
        assert!(!spent.allows(&Budget::VOICE, "a", Level::Orange, minutes(3)), "two of five an hour are kept for red");
        assert!(spent.allows(&Budget::VOICE, "a", Level::Red, minutes(3)));
        assert!(spent.allows(&Budget::VOICE, "b", Level::Orange, minutes(3)), "another callee has a budget of their own");
    }

    #[test]
    fn one_a_minute_five_an_hour_twenty_a_day() {
        let mut spent = Spent::default();
        let mut calls = Vec::new();
        for second in 0..24 * 3600 {
            let now = Timestamp::from_secs(second);
            if spent.allows(&Budget::VOICE, "a", Level::Red, now) {
                spent.spend("a", now);
                calls.push(second);
            }
        }
        assert_eq!(calls.len(), 20);
        assert_eq!(&calls[..6], &[0, 60, 120, 180, 240, 3600]);
        assert!(spent.allows(&Budget::VOICE, "a", Level::Red, Timestamp::from_secs(24 * 3600)));
    }

    #[test]
    fn a_limit_of_one_still_lets_an_orange_call_out() {
        assert_eq!(usable(1, 30, Level::Orange), 1);
        assert_eq!(usable(0, 30, Level::Red), 0);
        assert_eq!(usable(10, 30, Level::Blue), 7);
        assert_eq!(usable(10, 5, Level::Blue), 7, "a reserve below the least is raised to it");
    }
}
