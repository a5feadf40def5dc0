//! The extension module `sonoprint._native`: the library's classifier for Python, and the program.
//!
//! Everything that takes time runs without Python's lock. Classes without behavior (results,
//! exceptions) are written in Python, in `sonoprint/_types.py`.

mod audio;
mod devices;
mod errors;
mod owner;
mod pcm;
mod predictions;
mod predictor;
mod search;

/// As in the program: training frees and allocates the same large tensors again and again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `sonoprint/__init__.py` passes on.
#[pyo3::pymodule]
mod _native {
    use std::ffi::OsString;
    use std::io::Write;

    use pyo3::prelude::*;

    #[pymodule_export]
    use super::audio::load;
    #[pymodule_export]
    use super::devices::devices;
    #[pymodule_export]
    use super::predictions::Predictions;
    #[pymodule_export]
    use super::predictor::{Predictor, models};
    #[pymodule_export]
    use super::search::find;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Runs the program with a command line that begins with its name. Returns the exit code.
    #[pyfunction]
    fn run(py: Python<'_>, args: Vec<OsString>) -> u8 {
        py.detach(|| {
            let code = sonoprint::cli::run_from(args);
            // A Rust program does this when it ends.
            let _ = std::io::stdout().flush();
            code
        })
    }
}
