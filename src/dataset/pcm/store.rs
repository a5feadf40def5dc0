//! Where decoded samples are kept: the host's memory, large buffers on the GPU, or nowhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::frontend::DeviceSamples;
use crate::gpu::{Compute, Gpu};

/// Bytes of one buffer on the GPU. Under WebGPU's base limit of 256 MiB, and few enough of them.
const CHUNK: u64 = 128 << 20;

/// Where the samples of one file are.
pub(super) enum Place {
    /// In the host's memory.
    Host(Vec<f32>),
    /// In the device's, in a buffer that other files share.
    Device(DeviceSamples),
    /// There was no room: they are decoded when they are asked for.
    Disk,
}

/// Memory for PCM, up to a limit.
pub(super) struct Store {
    gpu: Option<Arc<Gpu>>,
    limit: u64,
    used: AtomicU64,
    /// The buffer that is being filled, and how many of its bytes are.
    open: Mutex<Option<(wgpu::Buffer, u64)>>,
}

impl Store {
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

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Finds a place for `samples`. A file for which there is no room does not stop a smaller one from having some.
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

    /// `None` if the device has no memory left.
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
        // Written now, or staging memory would grow with the dataset.
        gpu.queue.submit([]);
        Some(Place::Device(samples_there))
    }
}

/// A buffer of PCM, unless it is more than the device can have.
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
