//! A small residual network for pictures of any size.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig,
    PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::frontend::config::Size;
use crate::model::ops::norm;

/// A strided stem and residual stages with batch normalization (He et al. 2016), then the mean over frequency and, over
/// time, mean plus maximum (Kong et al. 2020, PANNs): what sounds throughout and what sounds once both count, and the
/// picture may have any size.
#[derive(Module, Debug)]
pub struct Compact {
    stem: ConvNorm,
    stages: Vec<Residual>,
    dropout: Dropout,
    head: Linear,
}

/// A convolution without bias, and its normalization.
#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

/// Two 3x3 convolutions around a shortcut; halves both sides.
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

impl Compact {
    /// The smallest side of a picture that makes sense: one cell is left of it.
    pub const LEAST_SIDE: usize = 16;

    /// The network with `classes` outputs.
    pub fn new(classes: usize, device: &Device) -> Self {
        let stages = CHANNELS
            .windows(2)
            .map(|c| Residual {
                first: ConvNorm::new([c[0], c[1]], 3, 2, device),
                second: ConvNorm::new([c[1], c[1]], 3, 1, device),
                shortcut: ConvNorm::new([c[0], c[1]], 1, 2, device),
            })
            .collect();
        Self {
            stem: ConvNorm::new([4, CHANNELS[0]], 3, 2, device),
            stages,
            dropout: DropoutConfig::new(0.3).init(),
            head: LinearConfig::new(CHANNELS[3], classes).init(device),
        }
    }

    /// Multiply-adds of one picture forward: convolutions and the dense layer.
    pub fn multiply_adds(picture: Size, classes: usize) -> u64 {
        let half = |(h, w): (usize, usize)| (h.div_ceil(2), w.div_ceil(2));
        let mut side = half((picture.height, picture.width));
        let mut sum = side.0 * side.1 * 9 * 4 * CHANNELS[0];
        for c in CHANNELS.windows(2) {
            side = half(side);
            // The strided 3x3, the 3x3 behind it, the 1x1 shortcut.
            sum += side.0 * side.1 * (9 * c[0] * c[1] + 9 * c[1] * c[1] + c[0] * c[1]);
        }
        (sum + CHANNELS[3] * classes) as u64
    }

    /// Mean over frequency, mean plus maximum over time: `[n, 128]` of pictures `[n, 4, height, width]`.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<2> {
        let x = self.stem.forward(pictures, true);
        let x = self.stages.iter().fold(x, |x, s| s.forward(x));
        let over_frequency = x.mean_dim(2);
        let over_time = over_frequency.clone().mean_dim(3) + over_frequency.max_dim(3);
        over_time.flatten(1, 3)
    }

    /// Logits `[n, classes]` of features.
    pub fn head(&self, features: Tensor<2>) -> Tensor<2> {
        self.head.forward(self.dropout.forward(features))
    }
}
