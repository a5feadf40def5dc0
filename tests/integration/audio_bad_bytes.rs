//! Promise of `audio`: malformed bytes give an error that states the reason, and nothing worse.

use crate::support::audio_files::*;
use sonoprint::audio::{AudioError, EXTENSIONS, load};

/// Returns pseudo-random bytes, the same for every run (xorshift).
fn noise(seed: u64, n: usize) -> Vec<u8> {
    let mut x = seed | 1;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 24) as u8
        })
        .collect()
}

#[test]
fn unusable_numbers() {
    let dir = folder();
    let mut x = tone(440.0, RATE, 3000, 0.5);
    (x[10], x[20], x[30]) = (f32::NAN, f32::INFINITY, 1e30);
    let got = loaded(&wav(&dir, "n.wav", RATE, 1, &x));
    assert_eq!(
        [got.samples[10], got.samples[20], got.samples[30]],
        [0.0; 3]
    );
    assert!(got.damaged.expect("a note").contains('3'));
    x[..1600].fill(f32::NAN);
    assert_eq!(reason(&wav(&dir, "n.wav", RATE, 1, &x)), "not_finite");
}

#[test]
fn truncated_files_give_what_they_hold() {
    let dir = folder();
    let ints: Vec<i16> = (0..20_000).map(|i| i as i16).collect();
    let bytes = wav16(&ints);
    let got = loaded(&put(&dir, "cut.wav", &bytes[..44 + 20_001]));
    assert_eq!(got.samples.len(), 10_000);
    assert!(got.damaged.expect("a note").contains("10000 of 20000"));
    let data: Vec<u8> = ints.iter().flat_map(|s| s.to_be_bytes()).collect();
    let bytes = au(false, data.len() as u32, 3, 1, &data);
    let got = loaded(&put(&dir, "cut.au", &bytes[..28 + 20_001]));
    assert_eq!(got.samples.len(), 10_000);
    assert!(got.damaged.is_some());
    let got = loaded(&put(&dir, "cut.flac", &flac(&ints, 20_000)[..21_000]));
    assert_eq!(got.samples.len(), 10_000);
    assert!(got.damaged.is_some());
    // MP3 states no length: whole frames decode, without a note.
    let got = loaded(&put(&dir, "cut.mp3", &mp3_silence(10)[..417 * 9 + 100]));
    assert!(got.samples.len() >= 9 * 576);
}

#[test]
fn headers_that_claim_too_much() {
    let dir = folder();
    let mut bytes = wav16(&[1; 100]);
    bytes[40..44].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    let got = loaded(&put(&dir, "big.wav", &bytes));
    assert_eq!(got.samples.len(), 100);
    assert_eq!(got.damaged, None, "the size that a pipe's writer states");
    let got = loaded(&put(
        &dir,
        "big.au",
        &au(false, 0xffff_fff0, 3, 1, &[1; 200]),
    ));
    assert_eq!(got.samples.len(), 100);
    assert!(got.damaged.is_some());

    let mut rate = wav16(&[1; 100]);
    rate[24..28].copy_from_slice(&4_000_000_000u32.to_le_bytes());
    assert_eq!(reason(&put(&dir, "rate.wav", &rate)), "damaged");
    assert_eq!(
        reason(&put(
            &dir,
            "chan.au",
            &au(false, 200, 3, 1 << 30, &[1; 200])
        )),
        "damaged"
    );
}

#[test]
fn errors_say_what_is_wrong() {
    let dir = folder();
    assert_eq!(reason(&dir.path().join("absent.wav")), "io");
    assert_eq!(reason(dir.path()), "io");
    assert_eq!(reason(&put(&dir, "empty.wav", b"")), "empty");
    assert_eq!(reason(&put(&dir, "none.wav", &wav16(&[]))), "empty");
    assert_eq!(
        reason(&put(&dir, "none.au", &au(false, 0, 3, 1, &[]))),
        "empty"
    );
    assert_eq!(
        reason(&put(&dir, "text.mp3", b"not music, only words")),
        "unknown_format"
    );
    assert_eq!(
        reason(&put(&dir, "wv.wav", b"wvpk and so on")),
        "unsupported"
    );
    assert_eq!(reason(&put(&dir, "head.au", b".snd\0\0")), "damaged");
    let path = put(&dir, "ok.wav", &wav16(&[1]));
    for rate in [0, 10, u32::MAX] {
        assert!(matches!(load(&path, rate), Err(AudioError::BadRate { .. })));
    }
}

/// Noise alone, after every magic number, and scattered over good files: each gives samples or an
/// error, and every sample is finite.
#[test]
fn noise_never_panics() {
    let dir = folder();
    let magics: [&[u8]; 8] = [
        b".snd\0\0\0\x1c",
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"FORM\0\xff\xff\xffAIFFCOMM",
        b"fLaC\0\0\0\x22",
        b"OggS\0\x02",
        b"\0\0\0\x20ftypM4A ",
        b"ID3\x04\0\0\0\0\0\x0a",
        b"\xff\xfb\x90\xc0",
    ];
    for (i, extension) in EXTENSIONS.iter().enumerate() {
        let bytes = noise(i as u64 + 1, 50_000);
        let path = put(&dir, &format!("noise.{extension}"), &bytes);
        assert_eq!(reason(&path), "unknown_format");
        for magic in magics {
            let path = put(
                &dir,
                &format!("magic.{extension}"),
                &[magic, &bytes].concat(),
            );
            if let Ok(got) = load(&path, RATE) {
                assert!(got.samples.iter().all(|s| s.is_finite()));
            }
        }
    }
    let ints: Vec<i16> = (0..2000).collect();
    let data: Vec<u8> = ints.iter().flat_map(|s| s.to_be_bytes()).collect();
    let good = [
        flac(&ints, 2000),
        wav16(&ints),
        au(false, 4000, 3, 1, &data),
        mp3_silence(20),
    ];
    for seed in 1..150 {
        for file in &good {
            let mut bytes = file.clone();
            for hit in noise(seed, 18).chunks_exact(3) {
                // Half of the hits go to the header, where they do most damage.
                let within = if hit[2] & 1 == 0 { 64 } else { bytes.len() };
                let at = (usize::from(hit[0]) << 8 | usize::from(hit[1])) % within;
                bytes[at] = hit[2];
            }
            if let Ok(got) = load(&put(&dir, "hit.wav", &bytes), RATE) {
                assert!(!got.samples.is_empty());
                assert!(got.samples.iter().all(|s| s.is_finite()));
            }
        }
    }
}

/// The fuzzer's seeds are good files of every format. Files that it found stay here and give
/// errors.
#[test]
fn seeds_of_the_fuzzer_decode_and_its_finds_give_errors() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds/decode");
    let (mut good, mut found) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("found-") {
            assert!(load(&path, RATE).is_err(), "{name}");
            found += 1;
        } else {
            let loaded = load(&path, RATE).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(loaded.samples.iter().any(|s| s.abs() > 0.1), "{name}");
            good += 1;
        }
    }
    assert!(good >= 15 && found >= 1, "{good} good, {found} found");
}
