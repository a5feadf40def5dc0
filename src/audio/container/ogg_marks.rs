//! Where the pages of an Ogg stream lie on its time line.

use std::io;

use super::super::opus;
use super::super::vorbis::BlockLengths;
use super::flac_header::{FrameHeader, STREAM_INFO, StreamInfo};
use super::ogg_codec::{Codec, Headers};
use super::ogg_page::{Found, Page, next};
use super::window::Window;

/// Bytes of a packet that show its length in frames.
const HEAD: usize = 16;

/// Frames that are decoded and dropped in front of a place: two of the longest blocks of Vorbis, and
/// two seconds of Opus, whose decoder has forgotten then what came before (RFC 7845 recommends 80 ms,
/// after which a listener hears no difference).
const WARM_UP: (i64, i64) = (2 * 8192, 2 * opus::RATE as i64);

/// Frames that the decoder of Vorbis gives before the page counts them, at most: the flat part of a
/// long block in front of a short one.
const LEAD: i64 = 8192 / 4;

/// A page with the end of a packet.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Byte in the file.
    position: u64,
    /// Its number in the stream.
    number: u32,
    /// Frames that were decoded in front of it, and with it.
    start: i64,
    end: i64,
}

/// A page from which decoding begins.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// Byte in the file.
    pub position: u64,
    /// Frames in front of it.
    pub start: i64,
    /// The numbers of this page and some that follow, and where the frames end that they give.
    pub ends: Vec<(u32, i64)>,
}

/// The pages of a stream that has no hole.
#[derive(Debug)]
pub(super) struct Marks {
    codec: Codec,
    pages: Vec<Mark>,
    end: i64,
}

impl Marks {
    /// Looks at all pages of a container, which begins where `window` does. `headers` are those of
    /// the stream `serial`. `None` if there is another stream behind it, or if a page does not end
    /// where its packets do.
    pub(super) fn find(
        window: &mut Window,
        serial: u32,
        headers: &Headers,
    ) -> io::Result<Option<Self>> {
        let Some(lengths) = Lengths::of(headers) else {
            return Ok(None);
        };
        let mut scan = Scan {
            lengths,
            seen: Headers::new(headers.codec()),
            number: None,
            head: None,
            begun: false,
            frames: 0,
            position: 0,
            marks: Self {
                codec: headers.codec(),
                pages: Vec::new(),
                end: 0,
            },
            trimmed: false,
        };
        let mut opening = true;
        loop {
            let position = window.position();
            let page = match next(window)? {
                None => break,
                Some(Found::Page(page)) => page,
                Some(Found::Bad(_)) => return Ok(None),
            };
            if page.first && !opening {
                return Ok(None);
            }
            opening = page.first;
            if page.serial == serial && scan.page(&page, position).is_none() {
                return Ok(None);
            }
        }
        let is_whole = window.junk() == 0 && scan.frames == 0 && scan.marks.pages.len() > 2;
        Ok(is_whole.then_some(scan.marks))
    }

    /// Returns the length of the stream in frames.
    pub(super) fn frames(&self) -> u64 {
        self.end.max(0) as u64
    }

    /// Returns a page from which decoding gives the right sound of frame `frame`.
    pub(super) fn before(&self, frame: u64) -> Option<Start> {
        let warm_up = match self.codec {
            Codec::Vorbis => WARM_UP.0,
            Codec::Opus => WARM_UP.1,
            Codec::Flac => 0,
        };
        let early = i64::try_from(frame).ok()?.saturating_sub(warm_up);
        let behind = self.pages.partition_point(|mark| mark.start <= early);
        // A page may begin within a packet, which is not decoded.
        let pages = &self.pages[behind.saturating_sub(2)..];
        let mark = pages.first()?;
        Some(Start {
            position: mark.position,
            start: mark.start,
            ends: pages
                .iter()
                .take(8)
                .map(|page| (page.number, page.end))
                .collect(),
        })
    }
}

/// Looks through the pages of a stream.
struct Scan {
    lengths: Lengths,
    /// The headers so far.
    seen: Headers,
    number: Option<u32>,
    /// The first bytes of the packet that has begun.
    head: Option<Vec<u8>>,
    /// Whether a packet of sound was there.
    begun: bool,
    /// Frames of packets since the last page that says where it ends.
    frames: i64,
    /// Frames that are decoded up to that page.
    position: i64,
    marks: Marks,
    /// Whether the last page ends before its packets do, as only the last one may.
    trimmed: bool,
}

impl Scan {
    /// Takes a page. `None` if it is not where it should be.
    fn page(&mut self, page: &Page, position: u64) -> Option<()> {
        let is_next = self.number.is_none_or(|number| number == page.number);
        if !is_next || self.trimmed || page.continued != self.head.is_some() {
            return None;
        }
        self.number = Some(page.number.wrapping_add(1));
        let (mut at, mut any, first) = (0, false, !self.begun);
        for &len in &page.segments {
            let segment = &page.body[at..at + usize::from(len)];
            at += usize::from(len);
            let head = self.head.get_or_insert_default();
            let missing = HEAD - head.len();
            head.extend_from_slice(&segment[..segment.len().min(missing)]);
            if len == 255 {
                continue;
            }
            let head = self.head.take()?;
            if self.seen.wants(&head) {
                if self.begun {
                    return None;
                }
                self.seen.push(head);
                continue;
            }
            let frames = self.lengths.frames(&head)?;
            // The first block of Vorbis only begins the second.
            if self.begun || !matches!(self.lengths, Lengths::Vorbis(_)) {
                self.frames += frames;
            }
            (self.begun, any) = (true, true);
        }
        if !any {
            return Some(());
        }
        if page.granule < 0 {
            return None;
        }
        let before = match first {
            true => page.granule - self.frames,
            false => self.position,
        };
        let end = before + self.frames;
        let lead = match self.lengths {
            Lengths::Vorbis(_) => LEAD,
            _ => 0,
        };
        if !(before..=end).contains(&page.granule) {
            return None;
        }
        self.trimmed = page.last || end - page.granule > lead;
        self.marks.pages.push(Mark {
            position,
            number: page.number,
            start: before,
            end,
        });
        (self.position, self.marks.end) = (end, page.granule);
        self.frames = 0;
        Some(())
    }
}

/// Tells how many frames a packet gives.
enum Lengths {
    Vorbis(Box<BlockLengths>),
    Opus,
    Flac(StreamInfo),
}

impl Lengths {
    fn of(headers: &Headers) -> Option<Self> {
        Some(match headers.codec() {
            Codec::Vorbis => {
                let stream = headers.stream()?;
                Self::Vorbis(Box::new(BlockLengths::new(&stream.params)?))
            }
            Codec::Opus => Self::Opus,
            Codec::Flac => {
                let info = headers.first()?.get(17..17 + STREAM_INFO)?;
                Self::Flac(StreamInfo::read(info)?)
            }
        })
    }

    fn frames(&self, head: &[u8]) -> Option<i64> {
        match self {
            Self::Vorbis(lengths) => lengths.frames(head),
            // The decoder of speech remembers a tone for many seconds.
            Self::Opus if opus::is_speech(head) => None,
            Self::Opus => opus::frames(head),
            // ffmpeg ends a stream with an empty packet.
            Self::Flac(_) if head.is_empty() => Some(0),
            Self::Flac(info) => {
                let header = FrameHeader::read(head, info.format())?;
                (header.format == info.format()).then_some(i64::from(header.samples))
            }
        }
    }
}
