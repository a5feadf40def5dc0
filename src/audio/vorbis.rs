//! A Vorbis decoder for symphonia's interface.
//!
//! The `lewton` crate decodes packets. symphonia 0.6.1 has a decoder of its own, which is wrong
//! where channels are not coupled in pairs: all but the first become noise.

use lewton::audio::{PreviousWindowRight, get_decoded_sample_count, read_audio_packet_generic};
use lewton::header::{IdentHeader, SetupHeader, read_header_ident, read_header_setup};
use symphonia::core::audio::{
    AsGenericAudioBufferRef, AudioBuffer, AudioMut, AudioSpec, Channels, GenericAudioBufferRef,
};
use symphonia::core::codecs::CodecInfo;
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, FinalizeResult};
use symphonia::core::errors::{Error, Result};
use symphonia::core::packet::PacketRef;

use super::vorbis_books::are_sane;

/// Bytes of the identification header (Vorbis I, 4.2.2).
const IDENTIFICATION: usize = 30;
/// Samples per channel of the longest block.
const LONGEST: usize = 8192;

const INFO: CodecInfo = CodecInfo {
    short_name: "vorbis",
    long_name: "Vorbis",
    profiles: &[],
};

/// Reads the two headers that `params` hold, one directly behind the other.
fn headers(params: &AudioCodecParameters) -> Result<(IdentHeader, SetupHeader)> {
    let headers = params.extra_data.as_deref();
    let (first, second) = headers
        .and_then(|bytes| bytes.split_at_checked(IDENTIFICATION))
        .ok_or(Error::DecodeError("the Vorbis headers are cut off"))?;
    let identification = read_header_ident(first)
        .map_err(|_| Error::DecodeError("the Vorbis identification header is damaged"))?;
    if !are_sane(second) {
        return Err(Error::DecodeError("the Vorbis codebooks are damaged"));
    }
    let channels = identification.audio_channels;
    let sizes = (identification.blocksize_0, identification.blocksize_1);
    let setup = read_header_setup(second, channels, sizes)
        .map_err(|_| Error::DecodeError("the Vorbis setup header is damaged"))?;
    Ok((identification, setup))
}

/// Tells how many samples per channel a packet gives.
pub(super) struct BlockLengths {
    identification: IdentHeader,
    setup: SetupHeader,
}

impl BlockLengths {
    /// `params` are those of [`Vorbis::new`]. `None` if their headers are damaged.
    pub(super) fn new(params: &AudioCodecParameters) -> Option<Self> {
        let (identification, setup) = headers(params).ok()?;
        Some(Self {
            identification,
            setup,
        })
    }

    /// Returns how many samples per channel a packet gives that is not the first, by its first bytes.
    pub(super) fn frames(&self, packet: &[u8]) -> Option<i64> {
        let frames = get_decoded_sample_count(&self.identification, &self.setup, packet);
        frames.ok().map(|frames| frames as i64)
    }
}

/// Decodes the packets of one Vorbis stream.
pub(super) struct Vorbis {
    params: AudioCodecParameters,
    identification: IdentHeader,
    setup: SetupHeader,
    /// The right half of the block before, which the next one overlaps.
    right: PreviousWindowRight,
    buffer: AudioBuffer<f32>,
}

impl Vorbis {
    /// `params` hold the identification header and, directly behind it, the setup header.
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self> {
        debug_assert_eq!(params.codec, CODEC_ID_VORBIS);
        let (identification, setup) = headers(params)?;
        let layout = Channels::Discrete(u16::from(identification.audio_channels));
        let spec = AudioSpec::new(identification.audio_sample_rate, layout);
        Ok(Self {
            params: params.clone(),
            identification,
            setup,
            right: PreviousWindowRight::new(),
            buffer: AudioBuffer::new(spec, LONGEST),
        })
    }

    fn packet(&mut self, packet: &PacketRef<'_>) -> Result<()> {
        self.buffer.clear();
        let channels: Vec<Vec<f32>> = read_audio_packet_generic(
            &self.identification,
            &self.setup,
            packet.data,
            &mut self.right,
        )
        .map_err(|_| Error::DecodeError("a damaged Vorbis packet"))?;
        let frames = channels.first().map_or(0, Vec::len);
        self.buffer.grow_capacity(frames);
        self.buffer.resize_uninit(frames);
        for (i, channel) in channels.iter().enumerate() {
            if let Some(plane) = self.buffer.plane_mut(i) {
                plane.copy_from_slice(channel);
            }
        }
        Ok(())
    }
}

impl AudioDecoder for Vorbis {
    fn reset(&mut self) {
        self.right = PreviousWindowRight::new();
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
