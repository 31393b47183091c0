#![no_main]
// Each target takes its own part of what is shared.
#![allow(dead_code)]

#[path = "../src/config.rs"]
mod config;

use std::sync::Once;

/// libFuzzer ends at every panic; one of the crate that reads workbooks is caught and refuses the file.
static HOOK: Once = Once::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    HOOK.call_once(|| {
        let end = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|at| at.file().contains("calamine")) {
                end(panic);
            }
        }));
    });
    config::list("acme.xlsx", data);
});
