//! The history of a tag: a budget of points, and nobody else's past.

use crate::plant::{ENTERPRISES, NOW};
use crate::site::{LOGINS, Site, may_see};
use reqwest::StatusCode;

fn path(enterprise: &str, tag: &str, query: &str) -> String {
    format!("/api/v1/tags/{enterprise}/{}/history{query}", crate::site::segment(tag))
}

#[tokio::test]
async fn a_tag_outside_the_jurisdiction_has_no_past() {
    let site = Site::start().await;
    for (username, ..) in LOGINS {
        let token = site.login(username).await;
        for enterprise in ENTERPRISES {
            let status = site.get(&token, &path(enterprise, "P-101A/B", "")).await.status();
            let wanted = if may_see(username, enterprise) { StatusCode::OK } else { StatusCode::NOT_FOUND };
            assert_eq!(status, wanted, "{username} {enterprise}");
        }
    }
}

#[tokio::test]
async fn a_question_without_times_is_about_the_last_hour_and_one_too_large_is_refused() {
    let site = Site::start().await;
    let token = site.login("root").await;
    let history = site.get_json(&token, &path("ent-hx", "1#罐", "")).await;
    assert_eq!(history["tag"], "ent-hx/1#罐");
    let (from, to) = (history["from"].as_i64().unwrap(), history["to"].as_i64().unwrap());
    assert_eq!((from, to), (NOW.as_millis() + 1 - 3_600_000, NOW.as_millis() + 1), "what was measured this moment is in it");
    assert_eq!(history["points"][0]["count"], 500);
    assert_eq!((&history["points"][0]["min"], &history["points"][0]["last"]), (&1.0.into(), &2.0.into()));
    let history = site.get_json(&token, &path("ent-hx", "1#罐", "?from=5&to=9&points=2000")).await;
    assert_eq!((&history["points"][0]["from"], &history["points"][0]["count"]), (&5.into(), &2000.into()));
    for query in ["?points=0", "?points=2001", "?from=9&to=9", "?from=10&to=9", "?from=x", "?points=-1"] {
        let response = site.get(&token, &path("ent-hx", "1#罐", query)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(site.get(&token, &path("ent-hx", "never", "")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(site.request(reqwest::Method::GET, &path("ent-hx", "1", "")).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
