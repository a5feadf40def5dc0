//! An Opus decoder for symphonia, which reads the containers but has no decoder.
//!
//! The `opus-pure` crate decodes packets (RFC 6716). The headers here follow RFC 7845.

use opus_pure::OpusMSDecoder;
use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::PacketRef;

/// Sample rate in Hz of decoded Opus, whatever rate was encoded.
pub(super) const RATE: u32 = 48_000;
/// Samples per channel of the longest packet, 120 ms.
const LONGEST: usize = RATE as usize * 120 / 1000;

const INFO: CodecInfo = CodecInfo {
    short_name: "opus",
    long_name: "Opus",
    profiles: &[],
};

/// The identification header (RFC 7845, 5.1), or MP4's `dOps` after the same eight letters.
#[derive(Debug, PartialEq)]
pub(super) struct Head {
    pub channels: usize,
    /// Samples at the start to drop, in which the decoder converges. The container drops them.
    pub pre_skip: usize,
    /// Gain of the output in 1/256 dB.
    gain: i16,
    /// Channel mapping family. 0: mono and stereo; 1: up to 7.1.
    family: u8,
}

impl Head {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"OpusHead")?;
        let &[
            version,
            channels,
            skip0,
            skip1,
            _,
            _,
            _,
            _,
            gain0,
            gain1,
            family,
            ..,
        ] = rest
        else {
            return None;
        };
        // Ogg's header is version 1 and little-endian, MP4's version 0 and big-endian.
        let number = |first: u8, second: u8| match version {
            0 => u16::from_be_bytes([first, second]),
            _ => u16::from_le_bytes([first, second]),
        };
        Some(Self {
            channels: usize::from(channels),
            pre_skip: usize::from(number(skip0, skip1)),
            gain: number(gain0, gain1) as i16,
            family,
        })
    }
}

/// Returns how many samples per channel a packet gives, by its first two bytes (RFC 6716, 3.1).
pub(super) fn frames(packet: &[u8]) -> Option<i64> {
    let &toc = packet.first()?;
    // In units of 2.5 ms.
    let len = match toc >> 3 {
        config @ 0..=11 => [4, 8, 16, 24][usize::from(config & 3)],
        config @ 12..=15 => [4, 8][usize::from(config & 1)],
        config => [1, 2, 4, 8][usize::from(config & 3)],
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 63),
    };
    Some(count * len * i64::from(RATE) / 400)
}

/// Returns whether the decoder of speech (SILK) takes part in a packet, by its first byte.
pub(super) fn is_speech(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc >> 3 < 16)
}

/// Decodes the packets of one Opus track.
pub(super) struct Opus {
    params: AudioCodecParameters,
    decoder: OpusMSDecoder,
    channels: usize,
    gain: f32,
    pcm: Vec<f32>,
    buffer: AudioBuffer<f32>,
}

impl Opus {
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self> {
        debug_assert_eq!(params.codec, CODEC_ID_OPUS);
        let head = params.extra_data.as_deref().and_then(Head::parse);
        let head = head.ok_or(Error::DecodeError("the Opus header is cut off"))?;
        // The usual channel order stands for all: the mean over channels does not depend on it.
        let decoder = OpusMSDecoder::new(RATE as i32, head.channels, head.family)
            .map_err(|_| Error::Unsupported("Opus with this channel mapping"))?;
        let spec = AudioSpec::new(RATE, Channels::Discrete(head.channels as u16));
        Ok(Self {
            params: params.clone(),
            decoder,
            channels: head.channels,
            gain: 10f32.powf(f32::from(head.gain) / (20.0 * 256.0)),
            pcm: vec![0.0; LONGEST * head.channels],
            buffer: AudioBuffer::new(spec, LONGEST),
        })
    }

    fn packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        self.buffer.clear();
        // An empty packet stands for a lost one: the decoder conceals the loss.
        let frames = self
            .decoder
            .decode(packet.data, LONGEST, &mut self.pcm)
            .map_err(|_| Error::DecodeError("a damaged Opus packet"))?;
        let pcm = &mut self.pcm[..frames * self.channels];
        if self.gain != 1.0 {
            pcm.iter_mut().for_each(|x| *x *= self.gain);
        }
        self.buffer.resize_uninit(frames);
        self.buffer.copy_from_slice_interleaved(&pcm);
        Ok(())
    }
}

impl AudioDecoder for Opus {
    fn reset(&mut self) {
        // A reset keeps the decoder's valid settings, which makes it infallible.
        let _ = self.decoder.reset_state();
    }

    fn codec_info(&self) -> &CodecInfo {
        &INFO
    }

    fn codec_params(&self) -> &AudioCodecParameters {
        &self.params
    }

    fn decode_ref(&mut self, packet: &PacketRef<'_>) -> Result<GenericAudioBufferRef<'_>> {
        self.packet(packet)?;
        Ok(self.buffer.as_generic_audio_buffer_ref())
    }

    fn finalize(&mut self) -> FinalizeResult {
        FinalizeResult::default()
    }

    fn last_decoded(&self) -> GenericAudioBufferRef<'_> {
        self.buffer.as_generic_audio_buffer_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn heads() {
        let head = |channels, gain, family| Head {
            channels,
            pre_skip: 312,
            gain,
            family,
        };
        let ogg = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\xff\x00";
        assert_eq!(Head::parse(ogg), Some(head(2, -256, 0)));
        let mp4 = b"OpusHead\x00\x01\x01\x38\x00\x00\xbb\x80\x00\x00\x00";
        assert_eq!(Head::parse(mp4), Some(head(1, 0, 0)));
        let surround = b"OpusHead\x01\x03\x38\x01\x80\xbb\x00\x00\x00\x00\x01\x02\x01\x00\x02\x01";
        assert_eq!(Head::parse(surround), Some(head(3, 0, 1)));
        for short in [&ogg[..18], b"OpusHead", b""] {
            assert_eq!(Head::parse(short), None);
        }
    }
}
