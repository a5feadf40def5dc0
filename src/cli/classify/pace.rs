//! How many files a run has, how fast it is, and how long it will take.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::events::Progress;
use crate::classify::Input;
use crate::cli::progress::clock;

/// The speed is that of the last seconds, one sample per second.
const SAMPLES: usize = 30;
const SAMPLE: Duration = Duration::from_secs(1);

/// The number of files of a run, which grows while a thread counts them.
#[derive(Clone, Default)]
pub struct Total(Arc<Counted>);

#[derive(Default)]
struct Counted {
    files: AtomicU64,
    is_complete: AtomicBool,
}

impl Total {
    /// Counts `inputs` in the background. Files that are `done` do not count.
    pub fn count(
        inputs: impl Iterator<Item = Input> + Send + 'static,
        is_done: impl Fn(&Input) -> bool + Send + 'static,
    ) -> Self {
        let total = Self::default();
        let counted = total.clone();
        let count = move || {
            for input in inputs {
                counted.add(u64::from(!is_done(&input)));
            }
            counted.0.is_complete.store(true, Ordering::Release);
        };
        // Without the thread the total stays unknown, and nothing else is lost. The process does not
        // wait for it at its end.
        let _ = std::thread::Builder::new()
            .name("count".into())
            .spawn(count);
        total
    }

    /// Adds files: those that are done and have changed since.
    pub fn add(&self, files: u64) {
        self.0.files.fetch_add(files, Ordering::Relaxed);
    }

    /// Returns the files so far, and whether that is all.
    fn get(&self) -> (u64, bool) {
        let is_complete = self.0.is_complete.load(Ordering::Acquire);
        (self.0.files.load(Ordering::Relaxed), is_complete)
    }
}

/// Counts results.
pub struct Pace {
    total: Total,
    done: u64,
    failed: u64,
    /// When there were how many results, the oldest first.
    samples: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// Starts the clock.
    pub fn new(total: Total) -> Self {
        Self {
            total,
            done: 0,
            failed: 0,
            samples: [(Instant::now(), 0)].into(),
        }
    }

    /// Counts a result.
    pub fn add(&mut self, failed: bool) {
        self.done += 1;
        self.failed += u64::from(failed);
        let last = self.samples.back().map(|(at, _)| at.elapsed());
        if last.is_none_or(|elapsed| elapsed >= SAMPLE) {
            self.samples.push_back((Instant::now(), self.done));
            if self.samples.len() > SAMPLES {
                self.samples.pop_front();
            }
        }
    }

    /// Returns how far the run is.
    pub fn progress(&self) -> Progress {
        let (at, before) = self.samples.front().copied().unwrap_or((Instant::now(), 0));
        let seconds = at.elapsed().as_secs_f64().max(1e-3);
        let files_per_second = (self.done - before) as f64 / seconds;
        let (files, is_complete) = self.total.get();
        let total = is_complete.then_some(files.max(self.done));
        let left = |total: u64| (total - self.done) as f64 / files_per_second;
        Progress {
            done: self.done,
            failed: self.failed,
            total,
            files_per_second,
            seconds_left: total.map(left).filter(|seconds| seconds.is_finite()),
        }
    }

    /// Returns how far the run is, as a line for people.
    pub fn line(&self) -> String {
        let progress = self.progress();
        let done = grouped(self.done);
        let files = match (progress.total, self.total.get().0) {
            (Some(total), _) => format!("{done} / {} files", grouped(total)),
            (None, found) if found > self.done => format!("{done} of {}+ files", grouped(found)),
            (None, _) => format!("{done} files"),
        };
        let left = match progress.seconds_left {
            Some(seconds) => format!(", {} left", clock(seconds)),
            None => String::new(),
        };
        format!("{files}, {:.1} files/s{left}", progress.files_per_second)
    }
}

/// Writes a number with a space between thousands.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_said_when_they_are_known() {
        let total = Total::default();
        total.add(98_765);
        let mut pace = Pace::new(total.clone());
        for i in 0..12_345 {
            pace.add(i == 0);
        }
        assert!(pace.line().starts_with("12 345 of 98 765+ files, "));
        let progress = pace.progress();
        assert_eq!((progress.done, progress.failed), (12_345, 1));
        assert!(progress.total.is_none() && progress.seconds_left.is_none());
        total.0.is_complete.store(true, Ordering::Release);
        let line = pace.line();
        assert!(line.starts_with("12 345 / 98 765 files, ") && line.ends_with(" left"));
        assert_eq!(grouped(1_000_000), "1 000 000");
    }
}
