//! `sonoprint`: see `sonoprint --help` and the README.

#![forbid(unsafe_code)]
#![recursion_limit = "256"]

use std::process::ExitCode;

/// Steps of training free and ask for the same large tensors again and again: the system's allocator would hand each back
/// to the kernel, and take a page fault a page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    settle_environment();
    sonoprint::cli::run()
}

/// Sees to two environment variables, which a process may only do safely by starting over (a millisecond; it keeps
/// its number):
/// - Mesa's device layer asks for a Wayland display and complains on stderr where `XDG_RUNTIME_DIR` is unset;
/// - Burn loads an optimizer's state to its default device, whatever device one works on, and that would open a GPU of
///   its own choice, if there is one at all.
#[cfg(target_os = "linux")]
fn settle_environment() {
    use std::env::{args_os, current_exe, temp_dir, var_os};
    use std::os::unix::process::CommandExt;
    let wanted = [
        ("XDG_RUNTIME_DIR", temp_dir().into_os_string()),
        ("BURN_DEVICE", "flex".into()),
    ];
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|(name, _)| var_os(name).is_none())
        .collect();
    if !missing.is_empty()
        && let Ok(this) = current_exe()
    {
        let arguments: Vec<_> = args_os().collect();
        // Only returns if it failed; then the noise is the lesser evil.
        let _ = std::process::Command::new(this)
            .arg0(&arguments[0])
            .args(&arguments[1..])
            .envs(missing)
            .exec();
    }
}

#[cfg(not(target_os = "linux"))]
fn settle_environment() {}
