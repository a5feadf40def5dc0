//! Predictions as lines for people, and their counts.

use std::path::Path;

use super::layout::{Layout, doubt, faint, strong};
use crate::classify::{Prediction, Schema, ranked};
use crate::cli::words;
use crate::model::{DecisionRule, Task};

/// The most tags that the summary counts.
const MAX_TAGS: usize = 10;

/// Returns the heading of the lines.
pub fn heading(schema: &Schema, layout: Layout) -> String {
    let file = layout.path("file");
    let heading = match schema.rule.task {
        Task::SingleLabel => {
            let (genre, confidence) = ("genre", "confidence");
            format!("{file}  {genre:<10} {confidence:>10}  runner-up")
        }
        Task::MultiLabel => {
            let least = threshold(&schema.rule);
            format!("{file}  tags of {least} and more | the next ones")
        }
    };
    faint(layout.line(heading))
}

/// Returns a prediction as a line; `None` if there are no classes.
pub fn line(
    schema: &Schema,
    layout: Layout,
    path: &Path,
    prediction: &Prediction,
) -> Option<String> {
    let probabilities = &prediction.probabilities;
    let ranked = ranked(probabilities);
    let labels = schema.rule.labels(probabilities);
    let named = |&(class, p): &(usize, f32)| {
        let name = schema.classes.get(class)?;
        Some(format!("{name} {:.1}%", p * 100.0))
    };
    let all = |some: &[(usize, f32)]| some.iter().filter_map(named).collect::<Vec<_>>();
    let mut line = layout.path(&path.display().to_string()) + "  ";
    let &(best, p) = ranked.first()?;
    match schema.rule.task {
        Task::SingleLabel => {
            let (label, rest) = match labels.is_empty() {
                false => (strong(padded(schema.classes.get(best)?)), ranked.get(1..2)),
                true => (doubt(padded("(unsure)")), ranked.get(..2)),
            };
            line += &format!("{label} {:>9.1}%", p * 100.0);
            if let Some(rest) = rest {
                line += &faint(format!("  {}", all(rest).join(", ")));
            }
        }
        Task::MultiLabel => {
            let (given, rest) = ranked.split_at(labels.len());
            let next = rest.len().min(schema.top.saturating_sub(given.len()));
            let given = match schema.rule.is_unsure(probabilities) {
                true => doubt("(unsure)"),
                false if given.is_empty() => String::new(),
                false => strong(all(given).join(", ")),
            };
            let next = all(&rest[..next]).join(", ");
            line += match (given.is_empty(), next.is_empty()) {
                (_, true) => given,
                (true, _) => faint(format!("| {next}")),
                _ => given + &faint(format!(" | {next}")),
            }
            .as_str();
        }
    }
    if let Some(damage) = &prediction.damaged {
        line += &doubt(format!("  ({damage})"));
    }
    Some(layout.line(line))
}

/// Returns a genre as wide as its column.
fn padded(genre: &str) -> String {
    format!("{genre:<10}")
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
