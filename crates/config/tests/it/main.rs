//! Configuration files in, plant or faults out: one binary, because linking costs more than running.

mod acme;
mod classes;
mod corpus;
mod dirt;
mod export;
mod faults;
mod gas;
mod life;
mod plant;
mod quotes;
mod replay;
mod robustness;
mod rules;
mod samples;
mod scenario;
mod server;
