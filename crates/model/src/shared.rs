//! What many say alike, kept once.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value with any number of holders. It reads like the value itself; whoever changes it gets a copy of its own first, if it has other
/// holders. Two that are one are equal without being compared, so `T` holds nothing that differs from itself, such as NaN.
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Whether both are one.
    pub fn is_one(this: &Self, other: &Self) -> bool {
        Arc::ptr_eq(&this.0, &other.0)
    }
    /// Whether anybody else holds it too.
    pub fn has_others(this: &Self) -> bool {
        Arc::strong_count(&this.0) > 1
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Self::is_one(self, other) || **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> FromIterator<T> for Shared<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::from(Vec::from_iter(values))
    }
}

impl<'a, T> IntoIterator for &'a Shared<Vec<T>> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: Clone> IntoIterator for &'a mut Shared<Vec<T>> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_what_is_shared_changes_it_for_itself_only() {
        let one = Shared::from(vec![1, 2]);
        let mut other = one.clone();
        assert!(Shared::is_one(&one, &other) && one == other);
        other.push(3);
        assert_eq!((one.len(), other.len()), (2, 3));
        assert!(one != other && !Shared::is_one(&one, &other));
        let place = other.as_ptr();
        other[0] = 7;
        assert_eq!(other.as_ptr(), place, "what nobody else holds is changed where it is");
        assert_eq!(one, Shared::from(vec![1, 2]), "what is alike is equal, one or not");
    }
}
