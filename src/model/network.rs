//! The networks there are, behind one type.

use super::spec::{ModelError, NetworkKind, NetworkSpec};
use super::{Compact, DeepPixel};
use crate::frontend::config::Size;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, FloatDType, Tensor};

/// Weights of a dense layer: 1 GiB of f32.
const MOST_WEIGHTS: usize = 1 << 28;

impl NetworkSpec {
    /// Floating-point operations of one picture forward: two a multiply-add of convolutions and dense layers, which is
    /// nearly all there is.
    pub fn flops(&self) -> u64 {
        2 * match self.kind {
            NetworkKind::DeepPixel => DeepPixel::multiply_adds(self.picture, self.classes),
            NetworkKind::Compact => Compact::multiply_adds(self.picture, self.classes),
        }
    }

    /// Weights of the layer that grows with the picture and the classes.
    pub(super) fn dense_weights(&self) -> usize {
        match self.kind {
            NetworkKind::DeepPixel => {
                DeepPixel::features(self.picture).saturating_mul(self.classes)
            }
            NetworkKind::Compact => 0,
        }
    }

    /// Checks that the network can be built.
    ///
    /// # Errors
    /// [`ModelError`], with what would be right.
    pub fn check(&self) -> Result<(), ModelError> {
        if !(2..=10_000).contains(&self.classes) {
            return Err(ModelError::Classes(self.classes));
        }
        let least = match self.kind {
            NetworkKind::DeepPixel => DeepPixel::LEAST_SIDE,
            NetworkKind::Compact => Compact::LEAST_SIDE,
        };
        let Size { height, width } = self.picture;
        if height < least || width < least {
            return Err(ModelError::PictureTooSmall {
                network: self.kind.name(),
                least,
                width,
                height,
            });
        }
        let weights = self.dense_weights();
        if weights > MOST_WEIGHTS {
            return Err(ModelError::TooLarge {
                network: self.kind.name(),
                width,
                height,
                classes: self.classes,
                weights,
            });
        }
        Ok(())
    }
}

/// A network. Input `[n, 4, height, width]` in 0..=1, output logits `[n, classes]`.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Network {
    /// See [`DeepPixel`].
    DeepPixel(DeepPixel),
    /// See [`Compact`].
    Compact(Compact),
}

impl Network {
    /// Builds the network for inference (see [`Module::train`]) with weights drawn from `seed`.
    ///
    /// The weights are drawn on the CPU and then moved, so a seed means the same ones on every device. Draws of
    /// other threads at the same time would come between: the generator is the process's own.
    ///
    /// # Errors
    /// [`ModelError`] if the spec cannot be built.
    pub fn new(spec: &NetworkSpec, seed: u64, device: &Device) -> Result<Self, ModelError> {
        let cpu = Device::flex();
        cpu.seed(seed);
        let network = Self::build(spec, &cpu)?;
        network.visit(&mut Draw);
        Ok(network.to_device(device).valid())
    }

    fn build(spec: &NetworkSpec, device: &Device) -> Result<Self, ModelError> {
        spec.check()?;
        Ok(match spec.kind {
            NetworkKind::DeepPixel => {
                Self::DeepPixel(DeepPixel::new(spec.picture, spec.classes, device))
            }
            NetworkKind::Compact => Self::Compact(Compact::new(spec.classes, device)),
        })
    }

    /// The same network with weights of f16, for pictures of f16; not for training.
    #[must_use]
    pub fn into_half(self) -> Self {
        self.map(&mut Half)
    }

    /// Logits `[n, classes]` of pictures `[n, 4, height, width]`.
    pub fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        self.head(self.features(pictures))
    }

    /// What the dense layer reads, `[n, features]`, of pictures `[n, 4, height, width]`: an embedding, for search and
    /// clustering.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<2> {
        match self {
            Self::DeepPixel(n) => n.features_of(pictures).1,
            Self::Compact(n) => n.features(pictures),
        }
    }

    /// Logits `[n, classes]` of [`Network::features`].
    pub fn head(&self, features: Tensor<2>) -> Tensor<2> {
        match self {
            Self::DeepPixel(n) => n.head(features),
            Self::Compact(n) => n.head(features),
        }
    }
}

struct Half;

impl ModuleMapper for Half {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|weights| weights.cast(FloatDType::F16))
    }
}

/// Parameters are drawn when first used, wherever they are by then: this uses them.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}
