//! Proof before a limit goes live: scenarios, backtest and the figures of an alarm system.
//!
//! Everything here drives [`pipeline::Pipeline`], the very code that decides in the plant, on simulated time. Nothing here reads a clock,
//! opens a file or knows a store: readings and acts are handed in, and what follows is handed out. The `watchfire` program reads and
//! prints.

pub mod backtest;
pub mod kpi;
pub mod passage;
mod people;
pub mod replay;
pub mod report;
mod rows;
pub mod scenario;
pub mod simulation;
pub mod suggest;
