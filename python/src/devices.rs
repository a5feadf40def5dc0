//! The devices of this machine, each opened once per process.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyList;
use sonoprint::gpu::adapter::{self, Choice};
use sonoprint::gpu::{Compute, DeviceChoice, GpuError};

use crate::errors;

/// The adapters that were opened, by their number. Burn never releases a device.
static OPENED: Mutex<Vec<(usize, Compute)>> = Mutex::new(Vec::new());

/// Looks for devices, without Python's lock. Sets `XDG_RUNTIME_DIR` meanwhile where it is unset: Mesa's
/// device layer asks for a Wayland display and complains on stderr without it.
pub(crate) fn quietly<T: Send>(py: Python<'_>, look: impl FnOnce() -> T + Send) -> PyResult<T> {
    const NAME: &str = "XDG_RUNTIME_DIR";
    let environ = py.import("os")?.getattr("environ")?;
    let is_unset = cfg!(target_os = "linux") && !environ.contains(NAME)?;
    if is_unset {
        let folder = py.import("tempfile")?.call_method0("gettempdir")?;
        environ.set_item(NAME, folder)?;
    }
    let found = py.detach(look);
    if is_unset {
        environ.call_method1("pop", (NAME, py.None()))?;
    }
    Ok(found)
}

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
    let found = quietly(py, || {
        let adapters = adapter::list(&adapter::instance());
        let infos: Vec<_> = adapters.iter().map(|adapter| adapter.get_info()).collect();
        adapter::choose(&infos, &DeviceChoice::Auto).map(|auto| (infos, auto))
    })?;
    let (infos, auto) = found.map_err(|e| errors::of_device(py, &e))?;
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
