//! One type for all networks of the list.

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor};

use super::architecture::Architecture;
use super::list::for_each_network;
use super::networks::*;
use super::spec::{ModelError, NetworkKind, NetworkSpec, Pass};
use crate::frontend::config::FrontEndConfig;
use crate::rng::with_seed;

/// The most weights that layers which grow with the input may have: 1 GiB of f32.
const MAX_WEIGHTS: usize = 1 << 28;

// Burn's `Module` is not object-safe, so the networks are the variants of an enum.
macro_rules! define_network {
    ($($file:ident::$name:ident = $text:literal, $about:literal;)*) => {
        /// A network. Reads features `[n, channels, height, width]` and returns logits `[n,
        /// classes]`.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a program holds one or two")]
        #[non_exhaustive]
        pub enum Network {
            $(
                #[doc = $about]
                $name($name),
            )*
        }

        impl Network {
            fn build(spec: &NetworkSpec, device: &Device) -> Self {
                match spec.kind {
                    $(NetworkKind::$name => Self::$name($name::new(spec, device)),)*
                }
            }

            /// Returns what the last dense layer reads, `[n, features]`, for inputs `[n, channels,
            /// height, width]`.
            pub fn features(&self, input: Tensor<4>) -> Tensor<2> {
                match self {
                    $(Self::$name(network) => network.features(input),)*
                }
            }

            /// Returns the part of [`Network::features`] that is good for search and clustering,
            /// `[n, embedding]`.
            pub fn embedding(&self, features: Tensor<2>) -> Tensor<2> {
                match self {
                    $(Self::$name(network) => network.embedding(features),)*
                }
            }

            /// Returns the logits, `[n, classes]`, for [`Network::features`].
            pub fn head(&self, features: Tensor<2>) -> Tensor<2> {
                match self {
                    $(Self::$name(network) => network.head(features),)*
                }
            }

            fn output(&mut self) -> &mut Linear {
                match self {
                    $(Self::$name(network) => network.output(),)*
                }
            }

            /// Returns the name of the field that holds the last layer.
            pub(crate) fn output_name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::OUTPUT,)*
                }
            }

            fn tunes_as_at_inference(&self) -> bool {
                match self {
                    $(Self::$name(_) => $name::TUNES_AS_AT_INFERENCE,)*
                }
            }
        }

        impl NetworkKind {
            /// Returns the pass of a training that starts from a trained model if `tunes`.
            pub fn training_pass(self, tunes: bool) -> Pass {
                let keeps_moments = match self {
                    $(Self::$name => $name::TUNES_AS_AT_INFERENCE,)*
                };
                match tunes && keeps_moments {
                    true => Pass::Inference,
                    false => Pass::Training,
                }
            }

            /// Returns the front-end settings that the network is used with if no others are named.
            pub fn preset(self) -> FrontEndConfig {
                match self {
                    $(Self::$name => $name::preset(),)*
                }
            }

            /// Returns the smallest input, `[channels, height, width]`.
            pub fn min_input(self) -> [usize; 3] {
                match self {
                    $(Self::$name => $name::MIN_INPUT,)*
                }
            }

            fn max_channels(self) -> usize {
                match self {
                    $(Self::$name => $name::MAX_CHANNELS,)*
                }
            }

            /// Returns the patterns that turn parameter names into PyTorch's, with their
            /// replacements.
            pub(super) fn pytorch_keys(self) -> &'static [(&'static str, &'static str)] {
                match self {
                    $(Self::$name => $name::PYTORCH_KEYS,)*
                }
            }
        }

        impl NetworkSpec {
            /// Counts the floating-point operations of one forward pass of one clip: two per
            /// multiply-add of convolutions and dense layers, which is nearly all of the work.
            pub fn flops(&self) -> u64 {
                let multiply_adds = match self.kind {
                    $(NetworkKind::$name => $name::multiply_adds(self),)*
                };
                multiply_adds.saturating_mul(2)
            }

            /// Counts the values of the largest tensor that `pass` holds for one clip.
            pub fn largest_tensor(&self, pass: Pass) -> u64 {
                match self.kind {
                    $(NetworkKind::$name => $name::largest_tensor(self, pass),)*
                }
            }

            /// Returns the length of the features, which the last layer reads.
            pub fn features_len(&self) -> usize {
                match self.kind {
                    $(NetworkKind::$name => $name::features_len(self),)*
                }
            }

            /// Counts the weights of the layers that grow with the spec.
            pub(crate) fn scaling_weights(&self) -> usize {
                match self.kind {
                    $(NetworkKind::$name => $name::scaling_weights(self),)*
                }
            }
        }
    };
}

for_each_network!(define_network);

impl NetworkSpec {
    /// Checks that the network can be built.
    ///
    /// # Errors
    /// [`ModelError`] for an input that is too small, or for too many or too few classes or
    /// weights.
    pub fn check(&self) -> Result<(), ModelError> {
        if !(2..=10_000).contains(&self.classes) {
            return Err(ModelError::Classes(self.classes));
        }
        let (network, input, min) = (self.kind.name(), self.input, self.kind.min_input());
        if input.iter().zip(min).any(|(&side, least)| side < least) {
            return Err(ModelError::InputTooSmall {
                network,
                min,
                input,
            });
        }
        if input[0] > self.kind.max_channels() {
            let most = self.kind.max_channels();
            return Err(ModelError::Channels {
                network,
                most,
                input,
            });
        }
        if let Some(filters) = self.filters
            && (self.kind != NetworkKind::Musicnn || !filters.are_usable())
        {
            return Err(ModelError::Filters { network, filters });
        }
        let weights = self.scaling_weights();
        if weights > MAX_WEIGHTS {
            return Err(ModelError::TooLarge {
                network,
                input,
                classes: self.classes,
                weights,
            });
        }
        Ok(())
    }
}

impl Network {
    /// Builds the network for inference (see [`Module::train`]) with weights drawn from `seed`.
    ///
    /// The weights are drawn on the CPU and then moved, so a seed gives the same weights on every
    /// device. Burn's generator belongs to the process; a lock keeps the draws of other networks
    /// and training runs apart.
    ///
    /// # Errors
    /// [`ModelError`] if the spec cannot be built.
    pub fn new(spec: &NetworkSpec, seed: u64, device: &Device) -> Result<Self, ModelError> {
        spec.check()?;
        let cpu = Device::flex();
        let network = with_seed(&cpu, seed, || {
            let network = Self::build(spec, &cpu);
            network.visit(&mut InitParams);
            network
        });
        Ok(network.to_device(device).valid())
    }

    /// Returns the same network with f16 weights, for f16 features. It cannot be trained.
    #[must_use]
    pub fn into_half(self) -> Self {
        self.map(&mut CastToHalf)
    }

    /// Returns the same network with a new last layer as `spec` says, drawn from `seed`. The network
    /// must be on the CPU.
    #[must_use]
    pub(crate) fn with_new_head(self, spec: &NetworkSpec, seed: u64) -> Self {
        let cpu = Device::flex();
        let layer = with_seed(&cpu, seed, || {
            let layer = LinearConfig::new(spec.features_len(), spec.classes).init(&cpu);
            layer.visit(&mut InitParams);
            layer
        });
        self.with_output(layer)
    }

    /// Returns the same network with `layer` for its last layer, on the layer's device.
    #[must_use]
    pub(crate) fn with_output(mut self, layer: Linear) -> Self {
        *self.output() = layer;
        self
    }

    /// Returns the same network, prepared for fine-tuning on few files as its kind asks for.
    #[must_use]
    pub(crate) fn for_fine_tuning(self) -> Self {
        match self.tunes_as_at_inference() {
            true => self.map(&mut SwitchTrainingOff),
            false => self,
        }
    }

    /// Returns the same network without dropout in training.
    #[must_use]
    pub(crate) fn without_dropout(self) -> Self {
        self.map(&mut SwitchDropoutOff { inside: 0 })
    }

    /// Returns the logits, `[n, classes]`, for features `[n, channels, height, width]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        self.head(self.features(input))
    }
}

struct CastToHalf;

impl ModuleMapper for CastToHalf {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|weights| weights.cast(FloatDType::F16))
    }
}

/// Lets dropout and norms do in training what they do at inference.
struct SwitchTrainingOff;

impl ModuleMapper for SwitchTrainingOff {
    fn map_flag(&mut self, training: Param<Flag>) -> Param<Flag> {
        training.with_value(false)
    }
}

/// Lets dropout do in training what it does at inference.
struct SwitchDropoutOff {
    /// The depth below the nearest module of that name; 0 outside.
    inside: usize,
}

impl ModuleMapper for SwitchDropoutOff {
    fn enter_module(&mut self, name: &str, _: &str) {
        if self.inside > 0 || name == "dropout" {
            self.inside += 1;
        }
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.inside = self.inside.saturating_sub(1);
    }

    fn map_flag(&mut self, training: Param<Flag>) -> Param<Flag> {
        match self.inside > 0 {
            true => training.with_value(false),
            false => training,
        }
    }
}

/// Draws the weights at once. Burn draws a parameter at its first use, on the device where it is by
/// then.
struct InitParams;

impl ModuleVisitor for InitParams {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}
