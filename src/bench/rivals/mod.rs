//! Other ways to the same decibels, on the same device and the same clips.

mod burns;
mod host;
mod shaders;

use std::time::Duration;

use super::catalogue::Shape;
use super::measure::BenchError;
use crate::frontend::settings::{Decibels, Framing, Range, Rows};
use crate::gpu::{Compute, Gpu};

/// One of them, ready to run.
pub(super) trait Rival {
    /// For tables.
    fn name(&self) -> &'static str;
    /// Decibels of all clips: how long it took.
    fn decibels(&mut self) -> Result<Duration, BenchError>;
    /// `[frame][row]` of the first clip, as the last run left them.
    fn first(&mut self) -> Result<Vec<f32>, BenchError>;
    /// Pictures of all clips, if it makes them: how long it took.
    fn pictures(&mut self) -> Option<Result<Duration, BenchError>> {
        None
    }
    /// `[channel][y][x]` of the first clip, made now, if it makes pictures.
    fn first_picture(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        None
    }
}

/// Whether the rivals speak of this shape: they know linear rows from the clip's first sample on.
pub(super) fn comparable(shape: &Shape) -> bool {
    let s = &shape.front_end;
    s.rows == Rows::Linear
        && s.framing == Framing::Start
        && s.decibels == Decibels::Masked
        && s.range == Range::MinMax
}

/// All that can run this shape here.
pub(super) fn all(
    compute: &Compute,
    shape: &Shape,
    clips: &[Vec<f32>],
) -> Result<Vec<Box<dyn Rival>>, BenchError> {
    let mut all: Vec<Box<dyn Rival>> = vec![Box::new(burns::Burns::new(compute, shape, clips))];
    if let Compute::Gpu(gpu) = compute {
        all.push(Box::new(host::Host::new(shape, clips)?));
        all.extend(shaders::Naive::new(gpu, shape, clips).map(|r| Box::new(r) as Box<dyn Rival>));
        all.extend(shaders::Passes::new(gpu, shape, clips).map(|r| Box::new(r) as Box<dyn Rival>));
    }
    Ok(all)
}

/// A pipeline whose layout is what the shader says.
pub(super) fn pipeline(
    gpu: &Gpu,
    text: &'static str,
    entry: &str,
    constants: &[(&str, f64)],
) -> wgpu::ComputePipeline {
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(entry),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
    gpu.device
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
}

/// A bind group of whole buffers, numbered from 0.
pub(super) fn group(
    gpu: &Gpu,
    pipeline: &wgpu::ComputePipeline,
    buffers: &[&wgpu::Buffer],
) -> wgpu::BindGroup {
    let numbered: Vec<_> = (0..).zip(buffers.iter().copied()).collect();
    numbered_group(gpu, pipeline, &numbered)
}

fn numbered_group(
    gpu: &Gpu,
    pipeline: &wgpu::ComputePipeline,
    buffers: &[(u32, &wgpu::Buffer)],
) -> wgpu::BindGroup {
    let entries: Vec<_> = buffers
        .iter()
        .map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    })
}
