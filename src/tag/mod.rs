//! Writing genres and tags into audio files.
//!
//! ```text
//! row of a table ─LabelRule─▶ Wanted ─changes─▶ Changes ─prepare─▶ undo table ─commit─▶ file
//!                            fields of the file ───┘                                 (a verified copy
//!                                                                                     takes its place)
//! ```
//!
//! [`Tagger`] does all of that per row, [`TagFile`] is the part for one file, [`UndoRow`] the way
//! back. `format/` knows where the tags of each format lie; every change is a plan of bytes that are
//! replaced (`splice`), and the rest of the file is copied.

mod change;
mod error;
mod field;
mod file;
mod format;
mod kinds;
mod map;
mod splice;
mod tagger;
mod undo;
mod verify;
mod wanted;

pub use change::{Change, Changes, Mode, changes, has_genre};
pub use error::TagError;
pub use field::{Field, FieldKey, Fields, TagKind, genres_of};
pub use file::{PreparedWrite, TagFile, WriteOptions};
pub use kinds::LabelKind;
pub use map::{LabelMap, MapError};
pub use tagger::{TagOptions, Tagged, Tagger};
pub use undo::{UndoError, UndoRow, UndoRowError, UndoTable, Undone, undo_rows};
pub use wanted::{LabelRule, Wanted};
