//! Waits for a device, and copies a buffer to the host.

use wgpu::BufferUsages;

use super::error::GpuError;

/// Waits until the device has done everything that was submitted before.
///
/// # Errors
/// [`GpuError::Failed`] if the device was lost.
pub(super) fn wait(device: &wgpu::Device) -> Result<(), GpuError> {
    device
        .poll(wgpu::PollType::wait_indefinitely())
        .map(|_| ())
        .map_err(GpuError::failed)
}

/// Copies the first `size` bytes of `buffer` to the host, and waits for them.
///
/// # Errors
/// [`GpuError::Failed`] if the device was lost.
pub(super) fn read(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    buffer: &wgpu::Buffer,
    size: u64,
) -> Result<Vec<u8>, GpuError> {
    let staging = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("read-back"),
        size,
        usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
    queue.submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |_| {});
    wait(device)?;
    let view = staging.get_mapped_range(..).map_err(GpuError::failed)?;
    Ok(view.to_vec())
}
