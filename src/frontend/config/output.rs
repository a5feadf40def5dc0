//! The second stage: what becomes of the spectrogram.

use serde::{Deserialize, Serialize};

use crate::frontend::colormap::Colormap;

/// What the front end makes of the spectrogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// An RGBA image of shape `[4, height, width]` with values in 0..=1: the spectrogram is
    /// stretched over the clip's own range, resized and colored. Width is time, and low frequencies
    /// are at the bottom.
    Image(ImageConfig),
    /// The spectrogram itself, of shape `[1, frames, rows]`, in the units of the compression: no
    /// range, no resizing and no color map. Height is time, and low frequencies come first, because
    /// memory holds `[frame][row]` and is not reordered.
    Features,
}

/// How a spectrogram is drawn as an RGBA image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageConfig {
    /// Color map.
    pub colormap: Colormap,
    /// Values that the two ends of the color map stand for.
    pub range: Range,
    /// Size in pixels; if absent, one pixel per cell of the spectrogram.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

impl Default for ImageConfig {
    /// The clip's own range in `inferno`, one pixel per cell.
    fn default() -> Self {
        Self {
            colormap: Colormap::Inferno,
            range: Range::MinMax,
            size: None,
        }
    }
}

/// Which values the two ends of the color map stand for. Always taken over one clip alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// The clip's own smallest and largest value.
    MinMax,
    /// From `db` under the clip's own maximum up to that maximum (librosa's `ref=np.max,
    /// top_db=db`).
    Top {
        /// Decibels under the maximum; everything below is drawn as this.
        db: f64,
    },
}

impl Range {
    /// Returns the values at the two ends of the color map, for a clip whose values lie in
    /// `min..=max`.
    pub fn ends(self, min: f32, max: f32) -> (f32, f32) {
        match self {
            Self::MinMax => (min, max),
            Self::Top { db } => (max - db as f32, max),
        }
    }
}

/// The largest height of an image, in pixels: the GPU keeps 16 bytes per pixel row in a uniform
/// buffer, and WebGPU promises no more than 64 KiB of it.
pub const MAX_HEIGHT: usize = 4096;

/// The largest width of an image that is set, in pixels.
pub const MAX_WIDTH: usize = 8192;

/// Height and width of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Rows: frequency, with low frequencies at the bottom.
    pub height: usize,
    /// Columns: time.
    pub width: usize,
}
