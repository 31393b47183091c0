//! The recorded Tennessee Eastman files through a real broker give exactly the transitions the data contains.
//!
//! The expectation is made by a few lines over the raw file that share nothing with the engine.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

mod support;

use model::{Change, Condition};
use support::{Engine, Mosquitto, root, shared, summary, until, watchfire};

/// Columns (from 1) and published limits of ../shared/data/tep/README.md: low-low, low, high, high-high.
const LIMITS: [(usize, &str, [Option<f64>; 4]); 5] = [
    (7, "tep/XMEAS-7", [None, None, Some(2895.0), Some(3000.0)]),
    (8, "tep/XMEAS-8", [Some(-2.1), Some(50.0), Some(100.0), Some(114.4)]),
    (9, "tep/XMEAS-9", [None, None, Some(150.0), Some(175.0)]),
    (12, "tep/XMEAS-12", [Some(2.7), Some(30.0), Some(100.0), Some(136.6)]),
    (15, "tep/XMEAS-15", [Some(-27.4), Some(30.0), Some(100.0), Some(130.5)]),
];
const KINDS: [Condition; 4] = [Condition::LowLow, Condition::Low, Condition::High, Condition::HighHigh];
const INTERVAL_US: i64 = 180_000_000;
/// 2025-01-06 08:00 in China.
const START_US: i64 = 1_736_121_600_000_000;

type Summary = Vec<(String, Condition, Change, i64)>;

/// The file as a table.
fn table(text: &str) -> Vec<Vec<f64>> {
    text.lines().map(|line| line.split_whitespace().map(|cell| cell.parse().unwrap()).collect()).collect()
}

/// One limit over one column: on at or beyond it (for the whole delay), off when clear of it by more than the deadband.
fn expected(table: &[Vec<f64>], deadband: f64, delay_us: i64) -> Summary {
    let mut list = Summary::new();
    for (column, tag, limits) in LIMITS {
        let mut highest_on = [false; 4];
        let mut since = [None::<i64>; 4];
        for (row, values) in table.iter().enumerate() {
            let (value, at) = (values[column - 1], START_US + row as i64 * INTERVAL_US);
            // A value holds until the next row, so a delay ends between rows, at its own time.
            for kind in 0..4 {
                let delay = if matches!(KINDS[kind], Condition::Low | Condition::High) { delay_us } else { 0 };
                if let Some(from) = since[kind].filter(|from| !highest_on[kind] && from + delay <= at) {
                    highest_on[kind] = true;
                    list.push((tag.to_owned(), KINDS[kind], Change::Raised, from + delay));
                }
            }
            for kind in 0..4 {
                let Some(limit) = limits[kind] else { continue };
                let low = kind < 2;
                let beyond = if low { value <= limit } else { value >= limit };
                let clear = if low { value > limit + deadband } else { value < limit - deadband };
                let delay = if matches!(KINDS[kind], Condition::Low | Condition::High) { delay_us } else { 0 };
                if beyond && since[kind].is_none() {
                    since[kind] = Some(at);
                }
                if !highest_on[kind] && beyond && delay == 0 {
                    highest_on[kind] = true;
                    list.push((tag.to_owned(), KINDS[kind], Change::Raised, at));
                }
                if !highest_on[kind] && !beyond {
                    since[kind] = None;
                }
                if highest_on[kind] && clear {
                    highest_on[kind] = false;
                    since[kind] = None;
                    list.push((tag.to_owned(), KINDS[kind], Change::Returned, at));
                }
            }
            // Raising the outer limit raises the inner one with it, whatever its delay.
            for (outer, inner) in [(0, 1), (3, 2)] {
                if highest_on[outer] && !highest_on[inner] && limits[inner].is_some() {
                    highest_on[inner] = true;
                    list.push((tag.to_owned(), KINDS[inner], Change::Raised, at));
                }
            }
        }
    }
    list.sort_by(|a, b| (&a.0, a.1, a.3, a.2 == Change::Returned).cmp(&(&b.0, b.1, b.3, b.2 == Change::Returned)));
    list
}

/// Replays one file through a broker and compares.
fn replay(file: &str, config: &str, mosquitto: bool, deadband: f64, delay_us: i64) -> Option<Summary> {
    replay_over(file, config, mosquitto, &[], deadband, delay_us)
}

fn replay_over(file: &str, config: &str, mosquitto: bool, more: &[&str], deadband: f64, delay_us: i64) -> Option<Summary> {
    let path = shared(&format!("data/tep/{file}"))?;
    let table = table(&std::fs::read_to_string(&path).unwrap());
    let expected = expected(&table, deadband, delay_us);
    let data = tempfile::tempdir().unwrap();
    let broker = mosquitto.then(Mosquitto::start);
    let url = broker.as_ref().map(Mosquitto::url);
    let mut engine = Engine::start(&root().join(config), data.path(), url.as_deref(), more);
    let target = url.unwrap_or_else(|| format!("mqtt://127.0.0.1:{}", engine.mqtt));
    let map = root().join("config/tep/replay.toml").display().to_string();
    let published = watchfire(&["publish", &path.display().to_string(), "--map", &map, "--mqtt", &target, "--json"]);
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    let readings = (table.len() * LIMITS.len()) as f64;
    until("every reading to be evaluated", || (engine.metric("watchfire_readings_total")? >= readings).then_some(()));
    engine.stop();
    let seen = summary(&engine.transitions());
    assert_eq!(seen, expected, "{file} through {}", if mosquitto { "Mosquitto" } else { "the embedded broker" });
    Some(seen)
}

#[test]
fn normal_operation_and_a_cooling_water_step_raise_nothing() {
    for file in ["d00_te.dat", "d04_te.dat"] {
        if let Some(seen) = replay(file, "config/tep", true, 0.0, 0) {
            assert!(seen.is_empty(), "{file}: not one alarm");
        }
    }
}

#[test]
fn a_feed_loss_raises_high_and_then_high_high_at_exactly_3000() {
    let Some(seen) = replay("d06_te.dat", "config/tep", true, 0.0, 0) else { return };
    let pressure: Vec<_> =
        seen.iter().filter(|row| row.0 == "tep/XMEAS-7").map(|row| (row.1, row.2, (row.3 - START_US) / INTERVAL_US + 1)).collect();
    assert_eq!(pressure, [(Condition::High, Change::Raised, 259), (Condition::HighHigh, Change::Raised, 279)], "rows counted from 1");
}

#[test]
fn short_excursions_are_raised_and_returned_at_their_rows() {
    replay("d12_te.dat", "config/tep", true, 0.0, 0);
    replay("d13_te.dat", "config/tep", true, 0.0, 0);
}

#[test]
fn mqtt_5_gives_the_same() {
    replay_over("d13_te.dat", "config/tep", true, &["--mqtt-version", "5"], 0.0, 0);
}

#[test]
fn the_embedded_broker_gives_the_same() {
    replay("d06_te.dat", "config/tep", false, 0.0, 0);
    replay("d13_te.dat", "config/tep", false, 0.0, 0);
}

#[test]
fn a_deadband_and_a_delay_leave_fewer() {
    let Some(plain) = replay("d13_te.dat", "config/tep", false, 0.0, 0) else { return };
    let Some(damped) = replay("d13_te.dat", "config/tep-damped", false, 10.0, 540_000_000) else { return };
    assert!(damped.len() < plain.len(), "{} with, {} without", damped.len(), plain.len());
}
