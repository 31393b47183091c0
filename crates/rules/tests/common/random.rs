//! Random histories: late and repeated readings, stragglers, clocks that step, restarts, a link that comes and goes, people who act.

use super::*;
use proptest::prelude::*;

/// What may happen in a random history.
#[derive(Clone, Debug)]
pub enum Op {
    Pass(i64),
    Send {
        tag: usize,
        value: f64,
        quality: Quality,
        shift: i64,
    },
    SendAll {
        value: f64,
    },
    Repeat {
        back: usize,
    },
    ClockTo(i64),
    StuckAt(i64),
    /// Time passes, and no deadline is served in it.
    Stall(i64),
    Restart {
        lossy: bool,
    },
    Link(bool),
    Acknowledge(usize),
    FieldCheck(usize),
    UnknownTag,
}

/// The tags of the county.
pub const TAGS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// Five tags behind one gateway, every kind of limit among them.
pub fn county() -> Arc<Plant> {
    county_from(0.0)
}

/// The same with measuring ranges that begin at `low`.
pub fn county_from(low: f64) -> Arc<Plant> {
    let secs = Duration::from_secs;
    let mut tags: Vec<_> = TAGS
        .iter()
        .zip([Signal::Temperature, Signal::Toxic, Signal::Level, Signal::Switch, Signal::Pressure])
        .map(|(name, signal)| tag("hx", name, signal))
        .collect();
    for tag in &mut tags {
        tag.stale_after = secs(15);
        // No grace for silent tags after a restart, so that a restarted run can be held against one that went on.
        tag.sample_interval = Duration::ZERO;
        tag.range = Some((low, 100.0));
        tag.conditions =
            [Condition::BadQuality, Condition::Stale, Condition::OutOfRange].map(|condition| rule(condition, 0.0)).to_vec().into();
    }
    let limit = |condition, setpoint, on: i64, off: i64| {
        let mut rule = rule(condition, setpoint);
        (rule.deadband, rule.on_delay, rule.off_delay) = (2.0, secs(on), secs(off));
        rule
    };
    tags[0].conditions.extend([limit(Condition::High, 80.0, 10, 5), limit(Condition::HighHigh, 90.0, 0, 0)]);
    tags[1].conditions.extend([limit(Condition::High, 25.0, 3, 6), limit(Condition::HighHigh, 50.0, 0, 6)]);
    tags[2].conditions.extend([limit(Condition::Low, 20.0, 0, 0), limit(Condition::LowLow, 10.0, 0, 0)]);
    tags[3].conditions.push(rule(Condition::Discrete, 1.0));
    tags[4].conditions.extend([limit(Condition::HighHigh, 90.0, 8, 0)]);
    plant(tags, &[], secs(5), "r1")
}

/// Any value in any quality.
pub fn op() -> impl Strategy<Value = Op> {
    let value = prop_oneof![
        Just(50.0),
        Just(15.0),
        Just(0.0),
        Just(5.0),
        Just(81.0),
        Just(79.0),
        Just(95.0),
        Just(130.0),
        Just(1.0),
        Just(f64::NAN),
        Just(-5.0)
    ];
    op_of(value, 10)
}

/// Mostly what a plant says on a quiet day, so that most readings change nothing.
pub fn calm_op() -> impl Strategy<Value = Op> {
    let value = prop_oneof![
        12 => prop_oneof![Just(22.0), Just(23.0), Just(24.5)],
        3 => Just(0.0),
        2 => Just(1.0),
        1 => prop_oneof![Just(26.0), Just(55.0), Just(81.0), Just(78.0), Just(95.0)],
        1 => prop_oneof![Just(15.0), Just(5.0), Just(-5.0), Just(f64::NAN), Just(130.0)],
    ];
    op_of(value, 60)
}

fn op_of(value: impl Strategy<Value = f64> + Clone + 'static, sends: u32) -> impl Strategy<Value = Op> {
    let quality = prop_oneof![sends => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let shift = prop_oneof![
        sends => Just(0_i64),
        2 => -20_000..0_i64,
        1 => -4_000_000..0_i64,
        1 => 0..200_000_i64,
        1 => Just(i64::MIN),
        1 => Just(i64::MAX),
    ];
    let offset = prop_oneof![Just(0_i64), Just(-28_800_000), Just(28_800_000), Just(-40_000), Just(40_000), Just(-1_700_000_000_000)];
    prop_oneof![
        sends / 2 => (0..8_000_i64).prop_map(Op::Pass),
        1 => (8_000..100_000_i64).prop_map(Op::Pass),
        sends => (0..5_usize, value.clone(), quality, shift).prop_map(|(tag, value, quality, shift)| Op::Send { tag, value, quality, shift }),
        4 => value.prop_map(|value| Op::SendAll { value }),
        2 => (0..4_usize).prop_map(|back| Op::Repeat { back }),
        1 => offset.clone().prop_map(Op::ClockTo),
        1 => offset.prop_map(Op::StuckAt),
        1 => any::<bool>().prop_map(|lossy| Op::Restart { lossy }),
        1 => any::<bool>().prop_map(Op::Link),
        2 => (0..8_usize).prop_map(Op::Acknowledge),
        1 => (0..8_usize).prop_map(Op::FieldCheck),
        1 => Just(Op::UnknownTag),
    ]
}

/// One history being run.
pub struct Run {
    pub plant: Arc<Plant>,
    pub rules: Rules,
    pub store: Store,
    pub now: Timestamp,
    /// The gateway's clock minus ours, in milliseconds; or where it stands.
    pub offset: i64,
    pub stuck: Option<Timestamp>,
    pub sent: Vec<Reading>,
    pub effects: Vec<AlarmEffect>,
    pub acts: u32,
}

impl Run {
    pub fn new() -> Self {
        Self::of(county())
    }

    pub fn of(plant: Arc<Plant>) -> Self {
        let rules = Rules::new(Arc::clone(&plant), ZERO);
        let (offset, stuck, sent, effects, acts) = (0, None, Vec::new(), Vec::new(), 0);
        Self { plant, rules, store: Store::default(), now: ZERO, offset, stuck, sent, effects, acts }
    }

    pub fn pass(&mut self, millis: i64) {
        self.now += Duration::from_millis(millis);
        serve(&mut self.rules, self.now, &mut self.effects);
        self.step(Input::Timeout);
    }

    pub fn step(&mut self, input: Input<'_>) {
        self.rules.step(&input, self.now, &mut self.effects);
        // An input may make something due at once; the engine's loop comes straight back for it.
        if self.rules.next_deadline().is_some_and(|due| due <= self.now) {
            self.rules.step(&Input::Timeout, self.now, &mut self.effects);
        }
        self.store.commit(&mut self.rules);
        assert!(self.rules.next_deadline().is_none_or(|due| due > self.now), "a deadline that is due was not served");
    }

    pub fn send(&mut self, tag: usize, value: f64, quality: Quality, shift: i64) {
        let clock = self.stuck.unwrap_or(self.now + Duration::from_millis(self.offset));
        let source_time = match shift {
            i64::MIN => Timestamp::MIN,
            i64::MAX => Timestamp::MAX,
            _ => clock + Duration::from_millis(shift),
        };
        let tag = self.plant.find_tag("hx", TAGS[tag]).expect("a tag");
        let reading = Reading { tag, source_time, receive_time: self.now, value, quality, sequence: None };
        self.sent.push(reading);
        self.step(Input::Reading(reading));
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Pass(millis) => self.pass(*millis),
            Op::Send { tag, value, quality, shift } => self.send(*tag, *value, *quality, *shift),
            Op::SendAll { value } => (0..TAGS.len()).for_each(|tag| self.send(tag, *value, Quality::Good, 0)),
            Op::Repeat { back } => {
                if let Some(mut reading) = self.sent.len().checked_sub(back + 1).map(|at| self.sent[at]) {
                    reading.receive_time = self.now;
                    self.step(Input::Reading(reading));
                }
            }
            Op::ClockTo(offset) => (self.offset, self.stuck) = (*offset, None),
            Op::Stall(millis) => self.now += Duration::from_millis(*millis),
            Op::StuckAt(offset) => self.stuck = Some(self.now + Duration::from_millis(*offset)),
            Op::Restart { lossy } => {
                if !lossy {
                    self.store.checkpoint(&mut self.rules);
                }
                self.rules = self.store.restore(&self.plant, self.now);
                self.step(Input::Link { up: true });
                self.step(Input::Drained);
            }
            Op::Link(up) => self.step(Input::Link { up: *up }),
            Op::Acknowledge(which) | Op::FieldCheck(which) => {
                let Some(view) = self.rules.alarms().nth(*which) else { return };
                let Some(episode) = view.episode else { return };
                self.acts += 1;
                let act = act(self.acts, matches!(op, Op::FieldCheck(_)), EpisodeRef { alarm: view.alarm, episode });
                self.step(Input::Act(&act));
            }
            Op::UnknownTag => self.step(Input::UnknownTag { gateway: 0, tag: "X" }),
        }
    }
}
