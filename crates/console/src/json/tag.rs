//! Alarms and tags.

use super::{AlarmStateName, ConditionName, EpisodeJson, LevelName, QualityName, RationaleJson};
use model::{AlarmState, Condition, Level, Quality};
use serde::Serialize;
use utoipa::ToSchema;

/// What suppresses a condition by design.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuppressedByJson {
    /// The calculated tag that is 1 now; null where the operating mode suppresses it.
    pub tag: Option<String>,
    /// 名称 of the tag, or what the mode is called.
    pub name: String,
}

/// The operating mode 工况 of an equipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModeJson {
    /// What it is called.
    pub name: String,
    /// The ordinary one, which also holds where nobody knows.
    pub ordinary: bool,
}

/// An alarm now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// In Chinese.
    pub condition_zh: &'static str,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
    /// In this state's episode since.
    pub since: i64,
    /// Value at the last transition.
    pub value: Option<f64>,
    /// Setpoint.
    pub setpoint: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// Why the limit is there and what to do; null where nobody wrote it.
    pub rationale: Option<RationaleJson>,
    /// 补传.
    pub late: bool,
    /// Which episode, to be handed back unchanged.
    pub episode: EpisodeJson,
    /// Its case.
    pub case: Option<String>,
    /// What stands beside its state: `under_test`, `shelved`, `out_of_service`, `commissioning`, `suppressed`, `first_out` where
    /// true; `untold`, `chattering` and `acknowledgement_expired` as counts where not 0.
    #[schema(value_type = Object)]
    pub marks: model::Marks,
    /// What suppresses it by design now, where anything does.
    pub suppressed_by: Vec<SuppressedByJson>,
    /// False where nobody was told of it: it is held as late, suppressed by design, or the loss of its gateway explains it.
    pub told: bool,
    /// The tag of the gateway it arrives through, on which the gateway's own alarms stand.
    pub gateway: Option<String>,
    /// Name of the enterprise.
    pub enterprise_name: String,
    /// Name of the equipment or area.
    pub equipment_name: String,
    /// 名称.
    pub tag_name: String,
}

/// A list of alarms.
#[derive(Serialize, ToSchema)]
pub struct AlarmsJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence.
    pub seq: u64,
    /// Highest level first, then newest.
    pub alarms: Vec<AlarmJson>,
}

/// Setpoints of a tag.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct LimitsJson {
    /// 低低报
    pub low_low: Option<f64>,
    /// 低报
    pub low: Option<f64>,
    /// 高报
    pub high: Option<f64>,
    /// 高高报
    pub high_high: Option<f64>,
}

/// The worst alarm of a tag.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct WorstJson {
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
}

/// A tag with its newest reading.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// 名称.
    pub name: String,
    /// What it measures.
    pub signal: String,
    /// In Chinese.
    pub signal_zh: &'static str,
    /// Unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// Which equipment or area.
    pub equipment: String,
    /// Its name.
    pub equipment_name: String,
    /// Through which gateway.
    pub gateway: Option<String>,
    /// Measuring range.
    #[schema(value_type = Option<Vec<f64>>)]
    pub range: Option<(f64, f64)>,
    /// What 0 and 1 are called.
    #[schema(value_type = Option<Vec<String>>)]
    pub labels: Option<[String; 2]>,
    /// 投用.
    pub in_service: bool,
    /// `shelved`, `out-of-service`, `under-test`, `commissioning` or `commissioning-overdue` where the whole tag is.
    pub marks: Vec<&'static str>,
    /// Setpoints as configured: those of the ordinary mode.
    pub limits: LimitsJson,
    /// Setpoints by which it is judged now, in the mode of its equipment.
    pub limits_in_force: LimitsJson,
    /// The mode of its equipment; null where that has only one.
    pub mode: Option<ModeJson>,
    /// Its conditions that are suppressed by design now: raises are recorded and told to nobody.
    #[schema(value_type = Vec<ConditionName>)]
    pub suppressed: Vec<Condition>,
    /// 设定依据
    pub basis: String,
    /// Newest value.
    pub value: Option<f64>,
    /// Its quality; null before the first reading.
    #[schema(value_type = Option<QualityName>)]
    pub quality: Option<Quality>,
    /// By the gateway's clock.
    pub source_time: Option<i64>,
    /// By ours.
    pub receive_time: Option<i64>,
    /// Its worst alarm.
    pub worst: Option<WorstJson>,
}

/// A page of tags.
#[derive(Serialize, ToSchema)]
pub struct TagsJson {
    /// The engine's time.
    pub now: i64,
    /// So many fit the question.
    pub total: usize,
    /// This page of them, by id.
    pub tags: Vec<TagJson>,
}
