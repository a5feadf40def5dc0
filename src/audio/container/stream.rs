//! What a container gives: streams, and packets with their places on the time line.

use std::io;

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::packet::Packet;

/// A container that is being read.
pub(in super::super) trait Container: Send {
    /// Returns what comes next, or `None` at the end and for every later call.
    ///
    /// Each call moves on in the file, so that a loop over any bytes ends.
    ///
    /// # Errors
    /// What the system says. Bad bytes are not errors.
    fn next(&mut self) -> io::Result<Option<Event>>;

    /// Looks through the headers and returns the length of the stream in frames, before
    /// [`Stream::keep`] is applied. `None` unless the container is one stream in which every frame
    /// is where the headers say, so that [`Container::seek`] finds it. Nothing is decoded, and
    /// `next` goes on where it was.
    ///
    /// # Errors
    /// What the system says.
    fn frames(&mut self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Moves to packets from which a new decoder gives the right sound of frame `frame` and all
    /// later ones. Returns the place of the first frame of the next packet, which is negative if
    /// sound lies in front of the time line, or `None` if it cannot be found, and `next` must not be
    /// called then. Only after [`Container::frames`] has returned
    /// a length.
    ///
    /// # Errors
    /// What the system says.
    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let _ = frame;
        Ok(None)
    }
}

/// What a container gives.
#[derive(Debug)]
pub(in super::super) enum Event {
    /// A stream begins: the first one, or one that follows it in the same file.
    Stream(Box<Stream>),
    /// Packets of the stream.
    Group(Group),
    /// The rest of the container cannot be read, for this reason.
    Broken(String),
}

/// A part of a stream, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Kept {
    pub start: i64,
    /// One past its last tick. `i64::MAX`: to the end.
    pub end: i64,
}

impl Kept {
    /// Everything from `start` on.
    pub(in super::super) fn from(start: i64) -> Self {
        Self {
            start,
            end: i64::MAX,
        }
    }
}

/// One stream of packets for one decoder.
#[derive(Debug)]
pub(in super::super) struct Stream {
    /// What the decoder needs.
    pub params: AudioCodecParameters,
    /// Ticks per second of [`Place::At`] and `keep`.
    pub timescale: u32,
    /// The parts of the stream that are to be heard, in ticks, ascending. Empty: all of it.
    pub keep: Vec<Kept>,
    /// The most frames behind the last part of `keep` that are an encoder's padding. If more
    /// follow, the end of `keep` is wrong and is ignored. `None`: `keep` is always right.
    pub padding: Option<u64>,
    /// Frames that the header states, before `keep` is applied, less the permitted difference.
    pub stated: u64,
    /// Difference between time stamps and decoded frames that is no hole, in frames.
    pub tolerance: u64,
    /// Whether streams of different rates may follow each other in this format.
    pub chained: bool,
    /// What is wrong with it as a whole.
    pub note: Option<&'static str>,
}

impl Stream {
    /// A stream of which everything is heard, with time stamps in frames.
    pub(in super::super) fn new(params: AudioCodecParameters) -> Self {
        Self {
            timescale: params.sample_rate.unwrap_or(0),
            params,
            keep: Vec::new(),
            padding: None,
            stated: 0,
            tolerance: 0,
            chained: false,
            note: None,
        }
    }
}

/// Packets that are placed together.
#[derive(Debug)]
pub(in super::super) struct Group {
    pub packets: Vec<Packet>,
    pub place: Place,
    /// Whether packets before these are lost, so that the decoder must start anew and any
    /// difference of the time stamps is a hole.
    pub gap: bool,
}

impl Group {
    /// One packet that follows the one before it.
    pub(in super::super) fn of(packet: Packet) -> Self {
        Self {
            packets: vec![packet],
            place: Place::Next,
            gap: false,
        }
    }
}

/// Where a group lies on the stream's time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// Behind what was decoded so far.
    Next,
    /// It begins at this time stamp, in ticks.
    At(i64),
    /// Its last frame is the one before this, in ticks. In the `last` group of a stream, frames
    /// beyond it are padding.
    Until { end: i64, last: bool },
    /// Behind this many frames that are lost.
    After(u64),
}
