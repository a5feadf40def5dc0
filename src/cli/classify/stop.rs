//! Ctrl-C: the first one ends the run after the files in flight, the second one at once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use crate::cli::words::note;

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether the run is to end.
pub fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// Catches Ctrl-C and SIGTERM from here on. `out` is the table of the run, if there is one.
///
/// Where a signal is ignored already (`nohup`, a script's `&`), everything stays as it is: whoever
/// started the process wanted that, and the journal makes any end safe.
pub fn catch(bar: ProgressBar, out: Option<&Path>) {
    let words = match out {
        Some(path) => format!(
            "stopping after the files that are being read; the same command goes on where it stopped \
             ({}). Ctrl-C again stops at once, and loses nothing but these files",
            path.display()
        ),
        None => "stopping after the files that are being read; Ctrl-C again stops at once".into(),
    };
    let _ = ctrlc::try_set_handler(move || {
        if STOPPED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        bar.suspend(|| note(&words));
    });
}
