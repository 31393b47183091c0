//! Columns that are decoded no further than they need be: values stay the whole numbers they are stored as until somebody asks for one,
//! and of what nearly all readings say alike only the others are kept. That is a third of the memory, and most of it is never written.

use std::ops::Range;

/// Values of readings that follow one another.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// As they are.
    Plain(Vec<f64>),
    /// All the same, so many.
    Same(f64, usize),
    /// Whole numbers on a scale.
    Scaled(Vec<i32>, Scale),
}

impl Default for Values {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

/// How a whole number becomes a value: `(number × unit + first) / power`, each step but the last exact, so that the value is the very
/// double that its decimal text was read as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub first: f64,
    /// Above zero.
    pub unit: f64,
    pub power: f64,
}

impl Scale {
    /// Never falls where the number rises.
    #[inline]
    pub fn value(self, number: i32) -> f64 {
        (f64::from(number) * self.unit + self.first) / self.power
    }
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(values) => values.len(),
            Self::Same(_, count) => *count,
            Self::Scaled(numbers, _) => numbers.len(),
        }
    }
    pub fn view(&self) -> ValuesView<'_> {
        match self {
            Self::Plain(values) => ValuesView::Plain(values),
            Self::Same(value, _) => ValuesView::Same(*value),
            Self::Scaled(numbers, scale) => ValuesView::Scaled(numbers, *scale),
        }
    }
}

/// The same, to read.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValuesView<'a> {
    Plain(&'a [f64]),
    Same(f64),
    Scaled(&'a [i32], Scale),
}

impl ValuesView<'_> {
    #[inline]
    pub fn at(self, at: usize) -> f64 {
        match self {
            Self::Plain(values) => values[at],
            Self::Same(value) => value,
            Self::Scaled(numbers, scale) => scale.value(numbers[at]),
        }
    }
    pub fn slice(self, places: Range<usize>) -> Self {
        match self {
            Self::Plain(values) => Self::Plain(&values[places]),
            Self::Same(value) => Self::Same(value),
            Self::Scaled(numbers, scale) => Self::Scaled(&numbers[places], scale),
        }
    }
}

/// Small numbers of readings that follow one another.
#[derive(Clone, Debug)]
pub(super) enum Small<T> {
    /// One by one.
    Each(Vec<T>),
    /// So many alike, but for those at these places, ascending.
    Few(T, usize, Vec<(u32, T)>),
}

impl<T> Default for Small<T> {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl<T: Copy> Small<T> {
    pub fn len(&self) -> usize {
        match self {
            Self::Each(each) => each.len(),
            Self::Few(_, count, _) => *count,
        }
    }
    pub fn view(&self) -> SmallView<'_, T> {
        match self {
            Self::Each(each) => SmallView::Each(each),
            Self::Few(usual, _, others) => SmallView::Few { usual: *usual, others, first: 0 },
        }
    }
}

/// The same, to read.
#[derive(Clone, Copy, Debug)]
pub(super) enum SmallView<'a, T> {
    Each(&'a [T]),
    /// `first` is the place in the column at which this view begins.
    Few {
        usual: T,
        others: &'a [(u32, T)],
        first: usize,
    },
}

impl<T: Copy> SmallView<'_, T> {
    #[inline]
    pub fn at(self, at: usize) -> T {
        match self {
            Self::Each(each) => each[at],
            Self::Few { usual, others: [], .. } => usual,
            Self::Few { usual, others, first } => {
                others.binary_search_by_key(&(first + at), |(place, _)| *place as usize).map_or(usual, |found| others[found].1)
            }
        }
    }
    pub fn slice(self, places: Range<usize>) -> Self {
        match self {
            Self::Each(each) => Self::Each(&each[places]),
            Self::Few { usual, others, first } => Self::Few { usual, others, first: first + places.start },
        }
    }
}
