//! What counts as silence, in one place for classification, training and dataset checks.

/// The peak under which audio is silent: -60 dB relative to full scale.
///
/// The dither of a 16-bit recording, about -84 dB, stays below this peak.
pub const SILENT_PEAK: f32 = 1e-3;

/// Returns whether every sample stays under [`SILENT_PEAK`]. No samples are silent.
///
/// ```
/// use sonoprint::audio::{SILENT_PEAK, is_silent};
///
/// assert!(is_silent(&[0.0, 0.5 * SILENT_PEAK, -0.5 * SILENT_PEAK]));
/// assert!(!is_silent(&[0.0, -0.1]));
/// ```
pub fn is_silent(samples: &[f32]) -> bool {
    samples.iter().all(|x| x.abs() < SILENT_PEAK)
}
