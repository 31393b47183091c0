//! A backtest of recorded Tennessee Eastman files gives what a few lines over the raw file say, which share nothing with the engine.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use config::{Lang, Replay};
use model::{Condition, Duration, Plant, Quality, Reading, TagId, TagIndex, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use watchfire_tuning::backtest::{Answers, Comparison, Difference, MedianTimes, Run, Taken, compare};
use watchfire_tuning::kpi::Episode;
use watchfire_tuning::report::{self, Subject, Trace};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A recorded file. Missing data is a failure where CI runs and said loudly elsewhere.
fn file(name: &str) -> Option<Vec<Vec<f64>>> {
    let path = root().join("../shared/data/tep").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("MISSING TEST DATA: {} is not there; this test checks nothing", path.display());
        assert!(std::env::var_os("CI").is_none(), "test data {} must be there in CI", path.display());
        return None;
    };
    Some(text.lines().map(|line| line.split_whitespace().map(|cell| cell.parse().unwrap()).collect()).collect())
}

fn plant(folder: &str) -> Arc<Plant> {
    let loaded = config::load(&root().join(folder)).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false)));
    Arc::new(loaded.plant)
}

fn backtest(table: &[Vec<f64>], before: &Arc<Plant>, after: &Arc<Plant>) -> Comparison {
    let replay: Replay = config::load_replay(&root().join("config/tep/replay.toml")).unwrap();
    let tags: Vec<TagId> = replay.columns.iter().map(|column| TagId::new("tep", &column.tag)).collect();
    let end = replay.start + replay.interval.times(table.len() as i64);
    let run = |plant: &Arc<Plant>, answers: Answers| {
        let mut run = Run::new(plant.clone(), &tags, answers, replay.start);
        for (row, values) in table.iter().enumerate() {
            let at = replay.start + replay.interval.times(row as i64);
            for (place, column) in replay.columns.iter().enumerate() {
                let config::ColumnRef::Number(number) = column.column else { panic!("by number") };
                let reading = Reading {
                    tag: TagIndex(place as u32),
                    source_time: at,
                    receive_time: at,
                    value: values[number - 1],
                    quality: Quality::Good,
                    sequence: None,
                };
                run.reading(&Taken { reading, at, under_test: false });
            }
        }
        run.finish(end)
    };
    let answered = || Answers::After(MedianTimes::default());
    compare(
        (run(before, answered()), run(after, answered())),
        (run(before, Answers::Never), run(after, Answers::Never)),
        &["tep".into()],
        (replay.start, end),
    )
}

/// Raised and returned, in seconds of the file.
type Spans = Vec<(i64, Option<i64>)>;

/// High alarms of the reactor pressure, straight from the column: raised at or above the limit for the whole delay, returned below
/// limit − deadband. Row numbers in seconds of the file.
fn by_hand(table: &[Vec<f64>], limit: f64, deadband: f64, delay: i64) -> Spans {
    let (mut found, mut since, mut raised) = (Spans::new(), None, false);
    for (row, values) in table.iter().enumerate() {
        let (at, value) = (row as i64 * 180, values[6]);
        if let Some(from) = since.filter(|from| !raised && from + delay <= at) {
            raised = true;
            found.push((from + delay, None));
        }
        if raised && value < limit - deadband {
            raised = false;
            since = None;
            if let Some(last) = found.last_mut() {
                last.1 = Some(at);
            }
        } else if !raised {
            since = if value >= limit { since.or(Some(at)) } else { None };
            if since == Some(at) && delay == 0 {
                raised = true;
                found.push((at, None));
            }
        }
    }
    found
}

fn pressure(episodes: &[Episode], condition: Condition, start: Timestamp) -> Spans {
    let of = |episode: &&Episode| &*episode.alarm.tag.tag == "XMEAS-7" && episode.alarm.condition == condition;
    let seconds = |at: Timestamp| at.since(start).as_secs();
    episodes.iter().filter(of).map(|episode| (seconds(episode.raised), episode.returned.map(seconds))).collect()
}

#[test]
fn pressure_alarms_before_and_after_are_those_of_the_column() {
    let (before, after) = (plant("config/tep"), plant("config/tep-damped"));
    for name in ["d00_te.dat", "d04_te.dat", "d06_te.dat", "d12_te.dat", "d13_te.dat"] {
        let Some(table) = file(name) else { return };
        let comparison = backtest(&table, &before, &after);
        let of = |episodes: &[Episode], condition| pressure(episodes, condition, comparison.from);
        let old = &comparison.answered.0.episodes;
        let new = &comparison.answered.1.episodes;
        assert_eq!(of(old, Condition::High), by_hand(&table, 2895.0, 0.0, 0), "{name} before");
        assert_eq!(of(new, Condition::High), by_hand(&table, 2895.0, 10.0, 540), "{name} after");
        assert_eq!(of(old, Condition::HighHigh), by_hand(&table, 3000.0, 0.0, 0), "{name} high-high");
        assert_eq!(comparison.answered.0.episodes, comparison.unanswered.0.episodes, "who answers changes no alarm");
    }
}

#[test]
fn the_damped_limits_lose_the_three_short_excursions_and_no_trip() {
    let (before, after) = (plant("config/tep"), plant("config/tep-damped"));
    let (Some(chatter), Some(trip), Some(calm)) = (file("d13_te.dat"), file("d06_te.dat"), file("d00_te.dat")) else { return };
    let comparison = backtest(&chatter, &before, &after);
    let lost = comparison.differences.iter().filter(|difference| matches!(difference, Difference::Lost(_))).count();
    assert_eq!(lost, by_hand(&chatter, 2895.0, 0.0, 0).len() - by_hand(&chatter, 2895.0, 10.0, 540).len());
    assert!(lost > 0);
    let comparison = backtest(&trip, &before, &after);
    let trips = |episodes: &[Episode]| episodes.iter().filter(|episode| episode.alarm.condition == Condition::HighHigh).count();
    assert!(trips(&comparison.answered.1.episodes) >= 1);
    assert_eq!(trips(&comparison.answered.0.episodes), trips(&comparison.answered.1.episodes));
    // The plant trips at row 279; nobody answers, so the county hears of it, and sooner or later somebody is called.
    assert!(comparison.unanswered.0.county >= 1 && comparison.answered.0.county == 0);
    let calm = backtest(&calm, &before, &after);
    assert!(calm.answered.0.episodes.is_empty() && calm.differences.is_empty() && calm.figures.0.alarms == 0);
}

#[test]
fn the_page_holds_limits_values_and_alarms_and_nothing_from_elsewhere() {
    let (before, after) = (plant("config/tep"), plant("config/tep-damped"));
    let Some(table) = file("d13_te.dat") else { return };
    let comparison = backtest(&table, &before, &after);
    let mut trace = Trace::new(comparison.from, comparison.to);
    for (row, values) in table.iter().enumerate() {
        trace.add(comparison.from + Duration::from_secs(180).times(row as i64), values[6]);
    }
    let traces = BTreeMap::from([(TagId::new("tep", "XMEAS-7"), trace)]);
    let notes = ["<b>not markup</b>".to_owned()];
    let subject = Subject { before: ("config/tep", &before), after: ("config/tep-damped", &after), traces: &traces, notes: &notes };
    let page = report::html(&comparison, &subject, Lang::Zh);
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("backtest.html"), &page).unwrap();
    assert!(page.contains("<svg") && page.contains("class=\"limit new") && page.contains("class=\"alarm"));
    assert!(page.contains("&lt;b&gt;not markup&lt;/b&gt;") && !page.contains("<b>not markup"));
    assert!(!page.contains("<script") && !page.contains("http") && !page.contains("src="));
}

#[test]
fn a_reading_given_twice_changes_nothing() {
    let plant = plant("config/tep");
    let Some(table) = file("d13_te.dat") else { return };
    let tags = vec![TagId::new("tep", "XMEAS-7")];
    let start = Timestamp::from_secs(1_736_121_600);
    let result = |times: usize| {
        let mut run = Run::new(plant.clone(), &tags, Answers::Never, start);
        for (row, values) in table.iter().enumerate() {
            let at = start + Duration::from_secs(180).times(row as i64);
            let reading =
                Reading { tag: TagIndex(0), source_time: at, receive_time: at, value: values[6], quality: Quality::Good, sequence: None };
            (0..times).for_each(|_| run.reading(&Taken { reading, at, under_test: false }));
        }
        run.finish(start + Duration::from_secs(180).times(table.len() as i64))
    };
    let (once, twice) = (result(1), result(2));
    assert_eq!((once.episodes, once.people, once.county), (twice.episodes, twice.people, twice.county));
}
