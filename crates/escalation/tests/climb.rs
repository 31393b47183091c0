//! The climb: from the enterprise to the township and the county until somebody signs.

mod common;
use common::check;

#[test]
fn orange_climbs_to_the_township_after_5_and_the_county_after_15_minutes() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        6m tank reminder 2 high-high LIA-101
        6m tank ! remind 2 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        6m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        9m tank reminder 3 high-high LIA-101
        9m tank ! remind 3 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        9m tank ! remind 3 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        12m tank reminder 4 high-high LIA-101
        12m tank ! remind 4 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        12m tank ! remind 4 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        15m tank reminder 5 high-high LIA-101
        15m tank ! remind 5 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        15m tank ! remind 5 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        15m tank told high-high LIA-101 county
        15m tank ! announce orange high-high LIA-101 to county: xu voice sms
        16m > -
        ",
    );
}

#[test]
fn the_enterprise_s_signature_stops_the_climb_to_tiers_not_yet_told() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        4m > accept wang tank
        4m tank accepted high-high LIA-101 by wang
        4m done
        20m > -
        ",
    );
}

#[test]
fn a_tier_already_told_is_reminded_until_it_signs_for_itself() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        5m30s > accept wang tank
        5m30s tank accepted high-high LIA-101 by wang
        5m30s done
        6m tank reminder 2 high-high LIA-101
        6m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        7m > accept zhou tank
        7m tank accepted high-high LIA-101 by zhou
        7m done
        20m > -
        ",
    );
}

#[test]
fn an_upper_tier_s_signature_never_counts_as_the_enterprise_s() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept zhou tank
        1m tank accepted high-high LIA-101 by zhou
        1m done
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        6m tank reminder 2 high-high LIA-101
        6m tank ! remind 2 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        7m > -
        ",
    );
}

#[test]
fn a_missed_enterprise_deadline_is_told_to_the_tiers_above_even_if_they_have_signed() {
    check(
        "
        0s > raise GT-3 high-high
        0s area opened red
        0s siren z1 sound on light on red v1
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        0s area told high-high GT-3 township
        0s area ! announce red high-high GT-3 to township: zhou sms page
        0s area told high-high GT-3 county
        0s area ! announce red high-high GT-3 to county: xu voice sms
        30s > accept zhou area
        30s area accepted high-high GT-3 by zhou
        30s done
        40s > accept xu area
        40s area accepted high-high GT-3 by xu
        40s done
        1m area reminder 1 high-high GT-3
        1m area ! remind 1 red high-high GT-3 to enterprise: wang sms voice page
        2m area reminder 2 high-high GT-3
        2m area ! remind 2 red high-high GT-3 to enterprise: wang sms voice page, hx-phone voice
        3m > -
        3m area sign-missed high-high GT-3 enterprise
        3m area reminder 3 high-high GT-3
        3m area ! remind 3 red high-high GT-3 to enterprise: wang sms voice page, hx-phone voice
        3m area ! sign-missed red high-high GT-3 to township: zhou sms page
        3m area ! sign-missed red high-high GT-3 to county: xu voice sms
        ",
    );
}

#[test]
fn at_a_tie_the_deadline_goes_before_the_signature() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        5m > accept wang tank
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        5m tank accepted high-high LIA-101 by wang
        5m done
        6m tank reminder 2 high-high LIA-101
        6m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        9m > -
        9m tank reminder 3 high-high LIA-101
        9m tank ! remind 3 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        ",
    );
}

#[test]
fn a_signature_one_second_before_the_deadline_prevents_it() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        4m59s > accept wang tank
        4m59s tank accepted high-high LIA-101 by wang
        4m59s done
        30m > -
        ",
    );
}

#[test]
fn red_toxic_gas_tells_three_tiers_at_once_and_sounds_the_siren() {
    check(
        "
        0s > raise GT-3 high-high
        0s area opened red
        0s siren z1 sound on light on red v1
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        0s area told high-high GT-3 township
        0s area ! announce red high-high GT-3 to township: zhou sms page
        0s area told high-high GT-3 county
        0s area ! announce red high-high GT-3 to county: xu voice sms
        1m > -
        1m area reminder 1 high-high GT-3
        1m area ! remind 1 red high-high GT-3 to enterprise: wang sms voice page
        1m area ! remind 1 red high-high GT-3 to township: zhou sms page
        1m area ! remind 1 red high-high GT-3 to county: xu voice sms
        ",
    );
}

#[test]
fn blue_has_a_ceiling_and_no_reminders() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        30m tank sign-missed discrete SA-101 enterprise
        30m tank told discrete SA-101 township
        30m tank ! announce blue discrete SA-101 to township: zhou page
        1h > -
        ",
    );
}

#[test]
fn an_announcement_climbs_from_zero_by_the_policy_of_its_own_level_beside_those_running() {
    check(
        "
        0s > raise LIA-101 high
        0s tank opened yellow
        0s tank told high LIA-101 enterprise
        0s tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        4m > raise LIA-101 high-high
        4m tank rose to orange
        4m tank announced high-high LIA-101 orange
        4m tank told high-high LIA-101 enterprise
        4m tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        7m tank reminder 1 high-high LIA-101
        7m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        9m tank sign-missed high-high LIA-101 enterprise
        9m tank told high-high LIA-101 township
        9m tank ! announce orange high-high LIA-101 to township: zhou sms page
        9m30s > -
        ",
    );
}

#[test]
fn a_signature_covers_exactly_the_announcements_named() {
    check(
        "
        0s > raise LIA-101 high + raise TIA-101 high-high
        0s tank opened yellow
        0s tank rose to orange
        0s tank announced high-high TIA-101 orange
        0s tank told high-high TIA-101 enterprise
        0s tank ! announce orange high-high TIA-101 to enterprise: wang sms voice page, boss sms
        0s tank told high LIA-101 enterprise
        1m > accept wang tank high LIA-101
        1m tank accepted high LIA-101 by wang
        1m done
        3m tank reminder 1 high-high TIA-101
        3m tank ! remind 1 orange high-high TIA-101 to enterprise: wang sms voice page
        5m > -
        5m tank sign-missed high-high TIA-101 enterprise
        5m tank told high-high TIA-101 township
        5m tank ! announce orange high-high TIA-101 to township: zhou sms page
        ",
    );
}

#[test]
fn the_earliest_handling_deadline_stands_and_a_missed_one_climbs_one_tier_at_a_time() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > accept wang tank
        1m tank accepted high-high LIA-101 by wang
        1m done
        10m > raise TIA-101 high
        10m tank announced high TIA-101 yellow
        10m tank told high TIA-101 enterprise
        10m tank ! announce yellow high TIA-101 to enterprise: wang sms voice page
        11m > accept wang tank
        11m tank accepted high-high LIA-101, high TIA-101 by wang
        11m done
        1h > -
        1h tank handle-missed enterprise
        1h tank ! handle-missed orange high-high LIA-101 to enterprise: wang sms voice page
        1h tank told high-high LIA-101 township
        1h tank ! handle-missed orange high-high LIA-101 to township: zhou sms page
        1h1m > accept zhou tank
        1h1m tank accepted high-high LIA-101, high TIA-101 by zhou
        1h1m done
        2h > -
        2h tank handle-missed enterprise
        2h tank ! handle-missed 1 orange high-high LIA-101 to enterprise: wang sms voice page
        2h tank ! handle-missed 1 orange high-high LIA-101 to township: zhou sms page
        2h tank told high-high LIA-101 county
        2h tank ! handle-missed 1 orange high-high LIA-101 to county: xu voice sms
        2h1m > accept xu tank
        2h1m tank accepted high-high LIA-101, high TIA-101 by xu
        2h1m done
        3h tank handle-missed enterprise
        3h tank ! handle-missed 2 orange high-high LIA-101 to enterprise: wang sms voice page
        3h tank ! handle-missed 2 orange high-high LIA-101 to township: zhou sms page
        3h tank ! handle-missed 2 orange high-high LIA-101 to county: xu voice sms
        3h1m > check wang tank real
        3h1m tank checked Real high-high LIA-101, high TIA-101 by wang
        3h1m done
        3h2m > handle wang tank
        3h2m tank handling by wang
        3h2m done
        6h > -
        ",
    );
}

#[test]
fn handling_in_time_ends_its_deadline() {
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
        3h > -
        ",
    );
}

#[test]
fn a_lower_level_later_neither_cancels_nor_postpones_anything() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        2m > return LIA-101 high-high
        2m tank returned high-high LIA-101
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        4m > raise LIA-101 high
        4m tank announced high LIA-101 yellow
        4m tank told high LIA-101 enterprise
        4m tank ! announce yellow high LIA-101 to enterprise: wang sms voice page
        5m > -
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank told high-high LIA-101 township
        5m tank ! announce orange high-high LIA-101 to township: zhou sms page
        ",
    );
}

#[test]
fn system_alarms_take_the_same_path_without_a_township() {
    check(
        "
        0s > raise _system/broker system
        0s engine opened orange
        0s engine told system broker enterprise
        0s engine ! announce orange system broker to enterprise: ops sms
        3m engine reminder 1 system broker
        3m engine ! remind 1 orange system broker to enterprise: ops sms
        5m engine sign-missed system broker enterprise
        6m engine reminder 2 system broker
        6m engine ! remind 2 orange system broker to enterprise: ops sms, ops-phone voice
        9m engine reminder 3 system broker
        9m engine ! remind 3 orange system broker to enterprise: ops sms, ops-phone voice
        12m engine reminder 4 system broker
        12m engine ! remind 4 orange system broker to enterprise: ops sms, ops-phone voice
        15m engine reminder 5 system broker
        15m engine ! remind 5 orange system broker to enterprise: ops sms, ops-phone voice
        15m engine told system broker county
        15m engine ! announce orange system broker to county: xu voice sms
        16m > -
        ",
    );
}
