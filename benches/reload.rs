//! How long a change of configuration holds readings back, at 100,000 tags with all four limits.
//!
//! Loading, checking, comparing and preparing happen beside the engine and are shown apart. What readings wait for is what happens on the
//! engine's thread: rules and cases are moved over, the rows are committed, and the pages get the new plant. What was in force before is
//! written part by part before that, each its own commit between readings: the longest of those is shown too. The promise is 50 ms.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use console::{LiveView, Reshown};
use ingest::Decoder;
use journal::{AheadStore, Batch, Reader, Store, StoreError};
use model::{Condition, Duration, Plant as Checked, Quality, Reading, TagIndex, Timestamp};
use pipeline::{Input, Pipeline};
use rules::Reload;
use std::sync::Arc;
use std::time::Instant;
use support::plant::Plant;
use support::{Table, quick_or};

fn main() {
    let heads = ["tags", "what changes", "check ms", "compare ms", "prepare ms", "parts", "longest ms", "held ms", "of it commit", "lines"];
    let mut table = Table::new(&heads);
    for tags in [10_000, 100_000] {
        let dir = tempfile::tempdir_in(support::process::disk()).unwrap();
        let config = Plant { tags, zones: (tags / 10).min(500) }.write(dir.path());
        let began = Instant::now();
        let plant = config::load(&config).unwrap_or_else(|_| panic!("the plant is sound")).plant;
        let check = millis(began);
        for (what, change) in changes() {
            bench(tags, what, check, &plant, change, &mut table);
        }
    }
    table.print("A reload, beside the engine and on its thread");
}

type Change = fn(&mut Checked);

fn changes() -> Vec<(&'static str, Change)> {
    vec![
        ("nothing", |_| {}),
        ("100 limits", |plant| move_limits(plant, 100)),
        ("1,000 limits", |plant| move_limits(plant, 1_000)),
        ("every limit", |plant| move_limits(plant, usize::MAX)),
        ("the first tag goes", |plant| {
            plant.tags.remove(0);
            for gateway in &mut plant.gateways {
                gateway.tag.0 -= 1;
                gateway.members.retain(|member| member.0 > 0);
                gateway.members.iter_mut().for_each(|member| member.0 -= 1);
            }
        }),
    ]
}

fn move_limits(plant: &mut Checked, count: usize) {
    let limits = plant.tags.iter_mut().flat_map(|tag| &mut tag.conditions).filter(|rule| rule.condition == Condition::High);
    limits.take(count).for_each(|rule| rule.setpoint += 0.25);
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn bench(tags: usize, what: &str, check: f64, plant: &Checked, change: Change, table: &mut Table) {
    let (mut compared, mut prepared, mut longest, mut held, mut committed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut parts, mut lines) = (0, 0);
    for _ in 0..quick_or(2, 5) {
        let dir = tempfile::tempdir_in(support::process::disk()).unwrap();
        let mut store = AheadStore::open(dir.path()).unwrap();
        let from = Arc::new(plant.clone());
        let view = LiveView::new(Arc::clone(&from));
        let mut now = Timestamp::from_secs(1_732_000_000);
        let mut pipeline = Pipeline::new(Arc::clone(&from), now);
        let mut effects = Vec::new();
        for at in 0..from.tags.len() {
            now += Duration(1);
            let value = from.tags[at].range.map_or(0.0, |(low, high)| (low + high) / 2.0);
            let tag = TagIndex(at as u32);
            let reading = Reading { tag, source_time: now, receive_time: now, value, quality: Quality::Good, sequence: None };
            pipeline.step(&Input::Rules(rules::Input::Reading(reading)), now, &mut effects);
        }
        commit(&mut pipeline, &mut store, now);
        let mut to = plant.clone();
        change(&mut to);
        let to = Arc::new(to);
        let began = Instant::now();
        lines = config::Difference::between(&from, &to).lines.len();
        compared.push(millis(began));
        let began = Instant::now();
        let decoder = Decoder::new(&to);
        let (mut reload, reshown) = (Reload::prepare(&from, Arc::clone(&to)), Reshown::of(to));
        let rows = pipeline::rows_of(&mut reload, 1);
        prepared.push(millis(began));
        parts = rows.len();
        let reader = store.reader().unwrap();
        let times = rows.into_iter().map(|(key, bytes)| {
            let mut batch = Batch { now, ..Batch::default() };
            batch.state.push((key, Some(bytes)));
            let began = Instant::now();
            store.commit(&batch).unwrap();
            let took = millis(began);
            // As the engine is asked: the next one once the database has this one.
            reader.state("config/versions").unwrap();
            took
        });
        longest.push(times.fold(0.0, f64::max));

        now += Duration::from_secs(1);
        let began = Instant::now();
        let moves = reload.moves().to_vec();
        let husk = pipeline.reload(reload, now, &mut effects).unwrap();
        let moved = Instant::now();
        commit(&mut pipeline, &mut store, now);
        committed.push(millis(moved));
        let before = view.reshow(reshown, &moves);
        held.push(millis(began));
        drop((husk, before, decoder));
    }
    let show = |times: Vec<f64>| format!("{:.1}", median(times));
    let row = [
        tags.to_string(),
        what.to_owned(),
        format!("{check:.0}"),
        show(compared),
        show(prepared),
        parts.to_string(),
        show(longest),
        show(held),
        show(committed),
        lines.to_string(),
    ];
    table.row(&row);
}

fn commit(pipeline: &mut Pipeline, store: &mut AheadStore, now: Timestamp) {
    let mut batch = Batch { now, ..Batch::default() };
    pipeline.drain_changed(&mut batch.state);
    if !batch.is_empty() {
        // Where the log of commits has no room for it, the database comes first, as in the engine.
        while let Err(error) = store.commit(&batch) {
            assert!(matches!(error, StoreError::Retry(_)), "{error}");
        }
    }
}
