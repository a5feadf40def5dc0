//! Matches a dataset's labels to the classes of a checkpoint.

use std::collections::BTreeSet;

/// For each class of a dataset, the class of a checkpoint that it is, if it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedClasses(Vec<Option<usize>>);

impl MatchedClasses {
    /// From one index or `None` per class of the dataset.
    pub fn new(indices: Vec<Option<usize>>) -> Self {
        Self(indices)
    }

    /// Finds each of `labels` in `classes`: the same name, or else the first that differs in case
    /// only.
    pub fn by_name(labels: &[String], classes: &[String]) -> Self {
        let find = |label: &String| {
            let same = |class: &String| class.to_lowercase() == label.to_lowercase();
            let exact = classes.iter().position(|class| class == label);
            exact.or_else(|| classes.iter().position(same))
        };
        Self(labels.iter().map(find).collect())
    }

    /// Returns the checkpoint's indices of a file's labels, ascending. Labels without a match are
    /// left out.
    pub fn of(&self, labels: &[usize]) -> Vec<usize> {
        let found: BTreeSet<usize> = labels.iter().filter_map(|&label| self.0[label]).collect();
        found.into_iter().collect()
    }

    /// Returns the indices of the dataset's classes that have no match.
    pub fn unmatched(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len()).filter(|&label| self.0[label].is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::MatchedClasses;

    #[test]
    fn names_match_in_any_case_the_exact_one_first() {
        let names = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        let classes = names(&["POP", "rock", "pop", "Jazz"]);
        let matched = MatchedClasses::by_name(&names(&["Rock", "jazz", "polka", "pop"]), &classes);
        assert_eq!(matched.of(&[0, 1, 2, 3]), [1, 2, 3]);
        assert_eq!(matched.of(&[2]), [0usize; 0]);
        assert_eq!(matched.unmatched().collect::<Vec<_>>(), [2]);
        let matched = MatchedClasses::by_name(&names(&["Pop"]), &classes);
        assert_eq!(matched.of(&[0]), [0], "the first that differs in case only");
    }
}
