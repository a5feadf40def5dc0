//! What a folder walk left out, counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Extensions that [`LeftOut::lines`] names.
const NAMED: usize = 4;

/// What a walk left out. It grows while the walk goes on.
///
/// ```
/// use sonoprint::audio::LeftOut;
///
/// let left_out = LeftOut::default();
/// for name in ["cover.jpg", "BACK.JPG", "README"] {
///     left_out.add_other(name.as_ref());
/// }
/// left_out.add_hidden();
/// assert_eq!(left_out.others(), [("jpg".to_owned(), 2), ("".to_owned(), 1)]);
/// assert_eq!(
///     left_out.lines(),
///     [
///         "3 files that are not audio (2 .jpg, 1 without extension)",
///         "1 hidden file or folder"
///     ]
/// );
/// ```
#[derive(Debug, Default)]
pub struct LeftOut(Mutex<Counts>);

#[derive(Clone, Debug, Default)]
struct Counts {
    hidden: u64,
    others: BTreeMap<String, u64>,
}

impl LeftOut {
    /// Counts a hidden file or folder.
    pub fn add_hidden(&self) {
        self.change(|counts| counts.hidden += 1);
    }

    /// Counts a file that is not audio by its name.
    pub fn add_other(&self, path: &Path) {
        let extension = path.extension().unwrap_or_default();
        let extension = extension.to_string_lossy().to_lowercase();
        self.change(|counts| *counts.others.entry(extension).or_default() += 1);
    }

    /// Returns the number of hidden files and folders.
    pub fn hidden(&self) -> u64 {
        self.change(|counts| counts.hidden)
    }

    /// Returns the extensions of the files that are not audio, with their numbers, the most
    /// frequent first. Files without an extension have an empty one.
    pub fn others(&self) -> Vec<(String, u64)> {
        let mut others: Vec<_> = self.change(|counts| counts.others.clone().into_iter().collect());
        others.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        others
    }

    /// Returns a line per kind of what was left out, with the most frequent extensions.
    pub fn lines(&self) -> Vec<String> {
        let others = self.others();
        let count = |some: &[(String, u64)]| some.iter().map(|(_, n)| n).sum::<u64>();
        let named = &others[..others.len().min(NAMED)];
        let (total, rest) = (count(&others), count(&others[named.len()..]));
        let mut names: Vec<_> = (named.iter())
            .map(|(extension, n)| match extension.as_str() {
                "" => format!("{n} without extension"),
                extension => format!("{n} .{extension}"),
            })
            .collect();
        names.extend((rest > 0).then(|| format!("{rest} more")));
        let others = match total {
            0 => None,
            1 => Some(format!("1 file that is not audio ({})", names.join(", "))),
            n => Some(format!(
                "{n} files that are not audio ({})",
                names.join(", ")
            )),
        };
        let hidden = match self.hidden() {
            0 => None,
            1 => Some("1 hidden file or folder".to_owned()),
            n => Some(format!("{n} hidden files and folders")),
        };
        others.into_iter().chain(hidden).collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
