//! Configurations: what is in force, what was, and what somebody means to change.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A configuration that is or was in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionJson {
    /// Content hash of its files.
    pub version: String,
    /// Content hash of rules and limits, which transitions name.
    pub rules: String,
    /// In force since, in epoch milliseconds.
    pub since: i64,
    /// Person id of whoever applied it; `start` where the program was started on it, `signal` where the folder was read again.
    pub author: String,
    /// 变更单号
    #[serde(default)]
    pub ticket: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Person id of the second person.
    #[serde(default)]
    pub second: Option<String>,
    /// Lines 放宽, against the one before.
    #[serde(default)]
    pub looser: usize,
    /// Lines 收紧.
    #[serde(default)]
    pub tighter: usize,
    /// Whether it was a way back to what had been in force; programs before did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_back: Option<bool>,
}

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanLineJson {
    /// Whose; none for what is everybody's.
    pub enterprise: Option<String>,
    /// Which tag.
    pub tag: Option<String>,
    /// Which condition of it.
    pub condition: Option<String>,
    /// Its name in Chinese.
    pub condition_zh: Option<String>,
    /// Which of several, such as a tier or a body.
    pub of: String,
    /// What of it, such as `setpoint`.
    pub item: String,
    /// The same in Chinese.
    pub item_zh: String,
    /// Before, in Chinese.
    pub old_zh: String,
    /// After, in Chinese.
    pub new_zh: String,
    /// Before, in English.
    pub old_en: String,
    /// After, in English.
    pub new_en: String,
    /// Unit of both.
    pub unit: String,
    /// `looser` 放宽, `tighter` 收紧, `unclear` (taken for 放宽) or `neutral`.
    pub direction: String,
    /// The highest level it bears on.
    pub level: Option<String>,
    /// 放宽 on a red or orange limit or a major hazard 一/二级.
    pub needs_ticket: bool,
}

/// What a change does to what runs now, by the newest values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanEffectJson {
    /// Which tag.
    pub tag: String,
    /// Which condition of it.
    pub condition: String,
    /// `would-raise`, `would-return`, `retired`, `delay-goes-on`, `delay-begins` or `delay-ends`.
    pub what: String,
    /// For a delay: when it will end, in epoch milliseconds.
    pub at: Option<i64>,
    /// In words.
    pub text_zh: String,
    /// In words.
    pub text_en: String,
}

/// Something about the files, with its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FaultJson {
    /// `file:line:column`.
    pub place: String,
    /// What, and what to write instead.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
}

/// What a new configuration would change. Nothing has been applied unless its status says so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlanJson {
    /// Names it in `apply` and `confirm`.
    pub id: String,
    /// `refused` (faults), `planned`, `waiting` (for the second person), `applying`, `applied`, `stale` (another one was applied since) or `declined`.
    pub status: String,
    /// Version in force when it was made.
    pub from: String,
    /// Version it leads to.
    pub to: String,
    /// When it was made, in epoch milliseconds.
    pub made: i64,
    /// Person id.
    pub author: String,
    /// The enterprises it touches; none where it touches what is everybody's.
    pub enterprises: Option<Vec<String>>,
    /// Lines 放宽, unclear ones among them.
    pub looser: usize,
    /// Lines 收紧.
    pub tighter: usize,
    /// Wants a change ticket, a reason and a second person.
    pub needs_ticket: bool,
    /// The lines, 放宽 first.
    pub lines: Vec<PlanLineJson>,
    /// Lines beyond the bound of the list.
    pub lines_left_off: usize,
    /// What it does to what runs now.
    pub effects: Vec<PlanEffectJson>,
    /// Effects beyond the bound of the list.
    pub effects_left_off: usize,
    /// Why it is refused.
    pub faults: Vec<FaultJson>,
    /// What of it takes effect at the next start: channels, broker, addresses. All else does not wait for it.
    pub at_next_start: Vec<FaultJson>,
    /// 变更单号
    pub ticket: String,
    /// Why.
    pub reason: String,
    /// Who is asked to confirm.
    pub second: Option<String>,
}

/// Configurations in force, before, and to come.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct ConfigJson {
    /// Newest last: what is in force.
    pub versions: Vec<VersionJson>,
    /// Those this login may see, newest first.
    pub plans: Vec<PlanJson>,
    /// What of the configuration in force waits for the next start.
    pub at_next_start: Vec<FaultJson>,
}

/// What a configuration that came into force changed, as the journal has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ConfigChangeJson {
    /// Which, by whom, why.
    pub version: VersionJson,
    /// The version in force before, where there was one.
    pub before: Option<String>,
    /// `applied`; `taken-at-start` or `taken-without-ticket`, of which the journal has no lines; none where it has nothing of it: the first
    /// start, or what is past its retention.
    pub event: Option<String>,
    /// The lines, 放宽 first, of enterprises that this login oversees; what is everybody's for the county and admins.
    pub lines: Vec<PlanLineJson>,
    /// Lines beyond the bound of the journal's entry.
    pub lines_left_off: usize,
}

/// One file, as text or, where it is none, in base64.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum FileJson {
    /// UTF-8.
    Text(String),
    /// Any bytes.
    Bytes {
        /// In base64.
        base64: String,
    },
}

/// What to plan.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequestJson {
    /// Files by their path in the configuration folder; without them the engine reads its own folder again.
    #[serde(default)]
    pub files: Option<BTreeMap<String, FileJson>>,
    /// Back to a version that was in force; empty for the one before the present one.
    #[serde(default)]
    pub rollback: Option<String>,
}

/// What to try on the history of readings.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestRequestJson {
    /// The plan whose configuration is tried against the one in force.
    pub plan: String,
    /// From here on, in epoch milliseconds; the beginning of the history by default.
    #[serde(default)]
    pub from: Option<i64>,
    /// Up to here; the end of the history by default.
    #[serde(default)]
    pub to: Option<i64>,
}

/// A backtest, running or done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct BacktestJson {
    /// Names it.
    pub id: String,
    /// The plan that is tried.
    pub plan: String,
    /// `running`, `done` or `failed`.
    pub status: String,
    /// How far it is.
    pub percent: u8,
    /// When it began, in epoch milliseconds.
    pub began: i64,
    /// Person id of whoever asked.
    pub by: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Once it is done, what `watchfire backtest --json` prints.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
}

/// What to apply.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequestJson {
    /// The plan.
    pub id: String,
    /// 变更单号
    #[serde(default)]
    pub ticket: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// The second person, by person id or by the name of a login of theirs; they confirm with a login of their own.
    #[serde(default)]
    pub second: Option<String>,
}

/// The second person's answer.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequestJson {
    /// The plan.
    pub id: String,
    /// False declines it.
    pub agree: bool,
}
