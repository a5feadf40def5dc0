//! `sonoprint`: see `sonoprint --help` and the README.

#![forbid(unsafe_code)]
#![recursion_limit = "256"]

use std::process::ExitCode;

/// Training steps free and allocate the same large tensors again and again. The system's allocator
/// returns each to the kernel, and every page of the next one is then a page fault.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    settle_environment();
    sonoprint::cli::run()
}

/// Sets `XDG_RUNTIME_DIR` where it is unset: Mesa's device layer asks for a Wayland display and
/// complains on stderr without it.
///
/// A process may only set a variable safely by starting over, which takes a millisecond and keeps
/// its number.
#[cfg(target_os = "linux")]
fn settle_environment() {
    use std::env::{args_os, current_exe, temp_dir, var_os};
    use std::os::unix::process::CommandExt;
    const NAME: &str = "XDG_RUNTIME_DIR";
    if var_os(NAME).is_none()
        && let Ok(this) = current_exe()
    {
        let arguments: Vec<_> = args_os().collect();
        // Returns only if it failed; then the noise is the lesser evil.
        let _ = std::process::Command::new(this)
            .arg0(&arguments[0])
            .args(&arguments[1..])
            .env(NAME, temp_dir())
            .exec();
    }
}

#[cfg(not(target_os = "linux"))]
fn settle_environment() {}
