//! The pages, embedded when the crate was built. Hashed files never change, unknown files do not exist, every other path is a
//! route of the page.

use crate::error::ApiError;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One embedded file.
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

// `ASSETS`, sorted by path, and `BUILT`.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Whether the real pages are embedded and not the one that says what to install.
pub const fn are_built() -> bool {
    BUILT
}

pub(crate) async fn page(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if let Some(asset) = find(path) {
        return serve(asset);
    }
    if path.starts_with("api/") {
        return ApiError::not_found().into_response();
    }
    let is_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let is_route = !is_file && !["assets/", "health/"].iter().any(|prefix| path.starts_with(prefix));
    match find("index.html").filter(|_| is_route) {
        Some(index) => serve(index),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok().map(|at| &ASSETS[at])
}

fn serve(asset: &'static Asset) -> Response {
    // Names under assets/ carry a hash of their content.
    let keep = if asset.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)), (header::CACHE_CONTROL, HeaderValue::from_static(keep))];
    (headers, asset.bytes).into_response()
}
