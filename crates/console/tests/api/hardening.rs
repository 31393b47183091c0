//! What a hostile or broken client meets.

use crate::plant::NOW;
use crate::site::{Site, fresh_accounts};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_a_browser_in_bounds() {
    let site = Site::in_trouble().await;
    let token = site.login("sun").await;
    for path in
        ["/", "/cases/x", "/nope.js", "/api/v1/me", "/api/v1/cases", "/api/v1/nope", "/api/openapi.json", "/health/live", "/metrics"]
    {
        let response = site.get(&token, path).await;
        let headers = response.headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        if path.starts_with("/api/") {
            assert_eq!(headers["cache-control"], "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn names_with_markup_stay_inside_json() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    for path in ["/api/v1/cases", "/api/v1/tags", "/api/v1/alarms"] {
        let response = site.get(&token, path).await;
        assert_eq!(response.headers()["content-type"], "application/json", "{path}");
        assert!(response.text().await.unwrap().contains("<script>alert(1)</script>"), "{path} is shown as it stands");
    }
    let rows = site.get_json(&token, "/api/v1/quarantine").await;
    let row = &rows["rows"][0];
    assert_eq!(row["payload_hex"], "7b00223c623eff");
    assert_eq!(row["payload_text"], "{\u{fffd}\"<b>\u{fffd}");
    assert_eq!(row["text_zh"], "JSON 格式错误或被截断");
    assert_eq!((&rows["total_counted"], &row["at"]), (&1.into(), &NOW.as_millis().into()));
    assert_eq!(site.get_json(&site.login("sun").await, "/api/v1/quarantine").await["total_counted"], 7);
}

#[tokio::test]
async fn routes_get_the_page_files_that_do_not_exist_are_not_found() {
    let site = Site::start().await;
    let get = async |path: &str| site.request(Method::GET, path).send().await.unwrap();
    for path in ["/", "/messages", "/cases/high-high%40ent%2FLIA-101!1%2F0", "/?lang=en"] {
        let response = get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        assert_eq!(response.headers()["cache-control"], "no-cache", "{path}");
    }
    for path in [
        "/assets/none",
        "/assets/index-00000000.js",
        "/favicon.none",
        "/api/v1/nope",
        "/api",
        "/health/nope",
        "/..%2f..%2fetc%2fpasswd.txt",
    ] {
        let status = get(path).await.status();
        let is_route = path == "/api";
        assert_eq!(status == StatusCode::OK, is_route, "{path}: {status}");
    }
    let posted = site.request(Method::POST, "/messages").send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_head_is_cut_off() {
    let site = Site::with(fresh_accounts(), |settings| settings.head_timeout = Duration::from_millis(50)).await;
    let mut slow = TcpStream::connect(site.base.trim_start_matches("http://")).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Ends only because the server closes; nothing here waits for a time.
    slow.read_to_end(&mut answer).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    assert_eq!(site.request(Method::GET, "/health/live").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_past_the_bound_is_refused() {
    let site = Site::start().await;
    let token = site.login("wang").await;
    let body = format!("{{\"id\":\"{}\"}}", "x".repeat(console::bounds::BODY_BYTES_MAX));
    let request = site.request(Method::POST, "/api/v1/acts").bearer_auth(&token).header("content-type", "application/json");
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "too-large");
}

#[tokio::test]
async fn odd_questions_are_answered_with_bounds_not_with_faults() {
    let site = Site::in_trouble().await;
    let token = site.login("sun").await;
    for query in ["limit=0", "limit=99999999", "offset=18446744073709551615", "q=%00%27%3B--", "enterprise=%27", "q="] {
        let tags = site.get(&token, &format!("/api/v1/tags?{query}")).await;
        assert_eq!(tags.status(), StatusCode::OK, "{query}");
    }
    for query in ["limit=-1", "limit=x", "offset=1.5"] {
        let refused = site.get(&token, &format!("/api/v1/tags?{query}")).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.json::<Value>().await.unwrap()["error"], "bad-request", "{query}");
    }
    let nowhere = site.get(&token, "/api/v1/nope").await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(nowhere.json::<Value>().await.unwrap()["error"], "not-found");
    let found = site.get_json(&token, "/api/v1/tags?q=lia&enterprise=ent-lz").await;
    assert_eq!((&found["total"], &found["tags"][0]["tag"]), (&1.into(), &"ent-lz/LIA-101".into()));
}

#[tokio::test]
async fn health_tells_ready_apart_from_alive_and_metrics_count_requests() {
    let site = Site::start().await;
    let get = async |path: &str| site.request(Method::GET, path).send().await.unwrap();
    assert_eq!(get("/health/ready").await.status(), StatusCode::OK);
    site.engine.not_ready.store(true, Ordering::Relaxed);
    let waiting = get("/health/ready").await;
    assert_eq!(waiting.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(waiting.json::<Value>().await.unwrap()["reasons"][0], "not subscribed");
    assert_eq!(get("/health/live").await.status(), StatusCode::OK);
    let text = get("/metrics").await.text().await.unwrap();
    let line = "watchfire_http_requests_total{method=\"GET\",route=\"/health/ready\",status=\"503\"} 1";
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn lists_are_compressed_and_live_events_never_wait_in_a_compressor() {
    let site = Site::in_trouble().await;
    let token = site.login("sun").await;
    let get = async |path: &str| {
        let request = site.request(Method::GET, path).bearer_auth(&token).header("accept-encoding", "gzip");
        request.send().await.unwrap().headers().clone()
    };
    assert_eq!(get("/api/v1/cases").await["content-encoding"], "gzip");
    let events = get("/api/v1/events").await;
    assert!(!events.contains_key("content-encoding"));
    assert_eq!((&events["content-type"], &events["cache-control"]), (&"text/event-stream".parse().unwrap(), &"no-store".parse().unwrap()));
    assert_eq!(events["x-accel-buffering"], "no");
}

#[tokio::test]
async fn a_thousand_guesses_cost_five_hashes() {
    let site = Site::start().await;
    for _ in 0..1_000 {
        site.try_login("wang", "Wrong-horse-9", reqwest::header::HeaderMap::new()).await;
    }
    let text = site.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for line in ["watchfire_http_logins_total{result=\"wrong\"} 5", "watchfire_http_logins_total{result=\"too-many-tries\"} 995"] {
        assert!(text.contains(line), "{text}");
    }
}
