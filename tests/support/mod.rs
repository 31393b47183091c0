//! What the end-to-end tests share: real services on free loopback ports, ended by id when the test ends.
//!
//! Waiting is always "until it is so, or a generous deadline": a slow machine makes a test slower, never red.

// Every test file compiles this module and uses a part of it.
#![allow(dead_code)]
// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use journal::{EntryKind, Reader, SqliteReader};
use model::{Change, Condition, Transition};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Recorded process data. Missing data is a failure where CI runs and said loudly elsewhere.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = root().join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("MISSING TEST DATA: {} is not there; this test checks nothing", file.display());
    assert!(std::env::var_os("CI").is_none(), "test data {} must be there in CI", file.display());
    None
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until `ready` gives something.
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A child process that does not outlive the test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A real Mosquitto, configured like deploy/mosquitto/watchfire.conf but for loopback without TLS.
pub struct Mosquitto {
    process: Process,
    /// Its port.
    pub port: u16,
    /// Where it keeps its sessions.
    _dir: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts it and waits until it accepts connections.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = dir.path().join("mosquitto.conf");
        let text = format!(
            "per_listener_settings false\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             autosave_on_changes true\nautosave_interval 1\nmax_queued_messages 2000000\nmax_inflight_messages 1000\nmax_packet_size 1048576\n\
             set_tcp_nodelay true\nlog_type none\n",
            dir.path().display()
        );
        std::fs::write(&config, text).unwrap();
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
            .into_iter()
            .find(|program| Path::new(program).exists())
            .expect("mosquitto is not installed: apt-get install mosquitto");
        let child = Command::new(program).arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let process = Process(child);
        until("mosquitto to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { process, port, _dir: dir }
    }
    /// Its address.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

/// `watchfire run` as a child process.
pub struct Engine {
    process: Process,
    /// Port of the pages.
    pub http: u16,
    /// Port of the embedded broker, where it is used.
    pub mqtt: u16,
    /// The data folder.
    pub data: PathBuf,
    command: Vec<String>,
}

impl Engine {
    /// Starts the engine with an external broker, or with its own where `mqtt` is none; waits until it is ready.
    pub fn start(config: &Path, data: &Path, mqtt: Option<&str>, more: &[&str]) -> Self {
        let (http, listen) = (free_port(), free_port());
        let mut command: Vec<String> = ["run", "--config"].map(str::to_owned).to_vec();
        command.push(config.display().to_string());
        command.extend(["--data".to_owned(), data.display().to_string()]);
        command.extend(["--http".to_owned(), format!("127.0.0.1:{http}")]);
        match mqtt {
            Some(url) => command.extend(["--mqtt".to_owned(), url.to_owned()]),
            None => command.extend(["--listen".to_owned(), format!("127.0.0.1:{listen}")]),
        }
        command.extend(more.iter().map(|arg| (*arg).to_owned()));
        let process = Self::spawn(&command);
        let mut engine = Self { process, http, mqtt: listen, data: data.to_owned(), command };
        engine.wait_ready();
        engine
    }
    fn spawn(command: &[String]) -> Process {
        let quiet = std::env::var_os("WATCHFIRE_TEST_LOG").is_none();
        let log = || if quiet { Stdio::null() } else { Stdio::inherit() };
        let child = Command::new(env!("CARGO_BIN_EXE_watchfire")).args(command).stdout(log()).stderr(log()).stdin(Stdio::null()).spawn();
        Process(child.unwrap())
    }
    /// Waits until the engine is subscribed and its store is open.
    pub fn wait_ready(&mut self) {
        let http = self.http;
        until("the engine to be ready", || {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                panic!("the engine ended with {status}; WATCHFIRE_TEST_LOG=1 shows its log");
            }
            (http_get(http, "/health/ready")?.0 == 200).then_some(())
        });
    }
    /// kill -9.
    pub fn kill(&mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }
    /// Starts it again with the same arguments; does not wait.
    pub fn restart(&mut self) {
        self.process = Self::spawn(&self.command);
    }
    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }
    /// SIGTERM, and waits for the clean end.
    pub fn stop(&mut self) {
        let status = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
        let process = &mut self.process.0;
        let status = until("the engine to stop", || process.try_wait().unwrap());
        assert!(status.success(), "a clean stop ends with 0, not {status}");
    }
    /// A reader of its journal, once that has what the engine has answered for.
    pub fn journal(&self) -> SqliteReader {
        let patience = Instant::now() + Duration::from_secs(2);
        while journal::commits_ahead(&self.data).unwrap() > 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        SqliteReader::open(&self.data).unwrap()
    }
    /// Every transition in the journal so far, in order.
    pub fn transitions(&self) -> Vec<Transition> {
        transitions(&self.journal())
    }
    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = http_get(self.http, "/metrics")?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

/// Every transition a journal holds, in order.
pub fn transitions(reader: &SqliteReader) -> Vec<Transition> {
    let (mut all, mut from) = (Vec::new(), 0);
    loop {
        let page = reader.entries(&[EntryKind::Transition], from, 10_000).unwrap();
        all.extend(page.rows.iter().map(|row| serde_json::from_slice::<Transition>(&row.bytes).unwrap()));
        match page.next {
            Some(next) => from = next,
            None => return all,
        }
    }
}

/// What a process transition says, in the order in which one sorts them: tag, condition, change, time in microseconds.
pub fn summary(transitions: &[Transition]) -> Vec<(String, Condition, Change, i64)> {
    let mut list: Vec<_> = transitions
        .iter()
        .filter(|transition| transition.key.alarm.condition.is_limit())
        .map(|transition| (transition.key.alarm.tag.to_string(), transition.key.alarm.condition, transition.change, transition.at.0))
        .collect();
    list.sort_by(|a, b| (&a.0, a.1, a.3, a.2 == Change::Returned).cmp(&(&b.0, b.1, b.3, b.2 == Change::Returned)));
    list
}

/// A plain GET over a fresh connection: status and body.
pub fn http_get(port: u16, path: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Some((status, body))
}

/// Runs the binary to its end.
pub fn watchfire(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_watchfire")).args(args).output().unwrap()
}
