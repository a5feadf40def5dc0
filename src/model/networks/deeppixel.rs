//! The original project's network.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PRelu, PReluConfig};
use burn::tensor::{Device, Tensor};

use crate::frontend::config::FrontEndConfig;
use crate::frontend::presets;
use crate::model::architecture::{Architecture, product};
use crate::model::ops::pool;
use crate::model::{NetworkSpec, Pass};

/// Five convolutions without padding, each followed by max-pooling, then dropout and one dense
/// layer.
///
/// On 720x720x4 and ten classes it has 719 946 parameters, 564 490 of them in the dense layer,
/// whose size grows with the input. The original has no activation after the fourth convolution,
/// and neither has this.
#[derive(Module, Debug)]
pub struct DeepPixel {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    conv5: Conv2d,
    prelu1: PRelu,
    prelu2: PRelu,
    prelu3: PRelu,
    prelu5: PRelu,
    pool: MaxPool2d,
    dropout: Dropout,
    dense: Linear,
}

/// Output channels and kernel side of each convolution.
const LAYERS: [(usize, usize); 5] = [(32, 3), (64, 3), (64, 3), (128, 2), (128, 2)];

impl DeepPixel {
    /// Returns a side of the last feature map, given that side of the input.
    pub fn side_out(side: usize) -> usize {
        let layer = |s: usize, &(_, kernel): &(usize, usize)| s.saturating_sub(kernel - 1) / 2;
        LAYERS.iter().fold(side, layer)
    }

    /// Returns the number of inputs of the dense layer.
    fn feature_len([_, height, width]: [usize; 3]) -> usize {
        let cells = Self::side_out(height).saturating_mul(Self::side_out(width));
        cells.saturating_mul(LAYERS[4].0)
    }

    /// Returns the shapes of the feature maps after each layer, and the logits: for tests.
    pub fn stages(&self, x: Tensor<4>) -> (Vec<[usize; 4]>, Tensor<2>) {
        let (shapes, features) = self.feature_maps(x);
        (shapes, self.head(features))
    }

    /// Returns the shapes of the feature maps after each layer, and the last of them flat: `[n,
    /// features]`.
    fn feature_maps(&self, x: Tensor<4>) -> (Vec<[usize; 4]>, Tensor<2>) {
        let layers = [
            (&self.conv1, Some(&self.prelu1)),
            (&self.conv2, Some(&self.prelu2)),
            (&self.conv3, Some(&self.prelu3)),
            (&self.conv4, None),
            (&self.conv5, Some(&self.prelu5)),
        ];
        let mut shapes = Vec::with_capacity(layers.len());
        let x = layers.into_iter().fold(x, |x, (conv, prelu)| {
            let x = pool::forward(conv, prelu, &self.pool, x);
            shapes.push(x.dims());
            x
        });
        (shapes, x.flatten(1, 3))
    }
}

impl Architecture for DeepPixel {
    /// Five layers leave one cell of 70x70.
    const MIN_INPUT: [usize; 3] = [1, 70, 70];

    const OUTPUT: &str = "dense";

    const PYTORCH_KEYS: &[(&str, &str)] = &[(r"^(prelu\d)\.alpha$", "$1.weight")];

    fn preset() -> FrontEndConfig {
        presets::deeppixel()
    }

    fn new(spec: &NetworkSpec, device: &Device) -> Self {
        let NetworkSpec { input, classes, .. } = *spec;
        let layer = |i: usize| {
            let from = if i == 0 { input[0] } else { LAYERS[i - 1].0 };
            let (to, k) = LAYERS[i];
            Conv2dConfig::new([from, to], [k, k]).init(device)
        };
        let prelu = |i: usize| {
            PReluConfig::new()
                .with_num_parameters(LAYERS[i].0)
                .init(device)
        };
        Self {
            conv1: layer(0),
            conv2: layer(1),
            conv3: layer(2),
            conv4: layer(3),
            conv5: layer(4),
            prelu1: prelu(0),
            prelu2: prelu(1),
            prelu3: prelu(2),
            prelu5: prelu(4),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            dropout: DropoutConfig::new(0.5).init(),
            dense: LinearConfig::new(Self::feature_len(input), classes).init(device),
        }
    }

    fn multiply_adds(spec: &NetworkSpec) -> u64 {
        let [mut channels, mut height, mut width] = spec.input;
        let mut sum = 0u64;
        for (to, k) in LAYERS {
            (height, width) = (height.saturating_sub(k - 1), width.saturating_sub(k - 1));
            sum = sum.saturating_add(product(&[height, width, k * k * to, channels]));
            (height, width, channels) = (height / 2, width / 2, to);
        }
        sum.saturating_add(product(&[height, width, channels, spec.classes]))
    }

    fn largest_tensor(spec: &NetworkSpec, _: Pass) -> u64 {
        let [_, mut height, mut width] = spec.input;
        let mut largest = product(&spec.input);
        for (to, k) in LAYERS {
            // Pooling reads what the convolution wrote.
            (height, width) = (height.saturating_sub(k - 1), width.saturating_sub(k - 1));
            largest = largest.max(product(&[height, width, to]));
            (height, width) = (height / 2, width / 2);
        }
        largest
    }

    fn scaling_weights(spec: &NetworkSpec) -> usize {
        let NetworkSpec { input, classes, .. } = *spec;
        let (to, k) = LAYERS[0];
        let first = input[0].saturating_mul(k * k * to);
        first.saturating_add(Self::feature_len(input).saturating_mul(classes))
    }

    fn features_len(spec: &NetworkSpec) -> usize {
        Self::feature_len(spec.input)
    }

    fn features(&self, input: Tensor<4>) -> Tensor<2> {
        self.feature_maps(input).1
    }

    fn head(&self, features: Tensor<2>) -> Tensor<2> {
        self.dense.forward(self.dropout.forward(features))
    }

    fn output(&mut self) -> &mut Linear {
        &mut self.dense
    }
}
