//! What goes in comes out, whatever happens in between.

use super::store::HistoryStore;
use super::*;
use crate::StoreError;
use model::{Duration, Quality, TagIndex};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

const START: i64 = 1_764_000_000_000_000;
const SECOND: i64 = 1_000_000;

fn id(tag: usize) -> TagId {
    TagId::new("jinhe", format!("TI-{tag:03}"))
}

/// So many tags, ten to a gateway.
fn tags(count: usize) -> Arc<Vec<(TagId, String)>> {
    Arc::new((0..count).map(|tag| (id(tag), format!("jinhe/GW{:02}", tag / 10))).collect())
}

fn row(tag: usize, source: i64, value: f64) -> HistoryReading {
    let reading = Reading {
        tag: TagIndex(tag as u32),
        source_time: Timestamp(source),
        receive_time: Timestamp(source + 1_234),
        value,
        quality: Quality::Good,
        sequence: Some(source.unsigned_abs() / 1_000_000),
    };
    HistoryReading { reading, taken: Timestamp(source + 1_300), rank: tag as u32, under_test: false }
}

/// Every tag once a second for so many seconds from `from` on.
fn quiet(tags: usize, from: i64, seconds: i64) -> Vec<HistoryReading> {
    (from..from + seconds).flat_map(|at| (0..tags).map(move |tag| row(tag, START + at * SECOND, ((at * 7) % 100) as f64 / 10.0))).collect()
}

fn write(dir: &Path, count: usize, rows: &[HistoryReading]) {
    let mut file = HistoryFile::open(dir, tags(count)).unwrap();
    rows.chunks(5_000).for_each(|rows| file.append(rows).unwrap());
    file.finish().unwrap();
}

fn all_of(reader: &mut HistoryReader, tag: usize) -> Vec<HistoryReading> {
    let mut rows = Vec::new();
    reader
        .chunks::<StoreError>(&id(tag), Timestamp::MIN, Timestamp::MAX, |chunk| {
            let Ok(view) = chunk.read() else { return Ok(ControlFlow::Continue(())) };
            rows.extend((0..view.len()).map(|at| view.reading(at, TagIndex(tag as u32))));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

fn merged(reader: &mut HistoryReader, count: usize, from: i64, to: i64) -> Vec<HistoryReading> {
    let ids: Vec<TagId> = (0..count).map(id).collect();
    let mut rows = Vec::new();
    reader
        .merged::<StoreError>(&ids, Timestamp(from), Timestamp(to), |row| {
            rows.push(*row);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

/// NaN is not equal to itself; its bits are.
fn bits(rows: &[HistoryReading]) -> Vec<(HistoryReading, u64)> {
    rows.iter()
        .map(|row| {
            let mut without = *row;
            without.reading.value = 0.0;
            (without, row.reading.value.to_bits())
        })
        .collect()
}

fn reader(dir: &Path) -> HistoryReader {
    HistoryReader::open(dir).unwrap().unwrap()
}

#[test]
fn a_folder_without_a_history_has_none() {
    let dir = tempfile::tempdir().unwrap();
    assert!(HistoryReader::open(dir.path()).unwrap().is_none());
}

#[test]
fn late_repeated_reordered_bad_and_unreadable_readings_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = quiet(3, 0, 50);
    rows.push(row(0, START + 10 * SECOND, 4.0));
    rows.push(row(0, START + 10 * SECOND, 4.0));
    rows.push(row(0, START - 86_400 * SECOND, 5.0));
    rows.push(row(0, START + 86_400 * SECOND, 6.0));
    let mut bad = row(0, START + 60 * SECOND, f64::NAN);
    bad.reading.quality = Quality::Bad;
    rows.push(bad);
    let mut uncertain = row(0, START + 61 * SECOND, 7.0);
    (uncertain.reading.quality, uncertain.under_test, uncertain.reading.sequence) = (Quality::Uncertain, true, None);
    rows.push(uncertain);
    // The engine takes them in this order at times of its own.
    rows.iter_mut().enumerate().for_each(|(at, row)| row.taken = Timestamp(START + at as i64 * 100_000));
    write(dir.path(), 3, &rows);
    let mut reader = reader(dir.path());
    assert_eq!(bits(&merged(&mut reader, 3, i64::MIN, i64::MAX)), bits(&rows));
    let of_first: Vec<HistoryReading> = rows.iter().copied().filter(|row| row.reading.tag == TagIndex(0)).collect();
    assert_eq!(bits(&all_of(&mut reader, 0)), bits(&of_first));
    assert_eq!(reader.tags().unwrap(), (0..3).map(id).collect::<Vec<_>>());
    assert!(reader.damaged().is_empty());
}

#[test]
fn chunks_grow_long_and_times_that_tags_share_are_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let rows = quiet(20, 0, 20_000);
    write(dir.path(), 20, &rows);
    let mut reader = reader(dir.path());
    let (mut chunks, mut readings) = (0, 0);
    reader
        .scan::<StoreError>(Timestamp::MIN, Timestamp::MAX, |chunk| {
            chunks += 1;
            readings += chunk.read().unwrap().len();
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(readings, rows.len());
    assert!(chunks <= 20 * 8, "{chunks} chunks of 20,000 readings each tag");
    let count = |sql: &str| -> i64 { reader_count(dir.path(), sql) };
    assert_eq!(count("SELECT count(*) FROM tail"), 0);
    let segments = count("SELECT count(*) FROM segments");
    assert_eq!(count("SELECT count(*) FROM pieces"), 20 * segments / 2 + 2 * segments, "values per tag, times and arrivals per gateway");
    assert_eq!(merged(&mut reader, 20, START + 77 * SECOND, START + 79 * SECOND).len(), 40);
}

fn reader_count(dir: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(dir.join(HISTORY_FILE)).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn the_tail_is_read_like_the_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let rows = quiet(12, 0, 300);
    let (mut store, _) = HistoryStore::open(dir.path()).unwrap();
    store.set_tags(tags(12)).unwrap();
    rows.chunks(500).for_each(|rows| store.append(rows).unwrap());
    let mut reader = reader(dir.path());
    assert_eq!(merged(&mut reader, 12, i64::MIN, i64::MAX), rows);
    assert_eq!(reader.span().unwrap(), Some((rows[0].taken, rows[rows.len() - 1].taken)));
    let trend = reader.trend(&id(3), Timestamp(START), Timestamp(START + 300 * SECOND), 300).unwrap();
    assert_eq!((trend.points.len(), trend.points[5].max), (300, Some(3.5)));
}

#[test]
fn a_reload_that_moves_every_index_mixes_no_tags() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = HistoryStore::open(dir.path()).unwrap();
    store.set_tags(tags(3)).unwrap();
    store.append(&quiet(3, 0, 10)).unwrap();
    // A tag comes first now, and the others move by one.
    let moved: Vec<_> = [99, 0, 1, 2].iter().map(|tag| (id(*tag), "jinhe/GW00".to_owned())).collect();
    store.set_tags(Arc::new(moved)).unwrap();
    store.append(&[row(0, START + 20 * SECOND, 1.0), row(1, START + 20 * SECOND, 2.0), row(7, START + 21 * SECOND, 3.0)]).unwrap();
    let mut reader = reader(dir.path());
    assert_eq!(all_of(&mut reader, 99).len(), 1);
    assert_eq!(all_of(&mut reader, 0).last().map(|row| row.reading.value), Some(2.0));
    assert_eq!(all_of(&mut reader, 1).len(), 10, "an index beyond the tags is nobody's");
}

#[test]
fn what_is_old_goes_a_segment_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let rows = quiet(10, 0, 20_000);
    write(dir.path(), 10, &rows);
    let (mut store, _) = HistoryStore::open(dir.path()).unwrap();
    store.note_gap(&Gap { from: Timestamp(START), to: Timestamp(START + 1), lost: Some(5), why: GapReason::Overflow }).unwrap();
    let cut = Timestamp(START + 19_500 * SECOND);
    while store.forget(cut).unwrap() {}
    let mut reader = reader(dir.path());
    let left = all_of(&mut reader, 4);
    let kept = |row: &&HistoryReading| row.taken >= cut && row.reading.tag == TagIndex(4);
    assert!(left.len() < 20_000 && left.iter().filter(kept).count() == rows.iter().filter(kept).count(), "{}", left.len());
    assert_eq!(reader.gaps(Timestamp::MIN, Timestamp::MAX).unwrap(), []);
    for table in ["chunks", "pieces"] {
        let orphans = format!("SELECT count(*) FROM {table} WHERE segment NOT IN (SELECT id FROM segments)");
        assert_eq!(reader_count(dir.path(), &orphans), 0, "{table}");
    }
    while store.forget(Timestamp::MAX).unwrap() {}
    assert_eq!(reader.span().unwrap(), None);
}

#[test]
fn a_damaged_piece_is_reported_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 10, &quiet(10, 0, 9_000));
    let file = rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    let chunks = reader_count(dir.path(), "SELECT count(*) FROM chunks WHERE tag = 1");
    assert!(chunks > 1);
    let damage = "UPDATE pieces SET bytes = CAST(substr(bytes, 1, 20) || x'ff' || substr(bytes, 22) AS BLOB)
                  WHERE id = (SELECT own FROM chunks WHERE tag = 1 ORDER BY segment LIMIT 1)";
    assert_eq!(file.execute(damage, []).unwrap(), 1);
    let mut reader = reader(dir.path());
    let (mut read, mut refused) = (0, 0);
    reader
        .chunks::<StoreError>(&id(0), Timestamp::MIN, Timestamp::MAX, |chunk| {
            match chunk.read() {
                Ok(view) => read += view.len(),
                Err(Unreadable::Damage(_)) => refused += chunk.summary.all.count as usize,
                Err(Unreadable::Store(error)) => panic!("{error}"),
            }
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    assert!(refused > 0 && read > 0 && read + refused == 9_000, "{read} read, {refused} refused");
    assert_eq!(all_of(&mut reader, 1).len(), 9_000, "another tag's are untouched");
    let rows = merged(&mut reader, 10, i64::MIN, i64::MAX).len();
    assert_eq!((rows, reader.damaged().len()), (90_000 - refused, 1));
    let trend = reader.trend(&id(0), Timestamp(START), Timestamp(START + 9_000 * SECOND), 2_000).unwrap();
    assert_eq!(trend.damaged, 1);
    // A summary can be made again from its readings.
    file.execute("UPDATE chunks SET summary = x'00' WHERE tag = 2", []).unwrap();
    assert_eq!(all_of(&mut reader, 1).len(), 9_000);
    // Times are everybody's: whose chunk is lost with them is said for each.
    file.execute("UPDATE pieces SET crc = crc + 1 WHERE id = (SELECT times FROM chunks WHERE tag = 1 ORDER BY segment LIMIT 1)", [])
        .unwrap();
    let mut anew = HistoryReader::open(dir.path()).unwrap().unwrap();
    assert!(all_of(&mut anew, 5).len() < 9_000);
}

#[test]
fn a_damaged_chunk_is_not_carried_on_and_leaves_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = HistoryFile::open(dir.path(), tags(10)).unwrap();
    file.append(&quiet(10, 0, 3_300)).unwrap();
    let other = rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap();
    assert!(other.execute("UPDATE pieces SET crc = crc + 1 WHERE id = (SELECT own FROM chunks WHERE tag = 1 LIMIT 1)", []).unwrap() == 1);
    for step in 1..6 {
        file.append(&quiet(10, step * 3_300, 3_300)).unwrap();
    }
    file.finish().unwrap();
    let mut reader = reader(dir.path());
    let gaps = reader.gaps(Timestamp::MIN, Timestamp::MAX).unwrap();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].why, GapReason::Damage);
    let lost = gaps[0].lost.unwrap() as usize;
    assert_eq!(all_of(&mut reader, 0).len(), 6 * 3_300 - lost);
    assert_eq!(all_of(&mut reader, 1).len(), 6 * 3_300);
}

#[test]
fn a_trend_says_what_its_readings_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = quiet(1, 0, 40_000);
    let mut bad = row(0, START + 20_000 * SECOND + 1, 1e9);
    bad.reading.quality = Quality::Bad;
    rows.insert(20_001, bad);
    write(dir.path(), 1, &rows);
    let mut reader = reader(dir.path());
    for (from, to, points) in [(0, 40_000, 10), (0, 40_000, 1_000), (100, 250, 500), (19_990, 20_010, 7), (-500, 90_000, 50)] {
        let (from, to) = (Timestamp(START + from * SECOND), Timestamp(START + to * SECOND));
        let trend = reader.trend(&id(0), from, to, points).unwrap();
        assert!(trend.points.len() <= points && !trend.points.is_empty());
        let inside = |row: &&HistoryReading| row.reading.source_time >= from && row.reading.source_time < to;
        let total: u32 = trend.points.iter().map(|point| point.count).sum();
        assert_eq!(total as usize, rows.iter().filter(inside).count(), "{from:?}");
        for pair in trend.points.windows(2) {
            assert!(pair[0].to < pair[1].from, "points do not overlap where readings are in order");
        }
        for point in &trend.points {
            let covered = rows.iter().filter(|row| row.reading.source_time >= point.from && row.reading.source_time <= point.to);
            let usable: Vec<f64> =
                covered.clone().filter(|row| row.reading.quality == Quality::Good).map(|row| row.reading.value).collect();
            assert_eq!((point.count, point.bad), (covered.count() as u32, point.count - usable.len() as u32));
            assert_eq!(point.min, usable.iter().copied().reduce(f64::min));
            assert_eq!(point.max, usable.iter().copied().reduce(f64::max));
            assert_eq!(point.last, usable.last().copied());
        }
    }
    let trend = reader.trend(&id(0), Timestamp(START), Timestamp(START + 40_000 * SECOND), 30).unwrap();
    assert_eq!(trend.decoded, 0, "summaries are fine enough");
}

/// Appends for ever, one second of ten tags at a time, and says each second once it is written.
fn append_for_ever(dir: &Path) -> ! {
    let (mut store, _) = HistoryStore::open(dir).unwrap();
    store.set_tags(tags(10)).unwrap();
    let after = store.last_taken().map_or(0, |last| (last.0 - START) / SECOND + 1);
    for second in after.. {
        store.append(&quiet(10, second, 1)).unwrap();
        println!("written {second}");
        store.work().unwrap();
    }
    unreachable!("there is always a next second")
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_written_and_doubles_nothing() {
    const CHILD: &str = "WATCHFIRE_HISTORY_CHILD";
    if let Some(dir) = std::env::var_os(CHILD) {
        append_for_ever(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    for round in 0..6_i64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "history::tests::a_kill_at_any_moment_loses_nothing_that_was_written_and_doubles_nothing", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut written, mut heard) = (0, 0);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let Some(second) = line.unwrap().strip_prefix("written ").and_then(|second| second.parse::<i64>().ok()) else { continue };
            (written, heard) = (second, heard + 1);
            // Rows of the tail become chunks at every 1,024th: both kinds of moment are met.
            if heard == 400 + round * 211 {
                child.kill().unwrap();
            }
        }
        assert!(!child.wait().unwrap().success());
        let mut reader = reader(dir.path());
        let rows = merged(&mut reader, 10, i64::MIN, i64::MAX);
        let seconds = rows.len() as i64 / 10;
        assert!((written + 1..=written + 2).contains(&seconds), "{written} written, {seconds} found");
        assert_eq!(rows, quiet(10, 0, seconds));
        assert!(reader.damaged().is_empty());
    }
    let (_, broken_off) = HistoryStore::open(dir.path()).unwrap();
    assert!(broken_off.is_some());
}

#[test]
fn a_power_cut_at_any_byte_of_the_log_leaves_a_beginning_of_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = HistoryStore::open(dir.path()).unwrap();
    store.set_tags(tags(10)).unwrap();
    // The tables are in the file itself, what follows is in the log only.
    store.tidy(true).unwrap();
    for second in 0..1_100 {
        store.append(&quiet(10, second, 1)).unwrap();
        store.work().unwrap();
    }
    assert!(reader_count_live(&store) > 0, "chunks were made meanwhile");
    let file = std::fs::read(dir.path().join(HISTORY_FILE)).unwrap();
    let log = std::fs::read(dir.path().join(format!("{HISTORY_FILE}-wal"))).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..=log.len()).step_by(log.len() / 37 + 1).chain([log.len()]) {
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join(HISTORY_FILE), &file).unwrap();
        std::fs::write(copy.path().join(format!("{HISTORY_FILE}-wal")), &log[..cut]).unwrap();
        let (_store, _) = HistoryStore::open(copy.path()).unwrap();
        let rows = merged(&mut reader(copy.path()), 10, i64::MIN, i64::MAX);
        assert_eq!(rows, quiet(10, 0, rows.len() as i64 / 10), "cut at {cut}");
        seen.insert(rows.len());
    }
    assert!(seen.len() > 20 && seen.last() == Some(&11_000), "{seen:?}");
}

fn reader_count_live(store: &HistoryStore) -> i64 {
    store.count("SELECT count(*) FROM chunks")
}

#[test]
fn the_writer_is_never_far_behind_and_an_unclean_end_leaves_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let now = Timestamp(START + 5_000 * SECOND);
    let keep = Retention(Duration::from_mins(60 * 24 * 90));
    let mut rows = quiet(10, 0, 100);
    rows.iter_mut()
        .filter(|row| row.reading.tag == TagIndex(4))
        .for_each(|row| row.under_test = row.taken > Timestamp(START + 50 * SECOND));
    {
        let (_writer, mut queue) = HistoryWriter::start(dir.path(), tags(10), keep, now).unwrap();
        for row in &rows {
            queue.set_under_test(row.under_test.then_some(row.reading.tag));
            queue.push(&row.reading, row.taken);
        }
        queue.hand_over();
        assert_eq!(queue.news(), News::default());
    }
    let mut found = reader(dir.path());
    assert_eq!(merged(&mut found, 10, i64::MIN, i64::MAX), rows, "ranks are given as the engine takes them");
    assert_eq!(found.gaps(Timestamp::MIN, Timestamp::MAX).unwrap(), [], "a stop in good order is no gap");
    // As a crash leaves it.
    rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap().execute("UPDATE meta SET clean_stop = 0", []).unwrap();
    drop(HistoryWriter::start(dir.path(), tags(10), keep, now).unwrap());
    let last = rows[rows.len() - 1].taken;
    let gap = Gap { from: last, to: now, lost: None, why: GapReason::Crash };
    assert_eq!(found.gaps(Timestamp::MIN, Timestamp::MAX).unwrap(), [gap]);
}

#[test]
fn a_crash_after_a_silent_hour_makes_a_gap_from_when_the_writer_was_last_alive() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention(Duration::MAX);
    let at = |minutes| Timestamp(START) + Duration::from_mins(minutes);
    {
        let (_writer, mut queue) = HistoryWriter::start(dir.path(), tags(1), keep, at(0)).unwrap();
        queue.push(&row(0, START, 1.0).reading, at(0));
        queue.hand_over();
        queue.note_alive(at(60));
    }
    rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap().execute("UPDATE meta SET clean_stop = 0", []).unwrap();
    drop(HistoryWriter::start(dir.path(), tags(1), keep, at(61)).unwrap());
    let gap = Gap { from: at(60), to: at(61), lost: None, why: GapReason::Crash };
    assert_eq!(reader(dir.path()).gaps(Timestamp::MIN, Timestamp::MAX).unwrap(), [gap]);
}

#[test]
fn an_engine_with_readings_in_hand_says_nothing_of_being_alive() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Retention(Duration::MAX);
    let at = |minutes| Timestamp(START) + Duration::from_mins(minutes);
    {
        let (_writer, mut queue) = HistoryWriter::start(dir.path(), tags(1), keep, at(0)).unwrap();
        queue.push(&row(0, START, 1.0).reading, at(0));
        queue.hand_over();
        queue.note_alive(at(2));
        // Taken and lost with the crash, before and after other tags came: nothing may say that all up to then is there.
        queue.push(&row(0, START + SECOND, 2.0).reading, at(3));
        queue.note_alive(at(4));
        queue.set_tags(tags(1));
        queue.note_alive(at(5));
    }
    rusqlite::Connection::open(dir.path().join(HISTORY_FILE)).unwrap().execute("UPDATE meta SET clean_stop = 0", []).unwrap();
    drop(HistoryWriter::start(dir.path(), tags(1), keep, at(61)).unwrap());
    let gap = Gap { from: at(2), to: at(61), lost: None, why: GapReason::Crash };
    assert_eq!(reader(dir.path()).gaps(Timestamp::MIN, Timestamp::MAX).unwrap(), [gap]);
}

#[test]
fn readings_of_one_batch_before_and_after_a_reload_go_to_their_own_tags() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, mut queue) = HistoryWriter::start(dir.path(), tags(3), Retention(Duration::MAX), Timestamp(START)).unwrap();
    queue.push(&row(1, START, 1.0).reading, Timestamp(START));
    queue.set_under_test([TagIndex(1)]);
    queue.push(&row(1, START, 2.0).reading, Timestamp(START + 1));
    queue.set_tags(Arc::new(vec![(id(99), String::new()), (id(0), String::new()), (id(1), String::new())]));
    queue.push(&row(1, START, 3.0).reading, Timestamp(START + 2));
    queue.hand_over();
    drop(writer);
    let mut reader = reader(dir.path());
    let mut of = |tag| all_of(&mut reader, tag).iter().map(|row| (row.reading.value, row.under_test)).collect::<Vec<_>>();
    assert_eq!(of(1), [(1.0, false), (2.0, true)]);
    assert_eq!(of(0), [(3.0, false)], "which are under test is said anew");
}

#[test]
fn readings_beyond_the_bound_are_counted_and_recorded_and_block_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let blocked = dir.path().join("no-such-folder");
    let (writer, mut queue) = HistoryWriter::start(&blocked, tags(1), Retention(Duration::MAX), Timestamp(START)).unwrap();
    let mut pushed = 0_u64;
    let mut news = queue.news();
    while news.lost == 0 {
        for _ in 0..100_000 {
            pushed += 1;
            let row = row(0, START + pushed as i64, 1.0);
            queue.push(&row.reading, row.taken);
        }
        queue.hand_over();
        news = queue.news();
        assert!(pushed < 1_000_000);
    }
    assert!(news.losing && news.lost == 100_000, "{news:?}");
    while queue.news().failing.is_none() {
        std::thread::yield_now();
    }
    // The folder is there again, and what waited is written with the gap behind it.
    std::fs::create_dir(&blocked).unwrap();
    drop(writer);
    let mut reader = reader(&blocked);
    let gaps = reader.gaps(Timestamp::MIN, Timestamp::MAX).unwrap();
    assert_eq!(gaps.iter().map(|gap| (gap.lost, gap.why)).collect::<Vec<_>>(), [(Some(100_000), GapReason::Overflow)]);
    assert_eq!(all_of(&mut reader, 0).len() as u64, pushed - 100_000);
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, i64, f64)>),
    Work(u8),
    Settle,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    let reading = (0_usize..6, -100_i64..100, prop_oneof![Just(f64::NAN), (0_i32..500).prop_map(|whole| f64::from(whole) / 10.0)]);
    prop_oneof![
        6 => prop::collection::vec(reading, 0..60).prop_map(Step::Append),
        2 => (1_u8..9).prop_map(Step::Work),
        2 => Just(Step::Settle),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_written_in_whatever_steps_comes_back(steps in prop::collection::vec(any_step(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let mut store = HistoryStore::open(dir.path()).unwrap().0;
            store.set_tags(tags(6)).unwrap();
            store
        };
        let mut store = open();
        let mut wanted: BTreeMap<u32, Vec<HistoryReading>> = BTreeMap::new();
        let mut taken = START;
        for step in steps {
            match step {
                Step::Append(readings) => {
                    let rows: Vec<HistoryReading> = readings.into_iter().map(|(tag, ago, value)| {
                        taken += 1;
                        HistoryReading { taken: Timestamp(taken), ..row(tag, taken - ago * SECOND, value) }
                    }).collect();
                    store.append(&rows).unwrap();
                    rows.iter().for_each(|row| wanted.entry(row.reading.tag.0).or_default().push(*row));
                }
                Step::Work(times) => (0..times).for_each(|_| _ = store.work().unwrap()),
                Step::Settle => store.settle().unwrap(),
                Step::Reopen => {
                    drop(store);
                    store = open();
                }
            }
        }
        let mut reader = reader(dir.path());
        for (tag, rows) in &wanted {
            prop_assert_eq!(bits(&all_of(&mut reader, *tag as usize)), bits(rows));
        }
        let mut all: Vec<HistoryReading> = wanted.into_values().flatten().collect();
        all.sort_by_key(|row| row.taken);
        prop_assert_eq!(bits(&merged(&mut reader, 6, i64::MIN, i64::MAX)), bits(&all));
    }
}
