//! `sonoprint devices`.

use std::io::{self, Write};

use super::Done;
use crate::gpu::adapter::{self, Choice};
use crate::gpu::{DeviceChoice, DeviceTraits};
use crate::model::ops::conv::ConvPlan;

pub fn run() -> anyhow::Result<Done> {
    let infos: Vec<_> = adapter::list(&adapter::instance())
        .iter()
        .map(wgpu::Adapter::get_info)
        .collect();
    let auto = adapter::choose(&infos, &DeviceChoice::Auto)?;
    let mut out = io::stdout().lock();
    for (i, info) in infos.iter().enumerate() {
        let mark = if auto == Choice::Adapter(i) { '*' } else { ' ' };
        let kind = if adapter::is_hardware(info) {
            "gpu"
        } else {
            "software"
        };
        writeln!(
            out,
            "{mark} {i:>3}  {kind:<8}  {}  [{}, {} {}]",
            info.name, info.backend, info.driver, info.driver_info
        )?;
        writeln!(
            out,
            "                 convolutions: {}",
            ConvPlan::for_device(DeviceTraits::of(info))
        )?;
    }
    let threads = rayon::current_num_threads();
    let mark = if matches!(auto, Choice::Cpu(_)) {
        '*'
    } else {
        ' '
    };
    writeln!(
        out,
        "{mark} cpu  cpu       Burn's flex backend, {threads} threads"
    )?;
    match auto {
        Choice::Adapter(i) => writeln!(
            out,
            "auto takes {}: the first hardware GPU (discrete before integrated before virtual)",
            infos[i].name
        )?,
        Choice::Cpu(why) => writeln!(out, "auto takes cpu: {why}")?,
    }
    Ok(Done::All)
}
