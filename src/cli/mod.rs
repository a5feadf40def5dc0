//! What was typed, and what it means. One file a command.

mod args;
mod bench;
mod classify;
mod dataset;
mod devices;
mod evaluate;
mod merge;
mod model;
mod report;
mod spectrogram;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Music genres from spectrograms: WGSL front end, Burn network, one GPU.
#[derive(Parser)]
#[command(name = "sonoprint", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Name the genre of files and folders.
    Classify(classify::Args),
    /// Put the parts that several machines made with `classify --shard` together.
    Merge(merge::Args),
    /// Train a network on a folder with a folder for each class.
    Train(train::Args),
    /// Look a dataset over before training on it.
    Dataset(dataset::Args),
    /// Measure a checkpoint on labeled files; writes a report.
    Evaluate(evaluate::Args),
    /// Parameters and FLOPs of a network; what a checkpoint says of itself.
    Model(model::Args),
    /// Draw spectrograms as PNG.
    Spectrogram(spectrogram::Args),
    /// Measure the speed of the front end, or of the networks' convolutions, on a device.
    Bench(bench::Args),
    /// List the devices there are, and which one `auto` takes.
    Devices,
}

/// Parses the command line and runs it. Exit code 0: all done; 1: done, but some inputs failed; 2: could
/// not run; 130: stopped by Ctrl-C, with everything saved.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Classify(args) => classify::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Dataset(args) => dataset::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Spectrogram(args) => spectrogram::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Devices => devices::run(),
    };
    match done {
        Ok(Done::All) => ExitCode::SUCCESS,
        Ok(Done::Some) => ExitCode::from(1),
        Ok(Done::Stopped) => ExitCode::from(130),
        // The reader of a pipe has seen enough.
        Err(e) if is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("sonoprint: {}", explain(&e));
            ExitCode::from(2)
        }
    }
}

/// How a command ended when it could run.
enum Done {
    All,
    Some,
    /// By Ctrl-C, in order.
    Stopped,
}

/// The error and its causes, but for those that the line already ends with.
fn explain(error: &anyhow::Error) -> String {
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
            super::explain(&error),
            "no report: cannot write a/b: disk full"
        );
    }
}
