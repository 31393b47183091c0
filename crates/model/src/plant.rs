//! The checked description of a county: who answers for what, which tags there are, what limits they have, who is told.
//!
//! `config` makes it from files and refuses what is wrong; everything else only reads it. Tags are sorted by id, so a
//! [`TagIndex`] is stable for one plant. Every gateway and every self-diagnosis of the engine has a tag of its own, so
//! their alarms take the same path as a tank's.

use crate::{
    BodyId, ChannelId, Condition, Duration, EquipmentId, EquipmentIndex, GatewayId, GatewayIndex, Level, PersonId, RuleVersion, Shared,
    TagId, TagIndex, Timestamp, ZoneId,
};
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A tier of the jurisdiction: 0 the enterprise, 1 the township or park, 2 the county; more can follow. Data, not an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tier(pub u8);

impl Tier {
    /// The enterprise 企业.
    pub const ENTERPRISE: Self = Self(0);
    /// The township 镇街 or park committee 园区.
    pub const TOWNSHIP: Self = Self(1);
    /// The county 区县.
    pub const COUNTY: Self = Self(2);
    /// As an index into a table by tier.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// What a tier is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierName {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// A body of the jurisdiction tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Identity.
    pub id: BodyId,
    /// Full name.
    pub name: String,
    /// Name for a short message.
    pub short_name: String,
    /// Its tier.
    pub tier: Tier,
    /// The one body responsible above it; none for the top.
    pub parent: Option<BodyId>,
    /// The 24 h duty phone 值班电话: recipient of last resort.
    pub duty_phone: PersonId,
    /// Who is on duty when. Several shifts may overlap.
    pub roster: Vec<Shift>,
    /// 主要负责人, 技术负责人, 操作负责人: copied on orange and red. Enterprises only.
    pub responsible: Vec<PersonId>,
}

/// A duty turn in civil time; one that ends before it starts runs over midnight.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// Monday first.
    pub days: [bool; 7],
    /// Minutes after midnight, inclusive.
    pub from: u16,
    /// Minutes after midnight, exclusive; 1440 is midnight.
    pub to: u16,
    /// Who.
    pub people: Vec<PersonId>,
}

/// A person, or a duty phone.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Identity.
    pub id: PersonId,
    /// Name on pages and in messages.
    pub name: String,
    /// Where they belong.
    pub body: BodyId,
    /// Their channels in the order to try.
    pub channels: Vec<ChannelId>,
    /// A duty phone is nobody in particular.
    pub is_duty_phone: bool,
}

/// What a channel does to a person; policies speak of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// 平台提示: the page.
    Platform,
    /// APP, DingTalk and the like.
    App,
    /// 手机短信.
    Sms,
    /// 电话语音.
    Voice,
    /// A machine.
    Webhook,
}

/// A configured channel. How it is driven (URL, template) is the notifier's configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Identity.
    pub id: ChannelId,
    /// What it does to a person.
    pub kind: ChannelKind,
    /// Whether it later reports that the person got it; where not, accepted by the gateway counts as reached.
    pub has_receipts: bool,
}

/// A gateway of one enterprise.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Owner.
    pub enterprise: BodyId,
    /// Identity within it.
    pub id: GatewayId,
    /// Name on pages.
    pub name: String,
    /// How often it sends each tag.
    pub interval: Duration,
    /// The gateway's own tag, which carries its loss, clock and unknown-tag alarms.
    pub tag: TagIndex,
    /// The measured tags that arrive through it, in order.
    pub members: Vec<TagIndex>,
}

/// An equipment 设备 or area 区域 of one enterprise: one open case at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Equipment {
    /// Owner.
    pub enterprise: BodyId,
    /// Identity within it.
    pub id: EquipmentId,
    /// Name on pages and in messages, such as `甲类罐区V-101`.
    pub name: Box<str>,
    /// An area guarded by detectors.
    pub is_area: bool,
    /// Major hazard it belongs to.
    pub hazard: Hazard,
    /// Siren zone of the place.
    pub zone: Option<ZoneId>,
    /// Its operating modes 工况, where it has more than one.
    pub modes: Option<Box<Modes>>,
}

/// The operating modes 工况 of an equipment or area: 运行, 开车, 停车, 检修, 倒罐, or products.
#[derive(Clone, Debug, PartialEq)]
pub struct Modes {
    /// The calculated tag whose value is the place of the present mode in `names`.
    pub tag: TagIndex,
    /// What they are called; the first is the ordinary one, which also holds where nobody knows.
    pub names: Vec<String>,
}

/// Level of the major hazard 重大危险源. 一级 is the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hazard {
    /// Not a major hazard.
    #[default]
    None,
    /// 四级
    Fourth,
    /// 三级
    Third,
    /// 二级
    Second,
    /// 一级
    First,
}

/// What a tag measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// 温度
    Temperature,
    /// 压力
    Pressure,
    /// 液位
    Level,
    /// 储量
    Stock,
    /// 流量
    Flow,
    /// 可燃气体
    Combustible,
    /// 有毒气体
    Toxic,
    /// 氧气
    Oxygen,
    /// 静电接地
    StaticEarthing,
    /// 其他开关量
    Switch,
    /// 其他模拟量
    Other,
    /// A gateway's own tag.
    Gateway,
    /// One of the engine's own alarms.
    System,
}

impl Signal {
    /// Gas detectors: over range is an alarm whatever quality they claim, and their alarms never wait.
    pub const fn is_gas(self) -> bool {
        matches!(self, Self::Combustible | Self::Toxic | Self::Oxygen)
    }
    /// Its name in Chinese, for pages and messages.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Temperature => "温度",
            Self::Pressure => "压力",
            Self::Level => "液位",
            Self::Stock => "储量",
            Self::Flow => "流量",
            Self::Combustible => "可燃气体",
            Self::Toxic => "有毒气体",
            Self::Oxygen => "氧气",
            Self::StaticEarthing => "静电接地",
            Self::Switch => "开关量",
            Self::Other => "模拟量",
            Self::Gateway => "网关",
            Self::System => "系统",
        }
    }
    /// Its name in English.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Pressure => "pressure",
            Self::Level => "level",
            Self::Stock => "stock",
            Self::Flow => "flow",
            Self::Combustible => "combustible gas",
            Self::Toxic => "toxic gas",
            Self::Oxygen => "oxygen",
            Self::StaticEarthing => "static earthing",
            Self::Switch => "switch",
            Self::Other => "analog",
            Self::Gateway => "gateway",
            Self::System => "system",
        }
    }
}

/// A tag 位号: its own identity, name and places, and what it shares with every tag that says the same.
///
/// It reads like its own data sheet (`tag.unit`): a county has a hundred thousand tags and some hundreds of sheets.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Identity.
    pub id: TagId,
    /// 名称.
    pub name: Box<str>,
    /// Its equipment or area.
    pub equipment: EquipmentIndex,
    /// Its gateway; none for the engine's own tags.
    pub gateway: Option<GatewayIndex>,
    /// What its data sheet says.
    pub sheet: Shared<DataSheet>,
    /// Its conditions, in the order of [`Condition::ALL`].
    pub conditions: Shared<Vec<ConditionRule>>,
}

impl Deref for Tag {
    type Target = DataSheet;
    fn deref(&self) -> &DataSheet {
        &self.sheet
    }
}

impl DerefMut for Tag {
    fn deref_mut(&mut self) -> &mut DataSheet {
        &mut self.sheet
    }
}

/// What many tags say alike.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSheet {
    /// What it measures.
    pub signal: Signal,
    /// Unit as received and shown; empty for discrete signals.
    pub unit: String,
    /// Digits after the point on pages and in messages.
    pub decimals: u8,
    /// Measuring range, low and high, in the unit.
    pub range: Option<(f64, f64)>,
    /// Siren zone, its own or the equipment's.
    pub zone: Option<ZoneId>,
    /// 介质.
    pub medium: String,
    /// How often it is sampled.
    pub sample_interval: Duration,
    /// Silent this long is stale.
    pub stale_after: Duration,
    /// What 0 and 1 are called, for a discrete signal.
    pub labels: Option<[String; 2]>,
    /// 联锁值: shown, never acted on.
    pub interlock: Option<f64>,
    /// 设定依据, the source of the setpoints.
    pub basis: String,
    /// 投用 evaluates; 停用 only shows.
    pub in_service: bool,
    /// After power-up, a new sensor or bad quality, readings within this time may raise but not clear.
    pub warm_up: Duration,
    /// How its reading is worked out of others; none where it is measured.
    pub calculation: Option<Box<Calculation>>,
    /// 待调试: evaluated and shown, but until its end told to the integrator only. The tag's own, its gateway's or its
    /// enterprise's.
    pub commissioning: Option<Commissioning>,
}

impl DataSheet {
    /// Of a measured signal in service that is sampled every second and stale after ten.
    pub fn new(signal: Signal) -> Self {
        Self {
            signal,
            unit: String::new(),
            decimals: 1,
            range: None,
            zone: None,
            medium: String::new(),
            sample_interval: Duration::from_secs(1),
            stale_after: Duration::from_secs(10),
            labels: None,
            interlock: None,
            basis: String::new(),
            in_service: true,
            warm_up: Duration::ZERO,
            calculation: None,
            commissioning: None,
        }
    }
}

impl Tag {
    /// Whether readings of it come: it is neither a gateway's nor the engine's own, and not calculated.
    pub fn is_measured(&self) -> bool {
        !matches!(self.signal, Signal::Gateway | Signal::System) && self.calculation.is_none()
    }
    /// A tag without conditions that has nothing but its name and the sheet of its signal.
    pub fn new(id: TagId, signal: Signal) -> Self {
        Self {
            name: (*id.tag).into(),
            id,
            equipment: EquipmentIndex(0),
            gateway: None,
            sheet: DataSheet::new(signal).into(),
            conditions: Shared::default(),
        }
    }

    /// What is configured of a condition.
    pub fn rule(&self, condition: Condition) -> Option<&ConditionRule> {
        self.conditions.iter().find(|rule| rule.condition == condition)
    }

    /// As it is calculated; none where it is measured.
    pub fn formula(&self) -> Option<&str> {
        self.calculation.as_ref().map(|calculation| calculation.text.as_str())
    }

    /// The tags it is calculated from; none where it is measured.
    pub fn inputs(&self) -> &[TagIndex] {
        self.calculation.as_ref().map_or(&[], |calculation| &calculation.inputs)
    }
}

/// 待调试: who is told meanwhile, and when it ends. Past its end the tag is told of as ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commissioning {
    /// The integrator.
    pub integrator: PersonId,
    /// Its end.
    pub until: Timestamp,
}

/// One condition on a tag, with everything needed to judge it and to say how much it matters: its own limit, and the terms it shares
/// with every condition of the same.
///
/// It reads like its own terms (`rule.on_delay`), and stands in files and journals as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct ConditionRule {
    /// Limit in the tag's unit; for a discrete condition the alarm value 0 or 1; unused for data faults.
    pub setpoint: f64,
    /// 回差, in the tag's unit, on return only.
    pub deadband: f64,
    /// All but the limit.
    pub terms: Shared<Terms>,
}

impl Deref for ConditionRule {
    type Target = Terms;
    fn deref(&self) -> &Terms {
        &self.terms
    }
}

impl DerefMut for ConditionRule {
    fn deref_mut(&mut self) -> &mut Terms {
        &mut self.terms
    }
}

/// What many conditions have alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Which condition.
    pub condition: Condition,
    /// 报警延时.
    pub on_delay: Duration,
    /// 恢复延时.
    pub off_delay: Duration,
    /// 预警等级.
    pub level: Level,
    /// Level once two detectors of the area stand in this condition; none where it does not rise.
    pub level_when_two: Option<Level>,
    /// Sounds the siren of the zone when announced (red, or a gas upper limit; policy may add).
    pub siren: bool,
    /// Why the limit is there and what to do; none where nobody wrote it. It tells people and decides nothing, so it is no
    /// part of the rule version. Shared: the tags of one class say the same.
    pub rationale: Option<Arc<Rationale>>,
    /// What few conditions need.
    pub extra: Option<Box<ConditionExtra>>,
}

/// A condition as it is written: rule versions and stored rows hang on every name and their order.
#[derive(Serialize, Deserialize)]
struct Written {
    condition: Condition,
    setpoint: f64,
    deadband: f64,
    on_delay: Duration,
    off_delay: Duration,
    level: Level,
    level_when_two: Option<Level>,
    siren: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<Box<ConditionExtra>>,
}

impl From<Written> for ConditionRule {
    fn from(written: Written) -> Self {
        let Written { condition, setpoint, deadband, on_delay, off_delay, level, level_when_two, siren, extra } = written;
        let terms = Terms { condition, on_delay, off_delay, level, level_when_two, siren, rationale: None, extra };
        Self { setpoint, deadband, terms: terms.into() }
    }
}

impl From<ConditionRule> for Written {
    fn from(rule: ConditionRule) -> Self {
        let ConditionRule { setpoint, deadband, terms } = rule;
        let Terms { condition, on_delay, off_delay, level, level_when_two, siren, ref extra, rationale: _ } = *terms;
        Self { condition, setpoint, deadband, on_delay, off_delay, level, level_when_two, siren, extra: extra.clone() }
    }
}

/// What few conditions need, kept apart so that the many stay small.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConditionExtra {
    /// How a movement is measured.
    pub method: Method,
    /// Once raised, it stands until a person names a field check.
    pub latching: bool,
    /// Acknowledged and still standing after this, it is told again.
    pub realarm_after: Option<Duration>,
    /// Other limits in other modes of the equipment. A gas limit has none.
    pub modes: Vec<ModeLimit>,
    /// Calculated tags of the enterprise; while one of them is 1, raises are recorded but told to nobody. Never for a gas limit.
    pub suppressed_by: Vec<String>,
}

/// The limit of one condition in one operating mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModeLimit {
    /// Place in [`Modes::names`].
    pub mode: u8,
    /// None where the condition means nothing in this mode: raises are then recorded but told to nobody.
    pub limit: Option<Limit>,
}

/// What a value is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// In the tag's unit.
    pub setpoint: f64,
    /// 回差.
    pub deadband: f64,
    /// 报警延时.
    pub on_delay: Duration,
    /// 恢复延时.
    pub off_delay: Duration,
}

/// How the movement of a value is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Method {
    /// Not at all: the value itself is judged.
    #[default]
    Value,
    /// Change per minute between the two ends of a window.
    Rate {
        /// How long it is.
        window: Duration,
    },
    /// Step from the reading before, if that is no older than this.
    Step {
        /// How old it may be.
        within: Duration,
    },
    /// No movement.
    Frozen {
        /// Flat: no further apart than this, in the tag's unit ...
        tolerance: f64,
        /// ... for this long.
        flat_for: Option<Duration>,
        /// Exactly zero for this long.
        zero_for: Option<Duration>,
        /// So many readings on end that repeat the sequence number and value before them with a fresh time.
        resent: Option<u32>,
    },
}

/// How a calculated tag's reading is worked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Calculation {
    /// As written.
    pub text: String,
    /// The tags it reads, in the order of the program's inputs, all of the same enterprise.
    pub inputs: Vec<TagIndex>,
    /// What is run.
    pub program: expr::Program,
}

impl ConditionRule {
    /// A condition without deadband, delays and siren.
    pub fn new(condition: Condition, setpoint: f64, level: Level) -> Self {
        let terms = Terms {
            condition,
            on_delay: Duration::ZERO,
            off_delay: Duration::ZERO,
            level,
            level_when_two: None,
            siren: false,
            rationale: None,
            extra: None,
        };
        Self { setpoint, deadband: 0.0, terms: terms.into() }
    }
    /// Gives it another level, to which it then need not rise any more.
    pub fn set_level(&mut self, level: Level, siren: bool) {
        self.level_when_two = self.level_when_two.filter(|two| *two > level);
        (self.level, self.siren) = (level, siren);
    }
    /// How it measures a movement.
    pub fn method(&self) -> Method {
        self.extra.as_ref().map_or(Method::Value, |extra| extra.method)
    }
}

/// What the rationalisation of a limit 报警梳理 wrote down for whoever must answer its alarm (ISA-18.2). What is empty was not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rationale {
    /// 原因: what usually brings the value there.
    pub cause: String,
    /// 后果: what happens if nobody answers.
    pub consequence: String,
    /// 处置措施: what to do.
    pub response: String,
    /// 允许响应时间: within which that must be done to help.
    pub time_to_respond: Option<Duration>,
}

/// Who is told by which means at one tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TellRule {
    /// Which tier.
    pub tier: Tier,
    /// How long after the announcement; zero is at once.
    pub after: Duration,
    /// By which kinds of channel, all of those the person has; the next one is tried where one fails.
    pub by: Vec<ChannelKind>,
    /// By which kinds between `quiet_from` and `quiet_to`.
    pub by_quiet: Vec<ChannelKind>,
}

/// What happens at one level. An example policy is shipped; none is a standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelPolicy {
    /// For which level.
    pub level: Level,
    /// The enterprise's 签收 is due this long after the announcement.
    pub sign_within: Duration,
    /// Reminder interval; none means no reminders.
    pub remind_every: Option<Duration>,
    /// Tiers in order, the enterprise first. A tier not listed is never told: the climb has a ceiling.
    pub tell: Vec<TellRule>,
    /// Handling is due this long after the announcement.
    pub handle_within: Duration,
    /// The tier that closes.
    pub closed_by: Tier,
}

/// All policies in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// By level, blue first.
    pub levels: [LevelPolicy; 4],
    /// A data fault's case waits this long before anybody is told; a wait of the case, not a delay of the alarm.
    pub data_fault_wait: Duration,
    /// Quiet hours in minutes after midnight, start and end.
    pub quiet: (u16, u16),
    /// A condition raised again within this time of its last announcement is folded in with a count.
    pub fold_within: Duration,
    /// A raise older than this on arrival is late.
    pub late_after: Duration,
    /// A late raise is held this long for a current reading to confirm it.
    pub late_hold: Duration,
    /// A gateway clock off by more than this is wrong.
    pub clock_skew_max: Duration,
    /// Share of a gateway's tags, in percent, that must fail together.
    pub gateway_lost_percent: u8,
    /// And at least this many.
    pub gateway_lost_min: u32,
    /// A siren command expires after this; it is sent again every 10 s.
    pub siren_expiry: Duration,
    /// What stands beside the alarms' state.
    #[serde(default)]
    pub beside: BesidePolicy,
}

/// When an acknowledgement runs out while its alarm still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AcknowledgementEnd {
    /// Never.
    Never,
    /// When the people on duty at the enterprise change: who comes has not seen it.
    #[default]
    ShiftChange,
    /// After so long.
    After(Duration),
}

/// Bounds of windows, and when alarms count as chattering or as a flood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BesidePolicy {
    /// The longest shelving by level, blue first.
    pub shelved_max: [Duration; 4],
    /// The longest time out of service.
    pub out_of_service_max: Duration,
    /// The longest test; never above [`crate::bounds::TEST_MAX`].
    pub test_max: Duration,
    /// When an acknowledgement runs out.
    pub acknowledgement_end: AcknowledgementEnd,
    /// Whether people are told again when it has.
    pub acknowledgement_tells_again: bool,
    /// So many raises within `chattering_within` are chattering.
    pub chattering_raises: u32,
    /// See `chattering_raises`.
    pub chattering_within: Duration,
    /// No raise for this long ends it.
    pub chattering_calm: Duration,
    /// More announcements than this per operator on duty within `flood_within` are a flood.
    pub flood_starts_above: u32,
    /// Fewer than this end it.
    pub flood_ends_below: u32,
    /// See `flood_starts_above`.
    pub flood_within: Duration,
}

impl Default for BesidePolicy {
    /// The values of the example policy.
    fn default() -> Self {
        Self {
            shelved_max: [24 * 60, 8 * 60, 2 * 60, 30].map(Duration::from_mins),
            out_of_service_max: Duration::from_mins(30 * 24 * 60),
            test_max: crate::bounds::TEST_MAX,
            acknowledgement_end: AcknowledgementEnd::ShiftChange,
            acknowledgement_tells_again: false,
            chattering_raises: 3,
            chattering_within: Duration::from_mins(1),
            chattering_calm: Duration::from_mins(10),
            flood_starts_above: 10,
            flood_ends_below: 5,
            flood_within: Duration::from_mins(10),
        }
    }
}

impl Policies {
    /// The policy of a level.
    pub fn level(&self, level: Level) -> &LevelPolicy {
        &self.levels[level.at()]
    }
}

/// Everything that is configured, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Plant {
    /// Content hash of rules and limits: named by every transition.
    pub version: RuleVersion,
    /// Names of the tiers, tier 0 first.
    pub tiers: Vec<TierName>,
    /// Bodies sorted by id; the reserved system enterprise is among them, under the top body.
    pub bodies: Vec<Body>,
    /// People sorted by id.
    pub people: Vec<Person>,
    /// Channels sorted by id.
    pub channels: Vec<Channel>,
    /// Equipment sorted by (enterprise, id).
    pub equipment: Vec<Equipment>,
    /// Gateways sorted by (enterprise, id).
    pub gateways: Vec<Gateway>,
    /// Tags sorted by id.
    pub tags: Vec<Tag>,
    /// Policies.
    pub policies: Policies,
    /// Civil time is UTC plus this (China has no summer time).
    pub utc_offset: Duration,
}

/// The engine's own tags, made by `config` for every plant: `_system/<name>`, condition [`Condition::System`].
pub const SYSTEM_TAGS: [&str; 9] = ["broker", "clock", "storage", "database", "notifier", "recovery", "sirens", "history", "start"];

impl Plant {
    /// Finds a tag.
    pub fn tag_index(&self, id: &TagId) -> Option<TagIndex> {
        self.tags.binary_search_by(|tag| tag.id.cmp(id)).ok().map(|at| TagIndex(at as u32))
    }
    /// Finds a tag by its parts without building an id.
    pub fn find_tag(&self, enterprise: &str, tag: &str) -> Option<TagIndex> {
        self.tags
            .binary_search_by(|other| (other.id.enterprise.as_str(), &*other.id.tag).cmp(&(enterprise, tag)))
            .ok()
            .map(|at| TagIndex(at as u32))
    }
    /// The tag at an index of this plant.
    pub fn tag(&self, index: TagIndex) -> &Tag {
        &self.tags[index.at()]
    }
    /// The equipment or area of a tag.
    pub fn equipment_of(&self, tag: &Tag) -> Option<&Equipment> {
        self.equipment.get(tag.equipment.at())
    }
    /// The gateway of a tag.
    pub fn gateway_of(&self, tag: &Tag) -> Option<&Gateway> {
        self.gateways.get(tag.gateway?.at())
    }
    /// Finds a body.
    pub fn body(&self, id: &BodyId) -> Option<&Body> {
        self.bodies.binary_search_by(|body| body.id.cmp(id)).ok().map(|at| &self.bodies[at])
    }
    /// Finds a person.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.binary_search_by(|person| person.id.cmp(id)).ok().map(|at| &self.people[at])
    }
    /// Finds a channel.
    pub fn channel(&self, id: &ChannelId) -> Option<&Channel> {
        self.channels.binary_search_by(|channel| channel.id.cmp(id)).ok().map(|at| &self.channels[at])
    }
    /// The body itself and those above it, lowest first.
    pub fn chain<'a>(&'a self, from: &BodyId) -> impl Iterator<Item = &'a Body> {
        let mut next = self.body(from);
        std::iter::from_fn(move || {
            let body = next?;
            next = body.parent.as_ref().and_then(|parent| self.body(parent));
            Some(body)
        })
        // The tree is checked for loops by `config`; the bound keeps a broken one from hanging the core.
        .take(16)
    }
    /// The body of `tier` that answers for `enterprise`.
    pub fn responsible_body(&self, enterprise: &BodyId, tier: Tier) -> Option<&Body> {
        self.chain(enterprise).find(|body| body.tier == tier)
    }
    /// Whether `above` is `below` or stands above it: what a login of `above` may see.
    pub fn oversees(&self, above: &BodyId, below: &BodyId) -> bool {
        self.chain(below).any(|body| body.id == *above)
    }
    /// Who is on duty at a body, in roster order, each once; the duty phone is not among them.
    pub fn on_duty(&self, body: &Body, at: Timestamp) -> Vec<PersonId> {
        let mut people = Vec::new();
        for shift in body.roster.iter().filter(|shift| self.covers(shift, at)) {
            for person in &shift.people {
                if !people.contains(person) {
                    people.push(person.clone());
                }
            }
        }
        people
    }
    /// The next moment after `after` at which the people on duty at a body change; none where they never do.
    pub fn next_shift_change(&self, body: &Body, after: Timestamp) -> Option<Timestamp> {
        const DAY: i64 = 1440;
        let midnight = {
            let local = (after + self.utc_offset).0.div_euclid(60_000_000 * DAY) * DAY;
            Duration::from_mins(local)
        };
        let mut edges: Vec<Timestamp> = (0..=8)
            .flat_map(|day| body.roster.iter().flat_map(move |shift| [shift.from, shift.to].map(|minute| day * DAY + i64::from(minute))))
            .map(|minutes| Timestamp(0) + midnight + Duration::from_mins(minutes) + Duration(-self.utc_offset.0))
            .filter(|edge| *edge > after)
            .collect();
        edges.sort();
        edges.dedup();
        let before = |edge: Timestamp| edge + Duration::from_mins(-1);
        edges.into_iter().find(|edge| self.on_duty(body, *edge) != self.on_duty(body, before(*edge)))
    }
    /// Day of the week (Monday 0) and minutes after midnight in civil time.
    pub fn civil(&self, at: Timestamp) -> (usize, u16) {
        let local = at + self.utc_offset;
        let minutes = local.0.div_euclid(60_000_000);
        let days = minutes.div_euclid(1440);
        // 1970-01-01 was a Thursday.
        let weekday = (days + 3).rem_euclid(7) as usize;
        (weekday, minutes.rem_euclid(1440) as u16)
    }
    /// Whether a civil time lies in the quiet hours.
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        let (from, to) = self.policies.quiet;
        let (_, minute) = self.civil(at);
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
    fn covers(&self, shift: &Shift, at: Timestamp) -> bool {
        let (weekday, minute) = self.civil(at);
        if shift.from < shift.to {
            shift.days[weekday] && (shift.from..shift.to).contains(&minute)
        } else {
            let yesterday = (weekday + 6) % 7;
            (shift.days[weekday] && minute >= shift.from) || (shift.days[yesterday] && minute < shift.to)
        }
    }
}
