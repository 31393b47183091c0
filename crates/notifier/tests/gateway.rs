//! Messages through a real HTTP server in every mood a gateway has.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod support;

use model::plant::ChannelKind;
use model::{AttemptResult, CaseId, Level, Purpose, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use watchfire_notifier::*;

use AttemptResult::{Accepted, Delivered, Failed, Retrying};

/// Waits of seconds become milliseconds.
const FAST: f64 = 200.0;

fn ok() -> Mode {
    Mode::Ok(r#"{"code":"OK"}"#.to_owned())
}

#[tokio::test]
async fn a_message_reaches_the_number_and_says_the_value_of_that_moment() {
    let gateway = Gateway::start(ok()).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], 1.0);
    bench.tank.set(93);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(1).await;
    let words = "【烽燧】橙色预警:XX化工罐区V-101液位高高报,LIA-101现93.0%(限90%),14:05起,请14:10前签收,单号0412";
    assert_eq!((attempts[0].number, attempts[0].result, attempts[0].words.as_str()), (1, Accepted, words));
    assert_eq!(attempts[0].answer, r#"200 {"code":"OK"}"#);
    let call = &gateway.calls()[0];
    let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!((body["to"].as_str(), body["text"].as_str()), (Some(NUMBER), Some(words)));
    assert_eq!(call.method, "POST");
    let key = call.headers["idempotency-key"].to_str().unwrap();
    assert_eq!(body["key"].as_str(), Some(key));
    assert_eq!(key, "c1|high-high@xx/1%23%E7%BD%90/L!c1/0|0|announce|wang|sms|0");
}

#[tokio::test]
async fn a_failing_gateway_is_tried_three_times_with_one_key_and_new_values_and_then_given_up() {
    let gateway = Gateway::start(Mode::Status(500, "sorry".to_owned())).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(1).await;
    bench.tank.set(97);
    let attempts = bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
    assert!(attempts.iter().all(|attempt| attempt.answer == "500 sorry"), "{attempts:?}");
    assert!(attempts[2].words.contains("现97.0%"), "{}", attempts[2].words);
    let calls = gateway.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.headers["idempotency-key"] == calls[0].headers["idempotency-key"]));
    let status = &bench.notifier.status()[0];
    assert_eq!((status.retried, status.failed, status.accepted), (2, 1, 0));
}

#[tokio::test]
async fn a_gateway_that_recovers_gets_it_at_the_second_attempt() {
    let gateway = Gateway::start(ok()).await;
    gateway.next([Mode::Status(503, String::new())]);
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 4);
    bench.reported(2).await;
    assert_eq!(bench.results(), [(5, Retrying), (6, Accepted)], "numbers go on where the journal ended");
}

#[tokio::test]
async fn a_busy_gateway_is_waited_for_briefly_and_otherwise_left_for_the_next_channel() {
    let gateway = Gateway::start(ok()).await;
    gateway.next([Mode::Busy(1), Mode::Status(200, "ok".to_owned()), Mode::Busy(3600)]);
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(2).await;
    let calls = gateway.calls();
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(1), "not before the gateway said");
    bench.notifier.send(notification("c2", "wang", "sms"), 0);
    bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Accepted), (1, Failed)]);
}

#[tokio::test]
async fn a_gateway_that_hangs_holds_nobody_up() {
    let gateway = Gateway::start(Mode::Hang).await;
    let webhook = WebhookConfig { timeout: Duration::from_millis(300), ..WebhookConfig::json(&gateway.url) };
    let bench = Bench::start(vec![sms(webhook)], FAST);
    let begun = Instant::now();
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
    assert!(attempts[0].answer.contains("timed out") || attempts[0].answer.contains("no answer"), "{}", attempts[0].answer);
    assert!(begun.elapsed() >= Duration::from_millis(900), "each attempt had its whole time");
}

#[tokio::test]
async fn a_gateway_that_answers_drop_by_drop_is_an_unknown_end_and_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
                while socket.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
    });
    let webhook = WebhookConfig { timeout: Duration::from_millis(300), ..WebhookConfig::json(url) };
    let bench = Bench::start(vec![sms(webhook)], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
}

#[tokio::test]
async fn two_hundred_with_an_error_inside_is_no_success() {
    let gateway = Gateway::start(ok()).await;
    gateway.next([Mode::Ok(r#"{"code":"isv.BUSINESS_LIMIT_CONTROL"}"#.to_owned()), Mode::Ok("not json".to_owned())]);
    let webhook = WebhookConfig { success_pointer: Some(("/code".into(), "OK".into())), ..WebhookConfig::json(&gateway.url) };
    let bench = Bench::start(vec![sms(webhook)], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Accepted)]);
    assert_eq!(attempts[0].answer, r#"200 {"code":"isv.BUSINESS_LIMIT_CONTROL"} (/code is not OK)"#);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Gateway::start(ok()).await;
    let gateway = Gateway::start(Mode::Redirect(elsewhere.url.clone())).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(1).await;
    assert_eq!((attempts[0].result, attempts[0].answer.as_str()), (Failed, "302 redirect, not followed"));
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let elsewhere = Gateway::start(ok()).await;
    let proxy = elsewhere.url.trim_end_matches("/send");
    // The environment belongs to the whole process, so another one runs the plainest of these tests.
    let mut run = tokio::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "a_message_reaches_the_number_and_says_the_value_of_that_moment"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        run.env(name, proxy);
    }
    let ran = run.env_remove("no_proxy").env_remove("NO_PROXY").output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn wrong_credentials_are_not_tried_again() {
    let gateway = Gateway::start(Mode::Status(401, "who are you".to_owned())).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    assert_eq!(bench.reported(1).await[0].result, Failed);
    assert_eq!(gateway.calls().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_costs_no_budget() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let voice = ChannelConfig::webhook("voice", ChannelKind::Voice, WebhookConfig::json(url), Lang::Zh);
    let bench = Bench::start(vec![voice], FAST);
    bench.notifier.send(notification("c1", "wang", "voice"), 0);
    let attempts = bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
    assert!(attempts.iter().all(|attempt| attempt.answer.starts_with("no connection: ")), "{attempts:?}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_no_connection() {
    let bench = Bench::start(vec![sms(WebhookConfig::json("http://gateway.invalid/send"))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
}

#[tokio::test]
async fn a_gateway_that_cannot_prove_who_it_is_gets_nothing() {
    let gateway = Gateway::start(ok()).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(gateway.url.replace("http://", "https://")))], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(3).await;
    assert_eq!(bench.results(), [(1, Retrying), (2, Retrying), (3, Failed)]);
    assert!(attempts[0].answer.starts_with("no connection: "), "{}", attempts[0].answer);
    assert!(gateway.calls().is_empty());
}

#[tokio::test]
async fn a_red_message_passes_a_gateway_that_hangs_on_blue_ones() {
    let gateway = Gateway::start(Mode::Hang).await;
    let webhook = WebhookConfig { timeout: Duration::from_secs(15), ..WebhookConfig::json(&gateway.url) };
    let channel = ChannelConfig { kind: ChannelKind::App, ..sms(webhook) };
    let bench = Bench::start(vec![channel], 1.0);
    for n in 0..40 {
        let mut blue = notification(&format!("c{n}"), &format!("person-{n}"), "sms");
        blue.level = Level::Blue;
        bench.notifier.send(blue, 0);
    }
    eventually("the gateway hangs on as many as it may", || gateway.calls().len() == 16).await;
    gateway.set(ok());
    let mut red = notification("red", "wang", "sms");
    red.level = Level::Red;
    bench.notifier.send(red, 0);
    let attempts = bench.reported(1).await;
    assert_eq!((attempts[0].key.case.as_str(), attempts[0].result), ("red", Accepted));
}

#[tokio::test]
async fn a_spent_budget_is_said_so_that_the_next_channel_is_tried_and_red_has_a_reserve() {
    let gateway = Gateway::start(ok()).await;
    let budget = Some(Budget { per_minute: None, per_hour: Some(5), per_day: Some(20), reserve_percent: 30 });
    let voice =
        ChannelConfig { budget, ..ChannelConfig::webhook("voice", ChannelKind::Voice, WebhookConfig::json(&gateway.url), Lang::Zh) };
    let bench = Bench::start(vec![voice], FAST);
    // One call of an earlier run counts.
    bench.notifier.note_spent(&"voice".into(), &"wang".into(), Timestamp::from_secs(NOW.0 / 1_000_000 - 60));
    for n in 0..3 {
        bench.notifier.send(notification(&format!("c{n}"), "wang", "voice"), 0);
        bench.reported(n + 1).await;
    }
    assert_eq!(bench.results(), [(1, Accepted), (1, Accepted), (0, Failed)], "no call, so none is counted");
    assert_eq!(bench.reports()[2].answer, "budget");
    for n in 3..6 {
        let mut red = notification(&format!("c{n}"), "wang", "voice");
        red.level = Level::Red;
        bench.notifier.send(red, 0);
        bench.reported(n + 1).await;
    }
    assert_eq!(bench.results()[3..], [(1, Accepted), (1, Accepted), (0, Failed)]);
    bench.notifier.send(notification("other", "li", "voice"), 0);
    assert_eq!(bench.reported(7).await[6].result, Accepted, "another callee has a budget of their own");
    assert_eq!(bench.notifier.status()[0].over_budget, 2);
}

#[tokio::test]
async fn a_red_call_waits_for_its_callees_minute_while_other_channels_go_out_and_other_levels_are_refused() {
    let gateway = Gateway::start(ok()).await;
    let voice = ChannelConfig::webhook("voice", ChannelKind::Voice, WebhookConfig::json(&gateway.url), Lang::Zh);
    let bench = Bench::start(vec![voice, sms(WebhookConfig::json(&gateway.url))], FAST);
    let red = |case: &str, channel: &str| {
        let mut red = notification(case, "wang", channel);
        red.level = Level::Red;
        red
    };
    let heard = |bench: &Bench| -> Vec<(String, String, AttemptResult)> {
        let reports = bench.reports().into_iter();
        reports.map(|attempt| (attempt.key.case.to_string(), attempt.key.channel.to_string(), attempt.result)).collect()
    };
    bench.notifier.send(red("c1", "voice"), 0);
    bench.reported(1).await;
    bench.clock.fetch_add(20_000_000, Ordering::SeqCst);
    bench.notifier.send(red("c2", "voice"), 0);
    eventually("it waits", || bench.notifier.status()[1].waiting == 1).await;
    bench.notifier.send(red("c2", "sms"), 0);
    bench.reported(2).await;
    bench.notifier.send(notification("orange", "wang", "voice"), 0);
    bench.reported(3).await;
    assert_eq!(heard(&bench)[1..], [("c2".into(), "sms".into(), Accepted), ("orange".into(), "voice".into(), Failed)]);
    assert_eq!(gateway.calls().len(), 2, "the minute is not over");
    // Red is looked at first, so once the orange one is refused both red ones wait.
    bench.notifier.send(red("c3", "voice"), 0);
    bench.notifier.send(notification("orange again", "wang", "voice"), 0);
    bench.reported(4).await;
    bench.clock.fetch_add(40_000_000, Ordering::SeqCst);
    // One more would wait for a second minute: the next channel is the better way.
    bench.reported(6).await;
    assert_eq!(heard(&bench)[4..], [("c2".into(), "voice".into(), Accepted), ("c3".into(), "voice".into(), Failed)]);
    assert_eq!((gateway.calls().len(), bench.notifier.status()[1].over_budget), (3, 3));
}

#[tokio::test]
async fn two_calls_to_one_callee_are_a_second_apart() {
    let gateway = Gateway::start(ok()).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], 1.0);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.notifier.send(notification("c2", "wang", "sms"), 0);
    bench.reported(2).await;
    let calls = gateway.calls();
    // The first call's way to the gateway may have taken longer than the second's.
    assert!(calls[1].at - calls[0].at >= Duration::from_millis(900), "{:?}", calls[1].at - calls[0].at);
}

#[tokio::test]
async fn superseding_a_case_ends_its_retries_and_nothing_else() {
    let gateway = Gateway::start(Mode::Status(500, String::new())).await;
    let channel = ChannelConfig {
        retry: Retry { attempts: 3, first: Duration::from_secs(3600), max: Duration::from_secs(3600) },
        ..sms(WebhookConfig::json(&gateway.url))
    };
    let bench = Bench::start(vec![channel], 1.0);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(1).await;
    eventually("its retry waits", || bench.notifier.status()[0].waiting == 1).await;
    bench.notifier.supersede(&CaseId::new("c1"));
    assert_eq!(bench.notifier.status()[0].waiting, 0);
    gateway.set(ok());
    let mut closed = notification("c1", "li", "sms");
    closed.key.purpose = Purpose::Closed;
    bench.notifier.send(closed, 0);
    let attempts = bench.reported(2).await;
    assert_eq!((attempts[1].key.purpose, attempts[1].result), (Purpose::Closed, Accepted), "what comes after it is sent");
    assert_eq!(gateway.calls().len(), 2);
}

#[tokio::test]
async fn what_is_under_way_when_its_case_is_superseded_is_its_last_attempt() {
    let allowed = Arc::new(Notify::new());
    let gateway = Gateway::start(Mode::Hold(Arc::clone(&allowed))).await;
    let webhook = WebhookConfig { timeout: Duration::from_secs(15), ..WebhookConfig::json(&gateway.url) };
    let bench = Bench::start(vec![sms(webhook)], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    eventually("it is under way", || gateway.calls().len() == 1).await;
    bench.notifier.supersede(&CaseId::new("c1"));
    allowed.notify_one();
    assert_eq!(bench.reported(1).await[0].result, Failed);
}

#[tokio::test]
async fn what_cannot_be_sent_is_reported_and_not_dropped() {
    let gateway = Gateway::start(ok()).await;
    let bench = Bench::start(vec![sms(WebhookConfig::json(&gateway.url))], 1.0);
    bench.notifier.send(notification("c1", "wang", "pigeon"), 0);
    bench.reported(1).await;
    bench.notifier.send(notification("c1", "nobody", "sms"), 0);
    let answers: Vec<_> = bench.reported(2).await.into_iter().map(|attempt| (attempt.result, attempt.answer)).collect();
    assert_eq!(answers, [(Failed, "no such channel".to_owned()), (Failed, "no telephone number for this person".to_owned())]);
    bench.notifier.send(notification("c2", "nobody", "sms"), 2);
    bench.reported(3).await;
    assert_eq!(bench.results(), [(0, Failed), (0, Failed), (2, Failed)], "only calls are counted");
    assert!(gateway.calls().is_empty());
}

#[tokio::test]
async fn an_answer_is_cut_and_holds_neither_number_nor_secret() {
    let gateway = Gateway::start(Mode::Echo).await;
    let mut webhook = WebhookConfig::json(format!("{}?access_token=query-secret", gateway.url));
    webhook.headers.push(("Authorization".into(), Secret::new("Bearer header-secret")));
    let bench = Bench::start(vec![sms(webhook)], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    let attempts = bench.reported(1).await;
    assert_eq!(gateway.calls()[0].headers["authorization"], "Bearer header-secret");
    let shown = format!("{attempts:?}");
    assert!(shown.contains("100****1234"), "{shown}");
    assert!(!shown.contains(NUMBER) && !shown.contains("header-secret") && !shown.contains("query-secret"), "{shown}");
    gateway.set(Mode::Ok("语".repeat(1_000_000)));
    bench.notifier.send(notification("c2", "wang", "sms"), 0);
    let attempts = bench.reported(2).await;
    assert_eq!((attempts[1].result, attempts[1].answer.chars().count()), (Accepted, model::bounds::ANSWER_CHARS_MAX));
}

#[tokio::test]
async fn a_body_is_escaped_for_its_content_type_and_checked_at_start() {
    let gateway = Gateway::start(ok()).await;
    let mut webhook = WebhookConfig::json(&gateway.url);
    webhook.headers.push(("Content-Type".into(), Secret::new("application/x-www-form-urlencoded")));
    webhook.body_template = "mobile={{ phone }}&content={{ text }}&id={{ key_hash }}&v={{ message.value }}".to_owned();
    let bench = Bench::start(vec![sms(webhook)], FAST);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(1).await;
    let body = gateway.calls()[0].body.clone();
    assert!(body.starts_with(&format!("mobile={NUMBER}&content=%E3%80%90")) && body.matches('&').count() == 3, "{body}");

    let refused = |body: &str| {
        let webhook = WebhookConfig { body_template: body.to_owned(), ..WebhookConfig::json(&gateway.url) };
        let clock: Clock = Arc::new(|| NOW);
        let config = NotifierConfig { channels: vec![sms(webhook)], ..NotifierConfig::new(clock) };
        let facts: Arc<dyn Facts> = Arc::new(Tank::default());
        Notifier::start(config, facts, Arc::new(|_| {})).err().expect("refused").to_string()
    };
    let missing = refused("{\n\"text\":\"{{ txt }}\"}");
    assert!(missing.contains("channel sms") && missing.contains("line 2") && missing.contains("undefined"), "{missing}");
    assert!(refused("{\"text\":{{ text }}}").contains("no valid JSON"));
}

#[tokio::test]
async fn a_channel_that_cannot_work_is_refused_at_start_without_showing_its_token() {
    let refused = |webhook: WebhookConfig| {
        let clock: Clock = Arc::new(|| NOW);
        let config = NotifierConfig { channels: vec![sms(webhook)], ..NotifierConfig::new(clock) };
        let facts: Arc<dyn Facts> = Arc::new(Tank::default());
        Notifier::start(config, facts, Arc::new(|_| {})).err().expect("refused").to_string()
    };
    let scheme = refused(WebhookConfig::json("ftp://host/a?token=geheim"));
    assert!(scheme.contains("ftp://host/a") && !scheme.contains("geheim"), "{scheme}");
    assert!(refused(WebhookConfig { method: "DELETE".into(), ..WebhookConfig::json("http://h/") }).contains("use POST"));
    assert!(refused(WebhookConfig { timeout: Duration::ZERO, ..WebhookConfig::json("http://h/") }).contains("timeout"));
    let pointer = WebhookConfig { success_pointer: Some(("code".into(), "OK".into())), ..WebhookConfig::json("http://h/") };
    assert!(refused(pointer).contains("begins with /"));
}

#[tokio::test]
async fn the_page_takes_everything_at_once_and_receipts_are_told() {
    let bench = Bench::start(vec![ChannelConfig::platform("platform", Lang::Zh)], 1.0);
    let notification = notification("c1", "wang", "platform");
    bench.notifier.send(notification.clone(), 0);
    assert_eq!(bench.reported(1).await[0].result, Accepted);
    assert!(bench.notifier.receipt(notification.key.clone(), true));
    assert!(bench.notifier.receipt(notification.key, false));
    let attempts = bench.reported(3).await;
    assert_eq!((attempts[1].result, attempts[1].words.as_str()), (Delivered, ""));
    assert_eq!(attempts[2].result, Failed);
}

#[tokio::test]
async fn stopping_ends_what_is_under_way_and_reports_it() {
    let allowed = Arc::new(Notify::new());
    let gateway = Gateway::start(Mode::Hold(Arc::clone(&allowed))).await;
    let webhook = WebhookConfig { timeout: Duration::from_secs(15), ..WebhookConfig::json(&gateway.url) };
    let bench = Bench::start(vec![sms(webhook)], 1.0);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    eventually("it is under way", || gateway.calls().len() == 1).await;
    let stop = bench.notifier.clone().stop();
    tokio::join!(stop, async { allowed.notify_one() });
    assert_eq!(bench.results(), [(1, Retrying)], "reported before stop returned; the rest is the next start's");
}
