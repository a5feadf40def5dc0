//! The settings of a run, from the flags and from the model that it starts from.

use anyhow::{anyhow, ensure};
use burn::tensor::Device;

use super::flags::Args;
use crate::frontend::config::Output;
use crate::frontend::presets;
use crate::model::{Checkpoint, ModelName, Task};
use crate::train::{TrainError, TrainSettings};

/// Returns the settings that the flags stand for.
pub fn settings(args: &Args) -> anyhow::Result<TrainSettings> {
    let mut settings = args.settings.clone();
    let mut front_end = match &args.input.preset {
        Some(name) => presets::preset(name)?,
        None => settings.network.preset(),
    };
    if let Some(seconds) = args.input.clip_seconds {
        front_end = front_end.with_clip_seconds(seconds);
    }
    if args.input.size.is_some() {
        ensure!(
            matches!(front_end.output, Output::Image(_)),
            "the preset {} makes no images, so --size does not apply",
            front_end.preset
        );
        front_end = front_end.with_image_size(args.input.size);
    }
    settings.front_end = front_end;
    settings.validate().map_err(with_flag)?;
    Ok(settings)
}

/// Takes network and front end of the model that the flags name. Returns a line about it.
pub fn start_from(
    name: &str,
    settings: &mut TrainSettings,
    classes: &[String],
    args: &Args,
) -> anyhow::Result<String> {
    let name = whole(name);
    let model = Checkpoint::open(ModelName::from(name.as_str()), &Device::flex())?;
    settings.start_from(&model, classes);
    if let Some(seconds) = args.input.clip_seconds {
        settings.front_end = settings.front_end.clone().with_clip_seconds(seconds);
    }
    settings.validate().map_err(with_flag)?;
    let its = &model.header.classes;
    let known = classes.iter().filter(|class| its.contains(class)).count();
    let head = match (*its == classes, settings.transfer.freeze) {
        (true, false) => {
            "its last layer is kept, because its classes are those of the dataset".into()
        }
        (true, true) => {
            "its classes are those of the dataset, and its last layer is fitted anew".into()
        }
        (false, _) => format!(
            "its last layer is replaced: it has {} classes, and {known} of the dataset's {} are among them",
            its.len(),
            classes.len()
        ),
    };
    let line = format!("starting from {name} ({}): {head}", model.fingerprint);
    settings.transfer.init = Some(name);
    Ok(line)
}

/// Returns the name of a model so that it is found from every folder.
fn whole(name: &str) -> String {
    match ModelName::from(name) {
        ModelName::File(path) => std::fs::canonicalize(path)
            .ok()
            .and_then(|path| path.to_str().map(str::to_owned))
            .unwrap_or_else(|| name.to_owned()),
        ModelName::Builtin(name) => name.to_owned(),
    }
}

/// Names the flag of a setting that is out of its range.
pub fn with_flag(error: TrainError) -> anyhow::Error {
    match error {
        TrainError::Setting { name, value, must } => {
            anyhow!("--{} is {value}: it must be {must}", name.replace('_', "-"))
        }
        other => other.into(),
    }
}

/// Describes the settings in a line, for people.
pub fn describe(settings: &TrainSettings) -> String {
    let front_end = &settings.front_end;
    let [_, height, width] = front_end.output_shape();
    let input = match front_end.output {
        Output::Image(_) => format!("{width}x{height} images"),
        Output::Features => format!("features of {height} frames by {width} rows"),
    };
    let task = match settings.task {
        Task::SingleLabel => "",
        Task::MultiLabel => ", several labels per file",
    };
    format!(
        "{} on {input} of {:.1} s ({}), batch {}, seed {}{task}",
        settings.network.name(),
        front_end.clip_seconds(),
        front_end.preset,
        settings.batch,
        settings.seed
    )
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{Args as _, Command, FromArgMatches};

    use super::{Args, settings};
    use crate::train::TrainSettings;

    fn parse(words: &str) -> Result<Args, clap::Error> {
        let command = Args::augment_args(Command::new("train"));
        let matches =
            command.try_get_matches_from(std::iter::once("train").chain(words.split(' ')))?;
        Args::from_arg_matches(&matches)
    }

    #[test]
    fn flags_without_values_are_the_defaults_of_the_library() {
        let args = parse("music --out run").unwrap();
        assert_eq!(settings(&args).unwrap(), TrainSettings::default());
    }

    /// Both take their settings from files, which flags would contradict.
    #[test]
    fn resume_and_config_exclude_settings() {
        for ok in [
            "--resume run",
            "--config run.toml --out run",
            "--resume run --pcm-memory 1",
        ] {
            parse(ok).unwrap_or_else(|e| panic!("{ok}: {e}"));
        }
        let mut excluded: Vec<String> = [
            "music",
            "--size 9x9",
            "--split filtered",
            "--seeds 3",
            "--labels tags",
            "--labels tags --task multi-label",
        ]
        .map(str::to_owned)
        .into();
        excluded.push("--find-lr".to_owned());
        parse("--resume run --epochs 60").unwrap();
        let settings = TrainSettings::augment_args(Command::new("settings"));
        let others = settings
            .get_arguments()
            .filter(|flag| flag.get_id() != "epochs");
        for flag in others {
            let value = flag.get_default_values().first();
            let value = value.map_or("1", |v| v.to_str().unwrap());
            let value = match flag.get_action().takes_values() {
                true => format!(" {value}"),
                false => String::new(),
            };
            excluded.push(format!("--{}{value}", flag.get_long().unwrap()));
        }
        assert!(excluded.len() > 20);
        for more in excluded {
            for begin in ["--resume run", "--config run.toml --out run"] {
                let words = format!("{begin} {more}");
                let error = parse(&words).err().unwrap_or_else(|| panic!("{words}"));
                assert_eq!(
                    error.kind(),
                    ErrorKind::ArgumentConflict,
                    "{words}: {error}"
                );
            }
        }
    }

    #[test]
    fn a_setting_out_of_its_range_is_named_by_its_flag() {
        let args = parse("music --out run --label-smoothing 2").unwrap();
        let error = settings(&args).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--label-smoothing is 2: it must be from 0 to 0.5"
        );
    }
}
