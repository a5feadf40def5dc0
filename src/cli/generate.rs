//! `sonoprint generate`: pages and scripts that are made from the commands themselves.

use std::any::TypeId;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, Subcommand, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Done;
use super::args::make_folder;
use super::words::{print_bytes, print_line_lossy};
use crate::files::{self, Claims, Ours};
use crate::gpu::DeviceChoice;
use crate::model::{BuiltinModel, ModelName};

/// Generate man pages, and scripts that complete commands in a shell.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    target: Target,
}

#[derive(Subcommand)]
enum Target {
    /// Print the man page of a command, or write those of all commands.
    Man {
        /// Command, such as `classify` or `dataset check`; the program itself if absent.
        #[arg(value_name = "COMMAND", conflicts_with = "out")]
        command: Vec<String>,
        /// Folder for the pages of all commands: sonoprint.1, sonoprint-classify.1, ...
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print the script for bash: `sonoprint generate bash
    /// > ~/.local/share/bash-completion/completions/sonoprint`.
    Bash,
    /// Print the script for zsh: `sonoprint generate zsh > DIR/_sonoprint`, for a DIR of $fpath.
    Zsh,
    /// Print the script for fish: `sonoprint generate fish
    /// > ~/.config/fish/completions/sonoprint.fish`.
    Fish,
    /// Print the script for PowerShell: `sonoprint generate powershell >> $PROFILE`.
    Powershell,
}

/// First line of each man page, by which it is recognized.
const MARK: &str = ".\\\" Written by `sonoprint generate man`.\n";
const MAN_OURS: Ours = Ours {
    what: "a man page",
    is: |head| head.starts_with(MARK),
};

/// Runs `sonoprint generate`. `root` has all commands.
pub fn run(args: &Args, root: Command) -> anyhow::Result<Done> {
    let shell = match &args.target {
        Target::Man { out: Some(out), .. } => return write_pages(root, out),
        Target::Man { command, .. } => return print_page(root, command),
        Target::Bash => Shell::Bash,
        Target::Zsh => Shell::Zsh,
        Target::Fish => Shell::Fish,
        Target::Powershell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    let mut command = with_hints(root, shell);
    clap_complete::generate(shell, &mut command, "sonoprint", &mut script);
    print_bytes(&script)?;
    Ok(Done::All)
}

fn print_page(mut root: Command, path: &[String]) -> anyhow::Result<Done> {
    root = root.disable_help_subcommand(true);
    root.build();
    let mut command = &root;
    for name in path {
        command = match command.find_subcommand(name) {
            Some(command) => command,
            None => bail!("there is no command {}", path.join(" ")),
        };
    }
    print_bytes(&page(command.clone())?.1)?;
    Ok(Done::All)
}

fn write_pages(mut root: Command, folder: &Path) -> anyhow::Result<Done> {
    root = root.disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    all_pages(&root, &mut pages)?;
    make_folder(folder)?;
    let mut claims = Claims::default();
    for (name, _) in &pages {
        claims.output(&folder.join(name), MAN_OURS)?;
    }
    for (name, bytes) in &pages {
        let path = folder.join(name);
        files::write_beside(&path, bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let count = pages.len();
    print_line_lossy(format_args!(
        "wrote {count} man pages in {}",
        folder.display()
    ));
    Ok(Done::All)
}

/// Adds the pages of `command` and of those below it.
fn all_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    pages.push(page(command.clone())?);
    for below in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        all_pages(below, pages)?;
    }
    Ok(())
}

/// Returns the name and the text of a page.
fn page(command: Command) -> anyhow::Result<(String, Vec<u8>)> {
    let version = concat!("sonoprint ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).source(version).manual("sonoprint");
    let mut bytes = MARK.as_bytes().to_vec();
    man.render(&mut bytes)?;
    Ok((man.get_filename(), bytes))
}

/// Adds to every option what a shell can complete its value with.
fn with_hints(command: Command, shell: Shell) -> Command {
    let command = command.mut_args(|arg| hint(arg, shell));
    command.mut_subcommands(|sub| with_hints(sub, shell))
}

fn hint(arg: Arg, shell: Shell) -> Arg {
    if !arg.get_action().takes_values() {
        return arg;
    }
    let type_id = arg.get_value_parser().type_id();
    if type_id == TypeId::of::<DeviceChoice>() {
        return arg.value_parser(PossibleValuesParser::new([
            "auto", "gpu", "cpu", "software",
        ]));
    }
    // A model may also be a file. Bash completes files where no word fits, and the other shells
    // complete either.
    if type_id == TypeId::of::<ModelName>() && shell == Shell::Bash {
        let names = BuiltinModel::all().iter().map(|model| model.name);
        return arg.value_parser(PossibleValuesParser::new(names));
    }
    let names = arg.get_value_names().unwrap_or_default();
    let is_any = |words: &[&str]| {
        names
            .iter()
            .any(|name| name.split('|').any(|part| words.contains(&part)))
    };
    if is_any(&["DIR", "RUN", "DATASET"]) {
        return arg.value_hint(ValueHint::DirPath);
    }
    if is_any(&["FILE"]) {
        return arg.value_hint(ValueHint::FilePath);
    }
    arg
}
