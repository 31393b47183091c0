//! 工况 and 设计抑制 over the API: nothing is judged or suppressed without being seen and counted.

use crate::plant::{self, NOW};
use crate::site::Site;
use console::{LiveMode, Steered, SuppressedBy, Update};
use model::{AlarmState, Condition, Marks, TagId};
use serde_json::{Value, json};

fn by() -> Value {
    json!([{ "tag": "ent-hx/LIA-101", "name": "1#甲醇储罐液位" }, { "tag": null, "name": "停车" }])
}

#[tokio::test]
async fn what_is_suppressed_by_design_is_listed_with_since_when_and_by_what_and_counted() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let list = site.get_json(&token, "/api/v1/windows").await["suppressed"].clone();
    assert_eq!(
        list,
        json!([{
            "tag": "ent-hx/XA-1/2", "tag_name": "静电接地", "condition": "discrete", "condition_zh": Condition::Discrete.name_zh(),
            "level": "yellow", "state": "unacknowledged", "enterprise_name": "恒信化工",
            "equipment_name": "<script>alert(1)</script>ent-hx 罐区", "since": NOW.as_millis(), "untold": 2, "by": by(),
        }])
    );
    let counts = async |login: &str| {
        let overview = site.get_json(&site.login(login).await, "/api/v1/overview").await;
        (overview["suppressed"].clone(), overview["suppressed_standing"].clone(), overview["windows"]["seq"].clone())
    };
    assert_eq!(counts("wang").await, (json!(1), json!(1), json!(1)), "the sequence says when to read the list");
    assert_eq!(counts("sun").await.0, 2);
    let tag = site.get_json(&token, "/api/v1/tags?q=XA").await["tags"][0].clone();
    assert_eq!(tag["suppressed"], json!(["discrete"]));
}

/// One that is normal is suppressed all the same, and one from before the restart has no beginning that anybody knows.
#[tokio::test]
async fn a_suppressed_condition_that_is_not_raised_counts_as_well() {
    let site = Site::start().await;
    let mut steered = plant::steered();
    (steered.suppressed[0].state, steered.suppressed[0].since) = (AlarmState::Normal, None);
    site.view.apply(Update { seq: 1, steered: Some(steered), ..Update::default() });
    let token = site.login("wang").await;
    let overview = site.get_json(&token, "/api/v1/overview").await;
    assert_eq!((&overview["suppressed"], &overview["suppressed_standing"]), (&json!(1), &json!(0)));
    assert_eq!(site.get_json(&token, "/api/v1/windows").await["suppressed"][0]["since"], Value::Null);
}

#[tokio::test]
async fn an_alarm_suppressed_by_design_says_by_what_and_no_gateway_explains_it() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut suppressed = plant::live_alarm("ent-hx");
    (suppressed.id.condition, suppressed.told, suppressed.case) = (Condition::Low, false, None);
    suppressed.marks = Marks { suppressed: true, untold: 1, ..Marks::default() };
    suppressed.suppressed_by = vec![SuppressedBy::Tag(TagId::new("ent-hx", "LIA-101")), SuppressedBy::Mode("停车".into())];
    let mut lost = plant::live_alarm("ent-hx");
    (lost.id.tag, lost.id.condition, lost.case) = (TagId::new("ent-hx", "GW01"), Condition::GatewayLost, None);
    site.view.apply(Update { seq: 1, alarms: vec![suppressed.clone(), lost], ..Update::default() });
    let explained = async || site.get_json(&token, "/api/v1/overview").await["explained_alarms"].clone();
    assert_eq!(explained().await, 0);
    let alarms = site.get_json(&token, "/api/v1/alarms").await;
    let shown = alarms["alarms"].as_array().unwrap().iter().find(|alarm| alarm["condition"] == "low").unwrap();
    assert_eq!((&shown["marks"], &shown["suppressed_by"]), (&json!({ "suppressed": true, "untold": 1 }), &by()));
    // The suppression is over, and nobody was told of it for that reason, not because of the gateway.
    suppressed.marks.suppressed = false;
    site.view.apply(Update { seq: 2, alarms: vec![suppressed], ..Update::default() });
    assert_eq!(explained().await, 0);
}

#[tokio::test]
async fn another_mode_restates_the_tags_that_follow_it_to_those_who_see_them() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let mut events = site.events(&token).await;
    let mode = |mode| {
        let modes = vec![LiveMode { enterprise: "ent-hx".into(), equipment: "V-101".into(), mode }];
        let restated = plant::ENTERPRISES[1..].iter().map(|enterprise| TagId::new(*enterprise, "LIA-101")).collect();
        site.view.apply(Update { steered: Some(Steered { modes, suppressed: Vec::new() }), restated, ..Update::default() });
    };
    mode(1);
    let sent = events.named("change").await;
    assert_eq!(sent.data["tags"], json!([site.get_json(&token, "/api/v1/tags?q=LIA").await["tags"][0]]));
    assert_eq!(sent.data["tags"][0]["limits_in_force"]["high"], 30.0);
    // A limit that means nothing in a mode is still what its raises are recorded by; a mode without a name is none.
    for (place, name, high) in
        [(0, json!({ "name": "运行", "ordinary": true }), 80.0), (2, json!({ "name": "检修", "ordinary": false }), 80.0)]
    {
        mode(place);
        let sent = events.named("change").await;
        assert_eq!((&sent.data["tags"][0]["mode"], &sent.data["tags"][0]["limits_in_force"]["high"]), (&name, &json!(high)));
    }
    mode(9);
    assert_eq!(events.named("change").await.data["tags"][0]["mode"], Value::Null);
}

#[test]
fn the_description_of_the_api_has_mode_and_suppression() {
    let document: Value = serde_json::from_str(&console::openapi()).unwrap();
    let properties = |schema: &str| document["components"]["schemas"][schema]["properties"].clone();
    for (schema, field) in
        [("TagJson", "limits_in_force"), ("TagJson", "mode"), ("AlarmJson", "suppressed_by"), ("WindowsJson", "suppressed")]
    {
        assert!(properties(schema)[field].is_object(), "{schema}.{field}");
    }
    assert!(properties("SuppressedJson")["by"].is_object());
}
