//! Accuracy with its interval, the confusion matrix, scores per class, and calibration.

use std::fmt;

use serde::Serialize;

use super::bootstrap::{interval, samples};
use crate::model::Task;

/// Returns the 95 % Wilson score interval of `correct` out of `n` (Wilson 1927), which also holds
/// for small `n` and for shares near 0 and 1.
pub fn wilson(correct: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (z, n, p) = (1.959_964f64, n as f64, correct as f64 / n as f64);
    let denominator = 1.0 + z * z / n;
    let center = (p + z * z / (2.0 * n)) / denominator;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / denominator;
    ((center - half).max(0.0), (center + half).min(1.0))
}

/// A confusion matrix: counts of (true class, predicted class).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    classes: usize,
    counts: Vec<usize>,
}

impl Confusion {
    /// Makes a matrix of zeros.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// Counts one prediction.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// Returns how often `predicted` was predicted for the class `truth`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts[truth * self.classes + predicted]
    }

    /// Returns the number of correct predictions.
    pub fn correct(&self) -> usize {
        (0..self.classes).map(|c| self.count(c, c)).sum()
    }

    /// Returns the number of predictions.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Returns the share of correct predictions; 0 if there are none at all.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total().max(1) as f64
    }

    /// Returns the matrix as text, one row per true class, one column per predicted class.
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

/// Precision, recall and F1 of one class. A figure with a denominator of zero is `None` (`null` in
/// JSON).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Of the predictions of this class, the share that is correct.
    pub precision: Option<f64>,
    /// Of the files or clips of this class, the share that was predicted as this class.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// Number of files or clips of this class.
    pub support: usize,
}

/// The predictions whose confidence lies in one tenth of 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Number of predictions.
    pub count: usize,
    /// Mean confidence; 0 if there are no predictions.
    pub confidence: f64,
    /// Share of correct predictions; 0 if there are none.
    pub accuracy: f64,
}

/// Counts pairs of a confidence (0 to 1) and whether the prediction was correct in ten bins of
/// confidence. Returns the expected calibration error (Guo et al. 2017) and the bins, lowest
/// confidence first.
///
/// For one label per clip, the confidence is the largest probability. For tags, each pair of a clip
/// and a tag is a prediction, with the tag's probability and whether the clip has the tag.
pub fn calibration(predictions: impl Iterator<Item = (f64, bool)>) -> (f64, Vec<CalibrationBin>) {
    let mut bins = vec![CalibrationBin::default(); 10];
    for (confidence, correct) in predictions {
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin.count += 1;
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(correct));
    }
    let n = bins.iter().map(|b| b.count).sum::<usize>().max(1) as f64;
    let mut ece = 0.0;
    for bin in bins.iter_mut().filter(|b| b.count > 0) {
        let count = bin.count as f64;
        bin.confidence /= count;
        bin.accuracy /= count;
        ece += count / n * (bin.accuracy - bin.confidence).abs();
    }
    (ece, bins)
}

/// Returns the expected calibration error of `probabilities`, a row of one probability per class
/// for each clip or file, and `labels`, the true classes of each; see [`calibration`].
pub fn calibration_error(task: Task, probabilities: &[Vec<f64>], labels: &[Vec<usize>]) -> f64 {
    let rows = probabilities.iter().zip(labels);
    match task {
        Task::SingleLabel => {
            let top = rows.map(|(row, labels)| {
                let predicted = argmax(row.iter().copied());
                (row[predicted], labels.contains(&predicted))
            });
            calibration(top).0
        }
        Task::MultiLabel => {
            let pairs = rows.flat_map(|(row, labels)| {
                let all = row.iter().enumerate();
                all.map(|(tag, &p)| (p, labels.contains(&tag)))
            });
            calibration(pairs).0
        }
    }
}

/// The metrics of one level, by clip or by file, of one label per file. The names are keys of
/// `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelMetrics {
    /// Share of correct predictions.
    pub accuracy: f64,
    /// Its 95 % interval: Wilson's by file; by clip, a bootstrap over files, because the clips of a
    /// file are alike.
    pub interval: (f64, f64),
    /// Share of predictions that have the true class among the three most probable ones.
    pub top3: f64,
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// Mean F1 over the classes that have an F1.
    pub macro_f1: f64,
    /// Expected calibration error over ten bins of confidence (Guo et al. 2017).
    pub ece: f64,
    /// The ten bins, lowest confidence first.
    pub bins: Vec<CalibrationBin>,
    /// Scores per class.
    pub classes: Vec<ClassScore>,
    /// The confusion matrix.
    pub confusion: Confusion,
}

impl LevelMetrics {
    /// Counts predictions, each of a true class and one probability per class.
    pub fn new(classes: usize, predictions: impl Iterator<Item = (usize, Vec<f64>)>) -> Self {
        let mut confusion = Confusion::new(classes);
        let (mut loss, mut top3) = (0.0, 0);
        let mut confidences = Vec::new();
        for (truth, p) in predictions {
            let predicted = argmax(p.iter().copied());
            confusion.add(truth, predicted);
            loss -= p[truth].max(f64::from(f32::MIN_POSITIVE)).ln();
            top3 += usize::from(p.iter().filter(|&&q| q > p[truth]).count() < 3);
            confidences.push((p[predicted], predicted == truth));
        }
        let n = confusion.total().max(1) as f64;
        let (ece, bins) = calibration(confidences.into_iter());
        let scores: Vec<ClassScore> = (0..classes).map(|c| confusion.score(c)).collect();
        let f1: Vec<f64> = scores.iter().filter_map(|s| s.f1).collect();
        Self {
            accuracy: confusion.accuracy(),
            interval: wilson(confusion.correct(), confusion.total()),
            top3: top3 as f64 / n,
            loss: loss / n,
            macro_f1: f1.iter().sum::<f64>() / f1.len().max(1) as f64,
            ece,
            bins,
            classes: scores,
            confusion,
        }
    }

    /// Returns the number of correct predictions.
    pub fn correct(&self) -> usize {
        self.confusion.correct()
    }

    /// Returns the number of predictions.
    pub fn total(&self) -> usize {
        self.confusion.total()
    }
}

impl Confusion {
    /// Returns the scores of class `c`.
    pub fn score(&self, c: usize) -> ClassScore {
        let correct = self.count(c, c);
        let support: usize = (0..self.classes).map(|p| self.count(c, p)).sum();
        let predicted: usize = (0..self.classes).map(|t| self.count(t, c)).sum();
        let share = |a: usize, b: usize| (b > 0).then(|| a as f64 / b as f64);
        ClassScore {
            precision: share(correct, predicted),
            recall: share(correct, support),
            f1: share(2 * correct, support + predicted),
            support,
        }
    }
}

/// Returns the 95 % interval of the share of correct clips, by a bootstrap over files: draws the
/// files with replacement, with all their clips. `files` are the numbers of correct and of all clips
/// of each file.
pub(super) fn clip_interval(files: &[(usize, usize)], seed: u64) -> (f64, f64) {
    let shares = samples(files.len(), seed, |times| {
        let drawn = files.iter().zip(times);
        let (correct, all) = drawn.fold((0, 0), |(correct, all), (file, &n)| {
            (correct + file.0 * n as usize, all + file.1 * n as usize)
        });
        Some(correct as f64 / all.max(1) as f64)
    });
    interval(shares)
        .filter(|_| !files.is_empty())
        .unwrap_or((0.0, 1.0))
}

/// Returns the index of the largest value, the first of equal ones.
pub(super) fn argmax(values: impl Iterator<Item = f64>) -> usize {
    values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (i, v)| {
            if v > best.1 { (i, v) } else { best }
        })
        .0
}

/// Mean and spread of a figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanInterval {
    /// Mean of the runs.
    pub mean: f64,
    /// Sample standard deviation (n - 1).
    pub sd: f64,
    /// 95 % interval of the mean by Student's t, cut at 0 and 1. It holds for independent runs, and
    /// is too narrow for folds, which share their training files. `None` for two runs, of which it
    /// would say nothing: half of its length is nine times their distance.
    pub interval: Option<(f64, f64)>,
    /// The lowest and the highest run.
    pub range: (f64, f64),
}

impl MeanInterval {
    /// Computes the figures of at least two shares, each from 0 to 1; `None` for fewer.
    pub fn of(values: &[f64]) -> Option<Self> {
        /// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
        const T: [f64; 30] = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
            2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
            2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ];
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let half = T.get(values.len() - 2).copied().unwrap_or(1.96) * sd / n.sqrt();
        Some(Self {
            mean,
            sd,
            interval: (values.len() > 2).then(|| ((mean - half).max(0.0), (mean + half).min(1.0))),
            range: (
                values.iter().copied().fold(f64::INFINITY, f64::min),
                values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ),
        })
    }
}

impl fmt::Display for MeanInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, sd, .. } = self;
        let (least, most) = self.range;
        write!(
            f,
            "mean {mean:.3}, from {least:.3} to {most:.3}, sd {sd:.3}"
        )?;
        match self.interval {
            Some((low, high)) => write!(f, ", 95 % interval {low:.3} to {high:.3} (t)"),
            None => write!(f, " (two runs are too few for an interval)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_stay_within_their_range_and_respect_files() {
        let two = MeanInterval::of(&[0.9, 1.0]).unwrap();
        assert_eq!((two.interval, two.range), (None, (0.9, 1.0)));
        let (low, high) = MeanInterval::of(&[0.2, 0.99, 1.0])
            .unwrap()
            .interval
            .unwrap();
        assert_eq!((low, high), (0.0, 1.0));
        // Ten files of a hundred clips each, half of the files right: the clips are no thousand
        // independent ones.
        let files: Vec<_> = (0..10).map(|i| (100 * (i % 2), 100)).collect();
        let (low, high) = clip_interval(&files, 1);
        assert!(low <= 0.3 && high >= 0.7, "{low} to {high}");
        let (low, high) = wilson(500, 1000);
        assert!(low > 0.45 && high < 0.55);
    }
}
