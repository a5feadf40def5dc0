//! Training: batches of PCM go up, the front end makes the pictures on the device, Burn learns from them.

mod batches;
mod error;
mod evaluate;
mod folder;
mod learner;
mod metrics;
mod pcm;
mod settings;

pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate};
pub use folder::RunFolder;
pub use learner::{Epoch, Observer, Outcome, Progress, train};
pub use metrics::{Confusion, wilson};
pub use pcm::PcmSet;
pub use settings::TrainSettings;
