//! Why a file gave no audio.

use std::io;
use std::path::{Path, PathBuf};

/// Result of everything in [`crate::audio`].
pub type Result<T> = std::result::Result<T, AudioError>;

/// Why a file gave no audio.
///
/// Every variant needs another remedy: retry or fix the path (`Io`), inspect the file (`Empty`,
/// `TooShort`, `Cancelled`, `NotFinite`, `Damaged`), convert it (`UnknownFormat`, `Unsupported`,
/// `NoAudioTrack`), read it in blocks (`TooLong`) or fix the call (`BadRate`). A batch continues
/// with the next file after any of them.
///
/// Messages are one line. Only `Io` names the file; for the others, the caller prints the name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The system failed to open or read the file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The path as the caller gave it.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file has no bytes, or a header without samples.
    #[error("the file holds no audio samples")]
    Empty,
    /// The first bytes belong to no known audio format, whatever the file's extension.
    #[error("not an audio file of a known format")]
    UnknownFormat,
    /// The format was recognized, but this part of it has no decoder here.
    #[error("not supported: {what}. Convert it to FLAC or WAV")]
    Unsupported {
        /// What is not supported.
        what: String,
    },
    /// The bytes contradict their own format and no sample could be decoded.
    #[error("damaged file: {why}")]
    Damaged {
        /// What was found.
        why: String,
    },
    /// A container without an audio track, such as a silent video.
    #[error("the container has no audio track")]
    NoAudioTrack,
    /// The audio is shorter than one sample at the requested rate, or than is of any use
    /// ([`crate::audio::SHORTEST_SECONDS`]).
    #[error("too short: {samples} samples at {rate} Hz, under a tenth of a second")]
    TooShort {
        /// Samples in the file, per channel.
        samples: u64,
        /// The file's own rate in Hz.
        rate: u32,
    },
    /// The channels have sound, and their mean has none: one is the other turned around.
    #[error("its channels cancel each other out, so that their mean is silent")]
    Cancelled,
    /// More than half of the samples are NaN, infinite or absurdly loud.
    #[error("{bad} of {total} samples are not usable numbers (NaN, infinite or over 1e9)")]
    NotFinite {
        /// Number of unusable samples in all channels.
        bad: u64,
        /// Number of samples in all channels.
        total: u64,
    },
    /// Too much audio to hold in memory at once. [`crate::audio::MonoReader`] has no such limit.
    #[error("longer than {seconds} s, the limit for audio in memory")]
    TooLong {
        /// The limit in seconds.
        seconds: u64,
    },
    /// The requested sample rate is outside the range that resampling supports.
    #[error("cannot resample to {rate} Hz: the range is 1000 to 768000 Hz")]
    BadRate {
        /// The requested rate in Hz.
        rate: u32,
    },
}

impl AudioError {
    /// Returns a short, stable name in `snake_case` for result tables.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Empty => "empty",
            Self::UnknownFormat => "unknown_format",
            Self::Unsupported { .. } => "unsupported",
            Self::Damaged { .. } => "damaged",
            Self::NoAudioTrack => "no_audio_track",
            Self::TooShort { .. } => "too_short",
            Self::Cancelled => "cancelled",
            Self::NotFinite { .. } => "not_finite",
            Self::TooLong { .. } => "too_long",
            Self::BadRate { .. } => "bad_rate",
        }
    }

    /// Returns [`AudioError::Io`].
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Returns [`AudioError::Damaged`] with `why` on one line.
    pub(super) fn damaged(why: impl AsRef<str>) -> Self {
        let why = why
            .as_ref()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Self::Damaged { why }
    }

    /// Returns [`AudioError::Unsupported`] from any text.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}
