//! Joins the command line with the variables and the file.
//!
//! Their values become words of the command line, before the user's own, and clap parses the whole:
//! one validation for all routes. Clap also says which of them the user's own words leave room for.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::environment::Environment;
use super::error::{ConfigError, Source};
use super::routes::{Chosen, Routes, Setting};
use super::tree::Leaf;
use super::value::plain;

/// A command line that clap accepted, with what the configuration added.
#[derive(Debug)]
pub struct Parsed {
    pub matches: ArgMatches,
    /// Ids of the options whose values are from a variable or the file.
    pub configured: BTreeSet<String>,
    /// Lines on what was left out, and on variables that are of no option.
    pub notes: Vec<String>,
}

/// Why a command line was not accepted.
#[derive(Debug)]
pub enum ParseError {
    /// By clap, which also asks for help this way.
    Usage(clap::Error),
    /// By clap, and options of the configuration have to do with it.
    Configured(String),
    Config(ConfigError),
}

impl From<ConfigError> for ParseError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Parses `words`, the first of which is the program, by the command `root`.
///
/// # Errors
/// [`ParseError`], also if the words ask for help.
pub fn parse(
    root: &Command,
    words: Vec<OsString>,
    environment: Environment,
) -> Result<Parsed, ParseError> {
    let alone = |words: Vec<OsString>| {
        let matches = root
            .clone()
            .try_get_matches_from(words)
            .map_err(ParseError::Usage)?;
        Ok(Parsed {
            matches,
            configured: BTreeSet::new(),
            notes: Vec::new(),
        })
    };
    let Some((leaf, at)) = Leaf::called(root, &words) else {
        return alone(words);
    };
    let line = Line { root, words, at };
    if leaf.options().next().is_none() || !line.with(&[]).is_hopeful() {
        return alone(line.words);
    }
    // An option that is missing may be in the configuration: whatever is not there is no error yet.
    let lenient = root.clone().ignore_errors(true);
    let own = lenient
        .try_get_matches_from(&line.words)
        .map_err(ParseError::Usage)?;
    let leaves = Leaf::all(root);
    let mut notes = environment.unknown(&leaves);
    let chosen = Chosen::new(&own, &environment)?;
    let routes = Routes::open(environment, &chosen, &leaves)?;
    let mut settings = Vec::new();
    for option in leaf.options() {
        let setting = routes.setting(&leaf, option)?;
        settings.extend(setting.filter(|_| !is_given(&own, option.get_id().as_str())));
    }
    settings.retain(|setting| !setting.value.words(setting.option).is_empty());
    let (kept, left_out) = line.choose(settings);
    notes.extend(left_out);
    let kept: Vec<_> = kept.iter().collect();
    let matches = line.parse(&kept).map_err(|error| explain(error, &kept))?;
    let ids = kept
        .iter()
        .map(|setting| setting.option.get_id().to_string());
    Ok(Parsed {
        matches,
        configured: ids.collect(),
        notes,
    })
}

/// Returns whether the user gave the option `id` to the innermost command.
fn is_given(matches: &ArgMatches, id: &str) -> bool {
    let mut at = matches;
    while let Some((_, inner)) = at.subcommand() {
        at = inner;
    }
    at.ids().any(|known| known.as_str() == id)
        && at.value_source(id) == Some(ValueSource::CommandLine)
}

/// Adds where options come from to an error that names them.
fn explain(error: clap::Error, settings: &[&Setting<'_>]) -> ParseError {
    if !error.use_stderr() {
        return ParseError::Usage(error);
    }
    let message = plain(&error);
    // The usage names every option.
    let facts = message.split("\n\nUsage:").next().unwrap_or_default();
    let mut lines = String::new();
    for setting in settings {
        let name = format!("--{}", setting.option.get_long().unwrap_or_default());
        let mut words = facts.split(|c: char| !(c.is_alphanumeric() || c == '-'));
        if words.any(|word| word == name) {
            lines += &format!("\n  {name} is from {}", setting.source);
        }
    }
    match lines.is_empty() {
        true => ParseError::Usage(error),
        false => ParseError::Configured(format!("{facts}{lines}")),
    }
}

/// What clap says to a command line.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    /// These are missing.
    Missing(BTreeSet<String>),
    /// Two options exclude each other.
    Conflict,
    /// Something else: it is wrong, or asks for help.
    Other,
}

impl Verdict {
    /// Returns whether more options could make it acceptable.
    fn is_hopeful(&self) -> bool {
        matches!(self, Self::Accepted | Self::Missing(_))
    }

    fn missing(self) -> BTreeSet<String> {
        match self {
            Self::Missing(names) => names,
            _ => BTreeSet::new(),
        }
    }
}

/// The user's command line.
struct Line<'a> {
    root: &'a Command,
    words: Vec<OsString>,
    /// The place behind the name of the command.
    at: usize,
}

impl Line<'_> {
    /// Parses the line with the words of `settings`, which come first: a value of the user's may
    /// end with any number of words, or with `--`.
    fn parse(&self, settings: &[&Setting<'_>]) -> Result<ArgMatches, clap::Error> {
        let (command, own) = self.words.split_at(self.at);
        let more = settings.iter().flat_map(|s| s.value.words(s.option));
        let words = command
            .iter()
            .cloned()
            .chain(more)
            .chain(own.iter().cloned());
        self.root.clone().try_get_matches_from(words)
    }

    fn with(&self, settings: &[&Setting<'_>]) -> Verdict {
        let Err(error) = self.parse(settings) else {
            return Verdict::Accepted;
        };
        match error.kind() {
            ErrorKind::ArgumentConflict => Verdict::Conflict,
            ErrorKind::MissingRequiredArgument => {
                Verdict::Missing(match error.get(ContextKind::InvalidArg) {
                    Some(ContextValue::Strings(names)) => names.iter().cloned().collect(),
                    Some(ContextValue::String(name)) => [name.clone()].into(),
                    _ => BTreeSet::new(),
                })
            }
            _ => Verdict::Other,
        }
    }

    /// Returns those of `settings` that the line leaves room for, and a line on each of the others
    /// that needs an option which is not there.
    ///
    /// An option that a stronger route excludes is left out without a line: the user's own word
    /// excludes variables, and both exclude the file. Options of one route that exclude each other
    /// stay, so that clap refuses them.
    fn choose<'s>(&self, settings: Vec<Setting<'s>>) -> (Vec<Setting<'s>>, Vec<String>) {
        if self.with(&settings.iter().collect::<Vec<_>>()) == Verdict::Accepted {
            return (settings, Vec::new());
        }
        let (variables, file): (Vec<_>, Vec<_>) = (settings.into_iter())
            .partition(|setting| matches!(setting.source, Source::Variable(_)));
        let mut kept: Vec<Setting<'s>> = Vec::new();
        let mut waiting: Vec<Setting<'s>> = Vec::new();
        for route in [variables, file] {
            let stronger: Vec<_> = kept.iter().collect();
            let has_room = |setting: &Setting<'s>| {
                self.with(&[&stronger[..], &[setting]].concat()) != Verdict::Conflict
            };
            let fitting: Vec<_> = route.into_iter().filter(has_room).collect();
            waiting.extend(fitting);
            while let Some(at) = self.first_complete(&kept, &waiting) {
                kept.push(waiting.remove(at));
            }
        }
        let notes = waiting.iter().map(|setting| {
            let all: Vec<_> = kept.iter().chain([setting]).collect();
            let missing = self.with(&all).missing();
            let missing: Vec<_> = missing.into_iter().collect();
            format!(
                "left out --{}, which needs {} (from {})",
                setting.option.get_long().unwrap_or_default(),
                missing.join(" and "),
                setting.source
            )
        });
        let notes = notes.collect();
        (kept, notes)
    }

    /// Returns the place of the first of `waiting` that does not make another option necessary.
    fn first_complete(&self, kept: &[Setting<'_>], waiting: &[Setting<'_>]) -> Option<usize> {
        let before = self.with(&kept.iter().collect::<Vec<_>>()).missing();
        waiting.iter().position(|setting| {
            let all: Vec<_> = kept.iter().chain([setting]).collect();
            self.with(&all).missing().is_subset(&before)
        })
    }
}
