//! `classify --list`: what would be done.

use super::inputs::{Earlier, Inputs, State};
use super::pace::grouped;
use crate::classify::Input;
use crate::cli::Done;
use crate::cli::words::{note, note_detail, note_failure, print_bytes};

/// How much is collected before it is printed, bytes.
const CHUNK: usize = 1 << 16;

/// Prints the files that would be classified, each with `end` behind it. `earlier` are those that
/// an earlier run has done.
pub fn print(inputs: Inputs, earlier: &Earlier, end: u8) -> anyhow::Result<Done> {
    let (mut files, mut done, mut unreadable) = (0, 0, 0);
    let mut text = Vec::new();
    for input in inputs {
        let path = input.path().display();
        if State::of(&input, earlier) == State::Done {
            done += 1;
            note_detail(format_args!("done already: {path}"));
            continue;
        }
        if let Input::Unreadable(_, why) = &input {
            unreadable += 1;
            note_failure(format_args!("{path}: {why}"));
            continue;
        }
        files += 1;
        text.extend_from_slice(input.path().as_os_str().as_encoded_bytes());
        text.push(end);
        if text.len() >= CHUNK {
            print_bytes(&text)?;
            text.clear();
        }
    }
    print_bytes(&text)?;
    let mut line = format!("{} files would be classified", grouped(files));
    if done > 0 {
        line += &format!(", {} are done already", grouped(done));
    }
    if unreadable > 0 {
        line += &format!(", {} cannot be read", grouped(unreadable));
    }
    note(line);
    Ok(if unreadable == 0 {
        Done::All
    } else {
        Done::Some
    })
}
