//! The engine was down: what fell due runs at once, red first, nothing skipped, nothing doubled.

mod common;
use common::check;

#[test]
fn an_hour_down_over_an_orange_climb_tells_every_missed_step_in_one_go() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > down 1h
        1h1m tank reminder 1 high-high LIA-101
        1h1m tank sign-missed high-high LIA-101 enterprise
        1h1m tank handle-missed enterprise
        1h1m tank ! handle-missed orange high-high LIA-101 delayed to enterprise: wang sms voice page
        1h1m tank told high-high LIA-101 township
        1h1m tank ! announce orange high-high LIA-101 delayed to township: zhou sms page
        1h1m tank told high-high LIA-101 county
        1h1m tank ! announce orange high-high LIA-101 delayed to county: xu voice sms
        1h3m tank reminder 2 high-high LIA-101
        1h3m tank ! remind 2 orange high-high LIA-101 to enterprise: wang sms voice page, hx-phone voice
        1h3m tank ! remind 2 orange high-high LIA-101 to township: zhou sms page, zhen-phone voice
        1h3m tank ! remind 2 orange high-high LIA-101 to county: xu voice sms, xian-phone voice
        1h5m > -
        ",
    );
}

#[test]
fn red_goes_first() {
    check(
        "
        0s > raise SA-101 discrete
        0s tank opened blue
        0s tank told discrete SA-101 enterprise
        0s tank ! announce blue discrete SA-101 to enterprise: wang sms page
        0s > raise by/T000 high-high
        0s P00 opened orange
        0s P00 told high-high T000 enterprise
        0s P00 ! announce orange high-high T000 to enterprise: bai sms, boss2 sms
        0s > raise GT-3 high-high
        0s area opened red
        0s siren z1 sound on light on red v1
        0s area told high-high GT-3 enterprise
        0s area ! announce red high-high GT-3 to enterprise: wang sms voice page, boss sms
        0s area told high-high GT-3 township
        0s area ! announce red high-high GT-3 to township: zhou sms page
        0s area told high-high GT-3 county
        0s area ! announce red high-high GT-3 to county: xu voice sms
        10s > accept xu area
        10s area accepted high-high GT-3 by xu
        10s done
        20s > down 35m
        35m20s area reminder 1 high-high GT-3
        35m20s area sign-missed high-high GT-3 enterprise
        35m20s area handle-missed enterprise
        35m20s area ! handle-missed red high-high GT-3 delayed to enterprise: wang sms voice page
        35m20s area ! sign-missed red high-high GT-3 delayed to township: zhou sms page
        35m20s area ! sign-missed red high-high GT-3 delayed to county: xu voice sms
        35m20s P00 reminder 1 high-high T000
        35m20s P00 sign-missed high-high T000 enterprise
        35m20s P00 ! remind 1 orange high-high T000 delayed to enterprise: bai sms
        35m20s P00 told high-high T000 township
        35m20s P00 ! announce orange high-high T000 delayed to township: pan sms
        35m20s P00 told high-high T000 county
        35m20s P00 ! announce orange high-high T000 delayed to county: xu voice sms
        35m20s tank sign-missed discrete SA-101 enterprise
        35m20s tank told discrete SA-101 township
        35m20s tank ! announce blue discrete SA-101 delayed to township: zhou page
        ",
    );
}

#[test]
fn a_restart_of_a_moment_changes_nothing() {
    check(
        "
        0s > raise LIA-101 high-high
        0s tank opened orange
        0s tank told high-high LIA-101 enterprise
        0s tank ! announce orange high-high LIA-101 to enterprise: wang sms voice page, boss sms
        1m > down 5s
        3m tank reminder 1 high-high LIA-101
        3m tank ! remind 1 orange high-high LIA-101 to enterprise: wang sms voice page
        4m > accept wang tank
        4m tank accepted high-high LIA-101 by wang
        4m done
        10m > -
        ",
    );
}

#[test]
fn a_data_fault_whose_wait_ended_while_down_is_told_with_all_that_followed() {
    check(
        "
        0s > raise LIA-101 stale
        0s tank opened yellow
        10m > down 1h30m
        1h40m tank sign-missed stale LIA-101 enterprise
        1h40m tank told stale LIA-101 enterprise
        1h40m tank ! announce yellow stale LIA-101 delayed to enterprise: wang sms voice page
        1h40m tank told stale LIA-101 township
        1h40m tank ! announce yellow stale LIA-101 delayed to township: zhou sms page
        1h40m tank told stale LIA-101 county
        1h40m tank ! announce yellow stale LIA-101 delayed to county: xu voice sms
        ",
    );
}

#[test]
fn a_case_nobody_owes_anything_is_not_told_of() {
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
        10s > down 5h
        ",
    );
}
