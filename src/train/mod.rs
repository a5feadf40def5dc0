//! Training: batches of PCM go up, the front end makes the pictures on the device, Burn learns from them.

mod batches;
mod error;
mod evaluate;
mod folder;
mod learner;
mod metrics;
mod pcm;
pub mod report;
mod run;
mod settings;
mod state;

pub use error::TrainError;
pub use evaluate::{ClipAnswer, Evaluation, evaluate};
pub use folder::{RunFolder, RunRecord};
pub use learner::StepTimes;
pub use metrics::{Bin, ClassScore, Confusion, Level, Spread, wilson};
pub use pcm::PcmSet;
pub use run::{Epoch, Job, Observer, Outcome, Progress, Validation, train};
pub use settings::TrainSettings;
