//! What a page shows, gathered from a journal row by row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::logits::{direction, logits};
use super::sample::{Sample, key};
use crate::classify::journal::{self, JournalError, JournalSettings};
use crate::classify::result::{FileResult, Outcome, Prediction, ranked};
use crate::model::DecisionRule;

/// The most tracks that a page's table and map show.
pub const MAX_TRACKS: usize = 10_000;
/// The most files without an answer that a page lists.
pub const MAX_FAILURES: usize = 1000;
/// Bars of the histogram of confidence.
pub(super) const BINS: usize = 20;
/// Classes per track, most probable first. All that the rule gives, up to [`MAX_LABELS`].
const RANKED: usize = 3;
const MAX_LABELS: usize = 12;

/// A track of the sample.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub path: PathBuf,
    /// Classes and their probabilities, most probable first.
    pub ranked: Vec<(usize, f32)>,
    /// How many of them are labels.
    pub labels: usize,
    pub seconds: f64,
    pub padded: bool,
    pub damaged: Option<String>,
    /// What the map is made of.
    pub vector: Vec<f32>,
}

/// A file without an answer.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub path: PathBuf,
    pub reason: String,
    pub message: String,
}

/// Counts of all files, and samples of them.
pub(super) struct Collected {
    /// Files with an answer, those that are unsure included.
    pub read: u64,
    pub unsure: u64,
    /// Files that no class is given to, although the rule does not abstain: tags only.
    pub without_tags: u64,
    pub damaged: u64,
    pub seconds: f64,
    /// Files that each class is given to.
    pub classes: Vec<u64>,
    /// Files per range of confidence.
    pub confidence: [u64; BINS],
    /// Files per reason why they have no answer.
    pub reasons: BTreeMap<String, u64>,
    /// A sample of the files with an answer, by path.
    pub tracks: Vec<Track>,
    /// A sample of the files without an answer, by path.
    pub failures: Vec<Failure>,
}

impl Collected {
    /// Reads a journal once through its rows. `settings` say how they are labeled.
    pub(super) fn read(journal: &Path, settings: &JournalSettings) -> Result<Self, JournalError> {
        let mut all = Self {
            read: 0,
            unsure: 0,
            without_tags: 0,
            damaged: 0,
            seconds: 0.0,
            classes: vec![0; settings.classes.len()],
            confidence: [0; BINS],
            reasons: BTreeMap::new(),
            tracks: Vec::new(),
            failures: Vec::new(),
        };
        let mut tracks = Sample::new(MAX_TRACKS);
        let mut failures = Sample::new(MAX_FAILURES);
        let rule = settings.rule();
        journal::rows(journal, false, |FileResult { path, outcome, .. }| {
            match outcome {
                Outcome::Ok(prediction) => {
                    all.count(&prediction, &rule);
                    tracks.offer(key(&path), || {
                        track(path, prediction, &rule, settings.embeddings)
                    });
                }
                Outcome::Failed { reason, message } => {
                    *all.reasons.entry(reason.clone()).or_default() += 1;
                    failures.offer(key(&path), || Failure {
                        path,
                        reason,
                        message,
                    });
                }
            }
            Ok::<_, JournalError>(())
        })?;
        all.tracks = tracks.into_items();
        all.tracks.sort_by(|a, b| a.path.cmp(&b.path));
        all.failures = failures.into_items();
        all.failures.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    /// Returns the number of files without an answer.
    pub(super) fn failed(&self) -> u64 {
        self.reasons.values().sum()
    }

    fn count(&mut self, prediction: &Prediction, rule: &DecisionRule) {
        let probabilities = &prediction.probabilities;
        let labels = rule.labels(probabilities);
        let unsure = rule.is_unsure(probabilities);
        self.read += 1;
        self.unsure += u64::from(unsure);
        self.without_tags += u64::from(labels.is_empty() && !unsure);
        self.damaged += u64::from(prediction.damaged.is_some());
        self.seconds += prediction.seconds;
        for class in labels {
            self.classes[class] += 1;
        }
        let confidence = probabilities.iter().copied().fold(0.0, f32::max);
        // A probability of 1 is in the last bar. The cast of a number that is too large gives the
        // largest.
        let bin = (confidence * BINS as f32) as usize;
        self.confidence[bin.min(BINS - 1)] += 1;
    }
}

fn track(path: PathBuf, prediction: Prediction, rule: &DecisionRule, embeddings: bool) -> Track {
    let probabilities = &prediction.probabilities;
    let labels = rule.labels(probabilities).len().min(MAX_LABELS);
    let mut ranked = ranked(probabilities);
    ranked.truncate(labels.max(RANKED));
    let vector = match embeddings {
        true => direction(&prediction.embedding),
        false => logits(probabilities, rule.task),
    };
    Track {
        path,
        ranked,
        labels,
        seconds: prediction.seconds,
        padded: prediction.padded,
        damaged: prediction.damaged,
        vector,
    }
}
