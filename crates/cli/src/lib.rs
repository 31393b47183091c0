//! The engine loop that wires the crates.
