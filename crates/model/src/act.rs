//! What people do. Four acts that are never one button: silence, acknowledge, accept, reset.

use crate::{ActId, AlarmId, BodyId, CaseId, Episode, PersonId, Scope, Tier, Timestamp, TransitionKey, WindowKind, ZoneId};
use serde::{Deserialize, Serialize};

/// A human act as it enters the engine. Who may send which is decided from `tier` and `body`, never by the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Given by the sender; a repeat gets the first answer.
    pub id: ActId,
    /// Who.
    pub by: Actor,
    /// What.
    pub what: ActKind,
}

/// A logged-in person at the time of the act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
    pub person: PersonId,
    /// The body they act for.
    pub body: BodyId,
    /// That body's tier.
    pub tier: Tier,
}

/// 核实 outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 真实报警
    Real,
    /// 工艺波动
    ProcessUpset,
    /// 仪表故障
    InstrumentFault,
    /// 误报
    False,
    /// 标定检维修
    Calibration,
    /// 通讯故障
    Communication,
    /// 演练
    Drill,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Real, Self::ProcessUpset, Self::InstrumentFault, Self::False, Self::Calibration, Self::Communication, Self::Drill];
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Real => "真实报警",
            Self::ProcessUpset => "工艺波动",
            Self::InstrumentFault => "仪表故障",
            Self::False => "误报",
            Self::Calibration => "标定检维修",
            Self::Communication => "通讯故障",
            Self::Drill => "演练",
        }
    }
}

/// Somebody went there with a portable detector. Releases a latched gas alarm; required to call a gas alarm false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldCheck {
    /// Who went.
    pub person: PersonId,
    /// When they were there.
    pub at: Timestamp,
    /// What the portable detector read, in the tag's unit.
    pub reading: f64,
}

/// One episode of one alarm, as the sender was shown it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EpisodeRef {
    /// Whose.
    pub alarm: AlarmId,
    /// Which.
    pub episode: Episode,
}

/// The acts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum ActKind {
    /// 消音: this console's sound only. Changes no alarm state; recorded because every silence has an owner.
    Silence {
        /// Which console.
        console: String,
    },
    /// 报警确认: an operator has seen these episodes. Covers no others.
    Acknowledge {
        /// Which.
        episodes: Vec<EpisodeRef>,
    },
    /// 现场声光复位: by a named person at the enterprise.
    ResetSiren {
        /// Whose zone.
        enterprise: BodyId,
        /// Which zone.
        zone: ZoneId,
    },
    /// 签收: one tier takes the announcements it was shown.
    Accept {
        /// The case.
        case: CaseId,
        /// Raise keys of the announcements shown.
        announcements: Vec<TransitionKey>,
    },
    /// 核实: real or not, per alarm, with an outcome.
    Check {
        /// The case.
        case: CaseId,
        /// Which episodes; each gets this outcome.
        episodes: Vec<EpisodeRef>,
        /// Outcome.
        outcome: Outcome,
        /// Required where a latched alarm is to be released and where gas is called false.
        field: Option<FieldCheck>,
        /// What was found.
        comment: String,
    },
    /// 处置: handling has begun, and what is being done.
    Handle {
        /// The case.
        case: CaseId,
        /// What is done.
        comment: String,
    },
    /// 反馈: what was done.
    Report {
        /// The case.
        case: CaseId,
        /// What was done.
        comment: String,
    },
    /// 复核: reviewed and found good.
    Review {
        /// The case.
        case: CaseId,
        /// Remark.
        comment: String,
    },
    /// 退回: sent back for rework.
    Return {
        /// The case.
        case: CaseId,
        /// Why.
        comment: String,
    },
    /// 办结.
    Close {
        /// The case.
        case: CaseId,
        /// Raise keys of the announcements shown.
        announcements: Vec<TransitionKey>,
        /// Remark.
        comment: String,
    },
    /// 催办: a person reminds the enterprise.
    Remind {
        /// The case.
        case: CaseId,
        /// Remark.
        comment: String,
    },
    /// 督办: formal supervision by an upper tier.
    Supervise {
        /// The case.
        case: CaseId,
        /// Demand.
        comment: String,
    },
    /// 搁置: nobody is told of these alarms until then. Named by this act from here on.
    Shelve {
        /// Which alarms or tags.
        scope: Scope,
        /// Why.
        reason: String,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// 取消搁置 before its time.
    Unshelve {
        /// The act that put it.
        window: ActId,
    },
    /// 停用 under a permit.
    OutOfService {
        /// Which.
        scope: Scope,
        /// Why.
        reason: String,
        /// The permit's number.
        permit: String,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// 恢复投用 before its time.
    BackInService {
        /// The act that took it out.
        window: ActId,
    },
    /// 检维修/标定: no tier above the enterprise is told until then.
    BeginTest {
        /// Which tags, area or gateway.
        scope: Scope,
        /// Why.
        reason: String,
        /// The ticket's number.
        ticket: String,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// 检维修结束 before its time.
    EndTest {
        /// The act that began it.
        window: ActId,
    },
    /// A second person, or the tier above, confirms a window: it is in force from then on.
    ConfirmWindow {
        /// The act that filed it.
        window: ActId,
    },
}

impl ActKind {
    /// The case it is about; none where it is about alarms, a siren or a console.
    pub const fn case(&self) -> Option<&CaseId> {
        match self {
            Self::Accept { case, .. }
            | Self::Check { case, .. }
            | Self::Handle { case, .. }
            | Self::Report { case, .. }
            | Self::Review { case, .. }
            | Self::Return { case, .. }
            | Self::Close { case, .. }
            | Self::Remind { case, .. }
            | Self::Supervise { case, .. } => Some(case),
            Self::Silence { .. }
            | Self::Acknowledge { .. }
            | Self::ResetSiren { .. }
            | Self::Shelve { .. }
            | Self::Unshelve { .. }
            | Self::OutOfService { .. }
            | Self::BackInService { .. }
            | Self::BeginTest { .. }
            | Self::EndTest { .. }
            | Self::ConfirmWindow { .. } => None,
        }
    }
    /// The window it is about, where it names one that was filed before, and of which kind that must be.
    pub const fn window(&self) -> Option<(&ActId, Option<WindowKind>)> {
        match self {
            Self::Unshelve { window } => Some((window, Some(WindowKind::Shelved))),
            Self::BackInService { window } => Some((window, Some(WindowKind::OutOfService))),
            Self::EndTest { window } => Some((window, Some(WindowKind::UnderTest))),
            Self::ConfirmWindow { window } => Some((window, None)),
            _ => None,
        }
    }
    /// The name in the API and in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Silence { .. } => "silence",
            Self::Acknowledge { .. } => "acknowledge",
            Self::ResetSiren { .. } => "reset-siren",
            Self::Accept { .. } => "accept",
            Self::Check { .. } => "check",
            Self::Handle { .. } => "handle",
            Self::Report { .. } => "report",
            Self::Review { .. } => "review",
            Self::Return { .. } => "return",
            Self::Close { .. } => "close",
            Self::Remind { .. } => "remind",
            Self::Supervise { .. } => "supervise",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve { .. } => "unshelve",
            Self::OutOfService { .. } => "out-of-service",
            Self::BackInService { .. } => "back-in-service",
            Self::BeginTest { .. } => "begin-test",
            Self::EndTest { .. } => "end-test",
            Self::ConfirmWindow { .. } => "confirm-window",
        }
    }
}

/// What the sender of an act is told, after its commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum ActAnswer {
    /// Done.
    Done {
        /// The engine's time.
        now: Timestamp,
    },
    /// Not done; nothing changed.
    Refused {
        /// The engine's time.
        now: Timestamp,
        /// Why, each reason once.
        reasons: Vec<Refusal>,
    },
}

/// Why an act was refused. The console words it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Refusal {
    /// No such case, or closed.
    NoSuchCase,
    /// No such alarm episode.
    NoSuchEpisode,
    /// The announcement is not one of this case.
    NoSuchAnnouncement {
        /// The unknown key's text.
        key: String,
    },
    /// The actor's body has no say over this enterprise.
    OutsideJurisdiction,
    /// This tier may not do this; the case names who may.
    WrongTier {
        /// Who may.
        needed: Tier,
    },
    /// Closing by the person who handled it.
    SamePerson,
    /// Not the next step of the case.
    WrongStep {
        /// Which step it is at.
        at: crate::CaseStep,
    },
    /// Not signed by this tier.
    NotSigned {
        /// Which tier.
        tier: Tier,
        /// Which announcement.
        key: String,
    },
    /// The alarm still stands.
    AlarmStands {
        /// Which.
        alarm: AlarmId,
    },
    /// The alarm's input is bad or silent, so nobody knows whether it is gone.
    InputBad {
        /// Which.
        alarm: AlarmId,
    },
    /// The alarm is not acknowledged.
    NotAcknowledged {
        /// Which.
        alarm: AlarmId,
    },
    /// The alarm is latched; it wants a field check.
    Latched {
        /// Which.
        alarm: AlarmId,
    },
    /// An episode has no outcome yet.
    NotChecked {
        /// Which.
        alarm: AlarmId,
    },
    /// A gas alarm is called false only with who went, when, and the portable detector's reading.
    FieldCheckNeeded {
        /// Which.
        alarm: AlarmId,
    },
    /// A comment is needed.
    CommentNeeded,
    /// The case holds an announcement that the act does not name: its sender was not shown it.
    NotShown {
        /// The raise key's text.
        key: String,
    },
    /// The person named does not exist.
    NoSuchPerson,
    /// The zone does not exist.
    NoSuchZone,
    /// The same act id came before with other content.
    ActIdReused,
    /// Nothing is named, or a tag, alarm, area or gateway that does not exist, or things of several enterprises.
    NoSuchScope {
        /// What, as named; empty where nothing was.
        name: String,
    },
    /// No such window, or it has ended.
    NoSuchWindow,
    /// This kind of window does not cover such a scope.
    WrongScope,
    /// The end must lie ahead.
    EndPassed,
    /// The end is too far ahead for what is covered.
    EndTooLate {
        /// The latest allowed.
        latest: Timestamp,
    },
    /// The number of a permit or ticket is needed.
    ReferenceNeeded,
    /// It is in force already.
    AlreadyConfirmed,
    /// The enterprise has as many windows as it may.
    TooManyWindows,
}
