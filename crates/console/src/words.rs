//! What people read, in Chinese and English: announcements, the lines of a timeline, refusals, quarantine reasons.
//!
//! Both languages always go out together, so a page can change its language without asking again. Only error texts of the
//! API itself follow the language of the request.

use crate::port::{SecondPerson, TuningError};
use model::plant::{Plant, Signal, Tag};
use model::{
    AlarmId, Attempt, AttemptResult, Case, CaseEventKind, CaseStep, Change, Condition, Level, Purpose, Refusal, TagId, Tier, Timestamp,
};

/// A language of the API's own texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}

impl Language {
    /// The first language of an `Accept-Language` header or a `lang` parameter that we speak.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',').find_map(|range| match range.trim().get(..2)?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        })
    }
}

/// One text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
    pub fn of(self, language: Language) -> String {
        match language {
            Language::Zh => self.zh,
            Language::En => self.en,
        }
    }
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let (zh, en): (Vec<_>, Vec<_>) = parts.into_iter().map(|text| (text.zh, text.en)).unzip();
        Self { zh: zh.join("、"), en: en.join(", ") }
    }
}

pub(crate) const fn condition_en(condition: Condition) -> &'static str {
    match condition {
        Condition::LowLow => "low-low alarm",
        Condition::Low => "low alarm",
        Condition::High => "high alarm",
        Condition::HighHigh => "high-high alarm",
        Condition::Deviation => "deviation alarm",
        Condition::RateUp => "rising too fast",
        Condition::RateDown => "falling too fast",
        Condition::Spike => "spike",
        Condition::Discrete => "state alarm",
        Condition::Voted => "voted alarm",
        Condition::Compound => "compound alarm",
        Condition::OutOfRange => "out of range",
        Condition::BadQuality => "bad value",
        Condition::Frozen => "frozen value",
        Condition::Stale => "no data",
        Condition::GatewayLost => "gateway lost",
        Condition::UnknownTag => "unknown tag",
        Condition::WrongClock => "wrong clock",
        Condition::Inhibited => "inhibited by the device",
        Condition::System => "system alarm",
        _ => condition.name(),
    }
}

const fn step(step: CaseStep) -> (&'static str, &'static str) {
    match step {
        CaseStep::Opened => ("待通知", "opened"),
        CaseStep::Notified => ("已通知", "notified"),
        CaseStep::Accepted => ("已签收", "accepted"),
        CaseStep::Checked => ("已核实", "checked on site"),
        CaseStep::Handling => ("处置中", "being handled"),
        CaseStep::Reported => ("已反馈", "reported"),
        CaseStep::Reviewed => ("已复核", "reviewed"),
        CaseStep::Returned => ("已退回", "returned"),
        CaseStep::Closed => ("已办结", "closed"),
    }
}

const fn level_en(level: Level) -> &'static str {
    level.name()
}

pub(crate) fn tier(plant: &Plant, tier: Tier) -> Text {
    plant.tiers.get(tier.at()).map_or_else(
        || Text::new(format!("第{}层", tier.0), format!("tier {}", tier.0)),
        |name| Text::new(name.zh.clone(), name.en.clone()),
    )
}

/// The value with the digits and unit of its tag, or its label.
pub(crate) fn value(tag: &Tag, value: f64) -> String {
    if let Some([zero, one]) = &tag.labels {
        return if value == 0.0 { zero.clone() } else { one.clone() };
    }
    let number = format!("{value:.*}", usize::from(tag.decimals.min(9)));
    if tag.unit.is_empty() { number } else { format!("{number} {}", tag.unit) }
}

/// A limit as the engineer wrote it: no digits added, none lost.
fn limit(limit: f64) -> String {
    format!("{limit}")
}

/// `LIA-101 1#甲醇储罐液位 高高报`.
pub(crate) fn alarm(plant: &Plant, alarm: &AlarmId) -> Text {
    let name = name(plant, &alarm.tag);
    Text::new(format!("{name} {}", alarm.condition.name_zh()), format!("{name} {}", condition_en(alarm.condition)))
}

fn name(plant: &Plant, id: &TagId) -> String {
    let tag = plant.tag_index(id).map(|index| plant.tag(index));
    match tag {
        Some(tag) if *tag.name != *tag.id.tag => format!("{} {}", tag.id.tag, tag.name),
        _ => id.tag.to_string(),
    }
}

/// `LIA-101 1#甲醇储罐液位 高高报 91.3 % (限 90)`.
pub(crate) fn announcement(plant: &Plant, of: &AlarmId, measured: Option<f64>, setpoint: Option<f64>) -> Text {
    let mut text = alarm(plant, of);
    let Some(tag) = plant.tag_index(&of.tag).map(|index| plant.tag(index)) else { return text };
    if matches!(tag.signal, Signal::Gateway | Signal::System) {
        return text;
    }
    let shows_value =
        of.condition.is_limit() || matches!(of.condition, Condition::OutOfRange | Condition::Discrete) || of.condition.is_movement();
    if let (true, Some(measured)) = (shows_value, measured) {
        let measured = value(tag, measured);
        text.zh = format!("{} {measured}", text.zh);
        text.en = format!("{} {measured}", text.en);
    }
    if let (true, Some(setpoint)) = (of.condition.is_limit(), setpoint) {
        text.zh = format!("{} (限 {})", text.zh, limit(setpoint));
        text.en = format!("{} (limit {})", text.en, limit(setpoint));
    }
    if let (Condition::RateUp | Condition::RateDown, Some(setpoint)) = (of.condition, setpoint) {
        text.zh = format!("{} (限 {}/min)", text.zh, value(tag, setpoint));
        text.en = format!("{} (limit {}/min)", text.en, value(tag, setpoint));
    }
    if let (Condition::Spike, Some(setpoint)) = (of.condition, setpoint) {
        text.zh = format!("{} (步长限 {})", text.zh, value(tag, setpoint));
        text.en = format!("{} (step limit {})", text.en, value(tag, setpoint));
    }
    if let (Condition::OutOfRange, Some((low, high))) = (of.condition, tag.range) {
        text.zh = format!("{} (量程 {}~{})", text.zh, limit(low), limit(high));
        text.en = format!("{} (range {} to {})", text.en, limit(low), limit(high));
    }
    text
}

/// The announcement of a key's text, told by its alarm; the key itself where the case is not known.
fn by_key(plant: &Plant, case: Option<&Case>, key: &str) -> Text {
    let found = case.and_then(|case| case.announcements.iter().find(|announcement| announcement.key.to_string() == key));
    found.map_or_else(|| Text::new(key, key), |announcement| alarm(plant, &announcement.key.alarm))
}

/// What a person reads of an event of a case.
pub(crate) fn event(plant: &Plant, case: Option<&Case>, what: &CaseEventKind, of_tier: Option<Tier>) -> (&'static str, Text) {
    let who = of_tier.map(|of| tier(plant, of)).unwrap_or_else(|| Text::new("", ""));
    let key = |key: &str| by_key(plant, case, key);
    match what {
        CaseEventKind::Opened { level } => {
            ("opened", Text::new(format!("立单，{}预警", level.name_zh()), format!("case opened, level {}", level_en(*level))))
        }
        CaseEventKind::Announced { key: of, level } => {
            let of = key(of);
            ("announced", Text::new(format!("{}预警：{}", level.name_zh(), of.zh), format!("{} announced: {}", level_en(*level), of.en)))
        }
        CaseEventKind::Folded { into, count, .. } => {
            let into = key(into);
            (
                "folded",
                Text::new(
                    format!("{} 再次报警，并入原预警，共 {count} 次", into.zh),
                    format!("{} raised again, folded in ({count} times)", into.en),
                ),
            )
        }
        CaseEventKind::LevelRose { level } => {
            ("level-rose", Text::new(format!("升为{}", level.name_zh()), format!("level rose to {}", level_en(*level))))
        }
        CaseEventKind::Told { key: of } => {
            let of = key(of);
            ("told", Text::new(format!("已发送{}：{}", who.zh, of.zh), format!("{} told: {}", who.en, of.en)))
        }
        CaseEventKind::Reached => ("reached", Text::new(format!("{}已收到", who.zh), format!("{} reached", who.en))),
        CaseEventKind::Passed => (
            "passed",
            Text::new(format!("{}无人可达，立即上报", who.zh), format!("nobody at {} could be reached, passed on at once", who.en)),
        ),
        CaseEventKind::Reminded { key: of, count } => {
            let of = key(of);
            ("reminded", Text::new(format!("第 {count} 次催办：{}", of.zh), format!("reminder {count}: {}", of.en)))
        }
        CaseEventKind::SignMissed { key: of } => {
            let of = key(of);
            ("sign-missed", Text::new(format!("企业逾期未签收：{}", of.zh), format!("enterprise did not sign in time: {}", of.en)))
        }
        CaseEventKind::HandleMissed => ("handle-missed", Text::new("逾期未处置", "handling overdue")),
        CaseEventKind::AlarmReturned { alarm: of } => {
            let of = alarm(plant, of);
            ("alarm-returned", Text::new(format!("恢复：{}", of.zh), format!("returned to normal: {}", of.en)))
        }
        CaseEventKind::Acknowledged { alarms } => {
            let of = alarms_text(plant, alarms);
            ("acknowledged", Text::new(format!("报警确认：{}", of.zh), format!("acknowledged: {}", of.en)))
        }
        CaseEventKind::Accepted { keys } => {
            let of = Text::join(keys.iter().map(|of| key(of)));
            ("accepted", Text::new(format!("{}签收：{}", who.zh, of.zh), format!("{} accepted: {}", who.en, of.en)))
        }
        CaseEventKind::Checked { outcome, alarms, field } => {
            let of = alarms_text(plant, alarms);
            let mut text =
                Text::new(format!("核实为{}：{}", outcome.name_zh(), of.zh), format!("checked, {}: {}", outcome_en(*outcome), of.en));
            if let Some(field) = field {
                let name = plant.person(&field.person).map_or(field.person.as_str(), |person| &person.name);
                let unit = alarms.first().and_then(|of| plant.tag_index(&of.tag)).map_or("", |index| &plant.tag(index).unit);
                let (_, minute) = plant.civil(field.at);
                let at = format!("{:02}:{:02}", minute / 60, minute % 60);
                let reading = format!("{} {unit}", field.reading);
                let reading = reading.trim_end();
                text.zh = format!("{}；{name} {at} 现场便携仪读数 {reading}", text.zh);
                text.en = format!("{}; {name} read {reading} on site with a portable detector at {at}", text.en);
            }
            ("checked", text)
        }
        CaseEventKind::Handling => ("handling", Text::new("开始处置", "handling begun")),
        CaseEventKind::Reported => ("reported", Text::new("处置反馈", "handling reported")),
        CaseEventKind::Reviewed => ("reviewed", Text::new(format!("{}复核通过", who.zh), format!("reviewed by {}", who.en))),
        CaseEventKind::Returned => ("returned", Text::new(format!("{}退回", who.zh), format!("sent back by {}", who.en))),
        CaseEventKind::Closed => ("closed", Text::new("办结", "closed")),
        CaseEventKind::Supervised => ("supervised", Text::new(format!("{}督办", who.zh), format!("supervised by {}", who.en))),
        CaseEventKind::LateExceedance { alarm: of } => {
            let of = alarm(plant, of);
            ("late-exceedance", Text::new(format!("补传数据曾越限：{}", of.zh), format!("late data had exceeded a limit: {}", of.en)))
        }
        CaseEventKind::AcknowledgementExpired { alarm: of } => {
            let of = alarm(plant, of);
            let zh = format!("确认到期（默认交接班），重新待确认：{}", of.zh);
            ("acknowledgement-expired", Text::new(zh, format!("acknowledgement ran out, unacknowledged again: {}", of.en)))
        }
    }
}

fn alarms_text(plant: &Plant, alarms: &[AlarmId]) -> Text {
    Text::join(alarms.iter().map(|of| alarm(plant, of)))
}

const fn outcome_en(outcome: model::Outcome) -> &'static str {
    use model::Outcome;
    match outcome {
        Outcome::Real => "real",
        Outcome::ProcessUpset => "process upset",
        Outcome::InstrumentFault => "instrument fault",
        Outcome::False => "false alarm",
        Outcome::Calibration => "calibration or maintenance",
        Outcome::Communication => "communication fault",
        Outcome::Drill => "drill",
    }
}

/// What a person reads of an alarm transition.
pub(crate) fn transition(plant: &Plant, of: &model::Transition) -> Text {
    let alarm = alarm(plant, &of.key.alarm);
    let (zh, en) = match of.change {
        Change::Raised => {
            let measured = match &of.cause {
                model::Cause::Reading(reading) => reading.value,
                model::Cause::Deadline { newest, .. } => newest.as_ref().and_then(|reading| reading.value),
                model::Cause::Act { .. } | model::Cause::Engine { .. } => None,
            };
            let raised = announcement(plant, &of.key.alarm, measured, of.setpoint);
            return Text::new(format!("报警：{}", raised.zh), format!("raised: {}", raised.en));
        }
        Change::Returned => ("恢复", "returned to normal"),
        Change::Acknowledged => ("报警确认", "acknowledged"),
        Change::Reset => ("解除锁存", "latch released"),
        Change::Realarmed => ("再报警", "alarm told again"),
        Change::Faulted => ("规则故障", "rule faulted"),
        Change::Retired => ("退出配置", "left the configuration"),
        Change::AcknowledgementExpired => ("确认到期，重新待确认", "acknowledgement ran out, unacknowledged again"),
    };
    Text::new(format!("{zh}：{}", alarm.zh), format!("{en}: {}", alarm.en))
}

/// What a person reads of a message's fate.
pub(crate) fn attempt(of: &Attempt) -> Text {
    let (zh, en) = match of.result {
        AttemptResult::Accepted => ("通道已受理", "accepted by the channel"),
        AttemptResult::Delivered => ("已送达", "delivered"),
        AttemptResult::Retrying => ("发送失败，将重试", "failed, will be tried again"),
        AttemptResult::Failed => ("发送失败", "failed"),
    };
    let (purpose_zh, purpose_en) = purpose(of.key.purpose);
    let channel = &of.key.channel;
    Text::new(format!("{purpose_zh}（{channel}）{zh}"), format!("{purpose_en} by {channel}: {en}"))
}

/// What a message is for.
pub(crate) const fn purpose(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Announce => ("预警通知", "announcement"),
        Purpose::Remind => ("催办", "reminder"),
        Purpose::SignMissed => ("逾期未签收通知", "notice of a missed signature"),
        Purpose::HandleMissed => ("逾期未处置通知", "notice of overdue handling"),
        Purpose::Passed => ("下级无人可达通知", "notice that nobody below could be reached"),
        Purpose::Supervise => ("督办通知", "supervision notice"),
        Purpose::Return => ("退回通知", "notice of return"),
        Purpose::Closed => ("办结通知", "notice of closing"),
        Purpose::LimitsLoosened => ("限值放宽告知", "notice of a loosened limit"),
    }
}

/// Why an act was refused.
pub(crate) fn refusal(plant: &Plant, case: Option<&Case>, why: &Refusal) -> Text {
    let about = |of: &AlarmId, zh: &str, en: &str| {
        let of = alarm(plant, of);
        Text::new(format!("{}{zh}", of.zh), format!("{} {en}", of.en))
    };
    match why {
        Refusal::NoSuchCase => Text::new("没有这张处置单，或已办结", "there is no such case, or it is closed"),
        Refusal::NoSuchEpisode => Text::new("没有这次报警", "there is no such alarm episode"),
        Refusal::NoSuchAnnouncement { .. } => Text::new("该预警不属于这张处置单", "the announcement is not one of this case"),
        Refusal::OutsideJurisdiction => Text::new("不在本单位管辖范围", "outside your jurisdiction"),
        Refusal::WrongTier { needed } => {
            let needed = tier(plant, *needed);
            Text::new(format!("此操作须由{}进行", needed.zh), format!("this is for {} to do", needed.en))
        }
        Refusal::SamePerson => Text::new("须由另一个人进行", "another person has to do this"),
        Refusal::WrongStep { at } => {
            let (zh, en) = step(*at);
            Text::new(format!("处置单当前为“{zh}”，不能进行此操作"), format!("the case is {en}; this is not the next step"))
        }
        Refusal::NotSigned { tier: of, key } => {
            let (of, key) = (tier(plant, *of), by_key(plant, case, key));
            Text::new(format!("{}尚未签收：{}", of.zh, key.zh), format!("{} has not signed: {}", of.en, key.en))
        }
        Refusal::AlarmStands { alarm } => about(alarm, "尚未恢复", "still stands"),
        Refusal::InputBad { alarm } => about(alarm, "数据异常，无法判断是否恢复", "has bad or no data, so nobody knows whether it is gone"),
        Refusal::NotAcknowledged { alarm } => about(alarm, "尚未确认", "is not acknowledged"),
        Refusal::Latched { alarm } => about(alarm, "已锁存，须现场检测后解除", "is latched and needs a field check"),
        Refusal::NotChecked { alarm } => about(alarm, "尚未核实", "has not been checked"),
        Refusal::FieldCheckNeeded { alarm } => {
            about(alarm, "须填写现场检测人、时间和便携仪读数", "needs who went there, when, and the portable detector's reading")
        }
        Refusal::CommentNeeded => Text::new("须填写说明", "a comment is needed"),
        Refusal::NotShown { key } => {
            let key = by_key(plant, case, key);
            Text::new(
                format!("页面未显示的新预警：{}，请刷新后再操作", key.zh),
                format!("a newer announcement was not shown to you: {}", key.en),
            )
        }
        Refusal::NoSuchPerson => Text::new("没有这个人", "there is no such person"),
        Refusal::NoSuchZone => Text::new("没有这个声光区域", "there is no such siren zone"),
        Refusal::ActIdReused => Text::new("操作编号已用于其他内容", "the act id was used for something else"),
        Refusal::NoSuchScope { name } if name.is_empty() => Text::new("没有写明位号、区域或网关", "no tag, area or gateway is named"),
        Refusal::NoSuchScope { name } => Text::new(format!("没有“{name}”，或不属于同一企业"), format!("no such thing here: {name}")),
        Refusal::NoSuchWindow => Text::new("没有这项搁置、停用或检维修，或已结束", "there is no such window, or it has ended"),
        Refusal::WrongScope => Text::new("这一类不能用于这样的范围", "this kind of window does not cover such a scope"),
        Refusal::EndPassed => Text::new("结束时间须在现在之后", "the end must lie ahead"),
        Refusal::EndTooLate { latest } => {
            // Mostly another day, so never without the date.
            let at = moment(*latest, plant);
            Text::new(format!("时间太长，最晚到 {at}"), format!("too long; until {at} at the latest"))
        }
        Refusal::ReferenceNeeded => Text::new("须填写许可或作业票编号", "the number of the permit or ticket is needed"),
        Refusal::AlreadyConfirmed => Text::new("已经生效，不需再确认", "it is in force already"),
        Refusal::TooManyWindows => Text::new("该企业未结束的搁置、停用、检维修太多", "the enterprise has too many open windows"),
    }
}

/// Month, day and minute in the plant's civil time.
fn moment(at: Timestamp, plant: &Plant) -> String {
    let (_, minute) = plant.civil(at);
    let days = (at + plant.utc_offset).0.div_euclid(86_400_000_000);
    // Years begin on 1 March here, so that the leap day comes last; 719 468 days before 1970-01-01 was 0000-03-01.
    let of_era = (days + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    format!("{:02}-{day:02} {:02}:{:02}", if month < 10 { month + 3 } else { month - 9 }, minute / 60, minute % 60)
}

/// Why the API itself said no.
pub(crate) fn error(code: &str) -> Text {
    match code {
        "wrong-login" => Text::new("用户名或密码错误", "wrong user name or password"),
        "too-many-tries" => Text::new("尝试次数过多，请 15 分钟后再试", "too many tries; try again in 15 minutes"),
        "not-logged-in" => Text::new("请先登录", "log in first"),
        "forbidden" => Text::new("无权进行此操作", "this login may not do that"),
        "not-found" => Text::new("没有找到", "not found"),
        "cross-site" => Text::new("请求来自其他网站，已拒绝", "refused: the request came from another site"),
        "engine-busy" => Text::new("引擎没有及时应答，请用同一编号重试", "the engine did not answer in time; send the same id again"),
        "account-unfit" => {
            Text::new("账号所属单位或人员与配置不符，请联系管理员", "the account does not fit the configuration; ask the administrator")
        }
        "too-many-streams" => Text::new("实时连接过多", "too many live streams"),
        "records-unavailable" => Text::new("记录暂时不可读", "the records cannot be read now"),
        "bad-path" => Text::new(
            "`files` 的键是配置文件夹内的路径，例如 enterprises/hx.csv",
            "a key of `files` is a path inside the configuration folder, such as enterprises/hx.csv",
        ),
        "bad-base64" => Text::new("`files` 中有文件的 base64 读不了", "the base64 of a file in `files` cannot be read"),
        "words-too-long" => Text::new(
            "`ticket` 和 `reason` 各不超过 500 个字符，不含控制字符",
            "`ticket` and `reason` have at most 500 characters each and no control characters",
        ),
        "not-json" => Text::new(
            "正文须是 JSON，并注明 Content-Type: application/json",
            "the body must be JSON, sent as Content-Type: application/json",
        ),
        "too-large" => Text::new("请求过大", "the request is too large"),
        "too-slow" => Text::new("请求超时", "the request took too long"),
        "ticket-needed" => Text::new(
            "放宽红、橙级限值或一、二级重大危险源的设置，需要变更单号、理由和第二人确认",
            "loosening a red or orange limit, or one of a major hazard 一/二级, needs a change ticket, a reason and a second person",
        ),
        "second-unfit" => Text::new(
            "第二人须是管辖这些企业的镇街或区县账号",
            "the second person must have a township or county login that oversees these enterprises",
        ),
        "not-the-second" => Text::new("确认人不是所指定的第二人", "somebody else was named as the second person"),
        "same-person" => Text::new("提出人不能自己确认", "the author cannot be the second person"),
        "plan-stale" => Text::new("此后已有别的配置生效，请重新对比", "another configuration came into force since; plan again"),
        "plan-waits" => Text::new(
            "该方案正等待第二人确认，变更单号、理由和第二人不能再改；要改就重新生成方案",
            "that plan waits for its second person, so its ticket, reason and second person stay as they are; make another plan to change them",
        ),
        "plan-declined" => Text::new("第二人已否决该方案，未生效", "the second person declined that plan; it is not in force"),
        "config-refused" => Text::new("该配置有错误，未生效", "that configuration has faults; it is not in force"),
        "backtest-runs" => Text::new("已有一个回测在运行", "a backtest is running already"),
        "nothing-before" => Text::new("此前没有别的配置生效过，退不回去", "nothing was in force before this one, so there is no way back"),
        "nothing-to-apply" => Text::new("没有改动，或已经生效", "it changes nothing, or is in force already"),
        _ => Text::new("请求有误", "the request is wrong"),
    }
}

/// People or enterprises named in one answer.
const NAMED_MAX: usize = 10;

/// What the code of a refused plan leaves open.
pub(crate) fn tuning(error: &TuningError) -> Option<Text> {
    let more = |all: usize| match all.saturating_sub(NAMED_MAX) {
        0 => Text::default(),
        more => Text::new(format!("，等 {all} 个"), format!(" and {more} more")),
    };
    match error {
        TuningError::NotOwn(enterprises) if enterprises.is_empty() => {
            Some(Text::new("方案涉及各企业共用的配置，只能由管理员提出", "it touches what is everybody's, which is for an admin to change"))
        }
        TuningError::NotOwn(enterprises) => {
            let (named, more) = (&enterprises[..enterprises.len().min(NAMED_MAX)], more(enterprises.len()));
            Some(Text::new(
                format!("方案涉及其他企业：{}{}", named.join("、"), more.zh),
                format!("it touches other enterprises: {}{}", named.join(", "), more.en),
            ))
        }
        TuningError::SecondUnfit(fit) if fit.is_empty() => Some(Text::new("目前没有这样的账号", "there is no such login at present")),
        TuningError::SecondUnfit(fit) => {
            let (mut zh, mut en) = (Vec::new(), Vec::new());
            for SecondPerson { person, name, login } in fit.iter().take(NAMED_MAX) {
                zh.push(format!("{name}（{person}{}）", login.as_ref().map(|login| format!("，账号 {login}")).unwrap_or_default()));
                en.push(format!("{name} ({person}{})", login.as_ref().map(|login| format!(", login {login}")).unwrap_or_default()));
            }
            let more = more(fit.len());
            Some(Text::new(format!("可以是 {}{}", zh.join("、"), more.zh), format!("one of {}{}", en.join(", "), more.en)))
        }
        _ => None,
    }
}

/// What a channel said of a message. The engine's own reasons are worded; a gateway's answer stands as it came.
pub(crate) fn answer(said: &str) -> Text {
    let (zh, en) = match said {
        "budget" => (
            "超出运营商额度，未发送；此人还有别的渠道时改走下一渠道",
            "beyond the carrier's limit, not sent; the person's next channel, if any, takes over",
        ),
        "queue full" => (
            "该渠道排队已满，未发送；此人还有别的渠道时改走下一渠道",
            "too many messages wait on this channel, not sent; the person's next channel, if any, takes over",
        ),
        "no telephone number for this person" => ("此人没有登记电话号码", "no telephone number for this person"),
        "no such channel" => ("没有配置这个渠道", "no such channel is configured"),
        "shown" => ("已在页面显示", "shown on the page"),
        other => (other, other),
    };
    let no_answer = said.strip_prefix("no answer within ").and_then(|rest| rest.strip_suffix(" s"));
    Text::new(no_answer.map_or_else(|| zh.to_owned(), |seconds| format!("网关 {seconds} s 内没有回答")), en)
}

/// Why a payload was quarantined. `detail` is the engine's own wording, in English.
pub(crate) fn quarantine(reason: &str, detail: &str) -> Text {
    let (zh, en) = match reason {
        "bad-topic" => ("主题不符合规定格式", "the topic is not of the native format"),
        "forged" => ("该网关无权发布此主题", "the publisher may not use this topic"),
        "reserved-enterprise" => ("该企业编号为系统保留", "this enterprise id is reserved"),
        "unknown-enterprise" => ("未配置的企业", "no such enterprise is configured"),
        "unknown-tag" => ("未配置的位号", "no such tag is configured"),
        "not-measured" => ("该位号由系统自用，不接受外部数据", "this tag is the engine's own"),
        "tag-too-long" => ("位号过长", "the tag is too long"),
        "tag-mismatch" => ("报文中的位号与主题不一致", "the payload names another tag than the topic"),
        "missing-tag" => ("批量数据中缺少位号", "an element of a batch has no tag"),
        "oversize" => ("报文超过大小上限", "the payload is too large"),
        "empty" => ("空报文", "the payload is empty"),
        "wrong-shape" => ("报文不是 JSON 对象（批量为对象数组）", "not a JSON object (a batch is an array of them)"),
        "malformed" => ("JSON 格式错误或被截断", "the JSON is malformed or cut off"),
        "duplicate-key" => ("同一字段出现多次且内容不同", "one key stands twice with different values"),
        "too-many-readings" => ("批量数据条数超过上限，其余未读", "more readings than a batch may hold"),
        "missing-value" => ("缺少数值", "there is no value"),
        "null-value" => ("数值为 null", "the value is null"),
        "not-finite" => ("数值为 NaN、Infinity 或超出可表示范围", "the value is NaN, Infinity or too large"),
        "not-a-number" => ("数值不是数字或布尔值", "the value is neither a number nor a bool"),
        "unreadable-time" => ("时间戳无法识别，已按接收时间处理，质量记为可疑", "the time could not be read"),
        "unreadable-quality" => ("质量标志无法识别，已按可疑处理", "the quality could not be read"),
        "unreadable-sequence" => ("序号无法识别，已忽略", "the sequence number could not be read"),
        "retained-without-time" => ("保留消息没有时间戳，不能说明现在的情况", "a retained message without `ts` says nothing about now"),
        "unlisted" => ("一条报文中的问题过多，其余未逐条列出", "more faults in one payload than are listed"),
        "crashed-twice" | "held-at-crashes" => ("处理该报文时系统两次异常退出", "the engine crashed twice with it in hand"),
        other if detail.is_empty() => (other, other),
        _ => (detail, detail),
    };
    Text::new(zh, if detail.is_empty() { en } else { detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reason the engine writes. Where one has no words, people would read its code.
    const REASONS: [&str; 26] = [
        "bad-topic",
        "forged",
        "reserved-enterprise",
        "unknown-enterprise",
        "unknown-tag",
        "not-measured",
        "tag-too-long",
        "tag-mismatch",
        "missing-tag",
        "oversize",
        "empty",
        "wrong-shape",
        "malformed",
        "duplicate-key",
        "too-many-readings",
        "missing-value",
        "null-value",
        "not-finite",
        "not-a-number",
        "unreadable-time",
        "unreadable-quality",
        "unreadable-sequence",
        "held-at-crashes",
        "crashed-twice",
        "retained-without-time",
        "unlisted",
    ];

    #[test]
    fn every_reason_for_quarantine_is_worded_in_both_languages() {
        for reason in REASONS {
            let Text { zh, en } = quarantine(reason, "");
            assert!(!zh.is_ascii() && zh != reason && en.is_ascii() && en != reason, "{reason}: {zh} = {en}");
            assert_eq!(quarantine(reason, "as the engine says"), Text::new(zh, "as the engine says"));
        }
    }

    #[test]
    fn a_plan_that_touches_others_names_them_and_not_without_end() {
        let others = |count: usize| TuningError::NotOwn((1..=count).map(|n| format!("e{n}")).collect());
        assert_eq!(tuning(&others(2)), Some(Text::new("方案涉及其他企业：e1、e2", "it touches other enterprises: e1, e2")));
        let many = tuning(&others(12)).expect("words");
        assert!(many.zh.ends_with("e10，等 12 个") && many.en.ends_with("e10 and 2 more"), "{many:?}");
        assert!(tuning(&others(0)).is_some_and(|text| text.en.contains("everybody's")));
        assert!(tuning(&TuningError::SecondUnfit(Vec::new())).is_some_and(|text| text.en.contains("no such login")));
        assert_eq!(tuning(&TuningError::Stale), None);
    }

    #[test]
    fn what_the_engine_says_of_a_message_is_worded_and_a_gateways_answer_stands() {
        for said in ["budget", "queue full", "no telephone number for this person", "no such channel", "shown", "no answer within 2.5 s"] {
            let Text { zh, en } = answer(said);
            assert!(!zh.is_ascii() && en.is_ascii(), "{said}: {zh} = {en}");
        }
        assert_eq!(answer("no answer within 2.5 s").zh, "网关 2.5 s 内没有回答");
        assert_eq!(answer("503 busy"), Text::new("503 busy", "503 busy"));
    }
}
