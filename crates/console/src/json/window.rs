//! Windows filed by people, floods, 待调试 and 设计抑制.

use super::{AlarmStateName, ConditionName, LevelName, SuppressedByJson};
use model::{AlarmState, Condition, Level};
use serde::Serialize;
use utoipa::ToSchema;

/// 搁置, 停用 or 检维修/标定 of something, as this login sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WindowJson {
    /// Identity: the id of the act that filed it.
    pub id: String,
    /// `shelved`, `out-of-service` or `under-test`.
    pub kind: &'static str,
    /// In Chinese.
    pub kind_zh: &'static str,
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// What it covers, in Chinese.
    pub scope_zh: String,
    /// In English.
    pub scope_en: String,
    /// Why.
    pub reason: String,
    /// Number of the permit or ticket.
    pub reference: String,
    /// Person id of who answers for it.
    pub owner: String,
    /// Their name.
    pub owner_name: String,
    /// Filed.
    pub filed: i64,
    /// Ends by itself.
    pub until: i64,
    /// In force. One that waits for a confirmation narrows nothing.
    pub in_force: bool,
    /// `second-person` or `tier-above`: who has to confirm it.
    pub needs: Option<&'static str>,
    /// The lowest tier that may confirm it, where it is one above.
    pub needs_tier: Option<u8>,
    /// Name of who confirmed it.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed: Option<i64>,
    /// Announcements told to fewer people because of it.
    pub held: u32,
    /// What this login may try: `confirm-window` and the act that ends it.
    pub acts: Vec<&'static str>,
}

/// 报警洪水 at an enterprise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FloodJson {
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// Since when.
    pub since: i64,
    /// Announcements since then.
    pub count: u32,
}

/// 待调试: tags of one enterprise that one integrator is told of until one time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommissioningJson {
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// Name of the integrator.
    pub integrator: String,
    /// Its end.
    pub until: i64,
    /// The end has passed: these tags are told of as ever.
    pub overdue: bool,
    /// Tags.
    pub tags: usize,
}

/// 设计抑制: a condition suppressed by design now. Raises are recorded, shown and counted, and told to nobody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuppressedJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// 名称.
    pub tag_name: String,
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// In Chinese.
    pub condition_zh: &'static str,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State; one that is normal is suppressed as well.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
    /// Name of the enterprise.
    pub enterprise_name: String,
    /// Name of the equipment or area.
    pub equipment_name: String,
    /// Since when; null where it began before the engine's last start.
    pub since: Option<i64>,
    /// Raises told to nobody since.
    pub untold: u32,
    /// What suppresses it.
    pub by: Vec<SuppressedByJson>,
}

/// What narrows or floods who is told.
#[derive(Serialize, ToSchema)]
pub struct WindowsJson {
    /// The engine's time.
    pub now: i64,
    /// Waiting for a confirmation first, then by end.
    pub windows: Vec<WindowJson>,
    /// Floods now.
    pub floods: Vec<FloodJson>,
    /// 待调试, by enterprise and end.
    pub commissioning: Vec<CommissioningJson>,
    /// 设计抑制, by tag and condition.
    pub suppressed: Vec<SuppressedJson>,
}

/// One condition of a tag and when it was first raised.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProvenJson {
    /// Which condition.
    pub condition: &'static str,
    /// In Chinese.
    pub condition_zh: &'static str,
    /// First raised, ever; null where it has not been seen to work.
    pub at: Option<i64>,
}

/// What is known of a tag since it was first seen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PointJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// 名称.
    pub name: String,
    /// `in-service`, `commissioning`, `commissioning-overdue` or `out-of-service`.
    pub life: &'static str,
    /// First seen; null where it never was.
    pub first_seen: Option<i64>,
    /// Newest value since the engine started.
    pub value: Option<f64>,
    /// When, by the gateway's clock.
    pub source_time: Option<i64>,
    /// Unit.
    pub unit: String,
    /// Measuring range.
    #[schema(value_type = Option<Vec<f64>>)]
    pub range: Option<(f64, f64)>,
    /// Its conditions and which have been seen to work.
    pub limits: Vec<ProvenJson>,
}

/// A page of tags as points.
#[derive(Serialize, ToSchema)]
pub struct PointsJson {
    /// The engine's time.
    pub now: i64,
    /// So many fit the question.
    pub total: usize,
    /// Of those the login sees, never seen.
    pub never_seen: usize,
    /// This page of them, by id.
    pub points: Vec<PointJson>,
}

/// Windows counted for the top of every page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowCountsJson {
    /// Changes with every change of a window, flood or suppression by design.
    pub seq: u64,
    /// 搁置
    pub shelved: usize,
    /// 停用
    pub out_of_service: usize,
    /// 检维修/标定
    pub under_test: usize,
    /// Filed, waiting for a confirmation and not in force.
    pub waiting: usize,
    /// Announcements held by those in force.
    pub held: u64,
}
