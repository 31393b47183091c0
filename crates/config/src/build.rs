//! From everything that was read to the checked plant: names resolved, levels given, vectors sorted, the version computed.

use crate::alike::Alike;
use crate::bodies::{self, Bodies};
use crate::classes::{Class, Classes};
use crate::climb;
use crate::explain::{self, Explainer, Explanation};
use crate::fault::{Sink, text};
use crate::field::{RawEquipment, RawField};
use crate::heads::RATIONALE;
use crate::life::{self, RawLife};
use crate::limits;
use crate::org::RawJurisdiction;
use crate::own_tags::SYSTEM_INTERVAL;
use crate::policies::RawPolicies;
use crate::rules::RawRules;
use crate::server::Server;
use crate::setpoints::{LIMIT_COLUMNS, RawRationale, Row, RowCells, check_name};
use crate::source::{At, Place};
use crate::suggest;
use crate::version;
use model::plant::{Calculation, Channel, ConditionRule, DataSheet, Equipment, Gateway, Modes, Rationale, Tag};
use model::{
    BodyId, Condition, Duration, EquipmentId, EquipmentIndex, GatewayId, GatewayIndex, Hazard, Level, Plant, RuleVersion, Signal, TagId,
    TagIndex, ZoneId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One enterprise's list.
pub(crate) struct Sheet<'a> {
    pub(crate) enterprise: String,
    pub(crate) top: Place<'a>,
    pub(crate) rows: Vec<Row<'a>>,
}

/// Everything that was read.
pub(crate) struct Raw<'a> {
    pub(crate) jurisdiction: RawJurisdiction<'a>,
    pub(crate) bodies: Bodies<'a>,
    pub(crate) policies: RawPolicies<'a>,
    /// Where the policies were written.
    pub(crate) policies_place: Place<'a>,
    pub(crate) field: RawField<'a>,
    pub(crate) classes: Classes<'a>,
    pub(crate) sheets: Vec<Sheet<'a>>,
    pub(crate) rules: RawRules<'a>,
    pub(crate) lives: Vec<RawLife<'a>>,
    pub(crate) today: Option<jiff::civil::Date>,
}

/// Builds the plant; `None` where so much is missing that there is none. Faults are in the sink either way. With the tag that
/// is asked about comes what it has and where that was written.
pub(crate) fn build(mut raw: Raw<'_>, server: &Server, asked: Option<&TagId>, sink: &mut Sink) -> (Option<Plant>, Option<Explanation>) {
    let policies = climb::policies(&raw.policies, &raw.jurisdiction, sink);
    if let Some(policies) = &policies {
        bodies::check_reach(&raw.bodies, policies, server, sink);
    }
    let mut builder = Builder::new(&raw.policies, &raw.bodies, &raw.classes, asked);
    builder.field(&raw.field, sink);
    for sheet in &mut raw.sheets {
        builder.sheet(sheet, sink);
    }
    builder.attach(&raw.rules, sink);
    builder.explain_rules(&raw.rules);
    builder.check_unused(&raw.sheets, &raw.field, sink);
    builder.gateway_tags();
    builder.system_tags();
    builder.check_levels(raw.policies_place, sink);
    let (explanation, mut alike) = (builder.explanation.take(), std::mem::take(&mut builder.alike));
    let (equipment, gateways, tags) = builder.finish();
    let Some(policies) = policies else { return (None, explanation) };
    let mut plant = Plant {
        version: RuleVersion::new(""),
        tiers: raw.jurisdiction.tiers.into_iter().map(|tier| tier.name).collect(),
        bodies: raw.bodies.bodies,
        people: raw.bodies.people,
        channels: server.channels.iter().map(channel).collect(),
        equipment,
        gateways,
        tags,
        policies,
        utc_offset: raw.jurisdiction.utc_offset.unwrap_or(UTC_OFFSET_DEFAULT),
    };
    life::apply(&mut plant, &raw.lives, raw.today, sink);
    // What was changed since they were made.
    plant.tags.iter_mut().for_each(|tag| alike.keep(tag));
    plant.version = version::of(&plant);
    (Some(plant), explanation)
}

/// China's civil time.
const UTC_OFFSET_DEFAULT: Duration = Duration::from_mins(8 * 60);

fn channel(setting: &crate::server::ChannelSetting) -> Channel {
    Channel { id: setting.id.clone(), kind: setting.kind, has_receipts: false }
}

/// Enterprise and name.
pub(crate) type Key = (String, String);

/// What stands in the plant by enterprise and name, while it is gathered.
pub(crate) struct Builder<'p> {
    pub(crate) policies: &'p RawPolicies<'p>,
    classes: &'p Classes<'p>,
    /// The tag that is asked about.
    asked: Option<&'p TagId>,
    explanation: Option<Explanation>,
    /// What limits say for people, each kept once.
    rationales: BTreeMap<Rationale, Arc<Rationale>>,
    alike: Alike,
    enterprises: BTreeMap<&'p str, (&'p BodyId, Place<'p>)>,
    /// With the highest hazard that its gas detectors guard.
    pub(crate) gateways: BTreeMap<Key, (Gateway, Hazard)>,
    /// Gateways that send the devices' own inhibit bits.
    pub(crate) inhibiting: BTreeSet<Key>,
    zones: BTreeMap<Key, ZoneId>,
    described: BTreeMap<Key, (&'p RawEquipment<'p>, bool)>,
    pub(crate) equipment: BTreeMap<Key, Equipment>,
    pub(crate) tags: Vec<Draft>,
    /// Places in `tags`, while `rules.toml` is taken up.
    pub(crate) at: BTreeMap<Key, usize>,
    /// By equipment: its mode's tag and what the modes are called.
    pub(crate) modes: BTreeMap<Key, (String, Vec<String>)>,
    /// Media without a gas bound that were warned of.
    pub(crate) unbounded: BTreeSet<Key>,
    /// Signals to which the policy gives no level, by condition.
    unlevelled: BTreeMap<Condition, BTreeSet<Signal>>,
}

/// A tag whose equipment and gateway are still names.
pub(crate) struct Draft {
    pub(crate) tag: Tag,
    pub(crate) equipment: Key,
    pub(crate) gateway: Option<Key>,
    /// Its expression, as written and as run.
    pub(crate) calculation: Option<(String, expr::Program)>,
    /// Of a gas detector's medium.
    pub(crate) cas: String,
}

/// Whose rationalisation is asked for, what its parts are called where it is written, and where that is; in Chinese and in English.
pub(crate) struct Asked {
    of: (&'static str, &'static str),
    parts: [(&'static str, &'static str); 4],
    help: (&'static str, &'static str),
}

impl Asked {
    /// Of a limit of a list, or beyond them of the alarm state.
    fn in_list(limit: usize) -> Self {
        Self {
            of: limits::name_or_state(limit),
            parts: RATIONALE.map(|column| (column.name(), column.name_en())),
            help: (
                "写在这一行、它的类别里,或该限值自己的列里(如 高高报原因);要求见 policies.toml 的 [rationalisation]",
                "write it in this row, in its class or in the limit's own columns (HH_cause …); [rationalisation] in policies.toml asks for it",
            ),
        }
    }
    /// Of a condition in `rules.toml`.
    pub(crate) fn in_rules(condition: Condition) -> Self {
        Self {
            of: (condition.name_zh(), condition.name()),
            parts: [
                ("cause(原因)", "cause"),
                ("consequence(后果)", "consequence"),
                ("response(处置措施)", "response"),
                ("respond_within(允许响应时间)", "respond_within"),
            ],
            help: (
                "写在这个条件里;要求见 policies.toml 的 [rationalisation]",
                "write it in this condition; [rationalisation] in policies.toml asks for it",
            ),
        }
    }
}

impl Draft {
    /// The tags that its expression reads, in the order of the program's inputs.
    fn reads(&self) -> Vec<TagId> {
        let inputs = self.calculation.as_ref().map_or(&[][..], |(_, program)| program.inputs());
        inputs.iter().map(|input| TagId::new(self.tag.id.enterprise.clone(), input)).collect()
    }
}

impl<'p> Builder<'p> {
    fn new(policies: &'p RawPolicies<'p>, bodies: &'p Bodies<'p>, classes: &'p Classes<'p>, asked: Option<&'p TagId>) -> Self {
        let enterprises = bodies.bodies.iter().filter(|body| body.tier == model::Tier::ENTERPRISE);
        Self {
            policies,
            classes,
            asked,
            explanation: None,
            rationales: BTreeMap::new(),
            alike: Alike::default(),
            enterprises: enterprises
                .filter_map(|body| Some((body.id.as_str(), (&body.id, *bodies.places.get(body.id.as_str())?))))
                .collect(),
            gateways: BTreeMap::new(),
            inhibiting: BTreeSet::new(),
            zones: BTreeMap::new(),
            described: BTreeMap::new(),
            equipment: BTreeMap::new(),
            tags: Vec::new(),
            at: BTreeMap::new(),
            modes: BTreeMap::new(),
            unbounded: BTreeSet::new(),
            unlevelled: BTreeMap::new(),
        }
    }

    pub(crate) fn is_enterprise(&self, written: &At<'_, String>, sink: &mut Sink) -> bool {
        let known = self.enterprises.contains_key(written.value.as_str());
        if !known {
            let value = &written.value;
            let fault = text(format!("没有企业 `{value}`"), format!("there is no enterprise `{value}`"));
            let near = suggest::did_you_mean(value, self.enterprises.keys().copied());
            sink.push(written.place.error("unknown-enterprise", fault).suggest_some(near));
        }
        known
    }

    /// The id of an enterprise, kept once.
    pub(crate) fn body(&self, enterprise: &str) -> BodyId {
        self.enterprises.get(enterprise).map_or_else(|| BodyId::new(enterprise), |(id, _)| BodyId::clone(id))
    }

    /// Puts a tag among the others.
    pub(crate) fn add(&mut self, mut tag: Tag, equipment: Key, gateway: Option<Key>) {
        self.alike.keep(&mut tag);
        self.tags.push(Draft { tag, equipment, gateway, calculation: None, cas: String::new() });
    }

    fn field(&mut self, field: &'p RawField<'p>, sink: &mut Sink) {
        for gateway in &field.gateways {
            if !self.is_enterprise(&gateway.enterprise, sink) || !check_name(&gateway.id, sink) {
                continue;
            }
            let made = Gateway {
                enterprise: self.body(&gateway.enterprise.value),
                id: GatewayId::new(&gateway.id.value),
                name: gateway.name.clone(),
                interval: gateway.interval,
                tag: TagIndex(0),
                members: Vec::new(),
            };
            let key = (gateway.enterprise.value.clone(), gateway.id.value.clone());
            if gateway.inhibits {
                self.inhibiting.insert(key.clone());
            }
            self.gateways.insert(key, (made, Hazard::None));
        }
        for zone in &field.zones {
            if self.is_enterprise(&zone.enterprise, sink) && check_name(&zone.id, sink) {
                self.zones.insert((zone.enterprise.value.clone(), zone.id.value.clone()), ZoneId::new(&zone.id.value));
            }
        }
        for equipment in &field.equipment {
            if self.is_enterprise(&equipment.enterprise, sink) && check_name(&equipment.id, sink) {
                self.described.insert((equipment.enterprise.value.clone(), equipment.id.value.clone()), (equipment, false));
                if let Some(zone) = &equipment.zone {
                    self.zone(&equipment.enterprise.value, zone, sink);
                }
            }
        }
    }

    fn zone(&self, enterprise: &str, zone: &At<'_, String>, sink: &mut Sink) -> Option<ZoneId> {
        let key = (enterprise.to_owned(), zone.value.clone());
        if let Some(known) = self.zones.get(&key) {
            return Some(known.clone());
        }
        let fault = text(
            format!("gateways.toml 的 [sirens.{enterprise}] 里没有声光区域 `{}`", zone.value),
            format!("[sirens.{enterprise}] of gateways.toml has no zone `{}`", zone.value),
        );
        let known = self.zones.keys().filter(|(owner, _)| owner == enterprise).map(|(_, zone)| zone.as_str());
        sink.push(zone.place.error("unknown-zone", fault).suggest_some(suggest::meant(&zone.value, known)));
        None
    }

    fn sheet(&mut self, sheet: &mut Sheet<'_>, sink: &mut Sink) {
        if !self.is_enterprise(&At { value: sheet.enterprise.clone(), place: sheet.top }, sink) {
            return;
        }
        let gas = self.policies.gas.clone().unwrap_or_default();
        let classes = self.classes;
        for row in &mut sheet.rows {
            let class = classes.of(row, sink);
            if let Some(class) = class {
                class.fill(row, sink);
            }
            limits::check(row, sink);
            if row.signal.is_gas() {
                gas.check(row, &mut self.unbounded, sink);
            }
            self.row(&sheet.enterprise, row, class, sink);
        }
    }

    fn row(&mut self, enterprise: &str, row: &Row<'_>, class: Option<&Class<'_>>, sink: &mut Sink) {
        let zone = row.zone.as_ref().and_then(|zone| self.zone(enterprise, zone, sink));
        let equipment = self.equipment_of(enterprise, row, zone.as_ref(), sink);
        let gateway_key = (enterprise.to_owned(), row.gateway.value.clone());
        let equipment_key = (enterprise.to_owned(), row.equipment.value.clone());
        if self.gateways.contains_key(&(enterprise.to_owned(), row.tag.value.clone())) {
            let fault = text("位号和网关同名", "a tag has the name of a gateway");
            sink.push(row.tag.place.error("duplicate-tag", fault).suggest(
                "网关自己的报警用它的名字作位号,给其中一个换名字",
                "a gateway's own alarms use its name as their tag; rename one of the two",
            ));
            return;
        }
        let Some((gateway, hazard)) = self.gateways.get_mut(&gateway_key) else {
            let fault = text(
                format!("gateways.toml 的 [gateways.{enterprise}] 里没有网关 `{}`", row.gateway.value),
                format!("[gateways.{enterprise}] of gateways.toml has no gateway `{}`", row.gateway.value),
            );
            let known = self.gateways.keys().filter(|(owner, _)| owner == enterprise).map(|(_, id)| id.as_str());
            sink.push(row.gateway.place.error("unknown-gateway", fault).suggest_some(suggest::meant(&row.gateway.value, known)));
            return;
        };
        let Some((hazard_here, is_area, equipment_zone)) = equipment else { return };
        if row.signal.is_gas() {
            *hazard = (*hazard).max(hazard_here);
        }
        // A gateway that sends less often than the instrument samples decides how long silence is ordinary.
        let sample_interval = row.sample.unwrap_or(gateway.interval).max(gateway.interval);
        let mut conditions = Vec::new();
        if row.in_service {
            self.process_conditions(row, class, hazard_here, is_area, &mut conditions, sink);
            let faults = [Condition::OutOfRange, Condition::BadQuality, Condition::Stale];
            for condition in faults.into_iter().filter(|condition| *condition != Condition::OutOfRange || row.range.is_some()) {
                conditions.extend(self.rule(condition, row.signal, hazard_here, is_area));
            }
            if self.inhibiting.contains(&gateway_key) {
                conditions.extend(self.rule(Condition::Inhibited, row.signal, hazard_here, is_area));
            }
        }
        conditions.sort_by_key(|rule| Condition::ALL.iter().position(|condition| *condition == rule.condition));
        let sheet = DataSheet {
            unit: row.unit.clone(),
            decimals: row.decimals,
            range: row.range,
            zone: zone.or(equipment_zone),
            medium: row.medium.clone(),
            sample_interval,
            stale_after: self.stale_after(sample_interval),
            labels: row.labels.clone(),
            interlock: row.interlock.as_ref().map(|interlock| interlock.value),
            basis: row.basis.clone(),
            in_service: row.in_service,
            ..DataSheet::new(row.signal)
        };
        let mut tag = Tag::new(TagId::new(self.body(enterprise), &row.tag.value), row.signal);
        (tag.sheet, tag.conditions) = (sheet.into(), conditions.into());
        if !row.name.is_empty() {
            tag.name = row.name.as_str().into();
        }
        if self.asked.is_some_and(|asked| *asked == tag.id) {
            let explainer = Explainer { row, cells: RowCells::of(row), class, hazard: hazard_here, is_area, policies: self.policies };
            self.explanation = Some(explainer.explain(&tag, equipment_key.1.clone(), gateway_key.1.clone()));
        }
        self.add(tag, equipment_key, Some(gateway_key));
        if let Some(draft) = self.tags.last_mut().filter(|_| row.signal.is_gas()) {
            draft.cas.clone_from(&row.cas);
        }
    }

    /// Adds what `rules.toml` says of the tag that is asked about.
    fn explain_rules(&mut self, rules: &RawRules<'_>) {
        let Some(draft) = self.tags.iter().find(|draft| Some(&draft.tag.id) == self.asked) else { return };
        self.explanation = explain::add_rules(self.explanation.take(), &draft.tag, &draft.equipment.1, rules);
    }

    pub(crate) fn stale_after(&self, sample_interval: Duration) -> Duration {
        let (samples, least) = self.policies.data_faults.map_or((3, SYSTEM_INTERVAL), |data| (data.stale_samples, data.stale_at_least));
        sample_interval.times(samples).max(least)
    }

    /// Hazard, whether an area, and zone of the row's equipment, which is made by its first row.
    fn equipment_of(
        &mut self,
        enterprise: &str,
        row: &Row<'_>,
        zone: Option<&ZoneId>,
        sink: &mut Sink,
    ) -> Option<(Hazard, bool, Option<ZoneId>)> {
        let key = (enterprise.to_owned(), row.equipment.value.clone());
        if !check_name(&row.equipment, sink) {
            return None;
        }
        let whole =
            self.described.range((enterprise.to_owned(), String::new())..).next().is_some_and(|((owner, _), _)| owner == enterprise);
        if whole && !self.described.contains_key(&key) {
            let fault = text(
                format!("equipment.toml 的 [equipment.{enterprise}] 里没有设备 `{}`", row.equipment.value),
                format!("[equipment.{enterprise}] of equipment.toml has no `{}`", row.equipment.value),
            );
            let known = self.described.keys().filter(|(owner, _)| owner == enterprise).map(|(_, id)| id.as_str());
            sink.push(row.equipment.place.error("unknown-equipment", fault).suggest_some(suggest::meant(&row.equipment.value, known)));
            return None;
        }
        let described = self.described.get_mut(&key).map(|(described, used)| {
            *used = true;
            *described
        });
        if let Some(made) = self.equipment.get_mut(&key) {
            if made.hazard != row.hazard.value && described.and_then(|described| described.hazard).is_none() {
                let fault = text(
                    format!("设备 `{}` 的重大危险源等级前后不一致", row.equipment.value),
                    format!("the hazard level of `{}` differs from an earlier row", row.equipment.value),
                );
                sink.push(row.hazard.place.error("hazard", fault));
            }
            if made.zone.is_none() {
                made.zone = zone.cloned();
            }
            return Some((made.hazard, made.is_area, made.zone.clone()));
        }
        let id = &row.equipment.value;
        // 甲类罐区 + V-101, but not 液氨罐区 + 液氨罐区北.
        let name = if id.starts_with(&row.area) { id.clone() } else { format!("{}{id}", row.area) };
        let made = Equipment {
            enterprise: self.body(enterprise),
            id: EquipmentId::new(id),
            name: described.and_then(|described| described.name.clone()).unwrap_or(name).into(),
            is_area: described.and_then(|described| described.is_area).unwrap_or(row.is_area),
            hazard: described.and_then(|described| described.hazard).unwrap_or(row.hazard.value),
            zone: described
                .and_then(|described| described.zone.as_ref())
                .and_then(|zone| self.zones.get(&(enterprise.to_owned(), zone.value.clone())))
                .or(zone)
                .cloned(),
            modes: None,
        };
        let parts = (made.hazard, made.is_area, made.zone.clone());
        self.equipment.insert(key, made);
        Some(parts)
    }

    fn process_conditions(
        &mut self,
        row: &Row<'_>,
        class: Option<&Class<'_>>,
        hazard: Hazard,
        is_area: bool,
        out: &mut Vec<ConditionRule>,
        sink: &mut Sink,
    ) {
        let delays = [row.low_low_delay, row.on_delay, row.on_delay, row.high_high_delay];
        for (at, (condition, on_delay)) in limits::KINDS.into_iter().zip(delays).enumerate() {
            let Some(limit) = &row.limits[at] else { continue };
            let Some(mut rule) = self.process_rule(condition, row, class, hazard, is_area, sink) else { continue };
            let rationale = self.rationale(row, class, Some(at));
            self.check_rationale(rule.level, rationale.as_deref(), on_delay, limit.place, &Asked::in_list(at), sink);
            rule.setpoint = limit.value;
            rule.deadband = row.deadband.as_ref().map_or(0.0, |deadband| deadband.value.of(limit.value));
            (rule.on_delay, rule.off_delay, rule.rationale) = (on_delay, row.off_delay, rationale);
            out.push(rule);
        }
        if let Some(state) = row.alarm_state
            && let Some(mut rule) = self.process_rule(Condition::Discrete, row, class, hazard, is_area, sink)
        {
            let rationale = self.rationale(row, class, None);
            let asked = Asked::in_list(LIMIT_COLUMNS.len());
            self.check_rationale(rule.level, rationale.as_deref(), row.on_delay, row.tag.place, &asked, sink);
            rule.setpoint = f64::from(state);
            (rule.on_delay, rule.off_delay, rule.rationale) = (row.on_delay, row.off_delay, rationale);
            out.push(rule);
        }
    }

    /// What row and class say for people about one limit, or about the tag; none where they say nothing.
    pub(crate) fn rationale(&mut self, row: &Row<'_>, class: Option<&Class<'_>>, limit: Option<usize>) -> Option<Arc<Rationale>> {
        let mut raw = limit.and_then(|at| Some(row.limit_rationale.as_ref()?[at].clone())).unwrap_or_default().or(&row.rationale);
        if let Some((of_class, of_limit)) = class.map(|class| class.rationale(limit)) {
            raw = of_limit.map_or_else(|| raw.clone(), |of_limit| raw.clone().or(of_limit)).or(of_class);
        }
        self.keep_rationale(raw)
    }

    /// A rationalisation, each kept once; none where nothing was written.
    pub(crate) fn keep_rationale(&mut self, raw: RawRationale) -> Option<Arc<Rationale>> {
        let [cause, consequence, response] = raw.texts.map(Option::unwrap_or_default);
        let rationale = Rationale { cause, consequence, response, time_to_respond: raw.respond_within };
        if rationale == Rationale::default() {
            return None;
        }
        if let Some(kept) = self.rationales.get(&rationale) {
            return Some(kept.clone());
        }
        let kept = Arc::new(rationale.clone());
        self.rationales.insert(rationale, kept.clone());
        Some(kept)
    }

    /// Refuses a limit of a level that needs a rationalisation and has none, and warns of a delay that eats up the time to respond.
    pub(crate) fn check_rationale(
        &self,
        level: Level,
        rationale: Option<&Rationale>,
        on_delay: Duration,
        place: Place<'_>,
        asked: &Asked,
        sink: &mut Sink,
    ) {
        let within = rationale.and_then(|rationale| rationale.time_to_respond);
        if within.is_some_and(|within| on_delay >= within) {
            let fault = text("报警延时不小于允许响应时间", "the on-delay leaves no time to respond");
            sink.push_once(place.warning("delay-beyond-response", fault).suggest("缩短报警延时", "shorten the delay"));
        }
        if !self.policies.rationalisation.as_ref().is_some_and(|levels| levels.contains(&level)) {
            return;
        }
        let said = |part: fn(&Rationale) -> &String| rationale.is_some_and(|rationale| !part(rationale).is_empty());
        let has = [said(|said| &said.cause), said(|said| &said.consequence), said(|said| &said.response), within.is_some()];
        let missing: Vec<_> = asked.parts.into_iter().zip(has).filter(|(_, has)| !has).map(|(part, _)| part).collect();
        if missing.is_empty() {
            return;
        }
        let ((zh, en), (level_zh, level_en)) = (asked.of, (level.name_zh(), level.name()));
        let joined =
            |name: fn(&(&'static str, &'static str)) -> &'static str, joint: &str| missing.iter().map(name).collect::<Vec<_>>().join(joint);
        let (missing_zh, missing_en) = (joined(|part| part.0, "、"), joined(|part| part.1, ", "));
        let fault = text(format!("{level_zh}的{zh}没有写:{missing_zh}"), format!("{en} is {level_en} and lacks: {missing_en}"));
        let (help_zh, help_en) = asked.help;
        sink.push_once(place.error("rationale-missing", fault).suggest(help_zh, help_en));
    }

    /// A condition of the process, with the level that its class or else the policy gives it.
    pub(crate) fn process_rule(
        &mut self,
        condition: Condition,
        row: &Row<'_>,
        class: Option<&Class<'_>>,
        hazard: Hazard,
        is_area: bool,
        sink: &mut Sink,
    ) -> Option<ConditionRule> {
        let mut rule = self.rule(condition, row.signal, hazard, is_area)?;
        let Some(level) = class.and_then(|class| class.level(condition)) else { return Some(rule) };
        if row.signal.is_gas() && level.value < rule.level {
            let (zh, en) = (rule.level.name_zh(), rule.level.name());
            let fault = text(
                format!("类别给气体报警的等级低于策略的{zh}"),
                format!("the class gives a gas alarm a lower level than the policy's {en}"),
            );
            let place = row.class.as_ref().map_or(row.tag.place, |class| class.place);
            sink.push(place.error("class-level", fault).suggest(
                "去掉 classes.toml 里的 level,或改 policies.toml 的 [levels]",
                "remove `level` from classes.toml, or change [levels] in policies.toml",
            ));
        }
        rule.set_level(level.value, self.sounds(condition, row.signal, level.value));
        Some(rule)
    }

    /// A condition with the level that the policy gives it, without limit and delays.
    pub(crate) fn rule(&mut self, condition: Condition, signal: Signal, hazard: Hazard, is_area: bool) -> Option<ConditionRule> {
        let Some((level, level_when_two)) = self.policies.level_of(condition, signal, hazard, is_area) else {
            self.unlevelled.entry(condition).or_default().insert(signal);
            return None;
        };
        let mut rule = ConditionRule::new(condition, 0.0, level);
        (rule.level_when_two, rule.siren) = (level_when_two, self.sounds(condition, signal, level));
        Some(rule)
    }

    /// Whether a condition sounds the siren of its zone.
    pub(crate) fn sounds(&self, condition: Condition, signal: Signal, level: Level) -> bool {
        self.policies.siren.as_ref().is_some_and(|siren| {
            let gas = siren.gas_upper_limits && signal.is_gas() && (condition.is_high_side() || condition == Condition::Voted);
            siren.levels.contains(&level) && !condition.is_data_fault() || gas
        })
    }

    /// What was described and is not used: more often a slip in a name than a plan.
    fn check_unused(&self, sheets: &[Sheet<'_>], field: &RawField<'_>, sink: &mut Sink) {
        let lists: BTreeSet<&str> = sheets.iter().map(|sheet| sheet.enterprise.as_str()).collect();
        for (enterprise, (_, place)) in self.enterprises.iter().filter(|(enterprise, _)| !lists.contains(**enterprise)) {
            let fault = text(
                format!("没有设定值表 enterprises/{enterprise}.csv,这家企业没有位号"),
                format!("there is no list enterprises/{enterprise}.csv: this enterprise has no tags"),
            );
            sink.push(place.warning("no-list", fault));
        }
        // A list that could not be read says nothing about gateways.
        let read: BTreeSet<&str> = sheets.iter().filter(|sheet| !sheet.rows.is_empty()).map(|sheet| sheet.enterprise.as_str()).collect();
        let used: BTreeSet<&Key> = self.tags.iter().filter_map(|draft| draft.gateway.as_ref()).collect();
        for gateway in &field.gateways {
            let key = (gateway.enterprise.value.clone(), gateway.id.value.clone());
            if read.contains(key.0.as_str()) && !used.contains(&key) {
                let fault = text(format!("没有位号经过网关 `{}`", key.1), format!("no tag arrives through gateway `{}`", key.1));
                sink.push(gateway.id.place.warning("unused-gateway", fault));
            }
        }
        for (equipment, used) in self.described.values() {
            if !used {
                let fault =
                    text(format!("没有位号属于设备 `{}`", equipment.id.value), format!("no tag belongs to `{}`", equipment.id.value));
                sink.push(equipment.id.place.warning("unused-equipment", fault));
            }
        }
    }

    /// An alarm without a level would reach nobody.
    fn check_levels(&self, place: Place<'_>, sink: &mut Sink) {
        for (condition, signals) in &self.unlevelled {
            let zh: Vec<_> = signals.iter().map(|signal| signal.name_zh()).collect();
            let en: Vec<_> = signals.iter().map(|signal| signal.name_en()).collect();
            let fault = text(
                format!("[levels] 没有给{}定等级:{}", condition.name_zh(), zh.join("、")),
                format!("[levels] gives no level to {condition} of {}", en.join(", ")),
            );
            sink.push(place.error("no-level", fault).suggest(
                "在 [levels] 的 rows 里加一行,不写 signal 就适用于所有信号",
                "add a row to [levels]; one without `signal` fits every signal",
            ));
        }
    }

    /// Sorts everything and turns names into indexes.
    fn finish(mut self) -> (Vec<Equipment>, Vec<Gateway>, Vec<Tag>) {
        let index = |keys: Vec<Key>| -> BTreeMap<Key, u32> { keys.into_iter().zip(0..).collect() };
        let equipment_at = index(self.equipment.keys().cloned().collect());
        let gateway_at = index(self.gateways.keys().cloned().collect());
        self.tags.sort_by(|a, b| a.tag.id.cmp(&b.tag.id));
        let read: BTreeSet<TagId> = self.tags.iter().flat_map(Draft::reads).collect();
        let places = self.tags.iter().zip(0..).filter(|(draft, _)| read.contains(&draft.tag.id));
        let places: BTreeMap<TagId, TagIndex> = places.map(|(draft, at)| (draft.tag.id.clone(), TagIndex(at))).collect();
        for (key, (tag, names)) in std::mem::take(&mut self.modes) {
            let tag = self.tags.binary_search_by(|draft| draft.tag.id.cmp(&TagId::new(key.0.as_str(), &tag)));
            if let (Ok(at), Some(equipment)) = (tag, self.equipment.get_mut(&key)) {
                equipment.modes = Some(Box::new(Modes { tag: TagIndex(at as u32), names }));
            }
        }
        let mut gateways: Vec<Gateway> = self.gateways.into_values().map(|(gateway, _)| gateway).collect();
        let mut tags = Vec::with_capacity(self.tags.len());
        for (at, draft) in self.tags.into_iter().enumerate() {
            let inputs = draft.reads();
            let mut tag = draft.tag;
            if let Some((text, program)) = draft.calculation {
                let inputs = inputs.iter().filter_map(|input| places.get(input)).copied().collect();
                tag.calculation = Some(Box::new(Calculation { text, inputs, program }));
            }
            tag.equipment = equipment_at.get(&draft.equipment).copied().map(EquipmentIndex).expect("a draft's equipment was made with it");
            tag.gateway = draft.gateway.and_then(|key| gateway_at.get(&key).copied()).map(GatewayIndex::new);
            if let Some(gateway) = tag.gateway.map(GatewayIndex::at) {
                let index = TagIndex(at as u32);
                match tag.signal {
                    Signal::Gateway => gateways[gateway].tag = index,
                    _ => gateways[gateway].members.push(index),
                }
            }
            tags.push(tag);
        }
        gateways.iter_mut().for_each(|gateway| gateway.members.shrink_to_fit());
        (self.equipment.into_values().collect(), gateways, tags)
    }
}
