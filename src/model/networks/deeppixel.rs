//! The seed system's network.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PRelu, PReluConfig};
use burn::tensor::{Device, Tensor};

use crate::frontend::config::Size;
use crate::model::ops::pool;

/// Five convolutions without padding, each followed by max-pooling, then dropout and one dense layer.
///
/// At 720x720x4 and ten classes it has 719 946 parameters, 564 490 of them in the dense layer: its size follows the
/// picture's. The last activation but one is missing in the original, and so here.
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

/// Channels out, kernel side.
const LAYERS: [(usize, usize); 5] = [(32, 3), (64, 3), (64, 3), (128, 2), (128, 2)];

impl DeepPixel {
    /// The smallest side of a picture of which anything is left after five layers.
    pub const LEAST_SIDE: usize = 70;

    /// The network for pictures of `picture`, at least [`Self::LEAST_SIDE`] each way.
    pub fn new(picture: Size, classes: usize, device: &Device) -> Self {
        let layer = |i: usize| {
            let from = if i == 0 { 4 } else { LAYERS[i - 1].0 };
            let (to, k) = LAYERS[i];
            Conv2dConfig::new([from, to], [k, k]).init(device)
        };
        let prelu = |i: usize| {
            PReluConfig::new()
                .with_num_parameters(LAYERS[i].0)
                .init(device)
        };
        let features = Self::features(picture);
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
            dense: LinearConfig::new(features, classes).init(device),
        }
    }

    /// Inputs of the dense layer.
    pub fn features(picture: Size) -> usize {
        128 * Self::side_out(picture.height) * Self::side_out(picture.width)
    }

    /// A side of the last feature map, given the picture's.
    pub fn side_out(side: usize) -> usize {
        LAYERS
            .iter()
            .fold(side, |s, (_, k)| s.saturating_sub(k - 1) / 2)
    }

    /// Multiply-adds of one picture forward: convolutions and the dense layer.
    pub fn multiply_adds(picture: Size, classes: usize) -> u64 {
        let (mut height, mut width, mut from, mut sum) = (picture.height, picture.width, 4, 0);
        for (to, k) in LAYERS {
            (height, width) = (height + 1 - k, width + 1 - k);
            sum += height * width * k * k * from * to;
            (height, width, from) = (height / 2, width / 2, to);
        }
        (sum + height * width * from * classes) as u64
    }

    /// Feature maps after each layer, and the logits: for tests of their shapes.
    pub fn stages(&self, x: Tensor<4>) -> (Vec<[usize; 4]>, Tensor<2>) {
        let (shapes, features) = self.features_of(x);
        (shapes, self.head(features))
    }

    /// Feature maps after each layer, and the last of them flat: `[n, features]`.
    pub fn features_of(&self, x: Tensor<4>) -> (Vec<[usize; 4]>, Tensor<2>) {
        let mut shapes = Vec::new();
        let mut note = |x: Tensor<4>| {
            shapes.push(x.dims());
            x
        };
        let layers = [
            (&self.conv1, Some(&self.prelu1)),
            (&self.conv2, Some(&self.prelu2)),
            (&self.conv3, Some(&self.prelu3)),
            (&self.conv4, None),
            (&self.conv5, Some(&self.prelu5)),
        ];
        let x = layers.into_iter().fold(x, |x, (conv, prelu)| {
            note(pool::forward(conv, prelu, &self.pool, x))
        });
        (shapes, x.flatten(1, 3))
    }

    /// Logits `[n, classes]` of features.
    pub fn head(&self, features: Tensor<2>) -> Tensor<2> {
        self.dense.forward(self.dropout.forward(features))
    }
}
