//! What a restart keeps, and that it says nothing by itself.
mod common;
use common::*;
use model::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use watchfire_rules::{Input, Reload, Rules};

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

#[test]
fn an_alarm_whose_stored_state_contradicts_itself_is_faulted_and_the_others_run_on() {
    let mut made = tag("hx", "T", Signal::Level);
    made.conditions = vec![rule(Condition::Low, 20.0), rule(Condition::High, 80.0)].into();
    let plant = plant(vec![made], &[], Duration::from_secs(5), "r1");
    let index = plant.find_tag("hx", "T").expect("the tag");
    let reading = |secs: i64, value: f64| {
        let time = ZERO + Duration::from_secs(secs);
        Input::Reading(Reading { tag: index, source_time: time, receive_time: time, value, quality: Quality::Good, sequence: None })
    };
    let mut rules = Rules::new(Arc::clone(&plant), ZERO);
    let mut out = Vec::new();
    rules.step(&reading(0, 85.0), ZERO, &mut out);
    let mut store = Store::default();
    store.commit(&mut rules);
    let row = store.hard.get_mut("rules/tag/hx/T").expect("a row");
    let mut value: serde_json::Value = serde_json::from_slice(row).expect("JSON");
    value["slots"]["high"].as_object_mut().expect("an object").remove("episode");
    *row = serde_json::to_vec(&value).expect("JSON");

    let mut rules = store.restore(&plant, ZERO);
    let mut say = |input: Input<'_>, secs: i64| {
        let mut out = Vec::new();
        rules.step(&input, ZERO + Duration::from_secs(secs), &mut out);
        out.iter().map(|effect| describe(effect, false)).collect::<Vec<_>>()
    };
    assert_eq!(say(Input::Timeout, 1), ["recovery.system raised 1s", "announce recovery.system", "high faulted"]);
    assert_eq!(say(reading(5, 10.0), 5), ["low raised 5s", "announce low"]);
    let faulted = EpisodeRef {
        alarm: AlarmId { tag: TagId::new("hx", "T"), condition: Condition::High },
        episode: Episode { since: ZERO + Duration::from_secs(1), count: 0 },
    };
    assert_eq!(say(Input::Act(&act(1, false, faulted)), 6), ["recovery.system returned 6s", "high acknowledged"]);
    assert_eq!(say(reading(10, 85.0), 10), ["low returned 10s", "high raised 10s", "announce high"]);
}

#[test]
fn an_alarm_that_left_the_configuration_while_it_stood_is_retired() {
    let made = |limit: Option<f64>| {
        let mut made = tag("hx", "T", Signal::Level);
        made.conditions = limit.map(|limit| rule(Condition::High, limit)).into_iter().chain([rule(Condition::Low, 20.0)]).collect();
        plant(vec![made], &[], Duration::from_secs(5), "r2")
    };
    let before = made(Some(80.0));
    let index = before.find_tag("hx", "T").expect("the tag");
    let reading = Reading { tag: index, source_time: ZERO, receive_time: ZERO, value: 85.0, quality: Quality::Good, sequence: None };
    let mut rules = Rules::new(Arc::clone(&before), ZERO);
    let mut out = Vec::new();
    rules.step(&Input::Reading(reading), ZERO, &mut out);
    let mut store = Store::default();
    store.commit(&mut rules);

    // The limit is gone.
    let mut rules = store.restore(&made(None), ZERO);
    out.clear();
    rules.step(&Input::Timeout, ZERO, &mut out);
    assert_eq!(out.iter().map(|effect| describe(effect, false)).collect::<Vec<_>>(), ["high retired"]);
    let AlarmEffect::Transition(retired) = &out[0] else { panic!("a transition") };
    assert_eq!((retired.key.step, retired.from, retired.to), (1, AlarmState::Unacknowledged, AlarmState::Normal));
    let mut kept = store.clone();
    kept.commit(&mut rules);
    let mut rules = kept.restore(&before, ZERO);
    out.clear();
    rules.step(&Input::Timeout, ZERO, &mut out);
    assert!(out.is_empty() && rules.alarms().next().is_none(), "retired once and for all");

    // The whole tag is gone, and its row with it.
    let other = plant(vec![tag("hx", "X", Signal::Level)], &[], Duration::from_secs(5), "r3");
    let mut rules = store.restore(&other, ZERO);
    out.clear();
    rules.step(&Input::Timeout, ZERO, &mut out);
    assert_eq!(out.iter().map(|effect| describe(effect, true)).collect::<Vec<_>>(), ["T.high retired"]);
    store.commit(&mut rules);
    assert!(!store.hard.contains_key("rules/tag/hx/T"));
}

#[test]
fn a_damaged_row_is_named() {
    let plant = plant(vec![tag("hx", "T", Signal::Level)], &[], Duration::from_secs(5), "r1");
    let rows = [("rules/tag/hx/T".to_owned(), b"{".to_vec()), ("cases/whatever".to_owned(), b"not ours".to_vec())];
    let error = Rules::restore(plant, &rows, &[], ZERO).expect_err("it cannot be read");
    assert_eq!(error.key, "rules/tag/hx/T");
}

#[test]
fn the_newer_of_change_and_checkpoint_counts() {
    check(
        "high 80
         0s   reading 50
         1s   checkpoint
         5s   reading 81      => high raised 5s; announce high
         10s  reading 70      => high returned 10s
         11s  restart lossy
         11s  link up
         12s  reading 81 at 5s
         12s  drained
         15s  reading 70",
    );
}

#[test]
fn a_silence_clock_newer_than_the_checkpoint_is_not_ahead_of_it() {
    check(
        "high 80, stale 15s, every 1s
         0s    reading 50
         1s    checkpoint
         14s   reading 81     => high raised 14s; announce high
         14s   restart lossy
         100s  link up
         100s  drained
         114s  timeout
         115s  timeout        => stale raised 115s; announce stale",
    );
}

#[test]
fn a_sensor_that_fell_silent_is_still_stale_when_the_engine_restarts_every_20_s() {
    let mut history = String::from("tag A,B every 10s, stale 30s\n gateway 10s\n 0s all reading 50\n");
    for start in (5..300).step_by(20) {
        let stale = if start == 45 { "=> A.stale raised 60s; announce A.stale" } else { "" };
        history.push_str(&format!(
            " {start}s restart\n {}s link up\n {}s drained\n {}s B reading 50 {stale}\n",
            start + 1,
            start + 2,
            start + 19
        ));
    }
    check(&history);
}

#[test]
fn a_checkpoint_from_before_granted_time_and_meaning_were_kept_can_be_read() {
    let plant = plant(vec![tag("hx", "T", Signal::Level)], &[], Duration::from_secs(5), "r1");
    let tag = plant.find_tag("hx", "T").expect("the tag");
    let mut rules = Rules::new(Arc::clone(&plant), ZERO);
    let reading = Reading { tag, source_time: ZERO, receive_time: ZERO, value: 85.0, quality: Quality::Good, sequence: None };
    rules.step(&Input::Reading(reading), ZERO, &mut Vec::new());
    let mut store = Store::default();
    store.checkpoint(&mut rules);
    let row = store.soft.get_mut("rules/soft/gateway/hx/GW").expect("a row");
    let mut value: serde_json::Value = serde_json::from_slice(row).expect("JSON");
    let row = value["tags"]["hx/T"].as_array_mut().expect("an array");
    assert!(row.pop().is_some_and(|meaning| meaning != serde_json::json!(0)));
    assert_eq!(row.pop(), Some(serde_json::json!(0)));
    store.soft.insert("rules/soft/gateway/hx/GW".to_owned(), serde_json::to_vec(&value).expect("JSON"));
    assert_eq!(store.restore(&plant, ZERO).newest(tag).and_then(|newest| newest.value), Some(85.0));
}

#[test]
fn rows_whose_revision_counts_readings_are_read_and_outnumbered() {
    let plant = plant(vec![tag("hx", "T", Signal::Level)], &[], Duration::from_secs(5), "r1");
    let tag = plant.find_tag("hx", "T").expect("the tag");
    let mut rules = Rules::new(Arc::clone(&plant), ZERO);
    let mut store = Store::default();
    let reading = |after: i64, value: f64| {
        let now = ZERO + Duration::from_secs(after);
        Reading { tag, source_time: now, receive_time: now, value, quality: Quality::Good, sequence: None }
    };
    rules.step(&Input::Reading(reading(0, 50.0)), ZERO, &mut Vec::new());
    store.checkpoint(&mut rules);
    let row = store.soft.get_mut("rules/soft/gateway/hx/GW").expect("a row");
    let mut value: serde_json::Value = serde_json::from_slice(row).expect("JSON");
    value["tags"]["hx/T"][0] = 1_000_000.into();
    *row = serde_json::to_vec(&value).expect("JSON");

    let mut rules = store.restore(&plant, ZERO);
    rules.step(&Input::Link { up: true }, ZERO, &mut Vec::new());
    rules.step(&Input::Reading(reading(1, 51.0)), ZERO + Duration::from_secs(1), &mut Vec::new());
    store.checkpoint(&mut rules);
    let value: serde_json::Value = serde_json::from_slice(&store.soft["rules/soft/gateway/hx/GW"]).expect("JSON");
    assert!(value["tags"]["hx/T"][0].as_u64() > Some(1_000_000), "{value}");
    assert_eq!(store.restore(&plant, ZERO).newest(tag).and_then(|newest| newest.value), Some(51.0));
}

#[test]
fn a_start_on_another_formula_takes_up_no_value_and_no_window_of_the_one_before() {
    // Starting up was 1 and is 2; 1 is a mode in which the alarm is off.
    check(
        "tag T temperature, high 80, mode 1 limit 120, mode 2 off
         tag N level
         calc X := [N]
         calc M := [X]
         modes M
         0s  N reading 1
         1s  T reading 100
         10s restart as tag T temperature, high 80, mode 2 limit 120, mode 1 off; tag N level; calc X := [N] * 2; calc M := [X]; modes M
         10s link up
         10s drained
         11s T reading 121    => T.high raised 11s; announce T.high",
    );
    // From kPa to bar: the mean of a minute holds none of what came in kPa, be it in the row of a change or in the checkpoint.
    check(
        "tag A high 1000
         calc P high 5000 := [A] * 10
         calc Q high 500, low 50 := mean([P], 60s)
         0s   A reading 40
         60s  A reading 40
         61s  restart as tag A high 1000; calc P high 50 := [A] / 10; calc Q high 7, low 1 := mean([P], 60s)
         61s  link up
         61s  drained
         62s  A reading 40
         95s  A reading 40",
    );
    check(
        "tag A high 1000
         calc P high 5000 := [A] * 10
         calc Q high 300, low 50 := mean([P], 60s)
         0s   A reading 40
         60s  A reading 40                            => Q.high raised 60s; announce Q.high
         61s  restart as tag A high 1000; calc P high 50 := [A] / 10; calc Q high 300, low 1 := mean([P], 60s)
         61s  link up
         61s  drained
         62s  restart lossy
         62s  link up
         62s  drained
         95s  A reading 40                            => Q.high returned 95s",
    );
}

#[test]
fn a_measured_tag_that_is_calculated_from_a_start_on_never_takes_up_what_was_measured() {
    check(
        "tag A,D high 100
         0s   D reading 120                           => D.high raised 0s; announce D.high
         5s   restart as tag A high 100; calc D high 100 := [A] / 10
         5s   link up
         5s   drained
         6s   restart
         6s   link up
         6s   drained
         7s   reload tag A high 100; calc D high 100, low 130 := [A] / 10
         8s   A reading 2000                          => A.high raised 8s; announce A.high",
    );
    // And the other way round: what was calculated is no measured value.
    check(
        "tag A high 1000
         calc D high 100 := [A] * 3
         0s   A reading 40                            => D.high raised 0s; announce D.high
         5s   restart as tag A high 1000; tag D high 100
         5s   link up
         5s   drained
         7s   reload tag A high 1000; tag D high 100, low 130
         8s   D reading 135",
    );
}

#[test]
fn a_start_on_another_unit_holds_no_value_of_before_against_a_limit() {
    check(
        "tag A unit bar, low 3
         0s   A reading 5
         10s  restart as tag A unit kPa, low 300
         10s  link up
         10s  drained
         11s  reload tag A unit kPa, low 310
         12s  A reading 5 at 0s
         13s  A reading 305                           => A.low raised 13s; announce A.low",
    );
    check(
        "tag A unit bar, spike 10 within 20s, high 4
         0s   A reading 5                             => A.high raised 0s; announce A.high
         5s   restart as tag A unit kPa, spike 100 within 20s, high 400
         5s   link up
         5s   drained
         6s   A reading 500",
    );
}

/// More tags than a name is kept of one by one.
const TAGS: usize = 4200;

/// Those of the tags that are `wanted`, by their numbers.
fn many(wanted: impl Fn(usize) -> bool) -> Arc<Plant> {
    let numbered = |number: usize| {
        let mut tag = tag("hx", &format!("T{number:04}"), Signal::Temperature);
        tag.conditions = vec![rule(Condition::High, 80.0), rule(Condition::Low, 10.0)].into();
        tag
    };
    plant((0..TAGS).filter(|number| wanted(*number)).map(numbered).collect(), &[], Duration::from_secs(5), "many")
}

#[test]
fn names_that_fell_out_of_the_list_go_on_from_the_stored_row() {
    let at = |secs: usize| ZERO + Duration::from_secs(secs as i64);
    let whole = many(|_| true);
    let (mut rules, mut store) = (Rules::new(Arc::clone(&whole), ZERO), Store::default());
    let mut names = BTreeSet::new();
    let mut next_counts = [0; TAGS];
    let mut now = 20;
    for round in 0..3 {
        // One to four episodes of each tag by the same readings in every round, so that all of them begin at a time of before.
        let mut said = Vec::new();
        for number in 0..TAGS {
            let tag = whole.find_tag("hx", &format!("T{number:04}")).expect("configured");
            let beyond = if number % 3 == 0 { 5.0 } else { 90.0 };
            for value in [beyond, 50.0].repeat(1 + number % 4) {
                let (source_time, receive_time) = (at(number * 7 % 17), at(now));
                let reading = Reading { tag, source_time, receive_time, value, quality: Quality::Good, sequence: None };
                rules.step(&Input::Reading(reading), at(now), &mut said);
            }
        }
        for effect in &said {
            let AlarmEffect::Transition(Transition { key, change: Change::Raised, .. }) = effect else { continue };
            let number: usize = key.alarm.tag.tag[1..].parse().expect("as it was named");
            assert!(names.insert(key.clone()), "one name twice: {key}");
            assert_eq!(key.episode.count, next_counts[number], "{key} in round {round}");
            next_counts[number] += 1;
        }
        assert_eq!(names.len(), (round + 1) * TAGS / 4 * 10);
        // All of them leave, some a second before the others: their names are the first to fall out of the list.
        let mut from = Arc::clone(&whole);
        for to in [many(|number| number % 100 != 0), many(|_| false)] {
            now += 1;
            rules.reload(Reload::prepare(&from, Arc::clone(&to)), at(now), &mut Vec::new()).expect("prepared from what is in force");
            store.commit(&mut rules);
            from = to;
        }
        let has_row = |number: &usize| store.hard.contains_key(&format!("rules/bygone/hx/T{number:04}"));
        let fallen: Vec<usize> = (0..TAGS).filter(|number| !has_row(number)).collect();
        assert!((0..TAGS).step_by(100).all(|number| fallen.contains(&number)) && fallen.len() < TAGS / 2, "{fallen:?}");
        // They go on from the highest count of all that fell, the others from their own.
        let highest = fallen.iter().map(|number| next_counts[*number]).max().expect("some fell");
        fallen.iter().for_each(|number| next_counts[*number] = highest);
        rules = store.restore(&whole, at(now));
        rules.step(&Input::Link { up: true }, at(now), &mut Vec::new());
        rules.step(&Input::Drained, at(now), &mut Vec::new());
    }
}
