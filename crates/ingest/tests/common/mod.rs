//! What the tests of this crate share.
#![allow(dead_code, unused_imports, clippy::unwrap_used, reason = "each test uses its part, and may panic where its helpers do")]

pub mod fake;
pub mod hear;
pub mod mosquitto;
pub mod plant;

pub use plant::{RECEIVED, plant};
