//! The configuration file: where it is, and what stands in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Arg;
use etcetera::BaseStrategy;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, Source};
use super::tree::{Leaf, did_you_mean, names};
use super::value::Given;

/// Returns the place of the file that is read if none is named: `sonoprint/config.toml` in
/// `$XDG_CONFIG_HOME` or `~/.config`, on Windows in `%APPDATA%`. `None` if the user has no home.
pub fn usual_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("sonoprint").join("config.toml"))
}

/// What a configuration file says.
#[derive(Debug)]
pub struct ConfigFile {
    entries: Vec<Entry>,
}

/// A value in the file.
#[derive(Debug)]
struct Entry {
    /// The path of the commands that it is for, which is its table.
    scope: Vec<String>,
    /// The name of the option.
    name: String,
    place: Place,
    given: Given,
}

impl Entry {
    /// Returns table and key as the file has them, joined by a dot.
    fn key(&self) -> String {
        let words: Vec<&str> = self
            .scope
            .iter()
            .chain([&self.name])
            .map(|s| &**s)
            .collect();
        words.join(".")
    }
}

impl ConfigFile {
    /// Reads the file at `path`, whose tables and keys are the commands and options of `leaves`.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or has a key that is no option.
    pub fn read(path: &Path, leaves: &[Leaf<'_>]) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text, leaves)
    }

    /// Reads `text`, which is that of the file at `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, text: &str, leaves: &[Leaf<'_>]) -> Result<Self, ConfigError> {
        let mut reader = Reader {
            path,
            text,
            leaves,
            entries: Vec::new(),
        };
        let table = DeTable::parse(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            reader.error(start, error.message().to_owned())
        })?;
        reader.table(table.get_ref(), &[])?;
        reader.entries.sort_by_key(|entry| entry.place.line);
        reader.check_twice()?;
        Ok(Self {
            entries: reader.entries,
        })
    }

    /// Returns the value of an option of `leaf`, from the narrowest table that has one.
    pub fn find(&self, leaf: &Leaf<'_>, option: &Arg) -> Option<(&Given, Source)> {
        let entry = leaf.scopes().find_map(|scope| {
            self.entries
                .iter()
                .find(|entry| entry.scope == scope && names(option).any(|name| name == entry.name))
        })?;
        let source = Source::File {
            place: entry.place.clone(),
            key: entry.key(),
        };
        Some((&entry.given, source))
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    leaves: &'a [Leaf<'a>],
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().iter().take(at);
        Place {
            path: self.path.to_owned(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }

    fn error(&self, at: usize, message: String) -> ConfigError {
        ConfigError::File {
            place: self.place(at),
            message,
        }
    }

    /// Reads a table for the commands in `scope`.
    fn table(&mut self, table: &DeTable<'_>, scope: &[String]) -> Result<(), ConfigError> {
        for (key, value) in table {
            let at = key.span().start;
            let name = key.get_ref().replace('_', "-");
            if let DeValue::Table(inner) = value.get_ref() {
                let inner_scope = [scope, &[name]].concat();
                if !self.leaves.iter().any(|leaf| leaf.is_in(&inner_scope)) {
                    return Err(self.error(at, self.no_command(&inner_scope)));
                }
                self.table(inner, &inner_scope)?;
                continue;
            }
            if !self.in_scope(scope).any(|known| known == name) {
                return Err(self.error(at, self.no_option(&name, scope)));
            }
            let given = self.given(value)?;
            self.entries.push(Entry {
                scope: scope.to_vec(),
                name,
                place: self.place(at),
                given,
            });
        }
        Ok(())
    }

    /// Returns the names of the options of all commands in `scope`.
    fn in_scope<'n>(&'n self, scope: &'n [String]) -> impl Iterator<Item = &'n str> {
        let leaves = self.leaves.iter().filter(|leaf| leaf.is_in(scope));
        leaves.flat_map(|leaf| leaf.options().flat_map(names))
    }

    fn no_option(&self, name: &str, scope: &[String]) -> String {
        let commands = match scope {
            [] => "no command has".to_owned(),
            scope => format!("`{}` does not have", scope.join(" ")),
        };
        let question = did_you_mean(name, self.in_scope(scope));
        format!("unknown key {name}: {commands} an option of this name{question}")
    }

    fn no_command(&self, path: &[String]) -> String {
        let (name, scope) = path.split_last().expect("a table has a name");
        let siblings = self.leaves.iter().filter(|leaf| leaf.is_in(scope));
        let names = siblings.filter_map(|leaf| leaf.path.get(scope.len()).copied());
        let question = did_you_mean(name, names);
        format!(
            "unknown table [{}]: it is no command{question}",
            path.join(".")
        )
    }

    fn given(&self, value: &Spanned<DeValue<'_>>) -> Result<Given, ConfigError> {
        Ok(match value.get_ref() {
            DeValue::Boolean(on) => Given::Boolean(*on),
            DeValue::Array(list) => {
                let texts = list.iter().map(|value| self.text(value));
                Given::List(texts.collect::<Result<_, _>>()?)
            }
            _ => Given::Text(self.text(value)?),
        })
    }

    /// Returns a text, or a number as it is written.
    fn text(&self, value: &Spanned<DeValue<'_>>) -> Result<OsString, ConfigError> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|e| self.error(value.span().start, e.to_string()))?
                .to_string(),
            other => {
                let kind = other.type_str();
                let message = format!("{kind} is no value of an option: write a text or a number");
                return Err(self.error(value.span().start, message));
            }
        };
        Ok(text.into())
    }

    /// Checks that no table has an option twice, by two of its names.
    fn check_twice(&self) -> Result<(), ConfigError> {
        for (i, second) in self.entries.iter().enumerate() {
            let first = self.entries[..i].iter().find(|first| {
                let leaves = self.leaves.iter().filter(|leaf| leaf.is_in(&first.scope));
                first.scope == second.scope
                    && leaves.flat_map(Leaf::options).any(|option| {
                        [first, second]
                            .iter()
                            .all(|entry| names(option).any(|n| n == entry.name))
                    })
            });
            if let Some(first) = first {
                let line = first.place.line;
                return Err(ConfigError::File {
                    place: second.place.clone(),
                    message: format!("{} is the option of line {line} again", second.key()),
                });
            }
        }
        Ok(())
    }
}
