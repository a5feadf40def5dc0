//! Accuracy with its interval, and who was taken for whom.

use std::fmt;

/// The 95 % Wilson score interval of `hits` out of `n` (Wilson 1927): honest for few clips and near 0 and 1.
pub fn wilson(hits: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (z, n, p) = (1.959_964f64, n as f64, hits as f64 / n as f64);
    let denominator = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / denominator;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / denominator;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// Counts of (true class, predicted class).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<usize>,
}

impl Confusion {
    /// No counts yet.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// Counts one answer.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// How often `truth` was taken for `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts[truth * self.classes + predicted]
    }

    /// Right answers.
    pub fn hits(&self) -> usize {
        (0..self.classes).map(|c| self.count(c, c)).sum()
    }

    /// All answers.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Share of right answers; 0 if there are none at all.
    pub fn accuracy(&self) -> f64 {
        self.hits() as f64 / self.total().max(1) as f64
    }

    /// The matrix as text, true classes down, predicted across.
    pub fn table<'a>(&'a self, names: &'a [String]) -> impl fmt::Display + 'a {
        Table(self, names)
    }
}

struct Table<'a>(&'a Confusion, &'a [String]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Table(confusion, names) = self;
        let wide = names.iter().map(String::len).max().unwrap_or(0);
        write!(f, "{:wide$} ", "")?;
        for name in *names {
            let short: String = name.chars().take(5).collect();
            write!(f, " {short:>5}")?;
        }
        for (truth, name) in names.iter().enumerate() {
            write!(f, "\n{name:wide$} ")?;
            for predicted in 0..names.len() {
                match confusion.count(truth, predicted) {
                    0 => write!(f, " {:>5}", ".")?,
                    n => write!(f, " {n:>5}")?,
                }
            }
        }
        Ok(())
    }
}
