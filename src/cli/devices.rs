//! `sonoprint devices`.

use super::Done;
use super::words::print_line;
use crate::gpu::adapter::{self, Choice};
use crate::gpu::{DeviceChoice, DeviceTraits};
use crate::model::ops::conv::ConvPlan;

pub fn run() -> anyhow::Result<Done> {
    let infos: Vec<_> = adapter::list(&adapter::instance())
        .iter()
        .map(wgpu::Adapter::get_info)
        .collect();
    let auto = adapter::choose(&infos, &DeviceChoice::Auto)?;
    let mark = |taken: bool| if taken { '*' } else { ' ' };
    for (i, info) in infos.iter().enumerate() {
        let kind = if adapter::is_hardware(info) {
            "gpu"
        } else {
            "software"
        };
        print_line(format_args!(
            "{} {i:>3}  {kind:<8}  {}  [{}, {} {}]",
            mark(auto == Choice::Adapter(i)),
            info.name,
            info.backend,
            info.driver,
            info.driver_info
        ))?;
        print_line(format_args!(
            "                 convolutions: {}",
            ConvPlan::for_device(DeviceTraits::of(info))
        ))?;
    }
    print_line(format_args!(
        "{} cpu  cpu       Burn's flex backend, {} threads",
        mark(matches!(auto, Choice::Cpu(_))),
        rayon::current_num_threads()
    ))?;
    match auto {
        Choice::Adapter(i) => print_line(format_args!(
            "auto takes {}: the first hardware GPU (discrete before integrated before virtual)",
            infos[i].name
        ))?,
        Choice::Cpu(why) => print_line(format_args!("auto takes cpu: {why}"))?,
    }
    Ok(Done::All)
}
