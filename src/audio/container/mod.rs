//! From a file's bytes to packets, each with its place on the file's time line.
//!
//! | file | format |
//! |---|---|
//! | `wave`, `aiff`, `au` | headers in front of plain blocks of samples, which `blocks` cuts up |
//! | `mpeg` | MP3 and ADTS AAC: frames that state their length (`mpeg_header`), and where they begin (`mpeg_marks`) |
//! | `flac` | FLAC: frames that end where a checksum says so (`flac_header`), with numbers (`flac_numbers`) by which they are found (`flac_places`) |
//! | `ogg` | Ogg pages (`ogg_page`) with Vorbis, Opus or FLAC (`ogg_codec`), and where they lie on the time line (`ogg_marks`) |
//! | `mp4` | MP4 and QuickTime: symphonia's reader, and what it leaves out (`mp4_*`) |
//!
//! `stream` defines what a container gives. A container says what is missing. It never ends early because a part of it is unreadable: it
//! goes on behind that part.

mod aiff;
mod au;
mod blocks;
mod bytes;
mod flac;
mod flac_header;
mod flac_numbers;
mod flac_places;
mod mp4;
mod mp4_atoms;
mod mp4_fragments;
mod mp4_index;
mod mp4_pcm;
mod mp4_section;
mod mp4_tables;
mod mpeg;
pub(super) mod mpeg_header;
mod mpeg_marks;
mod ogg;
mod ogg_codec;
mod ogg_marks;
mod ogg_page;
mod stream;
mod tags;
mod wave;
mod window;

use std::fs::File;
use std::io;

use super::error::AudioError;
use super::sniff::Format;

pub(super) use stream::{Container, Event, Group, Kept, Place, Stream};

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
        Format::Mp4 => mp4::Mp4::open(file, start, len)?,
        Format::Mpeg | Format::Adts => Ok(boxed(mpeg::Mpeg::open(file, format, start, len)?)),
    })
}
