//! An allocator that counts, for benchmarks of memory. No program that runs in a plant links it.
//!
//! It is a crate of its own because [`GlobalAlloc`] is an unsafe trait and all others forbid unsafe code. Everything is handed on to the
//! system's allocator as it came.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, counted. To be made the `#[global_allocator]`.
#[derive(Debug, Default)]
pub struct Counting {
    bytes: AtomicUsize,
    blocks: AtomicUsize,
}

/// What is allocated at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Bytes, as asked for.
    pub bytes: usize,
    /// Allocations; each takes a few bytes more than was asked for.
    pub blocks: usize,
}

impl std::ops::Sub for Count {
    type Output = Self;
    fn sub(self, before: Self) -> Self {
        Self { bytes: self.bytes.wrapping_sub(before.bytes), blocks: self.blocks.wrapping_sub(before.blocks) }
    }
}

impl Counting {
    /// Nothing is allocated yet.
    pub const fn new() -> Self {
        Self { bytes: AtomicUsize::new(0), blocks: AtomicUsize::new(0) }
    }
    /// What is allocated now, by all threads.
    pub fn count(&self) -> Count {
        Count { bytes: self.bytes.load(Relaxed), blocks: self.blocks.load(Relaxed) }
    }
    fn took(&self, place: *mut u8, bytes: usize) -> *mut u8 {
        if !place.is_null() {
            self.bytes.fetch_add(bytes, Relaxed);
            self.blocks.fetch_add(1, Relaxed);
        }
        place
    }
    fn gave(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
        self.blocks.fetch_sub(1, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator with the arguments it came with, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what the caller promises is what `System` asks for.
        self.took(unsafe { System.alloc(layout) }, layout.size())
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        self.took(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        self.gave(layout.size());
        // SAFETY: as above; the place came from `System`.
        unsafe { System.dealloc(place, layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above; the place came from `System`.
        let moved = unsafe { System.realloc(place, layout, bytes) };
        if !moved.is_null() {
            self.bytes.fetch_add(bytes, Relaxed);
            self.bytes.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_given_back_is_counted() {
        let counting = Counting::new();
        let (small, large) = (Layout::new::<[u8; 24]>(), Layout::new::<[u8; 100]>());
        // SAFETY: the layouts are not empty, and each place is given back with the layout it has.
        unsafe {
            let place = counting.alloc(small);
            let zeroed = counting.alloc_zeroed(large);
            assert_eq!(counting.count(), Count { bytes: 124, blocks: 2 });
            let place = counting.realloc(place, small, 100);
            let before = counting.count();
            assert_eq!(before, Count { bytes: 200, blocks: 2 });
            counting.dealloc(zeroed, large);
            assert_eq!(before - counting.count(), Count { bytes: 100, blocks: 1 });
            counting.dealloc(place, large);
        }
        assert_eq!(counting.count(), Count::default());
    }
}
