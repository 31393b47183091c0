//! Every short history of each kind of condition, against a plain model of it that looks back over the whole history each time.
//!
//! The model knows no windows, segments, slots or stages: it has the readings so far and says what is true now. What the rules say must
//! be just what follows from that, at the same times; a restart at any point must change nothing; a duplicate neither.

mod common;
use common::*;
use model::plant::Plant;
use model::*;
use std::sync::Arc;
use watchfire_rules::{Input, Rules};

/// A reading of a tag, `after` seconds after the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    after: i64,
    tag: &'static str,
    value: f64,
    quality: Quality,
    sequence: Option<u64>,
}
use Quality::{Bad, Good, Uncertain};

const fn step(after: i64, tag: &'static str, value: f64) -> Step {
    quality(after, tag, value, Good)
}
const fn quality(after: i64, tag: &'static str, value: f64, quality: Quality) -> Step {
    Step { after, tag, value, quality, sequence: None }
}
const fn numbered(after: i64, tag: &'static str, value: f64, quality: Quality, sequence: u64) -> Step {
    Step { after, tag, value, quality, sequence: Some(sequence) }
}

/// A reading that has come, in seconds.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: i64,
    tag: &'static str,
    value: f64,
    quality: Quality,
    sequence: Option<u64>,
}

/// What is true after the newest reading.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Truth {
    Beyond,
    /// On good evidence.
    Clear,
    /// Neither beyond nor clear, or not known.
    Neither,
}

struct Kind {
    scenario: &'static str,
    target: &'static str,
    condition: Condition,
    alphabet: &'static [Step],
    /// What is true of the target now; none where the newest reading has nothing to do with it.
    truth: fn(&[Seen]) -> Option<Truth>,
    /// Whether raises are kept from people now.
    suppressed: fn(&[Seen]) -> bool,
}

fn run(plant: &Arc<Plant>, kind: &Kind, history: &[Step], restart_at: Option<usize>, twice: bool) -> (Vec<AlarmEffect>, Vec<String>) {
    let mut rules = Rules::new(Arc::clone(plant), ZERO);
    let mut store = Store::default();
    let (mut effects, mut now) = (Vec::new(), ZERO);
    for (number, step) in history.iter().enumerate() {
        if restart_at == Some(number) {
            store.checkpoint(&mut rules);
            rules = store.restore(plant, now);
            rules.step(&Input::Link { up: true }, now, &mut effects);
            rules.step(&Input::Drained, now, &mut effects);
        }
        now += Duration::from_secs(step.after);
        serve(&mut rules, now, &mut effects);
        let tag = plant.find_tag("hx", step.tag).expect("the tag");
        let Step { value, quality, sequence, .. } = *step;
        let reading = Reading { tag, source_time: now, receive_time: now, value, quality, sequence };
        rules.step(&Input::Reading(reading), now, &mut effects);
        store.commit(&mut rules);
        if twice {
            let before = effects.len();
            rules.step(&Input::Reading(reading), now, &mut effects);
            assert_eq!(effects.len(), before, "a duplicate changed something: {history:?}");
        }
    }
    let said = effects.iter().filter_map(|effect| tell(kind, effect)).collect();
    (effects, said)
}

fn seconds(at: Timestamp) -> i64 {
    at.since(ZERO).as_secs()
}

/// One effect of the kind's alarm in words.
fn tell(kind: &Kind, effect: &AlarmEffect) -> Option<String> {
    let is_target = |alarm: &AlarmId| &*alarm.tag.tag == kind.target && alarm.condition == kind.condition;
    match effect {
        AlarmEffect::Transition(transition) if is_target(&transition.key.alarm) => {
            let mark = if transition.suppressed { " suppressed" } else { "" };
            Some(format!("{:?} {}{mark}", transition.change, seconds(transition.at)))
        }
        AlarmEffect::Announce(announcement) if is_target(&announcement.key.alarm) => Some("told".to_owned()),
        _ => None,
    }
}

/// What the plain model expects.
fn expected(kind: &Kind, history: &[Step]) -> Vec<String> {
    let mut seen: Vec<Seen> = Vec::new();
    let (mut active, mut untold, mut was_suppressed, mut at) = (false, false, false, 0);
    let mut said = Vec::new();
    for step in history {
        at += step.after;
        let Step { tag, value, quality, sequence, .. } = *step;
        seen.push(Seen { at, tag, value, quality, sequence });
        let suppressed = (kind.suppressed)(&seen);
        if was_suppressed && !suppressed && std::mem::take(&mut untold) && active {
            said.push("told".to_owned());
        }
        was_suppressed = suppressed;
        match (kind.truth)(&seen) {
            Some(Truth::Beyond) if !active => {
                active = true;
                untold = suppressed;
                said.push(format!("Raised {at}{}", if suppressed { " suppressed" } else { "" }));
                if !suppressed {
                    said.push("told".to_owned());
                }
            }
            Some(Truth::Clear) if active => {
                (active, untold) = (false, false);
                said.push(format!("Returned {at}"));
            }
            _ => {}
        }
    }
    said
}

fn hold(kind: &Kind, length: usize) {
    let plant = set_up(kind.scenario);
    every_history(kind.alphabet, length, |history| {
        let (effects, said) = run(&plant, kind, history, None, length < 5);
        assert_eq!(said, expected(kind, history), "{history:#?}");
        legal(&effects, &history);
    });
    // Restarts, over the shorter ones.
    every_history(kind.alphabet, length.min(4), |history| {
        let (straight, _) = run(&plant, kind, history, None, false);
        for at in 1..history.len() {
            let (restarted, _) = run(&plant, kind, history, Some(at), false);
            assert_eq!(restarted, straight, "restarted before {at}: {history:#?}");
        }
    });
}

fn never(_: &[Seen]) -> bool {
    false
}

fn clear(clear: bool, quality: Quality) -> Truth {
    if clear && quality == Good { Truth::Clear } else { Truth::Neither }
}

/// The newest value of a tag that is not bad, and whether it is good; none where it is bad or never came.
fn value(seen: &[Seen], tag: &str) -> Option<(f64, bool)> {
    let newest = seen.iter().rev().find(|seen| seen.tag == tag)?;
    (newest.quality != Bad).then_some((newest.value, newest.quality == Good))
}

#[test]
fn every_short_history_of_a_state() {
    fn truth(seen: &[Seen], alarms_on: bool) -> Option<Truth> {
        let newest = seen.last()?;
        // Sent as a float with noise, by some.
        let state = newest.value.round() == 1.0;
        Some(match newest.quality {
            Bad => Truth::Neither,
            _ if state == alarms_on => Truth::Beyond,
            quality => clear(true, quality),
        })
    }
    let alphabet: &'static [Step] = const {
        &[
            step(5, "T", 0.0),
            step(5, "T", 1.0),
            step(5, "T", 0.25),
            step(5, "T", 0.9999999),
            quality(5, "T", 0.0, Uncertain),
            quality(5, "T", 1.0, Uncertain),
            quality(5, "T", 0.0, Bad),
            quality(5, "T", 1.0, Bad),
        ]
    };
    let (target, condition, suppressed) = ("T", Condition::Discrete, never as fn(&[Seen]) -> bool);
    let (on, off) = (|seen: &[Seen]| truth(seen, true), |seen: &[Seen]| truth(seen, false));
    hold(&Kind { scenario: "switch, discrete 1", target, condition, alphabet, truth: on, suppressed }, 5);
    hold(&Kind { scenario: "switch, discrete 0", target, condition, alphabet, truth: off, suppressed }, 5);
}

#[test]
fn every_short_history_of_a_spike() {
    let truth = |seen: &[Seen]| {
        let newest = seen.last()?;
        let before = seen.len().checked_sub(2).map(|at| seen[at]).filter(|before| before.quality != Bad);
        let before = before.filter(|before| newest.at - before.at <= 20);
        Some(match before {
            _ if newest.quality == Bad => Truth::Neither,
            None => Truth::Neither,
            Some(before) if (newest.value - before.value).abs() >= 10.0 => Truth::Beyond,
            Some(before) => clear((newest.value - before.value).abs() < 8.0, newest.quality),
        })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(5, "T", 50.0),
            step(5, "T", 61.0),
            step(20, "T", 59.0),
            step(30, "T", 80.0),
            quality(5, "T", 70.0, Uncertain),
            quality(5, "T", 90.0, Bad),
        ]
    };
    let scenario = "spike 10 within 20s, deadband 2";
    hold(&Kind { scenario, target: "T", condition: Condition::Spike, alphabet, truth, suppressed: never }, 5);
}

#[test]
fn every_short_history_of_a_frozen_value() {
    let truth = |seen: &[Seen]| {
        let newest = seen.last()?;
        if newest.quality == Bad {
            return Some(Truth::Neither);
        }
        let known: Vec<_> = seen.iter().filter(|seen| seen.quality != Bad).collect();
        let near = |seen: &&&Seen| (seen.value - newest.value).abs() <= 0.2;
        let flat: Vec<_> = known.iter().rev().take_while(near).collect();
        let zero: Vec<_> = known.iter().rev().take_while(|seen| seen.value == 0.0).collect();
        let long = |stretch: &[&&Seen], least: i64| stretch.last().is_some_and(|first| newest.at - first.at >= least);
        let frozen = flat.len() >= 3 && long(&flat, 30) || long(&zero, 20);
        Some(if frozen { Truth::Beyond } else { clear(true, newest.quality) })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(10, "T", 5.0),
            step(10, "T", 5.1),
            step(20, "T", 5.0),
            step(10, "T", 9.0),
            step(10, "T", 0.0),
            quality(10, "T", 5.0, Uncertain),
            quality(10, "T", 5.0, Bad),
        ]
    };
    let scenario = "frozen flat 30s zero 20s tolerance 0.2";
    hold(&Kind { scenario, target: "T", condition: Condition::Frozen, alphabet, truth, suppressed: never }, 5);
}

fn sent_again(alphabet: &'static [Step]) {
    let truth = |seen: &[Seen]| {
        let newest = seen.last()?;
        // Bad ones neither move nor stand still.
        let known: Vec<_> = seen.iter().filter(|seen| seen.quality != Bad).collect();
        let repeats =
            |pair: &&[&Seen]| pair[1].sequence.is_some() && (pair[0].sequence, pair[0].value) == (pair[1].sequence, pair[1].value);
        let again = known.windows(2).rev().take_while(repeats).count();
        Some(match newest.quality {
            Bad => Truth::Neither,
            _ if again >= 2 => Truth::Beyond,
            quality => clear(true, quality),
        })
    };
    let (scenario, target, condition) = ("frozen resent 2", "T", Condition::Frozen);
    // The short ones with every reading delivered twice, which is not sent again with a fresh time.
    for length in [4, 6] {
        hold(&Kind { scenario, target, condition, alphabet, truth, suppressed: never }, length);
    }
}

const SENT: &[Step] = &[
    numbered(5, "T", 5.0, Good, 7),
    numbered(5, "T", 5.0, Good, 8),
    numbered(5, "T", 6.0, Good, 7),
    step(5, "T", 5.0),
    numbered(5, "T", 5.0, Uncertain, 7),
    numbered(5, "T", 5.0, Uncertain, 8),
];

#[test]
fn every_short_history_of_a_reading_sent_again() {
    sent_again(SENT);
}

#[test]
fn every_short_history_of_a_reading_sent_again_with_bad_ones_between() {
    sent_again(const { &[SENT[0], SENT[1], SENT[2], SENT[3], quality(5, "T", 5.0, Bad)] });
}

/// The change per minute over the last minute: from the value that held when it began, or else the first one in it.
fn rate(seen: &[Seen]) -> Option<f64> {
    const WINDOW: i64 = 60;
    let newest = seen.last().filter(|newest| newest.quality != Bad)?;
    let begin = newest.at - WINDOW;
    // Good stretches: value, start, end; one held longer than the window is known over its last part.
    let stretches: Vec<(f64, i64, i64)> = seen
        .iter()
        .enumerate()
        .filter(|(_, one)| one.quality != Bad)
        .map(|(at, one)| {
            let end = seen.get(at + 1).map_or(one.at, |next| next.at);
            (one.value, if end - one.at >= WINDOW { end - WINDOW } else { one.at }, end)
        })
        .collect();
    let holds = stretches.iter().rev().find(|(_, start, end)| *start <= begin && begin <= *end);
    let (value, start, _) = holds.or_else(|| stretches.iter().find(|(_, start, _)| *start > begin))?;
    let apart = newest.at - start;
    (apart >= WINDOW / 2).then(|| (newest.value - value) / apart as f64 * 60.0)
}

#[test]
fn every_short_history_of_a_rate_of_change() {
    let up = |seen: &[Seen]| {
        let newest = seen.last()?;
        Some(match rate(seen) {
            None => Truth::Neither,
            Some(rate) if rate >= 2.0 => Truth::Beyond,
            Some(rate) => clear(rate < 1.5, newest.quality),
        })
    };
    let down = |seen: &[Seen]| {
        let newest = seen.last()?;
        Some(match rate(seen).map(|rate| -rate) {
            None => Truth::Neither,
            Some(rate) if rate >= 2.0 => Truth::Beyond,
            Some(rate) => clear(rate < 1.5, newest.quality),
        })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(20, "T", 20.0),
            step(20, "T", 21.0),
            step(20, "T", 22.5),
            step(70, "T", 20.0),
            quality(20, "T", 24.0, Uncertain),
            quality(20, "T", 24.0, Bad),
        ]
    };
    let scenario = "rate-up 2 over 60s, deadband 0.5, rate-down 2 over 60s, deadband 0.5";
    hold(&Kind { scenario, target: "T", condition: Condition::RateUp, alphabet, truth: up, suppressed: never }, 6);
    hold(&Kind { scenario, target: "T", condition: Condition::RateDown, alphabet, truth: down, suppressed: never }, 5);
}

#[test]
fn every_short_history_of_a_deviation() {
    let truth = |seen: &[Seen]| {
        Some(match (value(seen, "A"), value(seen, "B")) {
            (Some((a, _)), Some((b, _))) if (a - b).abs() >= 5.0 => Truth::Beyond,
            (Some((a, true)), Some((b, true))) => clear((a - b).abs() < 4.0, Good),
            _ => Truth::Neither,
        })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(1, "A", 50.0),
            step(1, "A", 55.0),
            quality(1, "A", 60.0, Uncertain),
            quality(1, "A", 60.0, Bad),
            step(1, "B", 50.0),
            step(1, "B", 50.5),
            quality(1, "B", 50.0, Bad),
        ]
    };
    let scenario = "tag A,B temperature\ncalc D deviation 5, deadband 1 := abs([A] - [B])";
    hold(&Kind { scenario, target: "D", condition: Condition::Deviation, alphabet, truth, suppressed: never }, 5);
}

#[test]
fn every_short_history_of_a_vote() {
    let truth = |seen: &[Seen]| {
        let votes = ["A", "B", "C"].map(|tag| value(seen, tag).map(|(value, good)| (value >= 50.0, good)));
        let yes = votes.iter().flatten().filter(|(yes, _)| *yes).count();
        let lost = votes.iter().filter(|vote| vote.is_none()).count();
        let doubtful = votes.iter().flatten().filter(|(yes, good)| !yes && !good).count();
        Some(if yes >= 2_usize.saturating_sub(lost).max(1) { Truth::Beyond } else { clear(yes + lost + doubtful < 2, Good) })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(1, "A", 5.0),
            step(1, "A", 60.0),
            quality(1, "A", 5.0, Bad),
            quality(1, "A", 5.0, Uncertain),
            step(1, "B", 5.0),
            step(1, "B", 60.0),
            quality(1, "B", 60.0, Bad),
            step(1, "C", 5.0),
            step(1, "C", 60.0),
        ]
    };
    let scenario = "tag A,B,C toxic\ncalc V truth, voted 1 := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)";
    hold(&Kind { scenario, target: "V", condition: Condition::Voted, alphabet, truth, suppressed: never }, 5);
}

#[test]
fn every_short_history_of_a_compound() {
    let truth = |seen: &[Seen]| {
        let (level, pump) = (value(seen, "A").map(|(value, good)| (value >= 50.0, good)), value(seen, "P"));
        let pump = pump.map(|(value, good)| (value < 0.5, good));
        // `and`: one good no decides; two yes, however known, raise.
        Some(match (level, pump) {
            (Some((true, _)), Some((true, _))) => Truth::Beyond,
            _ if level == Some((false, true)) || pump == Some((false, true)) => Truth::Clear,
            _ => Truth::Neither,
        })
    };
    let alphabet: &'static [Step] = const {
        &[
            step(1, "A", 5.0),
            step(1, "A", 60.0),
            quality(1, "A", 60.0, Bad),
            quality(1, "A", 5.0, Uncertain),
            step(1, "P", 0.0),
            step(1, "P", 1.0),
            quality(1, "P", 1.0, Bad),
        ]
    };
    let scenario = "tag A level\ntag P switch\ncalc W truth, compound 1 := [A] >= 50 and not [P]";
    hold(&Kind { scenario, target: "W", condition: Condition::Compound, alphabet, truth, suppressed: never }, 5);
}

#[test]
fn every_short_history_of_a_suppression() {
    let truth = |seen: &[Seen]| {
        let newest = seen.last().filter(|newest| newest.tag == "F")?;
        Some(match newest.quality {
            Bad => Truth::Neither,
            _ if newest.value <= 20.0 => Truth::Beyond,
            quality => clear(true, quality),
        })
    };
    let suppressed = |seen: &[Seen]| value(seen, "K").is_some_and(|(value, good)| good && value >= 0.5);
    let alphabet: &'static [Step] = const {
        &[
            step(1, "F", 5.0),
            step(1, "F", 50.0),
            quality(1, "F", 5.0, Bad),
            step(1, "K", 1.0),
            step(1, "K", 0.0),
            quality(1, "K", 1.0, Uncertain),
            quality(1, "K", 1.0, Bad),
        ]
    };
    let scenario = "tag F temperature, low 20, suppressed-by S\ntag K switch\ncalc S truth := [K]";
    hold(&Kind { scenario, target: "F", condition: Condition::Low, alphabet, truth, suppressed }, 6);
}

#[test]
fn every_short_history_of_limits_by_mode() {
    fn mode(seen: &[Seen]) -> usize {
        value(seen, "N").filter(|(_, good)| *good).map_or(0, |(value, _)| value as usize)
    }
    let truth = |seen: &[Seen]| {
        let newest = *seen.last()?;
        // Where the mode is off, the ordinary limit is recorded.
        let limit = [80.0, 100.0, 80.0][mode(seen)];
        if newest.tag == "T" {
            return Some(match newest.quality {
                Bad => Truth::Neither,
                _ if newest.value >= limit => Truth::Beyond,
                quality => clear(true, quality),
            });
        }
        // A change of mode raises what stands beyond the new limit; it returns nothing.
        let changed = mode(seen) != mode(&seen[..seen.len() - 1]);
        let beyond = value(seen, "T").is_some_and(|(value, _)| value >= limit);
        (changed && beyond).then_some(Truth::Beyond)
    };
    let suppressed = |seen: &[Seen]| mode(seen) == 2;
    let alphabet: &'static [Step] = const {
        &[
            step(1, "T", 50.0),
            step(1, "T", 90.0),
            step(1, "T", 110.0),
            quality(1, "T", 110.0, Bad),
            step(1, "N", 0.0),
            step(1, "N", 1.0),
            step(1, "N", 2.0),
            quality(1, "N", 1.0, Bad),
        ]
    };
    let scenario = "tag T temperature, high 80, mode 1 limit 100, mode 2 off\ntag N level\ncalc M := [N]\nmodes M";
    hold(&Kind { scenario, target: "T", condition: Condition::High, alphabet, truth, suppressed }, 5);
}

#[test]
fn every_short_history_of_a_warm_up() {
    let truth = |seen: &[Seen]| {
        let newest = *seen.last()?;
        if newest.quality == Bad {
            return Some(Truth::Neither);
        }
        // It began to warm up with the first reading after the last bad one.
        let begin = seen.iter().rev().take_while(|seen| seen.quality != Bad).last().map_or(newest.at, |first| first.at);
        let warm = newest.at - begin >= 20;
        Some(if newest.value >= 25.0 { Truth::Beyond } else { clear(warm, newest.quality) })
    };
    let alphabet: &'static [Step] =
        const { &[step(5, "T", 30.0), step(5, "T", 5.0), step(20, "T", 5.0), quality(5, "T", 5.0, Uncertain), quality(5, "T", 5.0, Bad)] };
    let scenario = "toxic, high 25, warm-up 20s";
    hold(&Kind { scenario, target: "T", condition: Condition::High, alphabet, truth, suppressed: never }, 6);
}
