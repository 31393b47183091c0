//! The case 处置单: what the tiers work on. And the notifications and siren states it causes.

use crate::{
    Act, ActAnswer, ActId, AlarmId, AlarmState, BodyId, CaseId, ChannelId, EpisodeRef, EquipmentId, Level, Outcome, PersonId, Tier,
    Timestamp, TransitionKey, ZoneId,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseStep {
    /// Opened; nobody reached yet.
    Opened,
    /// 已通知: somebody of the enterprise was reached.
    Notified,
    /// 已签收 by the enterprise.
    Accepted,
    /// 已核实.
    Checked,
    /// 处置中.
    Handling,
    /// 已反馈.
    Reported,
    /// 已复核.
    Reviewed,
    /// 已退回: to be done again.
    Returned,
    /// 已办结.
    Closed,
}

impl CaseStep {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Notified => "notified",
            Self::Accepted => "accepted",
            Self::Checked => "checked",
            Self::Handling => "handling",
            Self::Reported => "reported",
            Self::Reviewed => "reviewed",
            Self::Returned => "returned",
            Self::Closed => "closed",
        }
    }
}

/// A case as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Identity: the key of the raise that opened it.
    pub id: CaseId,
    /// 单号 for people: month and day of opening and the how-manieth of the enterprise on that day, such as `1124-03`.
    pub number: String,
    /// Whose.
    pub enterprise: BodyId,
    /// Of which equipment or area.
    pub equipment: EquipmentId,
    /// Highest level so far. Never falls.
    pub level: Level,
    /// Where it is.
    pub step: CaseStep,
    /// When it was opened (`now`).
    pub opened: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// What was announced in it, in order.
    pub announcements: Vec<CaseAnnouncement>,
    /// Every episode that belongs to it, announced, folded or recorded.
    pub episodes: Vec<CaseEpisode>,
    /// Per tier, lowest first, up to the highest tier told.
    pub tiers: Vec<TierProgress>,
    /// Who began the handling or reported it.
    pub handled_by: Vec<PersonId>,
    /// 督办 in force, by whom.
    pub supervised_by: Option<PersonId>,
    /// Times this case was sent back.
    pub returned_count: u32,
    /// When handling is due: the earliest of its announcements.
    pub handle_by: Option<Timestamp>,
    /// Obligations still to come. Rows of the timer table.
    pub timers: Vec<CaseTimer>,
    /// 首出: the alarm its disturbance began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_out: Option<AlarmId>,
}

/// One announcement of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseAnnouncement {
    /// The raise.
    pub key: TransitionKey,
    /// Its level: the policy it climbs by.
    pub level: Level,
    /// When it was announced (`now`): all its clocks start here.
    pub at: Timestamp,
    /// The tag's time of the raise.
    pub raised_at: Timestamp,
    /// Value when raised.
    pub value: Option<f64>,
    /// Setpoint when raised.
    pub setpoint: Option<f64>,
    /// Told late 补传.
    pub late: bool,
    /// Raises folded into it.
    pub folded: u32,
    /// The tag's time of the newest raise in it.
    pub last_raised_at: Timestamp,
    /// When the enterprise's 签收 is due.
    pub sign_by: Timestamp,
    /// The enterprise missed it. Stays on record.
    pub sign_missed: bool,
    /// Who signed, per tier.
    pub signed: Vec<Signature>,
    /// Tiers told of it, and when.
    pub told: Vec<(Tier, Timestamp)>,
    /// Reminder count so far.
    pub reminded: u32,
    /// To whom it is told: fewer than the policy names while a window or 待调试 holds it.
    #[serde(default, skip_serializing_if = "crate::Audience::is_everyone")]
    pub audience: crate::Audience,
}

/// A tier's 签收 of one announcement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// Which tier.
    pub tier: Tier,
    /// Who.
    pub person: PersonId,
    /// When.
    pub at: Timestamp,
}

/// One episode of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEpisode {
    /// Which.
    #[serde(flatten)]
    pub of: EpisodeRef,
    /// Level of its condition.
    pub level: Level,
    /// Alarm state of that episode now.
    pub state: AlarmState,
    /// Outcome of the 核实, with who and when.
    pub outcome: Option<(Outcome, PersonId, Timestamp)>,
}

/// How far one tier is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierProgress {
    /// Which tier.
    pub tier: Tier,
    /// Which body.
    pub body: BodyId,
    /// First told.
    pub told: Option<Timestamp>,
    /// Somebody was reached: by receipt, or accepted where the channel has no receipts.
    pub reached: Option<Timestamp>,
    /// Nobody could be reached, the duty phone included, so the next tier was told at once.
    pub passed: bool,
}

/// An obligation with a due time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseTimer {
    /// When.
    pub due: Timestamp,
    /// What.
    pub kind: CaseTimerKind,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "timer")]
pub enum CaseTimerKind {
    /// The wait of a data fault ends: open its climb.
    Wait {
        /// Raise key text.
        key: String,
    },
    /// Tell this tier.
    Tell {
        /// Raise key text.
        key: String,
        /// Which tier.
        tier: Tier,
    },
    /// The enterprise's 签收 is due.
    Sign {
        /// Raise key text.
        key: String,
    },
    /// Remind the told tiers that have not signed.
    Remind {
        /// Raise key text.
        key: String,
    },
    /// Handling is due.
    Handle,
    /// No answer came for a notification's attempt: try the recipient's next channel.
    Answer {
        /// Notification key text.
        key: String,
    },
}

/// A notification's identity: (case, announcement, tier step, recipient, channel, repeat). Stable, so a repeat can be recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotificationKey {
    /// The case.
    pub case: CaseId,
    /// The announcement's raise key, as text.
    pub announcement: String,
    /// The tier it climbs to.
    pub tier: Tier,
    /// Why it is sent; part of the step.
    pub purpose: Purpose,
    /// To whom.
    pub recipient: PersonId,
    /// By which channel.
    pub channel: ChannelId,
    /// 0 for the first; the reminder's count after that.
    pub repeat: u32,
}

impl fmt::Display for NotificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}|{}|{}|{}|{}|{}|{}",
            self.case,
            self.announcement,
            self.tier.0,
            self.purpose.name(),
            self.recipient,
            self.channel,
            self.repeat
        )
    }
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// First word of an announcement to this tier.
    Announce,
    /// Reminder 催办.
    Remind,
    /// The enterprise missed its 签收.
    SignMissed,
    /// Handling is overdue.
    HandleMissed,
    /// The tier below could not be reached and was passed.
    Passed,
    /// 督办 by an upper tier.
    Supervise,
    /// 退回: sent back for rework.
    Return,
    /// 办结, to those who were told.
    Closed,
    /// A limit was 放宽, to the tier above. It is about no case and wants no answer.
    LimitsLoosened,
}

impl Purpose {
    /// The name in keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Announce => "announce",
            Self::Remind => "remind",
            Self::SignMissed => "sign-missed",
            Self::HandleMissed => "handle-missed",
            Self::Passed => "passed",
            Self::Supervise => "supervise",
            Self::Return => "return",
            Self::Closed => "closed",
            Self::LimitsLoosened => "limits-loosened",
        }
    }
}

/// What a message of [`Purpose::LimitsLoosened`] tells: the weightiest of the limits that were loosened at one enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChange {
    /// What of it, such as `高高报 设定值`.
    pub what_zh: String,
    /// What of it, in English.
    pub what_en: String,
    /// Before, with its unit.
    pub old_zh: String,
    /// After.
    pub new_zh: String,
    /// Before, in English.
    pub old_en: String,
    /// After, in English.
    pub new_en: String,
    /// How many lines were loosened there in all.
    pub count: u32,
    /// The next of them, the weightiest first, each as tag, what, old and new value, in Chinese and English.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<(String, String)>,
    /// 变更单号
    pub ticket: String,
}

/// One message to one person on one channel. Its words are made when it is sent, with the value of that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Identity.
    pub key: NotificationKey,
    /// Level of what is told.
    pub level: Level,
    /// The alarm it is about (the highest of what one input announced).
    pub alarm: AlarmId,
    /// Setpoint when raised.
    pub setpoint: Option<f64>,
    /// Value when raised.
    pub value: Option<f64>,
    /// The tag's time of the raise.
    pub raised_at: Timestamp,
    /// The enterprise's 签收 is due then.
    pub sign_by: Timestamp,
    /// Late data 补传.
    pub late: bool,
    /// Sent after its time because the engine was down 因停机延迟.
    pub delayed_by_outage: bool,
    /// To whom the alarm is told: a message of one under test says 【检修】, of one being commissioned 【调试】.
    #[serde(default, skip_serializing_if = "crate::Audience::is_everyone")]
    pub audience: crate::Audience,
    /// When it came into being.
    pub at: Timestamp,
    /// What was loosened, where it is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<LimitChange>,
}

/// What became of one attempt to send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which notification.
    pub key: NotificationKey,
    /// The how-manieth attempt, from 1. What failed without an attempt says how many were made before, so 0 where there was none.
    pub number: u32,
    /// Result.
    pub result: AttemptResult,
    /// The very words sent, empty for a receipt. Never a person's name or number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// What the other side said, cut to a bounded length, without numbers or secrets.
    pub answer: String,
}

/// The result of an attempt or a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptResult {
    /// The channel took it.
    Accepted,
    /// A receipt says the person got it.
    Delivered,
    /// Failed; the notifier will try this channel again.
    Retrying,
    /// Failed for good on this channel.
    Failed,
}

/// Wanted state of a siren zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Siren {
    /// Whose.
    pub enterprise: BodyId,
    /// Which zone.
    pub zone: ZoneId,
    /// Sound wanted.
    pub sound: bool,
    /// Light wanted; stays until 办结.
    pub light: bool,
    /// Counts up with every change, so an old command is recognised.
    pub version: u64,
    /// Highest level that wants it.
    pub level: Option<Level>,
}

/// Something that happened to a case, as the journal and the page's timeline record it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    /// Which case.
    pub case: CaseId,
    /// The engine's `now`.
    pub at: Timestamp,
    /// What.
    pub what: CaseEventKind,
    /// The act that did it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActId>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// For which tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// A person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// What happened to a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum CaseEventKind {
    /// Opened by this raise.
    Opened {
        /// Level.
        level: Level,
    },
    /// A further announcement.
    Announced {
        /// Raise key text.
        key: String,
        /// Level.
        level: Level,
    },
    /// A raise folded into an announcement.
    Folded {
        /// Raise key text of the folded raise.
        key: String,
        /// Of the announcement.
        into: String,
        /// So many so far.
        count: u32,
    },
    /// The case's level rose.
    LevelRose {
        /// To.
        level: Level,
    },
    /// A tier was told.
    Told {
        /// Of which announcement.
        key: String,
    },
    /// Somebody of the tier was reached.
    Reached,
    /// Nobody of the tier could be reached; passed at once.
    Passed,
    /// A reminder went out.
    Reminded {
        /// Which announcement.
        key: String,
        /// The how-manieth.
        count: u32,
    },
    /// The enterprise missed its 签收.
    SignMissed {
        /// Which announcement.
        key: String,
    },
    /// Handling is overdue.
    HandleMissed,
    /// An alarm of the case returned to normal or was released.
    AlarmReturned {
        /// Which.
        alarm: AlarmId,
    },
    /// 报警确认.
    Acknowledged {
        /// Which.
        alarms: Vec<AlarmId>,
    },
    /// 签收.
    Accepted {
        /// Which announcements.
        keys: Vec<String>,
    },
    /// 核实.
    Checked {
        /// Outcome.
        outcome: Outcome,
        /// Of which.
        alarms: Vec<AlarmId>,
        /// With a field check.
        field: Option<crate::FieldCheck>,
    },
    /// 处置.
    Handling,
    /// 反馈.
    Reported,
    /// 复核.
    Reviewed,
    /// 退回.
    Returned,
    /// 办结.
    Closed,
    /// 督办.
    Supervised,
    /// A late exceedance was added to the record.
    LateExceedance {
        /// Which.
        alarm: AlarmId,
    },
    /// An acknowledgement ran out: the alarm is unacknowledged again.
    AcknowledgementExpired {
        /// Which.
        alarm: AlarmId,
    },
}

/// What goes into escalation.
#[derive(Clone, Debug, PartialEq)]
pub enum EscalationInput<'a> {
    /// All the rules said about one input.
    Alarms(&'a [crate::AlarmEffect]),
    /// A person. Judged here; the engine hands an accepted one on to the rules and their effects come back as `Alarms`.
    Act(&'a Act),
    /// What became of a notification.
    Attempt(&'a Attempt),
    /// Time passed.
    Timeout,
}

/// What comes out of escalation, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum EscalationEffect {
    /// To the journal and the timeline.
    Event(CaseEvent),
    /// To the outbox.
    Notify(Notification),
    /// Outbox rows of this case not yet sent are not to be sent any more.
    Supersede(CaseId),
    /// A siren's wanted state changed.
    Siren(Siren),
    /// The answer to an act.
    Answer(ActId, ActAnswer),
    /// To the journal: what happened beside alarms and cases.
    Beside(crate::BesideEvent),
    /// The marks of an alarm changed: it is to be shown again.
    Marked(AlarmId),
    /// These acknowledgements ran out: the engine hands them to the rules, whose transitions come back as `Alarms`.
    Unacknowledge(Vec<EpisodeRef>),
}
