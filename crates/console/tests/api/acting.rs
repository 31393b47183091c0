//! Acts: passed on as they are, by whom the session says, or refused in words.

use crate::plant::{ENTERPRISES, NOW, case_id, key};
use crate::site::{LOGINS, Site, may_see};
use console::{EngineBusy, Role};
use model::{Act, ActAnswer, ActKind, CaseStep, Refusal, Tier};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn accept(id: &str, enterprise: &str) -> Value {
    json!({ "id": id, "act": "accept", "case": case_id(enterprise), "announcements": [key(enterprise)] })
}

#[tokio::test]
async fn an_act_reaches_the_engine_only_within_the_jurisdiction_and_never_from_an_admin() {
    let site = Site::in_trouble().await;
    for (username, role, body) in LOGINS {
        let token = site.login(username).await;
        for enterprise in ENTERPRISES {
            site.engine.acts.lock().unwrap().clear();
            let (status, answer) = site.act(&token, &accept("a1", enterprise)).await;
            let acts: Vec<Act> = site.engine.acts.lock().unwrap().clone();
            if role == Role::Admin {
                assert_eq!((status, acts.len()), (StatusCode::FORBIDDEN, 0), "{username} {enterprise}");
            } else if may_see(username, enterprise) {
                assert_eq!((status, &answer["answer"]), (StatusCode::OK, &"done".into()), "{username} {enterprise}");
                let [act] = &acts[..] else { panic!("{acts:?}") };
                assert_eq!((act.by.person.as_str(), act.by.body.as_str()), (username, body.unwrap()));
                assert_eq!(act.by.tier, role.tier().unwrap());
                assert_eq!(act.what, ActKind::Accept { case: case_id(enterprise), announcements: vec![key(enterprise)] });
            } else {
                assert_eq!((status, acts.len()), (StatusCode::CONFLICT, 0), "{username} {enterprise}");
                assert_eq!(answer["reasons"][0]["reason"], "outside-jurisdiction");
            }
        }
    }
}

#[tokio::test]
async fn naming_another_enterprise_inside_an_act_on_ones_own_is_refused_too() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let foreign = json!({ "alarm": key("ent-lz").alarm, "episode": key("ent-lz").episode });
    for act in [
        json!({ "id": "1", "act": "accept", "case": case_id("ent-hx"), "announcements": [key("ent-hx"), key("ent-lz")] }),
        json!({ "id": "2", "act": "acknowledge", "episodes": [foreign] }),
        json!({ "id": "3", "act": "check", "case": case_id("ent-hx"), "episodes": [foreign], "outcome": "real", "field": null, "comment": "" }),
        json!({ "id": "4", "act": "reset-siren", "enterprise": "ent-lz", "zone": "Z1" }),
        json!({ "id": "5", "act": "close", "case": case_id("ent-lz"), "announcements": [key("ent-hx")], "comment": "" }),
        json!({ "id": "6", "act": "remind", "case": case_id("ent-lz"), "comment": "" }),
    ] {
        assert_eq!(site.act(&token, &act).await.0, StatusCode::CONFLICT, "{act}");
    }
    assert!(site.engine.acts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_page_was_shown_can_be_handed_back_unchanged_and_a_repeat_keeps_its_id() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let cases = site.get_json(&token, "/api/v1/cases").await;
    let case = &cases["cases"][0];
    let (announcement, episode) = (&case["announcements"][0], &case["episodes"][0]);
    assert_eq!(announcement["key_text"], key("ent-hx").to_string());
    let episode = json!({ "alarm": episode["alarm"], "episode": episode["episode"] });
    let field = json!({ "person": "wang", "at": NOW.as_millis(), "reading": 12.5 });
    for act in [
        json!({ "id": "same", "act": "accept", "case": case["id"], "announcements": [announcement["key"]] }),
        json!({ "id": "same", "act": "accept", "case": case["id"], "announcements": [announcement["key"]] }),
        json!({ "id": "ack", "act": "acknowledge", "episodes": [episode] }),
        json!({ "id": "chk", "act": "check", "case": case["id"], "episodes": [episode], "outcome": "false", "field": field, "comment": "标定" }),
        json!({ "id": "sil", "act": "silence", "console": "control room" }),
    ] {
        assert_eq!(site.act(&token, &act).await.0, StatusCode::OK, "{act}");
    }
    let acts = site.engine.acts.lock().unwrap();
    assert_eq!(acts.iter().map(|act| act.id.as_str()).collect::<Vec<_>>(), ["same", "same", "ack", "chk", "sil"]);
    assert_eq!(acts[0], acts[1]);
    assert!(matches!(&acts[0].what, ActKind::Accept { announcements, .. } if *announcements == [key("ent-hx")]));
    assert!(matches!(&acts[3].what, ActKind::Check { field: Some(field), .. } if field.at == NOW && field.reading == 12.5));
}

#[tokio::test]
async fn who_acts_is_taken_from_the_session_whatever_the_request_claims() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let mut act = accept("a1", "ent-hx");
    act["by"] = json!({ "person": "sun", "body": "county", "tier": 2 });
    act["tier"] = 2.into();
    assert_eq!(site.act(&token, &act).await.0, StatusCode::OK);
    let acts = site.engine.acts.lock().unwrap();
    assert_eq!((acts[0].by.person.as_str(), acts[0].by.tier), ("wang", Tier::ENTERPRISE));
}

#[tokio::test]
async fn an_act_that_makes_no_sense_never_reaches_the_engine() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let long = "长".repeat(2_001);
    for act in [
        json!({}),
        json!({ "id": "1" }),
        json!({ "id": "1", "act": "suppress" }),
        json!({ "id": "", "act": "silence", "console": "c" }),
        json!({ "id": "a\nb", "act": "silence", "console": "c" }),
        json!({ "id": "x".repeat(101), "act": "silence", "console": "c" }),
        json!({ "id": "1", "act": "acknowledge", "episodes": [] }),
        json!({ "id": "1", "act": "accept", "case": case_id("ent-hx"), "announcements": [] }),
        json!({ "id": "1", "act": "accept", "case": case_id("ent-hx"), "announcements": ["high@x/y!1/0"] }),
        json!({ "id": "1", "act": "handle", "case": case_id("ent-hx"), "comment": long }),
        json!({ "id": "1", "act": "handle", "case": case_id("ent-hx") }),
    ] {
        let (status, answer) = site.act(&token, &act).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &"bad-request".into()), "{act}");
    }
    assert!(site.engine.acts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refusal_says_why_in_both_languages() {
    let site = Site::in_trouble().await;
    let token = site.login("sun").await;
    let alarm = key("ent-hx").alarm;
    let reasons = vec![
        Refusal::NotSigned { tier: Tier::ENTERPRISE, key: key("ent-hx").to_string() },
        Refusal::AlarmStands { alarm },
        Refusal::WrongStep { at: CaseStep::Handling },
    ];
    *site.engine.answer.lock().unwrap() = Some(Ok(ActAnswer::Refused { now: NOW, reasons }));
    let close = json!({ "id": "c", "act": "close", "case": case_id("ent-hx"), "announcements": [key("ent-hx")], "comment": "" });
    let (status, answer) = site.act(&token, &close).await;
    assert_eq!((status, &answer["answer"], &answer["now"]), (StatusCode::CONFLICT, &"refused".into(), &NOW.as_millis().into()));
    let texts: Vec<_> =
        answer["reasons"].as_array().unwrap().iter().map(|reason| [&reason["reason"], &reason["text_zh"], &reason["text_en"]]).collect();
    assert_eq!(
        texts,
        [
            [
                "not-signed",
                "企业尚未签收：LIA-101 1#甲醇储罐液位 高高报",
                "Enterprise has not signed: LIA-101 1#甲醇储罐液位 high-high alarm"
            ],
            ["alarm-stands", "LIA-101 1#甲醇储罐液位 高高报尚未恢复", "LIA-101 1#甲醇储罐液位 high-high alarm still stands"],
            ["wrong-step", "处置单当前为“处置中”，不能进行此操作", "the case is being handled; this is not the next step"],
        ]
    );
    assert_eq!(answer["reasons"][0]["tier"], 0);
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_said_so_and_the_act_may_be_sent_again() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    *site.engine.answer.lock().unwrap() = Some(Err(EngineBusy));
    let (status, answer) = site.act(&token, &accept("a1", "ent-hx")).await;
    assert_eq!((status, &answer["error"]), (StatusCode::SERVICE_UNAVAILABLE, &"engine-busy".into()));
    *site.engine.answer.lock().unwrap() = None;
    assert_eq!(site.act(&token, &accept("a1", "ent-hx")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn allowed_acts_are_those_of_the_viewers_tier_and_an_admin_has_none() {
    let site = Site::in_trouble().await;
    for (username, acts) in [("wang", json!(["acknowledge", "accept"])), ("li", json!(["accept"])), ("root", json!([]))] {
        let cases = site.get_json(&site.login(username).await, "/api/v1/cases").await;
        assert_eq!(cases["cases"][0]["acts"], acts, "{username}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_answered_with_its_field_and_what_to_write_instead() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let case = case_id("ent-hx");
    let scope = json!({ "of": "tags", "tags": ["ent-hx/LIA-101"] });
    for (act, field, words) in [
        (json!({ "id": "1", "act": "handle", "case": case }), "comment", "handle needs it: a text"),
        (json!({ "id": "1", "act": "suppress" }), "act", "there is no suppress; it is one of silence, "),
        (json!({ "id": "1", "act": "shelve", "scope": scope, "reason": "", "until": "soon" }), "until", "expected i64"),
        (json!({ "id": "1", "act": "shelve", "scope": scope, "reason": "" }), "until", "milliseconds since 1970"),
        (
            json!({ "id": "1", "act": "check", "case": case, "episodes": [], "outcome": "maybe", "comment": "" }),
            "outcome",
            "expected one of",
        ),
        (
            json!({ "id": "1", "act": "acknowledge", "episodes": [{ "alarm": { "tag": "ent-hx/X" } }] }),
            "episodes[0].alarm",
            "missing field `condition`",
        ),
        (json!({ "id": "1", "act": "acknowledge", "episodes": [] }), "episodes", "1 to "),
        (json!({ "id": "x".repeat(101), "act": "silence", "console": "c" }), "id", "1 to 100 characters"),
    ] {
        let response = site.request(Method::POST, "/api/v1/acts?lang=en").bearer_auth(&token).json(&act).send().await.unwrap();
        let (status, answer): (_, serde_json::Value) = (response.status(), response.json().await.unwrap());
        assert_eq!((status, &answer["field"]), (StatusCode::BAD_REQUEST, &field.into()), "{act}: {answer}");
        assert!(answer["text"].as_str().unwrap().contains(words), "{act}: {answer}");
    }
    let response = site.get(&token, "/api/v1/cases?limit=many&lang=en").await;
    let (status, answer): (_, serde_json::Value) = (response.status(), response.json().await.unwrap());
    assert_eq!((status, &answer["field"]), (StatusCode::BAD_REQUEST, &"limit".into()), "{answer}");
}

#[tokio::test]
async fn every_act_that_is_named_is_read() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let document: serde_json::Value = serde_json::from_str(&console::openapi()).unwrap();
    let acts = document["components"]["schemas"]["ActName"]["enum"].as_array().unwrap().clone();
    for act in &acts {
        let request = json!({
            "id": act, "act": act, "case": case_id("ent-hx"), "announcements": [key("ent-hx")], "console": "c", "reason": "", "permit": "P", "ticket": "T",
            "episodes": [{ "alarm": key("ent-hx").alarm, "episode": key("ent-hx").episode }], "outcome": "real", "comment": "", "until": NOW.as_millis(),
            "scope": { "of": "tags", "tags": ["ent-hx/LIA-101"] }, "window": "w", "enterprise": "ent-hx", "zone": "Z1",
        });
        assert_eq!(site.act(&token, &request).await.0, StatusCode::OK, "{act}");
    }
    let taken: Vec<_> = site.engine.acts.lock().unwrap().iter().map(|act| serde_json::Value::from(act.what.name())).collect();
    assert_eq!(taken, acts);
}
