//! Promises of `audio`: what is missing in a file becomes silence of its length and is said, what
//! follows keeps its place, and nothing is lost over what is not sound.
//!
//! Each test damages a good file. `tests/reference` does the same with a thousand files and holds
//! the samples against other decoders.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::audio_files::*;
use sonoprint::audio::{Loaded, load};

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio");
    fs::read(folder.join(name)).expect("a file of tests/data/audio")
}

/// Loads `bytes` at `rate` Hz. The name says nothing of their format.
fn read(bytes: &[u8], rate: u32) -> Loaded {
    let dir = folder();
    let path = put(&dir, "x.bin", bytes);
    load(&path, rate).unwrap_or_else(|e| panic!("{e}"))
}

fn error(bytes: &[u8]) -> (&'static str, String) {
    let dir = folder();
    let path: PathBuf = put(&dir, "x.bin", bytes);
    let error = load(&path, RATE).expect_err("an error");
    (error.reason(), error.to_string())
}

/// Returns whether the samples from `from` to `to` seconds are the same in both.
fn same(a: &Loaded, b: &Loaded, from: f64, to: f64, within: f32) -> bool {
    let rate = f64::from(a.source_rate);
    let range = (from * rate) as usize..(to * rate) as usize;
    let pairs = a.samples[range.clone()].iter().zip(&b.samples[range]);
    pairs.into_iter().all(|(a, b)| (a - b).abs() <= within)
}

/// Samples of which no two stretches are alike.
fn ramp(n: usize) -> Vec<i16> {
    (0..n).map(|i| (i * 37 % 20_011) as i16 - 10_000).collect()
}

fn as_float(ints: &[i16]) -> Vec<f32> {
    ints.iter().map(|&i| f32::from(i) / 32_768.0).collect()
}

/// Bytes per frame that [`flac`] makes, and of what is in front of them.
const FLAC_FRAME: usize = 8 + 1 + 2000 + 2;
const FLAC_HEAD: usize = 42;

#[test]
fn a_hole_in_flac_is_silence_of_its_length() {
    let ints = ramp(20_000);
    let want = as_float(&ints);
    let frame = |i: usize| FLAC_HEAD + i * FLAC_FRAME..FLAC_HEAD + (i + 1) * FLAC_FRAME;
    for claimed in [20_000, 0] {
        let good = flac(&ints, claimed);
        assert_eq!(read(&good, RATE).damaged, None);
        let mut zeroed = good.clone();
        zeroed[frame(5)].fill(0);
        let mut first = good.clone();
        first[frame(0)].fill(0);
        let mut flipped = good.clone();
        flipped[frame(5).start + 900] ^= 4;
        let mut cut = good.clone();
        cut.drain(frame(5).start..frame(7).end);
        for (what, bytes, lost) in [
            ("zeros", &zeroed, 5000..6000),
            ("zeros in front", &first, 0..1000),
            ("a flipped bit", &flipped, 5000..6000),
            ("bytes that are gone", &cut, 5000..8000),
        ] {
            let got = read(bytes, RATE);
            let note = got.damaged.unwrap_or_else(|| panic!("{what}: no note"));
            assert!(note.contains("missing"), "{what}: {note}");
            assert_eq!(got.samples.len(), 20_000, "{what}, {claimed}");
            let silent = |i: &usize| lost.contains(i);
            for (i, (got, want)) in got.samples.iter().zip(&want).enumerate() {
                let want = if silent(&i) { 0.0 } else { *want };
                assert!((got - want).abs() < 1e-6, "{what}, {claimed}: sample {i}");
            }
        }
    }
}

#[test]
fn what_is_not_sound_costs_flac_nothing() {
    let ints = ramp(5000);
    let good = flac(&ints, 5000);
    let block = |kind: u8, body: &[u8]| {
        let size = (body.len() as u32).to_be_bytes();
        [&[kind, size[1], size[2], size[3]], body].concat()
    };
    // Header blocks go between STREAMINFO and the first frame.
    let with = |blocks: &[u8]| {
        let mut head = good[..FLAC_HEAD].to_vec();
        head[4] = 0;
        [&head, blocks, &good[FLAC_HEAD..]].concat()
    };
    let mut minimum = good.clone();
    minimum[8..10].fill(0);
    let tag = [&b"TAG"[..], &[b'x'; 125]].concat();
    for (what, bytes) in [
        ("a smallest block of 0", minimum),
        ("a cue sheet", with(&block(0x85, &[0xff; 396]))),
        ("a broken comment", with(&block(0x84, &[0xff; 40]))),
        ("a picture that is cut", with(&block(0x86, &[0xff; 10]))),
        ("padding and an unknown block", {
            with(&[block(1, &[0; 100]), block(0xfe, b"?")].concat())
        }),
        (
            "a tag in front",
            [&b"ID3\x04\0\0\0\0\0\x04abcd"[..], &good].concat(),
        ),
        ("a tag behind", [&good[..], &tag].concat()),
        ("zeros behind", [&good[..], &[0; 3000]].concat()),
    ] {
        let got = read(&bytes, RATE);
        assert_eq!(got.damaged, None, "{what}");
        assert!(got.samples == as_float(&ints), "{what}");
    }
}

#[test]
fn joined_and_changing_flac_goes_on() {
    let ints = ramp(6000);
    let joined = [flac(&ints[..3000], 3000), flac(&ints[3000..], 3000)].concat();
    let got = read(&joined, RATE);
    assert!(got.samples == as_float(&ints));
    assert!(got.damaged.expect("a note").contains("joined"));
}

/// An MP3 frame like those of [`mp3_silence`] that counts `frames` frames in an Info tag.
fn info_frame(frames: u32, delay: u16, padding: u16) -> Vec<u8> {
    let mut frame = mp3_silence(1);
    // Mono: 17 bytes of side information behind the header.
    frame[21..25].copy_from_slice(b"Info");
    frame[28] = 1;
    frame[29..33].copy_from_slice(&frames.to_be_bytes());
    frame[33..37].copy_from_slice(b"LAME");
    let gaps = u32::from(delay) << 12 | u32::from(padding);
    frame[54..57].copy_from_slice(&gaps.to_be_bytes()[1..]);
    frame
}

#[test]
fn all_frames_of_an_mp3_are_read() {
    let frames = |bytes: &[u8]| {
        let got = read(bytes, 44_100);
        (got.samples.len(), got.damaged)
    };
    let sound = mp3_silence(50);
    assert_eq!(frames(&sound), (50 * 1152, None));
    // The decoder's own delay of 529 samples comes on top of the encoder's.
    let right = [info_frame(50, 576, 1000), sound.clone()].concat();
    let heard = 50 * 1152 - 576 - 529 - (1000 - 529);
    assert_eq!(frames(&right), (heard, None));
    // A count that is too small loses nothing, and one that is too large is said.
    for count in [0, 1, 20, 49] {
        let wrong = [info_frame(count, 576, 1000), sound.clone()].concat();
        assert_eq!(frames(&wrong), (50 * 1152 - 576 - 529, None), "{count}");
    }
    let long = [info_frame(80, 576, 1000), sound.clone()].concat();
    assert!(frames(&long).1.expect("a note").contains("ends after"));
    // Two files, the second with tags in front and a tag between.
    let tags = [
        &[b'T', b'A', b'G'][..],
        &[0; 125],
        b"ID3\x03\0\0\0\0\0\x02xx",
    ]
    .concat();
    let joined = [right.clone(), right.clone()].concat();
    assert_eq!(frames(&joined), (2 * heard, None));
    let joined = [right.clone(), tags, right.clone()].concat();
    assert_eq!(frames(&joined), (2 * heard, None));
}

#[test]
fn an_mp3_may_change_and_have_holes() {
    let sound = mp3_silence(30);
    let stereo: Vec<u8> = sound
        .chunks(417)
        .flat_map(|frame| {
            let mut frame = frame.to_vec();
            frame[3] = 0;
            frame
        })
        .collect();
    let both = read(&[sound.clone(), stereo].concat(), 44_100);
    assert_eq!(both.samples.len(), 60 * 1152);
    // At 48 kHz a frame has 384 bytes.
    let mut other = vec![0; 384];
    other[..4].copy_from_slice(&[0xff, 0xfb, 0x94, 0xc0]);
    let changed = read(&[sound.clone(), other.repeat(30)].concat(), 44_100);
    let want = 30 * 1152 + (30 * 1152 * 441 + 240) / 480;
    assert!(changed.samples.len().abs_diff(want) <= 1);
    assert!(changed.damaged.expect("a note").contains("48000 Hz"));

    let mut hole = sound.clone();
    hole[10 * 417..15 * 417].fill(0x55);
    let got = read(&hole, 44_100);
    assert_eq!(got.samples.len(), 30 * 1152);
    assert!(got.damaged.expect("a note").contains("0.13 s are missing"));
    // Bytes behind the sound end the file, and are said unless a tag counts all frames.
    for junk in [vec![0; 200_000], b"not a frame".repeat(20_000)] {
        let got = read(&[sound.clone(), junk.clone()].concat(), 44_100);
        assert_eq!(got.samples.len(), 30 * 1152);
        assert_eq!(got.damaged.as_deref(), Some("its end is damaged"));
        let tagged = read(
            &[info_frame(30, 576, 1000), sound.clone(), junk].concat(),
            44_100,
        );
        assert_eq!(tagged.damaged, None);
    }
    // Behind a lot of bytes that are no sound.
    for n in [70_000, 1_100_000] {
        let late = [vec![0; n], sound.clone()].concat();
        assert_eq!(read(&late, 44_100).samples.len(), 30 * 1152);
    }
}

/// The pages of an Ogg file.
fn pages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut at = 0;
    let mut pages = Vec::new();
    while at < bytes.len() {
        assert_eq!(&bytes[at..at + 4], b"OggS");
        let count = usize::from(bytes[at + 26]);
        let table = &bytes[at + 27..at + 27 + count];
        let len = 27 + count + table.iter().map(|&n| usize::from(n)).sum::<usize>();
        pages.push(bytes[at..at + len].to_vec());
        at += len;
    }
    pages
}

#[test]
fn ogg_goes_on_behind_bad_pages_and_at_the_next_stream() {
    for (name, headers) in [("opus_pages.opus", 2), ("vorbis_pages.ogg", 2)] {
        let bytes = fixture(name);
        let whole = read(&bytes, 48_000);
        let rate = whole.source_rate;
        let whole = read(&bytes, rate);
        assert_eq!(whole.damaged, None, "{name}");
        assert_eq!(whole.samples.len(), 3 * rate as usize, "{name}");
        let parts = pages(&bytes);
        assert!(parts.len() > headers + 10, "{name}");

        let lost: Vec<u8> = [&parts[..headers + 5], &parts[headers + 7..]]
            .concat()
            .concat();
        let mut bad = bytes.clone();
        let at = parts[..headers + 5].concat().len();
        bad[at + 100] ^= 1;
        let mut end = bytes.clone();
        let last = end.len() - 3;
        end[last] ^= 1;
        for (what, bytes) in [("lost", &lost), ("bad", &bad), ("bad at the end", &end)] {
            let got = read(bytes, rate);
            assert!(got.damaged.is_some(), "{name}, {what}");
            assert_eq!(got.samples.len(), whole.samples.len(), "{name}, {what}");
            assert!(same(&got, &whole, 0.0, 0.9, 1e-6), "{name}, {what}: before");
            // Opus needs some packets to find back to the same samples.
            let to = if what == "bad at the end" { 2.0 } else { 2.9 };
            assert!(same(&got, &whole, 1.9, to, 2e-2), "{name}, {what}: behind");
        }
        let chained = read(&[bytes.clone(), bytes.clone()].concat(), rate);
        assert_eq!(chained.damaged, None, "{name}");
        assert_eq!(chained.samples.len(), 2 * whole.samples.len(), "{name}");
        assert!(
            chained.samples[whole.samples.len()..] == whole.samples,
            "{name}"
        );
    }
    // A chain of different codecs and rates has the rate of the first.
    let mixed = [fixture("vorbis_pages.ogg"), fixture("opus_pages.opus")].concat();
    let mixed = read(&mixed, 16_000);
    assert_eq!((mixed.samples.len(), mixed.damaged), (6 * 16_000, None));
}

#[test]
fn channels_of_vorbis_that_are_not_coupled() {
    let got = read(&fixture("vorbis_3_channels.ogg"), 16_000);
    assert_eq!((got.channels, got.samples.len()), (3, 8000));
    let part = |hz, level| tone(hz, 16_000, 8000, level / 3.0);
    let (a, b, c) = (part(300.0, 0.4), part(500.0, 0.2), part(700.0, 0.1));
    for i in 1000..7000 {
        let want = a[i] + b[i] + c[i];
        assert!((got.samples[i] - want).abs() < 0.02, "sample {i}");
    }
}

#[test]
fn he_aac_is_said() {
    for name in ["he.aac", "he.m4a"] {
        let got = read(&fixture(name), 16_000);
        assert_eq!(got.source_rate, 16_000, "{name}: the core's rate");
        let note = got.damaged.unwrap_or_else(|| panic!("{name}: no note"));
        assert_eq!(note, "upper band missing (HE-AAC)", "{name}");
        assert!(got.samples.iter().any(|x| x.abs() > 0.3), "{name}");
    }
}

/// Returns the position of the contents of an atom in `bytes`.
fn atom(bytes: &[u8], kind: &[u8; 4]) -> usize {
    let found = bytes.windows(4).position(|w| w == kind);
    found.unwrap_or_else(|| panic!("no {}", kind.escape_ascii())) + 4
}

#[test]
fn mp4_is_read_by_its_edits_and_behind_bad_packets() {
    let bytes = fixture("aac_packets.m4a");
    let whole = read(&bytes, 16_000);
    assert_eq!((whole.samples.len(), &whole.damaged), (48_000, &None));
    // The list skips two seconds more.
    let mut skip = bytes.clone();
    let list = atom(&bytes, b"elst");
    let start = list + 12;
    let media = u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap());
    skip[start..start + 4].copy_from_slice(&(media + 32_000).to_be_bytes());
    let skipped = read(&skip, 16_000);
    assert_eq!(skipped.damaged, None);
    // The end of the list lies behind the end of the sound by what it skips more.
    assert!((16_000..16_200).contains(&skipped.samples.len()));
    let late = skipped.samples.iter().zip(&whole.samples[32_000..]);
    assert!(late.into_iter().all(|(a, b)| (a - b).abs() < 1e-5));
    // Some packets in the middle are overwritten.
    let data = atom(&bytes, b"mdat");
    let middle = data + (bytes.len() - data) / 2;
    let mut bad = bytes.clone();
    bad[middle..middle + 400].fill(0xff);
    let got = read(&bad, 16_000);
    assert!(got.damaged.is_some());
    assert_eq!(got.samples.len(), 48_000);
    assert!(same(&got, &whole, 2.2, 3.0, 1e-4), "behind the packets");
    // The end is missing.
    let got = read(&bytes[..middle], 16_000);
    assert!((20_000..30_000).contains(&got.samples.len()));
    assert!(got.damaged.expect("a note").contains("ends"));
    // Without an index nothing can be found.
    let index = atom(&bytes, b"moov");
    let mut none = bytes.clone();
    none[index - 4..index].copy_from_slice(b"free");
    let (reason, message) = error(&none);
    assert_eq!(reason, "damaged");
    assert!(message.contains("moov"), "{message}");
}

/// A QuickTime file of one track of PCM: `kind`, bits and version of the sample entry, `children`
/// of it, and samples.
fn quicktime(kind: &[u8; 4], bits: u16, children: &[u8], data: &[u8]) -> Vec<u8> {
    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (8 + body.len() as u32).to_be_bytes();
        [&size[..], kind, body].concat()
    }
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|w| w.to_be_bytes())
            .collect::<Vec<_>>()
    };
    let width = u32::from(bits) / 8;
    let samples = data.len() as u32 / width;
    let entry = [
        &[0; 6][..],
        &[0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
        &bits.to_be_bytes(),
        &[0; 4],
        &(RATE << 16).to_be_bytes(),
        &words(&[1, width, width, 2]),
        children,
    ]
    .concat();
    let file_type = atom(b"ftyp", b"qt  \0\0\0\0qt  ");
    let table = |start: u32| {
        atom(
            b"stbl",
            &[
                atom(b"stsd", &[words(&[0, 1]), atom(kind, &entry)].concat()),
                atom(b"stts", &words(&[0, 1, samples, 1])),
                atom(b"stsc", &words(&[0, 1, 1, samples, 1])),
                atom(b"stsz", &words(&[0, width, samples])),
                atom(b"stco", &words(&[0, 1, start])),
            ]
            .concat(),
        )
    };
    let movie = |start: u32| {
        let handler = [&words(&[0, 0])[..], b"soun", &[0; 13]].concat();
        let media = [
            atom(b"mdhd", &words(&[0, 0, 0, RATE, samples, 0])),
            atom(b"hdlr", &handler),
            atom(b"minf", &table(start)),
        ];
        let track = [
            atom(b"tkhd", &words(&[0, 0, 0, 1])),
            atom(b"mdia", &media.concat()),
        ];
        let header = atom(b"mvhd", &words(&[0, 0, 0, RATE, samples]));
        atom(b"moov", &[header, atom(b"trak", &track.concat())].concat())
    };
    let start = file_type.len() + movie(0).len() + 8;
    [file_type, movie(start as u32), atom(b"mdat", data)].concat()
}

#[test]
fn pcm_in_quicktime_has_its_own_order_of_bytes() {
    let want = tone(440.0, RATE, 3000, 0.5);
    let ints: Vec<i32> = want
        .iter()
        .map(|x| (f64::from(*x) * 2f64.powi(31)) as i32)
        .collect();
    let big = |bytes: usize| -> Vec<u8> {
        ints.iter()
            .flat_map(|i| i.to_be_bytes()[..bytes].to_vec())
            .collect()
    };
    let little = |bytes: usize| -> Vec<u8> {
        let cut = |i: &i32| i.to_le_bytes()[4 - bytes..].to_vec();
        ints.iter().flat_map(cut).collect()
    };
    let floats = |x: &f32| x.to_be_bytes().to_vec();
    let doubles = |x: &f32| f64::from(*x).to_be_bytes().to_vec();
    let order = b"\0\0\0\x0aenda\0\x01";
    for (kind, bits, children, data) in [
        (b"twos", 16, &b""[..], big(2)),
        (b"sowt", 16, b"", little(2)),
        (b"in24", 24, b"", big(3)),
        (b"in24", 24, order, little(3)),
        (b"in32", 32, b"", big(4)),
        (b"in32", 32, order, little(4)),
        (b"fl32", 32, b"", want.iter().flat_map(floats).collect()),
        (b"fl64", 64, b"", want.iter().flat_map(doubles).collect()),
    ] {
        let got = read(&quicktime(kind, bits, children, &data), RATE);
        let name = kind.escape_ascii();
        assert_eq!((got.samples.len(), &got.damaged), (3000, &None), "{name}");
        let off = got.samples.iter().zip(&want).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-4, "{name}");
    }
    let laws = quicktime(b"ulaw", 8, b"", &[0x80, 0xff]);
    let got = read(&laws, RATE);
    assert!((got.samples[0] - 32_124.0 / 32_768.0).abs() < 1e-4);
    let (reason, message) = error(&quicktime(b"Qclp", 8, b"", &[0; 100]));
    assert_eq!((reason, message.contains("QCELP")), ("unsupported", true));
}

#[test]
fn wav_is_read_to_its_end_whatever_its_chunks_say() {
    let ints = ramp(1001);
    let want = as_float(&ints);
    let good = wav16(&ints);
    let (head, data) = good.split_at(36);
    let bytes = &data[8..];
    let size = |n: u32| [head, b"data", &n.to_le_bytes(), bytes].concat();
    let odd = |size: u32, body: &[u8]| [head, b"LIST", &size.to_le_bytes(), body, data].concat();
    let large = [
        b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
        (bytes.len() as u64).to_le_bytes().to_vec(),
        vec![0; 12],
        head[12..].to_vec(),
        b"data\xff\xff\xff\xff".to_vec(),
        bytes.to_vec(),
    ]
    .concat();
    let mut long = head.to_vec();
    long[16] = 20;
    let behind = [&good[..], b"LIST\x04\0\0\0INFO"].concat();
    for (what, file) in [
        ("size 0", size(0)),
        ("size of a pipe", size(0x7fff_f000)),
        ("size of -1", size(u32::MAX)),
        ("LIST of odd length with padding", odd(5, b"INFO?\0")),
        ("LIST of odd length without", odd(5, b"INFO?")),
        ("LIST that is too long", odd(5000, b"INFO")),
        ("LIST that is too short", odd(2, b"INFO")),
        ("fmt of 20 bytes", [&long, &[0; 4][..], data].concat()),
        ("RF64", large),
        ("LIST behind", behind),
    ] {
        let dir = folder();
        let got = load(&put(&dir, "x.wav", &file), RATE).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(got.damaged, None, "{what}");
        assert!(got.samples == want, "{what}");
    }
}

#[test]
fn codecs_without_a_decoder_are_named() {
    let page = |packet: &[u8]| -> Vec<u8> {
        let mut page = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec();
        page.push(packet.len() as u8);
        page.extend(packet);
        let crc = page.iter().fold(0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
                (crc << 1) ^ (0x04c1_1db7 * (crc >> 31))
            })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        page
    };
    let mut wav = wav16(&[1; 100]);
    wav[20] = 0x55;
    let mut deep = flac(&ramp(1000), 1000);
    // 32 bits per sample.
    deep[20] |= 1;
    deep[21] |= 0xf0;
    for (name, bytes) in [
        ("Speex", page(b"Speex   1.2")),
        ("MP3", wav),
        ("24 bits", deep),
        ("WavPack", b"wvpk----".to_vec()),
        ("Matroska", b"\x1a\x45\xdf\xa3----".to_vec()),
        ("ASF", b"\x30\x26\xb2\x75----".to_vec()),
        ("AC-3", b"\x0b\x77----".to_vec()),
    ] {
        let (reason, message) = error(&bytes);
        assert_eq!(reason, "unsupported", "{name}");
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(error(&page(b"\x80theora")).0, "no_audio_track");
}
