//! 搁置, 停用 and 检维修/标定: filed by a person for a stated time, confirmed by a second one where it matters, and ended by
//! themselves.
//!
//! A window narrows who is told of what is announced while it is in force. It never touches an alarm's state and never ends
//! an obligation that runs already: who was told before it goes on being reminded. What still stands when it ends is
//! announced as new (see `held`).
//!
//! What a window needs and how long it may be follows from the alarms it covers. Where the configuration changes while it is in force,
//! it is held against that anew: a shelf of an alarm that is red now ends, and whoever wants it files it again.

use crate::Escalation;
use crate::acts::{require_comment, require_named};
use crate::beside::{Wake, noted};
use crate::tell::Moment;
use model::plant::{ConditionRule, Tag};
use model::{
    Act, ActId, ActKind, Actor, AlarmId, BesideEvent, BesideEventKind, BodyId, Condition, Confirmation, EscalationEffect, Hazard, Level,
    Refusal, Scope, TagIndex, Tier, Timestamp, Window, WindowKind, bounds,
};

/// What an act that files a window asks for.
struct Request<'a> {
    kind: WindowKind,
    scope: &'a Scope,
    reason: &'a str,
    reference: &'a str,
    until: Timestamp,
}

impl<'a> Request<'a> {
    fn of(what: &'a ActKind) -> Option<Self> {
        Some(match what {
            ActKind::Shelve { scope, reason, until } => Self { kind: WindowKind::Shelved, scope, reason, reference: "", until: *until },
            ActKind::OutOfService { scope, reason, permit, until } => {
                Self { kind: WindowKind::OutOfService, scope, reason, reference: permit, until: *until }
            }
            ActKind::BeginTest { scope, reason, ticket, until } => {
                Self { kind: WindowKind::UnderTest, scope, reason, reference: ticket, until: *until }
            }
            _ => return None,
        })
    }
    /// What was asked for when a window was filed.
    fn again(window: &'a Window) -> Self {
        let Window { kind, scope, reason, reference, until, .. } = window;
        Self { kind: *kind, scope, reason, reference, until: *until }
    }
}

impl Escalation {
    /// Everything that speaks against filing, confirming or ending a window.
    pub(crate) fn judge_window(&self, by: &Actor, what: &ActKind, now: Timestamp) -> Vec<Refusal> {
        if let Some(request) = Request::of(what) {
            return self.judge_filing(by, &request, now);
        }
        let Some((id, kind)) = what.window() else { return vec![Refusal::NoSuchWindow] };
        let Some(window) = self.windows.get(id).filter(|window| kind.is_none_or(|kind| window.kind == kind)) else {
            return vec![Refusal::NoSuchWindow];
        };
        if !self.has_say(by, &window.enterprise) {
            return vec![Refusal::OutsideJurisdiction];
        }
        let mut reasons = Vec::new();
        require_named(&self.plant, by, &mut reasons);
        if matches!(what, ActKind::ConfirmWindow { .. }) {
            if window.in_force() {
                reasons.push(Refusal::AlreadyConfirmed);
            }
            if window.owner == by.person {
                reasons.push(Refusal::SamePerson);
            }
            if let Some(Confirmation::TierAbove { tier }) = window.needs
                && by.tier < tier
            {
                reasons.push(Refusal::WrongTier { needed: tier });
            }
        }
        reasons
    }

    fn judge_filing(&self, by: &Actor, request: &Request<'_>, now: Timestamp) -> Vec<Refusal> {
        let Some(enterprise) = request.scope.enterprise() else { return vec![Refusal::NoSuchScope { name: String::new() }] };
        if !self.has_say(by, enterprise) {
            return vec![Refusal::OutsideJurisdiction];
        }
        let mut reasons = self.unknown(request.scope, enterprise);
        if !fits(request.kind, request.scope) || request.scope.len() > bounds::SCOPE_MAX {
            reasons.push(Refusal::WrongScope);
        }
        require_named(&self.plant, by, &mut reasons);
        require_comment(request.reason, &mut reasons);
        if request.kind != WindowKind::Shelved && request.reference.trim().is_empty() {
            reasons.push(Refusal::ReferenceNeeded);
        }
        let latest = now + self.longest(request);
        if request.until <= now {
            reasons.push(Refusal::EndPassed);
        } else if request.until > latest {
            reasons.push(Refusal::EndTooLate { latest });
        }
        if self.windows.values().filter(|window| window.enterprise == *enterprise).count() >= bounds::WINDOWS_MAX {
            reasons.push(Refusal::TooManyWindows);
        }
        reasons
    }

    /// What the scope names and nobody knows, or what is not of its enterprise.
    fn unknown(&self, scope: &Scope, enterprise: &BodyId) -> Vec<Refusal> {
        let unknown = |name: String| Refusal::NoSuchScope { name };
        match scope {
            Scope::Alarms { alarms } => {
                let strange = |alarm: &&AlarmId| {
                    let rule = self.plant.tag_index(&alarm.tag).and_then(|tag| self.plant.tag(tag).rule(alarm.condition));
                    alarm.tag.enterprise != *enterprise || rule.is_none()
                };
                alarms.iter().filter(strange).map(|alarm| unknown(alarm.to_string())).collect()
            }
            Scope::Tags { tags } => {
                let strange = |tag: &&model::TagId| tag.enterprise != *enterprise || self.plant.tag_index(tag).is_none();
                tags.iter().filter(strange).map(|tag| unknown(tag.to_string())).collect()
            }
            Scope::Area { equipment, .. } => {
                let known = self.plant.equipment.iter().any(|one| one.enterprise == *enterprise && one.id == *equipment);
                if known { Vec::new() } else { vec![unknown(equipment.to_string())] }
            }
            Scope::Gateway { gateway, .. } => {
                let known = self.plant.gateways.iter().any(|one| one.enterprise == *enterprise && one.id == *gateway);
                if known { Vec::new() } else { vec![unknown(gateway.to_string())] }
            }
        }
    }

    /// How long such a window may be at most.
    fn longest(&self, request: &Request<'_>) -> model::Duration {
        let policy = &self.plant.policies.beside;
        match request.kind {
            WindowKind::Shelved => {
                let level = self.covered(request.scope).map(|(_, rule)| highest(rule)).max().unwrap_or(Level::Blue);
                policy.shelved_max[level.at()]
            }
            WindowKind::OutOfService => policy.out_of_service_max,
            WindowKind::UnderTest => policy.test_max.min(bounds::TEST_MAX),
        }
    }

    /// Who has to confirm such a window. Red and gas 高高报 are never silenced by the enterprise alone; a test of gas
    /// detectors or at a major hazard 一/二级 takes two people.
    fn needs(&self, by: Tier, request: &Request<'_>) -> Option<Confirmation> {
        if request.kind == WindowKind::UnderTest {
            let weighty = |(tag, _): (&Tag, &ConditionRule)| tag.signal.is_gas() || self.hazard(tag) >= Hazard::Second;
            return self.covered(request.scope).any(weighty).then_some(Confirmation::SecondPerson);
        }
        let grave = |(tag, rule): (&Tag, &ConditionRule)| {
            let gas_limit = tag.signal.is_gas() && matches!(rule.condition, Condition::HighHigh | Condition::LowLow);
            gas_limit || highest(rule) == Level::Red
        };
        if by > Tier::ENTERPRISE || !self.covered(request.scope).any(grave) {
            return None;
        }
        let above = request.scope.enterprise().and_then(|enterprise| self.plant.chain(enterprise).nth(1));
        Some(above.map_or(Confirmation::SecondPerson, |body| Confirmation::TierAbove { tier: body.tier }))
    }

    fn hazard(&self, tag: &Tag) -> Hazard {
        self.plant.equipment_of(tag).map_or(Hazard::None, |equipment| equipment.hazard)
    }

    /// The conditions a scope covers.
    fn covered<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = (&'a Tag, &'a ConditionRule)> {
        let whole = match scope {
            Scope::Alarms { .. } | Scope::Tags { .. } => &[][..],
            Scope::Area { .. } | Scope::Gateway { .. } => &self.plant.tags[..],
        };
        let named = match scope {
            Scope::Tags { tags } => &tags[..],
            _ => &[],
        };
        let alarms = match scope {
            Scope::Alarms { alarms } => &alarms[..],
            _ => &[],
        };
        let of_tags = named.iter().filter_map(|tag| self.plant.tag_index(tag)).map(|tag| self.plant.tag(tag));
        let of_place = whole.iter().filter(move |tag| self.reaches(scope, tag));
        let rules = of_tags.chain(of_place).flat_map(|tag| tag.conditions.iter().map(move |rule| (tag, rule)));
        rules.chain(alarms.iter().filter_map(|alarm| {
            let tag = self.plant.tag(self.plant.tag_index(&alarm.tag)?);
            Some((tag, tag.rule(alarm.condition)?))
        }))
    }

    /// Whether an area or a gateway has a tag.
    fn reaches(&self, scope: &Scope, tag: &Tag) -> bool {
        match scope {
            Scope::Area { enterprise, equipment } => {
                tag.id.enterprise == *enterprise && self.plant.equipment_of(tag).is_some_and(|one| one.id == *equipment)
            }
            Scope::Gateway { enterprise, gateway } => {
                let through = self.plant.gateway_of(tag).is_some_and(|one| one.id == *gateway);
                let own = || self.plant.gateways.iter().any(|one| one.id == *gateway && self.plant.tag(one.tag).id == tag.id);
                tag.id.enterprise == *enterprise && (through || own())
            }
            Scope::Alarms { .. } | Scope::Tags { .. } => false,
        }
    }

    /// Whether a scope covers an alarm.
    pub(crate) fn covers(&self, scope: &Scope, alarm: &AlarmId) -> bool {
        match scope {
            Scope::Alarms { alarms } => alarms.contains(alarm),
            Scope::Tags { tags } => tags.contains(&alarm.tag),
            Scope::Area { .. } | Scope::Gateway { .. } => {
                self.plant.tag_index(&alarm.tag).is_some_and(|tag| self.reaches(scope, self.plant.tag(tag)))
            }
        }
    }

    /// The tags that a test in force covers: their readings are marked so.
    pub fn tags_under_test(&self) -> Vec<TagIndex> {
        let tests = self.windows().filter(|window| window.in_force() && window.kind == WindowKind::UnderTest);
        tests.flat_map(|window| self.tags_of(&window.scope)).collect()
    }

    /// The tags that a scope reaches.
    pub fn tags_of(&self, scope: &Scope) -> Vec<TagIndex> {
        match scope {
            Scope::Alarms { alarms } => alarms.iter().filter_map(|alarm| self.plant.tag_index(&alarm.tag)).collect(),
            Scope::Tags { tags } => tags.iter().filter_map(|tag| self.plant.tag_index(tag)).collect(),
            Scope::Area { .. } | Scope::Gateway { .. } => {
                let tags = (0..).map(TagIndex).zip(&self.plant.tags);
                tags.filter(|(_, tag)| self.reaches(scope, tag)).map(|(index, _)| index).collect()
            }
        }
    }

    /// Files, confirms or ends a window.
    pub(crate) fn apply_window(&mut self, act: &Act, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let moment = Moment { at: now, delayed: false };
        if let Some(request) = Request::of(&act.what) {
            self.file(act, &request, now, out);
        } else if let Some((id, _)) = act.what.window() {
            if matches!(act.what, ActKind::ConfirmWindow { .. }) {
                self.confirm(act, id, now, out);
            } else {
                self.end_window(id, Some(act), "", moment, out);
            }
        }
    }

    fn file(&mut self, act: &Act, request: &Request<'_>, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(enterprise) = request.scope.enterprise().cloned() else { return };
        let cut = |text: &str, most: usize| text.trim().chars().take(most).collect();
        let window = Window {
            id: act.id.clone(),
            kind: request.kind,
            enterprise,
            scope: request.scope.clone(),
            reason: cut(request.reason, bounds::COMMENT_CHARS_MAX),
            reference: cut(request.reference, bounds::REFERENCE_CHARS_MAX),
            owner: act.by.person.clone(),
            tier: act.by.tier,
            filed: now,
            until: request.until,
            needs: self.needs(act.by.tier, request),
            confirmed: None,
            held: 0,
        };
        out.push(done(act, now, BesideEventKind::WindowFiled { window: window.clone() }));
        self.wakes.set(Wake::Window(window.id.clone()), Some(window.until));
        self.changed.insert(format!("window/{}", window.id));
        self.windows.insert(window.id.clone(), window);
        self.begun(&act.id, now, out);
    }

    fn confirm(&mut self, act: &Act, id: &ActId, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(window) = self.windows.get_mut(id) else { return };
        window.confirmed = Some((act.by.person.clone(), now));
        out.push(done(act, now, BesideEventKind::WindowConfirmed { window: window.clone() }));
        self.changed.insert(format!("window/{id}"));
        self.begun(id, now, out);
    }

    /// A window that is in force from now on: its alarms are shown marked, and what nobody has been told of yet waits for it.
    fn begun(&mut self, id: &ActId, now: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(window) = self.windows.get(id).filter(|window| window.in_force()).cloned() else { return };
        self.show_again(&window, out);
        self.withhold_waiting(&window, now, out);
    }

    /// Holds every window against the configuration in force. One that would need another confirmation than it was filed with ends; one
    /// that may not be as long any more ends sooner.
    pub(crate) fn review_windows(&mut self, moment: Moment, out: &mut Vec<EscalationEffect>) {
        for id in self.windows.keys().cloned().collect::<Vec<_>>() {
            let Some(window) = self.windows.get(&id) else { continue };
            let request = Request::again(window);
            let latest = window.filed + self.longest(&request);
            if self.needs(window.tier, &request) > window.needs {
                self.end_window(&id, None, "组态已改,需另行确认 · by the configuration now it needs another confirmation", moment, out);
            } else if latest <= moment.at && latest < window.until {
                self.end_window(&id, None, "组态已改,已超过最长时间 · longer than the configuration allows now", moment, out);
            } else if latest < window.until {
                self.shorten(&id, latest, moment.at, out);
            }
        }
    }

    fn shorten(&mut self, id: &ActId, until: Timestamp, at: Timestamp, out: &mut Vec<EscalationEffect>) {
        let Some(window) = self.windows.get_mut(id) else { return };
        window.until = until;
        out.push(noted(at, BesideEventKind::WindowShortened { window: window.clone() }));
        self.wakes.set(Wake::Window(id.clone()), Some(until));
        self.changed.insert(format!("window/{id}"));
    }

    /// Ends a window, by an act, by its own time, or because the configuration, for this `reason`, lets it stand no longer.
    pub(crate) fn end_window(&mut self, id: &ActId, act: Option<&Act>, reason: &str, moment: Moment, out: &mut Vec<EscalationEffect>) {
        let Some(window) = self.windows.remove(id) else { return };
        self.wakes.set(Wake::Window(id.clone()), None);
        self.changed.insert(format!("window/{id}"));
        let what = BesideEventKind::WindowEnded { window: window.clone(), reason: reason.to_owned() };
        out.push(act.map_or_else(|| noted(moment.at, what.clone()), |act| done(act, moment.at, what.clone())));
        if window.in_force() {
            self.show_again(&window, out);
            self.raise_anew(moment, out);
        }
    }

    fn show_again(&self, window: &Window, out: &mut Vec<EscalationEffect>) {
        let covered = self.alarms.keys().filter(|alarm| self.covers(&window.scope, alarm));
        out.extend(covered.map(|alarm| EscalationEffect::Marked(alarm.clone())));
    }
}

/// Whether a kind of window is meant for such a scope: a shelf is for single alarms and tags, a test for what is worked on.
const fn fits(kind: WindowKind, scope: &Scope) -> bool {
    match kind {
        WindowKind::Shelved => matches!(scope, Scope::Alarms { .. } | Scope::Tags { .. }),
        WindowKind::OutOfService => matches!(scope, Scope::Alarms { .. } | Scope::Tags { .. } | Scope::Area { .. }),
        WindowKind::UnderTest => matches!(scope, Scope::Tags { .. } | Scope::Area { .. } | Scope::Gateway { .. }),
    }
}

/// The highest level a condition can have.
fn highest(rule: &ConditionRule) -> Level {
    rule.level_when_two.map_or(rule.level, |two| two.max(rule.level))
}

fn done(act: &Act, at: Timestamp, what: BesideEventKind) -> EscalationEffect {
    EscalationEffect::Beside(BesideEvent { at, what, act: Some(act.id.clone()), by: Some(act.by.person.clone()) })
}
