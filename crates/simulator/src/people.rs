//! People who act through the HTTP API with their own logins, like a person at a desk.

use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Every call ends within this.
const CALL_MAX: Duration = Duration::from_secs(10);

/// Why a person could not do what they wanted.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The engine did not answer.
    #[error("no answer: {0}")]
    NoAnswer(#[from] reqwest::Error),
    /// Wrong name or password, or no right.
    #[error("{status}: {body}")]
    Http {
        /// Status.
        status: StatusCode,
        /// What it said.
        body: String,
    },
    /// The engine refused the act, with its reasons.
    #[error("refused: {0}")]
    Refused(String),
}

/// One person's desk: a session with the engine.
pub struct Desk {
    http: reqwest::Client,
    base: String,
    login: (String, String),
    token: Mutex<String>,
    /// The person's id.
    pub person: String,
    name: String,
    counter: AtomicU64,
    prefix: String,
}

impl Desk {
    /// Logs in at `base` (`http://host:port`).
    pub async fn login(base: &str, username: &str, password: &str) -> Result<Self, DeskError> {
        let http = reqwest::Client::builder().timeout(CALL_MAX).no_proxy().build()?;
        let answer = log_in(&http, base, username, password).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            http,
            base: base.to_owned(),
            login: (username.to_owned(), password.to_owned()),
            token: Mutex::new(text(&answer["token"])),
            person: text(&answer["me"]["person"]),
            name: text(&answer["me"]["name"]),
            counter: AtomicU64::new(0),
            // An act's id must differ from those of any earlier desk of the same person.
            prefix: format!("{username}-{:016x}", fastrand::u64(..)),
        })
    }
    /// The person's name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// GET of an API path.
    pub async fn get(&self, path: &str) -> Result<Value, DeskError> {
        let ask = || self.http.get(format!("{}{path}", self.base)).bearer_auth(self.token());
        let answer = ask().send().await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return read(answer).await;
        }
        self.log_in_again().await?;
        read(ask().send().await?).await
    }
    /// The session's token, for calls this desk does not know.
    pub fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// A session ends when the engine restarts; a person types the password again.
    async fn log_in_again(&self) -> Result<(), DeskError> {
        let answer = log_in(&self.http, &self.base, &self.login.0, &self.login.1).await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = answer["token"].as_str().unwrap_or_default().to_owned();
        Ok(())
    }
    /// The first open case for which `wanted` holds.
    pub async fn find_case(&self, wanted: impl Fn(&Value) -> bool) -> Result<Option<Value>, DeskError> {
        let cases = self.get("/api/v1/cases?state=open").await?;
        Ok(cases["cases"].as_array().into_iter().flatten().find(|case| wanted(case)).cloned())
    }
    /// Sends an act; the same act is sent again, under the same id, when the engine does not answer.
    pub async fn act(&self, mut what: Value) -> Result<(), DeskError> {
        let id = format!("{}-{}", self.prefix, self.counter.fetch_add(1, Ordering::Relaxed));
        what["id"] = id.into();
        let mut tries = 0;
        loop {
            let sent = self.http.post(format!("{}/api/v1/acts", self.base)).bearer_auth(self.token()).json(&what).send().await;
            match sent {
                Ok(answer) if answer.status() == StatusCode::CONFLICT => {
                    let body: Value = answer.json().await?;
                    let reasons = body["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason["text_zh"].as_str());
                    return Err(DeskError::Refused(reasons.collect::<Vec<_>>().join("; ")));
                }
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && tries < 20 => {
                    tries += 1;
                    self.log_in_again().await?;
                }
                Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => return read(answer).await.map(|_| ()),
                Ok(_) | Err(_) if tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                Ok(answer) => return read(answer).await.map(|_| ()),
                Err(error) => return Err(error.into()),
            }
        }
    }
    /// 报警确认 of every episode the case shows that still wants it.
    pub async fn acknowledge(&self, case: &Value) -> Result<(), DeskError> {
        self.act(json!({ "act": "acknowledge", "episodes": episodes(case) })).await
    }
    /// 签收 of everything the case shows.
    pub async fn accept(&self, case: &Value) -> Result<(), DeskError> {
        self.act(json!({ "act": "accept", "case": case["id"], "announcements": keys(case) })).await
    }
    /// 核实 of every episode the case shows.
    pub async fn check(&self, case: &Value, outcome: &str, field: Option<Value>, comment: &str) -> Result<(), DeskError> {
        let episodes = episodes(case);
        self.act(
            json!({ "act": "check", "case": case["id"], "episodes": episodes, "outcome": outcome, "field": field, "comment": comment }),
        )
        .await
    }
    /// 处置, 反馈, 复核, 退回, 催办 or 督办, by their API names.
    pub async fn step(&self, act: &str, case: &Value, comment: &str) -> Result<(), DeskError> {
        self.act(json!({ "act": act, "case": case["id"], "comment": comment })).await
    }
    /// 办结 of everything the case shows.
    pub async fn close(&self, case: &Value, comment: &str) -> Result<(), DeskError> {
        self.act(json!({ "act": "close", "case": case["id"], "announcements": keys(case), "comment": comment })).await
    }
    /// 现场声光复位.
    pub async fn reset_siren(&self, enterprise: &str, zone: &str) -> Result<(), DeskError> {
        self.act(json!({ "act": "reset-siren", "enterprise": enterprise, "zone": zone })).await
    }
}

async fn log_in(http: &reqwest::Client, base: &str, username: &str, password: &str) -> Result<Value, DeskError> {
    read(http.post(format!("{base}/api/v1/login")).json(&json!({ "username": username, "password": password })).send().await?).await
}

async fn read(answer: reqwest::Response) -> Result<Value, DeskError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer.json().await.unwrap_or(Value::Null));
    }
    Err(DeskError::Http { status, body: answer.text().await.unwrap_or_default() })
}

fn episodes(case: &Value) -> Vec<Value> {
    case["episodes"].as_array().into_iter().flatten().map(|e| json!({ "alarm": e["alarm"], "episode": e["episode"] })).collect()
}

fn keys(case: &Value) -> Vec<Value> {
    case["announcements"].as_array().into_iter().flatten().map(|announcement| announcement["key"].clone()).collect()
}
