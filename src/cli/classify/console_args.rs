//! Flags that say what is printed, for people and for programs.

use console::Term;

use super::events::EventTarget;
use crate::cli::words::{Verbosity, set_verbosity};

/// `--quiet`, `--verbose`, `--color` and `--events`.
#[derive(clap::Args)]
pub struct ConsoleArgs {
    /// Print no progress and no notes, but the files that failed; -qq: only the error that ends the
    /// command. Results are printed as ever.
    #[arg(short, long, action = clap::ArgAction::Count)]
    quiet: u8,
    /// Also print where the time went.
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// When to use colors: auto is on a terminal, unless NO_COLOR is set, and anywhere with
    /// CLICOLOR_FORCE.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Write events for a program that watches the run, a JSON object per line, to stderr (-), which
    /// then has nothing else, to a file descriptor (fd:3) or to a file.
    #[arg(long, value_name = "-|fd:N|FILE")]
    pub events: Option<EventTarget>,
}

/// When colors are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Returns whether colors are used on `term`.
    fn is_on(self, term: &Term) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|v| v == value);
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if is_set("NO_COLOR") => false,
            Self::Auto if is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
            Self::Auto => term.is_term() && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
        }
    }
}

impl ConsoleArgs {
    /// Applies the flags to what is printed from here on.
    pub fn apply(&self) {
        set_verbosity(match (self.verbose, self.quiet) {
            (true, _) => Verbosity::Details,
            (_, 0) => Verbosity::Notes,
            (_, 1) => Verbosity::Failures,
            (_, _) => Verbosity::Error,
        });
        console::set_colors_enabled(self.color.is_on(&Term::stdout()));
        console::set_colors_enabled_stderr(self.color.is_on(&Term::stderr()));
    }
}
