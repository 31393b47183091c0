//! A comparison is about what people are told, not only about what is raised; and what is left out is left out alone.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use config::{Files, Lang, Options};
use model::plant::{Commissioning, ConditionRule};
use model::{
    Act, ActId, ActKind, Actor, AlarmId, Condition, Duration, EpisodeRef, Level, Outcome, Plant, Quality, Reading, TagId, TagIndex, Tier,
    Timestamp,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use watchfire_tuning::backtest::{Answers, Comparison, Difference, LeftOut, MedianTimes, Run, RunResult, Taken, Tally, compare};
use watchfire_tuning::report::{self, Subject};

const START: Timestamp = Timestamp::from_secs(1_772_416_800);
const LEVELS: [&str; 2] = ["LIA-101", "LIA-102"];

/// The shipped configuration, with some more rules.
fn plant(more_rules: &str) -> Plant {
    let read = Files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config"));
    let with_rules = |(path, bytes): (&Path, &[u8])| {
        let mut bytes = bytes.to_vec();
        if path == Path::new("rules.toml") {
            bytes.extend_from_slice(more_rules.as_bytes());
        }
        (path.to_owned(), bytes)
    };
    let files = Files::from_memory(read.iter().map(with_rules).collect::<Vec<_>>());
    let loaded = config::load_files(&files, &Options { today: None, environment: &|_| None });
    loaded.unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))).plant
}

fn tags() -> Vec<TagId> {
    LEVELS.map(|tag| TagId::new("hongxin", tag)).into()
}

/// With another high limit of LIA-101.
fn changed(change: impl Fn(&mut ConditionRule)) -> Plant {
    let mut plant = plant("");
    let index = plant.tag_index(&high().tag).unwrap();
    change(plant.tags[index.at()].conditions.iter_mut().find(|rule| rule.condition == Condition::High).unwrap());
    plant
}

fn high() -> AlarmId {
    AlarmId { tag: TagId::new("hongxin", "LIA-101"), condition: Condition::High }
}

/// LIA-101 beyond 80 % for two minutes from each of these minutes on, LIA-102 at rest.
fn readings(beyond: &[i64], minutes: i64, under_test: std::ops::Range<i64>) -> Vec<Taken> {
    let of = |step: i64| {
        let (at, minute) = (START + Duration::from_secs(5).times(step), step / 12);
        let value = if beyond.iter().any(|from| (*from..*from + 2).contains(&minute)) { 85.0 } else { 50.0 };
        let reading = |place: u32, value: f64| Reading {
            tag: TagIndex(place),
            source_time: at,
            receive_time: at,
            value,
            quality: Quality::Good,
            sequence: None,
        };
        let under_test = under_test.contains(&minute);
        [Taken { reading: reading(1, 50.0), at, under_test: false }, Taken { reading: reading(0, value), at, under_test }]
    };
    (0..minutes * 12).flat_map(of).collect()
}

fn run(plant: &Arc<Plant>, readings: &[Taken], acts: &[(Timestamp, Act)]) -> RunResult {
    let answers = Answers::After(MedianTimes::default());
    let mut run = Run::new(plant.clone(), &tags(), answers, START);
    let mut acts = acts.iter().peekable();
    for taken in readings {
        while let Some((at, act)) = acts.next_if(|(at, _)| *at < taken.at) {
            run.act(act, *at);
        }
        run.reading(taken);
    }
    run.finish(end(readings))
}

fn end(readings: &[Taken]) -> Timestamp {
    readings.last().unwrap().at + Duration::from_secs(5)
}

fn compared(before: Plant, after: Plant, readings: &[Taken], acts: &[(Timestamp, Act)]) -> (Comparison, Plant) {
    let (before, after) = (Arc::new(before), Arc::new(after));
    let run = |plant: &Arc<Plant>| run(plant, readings, acts);
    let sides = || (run(&before), run(&after));
    (compare(sides(), sides(), &["hongxin".into()], (START, end(readings))), Arc::unwrap_or_clone(after))
}

fn found_drill(since: Timestamp, at: Timestamp) -> (Timestamp, Act) {
    let of = EpisodeRef { alarm: high(), episode: model::Episode { since, count: 0 } };
    let by = Actor { person: "hongxin-op1".into(), body: "hongxin".into(), tier: Tier::ENTERPRISE };
    let what =
        ActKind::Check { case: "unknown".into(), episodes: vec![of], outcome: Outcome::Drill, field: None, comment: "演练".into() };
    (at, Act { id: ActId::new("drill"), by, what })
}

fn minute(minute: i64) -> Timestamp {
    START + Duration::from_mins(minute)
}

const SUPPRESSED: &str =
    "\n[suppressions.hongxin.\"罐区停用\"]\nwhen = \"[LIA-102] < 70 %\"\nalarms = [\"LIA-101 high\"]\nreason = \"停用\"\n";
const OFF: &str = "\n[modes.hongxin.\"V-101\"]\nmodes = [{ name = \"停用\", when = \"[LIA-102] < 70 %\" }]\n\
                   limits = [{ alarm = \"LIA-101 high\", mode = \"停用\", off = true }]\n";

#[test]
fn an_alarm_that_nobody_would_be_told_of_any_more_differs_though_it_is_raised() {
    let readings = readings(&[10, 30], 40, 0..0);
    for rules in [SUPPRESSED, OFF] {
        let (comparison, after) = compared(plant(""), plant(rules), &readings, &[]);
        assert_eq!((comparison.figures.0.alarms, comparison.figures.1.alarms), (2, 0), "{rules}");
        assert_eq!(Tally::of(&comparison.differences), Tally { no_longer_told: 2, ..Tally::default() }, "{rules}");
        assert!(comparison.differences.iter().all(|difference| difference.takes() && difference.kind() == "no-longer-told"));
        let subject = Subject { before: ("one", &after), after: ("two", &after), traces: &BTreeMap::new(), notes: &[] };
        assert!(report::html(&comparison, &subject, Lang::Zh).contains("<td>不再告知"));
        assert!(report::html(&comparison, &subject, Lang::En).contains("gained 0, lost 0, moved 0, no longer told 2"));
        let (back, _) = compared(plant(rules), plant(""), &readings, &[]);
        assert_eq!(Tally::of(&back.differences), Tally { newly_told: 2, ..Tally::default() }, "{rules}");
        assert!(!back.differences.iter().any(Difference::takes));
    }
}

#[test]
fn an_alarm_told_only_when_its_suppression_ends_is_told_later() {
    let mut readings = readings(&[10], 20, 0..0);
    // Suppressed until a minute after the raise.
    for taken in readings.iter_mut().filter(|taken| taken.reading.tag == TagIndex(1) && taken.at >= START + Duration::from_secs(690)) {
        taken.reading.value = 75.0;
    }
    let (comparison, _) = compared(plant(""), plant(SUPPRESSED), &readings, &[]);
    assert_eq!(Tally::of(&comparison.differences), Tally { moved: 1, ..Tally::default() }, "{:?}", comparison.differences);
    assert!(comparison.differences[0].takes());
    assert_eq!(comparison.figures.1.alarms, 1);
}

#[test]
fn a_lower_level_differs_and_takes_and_a_higher_one_gives() {
    let of_level = |level: Level| changed(|rule| rule.level = level);
    let readings = readings(&[10], 20, 0..0);
    let (comparison, _) = compared(of_level(Level::Yellow), of_level(Level::Blue), &readings, &[]);
    assert_eq!(Tally::of(&comparison.differences), Tally { level_changed: 1, ..Tally::default() });
    assert!(comparison.differences.iter().all(Difference::takes));
    assert!(report::what_differs(&comparison.differences[0], Lang::En).ends_with("-> blue"));
    let (back, _) = compared(of_level(Level::Blue), of_level(Level::Yellow), &readings, &[]);
    assert_eq!(Tally::of(&back.differences), Tally { level_changed: 1, ..Tally::default() });
    assert!(!back.differences.iter().any(Difference::takes));
}

#[test]
fn a_tag_that_would_be_commissioned_alarms_and_tells_nobody_and_after_its_end_tells_as_before() {
    let mut commissioned = plant("");
    let index = commissioned.tag_index(&high().tag).unwrap();
    commissioned.tags[index.at()].sheet.commissioning = Some(Commissioning { integrator: "hongxin-op1".into(), until: minute(20) });
    let readings = readings(&[10, 30], 40, 0..0);
    let (comparison, _) = compared(plant(""), commissioned.clone(), &readings, &[]);
    assert_eq!(Tally::of(&comparison.differences), Tally { no_longer_told: 1, ..Tally::default() }, "{:?}", comparison.differences);
    assert_eq!(comparison.answered.1.left_out, LeftOut { commissioning: 1, ..LeftOut::default() });
    assert_eq!((comparison.answered.0.episodes.len(), comparison.answered.1.episodes.len()), (2, 1));
    // On both sides it is left out, and the later one compared.
    let mut later = commissioned.clone();
    let rules = &mut later.tags[index.at()].conditions;
    rules.iter_mut().find(|rule| rule.condition == Condition::High).unwrap().setpoint = 86.0;
    let (comparison, _) = compared(commissioned, later, &readings, &[]);
    assert_eq!(Tally::of(&comparison.differences), Tally { lost: 1, ..Tally::default() }, "{:?}", comparison.differences);
}

#[test]
fn of_a_tag_under_test_only_what_it_raises_then_is_left_out() {
    let readings = readings(&[10, 30, 50], 60, 28..35);
    let (comparison, _) = compared(plant(""), changed(|rule| rule.setpoint = 86.0), &readings, &[]);
    assert_eq!(comparison.answered.0.left_out, LeftOut { under_test: 1, ..LeftOut::default() });
    let raised: Vec<_> = comparison.answered.0.episodes.iter().map(|one| one.raised.since(START).as_secs() / 60).collect();
    assert_eq!(raised, [10, 50]);
    assert_eq!(Tally::of(&comparison.differences), Tally { lost: 2, ..Tally::default() });
}

#[test]
fn a_drill_is_left_out_with_its_messages_and_the_real_alarms_of_its_tag_are_compared() {
    let readings = readings(&[10, 30, 50], 60, 0..0);
    let acts = [found_drill(minute(30), minute(40))];
    let plain = Arc::new(plant(""));
    let (all, without) = (run(&plain, &readings, &[]), run(&plain, &readings, &acts));
    assert_eq!((all.episodes.len(), all.left_out), (3, LeftOut::default()));
    assert_eq!((without.episodes.len(), without.left_out), (2, LeftOut { drills: 1, ..LeftOut::default() }));
    let messages = |result: &RunResult| result.people.values().map(|burden| burden.messages).sum::<usize>();
    assert!(messages(&without) > 0);
    // Each of the three calls as many people, and only the drill's messages are gone.
    assert_eq!(messages(&without) * 3, messages(&all) * 2);

    // Under another limit the drill begins later or not at all, and is no difference either.
    let (comparison, _) = compared(plant(""), changed(|rule| rule.setpoint = 86.0), &readings, &acts);
    assert_eq!(Tally::of(&comparison.differences), Tally { lost: 2, ..Tally::default() });
    let (comparison, _) = compared(plant(""), changed(|rule| rule.on_delay = Duration::from_secs(60)), &readings, &acts);
    assert_eq!(Tally::of(&comparison.differences), Tally { moved: 2, ..Tally::default() }, "{:?}", comparison.differences);
    assert_eq!(comparison.answered.1.left_out, LeftOut { drills: 1, ..LeftOut::default() });
}
