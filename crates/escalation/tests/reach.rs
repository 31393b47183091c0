//! Reached, not reached, and a tier that nobody answers for.

mod common;
use common::check;

#[test]
fn accepted_by_a_channel_without_receipts_is_reached_and_the_page_alone_is_not() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > result wang page accepted
        2s > result wang sms accepted
        2s tank reached enterprise
        ",
    );
}

#[test]
fn where_a_channel_has_receipts_only_the_receipt_counts() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > result wang voice accepted
        2s > result wang voice delivered
        2s tank reached enterprise
        ",
    );
}

#[test]
fn a_blue_case_told_on_the_platform_only_counts_the_platform() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1s > result wang sms delivered
        1s tank reached enterprise
        30m > -
        30m tank sign-missed discrete SA-101 enterprise
        30m tank told discrete SA-101 township
        30m tank ! announce blue discrete SA-101 to township: zhou page
        30m1s > result zhou page accepted
        30m1s tank reached township
        ",
    );
}

#[test]
fn a_failed_channel_is_followed_by_the_recipient_s_next_one() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1s > result wang sms failed
        1s tank ! announce blue discrete SA-101 to enterprise: wang voice
        2s > result wang voice accepted
        3s > result wang voice delivered
        3s tank reached enterprise
        ",
    );
}

#[test]
fn retrying_changes_nothing() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        1s > result wang sms retrying
        ",
    );
}

#[test]
fn when_everybody_fails_the_duty_phone_is_called_and_then_the_tier_is_passed_at_once() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > result wang sms failed
        1s > result wang voice failed
        2s > result boss sms failed
        2s tank ! announce orange high-high LIA-101 to enterprise: hx-phone voice
        3s > result hx-phone voice failed
        3s tank passed enterprise
        3s tank told high-high LIA-101 township
        3s tank ! passed orange high-high LIA-101 to township: zhou sms page
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        3m tank ! remind 1 orange high-high LIA-101 to township: zhou sms page
        5m > -
        5m tank sign-missed high-high LIA-101 enterprise
        5m tank ! sign-missed orange high-high LIA-101 to township: zhou sms page
        ",
    );
}

#[test]
fn two_tiers_that_nobody_answers_for_are_passed_up_to_the_county() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > result wang sms failed
        1s > result wang voice failed
        1s > result boss sms failed
        1s tank ! announce orange high-high LIA-101 to enterprise: hx-phone voice
        2s > result hx-phone voice failed
        2s tank passed enterprise
        2s tank told high-high LIA-101 township
        2s tank ! passed orange high-high LIA-101 to township: zhou sms page
        3s > result zhou sms failed
        3s tank ! passed orange high-high LIA-101 to township: zhen-phone voice
        4s > result zhen-phone voice failed
        4s tank passed township
        4s tank told high-high LIA-101 county
        4s tank ! passed orange high-high LIA-101 to county: xu voice sms
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        3m tank ! remind 1 orange high-high LIA-101 to township: zhou sms page
        3m tank ! remind 1 orange high-high LIA-101 to county: xu voice sms
        4m > accept wang tank
        4m tank accepted high-high LIA-101 by wang
        4m done
        6m tank reminder 2 high-high LIA-101
        6m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        6m tank ! remind 2 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        9m tank reminder 3 high-high LIA-101
        9m tank ! remind 3 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        9m tank ! remind 3 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        10m > -
        ",
    );
}

#[test]
fn a_passed_tier_reached_later_by_a_reminder_counts_as_told() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > result wang sms failed
        1s > result wang voice failed
        1s > result boss sms failed
        1s tank ! announce orange high-high LIA-101 to enterprise: hx-phone voice
        2s > result hx-phone voice failed
        2s tank passed enterprise
        2s tank told high-high LIA-101 township
        2s tank ! passed orange high-high LIA-101 to township: zhou sms page
        3m > -
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        3m tank ! remind 1 orange high-high LIA-101 to township: zhou sms page
        3m5s > result wang sms accepted
        3m5s tank reached enterprise
        ",
    );
}

#[test]
fn a_tier_passed_where_all_were_told_at_once_says_so_to_the_next() {
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
        1s > result wang sms failed
        1s > result wang voice failed
        1s > result boss sms failed
        1s area ! announce red high-high GT-3 to enterprise: hx-phone voice
        2s > result hx-phone voice failed
        2s area passed enterprise
        2s area ! passed red high-high GT-3 to township: zhou sms page
        ",
    );
}

#[test]
fn what_one_message_covers_is_passed_together() {
    check(
        "
        0s > raise LIA-101 high + raise LIA-101 high-high
        0s tank opened yellow
        0s tank rose to orange
        0s tank announced high-high LIA-101 orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        0s tank told high LIA-101 enterprise
        1s > result wang sms failed
        1s > result wang voice failed
        1s > result boss sms failed
        1s tank ! announce orange high-high LIA-101 to enterprise: hx-phone voice
        2s > result hx-phone voice failed
        2s tank passed enterprise
        2s tank told high-high LIA-101 township
        2s tank ! passed orange high-high LIA-101 to township: zhou sms page
        2s tank told high LIA-101 township
        ",
    );
}

#[test]
fn failures_after_the_signature_pass_nobody() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1s > accept wang tank
        1s tank accepted high-high LIA-101 by wang
        1s done
        2s > result wang sms failed
        2s > result wang voice failed
        2s > result boss sms failed
        ",
    );
}

#[test]
fn results_after_the_case_is_closed_change_nothing() {
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
        6s > result wang sms failed
        ",
    );
}
