//! Classes: a row needs only what differs, and it is known where every value was written.

use crate::acme::{load, with_files};
use model::{Condition, Level, TagId};
use watchfire_config::{EXAMPLE_CLASSES, Files, Lang, Options, explain};

const HEADS: &str = "位号,设备位号,设备类型,重大危险源等级,介质,信号类型,单位,压力基准,量程低限,量程高限,低低报,低报,高报,高高报,回差,报警延时s,恢复延时s,网关,类别";
const CLASSES: &str = r#"
[[class]]
name = ["常压储罐", "atmospheric-tank"]
signal = "level"
low = "15 %"
high = "80 %"
high_high = "90 %"
deadband = "5 %"
on_delay = "60s"
high_high_delay = "3s"
off_delay = "30s"
level = { low = "yellow" }
cause = "收料超量"
consequence = "冒罐"
response = "停止进料"
respond_within = "10min"
for_low = { cause = "泄漏" }

[[class]]
name = "有毒"
signal = "toxic"
medium = ["氨"]
unit = "ppm"
high = 20
high_high = 40
deadband_of_limit = "10 %"

[[class]]
name = "有毒"
signal = "toxic"
on_delay = "3s"
"#;

fn list(rows: &[&str]) -> String {
    std::iter::once(HEADS).chain(rows.iter().copied()).map(|line| format!("{line}\n")).collect()
}

fn files(classes: &str, rows: &[&str]) -> Vec<(String, Vec<u8>)> {
    with_files(&[("classes.toml", classes), ("enterprises/acme.csv", &list(rows))])
}

/// The process conditions of a tag: `condition setpoint/deadband on/off level`.
fn limits(rows: &[&str], tag: &str) -> Vec<String> {
    let plant = match load(files(CLASSES, rows)) {
        Ok(loaded) => loaded.plant,
        Err(faults) => panic!("{faults}"),
    };
    let tag = plant.tag(plant.find_tag("acme", tag).expect("it is in the list"));
    let process = tag.conditions.iter().filter(|rule| rule.condition.is_limit());
    process
        .map(|rule| {
            let (on, off, level) = (rule.on_delay, rule.off_delay, rule.level.name());
            format!("{} {}/{} {on}/{off} {level}", rule.condition, rule.setpoint, rule.deadband)
        })
        .collect()
}

fn codes(classes: &str, rows: &[&str]) -> Vec<&'static str> {
    match load(files(classes, rows)) {
        Ok(loaded) => loaded.warnings.iter().map(|fault| fault.code).collect(),
        Err(faults) => faults.faults().iter().map(|fault| fault.code).collect(),
    }
}

const TANK: &str = "LIA-1,V-1,储罐,无,甲醇,液位,m,/,2,12,,,,,,,,GW01,常压储罐";

#[test]
fn what_a_row_leaves_empty_comes_from_its_class() {
    assert_eq!(limits(&[TANK], "LIA-1"), ["low 3.5/0.5 60s/30s yellow", "high 10/0.5 60s/30s blue", "high-high 11/0.5 3s/30s orange"]);
}

#[test]
fn what_a_row_says_stands_and_none_is_none() {
    let row = "LIA-1,V-1,储罐,无,甲醇,液位,m,/,2,12,,/,9.5,,0.2,10,0,GW01,atmospheric-tank";
    assert_eq!(limits(&[row], "LIA-1"), ["high 9.5/0.2 10s/0s blue", "high-high 11/0.2 3s/0s orange"]);
}

#[test]
fn an_entry_for_the_medium_comes_before_one_for_all() {
    let ammonia = "GT-1,罐区,区域,二级,氨,有毒气体,ppm,/,0,100,,,,,,,,GW01,有毒";
    let chlorine = "GT-2,罐区,区域,二级,氯,有毒气体,ppm,/,0,10,,,0.3,0.6,,,,GW01,有毒";
    assert_eq!(limits(&[ammonia, chlorine], "GT-1"), ["high 20/2 0s/0s orange", "high-high 40/4 0s/0s red"]);
    assert_eq!(limits(&[ammonia, chlorine], "GT-2"), ["high 0.3/0 3s/0s orange", "high-high 0.6/0 0s/0s red"]);
}

#[test]
fn the_rationalisation_of_a_limit_comes_before_that_of_its_tag_and_class() {
    let rows = "LIA-1,V-1,储罐,无,甲醇,液位,m,/,2,12,,,,,,,,GW01,常压储罐,关进料阀,5,液位计坏";
    let list = format!("{HEADS},处置措施,允许响应时间min,高高报原因\n{rows}\n");
    let plant = load(with_files(&[("classes.toml", CLASSES), ("enterprises/acme.csv", &list)])).expect("it is right").plant;
    let tag = plant.tag(plant.find_tag("acme", "LIA-1").expect("it is in the list"));
    let of = |condition| {
        tag.conditions.iter().find(|rule| rule.condition == condition).and_then(|rule| rule.rationale.clone()).expect("it has one")
    };
    let (low, high_high) = (of(Condition::Low), of(Condition::HighHigh));
    assert_eq!((low.cause.as_str(), low.consequence.as_str(), low.response.as_str()), ("泄漏", "冒罐", "关进料阀"));
    assert_eq!((high_high.cause.as_str(), high_high.time_to_respond), ("液位计坏", Some(model::Duration::from_mins(5))));
    assert!(tag.conditions.iter().filter(|rule| rule.condition.is_data_fault()).all(|rule| rule.rationale.is_none()));
}

#[test]
fn what_people_are_told_is_no_part_of_the_rule_version() {
    let with = load(files(CLASSES, &[TANK])).expect("it is right").plant;
    let without = load(files(&CLASSES.replace("收料超量", "别的原因"), &[TANK])).expect("it is right").plant;
    assert_eq!(with.version, without.version);
    let moved = load(files(&CLASSES.replace("\"80 %\"", "\"81 %\""), &[TANK])).expect("it is right").plant;
    assert_ne!(with.version, moved.version);
}

#[test]
fn a_level_that_needs_a_rationalisation_is_refused_without() {
    let policies = include_str!("acme/policies.toml").to_owned() + "\n[rationalisation]\nrequired = [\"red\", \"orange\"]\n";
    let load_with = |classes: &str| {
        let list = list(&[TANK]);
        load(with_files(&[("classes.toml", classes), ("enterprises/acme.csv", &list), ("policies.toml", &policies)]))
    };
    assert!(load_with(CLASSES).is_ok());
    let faults = load_with(&CLASSES.replace("response = \"停止进料\"\n", "")).expect_err("orange lacks a response");
    let [fault] = faults.faults() else { panic!("{faults}") };
    assert_eq!(fault.code, "rationale-missing");
    assert_eq!(fault.text.get(Lang::En), "HH is orange and lacks: response");
    assert_eq!((fault.line, fault.column), (2, 43));
}

#[test]
fn a_class_that_does_not_fit_is_refused_at_the_row() {
    for (row, code) in [
        (TANK.replace("常压储罐", "常压罐"), "unknown-class"),
        (TANK.replace("液位,m", "温度,℃"), "class-signal"),
        (TANK.replace("2,12", ","), "class-without-range"),
        ("GT-1,罐区,区域,二级,氨,有毒气体,mg/m³,/,0,100,,,,,,,,GW01,有毒".to_owned(), "class-unit"),
        (TANK.replace(",,,,,,,,GW01", ",,,70,60,,,,GW01"), "limits-out-of-order"),
        (TANK.replace(",,,,,,,,GW01", ",,,,,3,,,GW01"), "deadband"),
    ] {
        assert!(codes(CLASSES, &[&row]).contains(&code), "{row}: {:?}", codes(CLASSES, &[&row]));
    }
    assert_eq!(codes("", &[TANK]), ["unknown-class"]);
}

#[test]
fn what_is_wrong_in_the_classes_is_told_there() {
    for (from, to, code) in [
        ("unit = \"ppm\"\n", "", "class-without-unit"),
        ("\"80 %\"", "\"180 %\"", "class-amount"),
        ("\"80 %\"", "nan", "not-finite"),
        ("deadband_of_limit", "deadband = 1\ndeadband_of_limit", "class-amount"),
        ("signal = \"level\"", "signal = \"levle\"", "unknown-name"),
        ("on_delay = \"60s\"", "on_delay = \"3h\"", "out-of-bounds"),
        ("medium = [\"氨\"]\n", "", "duplicate-class"),
        ("high_high = \"90 %\"", "hihi = \"90 %\"", "unknown-key"),
        ("unit = \"ppm\"", "unit = \"MPa\"", "unit"),
    ] {
        assert!(CLASSES.contains(from), "{from}");
        let seen = codes(&CLASSES.replacen(from, to, 1), &[TANK]);
        assert!(seen.contains(&code), "{to}: {seen:?}");
    }
}

#[test]
fn a_class_never_gives_a_gas_alarm_a_lower_level() {
    let classes = CLASSES.replace("deadband_of_limit = \"10 %\"", "level = { high_high = \"yellow\" }");
    let row = "GT-1,罐区,区域,二级,氨,有毒气体,ppm,/,0,100,,,,,,,,GW01,有毒";
    assert_eq!(codes(&classes, &[row]), ["class-level"]);
    let raised = load(files(&classes.replace("\"yellow\"", "\"red\""), &[row])).expect("higher is allowed").plant;
    let tag = raised.tag(raised.find_tag("acme", "GT-1").expect("it is in the list"));
    assert!(tag.conditions.iter().any(|rule| rule.condition == Condition::HighHigh && rule.level == Level::Red && rule.siren));
}

/// Systems disagree on which end 1 is, so a number names no level.
#[test]
fn a_level_by_number_is_refused_whichever_way_it_was_meant() {
    for level in ["1", "4", "\"1\"", "\"4\"", "\"一级\"", "\"四级\""] {
        let seen = codes(&CLASSES.replace("level = { low = \"yellow\" }", &format!("level = {{ low = {level} }}")), &[TANK]);
        assert!(!seen.is_empty(), "{level} was taken for a level");
    }
}

#[test]
fn the_shipped_classes_are_without_fault_and_give_limits() {
    let rows = [
        "LIA-1,V-1,储罐,无,甲醇,液位,%,/,0,100,,,,,,,,GW01,常压储罐",
        "PIA-1,V-2,储罐,无,丙烷,压力,MPa,表压,0,2.5,,,1.4,1.6,,,,GW01,pressure-vessel",
        "GC-1,罐区,区域,无,甲醇,可燃气体,%LEL,/,0,100,,,,,,,,GW01,可燃气体探测器",
        "GT-1,罐区,区域,无,氨,有毒气体,ppm,/,0,100,,,,,,,,GW01,有毒气体探测器",
        "GO-1,罐区,区域,无,氮,氧气,%VOL,/,0,30,,,,,,,,GW01,氧气探测器",
        "FIA-1,P-1,泵,无,甲醇,流量,m³/h,/,0,50,,10,,,,,,GW01,pump",
    ];
    let seen = codes(EXAMPLE_CLASSES, &rows);
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn explaining_a_tag_says_where_every_value_was_written() {
    let files = Files::from_memory(files(CLASSES, &["LIA-1,V-1,储罐,无,甲醇,液位,m,/,2,12,,,9.5,,,,,GW01,常压储罐"]));
    let environment = |_: &str| Some("s3cret".to_owned());
    let options = Options { today: None, environment: &environment };
    let explained = explain(&files, &options, &TagId::new("acme", "LIA-1")).expect("it is right").expect("the list has it");
    let fact = |what: &str| {
        let fact = explained.facts.iter().find(|fact| fact.what.get(Lang::En) == what).unwrap_or_else(|| panic!("{what} is not explained"));
        format!("{} | {}", fact.value, fact.from.get(Lang::En))
    };
    assert_eq!(fact("high"), "9.5 m | enterprises/acme.csv:2:33");
    assert_eq!(fact("high-high"), "11 m | class, classes.toml:7:13");
    assert_eq!(fact("high deadband"), "0.5 m | class, classes.toml:8:12");
    assert_eq!(fact("low level"), "黄色 / yellow (minor) | class, classes.toml:12:17");
    assert_eq!(fact("low cause"), "泄漏 | class, classes.toml:2:1");
    assert!(fact("high level").contains("[levels], <example policy>:"), "{}", fact("high level"));
    assert_eq!(explain(&files, &options, &TagId::new("acme", "LIA-2")).expect("it is right"), None);
}
