//! Nobody sees what their body does not oversee, on any route. The routes are taken from the API's own description, so a new
//! one is in this matrix the day it is born.

use crate::plant::{ENTERPRISES, case_id};
use crate::site::{LOGINS, Site, may_see, segment};
use reqwest::{Method, StatusCode};
use serde_json::Value;

fn described() -> Value {
    serde_json::from_str(&console::openapi()).unwrap()
}

fn operations() -> Vec<(String, Method)> {
    let document = described();
    let paths = document["paths"].as_object().unwrap();
    let methods = |of: &Value| of.as_object().unwrap().keys().map(|name| name.to_uppercase().parse().unwrap()).collect::<Vec<Method>>();
    paths.iter().flat_map(|(path, of)| methods(of).into_iter().map(move |method| (path.clone(), method))).collect()
}

#[tokio::test]
async fn a_list_shows_a_login_exactly_the_enterprises_its_body_oversees() {
    let site = Site::in_trouble().await;
    let lists = operations().into_iter().filter(|(path, method)| {
        *method == Method::GET
            && path.starts_with("/api/v1/")
            && !path.contains('{')
            && !path.ends_with("/events")
            && !path.ends_with("/me")
            // Without an engine there is no configuration, and nobody has filed a window; both have tests of their own.
            && !path.ends_with("/config")
            && !path.ends_with("/windows")
    });
    let lists: Vec<_> = lists.map(|(path, _)| path).collect();
    assert!(lists.len() >= 7, "{lists:?}");
    for (username, ..) in LOGINS {
        let token = site.login(username).await;
        for path in &lists {
            let query = if path.ends_with("cases") || path.ends_with("alarms") { "?state=all" } else { "" };
            let text = site.get(&token, &format!("{path}{query}")).await.text().await.unwrap();
            for enterprise in ENTERPRISES {
                // The overview is numbers only; they are looked at below.
                let sees = may_see(username, enterprise) && !path.ends_with("overview");
                // A message of the engine's own goes to the county only.
                let sees = sees && !(path.ends_with("messages") && enterprise == "_system" && username != "sun" && username != "root");
                // The engine has no people and no measured points.
                let sees = sees && !((path.ends_with("people") || path.ends_with("points")) && enterprise == "_system");
                assert_eq!(text.contains(enterprise), sees, "{username} {path} {enterprise}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn counts_are_of_what_a_login_sees() {
    let site = Site::in_trouble().await;
    for (username, cases, standing, tags) in [("wang", 1, 1, 2), ("zhou", 1, 1, 2), ("sun", 3, 3, 4), ("root", 3, 3, 4)] {
        let overview = site.get_json(&site.login(username).await, "/api/v1/overview").await;
        assert_eq!(overview["counts"]["orange"], cases, "{username}");
        assert_eq!(overview["standing_alarms"], standing, "{username}");
        assert_eq!(overview["tags"], tags, "{username}");
    }
}

#[tokio::test]
async fn a_case_outside_the_jurisdiction_is_not_found_like_one_that_does_not_exist() {
    let site = Site::in_trouble().await;
    for (username, ..) in LOGINS {
        let token = site.login(username).await;
        for enterprise in ENTERPRISES {
            let path = format!("/api/v1/cases/{}", segment(case_id(enterprise).as_str()));
            let response = site.get(&token, &path).await;
            let wanted = if may_see(username, enterprise) { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(response.status(), wanted, "{username} {enterprise}");
        }
        assert_eq!(site.get(&token, "/api/v1/cases/no-such").await.status(), StatusCode::NOT_FOUND);
        let old = site.get(&token, "/api/v1/cases/old-ent-hx").await.status();
        assert_eq!(old == StatusCode::OK, may_see(username, "ent-hx"), "{username}");
    }
}

#[tokio::test]
async fn without_a_login_nothing_of_the_plant_is_told() {
    let site = Site::in_trouble().await;
    for (path, method) in operations() {
        let open = path == "/api/v1/login" || path.starts_with("/health/") || path == "/metrics" || path == "/api/openapi.json";
        for token in [None, Some("0".repeat(64))] {
            let mut request = site.request(method.clone(), &path.replace("{id}", "x"));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status() == StatusCode::UNAUTHORIZED, !open, "{method} {path}: {}", response.status());
            let text = response.text().await.unwrap();
            // The description names nothing of a plant either.
            assert!(!ENTERPRISES.iter().any(|enterprise| text.contains(enterprise)), "{path}");
        }
    }
}

#[tokio::test]
async fn messages_to_people_above_stay_above() {
    let site = Site::in_trouble().await;
    for (username, recipients) in [("wang", vec!["wang"]), ("li", vec!["li", "wang"]), ("sun", vec!["chen", "li", "sun", "wang"])] {
        let messages = site.get_json(&site.login(username).await, "/api/v1/messages").await;
        let mut seen: Vec<_> = messages["messages"].as_array().unwrap().iter().map(|m| m["person"].as_str().unwrap()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, recipients, "{username}");
    }
    let path = format!("/api/v1/cases/{}", segment(case_id("ent-hx").as_str()));
    let timeline = |case: Value| case["timeline"].as_array().unwrap().iter().map(|line| line["kind"].clone()).collect::<Vec<_>>();
    let wang = timeline(site.get_json(&site.login("wang").await, &path).await);
    let sun = timeline(site.get_json(&site.login("sun").await, &path).await);
    assert_eq!((wang, sun), (vec!["opened".into()], vec!["opened".into(), Value::from("message")]));
}

#[tokio::test]
async fn people_can_be_named_within_the_jurisdiction_and_without_their_phones() {
    let site = Site::in_trouble().await;
    for (username, all, of_hx) in
        [("wang", vec!["wang"], vec!["wang"]), ("zhou", vec!["chen", "zhou"], vec![]), ("li", vec!["li", "wang"], vec!["wang"])]
    {
        let token = site.login(username).await;
        for (query, wanted) in [("", all), ("?enterprise=ent-hx", of_hx)] {
            let list = site.get_json(&token, &format!("/api/v1/people{query}")).await;
            let ids: Vec<_> = list["people"].as_array().unwrap().iter().map(|person| person["id"].as_str().unwrap()).collect();
            assert_eq!(ids, wanted, "{username} {query}");
            assert!(!list.to_string().contains("phone"), "{list}");
        }
    }
}

#[test]
fn the_description_lists_every_route_and_every_name_in_it_leads_somewhere() {
    let mut found: Vec<_> = operations().into_iter().map(|(path, method)| format!("{method} {path}")).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "GET /api/openapi.json",
            "GET /api/v1/alarms",
            "GET /api/v1/backtests/{id}",
            "GET /api/v1/cases",
            "GET /api/v1/cases/{id}",
            "GET /api/v1/config",
            "GET /api/v1/config/versions/{version}",
            "GET /api/v1/events",
            "GET /api/v1/me",
            "GET /api/v1/messages",
            "GET /api/v1/overview",
            "GET /api/v1/people",
            "GET /api/v1/points",
            "GET /api/v1/quarantine",
            "GET /api/v1/sirens",
            "GET /api/v1/tags",
            "GET /api/v1/tags/{enterprise}/{tag}/history",
            "GET /api/v1/windows",
            "GET /health/live",
            "GET /health/ready",
            "GET /metrics",
            "POST /api/v1/acts",
            "POST /api/v1/backtests",
            "POST /api/v1/config/apply",
            "POST /api/v1/config/confirm",
            "POST /api/v1/config/plan",
            "POST /api/v1/login",
            "POST /api/v1/logout",
        ]
    );
    let document = described();
    let mut open = vec![&document];
    let mut names = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                    names += 1;
                    assert!(document.pointer(name.trim_start_matches('#')).is_some(), "{name}");
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(names > 30, "{names}");
}

#[test]
fn the_description_names_what_every_question_and_every_body_may_be_answered_with() {
    let document = described();
    for (path, method) in operations() {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        let asks = operation["parameters"].as_array().is_some_and(|parameters| parameters.iter().any(|one| one["in"] == "query"));
        let sends = !operation["requestBody"].is_null();
        for (wanted, status) in [(asks || sends, "400"), (sends, "413"), (sends, "415")] {
            assert!(!wanted || !operation["responses"][status].is_null(), "{method} {path} {status}");
        }
    }
}
