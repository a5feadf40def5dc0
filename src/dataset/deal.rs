//! Deals files with several labels into parts that share every label: iterative stratification
//! (Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-label Data",
//! doi:10.1007/978-3-642-23808-6_10, algorithm 1).

use super::folder::Dataset;
use crate::rng::{below, shuffle, stream};

/// As [`parts`], with a number of parts that is known.
pub(super) fn deal<const N: usize>(data: &Dataset, seed: u64, shares: [f64; N]) -> [Vec<usize>; N] {
    let parts = parts(data, seed, &shares);
    parts
        .try_into()
        .unwrap_or_else(|_| unreachable!("as many parts as shares"))
}

/// Deals every entry of `data` into one part per share. The shares add up to 1; a part whose share
/// is 0 stays empty.
///
/// Takes the label with the fewest files left and gives each of its files to the part that lacks
/// most files of this label, then most files at all. What is equal after that is drawn. Rare labels
/// come first, because a later label has more files to even out its shares with.
///
/// The result depends on `seed`, the shares, and the names and labels of all files.
pub(super) fn parts(data: &Dataset, seed: u64, shares: &[f64]) -> Vec<Vec<usize>> {
    let mut files: Vec<usize> = (0..data.entries.len()).collect();
    files.sort_by_cached_key(|&i| data.entries[i].key());
    shuffle(&mut files, seed, "files with several labels");
    let mut ties = stream(seed, "equal parts");

    let mut left = vec![0usize; data.classes.len()];
    for label in data.entries.iter().flat_map(|entry| &entry.labels) {
        left[*label] += 1;
    }
    // How many files of each label, and how many files, a part still lacks.
    let lacks_of = |files: usize| shares.iter().map(move |share| files as f64 * share);
    let mut lacks_labels: Vec<Vec<f64>> = left.iter().map(|&n| lacks_of(n).collect()).collect();
    let mut lacks: Vec<f64> = lacks_of(files.len()).collect();
    let mut parts = vec![Vec::new(); shares.len()];

    while let Some(rarest) = rarest(&left) {
        let (dealt, rest): (Vec<usize>, Vec<usize>) =
            (files.into_iter()).partition(|&i| data.entries[i].labels.contains(&rarest));
        files = rest;
        for file in dealt {
            let need = |part: &usize| (lacks_labels[rarest][*part], lacks[*part]);
            let all = || (0..shares.len()).filter(|&part| shares[part] > 0.0);
            let most = all()
                .map(|part| need(&part))
                .fold((f64::MIN, f64::MIN), larger);
            let equal: Vec<usize> = all().filter(|part| need(part) == most).collect();
            let part = equal[below(&mut ties, equal.len() as u64) as usize];
            parts[part].push(file);
            lacks[part] -= 1.0;
            for &label in &data.entries[file].labels {
                lacks_labels[label][part] -= 1.0;
                left[label] -= 1;
            }
        }
    }
    parts
}

/// Returns the label with the fewest files left, the first of equal ones.
fn rarest(left: &[usize]) -> Option<usize> {
    let some = (0..left.len()).filter(|&label| left[label] > 0);
    some.min_by_key(|&label| left[label])
}

fn larger(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::super::folder::{Dataset, Entry, LabelSource};
    use super::{deal, parts};

    /// 400 files with labels of very different frequency, many of them together.
    fn data() -> Dataset {
        let labels = |i: usize| {
            let mut labels = vec![i % 3];
            labels.extend(i.is_multiple_of(5).then_some(3));
            labels.extend((i % 40 < 2).then_some(4));
            labels.extend((i % 100 == 7).then_some(5));
            labels
        };
        let entry = |i: usize| Entry {
            path: format!("{i:03}.wav").into(),
            labels: labels(i),
        };
        Dataset {
            root: "x".into(),
            classes: "abcdef".chars().map(String::from).collect(),
            entries: (0..400).map(entry).collect(),
            source: LabelSource::Tags,
            hidden: false,
        }
    }

    fn of_label(data: &Dataset, part: &[usize], label: usize) -> usize {
        let with = |i: &&usize| data.entries[**i].labels.contains(&label);
        part.iter().filter(with).count()
    }

    #[test]
    fn every_label_is_in_every_part_by_its_share() {
        let data = data();
        let shares = [0.7, 0.15, 0.15];
        let dealt = deal(&data, 5, shares);
        let mut all: Vec<usize> = dealt.concat();
        all.sort_unstable();
        assert_eq!(all, (0..400).collect::<Vec<_>>());
        for (part, share) in dealt.iter().zip(shares) {
            assert!((part.len() as f64 - 400.0 * share).abs() <= 2.0);
            for label in 0..6 {
                let files = of_label(&data, &(0..400).collect::<Vec<_>>(), label) as f64;
                let got = of_label(&data, part, label) as f64;
                assert!(
                    (got - files * share).abs() <= 1.0 + 0.02 * files,
                    "label {label}: {got} of {files}"
                );
            }
        }
        // 2.8, 0.6 and 0.6 of 4 files.
        assert_eq!(of_label(&data, &dealt[0], 5), 3);
    }

    #[test]
    fn the_seed_and_the_names_decide() {
        let data = data();
        let shares = [0.5, 0.5];
        let mut reversed = data.clone();
        reversed.entries.reverse();
        let names = |data: &Dataset, seed| -> Vec<Vec<String>> {
            let names = |part: Vec<usize>| part.iter().map(|&i| data.entries[i].key()).collect();
            parts(data, seed, &shares).into_iter().map(names).collect()
        };
        assert_eq!(names(&data, 1), names(&reversed, 1));
        assert_ne!(names(&data, 1), names(&data, 2));
    }
}
