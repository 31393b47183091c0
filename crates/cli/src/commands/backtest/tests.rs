//! From a history on disk: each tag at its own pace gives what every reading in the order of time gives.

#![allow(clippy::unwrap_used)]

use super::*;
use journal::history::{HistoryFile, HistoryReading};
use model::{Actor, AlarmEffect, Change, EpisodeRef, Quality};
use pipeline::Effect;

const START: Timestamp = Timestamp::from_secs(1_772_416_800);

struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % bound.max(1)
    }
}

/// Two hours of an enterprise around its limits, with bad and uncertain values, stragglers, pauses and a test.
fn readings(plant: &Plant, random: &mut Random) -> Vec<HistoryReading> {
    let measured = |tag: &&TagIndex| plant.tag(**tag).range.is_some() && plant.tag(**tag).id.enterprise.as_str() == "hongxin";
    let all: Vec<TagIndex> = (0..plant.tags.len() as u32).map(TagIndex).collect();
    let tags: Vec<TagIndex> = all.iter().filter(measured).copied().collect();
    let mut values: Vec<f64> = tags
        .iter()
        .enumerate()
        .map(|(at, tag)| {
            let (low, high) = plant.tag(*tag).range.unwrap();
            let limit = plant.tag(*tag).conditions.iter().find(|rule| rule.condition.is_limit()).map(|rule| rule.setpoint);
            limit.filter(|_| at % 3 == 0).unwrap_or((low + high) * 0.45)
        })
        .collect();
    let mut rows = Vec::new();
    for second in 0..3_600_i64 {
        let at = START + Duration::from_millis(second * 2_000 + random.below(40));
        for (rank, tag) in tags.iter().enumerate() {
            let (low, high) = plant.tag(*tag).range.unwrap();
            values[rank] += (random.below(2_001) - 1_000) as f64 / 1_000.0 * (high - low) * 0.003;
            if (second / 200 + rank as i64) % 17 == 3 {
                continue;
            }
            let (quality, late) = match random.below(4_000) {
                0 => (Quality::Bad, 0),
                1 => (Quality::Uncertain, 0),
                2 => (Quality::Good, random.below(200)),
                _ => (Quality::Good, 0),
            };
            let reading = Reading {
                tag: *tag,
                source_time: at - Duration::from_secs(late),
                receive_time: at,
                value: (values[rank] * 100.0).round() / 100.0,
                quality,
                sequence: Some(second as u64),
            };
            let under_test = rank == 4 && second % 1_000 < 50;
            rows.push(HistoryReading { reading, taken: at + Duration(rank as i64 / 8), rank: rank as u32 % 8, under_test });
        }
    }
    rows
}

/// The first alarms, acknowledged some time after or found to be a drill.
fn acts(run: &RunResult) -> Vec<(Timestamp, Act)> {
    let raised = run.said.iter().filter_map(|effect| match effect {
        Effect::Alarm(AlarmEffect::Transition(transition)) if transition.change == Change::Raised => Some(transition),
        _ => None,
    });
    let act = |(at, transition): (usize, &model::Transition)| {
        let episodes = vec![EpisodeRef { alarm: transition.key.alarm.clone(), episode: transition.key.episode }];
        let by = Actor { person: "hongxin-op1".into(), body: "hongxin".into(), tier: Tier::ENTERPRISE };
        let done = transition.now + Duration::from_secs(15 + at as i64 * 7);
        let what = if at % 7 == 3 {
            ActKind::Check { case: "none".into(), episodes, outcome: Outcome::Drill, field: None, comment: String::new() }
        } else {
            ActKind::Acknowledge { episodes }
        };
        (done, Act { id: ActId::new(format!("act-{at}")), by, what })
    };
    let mut acts: Vec<_> = raised.take(40).enumerate().map(act).collect();
    acts.sort_by_key(|(at, _)| *at);
    acts
}

fn runs(plant: &Arc<Plant>, tags: &[TagId], from: Timestamp) -> [Run; 4] {
    let answers = [Answers::After(MedianTimes::default()), Answers::Never, Answers::Never, Answers::After(MedianTimes::default())];
    answers.map(|answers| {
        let mut run = Run::new(Arc::clone(plant), tags, answers, from);
        run.keep_said();
        run
    })
}

#[test]
fn a_backtest_by_tape_says_what_one_in_the_order_of_time_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let plant = load(&folder).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let rows = readings(&plant, &mut Random(3));
    // The last part stays in the tail.
    let mut file = HistoryFile::open(dir.path(), plant.clone()).unwrap();
    rows[..rows.len() * 4 / 5].chunks(3_000).for_each(|rows| file.append(rows).unwrap());
    file.finish().unwrap();
    let mut file = HistoryFile::open(dir.path(), plant.clone()).unwrap();
    rows[rows.len() * 4 / 5..].chunks(3_000).for_each(|rows| file.append(rows).unwrap());
    drop(file);
    let mut reader = HistoryReader::open(dir.path()).unwrap().unwrap();
    let tags = reader.tags().unwrap();
    // From the middle of a chunk to the middle of another.
    let (from, to) = (START + Duration::from_secs(300), START + Duration::from_secs(7_000));
    let mut taken = Vec::new();
    reader
        .merged::<StoreError>(&tags, from, to, |row| {
            taken.push(Taken { reading: row.reading, at: row.taken, under_test: row.under_test });
            Ok(Visit::Continue(()))
        })
        .unwrap();
    let gaps = [
        (from - Duration::from_secs(9), from + Duration::from_secs(3)),
        (START + Duration::from_secs(1_500), START + Duration::from_secs(1_540)),
    ];
    let bar = ProgressBar::hidden();
    let mut first = runs(&plant, &tags, from);
    in_order(&mut first, &taken, Beside { acts: &[], gaps: &gaps, from }, &tags, (from, to), false, &bar);
    let [_, first, ..] = first.map(|run| run.finish(to));
    let acts = acts(&first);
    assert!(acts.len() > 10, "{}", acts.len());
    let mut expected = runs(&plant, &tags, from);
    let drawn = in_order(&mut expected, &taken, Beside { acts: &acts, gaps: &gaps, from }, &tags, (from, to), true, &bar);
    let mut found = runs(&plant, &tags, from);
    let tape = HistoryTape::new(reader.tape(&tags, from, to).unwrap(), tags.len(), (from, to), true);
    assert_eq!(tape.count().unwrap().abs_diff(taken.len() as u64) * 50 / taken.len() as u64, 0, "estimated at the ends");
    let drawn_by_tape = by_tape(&mut found, tape, Beside { acts: &acts, gaps: &gaps, from }, (from, to), &bar).unwrap();
    assert_eq!(Some(bar.position()), bar.length());
    // Half of the time is half of the readings, whatever the chunks are, and no step is larger than what was gone through.
    let mut told = Vec::new();
    let mut tape = HistoryTape::new(reader.tape(&tags, from, to).unwrap(), tags.len(), (from, to), false);
    let count = tape.count().unwrap();
    tape.pass(&mut runs(&plant, &tags, from), from, to, count, |passed| told.push(passed)).unwrap();
    assert!(told.len() >= 40 && told.is_sorted(), "{told:?}");
    let largest = told.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(largest <= count / 10, "{largest} of {count}: {told:?}");
    assert!(told.last().unwrap().abs_diff(count) <= count / 50, "{told:?} of {count}");
    assert_eq!(format!("{drawn:?}"), format!("{drawn_by_tape:?}"));
    for (place, (expected, found)) in expected.map(|run| run.finish(to)).into_iter().zip(found.map(|run| run.finish(to))).enumerate() {
        for (expected, found) in expected.said.iter().zip(&found.said) {
            assert_eq!(expected, found, "run {place}");
        }
        assert_eq!(expected.said.len(), found.said.len(), "run {place}");
        let counts = |run: &RunResult| (run.readings, run.unknown, run.county, run.left_out, run.acts_same, run.acts_moot);
        assert_eq!(counts(&expected), counts(&found), "run {place}");
        assert_eq!(found.readings, taken.len() as u64);
        assert!(found.passed.looked_at + found.passed.unread > found.passed.singly, "{:?}", found.passed);
        assert!(expected.acts_same > 0 && expected.left_out.drills > 0);
        assert_eq!((expected.episodes, expected.people), (found.episodes, found.people), "run {place}");
    }
}

#[test]
fn the_time_left_is_told_once_it_is_known_and_never_grows_of_itself() {
    assert_eq!(seconds_left(0.0, 30.0), None);
    assert_eq!(seconds_left(0.04, 30.0), None, "a twentieth is done at least");
    assert_eq!(seconds_left(0.5, 0.2), None);
    assert_eq!(seconds_left(0.25, 2.0), Some(6));
    assert_eq!(seconds_left(1.0, 9.0), None);
}
