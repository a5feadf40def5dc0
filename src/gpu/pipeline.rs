//! Shader modules, compute pipelines, buffers and bind groups: the only place that spells them out.
//!
//! The front end's passes and the benchmark's baselines use it. Burn's own kernels, and ours among
//! them, go through [`kernel`](super::kernel) instead.

use std::borrow::Cow;

use wgpu::util::DeviceExt;
use wgpu::{BindingResource, BufferUsages, ComputePipeline};

use super::Gpu;

impl Gpu {
    /// Compiles WGSL.
    pub fn module(&self, label: &str, wgsl: impl Into<Cow<'static, str>>) -> wgpu::ShaderModule {
        self.device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(wgsl.into()),
            })
    }

    /// Makes the pipeline of `entry_point` with the layout that the shader declares.
    ///
    /// `overrides` are the values of the shader's `override` constants. Workgroup memory is not
    /// cleared, because every shader here writes a word before it reads it.
    pub fn pipeline(
        &self,
        module: &wgpu::ShaderModule,
        entry_point: &str,
        overrides: &[(&str, f64)],
    ) -> ComputePipeline {
        self.device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry_point),
                layout: None,
                module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: overrides,
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
    }

    /// Makes a bind group for group 0 of `pipeline`.
    pub fn bind_group<'a>(
        &self,
        pipeline: &ComputePipeline,
        bindings: impl IntoIterator<Item = (u32, BindingResource<'a>)>,
    ) -> wgpu::BindGroup {
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = bindings.into_iter().map(entry).collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }

    /// Makes a bind group of whole buffers, numbered from 0.
    pub fn bind_buffers(
        &self,
        pipeline: &ComputePipeline,
        buffers: &[&wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let whole = buffers.iter().map(|b| b.as_entire_binding());
        self.bind_group(pipeline, (0..).zip(whole))
    }

    /// Makes a storage buffer of `size` bytes that copies can reach in both directions.
    pub fn storage(&self, label: &str, size: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    }

    /// Makes a storage buffer of `contents`. If there are none it has 16 zero bytes, because a
    /// binding must not be empty.
    pub fn storage_of(&self, label: &str, contents: &[u8]) -> wgpu::Buffer {
        let contents = if contents.is_empty() {
            &[0; 16]
        } else {
            contents
        };
        self.buffer_of(label, contents, BufferUsages::STORAGE)
    }

    /// Makes a uniform buffer of `contents`.
    pub fn uniform_of(&self, label: &str, contents: &[u8]) -> wgpu::Buffer {
        self.buffer_of(label, contents, BufferUsages::UNIFORM)
    }

    fn buffer_of(&self, label: &str, contents: &[u8], usage: BufferUsages) -> wgpu::Buffer {
        self.device
            .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some(label),
                contents,
                usage,
            })
    }
}
