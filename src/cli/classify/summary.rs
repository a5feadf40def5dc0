//! What is said at the end of a run.

use std::path::Path;
use std::time::Duration;

use super::startup_times::StartupTimes;
use crate::classify::{Options, Summary};
use crate::cli::progress::clock;
use crate::cli::words::{note, note_detail};

/// Prints the counts of a run. `stopped` says whether Ctrl-C ended it.
pub fn print(s: &Summary, unsure: usize, stopped: bool, out: Option<&Path>) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let unsure = match unsure {
        0 => String::new(),
        n => format!(", {n} unsure"),
    };
    let failed = match s.failed {
        0 => String::new(),
        n => format!(", {n} could not be read"),
    };
    note(format_args!(
        "{} files{unsure}{failed}, {} clips, {} of audio in {}: {:.1} files/s, {:.0} times real time",
        s.ok,
        s.clips,
        clock(s.audio_seconds),
        clock(elapsed),
        (s.ok + s.failed) as f64 / elapsed,
        s.audio_seconds / elapsed,
    ));
    match (out, stopped) {
        (Some(path), false) => note(format_args!("wrote {}", path.display())),
        (Some(path), true) => note(format_args!(
            "stopped: the same command goes on where it stopped ({})",
            path.display()
        )),
        (None, true) => note("stopped; with --out FILE, the same command would go on from here"),
        (None, false) => {}
    }
}

/// Prints where the time of a run went, and whether the decoders or the device limited its speed.
pub fn print_times(s: &Summary, times: &StartupTimes, options: &Options) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let steps = [
        ("waiting for decoders", s.waited),
        ("upload", s.upload),
        ("front end", s.front_end),
        ("network", s.network),
        ("writing", s.writing),
    ];
    let percent = |d: Duration| 100.0 * d.as_secs_f64() / elapsed;
    let steps: Vec<String> = steps
        .iter()
        .map(|(name, time)| format!("{name} {:.0} %", percent(*time)))
        .collect();
    let workers = options.workers as f64;
    let limit = match percent(s.waited) > 50.0 {
        true => "decoding was the limit",
        false => "the device was the limit",
    };
    note_detail(format_args!(
        "{}; {} decoders: decoding {:.0} %, resampling {:.0} %, waiting for room {:.0} %: {limit}",
        steps.join(", "),
        options.workers,
        percent(s.decoding) / workers,
        percent(s.resampling) / workers,
        percent(s.decoders_waited) / workers,
    ));
    if let Some(line) = times.line() {
        note_detail(line);
    }
}
