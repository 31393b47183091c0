//! The client against a scripted broker: what must hold whatever the other side does. Each scenario in both protocol versions.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod common;

use common::fake::FakeBroker;
use common::hear::{Engine, LONG, clock, engine};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use watchfire_ingest::{AckHandle, BrokerAddress, Item, MqttSettings, MqttSource, Protocol, Source, SourceEvent, SourceId, Timing};

const TT: &[u8] = b"watchfire/v1/xinghua/TT-101";

/// A source that comes back at once.
struct Running {
    engine: Engine,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn quick() -> Timing {
    Timing { backoff_min: Duration::from_millis(1), backoff_max: Duration::from_millis(20), ..Timing::default() }
}

fn start(broker: &FakeBroker, protocol: Protocol, timing: Timing) -> Running {
    let (sink, engine) = engine();
    let address = BrokerAddress::parse(&format!("mqtt://user:pass@{}", broker.address())).unwrap();
    let settings = MqttSettings { timing, ..MqttSettings::new(SourceId(3), address, "engine-1", clock()) };
    let source = Box::new(MqttSource::new(settings, protocol).unwrap());
    assert_eq!(source.name(), format!("mqtt://user@{}", broker.address()));
    let stop = CancellationToken::new();
    let task = source.start(sink, stop.clone());
    Running { engine, stop, task }
}

macro_rules! in_both_versions {
    ($(async fn $name:ident($protocol:ident: Protocol) $body:block)*) => {
        mod v311 { $(#[tokio::test] async fn $name() { super::$name(watchfire_ingest::Protocol::V311).await; })* }
        mod v5 { $(#[tokio::test] async fn $name() { super::$name(watchfire_ingest::Protocol::V5).await; })* }
        $(async fn $name($protocol: Protocol) $body)*
    };
}

in_both_versions! {
    async fn the_session_is_persistent_and_the_keep_alive_short(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let _running = start(&broker, protocol, quick());
        let connect = broker.accept().await.connect.body;
        let (level, flags, keep_alive) = (connect[6], connect[7], u16::from_be_bytes([connect[8], connect[9]]));
        assert_eq!(level, if protocol == Protocol::V5 { 5 } else { 4 });
        assert_eq!(flags, 0b1100_0000, "user and password, no clean start, no will");
        assert_eq!(keep_alive, 5);
        let id = b"\x00\x08engine-1\x00\x04user\x00\x04pass";
        assert!(connect.ends_with(id), "{connect:?}");
    }

    async fn it_subscribes_on_every_connection_whatever_the_broker_remembers(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        for session_present in [false, true, false, false, true] {
            let connection = broker.welcome(session_present).await;
            assert_eq!(running.engine.up().await, session_present);
            connection.hang_up().await;
            running.engine.down().await;
        }
    }

    async fn it_is_up_only_with_qos_1_granted(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, Timing { suback: Duration::from_millis(200), ..quick() });
        for (code, reason) in [(Some(0x80), "subscription refused"), (Some(0), "QoS 0 only"), (None, "no SUBACK within 200ms")] {
            let mut connection = broker.accept().await;
            connection.connack(true).await;
            match code {
                Some(code) => connection.subscribed(&[code]).await,
                None => assert_eq!(connection.read().await.expect("a SUBSCRIBE").first, 0x82),
            }
            let SourceEvent::Down { source, reason: told } = running.engine.next().await else { panic!("not up") };
            assert!(told.contains(reason) && source == SourceId(3), "{told}");
            connection.until_gone().await;
        }
        let _connection = broker.welcome(false).await;
        assert!(matches!(running.engine.next().await, SourceEvent::Up { source: SourceId(3), session_present: false }));
    }

    async fn pubacks_leave_after_the_ack_in_order_of_arrival(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        let mut items = Vec::new();
        for packet_id in [11, 7, 65_535] {
            connection.publish(TT, packet_id, b"{}", 0).await;
            items.push(running.engine.message().await);
        }
        let last = items.pop().unwrap();
        last.ack.ack();
        items.pop().unwrap().ack.ack();
        // The client is alive and reads on, and has still written nothing.
        connection.publish(TT, 1, b"{}", 0).await;
        let fourth = running.engine.message().await;
        items.pop().unwrap().ack.ack();
        fourth.ack.ack();
        for packet_id in [11, 7, 65_535, 1] {
            assert_eq!(connection.puback().await, packet_id);
        }
    }

    async fn flags_and_bytes_arrive_as_sent(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        connection.publish(TT, 1, b"\xff\x00", 8 | 1).await;
        let item = running.engine.message().await;
        assert_eq!((&*item.topic, &*item.payload, item.qos, item.retained, item.duplicate), (TT, &b"\xff\x00"[..], 1, true, true));
        assert_eq!((item.received, item.forged, item.source), (common::RECEIVED, false, SourceId(3)));
        assert!(item.publisher.is_none());
        // QoS 0: nothing to acknowledge, and letting go of it costs nothing.
        let mut body = (TT.len() as u16).to_be_bytes().to_vec();
        body.extend_from_slice(TT);
        if protocol == Protocol::V5 {
            body.push(0);
        }
        connection.send(0x30, &body).await;
        drop(running.engine.message().await);
        item.ack.ack();
        assert_eq!(connection.puback().await, 1);
    }

    async fn a_large_message_costs_no_connection(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        // MQTT 5 brokers are told the limit; 3.1.1 ones are not, so there it lies far above theirs.
        let size = if protocol == Protocol::V5 { 1 << 20 } else { 8 << 20 };
        connection.publish(TT, 1, &vec![b' '; size], 0).await;
        let item = running.engine.message().await;
        assert_eq!(item.payload.len(), size);
        item.ack.ack();
        assert_eq!(connection.puback().await, 1);
    }

    async fn a_message_let_go_of_is_asked_for_again(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        connection.publish(TT, 1, b"a", 0).await;
        connection.publish(TT, 2, b"b", 0).await;
        let lost = running.engine.message().await;
        let kept = running.engine.message().await;
        drop(lost);
        kept.ack.ack();
        assert_eq!(connection.read().await, None, "it hangs up and acknowledges nothing younger");
        assert!(running.engine.down().await.contains("given up"));
        let mut connection = broker.welcome(true).await;
        connection.publish(TT, 1, b"a", 8).await;
        running.engine.message().await.ack.ack();
        assert_eq!(connection.puback().await, 1);
    }

    async fn a_siren_command_is_acknowledged_and_nobody_is_bothered(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        connection.publish(b"watchfire/v1/xinghua/siren/z1", 1, b"on", 0).await;
        assert_eq!(connection.puback().await, 1);
        connection.publish(TT, 2, b"x", 0).await;
        assert_eq!(running.engine.message().await.payload, "x");
    }

    async fn acks_given_before_the_stop_still_leave(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        for packet_id in 1..=50 {
            connection.publish(TT, packet_id, b"x", 0).await;
        }
        for _ in 1..=50 {
            running.engine.message().await.ack.ack();
        }
        running.stop.cancel();
        for packet_id in 1..=50 {
            assert_eq!(connection.puback().await, packet_id);
        }
        assert_eq!(connection.read().await.expect("a DISCONNECT").first, 0xe0);
        tokio::time::timeout(LONG, running.task).await.unwrap().unwrap();
    }

    async fn it_stops_while_the_broker_is_away(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, Timing { backoff_min: LONG * 100, backoff_max: LONG * 100, ..quick() });
        broker.accept().await.hang_up().await;
        running.engine.down().await;
        running.stop.cancel();
        tokio::time::timeout(LONG, running.task).await.unwrap().unwrap();
    }

    async fn a_peer_that_plays_dead_is_left(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        let mut connection = broker.welcome(false).await;
        connection.answers_pings = false;
        running.engine.up().await;
        let left = std::time::Instant::now();
        connection.until_gone().await;
        assert!(left.elapsed() < Duration::from_secs(15), "two pings of 5 s and some");
        running.engine.down().await;
        let _connection = broker.welcome(true).await;
        running.engine.up().await;
    }

    async fn a_library_that_hangs_is_thrown_away(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        // Shorter than the keep-alive, so nothing else can notice.
        let running = start(&broker, protocol, Timing { suback: Duration::from_millis(300), silence_max: Duration::from_millis(300), ..quick() });
        let mut connection = broker.welcome(false).await;
        connection.until_gone().await;
        assert!(running.engine.down().await.contains("no sign of life"));
    }

    async fn two_clients_with_one_id_are_named_and_slowed(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, Timing { backoff_min: Duration::from_millis(10), backoff_max: Duration::from_millis(200), ..quick() });
        let began = std::time::Instant::now();
        for round in 0..8 {
            let mut connection = broker.welcome(true).await;
            running.engine.up().await;
            if protocol == Protocol::V5 {
                // DISCONNECT: session taken over.
                connection.send(0xe0, &[0x8e, 0]).await;
            }
            connection.hang_up().await;
            let reason = running.engine.down().await;
            assert_eq!(reason.contains("another client"), round >= 2, "{round}: {reason}");
            assert!(protocol == Protocol::V311 || reason.contains("SessionTakenOver"), "{reason}");
        }
        // Half of 10+20+40+80+160+200+200 ms at least.
        assert!(began.elapsed() >= Duration::from_millis(355));
    }

    async fn being_refused_is_told_once_and_tried_again(protocol: Protocol) {
        let broker = FakeBroker::listen(protocol).await;
        let running = start(&broker, protocol, quick());
        for _ in 0..5 {
            let mut connection = broker.accept().await;
            let refusal: &[u8] = if protocol == Protocol::V5 { &[0, 0x86, 0] } else { &[0, 4] };
            connection.send(0x20, refusal).await;
            connection.until_gone().await;
        }
        let _connection = broker.welcome(false).await;
        assert!(matches!(running.engine.next().await, SourceEvent::Down { reason, .. } if reason.contains("BadUserNamePassword")));
        assert!(matches!(running.engine.next().await, SourceEvent::Up { .. }), "five refusals are one message");
    }

    async fn a_late_ack_never_acknowledges_another_message(protocol: Protocol) {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let broker = FakeBroker::listen(protocol).await;
        let Running { engine, .. } = start(&broker, protocol, quick());
        // (connection, packet id) whose ack() has been called while it could be its own.
        let allowed: Arc<Mutex<BTreeSet<(u32, u16)>>> = Arc::default();
        let engine_allowed = allowed.clone();
        let mut engine_rng = rng.fork();
        let engine = tokio::spawn(async move {
            let mut held: Vec<(u32, u16, AckHandle)> = Vec::new();
            loop {
                match engine.next().await {
                    SourceEvent::Message(Item { payload, ack, .. }) => {
                        let text = std::str::from_utf8(&payload).unwrap();
                        if text == "end" {
                            return;
                        }
                        let (connection, packet_id) = text.split_once(':').unwrap();
                        held.push((connection.parse().unwrap(), packet_id.parse().unwrap(), ack));
                    }
                    SourceEvent::Up { .. } | SourceEvent::Down { .. } => {}
                }
                // Commits finish now and then, old ones and new ones alike, long after a reconnect too.
                while !held.is_empty() && engine_rng.f32() < 0.6 {
                    let (connection, packet_id, ack) = held.swap_remove(engine_rng.usize(..held.len()));
                    engine_allowed.lock().unwrap().insert((connection, packet_id));
                    ack.ack();
                    if engine_rng.bool() {
                        tokio::task::yield_now().await;
                    }
                }
                if engine_rng.u8(..) == 0 && !held.is_empty() {
                    // One is lost.
                    drop(held.swap_remove(engine_rng.usize(..held.len())));
                }
            }
        });
        let mut acknowledged = 0;
        for round in 0..300_u32 {
            let mut connection = broker.welcome(rng.bool()).await;
            // Every connection uses the same packet ids for messages of its own.
            let count = rng.u16(1..8);
            for packet_id in 1..=count {
                connection.publish(TT, packet_id, format!("{round}:{packet_id}").as_bytes(), 0).await;
                if rng.bool() {
                    tokio::task::yield_now().await;
                }
            }
            if rng.bool() {
                tokio::time::sleep(Duration::from_micros(rng.u64(..3_000))).await;
            }
            let mut expected = 1;
            for packet in connection.hang_up().await {
                if packet.first == 0x40 {
                    let packet_id = u16::from_be_bytes([packet.body[0], packet.body[1]]);
                    assert!(allowed.lock().unwrap().contains(&(round, packet_id)), "round {round} acknowledged {packet_id} on its own, seed {seed}");
                    assert_eq!(packet_id, expected, "in order, seed {seed}");
                    expected += 1;
                    acknowledged += 1;
                }
            }
        }
        let mut connection = broker.welcome(true).await;
        connection.publish(TT, 1, b"end", 0).await;
        tokio::time::timeout(LONG, engine).await.unwrap().unwrap();
        assert!(acknowledged > 50, "only {acknowledged} acknowledged: the test proves little, seed {seed}");
    }
}

#[tokio::test]
async fn mqtt_5_announces_its_limits() {
    let broker = FakeBroker::listen(Protocol::V5).await;
    let _running = start(&broker, Protocol::V5, quick());
    let connect = broker.accept().await.connect.body;
    let has = |property: &[u8]| connect.windows(property.len()).any(|window| window == property);
    assert!(has(&[0x11, 0, 9, 0x3a, 0x80]), "the session outlives us by a week");
    assert!(has(&[0x21, 0x03, 0xe8]), "a thousand in flight");
    assert!(has(&[0x27, 0, 0x12, 0, 0]), "a mebibyte and its topic");
}

#[tokio::test]
async fn mqtt_5_hands_on_a_topic_that_is_not_utf_8() {
    let broker = FakeBroker::listen(Protocol::V5).await;
    let running = start(&broker, Protocol::V5, quick());
    let mut connection = broker.welcome(false).await;
    connection.publish(b"watchfire/v1/\xff/x", 1, b"{}", 0).await;
    let item = running.engine.message().await;
    assert_eq!(&*item.topic, b"watchfire/v1/\xff/x");
    item.ack.ack();
    assert_eq!(connection.puback().await, 1);
}

/// MQTT forbids it and brokers refuse it from their senders. Should one pass it on all the same, 3.1.1 loses the connection, and
/// loses it again as long as the session holds the message.
#[tokio::test]
async fn mqtt_3_1_1_gets_rid_of_a_topic_that_is_not_utf_8() {
    let broker = FakeBroker::listen(Protocol::V311).await;
    let running = start(&broker, Protocol::V311, quick());
    let persistent = |connect: &[u8]| connect[7] & 0b10 == 0;
    for round in 0..20 {
        let mut connection = broker.welcome(true).await;
        assert!(persistent(&connection.connect.body));
        running.engine.up().await;
        connection.publish(TT, 1, format!("good {round}").as_bytes(), 0).await;
        connection.publish(b"watchfire/v1/\xff/x", 2, b"{}", 0).await;
        // What came before it is heard every time, whether it was read together with it or not.
        assert_eq!(running.engine.message().await.payload, format!("good {round}"));
        let reason = running.engine.down().await;
        assert!(reason.contains("not UTF-8"), "{reason}");
        connection.until_gone().await;
    }
    let mut connection = broker.accept().await;
    assert!(!persistent(&connection.connect.body), "the broker is asked to forget");
    connection.connack(false).await;
    assert!(running.engine.down().await.contains("thrown away"));
    connection.until_gone().await;
    let mut connection = broker.welcome(false).await;
    assert!(persistent(&connection.connect.body));
    assert!(!running.engine.up().await);
    connection.publish(TT, 1, b"{}", 0).await;
    assert_eq!(running.engine.message().await.payload, "{}");
}
