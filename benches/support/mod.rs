//! What the benchmarks share. Each prints its number beside a bare loop over the same client and broker in the same run, the
//! ratio first, and asserts nothing: a machine says how fast it is, not whether it is right.

// Every benchmark compiles this module and uses a part of it.
#![allow(dead_code, clippy::unwrap_used)]

pub mod bare;
pub mod load;
pub mod plant;
pub mod process;
pub mod wire;

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// `WATCHFIRE_BENCH_QUICK=1` shortens every run: enough to see that it runs, too little to quote.
pub fn is_quick() -> bool {
    std::env::var_os("WATCHFIRE_BENCH_QUICK").is_some_and(|value| value != "0")
}

/// The one or the other.
pub fn quick_or<T>(quick: T, full: T) -> T {
    if is_quick() { quick } else { full }
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until `ready` gives something.
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A value of a sorted list: 0.5 is the median, 1 the greatest.
pub fn at(sorted: &[Duration], part: f64) -> Duration {
    sorted.get((sorted.len().saturating_sub(1) as f64 * part) as usize).copied().unwrap_or_default()
}

/// Milliseconds for people.
pub fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// A table as it stands in the README.
pub struct Table(comfy_table::Table);

impl Table {
    /// With its heads.
    pub fn new(heads: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::ASCII_MARKDOWN).set_header(heads);
        Self(table)
    }
    /// One more row, shown at once on standard error, since a run takes a while.
    pub fn row(&mut self, cells: &[String]) {
        eprintln!("  {}", cells.join("  "));
        self.0.add_row(cells);
    }
    /// Prints it under its title.
    pub fn print(&self, title: &str) {
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model.lines().find_map(|line| line.strip_prefix("model name")).map_or("?", |rest| rest.trim_matches([' ', '\t', ':']));
        let quick = if is_quick() { ", quick: not to be quoted" } else { "" };
        println!("\n{title} ({cpus} vCPU {model}{quick})\n\n{}\n", self.0);
    }
}

/// A generator of our own needs no crate and gives the same numbers for ever.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % bound.max(1)
    }
}
