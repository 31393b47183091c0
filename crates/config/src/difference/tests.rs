//! Each direction by itself, and what must hold for any two plants.

use super::{Difference, Direction, Item, Line};
use crate::{Files, Options, load_files};
use model::plant::{ConditionRule, Plant, Tag};
use model::{Condition, Duration, Level, Signal, TagId};
use proptest::prelude::*;

const ACME: [(&str, &str); 6] = [
    ("server.toml", include_str!("../../tests/it/acme/server.toml")),
    ("jurisdiction.toml", include_str!("../../tests/it/acme/jurisdiction.toml")),
    ("people.toml", include_str!("../../tests/it/acme/people.toml")),
    ("policies.toml", include_str!("../../tests/it/acme/policies.toml")),
    ("gateways.toml", include_str!("../../tests/it/acme/gateways.toml")),
    ("enterprises/acme.csv", include_str!("../../tests/it/acme/acme.csv")),
];

fn plant() -> Plant {
    with_rules("")
}

/// The plant with a `rules.toml`.
fn with_rules(rules: &str) -> Plant {
    let options = Options { today: Some((2026, 1, 1)), environment: &|name| (name == "SMS_KEY").then(|| "s3cret".to_owned()) };
    let files = ACME.into_iter().chain((!rules.is_empty()).then_some(("rules.toml", rules)));
    load_files(&Files::from_memory(files), &options).expect("the plant has no fault").plant
}

/// The plant with one tag changed.
fn with(tag: &str, change: impl FnOnce(&mut Tag)) -> Plant {
    let mut plant = plant();
    let at = plant.find_tag("acme", tag).expect("the tag is in the list");
    change(&mut plant.tags[at.at()]);
    plant
}

fn rule(tag: &mut Tag, condition: Condition) -> &mut ConditionRule {
    tag.conditions.iter_mut().find(|rule| rule.condition == condition).expect("the tag has it")
}

/// `tag condition item old -> new direction level`, with `*` where a ticket is needed.
fn say(line: &Line) -> String {
    let tag = line.tag.as_ref().map_or("-", |tag| &*tag.tag);
    let condition = line.condition.map_or("-", Condition::name);
    let ticket = if line.needs_ticket() { " *" } else { "" };
    let level = line.level.map_or("-", Level::name);
    let (item, old, new) = (line.item.name(), line.old.en(), line.new.en());
    format!("{tag} {condition} {item} {old} -> {new} {} {level}{ticket}", line.direction.name())
}

#[track_caller]
fn check(changed: &Plant, expected: &[&str]) {
    let lines: Vec<String> = Difference::between(&plant(), changed).lines.iter().map(say).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_plan_against_itself_is_empty() {
    check(&plant(), &[]);
}

#[test]
fn a_high_limit_moved_up_is_looser_and_a_low_one_moved_up_is_tighter() {
    check(
        &with("LIA-101", |tag| {
            rule(tag, Condition::High).setpoint = 85.0;
            rule(tag, Condition::Low).setpoint = 20.0;
        }),
        &["LIA-101 low setpoint 15 -> 20 tighter blue", "LIA-101 high setpoint 80 -> 85 looser blue"],
    );
}

#[test]
fn loosening_an_orange_limit_wants_a_ticket_and_tightening_it_does_not() {
    check(&with("LIA-101", |tag| rule(tag, Condition::HighHigh).setpoint = 92.0), &["LIA-101 high-high setpoint 90 -> 92 looser orange *"]);
    check(&with("LIA-101", |tag| rule(tag, Condition::HighHigh).setpoint = 88.0), &["LIA-101 high-high setpoint 90 -> 88 tighter orange"]);
    // Lowering its level is judged by the level it had.
    check(
        &with("LIA-101", |tag| rule(tag, Condition::HighHigh).level = Level::Blue),
        &["LIA-101 high-high level orange -> blue looser orange *"],
    );
}

#[test]
fn delays_deadbands_sirens_and_levels_of_two_have_a_direction() {
    check(
        &with("GC-101", |tag| {
            let rule = rule(tag, Condition::HighHigh);
            rule.on_delay = Duration::from_secs(5);
            rule.off_delay = Duration::from_secs(30);
            rule.deadband = 5.0;
            rule.level_when_two = None;
            rule.siren = false;
        }),
        &[
            "GC-101 high-high deadband 2.5 -> 5 looser red *",
            "GC-101 high-high on-delay 0s -> 5s looser red *",
            "GC-101 high-high off-delay 60s -> 30s tighter red",
            "GC-101 high-high level-when-two red -> none looser red *",
            "GC-101 high-high siren yes -> no looser red *",
        ],
    );
}

#[test]
fn a_removed_limit_a_tag_out_of_service_and_a_dropped_tag_are_looser() {
    check(
        &with("LIA-101", |tag| tag.conditions.retain(|rule| rule.condition != Condition::HighHigh)),
        &["LIA-101 high-high condition 90 -> none looser orange *"],
    );
    check(&with("LIA-101", |tag| tag.in_service = false), &["LIA-101 - in-service yes -> no looser orange *"]);
    let mut without = plant();
    without.tags.retain(|tag| &*tag.id.tag != "LIA-101");
    check(&without, &["LIA-101 - tag low 15, low-low 10, high 80, high-high 90 -> none looser orange *"]);
}

#[test]
fn a_discrete_alarm_value_turned_round_and_a_new_unit_cannot_be_judged() {
    check(&with("SE-101", |tag| rule(tag, Condition::Discrete).setpoint = 1.0), &["SE-101 discrete setpoint 0 -> 1 unclear yellow"]);
    check(&with("LIA-101", |tag| tag.unit = "mm".to_owned()), &["LIA-101 - unit % -> mm unclear orange *"]);
}

#[test]
fn a_wider_range_is_looser_and_a_shifted_one_is_unclear() {
    check(&with("LIA-101", |tag| tag.range = Some((0.0, 120.0))), &["LIA-101 - range 0–100 -> 0–120 looser orange *"]);
    check(&with("LIA-101", |tag| tag.range = Some((10.0, 120.0))), &["LIA-101 - range 0–100 -> 10–120 unclear orange *"]);
    check(&with("LIA-101", |tag| tag.range = None), &["LIA-101 - range 0–100 -> none looser orange *"]);
}

/// A red statement two formulas behind a measured level, which a suppression keeps quiet while the tank is empty; the pressure's
/// orange limit follows the mode of the tank.
const LOGIC: &str = r#"
[calculated.acme."HALF"]
equipment = "1#鹤位"
equals = "[LIA-101] / 2"
unit = "%"
signal = "level"
[calculated.acme."BOTH"]
equipment = "1#鹤位"
equals = "[HALF] > 40 % and [PIA-101] > 1 kPa"
compound = { level = "red" }
[calculated.acme."IDLE"]
equipment = "1#鹤位"
equals = "[PIA-101] * 2"
unit = "kPa"
signal = "pressure"
[suppressions.acme."EMPTY"]
when = "[LIA-101] < 5 %"
alarms = ["BOTH compound"]
reason = "空罐"
[modes.acme."V-101"]
modes = [{ name = "倒罐", when = "[SE-101]" }]
limits = [{ alarm = "PIA-101 high-high", mode = "倒罐", limit = 1.9 }]
"#;

/// What changes where one thing of [`LOGIC`] is written otherwise.
#[track_caller]
fn check_rules(from: &str, to: &str, expected: &[&str]) {
    let changed = LOGIC.replace(from, to);
    assert_ne!(changed, LOGIC);
    let lines = |old: &str, new: &str| Difference::between(&with_rules(old), &with_rules(new)).lines.iter().map(say).collect::<Vec<_>>();
    assert_eq!(lines(LOGIC, &changed), expected);
}

#[test]
fn a_suppression_widened_until_it_always_holds_wants_the_ticket_of_the_alarm_it_keeps_quiet() {
    check_rules("< 5 %", "< 101 %", &["EMPTY - calculation [LIA-101] < 5 % -> [LIA-101] < 101 % unclear red *"]);
}

#[test]
fn a_mode_that_holds_at_other_times_wants_the_ticket_of_the_limits_it_chooses() {
    check_rules(
        "when = \"[SE-101]\"",
        "when = \"not [SE-101]\"",
        &["V-101工况 - calculation if ([SE-101]) then 1 else 0 -> if (not [SE-101]) then 1 else 0 unclear orange *"],
    );
}

#[test]
fn a_formula_wants_the_ticket_of_whatever_is_worked_out_of_it() {
    check_rules("[LIA-101] / 2", "[LIA-101] / 20", &["HALF - calculation [LIA-101] / 2 -> [LIA-101] / 20 unclear red *"]);
    // What nothing hangs on has no level and wants nothing.
    check_rules("[PIA-101] * 2", "[PIA-101] * 3", &["IDLE - calculation [PIA-101] * 2 -> [PIA-101] * 3 unclear -"]);
}

#[test]
fn a_formula_behind_a_suppression_wants_the_ticket_of_the_suppressed_alarm() {
    let logic = |factor: &str| {
        let half = LOGIC.replace("when = \"[LIA-101] < 5 %\"", "when = \"[IDLE] < 1 kPa\"");
        with_rules(&half.replace("[PIA-101] * 2", factor))
    };
    let lines: Vec<String> = Difference::between(&logic("[PIA-101] * 2"), &logic("[PIA-101] * 0.01")).lines.iter().map(say).collect();
    assert_eq!(lines, ["IDLE - calculation [PIA-101] * 2 -> [PIA-101] * 0.01 unclear red *"]);
}

#[test]
fn the_major_hazard_of_a_suppressed_alarm_is_the_suppressions_too() {
    let on_a_major_hazard = |rules: &str| {
        let mut plant = with_rules(&rules.replace("red", "blue"));
        let place = plant.tag(plant.find_tag("acme", "BOTH").expect("it is there")).equipment;
        plant.equipment[place.at()].hazard = model::Hazard::First;
        let elsewhere = plant.tag(plant.find_tag("acme", "PIA-101").expect("it is there")).equipment;
        let at = plant.find_tag("acme", "EMPTY").expect("it is there");
        plant.tags[at.at()].equipment = elsewhere;
        plant
    };
    let difference = Difference::between(&on_a_major_hazard(LOGIC), &on_a_major_hazard(&LOGIC.replace("< 5 %", "< 101 %")));
    let lines: Vec<_> = difference.lines.iter().map(|line| (line.item, line.level, line.hazard, line.needs_ticket())).collect();
    assert_eq!(lines, [(Item::Calculation, Some(Level::Blue), model::Hazard::First, true)]);
}

#[test]
fn a_new_suppression_of_an_alarm_is_looser_and_one_that_goes_is_tighter() {
    let (_, suppression) = LOGIC.split_once("[suppressions").expect("it has one");
    let (suppression, _) = suppression.split_once("[modes").expect("modes come after it");
    let without = LOGIC.replace(&format!("[suppressions{suppression}"), "");
    let lines = |old: &str, new: &str| Difference::between(&with_rules(old), &with_rules(new)).lines.iter().map(say).collect::<Vec<_>>();
    assert_eq!(
        lines(&without, LOGIC),
        ["BOTH compound suppressed-by none -> EMPTY looser red *", "EMPTY - tag none -> 设计抑制:空罐 = [LIA-101] < 5 % looser red *",]
    );
    assert_eq!(
        lines(LOGIC, &without),
        ["BOTH compound suppressed-by EMPTY -> none tighter red", "EMPTY - tag 设计抑制:空罐 = [LIA-101] < 5 % -> none tighter red",]
    );
}

#[test]
fn a_new_calculated_tag_and_a_suppression_of_its_own_alarm_only_take_nothing_away() {
    let difference = Difference::between(&plant(), &with_rules(LOGIC));
    let lines: Vec<String> = difference.lines.iter().filter(|line| line.item == Item::Tag).map(say).collect();
    assert_eq!(
        lines,
        [
            "BOTH - tag none -> BOTH = [HALF] > 40 % and [PIA-101] > 1 kPa tighter red",
            "EMPTY - tag none -> 设计抑制:空罐 = [LIA-101] < 5 % neutral red",
            "HALF - tag none -> HALF = [LIA-101] / 2 tighter red",
            "IDLE - tag none -> IDLE = [PIA-101] * 2 tighter -",
            "V-101工况 - tag none -> 甲类罐区V-101工况 = if ([SE-101]) then 1 else 0 unclear orange *",
        ]
    );
}

#[test]
fn a_measured_tag_out_of_service_wants_the_ticket_of_what_is_worked_out_of_it() {
    let (old, mut new) = (with_rules(LOGIC), with_rules(LOGIC));
    let at = new.find_tag("acme", "SE-101").expect("it is in the list");
    new.tags[at.at()].in_service = false;
    let lines: Vec<String> = Difference::between(&old, &new).lines.iter().map(say).collect();
    assert_eq!(lines, ["SE-101 - in-service yes -> no looser orange *"], "it says which limit of the pressure holds");
}

#[test]
fn a_tier_told_later_or_by_less_is_looser() {
    let mut changed = plant();
    let red = changed.policies.levels.last_mut().expect("four levels");
    red.sign_within = red.sign_within + Duration::from_mins(1);
    let last = red.tell.pop().expect("somebody is told");
    let lines: Vec<String> = Difference::between(&plant(), &changed).lines.iter().map(say).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("- - sign-within") && lines[0].ends_with("looser red *"), "{lines:?}");
    assert!(lines[1].contains("tell-after") && lines[1].ends_with("-> none looser red *"), "{lines:?} {last:?}");
}

#[test]
fn a_change_of_names_is_neutral_and_wants_nothing() {
    let changed = with("LIA-101", |tag| tag.name = "another name".into());
    let difference = Difference::between(&plant(), &changed);
    assert_eq!(difference.lines.iter().map(|line| (line.item, line.direction)).collect::<Vec<_>>(), [(Item::Shown, Direction::Neutral)]);
    assert!(!difference.needs_ticket());
    assert_eq!(difference.enterprises(), Some(vec!["acme".into()]));
}

/// Makes a change of a tag out of a few numbers.
fn edit(plant: &mut Plant, (at, what, by): (usize, u8, i8)) {
    let count = plant.tags.len();
    let tag = &mut plant.tags[at % count];
    let conditions = tag.conditions.len();
    let step = f64::from(by);
    let length = Duration::from_secs(i64::from(by).abs());
    match what % 14 {
        0 => tag.in_service = by > 0,
        1 => tag.range = (by != 0).then_some((-step.abs(), 100.0 + step)),
        2 => tag.stale_after = length,
        3 => tag.unit = format!("u{}", by / 50),
        4 => tag.signal = if by > 0 { Signal::Toxic } else { Signal::Level },
        5 => tag.name = format!("n{by}").into(),
        6 if conditions > 0 => {
            tag.conditions.remove(by.unsigned_abs() as usize % conditions);
        }
        7 if count > 1 => {
            plant.tags.remove(at % count);
        }
        8 => {
            let id = TagId::new("acme", format!("zz{by}"));
            if plant.tags.iter().all(|tag| tag.id != id) {
                let mut tag = Tag::new(id, Signal::Level);
                tag.conditions.push(ConditionRule::new(Condition::High, step, Level::Orange));
                plant.tags.push(tag);
                plant.tags.sort_by(|one, other| one.id.cmp(&other.id));
            }
        }
        9 => plant.policies.levels[at % 4].handle_within = length,
        10 => plant.policies.quiet = (at as u16 % 1440, by.unsigned_abs().into()),
        _ if conditions > 0 => {
            let rule = &mut tag.conditions[by.unsigned_abs() as usize % conditions];
            match what % 4 {
                0 => rule.setpoint += step,
                1 => rule.deadband = step.abs(),
                2 => rule.on_delay = length,
                _ => rule.level = Level::ALL[at % 4],
            }
        }
        _ => {}
    }
}

fn edits() -> impl Strategy<Value = Vec<(usize, u8, i8)>> {
    proptest::collection::vec((0usize..40, any::<u8>(), any::<i8>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn swapping_old_and_new_swaps_the_marks(one in edits(), other in edits()) {
        let (mut old, mut new) = (plant(), plant());
        one.into_iter().for_each(|change| edit(&mut old, change));
        other.into_iter().for_each(|change| edit(&mut new, change));
        let there = Difference::between(&old, &new).lines;
        let back: Vec<Line> = Difference::between(&new, &old)
            .lines
            .into_iter()
            .map(|line| Line { old: line.new, new: line.old, direction: line.direction.reversed(), ..line })
            .collect();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn whatever_decides_differently_has_a_line(one in edits()) {
        let mut new = plant();
        one.into_iter().for_each(|change| edit(&mut new, change));
        let old = plant();
        prop_assert_eq!(Difference::between(&new, &new).lines, vec![]);
        if old != new {
            prop_assert!(!Difference::between(&old, &new).is_empty());
        }
    }
}
