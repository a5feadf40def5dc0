//! Ogg (RFC 3533): pages of several streams, of which the first audio stream is read, and after its
//! end the first audio stream of the next part of a chain.
//!
//! A page says where its last packet ends. The packets of a page are placed together by that, which
//! shows lost pages, a late start and padding at the end.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::super::error::AudioError;
use super::ogg_codec::{Headers, Kind};
use super::ogg_marks::{Marks, Start};
use super::ogg_page::{Found, Page, next};
use super::stream::{Container, Event, Group, Place};
use super::window::Window;

/// Longest packet in bytes. A larger one is damage.
const LONGEST: usize = 16 * 1024 * 1024;

/// Packets that are held until a page says where they end.
const PACKETS: usize = 4096;

/// Times from here on are damage: 180 years at 48 kHz.
const LATEST: i64 = 1 << 48;

/// Pages in which the headers of a stream must come. Large pictures take many.
const HEADER_PAGES: u32 = 4096;

/// Ticks by which the end that a page with a wrong checksum states is believed to be ahead: ten
/// seconds at 48 kHz.
const BELIEVED: i64 = 480_000;

/// The audio stream of an Ogg file.
pub(super) struct Ogg {
    window: Window,
    /// Whether the pages with which streams begin are being read.
    opening: bool,
    /// The stream that is read.
    logical: Option<Logical>,
    /// What streams were found that cannot be read.
    others: Vec<Kind>,
    /// Whether any stream was announced.
    any: bool,
    /// Bytes that are no page, up to the last page that was read.
    junk: u64,
    events: VecDeque<Event>,
    ended: bool,
    /// First byte of the container.
    start: u64,
    /// Where pages are, once that was looked for.
    marks: Option<Marks>,
}

/// A logical stream.
struct Logical {
    serial: u32,
    headers: Headers,
    announced: bool,
    pages: u32,
    /// The number that the next page should have.
    number: Option<u32>,
    /// The beginning of a packet that goes on in the next page.
    part: Option<Vec<u8>>,
    packets: Vec<Packet>,
    /// Whether pages before `packets` are lost.
    gap: bool,
    /// The last end that a page stated.
    granule: i64,
    /// The end that a page with a wrong checksum states, behind all others.
    lost_until: Option<i64>,
    /// The last group.
    held: Option<Group>,
    /// Whether the last page was marked as the last.
    ended: bool,
    /// Where pages end behind a place that was sought, by their numbers, until the first is read.
    ends: Vec<(u32, i64)>,
}

impl Ogg {
    /// Reads the headers from byte `start` on. `len` is the length of the file.
    pub(super) fn open(file: File, start: u64, len: u64) -> io::Result<Result<Self, AudioError>> {
        let mut ogg = Self {
            window: Window::new(file, start, len),
            opening: false,
            logical: None,
            others: Vec::new(),
            any: false,
            junk: 0,
            events: VecDeque::new(),
            ended: false,
            start,
            marks: None,
        };
        while ogg.events.is_empty() && !ogg.ended {
            ogg.step()?;
        }
        if ogg.any {
            return Ok(Ok(ogg));
        }
        let other = ogg.others.iter().find_map(|kind| match kind {
            Kind::OtherAudio(name) => Some(*name),
            _ => None,
        });
        Ok(Err(match (other, &ogg.logical) {
            (Some(name), None) => AudioError::unsupported(name),
            (_, Some(_)) => AudioError::damaged("the headers of its stream are cut off or damaged"),
            (None, None) if ogg.others.is_empty() => {
                AudioError::damaged("no Ogg page begins a stream")
            }
            (None, None) => AudioError::NoAudioTrack,
        }))
    }

    /// Reads a page.
    fn step(&mut self) -> io::Result<()> {
        match next(&mut self.window)? {
            None => {
                self.finish();
                self.ended = true;
            }
            Some(Found::Bad(page)) => {
                if let Some(logical) = &mut self.logical
                    && logical.serial == page.serial
                    && (logical.granule..logical.granule.saturating_add(BELIEVED))
                        .contains(&page.granule)
                {
                    logical.lost_until = Some(page.granule);
                }
            }
            Some(Found::Page(page)) if page.first => self.begin(&page),
            Some(Found::Page(page)) => {
                self.opening = false;
                if let Some(logical) = &mut self.logical
                    && logical.serial == page.serial
                {
                    let before = self.events.len();
                    self.junk = self.window.junk();
                    logical.page(page, &mut self.events);
                    self.any |= self.events.len() > before;
                }
            }
        }
        Ok(())
    }

    /// A stream begins with `page`.
    fn begin(&mut self, page: &Page) {
        if !self.opening {
            // All streams of a part begin before the sound of any.
            self.finish();
            self.opening = true;
        }
        match (Kind::of(&page.body), &self.logical) {
            (Kind::Audio(codec), None) => {
                let mut headers = Headers::new(codec);
                headers.push(page.body.clone());
                self.logical = Some(Logical {
                    serial: page.serial,
                    headers,
                    announced: false,
                    pages: 0,
                    number: Some(page.number.wrapping_add(1)),
                    part: None,
                    packets: Vec::new(),
                    gap: false,
                    granule: 0,
                    lost_until: None,
                    held: None,
                    ended: false,
                    ends: Vec::new(),
                });
            }
            (kind, _) if self.others.contains(&kind) => {}
            (kind, _) => self.others.push(kind),
        }
    }

    /// The part of the chain ends.
    fn finish(&mut self) {
        // Without headers there is no stream, unless the file has no other.
        if self.logical.as_ref().is_some_and(|l| l.announced)
            && let Some(logical) = self.logical.take()
        {
            logical.finish(self.window.junk() > self.junk, &mut self.events);
        } else if self.window.left() > 0 {
            self.logical = None;
        }
    }
}

impl Logical {
    /// Takes a page of this stream.
    fn page(&mut self, page: Page, events: &mut VecDeque<Event>) {
        if self.number.is_some_and(|number| number != page.number) {
            self.part = None;
            self.gap = true;
        }
        self.number = Some(page.number.wrapping_add(1));
        self.pages += 1;
        let mut completed = false;
        let mut packet = match (page.continued, self.part.take()) {
            (true, part) => part,
            (false, _) => Some(Vec::new()),
        };
        let mut at = 0;
        for &len in &page.segments {
            let segment = &page.body[at..at + usize::from(len)];
            at += usize::from(len);
            if let Some(packet) = &mut packet
                && packet.len() < LONGEST
            {
                packet.extend_from_slice(segment);
            }
            if len < 255
                && let Some(packet) = packet.replace(Vec::new())
            {
                completed |= self.packet(packet, events);
            }
        }
        self.part = match page.segments.last() {
            Some(255) => packet,
            _ => None,
        };
        // -1 says that no packet ends here, and other numbers without sense say no more.
        if completed && (0..LATEST).contains(&page.granule) {
            // Where decoding begins anew, frames are counted as if it had not.
            let known = std::mem::take(&mut self.ends);
            let known = known.into_iter().find(|(number, _)| *number == page.number);
            let place = Place::Until {
                end: known.map_or(page.granule, |(_, end)| end),
                last: page.last,
            };
            self.granule = page.granule;
            self.put(place, events);
        }
        self.ended = page.last;
        if self.packets.len() > PACKETS {
            self.put(Place::Next, events);
        }
    }

    /// Takes a packet. Returns whether it holds sound.
    fn packet(&mut self, packet: Vec<u8>, events: &mut VecDeque<Event>) -> bool {
        if self.headers.wants(&packet) {
            if !self.announced {
                self.headers.push(packet);
            }
            return false;
        }
        if !self.announced {
            let stream = match self.pages < HEADER_PAGES {
                true => self.headers.stream(),
                false => None,
            };
            let Some(stream) = stream else {
                return false;
            };
            self.announced = true;
            events.push_back(Event::Stream(Box::new(stream)));
        }
        let packet = Packet::new(0, Timestamp::new(0), Duration::ZERO, packet);
        self.packets.push(packet);
        true
    }

    /// Puts out the group before, and holds this one back: it may be the last.
    fn put(&mut self, place: Place, events: &mut VecDeque<Event>) {
        let group = Group {
            packets: std::mem::take(&mut self.packets),
            place,
            gap: std::mem::take(&mut self.gap),
        };
        events.extend(self.held.replace(group).map(Event::Group));
    }

    /// Goes on with another page, in front of which `granule` frames lie.
    fn restart(&mut self, granule: i64, ends: Vec<(u32, i64)>) {
        (self.number, self.part, self.held) = (None, None, None);
        self.packets.clear();
        // The end of a page says where its sound lies, whatever the first packets give.
        self.gap = true;
        self.granule = granule;
        self.ends = ends;
        self.lost_until = None;
        self.ended = false;
    }

    /// The stream ends. `junk` says that bytes which are no page follow its last page.
    fn finish(mut self, junk: bool, events: &mut VecDeque<Event>) {
        if !self.packets.is_empty() {
            self.put(Place::Next, events);
        }
        if let Some(end) = self.lost_until.filter(|&end| end > self.granule) {
            self.gap = true;
            self.put(Place::Until { end, last: true }, events);
        } else if junk && !self.ended {
            self.gap = true;
            self.put(Place::Next, events);
        } else if let Some(Group {
            place: Place::Until { last, .. },
            ..
        }) = &mut self.held
        {
            // Not every program marks the last page.
            *last = true;
        }
        events.extend(self.held.map(Event::Group));
    }
}

impl Container for Ogg {
    fn next(&mut self) -> io::Result<Option<Event>> {
        while self.events.is_empty() && !self.ended {
            self.step()?;
        }
        Ok(self.events.pop_front())
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        let Some(logical) = &self.logical else {
            return Ok(None);
        };
        let mut window = self.window.reopen(self.start)?;
        self.marks = Marks::find(&mut window, logical.serial, &logical.headers)?;
        Ok(self.marks.as_ref().map(Marks::frames))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let (Some(marks), Some(logical)) = (&self.marks, &mut self.logical) else {
            return Ok(None);
        };
        let Some(Start {
            position,
            start,
            ends,
        }) = marks.before(frame)
        else {
            return Ok(None);
        };
        self.window = self.window.reopen(position)?;
        (self.opening, self.junk, self.ended) = (false, 0, false);
        self.events.clear();
        logical.restart(start, ends);
        Ok(Some(start))
    }
}
