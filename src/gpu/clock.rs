//! How long passes take on the GPU: timestamps where the device has them, the host's clock around a wait where not.

use std::time::{Duration, Instant};

use wgpu::{BufferUsages, CommandEncoder, ComputePassDescriptor, ComputePassTimestampWrites};

use super::{Gpu, GpuError};

/// Times a fixed number of passes, again and again.
pub struct Clock {
    gpu: Gpu,
    passes: u32,
    stamps: Option<Stamps>,
}

struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
    nanos: f64,
}

/// What one run took.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// A duration a pass by the GPU's own clock; empty where it has none.
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
        let buffer = |label, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: u64::from(passes) * 16,
                usage,
                mapped_at_creation: false,
            })
        };
        let stamps = has.then(|| Stamps {
            set: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes,
            }),
            resolved: buffer(
                "stamps",
                BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            ),
            readable: buffer(
                "stamps read",
                BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            ),
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
        if let Some(s) = &self.stamps {
            encoder.resolve_query_set(&s.set, 0..2 * self.passes, &s.resolved, 0);
            encoder.copy_buffer_to_buffer(&s.resolved, 0, &s.readable, 0, s.readable.size());
        }
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

    fn read(&self, stamps: &Stamps) -> Result<Vec<Duration>, GpuError> {
        stamps.readable.map_async(wgpu::MapMode::Read, .., |_| {});
        self.gpu.wait()?;
        let view = stamps
            .readable
            .get_mapped_range(..)
            .map_err(|e| GpuError::Failed(e.to_string()))?;
        let ticks: Vec<[u64; 2]> = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        stamps.readable.unmap();
        let time = |[begin, end]: [u64; 2]| {
            let nanos = end.saturating_sub(begin) as f64 * stamps.nanos;
            Duration::from_nanos(nanos as u64)
        };
        Ok(ticks.into_iter().map(time).collect())
    }
}
