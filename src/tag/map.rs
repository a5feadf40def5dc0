//! The map from a model's labels to what is written: other names, none, and parents.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A map of labels. Its file is TOML:
///
/// ```
/// use sonoprint::tag::LabelMap;
///
/// let map: LabelMap = r#"
/// exclude = ["oldies"]        # these are not written
/// [rename]
/// hiphop = "Hip-Hop"          # the model's name, and what is written
/// [parents]
/// "indie rock" = "Rock"       # also written, behind it; a list for several
/// "#
/// .parse()?;
/// assert_eq!(map.names("HipHop"), ["Hip-Hop"]);
/// assert_eq!(map.names("indie rock"), ["indie rock", "Rock"]);
/// assert!(map.names("oldies").is_empty());
/// # Ok::<(), sonoprint::tag::MapError>(())
/// ```
///
/// Names are compared in any case. Parents may have parents; they are not renamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelMap {
    rename: BTreeMap<String, String>,
    exclude: BTreeSet<String>,
    parents: BTreeMap<String, Vec<String>>,
    /// The model's names that the file has, as they are spelled there.
    named: Vec<String>,
}

/// Why a file is no map of labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// It is not TOML, or has other keys.
    #[error("{0}")]
    Toml(String),
    /// A name is empty, or has a line break or another control character.
    #[error("{0:?} is no name")]
    Name(String),
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapFile {
    #[serde(default)]
    rename: BTreeMap<String, String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    parents: BTreeMap<String, OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl std::str::FromStr for LabelMap {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let file: MapFile = toml::from_str(text).map_err(|e| {
            let line = e.to_string();
            MapError::Toml(line.split_whitespace().collect::<Vec<_>>().join(" "))
        })?;
        let parents: BTreeMap<String, Vec<String>> = file
            .parents
            .into_iter()
            .map(|(name, parents)| match parents {
                OneOrMore::One(parent) => (name, vec![parent]),
                OneOrMore::More(parents) => (name, parents),
            })
            .collect();
        let written = file.rename.values().chain(parents.values().flatten());
        if let Some(wrong) = written.clone().find(|name| !is_name(name)) {
            return Err(MapError::Name(wrong.clone()));
        }
        let written: BTreeSet<String> = written.map(|name| key(name)).collect();
        let named = file
            .rename
            .keys()
            .chain(&file.exclude)
            .chain(parents.keys());
        let named = named.filter(|name| !written.contains(&key(name)));
        Ok(Self {
            named: named.cloned().collect(),
            rename: file.rename.into_iter().map(|(k, v)| (key(&k), v)).collect(),
            exclude: file.exclude.iter().map(|name| key(name)).collect(),
            parents: parents.into_iter().map(|(k, v)| (key(&k), v)).collect(),
        })
    }
}

impl LabelMap {
    /// Returns what is written for a label: its name, and its parents. Nothing if it is excluded.
    pub fn names(&self, label: &str) -> Vec<String> {
        let name = self.rename.get(&key(label)).map_or(label, String::as_str);
        if self.is_excluded(label) || self.is_excluded(name) || !is_name(name) {
            return Vec::new();
        }
        let mut names = vec![name.trim().to_owned()];
        self.add_parents(label, &mut names);
        let mut at = 0;
        while let Some(name) = names.get(at).cloned() {
            self.add_parents(&name, &mut names);
            at += 1;
        }
        names
    }

    /// Returns the names in the map that are no class and no name of a class or parent: they may be
    /// misspelled.
    pub fn unknown<'a>(&'a self, classes: &[&str]) -> Vec<&'a str> {
        let known = |name: &&String| classes.iter().any(|class| key(class) == key(name));
        let unknown = self.named.iter().filter(|name| !known(name));
        unknown.map(String::as_str).collect()
    }

    fn is_excluded(&self, name: &str) -> bool {
        self.exclude.contains(&key(name))
    }

    /// Adds the parents of `name` that are not there yet.
    fn add_parents(&self, name: &str, names: &mut Vec<String>) {
        for parent in self.parents.get(&key(name)).into_iter().flatten() {
            let is_new = names.iter().all(|name| key(name) != key(parent));
            if is_new && !self.is_excluded(parent) {
                names.push(parent.trim().to_owned());
            }
        }
    }
}

/// What names are compared by.
pub(super) fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a text can stand in a tag.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_of_parents_end() {
        let map: LabelMap = "exclude = ['B']\n[parents]\na = ['x', 'b']\nx = 'y'\ny = 'A'\n"
            .parse()
            .unwrap();
        assert_eq!(map.names("a"), ["a", "x", "y"]);
        let map: LabelMap = "exclude = ['rokc', 'Pop']".parse().unwrap();
        assert_eq!(map.unknown(&["rock", "pop"]), ["rokc"]);
        for (wrong, why) in [
            ("exclud = []", "unknown field"),
            ("[rename]\na = ''", "no name"),
            ("[parents]\na = \"x\\ny\"", "no name"),
            ("[parents", "TOML"),
        ] {
            let error = wrong.parse::<LabelMap>().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains('\n'), "{error}");
        }
    }
}
