//! A checked expression as a list of steps, and how it is worked out.
//!
//! Each step reads only steps before it, so running one is a single walk over the list: no recursion, no branch that is not taken, the
//! same cost every time. Both sides of a condition are worked out; only the one that holds is given.

use crate::window::{Window, WindowParts};
use crate::{Fault, Input, Wanted, geometry, parse};

/// How far a value may be trusted. What is bad is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Unknown.
    Bad,
    /// May raise, never clears.
    Uncertain,
    /// Usable.
    Good,
}

/// A value and its quality; truth is 1 or 0.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The value; NaN where it is bad.
    pub value: f64,
    /// How far it may be trusted.
    pub quality: Quality,
}

/// Two bad ones say the same: nothing.
impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.quality == other.quality && (self.quality == Quality::Bad || self.value == other.value)
    }
}

impl Sample {
    /// Nothing is known.
    pub const BAD: Self = Self { value: f64::NAN, quality: Quality::Bad };

    /// A value; one that is no number is bad whatever it claims.
    pub fn new(value: f64, quality: Quality) -> Self {
        if quality == Quality::Bad || !value.is_finite() { Self::BAD } else { Self { value, quality } }
    }
    fn truth(value: bool, quality: Quality) -> Self {
        Self::new(f64::from(u8::from(value)), quality)
    }
    /// Yes, no, or unknown.
    pub fn is_true(self) -> Option<bool> {
        (self.quality != Quality::Bad).then_some(self.value >= 0.5)
    }
}

/// A step's place.
pub(crate) type At = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Different,
}

/// Arguments: places in the program's list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub from: u16,
    pub to: u16,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Number(f64),
    Input(u16),
    Switch(u16),
    Scale(At, f64),
    Abs(At),
    Not(At),
    Add(At, At),
    Subtract(At, At),
    Multiply(At, At),
    Divide(At, At),
    Compare(Compare, At, At),
    And(At, At),
    Or(At, At),
    If(At, At, At),
    Min(Arguments),
    Max(Arguments),
    Sum(Arguments),
    Average(Arguments),
    Vote(u16, Arguments),
    Mean(u16, At),
    Rate(u16, At),
    Cylinder(At, At),
    Horizontal(At, At, At),
    Sphere(At, At),
    Table(u16, At),
}

/// A checked expression.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) result: At,
    pub(crate) arguments: Vec<At>,
    pub(crate) tables: Vec<Vec<(f64, f64)>>,
    /// Lengths of its windows in microseconds.
    pub(crate) windows: Vec<i64>,
    pub(crate) inputs: Vec<String>,
}

/// What a program with windows remembers, and its working space.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    windows: Vec<Window>,
    values: Vec<Sample>,
}

impl Memory {
    /// Its windows as plain numbers, to be stored; empty where there are none.
    pub fn parts(&self) -> Vec<WindowParts> {
        self.windows.iter().map(Window::parts).collect()
    }
    /// Goes on where [`Self::parts`] was taken, if those are of the same program.
    pub fn resume(&mut self, parts: Vec<WindowParts>) {
        if parts.len() == self.windows.len() {
            for (window, parts) in self.windows.iter_mut().zip(parts) {
                window.resume(parts);
            }
        }
    }
}

impl Program {
    /// Reads a text. `known` says what it may know of a tag; a tag it does not know is a fault.
    pub fn parse(text: &str, wanted: &Wanted, known: &dyn Fn(&str) -> Option<Input>) -> Result<Self, Fault> {
        parse::parse(text, wanted, known)
    }

    /// The tags it reads, each once, in the order in which [`Self::run`] takes them.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether it remembers what came before.
    pub fn has_windows(&self) -> bool {
        !self.windows.is_empty()
    }

    /// An empty memory for it.
    pub fn memory(&self) -> Memory {
        Memory { windows: self.windows.iter().map(|length| Window::new(*length)).collect(), values: Vec::with_capacity(self.steps.len()) }
    }

    /// Works it out. `inputs` are the values of [`Self::inputs`], `time` (microseconds) is when they hold and never runs backwards.
    pub fn run(&self, inputs: &[Sample], time: i64, memory: &mut Memory) -> Sample {
        let Memory { windows, values } = memory;
        values.clear();
        for step in &self.steps {
            let value = self.step(*step, inputs, time, windows, values);
            values.push(value);
        }
        values.get(usize::from(self.result)).copied().unwrap_or(Sample::BAD)
    }

    fn step(&self, step: Step, inputs: &[Sample], time: i64, windows: &mut [Window], values: &[Sample]) -> Sample {
        let get = |at: At| values.get(usize::from(at)).copied().unwrap_or(Sample::BAD);
        let input = |at: u16| inputs.get(usize::from(at)).map_or(Sample::BAD, |sample| Sample::new(sample.value, sample.quality));
        let one = |a: At, f: fn(f64) -> f64| Sample::new(f(get(a).value), get(a).quality);
        let two = |a: At, b: At, f: fn(f64, f64) -> f64| Sample::new(f(get(a).value, get(b).value), get(a).quality.min(get(b).quality));
        match step {
            Step::Number(value) => Sample::new(value, Quality::Good),
            Step::Input(at) => input(at),
            Step::Switch(at) => input(at).is_true().map_or(Sample::BAD, |on| Sample::truth(on, input(at).quality)),
            Step::Scale(a, factor) => Sample::new(get(a).value * factor, get(a).quality),
            Step::Abs(a) => one(a, f64::abs),
            Step::Not(a) => one(a, |value| 1.0 - value),
            Step::Add(a, b) => two(a, b, |a, b| a + b),
            Step::Subtract(a, b) => two(a, b, |a, b| a - b),
            Step::Multiply(a, b) => two(a, b, |a, b| a * b),
            Step::Divide(a, b) => two(a, b, |a, b| a / b),
            Step::Compare(how, a, b) => compare(how, get(a), get(b)),
            Step::And(a, b) => decide(get(a), get(b), false),
            Step::Or(a, b) => decide(get(a), get(b), true),
            Step::If(condition, then, otherwise) => match get(condition).is_true() {
                None => Sample::BAD,
                Some(holds) => {
                    let chosen = get(if holds { then } else { otherwise });
                    Sample::new(chosen.value, chosen.quality.min(get(condition).quality))
                }
            },
            Step::Min(list) => self.fold(list, values, f64::min),
            Step::Max(list) => self.fold(list, values, f64::max),
            Step::Sum(list) => self.fold(list, values, |a, b| a + b),
            Step::Average(list) => {
                let sum = self.fold(list, values, |a, b| a + b);
                Sample::new(sum.value / f64::from(list.to - list.from), sum.quality)
            }
            Step::Vote(needed, list) => vote(needed, self.list(list, values)),
            Step::Mean(at, a) => window(windows, at, time, get(a), Window::mean),
            Step::Rate(at, a) => window(windows, at, time, get(a), Window::rate),
            Step::Cylinder(d, level) => volume(&[get(d), get(level)], geometry::cylinder(get(d).value, get(level).value)),
            Step::Horizontal(d, l, level) => {
                volume(&[get(d), get(l), get(level)], geometry::horizontal(get(d).value, get(l).value, get(level).value))
            }
            Step::Sphere(d, level) => volume(&[get(d), get(level)], geometry::sphere(get(d).value, get(level).value)),
            Step::Table(at, level) => {
                let points = self.tables.get(usize::from(at)).map_or(&[][..], Vec::as_slice);
                volume(&[get(level)], geometry::table(points, get(level).value))
            }
        }
    }

    fn list<'v>(&self, list: Arguments, values: &'v [Sample]) -> impl Iterator<Item = Sample> + use<'v, '_> {
        let places = self.arguments.get(usize::from(list.from)..usize::from(list.to)).unwrap_or_default();
        places.iter().map(|at| values.get(usize::from(*at)).copied().unwrap_or(Sample::BAD))
    }

    fn fold(&self, list: Arguments, values: &[Sample], f: fn(f64, f64) -> f64) -> Sample {
        self.list(list, values).reduce(|a, b| Sample::new(f(a.value, b.value), a.quality.min(b.quality))).unwrap_or(Sample::BAD)
    }
}

fn compare(how: Compare, a: Sample, b: Sample) -> Sample {
    let (left, right) = (a.value, b.value);
    let holds = match how {
        Compare::Less => left < right,
        Compare::AtMost => left <= right,
        Compare::More => left > right,
        Compare::AtLeast => left >= right,
        Compare::Equal => left == right,
        Compare::Different => left != right,
    };
    Sample::truth(holds, a.quality.min(b.quality))
}

/// `and` is decided by one no, `or` by one yes, whatever the other side says or does not say; the better known of two that decide counts.
fn decide(a: Sample, b: Sample, by: bool) -> Sample {
    let deciding = [a, b].into_iter().filter(|side| side.is_true() == Some(by)).map(|side| side.quality).max();
    match deciding {
        Some(quality) => Sample::truth(by, quality),
        None => Sample::truth(!by, a.quality.min(b.quality)),
    }
}

/// k of n. A bad vote lowers the number needed by one, down to one: of 2oo3 with a bad sensor 1oo2 is left, since the lost one might
/// have been the second. It never makes a yes by itself, and while it might be the one that was missing, a no clears nothing.
fn vote(needed: u16, votes: impl Iterator<Item = Sample>) -> Sample {
    let (mut all, mut yes, mut sure, mut unknown, mut doubtful_no) = (0_u16, 0_u16, 0_u16, 0_u16, 0_u16);
    for vote in votes {
        all += 1;
        match (vote.is_true(), vote.quality) {
            (None, _) => unknown += 1,
            (Some(true), quality) => {
                yes += 1;
                sure += u16::from(quality == Quality::Good);
            }
            (Some(false), Quality::Good) => {}
            (Some(false), _) => doubtful_no += 1,
        }
    }
    if yes >= needed.saturating_sub(unknown).max(1) {
        let quality = if sure >= needed { Quality::Good } else { Quality::Uncertain };
        return Sample::truth(true, quality);
    }
    if yes + unknown + doubtful_no < needed {
        return Sample::truth(false, Quality::Good);
    }
    if unknown < all { Sample::truth(false, Quality::Uncertain) } else { Sample::BAD }
}

fn window(windows: &mut [Window], at: u16, time: i64, value: Sample, ask: fn(&Window) -> Sample) -> Sample {
    let Some(window) = windows.get_mut(usize::from(at)) else { return Sample::BAD };
    window.push(time, value);
    let said = ask(window);
    Sample::new(said.value, said.quality.min(if value.quality == Quality::Bad { said.quality } else { value.quality }))
}

/// A volume is as good as what it was worked out of; outside the vessel it is uncertain.
fn volume(of: &[Sample], volume: Option<(f64, bool)>) -> Sample {
    let quality = of.iter().map(|sample| sample.quality).min().unwrap_or(Quality::Bad);
    match volume {
        Some((volume, true)) => Sample::new(volume, quality),
        Some((volume, false)) => Sample::new(volume, quality.min(Quality::Uncertain)),
        None => Sample::BAD,
    }
}
