//! The whole loop with real services: MQTT in, SQLite, webhooks and sirens out, people over the HTTP API.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

#[path = "support/park.rs"]
mod park;
mod support;

use journal::{EntryKind, Reader};
use model::{CaseEvent, CaseEventKind, Condition, Duration, Notification, Purpose, Tier};
use park::Park;
use serde_json::{Value, json};
use support::{Mosquitto, watchfire};

/// How often each tag of the park is sampled.
const SAMPLED_EVERY: Duration = Duration::from_secs(5);

fn told(case: &Value, tier: u64) -> bool {
    case["tiers"].as_array().into_iter().flatten().any(|progress| progress["tier"] == tier && !progress["told"].is_null())
}

/// Cases of the park in an answer; the engine's own (a test machine's disk may be full) are another matter.
fn of_park(cases: &Value) -> usize {
    cases["cases"].as_array().into_iter().flatten().filter(|case| case["enterprise"] == "hx").count()
}

fn states(case: &Value) -> Vec<String> {
    case["episodes"].as_array().into_iter().flatten().map(|episode| episode["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn records<T: serde::de::DeserializeOwned>(park: &Park, kind: EntryKind) -> Vec<T> {
    let page = park.engine.journal().entries(&[kind], 0, 10_000).unwrap();
    page.rows.iter().map(|row| serde_json::from_slice(&row.bytes).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orange_alarm_is_signed_checked_handled_reviewed_and_closed() {
    let broker = Mosquitto::start();
    let park = Park::start(1.0, Some(broker.port)).await;
    let (op, township) = (park.login("op").await, park.login("park").await);
    park.publish("LIA-101", 50.0).await;
    park.publish("LIA-101", 91.3).await;
    let case = park.case(&op, "V-101").await;
    assert_eq!(case["level"], "orange");
    assert_eq!(case["announcements"].as_array().unwrap().len(), 2, "high and high-high, one message");
    let call = park.until("the message", async || park.sink.to("hx-op").first().cloned()).await;
    let words = call.1["text"].as_str().unwrap();
    assert!(words.contains("橙色") && words.contains("91.3%") && words.contains("限90%") && words.contains("宏信"), "{words}");
    assert!(park.sink.to("park-duty").is_empty(), "the township is told only after five minutes");

    let refused = township.close(&case, "").await.unwrap_err().to_string();
    assert!(refused.starts_with("refused"), "{refused}");
    op.acknowledge(&case).await.unwrap();
    op.accept(&case).await.unwrap();
    op.check(&case, "real", None, "现场确认").await.unwrap();
    op.step("handle", &case, "关阀").await.unwrap();
    park.publish("LIA-101", 60.0).await;
    park.until("the return", async || op.find_case(|case| states(case).iter().all(|state| state == "normal")).await.unwrap()).await;
    op.step("report", &case, "已恢复").await.unwrap();
    let case = park.case(&township, "V-101").await;
    township.accept(&case).await.unwrap();
    township.step("review", &case, "无误").await.unwrap();
    township.close(&case, "办结").await.unwrap();
    assert!(op.find_case(|case| case["enterprise"] == "hx").await.unwrap().is_none(), "nothing is open");
    let events: Vec<CaseEvent> = records(&park, EntryKind::Case);
    assert!(events.iter().any(|event| event.what == CaseEventKind::Closed && event.by.is_some()), "who closed it is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn unanswered_it_climbs_on_time_through_a_kill_and_nothing_is_sent_twice() {
    let mut park = Park::start(60.0, None).await;
    let county = park.login("county").await;
    park.publish("LIA-101", 92.0).await;
    let case = park.case(&county, "V-101").await;
    park.until("the township is told", async || park.sink.to("park-duty").first().cloned()).await;
    tokio::task::block_in_place(|| {
        park.engine.kill();
        park.engine.restart();
        park.engine.wait_ready();
    });
    let county = park.login("county").await;
    park.until("the county is told", async || county.find_case(|case| told(case, 2)).await.unwrap()).await;
    park.until("its message", async || park.sink.to("county-duty").first().cloned()).await;
    let opened = case["opened"].as_i64().unwrap();
    let notifications: Vec<Notification> = records(&park, EntryKind::Notification);
    for (tier, minutes) in [(Tier::ENTERPRISE, 0), (Tier::TOWNSHIP, 5), (Tier::COUNTY, 15)] {
        let first = notifications.iter().find(|one| one.key.tier == tier && one.key.purpose == Purpose::Announce).expect("told");
        let late = first.at.as_millis() - opened - minutes * 60_000;
        assert!((0..20_000).contains(&late), "tier {tier:?} was told {late} ms of plant time late (a restart may cost a few seconds)");
    }
    let mut keys: Vec<String> = notifications.iter().map(|one| one.key.to_string()).collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count, "no notification came into being twice");
    let sent: Vec<String> = park.sink.calls().iter().map(|(_, body)| body["key"].as_str().unwrap_or_default().to_owned()).collect();
    // Voice has a carrier's budget; what it may not say is said by the next channel.
    for notification in notifications.iter().filter(|one| one.key.channel.as_str() == "sms" && one.key.purpose == Purpose::Announce) {
        assert!(
            sent.contains(&notification.key.to_string()) || notification.at.as_millis() > opened + 15 * 60_000,
            "{} was sent",
            notification.key
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn red_toxic_gas_is_told_to_all_tiers_at_once_with_siren_and_closes_only_after_a_field_check() {
    let broker = Mosquitto::start();
    let park = Park::start(1.0, Some(broker.port)).await;
    let (op, county) = (park.login("op").await, park.login("county").await);
    park.publish("GT-201", 1.0).await;
    // Over range: its high limits latch.
    park.publish("GT-201", 120.0).await;
    let siren = park.until("the siren", async || park.sirens.zone("SL-02").filter(|siren| siren["sound"] == true)).await;
    assert_eq!(siren["light"], true);
    for person in ["hx-op", "park-duty", "county-duty"] {
        park.until(person, async || park.sink.to(person).first().cloned()).await;
    }
    let case = park.case(&op, "氨区").await;
    assert_eq!(case["level"], "red");
    op.acknowledge(&case).await.unwrap();
    op.accept(&case).await.unwrap();
    county.accept(&case).await.unwrap();
    park.publish("GT-201", 1.0).await;
    park.until("the latched return", async || {
        op.find_case(|case| states(case).iter().any(|state| state.starts_with("latched"))).await.unwrap()
    })
    .await;
    assert_eq!(park.sirens.zone("SL-02").unwrap()["sound"], true, "latched is standing: it sounds on");
    let refused = op.check(&case, "false", None, "误报").await.unwrap_err().to_string();
    assert!(refused.contains("refused"), "gas is called false only with a field reading: {refused}");
    let field = json!({ "person": "hx-op", "at": 1_000, "reading": 0.5 });
    op.check(&case, "real", Some(field), "法兰微漏,已紧固").await.unwrap();
    park.until("sound off", async || park.sirens.zone("SL-02").filter(|siren| siren["sound"] == false)).await;
    assert_eq!(park.sirens.zone("SL-02").unwrap()["light"], true, "the light stays until the case is closed");
    op.step("handle", &case, "紧固法兰").await.unwrap();
    op.step("report", &case, "已消除").await.unwrap();
    county.step("review", &case, "无误").await.unwrap();
    county.close(&case, "办结").await.unwrap();
    park.until("light off", async || park.sirens.zone("SL-02").filter(|siren| siren["light"] == false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_holds_up_no_siren_and_no_answer_and_is_an_alarm_itself() {
    let broker = Mosquitto::start();
    let mut park = Park::start(1.0, Some(broker.port)).await;
    let (op, county) = (park.login("op").await, park.login("county").await);
    park.publish("GT-201", 1.0).await;
    park.publish("LIA-101", 50.0).await;
    // Nothing else is written to it while this transaction lasts.
    let other = rusqlite::Connection::open(park.dir().join("data/watchfire.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    park.publish("GT-201", 120.0).await;
    park.until("the siren", async || park.sirens.zone("SL-02").filter(|siren| siren["sound"] == true)).await;
    let case = park.case(&op, "氨区").await;
    for person in ["hx-op", "park-duty", "county-duty"] {
        park.until(person, async || park.sink.to(person).first().cloned()).await;
    }
    op.acknowledge(&case).await.unwrap();
    op.accept(&case).await.unwrap();
    let own = park.until("the alarm on the database", async || {
        county.find_case(|case| case["enterprise"] == "_system" && case["announcements"].to_string().contains("database")).await.unwrap()
    });
    let own = own.await;
    assert!(park.engine.metric("watchfire_store_behind").unwrap() > 0.0);
    assert_eq!(park.engine.metric("watchfire_store_failing"), Some(0.0), "commits are taken");

    // Killed so, the next engine has all of it from the log.
    park.engine.kill();
    other.execute_batch("ROLLBACK").unwrap();
    tokio::task::block_in_place(|| {
        park.engine.restart();
        park.engine.wait_ready();
    });
    let op = park.login("op").await;
    let case = park.case(&op, "氨区").await;
    assert!(told(&case, 2) && case["announcements"].to_string().contains("hx-op"), "told and signed before the kill: {case}");
    park.publish("LIA-101", 91.3).await;
    park.case(&op, "V-101").await;
    let county = park.login("county").await;
    park.until("the database to be well", async || {
        county
            .find_case(|case| {
                case["id"] == own["id"] && states(case).iter().all(|state| state == "normal" || state.starts_with("returned"))
            })
            .await
            .unwrap()
    })
    .await;
    let raised = park.engine.transitions().into_iter().filter(|transition| transition.change == model::Change::Raised);
    let keys: Vec<String> = raised.map(|transition| transition.key.to_string()).collect();
    assert_eq!(keys.iter().filter(|key| key.contains("GT-201")).count(), 3, "each once: {keys:?}");
    let data = park.dir().join("data").display().to_string();
    assert!(watchfire(&["verify", "--data", &data]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_of_120_tags_that_falls_silent_is_one_case() {
    let park = Park::start(20.0, None).await;
    let county = park.login("county").await;
    for _ in 0..4 {
        park.publish_big_gateway(50.0).await;
        park.publish("LIA-101", 50.0).await;
        park.wait(5.0).await;
    }
    // The big gateway is cut; the other goes on, so it is not our own blindness.
    let case = park
        .until("the gateway's case", async || {
            park.publish("LIA-101", 50.0).await;
            park.publish("LIA-102", 50.0).await;
            park.publish("TIA-101", 20.0).await;
            park.publish("GT-201", 1.0).await;
            park.wait(2.0).await;
            county.find_case(|case| case["enterprise"] == "hx").await.unwrap()
        })
        .await;
    for _ in 0..10 {
        for (tag, value) in [("LIA-101", 50.0), ("LIA-102", 50.0), ("TIA-101", 20.0), ("GT-201", 1.0)] {
            park.publish(tag, value).await;
        }
        park.wait(3.0).await;
    }
    let cases = county.get("/api/v1/cases?state=open").await.unwrap();
    assert_eq!(of_park(&cases), 1, "one case, not a hundred: {cases}");
    assert!(case["announcements"][0]["condition"] == "gateway-lost", "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_channel_goes_over_to_the_next() {
    let park = Park::start(60.0, None).await;
    park.sink.break_channel("sms");
    // Yellow: the enterprise is told by platform and sms, never by voice; when sms fails, voice is what the person has left.
    park.publish("LIA-101", 9.0).await;
    let (channel, _) = park.until("the next channel", async || park.sink.to("hx-op").first().cloned()).await;
    assert_eq!(channel, "voice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_kept_with_its_reason_and_the_rest_goes_on() {
    let park = Park::start(1.0, None).await;
    let county = park.login("county").await;
    park.publish_raw("watchfire/v1/hx/LIA-101", b"not json".to_vec()).await;
    park.publish_raw("watchfire/v1/hx/NO-SUCH", b"{\"value\":1}".to_vec()).await;
    park.publish_raw("watchfire/v1/hx", b"[{\"tag\":\"LIA-102\",\"value\":NaN},{\"tag\":\"LIA-101\",\"value\":91}]".to_vec()).await;
    park.case(&county, "V-101").await;
    let list = park
        .until("three rows", async || {
            let list = county.get("/api/v1/quarantine?limit=100").await.unwrap();
            (list["rows"].as_array().unwrap().len() >= 3).then_some(list)
        })
        .await;
    let topics: Vec<&str> = list["rows"].as_array().unwrap().iter().map(|row| row["topic"].as_str().unwrap()).collect();
    assert!(
        topics.contains(&"watchfire/v1/hx/LIA-101") && topics.contains(&"watchfire/v1/hx/NO-SUCH") && topics.contains(&"watchfire/v1/hx"),
        "{topics:?}"
    );
    let bad = park
        .engine
        .transitions()
        .into_iter()
        .any(|one| &*one.key.alarm.tag.tag == "LIA-102" && one.key.alarm.condition.name() == "bad-quality");
    assert!(bad, "an unreadable value of a known tag is a bad reading too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_after_an_hour_makes_no_new_stale_cases() {
    let mut park = Park::start(120.0, None).await;
    park.publish_big_gateway(50.0).await;
    park.publish("LIA-101", 50.0).await;
    tokio::task::block_in_place(|| park.engine.stop());
    let stopped = park.now();
    park.wait(3600.0).await;
    let restarted = park.now();
    tokio::task::block_in_place(|| {
        park.engine.restart();
        park.engine.wait_ready();
    });
    // Two sample times are granted from the start on, so nothing may be called silent before they are over; then what says nothing is.
    let silent = park
        .until("what stays silent is called so", async || {
            let all = park.engine.transitions().into_iter();
            let silent = all.filter(|one| matches!(one.key.alarm.condition, Condition::Stale | Condition::GatewayLost));
            Some(silent.collect::<Vec<_>>()).filter(|silent| silent.len() > 120)
        })
        .await;
    for one in silent.into_iter().filter(|one| one.at > stopped) {
        assert!(one.at >= restarted + SAMPLED_EVERY.times(2), "{one:?} after a restart at {restarted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_sent_twice_under_one_id_gets_the_first_answer_even_across_a_kill() {
    let mut park = Park::start(1.0, None).await;
    let op = park.login("op").await;
    park.publish("LIA-101", 91.0).await;
    let case = park.case(&op, "V-101").await;
    let keys: Vec<Value> = case["announcements"].as_array().unwrap().iter().map(|one| one["key"].clone()).collect();
    let act = json!({ "id": "the-same-id", "act": "accept", "case": case["id"], "announcements": keys });
    let post = async |park: &Park, desk: &simulator::Desk| {
        let http = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{}/api/v1/acts", park.engine.http);
        http.post(url).bearer_auth(desk.token()).json(&act).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let first = post(&park, &op).await;
    assert_eq!(first["answer"], "done");
    tokio::task::block_in_place(|| {
        park.engine.kill();
        park.engine.restart();
        park.engine.wait_ready();
    });
    let op = park.login("op").await;
    assert_eq!(post(&park, &op).await, first);
    let accepted = records::<CaseEvent>(&park, EntryKind::Case)
        .into_iter()
        .filter(|event| matches!(event.what, CaseEventKind::Accepted { .. }))
        .count();
    assert_eq!(accepted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_excursion_that_has_gone_is_recorded_and_pages_nobody() {
    let park = Park::start(1.0, None).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    for (minutes_ago, value) in [(40, 50.0), (30, 82.0), (20, 50.0), (10, 51.0)] {
        let ts = now - minutes_ago * 60_000;
        park.publish_raw("watchfire/v1/hx/LIA-101", json!({ "ts": ts, "value": value }).to_string().into_bytes()).await;
    }
    park.until("raise and return in the journal", async || (park.engine.transitions().len() >= 2).then_some(())).await;
    assert!(park.engine.transitions()[0].late, "marked late");
    let notifications: Vec<Notification> = records(&park, EntryKind::Notification);
    assert!(notifications.is_empty(), "a high that came and went is shown, not paged: {notifications:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_one_unbroken_chain_and_names_the_row_that_was_edited() {
    let mut park = Park::start(1.0, None).await;
    let op = park.login("op").await;
    park.publish("LIA-101", 91.0).await;
    park.case(&op, "V-101").await;
    tokio::task::block_in_place(|| park.engine.stop());
    let data = park.dir().join("data").display().to_string();
    assert!(watchfire(&["verify", "--data", &data]).status.success());
    let status = watchfire(&["status", "--data", &data, "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(of_park(&status), 1, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_broker_is_one_alarm_of_our_own_and_no_tag_is_called_silent() {
    let broker = Mosquitto::start();
    let park = Park::start(20.0, Some(broker.port)).await;
    let county = park.login("county").await;
    for _ in 0..3 {
        park.publish_big_gateway(50.0).await;
        park.wait(5.0).await;
    }
    drop(broker);
    let case = park.until("the engine's own case", async || county.find_case(|case| case["enterprise"] == "_system").await.unwrap()).await;
    // Long past every tag's stale time; but nobody was listening.
    park.wait(120.0).await;
    let cases = county.get("/api/v1/cases?state=all").await.unwrap();
    assert_eq!(of_park(&cases), 0, "one alarm per broker, not one per tag: {cases}");
    assert_eq!(case["announcements"][0]["condition"], "system");
}
