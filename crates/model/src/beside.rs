//! What stands beside an alarm's state and decides who is told of it: windows filed by people (搁置, 停用, 检维修/标定), the
//! life of a tag, and the marks that follow (首出, 频繁报警, 洪水).
//!
//! None of it touches the alarm's state: the rules go on evaluating and recording. A window only narrows who is told, for a
//! stated time and with an owner and a reason, and everything it holds back is counted on it.

use crate::{ActId, AlarmId, BodyId, EpisodeRef, EquipmentId, GatewayId, PersonId, TagId, Tier, Timestamp, TransitionKey};
use serde::{Deserialize, Serialize};

/// What a window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowKind {
    /// 搁置: nobody is told of these alarms for a while.
    Shelved,
    /// 停用: taken out of service under a permit; nobody is told.
    OutOfService,
    /// 检维修/标定: the enterprise is told, no tier above it.
    UnderTest,
}

impl WindowKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shelved, Self::OutOfService, Self::UnderTest];
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shelved => "shelved",
            Self::OutOfService => "out-of-service",
            Self::UnderTest => "under-test",
        }
    }
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Shelved => "搁置",
            Self::OutOfService => "停用",
            Self::UnderTest => "检维修/标定",
        }
    }
    /// Who is still told of what it covers.
    pub const fn audience(self) -> Audience {
        match self {
            Self::Shelved | Self::OutOfService => Audience::Nobody,
            Self::UnderTest => Audience::Enterprise,
        }
    }
}

/// Who is told of an announcement. Ordered: a narrower audience is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Recorded, shown and counted only.
    Nobody,
    /// 待调试: the integrator.
    Integrator,
    /// The enterprise, nobody above it.
    Enterprise,
    /// Whom the policy names.
    #[default]
    Everyone,
}

impl Audience {
    /// As by the policy; the form that rows written before windows existed have.
    pub const fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone)
    }
}

/// What a window covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "of")]
pub enum Scope {
    /// These alarms only.
    Alarms {
        /// Which, all of one enterprise.
        alarms: Vec<AlarmId>,
    },
    /// Everything on these tags.
    Tags {
        /// Which, all of one enterprise.
        tags: Vec<TagId>,
    },
    /// Everything on the tags of an equipment or area.
    Area {
        /// Whose.
        enterprise: BodyId,
        /// Which.
        equipment: EquipmentId,
    },
    /// Everything on a gateway and on the tags that arrive through it.
    Gateway {
        /// Whose.
        enterprise: BodyId,
        /// Which.
        gateway: GatewayId,
    },
}

impl Scope {
    /// Whose it is; none for an empty list.
    pub fn enterprise(&self) -> Option<&BodyId> {
        match self {
            Self::Alarms { alarms } => alarms.first().map(|alarm| &alarm.tag.enterprise),
            Self::Tags { tags } => tags.first().map(|tag| &tag.enterprise),
            Self::Area { enterprise, .. } | Self::Gateway { enterprise, .. } => Some(enterprise),
        }
    }
    /// How many things it names.
    pub fn len(&self) -> usize {
        match self {
            Self::Alarms { alarms } => alarms.len(),
            Self::Tags { tags } => tags.len(),
            Self::Area { .. } | Self::Gateway { .. } => 1,
        }
    }
    /// Names nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Who has to confirm a window before it is in force; the later one here, or the higher tier, is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Confirmation {
    /// Another person of the enterprise or of a tier above it.
    SecondPerson,
    /// Somebody of this tier or above.
    TierAbove {
        /// The lowest tier that may.
        tier: Tier,
    },
}

/// A window filed by a person. Named by the act that filed it; deleted when it ends, the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The act that filed it.
    pub id: ActId,
    /// What it does.
    pub kind: WindowKind,
    /// Whose.
    pub enterprise: BodyId,
    /// What it covers.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// Permit 停用许可 or ticket 检维修票 number; empty for a shelf.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Who answers for it.
    pub owner: PersonId,
    /// For which tier.
    pub tier: Tier,
    /// When it was filed.
    pub filed: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who has to confirm it; none where its owner's word is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Confirmation>,
    /// Who confirmed it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<(PersonId, Timestamp)>,
    /// Announcements that were told to fewer people because of it.
    #[serde(default)]
    pub held: u32,
}

impl Window {
    /// Whether it narrows anything now.
    pub const fn in_force(&self) -> bool {
        self.needs.is_none() || self.confirmed.is_some()
    }
}

/// Beside the state of one alarm, as it is shown with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// 检维修/标定 in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub under_test: bool,
    /// 搁置 in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shelved: bool,
    /// 停用 in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_service: bool,
    /// 待调试.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commissioning: bool,
    /// 设计抑制: suppressed by design now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// Raises told to nobody since the present or last suppression by design began.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untold: u32,
    /// 首出: the first alarm of its equipment's present disturbance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_out: bool,
    /// 频繁报警: raised so many times since it began to chatter; 0 where it does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chattering: u32,
    /// Its acknowledgement ran out so many times in this episode.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub acknowledgement_expired: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// 报警洪水: more alarms than people can read, at one enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flood {
    /// Whose.
    pub enterprise: BodyId,
    /// Since when.
    pub since: Timestamp,
    /// Announcements since then.
    pub count: u32,
}

/// Something that happened beside the alarms and cases, as the journal records it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BesideEvent {
    /// The engine's `now`.
    pub at: Timestamp,
    /// What.
    pub what: BesideEventKind,
    /// The act that did it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActId>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum BesideEventKind {
    /// A window was filed; one that needs a confirmation is not in force yet.
    WindowFiled {
        /// As filed.
        window: Window,
    },
    /// A window was confirmed and is in force.
    WindowConfirmed {
        /// As confirmed.
        window: Window,
    },
    /// A window ended, by a person, by itself, or because the configuration changed.
    WindowEnded {
        /// As it ended.
        window: Window,
        /// Why the configuration lets it stand no longer; empty where a person or its time ended it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The configuration changed, and a window ends sooner than was filed.
    WindowShortened {
        /// As it is now.
        window: Window,
    },
    /// An announcement was told to fewer people than its policy names.
    Held {
        /// The raise.
        key: TransitionKey,
        /// To whom.
        to: Audience,
        /// The window that did it; none for 待调试.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<ActId>,
    },
    /// It still stood when what held it ended, so it is announced as new.
    RaisedAnew {
        /// Key of the fresh announcement.
        key: TransitionKey,
        /// To whom.
        to: Audience,
    },
    /// An acknowledgement ran out.
    AcknowledgementExpired {
        /// Of which episode.
        of: EpisodeRef,
        /// The how-manieth time.
        count: u32,
    },
    /// An alarm chatters: it is shown as one line with a count from now on.
    ChatteringBegan {
        /// Which.
        alarm: AlarmId,
        /// Raises so far.
        count: u32,
    },
    /// It is calm again.
    ChatteringEnded {
        /// Which.
        alarm: AlarmId,
        /// Raises in all.
        count: u32,
    },
    /// A flood began.
    FloodBegan {
        /// Whose.
        enterprise: BodyId,
        /// Announcements within the time looked at.
        count: u32,
    },
    /// A flood is over.
    FloodEnded {
        /// Whose.
        enterprise: BodyId,
        /// Announcements in all of it.
        count: u32,
    },
    /// 首出: a disturbance of an equipment began with this alarm.
    FirstOut {
        /// Which.
        alarm: AlarmId,
        /// On the tag's time.
        raised_at: Timestamp,
    },
}
