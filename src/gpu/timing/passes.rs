//! Passes of the real code, timed on the GPU while somebody asks: for traces.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wgpu::{BufferUsages, CommandEncoder, ComputePass, ComputePassDescriptor, Features, QuerySet};

use crate::gpu::{Gpu, GpuError};

/// Passes that one recording holds; later ones are not timed.
const MOST: u32 = 1024;

/// A pass that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassTime {
    /// The shader's entry point.
    pub name: &'static str,
    /// When it began, brought to the host's clock: right to within what a submission and a wait take.
    pub begin: Instant,
    /// By the GPU's clock.
    pub time: Duration,
}

/// What a device's own passes are timed with; does nothing until [`Gpu::record_passes`].
#[derive(Debug, Default)]
pub(in crate::gpu) struct Passes(Mutex<Option<Recording>>);

#[derive(Debug)]
struct Recording {
    set: QuerySet,
    names: Vec<&'static str>,
    /// A moment by both clocks.
    host: Instant,
    ticks: u64,
}

impl Passes {
    fn lock(&self) -> MutexGuard<'_, Option<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gpu {
    /// Begins a compute pass, timed if a recording is on.
    pub fn pass<'e>(&self, name: &'static str, encoder: &'e mut CommandEncoder) -> ComputePass<'e> {
        let mut recording = self.passes.lock();
        let timed = recording.as_mut().and_then(|r| r.begin(name));
        let timestamp_writes = timed
            .as_ref()
            .map(|(set, i)| wgpu::ComputePassTimestampWrites {
                query_set: set,
                beginning_of_pass_write_index: Some(2 * i),
                end_of_pass_write_index: Some(2 * i + 1),
            });
        encoder.begin_compute_pass(&ComputePassDescriptor {
            label: Some(name),
            timestamp_writes,
        })
    }

    /// From now on passes are timed. Says whether the device has a clock for it; if not, nothing is recorded.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn record_passes(&self) -> Result<bool, GpuError> {
        if !self.device.features().contains(Features::TIMESTAMP_QUERY) {
            return Ok(false);
        }
        let set = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("passes"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * MOST,
        });
        *self.passes.lock() = Some(Recording {
            set,
            names: Vec::new(),
            host: Instant::now(),
            ticks: 0,
        });
        // An empty pass, waited for before and after: its end is this moment.
        self.wait()?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        drop(self.pass("set the clocks", &mut encoder));
        self.queue.submit([encoder.finish()]);
        self.wait()?;
        let host = Instant::now();
        if let Some(recording) = self.passes.lock().as_mut() {
            let stamps = self.stamps(recording)?;
            recording.host = host;
            recording.ticks = stamps.first().map_or(0, |[_, end]| *end);
            recording.names.clear();
        }
        Ok(true)
    }

    /// Ends the recording: the passes since [`Gpu::record_passes`], in the order of their submission, waited for.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn recorded_passes(&self) -> Result<Vec<PassTime>, GpuError> {
        let Some(recording) = self.passes.lock().take() else {
            return Ok(Vec::new());
        };
        self.wait()?;
        let nanos = f64::from(self.queue.get_timestamp_period());
        let span = |ticks: u64| Duration::from_nanos((ticks as f64 * nanos) as u64);
        let stamps = self.stamps(&recording)?;
        let passes = recording.names.iter().zip(stamps);
        Ok(passes
            .map(|(name, [begin, end])| PassTime {
                name,
                begin: recording.host + span(begin.saturating_sub(recording.ticks)),
                time: span(end.saturating_sub(begin)),
            })
            .collect())
    }

    /// `[begin, end]` of the recording's passes. Resolved in a submission after theirs, as Metal asks.
    fn stamps(&self, recording: &Recording) -> Result<Vec<[u64; 2]>, GpuError> {
        let passes = recording.names.len() as u32;
        if passes == 0 {
            return Ok(Vec::new());
        }
        let size = u64::from(passes) * 16;
        let resolved = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("stamps"),
            size,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.resolve_query_set(&recording.set, 0..2 * passes, &resolved, 0);
        self.queue.submit([encoder.finish()]);
        let bytes = self.read(&resolved, size)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }
}

impl Recording {
    /// The place of one more pass, if there is one.
    fn begin(&mut self, name: &'static str) -> Option<(QuerySet, u32)> {
        let i = self.names.len() as u32;
        (i < MOST).then(|| {
            self.names.push(name);
            (self.set.clone(), i)
        })
    }
}
