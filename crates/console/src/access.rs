//! Who asks, what they may see, and whether the request is really theirs.
//!
//! Scope is decided here and nowhere else: a [`Viewer`] sees an enterprise if its body oversees it; the engine's own alarms
//! are those of its keepers and of whoever stands above them. A request that changes something and leans on the cookie must carry a header that pages
//! of other sites cannot send, and must not name another origin.

use crate::error::{ApiError, Asked};
use crate::routes::App;
use crate::sessions::TokenHash;
use crate::{Account, Language, Role};
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use model::plant::Plant;
use model::{Actor, BodyId, PersonId, Tier};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "watchfire_session";
/// The header that cookie-authenticated changes must carry.
pub(crate) const HEADER: &str = "x-watchfire";

/// A login and what it may see.
#[derive(Clone)]
pub(crate) struct Viewer {
    pub plant: Arc<Plant>,
    pub account: Account,
    pub tier: Option<Tier>,
}

impl Viewer {
    pub fn new(plant: Arc<Plant>, account: Account) -> Self {
        let tier = account.role.tier();
        Self { plant, account, tier }
    }
    /// Whether it may see what belongs to an enterprise.
    pub fn sees(&self, enterprise: &BodyId) -> bool {
        // The engine's own alarms are those of its keepers and of the top body: the tree says so like of any other body.
        self.account.role == Role::Admin || self.account.body.as_ref().is_some_and(|body| self.plant.oversees(body, enterprise))
    }
    /// Whether it may see what a person was told: people of its own body and of those below.
    pub fn sees_person(&self, person: &PersonId) -> bool {
        if self.account.role == Role::Admin {
            return true;
        }
        let body = self.plant.person(person).map(|person| &person.body);
        self.account.body.as_ref().zip(body).is_some_and(|(own, theirs)| self.plant.oversees(own, theirs))
    }
    /// Whether nothing is hidden from it, so that totals over everything may be told.
    pub fn sees_everything(&self) -> bool {
        matches!(self.account.role, Role::Admin | Role::County)
    }
    /// For whom its acts count; an admin acts for nobody.
    pub fn actor(&self) -> Option<Actor> {
        let (body, tier) = self.account.body.clone().zip(self.tier)?;
        Some(Actor { person: self.account.person.clone(), body, tier })
    }
    /// The tier from which "answered" is seen; an admin looks with the enterprise's eyes.
    pub fn eyes(&self) -> Tier {
        self.tier.unwrap_or(Tier::ENTERPRISE)
    }
}

/// A viewer with the session it came by. As an argument of a handler it is the login check itself.
#[derive(Clone)]
pub(crate) struct LoggedIn {
    pub viewer: Viewer,
    pub session: TokenHash,
    /// Cancelled when the session ends.
    pub ended: CancellationToken,
    pub language: Language,
}

impl<S: Send + Sync> FromRequestParts<S> for LoggedIn
where
    App: FromRef<S>,
{
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let language = Asked::of(parts).0.unwrap_or(app.settings.language);
        logged_in(parts, &app, language).map_err(|error| error.language(language))
    }
}

fn logged_in(parts: &Parts, app: &App, language: Language) -> Result<LoggedIn, ApiError> {
    let (token, from_cookie) = token(&parts.headers).ok_or_else(ApiError::not_logged_in)?;
    let (session_hash, session) = app.sessions.touch(token, (app.settings.monotonic)()).ok_or_else(ApiError::not_logged_in)?;
    let account = app.accounts.find(&session.username).filter(|account| account.enabled && account.stamp == session.stamp);
    let plant = app.plant();
    let Some(account) = account.filter(|account| account.misfit(&plant).is_none()) else {
        app.sessions.end(&session_hash);
        return Err(ApiError::not_logged_in());
    };
    if from_cookie && !is_safe(&parts.method) && !parts.headers.contains_key(HEADER) {
        return Err(ApiError::forbidden("cross-site"));
    }
    Ok(LoggedIn { viewer: Viewer::new(plant, account), session: session_hash, ended: session.ended, language })
}

pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The token of a request and whether it came by cookie. A bearer, even a wrong one, is never overruled by a cookie.
pub(crate) fn token(headers: &HeaderMap) -> Option<(&str, bool)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| (token.trim(), false));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut ours = cookies.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE);
    ours.next().map(|(_, token)| (token, true))
}

/// Whether a changing request may come from where it says it comes from. Programs name no origin and are let through.
pub(crate) fn same_origin(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    // Browsers say it outright where they can.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if public_url.is_some_and(|url| url.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.zip(named).is_some_and(|(host, named)| host.eq_ignore_ascii_case(named))
}

/// The client's address: the peer's, or what a trusted proxy says.
pub(crate) fn address(parts: &Parts, trusted: &[IpAddr]) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    if !trusted.contains(&peer) {
        return peer;
    }
    // The proxy appends the address it saw; whatever stands before it was written by the client.
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    forwarded.and_then(|value| value.rsplit(',').next()).and_then(|last| last.trim().parse().ok()).unwrap_or(peer)
}
