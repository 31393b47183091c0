//! Wires the crates into one program: the engine loop, and the commands around it.
//!
//! Architecture invariants: only [`clock`] reads a clock for the engine; only the engine thread steps `rules` and
//! `escalation`; nothing leaves the engine before its commit.

pub mod alive;
pub mod allowed;
pub mod clock;
pub mod commands;
pub mod configurations;
pub mod engine;
pub mod facts;
pub mod folder;
pub mod lang;
pub mod metrics;
pub mod records;
pub mod retention;
pub mod storage;
