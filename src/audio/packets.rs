//! Everything that symphonia decodes: packets in, mono blocks out, whatever the bytes.

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
use super::sniff::Kind;
use super::window::Window;
use super::{MAX_CHANNELS, RATES, Source};

/// Packets in a row without a single sample after which the file is given up.
///
/// A scratch costs a few packets and decoding picks up behind it; a hundred (about 2.6 s of MP3)
/// mean that nothing more will come, and that bytes which never advance end the loop.
const MAX_BARREN: u32 = 100;

/// Samples per channel by which a lossy file may fall short of its stated length unremarked:
/// encoders round up to packets and count their own delay differently.
const LOSSY_SLACK: u64 = 4 * 1152;

pub(super) struct Packets {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    path: PathBuf,
    track: u32,
    /// Samples per channel that the headers promise, less what is forgiven.
    promised: u64,
    rate: u32,
    channels: u16,
    decoded: u64,
    skipped: u64,
    barren: u32,
    unusable: u64,
    samples: u64,
    interleaved: Vec<f32>,
    /// WAV or AIFF, whose packets are cut arbitrarily from one chunk.
    chunked: bool,
    /// Why the source ended before its time, if it did.
    broken: Option<String>,
    ended: bool,
}

impl Packets {
    /// `start`: byte at which the format begins; `len`: bytes of the whole file.
    pub(super) fn open(path: &Path, file: File, kind: Kind, start: u64, len: u64) -> Result<Self> {
        let io = |source| AudioError::Io {
            path: path.to_owned(),
            source,
        };
        let window = Window::new(file, start, len, kind).map_err(io)?;
        let stream = MediaSourceStream::new(Box::new(window), Default::default());
        let format = guarded(|| reader(kind, stream))
            .map_err(AudioError::damaged)?
            .map_err(|e| opening(path, e))?;

        let track = format
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
        let slack = match kind {
            Kind::Wave | Kind::Aiff | Kind::Flac => 0,
            _ => LOSSY_SLACK,
        };
        // The length of a bare AAC stream is only an estimate from its first frames.
        let promised = match kind {
            Kind::Adts => 0,
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
            format,
            decoder,
            path: path.to_owned(),
            track: id,
            promised,
            rate,
            channels: channels as u16,
            decoded: 0,
            skipped: 0,
            barren: 0,
            unusable: 0,
            samples: 0,
            interleaved: Vec::new(),
            chunked: matches!(kind, Kind::Wave | Kind::Aiff),
            broken: None,
            ended: false,
        })
    }

    /// One packet: whether it gave samples (appended to `mono`), or why it did not.
    fn packet(&mut self, mono: &mut Vec<f32>) -> std::result::Result<Step, Error> {
        let Some(packet) = self.format.next_packet()? else {
            return Ok(Step::End);
        };
        if packet.track_id != self.track {
            return Ok(Step::Other);
        }
        let audio = self.decoder.decode(&packet)?;
        if audio.frames() == 0 {
            return Ok(Step::Nothing);
        }
        let (rate, channels) = (audio.spec().rate(), audio.spec().channels().count());
        if self.decoded == 0 {
            (self.rate, self.channels) = (rate, channels as u16);
        } else if self.rate != rate {
            let change = format!("the sample rate changes from {} to {rate} Hz", self.rate);
            return Ok(Step::Broken(change));
        }
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS).contains(&channels) {
            return Ok(Step::Broken(format!("{channels} channels at {rate} Hz")));
        }
        audio.copy_to_vec_interleaved(&mut self.interleaved);
        self.decoded += audio.frames() as u64;
        self.samples += self.interleaved.len() as u64;
        self.unusable += downmix(&self.interleaved, channels as u16, mono);
        Ok(Step::Samples)
    }

    /// Ends the source for a reason; an error only where there was no audio before.
    fn give_up(&mut self, why: String) -> Result<bool> {
        self.ended = true;
        if self.decoded == 0 {
            return Err(AudioError::damaged(why));
        }
        self.broken = Some(why);
        Ok(false)
    }
}

/// What a packet was worth.
enum Step {
    Samples,
    /// A packet of this track without samples.
    Nothing,
    /// A packet of another track, such as the pictures of a video.
    Other,
    Broken(String),
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
            Ok(Step::Samples) => {
                self.barren = 0;
                return Ok(true);
            }
            Ok(Step::Other) => return Ok(true),
            Ok(Step::End) => {
                self.ended = true;
                return Ok(false);
            }
            Ok(Step::Broken(why)) => return self.give_up(why),
            Ok(Step::Nothing) => None,
            // The packet is bad, the stream may not be.
            Err(Error::DecodeError(why)) => {
                self.skipped += 1;
                Some(why)
            }
            Err(Error::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                // A WAV of unstated length, as written into a pipe, ends here; one whose stated
                // length is not reached is told by its count of samples.
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
        self.barren += 1;
        if self.barren >= MAX_BARREN {
            let why = failed.unwrap_or("empty packets");
            return self.give_up(format!(
                "{MAX_BARREN} packets in a row without audio: {why}"
            ));
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
        let short = (self.ended && self.broken.is_none() && self.decoded < self.promised)
            .then(|| format!("ends after {} of {} samples", self.decoded, self.promised));
        let notes: Vec<_> = [self.broken.clone(), skipped, short]
            .into_iter()
            .flatten()
            .collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// The reader of one format: chosen by our own sniffing, because symphonia's probe takes a sync
/// word anywhere in random bytes for MP3.
fn reader(kind: Kind, s: MediaSourceStream<'static>) -> Opened {
    let o = FormatOptions::default();
    Ok(match kind {
        Kind::Wave => Box::new(WavReader::try_new(s, o)?),
        Kind::Aiff => Box::new(AiffReader::try_new(s, o)?),
        Kind::Flac => Box::new(FlacReader::try_new(s, o)?),
        Kind::Ogg => Box::new(OggReader::try_new(s, o)?),
        Kind::Mp4 => Box::new(IsoMp4Reader::try_new(s, o)?),
        Kind::Mp3 => Box::new(MpaReader::try_new(s, o)?),
        Kind::Adts => Box::new(AdtsReader::try_new(s, o)?),
        Kind::Au => return Err(Error::Unsupported("au")),
    })
}

type Opened = std::result::Result<Box<dyn FormatReader>, Error>;

/// What an error before the first packet means for the file.
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

/// Whether the system made this error; readers also use the type for what they find in bytes.
fn is_system(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// Runs decoder code; a panic in it becomes a reason. The decoder must not be used after one.
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
