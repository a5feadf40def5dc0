//! A small residual network for features of any size.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig,
    PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::frontend::config::FrontEndConfig;
use crate::frontend::presets;
use crate::model::architecture::{Architecture, frequency_and_time, product};
use crate::model::ops::norm;
use crate::model::{NetworkSpec, Pass};

/// A strided stem and residual stages with batch normalization (He et al. 2016), then global
/// pooling: the mean over frequency and, over time, mean plus maximum (Kong et al. 2020, PANNs).
///
/// The mean keeps what sounds throughout and the maximum what sounds once. Pooling lets the input
/// have any size.
#[derive(Module, Debug)]
pub struct Compact {
    stem: ConvNorm,
    stages: Vec<Residual>,
    dropout: Dropout,
    head: Linear,
}

/// A convolution without bias, and its batch normalization.
#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

/// Two 3x3 convolutions with a shortcut around them. Halves height and width.
#[derive(Module, Debug)]
struct Residual {
    first: ConvNorm,
    second: ConvNorm,
    shortcut: ConvNorm,
}

/// Channels of the stem and of each stage.
const CHANNELS: [usize; 4] = [24, 32, 64, 128];

impl ConvNorm {
    fn new([from, to]: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let pad = kernel / 2;
        Self {
            conv: Conv2dConfig::new([from, to], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .with_bias(false)
                .with_initializer(Initializer::KaimingNormal {
                    gain: std::f64::consts::SQRT_2,
                    fan_out_only: false,
                })
                .init(device),
            norm: BatchNormConfig::new(to).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>, rectify: bool) -> Tensor<4> {
        norm::conv_batch_norm(&self.norm, &self.conv, x, rectify)
    }
}

impl Residual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let inner = self.first.forward(x.clone(), true);
        relu(self.second.forward(inner, false) + self.shortcut.forward(x, false))
    }
}

impl Architecture for Compact {
    /// Five strides of 2 leave at least one cell of 16x16.
    const MIN_INPUT: [usize; 3] = [1, 16, 16];

    const OUTPUT: &str = "head";

    fn preset() -> FrontEndConfig {
        presets::mel()
    }

    fn new(spec: &NetworkSpec, device: &Device) -> Self {
        let channels = spec.input[0];
        let stages = CHANNELS
            .windows(2)
            .map(|c| Residual {
                first: ConvNorm::new([c[0], c[1]], 3, 2, device),
                second: ConvNorm::new([c[1], c[1]], 3, 1, device),
                shortcut: ConvNorm::new([c[0], c[1]], 1, 2, device),
            })
            .collect();
        Self {
            stem: ConvNorm::new([channels, CHANNELS[0]], 3, 2, device),
            stages,
            dropout: DropoutConfig::new(0.3).init(),
            head: LinearConfig::new(CHANNELS[3], spec.classes).init(device),
        }
    }

    fn multiply_adds(spec: &NetworkSpec) -> u64 {
        let [channels, height, width] = spec.input;
        let halve = |side: usize| side.div_ceil(2);
        let (mut height, mut width) = (halve(height), halve(width));
        let mut sum = product(&[height, width, 9 * CHANNELS[0], channels]);
        for c in CHANNELS.windows(2) {
            (height, width) = (halve(height), halve(width));
            // The strided 3x3 convolution, the 3x3 convolution after it, the 1x1 shortcut.
            let per_cell = 9 * c[0] * c[1] + 9 * c[1] * c[1] + c[0] * c[1];
            sum = sum.saturating_add(product(&[height, width, per_cell]));
        }
        sum.saturating_add(product(&[CHANNELS[3], spec.classes]))
    }

    fn largest_tensor(spec: &NetworkSpec, _: Pass) -> u64 {
        let [_, height, width] = spec.input;
        // Each stage halves both sides, and less than doubles the channels.
        let stem = product(&[height.div_ceil(2), width.div_ceil(2), CHANNELS[0]]);
        product(&spec.input).max(stem)
    }

    fn scaling_weights(spec: &NetworkSpec) -> usize {
        let stem = spec.input[0].saturating_mul(9 * CHANNELS[0]);
        stem.saturating_add(spec.classes.saturating_mul(CHANNELS[3]))
    }

    fn features_len(_: &NetworkSpec) -> usize {
        CHANNELS[3]
    }

    fn features(&self, input: Tensor<4>) -> Tensor<2> {
        let [frequency, time] = frequency_and_time(input.dims());
        let x = self.stem.forward(input, true);
        let x = self.stages.iter().fold(x, |x, s| s.forward(x));
        let over_frequency = x.mean_dim(frequency);
        let over_time = over_frequency.clone().mean_dim(time) + over_frequency.max_dim(time);
        over_time.flatten(1, 3)
    }

    fn head(&self, features: Tensor<2>) -> Tensor<2> {
        self.head.forward(self.dropout.forward(features))
    }

    fn output(&mut self) -> &mut Linear {
        &mut self.head
    }
}
