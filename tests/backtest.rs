//! What a backtest and a suggestion are held against, and who may read what comes of them.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

#[path = "support/park.rs"]
mod park;
mod support;

use park::{Login, Park};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Engine, root};

const LIST: &str = "enterprises/tep.csv";

/// A data folder in which the pressure was twice beyond its high limit, and its configuration folder.
fn lived(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (config, data) = (dir.join("config"), dir.join("data"));
    assert!(Command::new("cp").arg("-r").args([&root().join("config/tep"), &config]).status().unwrap().success());
    let mut engine = Engine::start(&config, &data, None, &[]);
    let mut options = MqttOptions::new("gateway", "127.0.0.1", engine.mqtt);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 10);
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64 - 40_000;
    for (second, value) in [2_700, 2_900, 2_700, 2_900, 2_700, 2_900, 2_700, 2_900, 2_700].into_iter().enumerate() {
        let payload = format!(r#"{{"ts":{},"value":{value}}}"#, start + second as i64 * 4_000);
        client.publish("watchfire/v1/tep/XMEAS-7", QoS::AtLeastOnce, false, payload).unwrap();
        assert!(connection.iter().any(|event| matches!(event.unwrap(), Event::Incoming(Packet::PubAck(_)))));
    }
    engine.stop();
    (config, data)
}

fn run(folder: &Path, args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_watchfire")).args(args).current_dir(folder).env_remove("WATCHFIRE_CONFIG").output().unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let ended = run(folder, args);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn what_is_tried_is_compared_with_what_is_in_force_and_not_with_the_folder_edited_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let (config, data) = lived(dir.path());
    let list = std::fs::read_to_string(config.join(LIST)).unwrap();
    assert!(list.contains("2895"), "{list}");
    std::fs::write(config.join(LIST), list.replace("2895", "2950")).unwrap();
    let tried = json(dir.path(), &["backtest", "config", "--data", "data", "--json"]);
    assert_eq!((&tried["before"]["source"], &tried["lost"]), (&json!("in-force"), &json!(4)), "{tried}");
    let given = json(dir.path(), &["backtest", "config", "--data", "data", "--against", "config", "--json"]);
    assert_eq!((&given["before"]["source"], &given["lost"]), (&json!("folder"), &json!(0)), "{given}");
    // In words too.
    let words = run(dir.path(), &["backtest", "config", "--data", "data"]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("the version in force of data") || words.contains("data 的在用组态"), "{words}");

    // What is suggested is for the limit in force as well; the folder's would raise nothing.
    let suggested = json(dir.path(), &["suggest", "--data", "data", "--json"]);
    assert_eq!((&suggested["source"], suggested["before"]["alarms"].as_u64()), (&json!("in-force"), Some(1)), "{suggested}");
    assert_eq!((suggested["suggestions"].as_array().unwrap().len(), &suggested["real_alarms_broken"]), (1, &json!([])), "{suggested}");
    let edited = json(dir.path(), &["suggest", "--data", "data", "--config", "config", "--json"]);
    assert_eq!((&edited["source"], edited["before"]["alarms"].as_u64()), (&json!("folder"), Some(0)), "{edited}");
    // What the table counts and what people were told of are two things, and both are said.
    let said = |args: &[&str]| {
        let ended = run(dir.path(), args);
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
    };
    let (_, words, _) = said(&["--lang", "en", "suggest", "--data", "data"]);
    assert!(words.contains("4 -> 0") && words.contains("raised 4 -> 0 times") && words.contains("told of 1 -> 0"), "{words}");
    let (_, words, _) = said(&["--lang", "en", "suggest", "--data", "data", "--config", "config"]);
    assert!(words.contains("Nothing to suggest: no limit was raised 3 times"), "{words}");
    assert!(!words.contains('─'), "no empty table: {words}");

    // An enterprise that there is not, and a time on the plant's clock.
    let (code, _, why) = said(&["--lang", "en", "backtest", "config", "--data", "data", "--enterprise", "tepp"]);
    assert_eq!(code, Some(2), "{why}");
    assert!(why.contains("no enterprise `tepp`; there are tep"), "{why}");
    let (code, _, why) = said(&["backtest", "config", "--data", "data", "--enterprise", "tep", "--from", "2026-03-01 03:00"]);
    assert_eq!(code, Some(0), "{why}");

    // Where the data folder keeps none it is the folder.
    std::fs::remove_dir_all(data.join("configurations")).unwrap();
    let without = json(dir.path(), &["backtest", "config", "--data", "data", "--json"]);
    assert_eq!((&without["before"]["source"], &without["lost"]), (&json!("folder"), &json!(0)), "{without}");
}

impl Login {
    /// Tries these files on the history.
    async fn tries(&self, park: &Park, files: &Value) -> (String, Value) {
        let (status, plan) = self.post("config/plan", json!({ "files": files })).await;
        assert_eq!(status, 200, "{plan}");
        assert_eq!(plan["enterprises"], json!([]), "it changes nothing: {plan}");
        let (status, begun) = self.post("backtests", json!({ "plan": plan["id"] })).await;
        assert_eq!(status, 202, "{begun}");
        let path = format!("backtests/{}", begun["id"].as_str().unwrap());
        let ended = async || Some(self.read(&path).await).filter(|one| one["status"] != "running");
        let done = park.until("the backtest to end", ended).await;
        assert_eq!(done["status"], "done", "{done}");
        (path, done["result"].clone())
    }
}

/// The park's files, with a second enterprise of the same park.
fn with_a_neighbour(park: &Park) -> Value {
    let config = park.dir().join("config");
    let read = |name: &str| std::fs::read_to_string(config.join(name)).unwrap();
    let list = read("enterprises/hx.csv");
    let rows: Vec<&str> = list.lines().take(2).collect();
    let neighbour = format!("{}\n{}\n", rows[0], rows[1].replace("LIA-101", "LIA-901").replace("339900000001", "339900000009"));
    let body =
        "[[enterprise]]\nid = \"bx\"\nname = \"邻厂\"\nshort_name = \"邻厂\"\nresponsible_body = \"park\"\nduty_phone = \"bx-phone\"\n";
    let people = "[bodies.bx]\npeople = [\n  { id = \"bx-op\", name = \"bx-op\", channels = [\"platform\", \"sms\", \"voice\"] },\n  \
                  { id = \"bx-second\", name = \"bx-second\", channels = [\"platform\", \"sms\"] },\n  \
                  { id = \"bx-phone\", name = \"值班电话\", channels = [\"voice\", \"sms\"] },\n]\n\
                  roster = [{ days = \"每天\", from = \"00:00\", to = \"24:00\", people = [\"bx-op\"] }]\n";
    let gateways = "[gateways.bx]\nGW01 = { name = \"罐区网关\", interval = \"5s\" }\n[sirens.bx]\nSL-01 = \"罐区\"\n";
    json!({
        "jurisdiction.toml": read("jurisdiction.toml") + body,
        "people.toml": read("people.toml") + people,
        "gateways.toml": read("gateways.toml") + gateways,
        "server.toml": read("server.toml"),
        "enterprises/hx.csv": list,
        "enterprises/bx.csv": neighbour,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_that_tries_what_is_in_force_hears_of_nobody_else() {
    let park = Park::start(1.0, None).await;
    let (op, township, admin) = (Login::of(&park, "op").await, Login::of(&park, "park").await, Login::of(&park, "admin").await);
    let files = with_a_neighbour(&park);
    let (_, plan) = admin.post("config/plan", json!({ "files": files })).await;
    let (status, applied) = admin.post("config/apply", json!({ "id": plan["id"] })).await;
    assert_eq!((status, &applied["status"]), (200, &json!("applied")), "{plan} {applied}");
    for value in [50.0, 85.0, 60.0] {
        park.publish("LIA-101", value).await;
        park.publish_raw("watchfire/v1/bx/LIA-901", json!({ "value": value }).to_string().into_bytes()).await;
    }
    park.until("the history to be written", async || {
        let count = async |path: &str| {
            let history = admin.read(path).await;
            history["points"].as_array().map_or(0, |points| points.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>())
        };
        (count("tags/hx/LIA-101/history").await == 3 && count("tags/bx/LIA-901/history").await == 3).then_some(())
    })
    .await;
    let names_neighbour = |result: &Value| ["LIA-901", "bx-op", "bx-phone"].iter().any(|name| result.to_string().contains(name));
    let (own, result) = op.tries(&park, &files).await;
    assert!(result.to_string().contains("LIA-101") && !names_neighbour(&result), "{result}");
    // The park oversees all of it, and an admin's backtest of the same files is of the whole county.
    assert_eq!(township.get(&own).await.0, 200);
    let (whole, result) = admin.tries(&park, &files).await;
    assert!(result.to_string().contains("LIA-101") && names_neighbour(&result), "{result}");
    assert_eq!((op.get(&whole).await.0, township.get(&whole).await.0), (404, 404), "neither is the county");
}
