//! The history as a backtest goes through it: tag by tag, what changes nothing unread where its summary is enough.

use journal::StoreError;
use journal::history::{self, Summary};
use model::{Duration, TagIndex, Timestamp};
use rules::{Columns, Outline};
use tuning::backtest::{Run, Taken};
use tuning::passage::{Moment, Piece, Tape};
use tuning::report::Trace;

/// Readings that all runs go on by before what they no longer need is forgotten.
const STRIDE: u64 = 500_000;
/// A short record is gone through in so many steps all the same, so that its progress is seen.
const STRIDES_MIN: u64 = 20;

// The survey of a piece is what the rules look at.
const _: () = assert!(history::BLOCK_READINGS == rules::BLOCK);

/// The tags of a history. What goes wrong on the way is kept until [`Self::check`].
pub struct HistoryTape<'r> {
    tape: history::Tape<'r>,
    tags: usize,
    error: Option<StoreError>,
    /// By tag: its curve, and how many of its pieces are in it.
    drawn: Option<Vec<(Option<Trace>, usize)>>,
    span: (Timestamp, Timestamp),
    /// Up to where progress was told last, and how many readings that was.
    told: (Timestamp, u64),
}

impl<'r> HistoryTape<'r> {
    /// Of so many tags from one time to another; `draws` where their curves are wanted.
    pub fn new(tape: history::Tape<'r>, tags: usize, span: (Timestamp, Timestamp), draws: bool) -> Self {
        Self { tape, tags, error: None, drawn: draws.then(|| (0..tags).map(|_| (None, 0)).collect()), span, told: (span.0, 0) }
    }

    /// How many readings there are.
    pub fn count(&self) -> Result<u64, StoreError> {
        self.tape.count()
    }

    /// All runs go on up to `until` together. `passed` is told after each of them how many readings lie behind, each run counted for its
    /// share.
    pub fn pass(
        &mut self,
        runs: &mut [Run],
        from: Timestamp,
        until: Timestamp,
        count: u64,
        mut passed: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let whole = self.span.1.since(self.span.0).0.max(1);
        let readings = STRIDE.min((count / STRIDES_MIN).max(1));
        let stride = Duration((whole as f64 * readings as f64 / count.max(1) as f64).max(1e6) as i64);
        let mut now = from;
        while now < until {
            now = (now + stride).min(until);
            // Thousands of acts make thousands of short steps: not each of them is told.
            let tells = now.since(self.told.0) >= Duration(stride.0 / 2);
            let of_all = runs.len().max(1) as u64;
            for (done, run) in (1..).zip(runs.iter_mut()) {
                run.pass(self, now);
                if tells {
                    // The first run has met every piece up to here.
                    passed(self.told.1 + self.tape.passed_until(now).saturating_sub(self.told.1) * done / of_all);
                }
            }
            for tag in 0..self.tags {
                let needed = runs.iter().map(|run| run.piece(tag)).min().unwrap_or(0);
                self.tape.forget(tag, needed);
            }
            self.tape.relieve();
            if tells {
                self.told = (now, self.tape.passed_until(now));
            }
            self.check()?;
        }
        Ok(())
    }

    /// When the first reading after a time was taken.
    pub fn next_taken(&mut self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.tape.next_taken(after)
    }

    /// What went wrong, if anything did.
    pub fn check(&mut self) -> Result<(), StoreError> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// The curves of all tags.
    pub fn into_drawn(self) -> Vec<Option<Trace>> {
        self.drawn.unwrap_or_default().into_iter().map(|(trace, _)| trace).collect()
    }

    fn kept<T: Default>(&mut self, result: Result<T, StoreError>) -> T {
        result.unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            T::default()
        })
    }

    /// Adds the pieces of a tag up to this one to its curve.
    fn draw(&mut self, tag: usize, number: usize) -> Result<(), StoreError> {
        let Some((trace, drawn)) = self.drawn.as_mut().and_then(|drawn| drawn.get_mut(tag)) else { return Ok(()) };
        while *drawn <= number {
            if let Some((view, _)) = self.tape.view(tag, *drawn)? {
                let trace = trace.get_or_insert_with(|| Trace::new(self.span.0, self.span.1));
                view.source.iter().enumerate().for_each(|(at, source)| trace.add(Timestamp(*source), view.value(at)));
            }
            *drawn += 1;
        }
        Ok(())
    }
}

impl Tape for HistoryTape<'_> {
    fn piece(&mut self, tag: usize, number: usize) -> Option<Piece> {
        let piece = self.tape.summary(tag, number).map(|summary| summary.map(piece));
        let piece = self.kept(piece)?;
        let drawn = self.draw(tag, number);
        self.kept(drawn);
        Some(piece)
    }
    fn columns(&mut self, tag: usize, number: usize) -> Option<Columns<'_, impl Fn(usize) -> f64>> {
        match self.tape.view(tag, number) {
            Ok(view) => view.map(|(view, survey)| Columns {
                source: view.source,
                receive: view.receive,
                taken: view.taken,
                value: move |at| view.value(at),
                bounds: &survey.bounds,
                odd: &survey.odd,
            }),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }
    fn taken(&mut self, tag: usize, number: usize, place: usize) -> Option<(Taken, u32)> {
        let row = self.tape.view(tag, number).map(|view| view.map(|(view, _)| view.reading(place, TagIndex(tag as u32))));
        let row = self.kept(row)?;
        Some((Taken { reading: row.reading, at: row.taken, under_test: row.under_test }, row.rank))
    }
    fn before(&mut self, tag: usize, number: usize, (at, rank): Moment) -> usize {
        let before = self.tape.view(tag, number).map(|view| {
            view.map(|(view, _)| {
                let first = view.taken.partition_point(|taken| *taken < at.0);
                let same = view.taken[first..].iter().take_while(|taken| **taken == at.0).count();
                (first..first + same).find(|place| view.rank(*place) >= rank).unwrap_or(first + same)
            })
        });
        self.kept(before).unwrap_or(0)
    }
}

/// What a summary says of its chunk.
fn piece(summary: &Summary) -> Piece {
    let wait = (Duration(summary.wait_min), Duration(summary.wait_max));
    let age = (Duration(summary.delay_min.saturating_add(wait.0.0)), Duration(summary.delay_max.saturating_add(wait.1.0)));
    Piece {
        count: summary.all.count as usize,
        outline: Outline {
            low: summary.lowest,
            high: summary.highest,
            is_plain: summary.is_plain(),
            is_climbing: summary.not_newer == 0,
            age,
            waited: wait,
            gap_max: Duration(summary.taken_gap_max),
        },
        first: (summary.first_source, summary.first_taken),
        last: (Taken { reading: summary.last(), at: summary.last_taken, under_test: summary.under_test > 0 }, summary.last_rank),
    }
}
