//! The state of every tag: one compact row that the usual reading touches, and a box for what few tags have.
//!
//! Most readings change nothing but a tag's newest value and time. Those, with the band inside which that is so, stand in one row of one
//! cache line; a tag that never had an alarm has nothing else. Alarms, faults, stragglers and whatever is odd about a newest reading are in
//! a box. The state machines see neither: a tag is opened into a [`TagState`], changed, and closed again.

use crate::band::Band;
use crate::motion::Motion;
use crate::slot::Slot;
use crate::tag::{Fall, Newest, TagState};
use model::{Duration, Quality, Reading, ReadingRecord, TagIndex, Timestamp};

/// No gateway: the place behind the last one.
pub(crate) const ALONE: u32 = u32::MAX;

/// What is known of a tag's newest reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing came yet.
    Nothing,
    /// Good and judged at its own source time: the row says it all.
    Plain,
    /// Anything else: it is in the box.
    Odd,
}

/// What the usual reading reads and writes. 64 bytes, so one cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Row {
    /// The tag's time of its newest reading.
    pub time: Timestamp,
    /// Strictly between `low` and `high` a good, newer, timely reading changes nothing; NaN where every one may.
    pub low: f64,
    pub high: f64,
    pub value: f64,
    receive: Timestamp,
    /// Listening time when last heard.
    pub heard: Timestamp,
    sequence: u64,
    /// Index of the gateway whose member it is, or [`ALONE`].
    pub gateway: u32,
    known: Known,
    has_sequence: bool,
    /// Its silence clock runs.
    pub listens: bool,
}

const _: () = assert!(size_of::<Row>() == 64);

impl Row {
    const fn new(gateway: u32) -> Self {
        Self {
            time: Timestamp::MIN,
            low: f64::NAN,
            high: f64::NAN,
            value: 0.0,
            receive: Timestamp(0),
            heard: Timestamp(0),
            sequence: 0,
            gateway,
            known: Known::Nothing,
            has_sequence: false,
            listens: false,
        }
    }

    /// Takes a good reading, judged at its own source time and heard at `heard`.
    #[inline]
    pub fn advance(&mut self, reading: &Reading, heard: Timestamp) {
        self.time = reading.source_time;
        self.value = reading.value;
        self.receive = reading.receive_time;
        self.heard = heard;
        self.sequence = reading.sequence.unwrap_or(0);
        self.has_sequence = reading.sequence.is_some();
    }

    fn set_newest(&mut self, newest: Option<Newest>) -> Option<Newest> {
        let Some(newest) = newest else {
            (self.time, self.known) = (Timestamp::MIN, Known::Nothing);
            return None;
        };
        self.time = newest.time;
        let record = &newest.record;
        match record.value {
            Some(value) if newest.ahead.is_none() && record.source_time == newest.time && record.quality == Quality::Good => {
                self.known = Known::Plain;
                self.value = value;
                self.receive = record.receive_time;
                self.sequence = record.sequence.unwrap_or(0);
                self.has_sequence = record.sequence.is_some();
                None
            }
            _ => {
                self.known = Known::Odd;
                Some(newest)
            }
        }
    }
}

/// What few tags have.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    newest: Option<Newest>,
    granted: Duration,
    /// Where it is not the time it was last heard.
    advanced: Option<Timestamp>,
    pub silent: bool,
    pub fall: Option<(Fall, Timestamp)>,
    /// Those that are not as they began, by place.
    slots: Vec<(u8, Slot)>,
    pub kept: Vec<ReadingRecord>,
    pub kept_due: Option<Timestamp>,
    pub marks: Vec<ReadingRecord>,
    registered_kept: Option<Timestamp>,
    pub motion: Option<Box<Motion>>,
    pub warm_until: Option<Timestamp>,
    pub mode: u8,
}

static NO_REST: Rest = Rest {
    newest: None,
    granted: Duration::ZERO,
    advanced: None,
    silent: false,
    fall: None,
    slots: Vec::new(),
    kept: Vec::new(),
    kept_due: None,
    marks: Vec::new(),
    registered_kept: None,
    motion: None,
    warm_until: None,
    mode: 0,
};

static NO_SLOT: Slot = Slot::NEW;

impl Rest {
    fn is_empty(&self) -> bool {
        self.newest.is_none()
            && self.granted == Duration::ZERO
            && self.advanced.is_none()
            && !self.silent
            && self.fall.is_none()
            && self.slots.is_empty()
            && self.kept.is_empty()
            && self.kept_due.is_none()
            && self.marks.is_empty()
            && self.registered_kept.is_none()
            && self.motion.is_none()
            && self.warm_until.is_none()
            && self.mode == 0
    }
}

/// All tags of one plant.
#[derive(Debug)]
pub(crate) struct Rows {
    pub rows: Vec<Row>,
    rest: Vec<Option<Box<Rest>>>,
    /// What the last tag was opened into, so that opening one allocates nothing.
    spare: TagState,
}

impl Rows {
    /// Nothing known of any tag; `gateways` gives each one's, or [`ALONE`].
    pub fn new(gateways: impl IntoIterator<Item = u32>) -> Self {
        let rows: Vec<Row> = gateways.into_iter().map(Row::new).collect();
        Self { rest: (0..rows.len()).map(|_| None).collect(), rows, spare: TagState::default() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// One tag, to read.
    pub fn view(&self, index: TagIndex) -> TagView<'_> {
        TagView { row: &self.rows[index.at()], rest: self.rest[index.at()].as_deref().unwrap_or(&NO_REST) }
    }

    /// The gateway whose member a tag is; none for tags out of service and those without readings.
    pub fn gateway(&self, index: TagIndex) -> Option<usize> {
        let gateway = self.rows[index.at()].gateway;
        (gateway != ALONE).then_some(gateway as usize)
    }

    /// Takes a tag out with all of its `conditions`, to be changed and closed again.
    pub fn open(&mut self, index: TagIndex, conditions: usize) -> TagState {
        let mut state = std::mem::take(&mut self.spare);
        let view = TagView { row: &self.rows[index.at()], rest: self.rest[index.at()].as_deref().unwrap_or(&NO_REST) };
        (state.newest, state.heard, state.advanced) = (view.newest(), view.heard(), view.advanced());
        state.slots.resize_with(conditions, Slot::default);
        let rest = self.rest[index.at()].as_deref_mut();
        (state.granted, state.silent, state.fall, state.kept_due, state.registered_kept) = match &rest {
            Some(rest) => (rest.granted, rest.silent, rest.fall, rest.kept_due, rest.registered_kept),
            None => (Duration::ZERO, false, None, None, None),
        };
        (state.warm_until, state.mode) = rest.as_ref().map_or((None, 0), |rest| (rest.warm_until, rest.mode));
        state.motion = None;
        if let Some(rest) = rest {
            state.motion = rest.motion.take();
            std::mem::swap(&mut state.kept, &mut rest.kept);
            std::mem::swap(&mut state.marks, &mut rest.marks);
            for (place, slot) in rest.slots.drain(..) {
                state.slots[usize::from(place)] = slot;
            }
        }
        state
    }

    /// Puts a tag back. True when its silence clock began to run.
    pub fn close(&mut self, index: TagIndex, mut state: TagState, band: Option<Band>, listens: bool) -> bool {
        let row = &mut self.rows[index.at()];
        (row.low, row.high) = band.map_or((f64::NAN, f64::NAN), |band| (band.low, band.high));
        row.heard = state.heard;
        let newest = row.set_newest(state.newest);
        let began = listens && !row.listens;
        row.listens = listens;
        let mut boxed = self.rest[index.at()].take();
        let mut fresh = NO_REST.clone();
        let rest = boxed.as_deref_mut().unwrap_or(&mut fresh);
        rest.newest = newest;
        rest.granted = state.granted;
        rest.advanced = (state.advanced != state.heard).then_some(state.advanced);
        (rest.silent, rest.fall) = (state.silent, state.fall);
        (rest.kept_due, rest.registered_kept) = (state.kept_due, state.registered_kept);
        (rest.warm_until, rest.mode) = (state.warm_until, state.mode);
        rest.motion = state.motion.take();
        std::mem::swap(&mut state.kept, &mut rest.kept);
        std::mem::swap(&mut state.marks, &mut rest.marks);
        for (place, slot) in state.slots.iter_mut().enumerate() {
            if !slot.is_new() {
                rest.slots.push((place as u8, std::mem::take(slot)));
            }
        }
        if !rest.is_empty() {
            self.rest[index.at()] = boxed.or_else(|| Some(Box::new(fresh)));
        }
        self.spare = state;
        began
    }
}

/// One tag, to read.
#[derive(Clone, Copy)]
pub(crate) struct TagView<'a> {
    row: &'a Row,
    pub rest: &'a Rest,
}

impl<'a> TagView<'a> {
    pub fn newest(&self) -> Option<Newest> {
        let row = self.row;
        match row.known {
            Known::Nothing => None,
            Known::Odd => self.rest.newest,
            Known::Plain => Some(Newest {
                time: row.time,
                record: ReadingRecord {
                    source_time: row.time,
                    receive_time: row.receive,
                    value: Some(row.value),
                    quality: Quality::Good,
                    sequence: row.has_sequence.then_some(row.sequence),
                },
                ahead: None,
            }),
        }
    }
    /// Listening time when last heard.
    pub fn heard(&self) -> Timestamp {
        self.row.heard
    }
    /// Listening time when it last advanced.
    pub fn advanced(&self) -> Timestamp {
        self.rest.advanced.unwrap_or(self.row.heard)
    }
    /// How far `heard` was moved on since it was last heard.
    pub fn granted(&self) -> Duration {
        self.rest.granted
    }
    pub fn is_bad(&self) -> bool {
        self.newest().is_some_and(|newest| newest.record.value.is_none() || newest.record.quality == Quality::Bad)
    }
    /// One of its conditions.
    pub fn slot(&self, place: usize) -> &'a Slot {
        self.rest.slots.iter().find(|(at, _)| usize::from(*at) == place).map_or(&NO_SLOT, |(_, slot)| slot)
    }
    /// Its conditions that are not as they began, in their order.
    pub fn slots(&self) -> impl Iterator<Item = (usize, &'a Slot)> + use<'a> {
        self.rest.slots.iter().map(|(place, slot)| (usize::from(*place), slot))
    }
}
