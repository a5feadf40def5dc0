//! The original project's network from Burn's layers alone, as the baseline for a training step.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, PRelu, PReluConfig};
use burn::tensor::{Device, Tensor};

/// The layers of `deeppixel`, each with Burn's own forward pass.
#[derive(Module, Debug)]
pub(super) struct BurnNetwork {
    blocks: Vec<Block>,
    dropout: Dropout,
    dense: Linear,
}

#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    prelu: Option<PRelu>,
    pool: MaxPool2d,
}

/// Input channels, output channels, kernel side, and whether a PReLU follows.
const BLOCKS: [(usize, usize, usize, bool); 5] = [
    (4, 32, 3, true),
    (32, 64, 3, true),
    (64, 64, 3, true),
    (64, 128, 2, false),
    (128, 128, 2, true),
];

impl BurnNetwork {
    /// Makes the network for square images with sides of `side` pixels.
    pub(super) fn new(side: usize, classes: usize, device: &Device) -> Self {
        let block = |(from, to, kernel, prelu): (usize, usize, usize, bool)| {
            let config = PReluConfig::new().with_num_parameters(to);
            Block {
                conv: Conv2dConfig::new([from, to], [kernel, kernel]).init(device),
                prelu: prelu.then(|| config.init(device)),
                pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            }
        };
        let side_out =
            (BLOCKS.iter()).fold(side, |side, (_, _, kernel, _)| (side + 1 - kernel) / 2);
        Self {
            blocks: BLOCKS.map(block).into(),
            dropout: DropoutConfig::new(0.5).init(),
            dense: LinearConfig::new(128 * side_out * side_out, classes).init(device),
        }
    }

    /// Computes the logits `[n, classes]` of `x`, `[n, 4, side, side]`.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(x, |x, block| {
            let x = block.conv.forward(x);
            block.pool.forward(match &block.prelu {
                Some(prelu) => prelu.forward(x),
                None => x,
            })
        });
        self.dense.forward(self.dropout.forward(x.flatten(1, 3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Network, NetworkKind, NetworkSpec};

    /// The baseline has the layers of the network that it is compared with.
    #[test]
    fn it_has_the_parameters_of_deeppixel() {
        let device = Device::flex();
        let spec = NetworkSpec {
            kind: NetworkKind::DeepPixel,
            classes: 10,
            input: [4, 180, 180],
            filters: None,
        };
        let network = Network::new(&spec, 1, &device).unwrap();
        let burn = BurnNetwork::new(180, 10, &device);
        assert_eq!(burn.num_params(), network.num_params());
    }
}
