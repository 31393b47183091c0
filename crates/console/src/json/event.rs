//! Live events.

use super::{AlarmJson, CaseJson, MessageJson, OverviewJson, SirenJson, TagJson};
use model::Quality;
use serde::Serialize;
use utoipa::ToSchema;

/// `event: change` of the live events.
#[derive(Serialize, ToSchema)]
pub struct ChangeJson {
    /// Sequence.
    pub seq: u64,
    /// Cases that changed.
    pub cases: Vec<CaseJson>,
    /// Alarms that changed, those gone normal among them.
    pub alarms: Vec<AlarmJson>,
    /// Messages that changed.
    pub messages: Vec<MessageJson>,
    /// Sirens that changed.
    pub sirens: Vec<SirenJson>,
    /// Tags whose mode, limits in force or suppression by design changed.
    pub tags: Vec<TagJson>,
    /// The top of the page.
    pub overview: OverviewJson,
}

/// `event: values` of the live events.
#[derive(Serialize, ToSchema)]
pub struct ValuesJson {
    /// The engine's time.
    pub now: i64,
    /// `[tag, value or null, quality, source time]` of what changed.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub values: Vec<(String, Option<f64>, Quality, i64)>,
}

/// `event: heartbeat` and `event: resync` of the live events.
#[derive(Serialize, ToSchema)]
pub struct BeatJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence of the last change shown.
    pub seq: u64,
}
