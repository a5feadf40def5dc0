//! Promise: any bytes, read as an audio file and divided into clips, give no panic and no sample
//! that is not finite, in memory within libFuzzer's `-rss_limit_mb`.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, unused_imports)]
#[path = "../../../src/audio/mod.rs"]
mod audio;

/// The file with the fuzzer's bytes, in memory if the system has a place for that.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from("/dev/shm");
    let folder = if folder.is_dir() { folder } else { std::env::temp_dir() };
    folder.join(format!("sonoprint-fuzz-{}", std::process::id()))
});
const RATE: u32 = 22_050;
const CLIP: usize = 2205;
/// Clips that overlap by half.
const RULE: audio::ClipRule = audio::ClipRule {
    len: CLIP,
    step: CLIP / 2,
    ends: audio::Ends::Inside,
};
/// Maximum number of clips per file. A few bytes can hold days of silence, and the fuzzer has no
/// time for that.
const CLIPS: usize = 300;

// The empty hook keeps libFuzzer from aborting on panics that `audio` catches and turns into
// errors. A panic that it does not catch still ends the fuzzer.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("room for one file");
    let Ok(mut clips) = audio::Clips::open(&FILE, RATE, RULE) else {
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
