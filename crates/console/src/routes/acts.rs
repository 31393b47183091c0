//! Acts of people. The console checks that they are well-formed and within the login's jurisdiction; the engine decides.

use super::{App, Body};
use crate::access::{LoggedIn, Viewer};
use crate::bounds::{ACT_ID_CHARS_MAX, ACT_ITEMS_MAX, ACT_TIMEOUT, CONSOLE_NAME_CHARS_MAX};
use crate::error::ApiError;
use crate::json::{ActAnswerJson, ActRequestJson, ErrorJson, RefusalJson};
use crate::words;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::bounds::{COMMENT_CHARS_MAX, REFERENCE_CHARS_MAX, SCOPE_MAX};
use model::{Act, ActAnswer, ActId, ActKind, BodyId, Case, CaseId, EpisodeRef, Refusal, Scope, TransitionKey};
use serde::Deserialize;
use std::sync::Arc;

/// An act as it comes in; who does it is taken from the session, never from the request.
#[derive(Deserialize)]
pub(crate) struct ActRequest {
    id: String,
    #[serde(flatten)]
    what: ActKind,
}

/// Sends an act to the engine and answers after its commit.
#[utoipa::path(post, path = "/api/v1/acts", tag = "acts", request_body = ActRequestJson, responses(
    (status = 200, description = "Done", body = ActAnswerJson),
    (status = 400, description = "bad-request", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "forbidden, cross-site", body = ErrorJson),
    (status = 409, description = "Refused; nothing changed", body = ActAnswerJson),
    (status = 503, description = "engine-busy: send it again with the same id", body = ErrorJson),
))]
pub(crate) async fn act(State(app): State<App>, login: LoggedIn, Body(request): Body<ActRequest>) -> Response {
    match answer(&app, &login, request).await {
        Ok(response) => response,
        Err(error) => error.language(login.language).into_response(),
    }
}

async fn answer(app: &App, login: &LoggedIn, request: ActRequest) -> Result<Response, ApiError> {
    let by = login.viewer.actor().ok_or_else(|| ApiError::forbidden("forbidden"))?;
    if !is_well_formed(&request) {
        return Err(ApiError::bad_request());
    }
    let case = match request.what.case() {
        Some(id) => find(app, id).await?,
        None => None,
    };
    let of_window = request.what.window().and_then(|(id, _)| window_owner(app, id));
    if !within(&login.viewer, &request.what, case.as_deref(), of_window.as_ref()) {
        tracing::warn!(person = %by.person, act = request.what.name(), "act outside the jurisdiction refused");
        let now = (app.settings.clock)();
        return Ok(worded(app, None, ActAnswer::Refused { now, reasons: vec![Refusal::OutsideJurisdiction] }));
    }
    let act = Act { id: ActId::from(request.id), by, what: request.what };
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

fn is_well_formed(request: &ActRequest) -> bool {
    let id = &request.id;
    let id_fits = !id.trim().is_empty() && id.chars().count() <= ACT_ID_CHARS_MAX && !id.chars().any(char::is_control);
    let fits = |comment: &str| comment.chars().count() <= COMMENT_CHARS_MAX;
    let names_some = |scope: &Scope| (1..=SCOPE_MAX).contains(&scope.len());
    let some = |count: usize| (1..=ACT_ITEMS_MAX).contains(&count);
    id_fits
        && match &request.what {
            ActKind::Silence { console } => console.chars().count() <= CONSOLE_NAME_CHARS_MAX && !console.chars().any(char::is_control),
            ActKind::Acknowledge { episodes } => some(episodes.len()),
            ActKind::ResetSiren { .. } => true,
            ActKind::Accept { announcements, .. } => some(announcements.len()),
            ActKind::Check { episodes, field, comment, .. } => {
                some(episodes.len()) && fits(comment) && field.as_ref().is_none_or(|field| field.reading.is_finite())
            }
            ActKind::Close { announcements, comment, .. } => some(announcements.len()) && fits(comment),
            ActKind::Handle { comment, .. }
            | ActKind::Report { comment, .. }
            | ActKind::Review { comment, .. }
            | ActKind::Return { comment, .. }
            | ActKind::Remind { comment, .. }
            | ActKind::Supervise { comment, .. } => fits(comment),
            ActKind::Shelve { scope, reason, .. } => names_some(scope) && fits(reason),
            ActKind::OutOfService { scope, reason, permit: number, .. } | ActKind::BeginTest { scope, reason, ticket: number, .. } => {
                names_some(scope) && fits(reason) && number.chars().count() <= REFERENCE_CHARS_MAX && !number.chars().any(char::is_control)
            }
            ActKind::Unshelve { window }
            | ActKind::BackInService { window }
            | ActKind::EndTest { window }
            | ActKind::ConfirmWindow { window } => window.as_str().chars().count() <= ACT_ID_CHARS_MAX,
        }
}
