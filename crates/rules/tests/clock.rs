//! Wrong clocks: not late data, and never a lost alarm.
mod common;
use common::*;
use model::*;
use watchfire_rules::{Input, Rules};

#[test]
fn gateway_8_h_behind_from_the_start() {
    check(
        "high 80
         0s   reading 70 at -8h
         5s   reading 70 at -28795s
         10s  reading 70 at -28790s
         15s  reading 70 at -28785s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85 at -28780s   => high raised 20s; announce high
         25s  reading 70 at -28775s   => high returned 25s",
    );
}

#[test]
fn gateway_8_h_behind_with_an_alarm_standing_from_the_first_reading() {
    check(
        "high-high 90
         0s   reading 95 at -8h        => high-high raised -28800s late
         5s   reading 95 at -28795s
         10s  reading 95 at -28790s
         15s  reading 95 at -28785s    => announce high-high late-confirmed; ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock",
    );
}

#[test]
fn an_alarm_that_came_and_went_while_the_clock_was_in_doubt_is_told_once_the_clock_proves_wrong() {
    check(
        "high 80
         0s   reading 70 at -8h
         5s   reading 85 at -28795s    => high raised -28795s late
         10s  reading 70 at -28790s    => high returned -28790s
         15s  reading 70 at -28785s    => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         35s  timeout                  => announce high late-returned",
    );
}

#[test]
fn gateway_8_h_ahead_is_judged_at_once_and_marked() {
    check(
        "high 80, on-delay 5s
         0s   reading 70 at 8h
         5s   reading 85 at 28805s
         10s  reading 85 at 28810s   => high raised 10s since 5s; announce high
         15s  reading 70 at 28815s   => high returned 15s; ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock",
    );
}

#[test]
fn gateway_clock_reset_to_1970() {
    check(
        "high 80, high-high 90
         0s   reading 70
         5s   reading 70
         10s  reading 95 at 1970+1s
         15s  reading 95 at 1970+6s
         20s  reading 95 at 1970+11s
         25s  reading 95 at 1970+16s   => high raised 10s; announce high; high-high raised 10s; announce high-high; ~GW.wrong-clock raised 25s; announce ~GW.wrong-clock
         30s  reading 70 at 1970+21s   => high returned 30s; high-high returned 30s",
    );
}

#[test]
fn a_clock_reset_to_1970_on_a_slow_gateway_is_paged_before_the_verdict() {
    check(
        "gateway 60s
         tag T high-high 90
         0s    reading 70
         60s   reading 95 at 1970+1s
         89s   timeout
         90s   timeout                  => high-high raised 60s late; announce high-high late-confirmed
         120s  reading 95 at 1970+61s
         180s  reading 70 at 1970+121s
         240s  reading 70 at 1970+181s  => high-high returned 240s; ~GW.wrong-clock raised 240s; announce ~GW.wrong-clock",
    );
}

#[test]
fn a_small_step_back_shows_in_nothing_but_stragglers() {
    check(
        "high 80
         0s    reading 70
         100s  reading 70
         105s  reading 70 at 65s
         110s  reading 85 at 70s
         115s  reading 85 at 75s
         120s  reading 85 at 80s    => high raised 110s; announce high; ~GW.wrong-clock raised 120s; announce ~GW.wrong-clock
         125s  reading 70 at 85s    => high returned 125s",
    );
}

#[test]
fn a_backlog_is_late_data_and_no_wrong_clock() {
    check(
        "high 80
         0s    reading 70
         30m   reading 70 at 5s
         30m   reading 70 at 10s
         30m   reading 70 at 15s
         1801s reading 70 at 20s
         1802s reading 70 at 600s
         1810s reading 70 at 1200s
         1816s reading 70 at 1816s
         1821s reading 85            => high raised 1821s; announce high",
    );
}

#[test]
fn a_clock_put_right_returns_its_alarm_and_loses_nothing_meanwhile() {
    check(
        "high 80
         0s   reading 70 at -8h
         5s   reading 70 at -28795s
         10s  reading 70 at -28790s
         15s  reading 70 at -28785s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85              => high raised 20s; announce high
         25s  reading 85
         30s  reading 70              => high returned 30s
         35s  reading 70              => ~GW.wrong-clock returned 35s
         40s  reading 85              => high raised 40s; announce high",
    );
}

#[test]
fn a_clock_ahead_put_right_looks_late_until_the_ruling_and_loses_nothing() {
    check(
        "high 80
         0s   reading 70 at 8h
         5s   reading 70 at 28805s
         10s  reading 70 at 28810s
         15s  reading 70 at 28815s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85
         25s  reading 85
         30s  reading 85
         35s  reading 85             => high raised 20s; announce high; ~GW.wrong-clock returned 35s
         40s  reading 70             => high returned 40s",
    );
}

#[test]
fn a_backlog_behind_a_wrong_clock_keeps_its_spacing() {
    check(
        "high 80, on-delay 20s
         0s    reading 70 at -8h
         5s    reading 70 at -28795s
         10s   reading 70 at -28790s
         15s   reading 70 at -28785s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         600s  reading 85 at -28700s
         600s  reading 85 at -28690s
         600s  reading 85 at -28675s   => high raised 120s since 100s late
         600s  reading 70 at -28650s   => high returned 150s
         600s  reading 70 at -28200s",
    );
}

#[test]
fn a_clock_that_stands_still_is_judged_on_receive_time() {
    check(
        "high 80, on-delay 10s
         0s   reading 70
         5s   reading 71 at 1970
         10s  reading 72 at 1970
         15s  reading 73 at 1970
         20s  reading 74 at 1970   => ~GW.wrong-clock raised 20s; announce ~GW.wrong-clock
         25s  reading 85 at 1970
         35s  timeout              => high raised 35s since 25s; announce high
         40s  reading 85 at 1970
         45s  reading 70 at 1970   => high returned 45s",
    );
}

#[test]
fn a_verdict_outlives_a_restart() {
    check(
        "high 80
         0s   reading 70 at -8h
         5s   reading 70 at -28795s
         10s  reading 70 at -28790s
         15s  reading 70 at -28785s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         16s  restart lossy
         20s  reading 85 at -28780s   => high raised 20s; announce high",
    );
}

#[test]
fn the_clock_alarm_tells_a_time_zone_mistake_from_another_offset() {
    let detail = |behind: i64| {
        let plant = plant(vec![tag("hx", "T", Signal::Level)], &[], Duration::from_secs(5), "r1");
        let index = plant.find_tag("hx", "T").expect("the tag");
        let mut rules = Rules::new(plant, ZERO);
        let mut out = Vec::new();
        for secs in (0..=15).step_by(5) {
            let now = ZERO + Duration::from_secs(secs);
            let source_time = now - Duration::from_secs(behind);
            let reading = Reading { tag: index, source_time, receive_time: now, value: 50.0, quality: Quality::Good, sequence: None };
            rules.step(&Input::Reading(reading), now, &mut out);
        }
        out.iter()
            .find_map(|effect| match effect {
                AlarmEffect::Transition(Transition { cause: Cause::Engine { detail }, .. }) => Some(detail.clone()),
                _ => None,
            })
            .expect("a clock alarm")
    };
    assert_eq!(detail(8 * 3600 + 2), "网关时钟慢 8 小时,疑为时区设置错误 · gateway clock 8 h behind: a time-zone mistake");
    assert_eq!(detail(-8 * 3600), "网关时钟快 8 小时,疑为时区设置错误 · gateway clock 8 h ahead: a time-zone mistake");
    assert_eq!(detail(5000), "网关时钟慢 5000 秒 · gateway clock 5000 s behind");
}

#[test]
fn a_clock_that_jumps_about_ahead_of_us_is_judged_on_receive_time() {
    check(
        "high 80, on-delay 10s
         0s   reading 70 at 900s
         5s   reading 71 at 5000s
         10s  reading 72 at 300s
         15s  reading 73 at 9000s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85 at 400s
         30s  timeout               => high raised 30s since 20s; announce high",
    );
}

#[test]
fn a_clock_that_drifts_is_followed_without_a_second_alarm() {
    check(
        "high 80
         0s   reading 70 at -100s
         5s   reading 70 at -95s
         10s  reading 70 at -90s
         15s  reading 70 at -85s    => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 70 at -80.5s
         25s  reading 70 at -76s
         30s  reading 70 at -71.5s
         35s  reading 70 at -67s
         40s  reading 85 at -62s    => high raised 38s; announce high
         45s  reading 70 at -57s    => high returned 43s
         50s  reading 70 at -52s
         55s  reading 70 at -47s
         60s  reading 85 at -42s    => high raised 60s; announce high",
    );
}

#[test]
fn a_reading_from_the_future_once_does_not_stop_the_tag() {
    check(
        "high 80
         0s   reading 70
         5s   reading 70 at 100000h
         10s  reading 85            => high raised 10s; announce high
         15s  reading 70            => high returned 15s",
    );
}

#[test]
fn under_a_clock_that_stands_still_the_same_reading_again_is_news() {
    check(
        "stale 15s, high 80, on-delay 12s
         0s   reading 70
         5s   reading 71 at 1970
         10s  reading 72 at 1970
         15s  reading 73 at 1970
         20s  reading 74 at 1970   => ~GW.wrong-clock raised 20s; announce ~GW.wrong-clock
         25s  reading 74 at 1970
         30s  reading 74 at 1970
         35s  reading 74 at 1970
         40s  reading 85 at 1970
         45s  reading 85 at 1970
         50s  reading 85 at 1970
         55s  reading 85 at 1970   => high raised 52s since 40s; announce high",
    );
}

#[test]
fn a_wait_that_began_on_the_wrong_clock_goes_on_where_it_is() {
    check(
        "high 80, on-delay 20s
         0s   reading 70 at -8h
         5s   reading 85 at -28795s
         10s  reading 85 at -28790s
         15s  reading 85 at -28785s   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85 at -28780s
         25s  reading 85 at -28775s   => high raised 25s since 5s late; announce high late-confirmed",
    );
}

#[test]
fn a_clock_that_stands_still_from_the_start_is_found_out_too() {
    check(
        "high 80
         0s   reading 71 at -1h
         5s   reading 72 at -1h
         10s  reading 73 at -1h
         15s  reading 74 at -1h   => ~GW.wrong-clock raised 15s; announce ~GW.wrong-clock
         20s  reading 85 at -1h   => high raised 20s; announce high",
    );
}

#[test]
fn a_gap_between_late_readings_is_no_clock_that_stands_still() {
    check(
        "high 80
         0s    reading 70 at -3600s
         1s    reading 71 at -3595s
         600s  reading 72 at -3590s",
    );
}

/// What the rules say of a tag behind a gateway that sends every five seconds, eight hours behind, and loses 0.3 s each time.
fn behind_a_drifting_clock(set_up_text: &str, values: impl Iterator<Item = f64>) -> Vec<String> {
    let plant = set_up(&format!("gateway 5s\n{set_up_text}"));
    let tag = plant.find_tag("hx", "T").expect("the tag");
    let (mut rules, mut out) = (Rules::new(plant, ZERO), Vec::new());
    for (step, value) in (0..).zip(values) {
        let now = ZERO + Duration::from_secs(5 * step);
        let source_time = now - Duration::from_mins(480) - Duration::from_millis(300 * step);
        serve(&mut rules, now, &mut out);
        let reading = Reading { tag, source_time, receive_time: now, value, quality: Quality::Good, sequence: None };
        rules.step(&Input::Reading(reading), now, &mut out);
    }
    let raised = |effect: &&AlarmEffect| matches!(effect, AlarmEffect::Transition(transition) if transition.change == Change::Raised);
    out.iter().filter(raised).map(|effect| describe(effect, false).split(" raised").next().expect("a name").to_owned()).collect()
}

#[test]
fn a_drift_that_is_followed_hides_no_flat_line_and_no_ramp() {
    let still = std::iter::repeat_n(50.0, 60);
    assert_eq!(behind_a_drifting_clock("frozen flat 2m", still), ["~GW.wrong-clock", "frozen"]);
    let ramp = (0..60).map(|step| 50.0 + f64::from(step) / 2.0);
    assert_eq!(behind_a_drifting_clock("rate-up 4 over 2m", ramp), ["~GW.wrong-clock", "rate-up"]);
}

#[test]
fn a_drift_that_is_followed_lets_a_warm_up_end() {
    // Warm after a minute, so that a good reading clears.
    let (set_up_text, hot) = ("high 80, warm-up 2m", |step: i32| if step % 20 < 10 { 85.0 } else { 70.0 });
    let alarms = behind_a_drifting_clock(set_up_text, (0..90).map(hot));
    assert!(alarms.iter().filter(|alarm| *alarm == "high").count() > 1, "it returned and was raised again: {alarms:?}");
}
