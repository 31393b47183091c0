//! Late data and data faults: what is told later, more quietly, or not at all.

mod common;
use common::check;

#[test]
fn a_late_raise_confirmed_climbs_from_its_announcement() {
    check(
        "
        0s > hold LIA-101 high-high @-40m
        10s > confirm LIA-101 high-high
        10s tank opened orange
        10s tank told high-high LIA-101 enterprise
        10s tank ! announce orange high-high LIA-101 late to enterprise: wang sms voice page, boss sms
        3m10s tank reminder 1 high-high LIA-101
        3m10s tank ! remind 1 orange high-high LIA-101 late to enterprise: wang sms voice page
        5m10s > -
        5m10s tank sign-missed high-high LIA-101 enterprise
        5m10s tank told high-high LIA-101 township
        5m10s tank ! announce orange high-high LIA-101 late to township: zhou sms page
        ",
    );
}

#[test]
fn folding_of_a_confirmed_late_raise_starts_at_its_announcement() {
    check(
        "
        0s > hold LIA-101 high-high @-40m
        10s > confirm LIA-101 high-high
        10s tank opened orange
        10s tank told high-high LIA-101 enterprise
        10s tank ! announce orange high-high LIA-101 late to enterprise: wang sms voice page, boss sms
        20s > accept wang tank
        20s tank accepted high-high LIA-101 by wang
        20s done
        30s > return LIA-101 high-high
        30s tank returned high-high LIA-101
        1m > raise LIA-101 high-high
        1m tank folded high-high LIA-101 1
        ",
    );
}

#[test]
fn a_late_raise_that_returned_first_is_told_to_the_enterprise_by_message_without_voice_or_siren() {
    check(
        "
        0s > hold GT-3 high-high @-40m
        0s > return GT-3 high-high
        0s > late-returned GT-3 high-high
        0s area opened red
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 late to enterprise: wang sms page, boss sms
        1m area reminder 1 high-high GT-3
        1m area ! remind 1 red high-high GT-3 late to enterprise: wang sms page
        2m area reminder 2 high-high GT-3
        2m area ! remind 2 red high-high GT-3 late to enterprise: wang sms page
        3m > -
        3m area sign-missed high-high GT-3 enterprise
        3m area reminder 3 high-high GT-3
        3m area ! remind 3 red high-high GT-3 late to enterprise: wang sms page
        3m area told high-high GT-3 township
        3m area ! announce red high-high GT-3 late to township: zhou sms page
        3m area told high-high GT-3 county
        3m area ! announce red high-high GT-3 late to county: xu voice sms
        ",
    );
}

#[test]
fn an_alarm_that_is_there_now_is_not_folded_into_one_told_late_by_message() {
    check(
        "
        0s > hold GT-3 high-high @-10m
        0s > return GT-3 high-high
        0s > late-returned GT-3 high-high
        0s area opened red
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 late to enterprise: wang sms page, boss sms
        1m > raise GT-3 high-high
        1m area reminder 1 high-high GT-3
        1m area ! remind 1 red high-high GT-3 late to enterprise: wang sms page
        1m area announced high-high GT-3 red
        1m siren z1 sound on light on red v1
        1m area told high-high GT-3 enterprise
        1m area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        1m area told high-high GT-3 township
        1m area ! announce red high-high GT-3 to township: zhou sms page
        1m area told high-high GT-3 county
        1m area ! announce red high-high GT-3 to county: xu voice sms
        ",
    );
}

#[test]
fn a_straggler_beyond_a_high_limit_opens_a_case_by_message_and_its_neighbours_are_folded_in() {
    check(
        "
        0s > straggler LIA-101 high-high @-40m
        0s tank opened orange
        0s tank late-exceedance high-high LIA-101
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 late to enterprise: wang sms page, boss sms
        1s > straggler LIA-101 high-high @-41m
        1s tank folded high-high LIA-101 1
        1s tank late-exceedance high-high LIA-101
        2s > late-note LIA-101 high @-41m
        2s tank late-exceedance high LIA-101
        ",
    );
}

#[test]
fn a_straggler_is_recorded_in_a_case_that_is_open() {
    check(
        "
        0s > raise TIA-101 high
        0s tank opened yellow
        0s tank told high TIA-101 enterprise
        0s tank ! announce yellow high TIA-101 to enterprise: wang sms voice page
        1s > late-note LIA-101 high @-41m
        1s tank late-exceedance high LIA-101
        ",
    );
}

#[test]
fn a_data_fault_is_told_after_30_minutes() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        30m > -
        30m tank told stale LIA-101 enterprise
        30m tank ! announce yellow stale LIA-101 to enterprise: wang sms voice page
        40m > -
        40m tank sign-missed stale LIA-101 enterprise
        40m tank reminder 1 stale LIA-101
        40m tank ! remind 1 yellow stale LIA-101 to enterprise: wang sms voice page
        40m tank told stale LIA-101 township
        40m tank ! announce yellow stale LIA-101 to township: zhou sms page
        ",
    );
}

#[test]
fn a_data_fault_that_returns_within_its_wait_is_told_to_nobody_and_its_case_is_withdrawn() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        10m > return LIA-101 stale
        10m tank returned stale LIA-101
        30m > -
        30m tank closed
        31m > acknowledge wang tank
        31m tank acknowledged stale LIA-101 by wang
        31m done
        32m > raise LIA-101 stale
        32m tank opened yellow
        ",
    );
}

#[test]
fn a_case_with_more_than_a_returned_data_fault_stays_open() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        10m > return LIA-101 stale
        10m tank returned stale LIA-101
        20m > raise SA-101 discrete
        20m tank announced discrete SA-101 blue
        20m tank told discrete SA-101 enterprise
        20m tank ! announce blue discrete SA-101 to enterprise: wang sms page
        20m > accept wang tank discrete SA-101
        20m tank accepted discrete SA-101 by wang
        20m done
        21m > return SA-101 discrete
        21m tank returned discrete SA-101
        2h > -
        ",
    );
}

#[test]
fn a_case_somebody_supervises_is_not_withdrawn_and_can_be_finished_though_nothing_was_announced() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        1m > supervise zhou tank
        1m tank supervised by zhou
        1m tank ! supervise yellow stale LIA-101 to enterprise: wang sms voice page
        1m done
        10m > return LIA-101 stale
        10m tank returned stale LIA-101
        2h > accept wang tank
        2h tank accepted  by wang
        2h done
        2h > acknowledge wang tank
        2h tank acknowledged stale LIA-101 by wang
        2h done
        2h > check wang tank real
        2h tank checked Real stale LIA-101 by wang
        2h done
        2h > close wang tank
        2h tank closed by wang
        2h tank superseded
        2h done
        ",
    );
}

#[test]
fn a_data_fault_that_comes_and_goes_is_told_if_it_stands_when_the_wait_ends() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        10m > return LIA-101 stale
        10m tank returned stale LIA-101
        29m > raise LIA-101 stale
        29m tank folded stale LIA-101 1
        30m tank told stale LIA-101 enterprise
        30m tank ! announce yellow stale LIA-101 to enterprise: wang sms voice page
        31m > -
        ",
    );
}

#[test]
fn a_data_fault_taken_by_the_operator_before_its_wait_ends_does_not_climb() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        5m > accept wang tank
        5m tank accepted stale LIA-101 by wang
        5m done
        1h > -
        ",
    );
}

#[test]
fn a_straggler_between_does_not_keep_a_raise_from_being_folded_into_what_was_told_in_full() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept wang tank
        1m tank accepted high-high LIA-101 by wang
        1m done
        2m > return LIA-101 high-high
        2m tank returned high-high LIA-101
        3m > straggler LIA-101 high-high @-2h
        3m tank announced high-high LIA-101 orange
        3m tank late-exceedance high-high LIA-101
        3m tank told high-high LIA-101 enterprise
        3m tank ! announce orange high-high LIA-101 late to enterprise: wang sms page, boss sms
        4m > accept wang tank
        4m tank accepted high-high LIA-101, high-high LIA-101 by wang
        4m done
        5m > raise LIA-101 high-high
        5m tank folded high-high LIA-101 1
        ",
    );
}

#[test]
fn a_message_without_voice_does_not_stand_for_an_alarm_that_wants_it() {
    check(
        "
        0s > straggler GT-3 high-high @-2h + raise GT-1 high
        0s area opened red
        0s area late-exceedance high-high GT-3
        0s area announced high GT-1 yellow
        0s siren z1 sound on light on yellow v1
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 late to enterprise: wang sms page, boss sms
        0s area told high GT-1 enterprise
        0s area ! announce yellow high GT-1 to enterprise: wang voice
        ",
    );
}

#[test]
fn a_held_raise_on_an_equipment_with_an_open_case_is_listed_there_and_told_to_nobody() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > hold TIA-101 high-high @-5m
        1m30s > return TIA-101 high-high
        1m30s tank returned high-high TIA-101
        2m > acknowledge wang tank
        2m tank acknowledged high LIA-101, high-high TIA-101 by wang
        2m done
        ",
    );
}
