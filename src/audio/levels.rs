//! What the samples of a file show while it is decoded: how loud they are, and how many are usable.

use super::silence::{SHORTEST_SECONDS, SILENT_LEVEL, level, level_of};

/// Channels cancel each other out if their mean has less than this share of their level: -46 dB.
const CANCELLED: f32 = 0.005;

/// The levels of the packets so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Levels {
    /// The largest level of a packet in any channel, and that of the mean over the channels.
    loudest: f32,
    mean: f32,
    /// Samples per channel of packets whose mean over the channels is not silent.
    sounding: u64,
    /// Unusable samples of all channels, which became 0, and all samples.
    unusable: u64,
    samples: u64,
}

impl Levels {
    /// Adds a packet: its samples, their mean over the channels, and how many of them were unusable.
    pub(super) fn add(
        &mut self,
        interleaved: &[f32],
        channels: usize,
        mono: &[f32],
        unusable: u64,
    ) {
        self.samples += interleaved.len() as u64;
        self.unusable += unusable;
        let mean = level(mono);
        self.mean = self.mean.max(mean);
        if mean >= SILENT_LEVEL {
            self.sounding += mono.len() as u64;
        }
        // Where the mean is this loud, channels of full scale do not cancel each other out.
        if channels > 1 && mean < CANCELLED {
            let loudest = loudest_channel(interleaved, channels);
            self.loudest = self.loudest.max(loudest);
        }
    }

    /// Adds the levels of another part of the same file.
    pub(crate) fn join(&mut self, other: &Self) {
        self.loudest = self.loudest.max(other.loudest);
        self.mean = self.mean.max(other.mean);
        self.sounding += other.sounding;
        self.unusable += other.unusable;
        self.samples += other.samples;
    }

    /// Returns whether a file at `rate` Hz is sound without any doubt, even if some packets were
    /// added twice.
    pub(crate) fn is_plain(&self, rate: u32) -> bool {
        let sounding = self.sounding as f64 > 10.0 * SHORTEST_SECONDS * f64::from(rate);
        sounding && self.unusable == 0 && !self.is_cancelled(rate)
    }

    /// Returns how many samples (all channels) were unusable and became 0, and the total.
    pub(super) fn unusable(&self) -> (u64, u64) {
        (self.unusable, self.samples)
    }

    /// Returns whether there is less sound at `rate` Hz than is of any use.
    pub(super) fn is_silent(&self, rate: u32) -> bool {
        (self.sounding as f64) < SHORTEST_SECONDS * f64::from(rate)
    }

    /// Returns whether the channels have sound and their mean has none.
    pub(super) fn is_cancelled(&self, rate: u32) -> bool {
        // Sound that is 20 dB louder than what counts as silence. Codecs leave some of the mean.
        let is_loud = self.loudest > 10.0 * SILENT_LEVEL;
        is_loud && (self.is_silent(rate) || self.mean < CANCELLED * self.loudest)
    }
}

/// Returns the largest level of a channel.
fn loudest_channel(interleaved: &[f32], channels: usize) -> f32 {
    let of = |channel: usize| level_of(interleaved.iter().skip(channel).step_by(channels));
    (0..channels).map(of).fold(0.0, f32::max)
}
