//! Delays: design "Delays".
mod common;
use common::check;

#[test]
fn on_delay_ends_by_our_clock_where_nothing_more_arrives() {
    check(
        "high 80, on-delay 5s
         0s reading 81
         4s timeout
         5s timeout    => high raised 5s since 0s; announce high",
    );
}

#[test]
fn on_delay_is_proven_by_a_later_reading_and_stamped_with_its_own_end() {
    check(
        "high 80, on-delay 5s
         10s reading 81 at 0s
         11s reading 70 at 7s => high raised 5s since 0s; announce high; high returned 7s",
    );
}

#[test]
fn at_a_tie_the_deadline_goes_first() {
    check(
        "high 80, on-delay 5s
         0s reading 81
         5s reading 70 => high raised 5s since 0s; announce high; high returned 5s",
    );
}

#[test]
fn a_good_reading_not_beyond_ends_the_wait_but_bad_uncertain_and_silence_do_not() {
    check(
        "high 80, deadband 2, on-delay 10s
         0s  reading 81
         5s  reading 79
         10s reading 81
         15s bad 0
         17s uncertain 50
         20s timeout    => high raised 20s since 10s; announce high",
    );
}

#[test]
fn the_wait_begins_with_the_first_reading_beyond() {
    check(
        "high 80, on-delay 10s
         0s  reading 81
         5s  reading 82
         9s  reading 83
         10s timeout   => high raised 10s since 0s; announce high",
    );
}

#[test]
fn off_delay_ends_only_on_a_good_clear_reading_that_stamps_the_return() {
    check(
        "high 80, deadband 2, off-delay 10s
         0s  reading 81  => high raised 0s; announce high
         5s  reading 77
         14s reading 77
         60s timeout
         61s reading 77  => high returned 61s",
    );
}

#[test]
fn off_delay_is_cancelled_by_a_reading_not_clear_and_neither_helped_nor_cancelled_by_bad_ones() {
    check(
        "high 80, deadband 2, off-delay 10s
         0s  reading 81     => high raised 0s; announce high
         5s  reading 77
         10s reading 78.5
         15s reading 77
         18s bad 90
         20s uncertain 70
         26s bad 70
         27s uncertain 70
         28s reading 77     => high returned 28s",
    );
    check(
        "high 80, off-delay 10s
         0s  reading 81     => high raised 0s; announce high
         5s  reading 70
         10s uncertain 81
         15s reading 70
         20s reading 70
         25s reading 70     => high returned 25s",
    );
}

#[test]
fn deadlines_of_several_tags_fire_in_order_before_the_input() {
    check(
        "tag A high 80, on-delay 5s
         tag B high 80, on-delay 4s
         0s  A reading 81
         0s  B reading 81
         10s A reading 70 => B.high raised 4s since 0s; announce B.high; A.high raised 5s since 0s; announce A.high; A.high returned 10s",
    );
}

#[test]
fn a_higher_limit_that_ends_its_delay_takes_the_lower_one_along() {
    check(
        "high 80, on-delay 60s, high-high 90, on-delay 5s
         0s reading 95
         5s timeout    => high raised 5s since 0s; announce high; high-high raised 5s since 0s; announce high-high",
    );
}

#[test]
fn an_uncertain_reading_does_not_end_the_wait() {
    check(
        "high 80, deadband 2, on-delay 10s
         0s  reading 81
         5s  uncertain 79
         10s timeout      => high raised 10s since 0s; announce high",
    );
}

#[test]
fn at_a_tie_of_source_times_the_deadline_goes_first_too() {
    check(
        "high 80, on-delay 5s
         10s reading 81 at 0s
         11s reading 70 at 5s => high raised 5s since 0s; announce high; high returned 5s",
    );
}
