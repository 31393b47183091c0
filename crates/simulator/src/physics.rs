//! What the county's instruments would read: a coarse but plausible plant, the same for the same seed.
//!
//! A tank is filled and drained between its limits; its temperature follows the hour of the day with a lag; the pressure of a
//! closed vessel follows its temperature and level; stock follows level. Detectors idle a little above zero. Faults are laid
//! over that: a value is driven towards a target, drifts, or holds. Once in a while a tag leaves its limits by itself, at the
//! rate of a well-run plant (about one alarm per 100 tags and day).

use model::{Condition, Duration, Plant, Signal, TagIndex, Timestamp};
use std::sync::Arc;

/// Alarms by themselves, per tag and day.
const EXCURSIONS_PER_TAG_DAY: f64 = 0.01;
/// How long such an excursion lasts, rise and return included.
const EXCURSION: Duration = Duration::from_mins(8);
/// Length of one fill-and-drain cycle of a tank.
const TANK_CYCLE_HOURS: f64 = 9.0;

/// Something wrong with an instrument or the process it measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The value goes to `target` within `over` and stays there.
    Drive {
        /// Where it goes.
        target: f64,
        /// How long it takes.
        over: Duration,
    },
    /// The value stands still.
    Freeze,
    /// The instrument reports bad quality.
    Bad,
}

struct Instrument {
    signal: Signal,
    /// Normal operating value and how far it swings around it; both inside the limits.
    centre: f64,
    swing: f64,
    range: (f64, f64),
    /// Phase of its own, so that tanks are not filled in step.
    phase: f64,
    noise: f64,
    limit: Option<f64>,
    fault: Option<(Fault, Timestamp, f64)>,
    easing: Option<(f64, Timestamp, Duration)>,
    excursion: Option<Timestamp>,
    last: f64,
}

/// The instruments of a plant.
pub struct County {
    plant: Arc<Plant>,
    instruments: Vec<Instrument>,
    random: fastrand::Rng,
    last_tick: Option<Timestamp>,
}

impl County {
    /// A quiet county.
    pub fn new(plant: Arc<Plant>, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let instruments = plant
            .tags
            .iter()
            .map(|tag| {
                let range = tag.range.unwrap_or((0.0, 1.0));
                let limit = |condition| tag.rule(condition).map(|rule| rule.setpoint);
                let high = limit(Condition::High).or(limit(Condition::HighHigh));
                let low = limit(Condition::Low).or(limit(Condition::LowLow)).unwrap_or(range.0);
                let top = high.unwrap_or(range.1);
                let (centre, swing, noise) = match tag.signal {
                    Signal::StaticEarthing | Signal::Switch => {
                        let alarm = tag.rule(Condition::Discrete).map(|rule| rule.setpoint);
                        (if alarm == Some(1.0) { 0.0 } else { 1.0 }, 0.0, 0.0)
                    }
                    Signal::Oxygen => (20.9, 0.05, 0.02),
                    signal if signal.is_gas() => (0.012 * top, 0.004 * top, 0.003 * top),
                    _ => ((low + top) / 2.0, (top - low) * 0.3, (top - low) * 0.004),
                };
                Instrument {
                    signal: tag.signal,
                    centre,
                    swing,
                    range,
                    phase: random.f64(),
                    noise,
                    limit: high,
                    fault: None,
                    easing: None,
                    excursion: None,
                    last: centre,
                }
            })
            .collect();
        Self { plant, instruments, random, last_tick: None }
    }

    /// The plant it simulates.
    pub fn plant(&self) -> &Arc<Plant> {
        &self.plant
    }

    /// Lays a fault over a tag.
    pub fn set_fault(&mut self, tag: TagIndex, fault: Fault, now: Timestamp) {
        let instrument = &mut self.instruments[tag.at()];
        instrument.fault = Some((fault, now, instrument.last));
    }

    /// Takes a fault away; the value eases back within `over`.
    pub fn clear_fault(&mut self, tag: TagIndex, now: Timestamp, over: Duration) {
        let instrument = &mut self.instruments[tag.at()];
        if instrument.fault.take().is_some() {
            instrument.easing = Some((instrument.last, now, over));
        }
    }

    /// The value of a tag now, and whether the instrument calls it good.
    pub fn read(&mut self, tag: TagIndex, now: Timestamp) -> (f64, bool) {
        let noise = self.random.f64() * 2.0 - 1.0;
        let chance = self.random.f64();
        let elapsed = self.last_tick.map_or(0.0, |last| now.since(last).as_secs_f64()).clamp(0.0, 60.0);
        let quiet = self.instruments[tag.at()].quiet(now, noise);
        let instrument = &mut self.instruments[tag.at()];
        if instrument.fault.is_none() && instrument.excursion.is_none() && chance < EXCURSIONS_PER_TAG_DAY * elapsed / 86_400.0 {
            instrument.excursion = Some(now);
        }
        let value = instrument.disturbed(quiet, now);
        let good = !matches!(instrument.fault, Some((Fault::Bad, ..)));
        instrument.last = value;
        (round(value), good)
    }

    /// Marks the time of one round of readings, from which the chance of an excursion is reckoned.
    pub fn tick(&mut self, now: Timestamp) {
        self.last_tick = Some(now);
    }
}

impl Instrument {
    /// Without faults.
    fn quiet(&self, now: Timestamp, noise: f64) -> f64 {
        let hours = now.0 as f64 / 3.6e9;
        let cycle = (hours / TANK_CYCLE_HOURS + self.phase).fract();
        // Filled in a third of the cycle, drained in the rest.
        let fill = if cycle < 1.0 / 3.0 { cycle * 3.0 } else { (1.0 - cycle) * 1.5 };
        // Warmest at 14:00 in China, six hours after 8:00 UTC shifted by the lag of a big tank.
        let day = ((hours + 8.0 - 14.0) / 24.0 * std::f64::consts::TAU).cos();
        let shape = match self.signal {
            Signal::Level | Signal::Stock => fill * 2.0 - 1.0,
            Signal::Temperature => day,
            Signal::Pressure => 0.7 * day + 0.3 * (fill * 2.0 - 1.0),
            Signal::Flow => ((hours * 6.0 + self.phase) * std::f64::consts::TAU).sin(),
            _ => 0.0,
        };
        self.centre + self.swing * shape + self.noise * noise
    }

    fn disturbed(&mut self, quiet: f64, now: Timestamp) -> f64 {
        if let Some((fault, since, from)) = self.fault {
            return match fault {
                Fault::Drive { target, over } => from + (target - from) * share(now, since, over),
                Fault::Freeze => from,
                Fault::Bad => quiet,
            };
        }
        let mut value = quiet;
        if let Some((from, since, over)) = self.easing {
            let done = share(now, since, over);
            value = from + (quiet - from) * done;
            if done >= 1.0 {
                self.easing = None;
            }
        }
        if let (Some(since), Some(limit)) = (self.excursion, self.limit) {
            let done = share(now, since, EXCURSION);
            // Up for a third, a little beyond the limit for a third, back for a third.
            let push = (3.0 * done).min(1.0).min(3.0 * (1.0 - done)).max(0.0);
            let beyond = limit + (self.range.1 - self.range.0).abs() * 0.005;
            value += (beyond - value) * push;
            if done >= 1.0 {
                self.excursion = None;
            }
        } else {
            self.excursion = None;
        }
        value.clamp(self.range.0, self.range.1)
    }
}

fn share(now: Timestamp, since: Timestamp, over: Duration) -> f64 {
    if over.0 <= 0 { 1.0 } else { (now.since(since).0 as f64 / over.0 as f64).clamp(0.0, 1.0) }
}

/// Instruments have a resolution.
fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
#[path = "physics_tests.rs"]
mod tests;
