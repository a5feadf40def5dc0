//! Prints how similar tracks are: the cosine of the angle between their embeddings.
//!
//! ```sh
//! cargo run --profile quick --example embeddings [FILE..]
//! ```

use std::error::Error;
use std::path::PathBuf;

use sonoprint::gpu::{Compute, DeviceChoice};
use sonoprint::inference::Predictor;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    if files.is_empty() {
        let clips = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/clips"));
        let names = [
            "classical/classical.00024.flac",
            "classical/classical.00044.flac",
            "metal/metal.00014.flac",
            "metal/metal.00019.wav",
        ];
        files.extend(names.map(|name| clips.join(name)));
    }
    let device = Compute::open(&DeviceChoice::Auto)?.compute;
    let predictor = Predictor::builtin(&device)?;
    // What the network's last layer reads: one vector per file, the mean over its clips.
    let embeddings: Vec<Vec<f32>> = files
        .iter()
        .map(|file| predictor.embed_file(file))
        .collect::<Result<_, _>>()?;
    for (file, a) in files.iter().zip(&embeddings) {
        let row: Vec<String> = embeddings
            .iter()
            .map(|b| format!("{:5.2}", cosine(a, b)))
            .collect();
        let name = file.file_name().unwrap_or(file.as_os_str());
        println!("{}  {}", row.join(" "), name.to_string_lossy());
    }
    Ok(())
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
