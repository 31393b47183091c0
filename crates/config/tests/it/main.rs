//! Configuration files in, plant or faults out: one binary, because linking costs more than running.

mod acme;
mod faults;
mod plant;
mod replay;
mod robustness;
mod samples;
mod server;
