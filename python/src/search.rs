//! Paths from Python, and the files that they stand for.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyString;
use sonoprint::classify::{Input, Search, discover};

/// Files that are found before Python's signals are looked at.
const STEP: usize = 1000;

/// Returns one path. A leading `~` is the user's folder.
pub(crate) fn path_of(path: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let given: PathBuf = path.extract()?;
    if !given.starts_with("~") {
        return Ok(given);
    }
    let os_path = path.py().import("os.path")?;
    os_path.call_method1("expanduser", (given,))?.extract()
}

/// Returns the paths of a path, or of several.
pub(crate) fn paths_of(paths: &Bound<'_, PyAny>) -> PyResult<Vec<PathBuf>> {
    if paths.is_instance_of::<PyString>() || paths.hasattr("__fspath__")? {
        return Ok(vec![path_of(paths)?]);
    }
    paths.try_iter()?.map(|path| path_of(&path?)).collect()
}

/// Finds the files under `paths`, one at a time: a folder's audio files in the order of names, and
/// every other path as it is, as often as it is given.
pub(crate) fn walk(
    paths: Vec<PathBuf>,
    search: Search,
) -> impl Iterator<Item = Input> + Send + 'static {
    paths.into_iter().flat_map(move |path| {
        let inputs: Box<dyn Iterator<Item = Input> + Send> = match path.is_dir() {
            false => Box::new(std::iter::once(Input::File(path))),
            true => match discover(std::slice::from_ref(&path), &search) {
                Ok(inputs) => Box::new(inputs),
                Err(e) => Box::new(std::iter::once(Input::Unreadable(path, e.to_string()))),
            },
        };
        inputs
    })
}

/// Returns the audio files in folders, in the order in which ``predict`` takes them.
///
/// Paths of files stay as they are. A folder that cannot be read stays in the list, too: ``predict``
/// says why.
#[pyfunction]
#[pyo3(signature = (paths, *, hidden = false))]
pub(crate) fn find(
    py: Python<'_>,
    paths: &Bound<'_, PyAny>,
    hidden: bool,
) -> PyResult<Vec<std::ffi::OsString>> {
    let search = Search {
        hidden,
        ..Search::default()
    };
    let mut inputs = walk(paths_of(paths)?, search);
    let mut found = Vec::new();
    loop {
        let before = found.len();
        py.detach(|| {
            let next = inputs.by_ref().take(STEP);
            // What cannot be searched stays in the list: `predict` says why.
            found.extend(next.map(|input| input.path().as_os_str().to_owned()));
        });
        py.check_signals()?;
        if found.len() == before {
            return Ok(found);
        }
    }
}
