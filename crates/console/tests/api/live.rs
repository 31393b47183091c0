//! Live events: what changed, for whom it is meant, and never a stale picture believed to be live.

use crate::plant::{self, NOW, case_id, key};
use crate::site::{Events, PASSWORD, Site, fresh_accounts};
use console::bounds::{CHANGES_BEHIND_MAX, STREAMS_PER_SESSION_MAX};
use console::{LiveValue, Update};
use model::{AlarmState, Attempt, AttemptResult, Case, CaseStep, Duration, Quality, Signature, TagId, Tier, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

fn change(seq: u64, enterprise: &str) -> Update {
    Update { seq, now: NOW, cases: vec![plant::case(enterprise)], alarms: vec![plant::live_alarm(enterprise)], ..Update::default() }
}

#[tokio::test]
async fn a_stream_carries_its_own_enterprises_changes_and_nothing_of_others() {
    let site = Site::start().await;
    let mut events = site.events(&site.login("chen").await).await;
    let hello = events.next().await.unwrap();
    assert_eq!((hello.event.as_str(), &hello.data), ("heartbeat", &json!({ "now": NOW.as_millis(), "seq": 0 })));
    site.view.apply(change(1, "ent-hx"));
    site.view.apply(change(2, "ent-lz"));
    site.view.apply(change(3, "_system"));
    let sent = events.named("change").await;
    assert_eq!(sent.data["cases"][0]["enterprise"], "ent-lz");
    assert_eq!(sent.data["overview"]["counts"]["orange"], 1);
    assert_eq!((sent.data["cases"].as_array().unwrap().len(), sent.data["alarms"].as_array().unwrap().len()), (1, 1));
    assert!(!sent.text.contains("ent-hx") && !sent.text.contains("_system"), "{}", sent.text);
    // What was not for this login moves its sequence on all the same, so that coming back finds nothing missed.
    assert!(sent.id.starts_with("3-"), "{}", sent.id);
}

#[tokio::test]
async fn what_a_stream_says_of_a_case_is_what_the_list_says() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    site.view.apply(change(1, "ent-hx"));
    let sent = events.named("change").await;
    let listed = site.get_json(&token, "/api/v1/cases").await;
    assert_eq!(sent.data["cases"], listed["cases"]);
    assert_eq!(sent.data["alarms"], site.get_json(&token, "/api/v1/alarms").await["alarms"]);
    assert_eq!(sent.data["overview"], site.get_json(&token, "/api/v1/overview").await);
    assert_eq!(listed["seq"], 1);
}

#[tokio::test]
async fn an_alarm_gone_normal_is_told_once_and_then_listed_no_more() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    site.view.apply(change(1, "ent-hx"));
    let mut events = site.events(&token).await;
    let mut gone = plant::live_alarm("ent-hx");
    gone.state = AlarmState::Normal;
    site.view.apply(Update { seq: 2, alarms: vec![gone], ..Update::default() });
    let sent = events.named("change").await;
    assert_eq!(sent.data["alarms"][0]["state"], "normal");
    assert_eq!(site.get_json(&token, "/api/v1/alarms?state=all").await["alarms"], json!([]));
}

#[tokio::test]
async fn a_client_too_slow_for_the_changes_is_told_to_fetch_everything_again() {
    let site = Site::start().await;
    let mut events = site.events(&site.login("wang").await).await;
    events.named("heartbeat").await;
    // The runtime of this test has one thread: nothing is read from the channel while this loop runs.
    let newest = CHANGES_BEHIND_MAX as u64 + 100;
    for seq in 1..=newest {
        site.view.apply(change(seq, "ent-hx"));
    }
    let sent = events.next().await.unwrap();
    assert_eq!((sent.event.as_str(), &sent.data["seq"]), ("resync", &json!(newest)));
    site.view.apply(change(newest + 1, "ent-hx"));
    assert_eq!(events.named("change").await.data["seq"], newest + 1);
}

#[tokio::test]
async fn another_configuration_moves_the_values_and_has_every_client_fetch_again() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    events.named("heartbeat").await;
    let value = LiveValue { value: Some(7.0), quality: Quality::Good, source_time: NOW, receive_time: NOW };
    let id = TagId::new("ent-hx", "LIA-101");
    site.view.set_value(site.plant.tag_index(&id).unwrap(), value);
    // The first tag goes, so every other one has another place; and one limit moves.
    let mut next = model::Plant::clone(&site.plant);
    assert_ne!(next.tags.remove(0).id, id);
    let tag = next.tag_index(&id).unwrap();
    next.tags[tag.at()].conditions.iter_mut().for_each(|rule| rule.setpoint += 1.0);
    let next = Arc::new(next);
    let moves: Vec<_> = site.plant.tags.iter().map(|tag| next.tag_index(&tag.id)).collect();
    site.view.reshow(console::Reshown::of(next.clone()), &moves);
    events.named("resync").await;
    let before =
        site.plant.tag(site.plant.tag_index(&id).unwrap()).conditions.iter().find(|rule| rule.condition.is_limit()).unwrap().clone();
    let listed = site.get_json(&token, "/api/v1/tags?q=LIA-101").await["tags"][0].clone();
    assert_eq!(listed["value"], 7.0, "{listed}");
    let limits = listed["limits"].as_object().unwrap();
    assert!(limits.values().any(|limit| limit == before.setpoint + 1.0), "{listed} {before:?}");
    // By the old place nobody is shown a value of another tag.
    assert_eq!(site.view.value(&site.plant, site.plant.tag_index(&id).unwrap()), None);
    site.view.set_value(tag, LiveValue { value: Some(8.0), ..value });
    site.view.publish_values();
    assert_eq!(events.named("values").await.data["values"][0][1], 8.0);
}

#[tokio::test]
async fn a_client_that_comes_back_learns_whether_it_missed_anything() {
    let site = Site::start().await;
    site.view.apply(change(7, "ent-hx"));
    let token = site.login("wang").await;
    let last = site.events(&token).await.next().await.unwrap().id;
    let first = async |last: &str| {
        let request = site.request(reqwest::Method::GET, "/api/v1/events").bearer_auth(&token).header("last-event-id", last);
        Events::of(request.send().await.unwrap()).next().await.unwrap().event
    };
    assert_eq!(first(&last).await, "heartbeat");
    assert_eq!(first("7").await, "resync");
    // A link alone commits nothing and is missed all the same.
    site.view.apply(Update { link: Some(("broker".into(), false, NOW)), ..Update::default() });
    assert_eq!(first(&last).await, "resync");
    // The same number from an engine started anew.
    let restarted = Site::start().await;
    restarted.view.apply(change(7, "ent-hx"));
    let request = restarted.request(reqwest::Method::GET, "/api/v1/events").bearer_auth(restarted.login("wang").await);
    let mut events = Events::of(request.header("last-event-id", &last).send().await.unwrap());
    assert_eq!(events.next().await.unwrap().event, "resync");
}

#[tokio::test]
async fn values_are_sent_once_for_what_changed_and_only_of_ones_own_tags() {
    let site = Site::start().await;
    let mut events = site.events(&site.login("wang").await).await;
    events.named("heartbeat").await;
    let set = |enterprise: &str, value: Option<f64>, quality: Quality, at: Timestamp| {
        let tag = site.plant.tag_index(&TagId::new(enterprise, "LIA-101")).unwrap();
        site.view.set_value(tag, LiveValue { value, quality, source_time: at, receive_time: at });
    };
    set("ent-hx", Some(1.0), Quality::Good, NOW);
    set("ent-hx", Some(2.0), Quality::Good, NOW + Duration::from_secs(1));
    set("ent-lz", Some(3.0), Quality::Good, NOW);
    site.view.publish_values();
    let later = (NOW + Duration::from_secs(1)).as_millis();
    assert_eq!(events.named("values").await.data["values"], json!([["ent-hx/LIA-101", 2.0, "good", later]]));
    // The same value again is no news, a bad one is.
    set("ent-hx", Some(2.0), Quality::Good, NOW + Duration::from_secs(2));
    site.view.publish_values();
    set("ent-hx", None, Quality::Bad, NOW + Duration::from_secs(3));
    site.view.publish_values();
    let later = (NOW + Duration::from_secs(3)).as_millis();
    assert_eq!(events.named("values").await.data["values"], json!([["ent-hx/LIA-101", null, "bad", later]]));
    // After half a minute its age is told even so.
    set("ent-hx", None, Quality::Bad, NOW + Duration::from_secs(33));
    site.view.publish_values();
    assert_eq!(events.named("values").await.data["values"][0][3], (NOW + Duration::from_secs(33)).as_millis());
}

#[tokio::test]
async fn a_message_tells_what_became_of_it_and_whether_its_tier_has_signed() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    let notification = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
    let attempt = |number, result, words: &str, answer: &str| Attempt {
        key: notification.key.clone(),
        number,
        result,
        words: words.into(),
        answer: answer.into(),
    };
    let update = |seq, attempts| Update { seq, attempts, ..Update::default() };
    site.view.apply(update(2, vec![attempt(1, AttemptResult::Retrying, "【烽燧】橙色预警", "503")]));
    site.view.apply(update(3, vec![attempt(2, AttemptResult::Delivered, "", "ok")]));
    // A receipt that comes late changes nothing.
    site.view.apply(update(4, vec![attempt(2, AttemptResult::Accepted, "", "queued")]));
    let sent = events.named("change").await;
    let message = &sent.data["messages"][0];
    assert_eq!(message["words"], "【烽燧】橙色预警");
    assert_eq!(
        [&message["status"], &message["answer"], &message["attempts"], &message["answered"]],
        [&json!("delivered"), &json!("ok"), &json!(2), &json!(false)]
    );
    let mut case = plant::case("ent-hx");
    case.announcements[0].signed.push(Signature { tier: Tier::ENTERPRISE, person: "wang".into(), at: NOW });
    site.view.apply(Update { seq: 5, cases: vec![case], ..Update::default() });
    let sent = events.named("change").await;
    assert_eq!((&sent.data["messages"][0]["person"], &sent.data["messages"][0]["answered"]), (&json!("wang"), &json!(true)));
    let listed = site.get_json(&token, "/api/v1/messages?person=wang").await;
    assert_eq!(listed["messages"], sent.data["messages"]);
    let wang = json!({ "person": "wang", "name": "王伟", "body_name": "恒信化工", "tier": 0, "duty_phone": false, "phone": "138****1234" });
    assert_eq!(listed["people"], json!([wang]));
}

#[tokio::test]
async fn answered_is_what_the_viewers_own_tier_was_told_of_and_signed() {
    let site = Site::in_trouble().await;
    let (wang, li, sun) = (site.login("wang").await, site.login("li").await, site.login("sun").await);
    let answered = async |token: &str| site.get_json(token, "/api/v1/cases").await["cases"][0]["answered"].clone();
    let unanswered = async |token: &str| site.get_json(token, "/api/v1/overview").await["unanswered"].clone();
    assert_eq!((answered(&wang).await, unanswered(&wang).await), (json!(false), json!(1)));
    // The county was told of none of the three.
    assert_eq!((answered(&sun).await, unanswered(&sun).await), (json!(true), json!(0)));
    let mut case = plant::case("ent-hx");
    case.step = CaseStep::Accepted;
    case.announcements[0].signed.push(Signature { tier: Tier::ENTERPRISE, person: "wang".into(), at: NOW });
    site.view.apply(Update { seq: 2, cases: vec![case], ..Update::default() });
    assert_eq!((answered(&wang).await, answered(&li).await), (json!(true), json!(false)));
}

#[tokio::test]
async fn closed_cases_leave_the_list_of_open_ones_and_can_be_found() {
    let site = Site::in_trouble().await;
    let token = site.login("sun").await;
    let closed = Case { step: CaseStep::Closed, closed: Some(NOW), ..plant::case("ent-hx") };
    site.view.apply(Update { seq: 2, cases: vec![closed], ..Update::default() });
    let ids = async |state: &str| {
        let cases = site.get_json(&token, &format!("/api/v1/cases?state={state}")).await;
        cases["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids("closed").await, [case_id("ent-hx").as_str()]);
    assert_eq!(ids("open").await.len(), 2);
    assert_eq!(ids("all").await.len(), 3);
}

#[tokio::test]
async fn a_stream_ends_with_its_session_with_its_account_and_with_the_engine() {
    let accounts = fresh_accounts();
    let site = Site::with(accounts, |_| {}).await;
    let (left, kept) = (site.login("wang").await, site.login("li").await);
    let (mut first, mut second) = (site.events(&left).await, site.events(&kept).await);
    first.named("heartbeat").await;
    second.named("heartbeat").await;
    site.request(reqwest::Method::POST, "/api/v1/logout").bearer_auth(&left).send().await.unwrap();
    assert!(first.next().await.is_none());
    // Noticed at the next heartbeat, whatever is or is not asked for meanwhile.
    site.accounts.set_enabled("li", false).unwrap();
    while second.next().await.is_some() {}
    let mut third = site.events(&site.login("sun").await).await;
    third.named("heartbeat").await;
    site.shutdown.cancel();
    while third.next().await.is_some() {}
    site.served.await.unwrap();
}

#[tokio::test]
async fn an_open_stream_does_not_keep_an_unused_session_alive() {
    let site = Site::with(fresh_accounts(), |_| {}).await;
    let mut events = site.events(&site.login("wang").await).await;
    events.named("heartbeat").await;
    site.seconds.store(12 * 3600, Ordering::Relaxed);
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn one_session_has_a_bounded_number_of_streams() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut open = Vec::new();
    for _ in 0..STREAMS_PER_SESSION_MAX {
        open.push(site.events(&token).await);
    }
    assert_eq!(site.get(&token, "/api/v1/events").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get(&site.login("li").await, "/api/v1/events").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_new_scene_of_the_demonstration_reaches_the_page() {
    let scene = Arc::new(RwLock::new(None));
    let shown = scene.clone();
    let site = Site::with(fresh_accounts(), move |settings| {
        settings.demo = true;
        settings.time_factor = 10.0;
        settings.scene = shown;
    })
    .await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    *scene.write().unwrap() = Some("夜班睡着了".to_owned());
    let overview: Value = events.named("change").await.data["overview"].clone();
    assert_eq!([&overview["scene"], &overview["demo"], &overview["time_factor"]], [&json!("夜班睡着了"), &json!(true), &json!(10.0)]);
    assert_eq!(site.try_login("wang", PASSWORD, Default::default()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_siren_is_shown_as_it_is_wanted_now() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    let quiet = model::Siren { sound: false, version: 2, ..plant::siren("ent-hx") };
    site.view.apply(Update { seq: 9, sirens: vec![quiet], ..Update::default() });
    let wanted = |siren: &Value| (siren["sound"].clone(), siren["light"].clone(), siren["version"].clone());
    assert_eq!(wanted(&events.named("change").await.data["sirens"][0]), (json!(false), json!(true), json!(2)));
    assert_eq!(wanted(&site.get_json(&token, "/api/v1/sirens").await[0]), (json!(false), json!(true), json!(2)));
}

#[test]
fn what_the_store_remembers_never_overrules_what_has_come_since() {
    let view = console::LiveView::new(Arc::new(plant::plant()));
    let notification = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
    let attempt = Attempt {
        key: notification.key.clone(),
        number: 1,
        result: AttemptResult::Delivered,
        words: "words".into(),
        answer: String::new(),
    };
    let update = Update {
        seq: 1,
        cases: vec![plant::case("ent-hx")],
        notifications: vec![notification.clone()],
        attempts: vec![attempt],
        ..Update::default()
    };
    view.apply(update);
    let older = Case { closed: Some(NOW), ..plant::case("ent-hx") };
    let unseen = plant::notification("ent-hx", Tier::TOWNSHIP, "li");
    view.seed(vec![older], vec![console::Message::new(notification), console::Message::new(unseen)]);
    assert_eq!(view.case(&case_id("ent-hx")).unwrap().closed, None);
    let statuses: Vec<_> = view.messages().iter().map(|message| (message.notification.key.tier.0, message.status)).collect();
    assert_eq!(statuses, [(1, console::MessageStatus::Waiting), (0, console::MessageStatus::Delivered)]);
}

#[test]
fn superseding_a_case_stops_what_is_unsent_but_not_the_word_that_it_is_closed() {
    let view = console::LiveView::new(Arc::new(plant::plant()));
    let first = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
    let mut closing = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
    closing.key.purpose = model::Purpose::Closed;
    let update = Update { seq: 1, notifications: vec![first, closing], superseded: vec![key_case()], ..Update::default() };
    view.apply(update);
    let mut statuses: Vec<_> = view.messages().iter().map(|m| (m.notification.key.purpose.name(), m.status)).collect();
    statuses.sort_by_key(|(purpose, _)| *purpose);
    assert_eq!(statuses, [("announce", console::MessageStatus::Superseded), ("closed", console::MessageStatus::Waiting)]);
}

fn key_case() -> model::CaseId {
    model::CaseId::new(key("ent-hx").to_string())
}

#[tokio::test]
async fn messages_are_asked_for_by_kind_and_page_by_page() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let message = |n: i64, purpose| {
        let mut notification = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
        (notification.key.repeat, notification.key.purpose) = (n as u32, purpose);
        notification.at = NOW + Duration::from_secs(n);
        notification
    };
    let mut notifications = vec![message(0, model::Purpose::LimitsLoosened), message(1, model::Purpose::Announce)];
    notifications.extend((2..300).map(|n| message(n, model::Purpose::Remind)));
    site.view.apply(Update { seq: 1, notifications, ..Update::default() });
    let ask = async |query: &str| {
        let list = site.get_json(&token, &format!("/api/v1/messages?{query}")).await;
        let repeats: Vec<_> = list["messages"].as_array().unwrap().iter().map(|one| one["repeat"].as_i64().unwrap()).collect();
        (list["total"].as_i64().unwrap(), repeats)
    };
    let (total, newest) = ask("").await;
    assert_eq!((total, newest.len(), newest[0]), (300, 200, 299));
    assert_eq!(ask("kind=limits-loosened").await, (1, vec![0]));
    assert_eq!(ask("reminders=false").await, (2, vec![1, 0]));
    assert_eq!(ask(&format!("before={}&limit=2&offset=1", (NOW + Duration::from_secs(10)).as_millis())).await, (10, vec![8, 7]));
    assert_eq!(site.get(&token, "/api/v1/messages?kind=gossip").await.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn memory_is_bounded_and_the_oldest_makes_room() {
    let view = console::LiveView::new(Arc::new(plant::plant()));
    let closed = |n: usize| Case {
        id: format!("case-{n}").into(),
        closed: Some(NOW + Duration::from_secs(n as i64)),
        announcements: Vec::new(),
        ..plant::case("ent-hx")
    };
    let message = |n: usize| {
        let mut notification = plant::notification("ent-hx", Tier::ENTERPRISE, "wang");
        notification.key.repeat = n as u32;
        notification.at = NOW + Duration::from_secs(n as i64);
        notification
    };
    let cases = (0..=console::CLOSED_CASES_KEPT).map(closed).collect();
    let notifications = (0..=console::MESSAGES_KEPT).map(message).collect();
    view.apply(Update { seq: 1, cases, notifications, ..Update::default() });
    let kept = view.closed_cases();
    assert_eq!((kept.len(), kept[0].id.as_str()), (console::CLOSED_CASES_KEPT, "case-2000"));
    assert!(view.case(&"case-0".into()).is_none() && view.case(&"case-1".into()).is_some());
    let messages = view.messages();
    assert_eq!((messages.len(), messages[0].notification.key.repeat), (console::MESSAGES_KEPT, console::MESSAGES_KEPT as u32));
    // A kind of which there are few is not pushed out by one of which there are many.
    let mut loosened = message(0);
    loosened.key.purpose = model::Purpose::LimitsLoosened;
    let reminder = |n: usize| {
        let mut reminder = message(console::MESSAGES_KEPT + n);
        reminder.key.purpose = model::Purpose::Remind;
        reminder
    };
    let notifications = [vec![loosened.clone()], (0..=2 * console::MESSAGES_KEPT).map(reminder).collect()].concat();
    view.apply(Update { seq: 2, notifications, ..Update::default() });
    let messages = view.messages();
    let count = |purpose| messages.iter().filter(|message| message.notification.key.purpose == purpose).count();
    assert_eq!(messages.len(), console::MESSAGES_KEPT);
    assert_eq!([model::Purpose::LimitsLoosened, model::Purpose::Announce, model::Purpose::Remind].map(count), [1, 2_500, 2_499]);
    assert_eq!(messages.last().unwrap().notification, loosened);
    // Closed again at another time, as after a correction: once in the list, at its new place.
    view.apply(Update { seq: 2, cases: vec![Case { closed: Some(NOW + Duration::from_mins(600)), ..closed(1) }], ..Update::default() });
    let kept = view.closed_cases();
    assert_eq!((kept.len(), kept[0].id.as_str()), (console::CLOSED_CASES_KEPT, "case-1"));
}
