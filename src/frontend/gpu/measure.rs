//! The passes, timed one by one, with the samples on the device already.

use super::{GpuFrontEnd, Sink};
use crate::frontend::{FrontEndError, Samples};
use crate::gpu::tensor::Target;
use crate::gpu::timing::{Clock, Times};

impl GpuFrontEnd {
    /// Runs `stft` and `rgba_tensor` over `clips` (as many as one dispatch serves, at most) `runs` times and says how long
    /// each took: pass 0 is `stft`, pass 1 is `rgba_tensor`. The first run is one more, and not told of.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn measure(&self, clips: &[&[f32]], runs: usize) -> Result<Vec<Times>, FrontEndError> {
        let clips = &Samples::of(&clips[..clips.len().min(self.plan.clips_per_dispatch)]);
        let (height, width) = (self.plan.height as usize, self.plan.width as usize);
        let target = Target::new(&self.gpu, [clips.len(), 4, height, width], self.dtype)?;
        let sink = Sink::Tensor(&target);
        // Compiles, allocates and uploads.
        self.dispatch(clips, 0..clips.len(), &[], Some(Sink::Tensor(&target)))?;
        let guard = self.lock();
        let scratch = guard.as_ref().expect("made by dispatch");
        let n = clips.len() as u32;
        let group = self.stft_group(&self.stft, scratch);
        let (rgba, rgba_group) = self.rgba_group(scratch, &sink, 0, n);
        let clock = Clock::new(&self.gpu, 2);
        let run = || {
            clock.time(|encoder| {
                encoder.clear_buffer(&scratch.range, 0, None);
                let mut pass = clock.pass(0, encoder);
                pass.set_pipeline(&self.stft);
                pass.set_bind_group(0, &group, &[]);
                pass.dispatch_workgroups(self.plan.workgroups(), n, 1);
                drop(pass);
                let mut pass = clock.pass(1, encoder);
                pass.set_pipeline(rgba);
                pass.set_bind_group(0, &rgba_group, &[]);
                let [x, y] = self.plan.picture_workgroups();
                pass.dispatch_workgroups(x, y, n);
            })
        };
        run()?;
        (0..runs).map(|_| Ok(run()?)).collect()
    }
}
