//! `watchfire status --points`: per tag when it was first seen, its last value, its range, and which limits have been seen to
//! work. From the store and the configuration alone; the engine may run beside it.

use crate::engine::{POINTS, PointRow};
use crate::lang::{say, table, unwrapped};
use anyhow::anyhow;
use journal::{Reader, SqliteReader};
use model::plant::Tag;
use model::{AlarmId, ReadingRecord, Signal, TagIndex, Timestamp};
use pipeline::Pipeline;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Columns of a terminal from which on every column is readable.
const WIDE_FROM: u16 = 160;

/// What is known of one tag.
struct Point<'p> {
    tag: &'p Tag,
    /// None for what is calculated: nobody sends it.
    first_seen: Option<Timestamp>,
    newest: Option<ReadingRecord>,
    /// Conditions with when each first raised an alarm.
    limits: Vec<(&'static str, &'static str, Option<Timestamp>)>,
}

/// Prints the list.
pub fn run(data: &Path, config: &Path, json: bool, wide: bool) -> anyhow::Result<ExitCode> {
    let reader = SqliteReader::open(data)?;
    let plant = Arc::new(config::load(config).map_err(|faults| anyhow!("{faults}"))?.plant);
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    let (hard, soft) = (reader.state("")?, reader.soft("")?);
    let seen: BTreeMap<&str, Timestamp> = soft
        .iter()
        .filter_map(|(key, bytes)| Some((key.strip_prefix(POINTS)?, serde_json::from_slice::<PointRow>(bytes).ok()?.first_seen)))
        .collect();
    let pipeline = Pipeline::restore(Arc::clone(&plant), &hard, &soft, now, now).map_err(|error| anyhow!("{error}"))?;
    let measured = |tag: &Tag| !matches!(tag.signal, Signal::Gateway | Signal::System);
    let points: Vec<Point<'_>> = (0u32..)
        .map(TagIndex)
        .zip(&plant.tags)
        .filter(|(_, tag)| measured(tag))
        .map(|(index, tag)| Point {
            tag,
            first_seen: seen.get(tag.id.to_string().as_str()).copied(),
            newest: pipeline.alarms().newest(index),
            limits: tag
                .conditions
                .iter()
                .map(|rule| {
                    let alarm = AlarmId { tag: tag.id.clone(), condition: rule.condition };
                    (rule.condition.name(), rule.condition.name_zh(), pipeline.cases().proven(&alarm))
                })
                .collect(),
        })
        .collect();
    if json {
        println!("{}", serde_json::json!({ "points": points.iter().map(|point| point_json(point, now)).collect::<Vec<_>>() }));
    } else {
        print_table(&points, now, wide);
    }
    Ok(ExitCode::SUCCESS)
}

fn life(tag: &Tag, now: Timestamp) -> (&'static str, &'static str) {
    match &tag.commissioning {
        _ if !tag.in_service => ("停用", "out-of-service"),
        Some(life) if now < life.until => ("待调试", "commissioning"),
        Some(_) => ("待调试已过期", "commissioning-overdue"),
        None => ("投用", "in-service"),
    }
}

fn point_json(point: &Point<'_>, now: Timestamp) -> serde_json::Value {
    let limits = point.limits.iter().map(|(name, _, proven)| (*name, proven.map(Timestamp::as_millis)));
    serde_json::json!({
        "tag": point.tag.id.to_string(), "name": point.tag.name, "life": life(point.tag, now).1,
        "first_seen": point.first_seen.map(Timestamp::as_millis), "never_seen": point.is_never_seen(), "calculated": !point.tag.is_measured(),
        "value": point.newest.and_then(|newest| newest.value), "unit": point.tag.unit,
        "at": point.newest.map(|newest| newest.source_time.as_millis()), "range": point.tag.range,
        "limits_seen_to_work": limits.collect::<BTreeMap<_, _>>(),
    })
}

impl Point<'_> {
    fn is_never_seen(&self) -> bool {
        self.first_seen.is_none() && self.newest.is_none() && self.tag.is_measured()
    }
    fn value(&self) -> String {
        let number = |value: f64| format!("{value:.*} {}", usize::from(self.tag.decimals), self.tag.unit);
        self.newest.map_or_else(String::new, |newest| newest.value.map_or_else(|| "?".to_owned(), number))
    }
    fn never(&self) -> String {
        if self.is_never_seen() { say("从未上数", "never seen").to_owned() } else { String::new() }
    }
}

fn print_table(points: &[Point<'_>], now: Timestamp, wide: bool) {
    let all = wide_table(points, now);
    // What is shown to nobody's screen has all the room it wants.
    let is_narrow = !wide && all.width().is_some_and(|width| width < WIDE_FROM);
    match (is_narrow, wide) {
        (true, _) => println!("{}", narrow_table(points, now)),
        (false, true) => println!("{}", unwrapped(all)),
        (false, false) => println!("{all}"),
    }
    let never = points.iter().filter(|point| point.is_never_seen()).count();
    let (all, zh, en) = (points.len(), "个位号,其中从未上数", "tags, never seen");
    println!("{all} {} {never}", say(zh, en));
    if is_narrow {
        println!("{}", say("首次上数、量程和各报警用 --wide 或 --json 查看", "first seen, range and each limit: --wide or --json"));
    }
}

/// What matters at night: does it live, what does it say, since when, and have its limits ever been seen to work.
fn narrow_table(points: &[Point<'_>], now: Timestamp) -> comfy_table::Table {
    let mut rows =
        table([say("位号", "tag"), say("状态", "state"), say("最近值", "value"), say("时间", "seen"), say("已见动作", "proven")]);
    for point in points {
        let (zh, en) = life(point.tag, now);
        let proven = point.limits.iter().filter(|(_, _, at)| at.is_some()).count();
        rows.add_row([
            point.tag.id.to_string(),
            say(zh, en).to_owned(),
            point.value(),
            point.newest.map_or_else(|| point.never(), |newest| super::status::civil_short(newest.source_time)),
            format!("{proven}/{}", point.limits.len()),
        ]);
    }
    rows
}

fn wide_table(points: &[Point<'_>], now: Timestamp) -> comfy_table::Table {
    let mut rows = table([
        say("位号", "tag"),
        say("投用状态", "life"),
        say("首次上数", "first seen"),
        say("最近值", "last value"),
        say("时间", "at"),
        say("量程", "range"),
        say("已见动作的报警", "limits seen to work"),
        say("未见动作", "not yet seen"),
    ]);
    for point in points {
        let names = |proven: bool| {
            let wanted = point.limits.iter().filter(|(_, _, at)| at.is_some() == proven);
            wanted.map(|(en, zh, _)| say(zh, en)).collect::<Vec<_>>().join(say("、", ", "))
        };
        let (zh, en) = life(point.tag, now);
        rows.add_row([
            point.tag.id.to_string(),
            say(zh, en).to_owned(),
            point.first_seen.map_or_else(|| point.never(), super::status::civil),
            point.value(),
            point.newest.map_or_else(String::new, |newest| super::status::civil(newest.source_time)),
            point.tag.range.map_or_else(|| "-".to_owned(), |(low, high)| format!("{low}–{high} {}", point.tag.unit)),
            names(true),
            names(false),
        ]);
    }
    rows
}
