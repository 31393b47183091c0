//! Configurations: plan, apply, confirm. Who may do which is decided behind [`Tuning`], from the login and never from the request.

use super::{App, Ask, Body};
use crate::access::LoggedIn;
use crate::error::ApiError;
use crate::json::{
    ApplyRequestJson, BacktestJson, BacktestRequestJson, ConfigChangeJson, ConfigJson, ConfirmRequestJson, ErrorJson, PlanJson,
    PlanRequestJson,
};
use crate::port::{Tuning, TuningError};
use crate::words;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::IntoParams;

fn tuning(app: &App) -> Result<&Arc<dyn Tuning>, ApiError> {
    app.settings.tuning.as_ref().ok_or_else(|| ApiError::unavailable("engine-busy"))
}

fn answer<T: Serialize>(login: &LoggedIn, result: Result<T, TuningError>) -> Response {
    match result {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => worded(error).language(login.language).into_response(),
    }
}

fn worded(error: TuningError) -> ApiError {
    let status = match &error {
        TuningError::NoSuchPlan => StatusCode::NOT_FOUND,
        TuningError::Forbidden | TuningError::NotOwn(_) | TuningError::NotTheSecond | TuningError::SamePerson => StatusCode::FORBIDDEN,
        TuningError::BadPath | TuningError::BadBase64 | TuningError::WordsTooLong => StatusCode::BAD_REQUEST,
        TuningError::Busy | TuningError::Unreadable => StatusCode::SERVICE_UNAVAILABLE,
        TuningError::NothingBefore
        | TuningError::TicketNeeded
        | TuningError::SecondUnfit(_)
        | TuningError::Stale
        | TuningError::Refused
        | TuningError::Declined
        | TuningError::Waits
        | TuningError::BacktestRuns
        | TuningError::NothingToApply => StatusCode::CONFLICT,
    };
    let general = ApiError::new(status, error.code());
    match words::tuning(&error) {
        Some(detail) => general.detail(detail),
        None => general,
    }
}

/// Configurations in force, before and to come.
#[utoipa::path(get, path = "/api/v1/config", tag = "config", responses(
    (status = 200, body = ConfigJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn config(State(app): State<App>, login: LoggedIn) -> Response {
    match tuning(&app) {
        Ok(tuning) => Json(tuning.overview(&login.viewer.account)).into_response(),
        Err(error) => error.language(login.language).into_response(),
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Since when it was in force, as in the list of versions, where it came into force more than once; the newest by default.
    since: Option<i64>,
}

/// What a version that is or was in force changed when it came into force, line by line, also after a restart. At most the 2,000 lines of
/// the journal's entry, and of the versions in the list.
#[utoipa::path(get, path = "/api/v1/config/versions/{version}", tag = "config",
    params(("version" = String, Path, description = "As in the list of versions"), ChangeQuery),
    responses(
        (status = 200, body = ConfigChangeJson),
        (status = 401, description = "not-logged-in", body = ErrorJson),
        (status = 404, description = "not-found: no such version in the list", body = ErrorJson),
        (status = 503, description = "records-unavailable", body = ErrorJson),
    )
)]
pub(crate) async fn change(State(app): State<App>, login: LoggedIn, Path(version): Path<String>, Ask(query): Ask<ChangeQuery>) -> Response {
    let tuning = match tuning(&app) {
        Ok(tuning) => Arc::clone(tuning),
        Err(error) => return error.language(login.language).into_response(),
    };
    let by = login.viewer.account.clone();
    let read = tokio::task::spawn_blocking(move || tuning.change(&version, query.since, &by)).await;
    answer(&login, read.unwrap_or(Err(TuningError::Unreadable)))
}

/// Says what new files, or a way back, would change. Changes nothing.
#[utoipa::path(post, path = "/api/v1/config/plan", tag = "config", request_body = PlanRequestJson, responses(
    (status = 200, description = "What changes, each line marked; with faults its status is `refused`", body = PlanJson),
    (status = 400, description = "bad-request, bad-path, bad-base64", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "forbidden: the text names the enterprises that are not the login's", body = ErrorJson),
    (status = 404, description = "not-found: no such version", body = ErrorJson),
    (status = 409, description = "nothing-before: nothing was in force before", body = ErrorJson),
))]
pub(crate) async fn plan(State(app): State<App>, login: LoggedIn, Body(request): Body<PlanRequestJson>) -> Response {
    match tuning(&app) {
        Ok(tuning) => answer(&login, tuning.plan(request, login.viewer.account.clone()).await),
        Err(error) => error.language(login.language).into_response(),
    }
}

/// Applies a plan, or puts it before the second person where it wants one.
#[utoipa::path(post, path = "/api/v1/config/apply", tag = "config", request_body = ApplyRequestJson, responses(
    (status = 200, description = "`applied`, or `waiting` for the second person", body = PlanJson),
    (status = 400, description = "bad-request, words-too-long", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "forbidden", body = ErrorJson),
    (status = 404, description = "not-found", body = ErrorJson),
    (status = 409, description = "ticket-needed, second-unfit (its text names who could confirm), plan-stale, plan-declined, plan-waits, config-refused, \
        nothing-to-apply", body = ErrorJson),
    (status = 503, description = "engine-busy", body = ErrorJson),
))]
pub(crate) async fn apply(State(app): State<App>, login: LoggedIn, Body(request): Body<ApplyRequestJson>) -> Response {
    match tuning(&app) {
        Ok(tuning) => answer(&login, tuning.apply(request, login.viewer.account.clone()).await),
        Err(error) => error.language(login.language).into_response(),
    }
}

/// The second person agrees, and it is applied, or declines.
#[utoipa::path(post, path = "/api/v1/config/confirm", tag = "config", request_body = ConfirmRequestJson, responses(
    (status = 200, description = "`applied` or `declined`", body = PlanJson),
    (status = 400, description = "bad-request", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "not-the-second, same-person", body = ErrorJson),
    (status = 404, description = "not-found", body = ErrorJson),
    (status = 409, description = "plan-stale, plan-declined, config-refused, nothing-to-apply", body = ErrorJson),
))]
pub(crate) async fn confirm(State(app): State<App>, login: LoggedIn, Body(request): Body<ConfirmRequestJson>) -> Response {
    match tuning(&app) {
        Ok(tuning) => answer(&login, tuning.confirm(request, login.viewer.account.clone()).await),
        Err(error) => error.language(login.language).into_response(),
    }
}

/// Begins to try a plan on the history of readings against what is in force. One at a time; nothing changes and nobody is told.
#[utoipa::path(post, path = "/api/v1/backtests", tag = "config", request_body = BacktestRequestJson, responses(
    (status = 202, description = "Running; ask for it by its id", body = BacktestJson),
    (status = 400, description = "bad-request", body = ErrorJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "forbidden", body = ErrorJson),
    (status = 404, description = "not-found: no such plan", body = ErrorJson),
    (status = 409, description = "backtest-runs: one is running; config-refused: the plan has faults", body = ErrorJson),
))]
pub(crate) async fn backtest(State(app): State<App>, login: LoggedIn, Body(request): Body<BacktestRequestJson>) -> Response {
    match tuning(&app).map(|tuning| tuning.backtest(request, &login.viewer.account)) {
        Ok(Ok(begun)) => (StatusCode::ACCEPTED, Json(begun)).into_response(),
        Ok(Err(error)) => worded(error).language(login.language).into_response(),
        Err(error) => error.language(login.language).into_response(),
    }
}

/// How far a backtest is, and its result.
#[utoipa::path(get, path = "/api/v1/backtests/{id}", tag = "config",
    params(("id" = String, Path, description = "As it was begun")),
    responses(
        (status = 200, body = BacktestJson),
        (status = 401, description = "not-logged-in", body = ErrorJson),
        (status = 404, description = "not-found", body = ErrorJson),
    )
)]
pub(crate) async fn backtest_of(State(app): State<App>, login: LoggedIn, Path(id): Path<String>) -> Response {
    match tuning(&app) {
        Ok(tuning) => answer(&login, tuning.backtest_of(&id, &login.viewer.account)),
        Err(error) => error.language(login.language).into_response(),
    }
}
