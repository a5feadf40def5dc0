//! What `sonoprint config show` prints.

use std::fmt::Write;

use clap::Arg;

use super::error::ConfigError;
use super::routes::{Chosen, Routes, Setting};
use super::tree::Leaf;
use super::value::Value;

/// Returns the options of `leaves` as TOML, a table per command. A comment says where each value is
/// from. Options without a value are comments.
///
/// # Errors
/// If a value is wrong.
pub fn show(leaves: &[Leaf<'_>], routes: &Routes, chosen: &Chosen) -> Result<String, ConfigError> {
    let mut text = String::from(
        "# Options and where they are from. As a configuration file, this gives the same.\n",
    );
    let file = match chosen {
        Chosen::Named(path) => path.display().to_string(),
        Chosen::Usual(path) if routes.file.is_some() => path.display().to_string(),
        Chosen::Usual(path) => format!("{} (there is none)", path.display()),
        Chosen::None => "none".into(),
    };
    // A name may have any character but a line break in a comment.
    text += &format!("# configuration file: {}\n", file.escape_debug());
    for leaf in leaves {
        let rows: Vec<_> = leaf
            .options()
            .map(|option| Ok(row(option, routes.setting(leaf, option)?)))
            .collect::<Result<_, ConfigError>>()?;
        if rows.is_empty() {
            continue;
        }
        let _ = write!(text, "\n[{}]\n", leaf.path.join("."));
        let width = rows.iter().map(|(left, _)| left.chars().count()).max();
        for (left, source) in rows {
            let _ = writeln!(
                text,
                "{left:<width$}  # {source}",
                width = width.unwrap_or(0)
            );
        }
    }
    Ok(text)
}

/// Returns key and value of an option, and where it is from.
fn row(option: &Arg, setting: Option<Setting<'_>>) -> (String, String) {
    let key = option.get_long().unwrap_or_default();
    let unset = format!("# {key} =");
    let (value, source) = match setting {
        Some(setting) => (setting.value, setting.source.to_string()),
        None => match Value::default(option) {
            Some(value) => (value, "default".to_owned()),
            None => return (unset, "not set".into()),
        },
    };
    let source = source.escape_debug().to_string();
    match value.toml(option) {
        Some(value) => (format!("{key} = {value}"), source),
        None => (
            unset,
            format!("{source}: not UTF-8, which TOML cannot hold"),
        ),
    }
}
