//! The command line: one file per command. What a library user could want stands in other modules.

mod args;
mod auto_check;
mod bench;
mod check;
mod classify;
mod command_line;
mod config;
mod dataset;
mod devices;
mod evaluate;
mod generate;
mod hint;
mod image_list;
mod merge;
mod model;
mod model_facts;
mod page;
mod playlists;
mod progress;
mod report;
mod similar;
mod spectrogram;
mod stop;
mod tag;
mod train;
mod walk_args;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// Names the music genre of audio files, and trains networks that do.
///
/// sonoprint turns audio into spectrograms and lets a neural network name the genre, both on the
/// same GPU, or on the CPU where there is none. Trained networks are built in, so `sonoprint
/// classify` works at once; `sonoprint train` trains one on your own music.
#[derive(Parser)]
#[command(name = "sonoprint", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sonoprint classify ~/music --out genres.csv     Write a table with the genre of every file
  sonoprint spectrogram song.mp3 --out images     Draw a song's spectrograms as PNG images
  sonoprint train dataset --out run               Train on a folder with one subfolder per genre
  sonoprint classify ~/music --model run/best.safetensors

`sonoprint COMMAND --help` explains a command, and `sonoprint config --help` how options come from a file or the
environment. Exit codes: 0: done; 1: done, but some inputs failed or something was
found; 2: could not run; 130: stopped by Ctrl-C, with everything saved.";

#[derive(Subcommand)]
enum Command {
    /// Name the genre of audio files and folders.
    Classify(classify::Args),
    /// Join the tables that several machines wrote with `classify --shard`.
    Merge(merge::Args),
    /// Write genres and tags into audio files.
    Tag(Box<tag::Args>),
    /// Find the tracks that sound most like others.
    Similar(similar::Args),
    /// Train a network on a folder with one subfolder per genre.
    Train(Box<train::Args>),
    /// Check a dataset before training on it.
    Dataset(dataset::Args),
    /// Measure a model on labeled files and write a report.
    Evaluate(evaluate::Args),
    /// List the built-in models, show what a model is, or export its weights for PyTorch.
    Model(model::Args),
    /// Draw spectrograms as PNG images.
    Spectrogram(spectrogram::Args),
    /// Time the computation of spectrograms on a device.
    Bench(bench::Args),
    /// Hold a GPU against the CPU.
    Check(check::Args),
    /// List the devices that can compute, and the one that `auto` takes.
    Devices(devices::Args),
    /// Show the options that hold by configuration file and environment.
    Config(config::Args),
    /// Generate man pages, and scripts that complete commands in a shell.
    Generate(generate::Args),
}

/// Returns all commands, with the flags that choose a configuration file.
fn commands() -> clap::Command {
    config::with_flags(Cli::command())
}

/// Parses the command line, and what environment and configuration file add to it. Ends the process
/// if something is wrong, or help is asked for.
fn parse(commands: &clap::Command, words: Vec<OsString>) -> (Cli, clap::ArgMatches) {
    use config::ParseError;
    let parsed = config::parse(commands, words, config::Environment::of_process());
    let parsed = parsed.unwrap_or_else(|error| {
        match error {
            ParseError::Usage(e) => e.exit(),
            ParseError::Configured(text) => words::note(format_args!("error: {text}")),
            ParseError::Config(e) => words::note(format_args!("error: {}", facts(&e.into()))),
        }
        std::process::exit(2);
    });
    for line in &parsed.notes {
        words::note(line);
    }
    let matches = parsed.matches;
    let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    if let (Command::Train(args), Some((_, train))) = (&mut cli.command, matches.subcommand()) {
        args.epochs_given = train.value_source("epochs") == Some(ValueSource::CommandLine)
            && !parsed.configured.contains("epochs");
    }
    (cli, matches)
}

/// Runs the command line of this process and returns its exit code, as [`run_from`].
pub fn run() -> ExitCode {
    ExitCode::from(run_from(std::env::args_os()))
}

/// Runs the command line `args`, which begins with the program's name, and returns its exit code: 0
/// if all is done, 1 if some inputs failed or something was found, 2 if the command could not run,
/// 130 if Ctrl-C stopped it with everything saved. Ends the process if `args` are wrong, or ask for
/// help.
pub fn run_from(args: impl IntoIterator<Item = OsString>) -> u8 {
    let commands = commands();
    let (cli, matches) = parse(&commands, args.into_iter().collect());
    let done = match cli.command {
        Command::Classify(args) => classify::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Tag(args) => tag::run(&args),
        Command::Similar(args) => similar::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Dataset(args) => dataset::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Spectrogram(args) => spectrogram::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Config(args) => config::run(&args, &commands, &matches),
        Command::Generate(args) => generate::run(&args, commands),
    };
    match done {
        Ok(Done::All) => 0,
        Ok(Done::Some) => 1,
        Ok(Done::Stopped) => 130,
        // A broken pipe is the reader's choice to stop.
        Err(e) if is_broken_pipe(&e) => 0,
        Err(e) => {
            words::note_error(format_args!("sonoprint: {}", facts(&e)));
            if let Some(advice) = hint::hint(&e) {
                words::note_error(format_args!("hint: {advice}"));
            }
            2
        }
    }
}

/// How a command ended that could run.
enum Done {
    All,
    /// Some inputs failed, or something was found.
    Some,
    /// By Ctrl-C, with everything saved.
    Stopped,
}

/// Joins the error and its causes into a line. Leaves out causes that the line already ends with.
fn facts(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |line, cause| {
        let cause = cause.to_string();
        match line {
            line if line.ends_with(&cause) => line,
            line if line.is_empty() => cause,
            line => format!("{line}: {cause}"),
        }
    })
}

fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.downcast_ref::<std::io::Error>()
        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cause_is_said_once() {
        let twice = crate::train::TrainError::Write {
            path: "a/b".into(),
            source: std::io::Error::other("disk full"),
        };
        let error = anyhow::Error::from(twice).context("no report");
        assert_eq!(
            super::facts(&error),
            "no report: cannot write a/b: disk full"
        );
    }

    #[test]
    fn the_command_line_is_well_formed() {
        super::commands().debug_assert();
    }
}
