//! MP3, its older layers, and ADTS AAC: frames that state their own length, one behind the other.
//!
//! The stream has no time stamps, so what is lost is counted in bytes: bytes that belong to no
//! frame stand for as many frames as they would have held.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::super::aac::config;
use super::super::sniff::Format;
use super::bytes::u32_at;
use super::mpeg_header::{Header, Parse, adts_header, find, mpeg_header};
use super::mpeg_marks::Marks;
use super::stream::{Container, Event, Group, Kept, Place, Stream};
use super::tags::{HEAD as TAG, begins_tag, end_of_sound, len_of_tag};
use super::window::Window;

/// Bytes that are searched at a time for the next frame.
const SEARCH: usize = 64 * 1024;

/// Bytes of a frame that show whether it is a tag.
const HEAD: usize = 256;

/// Samples that the synthesis of an MP3 decoder adds in front (LAME's tag counts without them).
const DECODER_DELAY: u64 = 529;

/// Samples per channel by which a file may be shorter than its tag states without a note.
const SLACK: u64 = 4 * 1152;

/// A stream of MPEG frames.
pub(super) struct Mpeg {
    window: Window,
    parse: Parse,
    /// The header of the frame before, in this stream.
    last: Option<Header>,
    /// Frames and bytes of this stream so far.
    frames: u64,
    bytes: u64,
    /// Frames that the stream's tag states.
    stated: Option<u64>,
    /// Bytes that the stream is longer than its tag states.
    surplus: u64,
    events: VecDeque<Event>,
    /// Byte of the first frame of the container.
    start: u64,
    /// Where frames begin, once that was looked for.
    marks: Option<Marks>,
    /// Whether frames are looked for and not taken: they give marks and no events.
    marking: bool,
}

impl Mpeg {
    /// Frames from byte `start` on, where the first one begins. `len` is the length of the file.
    pub(super) fn open(file: File, format: Format, start: u64, len: u64) -> io::Result<Self> {
        let end = end_of_sound(&file, start, len)?;
        let parse = match format {
            Format::Adts => adts_header,
            _ => mpeg_header,
        };
        Ok(Self::new(Window::new(file, start, end), parse))
    }

    fn new(window: Window, parse: Parse) -> Self {
        Self {
            start: window.position(),
            window,
            parse,
            last: None,
            frames: 0,
            bytes: 0,
            stated: None,
            surplus: 0,
            events: VecDeque::new(),
            marks: None,
            marking: false,
        }
    }

    /// Takes the frame that begins here, whose header is `header`.
    fn frame(&mut self, header: Header) -> io::Result<()> {
        let position = self.window.position();
        let ahead = self.window.peek(header.len)?;
        let Some(bytes) = ahead.get(..header.len) else {
            // The file ends inside this frame.
            self.window.skip(u64::MAX);
            return Ok(());
        };
        let tag = match header.layer {
            3 => Tag::read(bytes, &header),
            _ => None,
        };
        let data = match header.layer {
            _ if self.marking => Vec::new(),
            4 => bytes[header.prefix..].to_vec(),
            _ => bytes.to_vec(),
        };
        self.window.skip(header.len as u64);
        let begins = self.last.is_none_or(|last| !last.continues(&header));
        if begins || tag.is_some() {
            let stream = stream(&header, tag.as_ref());
            self.events.push_back(Event::Stream(Box::new(stream)));
            (self.frames, self.bytes) = (0, 0);
            self.stated = tag.as_ref().and_then(|tag| tag.frames);
        }
        self.last = Some(header);
        if let Some(tag) = tag {
            let left = self.window.left() + header.len as u64;
            // A longer rest is another file that follows.
            let surplus = |bytes: u64| left.saturating_sub(bytes).min(bytes / 4);
            self.surplus = tag.bytes.map_or(0, surplus);
            return Ok(());
        }
        self.frames += 1;
        self.bytes += header.len as u64;
        if self.marking {
            let marks = self.marks.get_or_insert_default();
            marks.frame(position, &header);
            return Ok(());
        }
        let duration = Duration::from(header.samples);
        let packet = Packet::new(0, Timestamp::new(0), duration, data);
        self.events.push_back(Event::Group(Group::of(packet)));
        Ok(())
    }

    /// Skips a tag that begins here. Returns whether there was one.
    fn skip_tag(&mut self) -> io::Result<bool> {
        let len = len_of_tag(&mut self.window)?;
        self.window.skip(len);
        Ok(len > 0)
    }

    /// Moves to the next frame behind bytes that are none. Returns whether there is one.
    fn resync(&mut self) -> io::Result<bool> {
        let mut lost = 0;
        loop {
            let whole = self.window.left() <= SEARCH as u64;
            let ahead = self.window.peek(SEARCH)?;
            let ahead = &ahead[..ahead.len().min(SEARCH)];
            match find(ahead, whole, self.parse) {
                Some(at) => {
                    self.window.skip(at as u64);
                    lost += at as u64;
                    break;
                }
                None if whole => {
                    self.rest(lost + self.window.left());
                    self.window.skip(u64::MAX);
                    return Ok(false);
                }
                None => {
                    // A chain of headers may begin near the end of what was searched.
                    self.window.skip(SEARCH as u64 / 2);
                    lost += SEARCH as u64 / 2;
                }
            }
        }
        let here = (self.parse)(self.window.peek(HEAD)?);
        let begins = match here {
            Some(header) if header.layer == 3 => {
                Tag::read(self.window.peek(HEAD)?, &header).is_some()
            }
            _ => false,
        };
        // Bytes that the stream has too many of were put in, and stand for nothing.
        let added = lost.min(self.surplus);
        self.surplus -= added;
        lost -= added;
        if let Some(last) = self.last
            && self.frames > 0
            && !begins
        {
            let frames = (lost * self.frames + self.bytes / 2) / self.bytes;
            let place = Place::After(frames * last.samples);
            self.events.push_back(Event::Group(Group {
                packets: Vec::new(),
                place,
                gap: true,
            }));
        }
        Ok(true)
    }

    /// The last `lost` bytes are no frames. That is said if a frame would have had room in them,
    /// unless the stream has all frames that its tag states.
    fn rest(&mut self, lost: u64) {
        let is_whole = self.stated.is_some_and(|stated| self.frames >= stated);
        if self.frames > 0 && !is_whole && lost * self.frames >= self.bytes {
            self.events.push_back(Event::Group(Group {
                packets: Vec::new(),
                place: Place::Next,
                gap: true,
            }));
        }
    }

    /// Returns whether the frame here is followed by a frame, a tag or the file's end.
    fn is_followed(&mut self, header: &Header) -> io::Result<bool> {
        let parse = self.parse;
        let ahead = self.window.peek(header.len + TAG)?;
        let Some(behind) = ahead.get(header.len..) else {
            return Ok(true);
        };
        let is_tag = begins_tag(behind);
        Ok(behind.len() < 7 || is_tag || parse(behind).is_some_and(|next| header.continues(&next)))
    }
}

impl Container for Mpeg {
    fn next(&mut self) -> io::Result<Option<Event>> {
        while self.events.is_empty() {
            if self.window.left() == 0 {
                return Ok(None);
            }
            let parse = self.parse;
            let header = parse(self.window.peek(TAG)?);
            let expected = |header: &Header| self.last.is_none_or(|last| last.continues(header));
            match header.filter(expected) {
                Some(header) if self.is_followed(&header)? => self.frame(header)?,
                Some(header) => {
                    // Either this frame is cut short or the bytes behind it are damaged.
                    let whole = self.window.left() <= SEARCH as u64;
                    let ahead = self.window.peek(SEARCH)?;
                    let ahead = &ahead[..ahead.len().min(SEARCH)];
                    match find(&ahead[1..], whole, parse).map(|at| at + 1) {
                        Some(next) if next < header.len => {
                            self.window.skip(1);
                            self.resync()?;
                        }
                        _ => self.frame(header)?,
                    }
                }
                None if self.skip_tag()? => {}
                None => {
                    if !self.resync()? {
                        return Ok(self.events.pop_front());
                    }
                    // What follows may be of another kind.
                    let here = parse(self.window.peek(TAG)?);
                    if let Some(header) = here {
                        self.frame(header)?;
                    }
                }
            }
        }
        Ok(self.events.pop_front())
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        let mut marking = Self::new(self.window.reopen(self.start)?, self.parse);
        marking.marking = true;
        // Only the stream itself is announced if all of its frames follow each other.
        let is_one = matches!(marking.next()?, Some(Event::Stream(_))) && marking.next()?.is_none();
        self.marks = marking.marks.filter(|_| is_one);
        Ok(self.marks.as_ref().and_then(Marks::samples))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let Some(marks) = &self.marks else {
            return Ok(None);
        };
        let (number, position) = marks.before(frame);
        self.window = self.window.reopen(position)?;
        self.events.clear();
        (self.frames, self.bytes) = (number, position - marks.first());
        Ok(Some(marks.place(number) as i64))
    }
}

/// Describes the stream that begins with `header`.
fn stream(header: &Header, tag: Option<&Tag>) -> Stream {
    let mut params = AudioCodecParameters::new();
    let codec = match header.layer {
        1 => CODEC_ID_MP1,
        2 => CODEC_ID_MP2,
        3 => CODEC_ID_MP3,
        _ => CODEC_ID_AAC,
    };
    params
        .for_codec(codec)
        .with_sample_rate(header.rate)
        .with_channels(Channels::Discrete(header.channels));
    if header.layer == 4 {
        let channels = match header.channels {
            8 => 7,
            channels => channels,
        };
        params.with_extra_data(config(header.detail.into(), header.rate, channels.into()));
    }
    let mut stream = Stream::new(params);
    if let Some(tag) = tag {
        let total = tag.frames.map(|frames| frames * header.samples);
        if let Some((delay, padding)) = tag.gaps {
            let end = total.map_or(i64::MAX, |total| total.saturating_sub(padding) as i64);
            let start = delay as i64;
            stream.keep = vec![Kept { start, end }];
            stream.padding = Some(padding);
        }
        stream.stated = total.unwrap_or(0).saturating_sub(SLACK);
    }
    stream
}

/// What a Xing, Info or VBRI frame says about the stream. It holds no sound.
#[derive(Debug, PartialEq, Eq)]
struct Tag {
    /// Frames in the stream.
    frames: Option<u64>,
    /// Bytes in the stream, with this frame.
    bytes: Option<u64>,
    /// Samples of delay in front, as decoders give them, and of padding at the end.
    gaps: Option<(u64, u64)>,
}

impl Tag {
    fn read(frame: &[u8], header: &Header) -> Option<Self> {
        if frame.get(36..40) == Some(b"VBRI") {
            let bytes = u32_at(frame, 36 + 10)?;
            let frames = u32_at(frame, 36 + 14)?;
            return Some(Self::of(frames, bytes, None));
        }
        // The checksum of a protected frame is not counted in the place of the tag.
        let at = 4 + usize::from(header.detail);
        if !matches!(frame.get(at..at + 4), Some(b"Xing" | b"Info")) {
            return None;
        }
        if frame[header.prefix..at].iter().any(|&b| b != 0) {
            return None;
        }
        let flags = u32_at(frame, at + 4)?;
        let mut next = at + 8;
        let frames = match flags & 1 {
            0 => 0,
            _ => u32_at(frame, next)?,
        };
        let bytes = match flags & 2 {
            0 => 0,
            _ => u32_at(frame, next + 4 * (flags & 1) as usize)?,
        };
        for (bit, len) in [(1, 4), (2, 4), (4, 100), (8, 4)] {
            if flags & bit != 0 {
                next += len;
            }
        }
        // LAME's extension: a name, 12 bytes of other facts, then both gaps in 12 bits each.
        let named = matches!(frame.get(next..next + 4), Some(b"LAME" | b"Lavf" | b"Lavc"));
        let gaps = frame.get(next + 21..next + 24).filter(|_| named).map(|b| {
            let delay = u64::from(b[0]) << 4 | u64::from(b[1]) >> 4;
            let padding = u64::from(b[1] & 15) << 8 | u64::from(b[2]);
            let delay = delay + DECODER_DELAY;
            (delay, padding.saturating_sub(DECODER_DELAY))
        });
        Some(Self::of(frames, bytes, gaps))
    }

    fn of(frames: u32, bytes: u32, gaps: Option<(u64, u64)>) -> Self {
        Self {
            frames: (frames > 0).then_some(u64::from(frames)),
            bytes: (bytes > 0).then_some(u64::from(bytes)),
            gaps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        // MPEG 1, layer III, 128 kbit/s, 44.1 kHz, stereo.
        let mut frame = vec![0; 417];
        frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x44]);
        let header = mpeg_header(&frame).unwrap();
        assert_eq!((header.len, header.samples, header.detail), (417, 1152, 32));
        assert_eq!(Tag::read(&frame, &header), None);

        frame[36..40].copy_from_slice(b"Info");
        frame[43] = 1;
        frame[44..48].copy_from_slice(&155_u32.to_be_bytes());
        assert_eq!(Tag::read(&frame, &header), Some(Tag::of(155, 0, None)));
        frame[43] = 15;
        frame[48..52].copy_from_slice(&65_000_u32.to_be_bytes());
        let lame = 36 + 8 + 112;
        frame[lame..lame + 4].copy_from_slice(b"LAME");
        frame[lame + 21..lame + 24].copy_from_slice(&[0x24, 0x04, 0xb0]);
        let gaps = Some((576 + 529, 1200 - 529));
        assert_eq!(Tag::read(&frame, &header), Some(Tag::of(155, 65_000, gaps)));
        frame[10] = 1;
        assert_eq!(Tag::read(&frame, &header), None, "side information: sound");
    }
}
