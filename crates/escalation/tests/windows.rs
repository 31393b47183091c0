//! 搁置, 停用, 检维修/标定: who is told meanwhile, what ends them, and what stands then.

mod common;
use common::check;
use common::plant::county;
use common::world::World;

#[test]
fn a_test_window_pages_nobody_above_while_a_neighbour_tag_pages_as_ever() {
    check(
        "
        0s > test wang TIA-101 2h
        0s ~ filed under-test TIA-101 of wang by wang
        0s done
        1m > raise TIA-101 high-high
        1m ~ held high-high TIA-101 for enterprise
        1m tank opened orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 [test] to enterprise: wang sms voice page, boss sms
        2m > accept wang tank
        2m tank accepted high-high TIA-101 by wang
        2m done
        3m > raise LIA-101 high-high
        3m ~ first out high-high TIA-101
        3m tank announced high-high LIA-101 orange
        3m tank told high-high LIA-101 enterprise
        3m tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        6m tank reminder 1 high-high LIA-101
        6m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        8m tank sign-missed high-high LIA-101 enterprise
        8m tank told high-high LIA-101 township
        8m tank ! announce orange high-high LIA-101 to township: zhou sms page
        8m30s > -
        ",
    );
}

#[test]
fn a_test_is_told_to_the_enterprise_again_and_again_but_never_climbs() {
    check(
        "
        0s > test wang TIA-101 2h
        0s ~ filed under-test TIA-101 of wang by wang
        0s done
        0s > raise TIA-101 high
        0s ~ held high TIA-101 for enterprise
        0s tank opened yellow
        0s tank told high TIA-101 enterprise
        0s tank ! announce yellow high TIA-101 [test] to enterprise: wang sms voice page
        10m tank sign-missed high TIA-101 enterprise
        10m tank reminder 1 high TIA-101
        10m tank ! remind 1 yellow high TIA-101 [test] to enterprise: wang sms voice page
        20m tank reminder 2 high TIA-101
        20m tank ! remind 2 yellow high TIA-101 [test] to enterprise: wang sms voice page, hx-phone voice
        25m > -
        ",
    );
}

#[test]
fn a_test_ends_by_itself_and_what_stands_then_is_raised_as_new() {
    check(
        "
        0s > test wang TIA-101 10m
        0s ~ filed under-test TIA-101 of wang by wang
        0s done
        1m > raise TIA-101 high-high
        1m ~ held high-high TIA-101 for enterprise
        1m tank opened orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 [test] to enterprise: wang sms voice page, boss sms
        2m > accept wang tank
        2m tank accepted high-high TIA-101 by wang
        2m done
        3m > acknowledge wang tank
        3m tank acknowledged high-high TIA-101 by wang
        3m done
        10m ~ ended under-test TIA-101 of wang held 1
        10m ~ raised anew high-high TIA-101 for everyone
        10m tank announced high-high TIA-101 orange
        10m tank told high-high TIA-101 enterprise
        10m tank ! announce orange high-high TIA-101 to enterprise: wang sms voice page, boss sms
        13m tank reminder 1 high-high TIA-101
        13m tank ! remind 1 orange high-high TIA-101 to enterprise: wang sms voice page
        15m tank sign-missed high-high TIA-101 enterprise
        15m tank told high-high TIA-101 township
        15m tank ! announce orange high-high TIA-101 to township: zhou sms page
        15m30s > -
        ",
    );
}

#[test]
fn what_returned_during_the_test_is_not_raised_when_it_ends() {
    check(
        "
        0s > test wang TIA-101 10m
        0s ~ filed under-test TIA-101 of wang by wang
        0s done
        1m > raise TIA-101 high-high
        1m ~ held high-high TIA-101 for enterprise
        1m tank opened orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 [test] to enterprise: wang sms voice page, boss sms
        2m > accept wang tank
        2m tank accepted high-high TIA-101 by wang
        2m done
        3m > return TIA-101 high-high
        3m tank returned high-high TIA-101
        10m ~ ended under-test TIA-101 of wang held 1
        20m > -
        ",
    );
}

#[test]
fn a_test_that_ends_while_the_engine_is_down_raises_what_stands_at_the_start_marked_as_delayed() {
    check(
        "
        0s > test wang TIA-101 10m
        0s ~ filed under-test TIA-101 of wang by wang
        0s done
        1m > raise TIA-101 high-high
        1m ~ held high-high TIA-101 for enterprise
        1m tank opened orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 [test] to enterprise: wang sms voice page, boss sms
        2m > accept wang tank
        2m tank accepted high-high TIA-101 by wang
        2m done
        5m > down 30m
        35m ~ ended under-test TIA-101 of wang held 1
        35m ~ raised anew high-high TIA-101 for everyone
        35m tank announced high-high TIA-101 orange
        35m tank told high-high TIA-101 enterprise
        35m tank ! announce orange high-high TIA-101 delayed to enterprise: wang sms voice page, boss sms
        36m > -
        ",
    );
}

#[test]
fn a_case_of_a_test_is_checked_and_closed_by_the_enterprise() {
    check(
        "
        0s > test wang TIA-101 2h
        0s done
        1m > raise TIA-101 high-high
        1m tank opened orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 [test] to enterprise: wang sms voice page, boss sms
        2m > return TIA-101 high-high
        2m tank returned high-high TIA-101
        2m > accept wang tank
        2m tank accepted high-high TIA-101 by wang
        2m done
        2m > acknowledge wang tank
        2m tank acknowledged high-high TIA-101 by wang
        2m done
        2m > check wang tank real
        2m tank checked Real high-high TIA-101 by wang
        2m done
        3m > close li tank
        3m tank closed by li
        3m tank superseded
        3m tank ! closed orange high-high TIA-101 [test] to enterprise: boss sms, wang sms page
        3m done
        ",
    );
}

#[test]
fn a_gas_test_is_in_force_only_once_a_second_person_has_confirmed_it() {
    check(
        "
        0s > test wang area:area 2h
        0s ~ filed under-test area:area of wang waits for a second person by wang
        0s done
        1m > confirm-window wang now
        1m refused SamePerson
        1m > confirm-window bai now
        1m refused OutsideJurisdiction
        2m > confirm-window li now
        2m ~ confirmed under-test area:area of wang by li
        2m done
        2m > confirm-window zhou now
        2m refused AlreadyConfirmed
        3m > raise GT-1 high
        3m ~ held high GT-1 for enterprise
        3m area opened yellow
        3m area told high GT-1 enterprise
        3m area ! announce yellow high GT-1 [test] to enterprise: wang sms voice page
        4m > -
        ",
    );
}

#[test]
fn an_unconfirmed_gas_test_holds_nothing_and_ends_unused() {
    check(
        "
        0s > test wang area:area 2m
        0s ~ filed under-test area:area of wang waits for a second person by wang
        0s done
        1m > raise GT-1 high
        1m area opened yellow
        1m siren z1 sound on light on yellow v1
        1m area told high GT-1 enterprise
        1m area ! announce yellow high GT-1 to enterprise: wang sms voice page
        2m ~ ended under-test area:area of wang waits for a second person
        3m > -
        ",
    );
}

#[test]
fn a_shelved_alarm_is_told_to_nobody_and_counted_and_others_of_the_tag_are_told() {
    check(
        "
        0s > shelve wang LIA-101/high 2h
        0s ~ filed shelved LIA-101/high of wang by wang
        0s done
        1m > raise LIA-101 high
        1m ~ held high LIA-101 for nobody
        5m > return LIA-101 high
        6m > raise LIA-101 high
        6m ~ held high LIA-101 for nobody
        7m > raise LIA-101 low
        7m ~ first out high LIA-101
        7m tank opened blue
        7m tank told low LIA-101 enterprise
        7m tank ! announce blue low LIA-101 to enterprise: wang sms page
        8m > end li now
        8m ~ ended shelved LIA-101/high of wang held 2 by li
        8m ~ raised anew high LIA-101 for everyone
        8m tank rose to yellow
        8m tank announced high LIA-101 yellow
        8m tank told high LIA-101 enterprise
        8m tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        8m done
        ",
    );
}

#[test]
fn how_long_a_shelf_may_be_follows_from_its_level() {
    check(
        "
        0s > shelve wang LIA-101/high 9h
        0s refused end-too-late latest 8h
        0s > shelve wang LIA-101/low 25h
        0s refused end-too-late latest 24h
        0s > shelve wang LIA-101 3h
        0s refused end-too-late latest 2h
        0s > shelve wang LIA-101/high 0s
        0s refused EndPassed
        0s > shelve wang LIA-101/high 1h without words
        0s refused CommentNeeded
        0s > test wang TIA-101 9h
        0s refused end-too-late latest 8h
        0s > test wang TIA-101 1h without number
        0s refused ReferenceNeeded
        0s > shelve hx-phone LIA-101/high 1h
        0s refused NoSuchPerson
        0s > shelve bai LIA-101/high 1h
        0s refused OutsideJurisdiction
        0s > shelve wang SA-101/high 1h
        0s refused no-such-scope high@hx/SA-101
        0s > shelve wang area:area 10m
        0s refused WrongScope
        ",
    );
}

#[test]
fn red_and_gas_high_high_are_never_shelved_by_the_enterprise_alone() {
    check(
        "
        0s > shelve wang GT-3/high-high 20m
        0s ~ filed shelved GT-3/high-high of wang waits for the tier above by wang
        0s done
        1m > confirm-window li now
        1m refused wrong-tier needs township
        2m > raise GT-3 high-high
        2m area opened red
        2m siren z1 sound on light on red v1
        2m area told high-high GT-3 enterprise
        2m area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        2m area told high-high GT-3 township
        2m area ! announce red high-high GT-3 to township: zhou sms page
        2m area told high-high GT-3 county
        2m area ! announce red high-high GT-3 to county: xu voice sms
        2m > confirm-window zhao now
        2m ~ confirmed shelved GT-3/high-high of wang by zhao
        2m done
        ",
    );
    check(
        "
        0s > out-of-service wang GT-1/high-high 20m
        0s ~ filed out-of-service GT-1/high-high of wang waits for the tier above by wang
        0s done
        0s > shelve zhou GT-3/high-high 20m
        0s ~ filed shelved GT-3/high-high of zhou by zhou
        0s done
        ",
    );
}

#[test]
fn out_of_service_needs_a_permit_and_ends_by_itself() {
    check(
        "
        0s > out-of-service wang LIA-101 1h without number
        0s refused ReferenceNeeded
        0s > out-of-service wang LIA-101 1h
        0s ~ filed out-of-service LIA-101 of wang by wang
        0s done
        1m > raise LIA-101 high-high
        1m ~ held high-high LIA-101 for nobody
        1h ~ ended out-of-service LIA-101 of wang held 1
        1h ~ raised anew high-high LIA-101 for everyone
        1h tank opened orange
        1h tank told high-high LIA-101 enterprise
        1h tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1h1m > -
        ",
    );
}

#[test]
fn a_window_ends_no_obligation_that_runs_already() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > test wang LIA-101 1h
        1m done
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        5m30s > -
        ",
    );
}

#[test]
fn a_data_fault_that_still_waits_falls_under_a_window_that_begins_meanwhile() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        10m > shelve wang LIA-101/stale 1h
        10m ~ filed shelved LIA-101/stale of wang by wang
        10m ~ held stale LIA-101 for nobody
        10m done
        1h10m ~ ended shelved LIA-101/stale of wang held 1
        1h10m ~ raised anew stale LIA-101 for everyone
        1h10m tank announced stale LIA-101 yellow
        1h40m tank told stale LIA-101 enterprise
        1h40m tank ! announce yellow stale LIA-101 to enterprise: wang sms voice page
        1h41m > -
        ",
    );
}

#[test]
fn a_gateway_under_test_covers_its_own_alarms_and_all_its_tags() {
    check(
        "
        0s > test wang gateway:G 1h
        0s ~ filed under-test gateway:G of wang waits for a second person by wang
        0s done
        0s > confirm-window li now
        0s ~ confirmed under-test gateway:G of wang by li
        0s done
        1m > raise LIA-101 high
        1m ~ held high LIA-101 for enterprise
        1m tank opened yellow
        1m tank told high LIA-101 enterprise
        1m tank ! announce yellow high LIA-101 [test] to enterprise: wang sms voice page
        2m > raise hx/@G gateway-lost
        2m ~ held gateway-lost @G for enterprise
        2m gw opened yellow
        3m > -
        ",
    );
}

#[test]
fn a_late_exceedance_under_a_shelf_opens_no_case_and_is_counted() {
    check(
        "
        0s > shelve zhou LIA-101 1h
        0s ~ filed shelved LIA-101 of zhou by zhou
        0s done
        1m > straggler LIA-101 high-high @-10m
        1m ~ held high-high LIA-101 for nobody
        1h ~ ended shelved LIA-101 of zhou held 1
        1h1m > -
        ",
    );
}

#[test]
fn the_tags_whose_readings_are_marked_are_those_of_the_tests_in_force() {
    let mut world = World::new(county(), true);
    let under_test = |world: &World| -> Vec<String> {
        world.escalation.tags_under_test().into_iter().map(|tag| world.plant.tag(tag).id.to_string()).collect()
    };
    world.run("0s", "shelve zhou LIA-101 1h");
    assert_eq!(under_test(&world), Vec::<String>::new(), "a shelf is no test");
    world.run("1s", "test wang TIA-101 30m");
    assert_eq!(under_test(&world), ["hx/TIA-101"]);
    world.run("2s", "test wang gateway:G 1h");
    assert_eq!(under_test(&world), ["hx/TIA-101"], "the second person is missing");
    world.run("3s", "confirm-window li now");
    assert!(under_test(&world).len() > 2 && under_test(&world).contains(&"hx/@G".to_owned()), "{:?}", under_test(&world));
    world.run("40m", "-");
    assert!(under_test(&world).contains(&"hx/LIA-101".to_owned()), "the gateway's hour goes on");
    world.run("2h", "-");
    assert_eq!(under_test(&world), Vec::<String>::new());
}

#[test]
fn a_shelf_that_the_enterprise_filed_alone_ends_when_its_alarm_becomes_red() {
    check(
        "
        0s > shelve wang LIA-101/high 2h
        0s ~ filed shelved LIA-101/high of wang by wang
        0s done
        1m > raise LIA-101 high
        1m ~ held high LIA-101 for nobody
        5m > reload LIA-101 high red
        5m ~ ended shelved LIA-101/high of wang held 1: by the configuration now it needs another confirmation
        5m ~ raised anew high LIA-101 for everyone
        5m tank opened red
        5m tank told high LIA-101 enterprise
        5m tank ! announce red high LIA-101 to enterprise: wang sms voice page, boss sms
        5m tank told high LIA-101 township
        5m tank ! announce red high LIA-101 to township: zhou sms page
        5m tank told high LIA-101 county
        5m tank ! announce red high LIA-101 to county: xu voice sms
        5m > -
        ",
    );
}

#[test]
fn a_shelf_that_the_configuration_of_a_start_forbids_ends_with_the_start_though_nothing_else_happens() {
    let mut world = World::new(county(), false);
    world.run("0s", "shelve wang LIA-101/high 2h");
    world.run("1m", "raise LIA-101 high");
    let mut stricter = model::Plant::clone(&world.plant);
    let tag = stricter.tags.iter_mut().find(|tag| &*tag.id.tag == "LIA-101").expect("a tag");
    tag.conditions.iter_mut().filter(|rule| rule.condition == model::Condition::High).for_each(|rule| rule.level = model::Level::Red);
    world.plant = std::sync::Arc::new(stricter);
    world.transcript.clear();
    world.run("5m", "restart");
    world.run("6m", "-");
    let said = world.transcript.join("\n");
    assert!(said.contains("5m ~ ended shelved LIA-101/high of wang held 1: by the configuration now"), "{said}");
    assert!(said.contains("5m tank ! announce red high LIA-101 to county"), "{said}");
}

#[test]
fn a_shelf_that_waits_for_a_confirmation_or_needs_none_outlives_a_change_that_does_not_concern_it() {
    check(
        "
        0s > shelve wang GT-3/high-high 20m
        0s ~ filed shelved GT-3/high-high of wang waits for the tier above by wang
        0s done
        0s > shelve wang LIA-101/high 1h
        0s ~ filed shelved LIA-101/high of wang by wang
        0s done
        0s > shelve zhou TIA-101/high 20m
        0s ~ filed shelved TIA-101/high of zhou by zhou
        0s done
        1m > reload LIA-101 low-low orange
        2m > reload TIA-101 high red
        3m > -
        ",
    );
}

#[test]
fn a_shelf_that_may_not_be_as_long_any_more_ends_sooner() {
    check(
        "
        0s > shelve wang LIA-101/high 7h
        0s ~ filed shelved LIA-101/high of wang by wang
        0s done
        1m > raise LIA-101 high
        1m ~ held high LIA-101 for nobody
        1h > reload LIA-101 high orange
        1h ~ shortened shelved LIA-101/high of wang held 1 until 2h
        2h ~ ended shelved LIA-101/high of wang held 1
        2h ~ raised anew high LIA-101 for everyone
        2h tank opened orange
        2h tank told high LIA-101 enterprise
        2h tank ! announce orange high LIA-101 to enterprise: wang sms voice page, boss sms
        2h1m > -
        ",
    );
    check(
        "
        0s > shelve wang LIA-101/high 7h
        0s ~ filed shelved LIA-101/high of wang by wang
        0s done
        3h > reload LIA-101 high orange
        3h ~ ended shelved LIA-101/high of wang: longer than the configuration allows now
        3h1m > -
        ",
    );
}
