//! What `sonoprint model` says of a model, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;
use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;

use crate::frontend::config::{FrontEndConfig, Output, Rows};
use crate::model::{BuiltinModel, Checkpoint, Header, ModelName, NetworkSpec, Task};

/// Width of the names in front of the facts.
const WIDTH: usize = 13;

/// Version of the list as JSON: it changes if a field loses its meaning, not if one is added.
const LIST_VERSION: u32 = 1;

/// The built-in models.
#[derive(Serialize)]
pub struct ModelList {
    version: u32,
    pub models: Vec<ModelRow>,
}

impl ModelList {
    /// Returns the list of all built-in models.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            version: LIST_VERSION,
            models: ModelRow::all()?,
        })
    }
}

/// A built-in model in the list.
#[derive(Serialize)]
pub struct ModelRow {
    name: &'static str,
    task: Task,
    /// Number of classes.
    classes: usize,
    /// Preset of the front end.
    front_end: String,
    /// Size of the checkpoint, bytes.
    bytes: usize,
    license: Option<String>,
    about: &'static str,
    /// Whether it is used if no model is named.
    default: bool,
}

impl ModelRow {
    /// The heading of the lines for people.
    pub const HEADINGS: &'static str =
        "  name          task          classes  front end   size     license       ";

    fn all() -> anyhow::Result<Vec<Self>> {
        let rows = BuiltinModel::all().iter().map(|model| {
            let header = model.header()?;
            Ok(Self {
                name: model.name,
                task: header.task,
                classes: header.classes.len(),
                front_end: header.front_end.preset,
                bytes: model.bytes().len(),
                license: header.license,
                about: model.about,
                default: ModelName::Builtin(model.name) == ModelName::default(),
            })
        });
        rows.collect()
    }
}

impl fmt::Display for ModelRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:<13} {:<13} {:>7}  {:<11} {:<8} {:<12}  {}",
            if self.default { '*' } else { ' ' },
            self.name,
            task(self.task),
            self.classes,
            self.front_end,
            size(self.bytes as u64),
            short(license(&self.license)),
            self.about
        )
    }
}

/// Everything about a model.
#[derive(Serialize)]
pub struct ModelFacts {
    name: String,
    /// One line about it, if it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    task: Task,
    labels: Vec<String>,
    license: Option<String>,
    fingerprint: String,
    /// Size of the checkpoint, bytes.
    bytes: u64,
    parameters: usize,
    flops_per_clip: u64,
    /// FLOPs for 30 s of audio, in whole clips as `classify` cuts them.
    flops_per_30_s: u64,
    temperature: f32,
    /// The probability from which a class is given, if its task has one.
    threshold: Option<f32>,
    network: NetworkSpec,
    front_end: FrontEndConfig,
    training: BTreeMap<String, String>,
}

impl ModelFacts {
    /// Reads a model.
    pub fn read(name: &ModelName, device: &Device) -> anyhow::Result<Self> {
        let Checkpoint {
            header,
            network,
            fingerprint,
        } = Checkpoint::open(name, device)?;
        let builtin = match name {
            ModelName::Builtin(name) => BuiltinModel::find(name),
            ModelName::File(_) => None,
        };
        let bytes = match (builtin, name) {
            (None, ModelName::File(path)) => std::fs::metadata(path)
                .with_context(|| format!("cannot read {}", path.display()))?
                .len(),
            (model, _) => model.map_or(0, |model| model.bytes().len() as u64),
        };
        let threshold = header.decision_rule().threshold;
        let Header {
            format: _,
            task,
            classes,
            license,
            temperature,
            threshold: _,
            training,
            network: spec,
            front_end,
        } = header;
        let samples = 30 * front_end.sample_rate as usize;
        let rule = front_end.clip_rule(0.0);
        let clips = rule.spans(samples + 2 * rule.margin()).len() as u64;
        Ok(Self {
            name: name.to_string(),
            about: builtin.map(|model| model.about),
            task,
            labels: classes,
            license,
            fingerprint,
            bytes,
            parameters: network.num_params(),
            flops_per_clip: spec.flops(),
            flops_per_30_s: clips * spec.flops(),
            temperature,
            threshold,
            network: spec,
            front_end,
            training,
        })
    }
}

impl fmt::Display for ModelFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(about) = self.about {
            write!(f, ": {about}")?;
        }
        let mut fact = |name: &str, value: &dyn fmt::Display| write!(f, "\n{name:WIDTH$} {value}");
        let meaning = match self.task {
            Task::SingleLabel => "one of the labels",
            Task::MultiLabel => "any number of the labels",
        };
        let count = self.labels.len();
        fact("task", &format_args!("{}: {meaning}", task(self.task)))?;
        for (i, line) in wrapped(&self.labels).iter().enumerate() {
            let heading = if i == 0 {
                format!("{count} labels")
            } else {
                String::new()
            };
            fact(&heading, line)?;
        }
        let network = self.network.kind.name();
        fact(
            "network",
            &format_args!("{network}, {} parameters", self.parameters),
        )?;
        let giga = |flops: u64| flops as f64 / 1e9;
        let (clip, half_minute) = (giga(self.flops_per_clip), giga(self.flops_per_30_s));
        fact(
            "cost",
            &format_args!("{clip:.3} GFLOP per clip, {half_minute:.3} GFLOP per 30 s"),
        )?;
        fact("front end", &FrontEndWords(&self.front_end))?;
        fact("temperature", &self.temperature)?;
        if let Some(threshold) = self.threshold {
            fact("threshold", &threshold)?;
        }
        fact("license", &license(&self.license))?;
        fact("size", &format_args!("{} bytes", self.bytes))?;
        fact("fingerprint", &self.fingerprint)?;
        for (i, (name, value)) in self.training.iter().enumerate() {
            let heading = if i == 0 { "training" } else { "" };
            fact(heading, &format_args!("{name}: {value}"))?;
        }
        Ok(())
    }
}

/// Joins names with commas, in lines of about 80 characters.
fn wrapped(names: &[String]) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (i, name) in names.iter().enumerate() {
        let comma = if i + 1 < names.len() { "," } else { "" };
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() || line.len() + name.len() < 80 {
            let space = if line.is_empty() { "" } else { " " };
            *line += &format!("{space}{name}{comma}");
        } else {
            lines.push(format!("{name}{comma}"));
        }
    }
    lines
}

/// A front end in words.
struct FrontEndWords<'a>(&'a FrontEndConfig);

impl fmt::Display for FrontEndWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.0;
        write!(
            f,
            "{}: {} Hz, n_fft {}, hop {}, ",
            config.preset, config.sample_rate, config.n_fft, config.hop
        )?;
        match config.rows {
            Rows::Linear => write!(f, "{} bins", config.bins())?,
            Rows::Mel {
                n_mels,
                f_min,
                f_max,
            } => write!(f, "{n_mels} mel bands from {f_min} to {f_max} Hz")?,
        }
        let seconds = (config.clip_seconds() * 1e3).round() / 1e3;
        let [channels, height, width] = config.output_shape();
        let output = match config.output {
            Output::Image(_) => "images",
            Output::Features => "features",
        };
        write!(
            f,
            "; clips of {seconds} s as {output} of {width}x{height}x{channels}"
        )
    }
}

fn task(task: Task) -> &'static str {
    match task {
        Task::SingleLabel => "single label",
        Task::MultiLabel => "multi-label",
    }
}

fn license(license: &Option<String>) -> &str {
    license.as_deref().unwrap_or("not stated")
}

/// Returns a license without what follows its name.
fn short(license: &str) -> &str {
    license.split([',', ';']).next().unwrap_or(license)
}

fn size(bytes: u64) -> String {
    match bytes {
        ..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
