//! A console on a port of its own with an engine and records that do as they are told.

use crate::plant::{self, ENTERPRISES, NOW};
use console::{
    Accounts, ActFuture, Engine, EngineBusy, LiveView, Message, QuarantineList, QuarantineRow, Readiness, Records, RecordsError, Role,
    Settings, TimelineEntry, Trend, TrendPoint, Update,
};
use model::{Act, ActAnswer, Actor, Case, CaseEvent, CaseEventKind, CaseId, Level, Plant, TagId, Tier, Timestamp};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const PASSWORD: &str = "Correct-horse-9";
pub const LOGINS: [(&str, Role, Option<&str>); 6] = [
    ("wang", Role::Enterprise, Some("ent-hx")),
    ("chen", Role::Enterprise, Some("ent-lz")),
    ("li", Role::Township, Some("town-a")),
    ("zhou", Role::Township, Some("town-b")),
    ("sun", Role::County, Some("county")),
    ("root", Role::Admin, None),
];

/// What a login may see, written down once more by hand.
pub fn may_see(username: &str, enterprise: &str) -> bool {
    match username {
        "wang" | "li" => enterprise == "ent-hx",
        "chen" | "zhou" => enterprise == "ent-lz",
        "sun" | "root" => true,
        other => panic!("who is {other}?"),
    }
}

pub fn fresh_accounts() -> Accounts {
    let accounts = Accounts::in_memory();
    for (username, role, body) in LOGINS {
        accounts.add(username, role, body.map(Into::into), username.into(), PASSWORD).unwrap();
    }
    accounts
}

/// Hashing is slow on purpose, so tests that change no account share them.
static ACCOUNTS: LazyLock<Accounts> = LazyLock::new(fresh_accounts);

#[derive(Default)]
pub struct FakeEngine {
    pub acts: Mutex<Vec<Act>>,
    pub answer: Mutex<Option<Result<ActAnswer, EngineBusy>>>,
    pub not_ready: AtomicBool,
}

impl Engine for FakeEngine {
    fn act(&self, act: Act) -> ActFuture<'_> {
        Box::pin(async move {
            self.acts.lock().unwrap().push(act);
            self.answer.lock().unwrap().clone().unwrap_or(Ok(ActAnswer::Done { now: NOW }))
        })
    }
    fn may(&self, _: &Case, actor: &Actor) -> Vec<String> {
        if actor.tier == Tier::ENTERPRISE { vec!["acknowledge".into(), "accept".into()] } else { vec!["accept".into()] }
    }
    fn ready(&self) -> Readiness {
        let ready = !self.not_ready.load(Ordering::Relaxed);
        Readiness { ready, reasons: if ready { Vec::new() } else { vec!["not subscribed".into()] } }
    }
}

pub struct FakeRecords;

impl Records for FakeRecords {
    fn timeline(&self, case: &CaseId) -> Result<Vec<TimelineEntry>, RecordsError> {
        let what = CaseEventKind::Opened { level: Level::Orange };
        let event = CaseEvent { case: case.clone(), at: NOW, what, act: None, by: None, tier: None, comment: String::new() };
        if *case == plant::case_id("_system") {
            return Ok(crate::words::everything_that_may_happen());
        }
        let above = plant::notification("ent-hx", Tier::COUNTY, "sun");
        Ok(vec![TimelineEntry::Event(event), TimelineEntry::Notification(above)])
    }
    fn case(&self, case: &CaseId) -> Result<Option<Case>, RecordsError> {
        // One old case that memory has forgotten.
        Ok((case.as_str() == "old-ent-hx").then(|| Case { id: case.clone(), closed: Some(NOW), ..plant::case("ent-hx") }))
    }
    fn closed_cases(&self, _: usize) -> Result<Vec<Case>, RecordsError> {
        Ok(Vec::new())
    }
    fn messages(&self, _: usize) -> Result<Vec<Message>, RecordsError> {
        Ok(Vec::new())
    }
    fn quarantine(&self, _: usize) -> Result<QuarantineList, RecordsError> {
        let row = |enterprise: Option<&str>, topic: String| QuarantineRow {
            source: "broker".into(),
            topic,
            enterprise: enterprise.map(Into::into),
            reason: "malformed".into(),
            detail: String::new(),
            at: NOW,
            payload: b"{\x00\"<b>\xff".to_vec(),
        };
        let mut rows: Vec<_> = ENTERPRISES.iter().map(|name| row(Some(name), format!("watchfire/v1/{name}/X"))).collect();
        rows.push(row(None, "nobodys/topic".into()));
        Ok(QuarantineList { total: 7, rows })
    }
    fn trend(&self, tag: &TagId, from: Timestamp, to: Timestamp, points: usize) -> Result<Trend, RecordsError> {
        if &*tag.tag == "never" {
            return Ok(Trend::default());
        }
        // Says what it was asked.
        let point = TrendPoint { from, to, count: points as u32, bad: 0, min: Some(1.0), max: Some(3.0), last: Some(2.0) };
        Ok(Trend { points: vec![point], gaps: Vec::new(), damaged: 0 })
    }
}

pub struct Site {
    pub base: String,
    pub view: Arc<LiveView>,
    pub engine: Arc<FakeEngine>,
    pub accounts: Accounts,
    pub seconds: Arc<AtomicU64>,
    pub shutdown: CancellationToken,
    pub plant: Arc<Plant>,
    pub served: tokio::task::JoinHandle<()>,
    http: reqwest::Client,
}

impl Site {
    pub async fn start() -> Self {
        Self::with(ACCOUNTS.clone(), |_| {}).await
    }
    pub async fn with(accounts: Accounts, change: impl FnOnce(&mut Settings)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut settings = Settings::new(address, Arc::new(|| NOW));
        let seconds = Arc::new(AtomicU64::new(0));
        let reading = seconds.clone();
        settings.monotonic = Arc::new(move || Duration::from_secs(reading.load(Ordering::Relaxed)));
        settings.phones.insert("wang".into(), "138****1234".into());
        change(&mut settings);
        let plant = Arc::new(plant::plant());
        let view = Arc::new(LiveView::new(plant.clone()));
        let engine = Arc::new(FakeEngine::default());
        let shutdown = CancellationToken::new();
        let registry = prometheus::Registry::new();
        let served = tokio::spawn(console::serve_on(
            listener,
            settings,
            view.clone(),
            engine.clone(),
            Arc::new(FakeRecords),
            accounts.clone(),
            registry,
            shutdown.clone(),
        ));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self { base: format!("http://{address}"), view, engine, accounts, seconds, shutdown, plant, served, http }
    }
    /// Every enterprise has one of everything.
    pub async fn in_trouble() -> Self {
        let site = Self::start().await;
        site.view.apply(Update {
            seq: 1,
            now: NOW,
            alarms: ENTERPRISES.map(plant::live_alarm).to_vec(),
            cases: ENTERPRISES.map(plant::case).to_vec(),
            notifications: vec![
                plant::notification("ent-hx", Tier::ENTERPRISE, "wang"),
                plant::notification("ent-hx", Tier::TOWNSHIP, "li"),
                plant::notification("ent-hx", Tier::COUNTY, "sun"),
                plant::notification("ent-lz", Tier::ENTERPRISE, "chen"),
                plant::notification("_system", Tier::COUNTY, "sun"),
            ],
            sirens: ENTERPRISES.map(plant::siren).to_vec(),
            link: Some(("broker".into(), true, NOW)),
            steered: Some(plant::steered()),
            ..Update::default()
        });
        site
    }
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }
    pub async fn try_login(&self, username: &str, password: &str, headers: HeaderMap) -> Response {
        let body = json!({ "username": username, "password": password });
        self.request(Method::POST, "/api/v1/login").headers(headers).json(&body).send().await.unwrap()
    }
    /// A bearer token.
    pub async fn login(&self, username: &str) -> String {
        let response = self.try_login(username, PASSWORD, HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::OK, "{username}");
        response.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
    }
    pub async fn get(&self, token: &str, path: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(token).send().await.unwrap()
    }
    pub async fn get_json(&self, token: &str, path: &str) -> Value {
        let response = self.get(token, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
    pub async fn act(&self, token: &str, act: &Value) -> (StatusCode, Value) {
        let response = self.request(Method::POST, "/api/v1/acts").bearer_auth(token).json(act).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
    pub async fn events(&self, token: &str) -> Events {
        let response = self.get(token, "/api/v1/events").await;
        assert_eq!(response.status(), StatusCode::OK);
        Events::of(response)
    }
}

/// A percent-encoded path segment.
pub fn segment(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

pub fn header(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    headers
}

/// One server-sent event.
#[derive(Debug)]
pub struct Sent {
    pub event: String,
    pub id: String,
    pub data: Value,
    pub text: String,
}

/// Reads a stream of events.
pub struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    pub fn of(response: Response) -> Self {
        Self { response, buffer: Vec::new() }
    }
    /// The next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block = String::from_utf8(self.buffer.drain(..end + 2).collect()).unwrap();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
                let text = field("data:");
                return Some(Sent { event: field("event:"), id: field("id:"), data: serde_json::from_str(&text).unwrap(), text });
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.buffer.extend(&chunk);
        }
    }
    /// The next event of a name, whatever comes before it.
    pub async fn named(&mut self, name: &str) -> Sent {
        loop {
            let sent = self.next().await.expect("the stream goes on");
            if sent.event == name {
                return sent;
            }
        }
    }
}
