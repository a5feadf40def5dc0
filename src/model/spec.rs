//! What a checkpoint says of its network, as data: which network, its input and its task. Nothing
//! here knows Burn, so a fuzzer can have it alone.

use serde::{Deserialize, Serialize};

use super::list::for_each_network;
use crate::frontend::config::FrontEndConfig;

macro_rules! define_kinds {
    ($($file:ident::$name:ident = $text:literal, $about:literal;)*) => {
        /// The networks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
        #[non_exhaustive]
        pub enum NetworkKind {
            $(
                #[doc = $about]
                #[serde(rename = $text)]
                #[cfg_attr(feature = "cli", value(name = $text))]
                $name,
            )*
        }

        impl NetworkKind {
            /// Every network, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the name that flags and checkpoints use.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

for_each_network!(define_kinds);

/// Everything needed to build a network before its weights are known.
///
/// ```
/// use sonoprint::model::{NetworkKind, NetworkSpec};
///
/// let input = [4, 128, 216];
/// let spec = NetworkSpec { kind: NetworkKind::Compact, classes: 10, input, filters: None };
/// assert!(spec.check().is_ok());
/// assert!(spec.flops() > 10_000_000);
/// // Five layers of `deeppixel` leave nothing of 64 rows.
/// let small = NetworkSpec { kind: NetworkKind::DeepPixel, input: [4, 64, 720], ..spec };
/// assert!(small.check().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SpecFile")]
pub struct NetworkSpec {
    /// Which network.
    pub kind: NetworkKind,
    /// Outputs.
    pub classes: usize,
    /// Shape of the features that it reads: `[channels, height, width]`.
    pub input: [usize; 3],
    /// Filters of the layers of a pruned `musicnn`; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

/// The number of filters in the layers of [`NetworkKind::Musicnn`] that can be pruned. The default
/// is the published network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filters {
    /// Filters of 7 frames and 38 bands.
    pub timbral_38: usize,
    /// Filters of 7 frames and 67 bands.
    pub timbral_67: usize,
    /// Filters of 128 frames of one band.
    pub temporal_128: usize,
    /// Filters of 64 frames of one band.
    pub temporal_64: usize,
    /// Filters of 32 frames of one band.
    pub temporal_32: usize,
    /// Filters of the first layer behind these, at most 64: the first ones of its 64 outputs. The
    /// other outputs are constants.
    pub mid_1: usize,
    /// Whether the last layer reads the pooled channels beside the outputs of the dense layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pooled_head: bool,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            timbral_38: 204,
            timbral_67: 204,
            temporal_128: 51,
            temporal_64: 51,
            temporal_32: 51,
            mid_1: 64,
            pooled_head: false,
        }
    }
}

impl Filters {
    /// Whether a network can have them.
    pub(super) fn are_usable(&self) -> bool {
        let front = self.front();
        (1..=64).contains(&self.mid_1) && front.iter().all(|n| (1..=1024).contains(n))
    }

    /// Returns the filters of the layers that read the spectrogram, in the order of the fields.
    pub(crate) fn front(&self) -> [usize; 5] {
        [
            self.timbral_38,
            self.timbral_67,
            self.temporal_128,
            self.temporal_64,
            self.temporal_32,
        ]
    }
}

/// A pass through a network, by what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Forward, with the norms' running moments: at inference, and in fine-tuning where the network
    /// keeps them.
    Inference,
    /// Forward and backward, with moments of the batch.
    Training,
}

impl NetworkSpec {
    /// Returns the spec of a network that reads what `front_end` makes.
    pub fn new(kind: NetworkKind, classes: usize, front_end: &FrontEndConfig) -> Self {
        Self {
            kind,
            classes,
            input: front_end.output_shape(),
            filters: None,
        }
    }

    /// Returns the spec of a network with the same weights but a last layer for other classes. That
    /// of a `musicnn` then reads the pooled channels, too, because what they hold was condensed for
    /// the old classes. (On ten genres that gave 0.757 instead of 0.740 in cross-validation.)
    #[must_use]
    pub(crate) fn with_new_head(self, classes: usize) -> Self {
        let wider = || Filters {
            pooled_head: true,
            ..self.filters.unwrap_or_default()
        };
        Self {
            classes,
            filters: match self.kind {
                NetworkKind::Musicnn => Some(wider()),
                _ => self.filters,
            },
            ..self
        }
    }
}

/// A spec as files hold it. Headers of format 1 have `picture`, the size of an RGBA image, instead
/// of `input`.
#[derive(Deserialize)]
struct SpecFile {
    kind: NetworkKind,
    classes: usize,
    input: Option<[usize; 3]>,
    picture: Option<ImageSize>,
    filters: Option<Filters>,
}

#[derive(Deserialize)]
struct ImageSize {
    height: usize,
    width: usize,
}

impl TryFrom<SpecFile> for NetworkSpec {
    type Error = &'static str;

    fn try_from(file: SpecFile) -> Result<Self, Self::Error> {
        let of_image = |size: ImageSize| [4, size.height, size.width];
        Ok(Self {
            kind: file.kind,
            classes: file.classes,
            input: (file.input.or(file.picture.map(of_image))).ok_or("missing field `input`")?,
            filters: file.filters,
        })
    }
}

/// What the outputs of a network mean.
///
/// The task decides how logits become probabilities, which loss trains them, and which classes a
/// clip is given.
///
/// ```
/// use sonoprint::model::Task;
///
/// let genres = [0.2, 0.7, 0.1];
/// assert_eq!(Task::SingleLabel.predicted_classes(&genres, None), [1]);
/// let tags = [0.6, 0.9, 0.1];
/// assert_eq!(Task::MultiLabel.predicted_classes(&tags, None), [0, 1]);
/// assert_eq!(Task::MultiLabel.predicted_classes(&tags, Some(0.8)), [1]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Exactly one class is right: softmax, cross-entropy, the most probable class.
    #[default]
    SingleLabel,
    /// Any number of classes is right: sigmoid, binary cross-entropy, every class over a threshold.
    MultiLabel,
}

impl Task {
    /// Returns the probability from which a class is predicted; `None` where the most probable
    /// class is.
    pub fn default_threshold(self) -> Option<f32> {
        match self {
            Self::SingleLabel => None,
            Self::MultiLabel => Some(0.5),
        }
    }

    /// Returns the indices of the classes that `probabilities`, one per class, predict, in order.
    ///
    /// A single-label task gives the most probable class, the first of equals, and ignores
    /// `threshold`. A multi-label task gives every class of at least `threshold`, or of the default
    /// threshold without one.
    pub fn predicted_classes(self, probabilities: &[f32], threshold: Option<f32>) -> Vec<usize> {
        match self {
            Self::SingleLabel => most_probable(probabilities).into_iter().collect(),
            Self::MultiLabel => {
                let least = threshold.or(self.default_threshold()).unwrap_or_default();
                let over = |&(_, &p): &(usize, &f32)| p >= least;
                let classes = probabilities.iter().enumerate().filter(over);
                classes.map(|(class, _)| class).collect()
            }
        }
    }
}

/// A task with the temperature of a checkpoint: how its logits become probabilities.
///
/// A task alone has a temperature of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibratedTask {
    /// What the outputs mean.
    pub task: Task,
    /// What logits are divided by: finite and above 0.
    pub temperature: f32,
}

impl From<Task> for CalibratedTask {
    fn from(task: Task) -> Self {
        Self {
            task,
            temperature: 1.0,
        }
    }
}

/// Returns the index of the largest probability, the first of equals; `None` if there is none.
pub(crate) fn most_probable(probabilities: &[f32]) -> Option<usize> {
    (0..probabilities.len()).reduce(|best, class| {
        if probabilities[class] > probabilities[best] {
            class
        } else {
            best
        }
    })
}

/// Why a network cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The input is smaller than the network's layers need.
    #[error("{network} reads features of at least {}, not {}", shape(.min), shape(.input))]
    InputTooSmall {
        /// Which network.
        network: &'static str,
        /// Its smallest input, `[channels, height, width]`.
        min: [usize; 3],
        /// The input as given, `[channels, height, width]`.
        input: [usize; 3],
    },
    /// The input has more channels than the network reads.
    #[error("{network} reads features of at most {most} channels, not {}", shape(.input))]
    Channels {
        /// Which network.
        network: &'static str,
        /// The most channels.
        most: usize,
        /// The input as given, `[channels, height, width]`.
        input: [usize; 3],
    },
    /// The weights that grow with the input and the classes would take too much memory.
    #[error(
        "{network} on features of {} and {classes} classes would have {weights} weights",
        shape(.input)
    )]
    TooLarge {
        /// Which network.
        network: &'static str,
        /// The input as given, `[channels, height, width]`.
        input: [usize; 3],
        /// Outputs as given.
        classes: usize,
        /// Weights of the layers that grow with both.
        weights: usize,
    },
    /// A network without filters to prune was given some, or their number is out of range.
    #[error("{network} cannot have these filters: {filters:?}")]
    Filters {
        /// Which network.
        network: &'static str,
        /// As given.
        filters: Filters,
    },
    /// The number of outputs is out of range.
    #[error("{0} classes: there must be from 2 to 10000")]
    Classes(usize),
}

/// Writes an input's shape as `width x height x channels`, as image sizes are written.
fn shape([channels, height, width]: &[usize; 3]) -> String {
    format!("{width}x{height}x{channels}")
}
