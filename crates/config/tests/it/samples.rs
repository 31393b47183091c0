//! The configurations that are shipped load, and hold what the documentation says.

use model::Shared;
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
    let own = |tag: &&model::plant::Tag| !matches!(tag.signal, model::Signal::Gateway | model::Signal::System);
    let measured = plant.tags.iter().filter(own).filter(|tag| tag.calculation.is_none());
    let enterprises =
        plant.bodies.iter().filter(|body| body.tier == model::Tier::ENTERPRISE && body.id.as_str() != model::SYSTEM_ENTERPRISE);
    assert_eq!((enterprises.count(), measured.count()), (30, 671));
}

#[test]
fn the_rule_versions_of_what_is_shipped_stay_what_journals_call_them() {
    // Another hash here means that every journal names rules that no configuration has any more.
    assert_eq!(["", "tep"].map(|name| loads(name).plant.version.to_string()), ["e536018bf2cbcd4d", "50f9d7056f1d18ec"]);
}

#[test]
fn what_tags_of_the_sample_county_say_alike_is_kept_once() {
    let tags = loads("").plant.tags;
    let terms: Vec<_> = tags.iter().flat_map(|tag| &tag.conditions).map(|rule| &rule.terms).collect();
    assert!(terms.iter().all(|one| terms.iter().all(|other| Shared::is_one(one, other) == (one == other))));
    for one in &tags {
        for other in &tags {
            assert_eq!(Shared::is_one(&one.sheet, &other.sheet), one.sheet == other.sheet, "{} {}", one.id, other.id);
            assert_eq!(Shared::is_one(&one.conditions, &other.conditions), one.conditions == other.conditions, "{} {}", one.id, other.id);
        }
    }
}

#[test]
fn the_sample_county_shows_what_rules_can_say() {
    use model::Condition::{Compound, Deviation, Frozen, HighHigh, RateUp, Voted};
    let plant = loads("").plant;
    let tag = |enterprise, name| plant.tag(plant.find_tag(enterprise, name).unwrap_or_else(|| panic!("{name}")));
    let has = |enterprise, name, condition| tag(enterprise, name).conditions.iter().any(|rule| rule.condition == condition);
    assert!(has("hengsu", "TIA-101", RateUp) && has("hengsu", "TDI-301", Deviation) && has("bixi", "GT-200", Voted));
    assert!(has("dongqing", "MBC-101", Deviation), "a mass balance");
    assert!(!has("bixi", "GT-200", Compound));
    let vote = tag("bixi", "GT-200");
    assert_eq!((vote.signal, vote.labels.is_some()), (model::Signal::Toxic, true), "a vote of gas detectors is a gas signal");
    let calculation = vote.calculation.as_ref().expect("it is calculated");
    let inputs: Vec<_> = calculation.inputs.iter().map(|input| plant.tag(*input).id.to_string()).collect();
    assert_eq!(inputs, ["bixi/GT-201", "bixi/GT-202", "bixi/GT-203"]);
    assert!(vote.conditions.iter().all(|rule| rule.level == model::Level::Red && rule.siren));
    for tag in plant.tags.iter().filter(|tag| tag.signal.is_gas() && tag.calculation.is_none()) {
        assert!(tag.conditions.iter().any(|rule| rule.condition == Frozen), "{}", tag.id);
    }
    assert_eq!(tag("bixi", "GT-202").warm_up, model::Duration::from_secs(60));
    let latching = tag("hengsu", "TIA-301").conditions.iter().find(|rule| rule.condition == HighHigh);
    assert!(latching.and_then(|rule| rule.extra.as_ref()).is_some_and(|extra| extra.latching));
    assert!(tag("bixi", "C-301停机").calculation.is_some(), "a suppression of a calculated tag's alarm is a tag as well");
    let reactor = &plant.equipment[tag("hengsu", "TIA-301").equipment.at()];
    let modes = reactor.modes.as_ref().expect("it has modes");
    assert_eq!((modes.names.join(" "), &*plant.tag(modes.tag).id.tag), ("运行 停车".to_owned(), "R-301工况"));
}

#[test]
fn the_sample_policy_is_the_example_that_stands_in_for_what_is_left_out() {
    let sample = std::fs::read_to_string(shipped("policies.toml")).expect("it is shipped");
    assert_eq!(sample, watchfire_config::EXAMPLE_POLICIES);
}

#[test]
fn the_county_has_the_cast_that_the_demonstration_needs() {
    let plant = loads("").plant;
    for tag in ["LIA-101", "TIA-101", "PIA-101", "GC-101", "GT-201", "GT-202", "GT-203", "GT-204"] {
        assert!(plant.find_tag("hongxin", tag).is_some(), "{tag}");
    }
    let toxic = plant.tag(plant.find_tag("hongxin", "GT-201").expect("just seen"));
    let place = &plant.equipment[toxic.equipment.at()];
    assert_eq!((toxic.zone.as_ref().map(model::ZoneId::as_str), place.hazard), (Some("SL-02"), model::Hazard::Second));
    assert_eq!((&*place.name, place.is_area), ("液氨罐区", true));
    let red = toxic.conditions.iter().find(|rule| rule.condition == model::Condition::HighHigh).expect("it has one");
    assert_eq!((red.setpoint, red.level, red.siren), (50.0, model::Level::Red, true));
    let cut = plant.gateways.iter().find(|gateway| gateway.enterprise.as_str() == "jinhe" && gateway.id.as_str() == "GW01");
    assert_eq!(cut.map(|gateway| gateway.members.len()), Some(120));
    for person in ["hongxin-op1", "linjiang-duty", "qingxi-duty"] {
        let id = model::PersonId::new(person);
        let body = plant.body(&plant.person(&id).expect("the cast is in the county").body).expect("a person's body exists");
        for hour in 0..7 * 24 {
            assert!(plant.on_duty(body, model::Timestamp::from_secs(hour * 3_600)).contains(&id), "{person} at hour {hour}");
        }
    }
}

#[test]
fn the_county_is_not_all_red() {
    let shares = watchfire_config::level_shares(&loads("").plant);
    let (red, all) = (shares[model::Level::Red.at()], shares.iter().sum::<usize>());
    assert!(red * 20 <= all, "{shares:?}");
    assert!(shares.iter().all(|count| *count > 0), "{shares:?}");
}

#[test]
fn the_damped_plant_differs_in_its_pressure_alone() {
    let (plain, damped) = (loads("tep").plant, loads("tep-damped").plant);
    for (a, b) in plain.tags.iter().zip(&damped.tags) {
        assert_eq!(a == b, &*a.id.tag != "XMEAS-7", "{}", a.id);
    }
    let pressure = damped.tag(damped.find_tag("tep", "XMEAS-7").expect("it is in the list"));
    let high = pressure.conditions.iter().find(|rule| rule.condition == model::Condition::High).expect("it has one");
    assert_eq!((high.deadband, high.on_delay), (10.0, model::Duration::from_secs(540)));
}

#[test]
fn the_example_contacts_name_people_of_the_county_and_cannot_be_dialled() {
    let plant = loads("").plant;
    let text = std::fs::read_to_string(shipped("contacts.example.toml")).expect("it is shipped");
    let contacts: toml::Table = text.parse().expect("it is TOML");
    let phones = contacts["phones"].as_table().expect("the numbers stand under [phones]");
    assert!(phones.len() > 10);
    for (person, number) in phones {
        assert!(plant.person(&model::PersonId::new(person)).is_some(), "{person}");
        // Mobile numbers of China begin with 13 to 19.
        assert!(number.as_str().is_some_and(|number| number.len() == 11 && number.starts_with("100")), "{person}");
    }
}
