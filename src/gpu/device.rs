//! The one wgpu device that our passes and Burn's kernels share.

use std::sync::Arc;

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;
use wgpu::Features;

use super::adapter;
use super::device_traits;
use super::error::GpuError;
use super::read_back;
use super::timing::recording::PassRecorder;

/// A wgpu device that we opened and Burn runs on.
///
/// There is one device and one queue, and therefore work is done in the order of its submission.
/// Open one per process: each call registers one more runtime with Burn, which is never released.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// The adapter's name, driver and kind.
    pub info: wgpu::AdapterInfo,
    /// The limits of the device, which are all that the adapter offers.
    pub limits: wgpu::Limits,
    /// The device, for passes of our own.
    pub device: wgpu::Device,
    /// The queue, shared with Burn.
    pub queue: wgpu::Queue,
    /// The same device as Burn knows it.
    pub burn: Device,
    pub(super) recorder: Arc<PassRecorder>,
}

impl Gpu {
    /// Opens `adapter` with all its limits and features, and registers it with Burn.
    ///
    /// # Errors
    /// [`GpuError::Open`] with the driver's words.
    pub fn open(instance: wgpu::Instance, adapter: wgpu::Adapter) -> Result<Self, GpuError> {
        #[cfg(feature = "vulkan")]
        let (instance, adapter) = super::plain_vulkan::replace_software(instance, adapter)?;
        let info = adapter.get_info();
        let failed = |reason: String| GpuError::Open {
            adapter: info.name.clone(),
            reason,
        };
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(
            adapter.request_device(&wgpu::DeviceDescriptor {
                label: Some("sonoprint"),
                // Burn asks the adapter, not the device, what it may use, and therefore the device
                // gets what the adapter has. Two groups are left out: mappable primary buffers,
                // with which discrete cards would place everything in host memory, and what wgpu
                // calls experimental.
                required_features: adapter
                    .features()
                    .difference(Features::MAPPABLE_PRIMARY_BUFFERS)
                    .difference(Features::all_experimental_mask()),
                required_limits: limits.clone(),
                // Burn already pools its memory.
                memory_hints: wgpu::MemoryHints::MemoryUsage,
                ..Default::default()
            }),
        )
        .map_err(|e| failed(e.to_string()))?;
        let burn = Device::wgpu_options()
            .setup(WgpuSetup {
                instance,
                adapter,
                device: device.clone(),
                queue: queue.clone(),
                backend: info.backend,
            })
            .init()
            .map_err(|e| failed(e.to_string()))?;
        device_traits::register(&burn, &info)?;
        Ok(Self {
            info,
            limits,
            device,
            queue,
            burn,
            recorder: Arc::default(),
        })
    }

    /// Describes the device in a few words, for people and records.
    pub fn describe(&self) -> String {
        adapter::describe(&self.info)
    }

    /// Waits until the device has done everything that was submitted before.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn wait(&self) -> Result<(), GpuError> {
        read_back::wait(&self.device)
    }

    /// Returns the bytes that the device's buffers take, if the driver's backend reports them.
    pub fn memory(&self) -> Option<u64> {
        let report = self.device.generate_allocator_report()?;
        Some(report.total_allocated_bytes)
    }

    /// Copies the first `size` bytes of `buffer` to the host, and waits for them.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn read(&self, buffer: &wgpu::Buffer, size: u64) -> Result<Vec<u8>, GpuError> {
        read_back::read(&self.device, &self.queue, buffer, size)
    }
}
