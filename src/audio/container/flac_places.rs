//! Finds the frames of a FLAC stream by their numbers, without decoding and without reading all of
//! them.

use std::io;

use symphonia::core::checksum::Crc16Ansi;
use symphonia::core::io::Monitor;

use super::flac_header::{FrameHeader, StreamInfo};
use super::window::Window;

/// Bytes that are searched for a frame at first, and at most: two of the longest frames.
const SEARCH: (usize, usize) = (64 * 1024, 8 * 65_535 * 4 * 2);

/// Frames that are looked up in advance, evenly spaced. They show files that are put together.
const PROBES: u64 = 16;

/// Bytes within which frames are read one after the other.
const NEAR: u64 = 64 * 1024;

/// Where a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FramePlace {
    /// Byte in the file.
    pub position: u64,
    /// First sample in the stream.
    pub sample: u64,
    /// What its header says.
    pub header: FrameHeader,
}

/// The frames of a stream whose numbers say where they belong.
#[derive(Debug)]
pub(super) struct Places {
    /// Samples per number: 1, or the size of all frames but the last.
    unit: u64,
    total: u64,
    /// Some of the frames, with the first and the last.
    known: Vec<FramePlace>,
}

impl Places {
    /// Looks at some frames of the stream that `info` describes. `window` begins with its first
    /// frame. `None` if a number does not say where its frame belongs.
    pub(super) fn find(window: &Window, info: &StreamInfo) -> io::Result<Option<Self>> {
        let Some(total) = info.total() else {
            return Ok(None);
        };
        let start = window.position();
        let mut ahead = window.reopen(start)?;
        let Some(header) = FrameHeader::read(ahead.peek(SEARCH.0)?, info.format()) else {
            return Ok(None);
        };
        let (least, most) = info.blocks();
        let unit = match header.by_sample {
            true => 1,
            false if least == most && u32::from(least) == header.samples => u64::from(least),
            // Old encoders count samples without saying so.
            false => return Ok(None),
        };
        let mut places = Self {
            unit,
            total,
            known: Vec::new(),
        };
        if header.number != 0 || header.format != info.format() {
            return Ok(None);
        }
        places.known.push(FramePlace {
            position: start,
            sample: 0,
            header,
        });
        let Some(last) = places.last(window)? else {
            return Ok(None);
        };
        for i in 1..PROBES {
            let at = start + (last.position - start) / PROBES * i;
            let Some(place) = places.behind(window, at)? else {
                return Ok(None);
            };
            let before = places.known[places.known.len() - 1];
            if place.position > before.position {
                if place.sample <= before.sample {
                    return Ok(None);
                }
                places.known.push(place);
            }
        }
        let before = places.known[places.known.len() - 1];
        if last.position > before.position {
            places.known.push(last);
        }
        let is_whole = last.sample + u64::from(last.header.samples) == total;
        let is_ascending = last.position == before.position || last.sample > before.sample;
        Ok((is_whole && is_ascending).then_some(places))
    }

    /// Returns the samples per channel of the stream.
    pub(super) fn samples(&self) -> u64 {
        self.total
    }

    /// Returns the frame with `sample`, or one a little before it.
    pub(super) fn before(&self, window: &Window, sample: u64) -> io::Result<Option<FramePlace>> {
        let behind = self.known.partition_point(|place| place.sample <= sample);
        let Some(mut low) = behind.checked_sub(1).map(|i| self.known[i]) else {
            return Ok(None);
        };
        let Some(high) = self.known.get(behind) else {
            return Ok(Some(low));
        };
        let (mut end, bound) = (high.position, high.sample);
        while end - low.position > NEAR {
            let middle = low.position + (end - low.position) / 2;
            match self.behind(window, middle)? {
                Some(place) if place.position >= end => end = middle,
                // Numbers that do not ascend.
                Some(place) if place.sample <= low.sample || place.sample >= bound => {
                    return Ok(None);
                }
                Some(place) if place.sample <= sample => low = place,
                Some(_) => end = middle,
                None => return Ok(None),
            }
        }
        Ok(Some(low))
    }

    /// Returns the first frame that begins at byte `at` or behind it. Its checksum is right, and so
    /// is the number of the frame that follows it.
    fn behind(&self, window: &Window, at: u64) -> io::Result<Option<FramePlace>> {
        let mut window = window.reopen(at)?;
        let mut n = SEARCH.0;
        loop {
            let is_all = window.left() <= n as u64;
            let bytes = window.peek(n)?;
            let bytes = &bytes[..bytes.len().min(n)];
            if let Some(found) = self.first_whole(bytes, is_all) {
                return Ok(Some(self.place(at, found)));
            }
            if is_all || n >= SEARCH.1 {
                return Ok(None);
            }
            n = (4 * n).min(SEARCH.1);
        }
    }

    /// Returns the last frame, which ends where the window does.
    fn last(&self, window: &Window) -> io::Result<Option<FramePlace>> {
        let (start, end) = (window.position(), window.position() + window.left());
        let mut n = SEARCH.0 as u64;
        loop {
            let from = end.saturating_sub(n).max(start);
            let bytes = window.reopen(from)?.take((end - from) as usize)?;
            let found = self.headers(&bytes).into_iter().rev();
            let last = found
                .into_iter()
                .find(|&(at, _)| checksum(&bytes[at..]) == 0);
            if let Some(found) = last {
                return Ok(Some(self.place(from, found)));
            }
            if from == start || n >= SEARCH.1 as u64 {
                return Ok(None);
            }
            n *= 4;
        }
    }

    fn place(&self, from: u64, (at, header): (usize, FrameHeader)) -> FramePlace {
        FramePlace {
            position: from + at as u64,
            sample: header.number.saturating_mul(self.unit),
            header,
        }
    }

    /// Returns the first frame in `bytes` that is whole. `is_all` says that the stream ends with
    /// `bytes`.
    fn first_whole(&self, bytes: &[u8], is_all: bool) -> Option<(usize, FrameHeader)> {
        let headers = self.headers(bytes);
        for (i, &(start, header)) in headers.iter().enumerate() {
            let mut crc = Crc16Ansi::new(0);
            let mut checked = start;
            for &(end, next) in &headers[i + 1..] {
                crc.process_buf_bytes(&bytes[checked..end]);
                checked = end;
                if crc.crc() == 0 && next.number == header.number + self.step(&header) {
                    return Some((start, header));
                }
            }
            if is_all && checksum(&bytes[start..]) == 0 {
                return Some((start, header));
            }
        }
        None
    }

    /// Returns by how much the number of the next frame is greater.
    fn step(&self, header: &FrameHeader) -> u64 {
        match self.unit {
            1 if header.by_sample => u64::from(header.samples),
            _ => 1,
        }
    }

    /// Returns what looks like a header of this stream.
    fn headers(&self, bytes: &[u8]) -> Vec<(usize, FrameHeader)> {
        let first = self.known[0].header;
        let is_one = |header: &FrameHeader| {
            header.format == first.format && header.by_sample == first.by_sample
        };
        (0..bytes.len().saturating_sub(1))
            .filter(|&at| bytes[at] == 0xff && bytes[at + 1] & 0xfe == 0xf8)
            .filter_map(|at| Some((at, FrameHeader::read(&bytes[at..], first.format)?)))
            .filter(|(_, header)| is_one(header))
            .collect()
    }
}

/// Returns the checksum over a frame with its own, which is 0 if it is whole.
fn checksum(frame: &[u8]) -> u16 {
    let mut crc = Crc16Ansi::new(0);
    crc.process_buf_bytes(frame);
    crc.crc()
}
