//! Logins, sessions, and requests that are not what they seem.

use crate::plant::{case_id, key};
use crate::site::{PASSWORD, Site, fresh_accounts, header};
use console::{Accounts, Role};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_login_says_who_it_is_and_sets_a_cookie_scripts_cannot_read() {
    let site = Site::start().await;
    let response = site.try_login("Li", PASSWORD, HeaderMap::new()).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["watchfire_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain http here");
    let body: Value = response.json().await.unwrap();
    let wanted =
        json!({ "person": "li", "name": "李强", "username": "li", "role": "township", "body": "town-a", "body_name": "东山镇", "tier": 1 });
    assert_eq!(body["me"], wanted);
    assert_eq!(site.get_json(body["token"].as_str().unwrap(), "/api/v1/me").await, wanted);
    let root = site.get_json(&site.login("root").await, "/api/v1/me").await;
    assert_eq!((&root["role"], &root["tier"], &root["body"]), (&"admin".into(), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn behind_tls_the_cookie_is_secure_and_browsers_are_held_to_it() {
    let site = Site::with(fresh_accounts(), |settings| settings.cookie_secure = true).await;
    let response = site.try_login("li", PASSWORD, HeaderMap::new()).await;
    assert!(response.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
    assert!(response.headers().contains_key("strict-transport-security"));
    // A page that a proxy serves by https says so, whatever the settings.
    let site = Site::with(fresh_accounts(), |settings| settings.public_url = Some("https://watchfire.example".into())).await;
    let response = site.try_login("li", PASSWORD, header("origin", "https://watchfire.example")).await;
    assert!(response.headers()["set-cookie"].to_str().unwrap().contains("; Secure"));
}

#[tokio::test]
async fn a_restart_asks_nobody_to_log_in_again_unless_they_had_left() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = Accounts::open(folder.path()).unwrap();
    for username in ["wang", "li"] {
        let (role, body) = if username == "wang" { (Role::Enterprise, "ent-hx") } else { (Role::Township, "town-a") };
        accounts.add(username, role, Some(body.into()), username.into(), PASSWORD).unwrap();
    }
    let site = Site::with(accounts, |_| {}).await;
    let (stays, left) = (site.login("wang").await, site.login("li").await);
    site.request(Method::POST, "/api/v1/logout").bearer_auth(&left).send().await.unwrap();
    site.shutdown.cancel();
    site.served.await.unwrap();
    let site = Site::with(Accounts::open(folder.path()).unwrap(), |_| {}).await;
    assert_eq!(site.get_json(&stays, "/api/v1/me").await["username"], "wang");
    assert_eq!(site.get(&left, "/api/v1/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_whole_shift_may_log_in_at_once_from_one_address() {
    let site = Arc::new(Site::start().await);
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..console::bounds::TRIES_PER_ADDRESS_MAX + 10 {
        let site = site.clone();
        logins.spawn(async move { site.try_login("wang", PASSWORD, HeaderMap::new()).await.status() });
    }
    while let Some(status) = logins.join_next().await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer_in_the_askers_language() {
    let site = Site::start().await;
    let mut texts = Vec::new();
    for username in ["wang", "nobody"] {
        let response = site.try_login(username, "Wrong-horse-9", header("accept-language", "en-GB,en;q=0.9")).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(!response.headers().contains_key("set-cookie"));
        texts.push(response.text().await.unwrap());
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], r#"{"error":"wrong-login","text":"wrong user name or password"}"#);
    let chinese: Value = site.try_login("nobody", "Wrong-horse-9", HeaderMap::new()).await.json().await.unwrap();
    assert_eq!(chinese["text"], "用户名或密码错误");
    let asked = site.request(Method::GET, "/api/v1/me?lang=en").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(asked["text"], "log in first");
}

#[tokio::test]
async fn five_wrong_tries_stop_that_address_for_that_account_and_no_other() {
    let site = Site::with(fresh_accounts(), |settings| settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    // What a client writes before the proxy's own entry is not believed.
    let from = |address: &str| header("x-forwarded-for", &format!("203.0.113.9, {address}"));
    for _ in 0..5 {
        let response = site.try_login("wang", "Wrong-horse-9", from("192.0.2.1")).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let stopped = site.try_login("wang", PASSWORD, from("192.0.2.1")).await;
    assert_eq!(stopped.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(stopped.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 900);
    assert_eq!(site.try_login("wang", PASSWORD, from("192.0.2.2")).await.status(), StatusCode::OK);
    assert_eq!(site.try_login("li", PASSWORD, from("192.0.2.1")).await.status(), StatusCode::OK);
    site.seconds.store(900, Ordering::Relaxed);
    assert_eq!(site.try_login("wang", PASSWORD, from("192.0.2.1")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_is_no_trusted_proxy_cannot_choose_its_address() {
    let site = Site::start().await;
    for n in 0..5 {
        let response = site.try_login("chen", "Wrong-horse-9", header("x-forwarded-for", &format!("192.0.2.{n}"))).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let stopped = site.try_login("chen", PASSWORD, header("x-forwarded-for", "192.0.2.99")).await;
    assert_eq!(stopped.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_session_ends_by_logout_by_disuse_by_age_and_with_its_account() {
    let accounts = fresh_accounts();
    let site = Site::with(accounts.clone(), |_| {}).await;
    let ended = async |token: &str| site.get(token, "/api/v1/me").await.status() == StatusCode::UNAUTHORIZED;

    let left = site.login("wang").await;
    let logout = site.request(Method::POST, "/api/v1/logout").bearer_auth(&left).send().await.unwrap();
    assert_eq!(logout.status(), StatusCode::NO_CONTENT);
    assert!(ended(&left).await);

    let unused = site.login("wang").await;
    let used = site.login("li").await;
    let hours = |hours: u64| site.seconds.store(hours * 3600, Ordering::Relaxed);
    hours(11);
    assert!(!ended(&used).await);
    hours(12);
    assert!(ended(&unused).await && !ended(&used).await);
    for hour in (22..7 * 24).step_by(10) {
        hours(hour);
        assert!(!ended(&used).await, "{hour} h");
    }
    hours(7 * 24);
    assert!(ended(&used).await, "however used");

    let (changed, disabled) = (site.login("sun").await, site.login("zhou").await);
    accounts.set_password("sun", "Another-horse-7").unwrap();
    accounts.set_enabled("zhou", false).unwrap();
    assert!(ended(&changed).await && ended(&disabled).await);
}

#[tokio::test]
async fn a_login_ends_the_session_it_came_with() {
    let site = Site::start().await;
    let old = site.login("wang").await;
    let planted = header("cookie", &format!("other=1; watchfire_session={old}"));
    assert_eq!(site.try_login("wang", PASSWORD, planted).await.status(), StatusCode::OK);
    assert_eq!(site.get(&old, "/api/v1/me").await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_account_that_does_not_fit_the_plant_cannot_log_in() {
    let accounts = Accounts::in_memory();
    accounts.add("gone", Role::Enterprise, Some("ent-gone".into()), "wang".into(), PASSWORD).unwrap();
    accounts.add("high", Role::County, Some("ent-hx".into()), "wang".into(), PASSWORD).unwrap();
    accounts.add("who", Role::Enterprise, Some("ent-hx".into()), "nobody".into(), PASSWORD).unwrap();
    let site = Site::with(accounts, |_| {}).await;
    for username in ["gone", "high", "who"] {
        let response = site.try_login(username, PASSWORD, HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{username}");
        assert_eq!(response.json::<Value>().await.unwrap()["error"], "account-unfit");
    }
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing_and_another_site_cannot_send_the_header() {
    let site = Site::in_trouble().await;
    let token = site.login("wang").await;
    let act = json!({ "id": "1", "act": "accept", "case": case_id("ent-hx"), "announcements": [key("ent-hx")] });
    let send = async |headers: &[(&'static str, &str)]| {
        let mut map = header("cookie", &format!("watchfire_session={token}"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let sent = site.request(Method::POST, "/api/v1/acts").headers(map).json(&act).send().await.unwrap();
        (sent.status(), sent.json::<Value>().await.unwrap()["error"].as_str().unwrap_or_default().to_owned())
    };
    let refused = (StatusCode::FORBIDDEN, "cross-site".to_owned());
    let done = (StatusCode::OK, String::new());
    let own = site.base.clone();
    assert_eq!(send(&[]).await, refused);
    assert_eq!(send(&[("x-watchfire", "1")]).await, done);
    assert_eq!(send(&[("x-watchfire", "1"), ("origin", &own), ("sec-fetch-site", "same-origin")]).await, done);
    for origin in ["http://evil.example", "null", "http://127.0.0.1", &format!("{own}.evil.example")] {
        assert_eq!(send(&[("x-watchfire", "1"), ("origin", origin)]).await, refused, "{origin}");
    }
    assert_eq!(send(&[("x-watchfire", "1"), ("sec-fetch-site", "cross-site")]).await, refused);
    // A program with a bearer needs no header, but a browser of another site is refused all the same.
    assert_eq!(site.act(&token, &act).await.0, StatusCode::OK);
    let foreign = site.request(Method::POST, "/api/v1/acts").bearer_auth(&token).header("origin", "http://evil.example").json(&act);
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    // A wrong bearer is not rescued by a right cookie.
    let both = site.request(Method::GET, "/api/v1/me").bearer_auth("x").header("cookie", format!("watchfire_session={token}"));
    assert_eq!(both.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(site.try_login("wang", PASSWORD, header("origin", "http://evil.example")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(site.engine.acts.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn the_public_address_counts_as_our_own_origin() {
    let site = Site::with(fresh_accounts(), |settings| settings.public_url = Some("https://watchfire.example/".into())).await;
    assert_eq!(site.try_login("wang", PASSWORD, header("origin", "https://watchfire.example")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_form_of_another_site_is_not_json() {
    let site = Site::start().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let body = json!({ "username": "wang", "password": PASSWORD }).to_string();
        let sent = site.request(Method::POST, "/api/v1/login").header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
}
