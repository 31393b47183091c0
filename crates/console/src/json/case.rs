//! Cases, their announcements and timelines.

use super::{ActName, AlarmStateName, AudienceName, CaseStepName, ConditionName, LevelName, OutcomeName};
use model::{AlarmState, CaseStep, Condition, Level, Outcome};
use serde::Serialize;
use utoipa::ToSchema;

/// An alarm's identity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmRefJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Which condition of it.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
}

/// One going and coming of an alarm.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct EpisodeJson {
    /// Microseconds since 1970, to be handed back unchanged.
    pub since: i64,
    /// For a second one at the same time.
    pub count: u32,
}

/// Names an announcement; to be handed back unchanged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which episode.
    pub episode: EpisodeJson,
    /// 0 for a raise.
    pub step: u32,
}

/// A tier's 签收.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignatureJson {
    /// Which tier.
    pub tier: u8,
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// When.
    pub at: i64,
}

/// A tier told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ToldJson {
    /// Which tier.
    pub tier: u8,
    /// When.
    pub at: i64,
}

/// What the rationalisation of a limit says to whoever must answer its alarm; empty where nothing was written.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RationaleJson {
    /// 原因
    pub cause: String,
    /// 后果
    pub consequence: String,
    /// 处置措施
    pub response: String,
    /// 允许响应时间, in seconds.
    pub respond_within_s: Option<i64>,
}

/// One announcement of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AnnouncementJson {
    /// Its name, to be handed back unchanged.
    pub key: KeyJson,
    /// The name as text.
    pub key_text: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// `enterprise/tag`.
    pub tag: String,
    /// 名称.
    pub tag_name: String,
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// The policy it climbs by.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// Announced.
    pub at: i64,
    /// Raised, on the tag's time.
    pub raised_at: i64,
    /// Value when raised.
    pub value: Option<f64>,
    /// Setpoint when raised.
    pub setpoint: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// Why the limit is there and what to do; null where nobody wrote it.
    pub rationale: Option<RationaleJson>,
    /// 补传.
    pub late: bool,
    /// Raises folded into it.
    pub folded: u32,
    /// The enterprise's 签收 is due.
    pub sign_by: i64,
    /// And was missed.
    pub sign_missed: bool,
    /// Reminders so far.
    pub reminded: u32,
    /// To whom it is told: `everyone`, or `enterprise` under test, or `integrator` while 待调试.
    #[schema(value_type = AudienceName)]
    pub audience: model::Audience,
    /// Who signed.
    pub signed: Vec<SignatureJson>,
    /// Who was told.
    pub told: Vec<ToldJson>,
}

/// What the 核实 found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutcomeJson {
    /// Outcome.
    #[schema(value_type = OutcomeName)]
    pub outcome: Outcome,
    /// In Chinese.
    pub zh: &'static str,
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// When.
    pub at: i64,
}

/// One episode of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseEpisodeJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which.
    pub episode: EpisodeJson,
    /// Condition in Chinese.
    pub condition_zh: &'static str,
    /// Level of its condition.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State now.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
    /// 核实, once done.
    pub outcome: Option<OutcomeJson>,
}

/// How far one tier of a case is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseTierJson {
    /// Which tier.
    pub tier: u8,
    /// Which body.
    pub body: String,
    /// Its name.
    pub body_name: String,
    /// First told.
    pub told: Option<i64>,
    /// Somebody was reached.
    pub reached: Option<i64>,
    /// Nobody could be reached, so the next tier was told at once.
    pub passed: bool,
}

/// The next obligation of a case, for the countdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextJson {
    /// When.
    pub at: i64,
    /// tell, sign, remind, handle or wait.
    pub what: &'static str,
    /// For which tier, where it is one.
    pub tier: Option<u8>,
}

/// A case 处置单 as this login sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseJson {
    /// Identity; percent-encode it as one path segment.
    pub id: String,
    /// 单号.
    pub number: String,
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// Which equipment or area.
    pub equipment: String,
    /// Its name.
    pub equipment_name: String,
    /// Highest level so far.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// Where it is.
    #[schema(value_type = CaseStepName)]
    pub step: CaseStep,
    /// Opened.
    pub opened: i64,
    /// Closed.
    pub closed: Option<i64>,
    /// Handling is due.
    pub handle_by: Option<i64>,
    /// This login's tier signed everything it was told of.
    pub answered: bool,
    /// 督办 in force.
    pub supervised: bool,
    /// Times sent back.
    pub returned_count: u32,
    /// Announcements in order.
    pub announcements: Vec<AnnouncementJson>,
    /// Episodes.
    pub episodes: Vec<CaseEpisodeJson>,
    /// Tiers told, lowest first.
    pub tiers: Vec<CaseTierJson>,
    /// 首出: the alarm its disturbance began with.
    pub first_out: Option<AlarmRefJson>,
    /// The next obligation.
    pub next: Option<NextJson>,
    /// What this login may do now.
    #[schema(value_type = Vec<ActName>)]
    pub acts: Vec<String>,
}

/// One line of a case's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineJson {
    /// When.
    pub at: i64,
    /// Which kind of line.
    pub kind: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// Who did it.
    pub person: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// For which tier.
    pub tier: Option<u8>,
    /// Their words.
    pub comment: Option<String>,
    /// 补传.
    pub late: bool,
}

/// A case with its timeline.
#[derive(Serialize, ToSchema)]
pub struct CaseFullJson {
    /// The case.
    #[serde(flatten)]
    pub case: CaseJson,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineJson>,
}

/// A list of cases.
#[derive(Serialize, ToSchema)]
pub struct CasesJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence.
    pub seq: u64,
    /// Unanswered first, then by level, then newest.
    pub cases: Vec<CaseJson>,
}
