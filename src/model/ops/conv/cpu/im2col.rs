//! im2col (Chellapilla, Puri and Simard 2006): each place of the kernel becomes one column of a
//! matrix, and with it a convolution becomes a matrix product.
//!
//! The matrix is made for a few rows of the output at a time, so that it stays in the second-level
//! cache.

use std::cell::RefCell;
use std::ops::Range;

use crate::model::ops::conv::geometry::Geometry;

/// The most bytes of the matrix at a time: half of a usual second-level cache.
const MAX_BYTES: usize = 512 << 10;

impl Geometry {
    /// Returns how many rows of the output fit into the cache as columns of the matrix, at least
    /// one.
    fn rows_per_tile(&self) -> usize {
        let [height, width] = self.output();
        let row_bytes = size_of::<f32>() * self.patch_len() * width;
        (MAX_BYTES / row_bytes.max(1)).clamp(1, height)
    }

    /// Splits the rows of the output into tiles.
    pub fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let ([height, _], rows) = (self.output(), self.rows_per_tile());
        (0..height)
            .step_by(rows)
            .map(move |y| y..(y + rows).min(height))
    }

    /// Calls `work` with room for the matrix of one tile, whose values are undefined.
    ///
    /// Each thread keeps its memory for the next call.
    pub fn with_columns<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        thread_local! {
            static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        let len = self.patch_len() * self.rows_per_tile() * self.output()[1];
        // `work` must not yield the thread to another task, which would find the memory borrowed.
        // No caller starts parallel work inside.
        COLUMNS.with_borrow_mut(|columns| {
            if columns.len() < len {
                columns.resize(len, 0.0);
            }
            work(&mut columns[..len])
        })
    }

    /// Calls `each` for every run of `width` values in the matrix of the output rows `rows`: one
    /// per tap and output row.
    ///
    /// The arguments are the index of the run's first value, the part of the run that lies in the
    /// image rather than in the padding (maybe empty), and the index in the image of the first
    /// value of that part.
    fn for_each_row(&self, rows: &Range<usize>, mut each: impl FnMut(usize, Range<usize>, usize)) {
        let [_, height, width] = self.input;
        let out = self.output()[1];
        let (stride, [(top, _), (left, _)]) = (self.stride, self.padding);
        let mut at = 0;
        for c in 0..self.input[0] {
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let until = |edge: usize| edge.saturating_sub(kx).div_ceil(stride[1]).min(out);
                    let (first, last) = (until(left), until(width + left));
                    for y in rows.clone() {
                        let iy = (y * stride[0] + ky).wrapping_sub(top);
                        if iy < height && first < last {
                            let ix = first * stride[1] + kx - left;
                            each(at, first..last, (c * height + iy) * width + ix);
                        } else {
                            each(at, 0..0, 0);
                        }
                        at += out;
                    }
                }
            }
        }
    }

    /// Copies the values that the kernel reads for the output rows `rows` into `columns`.
    pub fn im2col(&self, image: &[f32], rows: &Range<usize>, columns: &mut [f32]) {
        let (stride, width) = (self.stride[1], self.output()[1]);
        self.for_each_row(rows, |at, inside, from| {
            let row = &mut columns[at..at + width];
            row[..inside.start].fill(0.0);
            row[inside.end..].fill(0.0);
            let row = &mut row[inside];
            if stride == 1 {
                row.copy_from_slice(&image[from..from + row.len()]);
            } else {
                let pixels = image[from..].iter().step_by(stride);
                row.iter_mut().zip(pixels).for_each(|(o, x)| *o = *x);
            }
        });
    }

    /// Adds each value of `columns` to the pixel that [`Self::im2col`] copies it from.
    pub fn col2im(&self, columns: &[f32], rows: &Range<usize>, image: &mut [f32]) {
        let stride = self.stride[1];
        self.for_each_row(rows, |at, inside, from| {
            let columns = &columns[at + inside.start..at + inside.end];
            if stride == 1 {
                let image = &mut image[from..from + columns.len()];
                image.iter_mut().zip(columns).for_each(|(o, x)| *o += *x);
            } else {
                let image = image[from..].iter_mut().step_by(stride);
                image.zip(columns).for_each(|(o, x)| *o += *x);
            }
        });
    }
}
