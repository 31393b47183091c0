//! What waits to be sent on one channel: red first, then in order of arrival, one at a time per callee.
//!
//! Pure: time comes in as [`Instant`]. Bounded: where it is full, the newest of the lowest level is refused, which is told like
//! any other failure, so that its recipient's next channel is tried.

use crate::budget::Spent;
use model::{CaseId, Level, Notification, NotificationKey, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Notifications waiting per channel.
pub(crate) const QUEUE_MAX: usize = 4_096;

/// A notification on its way.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) notification: Notification,
    /// Attempts already made, by an earlier run of the engine too.
    pub(crate) attempts: u32,
    /// Attempts made since it was handed over: a restart gives it a full set again.
    pub(crate) attempts_here: u32,
    /// Whom it reaches: the number, or the person where there is none. Carriers count by number.
    pub(crate) callee: String,
    /// Not before this.
    pub(crate) not_before: Instant,
    /// When the attempt under way was counted against the callee's budget.
    pub(crate) spent_at: Option<Timestamp>,
    /// Until when it waits for its callee's minute, if it had to.
    pub(crate) waits_until: Option<Timestamp>,
}

impl Job {
    /// Whether it waits for its callee's budget until `free`. Red does, once and for a minute at most, since a call a little later is
    /// worth more than none; its recipient's other channels do not wait for it. Any other level, and a call to be made again, is
    /// better off with the next channel.
    pub(crate) fn may_wait(&mut self, free: Timestamp, now: Timestamp) -> bool {
        self.notification.level == Level::Red && self.attempts_here == 0 && free <= *self.waits_until.get_or_insert(now + Spent::MINUTE)
    }
}

/// Place in the queue: red first, then by arrival.
pub(crate) type Place = (Reverse<Level>, u64);

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send this one; its callee is busy until [`Queue::done`].
    Send(Place, Box<Job>),
    /// Nothing before this.
    Wait(Instant),
    /// Nothing at all until something changes.
    Idle,
}

/// The queue of one channel.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeMap<Place, Job>,
    known: BTreeSet<NotificationKey>,
    flying: BTreeMap<Place, Flight>,
    last_start: BTreeMap<String, Instant>,
    arrivals: u64,
}

#[derive(Debug)]
struct Flight {
    key: NotificationKey,
    callee: String,
    superseded: bool,
}

impl Queue {
    /// Takes a notification; gives back one that finds no room. A key that is already here is not taken twice.
    pub(crate) fn push(&mut self, job: Job) -> Option<Job> {
        if !self.known.insert(job.notification.key.clone()) {
            return None;
        }
        self.arrivals += 1;
        self.waiting.insert((Reverse(job.notification.level), self.arrivals), job);
        if self.waiting.len() <= QUEUE_MAX {
            return None;
        }
        let (_, refused) = self.waiting.pop_last()?;
        self.known.remove(&refused.notification.key);
        Some(refused)
    }
    /// The next one to send at `now`, two to one callee being at least `spacing` apart, of `least` level or above.
    pub(crate) fn next(&mut self, now: Instant, spacing: Duration, least: Level) -> Next {
        let mut wait: Option<Instant> = None;
        let mut found = None;
        for (place, job) in self.waiting.range(..=(Reverse(least), u64::MAX)) {
            if self.flying.values().any(|flight| flight.callee == job.callee) {
                continue;
            }
            let spaced = self.last_start.get(&job.callee).map_or(job.not_before, |last| (*last + spacing).max(job.not_before));
            if spaced <= now {
                found = Some(*place);
                break;
            }
            wait = Some(wait.map_or(spaced, |earlier| earlier.min(spaced)));
        }
        let Some((place, job)) = found.and_then(|place| self.waiting.remove(&place).map(|job| (place, job))) else {
            return wait.map_or(Next::Idle, Next::Wait);
        };
        self.last_start.retain(|_, last| *last + spacing > now);
        self.last_start.insert(job.callee.clone(), now);
        let flight = Flight { key: job.notification.key.clone(), callee: job.callee.clone(), superseded: false };
        self.flying.insert(place, flight);
        Next::Send(place, Box::new(job))
    }
    /// Whether the case of what is under way was superseded meanwhile.
    pub(crate) fn is_superseded(&self, place: Place) -> bool {
        self.flying.get(&place).is_none_or(|flight| flight.superseded)
    }
    /// An attempt has ended. True where the case was superseded meanwhile: no further attempt then.
    pub(crate) fn done(&mut self, place: Place) -> bool {
        let Some(flight) = self.flying.remove(&place) else { return true };
        self.known.remove(&flight.key);
        flight.superseded
    }
    /// Puts back what is to be tried again, at its old place.
    pub(crate) fn again(&mut self, place: Place, job: Job) {
        self.known.insert(job.notification.key.clone());
        self.waiting.insert(place, job);
    }
    /// Forgets what waits for this case, and lets what is under way be the last attempt.
    pub(crate) fn supersede(&mut self, case: &CaseId) {
        let Self { waiting, known, flying, .. } = self;
        waiting.retain(|_, job| {
            let keep = job.notification.key.case != *case;
            if !keep {
                known.remove(&job.notification.key);
            }
            keep
        });
        for flight in flying.values_mut().filter(|flight| flight.key.case == *case) {
            flight.superseded = true;
        }
    }
    /// How many wait and how many are under way.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.waiting.len(), self.flying.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifier::tests_support::notification;

    const SPACING: Duration = Duration::from_secs(1);

    fn job(case: &str, level: Level, callee: &str) -> Job {
        let mut notification = notification(case, callee, "sms");
        notification.level = level;
        Job {
            notification,
            attempts: 0,
            attempts_here: 0,
            callee: callee.to_owned(),
            not_before: Instant::now(),
            spent_at: None,
            waits_until: None,
        }
    }
    fn case_of(next: &Next) -> &str {
        match next {
            Next::Send(_, job) => job.notification.key.case.as_str(),
            Next::Wait(_) => "wait",
            Next::Idle => "idle",
        }
    }

    #[test]
    fn red_goes_before_what_came_earlier() {
        let mut queue = Queue::default();
        for (case, level) in [("a", Level::Blue), ("b", Level::Orange), ("c", Level::Red)] {
            assert!(queue.push(job(case, level, case)).is_none());
        }
        let now = Instant::now();
        let order: Vec<String> = (0..4).map(|_| case_of(&queue.next(now, SPACING, Level::Blue)).to_owned()).collect();
        assert_eq!(order, ["c", "b", "a", "idle"]);
    }

    #[test]
    fn what_is_kept_for_red_is_not_given_to_orange() {
        let mut queue = Queue::default();
        queue.push(job("a", Level::Orange, "wang"));
        let now = Instant::now();
        assert_eq!(case_of(&queue.next(now, SPACING, Level::Red)), "idle");
        queue.push(job("b", Level::Red, "li"));
        assert_eq!(case_of(&queue.next(Instant::now(), SPACING, Level::Red)), "b");
        assert_eq!(case_of(&queue.next(now, SPACING, Level::Blue)), "a");
    }

    #[test]
    fn two_to_one_callee_go_one_after_the_other_and_apart() {
        let mut queue = Queue::default();
        queue.push(job("a", Level::Red, "wang"));
        queue.push(job("b", Level::Red, "wang"));
        let now = Instant::now();
        let Next::Send(place, _) = queue.next(now, SPACING, Level::Blue) else { panic!("first is sent") };
        assert_eq!(case_of(&queue.next(now + SPACING * 9, SPACING, Level::Blue)), "idle", "the first is still under way");
        assert!(!queue.done(place));
        let Next::Wait(until) = queue.next(now, SPACING, Level::Blue) else { panic!("spaced") };
        assert_eq!(until, now + SPACING);
        assert_eq!(case_of(&queue.next(until, SPACING, Level::Blue)), "b");
    }

    #[test]
    fn a_full_queue_gives_back_the_newest_of_the_lowest_level() {
        let mut queue = Queue::default();
        for n in 0..QUEUE_MAX {
            assert!(queue.push(job(&format!("c{n}"), Level::Blue, "wang")).is_none());
        }
        let refused = queue.push(job("red", Level::Red, "wang")).expect("one has to go");
        assert_eq!(refused.notification.key.case.as_str(), format!("c{}", QUEUE_MAX - 1));
        assert_eq!(case_of(&queue.next(Instant::now(), SPACING, Level::Blue)), "red");
    }

    #[test]
    fn the_same_key_is_taken_once_and_again_after_it_ended() {
        let mut queue = Queue::default();
        queue.push(job("a", Level::Red, "wang"));
        queue.push(job("a", Level::Red, "wang"));
        assert_eq!(queue.load(), (1, 0));
        let now = Instant::now();
        let Next::Send(place, _) = queue.next(now, SPACING, Level::Blue) else { panic!("sent") };
        queue.push(job("a", Level::Red, "wang"));
        assert_eq!(queue.load(), (0, 1), "under way counts as here");
        queue.done(place);
        queue.push(job("a", Level::Red, "wang"));
        assert_eq!(queue.load(), (1, 0));
    }

    #[test]
    fn a_superseded_case_leaves_the_queue_and_is_not_tried_again() {
        let mut queue = Queue::default();
        queue.push(job("a", Level::Red, "wang"));
        queue.push(job("a", Level::Red, "li"));
        queue.push(job("b", Level::Blue, "zhao"));
        let now = Instant::now();
        let Next::Send(place, _) = queue.next(now, SPACING, Level::Blue) else { panic!("sent") };
        queue.supersede(&CaseId::new("a"));
        assert_eq!(queue.load(), (1, 1));
        assert!(queue.done(place), "its attempt was the last");
        assert_eq!(case_of(&queue.next(now, SPACING, Level::Blue)), "b");
    }
}
