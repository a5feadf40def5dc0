//! Times the passes of the real code on the GPU while a recording is on, for traces.

use std::time::Instant;

use wgpu::{CommandEncoder, ComputePass, ComputePassDescriptor};

use super::recording::{MAX_PASSES, PassTime, Recording};
use super::timestamps::Timestamps;
use crate::gpu::{Gpu, GpuError};

impl Gpu {
    /// Begins a compute pass, timed if a recording is on.
    pub(crate) fn pass<'e>(
        &self,
        name: &'static str,
        encoder: &'e mut CommandEncoder,
    ) -> ComputePass<'e> {
        let mut recording = self.recorder.lock();
        let timed = recording.as_mut().and_then(|r| r.begin(name));
        encoder.begin_compute_pass(&ComputePassDescriptor {
            label: Some(name),
            timestamp_writes: timed.as_ref().map(|(t, pass)| t.writes(*pass)),
        })
    }

    /// Starts a recording: from now on passes are timed. Returns whether the device has a clock
    /// for that; if not, nothing is recorded.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub(crate) fn record_passes(&self) -> Result<bool, GpuError> {
        let Some(timestamps) = Timestamps::new(&self.device, &self.queue, MAX_PASSES) else {
            return Ok(false);
        };
        *self.recorder.lock() = Some(Recording::new(timestamps));
        // The end of an empty pass, with a wait before and after it, is a moment by both clocks.
        self.wait()?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        drop(self.pass("synchronize clocks", &mut encoder));
        self.queue.submit([encoder.finish()]);
        self.wait()?;
        let host = Instant::now();
        if let Some(recording) = self.recorder.lock().as_mut() {
            let stamps = recording.timestamps.read(recording.len())?;
            recording.host = host;
            recording.ticks = stamps.first().map_or(0, |[_, end]| *end);
            recording.names.clear();
        }
        Ok(true)
    }

    /// Ends the recording, waits for the passes since [`Gpu::record_passes`], and returns them in
    /// the order of their submission.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub(crate) fn recorded_passes(&self) -> Result<Vec<PassTime>, GpuError> {
        let Some(recording) = self.recorder.lock().take() else {
            return Ok(Vec::new());
        };
        self.wait()?;
        let timestamps = &recording.timestamps;
        let stamps = timestamps.read(recording.len())?;
        let passes = recording.names.iter().zip(stamps);
        Ok(passes
            .map(|(name, [begin, end])| {
                let since = timestamps.duration(begin.saturating_sub(recording.ticks));
                PassTime {
                    name,
                    begin: recording.host + since,
                    time: timestamps.duration(end.saturating_sub(begin)),
                }
            })
            .collect())
    }
}
