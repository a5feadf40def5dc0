//! The routes by which options come besides the command line: variables before the file.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::environment::{CONFIG, Environment, NO_CONFIG};
use super::error::{ConfigError, Source};
use super::file::{ConfigFile, usual_path};
use super::tree::Leaf;
use super::value::Value;

/// Id of `--config`, which is not that of any command's own option.
const CONFIG_ID: &str = "config-file";
/// Id of `--no-config`.
const NO_CONFIG_ID: &str = "no-config-file";

/// Adds `--config` and `--no-config` to the program and to its commands, except where a command has
/// its own option of that name.
pub fn with_flags(root: Command) -> Command {
    fn with(command: Command, takes: bool) -> Command {
        let own = command.get_arguments().any(|arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some("config") || aliases.contains(&"config")
        });
        let command = command.mut_subcommands(|sub| {
            let takes = !sub.has_subcommands();
            with(sub, takes)
        });
        match takes && !own {
            true => command.args(flags()),
            false => command,
        }
    }
    with(root, true)
}

fn flags() -> [Arg; 2] {
    let heading = "Configuration";
    [
        Arg::new(CONFIG_ID)
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Read options from this TOML file, not from that of `sonoprint config path`")
            .help_heading(heading)
            .hide_short_help(true),
        Arg::new(NO_CONFIG_ID)
            .long("no-config")
            .action(clap::ArgAction::SetTrue)
            .conflicts_with(CONFIG_ID)
            .help("Read no configuration file")
            .help_heading(heading)
            .hide_short_help(true),
    ]
}

/// The configuration file that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It was named, and must exist.
    Named(PathBuf),
    /// The one in the usual place, if it exists.
    Usual(PathBuf),
    /// None, because of `--no-config` or for lack of a home.
    None,
}

impl Chosen {
    /// Returns which file `matches` or else the environment choose.
    ///
    /// # Errors
    /// If `SONOPRINT_NO_CONFIG` is no boolean.
    pub fn new(matches: &ArgMatches, environment: &Environment) -> Result<Self, ConfigError> {
        let mut at = Some(matches);
        // The innermost one counts.
        let mut by_flag = None;
        while let Some(matches) = at {
            let file = matches.try_get_one::<PathBuf>(CONFIG_ID).ok().flatten();
            let none = matches.try_get_one::<bool>(NO_CONFIG_ID).ok().flatten();
            by_flag = match (file, none) {
                (Some(path), _) => Some(Self::Named(path.clone())),
                (None, Some(true)) => Some(Self::None),
                _ => by_flag,
            };
            at = matches.subcommand().map(|(_, inner)| inner);
        }
        if let Some(chosen) = by_flag {
            return Ok(chosen);
        }
        if let Some(text) = environment.get(NO_CONFIG) {
            let [_, option] = flags();
            let value =
                Value::of_variable(&option, text).map_err(|message| ConfigError::Value {
                    message,
                    origin: Source::Variable(NO_CONFIG.into()),
                })?;
            if value == Value::Flag(true) {
                return Ok(Self::None);
            }
        }
        Ok(match (environment.get(CONFIG), usual_path()) {
            (Some(path), _) => Self::Named(path.into()),
            (None, Some(path)) => Self::Usual(path),
            (None, None) => Self::None,
        })
    }
}

/// The variables and the file.
pub struct Routes {
    pub environment: Environment,
    pub file: Option<ConfigFile>,
}

/// A value that an option has by a variable or the file.
pub struct Setting<'a> {
    pub option: &'a Arg,
    pub value: Value,
    pub source: Source,
}

impl Routes {
    /// Reads the file that was chosen.
    ///
    /// # Errors
    /// As [`ConfigFile::read`].
    pub fn open(
        environment: Environment,
        chosen: &Chosen,
        leaves: &[Leaf<'_>],
    ) -> Result<Self, ConfigError> {
        let file = match chosen {
            Chosen::Named(path) => Some(ConfigFile::read(path, leaves)?),
            Chosen::Usual(path) if path.exists() => Some(ConfigFile::read(path, leaves)?),
            Chosen::Usual(_) | Chosen::None => None,
        };
        Ok(Self { environment, file })
    }

    /// Returns the value of an option of `leaf`, if a variable or the file has one.
    ///
    /// # Errors
    /// [`ConfigError::Value`] if clap refuses it.
    pub fn setting<'a>(
        &self,
        leaf: &Leaf<'_>,
        option: &'a Arg,
    ) -> Result<Option<Setting<'a>>, ConfigError> {
        let (value, source) = if let Some((text, name)) = self.environment.find(leaf, option) {
            (Value::of_variable(option, text), Source::Variable(name))
        } else if let Some((given, source)) = self.file.as_ref().and_then(|f| f.find(leaf, option))
        {
            (Value::new(option, given), source)
        } else {
            return Ok(None);
        };
        match value {
            Ok(value) => Ok(Some(Setting {
                option,
                value,
                source,
            })),
            Err(message) => Err(ConfigError::Value {
                message,
                origin: source,
            }),
        }
    }
}
