//! A time as it is given to a command.

use crate::lang::say;
use anyhow::{Context, anyhow};
use model::Timestamp;
use model::plant::Plant;

/// A time with its offset from UTC, or on the plant's own clock: one form for all commands.
pub fn moment(written: &str, plant: &Plant) -> anyhow::Result<Timestamp> {
    let instant = written.parse::<jiff::Timestamp>().ok();
    let civil = || offset(plant).to_timestamp(written.parse::<jiff::civil::DateTime>().ok()?).ok();
    let at = instant.or_else(civil).with_context(|| {
        let zh = format!("`{written}` 不是时间;写成 2026-03-01T03:00:00+08:00 或 \"2026-03-01 03:00\"");
        let en = format!("`{written}` is no time; write 2026-03-01T03:00:00+08:00 or \"2026-03-01 03:00\"");
        say(&zh, &en).to_owned()
    })?;
    Ok(Timestamp(at.as_microsecond()))
}

/// A time with its offset from UTC, where no one plant's clock is meant.
pub fn instant(written: &str) -> anyhow::Result<Timestamp> {
    let parsed = written.parse::<jiff::Timestamp>();
    let (zh, en) = (
        format!("`{written}` 不是时间;写成 2026-03-01T03:00:00+08:00"),
        format!("`{written}` is no time; write 2026-03-01T03:00:00+08:00"),
    );
    parsed.map(|at| Timestamp(at.as_microsecond())).map_err(|_| anyhow!("{}", say(&zh, &en)))
}

/// Both ends of a span, where they are given.
pub fn span(from: Option<&str>, to: Option<&str>, plant: &Plant) -> anyhow::Result<(Option<Timestamp>, Option<Timestamp>)> {
    let of = |written: Option<&str>| written.map(|written| moment(written, plant)).transpose();
    Ok((of(from)?, of(to)?))
}

/// How far the plant's clocks are from UTC.
pub fn offset(plant: &Plant) -> jiff::tz::Offset {
    i32::try_from(plant.utc_offset.as_secs())
        .ok()
        .and_then(|seconds| jiff::tz::Offset::from_seconds(seconds).ok())
        .unwrap_or(jiff::tz::Offset::UTC)
}
