//! Decibels to a picture. Twin of `shaders/frontend/rgba.wgsl`.

use rayon::prelude::*;

use super::NO_VALUE;
use crate::frontend::config::FrontEndConfig;
use crate::frontend::tables::Tables;

/// The picture of one clip.
///
/// `db` is `[frame][row]`, `range` the clip's own, `out` receives `[channel][y][x]` in 0..=1: red, green, blue, alpha.
///
/// # Panics
/// If `out` is not of four planes of the settings' picture.
pub fn run(
    settings: &FrontEndConfig,
    tables: &Tables,
    db: &[f32],
    range: Option<(f32, f32)>,
    out: &mut [f32],
) {
    let size = settings.image_size();
    assert_eq!(out.len(), 4 * size.height * size.width, "four planes");
    let Some((min, max)) = range else {
        out.fill(0.0);
        return;
    };
    let colors = settings.image().range.ends(min, max);
    let mut planes = out.chunks_mut(size.height * size.width);
    let [r, g, b, a] = std::array::from_fn(|_| {
        let plane = planes.next().expect("one of four");
        plane.par_chunks_mut(size.width)
    });
    (r.zip(g).zip(b).zip(a).enumerate()).for_each_init(Vec::new, |cells, (y, (((r, g), b), a))| {
        blend(settings, tables, db, colors.0, y, cells);
        for x in 0..size.width {
            [r[x], g[x], b[x], a[x]] = color(tables, cells, colors, x);
        }
    });
}

/// For each frame, its rows as pixel row `y` has them: weighted sum of decibels, sum of weights.
fn blend(
    settings: &FrontEndConfig,
    tables: &Tables,
    db: &[f32],
    lo: f32,
    y: usize,
    cells: &mut Vec<[f32; 2]>,
) {
    cells.clear();
    cells.extend(db.chunks(settings.rows()).map(|frame| {
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

fn color(tables: &Tables, cells: &[[f32; 2]], (lo, hi): (f32, f32), x: usize) -> [f32; 4] {
    let (mut sum, mut weight) = (0.0f32, 0.0f32);
    for (frame, w) in tables.x.row(x) {
        sum += w * cells[frame][0];
        weight += w * cells[frame][1];
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
