//! For operations: alive, ready, metrics, and the description of the API itself.

use super::App;
use crate::json::ReadyJson;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder, TextEncoder};

/// The process answers.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, description = "Alive", body = String)))]
pub(crate) async fn live() -> &'static str {
    "alive\n"
}

/// The engine can do its work: it is subscribed and its store is well.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, body = ReadyJson),
    (status = 503, description = "Not ready, with reasons", body = ReadyJson),
))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let readiness = app.engine.ready();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyJson { ready: readiness.ready, reasons: readiness.reasons })).into_response()
}

/// Metrics in Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "Prometheus text", body = String)))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&app.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operations", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::openapi::text()).into_response()
}
