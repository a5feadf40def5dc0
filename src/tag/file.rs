//! The tags of a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::change::{Changes, has_genre};
use super::error::TagError;
use super::field::{Field, FieldKey, Fields, TagKind};
use super::format::{self, Tags};
use super::splice::{Splice, apply};
use super::verify::{Seen, check_fields};
use crate::audio::{FileFormat, file_format, sound_digest};
use crate::files::{Part, remove_leftovers};

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Whether the times of the last change and access stay.
    pub keep_times: bool,
    /// Whether a file with several names (hard links) is written. The others then keep the old
    /// content.
    pub break_links: bool,
}

/// A file whose tags were read.
pub struct TagFile {
    /// The file itself, and not a link to it.
    path: PathBuf,
    file: File,
    format: FileFormat,
    version: Version,
    tags: Box<dyn Tags>,
}

/// What a file was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    len: u64,
    modified: Option<std::time::SystemTime>,
    number: (u64, u64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            number: number(metadata),
        }
    }
}

impl TagFile {
    /// Reads the tags of the file at `path`. Symbolic links are followed.
    ///
    /// # Errors
    /// [`TagError`].
    pub fn open(path: &Path) -> Result<Self, TagError> {
        let read = TagError::io("read it");
        let path = path.canonicalize().map_err(&read)?;
        let (format, start) = file_format(&path)?;
        let mut file = File::open(&path).map_err(&read)?;
        let version = Version::of(&file.metadata().map_err(&read)?);
        let tags = format::read(&mut file, format, start, version.len)?;
        Ok(Self {
            path,
            file,
            format,
            version,
            tags,
        })
    }

    /// Returns the time of the file's last change.
    pub fn modified(&self) -> Option<std::time::SystemTime> {
        self.version.modified
    }

    /// Returns the kinds of tags that the file has, and those that it gets if a field is written.
    /// The first is the format's own.
    pub fn kinds(&self) -> Vec<TagKind> {
        self.tags.kinds()
    }

    /// Returns the values of all fields that are written here.
    pub fn fields(&self) -> Fields {
        let kinds = self.tags.kinds().into_iter();
        let keys = kinds.flat_map(|kind| Field::ALL.map(|field| FieldKey { kind, field }));
        let values = keys.map(|key| (key, self.tags.get(key.kind, key.field)));
        values.filter(|(_, values)| !values.is_empty()).collect()
    }

    /// Returns whether one of the tags has a genre that is not just spaces.
    pub fn has_genre(&self) -> bool {
        has_genre(&self.fields())
    }

    /// Checks that the file may be written, and plans what is written. Other programs that lock
    /// files do not write this one until the result is dropped.
    ///
    /// # Errors
    /// [`TagError`].
    pub fn prepare(
        mut self,
        changes: &Changes,
        options: WriteOptions,
    ) -> Result<PreparedWrite, TagError> {
        self.check(options)?;
        let mut expected = self.fields();
        for (key, change) in changes {
            self.tags.set(key.kind, key.field, &change.after);
            match change.after.is_empty() {
                true => expected.remove(key),
                false => expected.insert(*key, change.after.clone()),
            };
        }
        let splices = self.tags.splices(&mut self.file)?;
        Ok(PreparedWrite {
            changes: changes.clone(),
            expected,
            splices,
            options,
            file: self,
        })
    }

    /// Checks that the file may be written, and locks it.
    fn check(&self, options: WriteOptions) -> Result<(), TagError> {
        let metadata = self.file.metadata().map_err(TagError::io("read it"))?;
        if metadata.permissions().readonly() {
            return Err(TagError::ReadOnly);
        }
        match OpenOptions::new().write(true).open(&self.path) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                return Err(TagError::ReadOnly);
            }
            Err(e) if e.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                return Err(TagError::ReadOnly);
            }
            Err(e) => return Err(TagError::io("open it for writing")(e)),
        }
        let links = links(&metadata);
        if links > 1 && !options.break_links {
            return Err(TagError::HardLinks { links });
        }
        // Where locks are not advice, they would keep this process from reading, too.
        #[cfg(unix)]
        if let Err(std::fs::TryLockError::WouldBlock) = self.file.try_lock() {
            return Err(TagError::Locked);
        }
        self.check_version()
    }

    /// Checks that the file is still the one that was read.
    fn check_version(&self) -> Result<(), TagError> {
        let metadata = std::fs::metadata(&self.path).map_err(TagError::io("read it"))?;
        match Version::of(&metadata) == self.version {
            true => Ok(()),
            false => Err(TagError::Changed),
        }
    }
}

/// A write that was checked and not begun. Dropping it leaves the file as it is.
pub struct PreparedWrite {
    file: TagFile,
    changes: Changes,
    expected: Fields,
    splices: Vec<Splice>,
    options: WriteOptions,
}

impl PreparedWrite {
    /// Writes the file: a copy with the changes beside it, which takes its place when it is on the
    /// disk and reads back right. A kill at any moment leaves the old file or the new one.
    ///
    /// The copy has the owner, mode and extended attributes of the old file, its fields are those
    /// that were asked for, everything else that lofty knows is the same, and so is every packet of
    /// sound.
    ///
    /// # Errors
    /// [`TagError`]. The file is as it was.
    pub fn commit(mut self) -> Result<(), TagError> {
        let path = &self.file.path;
        // Nobody else writes beside it: it is locked.
        remove_leftovers(path);
        let (part, out) = Part::create(path).map_err(TagError::io("write beside it"))?;
        let mut out = BufWriter::new(out);
        let written = apply(&mut self.file.file, &self.splices, &mut out);
        let written = written.and_then(|()| out.flush());
        written.map_err(TagError::io("write the new file"))?;
        drop(out);
        self.verify(part.path())?;
        part.keep_attributes(self.options.keep_times)
            .map_err(TagError::io("replace it"))?;
        self.file.check_version()?;
        part.commit().map_err(TagError::io("replace it"))
    }

    /// Compares the new file with the old one and with what was asked for.
    fn verify(&self, new: &Path) -> Result<(), TagError> {
        let old = &self.file.path;
        check_fields(&self.expected, &TagFile::open(new)?.fields())?;
        if sound_digest(old)? != sound_digest(new)? {
            let why = "its sound is not the same".into();
            return Err(TagError::Verify { why });
        }
        match Seen::by_lofty(old, self.file.format) {
            Some(before) => before.check(Seen::by_lofty(new, self.file.format), &self.changes),
            // lofty does not read every format.
            None => Ok(()),
        }
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
fn links(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}
