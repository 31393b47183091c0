//! One call to an HTTP gateway, bounded in every direction: time, redirects, bytes read, text kept.
//!
//! No redirect is followed, no proxy of the environment is used and the address comes from configuration alone, so nobody who
//! writes a message or answers a call can steer the engine to another host. A gateway's 2xx means that it took the message,
//! not that anybody read it.

use crate::NotifierError;
use crate::channel::{WebhookConfig, shown_url};
use crate::contacts::{Phone, mask_phones};
use crate::words::{Message, TEMPLATE_FUEL, samples, template_fault};
use minijinja::{Environment, UndefinedBehavior};
use model::{ChannelId, NotificationKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::time::Duration;

/// Bytes of an answer that are read at all.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The header by which a gateway recognises a repeat.
pub(crate) const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Characters of [`key_hash`].
const KEY_HASH_CHARS: usize = 32;

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The gateway took it.
    Accepted(String),
    /// It may go better next time, or it is unknown how it went; not before the given wait where the gateway named one.
    Retry(String, Option<Duration>),
    /// The gateway was not reached at all, so nothing was spent there; it may go better next time.
    Unreached(String),
    /// It will not go better: wrong address, wrong credentials, wrong template.
    Refused(String),
}

/// How values in the body are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    Json,
    Form,
    Plain,
}

/// One gateway, ready to be called.
pub(crate) struct Webhook {
    client: reqwest::Client,
    url: Url,
    method: Method,
    headers: HeaderMap,
    /// What no answer and no log may show.
    secrets: Vec<String>,
    body: Environment<'static>,
    timeout: Duration,
    success_pointer: Option<(String, String)>,
}

/// What a body template knows.
#[derive(Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) text: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) recipient: &'a str,
    pub(crate) key: &'a str,
    pub(crate) key_hash: &'a str,
    pub(crate) level: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) number: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) attempt: u32,
    /// Milliseconds since 1970.
    pub(crate) sent: i64,
    pub(crate) demo: bool,
    pub(crate) message: &'a Message,
}

const BODY: &str = "body";
/// Ids are text of any script, a header is ASCII.
const KEY_SAFE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@').remove(b'!').remove(b'/').remove(b'|');

/// The notification's key as ASCII text: stable, so that a repeat can be recognised.
pub(crate) fn key_text(key: &NotificationKey) -> String {
    utf8_percent_encode(&key.to_string(), KEY_SAFE).to_string()
}

/// The same, short, for gateways whose ids are.
pub(crate) fn key_hash(key: &NotificationKey) -> String {
    let digest = Sha256::digest(key.to_string().as_bytes());
    let mut hash = String::with_capacity(KEY_HASH_CHARS);
    for byte in digest.iter().take(KEY_HASH_CHARS / 2) {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

impl Webhook {
    /// Checks the configuration, tries the body template out and makes the client.
    pub(crate) fn new(channel: &ChannelId, config: &WebhookConfig) -> Result<Self, NotifierError> {
        let fault = |reason: String| NotifierError::Channel { channel: channel.clone(), reason };
        let url = Url::parse(&config.url).map_err(|error| fault(format!("address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(fault(format!("address {}: must begin with http:// or https:// and name a host", shown_url(&config.url))));
        }
        let method = Method::from_bytes(config.method.to_ascii_uppercase().as_bytes())
            .ok()
            .filter(|method| matches!(*method, Method::POST | Method::PUT | Method::PATCH))
            .ok_or_else(|| fault(format!("method {:?}: use POST, PUT or PATCH", config.method)))?;
        if config.timeout.is_zero() || config.timeout > WebhookConfig::TIMEOUT_MAX {
            return Err(fault(format!("timeout: more than 0 s and at most {} s", WebhookConfig::TIMEOUT_MAX.as_secs())));
        }
        if let Some((pointer, _)) = &config.success_pointer
            && !pointer.starts_with('/')
        {
            return Err(fault(format!("success pointer {pointer:?}: a JSON pointer begins with /")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &config.headers {
            let parsed = HeaderName::try_from(name.as_str()).map_err(|_| fault(format!("header {name:?}: not a header name")))?;
            let mut value = HeaderValue::try_from(value.expose()).map_err(|_| fault(format!("header {name}: not a header value")))?;
            value.set_sensitive(parsed != CONTENT_TYPE);
            headers.insert(parsed, value);
        }
        let escape = match headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase()) {
            None => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
                Escape::Json
            }
            Some(kind) if kind.contains("json") => Escape::Json,
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => Escape::Form,
            Some(kind) if kind.starts_with("text/plain") => Escape::Plain,
            Some(kind) => return Err(fault(format!("content type {kind}: use JSON, application/x-www-form-urlencoded or text/plain"))),
        };
        let body = body_environment(channel, &config.body_template, escape)?;
        let client = client(&url, config.timeout).map_err(|error| fault(format!("TLS: {}", without_address(error))))?;
        let secrets = secrets(config, &url);
        Ok(Self { client, url, method, headers, secrets, body, timeout: config.timeout, success_pointer: config.success_pointer.clone() })
    }

    /// Makes one call.
    pub(crate) async fn call(&self, body: &Body<'_>, phone: Option<&Phone>) -> Outcome {
        let rendered = match render(&self.body, body) {
            Ok(rendered) => rendered,
            Err(reason) => return Outcome::Refused(format!("body template: {reason}")),
        };
        let Ok(key) = HeaderValue::try_from(body.key) else { return Outcome::Refused("key: not a header value".to_owned()) };
        // The client has a limit of its own; this one also covers whatever it should forget to count.
        match tokio::time::timeout(self.timeout, self.exchange(rendered, key)).await {
            Ok(outcome) => self.cleaned(outcome, phone),
            Err(_) => Outcome::Retry(format!("no answer within {} s", self.timeout.as_secs_f32()), None),
        }
    }

    async fn exchange(&self, body: String, key: HeaderValue) -> Outcome {
        let request =
            self.client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone()).header(IDEMPOTENCY_HEADER, key);
        let response = match request.body(body).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Outcome::Unreached(without_address(error)),
            Err(error) => return Outcome::Retry(without_address(error), None),
        };
        let status = response.status();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs));
        let (text, read) = read_bounded(response).await;
        let answer = format!("{} {}", status.as_u16(), text.trim()).trim_end().to_owned();
        match status {
            // A gateway that breaks off in the middle of its answer may have broken off in the middle of its work.
            _ if status.is_success() && read == Read::Broken => Outcome::Retry(format!("{answer} (answer broke off)"), retry_after),
            _ if status.is_success() => match &self.success_pointer {
                None => Outcome::Accepted(answer),
                Some(_) if read == Read::Cut => Outcome::Retry(format!("{answer} (answer too long)"), retry_after),
                Some((pointer, expected)) if shows(&text, pointer, expected) => Outcome::Accepted(answer),
                Some((pointer, expected)) => Outcome::Retry(format!("{answer} ({pointer} is not {expected})"), retry_after),
            },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Outcome::Retry(answer, retry_after),
            _ if status.is_server_error() => Outcome::Retry(answer, retry_after),
            _ if status.is_redirection() => Outcome::Refused(format!("{} redirect, not followed", status.as_u16())),
            _ => Outcome::Refused(answer),
        }
    }

    fn cleaned(&self, outcome: Outcome, phone: Option<&Phone>) -> Outcome {
        let clean = |mut text: String| {
            if let Some(phone) = phone {
                text = text.replace(phone.expose(), &phone.masked());
            }
            for secret in &self.secrets {
                text = text.replace(secret.as_str(), "***");
            }
            let text = mask_phones(&text);
            let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            one_line.chars().take(model::bounds::ANSWER_CHARS_MAX).collect::<String>()
        };
        match outcome {
            Outcome::Accepted(text) => Outcome::Accepted(clean(text)),
            Outcome::Retry(text, after) => Outcome::Retry(clean(text), after),
            Outcome::Unreached(text) => Outcome::Unreached(clean(text)),
            Outcome::Refused(text) => Outcome::Refused(clean(text)),
        }
    }
}

/// Header values and what stands in the address beside scheme, host and path. Very short ones would hide half of every answer.
fn secrets(config: &WebhookConfig, url: &Url) -> Vec<String> {
    const SECRET_CHARS_MIN: usize = 6;
    let headers =
        config.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value.expose().to_owned());
    // `Bearer abc` is known to the gateway as `abc`.
    let parts = headers.flat_map(|value| value.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let query = url.query_pairs().map(|(_, value)| value.into_owned());
    let login = [url.username().to_owned(), url.password().unwrap_or_default().to_owned()];
    let mut secrets: Vec<String> = parts.chain(query).chain(login).filter(|secret| secret.chars().count() >= SECRET_CHARS_MIN).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

fn client(url: &Url, timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Another part of the process may have installed it first; either way one is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(WebhookConfig::CONNECT_TIMEOUT.min(timeout))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .user_agent(concat!("watchfire/", env!("CARGO_PKG_VERSION")));
    // A host without certificates can still talk to a modem gateway beside it over plain HTTP.
    let builder = if url.scheme() == "https" { builder } else { builder.tls_certs_only([]) };
    builder.build()
}

/// An error's text without the address, which may hold a token.
fn without_address(error: reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "could not be made"
    } else {
        "call failed"
    };
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{kind}: {cause}")
}

/// How much of an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Whole,
    /// Longer than anybody keeps.
    Cut,
    /// It broke off or came too slowly.
    Broken,
}

async fn read_bounded(mut response: reqwest::Response) -> (String, Read) {
    let mut bytes = Vec::new();
    let read = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = ANSWER_BYTES_MAX - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break Read::Cut;
                }
            }
            Ok(None) => break Read::Whole,
            Err(_) => break Read::Broken,
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), read)
}

/// Whether the JSON `answer` shows `expected` at `pointer`; numbers and booleans are compared as text.
fn shows(answer: &str, pointer: &str, expected: &str) -> bool {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(answer) else { return false };
    match json.pointer(pointer) {
        Some(serde_json::Value::String(text)) => text == expected,
        Some(value) => {
            let text = value.to_string();
            text == expected
        }
        None => false,
    }
}

fn body_environment(channel: &ChannelId, source: &str, escape: Escape) -> Result<Environment<'static>, NotifierError> {
    let fault = |reason: String| NotifierError::Template { name: format!("channel {channel}"), reason };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(move |out, _, value| {
        if value.is_undefined() {
            return Err(minijinja::Error::from(minijinja::ErrorKind::UndefinedError));
        }
        let text = value.to_string();
        let escaped = match escape {
            // What `tojson` made is JSON already.
            _ if value.is_safe() => text,
            Escape::Json => match serde_json::to_string(&text) {
                // A value stands between the template's own quotes.
                Ok(quoted) => quoted[1..quoted.len() - 1].to_owned(),
                Err(_) => return Err(minijinja::Error::from(minijinja::ErrorKind::BadSerialization)),
            },
            Escape::Form => utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
            Escape::Plain => text,
        };
        out.write_str(&escaped).map_err(|_| minijinja::Error::from(minijinja::ErrorKind::WriteFailure))
    });
    environment.add_template_owned(BODY, source.to_owned()).map_err(|error| fault(template_fault(&error)))?;
    for message in samples() {
        let body = Body {
            text: "【演示】\"引号\"\\\n第二行 & = % {}",
            phone: "13800000000",
            recipient: "duty\"1\"",
            key: "a|b",
            key_hash: "00",
            level: "orange",
            purpose: message.purpose,
            number: &message.number,
            channel: channel.as_str(),
            kind: "sms",
            attempt: 1,
            sent: 0,
            demo: true,
            message: &message,
        };
        let rendered = render(&environment, &body).map_err(fault)?;
        if escape == Escape::Json
            && let Err(error) = serde_json::from_str::<serde_json::Value>(&rendered)
        {
            return Err(fault(format!("makes no valid JSON: {error}")));
        }
    }
    Ok(environment)
}

fn render(environment: &Environment<'static>, body: &Body<'_>) -> Result<String, String> {
    let template = environment.get_template(BODY).map_err(|error| template_fault(&error))?;
    template.render(minijinja::value::Serde(body)).map_err(|error| template_fault(&error))
}
