//! Large work on all cores: lists are read independently of each other, and their faults are told in the order of the files.

use crate::fault::Sink;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads at most, whatever the machine has: each may hold a workbook's text.
const THREADS_MAX: usize = 8;
/// Bytes of files that are worth a thread.
const WORTH_BYTES: usize = 1 << 20;

/// Does `work` for each item and gives what it gives, and tells the faults, in the items' order. `bytes` is how much there is to read in all.
/// Work on one must not ask what was told of another: whether it sees that hangs on the machine.
pub(crate) fn each<T: Sync, R: Send>(items: &[T], bytes: usize, sink: &mut Sink, work: impl Fn(&T, &mut Sink) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS_MAX).min(items.len()).min(bytes / WORTH_BYTES);
    if threads < 2 {
        return items.iter().map(|item| work(item, sink)).collect();
    }
    let (begin, next) = (sink.beside(), AtomicUsize::new(0));
    let share = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            let mut sink = begin.beside();
            let result = work(item, &mut sink);
            done.push((at, result, sink));
        }
    };
    let mut done = std::thread::scope(|scope| {
        // Where there is no thread to be had, this one does it all.
        let others: Vec<_> = (1..threads).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, share).ok()).collect();
        let mut done = share();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, ..)| *at);
    let take = |(_, result, gathered)| {
        sink.take_in(gathered, &begin);
        result
    };
    done.into_iter().map(take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{FAULTS_MAX, text};
    use crate::source::Source;

    /// The faults of so many files with `faults` each, errors and notes in turn, read on one core or on all.
    fn told(files: usize, faults: usize, bytes: usize) -> (Vec<String>, usize, usize) {
        let sources: Vec<_> = (0..files).map(|at| Source::new(format!("{at:03}.csv").into(), "x".repeat(faults))).collect();
        let mut sink = Sink::default();
        sink.push(sources[0].top().error("before", text("", "")));
        let given = each(&sources, bytes, &mut sink, |source, sink| {
            for at in 0..faults {
                let place = source.place(at..at + 1);
                sink.push(if at % 3 == 0 { place.note("note", text("", "")) } else { place.error("error", text("", "")) });
            }
            source.path.clone()
        });
        assert!(given.is_sorted() && given.len() == files);
        let errors = sink.errors();
        let told = sink.finish().expect_err("there are errors");
        (told.faults().iter().map(|fault| format!("{} {}", fault.place(), fault.code)).collect(), told.left_off(), errors)
    }

    #[test]
    fn faults_are_those_that_one_thread_would_have_told() {
        for (files, faults) in [(1, 4), (40, 3), (5, FAULTS_MAX), (FAULTS_MAX, 5)] {
            assert_eq!(told(files, faults, 0), told(files, faults, 64 * WORTH_BYTES), "{files} files with {faults}");
        }
    }
}
