//! Names the genre of audio files with the default model.
//!
//! ```sh
//! cargo run --profile quick --example classify [FILE..]
//! ```

use std::error::Error;
use std::path::PathBuf;

use sonoprint::gpu::{Compute, DeviceChoice};
use sonoprint::inference::Predictor;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    if files.is_empty() {
        let clips = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/clips"));
        files
            .extend(["jazz/jazz.00014.flac", "metal/metal.00019.wav"].map(|name| clips.join(name)));
    }
    // A GPU if there is one, else the CPU.
    let device = Compute::open(&DeviceChoice::Auto)?.compute;
    let predictor = Predictor::builtin(&device)?;
    for file in files {
        let track = predictor.predict_file(&file)?;
        println!(
            "{}: {} ({:.0} %), from {} clips in {:.0} s",
            file.display(),
            track.label,
            100.0 * track.confidence,
            track.clips,
            track.seconds
        );
    }
    Ok(())
}
