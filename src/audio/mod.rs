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

mod aac;
mod clip;
mod clips;
mod container;
mod damage;
mod decode;
mod error;
mod mono;
mod names;
mod opus;
mod reader;
mod resample;
mod rule;
mod silence;
mod sniff;
mod timeline;
mod vorbis;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use clip::{ClipSpan, cut, extract, extract_into};
pub use clips::{Clip, Clips};
pub use error::{AudioError, Result};
pub use names::{EXTENSIONS, NameKind, UNREADABLE, is_audio_path, is_hidden, name_kind};
pub use reader::{LOAD_LIMIT_SECONDS, Loaded, MonoReader, load};
pub use rule::{ClipRule, Ends};
pub use silence::{SHORTEST_SECONDS, SILENT_LEVEL, check_length, is_silent, level};

/// The sample rates in Hz that files may have and callers may request.
///
/// The limits exist because the resampler's tables grow with the rate, and a header can state any
/// rate.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// Maximum number of channels. A header with more counts as damaged, because decoders reserve
/// memory per channel.
const MAX_CHANNELS: usize = 64;

/// Runs decoder code and turns a panic into a reason. The decoder must not be used after a panic.
fn guarded<T>(run: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        format!("the decoder failed on these bytes ({text})")
    })
}
