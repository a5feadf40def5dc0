//! `sonoprint train`: runs what the flags ask for.

mod console;
mod find_lr;
mod flags;
mod plan;
mod planned;
mod resume;
mod run;
mod settings;

use anyhow::Context;

pub use self::flags::Args;
pub use self::plan::STRATIFIED;
use self::plan::plans;
use self::planned::create_all;
use self::run::Ended;
use super::args::check_folder;
use super::words::print_line_lossy;
use super::{Done, stop};
use crate::evaluate::MeanInterval;
use crate::files::{self, Claims, Ours};
use crate::model::Task;

/// Name of the figures of several runs.
const SUMMARY: &str = "summary.txt";
/// Recognized by its first words.
const SUMMARY_OURS: Ours = Ours {
    what: "a summary of runs",
    is: |head| {
        let mut figures = ["accuracy", "mean PR-AUC"].iter();
        figures.any(|figure| head.starts_with(&format!("{figure} on the test subset over ")))
    },
};

pub fn run(args: &Args) -> anyhow::Result<Done> {
    args.out.as_deref().map_or(Ok(()), check_folder)?;
    let mut plans = plans(args)?;
    // Check all runs before anything is decoded or written.
    for plan in &plans {
        plan.check()?;
    }
    let compute = args.device.open()?;
    let stop = stop::flag("finishing the step and saving; press Ctrl-C again to stop at once");
    if let (true, Some(plan)) = (args.find_lr, plans.first()) {
        return find_lr::run(plan, &compute, &args.memory, stop);
    }
    let several = plans.len() > 1;
    if let (true, Some(root)) = (plans.len() > 1, &args.out) {
        Claims::default().output(&root.join(SUMMARY), SUMMARY_OURS)?;
    }
    if several {
        create_all(args.out.as_deref(), &mut plans, &compute)?;
    }
    let mut figures = Vec::new();
    for (i, plan) in plans.iter().enumerate() {
        let name = match plans.len() {
            1 => "run".to_owned(),
            n => format!("run {} of {n}", i + 1),
        };
        if plans.len() > 1 {
            print_line_lossy(format_args!("== {name}: {}", plan.root.display()));
        }
        if several && let (true, Some(figure)) = (plan.is_finished(), plan.figure()) {
            print_line_lossy("finished before");
            figures.push(figure);
            continue;
        }
        match run::run(&name, plan, &compute, args, stop)? {
            Ended::Stopped => return Ok(Done::Stopped),
            Ended::Tested(figure) => figures.push(figure),
            Ended::Untested => {}
        }
    }
    if let (true, Some(mean)) = (plans.len() > 1, MeanInterval::of(&figures)) {
        let name = match plans[0].settings.task {
            Task::SingleLabel => "accuracy",
            Task::MultiLabel => "mean PR-AUC",
        };
        let runs = figures.len();
        let line = format!("{name} on the test subset over {runs} runs: {mean}");
        print_line_lossy(&line);
        let root = args.out.as_deref().or(args.resume.as_deref());
        let root = root.context("--out is missing")?;
        let values: Vec<String> = figures.iter().map(|a| format!("{a:.4}")).collect();
        let path = root.join(SUMMARY);
        files::replace(&path, format!("{line}\n{}\n", values.join(" ")).as_bytes())
            .with_context(|| format!("cannot write a summary in {}", root.display()))?;
    }
    Ok(Done::All)
}
