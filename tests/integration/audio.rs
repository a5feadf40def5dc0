//! Promises of `audio`: every format decodes to the same samples, and resampling is clean.

use std::f64::consts::TAU;
use std::path::Path;

use crate::support::audio_files::*;
use sonoprint::audio::{
    ClipSpan, EXTENSIONS, MonoReader, cut, extract, extract_into, is_audio_path,
};

/// Returns the amplitude of the tone of `hz` in `x`, by projection under a Hann window.
fn level_at(x: &[f32], hz: f64, rate: u32) -> f64 {
    let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
    for (i, &s) in x.iter().enumerate() {
        let w = 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / x.len() as f64).cos();
        let phase = TAU * hz * i as f64 / f64::from(rate);
        re += w * f64::from(s) * phase.cos();
        im += w * f64::from(s) * phase.sin();
        sum += w;
    }
    2.0 * re.hypot(im) / sum
}

fn rms(x: &[f32]) -> f64 {
    (x.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / x.len() as f64).sqrt()
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

fn assert_close(a: &[f32], b: &[f32], within: f32) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= within, "sample {i}: {a} and {b}");
    }
}

#[test]
fn audio_names() {
    assert!(EXTENSIONS.is_sorted());
    for yes in ["a.wav", "b/C.AU", "x.y.Flac", "t.m4a", "t.SND"] {
        assert!(is_audio_path(Path::new(yes)), "{yes}");
    }
    for no in ["wav", "a.txt", ".wav", "a.wav.part", ""] {
        assert!(!is_audio_path(Path::new(no)), "{no}");
    }
}

#[test]
fn au_encodings_give_the_same_sound() {
    let dir = folder();
    let x = tone(440.0, RATE, 5000, 0.9);
    let int = |bytes: usize| {
        move |s: f32| {
            let full = f64::from(s) * 2f64.powi(31);
            (full as i32).to_be_bytes()[..bytes].to_vec()
        }
    };
    type Code = Box<dyn Fn(f32) -> Vec<u8>>;
    let codes: [(u32, f32, Code); 6] = [
        (2, 1.0 / 128.0, Box::new(int(1))),
        (3, 1.0 / 32768.0, Box::new(int(2))),
        (4, 1e-6, Box::new(int(3))),
        (5, 1e-6, Box::new(int(4))),
        (6, 0.0, Box::new(|s| s.to_be_bytes().to_vec())),
        (7, 0.0, Box::new(|s| f64::from(s).to_be_bytes().to_vec())),
    ];
    for (encoding, within, code) in codes {
        for little in [false, true] {
            let data: Vec<u8> = x
                .iter()
                .flat_map(|&s| {
                    let mut b = code(s);
                    if little {
                        b.reverse();
                    }
                    b
                })
                .collect();
            // The extension is wrong on purpose: the bytes decide.
            let bytes = au(little, data.len() as u32, encoding, 1, &data);
            let got = loaded(&put(&dir, "x.mp3", &bytes));
            assert_close(&got.samples, &x, within);
            assert_eq!(
                (got.source_rate, got.channels, got.damaged),
                (RATE, 1, None)
            );
            let unknown = put(&dir, "y.snd", &au(little, u32::MAX, encoding, 1, &data));
            assert_close(&loaded(&unknown).samples, &x, within);
        }
    }
    // Companded: one byte per law with its value (ITU-T G.711).
    for (encoding, byte, value) in [(1, 0x80, 32124.0), (27, 0xaa, 32256.0)] {
        let got = loaded(&put(&dir, "law.au", &au(false, 3, encoding, 1, &[byte; 3])));
        assert_eq!(got.samples, [value / 32768.0; 3]);
    }
    assert_eq!(
        reason(&put(&dir, "g.au", &au(false, 4, 23, 1, &[0; 4]))),
        "unsupported"
    );
}

#[test]
fn wav_flac_aiff_and_mp3() {
    let dir = folder();
    let ints: Vec<i16> = (0..3000)
        .map(|i| (i * 7 % 20_000) as i16 - 10_000)
        .collect();
    let x: Vec<f32> = ints.iter().map(|&s| f32::from(s) / 32768.0).collect();
    let bytes = wav16(&ints);
    assert_eq!(loaded(&put(&dir, "a.wav", &bytes)).samples, x);

    assert_eq!(loaded(&put(&dir, "a.flac", &flac(&ints, 3000))).samples, x);

    // Lengths that were never filled in: "unknown" in both places, then a wrong outer one.
    let mut piped = bytes.clone();
    piped[4..8].fill(0xff);
    piped[40..44].fill(0xff);
    let got = loaded(&put(&dir, "pipe.wav", &piped));
    assert_eq!((got.samples.as_slice(), got.damaged), (x.as_slice(), None));
    let mut wrong = bytes;
    wrong[4..8].fill(0);
    assert_eq!(loaded(&put(&dir, "outer.wav", &wrong)).samples, x);

    let mut aiff = b"FORM\0\0\0\0AIFFCOMM\0\0\0\x12\0\x01".to_vec();
    aiff.extend(3000u32.to_be_bytes());
    aiff.extend([0, 16, 0x40, 0x0d, 0xac, 0x44, 0, 0, 0, 0, 0, 0]); // 16 bits, 22 050 as 80-bit float
    aiff.extend(b"SSND");
    aiff.extend((3000u32 * 2 + 8).to_be_bytes());
    aiff.extend([0; 8]);
    aiff.extend(ints.iter().flat_map(|s| s.to_be_bytes()));
    let len = aiff.len() as u32 - 8;
    aiff[4..8].copy_from_slice(&len.to_be_bytes());
    assert_eq!(loaded(&put(&dir, "a.aif", &aiff)).samples, x);

    // A tag as large as a picture, full of false sync words, before ten frames.
    let mut mp3 = b"ID3\x04\0\0\0\0\x7d\0".to_vec();
    mp3.extend([0xff, 0xfb].repeat(8000));
    mp3.extend(mp3_silence(10));
    let got = loaded(&put(&dir, "a.mp3", &mp3));
    assert_eq!(
        (got.source_rate, got.channels, got.damaged),
        (44_100, 1, None)
    );
    assert_eq!(got.samples, vec![0.0; 5760]);
}

/// At least half a second of 440 Hz, encoded by libopus: stereo in Ogg and in MP4, and 5.1.
#[test]
fn opus_in_ogg_and_mp4() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/decode");
    for (name, channels, seconds, level, exact) in [
        ("s.opus", 2, 0.7, 0.501, true),
        // One channel of six holds effects below 120 Hz, without the tone.
        ("surround.opus", 6, 0.5, 0.501 * 5.0 / 6.0, true),
        // Only Ogg states how much the encoder added to fill its last packet.
        ("opus.mp4", 2, 0.7, 0.501, false),
    ] {
        let got = loaded(&seeds.join(name));
        assert_eq!(
            (got.source_rate, got.channels),
            (48_000, channels),
            "{name}"
        );
        assert_eq!(got.damaged, None, "{name}");
        let (len, want) = (
            got.samples.len(),
            (seconds * f64::from(RATE)).round() as usize,
        );
        let slack = if exact { 0 } else { RATE as usize / 50 };
        assert!(
            (want..=want + slack).contains(&len),
            "{name}: {len}, not {want}"
        );
        let middle = &got.samples[RATE as usize / 20..want - RATE as usize / 20];
        let off = db(level_at(middle, 440.0, RATE) / level);
        assert!(off.abs() < 0.2, "{name}: off by {off} dB");
        let want = tone(440.0, RATE, want, level);
        let want = &want[RATE as usize / 20..][..middle.len()];
        let rest: Vec<f32> = middle.iter().zip(want).map(|(a, b)| a - b).collect();
        // The tone is in place too: the samples in which the decoder converges were dropped.
        assert!(db(rms(&rest) / rms(want)) < -25.0, "{name}");
    }
}

#[test]
fn stereo_is_averaged() {
    let dir = folder();
    let left = tone(300.0, RATE, 4000, 0.5);
    let right = tone(700.0, RATE, 4000, 0.25);
    let both: Vec<f32> = left
        .iter()
        .zip(&right)
        .flat_map(|(&l, &r)| [l, r])
        .collect();
    let mean: Vec<f32> = left
        .iter()
        .zip(&right)
        .map(|(l, r)| (l + r) / 2.0)
        .collect();
    let got = loaded(&wav(&dir, "s.wav", RATE, 2, &both));
    assert_close(&got.samples, &mean, 1e-7);
    assert_eq!(got.channels, 2);
    let six: Vec<f32> = mean.iter().flat_map(|&s| [s; 6]).collect();
    assert_close(
        &loaded(&wav(&dir, "six.wav", RATE, 6, &six)).samples,
        &mean,
        1e-6,
    );
}

#[test]
fn resampling_keeps_tones_and_their_place() {
    let dir = folder();
    for rate in [
        8_000, 11_025, 16_000, 32_000, 44_100, 48_000, 96_000, 44_056,
    ] {
        let low = f64::from(rate.min(RATE)) / 2.0;
        for hz in [50.0, 997.0, 0.5 * low, 0.91 * low] {
            let x = tone(hz, rate, rate as usize, 0.5);
            let got = loaded(&wav(&dir, "t.wav", rate, 1, &x)).samples;
            let want = tone(hz, RATE, got.len(), 0.5);
            let middle = 4000..got.len() - 4000;
            let (got, want) = (&got[middle.clone()], &want[middle]);
            let off = db(level_at(got, hz, RATE) / 0.5);
            assert!(off.abs() < 0.1, "{hz} Hz from {rate} Hz is off by {off} dB");
            // No delay: the difference from a tone generated at the new rate is small too.
            let rest: Vec<f32> = got.iter().zip(want).map(|(a, b)| a - b).collect();
            let rest = db(rms(&rest) / rms(want));
            assert!(rest < -60.0, "{hz} Hz from {rate} Hz differs by {rest} dB");
        }
    }
}

#[test]
fn aliases_are_80_db_down() {
    let dir = folder();
    for rate in [44_100, 48_000, 32_000] {
        for hz in [11_100.0, 12_000.0, 13_777.0, 15_500.0] {
            let x = tone(hz, rate, rate as usize, 1.0);
            let got = loaded(&wav(&dir, "t.wav", rate, 1, &x)).samples;
            let left = db(rms(&got[4000..got.len() - 4000]) * 2f64.sqrt());
            assert!(left < -80.0, "{hz} Hz at {rate} Hz leaves {left} dB");
        }
    }
}

#[test]
fn length_after_resampling() {
    let dir = folder();
    for (rate, n) in [
        (44_100, 1),
        (44_100, 2),
        (44_100, 99_999),
        (48_000, 4096),
        (8_000, 7),
    ] {
        let got = loaded(&wav(&dir, "n.wav", rate, 1, &vec![0.1; n]))
            .samples
            .len();
        let want = (n as f64 * f64::from(RATE) / f64::from(rate)).round() as usize;
        assert!(
            got.abs_diff(want) <= 1,
            "{n} at {rate} Hz: {got}, not {want}"
        );
    }
    assert_eq!(reason(&wav(&dir, "n.wav", 192_000, 1, &[0.1])), "too_short");
}

#[test]
fn blocks_are_the_whole() {
    let dir = folder();
    let path = wav(&dir, "b.wav", 44_100, 1, &tone(440.0, 44_100, 100_000, 0.5));
    let mut reader = MonoReader::open(&path, RATE).expect("opened");
    assert_eq!((reader.source_rate(), reader.channels()), (44_100, 1));
    let mut all = Vec::new();
    loop {
        let before = all.len();
        let n = reader.read(&mut all).expect("read");
        assert_eq!(all.len(), before + n);
        if n == 0 {
            break;
        }
    }
    assert_eq!(reader.read(&mut all).expect("still the end"), 0);
    assert_eq!(all, loaded(&path).samples);
}

#[test]
fn clips_follow_the_rule() {
    let spans = |samples, clip| -> Vec<_> {
        cut(samples, clip)
            .iter()
            .map(|s| (s.start, s.len))
            .collect()
    };
    assert_eq!(spans(0, 10), []);
    assert_eq!(spans(10, 0), []);
    assert_eq!(spans(1, 10), [(0, 1)]);
    assert_eq!(spans(10, 10), [(0, 10)]);
    assert_eq!(spans(14, 10), [(0, 10)]);
    assert_eq!(spans(15, 10), [(0, 10), (5, 10)]);
    assert_eq!(spans(7, 5), [(0, 5)], "two of five are less than half");
    assert_eq!(spans(8, 5), [(0, 5), (3, 5)]);
    assert_eq!(spans(661_794, 661_500), [(0, 661_500)]);

    for clip in 1..20 {
        for samples in 1..100 {
            let spans = cut(samples, clip);
            let last = spans[spans.len() - 1];
            assert!(spans.iter().all(|s| s.start + s.len <= samples));
            assert!(spans.iter().all(|s| s.len == clip.min(samples)));
            assert!(spans.windows(2).all(|p| p[0].start < p[1].start));
            assert!(
                (samples - last.start - last.len) * 2 < clip,
                "too much left out"
            );
        }
    }
}

#[test]
fn short_clips_are_padded_with_zeros() {
    let samples = [1.0, 2.0, 3.0];
    let span = ClipSpan { start: 0, len: 3 };
    assert_eq!(extract(&samples, span, 5), [1.0, 2.0, 3.0, 0.0, 0.0]);
    let mut out = [f32::NAN; 2];
    extract_into(&samples, ClipSpan { start: 2, len: 9 }, &mut out);
    assert_eq!(out, [3.0, 0.0]);
    extract_into(&samples, ClipSpan { start: 9, len: 9 }, &mut out);
    assert_eq!(out, [0.0, 0.0]);
}
