//! `watchfire`.
fn main() {}
