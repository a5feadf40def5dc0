//! Advice for errors. The library's errors state facts and know no flags; this file adds what to do about them.

use std::error::Error;

use crate::bench::CompareError;
use crate::classify::journal::JournalError;
use crate::dataset::DatasetError;
use crate::evaluate::EvaluateError;
use crate::frontend::FrontEndError;
use crate::frontend::gpu::plan::PlanError;
use crate::gpu::{DeviceChoice, GpuError};
use crate::inference::InferenceError;
use crate::model::ModelError;
use crate::train::TrainError;

/// Returns what a user of the command line can do about `error`, if there is a known remedy.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(advice).map(str::to_owned)
}

const SMALLER_BATCH: &str = "use a smaller --batch, or --device cpu";

/// The advice for one link of the chain of causes. `#[error(transparent)]` hides an inner error from the chain, and
/// each kind therefore asks for its inner kinds itself.
fn advice(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    macro_rules! first_of {
        ($($kind:ty => $advice:ident),+ $(,)?) => {
            $(if let Some(e) = cause.downcast_ref::<$kind>() { return $advice(e); })+
        };
    }
    first_of! {
        GpuError => gpu,
        PlanError => plan,
        FrontEndError => front_end,
        InferenceError => inference,
        EvaluateError => evaluate,
        TrainError => train,
        ModelError => model,
        DatasetError => dataset,
        JournalError => journal,
        CompareError => compare,
    }
    None
}

fn gpu(e: &GpuError) -> Option<&'static str> {
    match e {
        GpuError::NoAdapter {
            wanted: DeviceChoice::Software,
            ..
        } => Some("Debian's package mesa-vulkan-drivers has a software rasterizer"),
        GpuError::NoAdapter { .. } => Some("`sonoprint devices` lists the devices there are"),
        GpuError::Failed(_) => Some(SMALLER_BATCH),
        _ => None,
    }
}

fn plan(e: &PlanError) -> Option<&'static str> {
    match e {
        PlanError::WorkgroupMemory { .. } | PlanError::WorkgroupSize { .. } => {
            Some("use a preset with a smaller n_fft, or --device cpu")
        }
        PlanError::Clip { .. } => Some("use a smaller --clip-seconds or --size, or --device cpu"),
        PlanError::Picture { .. } => Some("use a larger --size, or --device cpu"),
        _ => None,
    }
}

fn front_end(e: &FrontEndError) -> Option<&'static str> {
    match e {
        FrontEndError::Plan(e) => plan(e),
        FrontEndError::Gpu(e) => gpu(e),
        FrontEndError::NoHalf(_) => Some(
            "leave out --half, or choose a device that computes in f16 (see `sonoprint devices`)",
        ),
        _ => None,
    }
}

fn inference(e: &InferenceError) -> Option<&'static str> {
    match e {
        InferenceError::FrontEnd(e) => front_end(e),
        InferenceError::Device(_) => Some(SMALLER_BATCH),
    }
}

fn evaluate(e: &EvaluateError) -> Option<&'static str> {
    match e {
        EvaluateError::Dataset(e) => dataset(e),
        EvaluateError::FrontEnd(e) => front_end(e),
        EvaluateError::Device(_) => Some(SMALLER_BATCH),
        _ => None,
    }
}

fn train(e: &TrainError) -> Option<&'static str> {
    match e {
        TrainError::Dataset(e) => dataset(e),
        TrainError::FrontEnd(e) => front_end(e),
        TrainError::Evaluate(e) => evaluate(e),
        TrainError::Model(e) => model(e),
        TrainError::RunExists(_) => {
            Some("choose another --out, or go on with that run: `sonoprint train --resume RUN`")
        }
        TrainError::Diverged { .. } => Some("use a smaller --lr"),
        TrainError::Device(_) => Some(SMALLER_BATCH),
        _ => None,
    }
}

fn model(e: &ModelError) -> Option<&'static str> {
    match e {
        ModelError::PictureTooSmall { .. } => Some("use a larger --size"),
        ModelError::TooLarge { .. } => Some("use a smaller --size"),
        ModelError::Classes(_) => None,
    }
}

fn dataset(e: &DatasetError) -> Option<&'static str> {
    match e {
        DatasetError::NoClasses { .. } => Some("put each genre's files into a folder of its own"),
        DatasetError::EmptyClass { .. } => Some("put audio files into the folder, or remove it"),
        DatasetError::NotUtf8 { .. } => Some("rename the file"),
        DatasetError::Audio { .. } => {
            Some("put the file back, and go on with `sonoprint train --resume RUN`")
        }
        _ => None,
    }
}

fn journal(e: &JournalError) -> Option<&'static str> {
    match e {
        JournalError::Other { .. } => Some("choose another --out, or --fresh to start over"),
        JournalError::Busy { .. } => Some("wait for it, or choose another --out"),
        JournalError::Removed { .. } => Some("run the command again: it starts over"),
        JournalError::Damaged { .. } => Some("remove the file, or --fresh to start over"),
        JournalError::Io { .. } => None,
    }
}

fn compare(e: &CompareError) -> Option<&'static str> {
    match e {
        CompareError::Device(_) => Some("make a record on this device with --json"),
        CompareError::Clock(_) => Some("make a record with this version with --json"),
        CompareError::Nothing(_) => None,
    }
}
