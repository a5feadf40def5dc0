//! Runs our own WGSL as one of Burn's kernels, on tensors of Burn's.
//!
//! [`launch`] hands finished text to the runtime that Burn's own kernels go through, so it runs in its turn among them: nothing
//! is flushed and nothing waits. An operation that calls it is registered with fusion by
//! `#[backend_extension(Cube, Fusion)]`, which runs it when the stream gets there.
//!
//! Only where Burn compiles to WGSL: another compiler refuses the text ([`DeviceTraits::wgsl`](super::DeviceTraits)).

use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::UIntKind;
use cubecl::ir::metadata::Info;
use cubecl::prelude::*;
use cubecl::server::{KernelArguments, MetadataBindingInfo};
use cubecl::{CubeKernel, PrecompiledSource};

/// WGSL whose entry point is `main`. Bindings of group 0 are tensors, all `var<storage, read_write>` (two tensors may share
/// one buffer), and then one uniform of words.
pub trait KernelSource:
    Clone + std::fmt::Debug + Eq + std::hash::Hash + Send + Sync + 'static
{
    /// The text. Equal values give equal texts: it is made and compiled once.
    fn wgsl(&self) -> String;
    /// Its `@workgroup_size`.
    fn workgroup(&self) -> [u32; 3];
}

/// What goes before WGSL whose tensors are of `real`: f16, which the adapter must have, or f32.
pub fn real(half: bool) -> &'static str {
    match half {
        true => "enable f16;\nalias real = f16;\n",
        false => "alias real = f32;\n",
    }
}

/// Runs `text` on `groups` workgroups over contiguous tensors; `words` is the uniform, four at a time.
///
/// # Panics
/// If there is no tensor.
pub fn launch<T: KernelSource>(text: T, groups: [u32; 3], tensors: &[&CubeTensor], words: &[u32]) {
    let client = &tensors[0].client;
    let buffers = tensors.iter().map(|t| t.handle.clone().binding()).collect();
    let pairs = words.chunks(2);
    let pairs = pairs.map(|w| u64::from(w[0]) | u64::from(w.get(1).copied().unwrap_or(0)) << 32);
    let arguments = KernelArguments::new()
        .with_buffers(buffers)
        .with_info(MetadataBindingInfo::custom(pairs.collect()));
    let [x, y, z] = groups;
    client.launch(
        Box::new(Kernel(text)),
        CubeCount::Static(x, y, z),
        arguments,
    );
}

/// Workgroups a dimension: WebGPU's default limit.
const MOST_GROUPS: usize = 65_535;

/// Workgroups across and down, at least as many as asked for and no more than a dimension may have.
pub fn fold(groups: usize) -> [u32; 2] {
    let across = groups.clamp(1, MOST_GROUPS);
    [across as u32, groups.div_ceil(across).max(1) as u32]
}

/// A contiguous tensor of `like`'s type beside it, its values not yet set.
pub fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_of(like, shape, like.dtype)
}

/// A contiguous tensor beside `like`, its values not yet set.
pub fn empty_of(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    let shape: Shape = shape.into();
    let handle = like.client.empty(shape.num_elements() * dtype.size());
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, shape, handle, dtype)
}

/// Whether a tensor is of f16; the kernels here are made for that and for f32.
///
/// # Panics
/// If it is of another type.
pub fn is_half(tensor: &CubeTensor) -> bool {
    match tensor.dtype {
        DType::F16 => true,
        DType::F32 => false,
        other => panic!("a tensor of f16 or f32, not {other:?}"),
    }
}

struct Kernel<T>(T);

impl<T: KernelSource> KernelMetadata for Kernel<T> {
    fn id(&self) -> KernelId {
        let [x, y, z] = self.0.workgroup();
        KernelId::new::<Self>()
            .info(self.0.clone())
            .cube_dim(CubeDim::new_3d(x, y, z).0)
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl<T: KernelSource> CubeKernel for Kernel<T> {
    /// Never compiled: the text stands for it.
    fn define(&self) -> KernelDefinition {
        let [x, y, z] = self.0.workgroup();
        let dim = CubeDim::new_3d(x, y, z);
        let settings = KernelSettings::new(dim.0, ExecutionMode::Unchecked, AddressType::U32);
        KernelDefinition {
            body: Scope::root(settings.clone()),
            settings,
            info: Info::default(),
        }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource {
            source: self.0.wgsl(),
            entrypoint_name: "main".into(),
            lang: "wgsl",
        })
    }
}
