//! Decoder threads: files in, clips out.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::discover::Input;
use super::stamp::Stamp;
use crate::audio::{AudioError, ClipRule, Clips};

/// What a decoder thread sends. Each file gives `Begin`, its clips in order, and `End`. The events
/// of files that several decoders read at once interleave.
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
}

/// One clip of a file.
pub(super) struct DecodedClip {
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

/// The sample rate in Hz, and how a file is cut into clips.
pub(super) type Cut = (u32, ClipRule);

/// Decodes inputs until there are none, or until the receiver is gone.
pub(super) fn decode_loop(
    inputs: &Mutex<impl Iterator<Item = (u64, Input)>>,
    cut: Cut,
    sender: &SyncSender<DecoderEvent>,
) {
    let start = Instant::now();
    let mut times = DecoderTimes::default();
    // Returns whether the receiver is there.
    let mut send = |event| {
        let start = Instant::now();
        let sent = sender.send(event).is_ok();
        times.waiting += start.elapsed();
        sent
    };
    loop {
        let next = inputs.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((id, input)) = next else { break };
        let path = input.path().to_owned();
        if !send(DecoderEvent::Begin(id, path.clone(), Stamp::of(&path))) {
            return;
        }
        let result = match input {
            Input::Unreadable(_, why) => Err(DecodeFailure::io(why)),
            Input::File(path) => match decode(id, &path, cut, &mut times.resampling, &mut send) {
                Some(result) => result,
                None => return,
            },
        };
        if !send(DecoderEvent::End(id, result)) {
            return;
        }
    }
    let elapsed = start.elapsed();
    times.decoding = elapsed.saturating_sub(times.waiting + times.resampling);
    // A receiver that is gone needs no times.
    let _ = sender.send(DecoderEvent::Done(times));
}

/// Decodes one file and sends its clips. Returns `None` if the receiver is gone.
fn decode(
    id: u64,
    path: &Path,
    cut: Cut,
    resampling: &mut Duration,
    send: &mut impl FnMut(DecoderEvent) -> bool,
) -> Option<Result<DecodedFile, DecodeFailure>> {
    let (rate, rule) = cut;
    let seconds = |samples: usize| samples as f64 / f64::from(rate);
    let mut clips = match Clips::open(path, rate, rule) {
        Ok(clips) => clips,
        Err(e) => return Some(Err(e.into())),
    };
    loop {
        let span = tracing::info_span!("decode").entered();
        let next = clips.next_clip();
        drop(span);
        let next = match next {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(e) => return Some(Err(e.into())),
        };
        let decoded = DecodedClip {
            start: seconds(next.start),
            end: seconds((next.start + next.len).min(clips.samples())),
            padded: next.padded,
            samples: (!next.is_silent()).then_some(next.samples),
        };
        if !send(DecoderEvent::Clip(id, decoded)) {
            return None;
        }
    }
    *resampling += clips.resampling();
    if clips.is_silent() {
        return Some(Err(DecodeFailure {
            reason: SILENT.0,
            message: SILENT.1.to_owned(),
        }));
    }
    Some(Ok(DecodedFile {
        seconds: seconds(clips.samples()),
        damaged: clips.damaged(),
    }))
}
