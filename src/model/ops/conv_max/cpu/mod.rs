//! The convolution, its maximum over frequency, and the gradients on the CPU.
//!
//! The sums of the convolution are never stored. Groups of filters and images run side by side on
//! all cores. Every sum has one order, whatever the number of cores.

mod backward;
mod kernel;
#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::shape::ConvMaxShape;
use kernel::{Group, SLACK, max_filters};

impl ConvMaxShape {
    /// Computes the maxima, `[n, channels, frames]`, of `x`, `[n, frames, bands]`, under the
    /// filters `weight`, `[channels, frames, bands]`.
    pub fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.output().iter().product()];
        self.run(x, weight, &mut out, None);
        out
    }

    /// Computes what [`Self::forward`] does, and the place of each maximum along frequency: the
    /// first one if several are equal. Places are whole numbers, as Burn's tensors hold them.
    pub fn forward_with_places(&self, x: &[f32], weight: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let mut out = vec![0.0; self.output().iter().product()];
        let mut places = vec![0.0; out.len()];
        self.run(x, weight, &mut out, Some(&mut places));
        (out, places)
    }

    fn run(&self, x: &[f32], weight: &[f32], out: &mut [f32], places: Option<&mut [f32]>) {
        if out.is_empty() {
            return;
        }
        let packed = self.pack(weight);
        let mut padded = Vec::with_capacity(x.len() + SLACK);
        padded.extend_from_slice(x);
        padded.resize(x.len() + SLACK, 0.0);
        let (mut out, mut places) = (out, places);
        let mut groups = Vec::new();
        for image in 0..self.n {
            let image = &padded[image * self.image_len()..][..self.image_len() + SLACK];
            for (filters, weight) in &packed {
                let len = filters * self.frames();
                let (group, rest) = std::mem::take(&mut out).split_at_mut(len);
                out = rest;
                let places = places.as_mut().map(|places| {
                    let (group, rest) = std::mem::take(places).split_at_mut(len);
                    *places = rest;
                    group
                });
                groups.push(Group {
                    shape: *self,
                    image,
                    filters: *filters,
                    weight,
                    out: group,
                    places,
                });
            }
        }
        groups.into_par_iter().for_each(Group::run);
    }

    /// Splits the filters into groups of almost equal sizes: the size of each, and its weights,
    /// `[tap][filter]`.
    fn pack(&self, weight: &[f32]) -> Vec<(usize, Vec<f32>)> {
        let groups = self.channels.div_ceil(max_filters()).max(1);
        let first = |group: usize| group * self.channels / groups;
        let group = |group: usize| {
            let filters = first(group)..first(group + 1);
            let weight = &weight[filters.start * self.taps()..filters.end * self.taps()];
            let value = |i: usize| weight[i % filters.len() * self.taps() + i / filters.len()];
            (filters.len(), (0..weight.len()).map(value).collect())
        };
        (0..groups).map(group).collect()
    }
}
