//! The part of `crate::audio` that a header needs.

#[path = "../../../../src/audio/clip.rs"]
mod clip;
#[path = "../../../../src/audio/rule.rs"]
mod rule;

pub use rule::{ClipRule, Ends};
