//! Alarms: conditions, states and the transitions between them (ISA-18.2 / IEC 62682 / OPC UA Part 9).

use crate::{ReadingRecord, RuleVersion, TagId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of rule that makes an alarm. At most one of each kind stands on one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condition {
    /// 低低报
    LowLow,
    /// 低报
    Low,
    /// 高报
    High,
    /// 高高报
    HighHigh,
    /// 偏差报: a difference, calculated from several tags or from a reference, at or above its limit. On a calculated tag.
    Deviation,
    /// 升速报: rises faster than the limit, per minute over a window.
    RateUp,
    /// 降速报: falls faster than the limit, per minute over a window.
    RateDown,
    /// 突变: differs from the reading before it by the limit or more.
    Spike,
    /// 状态报警: a discrete signal in its alarm state.
    Discrete,
    /// 表决报警: k of n votes are true. On a calculated tag.
    Voted,
    /// 组合报警: a statement over several tags is true. On a calculated tag.
    Compound,
    /// 超量程: a finite value outside the measuring range.
    OutOfRange,
    /// 坏值: the last reading's quality is bad.
    BadQuality,
    /// 冻结: flat within a tolerance, exactly zero, or sent again and again, for longer than a live instrument would be.
    Frozen,
    /// 断数: no reading for the stale time.
    Stale,
    /// 网关失联: most tags of a gateway fell silent, went bad or to exactly zero together. On the gateway's own tag.
    GatewayLost,
    /// 未知位号: a tag nobody configured arrives for a known enterprise. On the gateway's own tag.
    UnknownTag,
    /// 时钟错误: the gateway's clock is wrong. On the gateway's own tag.
    WrongClock,
    /// 设备抑制: the device says that its own output is inhibited 维护使能, and nobody filed a window for it.
    Inhibited,
    /// 系统报警: the engine says it of itself. Only on tags of the reserved enterprise.
    System,
}

impl Condition {
    /// Every kind, in the order in which simultaneous transitions are listed: lower limits of a side before higher ones.
    pub const ALL: [Self; 20] = [
        Self::Low,
        Self::LowLow,
        Self::High,
        Self::HighHigh,
        Self::Deviation,
        Self::RateUp,
        Self::RateDown,
        Self::Spike,
        Self::Discrete,
        Self::Voted,
        Self::Compound,
        Self::OutOfRange,
        Self::BadQuality,
        Self::Frozen,
        Self::Stale,
        Self::GatewayLost,
        Self::UnknownTag,
        Self::WrongClock,
        Self::Inhibited,
        Self::System,
    ];

    /// The name in keys, files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowLow => "low-low",
            Self::Low => "low",
            Self::High => "high",
            Self::HighHigh => "high-high",
            Self::Deviation => "deviation",
            Self::RateUp => "rate-up",
            Self::RateDown => "rate-down",
            Self::Spike => "spike",
            Self::Discrete => "discrete",
            Self::Voted => "voted",
            Self::Compound => "compound",
            Self::OutOfRange => "out-of-range",
            Self::BadQuality => "bad-quality",
            Self::Frozen => "frozen",
            Self::Stale => "stale",
            Self::GatewayLost => "gateway-lost",
            Self::UnknownTag => "unknown-tag",
            Self::WrongClock => "wrong-clock",
            Self::Inhibited => "inhibited",
            Self::System => "system",
        }
    }
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::LowLow => "低低报",
            Self::Low => "低报",
            Self::High => "高报",
            Self::HighHigh => "高高报",
            Self::Deviation => "偏差报",
            Self::RateUp => "升速报",
            Self::RateDown => "降速报",
            Self::Spike => "突变",
            Self::Discrete => "状态报警",
            Self::Voted => "表决报警",
            Self::Compound => "组合报警",
            Self::OutOfRange => "超量程",
            Self::BadQuality => "坏值",
            Self::Frozen => "冻结",
            Self::Stale => "断数",
            Self::GatewayLost => "网关失联",
            Self::UnknownTag => "未知位号",
            Self::WrongClock => "时钟错误",
            Self::Inhibited => "设备抑制",
            Self::System => "系统报警",
        }
    }
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.name() == name)
    }
    /// Whether it judges the value itself against a limit.
    pub const fn is_limit(self) -> bool {
        matches!(self, Self::LowLow | Self::Low | Self::High | Self::HighHigh | Self::Deviation)
    }
    /// Whether it is an upper limit.
    pub const fn is_high_side(self) -> bool {
        matches!(self, Self::High | Self::HighHigh | Self::Deviation)
    }
    /// Whether it judges how the value moves, and not the value itself.
    pub const fn is_movement(self) -> bool {
        matches!(self, Self::RateUp | Self::RateDown | Self::Spike | Self::Frozen)
    }
    /// Whether it judges a state, 0 or 1, measured or worked out.
    pub const fn is_state(self) -> bool {
        matches!(self, Self::Discrete | Self::Voted | Self::Compound)
    }
    /// Whether its setpoint is a limit: of the value, of its rate per minute, or of its step.
    pub const fn has_setpoint(self) -> bool {
        self.is_limit() || matches!(self, Self::RateUp | Self::RateDown | Self::Spike)
    }
    /// Whether it is about the data and not about the process: such a condition follows the slower data-fault policy.
    pub const fn is_data_fault(self) -> bool {
        matches!(
            self,
            Self::OutOfRange | Self::BadQuality | Self::Frozen | Self::Stale | Self::GatewayLost | Self::UnknownTag | Self::WrongClock
        )
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// 预警等级. Ordered: blue is least, red is most. Never a bare number: systems disagree on which end is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// 蓝
    Blue,
    /// 黄
    Yellow,
    /// 橙
    Orange,
    /// 红
    Red,
}

impl Level {
    /// From least to most.
    pub const ALL: [Self; 4] = [Self::Blue, Self::Yellow, Self::Orange, Self::Red];
    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }
    /// The name an operator reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Blue => "蓝色",
            Self::Yellow => "黄色",
            Self::Orange => "橙色",
            Self::Red => "红色",
        }
    }
    /// The level of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
    /// As an index into a table by level, blue first.
    pub const fn at(self) -> usize {
        self as usize
    }
}

/// One condition of one tag. Written `enterprise/tag#condition` is ambiguous (tags hold `#`), so the text form is `condition@enterprise/tag`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmId {
    /// The tag.
    pub tag: TagId,
    /// The condition on it.
    pub condition: Condition,
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.condition, self.tag)
    }
}

/// One going and coming of an alarm: named by the source time of its first reading, with a count for a second one at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Episode {
    /// Source time of the first reading beyond the limit (for silence: when it became due).
    pub since: Timestamp,
    /// 0 for the first episode at that time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl fmt::Display for Episode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.since.0)?;
        if self.count > 0 {
            write!(f, ".{}", self.count)?;
        }
        Ok(())
    }
}

/// Steps from here on name fresh announcements of a standing episode, which no transition made.
const ANEW_STEP_FIRST: u32 = 1 << 20;

/// A transition's identity. The raise that opens an episode is its step 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransitionKey {
    /// Whose.
    pub alarm: AlarmId,
    /// In which episode.
    pub episode: Episode,
    /// The how-manieth in it.
    pub step: u32,
}

impl TransitionKey {
    /// The key of the raise that opened the same episode: it names the announcement.
    pub fn raise(&self) -> Self {
        Self { step: 0, ..self.clone() }
    }
    /// The key of the `count`-th fresh announcement of the same episode (from 0), such as when a window ends while it stands.
    /// No transition reaches such a step.
    pub fn anew(&self, count: u32) -> Self {
        Self { step: ANEW_STEP_FIRST + count, ..self.clone() }
    }
}

/// `high-high@ent/tag!1732451674123000/0`: stable, unique, and never parsed back.
impl fmt::Display for TransitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!{}/{}", self.alarm, self.episode, self.step)
    }
}

/// ISA-18.2 states. Shelved, suppressed by design, out of service and under test stand beside the state, not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// A
    #[default]
    Normal,
    /// B: active, seen by nobody.
    Unacknowledged,
    /// C: active, seen by an operator.
    Acknowledged,
    /// D: returned before anybody saw it.
    ReturnedUnacknowledged,
    /// E: returned, but held until a person names a field check; seen by nobody.
    LatchedUnacknowledged,
    /// F: returned and seen, held until a person names a field check.
    LatchedAcknowledged,
    /// The rule itself failed; nothing is known.
    Faulted,
}

impl AlarmState {
    /// The condition is true now, as far as we know.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged)
    }
    /// Active, latched or faulted: for siren, climb and closing the cause is not gone.
    pub const fn is_standing(self) -> bool {
        self.is_active() || self.is_latched() || matches!(self, Self::Faulted)
    }
    /// Held until a field check.
    pub const fn is_latched(self) -> bool {
        matches!(self, Self::LatchedUnacknowledged | Self::LatchedAcknowledged)
    }
    /// An operator has still to see it.
    pub const fn needs_acknowledgement(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::ReturnedUnacknowledged | Self::LatchedUnacknowledged)
    }
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned-unacknowledged",
            Self::LatchedUnacknowledged => "latched-unacknowledged",
            Self::LatchedAcknowledged => "latched-acknowledged",
            Self::Faulted => "faulted",
        }
    }
}

/// What a transition is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Became active.
    Raised,
    /// 恢复: the condition is no longer true on good evidence. A latched alarm stays standing.
    Returned,
    /// 报警确认.
    Acknowledged,
    /// A latched alarm released by a named field check.
    Reset,
    /// 再报警: acknowledged, but it has stood for so long that it must be seen again.
    Realarmed,
    /// The rule failed.
    Faulted,
    /// A tag, limit or condition left the configuration while the alarm stood.
    Retired,
    /// Its acknowledgement ran out, by default at shift change.
    AcknowledgementExpired,
}

/// The input that caused a transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Cause {
    /// This reading.
    Reading(ReadingRecord),
    /// A deadline passed; the newest reading then.
    Deadline {
        /// When it was due.
        due: Timestamp,
        /// The tag's newest reading, if it ever had one.
        newest: Option<ReadingRecord>,
    },
    /// A person.
    Act {
        /// The act.
        act: crate::ActId,
        /// Who.
        person: crate::PersonId,
    },
    /// The engine itself, for its own alarms and for tags nobody configured.
    Engine {
        /// What it saw.
        detail: String,
    },
}

/// One change of one alarm's state: what the journal records and everything else follows from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Identity.
    pub key: TransitionKey,
    /// Which change.
    pub change: Change,
    /// State before.
    pub from: AlarmState,
    /// State after.
    pub to: AlarmState,
    /// When, on the tag's time (source time of the reading, due time of the deadline, `now` of the act).
    pub at: Timestamp,
    /// The engine's `now` when it was evaluated.
    pub now: Timestamp,
    /// Level of the condition.
    pub level: Level,
    /// The setpoint it was judged by, in the tag's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setpoint: Option<f64>,
    /// Marked late 补传: its reading was older than `late_after` on arrival.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// 设计抑制: a raise that is recorded, shown and counted, but told to nobody while the suppression holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suppressed: bool,
    /// The input that caused it.
    pub cause: Cause,
    /// The rules in force.
    pub rules: RuleVersion,
}

/// How an alarm is told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnounceMode {
    /// At once.
    Normal,
    /// A late raise that a current reading confirmed or whose hold ran out.
    LateConfirmed,
    /// Raised and returned before it could be told: a case for the enterprise by message, without voice or siren.
    LateReturned,
}

/// The rules' word that people are to be told of a raise. A raise without one is recorded and shown only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// The raise (step 0) names the announcement, a re-alarm (its own step) another one of the same episode.
    pub key: TransitionKey,
    /// Its level.
    pub level: Level,
    /// The tag's time of the raise.
    pub at: Timestamp,
    /// The engine's `now`: clocks, siren and folding start here.
    pub now: Timestamp,
    /// How.
    pub mode: AnnounceMode,
    /// The value when raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// For a gateway: the tags its loss explains. Their own alarms stand but are not announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<TagId>,
    /// The alarm also still stands (false only with [`AnnounceMode::LateReturned`]).
    pub standing: bool,
}

/// A straggler beyond a limit outside any recorded episode: one row, never an alarm transition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LateExceedance {
    /// Which condition it would have raised.
    pub alarm: AlarmId,
    /// Level of that condition.
    pub level: Level,
    /// The setpoint.
    pub setpoint: Option<f64>,
    /// The straggler.
    pub reading: ReadingRecord,
    /// The engine's `now`.
    pub now: Timestamp,
    /// High-high, low-low and gas upper limits open a case for the enterprise; the key names its announcement.
    pub opens_case: Option<TransitionKey>,
}

/// What one input makes the rules say, in order (time, tag, condition).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum AlarmEffect {
    /// A state change.
    Transition(Transition),
    /// People are to be told.
    Announce(Announcement),
    /// A straggler beyond a limit.
    LateExceedance(LateExceedance),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_text_and_keeps_the_tag_as_written() {
        let key = TransitionKey {
            alarm: AlarmId { tag: TagId::new("hx", "P-101A/B#1罐"), condition: Condition::HighHigh },
            episode: Episode { since: Timestamp(5), count: 1 },
            step: 2,
        };
        assert_eq!(key.to_string(), "high-high@hx/P-101A/B#1罐!5.1/2");
        assert_eq!(key.raise().to_string(), "high-high@hx/P-101A/B#1罐!5.1/0");
    }

    #[test]
    fn levels_order_from_blue_to_red() {
        assert!(Level::Red > Level::Orange && Level::Orange > Level::Yellow && Level::Yellow > Level::Blue);
    }
}
