//! Any setpoint list, workbook, class file or organisation in a small plant, any rules and scenarios in a part of the sample county: what
//! must hold of what the configuration makes of it. Each function says whether it was read; what was refused had a reason.

use model::plant::{ConditionRule, Method, Plant};
use model::{Duration, Quality};
use std::sync::LazyLock;
use watchfire_config::scenario::{self, Scenario, Signal};
use watchfire_config::{DELAY_MAX, Fault, Faults, Files, Lang, ListFormat, Loaded, Options, Severity, export_list, load_files};

type Bytes = Vec<(String, Vec<u8>)>;

const PLANT: [(&str, &str); 5] = [
    ("server.toml", include_str!("../../crates/config/tests/it/acme/server.toml")),
    ("jurisdiction.toml", include_str!("../../crates/config/tests/it/acme/jurisdiction.toml")),
    ("people.toml", include_str!("../../crates/config/tests/it/acme/people.toml")),
    ("policies.toml", include_str!("../../crates/config/tests/it/acme/policies.toml")),
    ("gateways.toml", include_str!("../../crates/config/tests/it/acme/gateways.toml")),
];
/// A list whose rows take from a class of each kind.
const CLASSED: &str = "位号,设备位号,设备类型,介质,信号类型,单位,压力基准,量程低限,量程高限,网关,类别\n\
    LIA-1,V-1,储罐,甲醇,液位,m,/,0,12,GW01,常压储罐\nGC-1,罐区,区域,甲醇,可燃气体,%LEL,/,0,100,GW01,可燃气体探测器\n";

const LIST: (&str, &str) = ("enterprises/acme.csv", include_str!("../../crates/config/tests/it/acme/acme.csv"));
/// What one file of the target `organisation` can be; its first byte, a digit, says which.
const ORGANISATION: [&str; 6] = ["policies.toml", "gateways.toml", "life.toml", "equipment.toml", "people.toml", "jurisdiction.toml"];
/// The sample county with the lists of the enterprises that its rules and the corpora name: all thirty would only take longer.
const COUNTY: [(&str, &str); 10] = [
    ("server.toml", include_str!("../../config/server.toml")),
    ("jurisdiction.toml", include_str!("../../config/jurisdiction.toml")),
    ("people.toml", include_str!("../../config/people.toml")),
    ("policies.toml", include_str!("../../config/policies.toml")),
    ("gateways.toml", include_str!("../../config/gateways.toml")),
    ("classes.toml", include_str!("../../config/classes.toml")),
    ("enterprises/bixi.csv", include_str!("../../config/enterprises/bixi.csv")),
    ("enterprises/dongqing.csv", include_str!("../../config/enterprises/dongqing.csv")),
    ("enterprises/hengsu.csv", include_str!("../../config/enterprises/hengsu.csv")),
    ("enterprises/hongxin.csv", include_str!("../../config/enterprises/hongxin.csv")),
];
const RULES: (&str, &str) = ("rules.toml", include_str!("../../config/rules.toml"));
/// No length of time in a configuration is longer; the longest is how long something may be out of service.
const LENGTH_MAX: Duration = Duration::from_mins(366 * 24 * 60);

/// A setpoint list of any bytes, under a name such as `acme.csv`.
pub fn list(name: &str, bytes: &[u8]) -> bool {
    let files = with(&PLANT, vec![(format!("enterprises/{name}"), bytes.to_vec())]);
    let Some(loaded) = answer(load(&files)) else { return false };
    // What has been accepted goes out in either format and comes back as the same rules.
    for format in [ListFormat::Csv, ListFormat::Xlsx] {
        let Ok(list) = export_list(&files, "acme", Some(format)) else { continue };
        let back = answer(load(&with(&PLANT, vec![(format!("enterprises/{}", list.name), list.bytes)])));
        assert_eq!(back.expect("an accepted list comes back").plant.version, loaded.plant.version);
    }
    true
}

/// A `classes.toml` of any bytes.
pub fn classes(bytes: &[u8]) -> bool {
    let list = ("enterprises/acme.csv".to_owned(), CLASSED.as_bytes().to_vec());
    answer(load(&with(&PLANT, vec![("classes.toml".to_owned(), bytes.to_vec()), list]))).is_some()
}

/// A `rules.toml` of any bytes.
pub fn rules(bytes: &[u8]) -> bool {
    answer(load(&with(&COUNTY, vec![(RULES.0.to_owned(), bytes.to_vec())]))).is_some()
}

/// Any bytes for one of the files that say who is told of what: the first byte chooses which, the others are its content.
pub fn organisation(bytes: &[u8]) -> bool {
    let Some((first, bytes)) = bytes.split_first() else { return false };
    let name = ORGANISATION[usize::from(first.wrapping_sub(b'0')) % ORGANISATION.len()];
    let list = (LIST.0.to_owned(), LIST.1.as_bytes().to_vec());
    answer(load(&with(&PLANT, vec![list, (name.to_owned(), bytes.to_vec())]))).is_some()
}

/// A scenario file of any bytes.
pub fn scenario(bytes: &[u8]) -> bool {
    static PLANT: LazyLock<Plant> = LazyLock::new(|| {
        let rules = (RULES.0.to_owned(), RULES.1.as_bytes().to_vec());
        load(&with(&COUNTY, vec![rules])).unwrap_or_else(|faults| panic!("{faults}")).plant
    });
    match scenario::read(&Files::from_memory([("tests/any.toml", bytes.to_vec())]), &PLANT) {
        Ok(scenario) => {
            can_be_run(&scenario);
            true
        }
        Err(faults) => {
            refused(&faults);
            false
        }
    }
}

/// The plant, with files added or replaced.
fn with(plant: &[(&str, &str)], more: Bytes) -> Files {
    let plant = plant.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Files::from_memory(plant.chain(more))
}

fn load(files: &Files) -> Result<Loaded, Faults> {
    let environment = |name: &str| (name == "SMS_KEY").then(|| "s3cret".to_owned());
    load_files(files, &Options { today: Some((2026, 1, 1)), environment: &environment })
}

/// Either a plant whose limits are numbers, or at least one error; and every fault can be shown.
fn answer(loaded: Result<Loaded, Faults>) -> Option<Loaded> {
    match loaded {
        Ok(loaded) => {
            assert!(loaded.warnings.iter().all(|fault| fault.severity < Severity::Error));
            can_be_shown(&loaded.warnings);
            is_finite(&loaded.plant);
            Some(loaded)
        }
        Err(faults) => {
            refused(&faults);
            None
        }
    }
}

fn refused(faults: &Faults) {
    assert!(faults.faults().iter().any(|fault| fault.severity == Severity::Error), "refused without a reason");
    faults.render(Lang::Zh, true);
    faults.render(Lang::En, false);
    can_be_shown(faults.faults());
}

fn can_be_shown(faults: &[Fault]) {
    watchfire_config::render(faults, Lang::Zh, true);
    watchfire_config::render(faults, Lang::En, false);
    for fault in faults {
        assert!(fault.line >= 1 && fault.column >= 1 && fault.source_line.get(fault.mark.clone()).is_some(), "{fault:?}");
        assert!(!fault.text.zh.is_empty() && !fault.text.en.is_empty(), "{fault:?}");
    }
}

fn is_finite(plant: &Plant) {
    for tag in &plant.tags {
        assert!(tag.range.is_none_or(|(low, high)| low.is_finite() && high.is_finite() && low < high), "{tag:?}");
        assert!(tag.interlock.is_none_or(f64::is_finite), "{tag:?}");
        for length in [tag.sample_interval, tag.stale_after, tag.warm_up] {
            is_length(length);
        }
        tag.conditions.iter().for_each(is_judged_by_numbers);
    }
    let policies = &plant.policies;
    for level in &policies.levels {
        [level.sign_within, level.handle_within].into_iter().chain(level.remind_every).for_each(is_length);
        level.tell.iter().for_each(|tell| is_length(tell.after));
    }
    let timing = [policies.fold_within, policies.late_after, policies.late_hold, policies.clock_skew_max];
    let beside = &policies.beside;
    let longest = [beside.out_of_service_max, beside.test_max, beside.chattering_within, beside.chattering_calm, beside.flood_within];
    let others = [policies.data_fault_wait, policies.siren_expiry].into_iter().chain(plant.gateways.iter().map(|gateway| gateway.interval));
    timing.into_iter().chain(longest).chain(beside.shelved_max).chain(others).for_each(is_length);
}

fn is_judged_by_numbers(rule: &ConditionRule) {
    let is_limit = |setpoint: f64, deadband: f64, delays: [Duration; 2]| {
        setpoint.is_finite()
            && deadband.is_finite()
            && deadband >= 0.0
            && delays.iter().all(|delay| (Duration::ZERO..=DELAY_MAX).contains(delay))
    };
    assert!(is_limit(rule.setpoint, rule.deadband, [rule.on_delay, rule.off_delay]), "{rule:?}");
    let Some(extra) = &rule.extra else { return };
    for limit in extra.modes.iter().filter_map(|mode| mode.limit) {
        assert!(is_limit(limit.setpoint, limit.deadband, [limit.on_delay, limit.off_delay]), "{rule:?}");
    }
    extra.realarm_after.into_iter().for_each(is_length);
    match extra.method {
        Method::Value => {}
        Method::Rate { window: length } | Method::Step { within: length } => is_length(length),
        Method::Frozen { tolerance, flat_for, zero_for, resent: _ } => {
            assert!(tolerance.is_finite() && tolerance >= 0.0, "{rule:?}");
            flat_for.into_iter().chain(zero_for).for_each(is_length);
        }
    }
}

fn is_length(length: Duration) {
    assert!((Duration::ZERO..=LENGTH_MAX).contains(&length), "{length}");
}

/// Steps in order of time, and readings that are numbers or bad.
fn can_be_run(scenario: &Scenario) {
    assert!(!scenario.steps.is_empty());
    let mut before = scenario.start;
    for step in &scenario.steps {
        assert!(step.at >= before, "{step:?}");
        before = step.at;
        for (_, sample) in &step.readings {
            assert!(sample.value.is_finite() || sample.quality == Quality::Bad, "{sample:?}");
        }
        for (_, signal) in &step.signals {
            if let Signal::Shows { value, quality } = signal {
                assert!(value.is_finite() || *quality == Quality::Bad, "{signal:?}");
            }
        }
        assert!(step.acts.iter().all(|deed| deed.field.is_none_or(f64::is_finite)), "{step:?}");
    }
}
