//! For an alarm that is a nuisance: the least change that removes it and takes nothing from any alarm that was real.
//!
//! A tag's own conditions read only that tag's state, so a candidate is proved on that tag alone, by the rules that run in the plant, over
//! every reading there is; what is raised under test counts for nothing. A list has one cell for the deadband of all limits of a row, so a
//! candidate is tried on every condition that shares its cell, and one that `check` would refuse is not tried. A candidate stands only if
//! each alarm of the tag whose 核实 outcome was real is still raised, at the same moment to the microsecond. All suggestions together are
//! held against the real alarms once more, over the whole chain ([`prove`]): there people may be told later, or not at all.
//!
//! Gas limits, 高高报 and 低低报 never get a later or higher limit: for them only what holds a raised alarm is tried (deadband, off-delay).
//! Whatever is suggested is a 放宽 and goes the way of one; nothing is changed here.

mod cell;
mod proof;

pub use proof::{Held, Proof, prove};

use crate::backtest::Taken;
use crate::kpi::Episode;
use cell::{change, may_be_written, shares_cell};
use model::plant::{ConditionRule, Plant};
use model::{AlarmEffect, AlarmId, Change, Condition, Duration, EquipmentIndex, GatewayIndex, Reading, TagIndex, Timestamp};
use rules::{Input, Rules};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Other limits of the tag that have the same cell in the list, and change with it.
    pub with: Vec<Condition>,
    /// What stands there now, in the same unit.
    pub now: f64,
    /// Alarms without it.
    pub before: usize,
    /// Alarms with it.
    pub after: usize,
    /// Real alarms among them, every one raised at the same moment with it.
    pub real: usize,
}

impl Suggestion {
    /// Whether both are written in the same cell of the list.
    pub fn shares_cell(&self, other: &Self) -> bool {
        let same_kind = std::mem::discriminant(&self.remedy) == std::mem::discriminant(&other.remedy);
        same_kind && self.alarm.tag == other.alarm.tag && shares_cell(self.remedy, self.alarm.condition, other.alarm.condition)
    }
}

/// Alarms that were found to be real: the source time of their first reading.
pub type Real = BTreeMap<AlarmId, Vec<Timestamp>>;

/// The least change for one alarm, or none that is proved and worth it. `readings` are those of its tag in the order in which they were
/// taken; `to` is where the record ends.
pub fn suggest(plant: &Plant, index: TagIndex, condition: Condition, readings: &[Taken], real: &Real, to: Timestamp) -> Option<Suggestion> {
    let tag = plant.tag(index);
    let rule = tag.rule(condition).filter(|rule| rule.condition.is_limit())?;
    if tag.calculation.is_some() || !tag.in_service {
        return None;
    }
    let began = readings.first()?.reading.source_time;
    let alarm = AlarmId { tag: tag.id.clone(), condition };
    let today = episodes(plant, index, None, readings, to);
    // When the real ones are raised today; one that began before the readings is none of them.
    let raised_of = |alarm: &AlarmId| -> BTreeSet<Timestamp> {
        let found = real.get(alarm).into_iter().flatten().filter(|since| **since >= began);
        found.filter_map(|since| raised_from(&today, alarm, *since)).collect()
    };
    let real: BTreeMap<AlarmId, BTreeSet<Timestamp>> =
        real.keys().filter(|alarm| alarm.tag == tag.id).map(|alarm| (alarm.clone(), raised_of(alarm))).collect();
    let count = |episodes: &[Episode]| episodes.iter().filter(|episode| episode.alarm == alarm).count();
    let (before, real_of_it) = (count(&today), real.get(&alarm).map_or(0, BTreeSet::len));
    let nuisance = before.saturating_sub(real_of_it);
    if nuisance < NUISANCE_MIN {
        return None;
    }
    let proved = |remedy: Remedy| {
        let tried = episodes(plant, index, Some((condition, remedy)), readings, to);
        let raised: BTreeSet<(&AlarmId, Timestamp)> = tried.iter().map(|episode| (&episode.alarm, episode.raised)).collect();
        let keeps = real.iter().all(|(alarm, times)| times.iter().all(|at| raised.contains(&(alarm, *at))));
        let after = count(&tried);
        let left = after.saturating_sub(real_of_it);
        (keeps && nuisance.saturating_sub(left) as f64 >= WORTH_SHARE * nuisance as f64).then_some((left, remedy, after))
    };
    // The safest kind of change that does the most comes first; among those that do as much, the smallest.
    let mut tried = candidates(tag.range, rule, tag.signal.is_gas());
    tried.retain(|remedy| may_be_written(tag, condition, *remedy));
    let best = tried.into_iter().filter_map(proved);
    let (_, remedy, after) = best.min_by_key(|(left, remedy, _)| (*left, kind(*remedy)))?;
    let now = match remedy {
        Remedy::Deadband(_) => rule.deadband,
        Remedy::OffDelay(_) => rule.off_delay.0 as f64,
        Remedy::OnDelay(_) => rule.on_delay.0 as f64,
        Remedy::Setpoint(_) => rule.setpoint,
    };
    let others = tag.conditions.iter().map(|rule| rule.condition).filter(|other| *other != condition);
    let with = others.filter(|other| shares_cell(remedy, condition, *other)).collect();
    Some(Suggestion { alarm, remedy, with, now, before, after, real: real_of_it })
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

/// The plant with these suggestions in it, to be backtested as a whole.
pub fn applied(plant: &Plant, suggestions: &[Suggestion]) -> Plant {
    let mut plant = plant.clone();
    for suggestion in suggestions {
        if let Some(index) = plant.tag_index(&suggestion.alarm.tag) {
            change(&mut plant.tags[index.at()].conditions, suggestion.alarm.condition, suggestion.remedy);
        }
    }
    plant
}

/// The alarm that began with a reading at `since`: the first raised from then on.
fn raised_from(episodes: &[Episode], alarm: &AlarmId, since: Timestamp) -> Option<Timestamp> {
    episodes.iter().filter(|episode| episode.alarm == *alarm && episode.raised >= since).map(|episode| episode.raised).min()
}

/// Every alarm of one tag over its readings, the other tags unheard, but for what was raised under test.
pub fn episodes(plant: &Plant, index: TagIndex, remedy: Option<(Condition, Remedy)>, readings: &[Taken], to: Timestamp) -> Vec<Episode> {
    let Some(first) = readings.first() else { return Vec::new() };
    let (alone, place) = alone(plant, index, remedy);
    let mut rules = Rules::new(Arc::new(alone), first.at);
    let (mut said, mut heard) = (Vec::new(), Heard { stale_after: plant.tag(index).stale_after, ..Heard::default() });
    for taken in readings {
        serve(&mut rules, taken.at, &mut said);
        heard.take(&mut said);
        if taken.under_test {
            heard.under_test_at = Some(taken.at);
        }
        rules.step(&Input::Reading(Reading { tag: place, ..taken.reading }), taken.at, &mut said);
        heard.take(&mut said);
    }
    serve(&mut rules, to, &mut said);
    heard.take(&mut said);
    let id = &plant.tag(index).id;
    let counted = heard.found.into_iter().filter(|(episode, under_test)| episode.alarm.tag == *id && !under_test);
    counted.map(|(episode, _)| episode).collect()
}

/// Serves every deadline before `until` at its own time.
fn serve(rules: &mut Rules, until: Timestamp, said: &mut Vec<AlarmEffect>) {
    while let Some(due) = rules.next_deadline().filter(|due| *due <= until) {
        rules.step(&Input::Timeout, due, said);
    }
}

/// What one tag's rules said.
#[derive(Default)]
struct Heard {
    /// With whether the tag was under test.
    found: Vec<(Episode, bool)>,
    standing: BTreeMap<AlarmId, usize>,
    under_test_at: Option<Timestamp>,
    stale_after: Duration,
}

impl Heard {
    fn take(&mut self, said: &mut Vec<AlarmEffect>) {
        for effect in said.drain(..) {
            let AlarmEffect::Transition(transition) = effect else { continue };
            let alarm = transition.key.alarm;
            match transition.change {
                Change::Raised => {
                    self.standing.insert(alarm.clone(), self.found.len());
                    let raised = transition.at;
                    let under_test = self.under_test_at.is_some_and(|at| transition.now.since(at) <= self.stale_after);
                    let episode = Episode { alarm, level: transition.level, raised, returned: None, announced: Some(raised) };
                    self.found.push((episode, under_test));
                }
                Change::Returned | Change::Retired | Change::Faulted => {
                    if let Some(at) = self.standing.remove(&alarm) {
                        self.found[at].0.returned = Some(transition.at);
                    }
                }
                _ => {}
            }
        }
    }
}

/// A plant of nothing but this tag and its gateway.
fn alone(plant: &Plant, index: TagIndex, remedy: Option<(Condition, Remedy)>) -> (Plant, TagIndex) {
    let mut tag = plant.tag(index).clone();
    if let Some((condition, remedy)) = remedy {
        change(&mut tag.conditions, condition, remedy);
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
    fn real_alarms_from_before_the_record_and_named_twice_count_for_nothing() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let found = suggested(&plant, Condition::High, &readings(&noisy()), &[-900, -500, -100, 0, 0]).unwrap();
        assert_eq!((found.before, found.after, found.real), (20, 1, 1));
        // Many more on record than were raised here.
        let four: Vec<f64> = noisy().into_iter().skip(32).collect();
        assert_eq!(suggested(&plant, Condition::High, &readings(&four), &[0, 0, 0, 0, 0, 0]).map(|found| found.real), Some(1));
        assert_eq!(suggested(&plant, Condition::High, &readings(&four), &[0, 2, 4, 6, 6, 6]), None);
    }

    /// A plant whose tag has these limits, and `width` of deadband for all of them.
    fn with_limits(limits: &[(Condition, f64)], width: f64) -> Plant {
        let mut plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let index = plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        let rule = |(condition, limit): &(Condition, f64)| {
            let mut rule = ConditionRule::new(*condition, *limit, Level::Blue);
            rule.deadband = width;
            rule
        };
        plant.tags[index.at()].conditions = limits.iter().map(rule).collect::<Vec<_>>().into();
        plant
    }

    #[test]
    fn what_stands_in_the_same_cell_changes_too_and_keeps_its_real_alarms() {
        let plant = with_limits(&[(Condition::Low, 20.0), (Condition::High, 80.0)], 0.0);
        // After the noise around the high limit, two low alarms near each other.
        let values: Vec<f64> = noisy().into_iter().chain([19.8, 19.8, 20.3, 19.8, 19.8, 50.0, 50.0]).collect();
        let readings = readings(&values);
        let index = plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        let id = plant.tag(index).id.clone();
        let low = AlarmId { tag: id, condition: Condition::Low };
        let high = AlarmId { condition: Condition::High, ..low.clone() };
        let suggested = |real_low: &[i64]| {
            let real_low = real_low.iter().map(|place| at(*place)).collect();
            let real = Real::from([(low.clone(), real_low), (high.clone(), vec![at(0)])]);
            suggest(&plant, index, Condition::High, &readings, &real, at(readings.len() as i64))
        };
        let free = suggested(&[]).unwrap();
        assert_eq!((free.remedy, free.with.as_slice()), (Remedy::Deadband(0.5), [Condition::Low].as_slice()));
        let tried = applied(&plant, std::slice::from_ref(&free));
        assert!(tried.tag(index).conditions.iter().all(|rule| rule.deadband == 0.5), "both are written in one cell");
        assert!(free.shares_cell(&Suggestion { alarm: low.clone(), ..free.clone() }));
        assert!(!free.shares_cell(&Suggestion { remedy: Remedy::Setpoint(81.0), ..free.clone() }));
        // The second low alarm was real, and the common deadband or delay would swallow it.
        assert_eq!(suggested(&[63]), None);
    }

    #[test]
    fn what_was_raised_under_test_is_no_nuisance() {
        let plant = plant(Signal::Level, ConditionRule::new(Condition::High, 80.0, Level::Blue));
        let mut readings = readings(&noisy());
        assert!(suggested(&plant, Condition::High, &readings, &[]).is_some());
        readings.iter_mut().take(36).for_each(|taken| taken.under_test = true);
        let index = plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        let counted = episodes(&plant, index, None, &readings, at(60));
        assert!(counted.len() < NUISANCE_MIN, "{counted:?}");
        assert_eq!(suggested(&plant, Condition::High, &readings, &[]), None);
    }

    #[test]
    fn what_check_would_refuse_is_never_suggested() {
        let all = |plant: &Plant, condition: Condition| -> Vec<Remedy> {
            let tag = plant.tag(plant.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap());
            let mut list = candidates(tag.range, tag.rule(condition).unwrap(), false);
            list.retain(|remedy| may_be_written(tag, condition, *remedy));
            list
        };
        let widest = |list: &[Remedy]| {
            list.iter().fold((0.0_f64, 0.0_f64), |(width, limit), remedy| match remedy {
                Remedy::Deadband(to) => (width.max(*to), limit),
                Remedy::Setpoint(to) => (width, limit.max(*to)),
                _ => (width, limit),
            })
        };
        let apart = with_limits(&[(Condition::Low, 20.0), (Condition::High, 80.0), (Condition::HighHigh, 90.0)], 0.0);
        assert_eq!(widest(&all(&apart, Condition::High)), (10.0, 85.0));
        // A deadband as wide as the gap on one side is allowed; a limit at or above the next is not.
        let near = with_limits(&[(Condition::Low, 20.0), (Condition::High, 80.0), (Condition::HighHigh, 82.0)], 0.0);
        assert_eq!(widest(&all(&near, Condition::High)), (2.0, 81.0));
        assert_eq!(widest(&all(&near, Condition::Low)).0, 2.0, "its cell is that of all");
        // Between low and high there must be left a value at which both have returned, and within the range one at which it has.
        let tight = with_limits(&[(Condition::Low, 77.0), (Condition::High, 80.0)], 0.0);
        assert_eq!(widest(&all(&tight, Condition::High)).0, 2.0);
        assert_eq!(widest(&all(&with_limits(&[(Condition::High, 5.0)], 0.0), Condition::High)).0, 3.0);
        // Beyond the interlock it would say nothing before the trip.
        let mut tripping = with_limits(&[(Condition::High, 80.0)], 0.0);
        let index = tripping.tag_index(&TagId::new("tep", "XMEAS-7")).unwrap();
        tripping.tags[index.at()].sheet.interlock = Some(82.0);
        assert_eq!(widest(&all(&tripping, Condition::High)).1, 82.0);
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
