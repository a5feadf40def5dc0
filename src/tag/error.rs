//! Why a file cannot be tagged.

use std::io;

use crate::audio::AudioError;

/// Why the tags of a file cannot be read or written. The file is as it was. Messages are one line
/// and do not name the file, except for [`TagError::Audio`] of kind `Io`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// The system failed.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried: "read it".
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// It is no audio file, or its sound cannot be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The format has no place for tags.
    #[error("{format} files have no tags that can be written")]
    NoTags {
        /// The format.
        format: &'static str,
    },
    /// Its tags contradict their own format, so that writing might lose some of them.
    #[error("its tags are damaged: {why}")]
    Damaged {
        /// What was found.
        why: String,
    },
    /// Its tags, or their place, are of a kind that is not written here.
    #[error("its tags cannot be written: {why}")]
    Unsupported {
        /// What was found.
        why: String,
    },
    /// The file may not be written.
    #[error("it is read-only")]
    ReadOnly,
    /// Another program has locked it.
    #[error("another program has locked it")]
    Locked,
    /// The file has further names, and replacing it would part them.
    #[error(
        "it has {links} names (hard links), and a new file would take the place of this one only"
    )]
    HardLinks {
        /// How many names it has.
        links: u64,
    },
    /// The file is not the one that was read.
    #[error("another program changed it in the meantime")]
    Changed,
    /// What was written does not read back. The original is kept.
    #[error("the new file is not right, and the old one was kept: {why}")]
    Verify {
        /// What differs.
        why: String,
    },
}

impl TagError {
    /// Returns [`TagError::Io`] of `what`.
    pub(super) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    pub(super) fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged { why: why.into() }
    }

    pub(super) fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported { why: why.into() }
    }
}
