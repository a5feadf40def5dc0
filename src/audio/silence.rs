//! What counts as silence and as too little sound, in one place for classification, training and
//! dataset checks.

use super::error::{AudioError, Result};

/// The level under which audio is silent: -60 dB relative to full scale. The level is half of the
/// distance between the lowest and the highest sample, so a constant is silent too.
///
/// The dither of a 16-bit recording, about -84 dB, stays below this level.
pub const SILENT_LEVEL: f32 = 1e-3;

/// The shortest audio in seconds that is classified or trained on. A shorter file would be padding
/// almost alone, and a network is as sure of that as of music.
pub const SHORTEST_SECONDS: f64 = 0.1;

/// Returns half of the distance between the lowest and the highest sample.
///
/// ```
/// assert_eq!(sonoprint::audio::level(&[0.5, -0.25, 0.25]), 0.375);
/// assert_eq!(sonoprint::audio::level(&[0.8; 100]), 0.0);
/// assert_eq!(sonoprint::audio::level(&[]), 0.0);
/// ```
pub fn level(samples: &[f32]) -> f32 {
    level_of(samples.iter())
}

/// Returns the [`level`] of samples that do not lie side by side.
pub(super) fn level_of<'a>(samples: impl Iterator<Item = &'a f32>) -> f32 {
    let limits = samples.fold(None, |limits, &x| {
        let (low, high) = limits.unwrap_or((x, x));
        Some((x.min(low), x.max(high)))
    });
    limits.map_or(0.0, |(low, high)| (high - low) / 2.0)
}

/// Returns whether the [`level`] stays under [`SILENT_LEVEL`]. No samples are silent.
///
/// ```
/// use sonoprint::audio::{SILENT_LEVEL, is_silent};
///
/// assert!(is_silent(&[0.0, 0.5 * SILENT_LEVEL, -0.5 * SILENT_LEVEL]));
/// assert!(is_silent(&[0.7, 0.7]));
/// assert!(!is_silent(&[0.0, -0.1]));
/// ```
pub fn is_silent(samples: &[f32]) -> bool {
    level(samples) < SILENT_LEVEL
}

/// Checks that `samples` samples at `rate` Hz are at least [`SHORTEST_SECONDS`].
///
/// # Errors
/// [`AudioError::TooShort`].
pub fn check_length(samples: u64, rate: u32) -> Result<()> {
    if (samples as f64) < SHORTEST_SECONDS * f64::from(rate) {
        return Err(AudioError::TooShort { samples, rate });
    }
    Ok(())
}
