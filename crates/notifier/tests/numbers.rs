//! A telephone number stands in the body of a call and nowhere else: not in logs, whatever their level, and not in `Debug`.
//! Alone in its binary, because it listens to every log line of the process.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod support;

use std::io;
use std::sync::{Arc, Mutex};
use support::*;
use watchfire_notifier::*;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);
impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn numbers_show_nowhere_but_in_the_body() {
    let kept = Kept::default();
    let writer = kept.clone();
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone()).init();
    let gateway = Gateway::start(Mode::Echo).await;
    gateway.next([Mode::Status(500, format!("cannot reach {NUMBER}"))]);
    let mut webhook = WebhookConfig::json(format!("{}?access_token=query-secret", gateway.url));
    webhook.headers.push(("Authorization".into(), Secret::new("Bearer header-secret")));
    let channel = sms(webhook);
    let shown = format!("{channel:?}");
    let bench = Bench::start(vec![channel], 200.0);
    bench.notifier.send(notification("c1", "wang", "sms"), 0);
    bench.reported(2).await;
    gateway.set(Mode::Status(400, format!("refused: {NUMBER}")));
    bench.notifier.send(notification("c2", "wang", "sms"), 0);
    let attempts = bench.reported(3).await;
    assert!(gateway.calls().iter().all(|call| call.body.contains(NUMBER)), "it was really sent");
    let logs = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("message failed on this channel"), "the log was really listened to: {logs}");
    for text in [logs, shown, format!("{attempts:?}"), format!("{:?}", bench.notifier.status())] {
        for secret in [NUMBER, "query-secret", "header-secret"] {
            assert!(!text.contains(secret), "{secret} in: {text}");
        }
    }
}
