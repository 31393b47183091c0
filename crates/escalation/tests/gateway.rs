//! A dead gateway of 120 tags is one case, and nobody is told of its members one by one.

mod common;
use common::check;

#[test]
fn a_gateway_of_120_tags_lost_is_one_case_told_after_its_wait() {
    check(
        "
        0s > gateway-lost by/@G 120 + members stale 120
        0s GW opened yellow
        30m > -
        30m GW told gateway-lost @G enterprise
        30m GW ! announce yellow gateway-lost @G to enterprise: bai sms
        ",
    );
}

#[test]
fn members_that_fell_silent_before_the_verdict_are_listed_in_the_gateway_s_case() {
    check(
        "
        0s > members stale 120
        5s > gateway-lost by/@G 120
        5s GW opened yellow
        ",
    );
}

#[test]
fn members_that_fall_silent_after_it_are_listed_there_too() {
    check(
        "
        0s > gateway-lost by/@G 120
        0s GW opened yellow
        5s > members stale 30
        ",
    );
}

#[test]
fn a_member_with_an_open_case_of_its_own_is_listed_in_that_one() {
    check(
        "
        0s > raise by/T000 high
        0s P00 opened yellow
        0s P00 told high T000 enterprise
        0s P00 ! announce yellow high T000 to enterprise: bai sms
        1s > gateway-lost by/@G 120 + members stale 3
        1s GW opened yellow
        ",
    );
}

#[test]
fn a_process_alarm_of_a_member_is_announced_in_its_own_case_though_the_gateway_s_is_open() {
    check(
        "
        0s > gateway-lost by/@G 120 + members low 2
        0s GW opened yellow
        1m > confirm by/T000 low
        1m P00 opened blue
        1m P00 told low T000 enterprise
        1m P00 ! announce blue low T000 late to enterprise: bai sms
        2m > raise by/T005 high-high
        2m P00 rose to orange
        2m P00 announced high-high T005 orange
        2m P00 told high-high T005 enterprise
        2m P00 ! announce orange high-high T005 to enterprise: bai sms, boss2 sms
        ",
    );
}

#[test]
fn a_case_whose_gateway_is_lost_cannot_be_closed() {
    check(
        "
        0s > raise by/T000 low
        0s P00 opened blue
        0s P00 told low T000 enterprise
        0s P00 ! announce blue low T000 to enterprise: bai sms
        1m > return by/T000 low
        1m P00 returned low T000
        2m > accept bai P00
        2m P00 accepted low T000 by bai
        2m done
        2m > acknowledge bai P00
        2m P00 acknowledged low T000 by bai
        2m done
        2m > check bai P00 real
        2m P00 checked Real low T000 by bai
        2m done
        3m > gateway-lost by/@G 120
        3m GW opened yellow
        4m > close bai P00
        4m refused input-bad low T000
        5m > return by/@G gateway-lost
        5m GW returned gateway-lost @G
        6m > close bai P00
        6m P00 closed by bai
        6m P00 superseded
        6m P00 ! closed blue low T000 to enterprise: bai sms
        6m done
        ",
    );
}
