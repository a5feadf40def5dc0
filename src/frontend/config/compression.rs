//! How the power of a cell becomes its value.
//!
//! To add a compression: a variant and its arm in [`Compression::parameter`] here, an arm in
//! `src/frontend/cpu/compress.rs`, an arm in `compress` of `shaders/frontend/stft_common.wgsl`, and
//! the preset that uses it. Tests hold both implementations against f64.

use serde::{Deserialize, Serialize};

/// How the power of a cell becomes its value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Decibels: `10 log10(power)`. A power of exactly zero has no value, and the image is
    /// transparent there.
    Masked,
    /// Decibels: `10 log10(max(power, amin))` (librosa's `power_to_db`).
    Floor {
        /// The smallest power that is told apart from others.
        amin: f64,
    },
    /// `log10(1 + scale * power)`: 0 for silence, and no unit (musicnn's, with `scale = 10000`).
    Log {
        /// The factor of the power.
        scale: f64,
    },
}

/// The parameter of a [`Compression`], as the shader and [`validate`] take it.
///
/// [`validate`]: super::FrontEndConfig::validate
pub(crate) struct Parameter {
    /// The path of the setting.
    pub(crate) name: &'static str,
    pub(crate) value: f64,
}

impl Compression {
    /// Returns the number by which the shader knows the variant, and the parameter, which must be
    /// positive.
    pub(crate) fn parameter(self) -> (u32, Option<Parameter>) {
        let named = |name, value| Some(Parameter { name, value });
        match self {
            Self::Masked => (0, None),
            Self::Floor { amin } => (1, named("compression.floor.amin", amin)),
            Self::Log { scale } => (2, named("compression.log.scale", scale)),
        }
    }
}
