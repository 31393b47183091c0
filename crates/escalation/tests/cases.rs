//! Cases: one per equipment or area, folding, levels, and what is only recorded.

mod common;
use common::check;

#[test]
fn two_limits_crossed_by_one_reading_are_one_message_at_the_highest_level() {
    check(
        "
        0s > raise LIA-101 high + raise LIA-101 high-high
        0s tank opened yellow
        0s tank rose to orange
        0s tank announced high-high LIA-101 orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        0s tank told high LIA-101 enterprise
        ",
    );
}

#[test]
fn two_tags_of_one_equipment_share_one_case() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > raise TIA-101 high-high
        1m tank rose to orange
        1m tank announced high-high TIA-101 orange
        1m tank told high-high TIA-101 enterprise
        1m tank ! announce orange high-high TIA-101 to enterprise: wang sms voice page, boss sms
        ",
    );
}

#[test]
fn another_equipment_has_a_case_of_its_own() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > raise GT-1 high
        1m area opened yellow
        1m siren z1 sound on light on yellow v1
        1m area told high GT-1 enterprise
        1m area ! announce yellow high GT-1 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn a_condition_raised_again_within_30_minutes_on_the_tag_s_time_is_folded_in_with_a_count() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > return LIA-101 high
        1m tank returned high LIA-101
        5m > raise LIA-101 high
        5m tank folded high LIA-101 1
        6m > return LIA-101 high
        6m tank returned high LIA-101
        9m > raise LIA-101 high
        9m tank folded high LIA-101 2
        ",
    );
}

#[test]
fn after_30_minutes_the_same_condition_is_an_announcement_again() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        0s > accept wang tank
        0s tank accepted high LIA-101 by wang
        0s done
        1m > return LIA-101 high
        1m tank returned high LIA-101
        30m1s > raise LIA-101 high
        30m1s tank announced high LIA-101 yellow
        30m1s tank told high LIA-101 enterprise
        30m1s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn folding_counts_from_the_announcement_and_not_from_the_last_fold() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        0s > accept wang tank
        0s tank accepted high LIA-101 by wang
        0s done
        20m > raise LIA-101 high
        20m tank folded high LIA-101 1
        31m > raise LIA-101 high
        31m tank announced high LIA-101 yellow
        31m tank told high LIA-101 enterprise
        31m tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn a_raise_recorded_but_never_announced_folds_nothing() {
    check(
        "
        0s > hold LIA-101 high @-2m
        10s > return LIA-101 high
        20s > raise LIA-101 high
        20s tank opened yellow
        20s tank told high LIA-101 enterprise
        20s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn a_second_detector_of_the_area_in_the_same_condition_raises_the_level() {
    check(
        "
        0s > raise GT-1 high-high
        0s area opened orange
        0s siren z1 sound on light on orange v1
        0s area told high-high GT-1 enterprise
        0s area ! announce orange high-high GT-1 to enterprise: wang sms voice page, boss sms
        10s > raise GT-2 high-high
        10s area rose to red
        10s area announced high-high GT-2 red
        10s siren z1 sound on light on red v2
        10s area told high-high GT-2 enterprise
        10s area ! announce red high-high GT-2 to enterprise: wang sms voice page, boss sms
        10s area told high-high GT-2 township
        10s area ! announce red high-high GT-2 to township: zhou sms page
        10s area told high-high GT-2 county
        10s area ! announce red high-high GT-2 to county: xu voice sms
        ",
    );
}

#[test]
fn a_second_detector_whose_first_has_returned_does_not() {
    check(
        "
        0s > raise GT-1 high-high
        0s area opened orange
        0s siren z1 sound on light on orange v1
        0s area told high-high GT-1 enterprise
        0s area ! announce orange high-high GT-1 to enterprise: wang sms voice page, boss sms
        5s > return GT-1 high-high
        5s area returned high-high GT-1
        5s siren z1 sound off light on orange v2
        10s > raise GT-2 high-high
        10s area announced high-high GT-2 orange
        10s siren z1 sound on light on orange v3
        10s area told high-high GT-2 enterprise
        10s area ! announce orange high-high GT-2 to enterprise: wang sms voice page, boss sms
        ",
    );
}

#[test]
fn the_level_rises_with_the_second_detector_even_within_the_folding_time() {
    check(
        "
        0s > raise GT-1 high-high
        0s area opened orange
        0s siren z1 sound on light on orange v1
        0s area told high-high GT-1 enterprise
        0s area ! announce orange high-high GT-1 to enterprise: wang sms voice page, boss sms
        5s > return GT-1 high-high
        5s area returned high-high GT-1
        5s siren z1 sound off light on orange v2
        10s > raise GT-2 high-high
        10s area announced high-high GT-2 orange
        10s siren z1 sound on light on orange v3
        10s area told high-high GT-2 enterprise
        10s area ! announce orange high-high GT-2 to enterprise: wang sms voice page, boss sms
        1m > raise GT-1 high-high
        1m area rose to red
        1m area announced high-high GT-1 red
        1m siren z1 sound on light on red v4
        1m area told high-high GT-1 enterprise
        1m area ! announce red high-high GT-1 to enterprise: wang sms voice page, boss sms
        1m area told high-high GT-1 township
        1m area ! announce red high-high GT-1 to township: zhou sms page
        1m area told high-high GT-1 county
        1m area ! announce red high-high GT-1 to county: xu voice sms
        ",
    );
}

#[test]
fn return_to_normal_never_closes_a_case() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > return LIA-101 high
        1m tank returned high LIA-101
        1m > acknowledge wang tank
        1m tank acknowledged high LIA-101 by wang
        1m done
        2m > raise TIA-101 high
        2m tank announced high TIA-101 yellow
        2m tank told high TIA-101 enterprise
        2m tank ! announce yellow high TIA-101 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn a_case_closed_means_the_next_raise_opens_a_new_one() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1m > return SA-101 discrete
        1m tank returned discrete SA-101
        1m > acknowledge wang tank
        1m tank acknowledged discrete SA-101 by wang
        1m done
        2m > accept wang tank
        2m tank accepted discrete SA-101 by wang
        2m done
        2m > check wang tank real
        2m tank checked Real discrete SA-101 by wang
        2m done
        3m > close wang tank
        3m tank closed by wang
        3m tank superseded
        3m tank ! closed blue discrete SA-101 to enterprise: wang sms page
        3m done
        5m > raise SA-101 discrete
        5m tank opened blue
        5m tank told discrete SA-101 enterprise
        5m tank ! announce blue discrete SA-101 to enterprise: wang sms page
        ",
    );
}

#[test]
fn a_reported_case_with_a_new_announcement_must_be_handled_again() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept wang tank
        1m tank accepted high-high LIA-101 by wang
        1m done
        2m > check wang tank real
        2m tank checked Real high-high LIA-101 by wang
        2m done
        3m > handle wang tank
        3m tank handling by wang
        3m done
        4m > report wang tank
        4m tank reported by wang
        4m done
        5m > raise TIA-101 high-high
        5m tank announced high-high TIA-101 orange
        5m tank told high-high TIA-101 enterprise
        5m tank ! announce orange high-high TIA-101 to enterprise: wang sms voice page, boss sms
        6m > review zhou tank
        6m refused wrong-step at notified
        6m > handle wang tank
        6m refused wrong-step at notified
        ",
    );
}

#[test]
fn an_alarm_told_again_is_an_announcement_of_its_own_even_within_the_time_of_folding() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > accept wang tank
        1m tank accepted high LIA-101 by wang
        1m done
        2m > acknowledge wang tank
        2m tank acknowledged high LIA-101 by wang
        2m done
        20m > realarm LIA-101 high
        20m tank announced high LIA-101 yellow
        20m tank told high LIA-101 enterprise
        20m tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        ",
    );
}
