//! The gradients. Each output is one sum, at the place of its maximum.

use rayon::prelude::*;

use crate::model::ops::conv_max::shape::ConvMaxShape;

impl ConvMaxShape {
    /// Computes the gradient of the `weight` of [`Self::forward_with_places`] from that of its
    /// result.
    pub fn backward_weight(&self, x: &[f32], places: &[f32], gradient: &[f32]) -> Vec<f32> {
        let [rows, width] = self.kernel;
        let mut out = vec![0.0; self.channels * self.taps()];
        // One row of one filter per task, which adds the images and frames in their order.
        let all = out.par_chunks_mut(width.max(1)).enumerate();
        all.for_each(|(i, out)| {
            let (channel, row) = (i / rows, i % rows);
            let mut sums = vec![0.0f32; width];
            for image in 0..self.n {
                let at = (image * self.channels + channel) * self.frames();
                let image = &x[image * self.image_len()..][..self.image_len()];
                sums.fill(0.0);
                for t in 0..self.frames() {
                    let Some(y) = (t + row).checked_sub(self.padding.0) else {
                        continue;
                    };
                    if y >= self.input[0] || gradient[at + t] == 0.0 {
                        continue;
                    }
                    let from = y * self.input[1] + places[at + t] as usize;
                    let values = &image[from..from + width];
                    let factor = gradient[at + t];
                    sums.iter_mut()
                        .zip(values)
                        .for_each(|(s, x)| *s += factor * x);
                }
                out.iter_mut().zip(&sums).for_each(|(o, s)| *o += s);
            }
        });
        out
    }

    /// Computes the gradient of the `x` of [`Self::forward_with_places`] from that of its result.
    pub fn backward_data(&self, weight: &[f32], places: &[f32], gradient: &[f32]) -> Vec<f32> {
        let ([rows, bands], [frames, width]) = (self.input, self.kernel);
        let mut out = vec![0.0; self.n * self.image_len()];
        // One row of one image per task, which adds the filters and frames in their order.
        let all = out.par_chunks_mut(bands.max(1)).enumerate();
        all.for_each(|(i, out)| {
            let (image, y) = (i / rows, i % rows);
            for channel in 0..self.channels {
                let at = (image * self.channels + channel) * self.frames();
                let weight = &weight[channel * self.taps()..][..self.taps()];
                for (row, weight) in weight.chunks_exact(width).enumerate().take(frames) {
                    let Some(t) = (y + self.padding.0).checked_sub(row) else {
                        break;
                    };
                    if t >= self.frames() || gradient[at + t] == 0.0 {
                        continue;
                    }
                    let out = &mut out[places[at + t] as usize..][..width];
                    let factor = gradient[at + t];
                    out.iter_mut()
                        .zip(weight)
                        .for_each(|(o, w)| *o += factor * w);
                }
            }
        });
        out
    }
}
