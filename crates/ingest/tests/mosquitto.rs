//! The clients against a real Mosquitto.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod common;

use common::hear::{Engine, LONG, clock, engine};
use common::mosquitto::Mosquitto;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watchfire_ingest::{AddressError, BrokerAddress, MqttSettings, MqttSource, Protocol, Source, SourceId, Timing, TlsFiles};

const BOTH: [Protocol; 2] = [Protocol::V311, Protocol::V5];

fn source(url: &str, protocol: Protocol, tls: TlsFiles) -> Result<Box<MqttSource>, AddressError> {
    let address = BrokerAddress::parse(url).unwrap();
    // This Mosquitto writes its whole store with every change, so reading our last acks takes it a while.
    let (backoff_min, backoff_max) = (Duration::from_millis(10), Duration::from_millis(100));
    let timing = Timing { backoff_min, backoff_max, farewell: LONG, ..Timing::default() };
    let settings = MqttSettings { tls, timing, ..MqttSettings::new(SourceId(0), address, "engine-1", clock()) };
    MqttSource::new(settings, protocol).map(Box::new)
}

fn start(broker: &Mosquitto, protocol: Protocol) -> (Engine, CancellationToken, JoinHandle<()>) {
    let (sink, engine) = engine();
    let stop = CancellationToken::new();
    let task = source(&format!("mqtt://127.0.0.1:{}", broker.port), protocol, TlsFiles::default()).unwrap().start(sink, stop.clone());
    (engine, stop, task)
}

async fn stop(token: CancellationToken, task: JoinHandle<()>) {
    token.cancel();
    tokio::time::timeout(LONG, task).await.unwrap().unwrap();
}

/// Publishes the payloads at QoS 1 and waits until the broker has acknowledged them all.
async fn publish(port: u16, payloads: impl IntoIterator<Item = u32>) {
    let mut options = MqttOptions::new("gateway", "127.0.0.1", port);
    options.set_inflight(1_000);
    let (client, mut events) = AsyncClient::new(options, 10_000);
    let mut waiting = 0;
    for payload in payloads {
        client.publish("watchfire/v1/xinghua/TT-101", QoS::AtLeastOnce, false, payload.to_string()).await.unwrap();
        waiting += 1;
    }
    let acknowledged = async {
        while waiting > 0 {
            if let Event::Incoming(Incoming::PubAck(_)) = events.poll().await.unwrap() {
                waiting -= 1;
            }
        }
    };
    tokio::time::timeout(LONG, acknowledged).await.unwrap();
}

fn number(payload: &[u8]) -> u32 {
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}

#[tokio::test]
async fn unacknowledged_messages_come_again_and_acknowledged_ones_do_not() {
    for protocol in BOTH {
        let Some(broker) = Mosquitto::start("") else { return };
        let (engine, token, task) = start(&broker, protocol);
        assert!(!engine.up().await);
        publish(broker.port, 0..300).await;
        // The first two hundred are committed; the engine stops in the middle of the rest.
        let mut held = Vec::new();
        for expected in 0..300 {
            let item = engine.message().await;
            assert_eq!(number(&item.payload), expected, "in order");
            if expected < 200 {
                item.ack.ack();
            } else {
                held.push(item);
            }
        }
        stop(token, task).await;
        for item in held {
            // Too late, and without effect.
            item.ack.ack();
        }
        publish(broker.port, 300..350).await;
        let (engine, token, task) = start(&broker, protocol);
        for expected in 200..350 {
            let item = engine.message().await;
            assert_eq!(number(&item.payload), expected, "{protocol:?}");
            assert_eq!(item.duplicate, expected < 300, "{protocol:?} {expected}");
            item.ack.ack();
        }
        stop(token, task).await;
        // Nothing is left: what comes next is new.
        let (engine, token, task) = start(&broker, protocol);
        assert!(engine.up().await, "the session was kept");
        publish(broker.port, [999]).await;
        let item = engine.message().await;
        assert_eq!(number(&item.payload), 999);
        item.ack.ack();
        stop(token, task).await;
    }
}

#[tokio::test]
async fn nothing_the_broker_took_is_lost_when_it_is_killed() {
    for protocol in BOTH {
        let Some(mut broker) = Mosquitto::start("") else { return };
        let (engine, token, task) = start(&broker, protocol);
        engine.up().await;
        stop(token, task).await;
        publish(broker.port, 0..500).await;
        // With autosave on changes Mosquitto writes within its next turn, though not before its PUBACK.
        broker.has_stored("TT-101499");
        broker.kill_and_restart();
        let (engine, token, task) = start(&broker, protocol);
        let mut missing: BTreeSet<u32> = (0..500).collect();
        while !missing.is_empty() {
            let item = engine.message().await;
            missing.remove(&number(&item.payload));
            item.ack.ack();
        }
        // It also comes back by itself when the broker goes under it.
        broker.kill_and_restart();
        engine.down().await;
        engine.up().await;
        stop(token, task).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_the_right_one_works() {
    let Some(_) = Mosquitto::start("") else { return };
    let files = tempfile::tempdir().unwrap();
    let passwords = files.path().join("passwords");
    // `mosquitto_passwd -b` of engine / secret.
    let status = Command::new("mosquitto_passwd").args(["-c", "-b"]).arg(&passwords).args(["engine", "s3cret:@/"]).status();
    assert!(status.is_ok_and(|status| status.success()), "mosquitto_passwd comes with mosquitto");
    // Mosquitto gives up root for a user of its own before it reads the file.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&passwords, readable).unwrap();
    std::fs::set_permissions(files.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // Later lines win.
    let broker = Mosquitto::start(&format!("allow_anonymous false\npassword_file {}", passwords.display())).unwrap();
    for protocol in BOTH {
        for (login, works) in [("engine:wrong", false), ("engine:s3cret%3A%40%2F", true)] {
            let (sink, engine) = engine();
            let token = CancellationToken::new();
            let url = format!("mqtt://{login}@127.0.0.1:{}", broker.port);
            let task = source(&url, protocol, TlsFiles::default()).unwrap().start(sink, token.clone());
            if works {
                engine.up().await;
            } else {
                let reason = engine.down().await;
                assert!(reason.contains("NotAuthorized") && !reason.contains("wrong"), "{reason}");
            }
            stop(token, task).await;
        }
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output().expect("openssl is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A CA, a broker's certificate for 127.0.0.1, and one for the engine.
fn certificates(directory: &Path) {
    openssl(directory, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca");
    std::fs::write(directory.join("san"), "subjectAltName=IP:127.0.0.1").unwrap();
    for name in ["broker", "engine"] {
        openssl(directory, &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        let sign = format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile san");
        openssl(directory, &sign);
    }
}

#[tokio::test]
async fn an_encrypted_connection_checks_both_sides() {
    let files = tempfile::tempdir().unwrap();
    let at = |name: &str| files.path().join(name);
    if Mosquitto::start("").is_none() {
        return;
    }
    certificates(files.path());
    let here = files.path().display();
    let tls = format!("cafile {here}/ca.pem\ncertfile {here}/broker.pem\nkeyfile {here}/broker.key\nrequire_certificate true");
    let broker = Mosquitto::start_with_listener(&tls, "").unwrap();
    let url = format!("mqtts://127.0.0.1:{}", broker.port);
    let whole = TlsFiles { ca: Some(at("ca.pem")), certificate: Some(at("engine.pem")), key: Some(at("engine.key")) };
    let nameless = TlsFiles { certificate: None, key: None, ..whole.clone() };
    openssl(files.path(), "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other-ca");
    let stranger = TlsFiles { ca: Some(at("other.pem")), ..whole.clone() };
    for protocol in BOTH {
        for (tls, refused) in [(&whole, false), (&nameless, true), (&stranger, true)] {
            let (sink, engine) = engine();
            let token = CancellationToken::new();
            let task = source(&url, protocol, tls.clone()).unwrap().start(sink, token.clone());
            if refused {
                engine.down().await;
            } else {
                engine.up().await;
            }
            stop(token, task).await;
        }
    }
    let half = TlsFiles { key: None, ..whole };
    assert!(matches!(source(&url, Protocol::V311, half), Err(AddressError::HalfClientCertificate)));
}
