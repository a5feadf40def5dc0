//! The process that computes. A forked child has its memory and none of its threads.

use std::process;
use std::sync::OnceLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// The process that computed first.
static OWNER: OnceLock<u32> = OnceLock::new();

const FORKED: &str = "sonoprint computes on threads and on devices, which a forked process does not have: \
                      use multiprocessing's start method 'spawn' or 'forkserver', or create the first \
                      Predictor in the child";

/// Checks that this process has the threads and devices that were started, if any were.
///
/// # Errors
/// `RuntimeError` in a child that was forked from a process that computed. Without this check, the
/// child would wait for its parent's threads forever.
pub(crate) fn check_process() -> PyResult<()> {
    match is_owner() {
        true => Ok(()),
        false => Err(PyRuntimeError::new_err(FORKED)),
    }
}

fn is_owner() -> bool {
    *OWNER.get_or_init(process::id) == process::id()
}

/// Something with threads or devices behind it. A forked child neither uses nor drops it.
pub(crate) struct Owned<T>(Option<T>);

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Returns the value.
    ///
    /// # Errors
    /// As [`check_process`].
    pub(crate) fn get(&self) -> PyResult<&T> {
        check_process()?;
        self.0
            .as_ref()
            .ok_or_else(|| PyRuntimeError::new_err(FORKED))
    }

    /// Takes the value out, to drop it; `None` in a forked child.
    pub(crate) fn take(&mut self) -> Option<T> {
        match is_owner() {
            true => self.0.take(),
            false => {
                std::mem::forget(self.0.take());
                None
            }
        }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
