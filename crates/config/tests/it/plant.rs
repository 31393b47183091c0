//! What the engine gets from the files: levels by the policy, delays, data faults, the tags nobody wrote, the version.

use crate::acme::{PLANT, changed, load};
use model::{Condition, Duration, Hazard, Level, Plant, Signal};

fn plant(file: &str, from: &str, to: &str) -> Plant {
    match load(changed(file, from, to)) {
        Ok(loaded) => loaded.plant,
        Err(faults) => panic!("{faults}"),
    }
}

fn unbroken() -> Plant {
    plant("server.toml", "", "")
}

/// `condition setpoint/deadband on-delay/off-delay level siren` of every condition of a tag.
fn conditions(plant: &Plant, tag: &str) -> Vec<String> {
    let tag = plant.tag(plant.find_tag("acme", tag).expect("the tag is in the list"));
    let show = |rule: &model::plant::ConditionRule| {
        let siren = if rule.siren { " siren" } else { "" };
        let two = rule.level_when_two.map_or(String::new(), |two| format!(" two={}", two.name()));
        let (on, off) = (rule.on_delay, rule.off_delay);
        format!("{} {}/{} {on}/{off} {}{two}{siren}", rule.condition, rule.setpoint, rule.deadband, rule.level.name())
    };
    tag.conditions.iter().map(show).collect()
}

#[test]
fn limits_have_the_delays_and_levels_that_list_and_policy_give_them() {
    let plant = unbroken();
    assert_eq!(
        conditions(&plant, "LIA-101"),
        [
            "low 15/2 30s/10s blue",
            "low-low 10/2 0s/10s yellow",
            "high 80/2 30s/10s blue",
            "high-high 90/2 0s/10s orange",
            "out-of-range 0/0 0s/0s blue",
            "bad-quality 0/0 0s/0s blue",
            "stale 0/0 0s/0s blue",
        ]
    );
    // A gas upper limit sounds the siren whatever its level; two detectors of one area make it red.
    assert_eq!(conditions(&plant, "GC-101")[..2], ["high 25/2.5 3s/60s yellow siren", "high-high 50/2.5 0s/60s orange two=red siren"]);
    // No range, so nothing can be out of it.
    assert_eq!(conditions(&plant, "SE-101"), ["discrete 0/0 3s/5s yellow", "bad-quality 0/0 0s/0s blue", "stale 0/0 0s/0s blue"]);
    let earthing = plant.tag(plant.find_tag("acme", "SE-101").expect("the tag is in the list"));
    assert_eq!(earthing.labels, Some(["脱开".to_owned(), "接好".to_owned()]));
}

#[test]
fn a_higher_hazard_raises_the_levels() {
    let text = PLANT.iter().find(|(name, _)| *name == "enterprises/acme.csv").expect("it is there").1;
    let plant = plant("enterprises/acme.csv", text, &text.replace("三级", "二级"));
    assert_eq!(conditions(&plant, "PIA-101")[..2], ["high 1.5/0.1 15s/15s yellow", "high-high 1.8/0.1 0s/15s red siren"]);
    assert_eq!(conditions(&plant, "GC-101")[1], "high-high 50/2.5 0s/60s red siren");
    let gateway = plant.tag(plant.find_tag("acme", "GW01").expect("a gateway has a tag"));
    assert_eq!(plant.equipment[gateway.equipment.at()].hazard, Hazard::Second);
    assert_eq!(gateway.conditions.iter().find(|rule| rule.condition == Condition::GatewayLost).map(|rule| rule.level), Some(Level::Orange));
}

#[test]
fn delays_of_the_second_limits_are_none_unless_written() {
    let text = PLANT.iter().find(|(name, _)| *name == "enterprises/acme.csv").expect("it is there").1;
    let mut lines = text.lines();
    let head = format!("{},高高延时s,低低延时s", lines.next().expect("there is a head"));
    let rows: Vec<_> = lines.map(|row| format!("{row},7,8")).collect();
    let plant = plant("enterprises/acme.csv", text, &format!("{head}\n{}\n", rows.join("\n")));
    let shown = conditions(&plant, "LIA-101");
    assert_eq!((shown[1].as_str(), shown[3].as_str()), ("low-low 10/2 8s/10s yellow", "high-high 90/2 7s/10s orange"));
}

#[test]
fn silence_is_judged_by_the_slower_of_instrument_and_gateway_and_never_under_ten_seconds() {
    let stale = |plant: &Plant, tag: &str| plant.tag(plant.find_tag("acme", tag).expect("it is there")).stale_after;
    let plain = unbroken();
    assert_eq!(stale(&plain, "LIA-101"), Duration::from_secs(15));
    // Sampled every 2 s, sent every 5 s.
    assert_eq!(stale(&plain, "GC-101"), Duration::from_secs(15));
    let fast = plant("gateways.toml", "\"5s\"", "\"1s\"");
    assert_eq!(stale(&fast, "GC-101"), Duration::from_secs(10));
}

#[test]
fn gateways_and_the_engine_have_tags_of_their_own() {
    let plant = unbroken();
    let gateway = &plant.gateways[0];
    let own = plant.tag(gateway.tag);
    assert_eq!((own.id.to_string().as_str(), own.signal), ("acme/GW01", Signal::Gateway));
    let kinds: Vec<_> = own.conditions.iter().map(|rule| rule.condition).collect();
    assert_eq!(kinds, [Condition::GatewayLost, Condition::UnknownTag, Condition::WrongClock, Condition::Inhibited]);
    let members: Vec<_> = gateway.members.iter().map(|index| plant.tag(*index).id.tag.to_string()).collect();
    assert_eq!(members, ["GC-101", "LIA-101", "PIA-101", "SE-101"]);
    for name in model::plant::SYSTEM_TAGS {
        let tag = plant.tag(plant.find_tag(model::SYSTEM_ENTERPRISE, name).expect("the engine's tags are made for every plant"));
        assert_eq!(tag.conditions.iter().map(|rule| rule.condition).collect::<Vec<_>>(), [Condition::System]);
        assert_eq!(plant.equipment[tag.equipment.at()].id.as_str(), watchfire_config::SYSTEM_EQUIPMENT);
    }
    let system = plant.body(&model::BodyId::new(model::SYSTEM_ENTERPRISE)).expect("it is among the bodies");
    assert_eq!(system.parent.as_ref().map(model::BodyId::as_str), Some("county"));
    assert_eq!(system.duty_phone.as_str(), "county-phone");
    assert!(plant.person(&system.duty_phone).expect("it exists").is_duty_phone);
    let keepers = plant.on_duty(system, model::Timestamp::from_secs(0));
    assert_eq!(keepers, [model::PersonId::new("keeper")]);
    assert_eq!(plant.person(&keepers[0]).map(|person| person.body.as_str()), Some(model::SYSTEM_ENTERPRISE));
}

#[test]
fn without_keepers_the_engines_alarms_go_to_the_county_and_somebody_is_told_to_mend_that() {
    let section = "[bodies._system]\npeople = [{ id = \"keeper\", name = \"运维\", channels = [\"platform\", \"sms\"] }]\n\
                   roster = [{ days = \"每天\", from = \"08:00\", to = \"08:00\", people = [\"keeper\"] }]\n";
    let loaded = load(changed("people.toml", section, "")).expect("it only warns");
    assert_eq!(loaded.warnings.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["no-keepers"]);
    let system = loaded.plant.body(&model::BodyId::new(model::SYSTEM_ENTERPRISE)).expect("it is among the bodies");
    assert_eq!(loaded.plant.on_duty(system, model::Timestamp::from_secs(0)), [model::PersonId::new("county-duty")]);
}

#[test]
fn everything_is_sorted_and_every_index_fits() {
    let plant = unbroken();
    assert!(plant.tags.is_sorted_by(|a, b| a.id < b.id));
    assert!(plant.bodies.is_sorted_by(|a, b| a.id < b.id));
    assert!(plant.people.is_sorted_by(|a, b| a.id < b.id));
    assert!(plant.channels.is_sorted_by(|a, b| a.id < b.id));
    assert!(plant.equipment.is_sorted_by(|a, b| (&a.enterprise, &a.id) < (&b.enterprise, &b.id)));
    assert!(plant.gateways.is_sorted_by(|a, b| (&a.enterprise, &a.id) < (&b.enterprise, &b.id)));
    for tag in &plant.tags {
        assert_eq!(plant.equipment[tag.equipment.at()].enterprise, tag.id.enterprise);
        let order: Vec<_> = tag.conditions.iter().map(|rule| Condition::ALL.iter().position(|kind| *kind == rule.condition)).collect();
        assert!(order.is_sorted(), "{}", tag.id);
    }
    for (gateway, at) in plant.gateways.iter().zip(0..) {
        assert!(gateway.members.iter().all(|index| plant.tag(*index).gateway == Some(model::GatewayIndex::new(at))));
    }
}

#[test]
fn a_tag_out_of_service_is_shown_and_has_no_conditions() {
    let plant = plant("enterprises/acme.csv", "投用,2027", "停用,2027");
    let tag = plant.tag(plant.find_tag("acme", "LIA-101").expect("it is shown"));
    assert!(!tag.in_service && tag.conditions.is_empty());
}

#[test]
fn the_version_follows_the_rules_and_nothing_else() {
    let version = unbroken().version;
    assert_eq!(version.as_str().len(), 16);
    assert_eq!(version, plant("people.toml", "操作员", "新操作员").version);
    assert_eq!(version, plant("enterprises/acme.csv", "操作规程OP-12", "操作规程OP-13").version);
    assert_ne!(version, plant("enterprises/acme.csv", "80,90,95", "81,90,95").version);
    assert_ne!(version, plant("enterprises/acme.csv", "2,30,10,5", "2,31,10,5").version);
    assert_ne!(version, plant("policies.toml", "sign_within = \"3min\"", "sign_within = \"4min\"").version);
    assert_ne!(version, plant("enterprises/acme.csv", "投用,2027", "停用,2027").version);
}

#[test]
fn equipment_can_be_described_where_the_list_does_not_say_enough() {
    let described = "[equipment.acme]\n\"V-101\" = { name = \"一号储罐\", hazard = \"二级\", zone = \"SL-01\" }\n\
                     \"甲类罐区\" = { area = true }\n\"1#鹤位\" = {}\n";
    let plant = plant("equipment.toml", "", described);
    let tag = plant.tag(plant.find_tag("acme", "PIA-101").expect("it is there"));
    let tank = &plant.equipment[tag.equipment.at()];
    assert_eq!((&*tank.name, tank.hazard), ("一号储罐", Hazard::Second));
    assert_eq!(conditions(&plant, "PIA-101")[1], "high-high 1.8/0.1 0s/15s red siren");
    let missing = load(changed("equipment.toml", "", "[equipment.acme]\n\"V-101\" = {}\n")).expect_err("two are not described");
    assert!(missing.faults().iter().all(|fault| fault.code == "unknown-equipment"), "{missing}");
}

#[test]
fn equipment_is_named_by_place_and_number() {
    let plant = unbroken();
    let names: Vec<_> = plant.equipment.iter().map(|equipment| &*equipment.name).collect();
    assert_eq!(names, ["烽燧引擎", "装卸区1#鹤位", "甲类罐区V-101", "罐区网关", "甲类罐区"]);
}

#[test]
fn a_list_in_gb18030_with_windows_line_ends_is_the_same_list() {
    let text = PLANT.iter().find(|(name, _)| *name == "enterprises/acme.csv").expect("it is there").1;
    let (encoded, _, _) = encoding_rs::GB18030.encode(text);
    assert_ne!(encoded.as_ref(), text.as_bytes());
    let mut files = changed("server.toml", "", "");
    let replace = |files: &mut Vec<(String, Vec<u8>)>, bytes: Vec<u8>| {
        let list = files.iter_mut().find(|(name, _)| name == "enterprises/acme.csv").expect("it is there");
        list.1 = bytes;
    };
    replace(&mut files, encoding_rs::GB18030.encode(&text.replace('\n', "\r\n")).0.into_owned());
    assert_eq!(load(files.clone()).expect("it loads").plant, unbroken());
    replace(&mut files, [b"\xef\xbb\xbf", text.as_bytes()].concat());
    assert_eq!(load(files.clone()).expect("it loads").plant, unbroken());
    replace(&mut files, [text.as_bytes(), b"\xff\xff"].concat());
    assert!(load(files).expect_err("it is neither").faults().iter().any(|fault| fault.code == "encoding"));
}

#[test]
fn english_heads_and_words_are_the_same_list() {
    let list = "tag,name,area,equipment,equipment_type,hazard_level,medium,signal,unit,pressure_reference,range_low,range_high,LL,L,H,HH,deadband,on_delay_s,off_delay_s,sample_s,gateway,zone,status\n\
                P-1,Tank pressure,Farm,V-1,vessel,second,ammonia,pressure,MPa,gauge,0,2.5,,,1.4,1.6,0.05,15,15,5,GW01,SL-01,in-service\n";
    let text = PLANT.iter().find(|(name, _)| *name == "enterprises/acme.csv").expect("it is there").1;
    let plant = plant("enterprises/acme.csv", text, list);
    assert_eq!(conditions(&plant, "P-1")[..2], ["high 1.4/0.05 15s/15s yellow", "high-high 1.6/0.05 0s/15s red siren"]);
}

#[test]
fn a_low_side_interlock_is_below_the_limits() {
    let loaded = plant("enterprises/acme.csv", "10,15,80,90,95,2", "10,15,80,90,5,2");
    let tag = loaded.tag(loaded.find_tag("acme", "LIA-101").expect("it is there"));
    assert_eq!(tag.interlock, Some(5.0));
}
