//! What outlives the engine, also kill -9: every reading in the history but for the second that may be lost (and that is said), the journal for
//! as long as it is to be kept, and what a device said of itself.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use journal::history::{HistoryReader, HistoryReading};
use journal::{AheadStore, Anchor, Batch, Entry, EntryKind, Outside, Reader, Store, StoreError};
use model::{Change, Condition, Quality, TagId, Timestamp};
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

fn stored(data: &Path, tag: &str) -> Vec<HistoryReading> {
    let Some(mut reader) = HistoryReader::open(data).unwrap() else { return Vec::new() };
    let mut rows = Vec::new();
    reader
        .merged::<StoreError>(&[TagId::new("tep", tag)], Timestamp::MIN, Timestamp::MAX, |row| {
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
    until("the history to have them", || (stored(data.path(), "XMEAS-7").len() == 205).then_some(()));
    let rows = stored(data.path(), "XMEAS-7");
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
    assert_eq!(stored(data.path(), "XMEAS-7").len(), 206, "a stop in good order writes everything");

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
fn calculated_values_are_kept_beside_what_they_came_from_and_never_taken_for_readings() {
    let dir = tempfile::tempdir().unwrap();
    let (config, data) = (dir.path().join("config"), dir.path().join("data"));
    assert!(std::process::Command::new("cp").arg("-r").args([&root().join("config/tep"), &config]).status().unwrap().success());
    let rules = "[calculated.tep.\"DOUBLE\"]\nequipment = \"R-101\"\nequals = \"[XMEAS-7] + [XMEAS-7]\"\nunit = \"kPa\"\nsignal = \"pressure\"\n\
                 high = { limit = 5_404 }\n";
    std::fs::write(config.join("rules.toml"), rules).unwrap();
    let mut engine = Engine::start(&config, &data, None, &[]);
    let mut gateway = Gateway::connect(engine.mqtt);
    let start = now_ms() - 10_000;
    for at in 0..8 {
        gateway.publish(&format!(r#"{{"ts":{},"value":{}}}"#, start + at * 1_000, 2_700 + at % 4));
    }
    gateway.publish(&format!(r#"{{"ts":{},"value":2703.5,"quality":"bad"}}"#, start + 8_000));
    engine.stop();
    let values: Vec<_> = stored(&data, "DOUBLE").iter().map(|row| row.reading.value).collect();
    assert_eq!(values[..8], [5_400.0, 5_402.0, 5_404.0, 5_406.0, 5_400.0, 5_402.0, 5_404.0, 5_406.0]);
    assert!(stored(&data, "DOUBLE")[8..].iter().all(|row| row.reading.quality != Quality::Good), "what came of a bad one is not good");
    assert_eq!(stored(&data, "XMEAS-7").len(), 9);
    let again = watchfire(&["replay", "--json", "--data", &data.display().to_string()]);
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((again.status.code(), report["readings"].as_u64(), report["ok"].as_bool()), (Some(0), Some(9), Some(true)), "{report}");
    let tried = watchfire(&["backtest", &config.display().to_string(), "--data", &data.display().to_string(), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert!(report.to_string().contains("\"9 readings") || report.to_string().contains("读数 9 个"), "{report}");
}

#[test]
fn journal_rows_past_their_retention_go_announced_and_what_is_left_verifies() {
    const DAY_MS: i64 = 86_400_000;
    const OLD: u64 = 950;
    const FACTOR: i64 = 100_000;
    let data = tempfile::tempdir().unwrap();
    // A day is less than a second. The engine believes it is 500 days later, so that there can be rows of a year ago.
    let now = now_ms();
    let (epoch, believed) = (now - 500 * DAY_MS / (FACTOR - 1), now + 500 * DAY_MS);
    {
        let mut store = AheadStore::open(data.path()).unwrap();
        for number in 0..OLD + 20 {
            let age = if number < OLD { 400 * DAY_MS - number as i64 * 1_000 } else { 100 * DAY_MS };
            let at = Timestamp((believed - age) * 1_000);
            let bytes = format!(r#"{{"event":"row","number":{number}}}"#).into_bytes();
            let entry = Entry { kind: EntryKind::System, format: 1, key: None, subject: None, at, bytes };
            store.commit(&Batch { now: at, entries: vec![entry], ..Batch::default() }).unwrap();
        }
    }
    let epoch = (epoch * 1_000).to_string();
    let factor = FACTOR.to_string();
    let mut engine = Engine::start(&root().join("config/tep"), data.path(), None, &["--time-factor", &factor, "--time-epoch", &epoch]);
    let reader = engine.journal();
    // A twenty-fifth of them in a day.
    until("the oldest rows to go", || (reader.oldest(1).unwrap()[0].seq >= 201).then_some(()));
    engine.kill();
    engine.restart();
    engine.wait_ready();
    engine.stop();
    let cuts = reader.entries(&[EntryKind::Cut], 0, 100).unwrap().rows;
    let through: Vec<_> = cuts.iter().map(|row| row.key.clone().unwrap()).collect();
    assert_eq!(through[..4], ["cut:50", "cut:100", "cut:150", "cut:200"]);
    let first = reader.oldest(1).unwrap()[0].seq;
    assert!(first % 50 == 1 && first < 900, "{first}");
    let verified = |now: Timestamp, anchors: Vec<Anchor>| journal::verify(data.path(), &Outside { anchors, now }, |_, _| {}).unwrap();
    let later = Timestamp(believed * 1_000 + 1_000 * DAY_MS * 1_000);
    let report = verified(later, Vec::new());
    assert_eq!((report.is_intact(), report.first), (true, first), "{report:?}");
    // An anchor of a row that is gone proves nothing and contradicts nothing; of one younger than what was announced it does.
    let gone = |age: i64| Anchor { seq: 7, hash: reader.head().unwrap().hash, at: Some(Timestamp((believed - age) * 1_000)) };
    assert!(verified(later, vec![gone(400 * DAY_MS)]).is_intact());
    assert!(!verified(later, vec![gone(300 * DAY_MS)]).is_intact());

    // For us it is still today, and nobody can have written then that rows are a year old; told in words and to programs.
    let folder = data.path().display().to_string();
    let words = watchfire(&["verify", "--data", &folder]);
    assert_eq!(words.status.code(), Some(1));
    assert!(String::from_utf8(words.stdout).unwrap().contains("unannounced"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Anchor { seq: 1_000_000, ..gone(0) }.to_text()).unwrap();
    let json = watchfire(&["verify", "--json", "--data", &folder, "--anchor", &file.path().display().to_string()]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((report["first"].as_u64(), report["first_bad"]["why"].as_str()), (Some(first), Some("truncated")));
    std::fs::write(file.path(), "no anchor").unwrap();
    let refused = watchfire(&["verify", "--data", &folder, "--anchor", &file.path().display().to_string()]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("journal.head"));
}

#[test]
fn an_inhibit_bit_that_nobody_declared_is_an_alarm_of_its_gateway_and_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(&root().join("config/tep"), data.path(), None, &[]);
    let payload = |inhibit: bool| format!(r#"{{"ts":{},"value":2700,"inhibit":{inhibit}}}"#, now_ms());
    let said = |engine: &Engine| -> Vec<(Change, String)> {
        let all = engine.transitions().into_iter().filter(|one| one.key.alarm.condition == Condition::Inhibited);
        all.map(|one| (one.change, one.key.alarm.tag.to_string())).collect()
    };
    let mut gateway = Gateway::connect(engine.mqtt);
    gateway.publish(&payload(true));
    gateway.publish(&payload(true));
    assert_eq!(said(&engine), [(Change::Raised, "tep/DCS".to_owned())]);
    engine.kill();
    engine.restart();
    engine.wait_ready();
    let mut gateway = Gateway::connect(engine.mqtt);
    gateway.publish(&payload(true));
    assert_eq!(said(&engine).len(), 1, "a restart is no news");
    gateway.publish(&payload(false));
    assert_eq!(said(&engine)[1..], [(Change::Returned, "tep/DCS".to_owned())]);
    engine.stop();
    let again = watchfire(&["replay", "--json", "--data", &data.path().display().to_string()]);
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert!(report["stretches"].as_array().is_some_and(|all| !all.is_empty()) && report["first_difference"].is_null(), "{report}");
}
