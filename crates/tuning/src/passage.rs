//! A run over all readings of a record without taking each: those that change nothing wait, and what happens is what is taken in order.
//!
//! Each tag has a tape of pieces, and a place on it. The rules say how far from there nothing changes, by what is known of a piece or by
//! its values; that far the readings wait, and only the last of them is ever taken in: at the end of the stretch, or before anybody looks
//! at the tag. What is left (a reading that may change something, a deadline, a person's turn) goes through the whole chain in the order
//! of time, exactly as if every reading had. A tag that cannot wait (it feeds a calculation, is steered by one, is judged by its movement,
//! or its gateway is in doubt) is taken reading by reading, and counted.

use crate::backtest::Taken;
use model::{Reading, TagIndex, Timestamp};
use rules::{Columns, Outline, Passage};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Readings that the rules look at in one go: what happens meanwhile may make them look again.
const AHEAD: usize = 16_384;

/// All readings of some tags, each tag's in pieces that follow one another in the order in which the engine took them.
pub trait Tape {
    /// What is known of a piece; none behind the last.
    fn piece(&mut self, tag: usize, number: usize) -> Option<Piece>;
    /// Its readings; none where they cannot be read, and are then left out.
    fn columns(&mut self, tag: usize, number: usize) -> Option<Columns<'_, impl Fn(usize) -> f64>>;
    /// One of its readings, and its place among those taken at the same time.
    fn taken(&mut self, tag: usize, number: usize, place: usize) -> Option<(Taken, u32)>;
    /// How many of its readings come before a time and a place among those taken then.
    fn before(&mut self, tag: usize, number: usize, moment: Moment) -> usize;
}

/// A place in the order of all readings: when one was taken, and which of those taken then it was.
pub type Moment = (Timestamp, u32);

/// What is known of readings of one tag that follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// How many; at least one.
    pub count: usize,
    /// Their bounds.
    pub outline: Outline,
    /// Source time of the first, and when it was taken.
    pub first: (Timestamp, Timestamp),
    /// The last, and its place among those taken at the same time.
    pub last: (Taken, u32),
}

impl Piece {
    fn end(&self) -> Moment {
        (self.last.0.at, self.last.1)
    }
}

/// How many readings were taken how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// In the order of time, through the whole chain.
    pub singly: u64,
    /// They waited, their values looked at.
    pub looked_at: u64,
    /// They waited, and what is known of their piece was enough.
    pub unread: u64,
}

/// Where a run stands on the tape of one tag.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    piece: usize,
    /// The piece, once it is begun.
    known: Option<Piece>,
    /// The first reading that the rules do not know.
    next: usize,
    /// The first that need not change nothing: those before it may wait.
    until: usize,
    /// Those that wait were told by the outline.
    unread: bool,
    /// Nothing more is known of the reading at `until` than that it has not been looked at.
    open: bool,
    /// Where it stands in the queue.
    key: Option<Moment>,
}

/// The readings that wait, and those that do not.
#[derive(Debug)]
pub(crate) struct Waiting {
    cursors: Vec<Cursor>,
    /// By place in the list of tags: its place in the plant, if it has one.
    places: Vec<Option<TagIndex>>,
    /// The reverse, by place in the plant.
    tapes: Vec<Option<usize>>,
    queue: BinaryHeap<Reverse<(Moment, usize)>>,
    /// All that comes before this has happened.
    moment: Moment,
    /// Tags of which an alarm stands: an act or a deadline may look at them.
    standing: BTreeSet<usize>,
    plain: Vec<bool>,
    touched: (Vec<TagIndex>, Vec<usize>),
    pub passed: Passed,
    /// Of tags that the plant does not have.
    pub unknown: u64,
}

/// What comes next of the readings.
pub(crate) enum Next {
    /// This reading is to be taken, at its moment.
    Reading(usize, Taken, Moment),
    /// None that matters.
    None,
}

impl Waiting {
    /// Everything is still to come.
    pub fn new(places: Vec<Option<TagIndex>>, tags: usize, gateways: usize, rules: &mut Passage<'_>, tape: &mut impl Tape) -> Self {
        let mut tapes = vec![None; tags];
        for (tape, place) in places.iter().enumerate() {
            if let Some(place) = place {
                tapes[place.at()] = Some(tape);
            }
        }
        rules.watch();
        let mut waiting = Self {
            cursors: vec![Cursor::default(); places.len()],
            queue: BinaryHeap::with_capacity(places.len()),
            places,
            tapes,
            moment: (Timestamp::MIN, 0),
            standing: BTreeSet::new(),
            plain: vec![false; gateways],
            touched: Default::default(),
            passed: Passed::default(),
            unknown: 0,
        };
        for tag in 0..waiting.cursors.len() {
            waiting.look(tag, rules, tape);
        }
        waiting
    }

    /// The number of the piece that a tag is at.
    pub fn piece(&self, tag: usize) -> usize {
        self.cursors[tag].piece
    }

    /// When something comes of the readings at the earliest.
    pub fn first(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((key, tag))) = self.queue.peek() {
            if self.cursors[*tag].key == Some(*key) {
                return Some(key.0);
            }
            self.queue.pop();
        }
        None
    }

    /// Goes on to what comes first, which [`Self::first`] has said there is.
    pub fn pop(&mut self, rules: &mut Passage<'_>, tape: &mut impl Tape) -> Next {
        let Some(Reverse((key, tag))) = self.queue.pop() else { return Next::None };
        let until = self.cursors[tag].until;
        self.catch_up(tag, until, rules, tape);
        let cursor = &mut self.cursors[tag];
        cursor.key = None;
        if cursor.open || cursor.known.is_none_or(|piece| cursor.next == piece.count) {
            self.look(tag, rules, tape);
            return Next::None;
        }
        let (number, next) = (cursor.piece, cursor.next);
        let Some((taken, _)) = tape.taken(tag, number, next) else { return Next::None };
        self.moment = self.moment.max(key);
        // Whom it looks at beside its own tag.
        if let Some(place) = self.places[tag]
            && rules.looks_across(&Reading { tag: place, ..taken.reading }, taken.at)
        {
            self.catch_up_beside(place, rules, tape);
        }
        Next::Reading(tag, taken, key)
    }

    /// The reading that [`Self::pop`] gave has been taken.
    pub fn taken(&mut self, tag: usize, key: Moment, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        self.passed.singly += 1;
        let cursor = &mut self.cursors[tag];
        cursor.next += 1;
        cursor.until = cursor.next;
        self.moment = (key.0, key.1.saturating_add(1));
        self.settle(rules, tape);
        if self.cursors[tag].key.is_none() {
            self.look(tag, rules, tape);
        }
    }

    /// Deadlines of the rules are served at `now`, before any reading taken then: whatever they look at is made known.
    pub fn prepare(&mut self, now: Timestamp, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        self.moment = self.moment.max((now, 0));
        let mut tags = std::mem::take(&mut self.touched.0);
        rules.due(now, &mut tags);
        for place in tags.drain(..) {
            self.catch_up_place(place, rules, tape);
        }
        rules.falling_silent(now, &mut tags);
        for place in tags.drain(..) {
            self.catch_up_beside(place, rules, tape);
        }
        self.touched.0 = tags;
    }

    /// Somebody acts on alarms now: each that stands is made known.
    pub fn prepare_standing(&mut self, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        let standing = std::mem::take(&mut self.standing);
        for tag in &standing {
            self.catch_up_to_moment(*tag, rules, tape);
        }
        self.standing = standing;
    }

    /// All readings taken up to `now` have come.
    pub fn all_until(&mut self, now: Timestamp) {
        self.moment = self.moment.max((now + model::Duration::from_micros(1), 0));
    }

    /// Everybody may be looked at, and nothing is certain to come.
    pub fn prepare_all(&mut self, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        for tag in 0..self.cursors.len() {
            self.catch_up_to_moment(tag, rules, tape);
            if let Some(place) = self.places[tag] {
                rules.promise(place, None);
            }
        }
    }

    /// Asks anew where readings may wait.
    pub fn look_all(&mut self, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        self.settle(rules, tape);
        for tag in 0..self.cursors.len() {
            self.look(tag, rules, tape);
        }
    }

    /// Takes up what the last step has looked at: there readings may have to wait no longer, or may wait again.
    pub fn settle(&mut self, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        let (mut tags, mut gateways) = std::mem::take(&mut self.touched);
        rules.take_touched(&mut tags, &mut gateways);
        gateways.sort_unstable();
        gateways.dedup();
        for gateway in gateways.drain(..) {
            if std::mem::replace(&mut self.plain[gateway], rules.is_plain(gateway)) != self.plain[gateway] {
                tags.extend_from_slice(rules.members(gateway));
            }
        }
        tags.sort_unstable();
        tags.dedup();
        for place in tags.drain(..) {
            if let Some(tag) = self.tapes[place.at()] {
                self.catch_up_to_moment(tag, rules, tape);
                self.look(tag, rules, tape);
            }
        }
        self.touched = (tags, gateways);
    }

    fn catch_up_beside(&mut self, place: TagIndex, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        self.catch_up_place(place, rules, tape);
        let Some(gateway) = rules.gateway_of(place) else { return };
        for member in rules.members(gateway).to_vec() {
            self.catch_up_place(member, rules, tape);
        }
    }

    fn catch_up_place(&mut self, place: TagIndex, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        if let Some(tag) = self.tapes[place.at()] {
            self.catch_up_to_moment(tag, rules, tape);
        }
    }

    /// Takes in what has waited and comes before the present moment.
    fn catch_up_to_moment(&mut self, tag: usize, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        let cursor = &self.cursors[tag];
        let (Some(piece), true) = (cursor.known, cursor.until > cursor.next) else { return };
        let upto = if piece.end() < self.moment {
            piece.count
        } else if cursor.next == 0 && (piece.first.1, 0) >= self.moment {
            0
        } else {
            tape.before(tag, cursor.piece, self.moment)
        };
        self.catch_up(tag, upto.min(cursor.until), rules, tape);
    }

    fn catch_up(&mut self, tag: usize, upto: usize, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        let cursor = &mut self.cursors[tag];
        let Some(piece) = cursor.known.filter(|_| upto > cursor.next) else { return };
        let passed = (upto - cursor.next) as u64;
        let Some(place) = self.places[tag] else {
            self.unknown += passed;
            cursor.next = upto;
            return;
        };
        let last = if upto == piece.count { Some(piece.last.0) } else { tape.taken(tag, cursor.piece, upto - 1).map(|(taken, _)| taken) };
        let Some(last) = last else { return };
        cursor.next = upto;
        *(if cursor.unread { &mut self.passed.unread } else { &mut self.passed.looked_at }) += passed;
        rules.catch_up(&Reading { tag: place, ..last.reading }, last.at);
    }

    /// Asks the rules how far the readings of a tag may wait, all before them being known.
    fn look(&mut self, tag: usize, rules: &mut Passage<'_>, tape: &mut impl Tape) {
        let place = self.places[tag];
        let cursor = &mut self.cursors[tag];
        let piece = loop {
            match cursor.known {
                Some(piece) if cursor.next < piece.count => break piece,
                Some(_) => *cursor = Cursor { piece: cursor.piece + 1, ..Cursor::default() },
                None => {}
            }
            cursor.known = tape.piece(tag, cursor.piece);
            if cursor.known.is_none() {
                cursor.key = None;
                if let Some(place) = place {
                    rules.promise(place, None);
                }
                return;
            }
        };
        let (number, next) = (cursor.piece, cursor.next);
        (cursor.open, cursor.unread) = (false, true);
        cursor.until = match place {
            None => piece.count,
            Some(place) => {
                if rules.stands(place) {
                    self.standing.insert(tag);
                } else {
                    self.standing.remove(&tag);
                }
                let first = if next == 0 {
                    Some(piece.first)
                } else {
                    let columns = tape.columns(tag, number);
                    columns.map(|columns| (Timestamp(columns.source[next]), Timestamp(columns.taken[next])))
                };
                if first.is_some_and(|first| rules.nothing_changes(place, &piece.outline, first)) {
                    piece.count
                } else {
                    cursor.unread = false;
                    let to = piece.count.min(next + AHEAD);
                    let change = tape.columns(tag, number).map(|columns| rules.first_change(place, &piece.outline, &columns, next, to));
                    let Some(until) = change else {
                        // Damaged: it is as if it were not there.
                        *cursor = Cursor { piece: number, known: Some(piece), next: piece.count, ..Cursor::default() };
                        return self.look(tag, rules, tape);
                    };
                    cursor.open = until == to && to < piece.count;
                    until
                }
            }
        };
        let waits = cursor.until > next;
        let key = if cursor.until == piece.count {
            piece.end()
        } else {
            let Some((taken, rank)) = tape.taken(tag, number, cursor.until) else { return };
            (taken.at, rank)
        };
        if let Some(place) = place {
            let promised = match (waits, cursor.until == piece.count) {
                (false, _) => None,
                (true, true) => Some(piece.last.0.at),
                (true, false) => tape.taken(tag, number, cursor.until - 1).map(|(taken, _)| taken.at),
            };
            rules.promise(place, promised);
        }
        if cursor.key != Some(key) {
            cursor.key = Some(key);
            self.queue.push(Reverse((key, tag)));
        }
    }
}
