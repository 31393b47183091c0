//! Who answers for what: the jurisdiction tree, people, rosters, and whether everybody who must be told can be told.

use crate::fault::{Sink, text};
use crate::org::{RawBody, RawJurisdiction, RawPerson, RawShift, RawStaff};
use crate::server::Server;
use crate::setpoints::check_name;
use crate::source::{At, Place, Source};
use crate::suggest;
use crate::values::{DAY_MINUTES, KINDS, show_minute_of_week};
use model::plant::{Body, ChannelKind, Person, Policies, Shift, TellRule};
use model::{BodyId, ChannelId, Level, PersonId, SYSTEM_ENTERPRISE, Tier};
use std::collections::{BTreeMap, BTreeSet};

const WEEK_MINUTES: usize = 7 * DAY_MINUTES as usize;
/// Tiers that a county can need; more is a slip.
const TIERS_MAX: usize = 8;

/// The tree and the people, each sorted by id, and where each was written.
#[derive(Default)]
pub(crate) struct Bodies<'a> {
    pub(crate) bodies: Vec<Body>,
    pub(crate) people: Vec<Person>,
    pub(crate) places: BTreeMap<String, Place<'a>>,
    person_places: BTreeMap<String, Place<'a>>,
    /// Bodies whose roster could not be read in full: nothing is concluded from what is missing.
    rosters_unread: BTreeSet<String>,
}

/// Resolves a tier by its name in the file.
pub(crate) fn tier_of(raw: &RawJurisdiction<'_>, written: &At<'_, String>, sink: &mut Sink) -> Option<Tier> {
    let at = raw.tiers.iter().position(|tier| tier.id.value == written.value);
    if at.is_none() {
        let fault = text(format!("没有层级 `{}`", written.value), format!("there is no tier `{}`", written.value));
        let known = raw.tiers.iter().map(|tier| tier.id.value.as_str());
        sink.push(written.place.error("unknown-tier", fault).suggest_some(suggest::meant(&written.value, known)));
    }
    at.map(|at| Tier(at as u8))
}

/// Builds the tree. Faults are pushed; what is wrong is left out.
pub(crate) fn build<'a>(
    raw: &RawJurisdiction<'a>,
    staff: Vec<RawStaff<'a>>,
    top: &'a Source,
    channels: &BTreeSet<String>,
    sink: &mut Sink,
) -> Bodies<'a> {
    let mut built = Bodies::default();
    if raw.tiers.len() < 2 || raw.tiers.len() > TIERS_MAX {
        let place = raw.tiers.first().map_or(top.top(), |tier| tier.id.place);
        sink.push(place.error("tiers", text(format!("层级要有 2 到 {TIERS_MAX} 个"), format!("there are 2 to {TIERS_MAX} tiers"))));
    }
    for body in &raw.bodies {
        add_body(&mut built, raw, body, sink);
    }
    check_tree(&built, raw, top, sink);
    let keepers = staff.iter().find(|staff| staff.body.value == SYSTEM_ENTERPRISE).map(|staff| staff.body.place);
    add_system(&mut built);
    add_people(&mut built, staff, channels, sink);
    built.people.sort_by(|a, b| a.id.cmp(&b.id));
    built.people.dedup_by(|a, b| a.id == b.id);
    check_duty(&mut built, raw, sink);
    check_system(&mut built, keepers, sink);
    built.bodies.sort_by(|a, b| a.id.cmp(&b.id));
    built
}

fn add_body<'a>(built: &mut Bodies<'a>, raw: &RawJurisdiction<'a>, body: &RawBody<'a>, sink: &mut Sink) {
    let twice = built.places.contains_key(&body.id.value);
    built.places.entry(body.id.value.clone()).or_insert(body.id.place);
    if !check_name(&body.id, sink) {
        return;
    }
    if body.id.value.contains('/') {
        sink.push(body.id.place.error("slash", text("机构 id 里不能有 /", "a body's id holds no /")));
        return;
    }
    if twice {
        let fault = text(format!("机构 `{}` 写了两次", body.id.value), format!("body `{}` stands twice", body.id.value));
        sink.push(body.id.place.error("duplicate-body", fault));
        return;
    }
    let tier = match &body.tier {
        None => Some(Tier::ENTERPRISE),
        Some(written) => tier_of(raw, written, sink),
    };
    let Some(tier) = tier else { return };
    if body.tier.is_some() && tier == Tier::ENTERPRISE {
        let fault =
            body.id.place.error("enterprise-as-body", text("企业写在 [[enterprise]] 里", "an enterprise is written as [[enterprise]]"));
        sink.push(fault);
        return;
    }
    built.bodies.push(Body {
        id: BodyId::new(&body.id.value),
        name: body.name.clone(),
        short_name: body.short_name.clone(),
        tier,
        parent: body.parent.as_ref().map(|parent| BodyId::new(&parent.value)),
        duty_phone: PersonId::new(body.duty_phone.as_ref().map_or("", |phone| &phone.value)),
        roster: Vec::new(),
        responsible: body.responsible.iter().map(|person| PersonId::new(&person.value)).collect(),
    });
}

/// Every parent exists and is exactly one tier up, which also rules out loops; one top; no tier without a body.
fn check_tree(built: &Bodies<'_>, raw: &RawJurisdiction<'_>, top: &Source, sink: &mut Sink) {
    let tiers: BTreeMap<&str, Tier> = built.bodies.iter().map(|body| (body.id.as_str(), body.tier)).collect();
    let highest = Tier(raw.tiers.len().saturating_sub(1) as u8);
    let parents: BTreeMap<&str, &str> =
        raw.bodies.iter().filter_map(|body| Some((body.id.value.as_str(), body.parent.as_ref()?.value.as_str()))).collect();
    for body in &raw.bodies {
        let Some(tier) = tiers.get(body.id.value.as_str()) else { continue };
        let Some(parent) = &body.parent else {
            // An enterprise without it was told that the key is missing.
            if *tier != highest && body.tier.is_some() {
                let fault = text("上级机构没有写", "its parent is missing");
                sink.push(body.id.place.error("no-parent", fault).suggest("写 parent = \"…\"", "write parent = \"…\""));
            }
            continue;
        };
        let above = Tier(tier.0 + 1);
        match tiers.get(parent.value.as_str()) {
            // Written, but with a fault of its own.
            None if built.places.contains_key(&parent.value) => {}
            None => {
                let fault = text(format!("没有机构 `{}`", parent.value), format!("there is no body `{}`", parent.value));
                let known = tiers.iter().filter(|(_, tier)| **tier == above).map(|(id, _)| *id);
                sink.push(parent.place.error("unknown-body", fault).suggest_some(suggest::meant(&parent.value, known)));
            }
            Some(_) if is_loop(&parents, &body.id.value) => {
                let fault = text("上级关系成了一个圈", "the parents form a loop");
                sink.push(parent.place.error("loop", fault));
            }
            Some(have) if *have != above => {
                let name = |tier: Tier| raw.tiers.get(tier.at()).map_or("", |tier| tier.id.value.as_str());
                let fault = text(
                    format!("`{}` 属于 {} 层级,上级应是 {} 层级", parent.value, name(*have), name(above)),
                    format!("`{}` is of tier {}; the parent must be of tier {}", parent.value, name(*have), name(above)),
                );
                sink.push(parent.place.error("parent-tier", fault));
            }
            Some(_) => {}
        }
    }
    if built.bodies.len() < raw.bodies.len() {
        return;
    }
    for (at, tier) in raw.tiers.iter().enumerate() {
        if !built.bodies.iter().any(|body| body.tier.at() == at) {
            let fault = text(format!("层级 `{}` 里没有任何机构", tier.id.value), format!("tier `{}` has no body", tier.id.value));
            sink.push(tier.id.place.error("empty-tier", fault));
        }
    }
    let mut tops = raw.bodies.iter().filter(|body| tiers.get(body.id.value.as_str()) == Some(&highest));
    tops.next();
    for second in tops {
        let fault = text("最高层级只能有一个机构", "the top tier has one body only");
        sink.push(second.id.place.error("two-tops", fault));
    }
    if raw.bodies.is_empty() {
        sink.push(top.top().error("no-bodies", text("没有写任何机构", "no bodies at all")));
    }
}

fn is_loop(parents: &BTreeMap<&str, &str>, from: &str) -> bool {
    let mut at = from;
    for _ in 0..=parents.len() {
        match parents.get(at) {
            None => return false,
            Some(next) if *next == from => return true,
            Some(next) => at = next,
        }
    }
    false
}

fn add_people<'a>(built: &mut Bodies<'a>, staff: Vec<RawStaff<'a>>, channels: &BTreeSet<String>, sink: &mut Sink) {
    // People first: a roster may name anybody of the county.
    let mut rosters = Vec::new();
    for staff in staff {
        let known = staff.body.value == SYSTEM_ENTERPRISE || built.places.contains_key(&staff.body.value);
        if !known {
            let fault = text(format!("没有机构 `{}`", staff.body.value), format!("there is no body `{}`", staff.body.value));
            let known = built.places.keys().map(String::as_str).chain([SYSTEM_ENTERPRISE]);
            let near = suggest::did_you_mean(&staff.body.value, known);
            sink.push(staff.body.place.error("unknown-body", fault).suggest_some(near));
        }
        let body = BodyId::new(&staff.body.value);
        for person in staff.people {
            add_person(built, &body, person, channels, sink);
        }
        if staff.faulty {
            built.rosters_unread.insert(staff.body.value.clone());
        }
        rosters.push((body, staff.roster));
    }
    for (body, raw) in rosters {
        let mut roster: Vec<Shift> = Vec::new();
        for RawShift { people, shift } in raw {
            let known: Vec<_> = people.iter().filter(|person| known_person(built, person, sink)).collect();
            if known.len() < people.len() {
                built.rosters_unread.insert(body.to_string());
            }
            let people = known.into_iter().map(|person| PersonId::new(&person.value)).collect();
            roster.push(Shift { people, ..shift });
        }
        if let Some(body) = built.bodies.iter_mut().find(|known| known.id == body) {
            body.roster = roster;
        }
    }
}

fn known_person(built: &Bodies<'_>, person: &At<'_, String>, sink: &mut Sink) -> bool {
    let known = built.person_places.contains_key(&person.value);
    if !known {
        let fault = text(format!("people.toml 里没有 `{}`", person.value), format!("people.toml has no `{}`", person.value));
        let near = suggest::did_you_mean(&person.value, built.person_places.keys().map(String::as_str));
        sink.push(person.place.error("unknown-person", fault).suggest_some(near));
    }
    known
}

fn add_person<'a>(built: &mut Bodies<'a>, body: &BodyId, raw: RawPerson<'a>, channels: &BTreeSet<String>, sink: &mut Sink) {
    if !check_name(&raw.id, sink) {
        return;
    }
    if built.person_places.insert(raw.id.value.clone(), raw.id.place).is_some() {
        let fault = text(format!("`{}` 写了两次", raw.id.value), format!("`{}` stands twice", raw.id.value));
        sink.push(raw.id.place.error("duplicate-person", fault));
        return;
    }
    let known = channels;
    let mut channels = Vec::new();
    for channel in &raw.channels {
        if known.contains(&channel.value) {
            channels.push(ChannelId::new(&channel.value));
        } else {
            let fault =
                text(format!("server.toml 里没有渠道 `{}`", channel.value), format!("server.toml has no channel `{}`", channel.value));
            let known = known.iter().map(String::as_str);
            sink.push(channel.place.error("unknown-channel", fault).suggest_some(suggest::meant(&channel.value, known)));
        }
    }
    if raw.channels.is_empty() {
        let fault =
            text(format!("`{}` 没有任何渠道,通知不到", raw.id.value), format!("`{}` has no channel and cannot be reached", raw.id.value));
        sink.push(raw.place.error("unreachable", fault));
    }
    built.people.push(Person { id: PersonId::new(&raw.id.value), name: raw.name, body: body.clone(), channels, is_duty_phone: false });
}

/// Duty phones exist, are phones, and every body has people on its roster; gaps in it are warned of.
fn check_duty(built: &mut Bodies<'_>, raw: &RawJurisdiction<'_>, sink: &mut Sink) {
    let checked: BTreeSet<&str> = built.bodies.iter().map(|body| body.id.as_str()).collect();
    let first = |body: &&RawBody<'_>| {
        let id = body.id.value.as_str();
        checked.contains(id) && built.places.get(id).is_some_and(|place| place.line() == body.id.place.line())
    };
    let sound: Vec<&RawBody<'_>> = raw.bodies.iter().filter(first).collect();
    for body in sound {
        if let Some(phone) = &body.duty_phone
            && known_person(built, phone, sink)
            && let Ok(at) = built.people.binary_search_by(|person| person.id.as_str().cmp(&phone.value))
        {
            let person = &mut built.people[at];
            person.is_duty_phone = true;
            if person.body.as_str() != body.id.value {
                let fault = text(
                    format!("值班电话 `{}` 属于 `{}`,不是本机构", phone.value, person.body),
                    format!("duty phone `{}` belongs to `{}`, not to this body", phone.value, person.body),
                );
                sink.push(phone.place.error("duty-phone", fault));
            }
        }
        for person in &body.responsible {
            known_person(built, person, sink);
        }
    }
    for body in built.bodies.iter().filter(|body| !built.rosters_unread.contains(body.id.as_str())) {
        if let Some(place) = built.places.get(body.id.as_str()) {
            check_roster(body, *place, sink);
        }
    }
}

fn check_roster(body: &Body, place: Place<'_>, sink: &mut Sink) {
    let mut covered = vec![false; WEEK_MINUTES];
    for shift in body.roster.iter().filter(|shift| !shift.people.is_empty()) {
        for day in (0..7).filter(|day| shift.days[*day]) {
            let from = day * usize::from(DAY_MINUTES) + usize::from(shift.from);
            let overnight = if shift.from < shift.to { 0 } else { usize::from(DAY_MINUTES) };
            let to = day * usize::from(DAY_MINUTES) + usize::from(shift.to) + overnight;
            (from..to).for_each(|minute| covered[minute % WEEK_MINUTES] = true);
        }
    }
    if !covered.contains(&true) {
        let fault = text(format!("`{}` 的值班表里没有人", body.id), format!("nobody is on the roster of `{}`", body.id));
        sink.push(place.error("nobody-on-duty", fault).suggest(
            format!("在 people.toml 的 [bodies.{}] 写 roster", body.id),
            format!("write a roster under [bodies.{}] of people.toml", body.id),
        ));
        return;
    }
    let Some(from) = (0..WEEK_MINUTES).find(|minute| !covered[*minute]) else { return };
    let to = (from..WEEK_MINUTES).find(|minute| covered[*minute]).unwrap_or(WEEK_MINUTES);
    let open = covered.iter().filter(|covered| !**covered).count();
    let (first, last) = (show_minute_of_week(from), show_minute_of_week(to));
    let fault = text(
        format!("`{}` 每周有 {open} 分钟没人值班,最早是 {} 到 {};这时只打值班电话", body.id, first.zh, last.zh),
        format!(
            "`{}` has nobody on duty for {open} minutes a week, first from {} to {}; the duty phone is used then",
            body.id, first.en, last.en
        ),
    );
    sink.push(place.warning("roster-gap", fault));
}

/// The engine's own alarms belong to an enterprise of their own right under the top body, whose duty phone is their last resort.
fn add_system(built: &mut Bodies<'_>) {
    let Some(top) = built.bodies.iter().filter(|body| body.parent.is_none()).max_by_key(|body| body.tier) else { return };
    let system = Body {
        id: BodyId::new(SYSTEM_ENTERPRISE),
        name: "烽燧系统".to_owned(),
        short_name: "烽燧系统".to_owned(),
        tier: Tier::ENTERPRISE,
        parent: Some(top.id.clone()),
        duty_phone: top.duty_phone.clone(),
        roster: Vec::new(),
        responsible: Vec::new(),
    };
    built.bodies.push(system);
}

/// Whoever keeps the engine running signs and handles its alarms as an enterprise's people do theirs, and the top body closes.
/// Where nobody is written the top body's people hear of them at once instead, but nobody can sign.
fn check_system<'a>(built: &mut Bodies<'a>, keepers: Option<Place<'a>>, sink: &mut Sink) {
    let Some(at) = built.bodies.iter().position(|body| body.id.as_str() == SYSTEM_ENTERPRISE) else { return };
    if let Some(place) = keepers {
        if !built.rosters_unread.contains(SYSTEM_ENTERPRISE) {
            check_roster(&built.bodies[at], place, sink);
        }
        return;
    }
    let Some(top) = built.bodies[at].parent.as_ref().and_then(|top| built.bodies.iter().find(|body| body.id == *top)) else { return };
    if let Some(place) = built.places.get(top.id.as_str()) {
        let fault = text(
            "没有人能签收和处置系统自身的报警(消息服务器、存储、时钟)",
            "nobody can sign and handle the engine's own alarms (broker, storage, clock)",
        );
        sink.push(place.warning("no-keepers", fault).suggest(
            format!("在 people.toml 写 [bodies.{SYSTEM_ENTERPRISE}]:运维人员和值班表"),
            format!("write [bodies.{SYSTEM_ENTERPRISE}] in people.toml: who keeps the system running, and their roster"),
        ));
    }
    built.bodies[at].roster = top.roster.clone();
}

/// Everybody who may have to be told: on a roster, responsible, or a duty phone.
pub fn to_be_told<'a>(bodies: &'a [Body], people: &'a [Person]) -> impl Iterator<Item = &'a Person> {
    let on_duty = bodies.iter().flat_map(|body| body.roster.iter().flat_map(|shift| &shift.people).chain(&body.responsible));
    let told: BTreeSet<&PersonId> = on_duty.collect();
    people.iter().filter(move |person| person.is_duty_phone || told.contains(&person.id))
}

/// Whether one of these is the last resort that a duty phone is: it rings or at least buzzes, and is no page that somebody may be
/// looking at.
pub fn rings(kinds: &[ChannelKind]) -> bool {
    kinds.iter().any(|kind| matches!(kind, ChannelKind::Voice | ChannelKind::Sms))
}

/// The highest level of which a person of this tier with these channels would not hear, as the policies use them.
pub fn missed(policies: &Policies, tier: Tier, kinds: &[ChannelKind], by: fn(&TellRule) -> &[ChannelKind]) -> Option<Level> {
    let hears = |level: Level| tell_rule(policies, level, tier).is_none_or(|rule| by(rule).iter().any(|kind| kinds.contains(kind)));
    Level::ALL.into_iter().rev().find(|level| !hears(*level))
}

fn tell_rule(policies: &Policies, level: Level, tier: Tier) -> Option<&TellRule> {
    policies.level(level).tell.iter().find(|rule| rule.tier == tier)
}

/// Everybody who may have to be told can be told by a means that the policy of their tier uses.
pub(crate) fn check_reach(built: &Bodies<'_>, policies: &Policies, server: &Server, sink: &mut Sink) {
    let kind_of = |id: &ChannelId| server.channels.iter().find(|channel| channel.id == *id).map(|channel| channel.kind);
    let tiers: BTreeMap<&BodyId, Tier> = built.bodies.iter().map(|body| (&body.id, body.tier)).collect();
    for person in to_be_told(&built.bodies, &built.people) {
        let (Some(place), Some(tier)) = (built.person_places.get(person.id.as_str()), tiers.get(&person.body)) else { continue };
        let kinds: Vec<ChannelKind> = person.channels.iter().filter_map(kind_of).collect();
        if kinds.is_empty() {
            continue;
        }
        if person.is_duty_phone {
            if !rings(&kinds) {
                let fault = text(
                    format!("值班电话 `{}` 没有电话语音或短信渠道", person.id),
                    format!("duty phone `{}` has neither voice nor sms", person.id),
                );
                sink.push(place.error("unreachable", fault));
            }
            continue;
        }
        let names = |level: Level| {
            let by = tell_rule(policies, level, *tier).map(|rule| rule.by.clone()).unwrap_or_default();
            by.iter()
                .filter_map(|kind| KINDS.iter().find(|(known, _)| known == kind))
                .map(|(_, name)| *name)
                .collect::<Vec<_>>()
                .join(" / ")
        };
        if let Some(level) = missed(policies, *tier, &kinds, |rule| &rule.by) {
            let fault = text(
                format!("{}报警时通知不到 `{}`:策略用 {},此人没有", level.name_zh(), person.id, names(level)),
                format!(
                    "`{}` cannot be told of a {} alarm: the policy uses {}, which this person does not have",
                    person.id,
                    level.name(),
                    names(level)
                ),
            );
            sink.push(place.error("unreachable", fault));
        } else if let Some(level) = missed(policies, *tier, &kinds, |rule| &rule.by_quiet) {
            let fault = text(
                format!("夜间{}报警时通知不到 `{}`", level.name_zh(), person.id),
                format!("`{}` cannot be told of a {} alarm at night", person.id, level.name()),
            );
            sink.push(place.warning("unreachable-at-night", fault));
        }
    }
}
