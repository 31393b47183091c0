//! Silence, our own blindness, system alarms: design "No data is never normal" and "The promise".
mod common;
use common::check;

#[test]
fn a_silent_tag_is_stale_after_its_stale_time_and_returns_when_heard() {
    check(
        "high 80, stale 15s
         0s  reading 50
         14s timeout
         15s timeout     => stale raised 15s; announce stale
         60s timeout
         61s reading 50  => stale returned 61s",
    );
}

#[test]
fn silence_freezes_an_active_alarm() {
    check(
        "high 80, stale 15s
         0s   reading 81  => high raised 0s; announce high
         100s timeout     => stale raised 15s; announce stale
         101s reading 81  => stale returned 101s
         105s reading 70  => high returned 105s",
    );
}

#[test]
fn a_tag_never_seen_is_not_stale() {
    check(
        "stale 15s
         1h timeout",
    );
}

#[test]
fn a_bad_reading_ends_the_silence_but_not_its_alarm() {
    check(
        "stale 15s, bad-quality
         0s  reading 50
         20s bad 0         => stale raised 15s; announce stale; bad-quality raised 20s; announce bad-quality
         25s reading 50    => bad-quality returned 25s; stale returned 25s",
    );
}

#[test]
fn a_repetition_of_the_newest_reading_is_no_sign_of_life() {
    check(
        "stale 15s
         0s  reading 50
         10s reading 50 at 0s
         15s timeout           => stale raised 15s; announce stale",
    );
}

#[test]
fn silence_clocks_count_only_the_time_we_were_listening() {
    check(
        "stale 15s, every 2s
         0s   reading 50
         6s   link down  => broker.system raised 6s; announce broker.system
         106s link up    => broker.system returned 106s
         114s timeout
         115s timeout    => stale raised 115s; announce stale",
    );
}

#[test]
fn a_tag_whose_silence_clock_was_at_its_end_gets_time_to_report_after_our_blindness() {
    check(
        "stale 15s, every 5s
         0s    reading 50
         14s   link down   => broker.system raised 14s; announce broker.system
         100s  link up     => broker.system returned 100s
         109s  reading 50",
    );
}

#[test]
fn our_own_blindness_is_one_alarm_and_not_one_per_tag() {
    check(
        "tag A,B,C,D stale 15s
         0s   all reading 50
         5s   link down    => broker.system raised 5s; announce broker.system
         6s   link down
         2h   link up      => broker.system returned 7200s
         7205s all reading 50",
    );
}

#[test]
fn a_system_alarm_takes_the_same_path() {
    check(
        "high 80
         0s system clock on     => clock.system raised 0s; announce clock.system
         1s system clock on
         2s acknowledge clock.system => clock.system acknowledged
         3s system clock off    => clock.system returned 3s
         4s system clock off",
    );
}

#[test]
fn an_unknown_tag_is_a_condition_on_its_gateway_until_none_comes_any_more() {
    check(
        "high 80
         0s   unknown-tag X-1   => ~GW.unknown-tag raised 0s; announce ~GW.unknown-tag
         5m   unknown-tag X-2
         14m  timeout
         15m  timeout           => ~GW.unknown-tag returned 900s",
    );
}

#[test]
fn absurd_times_and_values_change_nothing_else() {
    check(
        "high 80, on-delay 5s, stale 15s, every 5s
         0s  reading 50
         1s  reading 50 at max
         2s  reading 81 at max
         7s  reading 50 at 7s         => high raised 7s since 2s; announce high; high returned 7s
         8s  reading 1e308 at min
         9s  reading -1e308 at 9s received min
         10s reading 50 at 10s received max => late-exceedance high -9223372036854775ms",
    );
}

#[test]
fn a_reading_without_a_value_hides_no_other_of_its_time_whatever_quality_it_claims() {
    check(
        "high-high 90, bad-quality
         0s  uncertain NaN   => bad-quality raised 0s; announce bad-quality
         0s  reading 95      => high-high raised 0s; announce high-high; bad-quality returned 0s
         9s  uncertain inf   => bad-quality raised 9s; announce bad-quality
         9s  null
         9s  restart
         9s  link up
         9s  drained
         9s  reading 50      => high-high returned 9s; bad-quality returned 9s",
    );
}

#[test]
fn stragglers_from_a_gateway_that_has_gone_on_are_no_sign_of_life() {
    check(
        "tag A,B high 80, stale 15s
         0s  A,B reading 50
         5s  A,B reading 50
         10s B reading 50
         10s A reading 50 at 1970+1s
         15s B reading 50
         15s A reading 50 at 1970+6s
         20s B reading 50
         20s A reading 50 at 1970+11s
         25s B reading 50
         25s A reading 50 at 1970+16s
         30s B reading 50             => A.stale raised 30s; announce A.stale
         60s timeout                  => B.stale raised 45s; announce B.stale",
    );
}

#[test]
fn one_device_with_a_lost_clock_behind_a_sound_gateway_is_still_paged() {
    check(
        "tag A,B high 80
         0s  A,B reading 50
         5s  A reading 95 at 1970+1s
         6s  B reading 50
         10s A reading 95 at 1970+6s
         11s B reading 50
         34s timeout
         35s timeout                   => A.high raised 5s late; announce A.high late-confirmed",
    );
}

#[test]
fn a_flapping_link_does_not_hide_a_silent_tag() {
    check(
        "stale 30s, every 10s
         0s    reading 50
         12s   link down  => broker.system raised 12s; announce broker.system
         14s   link up    => broker.system returned 14s
         30s   link down  => broker.system raised 30s; announce broker.system
         32s   link up    => broker.system returned 32s
         48s   link down  => broker.system raised 48s; announce broker.system
         50s   link up    => broker.system returned 50s
         66s   link down  => stale raised 56s; announce stale; broker.system raised 66s; announce broker.system
         68s   link up    => broker.system returned 68s
         69s   reading 50 => stale returned 69s",
    );
}
