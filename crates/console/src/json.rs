//! The JSON of the API. Only this crate knows it; the words of `model` keep their names, times are epoch milliseconds.
//!
//! Episode and announcement keys are the exception: they are handed out and taken back exactly as `model` serialises them
//! (microseconds), so that an act names what its sender was shown and nothing else.

use crate::Role;
use model::plant::ChannelKind;
use model::{AlarmState, CaseStep, Condition, Level, Outcome, Purpose, Quality, Siren};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// The enums below exist for the API description only: they name what the fields typed with the words of `model` may hold.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $case:literal { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        #[serde(rename_all = $case)]
        #[allow(dead_code, missing_docs, reason = "a description, never a value")]
        pub enum $name { $($variant),+ }
    };
}
names!(
    /// 预警等级.
    LevelName: "lowercase" { Red, Orange, Yellow, Blue }
);
names!(
    /// How far a value may be trusted.
    QualityName: "lowercase" { Good, Uncertain, Bad }
);
names!(
    /// ISA-18.2 alarm state.
    AlarmStateName: "kebab-case" {
        Normal, Unacknowledged, Acknowledged, ReturnedUnacknowledged, LatchedUnacknowledged, LatchedAcknowledged, Faulted,
    }
);
names!(
    /// The kind of rule that makes an alarm.
    ConditionName: "kebab-case" {
        LowLow, Low, High, HighHigh, Discrete, OutOfRange, BadQuality, Stale, GatewayLost, UnknownTag, WrongClock, System,
    }
);
names!(
    /// Where a case is.
    CaseStepName: "kebab-case" { Opened, Notified, Accepted, Checked, Handling, Reported, Reviewed, Returned, Closed }
);
names!(
    /// 核实 outcome.
    OutcomeName: "kebab-case" { Real, ProcessUpset, InstrumentFault, False, Calibration, Communication, Drill }
);
names!(
    /// What a channel does to a person.
    ChannelKindName: "lowercase" { Platform, App, Sms, Voice, Webhook }
);
names!(
    /// Why a message is sent.
    PurposeName: "kebab-case" { Announce, Remind, SignMissed, HandleMissed, Passed, Supervise, Return, Closed }
);
names!(
    /// What a person may do to a case or an alarm.
    ActName: "kebab-case" {
        Silence, Acknowledge, Accept, Check, Handle, Report, Review, Return, Close, Remind, Supervise, ResetSiren,
    }
);

/// An error: a code for programs, a text for people in their language.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorJson {
    /// Stable code.
    pub error: String,
    /// In the language of `?lang=` or `Accept-Language`.
    pub text: String,
}

/// A login.
#[derive(Deserialize, ToSchema)]
pub struct LoginJson {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Who is logged in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeJson {
    /// Person id, as the journal holds it.
    pub person: String,
    /// Their name.
    pub name: String,
    /// User name.
    pub username: String,
    /// Kind of login.
    pub role: Role,
    /// The body they act for.
    pub body: Option<String>,
    /// Its name.
    pub body_name: Option<String>,
    /// The tier their acts count for.
    pub tier: Option<u8>,
}

/// A successful login.
#[derive(Serialize, ToSchema)]
pub struct LoggedInJson {
    /// For programs: `Authorization: Bearer …`. Pages use the cookie.
    pub token: String,
    /// Who.
    pub me: MeJson,
}

/// One link to a source of readings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LinkJson {
    /// Which.
    pub source: String,
    /// Connected and subscribed.
    pub up: bool,
    /// Since when.
    pub since: i64,
}

/// Open cases by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountsJson {
    /// 红
    pub red: usize,
    /// 橙
    pub orange: usize,
    /// 黄
    pub yellow: usize,
    /// 蓝
    pub blue: usize,
}

/// A tier and its names.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TierJson {
    /// Number, the enterprise 0.
    pub tier: u8,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What stands at the top of every page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OverviewJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence of the last change shown.
    pub seq: u64,
    /// 【演示】: nothing here is real.
    pub demo: bool,
    /// How much faster than real time the demonstration runs.
    pub time_factor: f64,
    /// What the demonstration plays now.
    pub scene: Option<String>,
    /// Sources of readings.
    pub link: Vec<LinkJson>,
    /// Open cases by level.
    pub counts: CountsJson,
    /// Open cases with something this login's tier was told of and has not signed.
    pub unanswered: usize,
    /// Alarms active, latched or faulted.
    pub standing_alarms: usize,
    /// Measured tags.
    pub tags: usize,
    /// Of them with bad or no data.
    pub tags_bad: usize,
    /// The tiers.
    pub tiers: Vec<TierJson>,
    /// Civil time is UTC plus this.
    pub utc_offset_ms: i64,
}

/// An alarm's identity.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmRefJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Which condition of it.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
}

/// One going and coming of an alarm.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct EpisodeJson {
    /// Microseconds since 1970, to be handed back unchanged.
    pub since: i64,
    /// For a second one at the same time.
    pub count: u32,
}

/// Names an announcement; to be handed back unchanged.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeyJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which episode.
    pub episode: EpisodeJson,
    /// 0 for a raise.
    pub step: u32,
}

/// A tier's 签收.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignatureJson {
    /// Which tier.
    pub tier: u8,
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// When.
    pub at: i64,
}

/// A tier told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ToldJson {
    /// Which tier.
    pub tier: u8,
    /// When.
    pub at: i64,
}

/// One announcement of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AnnouncementJson {
    /// Its name, to be handed back unchanged.
    pub key: KeyJson,
    /// The name as text.
    pub key_text: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// `enterprise/tag`.
    pub tag: String,
    /// 名称.
    pub tag_name: String,
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// The policy it climbs by.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// Announced.
    pub at: i64,
    /// Raised, on the tag's time.
    pub raised_at: i64,
    /// Value when raised.
    pub value: Option<f64>,
    /// Setpoint when raised.
    pub setpoint: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// 补传.
    pub late: bool,
    /// Raises folded into it.
    pub folded: u32,
    /// The enterprise's 签收 is due.
    pub sign_by: i64,
    /// And was missed.
    pub sign_missed: bool,
    /// Reminders so far.
    pub reminded: u32,
    /// Who signed.
    pub signed: Vec<SignatureJson>,
    /// Who was told.
    pub told: Vec<ToldJson>,
}

/// What the 核实 found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutcomeJson {
    /// Outcome.
    #[schema(value_type = OutcomeName)]
    pub outcome: Outcome,
    /// In Chinese.
    pub zh: &'static str,
    /// Person id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// When.
    pub at: i64,
}

/// One episode of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseEpisodeJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which.
    pub episode: EpisodeJson,
    /// Condition in Chinese.
    pub condition_zh: &'static str,
    /// Level of its condition.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State now.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
    /// 核实, once done.
    pub outcome: Option<OutcomeJson>,
}

/// How far one tier of a case is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseTierJson {
    /// Which tier.
    pub tier: u8,
    /// Which body.
    pub body: String,
    /// Its name.
    pub body_name: String,
    /// First told.
    pub told: Option<i64>,
    /// Somebody was reached.
    pub reached: Option<i64>,
    /// Nobody could be reached, so the next tier was told at once.
    pub passed: bool,
}

/// The next obligation of a case, for the countdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextJson {
    /// When.
    pub at: i64,
    /// tell, sign, remind, handle or wait.
    pub what: &'static str,
    /// For which tier, where it is one.
    pub tier: Option<u8>,
}

/// A case 处置单 as this login sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseJson {
    /// Identity; percent-encode it as one path segment.
    pub id: String,
    /// 单号.
    pub number: String,
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// Which equipment or area.
    pub equipment: String,
    /// Its name.
    pub equipment_name: String,
    /// Highest level so far.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// Where it is.
    #[schema(value_type = CaseStepName)]
    pub step: CaseStep,
    /// Opened.
    pub opened: i64,
    /// Closed.
    pub closed: Option<i64>,
    /// Handling is due.
    pub handle_by: Option<i64>,
    /// This login's tier signed everything it was told of.
    pub answered: bool,
    /// 督办 in force.
    pub supervised: bool,
    /// Times sent back.
    pub returned_count: u32,
    /// Announcements in order.
    pub announcements: Vec<AnnouncementJson>,
    /// Episodes.
    pub episodes: Vec<CaseEpisodeJson>,
    /// Tiers told, lowest first.
    pub tiers: Vec<CaseTierJson>,
    /// The next obligation.
    pub next: Option<NextJson>,
    /// What this login may do now.
    #[schema(value_type = Vec<ActName>)]
    pub acts: Vec<String>,
}

/// One line of a case's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TimelineJson {
    /// When.
    pub at: i64,
    /// Which kind of line.
    pub kind: String,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
    /// Who did it.
    pub person: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// For which tier.
    pub tier: Option<u8>,
    /// Their words.
    pub comment: Option<String>,
    /// 补传.
    pub late: bool,
}

/// A case with its timeline.
#[derive(Serialize, ToSchema)]
pub struct CaseFullJson {
    /// The case.
    #[serde(flatten)]
    pub case: CaseJson,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineJson>,
}

/// A list of cases.
#[derive(Serialize, ToSchema)]
pub struct CasesJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence.
    pub seq: u64,
    /// Unanswered first, then by level, then newest.
    pub cases: Vec<CaseJson>,
}

/// An alarm now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AlarmJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// In Chinese.
    pub condition_zh: &'static str,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
    /// In this state's episode since.
    pub since: i64,
    /// Value at the last transition.
    pub value: Option<f64>,
    /// Setpoint.
    pub setpoint: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// 补传.
    pub late: bool,
    /// Which episode, to be handed back unchanged.
    pub episode: EpisodeJson,
    /// Its case.
    pub case: Option<String>,
    /// Name of the enterprise.
    pub enterprise_name: String,
    /// Name of the equipment or area.
    pub equipment_name: String,
    /// 名称.
    pub tag_name: String,
}

/// A list of alarms.
#[derive(Serialize, ToSchema)]
pub struct AlarmsJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence.
    pub seq: u64,
    /// Highest level first, then newest.
    pub alarms: Vec<AlarmJson>,
}

/// Setpoints of a tag.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct LimitsJson {
    /// 低低报
    pub low_low: Option<f64>,
    /// 低报
    pub low: Option<f64>,
    /// 高报
    pub high: Option<f64>,
    /// 高高报
    pub high_high: Option<f64>,
}

/// The worst alarm of a tag.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct WorstJson {
    /// Which condition.
    #[schema(value_type = ConditionName)]
    pub condition: Condition,
    /// Level.
    #[schema(value_type = LevelName)]
    pub level: Level,
    /// State.
    #[schema(value_type = AlarmStateName)]
    pub state: AlarmState,
}

/// A tag with its newest reading.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TagJson {
    /// `enterprise/tag`.
    pub tag: String,
    /// Whose.
    pub enterprise: String,
    /// Its name.
    pub enterprise_name: String,
    /// 名称.
    pub name: String,
    /// What it measures.
    pub signal: String,
    /// In Chinese.
    pub signal_zh: &'static str,
    /// Unit.
    pub unit: String,
    /// Digits after the point.
    pub decimals: u8,
    /// Which equipment or area.
    pub equipment: String,
    /// Its name.
    pub equipment_name: String,
    /// Through which gateway.
    pub gateway: Option<String>,
    /// Measuring range.
    #[schema(value_type = Option<Vec<f64>>)]
    pub range: Option<(f64, f64)>,
    /// What 0 and 1 are called.
    #[schema(value_type = Option<Vec<String>>)]
    pub labels: Option<[String; 2]>,
    /// 投用.
    pub in_service: bool,
    /// Setpoints.
    pub limits: LimitsJson,
    /// Newest value.
    pub value: Option<f64>,
    /// Its quality; null before the first reading.
    #[schema(value_type = Option<QualityName>)]
    pub quality: Option<Quality>,
    /// By the gateway's clock.
    pub source_time: Option<i64>,
    /// By ours.
    pub receive_time: Option<i64>,
    /// Its worst alarm.
    pub worst: Option<WorstJson>,
}

/// A page of tags.
#[derive(Serialize, ToSchema)]
pub struct TagsJson {
    /// The engine's time.
    pub now: i64,
    /// So many fit the question.
    pub total: usize,
    /// This page of them, by id.
    pub tags: Vec<TagJson>,
}

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
    /// Whether the device answers.
    pub link: crate::SirenLink,
}

impl SirenJson {
    pub(crate) fn new(siren: &Siren, enterprise_name: String, link: crate::SirenLink) -> Self {
        Self {
            enterprise: siren.enterprise.to_string(),
            enterprise_name,
            zone: siren.zone.to_string(),
            sound: siren.sound,
            light: siren.light,
            version: siren.version,
            level: siren.level,
            link,
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

/// An act: `id`, `act` and the fields of that act.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the request; it is read as model::ActKind")]
pub struct ActRequestJson {
    /// Any unique text of at most 100 characters. Sending it again gets the first answer.
    pub id: String,
    /// Which act.
    pub act: ActName,
    /// The case, for acts on one.
    pub case: Option<String>,
    /// `key` objects of the announcements shown: accept, close.
    pub announcements: Option<Vec<KeyJson>>,
    /// Episodes shown: acknowledge, check.
    pub episodes: Option<Vec<EpisodeRefJson>>,
    /// Outcome: check.
    #[schema(value_type = Option<OutcomeName>)]
    pub outcome: Option<String>,
    /// Who went there, when, and what the portable detector read: check.
    pub field: Option<FieldCheckJson>,
    /// A person's words; required by most acts on a case, may be empty text.
    pub comment: Option<String>,
    /// Which console: silence.
    pub console: Option<String>,
    /// Whose zone: reset-siren.
    pub enterprise: Option<String>,
    /// Which zone: reset-siren.
    pub zone: Option<String>,
}

/// An episode of an alarm.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request")]
pub struct EpisodeRefJson {
    /// Whose.
    pub alarm: AlarmRefJson,
    /// Which.
    pub episode: EpisodeJson,
}

/// A field check.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a part of the request")]
pub struct FieldCheckJson {
    /// Person id of who went.
    pub person: String,
    /// When they were there, in microseconds since 1970.
    pub at: i64,
    /// What the portable detector read.
    pub reading: f64,
}

/// Why an act was refused: the fields of the refusal and its words.
#[derive(Serialize, ToSchema)]
pub struct RefusalJson {
    /// `reason` and what it names.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub refusal: model::Refusal,
    /// In Chinese.
    pub text_zh: String,
    /// In English.
    pub text_en: String,
}

/// The answer to an act, after its commit.
#[derive(Serialize, ToSchema)]
pub struct ActAnswerJson {
    /// `done` or `refused`.
    pub answer: &'static str,
    /// The engine's time.
    pub now: i64,
    /// Why refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<RefusalJson>,
}

/// `event: change` of the live events.
#[derive(Serialize, ToSchema)]
pub struct ChangeJson {
    /// Sequence.
    pub seq: u64,
    /// Cases that changed.
    pub cases: Vec<CaseJson>,
    /// Alarms that changed, those gone normal among them.
    pub alarms: Vec<AlarmJson>,
    /// Messages that changed.
    pub messages: Vec<MessageJson>,
    /// Sirens that changed.
    pub sirens: Vec<SirenJson>,
    /// The top of the page.
    pub overview: OverviewJson,
}

/// `event: values` of the live events.
#[derive(Serialize, ToSchema)]
pub struct ValuesJson {
    /// The engine's time.
    pub now: i64,
    /// `[tag, value or null, quality, source time]` of what changed.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub values: Vec<(String, Option<f64>, Quality, i64)>,
}

/// `event: heartbeat` and `event: resync` of the live events.
#[derive(Serialize, ToSchema)]
pub struct BeatJson {
    /// The engine's time.
    pub now: i64,
    /// Sequence of the last change shown.
    pub seq: u64,
}

/// Whether the engine can do its work.
#[derive(Serialize, ToSchema)]
pub struct ReadyJson {
    /// Subscribed and the store is well.
    pub ready: bool,
    /// What is missing.
    pub reasons: Vec<String>,
}
