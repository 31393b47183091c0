//! The load: gateways that publish a plant's readings at a steady rate or as fast as they are acknowledged, and the sirens that
//! answer. One thread writes, one listens; both read the same clock, so a latency is the difference of two of its readings.

use super::plant::{CLEAR, NORMAL, Plant, TOXIC, payload};
use super::wire::{Gateway, subscribe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a detector stays above its limit.
const TOXIC_FOR: Duration = Duration::from_millis(400);
/// Readings between two looks at the acks.
const ACKS_EVERY: u64 = 256;

/// One siren as its controller sees it.
#[derive(Default)]
struct Zone {
    sounding: AtomicBool,
    /// When the causing reading was written, in nanoseconds of the run; 0 when none is on its way.
    raised: AtomicU64,
}

struct Sirens {
    began: Instant,
    zones: Vec<Zone>,
    /// From just before the write of the causing reading to the siren's command.
    latencies: Mutex<Vec<Duration>>,
}

impl Sirens {
    fn listen(port: u16, zones: usize) -> Arc<Self> {
        let zones = (0..zones).map(|_| Zone::default()).collect();
        let sirens = Arc::new(Self { began: Instant::now(), zones, latencies: Mutex::default() });
        let heard = sirens.clone();
        subscribe(port, "watchfire/v1/+/siren/+", move |topic, command, at| heard.hear(topic, command, at));
        sirens
    }
    fn hear(&self, topic: &str, command: &[u8], at: Instant) {
        let zone = topic.rsplit('-').next().and_then(|number| number.parse::<usize>().ok()).expect("a siren's topic");
        let zone = &self.zones[zone];
        let on = command.windows(12).any(|part| part == b"\"sound\":true");
        if on {
            let raised = zone.raised.swap(0, Ordering::AcqRel);
            // A repeat of a command already heard has no cause.
            if raised != 0 {
                self.latencies.lock().unwrap().push((at - self.began).saturating_sub(Duration::from_nanos(raised)));
            }
        }
        zone.sounding.store(on, Ordering::Release);
    }
}

/// What a steady run saw.
pub struct Steady {
    /// One per siren command, sorted.
    pub latencies: Vec<Duration>,
    /// Alarms raised whose siren never sounded.
    pub missing: usize,
    /// Readings sent.
    pub sent: u64,
}

/// A plant's gateways, connected.
pub struct Load {
    gateways: Vec<Gateway>,
    topics: Vec<String>,
    toxic_until: Vec<Option<Instant>>,
    next: usize,
    sequence: u64,
    buffer: Vec<u8>,
    sirens: Arc<Sirens>,
}

impl Load {
    /// Connects gateways and sirens, and sends every tag once.
    pub fn start(port: u16, plant: Plant, gateways: usize) -> Self {
        let sirens = Sirens::listen(port, plant.zones);
        let mut load = Self {
            gateways: (0..gateways).map(|number| Gateway::connect(port, &format!("bench-gateway-{number}"))).collect(),
            topics: (0..plant.tags).map(|tag| plant.topic(tag)).collect(),
            toxic_until: vec![None; plant.zones],
            next: 0,
            sequence: 0,
            buffer: Vec::new(),
            sirens,
        };
        for _ in 0..2 * plant.tags {
            let gateway = load.push();
            load.gateways[gateway].flush();
        }
        super::until("the first readings to be acknowledged", || {
            load.gateways.iter_mut().for_each(Gateway::take_acks);
            (load.outstanding() == 0).then_some(())
        });
        load
    }
    /// Readings not acknowledged.
    pub fn outstanding(&self) -> u64 {
        self.gateways.iter().map(Gateway::outstanding).sum()
    }
    /// Readings sent.
    pub fn sent(&self) -> u64 {
        self.gateways.iter().map(|gateway| gateway.sent).sum()
    }
    /// Readings acknowledged.
    pub fn acked(&self) -> u64 {
        self.gateways.iter().map(|gateway| gateway.acked).sum()
    }

    /// Queues the next reading in turn and says on which gateway.
    fn push(&mut self) -> usize {
        let tag = self.next;
        self.next = (tag + 1) % self.topics.len();
        let value = match self.toxic_until.get_mut(tag) {
            Some(until) if until.is_some_and(|until| until > Instant::now()) => TOXIC,
            Some(until) => {
                *until = None;
                CLEAR
            }
            None => NORMAL,
        };
        self.push_value(tag, value)
    }
    fn push_value(&mut self, tag: usize, value: f64) -> usize {
        self.sequence += 1;
        payload(&mut self.buffer, value, self.sequence);
        let gateway = tag % self.gateways.len();
        self.gateways[gateway].push(&self.topics[tag], &self.buffer);
        gateway
    }
    /// Lets the next silent zone's detector see gas.
    fn raise(&mut self, from: &mut usize) -> bool {
        let zones = self.toxic_until.len();
        for _ in 0..zones {
            let zone = *from;
            *from = (zone + 1) % zones;
            if self.toxic_until[zone].is_some() || self.sirens.zones[zone].sounding.load(Ordering::Acquire) {
                continue;
            }
            self.toxic_until[zone] = Some(Instant::now() + TOXIC_FOR);
            let gateway = self.push_value(zone, TOXIC);
            let now = u64::try_from(self.sirens.began.elapsed().as_nanos()).unwrap();
            self.sirens.zones[zone].raised.store(now, Ordering::Release);
            self.gateways[gateway].flush();
            return true;
        }
        false
    }

    /// `rate` readings and `alarms` alarms a second, evenly, for this long.
    pub fn steady(&mut self, rate: u32, alarms: u32, length: Duration) -> Steady {
        let every = Duration::from_secs(1) / rate;
        let alarm_every = Duration::from_secs(1) / alarms;
        self.sirens.latencies.lock().unwrap().clear();
        let (began, before, mut zone) = (Instant::now(), self.sent(), 0);
        let (mut due, mut alarm_due, mut raised) = (began, began + alarm_every, 0);
        while began.elapsed() < length {
            if alarm_due <= Instant::now() {
                alarm_due += alarm_every;
                raised += usize::from(self.raise(&mut zone));
            }
            if due <= Instant::now() {
                due += every;
                let gateway = self.push();
                self.gateways[gateway].flush();
                if self.sequence.is_multiple_of(ACKS_EVERY) {
                    self.gateways.iter_mut().for_each(Gateway::take_acks);
                }
                continue;
            }
            std::thread::sleep(due.min(alarm_due).saturating_duration_since(Instant::now()));
        }
        let sent = self.sent() - before;
        // Whoever is behind gets its time; what has not come by then is missing.
        let patience = Instant::now() + Duration::from_secs(5);
        while self.sirens.latencies.lock().unwrap().len() < raised && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut latencies = std::mem::take(&mut *self.sirens.latencies.lock().unwrap());
        latencies.sort();
        Steady { missing: raised.saturating_sub(latencies.len()), latencies, sent }
    }

    /// As fast as it goes for this long: at most `window` readings of a gateway unacknowledged, and `ahead` in all sent and not
    /// yet evaluated, which `evaluated` counts.
    pub fn flat_out(&mut self, length: Duration, window: u64, ahead: u64, evaluated: impl Fn() -> u64) {
        let (began, gateways) = (Instant::now(), self.gateways.len());
        // The next tag of each gateway.
        let mut turns: Vec<usize> = (0..gateways).collect();
        while began.elapsed() < length {
            let mut room = ahead.saturating_sub(self.sent().saturating_sub(evaluated()));
            let before = room;
            for (at, turn) in turns.iter_mut().enumerate() {
                self.gateways[at].take_acks();
                // Half a window at a time: what a gateway writes at once costs little.
                let free = window.saturating_sub(self.gateways[at].outstanding());
                if free < window / 2 || room < window {
                    continue;
                }
                for _ in 0..free {
                    let tag = *turn;
                    *turn = if tag + gateways < self.topics.len() { tag + gateways } else { at };
                    self.push_value(tag, NORMAL);
                }
                room = room.saturating_sub(free);
                self.gateways[at].flush();
            }
            if room == before {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
}
