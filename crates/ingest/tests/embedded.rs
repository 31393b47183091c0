//! The built-in broker, from a gateway's side: real clients, MQTT 3.1.1 and 5, over the socket.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

mod common;

use common::hear::{Engine, LONG, clock, engine};
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, QoS, v5};
use std::net::SocketAddr;
use std::time::Duration;
use watchfire_ingest::{EmbeddedBroker, EmbeddedConfig, EmbeddedError, GatewayCredential, Secret, SourceId};

fn config(credentials: Vec<GatewayCredential>) -> EmbeddedConfig {
    EmbeddedConfig { source: SourceId(1), listen: SocketAddr::from(([127, 0, 0, 1], 0)), credentials, clock: clock() }
}

fn credential(username: &str, enterprise: &str) -> GatewayCredential {
    GatewayCredential { username: username.into(), secret: Secret::new("correct horse"), enterprise: enterprise.into() }
}

async fn start(credentials: Vec<GatewayCredential>) -> (EmbeddedBroker, Engine) {
    let (sink, engine) = engine();
    let broker = EmbeddedBroker::start(config(credentials), sink).unwrap();
    engine.up().await;
    (broker, engine)
}

fn options(broker: &EmbeddedBroker, id: &str, user: Option<&str>, password: &str) -> MqttOptions {
    let mut options = MqttOptions::new(id, "127.0.0.1", broker.local_addr().port());
    if let Some(user) = user {
        options.set_credentials(user, password);
    }
    options
}

/// A 3.1.1 client whose events are awaited one by one.
struct Gateway {
    client: AsyncClient,
    events: EventLoop,
}

impl Gateway {
    async fn connect(options: MqttOptions) -> Result<Self, String> {
        let (client, events) = AsyncClient::new(options, 100);
        let mut gateway = Self { client, events };
        gateway.until(|event| matches!(event, Event::Incoming(Incoming::ConnAck(_)))).await?;
        Ok(gateway)
    }
    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Result<Event, String> {
        let search = async {
            loop {
                let event = self.events.poll().await.map_err(|error| error.to_string())?;
                if wanted(&event) {
                    return Ok(event);
                }
            }
        };
        tokio::time::timeout(LONG, search).await.map_err(|_| "nothing came".to_owned())?
    }
    async fn publish(&mut self, topic: &str, payload: &str, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
        self.until(|event| matches!(event, Event::Outgoing(rumqttc::Outgoing::Publish(_)))).await.unwrap();
    }
    async fn acknowledged(&mut self) {
        self.until(|event| matches!(event, Event::Incoming(Incoming::PubAck(_)))).await.unwrap();
    }
    async fn subscribe(&mut self, filter: &str) -> bool {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let Event::Incoming(Incoming::SubAck(answer)) =
            self.until(|event| matches!(event, Event::Incoming(Incoming::SubAck(_)))).await.unwrap()
        else {
            unreachable!()
        };
        answer.return_codes == [rumqttc::SubscribeReasonCode::Success(QoS::AtLeastOnce)]
    }
    async fn message(&mut self) -> rumqttc::Publish {
        let Event::Incoming(Incoming::Publish(message)) =
            self.until(|event| matches!(event, Event::Incoming(Incoming::Publish(_)))).await.unwrap()
        else {
            unreachable!()
        };
        message
    }
    /// Everything heard up to the answer to a ping, which the broker gives after what it sent before.
    async fn hears_nothing(&mut self) -> bool {
        let event = self
            .until(|event| matches!(event, Event::Incoming(Incoming::PingResp | Incoming::PubAck(_) | Incoming::Publish(_))))
            .await
            .unwrap();
        matches!(event, Event::Incoming(Incoming::PingResp))
    }
}

const TT: &str = "watchfire/v1/xinghua/TT-101";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_gets_its_puback_after_the_engines_ack_and_not_before() {
    let (broker, engine) = start(vec![]).await;
    let mut gateway = Gateway::connect(options(&broker, "gw", None, "")).await.unwrap();
    gateway.publish(TT, r#"{"value":1}"#, false).await;
    let item = engine.message().await;
    assert_eq!((&*item.topic, &*item.payload, item.qos), (TT.as_bytes(), &br#"{"value":1}"#[..], 1));
    assert_eq!(item.received, common::RECEIVED);
    assert!(!item.forged && !item.retained);
    let waiting = tokio::spawn(async move { gateway.acknowledged().await });
    // Another gateway comes, is heard and answered ten times over; the first still waits for its turn.
    let mut other = Gateway::connect(options(&broker, "other", None, "")).await.unwrap();
    for _ in 0..10 {
        other.publish(TT, "2", false).await;
        engine.message().await.ack.ack();
        other.acknowledged().await;
    }
    assert!(!waiting.is_finished());
    item.ack.ack();
    waiting.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mqtt_5_gateway_gets_its_puback_after_the_engines_ack() {
    let (broker, engine) = start(vec![credential("gw-1", "xinghua")]).await;
    let mut options = v5::MqttOptions::new("gw5", "127.0.0.1", broker.local_addr().port());
    options.set_credentials("gw-1", "correct horse");
    let (client, mut events) = v5::AsyncClient::new(options, 10);
    client.publish(TT, v5::mqttbytes::QoS::AtLeastOnce, false, r#"{"value":1}"#).await.unwrap();
    let (acknowledged, puback) = tokio::sync::oneshot::channel();
    let polling = tokio::spawn(async move {
        loop {
            if let v5::Event::Incoming(v5::Incoming::PubAck(answer)) = events.poll().await.unwrap() {
                assert_eq!(answer.reason, v5::mqttbytes::v5::PubAckReason::Success);
                return acknowledged.send(()).unwrap();
            }
        }
    });
    let item = engine.message().await;
    assert_eq!(item.publisher.as_ref().unwrap().enterprise.as_ref().unwrap().as_str(), "xinghua");
    assert!(!polling.is_finished());
    item.ack.ack();
    tokio::time::timeout(LONG, puback).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_the_engine_lets_go_of_is_offered_again_and_not_acknowledged() {
    let (broker, engine) = start(vec![]).await;
    let mut gateway = Gateway::connect(options(&broker, "gw", None, "")).await.unwrap();
    gateway.publish(TT, "7", false).await;
    drop(engine.message().await);
    let again = engine.message().await;
    assert!(again.duplicate && again.payload == "7");
    again.ack.ack();
    gateway.acknowledged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_leaves_the_unacknowledged_unacknowledged() {
    let (broker, engine) = start(vec![]).await;
    let mut gateway = Gateway::connect(options(&broker, "gw", None, "")).await.unwrap();
    gateway.publish(TT, "7", false).await;
    let item = engine.message().await;
    drop(broker);
    let ended = gateway.until(|event| matches!(event, Event::Incoming(Incoming::PubAck(_)))).await;
    assert!(ended.is_err(), "the connection ends without a PUBACK");
    item.ack.ack();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_known_gateways_come_in() {
    let (broker, _engine) = start(vec![credential("gw-1", "xinghua")]).await;
    for (user, password) in
        [(None, ""), (Some("gw-1"), "wrong"), (Some("gw-1"), ""), (Some("gw-2"), "correct horse"), (Some("_engine"), "correct horse")]
    {
        let refused = Gateway::connect(options(&broker, "gw", user, password)).await;
        let why = refused.err().unwrap_or_else(|| panic!("{user:?} came in"));
        assert!(why.contains("BadUserNamePassword") || why.contains("NotAuthorized"), "{why}");
    }
    Gateway::connect(options(&broker, "gw", Some("gw-1"), "correct horse")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_cannot_push_another_ones_connection_out() {
    let (broker, engine) = start(vec![credential("gw-1", "xinghua"), credential("gw-2", "other")]).await;
    let mut first = Gateway::connect(options(&broker, "same-id", Some("gw-1"), "correct horse")).await.unwrap();
    let refused = Gateway::connect(options(&broker, "same-id", Some("gw-2"), "correct horse")).await;
    assert!(refused.err().is_some_and(|why| why.contains("NotAuthorized")));
    first.publish(TT, "1", false).await;
    engine.message().await.ack.ack();
    first.acknowledged().await;
    // Its own second connection is the same gateway come back.
    Gateway::connect(options(&broker, "same-id", Some("gw-1"), "correct horse")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_speaks_for_another_enterprise_is_heard_as_forged_and_nobody_else_hears_it() {
    let (broker, engine) = start(vec![credential("gw-1", "兴华化工"), credential("eye", "other")]).await;
    let mut eye = Gateway::connect(options(&broker, "eye", Some("eye"), "correct horse")).await.unwrap();
    assert!(eye.subscribe("watchfire/v1/other/#").await);
    let mut gateway = Gateway::connect(options(&broker, "gw", Some("gw-1"), "correct horse")).await.unwrap();
    for (topic, forged) in [
        ("watchfire/v1/兴华化工/TT-101", false),
        ("watchfire/v1/%E5%85%B4%E5%8D%8E%E5%8C%96%E5%B7%A5/TT-101", false),
        ("watchfire/v1/兴华化工", false),
        ("watchfire/v1/other/TT-101", true),
        ("watchfire/v1/other", true),
        ("watchfire/v1/_system/broker", true),
        ("watchfire/v1/兴华化工/siren/z1", true),
        ("watchfire/v1/other/siren/z1", true),
        ("elsewhere", true),
        ("$SYS/broker/uptime", true),
    ] {
        gateway.publish(topic, "1", false).await;
        let item = engine.message().await;
        assert_eq!((&*item.topic, item.forged), (topic.as_bytes(), forged), "{topic}");
        assert_eq!(&*item.publisher.as_ref().unwrap().username, "gw-1");
        item.ack.ack();
        // Forged or not, the sender gets a well-formed answer and does not send it for ever.
        gateway.acknowledged().await;
    }
    broker.publish("watchfire/v1/other/siren/z1", "on", 1, false).await;
    assert_eq!(eye.message().await.payload, "on", "the first thing it hears is the engine's own command");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_engine_commands_sirens_even_where_everybody_may_come_in() {
    let (broker, engine) = start(vec![]).await;
    let mut siren = Gateway::connect(options(&broker, "siren", None, "")).await.unwrap();
    assert!(siren.subscribe("watchfire/v1/+/siren/+").await);
    let mut gateway = Gateway::connect(options(&broker, "gw", None, "")).await.unwrap();
    gateway.publish("watchfire/v1/xinghua/siren/z1", "off", false).await;
    let item = engine.message().await;
    assert!(item.forged);
    item.ack.ack();
    gateway.acknowledged().await;
    let refused = Gateway::connect(options(&broker, "fake", Some("_engine"), "guess")).await;
    assert!(refused.is_err());

    broker.publish("watchfire/v1/xinghua/siren/z1", "in process", 1, false).await;
    assert_eq!(siren.message().await.payload, "in process");
    // The same over the socket, for a notifier with a client of its own: the engine does not hear itself.
    let mut commands = MqttOptions::new("notifier", "127.0.0.1", broker.local_addr().port());
    let address = broker.engine_address();
    let (user, password) = address.login().unwrap();
    commands.set_credentials(user, password);
    let mut commands = Gateway::connect(commands).await.unwrap();
    commands.publish("watchfire/v1/xinghua/siren/z1", "over the socket", false).await;
    commands.acknowledged().await;
    assert_eq!(siren.message().await.payload, "over the socket");
    assert!(engine.is_idle());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gateway_wants_retained_is_read_and_routed_but_not_kept() {
    let (broker, engine) = start(vec![]).await;
    let mut live = Gateway::connect(options(&broker, "live", None, "")).await.unwrap();
    assert!(live.subscribe("watchfire/v1/#").await);
    let mut gateway = Gateway::connect(options(&broker, "gw", None, "")).await.unwrap();
    gateway.publish(TT, "1", true).await;
    let item = engine.message().await;
    assert!(!item.retained, "the reading itself is fresh");
    item.ack.ack();
    gateway.acknowledged().await;
    assert_eq!(live.message().await.payload, "1");
    let mut late = options(&broker, "late", None, "");
    late.set_keep_alive(Duration::from_secs(5));
    let mut late = Gateway::connect(late).await.unwrap();
    assert!(late.subscribe("watchfire/v1/#").await);
    assert!(late.hears_nothing().await);
    // The engine's own siren state may be kept for a siren that connects later.
    broker.publish("watchfire/v1/xinghua/siren/z1", "on", 1, true).await;
    assert_eq!(late.message().await.payload, "on");
    let mut later = Gateway::connect(options(&broker, "later", None, "")).await.unwrap();
    assert!(later.subscribe("watchfire/v1/xinghua/siren/z1").await);
    assert_eq!(later.message().await.payload, "on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_listens_to_its_own_enterprise_only() {
    let (broker, _engine) = start(vec![credential("gw-1", "xinghua")]).await;
    let mut gateway = Gateway::connect(options(&broker, "gw", Some("gw-1"), "correct horse")).await.unwrap();
    for filter in ["watchfire/v1/xinghua/siren/+", "watchfire/v1/xinghua/#", "watchfire/v1/xinghua"] {
        assert!(gateway.subscribe(filter).await, "{filter}");
    }
    for filter in ["#", "watchfire/v1/#", "watchfire/v1/+/siren/+", "watchfire/v1/other/#", "$SYS/#", "$share/g/watchfire/v1/other/#"] {
        assert!(!gateway.subscribe(filter).await, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_will_cannot_command_a_siren() {
    let (broker, _engine) = start(vec![]).await;
    let mut options = options(&broker, "gw", None, "");
    options.set_last_will(rumqttc::LastWill::new("watchfire/v1/xinghua/siren/z1", "off", QoS::AtLeastOnce, true));
    assert!(Gateway::connect(options).await.is_err_and(|why| why.contains("NotAuthorized")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_of_a_mebibyte_comes_in() {
    let (broker, engine) = start(vec![]).await;
    let mut options = options(&broker, "gw", None, "");
    options.set_max_packet_size(2 << 20, 2 << 20);
    let mut gateway = Gateway::connect(options).await.unwrap();
    gateway.publish(TT, &"x".repeat(1 << 20), false).await;
    let item = engine.message().await;
    assert_eq!(item.payload.len(), 1 << 20);
    item.ack.ack();
    gateway.acknowledged().await;
}

#[test]
fn what_cannot_start_says_why() {
    let fault = |listen: &str, credentials| {
        let config = EmbeddedConfig { listen: listen.parse().unwrap(), ..config(credentials) };
        EmbeddedBroker::start(config, engine().0).unwrap_err()
    };
    assert!(matches!(fault("0.0.0.0:0", vec![]), EmbeddedError::OpenToAll(_)));
    assert!(fault("[::]:0", vec![]).to_string().contains("only with credentials"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = fault(&address.to_string(), vec![]);
    assert!(matches!(error, EmbeddedError::PortInUse(listen) if listen == address));
    assert!(error.to_string().contains(&format!("port {} is in use", address.port())));
    // TEST-NET-1 is nobody's address.
    assert!(matches!(fault("192.0.2.1:1883", vec![credential("a", "e")]), EmbeddedError::Listen { .. }));
    let twice = vec![credential("a", "e"), credential("a", "f")];
    assert!(fault("127.0.0.1:0", twice).to_string().contains("twice"));
    let short = GatewayCredential { secret: Secret::new("short"), ..credential("a", "e") };
    assert!(fault("127.0.0.1:0", vec![short]).to_string().contains("shorter"));
    assert!(matches!(fault("127.0.0.1:0", vec![credential("_engine", "e")]), EmbeddedError::Credential { .. }));
    assert!(matches!(fault("127.0.0.1:0", vec![credential("a", "_system")]), EmbeddedError::Credential { .. }));
}

#[test]
fn it_starts_outside_a_runtime_and_beyond_loopback_with_credentials() {
    let config = EmbeddedConfig { listen: "0.0.0.0:0".parse().unwrap(), ..config(vec![credential("gw-1", "xinghua")]) };
    let (sink, _engine) = engine();
    let broker = EmbeddedBroker::start(config, sink).unwrap();
    assert!(broker.engine_address().to_string().starts_with("mqtt://_engine@127.0.0.1:"));
    assert!(!format!("{:?}", credential("gw-1", "xinghua")).contains("horse"));
}
