//! Flags that several commands share, and the parsers of their values.

use std::convert::Infallible;
use std::path::Path;

use anyhow::{Context, ensure};
use clap::Args;

use super::{auto_check, words};
use crate::classify::Schema;
use crate::dataset::LabelSource;
use crate::dataset::pcm::{PCM_MEMORY, PcmMemory};
use crate::files;
use crate::frontend::config::Size;
use crate::gpu::{Compute, DeviceChoice};
use crate::model::{DecisionRule, ModelName, Task};

/// `--device`.
#[derive(Args)]
pub struct DeviceArg {
    /// Where to compute: auto (a GPU if there is one, else the CPU), gpu, cpu, software (a GPU
    /// emulated on the CPU, for tests), or an adapter's number or part of its name as `sonoprint
    /// devices` lists them.
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Auto)]
    pub device: DeviceChoice,
}

impl DeviceArg {
    /// Opens the device and prints on stderr which one it is.
    pub fn open(&self) -> anyhow::Result<Compute> {
        let opened = Compute::open(&self.device)?;
        if let Compute::Gpu(gpu) = &opened.compute
            && let Some(why) = auto_check::refusal(gpu, &self.device)
        {
            words::note(why);
            return Ok(Compute::Cpu);
        }
        words::note(opened.note);
        Ok(opened.compute)
    }
}

/// `--model`.
#[derive(Args)]
pub struct ModelArg {
    /// Name of a built-in model (`sonoprint model list` shows them), or a checkpoint file.
    #[arg(
        long,
        visible_alias = "checkpoint",
        value_name = "NAME|FILE",
        default_value_t = ModelName::default()
    )]
    pub model: ModelName,
}

/// How probabilities become the labels of a table.
#[derive(Args)]
pub struct LabelArgs {
    /// Give no label and the status `unsure` to a file whose most probable class is below P, from 0
    /// to 1. Tags: also to a file without any tag over the threshold.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub min_confidence: Option<f32>,
    /// Probability from which a tag is given, from 0 to 1, for models that give any number of tags.
    /// If absent, that of the model, or 0.5.
    #[arg(long, value_name = "P", value_parser = probability)]
    pub threshold: Option<f32>,
    /// Genres or tags per row, most probable first; 2 genres or 5 tags if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub top: Option<u16>,
}

impl LabelArgs {
    /// Returns `rule` with what the flags say.
    ///
    /// # Errors
    /// If the flags do not fit the rule's task.
    pub fn change(&self, rule: DecisionRule) -> anyhow::Result<DecisionRule> {
        ensure!(
            self.threshold.is_none() || rule.task == Task::MultiLabel,
            "--threshold is for models that give any number of tags, and this one gives one genre: \
             --min-confidence leaves doubtful files without it"
        );
        Ok(DecisionRule {
            task: rule.task,
            threshold: self.threshold.or(rule.threshold),
            min_confidence: self.min_confidence.or(rule.min_confidence),
        })
    }

    /// Returns the number of ranked classes per row.
    pub fn top(&self, task: Task) -> usize {
        self.top
            .map_or_else(|| Schema::default_top(task), usize::from)
    }
}

/// Parses a probability.
pub fn probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("must be from 0 to 1".into()),
    }
}

/// `--pcm-memory`.
#[derive(Args)]
pub struct PcmMemoryArg {
    /// Memory for decoded audio on the device (with --device cpu, the host's), in GiB. Files that
    /// do not fit are decoded again each time. Affects speed only.
    #[arg(long, value_name = "GIB", default_value_t = PCM_MEMORY as f64 / GIB, value_parser = gibibytes)]
    pub pcm_memory: f64,
}

impl PcmMemoryArg {
    /// Reserves the memory on `compute`.
    pub fn open(&self, compute: &Compute) -> PcmMemory {
        PcmMemory::new(compute, (self.pcm_memory * GIB) as u64)
    }
}

const GIB: f64 = (1u64 << 30) as f64;

fn gibibytes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(n) if (0.0..=1e6).contains(&n) => Ok(n),
        _ => Err("must be from 0 to 1000000 GiB".into()),
    }
}

/// Parses `WIDTHxHEIGHT`.
pub fn size(text: &str) -> Result<Size, String> {
    let (width, height) = text
        .split_once(['x', 'X'])
        .and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)))
        .ok_or("write it as WIDTHxHEIGHT, such as 720x720")?;
    Ok(Size { height, width })
}

/// Parses the length of a clip in seconds.
pub fn clip_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(s) if (0.1..=3600.0).contains(&s) => Ok(s),
        _ => Err("must be from 0.1 to 3600 seconds".into()),
    }
}

/// Parses where labels come from.
pub fn label_source(text: &str) -> Result<LabelSource, Infallible> {
    Ok(match text {
        "tags" => LabelSource::Tags,
        path => LabelSource::Csv(path.into()),
    })
}

/// Parses what a network learns.
pub fn task(text: &str) -> Result<Task, String> {
    match text {
        "single-label" => Ok(Task::SingleLabel),
        "multi-label" => Ok(Task::MultiLabel),
        _ => Err("must be multi-label or single-label".into()),
    }
}

/// Creates a folder and its missing parents.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    check_folder(path)?;
    files::create_dir_all(path).with_context(|| format!("cannot create folder {}", path.display()))
}

/// Checks that the name of a folder is not that of stdout.
pub fn check_folder(path: &Path) -> anyhow::Result<()> {
    ensure!(
        !words::is_stdout(path),
        "- is stdout, and --out is a folder here: write ./- for a folder of that name"
    );
    Ok(())
}
