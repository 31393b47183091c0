//! What a backtest costs from the compressed history, decoding included: readings per second and core.
//!
//! 64 tags that are sent together once a second, their limits judged by the rules of the plant and the whole chain behind them, once
//! (one configuration, nobody answers) and as `watchfire backtest` does (two configurations, each answered and unanswered: four
//! runs over readings that are decoded once). Times are regular, or within 20 ms; in every chunk one reading is uncertain, so that no
//! summary is enough and all of it is decoded, and one reading in some 200,000 begins an alarm. The quiet history has neither. The last
//! rows are beside it: nothing but decoding, and one high limit with a deadband by DuckDB and pandas over the same readings.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use journal::history::{HistoryFile, HistoryReader, HistoryReading};
use model::{Duration, Plant, Quality, Reading, TagId, TagIndex, Timestamp};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use support::{Random, Table, plant, quick_or};
use tuning::backtest::{Answers, MedianTimes, Run};
use tuning::passage::Passed;
use watchfire::commands::backtest::HistoryTape;

const START: i64 = 1_764_000_000_000_000;
const SECOND: i64 = 1_000_000;
const TAGS: usize = 64;
/// One reading in so many begins an alarm.
const ALARM_EVERY: usize = 200_000;
/// In every chunk lies at least one that is uncertain.
const UNCERTAIN_EVERY: i64 = 2_000;

#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    seconds: i64,
    jitter: i64,
    quiet: bool,
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let folder = plant::Plant { tags: TAGS, zones: 0 }.write(dir.path());
    let before = Arc::new(config::load(&folder).unwrap_or_else(|faults| panic!("{faults}")).plant);
    let mut after = Plant::clone(&before);
    for rule in after.tags.iter_mut().flat_map(|tag| &mut tag.conditions).filter(|rule| rule.condition.is_limit()) {
        rule.deadband += 1.0;
    }
    let plants = [before, Arc::new(after)];
    let seconds = quick_or(20_000, 200_000);
    let shapes = [
        Shape { name: "regular times", seconds, jitter: 0, quiet: false },
        Shape { name: "regular times, twice as long", seconds: seconds * 2, jitter: 0, quiet: false },
        Shape { name: "times within 20 ms", seconds, jitter: 20, quiet: false },
        Shape { name: "quiet", seconds: seconds * 2, jitter: 0, quiet: true },
    ];
    let mut table =
        Table::new(&["history", "readings", "what", "M/s and core", "of decoding", "one by one", "by values", "unread", "alarms"]);
    for shape in shapes {
        let readings = measure(shape, &plants, dir.path(), &mut table);
        if !shape.quiet && shape.seconds == seconds && shape.jitter == 0 {
            beside(&dir.path().join("plain"), readings, &mut table);
        }
    }
    table.print("A backtest from the compressed history");
}

fn write(shape: Shape, plant: &Arc<Plant>, dir: &Path, plain: Option<&Path>) -> (Vec<TagId>, usize) {
    let tags: Vec<TagIndex> = (0..plant.tags.len() as u32).map(TagIndex).filter(|tag| plant.tag(*tag).range.is_some()).collect();
    let mut file = HistoryFile::open(dir, plant.clone()).unwrap();
    let mut plain = plain.map(|path| std::io::BufWriter::new(std::fs::File::create(path).unwrap()));
    let mut random = Random(5);
    let mut level = vec![50_000_i64; tags.len()];
    let mut batch: Vec<HistoryReading> = Vec::new();
    for second in 0..shape.seconds {
        let source = Timestamp(START + second * SECOND + random.below(shape.jitter + 1) * 1_000);
        let receive = Timestamp(source.0 + 400 + if shape.jitter > 0 { random.below(500) } else { 0 });
        for (rank, tag) in tags.iter().enumerate() {
            level[rank] = (level[rank] + random.below(41) - 20).clamp(10_000, 140_000);
            let begun = second as usize * tags.len();
            let alarms = !shape.quiet && begun % ALARM_EVERY < tags.len() * 20 && rank == begun / ALARM_EVERY % tags.len();
            let uncertain = !shape.quiet && (second + rank as i64 * 31) % UNCERTAIN_EVERY == 0;
            let value = if alarms { 155.0 } else { level[rank] as f64 / 1_000.0 };
            let reading = Reading {
                tag: *tag,
                source_time: source,
                receive_time: receive,
                value,
                quality: if uncertain { Quality::Uncertain } else { Quality::Good },
                sequence: Some(second as u64),
            };
            batch.push(HistoryReading { reading, taken: receive + Duration(50), rank: rank as u32, under_test: false });
            if let Some(plain) = &mut plain {
                plain.write_all(&source.0.to_le_bytes()).unwrap();
                plain.write_all(&(rank as i64).to_le_bytes()).unwrap();
                plain.write_all(&value.to_le_bytes()).unwrap();
            }
        }
        if batch.len() >= 4_096 {
            file.append(&batch).unwrap();
            batch.clear();
        }
    }
    file.append(&batch).unwrap();
    file.finish().unwrap();
    (tags.iter().map(|tag| plant.tag(*tag).id.clone()).collect(), tags.len() * shape.seconds as usize)
}

fn measure(shape: Shape, plants: &[Arc<Plant>; 2], dir: &Path, table: &mut Table) -> usize {
    let data = tempfile::tempdir().unwrap();
    let (tags, readings) = write(
        shape,
        &plants[0],
        data.path(),
        Some(&dir.join("plain")).filter(|_| shape.jitter == 0 && !shape.quiet).map(|path| path.as_path()),
    );
    let (decoding, _) = best(|| decode(data.path(), &tags, readings));
    let mut row = |what: &str, (seconds, (passed, alarms)): (f64, (Passed, usize))| {
        let share = |count: u64| format!("{:.2} %", count as f64 * 100.0 / readings as f64);
        table.row(&[
            shape.name.to_owned(),
            readings.to_string(),
            what.to_owned(),
            format!("{:.1}", readings as f64 / seconds / 1e6),
            format!("{:.2}", decoding / seconds),
            share(passed.singly),
            share(passed.looked_at),
            share(passed.unread),
            alarms.to_string(),
        ]);
    };
    row("decoded, nothing else", (decoding, Default::default()));
    let times = || MedianTimes::of([]);
    row("one run", best(|| backtest(data.path(), &tags, &[(&plants[0], Answers::Never)])));
    let four = || {
        let both = |answers: fn() -> Answers| plants.iter().map(move |plant| (plant, answers())).collect::<Vec<_>>();
        let answered = plants.iter().map(|plant| (plant, Answers::After(times())));
        answered.chain(both(|| Answers::Never)).collect::<Vec<_>>()
    };
    row("a comparison: four runs", best(|| backtest(data.path(), &tags, &four())));
    readings
}

/// CPU seconds of the best of three, and what it gave.
fn best<R>(mut run: impl FnMut() -> R) -> (f64, R) {
    let mut runs: Vec<(f64, R)> = (0..3)
        .map(|_| {
            let began = cpu();
            let result = run();
            (cpu() - began, result)
        })
        .collect();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs.swap_remove(0)
}

/// Seconds for which this thread had a core.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn decode(data: &Path, tags: &[TagId], readings: usize) {
    let mut reader = HistoryReader::open(data).unwrap().unwrap();
    let mut tape = reader.tape(tags, Timestamp::MIN, Timestamp::MAX).unwrap();
    let (mut count, mut sum, mut piece) = (0, 0.0, 0);
    let mut left = true;
    while left {
        left = false;
        for tag in 0..tags.len() {
            if tape.summary(tag, piece).unwrap().is_some() {
                let (view, _) = tape.view(tag, piece).unwrap().unwrap();
                count += view.len();
                sum += view.value(0) + view.source[0] as f64;
                left = true;
                tape.forget(tag, piece + 1);
            }
        }
        piece += 1;
    }
    black_box(sum);
    assert_eq!(count, readings);
}

fn backtest(data: &Path, tags: &[TagId], runs: &[(&Arc<Plant>, Answers)]) -> (Passed, usize) {
    let mut reader = HistoryReader::open(data).unwrap().unwrap();
    let (from, last) = reader.span().unwrap().unwrap();
    let to = last + Duration(1);
    let mut tape = HistoryTape::new(reader.tape(tags, from, to).unwrap(), tags.len(), (from, to), false);
    let mut runs: Vec<Run> = runs.iter().map(|(plant, answers)| Run::new(Arc::clone(plant), tags, answers.clone(), from)).collect();
    let count = tape.count().unwrap();
    tape.pass(&mut runs, from, to, count, |passed| {
        black_box(passed);
    })
    .unwrap();
    let results: Vec<_> = runs.into_iter().map(|run| run.finish(to)).collect();
    (results[0].passed, results[0].episodes.len())
}

/// One high limit with a deadband over the same readings, by others.
fn beside(plain: &Path, readings: usize, table: &mut Table) {
    let python = std::env::var("WATCHFIRE_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let began = Instant::now();
    let output = Command::new(&python).arg("benches/support/peers.py").arg(plain).output();
    let Ok(output) = output else { return eprintln!("  {python} cannot be run: no figures of DuckDB and pandas") };
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut cells = line.split('\t');
        let (Some(what), Some(seconds), Some(alarms)) =
            (cells.next(), cells.next().and_then(|text| text.parse::<f64>().ok()), cells.next())
        else {
            continue;
        };
        let rate = format!("{:.1}", readings as f64 / seconds / 1e6);
        let none = String::new;
        table.row(&[
            "regular times".to_owned(),
            readings.to_string(),
            what.to_owned(),
            rate,
            none(),
            none(),
            none(),
            none(),
            alarms.to_owned(),
        ]);
    }
    eprintln!("  beside took {:.0} s", began.elapsed().as_secs_f64());
}
