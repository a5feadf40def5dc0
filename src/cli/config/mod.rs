//! Options by file and environment, and `sonoprint config`, which shows them.
//!
//! Each option of each command can also stand in a TOML file and in a variable `SONOPRINT_*`. The
//! command line comes first, then the environment, then the file, then the default. The options are
//! those of clap's command tree ([`tree`]); their values go through clap ([`parse`]).

mod environment;
mod error;
mod file;
mod parse;
mod routes;
mod show;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use anyhow::bail;
use clap::{ArgMatches, Command, Subcommand};

pub use self::environment::Environment;
pub use self::parse::{ParseError, parse};
pub use self::routes::with_flags;
use self::routes::{Chosen, Routes};
use self::show::show;
use self::tree::{Leaf, did_you_mean};
use super::Done;
use super::words::{note, print_bytes, print_line};

/// Show the options that hold by configuration file and environment.
///
/// Every option of every command can be set in a TOML file and in the environment. The command line
/// comes first, then the environment, then the file, then the default. In the file, keys before the
/// first table are for all commands that have such an option, and the table [classify] or
/// [dataset.check] is for one. The variable SONOPRINT_DEVICE is for all commands, and
/// SONOPRINT_CLASSIFY_DEVICE for one.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print every option as TOML, with where its value is from.
    ///
    /// As a configuration file, the output gives the same values.
    Show {
        /// Command, such as `classify` or `dataset check`; all if absent.
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print the name of the configuration file.
    Path,
}

/// Runs `sonoprint config`. `root` has all commands, and `matches` those of this command line.
pub fn run(args: &Args, root: &Command, matches: &ArgMatches) -> anyhow::Result<Done> {
    let environment = Environment::of_process();
    let chosen = Chosen::new(matches, &environment)?;
    match &args.action {
        Action::Show { command } => {
            let all = Leaf::all(root);
            for line in environment.unknown(&all) {
                note(line);
            }
            let routes = Routes::open(environment, &chosen, &all)?;
            let path: Vec<&str> = command
                .iter()
                .flat_map(|word| word.split(['.', ' ']))
                .collect();
            let named: Vec<_> = all
                .iter()
                .filter(|leaf| leaf.is_in(&path))
                .cloned()
                .collect();
            if named.is_empty() {
                let paths: Vec<String> = all.iter().map(|leaf| leaf.path.join(" ")).collect();
                let name = path.join(" ");
                let question = did_you_mean(&name, paths.iter().map(String::as_str));
                bail!("there is no command {name}{question}");
            }
            print_bytes(show(&named, &routes, &chosen)?.as_bytes())?;
        }
        Action::Path => match chosen {
            Chosen::Named(path) => print_line(path.display())?,
            Chosen::Usual(path) => {
                print_line(path.display())?;
                if !path.exists() {
                    note("there is no such file yet");
                }
            }
            Chosen::None => bail!("no configuration file is read"),
        },
    }
    Ok(Done::All)
}
