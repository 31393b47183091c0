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
fn the_earliest_handling_deadline_stands_and_a_missed_one_climbs() {
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
        1h3m tank reminder 1 high-high LIA-101
        1h3m tank ! remind 1 orange high-high LIA-101 to township: zhou sms page
        1h6m tank reminder 2 high-high LIA-101
        1h6m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h9m tank reminder 3 high-high LIA-101
        1h9m tank ! remind 3 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h12m tank reminder 4 high-high LIA-101
        1h12m tank ! remind 4 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h15m tank reminder 5 high-high LIA-101
        1h15m tank ! remind 5 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h18m tank reminder 6 high-high LIA-101
        1h18m tank ! remind 6 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h21m tank reminder 7 high-high LIA-101
        1h21m tank ! remind 7 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h24m tank reminder 8 high-high LIA-101
        1h24m tank ! remind 8 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h27m tank reminder 9 high-high LIA-101
        1h27m tank ! remind 9 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h30m tank reminder 10 high-high LIA-101
        1h30m tank ! remind 10 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h33m tank reminder 11 high-high LIA-101
        1h33m tank ! remind 11 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h36m tank reminder 12 high-high LIA-101
        1h36m tank ! remind 12 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h39m tank reminder 13 high-high LIA-101
        1h39m tank ! remind 13 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h42m tank reminder 14 high-high LIA-101
        1h42m tank ! remind 14 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h45m tank reminder 15 high-high LIA-101
        1h45m tank ! remind 15 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h48m tank reminder 16 high-high LIA-101
        1h48m tank ! remind 16 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h51m tank reminder 17 high-high LIA-101
        1h51m tank ! remind 17 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h54m tank reminder 18 high-high LIA-101
        1h54m tank ! remind 18 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h57m tank reminder 19 high-high LIA-101
        1h57m tank ! remind 19 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h > -
        2h tank reminder 20 high-high LIA-101
        2h tank handle-missed enterprise
        2h tank ! handle-missed 1 orange high-high LIA-101 to enterprise: wang sms voice page
        2h tank ! remind 20 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h tank told high-high LIA-101 county
        2h tank ! handle-missed 1 orange high-high LIA-101 to county: xu voice sms
        2h3m tank reminder 21 high-high LIA-101
        2h3m tank ! remind 21 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h3m tank ! remind 21 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h6m tank reminder 22 high-high LIA-101
        2h6m tank ! remind 22 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h6m tank ! remind 22 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h9m tank reminder 23 high-high LIA-101
        2h9m tank ! remind 23 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h9m tank ! remind 23 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h12m tank reminder 24 high-high LIA-101
        2h12m tank ! remind 24 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h12m tank ! remind 24 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h15m tank reminder 25 high-high LIA-101
        2h15m tank ! remind 25 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h15m tank ! remind 25 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h18m tank reminder 26 high-high LIA-101
        2h18m tank ! remind 26 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h18m tank ! remind 26 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h21m tank reminder 27 high-high LIA-101
        2h21m tank ! remind 27 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h21m tank ! remind 27 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h24m tank reminder 28 high-high LIA-101
        2h24m tank ! remind 28 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h24m tank ! remind 28 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h27m tank reminder 29 high-high LIA-101
        2h27m tank ! remind 29 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h27m tank ! remind 29 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h30m tank reminder 30 high-high LIA-101
        2h30m tank ! remind 30 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h30m tank ! remind 30 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h33m tank reminder 31 high-high LIA-101
        2h33m tank ! remind 31 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h33m tank ! remind 31 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h36m tank reminder 32 high-high LIA-101
        2h36m tank ! remind 32 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h36m tank ! remind 32 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h39m tank reminder 33 high-high LIA-101
        2h39m tank ! remind 33 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h39m tank ! remind 33 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h42m tank reminder 34 high-high LIA-101
        2h42m tank ! remind 34 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h42m tank ! remind 34 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h45m tank reminder 35 high-high LIA-101
        2h45m tank ! remind 35 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h45m tank ! remind 35 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h48m tank reminder 36 high-high LIA-101
        2h48m tank ! remind 36 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h48m tank ! remind 36 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h51m tank reminder 37 high-high LIA-101
        2h51m tank ! remind 37 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h51m tank ! remind 37 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h54m tank reminder 38 high-high LIA-101
        2h54m tank ! remind 38 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h54m tank ! remind 38 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        2h57m tank reminder 39 high-high LIA-101
        2h57m tank ! remind 39 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        2h57m tank ! remind 39 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h > check wang tank real
        3h tank reminder 40 high-high LIA-101
        3h tank handle-missed enterprise
        3h tank ! handle-missed 2 orange high-high LIA-101 to enterprise: wang sms voice page
        3h tank ! remind 40 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h tank ! remind 40 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h tank checked Real high-high LIA-101, high TIA-101 by wang
        3h done
        3h > handle wang tank
        3h tank handling by wang
        3h done
        3h3m tank reminder 41 high-high LIA-101
        3h3m tank ! remind 41 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h3m tank ! remind 41 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h6m tank reminder 42 high-high LIA-101
        3h6m tank ! remind 42 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h6m tank ! remind 42 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h9m tank reminder 43 high-high LIA-101
        3h9m tank ! remind 43 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h9m tank ! remind 43 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h12m tank reminder 44 high-high LIA-101
        3h12m tank ! remind 44 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h12m tank ! remind 44 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h15m tank reminder 45 high-high LIA-101
        3h15m tank ! remind 45 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h15m tank ! remind 45 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h18m tank reminder 46 high-high LIA-101
        3h18m tank ! remind 46 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h18m tank ! remind 46 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h21m tank reminder 47 high-high LIA-101
        3h21m tank ! remind 47 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h21m tank ! remind 47 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h24m tank reminder 48 high-high LIA-101
        3h24m tank ! remind 48 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h24m tank ! remind 48 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h27m tank reminder 49 high-high LIA-101
        3h27m tank ! remind 49 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h27m tank ! remind 49 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h30m tank reminder 50 high-high LIA-101
        3h30m tank ! remind 50 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h30m tank ! remind 50 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h33m tank reminder 51 high-high LIA-101
        3h33m tank ! remind 51 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h33m tank ! remind 51 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h36m tank reminder 52 high-high LIA-101
        3h36m tank ! remind 52 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h36m tank ! remind 52 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h39m tank reminder 53 high-high LIA-101
        3h39m tank ! remind 53 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h39m tank ! remind 53 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h42m tank reminder 54 high-high LIA-101
        3h42m tank ! remind 54 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h42m tank ! remind 54 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h45m tank reminder 55 high-high LIA-101
        3h45m tank ! remind 55 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h45m tank ! remind 55 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h48m tank reminder 56 high-high LIA-101
        3h48m tank ! remind 56 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h48m tank ! remind 56 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h51m tank reminder 57 high-high LIA-101
        3h51m tank ! remind 57 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h51m tank ! remind 57 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h54m tank reminder 58 high-high LIA-101
        3h54m tank ! remind 58 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h54m tank ! remind 58 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        3h57m tank reminder 59 high-high LIA-101
        3h57m tank ! remind 59 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        3h57m tank ! remind 59 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h tank reminder 60 high-high LIA-101
        4h tank ! remind 60 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h tank ! remind 60 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h3m tank reminder 61 high-high LIA-101
        4h3m tank ! remind 61 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h3m tank ! remind 61 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h6m tank reminder 62 high-high LIA-101
        4h6m tank ! remind 62 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h6m tank ! remind 62 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h9m tank reminder 63 high-high LIA-101
        4h9m tank ! remind 63 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h9m tank ! remind 63 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h12m tank reminder 64 high-high LIA-101
        4h12m tank ! remind 64 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h12m tank ! remind 64 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h15m tank reminder 65 high-high LIA-101
        4h15m tank ! remind 65 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h15m tank ! remind 65 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h18m tank reminder 66 high-high LIA-101
        4h18m tank ! remind 66 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h18m tank ! remind 66 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h21m tank reminder 67 high-high LIA-101
        4h21m tank ! remind 67 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h21m tank ! remind 67 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h24m tank reminder 68 high-high LIA-101
        4h24m tank ! remind 68 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h24m tank ! remind 68 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h27m tank reminder 69 high-high LIA-101
        4h27m tank ! remind 69 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h27m tank ! remind 69 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h30m tank reminder 70 high-high LIA-101
        4h30m tank ! remind 70 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h30m tank ! remind 70 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h33m tank reminder 71 high-high LIA-101
        4h33m tank ! remind 71 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h33m tank ! remind 71 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h36m tank reminder 72 high-high LIA-101
        4h36m tank ! remind 72 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h36m tank ! remind 72 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h39m tank reminder 73 high-high LIA-101
        4h39m tank ! remind 73 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h39m tank ! remind 73 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h42m tank reminder 74 high-high LIA-101
        4h42m tank ! remind 74 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h42m tank ! remind 74 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h45m tank reminder 75 high-high LIA-101
        4h45m tank ! remind 75 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h45m tank ! remind 75 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h48m tank reminder 76 high-high LIA-101
        4h48m tank ! remind 76 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h48m tank ! remind 76 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h51m tank reminder 77 high-high LIA-101
        4h51m tank ! remind 77 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h51m tank ! remind 77 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h54m tank reminder 78 high-high LIA-101
        4h54m tank ! remind 78 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h54m tank ! remind 78 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        4h57m tank reminder 79 high-high LIA-101
        4h57m tank ! remind 79 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        4h57m tank ! remind 79 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h tank reminder 80 high-high LIA-101
        5h tank ! remind 80 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h tank ! remind 80 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h3m tank reminder 81 high-high LIA-101
        5h3m tank ! remind 81 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h3m tank ! remind 81 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h6m tank reminder 82 high-high LIA-101
        5h6m tank ! remind 82 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h6m tank ! remind 82 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h9m tank reminder 83 high-high LIA-101
        5h9m tank ! remind 83 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h9m tank ! remind 83 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h12m tank reminder 84 high-high LIA-101
        5h12m tank ! remind 84 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h12m tank ! remind 84 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h15m tank reminder 85 high-high LIA-101
        5h15m tank ! remind 85 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h15m tank ! remind 85 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h18m tank reminder 86 high-high LIA-101
        5h18m tank ! remind 86 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h18m tank ! remind 86 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h21m tank reminder 87 high-high LIA-101
        5h21m tank ! remind 87 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h21m tank ! remind 87 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h24m tank reminder 88 high-high LIA-101
        5h24m tank ! remind 88 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h24m tank ! remind 88 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h27m tank reminder 89 high-high LIA-101
        5h27m tank ! remind 89 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h27m tank ! remind 89 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h30m tank reminder 90 high-high LIA-101
        5h30m tank ! remind 90 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h30m tank ! remind 90 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h33m tank reminder 91 high-high LIA-101
        5h33m tank ! remind 91 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h33m tank ! remind 91 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h36m tank reminder 92 high-high LIA-101
        5h36m tank ! remind 92 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h36m tank ! remind 92 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h39m tank reminder 93 high-high LIA-101
        5h39m tank ! remind 93 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h39m tank ! remind 93 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h42m tank reminder 94 high-high LIA-101
        5h42m tank ! remind 94 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h42m tank ! remind 94 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h45m tank reminder 95 high-high LIA-101
        5h45m tank ! remind 95 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h45m tank ! remind 95 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h48m tank reminder 96 high-high LIA-101
        5h48m tank ! remind 96 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h48m tank ! remind 96 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h51m tank reminder 97 high-high LIA-101
        5h51m tank ! remind 97 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h51m tank ! remind 97 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h54m tank reminder 98 high-high LIA-101
        5h54m tank ! remind 98 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h54m tank ! remind 98 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        5h57m tank reminder 99 high-high LIA-101
        5h57m tank ! remind 99 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        5h57m tank ! remind 99 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        6h > -
        6h tank reminder 100 high-high LIA-101
        6h tank ! remind 100 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        6h tank ! remind 100 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
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
