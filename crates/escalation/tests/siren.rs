//! On-site sirens: they follow the alarm, not the message.

mod common;
use common::check;

#[test]
fn sound_ends_when_no_alarm_that_wants_it_stands_and_the_light_stays_until_the_case_is_closed() {
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
        20s > raise GT-1 high
        20s area announced high GT-1 yellow
        20s area told high GT-1 enterprise
        20s area ! announce yellow high GT-1 to enterprise: wang sms voice page
        30s > accept wang area
        30s area accepted high-high GT-3, high GT-1 by wang
        30s done
        40s > return GT-3 high-high
        40s area returned high-high GT-3
        50s > return GT-1 high
        50s area returned high GT-1
        50s siren z1 sound off light on red v2
        55s > acknowledge wang area
        55s area acknowledged high GT-1, high-high GT-3 by wang
        55s done
        1m > check wang area real
        1m area reminder 1 high-high GT-3
        1m area ! remind 1 red high-high GT-3 to township: zhou sms page
        1m area ! remind 1 red high-high GT-3 to county: xu voice sms
        1m area checked Real high GT-1, high-high GT-3 by wang
        1m done
        1m > handle wang area
        1m area handling by wang
        1m done
        1m > report wang area
        1m area reported by wang
        1m done
        1m > accept xu area
        1m area accepted high-high GT-3, high GT-1 by xu
        1m done
        1m > review xu area
        1m area reviewed by xu
        1m done
        1m > close xu area
        1m area closed by xu
        1m area superseded
        1m area ! closed red high-high GT-3 to enterprise: boss sms, wang sms page
        1m area ! closed red high-high GT-3 to township: zhou sms page
        1m area ! closed red high-high GT-3 to county: xu sms
        1m siren z1 sound off light off none v3
        1m done
        ",
    );
}

#[test]
fn latched_is_standing_for_the_siren() {
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
        10s > latch GT-3 high-high
        15s > acknowledge wang area
        15s area acknowledged high-high GT-3 by wang
        15s done
        20s > accept wang area
        20s area accepted high-high GT-3 by wang
        20s done
        30s > check wang area real field
        30s area checked Real high-high GT-3 with field check by wang
        30s done
        30s area returned high-high GT-3
        30s siren z1 sound off light on red v2
        ",
    );
}

#[test]
fn accepting_does_not_stop_it_and_a_named_person_s_reset_does() {
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
        10s > accept wang area
        10s area accepted high-high GT-3 by wang
        10s done
        20s > reset zhou z1
        20s refused wrong-tier needs enterprise
        20s > reset hx-phone z1
        20s refused NoSuchPerson
        20s > reset wang z9
        20s refused NoSuchZone
        20s > reset bai z1
        20s refused OutsideJurisdiction
        20s > reset wang z1
        20s siren z1 sound off light on red v2
        20s done
        ",
    );
}

#[test]
fn a_new_announcement_sounds_it_again() {
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
        10s > reset wang z1
        10s siren z1 sound off light on red v2
        10s done
        20s > raise GT-1 high
        20s area announced high GT-1 yellow
        20s siren z1 sound on light on red v3
        20s area told high GT-1 enterprise
        20s area ! announce yellow high GT-1 to enterprise: wang sms voice page
        ",
    );
}

#[test]
fn a_folded_raise_sounds_it_again() {
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
        10s > reset wang z1
        10s siren z1 sound off light on red v2
        10s done
        20s > return GT-3 high-high
        20s area returned high-high GT-3
        30s > raise GT-3 high-high
        30s area folded high-high GT-3 1
        30s siren z1 sound on light on red v3
        ",
    );
}

#[test]
fn silence_is_one_console_s_sound_and_not_the_siren() {
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
        10s > silence wang desk-1
        10s done
        ",
    );
}

#[test]
fn an_alarm_announced_and_gone_in_one_input_leaves_the_light_on_and_the_sound_off() {
    check(
        "
        0s > raise GT-3 high-high + return GT-3 high-high
        0s area opened red
        0s area returned high-high GT-3
        0s siren z1 sound off light on red v1
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        0s area told high-high GT-3 township
        0s area ! announce red high-high GT-3 to township: zhou sms page
        0s area told high-high GT-3 county
        0s area ! announce red high-high GT-3 to county: xu voice sms
        ",
    );
}

#[test]
fn another_enterprise_s_reset_does_not_reach_it() {
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
        1s > raise by/T000 high-high
        1s P00 opened orange
        1s P00 told high-high T000 enterprise
        1s P00 ! announce orange high-high T000 to enterprise: bai sms, boss2 sms
        2s > reset bai z1 by
        2s refused NoSuchZone
        2s > reset wang z1
        2s siren z1 sound off light on red v2
        2s done
        ",
    );
}
