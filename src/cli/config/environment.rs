//! The variables `SONOPRINT_*`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use clap::Arg;

use super::tree::{Leaf, PREFIX, did_you_mean, names, variable};

/// Names the configuration file.
pub const CONFIG: &str = "SONOPRINT_CONFIG";
/// Whether no configuration file is read.
pub const NO_CONFIG: &str = "SONOPRINT_NO_CONFIG";

/// The variables that begin with `SONOPRINT_` and are not empty.
#[derive(Debug, Default)]
pub struct Environment(BTreeMap<String, OsString>);

impl Environment {
    /// Returns that of this process.
    pub fn of_process() -> Self {
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value))
        }))
    }

    /// Keeps those of `variables` that this program reads.
    pub fn new(variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        let variables = variables.into_iter();
        Self(
            variables
                .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
                .collect(),
        )
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str)
    }

    /// Returns the value of an option of `leaf` and its variable: the one with the longest path of
    /// commands in its name.
    pub fn find(&self, leaf: &Leaf<'_>, option: &Arg) -> Option<(&OsStr, String)> {
        leaf.scopes().find_map(|scope| {
            names(option).find_map(|name| {
                let variable = variable(scope, name);
                Some((self.get(&variable)?, variable))
            })
        })
    }

    /// Returns a line on each variable that is of no option.
    pub fn unknown(&self, leaves: &[Leaf<'_>]) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut known: BTreeSet<String> = [CONFIG, NO_CONFIG].map(str::to_owned).into();
        for leaf in leaves {
            for name in leaf.options().flat_map(names) {
                known.extend(leaf.scopes().map(|scope| variable(scope, name)));
            }
        }
        let unknown = self.0.keys().filter(|name| !known.contains(*name));
        let line = |name: &String| {
            let question = did_you_mean(name, known.iter().map(String::as_str));
            format!("the environment variable {name} is of no option{question}")
        };
        unknown.map(line).collect()
    }
}
