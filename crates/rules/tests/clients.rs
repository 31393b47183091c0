//! What real clients do wrong, as far as the rules see it; the payloads themselves are ingest's tests.
mod common;
use common::check;

#[test]
fn a_client_that_sends_its_last_value_as_live_is_found_frozen() {
    check(
        "toxic, range 0..100, high 25, frozen flat 30s
         0s  reading 3.21 seq 1
         10s reading 3.21 seq 2
         20s reading 3.21 seq 3
         30s reading 3.21 seq 4   => frozen raised 30s; announce frozen",
    );
}

#[test]
fn a_client_that_sends_zero_for_no_value_is_found_frozen_and_clears_nothing_it_froze() {
    check(
        "level, low 15, frozen zero 20s
         0s  reading 50
         5s  reading 0            => low raised 5s; announce low
         15s reading 0
         25s reading 0            => frozen raised 25s; announce frozen
         30s reading 50           => low returned 30s; frozen returned 30s",
    );
}

#[test]
fn a_client_that_holds_everything_back_behind_its_backlog_is_judged_by_its_own_times() {
    check(
        "temperature, high 80, on-delay 30s
         600s reading 85 at 0s
         600s reading 85 at 60s   => high raised 30s since 0s late
         600s reading 70 at 300s  => high returned 300s
         610s reading 70",
    );
}

#[test]
fn booleans_as_floats_and_values_rounded_to_32_bits_are_read_for_what_they_are() {
    check(
        "switch, discrete 1
         0s  reading 0.0000001
         5s  reading 0.9999999    => discrete raised 5s; announce discrete
         10s reading 0            => discrete returned 10s",
    );
    check(
        "temperature, high 0.3
         0s  reading 0.30000001192092896   => high raised 0s; announce high",
    );
}

#[test]
fn the_same_reading_under_another_number_changes_nothing() {
    check(
        "temperature, high 80, rate-up 100 over 60s
         0s  reading 85 seq 1     => high raised 0s; announce high
         5s  reading 85 at 0s seq 1
         6s  reading 85 at 0s seq 2
         7s  reading 70 at 7s     => high returned 7s",
    );
}

#[test]
fn a_gap_after_a_long_outage_is_not_filled_in() {
    check(
        "temperature, high 80, on-delay 60s, rate-up 5 over 60s, stale 30s
         0s     reading 20
         31s    timeout           => stale raised 30s; announce stale
         3600s  reading 85        => stale returned 3600s
         3625s  reading 85
         3650s  reading 85
         3661s  timeout           => high raised 3660s since 3600s; announce high",
    );
}

#[test]
fn of_a_window_of_which_only_the_last_state_arrives_an_alarm_sent_by_itself_still_makes_a_row() {
    check(
        "temperature, high-high 90
         0s    reading 50
         300s  reading 50
         301s  reading 95 at 120s
         305s  reading 50         => late-exceedance high-high 120s opens-case",
    );
}
