//! What a value did over a stretch of time: its mean, and how fast it went, in bounded memory.
//!
//! The stretch is kept as a few segments, each with the value at its beginning and what was measured in it; a reading within a segment
//! adds to it. So a window of a day with a reading every second costs as much as one of a minute. A value holds until the next one;
//! over a bad stretch it does not. A window that is less than half known says nothing.

use crate::program::{Quality, Sample};

/// Segments of one window: the mean is exact, the window's length is to one part of this.
const SEGMENTS: i64 = 24;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    start: i64,
    /// The value at its start.
    first: f64,
    /// Value times seconds known in it.
    sum: f64,
    /// Microseconds known in it.
    known: i64,
}

/// A stretch of time that ends with the newest value.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    length: i64,
    segments: Vec<Segment>,
    /// Time of the newest value, and the value unless it was bad.
    last: Option<(i64, Option<f64>)>,
}

/// A window as plain numbers, to be stored: segments (start, value at the start, value times seconds, known) and the newest.
pub type WindowParts = (Vec<(i64, f64, f64, i64)>, Option<(i64, Option<f64>)>);

impl Window {
    /// An empty one of this many microseconds.
    pub fn new(length: i64) -> Self {
        Self { length: length.clamp(crate::WINDOW_MICROS_MIN, crate::WINDOW_MICROS_MAX), segments: Vec::new(), last: None }
    }

    /// Takes a value in that was measured at `time` (microseconds); one older than the newest is left out.
    pub fn push(&mut self, time: i64, value: Sample) {
        let value = (value.quality != Quality::Bad && value.value.is_finite()).then_some(value.value);
        if self.last.is_some_and(|(last, _)| time < last) {
            return;
        }
        if let (Some((last, Some(held))), Some(open)) = (self.last, self.segments.last_mut()) {
            let passed = time.saturating_sub(last);
            if passed >= self.length {
                // Held for the whole of it: nothing before matters.
                let sum = held * (self.length as f64 / 1e6);
                self.segments = vec![Segment { start: time.saturating_sub(self.length), first: held, sum, known: self.length }];
            } else {
                open.sum += held * (passed as f64 / 1e6);
                open.known = open.known.saturating_add(passed);
            }
        }
        self.last = Some((time, value));
        let begin = time.saturating_sub(self.length);
        // One whose end lies before the window, which only a bad stretch leaves behind, has nothing to say.
        self.segments.retain(|part| part.start.saturating_add(part.known) >= begin);
        if let Some(value) = value {
            let spacing = self.length / SEGMENTS;
            match self.segments.last_mut() {
                // Another value of the same instant takes its place.
                Some(open) if time == open.start => open.first = value,
                Some(open) if time.saturating_sub(open.start) < spacing => {}
                _ => self.segments.push(Segment { start: time, first: value, sum: 0.0, known: 0 }),
            }
        }
        let old = self.segments.iter().skip(1).take_while(|part| part.start <= begin).count();
        self.segments.drain(..old);
    }

    /// The mean over the time that is known; bad while that is less than half of the window.
    pub fn mean(&self) -> Sample {
        let Some((time, last)) = self.last else { return Sample::BAD };
        let begin = time.saturating_sub(self.length);
        let (mut sum, mut known) = (0.0, 0.0);
        for (at, part) in self.segments.iter().enumerate() {
            let end = self.segments.get(at + 1).map_or(time, |next| next.start);
            // Of the one that began before the window, the share within.
            let whole = end.saturating_sub(part.start) as f64;
            let share = if part.start < begin && whole > 0.0 { (end.saturating_sub(begin) as f64 / whole).clamp(0.0, 1.0) } else { 1.0 };
            sum += part.sum * share;
            known += part.known as f64 * share;
        }
        if known <= 0.0 || known < self.length as f64 / 2.0 {
            return Sample::BAD;
        }
        let quality = if last.is_some() { Quality::Good } else { Quality::Uncertain };
        Sample::new(sum / (known / 1e6), quality)
    }

    /// The change per second between the ends; bad while they are less than half a window apart or the newest value is bad.
    pub fn rate(&self) -> Sample {
        let (Some((time, Some(last))), Some(first)) = (self.last, self.segments.first()) else { return Sample::BAD };
        let apart = time.saturating_sub(first.start);
        if apart < self.length / 2 || apart <= 0 {
            return Sample::BAD;
        }
        Sample::new((last - first.first) / (apart as f64 / 1e6), Quality::Good)
    }

    /// As plain numbers.
    pub fn parts(&self) -> WindowParts {
        (self.segments.iter().map(|part| (part.start, part.first, part.sum, part.known)).collect(), self.last)
    }

    /// Goes on where [`Self::parts`] was taken; what does not fit is left out.
    pub fn resume(&mut self, parts: WindowParts) {
        let (segments, last) = parts;
        let ordered = segments.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        let finite = segments.iter().all(|(_, first, sum, known)| first.is_finite() && sum.is_finite() && *known >= 0);
        if ordered && finite && segments.len() <= 2 * SEGMENTS as usize {
            self.segments = segments.into_iter().map(|(start, first, sum, known)| Segment { start, first, sum, known }).collect();
            self.last = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn good(value: f64) -> Sample {
        Sample::new(value, Quality::Good)
    }

    #[test]
    fn a_window_needs_half_its_length_before_it_says_anything() {
        let mut window = Window::new(60 * SECOND);
        window.push(0, good(10.0));
        window.push(29 * SECOND, good(20.0));
        assert_eq!(window.rate(), Sample::BAD);
        assert_eq!(window.mean(), Sample::BAD);
        window.push(30 * SECOND, good(40.0));
        assert_eq!(window.rate(), good(1.0));
        assert_eq!(window.mean().quality, Quality::Good);
        assert!((window.mean().value - (10.0 * 29.0 + 20.0) / 30.0).abs() < 1e-9);
    }

    #[test]
    fn a_ramp_has_its_rate_and_the_mean_of_its_middle_whatever_the_sampling() {
        for every in [1, 5, 17] {
            let mut window = Window::new(600 * SECOND);
            let mut at = 0;
            while at <= 3_600 {
                window.push(at * SECOND, good(at as f64 * 0.5));
                at += every;
            }
            let end = (at - every) as f64;
            assert!((window.rate().value - 0.5).abs() < 1e-9, "every {every}");
            assert!((window.mean().value - (end - 300.0) * 0.5).abs() < 0.5 * 30.0, "every {every}: {:?}", window.mean());
            assert!(window.segments.len() <= SEGMENTS as usize + 2, "bounded");
        }
    }

    #[test]
    fn a_bad_stretch_is_not_part_of_the_mean_and_has_no_rate() {
        let mut window = Window::new(60 * SECOND);
        window.push(0, good(10.0));
        window.push(40 * SECOND, Sample::BAD);
        assert_eq!(window.rate(), Sample::BAD);
        assert_eq!(window.mean(), Sample::new(10.0, Quality::Uncertain));
        window.push(50 * SECOND, good(10.0));
        assert_eq!(window.mean(), good(10.0));
    }

    #[test]
    fn a_value_held_for_longer_than_the_window_is_its_mean() {
        let mut window = Window::new(60 * SECOND);
        window.push(0, good(10.0));
        window.push(36_000 * SECOND, good(40.0));
        assert_eq!(window.mean(), good(10.0));
        assert_eq!(window.rate(), good(0.5));
    }

    #[test]
    fn what_is_stored_goes_on_as_if_nothing_had_been() {
        let (mut one, mut two) = (Window::new(60 * SECOND), Window::new(60 * SECOND));
        for at in 0..50 {
            one.push(at * SECOND, good((at * at) as f64));
        }
        two.resume(one.parts());
        assert_eq!(one, two);
        two.resume((vec![(0, f64::NAN, 0.0, 0)], None));
        assert_eq!(one, two, "damaged numbers are left out");
    }
}
