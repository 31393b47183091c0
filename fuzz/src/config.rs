//! Any setpoint list, workbook or class file in a small plant: what must hold of what the configuration makes of it.

use watchfire_config::{Faults, Files, Lang, ListFormat, Loaded, Options, Severity, export_list, load_files};

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

/// A setpoint list of any bytes, under a name such as `acme.csv`.
pub fn list(name: &str, bytes: &[u8]) {
    let files = with(vec![(format!("enterprises/{name}"), bytes.to_vec())]);
    let Some(loaded) = answer(load(&files)) else { return };
    // What has been accepted goes out in either format and comes back as the same rules.
    for format in [ListFormat::Csv, ListFormat::Xlsx] {
        let Ok(list) = export_list(&files, "acme", Some(format)) else { continue };
        let back = answer(load(&with(vec![(format!("enterprises/{}", list.name), list.bytes)])));
        assert_eq!(back.expect("an accepted list comes back").plant.version, loaded.plant.version);
    }
}

/// A `classes.toml` of any bytes.
pub fn classes(bytes: &[u8]) {
    let list = ("enterprises/acme.csv".to_owned(), CLASSED.as_bytes().to_vec());
    answer(load(&with(vec![("classes.toml".to_owned(), bytes.to_vec()), list])));
}

fn with(more: Vec<(String, Vec<u8>)>) -> Files {
    let plant = PLANT.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
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
            watchfire_config::render(&loaded.warnings, Lang::Zh, true);
            for rule in loaded.plant.tags.iter().flat_map(|tag| &tag.conditions) {
                assert!(rule.setpoint.is_finite() && rule.deadband.is_finite() && rule.deadband >= 0.0, "{rule:?}");
            }
            Some(loaded)
        }
        Err(faults) => {
            assert!(faults.faults().iter().any(|fault| fault.severity == Severity::Error), "refused without a reason");
            faults.render(Lang::Zh, true);
            faults.render(Lang::En, false);
            for fault in faults.faults() {
                assert!(fault.line >= 1 && fault.column >= 1 && fault.source_line.get(fault.mark.clone()).is_some(), "{fault:?}");
            }
            None
        }
    }
}
