//! Finds recordings that hold the same sound, by their fingerprints.
//!
//! Numbers that two fingerprints have in common propose how the two lie on each other, and the
//! share of bits in which they differ there decides (Haitsma and Kalker, "A Highly Robust Audio
//! Fingerprinting System", 2002).

use std::collections::HashMap;

use rayon::prelude::*;

use super::fingerprint::{LEAST_NUMBERS, SECONDS, different};

/// The largest share of bits in which the same sound differs. Between the 8.7 % of excerpts and
/// the 26 % of other recordings.
const DIFFERENCE: f64 = 0.15;

/// The fewest numbers that two fingerprints must share: 1.2 s of them. A number depends on more
/// sound than its own step, and the shortest cuts that are found last about 2.2 s (measured).
const OVERLAP: usize = 25;

/// The most recordings that a number may occur in. A number of more proposes nothing.
const OCCURRENCES: usize = 200;

/// How many numbers must propose the same place, and in how short a fingerprint one is enough.
const VOTES: u32 = 2;
const SHORT: usize = 64;

/// Two recordings that hold the same sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// The recordings, by their place in the list.
    pub a: usize,
    pub b: usize,
    /// Where `b` begins in `a`, in seconds. Negative if `a` begins in `b`.
    pub offset: f64,
    /// The share of bits in which they differ there, 0 to 1.
    pub difference: f64,
}

/// Returns the pairs of recordings that hold the same sound, each pair once.
///
/// Memory is four bytes per number and twelve for an index; time grows with the number of
/// recordings, and little faster.
pub(super) fn pairs(prints: &[Vec<u32>]) -> Vec<Pair> {
    let mut index: Vec<(u32, u32, u32)> = Vec::new();
    for (file, print) in prints.iter().enumerate() {
        let mut before = None;
        for (at, &number) in print.iter().enumerate() {
            // A run of one number is one event.
            if before != Some(number) {
                index.push((number, file as u32, at as u32));
            }
            before = Some(number);
        }
    }
    index.par_sort_unstable();
    let of = |number: u32| {
        let start = index.partition_point(|&(n, ..)| n < number);
        let len = index[start..].partition_point(|&(n, ..)| n == number);
        &index[start..start + len]
    };
    (0..prints.len())
        .into_par_iter()
        .flat_map_iter(|a| {
            let mut votes: HashMap<(u32, i64), u32> = HashMap::new();
            let mut before = None;
            for (at, &number) in prints[a].iter().enumerate() {
                let places = match before == Some(number) {
                    true => &[][..],
                    false => of(number),
                };
                before = Some(number);
                if places.len() > OCCURRENCES {
                    continue;
                }
                for &(_, b, place) in places.iter().filter(|&&(_, b, _)| b as usize > a) {
                    *votes.entry((b, at as i64 - i64::from(place))).or_default() += 1;
                }
            }
            best(prints, a, &votes)
        })
        .collect()
}

/// Returns for each recording the place among those that were proposed where it is most like `a`,
/// if it is like it there.
fn best(prints: &[Vec<u32>], a: usize, votes: &HashMap<(u32, i64), u32>) -> Vec<Pair> {
    let mut found: HashMap<u32, Pair> = HashMap::new();
    for (&(b, offset), &n) in votes {
        let near: u32 = [-1, 1]
            .iter()
            .filter_map(|d| votes.get(&(b, offset + d)))
            .sum();
        let short = prints[a].len().min(prints[b as usize].len()) < SHORT;
        if !short && n + near < VOTES {
            continue;
        }
        for offset in offset - 1..=offset + 1 {
            let Some(difference) = difference(&prints[a], &prints[b as usize], offset) else {
                continue;
            };
            let pair = Pair {
                a,
                b: b as usize,
                offset: offset as f64 * SECONDS,
                difference,
            };
            let before = found.entry(b).or_insert(pair);
            if (pair.difference, pair.offset.abs()) < (before.difference, before.offset.abs()) {
                *before = pair;
            }
        }
    }
    let mut found: Vec<Pair> = found.into_values().collect();
    found.retain(|pair| pair.difference <= DIFFERENCE);
    found.sort_by_key(|pair| pair.b);
    found
}

/// Returns the share of bits in which two fingerprints differ if the second one begins `offset`
/// numbers behind the first. `None` if too little of them overlaps.
fn difference(a: &[u32], b: &[u32], offset: i64) -> Option<f64> {
    let (skip_a, skip_b) = (offset.max(0) as usize, (-offset).max(0) as usize);
    let (a, b) = (a.get(skip_a..)?, b.get(skip_b..)?);
    let len = a.len().min(b.len());
    if len < OVERLAP {
        return None;
    }
    // Silence lies on silence, which says nothing.
    if different(&a[..len]) < LEAST_NUMBERS || different(&b[..len]) < LEAST_NUMBERS {
        return None;
    }
    let bits: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
    Some(f64::from(bits) / (32 * len) as f64)
}

/// Returns for each of `n` recordings the first one of its group: those that are linked by pairs.
pub(super) fn groups(n: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut first: Vec<usize> = (0..n).collect();
    fn root(first: &mut [usize], mut i: usize) -> usize {
        while first[i] != i {
            first[i] = first[first[i]];
            i = first[i];
        }
        i
    }
    for (a, b) in pairs {
        let (a, b) = (root(&mut first, a), root(&mut first, b));
        first[a.max(b)] = a.min(b);
    }
    (0..n).map(|i| root(&mut first, i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;
    use rand_chacha::rand_core::Rng;

    /// Numbers of a recording: each differs from the one before in some bits.
    fn print(seed: u64, n: usize) -> Vec<u32> {
        let mut rng = stream(seed, "print");
        let mut number = rng.next_u32();
        (0..n)
            .map(|_| {
                number ^= rng.next_u32() & rng.next_u32() & rng.next_u32();
                number
            })
            .collect()
    }

    #[test]
    fn an_excerpt_with_noise_is_found_in_its_place() {
        let whole = print(1, 600);
        let mut rng = stream(2, "noise");
        // One bit of sixteen is wrong.
        let mut noise = || rng.next_u32() & rng.next_u32() & rng.next_u32() & rng.next_u32();
        let part: Vec<u32> = whole[200..240].iter().map(|n| n ^ noise()).collect();
        let prints = [print(3, 600), whole, print(4, 50), part, Vec::new()];
        let found = pairs(&prints);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].a, found[0].b), (1, 3));
        assert!((found[0].offset - 200.0 * SECONDS).abs() < 1e-9);
        assert!(found[0].difference < 0.1);
    }

    #[test]
    fn recordings_that_overlap_are_found_both_ways() {
        let whole = print(5, 300);
        let prints = [whole[100..].to_vec(), whole[..150].to_vec()];
        let found = pairs(&prints);
        assert_eq!(found.len(), 1);
        assert!((found[0].offset + 100.0 * SECONDS).abs() < 1e-9);
        // Twenty numbers are too few.
        assert_eq!(pairs(&[whole[130..].to_vec(), whole[..150].to_vec()]), []);
    }

    #[test]
    fn groups_link_what_pairs_link() {
        assert_eq!(groups(6, [(1, 3), (4, 3), (0, 5)]), [0, 1, 2, 1, 1, 0]);
        assert_eq!(groups(2, []), [0, 1]);
    }
}
