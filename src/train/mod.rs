//! Training: PCM is decoded once, the front end makes features from it on the device in every step,
//! and Burn learns from them.

mod augment;
mod batches;
mod config;
mod error;
mod extend;
mod find_lr;
mod folder;
mod frozen;
mod head;
mod job;
mod learner;
mod listed;
mod notes;
mod optimizer;
mod progress;
mod run;
mod schedule;
mod series;
mod start;
mod state;
mod targets;
mod times;
mod transfer;

pub use augment::AugmentConfig;
pub use config::TrainSettings;
pub use error::TrainError;
pub use extend::extend;
pub use find_lr::{LrSweep, LrTrial, SWEEP_STEPS, find_lr};
pub use folder::{Origin, RunFolder, RunRecord};
pub use job::{Job, Observer, Outcome};
pub use progress::Progress;
pub use run::train;
pub use series::{Series, SeriesRun};
pub use times::StepTimes;
pub use transfer::TransferConfig;
