//! Networks that read features, and the checkpoint: one file that holds a network with everything
//! needed to use it.

mod architecture;
mod builtin;
mod checkpoint;
mod decision;
mod list;
mod network;
mod networks;
pub(crate) mod ops;
mod spec;
mod task;

#[doc(hidden)]
pub use architecture::Architecture;
pub use builtin::{BuiltinModel, ModelName};
#[doc(hidden)]
pub use checkpoint::{CHECKPOINT_OURS, EXAMPLE_OURS};
pub use checkpoint::{Checkpoint, CheckpointError, Header};
pub use decision::DecisionRule;
pub use network::Network;
#[doc(hidden)]
pub use networks::{Compact, DeepPixel};
pub(crate) use spec::most_probable;
pub use spec::{CalibratedTask, Filters, ModelError, NetworkKind, NetworkSpec, Pass, Task};
