//! Datasets on disk: files and their labels, splits by file, and the decoded samples of a split.
//!
//! | module | what |
//! |---|---|
//! | `folder` | [`Dataset`]: lists the files of a folder that has a folder per class |
//! | `labels` | [`Dataset::labeled`]: labels from a CSV file or from the files' own tags |
//! | `split`, `split_file`, `filtered`, `folds`, `deal` | [`Split`]: which files train, validate and test |
//! | `rows` | CSV files in and out |
//! | [`check`](mod@check) | finds unreadable, silent, clipped and duplicate files |
//! | [`gtzan`] | facts about the GTZAN collection |
//! | [`pcm`] | [`pcm::PcmSet`]: the samples of a subset, resident in memory as far as they fit |

mod alike;
pub mod check;
mod deal;
mod error;
mod filtered;
mod fingerprint;
mod folder;
mod folds;
pub mod gtzan;
mod labels;
pub mod pcm;
mod rows;
mod sound;
mod split;
mod split_file;

pub use check::check;
pub use error::{DatasetError, Result};
pub use folder::{Dataset, Entry, LabelSource};
pub use labels::{LabelRules, Labeled, MatchedClasses};
pub use sound::Groups;
pub use split::{Split, Subset};
