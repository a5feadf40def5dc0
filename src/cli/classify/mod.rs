//! `sonoprint classify`.

mod console;
mod console_args;
mod events;
mod flags;
mod inputs;
mod layout;
mod lines;
mod list_files;
mod pace;
mod startup_times;
mod stop;
mod summary;
mod targets;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{bail, ensure};

use self::console::Console;
use self::events::{Counts, Events, Reason};
use self::inputs::{Earlier, State};
use self::pace::Total;
use self::startup_times::StartupTimes;
use self::targets::Targets;
use super::words::{note, note_left_out};
use super::{Done, facts, hint, is_broken_pipe, page};
use crate::classify::journal::{self, JournalSettings};
use crate::classify::{DiscoverError, Options, ResultTables, Schema, Shard, classify};
use crate::inference::Predictor;
use crate::model::Checkpoint;

pub use self::flags::Args;

pub fn run(args: &Args) -> anyhow::Result<Done> {
    args.console.apply();
    ensure!(
        !args.inputs.null || args.list || args.inputs.files_from.is_some(),
        "-0 is for the names in --files-from and of --list"
    );
    if args.list {
        return list(args);
    }
    let events = Events::new(args.console.events.as_ref(), args.named())?;
    let mut counts = Counts::default();
    let done = classify_all(args, &events, &mut counts);
    let (exit_code, reason) = match &done {
        Ok(Done::All) => (0, Reason::Done),
        Ok(Done::Some) => (1, Reason::Done),
        Ok(Done::Stopped) => (130, Reason::Stopped),
        Err(e) if is_broken_pipe(e) => (0, Reason::Stopped),
        Err(_) => (2, Reason::Failed),
    };
    let error = done.as_ref().err().filter(|_| exit_code == 2);
    let (message, hint) = (error.map(facts), error.and_then(hint::hint));
    events.finish(
        exit_code,
        reason,
        counts,
        message.as_deref(),
        hint.as_deref(),
    );
    done
}

/// Prints what would be done.
fn list(args: &Args) -> anyhow::Result<Done> {
    let targets = Targets::of(args)?;
    let search = args.walk.search(args.shard);
    let inputs = args.inputs.find(&search)?;
    let earlier = match targets.out {
        Some(out) if !args.fresh => journal::read(&journal::journal_of(out), None)?,
        _ => None,
    };
    let earlier = earlier.map(|state| state.files).unwrap_or_default();
    let end = if args.inputs.null { 0 } else { b'\n' };
    let done = list_files::print(inputs, &earlier, end)?;
    note_left_out(&search.left_out);
    Ok(done)
}

fn classify_all(args: &Args, events: &Events, counts: &mut Counts) -> anyhow::Result<Done> {
    let mut times = StartupTimes::start();
    let search = args.walk.search(args.shard);
    let mut inputs = args.inputs.find(&search)?.peekable();
    // One shard of several may be empty.
    if inputs.peek().is_none() && args.shard == Shard::default() {
        let searched = args.inputs.files_from.iter().chain(&args.inputs.paths);
        let names: Vec<_> = searched.map(|p| p.display().to_string()).collect();
        note_left_out(&search.left_out);
        bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    let targets = Targets::of(args)?;
    let embeddings = targets.has_embeddings(args);
    let compute = args.device.open()?;
    times.end_step("device");
    let checkpoint = Checkpoint::open(&args.model.model, &compute.burn())?;
    times.end_step("checkpoint");
    let rule = args.labels.change(checkpoint.header.decision_rule())?;
    let settings = JournalSettings {
        journal: journal::VERSION,
        model: checkpoint.fingerprint.clone(),
        classes: checkpoint.header.classes.clone(),
        task: rule.task,
        threshold: rule.threshold,
        min_confidence: rule.min_confidence,
        overlap: args.clip_overlap,
        excerpts: args.excerpts().map(|excerpts| excerpts.to_string()),
        timeline: args.timeline.is_some(),
        embeddings,
        half: args.half,
        shard: args.shard,
    };
    let schema = Schema {
        classes: settings.classes.clone(),
        top: args.labels.top(rule.task),
        model: settings.model.clone(),
        rule,
    };
    let files = args.inputs.paths.iter().chain(&args.inputs.files_from);
    let files = files.map(PathBuf::as_path);
    let playlists = args.playlists.plan(targets.out, &schema, files)?;
    let (mut tables, earlier) = match targets.plan(args, &schema)? {
        Some(plan) => {
            let (tables, earlier) = ResultTables::open(plan, &settings, args.fresh)?;
            note_damage(&tables);
            (Some(tables), earlier)
        }
        None => (None, Earlier::default()),
    };
    let earlier = Arc::new(earlier);
    let has_file = tables.is_some();
    let mut console = Console::new(targets.stdout, has_file, &schema, earlier.len(), events)?;
    times.end_step("earlier work");
    let mut predictor = Predictor::new(&compute, checkpoint)?;
    if args.half {
        predictor = predictor.into_half()?;
    }
    let automatic = Options::for_predictor(&predictor);
    let batch = args.batch.map_or(automatic.batch, usize::from);
    let options = Options {
        workers: args.workers.map_or(automatic.workers, usize::from),
        batch,
        first_batch: Options::first_batch(&predictor, batch),
        overlap: args.clip_overlap,
        excerpts: args.excerpts(),
        timeline: args.timeline.is_some(),
        embeddings,
    };
    times.end_step("front end and its shaders");

    let again = args
        .inputs
        .find_again(&search)
        .filter(|_| console.shows_totals());
    let total = again.map_or_else(Total::default, |again| {
        let earlier = earlier.clone();
        Total::count(again, move |input| earlier.contains_key(input.path()))
    });
    let (seen, changed) = (AtomicU64::new(0), AtomicU64::new(0));
    let inputs = inputs.filter(|input| {
        seen.fetch_add(1, Ordering::Relaxed);
        let state = State::of(input, &earlier);
        if state == State::Changed {
            changed.fetch_add(1, Ordering::Relaxed);
            total.add(1);
        }
        state != State::Done
    });
    let (model, out) = (args.model.model.to_string(), targets.out);
    events.started(&model, &schema, &compute.name(), out, earlier.len());
    stop::catch(console.bar(), out);
    console.start(total.clone());
    let summary = classify(&predictor, inputs, &options, |result| {
        times.answered();
        if let Some(tables) = &mut tables {
            tables.row(&result)?;
        }
        console.result(&result)
    })?;
    let (stopped, rebuild) = (
        stop::was_cut_short(),
        args.sorted || changed.into_inner() > 0,
    );
    let failed = match tables {
        Some(tables) if stopped => {
            tables.stop()?;
            summary.failed
        }
        // Changed files have two rows until the tables are rebuilt.
        Some(tables) => tables.finish(rebuild, seen.into_inner())?,
        None => summary.failed,
    };
    let labels = console.finish()?;
    *counts = Counts::new(&summary, labels.unsure);
    labels.print(&schema);
    summary::print_times(&summary, &times, &options);
    summary::print(&summary, labels.unsure, stopped, out);
    if let Some(playlists) = playlists.filter(|_| !stopped) {
        playlists.write()?;
    }
    note_left_out(&search.left_out);
    if let (Some(out), false) = (targets.out, stopped) {
        let inputs = &args.inputs;
        let names = inputs.paths.iter().chain(&inputs.files_from);
        let facts = [
            ("model", args.model.model.to_string()),
            ("device", page::device(&compute)),
        ];
        args.page.write(&settings, out, names, &facts)?;
    }
    Ok(match (stopped, failed) {
        (true, _) => Done::Stopped,
        (_, 0) => Done::All,
        _ => Done::Some,
    })
}

/// Says how many lines of the journal are damaged.
fn note_damage(tables: &ResultTables) {
    match tables.damaged() {
        0 => {}
        n => note(format_args!(
            "{n} lines of {} are damaged: their files are classified again",
            tables.journal().display()
        )),
    }
}
