//! What the tests of this crate share: an HTTP gateway that behaves badly on request, and the reports that come of it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use model::plant::ChannelKind;
use model::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration as Wait, Instant};
use watchfire_notifier::*;

/// No number of this kind can be dialled.
pub const NUMBER: &str = "10000001234";
/// How long anything may take before a test says that it never will.
pub const PATIENCE: Wait = Wait::from_secs(30);
/// 14:05:40 in China on 2024-11-24.
pub const NOW: Timestamp = Timestamp::from_secs(1_732_428_340);

/// What the gateway answers.
#[derive(Clone, Debug)]
pub enum Mode {
    /// 200 and this body.
    Ok(String),
    /// This status and body.
    Status(u16, String),
    /// 429 with this `Retry-After`.
    Busy(u64),
    /// Never answers.
    Hang,
    /// 500, as soon as the test allows it.
    Hold(Arc<tokio::sync::Notify>),
    /// 302 to there.
    Redirect(String),
    /// 200 and what it was sent, header included.
    Echo,
}

/// One call as the gateway saw it.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Clone)]
pub struct Gateway {
    pub url: String,
    state: Arc<Mutex<GatewayState>>,
}
struct GatewayState {
    /// For the next calls, one each; then `mode`.
    next: VecDeque<Mode>,
    mode: Mode,
    calls: Vec<Call>,
}

impl Gateway {
    pub async fn start(mode: Mode) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(GatewayState { next: VecDeque::new(), mode, calls: Vec::new() }));
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, state }
    }
    pub fn set(&self, mode: Mode) {
        self.state.lock().unwrap().mode = mode;
    }
    pub fn next(&self, modes: impl IntoIterator<Item = Mode>) {
        self.state.lock().unwrap().next.extend(modes);
    }
    pub fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

async fn answer(State(state): State<Arc<Mutex<GatewayState>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let mode = {
        let mut state = state.lock().unwrap();
        state.calls.push(Call { at: Instant::now(), method, path: uri.path().to_owned(), headers: headers.clone(), body: body.clone() });
        state.next.pop_front().unwrap_or_else(|| state.mode.clone())
    };
    match mode {
        Mode::Ok(text) => text.into_response(),
        Mode::Status(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Mode::Busy(seconds) => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], "busy").into_response(),
        Mode::Hang => std::future::pending().await,
        Mode::Hold(until) => {
            until.notified().await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Mode::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Mode::Echo => format!("{body} {headers:?}").into_response(),
    }
}

/// Facts with a value that the test moves.
#[derive(Default)]
pub struct Tank {
    percent: AtomicI64,
}
impl Tank {
    pub fn set(&self, percent: i64) {
        self.percent.store(percent, Ordering::SeqCst);
    }
}
impl Facts for Tank {
    fn facts(&self, notification: &Notification) -> Option<MessageFacts> {
        Some(MessageFacts {
            enterprise: "XX化工".to_owned(),
            equipment: "罐区V-101".to_owned(),
            signal: Signal::Level,
            unit: "%".to_owned(),
            current: Some(CurrentValue {
                value: Some(self.percent.load(Ordering::SeqCst) as f64),
                quality: Quality::Good,
                source_time: NOW,
                stale: false,
            }),
            number: "0412".to_owned(),
            ..MessageFacts::bare(notification)
        })
    }
}

/// A notifier under test, with everything it reported.
pub struct Bench {
    pub notifier: Notifier,
    pub tank: Arc<Tank>,
    pub clock: Arc<AtomicI64>,
    reports: Arc<Mutex<Vec<Attempt>>>,
}

impl Bench {
    pub fn start(channels: Vec<ChannelConfig>, time_scale: f64) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW.0));
        let reading = Arc::clone(&clock);
        let mut contacts = Contacts::default();
        for person in ["wang", "li"] {
            contacts.insert(person.into(), Phone::parse(&NUMBER.replace("1234", if person == "wang" { "1234" } else { "5678" })).unwrap());
        }
        let config = NotifierConfig {
            channels,
            contacts,
            time_scale,
            ..NotifierConfig::new(Arc::new(move || Timestamp(reading.load(Ordering::SeqCst))))
        };
        let tank = Arc::new(Tank::default());
        tank.set(91);
        let reports = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&reports);
        let notifier =
            Notifier::start(config, Arc::clone(&tank) as Arc<dyn Facts>, Arc::new(move |attempt| kept.lock().unwrap().push(attempt)))
                .unwrap();
        Self { notifier, tank, clock, reports }
    }
    pub fn reports(&self) -> Vec<Attempt> {
        self.reports.lock().unwrap().clone()
    }
    /// Waits until so many attempts are reported and gives all there are.
    pub async fn reported(&self, count: usize) -> Vec<Attempt> {
        eventually(&format!("{count} reports"), || self.reports().len() >= count).await;
        self.reports()
    }
    pub fn results(&self) -> Vec<(u32, AttemptResult)> {
        self.reports().iter().map(|attempt| (attempt.number, attempt.result)).collect()
    }
}

pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Wait::from_millis(5)).await;
    }
}

pub fn notification(case: &str, recipient: &str, channel: &str) -> Notification {
    Notification {
        key: NotificationKey {
            case: case.into(),
            announcement: format!("high-high@xx/1#罐/L!{case}/0"),
            tier: Tier::ENTERPRISE,
            purpose: Purpose::Announce,
            recipient: recipient.into(),
            channel: channel.into(),
            repeat: 0,
        },
        level: Level::Orange,
        alarm: AlarmId { tag: TagId::new("xx", "LIA-101"), condition: Condition::HighHigh },
        setpoint: Some(90.0),
        value: Some(90.6),
        raised_at: Timestamp::from_secs(1_732_428_312),
        sign_by: Timestamp::from_secs(1_732_428_612),
        late: false,
        delayed_by_outage: false,
        audience: Default::default(),
        change: None,
        at: Timestamp::from_secs(1_732_428_312),
    }
}

/// An SMS channel without a budget.
pub fn sms(webhook: WebhookConfig) -> ChannelConfig {
    ChannelConfig { budget: None, ..ChannelConfig::webhook("sms", ChannelKind::Sms, webhook, Lang::Zh) }
}
