//! `server.toml`: the broker, the page, the channels, and what messages say. Everything in it has a default.

use crate::fault::{Lang, Sink, text};
use crate::setpoints::check_name;
use crate::source::{At, Source};
use crate::suggest;
use crate::table::{Table, named, with_document};
use crate::values::{duration, kind, parse_duration, show_duration};
use model::bounds::{HISTORY_KEPT_MAX, HISTORY_KEPT_MIN};
use model::plant::ChannelKind;
use model::{ChannelId, Duration};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// What the engine as a program needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Where readings come from.
    pub mqtt: Mqtt,
    /// The broker built in, used when no other is named.
    pub embedded: Embedded,
    /// Pages and API.
    pub http: Http,
    /// What is kept of the past.
    pub history: History,
    /// Channels sorted by id.
    pub channels: Vec<ChannelSetting>,
    /// Texts that replace the built-in messages.
    pub templates: Templates,
}

/// An external broker, and the session with it. Prints without the password.
#[derive(Clone, PartialEq)]
pub struct Mqtt {
    /// `mqtt://` or `mqtts://`, with user and password where needed; none means the broker built in.
    pub url: Option<String>,
    /// The persistent session's name; two engines must not share one.
    pub client_id: String,
    /// Topic filters. The default leaves out the sirens, which lie one level deeper.
    pub subscribe: Vec<String>,
    /// Keep-alive.
    pub keep_alive: Duration,
    /// Which MQTT.
    pub protocol: Protocol,
}

impl fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_deref().map(|url| match (url.find("://"), url.rfind('@')) {
            (Some(scheme), Some(at)) if scheme + 3 <= at => format!("{}***{}", &url[..scheme + 3], &url[at..]),
            _ => url.to_owned(),
        });
        f.debug_struct("Mqtt")
            .field("url", &url)
            .field("client_id", &self.client_id)
            .field("subscribe", &self.subscribe)
            .field("keep_alive", &self.keep_alive)
            .field("protocol", &self.protocol)
            .finish()
    }
}

/// Version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 3.1.1
    V311,
    /// 5
    V5,
}

/// The broker built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Where it listens. Beyond loopback it needs credentials per gateway.
    pub listen: SocketAddr,
}

/// Pages and API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What links in messages begin with, without a `/` at the end.
    pub public_url: String,
}

/// What is kept of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// How long readings are kept.
    pub readings: Duration,
    /// How long the journal is kept: alarms, cases, acts, messages, everything auditors read.
    pub alarms: Duration,
}

/// A channel and how it is driven.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSetting {
    /// Name that people refer to.
    pub id: ChannelId,
    /// What it does to a person.
    pub kind: ChannelKind,
    /// How.
    pub driver: Driver,
    /// Which form of a message it carries.
    pub template: TemplateForm,
    /// Language of its messages.
    pub lang: Lang,
    /// Messages per person and time that the provider allows, where it is not what carriers usually allow.
    pub budget: Option<Budget>,
}

/// How a channel is driven.
#[derive(Clone, Debug, PartialEq)]
pub enum Driver {
    /// The page itself.
    Platform,
    /// An HTTP call.
    Webhook(Webhook),
}

/// An HTTP call per message.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// Where to.
    pub url: Secret,
    /// `POST`, `PUT` or `PATCH`: a message has a body.
    pub method: String,
    /// Headers with their secrets filled in.
    pub headers: Vec<(String, Secret)>,
    /// Template of the body; none is the built-in JSON object.
    pub body: Option<String>,
    /// After this the attempt counts as failed.
    pub timeout: Duration,
    /// What an answer must say beyond its status, which must be a 2xx; none is satisfied with that.
    pub success: Option<Success>,
}

/// When the provider's answer means accepted. Many providers answer 200 with an error inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// A JSON pointer into the answer.
    pub json: String,
    /// What must stand there.
    pub equals: String,
}

/// Which form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateForm {
    /// Within 70 characters where names allow, without a link.
    Short,
    /// With everything and a link.
    Long,
}

/// A provider's limit per recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// So many messages.
    pub count: u32,
    /// In so much time, rolling.
    pub per: Window,
}

/// The time over which a provider counts. Others would only look exact: carriers count by these three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any minute.
    Minute,
    /// Any hour.
    Hour,
    /// Any 24 hours.
    Day,
}

impl Window {
    const ALL: [(Self, Duration, &'static str); 3] = [
        (Self::Minute, Duration::from_mins(1), "1min"),
        (Self::Hour, Duration::from_mins(60), "1h"),
        (Self::Day, Duration::from_mins(24 * 60), "24h"),
    ];
}

/// Texts that replace the built-in messages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Templates {
    /// Short form in Chinese.
    pub short_zh: Option<String>,
    /// Short form in English.
    pub short_en: Option<String>,
    /// Long form in Chinese.
    pub long_zh: Option<String>,
    /// Long form in English.
    pub long_en: Option<String>,
}

/// A text that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn read_history(table: &mut Table<'_, '_>, history: &mut History, sink: &mut Sink) {
    let is_written = table.has("readings");
    let mut kept = |key| duration(table, key, (HISTORY_KEPT_MIN, HISTORY_KEPT_MAX), sink);
    let (readings, alarms) = (kept("readings"), kept("alarms"));
    if is_written && readings.is_none() {
        // What it is to be nobody knows.
        return;
    }
    history.readings = readings.map_or(history.readings, |readings| readings.value);
    match alarms {
        Some(alarms) if alarms.value < history.readings => {
            let fault = text("报警记录不能比读数先删:回测和重放要用", "alarms must not go before readings: backtest and replay need them");
            let written = show_duration(history.readings);
            let fault = alarms.place.error("alarms-before-readings", fault);
            sink.push(fault.suggest(format!("至少写 \"{written}\""), format!("write \"{written}\" at least")));
        }
        Some(alarms) => history.alarms = alarms.value,
        None => history.alarms = history.alarms.max(history.readings),
    }
}

/// The topics of readings: `watchfire/v1/{enterprise}` and `watchfire/v1/{enterprise}/{tag}`.
pub const SUBSCRIBE_DEFAULT: [&str; 2] = ["watchfire/v1/+", "watchfire/v1/+/+"];
const LISTEN_MQTT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1883);
const LISTEN_HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Short enough that a broken connection is noticed before a person would.
const KEEP_ALIVE_DEFAULT: Duration = Duration::from_secs(5);
const KEEP_ALIVE_BOUNDS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// Two attempts must end before the recipient's next channel is due; the notifier takes no more either.
const TIMEOUT_BOUNDS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(15));
/// A quarter of tuning, season included: 90 days.
const READINGS_KEPT_DEFAULT: Duration = Duration::from_mins(90 * 24 * 60);
/// What newer local rules ask for alarm records: a year.
const ALARMS_KEPT_DEFAULT: Duration = Duration::from_mins(365 * 24 * 60);
/// A message has a body, so GET carries none.
const METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];

impl Default for Server {
    fn default() -> Self {
        Self {
            mqtt: Mqtt {
                url: None,
                client_id: "watchfire".to_owned(),
                subscribe: SUBSCRIBE_DEFAULT.map(str::to_owned).to_vec(),
                keep_alive: KEEP_ALIVE_DEFAULT,
                protocol: Protocol::V311,
            },
            embedded: Embedded { listen: LISTEN_MQTT },
            http: Http { listen: LISTEN_HTTP, public_url: format!("http://{LISTEN_HTTP}") },
            history: History { readings: READINGS_KEPT_DEFAULT, alarms: ALARMS_KEPT_DEFAULT },
            channels: vec![platform()],
            templates: Templates::default(),
        }
    }
}

/// The page needs no provider, so every configuration has it.
fn platform() -> ChannelSetting {
    ChannelSetting {
        id: ChannelId::new("platform"),
        kind: ChannelKind::Platform,
        driver: Driver::Platform,
        template: TemplateForm::Long,
        lang: Lang::Zh,
        budget: None,
    }
}

/// Reads `server.toml`; `secrets` gives the value of an environment variable. Also gives the names of all channels written,
/// with faults or without: a person whose channel has a fault is not told that there is no such channel.
pub(crate) fn read(source: Option<&Source>, secrets: &dyn Fn(&str) -> Option<String>, sink: &mut Sink) -> (Server, BTreeSet<String>) {
    let mut server = Server::default();
    let mut written: BTreeSet<String> = server.channels.iter().map(|channel| channel.id.to_string()).collect();
    let Some(source) = source else { return (server, written) };
    with_document(source, sink, |file, sink| {
        file.table("mqtt", sink, |table, sink| read_mqtt(table, &mut server.mqtt, secrets, sink));
        file.table("embedded", sink, |table, sink| listen(table, &mut server.embedded.listen, sink));
        file.table("http", sink, |table, sink| {
            listen(table, &mut server.http.listen, sink);
            server.http.public_url = format!("http://{}", server.http.listen);
            if let Some(url) = url(table, "public_url", &["http", "https"], sink) {
                server.http.public_url = url.value.trim_end_matches('/').to_owned();
            }
        });
        file.table("history", sink, |table, sink| {
            read_history(table, &mut server.history, sink);
        });
        let channels = named(file, "channels", sink, |name, entry, sink| {
            written.insert(name.value.clone());
            entry.table(sink, |table, sink| read_channel(name, table, secrets, sink)).flatten()
        });
        for channel in channels {
            match server.channels.iter_mut().find(|have| have.id == channel.id) {
                Some(have) => *have = channel,
                None => server.channels.push(channel),
            }
        }
        file.table("templates", sink, |table, sink| {
            let mut text = |key| table.string(key, sink).map(|text| text.value);
            server.templates =
                Templates { short_zh: text("short_zh"), short_en: text("short_en"), long_zh: text("long_zh"), long_en: text("long_en") };
        });
    });
    server.channels.sort_by(|a, b| a.id.cmp(&b.id));
    (server, written)
}

fn read_mqtt(table: &mut Table<'_, '_>, mqtt: &mut Mqtt, secrets: &dyn Fn(&str) -> Option<String>, sink: &mut Sink) {
    table.renamed(&[("broker", "url"), ("topics", "subscribe"), ("clientid", "client_id"), ("keepalive", "keep_alive")]);
    if let Some(written) = table.string("url", sink) {
        let password = written.value.rsplit_once('@').and_then(|(before, _)| before.rsplit_once(':')).map(|(_, password)| password);
        if password.is_some_and(|password| !password.starts_with("//") && !password.contains("${")) {
            let fault = text("密码写在文件里,会进 git", "the password stands in the file and would enter git");
            let fault = written.place.warning("secret-in-file", fault);
            sink.push(fault.suggest("写成 mqtt://用户:${变量名}@主机", "write mqtt://user:${NAME}@host").without_line());
        }
        mqtt.url = filled_url(&written, &["mqtt", "mqtts"], secrets, sink).map(|url| url.reveal().to_owned());
    }
    if let Some(id) = table.string("client_id", sink) {
        if id.value.is_empty() || id.value.len() > 64 || id.value.contains(char::is_control) {
            let fault = text("client_id 要 1 到 64 个字节", "client_id has 1 to 64 bytes");
            sink.push(id.place.error("client-id", fault));
        } else {
            mqtt.client_id = id.value;
        }
    }
    if let Some(filters) = table.strings("subscribe", sink) {
        for filter in &filters {
            check_filter(filter, sink);
        }
        mqtt.subscribe = filters.into_iter().map(|filter| filter.value).collect();
    }
    if let Some(keep) = duration(table, "keep_alive", KEEP_ALIVE_BOUNDS, sink) {
        mqtt.keep_alive = keep.value;
    }
    if let Some(protocol) = table.string("protocol", sink) {
        match protocol.value.as_str() {
            "3.1.1" => mqtt.protocol = Protocol::V311,
            "5" => mqtt.protocol = Protocol::V5,
            other => {
                let fault = text(format!("没有 MQTT {other}"), format!("there is no MQTT {other} here"));
                sink.push(protocol.place.error("protocol", fault).suggest("写 \"3.1.1\" 或 \"5\"", "write \"3.1.1\" or \"5\""));
            }
        }
    }
}

fn check_filter(filter: &At<'_, String>, sink: &mut Sink) {
    let value = &filter.value;
    let levels: Vec<_> = value.split('/').collect();
    let misplaced = levels
        .iter()
        .enumerate()
        .any(|(at, level)| (level.contains('+') && *level != "+") || (level.contains('#') && (*level != "#" || at + 1 != levels.len())));
    if value.is_empty() || misplaced {
        sink.push(filter.place.error("topic-filter", text("不是有效的主题过滤器", "not a topic filter")));
    } else if value.ends_with('#') {
        let fault = text("`#` 会把声光指令也收回来", "`#` also brings the siren commands back to us");
        let fault = filter.place.warning("topic-filter", fault);
        sink.push(fault.suggest("写 \"watchfire/v1/+\" 和 \"watchfire/v1/+/+\"", "write \"watchfire/v1/+\" and \"watchfire/v1/+/+\""));
    }
}

fn listen(table: &mut Table<'_, '_>, listen: &mut SocketAddr, sink: &mut Sink) {
    let Some(written) = table.string("listen", sink) else { return };
    match written.value.parse() {
        Ok(address) => *listen = address,
        Err(_) => {
            let fault = written.place.error("address", text("这里要 IP 地址和端口", "expected an IP address and a port"));
            sink.push(fault.suggest("例如 \"127.0.0.1:1883\"", "such as \"127.0.0.1:1883\""));
        }
    }
}

fn url<'a>(table: &mut Table<'_, 'a>, key: &'static str, schemes: &[&str], sink: &mut Sink) -> Option<At<'a, String>> {
    let url = table.string(key, sink)?;
    check_url(&url, schemes, sink).then_some(url)
}

fn check_url(url: &At<'_, String>, schemes: &[&str], sink: &mut Sink) -> bool {
    let parts = url.value.split_once("://");
    let good = parts.is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty() && !rest.starts_with('/'));
    let clean = !url.value.contains(|c: char| c.is_whitespace() || c.is_control());
    if !good || !clean {
        let fault = url.place.error("url", text("不是这里能用的地址", "not an address that can be used here"));
        let schemes = schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(" / ");
        sink.push(fault.suggest(format!("以 {schemes} 开头"), format!("begin with {schemes}")));
    }
    good && clean
}

fn read_channel(
    name: At<'_, String>,
    table: &mut Table<'_, '_>,
    secrets: &dyn Fn(&str) -> Option<String>,
    sink: &mut Sink,
) -> Option<ChannelSetting> {
    table.renamed(&[("type", "kind"), ("address", "url")]);
    check_name(&name, sink);
    let kind = table.required_string("kind", sink).and_then(|written| kind(&written, sink));
    let template = table.string("template", sink);
    let template = template.and_then(|form| match form.value.as_str() {
        "short" => Some(TemplateForm::Short),
        "long" => Some(TemplateForm::Long),
        _ => {
            let fault = form.place.error("unknown-name", text("模板只有 short 和 long", "a template is short or long"));
            sink.push(fault.suggest_some(suggest::one_of(["short", "long"])));
            None
        }
    });
    // Where only a receipt counts as reached and none can arrive, a tier would never be.
    for receipts in ["receipts", "has_receipts"] {
        if let Some(place) = table.forbidden(receipts) {
            let fault = place.error("receipts-not-taken", text("还不能接收回执", "nothing takes receipts yet"));
            sink.push(fault.suggest(
                format!("去掉 `{receipts}`:网关受理即算送到"),
                format!("leave `{receipts}` out: what the gateway accepts counts as reached"),
            ));
        }
    }
    let lang = table.string("lang", sink).and_then(|lang| match lang.value.as_str() {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => {
            let fault = lang.place.error("unknown-name", text("语言只有 zh 和 en", "a language is zh or en"));
            sink.push(fault.suggest_some(suggest::one_of(["zh", "en"])));
            None
        }
    });
    let budget = table.table("budget", sink, read_budget);
    let driver = if kind == Some(ChannelKind::Platform) { Some(Driver::Platform) } else { read_webhook(table, secrets, sink) };
    let kind = kind?;
    let short = matches!(kind, ChannelKind::Sms | ChannelKind::Voice);
    Some(ChannelSetting {
        id: ChannelId::new(&name.value),
        kind,
        driver: driver?,
        template: template.unwrap_or(if short { TemplateForm::Short } else { TemplateForm::Long }),
        lang: lang.unwrap_or(Lang::Zh),
        budget: budget.flatten(),
    })
}

fn read_budget(table: &mut Table<'_, '_>, sink: &mut Sink) -> Option<Budget> {
    let count = table.integer("count", (1, 1_000_000), sink);
    let count = table.required("count", count, sink);
    let per = table.required_string("per", sink)?;
    let length = parse_duration(&per.value);
    let window = Window::ALL.into_iter().find(|(_, window, _)| Some(*window) == length);
    if window.is_none() {
        let fault = per.place.error("budget-window", text("额度按分钟、小时或天计", "a budget counts per minute, hour or day"));
        sink.push(fault.suggest_some(suggest::one_of(Window::ALL.map(|(_, _, name)| name))));
    }
    let (window, ..) = window?;
    Some(Budget { count: count?.value as u32, per: window })
}

fn read_webhook(table: &mut Table<'_, '_>, secrets: &dyn Fn(&str) -> Option<String>, sink: &mut Sink) -> Option<Driver> {
    let url = table.required_string("url", sink);
    let url = url.and_then(|url| filled_url(&url, &["http", "https"], secrets, sink));
    let method = table.string("method", sink);
    let method = match method {
        None => "POST".to_owned(),
        Some(method) if METHODS.contains(&method.value.as_str()) => method.value,
        Some(method) => {
            let fault = method.place.error("unknown-name", text("方法只有 POST、PUT、PATCH", "a method is POST, PUT or PATCH"));
            sink.push(fault.suggest_some(suggest::one_of(METHODS)));
            "POST".to_owned()
        }
    };
    let headers = named(table, "headers", sink, |name, entry, sink| {
        let value = entry.string(sink)?;
        let bad = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if name.value.is_empty() || name.value.contains(bad) {
            sink.push(name.place.error("header", text("不是有效的 HTTP 头", "not an HTTP header name")));
            return None;
        }
        Some((name.value, fill(&value, secrets, sink)?))
    });
    let body = table.string("body", sink).map(|body| body.value);
    let timeout = duration(table, "timeout", TIMEOUT_BOUNDS, sink);
    let success = table.table("success", sink, |table, sink| {
        let pointer = table.required_string("json", sink);
        let equals = table.required_string("equals", sink);
        if let Some(pointer) = &pointer
            && !pointer.value.starts_with('/')
        {
            let fault = pointer.place.error("json-pointer", text("JSON 指针以 / 开头", "a JSON pointer begins with /"));
            sink.push(fault.suggest("例如 \"/code\"", "such as \"/code\""));
        }
        pointer.zip(equals).map(|(pointer, equals)| Success { json: pointer.value, equals: equals.value })
    });
    Some(Driver::Webhook(Webhook {
        url: url?,
        method,
        headers,
        body,
        timeout: timeout.map_or(TIMEOUT_DEFAULT, |timeout| timeout.value),
        success: success.flatten(),
    }))
}

/// An address with its secrets filled in. That form is judged and only the written one is shown.
fn filled_url(written: &At<'_, String>, schemes: &[&str], secrets: &dyn Fn(&str) -> Option<String>, sink: &mut Sink) -> Option<Secret> {
    let filled = fill(written, secrets, sink)?;
    check_url(&At { value: filled.reveal().to_owned(), place: written.place }, schemes, sink).then_some(filled)
}

/// Replaces each `${NAME}` by the environment's value, `${NAME:-default}` by that or the default.
fn fill(written: &At<'_, String>, secrets: &dyn Fn(&str) -> Option<String>, sink: &mut Sink) -> Option<Secret> {
    let mut filled = String::new();
    let mut rest = written.value.as_str();
    while let Some(start) = rest.find("${") {
        filled.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('}') else {
            let fault = text("`${` 没有对应的 `}`", "`${` without its `}`");
            sink.push(written.place.error("variable", fault));
            return None;
        };
        let inner = &rest[start + 2..start + end];
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default.to_owned())));
        match secrets(name).or(default) {
            Some(value) => filled.push_str(&value),
            None => {
                let fault = text(format!("环境变量 {name} 没有设置"), format!("the environment has no variable {name}"));
                let fault = written.place.error("variable", fault);
                sink.push(fault.suggest("在服务的环境里设置它,不要写进文件", "set it in the service's environment, not in the file"));
                return None;
            }
        }
        rest = &rest[start + end + 1..];
    }
    filled.push_str(rest);
    Some(Secret(filled))
}
