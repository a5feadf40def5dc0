//! Classifying files: find them, decode ahead, pack clips of several files into batches, write a row a file.

mod classifier;
mod discover;
mod output;
mod pipeline;

pub use classifier::{Classifier, ClassifyError};
pub use discover::{DiscoverError, Found, discover};
pub use output::{Format, Rows};
pub use pipeline::{Answer, Outcome, Row, Summary, classify};
