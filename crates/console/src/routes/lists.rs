//! What is listed: overview, alarms, tags, messages, sirens, quarantine.

use super::{App, Ask};
use crate::access::LoggedIn;
use crate::accounts::hex;
use crate::bounds::{QUARANTINE_READ_MAX, ROWS_MAX};
use crate::json::{
    AlarmsJson, ErrorJson, MessagesJson, OverviewJson, PeopleJson, PurposeName, QuarantineJson, QuarantineRowJson, SirenJson, TagsJson,
};
use crate::render::{Render, TagBeside, body_name};
use crate::words;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use model::Purpose;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use utoipa::IntoParams;

/// What stands at the top of every page.
#[utoipa::path(get, path = "/api/v1/overview", tag = "lists", responses(
    (status = 200, body = OverviewJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn overview(State(app): State<App>, login: LoggedIn) -> Json<OverviewJson> {
    Json(Render { app: &app, viewer: &login.viewer }.overview())
}

/// Which alarms.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WhichAlarms {
    /// Active, latched or faulted.
    #[default]
    Standing,
    /// Returned but unseen too.
    All,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmsQuery {
    /// standing or all; standing by default.
    #[serde(default)]
    #[param(inline)]
    state: WhichAlarms,
    /// 500 by default.
    limit: Option<usize>,
}

/// Alarms that are not normal: highest level first, then newest.
#[utoipa::path(get, path = "/api/v1/alarms", tag = "lists", params(AlarmsQuery), responses(
    (status = 200, body = AlarmsJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn alarms(State(app): State<App>, login: LoggedIn, Ask(query): Ask<AlarmsQuery>) -> Json<AlarmsJson> {
    let (seq, mut alarms, _) = app.view.standing();
    alarms.retain(|alarm| (query.state == WhichAlarms::All || alarm.state.is_standing()) && login.viewer.sees(&alarm.id.tag.enterprise));
    alarms.sort_by_key(|alarm| (Reverse(alarm.level), Reverse(alarm.since)));
    alarms.truncate(query.limit.unwrap_or(500).min(ROWS_MAX));
    let render = Render { app: &app, viewer: &login.viewer };
    Json(AlarmsJson { now: app.now(), seq, alarms: alarms.iter().map(|alarm| render.alarm(alarm)).collect() })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TagsQuery {
    /// Of this enterprise only.
    enterprise: Option<String>,
    /// Whose 位号, 名称 or equipment contains this, whatever the case of letters.
    q: Option<String>,
    /// 200 by default.
    limit: Option<usize>,
    /// Skip so many.
    #[serde(default)]
    offset: usize,
}

/// Tags with their newest readings, by id.
#[utoipa::path(get, path = "/api/v1/tags", tag = "lists", params(TagsQuery), responses(
    (status = 200, body = TagsJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn tags(State(app): State<App>, login: LoggedIn, Ask(query): Ask<TagsQuery>) -> Json<TagsJson> {
    let render = Render { app: &app, viewer: &login.viewer };
    let wanted = query.q.as_deref().map(|q| q.trim().to_lowercase()).filter(|q| !q.is_empty());
    let has = |text: &str, wanted: &str| text.to_lowercase().contains(wanted);
    let fits = |tag: &model::plant::Tag| {
        query.enterprise.as_deref().is_none_or(|enterprise| enterprise.is_empty() || tag.id.enterprise.as_str() == enterprise)
            && wanted.as_deref().is_none_or(|wanted| {
                let equipment = render.plant().equipment_of(tag);
                has(&tag.id.tag, wanted) || has(&tag.name, wanted) || equipment.is_some_and(|equipment| has(&equipment.name, wanted))
            })
    };
    let found: Vec<_> = render.tags().filter(|(_, tag)| fits(tag)).collect();
    let beside = TagBeside::now(&app.view);
    let page = found.iter().skip(query.offset).take(query.limit.unwrap_or(200).min(ROWS_MAX));
    let tags = page.map(|(index, tag)| render.tag(*index, tag, &beside)).collect();
    Json(TagsJson { now: app.now(), total: found.len(), tags })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessagesQuery {
    /// To this person only.
    person: Option<String>,
    /// Of this kind only, such as `limits-loosened`.
    #[param(inline, value_type = Option<PurposeName>)]
    kind: Option<Purpose>,
    /// False leaves out reminders 催办.
    reminders: Option<bool>,
    /// From before this time only, in epoch milliseconds. With it the pages of `offset` stay the same while new messages come.
    before: Option<i64>,
    /// 200 by default, 2000 at most.
    limit: Option<usize>,
    /// Skip so many.
    #[serde(default)]
    offset: usize,
}

/// Messages to people of the login's body and of those below, newest first. The newest 5,000 are kept for this list; where there are more,
/// the oldest of the kind there is most of makes room, so that reminders push out nothing else. The record of all is the journal.
#[utoipa::path(get, path = "/api/v1/messages", tag = "lists", params(MessagesQuery), responses(
    (status = 200, body = MessagesJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn messages(State(app): State<App>, login: LoggedIn, Ask(query): Ask<MessagesQuery>) -> Json<MessagesJson> {
    let render = Render { app: &app, viewer: &login.viewer };
    let mut messages = app.view.messages();
    messages.retain(|message| {
        let (to, purpose) = (message.notification.key.recipient.as_str(), message.notification.key.purpose);
        query.person.as_deref().is_none_or(|person| person.is_empty() || person == to)
            && query.kind.is_none_or(|kind| kind == purpose)
            && (query.reminders != Some(false) || purpose != Purpose::Remind)
            && query.before.is_none_or(|before| message.notification.at.as_millis() < before)
            && render.sees_message(message)
    });
    let people: BTreeSet<_> = messages.iter().map(|message| message.notification.key.recipient.clone()).collect();
    let total = messages.len();
    let page = messages.iter().skip(query.offset).take(query.limit.unwrap_or(200).min(ROWS_MAX));
    Json(MessagesJson {
        total,
        people: people.iter().map(|person| render.person(person)).collect(),
        messages: page.map(|message| render.message(message)).collect(),
    })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeopleQuery {
    /// Of this enterprise only.
    enterprise: Option<String>,
}

/// People of the login's body and of those below, to name one as who went: names only.
#[utoipa::path(get, path = "/api/v1/people", tag = "lists", params(PeopleQuery), responses(
    (status = 200, body = PeopleJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn people(State(app): State<App>, login: LoggedIn, Ask(query): Ask<PeopleQuery>) -> Json<PeopleJson> {
    let enterprise = query.enterprise.as_deref().filter(|enterprise| !enterprise.is_empty());
    Json(PeopleJson { people: Render { app: &app, viewer: &login.viewer }.people(enterprise) })
}

/// Wanted states of the siren zones.
#[utoipa::path(get, path = "/api/v1/sirens", tag = "lists", responses(
    (status = 200, body = Vec<SirenJson>),
    (status = 401, description = "not-logged-in", body = ErrorJson),
))]
pub(crate) async fn sirens(State(app): State<App>, login: LoggedIn) -> Json<Vec<SirenJson>> {
    let sirens = app.view.sirens().into_iter().filter(|siren| login.viewer.sees(&siren.enterprise));
    Json(sirens.map(|siren| SirenJson::new(&siren, body_name(&login.viewer.plant, &siren.enterprise))).collect())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuarantineQuery {
    /// 200 by default.
    limit: Option<usize>,
}

/// Payloads that could not be read or assigned, newest first.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "lists", params(QuarantineQuery), responses(
    (status = 200, body = QuarantineJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 503, description = "records-unavailable", body = ErrorJson),
))]
pub(crate) async fn quarantine(State(app): State<App>, login: LoggedIn, Ask(query): Ask<QuarantineQuery>) -> Response {
    let list = match app.read(|records| records.quarantine(QUARANTINE_READ_MAX)).await {
        Ok(list) => list,
        Err(error) => return error.language(login.language).into_response(),
    };
    let everything = login.viewer.sees_everything();
    let seen = |row: &crate::QuarantineRow| row.enterprise.as_ref().map_or(everything, |enterprise| login.viewer.sees(enterprise));
    let mut rows: Vec<_> = list.rows.into_iter().filter(seen).collect();
    let total_counted = if everything { list.total } else { rows.len() as u64 };
    rows.truncate(query.limit.unwrap_or(200).min(ROWS_MAX));
    let rows = rows.into_iter().map(|row| {
        let text = words::quarantine(&row.reason, &row.detail);
        QuarantineRowJson {
            source: row.source,
            topic: row.topic,
            reason: row.reason,
            text_zh: text.zh,
            text_en: text.en,
            at: row.at.as_millis(),
            payload_hex: hex(&row.payload),
            payload_text: String::from_utf8_lossy(&row.payload).chars().map(visible).collect(),
        }
    });
    Json(QuarantineJson { total_counted, rows: rows.collect() }).into_response()
}

/// Controls would hide or reorder what the integrator is to see.
fn visible(c: char) -> char {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    if (c.is_control() && c != '\n') || reorders { '\u{fffd}' } else { c }
}
