//! What a network must provide to stand in the list.

use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::spec::{NetworkSpec, Pass};
use crate::frontend::config::FrontEndConfig;

/// A network: layers, and the facts that commands need of them. Shapes of inputs are `[channels,
/// height, width]`.
pub trait Architecture: Sized {
    /// The smallest input that leaves something to every layer.
    const MIN_INPUT: [usize; 3];

    /// The most channels that an input may have.
    const MAX_CHANNELS: usize = usize::MAX;

    /// The name of the field that holds the last layer.
    const OUTPUT: &str;

    /// Whether fine-tuning leaves out dropout and uses the norms' running moments as they are.
    const TUNES_AS_AT_INFERENCE: bool = false;

    /// Parameter names as PyTorch has them, where they differ: patterns and replacements of the
    /// `regex` crate, applied after Burn's own names of layers are translated.
    const PYTORCH_KEYS: &[(&str, &str)] = &[];

    /// Returns the front-end settings that the network is used with if no others are named.
    fn preset() -> FrontEndConfig;

    /// Builds the network with random weights. [`NetworkSpec::check`](super::NetworkSpec::check)
    /// has passed.
    fn new(spec: &NetworkSpec, device: &Device) -> Self;

    /// Counts the multiply-adds of one forward pass of one clip: convolutions and dense layers. 0
    /// for layers of which nothing is left.
    fn multiply_adds(spec: &NetworkSpec) -> u64;

    /// Counts the values of the largest tensor that `pass` holds for one clip, without overflow: the
    /// input, or what a layer writes.
    fn largest_tensor(spec: &NetworkSpec, pass: Pass) -> u64;

    /// Counts the weights of the layers that grow with the spec, without overflow.
    fn scaling_weights(spec: &NetworkSpec) -> usize;

    /// Returns the length of the features, which the last layer reads.
    fn features_len(spec: &NetworkSpec) -> usize;

    /// Returns what the last dense layer reads, `[n, features]`, for inputs `[n, channels, height,
    /// width]`.
    fn features(&self, input: Tensor<4>) -> Tensor<2>;

    /// Returns the logits, `[n, classes]`, for [`Architecture::features`].
    fn head(&self, features: Tensor<2>) -> Tensor<2>;

    /// Returns the part of the features, `[n, embedding]`, that is good for search and clustering.
    fn embedding(&self, features: Tensor<2>) -> Tensor<2> {
        features
    }

    /// Returns the last layer, which [`Architecture::head`] applies.
    fn output(&mut self) -> &mut Linear;
}

/// Returns the dimensions of frequency and time in an input `[n, channels, height, width]`: an
/// image has frequency in its height, and a spectrogram, which has one channel, has time there (see
/// [`Output`](crate::frontend::config::Output)).
pub(super) fn frequency_and_time([_, channels, ..]: [usize; 4]) -> [usize; 2] {
    if channels == 1 { [3, 2] } else { [2, 3] }
}

/// Returns the product of `factors`, or the largest number if it is larger.
pub(super) fn product(factors: &[usize]) -> u64 {
    let multiply = |product: u64, &factor: &usize| product.saturating_mul(factor as u64);
    factors.iter().fold(1, multiply)
}
