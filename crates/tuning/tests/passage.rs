//! A run in which readings wait that change nothing says the very same as one in which each is taken in the order of time.

// A test that cannot go on ends here.
#![allow(clippy::unwrap_used)]

use config::Lang;
use model::{BodyId, Duration, Plant, Quality, Reading, TagId, TagIndex, Timestamp};
use rules::{Columns, Outline};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use watchfire_tuning::backtest::{Answers, MedianTimes, Run, RunResult, Taken};
use watchfire_tuning::passage::{Moment, Passed, Piece, Tape};

const START: Timestamp = Timestamp::from_secs(1_772_416_800);

static COUNTY: LazyLock<Arc<Plant>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    Arc::new(config::load(&folder).unwrap_or_else(|faults| panic!("{}", faults.render(Lang::En, false))).plant)
});

struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % bound.max(1)
    }
    fn once_in(&mut self, times: i64) -> bool {
        self.below(times) == 0
    }
}

/// Readings in memory, in pieces of some length.
struct Memory {
    tags: Vec<Vec<Stretch>>,
}

#[derive(Default)]
struct Stretch {
    rows: Vec<(Taken, u32)>,
    source: Vec<i64>,
    receive: Vec<i64>,
    taken: Vec<i64>,
    value: Vec<f64>,
    bounds: Vec<(f64, f64)>,
    odd: Vec<u32>,
}

impl Memory {
    fn new(count: usize, rows: &[(Taken, u32)], random: &mut Random) -> Self {
        let mut tags: Vec<Vec<Stretch>> = (0..count).map(|_| vec![Stretch::default()]).collect();
        for (taken, rank) in rows {
            let stretches = &mut tags[taken.reading.tag.at()];
            if !stretches[stretches.len() - 1].rows.is_empty() && random.once_in(90) {
                stretches.push(Stretch::default());
            }
            let last = stretches.len() - 1;
            let stretch = &mut stretches[last];
            let reading = &taken.reading;
            if reading.quality != Quality::Good || !reading.value.is_finite() || taken.under_test {
                stretch.odd.push(stretch.rows.len() as u32);
            }
            stretch.source.push(reading.source_time.0);
            stretch.receive.push(reading.receive_time.0);
            stretch.taken.push(taken.at.0);
            stretch.value.push(reading.value);
            stretch.rows.push((*taken, *rank));
        }
        for stretch in tags.iter_mut().flatten() {
            let blocks = stretch.value.chunks(rules::BLOCK);
            stretch.bounds = blocks.map(|values| (lowest(values), highest(values))).collect();
        }
        Self { tags }
    }
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

impl Tape for Memory {
    fn piece(&mut self, tag: usize, number: usize) -> Option<Piece> {
        let stretch = self.tags[tag].get(number)?;
        let steps = |columns: &[i64]| columns.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        let since = |columns: &[i64]| {
            let lengths = || stretch.taken.iter().zip(columns).map(|(taken, before)| taken - before);
            Some((Duration(lengths().min()?), Duration(lengths().max()?)))
        };
        Some(Piece {
            count: stretch.rows.len(),
            outline: Outline {
                low: lowest(&stretch.value),
                high: highest(&stretch.value),
                is_plain: stretch.odd.is_empty(),
                is_climbing: steps(&stretch.source).iter().all(|step| *step > 0),
                age: since(&stretch.source)?,
                waited: since(&stretch.receive)?,
                gap_max: Duration(steps(&stretch.taken).into_iter().max().unwrap_or(0)),
            },
            first: (Timestamp(stretch.source[0]), Timestamp(stretch.taken[0])),
            last: *stretch.rows.last()?,
        })
    }
    fn columns(&mut self, tag: usize, number: usize) -> Option<Columns<'_, impl Fn(usize) -> f64>> {
        let Stretch { source, receive, taken, value, bounds, odd, .. } = self.tags[tag].get(number)?;
        Some(Columns { source, receive, taken, value: |at: usize| value[at], bounds, odd })
    }
    fn taken(&mut self, tag: usize, number: usize, place: usize) -> Option<(Taken, u32)> {
        self.tags[tag].get(number)?.rows.get(place).copied()
    }
    fn before(&mut self, tag: usize, number: usize, moment: Moment) -> usize {
        self.tags[tag][number].rows.partition_point(|(taken, rank)| (taken.at, *rank) < moment)
    }
}

/// How a stretch of time goes at one gateway.
#[derive(Clone, Copy, PartialEq)]
enum Weather {
    Fair,
    /// Nothing comes.
    Gone,
    /// Everything at exactly zero.
    Zero,
    /// Everything bad.
    Bad,
    /// Its clock is this far off.
    Skewed(i64),
    /// What comes is old.
    Backlog,
}

/// Some tags of a few gateways, for some minutes, with all that goes wrong in a plant. `trouble` is how seldom: once in so many seconds.
fn history(plant: &Plant, tags: &[TagId], seconds: i64, trouble: i64, random: &mut Random) -> Vec<(Taken, u32)> {
    let gateway_of = |tag: &TagId| {
        plant.tag_index(tag).and_then(|index| plant.tag(index).gateway).map(model::GatewayIndex::at).unwrap_or(plant.gateways.len())
    };
    let gateways: Vec<usize> = tags.iter().map(gateway_of).collect();
    let mut weather = vec![(Weather::Fair, 0_i64); plant.gateways.len() + 1];
    let limits: Vec<(f64, f64)> = tags
        .iter()
        .map(|tag| {
            let tag = plant.tag_index(tag).map(|index| plant.tag(index));
            let (low, high) = tag.and_then(|tag| tag.range).unwrap_or((0.0, 1.0));
            let limits: Vec<f64> =
                tag.iter().flat_map(|tag| &tag.conditions).filter(|rule| rule.condition.is_limit()).map(|rule| rule.setpoint).collect();
            let near = if limits.is_empty() || random.once_in(4) {
                (low + high) / 2.0
            } else {
                limits[random.below(limits.len() as i64) as usize]
            };
            (near, (high - low) * 0.02)
        })
        .collect();
    let mut values: Vec<f64> = limits.iter().map(|(near, width)| near - width * 3.0).collect();
    let mut under_test = vec![0_i64; tags.len()];
    let mut silent = vec![0_i64; tags.len()];
    let mut rows: Vec<(Taken, u32)> = Vec::new();
    let (mut now, mut rank) = (START, 0);
    for second in 0..seconds {
        for (weather, until) in &mut weather {
            if *until <= second {
                *weather = Weather::Fair;
                if random.once_in(trouble * 4) {
                    let kinds = [Weather::Gone, Weather::Zero, Weather::Bad, Weather::Skewed(random.below(400) - 200), Weather::Backlog];
                    *weather = kinds[random.below(5) as usize];
                    *until = second + 5 + random.below(60);
                }
            }
        }
        for (place, (near, width)) in limits.iter().enumerate() {
            let step = (random.below(2_001) - 1_000) as f64 / 1_000.0 * width;
            values[place] += step + (near - values[place]) * 0.02;
            if under_test[place] < second && random.once_in(trouble * 20) {
                under_test[place] = second + random.below(60);
            }
            if silent[place] < second && random.once_in(trouble * 10) {
                silent[place] = second + random.below(80);
            }
            let (weather, _) = weather[gateways[place]];
            if weather == Weather::Gone || silent[place] > second {
                continue;
            }
            let mut value = (values[place] * 100.0).round() / 100.0;
            let mut quality = Quality::Good;
            if random.once_in(trouble * 5) {
                (value, quality) = [
                    (value, Quality::Uncertain),
                    (value, Quality::Bad),
                    (f64::NAN, Quality::Bad),
                    (0.0, Quality::Good),
                    (value * 50.0, Quality::Good),
                ][random.below(5) as usize];
            }
            match weather {
                Weather::Zero => value = 0.0,
                Weather::Bad => quality = Quality::Bad,
                _ => {}
            }
            // Some come together in one message, at one time.
            if random.once_in(3) {
                (now, rank) =
                    (now.max(START + Duration::from_millis(second * 1_000 + place as i64 * 900 / tags.len() as i64)) + Duration(1), 0);
            } else {
                rank += 1;
            }
            let mut source = now - Duration::from_millis(random.below(30));
            match weather {
                Weather::Skewed(by) => source -= Duration::from_secs(by),
                Weather::Backlog => source -= Duration::from_secs((100 - second % 100) * 3),
                _ if random.once_in(trouble * 10) => source -= Duration::from_secs(random.below(120) - 20),
                _ => {}
            }
            let receive = now - Duration(random.below(3_000));
            let sequence = (place % 3 != 0).then_some(second as u64);
            let reading = Reading { tag: TagIndex(place as u32), source_time: source, receive_time: receive, value, quality, sequence };
            rows.push((Taken { reading, at: now, under_test: under_test[place] > second }, rank));
            if random.once_in(trouble * 10) {
                rank += 1;
                rows.push((Taken { at: now, ..rows[rows.len() - 1].0 }, rank));
            }
        }
    }
    rows
}

fn run(tags: &[TagId], answers: &Answers) -> Run {
    let mut run = Run::new(COUNTY.clone(), tags, answers.clone(), START);
    run.keep_said();
    run
}

/// Both ways, with the same gaps.
fn both(
    tags: &[TagId],
    rows: &[(Taken, u32)],
    gaps: &[(Timestamp, Timestamp)],
    answers: &Answers,
    random: &mut Random,
) -> (RunResult, RunResult) {
    let end = rows.last().map_or(START, |(taken, _)| taken.at) + Duration::from_mins(3);
    let mut in_order = run(tags, answers);
    let mut ahead = gaps.iter().peekable();
    for (taken, _) in rows {
        while let Some((from, to)) = ahead.next_if(|(from, _)| *from < taken.at) {
            in_order.gap(*from, (*to).min(taken.at));
        }
        in_order.reading(taken);
    }
    let mut waiting = run(tags, answers);
    let mut tape = Memory::new(tags.len(), rows, random);
    let mut now = START;
    for (from, to) in gaps {
        let next = rows.iter().map(|(taken, _)| taken.at).find(|at| at > from);
        if let Some(next) = next {
            waiting.gap_beside(&mut tape, *from, (*to).min(next));
        }
    }
    while now < end {
        now = now.max(gaps.last().map_or(START, |(_, to)| *to)) + Duration::from_secs(1 + random.below(200));
        waiting.pass(&mut tape, now.min(end));
    }
    (in_order.finish(end), waiting.finish(end))
}

/// The first thing that differs is worth more than the whole. A NaN that was quoted is the same NaN.
fn assert_same(in_order: &RunResult, waiting: &RunResult, what: &str) {
    for (place, pair) in in_order.said.iter().zip(&waiting.said).enumerate() {
        assert!(pair.0 == pair.1 || format!("{pair:?}") == format!("{:?}", (pair.1, pair.0)), "{what}: effect {place}: {:#?}", pair);
    }
    assert_eq!(in_order.said.len(), waiting.said.len(), "{what}: effects");
    let counts = |result: &RunResult| (result.readings, result.unknown, result.county, result.left_out, result.acts_same);
    assert_eq!(counts(in_order), counts(waiting), "{what}");
    assert!(in_order.episodes == waiting.episodes && in_order.people == waiting.people, "{what}");
}

fn check(seed: u64, tags: &[TagId], seconds: i64, trouble: i64) -> Passed {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
    let rows = history(&COUNTY, tags, seconds, trouble, &mut random);
    let mut gaps = Vec::new();
    for _ in 0..random.below(3) {
        let from = START + Duration::from_millis(random.below(seconds * 1_000));
        gaps.push((from, from + Duration::from_millis(random.below(40_000))));
    }
    gaps.sort();
    gaps.dedup_by(|later, earlier| later.0 < earlier.1);
    let answers = if random.once_in(3) {
        Answers::Never
    } else {
        Answers::After(MedianTimes::of([(BodyId::new("hongxin"), Duration::from_secs(20 + random.below(100)))]))
    };
    let (in_order, waiting) = both(tags, &rows, &gaps, &answers, &mut random);
    assert_same(&in_order, &waiting, &format!("seed {seed}"));
    assert_eq!(
        in_order.readings,
        rows.iter().filter(|(taken, _)| COUNTY.tag_index(&tags[taken.reading.tag.at()]).is_some()).count() as u64
    );
    let Passed { singly, looked_at, unread } = waiting.passed;
    assert_eq!(singly + looked_at + unread, waiting.readings, "seed {seed}: each is counted once");
    waiting.passed
}

/// All measured tags of some enterprises, and one that nobody has configured.
fn tags_of(enterprises: &[&str]) -> Vec<TagId> {
    let measured = COUNTY.tags.iter().filter(|tag| !matches!(tag.signal, model::Signal::Gateway | model::Signal::System));
    let mut tags: Vec<TagId> = measured.filter(|tag| enterprises.contains(&tag.id.enterprise.as_str())).map(|tag| tag.id.clone()).collect();
    tags.push(TagId::new("hongxin", "ZZ-999"));
    tags.sort();
    tags
}

#[test]
fn waiting_changes_nothing_in_troubled_times() {
    let tags = tags_of(&["hongxin"]);
    for seed in 0..24 {
        check(seed, &tags, 400, 30);
    }
}

#[test]
fn waiting_changes_nothing_in_fair_weather_and_most_readings_wait() {
    let tags = tags_of(&["hongxin"]);
    let mut all = Passed::default();
    for seed in 100..112 {
        let passed = check(seed, &tags, 1_500, 2_000);
        all.singly += passed.singly;
        all.looked_at += passed.looked_at;
        all.unread += passed.unread;
    }
    assert!(all.singly / 2 < all.looked_at + all.unread, "{all:?}");
    assert!(all.unread > 0, "{all:?}");
}

#[test]
fn waiting_changes_nothing_in_the_whole_county() {
    let enterprises: Vec<&str> = COUNTY.tags.iter().map(|tag| tag.id.enterprise.as_str()).collect();
    check(7, &tags_of(&enterprises), 300, 60);
}
