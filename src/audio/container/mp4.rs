//! MP4, M4A and QuickTime: the first audio track.
//!
//! symphonia's reader gives the packets of compressed sound. It is shown the file without the atoms
//! that are not needed for that, because a fault in one of them would end it. PCM is read here by
//! the table of chunks, because that reader knows neither the order of its bytes nor a sample of
//! several bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::formats::IsoMp4Reader;

use super::super::error::AudioError;
use super::super::{MAX_CHANNELS, RATES, guarded, opus};
use super::mp4_atoms::{Atom, Chunk, Track, atoms, audio_tracks, itunes_gaps};
use super::mp4_fragments::Fragments;
use super::{Container, Event, Group, Kept, Place, Stream};

/// The largest index in bytes. One of ten hours of AAC has 10 MB.
const LARGEST_INDEX: u64 = 256 * 1024 * 1024;

/// Packets in a row that may lie outside the file or whose index is damaged.
const UNREADABLE: u32 = 1000;

/// Frames per packet of PCM, at most.
const FRAMES: u64 = 8192;

/// Samples per channel by which a file may be shorter than its index states without a note.
const SLACK: u64 = 4 * 1152;

/// Codecs in packets that have a decoder.
const CODECS: [AudioCodecId; 7] = [
    CODEC_ID_AAC,
    CODEC_ID_ALAC,
    CODEC_ID_FLAC,
    CODEC_ID_MP1,
    CODEC_ID_MP2,
    CODEC_ID_MP3,
    CODEC_ID_OPUS,
];

/// What sample entries call those codecs.
const PACKED: [&[u8; 4]; 7] = [
    b"mp4a", b"alac", b"fLaC", b"Opus", b".mp3", b"mp3 ", b"ms\0U",
];

/// The audio track of an MP4 file.
pub(super) struct Mp4 {
    stream: Option<Stream>,
    source: Source,
}

/// Where the packets come from.
enum Source {
    /// symphonia's reader, and the track that is read.
    Packets(Box<dyn FormatReader>, u32, Fragments),
    Chunks(Chunks),
    Ended,
}

impl Mp4 {
    /// Reads the index of the file that starts at byte `start`. `len` is the length of the file.
    pub(super) fn open(
        mut file: File,
        start: u64,
        len: u64,
    ) -> io::Result<Result<Self, AudioError>> {
        let index = match index(&mut file, start, len)? {
            Ok(index) => index,
            Err(e) => return Ok(Err(e)),
        };
        let bytes = &index.bytes;
        let tracks = audio_tracks(bytes, index.body.clone());
        let Some(track) = tracks.into_iter().next() else {
            return Ok(Err(AudioError::NoAudioTrack));
        };
        if let Some((codec, width)) = pcm(&track) {
            return Ok(Self::chunks(file, start, &track, bytes, codec, width));
        }
        if !PACKED.contains(&&track.entry.kind) {
            return Ok(Err(AudioError::unsupported(codec_name(&track))));
        }
        let behind = start + index.start + bytes.len() as u64;
        let moov = (bytes.as_slice(), index.body.clone());
        let fragments = Fragments::read(&mut file, behind, len, track.id, moov)?;
        let mut section = Section::new(file, start, index.end, hidden(&index, track.id));
        if !index.has_type {
            section.append(b"\0\0\0\x10ftypqt  \0\0\0\0");
        }
        let stream = MediaSourceStream::new(Box::new(section), Default::default());
        let reader = guarded(|| IsoMp4Reader::try_new(stream, FormatOptions::default()));
        let reader = match reader {
            Ok(Ok(reader)) => reader,
            Ok(Err(Error::IoError(e))) if e.raw_os_error().is_some() => return Err(e),
            Ok(Err(Error::Unsupported(what))) => return Ok(Err(AudioError::unsupported(what))),
            Ok(Err(e)) => return Ok(Err(AudioError::damaged(format!("its index: {e}")))),
            Err(panic) => return Ok(Err(AudioError::damaged(panic))),
        };
        let found = reader.tracks().iter().find(|t| t.id == track.id);
        let params = found.and_then(|t| t.codec_params.as_ref());
        let Some(CodecParameters::Audio(params)) = params else {
            return Ok(Err(AudioError::unsupported(codec_name(&track))));
        };
        if !CODECS.contains(&params.codec) {
            return Ok(Err(AudioError::unsupported(codec_name(&track))));
        }
        let ticks = found.and_then(|t| t.duration).map_or(0, |d| d.get());
        let gaps = itunes_gaps(bytes, index.body.clone());
        let mut stream = described(params.clone(), &track, ticks, gaps);
        if ticks == 0 && start + index.end > len {
            stream.note = Some("the file ends inside its sound");
        }
        if stream.keep.is_empty()
            && params.codec == CODEC_ID_OPUS
            && let Some(head) = params.extra_data.as_deref().and_then(opus::Head::parse)
        {
            let ticks = head.pre_skip as i64 * i64::from(track.timescale) / i64::from(opus::RATE);
            stream.keep = vec![Kept::from(ticks)];
        }
        Ok(Ok(Self {
            stream: Some(stream),
            source: Source::Packets(Box::new(reader), track.id, fragments),
        }))
    }

    /// Opens a track of PCM. `width` is the number of bytes per block of one channel and of frames
    /// in it.
    fn chunks(
        file: File,
        start: u64,
        track: &Track,
        index: &[u8],
        codec: AudioCodecId,
        (bytes, frames): (u64, u64),
    ) -> Result<Self, AudioError> {
        let entry = &track.entry;
        if !RATES.contains(&entry.rate) || !(1..=MAX_CHANNELS as u32).contains(&entry.channels) {
            return Err(AudioError::damaged(format!(
                "its header states {} channels at {} Hz",
                entry.channels, entry.rate
            )));
        }
        let block = bytes * u64::from(entry.channels);
        let chunks = track.chunks(index, block, frames);
        let total = chunks.iter().map(|chunk| chunk.samples).sum::<u64>();
        if total == 0 {
            return Err(AudioError::Empty);
        }
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(entry.rate)
            .with_channels(Channels::Discrete(entry.channels as u16))
            .with_max_frames_per_packet(FRAMES.next_multiple_of(frames))
            .with_frames_per_block(frames);
        let ticks = u128::from(total) * u128::from(track.timescale) / u128::from(entry.rate);
        let mut stream = described(params, track, ticks as u64, None);
        stream.stated = total / frames * frames;
        Ok(Self {
            stream: Some(stream),
            source: Source::Chunks(Chunks {
                file,
                start,
                block,
                frames,
                chunks: chunks.into_iter(),
                chunk: None,
            }),
        })
    }
}

/// Describes the stream of `track`, which is `ticks` long.
fn described(
    params: AudioCodecParameters,
    track: &Track,
    ticks: u64,
    gaps: Option<Kept>,
) -> Stream {
    let mut stream = Stream::new(params);
    let rate = u64::from(stream.timescale);
    stream.timescale = track.timescale;
    let scale = u128::from(track.timescale.max(1));
    let frames = u128::from(ticks) * u128::from(rate) / scale;
    stream.stated = u64::try_from(frames).unwrap_or(0).saturating_sub(SLACK);
    // Recorders stamp packets by a clock that is not the sound's.
    stream.tolerance = rate / 25;
    let mut edits = track.edits.clone().unwrap_or_default();
    if edits.first().is_none_or(|part| part.start == 0)
        && let Some(kept) = gaps
    {
        edits = vec![kept];
    }
    let ascending = edits.windows(2).all(|pair| pair[0].end <= pair[1].start);
    if ascending {
        stream.keep = edits;
    } else {
        // Parts that a player repeats or turns around are read once, in the order of the track.
        stream.note = Some("its edit list repeats or reorders parts, which are read once");
        let start = edits.iter().map(|part| part.start).min().unwrap_or(0);
        let end = edits.iter().map(|part| part.end).max().unwrap_or(i64::MAX);
        stream.keep = vec![Kept { start, end }];
    }
    stream
}

impl Container for Mp4 {
    fn next(&mut self) -> io::Result<Option<Event>> {
        if let Some(stream) = self.stream.take() {
            return Ok(Some(Event::Stream(Box::new(stream))));
        }
        match &mut self.source {
            Source::Ended => Ok(None),
            Source::Chunks(chunks) => Ok(chunks.next()?.map(|p| Event::Group(Group::of(p)))),
            Source::Packets(reader, id, fragments) => {
                let found = next_packet(reader.as_mut(), *id, fragments)?;
                if !matches!(found, Some(Event::Group(_))) {
                    self.source = Source::Ended;
                }
                Ok(found)
            }
        }
    }
}

/// Returns the next packet of track `id`.
fn next_packet(
    reader: &mut dyn FormatReader,
    id: u32,
    fragments: &Fragments,
) -> io::Result<Option<Event>> {
    let mut unreadable = 0;
    loop {
        let why = match guarded(|| reader.next_packet()) {
            Ok(Ok(None)) => return Ok(None),
            Ok(Ok(Some(packet))) if packet.track_id != id => continue,
            Ok(Ok(Some(packet))) => {
                return Ok(Some(Event::Group(Group {
                    place: Place::At(fragments.stamp(packet.pts.get())),
                    packets: vec![packet],
                    gap: false,
                })));
            }
            Ok(Err(Error::IoError(e))) if e.raw_os_error().is_some() => return Err(e),
            Ok(Err(Error::IoError(_))) => "the file ends before its sound does".to_owned(),
            Ok(Err(e)) => format!("its index: {e}"),
            Err(panic) => return Ok(Some(Event::Broken(panic))),
        };
        // The index still knows the packets behind one that cannot be read.
        unreadable += 1;
        if unreadable >= UNREADABLE {
            return Ok(Some(Event::Broken(why)));
        }
    }
}

/// PCM in chunks.
struct Chunks {
    file: File,
    /// First byte of the container in the file.
    start: u64,
    /// Bytes per block, and frames in it.
    block: u64,
    frames: u64,
    chunks: std::vec::IntoIter<Chunk>,
    /// What is left of the chunk that is being read.
    chunk: Option<Chunk>,
}

impl Chunks {
    fn next(&mut self) -> io::Result<Option<Packet>> {
        loop {
            let Some(chunk) = self.chunk.take().or_else(|| self.chunks.next()) else {
                return Ok(None);
            };
            let left = chunk.samples / self.frames;
            let blocks = left.min(FRAMES.div_ceil(self.frames));
            let mut bytes = Vec::new();
            self.file
                .seek(SeekFrom::Start(self.start.saturating_add(chunk.start)))?;
            (&mut self.file)
                .take(blocks * self.block)
                .read_to_end(&mut bytes)?;
            let read = bytes.len() as u64 / self.block;
            if read == 0 {
                continue;
            }
            bytes.truncate((read * self.block) as usize);
            if blocks < left && read == blocks {
                self.chunk = Some(Chunk {
                    start: chunk.start + blocks * self.block,
                    samples: chunk.samples - blocks * self.frames,
                });
            }
            let duration = Duration::from(read * self.frames);
            return Ok(Some(Packet::new(0, Timestamp::new(0), duration, bytes)));
        }
    }
}

/// Returns the codec of a track of PCM, with the bytes and frames per block of one channel.
fn pcm(track: &Track) -> Option<(AudioCodecId, (u64, u64))> {
    let entry = &track.entry;
    let order = |little, big| if entry.little_endian { little } else { big };
    let codec = match (&entry.kind, entry.bits) {
        (b"raw ", ..=8) => CODEC_ID_PCM_U8,
        (b"raw ", _) => CODEC_ID_PCM_U16BE,
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
        CODEC_ID_PCM_U16BE | CODEC_ID_PCM_S16LE | CODEC_ID_PCM_S16BE => 2,
        CODEC_ID_PCM_S24LE | CODEC_ID_PCM_S24BE => 3,
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => 8,
        _ => 4,
    };
    Some((codec, (bytes, 1)))
}

/// Names the codec of a track that has no decoder here.
fn codec_name(track: &Track) -> String {
    let entry = &track.entry;
    let name = match (&entry.kind, entry.object_type) {
        (b"ac-3" | b"sac3", _) | (_, Some(0xa5)) => "AC-3 (Dolby Digital)",
        (b"ec-3", _) | (_, Some(0xa6)) => "E-AC-3 (Dolby Digital Plus)",
        (b"ac-4", _) => "AC-4 (Dolby)",
        (b"dtsc" | b"dtsh" | b"dtsl" | b"dtse" | b"dtsx", _) | (_, Some(0xa9..=0xac)) => "DTS",
        (b"mlpa", _) => "TrueHD (Dolby)",
        (b"samr" | b"sawb" | b"sawp", _) => "AMR",
        (b"enca" | b"drms", _) => "protected sound (DRM)",
        (b"MAC3" | b"MAC6", _) => "MACE",
        (b"QDM2" | b"QDMC", _) => "QDesign Music",
        (b"Qclp" | b"sqcp", _) | (_, Some(0xe1)) => "QCELP",
        (b"mha1" | b"mhm1", _) => "MPEG-H",
        (b"ms\0\x02", _) => "Microsoft ADPCM in QuickTime",
        (_, Some(0xdd)) => "Vorbis in MP4",
        (kind, _) => return format!("MP4 with the codec `{}`", kind.escape_ascii()),
    };
    name.to_owned()
}

/// The index of a file: its `moov` atom.
struct Index {
    /// The bytes of the whole atom.
    bytes: Vec<u8>,
    /// Where its contents lie in `bytes`.
    body: Range<usize>,
    /// Where it begins in the container.
    start: u64,
    /// Where the last atom of the container ends, or should end if the file is cut off.
    end: u64,
    /// Whether the file says what kind it is, as QuickTime of before 2001 does not.
    has_type: bool,
}

/// Finds and reads the index of the container that starts at byte `start` of the file.
fn index(file: &mut File, start: u64, len: u64) -> io::Result<Result<Index, AudioError>> {
    let mut at = start;
    let mut cut = false;
    let mut has_type = false;
    while at + 8 <= len {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        (&mut *file).take(16).read_to_end(&mut head)?;
        if head.len() < 8 {
            break;
        }
        has_type |= &head[4..8] == b"ftyp";
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => len - at,
            1 if head.len() == 16 => head[8..].iter().fold(0, |n, &b| n << 8 | u64::from(b)),
            size => u64::from(size),
        };
        if size < 8 {
            break;
        }
        cut = size > len - at;
        if &head[4..8] == b"moov" {
            if size > LARGEST_INDEX {
                return Ok(Err(AudioError::damaged(format!(
                    "an index of {size} bytes"
                ))));
            }
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            (&mut *file).take(size).read_to_end(&mut bytes)?;
            let whole = 0..bytes.len();
            let Some(atom) = atoms(&bytes, whole).into_iter().next() else {
                return Ok(Err(AudioError::damaged(
                    "the file ends inside its index (moov)",
                )));
            };
            return Ok(Ok(Index {
                body: atom.body,
                start: at - start,
                has_type,
                end: end_of_atoms(file, at + size, len)? - start,
                bytes,
            }));
        }
        at = at.saturating_add(size);
    }
    Ok(Err(AudioError::damaged(match cut {
        true => "its index (moov) is missing, because the file is cut off",
        false => "its index (moov) is missing: the recording was not finished",
    })))
}

/// Returns where the last of the atoms ends that follow each other from byte `at` of the file on.
fn end_of_atoms(file: &mut File, mut at: u64, len: u64) -> io::Result<u64> {
    while at + 8 <= len {
        let mut head = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        (&mut *file).take(16).read_to_end(&mut head)?;
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            1 if head.len() == 16 => head[8..].iter().fold(0, |n, &b| n << 8 | u64::from(b)),
            size => u64::from(size),
        };
        // The last atom may leave its end open, and other bytes may follow the atoms.
        if size == 0 {
            return Ok(len);
        }
        if size < 8 || (size > len - at && &head[4..8] != b"mdat") {
            return Ok(at);
        }
        at = at.saturating_add(size);
    }
    Ok(at)
}

/// Returns the places of the kinds of the atoms that symphonia is not shown: other tracks, and what
/// is not about packets.
fn hidden(index: &Index, id: u32) -> Vec<u64> {
    let bytes = &index.bytes;
    let id_at = |at: usize| {
        let b = bytes.get(at..at + 4)?;
        Some(u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    };
    let is_read = |trak: &Range<usize>| {
        let header = atoms(bytes, trak.clone())
            .into_iter()
            .find(|a| &a.kind == b"tkhd");
        header.is_some_and(|tkhd| {
            let long = bytes.get(tkhd.body.start) == Some(&1);
            id_at(tkhd.body.start + if long { 20 } else { 12 }) == Some(id)
        })
    };
    let mut found = Vec::new();
    for atom in atoms(bytes, index.body.clone()) {
        let inner = atoms(bytes, atom.body.clone());
        match &atom.kind {
            b"mvhd" => {}
            b"trak" if is_read(&atom.body) => {
                let needed = |a: &&Atom| !matches!(&a.kind, b"tkhd" | b"mdia");
                found.extend(inner.iter().filter(needed).map(|a| a.start));
            }
            b"mvex" => {
                let other = |a: &&Atom| &a.kind == b"trex" && id_at(a.body.start + 4) != Some(id);
                found.extend(inner.iter().filter(other).map(|a| a.start));
            }
            _ => found.push(atom.start),
        }
    }
    found
        .iter()
        .map(|&at| index.start + at as u64 + 4)
        .collect()
}

/// A file from byte `base` on, in which some atoms are renamed `free`.
struct Section {
    file: File,
    base: u64,
    len: u64,
    position: u64,
    /// Where the kinds of the renamed atoms lie, ascending.
    renamed: Vec<u64>,
    /// Bytes that stand behind the atoms.
    tail: &'static [u8],
}

impl Section {
    /// `len` is what the atoms state: symphonia passes over an atom that reaches beyond it.
    fn new(file: File, base: u64, len: u64, mut renamed: Vec<u64>) -> Self {
        renamed.sort_unstable();
        Self {
            file,
            base,
            len,
            position: 0,
            renamed,
            tail: b"",
        }
    }

    /// Returns the length with the atom that is appended.
    fn whole(&self) -> u64 {
        self.len + self.tail.len() as u64
    }

    /// Shows an atom behind the others that is not in the file.
    fn append(&mut self, atom: &'static [u8]) {
        self.tail = atom;
    }
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(at) = self.position.checked_sub(self.len) {
            let mut rest = self.tail.get(at as usize..).unwrap_or_default();
            let n = rest.read(buf)?;
            self.position += n as u64;
            return Ok(n);
        }
        self.file.seek(SeekFrom::Start(self.base + self.position))?;
        let left = usize::try_from(self.len - self.position).unwrap_or(usize::MAX);
        let room = buf.len().min(left);
        let n = self.file.read(&mut buf[..room])?;
        let (start, end) = (self.position, self.position + n as u64);
        let first = self.renamed.partition_point(|&at| at + 4 <= start);
        for &at in self.renamed[first..].iter().take_while(|&&at| at < end) {
            for (i, &letter) in b"free".iter().enumerate() {
                let place = at + i as u64;
                if (start..end).contains(&place) {
                    buf[(place - start) as usize] = letter;
                }
            }
        }
        self.position = end;
        Ok(n)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.position, by),
            SeekFrom::End(by) => (self.whole(), by),
        };
        // Offsets come from the file's bytes. A bad one is found here, because an error of the
        // system's `seek` would count as a failure of the system.
        match from.checked_add_signed(by) {
            Some(at) if at <= self.whole() => {
                self.position = at;
                Ok(at)
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl MediaSource for Section {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.whole())
    }
}
