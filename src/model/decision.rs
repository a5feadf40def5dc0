//! From probabilities to labels, and when to give none.

use super::spec::{Task, most_probable};

/// How a file's probabilities become its labels.
///
/// ```
/// use sonoprint::model::{DecisionRule, Task};
///
/// let sure = DecisionRule { min_confidence: Some(0.6), ..Task::SingleLabel.into() };
/// assert_eq!(sure.labels(&[0.2, 0.7, 0.1]), [1]);
/// assert!(sure.is_unsure(&[0.4, 0.5, 0.1]));
///
/// let tags = DecisionRule { threshold: Some(0.2), ..Task::MultiLabel.into() };
/// assert_eq!(tags.labels(&[0.3, 0.9, 0.1]), [1, 0], "most probable first");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionRule {
    /// What the outputs mean.
    pub task: Task,
    /// The probability from which a multi-label class is given; [`Task::default_threshold`] if
    /// absent. A single-label task ignores it.
    pub threshold: Option<f32>,
    /// The probability that the most probable class needs for any label to be given; if absent,
    /// none is needed.
    pub min_confidence: Option<f32>,
}

impl From<Task> for DecisionRule {
    /// Returns the task's default rule, which never abstains.
    fn from(task: Task) -> Self {
        Self {
            task,
            threshold: task.default_threshold(),
            min_confidence: None,
        }
    }
}

impl DecisionRule {
    /// Returns the indices of the classes that `probabilities`, one per class, give, most probable
    /// first. None if the most probable class is below `min_confidence`.
    pub fn labels(&self, probabilities: &[f32]) -> Vec<usize> {
        let best = most_probable(probabilities).map(|class| probabilities[class]);
        let least = self.min_confidence.unwrap_or(f32::NEG_INFINITY);
        if best.is_none_or(|best| best < least) {
            return Vec::new();
        }
        let mut classes = self.task.predicted_classes(probabilities, self.threshold);
        classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        classes
    }

    /// Returns whether the rule abstains: it has a `min_confidence`, and gives no label.
    pub fn is_unsure(&self, probabilities: &[f32]) -> bool {
        self.min_confidence.is_some() && self.labels(probabilities).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_needs_the_minimal_confidence() {
        let rule = |min_confidence| DecisionRule {
            min_confidence,
            ..Task::SingleLabel.into()
        };
        let p = [0.25, 0.5, 0.25];
        for (least, labels, unsure) in [
            (None, &[1][..], false),
            (Some(0.0), &[1], false),
            (Some(0.5), &[1], false),
            (Some(0.51), &[], true),
        ] {
            assert_eq!(rule(least).labels(&p), labels, "{least:?}");
            assert_eq!(rule(least).is_unsure(&p), unsure, "{least:?}");
        }
    }

    #[test]
    fn no_tag_over_the_threshold_is_unsure_only_where_that_is_asked_for() {
        let rule = |threshold, min_confidence| DecisionRule {
            task: Task::MultiLabel,
            threshold: Some(threshold),
            min_confidence,
        };
        let p = [0.3, 0.1, 0.4, 0.3];
        assert_eq!(rule(0.3, None).labels(&p), [2, 0, 3], "ties keep the order");
        assert_eq!(rule(0.3, Some(0.4)).labels(&p), [2, 0, 3]);
        assert_eq!(rule(0.3, Some(0.5)).labels(&p), [0; 0]);
        assert!(!rule(0.5, None).is_unsure(&p));
        assert!(rule(0.5, Some(0.0)).is_unsure(&p));
        assert!(rule(0.3, Some(0.5)).is_unsure(&p));
    }
}
