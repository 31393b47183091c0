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

/// What a callee's budget says to one more message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// It may go.
    Now,
    /// Not yet: only the window of a minute is full, and then a call leaves it.
    At(Timestamp),
    /// Its recipient's next channel is the better way.
    Spent,
}

impl Spent {
    pub(crate) const MINUTE: Duration = Duration::from_mins(1);
    const HOUR: Duration = Duration::from_mins(60);
    const DAY: Duration = Duration::from_mins(24 * 60);

    /// Whether a message of `level` may go to `callee` at `now`.
    pub(crate) fn allows(&mut self, budget: &Budget, callee: &str, level: Level, now: Timestamp) -> Allowance {
        let Some(times) = self.by_callee.get_mut(callee) else { return Allowance::Now };
        while times.front().is_some_and(|at| now.since(*at) >= Self::DAY) {
            times.pop_front();
        }
        if times.is_empty() {
            self.by_callee.remove(callee);
            return Allowance::Now;
        }
        let used = |window| times.iter().rev().take_while(|at| now.since(**at) < window).count();
        let allowed = |limit: Option<u32>| limit.map_or(usize::MAX, |limit| usable(limit, budget.reserve_percent, level) as usize);
        if used(Self::HOUR) >= allowed(budget.per_hour) || used(Self::DAY) >= allowed(budget.per_day) {
            return Allowance::Spent;
        }
        let (calls, limit) = (used(Self::MINUTE), allowed(budget.per_minute));
        match calls.checked_sub(limit) {
            None => Allowance::Now,
            // The limit is free again when so many of the minute's calls and one more have left it.
            Some(over) if limit > 0 => Allowance::At(times[times.len() - calls + over] + Self::MINUTE),
            Some(_) => Allowance::Spent,
        }
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
    use Allowance::{At, Now};

    fn minutes(n: i64) -> Timestamp {
        Timestamp::from_secs(n * 60)
    }

    #[test]
    fn the_reserve_is_left_for_red() {
        let mut spent = Spent::default();
        for minute in 0..3 {
            assert_eq!(spent.allows(&Budget::VOICE, "a", Level::Orange, minutes(minute)), Now);
            spent.spend("a", minutes(minute));
        }
        assert_eq!(spent.allows(&Budget::VOICE, "a", Level::Orange, minutes(3)), Allowance::Spent, "two of five an hour are kept for red");
        assert_eq!(spent.allows(&Budget::VOICE, "a", Level::Red, minutes(3)), Now);
        assert_eq!(spent.allows(&Budget::VOICE, "b", Level::Orange, minutes(3)), Now, "another callee has a budget of their own");
    }

    #[test]
    fn one_a_minute_five_an_hour_twenty_a_day() {
        let mut spent = Spent::default();
        let mut calls = Vec::new();
        for second in 0..24 * 3600 {
            let now = Timestamp::from_secs(second);
            if spent.allows(&Budget::VOICE, "a", Level::Red, now) == Now {
                spent.spend("a", now);
                calls.push(second);
            }
        }
        assert_eq!(calls.len(), 20);
        assert_eq!(&calls[..6], &[0, 60, 120, 180, 240, 3600]);
        assert_eq!(spent.allows(&Budget::VOICE, "a", Level::Red, Timestamp::from_secs(24 * 3600)), Now);
    }

    #[test]
    fn a_full_minute_says_when_a_call_leaves_it_and_a_full_hour_does_not() {
        let two = Budget { per_minute: Some(2), ..Budget::VOICE };
        let mut spent = Spent::default();
        for second in [0, 10, 20] {
            spent.spend("a", Timestamp::from_secs(second));
        }
        let now = Timestamp::from_secs(30);
        assert_eq!(spent.allows(&two, "a", Level::Red, now), At(Timestamp::from_secs(70)));
        assert_eq!(spent.allows(&two, "a", Level::Red, Timestamp::from_secs(70)), Now);
        assert_eq!(spent.allows(&Budget::VOICE, "a", Level::Red, now), At(Timestamp::from_secs(80)));
        assert_eq!(spent.allows(&Budget { per_minute: Some(0), ..Budget::VOICE }, "a", Level::Red, now), Allowance::Spent);
        assert_eq!(spent.allows(&Budget { per_hour: Some(3), ..Budget::VOICE }, "a", Level::Red, now), Allowance::Spent);
    }

    #[test]
    fn a_limit_of_one_still_lets_an_orange_call_out() {
        assert_eq!(usable(1, 30, Level::Orange), 1);
        assert_eq!(usable(0, 30, Level::Red), 0);
        assert_eq!(usable(10, 30, Level::Blue), 7);
        assert_eq!(usable(10, 5, Level::Blue), 7, "a reserve below the least is raised to it");
    }
}
