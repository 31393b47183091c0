//! One look at the readings of a piece, when it is decoded and lies in the cache.

use super::chunk::{ODD, View};

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
        let blocks = view.value.chunks(BLOCK_READINGS).zip(view.flags.chunks(BLOCK_READINGS));
        for (at, (values, flags)) in blocks.enumerate() {
            self.bounds.push(bounds(values));
            let is_plain = flags.iter().fold(0, |all, flags| all | flags) & ODD == 0 && are_finite(values);
            if !is_plain {
                let first = at * BLOCK_READINGS;
                let places = first..first + values.len();
                self.odd.extend(places.filter(|place| view.is_odd(*place)).map(|place| place as u32));
            }
        }
    }
}

/// Several at a time, as a processor does it.
const LANES: usize = 8;

fn bounds(values: &[f64]) -> (f64, f64) {
    let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut take = |values: &[f64]| {
        for ((value, low), high) in values.iter().zip(&mut low).zip(&mut high) {
            // Unlike `f64::min` one instruction: NaN is never lower or higher.
            *low = if *value < *low { *value } else { *low };
            *high = if *value > *high { *value } else { *high };
        }
    };
    let lanes = values.chunks_exact(LANES);
    take(lanes.remainder());
    lanes.for_each(&mut take);
    (low.into_iter().fold(f64::INFINITY, f64::min), high.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// False where one is not; also where only their sum is not, which costs a closer look.
fn are_finite(values: &[f64]) -> bool {
    let mut sums = [0.0; LANES];
    for values in values.chunks(LANES) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().all(|sum| sum.is_finite())
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
