//! What a tag has, and where each value was written: in its row, in its class, in the policy or nowhere.
//!
//! It reads the values that the plant got, not a second calculation of them; only the origin is looked up again.

use crate::classes::Class;
use crate::fault::{Lang, Text, text};
use crate::heads::Column;
use crate::policies::RawPolicies;
use crate::setpoints::{LIMIT_COLUMNS, RawRationale, Row};
use crate::source::Place;
use crate::values::{show_duration, signal_name};
use model::plant::{ConditionRule, Tag};
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
        let here = at(row.tag.place);
        let signal = text(row.signal.name_zh(), signal_name(row.signal));
        add(text("信号", "signal"), format!("{} / {}", signal.zh, signal.en), here.clone());
        if let (Some(wanted), Some(class)) = (&row.class, self.class) {
            let from = text(
                format!("{},条目在 {}", wanted.place.show(), class.place.show()),
                format!("{}, entry at {}", wanted.place.show(), class.place.show()),
            );
            add(text("类别", "class"), wanted.value.clone(), from);
        }
        add(text("设备", "equipment"), equipment, here.clone());
        add(text("网关", "gateway"), gateway, at(row.gateway.place));
        if let Some((low, high)) = tag.range {
            add(text("量程", "range"), format!("{low} … {high} {}", tag.unit), here.clone());
        }
        for rule in &tag.conditions {
            self.condition(rule, tag, &mut add);
        }
        if !tag.in_service {
            add(text("投用状态", "service"), "停用 / out of service".to_owned(), here);
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
        let limit =
            [Condition::LowLow, Condition::Low, Condition::High, Condition::HighHigh].iter().position(|kind| *kind == rule.condition);
        if limit.is_none() && rule.condition != Condition::Discrete {
            add(name("等级", " level"), level_value, level_from());
            return;
        }
        let unit = if tag.unit.is_empty() { String::new() } else { format!(" {}", tag.unit) };
        let value_column = limit.map_or(Column::AlarmState, |at| LIMIT_COLUMNS[at]);
        let value_place = limit.and_then(|at| self.row.limits[at].as_ref()).map_or(self.row.tag.place, |limit| limit.place);
        add(name("", ""), format!("{}{unit}", rule.setpoint), self.origin(value_column, value_place));
        let deadband_place = self.row.deadband.as_ref().map_or(self.row.tag.place, |deadband| deadband.place);
        if limit.is_some() {
            add(name("回差", " deadband"), format!("{}{unit}", rule.deadband), self.origin(Column::Deadband, deadband_place));
        }
        let delay = match rule.condition {
            Condition::LowLow => Column::LowLowDelay,
            Condition::HighHigh => Column::HighHighDelay,
            _ => Column::OnDelay,
        };
        add(name("报警延时", " on-delay"), show_duration(rule.on_delay), self.origin(delay, self.row.tag.place));
        add(name("恢复延时", " off-delay"), show_duration(rule.off_delay), self.origin(Column::OffDelay, self.row.tag.place));
        add(name("等级", " level"), level_value, level_from());
        if let Some(rationale) = &rule.rationale {
            let parts = [
                ("原因", " cause", rationale.cause.clone()),
                ("后果", " consequence", rationale.consequence.clone()),
                ("处置措施", " response", rationale.response.clone()),
                ("允许响应时间", " time to respond", rationale.time_to_respond.map(show_duration).unwrap_or_default()),
            ];
            let own = self.own_rationale(limit);
            for (in_row, (zh, en, value)) in own.into_iter().zip(parts).filter(|(_, (_, _, value))| !value.is_empty()) {
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

    /// Where the value of a column was written.
    fn origin(&self, column: Column, place: Place<'_>) -> Text {
        if !self.row.left.has(column) {
            return at(place);
        }
        match self.class.and_then(|class| class.origin(column)) {
            Some(place) => of_class(place),
            None => text("没有写,按 0", "not written: 0"),
        }
    }
}

fn at(place: Place<'_>) -> Text {
    text(place.show(), place.show())
}

fn of_class(place: Place<'_>) -> Text {
    text(format!("类别,{}", place.show()), format!("class, {}", place.show()))
}
