//! The commands of `watchfire`, one module each. Exit 0: fine; 1: faults found; 2: could not run.

pub mod api;
pub mod backtest;
pub mod channels;
pub mod check;
pub mod demo;
pub mod export;
mod moment;
pub mod plan;
mod points;
pub mod publish;
pub mod replay;
pub mod run;
pub mod status;
pub mod suggest;
pub mod test;
pub mod user;
pub mod verify;
pub mod who;
