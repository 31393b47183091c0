//! Acknowledgements that run out, chattering, floods, first-out, 待调试: found, shown, counted, and never done for a person.

mod common;
use common::world::{START, World};
use common::{check, check_on, plant};
use model::plant::{AcknowledgementEnd, Commissioning, Shift};
use model::*;
use std::sync::Arc;

fn altered(change: impl FnOnce(&mut Plant)) -> Arc<Plant> {
    let mut plant = (*plant::county()).clone();
    change(&mut plant);
    Arc::new(plant)
}

/// Wang until 20:00, li from then on; the scenario starts at noon.
fn two_shifts(plant: &mut Plant) {
    plant.policies.beside.acknowledgement_end = AcknowledgementEnd::ShiftChange;
    let hx = plant.bodies.iter_mut().find(|body| body.id.as_str() == "hx").expect("hx");
    let shift = |from: u16, to: u16, who: &str| Shift { days: [true; 7], from: from * 60, to: to * 60, people: vec![who.into()] };
    hx.roster = vec![shift(8, 20, "wang"), shift(20, 8, "li")];
}

#[test]
fn an_acknowledgement_runs_out_at_shift_change_without_paging_again() {
    check_on(
        altered(two_shifts),
        "
        0s > raise LIA-101 low
        0s tank opened blue
        0s tank told low LIA-101 enterprise
        0s tank ! announce blue low LIA-101 to enterprise: wang sms page
        1m > accept wang tank
        1m tank accepted low LIA-101 by wang
        1m done
        1m > acknowledge wang tank
        1m tank acknowledged low LIA-101 by wang
        1m done
        4h tank handle-missed enterprise
        4h tank ! handle-missed blue low LIA-101 to enterprise: wang sms page
        4h tank told low LIA-101 township
        4h tank ! handle-missed blue low LIA-101 to township: zhou page
        8h tank acknowledgement ran out low LIA-101
        8h ~ acknowledgement 1 ran out low LIA-101
        8h tank handle-missed enterprise
        8h tank ! handle-missed 1 blue low LIA-101 to enterprise: li sms app
        8h tank ! handle-missed 1 blue low LIA-101 to township: zhou page
        8h1m > acknowledge li tank
        8h1m tank acknowledged low LIA-101 by li
        8h1m done
        ",
    );
}

#[test]
fn an_acknowledgement_tells_again_where_the_policy_says_so() {
    let plant = altered(|plant| {
        plant.policies.beside.acknowledgement_end = AcknowledgementEnd::After(Duration::from_mins(20));
        plant.policies.beside.acknowledgement_tells_again = true;
    });
    check_on(
        plant,
        "
        0s > raise LIA-101 low
        0s tank opened blue
        0s tank told low LIA-101 enterprise
        0s tank ! announce blue low LIA-101 to enterprise: wang sms page
        1m > accept wang tank
        1m tank accepted low LIA-101 by wang
        1m done
        1m > acknowledge wang tank
        1m tank acknowledged low LIA-101 by wang
        1m done
        21m tank acknowledgement ran out low LIA-101
        21m tank announced low LIA-101 blue
        21m tank told low LIA-101 enterprise
        21m tank ! announce blue low LIA-101 to enterprise: wang sms page
        22m > -
        ",
    );
}

#[test]
fn what_returned_after_its_acknowledgement_never_becomes_unacknowledged() {
    check_on(
        altered(two_shifts),
        "
        0s > raise LIA-101 low
        0s tank opened blue
        0s tank told low LIA-101 enterprise
        0s tank ! announce blue low LIA-101 to enterprise: wang sms page
        1m > accept wang tank
        1m tank accepted low LIA-101 by wang
        1m done
        1m > acknowledge wang tank
        1m tank acknowledged low LIA-101 by wang
        1m done
        2m > return LIA-101 low
        2m tank returned low LIA-101
        2m > check wang tank real
        2m tank checked Real low LIA-101 by wang
        2m done
        2m > close li tank
        2m tank closed by li
        2m tank superseded
        2m tank ! closed blue low LIA-101 to enterprise: wang sms page
        2m done
        9h > -
        ",
    );
}

#[test]
fn three_raises_in_a_minute_chatter_as_one_line_with_a_count_until_it_is_calm() {
    check(
        "
        0s > raise LIA-101 low
        0s tank opened blue
        0s tank told low LIA-101 enterprise
        0s tank ! announce blue low LIA-101 to enterprise: wang sms page
        10s > return LIA-101 low
        10s tank returned low LIA-101
        20s > raise LIA-101 low
        20s tank folded low LIA-101 1
        30s > return LIA-101 low
        30s tank returned low LIA-101
        40s > raise LIA-101 low
        40s ~ chatters low LIA-101 3
        40s tank folded low LIA-101 2
        50s > return LIA-101 low
        50s tank returned low LIA-101
        1m > raise LIA-101 low
        1m tank folded low LIA-101 3
        11m ~ calm low LIA-101 after 4
        12m > -
        ",
    );
}

#[test]
fn a_chattering_alarm_is_marked_with_its_count_and_acknowledged_by_nobody() {
    let mut world = World::new(plant::county(), true);
    for (raise, back) in [("0s", "5s"), ("10s", "15s"), ("20s", "25s")] {
        world.run(raise, "raise LIA-101 low");
        world.run(back, "return LIA-101 low");
    }
    world.run("30s", "raise LIA-101 low");
    let alarm = AlarmId { tag: TagId::new("hx", "LIA-101"), condition: Condition::Low };
    assert_eq!(world.escalation.marks(&alarm, world.now).chattering, 4);
    assert!(world.case("tank").episodes.iter().all(|episode| episode.state.needs_acknowledgement()), "every one is still to be seen");
    world.run("11m", "-");
    assert_eq!(world.escalation.marks(&alarm, world.now).chattering, 0, "calm again");
}

#[test]
fn more_than_ten_alarms_in_ten_minutes_for_one_operator_are_a_flood_until_fewer_than_five() {
    let mut world = World::new(plant::county(), true);
    for at in 0..10 {
        world.run(&format!("{at}s"), &format!("raise by/T{:03} high", at * 10));
    }
    assert_eq!(world.escalation.floods().count(), 0, "ten are still no flood");
    world.run("11s", "raise by/T100 high");
    let flood = world.escalation.floods().next().expect("the eleventh makes a flood");
    assert_eq!((flood.enterprise.as_str(), flood.count, flood.since), ("by", 11, START + Duration::from_secs(11)));
    world.run("12s", "raise by/T110 high");
    assert_eq!(world.escalation.floods().next().map(|flood| flood.count), Some(12));
    world.run("9m59s", "-");
    assert_eq!(world.escalation.floods().count(), 1);
    // The newest four begin at 8 s (8, 9, 11, 12): at 10m7s fewer than five are left.
    world.run("10m6s", "-");
    assert_eq!(world.escalation.floods().count(), 1, "five are left");
    world.run("10m8s", "-");
    assert_eq!(world.escalation.floods().count(), 0);
    let beside: Vec<_> = world.transcript.iter().filter(|line| line.contains("flood")).collect();
    assert_eq!(beside, ["11s ~ flood at by 11", "10m7s ~ flood over at by 12"]);
}

#[test]
fn the_first_alarm_of_a_disturbance_is_marked_by_the_tags_own_time() {
    let mut world = World::new(plant::county(), true);
    let alarm = |tag: &str, condition| AlarmId { tag: TagId::new("hx", tag), condition };
    let (level, temperature) = (alarm("LIA-101", Condition::High), alarm("TIA-101", Condition::High));
    world.run("1m", "raise LIA-101 high");
    assert!(!world.escalation.marks(&level, world.now).first_out, "alone it is no order");
    world.run("1m10s", "raise TIA-101 high");
    assert!(world.escalation.marks(&level, world.now).first_out);
    assert_eq!(world.case("tank").first_out, Some(level.clone()));
    // The gateway of a third was slower: by its own time it came before both.
    world.run("1m20s", "raise SA-101 discrete @-30s");
    let earthing = alarm("SA-101", Condition::Discrete);
    assert!(world.escalation.marks(&earthing, world.now).first_out);
    assert!(!world.escalation.marks(&level, world.now).first_out);
    assert_eq!(world.case("tank").first_out, Some(earthing.clone()));
    for (tag, condition) in [("SA-101", "discrete"), ("LIA-101", "high"), ("TIA-101", "high")] {
        world.run("2m", &format!("return {tag} {condition}"));
    }
    world.run("3m", "raise TIA-101 high");
    world.run("4m", "raise LIA-101 high");
    assert!(world.escalation.marks(&temperature, world.now).first_out, "a new disturbance has its own first-out");
    assert_eq!(world.case("tank").first_out, Some(earthing), "the case keeps what it began with");
}

#[test]
fn a_tag_being_commissioned_pages_only_its_integrator_and_past_its_end_as_ever() {
    let plant = altered(|plant| {
        let tag = plant.tags.iter_mut().find(|tag| &*tag.id.tag == "LIA-101").expect("a tag");
        tag.commissioning = Some(Commissioning { integrator: "zhao".into(), until: START + Duration::from_mins(30) });
    });
    check_on(
        plant,
        "
        0s > raise LIA-101 high-high
        0s ~ held high-high LIA-101 for integrator
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 [commissioning] to enterprise: zhao sms
        1m > result zhao sms failed
        30m ~ raised anew high-high LIA-101 for everyone
        30m tank announced high-high LIA-101 orange
        30m tank told high-high LIA-101 enterprise
        30m tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        31m > raise TIA-101 low
        31m ~ first out high-high LIA-101
        31m tank announced low TIA-101 blue
        31m tank told low TIA-101 enterprise
        31m tank ! announce blue low TIA-101 to enterprise: wang sms page
        ",
    );
}

#[test]
fn what_stands_of_a_tag_that_a_start_finds_commissioned_is_told_as_any_other() {
    let plant = altered(|plant| {
        let tag = plant.tags.iter_mut().find(|tag| &*tag.id.tag == "LIA-101").expect("a tag");
        tag.commissioning = Some(Commissioning { integrator: "zhao".into(), until: START + Duration::from_mins(30 * 60) });
    });
    let mut world = World::new(plant, false);
    world.run("0s", "raise LIA-101 high-high");
    world.plant = plant::county();
    world.transcript.clear();
    world.run("5m", "restart");
    world.run("6m", "-");
    let said = world.transcript.join("\n");
    assert!(said.contains("5m ~ raised anew high-high LIA-101 for everyone"), "{said}");
    assert!(said.contains("5m tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms"), "{said}");
}

#[test]
fn rows_written_before_windows_existed_are_still_read() {
    let mut world = World::new(plant::county(), false);
    world.run("0s", "raise LIA-101 high");
    let row = |key: &str| -> serde_json::Value { serde_json::from_slice(&world.rows[key]).expect("JSON") };
    let input = row("input/high@hx/LIA-101");
    for field in ["held", "anew", "acknowledged_until", "acknowledgement_expired"] {
        assert!(input.get(field).is_none(), "{field} is written only where it says something");
    }
    let case = world.rows.iter().find(|(key, _)| key.starts_with("case/")).expect("a case");
    let case: serde_json::Value = serde_json::from_slice(case.1).expect("JSON");
    assert!(case["announcements"][0].get("audience").is_none() && case.get("first_out").is_none());
}

#[test]
fn an_inhibit_bit_without_a_window_is_told_and_with_one_is_explained_until_it_ends() {
    let plant = altered(|plant| {
        let tag = plant.tags.iter_mut().find(|tag| &*tag.id.tag == "LIA-101").expect("a tag");
        tag.conditions.push(model::plant::ConditionRule::new(Condition::Inhibited, 0.0, Level::Yellow));
    });
    check_on(
        plant,
        "
        0s > raise LIA-101 inhibited
        0s tank opened yellow
        0s tank told inhibited LIA-101 enterprise
        0s tank ! announce yellow inhibited LIA-101 to enterprise: wang sms voice page
        1m > return LIA-101 inhibited
        1m tank returned inhibited LIA-101
        2m > accept wang tank
        2m tank accepted inhibited LIA-101 by wang
        2m done
        1h > test wang LIA-101 30m
        1h ~ filed under-test LIA-101 of wang by wang
        1h done
        1h1m > raise LIA-101 inhibited
        1h1m ~ held inhibited LIA-101 for nobody
        1h30m ~ ended under-test LIA-101 of wang held 1
        1h30m ~ raised anew inhibited LIA-101 for everyone
        1h30m tank announced inhibited LIA-101 yellow
        1h30m tank told inhibited LIA-101 enterprise
        1h30m tank ! announce yellow inhibited LIA-101 to enterprise: wang sms voice page
        1h31m > -
        ",
    );
}

#[test]
fn a_limit_has_been_seen_to_work_once_it_raised_an_alarm_whatever_is_restarted() {
    let mut world = World::new(plant::county(), true);
    let alarm = |condition| AlarmId { tag: TagId::new("hx", "LIA-101"), condition };
    assert_eq!(world.escalation.proven(&alarm(Condition::High)), None);
    world.run("0s", "test wang LIA-101 1h");
    world.run("1m", "raise LIA-101 high");
    world.run("2m", "return LIA-101 high");
    world.run("5m", "raise LIA-101 high");
    assert_eq!(world.escalation.proven(&alarm(Condition::High)), Some(START + Duration::from_mins(1)), "a test proves it");
    assert_eq!(world.escalation.proven(&alarm(Condition::HighHigh)), None);
}
