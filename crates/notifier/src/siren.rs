//! On-site sound and light: the wanted state of every zone, sent at once when it changes and again every few seconds.
//!
//! A command carries the whole wanted state and an expiry, so a missed ON, a missed OFF and a restart heal with the next one; on
//! expiry the device keeps its state and shows a link fault. A change leaves on the caller's own thread: no timer tick and no
//! repeat stands before it. Whether an alarm wants a siren is decided elsewhere; nothing here turns one off.

use crate::notifier::Clock;
use model::{BodyId, Duration, Level, Siren, ZoneId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One command on its way to a zone's controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SirenCommand {
    /// Where to.
    pub topic: String,
    /// JSON.
    pub payload: Vec<u8>,
}

/// Whether a command may wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A change: before everything else, now.
    Change,
    /// The same state again.
    Repeat,
}

/// The way to the sirens: MQTT to a broker, or the built-in broker directly. QoS 1, not retained.
pub trait SirenPublish: Send + Sync {
    /// Hands over one command without blocking. False where there is no connection; the driver sends the whole state again as
    /// soon as there is one.
    fn publish(&self, command: SirenCommand, urgency: Urgency) -> bool;
    /// Takes what to call on every new connection. A way that is always connected need not call it.
    fn on_connect(&self, _connected: Arc<dyn Fn() + Send + Sync>) {}
    /// Whether a command handed over now would leave.
    fn is_connected(&self) -> bool {
        true
    }
}

/// How the sirens are driven.
pub struct SirenConfig {
    /// The way to them.
    pub publish: Arc<dyn SirenPublish>,
    /// The whole state is sent again this often, in real time.
    pub resend_every: std::time::Duration,
    /// A command expires this long after it was sent, on `clock`: where that runs faster than the wall, `resend_every` must be
    /// shortened with it.
    pub expiry: Duration,
    /// The engine's `now`.
    pub clock: Clock,
}

impl SirenConfig {
    /// The whole state is sent again this often unless configured otherwise.
    pub const RESEND_EVERY: std::time::Duration = std::time::Duration::from_secs(10);
}

/// Drives the sirens until dropped.
pub struct SirenDriver {
    inner: Arc<Inner>,
    wake: flume::Sender<Wake>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Inner {
    config: SirenConfig,
    wanted: Mutex<BTreeMap<(BodyId, ZoneId), Siren>>,
}

enum Wake {
    Connected,
    Stop,
}

#[derive(Serialize)]
struct Payload<'a> {
    zone: &'a str,
    sound: bool,
    light: bool,
    level: Option<Level>,
    version: u64,
    issued: i64,
    expires: i64,
}

impl SirenDriver {
    /// Begins with the wanted states the engine knows, and sends them at once.
    pub fn start(config: SirenConfig, wanted: impl IntoIterator<Item = Siren>) -> std::io::Result<Self> {
        let wanted = wanted.into_iter().map(|siren| ((siren.enterprise.clone(), siren.zone.clone()), siren)).collect();
        let inner = Arc::new(Inner { config, wanted: Mutex::new(wanted) });
        let (wake, woken) = flume::bounded(1);
        let connected = wake.clone();
        // Full means that it is about to send everything anyway.
        inner.config.publish.on_connect(Arc::new(move || {
            let _ = connected.try_send(Wake::Connected);
        }));
        let repeating = Arc::clone(&inner);
        let thread = std::thread::Builder::new().name("siren-repeat".to_owned()).spawn(move || repeating.repeat(&woken))?;
        Ok(Self { inner, wake, thread: Some(thread) })
    }

    /// Takes a zone's new wanted state and hands it to the socket before returning. An older version than the known one is not
    /// taken: it was overtaken.
    pub fn set(&self, siren: &Siren) {
        let place = (siren.enterprise.clone(), siren.zone.clone());
        // The lock is held while it is handed over, so that two changes of a zone leave in their order.
        let mut wanted = self.inner.wanted();
        if wanted.get(&place).is_some_and(|known| known.version > siren.version) {
            tracing::warn!(enterprise = %siren.enterprise, zone = %siren.zone, version = siren.version, "siren command overtaken by a newer one");
            return;
        }
        if !self.inner.send(siren, Urgency::Change) {
            tracing::warn!(enterprise = %siren.enterprise, zone = %siren.zone, "no connection to the sirens: sent as soon as there is one");
        }
        wanted.insert(place, siren.clone());
    }

    /// Whether a command set now would leave.
    pub fn is_connected(&self) -> bool {
        self.inner.config.publish.is_connected()
    }
}

impl Drop for SirenDriver {
    fn drop(&mut self) {
        let _ = self.wake.send(Wake::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Inner {
    fn wanted(&self) -> MutexGuard<'_, BTreeMap<(BodyId, ZoneId), Siren>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends every zone again and again, counted from the last time it did.
    fn repeat(&self, woken: &flume::Receiver<Wake>) {
        loop {
            self.send_all();
            let due = Instant::now() + self.config.resend_every;
            match woken.recv_deadline(due) {
                Ok(Wake::Connected) | Err(flume::RecvTimeoutError::Timeout) => {}
                Ok(Wake::Stop) | Err(flume::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn send_all(&self) {
        // Sounding zones first, red before the rest. One lock per zone, so that a change never waits for all of them.
        let mut places: Vec<_> = self
            .wanted()
            .values()
            .map(|siren| (siren.sound, siren.light, siren.level, siren.enterprise.clone(), siren.zone.clone()))
            .collect();
        places.sort_by_key(|(sound, light, level, ..)| std::cmp::Reverse((*sound, *light, *level)));
        for (.., enterprise, zone) in places {
            let wanted = self.wanted();
            if let Some(siren) = wanted.get(&(enterprise, zone))
                && !self.send(siren, Urgency::Repeat)
            {
                return;
            }
        }
    }

    fn send(&self, siren: &Siren, urgency: Urgency) -> bool {
        let issued = (self.config.clock)();
        let payload = Payload {
            zone: siren.zone.as_str(),
            sound: siren.sound,
            light: siren.light,
            level: siren.level,
            version: siren.version,
            issued: issued.as_millis(),
            expires: (issued + self.config.expiry).as_millis(),
        };
        let Ok(payload) = serde_json::to_vec(&payload) else { return false };
        self.config.publish.publish(SirenCommand { topic: model::topic::of_siren(&siren.enterprise, &siren.zone), payload }, urgency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    #[derive(Default)]
    struct Recorded(Mutex<Vec<(String, Urgency)>>);
    impl SirenPublish for Recorded {
        fn publish(&self, command: SirenCommand, urgency: Urgency) -> bool {
            self.0.lock().unwrap().push((String::from_utf8(command.payload).unwrap(), urgency));
            true
        }
    }
    fn siren(zone: &str, sound: bool, version: u64) -> Siren {
        Siren { enterprise: "xx".into(), zone: zone.into(), sound, light: true, version, level: Some(Level::Red) }
    }

    #[test]
    fn a_change_has_left_when_set_returns_and_an_overtaken_one_never_leaves() {
        let recorded = Arc::new(Recorded::default());
        let config = SirenConfig {
            publish: Arc::clone(&recorded) as Arc<dyn SirenPublish>,
            resend_every: std::time::Duration::from_secs(3600),
            expiry: Duration::from_secs(35),
            clock: Arc::new(|| Timestamp::from_secs(100)),
        };
        let driver = SirenDriver::start(config, []).unwrap();
        driver.set(&siren("1#罐区", true, 7));
        driver.set(&siren("1#罐区", false, 6));
        let sent: Vec<_> = recorded.0.lock().unwrap().iter().filter(|(_, urgency)| *urgency == Urgency::Change).cloned().collect();
        assert_eq!(
            sent,
            [(
                r#"{"zone":"1#罐区","sound":true,"light":true,"level":"red","version":7,"issued":100000,"expires":135000}"#.to_owned(),
                Urgency::Change
            )]
        );
    }
}
