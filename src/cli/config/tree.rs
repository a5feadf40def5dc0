//! The commands and their options, as clap's own tree has them. Nothing here names an option, so
//! that each new one can be configured.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// What all variables begin with.
pub const PREFIX: &str = "SONOPRINT_";

/// Names of options that say where the others come from, or print help.
const RESERVED: [&str; 4] = ["config", "no-config", "help", "version"];

/// A command that runs: one without subcommands.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// Its name behind those of the commands that hold it: `["dataset", "check"]`.
    pub path: Vec<&'a str>,
    command: &'a Command,
}

impl<'a> Leaf<'a> {
    /// Returns every command below `root` that runs.
    pub fn all(root: &'a Command) -> Vec<Self> {
        let whole = Self {
            path: Vec::new(),
            command: root,
        };
        let mut leaves = Vec::new();
        whole.collect(&mut leaves);
        leaves
    }

    fn collect(self, leaves: &mut Vec<Self>) {
        if !self.command.has_subcommands() {
            return leaves.push(self);
        }
        for command in self.command.get_subcommands() {
            self.with(command).collect(leaves);
        }
    }

    fn with(&self, command: &'a Command) -> Self {
        let mut path = self.path.clone();
        path.push(command.get_name());
        Self { path, command }
    }

    /// Returns the command that `words` call, the first of which is the program, and the place
    /// behind its name. `None` if they call none.
    pub fn called(root: &'a Command, words: &[OsString]) -> Option<(Self, usize)> {
        let mut leaf = Self {
            path: Vec::new(),
            command: root,
        };
        let mut at = 1;
        loop {
            let word = words.get(at)?.to_str()?;
            at += 1;
            if let Some(flag) = word.strip_prefix("--") {
                let mut options = leaf.command.get_arguments();
                let option = options.find(|option| option.get_long() == Some(flag));
                at += usize::from(option.is_some_and(|o| o.get_action().takes_values()));
            } else if !word.starts_with('-') {
                leaf = leaf.with(leaf.command.find_subcommand(word)?);
                if !leaf.command.has_subcommands() {
                    return Some((leaf, at));
                }
            }
        }
    }

    /// Returns the options that can be configured: those with a long name that are not hidden.
    pub fn options(&self) -> impl Iterator<Item = &'a Arg> + use<'a> {
        self.command.get_arguments().filter(|arg| is_option(arg))
    }

    /// Returns the paths of which a table or a variable holds for this command, the narrowest
    /// first: its own, those of the commands that hold it, and the empty one of all commands.
    pub fn scopes(&self) -> impl Iterator<Item = &[&'a str]> {
        (0..=self.path.len()).rev().map(|len| &self.path[..len])
    }

    /// Returns whether `scope` is one of [`scopes`](Self::scopes).
    pub fn is_in<S: AsRef<str>>(&self, scope: &[S]) -> bool {
        scope.len() <= self.path.len()
            && scope.iter().zip(&self.path).all(|(a, b)| a.as_ref() == *b)
    }
}

fn is_option(arg: &Arg) -> bool {
    use ArgAction::{Append, Count, Set, SetFalse, SetTrue};
    let action = arg.get_action();
    let settable = matches!(action, Set | Append | SetTrue | SetFalse | Count);
    let long = arg.get_long();
    settable && !arg.is_hide_set() && long.is_some_and(|long| !RESERVED.contains(&long))
}

/// Returns the names of an option: its own, then its aliases.
pub fn names(option: &Arg) -> impl Iterator<Item = &str> {
    let aliases = option.get_all_aliases().unwrap_or_default();
    let all = option.get_long().into_iter().chain(aliases);
    all.filter(|name| !RESERVED.contains(name))
}

/// Returns the variable of the option `name` of the commands in `scope`.
pub fn variable(scope: &[&str], name: &str) -> String {
    let words: Vec<&str> = scope.iter().copied().chain([name]).collect();
    let words = words.join("_").replace('-', "_");
    format!("{PREFIX}{}", words.to_ascii_uppercase())
}

/// Returns a question with that of `names` which is most like `name`, or nothing if none is.
pub fn did_you_mean<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let likeness = |other: &str| strsim::jaro(name, other);
    let best = (names.into_iter().map(|other| (likeness(other), other)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match best {
        Some((likeness, other)) if likeness > 0.8 => format!("; did you mean {other}?"),
        _ => String::new(),
    }
}
