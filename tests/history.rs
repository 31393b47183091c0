//! Every reading the engine took is in the history, also after kill -9, but for the second that may be lost: and that is said.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use journal::history::{HistoryReader, HistoryReading};
use journal::{AheadStore, Anchor, Batch, Entry, EntryKind, Reader, Store, StoreError};
use model::{TagId, Timestamp};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Engine, http_get, root, until, watchfire};

/// A gateway that waits for each acknowledgement, so that what it published is what the engine took.
struct Gateway {
    client: Client,
    connection: rumqttc::Connection,
}

impl Gateway {
    fn connect(port: u16) -> Self {
        let mut options = MqttOptions::new("history-gateway", "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30));
        let (client, connection) = Client::new(options, 10);
        Self { client, connection }
    }
    fn publish(&mut self, payload: &str) {
        self.client.publish("watchfire/v1/tep/XMEAS-7", QoS::AtLeastOnce, false, payload).unwrap();
        for event in self.connection.iter() {
            if matches!(event.unwrap(), Event::Incoming(Packet::PubAck(_))) {
                return;
            }
        }
    }
}

fn stored(data: &Path) -> Vec<HistoryReading> {
    let Some(mut reader) = HistoryReader::open(data).unwrap() else { return Vec::new() };
    let mut rows = Vec::new();
    reader
        .merged::<StoreError>(&[TagId::new("tep", "XMEAS-7")], Timestamp::MIN, Timestamp::MAX, |row| {
            rows.push(*row);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

#[test]
fn every_reading_is_kept_and_a_kill_costs_a_second_that_is_recorded() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(&root().join("config/tep"), data.path(), None, &[]);
    let mut gateway = Gateway::connect(engine.mqtt);
    let start = now_ms() - 60_000;
    for at in 0..200 {
        gateway.publish(&format!(r#"{{"ts":{},"value":{},"quality":"good","seq":{at}}}"#, start + at * 100, 2_700 + at % 7));
    }
    // The same again, one of yesterday, one of tomorrow, a bad one, an unreadable one.
    gateway.publish(&format!(r#"{{"ts":{},"value":2705.5,"seq":199}}"#, start + 19_900));
    gateway.publish(&format!(r#"{{"ts":{},"value":2701.25}}"#, start - 86_400_000));
    gateway.publish(&format!(r#"{{"ts":{},"value":2702.5,"quality":"uncertain"}}"#, start + 86_400_000));
    gateway.publish(&format!(r#"{{"ts":{},"value":2703.5,"quality":"bad"}}"#, start + 20_000));
    gateway.publish(&format!(r#"{{"ts":{},"value":"broken"}}"#, start + 20_100));
    until("the history to have them", || (stored(data.path()).len() == 205).then_some(()));
    let rows = stored(data.path());
    for (at, row) in rows.iter().take(200).enumerate() {
        assert_eq!(row.reading.source_time, Timestamp::from_millis(start + at as i64 * 100));
        assert_eq!((row.reading.value, row.reading.sequence), (2_700.0 + (at % 7) as f64, Some(at as u64)));
        assert!(row.taken >= row.reading.receive_time);
    }
    assert_eq!(rows[200].reading.source_time, rows[199].reading.source_time, "a repeat is a reading too");
    assert_eq!(rows[201].reading.source_time, Timestamp::from_millis(start - 86_400_000));
    assert_eq!(rows[202].reading.source_time, Timestamp::from_millis(start + 86_400_000));
    assert!(rows[204].reading.value.is_nan());

    engine.kill();
    engine.restart();
    engine.wait_ready();
    // Journaled within a second or two of the start.
    let gap = until("the gap to be journaled", || {
        let rows = engine.journal().entries(&[EntryKind::System], 0, 1_000).unwrap().rows;
        let mut events = rows.iter().map(|row| serde_json::from_slice::<serde_json::Value>(&row.bytes).unwrap());
        events.find(|event| event["event"] == "history-gap")
    });
    assert_eq!((&gap["why"], &gap["from"]), (&"crash".into(), &rows[204].taken.0.into()));
    let mut gateway = Gateway::connect(engine.mqtt);
    gateway.publish(&format!(r#"{{"ts":{},"value":2700,"seq":200}}"#, start + 21_000));
    engine.stop();
    assert_eq!(stored(data.path()).len(), 206, "a stop in good order writes everything");

    let file = data.path().join("out.csv");
    let (folder, out) = (data.path().display().to_string(), file.display().to_string());
    let export = watchfire(&["export", "readings", "--data", &folder, "--tag", "tep/XMEAS-7", "--out", &out]);
    let said = String::from_utf8_lossy(&export.stderr).into_owned();
    assert_eq!(export.status.code(), Some(1), "readings may be missing: {said}");
    assert!(said.contains("206") && (said.contains("crash") || said.contains("异常中断")), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 207);
    let export = watchfire(&["export", "readings", "--data", &folder, "--tag", "tep/NONE"]);
    assert_eq!(export.status.code(), Some(2));
    assert!(http_get(engine.http, "/health/live").is_none(), "it has stopped");
}

#[test]
fn journal_rows_past_their_retention_go_announced_and_what_is_left_verifies() {
    const DAY_MS: i64 = 86_400_000;
    const OLD: u64 = 450;
    let data = tempfile::tempdir().unwrap();
    let now = now_ms();
    {
        let mut store = AheadStore::open(data.path()).unwrap();
        for number in 0..OLD + 20 {
            let age = if number < OLD { 400 * DAY_MS - number as i64 * 1_000 } else { DAY_MS };
            let at = Timestamp((now - age) * 1_000);
            let bytes = format!(r#"{{"event":"row","number":{number}}}"#).into_bytes();
            let entry = Entry { kind: EntryKind::System, format: 1, key: None, subject: None, at, bytes };
            store.commit(&Batch { now: at, entries: vec![entry], ..Batch::default() }).unwrap();
        }
    }
    // A minute is a tenth of a second; the first look comes after five.
    let epoch = (now * 1_000).to_string();
    let mut engine = Engine::start(&root().join("config/tep"), data.path(), None, &["--time-factor", "600", "--time-epoch", &epoch]);
    let reader = engine.journal();
    until("the old rows to go", || (reader.oldest(1).unwrap()[0].seq == 401).then_some(()));
    // What is not a whole piece stays, and younger ones however long it runs.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(reader.oldest(1).unwrap()[0].seq, 401);
    engine.kill();
    engine.restart();
    engine.wait_ready();
    engine.stop();
    let cuts = reader.entries(&[EntryKind::Cut], 0, 100).unwrap().rows;
    let through: Vec<_> = cuts.iter().map(|row| row.key.clone().unwrap()).collect();
    assert_eq!(through, ["cut:200", "cut:400"]);
    let data = data.path().display().to_string();
    let verified = watchfire(&["verify", "--json", "--data", &data]);
    assert!(verified.status.success(), "{verified:?}");
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((report["ok"].as_bool(), report["first"].as_u64()), (Some(true), Some(401)));
    // An anchor of a row that is gone proves nothing and contradicts nothing; one of a journal that was longer does.
    let anchor = |seq: u64| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), Anchor { seq, hash: reader.head().unwrap().hash }.to_text()).unwrap();
        let verified = watchfire(&["verify", "--data", &data, "--anchor", &file.path().display().to_string()]);
        (verified.status.success(), String::from_utf8(verified.stdout).unwrap())
    };
    let (ok, words) = anchor(7);
    assert!(ok && words.contains("401"), "{words}");
    assert!(!anchor(1_000_000).0);
}
