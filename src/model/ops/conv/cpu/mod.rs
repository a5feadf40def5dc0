//! Convolution and its two gradients on the CPU: im2col and matrix products, with images side by
//! side on all cores.
//!
//! The order of each sum is independent of the number of cores.

mod im2col;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::model::ops::product::product;

/// The parts that a batch is split into for the gradient of the weights. It is a constant, so that
/// every machine adds in the same order.
const PARTS: usize = 16;

impl Geometry {
    /// Computes the convolution of `x`, `[n, in, height, width]`, with `weight`,
    /// `[out, in, height, width]`: `[n, out, height, width]`.
    ///
    /// Calls `finish(channel, values)` with each part of an output plane while it is in the cache.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        finish: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let mut out = vec![0.0; self.n * self.channels * pixels];
        // The cores share a single image by its channels.
        let shares = rayon::current_num_threads().div_ceil(self.n.max(1));
        let channels = self
            .channels
            .div_ceil(shares.clamp(1, self.channels.max(1)));
        let images = out.par_chunks_mut((self.channels * pixels).max(1));
        images.enumerate().for_each(|(i, out)| {
            let image = &x[i * self.image_len()..][..self.image_len()];
            let shares = out.par_chunks_mut((channels * pixels).max(1));
            shares.enumerate().for_each(|(share, out)| {
                let weight = &weight[share * channels * self.patch_len()..];
                self.with_columns(|columns| {
                    for rows in self.tiles() {
                        let (count, at) = (rows.len() * width, rows.start * width);
                        self.im2col(image, &rows, columns);
                        let sizes = [out.len() / pixels, count, self.patch_len()];
                        let weight = (weight, [self.patch_len(), 1]);
                        let columns = (&columns[..], [count, 1]);
                        product((&mut out[at..], [pixels, 1]), weight, columns, sizes, false);
                        for (c, plane) in out.chunks_mut(pixels).enumerate() {
                            finish(share * channels + c, &mut plane[at..at + count]);
                        }
                    }
                });
            });
        });
        out
    }

    /// Computes the gradient of the `x` of [`Self::forward`] from that of its result.
    pub fn backward_data(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let mut out = vec![0.0; self.n * self.image_len()];
        let images = out.par_chunks_mut(self.image_len().max(1)).enumerate();
        images.for_each(|(i, out)| {
            let gradient = &gradient[i * self.channels * pixels..][..self.channels * pixels];
            self.with_columns(|columns| {
                for rows in self.tiles() {
                    let (count, at) = (rows.len() * width, rows.start * width);
                    let sizes = [self.patch_len(), count, self.channels];
                    let weight = (weight, [1, self.patch_len()]);
                    let gradient = (&gradient[at..], [pixels, 1]);
                    product((&mut *columns, [count, 1]), weight, gradient, sizes, false);
                    self.col2im(columns, &rows, out);
                }
            });
        });
        out
    }

    /// Computes the gradient of the `weight` of [`Self::forward`] from that of its result.
    pub fn backward_weight(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (pixels, width) = (self.pixels(), self.output()[1]);
        let size = self.channels * self.patch_len();
        let images = self.n.div_ceil(PARTS).max(1);
        let parts: Vec<Vec<f32>> = (0..self.n.div_ceil(images))
            .into_par_iter()
            .map(|part| {
                let mut out = vec![0.0; size];
                self.with_columns(|columns| {
                    for i in part * images..((part + 1) * images).min(self.n) {
                        let image = &x[i * self.image_len()..][..self.image_len()];
                        let gradient = &gradient[i * self.channels * pixels..];
                        for rows in self.tiles() {
                            let (count, at) = (rows.len() * width, rows.start * width);
                            self.im2col(image, &rows, columns);
                            let sizes = [self.channels, self.patch_len(), count];
                            let gradient = (&gradient[at..], [pixels, 1]);
                            let columns = (&columns[..], [1, count]);
                            product(
                                (&mut out, [self.patch_len(), 1]),
                                gradient,
                                columns,
                                sizes,
                                true,
                            );
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

    /// Computes the gradient of a bias that is added to the result of [`Self::forward`].
    pub fn backward_bias(&self, gradient: &[f32]) -> Vec<f32> {
        let pixels = self.pixels();
        let sum = |c: usize| -> f64 {
            let planes = gradient.chunks(pixels.max(1)).skip(c);
            let planes = planes.step_by(self.channels.max(1));
            // Adds a few hundred values in f32, and their sums in f64.
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
