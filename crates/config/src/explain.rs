//! What a tag has, and where each value was written: in its row, in its class, in the policy or nowhere.
//!
//! It reads the values that the plant got, not a second calculation of them; only the origin is looked up again.

use crate::classes::Class;
use crate::fault::{Lang, Text, text};
use crate::heads::Column;
use crate::limits;
use crate::policies::RawPolicies;
use crate::rules::{Named, RawConditions, RawModes, RawRules, split_alarm};
use crate::setpoints::{LIMIT_COLUMNS, RawRationale, Row, RowCells};
use crate::source::{At, Place};
use crate::values::{show_duration, signal_name};
use model::plant::{ConditionRule, Method, Rationale, Tag};
use model::{Condition, Hazard};

/// One value of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub what: Text,
    /// Its value, with its unit.
    pub value: String,
    /// Where it comes from.
    pub from: Text,
}

/// Everything that a tag has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// `enterprise/tag` and its name.
    pub tag: String,
    /// Its values, in the order in which an engineer asks for them.
    pub facts: Vec<Fact>,
}

impl Explanation {
    /// For a program: an array of objects.
    pub fn to_json(&self, lang: Lang) -> serde_json::Value {
        let fact = |fact: &Fact| serde_json::json!({ "what": fact.what.get(lang), "value": fact.value, "from": fact.from.get(lang) });
        serde_json::json!({ "tag": self.tag, "facts": self.facts.iter().map(fact).collect::<Vec<_>>() })
    }
}

/// What is known where a row is made a tag.
pub(crate) struct Explainer<'e, 'a> {
    pub(crate) row: &'e Row<'a>,
    /// Where each of its values stands.
    pub(crate) cells: RowCells<'a>,
    pub(crate) class: Option<&'e Class<'e>>,
    pub(crate) hazard: Hazard,
    pub(crate) is_area: bool,
    pub(crate) policies: &'e RawPolicies<'e>,
}

impl Explainer<'_, '_> {
    pub(crate) fn explain(&self, tag: &Tag, equipment: String, gateway: String) -> Explanation {
        let mut facts = Vec::new();
        let mut add = |what: Text, value: String, from: Text| facts.push(Fact { what, value, from });
        let row = self.row;
        let cell = |column| at(self.cells.place(column));
        let signal = text(row.signal.name_zh(), signal_name(row.signal));
        add(text("信号", "signal"), format!("{} / {}", signal.zh, signal.en), cell(Column::Signal));
        if let (Some(wanted), Some(class)) = (&row.class, self.class) {
            let from = text(
                format!("{},条目在 {}", wanted.place.show(), class.place.show()),
                format!("{}, entry at {}", wanted.place.show(), class.place.show()),
            );
            add(text("类别", "class"), wanted.value.clone(), from);
        }
        add(text("设备", "equipment"), equipment, at(row.equipment.place));
        add(text("网关", "gateway"), gateway, at(row.gateway.place));
        if let Some((low, high)) = tag.range {
            add(text("量程", "range"), format!("{low} … {high} {}", tag.unit), cell(Column::RangeLow));
        }
        if let Some(interlock) = &row.interlock {
            add(text("联锁值", "interlock"), format!("{} {}", interlock.value, tag.unit), at(interlock.place));
        }
        if let (Some(zone), Some(written)) = (&tag.zone, &row.zone) {
            add(text("声光区域", "siren zone"), zone.to_string(), at(written.place));
        }
        for rule in &tag.conditions {
            self.condition(rule, tag, &mut add);
        }
        if !tag.in_service {
            add(text("投用状态", "service"), "停用 / out of service".to_owned(), cell(Column::Service));
        }
        let stale =
            text("policies.toml 的 [data_faults] 与采集周期、网关间隔", "[data_faults] of policies.toml, sampling and gateway interval");
        add(text("断数", "stale after"), show_duration(tag.stale_after), stale);
        Explanation { tag: format!("{} {}", tag.id, tag.name), facts }
    }

    fn condition(&self, rule: &ConditionRule, tag: &Tag, add: &mut impl FnMut(Text, String, Text)) {
        let name = |zh: &str, en: &str| text(format!("{}{zh}", rule.condition.name_zh()), format!("{}{en}", rule.condition));
        let level = text(rule.level.name_zh(), rule.level.name());
        let level_from = || match self.class.and_then(|class| class.level(rule.condition)) {
            Some(level) => of_class(level.place),
            None => self.policies.row_of(rule.condition, self.row.signal).unwrap_or_else(|| text("程序", "the program")),
        };
        let major = if self.hazard >= Hazard::Second { "major" } else { "minor" };
        let mut level_value = format!("{} / {} ({major})", level.zh, level.en);
        if let Some(two) = rule.level_when_two.filter(|_| self.is_area) {
            level_value.push_str(&format!(", ×2 {} / {}", two.name_zh(), two.name()));
        }
        let limit = limits::KINDS.iter().position(|kind| *kind == rule.condition);
        if limit.is_none() && rule.condition != Condition::Discrete {
            add(name("等级", " level"), level_value, level_from());
            return;
        }
        let unit = if tag.unit.is_empty() { String::new() } else { format!(" {}", tag.unit) };
        let value_column = limit.map_or(Column::AlarmState, |at| LIMIT_COLUMNS[at]);
        add(name("", ""), format!("{}{unit}", rule.setpoint), self.origin(value_column));
        if limit.is_some() {
            add(name("回差", " deadband"), format!("{}{unit}", rule.deadband), self.origin(Column::Deadband));
        }
        let delay = match rule.condition {
            Condition::LowLow if self.has(Column::LowLowDelay) => Column::LowLowDelay,
            Condition::HighHigh if self.has(Column::HighHighDelay) => Column::HighHighDelay,
            _ => Column::OnDelay,
        };
        add(name("报警延时", " on-delay"), show_duration(rule.on_delay), self.origin(delay));
        add(name("恢复延时", " off-delay"), show_duration(rule.off_delay), self.origin(Column::OffDelay));
        add(name("等级", " level"), level_value, level_from());
        if let Some(rationale) = &rule.rationale {
            let own = self.own_rationale(limit);
            for (in_row, (zh, en, value)) in own.into_iter().zip(rationale_parts(rationale)).filter(|(_, (_, _, value))| !value.is_empty())
            {
                add(name(zh, en), value, if in_row { at(self.row.tag.place) } else { self.class_place() });
            }
        }
    }

    /// Which parts of the rationalisation the row itself has.
    fn own_rationale(&self, limit: Option<usize>) -> [bool; 4] {
        let own = limit.and_then(|at| Some(&self.row.limit_rationale.as_ref()?[at]));
        let RawRationale { texts: [cause, consequence, response], respond_within } =
            own.cloned().unwrap_or_default().or(&self.row.rationale);
        [cause.is_some(), consequence.is_some(), response.is_some(), respond_within.is_some()]
    }

    fn class_place(&self) -> Text {
        self.class.map_or_else(|| at(self.row.tag.place), |class| of_class(class.place))
    }

    /// Whether a column was written at all, in the row or in its class.
    fn has(&self, column: Column) -> bool {
        !self.row.left.has(column) || self.class.is_some_and(|class| class.origin(column).is_some())
    }

    /// Where the value of a column was written.
    fn origin(&self, column: Column) -> Text {
        if !self.row.left.has(column) {
            return at(self.cells.place(column));
        }
        match self.class.and_then(|class| class.origin(column)) {
            Some(place) => of_class(place),
            None => text("没有写,按 0", "not written: 0"),
        }
    }
}

/// What each part of a rationalisation is called, and says.
fn rationale_parts(rationale: &Rationale) -> [(&'static str, &'static str, String); 4] {
    [
        ("原因", " cause", rationale.cause.clone()),
        ("后果", " consequence", rationale.consequence.clone()),
        ("处置措施", " response", rationale.response.clone()),
        ("允许响应时间", " time to respond", rationale.time_to_respond.map(show_duration).unwrap_or_default()),
    ]
}

/// Adds what `rules.toml` says of a tag; a calculated one stands there alone.
pub(crate) fn add_rules(explanation: Option<Explanation>, tag: &Tag, equipment: &str, rules: &RawRules<'_>) -> Option<Explanation> {
    let own = |id: &Named<'_>| id.enterprise.value == tag.id.enterprise.as_str() && id.name.value == *tag.id.tag;
    let here = |raw: &&RawModes<'_>| raw.of.enterprise.value == tag.id.enterprise.as_str() && raw.of.name.value == equipment;
    let calculated = rules.calculated.iter().find(|raw| own(&raw.id));
    let suppression = rules.suppressions.iter().find(|raw| own(&raw.id));
    let modes = rules.modes.iter().filter(here).find(|raw| match &raw.tag {
        Some(named) => named.value == *tag.id.tag,
        None => *tag.id.tag == *format!("{equipment}工况"),
    });
    if explanation.is_none() && calculated.is_none() && suppression.is_none() && modes.is_none() {
        return None;
    }
    let mut facts = Vec::new();
    let mut add = |what: Text, value: String, from: Place<'_>| facts.push(Fact { what, value, from: at(from) });
    if let Some(raw) = calculated {
        add(text("计算式", "formula"), raw.equals.value.clone(), raw.equals.place);
        add(text("设备", "equipment"), raw.equipment.value.clone(), raw.equipment.place);
        conditions(&raw.conditions, tag, &mut add);
    }
    if let Some(raw) = suppression {
        let when = if raw.enables { text("不成立时抑制", "suppresses unless") } else { text("成立时抑制", "suppresses while") };
        add(when, raw.when.value.clone(), raw.when.place);
    }
    for (name, when) in modes.iter().flat_map(|raw| &raw.modes) {
        add(text(format!("工况 {}", name.value), format!("mode {}", name.value)), when.value.clone(), when.place);
    }
    for (_, raw) in rules.signals.iter().filter(|(signal, _)| *signal == tag.signal && tag.calculation.is_none()) {
        conditions(raw, tag, &mut add);
    }
    for (_, raw) in rules.conditions.iter().filter(|(id, _)| own(id)) {
        conditions(raw, tag, &mut add);
    }
    let of_this = |written: &At<'_, String>| split_alarm(&written.value).filter(|(name, _)| *name == &*tag.id.tag).map(|(_, of)| of);
    for raw in rules.suppressions.iter().filter(|raw| raw.id.enterprise.value == tag.id.enterprise.as_str()) {
        for (written, condition) in raw.alarms.iter().filter_map(|written| Some((written, of_this(written)?))) {
            let what = text(format!("{}设计抑制", condition.name_zh()), format!("{condition} suppressed by"));
            add(what, format!("{} {}", raw.id.name.value, raw.when.value), written.place);
        }
    }
    for limit in rules.modes.iter().filter(here).flat_map(|raw| &raw.limits) {
        let Some(condition) = of_this(&limit.alarm) else { continue };
        let mode = &limit.mode.value;
        let what = text(format!("{} 工况 {mode}", condition.name_zh()), format!("{condition} in mode {mode}"));
        add(
            what,
            limit.limit.as_ref().map_or_else(|| "不报 / off".to_owned(), |limit| format!("{} {}", limit.value, tag.unit)),
            limit.place,
        );
    }
    let name = format!("{} {}", tag.id, tag.name);
    let mut explanation = explanation.unwrap_or(Explanation { tag: name, facts: Vec::new() });
    explanation.facts.append(&mut facts);
    Some(explanation)
}

/// Conditions as `rules.toml` has them, with the values that the tag got.
fn conditions(raw: &RawConditions<'_>, tag: &Tag, add: &mut impl FnMut(Text, String, Place<'_>)) {
    for raw in &raw.list {
        let Some(rule) = tag.rule(raw.condition) else { continue };
        let name = |zh: &str, en: &str| text(format!("{}{zh}", rule.condition.name_zh()), format!("{}{en}", rule.condition));
        let method = rule.extra.as_ref().map_or(Method::Value, |extra| extra.method);
        // What stands under the tag's own name goes before what its signal gets.
        if method != raw.method {
            continue;
        }
        if let Some(limit) = &raw.limit {
            let per = if matches!(method, Method::Rate { .. }) { "/min" } else { "" };
            add(name("", ""), format!("{} {}{per}", limit.value, tag.unit).trim_end().to_owned(), limit.place);
        } else if raw.condition.is_state() || method != Method::Value {
            add(name("", ""), "有 / yes".to_owned(), raw.place);
        }
        match method {
            Method::Value => {}
            Method::Rate { window } => add(name("窗口", " window"), show_duration(window), raw.place),
            Method::Step { within } => add(name("间隔不超过", " within"), show_duration(within), raw.place),
            Method::Frozen { flat_for, zero_for, resent, .. } => {
                let flat = flat_for.map(|length| format!("flat_for {}", show_duration(length)));
                let zero = zero_for.map(|length| format!("zero_for {}", show_duration(length)));
                let resent = resent.map(|count| format!("resent {count}"));
                add(name("判据", " by"), flat.into_iter().chain(zero).chain(resent).collect::<Vec<_>>().join(" "), raw.place);
            }
        }
        if let Some(deadband) = &raw.deadband {
            add(name("回差", " deadband"), format!("{} {}", deadband.value, tag.unit).trim_end().to_owned(), deadband.place);
        }
        if let Some(delay) = &raw.on_delay {
            add(name("报警延时", " on-delay"), show_duration(delay.value), delay.place);
        }
        if let Some(delay) = &raw.off_delay {
            add(name("恢复延时", " off-delay"), show_duration(delay.value), delay.place);
        }
        if raw.level.is_some() {
            add(name("等级", " level"), format!("{} / {}", rule.level.name_zh(), rule.level.name()), raw.place);
        }
        if raw.latching {
            add(name("自锁", " latching"), "是 / yes".to_owned(), raw.place);
        }
        if let Some(after) = raw.realarm_after {
            add(name("再报警", " re-alarm after"), show_duration(after), raw.place);
        }
        // A listed limit's own stands in its list.
        let parts = rule.rationale.as_deref().filter(|_| raw.rationale != RawRationale::default()).map(rationale_parts);
        for (zh, en, value) in parts.into_iter().flatten().filter(|(_, _, value)| !value.is_empty()) {
            add(name(zh, en), value, raw.place);
        }
    }
    if let Some(warm_up) = raw.warm_up.filter(|warm_up| *warm_up == tag.warm_up) {
        let place = raw.list.first().map(|one| one.place);
        if let Some(place) = place {
            add(text("预热时间", "warm-up"), show_duration(warm_up), place);
        }
    }
}

fn at(place: Place<'_>) -> Text {
    text(place.show(), place.show())
}

fn of_class(place: Place<'_>) -> Text {
    text(format!("类别,{}", place.show()), format!("class, {}", place.show()))
}
