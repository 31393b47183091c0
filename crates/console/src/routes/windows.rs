//! What stands beside the alarms: windows filed by people, floods, 待调试.

use super::App;
use crate::access::LoggedIn;
use crate::json::{ErrorJson, WindowsJson};
use crate::render::Render;
use axum::Json;
use axum::extract::State;

/// 搁置, 停用, 检维修 and 待调试 of what this login oversees, with owner, reason, time left and count, and the floods now.
#[utoipa::path(get, path = "/api/v1/windows", tag = "lists", responses(
    (status = 200, body = WindowsJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn windows(State(app): State<App>, login: LoggedIn) -> Json<WindowsJson> {
    Json(Render { app: &app, viewer: &login.viewer }.windows())
}
