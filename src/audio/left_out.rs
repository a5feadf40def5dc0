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
    excluded: u64,
    not_included: u64,
    too_deep: u64,
    others: BTreeMap<String, u64>,
}

impl LeftOut {
    /// Counts a hidden file or folder.
    pub fn add_hidden(&self) {
        self.change(|counts| counts.hidden += 1);
    }

    /// Counts a file or folder that a pattern excludes.
    pub fn add_excluded(&self) {
        self.change(|counts| counts.excluded += 1);
    }

    /// Counts an audio file that no pattern includes, where there are such patterns.
    pub fn add_not_included(&self) {
        self.change(|counts| counts.not_included += 1);
    }

    /// Counts a folder below the deepest level that is searched.
    pub fn add_too_deep(&self) {
        self.change(|counts| counts.too_deep += 1);
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
        let Counts {
            excluded,
            not_included,
            too_deep,
            ..
        } = self.change(|counts| counts.clone());
        let plural = |n: u64, one: &str, many: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let files = "files that no pattern includes";
        let excluded = plural(
            excluded,
            "excluded file or folder",
            "excluded files and folders",
        );
        let not_included = plural(not_included, "file that no pattern includes", files);
        let too_deep = plural(
            too_deep,
            "folder that is too deep",
            "folders that are too deep",
        );
        let all = [others, hidden, excluded, not_included, too_deep];
        all.into_iter().flatten().collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
