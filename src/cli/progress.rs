//! Progress bars, and times as people read them.

use std::io;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::words;
use crate::dataset::DatasetError;
use crate::dataset::pcm::{PcmMemory, PcmSet};
use crate::dataset::{Dataset, Split, Subset};
use crate::frontend::config::FrontEndConfig;

/// How often a bar is drawn, Hz: indicatif's own rate.
const DRAW_RATE: u8 = 20;

/// Returns where bars are drawn: on stderr, if it is a terminal.
pub fn target() -> ProgressDrawTarget {
    let term = Term::buffered_stderr();
    match term.is_term() {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(LossyTerm(term)), DRAW_RATE),
        false => ProgressDrawTarget::hidden(),
    }
}

/// A terminal whose failures are ignored. indicatif panics if a terminal fails that bars of several
/// kinds share, and a terminal may be closed during a run of hours.
#[derive(Debug)]
struct LossyTerm(Term);

/// Passes each call on and ignores its failure.
macro_rules! lossy {
    ($($name:ident($($argument:ident: $kind:ty)?);)+) => {
        $(fn $name(&self $(, $argument: $kind)?) -> io::Result<()> {
            let _ = self.0.$name($($argument)?);
            Ok(())
        })+
    };
}

impl TermLike for LossyTerm {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    lossy! {
        move_cursor_up(n: usize);
        move_cursor_down(n: usize);
        move_cursor_right(n: usize);
        move_cursor_left(n: usize);
        write_line(line: &str);
        write_str(text: &str);
        clear_line();
        flush();
    }
}

/// Returns a bar on stderr, which draws nothing if stderr is not a terminal.
pub fn bar(length: usize, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("templates are constants");
    let bar = ProgressBar::with_draw_target(Some(length as u64), target());
    let bar = bar.with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
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
