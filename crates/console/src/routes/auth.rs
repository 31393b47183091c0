//! Login, logout, who am I.

use super::{App, Body};
use crate::access::{self, COOKIE, LoggedIn, Viewer};
use crate::error::{ApiError, Asked};
use crate::json::{ErrorJson, LoggedInJson, LoginJson, MeJson};
use crate::render::Render;
use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::net::IpAddr;

/// The client's address.
pub(crate) struct From(IpAddr);

impl FromRequestParts<App> for From {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(access::address(parts, &app.settings.trusted_proxies)))
    }
}

/// Opens a session. A session that came with the request ends: a token planted before login is worth nothing after it.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = LoginJson, responses(
    (status = 200, description = "Logged in; the session cookie is set too", body = LoggedInJson),
    (status = 401, description = "wrong-login", body = ErrorJson),
    (status = 403, description = "cross-site, account-unfit", body = ErrorJson),
    (status = 429, description = "too-many-tries", body = ErrorJson),
))]
pub(crate) async fn login(
    State(app): State<App>,
    asked: Asked,
    From(address): From,
    headers: HeaderMap,
    Body(login): Body<LoginJson>,
) -> Response {
    let language = asked.0.unwrap_or(app.settings.language);
    match open(&app, address, &headers, &login).await {
        Ok(response) => response,
        Err(error) => error.language(language).into_response(),
    }
}

fn counted(app: &App, result: &str) {
    app.metrics.logins.with_label_values(&[result]).inc();
}

async fn open(app: &App, address: IpAddr, headers: &HeaderMap, login: &LoginJson) -> Result<Response, ApiError> {
    let stopped = |wait| {
        counted(app, "too-many-tries");
        tracing::warn!(username = ?shown(&login.username), %address, "login refused: too many tries");
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries").after(wait)
    };
    app.tries.ask(&login.username, address, (app.settings.monotonic)()).map_err(stopped)?;
    // Waiting here is bounded by the request's time; hashing is bounded so that logins never take the engine's cores.
    let permit = app.hashes.clone().acquire_owned().await.map_err(|_| ApiError::unavailable("engine-busy"))?;
    app.tries.begin(&login.username, address, (app.settings.monotonic)()).map_err(stopped)?;
    let (accounts, username, password) = (app.accounts.clone(), login.username.clone(), login.password.clone());
    let verify = move || {
        // Given back when the hash is done, not when the client has gone.
        let _permit = permit;
        accounts.verify(&username, &password)
    };
    let account = tokio::task::spawn_blocking(verify).await.ok().flatten();
    let Some(account) = account else {
        counted(app, "wrong");
        tracing::warn!(username = ?shown(&login.username), %address, "wrong login");
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "wrong-login"));
    };
    app.tries.right(&login.username, address);
    if let Some(misfit) = account.misfit(&app.plant()) {
        counted(app, "unfit");
        tracing::warn!(username = %account.username, %misfit, "login refused");
        return Err(ApiError::forbidden("account-unfit"));
    }
    if let Some((old, _)) = access::token(headers) {
        app.sessions.end_token(old);
    }
    let token = app.sessions.open(&account.username, &account.stamp, (app.settings.monotonic)());
    counted(app, "right");
    tracing::info!(username = %account.username, %address, "logged in");
    let me = Render { app, viewer: &Viewer::new(app.plant(), account) }.me();
    // A page served by TLS before us says so itself.
    let by_https = headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let cookie = cookie(&token, app.settings.session_age_max.as_secs(), app.settings.cookie_secure || by_https);
    Ok(([(header::SET_COOKIE, cookie)], Json(LoggedInJson { token, me })).into_response())
}

/// Ends the session and its streams.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 403, description = "cross-site", body = ErrorJson),
))]
pub(crate) async fn logout(State(app): State<App>, login: LoggedIn) -> Response {
    app.sessions.end(&login.session);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0, app.settings.cookie_secure))]).into_response()
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses(
    (status = 200, body = MeJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn me(State(app): State<App>, login: LoggedIn) -> Json<MeJson> {
    Json(Render { app: &app, viewer: &login.viewer }.me())
}

fn cookie(token: &str, age: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
    HeaderValue::try_from(text).expect("a token is hexadecimal, so the cookie is plain ASCII")
}

/// A user name for the log: what was typed, cut; the log escapes what could forge a line.
fn shown(username: &str) -> String {
    username.chars().take(crate::accounts::USERNAME_CHARS_MAX).collect()
}
