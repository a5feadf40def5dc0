//! Datasets on disk: a folder per class, splits by file, and the decoded samples of a split.
//!
//! | module | what |
//! |---|---|
//! | `folder` | [`Dataset`]: lists the files of a folder that has a folder per class |
//! | `split`, `split_file`, `filtered`, `folds` | [`Split`]: which files train, validate and test |
//! | [`check`](mod@check) | finds unreadable, silent, clipped and duplicate files |
//! | [`gtzan`] | facts about the GTZAN collection |
//! | [`pcm`] | [`pcm::PcmSet`]: the samples of a subset, resident in memory as far as they fit |

pub mod check;
mod error;
mod filtered;
mod folder;
mod folds;
pub mod gtzan;
pub mod pcm;
mod split;
mod split_file;

pub use check::check;
pub use error::{DatasetError, Result};
pub use folder::{Dataset, Entry};
pub use split::{Split, Subset};
