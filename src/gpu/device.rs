//! The one device that our passes and Burn's kernels share.

use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use burn::tensor::wgpu::WgpuSetup;
use wgpu::{BufferUsages, Features};

use super::adapter::{self, GpuError};
use super::tensor;
use super::timing::Passes;

/// What a plan of kernels depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceTraits {
    /// A software rasterizer: its threads are a processor's.
    pub software: bool,
    /// Burn compiles to WGSL here, and so runs ours.
    pub wgsl: bool,
}

impl DeviceTraits {
    /// What is to be expected of an adapter. Once it is open, [`device_traits`] knows: Burn compiles to SPIR-V if it was built
    /// with that and the driver has what it takes, but never for a software adapter.
    pub fn of(info: &wgpu::AdapterInfo) -> Self {
        let software = !adapter::is_hardware(info);
        let spirv = cfg!(feature = "vulkan") && info.backend == wgpu::Backend::Vulkan;
        Self {
            software,
            wgsl: software || !spirv,
        }
    }
}

/// Of each device that was opened.
static OPENED_DEVICES: Mutex<Vec<(Device, DeviceTraits)>> = Mutex::new(Vec::new());

/// Of a device that [`Gpu::open`] made, with or without autodiff.
pub fn device_traits(device: &Device) -> Option<DeviceTraits> {
    let device = device.clone().inner();
    let known = OPENED_DEVICES.lock().unwrap_or_else(|e| e.into_inner());
    known.iter().find(|(d, _)| *d == device).map(|(_, f)| *f)
}

/// A wgpu device that we made and Burn runs on: one device, one queue, so work is done in the order it was submitted.
///
/// Make one a process: every call registers one more runtime with Burn, which is never taken back.
#[derive(Clone, Debug)]
pub struct Gpu {
    /// Name, driver, kind.
    pub info: wgpu::AdapterInfo,
    /// What the device was opened with: everything the adapter has.
    pub limits: wgpu::Limits,
    /// For own passes.
    pub device: wgpu::Device,
    /// Shared with Burn.
    pub queue: wgpu::Queue,
    /// The same device as Burn knows it.
    pub burn: Device,
    pub(super) passes: Arc<Passes>,
}

impl Gpu {
    /// Opens `adapter` with all its limits and features and registers it with Burn.
    ///
    /// # Errors
    /// [`GpuError::Device`] with the driver's words.
    pub fn open(instance: wgpu::Instance, adapter: wgpu::Adapter) -> Result<Self, GpuError> {
        #[cfg(feature = "vulkan")]
        let (instance, adapter) = super::plain_vulkan::instead(instance, adapter)?;
        let info = adapter.get_info();
        let failed = |why: String| GpuError::Device {
            adapter: info.name.clone(),
            why,
        };
        let limits = adapter.limits();
        let (device, queue) = pollster::block_on(
            adapter.request_device(&wgpu::DeviceDescriptor {
                label: Some("sonoprint"),
                // Burn asks the adapter, not the device, what it may use, so the device gets what the adapter has; but
                // not mappable primary buffers (discrete cards would then place everything in host memory), nor what
                // wgpu calls experimental.
                required_features: adapter
                    .features()
                    .difference(Features::MAPPABLE_PRIMARY_BUFFERS)
                    .difference(Features::all_experimental_mask()),
                required_limits: limits.clone(),
                // Burn pools its memory already.
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
        let facts = DeviceTraits {
            wgsl: tensor::compiles_to_wgsl(&burn)?,
            ..DeviceTraits::of(&info)
        };
        OPENED_DEVICES
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .push((burn.clone(), facts));
        Ok(Self {
            info,
            limits,
            device,
            queue,
            burn,
            passes: Arc::default(),
        })
    }

    /// Opens the adapter that `index` names in [`adapter::list`].
    ///
    /// # Errors
    /// As [`Gpu::open`]; also if there is no such adapter any more.
    pub fn open_index(index: usize) -> Result<Self, GpuError> {
        let instance = adapter::instance();
        let mut all = adapter::list(&instance);
        if index >= all.len() {
            return Err(GpuError::NoAdapter {
                wanted: format!("number {index}"),
                are: format!("are {}", all.len()),
                hint: "",
            });
        }
        let adapter = all.swap_remove(index);
        Self::open(instance, adapter)
    }

    /// Name, driver and backend in a few words, for people and records.
    pub fn describe(&self) -> String {
        describe(&self.info)
    }

    /// Waits until everything submitted so far is done.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn wait(&self) -> Result<(), GpuError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map(|_| ())
            .map_err(|e| GpuError::Failed(e.to_string()))
    }

    /// Copies the first `size` bytes of `buffer` to the host, and waits for it.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn read(&self, buffer: &wgpu::Buffer, size: u64) -> Result<Vec<u8>, GpuError> {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size,
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
        self.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |_| {});
        self.wait()?;
        let view = staging
            .get_mapped_range(..)
            .map_err(|e| GpuError::Failed(e.to_string()))?;
        Ok(view.to_vec())
    }
}

/// Name, driver and backend of an adapter; says so when it is a software rasterizer.
pub fn describe(info: &wgpu::AdapterInfo) -> String {
    let soft = if adapter::is_hardware(info) {
        ""
    } else {
        ", software rasterizer"
    };
    let driver = info.driver_info.trim();
    let driver = if driver.is_empty() {
        String::new()
    } else {
        format!(", {driver}")
    };
    format!("{} ({}{driver}{soft})", info.name, info.backend)
}
