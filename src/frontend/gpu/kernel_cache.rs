//! Which STFT kernel was measured to be the fastest on an adapter: kept per adapter and driver.
//!
//! The choice is kept in `tune.json` in the user's cache folder ([`files::cache_file`]). Without such a folder, or if it cannot be written, the
//! choice holds for this process only, and the next process uses the plan's choice. A file that
//! cannot be read, is damaged, or is about another adapter, driver or version is ignored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::kernels::StftKernel;
use super::plan::{Limits, Plan};
use crate::files;
use crate::frontend::config::{FrontEndConfig, Rows};
use crate::gpu::Gpu;

type Choices = BTreeMap<String, StftKernel>;

/// What this process has measured, including what could not be written.
static KERNEL_CACHE: Mutex<Choices> = Mutex::new(Choices::new());

/// Returns the kernel that was measured to be the fastest for `config` on `gpu`, if there is one
/// and it can still run.
pub(super) fn read(gpu: &Gpu, config: &FrontEndConfig) -> Option<StftKernel> {
    let key = key(gpu, config);
    let here = lock().get(&key).copied();
    let found = here.or_else(|| read_file(&file()?).get(&key).copied())?;
    let possible = Plan::possible(config.n_fft, &Limits::from(gpu));
    (found.accurate() && possible.contains(&found)).then_some(found)
}

/// Keeps `kernel` as the fastest for `config` on `gpu`. Returns the file that holds it, or why it
/// holds for this process only.
pub(super) fn keep(
    gpu: &Gpu,
    config: &FrontEndConfig,
    kernel: StftKernel,
) -> Result<PathBuf, String> {
    keep_in(&key(gpu, config), kernel, file().as_deref())
}

fn lock() -> MutexGuard<'static, Choices> {
    KERNEL_CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns everything that the kernels' speeds depend on.
fn key(gpu: &Gpu, config: &FrontEndConfig) -> String {
    let rows = match config.rows {
        Rows::Linear => "linear".to_owned(),
        Rows::Mel { n_mels, .. } => format!("{n_mels} mels"),
    };
    format!(
        "{}; {}; {}; n_fft {}; {rows}",
        env!("CARGO_PKG_VERSION"),
        gpu.describe(),
        gpu.info.driver,
        config.n_fft
    )
}

fn file() -> Option<PathBuf> {
    files::cache_file("tune.json")
}

/// Reads all choices of a file; none, if it is absent or damaged.
fn read_file(path: &Path) -> Choices {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

fn keep_in(key: &str, kernel: StftKernel, path: Option<&Path>) -> Result<PathBuf, String> {
    lock().insert(key.to_owned(), kernel);
    let path = path.ok_or("there is no folder for caches")?;
    let write = || -> std::io::Result<()> {
        let mut all = read_file(path);
        all.insert(key.to_owned(), kernel);
        let folder = path.parent().unwrap_or(Path::new("."));
        files::create_dir_all(folder)?;
        // The file is replaced as a whole, even if two processes write at once.
        files::replace(path, &serde_json::to_vec_pretty(&all)?)
    };
    write().map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_kept_and_damage_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("tune.json");
        assert_eq!(read_file(&path), Choices::new());
        keep_in("a test's adapter", StftKernel::OneFrame, Some(&path)).unwrap();
        keep_in("another", StftKernel::Registers, Some(&path)).unwrap();
        assert_eq!(read_file(&path)["a test's adapter"], StftKernel::OneFrame);
        assert_eq!(read_file(&path)["another"], StftKernel::Registers);
        for damaged in ["", "{", "[1]", "{\"a\": \"no-such-kernel\"}", "\u{0}"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read_file(&path), Choices::new());
        }
        // A damaged file is replaced.
        keep_in("another", StftKernel::OneFrame, Some(&path)).unwrap();
        assert_eq!(read_file(&path).len(), 1);
        // Without a folder, the reason is returned and the choice holds in this process.
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let below = file.join("tune.json");
        assert!(keep_in("third", StftKernel::OneFrame, Some(&below)).is_err());
        assert!(keep_in("fourth", StftKernel::OneFrame, None).is_err());
        assert_eq!(lock().get("third"), Some(&StftKernel::OneFrame));
    }
}
