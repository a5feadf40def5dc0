//! How long passes take on the GPU: timestamps where the device has them, the host's clock around a wait where not.

use std::time::{Duration, Instant};

use wgpu::{BufferUsages, CommandEncoder, ComputePassDescriptor, ComputePassTimestampWrites};

use crate::gpu::{Gpu, GpuError};

/// Times a fixed number of passes, again and again.
pub struct Clock {
    gpu: Gpu,
    passes: u32,
    stamps: Option<Stamps>,
}

struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    nanos: f64,
}

/// What one run took.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// A duration a pass by the GPU's own clock; empty where it has none, or has one that runs backwards.
    pub passes: Vec<Duration>,
    /// From submission to the end of a wait, by the host's clock.
    pub wall: Duration,
}

impl Clock {
    /// A clock for `passes` passes.
    pub fn new(gpu: &Gpu, passes: u32) -> Self {
        let has = gpu
            .device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY);
        let stamps = has.then(|| Stamps {
            set: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes,
            }),
            resolved: gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("stamps"),
                size: u64::from(passes) * 16,
                usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            nanos: f64::from(gpu.queue.get_timestamp_period()),
        });
        Self {
            gpu: gpu.clone(),
            passes,
            stamps,
        }
    }

    /// Whether the GPU's own clock is read.
    pub fn has_timestamps(&self) -> bool {
        self.stamps.is_some()
    }

    /// Begins pass `i`, timed.
    pub fn pass<'a>(&self, i: u32, encoder: &'a mut CommandEncoder) -> wgpu::ComputePass<'a> {
        let writes = self.stamps.as_ref().map(|s| ComputePassTimestampWrites {
            query_set: &s.set,
            beginning_of_pass_write_index: Some(2 * i),
            end_of_pass_write_index: Some(2 * i + 1),
        });
        encoder.begin_compute_pass(&ComputePassDescriptor {
            label: None,
            timestamp_writes: writes,
        })
    }

    /// Submits what `encode` says, with its passes begun by [`Clock::pass`], and waits for it.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn time(&self, encode: impl FnOnce(&mut CommandEncoder)) -> Result<Times, GpuError> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encode(&mut encoder);
        let commands = encoder.finish();
        // What is still under way is not ours.
        self.gpu.wait()?;
        let start = Instant::now();
        self.gpu.queue.submit([commands]);
        self.gpu.wait()?;
        let wall = start.elapsed();
        let passes = match &self.stamps {
            Some(stamps) => self.read(stamps)?,
            None => Vec::new(),
        };
        Ok(Times { passes, wall })
    }

    /// Stamps are resolved in a submission of their own: before that, some drivers have not written them.
    fn read(&self, stamps: &Stamps) -> Result<Vec<Duration>, GpuError> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.resolve_query_set(&stamps.set, 0..2 * self.passes, &stamps.resolved, 0);
        self.gpu.queue.submit([encoder.finish()]);
        let bytes = self.gpu.read(&stamps.resolved, stamps.resolved.size())?;
        let ticks: Vec<[u64; 2]> = bytemuck::pod_collect_to_vec(&bytes);
        let time = |[begin, end]: [u64; 2]| {
            let ticks = end.checked_sub(begin).filter(|&t| t > 0)?;
            Some(Duration::from_nanos((ticks as f64 * stamps.nanos) as u64))
        };
        let all: Option<Vec<Duration>> = ticks.into_iter().map(time).collect();
        Ok(all.unwrap_or_default())
    }
}
