//! The spectrogram of one clip, on the host.

use super::config::{FrontEndConfig, Range};

/// Marks a cell without a value in a spectrogram: a power of zero under [`Compression::Masked`].
///
/// [`Compression::Masked`]: super::config::Compression::Masked
pub const NO_VALUE: f32 = -3.0e38;

/// The spectrogram of one clip, in the units of its [`Compression`](super::config::Compression).
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrogram {
    /// Columns.
    pub frames: usize,
    /// Rows: bins or mel bands, lowest frequency first.
    pub rows: usize,
    /// Cells, `[frame][row]`; [`NO_VALUE`] where a cell has no value.
    pub values: Vec<f32>,
    /// Smallest and largest value; `None` if no cell has one.
    pub range: Option<(f32, f32)>,
}

impl Spectrogram {
    /// Returns the value of a cell as the libraries print it: `None` for no value, and under
    /// [`Range::Top`] relative to the clip's maximum and floored (`power_to_db(ref=np.max,
    /// top_db=..)`).
    pub fn value(&self, config: &FrontEndConfig, row: usize, frame: usize) -> Option<f32> {
        let v = self.values[frame * self.rows + row];
        let (_, max) = self.range?;
        match config.image().range {
            _ if v == NO_VALUE => None,
            Range::MinMax => Some(v),
            Range::Top { db } => Some((v - max).max(-db as f32)),
        }
    }
}
