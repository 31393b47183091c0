//! Readings that change nothing, many at a time: for whoever has them all before him, as a backtest has.
//!
//! What the quick way (see `reading`) would take of one tag, it takes whatever other tags do meanwhile: it writes that tag's row and
//! nothing else. So such readings need not be taken one by one and in the order of all tags. They may wait, as long as the last of them
//! is taken in before anybody looks at the row. Here the rules say how many may wait, by the very row and band the quick way goes by;
//! whose rows the next step looks at; and where that has to be asked again.

use crate::Rules;
use crate::row::Row;
use crate::tag::Fall;
use crate::timers::Timer;
use model::{Duration, Quality, Reading, TagIndex, Timestamp};

/// Readings of one tag that follow one another, as columns of one length, in the order in which they were taken. Microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a, V> {
    /// Source times.
    pub source: &'a [i64],
    /// Receive times.
    pub receive: &'a [i64],
    /// When they were taken.
    pub taken: &'a [i64],
    /// The value at a place.
    pub value: V,
    /// Lowest and highest of each [`BLOCK`] values from the first on, the last block what is left; what is no number left out.
    pub bounds: &'a [(f64, f64)],
    /// Places of readings that are not good or that somebody wants to see for another reason, ascending.
    pub odd: &'a [u32],
}

/// What is known of such readings without looking at each. Bounds may be too wide, never too narrow.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
    /// No place is odd.
    pub is_plain: bool,
    /// Each was measured later than the one before it.
    pub is_climbing: bool,
    /// Least and greatest time from the measurement until it was taken.
    pub age: (Duration, Duration),
    /// Least and greatest time from the receipt until it was taken.
    pub waited: (Duration, Duration),
    /// Longest time from taking one to taking the next.
    pub gap_max: Duration,
}

/// Values that [`Columns::bounds`] bound together.
pub const BLOCK: usize = 64;

/// The rules, for whoever lets readings wait.
#[derive(Debug)]
pub struct Passage<'r> {
    rules: &'r mut Rules,
}

impl Rules {
    /// For whoever lets readings wait.
    pub fn passage(&mut self) -> Passage<'_> {
        Passage { rules: self }
    }
}

impl Passage<'_> {
    /// From now on [`Self::take_touched`] says what was looked at.
    pub fn watch(&mut self) {
        self.rules.tags.watch();
        self.rules.gateways.watch();
    }

    /// Appends the tags that were looked at closely since the last call, and the gateways whose way may have closed or opened.
    pub fn take_touched(&mut self, tags: &mut Vec<TagIndex>, gateways: &mut Vec<usize>) {
        self.rules.tags.take_touched(tags);
        self.rules.gateways.take_touched(gateways);
    }

    /// The gateway through which a tag in service arrives.
    pub fn gateway_of(&self, tag: TagIndex) -> Option<usize> {
        self.rules.tags.gateway(tag)
    }

    /// The tags in service that arrive through a gateway.
    pub fn members(&self, gateway: usize) -> &[TagIndex] {
        self.rules.members(gateway)
    }

    /// Whether a gateway is plain: in touch, its clock right and never doubted.
    pub fn is_plain(&self, gateway: usize) -> bool {
        self.rules.gateways.is_open(gateway)
    }

    /// Whether an alarm of a tag stands or is unacknowledged, so that an act may look at it.
    pub fn stands(&self, tag: TagIndex) -> bool {
        self.rules.tag(tag).slots().any(|(_, slot)| slot.state != model::AlarmState::Normal)
    }

    /// The row of a tag whose readings may wait.
    fn waiting_row(&self, tag: TagIndex) -> Option<&Row> {
        let row = self.rules.tags.row(tag);
        let open = self.rules.tags.gateway(tag).is_some_and(|gateway| self.rules.gateways.is_open(gateway));
        (open && self.rules.wake != Timestamp::MIN && !self.rules.second.steers(tag)).then_some(row)
    }

    /// A silence this long is an event of its own.
    fn silent_after(&self, tag: TagIndex) -> Duration {
        self.rules.silence.stale_after(tag).unwrap_or(Duration(i64::MAX))
    }

    /// Whether none of these readings would change anything from one on, the next of its tag, that was measured and taken at `next`.
    pub fn nothing_changes(&self, tag: TagIndex, outline: &Outline, next: (Timestamp, Timestamp)) -> bool {
        if self.rules.plant.tag(tag).calculation.is_some() {
            return outline.is_plain;
        }
        let Some(row) = self.waiting_row(tag) else { return false };
        let may_reach_zero = outline.low <= 0.0 && outline.high >= 0.0 && outline.low < outline.high;
        outline.is_plain
            && row.keeps(outline.low)
            && row.keeps(outline.high)
            && !may_reach_zero
            && self.follows(tag, row, next)
            && self.is_timely(tag, outline)
    }

    /// Whether a reading measured and taken at `next` is newer than the newest, and no silence lies between.
    fn follows(&self, tag: TagIndex, row: &Row, (source, taken): (Timestamp, Timestamp)) -> bool {
        source > row.time && taken.since(row.heard - self.rules.listened) < self.silent_after(tag)
    }

    /// Whether all times are such that nothing could hang on them.
    fn is_timely(&self, tag: TagIndex, outline: &Outline) -> bool {
        let within = |(least, most): (Duration, Duration)| least >= Duration::ZERO && most.0.cast_unsigned() <= self.rules.timely;
        outline.is_climbing && within(outline.age) && within(outline.waited) && outline.gap_max < self.silent_after(tag)
    }

    /// The first place in `from..to` at which a reading may change something, the one at `from` being the next of its tag; `to` when
    /// there is none.
    pub fn first_change(
        &self,
        tag: TagIndex,
        outline: &Outline,
        columns: &Columns<'_, impl Fn(usize) -> f64>,
        from: usize,
        to: usize,
    ) -> usize {
        let odd = columns.odd.partition_point(|place| (*place as usize) < from);
        let to = columns.odd.get(odd).map_or(to, |place| (*place as usize).min(to));
        if self.rules.plant.tag(tag).calculation.is_some() {
            return to;
        }
        let Some(row) = self.waiting_row(tag) else { return from };
        if from >= to || !self.follows(tag, row, (Timestamp(columns.source[from]), Timestamp(columns.taken[from]))) {
            return from;
        }
        let to = if self.is_timely(tag, outline) { to } else { self.first_untimely(tag, columns, from, to) };
        first_beyond(row, columns, from, to)
    }

    /// As far as it hangs on times. The first is known to be newer and in time.
    fn first_untimely<V>(&self, tag: TagIndex, columns: &Columns<'_, V>, from: usize, to: usize) -> usize {
        let silent_after = self.silent_after(tag).0;
        let mut before = (i64::MIN, columns.taken[from]);
        for place in from..to {
            let (source, receive, taken) = (columns.source[place], columns.receive[place], columns.taken[place]);
            let newer = source > before.0 && taken - before.1 < silent_after;
            if !(newer && crate::reading::is_timely(self.rules.timely, source, receive, taken)) {
                return place;
            }
            before = (source, taken);
        }
        to
    }

    /// The readings of a tag taken up to `taken` change nothing, so it is certain not to fall silent until then; none takes that back.
    pub fn promise(&mut self, tag: TagIndex, taken: Option<Timestamp>) {
        let until = taken.map_or(Timestamp::MIN, |taken| taken + self.rules.listened);
        if let Some(heard) = self.rules.tags.promise(tag, until) {
            self.rules.silence.began(tag, heard);
        }
    }

    /// Takes in the last of the readings that have waited. Those before it would have left nothing that it does not.
    pub fn catch_up(&mut self, reading: &Reading, taken: Timestamp) {
        let tag = reading.tag;
        if self.rules.plant.tag(tag).calculation.is_some() {
            return;
        }
        let heard = taken + self.rules.listened;
        let waited = reading.receive_time.since(reading.source_time).0;
        self.rules.tags.rows_mut()[tag.at()].advance(reading, waited as u32, heard);
        if let Some(gateway) = self.rules.tags.gateway(tag) {
            self.rules.gateways.heard(gateway, heard);
        }
    }

    /// Whether the step of a reading at `now`, all before it of its tag being taken in, may look at other tags of its gateway.
    pub fn looks_across(&self, reading: &Reading, now: Timestamp) -> bool {
        let view = self.rules.tag(reading.tag);
        let in_order = view.newest().is_none_or(|newest| reading.source_time > newest.time) && reading.source_time <= now;
        let out = |fall: Option<Fall>| view.rest.fall.is_some_and(|(kind, since)| since < now && fall.is_none_or(|fall| fall == kind));
        let falls = match reading.value {
            _ if reading.quality == Quality::Bad || !reading.value.is_finite() => !out(Some(Fall::Bad)) && !out(Some(Fall::Silent)),
            0.0 => !out(Some(Fall::Zero)),
            _ => false,
        };
        !in_order || falls
    }

    /// Appends the tags of which a deadline is due by `now`, those of silence not among them.
    pub fn due(&self, now: Timestamp, out: &mut Vec<TagIndex>) {
        if self.rules.drained {
            out.extend(self.rules.timers.due_by(now).filter_map(Timer::tag));
        }
    }

    /// Appends the tags that fall silent by `now`, those that are promised to speak not among them.
    pub fn falling_silent(&self, now: Timestamp, out: &mut Vec<TagIndex>) {
        if self.rules.listening.is_up() {
            self.rules.silence.ended(self.rules.listening.at(now), &self.rules.tags, out);
        }
    }
}

/// The first place whose value may change something. Blocks in which no value can are told by their bounds.
fn first_beyond(row: &Row, columns: &Columns<'_, impl Fn(usize) -> f64>, from: usize, to: usize) -> usize {
    let mut before = row.value;
    let mut at = from;
    while at < to {
        let end = to.min((at / BLOCK + 1) * BLOCK);
        let (low, high) = columns.bounds[at / BLOCK];
        let stays_zero = low == 0.0 && high == 0.0 && before == 0.0;
        let has_zero = low <= 0.0 && high >= 0.0;
        if row.is_within(low) && row.is_within(high) && (stays_zero || !has_zero) {
            (at, before) = (end, (columns.value)(end - 1));
            continue;
        }
        while at < end {
            let value = (columns.value)(at);
            if !(row.is_within(value) && (value != 0.0 || before == 0.0)) {
                return at;
            }
            (at, before) = (at + 1, value);
        }
    }
    to
}
