//! Decoders ahead, the device behind, a bounded queue between.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{Classifier, ClassifyError, Found};
use crate::audio::{self, AudioError, Loaded};

/// Decoded files that may wait for the device.
const QUEUE: usize = 4;

/// What was found out about one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Probability of each class: the mean over the file's clips.
    pub probabilities: Vec<f32>,
    /// Length of the file, seconds.
    pub seconds: f64,
    /// Clips that were looked at.
    pub clips: usize,
    /// What is wrong with the file although it could be read, if anything.
    pub damaged: Option<String>,
}

impl Answer {
    /// Classes, most probable first, with their probabilities. Equals stay in class order.
    pub fn ranked(&self) -> Vec<(usize, f32)> {
        let mut all: Vec<_> = self.probabilities.iter().copied().enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }
}

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The file was read.
    Ok(Answer),
    /// It was not.
    Failed {
        /// A stable word for tables: see [`AudioError::reason`].
        reason: &'static str,
        /// One line for people.
        message: String,
    },
}

/// One file's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// As it was found.
    pub path: PathBuf,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Files read.
    pub ok: usize,
    /// Files not read.
    pub failed: usize,
    /// Clips looked at.
    pub clips: usize,
    /// Seconds of audio in the files read.
    pub audio_seconds: f64,
    /// By the clock.
    pub elapsed: Duration,
    /// Of that, waiting for a decoder.
    pub waited: Duration,
}

enum Decoded {
    Audio(Loaded),
    Failed(&'static str, String),
}

/// A file whose row is not out yet.
struct Pending {
    path: PathBuf,
    state: State,
}

enum State {
    Failed(&'static str, String),
    Open {
        sums: Vec<f64>,
        clips: usize,
        left: usize,
        seconds: f64,
        damaged: Option<String>,
    },
}

/// Classifies `found` and calls `row` once for each, in order, as soon as it is known.
///
/// Decoding runs ahead on all cores while the device works; at most a few decoded files wait. A batch holds clips of
/// as many files as fill it. A file that cannot be read becomes a row and the rest goes on.
///
/// # Errors
/// If the device fails, or `row` does (`E`).
pub fn classify<E: From<ClassifyError>>(
    classifier: &Classifier,
    found: &[Found],
    batch: usize,
    mut row: impl FnMut(&Row) -> Result<(), E>,
) -> Result<Summary, E> {
    let start = Instant::now();
    let mut summary = Summary::default();
    let rate = classifier.header().front_end.sample_rate;
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(QUEUE);
        scope.spawn(move || decode(found, rate, &send));
        let mut packer = Packer::new(classifier, batch.max(1));
        while let Some((path, decoded)) = next(&receive, &mut summary.waited) {
            packer.push(path, decoded)?;
            packer.emit(&mut summary, &mut row)?;
        }
        packer.flush()?;
        packer.emit(&mut summary, &mut row)
    })?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

fn next(
    receive: &Receiver<(PathBuf, Decoded)>,
    waited: &mut Duration,
) -> Option<(PathBuf, Decoded)> {
    let start = Instant::now();
    let got = receive.recv().ok();
    *waited += start.elapsed();
    got
}

/// Decodes in order, a handful at a time on all cores. Ends early if nobody listens any more.
fn decode(found: &[Found], rate: u32, send: &std::sync::mpsc::SyncSender<(PathBuf, Decoded)>) {
    for chunk in found.chunks(rayon::current_num_threads().max(1)) {
        let decoded: Vec<_> = chunk
            .par_iter()
            .map(|f| match f {
                Found::File(path) => (path.clone(), decode_one(path, rate)),
                Found::Unreadable(path, why) => (path.clone(), Decoded::Failed("io", why.clone())),
            })
            .collect();
        for one in decoded {
            if send.send(one).is_err() {
                return;
            }
        }
    }
}

fn decode_one(path: &Path, rate: u32) -> Decoded {
    match audio::load(path, rate) {
        Ok(loaded) => Decoded::Audio(loaded),
        // The row names the path already; the system's words are enough.
        Err(AudioError::Io { source, .. }) => Decoded::Failed("io", source.to_string()),
        Err(e) => Decoded::Failed(e.reason(), e.to_string()),
    }
}

/// Packs clips into batches and shares the answers out among their files.
struct Packer<'a> {
    classifier: &'a Classifier,
    batch: usize,
    clips: Vec<Vec<f32>>,
    pending: VecDeque<Pending>,
}

impl<'a> Packer<'a> {
    fn new(classifier: &'a Classifier, batch: usize) -> Self {
        Self {
            classifier,
            batch,
            clips: Vec::new(),
            pending: VecDeque::new(),
        }
    }

    fn push(&mut self, path: PathBuf, decoded: Decoded) -> Result<(), ClassifyError> {
        let header = self.classifier.header();
        let clip = header.front_end.clip_samples;
        let loaded = match decoded {
            Decoded::Failed(reason, message) => {
                let state = State::Failed(reason, message);
                self.pending.push_back(Pending { path, state });
                return Ok(());
            }
            Decoded::Audio(loaded) => loaded,
        };
        let spans = audio::cut(loaded.samples.len(), clip);
        let seconds = loaded.samples.len() as f64 / f64::from(header.front_end.sample_rate);
        let state = State::Open {
            sums: vec![0.0; header.classes.len()],
            clips: spans.len(),
            left: spans.len(),
            seconds,
            damaged: loaded.damaged,
        };
        self.pending.push_back(Pending { path, state });
        for span in spans {
            self.clips.push(audio::extract(&loaded.samples, span, clip));
            if self.clips.len() == self.batch {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Runs what is packed. Clips were packed in the order of their files, so the answers go to the first files that
    /// still lack some.
    fn flush(&mut self) -> Result<(), ClassifyError> {
        let clips: Vec<&[f32]> = self.clips.iter().map(Vec::as_slice).collect();
        let mut answers = self.classifier.probabilities(&clips)?.into_iter();
        self.clips.clear();
        for file in &mut self.pending {
            let State::Open { sums, left, .. } = &mut file.state else {
                continue;
            };
            while *left > 0 {
                let Some(answer) = answers.next() else {
                    return Ok(());
                };
                for (sum, p) in sums.iter_mut().zip(answer) {
                    *sum += f64::from(p);
                }
                *left -= 1;
            }
        }
        Ok(())
    }

    /// Hands out the rows that are complete, in order.
    fn emit<E>(
        &mut self,
        summary: &mut Summary,
        row: &mut impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(first) = self.pending.front() {
            if matches!(first.state, State::Open { left: 1.., .. }) {
                break;
            }
            let Some(Pending { path, state }) = self.pending.pop_front() else {
                break;
            };
            let outcome = match state {
                State::Failed(reason, message) => {
                    summary.failed += 1;
                    Outcome::Failed { reason, message }
                }
                State::Open {
                    sums,
                    clips,
                    seconds,
                    damaged,
                    ..
                } => {
                    summary.ok += 1;
                    summary.clips += clips;
                    summary.audio_seconds += seconds;
                    Outcome::Ok(Answer {
                        probabilities: sums.iter().map(|s| (s / clips as f64) as f32).collect(),
                        seconds,
                        clips,
                        damaged,
                    })
                }
            };
            row(&Row { path, outcome })?;
        }
        Ok(())
    }
}
