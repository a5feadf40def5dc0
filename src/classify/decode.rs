//! Decoder threads: files in, clips out.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::discover::Input;
use super::share::{Board, SharedFile};
use super::stamp::Stamp;
use crate::audio::{AudioError, Clip, ClipReader, ClipRule, Clips, Excerpts};

/// What a decoder thread sends. Each file gives `Begin`, its clips, and `End`. The events of files
/// that several decoders read at once interleave.
pub(super) enum DecoderEvent {
    Begin(u64, PathBuf, Option<Stamp>),
    Clip(u64, DecodedClip),
    End(u64, Result<DecodedFile, DecodeFailure>),
    /// The decoder has no more files.
    Done(DecoderTimes),
}

/// Where a decoder's time went.
#[derive(Default)]
pub(super) struct DecoderTimes {
    pub(super) decoding: Duration,
    pub(super) resampling: Duration,
    /// Waiting for room in the queue.
    pub(super) waiting: Duration,
    /// Waiting for a file to share, without one of its own.
    idle: Duration,
}

/// One clip of a file.
pub(super) struct DecodedClip {
    /// Its number among those that are read of the file, from 0. A shared file sends them in any order.
    pub(super) number: usize,
    /// Start in the file, seconds.
    pub(super) start: f64,
    /// End in the file, seconds.
    pub(super) end: f64,
    pub(super) padded: bool,
    /// `None` if the clip is silent: the network does not see it.
    pub(super) samples: Option<Vec<f32>>,
}

/// A file that was read to its end.
pub(super) struct DecodedFile {
    pub(super) seconds: f64,
    pub(super) damaged: Option<String>,
}

/// The reason and the message of a file without sound.
pub(super) const SILENT: (&str, &str) = ("silent", "there is no sound in it");

/// Why a file was not read to its end.
pub(super) struct DecodeFailure {
    /// A stable word for tables.
    pub(super) reason: &'static str,
    /// One line for people.
    pub(super) message: String,
}

impl DecodeFailure {
    fn io(message: String) -> Self {
        Self {
            reason: "io",
            message,
        }
    }
}

impl From<AudioError> for DecodeFailure {
    fn from(error: AudioError) -> Self {
        match error {
            // The row has the path already, so the system's message is enough.
            AudioError::Io { source, .. } => Self::io(source.to_string()),
            e => Self {
                reason: e.reason(),
                message: e.to_string(),
            },
        }
    }
}

/// How files are read: the sample rate in Hz, how a file is cut into clips, and which of them are
/// read.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) rate: u32,
    pub(super) rule: ClipRule,
    /// `None`: all of each file.
    pub(super) excerpts: Option<Excerpts>,
}

impl Cut {
    fn seconds(&self, samples: usize) -> f64 {
        samples as f64 / f64::from(self.rate)
    }

    /// Opens the clips that are wanted of a file.
    fn open(&self, path: &Path) -> Result<Clips, AudioError> {
        match &self.excerpts {
            None => Clips::open(path, self.rate, self.rule),
            Some(excerpts) => Clips::open_excerpts(path, self.rate, self.rule, excerpts),
        }
    }

    fn decoded(&self, number: usize, clip: Clip, samples: usize) -> DecodedClip {
        DecodedClip {
            number,
            start: self.seconds(clip.start),
            end: self.seconds((clip.start + clip.len).min(samples)),
            padded: clip.padded,
            samples: (!clip.is_silent()).then_some(clip.samples),
        }
    }
}

/// Decodes inputs until there are none and no file is shared any more, or until the receiver is
/// gone.
pub(super) fn decode_loop(
    inputs: &Mutex<impl Iterator<Item = (u64, Input)>>,
    cut: Cut,
    board: &Board,
    sender: &SyncSender<DecoderEvent>,
) {
    let start = Instant::now();
    let _busy = board.busy();
    let mut decoder = Decoder {
        cut,
        board,
        sender,
        times: DecoderTimes::default(),
    };
    // Without a receiver nothing is left to do.
    if decoder.run(inputs).is_none() {
        return;
    }
    let mut times = decoder.times;
    let elapsed = start.elapsed();
    times.decoding = elapsed.saturating_sub(times.waiting + times.idle + times.resampling);
    // A receiver that is gone needs no times.
    let _ = sender.send(DecoderEvent::Done(times));
}

/// One decoder. Its methods return `None` if the receiver is gone.
struct Decoder<'a> {
    cut: Cut,
    board: &'a Board,
    sender: &'a SyncSender<DecoderEvent>,
    times: DecoderTimes,
}

impl Decoder<'_> {
    fn send(&mut self, event: DecoderEvent) -> Option<()> {
        let start = Instant::now();
        let sent = self.sender.send(event).ok();
        self.times.waiting += start.elapsed();
        sent
    }

    fn run(&mut self, inputs: &Mutex<impl Iterator<Item = (u64, Input)>>) -> Option<()> {
        loop {
            let next = inputs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((id, input)) = next else { break };
            let path = input.path().to_owned();
            self.send(DecoderEvent::Begin(id, path.clone(), Stamp::of(&path)))?;
            let result = match input {
                Input::Unreadable(_, why) => Some(Err(DecodeFailure::io(why))),
                Input::File(path) => self.file(id, &path)?,
            };
            if let Some(result) = result {
                self.send(DecoderEvent::End(id, result))?;
            }
        }
        loop {
            let start = Instant::now();
            let shared = self.board.wait();
            self.times.idle += start.elapsed();
            let Some(shared) = shared else {
                return Some(());
            };
            let reader = ClipReader::open_exact(&shared.path, self.cut.rate, self.cut.rule);
            self.pieces(&shared, reader.ok().flatten())?;
        }
    }

    /// Decodes one file and sends its clips. Returns how it ended, unless the rest of it is shared.
    fn file(&mut self, id: u64, path: &Path) -> Option<FileEnd> {
        let mut clips = match self.cut.open(path) {
            Ok(clips) => clips,
            Err(e) => return Some(Some(Err(e.into()))),
        };
        let mut is_shareable = !clips.are_excerpts();
        for number in 0.. {
            let span = tracing::info_span!("decode").entered();
            let next = clips.next_clip();
            drop(span);
            let next = match next {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(e) => return Some(Some(Err(e.into()))),
            };
            let decoded = self.cut.decoded(number, next, clips.samples());
            self.send(DecoderEvent::Clip(id, decoded))?;
            if is_shareable && self.board.is_awaited() {
                is_shareable = false;
                if let Some((shared, reader)) = self.share(id, path, &clips, number + 1) {
                    self.times.resampling += clips.resampling();
                    drop(clips);
                    self.board.offer(shared.clone());
                    self.pieces(&shared, Some(reader))?;
                    return Some(None);
                }
            }
        }
        self.times.resampling += clips.resampling();
        Some(Some(self.end(&clips)))
    }

    /// Says how a file ended whose clips were all read.
    fn end(&self, clips: &Clips) -> Result<DecodedFile, DecodeFailure> {
        if clips.is_silent() {
            let message = match clips.are_excerpts() {
                true => "there is no sound in its excerpts",
                false => SILENT.1,
            };
            return Err(DecodeFailure {
                reason: SILENT.0,
                message: message.to_owned(),
            });
        }
        Ok(DecodedFile {
            seconds: self.cut.seconds(clips.samples()),
            damaged: clips.damaged(),
        })
    }

    /// Prepares to share the clips of a file from `next` on, if that is possible and worthwhile.
    fn share(
        &self,
        id: u64,
        path: &Path,
        clips: &Clips,
        next: usize,
    ) -> Option<(Arc<SharedFile>, ClipReader)> {
        let Cut { rate, rule, .. } = self.cut;
        let reader = ClipReader::open_exact(path, rate, rule).ok()??;
        let shared = SharedFile::new(
            (id, path.to_owned()),
            self.cut.seconds(reader.samples()),
            (reader.clips(), next, self.cut.seconds(rule.step)),
            clips.levels(),
            clips.damaged().is_some(),
        )?;
        Some((shared, reader))
    }

    /// Reads pieces of a shared file until there are none. The last decoder ends the file.
    fn pieces(&mut self, shared: &SharedFile, mut reader: Option<ClipReader>) -> Option<()> {
        let mut failed = reader.is_none();
        while let Some(piece) = shared.take() {
            let Some(reader) = &mut reader else { continue };
            let is_last = shared.is_last(piece.end);
            for number in piece {
                let span = tracing::info_span!("decode").entered();
                let next = reader.clip(number);
                drop(span);
                let Ok(Some(clip)) = next else {
                    failed = true;
                    break;
                };
                let decoded = self.cut.decoded(number, clip, reader.samples());
                self.send(DecoderEvent::Clip(shared.id, decoded))?;
            }
            failed |= is_last && reader.read_to_end().is_err();
        }
        if let Some(reader) = &reader {
            self.times.resampling += reader.resampling();
        }
        match shared.leave(reader.as_ref(), failed) {
            None => Some(()),
            Some(is_doubtful) => {
                let end = match is_doubtful {
                    true => self.verdict(&shared.path),
                    false => Ok(DecodedFile {
                        seconds: shared.seconds,
                        damaged: None,
                    }),
                };
                self.send(DecoderEvent::End(shared.id, end))
            }
        }
    }

    /// Reads a file once more from its beginning, to say how it ends.
    fn verdict(&self, path: &Path) -> Result<DecodedFile, DecodeFailure> {
        let mut clips = self.cut.open(path)?;
        while clips.next_clip()?.is_some() {}
        self.end(&clips)
    }
}

/// How a file ended; `None` if others read the rest of it.
type FileEnd = Option<Result<DecodedFile, DecodeFailure>>;
