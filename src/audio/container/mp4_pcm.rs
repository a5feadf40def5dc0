//! PCM in MP4 and QuickTime, read by the table of chunks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::super::error::AudioError;
use super::super::timeline::rescale;
use super::super::{MAX_CHANNELS, RATES};
use super::mp4_atoms::Track;
use super::mp4_tables::Chunk;
use super::stream::{Container, Event, Group, Place, Stream};

/// Frames per packet, at most.
const FRAMES: u64 = 8192;

/// A track of PCM.
pub(super) struct Pcm {
    stream: Option<Stream>,
    file: File,
    /// First byte of the container in the file, and the length of the file.
    start: u64,
    len: u64,
    /// Bytes per block, and frames in it.
    block: u64,
    frames: u64,
    chunks: Vec<Chunk>,
    /// The chunk that comes next.
    next: usize,
    /// What is left of the chunk that is being read.
    chunk: Option<Chunk>,
    /// Frames of chunks that could not be read, since the last packet.
    lost: u64,
}

impl Pcm {
    /// Opens a track of the container that starts at byte `start` of `file`. `len` is the length of
    /// the file, `index` holds the `moov` atom, and `stream` says what is to be heard. `None` if the
    /// track is no PCM.
    pub(super) fn open(
        file: File,
        (start, len): (u64, u64),
        track: &Track,
        index: &[u8],
        describe: impl FnOnce(AudioCodecParameters) -> Stream,
    ) -> Option<Result<Self, AudioError>> {
        let (codec, (bytes, frames)) = codec(track)?;
        let entry = &track.entry;
        // The field of version 0 and 1 has no room for rates over 65 535 Hz.
        let rate = match entry.rate {
            0 => track.timescale,
            rate => rate,
        };
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS as u32).contains(&entry.channels) {
            let channels = entry.channels;
            let why = format!("its header states {channels} channels at {rate} Hz");
            return Some(Err(AudioError::damaged(why)));
        }
        let block = bytes * u64::from(entry.channels);
        let chunks = track.chunks(index, block, frames);
        let total = chunks.iter().map(|chunk| chunk.samples).sum::<u64>();
        if total == 0 {
            return Some(Err(AudioError::Empty));
        }
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(rate)
            .with_channels(Channels::Discrete(entry.channels as u16))
            .with_max_frames_per_packet(FRAMES.next_multiple_of(frames))
            .with_frames_per_block(frames);
        let mut stream = describe(params);
        // Packets have their lengths in frames, so everything has.
        let scaled = |ticks: i64| match ticks {
            i64::MAX => ticks,
            ticks => rescale(ticks, rate, track.timescale),
        };
        for part in &mut stream.keep {
            (part.start, part.end) = (scaled(part.start), scaled(part.end));
        }
        stream.timescale = rate;
        stream.stated = total / frames * frames;
        Some(Ok(Self {
            stream: Some(stream),
            file,
            start,
            len,
            block,
            frames,
            chunks,
            next: 0,
            chunk: None,
            lost: 0,
        }))
    }

    /// Returns the next packet that can be read, with the number of frames of its chunk that are
    /// missing behind it.
    fn packet(&mut self) -> io::Result<Option<(Packet, u64)>> {
        loop {
            let chunk = match self.chunk.take() {
                Some(chunk) => chunk,
                None => {
                    let Some(&chunk) = self.chunks.get(self.next) else {
                        return Ok(None);
                    };
                    self.next += 1;
                    chunk
                }
            };
            let left = chunk.samples / self.frames;
            let blocks = left.min(FRAMES.div_ceil(self.frames));
            let at = self.start.saturating_add(chunk.start);
            let mut bytes = Vec::new();
            if at < self.len {
                self.file.seek(SeekFrom::Start(at))?;
                let wanted = blocks * self.block;
                (&mut self.file).take(wanted).read_to_end(&mut bytes)?;
            }
            let read = bytes.len() as u64 / self.block;
            let missing = match read < blocks {
                // The file ends inside this chunk, or before it.
                true => (left - read) * self.frames,
                false => 0,
            };
            if read == 0 {
                self.lost += missing;
                continue;
            }
            if missing == 0 && blocks < left {
                self.chunk = Some(Chunk {
                    start: chunk.start + blocks * self.block,
                    samples: chunk.samples - blocks * self.frames,
                });
            }
            bytes.truncate((read * self.block) as usize);
            let duration = Duration::from(read * self.frames);
            let packet = Packet::new(0, Timestamp::new(0), duration, bytes);
            return Ok(Some((packet, missing)));
        }
    }
}

impl Container for Pcm {
    fn next(&mut self) -> io::Result<Option<Event>> {
        if let Some(stream) = self.stream.take() {
            return Ok(Some(Event::Stream(Box::new(stream))));
        }
        let Some((packet, behind)) = self.packet()? else {
            return Ok(None);
        };
        let before = std::mem::replace(&mut self.lost, behind);
        Ok(Some(Event::Group(Group {
            packets: vec![packet],
            place: match before {
                0 => Place::Next,
                lost => Place::After(lost),
            },
            gap: false,
        })))
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        let mut total = 0_u64;
        for chunk in &self.chunks {
            let blocks = chunk.samples / self.frames;
            let end = (blocks.saturating_mul(self.block))
                .saturating_add(chunk.start)
                .saturating_add(self.start);
            if end > self.len || !chunk.samples.is_multiple_of(self.frames) {
                return Ok(None);
            }
            total = total.saturating_add(chunk.samples);
        }
        Ok(Some(total))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let mut before = 0;
        (self.lost, self.chunk) = (0, None);
        for (i, chunk) in self.chunks.iter().enumerate() {
            self.next = i + 1;
            if before + chunk.samples > frame {
                let blocks = (frame - before) / self.frames;
                self.chunk = Some(Chunk {
                    start: chunk.start + blocks * self.block,
                    samples: chunk.samples - blocks * self.frames,
                });
                return Ok(Some((before + blocks * self.frames) as i64));
            }
            before += chunk.samples;
        }
        Ok(Some(before as i64))
    }
}

/// Returns the codec of a track of PCM, with the bytes and frames per block of one channel.
fn codec(track: &Track) -> Option<(AudioCodecId, (u64, u64))> {
    let entry = &track.entry;
    let order = |little, big| if entry.little_endian { little } else { big };
    let codec = match (&entry.kind, entry.bits) {
        (b"raw ", ..=8) => CODEC_ID_PCM_U8,
        (b"raw ", 16) => CODEC_ID_PCM_S16BE,
        (b"twos" | b"sowt", ..=8) => CODEC_ID_PCM_S8,
        (b"twos", ..=16) => CODEC_ID_PCM_S16BE,
        (b"twos", ..=24) => CODEC_ID_PCM_S24BE,
        (b"twos", _) => CODEC_ID_PCM_S32BE,
        (b"sowt", ..=16) => CODEC_ID_PCM_S16LE,
        (b"sowt", ..=24) => CODEC_ID_PCM_S24LE,
        (b"sowt", _) => CODEC_ID_PCM_S32LE,
        (b"in24", _) => order(CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S24BE),
        (b"in32", _) => order(CODEC_ID_PCM_S32LE, CODEC_ID_PCM_S32BE),
        (b"fl32", _) => order(CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F32BE),
        (b"fl64", _) => order(CODEC_ID_PCM_F64LE, CODEC_ID_PCM_F64BE),
        (b"ipcm", 16) => order(CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S16BE),
        (b"ipcm", 24) => order(CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S24BE),
        (b"ipcm", 32) => order(CODEC_ID_PCM_S32LE, CODEC_ID_PCM_S32BE),
        (b"fpcm", 32) => order(CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F32BE),
        (b"fpcm", 64) => order(CODEC_ID_PCM_F64LE, CODEC_ID_PCM_F64BE),
        (b"ulaw", _) => CODEC_ID_PCM_MULAW,
        (b"alaw", _) => CODEC_ID_PCM_ALAW,
        (b"ima4", _) => return Some((CODEC_ID_ADPCM_IMA_QT, (34, 64))),
        (b"lpcm", bits) => match (entry.flags?, bits) {
            (flags, 32) if flags & 3 == 1 => CODEC_ID_PCM_F32LE,
            (flags, 32) if flags & 3 == 3 => CODEC_ID_PCM_F32BE,
            (flags, 64) if flags & 3 == 1 => CODEC_ID_PCM_F64LE,
            (flags, 64) if flags & 3 == 3 => CODEC_ID_PCM_F64BE,
            (flags, 8) if flags & 4 == 0 => CODEC_ID_PCM_U8,
            (_, 8) => CODEC_ID_PCM_S8,
            (flags, 16) if flags & 2 == 0 => CODEC_ID_PCM_S16LE,
            (_, 16) => CODEC_ID_PCM_S16BE,
            (flags, 24) if flags & 2 == 0 => CODEC_ID_PCM_S24LE,
            (_, 24) => CODEC_ID_PCM_S24BE,
            (flags, 32) if flags & 2 == 0 => CODEC_ID_PCM_S32LE,
            (_, 32) => CODEC_ID_PCM_S32BE,
            _ => return None,
        },
        _ => return None,
    };
    let bytes = match codec {
        CODEC_ID_PCM_U8 | CODEC_ID_PCM_S8 | CODEC_ID_PCM_MULAW | CODEC_ID_PCM_ALAW => 1,
        CODEC_ID_PCM_S16LE | CODEC_ID_PCM_S16BE => 2,
        CODEC_ID_PCM_S24LE | CODEC_ID_PCM_S24BE => 3,
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => 8,
        _ => 4,
    };
    Some((codec, (bytes, 1)))
}
