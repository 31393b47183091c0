//! Acts and their answers.

use super::{ActName, AlarmRefJson, EpisodeJson, KeyJson, OutcomeName};
use serde::Serialize;
use utoipa::ToSchema;

/// An act: `id`, `act` and the fields of that act.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the request; it is read as model::ActKind")]
pub struct ActRequestJson {
    /// Any unique text of at most 100 characters. Sending it again gets the first answer.
    pub id: String,
    /// Which act.
    pub act: ActName,
    /// The case, for acts on one.
    pub case: Option<String>,
    /// `key` objects of the announcements shown: accept, close.
    pub announcements: Option<Vec<KeyJson>>,
    /// Episodes shown: acknowledge, check.
    pub episodes: Option<Vec<EpisodeRefJson>>,
    /// Outcome: check.
    #[schema(value_type = Option<OutcomeName>)]
    pub outcome: Option<String>,
    /// Who went there, when, and what the portable detector read: check.
    pub field: Option<FieldCheckJson>,
    /// A person's words; required by most acts on a case, may be empty text.
    pub comment: Option<String>,
    /// Which console: silence.
    pub console: Option<String>,
    /// What a window covers: shelve, out-of-service, begin-test. `{"of":"tags","tags":["ent/tag"]}`, `{"of":"alarms","alarms":[…]}`,
    /// `{"of":"area","enterprise":…,"equipment":…}` or `{"of":"gateway","enterprise":…,"gateway":…}`.
    #[schema(value_type = Option<Object>)]
    pub scope: Option<()>,
    /// Why: shelve, out-of-service, begin-test.
    pub reason: Option<String>,
    /// The permit's number: out-of-service.
    pub permit: Option<String>,
    /// The ticket's number: begin-test.
    pub ticket: Option<String>,
    /// When a window ends by itself, in microseconds since 1970.
    pub until: Option<i64>,
    /// The id of the act that filed a window: unshelve, back-in-service, end-test, confirm-window.
    pub window: Option<String>,
    /// Whose zone: reset-siren.
    pub enterprise: Option<String>,
    /// Which zone: reset-siren.
    pub zone: Option<String>,
}

/// An episode of an alarm.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request")]
pub struct EpisodeRefJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which.
    pub episode: EpisodeJson,
}

/// A field check.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request")]
pub struct FieldCheckJson {
    /// Person id of who went.
    pub person: String,
    /// When they were there, in microseconds since 1970.
    pub at: i64,
    /// What the portable detector read.
    pub reading: f64,
}

/// Why an act was refused: the fields of the refusal and its words.
#[derive(Serialize, ToSchema)]
pub struct RefusalJson {
    /// `reason` and what it names.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub refusal: model::Refusal,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
}

/// The answer to an act, after its commit.
#[derive(Serialize, ToSchema)]
pub struct ActAnswerJson {
    /// `done` or `refused`.
    pub answer: &'static str,
    /// The engine's time.
    pub now: i64,
    /// Why refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<RefusalJson>,
}
