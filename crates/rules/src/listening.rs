//! Listening time: our clock without the stretches in which we could not hear anything.
//!
//! Silence clocks run on it, so that our own blindness (broker away, engine down) makes no tag stale.

use model::{Duration, Timestamp};

/// Maps `now` to listening time and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Listening {
    up: bool,
    /// Listening time at `since`.
    heard: Timestamp,
    /// When we last began or stopped to listen.
    since: Timestamp,
}

impl Listening {
    /// Listening from `now` on.
    pub const fn up(now: Timestamp) -> Self {
        Self { up: true, heard: now, since: now }
    }
    /// Not listening, with `heard` already on the clock.
    pub const fn down(heard: Timestamp, now: Timestamp) -> Self {
        Self { up: false, heard, since: now }
    }
    pub const fn is_up(&self) -> bool {
        self.up
    }
    /// Listening time at `now`.
    pub fn at(&self, now: Timestamp) -> Timestamp {
        if self.up { self.heard + now.since(self.since) } else { self.heard }
    }
    /// Our clock when listening time will be `heard`; never, while we do not listen.
    pub fn when(&self, heard: Timestamp) -> Option<Timestamp> {
        self.up.then(|| self.since + heard.since(self.heard))
    }
    pub fn set(&mut self, up: bool, now: Timestamp) {
        *self = Self { up, heard: self.at(now), since: now };
    }
    /// Takes `length` before now off the clock.
    pub fn skip(&mut self, length: Duration) {
        if self.up {
            self.since += length;
        }
    }
    /// Least listening time that leaves `remaining` of `whole` to go.
    pub fn floor(&self, now: Timestamp, whole: Duration, remaining: Duration) -> Timestamp {
        self.at(now) - (whole - remaining)
    }
}
