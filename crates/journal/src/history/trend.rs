//! A trend within a budget of points, from summaries where they are fine enough and from readings where they are not.
//!
//! Points are not equally spaced instants: each covers the readings it says it covers, from its first to its last. So a part of a
//! chunk is never torn for the sake of a grid, a year takes no decoding, and what a point says is exact.

use super::chunk::{PART_READINGS, Part};
use super::reader::Chunk;
use super::stored::Unreadable;
use crate::StoreError;
use model::{Timestamp, bounds::HISTORY_POINTS_MAX};

/// One point: some readings that follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Source time of the first.
    pub from: Timestamp,
    /// Source time of the last.
    pub to: Timestamp,
    /// How many.
    pub count: u32,
    /// Of them bad or without a value.
    pub bad: u32,
    /// Lowest value; none when all are bad.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
    /// Newest value.
    pub last: Option<f64>,
}

/// A trend, earliest point first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// At most as many as were asked for; where there are no readings there is no point.
    pub points: Vec<Point>,
    /// Chunks that could not be read and are left out.
    pub damaged: u32,
    /// Readings that had to be decoded.
    pub decoded: u64,
}

/// The points while they are gathered.
pub(super) struct Buckets {
    from: Timestamp,
    to: Timestamp,
    width: i64,
    parts: Vec<Part>,
    damaged: u32,
    decoded: u64,
}

impl Buckets {
    pub fn new(from: Timestamp, to: Timestamp, points: usize) -> Self {
        let points = points.clamp(1, HISTORY_POINTS_MAX);
        let length = to.since(from).0.max(1);
        let width = length.div_euclid(points as i64) + i64::from(length % points as i64 != 0);
        Self { from, to, width, parts: vec![Part::EMPTY; points], damaged: 0, decoded: 0 }
    }

    pub fn add(&mut self, chunk: &mut Chunk<'_>) -> Result<(), StoreError> {
        if self.fits(&chunk.summary.all) {
            self.join(&chunk.summary.all);
            return Ok(());
        }
        let mut coarse = Vec::new();
        for (at, part) in chunk.summary.parts.iter().enumerate() {
            if self.fits(part) {
                self.join(part);
            } else if part.first_source < self.to && part.last_source >= self.from {
                coarse.push(at * PART_READINGS);
            }
        }
        if coarse.is_empty() {
            return Ok(());
        }
        let view = match chunk.read() {
            Ok(view) => view,
            Err(Unreadable::Damage(_)) => {
                self.damaged += 1;
                return Ok(());
            }
            Err(Unreadable::Store(error)) => return Err(error),
        };
        self.decoded += view.len() as u64;
        for first in coarse {
            for at in first..(first + PART_READINGS).min(view.len()) {
                let source = Timestamp(view.source[at]);
                if source >= self.from && source < self.to {
                    let bucket = self.bucket(source);
                    self.parts[bucket].add(source, view.value(at), view.quality(at));
                }
            }
        }
        Ok(())
    }

    /// Whether a part lies inside what was asked for and is no longer than a point.
    fn fits(&self, part: &Part) -> bool {
        part.first_source >= self.from && part.last_source < self.to && part.last_source.since(part.first_source).0 <= self.width
    }

    fn join(&mut self, part: &Part) {
        let middle = Timestamp(part.first_source.0 + part.last_source.since(part.first_source).0 / 2);
        let bucket = self.bucket(middle);
        self.parts[bucket].join(part);
    }

    fn bucket(&self, at: Timestamp) -> usize {
        usize::try_from(at.since(self.from).0 / self.width).unwrap_or(0).min(self.parts.len() - 1)
    }

    pub fn finish(self) -> Trend {
        let point = |part: &Part| {
            let usable = part.count > part.bad;
            Point {
                from: part.first_source,
                to: part.last_source,
                count: part.count,
                bad: part.bad,
                min: usable.then_some(part.min),
                max: usable.then_some(part.max),
                last: usable.then_some(part.last),
            }
        };
        let points = self.parts.iter().filter(|part| part.count > 0).map(point).collect();
        Trend { points, damaged: self.damaged, decoded: self.decoded }
    }
}
