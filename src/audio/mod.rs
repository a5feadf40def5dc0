//! From audio files to mono PCM, and from PCM to clips. Knows nothing of GPUs.
//!
//! ```text
//! file ─sniff─▶ decoder ─downmix─▶ mono @ source rate ─resample─▶ mono @ asked rate ─cut─▶ clips
//! ```
//!
//! | format | read by |
//! |---|---|
//! | WAV (PCM, float, A-law, mu-law, ADPCM), AIFF/AIFC, FLAC, MP3, Ogg Vorbis/FLAC, M4A/MP4 (AAC-LC, ALAC), ADTS AAC | symphonia |
//! | Ogg Opus, Opus in MP4 | symphonia's containers and, in `opus.rs`, the `opus-pure` crate |
//! | Sun/NeXT `.au`/`.snd` (the format in which GTZAN was published) | `au.rs`, here |
//!
//! The format is told from the first bytes only; what a file is called decides nothing but
//! whether a folder walk takes it ([`is_audio_path`]).
//!
//! Bad bytes never panic and never reserve memory on a header's word: decoders run behind
//! `catch_unwind` (so the build must keep `panic = "unwind"`), sizes in headers are only ever
//! upper bounds, and the number of undecodable packets in a row is limited.
//!
//! Known limits: RF64/BW64, WavPack and FLAC of more than 24 bits are named in the error and
//! not decoded, MPEG layers I and II are not recognized; the encoder delay of AAC (1 024 to 2 112
//! samples) is not cut off, nor that of MP3 without a Xing/LAME header.

mod au;
mod clip;
mod clips;
mod error;
mod mono;
mod mpeg;
mod opus;
mod packets;
mod reader;
mod resample;
mod silence;
mod sniff;
mod window;

use std::path::Path;

pub use clip::{ClipSpan, cut, extract, extract_into};
pub use clips::{Clip, Clips};
pub use error::{AudioError, Result};
pub use reader::{LOAD_LIMIT_SECONDS, Loaded, MonoReader, load};
pub use silence::{SILENT_PEAK, is_silent};

/// Endings, in lower case and without the dot, of files that a folder walk takes for audio.
pub const EXTENSIONS: &[&str] = &[
    "aac", "aif", "aifc", "aiff", "au", "flac", "m4a", "mp3", "oga", "ogg", "opus", "snd", "wav",
    "wave",
];

/// Whether a folder walk should take `path`: its ending, in any case, is one of [`EXTENSIONS`].
///
/// Looks at the name only. The file may still turn out to be something else.
pub fn is_audio_path(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| EXTENSIONS.iter().any(|e| e.eq_ignore_ascii_case(ending)))
}

/// The sample rates in Hz that files may have and callers may ask for.
///
/// A limit because the resampler's tables grow with the rate, and the rate is a header's word.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Channels in a file beyond which its header is taken for damaged: decoders reserve memory for each.
const MAX_CHANNELS: usize = 64;

/// Where mono PCM at a file's own rate comes from: one implementation for each family of readers.
trait Source: Send {
    /// Appends one block of mono samples; `Ok(false)` at the end, then and afterwards.
    ///
    /// A block may add nothing. An error means that the file gave nothing at all, or that the
    /// system failed; damage after the first sample ends the source and shows in [`Source::note`].
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool>;

    /// Sample rate in Hz and channels. Certain only after the first sample.
    fn spec(&self) -> (u32, u16);

    /// How many samples (all channels) were unusable and became 0, of how many.
    fn unusable(&self) -> (u64, u64);

    /// What is wrong with the file, if anything, as far as it was read.
    fn note(&self) -> Option<String>;
}
