//! What a network would reach that knows nothing but how frequent the classes are.

use crate::evaluate::Figures;

/// Returns the chance level of the figure that epochs are compared by, by file: the accuracy of
/// always naming the most frequent class, or of tags the mean PR-AUC of a random order, which is
/// the mean share of the files with a tag.
pub(super) fn chance(figures: &Figures) -> f64 {
    match figures {
        Figures::SingleLabel(levels) => {
            let files = &levels.files;
            let most = files.classes.iter().map(|class| class.support).max();
            most.unwrap_or(0) as f64 / files.total().max(1) as f64
        }
        Figures::MultiLabel(levels) => {
            let files = &levels.files;
            let scored = files.tags.iter().filter(|tag| tag.pr_auc.is_some());
            let positives: usize = scored.map(|tag| tag.positives).sum();
            positives as f64 / (files.items * files.tags_scored).max(1) as f64
        }
    }
}

/// Says where the chance level comes from.
pub(super) fn source(figures: &Figures, classes: &[String]) -> String {
    match figures {
        Figures::SingleLabel(levels) => {
            let files = &levels.files;
            let supports = files.classes.iter().map(|class| class.support);
            let most = supports.clone().max().unwrap_or(0);
            let name = classes.iter().zip(supports).find(|&(_, n)| n == most);
            let name = name.map_or("", |(name, _)| name.as_str());
            format!("always {name}, the most frequent class: {most} of {} files", files.total())
        }
        Figures::MultiLabel(_) => {
            "PR-AUC of a random order, which is the mean share of the files with a tag; ROC-AUC of one is 0.5".into()
        }
    }
}
