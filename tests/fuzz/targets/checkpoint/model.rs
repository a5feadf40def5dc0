//! The header and the types in it, without networks.

#[path = "../../../../src/model/checkpoint/header.rs"]
pub mod header;
#[path = "../../../../src/model/list.rs"]
mod list;
#[path = "../../../../src/model/decision.rs"]
mod decision;
#[path = "../../../../src/model/spec.rs"]
mod spec;

pub use decision::DecisionRule;
pub use spec::{CalibratedTask, ModelError, NetworkSpec, Task};
