//! The state of every tag: one compact row that the usual reading touches, and a box for what few tags have.
//!
//! Most readings change nothing but a tag's newest value and time. Those, with the band inside which that is so, stand in one row of one
//! cache line; a tag that never had an alarm has nothing else. Alarms, faults, stragglers and whatever is odd about a newest reading are in
//! a box. The state machines see neither: a tag is opened into a [`TagState`], changed, and closed again.

use crate::band::Band;
use crate::motion::Motion;
use crate::slot::Slot;
use crate::tag::{Fall, FormerMode, Newest, TagState};
use model::{Duration, Quality, Reading, ReadingRecord, TagIndex, Timestamp};

/// No gateway: the place behind the last one.
pub(crate) const ALONE: u32 = u32::MAX;

/// A plain reading is received no longer than this after it was measured, in microseconds.
pub(crate) const WAITED_MAX: u64 = i32::MAX as u64;

/// What is known of a tag's newest reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing came yet.
    Nothing,
    /// Good, timely and judged at its own source time: the row says it all.
    Plain,
    /// Anything else: it is in the box.
    Odd,
}

/// What the usual reading reads and writes: one cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Row {
    sequence: Option<u64>,
    /// The tag's time of its newest reading.
    pub time: Timestamp,
    pub value: f64,
    /// Listening time when last heard.
    pub heard: Timestamp,
    /// Strictly between `low` and `high` a good, newer, timely reading changes nothing; NaN where every one may.
    pub low: f64,
    pub high: f64,
    /// Receive time minus `time`, in microseconds.
    waited: i32,
    /// Index of the gateway whose member it is, or [`ALONE`].
    pub gateway: u32,
}

const _: () = assert!(size_of::<Row>() == 64);

impl Row {
    const fn new(gateway: u32) -> Self {
        Self { sequence: None, time: Timestamp::MIN, value: 0.0, heard: Timestamp(0), low: f64::NAN, high: f64::NAN, waited: 0, gateway }
    }

    /// Whether a value lies inside the band; one that is NaN fails at its lower end.
    #[inline(always)]
    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "one comparison less")]
    pub fn is_within(&self, value: f64) -> bool {
        value > self.low && !(value >= self.high)
    }

    /// Whether a good value, the next one, changes nothing.
    #[inline(always)]
    pub fn keeps(&self, value: f64) -> bool {
        self.is_within(value) && (value != 0.0 || self.stays_zero())
    }

    #[cold]
    fn stays_zero(&self) -> bool {
        self.value == 0.0
    }

    /// Takes a plain reading in that was received `waited` microseconds after its source time and heard at `heard`.
    #[inline(always)]
    pub fn advance(&mut self, reading: &Reading, waited: u32, heard: Timestamp) {
        self.time = reading.source_time;
        self.value = reading.value;
        self.waited = waited as i32;
        self.heard = heard;
        self.sequence = reading.sequence;
    }

    /// Writes down the newest reading as far as the row can say it.
    fn set_newest(&mut self, newest: &Option<Newest>) -> Known {
        self.time = newest.map_or(Timestamp::MIN, |newest| newest.time);
        let Some(newest) = newest else { return Known::Nothing };
        let record = &newest.record;
        let waited = i32::try_from(record.receive_time.since(newest.time).0);
        let at_its_time = newest.ahead.is_none() && record.source_time == newest.time && record.quality == Quality::Good;
        match (record.value, waited) {
            (Some(value), Ok(waited)) if at_its_time => {
                (self.value, self.waited, self.sequence) = (value, waited, record.sequence);
                Known::Plain
            }
            _ => Known::Odd,
        }
    }
}

/// What only a closer look asks for.
#[derive(Clone, Copy, Debug)]
struct Mark {
    known: Known,
    /// Its silence clock runs.
    listens: bool,
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
    pub former_modes: Vec<FormerMode>,
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
    former_modes: Vec::new(),
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
            && self.former_modes.is_empty()
    }
}

/// All tags of one plant.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    marks: Vec<Mark>,
    rest: Vec<Option<Box<Rest>>>,
    /// What the last tag was opened into, so that opening one allocates nothing.
    spare: TagState,
    /// Listening times until which a tag is certain to be heard, where readings wait; see `passage`.
    promised: Vec<Timestamp>,
    /// Tags closed since somebody asked, where anybody does.
    touched: Option<Vec<TagIndex>>,
}

impl Rows {
    /// Nothing known of any tag; `gateways` gives each one's, or [`ALONE`].
    pub fn new(gateways: impl IntoIterator<Item = u32>) -> Self {
        let rows: Vec<Row> = gateways.into_iter().map(Row::new).collect();
        let mark = Mark { known: Known::Nothing, listens: false };
        let rest = (0..rows.len()).map(|_| None).collect();
        Self { marks: vec![mark; rows.len()], rest, rows, spare: TagState::default(), promised: Vec::new(), touched: None }
    }

    #[inline(always)]
    pub fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    /// Listening time when each of some tags was last heard, of those whose silence clock runs.
    pub fn listening(&self, tags: std::ops::Range<usize>) -> impl Iterator<Item = (usize, Timestamp)> + '_ {
        let heard = |at: usize| self.promised.get(at).map_or(self.rows[at].heard, |promised| self.rows[at].heard.max(*promised));
        tags.filter(|at| self.marks[*at].listens).map(move |at| (at, heard(at)))
    }

    /// A tag is certain to be heard until this listening time. Gives when it was last heard where its silence clock now ends earlier.
    pub fn promise(&mut self, index: TagIndex, until: Timestamp) -> Option<Timestamp> {
        let before = std::mem::replace(&mut self.promised[index.at()], until);
        (until < before && self.marks[index.at()].listens).then(|| self.rows[index.at()].heard.max(until))
    }

    /// From now on it is kept which tags were closed.
    pub fn watch(&mut self) {
        self.promised = vec![Timestamp::MIN; self.rows.len()];
        self.touched = Some(Vec::new());
    }

    /// Appends the tags closed since the last call.
    pub fn take_touched(&mut self, out: &mut Vec<TagIndex>) {
        out.extend(self.touched.iter_mut().flat_map(|touched| touched.drain(..)));
    }

    pub fn row(&self, index: TagIndex) -> &Row {
        &self.rows[index.at()]
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// One tag, to read.
    pub fn view(&self, index: TagIndex) -> TagView<'_> {
        let rest = self.rest[index.at()].as_deref().unwrap_or(&NO_REST);
        TagView { row: &self.rows[index.at()], known: self.marks[index.at()].known, rest }
    }

    /// The gateway whose member a tag is; none for tags out of service and those without readings.
    pub fn gateway(&self, index: TagIndex) -> Option<usize> {
        let gateway = self.rows[index.at()].gateway;
        (gateway != ALONE).then_some(gateway as usize)
    }

    /// Whether anything stands of a tag that its row does not say.
    pub fn is_boxed(&self, index: TagIndex) -> bool {
        self.rest[index.at()].is_some()
    }

    /// Whether the newest value of a tag, if it has one, is a plain one inside a band.
    pub fn is_inside(&self, index: TagIndex, band: Band) -> bool {
        match self.marks[index.at()].known {
            Known::Nothing => true,
            Known::Plain => band.contains(self.rows[index.at()].value),
            Known::Odd => false,
        }
    }

    /// Takes over a tag of another plant that has no box and is judged as before; else its next reading is looked at. Says when it was last
    /// heard where its silence clock runs.
    pub fn adopt(&mut self, index: TagIndex, from: &Self, at: TagIndex, as_before: bool) -> Option<Timestamp> {
        let (row, mark) = (&from.rows[at.at()], from.marks[at.at()]);
        let gateway = self.rows[index.at()].gateway;
        let (low, high) = if as_before { (row.low, row.high) } else { (f64::NAN, f64::NAN) };
        self.rows[index.at()] = Row { gateway, low, high, ..row.clone() };
        self.marks[index.at()] = mark;
        mark.listens.then_some(row.heard)
    }

    /// Takes a tag out with all of its `conditions`, to be changed and closed again.
    pub fn open(&mut self, index: TagIndex, conditions: usize) -> TagState {
        let mut state = std::mem::take(&mut self.spare);
        let view = self.view(index);
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
            std::mem::swap(&mut state.former_modes, &mut rest.former_modes);
            for (place, slot) in rest.slots.drain(..) {
                state.slots[usize::from(place)] = slot;
            }
        }
        state
    }

    /// Puts a tag back. True when its silence clock began to run.
    pub fn close(&mut self, index: TagIndex, mut state: TagState, band: Option<Band>, listens: bool) -> bool {
        if let Some(touched) = &mut self.touched {
            touched.push(index);
        }
        let row = &mut self.rows[index.at()];
        row.heard = state.heard;
        let known = row.set_newest(&state.newest);
        let band = band.filter(|_| known == Known::Plain);
        (row.low, row.high) = band.map_or((f64::NAN, f64::NAN), |band| (band.low, band.high));
        let before = std::mem::replace(&mut self.marks[index.at()], Mark { known, listens });
        let mut boxed = self.rest[index.at()].take();
        let mut fresh = NO_REST.clone();
        let rest = boxed.as_deref_mut().unwrap_or(&mut fresh);
        rest.newest = state.newest.filter(|_| known == Known::Odd);
        rest.granted = state.granted;
        rest.advanced = (state.advanced != state.heard).then_some(state.advanced);
        (rest.silent, rest.fall) = (state.silent, state.fall);
        (rest.kept_due, rest.registered_kept) = (state.kept_due, state.registered_kept);
        (rest.warm_until, rest.mode) = (state.warm_until, state.mode);
        rest.motion = state.motion.take();
        std::mem::swap(&mut state.kept, &mut rest.kept);
        std::mem::swap(&mut state.marks, &mut rest.marks);
        std::mem::swap(&mut state.former_modes, &mut rest.former_modes);
        for (place, slot) in state.slots.iter_mut().enumerate() {
            if !slot.is_new() {
                rest.slots.push((place as u8, std::mem::take(slot)));
            }
        }
        if !rest.is_empty() {
            self.rest[index.at()] = boxed.or_else(|| Some(Box::new(fresh)));
        }
        self.spare = state;
        listens && !before.listens
    }
}

/// One tag, to read.
#[derive(Clone, Copy)]
pub(crate) struct TagView<'a> {
    row: &'a Row,
    known: Known,
    pub rest: &'a Rest,
}

impl<'a> TagView<'a> {
    pub fn newest(&self) -> Option<Newest> {
        let row = self.row;
        match self.known {
            Known::Nothing => None,
            Known::Odd => self.rest.newest,
            Known::Plain => Some(Newest {
                time: row.time,
                record: ReadingRecord {
                    source_time: row.time,
                    receive_time: row.time + Duration(i64::from(row.waited)),
                    value: Some(row.value),
                    quality: Quality::Good,
                    sequence: row.sequence,
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
