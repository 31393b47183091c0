//! Late data 补传, stragglers, duplicates.
mod common;
use common::check;

#[test]
fn link_back_after_40_min_with_a_high_high_still_standing() {
    check(
        "high 80, high-high 90, stale 15s
         0s     reading 70
         40m    timeout             => stale raised 15s; announce stale
         40m    reading 95 at 10s   => high raised 10s late; high-high raised 10s late; stale returned 2400s
         40m    reading 96 at 20s
         40m    reading 97 at 2339s
         2401s  reading 96          => announce high late-confirmed; announce high-high late-confirmed
         60m    reading 70          => stale raised 2416s; announce stale; high returned 3600s; high-high returned 3600s; stale returned 3600s",
    );
}

#[test]
fn link_back_after_40_min_with_a_high_high_come_and_gone() {
    check(
        "high 80, high-high 90
         0s     reading 70
         40m    reading 95 at 10s   => high raised 10s late; high-high raised 10s late
         40m    reading 70 at 20s   => high returned 20s; high-high returned 20s; announce high-high late-returned
         40m    reading 70 at 2395s
         2400s  reading 70
         2500s  timeout",
    );
}

#[test]
fn a_low_low_and_a_gas_upper_limit_come_and_gone_still_open_a_case() {
    check(
        "low 20, low-low 10
         0s   reading 70
         10m  reading 5 at 10s   => low raised 10s late; low-low raised 10s late
         10m  reading 70 at 20s  => low returned 20s; low-low returned 20s; announce low-low late-returned",
    );
    check(
        "toxic, high 25
         0s   reading 7
         10m  reading 30 at 10s  => high raised 10s late
         10m  reading 7 at 20s   => high returned 20s; announce high late-returned",
    );
}

#[test]
fn a_late_raise_nobody_confirms_is_announced_when_its_hold_runs_out() {
    check(
        "high 80
         0s    reading 70
         10m   reading 85 at 60s  => high raised 60s late
         629s  timeout
         630s  timeout            => announce high late-confirmed",
    );
}

#[test]
fn a_straggler_is_no_redelivery_of_a_bad_one_with_the_same_value() {
    check(
        "gateway 60s
         tag T high 80, high-high 90
         60s  reading 70
         61s  reading 85 at 5s
         62s  bad 95 at 6s
         62s  reading 95 at 6s
         92s  timeout              => high raised 61s late; announce high late-confirmed; high-high raised 62s late; announce high-high late-confirmed",
    );
}

#[test]
fn a_bad_reading_confirms_nothing_and_one_in_the_deadband_does() {
    check(
        "high 80, deadband 2
         0s    reading 70
         10m   reading 85 at 60s  => high raised 60s late
         601s  bad 85
         602s  reading 79         => announce high late-confirmed",
    );
}

#[test]
fn a_reading_no_older_than_late_after_is_not_late() {
    check(
        "high 80
         0s    reading 70
         100s  reading 85 at 40s   => high raised 40s; announce high
         101s  reading 70          => high returned 101s",
    );
}

#[test]
fn a_late_raise_with_an_on_delay_is_proven_by_the_backlog_itself() {
    check(
        "high 80, on-delay 30s
         0s    reading 70
         10m   reading 85 at 60s
         10m   reading 85 at 80s
         10m   reading 85 at 95s   => high raised 90s since 60s late
         601s  reading 70          => high returned 601s",
    );
}

#[test]
fn an_acknowledged_late_raise_is_still_told_when_confirmed() {
    check(
        "high 80
         0s    reading 70
         10m   reading 85 at 60s  => high raised 60s late
         601s  acknowledge high   => high acknowledged
         602s  reading 85         => announce high late-confirmed",
    );
}

#[test]
fn a_late_latched_gas_alarm_stands_and_is_told() {
    check(
        "toxic, range 0..100, high 25
         0s    reading 7
         10m   reading 120 at 60s => high raised 60s late
         10m   reading 7 at 70s   => high returned-latched 70s
         605s  reading 7          => announce high late-confirmed",
    );
}

#[test]
fn a_duplicate_changes_nothing_and_same_time_other_content_is_applied_in_order_of_arrival() {
    check(
        "high 80
         10s reading 81          => high raised 10s; announce high
         11s reading 81 at 10s
         12s reading 70 at 10s   => high returned 10s
         13s reading 70 at 10s
         14s reading 82 at 10s   => high raised 10s count 1; announce high
         20s reading 70          => high returned 20s count 1",
    );
}

#[test]
fn at_one_time_a_lower_sequence_is_a_redelivery() {
    check(
        "high 80
         10s reading 81 seq 1         => high raised 10s; announce high
         10s reading 70 seq 2         => high returned 10s
         12s reading 81 at 10s seq 1",
    );
}

#[test]
fn a_straggler_is_history_and_one_row_tells_an_exceedance_outside_any_episode() {
    check(
        "high 80, stale 15s
         0s   reading 70
         10s  reading 70
         11s  reading 85 at 5s
         12s  reading 86 at 6s
         15s  reading 70          => late-exceedance high 5s
         16s  reading 85 at 7s
         20s  reading 70
         21s  reading 60 at 8s
         25s  reading 70",
    );
}

#[test]
fn a_straggler_inside_a_recorded_episode_tells_nothing_new() {
    check(
        "high 80
         0s   reading 81        => high raised 0s; announce high
         10s  reading 70        => high returned 10s
         11s  reading 85 at 5s
         15s  reading 70
         20s  reading 82        => high raised 20s; announce high
         25s  reading 83
         26s  reading 84 at 22s
         30s  reading 84",
    );
}

#[test]
fn a_stragglers_row_opens_a_case_for_high_high_low_low_and_gas_upper_limits() {
    check(
        "high 80, high-high 90
         0s   reading 70
         10s  reading 70
         11s  reading 95 at 5s
         15s  reading 70        => late-exceedance high-high 5s opens-case",
    );
    check(
        "combustible, range 0..100, high 25
         0s   reading 1
         10s  reading 1
         11s  bad 110 at 5s
         15s  reading 1         => late-exceedance high 5s opens-case",
    );
}

#[test]
fn a_straggler_of_a_tag_without_gateway_makes_its_row_at_once() {
    check(
        "tag A high 80, alone
         tag B high 80
         10s  A reading 70
         11s  A reading 85 at 5s  => late-exceedance A.high 5s",
    );
}

#[test]
fn a_straggler_that_nothing_current_follows_is_a_raise_after_the_hold() {
    check(
        "gateway 60s
         tag T high 80
         60s  reading 70
         61s  reading 85 at 5s
         90s  timeout
         91s  timeout              => high raised 61s late; announce high late-confirmed
         120s reading 70           => high returned 120s",
    );
}

#[test]
fn a_redelivered_straggler_makes_no_second_row() {
    check(
        "high 80
         0s   reading 70
         10s  reading 70
         11s  reading 85 at 5s
         15s  reading 70          => late-exceedance high 5s
         16s  restart
         17s  reading 85 at 5s
         20s  reading 70",
    );
}

#[test]
fn source_times_ahead_of_us_count_as_now_and_their_redelivery_is_known() {
    check(
        "high 80
         0s   reading 70 at 30s
         5s   reading 81 at 35s    => high raised 5s; announce high
         10s  reading 70 at 40s    => high returned 10s
         11s  restart lossy
         12s  reading 70 at 30s
         12s  reading 81 at 35s
         12s  reading 70 at 40s
         15s  reading 70 at 45s",
    );
}

#[test]
fn a_clock_ahead_that_steps_back_within_the_skew_limit_still_raises_at_once() {
    check(
        "high 80
         0s   reading 70 at 40s
         5s   reading 81 at 5s     => high raised 5s; announce high
         10s  reading 70 at 10s
         41s  reading 70           => high returned 41s",
    );
}

#[test]
fn a_backlog_that_follows_a_live_reading_is_history_with_one_row_per_excursion() {
    check(
        "high 80, high-high 90, stale 15s
         0s    reading 70
         40m   reading 70                                      => stale raised 15s; announce stale; stale returned 2400s
         40m   reading 70 at 5s
         40m   reading 95 at 10s
         40m   reading 95 at 15s
         2401s reading 70 at 20s
         2402s reading 85 at 600s
         2403s reading 70 at 605s
         2404s reading 70 at 1200s
         2405s reading 70                                      => late-exceedance high-high 10s opens-case; late-exceedance high 600s
         2410s reading 70",
    );
}

#[test]
fn a_long_backlog_in_order_is_no_wrong_clock_and_no_page() {
    let mut scenario = String::from("high 80, stale 100000s\n0s reading 70\n40m reading 70\n40m reading 85 at 5s\n");
    for second in 1..60 {
        let said = if second == 30 { "  => late-exceedance high 5s" } else { "" };
        scenario.push_str(&format!("{}s reading 70 at {}s{said}\n", 2400 + second, 5 + second * 20));
    }
    check(&scenario);
}

#[test]
fn a_discrete_straggler_makes_a_row_too() {
    check(
        "switch, discrete 1
         0s   reading 0
         10s  reading 0
         11s  reading 1 at 5s
         15s  reading 0       => late-exceedance discrete 5s",
    );
}

#[test]
fn a_late_latched_gas_alarm_that_is_raised_again_before_it_was_told_is_told_as_returned() {
    check(
        "toxic, range 0..100, high 25
         0s    reading 7
         10m   reading 120 at 60s => high raised 60s late
         10m   reading 7 at 70s   => high returned-latched 70s
         10m   reading 30 at 80s  => announce high late-returned; high raised 80s late
         605s  reading 30         => announce high late-confirmed",
    );
}

#[test]
fn a_recording_replayed_as_fast_as_it_goes_gives_the_transitions_of_its_rows() {
    // Reactor pressure of the Tennessee Eastman process, 3 min apart: normal limit 2895 kPa, shutdown limit 3000 kPa.
    check(
        "gateway 180s
         high 2895, high-high 3000
         480h   reading 2704.3 at 0m
         480h   reading 2894.9 at 3m
         480h   reading 2895.0 at 6m   => high raised 360s late
         480h   reading 2951.2 at 9m
         480h   reading 3000.0 at 12m  => high-high raised 720s late
         480h   reading 3000.0 at 15m",
    );
    check(
        "gateway 180s
         high 50
         480h   reading 49.9 at 0m
         480h   reading 50.1 at 3m     => high raised 180s late
         480h   reading 49.8 at 6m     => high returned 360s
         480h   reading 50.2 at 9m     => high raised 540s late
         480h   reading 49.7 at 12m    => high returned 720s",
    );
    check(
        "gateway 180s
         high 50, deadband 0.25, on-delay 4m
         480h   reading 50.1 at 3m
         480h   reading 49.8 at 6m
         480h   reading 50.2 at 9m
         480h   reading 50.3 at 12m
         480h   reading 49.8 at 15m    => high raised 780s since 540s late
         480h   reading 49.7 at 18m    => high returned 1080s",
    );
}

#[test]
fn a_latch_released_before_its_late_raise_was_told_is_told_as_returned() {
    check(
        "toxic, range 0..100, high 25
         0s    reading 7
         10m   reading 120 at 60s => high raised 60s late
         10m   reading 7 at 70s   => high returned-latched 70s
         610s  field-check high   => high reset
         630s  timeout            => announce high late-returned",
    );
}

#[test]
fn a_straggler_within_a_wait_to_raise_tells_nothing_new() {
    check(
        "high 80, on-delay 20s
         0s   reading 70
         10s  reading 85
         12s  reading 86
         13s  reading 87 at 11s
         15s  reading 70
         20s  reading 70",
    );
}
