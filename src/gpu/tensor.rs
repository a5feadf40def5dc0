//! The only file that knows how a Burn tensor lies in a wgpu buffer.
//!
//! A [`Target`] is memory that Burn's runtime allocated and that one of our passes will fill; afterwards it *is* a Burn
//! tensor, with fusion on. Why this holds:
//! - the runtime was given our own device and queue ([`Gpu::open`]), so its buffers may stand in our bind groups and
//!   its kernels, submitted later to the same queue, see what we wrote;
//! - [`Target::new`] flushes what Burn had recorded, so nothing older that used the same memory is still to come;
//! - the tensor is handed to the fusion stream by an `Init` operation only after our pass was submitted, so no kernel
//!   that reads it can be recorded before.
//!
//! Two tensors may share one `wgpu::Buffer`, so passes must bind a target as `read_write`, never `read`.

use burn::backend::Wgpu;
use burn::backend::fusion::stream::StreamId;
use burn::tensor::{DType, Device, FloatDType, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use burn_fusion::{FusionBackend, NoOp};
use burn_ir::{BackendIr, InitOperationIr, OperationIr, OperationOutput};
use cubecl::wgpu::{AutoCompiler, WgpuServer};

use super::{Gpu, GpuError};

type Fusion = burn_fusion::Client<<CubeBackend as FusionBackend>::FusionRuntime>;

/// A small tensor: it leads to the runtime's clients for this device.
fn probe(device: &Device) -> Result<(Fusion, CubeTensor), GpuError> {
    let tensor = Tensor::<1>::empty([1], device)
        .try_into_primitive::<Wgpu>()
        .map_err(|e| GpuError::Failed(format!("{e:?}")))?;
    let fusion = tensor.client.clone();
    let cube = fusion.resolve_tensor_float::<CubeBackend>(tensor);
    Ok((fusion, cube))
}

/// Whether Burn's kernels are WGSL on a wgpu device; else they are SPIR-V or Metal's language.
///
/// # Errors
/// [`GpuError::Failed`] if the device is another, or was lost.
pub(super) fn compiles_to_wgsl(device: &Device) -> Result<bool, GpuError> {
    Ok(probe(device)?.1.client.name() == "wgpu<wgsl>")
}

/// Memory of Burn's that is about to become a tensor of shape `[n, channels, height, width]`, contiguous.
pub struct Target {
    fusion: Fusion,
    tensor: CubeTensor,
    shape: [usize; 4],
    place: Place,
}

/// Where a tensor lies: which buffer, from which byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The buffer; other tensors may lie in it too.
    pub buffer: wgpu::Buffer,
    /// First byte.
    pub offset: u64,
}

impl Target {
    /// Allocates an uninitialized tensor in Burn's memory.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the runtime has no memory left or its device was lost.
    pub fn new(gpu: &Gpu, shape: [usize; 4], dtype: FloatDType) -> Result<Self, GpuError> {
        let dtype = DType::from(dtype);
        let (fusion, cube) = probe(&gpu.burn)?;
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
        client
            .flush()
            .map_err(|e| GpuError::Failed(e.to_string()))?;
        Ok(Self {
            fusion,
            tensor,
            shape,
            place,
        })
    }

    /// `size` bytes from byte `offset` of the tensor on, as a storage binding (`read_write`).
    pub fn binding(&self, offset: u64, size: u64) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.place.buffer,
            offset: self.place.offset + offset,
            size: wgpu::BufferSize::new(size),
        })
    }

    /// Where the tensor lies.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The tensor. Call it after the pass that fills it was submitted to the shared queue.
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
        .map_err(|e| GpuError::Failed(e.to_string()))?;
    let resource = managed.resource();
    Ok(Place {
        buffer: resource.buffer.clone(),
        offset: resource.offset,
    })
}

/// Where a tensor of the shared device lies now, all pending work on it recorded.
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
