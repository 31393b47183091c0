//! The server: what it takes on a connection, for how long, and how it ends.
//!
//! `axum::serve` sets no timer, so a client that never finishes its request head would hold a connection for ever; hyper is
//! driven here directly. TLS is the business of a proxy before it.

use crate::bounds::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, SHUTDOWN_GRACE, VALUES_EVERY, WRITE_TIMEOUT};
use crate::patience::Patient;
use crate::routes::{self, App};
use crate::{Accounts, CLOSED_CASES_KEPT, Engine, LiveView, MESSAGES_KEPT, Records, Settings, access, pages};
use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::CompressionLayer;

/// New logins are on disk after this, so that an untidy end does not take them.
const SESSIONS_WRITTEN_EVERY: Duration = Duration::from_secs(1);
/// No script, style, frame or connection but our own; nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// Serves on a listener that is bound already, so that whoever starts the engine can tell early that a port is in use. Ends when
/// shutdown is asked for: open streams at once, other requests once they are answered.
#[allow(clippy::too_many_arguments, reason = "called in one place, by names of the same spelling")]
pub async fn serve_on(
    listener: TcpListener,
    settings: Settings,
    view: Arc<LiveView>,
    engine: Arc<dyn Engine>,
    records: Arc<dyn Records>,
    accounts: Accounts,
    registry: prometheus::Registry,
    shutdown: CancellationToken,
) {
    let (trusted, head_timeout) = (settings.trusted_proxies.clone(), settings.head_timeout);
    let tracker = TaskTracker::new();
    tracker.spawn(remember(view.clone(), records.clone()));
    tracker.spawn(publish_values(view.clone(), shutdown.clone()));
    let app = App::new(settings, view, engine, records, accounts, registry, shutdown.clone());
    tracker.spawn(keep_sessions(app.clone(), shutdown.clone()));
    let router = guarded(app);
    let places = Places { all: Arc::new(Semaphore::new(CONNECTIONS_MAX)), by_address: Arc::default(), trusted };
    loop {
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Usually no descriptors left: others need the time to give some back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // A full house closes the door at once: a waiting client would learn nothing.
        if let Some(place) = places.take(peer.ip()) {
            tracker.spawn(connection(stream, peer, router.clone(), head_timeout, shutdown.clone(), place));
        }
    }
    drop(listener);
    tracker.close();
    if tokio::time::timeout(SHUTDOWN_GRACE, tracker.wait()).await.is_err() {
        tracing::info!("connections still open were cut");
    }
}

fn guarded(app: App) -> Router {
    routes::api(&app)
        .fallback(pages::page)
        // Event streams are left alone by it.
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// Headers that keep a browser from doing with our pages and answers what they are not for.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_page = !request.uri().path().starts_with("/api/");
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("page", MatchedPath::as_str);
    // Methods are the client's words and would make labels without end.
    let method = if access::is_safe(&method) { "GET" } else { "POST" };
    app.metrics.requests.with_label_values(&[method, route, response.status().as_str()]).inc();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set("content-security-policy", CONTENT_SECURITY_POLICY);
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    set("referrer-policy", "no-referrer");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), microphone=(), geolocation=()");
    if app.settings.cookie_secure {
        set("strict-transport-security", "max-age=31536000");
    }
    if !is_page {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head_timeout: Duration,
    shutdown: CancellationToken,
    place: Place,
) {
    // Live events are small and must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        TowerToHyperService::new(router.clone()).call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(Patient::new(stream, WRITE_TIMEOUT)), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(SHUTDOWN_GRACE, connection.as_mut()).await {
                Ok(served) => served,
                Err(_) => Ok(()),
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "connection ended");
    }
    drop(place);
}

/// What the store knows from before this start. Until it is read, the pages show what has happened since.
async fn remember(view: Arc<LiveView>, records: Arc<dyn Records>) {
    let read = move || -> Result<(), crate::RecordsError> {
        view.seed(records.closed_cases(CLOSED_CASES_KEPT)?, records.messages(MESSAGES_KEPT)?);
        Ok(())
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "earlier cases and messages are not shown"),
        Err(error) => tracing::error!(%error, "earlier cases and messages are not shown"),
    }
}

async fn publish_values(view: Arc<LiveView>, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(VALUES_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => view.publish_values(),
        }
    }
}

/// Sessions outlive a restart, an untidy one too.
async fn keep_sessions(app: App, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(SESSIONS_WRITTEN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ending = false;
    while !ending {
        ending = tokio::select! {
            () = shutdown.cancelled() => true,
            _ = tick.tick() => false,
        };
        let app = app.clone();
        let written = tokio::task::spawn_blocking(move || app.write_sessions()).await;
        if let Err(error) = written {
            tracing::warn!(%error, "writing the sessions ended early");
        }
    }
}

/// A bounded number of connections, and of one address.
struct Places {
    all: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    trusted: Vec<IpAddr>,
}

/// One connection's place; given back when dropped.
struct Place {
    address: Option<IpAddr>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Places {
    fn take(&self, address: IpAddr) -> Option<Place> {
        let permit = self.all.clone().try_acquire_owned().ok()?;
        // Behind a proxy everybody has its address.
        let counted = !address.is_loopback() && !self.trusted.contains(&address);
        if counted {
            let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_address.entry(address).or_default();
            if *count >= CONNECTIONS_PER_ADDRESS_MAX {
                return None;
            }
            *count += 1;
        }
        Some(Place { address: counted.then_some(address), by_address: self.by_address.clone(), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }
}
