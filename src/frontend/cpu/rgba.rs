//! Spectrogram to RGBA image. CPU implementation of `shaders/frontend/rgba.wgsl`.

use rayon::prelude::*;

use crate::frontend::config::FrontEndConfig;
use crate::frontend::spectrogram::NO_VALUE;
use crate::frontend::tables::Tables;

/// Draws the image of one clip.
///
/// `cells` is `[frame][row]` and `range` is the clip's own. `out` receives `[channel][y][x]` in
/// 0..=1: red, green, blue, alpha.
///
/// # Panics
/// If `out` is not four planes of the configuration's image size.
pub fn run(
    config: &FrontEndConfig,
    tables: &Tables,
    cells: &[f32],
    range: Option<(f32, f32)>,
    out: &mut [f32],
) {
    let size = config.image_size();
    assert_eq!(out.len(), 4 * size.height * size.width, "four planes");
    let Some((min, max)) = range else {
        out.fill(0.0);
        return;
    };
    let ends = config.image().range.ends(min, max);
    let mut planes = out.chunks_mut(size.height * size.width);
    let [r, g, b, a] = std::array::from_fn(|_| {
        let plane = planes.next().expect("one of four");
        plane.par_chunks_mut(size.width)
    });
    (r.zip(g).zip(b).zip(a).enumerate()).for_each_init(Vec::new, |row, (y, (((r, g), b), a))| {
        blend(config, tables, cells, ends.0, y, row);
        for x in 0..size.width {
            [r[x], g[x], b[x], a[x]] = color(tables, row, ends, x);
        }
    });
}

/// Blends the rows that pixel row `y` covers, for each frame: weighted sum of values, sum of
/// weights.
fn blend(
    config: &FrontEndConfig,
    tables: &Tables,
    cells: &[f32],
    lo: f32,
    y: usize,
    blended: &mut Vec<[f32; 2]>,
) {
    blended.clear();
    blended.extend(cells.chunks(config.rows()).map(|frame| {
        let mut cell = [0.0; 2];
        for (row, w) in tables.y.row(y) {
            let value = frame[row];
            if value != NO_VALUE {
                cell[0] += w * value.max(lo);
                cell[1] += w;
            }
        }
        cell
    }));
}

/// Returns the color of pixel `x` of a blended row.
fn color(tables: &Tables, blended: &[[f32; 2]], (lo, hi): (f32, f32), x: usize) -> [f32; 4] {
    let (mut sum, mut weight) = (0.0f32, 0.0f32);
    for (frame, w) in tables.x.row(x) {
        sum += w * blended[frame][0];
        weight += w * blended[frame][1];
    }
    if weight <= 0.0 {
        return [0.0; 4];
    }
    let t = if hi > lo {
        (sum / weight - lo) * (256.0 / (hi - lo))
    } else {
        0.0
    };
    let [r, g, b, _] = tables.colors[t.clamp(0.0, 255.0) as usize];
    [r, g, b, weight.min(1.0)]
}
