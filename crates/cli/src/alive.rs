//! The engine's heartbeat, and what stops when it stops.
//!
//! The engine beats whenever a round of its loop is through, its commit included: at least once a second. While the beat is
//! missing (a full disk, a hung fsync, a deadlock) nobody may go on pretending: siren commands are no longer repeated, so
//! every device shows its link fault when the last one expires, and the service manager is no longer told that all is well,
//! so it starts the process again.

use notifier::{SirenCommand, SirenPublish, Urgency};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A beat older than this is a dead engine.
const DEAD_AFTER: Duration = Duration::from_secs(20);
/// How often the service manager is told; well within `WatchdogSec`.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// When the engine last went through its loop.
#[derive(Clone)]
pub struct Heartbeat {
    start: Instant,
    last: Arc<AtomicU64>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl Heartbeat {
    /// The engine went through its loop.
    pub fn beat(&self) {
        self.last.store(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
    /// Whether it did so lately.
    pub fn is_alive(&self) -> bool {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last) < DEAD_AFTER
    }
}

/// The way to the sirens, which repeats nothing for a dead engine.
pub struct WhileAlive {
    /// The way itself.
    pub inner: Arc<dyn SirenPublish>,
    /// The engine's.
    pub heartbeat: Heartbeat,
}

impl SirenPublish for WhileAlive {
    fn publish(&self, command: SirenCommand, urgency: Urgency) -> bool {
        (urgency == Urgency::Change || self.heartbeat.is_alive()) && self.inner.publish(command, urgency)
    }
    fn on_connect(&self, connected: Arc<dyn Fn() + Send + Sync>) {
        self.inner.on_connect(connected);
    }
    fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }
}

/// Tells the service manager that the engine lives, from a thread of its own; does nothing where none asks.
pub fn tell_service_manager(heartbeat: Heartbeat) -> std::io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let text = path.to_string_lossy().into_owned();
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&text)?,
    };
    let socket = UnixDatagram::unbound()?;
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        loop {
            if heartbeat.is_alive()
                && let Err(error) = socket.send_to_addr(b"WATCHDOG=1", &address)
            {
                tracing::warn!(%error, "the service manager cannot be told that the engine lives");
            }
            std::thread::sleep(TELL_EVERY);
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    struct Counted(AtomicUsize);

    impl SirenPublish for Counted {
        fn publish(&self, _: SirenCommand, _: Urgency) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            true
        }
    }

    #[test]
    fn a_dead_engine_repeats_no_siren_command() {
        let counted = Arc::new(Counted(AtomicUsize::new(0)));
        let long_ago = Instant::now().checked_sub(DEAD_AFTER * 2).expect("the machine has been up for a minute");
        let heartbeat = Heartbeat { start: long_ago, last: Arc::default() };
        let way = WhileAlive { inner: counted.clone(), heartbeat: heartbeat.clone() };
        let command = || SirenCommand { topic: "t".to_owned(), payload: Vec::new() };
        assert!(!way.publish(command(), Urgency::Repeat));
        assert_eq!(counted.0.load(Ordering::Relaxed), 0);
        assert!(way.publish(command(), Urgency::Change), "a committed change always leaves");
        heartbeat.beat();
        assert!(way.publish(command(), Urgency::Repeat));
    }
}
