//! `life.toml`: what is being commissioned 待调试 or out of service 停用, by enterprise, gateway or tag. The file may be missing:
//! everything is in service then, save what a list itself calls 停用.
//!
//! 停用 outweighs 待调试, and among several 待调试 the latest end holds. A tag that is 停用 in its list stays so.

use crate::cell;
use crate::fault::{Sink, Text, text};
use crate::source::{At, Place, Source};
use crate::suggest;
use crate::table::{Table, with_document};
use crate::values::choose;
use model::plant::{Commissioning, Tag};
use model::{Duration, PersonId, Plant, Shared, Timestamp};

/// One entry as written.
pub(crate) struct RawLife<'a> {
    enterprise: At<'a, String>,
    gateway: Option<At<'a, String>>,
    tags: Option<Vec<At<'a, String>>>,
    state: State<'a>,
    place: Place<'a>,
}

enum State<'a> {
    OutOfService,
    Commissioning { integrator: At<'a, String>, last_day: jiff::civil::Date, place: Place<'a> },
}

#[derive(Clone, Copy)]
enum Name {
    OutOfService,
    Commissioning,
}

pub(crate) fn read<'a>(source: &'a Source, sink: &mut Sink) -> Vec<RawLife<'a>> {
    with_document(source, sink, |file, sink| file.tables("life", sink, read_one).unwrap_or_default())
}

fn read_one<'a>(table: &mut Table<'_, 'a>, sink: &mut Sink) -> Option<RawLife<'a>> {
    let enterprise = table.required_string("enterprise", sink);
    let gateway = table.string("gateway", sink);
    let tags = table.strings("tags", sink);
    let written = table.required_string("state", sink);
    let integrator = table.string("integrator", sink);
    let until = table.string("until", sink);
    let place = table.place();
    let state = written.and_then(|written| choose(&written, state_of, ["待调试", "停用", "commissioning", "out-of-service"], sink))?;
    let state = match state {
        Name::OutOfService => State::OutOfService,
        Name::Commissioning => {
            let (integrator, until) = (table.required("integrator", integrator, sink), table.required("until", until, sink));
            let until = until?;
            let Some(last_day) = cell::date(&until.value) else {
                let fault =
                    until.place.error("date", text(format!("不是日期 `{}`", until.value), format!("not a date: `{}`", until.value)));
                sink.push(fault.suggest("例如 \"2027-03-31\",当日 24:00 结束", "such as \"2027-03-31\"; it ends when that day does"));
                return None;
            };
            State::Commissioning { integrator: integrator?, last_day, place: until.place }
        }
    };
    Some(RawLife { enterprise: enterprise?, gateway, tags, state, place })
}

fn state_of(written: &str) -> Option<Name> {
    match written {
        "待调试" | "commissioning" => Some(Name::Commissioning),
        "停用" | "out-of-service" => Some(Name::OutOfService),
        _ => None,
    }
}

/// Gives every tag its life.
pub(crate) fn apply(plant: &mut Plant, lives: &[RawLife<'_>], today: Option<jiff::civil::Date>, sink: &mut Sink) {
    for life in lives {
        let Some(covered) = covered(plant, life, sink) else { continue };
        let commissioning = match &life.state {
            State::OutOfService => None,
            State::Commissioning { integrator, last_day, place } => {
                if !knows(plant, integrator, sink) {
                    continue;
                }
                if today.is_some_and(|today| today > *last_day) {
                    let fault =
                        text("待调试的截止日期已过,这些位号按投用通知", "the end of commissioning has passed: these tags page as ever");
                    sink.push(
                        place
                            .warning("commissioning-passed", fault)
                            .suggest("改为投用,或延长日期", "put them in service, or move the date"),
                    );
                }
                let until = end_of(*last_day, plant.utc_offset);
                Some(Commissioning { integrator: PersonId::new(&integrator.value), until })
            }
        };
        for at in covered {
            settle(&mut plant.tags[at], commissioning.as_ref());
        }
    }
}

fn settle(tag: &mut Tag, commissioning: Option<&Commissioning>) {
    match commissioning {
        None => {
            tag.in_service = false;
            tag.commissioning = None;
            tag.conditions = Shared::default();
        }
        Some(new) if tag.in_service => {
            if tag.commissioning.as_ref().is_none_or(|old| old.until < new.until) {
                tag.commissioning = Some(new.clone());
            }
        }
        Some(_) => {}
    }
}

/// The tags an entry is about, by place in the plant; none where it names something unknown.
fn covered(plant: &Plant, life: &RawLife<'_>, sink: &mut Sink) -> Option<Vec<usize>> {
    let enterprise = life.enterprise.value.as_str();
    let known = plant.bodies.iter().any(|body| body.tier == model::Tier::ENTERPRISE && body.id.as_str() == enterprise);
    if !known || enterprise == model::SYSTEM_ENTERPRISE {
        let names = plant.bodies.iter().filter(|body| body.tier == model::Tier::ENTERPRISE).map(|body| body.id.as_str());
        let fault = life.enterprise.place.error("unknown-enterprise", unknown("企业", "enterprise", enterprise));
        sink.push(fault.suggest_some(suggest::meant(enterprise, names)));
        return None;
    }
    let own = |tag: &Tag| tag.id.enterprise.as_str() == enterprise;
    if life.gateway.is_some() && life.tags.is_some() {
        sink.push(life.place.error("gateway-and-tags", text("网关和位号只写一样", "write the gateway or the tags, not both")));
        return None;
    }
    if let Some(gateway) = &life.gateway {
        let mine = || plant.gateways.iter().filter(|one| one.enterprise.as_str() == enterprise);
        let Some(found) = mine().find(|one| one.id.as_str() == gateway.value) else {
            let fault = gateway.place.error("unknown-gateway", unknown("网关", "gateway", &gateway.value));
            sink.push(fault.suggest_some(suggest::meant(&gateway.value, mine().map(|one| one.id.as_str()))));
            return None;
        };
        return Some(found.members.iter().chain([&found.tag]).map(|index| index.at()).collect());
    }
    let Some(tags) = &life.tags else {
        return Some((0..plant.tags.len()).filter(|at| own(&plant.tags[*at])).collect());
    };
    let mut found = Vec::new();
    for tag in tags {
        match plant.find_tag(enterprise, &tag.value) {
            Some(index) => found.push(index.at()),
            None => {
                let names = plant.tags.iter().filter(|tag| own(tag)).map(|tag| &*tag.id.tag);
                let fault = tag.place.error("unknown-tag", unknown("位号", "tag", &tag.value));
                sink.push(fault.suggest_some(suggest::meant(&tag.value, names)));
            }
        }
    }
    (found.len() == tags.len()).then_some(found)
}

fn knows(plant: &Plant, person: &At<'_, String>, sink: &mut Sink) -> bool {
    let known = plant.people.iter().any(|one| one.id.as_str() == person.value);
    if !known {
        let fault = person.place.error("unknown-person", unknown("人员", "person", &person.value));
        sink.push(fault.suggest_some(suggest::meant(&person.value, plant.people.iter().map(|one| one.id.as_str()))));
    }
    known
}

fn unknown(zh: &str, en: &str, name: &str) -> Text {
    text(format!("没有这个{zh} `{name}`"), format!("no such {en}: `{name}`"))
}

/// When a day ends in civil time.
fn end_of(day: jiff::civil::Date, utc_offset: Duration) -> Timestamp {
    let days = day.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24 + 1;
    Timestamp(0) + Duration::from_mins(days * 24 * 60) + Duration(-utc_offset.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_china() {
        let end = end_of(jiff::civil::date(2024, 11, 25), Duration::from_mins(480));
        assert_eq!(end, Timestamp::from_secs(1_732_550_400), "2024-11-25T16:00:00Z");
    }
}
