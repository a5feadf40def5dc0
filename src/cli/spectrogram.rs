//! `sonoprint spectrogram`.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::image_list::ImageList;
use super::walk_args::WalkArgs;
use super::words::{note, note_left_out, print_line_lossy};
use super::{Done, args, progress};
use crate::audio::{self, ClipRule, Ends};
use crate::classify::{DiscoverError, Input, Shard, discover};
use crate::files;
use crate::frontend::axes::{Caption, with_axes};
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
    #[arg(long, default_value = "mel", help_heading = IMAGE)]
    preset: String,
    /// Size of an image in pixels; the preset's own if absent.
    #[arg(long, value_name = "WxH", value_parser = args::size, help_heading = IMAGE)]
    size: Option<Size>,
    /// Draw axes too: time, frequency, and the scale of the values. Without them, the image is what a
    /// network sees.
    #[arg(long)]
    axes: bool,
    /// Color map.
    #[arg(long, value_name = "NAME", help_heading = IMAGE)]
    colormap: Option<Colormap>,
    /// Length of a clip. A longer file gives several images; a shorter one is padded with silence.
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = args::clip_seconds,
        default_value = "30",
        help_heading = IMAGE
    )]
    clip_seconds: f64,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// Heading of the flags that decide how an image looks.
const IMAGE: &str = "Image";

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
    let images = ImageList::open(&args.out)?;
    let mut painter = Painter {
        engine: FrontEnd::new(&args.device.open()?, &settings)?,
        settings,
        axes: args.axes,
        images,
    };
    let bar = progress::bar(inputs.len(), "{bar:30} {pos}/{len} files, {per_sec}");
    let mut failed = 0;
    for input in &inputs {
        let loaded = match input {
            Input::File(file) => audio::load(file, painter.settings.sample_rate)
                .map(|loaded| (file, loaded.samples))
                .map_err(|e| format!("{}: {e}", file.display())),
            Input::Unreadable(path, why) => Err(format!("{}: {why}", path.display())),
        };
        match loaded {
            Ok((file, samples)) => {
                for path in painter.draw(samples, file)? {
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

/// Draws the images of a folder.
struct Painter {
    engine: FrontEnd,
    settings: FrontEndConfig,
    axes: bool,
    images: ImageList,
}

impl Painter {
    /// Draws every clip of `samples`, a few at a time, and returns the paths of the images.
    fn draw(&mut self, samples: Vec<f32>, file: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let rule = self.settings.clip_rule(0.0);
        let note = shortness(&rule, samples.len(), self.settings.sample_rate);
        let samples = rule.prepare(samples);
        let spans = rule.spans(samples.len());
        let mut paths = self.images.names(file, spans.len())?.into_iter();
        let mut drawn = Vec::new();
        let mut number = 1..;
        for group in spans.chunks(4) {
            let pcm: Vec<Vec<f32>> = group
                .iter()
                .map(|&span| audio::extract(&samples, span, rule.len))
                .collect();
            let pcm: Vec<&[f32]> = pcm.iter().map(Vec::as_slice).collect();
            let ranges: Vec<_> = match self.axes {
                true => self.engine.spectrograms(&pcm, &[])?,
                false => Vec::new(),
            }
            .iter()
            .map(|spectrogram| spectrogram.range)
            .collect();
            let images = self.engine.images(&pcm)?;
            for (i, (pixels, path)) in images.iter().zip(&mut paths).enumerate() {
                let number = number.next().unwrap_or(0);
                let png = match ranges.get(i) {
                    None => encode_png(pixels, self.settings.image_size())?,
                    Some(&range) => {
                        let clip = match spans.len() {
                            1 => String::new(),
                            n => format!("clip {number} of {n}"),
                        };
                        let start = group[i].start as f64 - rule.margin() as f64;
                        let name = file.file_name().unwrap_or(file.as_os_str());
                        let caption = Caption {
                            title: &name.to_string_lossy(),
                            clip: &clip,
                            start: start / f64::from(self.settings.sample_rate),
                            note: &note,
                        };
                        let framed = with_axes(&self.settings, pixels, range, &caption);
                        encode_png(&framed.rgba, framed.size)?
                    }
                };
                files::write_beside(&path, &png)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                drawn.push(path);
            }
        }
        Ok(drawn)
    }
}

/// Says what follows behind the end of a file of `samples` samples that is shorter than a clip.
fn shortness(rule: &ClipRule, samples: usize, rate: u32) -> String {
    let what = match rule.ends {
        _ if !rule.is_short(samples) => return String::new(),
        Ends::Inside => "silence",
        Ends::Track { .. } => "repeated",
    };
    format!("{what} after {:.1} s", samples as f64 / f64::from(rate))
}
