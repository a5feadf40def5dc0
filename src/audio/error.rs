//! Why a file gave no audio, said so that the caller knows what to do next.

use std::io;
use std::path::PathBuf;

/// Result of everything in [`crate::audio`].
pub type Result<T> = std::result::Result<T, AudioError>;

/// Why a file gave no audio.
///
/// Every variant asks for something different: retry or fix the path (`Io`), look at the file
/// (`Empty`, `TooShort`, `NotFinite`, `Damaged`), convert it (`UnknownFormat`, `Unsupported`,
/// `NoAudioTrack`), read it in blocks (`TooLong`) or mend the call (`BadRate`). A batch goes on
/// with the next file after any of them.
///
/// Messages are one line and, but for `Io`, do not name the file: the caller prints it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The system would not open or read the file.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file as it was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has no bytes, or a sound header with no samples behind it.
    #[error("the file holds no audio samples")]
    Empty,
    /// The first bytes belong to no audio format known here, whatever the name ends in.
    #[error("not an audio file of a known format")]
    UnknownFormat,
    /// The format was recognized, but this part of it cannot be decoded here.
    #[error("not supported: {what}; convert the file to WAV")]
    Unsupported {
        /// What is not supported.
        what: String,
    },
    /// The bytes contradict their own format and not one sample could be saved.
    #[error("damaged file: {why}")]
    Damaged {
        /// What was found.
        why: String,
    },
    /// A container without an audio track, such as a silent video.
    #[error("the container has no audio track")]
    NoAudioTrack,
    /// The audio is shorter than one sample at the rate that was asked for.
    #[error("too short: {samples} samples at {rate} Hz")]
    TooShort {
        /// Samples in the file, per channel.
        samples: u64,
        /// The file's own rate in Hz.
        rate: u32,
    },
    /// More samples were NaN, infinite or absurdly loud than were good.
    #[error("{bad} of {total} samples are not usable numbers (NaN, infinite or over 1e9)")]
    NotFinite {
        /// Unusable samples, all channels together.
        bad: u64,
        /// All samples, all channels together.
        total: u64,
    },
    /// Too much audio to hold in memory at once; [`crate::audio::MonoReader`] has no such limit.
    #[error("longer than {seconds} s: read it in blocks")]
    TooLong {
        /// The limit that was passed, in seconds.
        seconds: u64,
    },
    /// The caller asked for a sample rate outside of what resampling supports.
    #[error("cannot resample to {rate} Hz: choose 1000 to 768000")]
    BadRate {
        /// The rate asked for, in Hz.
        rate: u32,
    },
}

impl AudioError {
    /// A short name in `snake_case` for result tables. These names are stable.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Empty => "empty",
            Self::UnknownFormat => "unknown_format",
            Self::Unsupported { .. } => "unsupported",
            Self::Damaged { .. } => "damaged",
            Self::NoAudioTrack => "no_audio_track",
            Self::TooShort { .. } => "too_short",
            Self::NotFinite { .. } => "not_finite",
            Self::TooLong { .. } => "too_long",
            Self::BadRate { .. } => "bad_rate",
        }
    }

    /// [`AudioError::Damaged`] from any text, kept to one line.
    pub(super) fn damaged(why: impl AsRef<str>) -> Self {
        let why = why
            .as_ref()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        Self::Damaged { why }
    }

    /// [`AudioError::Unsupported`] from any text.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}
