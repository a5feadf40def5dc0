//! Decoder threads: files in, clips out.

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Input;
use crate::audio::{self, AudioError, Clips};

/// What a file was when it was read: if it differs, the file has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Last change, nanoseconds since 1970; 0 where the system does not say.
    pub modified: u64,
}

impl Stamp {
    /// Of the file as it is now; `None` if it cannot be looked at.
    pub fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        let modified = about
            .modified()
            .ok()
            .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |t| t.as_nanos() as u64);
        Some(Self {
            size: about.len(),
            modified,
        })
    }
}

/// What a decoder has to say. Each file is begun, gives its clips in order, and ends; between several decoders the files
/// interleave.
pub(super) enum Message {
    Begin(u64, PathBuf, Option<Stamp>),
    Clip(u64, Cut),
    End(u64, Result<Whole, (&'static str, String)>),
    /// A decoder has no more files.
    Done(Spent),
}

/// Where a decoder's time went.
#[derive(Default)]
pub(super) struct Spent {
    pub(super) decoding: Duration,
    pub(super) resampling: Duration,
    /// For room in the queue.
    pub(super) waiting: Duration,
}

/// One clip with sound in it, or a note that there was none.
pub(super) struct Cut {
    /// Seconds.
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) padded: bool,
    /// `None`: it is silent, and nobody need look at it.
    pub(super) samples: Option<Vec<f32>>,
}

/// A file that was read to its end.
pub(super) struct Whole {
    pub(super) seconds: f64,
    pub(super) damaged: Option<String>,
}

/// How files are cut.
#[derive(Clone, Copy)]
pub(super) struct Cutting {
    pub(super) rate: u32,
    pub(super) clip: usize,
    pub(super) hop: usize,
}

/// Takes files until there are none, or until nobody listens.
pub(super) fn work(
    found: &Mutex<impl Iterator<Item = (u64, Input)>>,
    cutting: Cutting,
    send: &SyncSender<Message>,
) {
    let start = Instant::now();
    let mut spent = Spent::default();
    let mut tell = |message| {
        let start = Instant::now();
        let sent = send.send(message).is_ok();
        spent.waiting += start.elapsed();
        sent
    };
    loop {
        let next = found.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((id, found)) = next else { break };
        let (path, failed) = match found {
            Input::File(path) => (path, None),
            Input::Unreadable(path, why) => (path, Some(("io", why))),
        };
        if !tell(Message::Begin(id, path.clone(), Stamp::of(&path))) {
            return;
        }
        let result = match failed {
            Some(failed) => Err(failed),
            None => match decode(id, &path, cutting, &mut spent.resampling, &mut tell) {
                Some(result) => result,
                None => return,
            },
        };
        if !tell(Message::End(id, result)) {
            return;
        }
    }
    let elapsed = start.elapsed();
    spent.decoding = elapsed.saturating_sub(spent.waiting + spent.resampling);
    let _ = send.send(Message::Done(spent));
}

/// `None` if nobody listens any more.
fn decode(
    id: u64,
    path: &Path,
    cutting: Cutting,
    resampling: &mut Duration,
    tell: &mut impl FnMut(Message) -> bool,
) -> Option<Result<Whole, (&'static str, String)>> {
    let failed = |e: AudioError| match e {
        // The row names the path already; the system's words are enough.
        AudioError::Io { source, .. } => ("io", source.to_string()),
        e => (e.reason(), e.to_string()),
    };
    let Cutting { rate, clip, hop } = cutting;
    let seconds = |samples: usize| samples as f64 / f64::from(rate);
    let mut clips = match Clips::open(path, rate, clip, hop) {
        Ok(clips) => clips,
        Err(e) => return Some(Err(failed(e))),
    };
    loop {
        let span = tracing::info_span!("decode").entered();
        let next = clips.next_clip();
        drop(span);
        let cut = match next {
            Ok(Some(cut)) => cut,
            Ok(None) => break,
            Err(e) => return Some(Err(failed(e))),
        };
        let silent = audio::is_silent(&cut.samples);
        let cut = Cut {
            start: seconds(cut.start),
            end: seconds(cut.start + cut.len),
            padded: cut.len < clip,
            samples: (!silent).then_some(cut.samples),
        };
        if !tell(Message::Clip(id, cut)) {
            return None;
        }
    }
    *resampling += clips.resampling();
    Some(Ok(Whole {
        seconds: seconds(clips.samples()),
        damaged: clips.damaged(),
    }))
}
