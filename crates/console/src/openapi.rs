//! The description of the API, made from the handlers themselves so that it cannot drift from them.

use std::sync::OnceLock;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};

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
        for path in document.paths.paths.values_mut() {
            [&mut path.get, &mut path.post].into_iter().flatten().for_each(answer_alike);
        }
        let components = document.components.get_or_insert_with(Default::default);
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::access::COOKIE)));
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let text = document.to_pretty_json().unwrap_or_default();
        (document, text)
    });
}

/// What every question and every body may be answered with, whatever it is about.
fn answer_alike(operation: &mut Operation) {
    let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(one) if matches!(one.parameter_in, ParameterIn::Query));
    let asks = operation.parameters.iter().flatten().any(in_query);
    let sends = operation.request_body.is_some();
    let answers = [
        (asks || sends, "400", "bad-request: which field, and what to write instead"),
        (true, "408", "too-slow"),
        (sends, "413", "too-large"),
        (sends, "415", "not-json"),
    ];
    for (_, status, description) in answers.into_iter().filter(|(may, ..)| *may) {
        let error = Content::new(Some(Ref::from_schema_name("ErrorJson")));
        let response = ResponseBuilder::new().description(description).content("application/json", error).build();
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.into());
    }
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
