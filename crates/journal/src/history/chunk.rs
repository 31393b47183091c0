//! Some thousand readings of one tag as columns, and what is known of them without reading the columns.
//!
//! A chunk is three pieces: when its readings were measured (with the gateway's sequence numbers), when they arrived, and what
//! they say. The tags of one message share the first two, so those are stored once for all of them.

use super::column::{
    get_bits, get_byte, get_ints, get_signed, get_unsigned, get_usual, get_values, put_floats, put_ints, put_signed, put_unsigned,
};
use super::lean::{Small, SmallView, Values, ValuesView};
use super::{Damage, HistoryReading};
use model::{Quality, Reading, TagIndex, Timestamp};
use std::ops::Range;

/// Format of the pieces.
const FORMAT: u8 = 1;
/// Format of the summaries. One of another format is made again from the readings.
const SUMMARY_FORMAT: u8 = 2;
/// Readings that one part of a summary covers.
pub const PART_READINGS: usize = 1_024;
/// Readings of one chunk: one that says it has more is damaged.
pub const CHUNK_READINGS_MAX: usize = 16_384;

const QUALITY: u8 = 0b11;
const UNDER_TEST: u8 = 0b100;
/// Flags of which a plain reading has none.
pub(super) const ODD: u8 = QUALITY | UNDER_TEST;
const HAS_SEQUENCE: u8 = 0b1000;

/// Readings as columns, in the order in which the engine took them: all slices are of one length.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Source times in microseconds.
    pub source: &'a [i64],
    /// Receive times in microseconds.
    pub receive: &'a [i64],
    /// The engine's `now` when it took the reading, in microseconds; never falls.
    pub taken: &'a [i64],
    sequence: &'a [u64],
    pub(super) values: ValuesView<'a>,
    ranks: SmallView<'a, u32>,
    pub(super) flags: SmallView<'a, u8>,
}

impl<'a> View<'a> {
    /// How many readings.
    pub fn len(&self) -> usize {
        self.source.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.source.is_empty()
    }
    /// The value of a reading; NaN where the payload's could not be read.
    #[inline]
    pub fn value(&self, at: usize) -> f64 {
        self.values.at(at)
    }
    /// Which of the readings taken at the same `now` it was.
    pub fn rank(&self, at: usize) -> u32 {
        self.ranks.at(at)
    }
    /// Quality of a reading as claimed.
    pub fn quality(&self, at: usize) -> Quality {
        quality(self.flags.at(at))
    }
    /// Whether the tag was under test.
    pub fn under_test(&self, at: usize) -> bool {
        is_under_test(self.flags.at(at))
    }
    /// The gateway's sequence number.
    pub fn sequence(&self, at: usize) -> Option<u64> {
        has_sequence(self.flags.at(at)).then(|| self.sequence[at])
    }
    /// Whether it is not good, has no finite value, or its tag was under test.
    pub(super) fn is_odd(&self, at: usize) -> bool {
        self.quality(at) != Quality::Good || !self.value(at).is_finite() || self.under_test(at)
    }
    /// All of a reading; whose it is, is for the caller to say.
    pub fn reading(&self, at: usize, tag: TagIndex) -> HistoryReading {
        HistoryReading {
            reading: Reading {
                tag,
                source_time: Timestamp(self.source[at]),
                receive_time: Timestamp(self.receive[at]),
                value: self.value(at),
                quality: self.quality(at),
                sequence: self.sequence(at),
            },
            taken: Timestamp(self.taken[at]),
            rank: self.rank(at),
            under_test: self.under_test(at),
        }
    }
    /// Those taken in `[from, to)`.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Self {
        self.slice(self.places(from, to))
    }
    /// The places of those.
    pub(super) fn places(&self, from: Timestamp, to: Timestamp) -> Range<usize> {
        let before = |time: Timestamp| self.taken.partition_point(|taken| *taken < time.0);
        before(from)..before(to).max(before(from))
    }
    /// Those at some places.
    pub(super) fn slice(&self, places: Range<usize>) -> Self {
        Self {
            source: &self.source[places.clone()],
            receive: &self.receive[places.clone()],
            taken: &self.taken[places.clone()],
            sequence: &self.sequence[places.clone()],
            values: self.values.slice(places.clone()),
            ranks: self.ranks.slice(places.clone()),
            flags: self.flags.slice(places),
        }
    }
}

/// When readings were measured, and what the gateway numbered them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Times {
    source: Vec<i64>,
    sequence: Vec<u64>,
}

/// When they arrived and were taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arrivals {
    receive: Vec<i64>,
    taken: Vec<i64>,
}

/// What one tag alone says, decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    values: Values,
    ranks: Small<u32>,
    flags: Small<u8>,
}

/// Readings of one tag, gathered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    pub times: Times,
    pub arrivals: Arrivals,
    value: Vec<f64>,
    rank: Vec<u32>,
    flags: Vec<u8>,
}

impl Columns {
    pub fn len(&self) -> usize {
        self.value.len()
    }
    pub fn push(&mut self, row: &HistoryReading) {
        let HistoryReading { reading, taken, rank, .. } = row;
        self.times.source.push(reading.source_time.0);
        self.times.sequence.push(reading.sequence.unwrap_or(0));
        self.arrivals.receive.push(reading.receive_time.0);
        self.arrivals.taken.push(taken.0);
        self.value.push(reading.value);
        self.rank.push(*rank);
        self.flags.push(flags(row));
    }
    pub fn append(&mut self, view: View<'_>) {
        self.times.source.extend(view.source);
        self.times.sequence.extend(view.sequence);
        self.arrivals.receive.extend(view.receive);
        self.arrivals.taken.extend(view.taken);
        self.value.extend((0..view.len()).map(|at| view.value(at)));
        self.rank.extend((0..view.len()).map(|at| view.rank(at)));
        self.flags.extend((0..view.len()).map(|at| view.flags.at(at)));
    }
    pub fn view(&self) -> View<'_> {
        View {
            source: &self.times.source,
            receive: &self.arrivals.receive,
            taken: &self.arrivals.taken,
            sequence: &self.times.sequence,
            values: ValuesView::Plain(&self.value),
            ranks: SmallView::Each(&self.rank),
            flags: SmallView::Each(&self.flags),
        }
    }
}

/// The three pieces seen as one; they are of one length.
pub(super) fn view<'a>(times: &'a Times, arrivals: &'a Arrivals, own: &'a Own) -> View<'a> {
    View {
        source: &times.source,
        receive: &arrivals.receive,
        taken: &arrivals.taken,
        sequence: &times.sequence,
        values: own.values.view(),
        ranks: own.ranks.view(),
        flags: own.flags.view(),
    }
}

/// As [`view`], of pieces that were stored.
pub(super) fn joined<'a>(times: &'a Times, arrivals: &'a Arrivals, own: &'a Own) -> Result<View<'a>, Damage> {
    let count = own.values.len();
    let lengths =
        [times.source.len(), times.sequence.len(), arrivals.receive.len(), arrivals.taken.len(), own.ranks.len(), own.flags.len()];
    let fits = lengths.iter().all(|length| *length == count);
    if fits { Ok(view(times, arrivals, own)) } else { Err(Damage("its columns differ in length")) }
}

pub(super) fn flags(row: &HistoryReading) -> u8 {
    let quality = match row.reading.quality {
        Quality::Good => 0,
        Quality::Uncertain => 1,
        Quality::Bad => 2,
    };
    quality | if row.under_test { UNDER_TEST } else { 0 } | if row.reading.sequence.is_some() { HAS_SEQUENCE } else { 0 }
}

pub(super) fn quality(flags: u8) -> Quality {
    match flags & QUALITY {
        0 => Quality::Good,
        1 => Quality::Uncertain,
        _ => Quality::Bad,
    }
}

pub(super) fn has_sequence(flags: u8) -> bool {
    flags & HAS_SEQUENCE != 0
}

pub(super) fn is_under_test(flags: u8) -> bool {
    flags & UNDER_TEST != 0
}

/// Memory for decoding, kept from chunk to chunk.
#[derive(Default)]
pub(super) struct Scratch {
    floats: (Vec<i32>, Vec<i64>),
    ints: Vec<i64>,
}

pub(super) fn put_times(times: &Times, out: &mut Vec<u8>) {
    head(times.source.len(), out);
    put_ints(&times.source, true, out);
    let sequence: Vec<i64> = times.sequence.iter().map(|number| number.cast_signed()).collect();
    put_ints(&sequence, true, out);
}

pub(super) fn get_times(mut bytes: &[u8], scratch: &mut Scratch, into: &mut Times) -> Result<(), Damage> {
    let count = get_head(&mut bytes)?;
    get_ints(&mut bytes, count, &mut scratch.floats.0, &mut into.source)?;
    get_ints(&mut bytes, count, &mut scratch.floats.0, &mut scratch.ints)?;
    into.sequence.clear();
    into.sequence.extend(scratch.ints.iter().map(|number| number.cast_unsigned()));
    end(bytes)
}

/// Arrivals count from when the readings were measured.
pub(super) fn put_arrivals(times: &Times, arrivals: &Arrivals, out: &mut Vec<u8>) {
    head(arrivals.receive.len(), out);
    let since = |later: &[i64], earlier: &[i64]| later.iter().zip(earlier).map(|(later, earlier)| later.wrapping_sub(*earlier)).collect();
    let delay: Vec<i64> = since(&arrivals.receive, &times.source);
    put_ints(&delay, false, out);
    let wait: Vec<i64> = since(&arrivals.taken, &arrivals.receive);
    put_ints(&wait, false, out);
}

pub(super) fn get_arrivals(mut bytes: &[u8], scratch: &mut Scratch, times: &Times, into: &mut Arrivals) -> Result<(), Damage> {
    let count = get_head(&mut bytes)?;
    if count != times.source.len() {
        return Err(Damage("its columns differ in length"));
    }
    get_ints(&mut bytes, count, &mut scratch.floats.0, &mut into.receive)?;
    into.receive.iter_mut().zip(&times.source).for_each(|(receive, source)| *receive = receive.wrapping_add(*source));
    get_ints(&mut bytes, count, &mut scratch.floats.0, &mut into.taken)?;
    into.taken.iter_mut().zip(&into.receive).for_each(|(taken, receive)| *taken = taken.wrapping_add(*receive));
    end(bytes)
}

/// What one tag alone says of its readings.
pub(super) fn put_own(of: &Columns, out: &mut Vec<u8>) {
    head(of.value.len(), out);
    put_floats(&of.value, out);
    put_ints(&of.flags.iter().map(|flags| i64::from(*flags)).collect::<Vec<_>>(), false, out);
    put_ints(&of.rank.iter().map(|rank| i64::from(*rank)).collect::<Vec<_>>(), false, out);
}

/// Reads numbers of few bits, of which mostly all are the same.
fn get_small<T: Copy>(
    bytes: &mut &[u8],
    count: usize,
    scratch: &mut Scratch,
    into: &mut Small<T>,
    small: fn(i64) -> T,
) -> Result<(), Damage> {
    let mut others = Vec::new();
    let usual = if count == 0 { None } else { get_usual(bytes, count, |at, number| others.push((at as u32, small(number))))? };
    *into = match usual {
        Some(usual) => Small::Few(small(usual), count, others),
        None => {
            get_ints(bytes, count, &mut scratch.floats.0, &mut scratch.ints)?;
            Small::Each(scratch.ints.iter().map(|number| small(*number)).collect())
        }
    };
    Ok(())
}

pub(super) fn get_own(mut bytes: &[u8], scratch: &mut Scratch, into: &mut Own) -> Result<(), Damage> {
    let count = get_head(&mut bytes)?;
    get_values(&mut bytes, count, &mut scratch.floats, &mut into.values)?;
    get_small(&mut bytes, count, scratch, &mut into.flags, |flags| flags as u8)?;
    get_small(&mut bytes, count, scratch, &mut into.ranks, |rank| rank as u32)?;
    end(bytes)
}

fn head(count: usize, out: &mut Vec<u8>) {
    out.push(FORMAT);
    put_unsigned(count as u64, out);
}

fn get_head(bytes: &mut &[u8]) -> Result<usize, Damage> {
    if get_byte(bytes)? != FORMAT {
        return Err(Damage("it is of no known format"));
    }
    let count = usize::try_from(get_unsigned(bytes)?).unwrap_or(usize::MAX);
    if count > CHUNK_READINGS_MAX { Err(Damage("it claims more readings than a chunk has")) } else { Ok(count) }
}

fn end(bytes: &[u8]) -> Result<(), Damage> {
    if bytes.is_empty() { Ok(()) } else { Err(Damage("it does not end where it should")) }
}

/// Lowest, highest and newest of some readings of one tag that follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// How many.
    pub count: u32,
    /// Of them bad or without a finite value.
    pub bad: u32,
    /// Earliest source time.
    pub first_source: Timestamp,
    /// Latest source time.
    pub last_source: Timestamp,
    /// Lowest value that is not bad; +∞ when there is none.
    pub min: f64,
    /// Highest value that is not bad; −∞ when there is none.
    pub max: f64,
    /// The last value that is not bad; NaN when there is none.
    pub last: f64,
}

impl Part {
    /// Of no readings.
    pub const EMPTY: Self = Self {
        count: 0,
        bad: 0,
        first_source: Timestamp::MAX,
        last_source: Timestamp::MIN,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        last: f64::NAN,
    };

    /// Adds one reading.
    pub fn add(&mut self, source: Timestamp, value: f64, quality: Quality) {
        self.count += 1;
        self.first_source = self.first_source.min(source);
        let newest = source >= self.last_source;
        self.last_source = self.last_source.max(source);
        if quality == Quality::Bad || !value.is_finite() {
            self.bad += 1;
            return;
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if newest || self.last.is_nan() {
            self.last = value;
        }
    }
    /// Adds the readings of another part, which was taken later.
    pub fn join(&mut self, other: &Self) {
        let newest = other.last_source >= self.last_source;
        self.count += other.count;
        self.bad += other.bad;
        self.first_source = self.first_source.min(other.first_source);
        self.last_source = self.last_source.max(other.last_source);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if (newest && !other.last.is_nan()) || self.last.is_nan() {
            self.last = other.last;
        }
    }
    fn put(&self, out: &mut Vec<u8>) {
        put_unsigned(self.count.into(), out);
        put_unsigned(self.bad.into(), out);
        put_signed(self.first_source.0, out);
        put_signed(self.last_source.0.wrapping_sub(self.first_source.0), out);
        put_all(&[self.min, self.max, self.last], out);
    }
    fn get(bytes: &mut &[u8]) -> Result<Self, Damage> {
        let (count, bad) = (get_count(bytes)?, get_count(bytes)?);
        let first_source = Timestamp(get_signed(bytes)?);
        let last_source = Timestamp(first_source.0.wrapping_add(get_signed(bytes)?));
        let [min, max, last] = get_all(bytes)?;
        Ok(Self { count, bad, first_source, last_source, min, max, last })
    }
}

/// What is known of a chunk without decoding it: enough to draw it, and to tell that nothing in it could have changed an alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// All its readings; `min`, `max` and `last` leave out the bad ones.
    pub all: Part,
    /// The same for each [`PART_READINGS`] of them, in order; the last part may be shorter.
    pub parts: Vec<Part>,
    /// First `now` at which the engine took one.
    pub first_taken: Timestamp,
    /// Last `now` at which the engine took one.
    pub last_taken: Timestamp,
    /// Uncertain ones.
    pub uncertain: u32,
    /// Without a finite value, whatever their quality.
    pub not_finite: u32,
    /// Taken while the tag was under test.
    pub under_test: u32,
    /// Not newer than the newest before it in this chunk: stragglers and repeats.
    pub not_newer: u32,
    /// Lowest finite value, the bad ones included; +∞ when there is none.
    pub lowest: f64,
    /// Highest finite value, the bad ones included; −∞ when there is none.
    pub highest: f64,
    /// Largest change from one finite value to the next; 0 with fewer than two.
    pub step_max: f64,
    /// Largest such change per second of source time; ∞ where two values have one time.
    pub rate_max: f64,
    /// Longest source time from the newest reading to the one that followed it, in microseconds.
    pub gap_max: i64,
    /// Longest source time over which the value did not change by a bit, in microseconds.
    pub flat_max: i64,
    /// Earliest a reading arrived after it was measured, in microseconds; negative where the gateway's clock is ahead.
    pub delay_min: i64,
    /// Latest.
    pub delay_max: i64,
    /// Shortest time from the arrival of a reading until it was taken, in microseconds.
    pub wait_min: i64,
    /// Longest.
    pub wait_max: i64,
    /// Longest time from taking one reading to taking the next, in microseconds.
    pub taken_gap_max: i64,
    /// Source time of the first reading, by order of arrival.
    pub first_source: Timestamp,
    /// Its value.
    pub first_value: f64,
    /// The last value by order of arrival.
    pub last_value: f64,
    /// Its source time.
    pub last_source: Timestamp,
    /// When it arrived.
    pub last_receive: Timestamp,
    /// Its place among the readings taken at the same `now`.
    pub last_rank: u32,
    /// The gateway's sequence number of it.
    pub last_sequence: Option<u64>,
}

impl Summary {
    /// Of readings in the order in which they were taken; none when there are none.
    pub fn of(columns: View<'_>) -> Option<Self> {
        let count = columns.len();
        let (first_taken, last_taken) = (Timestamp(*columns.taken.first()?), Timestamp(*columns.taken.last()?));
        let parts: Vec<Part> =
            (0..count).step_by(PART_READINGS).map(|from| part(columns, from..(from + PART_READINGS).min(count))).collect();
        let mut all = Part::EMPTY;
        parts.iter().for_each(|part| all.join(part));
        let mut summary = Self {
            all,
            parts,
            first_taken,
            last_taken,
            uncertain: 0,
            not_finite: 0,
            under_test: 0,
            not_newer: 0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            step_max: 0.0,
            rate_max: 0.0,
            gap_max: 0,
            flat_max: 0,
            delay_min: i64::MAX,
            delay_max: i64::MIN,
            wait_min: i64::MAX,
            wait_max: i64::MIN,
            taken_gap_max: 0,
            first_source: Timestamp(columns.source[0]),
            first_value: columns.value(0),
            last_value: columns.value(count - 1),
            last_source: Timestamp(columns.source[count - 1]),
            last_receive: Timestamp(columns.receive[count - 1]),
            last_rank: columns.rank(count - 1),
            last_sequence: columns.sequence(count - 1),
        };
        summary.walk(columns);
        Some(summary)
    }

    fn walk(&mut self, columns: View<'_>) {
        let mut newest: Option<Timestamp> = None;
        let mut finite: Option<(Timestamp, f64)> = None;
        let mut flat = (Timestamp(columns.source[0]), columns.value(0).to_bits());
        for at in 0..columns.len() {
            let (source, value, flags) = (Timestamp(columns.source[at]), columns.value(at), columns.flags.at(at));
            self.uncertain += u32::from(quality(flags) == Quality::Uncertain);
            self.under_test += u32::from(is_under_test(flags));
            let delay = columns.receive[at].saturating_sub(source.0);
            (self.delay_min, self.delay_max) = (self.delay_min.min(delay), self.delay_max.max(delay));
            let wait = columns.taken[at].saturating_sub(columns.receive[at]);
            (self.wait_min, self.wait_max) = (self.wait_min.min(wait), self.wait_max.max(wait));
            if at > 0 {
                self.taken_gap_max = self.taken_gap_max.max(columns.taken[at].saturating_sub(columns.taken[at - 1]));
            }
            match newest {
                Some(before) if source <= before => self.not_newer += 1,
                Some(before) => self.gap_max = self.gap_max.max(source.since(before).0),
                None => {}
            }
            newest = newest.max(Some(source));
            if value.to_bits() != flat.1 {
                flat = (source, value.to_bits());
            }
            self.flat_max = self.flat_max.max(source.since(flat.0).0);
            if !value.is_finite() {
                self.not_finite += 1;
                continue;
            }
            (self.lowest, self.highest) = (self.lowest.min(value), self.highest.max(value));
            if let Some((time, before)) = finite {
                let step = (value - before).abs();
                self.step_max = self.step_max.max(step);
                if step > 0.0 {
                    self.rate_max = self.rate_max.max(step / source.since(time).abs().as_secs_f64());
                }
            }
            finite = Some((source, value));
        }
    }

    /// Whether all readings are good, and none was taken while its tag was under test.
    pub fn is_plain(&self) -> bool {
        self.all.bad == 0 && self.uncertain == 0 && self.not_finite == 0 && self.under_test == 0
    }

    /// The last reading by order of arrival, good where all are; whose it is, is for the caller to say.
    pub fn last(&self) -> Reading {
        Reading {
            tag: TagIndex(0),
            source_time: self.last_source,
            receive_time: self.last_receive,
            value: self.last_value,
            quality: Quality::Good,
            sequence: self.last_sequence,
        }
    }

    pub(super) fn put(&self) -> Vec<u8> {
        let mut out = vec![SUMMARY_FORMAT];
        self.all.put(&mut out);
        put_unsigned(self.parts.len() as u64, &mut out);
        self.parts.iter().for_each(|part| part.put(&mut out));
        for count in [self.uncertain, self.not_finite, self.under_test, self.not_newer] {
            put_unsigned(count.into(), &mut out);
        }
        put_all(&[self.lowest, self.highest, self.step_max, self.rate_max, self.first_value, self.last_value], &mut out);
        let times = [self.first_taken.0, self.last_taken.0, self.first_source.0, self.last_source.0];
        let lengths = [self.gap_max, self.flat_max, self.delay_min, self.delay_max, self.wait_min, self.wait_max, self.taken_gap_max];
        for number in lengths.into_iter().chain(times).chain([self.last_receive.0.wrapping_sub(self.last_source.0)]) {
            put_signed(number, &mut out);
        }
        put_unsigned(self.last_rank.into(), &mut out);
        out.push(u8::from(self.last_sequence.is_some()));
        put_unsigned(self.last_sequence.unwrap_or(0), &mut out);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out
    }

    /// How many readings a stored summary is of, as its first bytes say.
    pub(super) fn count_of(bytes: &[u8]) -> Option<u32> {
        get_count(&mut bytes.get(1..)?).ok()
    }

    pub(super) fn get(bytes: &[u8]) -> Result<Self, Damage> {
        let (content, crc) = bytes.split_last_chunk().ok_or(Damage("it ends early"))?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return Err(Damage("the checksum of its summary does not fit"));
        }
        let bytes = &mut &content[..];
        if get_byte(bytes)? != SUMMARY_FORMAT {
            return Err(Damage("its summary is of no known format"));
        }
        let all = Part::get(bytes)?;
        let parts = get_unsigned(bytes)?.min(CHUNK_READINGS_MAX as u64);
        let parts = (0..parts).map(|_| Part::get(bytes)).collect::<Result<_, _>>()?;
        let (uncertain, not_finite, under_test, not_newer) = (get_count(bytes)?, get_count(bytes)?, get_count(bytes)?, get_count(bytes)?);
        let [lowest, highest, step_max, rate_max, first_value, last_value] = get_all(bytes)?;
        let mut next = || get_signed(bytes);
        let (gap_max, flat_max, delay_min, delay_max) = (next()?, next()?, next()?, next()?);
        let (wait_min, wait_max, taken_gap_max) = (next()?, next()?, next()?);
        let (first_taken, last_taken, first_source, last_source) =
            (Timestamp(next()?), Timestamp(next()?), Timestamp(next()?), Timestamp(next()?));
        let last_receive = Timestamp(last_source.0.wrapping_add(next()?));
        let last_rank = get_count(bytes)?;
        let has_sequence = get_byte(bytes)? != 0;
        let last_sequence = Some(get_unsigned(bytes)?).filter(|_| has_sequence);
        Ok(Self {
            all,
            parts,
            first_taken,
            last_taken,
            uncertain,
            not_finite,
            under_test,
            not_newer,
            lowest,
            highest,
            step_max,
            rate_max,
            gap_max,
            flat_max,
            delay_min,
            delay_max,
            wait_min,
            wait_max,
            taken_gap_max,
            first_source,
            first_value,
            last_value,
            last_source,
            last_receive,
            last_rank,
            last_sequence,
        })
    }
}

fn part(columns: View<'_>, places: Range<usize>) -> Part {
    let mut part = Part::EMPTY;
    for at in places {
        part.add(Timestamp(columns.source[at]), columns.value(at), columns.quality(at));
    }
    part
}

fn put_all(values: &[f64], out: &mut Vec<u8>) {
    values.iter().for_each(|value| out.extend(value.to_bits().to_le_bytes()));
}

fn get_all<const N: usize>(bytes: &mut &[u8]) -> Result<[f64; N], Damage> {
    let mut values = [0.0; N];
    for value in &mut values {
        *value = get_bits(bytes)?;
    }
    Ok(values)
}

fn get_count(bytes: &mut &[u8]) -> Result<u32, Damage> {
    u32::try_from(get_unsigned(bytes)?).map_err(|_| Damage("a count is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_reading() -> impl Strategy<Value = HistoryReading> {
        let value = prop_oneof![any::<u64>().prop_map(f64::from_bits), (-9_999_i32..9_999).prop_map(|whole| f64::from(whole) / 100.0)];
        let time = prop_oneof![any::<i64>(), 1_764_000_000_000_000_i64..1_764_000_900_000_000];
        (time.clone(), time.clone(), time, value, 0_u8..3, any::<Option<u64>>(), any::<u32>(), any::<bool>()).prop_map(
            |(source, receive, taken, value, quality_of, sequence, rank, under_test)| HistoryReading {
                reading: Reading {
                    tag: TagIndex(3),
                    source_time: Timestamp(source),
                    receive_time: Timestamp(receive),
                    value,
                    quality: quality(quality_of),
                    sequence,
                },
                taken: Timestamp(taken),
                rank,
                under_test,
            },
        )
    }

    fn round_trip(columns: &Columns) -> Result<Vec<HistoryReading>, Damage> {
        let (mut times, mut arrivals, mut own) = (Vec::new(), Vec::new(), Vec::new());
        put_times(&columns.times, &mut times);
        put_arrivals(&columns.times, &columns.arrivals, &mut arrivals);
        put_own(columns, &mut own);
        let (mut scratch, mut back) = (Scratch::default(), (Times::default(), Arrivals::default(), Own::default()));
        get_times(&times, &mut scratch, &mut back.0)?;
        get_arrivals(&arrivals, &mut scratch, &back.0, &mut back.1)?;
        get_own(&own, &mut scratch, &mut back.2)?;
        let view = joined(&back.0, &back.1, &back.2)?;
        let part = view.slice(1..view.len());
        let after_the_first = (0..part.len()).map(|at| part.reading(at, TagIndex(3)));
        Ok(std::iter::once(view.reading(0, TagIndex(3))).chain(after_the_first).collect())
    }

    fn bits(row: &HistoryReading) -> (HistoryReading, u64) {
        let mut without = *row;
        without.reading.value = 0.0;
        (without, row.reading.value.to_bits())
    }

    proptest! {
        #[test]
        fn any_readings_come_back_exactly(rows in prop::collection::vec(any_reading(), 1..200)) {
            let mut columns = Columns::default();
            rows.iter().for_each(|row| columns.push(row));
            let back = round_trip(&columns).unwrap();
            for (at, row) in rows.iter().enumerate() {
                prop_assert_eq!(bits(&back[at]), bits(row));
            }
            let summary = Summary::of(columns.view()).unwrap();
            let stored = Summary::get(&summary.put()).unwrap();
            // NaN is not equal to itself, so compare what is stored.
            prop_assert_eq!(stored.put(), summary.put());
            prop_assert_eq!(summary.all.count as usize, rows.len());
        }
        #[test]
        fn a_cut_or_changed_summary_is_refused(rows in prop::collection::vec(any_reading(), 1..20), at: prop::sample::Index, flip in 1_u8..) {
            let mut columns = Columns::default();
            rows.iter().for_each(|row| columns.push(row));
            let mut bytes = Summary::of(columns.view()).unwrap().put();
            prop_assert!(Summary::get(&bytes[..at.index(bytes.len())]).is_err());
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Summary::get(&bytes).is_err());
        }
    }

    fn row(second: i64, value: f64) -> HistoryReading {
        let time = Timestamp::from_secs(second);
        let reading = Reading { tag: TagIndex(0), source_time: time, receive_time: time, value, quality: Quality::Good, sequence: None };
        HistoryReading { reading, taken: time, rank: 0, under_test: false }
    }

    #[test]
    fn a_summary_says_what_could_have_changed_an_alarm() {
        let mut columns = Columns::default();
        for row in [row(0, 5.0), row(1, 5.0), row(2, 7.5), row(5, 7.5), row(9, 7.5), row(10, 7.0)] {
            columns.push(&row);
        }
        let mut bad = row(11, 900.0);
        bad.reading.quality = Quality::Bad;
        columns.push(&bad);
        columns.push(&row(4, 6.0));
        let summary = Summary::of(columns.view()).unwrap();
        assert_eq!((summary.all.min, summary.all.max, summary.all.last), (5.0, 7.5, 7.0), "bad readings and stragglers aside");
        assert_eq!((summary.lowest, summary.highest), (5.0, 900.0), "a detector over range raises whatever quality it claims");
        assert_eq!((summary.all.count, summary.all.bad, summary.not_newer), (8, 1, 1));
        assert_eq!(summary.gap_max, 4_000_000, "from 5 s to 9 s");
        assert_eq!(summary.flat_max, 7_000_000, "from 2 s to 9 s");
        assert_eq!((summary.step_max, summary.rate_max), (894.0, 893.0));
        assert_eq!((summary.first_value, summary.last_value), (5.0, 6.0));
    }

    #[test]
    fn the_last_value_of_a_part_is_the_newest_by_source_time() {
        let mut part = Part::EMPTY;
        part.add(Timestamp(10), 1.0, Quality::Good);
        part.add(Timestamp(5), 2.0, Quality::Good);
        assert_eq!(part.last, 1.0);
        let mut older = Part::EMPTY;
        older.add(Timestamp(7), 3.0, Quality::Good);
        part.join(&older);
        assert_eq!((part.last, part.max, part.count), (1.0, 3.0, 3));
    }
}
