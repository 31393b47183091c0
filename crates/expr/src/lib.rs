//! Pure: the small expression language of calculated tags, votes, modes, enabling conditions and suppressions.
//!
//! `cylinder(10 m, [LIA-101] * 12 m) * 791 kg/m³`, `vote(2, [GT-1] >= 25 ppm, [GT-2] >= 25 ppm, [GT-3] >= 25 ppm)`. A process engineer
//! writes it, [`Program::parse`] checks it against the units of its tags, [`Program::run`] works it out. No scripting engine: there is no
//! loop, no call of one's own and no text, so that what it costs is known from its length, and a text of anybody's making can neither
//! hang nor crash the alarms.
//!
//! A tag stands in brackets, because `LIA-101` without them is a subtraction in every other language and a plant has names such as
//! `P-101A/B` and `1#罐`. Truth has three values: `and`, `or` and `not` over a bad reading are unknown unless the others decide, so a
//! lost sensor is never read as "no". What is unknown has the quality bad, what leans on doubtful readings is uncertain.

mod fault;
mod geometry;
mod lex;
mod parse;
mod program;
mod unit;
mod window;

pub use fault::Fault;
pub use program::{Memory, Program, Quality, Sample};
pub use unit::Unit;
pub use window::{Window, WindowParts};

/// The length of a text in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// How deep brackets, functions and conditions may stand in one another.
pub const DEPTH_MAX: usize = 32;
/// Steps of a program. Running it takes each of them once, so this bounds its cost.
pub const NODES_MAX: usize = 256;
/// Tags that one program reads.
pub const INPUTS_MAX: usize = 32;
/// `mean` and `rate` in one program.
pub const WINDOWS_MAX: usize = 4;
/// Points of one strapping table.
pub const TABLE_POINTS_MAX: usize = 64;
/// The longest window, in microseconds: a day.
pub const WINDOW_MICROS_MAX: i64 = 86_400_000_000;
/// The shortest window, in microseconds.
pub const WINDOW_MICROS_MIN: i64 = 1_000_000;

/// What a program may know of a tag before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A number in a unit, as the tag shows it; empty where it has none.
    Number(String),
    /// A discrete signal: true while it is 1.
    Switch,
}

/// What a program must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A number in this unit.
    Number(String),
    /// Yes or no.
    Truth,
}
