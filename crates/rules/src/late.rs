//! When a condition stood, so that a straggler (a reading older than its tag's newest) can be told from a repetition.
//!
//! A straggler beyond a limit inside a recorded episode tells nothing new. Outside one it makes one row for the whole excursion: the
//! stragglers that follow within the tag's stale time belong to it. The list is bounded; what falls out of it may make a second row,
//! never a missing one.

use model::{Duration, Timestamp};
use serde::{Deserialize, Serialize};

/// Episodes and late exceedances remembered per condition.
pub(crate) const SPANS_MAX: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Span {
    from: Timestamp,
    to: Timestamp,
    /// Made of stragglers, so with unknown ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    late: bool,
}

/// Stretches of time in which a condition is on record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Spans(Vec<Span>);

impl Spans {
    /// None.
    pub const NONE: Self = Self(Vec::new());

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// An episode has ended.
    pub fn record(&mut self, from: Timestamp, to: Timestamp) {
        self.push(Span { from, to: to.max(from), late: false });
    }
    /// A straggler has made a row.
    pub fn record_late(&mut self, at: Timestamp) {
        self.push(Span { from: at, to: at, late: true });
    }
    /// Whether `at` lies in a recorded stretch.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.0.iter().any(|span| span.from <= at && at <= span.to)
    }
    /// Lets a row made by stragglers grow to `at` if that is no further off than `reach`. True when it belongs to one.
    pub fn extend_late(&mut self, at: Timestamp, reach: Duration) -> bool {
        let Some(span) = self.0.iter_mut().find(|span| span.late && span.from - reach <= at && at <= span.to + reach) else {
            return false;
        };
        span.from = span.from.min(at);
        span.to = span.to.max(at);
        true
    }
    fn push(&mut self, span: Span) {
        if self.0.len() == SPANS_MAX {
            self.0.remove(0);
        }
        self.0.push(span);
    }
}
