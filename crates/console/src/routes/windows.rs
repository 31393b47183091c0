//! What stands beside the alarms: windows filed by people, floods, 待调试.

use super::{App, Ask};
use crate::access::LoggedIn;
use crate::bounds::ROWS_MAX;
use crate::json::{ErrorJson, PointsJson, WindowsJson};
use crate::render::Render;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

/// 搁置, 停用, 检维修 and 待调试 of what this login oversees, with owner, reason, time left and count, and the floods now.
#[utoipa::path(get, path = "/api/v1/windows", tag = "lists", responses(
    (status = 200, body = WindowsJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn windows(State(app): State<App>, login: LoggedIn) -> Json<WindowsJson> {
    Json(Render { app: &app, viewer: &login.viewer }.windows())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PointsQuery {
    /// Of this enterprise only.
    enterprise: Option<String>,
    /// Only those never seen.
    #[serde(default)]
    never_seen: bool,
    /// 200 by default.
    limit: Option<usize>,
    /// Skip so many.
    #[serde(default)]
    offset: usize,
}

/// Per tag when it was first seen, its last value and range, and which limits have been seen to work.
#[utoipa::path(get, path = "/api/v1/points", tag = "lists", params(PointsQuery), responses(
    (status = 200, body = PointsJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn points(State(app): State<App>, login: LoggedIn, Ask(query): Ask<PointsQuery>) -> Json<PointsJson> {
    let enterprise = query.enterprise.as_deref().filter(|enterprise| !enterprise.is_empty());
    let limit = query.limit.unwrap_or(200).min(ROWS_MAX);
    Json(Render { app: &app, viewer: &login.viewer }.points(enterprise, query.never_seen, query.offset, limit))
}
