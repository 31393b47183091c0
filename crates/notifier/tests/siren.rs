//! Sirens through a real Mosquitto: lost commands, restarts of the broker, many zones.
//!
//! Needs the `mosquitto` binary. Without it these tests say so and pass on a developer's machine, and fail where `CI` is set.
#![allow(clippy::unwrap_used, reason = "a test may panic where its helpers do")]

use model::{Level, Siren, Timestamp};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use watchfire_notifier::*;

/// How long anything may take before a test says that it never will.
const PATIENCE: Duration = Duration::from_secs(30);

struct Broker {
    child: Option<Child>,
    port: u16,
    directory: tempfile::TempDir,
}

impl Broker {
    /// None where there is no Mosquitto to start.
    fn start() -> Option<Self> {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join("mosquitto").is_file()));
        if !found {
            assert!(std::env::var_os("CI").is_none(), "mosquitto is missing: apt-get install mosquitto");
            eprintln!("NOT TESTED: mosquitto is missing: apt-get install mosquitto");
            return None;
        }
        let mut broker = Self { child: None, port: free_port(), directory: tempfile::tempdir().unwrap() };
        broker.up();
        Some(broker)
    }
    fn up(&mut self) {
        let (config, log) = (self.directory.path().join("mosquitto.conf"), self.directory.path().join("mosquitto.log"));
        let _ = std::fs::remove_file(&log);
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nuser root\nlog_dest file {}\n",
            self.port,
            log.display()
        );
        std::fs::write(&config, text).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.env("PATH", path).arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let deadline = Instant::now() + PATIENCE;
        // Its own word for it: something else might answer on that port.
        while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains(" running")) {
            assert!(Instant::now() < deadline, "mosquitto does not run: {:?}", std::fs::read_to_string(&log));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
impl Drop for Broker {
    fn drop(&mut self) {
        self.down();
    }
}

/// Below the range from which outgoing connections take theirs, so that it is still free after a restart of the broker.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() * 16 % 10_000) as u16;
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % 10_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A siren controller: everything it was told, in order, from the moment its subscription stood.
struct Device {
    heard: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Device {
    async fn subscribe(broker: &Broker, id: &str) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", broker.port);
        options.set_keep_alive(Duration::from_secs(5));
        let (client, mut eventloop) = AsyncClient::new(options, 16);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ready = Arc::new(tokio::sync::Notify::new());
        let (keeping, standing) = (Arc::clone(&heard), Arc::clone(&ready));
        let task = tokio::spawn(async move {
            loop {
                match eventloop.poll().await {
                    Ok(Event::Incoming(Incoming::ConnAck(_))) => client.try_subscribe("watchfire/v1/+/siren/+", QoS::AtLeastOnce).unwrap(),
                    Ok(Event::Incoming(Incoming::SubAck(_))) => standing.notify_one(),
                    Ok(Event::Incoming(Incoming::Publish(publish))) => {
                        let payload = serde_json::from_slice(&publish.payload).unwrap();
                        keeping.lock().unwrap().push((publish.topic, payload));
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        tokio::time::timeout(PATIENCE, ready.notified()).await.expect("subscribed");
        Self { heard, task }
    }
    fn heard(&self) -> Vec<(String, serde_json::Value)> {
        self.heard.lock().unwrap().clone()
    }
    async fn hears(&self, zone: &str, sound: bool, version: u64) -> serde_json::Value {
        let mut found = None;
        eventually(&format!("{zone} sound {sound} version {version}"), || {
            found = self
                .heard()
                .into_iter()
                .map(|(_, payload)| payload)
                .find(|payload| payload["zone"] == zone && payload["sound"] == sound && payload["version"] == version);
            found.is_some()
        })
        .await;
        found.unwrap()
    }
}
impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn siren(zone: &str, sound: bool, version: u64) -> Siren {
    Siren { enterprise: "xx".into(), zone: zone.into(), sound, light: true, version, level: Some(Level::Red) }
}

async fn driver(port: u16, resend_every: Duration, wanted: Vec<Siren>) -> SirenDriver {
    let publisher = MqttSirenPublisher::connect(MqttOptions::new("watchfire-siren", "127.0.0.1", port)).unwrap();
    let config = SirenConfig {
        publish: Arc::new(publisher),
        resend_every,
        expiry: model::Duration::from_secs(35),
        clock: Arc::new(|| Timestamp::from_secs(1_732_428_340)),
    };
    let driver = SirenDriver::start(config, wanted).unwrap();
    eventually("the siren connection", || driver.is_connected()).await;
    driver
}

const RARELY: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn an_on_reaches_the_device_without_waiting_for_a_repeat() {
    let Some(broker) = Broker::start() else { return };
    let device = Device::subscribe(&broker, "device").await;
    let driver = driver(broker.port, RARELY, Vec::new()).await;
    driver.set(&siren("1#罐区", true, 3));
    let payload = device.hears("1#罐区", true, 3).await;
    assert_eq!(
        payload,
        serde_json::json!({"zone": "1#罐区", "sound": true, "light": true, "level": "red", "version": 3,
            "issued": 1_732_428_340_000_i64, "expires": 1_732_428_375_000_i64})
    );
    assert_eq!(device.heard()[0].0, "watchfire/v1/xx/siren/1%23罐区");
    driver.set(&siren("1#罐区", false, 4));
    device.hears("1#罐区", false, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_command_heals_with_the_next_repeat() {
    let Some(broker) = Broker::start() else { return };
    let first = Device::subscribe(&broker, "device-1").await;
    let driver = driver(broker.port, Duration::from_millis(200), Vec::new()).await;
    driver.set(&siren("a", true, 1));
    first.hears("a", true, 1).await;
    // This one was not there when the command was sent, and commands are not retained.
    let second = Device::subscribe(&broker, "device-2").await;
    second.hears("a", true, 1).await;
}

/// A cable between the driver and the broker that a test can cut or let go numb, while the device stays connected.
struct Cable {
    port: u16,
    state: tokio::sync::watch::Sender<Wire>,
    task: tokio::task::JoinHandle<()>,
}
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Whole,
    /// Connections break and none is taken.
    Cut,
    /// Nothing comes back from the broker, and nobody is told.
    Numb,
    /// What comes back takes its time.
    Slow,
}

impl Cable {
    async fn to(broker: &Broker) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), broker.port);
        let (state, wire) = tokio::sync::watch::channel(Wire::Whole);
        let task = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                if *wire.borrow() == Wire::Cut {
                    continue;
                }
                let far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                tokio::spawn(carry(near, far, wire.clone()));
            }
        });
        Self { port, state, task }
    }
    fn set(&self, wire: Wire) {
        self.state.send(wire).unwrap();
    }
}
impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: tokio::net::TcpStream, far: tokio::net::TcpStream, mut wire: tokio::sync::watch::Receiver<Wire>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let back = wire.clone();
    let there = async { tokio::io::copy(&mut near_in, &mut far_out).await.map(|_| ()) };
    let here = async {
        let mut buffer = vec![0; 4096];
        loop {
            let read = far_in.read(&mut buffer).await?;
            if read == 0 {
                return std::io::Result::Ok(());
            }
            let now = *back.borrow();
            if now == Wire::Slow {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if now != Wire::Numb {
                near_out.write_all(&buffer[..read]).await?;
            }
        }
    };
    tokio::select! {
        _ = there => {}
        _ = here => {}
        _ = wire.wait_for(|wire| *wire == Wire::Cut) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_wanted_state_is_sent_on_every_new_connection_and_nothing_old() {
    let Some(broker) = Broker::start() else { return };
    let device = Device::subscribe(&broker, "device").await;
    let cable = Cable::to(&broker).await;
    let driver = driver(cable.port, RARELY, vec![siren("a", true, 1)]).await;
    device.hears("a", true, 1).await;
    cable.set(Wire::Cut);
    eventually("the loss is seen", || !driver.is_connected()).await;
    driver.set(&siren("a", false, 2));
    driver.set(&siren("b", true, 1));
    let before = device.heard().len();
    cable.set(Wire::Whole);
    device.hears("a", false, 2).await;
    device.hears("b", true, 1).await;
    let after = device.heard().split_off(before);
    assert!(after.iter().all(|(_, payload)| payload["zone"] != "a" || payload["version"] == 2), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_went_numb_is_given_up_and_the_command_sent_on_a_new_one() {
    let Some(broker) = Broker::start() else { return };
    let device = Device::subscribe(&broker, "device").await;
    let cable = Cable::to(&broker).await;
    let driver = driver(cable.port, RARELY, vec![siren("a", false, 1)]).await;
    device.hears("a", false, 1).await;
    cable.set(Wire::Numb);
    driver.set(&siren("a", true, 2));
    eventually("the silence is noticed", || !driver.is_connected()).await;
    let before = device.heard().len();
    cable.set(Wire::Whole);
    eventually("it is sent anew", || device.heard()[before..].iter().any(|(_, payload)| payload["version"] == 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_broker_heals() {
    let Some(mut broker) = Broker::start() else { return };
    let driver = driver(broker.port, Duration::from_millis(300), vec![siren("a", true, 1)]).await;
    broker.down();
    eventually("the loss is seen", || !driver.is_connected()).await;
    driver.set(&siren("a", false, 2));
    broker.up();
    let device = Device::subscribe(&broker, "device").await;
    device.hears("a", false, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_does_not_wait_behind_the_repeats_of_many_zones() {
    let Some(broker) = Broker::start() else { return };
    let device = Device::subscribe(&broker, "device").await;
    // Each ack takes its time, so all repeats together take two seconds.
    const ZONES: usize = 100;
    let cable = Cable::to(&broker).await;
    cable.set(Wire::Slow);
    let wanted = (0..ZONES).map(|n| siren(&format!("z{n}"), false, 1)).collect();
    let driver = driver(cable.port, RARELY, wanted).await;
    // All repeats of the first connection are on their way, one at a time.
    eventually("the first repeat", || !device.heard().is_empty()).await;
    driver.set(&siren("red", true, 9));
    device.hears("red", true, 9).await;
    eventually("every zone", || device.heard().len() > ZONES).await;
    let heard = device.heard();
    let place = heard.iter().position(|(_, payload)| payload["zone"] == "red").unwrap();
    assert!(place + 1 < heard.len(), "it came before the last repeat, at place {place} of {}", heard.len());
}
