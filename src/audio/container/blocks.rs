//! A stretch of a file that holds blocks of samples, all of one size: PCM and ADPCM.

use std::fs::File;
use std::io;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::super::error::AudioError;
use super::super::{MAX_CHANNELS, RATES};
use super::stream::{Container, Event, Group, Stream};
use super::window::Window;

/// Frames per packet, about.
const FRAMES: u64 = 8192;

/// How samples are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub codec: AudioCodecId,
    pub rate: u32,
    pub channels: u32,
    /// Bytes per block, all channels.
    pub block: u64,
    /// Frames per block: 1 for PCM.
    pub frames: u64,
}

/// Where the blocks lie in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// First byte.
    pub start: u64,
    /// Bytes that the header states. `None`: all that there are.
    pub stated: Option<u64>,
    /// Length of the whole file in bytes.
    pub len: u64,
    /// What is wrong with the file as a whole.
    pub note: Option<&'static str>,
}

/// The blocks, packet by packet.
pub(super) struct Blocks {
    layout: Layout,
    window: Window,
    /// First byte, and number of blocks.
    start: u64,
    blocks: u64,
    stream: Option<Stream>,
}

impl Blocks {
    pub(super) fn open(file: File, layout: Layout, extent: Extent) -> Result<Self, AudioError> {
        let Layout {
            codec,
            rate,
            channels,
            block,
            frames,
        } = layout;
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS as u32).contains(&channels) {
            return Err(AudioError::damaged(format!(
                "its header states {channels} channels at {rate} Hz"
            )));
        }
        if block == 0 || frames == 0 {
            return Err(AudioError::damaged(
                "its header states blocks without samples",
            ));
        }
        let available = extent.len.saturating_sub(extent.start);
        let stated = extent.stated.unwrap_or(available);
        if available < block {
            return Err(match stated >= block {
                true if extent.stated.is_some() => {
                    AudioError::damaged("the file ends where its samples should begin")
                }
                _ => AudioError::Empty,
            });
        }
        if stated < block {
            return Err(AudioError::Empty);
        }
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(rate)
            .with_channels(Channels::Discrete(channels as u16))
            .with_max_frames_per_packet(per_packet(&layout) * frames)
            .with_frames_per_block(frames);
        let end = extent.start + stated.min(available);
        Ok(Self {
            layout,
            window: Window::new(file, extent.start, end),
            start: extent.start,
            blocks: (end - extent.start) / block,
            stream: Some(Stream {
                stated: (stated / block).saturating_mul(frames),
                note: extent.note,
                ..Stream::new(params)
            }),
        })
    }
}

/// Returns the number of blocks per packet.
fn per_packet(layout: &Layout) -> u64 {
    FRAMES.div_ceil(layout.frames)
}

impl Container for Blocks {
    fn next(&mut self) -> io::Result<Option<Event>> {
        if let Some(stream) = self.stream.take() {
            return Ok(Some(Event::Stream(Box::new(stream))));
        }
        let Layout { block, frames, .. } = self.layout;
        let blocks = (self.window.left() / block).min(per_packet(&self.layout));
        let bytes = self.window.take((blocks * block) as usize)?;
        let blocks = bytes.len() as u64 / block;
        if blocks == 0 {
            return Ok(None);
        }
        let duration = Duration::from(blocks * frames);
        let packet = Packet::new(0, Timestamp::new(0), duration, bytes);
        Ok(Some(Event::Group(Group::of(packet))))
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        Ok(self.blocks.checked_mul(self.layout.frames))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let block = (frame / self.layout.frames).min(self.blocks);
        self.window = self.window.reopen(self.start + block * self.layout.block)?;
        Ok(Some((block * self.layout.frames) as i64))
    }
}
