//! The files that the command line names, while they are found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::Context;

use super::Args;
use super::stop::ends_now;
use crate::classify::{Input, List, Search, Stamp, discover, listed};

/// The files, one at a time.
pub type Inputs = Box<dyn Iterator<Item = Input> + Send>;

/// Names from stdin that wait to be taken.
const AHEAD: usize = 64;
/// How often to look for Ctrl-C while stdin is silent.
const LOOK: Duration = Duration::from_millis(100);

/// Returns the files. They end early if the run is stopped.
pub fn inputs(args: &Args, search: &Search) -> anyhow::Result<Inputs> {
    let mut found = match is_stdin(args) {
        true => from_stdin(args, search),
        false => found(args, search)?,
    };
    let mut at_end = false;
    Ok(Box::new(std::iter::from_fn(move || {
        if at_end || ends_now() {
            return None;
        }
        let next = found.next();
        at_end = next.is_none();
        next
    })))
}

/// What an earlier run did: each file, and its version when it was read.
pub type Earlier = HashMap<PathBuf, Option<Stamp>>;

/// Whether a file is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    New,
    /// An earlier run read it, and it has changed since.
    Changed,
    Done,
}

impl State {
    /// Returns the state of a file.
    pub fn of(input: &Input, earlier: &Earlier) -> Self {
        match earlier.get(input.path()) {
            None => Self::New,
            Some(before) if before.is_some() && *before == Stamp::of(input.path()) => Self::Done,
            Some(_) => Self::Changed,
        }
    }
}

/// Returns the files once more, to count them; `None` if they can be read only once.
pub fn inputs_again(args: &Args, search: &Search) -> Option<Inputs> {
    let search = Search {
        any_order: true,
        ..search.again()
    };
    let again = !is_stdin(args) && args.files_from.as_deref().is_none_or(Path::is_file);
    again.then(|| found(args, &search).ok()).flatten()
}

fn is_stdin(args: &Args) -> bool {
    args.files_from
        .as_ref()
        .is_some_and(|p| p.as_os_str() == "-")
}

fn found(args: &Args, search: &Search) -> anyhow::Result<Inputs> {
    let Some(path) = &args.files_from else {
        return Ok(Box::new(discover(&args.paths, search)?));
    };
    let list = List {
        name: path.clone(),
        zero: args.null,
        folder: path.parent().map(Into::into),
    };
    let file = std::fs::File::open(path)
        .with_context(|| format!("cannot read the list {}", path.display()))?;
    Ok(Box::new(listed(file, list, search.shard)))
}

/// Reads names from stdin in a thread: a read would not end at Ctrl-C.
fn from_stdin(args: &Args, search: &Search) -> Inputs {
    let (shard, zero) = (search.shard, args.null);
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        let list = List {
            name: "(stdin)".into(),
            zero,
            folder: None,
        };
        for input in listed(std::io::stdin(), list, shard) {
            if sender.send(input).is_err() {
                return;
            }
        }
    });
    Box::new(std::iter::from_fn(move || {
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(input) => return Some(input),
                Err(RecvTimeoutError::Timeout) if !ends_now() => {}
                Err(_) => return None,
            }
        }
    }))
}
