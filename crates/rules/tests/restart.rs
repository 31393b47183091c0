//! What a restart keeps, and that it says nothing by itself.
mod common;
use common::check;

#[test]
fn a_restart_causes_no_transition() {
    check(
        "high 80, stale 15s, bad-quality
         0s   reading 81    => high raised 0s; announce high
         5s   bad 0         => bad-quality raised 5s; announce bad-quality
         1h   restart       => stale raised 20s; announce stale
         1h   link up
         3605s timeout",
    );
}

#[test]
fn an_hour_down_makes_no_stale_case() {
    check(
        "tag A,B,C,D stale 15s
         0s    all reading 50
         5s    restart
         1h    drained
         3600s link up
         3605s all reading 50
         3610s timeout",
    );
}

#[test]
fn a_redelivered_reading_that_made_a_change_is_a_duplicate_or_a_straggler() {
    check(
        "high 80
         0s   reading 81          => high raised 0s; announce high
         5s   reading 70          => high returned 5s
         6s   restart lossy
         6s   link up
         7s   reading 81 at 0s
         7s   reading 70 at 5s
         7s   drained
         10s  reading 70",
    );
}

#[test]
fn overdue_on_delays_wait_for_the_drained_backlog() {
    check(
        "high 80, on-delay 5s
         0s    reading 81
         1s    restart
         100s  link up
         100s  reading 70 at 3s
         101s  drained
         110s  timeout",
    );
    check(
        "high 80, on-delay 5s
         0s    reading 81
         1s    restart
         100s  link up
         101s  timeout
         102s  drained          => high raised 5s since 0s; announce high",
    );
}

#[test]
fn a_held_announcement_and_a_kept_straggler_outlive_a_restart() {
    check(
        "high 80
         0s    reading 70
         10m   reading 85 at 60s  => high raised 60s late
         601s  restart lossy
         602s  drained
         630s  timeout            => announce high late-confirmed",
    );
    check(
        "gateway 60s
         tag T high 80
         60s  reading 70
         61s  reading 85 at 5s
         62s  restart lossy
         63s  drained
         91s  timeout              => high raised 61s late; announce high late-confirmed",
    );
}

#[test]
fn a_latch_outlives_a_restart() {
    check(
        "toxic, range 0..100, high 25
         0s  reading 130      => high raised 0s; announce high
         5s  reading 3        => high returned-latched 5s
         6s  restart
         7s  field-check high => high reset
         8s  acknowledge high => high acknowledged",
    );
}

#[test]
fn a_lost_gateway_stays_lost_over_a_restart() {
    check(
        "tag A,B,C stale 15s
         0s   all reading 50
         20s  restart          => A.stale raised 15s; B.stale raised 15s; C.stale raised 15s; ~GW.gateway-lost raised 15s; announce ~GW.gateway-lost [A B C]
         21s  link up
         21s  drained
         60s  all reading 50   => A.stale returned 60s; B.stale returned 60s; ~GW.gateway-lost returned 60s; C.stale returned 60s",
    );
}
