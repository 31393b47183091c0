//! How the console is run.

use crate::{Language, Tuning};
use model::{PersonId, Timestamp};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

/// Where wall time comes from: the engine's clock, which never runs backwards.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the console is run. Made by [`Settings::new`]; every field may be set after that.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address people type, such as `https://watchfire.example`; pages of this origin may send acts.
    pub public_url: Option<String>,
    /// 【演示】 on every page.
    pub demo: bool,
    /// How much faster than real time the demonstration runs.
    pub time_factor: f64,
    /// What the demonstration plays now; shown on every page.
    pub scene: Arc<RwLock<Option<String>>>,
    /// Language of the API's error texts where the request names none.
    pub language: Language,
    /// The session cookie travels by https only. Set it wherever TLS stands before the console.
    pub cookie_secure: bool,
    /// Masked phone numbers, such as `138****1234`. Whole ones have no business here.
    pub phones: BTreeMap<PersonId, String>,
    /// The engine's clock.
    pub clock: Clock,
    /// Monotonic time since some start, for sessions and limits.
    pub monotonic: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// A session not used this long ends.
    pub session_idle_max: Duration,
    /// A session this old ends, however used.
    pub session_age_max: Duration,
    /// A client has this long to send its request head.
    pub head_timeout: Duration,
    /// Proxies whose `X-Forwarded-For` names the real client.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whoever plans and applies configurations.
    pub tuning: Option<Arc<dyn Tuning>>,
}

impl Settings {
    /// Plain http at `listen`, Chinese, sessions of a shift's length (12 h unused, a week in all).
    pub fn new(listen: SocketAddr, clock: Clock) -> Self {
        let start = Instant::now();
        Self {
            listen,
            public_url: None,
            demo: false,
            time_factor: 1.0,
            scene: Arc::default(),
            language: Language::Zh,
            cookie_secure: false,
            phones: BTreeMap::new(),
            clock,
            monotonic: Arc::new(move || start.elapsed()),
            session_idle_max: Duration::from_secs(12 * 3600),
            session_age_max: Duration::from_secs(7 * 24 * 3600),
            head_timeout: crate::bounds::HEAD_TIMEOUT,
            trusted_proxies: Vec::new(),
            tuning: None,
        }
    }
}
