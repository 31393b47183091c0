//! Conditions across tags: calculated tags, votes, deviation, compound; operating modes and suppression by design.
mod common;
use common::check;

#[test]
fn a_deviation_of_twins_is_an_alarm_of_its_own() {
    check(
        "tag A temperature
         tag B temperature
         calc D deviation 5, deadband 1, on-delay 10s := abs([A] - [B])
         0s  A reading 50
         1s  B reading 50
         5s  A reading 56
         10s A reading 57
         15s B reading 50     => D.deviation raised 15s since 5s; announce D.deviation
         20s B reading 52.5
         25s B reading 54     => D.deviation returned 25s",
    );
}

#[test]
fn two_of_three_detectors_raise_and_a_bad_one_leaves_one_of_two() {
    check(
        "tag A,B,C toxic, alone
         calc V truth, voted 1 := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)
         0s  A,B,C reading 5
         1s  A reading 60
         2s  B reading 60     => V.voted raised 2s; announce V.voted
         3s  B reading 5      => V.voted returned 3s
         4s  A reading 5
         5s  C null
         6s  A reading 60     => V.voted raised 6s; announce V.voted
         7s  A reading 5      => V.voted returned 7s
         8s  B null
         9s  A reading 60     => V.voted raised 9s; announce V.voted
         10s A reading 5      # the two that cannot say might say yes
         11s B reading 5      => V.voted returned 11s",
    );
}

#[test]
fn a_detector_over_range_votes_whatever_it_claims() {
    check(
        "tag A,B,C toxic, range 0..100, alone
         calc V truth, voted 1 := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)
         0s  A,B,C reading 5
         1s  A bad 120
         2s  B reading 60     => V.voted raised 2s; announce V.voted",
    );
}

#[test]
fn a_silent_detector_degrades_the_vote_when_it_falls_silent() {
    check(
        "tag A,B toxic, alone
         tag C toxic, alone, stale 30s
         calc V truth, voted 1 := vote(2, [A] >= 50, [B] >= 50, [C] >= 50)
         0s  B,C reading 5
         1s  A reading 60
         31s timeout          => C.stale raised 30s; announce C.stale; V.voted raised 30s; announce V.voted
         40s C reading 5      => C.stale returned 40s; V.voted returned 40s",
    );
}

#[test]
fn bad_and_silent_inputs_neither_raise_nor_return_a_compound() {
    check(
        "tag A level
         tag P switch
         calc W truth, compound 1, on-delay 5s := [A] >= 80 and not [P]
         0s  A reading 85
         1s  P reading 1
         2s  P reading 0
         4s  P null
         10s P reading 0      => W.compound raised 7s since 2s; announce W.compound
         12s P null
         14s A reading 70     => W.compound returned 14s
         16s A null
         18s P reading 1",
    );
}

#[test]
fn calculated_tags_hang_on_one_another_and_are_worked_out_in_that_order() {
    check(
        "tag A level
         calc Z high 100 := [Y] * 2
         calc Y high 40 := [A] + 1
         0s  A reading 10
         5s  A reading 60     => Y.high raised 5s; announce Y.high; Z.high raised 5s; announce Z.high
         9s  A reading 20     => Y.high returned 9s; Z.high returned 9s",
    );
}

#[test]
fn a_ring_of_calculated_tags_is_never_run_and_harms_nobody() {
    check(
        "tag A level, high 80
         calc X high 1 := [Y] + 1
         calc Y high 1 := [X] + [A]
         calc Z high 50 := [A] * 1
         0s  A reading 85     => A.high raised 0s; announce A.high; Z.high raised 0s; announce Z.high",
    );
}

#[test]
fn a_mean_over_a_window_smooths_what_a_limit_judges() {
    check(
        "tag F temperature
         calc M high 60 := mean([F], 60s)
         0s   F reading 40
         30s  F reading 40
         40s  F reading 90
         50s  F reading 40
         60s  F reading 90
         90s  F reading 90    => M.high raised 90s; announce M.high
         95s  restart
         96s  link up
         97s  drained
         100s F reading 20
         200s F reading 20    => M.high returned 200s",
    );
}

#[test]
fn a_suppressed_alarm_is_recorded_and_not_told_and_what_stands_at_the_end_is() {
    check(
        "tag F temperature, low 20, suppressed-by S, low-low 10, bad-quality
         tag K switch
         calc S truth := not [K]
         0s  K reading 1
         1s  F reading 50
         5s  K reading 0
         6s  F reading 15     => F.low raised 6s suppressed
         7s  F reading 50     => F.low returned 7s
         8s  F reading 15     => F.low raised 8s suppressed
         9s  F reading 5      => F.low-low raised 9s; announce F.low-low
         10s restart
         10s link up
         10s drained
         11s F reading 15     => F.low-low returned 11s
         12s K reading 1      => announce F.low
         13s F reading 50     => F.low returned 13s
         14s F reading 15     => F.low raised 14s; announce F.low
         15s K reading 0
         16s F reading 50     => F.low returned 16s",
    );
}

#[test]
fn a_suppression_whose_inputs_are_unknown_suppresses_nothing() {
    check(
        "tag F temperature, low 20, suppressed-by S
         tag K switch
         calc S truth := not [K]
         0s  K reading 0
         1s  F reading 15     => F.low raised 1s suppressed
         2s  K null           => announce F.low",
    );
}

#[test]
fn no_suppression_and_no_mode_touches_a_gas_limit_nor_a_vote_of_gas_detectors() {
    check(
        "tag A,B toxic, alone, high 25, suppressed-by S, mode 2 off, high-high 50, mode 2 limit 90
         tag K switch
         calc S truth := [K]
         calc M truth, low-low -1 := [K]
         calc V truth, voted 1, suppressed-by S, mode 1 off := vote(1, [A] >= 50, [B] >= 50)
         modes M
         0s  K reading 1
         1s  A reading 30     => A.high raised 1s; announce A.high
         2s  A reading 60     => A.high-high raised 2s; announce A.high-high; V.voted raised 2s; announce V.voted",
    );
}

#[test]
fn each_mode_has_its_own_limit() {
    check(
        "tag T temperature, high 80, deadband 1, mode 1 limit 120
         tag N level
         calc M := [N]
         modes M
         0s  N reading 0
         1s  T reading 85     => T.high raised 1s; announce T.high
         5s  N reading 1      # starting up: what stands needs a reading that clears the new limit
         6s  T reading 86     => T.high returned 6s
         7s  T reading 119
         8s  T reading 121    => T.high raised 8s; announce T.high
         9s  T reading 90     => T.high returned 9s
         20s N reading 0      => T.high raised 20s; announce T.high
         21s N null
         22s T reading 70     => T.high returned 22s",
    );
}

#[test]
fn a_delay_that_runs_goes_on_by_the_new_mode_or_ends_with_it() {
    check(
        "tag T temperature, high 80, on-delay 10s, mode 1 limit 82 delay 30s, mode 2 limit 120
         tag N level
         calc M := [N]
         modes M
         0s  N reading 0
         1s  T reading 85
         5s  N reading 1
         20s T reading 85
         32s timeout          => T.high raised 31s since 1s; announce T.high
         40s T reading 70     => T.high returned 40s
         41s N reading 0
         42s T reading 85
         45s N reading 2
         90s T reading 85",
    );
}

#[test]
fn a_wait_that_a_mode_began_begins_at_a_reading_of_before_the_mode_that_comes_after_it() {
    // 95 lasted from 5s to 9s, beyond the limit of either mode.
    check(
        "tag T temperature, high 80, on-delay 3s, mode 1 limit 94
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 82
         10s N reading 0
         11s T reading 95 at 5s
         11s T reading 70 at 9s   => T.high raised 8s since 5s; announce T.high; T.high returned 9s",
    );
    // A late one makes no late alarm of it, which would be held.
    check(
        "tag T temperature, alone, high 80, on-delay 3s, mode 1 limit 94
         tag N level, alone
         calc M := [N]
         modes M
         0s   N reading 1
         1s   T reading 82
         100s N reading 0
         101s T reading 95 at 5s
         103s timeout             => T.high raised 8s since 5s; announce T.high",
    );
    // Taken along by a limit that no mode changes, it begins no later than that one.
    check(
        "tag T temperature, high 80, on-delay 3s, mode 1 limit 120, high-high 95, on-delay 1s
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 70
         17s T reading 96 at 14s
         17s N reading 0 at 16s
         18s timeout              => T.high raised 15s since 14s; announce T.high; T.high-high raised 15s since 14s; announce T.high-high",
    );
}

#[test]
fn a_delay_of_a_tag_without_data_goes_on_by_the_new_mode() {
    // A shorter one, a longer one, and bad data in between.
    check(
        "tag T temperature, high 80, on-delay 60s, mode 1 limit 80 delay 20s
         tag N level
         calc M := [N]
         modes M
         0s  N reading 0
         1s  T reading 85
         5s  T null
         10s N reading 1
         30s timeout          => T.high raised 21s since 1s; announce T.high",
    );
    check(
        "tag T temperature, stale 5s, high 80, on-delay 20s, mode 1 limit 80 delay 60s
         tag N level
         calc M := [N]
         modes M
         0s  N reading 0
         1s  T reading 85
         10s N reading 1      => T.stale raised 6s; announce T.stale
         30s timeout
         62s timeout          => T.high raised 61s since 1s; announce T.high",
    );
}

#[test]
fn a_delay_that_the_new_mode_cuts_below_what_has_run_ends_when_the_mode_begins_and_not_before_it() {
    let scenario = |then: &str| {
        format!(
            "tag T temperature, high 80, on-delay 60s, mode 1 limit 80 delay 20s
             tag N level
             calc M := [N]
             modes M
             0s  N reading 0
             1s  T reading 85
             {then}"
        )
    };
    check(&scenario(
        "5s  T null
         40s N reading 1
         45s timeout          => T.high raised 40s since 1s; announce T.high",
    ));
    // With good data, and where a reading proves it before the clock does.
    check(&scenario(
        "40s N reading 1
         45s timeout          => T.high raised 40s since 1s; announce T.high",
    ));
    check(&scenario(
        "40s N reading 1
         40s T reading 85     => T.high raised 40s since 1s; announce T.high",
    ));
    // Through a restart.
    check(&scenario(
        "5s  T null
         40s N reading 1
         40s restart
         41s link up
         42s drained          => T.high raised 40s since 1s; announce T.high",
    ));
}

#[test]
fn a_mode_can_switch_an_alarm_off_and_it_is_told_when_the_mode_ends() {
    check(
        "tag F temperature, low 20, mode 2 off
         tag N level
         calc M := [N]
         modes M
         0s  N reading 2
         1s  F reading 5      => F.low raised 1s suppressed
         5s  N reading 0      => announce F.low",
    );
}

#[test]
fn a_mode_survives_a_restart_even_when_the_checkpoint_is_lost() {
    check(
        "tag T temperature, high 80, mode 1 limit 120
         tag N level
         calc M := [N]
         modes M
         0s  N reading 0
         5s  N reading 1
         10s restart lossy
         10s link up
         10s drained
         11s T reading 90
         12s T reading 125    => T.high raised 12s; announce T.high",
    );
}

#[test]
fn a_latched_alarm_that_was_suppressed_is_told_when_the_suppression_ends() {
    check(
        "tag T temperature, high 80, latching, suppressed-by S
         tag K switch
         calc S truth := [K]
         0s  K reading 1
         1s  T reading 85     => T.high raised 1s suppressed
         2s  T reading 50     => T.high returned-latched 2s
         3s  K reading 0      => announce T.high",
    );
}

#[test]
fn nobody_can_send_a_reading_of_a_calculated_tag() {
    check(
        "tag A temperature
         calc D high 5 := [A] * 1
         0s  A reading 1
         1s  D reading 90
         2s  A reading 6      => D.high raised 2s; announce D.high
         3s  D reading 0",
    );
}

#[test]
fn readings_of_other_tags_that_repeat_change_nothing() {
    check(
        "tag A,B temperature
         calc D deviation 5 := abs([A] - [B])
         0s  A reading 50
         1s  B reading 60     => D.deviation raised 1s; announce D.deviation
         2s  B reading 60 at 1s
         3s  A reading 50 at 0s
         4s  restart lossy
         4s  link up
         5s  A reading 50 at 0s
         5s  B reading 60 at 1s
         6s  drained",
    );
}

#[test]
fn a_late_reading_is_judged_by_the_mode_of_its_own_time() {
    // 32 was beyond the limit of the mode of then and is not beyond that of now: it raises, and is no evidence of now.
    check(
        "tag T temperature, high 45, mode 1 limit 30
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 32 at 5s   => T.high raised 5s; announce T.high
         12s T reading 20 at 6s   => T.high returned 6s",
    );
    // The other way round: not beyond the limit of then, but it lasted into the mode of now.
    check(
        "tag T temperature, high 45, mode 1 limit 60
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 50 at 5s   => T.high raised 10s; announce T.high",
    );
    // A wait by the limits of then ends with their mode, unless it had run out in it.
    check(
        "tag T temperature, high 45, on-delay 10s, mode 1 limit 30
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 32 at 5s
         30s timeout",
    );
    check(
        "tag T temperature, high 45, on-delay 10s, mode 1 limit 30 delay 3s
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 32 at 5s
         30s timeout              => T.high raised 8s since 5s; announce T.high",
    );
    // A straggler: older than the newest, and beyond the limit of then alone.
    check(
        "tag T temperature, high 45, mode 1 limit 30
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 20
         12s T reading 32 at 5s
         13s T reading 20         => late-exceedance T.high 5s",
    );
}

#[test]
fn a_backlog_of_before_a_mode_raises_nothing_by_the_limits_of_now() {
    // Stopped, 5 was proper; the pump runs again, and what was measured before arrives late.
    check(
        "tag T temperature, alone, low 10, mode 1 limit -100
         tag N level, alone
         calc M := [N]
         modes M
         0s   N reading 1
         1s   T reading 20
         100s N reading 0
         101s T reading 5 at 30s
         102s T reading 20 at 31s
         103s T reading 5 at 32s
         104s T reading 5          => T.low raised 104s; announce T.low",
    );
    // What came in time raises once, and what was measured before it was raised does not return it.
    check(
        "tag T temperature, low 10, mode 1 limit -100
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 20
         10s N reading 0
         11s T reading 5 at 7s     => T.low raised 10s; announce T.low
         11s T reading 20 at 8s
         11s T reading 5 at 9s
         12s T reading 20          => T.low returned 12s",
    );
}
