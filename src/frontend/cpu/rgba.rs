//! Decibels to a picture. Twin of `shaders/rgba.wgsl`.

use rayon::prelude::*;

use super::NO_VALUE;
use crate::frontend::settings::FrontEnd;
use crate::frontend::tables::Tables;

/// The picture of one clip.
///
/// `db` is `[frame][row]`, `range` the clip's own, `out` receives `[y][x]` of RGBA in 0..=1.
pub fn run(
    settings: &FrontEnd,
    tables: &Tables,
    db: &[f32],
    range: Option<(f32, f32)>,
    out: &mut [[f32; 4]],
) {
    let width = settings.picture_size().width;
    let Some((min, max)) = range else {
        out.fill([0.0; 4]);
        return;
    };
    let (lo, hi) = settings.colour_range(min, max);
    out.par_chunks_mut(width).enumerate().for_each(|(y, line)| {
        for (x, pixel) in line.iter_mut().enumerate() {
            *pixel = colour(settings, tables, db, (lo, hi), y, x);
        }
    });
}

fn colour(
    settings: &FrontEnd,
    tables: &Tables,
    db: &[f32],
    (lo, hi): (f32, f32),
    y: usize,
    x: usize,
) -> [f32; 4] {
    let rows = settings.rows();
    let (mut sum, mut weight) = (0.0f32, 0.0f32);
    for (frame, wx) in tables.x.row(x) {
        let column = &db[frame * rows..][..rows];
        for (row, wy) in tables.y.row(y) {
            let value = column[row];
            if value != NO_VALUE {
                sum += wx * wy * value.max(lo);
                weight += wx * wy;
            }
        }
    }
    if weight <= 0.0 {
        return [0.0; 4];
    }
    let span = hi - lo;
    let t = if span > 0.0 {
        (sum / weight - lo) / span
    } else {
        0.0
    };
    let [r, g, b, _] = tables.colours[(t * 256.0).clamp(0.0, 255.0) as usize];
    [r, g, b, weight.min(1.0)]
}
