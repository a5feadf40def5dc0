//! A random sample of a stream, in bounded memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::path::Path;

use sha2::{Digest, Sha256};

/// The seed. Another one gives another sample.
const SEED: &[u8] = b"page 42\0";

/// Keeps the items whose seeded hashes are the smallest: each set of `limit` items is as likely as
/// any other. The same items give the same sample in any order, and a new item replaces at most one.
pub(super) struct Sample<T> {
    limit: usize,
    /// The largest hash on top.
    heap: BinaryHeap<Keyed<T>>,
}

impl<T> Sample<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            heap: BinaryHeap::new(),
        }
    }

    /// Offers the item with this [`key`], which is made only if it is kept.
    pub(super) fn offer(&mut self, key: u64, item: impl FnOnce() -> T) {
        if self.heap.len() == self.limit {
            match self.heap.peek() {
                Some(largest) if key < largest.key => self.heap.pop(),
                _ => return,
            };
        }
        self.heap.push(Keyed { key, item: item() });
    }

    /// Returns the kept items in no particular order.
    pub(super) fn into_items(self) -> Vec<T> {
        self.heap.into_iter().map(|keyed| keyed.item).collect()
    }
}

/// Returns the seeded hash of a path.
pub(super) fn key(path: &Path) -> u64 {
    let hash = Sha256::new()
        .chain_update(SEED)
        .chain_update(path.as_os_str().as_encoded_bytes())
        .finalize();
    hash.iter()
        .take(8)
        .fold(0, |key, &byte| key << 8 | u64::from(byte))
}

struct Keyed<T> {
    key: u64,
    item: T,
}

impl<T> PartialEq for Keyed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Keyed<T> {}

impl<T> PartialOrd for Keyed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Keyed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(numbers: impl Iterator<Item = u32>, limit: usize) -> Vec<u32> {
        let mut sample = Sample::new(limit);
        for n in numbers {
            sample.offer(key(format!("music/{n}.mp3").as_ref()), || n);
        }
        let mut items = sample.into_items();
        items.sort_unstable();
        items
    }

    #[test]
    fn a_sample_is_fair_and_does_not_depend_on_the_order() {
        let forward = sample(0..10_000, 1000);
        assert_eq!(forward.len(), 1000);
        assert_eq!(forward, sample((0..10_000).rev(), 1000));
        // 500 are expected in each half, with a standard deviation of 15.
        let low = forward.iter().filter(|&&n| n < 5000).count();
        assert!((440..560).contains(&low), "{low}");
        assert_eq!(sample(0..10, 1000), (0..10).collect::<Vec<_>>());
    }
}
