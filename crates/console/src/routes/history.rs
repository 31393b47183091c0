//! The history of one tag.

use super::{App, Ask};
use crate::access::LoggedIn;
use crate::bounds::{HISTORY_POINTS_DEFAULT, HISTORY_SPAN_DEFAULT_MILLIS};
use crate::error::ApiError;
use crate::json::{ErrorJson, HistoryJson};
use crate::words::Text;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use model::bounds::HISTORY_POINTS_MAX;
use model::{TagId, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Source time in milliseconds; an hour before `to` by default.
    from: Option<i64>,
    /// Source time in milliseconds, not included; now by default.
    to: Option<i64>,
    /// At most so many points, 500 by default and 2,000 at most.
    points: Option<usize>,
}

/// Lowest, highest and newest values of a tag over a span, in a bounded number of points. A year needs no more time than an hour.
#[utoipa::path(get, path = "/api/v1/tags/{enterprise}/{tag}/history", tag = "lists",
    params(
        ("enterprise" = String, Path, description = "Percent-encoded as one segment"),
        ("tag" = String, Path, description = "Percent-encoded as one segment"),
        HistoryQuery,
    ),
    responses(
        (status = 200, body = HistoryJson),
        (status = 400, description = "bad-request", body = ErrorJson),
        (status = 401, description = "not-logged-in", body = ErrorJson),
        (status = 404, description = "not-found; a tag outside the jurisdiction is not found either", body = ErrorJson),
        (status = 503, description = "records-unavailable", body = ErrorJson),
    )
)]
pub(crate) async fn history(
    State(app): State<App>,
    login: LoggedIn,
    Path((enterprise, tag)): Path<(String, String)>,
    Ask(query): Ask<HistoryQuery>,
) -> Response {
    match read(&app, &login, TagId::new(enterprise, tag), &query).await {
        Ok(history) => Json(history).into_response(),
        Err(error) => error.language(login.language).into_response(),
    }
}

async fn read(app: &App, login: &LoggedIn, tag: TagId, query: &HistoryQuery) -> Result<HistoryJson, ApiError> {
    if !login.viewer.sees(&tag.enterprise) {
        return Err(ApiError::not_found());
    }
    let to = query.to.unwrap_or_else(|| app.now().saturating_add(1));
    let from = query.from.unwrap_or_else(|| to.saturating_sub(HISTORY_SPAN_DEFAULT_MILLIS));
    let points = query.points.unwrap_or(HISTORY_POINTS_DEFAULT);
    if from >= to {
        return Err(ApiError::bad_field("from", Text::new("要早于 `to`", "is to be earlier than `to`")));
    }
    if !(1..=HISTORY_POINTS_MAX).contains(&points) {
        let most = HISTORY_POINTS_MAX;
        return Err(ApiError::bad_field("points", Text::new(format!("1 到 {most}"), format!("1 to {most}"))));
    }
    let asked = tag.clone();
    let trend = app.read(move |records| records.trend(&asked, Timestamp::from_millis(from), Timestamp::from_millis(to), points)).await?;
    // One that was taken out of the configuration still has its past; one that never was has none.
    if trend.points.is_empty() && app.plant().tag_index(&tag).is_none() {
        return Err(ApiError::not_found());
    }
    Ok(HistoryJson::new(app.now(), tag.to_string(), (from, to), &trend))
}
