//! The configurations that are shipped load, and hold what the documentation says.

use std::path::{Path, PathBuf};
use watchfire_config::{Lang, Loaded, load_at, load_replay, render};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

fn loads(name: &str) -> Loaded {
    match load_at(&shipped(name), Some((2026, 1, 1))) {
        Ok(loaded) => loaded,
        Err(faults) => panic!("{}", faults.render(Lang::En, false)),
    }
}

#[test]
fn the_tennessee_eastman_plant_loads_without_a_warning() {
    let loaded = loads("tep");
    assert!(loaded.warnings.is_empty(), "{}", render(&loaded.warnings, Lang::En, false));
    let plant = &loaded.plant;
    let pressure = plant.tag(plant.find_tag("tep", "XMEAS-7").expect("it is in the list"));
    let limits: Vec<_> =
        pressure.conditions.iter().filter(|rule| rule.condition.is_limit()).map(|rule| (rule.condition.name(), rule.setpoint)).collect();
    assert_eq!(limits, [("high", 2895.0), ("high-high", 3000.0)]);
    let replay = load_replay(&shipped("tep/replay.toml")).expect("the mapping is right");
    assert_eq!(replay.columns.len(), 5);
    for column in &replay.columns {
        assert!(plant.find_tag(replay.enterprise.as_str(), &column.tag).is_some(), "{}", column.tag);
    }
}

#[test]
fn the_sample_county_has_thirty_enterprises_and_671_tags_and_no_fault() {
    let loaded = loads("");
    assert!(loaded.warnings.is_empty(), "{}", render(&loaded.warnings, Lang::En, false));
    let plant = &loaded.plant;
    let measured = plant.tags.iter().filter(|tag| !matches!(tag.signal, model::Signal::Gateway | model::Signal::System));
    let enterprises =
        plant.bodies.iter().filter(|body| body.tier == model::Tier::ENTERPRISE && body.id.as_str() != model::SYSTEM_ENTERPRISE);
    assert_eq!((enterprises.count(), measured.count()), (30, 671));
}
