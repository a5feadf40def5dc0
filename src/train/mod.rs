//! Training: batches of PCM go up, the front end makes the pictures on the device, Burn learns from them.

mod batches;
mod error;
mod find_lr;
mod folder;
mod learner;
mod progress;
mod run;
mod settings;
mod state;
mod times;

pub use error::TrainError;
pub use find_lr::{LrSweep, Tried, find_lr};
pub use folder::{RunFolder, RunRecord};
pub use progress::Progress;
pub use run::{Job, Observer, Outcome, train};
pub use settings::TrainSettings;
pub use times::StepTimes;
