//! Errors of the API: a code for programs, a text for people, nothing for attackers.

use crate::json::ErrorJson;
use crate::words::{self, Language, Text};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::time::Duration;

/// An error answer. Its text is worded when the language of the request is known.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    retry_after: Option<Duration>,
    language: Language,
    wrong: Option<Box<Wrong>>,
}

/// What of a request is wrong, and what to write instead.
#[derive(Debug)]
struct Wrong {
    field: Option<String>,
    text: Text,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, retry_after: None, language: Language::default(), wrong: None }
    }
    /// A field or parameter is wrong; `text` says what to write instead.
    pub fn bad_field(field: &str, text: Text) -> Self {
        let text = Text::new(format!("`{field}`:{}", text.zh), format!("`{field}`: {}", text.en));
        Self::new(StatusCode::BAD_REQUEST, "bad-request").wrong(Some(field.to_owned()), text)
    }
    /// The whole of a request cannot be read.
    pub fn unreadable(text: Text) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request").wrong(None, text)
    }
    /// What the deserialiser says of a field; its words are English.
    pub fn misread(field: &str, said: &str) -> Self {
        let text = Text::new(format!("读不了:{said}"), said.to_owned());
        if field == "." || field.is_empty() { Self::unreadable(text) } else { Self::bad_field(field, text) }
    }
    fn wrong(mut self, field: Option<String>, text: Text) -> Self {
        self.wrong = Some(Box::new(Wrong { field, text }));
        self
    }
    /// Adds what exactly to the general words.
    pub fn detail(self, text: Text) -> Self {
        self.wrong(None, text)
    }
    pub fn not_logged_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-logged-in")
    }
    pub fn forbidden(code: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code)
    }
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found")
    }
    pub fn unavailable(code: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code)
    }
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (field, detail) = self.wrong.map_or((None, None), |wrong| (wrong.field, Some(wrong.text)));
        let general = words::error(self.code);
        let text = match detail {
            Some(detail) => Text::new(format!("{}:{}", general.zh, detail.zh), format!("{}: {}", general.en, detail.en)),
            None => general,
        };
        let body = ErrorJson { error: self.code.to_owned(), text: text.of(self.language), field };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

/// The language a request asks for: `?lang=`, else `Accept-Language`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(pub Option<Language>);

impl Asked {
    pub fn of(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let named = query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::parse);
        let header = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(Language::parse);
        Self(named.or(header))
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
