//! Named, seeded streams of random numbers, the same on every machine and in every later version.
//!
//! Split files and papers name a seed, and its meaning must not change. ChaCha's key stream is
//! specified. How a seed becomes a key and how a shuffle draws from the stream are written here,
//! because the `rand` crates reserve the right to change both.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Shuffles `items` (Fisher-Yates from the end) with the stream `name` of `seed`.
///
/// The name keeps shuffles with one seed independent: the order within one class does not depend
/// on which other classes exist.
///
/// ```
/// let mut files = ["a", "b", "c", "d"];
/// sonoprint::rng::shuffle(&mut files, 42, "blues");
/// let first = files;
///
/// let mut files = ["a", "b", "c", "d"];
/// sonoprint::rng::shuffle(&mut files, 42, "blues");
/// assert_eq!(files, first, "one seed and name give one order");
/// ```
pub fn shuffle<T>(items: &mut [T], seed: u64, name: &str) {
    let mut rng = stream(seed, name);
    for i in (1..items.len()).rev() {
        items.swap(i, below(&mut rng, i as u64 + 1) as usize);
    }
}

/// Returns the stream `name` of `seed`, one of 2^64 independent streams per seed.
pub(crate) fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(fnv1a(name));
    rng
}

/// Draws a number from 0 to `n - 1`: the high half of a 128-bit product, uniform to within
/// `2^-64 * n`.
pub(crate) fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

/// Calls `draw` with Burn's generator for `device` seeded, while no other thread draws through this
/// function.
///
/// Burn has one generator per backend and process, so two threads that seed and draw at the same
/// time would take each other's numbers. A GPU's queue is flushed before the lock is released,
/// because Burn draws when an operation leaves that queue. `draw` must not call this function
/// again: it would wait for itself.
pub(crate) fn with_seed<T>(device: &Device, seed: u64, draw: impl FnOnce() -> T) -> T {
    static DRAWS: Mutex<()> = Mutex::new(());
    let _turn = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    let drawn = draw();
    // A device that fails here also fails when the result is read, where it is reported.
    let _ = device.flush();
    drawn
}

/// Returns the 64-bit FNV-1a hash: short, specified, and good enough to keep streams apart.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fnv1a, shuffle};

    /// Published test vectors of FNV-1a.
    #[test]
    fn hash_is_fnv1a() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    /// Pinned: a change gives every seed that was ever written down another split.
    #[test]
    fn order_is_pinned() {
        let mut items: Vec<u8> = (0..10).collect();
        shuffle(&mut items, 42, "blues");
        assert_eq!(items, [9, 2, 1, 6, 5, 4, 3, 0, 8, 7]);
    }
}
