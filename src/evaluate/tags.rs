//! The metrics of tags: several labels per file.

use rayon::prelude::*;
use serde::Serialize;

use super::bootstrap::{interval, samples};
use super::metrics::{CalibrationBin, argmax, calibration};
use super::ranking::{Auc, Ranking, mean};

/// What was predicted for a file or a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct TagPrediction {
    /// The file, as a number of its own. A clip has the number of its file.
    pub file: usize,
    /// Indices of the tags that it has, ascending.
    pub labels: Vec<usize>,
    /// Probability of each tag.
    pub probabilities: Vec<f64>,
}

/// The metrics of one tag. A figure is `None` (`null` in JSON) if every item has the tag or none
/// has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TagScore {
    /// Number of files or clips with the tag.
    pub positives: usize,
    /// [`Auc::roc_auc`].
    pub roc_auc: Option<f64>,
    /// [`Auc::pr_auc`].
    pub pr_auc: Option<f64>,
}

/// The metrics of one level, by clip or by file, of several labels per file. The names are keys of
/// `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TagMetrics {
    /// Number of files or clips.
    pub items: usize,
    /// Mean ROC-AUC over the tags that have one. `None` if none has.
    pub roc_auc: Option<f64>,
    /// Its 95 % interval: percentiles over bootstrap samples of the files. The tags are not drawn.
    pub roc_auc_interval: Option<(f64, f64)>,
    /// Mean PR-AUC over the same tags.
    pub pr_auc: Option<f64>,
    /// Its 95 % interval.
    pub pr_auc_interval: Option<(f64, f64)>,
    /// Number of tags in the means.
    pub tags_scored: usize,
    /// Share of the items whose most probable tag is one of theirs.
    pub precision_at_1: f64,
    /// Mean binary cross-entropy per item and tag, nats.
    pub loss: f64,
    /// Expected calibration error over ten bins of probability, each pair of an item and a tag
    /// being a prediction.
    pub ece: f64,
    /// The ten bins, lowest probability first. `accuracy` is the share of the pairs in which the
    /// item has the tag.
    pub bins: Vec<CalibrationBin>,
    /// Scores per tag, in the order of the classes.
    pub tags: Vec<TagScore>,
}

impl TagMetrics {
    /// Computes the metrics of `predictions` over `tags` tags. The items of a file must be in a
    /// row. The intervals are drawn with `seed`; without one, there are none.
    pub fn new(tags: usize, predictions: &[TagPrediction], seed: Option<u64>) -> Self {
        let rankings = rankings(tags, predictions);
        let aucs: Vec<Option<Auc>> = rankings.iter().map(Ranking::auc).collect();
        let macro_auc = mean(aucs.iter().copied());
        let (roc_auc_interval, pr_auc_interval) = match (macro_auc, seed) {
            (Some(_), Some(seed)) => intervals(&rankings, predictions, seed),
            _ => (None, None),
        };
        let pairs = || {
            predictions.iter().flat_map(|item| {
                let all = item.probabilities.iter().enumerate();
                all.map(|(tag, &p)| (p, item.labels.binary_search(&tag).is_ok()))
            })
        };
        let least = f64::from(f32::MIN_POSITIVE);
        let loss: f64 = pairs()
            .map(|(p, has_tag)| -(if has_tag { p } else { 1.0 - p }).max(least).ln())
            .sum();
        let (ece, bins) = calibration(pairs());
        let right = predictions
            .iter()
            .filter(|item| item.top_is_right())
            .count();
        let positives = |tag: usize| {
            let with = predictions.iter().filter(|item| item.labels.contains(&tag));
            with.count()
        };
        let items = predictions.len();
        Self {
            items,
            roc_auc: macro_auc.map(|auc| auc.roc_auc),
            roc_auc_interval,
            pr_auc: macro_auc.map(|auc| auc.pr_auc),
            pr_auc_interval,
            tags_scored: aucs.iter().flatten().count(),
            precision_at_1: right as f64 / items.max(1) as f64,
            loss: loss / (items * tags).max(1) as f64,
            ece,
            bins,
            tags: (aucs.iter().enumerate())
                .map(|(tag, auc)| TagScore {
                    positives: positives(tag),
                    roc_auc: auc.map(|auc| auc.roc_auc),
                    pr_auc: auc.map(|auc| auc.pr_auc),
                })
                .collect(),
        }
    }

    /// Returns both means.
    pub fn auc(&self) -> Option<Auc> {
        let (roc_auc, pr_auc) = (self.roc_auc?, self.pr_auc?);
        Some(Auc { roc_auc, pr_auc })
    }

    /// Returns the number of items whose most probable tag is one of theirs.
    pub fn right_at_1(&self) -> usize {
        (self.precision_at_1 * self.items as f64).round() as usize
    }
}

impl TagPrediction {
    fn top_is_right(&self) -> bool {
        let top = argmax(self.probabilities.iter().copied());
        self.labels.contains(&top)
    }
}

fn rankings(tags: usize, predictions: &[TagPrediction]) -> Vec<Ranking> {
    let of_tag = |tag: usize| {
        let items = predictions.iter();
        Ranking::new(items.map(|i| (i.probabilities[tag], i.labels.binary_search(&tag).is_ok())))
    };
    (0..tags).into_par_iter().map(of_tag).collect()
}

/// A 95 % interval.
type Interval = Option<(f64, f64)>;

/// Draws the files with replacement, with all their clips, and returns the 2.5 and 97.5 percentiles
/// of the mean ROC-AUC and of the mean PR-AUC. A tag that a sample lacks is not in that sample's
/// mean.
fn intervals(rankings: &[Ranking], items: &[TagPrediction], seed: u64) -> (Interval, Interval) {
    let groups = items.chunk_by(|a, b| a.file == b.file);
    let group_of: Vec<u32> = (0u32..)
        .zip(groups)
        .flat_map(|(group, items)| std::iter::repeat_n(group, items.len()))
        .collect();
    let groups = group_of.last().map_or(0, |&last| last as usize + 1);
    let aucs = samples(groups, seed, |times| {
        let weight = |item: usize| times[group_of[item] as usize];
        mean(rankings.iter().map(|ranking| ranking.weighted(weight)))
    });
    let of = |figure: fn(&Auc) -> f64| interval(aucs.iter().map(figure).collect());
    (of(|auc| auc.roc_auc), of(|auc| auc.pr_auc))
}

#[cfg(test)]
mod tests {
    use super::{TagMetrics, TagPrediction};

    fn item(file: usize, labels: &[usize], probabilities: [f64; 3]) -> TagPrediction {
        TagPrediction {
            file,
            labels: labels.to_vec(),
            probabilities: probabilities.to_vec(),
        }
    }

    #[test]
    fn figures_are_those_of_a_hand_count() {
        let items = [
            item(0, &[0], [0.9, 0.2, 0.1]),
            item(1, &[0, 1], [0.7, 0.8, 0.1]),
            item(2, &[1], [0.75, 0.6, 0.3]),
            item(3, &[1], [0.1, 0.3, 0.2]),
        ];
        let m = TagMetrics::new(3, &items, None);
        let close = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} {b}");
        // Tag 0: ranked 0, 2, 1, 3. Tag 1: only file 0 lacks it, and is last. Nobody has tag 2.
        close(m.tags[0].roc_auc, 0.75);
        close(m.tags[0].pr_auc, (1.0 + 2.0 / 3.0) / 2.0);
        close(m.tags[1].roc_auc, 1.0);
        close(m.tags[1].pr_auc, 1.0);
        assert_eq!((m.tags[2].positives, m.tags[2].roc_auc), (0, None));
        assert_eq!((m.tags_scored, m.items, m.right_at_1()), (2, 4, 3));
        close(m.roc_auc, 0.875);
        let right = [0.9, 0.8, 0.9, 0.7, 0.8, 0.9, 0.25, 0.6, 0.7, 0.9, 0.3, 0.8];
        let loss = -right.iter().map(|p: &f64| p.ln()).sum::<f64>() / 12.0;
        close(Some(m.loss), loss);
        assert_eq!(m.bins.iter().map(|b| b.count).sum::<usize>(), 12);
    }

    /// Clips of one file are drawn together: the interval of ten equal clips per file is that of
    /// the files, and more files have a narrower one.
    #[test]
    fn the_interval_is_over_files_and_fixed_by_the_seed() {
        let level = |files: usize, clips: usize, seed| {
            let item = |file: usize| {
                let tag = usize::from(file.is_multiple_of(3));
                let p = (file * 7 % 10) as f64 / 20.0 + 0.3 * tag as f64;
                item(file, &[tag], [1.0 - p, p, 0.5])
            };
            let items: Vec<_> = (0..files * clips).map(|i| item(i / clips)).collect();
            TagMetrics::new(3, &items, Some(seed))
        };
        let width = |m: &TagMetrics| {
            let (low, high) = m.roc_auc_interval.unwrap();
            assert!(low <= m.roc_auc.unwrap() && m.roc_auc.unwrap() <= high);
            high - low
        };
        let few = level(40, 1, 1);
        let clips = level(40, 10, 1);
        let close = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() + (a.1 - b.1).abs() < 1e-9;
        assert!(close(
            few.roc_auc_interval.unwrap(),
            clips.roc_auc_interval.unwrap()
        ));
        assert!(width(&level(640, 1, 1)) < 0.5 * width(&few));
        assert_eq!(few, level(40, 1, 1));
        assert_ne!(few.roc_auc_interval, level(40, 1, 2).roc_auc_interval);
    }
}
