//! Color maps of 256 entries: matplotlib's tables, from the `colorous` crate.

use serde::{Deserialize, Serialize};

/// Entries of a color table.
pub const ENTRIES: usize = 256;

/// One of matplotlib's color maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Colormap {
    /// Black, purple, orange, pale yellow: the original project's.
    Inferno,
    /// Black, purple, pink, pale yellow.
    Magma,
    /// Blue, pink, yellow.
    Plasma,
    /// Purple, green, yellow.
    Viridis,
    /// Black to white.
    Gray,
}

impl Colormap {
    /// Returns the table: [`ENTRIES`] of RGBA in 0..=1, lowest value first.
    pub fn table(self) -> Vec<[f32; 4]> {
        (0..ENTRIES)
            .map(|i| {
                let [r, g, b] = self.entry(i);
                [r, g, b, 255].map(|v| f32::from(v) / 255.0)
            })
            .collect()
    }

    fn entry(self, i: usize) -> [u8; 3] {
        let gradient = match self {
            Self::Inferno => colorous::INFERNO,
            Self::Magma => colorous::MAGMA,
            Self::Plasma => colorous::PLASMA,
            Self::Viridis => colorous::VIRIDIS,
            Self::Gray => return [i as u8; 3],
        };
        let c = gradient.eval_rational(i, ENTRIES);
        [c.r, c.g, c.b]
    }
}
