//! The learning rate from step to step.

use burn::module::ParamGroup;
use burn::optim::lr_scheduler::LrSchedulerConfig;
use burn::optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLrScheduler, ModuleLrSchedulerConfig};
use burn::optim::lr_scheduler::sequential::SequentialLrSchedulerConfig;

use super::{TrainError, TrainSettings};

/// Makes the schedule: the rate rises over one epoch, then falls along a cosine to 1 %. In a run
/// that starts from a model, layers other than the last, `output`, have a lower rate.
pub(super) fn schedule(
    settings: &TrainSettings,
    updates: usize,
    output: &str,
) -> Result<ModuleLrScheduler, TrainError> {
    let rest = (updates * settings.epochs.saturating_sub(1)).max(1);
    let at = |lr: f64| {
        let cosine = CosineAnnealingLrSchedulerConfig::new(lr, rest).with_min_lr(lr / 100.0);
        LrSchedulerConfig::Sequential(SequentialLrSchedulerConfig::new(
            vec![
                LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(lr / 10.0, lr, updates)),
                LrSchedulerConfig::Cosine(cosine),
            ],
            vec![updates],
        ))
    };
    let lr = settings.lr;
    let schedule = match settings.transfer.init {
        None => ModuleLrSchedulerConfig::new(at(lr)),
        Some(_) => {
            // Paths begin with the name of the network.
            let last = ParamGroup::from_regex(format!(r"(^|\.){output}\.(weight|bias)$"))
                .expect("the name of a field");
            ModuleLrSchedulerConfig::new(at(lr * settings.transfer.backbone_lr))
                .with_group(last, at(lr))
        }
    };
    schedule.init().map_err(|_| TrainError::Setting {
        name: "lr",
        value: lr.to_string(),
        must: "over 0 and at most 1",
    })
}
