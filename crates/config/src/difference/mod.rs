//! What changes between two configurations, line by line, and which way: 放宽 or 收紧.
//!
//! A line is 放宽 where an alarm would come later, seldomer, at a lower level, to fewer people or not at all: a limit moved away or
//! removed, a longer delay, a wider deadband, a tag dropped or 停用. It is 收紧 where the opposite holds, and unclear where neither can
//! be shown from the two values alone (a unit, a jurisdiction, a formula); whoever decides who may apply it takes unclear for 放宽. A line
//! has the level and the hazard of all that it bears on: a suppression's are those of the alarms that it keeps quiet. Pure: two checked
//! plants in, lines out in a fixed order, and swapping the two plants swaps the marks.

mod bearing;
mod organisation;
mod policy;
mod tag;

use model::plant::Plant;
use model::{BodyId, Condition, Duration, Hazard, Level, RuleVersion, TagId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which way a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// 放宽
    Looser,
    /// 收紧
    Tighter,
    /// Cannot be told from the values; treated as 放宽.
    Unclear,
    /// Decides nothing about alarms.
    Neutral,
}

impl Direction {
    /// The direction of the way back.
    pub const fn reversed(self) -> Self {
        match self {
            Self::Looser => Self::Tighter,
            Self::Tighter => Self::Looser,
            Self::Unclear | Self::Neutral => self,
        }
    }
    /// What an engineer reads.
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Looser => "放宽",
            Self::Tighter => "收紧",
            Self::Unclear => "不能判定",
            Self::Neutral => "无关松紧",
        }
    }
    /// The name in the API and in English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Tighter => "tighter",
            Self::Unclear => "unclear",
            Self::Neutral => "neutral",
        }
    }
    /// Of two changes in one: both ways is unclear.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Neutral, other) => other,
            (this, Self::Neutral) => this,
            (Self::Looser, Self::Looser) => Self::Looser,
            (Self::Tighter, Self::Tighter) => Self::Tighter,
            _ => Self::Unclear,
        }
    }
    /// By what grows from `old` to `new`: more of it is looser.
    fn more_is_looser<T: PartialOrd>(old: &T, new: &T) -> Self {
        match new.partial_cmp(old) {
            Some(std::cmp::Ordering::Greater) => Self::Looser,
            Some(std::cmp::Ordering::Less) => Self::Tighter,
            Some(std::cmp::Ordering::Equal) => Self::Neutral,
            None => Self::Unclear,
        }
    }
    fn more_is_tighter<T: PartialOrd>(old: &T, new: &T) -> Self {
        Self::more_is_looser(old, new).reversed()
    }
}

/// One of the two values of a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "value")]
pub enum Value {
    /// There is none.
    None,
    /// In the tag's unit.
    Number(f64),
    /// A length of time.
    Length(Duration),
    /// An alarm level.
    Level(Level),
    /// Yes or no.
    Flag(bool),
    /// As it is written in the files.
    Text(String),
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::None } else { Self::Text(text) }
    }
    fn number(number: Option<f64>) -> Self {
        number.map_or(Self::None, Self::Number)
    }
    /// As an engineer reads it.
    pub fn zh(&self) -> String {
        match self {
            Self::None => "无".to_owned(),
            Self::Level(level) => level.name_zh().to_owned(),
            Self::Flag(flag) => if *flag { "是" } else { "否" }.to_owned(),
            Self::Number(_) | Self::Length(_) | Self::Text(_) => self.en(),
        }
    }
    /// In English.
    pub fn en(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Length(length) => length.to_string(),
            Self::Level(level) => level.name().to_owned(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Text(text) => text.clone(),
        }
    }
}

macro_rules! items {
    ($($(#[$doc:meta])* $name:ident $key:literal $zh:literal;)*) => {
        /// What a line is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Item { $($(#[$doc])* $name,)* }
        impl Item {
            /// The name in the API and in English.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }
            /// What an engineer reads.
            pub const fn name_zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }
        }
    };
}

items! {
    /// The whole tag.
    Tag "tag" "位号";
    /// 投用 or 停用.
    Service "in-service" "投用";
    /// What is measured.
    Signal "signal" "信号类型";
    /// Its unit.
    Unit "unit" "单位";
    /// Its measuring range.
    Range "range" "量程";
    /// Its sample time.
    SampleInterval "sample-interval" "采样周期";
    /// Its stale time.
    StaleAfter "stale-after" "断数时限";
    /// Its equipment or area.
    Equipment "equipment" "设备";
    /// The major hazard it belongs to.
    Hazard "hazard" "重大危险源等级";
    /// The operating modes of its equipment.
    Modes "modes" "工况";
    /// Its siren zone.
    Zone "siren-zone" "声光报警区";
    /// Its gateway.
    Gateway "gateway" "网关";
    /// How long its readings raise and do not clear.
    WarmUp "warm-up" "预热时间";
    /// 待调试: told to the integrator only, and until when.
    Commissioning "commissioning" "待调试";
    /// How it is worked out.
    Calculation "calculation" "计算式";
    /// What is shown of it: names, digits, medium, interlock, basis.
    Shown "shown" "显示内容";
    /// Anything else of a tag.
    OtherOfTag "other-of-tag" "位号其他设置";
    /// The whole condition.
    Condition "condition" "报警条件";
    /// Its limit.
    Setpoint "setpoint" "设定值";
    /// Its deadband.
    Deadband "deadband" "回差";
    /// Its delay before it is raised.
    OnDelay "on-delay" "报警延时";
    /// Its delay before it returns.
    OffDelay "off-delay" "恢复延时";
    /// Its level.
    Level "level" "预警等级";
    /// Its level when two detectors stand.
    LevelWhenTwo "level-when-two" "两点报警时等级";
    /// Whether it sounds the siren.
    Siren "siren" "声光";
    /// Whether it latches.
    Latching "latching" "自锁";
    /// When it is told again.
    RealarmAfter "realarm-after" "再报警";
    /// What suppresses it by design.
    SuppressedBy "suppressed-by" "设计抑制";
    /// Why it is there and what to do.
    Rationale "rationale" "报警梳理";
    /// Anything else of a condition.
    OtherOfCondition "other-of-condition" "条件其他设置";
    /// How often a gateway sends.
    GatewayInterval "gateway-interval" "网关周期";
    /// When the enterprise's 签收 is due.
    SignWithin "sign-within" "签收时限";
    /// How often people are reminded.
    RemindEvery "remind-every" "催办间隔";
    /// When handling is due.
    HandleWithin "handle-within" "处置时限";
    /// When a tier is told.
    TellAfter "tell-after" "通知时间";
    /// By which channels a tier is told.
    TellBy "tell-by" "通知方式";
    /// By which channels a tier is told at night.
    TellByQuiet "tell-by-quiet" "夜间通知方式";
    /// Who closes.
    ClosedBy "closed-by" "办结层级";
    /// The wait of a data fault's case.
    DataFaultWait "data-fault-wait" "数据故障等待";
    /// Quiet hours.
    Quiet "quiet-hours" "夜间时段";
    /// How long a raise is folded into an earlier one.
    FoldWithin "fold-within" "合并时限";
    /// How long a late raise is held.
    LateHold "late-hold" "补传等待";
    /// How long an alarm may be shelved, out of service or under test.
    WindowsMax "windows-max" "搁置停用检维修时限";
    /// The other policies of data and clocks.
    OtherOfPolicy "other-of-policy" "策略其他设置";
    /// A body of the jurisdiction tree.
    Body "body" "管辖单位";
    /// Who is on duty.
    Roster "roster" "值班安排";
    /// People and their channels.
    People "people" "人员";
    /// Channels.
    Channels "channels" "通道";
    /// The difference of civil time to UTC.
    CivilTime "civil-time" "时区";
}

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Whose it is; none for what is everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<BodyId>,
    /// Which tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagId>,
    /// Which condition of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Which of several, such as the tier of a policy or the name of a body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// What of it.
    pub item: Item,
    /// Before.
    pub old: Value,
    /// After.
    pub new: Value,
    /// The unit of the values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Which way.
    pub direction: Direction,
    /// The highest level it bears on, before or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The major hazard it bears on, the higher of before and after.
    #[serde(default)]
    pub hazard: Hazard,
}

impl Line {
    /// 放宽 on a red or orange limit or on a major hazard 一/二级: wants a change ticket, a reason and a second person.
    pub fn needs_ticket(&self) -> bool {
        matches!(self.direction, Direction::Looser | Direction::Unclear)
            && (self.level.is_some_and(|level| level >= Level::Orange) || self.hazard >= Hazard::Second)
    }
}

/// Everything that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Rules before.
    pub from: RuleVersion,
    /// Rules after.
    pub to: RuleVersion,
    /// In order: tags by id with their conditions, then what is everybody's.
    pub lines: Vec<Line>,
}

impl Difference {
    /// Compares two plants.
    pub fn between(old: &Plant, new: &Plant) -> Self {
        let mut lines = Vec::new();
        tag::compare(old, new, &mut lines);
        policy::compare(&old.policies, &new.policies, &mut lines);
        organisation::compare(old, new, &mut lines);
        Self { from: old.version.clone(), to: new.version.clone(), lines }
    }
    /// Nothing changes.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
    /// How many lines go one way.
    pub fn count(&self, direction: Direction) -> usize {
        self.lines.iter().filter(|line| line.direction == direction).count()
    }
    /// Whether any line wants a change ticket.
    pub fn needs_ticket(&self) -> bool {
        self.lines.iter().any(Line::needs_ticket)
    }
    /// The enterprises it touches; none where it touches what is everybody's.
    pub fn enterprises(&self) -> Option<Vec<BodyId>> {
        let mut touched: Vec<BodyId> = self.lines.iter().map(|line| line.enterprise.clone()).collect::<Option<_>>()?;
        touched.sort();
        touched.dedup();
        Some(touched)
    }
}

/// Walks two lists that are sorted by the same key, and gives each key's element of either.
fn pairs<'a, T, K: Ord>(old: &'a [T], new: &'a [T], key: impl Fn(&'a T) -> K, mut then: impl FnMut(Option<&'a T>, Option<&'a T>)) {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => key(left).cmp(&key(right)),
        };
        match order {
            std::cmp::Ordering::Less => then(old.next(), None),
            std::cmp::Ordering::Greater => then(None, new.next()),
            std::cmp::Ordering::Equal => then(old.next(), new.next()),
        }
    }
}

/// More of a set is tighter, less is looser; the same set in another order is neither.
fn more_of<T: Ord>(old: &BTreeSet<T>, new: &BTreeSet<T>) -> Direction {
    match (old.is_subset(new), new.is_subset(old)) {
        (true, true) => Direction::Neutral,
        (true, false) => Direction::Tighter,
        (false, true) => Direction::Looser,
        (false, false) => Direction::Unclear,
    }
}

#[cfg(test)]
mod tests;
