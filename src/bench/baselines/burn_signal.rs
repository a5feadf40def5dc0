//! `burn-signal`'s STFT and Burn's tensor operations: what one writes with Burn alone.

use std::time::{Duration, Instant};

use burn::signal::{StftOptions, stft};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::baseline::Baseline;
use crate::bench::catalog::Shape;
use crate::bench::error::BenchError;
use crate::bench::reference::to_vec;
use crate::frontend::tables::{SparseRows, Tables};
use crate::gpu::Compute;

/// Bytes that the frames of one batch may take on the `cpu` device.
const CPU_BATCH_BYTES: u64 = 1 << 30;

/// The front end as tensor operations.
pub(super) struct BurnSignalStft {
    device: Device,
    options: StftOptions,
    /// `[clip, sample]`. Each tensor has as many clips as the device has memory for at a time.
    signals: Vec<Tensor<2>>,
    /// `[sample]`
    window: Tensor<1>,
    /// Factors of the power, `[1, 1, bin]`.
    scale: Tensor<3>,
    /// The vertical resize as a matrix, `[1, height, bin]`.
    rows: Tensor<3>,
    /// The horizontal resize as a matrix, `[1, width, frame]`.
    frames: Tensor<3>,
    /// `[256, channel]`
    colors: Tensor<2>,
    /// Decibels of the last run, `[clip, frame, bin]`, for each of `signals`.
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
        let batch_bytes = match compute {
            Compute::Cpu => CPU_BATCH_BYTES,
            Compute::Gpu(gpu) => gpu.limits.max_storage_buffer_binding_size,
        };
        // The STFT makes a tensor of all frames, whose samples are complex (8 bytes) later.
        let batch = batch_bytes as usize / (8 * s.frames() * s.n_fft);
        let signals = clips.chunks(batch.max(1)).map(|clips| {
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

    /// Returns the decibels of `signal`, `[clip, frame, bin]`, and the smallest and the largest of
    /// each clip, `[clip, 1, 1]`.
    fn decibels_and_range(&self, signal: &Tensor<2>) -> (Tensor<3>, Tensor<3>, Tensor<3>) {
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

    /// Returns the features of `signal`, `[clip, channel, height, width]`.
    fn rgba(&self, signal: &Tensor<2>) -> Tensor<4> {
        let (db, low, high) = self.decibels_and_range(signal);
        let unit = (db - low.clone()) / (high - low);
        // [1, height, bin] x [clip, bin, frame] x [1, frame, width]
        let unit = self.rows.clone().matmul(unit.swap_dims(1, 2));
        let unit = unit.matmul(self.frames.clone().swap_dims(1, 2));
        let [clips, height, width] = unit.dims();
        let index: Tensor<1, Int> = (unit * 256.0)
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

    /// Runs `op` on all signals and returns the results and the time until the device is idle.
    fn timed<T>(
        &self,
        op: impl Fn(&Self, &Tensor<2>) -> T,
    ) -> Result<(Vec<T>, Duration), BenchError> {
        self.wait()?;
        let start = Instant::now();
        let results = self.signals.iter().map(|s| op(self, s)).collect();
        self.wait()?;
        Ok((results, start.elapsed()))
    }
}

/// Returns `sparse` as a dense matrix, `[row][input]`.
fn dense(sparse: &SparseRows, inputs: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; sparse.rows() * inputs];
    for (row, out) in matrix.chunks_mut(inputs).enumerate() {
        for (column, weight) in sparse.row(row) {
            out[column] = weight;
        }
    }
    matrix
}

impl Baseline for BurnSignalStft {
    fn name(&self) -> &'static str {
        "burn-signal"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        self.db.clear();
        let (results, time) = self.timed(Self::decibels_and_range)?;
        self.db = results.into_iter().map(|(db, _, _)| db).collect();
        Ok(time)
    }

    fn first_decibels(&mut self) -> Result<Vec<f32>, BenchError> {
        to_vec(self.db[0].clone().narrow(0, 0, 1))
    }

    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        self.db.clear();
        Some(self.timed(Self::rgba).map(|(_, time)| time))
    }

    fn first_features(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        Some(to_vec(self.rgba(&self.signals[0]).narrow(0, 0, 1)))
    }
}
