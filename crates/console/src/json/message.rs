//! Messages, sirens, quarantine.

use super::{ChannelKindName, LevelName, PurposeName};
use model::plant::ChannelKind;
use model::{Level, Purpose, Siren};
use serde::Serialize;
use utoipa::ToSchema;

/// A person whose messages this login sees.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonJson {
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Where they belong.
    pub body_name: String,
    /// Its tier.
    pub tier: Option<u8>,
    /// 值班电话.
    pub duty_phone: bool,
    /// Masked, such as `138****1234`.
    pub phone: Option<String>,
}

/// Somebody who can be named, such as in a field check. No phone, no channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedPersonJson {
    /// Person id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Where they belong.
    pub body: String,
    /// Its name.
    pub body_name: String,
}

/// People who can be named.
#[derive(Serialize, ToSchema)]
pub struct PeopleJson {
    /// By id; duty phones are nobody in particular and left out.
    pub people: Vec<NamedPersonJson>,
}

/// One message to one person on one channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessageJson {
    /// Identity as text.
    pub key: String,
    /// About which case.
    pub case: String,
    /// Its 单号.
    pub case_number: Option<String>,
    /// To whom.
    pub person: String,
    /// By which channel.
    pub channel: String,
    /// What that channel does to a person.
    #[schema(value_type = Option<ChannelKindName>)]
    pub channel_kind: Option<ChannelKind>,
    /// Why.
    #[schema(value_type = PurposeName)]
    pub purpose: Purpose,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// When it came into being.
    pub at: i64,
    /// The very words, once sent.
    pub words: String,
    /// What became of it.
    pub status: crate::MessageStatus,
    /// What the channel said last.
    pub answer: String,
    /// The same for people, in Chinese where it is the engine's own reason; a gateway's answer stands as it came.
    pub answer_zh: String,
    /// In English.
    pub answer_en: String,
    /// Attempts so far.
    pub attempts: u32,
    /// The recipient's tier has signed what it tells of.
    pub answered: bool,
    /// 0 for the first, then the reminder's count.
    pub repeat: u32,
}

/// Messages, newest first, and the people they went to.
#[derive(Serialize, ToSchema)]
pub struct MessagesJson {
    /// How many fit what was asked for, on all pages together.
    pub total: usize,
    /// People.
    pub people: Vec<PersonJson>,
    /// Messages.
    pub messages: Vec<MessageJson>,
}

/// A siren zone's wanted state.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SirenJson {
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// Which zone.
    pub zone: String,
    /// Sound wanted.
    pub sound: bool,
    /// Light wanted.
    pub light: bool,
    /// Counts up with every change.
    pub version: u64,
    /// Highest level that wants it.
    #[schema(value_type = Option<LevelName>)]
    pub level: Option<Level>,
}

impl SirenJson {
    pub(crate) fn new(siren: &Siren, enterprise_name: String) -> Self {
        Self {
            enterprise: siren.enterprise.to_string(),
            enterprise_name,
            zone: siren.zone.to_string(),
            sound: siren.sound,
            light: siren.light,
            version: siren.version,
            level: siren.level,
        }
    }
}

/// One quarantined payload.
#[derive(Serialize, ToSchema)]
pub struct QuarantineRowJson {
    /// Which source.
    pub source: String,
    /// On which topic.
    pub topic: String,
    /// Reason code.
    pub reason: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// When.
    pub at: i64,
    /// Its bytes.
    pub payload_hex: String,
    /// Its bytes as text, controls and broken characters replaced.
    pub payload_text: String,
}

/// Quarantined payloads, newest first.
#[derive(Serialize, ToSchema)]
pub struct QuarantineJson {
    /// Counted in all, beyond what is kept; for a login that does not see everything, what it sees.
    pub total_counted: u64,
    /// Rows.
    pub rows: Vec<QuarantineRowJson>,
}
