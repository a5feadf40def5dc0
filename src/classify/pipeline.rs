//! Decoders ahead, the device behind, bounded queues between: memory does not grow with files or folders.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::decode::{Cut, Cutting, Message, Whole, work};
use super::{ClipPrediction, FileResult, Input, Outcome, Prediction, Stamp};
use crate::inference::{FileAverage, InferenceError, PendingBatch, Predictor};

/// Batches that the device works on or has done before the first of them is read.
const IN_FLIGHT: usize = 2;
/// After so long without a clip, what is there is answered: a list that comes slowly gets its rows as it comes.
const IDLE: Duration = Duration::from_millis(200);
/// Shortest step from clip to clip, as a share of a clip.
const LEAST_HOP: f64 = 0.05;

/// How files are worked through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Decoder threads.
    pub workers: usize,
    /// Clips a batch.
    pub batch: usize,
    /// Share of a clip that the next one has in common with it, from 0 to 0.95.
    pub overlap: f64,
    /// Whether answers tell of every clip.
    pub timeline: bool,
    /// Whether answers have embeddings.
    pub embeddings: bool,
}

/// What a run came to, and where its time went.
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
    /// Decoding: the sum over the decoder threads.
    pub decoding: Duration,
    /// Changing sample rates: their sum.
    pub resampling: Duration,
    /// Decoder threads waiting for the device to take their clips: their sum.
    pub decoders_waited: Duration,
    /// The device waiting for clips.
    pub waited: Duration,
    /// Handing samples to a GPU.
    pub upload: Duration,
    /// Samples to pictures. On a GPU, the time to say so.
    pub front_end: Duration,
    /// Pictures to probabilities, and reading them.
    pub network: Duration,
    /// Handing out rows.
    pub writing: Duration,
}

/// A file whose row is not out yet.
struct Open {
    path: PathBuf,
    stamp: Option<Stamp>,
    average: FileAverage,
    timeline: Vec<ClipPrediction>,
    /// Clips that the device has not answered yet.
    left: usize,
    end: Option<Result<Whole, (&'static str, String)>>,
}

/// Whose clip it is, and from when to when.
type Owner = (u64, f64, f64);

/// Classifies `found` and calls `row` once for each, as soon as it is known: not in order.
///
/// Decoder threads read files as streams and hand clips over a bounded queue; a batch holds clips of as many files as
/// fill it; the next batch is handed to the device before the last one is read. A file that cannot be read becomes a row
/// and the rest goes on.
///
/// # Errors
/// If the device fails, or `row` does (`E`).
pub fn classify<E: From<InferenceError>>(
    classifier: &Predictor,
    found: impl Iterator<Item = Input> + Send,
    options: &Options,
    mut row: impl FnMut(FileResult) -> Result<(), E>,
) -> Result<Summary, E> {
    let start = Instant::now();
    let front_end = &classifier.header().front_end;
    let clip = front_end.clip_samples;
    let hop = clip as f64 * (1.0 - options.overlap).clamp(LEAST_HOP, 1.0);
    let cutting = Cutting {
        rate: front_end.sample_rate,
        clip,
        hop: (hop as usize).max(1),
    };
    let found = Mutex::new((0..).zip(found));
    let batch = options.batch.max(1);
    let mut summary = std::thread::scope(|scope| {
        let (send, receive) = sync_channel(2 * batch);
        for _ in 0..options.workers.max(1) {
            let (send, found) = (send.clone(), &found);
            scope.spawn(move || work(found, cutting, &send));
        }
        drop(send);
        let mut packer = Packer::new(classifier, options, batch);
        packer.run(&receive, &mut row)?;
        Ok::<_, E>(packer.summary)
    })?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

/// Packs clips into batches and shares the answers out among their files.
struct Packer<'a> {
    classifier: &'a Predictor,
    batch: usize,
    timeline: bool,
    embeddings: bool,
    clips: Vec<Vec<f32>>,
    owners: Vec<Owner>,
    asked: VecDeque<(PendingBatch, Vec<Owner>)>,
    open: HashMap<u64, Open>,
    summary: Summary,
}

impl<'a> Packer<'a> {
    fn new(classifier: &'a Predictor, options: &Options, batch: usize) -> Self {
        Self {
            classifier,
            batch,
            timeline: options.timeline,
            embeddings: options.embeddings,
            clips: Vec::new(),
            owners: Vec::new(),
            asked: VecDeque::new(),
            open: HashMap::new(),
            summary: Summary::default(),
        }
    }

    fn run<E: From<InferenceError>>(
        &mut self,
        receive: &Receiver<Message>,
        row: &mut impl FnMut(FileResult) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let start = Instant::now();
            let span = tracing::info_span!("wait for clips").entered();
            let message = receive.recv_timeout(IDLE);
            drop(span);
            self.summary.waited += start.elapsed();
            match message {
                Ok(message) => self.take(message)?,
                Err(RecvTimeoutError::Timeout) => self.catch_up()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.hand_out(row)?;
        }
        self.catch_up()?;
        self.hand_out(row)
    }

    /// Answers all that is there, in a batch that is not full if need be.
    fn catch_up(&mut self) -> Result<(), InferenceError> {
        self.ask()?;
        while !self.asked.is_empty() {
            self.read()?;
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), InferenceError> {
        match message {
            Message::Begin(id, path, stamp) => {
                let file = Open {
                    path,
                    stamp,
                    average: FileAverage::default(),
                    timeline: Vec::new(),
                    left: 0,
                    end: None,
                };
                self.open.insert(id, file);
            }
            Message::Clip(id, cut) => return self.clip(id, cut),
            Message::End(id, end) => {
                if let Some(file) = self.open.get_mut(&id) {
                    file.end = Some(end);
                }
            }
            Message::Done(spent) => {
                self.summary.decoding += spent.decoding;
                self.summary.resampling += spent.resampling;
                self.summary.decoders_waited += spent.waiting;
            }
        }
        Ok(())
    }

    fn clip(&mut self, id: u64, cut: Cut) -> Result<(), InferenceError> {
        let Some(file) = self.open.get_mut(&id) else {
            return Ok(());
        };
        file.average.padded |= cut.padded;
        let Some(samples) = cut.samples else {
            file.average.silent += 1;
            return Ok(());
        };
        file.left += 1;
        self.clips.push(samples);
        self.owners.push((id, cut.start, cut.end));
        if self.clips.len() == self.batch {
            self.ask()?;
            while self.asked.len() > IN_FLIGHT {
                self.read()?;
            }
        }
        Ok(())
    }

    /// Hands what is packed to the device.
    fn ask(&mut self) -> Result<(), InferenceError> {
        if self.clips.is_empty() {
            return Ok(());
        }
        let clips: Vec<&[f32]> = self.clips.iter().map(Vec::as_slice).collect();
        let asked = self.classifier.submit(&clips, self.embeddings)?;
        self.summary.upload += asked.upload;
        self.summary.front_end += asked.front_end;
        self.summary.network += asked.network;
        self.clips.clear();
        let owners = std::mem::take(&mut self.owners);
        self.asked.push_back((asked, owners));
        Ok(())
    }

    /// Reads the oldest batch that was handed over, and shares it out.
    fn read(&mut self) -> Result<(), InferenceError> {
        let Some((asked, owners)) = self.asked.pop_front() else {
            return Ok(());
        };
        let start = Instant::now();
        let predicted = self.classifier.wait(asked)?;
        self.summary.network += start.elapsed();
        let rows = owners.into_iter().zip(predicted.probabilities);
        for (i, ((id, start, end), probabilities)) in rows.enumerate() {
            let Some(file) = self.open.get_mut(&id) else {
                continue;
            };
            let embedding = predicted.embeddings.as_ref().map(|e| e[i].as_slice());
            file.average.add(&probabilities, embedding);
            file.left -= 1;
            if self.timeline {
                file.timeline.push(ClipPrediction {
                    start,
                    end,
                    probabilities,
                });
            }
        }
        Ok(())
    }

    /// Hands out the rows of files that are complete.
    fn hand_out<E>(&mut self, row: &mut impl FnMut(FileResult) -> Result<(), E>) -> Result<(), E> {
        let complete = |file: &Open| match &file.end {
            Some(Err(_)) => true,
            Some(Ok(_)) => file.left == 0,
            None => false,
        };
        let mut ids: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, file)| complete(file))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        for id in ids {
            let Some(file) = self.open.remove(&id) else {
                continue;
            };
            let start = Instant::now();
            row(self.finish(file))?;
            self.summary.writing += start.elapsed();
        }
        Ok(())
    }

    fn finish(&mut self, file: Open) -> FileResult {
        let failed = |reason: &str, message: String| Outcome::Failed {
            reason: reason.to_owned(),
            message,
        };
        let outcome = match file.end {
            Some(Ok(whole)) => match file.average.probabilities() {
                None => failed("silent", "there is no sound in it".into()),
                Some(probabilities) => Outcome::Ok(Prediction {
                    probabilities,
                    embedding: file.average.embedding(),
                    seconds: whole.seconds,
                    clips: file.average.clips,
                    silent: file.average.silent,
                    padded: file.average.padded,
                    damaged: whole.damaged,
                    timeline: file.timeline,
                }),
            },
            Some(Err((reason, message))) => failed(reason, message),
            None => failed("io", "its decoder ended before it did".into()),
        };
        match &outcome {
            Outcome::Ok(answer) => {
                self.summary.ok += 1;
                self.summary.clips += answer.clips;
                self.summary.audio_seconds += answer.seconds;
            }
            Outcome::Failed { .. } => self.summary.failed += 1,
        }
        FileResult {
            path: file.path,
            stamp: file.stamp,
            outcome,
        }
    }
}
