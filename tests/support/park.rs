//! A small park for end-to-end tests: one enterprise with a tank, a gas area and a gateway of 120 tags; a park; a county;
//! channels that call an HTTP sink of the test; siren devices that listen on the broker; people with logins.

// A test that cannot go on ends here; each test uses its part.
#![allow(clippy::unwrap_used, dead_code)]

use crate::support::{self, Engine, free_port};
use simulator::Desk;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Writes the configuration; returns its folder.
pub fn write_config(dir: &Path, sink_port: u16) -> PathBuf {
    let config = dir.join("config");
    std::fs::create_dir_all(config.join("enterprises")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(config.join(name), text).unwrap();
    write(
        "jurisdiction.toml",
        "[[body]]\nid = \"county\"\nname = \"试验县\"\nshort_name = \"试验县\"\ntier = \"county\"\nduty_phone = \"county-phone\"\n\
         [[body]]\nid = \"park\"\nname = \"试验园区\"\nshort_name = \"试验园区\"\ntier = \"township\"\nparent = \"county\"\nduty_phone = \"park-phone\"\n\
         [[enterprise]]\nid = \"hx\"\nname = \"宏信化工\"\nshort_name = \"宏信\"\nresponsible_body = \"park\"\nduty_phone = \"hx-phone\"\n",
    );
    let mut people = String::new();
    for (body, persons) in
        [("hx", ["hx-op", "hx-second"]), ("park", ["park-duty", "park-second"]), ("county", ["county-duty", "county-second"])]
    {
        people.push_str(&format!("[bodies.{body}]\npeople = [\n"));
        for person in persons {
            people.push_str(&format!("  {{ id = \"{person}\", name = \"{person}\", channels = [\"platform\", \"sms\", \"voice\"] }},\n"));
        }
        people.push_str(&format!("  {{ id = \"{body}-phone\", name = \"值班电话\", channels = [\"voice\", \"sms\"] }},\n]\n"));
        people.push_str(&format!("roster = [{{ days = \"每天\", from = \"00:00\", to = \"24:00\", people = [\"{}\"] }}]\n", persons[0]));
    }
    write("people.toml", &people);
    write(
        "gateways.toml",
        "[gateways.hx]\nGW01 = { name = \"罐区网关\", interval = \"5s\" }\nGW02 = { name = \"大网关\", interval = \"5s\" }\n\
         [sirens.hx]\nSL-01 = \"罐区\"\nSL-02 = \"氨区\"\nSL-03 = \"换热\"\n",
    );
    write(
        "server.toml",
        &format!(
            "[channels.platform]\nkind = \"platform\"\n\
             [channels.sms]\nkind = \"sms\"\nurl = \"http://127.0.0.1:{sink_port}/sms\"\ntemplate = \"short\"\n\
             [channels.voice]\nkind = \"voice\"\nurl = \"http://127.0.0.1:{sink_port}/voice\"\ntemplate = \"short\"\n"
        ),
    );
    let mut csv = std::fs::File::create(config.join("enterprises/hx.csv")).unwrap();
    writeln!(
        csv,
        "位号,名称,设备位号,设备类型,重大危险源编码,重大危险源等级,介质,信号类型,单位,压力基准,量程低限,量程高限,低低报,低报,高报,高高报,联锁值,回差,报警延时s,恢复延时s,采集周期s,网关,声光区域,投用状态"
    )
    .unwrap();
    for row in [
        "LIA-101,1#罐液位,V-101,常压储罐,339900000001,三级,甲醇,液位,%,/,0,100,10,15,80,90,95,2,0,0,5,GW01,SL-01,投用",
        "LIA-102,2#罐液位,V-102,常压储罐,339900000001,三级,甲醇,液位,%,/,0,100,10,15,80,90,95,2,0,0,5,GW01,SL-01,投用",
        "TIA-101,1#罐温度,V-103,常压储罐,339900000001,三级,甲醇,温度,℃,/,-20,100,/,/,38,45,/,1,0,0,5,GW01,SL-01,投用",
        "GT-201,氨检测器1,氨区,区域,339900000002,二级,氨,有毒气体,ppm,/,0,100,/,/,25,50,/,2.5,0,0,5,GW01,SL-02,投用",
    ] {
        writeln!(csv, "{row}").unwrap();
    }
    for number in 1..=120 {
        writeln!(csv, "TI-{number:03},温度{number},E-{number:03},换热器,/,/,水,温度,℃,/,0,200,/,5,150,180,/,1,0,0,5,GW02,SL-03,投用")
            .unwrap();
    }
    config
}

/// Messages that reached the test's phones: channel, and the webhook's body.
#[derive(Clone, Default)]
pub struct Sink {
    calls: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    broken: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    /// Everything so far.
    pub fn calls(&self) -> Vec<(String, serde_json::Value)> {
        self.calls.lock().unwrap().clone()
    }
    /// Messages to one person.
    pub fn to(&self, person: &str) -> Vec<(String, serde_json::Value)> {
        self.calls().into_iter().filter(|(_, body)| body["recipient"] == person).collect()
    }
    /// Lets a channel answer 503.
    pub fn break_channel(&self, channel: &str) {
        self.broken.lock().unwrap().push(channel.to_owned());
    }
    async fn start(port: u16) -> Self {
        let sink = Self::default();
        let state = sink.clone();
        let route = axum::routing::post(move |axum::extract::Path(channel): axum::extract::Path<String>, body: axum::body::Bytes| {
            let state = state.clone();
            async move {
                if state.broken.lock().unwrap().contains(&channel) {
                    return axum::http::StatusCode::SERVICE_UNAVAILABLE;
                }
                let body = serde_json::from_slice(&body).expect("the plain body is JSON");
                state.calls.lock().unwrap().push((channel, body));
                axum::http::StatusCode::OK
            }
        });
        let router = axum::Router::new().route("/{channel}", route);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        sink
    }
}

/// Sirens on the broker: topic and newest command.
#[derive(Clone, Default)]
pub struct Sirens(Arc<Mutex<BTreeMap<String, serde_json::Value>>>);

impl Sirens {
    /// The newest command of a zone.
    pub fn zone(&self, zone: &str) -> Option<serde_json::Value> {
        self.0.lock().unwrap().get(&format!("watchfire/v1/hx/siren/{zone}")).cloned()
    }
    fn listen(port: u16) -> Self {
        let sirens = Self::default();
        let seen = sirens.clone();
        tokio::spawn(async move {
            let mut options = rumqttc::MqttOptions::new("test-sirens", "127.0.0.1", port);
            options.set_keep_alive(std::time::Duration::from_secs(5));
            let (client, mut connection) = rumqttc::AsyncClient::new(options, 10);
            loop {
                match connection.poll().await {
                    Ok(rumqttc::Event::Incoming(rumqttc::Packet::ConnAck(_))) => {
                        client.try_subscribe("watchfire/v1/+/siren/+", rumqttc::QoS::AtLeastOnce).unwrap();
                    }
                    Ok(rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish))) => {
                        let command = serde_json::from_slice(&publish.payload).expect("a siren command is JSON");
                        seen.0.lock().unwrap().insert(publish.topic, command);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            }
        });
        sirens
    }
}

/// The park, running.
pub struct Park {
    /// The engine.
    pub engine: Engine,
    /// Phones.
    pub sink: Sink,
    /// Sirens.
    pub sirens: Sirens,
    factor: f64,
    /// When plant time began to run, in microseconds.
    epoch: i64,
    passwords: BTreeMap<&'static str, String>,
    publisher: rumqttc::AsyncClient,
    dir: tempfile::TempDir,
}

impl Park {
    /// Starts everything with plant time `factor` times as fast as real time, with Mosquitto (its port) or the built-in broker.
    pub async fn start(factor: f64, mosquitto: Option<u16>) -> Self {
        // reqwest takes the process's TLS provider, also for plain http.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let sink_port = free_port();
        let config = write_config(dir.path(), sink_port);
        let data = dir.path().join("data");
        let mut passwords = BTreeMap::new();
        for (login, role, person) in [
            ("op", "enterprise", "hx-op"),
            ("second", "enterprise", "hx-second"),
            ("park", "township", "park-duty"),
            ("county", "county", "county-duty"),
            ("admin", "admin", "county-second"),
        ] {
            let password = format!("Fire-{}-2026", free_port());
            let mut adding = std::process::Command::new(env!("CARGO_BIN_EXE_watchfire"))
                .args(["user", "add", login, "--role", role, "--person", person, "--config"])
                .arg(&config)
                .arg("--data")
                .arg(&data)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            writeln!(adding.stdin.take().unwrap(), "{password}").unwrap();
            assert!(adding.wait().unwrap().success(), "a login is added");
            passwords.insert(login, password);
        }
        let sink = Sink::start(sink_port).await;
        let epoch = unix_micros();
        let url = mosquitto.map(|port| format!("mqtt://127.0.0.1:{port}"));
        let contacts = dir.path().join("contacts.toml");
        // Numbers that cannot be dialled.
        let mut numbers = String::from("[phones]\n");
        for (at, person) in
            ["hx-op", "hx-second", "hx-phone", "park-duty", "park-second", "park-phone", "county-duty", "county-second", "county-phone"]
                .iter()
                .enumerate()
        {
            numbers.push_str(&format!("{person} = \"1000000000{at}\"\n"));
        }
        std::fs::write(&contacts, numbers).unwrap();
        let engine = tokio::task::block_in_place(|| {
            Engine::start(
                &config,
                &data,
                url.as_deref(),
                &["--time-factor", &factor.to_string(), "--time-epoch", &epoch.to_string(), "--contacts", &contacts.display().to_string()],
            )
        });
        let mqtt = mosquitto.unwrap_or(engine.mqtt);
        let sirens = Sirens::listen(mqtt);
        let mut options = rumqttc::MqttOptions::new("test-gateway", "127.0.0.1", mqtt);
        options.set_keep_alive(std::time::Duration::from_secs(5)).set_inflight(1_000);
        let (publisher, mut connection) = rumqttc::AsyncClient::new(options, 10_000);
        tokio::spawn(async move {
            loop {
                if connection.poll().await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        });
        Self { engine, sink, sirens, factor, epoch, passwords, publisher, dir }
    }
    /// A person at a desk.
    pub async fn login(&self, name: &'static str) -> Desk {
        Desk::login(&format!("http://127.0.0.1:{}", self.engine.http), name, &self.passwords[name]).await.unwrap()
    }
    /// The password of a login.
    pub fn password(&self, name: &str) -> &str {
        &self.passwords[name]
    }
    /// One reading of `hx`, measured when it is received.
    pub async fn publish(&self, tag: &str, value: impl Into<serde_json::Value>) {
        self.publish_raw(&format!("watchfire/v1/hx/{tag}"), serde_json::json!({ "value": value.into() }).to_string().into_bytes()).await;
    }
    /// Any payload on any topic.
    pub async fn publish_raw(&self, topic: &str, payload: Vec<u8>) {
        self.publisher.publish(topic, rumqttc::QoS::AtLeastOnce, false, payload).await.unwrap();
    }
    /// One round of every tag of the big gateway.
    pub async fn publish_big_gateway(&self, value: f64) {
        let batch: Vec<_> = (1..=120)
            .map(|number| serde_json::json!({ "tag": format!("TI-{number:03}"), "value": value + f64::from(number) / 100.0 }))
            .collect();
        self.publish_raw("watchfire/v1/hx", serde_json::Value::Array(batch).to_string().into_bytes()).await;
    }
    /// Plant time.
    pub fn now(&self) -> model::Timestamp {
        let passed = unix_micros() - self.epoch;
        model::Timestamp(self.epoch + (passed as f64 * self.factor) as i64)
    }
    /// Real time in which so many seconds of plant time pass.
    pub async fn wait(&self, plant_seconds: f64) {
        tokio::time::sleep(std::time::Duration::from_secs_f64(plant_seconds / self.factor)).await;
    }
    /// Waits until `ready` gives something.
    pub async fn until<T>(&self, what: &str, ready: impl AsyncFn() -> Option<T>) -> T {
        let began = std::time::Instant::now();
        loop {
            if let Some(value) = ready().await {
                return value;
            }
            assert!(began.elapsed() < support::PATIENCE, "waited {:?} for {what}", support::PATIENCE);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    /// The open case of an equipment.
    pub async fn case(&self, desk: &Desk, equipment: &str) -> serde_json::Value {
        self.until(&format!("a case of {equipment}"), async || desk.find_case(|case| case["equipment"] == equipment).await.unwrap()).await
    }
    /// The folder everything is in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

fn unix_micros() -> i64 {
    i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap()
}

/// A login of the API, for what no desk has a button for.
pub struct Login {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Login {
    /// As this account.
    pub async fn of(park: &Park, name: &'static str) -> Self {
        let base = format!("http://127.0.0.1:{}/api/v1", park.engine.http);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut login = Self { base, token: String::new(), http };
        let answer = login.post("login", serde_json::json!({ "username": name, "password": park.password(name) })).await;
        login.token = answer.1["token"].as_str().unwrap().to_owned();
        login
    }
    /// Status and answer.
    pub async fn post(&self, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        let response = self.http.post(format!("{}/{path}", self.base)).bearer_auth(&self.token).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
    /// Status and answer.
    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let response = self.http.get(format!("{}/{path}", self.base)).bearer_auth(&self.token).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
    /// The answer.
    pub async fn read(&self, path: &str) -> serde_json::Value {
        self.get(path).await.1
    }
}
