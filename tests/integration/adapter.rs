//! Promise: `--device` means what it says, whatever adapters a machine has.

use sonoprint::gpu::DeviceChoice;
use sonoprint::gpu::GpuError;
use sonoprint::gpu::adapter::{Choice, choose};
use wgpu::{AdapterInfo, DeviceType};

fn adapter(name: &str, kind: DeviceType) -> AdapterInfo {
    AdapterInfo {
        name: name.into(),
        ..AdapterInfo::new(kind, wgpu::Backend::Vulkan)
    }
}

fn pick(adapters: &[AdapterInfo], text: &str) -> Result<Choice, GpuError> {
    choose(adapters, &text.parse::<DeviceChoice>().unwrap())
}

#[test]
fn auto_takes_hardware_or_the_cpu() {
    let card = adapter("NVIDIA H100", DeviceType::DiscreteGpu);
    let soft = adapter("llvmpipe (LLVM 15)", DeviceType::Cpu);
    let both = [card.clone(), soft.clone()];
    assert_eq!(pick(&both, "auto").unwrap(), Choice::Adapter(0));
    assert_eq!(pick(&both, "GPU").unwrap(), Choice::Adapter(0));
    assert_eq!(pick(&both, "software").unwrap(), Choice::Adapter(1));
    assert!(matches!(pick(&both, "cpu").unwrap(), Choice::Cpu(_)));
    // A rasterizer is never taken unasked: it is slower than the CPU itself.
    let Choice::Cpu(why) = pick(std::slice::from_ref(&soft), "auto").unwrap() else {
        panic!("software taken by auto")
    };
    assert!(why.contains("slower"));
    assert!(matches!(pick(&[], "auto").unwrap(), Choice::Cpu(_)));
    assert!(pick(&[soft], "gpu").is_err());
    let GpuError::NoAdapter { wanted, adapters } = pick(&[card], "software").unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(wanted, DeviceChoice::Software);
    assert_eq!(adapters, ["NVIDIA H100"]);
}

#[test]
fn adapters_go_by_number_and_by_part_of_their_name() {
    let all = [
        adapter("NVIDIA GeForce RTX 4090", DeviceType::DiscreteGpu),
        adapter("Intel(R) UHD Graphics", DeviceType::IntegratedGpu),
    ];
    assert_eq!(pick(&all, "1").unwrap(), Choice::Adapter(1));
    assert_eq!(pick(&all, "uhd").unwrap(), Choice::Adapter(1));
    assert_eq!(pick(&all, "rtx 4090").unwrap(), Choice::Adapter(0));
    let none = pick(&all, "Radeon").unwrap_err().to_string();
    assert!(
        none.contains("'radeon'") && none.contains("RTX 4090, Intel"),
        "{none}"
    );
    assert!(
        pick(&all, "2")
            .unwrap_err()
            .to_string()
            .contains("number 2")
    );
}
