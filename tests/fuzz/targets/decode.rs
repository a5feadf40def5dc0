//! Any bytes as an audio file, from decoder to clips: no panic, nothing that is not finite, memory within libFuzzer's
//! `-rss_limit_mb`.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports)]
#[path = "../../../src/audio/mod.rs"]
mod audio;

/// In memory where the system has such a place.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("sonoprint-fuzz-{}", std::process::id()))
});
const RATE: u32 = 22_050;
const CLIP: usize = 2205;
/// A few bytes may stand for days of silence; the fuzzer has not the time.
const CLIPS: usize = 300;

// A panic that `audio` catches and makes an error of is none; one that it does not catch ends the fuzzer still.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("room for one file");
    let Ok(mut clips) = audio::Clips::open(&FILE, RATE, CLIP, CLIP / 2) else {
        return;
    };
    for _ in 0..CLIPS {
        match clips.next_clip() {
            Ok(Some(clip)) => {
                assert_eq!(clip.samples.len(), CLIP);
                assert!(clip.len <= CLIP && clip.len > 0);
                assert!(clip.samples.iter().all(|x| x.is_finite()));
            }
            Ok(None) | Err(_) => break,
        }
    }
    let _ = clips.damaged();
});
