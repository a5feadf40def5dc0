//! The convolutions of the networks, each with its gradients.

use std::sync::Arc;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::comparison::{Case, CheckError, Comparison, Part, of_largest, read};
use super::{Scope, signal};
use crate::gpu::Gpu;
use crate::model::ops::{conv, conv_max};

/// The largest error that rounding makes, as a share of the largest value.
const TOLERANCE: f64 = 1e-4;
const UNIT: &str = "of the largest value";
const REFERENCE: &str = "the CPU reference";

/// Images in a batch.
const N: usize = 3;

/// Input, channels out, kernel, stride, padding: the kinds of layers that the networks have, with
/// sides that no tile divides.
type Layer = ([usize; 3], usize, [usize; 2], usize, [usize; 2]);

const LAYERS: [Layer; 6] = [
    ([4, 37, 41], 32, [3, 3], 1, [0, 0]),
    ([64, 11, 13], 128, [2, 2], 1, [0, 0]),
    ([24, 27, 19], 32, [3, 3], 2, [1, 1]),
    ([32, 14, 17], 32, [3, 3], 1, [1, 1]),
    ([24, 27, 19], 32, [1, 1], 2, [0, 0]),
    ([21, 187, 1], 64, [7, 1], 1, [3, 0]),
];

/// Frames and bands of a filter, and filters.
const MAX_LAYERS: [([usize; 2], usize); 3] = [([7, 38], 20), ([7, 67], 9), ([64, 1], 5)];

pub(super) fn cases(gpu: &Arc<Gpu>, scope: Scope) -> Vec<Case<'_>> {
    let few = scope == Scope::Short;
    let layers = LAYERS
        .iter()
        .filter(|&&(_, _, kernel, ..)| !few || kernel == [7, 1]);
    let max_layers = MAX_LAYERS
        .iter()
        .filter(|(kernel, _)| !few || kernel[1] == 38);
    let layers = layers.map(|layer| convolution(layer, gpu, !few));
    layers
        .chain(max_layers.map(|layer| maximum(*layer, gpu, !few)))
        .collect()
}

fn convolution<'a>(layer: &'a Layer, gpu: &'a Arc<Gpu>, gradients: bool) -> Case<'a> {
    let (input, channels, kernel, stride, [rows, columns]) = *layer;
    let what = format!(
        "convolution {}x{}, stride {stride}, {} to {channels} channels{}",
        kernel[0],
        kernel[1],
        input[0],
        if gradients {
            ", and both gradients"
        } else {
            ""
        },
    );
    Comparison::of(Part::Layers, what, REFERENCE, TOLERANCE, UNIT).by(move || {
        let cpu = Device::flex();
        let layer = Conv2dConfig::new([input[0], channels], kernel)
            .with_stride([stride; 2])
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_bias(false)
            .init(&cpu);
        let [c, height, width] = input;
        let x = signal::noise([N, c, height, width], 1, &cpu);
        let want = results(&layer, x.clone(), gradients)?;
        let layer = layer.fork(&gpu.burn);
        let got = results(&layer, x.to_device(&gpu.burn), gradients)?;
        let pairs = got.iter().zip(&want);
        Ok(pairs.map(|(g, w)| of_largest(g, w)).fold(0.0, f64::max))
    })
}

/// Returns the result and, if wanted, the gradients of the input and the weights.
fn results(layer: &Conv2d, x: Tensor<4>, gradients: bool) -> Result<Vec<Vec<f32>>, CheckError> {
    let plan = conv::plan(layer, &x);
    let out = conv::forward_planned(layer, x.clone(), plan);
    let mut all = vec![read(out.clone())?];
    if gradients {
        let gradient = signal::noise(out.dims(), 2, &out.device());
        let data = conv::backward_data(layer, x.clone(), gradient.clone(), plan);
        all.push(read(data)?);
        all.push(read(conv::backward_weight(layer, x, gradient, plan))?);
    }
    Ok(all)
}

fn maximum<'a>(
    ([frames, bands], filters): ([usize; 2], usize),
    gpu: &'a Arc<Gpu>,
    gradients: bool,
) -> Case<'a> {
    let what = format!(
        "maximum over {filters} filters {frames}x{bands}{}",
        if gradients {
            ", and both gradients"
        } else {
            ""
        },
    );
    Comparison::of(Part::Layers, what, REFERENCE, TOLERANCE, UNIT).by(move || {
        let compute = |device: &Device| -> Result<Vec<Vec<f32>>, CheckError> {
            let padding = ((frames - 1) / 2, frames / 2);
            let x = signal::noise([N, 1, 61, 96], 3, device);
            let weight = signal::noise([filters, 1, frames, bands], 4, device);
            if !gradients {
                return Ok(vec![read(conv_max::conv_max(x, weight, padding))?]);
            }
            let [x, weight] = [x, weight].map(|t| t.autodiff().require_grad());
            let out = conv_max::conv_max(x.clone(), weight.clone(), padding);
            let toward = signal::noise(out.dims(), 5, device).autodiff();
            let gradients = (out.clone() * toward).sum().backward();
            let of = |t: &Tensor<4>| {
                let gradient = t.grad(&gradients);
                read(gradient.ok_or_else(|| CheckError("there is no gradient".into()))?)
            };
            Ok(vec![read(out.inner())?, of(&x)?, of(&weight)?])
        };
        let (got, want) = (compute(&gpu.burn)?, compute(&Device::flex())?);
        let pairs = got.iter().zip(&want);
        Ok(pairs.map(|(g, w)| of_largest(g, w)).fold(0.0, f64::max))
    })
}
