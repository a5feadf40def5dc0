//! `sonoprint model`.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use clap::Subcommand;

use super::{Done, args};
use crate::frontend::config::Size;
use crate::frontend::presets;
use crate::model::{Checkpoint, Network, NetworkKind, NetworkSpec};

/// Networks and checkpoints.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Parameters and FLOPs of a network, and everything that a checkpoint says of itself.
    Show {
        /// Checkpoint; the built-in one if absent.
        checkpoint: Option<PathBuf>,
        /// A network without weights instead.
        #[arg(long, conflicts_with = "checkpoint")]
        network: Option<NetworkKind>,
        /// Size of its pictures; its preset's own for 30 s if absent.
        #[arg(long, value_name = "WxH", value_parser = args::size, requires = "network")]
        size: Option<Size>,
        /// Its outputs.
        #[arg(long, default_value_t = 10, requires = "network")]
        classes: usize,
    },
    /// Write a checkpoint as safetensors with the names that the same network has in PyTorch.
    Export {
        /// Checkpoint; the built-in one if absent.
        checkpoint: Option<PathBuf>,
        /// File to write: weights, with classes and front-end settings as JSON in the metadata.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also write pictures of noise and this network's logits of them, to hold another one against.
        #[arg(long, value_name = "FILE")]
        example: Option<PathBuf>,
    },
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let device = Device::flex();
    match &args.command {
        Command::Show {
            network: Some(kind),
            size,
            classes,
            ..
        } => {
            let preset = match kind {
                NetworkKind::DeepPixel => presets::deeppixel(),
                NetworkKind::Compact => presets::mel(),
            };
            let spec = NetworkSpec {
                kind: *kind,
                classes: *classes,
                picture: size.unwrap_or(preset.image_size()),
            };
            show(&spec, &Network::new(&spec, 0, &device)?)?;
        }
        Command::Show { checkpoint, .. } => {
            let checkpoint = Checkpoint::open(checkpoint.as_deref(), &device)?;
            show(&checkpoint.header.network, &checkpoint.network)?;
            args::say(format!(
                "\n{}",
                toml::to_string(&checkpoint.header)?.trim_end()
            ))?;
        }
        Command::Export {
            checkpoint,
            out,
            example,
        } => {
            let checkpoint = Checkpoint::open(checkpoint.as_deref(), &device)?;
            checkpoint.export(out)?;
            args::say(format!("wrote {}", out.display()))?;
            if let Some(path) = example {
                checkpoint.export_example(&device, path)?;
                args::say(format!("wrote {}", path.display()))?;
            }
        }
    }
    Ok(Done::All)
}

fn show(spec: &NetworkSpec, network: &Network) -> std::io::Result<()> {
    let Size { height, width } = spec.picture;
    args::say(format!(
        "{}: {} parameters, {:.3} GFLOP a {width}x{height} picture forward, {} classes",
        spec.kind.name(),
        network.num_params(),
        spec.flops() as f64 / 1e9,
        spec.classes
    ))
}
