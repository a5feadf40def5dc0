//! The front end on the CPU: one file per shader, with the same inputs and outputs.
//!
//! The `cpu` device runs these passes, and tests hold the shaders against them. They are themselves
//! held against an O(N^2) transform in f64 and against the real libraries' output.

pub mod compress;
pub mod rgba;
pub mod stft;

use std::borrow::Cow;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::augment::{Augment, Masks, Waveform};
use super::config::{FrontEndConfig, Output, Size};
use super::image::rgba_bytes;
use super::spectrogram::Spectrogram;
use super::tables::Tables;
use stft::Stft;

/// The front end on the CPU.
pub struct CpuFrontEnd {
    config: FrontEndConfig,
    tables: Tables,
    stft: Stft,
}

impl CpuFrontEnd {
    /// Computes the tables of a validated configuration and plans its transform.
    pub(super) fn new(config: &FrontEndConfig) -> Self {
        Self {
            config: config.clone(),
            tables: Tables::new(config),
            stft: Stft::new(config),
        }
    }

    /// Returns the configuration.
    pub(super) fn config(&self) -> &FrontEndConfig {
        &self.config
    }

    /// Computes `[n, channels, height, width]` of `clips`; `augments` has an entry per clip, or
    /// none.
    pub(super) fn features(&self, clips: &[Cow<'_, [f32]>], augments: &[Augment]) -> Tensor<4> {
        let [channels, height, width] = self.config.output_shape();
        let one = channels * height * width;
        let mut all = vec![0.0f32; clips.len() * one];
        all.par_chunks_mut(one).enumerate().for_each(|(n, out)| {
            let augment = augments.get(n).copied().unwrap_or_default();
            let pcm = augmented(clips, &augment.waveform, n);
            match self.config.output {
                Output::Image(_) => self.image(&pcm, &augment, out),
                Output::Features => self.masked_spectrogram(&pcm, &augment, out),
            }
        });
        let data = TensorData::new(all, [clips.len(), channels, height, width]);
        Tensor::from_data(data, &Device::flex())
    }

    /// Draws `clips` as RGBA bytes `[y][x]`.
    pub(super) fn images(&self, clips: &[&[f32]]) -> Vec<Vec<u8>> {
        let Size { height, width } = self.config.image_size();
        let draw = |pcm: &&[f32]| {
            let mut planes = vec![0.0; 4 * height * width];
            self.image(pcm, &Augment::default(), &mut planes);
            rgba_bytes(&planes)
        };
        clips.par_iter().map(draw).collect()
    }

    /// Computes the spectrograms of `clips`, with the waveforms of `augments`.
    pub(super) fn spectrograms(
        &self,
        clips: &[Cow<'_, [f32]>],
        augments: &[Augment],
    ) -> Vec<Spectrogram> {
        (0..clips.len())
            .map(|n| {
                let waveform = augments.get(n).copied().unwrap_or_default().waveform;
                self.spectrogram(&augmented(clips, &waveform, n), &waveform)
            })
            .collect()
    }

    fn spectrogram(&self, pcm: &[f32], waveform: &Waveform) -> Spectrogram {
        let (frames, rows) = (self.config.frames(), self.config.rows());
        let mut values = vec![0.0; frames * rows];
        let range = self.stft(pcm, waveform, &mut values);
        Spectrogram {
            frames,
            rows,
            values,
            range,
        }
    }

    fn stft(&self, pcm: &[f32], waveform: &Waveform, out: &mut [f32]) -> Option<(f32, f32)> {
        let _span = tracing::info_span!("stft").entered();
        self.stft
            .run(&self.config, &self.tables, pcm, waveform, out)
    }

    /// Writes `[channel][y][x]` of one clip's image into `out`.
    fn image(&self, pcm: &[f32], augment: &Augment, out: &mut [f32]) {
        let s = self.spectrogram(pcm, &augment.waveform);
        let _span = tracing::info_span!("rgba").entered();
        rgba::run(&self.config, &self.tables, &s.values, s.range, out);
        let Size { height, width } = self.config.image_size();
        let [r, g, b, _] = self.tables.colors[0];
        for (plane, v) in out.chunks_mut(height * width).zip([r, g, b, 1.0]) {
            mask(plane, &augment.masks, v, |i| (i % width, i / width));
        }
    }

    /// Writes `[frame][row]` of one clip into `out`. CPU implementation of `keep` in
    /// `shaders/frontend/stft_common.wgsl`.
    fn masked_spectrogram(&self, pcm: &[f32], augment: &Augment, out: &mut [f32]) {
        self.stft(pcm, &augment.waveform, out);
        let rows = self.config.rows();
        let silence = compress::silence(self.config.compression);
        mask(out, &augment.masks, silence, |i| (i / rows, i % rows));
    }
}

/// Writes `value` over the cells that `masks` hide; `place` maps a cell's index to its time and
/// frequency.
fn mask(cells: &mut [f32], masks: &Masks, value: f32, place: impl Fn(usize) -> (usize, usize)) {
    if *masks == Masks::default() {
        return;
    }
    for (i, cell) in cells.iter_mut().enumerate() {
        let (time, frequency) = place(i);
        if masks.hide(time, frequency) {
            *cell = value;
        }
    }
}

/// Returns the samples of clip `n`, changed as `waveform` says.
fn augmented<'a>(clips: &'a [Cow<'_, [f32]>], waveform: &Waveform, n: usize) -> Cow<'a, [f32]> {
    if waveform.changes_samples() {
        Cow::Owned(waveform.apply(&clips[n], &clips[(n + 1) % clips.len()]))
    } else {
        Cow::Borrowed(&clips[n])
    }
}
