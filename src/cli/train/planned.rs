//! A run that is about to start or to be resumed, and its folder.

use std::path::{Path, PathBuf};

use super::settings::with_flag;
use crate::cli::command_line::command_line;
use crate::dataset::{Dataset, Groups, Split};
use crate::gpu::Compute;
use crate::model::Task;
use crate::train::{Origin, RunFolder, Series, TrainSettings};

/// A run that is about to start or to be resumed.
#[derive(Clone)]
pub struct PlannedRun {
    pub data: Dataset,
    pub split: Split,
    pub settings: TrainSettings,
    /// The run's folder.
    pub root: PathBuf,
    /// Whether the folder holds this run already.
    pub resumes: bool,
    /// Lines on files and labels that were left out.
    pub notes: Vec<String>,
    /// Files that hold the same sound.
    pub groups: Groups,
}

impl PlannedRun {
    /// Checks everything that can be checked without a device and without decoding.
    pub fn check(&self) -> anyhow::Result<()> {
        self.settings.validate().map_err(with_flag)?;
        self.split.check(&self.data)?;
        let settings = &self.settings;
        settings.network_spec(self.data.classes.len()).check()?;
        Ok(())
    }

    /// Makes the folder of the run, and says which command did.
    pub fn create(&self, compute: &Compute) -> anyhow::Result<RunFolder> {
        let Self {
            data,
            split,
            settings,
            root,
            ..
        } = self;
        let made = RunFolder::create(root, data, split, settings, origin(compute))?;
        Ok(made)
    }

    /// Returns the name of the run's folder.
    fn name(&self) -> String {
        let name = self.root.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Returns whether the report of the run tells of all its epochs.
    pub fn is_finished(&self) -> bool {
        let text = std::fs::read_to_string(self.root.join("metrics.json")).unwrap_or_default();
        let metrics: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let epoch = metrics.pointer("/facts/epoch").and_then(|v| v.as_str());
        let of = format!(" of {}", self.settings.epochs);
        epoch.is_some_and(|epoch| epoch.ends_with(&of))
    }

    /// Returns the figure of a run that has reached its end: the accuracy by file on its test files,
    /// or of tags the mean PR-AUC.
    pub fn figure(&self) -> Option<f64> {
        let text = std::fs::read_to_string(self.root.join("metrics.json")).ok()?;
        let metrics: serde_json::Value = serde_json::from_str(&text).ok()?;
        let name = match self.settings.task {
            Task::SingleLabel => "/files/accuracy",
            Task::MultiLabel => "/files/pr_auc",
        };
        metrics.pointer(name)?.as_f64()
    }
}

/// Returns where the runs of this command come from.
fn origin(compute: &Compute) -> Origin {
    Origin {
        device: compute.name(),
        command: Some(command_line()),
    }
}

/// Makes the folders of all runs before the first one begins, so that all can be resumed. The plan
/// of new ones comes first: it says how many there should be.
pub fn create_all(
    root: Option<&Path>,
    plans: &mut [PlannedRun],
    compute: &Compute,
) -> anyhow::Result<()> {
    if let (Some(root), Some(first)) = (root, plans.first()) {
        let runs: Vec<(String, u64, &Split)> = plans
            .iter()
            .map(|plan| (plan.name(), plan.settings.seed, &plan.split))
            .collect();
        Series::create(root, &first.data, &first.settings, origin(compute), &runs)?;
    }
    for plan in plans.iter_mut().filter(|plan| !plan.resumes) {
        plan.create(compute)?;
        plan.resumes = true;
    }
    Ok(())
}
