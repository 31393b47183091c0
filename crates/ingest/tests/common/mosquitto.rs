//! A real Mosquitto on a port of its own, with a persistence that survives kill -9.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and may panic where its helpers do")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Mosquitto {
    program: &'static str,
    child: Child,
    directory: TempDir,
    pub port: u16,
}

/// The program, or none with a loud word: then the test proves nothing, and on CI it fails.
fn program() -> Option<&'static str> {
    let runs = |program: &&str| Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let found = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find(runs);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "mosquitto is not installed");
        eprintln!("NOT TESTED: mosquitto is not installed (apt-get install mosquitto)");
    }
    found
}

impl Mosquitto {
    /// Starts one with `extra` lines of configuration beside the listener and the persistence.
    pub fn start(extra: &str) -> Option<Self> {
        Self::start_with_listener("", extra)
    }
    /// The same with lines for the listener, such as its certificates.
    pub fn start_with_listener(listener: &str, extra: &str) -> Option<Self> {
        let program = program()?;
        // Somebody else may take the port between our look and mosquitto's: then it ends, and another is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let directory = tempfile::tempdir().unwrap();
            let at = directory.path().display();
            let config = format!(
                "listener {port} 127.0.0.1\n{listener}\npersistence true\npersistence_location {at}/\nautosave_interval 1\n\
                 autosave_on_changes true\nmax_queued_messages 100000\nmax_inflight_messages 1000\nallow_anonymous true\nuser root\n{extra}\n"
            );
            std::fs::write(directory.path().join("mosquitto.conf"), config).unwrap();
            let child = spawn(program, &directory);
            let mut broker = Self { program, child, directory, port };
            if broker.listens() {
                return Some(broker);
            }
        }
        panic!("mosquitto does not start");
    }
    /// kill -9, and a new one on what the old one had written.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.program, &self.directory);
        assert!(self.listens(), "mosquitto does not come back");
    }
    /// Waits until a message that ends like this is in the store on disk.
    pub fn has_stored(&self, end_of_topic_and_payload: &str) {
        let needle = end_of_topic_and_payload.as_bytes();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            let store = std::fs::read(self.directory.path().join("mosquitto.db")).unwrap_or_default();
            if store.windows(needle.len()).any(|window| window == needle) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("mosquitto does not store");
    }
    fn listens(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

fn spawn(program: &str, directory: &TempDir) -> Child {
    Command::new(program)
        .arg("-c")
        .arg(directory.path().join("mosquitto.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
