//! DeviceTraits about GTZAN, the ten-genre collection that most genre classifiers are measured on.
//!
//! - G. Tzanetakis and P. Cook, "Musical genre classification of audio signals", IEEE Transactions
//!   on Speech and Audio Processing 10(5), 2002, doi:10.1109/TSA.2002.800560: the ten genres, 100
//!   excerpts of 30 s each, 22 050 Hz, 16 bits, mono.
//! - B. L. Sturm, "The GTZAN dataset: Its contents, its faults, their effects on evaluation, and
//!   its future use", 2013, arXiv:1306.1461: repeated recordings, repeated artists and wrong
//!   labels. A random split puts the same recording on both sides, so its accuracy is too high; a
//!   split that was filtered for these faults is the one to report.

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

/// The length usually met, in samples (30.01 s); files differ a little, so read each one's own.
pub const USUAL_SAMPLES: usize = 661_794;

/// The file, without its ending, that is damaged in the common copy.
///
/// In the WAV copy on Kaggle (`andradaolteanu/gtzan-dataset-music-genre-classification`)
/// `genres_original/jazz/jazz.00054.wav` does not begin with a RIFF header: Python's `wave` says
/// "file does not start with RIFF id", and here it is [`crate::audio::AudioError::UnknownFormat`].
pub const DAMAGED: &str = "jazz.00054";

/// Whether `classes` are GTZAN's ten genres.
pub fn is_gtzan(classes: &[String]) -> bool {
    classes == GENRES
}
