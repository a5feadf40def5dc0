//! The pipeline: decoder threads, a bounded queue, batches on the device, one result per file. Its
//! memory does not grow with files or folders.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::decode::{
    Cut, DecodeFailure, DecodedClip, DecodedFile, DecoderEvent, SILENT, decode_loop,
};
use super::discover::Input;
use super::options::{Options, Summary};
use super::result::{ClipPrediction, FileResult, Outcome, Prediction};
use super::share::Board;
use super::stamp::Stamp;
use crate::inference::{FileAverage, InferenceError, PendingBatch, Predictor};

/// Batches that are on the device before the pipeline waits for the oldest one.
const IN_FLIGHT: usize = 2;
/// Flush a partial batch after this long without input, so that a slow `--files-from` still yields
/// rows promptly.
const IDLE: Duration = Duration::from_millis(200);
/// Shortest step from one clip to the next, as a fraction of a clip.
const MIN_HOP: f64 = 0.05;

/// A file whose result is not out yet.
struct PendingFile {
    path: PathBuf,
    stamp: Option<Stamp>,
    average: FileAverage,
    timeline: Vec<ClipPrediction>,
    /// The clip whose output is added next, and outputs of later ones; `None` for silent clips. The
    /// sum is the same bits in whatever order the clips come.
    next: usize,
    later: BTreeMap<usize, Option<ClipOutput>>,
    /// Clips that the device has not answered yet.
    pending_clips: usize,
    end: Option<Result<DecodedFile, DecodeFailure>>,
}

/// What the network says of a clip, and its embedding if that is wanted.
type ClipOutput = (ClipPrediction, Option<Vec<f32>>);

impl PendingFile {
    fn new(path: PathBuf, stamp: Option<Stamp>) -> Self {
        Self {
            path,
            stamp,
            average: FileAverage::default(),
            timeline: Vec::new(),
            next: 0,
            later: BTreeMap::new(),
            pending_clips: 0,
            end: None,
        }
    }

    /// Takes what there is to say of clip `number`.
    fn take(&mut self, number: usize, output: Option<ClipOutput>, timeline: bool) {
        self.later.insert(number, output);
        while let Some(output) = self.later.remove(&self.next) {
            self.next += 1;
            self.add(output, timeline);
        }
    }

    /// Adds the output of a clip to those of the clips before it.
    fn add(&mut self, output: Option<ClipOutput>, timeline: bool) {
        if let Some((prediction, embedding)) = output {
            let probabilities = &prediction.probabilities;
            self.average.add(probabilities, embedding.as_deref());
            if timeline {
                self.timeline.push(prediction);
            }
        }
    }
}

/// The place of a clip in a batch: its file, and its number, start and end there.
struct ClipOwner {
    file: u64,
    number: usize,
    start: f64,
    end: f64,
}

/// Classifies `inputs` and calls `on_result` once per input, as soon as its result is known: not in
/// order.
///
/// Decoder threads read files as streams and pass clips through a bounded queue. A batch holds
/// clips of as many files as fill it, and is submitted to the device before the last one is read
/// back. A file that cannot be read becomes a failed result, and the rest goes on.
///
/// # Errors
/// [`InferenceError::BatchTooLarge`], before anything is read; if the device fails, or `on_result`
/// does (`E`).
pub fn classify<E: From<InferenceError>>(
    predictor: &Predictor,
    inputs: impl Iterator<Item = Input> + Send,
    options: &Options,
    mut on_result: impl FnMut(FileResult) -> Result<(), E>,
) -> Result<Summary, E> {
    let never = AtomicBool::new(false);
    classify_until(&never, predictor, inputs, options, |_, result| {
        on_result(result)
    })
}

/// Does as [`classify`], and also passes on the number of the input, from 0. Once `stop` is set, ends
/// with the next clip or within [`IDLE`], without an error.
pub(super) fn classify_until<E: From<InferenceError>>(
    stop: &AtomicBool,
    predictor: &Predictor,
    inputs: impl Iterator<Item = Input> + Send,
    options: &Options,
    mut on_result: impl FnMut(u64, FileResult) -> Result<(), E>,
) -> Result<Summary, E> {
    let start = Instant::now();
    let batch = options.batch.max(1);
    let limit = predictor.batch_limit();
    limit.check(batch).map_err(InferenceError::from)?;
    let front_end = &predictor.header().front_end;
    let rule = front_end.clip_rule(options.overlap.min(1.0 - MIN_HOP));
    let cut = Cut {
        rate: front_end.sample_rate,
        rule,
        excerpts: options.excerpts,
    };
    let workers = options.workers.max(1);
    let board = Board::new(workers);
    let inputs = Mutex::new((0..).zip(inputs));
    let mut summary = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(2 * batch);
        for _ in 0..workers {
            let (sender, inputs, board) = (sender.clone(), &inputs, &board);
            scope.spawn(move || decode_loop(inputs, cut, board, &sender));
        }
        drop(sender);
        let mut packer = Packer::new(predictor, options, batch);
        packer.run(stop, &receiver, &mut on_result)?;
        Ok::<_, E>(packer.summary)
    })?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

/// Packs clips into batches and distributes the probabilities to their files.
struct Packer<'a> {
    predictor: &'a Predictor,
    /// Clips per batch, and in the one that is being filled.
    batch: usize,
    next_batch: usize,
    timeline: bool,
    embeddings: bool,
    /// The batch that is being filled.
    clips: Vec<Vec<f32>>,
    owners: Vec<ClipOwner>,
    /// Batches on the device, oldest first.
    submitted: VecDeque<(PendingBatch, Vec<ClipOwner>)>,
    files: HashMap<u64, PendingFile>,
    summary: Summary,
}

impl<'a> Packer<'a> {
    fn new(predictor: &'a Predictor, options: &Options, batch: usize) -> Self {
        Self {
            predictor,
            batch,
            next_batch: options.first_batch.clamp(1, batch),
            timeline: options.timeline,
            embeddings: options.embeddings,
            clips: Vec::new(),
            owners: Vec::new(),
            submitted: VecDeque::new(),
            files: HashMap::new(),
            summary: Summary::default(),
        }
    }

    fn run<E: From<InferenceError>>(
        &mut self,
        stop: &AtomicBool,
        receiver: &Receiver<DecoderEvent>,
        on_result: &mut impl FnMut(u64, FileResult) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            let start = Instant::now();
            let span = tracing::info_span!("wait for clips").entered();
            let event = receiver.recv_timeout(IDLE);
            drop(span);
            self.summary.waited += start.elapsed();
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            match event {
                Ok(event) => self.handle(event)?,
                Err(RecvTimeoutError::Timeout) => self.flush()?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.emit_finished(on_result)?;
        }
        self.flush()?;
        self.emit_finished(on_result)
    }

    /// Classifies every clip that is there, in a partial batch if need be.
    fn flush(&mut self) -> Result<(), InferenceError> {
        self.submit()?;
        while !self.submitted.is_empty() {
            self.wait()?;
        }
        Ok(())
    }

    fn handle(&mut self, event: DecoderEvent) -> Result<(), InferenceError> {
        match event {
            DecoderEvent::Begin(id, path, stamp) => {
                self.files.insert(id, PendingFile::new(path, stamp));
            }
            DecoderEvent::Clip(id, clip) => return self.add(id, clip),
            DecoderEvent::End(id, end) => {
                if let Some(file) = self.files.get_mut(&id) {
                    file.end = Some(end);
                }
            }
            DecoderEvent::Done(times) => {
                self.summary.decoding += times.decoding;
                self.summary.resampling += times.resampling;
                self.summary.decoders_waited += times.waiting;
            }
        }
        Ok(())
    }

    /// Adds a clip to the batch. Submits the batch if it is full.
    fn add(&mut self, id: u64, clip: DecodedClip) -> Result<(), InferenceError> {
        let Some(file) = self.files.get_mut(&id) else {
            return Ok(());
        };
        file.average.padded |= clip.padded;
        let Some(samples) = clip.samples else {
            file.average.silent += 1;
            file.take(clip.number, None, self.timeline);
            return Ok(());
        };
        file.pending_clips += 1;
        self.clips.push(samples);
        self.owners.push(ClipOwner {
            file: id,
            number: clip.number,
            start: clip.start,
            end: clip.end,
        });
        if self.clips.len() >= self.next_batch {
            self.submit()?;
            let in_flight = match self.next_batch < self.batch {
                true => 0,
                false => IN_FLIGHT,
            };
            while self.submitted.len() > in_flight {
                self.wait()?;
            }
            self.next_batch = (2 * self.next_batch).min(self.batch);
        }
        Ok(())
    }

    /// Submits the current batch to the device without waiting.
    fn submit(&mut self) -> Result<(), InferenceError> {
        if self.clips.is_empty() {
            return Ok(());
        }
        let clips: Vec<&[f32]> = self.clips.iter().map(Vec::as_slice).collect();
        let pending = self.predictor.submit(&clips, self.embeddings)?;
        self.summary.upload += pending.upload;
        self.summary.front_end += pending.front_end;
        self.summary.network += pending.network;
        self.clips.clear();
        let owners = std::mem::take(&mut self.owners);
        self.submitted.push_back((pending, owners));
        Ok(())
    }

    /// Waits for the oldest submitted batch and adds its outputs to their files.
    fn wait(&mut self) -> Result<(), InferenceError> {
        let Some((pending, owners)) = self.submitted.pop_front() else {
            return Ok(());
        };
        let start = Instant::now();
        let predicted = self.predictor.wait(pending)?;
        self.summary.network += start.elapsed();
        let rows = owners.into_iter().zip(predicted.probabilities);
        for (i, (owner, probabilities)) in rows.enumerate() {
            let Some(file) = self.files.get_mut(&owner.file) else {
                continue;
            };
            let embedding = predicted.embeddings.as_ref().map(|e| e[i].clone());
            file.pending_clips -= 1;
            let prediction = ClipPrediction {
                start: owner.start,
                end: owner.end,
                probabilities,
            };
            file.take(owner.number, Some((prediction, embedding)), self.timeline);
        }
        Ok(())
    }

    /// Passes on the results of files that are complete.
    fn emit_finished<E>(
        &mut self,
        on_result: &mut impl FnMut(u64, FileResult) -> Result<(), E>,
    ) -> Result<(), E> {
        let complete = |file: &PendingFile| match &file.end {
            Some(Err(_)) => true,
            Some(Ok(_)) => file.pending_clips == 0,
            None => false,
        };
        let mut ids: Vec<u64> = self
            .files
            .iter()
            .filter(|(_, file)| complete(file))
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        for id in ids {
            let Some(file) = self.files.remove(&id) else {
                continue;
            };
            let start = Instant::now();
            on_result(id, self.finish(file))?;
            self.summary.writing += start.elapsed();
        }
        Ok(())
    }

    fn finish(&mut self, mut file: PendingFile) -> FileResult {
        // Behind a clip that could not be read.
        for (_, output) in std::mem::take(&mut file.later) {
            file.add(output, self.timeline);
        }
        let failed = |reason: &str, message: String| Outcome::Failed {
            reason: reason.to_owned(),
            message,
        };
        let outcome = match file.end {
            Some(Ok(end)) => match file.average.probabilities() {
                None => failed(SILENT.0, SILENT.1.into()),
                Some(probabilities) => Outcome::Ok(Prediction {
                    probabilities,
                    embedding: file.average.embedding(),
                    seconds: end.seconds,
                    clips: file.average.clips,
                    silent: file.average.silent,
                    padded: file.average.padded,
                    damaged: end.damaged,
                    timeline: file.timeline,
                }),
            },
            Some(Err(DecodeFailure { reason, message })) => failed(reason, message),
            None => failed("io", "its decoder ended before it did".into()),
        };
        let outcome = match outcome {
            // JSON, and with it the journal, has no such numbers.
            Outcome::Ok(prediction) if !is_finite(&prediction) => failed(
                "not_finite",
                "the network's outputs are not finite numbers".into(),
            ),
            outcome => outcome,
        };
        match &outcome {
            Outcome::Ok(prediction) => {
                self.summary.ok += 1;
                self.summary.clips += prediction.clips;
                self.summary.audio_seconds += prediction.seconds;
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

fn is_finite(prediction: &Prediction) -> bool {
    let clips = prediction.timeline.iter().flat_map(|c| &c.probabilities);
    let mut all = prediction.probabilities.iter().chain(&prediction.embedding);
    all.all(|x| x.is_finite()) && clips.into_iter().all(|x| x.is_finite())
}
