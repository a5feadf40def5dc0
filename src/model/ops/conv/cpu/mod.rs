//! Convolution and its two gradients on the CPU: im2col and matrix products, images side by side on all cores.
//!
//! im2col (Chellapilla, Puri and Simard 2006) lays what the kernel sees at each place into a column; it is done for a
//! few rows of the output at a time, so that the columns stay in the second-level cache. Sums run in an order that the
//! number of cores does not change.

use std::cell::RefCell;
use std::ops::Range;

use gemm::Parallelism;
use rayon::prelude::*;

/// Bytes of columns that are made at a time: half of a usual second-level cache.
const COLUMNS: usize = 512 << 10;
/// Parts that a batch is split into for the gradient of the weights. A constant, so that any machine adds alike.
const PARTS: usize = 16;

/// Shapes of a convolution without dilation and groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub n: usize,
    /// Channels, height and width of an image.
    pub input: [usize; 3],
    /// Channels out.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Down and across.
    pub stride: [usize; 2],
    /// Above and below, left and right.
    pub padding: [usize; 2],
}

impl Geometry {
    /// Height and width of an output image.
    ///
    /// # Panics
    /// If the kernel is larger than the padded image, or a stride is zero.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|i| {
            let padded = self.input[i + 1] + 2 * self.padding[i];
            assert!(padded >= self.kernel[i], "the kernel fits into the image");
            (padded - self.kernel[i]) / self.stride[i] + 1
        })
    }

    fn image(&self) -> usize {
        self.input.iter().product()
    }

    /// Rows of the columns: what the kernel sees at one place.
    fn seen(&self) -> usize {
        self.input[0] * self.kernel[0] * self.kernel[1]
    }

    fn pixels(&self) -> usize {
        self.output().iter().product()
    }

    /// Rows of the output whose columns fit into the cache, at least one.
    fn tile(&self) -> usize {
        let [height, width] = self.output();
        (COLUMNS / (4 * self.seen() * width).max(1)).clamp(1, height)
    }

    /// The output's rows, a cache-full of columns at a time.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let ([height, _], tile) = (self.output(), self.tile());
        (0..height)
            .step_by(tile)
            .map(move |y| y..(y + tile).min(height))
    }

    /// Calls `work` with room for a tile's columns, whatever is in it: each thread keeps its own.
    fn with_columns<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        thread_local! {
            static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        let len = self.seen() * self.tile() * self.output()[1];
        // Nothing that `work` does gives the thread to another task, which would find the room taken.
        COLUMNS.with_borrow_mut(|columns| {
            if columns.len() < len {
                columns.resize(len, 0.0);
            }
            work(&mut columns[..len])
        })
    }

    /// Calls `each` with every row of the output in the columns of these rows: where it starts, which part of it lies in
    /// the image rather than in the padding (maybe none), and where that part starts in the image.
    fn runs(&self, rows: &Range<usize>, mut each: impl FnMut(usize, Range<usize>, usize)) {
        let [_, height, width] = self.input;
        let out = self.output()[1];
        let (stride, [top, left]) = (self.stride, self.padding);
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

    fn im2col(&self, image: &[f32], rows: &Range<usize>, columns: &mut [f32]) {
        let (stride, width) = (self.stride[1], self.output()[1]);
        self.runs(rows, |at, inside, from| {
            let row = &mut columns[at..at + width];
            row[..inside.start].fill(0.0);
            row[inside.end..].fill(0.0);
            let row = &mut row[inside];
            if stride == 1 {
                row.copy_from_slice(&image[from..from + row.len()]);
            } else {
                let seen = image[from..].iter().step_by(stride);
                row.iter_mut().zip(seen).for_each(|(o, x)| *o = *x);
            }
        });
    }

    /// Adds columns to where [`Self::im2col`] takes them from.
    fn col2im(&self, columns: &[f32], rows: &Range<usize>, image: &mut [f32]) {
        let stride = self.stride[1];
        self.runs(rows, |at, inside, from| {
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

    /// The convolution, and `last(channel, row of the output)` while the row is in the cache: `x` is `[n, in, height, width]`, `weight` `[out, in, kernel, kernel]`; gives `[n, out, height,
    /// width]`.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        last: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let mut out = vec![0.0; self.n * self.channels * pixels];
        // One image alone is shared among the cores by its channels.
        let shares = rayon::current_num_threads().div_ceil(self.n.max(1));
        let channels = self
            .channels
            .div_ceil(shares.clamp(1, self.channels.max(1)));
        let images = out.par_chunks_mut((self.channels * pixels).max(1));
        images.enumerate().for_each(|(i, out)| {
            let image = &x[i * self.image()..][..self.image()];
            let shares = out.par_chunks_mut((channels * pixels).max(1));
            shares.enumerate().for_each(|(share, out)| {
                let weight = &weight[share * channels * self.seen()..];
                self.with_columns(|columns| {
                    for rows in self.tiles() {
                        let (count, at) = (rows.len() * width, rows.start * width);
                        self.im2col(image, &rows, columns);
                        let sides = [out.len() / pixels, count, self.seen()];
                        let weight = (weight, [self.seen(), 1]);
                        let columns = (&columns[..], [count, 1]);
                        product((&mut out[at..], [pixels, 1]), weight, columns, sides, false);
                        for (c, plane) in out.chunks_mut(pixels).enumerate() {
                            last(share * channels + c, &mut plane[at..at + count]);
                        }
                    }
                });
            });
        });
        out
    }

    /// The gradient of [`Self::forward`]'s `x`, given that of its result.
    pub fn backward_data(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let mut out = vec![0.0; self.n * self.image()];
        let images = out.par_chunks_mut(self.image().max(1)).enumerate();
        images.for_each(|(i, out)| {
            let gradient = &gradient[i * self.channels * pixels..][..self.channels * pixels];
            self.with_columns(|columns| {
                for rows in self.tiles() {
                    let (count, at) = (rows.len() * width, rows.start * width);
                    let sides = [self.seen(), count, self.channels];
                    let weight = (weight, [1, self.seen()]);
                    let gradient = (&gradient[at..], [pixels, 1]);
                    product((&mut *columns, [count, 1]), weight, gradient, sides, false);
                    self.col2im(columns, &rows, out);
                }
            });
        });
        out
    }

    /// The gradient of [`Self::forward`]'s `weight`, given that of its result.
    pub fn backward_weight(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let size = self.channels * self.seen();
        let images = self.n.div_ceil(PARTS).max(1);
        let parts: Vec<Vec<f32>> = (0..self.n.div_ceil(images))
            .into_par_iter()
            .map(|part| {
                let mut out = vec![0.0; size];
                self.with_columns(|columns| {
                    for i in part * images..((part + 1) * images).min(self.n) {
                        let image = &x[i * self.image()..][..self.image()];
                        let gradient = &gradient[i * self.channels * pixels..];
                        for rows in self.tiles() {
                            let (count, at) = (rows.len() * width, rows.start * width);
                            self.im2col(image, &rows, columns);
                            let sides = [self.channels, self.seen(), count];
                            let gradient = (&gradient[at..], [pixels, 1]);
                            let columns = (&columns[..], [1, count]);
                            product((&mut out, [self.seen(), 1]), gradient, columns, sides, true);
                        }
                    }
                });
                out
            })
            .collect();
        let mut parts = parts.into_iter();
        let mut out = parts.next().unwrap_or_else(|| vec![0.0; size]);
        for part in parts {
            out.iter_mut().zip(part).for_each(|(o, p)| *o += p);
        }
        out
    }

    /// The gradient of a bias behind [`Self::forward`], given that of the result.
    pub fn backward_bias(&self, gradient: &[f32]) -> Vec<f32> {
        let pixels = self.pixels();
        let sum = |c: usize| -> f64 {
            let planes = gradient.chunks(pixels.max(1)).skip(c);
            let planes = planes.step_by(self.channels.max(1));
            // f32 sums of a few hundred values, f64 beyond.
            let sum = |p: &[f32]| {
                p.chunks(512)
                    .map(|p| f64::from(p.iter().sum::<f32>()))
                    .sum::<f64>()
            };
            planes.map(sum).sum()
        };
        (0..self.channels)
            .into_par_iter()
            .map(|c| sum(c) as f32)
            .collect()
    }
}

/// `out[m, n] = a[m, k] b[k, n]`, or added to what is there; every matrix with the steps from row to row and from column
/// to column.
#[allow(unsafe_code, reason = "gemm takes pointers")]
fn product(
    (out, [out_row, out_column]): (&mut [f32], [usize; 2]),
    (a, [a_row, a_column]): (&[f32], [usize; 2]),
    (b, [b_row, b_column]): (&[f32], [usize; 2]),
    [m, n, k]: [usize; 3],
    add: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last = |rows: usize, row: usize, columns: usize, column: usize| {
        (rows - 1) * row + (columns - 1) * column
    };
    assert!(last(m, out_row, n, out_column) < out.len());
    assert!(last(m, a_row, k, a_column) < a.len());
    assert!(last(k, b_row, n, b_column) < b.len());
    // SAFETY: every element that is read or written lies within its slice, as was just asserted; `out` is borrowed
    // exclusively, so it overlaps neither of the others; strides are those of real slices and fit into isize.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            out_column as isize,
            out_row as isize,
            add,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Geometry;

    fn noise(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| next()).collect()
    }

    /// The definition, in f64: calls `each(output, input, weight)` with the places of every product.
    fn products(g: &Geometry, mut each: impl FnMut(usize, usize, usize)) {
        let ([channels, height, width], [oh, ow]) = (g.input, g.output());
        for n in 0..g.n {
            for o in 0..g.channels {
                for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                    for c in 0..channels {
                        for ky in 0..g.kernel[0] {
                            for kx in 0..g.kernel[1] {
                                let iy = (y * g.stride[0] + ky).wrapping_sub(g.padding[0]);
                                let ix = (x * g.stride[1] + kx).wrapping_sub(g.padding[1]);
                                if iy < height && ix < width {
                                    each(
                                        ((n * g.channels + o) * oh + y) * ow + x,
                                        ((n * channels + c) * height + iy) * width + ix,
                                        ((o * channels + c) * g.kernel[0] + ky) * g.kernel[1] + kx,
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[track_caller]
    fn close(got: &[f32], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        let scale = want.iter().fold(1e-3f64, |m, w| m.max(w.abs()));
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            assert!((f64::from(*g) - w).abs() < 1e-5 * scale, "{i}: {g} for {w}");
        }
    }

    #[test]
    fn forward_and_gradients_are_those_of_the_definition() {
        for (n, input, channels, kernel, stride, padding) in [
            (1, [1, 1, 1], 1, [1, 1], [1, 1], [0, 0]),
            (2, [4, 17, 23], 24, [3, 3], [2, 2], [1, 1]),
            (3, [5, 16, 9], 7, [3, 3], [1, 1], [1, 1]),
            (33, [3, 6, 5], 2, [1, 1], [2, 2], [0, 0]),
            (1, [130, 8, 9], 65, [2, 2], [1, 1], [0, 0]),
            (2, [64, 90, 70], 3, [3, 3], [1, 1], [0, 0]),
            (2, [2, 4, 3], 3, [4, 3], [3, 2], [0, 2]),
            (2, [1, 2, 2], 1, [3, 5], [2, 3], [2, 4]),
        ] {
            let g = Geometry {
                n,
                input,
                channels,
                kernel,
                stride,
                padding,
            };
            let (x, weight) = (noise(n * g.image(), 1), noise(channels * g.seen(), 2));
            let out = n * channels * g.pixels();
            let gradient = noise(out, 3);
            let mut forward = vec![0.0f64; out];
            let mut data = vec![0.0f64; x.len()];
            let mut weights = vec![0.0f64; weight.len()];
            products(&g, |o, i, w| {
                forward[o] += f64::from(x[i]) * f64::from(weight[w]);
                data[i] += f64::from(weight[w]) * f64::from(gradient[o]);
                weights[w] += f64::from(x[i]) * f64::from(gradient[o]);
            });
            close(&g.forward(&x, &weight, |_, _| {}), &forward);
            close(&g.backward_data(&weight, &gradient), &data);
            close(&g.backward_weight(&x, &gradient), &weights);
        }
    }

    /// Whatever the number of cores, sums are made in one order.
    #[test]
    fn the_number_of_threads_changes_nothing() {
        let g = Geometry {
            n: 5,
            input: [8, 40, 30],
            channels: 12,
            kernel: [3, 3],
            stride: [2, 2],
            padding: [1, 1],
        };
        let (x, weight) = (noise(5 * g.image(), 1), noise(12 * g.seen(), 2));
        let gradient = noise(5 * 12 * g.pixels(), 3);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                (
                    g.forward(&x, &weight, |_, _| {}),
                    g.backward_data(&weight, &gradient),
                    g.backward_weight(&x, &gradient),
                )
            })
        };
        assert!(run(1) == run(2) && run(1) == run(7));
    }
}
