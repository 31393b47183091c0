#![no_main]

#[path = "../src/payload.rs"]
mod payload;
#[path = "../../crates/ingest/tests/common/plant.rs"]
mod plant;

use std::sync::LazyLock;

static PLANT: LazyLock<model::Plant> = LazyLock::new(plant::plant);

libfuzzer_sys::fuzz_target!(|data: &[u8]| payload::check(&PLANT, plant::RECEIVED, data));
