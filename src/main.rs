//! `sonoprint`: see `sonoprint --help` and the README.

#![forbid(unsafe_code)]
#![recursion_limit = "256"]

use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_drivers();
    sonoprint::cli::run()
}

/// Mesa's device layer asks for a Wayland display and complains on stderr where XDG_RUNTIME_DIR is unset. A process
/// may only change its environment safely by starting over, which costs a millisecond and keeps its number.
#[cfg(target_os = "linux")]
fn quiet_drivers() {
    use std::os::unix::process::CommandExt;
    if std::env::var_os("XDG_RUNTIME_DIR").is_none()
        && let Ok(this) = std::env::current_exe()
    {
        let arguments: Vec<_> = std::env::args_os().collect();
        // Only returns if it failed; then the noise is the lesser evil.
        let _ = std::process::Command::new(this)
            .arg0(&arguments[0])
            .args(&arguments[1..])
            .env("XDG_RUNTIME_DIR", std::env::temp_dir())
            .exec();
    }
}

#[cfg(not(target_os = "linux"))]
fn quiet_drivers() {}
