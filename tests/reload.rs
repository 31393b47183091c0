//! Another configuration in the running engine: planned, refused, confirmed, applied, taken back, with alarms standing and delays running.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

#[path = "support/park.rs"]
mod park;
mod support;

use journal::{EntryKind, Reader};
use model::{Change, Condition};
use park::{Login, Park};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;

/// The park's files with `from` replaced by `to` in its list.
fn files(park: &Park, from: &str, to: &str) -> Value {
    let config = park.dir().join("config");
    let mut files = BTreeMap::new();
    for name in ["jurisdiction.toml", "people.toml", "gateways.toml", "server.toml", "enterprises/hx.csv"] {
        let text = std::fs::read_to_string(config.join(name)).unwrap();
        assert!(name != "enterprises/hx.csv" || text.contains(from), "`{from}` is not in the list");
        files.insert(name, if name == "enterprises/hx.csv" { text.replace(from, to) } else { text });
    }
    json!(files)
}

impl Login {
    async fn plan(&self, files: Value) -> Value {
        let (status, plan) = self.post("config/plan", json!({ "files": files })).await;
        assert_eq!(status, 200, "{plan}");
        plan
    }
    async fn in_force(&self) -> String {
        self.read("config").await["versions"].as_array().unwrap().last().unwrap()["version"].as_str().unwrap().to_owned()
    }
    async fn limit(&self, tag: &str, of: &str) -> Value {
        self.read(&format!("tags?q={tag}")).await["tags"][0]["limits"][of].clone()
    }
}

/// `tag condition change` of every transition of a tag so far.
fn said(park: &Park, tag: &str) -> Vec<(Condition, Change)> {
    let of = |transition: &model::Transition| &*transition.key.alarm.tag.tag == tag;
    park.engine.transitions().iter().filter(|transition| of(transition)).map(|one| (one.key.alarm.condition, one.change)).collect()
}

fn lines(plan: &Value) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or("-").to_owned();
    let of = |line: &Value| ["tag", "condition", "item", "old_en", "new_en", "direction"].map(|key| text(line, key)).join(" ");
    plan["lines"].as_array().unwrap().iter().map(of).collect()
}

fn effects(plan: &Value) -> Vec<(String, String, String)> {
    let text = |effect: &Value, key: &str| effect[key].as_str().unwrap().to_owned();
    plan["effects"].as_array().unwrap().iter().map(|one| (text(one, "tag"), text(one, "condition"), text(one, "what"))).collect()
}

fn hang_up(park: &Park) {
    assert!(Command::new("kill").args(["-HUP", &park.engine.pid().to_string()]).status().unwrap().success());
}

const TIA: &str = "℃,/,-20,100,/,/,38,45,/,1,0,";
const TIA_LOOSER: &str = "℃,/,-20,100,/,/,38,47,/,1,60,";
const LIA: &str = "1#罐液位,V-101,常压储罐,339900000001,三级,甲醇,液位,%,/,0,100,10,15,80,90,";

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_loosened_only_by_two_people_and_tightened_at_once_while_alarms_stand_and_delays_run() {
    let mut park = Park::start(1.0, None).await;
    let (op, township, county) = (Login::of(&park, "op").await, Login::of(&park, "park").await, Login::of(&park, "county").await);
    let original = op.in_force().await;

    // Refused: a fault with its place, and the one in force stays.
    let refused = op.plan(files(&park, "38,45", "38,4S")).await;
    assert_eq!(refused["status"], "refused", "{refused}");
    let place = refused["faults"][0]["place"].as_str().unwrap();
    assert!(place.contains("enterprises/hx.csv:4:"), "{place}");
    assert_eq!(op.post("config/apply", json!({ "id": refused["id"] })).await.0, 409);
    assert_eq!(op.in_force().await, original);

    // 放宽 on an orange limit: not without a ticket, a reason and a second person of a tier above.
    let plan = op.plan(files(&park, TIA, TIA_LOOSER)).await;
    assert_eq!(
        lines(&plan),
        ["TIA-101 high-high setpoint 45 47 looser", "TIA-101 high on-delay 0s 60s looser"],
        "those that want a ticket first"
    );
    let id = plan["id"].as_str().unwrap();
    let apply = async |second: &str, ticket: &str| {
        let body = json!({ "id": id, "ticket": ticket, "reason": "温度波动", "second": second });
        let (status, answer) = op.post("config/apply", body).await;
        (status, answer["error"].as_str().or(answer["status"].as_str()).unwrap().to_owned())
    };
    assert_eq!(apply("park-duty", "").await, (409, "ticket-needed".to_owned()));
    assert_eq!(apply("hx-op", "B-17").await, (403, "same-person".to_owned()));
    assert_eq!(apply("op", "B-17").await, (403, "same-person".to_owned()), "a login is its person");
    for unfit in ["hx-second", "second", "admin", "nobody"] {
        let body = json!({ "id": id, "ticket": "B-17", "reason": "温度波动", "second": unfit });
        let (status, answer) = op.post("config/apply?lang=en", body).await;
        assert_eq!((status, &answer["error"]), (409, &json!("second-unfit")), "{unfit}");
        let text = answer["text"].as_str().unwrap();
        assert!(text.ends_with("one of county-duty (county-duty), park-duty (park-duty)"), "{text}");
    }
    assert_eq!(apply("park-duty", "B-17").await, (200, "waiting".to_owned()));
    // What the second person is shown does not change under their eyes.
    assert_eq!(apply("park-duty", "B-18").await, (409, "plan-waits".to_owned()));
    assert_eq!(apply("park-duty", "B-17").await, (200, "waiting".to_owned()));
    // The name of a login means its person.
    assert_eq!(apply("park", "B-17").await, (200, "waiting".to_owned()));
    assert_eq!(op.read("config").await["plans"][0]["second"], "park-duty");
    assert_eq!(op.in_force().await, original);
    let confirm = json!({ "id": id, "agree": true });
    assert_eq!(op.post("config/confirm", confirm.clone()).await.1["error"], "same-person");
    assert_eq!(county.post("config/confirm", confirm.clone()).await.1["error"], "not-the-second");
    let (status, applied) = township.post("config/confirm", confirm).await;
    assert_eq!((status, &applied["status"]), (200, &json!("applied")), "{applied}");
    assert_eq!(op.in_force().await, plan["to"].as_str().unwrap());
    let told = park.until("the tier above to be told", async || park.sink.to("park-duty").first().cloned()).await;
    let words = told.1["text"].as_str().unwrap().to_owned();
    assert!(words.contains("限值放宽") && words.contains("TIA-101") && words.contains("45 ℃→47 ℃") && words.contains("B-17"), "{words}");

    // Mid-delay: the folder, which the engine reads again at a signal, has no delay. 收紧 applies at once, and what has waited is raised.
    park.publish("TIA-101", 40.0).await;
    park.until("the delay to run", async || {
        let plan = op.plan(files(&park, TIA, TIA)).await;
        effects(&plan).contains(&("hx/TIA-101".into(), "high".into(), "would-raise".into())).then_some(())
    })
    .await;
    assert_eq!(said(&park, "TIA-101"), []);
    hang_up(&park);
    park.until("the raise", async || (said(&park, "TIA-101") == [(Condition::High, Change::Raised)]).then_some(())).await;
    assert_eq!(op.in_force().await, original);

    // A standing alarm whose limit goes is retired where people see it, and it takes two people.
    park.publish("LIA-101", 91.3).await;
    park.until("the alarm", async || (said(&park, "LIA-101").len() == 2).then_some(())).await;
    let without = op.plan(files(&park, LIA, &LIA.replace(",90,", ",/,"))).await;
    assert_eq!(effects(&without), [("hx/LIA-101".into(), "high-high".into(), "retired".into())], "{without}");
    let body = json!({ "id": without["id"], "ticket": "B-18", "reason": "改造", "second": "park-duty" });
    assert_eq!(op.post("config/apply", body).await.1["status"], "waiting");
    let (status, applied) = township.post("config/confirm", json!({ "id": without["id"], "agree": true })).await;
    assert_eq!((status, &applied["status"]), (200, &json!("applied")), "{applied}");
    assert_eq!(said(&park, "LIA-101").last(), Some(&(Condition::HighHigh, Change::Retired)));
    assert_eq!(op.limit("LIA-101", "high_high").await, Value::Null, "the pages show the new limits");

    // Back by one step, without the old files: 收紧, so at once, and the value that still stands beyond it raises it anew.
    let (status, back) = op.post("config/plan", json!({ "rollback": "" })).await;
    assert_eq!((status, &back["needs_ticket"]), (200, &json!(false)), "{back}");
    let (status, back) = op.post("config/apply", json!({ "id": back["id"] })).await;
    assert_eq!((status, &back["status"]), (200, &json!("applied")), "{back}");
    assert_eq!(op.in_force().await, original);
    assert_eq!(said(&park, "LIA-101").last(), Some(&(Condition::HighHigh, Change::Raised)));
    assert_eq!(op.limit("LIA-101", "high_high").await, 90.0);

    // A looser folder is not in force after a signal, nor after a kill: it waits for its ticket.
    let list = park.dir().join("config/enterprises/hx.csv");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.replace(LIA, &LIA.replace(",90,", ",93,"))).unwrap();
    hang_up(&park);
    park.until("the folder to wait as a plan", async || {
        let plans = op.read("config").await["plans"].as_array().unwrap().clone();
        plans.iter().any(|plan| plan["author"] == "signal" && plan["needs_ticket"] == true && plan["status"] == "planned").then_some(())
    })
    .await;
    assert_eq!(op.in_force().await, original);
    tokio::task::block_in_place(|| {
        park.engine.kill();
        park.engine.restart();
        park.engine.wait_ready();
    });
    let op = Login::of(&park, "op").await;
    assert_eq!(op.in_force().await, original);
    assert_eq!(op.limit("LIA-101", "high_high").await, 90.0);

    // The journal tells who, why and what.
    let rows = park.engine.journal().entries(&[EntryKind::Config], 0, 1_000).unwrap().rows;
    let applied: Vec<Value> =
        rows.iter().map(|row| serde_json::from_slice::<Value>(&row.bytes).unwrap()).filter(|row| row["event"] == "applied").collect();
    let who = |row: &Value| ["author", "ticket", "second"].map(|key| row[key].as_str().unwrap_or("-").to_owned()).join(" ");
    assert_eq!(applied.iter().map(who).collect::<Vec<_>>(), ["hx-op B-17 park-duty", "signal  -", "hx-op B-18 park-duty", "hx-op  -"]);
    assert_eq!(applied[2]["lines"][0]["direction"], "looser");

    // So it can be looked up, also after the restart: by whoever oversees the enterprise, and each time that it came into force.
    let versions = op.read("config").await["versions"].as_array().unwrap().clone();
    let path = |at: usize| format!("config/versions/{}?since={}", versions[at]["version"].as_str().unwrap(), versions[at]["since"]);
    let loosened = op.read(&path(1)).await;
    assert_eq!(lines(&loosened), lines(&plan), "{loosened}");
    assert_eq!((&loosened["event"], &loosened["version"]["ticket"]), (&json!("applied"), &json!("B-17")), "{loosened}");
    let tightened = op.read(&path(2)).await;
    let back = ["TIA-101 high on-delay 60s 0s tighter", "TIA-101 high-high setpoint 47 45 tighter"];
    let mut told = lines(&tightened);
    told.sort();
    assert_eq!(told, back, "{tightened}");
    assert_eq!((&versions[0]["version"], &tightened["before"]), (&versions[2]["version"], &versions[1]["version"]));
    let first = op.read(&path(0)).await;
    assert_eq!((&first["event"], &first["lines"]), (&Value::Null, &json!([])), "nothing was before");
    assert_eq!(op.get("config/versions/nonsense").await.0, 404);
}

/// The files with something added to `server.toml`.
fn with_server(mut files: Value, add: &str) -> Value {
    let text = format!("{}{add}", files["server.toml"].as_str().unwrap());
    files["server.toml"] = text.into();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_applied_twice_at_once_is_applied_and_stays_so() {
    let park = Park::start(1.0, None).await;
    let op = Login::of(&park, "op").await;
    let plan = op.plan(files(&park, "38,45", "37,45")).await;
    let body = json!({ "id": plan["id"] });
    let (one, other) = tokio::join!(op.post("config/apply", body.clone()), op.post("config/apply", body));
    let mut applied = 0;
    for (status, answer) in [one, other] {
        match answer["error"].as_str() {
            None => {
                assert_eq!((status, &answer["status"]), (200, &json!("applied")), "{answer}");
                applied += 1;
            }
            Some(why) => assert!(["engine-busy", "nothing-to-apply"].contains(&why), "{answer}"),
        }
    }
    assert!(applied > 0);
    assert_eq!(op.in_force().await, plan["to"].as_str().unwrap());
    let plans = op.read("config").await["plans"].clone();
    let status = plans.as_array().unwrap().iter().find(|one| one["id"] == plan["id"]).map(|one| one["status"].clone());
    assert_eq!(status, Some(json!("applied")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_over_says_why() {
    let park = Park::start(1.0, None).await;
    let (op, township, admin) = (Login::of(&park, "op").await, Login::of(&park, "park").await, Login::of(&park, "admin").await);
    let waiting = async |second: &str, to: &str| {
        let plan = op.plan(files(&park, TIA, to)).await;
        let body = json!({ "id": plan["id"], "ticket": "B-17", "reason": "温度波动", "second": second });
        assert_eq!(op.post("config/apply", body.clone()).await.1["status"], "waiting");
        (plan, body)
    };
    let confirm = async |plan: &Value, agree: bool| {
        let (status, answer) = township.post("config/confirm", json!({ "id": plan["id"], "agree": agree })).await;
        (status, answer["error"].as_str().or(answer["status"].as_str()).unwrap().to_owned())
    };
    let (declined, body) = waiting("park", TIA_LOOSER).await;
    assert_eq!(confirm(&declined, false).await, (200, "declined".to_owned()));
    assert_eq!(confirm(&declined, true).await, (409, "plan-declined".to_owned()));
    assert_eq!(op.post("config/apply", body).await.1["error"], "plan-declined");

    // Another one comes into force in between: it is outdated, however often it is asked for.
    let (outdated, body) = waiting("park", TIA_LOOSER).await;
    let tighter = op.plan(files(&park, "38,45", "37,45")).await;
    assert_eq!(op.post("config/apply", json!({ "id": tighter["id"] })).await.1["status"], "applied");
    for _ in 0..2 {
        assert_eq!(confirm(&outdated, true).await, (409, "plan-stale".to_owned()));
    }
    assert_eq!(op.post("config/apply", body).await.1["error"], "plan-stale");

    // What is everybody's is not an enterprise's; an admin reads the logins of those who may confirm.
    let mut everybodys = files(&park, TIA, TIA);
    everybodys["people.toml"] = everybodys["people.toml"].as_str().unwrap().replace("\"platform\", \"sms\", ", "\"platform\", ").into();
    let (status, answer) = op.post("config/plan?lang=en", json!({ "files": everybodys })).await;
    assert_eq!((status, &answer["error"]), (403, &json!("forbidden")), "{answer}");
    assert!(answer["text"].as_str().unwrap().contains("everybody's"), "{answer}");
    let plan = admin.plan(files(&park, TIA, TIA_LOOSER)).await;
    let body = json!({ "id": plan["id"], "ticket": "B-17", "reason": "温度波动", "second": "nobody" });
    let text = admin.post("config/apply?lang=en", body).await.1["text"].as_str().unwrap().to_owned();
    assert!(text.ends_with("one of county-duty (county-duty, login county), park-duty (park-duty, login park)"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_restart_waits_for_it_and_nothing_else_does() {
    let mut park = Park::start(1.0, None).await;
    let op = Login::of(&park, "admin").await;
    let spare = "[channels.spare]\nkind = \"app\"\nurl = \"http://127.0.0.1:9/app\"\n";
    let lower = LIA.replace(",80,", ",79,");

    // One folder with a new channel and a tighter limit: the limit is in force now, the channel at the next start, and its place is told.
    let plan = op.plan(with_server(files(&park, LIA, &lower), spare)).await;
    assert_eq!(plan["status"], "planned", "{plan}");
    assert_eq!(lines(&plan), ["LIA-101 high setpoint 80 79 tighter"]);
    let waits = plan["at_next_start"].as_array().unwrap();
    assert_eq!(waits.len(), 1, "{plan}");
    assert_eq!(waits[0]["place"], "server.toml:11:11");
    assert!(waits[0]["text_en"].as_str().unwrap().contains("`spare` is new"), "{plan}");
    let (status, applied) = op.post("config/apply", json!({ "id": plan["id"] })).await;
    assert_eq!((status, &applied["status"]), (200, &json!("applied")), "{applied}");
    assert_eq!(op.limit("LIA-101", "high").await, 79.0);
    assert_eq!(op.read("config").await["at_next_start"].as_array().unwrap().len(), 1);

    // A channel that could not be opened is refused before it is in force.
    let broken = "[channels.spare]\nkind = \"app\"\nurl = \"http://127.0.0.1:9/app\"\nbody = \"{{ no\"\n";
    let refused = op.plan(with_server(files(&park, LIA, &lower), broken)).await;
    assert_eq!(refused["status"], "refused", "{refused}");

    // The restart opens it, though the folder is still the one of before.
    tokio::task::block_in_place(|| {
        park.engine.stop();
        park.engine.restart();
        park.engine.wait_ready();
    });
    let op = Login::of(&park, "admin").await;
    assert_eq!(op.limit("LIA-101", "high").await, 79.0);
    assert_eq!(op.read("config").await["at_next_start"], json!([]));

    // Back across it: the limit at once, the channel at the next start.
    let (status, back) = op.post("config/plan", json!({ "rollback": "" })).await;
    assert_eq!((status, &back["status"]), (200, &json!("planned")), "{back}");
    assert_eq!(lines(&back), ["LIA-101 high setpoint 79 80 looser"]);
    assert!(back["at_next_start"][0]["text_en"].as_str().unwrap().contains("`spare` is gone"), "{back}");
    let (status, back) = op.post("config/apply", json!({ "id": back["id"] })).await;
    assert_eq!((status, &back["status"]), (200, &json!("applied")), "{back}");
    assert_eq!(op.limit("LIA-101", "high").await, 80.0);

    // Once more there is nothing to go back to, and it says so.
    let (status, none) = op.post("config/plan", json!({ "rollback": "" })).await;
    assert_eq!((status, &none["error"]), (409, &json!("nothing-before")), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_tried_on_the_history_by_the_api_one_at_a_time() {
    let park = Park::start(1.0, None).await;
    let (op, township) = (Login::of(&park, "op").await, Login::of(&park, "park").await);
    for value in [50.0, 85.0, 60.0] {
        park.publish("LIA-101", value).await;
    }
    park.until("the history to be written", async || {
        let history = op.read("tags/hx/LIA-101/history").await;
        history["points"]
            .as_array()
            .is_some_and(|points| points.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>() == 3)
            .then_some(())
    })
    .await;
    let plan = op.plan(files(&park, LIA, &LIA.replace(",80,", ",88,"))).await;
    let asked = json!({ "plan": plan["id"] });
    assert_eq!(township.post("backtests", asked.clone()).await.0, 403, "who may not plan may not try");
    let (status, begun) = op.post("backtests", asked.clone()).await;
    assert_eq!((status, &begun["status"]), (202, &json!("running")), "{begun}");
    let (status, busy) = op.post("backtests", asked).await;
    assert_eq!((status, &busy["error"]), (409, &json!("backtest-runs")));
    let path = format!("backtests/{}", begun["id"].as_str().unwrap());
    let done = park.until("the backtest to end", async || Some(op.read(&path).await).filter(|one| one["status"] != "running")).await;
    assert_eq!((&done["status"], &done["percent"]), (&json!("done"), &json!(100)), "{done}");
    assert_eq!((&done["result"]["lost"], &done["result"]["gained"]), (&json!(1), &json!(0)), "{done}");
    assert_eq!(op.limit("LIA-101", "high").await, 80.0, "nothing has changed");
}
