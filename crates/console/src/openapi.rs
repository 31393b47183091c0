//! The description of the API, made from the handlers themselves so that it cannot drift from them.

use std::sync::OnceLock;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

static DOCUMENT: OnceLock<(OpenApi, String)> = OnceLock::new();

/// Keeps the description that the router was built with.
pub(crate) fn keep(mut document: OpenApi) {
    DOCUMENT.get_or_init(|| {
        document.info.title = "Watchfire".to_owned();
        document.info.description = Some(
            "Alarms, cases and messages of chemical parks. Every answer is cut to what the login's body oversees. Times are \
             milliseconds since 1970 except inside episode and announcement keys, which are handed back exactly as received."
                .to_owned(),
        );
        document.info.version = env!("CARGO_PKG_VERSION").to_owned();
        let components = document.components.get_or_insert_with(Default::default);
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::access::COOKIE)));
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let text = document.to_pretty_json().unwrap_or_default();
        (document, text)
    });
}

/// The description as JSON text; empty before a router was built.
pub(crate) fn text() -> &'static str {
    DOCUMENT.get().map_or("", |(_, text)| text)
}

/// The description of the API, for tools that want it without a running engine.
pub fn document() -> String {
    crate::routes::describe();
    text().to_owned()
}
