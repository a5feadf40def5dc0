//! `sonoprint spectrogram`.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::image_list::ImageList;
use super::walk_args::WalkArgs;
use super::words::{note, note_left_out, print_line_lossy};
use super::{Done, args, progress};
use crate::audio;
use crate::classify::{DiscoverError, Input, Shard, discover};
use crate::files;
use crate::frontend::colormap::Colormap;
use crate::frontend::config::{FrontEndConfig, ImageConfig, Output, Size};
use crate::frontend::{FrontEnd, encode_png, presets};

/// Draws spectrograms as PNG images, one per clip.
#[derive(clap::Args)]
pub struct Args {
    /// Audio files, and folders of audio files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    walk: WalkArgs,
    /// Folder for the images, and for images.csv, which says which image is of which file.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which spectrogram: mel (librosa's melspectrogram) or deeppixel (matplotlib's specgram).
    #[arg(long, default_value = "mel")]
    preset: String,
    /// Size of an image in pixels; the preset's own if absent.
    #[arg(long, value_name = "WxH", value_parser = args::size)]
    size: Option<Size>,
    /// Color map.
    #[arg(long, value_name = "NAME")]
    colormap: Option<Colormap>,
    /// Length of a clip. A longer file gives several images; a shorter one is padded with silence.
    #[arg(long, value_name = "SECONDS", value_parser = args::clip_seconds, default_value = "30")]
    clip_seconds: f64,
    #[command(flatten)]
    device: args::DeviceArg,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let mut settings = presets::preset(&args.preset)?.with_clip_seconds(args.clip_seconds);
    let image = settings.image();
    settings.output = Output::Image(ImageConfig {
        size: args.size.or(image.size),
        colormap: args.colormap.unwrap_or(image.colormap),
        ..image
    });
    settings.validate()?;
    let search = args.walk.search(Shard::default());
    let inputs: Vec<Input> = discover(&args.files, &search)?.collect();
    note_left_out(&search.left_out);
    if inputs.is_empty() {
        let names: Vec<_> = args.files.iter().map(|p| p.display().to_string()).collect();
        anyhow::bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    args::make_folder(&args.out)?;
    let engine = FrontEnd::new(&args.device.open()?, &settings)?;
    let bar = progress::bar(inputs.len(), "{bar:30} {pos}/{len} files, {per_sec}");
    let mut images = ImageList::open(&args.out)?;
    let mut failed = 0;
    for input in &inputs {
        let drawn = match input {
            Input::File(file) => audio::load(file, settings.sample_rate)
                .map(|loaded| (file, loaded.samples))
                .map_err(|e| format!("{}: {e}", file.display())),
            Input::Unreadable(path, why) => Err(format!("{}: {why}", path.display())),
        };
        match drawn {
            Ok((file, samples)) => {
                for path in draw(&engine, &settings, samples, &mut images, file)? {
                    bar.suspend(|| print_line_lossy(path.display()));
                }
            }
            Err(line) => {
                failed += 1;
                bar.suspend(|| note(line));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(if failed == 0 { Done::All } else { Done::Some })
}

/// Draws every clip of `samples`, a few at a time, and returns the paths of the images.
fn draw(
    engine: &FrontEnd,
    settings: &FrontEndConfig,
    samples: Vec<f32>,
    images: &mut ImageList,
    file: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let rule = settings.clip_rule(0.0);
    let samples = rule.prepare(samples);
    let spans = rule.spans(samples.len());
    let mut paths = images.names(file, spans.len())?.into_iter();
    let mut drawn = Vec::new();
    for group in spans.chunks(4) {
        let pcm: Vec<Vec<f32>> = group
            .iter()
            .map(|&span| audio::extract(&samples, span, rule.len))
            .collect();
        let pcm: Vec<&[f32]> = pcm.iter().map(Vec::as_slice).collect();
        for (pixels, path) in engine.images(&pcm)?.iter().zip(&mut paths) {
            let png = encode_png(pixels, settings.image_size())?;
            files::write_beside(&path, &png)
                .with_context(|| format!("cannot write {}", path.display()))?;
            drawn.push(path);
        }
    }
    Ok(drawn)
}
