//! From audio files to mono PCM, and from PCM to clips. Knows nothing of GPUs.
//!
//! ```text
//! file ─sniff─▶ container ─packets─▶ decode ─▶ timeline ─▶ mono @ file's rate ─resample─▶ mono @ asked rate ─▶ clips
//! ```
//!
//! | codec | decoded by |
//! |---|---|
//! | PCM, ADPCM, FLAC, MP3 and its older layers, AAC-LC, ALAC | symphonia |
//! | Vorbis | the `lewton` crate (`vorbis.rs`), because symphonia's decoder is wrong for channels that are not coupled |
//! | Opus | the `opus-pure` crate (`opus.rs`) |
//!
//! `container/` reads the containers. The format is told from the first bytes only; what a file is
//! called decides whether a folder walk takes it ([`is_audio_path`]), and names the format where the
//! bytes show none.
//!
//! Excerpts ([`Clips::open_excerpts`]) are read by seeking: a container says how long its stream is
//! and moves to a packet in front of a frame, `decode` drops what the codec needs before the frame,
//! and the resampler begins with a whole block, so that the samples are the same bits. Only
//! containers whose headers leave no doubt where each frame lies do that. Everything else is decoded
//! from its beginning.
//!
//! What is missing in a file becomes silence of its length and is said ([`MonoReader::damaged`]).
//!
//! Bad bytes never panic and never reserve memory on a header's word: decoders run behind
//! `catch_unwind` (so the build must keep `panic = "unwind"`), sizes in headers are only ever
//! upper bounds, and the number of undecodable packets in a row is limited.
//!
//! Known limits: AAC is AAC-LC in mono and stereo, and FLAC has up to 24 bits; others are named in
//! the error. The encoder delay of AAC without an edit list or iTunes's comment is not cut off, nor
//! that of MP3 without a Xing/LAME header. Bytes put between the frames of an MP3 without such a
//! header count as lost frames. An MP4 edit list that repeats or reorders parts is read once, in
//! order.

mod aac;
mod clip;
mod clip_reader;
mod clips;
mod container;
mod damage;
mod decode;
mod digest;
mod error;
mod excerpt_clips;
mod excerpts;
mod left_out;
mod levels;
mod mono;
mod names;
mod opus;
mod reader;
mod resample;
mod rule;
mod running;
mod silence;
mod sniff;
mod stream_clips;
mod stretch_reader;
mod timeline;
mod vorbis;
mod vorbis_books;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use clip::{Clip, ClipSpan, cut, extract, extract_into};
pub use clip_reader::ClipReader;
pub use clips::Clips;
pub use digest::{file_format, sound_digest};
pub use error::{AudioError, Result};
pub use excerpts::{ExcerptPlace, Excerpts};
pub use left_out::LeftOut;
pub(crate) use levels::Levels;
pub use names::{EXTENSIONS, NameKind, UNREADABLE, is_audio_path, is_hidden, name_kind};
pub use reader::{LOAD_LIMIT_SECONDS, Loaded, MonoReader, load};
pub use resample::resample;
pub use rule::{ClipRule, Ends};
pub use silence::{SHORTEST_SECONDS, SILENT_LEVEL, check_length, is_silent, level};
pub use sniff::Format as FileFormat;

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
