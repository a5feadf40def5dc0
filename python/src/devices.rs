//! The devices of this machine, each opened once per process.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyList;
use sonoprint::gpu::adapter::{self, Choice};
use sonoprint::gpu::{Compute, DeviceChoice, GpuError};

use crate::errors;

/// The adapters that were opened, by their number. Burn never releases a device.
static OPENED: Mutex<Vec<(usize, Compute)>> = Mutex::new(Vec::new());

/// Opens the device that `wanted` means, or returns it if it is open.
pub(crate) fn open(wanted: &DeviceChoice) -> Result<Compute, GpuError> {
    if *wanted == DeviceChoice::Cpu {
        return Ok(Compute::Cpu);
    }
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let infos: Vec<_> = (adapter::list(&adapter::instance()).iter())
        .map(|adapter| adapter.get_info())
        .collect();
    let Choice::Adapter(number) = adapter::choose(&infos, wanted)? else {
        return Ok(Compute::Cpu);
    };
    if let Some((_, compute)) = opened.iter().find(|(n, _)| *n == number) {
        return Ok(compute.clone());
    }
    let compute = Compute::open(&DeviceChoice::Index(number))?.compute;
    opened.push((number, compute.clone()));
    Ok(compute)
}

/// Lists the devices that can compute: the graphics adapters, best first, and the CPU.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let (infos, auto) = py
        .detach(|| {
            let adapters = adapter::list(&adapter::instance());
            let infos: Vec<_> = adapters.iter().map(|adapter| adapter.get_info()).collect();
            adapter::choose(&infos, &DeviceChoice::Auto).map(|auto| (infos, auto))
        })
        .map_err(|e| errors::of_device(py, &e))?;
    let class = errors::class(py, "Device")?;
    let list = PyList::empty(py);
    for (i, info) in infos.iter().enumerate() {
        let kind = match adapter::is_hardware(info) {
            true => "gpu",
            false => "software",
        };
        list.append(class.call1((i.to_string(), kind, &info.name, auto == Choice::Adapter(i)))?)?;
    }
    let is_auto = matches!(auto, Choice::Cpu(_));
    list.append(class.call1(("cpu", "cpu", "cpu", is_auto))?)?;
    Ok(list)
}
