//! Where the tags of each format lie, and what they hold.
//!
//! | file | |
//! |---|---|
//! | `id3v2`, `id3v1`, `ape`, `comments` | kinds of tags: bytes to fields and back |
//! | `mpeg`, `iff`, `flac`, `ogg`, `mp4` | formats of files: which tags there are, and where |
//!
//! lofty, which reads back what is written here, is not used to write: it discards frames that
//! files of ID3v2.3 have (`TSOP`, ..), loses whatever it cannot decode, numbers the pages of chained
//! Ogg files anew, moves the sound of fragmented MP4 away from where its fragments say it is, and
//! reads whole files into memory. Here, all other bytes of a tag stay as they are.

mod ape;
mod comments;
mod flac;
mod id3v1;
mod id3v2;
mod id3v2_bytes;
mod id3v2_text;
mod iff;
mod mp4;
mod mp4_atom;
mod mp4_items;
mod mp4_offsets;
mod mpeg;
mod ogg;
mod riff_info;

use std::fs::File;
use std::io;

use super::error::TagError;
use super::field::{Field, TagKind};
use super::splice::Splice;
use crate::audio::FileFormat;

/// The tags of a file.
pub(super) trait Tags {
    /// Returns the kinds of tags that the file has, and those that it gets if a field is written.
    /// The first is the format's own.
    fn kinds(&self) -> Vec<TagKind>;

    /// Returns the values of a field.
    fn get(&self, kind: TagKind, field: Field) -> Vec<String>;

    /// Replaces the values of a field. Without values, it is removed.
    fn set(&mut self, kind: TagKind, field: Field, values: &[String]);

    /// Returns what is to be replaced in the file. `file` is the one that was read.
    fn splices(&mut self, file: &mut File) -> Result<Vec<Splice>, TagError>;
}

/// Reads the tags of `file`, which has `len` bytes and whose format begins at byte `start`.
pub(super) fn read(
    file: &mut File,
    format: FileFormat,
    start: u64,
    len: u64,
) -> Result<Box<dyn Tags>, TagError> {
    fn boxed<T: Tags + 'static>(tags: T) -> Box<dyn Tags> {
        Box::new(tags)
    }
    match format {
        FileFormat::Mpeg | FileFormat::Adts => mpeg::Mpeg::read(file, len).map(boxed),
        FileFormat::Wave => iff::Iff::read(file, start, len, true).map(boxed),
        FileFormat::Aiff => iff::Iff::read(file, start, len, false).map(boxed),
        FileFormat::Flac => flac::Flac::read(file, start).map(boxed),
        FileFormat::Ogg => ogg::Ogg::read(file, start, len).map(boxed),
        FileFormat::Mp4 => mp4::Mp4::read(file, start, len).map(boxed),
        FileFormat::Au => Err(TagError::NoTags { format: "AU" }),
    }
}

/// Turns the system's errors while tags are read into those of tags: a file that ends early is a
/// damaged one.
fn reading(source: io::Error) -> TagError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => TagError::damaged("the file ends within them"),
        _ => TagError::Io {
            what: "read it",
            source,
        },
    }
}
