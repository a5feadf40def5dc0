//! The only file that knows how a Burn tensor lies in a wgpu buffer.
//!
//! A [`Target`] is memory that Burn's runtime allocated and that one of our passes will fill;
//! afterwards it *is* a Burn tensor, with fusion on. Why this holds:
//! - the runtime was given our own device and queue ([`Gpu::open`]), so its buffers may stand in
//!   our bind groups and its kernels, submitted later to the same queue, see what we wrote;
//! - [`Target::new`] flushes what Burn had recorded, so nothing older that used the same memory is
//!   still to come;
//! - the tensor is handed to the fusion stream by an `Init` operation only after our pass was
//!   submitted, so no kernel that reads it can be recorded before.
//!
//! Two tensors may share one `wgpu::Buffer`, so passes must bind a target as `read_write`, never
//! `read`.

use std::ops::Range;

use burn::backend::Wgpu;
use burn::backend::fusion::stream::StreamId;
use burn::tensor::{DType, FloatDType, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use burn_fusion::NoOp;
use burn_ir::{BackendIr, InitOperationIr, OperationIr, OperationOutput};
use cubecl::wgpu::{AutoCompiler, WgpuServer};

use super::device::Gpu;
use super::device_traits::{FusionClient, runtime_clients};
use super::error::GpuError;

/// Memory of Burn's that is about to become a contiguous tensor `[n, channels, height, width]`.
pub struct Target {
    fusion: FusionClient,
    tensor: CubeTensor,
    shape: [usize; 4],
    place: Place,
}

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The buffer, in which other tensors may lie too.
    pub buffer: wgpu::Buffer,
    /// The offset of the first byte.
    pub offset: u64,
}

impl Target {
    /// Allocates an uninitialized tensor in Burn's memory.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the runtime has no memory left or its device was lost.
    pub fn new(gpu: &Gpu, shape: [usize; 4], dtype: FloatDType) -> Result<Self, GpuError> {
        let dtype = DType::from(dtype);
        let (fusion, cube) = runtime_clients(&gpu.burn)?;
        let client = cube.client.clone();
        let handle = client.empty(shape.iter().product::<usize>() * dtype.size());
        let tensor = CubeTensor::new_contiguous(
            client.clone(),
            cube.device.clone(),
            Shape::from(shape),
            handle.clone(),
            dtype,
        );
        let place = place(&tensor)?;
        client.flush().map_err(GpuError::failed)?;
        Ok(Self {
            fusion,
            tensor,
            shape,
            place,
        })
    }

    /// Returns a storage binding (`read_write`) with the bytes `range` of the tensor, and the number
    /// of bytes in it before them: a binding begins at a multiple of `alignment`, a power of two.
    pub fn binding(&self, range: Range<u64>, alignment: u64) -> (wgpu::BindingResource<'_>, u64) {
        let start = self.place.offset + range.start;
        let before = start % alignment;
        // Bindings also end at multiples of 4. Burn's memory does, too.
        let size = (before + range.end - range.start).next_multiple_of(4);
        let binding = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.place.buffer,
            offset: start - before,
            size: wgpu::BufferSize::new(size),
        });
        (binding, before)
    }

    /// Returns where the tensor lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the tensor. Call it after the pass that fills the memory was submitted to the shared
    /// queue.
    pub fn into_tensor(self) -> Tensor<4> {
        let dtype = self.tensor.dtype;
        let handle = CubeBackend::float_tensor_handle(self.tensor);
        let init = InitOperationIr::create(Shape::from(self.shape), dtype, || {
            self.fusion.register_tensor_handle(handle)
        });
        let tensor = self
            .fusion
            .register(
                StreamId::current(),
                OperationIr::Init(init),
                NoOp::<CubeBackend>::new(),
            )
            .output();
        Tensor::from_primitive::<Wgpu>(tensor)
    }
}

fn place(tensor: &CubeTensor) -> Result<Place, GpuError> {
    let managed = tensor
        .client
        .get_resource::<WgpuServer<AutoCompiler>>(tensor.handle.clone())
        .map_err(GpuError::failed)?;
    let resource = managed.resource();
    Ok(Place {
        buffer: resource.buffer.clone(),
        offset: resource.offset,
    })
}

/// Returns where a tensor of the shared device lies now, after recording all pending work on it.
///
/// # Errors
/// [`GpuError::Failed`] if the tensor is not on a wgpu device.
pub fn place_of(tensor: Tensor<4>) -> Result<Place, GpuError> {
    let primitive = tensor
        .try_into_primitive::<Wgpu>()
        .map_err(|e| GpuError::Failed(format!("{e:?}")))?;
    let client = primitive.client.clone();
    place(&client.resolve_tensor_float::<CubeBackend>(primitive))
}
