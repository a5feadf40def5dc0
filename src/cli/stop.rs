//! Ctrl-C: stopping with everything saved.

use std::sync::atomic::{AtomicBool, Ordering};

use super::words::note;

/// Returns a flag that Ctrl-C and SIGTERM set. The first one prints `message`, and a second one
/// ends the process at once.
pub fn flag(message: &'static str) -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    let set = ctrlc::set_handler(move || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        note(message);
    });
    if let Err(e) = set {
        note(format_args!("Ctrl-C will not save the run: {e}"));
    }
    &STOP
}
