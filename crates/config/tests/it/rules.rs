//! `rules.toml`: what it adds, what it refuses, and with which words.

use crate::acme::{load, with_files};
use model::plant::{Method, ModeLimit};
use model::{Condition, Duration, Level, Signal};
use watchfire_config::{Lang, Severity};

/// Loads the small plant with a `rules.toml`.
fn with(rules: &str) -> model::Plant {
    load(with_files(&[("rules.toml", rules)])).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))).plant
}

/// The faults of a `rules.toml`: `line:column code: text (suggestion)`.
fn refused(rules: &str) -> Vec<String> {
    let Err(faults) = load(with_files(&[("rules.toml", rules)])) else { return vec!["no fault".to_owned()] };
    let errors = faults.faults().iter().filter(|fault| fault.severity == Severity::Error);
    errors
        .map(|fault| {
            let help = fault.suggestion.as_ref().map(|help| format!(" ({})", help.get(Lang::En))).unwrap_or_default();
            assert!(fault.file.ends_with("rules.toml"), "{fault:?}");
            assert!(!fault.text.get(Lang::Zh).is_empty());
            format!("{}:{} {}: {}{help}", fault.line, fault.column, fault.code, fault.text.get(Lang::En))
        })
        .collect()
}

fn tag<'p>(plant: &'p model::Plant, name: &str) -> &'p model::plant::Tag {
    plant.tag(plant.find_tag("acme", name).unwrap_or_else(|| panic!("{name}")))
}

#[test]
fn movement_latching_and_warm_up_are_added_to_measured_tags() {
    let plant = with(
        r#"
[signals.combustible]
frozen = { flat_for = "2h", tolerance = 0.01 }
warm_up = "60s"
[conditions.acme."LIA-101"]
rate_up = { limit = 3, window = "5min", deadband = 1, level = "orange" }
rate_down = { limit = 4, window = "1min" }
spike = { limit = 20 }
frozen = { zero_for = "10min", resent = 5 }
high_high = { latching = true, realarm_after = "30min" }
[conditions.acme."GC-101"]
warm_up = "90s"
"#,
    );
    let level = tag(&plant, "LIA-101");
    let kinds: Vec<_> = level.conditions.iter().map(|rule| rule.condition.name()).collect();
    let all = Condition::ALL.iter().map(|condition| condition.name()).filter(|name| kinds.contains(name)).collect::<Vec<_>>();
    assert_eq!(kinds, all, "in the order of all conditions, each once");
    let of = |name| level.conditions.iter().find(|rule| rule.condition == name).expect("it is there");
    assert_eq!((of(Condition::RateUp).setpoint, of(Condition::RateUp).level), (3.0, Level::Orange));
    assert_eq!(of(Condition::RateDown).method(), Method::Rate { window: Duration::from_mins(1) });
    assert_eq!(of(Condition::Spike).method(), Method::Step { within: Duration::from_mins(1) });
    let frozen = Method::Frozen { tolerance: 0.0, flat_for: None, zero_for: Some(Duration::from_mins(10)), resent: Some(5) };
    assert_eq!(of(Condition::Frozen).method(), frozen);
    let extra = of(Condition::HighHigh).extra.as_ref().expect("it has one");
    assert!(extra.latching && extra.realarm_after == Some(Duration::from_mins(30)));
    assert_eq!(of(Condition::HighHigh).setpoint, 90.0, "its limit stands in the list");
    assert_eq!(tag(&plant, "GC-101").warm_up, Duration::from_secs(90), "what a tag says goes before its signal");
    assert!(tag(&plant, "GC-101").conditions.iter().any(|rule| rule.condition == Condition::Frozen));
    assert!(tag(&plant, "PIA-101").conditions.iter().all(|rule| rule.condition != Condition::Frozen));
}

const LOGIC: &str = r#"
[calculated.acme."VOL"]
equipment = "V-101"
equals = "cylinder(10 m, [LIA-101] * 12 m)"
unit = "m³"
signal = "stock"
high = { limit = 800 }
[calculated.acme."WARN"]
equipment = "V-101"
equals = "[VOL] >= 700 m³ and not [SE-101]"
compound = { on_delay = "5s" }
[calculated.acme."GAS"]
equipment = "甲类罐区"
equals = "vote(1, [GC-101] >= 50 %LEL)"
voted = {}
[suppressions.acme."EMPTY"]
when = "[LIA-101] < 5 %"
alarms = ["PIA-101 high", "LIA-101 低报"]
reason = "空罐"
[modes.acme."V-101"]
modes = [{ name = "倒罐", when = "[PIA-101] > 1 kPa" }, { name = "检修", when = "[SE-101]" }]
limits = [
  { alarm = "LIA-101 low", mode = "倒罐", limit = 12 },
  { alarm = "LIA-101 low", mode = "检修", off = true },
]
"#;

#[test]
fn calculated_tags_modes_and_suppressions_are_built() {
    let plant = with(LOGIC);
    let volume = tag(&plant, "VOL");
    let calculation = volume.calculation.as_ref().expect("it is calculated");
    assert_eq!(plant.tag(calculation.inputs[0]).id.to_string(), "acme/LIA-101");
    assert_eq!((volume.signal, &*volume.unit, volume.gateway), (Signal::Stock, "m³", None));
    assert_eq!(volume.stale_after, Duration::ZERO, "it falls silent with its inputs only");
    assert_eq!(tag(&plant, "GAS").signal, Signal::Combustible);
    let low = tag(&plant, "LIA-101").conditions.iter().find(|rule| rule.condition == Condition::Low).expect("it has one");
    let extra = low.extra.as_ref().expect("it has one");
    assert_eq!(extra.suppressed_by, ["EMPTY"]);
    let [ModeLimit { mode: 1, limit: Some(limit) }, ModeLimit { mode: 2, limit: None }] = extra.modes[..] else {
        panic!("{:?}", extra.modes)
    };
    assert_eq!((limit.setpoint, limit.deadband, limit.on_delay), (12.0, low.deadband, low.on_delay), "what is not said stays");
    let modes = plant.equipment[tag(&plant, "LIA-101").equipment.at()].modes.as_ref().expect("it has modes");
    assert_eq!((&*plant.tag(modes.tag).id.tag, modes.names.join(" ")), ("V-101工况", "运行 倒罐 检修".to_owned()));
}

#[test]
fn the_rule_version_names_every_word_of_it() {
    let version = |rules: &str| with(rules).version;
    let base = version(LOGIC);
    assert_eq!(base, version(&LOGIC.replace("reason = \"空罐\"", "reason = \"罐空了\"")), "a reason decides nothing");
    for (from, to) in [
        ("* 12 m)", "* 11 m)"),
        ("limit = 800", "limit = 801"),
        ("mode = \"倒罐\", limit = 12", "mode = \"倒罐\", limit = 13"),
        ("< 5 %", "< 6 %"),
        ("\"PIA-101 high\", ", ""),
        ("voted = {}", "voted = { latching = true }"),
        ("name = \"检修\"", "name = \"清洗\""),
    ] {
        let changed =
            LOGIC.replace(from, to).replace("mode = \"检修\"", if to.contains("清洗") { "mode = \"清洗\"" } else { "mode = \"检修\"" });
        assert_ne!(changed, LOGIC);
        assert_ne!(base, version(&changed), "{from} → {to}");
    }
}

#[test]
fn no_mode_and_no_suppression_touches_a_gas_alarm() {
    let refusal = "gas-suppression: no mode and no suppression touches a gas alarm (for calibration and maintenance put the detector under test, with an owner and an end)";
    assert_eq!(
        refused("[suppressions.acme.\"S\"]\nwhen = \"[SE-101]\"\nalarms = [\"GC-101 high\"]\nreason = \"x\""),
        [format!("3:11 {refusal}")]
    );
    assert_eq!(
        refused(&LOGIC.replace("\"PIA-101 high\"", "\"GAS voted\"")),
        [format!("18:11 {refusal}")],
        "nor what is calculated from a detector"
    );
    let modes = "[modes.acme.\"甲类罐区\"]\nmodes = [{ name = \"检修\", when = \"[SE-101]\" }]\nlimits = [{ alarm = \"GC-101 high\", mode = \"检修\", limit = 60 }]";
    assert_eq!(refused(modes), [format!("3:21 {refusal}")]);
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_a_way_out() {
    let calc = |equals: &str| format!("[calculated.acme.\"X\"]\nequipment = \"V-101\"\nunit = \"m\"\nequals = \"{equals}\"");
    let cases = [
        (calc("[LIA-101] * 12"), "4:11 expression: the units % and m do not go together"),
        (calc("[LIA-110] * 12 m"), "4:11 expression: there is no tag `LIA-110` (did you mean `LIA-101`?)"),
        (calc("12 m + [LIA-101] *"), "4:29 expression: a value is missing here"),
        (calc("[GW01] * 1 m"), "4:11 expression: there is no tag `GW01`"),
        (calc("12 m").replace("\"X\"", "\"LIA-101\""), "1:18 duplicate-tag: a tag, a gateway or a calculated tag has this name already"),
        (calc("12 m").replace("V-101", "V-109"), "2:13 unknown-equipment: there is no equipment `V-109` (did you mean `V-101`?)"),
        (
            calc("12 m").replace("calculated.acme", "calculated.acne"),
            "1:13 unknown-enterprise: there is no enterprise `acne` (did you mean `acme`?)",
        ),
        (calc("[X] + 1 m"), "4:10 ring: calculated tags read one another in a ring: X"),
        (
            calc("[Y] * 1") + "\n[calculated.acme.\"Y\"]\nequipment = \"V-101\"\nunit = \"m\"\nequals = \"[X] * 1\"",
            "4:10 ring: calculated tags read one another in a ring: X, Y",
        ),
        (calc("12 m") + "\nvoted = {}", "5:9 condition: a statement has state conditions only, and a number has none"),
        (calc("12 m") + "\nhigh = {}", "5:8 condition: `limit` is missing"),
        (
            "[conditions.acme.\"LIA-101\"]\nhigh = { limit = 85 }".to_owned(),
            "2:8 condition: limit, deadband, delays and level of high stand in the list (only `latching` and `realarm_after` stand here)",
        ),
        ("[conditions.acme.\"PIA-101\"]\nlow = { latching = true }".to_owned(), "2:7 condition: this tag has no low"),
        (
            "[conditions.acme.\"LIA-101\"]\ndeviation = { limit = 85 }".to_owned(),
            "2:13 condition: deviation is for calculated tags only (write the expression and this condition in [calculated.ENTERPRISE.\"TAG\"])",
        ),
        (
            "[conditions.acme.\"LIA-101\"]\nfrozen = {}".to_owned(),
            "2:10 frozen: it does not say what counts as frozen (write flat_for (flat for how long), zero_for (exactly zero for how long) or resent (the same sequence how often))",
        ),
        ("[conditions.acme.\"LIA-101\"]\nrate_up = { limit = 2 }".to_owned(), "2:11 missing-key: `window` is missing"),
        (
            "[conditions.acme.\"LIA-101\"]\nroc = { limit = 2 }".to_owned(),
            "2:1 unknown-key: unknown key `roc` (it is called `rate_up` now)",
        ),
        (
            "[conditions.acme.\"LIA-11\"]\nwarm_up = \"1min\"".to_owned(),
            "1:18 unknown-tag: there is no tag `LIA-11` (did you mean `LIA-101`?)",
        ),
        (
            "[suppressions.acme.\"S\"]\nwhen = \"[SE-101]\"\nalarms = [\"PIA-101 stale\"]\nreason = \"x\"".to_owned(),
            "3:11 suppression: a data fault cannot be suppressed",
        ),
        (
            "[suppressions.acme.\"S\"]\nwhen = \"[LIA-101]\"\nalarms = [\"PIA-101 high\"]\nreason = \"x\"".to_owned(),
            "2:9 expression: this must be a statement that is true or false (such as a comparison with a limit: … >= 80 %)",
        ),
        (
            "[suppressions.acme.\"S\"]\nalarms = [\"PIA-101 high\"]\nreason = \"x\"".to_owned(),
            "1:1 suppression: write either `when` or `enabled_when`",
        ),
    ];
    for (rules, want) in cases {
        assert_eq!(refused(&rules).first().map(String::as_str), Some(want), "{rules}");
    }
    let mode = |limit: &str| format!("[modes.acme.\"V-101\"]\nmodes = [{{ name = \"倒罐\", when = \"[SE-101]\" }}]\nlimits = [{limit}]");
    for (limit, want) in [
        ("{ alarm = \"LIA-101 high\", mode = \"倒灌\", limit = 90 }", "3:44 mode-limit: there is no mode `倒灌` (did you mean `倒罐`?)"),
        (
            "{ alarm = \"LIA-101 high\", mode = \"倒罐\", limit = 120 }",
            "3:11 limit-outside-range: the limit 120 lies outside the range 0 to 100",
        ),
        ("{ alarm = \"LIA-101\", mode = \"倒罐\", off = true }", "3:21 alarm: expected a tag and a condition (such as \"FIA-301 low\")"),
        ("{ alarm = \"LIA-101 high\", mode = \"倒罐\" }", "3:11 mode-limit: write either `limit` or `off = true`"),
        ("{ alarm = \"GC-101 bad-quality\", mode = \"倒罐\", off = true }", "3:21 mode-limit: this tag does not belong to `V-101`"),
    ] {
        assert_eq!(refused(&mode(limit)), [want], "{limit}");
    }
}

#[test]
fn limits_of_a_calculated_tag_pass_the_checks_of_a_list() {
    let calc = |limits: &str| {
        format!(
            "[calculated.acme.\"X\"]\nequipment = \"V-101\"\nunit = \"m\"\nrange_low = 0\nrange_high = 12\nequals = \"[LIA-101] * 0.12 m / 1 %\"\n{limits}"
        )
    };
    for (limits, want) in [
        (
            "high = { limit = 10 }\nhigh_high = { limit = 9 }",
            "8:23 limits-out-of-order: HH 9 is not above H 10 (the order is LL < L < H < HH)",
        ),
        ("low = { limit = 10 }\nhigh = { limit = 10 }", "8:18 limits-out-of-order: H 10 is not above L 10 (the order is LL < L < H < HH)"),
        (
            "high = { limit = 10 }\nhigh_high = { limit = 11, deadband = 1.5 }",
            "8:38 deadband: deadband 1.5 is wider than the gap 1 between H and HH (the deadband must be below 1)",
        ),
        (
            "high = { limit = 10, deadband = 10 }",
            "7:33 deadband: with this deadband the alarm could never return within the range (the deadband must be below 10)",
        ),
        ("high = { limit = 10, deadband = 1 }\nhigh_high = { limit = 11, deadband = 1 }", "no fault"),
    ] {
        assert_eq!(refused(&calc(limits)), [want], "{limits}");
    }
}

#[test]
fn limits_of_a_mode_pass_the_checks_of_the_list_beside_which_they_stand() {
    // The list has 10, 15, 80, 90 with a deadband of 2, and an interlock at 95.
    let mode =
        |limits: &str| format!("[modes.acme.\"V-101\"]\nmodes = [{{ name = \"倒罐\", when = \"[SE-101]\" }}]\nlimits = [\n{limits}\n]");
    let of = |condition: &str, rest: &str| format!("{{ alarm = \"LIA-101 {condition}\", mode = \"倒罐\", {rest} }}");
    let order = |what: &str| format!("limits-out-of-order: {what} (the order is LL < L < H < HH)");
    for (limits, want) in [
        (of("high", "limit = 91"), format!("4:48 {}", order("HH 90 is not above H 91"))),
        (of("low_low", "limit = 16"), format!("4:51 {}", order("L 15 is not above LL 16"))),
        (of("high", "limit = 91") + ",\n" + &of("high_high", "limit = 91"), format!("5:53 {}", order("HH 91 is not above H 91"))),
        (
            of("high_high", "limit = 96"),
            "4:53 above-interlock: HH 96 is above the interlock 95: the trip comes first (keep HH below the interlock 95, with time to respond)"
                .to_owned(),
        ),
        (
            of("high_high", "limit = 92, deadband = 13"),
            "4:68 deadband: deadband 13 is wider than the gap 12 between H and HH (the deadband must be below 12)".to_owned(),
        ),
        (of("high", "limit = 91") + ",\n" + &of("high_high", "off = true"), "no fault".to_owned()),
        (of("high", "limit = 85"), "no fault".to_owned()),
    ] {
        assert_eq!(refused(&mode(&limits)), [want], "{limits}");
    }
}

/// Two ammonia detectors, the second known by its CAS number only.
const AMMONIA: &str = "位号,设备位号,设备类型,介质,CAS号,信号类型,单位,量程低限,量程高限,高报,高高报,网关\n\
                       NH-1,冷库,区域,氨,7664-41-7,有毒气体,ppm,0,1000,25,50,GW01\nNH-2,冷库,区域,无水氨,7664-41-7,有毒气体,ppm,0,1000,25,50,GW01\n";

fn refused_of_ammonia(rules: &str) -> Vec<String> {
    let Err(faults) = load(with_files(&[("rules.toml", rules), ("enterprises/acme.csv", AMMONIA)])) else { return Vec::new() };
    faults.faults().iter().map(|fault| format!("{}:{} {}: {}", fault.line, fault.column, fault.code, fault.text.get(Lang::En))).collect()
}

#[test]
fn a_calculated_concentration_is_bounded_like_its_detectors() {
    let calc = |equals: &str, rest: &str| format!("[calculated.acme.\"X\"]\nequipment = \"冷库\"\nequals = \"{equals}\"\n{rest}\n");
    let most = "max([NH-1], [NH-2])";
    let high = "unit = \"ppm\"\nhigh = { limit = 26 }\nhigh_high = { limit = 51 }";
    let above = ["5:18 gas-bound: H 26 ppm is above the upper bound 25 ppm", "6:23 gas-bound: HH 51 ppm is above the upper bound 50 ppm"];
    // Whether it says what it is or not.
    assert_eq!(refused_of_ammonia(&calc(most, high)), above);
    assert_eq!(refused_of_ammonia(&calc("[NH-2]", high)), above);
    assert_eq!(refused_of_ammonia(&calc(most, &(high.to_owned() + "\nsignal = \"toxic\""))), above);
    assert!(refused_of_ammonia(&calc(most, "unit = \"ppm\"\nhigh = { limit = 25 }\nhigh_high = { limit = 50 }")).is_empty());
    // One that reads the first is bound by the same detectors.
    let second = "[calculated.acme.\"Y\"]\nequipment = \"冷库\"\nequals = \"[X] * 1\"\nunit = \"ppm\"\nhigh_high = { limit = 60 }";
    let rules = calc(most, "unit = \"ppm\"") + second;
    assert_eq!(refused_of_ammonia(&rules), ["9:23 gas-bound: HH 60 ppm is above the upper bound 50 ppm"]);
    // A share of something is no concentration.
    assert!(refused_of_ammonia(&calc("[NH-1] / [NH-2] * 100 %", "unit = \"%\"\nhigh = { limit = 90 }")).is_empty());
    // Where no detector says which gas it is, the tag does.
    let of_nothing = "unit = \"ppm\"\nsignal = \"toxic\"\nmedium = \"氨\"\nhigh_high = { limit = 60 }";
    assert_eq!(refused_of_ammonia(&calc("40 ppm", of_nothing)), ["7:23 gas-bound: HH 60 ppm is above the upper bound 50 ppm"]);
}

#[test]
fn a_threshold_of_a_vote_is_bounded_like_the_limits_of_its_detectors() {
    let calc = |equals: &str| format!("[calculated.acme.\"X\"]\nequipment = \"冷库\"\nequals = \"{equals}\"\nvoted = {{}}");
    for (equals, column, of) in [
        ("vote(1, [NH-1] >= 50 ppm, [NH-2] >= 51 ppm)", 47, "[NH-2]"),
        ("表决(1,[NH-1]>51ppm,[NH-2]>50ppm)", 23, "[NH-1]"),
        ("51 ppm < [NH-1] and not [NH-2] > 1 ppm", 11, "[NH-1]"),
        ("max([NH-1], [NH-2]) ≥ 2 * 25.5 ppm", 33, "max([NH-1], [NH-2])"),
        ("[NH-1] > 51000 ppb", 20, "[NH-1]"),
    ] {
        let want = format!("3:{column} gas-bound: the threshold 51 ppm of {of} is above the upper bound 50 ppm");
        assert_eq!(refused_of_ammonia(&calc(equals)), [want], "{equals}");
    }
    assert!(refused_of_ammonia(&calc("[NH-1] + [NH-2] > 90 ppm or [NH-1] >= 50 ppm or [NH-1] < 900 ppm")).is_empty());
}

#[test]
fn a_share_worked_out_of_a_gas_detector_has_no_bound_of_gas() {
    let rules = |equals: &str, threshold: &str| {
        let share =
            format!("[calculated.acme.\"X\"]\nequipment = \"V-101\"\nequals = \"{equals}\"\nunit = \"%\"\nhigh = {{ limit = 90 }}\n");
        share + &format!("[calculated.acme.\"Y\"]\nequipment = \"V-101\"\nequals = \"{threshold}\"\nvoted = {{}}")
    };
    let share = "[GC-101] / 100 %LEL * 100 %";
    assert_eq!(refused(&rules(share, "[X] > 90 % and [GC-101] > 50 %LEL")), ["no fault"]);
    assert_eq!(refused(&rules("if [GC-101] > 20 %LEL then [LIA-101] else 0 %", "[X] > 90 %")), ["no fault"]);
    let want = "8:22 gas-bound: the threshold 60 %LEL of [GC-101] is above the upper bound 50 %LEL (write 50 %LEL or less; the bounds stand in [gas_bounds] of policies.toml)";
    assert_eq!(refused(&rules(share, "[GC-101] > 60 %LEL")), [want]);
}

/// A red vote of gas detectors.
const VOTE: &str = r#"[calculated.acme."GAS"]
equipment = "甲类罐区"
equals = "vote(1, [GC-101] >= 50 %LEL)"
[calculated.acme."GAS".voted]
level = "red"
cause = "法兰泄漏"
consequence = "爆燃"
response = "撤人,切断进料"
respond_within = "3min"
"#;

#[test]
fn a_condition_says_why_it_is_there_and_what_to_do() {
    let plant = with(VOTE);
    let [rule] = &tag(&plant, "GAS").conditions[..] else { panic!("it has one condition") };
    let said = rule.rationale.as_ref().expect("it has one");
    assert_eq!([&*said.cause, &said.consequence, &said.response], ["法兰泄漏", "爆燃", "撤人,切断进料"]);
    assert_eq!(said.time_to_respond, Some(Duration::from_mins(3)));
    assert_eq!(plant.version, with(&VOTE.replace("法兰泄漏", "别的原因")).version, "it decides nothing");
    assert_eq!(
        refused("[conditions.acme.\"LIA-101\"]\nhigh = { cause = \"收料超量\" }"),
        ["2:8 condition: cause, consequence, response and time to respond of high stand in the list or its class"]
    );
    assert_eq!(
        refused(&VOTE.replace("respond_within", "time_to_respond")),
        ["9:1 unknown-key: unknown key `time_to_respond` (it is called `respond_within` now)"]
    );
}

#[test]
fn explaining_a_tag_shows_what_its_conditions_say_for_people() {
    let files = watchfire_config::Files::from_memory(with_files(&[("rules.toml", VOTE)]));
    let options = watchfire_config::Options { today: Some((2026, 1, 1)), environment: &|_| Some("s3cret".to_owned()) };
    let explained =
        watchfire_config::explain(&files, &options, &model::TagId::new("acme", "GAS")).expect("it is right").expect("it is there");
    let facts: Vec<String> = explained
        .facts
        .iter()
        .filter(|fact| fact.from.get(Lang::En) == "rules.toml:4:1")
        .map(|fact| format!("{} {}", fact.what.get(Lang::En), fact.value))
        .collect();
    assert_eq!(
        facts,
        [
            "voted 有 / yes",
            "voted level 红色 / red",
            "voted cause 法兰泄漏",
            "voted consequence 爆燃",
            "voted response 撤人,切断进料",
            "voted time to respond 3min",
        ]
    );
}

#[test]
fn a_level_that_needs_a_rationalisation_needs_it_in_the_rules_too() {
    // The shipped county, whose only red or orange condition in rules.toml is the vote GT-200.
    let county = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let load_with = |rules: &dyn Fn(String) -> String| {
        let mut files = watchfire_config::Files::read(&county);
        let read = |name: &str| std::fs::read_to_string(county.join(name)).expect("it is shipped");
        let required = read("policies.toml").replace("required = []", "required = [\"red\", \"orange\"]");
        files.set("policies.toml", required.into_bytes());
        files.set("rules.toml", rules(read("rules.toml")).into_bytes());
        let options = watchfire_config::Options { today: Some((2026, 1, 1)), environment: &|_| Some("s3cret".to_owned()) };
        let Err(faults) = watchfire_config::load_files(&files, &options) else { return Vec::new() };
        let in_rules = faults.faults().iter().filter(|fault| fault.file.ends_with("rules.toml"));
        in_rules.map(|fault| format!("{}: {}", fault.code, fault.text.get(Lang::En))).collect()
    };
    assert_eq!(load_with(&|rules| rules), [""; 0]);
    let without = |rules: String| rules.replace("respond_within = \"3min\"\n", "");
    assert_eq!(load_with(&without), ["rationale-missing: voted is red and lacks: respond_within"]);
    // What every tag of a signal lacks is told once.
    let spike = |rules: String| rules + "\n[signals.level]\nspike = { limit = 50, level = \"orange\", cause = \"仪表干扰\" }\n";
    assert_eq!(load_with(&spike), ["rationale-missing: spike is orange and lacks: consequence, response, respond_within"]);
    // A frozen value is a data fault, of which nothing is asked.
    let frozen = |rules: String| rules + "\n[signals.level]\nfrozen = { flat_for = \"2h\", level = \"orange\" }\n";
    assert_eq!(load_with(&frozen), [""; 0]);
}

#[test]
fn an_enabling_condition_suppresses_while_it_does_not_hold() {
    let rules = "[suppressions.acme.\"S\"]\nenabled_when = \"[LIA-101] > 5 %\"\nalarms = [\"PIA-101 high\"]\nreason = \"x\"";
    let plant = with(rules);
    assert_eq!(tag(&plant, "S").calculation.as_ref().map(|calculation| calculation.text.as_str()), Some("not ([LIA-101] > 5 %)"));
}
