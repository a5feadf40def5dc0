//! The models that are built into the program, and the names of models.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A checkpoint that is built into the program.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct BuiltinModel {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The checkpoint file.
    bytes: &'static [u8],
}

/// The name of the model that is used if none is named.
pub const DEFAULT: &str = "genres10";

/// The built-in models: one row each.
static MODELS: &[BuiltinModel] = &[
    BuiltinModel {
        name: "genres10",
        about: "Ten genres, learned from recordings",
        bytes: include_bytes!("../../data/genres10/genres10.safetensors"),
    },
    BuiltinModel {
        name: "musicnn-msd",
        about: "Fifty tags of the Million Song Dataset (musicnn), and embeddings for search",
        bytes: include_bytes!("../../data/musicnn/musicnn-msd.safetensors"),
    },
];

impl BuiltinModel {
    /// Returns every built-in model.
    pub fn all() -> &'static [Self] {
        MODELS
    }

    /// Returns the model of this name, if there is one.
    pub fn find(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    /// Returns the checkpoint file's bytes.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }
}

/// Returns the names of the built-in models.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|model| model.name)
}

/// What a user calls a model: the name of a built-in one, or the path of a checkpoint file.
///
/// A text that is the name of a built-in model means that model. A file of that name is meant by a
/// path with a folder: `./genres10`.
///
/// ```
/// use sonoprint::model::ModelName;
///
/// assert_eq!(ModelName::from("genres10"), ModelName::default());
/// assert_eq!(
///     ModelName::from("run/best.safetensors"),
///     ModelName::File("run/best.safetensors".into())
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelName {
    /// A built-in model: the name of a [`BuiltinModel`].
    Builtin(&'static str),
    /// A checkpoint file.
    File(PathBuf),
}

impl Default for ModelName {
    /// Returns the name of the default model, [`DEFAULT`].
    fn default() -> Self {
        Self::Builtin(DEFAULT)
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl From<&Path> for ModelName {
    fn from(path: &Path) -> Self {
        let builtin = path.to_str().and_then(BuiltinModel::find);
        builtin.map_or_else(
            || Self::File(path.to_owned()),
            |model| Self::Builtin(model.name),
        )
    }
}

impl From<&str> for ModelName {
    fn from(text: &str) -> Self {
        Path::new(text).into()
    }
}

impl From<OsString> for ModelName {
    fn from(text: OsString) -> Self {
        Path::new(&text).into()
    }
}

impl From<&Self> for ModelName {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

impl FromStr for ModelName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_built_in_model_and_names_are_unique() {
        assert!(BuiltinModel::find(DEFAULT).is_some());
        for (i, name) in names().enumerate() {
            assert!(names().skip(i + 1).all(|other| other != name), "{name}");
            assert_eq!(ModelName::from(name), ModelName::Builtin(name));
            assert_eq!(ModelName::from(name).to_string(), name);
        }
    }

    #[test]
    fn a_path_with_a_folder_is_a_file() {
        let path = format!("./{DEFAULT}");
        assert_eq!(ModelName::from(path.as_str()), ModelName::File(path.into()));
    }
}
