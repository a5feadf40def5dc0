//! Predictions as lines for people, and their counts.

use std::path::Path;

use crate::classify::{Prediction, Schema, ranked};
use crate::cli::words;
use crate::model::{DecisionRule, Task};

/// Width of the column of paths.
const PATH_WIDTH: usize = 44;
/// The most tags that the summary counts.
const MAX_TAGS: usize = 10;

/// Returns the heading of the lines.
pub fn heading(schema: &Schema) -> String {
    match schema.rule.task {
        Task::SingleLabel => {
            let (file, genre, confidence) = ("file", "genre", "confidence");
            format!("{file:PATH_WIDTH$}  {genre:<10} {confidence:>10}  runner-up")
        }
        Task::MultiLabel => {
            let least = threshold(&schema.rule);
            format!(
                "{:PATH_WIDTH$}  tags of {least} and more | the next ones",
                "file"
            )
        }
    }
}

/// Returns a prediction as a line; `None` if there are no classes.
pub fn line(schema: &Schema, path: &Path, prediction: &Prediction) -> Option<String> {
    let probabilities = &prediction.probabilities;
    let ranked = ranked(probabilities);
    let labels = schema.rule.labels(probabilities);
    let named = |&(class, p): &(usize, f32)| {
        let name = schema.classes.get(class)?;
        Some(format!("{name} {:.1}%", p * 100.0))
    };
    let all = |some: &[(usize, f32)]| some.iter().filter_map(named).collect::<Vec<_>>();
    let mut line = format!("{:PATH_WIDTH$}  ", path.display().to_string());
    let &(best, p) = ranked.first()?;
    match schema.rule.task {
        Task::SingleLabel => {
            let (label, rest) = match labels.is_empty() {
                false => (schema.classes.get(best)?.as_str(), ranked.get(1..2)),
                true => ("(unsure)", ranked.get(..2)),
            };
            line += &format!("{label:<10} {:>9.1}%", p * 100.0);
            if let Some(rest) = rest {
                line += &format!("  {}", all(rest).join(", "));
            }
        }
        Task::MultiLabel => {
            let (given, rest) = ranked.split_at(labels.len());
            let next = rest.len().min(schema.top.saturating_sub(given.len()));
            let given = match schema.rule.is_unsure(probabilities) {
                true => "(unsure)".into(),
                false => all(given).join(", "),
            };
            let next = all(&rest[..next]).join(", ");
            line += match (given.is_empty(), next.is_empty()) {
                (_, true) => given,
                (true, _) => format!("| {next}"),
                _ => format!("{given} | {next}"),
            }
            .as_str();
        }
    }
    if let Some(damage) = &prediction.damaged {
        line += &format!("  ({damage})");
    }
    Some(line)
}

/// How many files have each label.
pub struct LabelCounts {
    /// Files that were left without a label, because none was sure enough.
    pub unsure: usize,
    /// Files with each class.
    classes: Vec<usize>,
}

impl LabelCounts {
    /// Starts at 0.
    pub fn new(schema: &Schema) -> Self {
        Self {
            unsure: 0,
            classes: vec![0; schema.classes.len()],
        }
    }

    /// Adds a file.
    pub fn add(&mut self, schema: &Schema, probabilities: &[f32]) {
        self.unsure += usize::from(schema.rule.is_unsure(probabilities));
        for class in schema.rule.labels(probabilities) {
            if let Some(count) = self.classes.get_mut(class) {
                *count += 1;
            }
        }
    }

    /// Prints the most frequent tags, if the files have tags.
    pub fn print(&self, schema: &Schema) {
        if schema.rule.task != Task::MultiLabel {
            return;
        }
        let mut counts: Vec<_> = schema.classes.iter().zip(&self.classes).collect();
        counts.retain(|(_, count)| **count > 0);
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let least = threshold(&schema.rule);
        if counts.is_empty() {
            words::note(format_args!(
                "no file has a tag of {least} or more (--threshold sets another)"
            ));
            return;
        }
        let shown = counts.iter().take(MAX_TAGS);
        let mut text: Vec<String> = shown
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if counts.len() > MAX_TAGS {
            text.push(format!("and {} more", counts.len() - MAX_TAGS));
        }
        words::note(format_args!(
            "files by tag of {least} and more: {}",
            text.join(", ")
        ));
    }
}

fn threshold(rule: &DecisionRule) -> f32 {
    rule.threshold
        .or(rule.task.default_threshold())
        .unwrap_or_default()
}
