//! Which way to decibels is fastest on this very adapter: measured once, and remembered by adapter and driver.
//!
//! The choice is among ways that all pass the accuracy tests, so nothing but speed hangs on it. It is kept in
//! `sonoprint/tune.json` in the user's cache folder (`$XDG_CACHE_HOME`, else `~/.cache`; on Windows `%LOCALAPPDATA%`).
//! Without such a folder, or if it cannot be written to, the choice serves this process alone, and the plan's own choice
//! the next. A file that cannot be read, is damaged, or speaks of another adapter, driver or version counts for nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::GpuFrontEnd;
use super::kernels::StftKernel;
use super::plan::{Limits, Plan};
use crate::frontend::config::{FrontEndConfig, Rows};
use crate::frontend::{FrontEndError, presets};
use crate::gpu::Gpu;

/// What one way took.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// Which.
    pub variant: StftKernel,
    /// Median time of the first pass.
    pub time: Duration,
}

/// What was measured, the fastest first, and whether it will be remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// Only those that may be chosen.
    pub tried: Vec<Tried>,
    /// The file that now holds the choice, or why there is none.
    pub kept: Result<PathBuf, String>,
}

type Choices = BTreeMap<String, StftKernel>;

/// What this process has measured, also where nothing can be written.
static MEASURED: Mutex<Choices> = Mutex::new(Choices::new());

/// Measures every accurate way that `gpu` can take for `settings`, on a few clips of noise, and remembers the fastest.
///
/// # Errors
/// If the device fails.
pub fn tune(gpu: &Gpu, settings: &FrontEndConfig) -> Result<Tuned, FrontEndError> {
    const CLIPS: usize = 4;
    const RUNS: usize = 5;
    settings.validate()?;
    let clip: Vec<f32> = (0..settings.clip_samples as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5)
        .collect();
    let clips = [clip.as_slice(); CLIPS];
    let mut tried = Vec::new();
    for variant in Plan::possible(settings.n_fft, &Limits::from(gpu)) {
        if !variant.accurate() {
            continue;
        }
        let times = GpuFrontEnd::with_kernel(gpu, settings, variant)?.measure(&clips, RUNS)?;
        let mut first: Vec<Duration> = times
            .iter()
            .map(|t| t.passes.first().copied().unwrap_or(t.wall))
            .collect();
        first.sort();
        tried.push(Tried {
            variant,
            time: first[RUNS / 2],
        });
    }
    tried.sort_by_key(|t| t.time);
    let kept = keep(&key(gpu, settings), tried[0].variant, file().as_deref());
    Ok(Tuned { tried, kept })
}

/// The way that was measured to be fastest for `settings` on `gpu`, if one was and it can still be taken.
pub fn remembered(gpu: &Gpu, settings: &FrontEndConfig) -> Option<StftKernel> {
    let key = key(gpu, settings);
    let here = lock().get(&key).copied();
    let found = here.or_else(|| read(&file()?).get(&key).copied())?;
    let possible = Plan::possible(settings.n_fft, &Limits::from(gpu));
    (found.accurate() && possible.contains(&found)).then_some(found)
}

fn lock() -> std::sync::MutexGuard<'static, Choices> {
    MEASURED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Everything that the speeds hang on.
fn key(gpu: &Gpu, settings: &FrontEndConfig) -> String {
    let rows = match settings.rows {
        Rows::Linear => "linear".to_owned(),
        Rows::Mel { n_mels, .. } => format!("{n_mels} mels"),
    };
    format!(
        "{}; {}; {}; n_fft {}; {rows}",
        env!("CARGO_PKG_VERSION"),
        gpu.describe(),
        gpu.info.driver,
        settings.n_fft
    )
}

fn file() -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CACHE_HOME")
        .filter(|p| p.is_absolute())
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(folder.join("sonoprint").join("tune.json"))
}

/// Nothing, if the file says nothing that can be understood.
fn read(path: &Path) -> Choices {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn keep(key: &str, variant: StftKernel, path: Option<&Path>) -> Result<PathBuf, String> {
    lock().insert(key.to_owned(), variant);
    let path = path.ok_or("there is no folder for caches")?;
    let write = || -> std::io::Result<()> {
        let mut all = read(path);
        all.insert(key.to_owned(), variant);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        // Whole or not at all, also if two write at once.
        let part = folder.join(format!("tune.{}.part", std::process::id()));
        std::fs::write(&part, serde_json::to_vec_pretty(&all)?)?;
        std::fs::rename(&part, path)
    };
    write().map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path.to_owned())
}

/// The presets, each measured.
///
/// # Errors
/// As [`tune`].
pub fn tune_presets(gpu: &Gpu) -> Result<Vec<(FrontEndConfig, Tuned)>, FrontEndError> {
    [presets::deeppixel(), presets::mel()]
        .into_iter()
        .map(|settings| Ok((settings.clone(), tune(gpu, &settings)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_kept_and_damage_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("tune.json");
        assert_eq!(read(&path), Choices::new());
        keep("a test's adapter", StftKernel::OneFrame, Some(&path)).unwrap();
        keep("another", StftKernel::Registers, Some(&path)).unwrap();
        assert_eq!(read(&path)["a test's adapter"], StftKernel::OneFrame);
        assert_eq!(read(&path)["another"], StftKernel::Registers);
        for damaged in ["", "{", "[1]", "{\"a\": \"no-such-way\"}", "\u{0}"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path), Choices::new());
        }
        // Over a damaged one a new one is written.
        keep("another", StftKernel::OneFrame, Some(&path)).unwrap();
        assert_eq!(read(&path).len(), 1);
        // A folder that cannot be: said, and remembered in this process.
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(keep("third", StftKernel::OneFrame, Some(&file.join("tune.json"))).is_err());
        assert!(keep("fourth", StftKernel::OneFrame, None).is_err());
        assert_eq!(lock().get("third"), Some(&StftKernel::OneFrame));
    }
}
