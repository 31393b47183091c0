//! What the history of readings costs: bytes, writing, reading, and reading what summaries cannot rule out.
//!
//! The simulated county is the sample configuration with its gateways' intervals, resolutions and noise, a millisecond of jitter in
//! when they send and a millisecond on the way. The other rows are 64 tags that are sent together once a second, so that what
//! regular and jittered times cost is seen apart. Beside each: the same readings as plain columns of eight bytes on the same disk.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use journal::StoreError;
use journal::history::{HistoryFile, HistoryReader, HistoryReading, Tags};
use model::{Plant, Quality, Reading, TagId, TagIndex, Timestamp};
use std::hint::black_box;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use support::{Random, Table, quick_or};

const START: i64 = 1_764_000_000_000_000;
const SECOND: i64 = 1_000_000;
/// Readings handed over at a time: half a second of a busy plant.
const BATCH: usize = 4_096;

fn main() {
    let mut table = Table::new(&[
        "what",
        "readings",
        "bytes each",
        "with free pages",
        "plain bytes",
        "written /s",
        "decoded /s",
        "decoded with arrivals apart /s",
        "plain read /s",
        "skipping by summary /s",
    ]);
    let loaded = config::load(Path::new("config")).unwrap_or_else(|faults| panic!("{faults}"));
    let plant = Arc::new(loaded.plant);
    let hours = quick_or(2, 24);
    measure(&format!("the simulated county, {hours} h"), plant.clone(), county(plant.clone(), hours), &mut table);
    let seconds = quick_or(20_000, 200_000);
    for (name, jitter) in [("64 tags, regular times", 0), ("64 tags, times within 20 ms", 20)] {
        measure(name, together(), sixty_four(seconds, jitter), &mut table);
    }
    table.print("The history of readings");
}

/// Every gateway of the county sends all its tags every interval, in one message or, a small one, in one each.
fn county(plant: Arc<Plant>, hours: i64) -> impl Iterator<Item = Vec<HistoryReading>> {
    let mut county = simulator::County::new(plant.clone(), 7);
    let mut random = Random(11);
    let mut due: Vec<i64> = (0..plant.gateways.len()).map(|at| START + plant.gateways[at].interval.0 * at as i64 / 64).collect();
    let mut sequence = vec![0; plant.gateways.len()];
    let mut taken = START;
    let end = START + hours * 3_600 * SECOND;
    std::iter::from_fn(move || {
        let (gateway, now) = due.iter().copied().enumerate().min_by_key(|(_, due)| *due)?;
        if now >= end {
            return None;
        }
        let of = &plant.gateways[gateway];
        // A timer fires up to a millisecond late, and the next round counts from then, as in the simulator.
        let sent = now + random.below(1_300);
        due[gateway] = now + of.interval.0;
        sequence[gateway] += 1;
        let source = Timestamp::from_millis(sent / 1_000);
        let single = of.members.len() <= 6;
        let (mut receive, mut rank) = (0, 0);
        let mut rows = Vec::with_capacity(of.members.len());
        for (at, tag) in of.members.iter().enumerate() {
            if at == 0 || single {
                receive = sent + 300 + random.below(900) + at as i64 * 20;
                let before = taken;
                taken = (receive + 20 + random.below(150)).max(taken);
                rank = if taken == before { rank + 1 } else { 0 };
            } else {
                rank += 1;
            }
            let (value, good) = county.read(*tag, source);
            rows.push(HistoryReading {
                reading: Reading {
                    tag: *tag,
                    source_time: source,
                    receive_time: Timestamp(receive),
                    value,
                    quality: if good { Quality::Good } else { Quality::Bad },
                    sequence: Some(sequence[gateway]),
                },
                taken: Timestamp(taken),
                rank,
                under_test: false,
            });
        }
        county.tick(source);
        Some(rows)
    })
}

fn together() -> Arc<dyn Tags> {
    Arc::new((0..64).map(|tag| (TagId::new("bench", format!("TI-{tag:03}")), "bench/GW01".to_owned())).collect::<Vec<_>>())
}

fn sixty_four(seconds: i64, jitter: i64) -> impl Iterator<Item = Vec<HistoryReading>> {
    let mut random = Random(5);
    let mut level = vec![50_000; 64];
    (0..seconds).map(move |second| {
        let source = Timestamp(START + second * SECOND + random.below(jitter + 1) * 1_000);
        let receive = Timestamp(source.0 + 400 + random.below(500));
        let row = |tag: usize| {
            level[tag] += random.below(41) - 20;
            HistoryReading {
                reading: Reading {
                    tag: TagIndex(tag as u32),
                    source_time: source,
                    receive_time: receive,
                    value: level[tag] as f64 / 1_000.0,
                    quality: Quality::Good,
                    sequence: Some(second as u64),
                },
                taken: Timestamp(receive.0 + 50),
                rank: tag as u32,
                under_test: false,
            }
        };
        (0..64).map(row).collect()
    })
}

fn measure(name: &str, tags: Arc<dyn Tags>, messages: impl Iterator<Item = Vec<HistoryReading>>, table: &mut Table) {
    let dir = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(dir.path(), tags).unwrap();
    let mut plain = std::io::BufWriter::new(std::fs::File::create(dir.path().join("plain")).unwrap());
    let (mut readings, mut writing) = (0_usize, 0.0);
    let mut batch: Vec<HistoryReading> = Vec::new();
    let mut write = |batch: &mut Vec<HistoryReading>| {
        let began = Instant::now();
        file.append(batch).unwrap();
        writing += began.elapsed().as_secs_f64();
        for row in batch.iter() {
            plain.write_all(&row.reading.source_time.0.to_le_bytes()).unwrap();
            plain.write_all(&row.reading.value.to_le_bytes()).unwrap();
        }
        readings += batch.len();
        batch.clear();
    };
    for message in messages {
        batch.extend(message);
        if batch.len() >= BATCH {
            write(&mut batch);
        }
    }
    write(&mut batch);
    let began = Instant::now();
    file.finish().unwrap();
    writing += began.elapsed().as_secs_f64();
    drop(plain);
    let (used, whole) = size(dir.path());
    let each = |bytes: u64| format!("{:.2}", bytes as f64 / readings as f64);
    let rate = |seconds: f64| format!("{:.1} M", readings as f64 / seconds / 1e6);
    table.row(&[
        name.to_owned(),
        readings.to_string(),
        each(used),
        each(whole),
        "16.00".to_owned(),
        rate(writing),
        rate(best(|| scan(dir.path(), readings))),
        rate(best(|| by_tag(dir.path(), readings))),
        rate(best(|| plain_scan(dir.path(), readings))),
        rate(best(|| skip(dir.path(), readings))),
    ]);
}

/// Bytes in use, and bytes of the file.
fn size(dir: &Path) -> (u64, u64) {
    let file = rusqlite::Connection::open(dir.join(journal::history::HISTORY_FILE)).unwrap();
    let of = |name: &str| file.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap().unsigned_abs();
    let page = of("page_size");
    ((of("page_count") - of("freelist_count")) * page, of("page_count") * page)
}

/// Seconds of the best of three.
fn best(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..3)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[0]
}

/// All columns of all readings, tags that are sent together one after the other.
fn scan(dir: &Path, readings: usize) {
    let mut reader = HistoryReader::open(dir).unwrap().unwrap();
    let (mut count, mut sum) = (0, 0.0);
    reader
        .scan::<StoreError>(Timestamp::MIN, Timestamp::MAX, |chunk| {
            let view = chunk.read().unwrap();
            count += view.len();
            sum += view.value(0) + view.source[0] as f64;
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    black_box(sum);
    assert_eq!(count, readings);
}

/// All columns of all readings, a tag at a time: nothing is shared.
fn by_tag(dir: &Path, readings: usize) {
    let mut reader = HistoryReader::open(dir).unwrap().unwrap();
    let (mut count, mut sum) = (0, 0.0);
    for tag in reader.tags().unwrap() {
        reader
            .chunks::<StoreError>(&tag, Timestamp::MIN, Timestamp::MAX, |chunk| {
                let view = chunk.read().unwrap();
                count += view.len();
                sum += view.value(0) + view.source[0] as f64;
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
    }
    black_box(sum);
    assert_eq!(count, readings);
}

/// Times and values of eight bytes each.
fn plain_scan(dir: &Path, readings: usize) {
    let bytes = std::fs::read(dir.join("plain")).unwrap();
    let (mut count, mut sum) = (0, 0.0);
    for reading in bytes.chunks_exact(16) {
        count += 1;
        sum += f64::from_le_bytes(reading[8..].try_into().unwrap()) + reading[0] as f64;
    }
    black_box(sum);
    assert_eq!(count, readings);
}

/// A chunk is decoded only where a high limit, which one reading in some thousand chunks crosses, could have been met.
fn skip(dir: &Path, readings: usize) {
    let mut reader = HistoryReader::open(dir).unwrap().unwrap();
    let (mut count, mut crossed) = (0, 0);
    for tag in reader.tags().unwrap() {
        let mut limit = f64::NAN;
        reader
            .chunks::<StoreError>(&tag, Timestamp::MIN, Timestamp::MAX, |chunk| {
                count += chunk.summary.all.count as usize;
                // Well above what the first chunk shows, and met only by a tag that leaves its range.
                if limit.is_nan() {
                    limit = chunk.summary.highest + (chunk.summary.highest - chunk.summary.lowest) * 4.0;
                }
                if chunk.summary.highest >= limit {
                    let view = chunk.read().unwrap();
                    crossed += (0..view.len()).filter(|at| view.value(*at) >= limit).count();
                }
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
    }
    black_box(crossed);
    assert_eq!(count, readings);
}
