//! Conditions on how a value moves: rate of change, spike, frozen. And warm-up, latching, re-alarm.
mod common;
use common::check;

#[test]
fn a_rate_is_raised_over_its_window_and_returns_by_the_deadband() {
    check(
        "rate-up 2 over 60s, deadband 0.5
         0s   reading 20
         20s  reading 20.6     # 1.8/min, but only a third of the window is known
         40s  reading 21.3
         60s  reading 22       => rate-up raised 60s; announce rate-up
         80s  reading 22.2     # 1.6/min: inside the deadband
         100s reading 22.3     => rate-up returned 100s",
    );
    check(
        "rate-down 2 over 60s
         0s   reading 20
         30s  reading 18.9     => rate-down raised 30s; announce rate-down
         60s  reading 18.8     => rate-down returned 60s",
    );
}

#[test]
fn a_rate_is_not_made_up_of_a_gap() {
    check(
        "rate-up 2 over 60s, bad-quality
         0s   reading 20
         30s  reading 20
         60s  null             => bad-quality raised 60s; announce bad-quality
         300s reading 90       => bad-quality returned 300s
         315s reading 90
         331s reading 90",
    );
}

#[test]
fn silence_and_bad_quality_do_not_return_a_rate() {
    check(
        "rate-up 2 over 60s, bad-quality
         0s   reading 20
         40s  reading 40       => rate-up raised 40s; announce rate-up
         50s  null             => bad-quality raised 50s; announce bad-quality
         60s  reading 40       => bad-quality returned 60s
         70s  uncertain 40
         95s  reading 40       # 20 held for the first part of the window
         101s reading 40       => rate-up returned 101s",
    );
}

#[test]
fn a_spike_is_a_step_between_two_readings_that_are_near_in_time() {
    check(
        "spike 10 within 20s
         0s   reading 50
         5s   reading 61       => spike raised 5s; announce spike
         10s  reading 60       => spike returned 10s
         40s  reading 20       # too long after the one before
         45s  reading 11
         50s  null
         55s  reading 90       # what came before was bad",
    );
}

#[test]
fn a_flat_line_within_the_tolerance_is_frozen_and_the_first_movement_ends_it() {
    check(
        "frozen flat 30s tolerance 0.2
         0s   reading 5
         10s  reading 5.1
         20s  reading 4.95
         30s  reading 5        => frozen raised 30s; announce frozen
         40s  reading 5.05
         50s  reading 5.3      => frozen returned 50s
         80s  reading 5.3
         90s  reading 5.3      => frozen raised 90s; announce frozen",
    );
}

#[test]
fn two_lone_readings_are_no_flat_line() {
    check(
        "frozen flat 30s
         0s   reading 5
         60s  reading 5
         90s  reading 5        => frozen raised 90s; announce frozen",
    );
}

#[test]
fn exactly_zero_for_a_time_is_frozen_whatever_the_flat_time() {
    check(
        "frozen flat 10m zero 20s
         0s   reading 5
         5s   reading 0
         15s  reading 0
         20s  null
         25s  reading 0        => frozen raised 25s; announce frozen
         30s  reading 0.1      => frozen returned 30s",
    );
}

#[test]
fn a_reading_sent_again_and_again_with_a_fresh_time_is_frozen() {
    check(
        "frozen resent 3
         0s   reading 5 seq 7
         5s   reading 5 seq 7
         10s  reading 5 seq 7
         15s  reading 5 seq 7  => frozen raised 15s; announce frozen
         20s  reading 5 seq 8  => frozen returned 20s
         25s  reading 5
         30s  reading 5",
    );
}

#[test]
fn a_frozen_tag_freezes_no_process_alarm_and_clears_none() {
    check(
        "high 80, frozen flat 20s
         0s   reading 85       => high raised 0s; announce high
         10s  reading 85
         20s  reading 85       => frozen raised 20s; announce frozen
         30s  reading 70       => high returned 30s; frozen returned 30s",
    );
}

#[test]
fn within_the_warm_up_a_detector_raises_but_does_not_clear() {
    check(
        "toxic, range 0..100, high 25, bad-quality, warm-up 60s
         0s   reading 30       => high raised 0s; announce high
         10s  reading 5        # first power-up
         70s  reading 5        => high returned 70s
         80s  null             => bad-quality raised 80s; announce bad-quality
         90s  reading 30       => high raised 90s; announce high
         100s reading 5        # bad quality stands until the detector is warm
         149s reading 5
         150s reading 5        => high returned 150s; bad-quality returned 150s",
    );
}

#[test]
fn after_silence_a_detector_has_to_warm_up_again() {
    check(
        "toxic, high 25, stale 30s, warm-up 20s
         0s   reading 30       => high raised 0s; announce high
         25s  reading 30
         60s  timeout          => stale raised 55s; announce stale
         70s  reading 5        => stale returned 70s
         80s  reading 5
         90s  reading 5        => high returned 90s",
    );
}

#[test]
fn a_latching_rule_stands_until_a_field_check_names_it() {
    check(
        "high 80, latching
         0s   reading 85       => high raised 0s; announce high
         5s   field-check high # active: there is nothing to release yet
         10s  reading 70       => high returned-latched 10s
         15s  acknowledge high => high acknowledged
         20s  field-check high => high reset
         25s  reading 85       => high raised 25s; announce high
         30s  reading 70       => high returned-latched 30s
         35s  restart
         36s  link up
         37s  drained
         40s  field-check high => high reset",
    );
}

#[test]
fn an_acknowledged_alarm_that_stands_on_is_told_again() {
    check(
        "high 80, realarm 10m
         0s    reading 85       => high raised 0s; announce high
         60s   acknowledge high => high acknowledged
         90s   reading 86
         601s  timeout          => high realarmed; announce high again
         700s  acknowledge high => high acknowledged
         800s  restart
         801s  link up
         802s  drained
         1201s timeout          => high realarmed; announce high again
         1300s acknowledge high => high acknowledged
         1400s reading 70       => high returned 1400s
         2500s timeout",
    );
}

#[test]
fn an_unacknowledged_alarm_is_not_told_again_its_reminders_are_the_business_of_the_case() {
    check(
        "high 80, realarm 10m
         0s    reading 85       => high raised 0s; announce high
         1201s timeout",
    );
}

#[test]
fn a_restart_goes_on_with_a_rate_and_a_flat_line() {
    check(
        "rate-up 2 over 60s, frozen flat 30s
         0s   reading 20
         20s  reading 20
         25s  restart
         26s  link up
         27s  drained
         31s  reading 20       => frozen raised 31s; announce frozen
         40s  reading 40       => rate-up raised 40s; announce rate-up; frozen returned 40s",
    );
}

#[test]
fn a_late_backlog_is_judged_by_its_own_times() {
    check(
        "rate-up 2 over 60s
         1000s reading 20 at 0s
         1000s reading 21 at 60s
         1000s reading 30 at 120s    => rate-up raised 120s late
         1001s reading 30.1 at 180s  => rate-up returned 180s",
    );
}

#[test]
fn an_acknowledgement_later_than_the_wait_begins_it_anew() {
    check(
        "high 80, realarm 10m
         0s    reading 85       => high raised 0s; announce high
         700s  acknowledge high => high acknowledged
         701s  reading 85
         1299s timeout
         1300s timeout          => high realarmed; announce high again",
    );
}
