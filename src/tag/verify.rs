//! Reading back what was written, with the crate lofty: code that did not write it.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::{FileType, TaggedFileExt};
use lofty::picture::Picture;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagItem, TagType};

use super::change::Changes;
use super::error::TagError;
use super::field::{Field, Fields, TagKind, genres_of};
use super::map::key;
use crate::audio::FileFormat;

/// What lofty sees in a file.
pub(super) struct Seen {
    /// The genres of all tags.
    genres: Vec<String>,
    /// What each tag has beside the fields that are written here.
    others: Vec<(TagType, Vec<TagItem>, Vec<Picture>)>,
}

impl Seen {
    /// Reads a file of a format; `None` if lofty cannot, or takes it for something else.
    pub(super) fn by_lofty(path: &Path, format: FileFormat) -> Option<Self> {
        let read = || {
            let options = ParseOptions::new().read_properties(false);
            let file = BufReader::new(File::open(path).ok()?);
            let probe = Probe::new(file).guess_file_type().ok()?;
            let is_right = matches!(
                (format, probe.file_type()?),
                (FileFormat::Mpeg, FileType::Mpeg)
                    | (FileFormat::Adts, FileType::Aac)
                    | (FileFormat::Wave, FileType::Wav)
                    | (FileFormat::Aiff, FileType::Aiff)
                    | (FileFormat::Flac, FileType::Flac)
                    | (FileFormat::Ogg, FileType::Vorbis | FileType::Opus)
                    | (FileFormat::Mp4, FileType::Mp4)
            );
            probe.options(options).read().ok().filter(|_| is_right)
        };
        // A file's bytes may be anything.
        let file = catch_unwind(AssertUnwindSafe(read)).ok().flatten()?;
        let genres = |tag: &Tag| -> Vec<String> {
            tag.get_strings(ItemKey::Genre).map(str::to_owned).collect()
        };
        let others = |tag: &Tag| {
            let ours = [ItemKey::Genre, ItemKey::Mood];
            let others = tag.items().filter(|item| !ours.contains(&item.key()));
            (
                tag.tag_type(),
                others.cloned().collect(),
                tag.pictures().to_vec(),
            )
        };
        Some(Self {
            genres: file.tags().iter().flat_map(genres).collect(),
            others: file.tags().iter().map(others).collect(),
        })
    }

    /// Checks that `after` has the genres that were written, and everything else as before.
    pub(super) fn check(self, after: Option<Self>, changes: &Changes) -> Result<(), TagError> {
        let wrong = |why: String| Err(TagError::Verify { why });
        let Some(after) = after else {
            return wrong("its tags cannot be read back".into());
        };
        let names = |genres: &[String]| -> Vec<String> {
            let all = genres.iter().flat_map(|genre| genres_of(genre));
            all.map(|name| key(&name)).collect()
        };
        let found = names(&after.genres);
        for (key, change) in changes {
            if key.field != Field::Genre || key.kind == TagKind::Id3v1 {
                continue;
            }
            let written = names(&change.after);
            if let Some(name) = written.iter().find(|name| !found.contains(name)) {
                return wrong(format!("the genre `{name}` is not read back"));
            }
        }
        let empty = |(_, items, pictures): &&(_, Vec<TagItem>, Vec<Picture>)| {
            items.is_empty() && pictures.is_empty()
        };
        let before = self.others.iter().filter(|tag| !empty(tag));
        let after = after.others.iter().filter(|tag| !empty(tag));
        match before.eq(after) {
            true => Ok(()),
            false => wrong("other fields of its tags are not the same".into()),
        }
    }
}

/// Checks that fields are those that were asked for.
pub(super) fn check_fields(expected: &Fields, found: &Fields) -> Result<(), TagError> {
    match expected == found {
        true => Ok(()),
        false => {
            let keys = expected.keys().chain(found.keys());
            let wrong = keys
                .into_iter()
                .find(|key| expected.get(key) != found.get(key));
            let name = wrong.map(ToString::to_string).unwrap_or_default();
            let why = format!("the field {name} does not read back as it was written");
            Err(TagError::Verify { why })
        }
    }
}
