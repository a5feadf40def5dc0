//! The files that the command line names, while they are found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::Context;

use super::stop::ends_now;
use crate::classify::{Input, List, Search, Shard, Stamp, discover, listed};

/// The files, one at a time.
pub type Inputs = Box<dyn Iterator<Item = Input> + Send>;

/// Names from stdin that wait to be taken.
const AHEAD: usize = 64;
/// How often to look for Ctrl-C while stdin is silent.
const LOOK: Duration = Duration::from_millis(100);

/// The files that are named.
#[derive(clap::Args)]
pub struct InputArgs {
    /// Audio files, and folders, which are searched with all their subfolders.
    #[arg(required_unless_present = "files_from", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read the names of the files from FILE, one per line, or from a playlist (.m3u8); - is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    pub files_from: Option<PathBuf>,
    /// Names in --files-from end with a zero byte, as `find -print0` writes them, and so do those
    /// that --list prints.
    #[arg(short = '0', long)]
    pub null: bool,
}

impl InputArgs {
    /// Returns the files. They end early if the run is stopped.
    pub fn find(&self, search: &Search) -> anyhow::Result<Inputs> {
        let mut found = match self.is_stdin() {
            true => from_stdin(self.null, search.shard),
            false => self.found(search)?,
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

    /// Returns the files once more, to count them; `None` if they can be read only once.
    pub fn find_again(&self, search: &Search) -> Option<Inputs> {
        let search = Search {
            any_order: true,
            ..search.again()
        };
        let again = !self.is_stdin() && self.files_from.as_deref().is_none_or(Path::is_file);
        again.then(|| self.found(&search).ok()).flatten()
    }

    fn is_stdin(&self) -> bool {
        self.files_from
            .as_ref()
            .is_some_and(|p| p.as_os_str() == "-")
    }

    fn found(&self, search: &Search) -> anyhow::Result<Inputs> {
        let Some(path) = &self.files_from else {
            return Ok(Box::new(discover(&self.paths, search)?));
        };
        let list = List {
            name: path.clone(),
            zero: self.null,
            folder: path.parent().map(Into::into),
        };
        let file = std::fs::File::open(path)
            .with_context(|| format!("cannot read the list {}", path.display()))?;
        Ok(Box::new(listed(file, list, search.shard)))
    }
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

/// Reads names from stdin in a thread: a read would not end at Ctrl-C.
fn from_stdin(zero: bool, shard: Shard) -> Inputs {
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
