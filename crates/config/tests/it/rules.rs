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
  { alarm = "LIA-101 low", mode = "倒罐", limit = 5 },
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
    assert_eq!((limit.setpoint, limit.deadband, limit.on_delay), (5.0, low.deadband, low.on_delay), "what is not said stays");
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
        ("mode = \"倒罐\", limit = 5", "mode = \"倒罐\", limit = 6"),
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
fn an_enabling_condition_suppresses_while_it_does_not_hold() {
    let rules = "[suppressions.acme.\"S\"]\nenabled_when = \"[LIA-101] > 5 %\"\nalarms = [\"PIA-101 high\"]\nreason = \"x\"";
    let plant = with(rules);
    assert_eq!(tag(&plant, "S").calculation.as_ref().map(|calculation| calculation.text.as_str()), Some("not ([LIA-101] > 5 %)"));
}
