//! Computes the features that a network reads: the spectrogram of each clip, as a Burn tensor on
//! the device.
//!
//! ```sh
//! cargo run --profile quick --example features [FILE]
//! ```

use std::error::Error;
use std::path::PathBuf;

use sonoprint::audio;
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::gpu::{Compute, DeviceChoice};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(
        || {
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/data/clips/jazz/jazz.00014.flac"
            )
            .into()
        },
        PathBuf::from,
    );
    // librosa's mel spectrogram, of clips of 10 s.
    let config = presets::mel().with_clip_seconds(10.0);
    let device = Compute::open(&DeviceChoice::Auto)?.compute;
    let front_end = FrontEnd::new(&device, &config)?;

    let rule = config.clip_rule(0.0);
    let samples = rule.prepare(audio::load(&file, config.sample_rate)?.samples);
    let spans = rule.spans(samples.len()).into_iter();
    let clips: Vec<Vec<f32>> = spans
        .map(|span| audio::extract(&samples, span, rule.len))
        .collect();
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();

    // [clips, channels, height, width], in the device's memory: a Burn network on the same device
    // reads it there.
    let features = front_end.features(&clips)?;
    let [clips, channels, height, width] = features.dims();
    println!("{clips} clips, {channels} channels, {height} rows, {width} columns");
    println!("mean value: {:.3}", features.mean().into_scalar::<f32>());
    Ok(())
}
