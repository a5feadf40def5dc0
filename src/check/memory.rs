//! The device's memory over many training steps.

use std::sync::Arc;

use burn::tensor::Device;

use super::comparison::{Case, CheckError, Comparison, Part};
use super::networks::step;
use crate::frontend::presets;
use crate::gpu::Gpu;
use crate::model::{Network, NetworkKind, NetworkSpec};

/// Steps, and how many of them may claim memory.
const STEPS: usize = 200;
const FIRST: usize = 20;

/// Returns the comparison, or none where the driver does not report its memory.
pub(super) fn cases(gpu: &Arc<Gpu>) -> Option<Case<'_>> {
    gpu.memory()?;
    let what = format!("memory after {STEPS} training steps");
    let against = "memory after 20 steps";
    let of = Comparison::of(Part::Memory, what, against, 0.05, "more");
    Some(of.by(|| {
        let spec = NetworkSpec {
            input: [4, 32, 32],
            ..NetworkSpec::new(NetworkKind::Compact, 7, &presets::mel())
        };
        let network = Network::new(&spec, 7, &Device::flex())?;
        let network = burn::module::Module::to_device(network, &gpu.burn);
        let mut first = 0;
        for number in 0..STEPS {
            step(network.clone(), &spec, &gpu.burn)?;
            if number + 1 == FIRST {
                first = memory(gpu)?;
            }
        }
        Ok(memory(gpu)? as f64 / first.max(1) as f64 - 1.0)
    }))
}

fn memory(gpu: &Gpu) -> Result<u64, CheckError> {
    let gone = || CheckError("the driver no longer reports its memory".into());
    gpu.memory().ok_or_else(gone)
}
