//! A tagger with tall and wide filters over a mel spectrogram.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::frontend::config::FrontEndConfig;
use crate::frontend::presets;
use crate::model::architecture::{Architecture, product};
use crate::model::ops::{conv, conv_max, norm};
use crate::model::{Filters, NetworkSpec, Pass};

/// musicnn (Pons and Serra 2019, "musicnn: pre-trained convolutional neural networks for music
/// audio tagging"), with as many filters as the spec says.
///
/// It reads spectrograms `[n, 1, frames, bands]`. Timbral filters see 7 frames of 38 or 67 bands,
/// and temporal filters see 128, 64 or 32 frames of one band. Each gives its largest value over all
/// bands. Three layers over time follow, and then the maximum and the mean over all frames. In
/// every layer the ReLU comes before the norm.
///
/// A pruned network lacks the filters that never fire, of which the output is a constant. Because
/// the layers over time pad their input with zeros, the constant is not the same near the ends. One
/// more input channel, which is 1 in every frame, carries it. For the same reason `mid_1` may have
/// fewer outputs than the 64 to which they are added: the others are constants, and `mid_2.norm`
/// holds them.
#[derive(Module, Debug)]
pub struct Musicnn {
    input_norm: BatchNorm,
    timbral_38: Layer,
    timbral_67: Layer,
    temporal_128: Layer,
    temporal_64: Layer,
    temporal_32: Layer,
    mid_1: Layer,
    mid_2: Layer,
    mid_3: Layer,
    pool_norm: BatchNorm,
    dense: Linear,
    dense_norm: BatchNorm,
    dropout: Dropout,
    output: Linear,
}

/// A convolution, a ReLU and a norm, in this order.
#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: BatchNorm,
}

/// Frames and bands of the filters that read the spectrogram.
const FRONT: [[usize; 2]; 5] = [[7, 38], [7, 67], [128, 1], [64, 1], [32, 1]];
/// Outputs of the layers over time, and the frames of their filters.
const MID: usize = 64;
const MID_FRAMES: usize = 7;
/// Outputs of the dense layer.
const DENSE: usize = 200;

/// Returns the zeros before and behind the frames that keep their number.
fn pads(frames: usize) -> (usize, usize) {
    ((frames - 1) / 2, frames / 2)
}

/// Returns the number of pooled features: maximum and mean of each channel.
fn pooled(filters: &Filters) -> usize {
    let front: usize = filters.front().iter().sum();
    2 * (front + filters.mid_1 + 2 * MID)
}

fn batch_norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig {
        momentum: 0.01,
        epsilon: 1e-3,
        ..BatchNormConfig::new(channels)
    }
    .init(device)
}

impl Layer {
    fn new([from, to]: [usize; 2], kernel: [usize; 2], device: &Device) -> Self {
        let (before, after) = pads(kernel[0]);
        Self {
            conv: Conv2dConfig::new([from, to], kernel)
                .with_padding(PaddingConfig2d::Explicit(before, 0, after, 0))
                .init(device),
            norm: batch_norm(to, device),
        }
    }

    /// Returns the largest output over all bands, `[n, to, frames]`, of `x`, `[n, 1, frames,
    /// bands]`.
    ///
    /// The norm is a rising line where its scale is positive, so that it may follow the maximum, and
    /// with it the bias and the ReLU. Where the scale is negative, the line falls, and the
    /// smallest value is looked for: the negative of the largest output of the negative filter.
    fn max_over_bands(&self, x: Tensor<4>) -> Tensor<3> {
        if norm::learns_moments(&self.norm, &x.device()) {
            let x = norm::forward(&self.norm, relu(conv::forward(&self.conv, x)), false);
            return x.max_dim(3).squeeze_dim(3);
        }
        let [scale, shift] = norm::affine(&self.norm).map(|v| v.reshape([1, -1, 1]));
        let sign = scale.clone().detach().sign();
        let [to, ..] = self.conv.weight.dims();
        let weight = self.conv.weight.val() * sign.clone().reshape([to, 1, 1, 1]);
        let largest = conv_max::conv_max(x, weight, pads(self.conv.kernel_size[0]));
        let bias = self.conv.bias.as_ref().map(|b| b.val());
        let bias = bias.expect("every layer has a bias").reshape([1, -1, 1]);
        relu(largest * sign + bias) * scale + shift
    }

    /// Applies the layer to `x`, `[n, from, frames]`.
    fn over_time(&self, x: Tensor<3>) -> Tensor<3> {
        let x: Tensor<4> = x.unsqueeze_dim(3);
        let out = relu(conv::forward(&self.conv, x));
        norm::forward(&self.norm, out, false).squeeze_dim(3)
    }
}

/// Adds a channel of ones to `x`, `[n, channels, frames]`.
fn with_ones(x: Tensor<3>) -> Tensor<3> {
    let [n, _, frames] = x.dims();
    let ones = Tensor::ones([n, 1, frames], (&x.device(), x.dtype()));
    Tensor::cat(vec![x, ones], 1)
}

impl Musicnn {
    /// Returns the layers that read the spectrogram, in the order of [`FRONT`].
    fn front(&self) -> [&Layer; 5] {
        [
            &self.timbral_38,
            &self.timbral_67,
            &self.temporal_128,
            &self.temporal_64,
            &self.temporal_32,
        ]
    }

    /// Returns the channels over time, `[n, channels, frames]`, that are pooled.
    fn over_time(&self, input: Tensor<4>) -> Tensor<3> {
        let x = norm::forward(&self.input_norm, input, false);
        let front = self.front().map(|layer| layer.max_over_bands(x.clone()));
        let front = Tensor::cat(front.to_vec(), 1);
        let first = self.mid_1.over_time(with_ones(front.clone()));
        let second = self.mid_2.over_time(with_ones(first.clone()));
        let live = first.dims()[1];
        let second = if live == MID {
            second + first.clone()
        } else {
            let sum = second.clone().narrow(1, 0, live) + first.clone();
            Tensor::cat(vec![sum, second.narrow(1, live, MID - live)], 1)
        };
        let third = self.mid_3.over_time(second.clone()) + second.clone();
        Tensor::cat(vec![front, first, second, third], 1)
    }
}

impl Architecture for Musicnn {
    /// The tallest filter has 67 bands.
    const MIN_INPUT: [usize; 3] = [1, 1, 67];

    const OUTPUT: &str = "output";

    const MAX_CHANNELS: usize = 1;

    /// The features have means far from zero, so that dropout would make nonsense of a fitted last
    /// layer, and the moments of a few files are worse than those of 200 000 songs.
    const TUNES_AS_AT_INFERENCE: bool = true;

    fn preset() -> FrontEndConfig {
        presets::musicnn()
    }

    fn new(spec: &NetworkSpec, device: &Device) -> Self {
        let filters = spec.filters.unwrap_or_default();
        let front = filters.front();
        let [
            timbral_38,
            timbral_67,
            temporal_128,
            temporal_64,
            temporal_32,
        ] = std::array::from_fn(|i| Layer::new([1, front[i]], FRONT[i], device));
        let channels: usize = front.iter().sum();
        let live = filters.mid_1;
        let pooled = pooled(&filters);
        let mid = |from, to| Layer::new([from, to], [MID_FRAMES, 1], device);
        Self {
            input_norm: batch_norm(1, device),
            timbral_38,
            timbral_67,
            temporal_128,
            temporal_64,
            temporal_32,
            mid_1: mid(channels + 1, live),
            mid_2: mid(live + 1, MID),
            mid_3: mid(MID, MID),
            pool_norm: batch_norm(pooled, device),
            dense: LinearConfig::new(pooled, DENSE).init(device),
            dense_norm: batch_norm(DENSE, device),
            dropout: DropoutConfig::new(0.5).init(),
            output: LinearConfig::new(Self::features_len(spec), spec.classes).init(device),
        }
    }

    fn multiply_adds(spec: &NetworkSpec) -> u64 {
        let [_, frames, bands] = spec.input;
        let filters = spec.filters.unwrap_or_default();
        let front = filters.front();
        let of_front = FRONT.iter().zip(front).map(|(&[high, wide], n)| {
            let places = (bands + 1).saturating_sub(wide);
            product(&[frames, places, high * wide, n])
        });
        let channels: usize = front.iter().sum();
        let live = filters.mid_1;
        let over_time = (channels + 1) * live + (live + 1) * MID + MID * MID;
        let dense = [
            product(&[frames, MID_FRAMES, over_time]),
            product(&[pooled(&filters), DENSE]),
            product(&[Self::features_len(spec), spec.classes]),
        ];
        of_front.chain(dense).fold(0, u64::saturating_add)
    }

    fn largest_tensor(spec: &NetworkSpec, pass: Pass) -> u64 {
        let [_, frames, bands] = spec.input;
        let filters = spec.filters.unwrap_or_default();
        let front = filters.front();
        // Without moments of the batch, only the maximum over the bands is written.
        let places = |wide: usize| match pass {
            Pass::Inference => 1,
            Pass::Training => (bands + 1).saturating_sub(wide),
        };
        let of_front = FRONT.iter().zip(front);
        let of_front = of_front.map(|(&[_, wide], n)| product(&[frames, places(wide), n]));
        let over_time = product(&[frames, pooled(&filters) / 2]);
        let all = of_front.chain([over_time, product(&spec.input)]);
        all.max().unwrap_or_default()
    }

    fn scaling_weights(spec: &NetworkSpec) -> usize {
        let filters = spec.filters.unwrap_or_default();
        let front = filters.front();
        let of_front: usize = FRONT.iter().zip(front).map(|([h, w], n)| h * w * n).sum();
        let channels: usize = front.iter().sum();
        let per_channel = MID_FRAMES * filters.mid_1 + 2 * DENSE;
        of_front + channels * per_channel + spec.classes.saturating_mul(Self::features_len(spec))
    }

    fn features_len(spec: &NetworkSpec) -> usize {
        let filters = spec.filters.unwrap_or_default();
        match filters.pooled_head {
            true => DENSE + pooled(&filters),
            false => DENSE,
        }
    }

    fn features(&self, input: Tensor<4>) -> Tensor<2> {
        let x = self.over_time(input);
        let [n, channels, _] = x.dims();
        let pooled: Tensor<3> = Tensor::cat(vec![x.clone().max_dim(2), x.mean_dim(2)], 2);
        let pooled = self.pool_norm.forward(pooled.reshape([n, 2 * channels]));
        let dense = relu(self.dense.forward(self.dropout.forward(pooled.clone())));
        let dense = self.dense_norm.forward(dense);
        match self.output.weight.dims() {
            [DENSE, _] => dense,
            _ => Tensor::cat(vec![dense, pooled], 1),
        }
    }

    fn embedding(&self, features: Tensor<2>) -> Tensor<2> {
        features.narrow(1, 0, DENSE)
    }

    fn head(&self, features: Tensor<2>) -> Tensor<2> {
        self.output.forward(self.dropout.forward(features))
    }

    fn output(&mut self) -> &mut Linear {
        &mut self.output
    }
}
