//! The words of a message: templates, and the plain facts they put in order.
//!
//! Everything that must not be wrong is decided here and not in a template: which value is shown and whether it may be called
//! present, how times read, what is cut when a short message is too long. A template only orders the pieces, so a site can
//! reword messages without being able to show a stale value as a current one. Templates are tried out at start with every
//! purpose and every awkward kind of data; one that fails there is refused, one that still fails later gives way to the
//! built-in words.

use crate::channel::{Form, Lang};
use crate::contacts::mask_phones;
use crate::facts::{CurrentValue, MessageFacts};
use crate::{NotifierError, civil};
use minijinja::{Environment, UndefinedBehavior};
use model::plant::Rationale;
use model::{Audience, Condition, Duration, Level, LimitChange, Notification, Purpose, Quality, Signal, Tier, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of one SMS in Chinese.
pub(crate) const SHORT_CHARS_MAX_ZH: usize = 70;
/// Characters of one SMS in English.
pub(crate) const SHORT_CHARS_MAX_EN: usize = 160;
/// Steps one template may take.
pub(crate) const TEMPLATE_FUEL: u64 = 50_000;
/// Names are not cut below this many characters.
const NAME_CHARS_MIN: usize = 4;

const BUILT_IN: [(&str, &str); 4] = [
    ("zh-short", include_str!("../templates/zh-short.j2")),
    ("zh-long", include_str!("../templates/zh-long.j2")),
    ("en-short", include_str!("../templates/en-short.j2")),
    ("en-long", include_str!("../templates/en-long.j2")),
];

/// Message templates (minijinja) that replace built-in ones, by name: `zh-short`, `zh-long`, `en-short`, `en-long`. The built-in
/// ones, under `templates/`, are the place to start from.
///
/// A template puts these in order. Text, empty where there is nothing to say: `prefix` (【演示】【补传】), `level`, `purpose` (the
/// name in keys, such as `sign-missed`), `delay` (因停机延迟), `subject` (enterprise, equipment, signal and condition in one),
/// `enterprise`, `equipment`, `condition`, `tag`, `tag_full` (with its name), `value` (of the moment of sending, or 信号中断 or
/// 坏值), `last` (the last value and its time, where there is no present one), `limit`, `raised_value`, `since`, `since_full`,
/// `sign_by`, `handle_by`, `cause`, `consequence`, `response`, `respond_within` (of the limit's rationalisation), `number`, `link`, `please` (请, left out where a short message is too long). Numbers: `repeat`, `folded`,
/// `members`. Yes or no: `returned`, `late`, `overdue`, `upper` (to a tier above the enterprise).
#[derive(Clone, Debug, Default)]
pub struct Templates {
    overrides: BTreeMap<String, String>,
}

impl Templates {
    /// Replaces one template.
    pub fn with(mut self, name: impl Into<String>, source: impl Into<String>) -> Self {
        self.overrides.insert(name.into(), source.into());
        self
    }
}

/// How the sender's place and moment bear on the words.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) now: Timestamp,
    pub(crate) utc_offset: Duration,
    pub(crate) demo: bool,
    pub(crate) public_url: Option<String>,
}

/// The pieces a template puts in order.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) prefix: String,
    pub(crate) level: String,
    pub(crate) purpose: &'static str,
    pub(crate) repeat: u32,
    pub(crate) delay: &'static str,
    pub(crate) subject: String,
    pub(crate) enterprise: String,
    pub(crate) equipment: String,
    pub(crate) condition: String,
    pub(crate) tag: String,
    pub(crate) tag_full: String,
    pub(crate) value: String,
    pub(crate) last: String,
    pub(crate) limit: String,
    pub(crate) raised_value: String,
    pub(crate) returned: bool,
    pub(crate) late: bool,
    /// The enterprise's deadline has passed.
    pub(crate) overdue: bool,
    /// To a tier above the enterprise: the deadline is not theirs.
    pub(crate) upper: bool,
    pub(crate) since: String,
    pub(crate) since_full: String,
    pub(crate) sign_by: String,
    pub(crate) handle_by: String,
    pub(crate) cause: String,
    pub(crate) consequence: String,
    pub(crate) response: String,
    pub(crate) respond_within: String,
    pub(crate) folded: u32,
    pub(crate) members: u32,
    pub(crate) number: String,
    pub(crate) link: String,
    pub(crate) please: &'static str,
}

/// The templates, checked.
pub(crate) struct Words {
    configured: Environment<'static>,
    built_in: Environment<'static>,
}

impl Words {
    /// Compiles the templates and tries each with every purpose and the awkward kinds of data.
    pub(crate) fn new(templates: &Templates) -> Result<Self, NotifierError> {
        let mut built_in = environment();
        for (name, source) in BUILT_IN {
            add(&mut built_in, name, source)?;
        }
        let mut configured = built_in.clone();
        for (name, source) in &templates.overrides {
            if !BUILT_IN.iter().any(|(known, _)| known == name) {
                let known = BUILT_IN.map(|(known, _)| known).join(", ");
                return Err(NotifierError::Template { name: name.clone(), reason: format!("no such message; there are {known}") });
            }
            // What is sent is journaled, and the journal holds no numbers.
            if mask_phones(source) != *source {
                return Err(NotifierError::Template { name: name.clone(), reason: "holds a telephone number".to_owned() });
            }
            add(&mut configured, name, source)?;
        }
        let words = Self { configured, built_in };
        for message in samples() {
            for (lang, form) in [(Lang::Zh, Form::Short), (Lang::Zh, Form::Long), (Lang::En, Form::Short), (Lang::En, Form::Long)] {
                let name = name(lang, form);
                render(&words.configured, name, &message).map_err(|reason| NotifierError::Template { name: name.to_owned(), reason })?;
            }
        }
        Ok(words)
    }

    /// The words of one message at the moment of sending, and the pieces they were made of.
    pub(crate) fn compose(
        &self,
        notification: &Notification,
        facts: &MessageFacts,
        setting: &Setting,
        lang: Lang,
        form: Form,
    ) -> (String, Message) {
        let mut message = Message::new(notification, facts, setting, lang, form);
        if let Some(change) = &notification.change {
            // About no alarm, so no template of an alarm fits it.
            return (loosened(change, &message, lang, form), message);
        }
        let mut text = self.text(&message, lang, form);
        if form == Form::Short {
            let limit = match lang {
                Lang::Zh => SHORT_CHARS_MAX_ZH,
                Lang::En => SHORT_CHARS_MAX_EN,
            };
            if text.chars().count() > limit {
                // Courtesy goes before names, names lose their middle (drawings number equipment at the end), numbers never go.
                message.please = "";
                text = self.text(&message, lang, form);
            }
            let over = text.chars().count().saturating_sub(limit);
            if over > 0 {
                let equipment = cut_middle(&facts.equipment, over, NAME_CHARS_MIN * 2);
                let left = over.saturating_sub(facts.equipment.chars().count() - equipment.chars().count());
                let enterprise = cut_middle(&facts.enterprise, left, NAME_CHARS_MIN);
                message.subject = subject(&enterprise, &equipment, facts.signal, notification.alarm.condition, lang);
                text = self.text(&message, lang, form);
            }
        }
        (text, message)
    }

    fn text(&self, message: &Message, lang: Lang, form: Form) -> String {
        let name = name(lang, form);
        let text = render(&self.configured, name, message).or_else(|reason| {
            tracing::error!(template = name, reason, "message template failed, built-in words are used");
            render(&self.built_in, name, message)
        });
        // The built-in templates use nothing a `Message` can lack; should one fail all the same, the bare facts still go out.
        text.unwrap_or_else(|_| format!("{} {} {} {}", message.level, message.subject, message.value, message.number))
    }
}

impl Message {
    fn new(notification: &Notification, facts: &MessageFacts, setting: &Setting, lang: Lang, form: Form) -> Self {
        let zh = lang == Lang::Zh;
        let Setting { now, utc_offset, .. } = *setting;
        let alarm = &notification.alarm;
        let time = |at: Timestamp| civil::short(at, now, utc_offset);
        let mut prefix = String::new();
        if setting.demo {
            prefix.push_str(if zh { "【演示】" } else { "[DEMO]" });
        }
        if notification.late {
            prefix.push_str(if zh { "【补传】" } else { "[LATE DATA]" });
        }
        prefix.push_str(match (notification.audience, zh) {
            (Audience::Everyone, _) => "",
            (Audience::Enterprise, true) => "【检修】",
            (Audience::Enterprise, false) => "[UNDER TEST]",
            (Audience::Integrator | Audience::Nobody, true) => "【调试】",
            (Audience::Integrator | Audience::Nobody, false) => "[COMMISSIONING]",
        });
        let (value, last) = value_words(facts, &alarm.tag.tag, alarm.condition, setting, lang, form);
        let number = |value: Option<f64>| value.map(|value| quantity(value, facts, lang)).unwrap_or_default();
        let discrete = alarm.condition == Condition::Discrete;
        let rationale = facts.rationale.as_deref();
        let written = |part: fn(&Rationale) -> &String| rationale.map(|rationale| mask_phones(part(rationale))).unwrap_or_default();
        Self {
            prefix,
            level: if zh { notification.level.name_zh().to_owned() } else { notification.level.name().to_uppercase() },
            purpose: notification.key.purpose.name(),
            repeat: notification.key.repeat.max(1),
            delay: match (notification.delayed_by_outage, lang) {
                (false, _) => "",
                (true, Lang::Zh) => "(因停机延迟)",
                (true, Lang::En) => " (delayed by outage)",
            },
            subject: subject(&facts.enterprise, &facts.equipment, facts.signal, alarm.condition, lang),
            enterprise: facts.enterprise.clone(),
            equipment: facts.equipment.clone(),
            condition: condition(alarm.condition, lang).to_owned(),
            tag: alarm.tag.tag.to_string(),
            tag_full: match (facts.tag_name.is_empty(), lang) {
                (true, _) => alarm.tag.tag.to_string(),
                (false, Lang::Zh) => format!("{}({})", alarm.tag.tag, facts.tag_name),
                (false, Lang::En) => format!("{} ({})", alarm.tag.tag, facts.tag_name),
            },
            value,
            last,
            // The alarm value of a discrete signal is no limit anybody thinks of as one.
            limit: if alarm.condition.is_limit() { limit(notification.setpoint, facts, lang) } else { String::new() },
            raised_value: if discrete
                || alarm.condition.is_limit()
                || alarm.condition.is_movement()
                || alarm.condition == Condition::OutOfRange
            {
                number(notification.value)
            } else {
                String::new()
            },
            returned: !facts.still_standing,
            late: notification.late,
            overdue: now >= notification.sign_by,
            upper: notification.key.tier != Tier::ENTERPRISE,
            since: time(notification.raised_at),
            since_full: civil::long(notification.raised_at, utc_offset),
            sign_by: time(notification.sign_by),
            handle_by: facts.handle_by.map(time).unwrap_or_default(),
            cause: written(|rationale| &rationale.cause),
            consequence: written(|rationale| &rationale.consequence),
            response: written(|rationale| &rationale.response),
            respond_within: rationale
                .and_then(|rationale| rationale.time_to_respond)
                .map(|within| minutes(within, lang))
                .unwrap_or_default(),
            folded: facts.folded,
            members: facts.members,
            number: facts.number.clone(),
            link: match (&setting.public_url, &facts.link) {
                (Some(base), Some(link)) => format!("{}{link}", base.trim_end_matches('/')),
                _ => String::new(),
            },
            please: if zh { "请" } else { "" },
        }
    }
}

/// `【烽燧】限值放宽:XX化工LIA-101 高高报 设定值 90 %→92 %,共3处,变更单B-17`.
/// A long one goes on with the others.
fn loosened(change: &LimitChange, message: &Message, lang: Lang, form: Form) -> String {
    let Message { prefix, enterprise, tag, .. } = message;
    let LimitChange { count, ticket, others, .. } = change;
    let others = if form == Form::Long { others.as_slice() } else { &[] };
    match lang {
        Lang::Zh => {
            let LimitChange { what_zh, old_zh, new_zh, .. } = change;
            let more = if *count > 1 { format!(",共{count}处") } else { String::new() };
            let others: String = others.iter().map(|(zh, _)| format!("\n{zh}")).collect();
            format!("{prefix}【烽燧】限值放宽:{enterprise}{tag} {what_zh} {old_zh}→{new_zh}{more},变更单{ticket}{others}")
        }
        Lang::En => {
            let LimitChange { what_en, old_en, new_en, .. } = change;
            let more = if *count > 1 { format!(", {count} lines in all") } else { String::new() };
            let others: String = others.iter().map(|(_, en)| format!("\n{en}")).collect();
            format!(
                "{prefix}[Watchfire] limit loosened: {enterprise} {tag} {what_en} {old_en} -> {new_en}{more}, change ticket {ticket}{others}"
            )
        }
    }
}

/// A time to respond as people say it.
fn minutes(length: Duration, lang: Lang) -> String {
    let minutes = length.as_micros() as f64 / 60e6;
    match lang {
        Lang::Zh => format!("{minutes}分钟"),
        Lang::En => format!("{minutes} min"),
    }
}

/// `XX化工甲类罐区V-101液位高高报`.
fn subject(enterprise: &str, equipment: &str, signal: Signal, of: Condition, lang: Lang) -> String {
    // A gateway's own alarms name their signal already; an unknown tag measures nothing anybody can name.
    let named = !matches!(signal, Signal::Gateway | Signal::System | Signal::Other);
    match lang {
        Lang::Zh => {
            let signal = if named { signal.name_zh() } else { "" };
            format!("{enterprise}{equipment}{signal}{}", condition(of, lang))
        }
        Lang::En => {
            let signal = if named { signal.name_en() } else { "" };
            let parts = [enterprise, equipment, signal, condition(of, lang)];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        }
    }
}

fn condition(condition: Condition, lang: Lang) -> &'static str {
    match (lang, condition) {
        (Lang::Zh, _) => condition.name_zh(),
        (Lang::En, Condition::Deviation) => "deviation alarm",
        (Lang::En, Condition::RateUp) => "rising too fast",
        (Lang::En, Condition::RateDown) => "falling too fast",
        (Lang::En, Condition::Discrete) => "state alarm",
        (Lang::En, Condition::Voted) => "voted alarm",
        (Lang::En, Condition::Compound) => "compound alarm",
        (Lang::En, Condition::Frozen) => "frozen value",
        (Lang::En, Condition::OutOfRange) => "out of range",
        (Lang::En, Condition::BadQuality) => "bad quality",
        (Lang::En, Condition::GatewayLost) => "gateway lost",
        (Lang::En, Condition::UnknownTag) => "unknown tag",
        (Lang::En, Condition::WrongClock) => "wrong clock",
        (Lang::En, Condition::Inhibited) => "inhibited by the device",
        (Lang::En, Condition::System) => "system alarm",
        (Lang::En, _) => condition.name(),
    }
}

/// What is known of the value now, and the last one where it may not be called present. A stale or bad value never reads like a good one.
fn value_words(facts: &MessageFacts, tag: &str, of: Condition, setting: &Setting, lang: Lang, form: Form) -> (String, String) {
    let zh = lang == Lang::Zh;
    // The long form has the tag at the head of its line.
    let tag = if form == Form::Short { tag } else { "" };
    let say = |words_zh: &str, words_en: &str| {
        if zh { format!("{tag}{words_zh}") } else { format!("{tag} {words_en}").trim_start().to_owned() }
    };
    if matches!(of, Condition::GatewayLost | Condition::UnknownTag | Condition::WrongClock | Condition::Inhibited | Condition::System) {
        // A gateway or the engine itself has no value; its name is all there is to say.
        return (if tag.is_empty() { condition(of, lang).to_owned() } else { tag.to_owned() }, String::new());
    }
    let last = |current: &CurrentValue| {
        let value = current.value.map(|value| quantity(value, facts, lang));
        let at = civil::short(current.source_time, setting.now, setting.utc_offset);
        value.map(|value| format!("{value} {at}")).unwrap_or_default()
    };
    match &facts.current {
        None => (say("信号中断", "no signal"), String::new()),
        Some(current) if current.stale => (say("信号中断", "signal lost"), last(current)),
        Some(current) => match (current.value, current.quality) {
            (Some(value), _) if !value.is_finite() => (say("坏值", "bad value"), String::new()),
            (None, _) | (Some(_), Quality::Bad) => (say("坏值", "bad value"), String::new()),
            (Some(value), Quality::Uncertain) => {
                let value = quantity(value, facts, lang);
                (say(&format!("现{value}(存疑)"), &format!("now {value} (uncertain)")), String::new())
            }
            (Some(value), Quality::Good) => {
                let value = quantity(value, facts, lang);
                (say(&format!("现{value}"), &format!("now {value}")), String::new())
            }
        },
    }
}

/// A value with its unit, or a discrete state by its label.
fn quantity(value: f64, facts: &MessageFacts, lang: Lang) -> String {
    if let Some(labels) = &facts.labels {
        return labels[usize::from(value != 0.0)].clone();
    }
    let number = format!("{value:.*}", usize::from(facts.decimals));
    // A zero that was slightly negative is a zero.
    let number = if number.bytes().any(|b| b.is_ascii_digit() && b != b'0') { number } else { number.replace('-', "") };
    with_unit(number, &facts.unit, lang)
}

/// A limit as it was set: `90%` and not `90.0%`, and never rounded to another limit.
fn limit(setpoint: Option<f64>, facts: &MessageFacts, lang: Lang) -> String {
    setpoint.map(|setpoint| with_unit(setpoint.to_string(), &facts.unit, lang)).unwrap_or_default()
}

fn with_unit(number: String, unit: &str, lang: Lang) -> String {
    let joined = lang == Lang::Zh || unit.is_empty() || unit.starts_with(['%', '℃', '°']);
    if joined { format!("{number}{unit}") } else { format!("{number} {unit}") }
}

/// Takes `over` characters out of the middle of a name, an ellipsis standing for them, and leaves at least `keep`.
fn cut_middle(name: &str, over: usize, keep: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    // The ellipsis takes one place itself.
    let wanted = chars.len().saturating_sub(over).max(keep);
    if over == 0 || wanted >= chars.len() {
        return name.to_owned();
    }
    let tail = (wanted - 1) * 2 / 3;
    let head = wanted - 1 - tail;
    chars[..head].iter().chain(['…'].iter()).chain(&chars[chars.len() - tail..]).collect()
}

/// The template for a language and form.
fn name(lang: Lang, form: Form) -> &'static str {
    match (lang, form) {
        (Lang::Zh, Form::Short) => "zh-short",
        (Lang::Zh, Form::Long) => "zh-long",
        (Lang::En, Form::Short) => "en-short",
        (Lang::En, Form::Long) => "en-long",
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(TEMPLATE_FUEL));
    environment
}

fn add(environment: &mut Environment<'static>, name: &str, source: &str) -> Result<(), NotifierError> {
    environment
        .add_template_owned(name.to_owned(), source.to_owned())
        .map_err(|error| NotifierError::Template { name: name.to_owned(), reason: template_fault(&error) })
}

fn render(environment: &Environment<'static>, name: &str, message: &Message) -> Result<String, String> {
    let template = environment.get_template(name).map_err(|error| template_fault(&error))?;
    let text = template.render(minijinja::value::Serde(message)).map_err(|error| template_fault(&error))?;
    Ok(text.trim().to_owned())
}

/// The fault and its line, without the chain's noise.
pub(crate) fn template_fault(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{line}{}: {detail}", error.kind()),
        None => format!("{line}{}", error.kind()),
    }
}

fn sample_rationale() -> Rationale {
    Rationale {
        cause: "\"罐\"\\\n".to_owned(),
        response: "{{ level }}".to_owned(),
        time_to_respond: Some(Duration::from_mins(5)),
        ..Rationale::default()
    }
}

/// Messages of every purpose with the data that breaks careless templates: no value, bad value, no link, quotes in names.
pub(crate) fn samples() -> Vec<Message> {
    const PURPOSES: [Purpose; 8] = [
        Purpose::Announce,
        Purpose::Remind,
        Purpose::SignMissed,
        Purpose::HandleMissed,
        Purpose::Passed,
        Purpose::Supervise,
        Purpose::Return,
        Purpose::Closed,
    ];
    let tag = model::TagId::new("sample", "LIA-101\"\\1#");
    let alarm = |condition| model::AlarmId { tag: tag.clone(), condition };
    let mut messages = Vec::new();
    for purpose in PURPOSES {
        for (condition, current) in [
            (Condition::HighHigh, Some((Some(91.3), Quality::Good, false))),
            (Condition::High, Some((Some(91.3), Quality::Uncertain, true))),
            (Condition::BadQuality, Some((None, Quality::Bad, false))),
            (Condition::GatewayLost, None),
        ] {
            let notification = Notification {
                key: model::NotificationKey {
                    case: "sample".into(),
                    announcement: "sample".into(),
                    tier: Tier::ENTERPRISE,
                    purpose,
                    recipient: "sample".into(),
                    channel: "sample".into(),
                    repeat: 1,
                },
                level: Level::Orange,
                alarm: alarm(condition),
                setpoint: condition.is_limit().then_some(90.0),
                value: condition.is_limit().then_some(90.6),
                raised_at: Timestamp(0),
                sign_by: Timestamp::from_secs(300),
                late: condition == Condition::High,
                delayed_by_outage: condition == Condition::High,
                audience: Default::default(),
                change: None,
                at: Timestamp(0),
            };
            let facts = MessageFacts {
                current: current.map(|(value, quality, stale)| CurrentValue { value, quality, source_time: Timestamp(0), stale }),
                equipment: "\"罐\"\\\n".to_owned(),
                link: current.map(|_| "/cases/sample".to_owned()),
                handle_by: current.map(|_| Timestamp::from_secs(3600)),
                still_standing: current.is_some(),
                members: u32::from(current.is_none()) * 120,
                rationale: current.map(|_| Arc::new(sample_rationale())),
                ..MessageFacts::bare(&notification)
            };
            let setting =
                Setting { now: Timestamp::from_secs(60), utc_offset: Duration::ZERO, demo: true, public_url: Some("https://h".to_owned()) };
            messages.push(Message::new(&notification, &facts, &setting, Lang::Zh, Form::Short));
        }
    }
    messages
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
