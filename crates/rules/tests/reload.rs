//! Another configuration comes into force while alarms stand and delays run.
mod common;
use common::random::{Op, Run, calm_op, county, op};
use common::*;
use model::*;
use proptest::prelude::*;
use std::sync::Arc;
use watchfire_rules::{Input, Reload, Rules, StaleReload};

#[test]
fn a_standing_alarm_and_a_silence_clock_go_on() {
    check(
        "high 80, deadband 2, stale 15s
         0s   reading 81                              => high raised 0s; announce high
         5s   reload high 80, deadband 5, stale 15s
         6s   reading 77
         7s   reading 74                              => high returned 7s
         30s  timeout                                 => stale raised 22s; announce stale",
    );
}

#[test]
fn a_running_delay_goes_on_from_its_own_beginning() {
    check(
        "high 80, on-delay 30s
         0s   reading 81
         10s  reload high 80, on-delay 20s
         19s  timeout
         20s  timeout                                 => high raised 20s since 0s; announce high",
    );
    check(
        "high 80, on-delay 30s
         0s   reading 81
         10s  reload high 80, on-delay 60s
         35s  reading 81
         61s  timeout                                 => high raised 60s since 0s; announce high",
    );
}

#[test]
fn a_delay_cut_below_what_has_run_ends_at_the_change_and_not_before_it() {
    check(
        "high 80, on-delay 30s
         0s   reading 81
         10s  reload high 80, on-delay 5s             => high raised 10s since 0s; announce high",
    );
    // Bad data do not stop it either.
    check(
        "high 80, on-delay 30s
         0s   reading 81
         5s   null
         10s  reload high 80, on-delay 5s             => high raised 10s since 0s; announce high",
    );
}

#[test]
fn a_delay_ends_where_the_newest_value_is_within_the_new_limit() {
    check(
        "high 80, on-delay 30s
         0s   reading 81
         10s  reload high 85, on-delay 30s
         60s  timeout",
    );
    // A value that is not known to be good does not end it.
    check(
        "high 80, on-delay 30s
         0s   reading 81
         5s   uncertain 81
         10s  reload high 85, on-delay 30s
         60s  timeout                                 => high raised 30s since 0s; announce high",
    );
}

#[test]
fn a_limit_moved_onto_the_held_value_raises_at_once() {
    check(
        "high 80
         0s   reading 75
         10s  reload high 70                          => high raised 10s; announce high
         15s  reading 75
         20s  reading 60                              => high returned 20s",
    );
    check(
        "high 80
         0s   reading 75
         10s  reload high 70, on-delay 5s
         15s  timeout                                 => high raised 15s since 10s; announce high",
    );
    // What is known to be bad says nothing, and neither does the last value of a silent tag.
    check(
        "high 80
         0s   bad 75
         10s  reload high 70",
    );
    check(
        "high 80, stale 15s
         0s   reading 75
         20s  timeout                                 => stale raised 15s; announce stale
         30s  reload high 70, stale 15s",
    );
}

#[test]
fn a_limit_moved_away_ends_no_alarm_but_the_next_reading_does() {
    check(
        "high 80
         0s   reading 81                              => high raised 0s; announce high
         10s  reload high 90
         15s  timeout
         20s  reading 81                              => high returned 20s",
    );
}

#[test]
fn an_alarm_whose_limit_tag_or_service_is_gone_is_retired_where_people_see_it() {
    check(
        "high 80, high-high 90
         0s   reading 95                              => high raised 0s; announce high; high-high raised 0s; announce high-high
         5s   acknowledge high                        => high acknowledged
         10s  reload high 80                          => high-high retired",
    );
    check(
        "high 80
         0s   reading 81                              => high raised 0s; announce high
         10s  reload high 80, out-of-service          => high retired
         20s  reading 81
         30s  reload high 80                          => high raised 30s; announce high",
    );
    check(
        "tag T high 80
         tag U high 80
         0s   T,U reading 81                          => T.high raised 0s; announce T.high; U.high raised 0s; announce U.high
         10s  reload tag U high 80                    => T.high retired
         15s  U reading 70                            => U.high returned 15s",
    );
}

#[test]
fn a_tag_put_before_the_others_moves_no_state() {
    check(
        "tag T high 80, on-delay 10s
         tag U high 80, stale 30s
         0s   T,U reading 81                          => U.high raised 0s; announce U.high
         5s   reload tag A high 3; tag T high 80, on-delay 10s; tag U high 80, stale 30s
         6s   A reading 4                             => A.high raised 6s; announce A.high
         12s  timeout                                 => T.high raised 10s since 0s; announce T.high
         20s  restart
         20s  link up
         20s  drained
         21s  U reading 70                            => U.high returned 21s",
    );
}

#[test]
fn a_late_reading_is_judged_by_the_limits_of_its_time() {
    // Measured under 80, arrives under 90.
    check(
        "high 80
         0s   reading 70
         20s  reload high 90
         21s  reading 85 at 15s                       => high raised 15s; announce high
         25s  reading 85                              => high returned 25s",
    );
    // Measured under 90, arrives under 80.
    check(
        "high 90
         0s   reading 70
         20s  reload high 80
         21s  reading 85 at 15s
         22s  reading 85                              => high raised 22s; announce high",
    );
    // After a restart too.
    check(
        "high 80
         0s   reading 70
         20s  reload high 90
         21s  restart
         21s  link up
         21s  drained
         22s  reading 85 at 15s                       => high raised 15s; announce high",
    );
}

#[test]
fn a_straggler_is_held_against_the_limit_of_its_time() {
    check(
        "high-high 80
         0s    reading 70
         20s   reload high-high 90
         30s   reading 70
         31s   reading 85 at 15s
         35s   reading 70                             => late-exceedance high-high 15s opens-case",
    );
}

#[test]
fn a_condition_that_did_not_exist_then_says_nothing_of_then() {
    check(
        "low 10
         0s   reading 70
         20s  reload low 10, high 60, on-delay 60s
         21s  reading 65 at 15s
         22s  reading 65 at 22s
         23s  reading 5                               => low raised 23s; announce low",
    );
}

#[test]
fn a_lost_gateway_stays_lost_and_is_one_case() {
    check(
        "tag A,B,C,D stale 15s
         gateway 5s
         0s    all reading 50
         5s    all reading 50
         30s   timeout                                => A.stale raised 20s; B.stale raised 20s; C.stale raised 20s; D.stale raised 20s; ~GW.gateway-lost raised 20s; announce ~GW.gateway-lost [A B C D]
         40s   reload tag A,B,C,D stale 15s, high 80
         50s   timeout",
    );
}

#[test]
fn what_is_newly_calculated_from_quiet_tags_is_judged_from_then_on() {
    check(
        "tag A high 80
         tag B high 80
         0s   A,B reading 10
         1s   A,B reading 11
         5s   reload tag A high 80; tag B high 80; calc D deviation 5 := abs([A] - [B])
         6s   A reading 20                            => D.deviation raised 6s; announce D.deviation
         7s   reload tag A high 80; tag B high 80     => D.deviation retired",
    );
}

#[test]
fn a_tag_that_leaves_and_comes_back_gives_no_episode_a_name_of_before() {
    // The broker sends what it kept of it once more.
    check(
        "tag T high 80
         tag U high 80
         0s   T reading 81                            => T.high raised 0s; announce T.high
         5s   T reading 70                            => T.high returned 5s
         6s   T reading 81 at 0s
         10s  reload tag U high 80                    => T.high retired
         20s  reload tag T high 80; tag U high 80
         21s  T reading 81 at 0s                      => T.high raised 0s count 1; announce T.high
         22s  T reading 70                            => T.high returned 22s count 1
         30s  reload tag U high 80                    => T.high retired count 1
         31s  restart
         31s  link up
         31s  drained
         40s  reload tag T high 80; tag U high 80
         41s  T reading 81 at 0s                      => T.high raised 0s count 2; announce T.high",
    );
}

#[test]
fn a_condition_that_leaves_or_is_out_of_service_for_a_while_gives_no_episode_a_name_of_before() {
    // One reading, corrected by its gateway again and again, so that each episode begins at the same time as the one before.
    check(
        "high 80, low 10
         0s   reading 81                              => high raised 0s; announce high
         5s   reload low 10                           => high retired
         6s   restart
         6s   link up
         6s   drained
         7s   reading 70 at 0s
         10s  reload high 80, low 10
         11s  reading 82 at 0s                        => high raised 0s count 1; announce high
         15s  reload high 80, low 10, out-of-service  => high retired count 1
         16s  restart
         16s  link up
         16s  drained
         17s  reading 70 at 0s
         20s  reload high 80, low 10
         21s  reading 83 at 0s                        => high raised 0s count 2; announce high
         22s  reading 70 at 0s                        => high returned 0s count 2
         23s  reading 5 at 0s                         => low raised 0s; announce low",
    );
    // It leaves and comes back while the engine is down.
    check(
        "high 80
         0s   reading 81                              => high raised 0s; announce high
         5s   restart as low 10
         5s   link up                                 => high retired
         5s   drained
         6s   reading 70 at 0s
         10s  restart as high 80
         10s  link up
         10s  drained
         11s  reading 82 at 0s                        => high raised 0s count 1; announce high
         15s  restart as high 80, out-of-service
         15s  link up                                 => high retired count 1
         15s  drained
         16s  reading 70 at 0s
         20s  restart as high 80
         20s  link up
         20s  drained
         21s  reading 83 at 0s                        => high raised 0s count 2; announce high",
    );
    // Out, back and raised again in one moment.
    check(
        "high 80
         20s  reading 81                              => high raised 20s; announce high
         20s  reload low 10                           => high retired
         20s  reload high 80                          => high raised 20s count 1; announce high",
    );
}

#[test]
fn what_is_calculated_otherwise_is_judged_by_its_new_value_only() {
    // From bar to kPa, the limit with it; no input comes for a while.
    check(
        "tag A high 1000
         calc D high 5 := [A] / 10
         0s   A reading 40
         60s  reload tag A high 1000; calc D high 500 := [A] * 10
         90s  timeout
         91s  A reading 51                            => D.high raised 91s; announce D.high
         95s  reload tag A high 1000; calc D high 7 := [A] / 10
         96s  A reading 50                            => D.high returned 96s",
    );
    // Beyond by the new formula: told at the change, whenever its inputs last spoke.
    check(
        "tag A high 1000
         calc D high 5 := [A] / 10
         0s   A reading 40
         10m  reload tag A high 1000; calc D high 5 := [A] / 5    => D.high raised 600s; announce D.high
         11m  restart lossy
         11m  link up
         11m  drained
         660s A reading 20                            => D.high returned 660s",
    );
    // Nothing came of what it is calculated from now: it has no value.
    check(
        "tag A high 1000
         tag B high 1000
         calc D high 5 := [A] / 10
         0s   A reading 40
         60s  reload tag A high 1000; tag B high 1000; calc D high 3 := [B] / 10
         61s  A reading 40
         90s  B reading 40                            => D.high raised 90s; announce D.high",
    );
}

#[test]
fn what_is_calculated_from_what_is_calculated_otherwise_is_judged_by_its_new_value_only() {
    // From kPa to bar: neither the value nor the window of before is held against the limit in bar.
    check(
        "tag A high 1000
         calc P high 5000 := [A] * 10
         calc Q high 500 := mean([P], 60s)
         0s   A reading 40
         60s  A reading 40
         61s  reload tag A high 1000; calc P high 50 := [A] / 10; calc Q high 7 := mean([P], 60s)
         62s  A reading 40
         90s  A reading 40
         92s  A reading 900                           => P.high raised 92s; announce P.high
         121s A reading 900                           => Q.high raised 121s; announce Q.high",
    );
    // From bar to kPa: what the window held in bar keeps no alarm back.
    check(
        "tag A high 1000
         calc P high 50 := [A] / 10
         calc Q high 7 := mean([P], 60s)
         0s   A reading 40
         60s  A reading 40
         61s  reload tag A high 1000; calc P high 5000 := [A] * 10; calc Q high 300 := mean([P], 60s)
         95s  A reading 40                            => Q.high raised 95s; announce Q.high",
    );
    // Nothing of it is configured otherwise, and still it holds another value.
    check(
        "tag A high 1000
         calc P high 5000 := [A] * 10
         calc Q high 500 := [P] + 1
         0s   A reading 40
         10s  reload tag A high 1000; calc P high 5000 := [A] * 20; calc Q high 500 := [P] + 1 => Q.high raised 10s; announce Q.high
         11s  restart lossy
         11s  link up
         11s  drained
         12s  A reading 20                            => Q.high returned 12s",
    );
}

#[test]
fn a_mode_read_from_what_is_calculated_otherwise_is_known_before_anything_is_judged() {
    check(
        "tag T temperature, high 80, mode 1 limit 120
         tag N level
         calc X := [N]
         calc M := [X]
         modes M
         0s  N reading 1
         1s  T reading 100
         10s reload tag T temperature, high 80, mode 2 limit 120, mode 1 off; tag N level; calc X := [N] * 2; calc M := [X]; modes M
         11s T reading 121    => T.high raised 11s; announce T.high",
    );
}

#[test]
fn a_value_in_another_unit_is_held_against_no_limit() {
    // From bar to kPa, and the limit with it.
    check(
        "tag A unit bar, low 3
         calc D low 2 := [A] - 1
         0s   A reading 5
         10s  reload tag A unit kPa, low 300; calc D unit kPa, low 200 := [A] - 100
         11s  A reading 500
         12s  A reading 290   => A.low raised 12s; announce A.low; D.low raised 12s; announce D.low",
    );
    // The broker sends what it kept of before once more.
    check(
        "tag A unit kPa, high 900
         calc D high 900 := [A]
         0s   A reading 500
         10s  reload tag A unit bar, high 9; calc D unit bar, high 9 := [A]
         11s  A reading 500 at 0s",
    );
    // A step is between two values of one unit.
    check(
        "tag A unit bar, spike 10 within 20s
         0s   A reading 5
         5s   reload tag A unit kPa, spike 1000 within 20s
         6s   A reading 500
         10s  reload tag A unit kPa, spike 10 within 20s
         11s  A reading 520   => A.spike raised 11s; announce A.spike",
    );
    // It is silent and bad no sooner for it, through a restart too.
    check(
        "tag A unit bar, alone, stale 20s
         0s   A reading 5
         10s  reload tag A unit kPa, alone, stale 20s, bad-quality
         19s  timeout
         20s  timeout         => A.stale raised 20s; announce A.stale",
    );
    check(
        "tag A unit bar, alone, low 3
         0s   A reading 5
         9s   checkpoint
         10s  reload tag A unit kPa, alone, low 300
         11s  restart lossy
         11s  link up
         11s  drained
         12s  reload tag A unit kPa, alone, low 310
         13s  A reading 305   => A.low raised 13s; announce A.low",
    );
    // What stands goes on standing until a value of the new unit ends it.
    check(
        "tag A unit bar, high 8, on-delay 30s, high-high 9
         0s   A reading 9     => A.high raised 0s; announce A.high; A.high-high raised 0s; announce A.high-high
         10s  reload tag A unit kPa, high 800, on-delay 30s, high-high 900
         20s  A reading 700   => A.high returned 20s; A.high-high returned 20s",
    );
}

#[test]
fn a_delay_of_a_tag_that_is_calculated_otherwise_ends_where_the_new_value_is_within_the_limit() {
    check(
        "tag A high 1000
         calc D high 5, on-delay 60s := [A] / 10
         0s   A reading 60
         10s  reload tag A high 1000; calc D high 5, on-delay 60s := [A] / 20
         2m   timeout
         121s A reading 110
         125s reload tag A high 1000; calc D high 5, on-delay 60s := [A] / 10
         181s timeout                                 => D.high raised 181s since 121s; announce D.high",
    );
}

#[test]
fn a_new_condition_of_a_calculated_tag_is_judged_by_the_value_it_holds() {
    check(
        "tag A high 1000
         calc D low -1 := [A] / 10
         0s   A reading 60
         5m   reload tag A high 1000; calc D low -1, high 5 := [A] / 10 => D.high raised 300s; announce D.high",
    );
    // A window goes on: the mean of a minute is known at once.
    check(
        "tag A high 1000
         calc D low -1 := mean([A], 60s)
         0s   A reading 60
         60s  A reading 60
         61s  reload tag A high 1000; calc D low -1, high 5 := mean([A], 60s) => D.high raised 61s; announce D.high
         62s  A reading 60
         63s  reload tag A high 1000; calc D low -1, high 70 := mean([A], 60s)
         64s  A reading 60                            => D.high returned 64s",
    );
    check(
        "tag A,B switch
         calc V truth := vote(2, [A], [B])
         0s   A,B reading 1
         5m   reload tag A,B switch; calc V truth, voted 1 := vote(2, [A], [B]) => V.voted raised 300s; announce V.voted",
    );
}

#[test]
fn modes_are_read_as_the_new_configuration_numbers_them() {
    // Starting up was 1 and is 2; 1 is a mode in which the alarm is off.
    check(
        "tag T temperature, high 80, mode 1 limit 120, mode 2 off
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 100
         10s reload tag T temperature, high 80, mode 2 limit 120, mode 1 off; tag N level; calc M := [N] * 2; modes M
         11s T reading 110
         12s T reading 121    => T.high raised 12s; announce T.high",
    );
    // The mode that was off: nobody is told of what it holds back only because numbers moved.
    check(
        "tag T temperature, high 80, mode 1 off
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 100    => T.high raised 1s suppressed
         10s reload tag T temperature, high 80, mode 2 off; tag N level; calc M := [N] * 2; modes M
         20s N reading 0      => announce T.high",
    );
    // Another formula names another mode: what is beyond its limit is told at once, though the tag itself did not change.
    check(
        "tag T temperature, high 80, mode 1 limit 120
         tag N level
         calc M := [N]
         modes M
         0s  N reading 1
         1s  T reading 100
         10s reload tag T temperature, high 80, mode 1 limit 120; tag N level; calc M := [N] - 1; modes M => T.high raised 10s; announce T.high",
    );
}

fn one(setting: f64, version: &str) -> Arc<Plant> {
    let mut tag = tag("hx", "T", Signal::Level);
    tag.conditions.push(rule(Condition::High, setting));
    plant(vec![tag], &[], Duration::from_secs(5), version)
}

fn at(secs: i64) -> Timestamp {
    ZERO + Duration::from_secs(secs)
}

fn read(rules: &mut Rules, plant: &Plant, value: f64, source: i64, now: i64) -> Vec<(RuleVersion, Option<f64>)> {
    let tag = plant.find_tag("hx", "T").expect("configured");
    let reading = Reading { tag, source_time: at(source), receive_time: at(now), value, quality: Quality::Good, sequence: None };
    let mut out = Vec::new();
    rules.step(&Input::Reading(reading), at(now), &mut out);
    let of = |effect: &AlarmEffect| match effect {
        AlarmEffect::Transition(transition) => Some((transition.rules.clone(), transition.setpoint)),
        _ => None,
    };
    out.iter().filter_map(of).collect()
}

#[test]
fn a_transition_names_the_version_that_judged() {
    let (one_, two) = (one(80.0, "r1"), one(90.0, "r2"));
    let mut rules = Rules::new(Arc::clone(&one_), ZERO);
    assert_eq!(read(&mut rules, &one_, 70.0, 0, 0), []);
    rules.reload(Reload::prepare(&one_, Arc::clone(&two)), at(20), &mut Vec::new()).expect("prepared from what is in force");
    assert_eq!(read(&mut rules, &two, 85.0, 15, 21), [("r1".into(), Some(80.0))]);
    assert_eq!(read(&mut rules, &two, 85.0, 22, 22), [("r2".into(), Some(90.0))]);
}

#[test]
fn a_change_prepared_from_another_configuration_is_refused_and_changes_nothing() {
    let (one_, two, three) = (one(80.0, "r1"), one(90.0, "r2"), one(95.0, "r3"));
    let mut rules = Rules::new(Arc::clone(&one_), ZERO);
    let stale = Reload::prepare(&one_, three);
    rules.reload(Reload::prepare(&one_, Arc::clone(&two)), at(1), &mut Vec::new()).expect("prepared from what is in force");
    assert_eq!(rules.reload(stale, at(2), &mut Vec::new()).err(), Some(StaleReload));
    assert_eq!(read(&mut rules, &two, 92.0, 3, 3), [("r2".into(), Some(90.0))]);
}

/// Takes another configuration into force, its rows written before where `ahead`, and commits.
fn change(rules: &mut Rules, store: &mut Store, from: &Arc<Plant>, to: &Arc<Plant>, now: i64, ahead: Option<u64>) {
    let mut reload = Reload::prepare(from, Arc::clone(to));
    store.hard.extend(ahead.into_iter().flat_map(|number| reload.rows(number)));
    rules.reload(reload, at(now), &mut Vec::new()).expect("prepared from what is in force");
    store.commit(rules);
}

fn restart(store: &Store, plant: &Arc<Plant>, now: i64) -> Rules {
    let mut rules = store.restore(plant, at(now));
    for input in [Input::Link { up: true }, Input::Drained] {
        rules.step(&input, at(now), &mut Vec::new());
    }
    rules
}

fn former_rows(store: &Store) -> Vec<&String> {
    store.hard.keys().filter(|key| key.starts_with("rules/changes")).collect()
}

#[test]
fn former_rules_are_bounded_and_their_rows_with_them() {
    let mut plant = one(80.0, "r0");
    let mut rules = Rules::new(Arc::clone(&plant), ZERO);
    let mut store = Store::default();
    let rounds = bounds::FORMER_CHANGES_MAX as i64 + 3;
    for round in 1..=rounds {
        let next = one(80.0 + round as f64, &format!("r{round}"));
        change(&mut rules, &mut store, &plant, &next, round, (round % 2 == 0).then_some(round as u64 * 10_000_000));
        plant = next;
    }
    let list: Vec<serde_json::Value> = serde_json::from_slice(&store.hard["rules/changes"]).expect("our own row");
    assert_eq!(list.len(), bounds::FORMER_CHANGES_MAX);
    assert_eq!(former_rows(&store).len(), 1 + bounds::FORMER_CHANGES_MAX, "a row each and one that lists them");
    // The oldest known says what was in force before it.
    assert_eq!(read(&mut rules, &plant, 1_000.0, 0, rounds + 1), [("r3".into(), Some(83.0))]);
}

#[test]
fn rows_written_before_a_change_are_nothing_without_it_and_everything_with_it() {
    let (one_, two, three) = (one(80.0, "r1"), one(90.0, "r2"), one(95.0, "r3"));
    let mut rules = Rules::new(Arc::clone(&one_), ZERO);
    let mut store = Store::default();
    store.commit(&mut rules);
    store.hard.extend(Reload::prepare(&one_, Arc::clone(&two)).rows(7));
    let mut restarted = restart(&store, &one_, 5);
    store.commit(&mut restarted);
    assert_eq!(former_rows(&store), Vec::<&String>::new(), "it never came, and its rows go");
    assert_eq!(read(&mut restarted, &one_, 85.0, 4, 6), [("r1".into(), Some(80.0))]);

    let mut rules = restart(&store, &one_, 5);
    change(&mut rules, &mut store, &one_, &two, 10, Some(8));
    change(&mut rules, &mut store, &two, &three, 20, Some(9));
    for (value, source, judged) in [(85.0, 8, ("r1", 80.0)), (91.0, 15, ("r2", 90.0)), (96.0, 25, ("r3", 95.0))] {
        let mut restarted = restart(&store, &three, 25);
        assert_eq!(read(&mut restarted, &three, value, source, 30), [(judged.0.into(), Some(judged.1))], "of {source}");
    }
}

#[test]
fn what_was_in_force_for_a_tag_that_left_is_nothing_to_one_that_comes_by_its_name() {
    let (one_, two, none) = (one(80.0, "r1"), one(90.0, "r2"), plant(Vec::new(), &[], Duration::from_secs(5), "none"));
    let mut store = Store::default();
    let mut rules = Rules::new(Arc::clone(&one_), ZERO);
    for (from, to, now) in [(&one_, &two, 10), (&two, &none, 20), (&none, &two, 30)] {
        change(&mut rules, &mut store, from, to, now, Some(now as u64));
    }
    let mut restarted = restart(&store, &two, 35);
    for rules in [&mut rules, &mut restarted] {
        assert_eq!(read(rules, &two, 85.0, 5, 40), [], "it is judged by what is in force now");
    }
}

#[test]
fn a_start_without_a_tag_forgets_what_was_in_force_for_it() {
    let (one_, two, none) = (one(80.0, "r1"), one(90.0, "r2"), plant(Vec::new(), &[], Duration::from_secs(5), "none"));
    let mut store = Store::default();
    let mut rules = Rules::new(Arc::clone(&one_), ZERO);
    change(&mut rules, &mut store, &one_, &two, 10, Some(10));
    let mut rules = restart(&store, &none, 20);
    store.commit(&mut rules);
    change(&mut rules, &mut store, &none, &two, 30, Some(30));
    let mut restarted = restart(&store, &two, 35);
    for rules in [&mut rules, &mut restarted] {
        assert_eq!(read(rules, &two, 85.0, 5, 40), [], "it is judged by what is in force now");
    }
}

#[test]
fn other_words_beside_a_limit_are_no_other_limit() {
    let worded = |words: &str, version: &str| {
        let mut plant = Plant::clone(&one(80.0, version));
        let rule = plant.tags.iter_mut().find(|tag| tag.signal == Signal::Level).and_then(|tag| tag.conditions.first_mut());
        rule.expect("there").rationale =
            Some(Arc::new(model::plant::Rationale { cause: words.to_owned(), ..model::plant::Rationale::default() }));
        Arc::new(plant)
    };
    let mut store = Store::default();
    let (from, to) = (worded("泵", "r1"), worded("阀", "r1"));
    let mut rules = Rules::new(Arc::clone(&from), ZERO);
    change(&mut rules, &mut store, &from, &to, 10, None);
    assert_eq!(former_rows(&store), Vec::<&String>::new());
}

#[test]
fn a_change_of_many_limits_writes_nothing_of_tags_that_have_nothing_to_tell() {
    let county = |high: f64, version: &str| {
        let tags = (0..1_200).map(|at| {
            let mut tag = tag("hx", &format!("T{at:04}"), Signal::Level);
            tag.conditions.push(rule(Condition::High, high));
            tag
        });
        plant(tags.collect(), &[], Duration::from_secs(5), version)
    };
    let (from, to) = (county(80.0, "r1"), county(90.0, "r2"));
    let mut rules = Rules::new(Arc::clone(&from), ZERO);
    let mut store = Store::default();
    for (name, tag) in from.tags.iter().zip((0..).map(TagIndex)).filter(|(tag, _)| tag.signal == Signal::Level) {
        let value = if &*name.id.tag == "T0007" { 85.0 } else { 50.0 };
        let reading = Reading { tag, source_time: at(1), receive_time: at(1), value, quality: Quality::Good, sequence: None };
        rules.step(&Input::Reading(reading), at(1), &mut Vec::new());
    }
    store.commit(&mut rules);
    let mut reload = Reload::prepare(&from, Arc::clone(&to));
    assert_eq!(reload.rows(1).len(), 5, "parts of at most 250 tags");
    rules.reload(reload, at(2), &mut Vec::new()).expect("prepared from what is in force");
    let mut rows = Vec::new();
    rules.drain_changed(&mut rows);
    let keys: Vec<_> = rows.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["rules/tag/hx/T0007", "rules/changes"], "the alarm that stands, and that the change was made");
}

#[test]
fn a_suppression_that_left_the_configuration_suppresses_no_more() {
    let county = |by: &str| {
        set_up(&format!(
            "tag F temperature, low 20{by}
             tag K switch
             calc S truth := not [K]"
        ))
    };
    let (from, to) = (county(", suppressed-by S"), county(""));
    let mut rules = Rules::new(Arc::clone(&from), ZERO);
    let send = |rules: &mut Rules, name: &str, value: f64, now: i64| {
        let tag = from.find_tag("hx", name).expect("configured");
        let reading = Reading { tag, source_time: at(now), receive_time: at(now), value, quality: Quality::Good, sequence: None };
        let mut out = Vec::new();
        rules.step(&Input::Reading(reading), at(now), &mut out);
        out.iter().map(|effect| describe(effect, true)).collect::<Vec<_>>()
    };
    send(&mut rules, "K", 0.0, 1);
    send(&mut rules, "F", 50.0, 2);
    rules.reload(Reload::prepare(&from, Arc::clone(&to)), at(3), &mut Vec::new()).expect("prepared from what is in force");
    assert_eq!(send(&mut rules, "F", 15.0, 4), ["F.low raised 4s", "announce F.low"]);
}

/// A plant of one tag behind a gateway of this name.
fn behind(gateway: &str, high: f64) -> Arc<Plant> {
    let mut plant = Plant::clone(&set_up(&format!("high {high}, every 10m, stale 20m")));
    plant.gateways[0].id = gateway.into();
    let own = plant.gateways[0].tag;
    plant.tags[own.at()].id = TagId::new("hx", format!("~{gateway}"));
    Arc::new(plant)
}

#[test]
fn a_tag_that_moves_to_another_gateway_is_known_after_a_restart() {
    let from = behind("GW", 80.0);
    for to in [behind("GX", 80.0), behind("GX", 90.0)] {
        let mut store = Store::default();
        let mut rules = Rules::new(Arc::clone(&from), ZERO);
        read(&mut rules, &from, 50.0, 1, 1);
        store.commit(&mut rules);
        store.checkpoint(&mut rules);
        change(&mut rules, &mut store, &from, &to, 2, None);
        store.checkpoint(&mut rules);
        for without_checkpoint in [false, true] {
            let mut store = store.clone();
            if without_checkpoint {
                store.soft.clear();
            }
            let mut restarted = restart(&store, &to, 3);
            let mut said = Vec::new();
            serve(&mut restarted, at(7_200), &mut said);
            let silent = said.iter().map(|effect| describe(effect, true)).any(|said| said.starts_with("T.stale raised"));
            assert!(silent, "nobody hears it, and nobody says so: {said:?}");
        }
    }
}

/// What a run said and wrote; with a reload of the very same configuration after some of its steps.
fn history(ops: &[Op], reload_every: Option<usize>) -> Vec<String> {
    let mut run = Run::new();
    for (at, op) in ops.iter().enumerate() {
        run.apply(op);
        if reload_every.is_some_and(|every| at % every == 0) {
            let to = Arc::new(Plant::clone(&run.plant));
            run.rules
                .reload(Reload::prepare(&run.plant, Arc::clone(&to)), run.now, &mut run.effects)
                .expect("prepared from what is in force");
            run.plant = to;
        }
    }
    run.store.checkpoint(&mut run.rules);
    let rows = run.store.hard.iter().chain(&run.store.soft).map(|(key, bytes)| format!("{key}: {}", String::from_utf8_lossy(bytes)));
    run.effects.iter().map(|effect| format!("{effect:?}")).chain(rows).collect()
}

/// The county with limits moved, delays changed, conditions and tags gone.
fn another_county(by: u8) -> Arc<Plant> {
    let mut tags: Vec<_> =
        county().tags.iter().filter(|tag| tag.id.enterprise.as_str() == "hx" && tag.signal != Signal::Gateway).cloned().collect();
    for (at, tag) in tags.iter_mut().enumerate() {
        tag.gateway = None;
        tag.in_service = (usize::from(by) + at) % 9 != 0;
        let drop = usize::from(by / 3) + at;
        let kept = tag.conditions.len();
        if drop % 4 == 0 {
            tag.conditions.remove(drop % kept);
        }
        for rule in &mut tag.conditions {
            rule.setpoint += f64::from(by % 5) - 2.0;
            rule.on_delay = Duration::from_secs(i64::from(by % 13));
        }
    }
    if by.is_multiple_of(6) {
        tags.remove(usize::from(by) % tags.len());
    }
    plant(tags, &[], Duration::from_secs(5), "r2")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reloading_the_same_rules_in_the_middle_of_anything_changes_nothing(ops in prop::collection::vec(op(), 1..80), every in 1..6_usize) {
        prop_assert_eq!(history(&ops, Some(every)), history(&ops, None));
    }

    /// A change leaves tags unopened that have nothing to tell: the same as if each had been looked at.
    #[test]
    fn a_change_says_the_same_looked_at_closely(ops in prop::collection::vec(calm_op(), 1..80), every in 3..20_usize, by in any::<u8>()) {
        // With all its tags.
        let another = |by: u8| another_county(if by.is_multiple_of(6) { by + 1 } else { by });
        let go = |closely: bool| {
            let mut run = Run::of(another(by));
            if closely {
                run.rules.look_closely();
            }
            for (at, op) in ops.iter().enumerate() {
                // A value that was looked at is written down at once, so a crash would tell the two apart.
                run.apply(if let Op::Restart { .. } = op { &Op::Restart { lossy: false } } else { op });
                if at % every == 0 {
                    let to = another(by.wrapping_add(at as u8));
                    run.rules
                        .reload(Reload::prepare(&run.plant, Arc::clone(&to)), run.now, &mut run.effects)
                        .expect("prepared from what is in force");
                    run.plant = to;
                }
            }
            run.store.commit(&mut run.rules);
            let alarms: Vec<_> = run.rules.alarms().map(|view| AlarmViewed::of(&view)).collect();
            let delays: Vec<_> = run.rules.delays().collect();
            format!("{:#?}\n{alarms:#?}\n{delays:#?}", run.effects)
        };
        prop_assert_eq!(go(true), go(false));
    }

    #[test]
    fn whatever_changes_no_standing_alarm_ends_in_silence_and_the_rows_tell_all(ops in prop::collection::vec(op(), 1..60), by in any::<u8>()) {
        let mut run = Run::new();
        ops.iter().for_each(|op| run.apply(op));
        let before: Vec<_> = run.rules.alarms().collect();
        let to = another_county(by);
        let mut said = Vec::new();
        run.rules.reload(Reload::prepare(&run.plant, Arc::clone(&to)), run.now, &mut said).expect("prepared from what is in force");
        for view in &before {
            let after = run.rules.alarm(&view.alarm);
            let stands = after.is_some_and(|after| after.state == view.state && after.episode == view.episode);
            let told = said.iter().any(|effect| matches!(effect, AlarmEffect::Transition(transition) if transition.key.alarm == view.alarm));
            prop_assert!(stands || told, "{:?} is gone without a word", view);
        }
        prop_assert!(said.iter().all(|effect| !matches!(effect, AlarmEffect::Transition(transition) if transition.change == Change::Returned)));
        // What a restart would make of the rows is what runs.
        run.store.commit(&mut run.rules);
        run.store.checkpoint(&mut run.rules);
        let restored = run.store.restore(&to, run.now);
        let alarms = |rules: &Rules| rules.alarms().map(|view| AlarmViewed::of(&view)).collect::<Vec<_>>();
        prop_assert_eq!(alarms(&restored), alarms(&run.rules));
        prop_assert_eq!(restored.delays().collect::<Vec<_>>(), run.rules.delays().collect::<Vec<_>>());
    }
}

/// What of an alarm a restart keeps.
#[derive(Debug, PartialEq)]
struct AlarmViewed(AlarmId, AlarmState, Option<Episode>, Option<f64>, bool);

impl AlarmViewed {
    fn of(view: &watchfire_rules::AlarmView) -> Self {
        Self(view.alarm.clone(), view.state, view.episode, view.setpoint, view.unannounced)
    }
}
