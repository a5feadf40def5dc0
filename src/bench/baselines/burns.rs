//! `burn-signal`'s STFT and tensor operations: what one writes with Burn alone.

use std::time::{Duration, Instant};

use burn::signal::{StftOptions, stft};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::Baseline;
use crate::bench::catalog::Shape;
use crate::bench::check::values;
use crate::bench::measure::BenchError;
use crate::frontend::tables::{SparseRows, Tables};
use crate::gpu::Compute;

/// Bytes of one tensor on the CPU.
const CPU_ROOM: u64 = 1 << 30;

pub(super) struct BurnSignalStft {
    device: Device,
    options: StftOptions,
    /// `[clip, sample]`, as many clips in each as the device has room for at once.
    signals: Vec<Tensor<2>>,
    window: Tensor<1>,
    scale: Tensor<3>,
    rows: Tensor<3>,
    frames: Tensor<3>,
    colors: Tensor<2>,
    /// `[clip, frame, bin]` of each of them.
    db: Vec<Tensor<3>>,
}

impl BurnSignalStft {
    pub(super) fn new(compute: &Compute, shape: &Shape, clips: &[Vec<f32>]) -> Self {
        let device = compute.burn();
        let s = &shape.front_end;
        let tables = Tables::new(s);
        let bins = s.rows();
        let mut scale = vec![tables.inner_scale; bins];
        scale[0] = tables.edge_scale;
        scale[bins - 1] = tables.edge_scale;
        let tensor = |values: Vec<f32>, shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values, shape), &device)
        };
        let room = match compute {
            Compute::Cpu => CPU_ROOM,
            Compute::Gpu(gpu) => gpu.limits.max_storage_buffer_binding_size,
        };
        // Its frames are materialised, and complex after that.
        let at_once = room as usize / (8 * s.frames() * s.n_fft);
        let signals = clips.chunks(at_once.max(1)).map(|clips| {
            let signal: Vec<f32> = clips.iter().flatten().copied().collect();
            let data = TensorData::new(signal, [clips.len(), s.clip_samples]);
            Tensor::from_data(data, &device)
        });
        let colors: Vec<f32> = tables.colors.iter().flatten().copied().collect();
        let (height, width) = (tables.y.rows(), tables.x.rows());
        Self {
            options: StftOptions {
                hop_length: s.hop,
                center: false,
                ..StftOptions::new(s.n_fft)
            },
            signals: signals.collect(),
            window: Tensor::from_data(TensorData::new(tables.window.clone(), [s.n_fft]), &device),
            scale: tensor(scale, [1, 1, bins]),
            rows: tensor(dense(&tables.y, bins), [1, height, bins]),
            frames: tensor(dense(&tables.x, s.frames()), [1, width, s.frames()]),
            colors: Tensor::from_data(TensorData::new(colors, [256, 4]), &device),
            device,
            db: Vec::new(),
        }
    }

    /// Decibels, and the smallest and largest of each clip.
    fn spectrogram(&self, signal: &Tensor<2>) -> (Tensor<3>, Tensor<3>, Tensor<3>) {
        let complex = stft(signal.clone(), Some(self.window.clone()), self.options);
        let [clips, frames, bins, _] = complex.dims();
        let power = (complex.clone() * complex)
            .sum_dim(3)
            .reshape([clips, frames, bins]);
        let db = (power * self.scale.clone())
            .clamp_min(f32::MIN_POSITIVE)
            .log()
            * (10.0 / std::f64::consts::LN_10);
        let flat = db.clone().reshape([clips, 1, frames * bins]);
        (db, flat.clone().min_dim(2), flat.max_dim(2))
    }

    /// `[clip, channel, height, width]`.
    fn draw(&self, signal: &Tensor<2>) -> Tensor<4> {
        let (db, low, high) = self.spectrogram(signal);
        let t = (db - low.clone()) / (high - low);
        // [1, height, bin] x [clip, bin, frame] x [1, frame, width]
        let t = self.rows.clone().matmul(t.swap_dims(1, 2));
        let t = t.matmul(self.frames.clone().swap_dims(1, 2));
        let [clips, height, width] = t.dims();
        let index: Tensor<1, Int> = (t * 256.0)
            .clamp(0.0, 255.0)
            .int()
            .reshape([clips * height * width]);
        let pixels = self.colors.clone().select(0, index);
        let pixels = pixels.reshape([clips, height * width, 4]).swap_dims(1, 2);
        pixels.reshape([clips, 4, height, width])
    }

    fn wait(&self) -> Result<(), BenchError> {
        self.device
            .sync()
            .map_err(|e| BenchError::Burn(e.to_string()))
    }
}

/// A resize as a matrix.
fn dense(sparse: &SparseRows, inputs: usize) -> Vec<f32> {
    let mut all = vec![0.0; sparse.rows() * inputs];
    for (row, out) in all.chunks_mut(inputs).enumerate() {
        for (at, weight) in sparse.row(row) {
            out[at] = weight;
        }
    }
    all
}

impl Baseline for BurnSignalStft {
    fn name(&self) -> &'static str {
        "burn-signal"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        self.db.clear();
        self.wait()?;
        let start = Instant::now();
        let all: Vec<_> = self.signals.iter().map(|s| self.spectrogram(s)).collect();
        self.wait()?;
        let time = start.elapsed();
        self.db = all.into_iter().map(|(db, _, _)| db).collect();
        Ok(time)
    }

    fn first(&mut self) -> Result<Vec<f32>, BenchError> {
        values(self.db[0].clone().narrow(0, 0, 1))
    }

    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        self.db.clear();
        let run = || {
            self.wait()?;
            let start = Instant::now();
            let pictures: Vec<_> = self.signals.iter().map(|s| self.draw(s)).collect();
            self.wait()?;
            let time = start.elapsed();
            drop(pictures);
            Ok(time)
        };
        Some(run())
    }

    fn first_picture(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        Some(values(self.draw(&self.signals[0]).narrow(0, 0, 1)))
    }
}
