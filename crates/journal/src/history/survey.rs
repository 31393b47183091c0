//! One look at the readings of a piece, when it is decoded and lies in the cache.

use super::chunk::{ODD, View};
use super::lean::{SmallView, ValuesView};
use std::ops::Range;

/// Readings that one pair of [`Survey::bounds`] covers.
pub const BLOCK_READINGS: usize = 64;

/// What is found out about the readings of a [`View`] by looking at each once, so that most need not be looked at again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Lowest and highest value of each [`BLOCK_READINGS`] from the first on, the last block what is left. NaN is left out.
    pub bounds: Vec<(f64, f64)>,
    /// Places of readings that are not good, have no finite value, or were taken while their tag was under test; ascending.
    pub odd: Vec<u32>,
}

impl Survey {
    /// Forgets what it holds and looks at all readings of a view.
    pub(super) fn take(&mut self, view: View<'_>) {
        self.bounds.clear();
        self.odd.clear();
        for first in (0..view.len()).step_by(BLOCK_READINGS) {
            let places = first..view.len().min(first + BLOCK_READINGS);
            let (bounds, are_finite) = match view.values.slice(places.clone()) {
                ValuesView::Plain(values) => look(values),
                ValuesView::Same(value) => look(&[value]),
                ValuesView::Scaled(numbers, scale) => {
                    let (low, high) =
                        numbers.iter().fold((i32::MAX, i32::MIN), |(low, high), number| (low.min(*number), high.max(*number)));
                    ((scale.value(low), scale.value(high)), true)
                }
            };
            self.bounds.push(bounds);
            let is_plain = are_finite && are_plain(view, places.clone());
            if !is_plain {
                self.odd.extend(places.filter(|place| view.is_odd(*place)).map(|place| place as u32));
            }
        }
    }
}

/// Whether the flags of some readings say nothing odd; false also where they do not say it at a glance.
fn are_plain(view: View<'_>, places: Range<usize>) -> bool {
    match view.flags.slice(places.clone()) {
        SmallView::Each(flags) => flags.iter().fold(0, |all, flags| all | flags) & ODD == 0,
        SmallView::Few { usual, others, first } => {
            let other = others.partition_point(|(place, _)| (*place as usize) < first);
            usual & ODD == 0 && others.get(other).is_none_or(|(place, _)| *place as usize >= first + places.len())
        }
    }
}

/// Values looked at side by side, in as many registers as there are.
const LANES: usize = 4;

/// The bounds of some values, and whether their sums are finite, as they are not where a value is not.
///
/// Written so that a comparison is one instruction, which `f64::min` is not: it has to tell NaN from the rest.
fn look(values: &[f64]) -> ((f64, f64), bool) {
    let (mut low, mut high, mut sum) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES], [0.0_f64; LANES]);
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        for lane in 0..LANES {
            let value = values[lane];
            low[lane] = if value < low[lane] { value } else { low[lane] };
            high[lane] = if value > high[lane] { value } else { high[lane] };
            sum[lane] += value;
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        (low[lane], high[lane]) = (low[lane].min(*value), high[lane].max(*value));
        sum[lane] += value;
    }
    let bounds = (low.into_iter().fold(f64::INFINITY, f64::min), high.into_iter().fold(f64::NEG_INFINITY, f64::max));
    (bounds, sum.into_iter().all(f64::is_finite))
}

#[cfg(test)]
mod tests {
    use super::super::HistoryReading;
    use super::super::chunk::Columns;
    use super::*;
    use model::{Quality, Reading, TagIndex, Timestamp};
    use proptest::prelude::*;

    fn any_reading() -> impl Strategy<Value = HistoryReading> {
        let usual = (-50_i32..50).prop_map(f64::from);
        let value = prop_oneof![40 => usual, 1 => any::<u64>().prop_map(f64::from_bits), 1 => Just(f64::MAX), 1 => Just(f64::NAN)];
        let quality = prop_oneof![40 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
        (value, quality, prop::bool::weighted(0.02)).prop_map(|(value, quality, under_test)| HistoryReading {
            reading: Reading { tag: TagIndex(0), source_time: Timestamp(0), receive_time: Timestamp(0), value, quality, sequence: Some(1) },
            taken: Timestamp(0),
            rank: 0,
            under_test,
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_a_look_at_each_finds(rows in prop::collection::vec(any_reading(), 0..300)) {
            let mut columns = Columns::default();
            rows.iter().for_each(|row| columns.push(row));
            let mut survey = Survey { bounds: vec![(1.0, 2.0)], odd: vec![7] };
            survey.take(columns.view());
            let odd = (0..rows.len()).filter(|at| columns.view().is_odd(*at)).map(|at| at as u32).collect::<Vec<_>>();
            prop_assert_eq!(survey.odd, odd);
            let bounds = rows.chunks(BLOCK_READINGS).map(|rows| {
                let values = || rows.iter().map(|row| row.reading.value);
                (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
            });
            prop_assert_eq!(survey.bounds, bounds.collect::<Vec<_>>());
        }
    }
}
