//! The written form of a configuration, in checkpoints and `run.toml`.
//!
//! Until [`Output`] came, the settings of the image stood beside the others (`colormap`, `range`,
//! `picture`) and the compression was called `decibels`. Such texts are still read.

use serde::Deserialize;

use super::{
    Compression, Framing, FrontEndConfig, ImageConfig, Output, Range, Rows, Scale, Size, Window,
};
use crate::frontend::colormap::Colormap;

/// Every field that a text may have, of either form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigText {
    preset: String,
    sample_rate: u32,
    clip_samples: usize,
    n_fft: usize,
    hop: usize,
    framing: Framing,
    window: Window,
    scale: Scale,
    rows: Rows,
    #[serde(alias = "decibels")]
    compression: Compression,
    output: Option<Output>,
    colormap: Option<Colormap>,
    range: Option<Range>,
    picture: Option<Size>,
}

impl TryFrom<ConfigText> for FrontEndConfig {
    type Error = &'static str;

    fn try_from(text: ConfigText) -> Result<Self, Self::Error> {
        let output = match (text.output, text.colormap, text.range, text.picture) {
            (Some(output), None, None, None) => output,
            (None, Some(colormap), Some(range), size) => Output::Image(ImageConfig {
                colormap,
                range,
                size,
            }),
            (Some(_), ..) => {
                return Err("`colormap`, `range` and `picture` belong into `output.image`");
            }
            (None, ..) => return Err("missing field `output`"),
        };
        Ok(Self {
            preset: text.preset,
            sample_rate: text.sample_rate,
            clip_samples: text.clip_samples,
            n_fft: text.n_fft,
            hop: text.hop,
            framing: text.framing,
            window: text.window,
            scale: text.scale,
            rows: text.rows,
            compression: text.compression,
            output,
        })
    }
}
