//! `sonoprint model`.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use burn::module::Module;
use burn::tensor::Device;
use clap::Subcommand;

use super::model_facts::{ModelFacts, ModelList, ModelRow};
use super::words::{is_stdout, note, print_bytes, print_line, print_line_lossy};
use super::{Done, args};
use crate::files::Claims;
use crate::frontend::config::Size;
use crate::model::{
    CHECKPOINT_OURS, Checkpoint, EXAMPLE_OURS, ModelName, Network, NetworkKind, NetworkSpec,
};

/// Networks, models and checkpoints.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the built-in models.
    List {
        /// Print one JSON object, whose layout `version` names.
        #[arg(long)]
        json: bool,
    },
    /// Show what a model is: labels, task, front end, license, size and cost.
    Show {
        #[command(flatten)]
        model: NamedModel,
        /// Print one JSON object, with the whole header of the checkpoint.
        #[arg(long, conflicts_with = "network")]
        json: bool,
        /// Show this network, without weights, instead of a model.
        #[arg(long, conflicts_with_all = ["name", "model"])]
        network: Option<NetworkKind>,
        /// Size of the images that it reads; if absent, that of its own preset for a clip of 30 s.
        #[arg(long, value_name = "WxH", value_parser = args::size, requires = "network")]
        size: Option<Size>,
        /// Number of classes.
        #[arg(long, default_value_t = 10, requires = "network")]
        classes: usize,
    },
    /// Write a model's weights as safetensors with the parameter names and layouts of PyTorch.
    Export {
        #[command(flatten)]
        model: NamedModel,
        /// File to write: the weights, with classes and front-end settings as JSON in the metadata. -
        /// is stdout.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also write features of noise and this network's logits for them, to compare another
        /// implementation with.
        #[arg(long, value_name = "FILE")]
        example: Option<PathBuf>,
    },
}

/// A model as the only argument, or as `--model`.
#[derive(clap::Args)]
struct NamedModel {
    /// Name of a built-in model, or a checkpoint file; the default model if absent.
    #[arg(value_name = "NAME|FILE")]
    name: Option<ModelName>,
    /// The same as NAME|FILE.
    #[arg(
        long,
        visible_alias = "checkpoint",
        value_name = "NAME|FILE",
        conflicts_with = "name"
    )]
    model: Option<ModelName>,
}

impl NamedModel {
    fn get(&self) -> ModelName {
        let named = self.name.as_ref().or(self.model.as_ref());
        named.cloned().unwrap_or_default()
    }
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let device = Device::flex();
    match &args.command {
        Command::List { json } => list(*json)?,
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
            show_network(&spec, &Network::new(&spec, 0, &device)?)?;
        }
        Command::Show { model, json, .. } => {
            let facts = ModelFacts::read(&model.get(), &device)?;
            match json {
                true => print_line(serde_json::to_string_pretty(&facts)?)?,
                false => print_line(facts)?,
            }
        }
        Command::Export {
            model,
            out,
            example,
        } => {
            export(model.get(), out, example.as_deref(), &device)?;
        }
    }
    Ok(Done::All)
}

fn export(
    model: ModelName,
    out: &Path,
    example: Option<&Path>,
    device: &Device,
) -> anyhow::Result<()> {
    let mut claims = Claims::default();
    if let ModelName::File(path) = &model {
        claims.input(path);
    }
    for (path, ours) in [(Some(out), CHECKPOINT_OURS), (example, EXAMPLE_OURS)] {
        if let Some(path) = path.filter(|path| !is_stdout(path)) {
            claims.output(path, ours)?;
        }
    }
    ensure!(
        !(is_stdout(out) && example.is_some_and(is_stdout)),
        "two files cannot both go to stdout"
    );
    let checkpoint = Checkpoint::open(model, device)?;
    let mixed = is_stdout(out) || example.is_some_and(is_stdout);
    let print_wrote = |path: &Path| match mixed {
        true => note(format_args!("wrote {}", path.display())),
        false => print_line_lossy(format_args!("wrote {}", path.display())),
    };
    match is_stdout(out) {
        true => print_bytes(&checkpoint.export_bytes(out)?)?,
        false => {
            checkpoint.export(out)?;
            print_wrote(out);
        }
    }
    match example {
        None => {}
        Some(path) if is_stdout(path) => print_bytes(&checkpoint.example_bytes(device, path)?)?,
        Some(path) => {
            checkpoint.export_example(device, path)?;
            print_wrote(path);
        }
    }
    Ok(())
}

fn list(json: bool) -> anyhow::Result<()> {
    let list = ModelList::new()?;
    if json {
        return Ok(print_line(serde_json::to_string_pretty(&list)?)?);
    }
    print_line(ModelRow::HEADINGS)?;
    for row in list.models {
        print_line(row)?;
    }
    Ok(())
}

fn show_network(spec: &NetworkSpec, network: &Network) -> std::io::Result<()> {
    let [channels, height, width] = spec.input;
    print_line(format!(
        "{}: {} parameters, {:.3} GFLOP per clip of {width}x{height}x{channels} features, {} classes",
        spec.kind.name(),
        network.num_params(),
        spec.flops() as f64 / 1e9,
        spec.classes
    ))
}
