//! Holds a GPU against the CPU reference on the machine of the user: the front end, the layers, the
//! networks and memory.
//!
//! Nobody has all cards and drivers. So the program carries its own test: everything that a GPU
//! computes here is computed on the CPU as well, on small inputs, and compared.

mod comparison;
mod front_end;
mod layers;
mod memory;
mod networks;
mod signal;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::gpu::Gpu;

use comparison::Case;
pub use comparison::{CheckError, Comparison, Part};
pub use verdict::{Verdict, Verdicts};

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: seconds on a card.
    Whole,
    /// What the default model needs, in less than a second on a card.
    Short,
}

/// Runs the comparisons of `scope` on `gpu`, and calls `each` after every one. Returns them all.
///
/// A comparison that fails, or in which the device fails, does not end the check.
pub fn check(gpu: &Arc<Gpu>, scope: Scope, each: impl FnMut(&Comparison)) -> Vec<Comparison> {
    let mut cases = front_end::cases(gpu, scope);
    cases.extend(layers::cases(gpu, scope));
    cases.extend(networks::cases(gpu, scope));
    if scope == Scope::Whole {
        cases.extend(memory::cases(gpu));
    }
    run(cases, each)
}

fn run(cases: Vec<Case<'_>>, mut each: impl FnMut(&Comparison)) -> Vec<Comparison> {
    let mut done = Vec::with_capacity(cases.len());
    for case in cases {
        let Case { of, difference } = case;
        // Burn panics where a driver refuses a kernel.
        let result = catch_unwind(AssertUnwindSafe(difference))
            .unwrap_or_else(|_| Err(CheckError("the device's driver or runtime panicked".into())));
        let comparison = of.with(result);
        each(&comparison);
        done.push(comparison);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::gpu::kernels::StftKernel;
    use crate::gpu::{Compute, DeviceChoice};

    fn software() -> Arc<Gpu> {
        match Compute::open(&DeviceChoice::Software).unwrap().compute {
            Compute::Gpu(gpu) => gpu,
            Compute::Cpu => unreachable!("an adapter was asked for"),
        }
    }

    /// A kernel that computes wrong numbers is caught: the packed one loses what is quiet beside
    /// what is loud.
    #[test]
    fn a_wrong_kernel_is_caught() {
        let gpu = software();
        let with = |kernel| {
            let case = front_end::case("mel", front_end::apart(), kernel, &gpu);
            run(vec![case], |_| {}).remove(0)
        };
        let right = with(StftKernel::OneFrame);
        assert!(right.passed(), "{right:?}");
        let wrong = with(StftKernel::Packed);
        assert!(!wrong.passed(), "{wrong:?}");
        assert_eq!(wrong.part, Part::FrontEnd(StftKernel::Packed));
    }

    /// A device that fails in one comparison is named, and the others run.
    #[test]
    fn a_failing_device_ends_nothing() {
        let of = |what: &str| Comparison::of(Part::Layers, what, "nothing", 0.0, "");
        let cases = vec![
            of("panics").by(|| panic!("lost")),
            of("fails").by(|| Err(CheckError("lost".into()))),
            of("is no number").by(|| Ok(f64::NAN)),
            of("is right").by(|| Ok(0.0)),
        ];
        let done = run(cases, |_| {});
        let passed: Vec<bool> = done.iter().map(Comparison::passed).collect();
        assert_eq!(passed, [false, false, false, true]);
    }

    /// The short form passes on an adapter that computes right.
    #[test]
    fn the_short_form_passes_here() {
        let done = check(&software(), Scope::Short, |_| {});
        let failed: Vec<_> = done.iter().filter(|c| !c.passed()).collect();
        assert!(done.len() > 3 && failed.is_empty(), "{failed:?}");
    }
}
