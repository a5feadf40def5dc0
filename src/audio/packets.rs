//! Decodes everything that symphonia reads: packets in, blocks of mono samples out.

use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_OPUS};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::formats::{
    AdtsReader, AiffReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader,
};

use super::error::{AudioError, Result};
use super::mono::downmix;
use super::opus::Opus;
use super::section::FileSection;
use super::sniff::Format;
use super::{MAX_CHANNELS, RATES, Source};

/// Maximum number of consecutive packets without a sample before decoding stops.
///
/// A scratch costs a few packets and decoding continues after it. After a hundred (about 2.6 s of
/// MP3) no more audio will come. The limit also ends a loop over bytes that never advance.
const MAX_EMPTY: u32 = 100;

/// Samples per channel by which a lossy file may be shorter than its stated length without a note:
/// encoders round up to packets and count their own delay differently.
const LOSSY_SLACK: u64 = 4 * 1152;

/// The audio track of a file that symphonia reads.
pub(super) struct Packets {
    container: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    path: PathBuf,
    track: u32,
    /// Samples per channel that the headers state, less the permitted difference.
    stated: u64,
    rate: u32,
    channels: u16,
    /// Samples per channel so far.
    decoded: u64,
    /// Packets that failed to decode.
    skipped: u64,
    /// Consecutive packets without a sample.
    empty: u32,
    unusable: u64,
    samples: u64,
    interleaved: Vec<f32>,
    /// Whether the file is WAV or AIFF, whose packets are arbitrary parts of one chunk.
    chunked: bool,
    /// Why the source ended early, if it did.
    broken: Option<String>,
    ended: bool,
}

impl Packets {
    /// Opens the container that starts at byte `start`. `len` is the length of the whole file in
    /// bytes.
    pub(super) fn open(
        path: &Path,
        file: File,
        format: Format,
        start: u64,
        len: u64,
    ) -> Result<Self> {
        let io = |source| AudioError::Io {
            path: path.to_owned(),
            source,
        };
        let section = FileSection::new(file, start, len, format).map_err(io)?;
        let stream = MediaSourceStream::new(Box::new(section), Default::default());
        let container = guarded(|| reader(format, stream))
            .map_err(AudioError::damaged)?
            .map_err(|e| opening(path, e))?;

        let track = container
            .default_track(TrackType::Audio)
            .ok_or(AudioError::NoAudioTrack)?;
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return Err(AudioError::unsupported("the codec of the audio track"));
        };
        // symphonia 0.6 reads a 33-bit side channel into 32 bits.
        if params.codec == CODEC_ID_FLAC && params.bits_per_sample > Some(24) {
            return Err(AudioError::unsupported("FLAC of more than 24 bits"));
        }
        let (rate, channels) = (
            params.sample_rate.unwrap_or(0),
            params.channels.as_ref().map_or(0, |c| c.count()),
        );
        if channels > MAX_CHANNELS {
            return Err(AudioError::damaged(format!("{channels} channels")));
        }
        let slack = match format {
            Format::Wave | Format::Aiff | Format::Flac => 0,
            _ => LOSSY_SLACK,
        };
        // A bare AAC stream has only an estimated length, made from its first frames.
        let stated = match format {
            Format::Adts => 0,
            _ => track.num_frames.unwrap_or(0).saturating_sub(slack),
        };
        let id = track.id;
        let options = AudioDecoderOptions::default();
        let decoder = guarded(|| match params.codec {
            CODEC_ID_OPUS => Ok(Box::new(Opus::new(params)?) as Box<dyn AudioDecoder>),
            _ => symphonia::default::get_codecs().make_audio_decoder(params, &options),
        });
        let decoder = decoder
            .map_err(AudioError::damaged)?
            .map_err(|e| opening(path, e))?;
        Ok(Self {
            container,
            decoder,
            path: path.to_owned(),
            track: id,
            stated,
            rate,
            channels: channels as u16,
            decoded: 0,
            skipped: 0,
            empty: 0,
            unusable: 0,
            samples: 0,
            interleaved: Vec::new(),
            chunked: matches!(format, Format::Wave | Format::Aiff),
            broken: None,
            ended: false,
        })
    }

    /// Decodes one packet and appends its samples to `mono`.
    fn packet(&mut self, mono: &mut Vec<f32>) -> std::result::Result<Packet, Error> {
        let Some(packet) = self.container.next_packet()? else {
            return Ok(Packet::End);
        };
        if packet.track_id != self.track {
            return Ok(Packet::Other);
        }
        let audio = self.decoder.decode(&packet)?;
        if audio.frames() == 0 {
            return Ok(Packet::Nothing);
        }
        let (rate, channels) = (audio.spec().rate(), audio.spec().channels().count());
        if self.decoded == 0 {
            (self.rate, self.channels) = (rate, channels as u16);
        } else if self.rate != rate {
            let change = format!("the sample rate changes from {} to {rate} Hz", self.rate);
            return Ok(Packet::Broken(change));
        }
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS).contains(&channels) {
            return Ok(Packet::Broken(format!("{channels} channels at {rate} Hz")));
        }
        audio.copy_to_vec_interleaved(&mut self.interleaved);
        self.decoded += audio.frames() as u64;
        self.samples += self.interleaved.len() as u64;
        self.unusable += downmix(&self.interleaved, channels as u16, mono);
        Ok(Packet::Samples)
    }

    /// Ends the source with a reason. Returns an error only if there was no audio before.
    fn give_up(&mut self, why: String) -> Result<bool> {
        self.ended = true;
        if self.decoded == 0 {
            return Err(AudioError::damaged(why));
        }
        self.broken = Some(why);
        Ok(false)
    }
}

/// The result of one packet.
enum Packet {
    /// Samples of this track.
    Samples,
    /// A packet of this track without samples.
    Nothing,
    /// A packet of another track, such as the images of a video.
    Other,
    /// A packet after which decoding cannot continue, with the reason.
    Broken(String),
    /// The end of the stream.
    End,
}

impl Source for Packets {
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let step = match guarded(|| self.packet(mono)) {
            Ok(step) => step,
            Err(panic) => return self.give_up(panic),
        };
        let failed = match step {
            Ok(Packet::Samples) => {
                self.empty = 0;
                return Ok(true);
            }
            Ok(Packet::Other) => return Ok(true),
            Ok(Packet::End) => {
                self.ended = true;
                return Ok(false);
            }
            Ok(Packet::Broken(why)) => return self.give_up(why),
            Ok(Packet::Nothing) => None,
            // A bad packet does not make the stream bad.
            Err(Error::DecodeError(why)) => {
                self.skipped += 1;
                Some(why)
            }
            Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                // A WAV of unknown length, as written into a pipe, ends here. If a stated length is
                // not reached, `note` reports it by the number of samples.
                if self.chunked && self.decoded > 0 {
                    self.ended = true;
                    return Ok(false);
                }
                return self.give_up("the file ends in the middle of a packet".into());
            }
            Err(Error::IoError(source)) if is_system(&source) => {
                self.ended = true;
                return Err(AudioError::Io {
                    path: self.path.clone(),
                    source,
                });
            }
            Err(Error::ResetRequired) => {
                return self.give_up("a second stream follows the first".into());
            }
            Err(other) => return self.give_up(other.to_string()),
        };
        self.empty += 1;
        if self.empty >= MAX_EMPTY {
            let why = failed.unwrap_or("empty packets");
            return self.give_up(format!("{MAX_EMPTY} packets in a row without audio: {why}"));
        }
        Ok(true)
    }

    fn spec(&self) -> (u32, u16) {
        (self.rate, self.channels)
    }

    fn unusable(&self) -> (u64, u64) {
        (self.unusable, self.samples)
    }

    fn note(&self) -> Option<String> {
        let skipped =
            (self.skipped > 0).then(|| format!("{} packets could not be decoded", self.skipped));
        let short = (self.ended && self.broken.is_none() && self.decoded < self.stated)
            .then(|| format!("ends after {} of {} samples", self.decoded, self.stated));
        let notes: Vec<_> = [self.broken.clone(), skipped, short]
            .into_iter()
            .flatten()
            .collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// Returns the reader of a format. The caller has recognized it, because symphonia's probe takes a
/// sync word anywhere in random bytes for MP3.
fn reader(format: Format, s: MediaSourceStream<'static>) -> Opened {
    let o = FormatOptions::default();
    Ok(match format {
        Format::Wave => Box::new(WavReader::try_new(s, o)?),
        Format::Aiff => Box::new(AiffReader::try_new(s, o)?),
        Format::Flac => Box::new(FlacReader::try_new(s, o)?),
        Format::Ogg => Box::new(OggReader::try_new(s, o)?),
        Format::Mp4 => Box::new(IsoMp4Reader::try_new(s, o)?),
        Format::Mp3 => Box::new(MpaReader::try_new(s, o)?),
        Format::Adts => Box::new(AdtsReader::try_new(s, o)?),
        Format::Au => return Err(Error::Unsupported("au")),
    })
}

type Opened = std::result::Result<Box<dyn FormatReader>, Error>;

/// Converts an error before the first packet.
fn opening(path: &Path, error: Error) -> AudioError {
    match error {
        Error::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            AudioError::damaged("the file ends inside its header")
        }
        Error::IoError(source) if is_system(&source) => AudioError::Io {
            path: path.to_owned(),
            source,
        },
        Error::Unsupported(what) => AudioError::unsupported(what),
        other => AudioError::damaged(other.to_string()),
    }
}

/// Returns whether the system made this error. Readers use the same type for malformed bytes.
fn is_system(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// Runs decoder code and turns a panic into a reason. The decoder must not be used after a panic.
fn guarded<T>(run: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        format!("the decoder failed on these bytes ({text})")
    })
}
