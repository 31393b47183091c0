#![no_main]
// Each target takes its own part of what is shared.
#![allow(dead_code)]

#[path = "../src/config.rs"]
mod config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    config::organisation(data);
});
