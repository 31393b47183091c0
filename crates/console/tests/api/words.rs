//! What people read of alarms, tags and cases.

use crate::plant::{self, NOW, alarm_id, case_id, key};
use crate::site::{Site, segment};
use console::{LiveValue, Update};
use model::{AlarmId, CaseTimer, CaseTimerKind, Condition, Duration, Episode, Level, Outcome, Quality, TagId, Tier};
use serde_json::json;

#[tokio::test]
async fn an_announcement_reads_as_the_operator_would_say_it() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let alarm = |tag: &str, condition| AlarmId { tag: TagId::new("ent-hx", tag), condition };
    for (of, value, setpoint, zh, en) in [
        (
            alarm("LIA-101", Condition::HighHigh),
            Some(91.26),
            Some(90.0),
            "LIA-101 1#甲醇储罐液位 高高报 91.3 % (限 90)",
            "LIA-101 1#甲醇储罐液位 high-high alarm 91.3 % (limit 90)",
        ),
        (
            alarm("LIA-101", Condition::High),
            None,
            Some(80.5),
            "LIA-101 1#甲醇储罐液位 高报 (限 80.5)",
            "LIA-101 1#甲醇储罐液位 high alarm (limit 80.5)",
        ),
        (
            alarm("LIA-101", Condition::OutOfRange),
            Some(104.0),
            None,
            "LIA-101 1#甲醇储罐液位 超量程 104.0 % (量程 0~100)",
            "LIA-101 1#甲醇储罐液位 out of range 104.0 % (range 0 to 100)",
        ),
        (alarm("LIA-101", Condition::Stale), Some(50.0), None, "LIA-101 1#甲醇储罐液位 断数", "LIA-101 1#甲醇储罐液位 no data"),
        (alarm("XA-1/2", Condition::Discrete), Some(0.0), Some(0.0), "XA-1/2 静电接地 状态报警 断开", "XA-1/2 静电接地 state alarm 断开"),
        (alarm("GW01", Condition::GatewayLost), None, None, "GW01 网关 网关失联", "GW01 网关 gateway lost"),
        (alarm("GONE-1", Condition::Low), Some(1.0), Some(2.0), "GONE-1 低报", "GONE-1 low alarm"),
    ] {
        let mut case = plant::case("ent-hx");
        case.announcements[0].key.alarm = of;
        case.announcements[0].value = value;
        case.announcements[0].setpoint = setpoint;
        site.view.apply(Update { seq: 1, cases: vec![case], ..Update::default() });
        let cases = site.get_json(&token, "/api/v1/cases").await;
        let announcement = &cases["cases"][0]["announcements"][0];
        assert_eq!([&announcement["text_zh"], &announcement["text_en"]], [&json!(zh), &json!(en)]);
    }
}

#[tokio::test]
async fn a_timeline_is_told_in_both_languages() {
    let site = Site::in_trouble().await;
    let path = format!("/api/v1/cases/{}", segment(case_id("ent-hx").as_str()));
    let case = site.get_json(&site.login("wang").await, &path).await;
    let line = &case["timeline"][0];
    assert_eq!(
        [&line["kind"], &line["text_zh"], &line["text_en"]],
        [&json!("opened"), &json!("立单，橙色预警"), &json!("case opened, level orange")]
    );
    assert_eq!(case["number"], "1124-01-ent-hx");
}

#[tokio::test]
async fn the_countdown_runs_to_the_next_deadline_of_people() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let at = |minutes| NOW + Duration::from_mins(minutes);
    let text = key("ent-hx").to_string();
    let timer = |minutes, kind| CaseTimer { due: at(minutes), kind };
    let mut case = plant::case("ent-hx");
    case.timers = vec![
        timer(1, CaseTimerKind::Answer { key: "n".into() }),
        timer(60, CaseTimerKind::Handle),
        timer(15, CaseTimerKind::Tell { key: text.clone(), tier: Tier::COUNTY }),
        timer(5, CaseTimerKind::Sign { key: text.clone() }),
        timer(3, CaseTimerKind::Remind { key: text.clone() }),
    ];
    for (what, minutes, tier) in [("remind", 3, json!(null)), ("sign", 5, json!(0)), ("tell", 15, json!(2)), ("handle", 60, json!(null))] {
        site.view.apply(Update { seq: 1, cases: vec![case.clone()], ..Update::default() });
        let cases = site.get_json(&token, "/api/v1/cases").await;
        assert_eq!(cases["cases"][0]["next"], json!({ "at": at(minutes).as_millis(), "what": what, "tier": tier }));
        case.timers.pop();
    }
    site.view.apply(Update { seq: 1, cases: vec![case], ..Update::default() });
    assert_eq!(site.get_json(&token, "/api/v1/cases").await["cases"][0]["next"], json!(null));
}

#[tokio::test]
async fn cases_come_unanswered_first_then_by_level_then_newest() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let case = |n: i64, level, signed: bool| {
        let mut case = plant::case("ent-hx");
        case.id = format!("case-{n}").into();
        case.number = n.to_string();
        case.level = level;
        case.opened = NOW + Duration::from_secs(n);
        if signed {
            case.announcements[0].signed.push(model::Signature { tier: Tier::ENTERPRISE, person: "wang".into(), at: NOW });
        }
        case
    };
    let cases = vec![
        case(1, Level::Red, true),
        case(2, Level::Yellow, false),
        case(3, Level::Orange, false),
        case(4, Level::Orange, false),
        case(5, Level::Blue, true),
    ];
    site.view.apply(Update { seq: 1, cases, ..Update::default() });
    let listed = site.get_json(&token, "/api/v1/cases").await;
    let numbers: Vec<_> = listed["cases"].as_array().unwrap().iter().map(|case| case["number"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["4", "3", "2", "1", "5"]);
    assert_eq!(site.get_json(&token, "/api/v1/cases?limit=2").await["cases"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_tag_is_shown_with_its_limits_its_newest_value_and_its_worst_alarm() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let index = site.plant.tag_index(&TagId::new("ent-hx", "LIA-101")).unwrap();
    site.view.set_value(index, LiveValue { value: Some(91.26), quality: Quality::Uncertain, source_time: NOW, receive_time: NOW });
    let tags = site.get_json(&token, "/api/v1/tags?q=LIA").await;
    assert_eq!(tags["total"], 1);
    let at = NOW.as_millis();
    assert_eq!(
        tags["tags"][0],
        json!({
            "tag": "ent-hx/LIA-101", "enterprise": "ent-hx", "enterprise_name": "恒信化工", "name": "1#甲醇储罐液位",
            "signal": "level", "signal_zh": "液位", "unit": "%", "decimals": 1, "equipment": "V-101",
            "equipment_name": "<script>alert(1)</script>ent-hx 罐区", "gateway": "GW01", "range": [0.0, 100.0], "labels": null,
            "in_service": true, "limits": { "low_low": null, "low": null, "high": 80.0, "high_high": 90.0 },
            "value": 91.26, "quality": "uncertain", "source_time": at, "receive_time": at,
            "worst": { "condition": "high-high", "level": "orange", "state": "unacknowledged" },
        })
    );
    let page = site.get_json(&token, "/api/v1/tags?limit=1&offset=2").await;
    assert_eq!((&page["total"], &page["tags"][0]["labels"]), (&json!(3), &json!(["断开", "接地"])));
}

#[tokio::test]
async fn bad_or_missing_data_is_counted_even_where_no_value_says_so() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let bad = async || site.get_json(&token, "/api/v1/overview").await["tags_bad"].clone();
    assert_eq!(bad().await, 0);
    let index = |tag: &str| site.plant.tag_index(&TagId::new("ent-hx", tag)).unwrap();
    site.view.set_value(index("LIA-101"), LiveValue { value: None, quality: Quality::Bad, source_time: NOW, receive_time: NOW });
    assert_eq!(bad().await, 1);
    let mut stale = plant::live_alarm("ent-hx");
    stale.id = AlarmId { tag: TagId::new("ent-hx", "XA-1/2"), condition: Condition::Stale };
    stale.episode = Episode { since: NOW, count: 1 };
    site.view.apply(Update { seq: 1, alarms: vec![stale], ..Update::default() });
    assert_eq!(bad().await, 2);
}

#[tokio::test]
async fn an_outcome_is_shown_with_who_found_it() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut case = plant::case("ent-hx");
    case.episodes[0].outcome = Some((Outcome::False, "wang".into(), NOW));
    site.view.apply(Update { seq: 1, cases: vec![case], ..Update::default() });
    let cases = site.get_json(&token, "/api/v1/cases").await;
    let outcome = json!({ "outcome": "false", "zh": "误报", "person": "wang", "name": "王伟", "at": NOW.as_millis() });
    assert_eq!(cases["cases"][0]["episodes"][0]["outcome"], outcome);
    assert_eq!(cases["cases"][0]["episodes"][0]["alarm"]["condition"], alarm_id("ent-hx").condition.name());
}
