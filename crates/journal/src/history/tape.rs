//! The history for whoever goes through all of it, each tag at its own pace: chunk after chunk of each, decoded where that is asked for,
//! and kept until it is said to be needed no more.
//!
//! The tail of a group is decoded once for all its tags. All of it is read from one state of the file.

use super::chunk::{Columns, Own, Summary, View};
use super::reader::{Asked, Damaged, Look, members, note};
use super::stored::{Decoded, Pool, STORED, Stored, Unreadable};
use super::survey::Survey;
use super::{HistoryReading, reader::Visit};
use crate::StoreError;
use crate::sqlite::connection::failed;
use model::{TagId, TagIndex, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::ops::Range;

/// Summaries of one tag read in one go.
const AHEAD: usize = 16;
/// Readings held decoded beyond what is being read, at most; some 4 bytes each where tags share their times.
const DECODED_MAX: usize = 64_000_000;

/// Several tags of a history, from one time to another.
pub struct Tape<'r> {
    state: Transaction<'r>,
    pool: &'r mut Pool,
    damaged: &'r mut Vec<Damaged>,
    tracks: Vec<Track>,
    /// By group: what its tags have in no chunk yet.
    tails: BTreeMap<i64, BTreeMap<i64, Columns>>,
    from: Timestamp,
    to: Timestamp,
    /// Memory of pieces that are needed no more.
    spare: Vec<(Own, Survey)>,
    decoded: usize,
    passed: u64,
}

/// One tag.
struct Track {
    tag: TagId,
    /// Its stored id and its group; none where it never had a reading.
    stored: Option<(i64, i64)>,
    /// All there is of it has been met.
    ended: bool,
    segment: i64,
    ahead: VecDeque<Stored>,
    /// The number of the first of the pieces that are still needed.
    first: usize,
    pieces: VecDeque<Piece>,
}

struct Piece {
    /// Of the readings that are asked for; without its parts.
    summary: Summary,
    /// Which those are, where they are not all.
    places: Option<Range<usize>>,
    held: Held,
    /// Taken when it is decoded.
    survey: Survey,
}

enum Held {
    Stored(Stored),
    Decoded(Stored, Decoded),
    Tail(Columns),
    Damaged,
}

impl Piece {
    fn new(summary: Summary, places: Option<Range<usize>>, held: Held) -> Self {
        let mut piece = Self { summary: Summary { parts: Vec::new(), ..summary }, places, held, survey: Survey::default() };
        piece.look(Survey::default());
        piece
    }
    /// Looks at all readings if they are decoded, in the memory of `survey`.
    fn look(&mut self, mut survey: Survey) {
        if let Some(view) = self.view() {
            survey.take(view);
            self.survey = survey;
        }
    }
    fn count(&self) -> usize {
        self.summary.all.count as usize
    }
    fn view(&self) -> Option<View<'_>> {
        let view = match &self.held {
            Held::Decoded(_, decoded) => decoded.view(),
            Held::Tail(columns) => columns.view(),
            Held::Stored(_) | Held::Damaged => return None,
        };
        Some(match &self.places {
            Some(places) => view.slice(places.clone()),
            None => view,
        })
    }
}

impl<'r> Tape<'r> {
    pub(super) fn new(
        state: Transaction<'r>,
        pool: &'r mut Pool,
        damaged: &'r mut Vec<Damaged>,
        tags: &[TagId],
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Self, StoreError> {
        let mut tracks = Vec::with_capacity(tags.len());
        for tag in tags {
            let stored = state
                .prepare_cached("SELECT id, grp FROM tags WHERE enterprise = ?1 AND tag = ?2")
                .and_then(|mut statement| {
                    statement.query_row(params![tag.enterprise.as_str(), tag.tag], |row| Ok((row.get(0)?, row.get(1)?))).optional()
                })
                .map_err(failed)?;
            let (ahead, pieces) = (VecDeque::new(), VecDeque::new());
            tracks.push(Track { tag: tag.clone(), stored, ended: false, segment: i64::MIN, ahead, first: 0, pieces });
        }
        let (tails, spare) = (BTreeMap::new(), Vec::new());
        Ok(Self { state, pool, damaged, tracks, tails, from, to, spare, decoded: 0, passed: 0 })
    }

    /// How many readings there are; what lies across an end, and what a group has in its tail beside other tags, is estimated.
    pub fn count(&self) -> Result<u64, StoreError> {
        let tags: BTreeSet<i64> = self.tracks.iter().filter_map(|track| track.stored).map(|(id, _)| id).collect();
        let mut groups: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (id, group, _) in members(&self.state).map_err(failed)? {
            let (ours, all) = groups.entry(group).or_default();
            *ours += f64::from(u8::from(tags.contains(&id)));
            *all += 1.0;
        }
        let inside = |first: i64, last: i64| {
            let (begin, end) = (first.max(self.from.0), last.min(self.to.0));
            let share = (end.saturating_sub(begin) as f64 + 1.0) / (last.saturating_sub(first) as f64 + 1.0);
            share.clamp(0.0, 1.0)
        };
        let span = [self.from.0, self.to.0];
        let mut count = 0.0;
        let chunks = "SELECT first_taken, last_taken, tag, summary FROM chunks WHERE first_taken < ?2 AND last_taken >= ?1";
        let mut statement = self.state.prepare(chunks).map_err(failed)?;
        let mut rows = statement.query(span).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if tags.contains(&row.get(2).map_err(failed)?) {
                let readings = row.get_ref(3).ok().and_then(|blob| blob.as_blob().ok()).and_then(Summary::count_of).unwrap_or(0);
                count += f64::from(readings) * inside(row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
            }
        }
        let tail = "SELECT first_taken, last_taken, grp, readings FROM tail WHERE first_taken < ?2 AND last_taken >= ?1";
        let mut statement = self.state.prepare(tail).map_err(failed)?;
        let mut rows = statement.query(span).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let (ours, all) = groups.get(&row.get(2).map_err(failed)?).copied().unwrap_or((0.0, 1.0));
            let readings: i64 = row.get(3).map_err(failed)?;
            count += readings as f64 * ours / all * inside(row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
        }
        Ok(count as u64)
    }

    /// What is known of a piece of a tag without decoding it, of the readings asked for; none behind the last. Pieces follow one another
    /// in the order in which they were taken.
    pub fn summary(&mut self, tag: usize, piece: usize) -> Result<Option<&Summary>, StoreError> {
        while self.tracks[tag].first + self.tracks[tag].pieces.len() <= piece {
            if !self.load(tag)? {
                return Ok(None);
            }
        }
        let track = &self.tracks[tag];
        Ok(piece.checked_sub(track.first).and_then(|at| track.pieces.get(at)).map(|piece| &piece.summary))
    }

    /// The readings of a piece that [`Self::summary`] was asked of, and what was found out about them; none where they are damaged.
    pub fn view(&mut self, tag: usize, piece: usize) -> Result<Option<(View<'_>, &Survey)>, StoreError> {
        let track = &mut self.tracks[tag];
        let Some(piece) = piece.checked_sub(track.first).and_then(|at| track.pieces.get_mut(at)) else { return Ok(None) };
        if matches!(piece.held, Held::Stored(_))
            && let Held::Stored(stored) = std::mem::replace(&mut piece.held, Held::Damaged)
        {
            let (own, survey) = self.spare.pop().unwrap_or_default();
            match self.pool.decode(&self.state, &stored, own) {
                Ok(decoded) => {
                    self.decoded += piece.count();
                    piece.held = Held::Decoded(stored, decoded);
                    piece.look(survey);
                }
                Err(Unreadable::Damage(why)) => {
                    let (from, to) = (piece.summary.first_taken, piece.summary.last_taken);
                    note(self.damaged, Damaged { tag: Some(track.tag.clone()), from, to, why });
                }
                Err(Unreadable::Store(error)) => return Err(error),
            }
        }
        Ok(piece.view().map(|view| (view, &piece.survey)))
    }

    /// Pieces of a tag before this one are needed no more.
    pub fn forget(&mut self, tag: usize, before: usize) {
        let track = &mut self.tracks[tag];
        while track.first < before
            && let Some(piece) = track.pieces.pop_front()
        {
            track.first += 1;
            self.passed += piece.count() as u64;
            if let Held::Decoded(_, decoded) = piece.held {
                self.decoded -= piece.summary.all.count as usize;
                self.spare.push((decoded.into_own(), piece.survey));
            }
        }
    }

    /// Forgets what was decoded where that is too much to be kept.
    pub fn relieve(&mut self) {
        if self.decoded <= DECODED_MAX {
            return;
        }
        for piece in self.tracks.iter_mut().flat_map(|track| &mut track.pieces) {
            piece.held = match std::mem::replace(&mut piece.held, Held::Damaged) {
                Held::Decoded(stored, _) => Held::Stored(stored),
                held => held,
            };
        }
        self.decoded = 0;
    }

    /// How many readings of the pieces met so far were taken before a time, those of forgotten ones included; of a piece across that time a
    /// share is estimated.
    pub fn passed_until(&self, now: Timestamp) -> u64 {
        let share = |summary: &Summary| {
            let (first, last) = (summary.first_taken, summary.last_taken);
            match (last < now, first < now) {
                (true, _) => 1.0,
                (_, true) => now.since(first).0 as f64 / last.since(first).0.max(1) as f64,
                _ => 0.0,
            }
        };
        let held = self.tracks.iter().flat_map(|track| &track.pieces);
        self.passed + held.map(|piece| (piece.count() as f64 * share(&piece.summary)) as u64).sum::<u64>()
    }

    /// When the first reading of all tags after `after` was taken. Of pieces that were forgotten nothing is known.
    pub fn next_taken(&mut self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut next = None;
        for tag in 0..self.tracks.len() {
            let mut piece = self.tracks[tag].first;
            while let Some(summary) = self.summary(tag, piece)? {
                let (first, last) = (summary.first_taken, summary.last_taken);
                if last > after {
                    let within = match first > after {
                        true => Some(first.0),
                        false => self.view(tag, piece)?.and_then(|(view, _)| {
                            let at = view.taken.partition_point(|taken| *taken <= after.0);
                            view.taken.get(at).copied()
                        }),
                    };
                    next = [next, within.map(Timestamp)].into_iter().flatten().min();
                    break;
                }
                piece += 1;
            }
        }
        Ok(next)
    }

    /// Every reading in the order in which the engine took them.
    pub(super) fn merge<E: From<StoreError>>(mut self, mut visit: impl FnMut(&HistoryReading) -> Result<Visit, E>) -> Result<(), E> {
        let mut places = vec![(0_usize, 0_usize); self.tracks.len()];
        let mut queue = BinaryHeap::with_capacity(places.len());
        for (tag, place) in places.iter_mut().enumerate() {
            queue.extend(self.next_row(tag, place)?.map(|row| Reverse((row, tag))));
        }
        while let Some(Reverse((_, tag))) = queue.pop() {
            let (piece, place) = &mut places[tag];
            if let Some((view, _)) = self.view(tag, *piece)?
                && visit(&view.reading(*place, TagIndex(tag as u32)))?.is_break()
            {
                return Ok(());
            }
            *place += 1;
            queue.extend(self.next_row(tag, &mut places[tag])?.map(|row| Reverse((row, tag))));
        }
        Ok(())
    }

    /// Where the reading at a place of a piece, or the first behind that piece, stands in the order.
    fn next_row(&mut self, tag: usize, (piece, place): &mut (usize, usize)) -> Result<Option<(i64, u32)>, StoreError> {
        while self.summary(tag, *piece)?.is_some() {
            if let Some((view, _)) = self.view(tag, *piece)?
                && let Some(taken) = view.taken.get(*place)
            {
                return Ok(Some((*taken, view.rank(*place))));
            }
            (*piece, *place) = (*piece + 1, 0);
            self.forget(tag, *piece);
        }
        Ok(None)
    }

    /// One more piece of a tag; false when there is none.
    fn load(&mut self, tag: usize) -> Result<bool, StoreError> {
        loop {
            let track = &mut self.tracks[tag];
            let Some((id, group)) = track.stored.filter(|_| !track.ended) else { return Ok(false) };
            if track.ahead.is_empty() {
                let sql = format!(
                    "SELECT {STORED}, segment FROM chunks WHERE tag = ?1 AND segment > ?2 AND {} ORDER BY segment LIMIT {AHEAD}",
                    "first_taken < ?4 AND last_taken >= ?3"
                );
                let mut statement = self.state.prepare_cached(&sql).map_err(failed)?;
                let mut rows = statement.query([id, track.segment, self.from.0, self.to.0]).map_err(failed)?;
                while let Some(row) = rows.next().map_err(failed)? {
                    track.ahead.push_back(Stored::read(row).map_err(failed)?);
                    track.segment = row.get(6).map_err(failed)?;
                }
            }
            let held = match track.ahead.pop_front() {
                Some(stored) => Held::Stored(stored),
                None => {
                    track.ended = true;
                    if !self.tails.contains_key(&group) {
                        let asked = Asked::Taken(self.from, self.to);
                        let mut look = Look { connection: &self.state, pool: self.pool, damaged: self.damaged, asked };
                        let tail = look.tail(group)?;
                        self.tails.insert(group, tail);
                    }
                    match self.tails.get_mut(&group).and_then(|tail| tail.remove(&id)) {
                        Some(columns) => Held::Tail(columns),
                        None => return Ok(false),
                    }
                }
            };
            if let Some(piece) = self.piece(tag, held)? {
                self.tracks[tag].pieces.push_back(piece);
                return Ok(true);
            }
        }
    }

    /// A piece of what is asked for, if any of that lies in it.
    fn piece(&mut self, tag: usize, held: Held) -> Result<Option<Piece>, StoreError> {
        let (from, to) = (self.from, self.to);
        if let Held::Stored(stored) = &held
            && let Ok(summary) = &stored.summary
            && summary.first_taken >= from
            && summary.last_taken < to
        {
            let summary = summary.clone();
            return Ok(Some(Piece::new(summary, None, held)));
        }
        let held = match held {
            Held::Stored(stored) => match self.pool.decode(&self.state, &stored, Own::default()) {
                Ok(decoded) => Held::Decoded(stored, decoded),
                Err(Unreadable::Damage(why)) => {
                    let tag = Some(self.tracks[tag].tag.clone());
                    note(self.damaged, Damaged { tag, from: stored.first_taken, to: stored.last_taken, why });
                    return Ok(None);
                }
                Err(Unreadable::Store(error)) => return Err(error),
            },
            held => held,
        };
        let view = match &held {
            Held::Decoded(_, decoded) => decoded.view(),
            Held::Tail(columns) => columns.view(),
            Held::Stored(_) | Held::Damaged => return Ok(None),
        };
        let places = view.places(from, to);
        let Some(summary) = Summary::of(view.slice(places.clone())) else { return Ok(None) };
        if matches!(held, Held::Decoded(..)) {
            self.decoded += places.len();
        }
        Ok(Some(Piece::new(summary, Some(places), held)))
    }
}
