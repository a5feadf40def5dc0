//! AdamW whose state can be restored on a device of our choice.
//!
//! Burn 0.22.1 restores an optimizer's state on its default device and moves it at the next step.
//! The default device is a GPU that Burn chooses itself, or the environment variable `BURN_DEVICE`
//! does, so a run on the `cpu` device or on a chosen adapter would open a second device, or fail
//! where there is no GPU. The device is an argument one level below, in
//! [`DynOptimizer::state_unflatten`], and this wrapper replaces it there. Everything else is Burn's
//! AdamW, and so is the file format.

use burn::module::ParamGroup;
use burn::optim::{
    AdamW, AdamWConfig, DynOptimizer, DynState, LearningRate, ModuleOptimizer, StateSink,
    StateSource,
};
use burn::tensor::Device;
use burn::tensor::kind::BridgeTensor;

/// Makes an AdamW optimizer for all parameters of a network whose tensors are on `device`.
pub fn adamw(weight_decay: f64, device: &Device) -> ModuleOptimizer {
    let config = AdamWConfig::new()
        .with_weight_decay(weight_decay as f32)
        .with_epsilon(1e-8);
    let restored_here = RestoredOn {
        optimizer: config.build(),
        device: device.clone(),
    };
    // The last group that matches a parameter decides, and this one matches all.
    config
        .init()
        .with_group(ParamGroup::all(), restored_here, None)
}

/// AdamW that restores its state on `device`, whatever device Burn names.
struct RestoredOn {
    optimizer: AdamW,
    device: Device,
}

impl DynOptimizer for RestoredOn {
    fn step_dyn(
        &self,
        rank: usize,
        lr: LearningRate,
        tensor: BridgeTensor,
        grad: BridgeTensor,
        state: Option<DynState>,
    ) -> (BridgeTensor, Option<DynState>) {
        self.optimizer.step_dyn(rank, lr, tensor, grad, state)
    }

    fn to_device_dyn(&self, state: DynState, device: &Device) -> DynState {
        self.optimizer.to_device_dyn(state, device)
    }

    fn state_flatten(&self, prefix: &str, state: &DynState, out: &mut StateSink) {
        self.optimizer.state_flatten(prefix, state, out);
    }

    fn state_unflatten(
        &self,
        rank: usize,
        prefix: &str,
        source: &mut StateSource,
        _default: &Device,
    ) -> Option<DynState> {
        self.optimizer
            .state_unflatten(rank, prefix, source, &self.device)
    }
}
