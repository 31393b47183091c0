//! Acts of people. The console checks that they are well-formed and within the login's jurisdiction; the engine decides.

use super::{App, Body};
use crate::access::{LoggedIn, Viewer};
use crate::bounds::{ACT_ID_CHARS_MAX, ACT_ITEMS_MAX, ACT_TIMEOUT, CONSOLE_NAME_CHARS_MAX};
use crate::error::ApiError;
use crate::json::{ACTS, ActAnswerJson, ActRequestJson, ErrorJson, RefusalJson};
use crate::words::{self, Text};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::bounds::{COMMENT_CHARS_MAX, REFERENCE_CHARS_MAX, SCOPE_MAX};
use model::{Act, ActAnswer, ActId, ActKind, BodyId, Case, CaseId, EpisodeRef, Refusal, Scope, TransitionKey};
use std::sync::Arc;

/// Sends an act to the engine and answers after its commit.
#[utoipa::path(post, path = "/api/v1/acts", tag = "acts", request_body = ActRequestJson, responses(
    (status = 200, description = "Done", body = ActAnswerJson),
    (status = 400, description = "bad-request", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "forbidden, cross-site", body = ErrorJson),
    (status = 409, description = "Refused; nothing changed", body = ActAnswerJson),
    (status = 503, description = "engine-busy: send it again with the same id", body = ErrorJson),
))]
pub(crate) async fn act(State(app): State<App>, login: LoggedIn, Body(request): Body<ActRequestJson>) -> Response {
    match answer(&app, &login, request).await {
        Ok(response) => response,
        Err(error) => error.language(login.language).into_response(),
    }
}

/// Who does it is taken from the session, never from the request.
async fn answer(app: &App, login: &LoggedIn, request: ActRequestJson) -> Result<Response, ApiError> {
    let by = login.viewer.actor().ok_or_else(|| ApiError::forbidden("forbidden"))?;
    let (id, act) = (request.id.clone(), request.act.clone());
    let what = request.into_kind().map_err(|field| lacks(&act, field))?;
    check(&id, &what)?;
    let case = match what.case() {
        Some(id) => find(app, id).await?,
        None => None,
    };
    let of_window = what.window().and_then(|(id, _)| window_owner(app, id));
    if !within(&login.viewer, &what, case.as_deref(), of_window.as_ref()) {
        tracing::warn!(person = %by.person, act = what.name(), "act outside the jurisdiction refused");
        let now = (app.settings.clock)();
        return Ok(worded(app, None, ActAnswer::Refused { now, reasons: vec![Refusal::OutsideJurisdiction] }));
    }
    let act = Act { id: ActId::from(id), by, what };
    let busy = || ApiError::unavailable("engine-busy").after(std::time::Duration::from_secs(1));
    let answer = tokio::time::timeout(ACT_TIMEOUT, app.engine.act(act)).await.map_err(|_| busy())?.map_err(|_| busy())?;
    Ok(worded(app, case.as_deref(), answer))
}

fn worded(app: &App, case: Option<&Case>, answer: ActAnswer) -> Response {
    match answer {
        ActAnswer::Done { now } => Json(ActAnswerJson { answer: "done", now: now.as_millis(), reasons: Vec::new() }).into_response(),
        ActAnswer::Refused { now, reasons } => {
            let word = |refusal: Refusal| {
                let text = words::refusal(&app.plant(), case, &refusal);
                RefusalJson { refusal, text_zh: text.zh, text_en: text.en }
            };
            let reasons = reasons.into_iter().map(word).collect();
            (StatusCode::CONFLICT, Json(ActAnswerJson { answer: "refused", now: now.as_millis(), reasons })).into_response()
        }
    }
}

async fn find(app: &App, id: &CaseId) -> Result<Option<Arc<Case>>, ApiError> {
    if let Some(case) = app.view.case(id) {
        return Ok(Some(case));
    }
    let id = id.clone();
    Ok(app.read(move |records| records.case(&id)).await?.map(Arc::new))
}

/// Whose a window is; one nobody knows goes on to the engine, which says so.
fn window_owner(app: &App, id: &ActId) -> Option<BodyId> {
    let (_, windows, _) = app.view.beside();
    windows.iter().find(|window| window.id == *id).map(|window| window.enterprise.clone())
}

/// Whether everything an act names belongs to what the login oversees. A case nobody knows goes on to the engine, which says so.
fn within(viewer: &Viewer, what: &ActKind, case: Option<&Case>, window: Option<&BodyId>) -> bool {
    let sees = |enterprise: &BodyId| viewer.sees(enterprise);
    let all_episodes = |episodes: &[EpisodeRef]| episodes.iter().all(|episode| sees(&episode.alarm.tag.enterprise));
    let all_keys = |keys: &[TransitionKey]| keys.iter().all(|key| sees(&key.alarm.tag.enterprise));
    case.is_none_or(|case| sees(&case.enterprise))
        && window.is_none_or(sees)
        && match what {
            ActKind::Acknowledge { episodes } | ActKind::Check { episodes, .. } => all_episodes(episodes),
            ActKind::ResetSiren { enterprise, .. } => sees(enterprise),
            ActKind::Accept { announcements, .. } | ActKind::Close { announcements, .. } => all_keys(announcements),
            ActKind::Silence { .. }
            | ActKind::Handle { .. }
            | ActKind::Report { .. }
            | ActKind::Review { .. }
            | ActKind::Return { .. }
            | ActKind::Remind { .. }
            | ActKind::Supervise { .. }
            | ActKind::Unshelve { .. }
            | ActKind::BackInService { .. }
            | ActKind::EndTest { .. }
            | ActKind::ConfirmWindow { .. } => true,
            ActKind::Shelve { scope, .. } | ActKind::OutOfService { scope, .. } | ActKind::BeginTest { scope, .. } => match scope {
                Scope::Alarms { alarms } => alarms.iter().all(|alarm| sees(&alarm.tag.enterprise)),
                Scope::Tags { tags } => tags.iter().all(|tag| sees(&tag.enterprise)),
                Scope::Area { enterprise, .. } | Scope::Gateway { enterprise, .. } => sees(enterprise),
            },
        }
}

/// An act that lacks a field it needs, or that is none.
fn lacks(act: &str, field: &'static str) -> ApiError {
    if field == "act" {
        let acts = ACTS.join(", ");
        return ApiError::bad_field(
            field,
            Text::new(format!("没有 {act};可以是 {acts}"), format!("there is no {act}; it is one of {acts}")),
        );
    }
    let (zh, en) = match field {
        "case" => ("处置单的 id", "the id of the case"),
        "announcements" => ("所见各次报警的 `key` 数组", "an array of the `key` objects of the announcements shown"),
        "episodes" => ("所见报警的 {alarm, episode} 数组", "an array of the {alarm, episode} shown"),
        "outcome" => ("核实结论,如 real", "the outcome, such as real"),
        "comment" | "reason" => ("文字", "a text"),
        "scope" => ("{\"of\": \"tags\", \"tags\": [\"企业/位号\"]} 等", "such as {\"of\": \"tags\", \"tags\": [\"enterprise/tag\"]}"),
        "until" => ("1970 年以来的毫秒数", "milliseconds since 1970"),
        "window" => ("开窗那次操作的 id", "the id of the act that filed the window"),
        "permit" | "ticket" => ("编号", "its number"),
        "console" | "enterprise" | "zone" => ("其 id", "its id"),
        _ => ("必填", "it is needed"),
    };
    ApiError::bad_field(field, Text::new(format!("{act} 要有:{zh}"), format!("{act} needs it: {en}")))
}

/// Refuses what is beyond its bounds, by the name of its field.
fn check(id: &str, what: &ActKind) -> Result<(), ApiError> {
    let bounded = |field: &str, text: &str, least: usize, most: usize, plain: bool| {
        if (least..=most).contains(&text.chars().count()) && !(plain && text.chars().any(char::is_control)) {
            return Ok(());
        }
        let (zh, en) = if plain { (",不含控制字符", ", no control characters") } else { ("", "") };
        Err(ApiError::bad_field(field, Text::new(format!("{least} 到 {most} 个字符{zh}"), format!("{least} to {most} characters{en}"))))
    };
    let some = |field: &str, count: usize, most: usize| {
        let text = || Text::new(format!("1 到 {most} 项"), format!("1 to {most} of them"));
        if (1..=most).contains(&count) { Ok(()) } else { Err(ApiError::bad_field(field, text())) }
    };
    let comment = |text: &str| bounded("comment", text, 0, COMMENT_CHARS_MAX, false);
    let filed = |scope: &Scope, reason: &str| {
        some("scope", scope.len(), SCOPE_MAX)?;
        bounded("reason", reason, 0, COMMENT_CHARS_MAX, false)
    };
    bounded("id", id.trim(), 1, ACT_ID_CHARS_MAX, true)?;
    bounded("id", id, 1, ACT_ID_CHARS_MAX, true)?;
    match what {
        ActKind::Silence { console } => bounded("console", console, 0, CONSOLE_NAME_CHARS_MAX, true),
        ActKind::Acknowledge { episodes } => some("episodes", episodes.len(), ACT_ITEMS_MAX),
        ActKind::ResetSiren { .. } => Ok(()),
        ActKind::Accept { announcements, .. } => some("announcements", announcements.len(), ACT_ITEMS_MAX),
        ActKind::Check { episodes, field, comment: words, .. } => {
            some("episodes", episodes.len(), ACT_ITEMS_MAX)?;
            if field.as_ref().is_some_and(|field| !field.reading.is_finite()) {
                return Err(ApiError::bad_field("field.reading", Text::new("一个数", "a number")));
            }
            comment(words)
        }
        ActKind::Close { announcements, comment: words, .. } => {
            some("announcements", announcements.len(), ACT_ITEMS_MAX)?;
            comment(words)
        }
        ActKind::Handle { comment: words, .. }
        | ActKind::Report { comment: words, .. }
        | ActKind::Review { comment: words, .. }
        | ActKind::Return { comment: words, .. }
        | ActKind::Remind { comment: words, .. }
        | ActKind::Supervise { comment: words, .. } => comment(words),
        ActKind::Shelve { scope, reason, .. } => filed(scope, reason),
        ActKind::OutOfService { scope, reason, permit, .. } => {
            filed(scope, reason)?;
            bounded("permit", permit, 0, REFERENCE_CHARS_MAX, true)
        }
        ActKind::BeginTest { scope, reason, ticket, .. } => {
            filed(scope, reason)?;
            bounded("ticket", ticket, 0, REFERENCE_CHARS_MAX, true)
        }
        ActKind::Unshelve { window }
        | ActKind::BackInService { window }
        | ActKind::EndTest { window }
        | ActKind::ConfirmWindow { window } => bounded("window", window.as_str(), 0, ACT_ID_CHARS_MAX, false),
    }
}
