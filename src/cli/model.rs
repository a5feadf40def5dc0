//! `sonoprint model`.

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use clap::Subcommand;

use super::words::print_line;
use super::{Done, args};
use crate::frontend::config::Size;
use crate::model::{Checkpoint, Network, NetworkKind, NetworkSpec};

/// Networks and checkpoints.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a network's parameters and FLOPs, and the header of a checkpoint.
    Show {
        /// Checkpoint; the built-in one if absent.
        checkpoint: Option<PathBuf>,
        /// Show this network, without weights, instead of a checkpoint.
        #[arg(long, conflicts_with = "checkpoint")]
        network: Option<NetworkKind>,
        /// Size of the images that it reads; if absent, that of its own preset for a clip of 30 s.
        #[arg(long, value_name = "WxH", value_parser = args::size, requires = "network")]
        size: Option<Size>,
        /// Number of classes.
        #[arg(long, default_value_t = 10, requires = "network")]
        classes: usize,
    },
    /// Write a checkpoint as safetensors with the parameter names and layouts of PyTorch.
    Export {
        /// Checkpoint; the built-in one if absent.
        checkpoint: Option<PathBuf>,
        /// File to write: the weights, with classes and front-end settings as JSON in the metadata.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also write features of noise and this network's logits for them, to compare another
        /// implementation with.
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
            let preset = kind.preset();
            let front_end = match size {
                Some(_) => preset.with_image_size(*size),
                None => preset,
            };
            let spec = NetworkSpec::new(*kind, *classes, &front_end);
            show(&spec, &Network::new(&spec, 0, &device)?)?;
        }
        Command::Show { checkpoint, .. } => {
            let checkpoint = Checkpoint::open(checkpoint.as_deref(), &device)?;
            show(&checkpoint.header.network, &checkpoint.network)?;
            print_line(format!(
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
            print_line(format!("wrote {}", out.display()))?;
            if let Some(path) = example {
                checkpoint.export_example(&device, path)?;
                print_line(format!("wrote {}", path.display()))?;
            }
        }
    }
    Ok(Done::All)
}

fn show(spec: &NetworkSpec, network: &Network) -> std::io::Result<()> {
    let [channels, height, width] = spec.input;
    print_line(format!(
        "{}: {} parameters, {:.3} GFLOP per clip of {width}x{height}x{channels} features, {} classes",
        spec.kind.name(),
        network.num_params(),
        spec.flops() as f64 / 1e9,
        spec.classes
    ))
}
