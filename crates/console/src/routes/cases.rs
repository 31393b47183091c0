//! Cases and their timelines.

use super::{App, Ask};
use crate::access::LoggedIn;
use crate::bounds::ROWS_MAX;
use crate::error::ApiError;
use crate::json::{CaseFullJson, CasesJson, ErrorJson};
use crate::render::{Render, answered};
use crate::timeline;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use model::{Case, CaseId};
use serde::Deserialize;
use std::cmp::Reverse;
use std::sync::Arc;
use utoipa::IntoParams;

/// Which cases.
#[derive(Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// Not closed.
    #[default]
    Open,
    /// Closed.
    Closed,
    /// Both.
    All,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CasesQuery {
    /// open, closed or all; open by default.
    #[serde(default)]
    #[param(inline)]
    state: Which,
    /// 200 by default.
    limit: Option<usize>,
}

/// Cases this login oversees: unanswered first, then by level, then newest.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(CasesQuery), responses(
    (status = 200, body = CasesJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn cases(State(app): State<App>, login: LoggedIn, Ask(query): Ask<CasesQuery>) -> Json<CasesJson> {
    let (seq, _, open) = app.view.standing();
    let mut cases: Vec<Arc<Case>> = Vec::new();
    if matches!(query.state, Which::Open | Which::All) {
        cases.extend(open);
    }
    if matches!(query.state, Which::Closed | Which::All) {
        cases.extend(app.view.closed_cases());
    }
    cases.retain(|case| login.viewer.sees(&case.enterprise));
    let eyes = login.viewer.eyes();
    cases.sort_by_cached_key(|case| {
        (answered(case, eyes), case.closed.is_some(), Reverse(case.level), Reverse(case.opened), case.id.clone())
    });
    cases.truncate(query.limit.unwrap_or(200).min(ROWS_MAX));
    let render = Render { app: &app, viewer: &login.viewer };
    Json(CasesJson { now: app.now(), seq, cases: cases.iter().map(|case| render.case(case)).collect() })
}

/// One case with its timeline.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "cases",
    params(("id" = String, Path, description = "Percent-encoded as one segment")),
    responses(
        (status = 200, body = CaseFullJson),
        (status = 401, description = "not-logged-in", body = ErrorJson),
        (status = 404, description = "not-found; a case outside the jurisdiction is not found either", body = ErrorJson),
        (status = 503, description = "records-unavailable", body = ErrorJson),
    )
)]
pub(crate) async fn case(State(app): State<App>, login: LoggedIn, Path(id): Path<String>) -> Response {
    match full(&app, &login, CaseId::from(id)).await {
        Ok(case) => Json(case).into_response(),
        Err(error) => error.language(login.language).into_response(),
    }
}

async fn full(app: &App, login: &LoggedIn, id: CaseId) -> Result<CaseFullJson, ApiError> {
    let case = match app.view.case(&id) {
        Some(case) => Some(case),
        None => {
            let id = id.clone();
            app.read(move |records| records.case(&id)).await?.map(Arc::new)
        }
    };
    let case = case.filter(|case| login.viewer.sees(&case.enterprise)).ok_or_else(ApiError::not_found)?;
    let entries = app.read(move |records| records.timeline(&id)).await?;
    let render = Render { app, viewer: &login.viewer };
    Ok(CaseFullJson { case: render.case(&case), timeline: timeline::lines(&render, &case, entries) })
}
