//! The numbers in the headers of FLAC frames, which say what is missing.

use super::flac_header::{FrameHeader, StreamInfo};

/// Follows the numbers in the frame headers.
pub(super) struct Numbers {
    /// Whether they count samples; otherwise they count frames. Old encoders count samples without
    /// saying so. `None` until two frames show it.
    pub by_sample: Option<bool>,
    /// Number and samples of the frame before.
    last: Option<(u64, u64)>,
    /// Samples of the first frame.
    block: u64,
}

impl Numbers {
    /// Begins with the first frame of the stream that `info` describes.
    pub(super) fn new(info: &StreamInfo) -> Self {
        let (least, most) = info.blocks();
        Self {
            // A stream whose blocks are all of one size counts frames unless its headers say
            // otherwise.
            by_sample: (least == most).then_some(false),
            last: None,
            block: 0,
        }
    }

    /// Decides what the numbers count by two frames that follow each other.
    pub(super) fn decide(&mut self, first: &FrameHeader, second: &FrameHeader) {
        // Frames between the two may be lost, but not a thousand.
        let step = second.number.saturating_sub(first.number);
        self.by_sample = Some(step >= u64::from(first.samples) && first.samples > 1);
    }

    /// Goes on with the frame of `header`, in front of which nothing is missing.
    pub(super) fn begin(&mut self, header: &FrameHeader) {
        self.by_sample.get_or_insert(header.by_sample);
        self.last = match header.by_sample {
            true => Some((header.number, 0)),
            false => header.number.checked_sub(1).map(|number| (number, 0)),
        };
    }

    /// Returns the number of samples that are missing in front of a frame. `whole` says that the
    /// stream should begin with the first.
    pub(super) fn lost(&mut self, header: &FrameHeader, whole: bool) -> u64 {
        let samples = u64::from(header.samples);
        let by_sample = header.by_sample || self.by_sample == Some(true);
        if self.block == 0 {
            self.block = samples;
        }
        let lost = match (self.last, by_sample) {
            (Some((number, samples)), true) => header.number.saturating_sub(number + samples),
            (Some((number, _)), false) => header.number.saturating_sub(number + 1) * self.block,
            (None, by_sample) => {
                let unit = if by_sample { 1 } else { self.block };
                u64::from(whole) * header.number.saturating_mul(unit)
            }
        };
        self.last = Some((header.number, samples));
        lost
    }
}
