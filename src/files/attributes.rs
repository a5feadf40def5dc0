//! What belongs to a file beside its content: owner, mode, extended attributes and times.

use std::fs::{FileTimes, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::fault;

/// Gives the file at `to` the owner, mode and extended attributes of the file at `from`, and with
/// `times` its times. Attributes of the system (`security.*`, `trusted.*`) are kept where the
/// process may.
///
/// # Errors
/// The system's error, with what could not be kept.
pub(super) fn copy_attributes(from: &Path, to: &Path, times: bool) -> io::Result<()> {
    let old = std::fs::metadata(from)?;
    fault::pass(|| copy_owner(&old, to)).map_err(what("its owner cannot be kept"))?;
    // Behind the owner, because a change of the owner takes bits off the mode.
    fault::pass(|| std::fs::set_permissions(to, old.permissions()))
        .map_err(what("its mode cannot be kept"))?;
    fault::pass(|| copy_extended(from, to))
        .map_err(what("its extended attributes cannot be kept"))?;
    if times {
        let set = || {
            let times = FileTimes::new()
                .set_modified(old.modified()?)
                .set_accessed(old.accessed()?);
            OpenOptions::new().write(true).open(to)?.set_times(times)
        };
        fault::pass(set).map_err(what("its times cannot be kept"))?;
    }
    Ok(())
}

fn what(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |e| io::Error::new(e.kind(), format!("{what}: {e}"))
}

#[cfg(unix)]
fn copy_owner(old: &Metadata, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let new = std::fs::metadata(to)?;
    let user = (old.uid() != new.uid()).then_some(old.uid());
    let group = (old.gid() != new.gid()).then_some(old.gid());
    match user.or(group) {
        Some(_) => chown(to, user, group),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn copy_owner(_: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn copy_extended(from: &Path, to: &Path) -> io::Result<()> {
    let names = match xattr::list(from) {
        Ok(names) => names,
        // The file system has none.
        Err(e) if e.kind() == io::ErrorKind::Unsupported => return Ok(()),
        Err(e) => return Err(e),
    };
    for name in names {
        let Some(value) = xattr::get(from, &name)? else {
            continue;
        };
        if xattr::get(to, &name).ok().flatten().as_deref() == Some(value.as_slice()) {
            continue;
        }
        let bytes = name.as_encoded_bytes();
        let system = bytes.starts_with(b"security.") || bytes.starts_with(b"trusted.");
        match xattr::set(to, &name, &value) {
            Err(e) if !system => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn copy_extended(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}
