//! JSON of windows, floods, 待调试 and 设计抑制, for one login.

use crate::json::{
    CommissioningJson, FloodJson, ModeJson, PointJson, PointsJson, ProvenJson, SuppressedByJson, SuppressedJson, WindowCountsJson,
    WindowJson, WindowsJson,
};
use crate::render::{Render, body_name, is_measured};
use crate::words::{self, Text};
use crate::{LiveSuppressed, Steered, SuppressedBy};
use model::plant::Equipment;
use model::{ActKind, Actor, Confirmation, PersonId, Scope, Timestamp, Window, WindowKind};
use std::collections::BTreeMap;

impl Render<'_> {
    /// Everything that narrows or floods who is told.
    pub fn windows(&self) -> WindowsJson {
        let (_, windows, floods) = self.app.view.beside();
        let actor = self.viewer.actor();
        let mut seen: Vec<_> = windows.iter().filter(|window| self.viewer.sees(&window.enterprise)).collect();
        seen.sort_by_key(|window| (window.in_force(), window.until));
        let flood = |flood: &model::Flood| FloodJson {
            enterprise: flood.enterprise.to_string(),
            enterprise_name: body_name(self.plant(), &flood.enterprise),
            since: flood.since.as_millis(),
            count: flood.count,
        };
        WindowsJson {
            now: self.app.now(),
            windows: seen.into_iter().map(|window| self.window(window, actor.as_ref())).collect(),
            floods: floods.iter().filter(|flood| self.viewer.sees(&flood.enterprise)).map(flood).collect(),
            commissioning: self.commissioning(),
            suppressed: self.suppressed(&self.app.view.steered()).map(|one| self.suppressed_json(one)).collect(),
        }
    }

    /// Conditions suppressed by design that this login oversees.
    fn suppressed<'s>(&'s self, steered: &'s Steered) -> impl Iterator<Item = &'s LiveSuppressed> {
        steered.suppressed.iter().filter(|one| self.viewer.sees(&one.alarm.tag.enterprise))
    }

    /// How many there are, and how many of them stand.
    pub fn suppressed_counts(&self) -> (usize, usize) {
        let steered = self.app.view.steered();
        (self.suppressed(&steered).count(), self.suppressed(&steered).filter(|one| one.state.is_standing()).count())
    }

    fn suppressed_json(&self, one: &LiveSuppressed) -> SuppressedJson {
        let plant = self.plant();
        let id = &one.alarm.tag;
        let tag = plant.tag_index(id).map(|index| plant.tag(index));
        let equipment = tag.and_then(|tag| plant.equipment_of(tag));
        SuppressedJson {
            tag: id.to_string(),
            tag_name: tag.map_or_else(|| id.tag.to_string(), |tag| tag.name.to_string()),
            condition: one.alarm.condition,
            condition_zh: one.alarm.condition.name_zh(),
            level: one.level,
            state: one.state,
            enterprise_name: body_name(plant, &id.enterprise),
            equipment_name: equipment.map_or_else(String::new, |equipment| equipment.name.to_string()),
            since: one.since.map(Timestamp::as_millis),
            untold: one.untold,
            by: self.suppressed_by(&one.by),
        }
    }

    /// What suppresses a condition, by its names.
    pub fn suppressed_by(&self, by: &[SuppressedBy]) -> Vec<SuppressedByJson> {
        let named = |by: &SuppressedBy| match by {
            SuppressedBy::Tag(id) => {
                let tag = self.plant().tag_index(id).map(|index| self.plant().tag(index));
                let name = tag.map_or_else(|| id.tag.to_string(), |tag| tag.name.to_string());
                SuppressedByJson { tag: Some(id.to_string()), name }
            }
            SuppressedBy::Mode(name) => SuppressedByJson { tag: None, name: name.clone() },
        };
        by.iter().map(named).collect()
    }

    /// The mode of an equipment by its place and its name; none where it has only one.
    pub fn mode_of(&self, equipment: &Equipment, steered: &Steered) -> Option<(u8, ModeJson)> {
        let names = &equipment.modes.as_ref()?.names;
        let place = steered.mode(&equipment.enterprise, &equipment.id)?;
        // A mode without a name is that of a configuration which is just coming into force.
        let name = names.get(usize::from(place))?.clone();
        Some((place, ModeJson { name, ordinary: place == 0 }))
    }

    /// Windows counted, for the top of every page.
    pub fn window_counts(&self) -> WindowCountsJson {
        let (seq, windows, _) = self.app.view.beside();
        let mut counts = WindowCountsJson { seq, ..WindowCountsJson::default() };
        for window in windows.iter().filter(|window| self.viewer.sees(&window.enterprise)) {
            counts.held += u64::from(window.held);
            match window.kind {
                _ if !window.in_force() => counts.waiting += 1,
                WindowKind::Shelved => counts.shelved += 1,
                WindowKind::OutOfService => counts.out_of_service += 1,
                WindowKind::UnderTest => counts.under_test += 1,
            }
        }
        counts
    }

    /// Enterprises in a flood that this login oversees.
    pub fn floods(&self) -> usize {
        let (_, _, floods) = self.app.view.beside();
        floods.iter().filter(|flood| self.viewer.sees(&flood.enterprise)).count()
    }

    fn window(&self, window: &Window, actor: Option<&Actor>) -> WindowJson {
        let scope = self.scope(&window.scope);
        let confirmed = window.confirmed.as_ref();
        WindowJson {
            id: window.id.to_string(),
            kind: window.kind.name(),
            kind_zh: window.kind.name_zh(),
            enterprise: window.enterprise.to_string(),
            enterprise_name: body_name(self.plant(), &window.enterprise),
            scope_zh: scope.zh,
            scope_en: scope.en,
            reason: window.reason.clone(),
            reference: window.reference.clone(),
            owner: window.owner.to_string(),
            owner_name: self.person_name(&window.owner),
            filed: window.filed.as_millis(),
            until: window.until.as_millis(),
            in_force: window.in_force(),
            needs: window.needs.map(|needs| match needs {
                Confirmation::SecondPerson => "second-person",
                Confirmation::TierAbove { .. } => "tier-above",
            }),
            needs_tier: window.needs.and_then(lowest_tier),
            confirmed_by: confirmed.map(|(person, _)| self.person_name(person)),
            confirmed: confirmed.map(|(_, at)| at.as_millis()),
            held: window.held,
            acts: actor.map(|actor| acts(window, actor)).unwrap_or_default(),
        }
    }

    fn scope(&self, scope: &Scope) -> Text {
        let plant = self.plant();
        match scope {
            Scope::Alarms { alarms } => Text::join(alarms.iter().map(|alarm| words::alarm(plant, alarm))),
            Scope::Tags { tags } => {
                let list = tags.iter().map(|tag| &*tag.tag).collect::<Vec<_>>().join("、");
                Text::new(list.clone(), list.replace('、', ", "))
            }
            Scope::Area { enterprise, equipment } => {
                let known = plant.equipment.iter().find(|one| one.enterprise == *enterprise && one.id == *equipment);
                let name = known.map_or_else(|| equipment.to_string(), |equipment| equipment.name.to_string());
                Text::new(format!("{name}(全部位号)"), format!("{name} (all its tags)"))
            }
            Scope::Gateway { enterprise, gateway } => {
                let known = plant.gateways.iter().find(|one| one.enterprise == *enterprise && one.id == *gateway);
                let name = known.map_or_else(|| gateway.to_string(), |gateway| gateway.name.clone());
                Text::new(format!("网关 {name}(全部位号)"), format!("gateway {name} (all its tags)"))
            }
        }
    }

    fn commissioning(&self) -> Vec<CommissioningJson> {
        let now = (self.app.settings.clock)();
        let mut groups: BTreeMap<(&model::BodyId, Timestamp, &PersonId), usize> = BTreeMap::new();
        for (_, tag) in self.tags().filter(|(_, tag)| is_measured(tag)) {
            if let Some(life) = &tag.commissioning {
                *groups.entry((&tag.id.enterprise, life.until, &life.integrator)).or_default() += 1;
            }
        }
        let group = |((enterprise, until, integrator), tags): ((&model::BodyId, Timestamp, &PersonId), usize)| CommissioningJson {
            enterprise: enterprise.to_string(),
            enterprise_name: body_name(self.plant(), enterprise),
            integrator: self.person_name(integrator),
            until: until.as_millis(),
            overdue: until <= now,
            tags,
        };
        groups.into_iter().map(group).collect()
    }

    /// Tags as points: first seen, last value, range, limits seen to work.
    pub fn points(&self, enterprise: Option<&str>, never_seen: bool, offset: usize, limit: usize) -> PointsJson {
        let view = &self.app.view;
        let now = (self.app.settings.clock)();
        let unseen = |(index, _): &(model::TagIndex, &model::plant::Tag)| {
            view.first_seen(self.plant(), *index).is_none() && view.value(self.plant(), *index).is_none()
        };
        let fits = |(_, tag): &(model::TagIndex, &model::plant::Tag)| {
            is_measured(tag) && enterprise.is_none_or(|enterprise| tag.id.enterprise.as_str() == enterprise)
        };
        let all: Vec<_> = self.tags().filter(fits).collect();
        let count = all.iter().filter(|one| unseen(one)).count();
        let found: Vec<_> = all.into_iter().filter(|one| !never_seen || unseen(one)).collect();
        let point = |(index, tag): &(model::TagIndex, &model::plant::Tag)| {
            let value = view.value(self.plant(), *index);
            let alarms = tag.conditions.iter().map(|rule| model::AlarmId { tag: tag.id.clone(), condition: rule.condition });
            let proven = view.proven(alarms);
            PointJson {
                tag: tag.id.to_string(),
                name: tag.name.to_string(),
                life: match &tag.commissioning {
                    _ if !tag.in_service => "out-of-service",
                    Some(life) if life.until <= now => "commissioning-overdue",
                    Some(_) => "commissioning",
                    None => "in-service",
                },
                first_seen: view.first_seen(self.plant(), *index).map(Timestamp::as_millis),
                value: value.and_then(|value| value.value),
                source_time: value.map(|value| value.source_time.as_millis()),
                unit: tag.unit.clone(),
                range: tag.range,
                limits: tag
                    .conditions
                    .iter()
                    .zip(proven)
                    .map(|(rule, at)| ProvenJson {
                        condition: rule.condition.name(),
                        condition_zh: rule.condition.name_zh(),
                        at: at.map(Timestamp::as_millis),
                    })
                    .collect(),
            }
        };
        PointsJson {
            now: self.app.now(),
            total: found.len(),
            never_seen: count,
            points: found.iter().skip(offset).take(limit).map(point).collect(),
        }
    }

    /// Windows in force that cover a tag whole, by their kinds' names, and 待调试.
    pub fn tag_marks(&self, windows: &[std::sync::Arc<Window>], tag: &model::plant::Tag) -> Vec<&'static str> {
        let covers = |window: &Window| match &window.scope {
            Scope::Alarms { .. } => false,
            Scope::Tags { tags } => tags.contains(&tag.id),
            Scope::Area { enterprise, equipment } => {
                tag.id.enterprise == *enterprise && self.plant().equipment_of(tag).is_some_and(|one| one.id == *equipment)
            }
            Scope::Gateway { enterprise, gateway } => {
                let through = self.plant().gateway_of(tag);
                tag.id.enterprise == *enterprise && through.is_some_and(|one| one.id == *gateway)
            }
        };
        let mut marks: Vec<_> =
            windows.iter().filter(|window| window.in_force() && covers(window)).map(|window| window.kind.name()).collect();
        marks.sort_unstable();
        marks.dedup();
        if let Some(life) = &tag.commissioning {
            let over = life.until <= (self.app.settings.clock)();
            marks.push(if over { "commissioning-overdue" } else { "commissioning" });
        }
        marks
    }
}

/// The acts on a window that this actor may try; the engine has the last word.
fn acts(window: &Window, actor: &Actor) -> Vec<&'static str> {
    let mut acts = Vec::new();
    let above = window.needs.and_then(lowest_tier).unwrap_or(0);
    if !window.in_force() && window.owner != actor.person && actor.tier.0 >= above {
        acts.push(ActKind::ConfirmWindow { window: window.id.clone() }.name());
    }
    acts.push(match window.kind {
        WindowKind::Shelved => "unshelve",
        WindowKind::OutOfService => "back-in-service",
        WindowKind::UnderTest => "end-test",
    });
    acts
}

const fn lowest_tier(needs: Confirmation) -> Option<u8> {
    match needs {
        Confirmation::TierAbove { tier } => Some(tier.0),
        Confirmation::SecondPerson => None,
    }
}
