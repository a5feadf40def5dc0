//! From a file's bytes to packets, each with its place on the file's time line.
//!
//! | file | format |
//! |---|---|
//! | `wave`, `aiff`, `au` | headers in front of plain blocks of samples, which `blocks` cuts up |
//! | `mpeg` | MP3 and ADTS AAC: frames that state their length (`mpeg_header`) |
//! | `flac` | FLAC: frames that end where a checksum says so (`flac_header`) |
//! | `ogg` | Ogg pages (`ogg_page`) with Vorbis, Opus or FLAC (`ogg_codec`) |
//! | `mp4` | MP4 and QuickTime: symphonia's reader, and what it leaves out (`mp4_atoms`, `mp4_fragments`) |
//!
//! A container says what is missing. It never ends early because a part of it is unreadable: it
//! goes on behind that part.

mod aiff;
mod au;
mod blocks;
mod flac;
mod flac_header;
mod mp4;
mod mp4_atoms;
mod mp4_fragments;
mod mpeg;
pub(super) mod mpeg_header;
mod ogg;
mod ogg_codec;
mod ogg_page;
mod wave;
mod window;

use std::fs::File;
use std::io;

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::packet::Packet;

use super::error::AudioError;
use super::sniff::Format;

/// A container that is being read.
pub(super) trait Container: Send {
    /// Returns what comes next, or `None` at the end and for every later call.
    ///
    /// Each call moves on in the file, so that a loop over any bytes ends.
    ///
    /// # Errors
    /// What the system says. Bad bytes are not errors.
    fn next(&mut self) -> io::Result<Option<Event>>;
}

/// What a container gives.
#[derive(Debug)]
pub(super) enum Event {
    /// A stream begins: the first one, or one that follows it in the same file.
    Stream(Box<Stream>),
    /// Packets of the stream.
    Group(Group),
    /// The rest of the container cannot be read, for this reason.
    Broken(String),
}

/// A part of a stream, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub start: i64,
    /// One past its last tick. `i64::MAX`: to the end.
    pub end: i64,
}

impl Kept {
    /// Everything from `start` on.
    pub(super) fn from(start: i64) -> Self {
        Self {
            start,
            end: i64::MAX,
        }
    }
}

/// One stream of packets for one decoder.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the decoder needs.
    pub params: AudioCodecParameters,
    /// Ticks per second of [`Place::At`] and `keep`.
    pub timescale: u32,
    /// The parts of the stream that are to be heard, in ticks, ascending. Empty: all of it.
    pub keep: Vec<Kept>,
    /// The most frames behind the last part of `keep` that are an encoder's padding. If more
    /// follow, the end of `keep` is wrong and is ignored. `None`: `keep` is always right.
    pub padding: Option<u64>,
    /// Frames that the header states, before `keep` is applied, less the permitted difference.
    pub stated: u64,
    /// Difference between time stamps and decoded frames that is no hole, in frames.
    pub tolerance: u64,
    /// Whether streams of different rates may follow each other in this format.
    pub chained: bool,
    /// What is wrong with it as a whole.
    pub note: Option<&'static str>,
}

impl Stream {
    /// A stream of which everything is heard, with time stamps in frames.
    pub(super) fn new(params: AudioCodecParameters) -> Self {
        Self {
            timescale: params.sample_rate.unwrap_or(0),
            params,
            keep: Vec::new(),
            padding: None,
            stated: 0,
            tolerance: 0,
            chained: false,
            note: None,
        }
    }
}

/// Packets that are placed together.
#[derive(Debug)]
pub(super) struct Group {
    pub packets: Vec<Packet>,
    pub place: Place,
    /// Whether packets before these are lost, so that the decoder must start anew and any
    /// difference of the time stamps is a hole.
    pub gap: bool,
}

impl Group {
    /// One packet that follows the one before it.
    pub(super) fn of(packet: Packet) -> Self {
        Self {
            packets: vec![packet],
            place: Place::Next,
            gap: false,
        }
    }
}

/// Where a group lies on the stream's time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind what was decoded so far.
    Next,
    /// It begins at this time stamp, in ticks.
    At(i64),
    /// Its last frame is the one before this, in ticks. In the `last` group of a stream, frames
    /// beyond it are padding.
    Until { end: i64, last: bool },
    /// Behind this many frames that are lost.
    After(u64),
}

/// Opens the container of `format` that starts at byte `start` of `file`. `len` is the length of
/// the whole file in bytes.
pub(super) fn open(
    file: File,
    format: Format,
    start: u64,
    len: u64,
) -> io::Result<Result<Box<dyn Container>, AudioError>> {
    fn boxed<C: Container + 'static>(container: C) -> Box<dyn Container> {
        Box::new(container)
    }
    Ok(match format {
        Format::Au => au::open(file, start, len)?.map(boxed),
        Format::Wave => wave::open(file, start, len)?.map(boxed),
        Format::Aiff => aiff::open(file, start, len)?.map(boxed),
        Format::Flac => flac::Flac::open(file, start, len)?.map(boxed),
        Format::Ogg => ogg::Ogg::open(file, start, len)?.map(boxed),
        Format::Mp4 => mp4::Mp4::open(file, start, len)?.map(boxed),
        Format::Mpeg | Format::Adts => Ok(boxed(mpeg::Mpeg::new(file, format, start, len))),
    })
}
