//! The processes that are measured: the engine, a bare loop in its place, and Mosquitto. None outlives its run.

use super::plant::Plant;
use super::{free_port, until};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A child process, ended when dropped.
pub struct Process(Child);

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let log = || if std::env::var_os("WATCHFIRE_BENCH_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
        Self(command.stdin(Stdio::null()).stdout(log()).stderr(log()).spawn().unwrap())
    }
    /// CPU time of all its threads so far, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        // Nanoseconds per thread; /proc/<pid>/stat counts ticks of 10 ms.
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let nanos = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_ascii_whitespace().next()?.parse::<u64>().ok()
        });
        nanos.sum::<u64>() as f64 / 1e9
    }
    /// Resident memory in MiB: now, or at its highest.
    pub fn memory(&self, peak: bool) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let name = if peak { "VmHWM:" } else { "VmRSS:" };
        let kib: f64 = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap();
        kib / 1024.0
    }
    /// kill -9.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Which Mosquitto.
#[derive(Clone, Copy, PartialEq)]
pub enum Settings {
    /// As it comes.
    Stock,
    /// With the settings of deploy/mosquitto that decide speed and durability.
    Deployed,
}

/// A real Mosquitto.
pub struct Mosquitto {
    /// The process.
    pub process: Process,
    /// Its port.
    pub port: u16,
    _dir: tempfile::TempDir,
}

impl Mosquitto {
    /// Starts it and waits until it listens.
    pub fn start(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        // As root, Mosquitto would give its rights up and could not write where we let it.
        let mut text = format!("listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nlog_type none\n");
        if settings == Settings::Deployed {
            let deployed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/mosquitto/watchfire.conf")).unwrap();
            let kept = ["persistence ", "autosave_", "max_", "set_tcp_nodelay "];
            let lines = deployed.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
            text.extend(lines.flat_map(|line| [line, "\n"]));
            text.push_str(&format!("persistence_location {}/\n", dir.path().display()));
        }
        let config = dir.path().join("mosquitto.conf");
        std::fs::write(&config, text).unwrap();
        let program =
            ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"].into_iter().find(|at| Path::new(at).exists());
        let program = program.expect("mosquitto is not installed: apt-get install mosquitto");
        let process = Process::spawn(Command::new(program).arg("-c").arg(&config));
        until("mosquitto to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { process, port, _dir: dir }
    }
}

/// Reads from a broker and commands sirens: the engine, or a bare loop.
pub struct Consumer {
    /// The process.
    pub process: Process,
    /// The port at which it says how far it is.
    ask: u16,
    is_engine: bool,
}

/// `watchfire run`, started and not yet waited for.
pub fn spawn_engine(config: &Path, data: &Path, mqtt: Option<u16>, listen: u16, http: u16) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchfire"));
    command.arg("run").arg("--config").arg(config).arg("--data").arg(data).args(["--http", &format!("127.0.0.1:{http}")]);
    match mqtt {
        Some(port) => command.args(["--mqtt", &format!("mqtt://127.0.0.1:{port}")]),
        None => command.args(["--listen", &format!("127.0.0.1:{listen}")]),
    };
    Process::spawn(&mut command)
}

impl Consumer {
    /// The engine with an external broker at `mqtt`, or with its own at `listen`; ready when this returns.
    pub fn engine(config: &Path, data: &Path, mqtt: Option<u16>, listen: u16) -> Self {
        let http = free_port();
        let process = spawn_engine(config, data, mqtt, listen, http);
        until("the engine to be ready", || (get(http, "/health/ready")?.0 == 200).then_some(()));
        Self { process, ask: http, is_engine: true }
    }
    /// A bare loop in its place; ready when this returns.
    pub fn bare(mqtt: Option<u16>, listen: u16) -> Self {
        let ask = free_port();
        let process = spawn_bare(mqtt, listen, ask);
        until("the bare loop to be ready", || TcpStream::connect(("127.0.0.1", ask)).ok());
        Self { process, ask, is_engine: false }
    }
    /// Readings evaluated so far.
    pub fn evaluated(&self) -> u64 {
        until("the count of readings", || {
            if !self.is_engine {
                let mut text = String::new();
                TcpStream::connect(("127.0.0.1", self.ask)).ok()?.read_to_string(&mut text).ok()?;
                return text.parse().ok();
            }
            let (_, text) = get(self.ask, "/metrics")?;
            let count = text.lines().find_map(|line| line.strip_prefix("watchfire_readings_total "))?.parse::<f64>().ok()?;
            Some(count as u64)
        })
    }
}

/// This program again, as a bare loop. Answers on `ask` once it is subscribed or listens.
pub fn spawn_bare(mqtt: Option<u16>, listen: u16, ask: u16) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let (kind, port) = mqtt.map_or(("hook", listen), |port| ("loop", port));
    Process::spawn(command.env(super::bare::AS, format!("{kind} {port} {ask}")))
}

/// The disk that `WATCHFIRE_BENCH_DIR` names, or the one this repository is built on: a commit to memory would flatter.
pub fn disk() -> PathBuf {
    std::env::var_os("WATCHFIRE_BENCH_DIR").map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from)
}

/// Where a run keeps its files: a plant and a data folder.
pub struct Folder {
    dir: tempfile::TempDir,
    /// The configuration.
    pub config: PathBuf,
}

impl Folder {
    /// With the files of a plant.
    pub fn new(plant: Plant) -> Self {
        let dir = tempfile::tempdir_in(disk()).unwrap();
        let config = plant.write(dir.path());
        Self { dir, config }
    }
    /// An empty data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// A GET over a fresh connection: status and body.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Some((status, body))
}
