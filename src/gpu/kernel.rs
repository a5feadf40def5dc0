//! Runs WGSL of our own as one of Burn's kernels, on Burn's tensors.
//!
//! [`launch`] hands finished WGSL to the runtime that Burn's own kernels go through. Therefore it
//! runs in its turn among them: nothing is flushed and nothing waits. An operation that calls it is
//! registered with fusion by `#[backend_extension(Cube, Fusion)]`, which runs it when the stream
//! gets there.
//!
//! This works only where Burn compiles to WGSL, because another compiler refuses the source. See
//! [`DeviceTraits::wgsl`](super::DeviceTraits).

use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::UIntKind;
use cubecl::ir::metadata::Info;
use cubecl::prelude::*;
use cubecl::server::{KernelArguments, MetadataBindingInfo};
use cubecl::{CubeKernel, PrecompiledSource};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// WGSL whose entry point is `main`.
///
/// The bindings of group 0 are the tensors, all of them `var<storage, read_write>` because two
/// tensors may share one buffer, and after them one uniform of `u32`.
pub trait KernelSource:
    Clone + std::fmt::Debug + Eq + std::hash::Hash + Send + Sync + 'static
{
    /// Returns the source. Equal values must return equal sources, because a source is made and
    /// compiled once.
    fn wgsl(&self) -> String;

    /// Returns the source's `@workgroup_size`.
    fn workgroup_size(&self) -> [u32; 3];
}

/// Returns the head of WGSL whose tensors have elements of type `real`: f16, which the adapter must
/// support, or f32.
pub fn real_alias(half: bool) -> &'static str {
    match half {
        true => "enable f16;\nalias real = f16;\n",
        false => "alias real = f32;\n",
    }
}

/// Renders the Jinja template `name` of `templates`, names and texts that may include each other,
/// with the fields of `values`, behind the head that [`real_alias`] makes.
///
/// # Panics
/// If a template is malformed, or uses what `values` does not have.
pub fn render(
    templates: &[(&str, &str)],
    name: &str,
    half: bool,
    values: &impl Serialize,
) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in templates {
        environment.add_template(name, text).expect("a template");
    }
    let template = environment.get_template(name).expect("one of them");
    let body = template.render(Serde(values)).expect("nothing undefined");
    real_alias(half).to_owned() + &body
}

/// Runs `source` on `groups` workgroups over contiguous tensors.
///
/// `uniforms` are the contents of the uniform, whose length is a multiple of four.
///
/// # Panics
/// If `tensors` is empty.
pub fn launch<T: KernelSource>(
    source: T,
    groups: [u32; 3],
    tensors: &[&CubeTensor],
    uniforms: &[u32],
) {
    let client = &tensors[0].client;
    let buffers = tensors.iter().map(|t| t.handle.clone().binding()).collect();
    let pair = |w: &[u32]| u64::from(w[0]) | u64::from(w.get(1).copied().unwrap_or(0)) << 32;
    let arguments =
        KernelArguments::new()
            .with_buffers(buffers)
            .with_info(MetadataBindingInfo::custom(
                uniforms.chunks(2).map(pair).collect(),
            ));
    let [x, y, z] = groups;
    client.launch(
        Box::new(Kernel(source)),
        CubeCount::Static(x, y, z),
        arguments,
    );
}

/// The most workgroups per dimension, which is WebGPU's default limit.
const MAX_GROUPS: usize = 65_535;

/// Folds `groups` workgroups into two dimensions, neither of which exceeds the limit.
///
/// The product may exceed `groups`, and is at least one.
pub fn fold(groups: usize) -> [u32; 2] {
    let across = groups.clamp(1, MAX_GROUPS);
    [across as u32, groups.div_ceil(across).max(1) as u32]
}

/// Allocates an uninitialized, contiguous tensor on the device of `like`, with its element type.
pub fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_of(like, shape, like.dtype)
}

/// Allocates an uninitialized, contiguous tensor on the device of `like`.
pub fn empty_of(like: &CubeTensor, shape: impl Into<Shape>, dtype: DType) -> CubeTensor {
    let shape: Shape = shape.into();
    let handle = like.client.empty(shape.num_elements() * dtype.size());
    let (client, device) = (like.client.clone(), like.device.clone());
    CubeTensor::new_contiguous(client, device, shape, handle, dtype)
}

/// Returns whether the elements of a tensor are f16. Kernels are made for f16 and f32 only.
///
/// # Panics
/// If the elements are of another type.
pub fn is_half(tensor: &CubeTensor) -> bool {
    match tensor.dtype {
        DType::F16 => true,
        DType::F32 => false,
        other => panic!("a tensor of f16 or f32, not {other:?}"),
    }
}

/// A [`KernelSource`] as the runtime takes kernels.
struct Kernel<T>(T);

impl<T: KernelSource> KernelMetadata for Kernel<T> {
    fn id(&self) -> KernelId {
        let [x, y, z] = self.0.workgroup_size();
        KernelId::new::<Self>()
            .info(self.0.clone())
            .cube_dim(CubeDim::new_3d(x, y, z).0)
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl<T: KernelSource> CubeKernel for Kernel<T> {
    /// Returns an empty definition. It is never compiled, because [`Self::source`] replaces it.
    fn define(&self) -> KernelDefinition {
        let [x, y, z] = self.0.workgroup_size();
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
