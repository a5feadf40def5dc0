//! The stream of a file that is being decoded, and its decoder.

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3, CODEC_ID_OPUS,
    CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::aac::{self, Config};
use super::container::Stream;
use super::container::mpeg_header::mpeg_header;
use super::damage::Damage;
use super::error::{AudioError, Result};
use super::guarded;
use super::opus::Opus;
use super::timeline::Timeline;
use super::vorbis::Vorbis;

/// Blocks of AAC that are searched for SBR.
const SBR_BLOCKS: u32 = 32;

/// The stream that is being decoded.
pub(super) struct Running {
    pub stream: Stream,
    pub decoder: Box<dyn AudioDecoder>,
    /// Known after the first packet that gives sound.
    pub timeline: Option<Timeline>,
    /// Ticks of packets that gave no sound, since the last that did.
    pub missing: u64,
    /// Whether packets before the first that gives sound are lost.
    pub lost: bool,
    /// Blocks of AAC that were searched for SBR, and those that had it.
    sbr: (u32, u32),
}

impl Running {
    /// Begins to decode `stream`.
    pub(super) fn new(mut stream: Stream) -> Result<Self> {
        let mut sbr = (0, 0);
        if stream.params.codec == CODEC_ID_AAC
            && let Some(config) = stream.params.extra_data.as_deref().and_then(Config::parse)
        {
            if let Some(what) = config.refusal() {
                return Err(AudioError::unsupported(what));
            }
            if config.sbr {
                sbr = (SBR_BLOCKS, SBR_BLOCKS);
            }
            stream.params.extra_data = Some(config.core());
        }
        Ok(Self {
            decoder: decoder(&stream.params)?,
            stream,
            timeline: None,
            missing: 0,
            lost: false,
            sbr,
        })
    }

    /// Searches one of the first packets for SBR.
    pub(super) fn search_sbr(&mut self, packet: &Packet) {
        if self.sbr.0 < SBR_BLOCKS && self.is_aac() {
            self.sbr.0 += 1;
            self.sbr.1 += u32::from(aac::ends_with_sbr(&packet.data));
        }
    }

    /// Returns whether most of the packets that were searched have SBR, which is not decoded.
    fn has_sbr(&self) -> bool {
        let (searched, found) = self.sbr;
        2 * found > searched
    }

    /// Returns whether the decoder takes `packet` for silence that no encoder writes.
    pub(super) fn is_empty(&self, packet: &Packet) -> bool {
        self.is_aac() && aac::is_empty(&packet.data)
    }

    /// Returns whether the codec gives the same bits wherever decoding begins. Opus forgets its past
    /// only gradually, and AAC draws the noise of its noise bands one number after the other.
    pub(super) fn is_exact(&self) -> bool {
        !self.is_aac() && self.stream.params.codec != CODEC_ID_OPUS
    }

    /// Returns whether what is decoded next is dropped, because it is in front of what is heard.
    pub(super) fn is_warming_up(&self) -> bool {
        self.timeline.as_ref().is_some_and(Timeline::is_warming_up)
    }

    /// Notes what is odd about the stream.
    pub(super) fn remark(&self, damage: &mut Damage) {
        if let Some(note) = self.stream.note {
            damage.remark(note);
        }
        if self.has_sbr() {
            damage.upper_band_missing();
        }
    }

    fn is_aac(&self) -> bool {
        self.stream.params.codec == CODEC_ID_AAC
    }

    /// Changes the decoder if the first packet is of another layer of MPEG audio than the container
    /// says. MP4 has one name for all three.
    pub(super) fn adapt(&mut self, packet: &Packet) -> Result<()> {
        let params = &mut self.stream.params;
        if self.timeline.is_none()
            && params.codec == CODEC_ID_MP3
            && let Some(header) = mpeg_header(&packet.data)
            && header.layer < 3
        {
            params.codec = match header.layer {
                1 => CODEC_ID_MP1,
                _ => CODEC_ID_MP2,
            };
            self.decoder = decoder(params)?;
        }
        Ok(())
    }
}

/// Makes the decoder of a stream.
pub(super) fn decoder(params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>> {
    // symphonia 0.6 reads a 33-bit side channel into 32 bits.
    if params.codec == CODEC_ID_FLAC && params.bits_per_sample > Some(24) {
        return Err(AudioError::unsupported("FLAC of more than 24 bits"));
    }
    let options = AudioDecoderOptions::default();
    let made = guarded(|| match params.codec {
        CODEC_ID_OPUS => Ok(Box::new(Opus::new(params)?) as Box<dyn AudioDecoder>),
        CODEC_ID_VORBIS => Ok(Box::new(Vorbis::new(params)?) as Box<dyn AudioDecoder>),
        _ => symphonia::default::get_codecs().make_audio_decoder(params, &options),
    });
    match made.map_err(AudioError::damaged)? {
        Ok(decoder) => Ok(decoder),
        Err(Error::Unsupported(what)) => Err(AudioError::unsupported(what)),
        Err(e) => Err(AudioError::damaged(e.to_string())),
    }
}
