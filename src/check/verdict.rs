//! Which adapters passed the short check: kept per adapter, driver and version.
//!
//! Verdicts lie in `sonoprint/checks.json` in the user's cache folder, as the choice of kernels
//! does. A file that cannot be read or written costs a check per process, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Comparison;
use crate::files;
use crate::gpu::Gpu;

/// What the short check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The adapter computes right.
    Right,
    /// It does not: the first comparison that failed.
    Wrong(String),
}

impl Verdict {
    /// Returns the verdict of a check.
    pub fn of(comparisons: &[Comparison]) -> Self {
        match comparisons.iter().find(|c| !c.passed()) {
            None => Self::Right,
            Some(c) => Self::Wrong(c.what.clone()),
        }
    }
}

/// The verdicts on this user's adapters.
pub struct Verdicts {
    path: Option<PathBuf>,
    all: BTreeMap<String, Verdict>,
}

impl Verdicts {
    /// Reads the verdicts of the user's cache folder.
    pub fn of_user() -> Self {
        Self::at(files::cache_file("checks.json"))
    }

    /// Reads the verdicts in `path`; none, if it is absent or damaged.
    pub fn at(path: Option<PathBuf>) -> Self {
        let read = |path: &Path| serde_json::from_slice(&std::fs::read(path).ok()?).ok();
        let all = path.as_deref().and_then(read).unwrap_or_default();
        Self { path, all }
    }

    /// Returns the verdict on an adapter with its present driver and this version of the program.
    pub fn on(&self, gpu: &Gpu) -> Option<&Verdict> {
        self.all.get(&key(gpu))
    }

    /// Keeps a verdict, if there is a folder for it.
    pub fn keep(&mut self, gpu: &Gpu, verdict: Verdict) {
        self.all.insert(key(gpu), verdict);
        let Some(path) = &self.path else { return };
        let folder = path.parent().unwrap_or(Path::new("."));
        // Without a place to keep it, the next process checks again.
        let _ = files::create_dir_all(folder).and_then(|()| {
            let text = serde_json::to_vec_pretty(&self.all)?;
            files::replace(path, &text)
        });
    }
}

/// Returns everything that the results depend on.
fn key(gpu: &Gpu) -> String {
    let features = [
        ("vulkan", cfg!(feature = "vulkan")),
        ("autotune", cfg!(feature = "autotune")),
    ];
    let built: Vec<&str> = (features.iter().filter(|(_, on)| *on))
        .map(|(name, _)| *name)
        .collect();
    format!(
        "{}; {}; {}; {}",
        env!("CARGO_PKG_VERSION"),
        gpu.describe(),
        gpu.info.driver,
        built.join("+")
    )
}
