//! What `rules.toml` adds to the tags of the lists: conditions, calculated tags, modes, suppressions; every name resolved, every unit
//! checked, every ring of calculated tags refused.
//!
//! No mode and no suppression ever touches a gas limit, nor a condition on what is calculated from a gas detector: that is refused here
//! with its place, and the core would not do it either.

use crate::build::{Asked, Builder, Draft, Key};
use crate::fault::{Sink, Text, text};
use crate::limits;
use crate::rules::{Named, RawCalculated, RawCondition, RawConditions, RawModeLimit, RawModes, RawRules, RawSuppression, split_alarm};
use crate::setpoints::{RawRationale, check_name};
use crate::source::At;
use crate::suggest;
use crate::units;
use expr::{Input, Program, Wanted};
use model::plant::{Limit, ModeLimit, Tag};
use model::{Condition, Hazard, Signal, TagId};
use std::collections::{BTreeMap, BTreeSet};

/// What a statement's 0 and 1 are called where nobody says.
const LABELS: [&str; 2] = ["不成立", "成立"];
/// The ordinary mode, which holds where no other does.
const ORDINARY: &str = "运行";
/// Modes of one equipment besides the ordinary one.
const MODES_MAX: usize = 16;

/// A calculated tag that has its place among the drafts and not yet its program.
struct Pending<'r, 'a> {
    key: Key,
    /// The texts as written, each to be read by itself so that a fault has its place; and what is made of them.
    parts: Vec<&'r At<'a, String>>,
    whole: String,
    wanted: Wanted,
    raw: Option<&'r RawCalculated<'a>>,
}

impl Builder<'_> {
    /// Takes up everything of a `rules.toml`, after the lists.
    pub(crate) fn attach(&mut self, rules: &RawRules<'_>, sink: &mut Sink) {
        if rules.is_empty() {
            return;
        }
        let key = |draft: &Draft| (draft.tag.id.enterprise.to_string(), draft.tag.id.tag.to_string());
        self.at = self.tags.iter().enumerate().map(|(at, draft)| (key(draft), at)).collect();
        let mut pending = Vec::new();
        for raw in &rules.calculated {
            pending.extend(self.calculated_draft(raw, sink));
        }
        for raw in &rules.suppressions {
            pending.extend(self.suppression_draft(raw, sink));
        }
        for raw in &rules.modes {
            pending.extend(self.modes_draft(raw, sink));
        }
        self.compile(&pending, sink);
        let gas = self.gas_tags(&pending, sink);
        for raw in &rules.calculated {
            self.conditions_of(&raw.id, &raw.conditions, true, sink);
            self.check_calculated(raw, sink);
        }
        for (signal, conditions) in &rules.signals {
            let of_signal = |draft: &Draft| draft.tag.signal == *signal && draft.tag.in_service && draft.calculation.is_none();
            for at in (0..self.tags.len()).filter(|at| of_signal(&self.tags[*at])).collect::<Vec<_>>() {
                self.add_conditions(at, conditions, false, sink);
            }
        }
        for (id, conditions) in &rules.conditions {
            self.conditions_of(id, conditions, false, sink);
        }
        for raw in &rules.suppressions {
            self.suppress(raw, &gas, sink);
        }
        for raw in &rules.modes {
            self.mode_limits(raw, &gas, sink);
        }
        for draft in &mut self.tags {
            draft.tag.conditions.sort_by_key(|rule| Condition::ALL.iter().position(|condition| *condition == rule.condition));
        }
    }

    fn place_of(&self, key: &Key) -> Option<usize> {
        self.at.get(key).copied()
    }

    /// Refuses a tag that is not there, with what was probably meant.
    fn known_tag(&self, enterprise: &str, written: &str, at: impl FnOnce(Text) -> crate::fault::Fault, sink: &mut Sink) -> Option<usize> {
        let found = self.place_of(&(enterprise.to_owned(), written.to_owned()));
        if found.is_none() {
            let fault = at(text(format!("没有位号 `{written}`"), format!("there is no tag `{written}`")));
            sink.push(fault.suggest_some(suggest::did_you_mean(written, self.names(enterprise))));
        }
        found
    }

    fn names(&self, enterprise: &str) -> impl Iterator<Item = &str> {
        let own = self.at.range((enterprise.to_owned(), String::new())..);
        own.take_while(move |((owner, _), _)| owner == enterprise).map(|((_, name), _)| name.as_str())
    }

    /// A new tag's name: known enterprise, fit to stand in keys, and not taken.
    fn is_free(&self, id: &Named<'_>, sink: &mut Sink) -> bool {
        if !self.is_enterprise(&id.enterprise, sink) || !check_name(&id.name, sink) {
            return false;
        }
        let key = (id.enterprise.value.clone(), id.name.value.clone());
        if self.place_of(&key).is_some() || self.gateways.contains_key(&key) {
            let fault = text("位号、网关或计算位号已用这个名字", "a tag, a gateway or a calculated tag has this name already");
            sink.push(id.name.place.error("duplicate-tag", fault));
            return false;
        }
        true
    }

    fn known_equipment(&self, enterprise: &str, written: &At<'_, String>, sink: &mut Sink) -> Option<Key> {
        let key = (enterprise.to_owned(), written.value.clone());
        if self.equipment.contains_key(&key) {
            return Some(key);
        }
        let fault = text(format!("没有设备 `{}`", written.value), format!("there is no equipment `{}`", written.value));
        let known = self.equipment.keys().filter(|(owner, _)| owner == enterprise).map(|(_, id)| id.as_str());
        let near = suggest::did_you_mean(&written.value, known);
        sink.push(written.place.error("unknown-equipment", fault).suggest_some(near));
        None
    }

    fn draft(&mut self, id: &Named<'_>, name: &str, signal: Signal, equipment: Key) {
        let zone = self.equipment.get(&equipment).and_then(|equipment| equipment.zone.clone());
        let mut tag = Tag::new(TagId::new(self.body(&id.enterprise.value), &id.name.value), signal);
        // It falls silent with its inputs only.
        (tag.name, tag.zone, tag.stale_after) = (name.into(), zone, model::Duration::ZERO);
        self.at.insert((id.enterprise.value.clone(), id.name.value.clone()), self.tags.len());
        self.add(tag, equipment, None);
    }

    fn calculated_draft<'r, 'a>(&mut self, raw: &'r RawCalculated<'a>, sink: &mut Sink) -> Option<Pending<'r, 'a>> {
        if !self.is_free(&raw.id, sink) {
            return None;
        }
        let equipment = self.known_equipment(&raw.id.enterprise.value, &raw.equipment, sink)?;
        let signal = raw.signal.unwrap_or(if raw.unit.is_some() { Signal::Other } else { Signal::Switch });
        let unit = match &raw.unit {
            None => None,
            Some(unit) => match units::parse(signal, &unit.value) {
                Ok(known) => Some(known),
                Err(suggestion) => {
                    let fault =
                        text(format!("这个信号不能用单位 `{}`", unit.value), format!("this signal cannot have the unit `{}`", unit.value));
                    sink.push(unit.place.error("unit", fault).suggest_some(suggestion));
                    return None;
                }
            },
        };
        self.draft(&raw.id, raw.name.as_deref().unwrap_or(&raw.id.name.value), signal, equipment);
        let tag = &mut self.tags.last_mut()?.tag;
        tag.range = raw.range;
        tag.decimals = raw.decimals;
        tag.medium.clone_from(&raw.medium);
        tag.unit = unit.clone().unwrap_or_default();
        if unit.is_none() {
            tag.labels = Some(raw.labels.clone().unwrap_or_else(|| LABELS.map(str::to_owned)));
            tag.decimals = 0;
        }
        Some(Pending {
            key: (raw.id.enterprise.value.clone(), raw.id.name.value.clone()),
            parts: vec![&raw.equals],
            whole: raw.equals.value.clone(),
            wanted: unit.map_or(Wanted::Truth, Wanted::Number),
            raw: Some(raw),
        })
    }

    /// A suppression is a calculated tag on the equipment of the first alarm it names.
    fn suppression_draft<'r, 'a>(&mut self, raw: &'r RawSuppression<'a>, sink: &mut Sink) -> Option<Pending<'r, 'a>> {
        if !self.is_free(&raw.id, sink) {
            return None;
        }
        let enterprise = &raw.id.enterprise.value;
        // The conditions of calculated tags are not there yet. What is wrong with the alarms is told where they are taken up.
        let tag = raw.alarms.first().and_then(|alarm| split_alarm(&alarm.value)).map(|(tag, _)| tag.to_owned())?;
        let equipment = self.tags[self.place_of(&(enterprise.clone(), tag))?].equipment.clone();
        self.draft(&raw.id, &format!("设计抑制:{}", raw.reason), Signal::Switch, equipment);
        let tag = &mut self.tags.last_mut()?.tag;
        tag.labels = Some(["未抑制", "抑制中"].map(str::to_owned));
        tag.decimals = 0;
        tag.basis = raw.reason.clone();
        let when = &raw.when.value;
        Some(Pending {
            key: (enterprise.clone(), raw.id.name.value.clone()),
            parts: vec![&raw.when],
            whole: if raw.enables { format!("not ({when})") } else { when.clone() },
            wanted: Wanted::Truth,
            raw: None,
        })
    }

    /// The mode of an equipment is a calculated tag: the place of the first mode whose statement holds, or 0.
    fn modes_draft<'r, 'a>(&mut self, raw: &'r RawModes<'a>, sink: &mut Sink) -> Option<Pending<'r, 'a>> {
        let enterprise = &raw.of.enterprise;
        let tag = raw.tag.clone().unwrap_or_else(|| At { value: format!("{}工况", raw.of.name.value), place: raw.of.name.place });
        let id = Named { enterprise: enterprise.clone(), name: tag };
        if !self.is_free(&id, sink) {
            return None;
        }
        let equipment = self.known_equipment(&enterprise.value, &raw.of.name, sink)?;
        if raw.modes.is_empty() || raw.modes.len() > MODES_MAX {
            let fault = text(format!("工况要 1 到 {MODES_MAX} 种"), format!("there are 1 to {MODES_MAX} modes"));
            sink.push(raw.place.error("modes", fault));
            return None;
        }
        let mut names = vec![ORDINARY.to_owned()];
        for (name, _) in &raw.modes {
            if names.contains(&name.value) {
                let fault = text(format!("工况 `{}` 重复", name.value), format!("mode `{}` stands twice", name.value));
                let fault = name.place.error("modes", fault);
                sink.push(fault.suggest(
                    format!("{ORDINARY}不用写:其余都不成立时就是它"),
                    format!("{ORDINARY} need not be written: it holds where no other does"),
                ));
                return None;
            }
            names.push(name.value.clone());
        }
        let title = format!("{}工况", self.equipment[&equipment].name);
        self.draft(&id, &title, Signal::Other, equipment.clone());
        let tag = &mut self.tags.last_mut()?.tag;
        tag.decimals = 0;
        tag.basis = names.iter().enumerate().map(|(at, name)| format!("{at}={name}")).collect::<Vec<_>>().join(" ");
        let mut whole: String =
            raw.modes.iter().enumerate().map(|(at, (_, when))| format!("if ({}) then {} else ", when.value, at + 1)).collect();
        whole.push('0');
        self.modes.insert(equipment, (id.name.value.clone(), names));
        Some(Pending {
            key: (enterprise.value.clone(), id.name.value),
            parts: raw.modes.iter().map(|(_, when)| when).collect(),
            whole,
            wanted: Wanted::Number(String::new()),
            raw: None,
        })
    }

    /// Reads every expression against the units of its tags.
    fn compile(&mut self, pending: &[Pending<'_, '_>], sink: &mut Sink) {
        let known: BTreeMap<Key, Input> = self
            .tags
            .iter()
            .filter(|draft| !matches!(draft.tag.signal, Signal::Gateway | Signal::System))
            .map(|draft| {
                let is_switch = matches!(draft.tag.signal, Signal::StaticEarthing | Signal::Switch) || draft.tag.labels.is_some();
                let input = if is_switch { Input::Switch } else { Input::Number(draft.tag.unit.clone()) };
                ((draft.tag.id.enterprise.to_string(), draft.tag.id.tag.to_string()), input)
            })
            .collect();
        for one in pending {
            let look_up = |name: &str| known.get(&(one.key.0.clone(), name.to_owned())).cloned();
            let wanted = if one.parts.len() > 1 || one.raw.is_none() { &Wanted::Truth } else { &one.wanted };
            let mut sound = true;
            for part in &one.parts {
                if let Err(fault) = Program::parse(&part.value, wanted, &look_up) {
                    sound = false;
                    let written = part.value.get(fault.at.clone()).unwrap_or_default();
                    let name = written.trim_start_matches(['[', '【']).trim_end_matches([']', '】']);
                    let unknown = written != name && look_up(name).is_none();
                    let near = if unknown { suggest::did_you_mean(name, self.names(&one.key.0)) } else { None };
                    let help = fault.help.map(|(zh, en)| text(zh, en));
                    let place = part.place.inside(&part.value, fault.at);
                    sink.push(place.error("expression", text(fault.zh, fault.en)).suggest_some(help.or(near)));
                }
            }
            if !sound {
                continue;
            }
            match Program::parse(&one.whole, &one.wanted, &look_up) {
                Ok(program) => {
                    if let Some(at) = self.place_of(&one.key) {
                        self.tags[at].calculation = Some((one.whole.clone(), program));
                    }
                }
                // The parts were sound, so together they are too long.
                Err(fault) => {
                    if let Some(part) = one.parts.first() {
                        sink.push(part.place.error("expression", text(fault.zh, fault.en)));
                    }
                }
            }
        }
    }

    /// Gas detectors and what is calculated from them. A statement over gas detectors is itself a gas signal, so that it has their
    /// levels and never waits. A ring is told here.
    fn gas_tags(&mut self, pending: &[Pending<'_, '_>], sink: &mut Sink) -> BTreeMap<Key, Signal> {
        let key = |draft: &Draft| (draft.tag.id.enterprise.to_string(), draft.tag.id.tag.to_string());
        let mut gas: BTreeMap<Key, Signal> =
            self.tags.iter().filter(|draft| draft.tag.signal.is_gas()).map(|draft| (key(draft), draft.tag.signal)).collect();
        let mut left: BTreeMap<Key, (usize, Vec<Key>)> = BTreeMap::new();
        for (at, draft) in self.tags.iter().enumerate() {
            if let Some((_, program)) = &draft.calculation {
                let inputs = program.inputs().iter().map(|input| (draft.tag.id.enterprise.to_string(), input.clone())).collect();
                left.insert(key(draft), (at, inputs));
            }
        }
        loop {
            let ready = left.iter().find(|(_, (_, inputs))| !inputs.iter().any(|input| left.contains_key(input)));
            let Some(done) = ready.map(|(key, _)| key.clone()) else { break };
            let Some((at, inputs)) = left.remove(&done) else { break };
            let Some(signal) = inputs.iter().find_map(|input| gas.get(input)).copied() else { continue };
            gas.insert(done, signal);
            let tag = &mut self.tags[at].tag;
            if tag.signal == Signal::Switch {
                tag.signal = signal;
            }
        }
        for (key, (at, _)) in &left {
            self.tags[*at].calculation = None;
            let place = pending.iter().find(|one| one.key == *key).and_then(|one| one.parts.first()).map(|part| part.place);
            let ring: Vec<_> = left.keys().filter(|(owner, _)| *owner == key.0).map(|(_, name)| name.as_str()).collect();
            if let Some(place) = place {
                let fault = text(
                    format!("计算位号互相引用成环:{}", ring.join("、")),
                    format!("calculated tags read one another in a ring: {}", ring.join(", ")),
                );
                sink.push(place.error("ring", fault));
            }
        }
        gas
    }

    fn conditions_of(&mut self, id: &Named<'_>, conditions: &RawConditions<'_>, calculated: bool, sink: &mut Sink) {
        if calculated {
            // A faulty one has been told of and left no draft.
            let Some(at) = self.place_of(&(id.enterprise.value.clone(), id.name.value.clone())) else { return };
            return self.add_conditions(at, conditions, true, sink);
        }
        if !self.is_enterprise(&id.enterprise, sink) {
            return;
        }
        let place = id.name.place;
        let Some(at) = self.known_tag(&id.enterprise.value, &id.name.value, |fault| place.error("unknown-tag", fault), sink) else {
            return;
        };
        if self.tags[at].calculation.is_some() {
            let fault = text("计算位号的条件写在 [calculated] 里", "the conditions of a calculated tag stand in [calculated]");
            sink.push(place.error("condition", fault));
            return;
        }
        self.add_conditions(at, conditions, false, sink);
    }

    fn add_conditions(&mut self, at: usize, conditions: &RawConditions<'_>, calculated: bool, sink: &mut Sink) {
        if let Some(warm_up) = conditions.warm_up {
            self.tags[at].tag.warm_up = warm_up;
        }
        for raw in &conditions.list {
            self.add_condition(at, raw, calculated, sink);
        }
    }

    fn add_condition(&mut self, at: usize, raw: &RawCondition<'_>, calculated: bool, sink: &mut Sink) {
        let tag = &self.tags[at].tag;
        let condition = raw.condition;
        let is_state = tag.labels.is_some() || matches!(tag.signal, Signal::Switch | Signal::StaticEarthing);
        let refuse = |zh: &str, en: &str, sink: &mut Sink| sink.push(raw.place.error("condition", text(zh, en)));
        if !calculated && !condition.is_movement() {
            return self.set_extra_of_listed(at, raw, sink);
        }
        if condition.is_state() != is_state && condition != Condition::Frozen {
            return refuse("开关量只有状态条件,数值没有", "a statement has state conditions only, and a number has none", sink);
        }
        if condition == Condition::Discrete && calculated {
            return refuse("计算位号用 voted 或 compound", "a calculated tag has `voted` or `compound`", sink);
        }
        if condition.is_limit() && raw.limit.is_none() {
            return refuse("缺少 limit", "`limit` is missing", sink);
        }
        if let (Some(limit), Some((low, high))) = (&raw.limit, tag.range)
            && condition.is_limit()
            && (limit.value < low || limit.value > high)
        {
            let fault = text(
                format!("限值 {} 在量程 {low} 到 {high} 之外", limit.value),
                format!("the limit {} lies outside the range {low} to {high}", limit.value),
            );
            sink.push(limit.place.error("limit-outside-range", fault));
        }
        let signal = tag.signal;
        let equipment = self.equipment.get(&self.tags[at].equipment);
        let (hazard, is_area) = equipment.map_or((Hazard::None, false), |equipment| (equipment.hazard, equipment.is_area));
        let Some(mut rule) = self.rule(condition, signal, hazard, is_area) else { return };
        if let Some(level) = raw.level {
            if signal.is_gas() && level < rule.level && !condition.is_data_fault() {
                let (zh, en) = (rule.level.name_zh(), rule.level.name());
                let fault = text(format!("气体报警的等级不能低于策略的{zh}"), format!("a gas alarm is not below the policy's level {en}"));
                sink.push(raw.place.error("condition-level", fault));
            }
            rule.set_level(level, self.sounds(condition, signal, level));
        }
        rule.setpoint = raw.limit.as_ref().map_or(if condition.is_state() { 1.0 } else { 0.0 }, |limit| limit.value);
        rule.deadband = raw.deadband.as_ref().map_or(0.0, |deadband| deadband.value);
        rule.on_delay = raw.on_delay.as_ref().map_or(model::Duration::ZERO, |delay| delay.value);
        rule.off_delay = raw.off_delay.as_ref().map_or(model::Duration::ZERO, |delay| delay.value);
        if raw.method != model::plant::Method::Value || raw.latching || raw.realarm_after.is_some() {
            let extra = rule.extra.get_or_insert_default();
            (extra.method, extra.latching, extra.realarm_after) = (raw.method, raw.latching, raw.realarm_after);
        }
        rule.rationale = self.keep_rationale(raw.rationale.clone());
        // As in a list, what is wrong with the data needs none.
        if !condition.is_data_fault() {
            self.check_rationale(rule.level, rule.rationale.as_deref(), rule.on_delay, raw.place, &Asked::in_rules(condition), sink);
        }
        let tag = &mut self.tags[at].tag;
        // What stands under the tag's own name goes before what its signal gets.
        tag.conditions.retain(|other| other.condition != condition);
        tag.conditions.push(rule);
    }

    /// A measured tag's limits stand in its list; here they get what a list has no column for.
    fn set_extra_of_listed(&mut self, at: usize, raw: &RawCondition<'_>, sink: &mut Sink) {
        let (zh, en) = (raw.condition.name_zh(), raw.condition.name());
        if !(raw.condition.is_limit() || raw.condition == Condition::Discrete) || raw.condition == Condition::Deviation {
            let fault = text(format!("{zh}只用于计算位号"), format!("{en} is for calculated tags only"));
            sink.push(raw.place.error("condition", fault).suggest(
                "在 [calculated.企业.\"位号\"] 里写表达式和这个条件",
                "write the expression and this condition in [calculated.ENTERPRISE.\"TAG\"]",
            ));
            return;
        }
        if raw.limit.is_some() || raw.deadband.is_some() || raw.on_delay.is_some() || raw.off_delay.is_some() || raw.level.is_some() {
            let fault = text(
                format!("{zh}的限值、回差、延时和等级写在设定值表里"),
                format!("limit, deadband, delays and level of {en} stand in the list"),
            );
            sink.push(
                raw.place
                    .error("condition", fault)
                    .suggest("这里只写 latching 和 realarm_after", "only `latching` and `realarm_after` stand here"),
            );
            return;
        }
        if raw.rationale != RawRationale::default() {
            let fault = text(
                format!("{zh}的原因、后果、处置措施和允许响应时间写在设定值表或类别里"),
                format!("cause, consequence, response and time to respond of {en} stand in the list or its class"),
            );
            sink.push(raw.place.error("condition", fault));
            return;
        }
        let Some(rule) = self.tags[at].tag.conditions.iter_mut().find(|rule| rule.condition == raw.condition) else {
            let fault = text(format!("这个位号没有{zh}"), format!("this tag has no {en}"));
            sink.push(raw.place.error("condition", fault));
            return;
        };
        let extra = rule.extra.get_or_insert_default();
        (extra.latching, extra.realarm_after) = (raw.latching, raw.realarm_after);
    }

    /// `位号 条件` to a draft and a place among its conditions.
    fn alarm_of(&self, enterprise: &str, written: &At<'_, String>, sink: &mut Sink) -> Option<(usize, usize)> {
        let Some((tag, condition)) = split_alarm(&written.value) else {
            let fault = text("这里要位号和条件", "expected a tag and a condition");
            sink.push(written.place.error("alarm", fault).suggest("例如 \"FIA-301 low\"", "such as \"FIA-301 low\""));
            return None;
        };
        let at = self.known_tag(enterprise, tag, |fault| written.place.error("unknown-tag", fault), sink)?;
        let place = self.tags[at].tag.conditions.iter().position(|rule| rule.condition == condition);
        if place.is_none() {
            let (zh, en) = (condition.name_zh(), condition.name());
            sink.push(written.place.error("alarm", text(format!("`{tag}` 没有{zh}"), format!("`{tag}` has no {en}"))));
        }
        Some((at, place?))
    }

    /// Whether a mode or a suppression may touch a condition.
    fn may_touch(&self, alarm: (usize, usize), written: &At<'_, String>, gas: &BTreeMap<Key, Signal>, sink: &mut Sink) -> bool {
        let tag = &self.tags[alarm.0].tag;
        let condition = tag.conditions[alarm.1].condition;
        if condition.is_data_fault() {
            let fault = text("数据故障不能抑制", "a data fault cannot be suppressed");
            sink.push(written.place.error("suppression", fault));
            return false;
        }
        let is_gas = gas.contains_key(&(tag.id.enterprise.to_string(), tag.id.tag.to_string()));
        if is_gas {
            let fault = text("工况和抑制都不能动气体报警", "no mode and no suppression touches a gas alarm");
            sink.push(written.place.error("gas-suppression", fault).suggest(
                "检定和检修用“检维修/标定”登记,有人、有时限",
                "for calibration and maintenance put the detector under test, with an owner and an end",
            ));
        }
        !is_gas
    }

    fn suppress(&mut self, raw: &RawSuppression<'_>, gas: &BTreeMap<Key, Signal>, sink: &mut Sink) {
        for written in &raw.alarms {
            let Some(alarm) = self.alarm_of(&raw.id.enterprise.value, written, sink) else { continue };
            if self.may_touch(alarm, written, gas, sink) {
                let rule = &mut self.tags[alarm.0].tag.conditions[alarm.1];
                rule.extra.get_or_insert_default().suppressed_by.push(raw.id.name.value.clone());
            }
        }
    }

    fn mode_limits(&mut self, raw: &RawModes<'_>, gas: &BTreeMap<Key, Signal>, sink: &mut Sink) {
        let enterprise = &raw.of.enterprise.value;
        let equipment = (enterprise.clone(), raw.of.name.value.clone());
        let Some((_, names)) = self.modes.get(&equipment) else { return };
        let names = names.clone();
        let mut seen = BTreeSet::new();
        let mut moved: BTreeMap<(usize, u8), Vec<(usize, &RawModeLimit<'_>)>> = BTreeMap::new();
        for limit in &raw.limits {
            let Some(alarm) = self.alarm_of(enterprise, &limit.alarm, sink) else { continue };
            let Some(mode) = names.iter().skip(1).position(|name| *name == limit.mode.value).map(|at| at as u8 + 1) else {
                let fault = text(format!("没有工况 `{}`", limit.mode.value), format!("there is no mode `{}`", limit.mode.value));
                let known = names.iter().skip(1).map(String::as_str);
                sink.push(limit.mode.place.error("mode-limit", fault).suggest_some(suggest::meant(&limit.mode.value, known)));
                continue;
            };
            let draft = &self.tags[alarm.0];
            if draft.equipment != equipment {
                let fault = text(format!("这个位号不属于 `{}`", equipment.1), format!("this tag does not belong to `{}`", equipment.1));
                sink.push(limit.alarm.place.error("mode-limit", fault));
                continue;
            }
            if !self.may_touch(alarm, &limit.alarm, gas, sink) {
                continue;
            }
            if !seen.insert((alarm, mode)) {
                let fault = text("同一报警在同一工况下写了两次", "the same alarm stands twice for one mode");
                sink.push(limit.place.error("mode-limit", fault));
                continue;
            }
            if !self.set_mode_limit(alarm, mode, limit, sink) {
                continue;
            }
            let condition = self.tags[alarm.0].tag.conditions[alarm.1].condition;
            if let Some(kind) = limits::KINDS.iter().position(|kind| *kind == condition) {
                moved.entry((alarm.0, mode)).or_default().push((kind, limit));
            }
        }
        for ((tag, _), mut moved) in moved {
            moved.sort_by_key(|(kind, _)| *kind);
            self.check_mode_limits(tag, &moved, sink);
        }
    }

    /// Gives a condition its limit in a mode, unless that is refused.
    fn set_mode_limit(&mut self, alarm: (usize, usize), mode: u8, raw: &RawModeLimit<'_>, sink: &mut Sink) -> bool {
        let range = self.tags[alarm.0].tag.range;
        let rule = &mut self.tags[alarm.0].tag.conditions[alarm.1];
        if raw.limit.is_some() && !rule.condition.has_setpoint() {
            sink.push(
                raw.place.error("mode-limit", text("这个条件没有限值,只能 off = true", "this condition has no limit: only off = true")),
            );
            return false;
        }
        if let (Some(limit), Some((low, high)), true) = (raw.limit.as_ref().map(|limit| limit.value), range, rule.condition.is_limit())
            && (limit < low || limit > high)
        {
            let fault = text(
                format!("限值 {limit} 在量程 {low} 到 {high} 之外"),
                format!("the limit {limit} lies outside the range {low} to {high}"),
            );
            sink.push(raw.place.error("limit-outside-range", fault));
            return false;
        }
        let limit = raw.limit.as_ref().map(|limit| Limit {
            setpoint: limit.value,
            deadband: raw.deadband.as_ref().map_or(rule.deadband, |deadband| deadband.value),
            on_delay: raw.on_delay.unwrap_or(rule.on_delay),
            off_delay: raw.off_delay.unwrap_or(rule.off_delay),
        });
        rule.extra.get_or_insert_default().modes.push(ModeLimit { mode, limit });
        true
    }
}
