//! Progress bars, and times as people read them.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::words;
use crate::dataset::DatasetError;
use crate::dataset::pcm::{PcmMemory, PcmSet};
use crate::dataset::{Dataset, Split, Subset};
use crate::frontend::config::FrontEndConfig;

/// Returns a bar on stderr, which draws nothing if stderr is not a terminal.
pub fn bar(length: usize, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("templates are constants");
    let bar = ProgressBar::new(length as u64).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Decodes one subset of a split behind a bar, and names the files that were left out on stderr.
pub fn decode(
    data: &Dataset,
    split: &Split,
    subset: Subset,
    front_end: &FrontEndConfig,
    memory: &PcmMemory,
) -> Result<PcmSet, DatasetError> {
    let files = split.subset(subset).len();
    let bar = bar(files, "decoding {bar:30} {pos}/{len} files, {per_sec}");
    let set = PcmSet::load(data, split, subset, front_end, memory, &|| bar.inc(1))?;
    bar.finish_and_clear();
    for line in &set.notes {
        words::note(line);
    }
    Ok(set)
}

/// Writes seconds as `5.0 s`, `2:05 min` or `1:10 h`.
pub fn clock(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{}:{:02} min", s / 60, s % 60),
        _ => format!("{}:{:02} h", s / 3600, s % 3600 / 60),
    }
}
