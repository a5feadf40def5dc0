//! Where decoded samples are kept: the host's memory, large buffers on the GPU, or only on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::frontend::DeviceSamples;
use crate::gpu::{Compute, Gpu};

/// Size in bytes of one buffer on the GPU: below WebGPU's default limit of 256 MiB, and large
/// enough to keep the number of buffers small.
const CHUNK: u64 = 128 << 20;

/// Where the samples of one file are.
pub(super) enum Place {
    /// In the host's memory.
    Host(Vec<f32>),
    /// In the device's memory, in a buffer that other files share.
    Device(DeviceSamples),
    /// Only on disk, because memory was full: every request decodes them again.
    Disk,
}

/// Memory for PCM, up to a limit.
pub(super) struct Store {
    gpu: Option<Arc<Gpu>>,
    limit: u64,
    used: AtomicU64,
    /// The buffer that is being filled, and the number of its bytes in use.
    open: Mutex<Option<(wgpu::Buffer, u64)>>,
}

impl Store {
    /// Returns a store of at most `limit` bytes in the memory of `compute`.
    pub(super) fn new(compute: &Compute, limit: u64) -> Self {
        Self {
            gpu: match compute {
                Compute::Cpu => None,
                Compute::Gpu(gpu) => Some(gpu.clone()),
            },
            limit,
            used: AtomicU64::new(0),
            open: Mutex::new(None),
        }
    }

    /// Returns the number of bytes in use.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Stores `samples` if they fit. A file that does not fit does not keep a smaller one out.
    pub(super) fn keep(&self, samples: Vec<f32>) -> Place {
        let bytes = size_of_val(&samples[..]) as u64;
        let reserve = |used: u64| (used + bytes <= self.limit).then_some(used + bytes);
        let order = Ordering::Relaxed;
        if self.used.fetch_update(order, order, reserve).is_err() {
            return Place::Disk;
        }
        let Some(gpu) = &self.gpu else {
            return Place::Host(samples);
        };
        self.upload(gpu, &samples, bytes).unwrap_or_else(|| {
            self.used.fetch_sub(bytes, order);
            Place::Disk
        })
    }

    /// Copies the samples to the device. Returns `None` if it has no memory left.
    fn upload(&self, gpu: &Arc<Gpu>, samples: &[f32], bytes: u64) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_none_or(|(b, at)| at + bytes > b.size()) {
            *open = Some((buffer(gpu, bytes.max(CHUNK))?, 0));
        }
        let (buffer, at) = open.as_mut()?;
        let start = (*at / 4) as usize;
        let range = start..start + samples.len();
        let samples_there = DeviceSamples::new(gpu.clone(), buffer.clone(), range);
        gpu.queue
            .write_buffer(buffer, *at, bytemuck::cast_slice(samples));
        *at += bytes;
        // An empty submission flushes the write. Without it, staging memory grows with the dataset.
        gpu.queue.submit([]);
        Some(Place::Device(samples_there))
    }
}

/// Creates a buffer of `size` bytes. Returns `None` if that is over the device's limit or its
/// memory is full.
fn buffer(gpu: &Gpu, size: u64) -> Option<wgpu::Buffer> {
    if size > gpu.limits.max_buffer_size {
        return None;
    }
    let full = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("resident pcm"),
        size,
        usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    pollster::block_on(full.pop()).is_none().then_some(buffer)
}
