//! The history of a tag.

use crate::{HistoryGap, Trend, TrendPoint};
use serde::Serialize;
use utoipa::ToSchema;

/// Some readings that follow one another.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct HistoryPointJson {
    /// Source time of the first.
    pub from: i64,
    /// Source time of the last.
    pub to: i64,
    /// How many.
    pub count: u32,
    /// Of them bad or without a value.
    pub bad: u32,
    /// Lowest value; null when all are bad.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Newest value.
    pub last: Option<f64>,
}

impl From<&TrendPoint> for HistoryPointJson {
    fn from(point: &TrendPoint) -> Self {
        let TrendPoint { from, to, count, bad, min, max, last } = *point;
        Self { from: from.as_millis(), to: to.as_millis(), count, bad, min, max, last }
    }
}

/// A span, in the engine's time, of which readings are missing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryGapJson {
    /// From here on.
    pub from: i64,
    /// Up to here.
    pub to: i64,
    /// How many, where that is known.
    pub lost: Option<u64>,
    /// overflow, crash or damage.
    pub why: &'static str,
    /// In Chinese.
    pub why_zh: &'static str,
}

impl From<&HistoryGap> for HistoryGapJson {
    fn from(gap: &HistoryGap) -> Self {
        let HistoryGap { from, to, lost, why, why_zh } = *gap;
        Self { from: from.as_millis(), to: to.as_millis(), lost, why, why_zh }
    }
}

/// Readings of a tag by source time, gathered to points.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryJson {
    /// The engine's time.
    pub now: i64,
    /// `enterprise/tag`.
    pub tag: String,
    /// From here on.
    pub from: i64,
    /// Up to before here.
    pub to: i64,
    /// Earliest first, no more than were asked for. Each covers exactly the readings from its first to its last; where there are
    /// no readings there is no point.
    pub points: Vec<HistoryPointJson>,
    /// Readings that are known to be missing.
    pub gaps: Vec<HistoryGapJson>,
    /// Stored chunks that are damaged and left out.
    pub damaged: u32,
}

impl HistoryJson {
    /// As read.
    pub fn new(now: i64, tag: String, (from, to): (i64, i64), trend: &Trend) -> Self {
        let points = trend.points.iter().map(Into::into).collect();
        let gaps = trend.gaps.iter().map(Into::into).collect();
        Self { now, tag, from, to, points, gaps, damaged: trend.damaged }
    }
}
