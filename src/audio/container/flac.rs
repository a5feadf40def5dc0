//! FLAC (RFC 9639): header blocks, then frames without a length.
//!
//! A frame ends where the next one begins and the checksum over both ends is right. So a frame is
//! either whole or left out, and the numbers in the headers say how much is missing.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use symphonia::core::audio::Channels;
use symphonia::core::checksum::Crc16Ansi;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;
use symphonia::core::io::Monitor;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::super::error::AudioError;
use super::flac_header::{Format, FrameHeader, LONGEST, STREAM_INFO, StreamInfo};
use super::flac_numbers::Numbers;
use super::flac_places::Places;
use super::stream::{Container, Event, Group, Place, Stream};
use super::tags::end_of_sound;
use super::window::Window;

/// Bytes looked at per step.
const STEP: usize = 32 * 1024;

/// The longest frame in bytes that is put together: eight channels of 65 535 samples at 32 bits,
/// not compressed.
const LONGEST_FRAME: usize = 8 * 65_535 * 4 + 1024;

/// Frame starts that are held at the same time. More than one is only ever held behind damage.
const STARTS: usize = 8;

/// A FLAC file.
pub(super) struct Flac {
    window: Window,
    info: StreamInfo,
    /// The bytes from the first start on, of which `scanned` were searched.
    bytes: Vec<u8>,
    scanned: usize,
    /// Where frames may begin in `bytes`, with the checksum from there to `checked`.
    starts: Vec<(usize, FrameHeader, Crc16Ansi)>,
    checked: usize,
    /// An end without a header behind it: the start of its frame, and the end.
    noted: Option<(usize, usize)>,
    /// The format of the stream that was announced.
    format: Option<Format>,
    numbers: Numbers,
    /// Samples of this file so far, with those that are lost.
    given: u64,
    /// Whether bytes without a frame were dropped.
    skipped: bool,
    /// Whether bytes in front of the first frame belong to none.
    late: bool,
    /// Whether this is not the first file of several joined ones.
    joined: bool,
    /// A frame that waits for the next one, which shows what their numbers count.
    waiting: Option<(FrameHeader, Vec<u8>)>,
    events: VecDeque<Event>,
    ended: bool,
    /// Byte of the first frame.
    start: u64,
    /// Where frames are, once that was looked for.
    places: Option<Places>,
}

impl Flac {
    /// Reads the header blocks from byte `start` on. `len` is the length of the file.
    pub(super) fn open(file: File, start: u64, len: u64) -> io::Result<Result<Self, AudioError>> {
        let end = end_of_sound(&file, start, len)?;
        let mut window = Window::new(file, start, end);
        window.skip(4);
        let mut info = None;
        loop {
            let head = window.peek(4 + STREAM_INFO)?;
            let Some(&[kind, a, b, c]) = head.get(..4) else {
                break;
            };
            let size = u64::from(u32::from_be_bytes([0, a, b, c]));
            if kind & 0x7f == 0 && info.is_none() {
                info = StreamInfo::read(&head[4..]);
                window.skip(4 + STREAM_INFO as u64);
            } else if kind & 0x7f < 7 && 4 + size <= window.left() {
                window.skip(4 + size);
            } else {
                // No header block: the search for frames goes over it.
                break;
            }
            if kind & 0x80 != 0 {
                break;
            }
        }
        let Some(info) = info else {
            return Ok(Err(AudioError::damaged("no STREAMINFO block describes it")));
        };
        // symphonia 0.6 reads a 33-bit side channel into 32 bits.
        if info.format().bits > 24 {
            return Ok(Err(AudioError::unsupported("FLAC of more than 24 bits")));
        }
        let numbers = Numbers::new(&info);
        Ok(Ok(Self {
            start: window.position(),
            places: None,
            window,
            info,
            bytes: Vec::new(),
            scanned: 0,
            starts: Vec::new(),
            checked: 0,
            noted: None,
            format: None,
            numbers,
            given: 0,
            skipped: false,
            late: false,
            joined: false,
            waiting: None,
            events: VecDeque::new(),
            ended: false,
        }))
    }

    /// Searches the next bytes for frame starts, and takes the frames that end there.
    fn step(&mut self) -> io::Result<()> {
        let read = self.window.take(STEP)?;
        let last = read.is_empty();
        self.bytes.extend_from_slice(&read);
        // A header that is cut off here is looked at with the bytes that follow.
        let until = match last {
            true => self.bytes.len(),
            false => self
                .bytes
                .len()
                .saturating_sub(LONGEST.max(8 + STREAM_INFO)),
        };
        let mut at = self.scanned;
        let may_begin = |&b: &u8| b == 0xff || b == b'f';
        while let Some(next) = self.bytes[at..until].iter().position(may_begin) {
            let start = at + next;
            at = start + 1;
            let format = self.info.format();
            if let Some(info) = second_file(&self.bytes[start..]) {
                self.join(start, info);
            } else if let Some(header) = FrameHeader::read(&self.bytes[start..], format) {
                self.end(start);
                self.start(start, header);
            } else if is_sync(&self.bytes[start..]) {
                self.note_end(start);
            }
        }
        self.scanned = until;
        if last {
            self.finish();
        }
        self.forget();
        Ok(())
    }

    /// A frame may begin at `start`.
    fn start(&mut self, start: usize, header: FrameHeader) {
        if self.starts.is_empty() {
            self.late |= self.is_first() && (start > 0 || self.skipped);
        }
        if self.starts.len() == STARTS {
            self.starts.remove(0);
            self.noted = None;
            self.late |= self.is_first();
        }
        self.starts.push((start, header, Crc16Ansi::new(0)));
    }

    /// A frame may end at `end`, where another begins: takes it if the checksum over one of the
    /// starts is right, here or at an end that was noted before.
    fn end(&mut self, end: usize) {
        let whole = self.whole_at(end).map(|i| (i, end)).or(self.noted);
        self.noted = None;
        if let Some((i, end)) = whole {
            self.late |= i > 0 && self.is_first();
            let (begin, header, _) = self.starts[i];
            let frame = self.bytes[begin..end].to_vec();
            self.starts.clear();
            self.frame(header, frame);
        }
    }

    /// Notes that a frame ends at `end` if its checksum is right. The header that follows there is
    /// damaged, or these are bytes of a frame that look like one.
    fn note_end(&mut self, end: usize) {
        let whole = self.whole_at(end).map(|i| (i, end));
        self.noted = self.noted.or(whole);
    }

    /// Brings the checksums to byte `end`, and returns the first start whose frame ends there.
    fn whole_at(&mut self, end: usize) -> Option<usize> {
        let bytes = &self.bytes[self.checked.min(end)..end];
        for (_, _, crc) in &mut self.starts {
            crc.process_buf_bytes(bytes);
        }
        self.checked = end;
        // A checksum over a frame and the checksum behind it is 0.
        self.starts.iter().position(|(_, _, crc)| crc.crc() == 0)
    }

    /// Returns whether no frame was found so far.
    fn is_first(&self) -> bool {
        self.format.is_none() && self.waiting.is_none()
    }

    /// Another file begins at `start`, behind the last frame of the one before.
    fn join(&mut self, start: usize, info: StreamInfo) {
        self.close(start);
        (self.late, self.skipped) = (false, false);
        self.numbers = Numbers::new(&info);
        self.given = 0;
        self.info = info;
        self.format = None;
        self.joined = true;
    }

    /// The file ends here: takes the last frame.
    fn finish(&mut self) {
        self.ended = true;
        self.close(self.bytes.len());
    }

    /// The frames end at `end`. A last frame with other bytes behind it still decodes, and one that
    /// is cut off does not.
    fn close(&mut self, end: usize) {
        self.end(end);
        if let Some((begin, header, _)) = self.starts.pop() {
            let frame = self.bytes[begin..end].to_vec();
            self.frame(header, frame);
        }
        self.starts.clear();
        if let Some((header, frame)) = self.waiting.take() {
            self.place(header, frame);
        }
    }

    /// Drops the bytes in front of the first start, and starts that are too far back.
    fn forget(&mut self) {
        let scanned = self.scanned;
        let held = self.starts.len();
        self.starts
            .retain(|&(start, ..)| scanned - start.min(scanned) <= LONGEST_FRAME);
        if self.starts.len() < held {
            self.noted = None;
            self.late |= self.is_first();
        }
        let keep = self.starts.first().map_or(scanned, |&(start, ..)| start);
        self.skipped |= self.starts.is_empty() && keep > 0;
        self.bytes.drain(..keep);
        self.scanned -= keep;
        self.checked = self.checked.saturating_sub(keep);
        if let Some((_, end)) = &mut self.noted {
            *end -= keep.min(*end);
        }
        for (start, ..) in &mut self.starts {
            *start -= keep;
        }
    }

    /// Takes a whole frame.
    fn frame(&mut self, header: FrameHeader, frame: Vec<u8>) {
        if self.numbers.by_sample.is_none() {
            match self.waiting.take() {
                None => {
                    self.waiting = Some((header, frame));
                    return;
                }
                Some((first, bytes)) => {
                    self.numbers.decide(&first, &header);
                    self.place(first, bytes);
                }
            }
        }
        self.place(header, frame);
    }

    /// Puts out a frame, with what is missing in front of it.
    fn place(&mut self, header: FrameHeader, frame: Vec<u8>) {
        if self.format != Some(header.format) {
            let mut stream = Stream::new(self.params(header.format));
            if self.format.is_none() {
                stream.stated = self.info.total().unwrap_or(0);
                if self.joined {
                    stream.note = Some("several files are joined in it");
                }
            }
            self.format = Some(header.format);
            self.events.push_back(Event::Stream(Box::new(stream)));
        }
        // A stream of unknown length may be a part of a longer one, a broadcast say.
        let whole = self.late || self.info.total().is_some();
        let lost = self.numbers.lost(&header, whole);
        // Numbers that lead behind the end of the stream are damaged.
        let samples = u64::from(header.samples);
        let most = self.info.total().unwrap_or(u64::MAX);
        let lost = match self.given.saturating_add(lost).saturating_add(samples) <= most {
            true => lost,
            false => 0,
        };
        self.given = self.given.saturating_add(lost + samples);
        let duration = Duration::from(header.samples);
        let packet = Packet::new(0, Timestamp::new(0), duration, frame);
        self.events.push_back(Event::Group(Group {
            packets: vec![packet],
            place: if lost > 0 {
                Place::After(lost)
            } else {
                Place::Next
            },
            gap: false,
        }));
    }

    fn params(&self, format: Format) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(CODEC_ID_FLAC)
            .with_sample_rate(format.rate)
            .with_bits_per_sample(u32::from(format.bits))
            .with_channels(Channels::Discrete(u16::from(format.channels)))
            .with_extra_data(self.info.for_decoder(format));
        params
    }
}

impl Container for Flac {
    fn next(&mut self) -> io::Result<Option<Event>> {
        while self.events.is_empty() && !self.ended {
            self.step()?;
        }
        Ok(self.events.pop_front())
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        if self.joined || self.format != Some(self.info.format()) {
            return Ok(None);
        }
        self.places = Places::find(&self.window.reopen(self.start)?, &self.info)?;
        Ok(self.places.as_ref().map(Places::samples))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let Some(places) = &self.places else {
            return Ok(None);
        };
        let window = self.window.reopen(self.start)?;
        let Some(place) = places.before(&window, frame)? else {
            return Ok(None);
        };
        self.window = window.reopen(place.position)?;
        self.bytes.clear();
        self.starts.clear();
        self.events.clear();
        (self.scanned, self.checked, self.noted) = (0, 0, None);
        (self.waiting, self.ended) = (None, false);
        self.numbers.begin(&place.header);
        self.given = place.sample;
        Ok(Some(place.sample as i64))
    }
}

/// Returns whether the sync word of a frame begins here.
fn is_sync(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xf8 | 0xf9, ..])
}

/// Reads the first header block of another FLAC file that begins here.
fn second_file(bytes: &[u8]) -> Option<StreamInfo> {
    let block = bytes.strip_prefix(b"fLaC")?;
    match block {
        [0 | 0x80, 0, 0, 34, info @ ..] => StreamInfo::read(info),
        _ => None,
    }
}
