//! Timestamps at the begin and end of compute passes, by the GPU's own clock.

use std::time::Duration;

use wgpu::{BufferUsages, ComputePassTimestampWrites, Features, QuerySet};

use crate::gpu::error::GpuError;
use crate::gpu::read_back;

/// Two timestamps for each of a fixed number of passes.
#[derive(Clone, Debug)]
pub struct Timestamps {
    device: wgpu::Device,
    queue: wgpu::Queue,
    set: QuerySet,
}

impl Timestamps {
    /// Makes timestamps for `passes` passes; `None` if the device has no clock for them.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, passes: u32) -> Option<Self> {
        let supported = device.features().contains(Features::TIMESTAMP_QUERY);
        supported.then(|| Self {
            device: device.clone(),
            queue: queue.clone(),
            set: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes,
            }),
        })
    }

    /// Returns where pass number `pass` writes its timestamps.
    pub fn writes(&self, pass: u32) -> ComputePassTimestampWrites<'_> {
        ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(2 * pass),
            end_of_pass_write_index: Some(2 * pass + 1),
        }
    }

    /// Reads `[begin, end]` of the first `passes` passes, in ticks. They must have been submitted.
    ///
    /// The timestamps are resolved in a submission of their own. Metal requires that, and some
    /// drivers have not written them before.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn read(&self, passes: u32) -> Result<Vec<[u64; 2]>, GpuError> {
        if passes == 0 {
            return Ok(Vec::new());
        }
        let size = u64::from(passes) * size_of::<[u64; 2]>() as u64;
        let resolved = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("timestamps"),
            size,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.resolve_query_set(&self.set, 0..2 * passes, &resolved, 0);
        self.queue.submit([encoder.finish()]);
        let bytes = read_back::read(&self.device, &self.queue, &resolved, size)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    /// Converts a difference of two timestamps into a duration.
    pub fn duration(&self, ticks: u64) -> Duration {
        let nanos_per_tick = f64::from(self.queue.get_timestamp_period());
        Duration::from_nanos((ticks as f64 * nanos_per_tick) as u64)
    }
}
