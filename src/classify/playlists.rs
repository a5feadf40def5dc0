//! A playlist per genre or tag, from the journal of a run.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sanitize_filename::{Options, sanitize_with_options};

use super::journal;
use super::m3u8::{self, M3u8};
use super::output::OutputError;
use super::result::Outcome;
use crate::files::{Claims, Part, create_dir_all};
use crate::model::DecisionRule;

/// The longest name of a label in a file's name, bytes. Most systems hold 255.
const MAX_NAME: usize = 120;

/// Where the playlists of a run are written: one per class, `CLASS.m3u8` in a folder.
#[derive(Clone, Debug)]
pub struct Playlists {
    folder: PathBuf,
    /// The classes and the paths of their playlists.
    lists: Vec<(String, PathBuf)>,
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaylistCounts {
    /// Playlists with tracks.
    pub playlists: usize,
    /// Tracks in all of them. A track with several tags counts several times.
    pub tracks: usize,
}

/// The tracks of a class.
#[derive(Default)]
struct Tracks {
    /// Scores, and where the entries stand in [`Entries`].
    all: Vec<(f32, u64)>,
}

/// The lines of all tracks, one after the other. Those of a track stand there once, however many
/// playlists it is in.
#[derive(Default)]
struct Entries {
    text: String,
}

impl Entries {
    /// Returns the two lines of the entry that starts at `offset`.
    fn get(&self, offset: u64) -> &str {
        let rest = &self.text[offset as usize..];
        let mut ends = rest.match_indices('\n').map(|(end, _)| end + 1);
        &rest[..ends.nth(1).unwrap_or(rest.len())]
    }
}

impl Playlists {
    /// Plans playlists in `folder`, which is created, for `classes`. Their names are safe on every
    /// file system, and no two are the same.
    ///
    /// # Errors
    /// [`OutputError::Claim`] if a file of such a name is one of `inputs`, or is there and is no
    /// playlist that this program wrote; [`OutputError::Write`] if there can be no such folder.
    pub fn plan<'a>(
        folder: &Path,
        classes: &[String],
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, OutputError> {
        create_dir_all(folder).map_err(OutputError::write(folder))?;
        let mut taken = HashSet::new();
        let lists = classes.iter().map(|class| {
            let name = file_name(class, &mut taken);
            (class.clone(), folder.join(name))
        });
        let planned = Self {
            folder: folder.to_owned(),
            lists: lists.collect(),
        };
        planned.claim(inputs)?;
        Ok(planned)
    }

    fn claim<'a>(&self, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), OutputError> {
        let mut claims = Claims::default();
        inputs.into_iter().for_each(|input| claims.input(input));
        for (_, path) in &self.lists {
            claims.output(path, m3u8::OURS)?;
        }
        Ok(())
    }

    /// Writes the playlists from a journal: each class with the files that `rule` gives it to, the
    /// most probable first, and equals by path. Unsure and failed files are in none. A class
    /// without files has no playlist; one of an earlier run becomes empty.
    ///
    /// Memory is that of each file's path and name, and 16 bytes per label: 140 MB for a million
    /// files of one genre.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn write(
        &self,
        journal: &Path,
        rule: &DecisionRule,
    ) -> Result<PlaylistCounts, OutputError> {
        // The run may have taken days.
        self.claim([])?;
        let mut tracks: Vec<Tracks> = self.lists.iter().map(|_| Tracks::default()).collect();
        let mut entries = Entries::default();
        let mut m3u8 = M3u8::new(&self.folder).map_err(OutputError::write(&self.folder))?;
        journal::rows(journal, true, |result| {
            let Outcome::Ok(prediction) = &result.outcome else {
                return Ok::<_, OutputError>(());
            };
            let labels = rule.labels(&prediction.probabilities);
            if !labels.is_empty() {
                let offset = entries.text.len() as u64;
                entries.text += &m3u8.entry(&result.path, Some(prediction.seconds));
                for class in labels {
                    let score = prediction.probabilities[class];
                    tracks[class].all.push((score, offset));
                }
            }
            Ok(())
        })?;
        let mut counts = PlaylistCounts::default();
        for ((class, path), tracks) in self.lists.iter().zip(&mut tracks) {
            let all = &mut tracks.all;
            if all.is_empty() && !path.exists() {
                continue;
            }
            // Offsets are in the order of the paths.
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let offsets = all.iter().map(|(_, offset)| *offset);
            let lines = offsets.map(|offset| entries.get(offset));
            write(path, class, lines).map_err(OutputError::write(path))?;
            counts.playlists += usize::from(!all.is_empty());
            counts.tracks += all.len();
        }
        Ok(counts)
    }
}

/// Replaces a playlist.
fn write<'a>(path: &Path, title: &str, entries: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let (part, file) = Part::create(path)?;
    let mut file = BufWriter::new(file);
    file.write_all(M3u8::start(title).as_bytes())?;
    for entry in entries {
        file.write_all(entry.as_bytes())?;
    }
    file.flush()?;
    part.commit()
}

/// Returns the name of a class's playlist. What some file system refuses becomes `_`, and a name
/// that is taken, in any case, gets a number.
fn file_name(class: &str, taken: &mut HashSet<String>) -> String {
    let options = || Options {
        windows: true,
        truncate: false,
        replacement: "_",
    };
    let mut safe = sanitize_with_options(class, options());
    // A dot would hide it.
    if safe.starts_with('.') || safe.is_empty() {
        safe.insert(0, '_');
    }
    safe.truncate(safe.floor_char_boundary(MAX_NAME));
    let safe = safe.trim_end_matches(['.', ' ']);
    let names = (1..).map(|n| match n {
        1 => safe.to_owned(),
        n => format!("{safe}-{n}"),
    });
    let mut free = names.filter(|name| taken.insert(name.to_lowercase()));
    free.next().unwrap_or_default() + ".m3u8"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_on_every_file_system() {
        let mut taken = HashSet::new();
        let long = "\u{e9}".repeat(200);
        for (class, wanted) in [
            ("80s", "80s.m3u8"),
            ("Hip-Hop", "Hip-Hop.m3u8"),
            ("hip-hop", "hip-hop-2.m3u8"),
            ("r&b/soul", "r&b_soul.m3u8"),
            ("R&B:Soul", "R&B_Soul-2.m3u8"),
            ("..", "_.m3u8"),
            (".hidden", "_.hidden.m3u8"),
            ("con", "_-2.m3u8"),
            ("", "_-3.m3u8"),
            ("etc. ", "etc_.m3u8"),
            ("what?", "what_.m3u8"),
            (&long, &format!("{}.m3u8", "\u{e9}".repeat(60))),
        ] {
            assert_eq!(file_name(class, &mut taken), wanted, "{class}");
        }
    }
}
