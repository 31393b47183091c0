//! Limits, deadband, severity, quality: design "Limits" and "No data is never normal".
mod common;
use common::check;

#[test]
fn high_is_raised_at_the_setpoint_itself_and_low_too() {
    check(
        "high 80, low 20
         0s  reading 79.999
         5s  reading 80       => high raised 5s; announce high
         10s reading 79.999   => high returned 10s
         15s reading 20       => low raised 15s; announce low
         20s reading 20.001   => low returned 20s",
    );
}

#[test]
fn the_deadband_holds_a_raised_alarm_and_never_helps_to_raise_one() {
    check(
        "high 80, deadband 2
         0s  reading 79
         5s  reading 81       => high raised 5s; announce high
         10s reading 79
         15s reading 78
         20s reading 77.999   => high returned 20s
         25s reading 79",
    );
    check(
        "low 20, deadband 2
         0s  reading 21
         5s  reading 19       => low raised 5s; announce low
         10s reading 22
         15s reading 22.001   => low returned 15s",
    );
}

#[test]
fn two_limits_crossed_by_one_reading_are_both_said_the_lower_first() {
    check(
        "high 80, high-high 90
         0s reading 95   => high raised 0s; announce high; high-high raised 0s; announce high-high",
    );
    check(
        "low 20, low-low 10
         0s reading 5    => low raised 0s; announce low; low-low raised 0s; announce low-low",
    );
}

#[test]
fn severity_rises_and_falls_one_limit_at_a_time() {
    check(
        "high 80, high-high 90
         0s  reading 85   => high raised 0s; announce high
         5s  reading 95   => high-high raised 5s; announce high-high
         10s reading 85   => high-high returned 10s
         15s reading 95   => high-high raised 15s; announce high-high
         20s reading 70   => high returned 20s; high-high returned 20s",
    );
}

#[test]
fn raising_a_limit_raises_the_lower_one_of_its_side_whatever_its_delay() {
    check(
        "high 80, on-delay 30s, high-high 90, low 20, on-delay 30s, low-low 10
         0s  reading 85
         5s  reading 95   => high raised 5s since 0s; announce high; high-high raised 5s; announce high-high
         10s reading 50   => high returned 10s; high-high returned 10s
         15s reading 5    => low raised 15s; announce low; low-low raised 15s; announce low-low
         60s timeout",
    );
}

#[test]
fn the_states_are_those_of_isa_18_2() {
    check(
        "high 80
         0s  reading 81       => high raised 0s; announce high
         1s  acknowledge high => high acknowledged
         2s  acknowledge high
         5s  reading 70       => high returned 5s
         10s reading 81       => high raised 10s; announce high
         15s reading 70       => high returned 15s
         20s reading 81       => high raised 20s; announce high
         25s reading 70       => high returned 25s
         26s acknowledge high => high acknowledged
         27s acknowledge high",
    );
}

#[test]
fn uncertain_may_raise_but_never_clears() {
    check(
        "high 80
         0s  uncertain 81  => high raised 0s; announce high
         5s  uncertain 70
         10s reading 70    => high returned 10s",
    );
}

#[test]
fn bad_neither_raises_nor_clears_and_is_a_condition_of_its_own() {
    check(
        "high 80, bad-quality
         0s  bad 95      => bad-quality raised 0s; announce bad-quality
         5s  reading 81  => high raised 5s; announce high; bad-quality returned 5s
         10s bad 20      => bad-quality raised 10s; announce bad-quality
         15s null
         20s uncertain 50
         25s reading 50  => high returned 25s; bad-quality returned 25s",
    );
}

#[test]
fn a_finite_value_out_of_range_is_an_uncertain_reading() {
    check(
        "range 0..100, low 10, high 80, high-high 90, out-of-range
         0s  reading 120  => high raised 0s; announce high; high-high raised 0s; announce high-high; out-of-range raised 0s; announce out-of-range
         5s  reading -3   => low raised 5s; announce low
         10s reading 50   => low returned 10s; high returned 10s; high-high returned 10s; out-of-range returned 10s",
    );
}

#[test]
fn a_value_that_is_no_number_is_a_bad_reading() {
    check(
        "high 80, bad-quality
         0s reading NaN  => bad-quality raised 0s; announce bad-quality
         5s reading inf
         9s reading 50   => bad-quality returned 9s",
    );
}

#[test]
fn a_gas_detector_over_range_raises_all_high_limits_and_latches_until_a_field_check() {
    check(
        "toxic, range 0..100, high 25, on-delay 10s, high-high 50, bad-quality
         0s  bad 130               => high raised 0s; announce high; high-high raised 0s; announce high-high; bad-quality raised 0s; announce bad-quality
         5s  reading 3             => high returned-latched 5s; high-high returned-latched 5s; bad-quality returned 5s
         6s  acknowledge high      => high acknowledged
         7s  field-check high      => high reset
         8s  field-check high-high => high-high reset
         9s  acknowledge high-high => high-high acknowledged
         10s reading 3",
    );
}

#[test]
fn the_latch_outlives_a_new_episode_and_a_field_check_covers_only_the_one_it_names() {
    check(
        "combustible, range 0..100, high 25
         0s  reading 120      => high raised 0s; announce high
         1s  field-check high                                 # it reads over range even now
         5s  reading 3        => high returned-latched 5s
         10s reading 30       => high raised 10s; announce high
         15s reading 3        => high returned-latched 15s
         16s field-check high => high reset",
    );
}

#[test]
fn a_gas_detector_within_range_does_not_latch() {
    check(
        "toxic, range 0..100, high 25
         0s reading 100  => high raised 0s; announce high
         5s reading 3    => high returned 5s",
    );
}

#[test]
fn a_discrete_signal_alarms_on_its_state() {
    check(
        "switch, discrete 1
         0s  reading 0
         5s  reading 1  => discrete raised 5s; announce discrete
         10s bad 0
         15s reading 0  => discrete returned 15s",
    );
    check(
        "switch, discrete 0, on-delay 5s
         0s  reading 1
         5s  reading 0
         10s timeout    => discrete raised 10s since 5s; announce discrete
         15s reading 1  => discrete returned 15s",
    );
}

#[test]
fn a_tag_out_of_service_is_only_shown() {
    check(
        "out-of-service, high 80, stale 15s
         0s  reading 95
         60s timeout",
    );
}
