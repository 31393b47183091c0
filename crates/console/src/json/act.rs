//! Acts and their answers.

use super::{ActName, AlarmRefJson, EpisodeJson, KeyJson, OutcomeName};
use model::{ActId, ActKind, BodyId, CaseId, EpisodeRef, FieldCheck, Outcome, PersonId, Scope, Timestamp, TransitionKey, ZoneId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An act: `id`, `act` and the fields of that act.
#[derive(Deserialize, ToSchema)]
pub struct ActRequestJson {
    /// Any unique text of at most 100 characters. Sending it again gets the first answer.
    pub id: String,
    /// Which act.
    #[schema(value_type = ActName)]
    pub act: String,
    /// The case, for acts on one.
    #[schema(value_type = Option<String>)]
    pub case: Option<CaseId>,
    /// `key` objects of the announcements shown: accept, close.
    #[schema(value_type = Option<Vec<KeyJson>>)]
    pub announcements: Option<Vec<TransitionKey>>,
    /// Episodes shown: acknowledge, check.
    #[schema(value_type = Option<Vec<EpisodeRefJson>>)]
    pub episodes: Option<Vec<EpisodeRef>>,
    /// Outcome: check.
    #[schema(value_type = Option<OutcomeName>)]
    pub outcome: Option<Outcome>,
    /// Who went there, when, and what the portable detector read: check.
    pub field: Option<FieldCheckJson>,
    /// A person's words; required by most acts on a case, may be empty text.
    pub comment: Option<String>,
    /// Which console: silence.
    pub console: Option<String>,
    /// What a window covers: shelve, out-of-service, begin-test.
    #[schema(value_type = Option<ScopeJson>)]
    pub scope: Option<Scope>,
    /// Why: shelve, out-of-service, begin-test.
    pub reason: Option<String>,
    /// The permit's number: out-of-service.
    pub permit: Option<String>,
    /// The ticket's number: begin-test.
    pub ticket: Option<String>,
    /// When a window ends by itself, in milliseconds since 1970: shelve, out-of-service, begin-test.
    pub until: Option<i64>,
    /// The id of the act that filed a window: unshelve, back-in-service, end-test, confirm-window.
    #[schema(value_type = Option<String>)]
    pub window: Option<ActId>,
    /// Whose zone: reset-siren.
    #[schema(value_type = Option<String>)]
    pub enterprise: Option<BodyId>,
    /// Which zone: reset-siren.
    #[schema(value_type = Option<String>)]
    pub zone: Option<ZoneId>,
}

impl ActRequestJson {
    /// The act, or the name of the field that it lacks. `act` itself is named where there is no such act.
    pub fn into_kind(self) -> Result<ActKind, &'static str> {
        let case = self.case.ok_or("case");
        let comment = self.comment.ok_or("comment");
        let announcements = self.announcements.ok_or("announcements");
        let episodes = self.episodes.ok_or("episodes");
        let (scope, reason) = (self.scope.ok_or("scope"), self.reason.ok_or("reason"));
        let until = self.until.map(Timestamp::from_millis).ok_or("until");
        let window = self.window.ok_or("window");
        Ok(match self.act.as_str() {
            "silence" => ActKind::Silence { console: self.console.ok_or("console")? },
            "acknowledge" => ActKind::Acknowledge { episodes: episodes? },
            "reset-siren" => ActKind::ResetSiren { enterprise: self.enterprise.ok_or("enterprise")?, zone: self.zone.ok_or("zone")? },
            "accept" => ActKind::Accept { case: case?, announcements: announcements? },
            "check" => ActKind::Check {
                case: case?,
                episodes: episodes?,
                outcome: self.outcome.ok_or("outcome")?,
                field: self.field.map(Into::into),
                comment: comment?,
            },
            "handle" => ActKind::Handle { case: case?, comment: comment? },
            "report" => ActKind::Report { case: case?, comment: comment? },
            "review" => ActKind::Review { case: case?, comment: comment? },
            "return" => ActKind::Return { case: case?, comment: comment? },
            "close" => ActKind::Close { case: case?, announcements: announcements?, comment: comment? },
            "remind" => ActKind::Remind { case: case?, comment: comment? },
            "supervise" => ActKind::Supervise { case: case?, comment: comment? },
            "shelve" => ActKind::Shelve { scope: scope?, reason: reason?, until: until? },
            "unshelve" => ActKind::Unshelve { window: window? },
            "out-of-service" => {
                ActKind::OutOfService { scope: scope?, reason: reason?, permit: self.permit.ok_or("permit")?, until: until? }
            }
            "back-in-service" => ActKind::BackInService { window: window? },
            "begin-test" => ActKind::BeginTest { scope: scope?, reason: reason?, ticket: self.ticket.ok_or("ticket")?, until: until? },
            "end-test" => ActKind::EndTest { window: window? },
            "confirm-window" => ActKind::ConfirmWindow { window: window? },
            _ => return Err("act"),
        })
    }
}

/// An episode of an alarm.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request, which is read as model::EpisodeRef")]
pub struct EpisodeRefJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which.
    pub episode: EpisodeJson,
}

/// What a window covers.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[allow(dead_code, reason = "describes a part of the request, which is read as model::Scope")]
pub enum ScopeOfJson {
    /// `alarms`.
    Alarms,
    /// `tags`.
    Tags,
    /// `enterprise` and `equipment`.
    Area,
    /// `enterprise` and `gateway`.
    Gateway,
}

/// What a window covers: `of` and the fields of that.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request, which is read as model::Scope")]
pub struct ScopeJson {
    /// Of what.
    pub of: ScopeOfJson,
    /// These alarms only, all of one enterprise: `alarms`.
    pub alarms: Option<Vec<AlarmRefJson>>,
    /// Everything on these tags, each `enterprise/tag`, all of one enterprise: `tags`.
    pub tags: Option<Vec<String>>,
    /// Whose: `area`, `gateway`.
    pub enterprise: Option<String>,
    /// Which equipment or area: `area`.
    pub equipment: Option<String>,
    /// Which gateway: `gateway`.
    pub gateway: Option<String>,
}

/// A field check.
#[derive(Deserialize, ToSchema)]
pub struct FieldCheckJson {
    /// Person id of who went.
    #[schema(value_type = String)]
    pub person: PersonId,
    /// When they were there, in milliseconds since 1970.
    pub at: i64,
    /// What the portable detector read.
    pub reading: f64,
}

impl From<FieldCheckJson> for FieldCheck {
    fn from(FieldCheckJson { person, at, reading }: FieldCheckJson) -> Self {
        Self { person, at: Timestamp::from_millis(at), reading }
    }
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
