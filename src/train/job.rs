//! What a run needs, what it tells, and what it gives.

use super::{Progress, RunFolder, StepTimes, TrainError, TrainSettings};
use crate::dataset::pcm::PcmSet;
use crate::evaluate::{Epoch, Validation, predict};
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::{Network, Task};

/// Receives the progress of a run.
pub trait Observer {
    /// Called once before the first step of a resumed run, with its finished epochs and the
    /// progress of the current one.
    fn resumed(&mut self, _epochs: &[Epoch], _progress: &Progress) {}
    /// Called after every read-back.
    fn step(&mut self, progress: &Progress);
    /// Called after every epoch. The times are those since the start or the resumption.
    fn epoch(&mut self, epoch: &Epoch, times: &StepTimes);
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every epoch, in order, including those before a resumption.
    pub epochs: Vec<Epoch>,
    /// The epoch (from 1) whose weights are in the checkpoint; 0 if the run was stopped within the
    /// first.
    pub best_epoch: usize,
    /// Whether the run was stopped before its end and can be resumed.
    pub stopped: bool,
    /// Where the steps' time went, since the start or the resumption.
    pub times: StepTimes,
    /// The temperature of the checkpoint. `None` if the run was stopped, or if there are too few
    /// validation files to fit one.
    pub temperature: Option<f32>,
}

impl Outcome {
    /// Returns the result of a run that was stopped before its first epoch.
    pub(super) fn stopped_at_once(times: StepTimes) -> Self {
        Self {
            epochs: Vec::new(),
            best_epoch: 0,
            stopped: true,
            times,
            temperature: None,
        }
    }
}

/// Everything that a run needs.
pub struct Job<'a> {
    /// The device.
    pub compute: &'a Compute,
    /// The settings.
    pub settings: &'a TrainSettings,
    /// Names of the classes.
    pub classes: &'a [String],
    /// The training files.
    pub train: &'a PcmSet,
    /// The validation files, which decide the best epoch. May be empty: then the last epoch is
    /// kept.
    pub valid: &'a PcmSet,
    /// The folder that receives everything.
    pub folder: &'a RunFolder,
}

/// Evaluates `network` on the validation files. `None` if there are none.
pub(super) fn validate(
    job: &Job<'_>,
    front_end: &FrontEnd,
    task: Task,
    network: &Network,
) -> Result<Option<Validation>, TrainError> {
    if job.valid.files.is_empty() {
        return Ok(None);
    }
    let clips = predict(network, task, front_end, job.valid, job.settings.batch)?;
    Ok(Some(Validation::new(task, &clips, job.classes.len())))
}
