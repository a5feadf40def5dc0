//! Advice for errors. The library's errors state facts and know no flags; this file adds what to do
//! about them.

use std::error::Error;

use crate::bench::{BenchError, CompareError};
use crate::classify::journal::{JournalError, JournalSetting};
use crate::classify::{MergeError, OutputError, PageError};
use crate::dataset::DatasetError;
use crate::evaluate::EvaluateError;
use crate::files::ClaimError;
use crate::frontend::FrontEndError;
use crate::frontend::gpu::plan::PlanError;
use crate::gpu::{DeviceChoice, GpuError};
use crate::inference::InferenceError;
use crate::model::{CheckpointError, ModelError};
use crate::similar::SimilarError;
use crate::tag::UndoError;
use crate::train::TrainError;

/// Returns what a user of the command line can do about `error`, if there is a known remedy.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    let advice = error.chain().find_map(advice);
    advice.flatten().map(str::to_owned)
}

const SMALLER_BATCH: &str = "use a smaller --batch, or --device cpu";

type Advice = Option<&'static str>;

/// Returns the advice for one link of the chain of causes; `None` if its kind is not known here.
/// The first known kind decides: what helps against a small `--size` does not help if a checkpoint
/// is the cause.
///
/// `#[error(transparent)]` hides an inner error from the chain, and each kind therefore asks for
/// its inner kinds itself.
fn advice(cause: &(dyn Error + 'static)) -> Option<Advice> {
    macro_rules! first_of {
        ($($kind:ty => $advice:ident),+ $(,)?) => {
            $(if let Some(e) = cause.downcast_ref::<$kind>() { return Some($advice(e)); })+
        };
    }
    first_of! {
        GpuError => gpu,
        PlanError => plan,
        FrontEndError => front_end,
        InferenceError => inference,
        EvaluateError => evaluate,
        TrainError => train,
        CheckpointError => checkpoint,
        ModelError => model,
        DatasetError => dataset,
        JournalError => journal,
        OutputError => output,
        MergeError => merge,
        PageError => page,
        BenchError => bench,
        CompareError => compare,
        SimilarError => similar,
        ClaimError => claim,
        UndoError => undo_table,
    }
    None
}

fn gpu(e: &GpuError) -> Advice {
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

fn plan(e: &PlanError) -> Advice {
    match e {
        PlanError::WorkgroupMemory { .. } | PlanError::WorkgroupSize { .. } => {
            Some("use a preset with a smaller n_fft, or --device cpu")
        }
        PlanError::Clip { .. } => Some("use a smaller --clip-seconds or --size, or --device cpu"),
        PlanError::ImageTooSmall { .. } => Some("use a larger --size, or --device cpu"),
        _ => None,
    }
}

fn front_end(e: &FrontEndError) -> Advice {
    match e {
        FrontEndError::Plan(e) => plan(e),
        FrontEndError::Gpu(e) => gpu(e),
        FrontEndError::NoHalf(_) => Some(
            "leave out --half, or choose a device that computes in f16 (see `sonoprint devices`)",
        ),
        _ => None,
    }
}

fn inference(e: &InferenceError) -> Advice {
    match e {
        InferenceError::FrontEnd(e) => front_end(e),
        InferenceError::Checkpoint(e) => checkpoint(e),
        InferenceError::Device(_) => Some(SMALLER_BATCH),
        InferenceError::BatchTooLarge(_) => Some(SMALLER_BATCH),
        _ => None,
    }
}

fn evaluate(e: &EvaluateError) -> Advice {
    match e {
        EvaluateError::Dataset(e) => dataset(e),
        EvaluateError::FrontEnd(e) => front_end(e),
        EvaluateError::Device(_) => Some(SMALLER_BATCH),
        _ => None,
    }
}

fn train(e: &TrainError) -> Advice {
    match e {
        TrainError::Claim(e) => claim(e),
        TrainError::Dataset(e) => dataset(e),
        TrainError::FrontEnd(e) => front_end(e),
        TrainError::Evaluate(e) => evaluate(e),
        TrainError::Model(e) => model(e),
        TrainError::Checkpoint(e) => checkpoint(e),
        TrainError::RunExists(_) => {
            Some("choose another --out, or go on with that run: `sonoprint train --resume RUN`")
        }
        TrainError::NotARun(_) => Some("choose another --out, or remove the file"),
        TrainError::Diverged { .. } => Some("use a smaller --lr"),
        TrainError::NothingToFreeze => {
            Some("name a model with --init: `sonoprint model list` shows the built-in ones")
        }
        TrainError::InitChanged(_) => {
            Some("put the model's file back as it was, or start a new run with another --out")
        }
        TrainError::Device(_) => Some(SMALLER_BATCH),
        TrainError::BatchTooLarge(_) => Some(
            "use a smaller --batch, with --accumulate for as many clips per update, or --device cpu",
        ),
        _ => None,
    }
}

fn checkpoint(e: &CheckpointError) -> Advice {
    match e {
        CheckpointError::Damaged { .. } => Some("fetch the file or train it again"),
        CheckpointError::Unknown { .. } => Some("`sonoprint model list` shows the built-in models"),
        CheckpointError::Newer { .. } => Some("use a newer version of sonoprint"),
        _ => None,
    }
}

fn model(e: &ModelError) -> Advice {
    match e {
        ModelError::InputTooSmall { .. } => Some("use a larger --size"),
        ModelError::TooLarge { .. } => Some("use a smaller --size"),
        _ => None,
    }
}

fn dataset(e: &DatasetError) -> Advice {
    match e {
        DatasetError::NoClasses { .. } => {
            Some("put each genre's files into a folder of its own, or use --labels")
        }
        DatasetError::EmptyClass { .. } => Some("put audio files into the folder, or remove it"),
        DatasetError::NoLabels { .. } => {
            Some("see what was left out above; a smaller --min-files keeps rarer labels")
        }
        DatasetError::Audio { .. } => {
            Some("put the file back, and go on with `sonoprint train --resume RUN`")
        }
        _ => None,
    }
}

fn journal(e: &JournalError) -> Advice {
    match e {
        JournalError::Settings { difference, .. } => Some(match difference.setting {
            JournalSetting::Checkpoint => {
                "pass the same --model, choose another --out, or --fresh to start over"
            }
            JournalSetting::MinConfidence => {
                "pass the same --min-confidence, or write that table again with another: \
                 `sonoprint merge TABLE --min-confidence P --out NEW`"
            }
            JournalSetting::Threshold => {
                "pass the same --threshold, or write that table again with another: \
                 `sonoprint merge TABLE --threshold P --out NEW`"
            }
            JournalSetting::ClipOverlap => {
                "pass the same --clip-overlap, choose another --out, or --fresh to start over"
            }
            JournalSetting::Excerpts => {
                "pass the same --excerpts, --excerpt-seconds and --excerpt-at, choose another --out, or --fresh to start over"
            }
            JournalSetting::Timeline => {
                "--timeline belongs to both runs or to neither: choose another --out, or --fresh to start over"
            }
            JournalSetting::Embeddings => {
                "--embeddings belongs to both runs or to neither: choose another --out, or --fresh to start over"
            }
            JournalSetting::Half => {
                "--half belongs to both runs or to neither: choose another --out, or --fresh to start over"
            }
            JournalSetting::Shard => {
                "pass the same --shard, choose another --out, or --fresh to start over"
            }
            _ => "choose another --out, or --fresh to start over",
        }),
        JournalError::Busy { .. } => Some("wait for it, or choose another --out"),
        JournalError::Removed { .. } => Some("run the command again: it starts over"),
        JournalError::Damaged { .. } => Some("remove the file, or --fresh to start over"),
        _ => None,
    }
}

fn output(e: &OutputError) -> Advice {
    match e {
        OutputError::Journal(e) => journal(e),
        OutputError::Claim(e) => claim(e),
        OutputError::Ending { .. } => {
            Some("end the name in .csv, .jsonl or .parquet; for --out, --format also decides")
        }
        OutputError::OnlyClips { .. } => {
            Some("a label track is for --timeline; end the name in .csv, .jsonl or .parquet")
        }
        OutputError::NoVectors { .. } => Some("end the name in .jsonl, .parquet or .npy"),
        OutputError::OnlyVectors { .. } => Some("use it with --embeddings"),
        OutputError::NotBuilt { .. } => {
            Some("build sonoprint with --features parquet, or choose another --format")
        }
        _ => None,
    }
}

fn similar(e: &SimilarError) -> Advice {
    match e {
        SimilarError::Model { .. } | SimilarError::Query { .. } => {
            Some("name the model that made the table with --model")
        }
        SimilarError::NotBuilt(_) => {
            Some("build sonoprint with --features parquet, or use a table in JSON Lines")
        }
        _ => None,
    }
}

fn claim(e: &ClaimError) -> Advice {
    match e {
        ClaimError::Special { .. } => {
            Some("name a file; - is stdout, for a program that reads from a pipe")
        }
        ClaimError::Foreign { .. } => {
            Some("choose another name, or remove the file if nobody needs it")
        }
        ClaimError::Input { .. } | ClaimError::Same { .. } => Some("choose another name"),
        _ => None,
    }
}

fn undo_table(e: &UndoError) -> Advice {
    match e {
        UndoError::Claim(e) => claim(e),
        UndoError::Locked(_) => Some("wait until it is done, or name another --undo-table"),
        _ => None,
    }
}

fn merge(e: &MergeError) -> Advice {
    match e {
        MergeError::Journal(e) => merged_journal(e),
        MergeError::Incomplete { .. } => Some("run the part's command again: it resumes"),
        MergeError::NoJournal { .. } => Some("copy the part's .journal file beside it"),
        MergeError::OutputIsPart(_) => Some("choose another --out"),
        _ => None,
    }
}

/// `merge` has no --fresh: it starts over each time.
fn merged_journal(e: &JournalError) -> Advice {
    match e {
        JournalError::Damaged { .. } => Some("run the part's command again with --fresh"),
        e => journal(e),
    }
}

fn page(e: &PageError) -> Advice {
    match e {
        PageError::Journal(e) => journal(e),
        _ => Some("the table is complete: run the same command again for the page"),
    }
}

fn bench(e: &BenchError) -> Advice {
    match e {
        BenchError::Gpu(GpuError::Failed(_))
        | BenchError::FrontEnd(FrontEndError::Gpu(GpuError::Failed(_))) => {
            Some("use a smaller --clips, or --device cpu")
        }
        BenchError::FrontEnd(FrontEndError::Plan(_)) => {
            Some("choose other shapes with --only, or use --device cpu")
        }
        BenchError::Wrong { .. } => {
            Some("please report it, with the output of `sonoprint devices`")
        }
        _ => None,
    }
}

fn compare(e: &CompareError) -> Advice {
    match e {
        CompareError::Device(_) => Some("make a record on this device with --json"),
        CompareError::Clock(_) => Some("make a record with this version with --json"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::hint;
    use crate::gpu::GpuError;
    use crate::inference::InferenceError;
    use crate::model::{CheckpointError, ModelError};
    use crate::train::TrainError;

    #[test]
    fn advice_is_found_behind_contexts_and_transparent_errors() {
        let failed = crate::frontend::FrontEndError::from(GpuError::Failed("lost".into()));
        let error = anyhow::Error::from(TrainError::from(failed)).context("epoch 3");
        assert!(hint(&error).unwrap().contains("--device cpu"));
    }

    #[test]
    fn the_outermost_known_error_decides() {
        let model = ModelError::InputTooSmall {
            network: "deeppixel",
            min: [4, 70, 70],
            input: [4, 8, 8],
        };
        assert!(hint(&model.clone().into()).unwrap().contains("--size"));
        let checkpoint = CheckpointError::Model {
            path: "x".into(),
            source: model,
        };
        assert_eq!(hint(&InferenceError::from(checkpoint).into()), None);
    }

    #[test]
    fn a_missing_rasterizer_names_the_package_that_has_one() {
        let error = GpuError::NoAdapter {
            wanted: crate::gpu::DeviceChoice::Software,
            adapters: vec!["NVIDIA H100".into()],
        };
        assert!(hint(&error.into()).unwrap().contains("mesa-vulkan-drivers"));
    }

    #[test]
    fn what_nobody_knows_has_no_hint() {
        assert_eq!(hint(&anyhow::anyhow!("no idea")), None);
    }
}
