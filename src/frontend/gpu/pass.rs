//! One compute pass, ready to be recorded.

use wgpu::{BindGroup, ComputePass, ComputePipeline};

/// A compute pass: pipeline, bindings and size.
pub(super) struct Pass {
    /// The shader's entry point, for traces.
    pub(super) name: &'static str,
    pub(super) pipeline: ComputePipeline,
    pub(super) group: BindGroup,
    pub(super) workgroups: [u32; 3],
}

impl Pass {
    /// Records the dispatch.
    pub(super) fn record(&self, pass: &mut ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}
