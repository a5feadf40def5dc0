//! The formats of tables: one list.

use std::fmt;
use std::path::Path;

use super::row_writer::Open;
use super::schema::Content;
use super::{audacity, csv, jsonl, names, npy, parquet};
use crate::files::Ours;

/// What a row of the list says of a format.
struct FormatInfo {
    /// The name, in lower case.
    name: &'static str,
    /// Extensions of files, in lower case, without the dot.
    extensions: &'static [&'static str],
    /// Whether a table can be read before its end.
    streams: bool,
    /// Whether a cell can hold a vector that other programs read back.
    vectors: bool,
    /// Whether it holds clips and no other rows.
    clips_only: bool,
    /// Whether it can hold more columns than the one of vectors, or of paths.
    columns: bool,
    /// Whether this build can write it.
    built: bool,
    open: Open,
    /// How a table is recognized that this program wrote.
    ours: Ours,
}

/// Declares [`Format`] from the list: one row per format.
macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $format:ident => {
        name: $name:literal, extensions: $extensions:expr, streams: $streams:expr,
        vectors: $vectors:expr, clips_only: $clips_only:literal, columns: $columns:literal,
        built: $built:expr, open: $open:path, ours: $ours:expr $(,)?
    })+) => {
        /// The format of a table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ #[cfg_attr(feature = "cli", value(name = $name, hide = $clips_only || !$columns))] $format,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &[Self] = &[$(Self::$format),+];

            fn info(self) -> FormatInfo {
                match self {
                    $(Self::$format => FormatInfo {
                        name: $name,
                        extensions: &$extensions,
                        streams: $streams,
                        vectors: $vectors,
                        clips_only: $clips_only,
                        columns: $columns,
                        built: $built,
                        open: $open,
                        ours: $ours,
                    },)+
                }
            }
        }
    };
}

formats! {
    /// A header and one line per row; probabilities with four decimals, seconds with two.
    Csv => {
        name: "csv", extensions: ["csv"], streams: true,
        vectors: false, clips_only: false, columns: true, built: true, open: csv::open, ours: csv::OURS,
    }
    /// One JSON object per line, with the same columns.
    Jsonl => {
        name: "jsonl", extensions: ["jsonl", "ndjson"], streams: true,
        vectors: true, clips_only: false, columns: true, built: true, open: jsonl::open, ours: jsonl::OURS,
    }
    /// Typed columns for pandas, Polars, DuckDB and Spark; written when the run ends.
    Parquet => {
        name: "parquet", extensions: ["parquet", "pq"], streams: false,
        vectors: true, clips_only: false, columns: true, built: cfg!(feature = "parquet"),
        open: parquet::open, ours: parquet::OURS,
    }
    /// A label track for Audacity, of the clips of one file: start, end and label between tabs.
    Audacity => {
        name: "audacity", extensions: ["txt", "audacity"], streams: true,
        vectors: false, clips_only: true, columns: true, built: true, open: audacity::open, ours: audacity::OURS,
    }
    /// A NumPy matrix of embeddings, with its rows' paths in [`Format::Names`] beside it; written
    /// when the run ends.
    Npy => {
        name: "npy", extensions: ["npy"], streams: false,
        vectors: true, clips_only: false, columns: false, built: true, open: npy::open, ours: npy::OURS,
    }
    /// One path per line. Only the table beside a NumPy matrix is one.
    Names => {
        name: "names", extensions: [], streams: false,
        vectors: false, clips_only: false, columns: false, built: true, open: names::open, ours: names::OURS,
    }
}

impl Format {
    /// Returns the format that the extension of a table's name stands for, in any case, if any.
    ///
    /// ```
    /// use sonoprint::classify::Format;
    ///
    /// assert_eq!(Format::of("genres.ndjson".as_ref()), Some(Format::Jsonl));
    /// assert_eq!(Format::of("labels.txt".as_ref()), Some(Format::Audacity));
    /// assert_eq!(Format::of("genres.xls".as_ref()), None);
    /// ```
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let mut all = Self::ALL.iter().copied();
        all.find(|format| format.info().extensions.contains(&extension.as_str()))
    }

    /// Returns the name, in lower case.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Returns whether a table can be read before its end. One that cannot is written when the run
    /// ends.
    pub fn streams(self) -> bool {
        self.info().streams
    }

    /// Returns whether a cell can hold a vector, such as an embedding, that other programs read
    /// back.
    pub fn has_vectors(self) -> bool {
        self.info().vectors
    }

    /// Returns whether a table of this content can have the format.
    pub fn holds(self, content: Content) -> bool {
        match content {
            Content::Files => !self.info().clips_only,
            Content::Clips => true,
            Content::Embeddings => self.info().vectors,
        }
    }

    /// Returns whether a table has all its columns in it. A matrix of embeddings has not.
    pub fn has_columns(self) -> bool {
        self.info().columns
    }

    /// Returns whether this build can write the format: Parquet is a cargo feature.
    pub fn is_built(self) -> bool {
        self.info().built
    }

    pub(crate) fn ours(self) -> Ours {
        self.info().ours
    }

    pub(crate) fn opener(self) -> Open {
        self.info().open
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
