//! The acts of a case and every refusal.

mod common;
use common::check;

#[test]
fn an_orange_case_from_raise_to_close() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > acknowledge wang tank
        1m tank acknowledged high-high LIA-101 by wang
        1m done
        2m > accept wang tank
        2m tank accepted high-high LIA-101 by wang
        2m done
        5m > check wang tank real
        5m tank checked Real high-high LIA-101 by wang
        5m done
        6m > handle wang tank
        6m tank handling by wang
        6m done
        10m > return LIA-101 high-high
        10m tank returned high-high LIA-101
        20m > report wang tank
        20m tank reported by wang
        20m done
        21m > accept zhou tank
        21m tank accepted high-high LIA-101 by zhou
        21m done
        22m > review zhou tank
        22m tank reviewed by zhou
        22m done
        23m > close zhou tank
        23m tank closed by zhou
        23m tank superseded
        23m tank ! closed orange high-high LIA-101 to enterprise: boss sms, wang sms page
        23m done
        2h > -
        ",
    );
}

#[test]
fn closing_lists_everything_that_is_missing() {
    check(
        "
        0s > raise LIA-101 high + raise LIA-101 high-high
        0s tank opened yellow
        0s tank rose to orange
        0s tank announced high-high LIA-101 orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        0s tank told high LIA-101 enterprise
        1m > close wang tank
        1m refused wrong-tier needs township, wrong-step at opened, not-signed by enterprise high LIA-101, not-signed by township high LIA-101, not-signed by enterprise high-high LIA-101, not-signed by township high-high LIA-101, stands high LIA-101, not-acknowledged high LIA-101, not-checked high LIA-101, stands high-high LIA-101, not-acknowledged high-high LIA-101, not-checked high-high LIA-101
        1m > close zhou tank
        1m refused wrong-step at opened, not-signed by enterprise high LIA-101, not-signed by township high LIA-101, not-signed by enterprise high-high LIA-101, not-signed by township high-high LIA-101, stands high LIA-101, not-acknowledged high LIA-101, not-checked high LIA-101, stands high-high LIA-101, not-acknowledged high-high LIA-101, not-checked high-high LIA-101
        ",
    );
}

#[test]
fn closing_over_an_announcement_that_was_not_shown_is_refused() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1s > return SA-101 discrete
        1s tank returned discrete SA-101
        2s > acknowledge wang tank
        2s tank acknowledged discrete SA-101 by wang
        2s done
        3s > accept wang tank
        3s tank accepted discrete SA-101 by wang
        3s done
        4s > check wang tank real
        4s tank checked Real discrete SA-101 by wang
        4s done
        5s > hold LIA-101 low @-2m
        5s > confirm LIA-101 low
        5s tank announced low LIA-101 blue
        5s tank told low LIA-101 enterprise
        5s tank ! announce blue low LIA-101 late to enterprise: wang sms page
        6s > return LIA-101 low
        6s tank returned low LIA-101
        7s > acknowledge wang tank
        7s tank acknowledged low LIA-101 by wang
        7s done
        8s > accept wang tank
        8s tank accepted discrete SA-101, low LIA-101 by wang
        8s done
        9s > check wang tank real
        9s tank checked Real low LIA-101, discrete SA-101 by wang
        9s done
        10s > close wang tank discrete SA-101
        10s refused not-shown low LIA-101
        11s > close wang tank low LIA-101
        11s refused not-shown discrete SA-101
        12s > close wang tank
        12s tank closed by wang
        12s tank superseded
        12s tank ! closed blue discrete SA-101 to enterprise: wang sms page
        12s done
        ",
    );
}

#[test]
fn who_handled_it_does_not_close_it() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > return LIA-101 high
        1m tank returned high LIA-101
        2m > acknowledge wang tank
        2m tank acknowledged high LIA-101 by wang
        2m done
        2m > accept wang tank
        2m tank accepted high LIA-101 by wang
        2m done
        3m > check wang tank real
        3m tank checked Real high LIA-101 by wang
        3m done
        4m > handle wang tank
        4m tank handling by wang
        4m done
        5m > report wang tank
        5m tank reported by wang
        5m done
        6m > review li tank
        6m tank reviewed by li
        6m done
        7m > close wang tank
        7m refused SamePerson
        8m > close li tank
        8m tank closed by li
        8m tank superseded
        8m tank ! closed yellow high LIA-101 to enterprise: wang sms page
        8m done
        ",
    );
}

#[test]
fn a_latched_gas_alarm_is_released_only_with_a_field_check() {
    check(
        "
        0s > raise GT-1 high
        0s area opened yellow
        0s siren z1 sound on light on yellow v1
        0s area told high GT-1 enterprise
        0s area ! announce yellow high GT-1 to enterprise: wang sms voice page
        1m > accept wang area
        1m area accepted high GT-1 by wang
        1m done
        2m > latch GT-1 high
        3m > check wang area real
        3m refused latched high GT-1
        4m > check wang area real field
        4m area checked Real high GT-1 with field check by wang
        4m done
        4m area returned high GT-1
        4m siren z1 sound off light on yellow v2
        5m > close li area
        5m refused wrong-step at checked, not-acknowledged high GT-1
        ",
    );
}

#[test]
fn gas_is_called_false_only_with_a_field_check() {
    check(
        "
        0s > raise GT-1 high
        0s area opened yellow
        0s siren z1 sound on light on yellow v1
        0s area told high GT-1 enterprise
        0s area ! announce yellow high GT-1 to enterprise: wang sms voice page
        1m > accept wang area
        1m area accepted high GT-1 by wang
        1m done
        2m > check wang area false
        2m refused field-check-needed high GT-1
        2m > check wang area false field
        2m area checked False high GT-1 with field check by wang
        2m done
        ",
    );
}

#[test]
fn bad_input_keeps_a_case_open() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        1m > accept wang tank
        1m tank accepted high LIA-101 by wang
        1m done
        2m > return LIA-101 high
        2m tank returned high LIA-101
        3m > raise TIA-101 bad-quality
        3m tank announced bad-quality TIA-101 yellow
        4m > raise LIA-101 bad-quality
        4m tank announced bad-quality LIA-101 yellow
        5m > acknowledge wang tank
        5m tank acknowledged high LIA-101, bad-quality LIA-101, bad-quality TIA-101 by wang
        5m done
        6m > check wang tank real
        6m tank checked Real high LIA-101, bad-quality LIA-101, bad-quality TIA-101 by wang
        6m done
        6m > handle wang tank
        6m tank handling by wang
        6m done
        6m > report wang tank
        6m tank reported by wang
        6m done
        6m > review li tank
        6m tank reviewed by li
        6m done
        7m > close li tank
        7m refused not-signed by enterprise bad-quality TIA-101, not-signed by enterprise bad-quality LIA-101, input-bad high LIA-101, stands bad-quality TIA-101, stands bad-quality LIA-101
        ",
    );
}

#[test]
fn an_episode_that_returned_unseen_is_acknowledged_beside_the_one_that_came_after_it() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1m > return SA-101 discrete
        1m tank returned discrete SA-101
        2m > raise SA-101 discrete
        2m tank folded discrete SA-101 1
        3m > return SA-101 discrete
        3m tank returned discrete SA-101
        4m > acknowledge wang tank
        4m tank acknowledged discrete SA-101 by wang
        4m done
        4m > accept wang tank
        4m tank accepted discrete SA-101 by wang
        4m done
        5m > check wang tank real
        5m tank checked Real discrete SA-101 by wang
        5m done
        6m > close wang tank
        6m tank closed by wang
        6m tank superseded
        6m tank ! closed blue discrete SA-101 to enterprise: wang sms page
        6m done
        ",
    );
}

#[test]
fn each_episode_needs_its_own_outcome() {
    check(
        "
        0s > raise SA-101 discrete + raise LIA-101 low
        0s tank opened blue
        0s tank announced low LIA-101 blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        0s tank told low LIA-101 enterprise
        1m > return SA-101 discrete + return LIA-101 low
        1m tank returned discrete SA-101
        1m tank returned low LIA-101
        2m > acknowledge wang tank
        2m tank acknowledged low LIA-101, discrete SA-101 by wang
        2m done
        2m > accept wang tank
        2m tank accepted discrete SA-101, low LIA-101 by wang
        2m done
        3m > check wang tank only discrete SA-101
        3m tank checked Real discrete SA-101 by wang
        3m done
        4m > close wang tank
        4m refused not-checked low LIA-101
        5m > check wang tank only low LIA-101
        5m tank checked Real low LIA-101 by wang
        5m done
        6m > close wang tank
        6m tank closed by wang
        6m tank superseded
        6m tank ! closed blue discrete SA-101 to enterprise: wang sms page
        6m done
        ",
    );
}

#[test]
fn given_back_means_handled_again_with_a_deadline_of_its_own() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept wang tank
        1m tank accepted high-high LIA-101 by wang
        1m done
        1m > check wang tank real
        1m tank checked Real high-high LIA-101 by wang
        1m done
        2m > handle wang tank
        2m tank handling by wang
        2m done
        3m > report wang tank
        3m tank reported by wang
        3m done
        4m > give-back wang tank
        4m refused wrong-tier needs township
        4m > give-back zhou tank without words
        4m refused CommentNeeded
        5m > give-back zhou tank
        5m tank given back by zhou
        5m tank ! return orange high-high LIA-101 to enterprise: wang sms voice page
        5m done
        6m > review zhou tank
        6m refused wrong-step at returned
        1h5m > -
        1h5m tank handle-missed enterprise
        1h5m tank ! handle-missed orange high-high LIA-101 to enterprise: wang sms voice page
        1h5m tank told high-high LIA-101 township
        1h5m tank ! handle-missed orange high-high LIA-101 to township: zhou sms page
        1h6m > handle wang tank
        1h6m tank reminder 1 high-high LIA-101
        1h6m tank ! remind 1 orange high-high LIA-101 to township: zhou sms page
        1h6m tank handling by wang
        1h6m done
        1h7m > report wang tank
        1h7m tank reported by wang
        1h7m done
        1h7m > accept zhou tank
        1h7m tank accepted high-high LIA-101 by zhou
        1h7m done
        1h8m > review zhou tank
        1h8m tank reviewed by zhou
        1h8m done
        ",
    );
}

#[test]
fn supervision_and_reminders_by_hand_come_from_above() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        10s > remind wang tank
        10s refused wrong-tier needs township
        10s > supervise wang tank
        10s refused wrong-tier needs township
        20s > remind zhou tank
        20s tank reminder 1 high-high LIA-101 by zhou
        20s tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        20s done
        30s > supervise xu tank without words
        30s refused CommentNeeded
        30s > supervise xu tank
        30s tank supervised by xu
        30s tank ! supervise orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        30s done
        40s > supervise xu tank
        40s tank supervised by xu
        40s tank ! supervise 1 orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        40s done
        3m > -
        3m tank reminder 2 high-high LIA-101
        3m tank ! remind 2 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        ",
    );
}

#[test]
fn the_steps_of_the_enterprise_are_not_for_others_and_not_out_of_order() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > check wang tank real
        1m refused wrong-step at opened
        1m > handle wang tank
        1m refused wrong-step at opened
        1m > report wang tank
        1m refused wrong-step at opened
        1m > review zhou tank
        1m refused wrong-step at opened
        1m > give-back zhou tank
        1m refused wrong-step at opened
        2m > accept wang tank
        2m tank accepted high-high LIA-101 by wang
        2m done
        2m > check zhou tank real
        2m refused wrong-tier needs enterprise
        2m > handle wang tank
        2m refused wrong-step at accepted
        2m > check wang tank real
        2m tank checked Real high-high LIA-101 by wang
        2m done
        2m > handle zhou tank
        2m refused wrong-tier needs enterprise
        2m > handle wang tank without words
        2m refused CommentNeeded
        2m > report wang tank
        2m refused wrong-step at checked
        ",
    );
}

#[test]
fn nobody_acts_outside_their_jurisdiction() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept pan tank
        1m refused OutsideJurisdiction
        1m > accept bai tank
        1m refused OutsideJurisdiction
        1m > acknowledge bai tank
        1m refused OutsideJurisdiction
        1m > close pan tank
        1m refused OutsideJurisdiction
        ",
    );
}

#[test]
fn a_closed_case_takes_no_more_acts() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1s > return SA-101 discrete
        1s tank returned discrete SA-101
        2s > acknowledge wang tank
        2s tank acknowledged discrete SA-101 by wang
        2s done
        3s > accept wang tank
        3s tank accepted discrete SA-101 by wang
        3s done
        4s > check wang tank real
        4s tank checked Real discrete SA-101 by wang
        4s done
        5s > close wang tank
        5s tank closed by wang
        5s tank superseded
        5s tank ! closed blue discrete SA-101 to enterprise: wang sms page
        5s done
        6s > accept wang tank
        6s refused NoSuchCase
        6s > handle wang tank
        6s refused NoSuchCase
        ",
    );
}
