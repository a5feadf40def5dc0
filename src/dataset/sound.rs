//! Groups of files that hold the same sound, and splits that keep them together.

use std::path::Path;

use rayon::prelude::*;

use super::alike::{groups, pairs};
use super::fingerprint::Listener;
use super::folder::Dataset;
use super::gtzan;
use super::split::{Split, Subset};
use crate::audio::{MonoReader, Result, SILENT_LEVEL, level};

/// Files by the group that they belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// For each entry of the dataset, the first entry of its group. A file without others like it
    /// is a group of its own.
    first: Vec<usize>,
}

impl Groups {
    /// Listens to every file of `data`, on all cores of rayon's pool, and groups those that hold
    /// the same sound, at any level, cut, codec and rate.
    ///
    /// Files that cannot be read are groups of their own. Calls `tick` once per file, from any
    /// thread.
    pub fn of_sound(data: &Dataset, tick: &(dyn Fn() + Sync)) -> Self {
        let prints: Vec<Vec<u32>> = data
            .entries
            .par_iter()
            .map(|entry| {
                let print = listen(&data.path(entry)).unwrap_or_default();
                tick();
                print
            })
            .collect();
        let linked = pairs(&prints).into_iter().map(|pair| (pair.a, pair.b));
        Self {
            first: groups(prints.len(), linked),
        }
    }

    /// Groups of which each of `sets` is one; all other entries of `n` are alone.
    pub fn of_sets(n: usize, sets: &[&[usize]]) -> Self {
        let linked = sets.iter().flat_map(|set| {
            let first = set.first().copied();
            set.iter().filter_map(move |&i| Some((first?, i)))
        });
        Self {
            first: groups(n, linked),
        }
    }

    /// Returns the groups of more than one file, each in the order of the dataset.
    pub fn several(&self) -> Vec<Vec<usize>> {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.first.len()];
        for (i, &first) in self.first.iter().enumerate() {
            members[first].push(i);
        }
        members.retain(|group| group.len() > 1);
        members
    }
}

impl Split {
    /// Returns the groups whose files are in more than one subset.
    pub fn crossed(&self, groups: &Groups) -> Vec<Vec<usize>> {
        let subsets = self.subsets(groups.first.len());
        let mut several = groups.several();
        several.retain(|group| {
            let mut of = group.iter().filter_map(|&i| subsets[i]);
            let first = of.next();
            of.any(|subset| Some(subset) != first)
        });
        several
    }

    /// Moves the files of each group to the subset that holds most of them, the earlier one of
    /// equals.
    pub fn keep_together(&mut self, groups: &Groups) {
        let subsets = self.subsets(groups.first.len());
        for group in self.crossed(groups) {
            let count = |subset| {
                group
                    .iter()
                    .filter(|&&i| subsets[i] == Some(subset))
                    .count()
            };
            let most = Subset::ALL
                .into_iter()
                .rev()
                .max_by_key(|&subset| count(subset));
            let Some(most) = most else { continue };
            for &file in group.iter().filter(|&&i| subsets[i].is_some()) {
                for subset in Subset::ALL {
                    self.subset_mut(subset).retain(|&i| i != file);
                }
                self.subset_mut(most).push(file);
            }
        }
        for subset in Subset::ALL {
            self.subset_mut(subset).sort_unstable();
        }
    }

    /// As [`Split::keep_together`] for the folds of a cross-validation, in which every file is tested
    /// once: the files of each group move to the part that most of them are in.
    pub fn keep_folds_together(folds: &mut [Self], groups: &Groups) {
        let k = folds.len();
        for group in groups.several() {
            let tested = |part: &usize| {
                let test = &folds[*part].test;
                group.iter().filter(|file| test.contains(file)).count()
            };
            let Some(part) = (0..k).rev().max_by_key(tested) else {
                continue;
            };
            for (i, fold) in folds.iter_mut().enumerate() {
                for subset in Subset::ALL {
                    fold.subset_mut(subset).retain(|file| !group.contains(file));
                }
                let subset = match part {
                    part if part == i => Subset::Test,
                    part if part == (i + 1) % k => Subset::Valid,
                    _ => Subset::Train,
                };
                let files = fold.subset_mut(subset);
                files.extend(&group);
                files.sort_unstable();
            }
        }
    }

    /// Returns the subset of each of `n` entries.
    fn subsets(&self, n: usize) -> Vec<Option<Subset>> {
        let mut subsets = vec![None; n];
        for subset in Subset::ALL {
            for &i in self.subset(subset) {
                if let Some(place) = subsets.get_mut(i) {
                    *place = Some(subset);
                }
            }
        }
        subsets
    }
}

/// Returns the fingerprint of a file; an empty one if it is silent.
fn listen(path: &Path) -> Result<Vec<u32>> {
    let mut reader = MonoReader::open(path, gtzan::SAMPLE_RATE)?;
    let rate = reader.source_rate();
    if rate != gtzan::SAMPLE_RATE {
        reader = MonoReader::open(path, rate)?;
    }
    let mut listener = Listener::new(rate);
    let (mut block, mut loudest) = (Vec::new(), 0.0_f32);
    while reader.read(&mut block)? > 0 {
        listener.hear(&block);
        loudest = loudest.max(level(&block));
        block.clear();
    }
    match loudest < SILENT_LEVEL {
        true => Ok(Vec::new()),
        false => Ok(listener.finish()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_move_to_where_most_of_them_are() {
        let mut split = Split {
            train: vec![0, 1, 2, 3],
            valid: vec![4, 5],
            test: vec![6, 7, 8],
        };
        let groups = Groups::of_sets(10, &[&[0, 6, 7], &[1, 4], &[2, 3], &[8, 9]]);
        let crossed = [vec![0, 6, 7], vec![1, 4]];
        assert_eq!(split.crossed(&groups), crossed);
        split.keep_together(&groups);
        let want = Split {
            train: vec![1, 2, 3, 4],
            valid: vec![5],
            test: vec![0, 6, 7, 8],
        };
        assert_eq!(split, want);
        assert_eq!(split.crossed(&groups), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn folds_test_each_file_once() {
        let part = |i: usize| vec![2 * i, 2 * i + 1];
        let mut folds: Vec<Split> = (0..4)
            .map(|i| Split {
                train: [part((i + 2) % 4), part((i + 3) % 4)].concat(),
                valid: part((i + 1) % 4),
                test: part(i),
            })
            .collect();
        let groups = Groups::of_sets(8, &[&[1, 2], &[4, 5, 7]]);
        Split::keep_folds_together(&mut folds, &groups);
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..8).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.crossed(&groups), Vec::<Vec<usize>>::new());
            assert_eq!(fold.train.len() + fold.valid.len() + fold.test.len(), 8);
        }
    }
}
