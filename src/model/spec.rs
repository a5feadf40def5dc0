//! Which network a checkpoint holds, as data: nothing here knows Burn.

use serde::{Deserialize, Serialize};

use crate::frontend::config::Size;

/// Which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "cli",
    derive(clap::ValueEnum),
    value(rename_all = "snake_case")
)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// The seed system's five convolutions and one dense layer, made for pictures of 720x720.
    #[cfg_attr(feature = "cli", value(name = "deeppixel"))]
    #[serde(rename = "deeppixel")]
    DeepPixel,
    /// A small residual network with global pooling: pictures of any size.
    Compact,
}

impl NetworkKind {
    /// As flags and checkpoints write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeepPixel => "deeppixel",
            Self::Compact => "compact",
        }
    }
}

/// All that is needed to build a network before its weights are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Which.
    pub kind: NetworkKind,
    /// Outputs.
    pub classes: usize,
    /// Size of the pictures that it will read.
    pub picture: Size,
}

/// Why a network cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Nothing would be left of the picture.
    #[error(
        "{network} needs pictures of at least {least}x{least}, not {width}x{height}: see --size"
    )]
    PictureTooSmall {
        /// Which network.
        network: &'static str,
        /// Smallest side.
        least: usize,
        /// As given.
        width: usize,
        /// As given.
        height: usize,
    },
    /// The dense layer would not fit anywhere.
    #[error(
        "{network} on {width}x{height} pictures and {classes} classes would have {weights} weights: use a smaller --size"
    )]
    TooLarge {
        /// Which network.
        network: &'static str,
        /// As given.
        width: usize,
        /// As given.
        height: usize,
        /// As given.
        classes: usize,
        /// Of its dense layer.
        weights: usize,
    },
    /// There is nothing to tell apart, or absurdly much.
    #[error("{0} classes: there must be from 2 to 10000")]
    Classes(usize),
}
