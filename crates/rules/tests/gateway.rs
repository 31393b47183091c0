//! A dead gateway is one case.
mod common;
use common::check;

const TEN: &str = "tag A,B,C,D,E,F,G,H stale 15s, bad-quality, low 10
         tag I,J stale 15s, bad-quality, high 80";

#[test]
fn most_tags_silent_together_are_one_lost_gateway() {
    check(&format!(
        "{TEN}
         0s   all reading 50
         15s  timeout  => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s; D.stale raised 15s; E.stale raised 15s; F.stale raised 15s; G.stale raised 15s; H.stale raised 15s; I.stale raised 15s; J.stale raised 15s; ~GW.gateway-lost raised 15s; announce ~GW.gateway-lost [A B C D E F G H I J]
         10m  timeout"
    ));
}

#[test]
fn a_lost_gateway_returns_when_most_of_its_tags_are_good_and_what_still_stands_is_told_then() {
    check(
        "tag A,B,C,D stale 15s
         0s    all reading 50
         60s   timeout         => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s; D.stale raised 15s; ~GW.gateway-lost raised 15s; announce ~GW.gateway-lost [A B C D]
         100s  A reading 50    => A.stale returned 100s
         101s  B reading 50    => B.stale returned 101s
         102s  C reading 50    => C.stale returned 102s; ~GW.gateway-lost returned 102s
         107s  A,B,C reading 50
         112s  A,B,C reading 50 => announce D.stale",
    );
}

#[test]
fn fewer_than_that_are_told_one_by_one_after_two_intervals() {
    check(
        "tag A,B,C,D,E stale 15s
         0s   all reading 50
         10s  D,E reading 50
         15s  timeout         => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s
         20s  D,E reading 50
         24s  timeout
         25s  timeout         => announce A.stale; announce B.stale; announce C.stale",
    );
}

#[test]
fn most_tags_bad_together_are_a_lost_gateway() {
    check(
        "tag A,B,C,D,E bad-quality, high 80
         0s   all reading 50
         5s   A,B,C bad 0     => A.bad-quality raised 5s; B.bad-quality raised 5s; C.bad-quality raised 5s
         6s   D bad 0         => D.bad-quality raised 6s; ~GW.gateway-lost raised 6s; announce ~GW.gateway-lost [A B C D]
         7s   E bad 0         => E.bad-quality raised 7s
         10m  timeout
         601s all reading 50  => A.bad-quality returned 601s; B.bad-quality returned 601s; C.bad-quality returned 601s; ~GW.gateway-lost returned 601s; D.bad-quality returned 601s; E.bad-quality returned 601s",
    );
}

#[test]
fn tags_that_go_bad_an_hour_apart_are_no_lost_gateway() {
    check(
        "tag A,B,C,D,E bad-quality
         0h   all reading 50
         1h   A bad 0          => A.bad-quality raised 3600s
         61m  B,C,D,E reading 50 => announce A.bad-quality
         2h   B bad 0          => B.bad-quality raised 7200s
         121m C,D,E reading 50 => announce B.bad-quality
         3h   C bad 0          => C.bad-quality raised 10800s
         181m D,E reading 50   => announce C.bad-quality
         4h   D bad 0          => D.bad-quality raised 14400s
         241m E reading 50     => announce D.bad-quality",
    );
}

#[test]
fn low_alarms_of_tags_that_went_to_exactly_zero_wait_for_the_verdict() {
    check(
        "tag A,B,C,D level, low 10, low-low 5
         0s  all reading 50
         5s  A,B reading 0     => A.low raised 5s; A.low-low raised 5s; B.low raised 5s; B.low-low raised 5s
         6s  C,D reading 50
         15s C,D reading 50    => announce A.low; announce A.low-low; announce B.low; announce B.low-low",
    );
    check(
        "tag A,B,C,D level, low 10
         0s  all reading 50
         5s  A,B,C reading 0    => A.low raised 5s; B.low raised 5s; C.low raised 5s
         6s  D reading 0        => D.low raised 6s; ~GW.gateway-lost raised 6s; announce ~GW.gateway-lost [A B C D]
         60s timeout
         61s A reading 4        => announce A.low
         62s B reading 50       => B.low returned 62s
         63s C reading 50       => C.low returned 63s; ~GW.gateway-lost returned 63s
         73s timeout            => announce D.low",
    );
}

#[test]
fn a_low_alarm_that_is_not_exactly_zero_never_waits() {
    check(
        "tag A,B,C,D level, low 10
         0s  all reading 50
         5s  A reading 3        => A.low raised 5s; announce A.low",
    );
}

#[test]
fn gas_and_high_side_alarms_never_wait() {
    check(
        "tag A,B,C toxic, low 1, high 25, bad-quality
         tag D bad-quality, high 80
         0s  all reading 10
         5s  A reading 0        => A.low raised 5s; announce A.low
         6s  B,C bad 0          => B.bad-quality raised 6s; C.bad-quality raised 6s
         7s  A bad 0            => A.bad-quality raised 7s
         8s  D bad 0            => D.bad-quality raised 8s; ~GW.gateway-lost raised 8s; announce ~GW.gateway-lost [A B C D]
         9s  D reading 85       => D.high raised 9s; announce D.high; D.bad-quality returned 9s",
    );
}

#[test]
fn a_data_fault_that_returns_before_the_verdict_is_told_as_any_other() {
    check(
        "tag A,B,C,D bad-quality
         0s all reading 50
         5s A bad 0       => A.bad-quality raised 5s
         8s A reading 50  => announce A.bad-quality; A.bad-quality returned 8s",
    );
}

#[test]
fn two_tags_are_never_a_lost_gateway() {
    check(
        "tag A,B stale 15s
         0s  all reading 50
         15s timeout   => A.stale raised 15s; announce A.stale; B.stale raised 15s; announce B.stale",
    );
}

#[test]
fn tags_not_yet_seen_do_not_make_a_starting_gateway_lost() {
    check(
        "tag A,B,C,D,E bad-quality
         0s   A reading 50
         0.1s B bad 0           => B.bad-quality raised 100ms
         0.2s C,D,E reading 50
         30s  timeout           => announce B.bad-quality",
    );
}

#[test]
fn a_tag_never_seen_has_no_part_in_the_verdict() {
    // Three of ten are wired; two of them fall silent, and that is no gateway.
    check(
        "tag A,B,C stale 15s
         tag D,E,F,G,H,I,J stale 15s
         0s  A,B,C reading 50
         5s  A,B,C reading 50
         15s C reading 50
         20s C reading 50   => A.stale raised 20s; B.stale raised 20s
         30s C reading 50   => announce A.stale; announce B.stale",
    );
    // All that were ever seen: the gateway is lost, and its case lists those.
    check(
        "tag A,B,C,D stale 15s
         tag E,F stale 15s
         0s  A,B,C,D reading 50
         20s timeout   => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s; D.stale raised 15s; ~GW.gateway-lost raised 15s; announce ~GW.gateway-lost [A B C D]",
    );
}

#[test]
fn members_that_were_out_for_long_have_no_part_in_the_verdict() {
    check(
        "tag A,B,C,D,E stale 15s
         0s  all reading 50
         10s C,D,E reading 50
         20s C,D,E reading 50   => A.stale raised 15s; B.stale raised 15s
         30s C,D,E reading 50   => announce A.stale; announce B.stale
         60s timeout            => C.stale raised 45s; D.stale raised 45s; E.stale raised 45s; ~GW.gateway-lost raised 45s; announce ~GW.gateway-lost [A B C D E]",
    );
}

#[test]
fn a_gateway_lost_again_after_its_return_explains_what_had_not_been_told() {
    check(
        "tag A,B,C bad-quality
         0s   all reading 50
         5s   all bad 0          => A.bad-quality raised 5s; B.bad-quality raised 5s; C.bad-quality raised 5s; ~GW.gateway-lost raised 5s; announce ~GW.gateway-lost [A B C]
         60s  A,B reading 50     => A.bad-quality returned 60s; B.bad-quality returned 60s; ~GW.gateway-lost returned 60s
         70s  timeout            => announce C.bad-quality",
    );
}

#[test]
fn a_range_left_by_going_to_exactly_zero_waits_for_the_verdict_too() {
    check(
        "tag A,B,C range 4..20, out-of-range
         0s  all reading 12
         5s  A reading 21       => A.out-of-range raised 5s; announce A.out-of-range
         10s A reading 12       => A.out-of-range returned 10s
         15s A,B reading 0      => A.out-of-range raised 15s; B.out-of-range raised 15s
         16s C reading 0        => C.out-of-range raised 16s; ~GW.gateway-lost raised 16s; announce ~GW.gateway-lost [A B C]",
    );
}

#[test]
fn a_slow_tag_cannot_keep_its_dead_gateway_alive_and_is_listed_with_it() {
    check(
        "tag A,B,C stale 15s
         tag D every 60s, stale 180s
         0s   all reading 50
         10s  A,B,C reading 50
         10m  timeout       => A.stale raised 25s; B.stale raised 25s; C.stale raised 25s; ~GW.gateway-lost raised 25s; announce ~GW.gateway-lost [A B C D]; D.stale raised 180s",
    );
}

#[test]
fn nobody_speaks_for_a_gateway_by_sending_readings_of_its_own_tag() {
    check(
        "tag A,B,C stale 15s
         0s   all reading 50
         20s  ~GW reading 1  => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s; ~GW.gateway-lost raised 15s; announce ~GW.gateway-lost [A B C]",
    );
}

#[test]
fn old_bad_readings_of_a_backlog_are_no_lost_gateway() {
    check(
        "tag A,B,C bad-quality
         0s   all reading 50
         10m  all null at 10s   => A.bad-quality raised 10s late; B.bad-quality raised 10s late; C.bad-quality raised 10s late
         601s all reading 50    => A.bad-quality returned 601s; B.bad-quality returned 601s; C.bad-quality returned 601s",
    );
}

#[test]
fn tags_not_heard_since_the_loss_do_not_bring_the_gateway_back() {
    check(
        "tag A,B,C stale 15s
         tag D,E,F,G every 60s, stale 180s
         0s   all reading 50
         10s  A,B,C reading 50
         30s  A reading 50     => A.stale raised 25s; B.stale raised 25s; C.stale raised 25s; ~GW.gateway-lost raised 25s; announce ~GW.gateway-lost [A B C D E F G]; A.stale returned 30s
         31s  D,E reading 50
         32s  F reading 50     => ~GW.gateway-lost returned 32s
         33s  B,C reading 50   => B.stale returned 33s; C.stale returned 33s",
    );
}

#[test]
fn a_gateway_lost_again_within_the_wait_after_its_return_explains_the_rest_once_more() {
    check(
        "tag A,B,C,D bad-quality
         0s   all reading 50
         5s   A,B,C bad 0        => A.bad-quality raised 5s; B.bad-quality raised 5s; C.bad-quality raised 5s
         5s   D bad 0            => D.bad-quality raised 5s; ~GW.gateway-lost raised 5s; announce ~GW.gateway-lost [A B C D]
         60s  A,B,C reading 50   => A.bad-quality returned 60s; B.bad-quality returned 60s; C.bad-quality returned 60s; ~GW.gateway-lost returned 60s
         65s  A,B,C bad 0        => A.bad-quality raised 65s; B.bad-quality raised 65s; C.bad-quality raised 65s; ~GW.gateway-lost raised 65s; announce ~GW.gateway-lost [A B C D]
         10m  timeout",
    );
}

#[test]
fn tags_that_go_to_zero_together_are_a_lost_gateway_also_where_zero_alarms_nothing() {
    check(
        "tag A,B,C high 80
         0s  all reading 50
         5s  all reading 50
         10s A,B reading 0
         11s C reading 0     => ~GW.gateway-lost raised 11s; announce ~GW.gateway-lost [A B C]
         15s all reading 0
         20s A,B reading 50  => ~GW.gateway-lost returned 20s",
    );
}

#[test]
fn what_falls_silent_at_the_end_of_the_wait_still_counts_for_the_verdict() {
    check(
        "tag A,B,C,D,E stale 15s
         0s   all reading 50
         10s  C,D,E reading 50
         20s  E reading 50   => A.stale raised 15s; B.stale raised 15s
         25s  E reading 50   => C.stale raised 25s; D.stale raised 25s; ~GW.gateway-lost raised 25s; announce ~GW.gateway-lost [A B C D]",
    );
}

/// Eight of ten tags go to zero, four come back: too few for the gateway's return.
const HALF_BACK: &str = "tag A,B,C,D,E,F,G,H,I,J level, low 10, low-low 5
         0s   all reading 50
         5s   A,B,C,D,E,F,G reading 0 => A.low raised 5s; A.low-low raised 5s; B.low raised 5s; B.low-low raised 5s; C.low raised 5s; C.low-low raised 5s; D.low raised 5s; D.low-low raised 5s; E.low raised 5s; E.low-low raised 5s; F.low raised 5s; F.low-low raised 5s; G.low raised 5s; G.low-low raised 5s
         6s   H reading 0     => H.low raised 6s; H.low-low raised 6s; ~GW.gateway-lost raised 6s; announce ~GW.gateway-lost [A B C D E F G H]
         60s  A,B,C,D reading 50 => A.low returned 60s; A.low-low returned 60s; B.low returned 60s; B.low-low returned 60s; C.low returned 60s; C.low-low returned 60s; D.low returned 60s; D.low-low returned 60s
         75s  B,C,D,I reading 50";

#[test]
fn a_gateway_half_back_does_not_explain_what_its_good_tags_do_later() {
    check(&format!(
        "{HALF_BACK}
         75s  A reading 0     => A.low raised 75s; A.low-low raised 75s
         84s  timeout
         85s  timeout         => announce A.low; announce A.low-low
         90s  I reading 0     => I.low raised 90s; I.low-low raised 90s
         100s timeout         => announce I.low; announce I.low-low"
    ));
}

#[test]
fn what_a_half_recovered_gateway_does_not_explain_outlives_a_restart() {
    check(&format!(
        "{HALF_BACK}
         76s  restart
         76s  link up
         77s  drained
         78s  A reading 0     => A.low raised 78s; A.low-low raised 78s
         88s  timeout         => announce A.low; announce A.low-low"
    ));
}

#[test]
fn tags_that_fall_out_again_together_before_their_gateway_is_back_are_explained_once_more() {
    check(&format!(
        "{HALF_BACK}
         80s  A,B,C reading 0 => A.low raised 80s; A.low-low raised 80s; B.low raised 80s; B.low-low raised 80s; C.low raised 80s; C.low-low raised 80s
         82s  D reading 0     => D.low raised 82s; D.low-low raised 82s
         10m  timeout"
    ));
}

#[test]
fn a_tag_that_follows_its_gateway_within_two_intervals_is_part_of_its_loss() {
    check(
        "tag A,B,C,D,E level, low 10
         0s   all reading 50
         5s   A,B,C reading 0 => A.low raised 5s; B.low raised 5s; C.low raised 5s
         6s   D reading 0     => D.low raised 6s; ~GW.gateway-lost raised 6s; announce ~GW.gateway-lost [A B C D]
         8s   E reading 50
         13s  E reading 0     => E.low raised 13s
         10m  timeout",
    );
}
