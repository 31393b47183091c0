//! 搁置, 停用 and 检维修 over the API: who sees and who may send what, and the points of tags.

use crate::plant::{NOW, alarm_id};
use crate::site::Site;
use console::{Beside, Update};
use model::{ActKind, Confirmation, Duration, Flood, Scope, TagId, Tier, Window, WindowKind};
use reqwest::StatusCode;
use serde_json::json;

fn window(id: &str, enterprise: &str, needs: Option<Confirmation>) -> Window {
    Window {
        id: id.into(),
        kind: WindowKind::UnderTest,
        enterprise: enterprise.into(),
        scope: Scope::Tags { tags: vec![TagId::new(enterprise, "LIA-101")] },
        reason: "标定".to_owned(),
        reference: "JX-1".to_owned(),
        owner: if enterprise == "ent-hx" { "wang" } else { "chen" }.into(),
        tier: Tier::ENTERPRISE,
        filed: NOW,
        until: NOW + Duration::from_mins(60),
        needs,
        confirmed: None,
        held: 2,
    }
}

async fn site() -> Site {
    let site = Site::in_trouble().await;
    let waits = Some(Confirmation::TierAbove { tier: Tier::TOWNSHIP });
    let windows = vec![window("w1", "ent-hx", None), window("w2", "ent-lz", None), window("w3", "ent-hx", waits)];
    let floods = vec![Flood { enterprise: "ent-lz".into(), since: NOW, count: 12 }];
    site.view.apply(Update { now: NOW, beside: Some(Beside { windows, floods }), ..Update::default() });
    site
}

#[tokio::test]
async fn the_tier_above_sees_the_list_with_owner_end_and_count_and_a_neighbour_sees_nothing_of_it() {
    let site = site().await;
    let ids = async |login: &str| {
        let token = site.login(login).await;
        let list = site.get_json(&token, "/api/v1/windows").await;
        let ids: Vec<String> = list["windows"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        (ids, list)
    };
    let (wang, list) = ids("wang").await;
    assert_eq!(wang, ["w3", "w1"], "what waits for a confirmation comes first");
    assert_eq!(list["floods"], json!([]));
    let (li, list) = ids("li").await;
    assert_eq!(li, ["w3", "w1"]);
    let one = &list["windows"][1];
    assert_eq!([&one["owner_name"], &one["held"], &one["in_force"]], [&json!("王伟"), &json!(2), &json!(true)]);
    assert_eq!(one["until"], (NOW + Duration::from_mins(60)).as_millis());
    assert_eq!(list["windows"][0]["acts"], json!(["confirm-window", "end-test"]), "the tier above may confirm");
    let (chen, list) = ids("chen").await;
    assert_eq!(chen, ["w2"]);
    assert_eq!(list["floods"][0]["count"], 12);
    assert_eq!(ids("sun").await.0.len(), 3);
}

#[tokio::test]
async fn whoever_filed_a_window_is_not_offered_to_confirm_it() {
    let site = site().await;
    let token = site.login("wang").await;
    let list = site.get_json(&token, "/api/v1/windows").await;
    assert_eq!(list["windows"][0]["acts"], json!(["end-test"]));
    let overview = site.get_json(&token, "/api/v1/overview").await;
    assert_eq!([&overview["windows"]["under_test"], &overview["windows"]["waiting"]], [&json!(1), &json!(1)]);
    let tags = site.get_json(&token, "/api/v1/tags?q=LIA-101").await;
    assert_eq!(tags["tags"][0]["marks"], json!(["under-test"]), "one mark however many windows");
}

#[tokio::test]
async fn a_window_is_filed_and_ended_within_the_jurisdiction_only() {
    let site = site().await;
    let token = site.login("wang").await;
    let until = (NOW + Duration::from_mins(30)).as_millis();
    let file = |id: &str, tag: &str| json!({ "id": id, "act": "begin-test", "scope": { "of": "tags", "tags": [tag] }, "reason": "标定", "ticket": "JX-2", "until": until });
    assert_eq!(site.act(&token, &file("a1", "ent-hx/LIA-101")).await.0, StatusCode::OK);
    assert_eq!(site.act(&token, &file("a2", "ent-lz/LIA-101")).await.0, StatusCode::CONFLICT);
    let alarm = json!({ "of": "alarms", "alarms": [alarm_id("ent-hx")] });
    let shelve = json!({ "id": "a3", "act": "shelve", "scope": alarm, "reason": "换探头", "until": until });
    assert_eq!(site.act(&token, &shelve).await.0, StatusCode::OK);
    let area = json!({ "of": "area", "enterprise": "ent-lz", "equipment": "V-101" });
    let test = json!({ "id": "a4", "act": "begin-test", "scope": area, "reason": "标定", "ticket": "JX-2", "until": until });
    assert_eq!(site.act(&token, &test).await.0, StatusCode::CONFLICT);
    assert_eq!(site.act(&token, &json!({ "id": "a5", "act": "end-test", "window": "w1" })).await.0, StatusCode::OK);
    assert_eq!(site.act(&token, &json!({ "id": "a6", "act": "end-test", "window": "w2" })).await.0, StatusCode::CONFLICT);
    let nothing = json!({ "id": "a7", "act": "shelve", "scope": { "of": "tags", "tags": [] }, "reason": "", "until": until });
    assert_eq!(site.act(&token, &nothing).await.0, StatusCode::BAD_REQUEST);
    let acts = site.engine.acts.lock().unwrap();
    assert_eq!(acts.iter().map(|act| act.id.as_str()).collect::<Vec<_>>(), ["a1", "a3", "a5"]);
    assert!(matches!(&acts[0].what, ActKind::BeginTest { ticket, until: at, .. } if ticket == "JX-2" && at.as_millis() == until));
}

#[tokio::test]
async fn a_point_says_when_it_was_first_seen_and_which_limits_have_worked() {
    let site = site().await;
    site.view.set_first_seen(site.plant.find_tag("ent-hx", "LIA-101").unwrap(), NOW);
    site.view.apply(Update { now: NOW, proven: vec![(alarm_id("ent-hx"), NOW)], ..Update::default() });
    let token = site.login("wang").await;
    let list = site.get_json(&token, "/api/v1/points").await;
    let points = list["points"].as_array().unwrap();
    let of = |name: &str| points.iter().find(|point| point["tag"] == format!("ent-hx/{name}")).unwrap();
    assert_eq!(of("LIA-101")["first_seen"], NOW.as_millis());
    let worked: Vec<_> =
        of("LIA-101")["limits"].as_array().unwrap().iter().map(|limit| (&limit["condition"], limit["at"].is_null())).collect();
    assert_eq!(worked, [(&json!("high"), true), (&json!("high-high"), false)]);
    assert!(of("XA-1/2")["first_seen"].is_null(), "never seen");
    let unseen = site.get_json(&token, "/api/v1/points?never_seen=true").await;
    assert!(unseen["points"].as_array().unwrap().iter().all(|point| point["tag"] != "ent-hx/LIA-101"));
    assert_eq!(unseen["never_seen"], unseen["total"]);
}
