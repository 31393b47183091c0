//! The routes, by what they are about, and what all of them share.

mod acts;
mod auth;
mod cases;
mod config;
mod events;
mod health;
mod history;
mod lists;
mod windows;

use crate::accounts::{hex, random_token};
use crate::bounds::{BODY_BYTES_MAX, CONFIG_BYTES_MAX, CONFIG_TIMEOUT, HASHES_AT_ONCE_MAX, REQUEST_TIMEOUT, STREAMS_MAX};
use crate::error::{ApiError, Asked};
use crate::metrics::Metrics;
use crate::sessions::{Sessions, TokenHash};
use crate::tries::Tries;
use crate::words::Text;
use crate::{Accounts, Engine, LiveView, Records, RecordsError, Settings, access};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use model::plant::Plant;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every handler may use.
pub(crate) struct Shared {
    pub settings: Settings,
    pub view: Arc<LiveView>,
    pub engine: Arc<dyn Engine>,
    pub records: Arc<dyn Records>,
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub tries: Tries,
    pub hashes: Arc<Semaphore>,
    pub streams: Arc<Semaphore>,
    pub streams_by_session: Mutex<HashMap<TokenHash, usize>>,
    pub metrics: Metrics,
    /// Differs with every start.
    pub instance: String,
    pub registry: prometheus::Registry,
    pub shutdown: CancellationToken,
}

/// Shared by all handlers.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    #[allow(clippy::too_many_arguments, reason = "called in one place, by names of the same spelling")]
    pub fn new(
        settings: Settings,
        view: Arc<LiveView>,
        engine: Arc<dyn Engine>,
        records: Arc<dyn Records>,
        accounts: Accounts,
        registry: prometheus::Registry,
        shutdown: CancellationToken,
    ) -> Self {
        let path = accounts.folder().map(|folder| folder.join("sessions.json"));
        let sessions = Sessions::new(settings.session_idle_max, settings.session_age_max, path);
        if let Err(error) = sessions.read((settings.monotonic)()) {
            tracing::warn!(%error, "sessions of before are not taken up; people log in again");
        }
        Self(Arc::new(Shared {
            settings,
            view,
            engine,
            records,
            accounts,
            sessions,
            tries: Tries::default(),
            hashes: Arc::new(Semaphore::new(HASHES_AT_ONCE_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            streams_by_session: Mutex::default(),
            metrics: Metrics::new(&registry),
            instance: hex(&random_token()[..4]),
            registry,
            shutdown,
        }))
    }
    /// The configuration in force.
    pub fn plant(&self) -> Arc<Plant> {
        self.view.plant()
    }
    /// The engine's time in milliseconds.
    pub fn now(&self) -> i64 {
        (self.settings.clock)().as_millis()
    }
    /// Writes down what sessions there are. Blocking.
    pub fn write_sessions(&self) {
        if let Err(error) = self.sessions.write((self.settings.monotonic)()) {
            tracing::warn!(%error, "sessions cannot be written; a restart will ask people to log in again");
        }
    }
    /// Reads the records off the async threads.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Records) -> Result<T, RecordsError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        let read = tokio::task::spawn_blocking(move || read(&*app.records)).await;
        match read {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                tracing::error!(%error, "records cannot be read");
                Err(ApiError::unavailable("records-unavailable"))
            }
            Err(error) => {
                tracing::error!(%error, "reading the records ended early");
                Err(ApiError::unavailable("records-unavailable"))
            }
        }
    }
}

/// All API routes, guarded; their description is kept for whoever asks.
pub(crate) fn api(app: &App) -> Router<App> {
    let (timed, mut document) = timed().split_for_parts();
    let (streams, of_streams) = streams().split_for_parts();
    let (large, of_large) = large().split_for_parts();
    document.merge(of_streams);
    document.merge(of_large);
    crate::openapi::keep(document);
    timed
        .layer(from_fn_with_state(app.clone(), in_time))
        .merge(streams)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .merge(large.layer(DefaultBodyLimit::max(CONFIG_BYTES_MAX)).layer(from_fn_with_state(app.clone(), in_long_time)))
        .layer(from_fn_with_state(app.clone(), from_here))
}

/// Makes the description without a router to serve.
pub(crate) fn describe() {
    let (_, mut document) = timed().split_for_parts();
    document.merge(streams().split_for_parts().1);
    document.merge(large().split_for_parts().1);
    crate::openapi::keep(document);
}

fn timed() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(auth::login))
        .routes(routes!(auth::logout))
        .routes(routes!(auth::me))
        .routes(routes!(lists::overview))
        .routes(routes!(cases::cases))
        .routes(routes!(cases::case))
        .routes(routes!(lists::alarms))
        .routes(routes!(lists::tags))
        .routes(routes!(history::history))
        .routes(routes!(acts::act))
        .routes(routes!(config::config))
        .routes(routes!(config::change))
        .routes(routes!(config::backtest))
        .routes(routes!(config::backtest_of))
        .routes(routes!(lists::messages))
        .routes(routes!(lists::people))
        .routes(routes!(lists::sirens))
        .routes(routes!(windows::windows))
        .routes(routes!(windows::points))
        .routes(routes!(lists::quarantine))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
}

/// Streams last, so they have no time limit.
fn streams() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events::events))
}

/// What takes whole configurations, or brings one into force.
fn large() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(config::plan)).routes(routes!(config::apply)).routes(routes!(config::confirm))
}

/// As [`in_time`], for what has more to do.
async fn in_long_time(State(app): State<App>, request: Request, next: Next) -> Response {
    within(CONFIG_TIMEOUT, &app, request, next).await
}

/// Bounds the time of a request, so that nobody holds a connection by sending a body a byte at a time.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    within(REQUEST_TIMEOUT, &app, request, next).await
}

async fn within(limit: std::time::Duration, app: &App, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let language = Asked::of(&parts).0.unwrap_or(app.settings.language);
    let request = Request::from_parts(parts, body);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(StatusCode::REQUEST_TIMEOUT, "too-slow").language(language).into_response(),
    }
}

/// Refuses changes that a browser sends from another site, before anything else looks at them.
async fn from_here(State(app): State<App>, request: Request, next: Next) -> Response {
    let changes = !access::is_safe(request.method());
    if changes && !access::same_origin(request.headers(), app.settings.public_url.as_deref()) {
        let (parts, _) = request.into_parts();
        let language = Asked::of(&parts).0.unwrap_or(app.settings.language);
        return ApiError::forbidden("cross-site").language(language).into_response();
    }
    next.run(request).await
}

/// The parameters of a question; what cannot be read is said in the API's own form.
pub(crate) struct Ask<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Ask<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let language = Asked::of(parts).0.unwrap_or(app.settings.language);
        Query::try_from_uri(&parts.uri).map(|Query(asked)| Self(asked)).map_err(|rejection| {
            let said = std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
            let (field, said) = said.split_once(": ").filter(|(field, _)| !field.contains(' ')).unwrap_or(("", &said));
            ApiError::misread(field, said).language(language)
        })
    }
}

/// A JSON body, within the bound, read from a request that says it is JSON.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let language = Asked::of(&parts).0.unwrap_or(app.settings.language);
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Forms of other sites cannot send this type without asking first.
        if !content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json").language(language));
        }
        let bytes = Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(|error| {
            let too_large = matches!(&error, BytesRejection::FailedToBufferBody(_)) && error.status() == StatusCode::PAYLOAD_TOO_LARGE;
            let error = if too_large {
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large")
            } else {
                ApiError::unreadable(Text::new("正文没有收全", "the body did not arrive whole"))
            };
            error.language(language)
        })?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json);
        read.map(Self).map_err(|error| ApiError::misread(&error.path().to_string(), &error.inner().to_string()).language(language))
    }
}
