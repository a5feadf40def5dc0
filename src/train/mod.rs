//! Training: batches of PCM go up, the front end makes the pictures on the device, Burn learns from them.

mod batches;
mod error;
mod evaluate;
mod find_lr;
mod folder;
mod learner;
mod metrics;
mod pcm;
mod prefetch;
pub mod report;
mod run;
mod settings;
mod state;
mod times;

pub use error::TrainError;
pub use evaluate::{ClipAnswer, Evaluation, evaluate};
pub use find_lr::{LrSweep, Tried, find_lr};
pub use folder::{RunFolder, RunRecord};
pub use metrics::{Bin, ClassScore, Confusion, Level, Spread, wilson};
pub use pcm::{ClipPcm, PCM_MEMORY, PcmMemory, PcmSet};
pub use run::{Epoch, Job, Observer, Outcome, Progress, Validation, train};
pub use settings::TrainSettings;
pub use times::StepTimes;
