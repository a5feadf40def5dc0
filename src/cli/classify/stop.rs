//! Ctrl-C: the first one ends the run after the files in flight, the second one at once.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use crate::cli::words::note;

static STOPPED: AtomicBool = AtomicBool::new(false);
/// Whether files were left because of it.
static CUT_SHORT: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether the run is to end. Must be asked only while there may be more files.
pub fn ends_now() -> bool {
    let stopped = STOPPED.load(Ordering::Relaxed);
    if stopped {
        CUT_SHORT.store(true, Ordering::Relaxed);
    }
    stopped
}

/// Whether the run was stopped before it had all files.
pub fn was_cut_short() -> bool {
    CUT_SHORT.load(Ordering::Relaxed)
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
