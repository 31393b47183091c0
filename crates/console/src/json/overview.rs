//! The top of every page.

use serde::Serialize;
use utoipa::ToSchema;

/// One link to a source of readings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LinkJson {
    /// Which.
    pub source: String,
    /// Connected and subscribed.
    pub up: bool,
    /// Since when.
    pub since: i64,
}

/// Open cases by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountsJson {
    /// 红
    pub red: usize,
    /// 橙
    pub orange: usize,
    /// 黄
    pub yellow: usize,
    /// 蓝
    pub blue: usize,
}

/// A tier and its names.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TierJson {
    /// Number, the enterprise 0.
    pub tier: u8,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What stands at the top of every page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverviewJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence of the last change shown.
    pub seq: u64,
    /// 【演示】: nothing here is real.
    pub demo: bool,
    /// How much faster than real time the demonstration runs.
    pub time_factor: f64,
    /// What the demonstration plays now.
    pub scene: Option<String>,
    /// Sources of readings.
    pub link: Vec<LinkJson>,
    /// Open cases by level.
    pub counts: CountsJson,
    /// Open cases with something this login's tier was told of and has not signed.
    pub unanswered: usize,
    /// Alarms active, latched or faulted, without those counted in `explained_alarms`.
    pub standing_alarms: usize,
    /// Standing alarms nobody was told of because an alarm of their gateway, such as its loss, explains them.
    pub explained_alarms: usize,
    /// Conditions suppressed by design now, raised or not.
    pub suppressed: usize,
    /// Of them those that stand: active, latched or faulted. They are counted in `standing_alarms` as well.
    pub suppressed_standing: usize,
    /// Measured tags.
    pub tags: usize,
    /// Of them with bad or no data.
    pub tags_bad: usize,
    /// Windows filed by people.
    pub windows: super::WindowCountsJson,
    /// Enterprises in a flood of alarms.
    pub floods: usize,
    /// Measured tags in service that were never seen.
    pub tags_never_seen: usize,
    /// The tiers.
    pub tiers: Vec<TierJson>,
    /// Civil time is UTC plus this.
    pub utc_offset_ms: i64,
}
