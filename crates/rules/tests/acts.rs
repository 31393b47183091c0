//! Every short history in which people act and devices speak: latching, re-alarm, inhibit bits. As in `kinds`, against a plain model.
//!
//! The model has no states and no timers: it knows what is so (the value is beyond, somebody has seen it, it is held for a check) and
//! when people were last told. A restart at any point must change nothing.

mod common;
use common::*;
use model::plant::Plant;
use model::*;
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Reading(&'static str, f64, Quality),
    /// A person has seen the newest episode.
    Acknowledge,
    /// A person names a field check of the newest episode,
    Check,
    /// or of the one before, which is none of the present one's business.
    CheckFormer,
    /// A device says whether it is inhibited.
    Bit(&'static str, bool),
    Wait,
}
use Event::{Acknowledge, Bit, Check, CheckFormer, Wait};
use Quality::{Bad, Good, Uncertain};

/// What happens, after so many seconds.
type Moment = (i64, Event);
/// Whether an alarm stands after a history.
type Stands = fn(&[Moment]) -> bool;

const fn good(value: f64) -> Event {
    Event::Reading("T", value, Good)
}
const fn bad(value: f64) -> Event {
    Event::Reading("T", value, Bad)
}

/// Runs a history; acts are on the alarm `target`.
fn run(plant: &Arc<Plant>, target: &AlarmId, history: &[Moment], restart_at: Option<usize>) -> Vec<AlarmEffect> {
    let mut rules = Rules::new(Arc::clone(plant), ZERO);
    let mut store = Store::default();
    let (mut effects, mut now): (Vec<AlarmEffect>, _) = (Vec::new(), ZERO);
    for (number, (after, event)) in history.iter().enumerate() {
        if restart_at == Some(number) {
            store.checkpoint(&mut rules);
            rules = store.restore(plant, now);
            rules.step(&Input::Link { up: true }, now, &mut effects);
            rules.step(&Input::Drained, now, &mut effects);
        }
        now += Duration::from_secs(*after);
        serve(&mut rules, now, &mut effects);
        let find = |name| plant.find_tag("hx", name).expect("the tag");
        match *event {
            Event::Reading(name, value, quality) => {
                let reading = Reading { tag: find(name), source_time: now, receive_time: now, value, quality, sequence: None };
                rules.step(&Input::Reading(reading), now, &mut effects);
            }
            Bit(name, active) => rules.step(&Input::Inhibit { tag: find(name), active }, now, &mut effects),
            Wait => rules.step(&Input::Timeout, now, &mut effects),
            Acknowledge | Check | CheckFormer => {
                let raises = effects.iter().filter_map(|effect| match effect {
                    AlarmEffect::Transition(one) if one.change == Change::Raised && one.key.alarm == *target => Some(one.key.episode),
                    _ => None,
                });
                let episode = raises.rev().nth(usize::from(*event == CheckFormer));
                let shown = episode.map(|episode| act(number as u32, *event != Acknowledge, EpisodeRef { alarm: target.clone(), episode }));
                rules.step(&shown.as_ref().map_or(Input::Timeout, Input::Act), now, &mut effects);
            }
        }
        store.commit(&mut rules);
    }
    effects
}

/// One effect in words: what an alarm did when, and how it stands then.
fn tell(effect: &AlarmEffect) -> String {
    let name = |alarm: &AlarmId| format!("{}.{}", alarm.tag.tag, alarm.condition);
    match effect {
        AlarmEffect::Transition(one) => {
            let (alarm, at) = (name(&one.key.alarm), one.at.since(ZERO).as_secs());
            format!("{alarm} {:?} {at}{}", one.change, marks(one.to.is_latched(), !one.to.needs_acknowledgement()))
        }
        AlarmEffect::Announce(one) => {
            let members: Vec<_> = one.members.iter().map(|member| format!(" {}", member.tag)).collect();
            format!("{} told{}", name(&one.key.alarm), members.concat())
        }
        AlarmEffect::LateExceedance(row) => format!("{} late", name(&row.alarm)),
    }
}

fn marks(held: bool, seen: bool) -> &'static str {
    match (held, seen) {
        (false, false) => " unseen",
        (false, true) => "",
        (true, false) => " held unseen",
        (true, true) => " held",
    }
}

/// Holds all histories against what a model expects; where it expects nothing in particular, the words of the design do not say.
fn hold(
    scenario: &str,
    (tag, condition): (&str, Condition),
    alphabet: &[Moment],
    length: usize,
    expected: impl Fn(&[Moment]) -> Option<Vec<String>>,
) {
    let plant = set_up(scenario);
    let target = AlarmId { tag: TagId::new("hx", tag), condition };
    every_history(alphabet, length, |history| {
        let Some(expected) = expected(history) else { return };
        let effects = run(&plant, &target, history, None);
        let said: Vec<_> = effects.iter().map(tell).collect();
        assert_eq!(said, expected, "{scenario}: {history:#?}");
        legal(&effects, &history);
    });
    // Restarts, over the shorter ones.
    every_history(alphabet, length.min(4), |history| {
        let straight = run(&plant, &target, history, None);
        for at in 1..history.len() {
            assert_eq!(run(&plant, &target, history, Some(at)), straight, "{scenario}, restarted before {at}: {history:#?}");
        }
    });
}

/// A high alarm on the tag T.
struct High {
    limit: f64,
    deadband: f64,
    latching: bool,
    /// Above this a gas detector is over range.
    range: Option<f64>,
    realarm: Option<i64>,
}

impl High {
    fn expected(&self, history: &[Moment]) -> Option<Vec<String>> {
        // Beyond now; returned, but held for a check; to be held when it returns; seen by somebody, or nothing to see.
        let (mut active, mut held, mut latch, mut seen) = (false, false, false, true);
        // The newest value is over range; when people were last told; whether it was ever raised.
        let (mut over_range, mut told, mut at, mut raised) = (false, 0, 0, false);
        let mut said = Vec::new();
        let words = |change: &str, at: i64, held: bool, seen: bool| format!("T.high {change} {at}{}", marks(held, seen));
        for (after, event) in history {
            at += after;
            // Acknowledged and still standing so long after people were told, it is told again, before anything else of that moment.
            if let Some(again) = self.realarm.map(|after| told + after).filter(|again| *again <= at)
                && raised
                && seen
                && (active || held)
            {
                (seen, told) = (false, again);
                said.extend([words("Realarmed", again, held, seen), "T.high told".to_owned()]);
            }
            match *event {
                Event::Reading(_, value, quality) => {
                    over_range = self.range.is_some_and(|range| value > range);
                    latch |= over_range;
                    if !active && (over_range || quality != Bad && value >= self.limit) {
                        (active, held, seen, raised, told) = (true, false, false, true, at);
                        latch |= self.latching;
                        said.extend([words("Raised", at, held, seen), "T.high told".to_owned()]);
                    } else if active && !over_range && quality == Good && value < self.limit - self.deadband {
                        (active, held) = (false, latch);
                        said.push(words("Returned", at, held, seen));
                    }
                }
                Acknowledge if raised && !seen => {
                    // Seen only after the time to be told again: nobody has written what then.
                    if self.realarm.is_some_and(|after| (active || held) && told + after <= at) {
                        return None;
                    }
                    seen = true;
                    said.push(words("Acknowledged", at, held, seen));
                }
                Check if held => {
                    (held, latch) = (false, false);
                    said.push(words("Reset", at, held, seen));
                }
                // What stands by its rule is not released while it is active, nor a detector that is over range even now.
                Check if !self.latching && !over_range => latch = false,
                _ => {}
            }
        }
        Some(said)
    }
}

const HIGH: High = High { limit: 80.0, deadband: 2.0, latching: false, range: None, realarm: None };
const T_HIGH: (&str, Condition) = ("T", Condition::High);

#[test]
fn every_short_history_of_a_latching_alarm() {
    let high = High { latching: true, ..HIGH };
    let alphabet = [(5, good(85.0)), (5, good(79.0)), (5, good(70.0)), (5, bad(70.0)), (5, Acknowledge), (5, Check), (5, CheckFormer)];
    hold("high 80, deadband 2, latching", T_HIGH, &alphabet, 6, |history| high.expected(history));
}

#[test]
fn every_short_history_of_a_gas_detector_over_range() {
    let high = High { limit: 25.0, deadband: 0.0, range: Some(100.0), ..HIGH };
    let uncertain = Event::Reading("T", 5.0, Uncertain);
    let alphabet = [(5, good(30.0)), (5, good(5.0)), (5, good(110.0)), (5, bad(110.0)), (5, uncertain), (5, Acknowledge), (5, Check)];
    hold("toxic, range 0..100, high 25", T_HIGH, &alphabet, 6, |history| high.expected(history));
}

#[test]
fn every_short_history_of_a_re_alarm() {
    let high = High { realarm: Some(60), ..HIGH };
    let alphabet = [(20, good(85.0)), (20, good(70.0)), (60, bad(70.0)), (20, Acknowledge), (20, Wait), (90, Wait)];
    hold("high 80, deadband 2, realarm 60s", T_HIGH, &alphabet, 6, |history| high.expected(history));
    // Held for a check is standing.
    let high = High { latching: true, ..high };
    let alphabet = [(20, good(85.0)), (20, good(70.0)), (20, Acknowledge), (20, Check), (20, Wait), (60, Wait)];
    hold("high 80, deadband 2, latching, realarm 60s", T_HIGH, &alphabet, 6, |history| high.expected(history));
}

#[test]
fn every_short_history_of_inhibited_devices() {
    // C has a condition of its own for it; for A and B their gateway tells, once for both.
    let scenario = "tag A,B temperature, high 80\ntag C temperature, inhibited";
    fn inhibited(history: &[Moment], device: &str) -> bool {
        history.iter().rev().find_map(|(_, event)| match event {
            Bit(name, active) if *name == device => Some(*active),
            _ => None,
        }) == Some(true)
    }
    fn by_gateway(history: &[Moment]) -> bool {
        inhibited(history, "A") || inhibited(history, "B")
    }
    // An inhibited device is judged like any other.
    fn high(history: &[Moment]) -> bool {
        let values = history.iter().rev().filter_map(|(_, event)| match event {
            Event::Reading("A", value, _) => Some(*value),
            _ => None,
        });
        values.take(1).any(|value| value >= 80.0)
    }
    let alarms: [(&str, Stands); 3] = [("A.high", high), ("C.inhibited", |history| inhibited(history, "C")), ("~GW.inhibited", by_gateway)];
    let expected = |history: &[Moment]| {
        let (mut at, mut seen, mut said) = (0, true, Vec::new());
        for (number, (after, event)) in history.iter().enumerate() {
            at += after;
            for (name, stands) in alarms {
                let of_gateway = name == "~GW.inhibited";
                match (stands(&history[..number]), stands(&history[..=number])) {
                    (false, true) => {
                        let whose = if let Bit(device, _) = event
                            && of_gateway
                        {
                            format!(" {device}")
                        } else {
                            String::new()
                        };
                        seen &= !of_gateway;
                        said.extend([format!("{name} Raised {at} unseen"), format!("{name} told{whose}")]);
                    }
                    (true, false) => said.push(format!("{name} Returned {at}{}", marks(false, of_gateway && seen))),
                    _ => {}
                }
            }
            if *event == Acknowledge && !seen {
                seen = true;
                said.push(format!("~GW.inhibited Acknowledged {at}"));
            }
        }
        Some(said)
    };
    let alphabet = [
        (1, Bit("A", true)),
        (1, Bit("A", false)),
        (1, Bit("B", true)),
        (1, Bit("B", false)),
        (1, Bit("C", true)),
        (1, Bit("C", false)),
        (1, Event::Reading("A", 85.0, Good)),
        (1, Event::Reading("A", 70.0, Good)),
        (1, Acknowledge),
    ];
    hold(scenario, ("~GW", Condition::Inhibited), &alphabet, 5, expected);
}
