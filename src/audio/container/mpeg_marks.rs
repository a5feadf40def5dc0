//! Where the frames of a bare MPEG stream begin.

use super::mpeg_header::Header;

/// Frames from one mark to the next.
const STRIDE: u64 = 8;

/// Frames that are decoded and dropped in front of a place, at least: the synthesis of every layer
/// and of AAC reaches back by less than two.
const WARM_UP: u64 = 10;

/// Bytes of main data that lie in them, at least: twice what a frame of MP3 may take from the frames
/// before it.
const RESERVOIR: u64 = 1024;

/// The places of every eighth frame.
#[derive(Debug, Default)]
pub(super) struct Marks {
    positions: Vec<u64>,
    frames: u64,
    /// Samples per channel of a frame.
    samples: u64,
    /// Bytes of a frame that are no main data.
    overhead: u64,
    /// Whether frames have different numbers of samples, or several blocks.
    uneven: bool,
}

impl Marks {
    /// Adds the frame at byte `position`.
    pub(super) fn frame(&mut self, position: u64, header: &Header) {
        if self.frames.is_multiple_of(STRIDE) {
            self.positions.push(position);
        }
        if self.frames == 0 {
            self.samples = header.samples;
        }
        let is_packed = header.layer == 4 && header.samples > 1024;
        self.uneven |= header.samples != self.samples || is_packed;
        let side = if header.layer == 3 { header.detail } else { 0 };
        let overhead = header.prefix as u64 + u64::from(side);
        self.overhead = self.overhead.max(overhead);
        self.frames += 1;
    }

    /// Returns the samples per channel of the stream, if every frame has as many.
    pub(super) fn samples(&self) -> Option<u64> {
        let total = self.frames * self.samples;
        (total > 0 && !self.uneven).then_some(total)
    }

    /// Returns a frame from which decoding gives the right sound of sample `sample`: its number, and
    /// its byte.
    pub(super) fn before(&self, sample: u64) -> (u64, u64) {
        let wanted = (sample / self.samples.max(1)).min(self.frames);
        let last = (self.positions.len() as u64).saturating_sub(1);
        let at = |mark: u64| self.positions.get(mark as usize).copied().unwrap_or(0);
        let near = (wanted / STRIDE).min(last);
        let is_enough = |mark: u64| {
            let overhead = (near - mark) * STRIDE * self.overhead;
            let main = (at(near) - at(mark)).saturating_sub(overhead);
            wanted - mark * STRIDE >= WARM_UP && main >= RESERVOIR
        };
        let mark = (0..=near).rev().find(|&mark| is_enough(mark));
        let mark = mark.unwrap_or(0);
        (mark * STRIDE, at(mark))
    }

    /// Returns the byte of the first frame.
    pub(super) fn first(&self) -> u64 {
        self.positions.first().copied().unwrap_or(0)
    }

    /// Returns the samples per channel in front of frame `number`.
    pub(super) fn place(&self, number: u64) -> u64 {
        number * self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::container::mpeg_header::mpeg_header;

    #[test]
    fn decoding_begins_early_enough() {
        // MPEG 1, layer III, 32 kbit/s, 44.1 kHz, stereo: 104 bytes, of which 68 are main data.
        let header = mpeg_header(&[0xff, 0xfb, 0x10, 0x44]).unwrap();
        let mut marks = Marks::default();
        for i in 0..100 {
            marks.frame(1000 + 104 * i, &header);
        }
        assert_eq!(marks.samples(), Some(115_200));
        assert_eq!(marks.before(0), (0, 1000));
        assert_eq!(marks.before(12 * 1152), (0, 1000));
        // 16 frames hold 1088 bytes of main data.
        assert_eq!(marks.before(57 * 1152), (40, 1000 + 104 * 40));
        assert_eq!(marks.before(u64::MAX), (80, 1000 + 104 * 80));
        assert_eq!((marks.first(), marks.place(40)), (1000, 40 * 1152));
    }
}
