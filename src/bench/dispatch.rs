//! Timing compute dispatches that are ready to run.

use std::time::Duration;

use crate::gpu::GpuError;
use crate::gpu::timing::Clock;

/// A dispatch with everything that it needs.
pub(super) struct Dispatch {
    pub(super) pipeline: wgpu::ComputePipeline,
    /// Group 0.
    pub(super) bind_group: wgpu::BindGroup,
    /// Workgroups in x, y and z.
    pub(super) workgroups: [u32; 3],
}

/// Runs `dispatches` one after another in one pass and returns the time of the pass.
///
/// The time is by the GPU's timestamps, or by the host's clock around a wait if the device has no
/// timestamps. `clock` was made for one pass.
pub(super) fn time(clock: &Clock, dispatches: &[Dispatch]) -> Result<Duration, GpuError> {
    let times = clock.time(|encoder| {
        let mut pass = clock.pass(0, encoder);
        for dispatch in dispatches {
            let [x, y, z] = dispatch.workgroups;
            pass.set_pipeline(&dispatch.pipeline);
            pass.set_bind_group(0, &dispatch.bind_group, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
    })?;
    Ok(times.passes.first().copied().unwrap_or(times.wall))
}
