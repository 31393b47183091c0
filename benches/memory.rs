//! Bytes a tag that stay in memory while the engine runs: 100,000 tags, each with all four limits, a reading of each, no alarm.
//!
//! Counted by the allocator, as asked for; what it adds to each allocation (8 to 23 bytes in glibc) is told by how many there are. The
//! configuration is read from files as ever, and everything but the checked plant is dropped before counting.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use console::{LiveValue, LiveView};
use counting::{Count, Counting};
use escalation::Escalation;
use ingest::Decoder;
use model::{Quality, Reading, TagIndex, Timestamp};
use rules::{Input, Rules};
use std::sync::Arc;
use support::Table;
use support::plant::{Limits, NORMAL, Plant};

#[global_allocator]
static COUNTING: Counting = Counting::new();

const SHAPE: Plant = Plant { tags: 100_000, zones: 500 };

fn main() {
    let mut table = Table::new(&["limits", "what", "bytes a tag", "allocations a tag"]);
    for (what, limits) in [("from classes", Limits::Classes), ("each tag its own, and its own name", Limits::Own)] {
        measure(what, limits, &mut table);
    }
    table.print("Memory at 100,000 tags with all four limits; aim: plant and rules together at most 256 bytes a tag");
}

fn measure(limits_are: &str, limits: Limits, table: &mut Table) {
    let dir = tempfile::tempdir().unwrap();
    let config = SHAPE.write_with(dir.path(), limits);
    // What is allocated once and for all at a first use is no part of any tag.
    drop(config::load(&config));
    let mut row = |what: &str, count: Count| {
        let a_tag = |number: usize| format!("{:.1}", number as f64 / SHAPE.tags as f64);
        table.row(&[limits_are.to_owned(), what.to_owned(), a_tag(count.bytes), a_tag(count.blocks)]);
    };
    let began = COUNTING.count();
    let plant = config::load(&config).map(|loaded| Arc::new(loaded.plant)).unwrap_or_else(|_| panic!("the plant is sound"));
    let plant_takes = COUNTING.count() - began;
    row("the checked configuration", plant_takes);

    let before = COUNTING.count();
    let rules = heard(&plant);
    row("the state of the rules", COUNTING.count() - before);
    row("both", COUNTING.count() - began);

    let before = COUNTING.count();
    let escalation = Escalation::new(Arc::clone(&plant));
    row("the state of the cases", COUNTING.count() - before);

    let before = COUNTING.count();
    let decoder = Decoder::new(&plant);
    row("the decoder's index of topics", COUNTING.count() - before);

    let before = COUNTING.count();
    let view = seen(&plant);
    row("the newest values for the pages", COUNTING.count() - before);
    row("all of these", COUNTING.count() - began);
    drop((rules, escalation, decoder, view));
}

/// The rules after a reading of every tag.
fn heard(plant: &Arc<model::Plant>) -> Rules {
    let mut now = Timestamp::from_secs(1_732_000_000);
    let mut rules = Rules::new(Arc::clone(plant), now);
    let mut said = Vec::new();
    for tag in 0..plant.tags.len() as u32 {
        now += model::Duration(1);
        let reading = reading(TagIndex(tag), now);
        rules.step(&Input::Reading(reading), now, &mut said);
    }
    assert!(said.is_empty(), "no alarm stands");
    rules
}

/// What the pages show after a reading of every tag.
fn seen(plant: &Arc<model::Plant>) -> LiveView {
    let view = LiveView::new(Arc::clone(plant));
    let now = Timestamp::from_secs(1_732_000_000);
    for tag in (0..plant.tags.len() as u32).map(TagIndex) {
        view.set_first_seen(tag, now);
        view.set_value(tag, LiveValue { value: Some(NORMAL), quality: Quality::Good, source_time: now, receive_time: now });
    }
    view
}

fn reading(tag: TagIndex, now: Timestamp) -> Reading {
    Reading { tag, source_time: now, receive_time: now, value: NORMAL, quality: Quality::Good, sequence: Some(1) }
}
