//! How well scores rank the files that have a tag above those that do not: ROC-AUC and PR-AUC.

use serde::{Deserialize, Serialize};

/// Area under the ROC curve and area under the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Auc {
    /// The probability that an item with the tag has a higher score than one without; equal scores
    /// count half. 0.5 is chance. scikit-learn's `roc_auc_score`.
    pub roc_auc: f64,
    /// Average precision: the mean of the precision over the items with the tag, without
    /// interpolation. The share of the items with the tag is chance. scikit-learn's
    /// `average_precision_score`.
    pub pr_auc: f64,
}

/// The items of one tag, ranked by their scores.
pub(super) struct Ranking {
    /// Item, whether it has the tag, and whether its score equals that of the item before; highest
    /// score first.
    items: Vec<Ranked>,
}

struct Ranked {
    item: u32,
    has_tag: bool,
    ties: bool,
}

impl Ranking {
    /// Ranks the items of a tag: a score for each, and whether it has the tag.
    pub(super) fn new(items: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut scored: Vec<(f64, u32, bool)> = (0..)
            .zip(items)
            .map(|(item, (score, has_tag))| (score, item, has_tag))
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut before = None;
        let items = scored.into_iter().map(|(score, item, has_tag)| {
            let ties = before.replace(score) == Some(score);
            Ranked {
                item,
                has_tag,
                ties,
            }
        });
        Self {
            items: items.collect(),
        }
    }

    /// Returns the areas with every item counted once.
    pub(super) fn auc(&self) -> Option<Auc> {
        self.weighted(|_| 1)
    }

    /// Returns the areas with every item counted `weight(item)` times. `None` if no item with the
    /// tag or none without it is left: then nothing is ranked.
    pub(super) fn weighted(&self, weight: impl Fn(usize) -> u32) -> Option<Auc> {
        // Items with and without the tag: above the present group of equal scores, and in it.
        let (mut with, mut without) = (0.0, 0.0);
        let (mut group_with, mut group_without) = (0.0, 0.0);
        let (mut pairs, mut precisions) = (0.0, 0.0);
        let mut close = |group_with: &mut f64, group_without: &mut f64| {
            pairs += *group_without * (with + *group_with / 2.0);
            with += *group_with;
            without += *group_without;
            if *group_with > 0.0 {
                precisions += *group_with * with / (with + without);
            }
            (*group_with, *group_without) = (0.0, 0.0);
        };
        for ranked in &self.items {
            if !ranked.ties {
                close(&mut group_with, &mut group_without);
            }
            let weight = f64::from(weight(ranked.item as usize));
            match ranked.has_tag {
                true => group_with += weight,
                false => group_without += weight,
            }
        }
        close(&mut group_with, &mut group_without);
        (with > 0.0 && without > 0.0).then(|| Auc {
            roc_auc: pairs / (with * without),
            pr_auc: precisions / with,
        })
    }
}

/// Returns the means over the tags that have both areas; `None` if none has.
pub(super) fn mean(tags: impl Iterator<Item = Option<Auc>>) -> Option<Auc> {
    let (mut n, mut roc_auc, mut pr_auc) = (0.0, 0.0, 0.0);
    for auc in tags.flatten() {
        n += 1.0;
        roc_auc += auc.roc_auc;
        pr_auc += auc.pr_auc;
    }
    (n > 0.0).then(|| Auc {
        roc_auc: roc_auc / n,
        pr_auc: pr_auc / n,
    })
}

#[cfg(test)]
mod tests {
    use super::{Auc, Ranking, mean};

    /// Scores of 12 items in eighths, with many ties, for three tags.
    const SCORES: [[u8; 12]; 3] = [
        [4, 4, 1, 4, 5, 5, 2, 6, 4, 2, 8, 7],
        [6, 7, 2, 0, 2, 0, 3, 4, 6, 3, 5, 3],
        [2, 7, 0, 4, 5, 4, 2, 1, 2, 7, 7, 1],
    ];
    /// Which of them have the tag.
    const HAVE: [&[usize]; 3] = [&[1, 2, 4, 5, 6, 8, 10, 11], &[2, 10], &[5]];

    fn ranking(tag: usize) -> Ranking {
        let items = SCORES[tag].iter().enumerate();
        Ranking::new(items.map(|(i, &s)| (f64::from(s) / 8.0, HAVE[tag].contains(&i))))
    }

    #[track_caller]
    fn assert_close(got: Option<Auc>, roc_auc: f64, pr_auc: f64) {
        let got = got.unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(
            near(got.roc_auc, roc_auc) && near(got.pr_auc, pr_auc),
            "{got:?}"
        );
    }

    /// `roc_auc_score` and `average_precision_score` of scikit-learn 1.9 on the arrays above.
    #[test]
    fn areas_are_those_of_scikit_learn() {
        assert_close(ranking(0).auc(), 0.578125, 0.7795454545454545);
        assert_close(ranking(1).auc(), 0.475, 0.225);
        assert_close(ranking(2).auc(), 0.5909090909090909, 0.16666666666666666);
        let all = mean((0..3).map(|tag| ranking(tag).auc()));
        assert_close(all, 0.5480113636363636, 0.3904040404040405);
    }

    /// The same with `sample_weight`.
    #[test]
    fn weights_count_an_item_several_times() {
        let weights = [0, 0, 0, 3, 3, 0, 0, 2, 3, 2, 1, 3];
        let of = |tag| ranking(tag).weighted(|item| weights[item]);
        assert_close(of(0), 0.7642857142857142, 0.8333333333333334);
        assert_close(of(1), 0.8125, 0.25);
        assert_eq!(of(2), None, "the only item with the tag has weight 0");
    }

    #[test]
    fn a_tag_that_all_or_none_have_ranks_nothing() {
        for have in [true, false] {
            assert_eq!(
                Ranking::new([(0.1, have), (0.9, have)].into_iter()).auc(),
                None
            );
        }
        assert_eq!(mean([None, None].into_iter()), None);
    }
}
