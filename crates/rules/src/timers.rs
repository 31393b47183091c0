//! Every deadline but those of silence (see `silence`), in order of time.

use model::{TagIndex, Timestamp};
use std::collections::BTreeSet;

/// What is due. The order decides among deadlines of one instant: what raises goes before what tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An on_delay ends.
    OnDelay(TagIndex, u8),
    /// A kept straggler is taken as a raise.
    Kept(TagIndex),
    /// No unknown tag for a while.
    UnknownTag(u32),
    /// An announcement need not wait any longer.
    Hold(TagIndex, u8),
    /// Acknowledged, and to be seen again.
    Realarm(TagIndex, u8),
}

impl Timer {
    /// The tag that it looks at; none where that is only a gateway's own.
    pub const fn tag(self) -> Option<TagIndex> {
        match self {
            Self::OnDelay(tag, _) | Self::Kept(tag) | Self::Hold(tag, _) | Self::Realarm(tag, _) => Some(tag),
            Self::UnknownTag(_) => None,
        }
    }
}

/// The deadlines of all tags.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    /// Moves a deadline from where it is registered to where it should be.
    pub fn set(&mut self, timer: Timer, registered: &mut Option<Timestamp>, wanted: Option<Timestamp>) {
        if *registered != wanted {
            if let Some(old) = registered.take() {
                self.due.remove(&(old, timer));
            }
            if let Some(new) = wanted {
                self.due.insert((new, timer));
            }
            *registered = wanted;
        }
    }
    /// What is due by `now`, in order.
    pub fn due_by(&self, now: Timestamp) -> impl Iterator<Item = Timer> {
        self.due.iter().take_while(move |(due, _)| *due <= now).map(|(_, timer)| *timer)
    }
    pub fn next(&self) -> Option<(Timestamp, Timer)> {
        self.due.first().copied()
    }
}
