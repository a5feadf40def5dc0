//! Facts about GTZAN, the ten-genre collection on which most genre classifiers are evaluated.
//!
//! - G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE Transactions
//!   on Speech and Audio Processing 10(5), 2002, doi:10.1109/TSA.2002.800560: the ten genres, 100
//!   excerpts of 30 s each, 22 050 Hz, 16 bits, mono. Most files hold 661 794 samples (30.01 s),
//!   but lengths differ a little.
//! - B. L. Sturm, "The GTZAN dataset: Its contents, its faults, their effects on evaluation, and
//!   its future use", 2013, arXiv:1306.1461: repeated recordings, repeated artists and wrong
//!   labels. A random split trains and tests on the same recordings, which makes its accuracy too
//!   high. Results should be reported on a split that is filtered for these faults.

/// The ten class folders, sorted as [`super::Dataset`] sorts them.
pub const GENRES: [&str; 10] = [
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
];

/// Files in each genre of the complete collection.
pub const FILES_PER_GENRE: usize = 100;

/// Sample rate of every file, in Hz.
pub const SAMPLE_RATE: u32 = 22_050;

/// The file, without its extension, that is damaged in the common copy.
///
/// In the WAV copy on Kaggle (`andradaolteanu/gtzan-dataset-music-genre-classification`)
/// `genres_original/jazz/jazz.00054.wav` does not begin with a RIFF header: Python's `wave` reports
/// "file does not start with RIFF id", and this crate reports
/// [`crate::audio::AudioError::UnknownFormat`].
pub const DAMAGED: &str = "jazz.00054";

/// Returns whether `classes` are GTZAN's ten genres.
pub fn is_gtzan(classes: &[String]) -> bool {
    classes == GENRES
}
