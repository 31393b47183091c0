//! `life.toml` and the policies about what stands beside the alarms.

use crate::acme::{changed, load};
use model::plant::AcknowledgementEnd;
use model::{Duration, Plant, Timestamp};

fn plant(file: &str, text: &str) -> Plant {
    load(changed(file, "", text)).unwrap_or_else(|faults| panic!("{faults}")).plant
}

fn fault(file: &str, text: &str) -> String {
    load(changed(file, "", text)).expect_err("it is refused").to_string()
}

#[test]
fn a_gateway_being_commissioned_gives_its_tags_an_integrator_and_an_end() {
    let plant = plant(
        "life.toml",
        "[[life]]\nenterprise = \"acme\"\ngateway = \"GW01\"\nstate = \"待调试\"\nintegrator = \"acme-phone\"\nuntil = \"2026-03-31\"\n",
    );
    let life = plant.tag(plant.find_tag("acme", "LIA-101").expect("a tag")).commissioning.clone().expect("being commissioned");
    assert_eq!(life.integrator.as_str(), "acme-phone");
    assert_eq!(life.until, Timestamp::from_secs(1_774_972_800), "when 31 March 2026 ends in China");
}

#[test]
fn a_tag_out_of_service_is_shown_and_judged_by_nothing() {
    let plant = plant("life.toml", "[[life]]\nenterprise = \"acme\"\ntags = [\"LIA-101\"]\nstate = \"停用\"\n");
    let tag = plant.tag(plant.find_tag("acme", "LIA-101").expect("a tag"));
    assert!(!tag.in_service && tag.conditions.is_empty());
    assert!(plant.tag(plant.find_tag("acme", "PIA-101").expect("a tag")).in_service);
}

#[test]
fn what_life_names_wrongly_is_refused_with_its_place_and_a_suggestion() {
    let text = fault("life.toml", "[[life]]\nenterprise = \"acme\"\ntags = [\"LIA-10l\"]\nstate = \"停用\"\n");
    assert!(text.contains("life.toml:3:9") && text.contains("LIA-101"), "{text}");
    let text = fault("life.toml", "[[life]]\nenterprise = \"acme\"\nstate = \"待调试\"\nintegrator = \"acme-phone\"\nuntil = \"soon\"\n");
    assert!(text.contains("life.toml:5:9") && text.contains("2027-03-31"), "{text}");
    let text = fault("life.toml", "[[life]]\nenterprise = \"acme\"\nstate = \"待调试\"\n");
    assert!(text.contains("integrator"), "{text}");
}

#[test]
fn windows_chattering_and_floods_are_data_with_bounds() {
    let beside = plant("policies.toml", "").policies.beside;
    assert_eq!(beside, model::plant::BesidePolicy::default(), "the example policy says what the defaults say");
    let changed = plant(
        "policies.toml",
        "[acknowledgement]\nends = \"8h\"\ntell_again = true\n[flood]\nstarts_above = 20\nends_below = 8\nwithin = \"10min\"\n",
    );
    let beside = changed.policies.beside;
    assert_eq!(beside.acknowledgement_end, AcknowledgementEnd::After(Duration::from_mins(480)));
    assert!(beside.acknowledgement_tells_again);
    assert_eq!((beside.flood_starts_above, beside.flood_ends_below), (20, 8));
}

#[test]
fn bounds_of_windows_are_refused_where_they_are_wrong() {
    let windows =
        |shelved: &str, test: &str| format!("[windows]\nshelved_max = {shelved}\nout_of_service_max = \"30d\"\ntest_max = \"{test}\"\n");
    let good = "{ red = \"30min\", orange = \"2h\", yellow = \"8h\", blue = \"24h\" }";
    assert_eq!(plant("policies.toml", &windows(good, "4h")).policies.beside.test_max, Duration::from_mins(240));
    let text = fault("policies.toml", &windows(good, "9h"));
    assert!(text.contains("policies.toml:4:12"), "{text}");
    let text = fault("policies.toml", &windows("{ red = \"3h\", orange = \"2h\", yellow = \"8h\", blue = \"24h\" }", "8h"));
    assert!(text.contains("等级高的可搁置时间不能比等级低的长") || text.contains("may not be shelved longer"), "{text}");
    let text = fault("policies.toml", "[flood]\nstarts_above = 5\nends_below = 6\nwithin = \"10min\"\n");
    assert!(text.contains("policies.toml:1"), "{text}");
    let text = fault("policies.toml", "[acknowledgement]\nends = \"shift\"\n");
    assert!(text.contains("policies.toml:2:8") && text.contains("shift-change"), "{text}");
}

#[test]
fn the_tags_of_a_gateway_that_sends_inhibit_bits_have_a_condition_for_them() {
    let has = |plant: &Plant| {
        let tag = plant.tag(plant.find_tag("acme", "LIA-101").expect("a tag"));
        tag.conditions.iter().any(|rule| rule.condition == model::Condition::Inhibited)
    };
    assert!(!has(&plant("gateways.toml", "")));
    let files = changed("gateways.toml", "interval = \"5s\"", "interval = \"5s\", inhibit = true");
    assert!(has(&load(files).unwrap_or_else(|faults| panic!("{faults}")).plant));
}
