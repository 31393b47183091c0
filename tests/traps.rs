//! Traps that only show with a real broker and real messages: what is retained, and what the county reads half an hour later.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

#[path = "support/park.rs"]
mod park;
mod support;

use model::{Change, Condition};
use park::Park;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::Mosquitto;

/// Leaves messages at the broker for whoever subscribes later.
fn retain(port: u16, messages: &[(&str, serde_json::Value)]) {
    let mut options = MqttOptions::new("retaining-gateway", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut connection) = Client::new(options, 10);
    for (tag, payload) in messages {
        client.publish(format!("watchfire/v1/hx/{tag}"), QoS::AtLeastOnce, true, payload.to_string()).unwrap();
    }
    let acks = connection.iter().map(Result::unwrap).filter(|event| matches!(event, Event::Incoming(Packet::PubAck(_))));
    assert_eq!(acks.take(messages.len()).count(), messages.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_old_reading_delivered_at_subscribe_is_neither_news_nor_live() {
    let broker = Mosquitto::start();
    let three_hours_ago = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 - 3 * 3_600_000;
    let old = json!({ "ts": three_hours_ago, "value": 85 });
    tokio::task::block_in_place(|| retain(broker.port, &[("LIA-101", old), ("LIA-102", json!({ "value": 91 }))]));
    let park = Park::start(1.0, Some(broker.port)).await;
    let county = park.login("county").await;
    let said = |tag: &str| -> Vec<_> {
        let of = park.engine.transitions().into_iter().filter(|one| &*one.key.alarm.tag.tag == tag);
        of.map(|one| (one.key.alarm.condition, one.change, one.late)).collect()
    };
    // With a time: judged by it, marked late, and over before anybody was told. Without one it says nothing of now.
    park.until("the retained reading to be judged", async || (!said("LIA-101").is_empty()).then_some(())).await;
    park.publish("LIA-101", 50.0).await;
    park.until("the return", async || (said("LIA-101").len() == 2).then_some(())).await;
    assert_eq!(said("LIA-101"), [(Condition::High, Change::Raised, true), (Condition::High, Change::Returned, true)]);
    let kept = county.get("/api/v1/quarantine?limit=100").await.unwrap();
    assert!(kept.to_string().contains("retained-without-time"), "{kept}");
    assert_eq!(said("LIA-102"), []);
    // What is retained but comes while we listen is fresh.
    tokio::task::block_in_place(|| retain(broker.port, &[("LIA-102", json!({ "value": 91 }))]));
    park.until("the alarm", async || (said("LIA-102").len() == 2).then_some(())).await;
    assert!(said("LIA-102").iter().all(|(_, change, late)| (*change, *late) == (Change::Raised, false)));
    // Its message went out after anything of the old reading would have.
    park.until("its message", async || park.sink.calls().iter().any(|(_, call)| call.to_string().contains("LIA-102")).then_some(())).await;
    assert!(!park.sink.calls().iter().any(|(_, call)| call.to_string().contains("LIA-101")), "{:?}", park.sink.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_county_reads_a_quarter_of_an_hour_later_is_the_value_of_then() {
    let park = Park::start(200.0, None).await;
    park.publish("LIA-101", 50.0).await;
    park.publish("LIA-101", 91.3).await;
    let first = park.until("the enterprise's message", async || park.sink.to("hx-op").first().cloned()).await;
    assert!(first.1["text"].as_str().unwrap().contains("91.3"), "{}", first.1);
    let told = park
        .until("the county's message", async || {
            park.publish("LIA-101", 94.6).await;
            park.sink.to("county-duty").first().cloned()
        })
        .await;
    let words = told.1["text"].as_str().unwrap();
    assert!(words.contains("94.6") && !words.contains("91.3") && words.contains("限90%"), "{words}");
}
