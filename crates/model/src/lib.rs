//! The words of Watchfire as types (ISA-18.2 / IEC 62682 / OPC UA Part 9), shared by every crate.
//!
//! Architecture invariant: this crate holds data and lookups only. It decides nothing, reads no clock and does no IO.

mod act;
mod alarm;
mod beside;
pub mod bounds;
mod case;
mod ids;
pub mod plant;
mod reading;
mod shared;
mod time;
pub mod topic;

pub use act::*;
pub use alarm::*;
pub use beside::*;
pub use case::*;
pub use ids::*;
pub use plant::{Hazard, Plant, Signal, Tier};
pub use reading::*;
pub use shared::Shared;
pub use time::*;
