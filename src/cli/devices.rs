//! `sonoprint devices`.

use std::fmt;

use serde::Serialize;
use wgpu::{DeviceType, Features};

use super::Done;
use super::words::print_line;
use crate::gpu::adapter::{self, Choice};
use crate::gpu::{DeviceChoice, DeviceTraits};
use crate::model::ops::conv::ConvPlan;

/// List the devices that can compute, and the one that `auto` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object, whose layout `version` names.
    #[arg(long)]
    json: bool,
}

/// Version of the JSON: it changes if a field loses its meaning, not if one is added.
const VERSION: u32 = 1;

/// All devices.
#[derive(Serialize)]
struct Devices {
    version: u32,
    auto: Auto,
    devices: Vec<Device>,
}

/// The device that `auto` takes.
#[derive(Serialize)]
struct Auto {
    /// What `--device` calls it.
    device: String,
    name: String,
    why: &'static str,
}

#[derive(Serialize)]
struct Device {
    /// What `--device` calls it: the number of an adapter, or `cpu`.
    device: String,
    kind: Kind,
    name: String,
    /// Whether `--half` works.
    f16: bool,
    /// Whose convolutions the networks use.
    convolutions: Convolutions,
    /// Threads of the `cpu` device.
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
    #[serde(flatten)]
    adapter: Option<AdapterFacts>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// A hardware GPU.
    Gpu,
    /// A software rasterizer.
    Software,
    Cpu,
}

#[derive(Serialize)]
struct Convolutions {
    ours: bool,
    /// The kernel, or why they are Burn's.
    about: String,
}

/// What only adapters have.
#[derive(Serialize)]
struct AdapterFacts {
    index: usize,
    /// discrete, integrated, virtual, other or software.
    #[serde(rename = "type")]
    device_type: &'static str,
    backend: String,
    driver: String,
    driver_info: String,
    /// PCI vendor, as a number.
    vendor_id: u32,
    /// PCI device, as a number.
    device_id: u32,
    /// Such as 0000:01:00.0, if the driver says it.
    pci_bus_id: Option<String>,
    /// Whether the device can time its passes.
    timestamps: bool,
    /// Threads of a subgroup, if shaders can use subgroups.
    subgroup_size: Option<Range>,
    limits: Limits,
}

#[derive(Serialize)]
struct Range {
    min: u32,
    max: u32,
}

/// The limits that decide on batches and kernels.
#[derive(Serialize)]
struct Limits {
    /// Bytes.
    max_buffer_size: u64,
    /// Bytes.
    max_storage_buffer_binding_size: u64,
    /// Bytes of workgroup memory.
    max_compute_workgroup_storage_size: u32,
    max_compute_invocations_per_workgroup: u32,
    max_compute_workgroups_per_dimension: u32,
}

impl Devices {
    fn list() -> anyhow::Result<Self> {
        let adapters = adapter::list(&adapter::instance());
        let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        let all = adapters.iter().zip(&infos).enumerate();
        let mut devices: Vec<_> = all
            .map(|(index, (adapter, info))| Device::of_adapter(index, adapter, info))
            .collect();
        devices.push(Device::cpu());
        let (at, why) = match adapter::choose(&infos, &DeviceChoice::Auto)? {
            Choice::Adapter(index) => (
                index,
                "the first hardware GPU (discrete before integrated before virtual)",
            ),
            Choice::Cpu(why) => (devices.len() - 1, why),
        };
        Ok(Self {
            version: VERSION,
            auto: Auto {
                device: devices[at].device.clone(),
                name: devices[at].name.clone(),
                why,
            },
            devices,
        })
    }
}

impl Device {
    fn of_adapter(index: usize, adapter: &wgpu::Adapter, info: &wgpu::AdapterInfo) -> Self {
        let features = adapter.features();
        let plan = ConvPlan::for_device(DeviceTraits::of(info));
        Self {
            device: index.to_string(),
            kind: match adapter::is_hardware(info) {
                true => Kind::Gpu,
                false => Kind::Software,
            },
            name: info.name.clone(),
            f16: features.contains(Features::SHADER_F16),
            convolutions: Convolutions {
                ours: plan.is_ours(),
                about: plan.to_string(),
            },
            threads: None,
            adapter: Some(AdapterFacts::new(index, info, features, &adapter.limits())),
        }
    }

    fn cpu() -> Self {
        Self {
            device: "cpu".into(),
            kind: Kind::Cpu,
            name: "Burn's flex backend".into(),
            f16: false,
            convolutions: Convolutions {
                ours: true,
                about: "ours, im2col and matrix products".into(),
            },
            threads: Some(rayon::current_num_threads()),
            adapter: None,
        }
    }
}

impl AdapterFacts {
    fn new(
        index: usize,
        info: &wgpu::AdapterInfo,
        features: Features,
        limits: &wgpu::Limits,
    ) -> Self {
        let bus = info.device_pci_bus_id.trim();
        Self {
            index,
            device_type: match info.device_type {
                DeviceType::DiscreteGpu => "discrete",
                DeviceType::IntegratedGpu => "integrated",
                DeviceType::VirtualGpu => "virtual",
                DeviceType::Other => "other",
                DeviceType::Cpu => "software",
            },
            backend: info.backend.to_string(),
            driver: info.driver.clone(),
            driver_info: info.driver_info.clone(),
            vendor_id: info.vendor,
            device_id: info.device,
            pci_bus_id: (!bus.is_empty()).then(|| bus.to_owned()),
            timestamps: features.contains(Features::TIMESTAMP_QUERY),
            subgroup_size: features.contains(Features::SUBGROUP).then_some(Range {
                min: info.subgroup_min_size,
                max: info.subgroup_max_size,
            }),
            limits: Limits {
                max_buffer_size: limits.max_buffer_size,
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                max_compute_workgroup_storage_size: limits.max_compute_workgroup_storage_size,
                max_compute_invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
                max_compute_workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            },
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let all = Devices::list()?;
    match args.json {
        true => print_line(serde_json::to_string_pretty(&all)?)?,
        false => print_line(all)?,
    }
    Ok(Done::All)
}

/// The lines for people.
impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for device in &self.devices {
            let mark = match device.device == self.auto.device {
                true => '*',
                false => ' ',
            };
            writeln!(f, "{mark} {:>3}  {device}", device.device)?;
        }
        let name = match self.auto.device.as_str() {
            "cpu" => "cpu",
            _ => &self.auto.name,
        };
        write!(f, "auto takes {name}: {}", self.auto.why)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(adapter) = &self.adapter else {
            let threads = self.threads.unwrap_or(1);
            return write!(f, "cpu       {}, {threads} threads", self.name);
        };
        let kind = match self.kind {
            Kind::Software => "software",
            _ => "gpu",
        };
        let half = match self.f16 {
            true => "computes in f16 too",
            false => "no f16",
        };
        let AdapterFacts {
            backend,
            driver,
            driver_info,
            ..
        } = adapter;
        write!(
            f,
            "{kind:<8}  {}  [{backend}, {driver} {driver_info}]\n{:17}",
            self.name, ""
        )?;
        write!(f, "convolutions: {}; {half}", self.convolutions.about)
    }
}
