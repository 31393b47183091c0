//! What a channel is: how it is driven, in which form and language it speaks, and how often it may reach one person.

use model::{ChannelId, plant::ChannelKind};
use std::fmt;
use std::time::Duration;

/// A configured channel.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// Identity.
    pub id: ChannelId,
    /// What it does to a person.
    pub kind: ChannelKind,
    /// How it is driven.
    pub driver: Driver,
    /// Short for SMS and voice, long with a link for everything else.
    pub form: Form,
    /// Language of its messages.
    pub lang: Lang,
    /// Whether it later reports that the person got it.
    pub has_receipts: bool,
    /// How often one person may be reached by it; none is unlimited.
    pub budget: Option<Budget>,
    /// How often and how fast it tries again.
    pub retry: Retry,
}

impl ChannelConfig {
    /// The page: always there, never fails.
    pub fn platform(id: impl Into<ChannelId>, lang: Lang) -> Self {
        Self {
            id: id.into(),
            kind: ChannelKind::Platform,
            driver: Driver::Platform,
            form: Form::Long,
            lang,
            has_receipts: false,
            budget: None,
            retry: Retry::default(),
        }
    }
    /// A gateway driven over HTTP. Voice and SMS speak in the short form and get the carriers' usual budget.
    pub fn webhook(id: impl Into<ChannelId>, kind: ChannelKind, webhook: WebhookConfig, lang: Lang) -> Self {
        let form = if matches!(kind, ChannelKind::Sms | ChannelKind::Voice) { Form::Short } else { Form::Long };
        let budget = match kind {
            ChannelKind::Voice => Some(Budget::VOICE),
            ChannelKind::Sms => Some(Budget::SMS),
            ChannelKind::Platform | ChannelKind::App | ChannelKind::Webhook => None,
        };
        Self { id: id.into(), kind, driver: Driver::Webhook(webhook), form, lang, has_receipts: false, budget, retry: Retry::default() }
    }
}

/// How a channel is driven.
#[derive(Clone, Debug)]
pub enum Driver {
    /// 平台: the page shows it. Accepted as soon as it is worded.
    Platform,
    /// A call to an HTTP gateway.
    Webhook(WebhookConfig),
}

/// One HTTP gateway. The address comes from configuration only, never from a message, and redirects are not followed.
#[derive(Clone)]
pub struct WebhookConfig {
    /// Where to.
    pub url: String,
    /// `POST` nearly always.
    pub method: String,
    /// Sent with every call; the values are secrets. A `Content-Type` of `application/x-www-form-urlencoded` or `text/plain`
    /// decides how values in the body template are escaped; without one it is JSON.
    pub headers: Vec<(String, Secret)>,
    /// The body, as a minijinja template. Values are escaped to stand between JSON quotes: `{"to":"{{ phone }}","text":"{{ text }}"}`.
    /// Known are `text`, `phone`, `recipient`, `key`, `key_hash`, `level`, `purpose`, `number`, `channel`, `kind`, `attempt`, `sent`,
    /// `demo`, and every name that message templates know, under `message`.
    pub body_template: String,
    /// For the whole call, the answer's body included.
    pub timeout: Duration,
    /// Many gateways answer 200 to everything: a JSON pointer into the answer and the text it must show.
    pub success_pointer: Option<(String, String)>,
}

impl WebhookConfig {
    /// How long one call may take unless configured otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// How long the connection itself may take.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
    /// The longest a configured call may take: two attempts must still end before the next channel is due.
    pub const TIMEOUT_MAX: Duration = Duration::from_secs(15);
    /// A body that carries everything a gateway may want.
    pub const PLAIN_BODY: &str = r#"{"key":"{{ key }}","to":"{{ phone }}","recipient":"{{ recipient }}","level":"{{ level }}","purpose":"{{ purpose }}","text":"{{ text }}"}"#;

    /// A JSON gateway at `url` with the plain body.
    pub fn json(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            body_template: Self::PLAIN_BODY.to_owned(),
            timeout: Self::TIMEOUT,
            success_pointer: None,
        }
    }
}

/// Robots such as DingTalk's carry their token in the query, so the address shows without it.
impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("url", &shown_url(&self.url))
            .field("method", &self.method)
            .field("headers", &self.headers)
            .field("timeout", &self.timeout)
            .field("success_pointer", &self.success_pointer)
            .finish_non_exhaustive()
    }
}

/// An address as it may be shown: scheme, host and path, without credentials and query.
pub(crate) fn shown_url(url: &str) -> String {
    let without_query = url.split(['?', '#']).next().unwrap_or_default();
    match without_query.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{}", path.map(|path| format!("/{path}")).unwrap_or_default())
        }
        None => "(no address)".to_owned(),
    }
}

/// A value that never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }
    /// The value, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How much a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Within one SMS where names allow, without a link: providers often refuse links.
    Short,
    /// With range, times and a link.
    Long,
}

/// Language of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

/// How often one callee may be reached. Carriers block a number that is called more often, for hours: a storm must not spend
/// the day's calls of the duty officer in five minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In any minute; none is unlimited.
    pub per_minute: Option<u32>,
    /// In any hour.
    pub per_hour: Option<u32>,
    /// In any 24 hours.
    pub per_day: Option<u32>,
    /// Share in percent that only red may spend. At least [`Budget::RESERVE_MIN`].
    pub reserve_percent: u8,
}

impl Budget {
    /// Least share kept for red, in percent.
    pub const RESERVE_MIN: u8 = 30;
    /// Carriers' limit on voice calls to one callee (failed calls count).
    pub const VOICE: Self = Self { per_minute: Some(1), per_hour: Some(5), per_day: Some(20), reserve_percent: Self::RESERVE_MIN };
    /// Carriers' limit on notices by SMS to one number.
    pub const SMS: Self = Self { per_minute: None, per_hour: None, per_day: Some(50), reserve_percent: Self::RESERVE_MIN };
}

/// How a channel tries again. After `attempts` the channel has failed and escalation goes to the recipient's next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: u32,
    /// Wait after the first failure; three times as long after each further one.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, first: Duration::from_secs(1), max: Duration::from_secs(60) }
    }
}

impl Retry {
    /// The wait after failure `number` (from 1), before jitter.
    pub(crate) fn wait(&self, number: u32) -> Duration {
        let factor = 3_u32.saturating_pow(number.saturating_sub(1).min(16));
        self.first.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_threefold_up_to_the_longest() {
        let retry = Retry::default();
        let seconds: Vec<u64> = (1..=6).map(|number| retry.wait(number).as_secs()).collect();
        assert_eq!(seconds, [1, 3, 9, 27, 60, 60]);
    }

    #[test]
    fn a_shown_address_holds_no_token_and_no_password() {
        assert_eq!(shown_url("https://user:pass@oapi.example.com/robot/send?access_token=abc"), "https://oapi.example.com/robot/send");
        assert_eq!(shown_url("http://h:1"), "http://h:1");
        assert_eq!(shown_url("nonsense"), "(no address)");
    }

    #[test]
    fn secrets_do_not_print() {
        let mut webhook = WebhookConfig::json("http://h/?token=geheim");
        webhook.headers.push(("Authorization".into(), Secret::new("geheim")));
        assert!(!format!("{webhook:?}").contains("geheim"));
    }
}
