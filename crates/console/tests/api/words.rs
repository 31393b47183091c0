//! What people read of alarms, tags and cases.

use crate::plant::{self, NOW, alarm_id, case_id, key};
use crate::site::{Site, segment};
use console::{LiveValue, TimelineEntry, Update};
use model::{
    ActAnswer, AlarmId, AlarmState, Attempt, AttemptResult, CaseEvent, CaseEventKind, CaseStep, CaseTimer, CaseTimerKind, Cause, Change,
    Condition, Duration, Episode, FieldCheck, Level, Outcome, Quality, Refusal, TagId, Tier, Transition,
};
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

/// A history with one of each, as `words` is to tell it to the county.
pub fn everything_that_may_happen() -> Vec<TimelineEntry> {
    let (alarm, key) = (alarm_id("_system"), key("_system").to_string());
    let field = FieldCheck { person: "wang".into(), at: NOW, reading: 12.5 };
    let alarms = vec![alarm.clone()];
    let events = [
        CaseEventKind::Announced { key: key.clone(), level: Level::Red },
        CaseEventKind::Folded { key: "x".into(), into: key.clone(), count: 3 },
        CaseEventKind::LevelRose { level: Level::Red },
        CaseEventKind::Told { key: key.clone() },
        CaseEventKind::Reached,
        CaseEventKind::Passed,
        CaseEventKind::Reminded { key: key.clone(), count: 2 },
        CaseEventKind::SignMissed { key: key.clone() },
        CaseEventKind::HandleMissed,
        CaseEventKind::AlarmReturned { alarm: alarm.clone() },
        CaseEventKind::Acknowledged { alarms: alarms.clone() },
        CaseEventKind::Accepted { keys: vec![key] },
        CaseEventKind::Checked { outcome: Outcome::False, alarms, field: Some(field) },
        CaseEventKind::Handling,
        CaseEventKind::Reported,
        CaseEventKind::Reviewed,
        CaseEventKind::Returned,
        CaseEventKind::Closed,
        CaseEventKind::Supervised,
        CaseEventKind::LateExceedance { alarm: alarm.clone() },
        CaseEventKind::AcknowledgementExpired { alarm: alarm.clone() },
    ];
    let event = |what| CaseEvent {
        case: case_id("_system"),
        at: NOW,
        what,
        act: None,
        by: Some("sun".into()),
        tier: Some(Tier::COUNTY),
        comment: "已看".into(),
    };
    let mut entries: Vec<_> = events.into_iter().map(|what| TimelineEntry::Event(event(what))).collect();
    let transition = |change| {
        TimelineEntry::Transition(Transition {
            key: key_of_step(1),
            change,
            from: AlarmState::Normal,
            to: AlarmState::Unacknowledged,
            at: NOW,
            now: NOW,
            level: Level::Red,
            setpoint: None,
            late: false,
            suppressed: false,
            cause: Cause::Act { act: "a".into(), person: "sun".into() },
            rules: "v1".into(),
        })
    };
    let changes = [
        Change::Raised,
        Change::Returned,
        Change::Acknowledged,
        Change::AcknowledgementExpired,
        Change::Reset,
        Change::Realarmed,
        Change::Faulted,
        Change::Retired,
    ];
    entries.extend(changes.map(transition));
    let notification = plant::notification("_system", Tier::COUNTY, "sun");
    let results = [AttemptResult::Accepted, AttemptResult::Delivered, AttemptResult::Retrying, AttemptResult::Failed];
    entries.extend(results.map(|result| TimelineEntry::Attempt {
        attempt: Attempt { key: notification.key.clone(), number: 1, result, words: "words".into(), answer: "200".into() },
        at: NOW,
    }));
    entries.push(TimelineEntry::Notification(notification));
    entries
}

fn key_of_step(step: u32) -> model::TransitionKey {
    model::TransitionKey { step, ..key("_system") }
}

#[tokio::test]
async fn whatever_happens_to_a_case_has_words() {
    let site = Site::in_trouble().await;
    let path = format!("/api/v1/cases/{}", segment(case_id("_system").as_str()));
    let case = site.get_json(&site.login("sun").await, &path).await;
    let lines = case["timeline"].as_array().unwrap();
    let told = |lang: &str| lines.iter().map(|line| line[lang].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        told("text_zh"),
        [
            "红色预警：broker 消息代理 系统报警",
            "broker 消息代理 系统报警 再次报警，并入原预警，共 3 次",
            "升为红色",
            "已发送区县：broker 消息代理 系统报警",
            "区县已收到",
            "区县无人可达，立即上报",
            "第 2 次催办：broker 消息代理 系统报警",
            "企业逾期未签收：broker 消息代理 系统报警",
            "逾期未处置",
            "恢复：broker 消息代理 系统报警",
            "报警确认：broker 消息代理 系统报警",
            "区县签收：broker 消息代理 系统报警",
            "核实为误报：broker 消息代理 系统报警；王伟 20:34 现场便携仪读数 12.5",
            "开始处置",
            "处置反馈",
            "区县复核通过",
            "区县退回",
            "办结",
            "区县督办",
            "补传数据曾越限：broker 消息代理 系统报警",
            "确认到期（默认交接班），重新待确认：broker 消息代理 系统报警",
            "报警：broker 消息代理 系统报警",
            "恢复：broker 消息代理 系统报警",
            "报警确认：broker 消息代理 系统报警",
            "确认到期，重新待确认：broker 消息代理 系统报警",
            "解除锁存：broker 消息代理 系统报警",
            "再报警：broker 消息代理 系统报警",
            "规则故障：broker 消息代理 系统报警",
            "退出配置：broker 消息代理 系统报警",
            "预警通知（sms）通道已受理",
            "预警通知（sms）已送达",
            "预警通知（sms）发送失败，将重试",
            "预警通知（sms）发送失败",
            "预警通知（sms）",
        ]
    );
    for (zh, en) in told("text_zh").iter().zip(told("text_en")) {
        assert!(en.is_ascii() || en.contains("消息代理") || en.contains("王伟"), "{zh} = {en}");
        assert!(!en.is_empty() && *zh != en, "{zh} = {en}");
    }
    assert_eq!(
        [&lines[4]["person"], &lines[4]["name"], &lines[4]["tier"], &lines[4]["comment"]],
        [&json!("sun"), &json!("孙丽"), &json!(2), &json!("已看")]
    );
}

#[tokio::test]
async fn whatever_is_refused_has_words() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let (alarm, key) = (alarm_id("ent-hx"), key("ent-hx").to_string());
    let of = || alarm.clone();
    let reasons = vec![
        Refusal::NoSuchCase,
        Refusal::NoSuchEpisode,
        Refusal::NoSuchAnnouncement { key: key.clone() },
        Refusal::OutsideJurisdiction,
        Refusal::WrongTier { needed: Tier::TOWNSHIP },
        Refusal::SamePerson,
        Refusal::WrongStep { at: CaseStep::Closed },
        Refusal::NotSigned { tier: Tier::TOWNSHIP, key: key.clone() },
        Refusal::AlarmStands { alarm: of() },
        Refusal::InputBad { alarm: of() },
        Refusal::NotAcknowledged { alarm: of() },
        Refusal::Latched { alarm: of() },
        Refusal::NotChecked { alarm: of() },
        Refusal::FieldCheckNeeded { alarm: of() },
        Refusal::CommentNeeded,
        Refusal::NotShown { key },
        Refusal::NoSuchPerson,
        Refusal::NoSuchZone,
        Refusal::ActIdReused,
        Refusal::NoSuchScope { name: String::new() },
        Refusal::NoSuchScope { name: "GT-1".into() },
        Refusal::NoSuchWindow,
        Refusal::WrongScope,
        Refusal::EndPassed,
        Refusal::EndTooLate { latest: NOW },
        Refusal::ReferenceNeeded,
        Refusal::AlreadyConfirmed,
        Refusal::TooManyWindows,
    ];
    *site.engine.answer.lock().unwrap() = Some(Ok(ActAnswer::Refused { now: NOW, reasons }));
    let act = json!({ "id": "1", "act": "handle", "case": case_id("ent-hx"), "comment": "" });
    let (_, answer) = site.act(&token, &act).await;
    let reasons = answer["reasons"].as_array().unwrap();
    let text = |at: usize| [reasons[at]["text_zh"].as_str().unwrap(), reasons[at]["text_en"].as_str().unwrap()];
    assert_eq!(text(4), ["此操作须由镇街进行", "this is for Township to do"]);
    assert_eq!(text(9)[0], "LIA-101 1#甲醇储罐液位 高高报数据异常，无法判断是否恢复");
    assert_eq!(text(24), ["时间太长，最晚到 11-24 20:34", "too long; until 11-24 20:34 at the latest"]);
    assert_eq!(text(15)[0], "页面未显示的新预警：LIA-101 1#甲醇储罐液位 高高报，请刷新后再操作");
    for at in 0..reasons.len() {
        let [zh, en] = text(at);
        assert!(!zh.is_ascii() && !en.is_empty() && zh != en, "{at}: {zh} = {en}");
    }
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
            "in_service": true, "limits": { "low_low": null, "low": null, "high": 80.0, "high_high": 90.0 }, "basis": "", "marks": [],
            "limits_in_force": { "low_low": null, "low": null, "high": 30.0, "high_high": 90.0 },
            "mode": { "name": "停车", "ordinary": false }, "suppressed": [],
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
async fn what_the_loss_of_a_gateway_explains_is_counted_apart_and_never_lost() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let alarm = |tag: &str, condition, told| {
        let mut alarm = plant::live_alarm("ent-hx");
        alarm.id = AlarmId { tag: TagId::new("ent-hx", tag), condition };
        (alarm.told, alarm.case) = (told, None);
        alarm
    };
    let counts = async || {
        let overview = site.get_json(&token, "/api/v1/overview").await;
        (overview["standing_alarms"].clone(), overview["explained_alarms"].clone())
    };
    // Nobody told yet, and no gateway alarm that would say why: it stands by itself. An upper limit always does.
    let held = vec![
        alarm("LIA-101", Condition::Stale, false),
        alarm("XA-1/2", Condition::Stale, false),
        alarm("LIA-101", Condition::HighHigh, false),
        alarm("LIA-101", Condition::High, true),
    ];
    site.view.apply(Update { seq: 1, alarms: held, ..Update::default() });
    assert_eq!(counts().await, (json!(4), json!(0)));
    site.view.apply(Update { seq: 2, alarms: vec![alarm("GW01", Condition::GatewayLost, true)], ..Update::default() });
    assert_eq!(counts().await, (json!(3), json!(2)));
    let list = site.get_json(&token, "/api/v1/alarms").await;
    let list = list["alarms"].as_array().unwrap();
    assert_eq!(list.len(), 5, "all of them are listed");
    assert!(list.iter().all(|alarm| alarm["gateway"] == "ent-hx/GW01"), "{list:?}");
    assert_eq!(list.iter().filter(|alarm| alarm["told"] == false).count(), 3);
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

/// Every name that the wire may carry stands in the served description, written as on the wire.
#[test]
fn the_description_of_the_api_names_every_word_as_the_wire_writes_it() {
    use model::plant::ChannelKind;
    let document: serde_json::Value = serde_json::from_str(&console::openapi()).unwrap();
    let described = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    fn wire<T: serde::Serialize>(all: impl IntoIterator<Item = T>) -> serde_json::Value {
        all.into_iter().map(|one| serde_json::to_value(one).unwrap()).collect()
    }
    assert_eq!(described("ConditionName"), wire(Condition::ALL));
    assert_eq!(described("LevelName"), wire(Level::ALL));
    assert_eq!(described("OutcomeName"), wire(Outcome::ALL));
    assert_eq!(described("QualityName"), wire([Quality::Good, Quality::Uncertain, Quality::Bad]));
    assert_eq!(described("CaseStepName")[0], "opened");
    assert_eq!(described("AlarmStateName")[3], "returned-unacknowledged");
    assert_eq!(described("PurposeName").as_array().unwrap().last(), Some(&"limits-loosened".into()));
    assert_eq!(
        described("ChannelKindName"),
        wire([ChannelKind::Platform, ChannelKind::App, ChannelKind::Sms, ChannelKind::Voice, ChannelKind::Webhook])
    );
    // The acts are those that `model` reads: it lists them where it is given none of them.
    let refused = serde_json::from_str::<model::ActKind>("{\"act\":\"?\"}").unwrap_err().to_string();
    let mut known: Vec<&str> = refused.split('`').skip(3).step_by(2).collect();
    known.sort_unstable();
    let acts = described("ActName");
    let mut named: Vec<&str> = acts.as_array().unwrap().iter().map(|act| act.as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, known);
}
