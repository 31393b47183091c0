//! For an alarm that is a nuisance: the least change that removes it and takes nothing from any alarm that was real.
//!
//! A tag's own conditions read only that tag's state, so a candidate is proved on that tag alone, by the rules that run in the plant, over
//! every reading there is. A candidate stands only if each alarm whose 核实 outcome was real is still raised, at the same moment to the
//! microsecond. Gas limits, 高高报 and 低低报 never get a later or higher limit: for them only what holds a raised alarm is tried (deadband,
//! off-delay). Whatever is suggested is a 放宽 and goes the way of one; nothing is changed here.

use crate::backtest::Taken;
use crate::kpi::Episode;
use model::plant::{ConditionRule, Plant};
use model::{AlarmEffect, AlarmId, Change, Condition, Duration, EquipmentIndex, GatewayIndex, Reading, TagIndex, Timestamp};
use rules::{Input, Rules};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fewer alarms than this are no nuisance.
pub const NUISANCE_MIN: usize = 3;
/// A change that removes less than this share of the nuisance is not worth a ticket.
const WORTH_SHARE: f64 = 0.3;
/// The longest delay that is tried.
const DELAY_MAX: Duration = Duration::from_mins(10);

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change", content = "to")]
pub enum Remedy {
    /// 回差, in the tag's unit.
    Deadband(f64),
    /// 恢复延时, in microseconds.
    OffDelay(Duration),
    /// 报警延时, in microseconds.
    OnDelay(Duration),
    /// The limit itself, in the tag's unit.
    Setpoint(f64),
}

/// One change, and what it was proved to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// Which alarm.
    pub alarm: AlarmId,
    /// What is to be changed.
    pub remedy: Remedy,
    /// What stands there now, in the same unit.
    pub now: f64,
    /// Alarms without it.
    pub before: usize,
    /// Alarms with it.
    pub after: usize,
    /// Real alarms among them, every one raised at the same moment with it.
    pub real: usize,
}

/// Alarms that were found to be real: the source time of their first reading.
pub type Real = BTreeMap<AlarmId, Vec<Timestamp>>;

/// The least change for one alarm, or none that is proved and worth it. `readings` are those of its tag in the order in which they were
/// taken; `to` is where the record ends.
pub fn suggest(plant: &Plant, index: TagIndex, condition: Condition, readings: &[Taken], real: &Real, to: Timestamp) -> Option<Suggestion> {
    let tag = plant.tag(index);
    let rule = tag.rule(condition).filter(|rule| rule.condition.is_limit())?;
    // A limit that depends on the operating mode is not one number, and what suppresses it is on other tags.
    let depends = rule.extra.as_ref().is_some_and(|extra| !extra.modes.is_empty() || !extra.suppressed_by.is_empty());
    if depends || tag.calculation.is_some() || !tag.in_service {
        return None;
    }
    let alarm = AlarmId { tag: tag.id.clone(), condition };
    let before = of(&episodes(plant, index, None, readings, to), &alarm);
    let found = real.get(&alarm).map_or(&[][..], Vec::as_slice);
    let real: Vec<Timestamp> = found.iter().filter_map(|since| raised_from(&before, *since)).collect();
    let nuisance = before.len() - real.len();
    if nuisance < NUISANCE_MIN {
        return None;
    }
    let proved = |remedy: Remedy| {
        let after = of(&episodes(plant, index, Some((condition, remedy)), readings, to), &alarm);
        let keeps = real.iter().all(|at| after.iter().any(|episode| episode.raised == *at));
        let left = after.len().saturating_sub(real.len());
        (keeps && (nuisance - left.min(nuisance)) as f64 >= WORTH_SHARE * nuisance as f64).then_some((left, remedy, after.len()))
    };
    // The safest kind of change that does the most comes first; among those that do as much, the smallest.
    let best = candidates(tag.range, rule, tag.signal.is_gas()).into_iter().filter_map(proved);
    let (_, remedy, after) = best.min_by_key(|(left, remedy, _)| (*left, kind(*remedy)))?;
    let now = match remedy {
        Remedy::Deadband(_) => rule.deadband,
        Remedy::OffDelay(_) => rule.off_delay.0 as f64,
        Remedy::OnDelay(_) => rule.on_delay.0 as f64,
        Remedy::Setpoint(_) => rule.setpoint,
    };
    Some(Suggestion { alarm, remedy, now, before: before.len(), after, real: real.len() })
}

const fn kind(remedy: Remedy) -> u8 {
    match remedy {
        Remedy::Deadband(_) => 0,
        Remedy::OffDelay(_) => 1,
        Remedy::OnDelay(_) => 2,
        Remedy::Setpoint(_) => 3,
    }
}

/// What is tried, the smallest of a kind first.
fn candidates(range: Option<(f64, f64)>, rule: &ConditionRule, is_gas: bool) -> Vec<Remedy> {
    let mut list = Vec::new();
    let span = range.map_or_else(|| rule.setpoint.abs().max(1.0), |(low, high)| high - low);
    let round = |value: f64| {
        let digits = 10_f64.powf((3.0 - span.abs().log10()).ceil().max(0.0));
        (value * digits).round() / digits
    };
    for share in [0.005, 0.01, 0.02, 0.03, 0.05, 0.1] {
        list.push(Remedy::Deadband(round(span * share)));
    }
    let delays = [5, 10, 15, 30, 60, 120, 300, 600].map(Duration::from_secs);
    list.extend(delays.map(Remedy::OffDelay));
    let may_be_later = !is_gas && matches!(rule.condition, Condition::High | Condition::Low);
    if may_be_later {
        list.extend(delays.map(Remedy::OnDelay));
        for share in [0.005, 0.01, 0.02, 0.03, 0.05] {
            let shift = if rule.condition.is_high_side() { span * share } else { -span * share };
            list.push(Remedy::Setpoint(round(rule.setpoint + shift)));
        }
    }
    list.retain(|remedy| match *remedy {
        Remedy::Deadband(width) => width > rule.deadband,
        Remedy::OffDelay(length) => length > rule.off_delay && length <= DELAY_MAX,
        Remedy::OnDelay(length) => length > rule.on_delay && length <= DELAY_MAX,
        Remedy::Setpoint(limit) => limit != rule.setpoint && range.is_none_or(|(low, high)| limit > low && limit < high),
    });
    list
}

/// A rule with a remedy.
pub fn with_remedy(rule: &ConditionRule, remedy: Remedy) -> ConditionRule {
    let mut rule = rule.clone();
    match remedy {
        Remedy::Deadband(width) => rule.deadband = width,
        Remedy::OffDelay(length) => rule.off_delay = length,
        Remedy::OnDelay(length) => rule.on_delay = length,
        Remedy::Setpoint(limit) => rule.setpoint = limit,
    }
    rule
}

/// The plant with these suggestions in it, to be backtested as a whole.
pub fn applied(plant: &Plant, suggestions: &[Suggestion]) -> Plant {
    let mut plant = plant.clone();
    for suggestion in suggestions {
        let Some(index) = plant.tag_index(&suggestion.alarm.tag) else { continue };
        let rules = &mut plant.tags[index.at()].conditions;
        if let Some(rule) = rules.iter_mut().find(|rule| rule.condition == suggestion.alarm.condition) {
            *rule = with_remedy(rule, suggestion.remedy);
        }
    }
    plant
}

/// The alarm that began with a reading at `since`: the first raised from then on.
fn raised_from(episodes: &[Episode], since: Timestamp) -> Option<Timestamp> {
    episodes.iter().map(|episode| episode.raised).filter(|raised| *raised >= since).min()
}

fn of(episodes: &[Episode], alarm: &AlarmId) -> Vec<Episode> {
    episodes.iter().filter(|episode| episode.alarm == *alarm).cloned().collect()
}

/// Every alarm of one tag over its readings, the other tags unheard.
pub fn episodes(plant: &Plant, index: TagIndex, remedy: Option<(Condition, Remedy)>, readings: &[Taken], to: Timestamp) -> Vec<Episode> {
    let Some(first) = readings.first() else { return Vec::new() };
    let (alone, place) = alone(plant, index, remedy);
    let mut rules = Rules::new(Arc::new(alone), first.at);
    let (mut said, mut found, mut standing) = (Vec::new(), Vec::new(), BTreeMap::new());
    for taken in readings {
        serve(&mut rules, taken.at, &mut said);
        rules.step(&Input::Reading(Reading { tag: place, ..taken.reading }), taken.at, &mut said);
        if !said.is_empty() {
            note(&mut said, &mut found, &mut standing);
        }
    }
    serve(&mut rules, to, &mut said);
    note(&mut said, &mut found, &mut standing);
    let id = &plant.tag(index).id;
    found.retain(|episode| episode.alarm.tag == *id);
    found
}

/// Serves every deadline before `until` at its own time.
fn serve(rules: &mut Rules, until: Timestamp, said: &mut Vec<AlarmEffect>) {
    while let Some(due) = rules.next_deadline().filter(|due| *due <= until) {
        rules.step(&Input::Timeout, due, said);
    }
}

fn note(said: &mut Vec<AlarmEffect>, found: &mut Vec<Episode>, standing: &mut BTreeMap<AlarmId, usize>) {
    for effect in said.drain(..) {
        let AlarmEffect::Transition(transition) = effect else { continue };
        let alarm = transition.key.alarm;
        match transition.change {
            Change::Raised => {
                standing.insert(alarm.clone(), found.len());
                let raised = transition.at;
                found.push(Episode { alarm, level: transition.level, raised, returned: None, announced: Some(raised) });
            }
            Change::Returned | Change::Retired | Change::Faulted => {
                if let Some(at) = standing.remove(&alarm) {
                    found[at].returned = Some(transition.at);
                }
            }
            _ => {}
        }
    }
}

/// A plant of nothing but this tag and its gateway.
fn alone(plant: &Plant, index: TagIndex, remedy: Option<(Condition, Remedy)>) -> (Plant, TagIndex) {
    let mut tag = plant.tag(index).clone();
    if let Some((condition, remedy)) = remedy
        && let Some(rule) = tag.conditions.iter_mut().find(|rule| rule.condition == condition)
    {
        *rule = with_remedy(rule, remedy);
    }
    let mut equipment = plant.equipment_of(&tag).cloned();
    if let Some(equipment) = &mut equipment {
        equipment.modes = None;
    }
    for extra in tag.conditions.iter_mut().filter_map(|rule| rule.extra.as_mut()) {
        extra.modes.clear();
        extra.suppressed_by.clear();
    }
    let mut gateway = plant.gateway_of(&tag).cloned();
    tag.equipment = EquipmentIndex(0);
    let mut tags = vec![tag];
    if let Some(gateway) = &mut gateway {
        let mut own = plant.tag(gateway.tag).clone();
        own.equipment = EquipmentIndex(0);
        tags.push(own);
    }
    let id = tags[0].id.clone();
    tags.sort_by(|a, b| a.id.cmp(&b.id));
    let place = TagIndex(u32::from(tags[0].id != id));
    if let Some(gateway) = &mut gateway {
        gateway.members = vec![place];
        gateway.tag = TagIndex(1 - place.0);
        tags[place.at()].gateway = Some(GatewayIndex::new(0));
    }
    let alone = Plant {
        version: plant.version.clone(),
        tiers: plant.tiers.clone(),
        bodies: Vec::new(),
        people: Vec::new(),
        channels: Vec::new(),
        equipment: equipment.into_iter().collect(),
        gateways: gateway.into_iter().collect(),
        tags,
        policies: plant.policies.clone(),
        utc_offset: plant.utc_offset,
    };
    (alone, place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Level, Quality, Signal, TagId};

    const START: Timestamp = Timestamp::from_secs(1_736_121_600);

    fn plant(signal: Signal, rule: ConditionRule) -> Plant {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/tep");
        let mut plant = config::load(&folder).unwrap_or_else(|faults| panic!("{}", faults.render(config::Lang::En, false))).plant;
        let index = plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        let tag = &mut plant.tags[index.at()];
        (tag.signal, tag.range, tag.conditions) = (signal, Some((0.0, 100.0)), vec![rule].into());
        plant
    }
    fn readings(values: &[f64]) -> Vec<Taken> {
        let of = |(place, value): (usize, &f64)| {
            let at = START + Duration::from_secs(5 * place as i64);
            let reading =
                Reading { tag: TagIndex(0), source_time: at, receive_time: at, value: *value, quality: Quality::Good, sequence: None };
            Taken { reading, at, under_test: false }
        };
        values.iter().enumerate().map(of).collect()
    }
    fn at(place: i64) -> Timestamp {
        START + Duration::from_secs(5 * place)
    }
    fn suggested(plant: &Plant, condition: Condition, readings: &[Taken], real: &[i64]) -> Option<Suggestion> {
        let index = plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        let alarm = AlarmId { tag: plant.tag(index).id.clone(), condition };
        let real = Real::from([(alarm, real.iter().map(|place| at(*place)).collect())]);
        suggest(plant, index, condition, readings, &real, at(readings.len() as i64))
    }

    /// Noise of ±0.3 around a limit of 80, twenty times.
    fn noisy() -> Vec<f64> {
        (0..40).map(|n| if n % 2 == 0 { 80.2 } else { 79.9 }).chain([70.0; 20]).collect()
    }

    #[test]
    fn noise_around_a_limit_gets_a_deadband_and_the_first_alarm_stays() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let found = suggested(&plant, Condition::High, &readings(&noisy()), &[0]).unwrap();
        assert_eq!((found.before, found.after, found.real), (20, 1, 1));
        assert_eq!(found.remedy, Remedy::Deadband(0.5));
    }

    #[test]
    fn a_real_alarm_in_the_middle_forbids_what_would_swallow_it() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        // The tenth of the alarms was real: no deadband may merge it with the one before, no delay may move it.
        let found = suggested(&plant, Condition::High, &readings(&noisy()), &[18]);
        assert_eq!(found, None);
    }

    #[test]
    fn gas_and_high_high_never_get_a_later_or_higher_limit() {
        // Short spikes far above the limit: only a delay or a limit would help.
        let spikes: Vec<f64> = (0..60).map(|n| if n % 6 == 0 { 95.0 } else { 3.0 }).collect();
        let high = ConditionRule::new(Condition::High, 80.0, Level::Blue);
        let process = plant(Signal::Level, high.clone());
        let helped = suggested(&process, Condition::High, &readings(&spikes), &[]).unwrap();
        assert_eq!(helped.after, 0, "an ordinary high limit may be delayed: {helped:?}");
        for (signal, condition) in
            [(Signal::Toxic, Condition::High), (Signal::Level, Condition::HighHigh), (Signal::Level, Condition::LowLow)]
        {
            let mut rule = high.clone();
            rule.condition = condition;
            let list = candidates(Some((0.0, 100.0)), &rule, signal.is_gas());
            assert!(list.iter().all(|remedy| matches!(remedy, Remedy::Deadband(_) | Remedy::OffDelay(_))), "{list:?}");
            let found = suggested(&plant(signal, rule), condition, &readings(&spikes), &[]);
            assert!(found.is_none_or(|found| matches!(found.remedy, Remedy::Deadband(_) | Remedy::OffDelay(_))));
        }
    }

    #[test]
    fn an_alarm_that_comes_twice_is_no_nuisance() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let twice = readings(&[70.0, 81.0, 70.0, 70.0, 81.0, 70.0]);
        assert_eq!(suggested(&plant, Condition::High, &twice, &[]), None);
    }

    #[test]
    fn the_plant_with_a_suggestion_differs_in_that_alone() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let found = suggested(&plant, Condition::High, &readings(&noisy()), &[0]).unwrap();
        let tried = applied(&plant, std::slice::from_ref(&found));
        let changed: Vec<_> = plant.tags.iter().zip(&tried.tags).filter(|(old, new)| old != new).collect();
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].1.conditions[0].deadband, 0.5);
    }
}
