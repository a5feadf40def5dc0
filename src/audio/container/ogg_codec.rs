//! The codecs in Ogg: which one a stream holds, and what its header packets say.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_OPUS, CODEC_ID_VORBIS};

use super::super::opus;
use super::flac_header::{STREAM_INFO, StreamInfo};
use super::stream::{Kept, Stream};

/// Codecs that this reader decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Vorbis,
    Opus,
    Flac,
}

/// What the first packet of a stream shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Sound that can be decoded.
    Audio(Codec),
    /// Sound that cannot.
    OtherAudio(&'static str),
    /// Pictures, text, an index.
    NoAudio,
}

/// First bytes of the first packet.
const KINDS: &[(&[u8], Kind)] = &[
    (b"\x01vorbis", Kind::Audio(Codec::Vorbis)),
    (b"OpusHead", Kind::Audio(Codec::Opus)),
    (b"\x7fFLAC", Kind::Audio(Codec::Flac)),
    (
        b"fLaC",
        Kind::OtherAudio("FLAC in Ogg by a program before 2004"),
    ),
    (b"Speex   ", Kind::OtherAudio("Speex")),
    (b"CELT    ", Kind::OtherAudio("CELT")),
    (b"PCM     ", Kind::OtherAudio("PCM in Ogg")),
    (b"\x7fOggPCM", Kind::OtherAudio("PCM in Ogg")),
    (b"\x01audio", Kind::OtherAudio("an OGM audio track")),
];

impl Kind {
    pub(super) fn of(packet: &[u8]) -> Self {
        let known = KINDS.iter().find(|(magic, _)| packet.starts_with(magic));
        known.map_or(Self::NoAudio, |&(_, kind)| kind)
    }
}

/// The header packets of a stream, as they come in.
#[derive(Debug)]
pub(super) struct Headers {
    codec: Codec,
    packets: Vec<Vec<u8>>,
}

impl Headers {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            packets: Vec::new(),
        }
    }

    /// Returns the codec of the stream.
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns the first header packet.
    pub(super) fn first(&self) -> Option<&[u8]> {
        self.packets.first().map(Vec::as_slice)
    }

    /// Returns whether `packet` is still a header and not sound.
    pub(super) fn wants(&self, packet: &[u8]) -> bool {
        match self.codec {
            Codec::Vorbis => self.packets.len() < 3 && packet.first().is_some_and(|b| b & 1 == 1),
            Codec::Opus => self.packets.len() < 2 && packet.starts_with(b"Opus"),
            // Frames begin with a sync word, header blocks with their kind.
            Codec::Flac => packet.first().is_some_and(|&b| b != 0xff),
        }
    }

    pub(super) fn push(&mut self, packet: Vec<u8>) {
        // Only the first three are read. FLAC may have many, with pictures in them.
        if self.packets.len() < 3 {
            self.packets.push(packet);
        }
    }

    /// Describes the stream. `None` if a header is missing or damaged.
    pub(super) fn stream(&self) -> Option<Stream> {
        match self.codec {
            Codec::Vorbis => vorbis(&self.packets),
            Codec::Opus => opus(&self.packets),
            Codec::Flac => flac(&self.packets),
        }
    }
}

fn vorbis(packets: &[Vec<u8>]) -> Option<Stream> {
    let identification = packets.first()?;
    let setup = packets.iter().find(|p| p.starts_with(b"\x05vorbis"))?;
    let channels = *identification.get(11)?;
    let rate = u32::from_le_bytes(identification.get(12..16)?.try_into().ok()?);
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_VORBIS)
        .with_sample_rate(rate)
        .with_channels(Channels::Discrete(u16::from(channels)))
        .with_extra_data([identification.as_slice(), setup].concat().into());
    Some(placed(params))
}

fn opus(packets: &[Vec<u8>]) -> Option<Stream> {
    let head = opus::Head::parse(packets.first()?)?;
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_OPUS)
        .with_sample_rate(opus::RATE)
        .with_channels(Channels::Discrete(head.channels as u16))
        .with_extra_data(packets[0].clone().into());
    Some(Stream {
        keep: vec![Kept::from(head.pre_skip as i64)],
        ..placed(params)
    })
}

fn flac(packets: &[Vec<u8>]) -> Option<Stream> {
    // Nine bytes of the mapping, four of FLAC's magic, four of the block's header.
    let info = StreamInfo::read(packets.first()?.get(17..17 + STREAM_INFO)?)?;
    let format = info.format();
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_FLAC)
        .with_sample_rate(format.rate)
        .with_bits_per_sample(u32::from(format.bits))
        .with_channels(Channels::Discrete(u16::from(format.channels)))
        .with_extra_data(info.for_decoder(format));
    Some(placed(params))
}

/// A stream whose pages say where they end. Programs that rewrite pages round by some
/// milliseconds.
fn placed(params: AudioCodecParameters) -> Stream {
    let mut stream = Stream::new(params);
    stream.tolerance = u64::from(stream.timescale / 100);
    stream.chained = true;
    stream
}
