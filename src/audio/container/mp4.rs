//! MP4, M4A and QuickTime: the first audio track.
//!
//! symphonia's reader gives the packets of compressed sound. It is shown the file without the atoms
//! that are not needed for that, because a fault in one of them would end it. PCM is read in
//! `mp4_pcm`, because that reader knows neither the order of its bytes nor a sample of several bytes.

use std::fs::File;
use std::io;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::*;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::units::Timestamp;
use symphonia::default::formats::IsoMp4Reader;

use super::super::error::AudioError;
use super::super::{guarded, opus};
use super::mp4_atoms::{Track, audio_tracks, itunes_gaps};
use super::mp4_fragments::Fragments;
use super::mp4_index::Index;
use super::mp4_pcm::Pcm;
use super::mp4_section::Section;
use super::mp4_tables::Spacing;
use super::stream::{Container, Event, Group, Kept, Place, Stream};

/// Packets in a row that may lie outside the file or whose index is damaged.
const UNREADABLE: u32 = 1000;

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

/// Packets that are decoded and dropped in front of a place. One, if the codec is not here: a block of
/// AAC overlaps the next, and MP3 takes bytes from the frames before.
const WARM_UP: [(AudioCodecId, u64); 2] = [(CODEC_ID_AAC, 2), (CODEC_ID_MP3, 64)];

/// What sample entries call those codecs.
const PACKED: [&[u8; 4]; 7] = [
    b"mp4a", b"alac", b"fLaC", b"Opus", b".mp3", b"mp3 ", b"ms\0U",
];

/// The audio track of an MP4 file.
pub(super) struct Mp4 {
    stream: Option<Stream>,
    source: Source,
    /// The lengths of its packets, if all are as long and in frames.
    spacing: Option<Spacing>,
    codec: AudioCodecId,
}

/// Where the packets come from.
enum Source {
    /// symphonia's reader, and the track that is read.
    Packets(Box<dyn FormatReader>, u32, Fragments),
    Ended,
}

impl Mp4 {
    /// Reads the index of the file that starts at byte `start`. `len` is the length of the file.
    pub(super) fn open(
        mut file: File,
        start: u64,
        len: u64,
    ) -> io::Result<Result<Box<dyn Container>, AudioError>> {
        let index = match Index::read(&mut file, start, len)? {
            Ok(index) => index,
            Err(e) => return Ok(Err(e)),
        };
        let bytes = &index.bytes;
        let tracks = audio_tracks(bytes, index.body.clone());
        let Some(track) = tracks.into_iter().next() else {
            return Ok(Err(AudioError::NoAudioTrack));
        };
        let describe = |params| described(params, &track, 0, None);
        let place = (start, len);
        if let Some(pcm) = Pcm::open(file.try_clone()?, place, &track, bytes, describe) {
            return Ok(pcm.map(|pcm| Box::new(pcm) as Box<dyn Container>));
        }
        if !PACKED.contains(&&track.entry.kind) {
            return Ok(Err(AudioError::unsupported(codec_name(&track))));
        }
        let behind = start + index.start + bytes.len() as u64;
        let moov = (bytes.as_slice(), index.body.clone());
        let fragments = Fragments::read(&mut file, behind, len, track.id, moov)?;
        let mut section = Section::new(file, start, index.end, index.hidden(track.id));
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
        let is_plain = fragments.is_empty()
            && start + index.end <= len
            && params.sample_rate == Some(track.timescale);
        Ok(Ok(Box::new(Self {
            spacing: track.spacing(bytes).filter(|_| is_plain),
            codec: params.codec,
            stream: Some(stream),
            source: Source::Packets(Box::new(reader), track.id, fragments),
        })))
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
    // Ends are rounded up, so parts that join may overlap by a tick of the movie.
    for i in 1..edits.len() {
        let next = edits[i].start;
        if (next..=next.saturating_add(i64::from(track.timescale / 100)))
            .contains(&edits[i - 1].end)
        {
            edits[i - 1].end = next;
        }
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
            Source::Packets(reader, id, fragments) => {
                let found = next_packet(reader.as_mut(), *id, fragments)?;
                if !matches!(found, Some(Event::Group(_))) {
                    self.source = Source::Ended;
                }
                Ok(found)
            }
        }
    }

    fn frames(&mut self) -> io::Result<Option<u64>> {
        Ok(self.spacing.and_then(|spacing| match self.codec {
            CODEC_ID_AAC if spacing.ticks != 1024 => None,
            // Speech needs a long time in front of a place, and only its packets show it.
            CODEC_ID_OPUS => None,
            // A packet that is shorter by its time is whole.
            CODEC_ID_AAC | CODEC_ID_MP3 => spacing.ticks.checked_mul(spacing.packets),
            _ => Some(spacing.total),
        }))
    }

    fn seek(&mut self, frame: u64) -> io::Result<Option<i64>> {
        let (Some(spacing), Source::Packets(reader, id, _)) = (self.spacing, &mut self.source)
        else {
            return Ok(None);
        };
        let warm_up = WARM_UP.iter().find(|(codec, _)| *codec == self.codec);
        let warm_up = warm_up.map_or(1, |(_, packets)| *packets);
        let packet = (frame / spacing.ticks).min(spacing.packets.saturating_sub(1));
        let start = packet.saturating_sub(warm_up) * spacing.ticks;
        let Ok(ts) = i64::try_from(start) else {
            return Ok(None);
        };
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(ts),
            track_id: *id,
        };
        let sought = guarded(|| reader.seek(SeekMode::Accurate, to));
        Ok(match sought {
            Ok(Ok(found)) if found.actual_ts.get() == ts => Some(ts),
            Ok(Err(Error::IoError(e))) if e.raw_os_error().is_some() => return Err(e),
            _ => None,
        })
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
